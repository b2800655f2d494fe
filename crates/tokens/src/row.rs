//! One row of the rule book: what a set of models charges, by one meter, on one or both services,
//! between two dates. The shape of section 5 of the token rules.

use mediaprep_media::{MediaResolution, Modality};
use serde::{Deserialize, Serialize};

use crate::count::Evidence;
use crate::facts::Route;
use crate::formula::time::{FrameRounding, SoundRounding};
use crate::formula::{Basis, Formula};
use crate::key::{Date, Meter, Service};
use crate::known::KnownAnswer;

/// Whether a row speaks about a medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage<T> {
    /// The row says nothing about the medium: counting such an item fails.
    NotCovered,
    /// The model does not take the medium at all.
    NotAccepted,
    /// The medium is charged like this.
    Charged(T),
}

/// Which length of a file a charge goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// What the container states, encoder delay and padding included.
    Container,
    /// Decoded samples over the sample rate.
    Decoded,
    /// The video track as presented.
    VideoTrack,
    /// The video's sound track.
    AudioTrack,
    /// Frame count over average frame rate: the video track before edit lists.
    Frames,
}

/// A formula and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The arithmetic.
    pub formula: Formula,
    /// What it rests on.
    pub basis: Basis,
    /// What the formula rests on for pictures too small to be cut into tiles, where that differs.
    pub small_evidence: Option<Evidence>,
}

/// What holds in a special case: a formula of its own, or the default with other evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Special {
    /// As by default; only the evidence differs.
    AsDefault(Basis),
    /// A formula of its own.
    Own(Figure),
}

/// How stills, pages or frames are charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PictureRule {
    /// Without a level.
    pub default: Figure,
    /// `MEDIA_RESOLUTION_LOW`; `None` when the level is not offered.
    pub low: Option<Special>,
    /// `MEDIA_RESOLUTION_MEDIUM`.
    pub medium: Option<Special>,
    /// `MEDIA_RESOLUTION_HIGH`.
    pub high: Option<Special>,
    /// `MEDIA_RESOLUTION_ULTRA_HIGH`.
    pub ultra_high: Option<Special>,
    /// When the request holds more than one image or page.
    pub several: Option<Special>,
    /// Inside a functionResponse.
    pub in_function_response: Option<Special>,
    /// As a File API part inside a functionResponse.
    pub file_in_function_response: Option<Special>,
    /// The modality that `usageMetadata` files it under.
    pub reported_as: Modality,
}

impl PictureRule {
    /// What holds at a level; `None` when the level is not offered.
    pub const fn at_level(&self, level: MediaResolution) -> Option<&Special> {
        match level {
            MediaResolution::Low => self.low.as_ref(),
            MediaResolution::Medium => self.medium.as_ref(),
            MediaResolution::High => self.high.as_ref(),
            MediaResolution::UltraHigh => self.ultra_high.as_ref(),
        }
    }
}

/// How many frames a video gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameRule {
    /// The length that is sampled.
    pub from: Length,
    /// How the number of frames is rounded.
    pub rounding: FrameRounding,
    /// Fewest frames, 0 or 1.
    pub min: u32,
    /// Only this many seconds are looked at.
    pub first_seconds: Option<u32>,
    /// What the rounding and the minimum rest on.
    pub basis: Basis,
}

/// Tokens for the time written beside each frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimestampRule {
    /// During the first hour.
    pub first_hour: u32,
    /// From 3600 s on.
    pub later: u32,
    /// During the first hour when more than one frame a second is sampled.
    pub first_hour_above_one_fps: u32,
    /// From 3600 s on when more than one frame a second is sampled.
    pub later_above_one_fps: u32,
    /// What the first hour's figure rests on.
    pub basis: Basis,
    /// What the later figure rests on.
    pub later_evidence: Evidence,
}

/// How a sound is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SoundRule {
    /// Tokens for each second.
    pub per_second: u32,
    /// How the product is rounded.
    pub rounding: SoundRounding,
    /// The length that is charged.
    pub from: Length,
    /// What the rate rests on.
    pub basis: Basis,
    /// What the rounding rests on.
    pub rounding_evidence: Evidence,
}

