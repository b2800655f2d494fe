//! One item as every format prints it. Facts, counts and words come from the engine; nothing is
//! computed here.

use mediaprep::media::{Duration, MimeType, Modality, Warning};
use mediaprep::tokens::{Bound, Cost, Route};
use mediaprep::{
    Budgeted, Charge, Error, ErrorKind, MediaInfo, PageRun, PageSize, Probed, Stage, TokenSplit,
};
use serde::{Serialize, Serializer};

/// One item of a report.
pub(crate) struct Row<'a> {
    /// Its facts and charges.
    pub(crate) item: &'a Budgeted,
    /// The models of the charges, in their order; empty for a probe.
    pub(crate) models: &'a [String],
    /// The arithmetic in words, where it was asked for.
    pub(crate) explained: Option<Vec<String>>,
    /// What its pages hold, where that was asked for.
    pub(crate) contents: Option<PageContents>,
}

/// Pages by what they hold, as `--pages` takes them; empty where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct PageContents {
    /// With text of their own.
    pub(crate) text: String,
    /// Without, but with pictures over at least half of them.
    pub(crate) scans: String,
    /// With neither.
    pub(crate) other: String,
    /// That could not be read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) unread: String,
}

impl<'a> Row<'a> {
    pub(crate) fn probed(&self) -> Option<&'a Probed> {
        self.item.probed.as_deref().ok()
    }

    /// The input's name, whether it could be read or not.
    pub(crate) fn path(&self) -> &'a str {
        match &self.item.probed {
            Ok(probed) => &probed.name,
            Err(error) => error.input(),
        }
    }

    /// The first model's charge.
    pub(crate) fn charge(&self) -> Option<&'a Charge> {
        self.item.charges.first()?.as_ref().ok()
    }

    /// What kept the item from being read or counted.
    pub(crate) fn error(&self) -> Option<&'a Error> {
        match &self.item.probed {
            Err(error) => Some(error),
            Ok(_) => self.item.charges.first()?.as_ref().err(),
        }
    }

    /// Hard limits of the service that sending it would break.
    pub(crate) fn breaches(&self) -> &'a [Warning] {
        self.charge().map(|charge| charge.breaches.as_slice()).unwrap_or_default()
    }

    /// Whether it could not be read or counted, or would be refused.
    pub(crate) fn failed(&self) -> bool {
        self.error().is_some() || !self.breaches().is_empty()
    }

    /// What is wrong with it, as JSON and CSV print it.
    pub(crate) fn error_row(&self) -> Option<ErrorRow<'a>> {
        let breach = || self.breaches().first().map(ErrorRow::of_breach);
        self.error().map(ErrorRow::of).or_else(breach)
    }

    /// What was noticed while reading and while planning.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &'a Warning> + use<'a> {
        let read = self.probed().map(|probed| probed.warnings.as_slice()).unwrap_or_default();
        let planned = self.charge().map(|charge| charge.warnings.as_slice()).unwrap_or_default();
        read.iter().chain(planned)
    }
}

/// The facts of an item, flat: the same keys in JSON, in CSV and in `--facts`.
#[derive(Default, Serialize)]
pub(crate) struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) width: Option<Option<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) height: Option<Option<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) orientation: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_s: Option<Option<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) video_duration_s: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audio_duration_s: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decoded_duration_s: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame_span_s: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fps: Option<Option<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frames: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) has_audio: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sample_rate: Option<Option<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channels: Option<Option<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pages: Option<u64>,
    /// Of documents that are, also when they open without a password.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) encrypted: bool,
    /// Width, height and number of neighbouring pages, where not all pages are alike.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) page_sizes: Vec<(Number, Number, u64)>,
}

/// A whole number where it is one, else a decimal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < 9e15 {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(self.0)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Seconds to the microsecond.
pub(crate) fn seconds(length: Duration) -> Number {
    Number((length.as_seconds_f64() * 1e6).round() / 1e6)
}

fn milli(thousandths: u32) -> Number {
    Number(f64::from(thousandths) / 1e3)
}

pub(crate) fn facts(info: &MediaInfo) -> Facts {
    let mut facts = Facts::default();
    if let Some(size) = info.dimensions() {
        facts.width = Some(Some(Number(f64::from(size.width()))));
        facts.height = Some(Some(Number(f64::from(size.height()))));
    }
    match info {
        MediaInfo::Image(image) => facts.orientation = Some(image.orientation.exif().into()),
        MediaInfo::Video(video) => {
            facts.orientation = Some(video.rotation);
            facts.duration_s = Some(info.duration().map(seconds));
            facts.video_duration_s = video.track.map(seconds);
            facts.frame_span_s = video.frame_span.map(seconds);
            facts.fps =
                Some(video.frame_rate.map(|rate| Number((rate.as_f64() * 1e6).round() / 1e6)));
            facts.has_audio = Some(video.audio.is_some());
            let sound = video.audio.as_ref();
            facts.audio_duration_s = sound.and_then(|sound| sound.duration).map(seconds);
            // The container crate says 0 where the file does not say.
            facts.sample_rate = sound.map(|sound| Some(sound.sample_rate).filter(|&rate| rate > 0));
            facts.channels = sound.map(|sound| Some(sound.channels).filter(|&count| count > 0));
        }
        MediaInfo::Audio(audio) => {
            facts.duration_s = Some(info.duration().map(seconds));
            facts.decoded_duration_s = audio.decoded.map(|length| seconds(length.value));
            facts.has_audio = Some(true);
            facts.sample_rate = Some(audio.sample_rate);
            facts.channels = Some(audio.channels);
        }
        MediaInfo::Document(document) => {
            let (width, height) = document.first_page().map(shown_page).unzip();
            (facts.width, facts.height) = (Some(width), Some(height));
            facts.pages = Some(document.pages());
            facts.encrypted = document.encrypted;
            if document.runs.len() > 1 {
                let shown = |run: &PageRun| {
                    let (width, height) = shown_page(run.size);
                    (width, height, run.pages)
                };
                facts.page_sizes = document.runs.iter().map(shown).collect();
            }
        }
    }
    facts
}

