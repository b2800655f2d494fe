//! How large a page is drawn.

use mediaprep_media::Dimensions;
use mediaprep_pdf::PageSize;

/// Pixels per inch unless the caller says otherwise: more than scanners and printers of text need.
pub(super) const DPI: u32 = 300;
/// The service enlarges pages whose sides are shorter to this.
const SHORTEST: u64 = 768;
/// The longest side of a drawn page whatever is asked for; what the libraries draw.
const LONGEST: u64 = 32_767;
/// Thousandths of a point in an inch, times the thousandths of a user unit.
const INCH: u128 = 72_000 * 1000;

/// The size of a page in pixels. With `dpi`, it goes by that; without, by [`DPI`] with at least 768
/// pixels on the long side. No side is longer than `longest`, and never are there more than `most`
/// pixels.
pub(in crate::prepare) fn raster_size(
    page: PageSize,
    dpi: Option<u32>,
    longest: Option<u32>,
    most: u64,
) -> Dimensions {
    let (width, height) = page.displayed();
    let (long, short) = (width.max(height), width.min(height));
    let longest = longest.map_or(LONGEST, u64::from).min(LONGEST);
    let pixels = {
        let units = u128::from(long) * u128::from(page.user_unit) * u128::from(dpi.unwrap_or(DPI));
        u64::try_from((units + INCH / 2) / INCH).unwrap_or(u64::MAX)
    };
    let least = if dpi.is_some() { 1 } else { SHORTEST };
    let side = pixels.max(least).min(longest).max(1);
    let other = |side: u64| {
        let other = u128::from(side) * u128::from(short) + u128::from(long) / 2;
        u64::try_from(other / u128::from(long)).unwrap_or(u64::MAX).max(1)
    };
    let mut side = if side * other(side) <= most { side } else { side_within(most, long, short) };
    // The short side is rounded, so that there may still be some pixels too many.
    while side > 1 && side * other(side) > most {
        side -= side.div_ceil(64).min(side - 1);
    }
    let (side, other) = (clamp(side), clamp(other(side)));
    let (width, height) = if width >= height { (side, other) } else { (other, side) };
    Dimensions::new(width, height).unwrap_or(Dimensions::ONE)
}

/// The longest long side with no more than `most` pixels, roughly.
fn side_within(most: u64, long: u32, short: u32) -> u64 {
    let square = u128::from(most) * u128::from(long) / u128::from(short.max(1));
    u64::try_from(square.isqrt()).unwrap_or(LONGEST).clamp(1, LONGEST).min(most.max(1))
}

fn clamp(side: u64) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use mediaprep_pdf::Rotation;
    use proptest::prelude::*;

    use super::*;

    fn page(width: u32, height: u32) -> PageSize {
        PageSize { width, height, rotation: Rotation::None, user_unit: 1000 }
    }

    fn sides(size: Dimensions) -> (u32, u32) {
        (size.width(), size.height())
    }

    #[test]
    fn pages_get_the_sizes_that_readers_expect() {
        let a4 = page(595_276, 841_890);
        let default = |page| sides(raster_size(page, None, Some(3072), u64::MAX));
        assert_eq!(default(a4), (2172, 3072));
        // A receipt, a stamp, and a page that nobody sees.
        assert_eq!(default(page(144_000, 432_000)), (600, 1800));
        assert_eq!(default(page(72_000, 72_000)), (768, 768));
        assert_eq!(default(page(3_000, 3_000)), (768, 768));
        assert_eq!(default(page(14_400_000, 14_400_000)), (3072, 3072));
        let at = |dpi| sides(raster_size(a4, Some(dpi), None, u64::MAX));
        assert_eq!(at(72), (595, 842));
        assert_eq!(at(150), (1240, 1754));
        let turned = PageSize { rotation: Rotation::Clockwise90, ..a4 };
        assert_eq!(default(turned), (3072, 2172));
        let unit = PageSize { user_unit: 2000, ..page(72_000, 36_000) };
        assert_eq!(sides(raster_size(unit, Some(100), None, u64::MAX)), (200, 100));
    }

    proptest! {
        #[test]
        fn sizes_stay_within_bounds(
            width in 1u32.., height in 1u32.., unit in 1u32.., dpi in proptest::option::of(1u32..2401),
            longest in proptest::option::of(1u32..5000), most in 1u64..100_000_000,
        ) {
            let page = PageSize { width, height, rotation: Rotation::None, user_unit: unit };
            let size = raster_size(page, dpi, longest, most);
            prop_assert!(u64::from(size.long()) <= longest.map_or(LONGEST, u64::from));
            prop_assert!(size.pixels() <= most, "{size:?}");
            prop_assert_eq!(size.width() >= size.height(), width >= height || size.width() == size.height());
        }
    }
}
