//! From a page's boxes to its size.

use crate::info::{PageSize, Rotation};

/// US Letter, which viewers assume for a page without a usable box.
const LETTER: Rectangle = Rectangle { left: 0, bottom: 0, right: 612_000, top: 792_000 };
/// Coordinates beyond this are cut off, so that differences cannot overflow: a thousand kilometres.
const FARTHEST: i64 = 1_000_000_000_000;

/// A rectangle in thousandths of a point, its corners in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rectangle {
    left: i64,
    bottom: i64,
    right: i64,
    top: i64,
}

impl Rectangle {
    /// The rectangle between two opposite corners, in either order.
    pub(crate) fn new(corners: [i64; 4]) -> Self {
        let [x0, y0, x1, y1] = corners.map(|corner| corner.clamp(-FARTHEST, FARTHEST));
        Self { left: x0.min(x1), bottom: y0.min(y1), right: x0.max(x1), top: y0.max(y1) }
    }

    fn intersection(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.min(other.right),
            top: self.top.min(other.top),
        }
    }

    /// `None` when it has no area.
    fn sides(self) -> Option<(u32, u32)> {
        let side = |low: i64, high: i64| {
            let length = high.saturating_sub(low);
            (length > 0).then(|| u32::try_from(length).unwrap_or(u32::MAX))
        };
        Some((side(self.left, self.right)?, side(self.bottom, self.top)?))
    }
}

/// What a page has or inherits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) media: Option<Rectangle>,
    pub(crate) crop: Option<Rectangle>,
    pub(crate) rotate: i64,
}

impl Attributes {
    /// The page's size, and whether its boxes were of no use.
    ///
    /// As PDFium does: a MediaBox without area counts as Letter, a CropBox without area as none.
    /// Where the two have nothing in common, the MediaBox counts.
    pub(crate) fn size(&self, user_unit: u32) -> (PageSize, bool) {
        let media = self.media.filter(|media| media.sides().is_some());
        let page = media.unwrap_or(LETTER);
        let crop = self.crop.filter(|crop| crop.sides().is_some());
        let cropped = crop.map_or(page, |crop| crop.intersection(page));
        let (sides, disjoint) = match cropped.sides() {
            Some(sides) => (sides, false),
            None => (page.sides().unwrap_or((612_000, 792_000)), true),
        };
        let rotation = Rotation::from_degrees(self.rotate);
        let size = PageSize { width: sides.0, height: sides.1, rotation, user_unit };
        (size, media.is_none() || disjoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(media: Option<[i64; 4]>, crop: Option<[i64; 4]>) -> (u32, u32, bool) {
        let (media, crop) = (media.map(Rectangle::new), crop.map(Rectangle::new));
        let (size, odd) = Attributes { media, crop, rotate: 0 }.size(1000);
        (size.width, size.height, odd)
    }

    #[test]
    fn the_crop_box_is_cut_to_the_media_box() {
        let media = Some([0, 0, 600, 800]);
        assert_eq!(sides(media, None), (600, 800, false));
        assert_eq!(sides(media, Some([100, 100, 200, 300])), (100, 200, false));
        assert_eq!(sides(media, Some([-100, 500, 1000, 2000])), (600, 300, false));
        assert_eq!(sides(media, Some([200, 300, 100, 100])), (100, 200, false));
    }

    #[test]
    fn useless_boxes_fall_back() {
        assert_eq!(sides(None, None), (612_000, 792_000, true));
        assert_eq!(sides(Some([5, 5, 5, 9]), None), (612_000, 792_000, true));
        assert_eq!(sides(Some([0, 0, 6, 8]), Some([0, 0, 0, 0])), (6, 8, false));
        assert_eq!(sides(Some([0, 0, 6, 8]), Some([7, 0, 9, 8])), (6, 8, true));
    }

    #[test]
    fn extreme_numbers_do_not_overflow() {
        let all = Some([i64::MIN, i64::MIN, i64::MAX, i64::MAX]);
        assert_eq!(sides(all, all), (u32::MAX, u32::MAX, false));
    }
}
