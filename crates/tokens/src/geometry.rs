//! The grid of tiles that a tile rule lays over a picture (section 4.2).

use serde::Serialize;

use crate::formula::{LONGEST_SIDE, SMALL_SIDE, Shape, TILE_TOKENS};

/// Equal squares over a picture that is first scaled to `width` × `height`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TileGrid {
    /// Width of the picture that is cut, in pixels.
    pub width: u64,
    /// Height of the picture that is cut, in pixels.
    pub height: u64,
    /// Side of a tile in pixels of the scaled picture; 0 when the picture is too small to be cut.
    pub unit: u64,
    /// Tiles from left to right; 1 for a picture that is not cut.
    pub columns: u64,
    /// Tiles from top to bottom; 1 for a picture that is not cut.
    pub rows: u64,
}

impl TileGrid {
    /// The grid of a picture of the given size under the crop-tile rule.
    pub fn of(size: mediaprep_media::Dimensions) -> Self {
        Self::crop(Shape::new(size.width(), size.height()))
    }

    /// Sides up to 384 are not cut; a long side above 3072 is scaled to 3072 first, both sides
    /// rounded down; the unit is the short side / 1.5, rounded down, within 256 to 768.
    pub(crate) fn crop(shape: Shape) -> Self {
        if shape.long() <= SMALL_SIDE {
            return Self::uncut(shape);
        }
        let scaled = prescale(shape);
        Self::cut(scaled, (2 * scaled.short() / 3).clamp(256, 768))
    }

    /// The newest page's literal text: no bounds on the unit and no scaling first.
    pub(crate) fn unclamped(shape: Shape) -> Self {
        if shape.long() <= SMALL_SIDE {
            return Self::uncut(shape);
        }
        Self::cut(shape, (2 * shape.short() / 3).max(1))
    }

    fn uncut(shape: Shape) -> Self {
        Self { width: shape.width, height: shape.height, unit: 0, columns: 1, rows: 1 }
    }

    fn cut(shape: Shape, unit: u64) -> Self {
        let Shape { width, height } = shape;
        Self { width, height, unit, columns: width.div_ceil(unit), rows: height.div_ceil(unit) }
    }

    /// Whether the picture is cut at all.
    pub const fn is_cut(&self) -> bool {
        self.unit > 0
    }

    /// Tiles in the grid, the overview not counted.
    pub const fn tiles(&self) -> u64 {
        self.columns.saturating_mul(self.rows)
    }

    /// What the grid costs; the overview is added only to a picture that is cut.
    pub(crate) fn tokens(&self, overview: u32) -> u64 {
        let overview = if self.is_cut() { u64::from(overview) } else { 0 };
        TILE_TOKENS.saturating_mul(self.tiles().saturating_add(overview))
    }
}

fn prescale(shape: Shape) -> Shape {
    let long = shape.long();
    if long <= LONGEST_SIDE {
        return shape;
    }
    let scale = |side: u64| (side * LONGEST_SIDE / long).max(1);
    Shape { width: scale(shape.width), height: scale(shape.height) }
}

#[cfg(test)]
mod tests {
    use mediaprep_media::Dimensions;
    use proptest::prelude::*;

    use super::*;

    fn grid(width: u32, height: u32) -> TileGrid {
        TileGrid::of(Dimensions::new(width, height).unwrap())
    }

    #[test]
    fn the_worked_grids_of_the_rules_come_out() {
        for (width, height, unit, columns, rows) in [
            (960, 540, 360, 3, 2),
            (3008, 2000, 768, 4, 3),
            (540, 360, 256, 3, 2),
            (700, 1003, 466, 2, 3),
            (640, 480, 320, 2, 2),
            (12_000, 1000, 256, 12, 1),
        ] {
            let got = grid(width, height);
            assert_eq!(
                (got.unit, got.columns, got.rows),
                (unit, columns, rows),
                "{width}x{height}"
            );
        }
    }

    #[test]
    fn sides_up_to_384_are_not_cut() {
        assert!(!grid(384, 384).is_cut());
        assert!(grid(385, 1).is_cut());
    }

    proptest! {
        #[test]
        fn crop_tiles_are_symmetric_and_at_most_24(w in 1u32.., h in 1u32..) {
            let (a, b) = (grid(w, h), grid(h, w));
            prop_assert_eq!(a.tokens(1), b.tokens(1));
            prop_assert!((1..=24).contains(&a.tiles()));
            prop_assert_eq!(a.tokens(0), TILE_TOKENS * a.tiles());
        }

        #[test]
        fn unclamped_tiles_never_panic_and_are_symmetric(w in 1u32.., h in 1u32..) {
            let (a, b) = (Shape::new(w, h), Shape::new(h, w));
            let tokens = TileGrid::unclamped(a).tokens(1);
            prop_assert_eq!(tokens, TileGrid::unclamped(b).tokens(1));
            prop_assert!(tokens >= TILE_TOKENS);
        }
    }
}
