//! What a count rests on: its row's evidence, less where a request leaves the row's tested scope
//! (section 2 of the token rules).

use crate::count::Evidence;

/// One way of leaving the tested scope, or one inferred decision that applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Doubt {
    /// The long side is more than eight times the short one.
    AspectRatio,
    /// A side is above 3072 pixels under a tile rule.
    LongSide,
    /// The published text leaves this very size open.
    TileEdge,
    /// Another length stands in for the one that the row charges by.
    OtherLength,
    /// An inferred rounding, or an inferred minimum, made a difference.
    Rounding,
    /// Only a window of the video is sent.
    Clip,
    /// The part stands inside a functionResponse, where the row was not tested.
    FunctionResponse,
    /// A silent video's sound is charged by a length that differs from the video track's.
    SilentForm,
    /// A sound without length.
    Empty,
}

impl Doubt {
    const ALL: [(Self, &'static str); 9] = [
        (Self::AspectRatio, "the aspect ratio is beyond 8:1"),
        (Self::LongSide, "a side is above 3072 under a tile rule"),
        (Self::TileEdge, "the published text leaves this very size open"),
        (Self::OtherLength, "another length stands in for the one the row charges by"),
        (Self::Rounding, "the rounding that applied is inferred"),
        (Self::Clip, "nobody has measured a clip window here"),
        (Self::FunctionResponse, "nobody has measured this inside a functionResponse"),
        (Self::SilentForm, "the length charged for a missing soundtrack is inferred"),
        (Self::Empty, "the sound has no length"),
    ];
}

/// A set of doubts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doubts(u16);

impl Doubts {
    pub(crate) const NONE: Self = Self(0);

    /// Adds `doubt` when `applies`.
    pub(crate) const fn note(&mut self, doubt: Doubt, applies: bool) {
        if applies {
            self.0 |= 1 << doubt as u8;
        }
    }

    pub(crate) const fn any(self) -> bool {
        self.0 != 0
    }

    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, doubt: Doubt) -> bool {
        self.0 & (1 << doubt as u8) != 0
    }

    /// The reasons in words.
    pub(crate) fn reasons(self) -> impl Iterator<Item = &'static str> {
        Doubt::ALL.into_iter().filter(move |(doubt, _)| self.has(*doubt)).map(|(_, words)| words)
    }
}

/// Decides the evidence of one count.
#[derive(Clone, Copy)]
pub(crate) struct Judge {
    /// Whether the model is one that the row was measured on.
    pub(crate) measured: bool,
}

impl Judge {
    /// A doubt makes it inferred; a measurement of another model of the family does too.
    pub(crate) fn evidence(self, base: Evidence, doubts: Doubts) -> Evidence {
        let elsewhere = base == Evidence::Measured && !self.measured;
        if doubts.any() || elsewhere { Evidence::Inferred } else { base }
    }
}
