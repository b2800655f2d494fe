//! The API's own words for kinds of media and for how finely they are looked at.

use serde::{Deserialize, Serialize};

/// The kinds of content that `usageMetadata.promptTokensDetails` reports tokens under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// Written text.
    Text,
    /// Still images.
    Image,
    /// The frames of a video.
    Video,
    /// Sound, alone or as a video's soundtrack.
    Audio,
    /// PDF pages.
    Document,
}

impl Modality {
    /// The name in lower case, as the command line and its JSON print it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }
}

/// The `media_resolution` level a caller asks for. No level means the model's own default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaResolution {
    /// `MEDIA_RESOLUTION_LOW`.
    Low,
    /// `MEDIA_RESOLUTION_MEDIUM`.
    Medium,
    /// `MEDIA_RESOLUTION_HIGH`.
    High,
    /// `MEDIA_RESOLUTION_ULTRA_HIGH`; per part and for images only.
    UltraHigh,
}

impl MediaResolution {
    /// All levels, coarsest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::UltraHigh];

    /// The name as the command line spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::UltraHigh => "ultra-high",
        }
    }

    /// The name as the API spells it.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Low => "MEDIA_RESOLUTION_LOW",
            Self::Medium => "MEDIA_RESOLUTION_MEDIUM",
            Self::High => "MEDIA_RESOLUTION_HIGH",
            Self::UltraHigh => "MEDIA_RESOLUTION_ULTRA_HIGH",
        }
    }
}
