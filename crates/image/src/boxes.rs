//! Boxes on the grid of 0 to 1000 that Gemini models answer with, and back to pixels.

use mediaprep_media::{Dimensions, Orientation};
use serde::Serialize;

use crate::view::{PixelBox, Region, View, to_stored};

/// The grid's end: 1000 is the right or lower edge.
const GRID: f64 = 1000.0;

/// A box on the grid of 0 to 1000 over a picture as it is shown, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GridBox {
    y_min: f64,
    x_min: f64,
    y_max: f64,
    x_max: f64,
}

/// Why four numbers are no box.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BoxError {
    /// A number is outside the grid.
    #[error("{value} is outside the grid of 0 to 1000")]
    OutsideGrid {
        /// The number.
        value: f64,
    },
    /// A minimum is above its maximum.
    #[error("the {axis} minimum of {min} is above the maximum of {max}")]
    Reversed {
        /// `x` or `y`.
        axis: char,
        /// The minimum.
        min: f64,
        /// The maximum.
        max: f64,
    },
    /// The box lies on the background around a letterboxed part, where there is no source.
    #[error("the box shows nothing of the source")]
    OnBackground,
}

impl GridBox {
    /// From `[ymin, xmin, ymax, xmax]`, the order in which models answer.
    ///
    /// # Errors
    ///
    /// For numbers outside 0 to 1000 and for a minimum above its maximum; nothing is swapped
    /// silently.
    pub fn new([y_min, x_min, y_max, x_max]: [f64; 4]) -> Result<Self, BoxError> {
        let outside = |value: &f64| !(0.0..=GRID).contains(value);
        if let Some(value) = [y_min, x_min, y_max, x_max].into_iter().find(outside) {
            return Err(BoxError::OutsideGrid { value });
        }
        for (axis, min, max) in [('y', y_min, y_max), ('x', x_min, x_max)] {
            if min > max {
                return Err(BoxError::Reversed { axis, min, max });
            }
        }
        Ok(Self { y_min, x_min, y_max, x_max })
    }

    /// The numbers in the models' order.
    pub const fn numbers(&self) -> [f64; 4] {
        [self.y_min, self.x_min, self.y_max, self.x_max]
    }

    /// The box of a region of a picture of size `shown`, for asking a model about a place.
    ///
    /// # Errors
    ///
    /// When the region reaches beyond the picture.
    pub fn of(region: Region, shown: Dimensions) -> Result<Self, BoxError> {
        let (width, height) = (f64::from(shown.width()), f64::from(shown.height()));
        Self::new([
            region.top / height * GRID,
            region.left / width * GRID,
            (region.top + region.height) / height * GRID,
            (region.left + region.width) / width * GRID,
        ])
    }

    /// The region of the upright source that the box names, given the view of the source that the
    /// model was shown; cut to what the view shows.
    ///
    /// # Errors
    ///
    /// [`BoxError::OnBackground`] when that is nothing.
    pub fn region(&self, view: &View) -> Result<Region, BoxError> {
        let (width, height) = (f64::from(view.size.width()), f64::from(view.size.height()));
        let (left, top) = view.to_source(self.x_min / GRID * width, self.y_min / GRID * height);
        let (right, bottom) = view.to_source(self.x_max / GRID * width, self.y_max / GRID * height);
        let Region { left: x, top: y, width: w, height: h } = view.region;
        let (left, right) = (left.max(x), right.min(x + w));
        let (top, bottom) = (top.max(y), bottom.min(y + h));
        if left > right || top > bottom {
            return Err(BoxError::OnBackground);
        }
        Ok(Region { left, top, width: right - left, height: bottom - top })
    }
}

impl Region {
    /// The same region of the picture as it is stored, `stored` in size, before it is turned.
    #[must_use]
    pub fn as_stored(&self, orientation: Orientation, stored: Dimensions) -> Self {
        let (x, y) = to_stored(orientation, stored, self.left, self.top);
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        let (x2, y2) = to_stored(orientation, stored, right, bottom);
        Self { left: x.min(x2), top: y.min(y2), width: (x2 - x).abs(), height: (y2 - y).abs() }
    }

    /// The pixels of a picture of size `size` that the region touches: minimum down, maximum up,
    /// at least one pixel, within the picture.
    pub fn pixels(&self, size: Dimensions) -> PixelBox {
        let (left, width) = touched(self.left, self.width, size.width());
        let (top, height) = touched(self.top, self.height, size.height());
        PixelBox { left, top, width, height }
    }
}

/// Coordinates that went through several scalings miss whole numbers by less than this.
const ROUNDING: f64 = 1e-6;

