//! A count and what it rests on.

use mediaprep_media::Modality;
use serde::{Deserialize, Serialize};

/// What a number rests on, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Somebody read it off the live service, and the rule reproduces every measured point of its
    /// stated scope.
    Measured,
    /// The vendor publishes it.
    Documented,
    /// Generalised from few points, carried over from a sister row, or decided because the sources
    /// are silent.
    Inferred,
}

impl Evidence {
    /// The word as JSON prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Documented => "documented",
            Self::Inferred => "inferred",
        }
    }

    /// The weaker of two.
    #[must_use]
    pub fn weakest(self, other: Self) -> Self {
        self.max(other)
    }
}

/// Whether a number is the charge or its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// The charge itself.
    Exact,
    /// The charge is this or less.
    AtMost,
}

/// A number of tokens; never without its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TokenCount {
    /// How many.
    pub tokens: u64,
    /// The charge or its ceiling.
    pub bound: Bound,
    /// The modality `usageMetadata` files it under.
    pub reported_as: Modality,
    /// What the number rests on.
    pub evidence: Evidence,
}

/// What one item is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ItemCount {
    /// The image, the pages, the frames with their timestamps, or the sound file.
    pub media: TokenCount,
    /// What causes [`ItemCount::media`]: the item's own modality, whatever it is reported as.
    pub caused_by: Modality,
    /// A video's sound; `None` where the item is no video or the model takes no sound with it.
    pub soundtrack: Option<TokenCount>,
    /// Frames that the service samples; `None` for everything but videos.
    pub frames: Option<u64>,
}

impl ItemCount {
    /// Media and soundtrack together.
    pub fn tokens(&self) -> u64 {
        self.media.tokens.saturating_add(self.soundtrack.map_or(0, |sound| sound.tokens))
    }

    /// The weakest evidence of the parts.
    pub fn evidence(&self) -> Evidence {
        self.soundtrack
            .map_or(self.media.evidence, |sound| sound.evidence.weakest(self.media.evidence))
    }

    /// `AtMost` when any part is a ceiling.
    pub fn bound(&self) -> Bound {
        self.soundtrack.map_or(self.media.bound, |sound| sound.bound.max(self.media.bound))
    }
}
