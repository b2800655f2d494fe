//! The tiles that a rule lays over a picture (sections 4.2 and 4.3).
//!
//! Counts follow from how many tiles there are, which the service publishes. Where they lie it does
//! not say, so the placement is ours: equal squares from edge to edge, evenly spaced and
//! overlapping where they must, never padded; a side shorter than the square gives a box of that
//! side. The positions are rounded down to whole pixels of the scaled picture.

use mediaprep_media::Dimensions;
use serde::Serialize;

use crate::count_item::CountError;
use crate::facts::ItemFacts;
use crate::formula::picture::{aspect_grid, is_tiled_along_the_long_side};
use crate::formula::{Formula, LONGEST_SIDE, SMALL_SIDE, Shape, TILE_TOKENS};
use crate::request::RequestShape;
use crate::row::Row;

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
    pub fn of(size: Dimensions) -> Self {
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

    /// The squares of the short side along the long side; the picture is not scaled first, since
    /// scaling keeps the ratio.
    pub(crate) fn along(shape: Shape) -> Self {
        if is_tiled_along_the_long_side(shape) {
            Self::cut(shape, shape.short())
        } else {
            Self::uncut(shape)
        }
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

    /// Where the tiles lie on the scaled picture: row by row from the top, each from the left. One
    /// box over everything when the picture is not cut.
    pub fn boxes(&self) -> impl Iterator<Item = TileBox> + use<> {
        let grid = *self;
        let width = if grid.is_cut() { grid.unit.min(grid.width) } else { grid.width };
        let height = if grid.is_cut() { grid.unit.min(grid.height) } else { grid.height };
        let start = |index: u64, room: u64, count: u64| index * room / (count - 1).max(1);
        let place = move |row: u64, column: u64| TileBox {
            left: start(column, grid.width - width, grid.columns),
            top: start(row, grid.height - height, grid.rows),
            width,
            height,
        };
        (0..grid.rows).flat_map(move |row| (0..grid.columns).map(move |column| place(row, column)))
    }

    /// What the grid costs; the overview is added only to a picture that is cut.
    pub(crate) fn tokens(&self, overview: u32) -> u64 {
        let overview = if self.is_cut() { u64::from(overview) } else { 0 };
        TILE_TOKENS.saturating_mul(self.tiles().saturating_add(overview))
    }
}

/// One tile's place on the scaled picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TileBox {
    /// Pixels left of the tile.
    pub left: u64,
    /// Pixels above the tile.
    pub top: u64,
    /// Width, at least 1.
    pub width: u64,
    /// Height, at least 1.
    pub height: u64,
}

/// What is looked at beside the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WholePicture {
    /// Nothing.
    No,
    /// The whole picture fitted into a tile.
    Overview,
    /// The picture itself.
    Original,
}

/// How a rule cuts one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tiling {
    /// The tiles.
    pub grid: TileGrid,
    /// What is looked at beside them.
    pub whole: WholePicture,
}

/// Pixels along each side of a tile as the model sees it (section 4.2).
pub const TILE_SIDE: u32 = 768;

impl Formula {
    /// How the formula cuts a picture; `None` when it cuts none at all.
    fn tiling(&self, shape: Shape) -> Option<Tiling> {
        let beside =
            |overview| if overview > 0 { WholePicture::Overview } else { WholePicture::No };
        let (grid, whole) = match *self {
            Self::CropTiles { overview } => (TileGrid::crop(shape), beside(overview)),
            Self::UnclampedTiles { overview } => (TileGrid::unclamped(shape), beside(overview)),
            Self::LongSideTiles => (TileGrid::along(shape), WholePicture::Original),
            Self::Flat { .. } | Self::AspectFit { .. } | Self::AtMost { .. } => return None,
        };
        Some(Tiling { grid, whole })
    }

    /// See [`Row::image_raster_side`].
    fn raster_side(&self, shape: Shape) -> Option<u32> {
        match self {
            Self::AspectFit { budget } => {
                let (columns, rows) = aspect_grid(shape, *budget);
                u32::try_from(columns.max(rows).saturating_mul(CELL_SIDE)).ok()
            }
            _ => self.longest_side(),
        }
    }

