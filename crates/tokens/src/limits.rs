//! What the services accept: counts, lengths and sizes. Every limit has a date and a mark.

use serde::{Deserialize, Serialize};

use crate::count::Evidence;
use crate::facts::Route;
use crate::key::{Date, Service};

/// One limit. Above `advised` is a warning, above `hard` the service refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// The largest value that the vendor advises.
    pub advised: Option<u64>,
    /// The largest value that the service takes.
    pub hard: Option<u64>,
    /// What the figures rest on.
    pub evidence: Evidence,
}

/// How a number stands to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Within.
    Within,
    /// Above what is advised; the figure is the advice.
    AboveAdvised(u64),
    /// Above what the service takes; the figure is the limit.
    AboveHard(u64),
}

impl Limit {
    /// Compares a value with the limit.
    pub const fn check(&self, actual: u64) -> Standing {
        match (self.hard, self.advised) {
            (Some(hard), _) if actual > hard => Standing::AboveHard(hard),
            (_, Some(advised)) if actual > advised => Standing::AboveAdvised(advised),
            _ => Standing::Within,
        }
    }
}

/// Counts and lengths of one request (section 1 of the limits). `None` is "nothing published".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitRow {
    /// The row's name.
    pub id: String,
    /// Families of models.
    #[serde(default)]
    pub families: Vec<String>,
    /// Exact models; a row that names the model wins over one that names its family.
    #[serde(default)]
    pub models: Vec<String>,
    /// The services.
    pub service: Vec<Service>,
    /// First day.
    pub since: Date,
    /// Last day.
    pub until: Option<Date>,
    /// Images in a request.
    pub images: Option<Limit>,
    /// Pages in a request, over all documents.
    pub pages: Option<Limit>,
    /// Pages in one document.
    pub pages_per_file: Option<Limit>,
    /// Documents in a request.
    pub documents: Option<Limit>,
    /// Bytes of one PDF.
    pub pdf_bytes: Option<Limit>,
    /// Videos in a request.
    pub videos: Option<Limit>,
    /// Seconds of a video with sound.
    pub video_seconds_with_sound: Option<Limit>,
    /// Seconds of a video without sound.
    pub video_seconds_without_sound: Option<Limit>,
    /// Seconds of a video at the lowest level.
    pub video_seconds_low: Option<Limit>,
    /// Seconds of a video at the highest level.
    pub video_seconds_high: Option<Limit>,
    /// Whether the model looks at the beginning of a longer video instead of refusing it.
    #[serde(default)]
    pub video_is_cut: bool,
    /// Seconds of sound in a request, over all files.
    pub audio_seconds: Option<Limit>,
    /// Sound files in a request.
    pub audio_files: Option<Limit>,
    /// Where the figures come from.
    pub sources: Vec<String>,
    /// What else should be known.
    pub note: Option<String>,
}

/// A way in, beyond the three routes that charges depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Bytes in the request.
    Inline,
    /// Bytes in a request of the Firebase SDKs.
    Firebase,
    /// A Cloud Storage address.
    CloudStorage,
    /// A public or signed web address.
    Https,
    /// An uploaded file.
    FileApi,
    /// A registered Cloud Storage object.
    Registered,
    /// Inline in a batch.
    BatchInline,
    /// A batch file.
    BatchFile,
}

/// Sizes of one way in (section 2 of the limits), in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WayRow {
    /// The row's name.
    pub id: String,
    /// The way in.
    pub way: Way,
    /// The services.
    pub service: Vec<Service>,
    /// First day.
    pub since: Date,
    /// Last day.
    pub until: Option<Date>,
    /// The whole encoded request: base64, JSON, text and system instruction included.
    pub request_bytes: Option<Limit>,
    /// Any one file.
    pub file_bytes: Option<Limit>,
    /// One image.
    pub image_bytes: Option<Limit>,
    /// One PDF.
    pub pdf_bytes: Option<Limit>,
    /// One text file.
    pub text_bytes: Option<Limit>,
    /// All files of a project.
    pub project_bytes: Option<Limit>,
    /// Hours until a file is deleted.
    pub lifetime_hours: Option<u64>,
    /// Addresses in a request.
    pub links: Option<Limit>,
    /// Families that do not have this way.
    #[serde(default)]
    pub not_for: Vec<String>,
    /// Where the figures come from.
    pub sources: Vec<String>,
    /// What else should be known.
    pub note: Option<String>,
}

/// Everything that limits a request to one model, on one service, on one day.
#[derive(Clone, Debug)]
pub struct ServiceLimits<'a> {
    /// Counts and lengths.
    pub counts: &'a LimitRow,
    /// The ways in.
    pub ways: Vec<&'a WayRow>,
}

impl<'a> ServiceLimits<'a> {
    /// The sizes of one way in; `None` when the service does not have it.
    pub fn way(&self, way: Way) -> Option<&'a WayRow> {
        self.ways.iter().find(|row| row.way == way).copied()
    }

    /// The sizes of a route: an address is a web address on the Developer API and Cloud Storage on
    /// Vertex.
    pub fn route(&self, route: Route) -> Option<&'a WayRow> {
        match route {
            Route::Inline => self.way(Way::Inline),
            Route::File => self.way(Way::FileApi),
            Route::Uri => self.way(Way::CloudStorage).or_else(|| self.way(Way::Https)),
        }
    }
}

impl LimitRow {
    /// How long a video may be, with or without sound, at a level that is the lowest, the highest
    /// or neither.
    pub fn video_seconds(
        &self,
        has_sound: bool,
        level: Option<mediaprep_media::MediaResolution>,
    ) -> Option<Limit> {
        use mediaprep_media::MediaResolution::{High, Low};
        let own = match level {
            Some(Low) => self.video_seconds_low,
            Some(High) => self.video_seconds_high,
            _ => None,
        };
        let by_sound = if has_sound {
            self.video_seconds_with_sound
        } else {
            self.video_seconds_without_sound
        };
        own.or(by_sound)
    }
}
