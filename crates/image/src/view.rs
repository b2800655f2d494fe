//! Which part of a picture becomes an image of its own, and where every pixel goes.
//!
//! A [`View`] is the whole geometry between the upright source and one emitted image: a box of the
//! source, scaled into a box of the output; whatever the output has beyond that is background.
//! Coordinates are continuous: a picture of `w` pixels spans 0 to `w`, pixel `i` from `i` to `i + 1`.

use mediaprep_media::{Dimensions, Orientation};
use serde::Serialize;

/// A box with edges anywhere between pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Region {
    /// Distance of the left edge from the picture's left edge, in pixels.
    pub left: f64,
    /// Distance of the upper edge from the picture's upper edge, in pixels.
    pub top: f64,
    /// Width in pixels, above 0.
    pub width: f64,
    /// Height in pixels, above 0.
    pub height: f64,
}

/// A box of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PixelBox {
    /// Pixels left of the box.
    pub left: u32,
    /// Pixels above the box.
    pub top: u32,
    /// Width in pixels, at least 1.
    pub width: u32,
    /// Height in pixels, at least 1.
    pub height: u32,
}

/// One image cut out of an upright source and brought to a size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct View {
    /// The box of the upright source that is seen.
    pub region: Region,
    /// The size of the image.
    pub size: Dimensions,
    /// Where the box lies in the image; the rest is background.
    pub placed: PixelBox,
}

impl Region {
    /// The whole of a picture.
    pub fn whole(size: Dimensions) -> Self {
        Self { left: 0.0, top: 0.0, width: size.width().into(), height: size.height().into() }
    }
}

impl PixelBox {
    /// The whole of a picture.
    pub const fn whole(size: Dimensions) -> Self {
        Self { left: 0, top: 0, width: size.width(), height: size.height() }
    }
}

impl View {
    /// The whole of an upright picture of size `source`, scaled to `size`.
    pub fn whole(source: Dimensions, size: Dimensions) -> Self {
        Self { region: Region::whole(source), size, placed: PixelBox::whole(size) }
    }

    /// A box of the source, scaled as far as it fits `size` and centred there: letterboxed where
    /// the shapes differ.
    pub fn letterboxed(region: Region, size: Dimensions) -> Self {
        let (frame_width, frame_height) = (f64::from(size.width()), f64::from(size.height()));
        let scale = (frame_width / region.width).min(frame_height / region.height);
        let side = |length: f64, most: u32| whole_pixels(length * scale).clamp(1, most);
        let width = side(region.width, size.width());
        let height = side(region.height, size.height());
        let (left, top) = ((size.width() - width) / 2, (size.height() - height) / 2);
        Self { region, size, placed: PixelBox { left, top, width, height } }
    }

    /// Whether the image is the whole source, pixel for pixel.
    pub fn is_identity(&self, source: Dimensions) -> bool {
        *self == Self::whole(source, source)
    }

    /// Whether part of the image is background.
    pub fn is_letterboxed(&self) -> bool {
        self.placed != PixelBox::whole(self.size)
    }

    /// Pixels of the image per pixel of the source, across and down.
    pub fn scale(&self) -> (f64, f64) {
        let across = f64::from(self.placed.width) / self.region.width;
        (across, f64::from(self.placed.height) / self.region.height)
    }

    /// From a point of the image to the point of the upright source that it shows. Points on the
    /// background come out beyond [`View::region`].
    pub fn to_source(&self, x: f64, y: f64) -> (f64, f64) {
        let (across, down) = self.scale();
        let x = self.region.left + (x - f64::from(self.placed.left)) / across;
        (x, self.region.top + (y - f64::from(self.placed.top)) / down)
    }

    /// From a point of the upright source to the point of the image that shows it.
    pub fn to_part(&self, x: f64, y: f64) -> (f64, f64) {
        let (across, down) = self.scale();
        let x = (x - self.region.left) * across + f64::from(self.placed.left);
        (x, (y - self.region.top) * down + f64::from(self.placed.top))
    }
}

