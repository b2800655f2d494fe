//! Pictures: the arithmetic of sections 4.3 and 4.4. The tile grids of 4.2 are in `geometry`.

use super::{Shape, TILE_TOKENS};

/// Section 4.3: the image itself and square tiles of the short side, evenly spaced along the long
/// side. Pictures nearer to a square than 1.2, or with a long side under 768, are one tile.
pub(crate) fn long_side_tiles(shape: Shape) -> u64 {
    if !is_tiled_along_the_long_side(shape) {
        return TILE_TOKENS;
    }
    TILE_TOKENS * (1 + shape.long().div_ceil(shape.short()))
}

/// A ratio of exactly 1.2 and a long side of exactly 768 are tiled: only strictly smaller is
/// promised one tile, and erring upward is safe for a budget.
pub(crate) fn is_tiled_along_the_long_side(shape: Shape) -> bool {
    10 * shape.long() >= 12 * shape.short() && shape.long() >= 768
}

/// Whether the published text leaves this shape open: exactly at one of the two thresholds, or
/// tiles that do not divide the long side evenly.
pub(crate) fn long_side_is_on_an_edge(shape: Shape) -> bool {
    let at_a_threshold = 10 * shape.long() == 12 * shape.short() || shape.long() == 768;
    is_tiled_along_the_long_side(shape)
        && (at_a_threshold || !shape.long().is_multiple_of(shape.short()))
}

/// Section 4.4: columns and rows of the largest grid of whole cells with at most `budget` cells and
/// the picture's shape. `isqrt(x / y)` is exactly `floor(sqrt(x / y))`; floats are not.
pub(crate) fn aspect_grid(shape: Shape, budget: u32) -> (u64, u64) {
    let (width, height, budget) = (shape.width, shape.height, u64::from(budget));
    let columns = (budget * width / height).isqrt();
    let rows = (budget * height / width).isqrt();
    if rows == 0 {
        ((width / height).min(budget), 1)
    } else if columns == 0 {
        (1, (height / width).min(budget))
    } else {
        (columns, rows)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fit(width: u32, height: u32, budget: u32) -> u64 {
        let (columns, rows) = aspect_grid(Shape::new(width, height), budget);
        columns * rows
    }

    /// The table of section 4.4: ratio, then the count at 70, 280, 560, 1120 and 2240.
    #[test]
    fn the_published_table_of_ratios_comes_out() {
        let table: [(u32, u32, [u64; 5]); 9] = [
            (1, 1, [64, 256, 529, 1089, 2209]),
            (4, 3, [63, 266, 540, 1064, 2160]),
            (3, 2, [60, 260, 532, 1080, 2166]),
            (16, 9, [66, 264, 527, 1100, 2205]),
            (2, 1, [55, 253, 528, 1081, 2178]),
            (4, 1, [64, 264, 517, 1056, 2162]),
            (8, 1, [46, 235, 528, 1034, 2128]),
            (612, 792, [63, 266, 520, 1102, 2173]),
            (595, 842, [63, 266, 532, 1092, 2184]),
        ];
        for (width, height, counts) in table {
            let got = [70, 280, 560, 1120, 2240].map(|budget| fit(width, height, budget));
            assert_eq!(got, counts, "{width}:{height}");
        }
    }

    #[test]
    fn thresholds_are_edges_and_plain_pictures_are_not() {
        let edge = |w, h| long_side_is_on_an_edge(Shape::new(w, h));
        assert!(edge(1000, 1200) && edge(768, 500) && edge(1000, 2001));
        assert!(!edge(1000, 2000) && !edge(500, 400) && !edge(3000, 3000));
    }

    proptest! {
        #[test]
        fn aspect_fit_is_symmetric_bounded_and_never_zero(
            w in 1u32.., h in 1u32.., budget in 1u32..=1 << 20,
        ) {
            let tokens = fit(w, h, budget);
            prop_assert_eq!(tokens, fit(h, w, budget));
            prop_assert!(tokens >= 1 && tokens <= u64::from(budget));
        }

        #[test]
        fn aspect_fit_depends_on_the_ratio_alone(
            w in 1u32..=65_535, h in 1u32..=65_535, k in 1u32..=65_535,
        ) {
            prop_assert_eq!(fit(w, h, 1120), fit(w * k, h * k, 1120));
        }

        #[test]
        fn long_side_tiles_are_symmetric_and_never_zero(w in 1u32.., h in 1u32..) {
            let tokens = long_side_tiles(Shape::new(w, h));
            prop_assert_eq!(tokens, long_side_tiles(Shape::new(h, w)));
            prop_assert!(tokens >= TILE_TOKENS && tokens.is_multiple_of(TILE_TOKENS));
        }
    }
}