/// The first page in points, as it is shown.
fn shown_page(page: PageSize) -> (Number, Number) {
    let (width, height) = page.displayed();
    (milli(width), milli(height))
}

/// Dollars as JSON prints them; never zero for an unknown price.
pub(crate) fn dollars(cost: Cost) -> f64 {
    cost.as_dollars_f64()
}

/// An error as JSON prints it.
#[derive(Serialize)]
pub(crate) struct ErrorRow<'a> {
    pub(crate) code: &'a str,
    pub(crate) stage: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) message: String,
    pub(crate) hint: Option<&'a str>,
}

impl<'a> ErrorRow<'a> {
    pub(crate) fn of(error: &'a Error) -> Self {
        Self {
            code: error.code(),
            stage: error.stage().as_str(),
            kind: error.kind().as_str(),
            message: error.cause(),
            hint: error.hint(),
        }
    }

    fn of_breach(breach: &'a Warning) -> Self {
        Self {
            code: breach.code.as_str(),
            stage: Stage::Limits.as_str(),
            kind: ErrorKind::LimitExceeded.as_str(),
            message: breach.message.to_string(),
            hint: breach.hint.as_deref(),
        }
    }
}

/// One compared model's charge of an item.
#[derive(Serialize)]
struct Compared<'a> {
    model: &'a str,
    tokens: Option<TokenSplit>,
    evidence: Option<&'static str>,
    cost_usd: Option<f64>,
    error: Option<ErrorRow<'a>>,
}

pub(crate) const fn bound(bound: Bound) -> &'static str {
    match bound {
        Bound::Exact => "exact",
        Bound::AtMost => "at-most",
    }
}

pub(crate) fn kind(probed: Option<&Probed>) -> Option<&'static str> {
    probed.map(|probed| probed.info.modality()).map(Modality::as_str)
}

/// An item as JSON prints it.
#[derive(Serialize)]
pub(crate) struct JsonItem<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<&'a str>,
    kind: Option<&'static str>,
    mime_type: Option<&'static str>,
    bytes: Option<u64>,
    #[serde(flatten)]
    facts: Option<Facts>,
    #[serde(flatten)]
    charge: Option<JsonCharge<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_read: Option<u64>,
    warnings: Vec<&'a Warning>,
    error: Option<ErrorRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_contents: Option<&'a PageContents>,
}

/// An item's charge as JSON prints it; all `null` where the item could not be counted.
#[derive(Serialize)]
struct JsonCharge<'a> {
    tokens: Option<TokenSplit>,
    bound: Option<&'static str>,
    evidence: Option<&'static str>,
    route: Option<Route>,
    send_as: Option<&'a str>,
    cost_usd: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compare: Vec<Compared<'a>>,
}

impl Row<'_> {
    /// The item as JSON prints it: facts, then the charge where there are models.
    pub(crate) fn json(&self) -> JsonItem<'_> {
        let probed = self.probed();
        let is_probe = self.models.is_empty();
        let mut facts = probed.map(|probed| facts(&probed.info));
        if let (Some(facts), Some(charge), Some(MediaInfo::Video(_))) =
            (&mut facts, self.charge(), probed.map(|probed| &probed.info))
        {
            facts.frames = Some(charge.count.frames);
        }
        JsonItem {
            path: self.path(),
            duplicate_of: self.item.copy_of.as_deref(),
            kind: kind(probed),
            mime_type: probed.and_then(|probed| probed.mime_type).map(MimeType::as_str),
            bytes: probed.and_then(|probed| probed.bytes),
            facts,
            charge: (!is_probe).then(|| self.json_charge()),
            bytes_read: probed.filter(|_| is_probe).map(|probed| probed.bytes_read),
            warnings: self.warnings().collect(),
            error: self.error_row(),
            explain: self.explained.as_deref(),
            page_contents: self.contents.as_ref(),
        }
    }

    fn json_charge(&self) -> JsonCharge<'_> {
        let charge = self.charge();
        let others = self.models.iter().zip(&self.item.charges).skip(1);
        JsonCharge {
            tokens: charge.map(|charge| charge.tokens),
            bound: charge.map(|charge| bound(charge.bound)),
            evidence: charge.map(|charge| charge.evidence.as_str()),
            route: charge.map(|charge| charge.route),
            send_as: charge.map(|charge| &*charge.send_as),
            cost_usd: charge.and_then(|charge| charge.cost).map(dollars),
            compare: others.map(|(model, charge)| compared(model, charge)).collect(),
        }
    }
}

fn compared<'a>(model: &'a str, charge: &'a Result<Charge, Error>) -> Compared<'a> {
    let known = charge.as_ref().ok();
    Compared {
        model,
        tokens: known.map(|charge| charge.tokens),
        evidence: known.map(|charge| charge.evidence.as_str()),
        cost_usd: known.and_then(|charge| charge.cost).map(dollars),
        error: charge.as_ref().err().map(ErrorRow::of),
    }
}
