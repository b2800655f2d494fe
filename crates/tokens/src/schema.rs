//! The data files as they are written, before they are checked.

use std::fmt;

use mediaprep_media::Modality;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::count::Evidence;
use crate::formula::time::{FrameRounding, SoundRounding};
use crate::key::{Date, Meter, Service};
use crate::limits::{LimitRow, WayRow};
use crate::measured::Measured;
use crate::mime::{Alias, Conversion, MimeRow};
use crate::model::Model;
use crate::price::Price;
use crate::row::{Length, LevelScope, OutputImage};
use crate::sampling::SamplingRow;

/// One data file. All files have one schema; each holds the tables it is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) schema: u32,
    #[serde(default)]
    pub(crate) rule: Vec<Rule>,
    #[serde(default)]
    pub(crate) model: Vec<Model>,
    #[serde(default)]
    pub(crate) price: Vec<Price>,
    #[serde(default)]
    pub(crate) limit: Vec<LimitRow>,
    #[serde(default)]
    pub(crate) way: Vec<WayRow>,
    #[serde(default)]
    pub(crate) mime: Vec<MimeRow>,
    #[serde(default)]
    pub(crate) convert: Vec<Conversion>,
    #[serde(default)]
    pub(crate) alias: Vec<Alias>,
    #[serde(default)]
    pub(crate) sampling: Vec<SamplingRow>,
    #[serde(default)]
    pub(crate) measured: Vec<Measured>,
}

/// A `[[rule]]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) models: Vec<String>,
    #[serde(default, rename = "measured_on")]
    pub(crate) measured_on: Vec<String>,
    pub(crate) service: Services,
    pub(crate) meter: Meter,
    pub(crate) since: Date,
    pub(crate) until: Option<Date>,
    #[serde(default = "yes")]
    pub(crate) lookup: bool,
    pub(crate) levels: Option<LevelScope>,
    #[serde(default)]
    pub(crate) ignores: Vec<Ignored>,
    #[serde(default = "yes")]
    pub(crate) takes_fps: bool,
    pub(crate) image: Option<Picture>,
    pub(crate) page: Option<Picture>,
    pub(crate) frame: Option<Picture>,
    pub(crate) frames: Option<Frames>,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) audio: Option<Sound>,
    pub(crate) soundtrack: Option<Sound>,
    #[serde(default)]
    pub(crate) route: Routes,
    pub(crate) request_extra: Option<Extra>,
    #[serde(default)]
    pub(crate) output_image: Vec<OutputImage>,
    #[serde(default)]
    pub(crate) known: Vec<Known>,
    pub(crate) sources: Vec<String>,
    pub(crate) note: Option<String>,
}

const fn yes() -> bool {
    true
}

/// What a meter leaves out of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ignored {
    Levels,
    Fps,
}

/// Overrides for one route.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Routes {
    pub(crate) file: Option<RouteRule>,
    pub(crate) uri: Option<RouteRule>,
}

/// What differs on one route.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteRule {
    pub(crate) frame: Option<Picture>,
    pub(crate) frames: Option<Frames>,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) soundtrack: Option<Sound>,
}

/// The kinds of picture formulas, by the names of section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Flat,
    CropTiles,
    UnclampedTiles,
    LongSideTiles,
    AspectFit,
    AtMost,
    NotAccepted,
}

/// `image`, `page` or `frame`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Picture {
    pub(crate) kind: Kind,
    pub(crate) default: Option<u32>,
    pub(crate) overview: Option<u32>,
    pub(crate) low: Option<Special>,
    pub(crate) medium: Option<Special>,
    pub(crate) high: Option<Special>,
    pub(crate) ultra_high: Option<Special>,
    pub(crate) several: Option<Special>,
    pub(crate) in_function_response: Option<Special>,
    pub(crate) file_in_function_response: Option<Special>,
    pub(crate) reported_as: Option<Modality>,
    pub(crate) evidence: Option<Evidence>,
    pub(crate) small_evidence: Option<Evidence>,
    pub(crate) points: Option<u32>,
    pub(crate) note: Option<String>,
}

/// What holds in a special case: a number in the field's own kind, or a table.
#[derive(Clone, Debug)]
pub(crate) enum Special {
    Number(u32),
    Table(SpecialTable),
}

/// A special case with its own kind or evidence; exactly one of the first four is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SpecialTable {
    pub(crate) flat: Option<u32>,
    pub(crate) aspect_fit: Option<u32>,
    pub(crate) at_most: Option<u32>,
    #[serde(default)]
    pub(crate) as_default: bool,
    pub(crate) evidence: Evidence,
    pub(crate) small_evidence: Option<Evidence>,
    pub(crate) points: Option<u32>,
    pub(crate) note: Option<String>,
}

impl<'de> Deserialize<'de> for Special {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpecialVisitor)
    }
}

struct SpecialVisitor;

impl<'de> Visitor<'de> for SpecialVisitor {
    type Value = Special;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of tokens or a table with its own kind and evidence")
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Special, E> {
        u32::try_from(value).map(Special::Number).map_err(|_| E::custom("number out of range"))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Special, E> {
        u32::try_from(value).map(Special::Number).map_err(|_| E::custom("number out of range"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Special, A::Error> {
        SpecialTable::deserialize(MapAccessDeserializer::new(map)).map(Special::Table)
    }
}

/// `frames`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Frames {
    pub(crate) from: Length,
    pub(crate) rounding: FrameRounding,
    pub(crate) min: u32,
    pub(crate) first_seconds: Option<u32>,
    pub(crate) evidence: Evidence,
    pub(crate) points: Option<u32>,
    pub(crate) note: Option<String>,
}

/// `timestamp`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Timestamp {
    pub(crate) first_hour: u32,
    pub(crate) later: u32,
    pub(crate) first_hour_above_one_fps: Option<u32>,
    pub(crate) later_above_one_fps: Option<u32>,
    pub(crate) evidence: Evidence,
    pub(crate) later_evidence: Option<Evidence>,
    pub(crate) note: Option<String>,
}

/// `audio` or `soundtrack`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sound {
    pub(crate) kind: Option<SoundKind>,
    pub(crate) per_second: Option<u32>,
    pub(crate) rounding: Option<SoundRounding>,
    pub(crate) from: Option<Length>,
    pub(crate) evidence: Option<Evidence>,
    pub(crate) rounding_evidence: Option<Evidence>,
    pub(crate) without_track: Option<WithoutTrack>,
    pub(crate) without_track_evidence: Option<Evidence>,
    pub(crate) without_track_note: Option<String>,
    pub(crate) reported_as: Option<Modality>,
    pub(crate) points: Option<u32>,
    pub(crate) note: Option<String>,
}

/// Sounds that are not charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SoundKind {
    NotAccepted,
    Ignored,
}

/// `without-track`: `false` when silence is free, else the length that is charged all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum WithoutTrack {
    Charged(bool),
    By(Length),
}

/// `request-extra`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Extra {
    pub(crate) tokens: u32,
    pub(crate) evidence: Evidence,
    pub(crate) note: Option<String>,
}

/// A known answer; a list of numbers is short for the text with commas.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    pub(crate) request: String,
    pub(crate) tokens: Tokens,
}

/// `tokens` of a known answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Tokens {
    List(Vec<u64>),
    Text(String),
}

/// One service or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Services {
    One(Service),
    Several(Vec<Service>),
}

impl Services {
    pub(crate) fn into_vec(self) -> Vec<Service> {
        match self {
            Self::One(service) => vec![service],
            Self::Several(services) => services,
        }
    }
}
