//! What is done to an item, why, and what its parts show.

use serde::{Deserialize, Serialize};

/// What is done to an item's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// They are sent as they are, metadata included; nothing is decoded.
    Passed,
    /// The coded picture is turned without decoding it: every pixel keeps its value.
    RotatedLosslessly,
    /// The picture is decoded and encoded again, without its metadata.
    Reencoded,
    /// Frames are taken from the video and sent as images, the sound beside them.
    Sampled,
    /// The sound or video is decoded and encoded again as a smaller one.
    Transcoded,
    /// Pages are drawn and sent as images.
    Drawn,
    /// Pages are written as smaller PDFs, their text and drawings kept.
    Split,
}

/// Why something is done to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It stands upright only by its metadata.
    NotUpright,
    /// It is larger than the service keeps or takes, than goes inside the request, or than was
    /// asked for.
    TooLarge,
    /// It is cut into tiles.
    Tiled,
    /// The service does not take its type.
    TypeNotTaken,
    /// Another format, form or profile was asked for.
    FormatAsked,
    /// It is cut into pieces in time.
    Split,
    /// Only a window of its time is wanted.
    Clipped,
    /// It is wanted without its sound.
    SoundLeftOut,
    /// It needs a password, which the service is not given.
    Locked,
    /// Only some of its pages were asked for.
    PagesAsked,
}

/// What an emitted part shows of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "role")]
pub enum Role {
    /// All of it.
    Whole,
    /// All of it, fitted into a tile.
    Overview,
    /// One tile.
    Tile {
        /// Its number: row by row from the top, each from the left, from 1.
        tile: u32,
    },
    /// The frame of a video that is shown at one instant.
    Frame {
        /// The instant's number, from 1.
        frame: u64,
    },
    /// The sound, or a piece of it.
    Sound {
        /// The piece's number from 1; `None` for all of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        segment: Option<u64>,
    },
    /// A small video in place of a large one, or of a piece of it.
    Proxy {
        /// The piece's number from 1; `None` for all of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        segment: Option<u64>,
    },
    /// A page of a PDF as an image.
    Page {
        /// Its number, from 1.
        page: u64,
    },
    /// Some pages of a PDF as a smaller one.
    Excerpt {
        /// The excerpt's number, from 1.
        excerpt: u64,
    },
    /// The Codec2 stream of the sound, which is kept beside the parts and never sent.
    Codec2 {
        /// The piece's number from 1; `None` for all of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        segment: Option<u64>,
    },
}

impl Role {
    /// Whether it is kept beside the parts and never sent.
    pub const fn is_extra(self) -> bool {
        matches!(self, Self::Codec2 { .. })
    }
}