/// To the nearest whole number of pixels; negative lengths do not occur.
fn whole_pixels(length: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates")]
    #[expect(clippy::cast_sign_loss, reason = "a length is never negative")]
    let pixels = length.round() as u32;
    pixels
}

/// From a point of the picture as stored, `stored` in size, to the same point as displayed.
pub fn to_displayed(orientation: Orientation, stored: Dimensions, x: f64, y: f64) -> (f64, f64) {
    let (width, height) = (f64::from(stored.width()), f64::from(stored.height()));
    match orientation {
        Orientation::Upright => (x, y),
        Orientation::FlipHorizontal => (width - x, y),
        Orientation::Rotate180 => (width - x, height - y),
        Orientation::FlipVertical => (x, height - y),
        Orientation::Transpose => (y, x),
        Orientation::Rotate90 => (height - y, x),
        Orientation::Transverse => (height - y, width - x),
        Orientation::Rotate270 => (y, width - x),
    }
}

/// From a point of the picture as displayed to the same point as stored, `stored` in size.
pub fn to_stored(orientation: Orientation, stored: Dimensions, x: f64, y: f64) -> (f64, f64) {
    let displayed = stored.oriented(orientation);
    to_displayed(orientation.inverse(), displayed, x, y)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    #[test]
    fn a_quarter_turn_brings_the_lower_left_corner_to_the_upper_left() {
        let stored = size(40, 30);
        assert_eq!(to_displayed(Orientation::Rotate90, stored, 0.0, 30.0), (0.0, 0.0));
        assert_eq!(to_displayed(Orientation::Rotate270, stored, 40.0, 0.0), (0.0, 0.0));
    }

    #[test]
    fn a_letterbox_is_centred() {
        let region = Region { left: 0.0, top: 10.0, width: 256.0, height: 100.0 };
        let view = View::letterboxed(region, size(768, 768));
        assert_eq!(view.placed, PixelBox { left: 0, top: 234, width: 768, height: 300 });
        assert_eq!(view.to_source(0.0, 234.0), (0.0, 10.0));
        assert_eq!(view.to_part(256.0, 110.0), (768.0, 534.0));
    }

    proptest! {
        #[test]
        fn stored_and_displayed_points_are_each_others_inverse(
            value in 1u16..=8, w in 1u32..10_000, h in 1u32..10_000, x in 0.0..1.0, y in 0.0..1.0,
        ) {
            let (orientation, stored) = (Orientation::from_exif(value).unwrap(), size(w, h));
            let (x, y) = (x * f64::from(w), y * f64::from(h));
            let (dx, dy) = to_displayed(orientation, stored, x, y);
            let displayed = stored.oriented(orientation);
            prop_assert!((0.0..=f64::from(displayed.width())).contains(&dx));
            prop_assert!((0.0..=f64::from(displayed.height())).contains(&dy));
            let (back_x, back_y) = to_stored(orientation, stored, dx, dy);
            prop_assert!((back_x - x).abs() < 1e-6 && (back_y - y).abs() < 1e-6);
        }

        #[test]
        fn points_of_source_and_part_are_each_others_inverse(
            left in 0.0..5000.0, top in 0.0..5000.0, w in 1.0..5000.0, h in 1.0..5000.0,
            out_w in 1u32..4000, out_h in 1u32..4000, x in 0.0..1.0, y in 0.0..1.0,
        ) {
            let region = Region { left, top, width: w, height: h };
            let view = View::letterboxed(region, size(out_w, out_h));
            let (x, y) = (left + x * w, top + y * h);
            let (px, py) = view.to_part(x, y);
            prop_assert!(px >= -1e-6 && px <= f64::from(out_w) + 1e-6);
            prop_assert!(py >= -1e-6 && py <= f64::from(out_h) + 1e-6);
            let (back_x, back_y) = view.to_source(px, py);
            prop_assert!((back_x - x).abs() < 1e-6 && (back_y - y).abs() < 1e-6);
        }
    }
}