    /// The longest side in pixels that the service keeps: larger pictures are scaled down by it to
    /// fit a square of that side, so sending more shows the model nothing more. Documented for the
    /// rules before Gemini 3; `None` where nothing is published.
    const fn longest_side(&self) -> Option<u32> {
        match self {
            Self::AspectFit { .. } | Self::AtMost { .. } => None,
            _ => Some(3072),
        }
    }
}

/// Pixels of a cell's side in the published code of Gemma 4's image processing: patches of 16
/// pixels, pooled by three. Whether Gemini does the same is inferred.
const CELL_SIDE: u64 = 48;

impl Row {
    /// How a picture that is alone in its request is cut at the given level; `None` when this row
    /// cuts no pictures.
    ///
    /// # Errors
    ///
    /// As [`Row::count_item`].
    pub fn image_tiling(
        &self,
        item: &ItemFacts,
        size: Dimensions,
    ) -> Result<Option<Tiling>, CountError> {
        self.image_formula(item, size, |formula, shape| formula.tiling(shape))
    }

    /// The longest side in pixels that the service keeps of a picture; `None` where nothing is
    /// published.
    ///
    /// # Errors
    ///
    /// As [`Row::count_item`].
    pub fn image_longest_side(
        &self,
        item: &ItemFacts,
        size: Dimensions,
    ) -> Result<Option<u32>, CountError> {
        self.image_formula(item, size, |formula, _| formula.longest_side())
    }

    /// The long side of the picture that the model is believed to look at, in pixels: what
    /// [`Self::image_longest_side`] says, or for a grid of cells 48 pixels for each cell, as in the
    /// published code of a model of the same family. `None` where nothing is known.
    ///
    /// # Errors
    ///
    /// As [`Row::count_item`].
    pub fn image_raster_side(
        &self,
        item: &ItemFacts,
        size: Dimensions,
    ) -> Result<Option<u32>, CountError> {
        self.image_formula(item, size, |formula, shape| formula.raster_side(shape))
    }

    fn image_formula<T>(
        &self,
        item: &ItemFacts,
        size: Dimensions,
        ask: impl FnOnce(&Formula, Shape) -> T,
    ) -> Result<T, CountError> {
        let shape = Shape::new(size.width(), size.height());
        let place = self.place(item, RequestShape::EMPTY)?;
        Ok(ask(&self.images()?.choose(place, shape).figure.formula, shape))
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

    #[test]
    fn tiles_run_from_edge_to_edge() {
        let lefts: Vec<u64> = grid(3000, 2000).boxes().take(4).map(|tile| tile.left).collect();
        assert_eq!(lefts, [0, 744, 1488, 2232]);
        let shape = Shape::new(1000, 2500);
        let tops: Vec<u64> = TileGrid::along(shape).boxes().map(|tile| tile.top).collect();
        assert_eq!(tops, [0, 750, 1500]);
        let strip: Vec<TileBox> = grid(1000, 100).boxes().collect();
        assert_eq!(strip.len(), 4);
        assert_eq!(strip[3], TileBox { left: 744, top: 0, width: 256, height: 100 });
    }

    fn covers(grid: TileGrid) -> bool {
        let boxes: Vec<TileBox> = grid.boxes().collect();
        let inside =
            |b: &TileBox| b.left + b.width <= grid.width && b.top + b.height <= grid.height;
        let steps = |starts: Vec<u64>, length: u64, end: u64| {
            starts.first() == Some(&0)
                && starts.last().is_some_and(|&last| last + length == end)
                && starts.windows(2).all(|two| two[0] < two[1] && two[1] <= two[0] + length)
        };
        let columns = usize::try_from(grid.columns).unwrap();
        let across = boxes.iter().take(columns).map(|b| b.left).collect();
        let down = boxes.iter().step_by(columns).map(|b| b.top).collect();
        boxes.len() as u64 == grid.tiles()
            && boxes.iter().all(inside)
            && steps(across, boxes[0].width, grid.width)
            && steps(down, boxes[0].height, grid.height)
    }

    proptest! {
        #[test]
        fn tiles_cover_every_pixel(w in 1u32..20_000, h in 1u32..20_000) {
            let shape = Shape::new(w, h);
            prop_assert!(covers(TileGrid::crop(shape)));
            if w.max(h) / w.min(h) < 50 {
                prop_assert!(covers(TileGrid::along(shape)));
                prop_assert!(covers(TileGrid::unclamped(shape)));
            }
        }

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
