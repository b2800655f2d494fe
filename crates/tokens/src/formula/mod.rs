//! The kinds of rules. A row chooses a kind and gives it numbers; the arithmetic is here, in whole
//! numbers only (section 4 of the token rules).

pub(crate) mod picture;
pub(crate) mod time;

use serde::Serialize;

use crate::count::{Bound, Evidence};
use crate::evidence::{Doubt, Doubts};
use crate::geometry::TileGrid;
use picture::{aspect_grid, long_side_tiles};

/// What one tile, and most whole pictures before Gemini 3, cost.
pub(crate) const TILE_TOKENS: u64 = 258;
/// Pictures whose sides are both at most this many pixels are never tiled.
pub(crate) const SMALL_SIDE: u64 = 384;
/// Longer sides are scaled down to this many pixels before a picture is tiled.
pub(crate) const LONGEST_SIDE: u64 = 3072;

/// A picture's width and height, in pixels or in thousandths of a point; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) width: u64,
    pub(crate) height: u64,
}

impl Shape {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { width: u64::from(width.max(1)), height: u64::from(height.max(1)) }
    }

    pub(crate) fn long(self) -> u64 {
        self.width.max(self.height)
    }

    pub(crate) fn short(self) -> u64 {
        self.width.min(self.height)
    }

    /// Whether the long side is more than eight times the short one: nobody has measured beyond.
    pub(crate) fn is_extreme(self) -> bool {
        self.long() > 8 * self.short()
    }
}

/// How one picture, page or video frame is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Formula {
    /// The same for every size.
    Flat {
        /// Tokens for each picture.
        tokens: u32,
    },
    /// Square tiles over the whole picture, their side the short side / 1.5 within 256 to 768.
    CropTiles {
        /// Whole-picture tiles added to the grid: 0 as documented, 1 as billed.
        overview: u32,
    },
    /// The same grid without bounds on the tile's side and without scaling down first.
    UnclampedTiles {
        /// Whole-picture tiles added to the grid.
        overview: u32,
    },
    /// The picture itself and square tiles along its long side.
    LongSideTiles,
    /// The largest grid of whole cells with the picture's shape.
    AspectFit {
        /// Most cells in the grid; one token each.
        budget: u32,
    },
    /// A published maximum.
    AtMost {
        /// The ceiling for each picture.
        tokens: u32,
    },
}

/// What a formula says about one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) tokens: u64,
    pub(crate) bound: Bound,
    pub(crate) doubts: Doubts,
}

impl Formula {
    /// The charge for one picture of the given shape.
    pub(crate) fn charge(&self, shape: Shape) -> Charge {
        let tokens = match *self {
            Self::Flat { tokens } | Self::AtMost { tokens } => u64::from(tokens),
            Self::CropTiles { overview } => TileGrid::crop(shape).tokens(overview),
            Self::UnclampedTiles { overview } => TileGrid::unclamped(shape).tokens(overview),
            Self::LongSideTiles => long_side_tiles(shape),
            Self::AspectFit { budget } => {
                let (columns, rows) = aspect_grid(shape, budget);
                columns * rows
            }
        };
        let bound = if matches!(self, Self::AtMost { .. }) { Bound::AtMost } else { Bound::Exact };
        Charge { tokens, bound, doubts: self.doubts(shape) }
    }

    /// Whether the picture is cut into tiles by this formula when it is large enough.
    pub(crate) const fn is_tiled(&self) -> bool {
        matches!(self, Self::CropTiles { .. } | Self::UnclampedTiles { .. } | Self::LongSideTiles)
    }

    /// What is untested about this shape under this formula.
    fn doubts(&self, shape: Shape) -> Doubts {
        let mut doubts = Doubts::NONE;
        doubts.note(Doubt::AspectRatio, shape.is_extreme());
        doubts.note(Doubt::LongSide, self.is_tiled() && shape.long() > LONGEST_SIDE);
        if matches!(self, Self::LongSideTiles) {
            doubts.note(Doubt::TileEdge, picture::long_side_is_on_an_edge(shape));
        }
        doubts
    }
}

/// What a row's number rests on, and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Measured, documented or inferred.
    pub evidence: Evidence,
    /// How many measured points, where they are few.
    pub points: Option<u32>,
    /// What was measured or published, or why this reading was taken.
    pub note: Option<String>,
}

impl Basis {
    pub(crate) const fn bare(evidence: Evidence) -> Self {
        Self { evidence, points: None, note: None }
    }
}