/// What a video without a soundtrack is charged for sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SilentRule {
    /// The length that is charged all the same; `None` when silence is free.
    pub charged_by: Option<Length>,
    /// What this rests on.
    pub basis: Basis,
}

/// How a video's sound is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SoundtrackRule {
    /// With a soundtrack.
    pub sound: SoundRule,
    /// Without one.
    pub silent: SilentRule,
    /// The modality that `usageMetadata` files it under.
    pub reported_as: Modality,
}

/// How a video is charged on one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VideoRule {
    /// One frame.
    pub frame: PictureRule,
    /// How many frames.
    pub frames: FrameRule,
    /// The time written beside each frame.
    pub timestamp: TimestampRule,
    /// The sound; `None` when the model ignores it.
    pub soundtrack: Option<SoundtrackRule>,
}

/// A video's charge by the way it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VideoRules {
    /// Bytes inside the request.
    pub inline: VideoRule,
    /// An uploaded file.
    pub file: VideoRule,
    /// An address.
    pub uri: VideoRule,
}

impl VideoRules {
    /// The rule for one route.
    pub const fn by(&self, route: Route) -> &VideoRule {
        match route {
            Route::Inline => &self.inline,
            Route::File => &self.file,
            Route::Uri => &self.uri,
        }
    }
}

/// Where a model takes a `media_resolution` level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LevelScope {
    /// Nowhere: every level is refused.
    None,
    /// In `generationConfig`, for the whole request.
    Request,
    /// In `generationConfig` or at the part, where the part wins.
    Part,
}

/// Tokens that a request costs beside its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestExtra {
    /// How many.
    pub tokens: u32,
    /// What it rests on.
    pub basis: Basis,
}

/// What a generated picture costs as output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OutputImage {
    /// The picture's size as the vendor names it.
    pub size: String,
    /// Output tokens.
    pub tokens: u32,
    /// What it rests on.
    pub evidence: Evidence,
}

/// One row of the rule book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The row's name.
    pub id: String,
    /// Exact model names.
    pub models: Vec<String>,
    /// The models that somebody has measured under this row.
    pub measured_on: Vec<String>,
    /// The services.
    pub services: Vec<Service>,
    /// Whose number it is.
    pub meter: Meter,
    /// First day.
    pub since: Date,
    /// Last day; `None` while no later row takes over.
    pub until: Option<Date>,
    /// Whether a key can find the row; an alternate row is reached by its id alone.
    pub lookup: bool,
    /// Where levels are taken.
    pub levels: LevelScope,
    /// The meter counts as if no level were asked for.
    pub ignores_levels: bool,
    /// The meter counts as if no frame rate were asked for.
    pub ignores_fps: bool,
    /// Whether the service takes a frame rate at all.
    pub takes_fps: bool,
    /// Still images.
    pub image: Coverage<PictureRule>,
    /// Pages of documents.
    pub page: Coverage<PictureRule>,
    /// Videos.
    pub video: Coverage<Box<VideoRules>>,
    /// Sound files.
    pub audio: Coverage<SoundRule>,
    /// Beside the items.
    pub request_extra: Option<RequestExtra>,
    /// Generated pictures.
    pub output_images: Vec<OutputImage>,
    /// Answers that the row must give.
    pub known: Vec<KnownAnswer>,
    /// Where the row's figures come from.
    pub sources: Vec<String>,
    /// What else should be known about the row.
    pub note: Option<String>,
}

impl Row {
    /// Whether the row holds on `date`.
    pub fn holds_on(&self, date: Date) -> bool {
        self.since <= date && self.until.is_none_or(|until| date <= until)
    }

    /// Whether somebody has measured `model` under this row.
    pub fn is_measured_on(&self, model: &str) -> bool {
        let model = crate::key::bare_model_name(model);
        self.measured_on.iter().any(|name| name == model)
    }

    /// Whether the row charges for anything.
    pub fn charges(&self) -> bool {
        matches!(self.image, Coverage::Charged(_))
            || matches!(self.page, Coverage::Charged(_))
            || matches!(self.video, Coverage::Charged(_))
            || matches!(self.audio, Coverage::Charged(_))
    }
}
