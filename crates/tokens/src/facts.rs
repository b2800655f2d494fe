//! What a rule knows of a request: header facts only, never pixels.

use mediaprep_media::{Dimensions, Duration, FrameRate, MediaResolution};
use serde::{Deserialize, Serialize};

/// How a part reaches the service; some rows charge by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// Bytes inside the request.
    #[default]
    Inline,
    /// An uploaded file of the File API.
    File,
    /// A web, Cloud Storage or YouTube address.
    Uri,
}

impl Route {
    /// The name as JSON prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::File => "file",
            Self::Uri => "uri",
        }
    }
}

/// A still image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// Displayed size in pixels; no count depends on the orientation.
    pub size: Dimensions,
    /// How many equal images stand in a row, at least 1. Counts are of all of them.
    pub copies: u32,
}

/// A page's box, in thousandths of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageBox {
    /// Width in 1/1000 pt, at least 1.
    pub width: u32,
    /// Height in 1/1000 pt, at least 1.
    pub height: u32,
}

/// Consecutive pages of the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRun {
    /// The pages' box.
    pub size: PageBox,
    /// How many pages, at least 1.
    pub pages: u64,
}

/// A document: its pages in order, equal neighbours folded.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DocumentFacts {
    /// The pages.
    pub runs: Vec<PageRun>,
}

impl DocumentFacts {
    /// Pages in all.
    pub fn pages(&self) -> u64 {
        self.runs.iter().fold(0, |sum: u64, run| sum.saturating_add(run.pages))
    }
}

/// A window of a video, as `startOffset` and `endOffset` give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Clip {
    /// From here; `None` is the beginning.
    pub start: Option<Duration>,
    /// To here; `None` is the end.
    pub end: Option<Duration>,
}

/// A video file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoFacts {
    /// Displayed size in pixels.
    pub size: Dimensions,
    /// What the container states for the whole file.
    pub container: Option<Duration>,
    /// The video track as presented, edit lists applied.
    pub track: Option<Duration>,
    /// Frame count divided by average frame rate: the track before edit lists.
    pub frame_span: Option<Duration>,
    /// The sound track; `None` when there is none.
    pub audio: Option<Duration>,
    /// Sampled frames a second that the request asks for; `None` is the service's default of 1.
    pub fps: Option<FrameRate>,
    /// The window of the video that the request asks for.
    pub clip: Clip,
}

/// A sound file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioFacts {
    /// What the container states, encoder delay and padding included.
    pub container: Option<Duration>,
    /// Decoded samples divided by the rate, after encoder delay and padding are removed.
    pub decoded: Option<Duration>,
}

/// What kind of medium an item is, with its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaFacts {
    /// One or more equal still images.
    Image(ImageFacts),
    /// A PDF.
    Document(DocumentFacts),
    /// A video.
    Video(VideoFacts),
    /// A sound.
    Audio(AudioFacts),
}

/// One item of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFacts {
    /// The medium.
    pub media: MediaFacts,
    /// The level asked for, by the part or by the whole request; the part's wins.
    pub level: Option<RequestedLevel>,
    /// How it is sent.
    pub route: Route,
    /// Whether the part stands inside a functionResponse.
    pub in_function_response: bool,
}

/// A level and where the request states it: some are allowed only in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestedLevel {
    /// The level.
    pub level: MediaResolution,
    /// Whether it stands at the part itself rather than in `generationConfig`.
    pub per_part: bool,
}