/// First pixel and number of pixels that a stretch touches, within `side` pixels.
fn touched(start: f64, length: f64, side: u32) -> (u32, u32) {
    let last = f64::from(side) - 1.0;
    let first = (start + ROUNDING).floor().clamp(0.0, last);
    let end = (start + length - ROUNDING).ceil().clamp(first + 1.0, last + 1.0);
    #[expect(clippy::cast_possible_truncation, reason = "both are within a side of 32 bits")]
    #[expect(clippy::cast_sign_loss, reason = "both are at least 0")]
    let whole = |value: f64| value as u32;
    (whole(first), whole(end - first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    fn pixels(numbers: [f64; 4], view: &View, source: Dimensions) -> [u32; 4] {
        let PixelBox { left, top, width, height } =
            GridBox::new(numbers).unwrap().region(view).unwrap().pixels(source);
        [left, top, left + width, top + height]
    }

    #[test]
    fn the_grid_spans_the_picture() {
        let source = size(4000, 3000);
        let view = View::whole(source, size(3072, 2304));
        assert_eq!(pixels([0.0, 0.0, 1000.0, 1000.0], &view, source), [0, 0, 4000, 3000]);
        assert_eq!(pixels([250.0, 500.0, 500.0, 750.0], &view, source), [2000, 750, 3000, 1500]);
        // Minimum down, maximum up.
        assert_eq!(pixels([0.1, 0.1, 0.5, 0.4], &view, source), [0, 0, 2, 2]);
    }

    #[test]
    fn boxes_on_a_letterboxed_tile_are_cut_to_the_picture() {
        let source = size(1000, 100);
        let region = Region { left: 744.0, top: 0.0, width: 256.0, height: 100.0 };
        let view = View::letterboxed(region, size(768, 768));
        assert_eq!(pixels([0.0, 0.0, 1000.0, 1000.0], &view, source), [744, 0, 1000, 100]);
        let above = GridBox::new([0.0, 0.0, 100.0, 1000.0]).unwrap();
        assert_eq!(above.region(&view), Err(BoxError::OnBackground));
    }

    #[test]
    fn what_is_no_box_is_refused() {
        let refused = |numbers| GridBox::new(numbers).unwrap_err().to_string();
        assert!(refused([0.0, 0.0, 1001.0, 5.0]).contains("1001 is outside"));
        assert!(refused([0.0, -1.0, 5.0, 5.0]).contains("-1 is outside"));
        assert!(refused([5.0, 0.0, 4.0, 5.0]).contains("y minimum of 5"));
        assert!(refused([0.0, 6.0, 4.0, 5.0]).contains("x minimum of 6"));
        assert!(GridBox::new([f64::NAN, 0.0, 0.0, 0.0]).is_err());
    }

    #[test]
    fn stored_boxes_turn_back() {
        // Displayed 30 × 40 from stored 40 × 30 by a quarter turn clockwise.
        let stored = size(40, 30);
        let region = Region { left: 0.0, top: 0.0, width: 10.0, height: 5.0 };
        let back = region.as_stored(Orientation::Rotate90, stored);
        assert_eq!(back, Region { left: 0.0, top: 20.0, width: 5.0, height: 10.0 });
    }

    proptest! {
        #[test]
        fn boxes_come_back_within_a_pixel(
            value in 1u16..=8, w in 20u32..4000, h in 20u32..4000, part_w in 20u32..3000,
            part_h in 20u32..3000, x in 0.0..0.8, y in 0.0..0.8, bw in 0.05..0.2, bh in 0.05..0.2,
        ) {
            let (orientation, stored) = (Orientation::from_exif(value).unwrap(), size(w, h));
            let shown = stored.oriented(orientation);
            let (sw, sh) = (f64::from(shown.width()), f64::from(shown.height()));
            let asked = Region { left: x * sw, top: y * sh, width: bw * sw, height: bh * sh };
            let view = View::whole(shown, size(part_w, part_h));
            let (px, py) = view.to_part(asked.left, asked.top);
            let (across, down) = view.scale();
            let in_part = Region {
                left: px, top: py, width: asked.width * across, height: asked.height * down,
            };
            let found = GridBox::of(in_part, view.size).unwrap().region(&view).unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
            prop_assert!(near(found.left, asked.left) && near(found.width, asked.width));
            prop_assert!(near(found.top, asked.top) && near(found.height, asked.height));
            let there = found.as_stored(orientation, stored);
            let pixels = there.pixels(stored);
            prop_assert!((f64::from(pixels.left) - there.left).abs() <= 1.0);
            prop_assert!((f64::from(pixels.top) - there.top).abs() <= 1.0);
            prop_assert!(pixels.left + pixels.width <= w && pixels.top + pixels.height <= h);
        }
    }
}
