//! Resampling.
//!
//! The work is done by `fast_image_resize`: a separable convolution, first down and then across,
//! with 8 bits between the two passes. Samples beyond the box that is asked for count wherever the
//! picture goes on, so that a part of a picture comes out as it would in the whole. At the
//! picture's edges the filter is cut off and its weights are brought back to a sum of 1.
//!
//! The filters' weights come from polynomials: the library's own sines would take as long as a
//! tenth of the convolution on a tile of 768 pixels.

mod filter;

use fast_image_resize as fir;
use fir::images::{TypedCroppedImage, TypedCroppedImageMut, TypedImage, TypedImageRef};
use fir::pixels::{U8, U8x3, U8x4};
use fir::{PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use mediaprep_media::Error;

pub use self::filter::Filter;
use crate::{PixelBox, Region};

/// Bytes above which [`Resampler`] gives its buffers back after use.
const KEPT_BYTES: usize = 64 << 20;
/// By how much rounding may move a stretch beyond the source, in samples.
const SLACK: f64 = 1e-6;

/// What can be resampled: packed samples of 1, 3 or 4 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surface<'a> {
    /// Rows from top to bottom, `stride` pixels each.
    pub(crate) data: &'a [u8],
    /// Pixels from row to row.
    pub(crate) stride: u32,
    /// Pixels of a row that belong to the picture.
    pub(crate) width: u32,
    /// Rows.
    pub(crate) height: u32,
    /// Bytes of a pixel; of four, the last is opacity.
    pub(crate) channels: usize,
}

/// What is drawn on: packed rows of which a box is to be filled.
pub(crate) struct Canvas<'a> {
    /// Rows from top to bottom, `width` pixels each.
    pub(crate) data: &'a mut [u8],
    /// Pixels of a row.
    pub(crate) width: u32,
    /// Rows.
    pub(crate) height: u32,
    /// What is to be filled.
    pub(crate) place: PixelBox,
}

impl Canvas<'_> {
    /// The same with a box of its place as the place.
    pub(crate) fn within(&mut self, inner: PixelBox) -> Canvas<'_> {
        let (left, top) = (self.place.left + inner.left, self.place.top + inner.top);
        let place = PixelBox { left, top, ..inner };
        Canvas { data: self.data, width: self.width, height: self.height, place }
    }

    /// The bytes from the place's first on, and the pixels from row to row.
    pub(crate) fn target(&mut self, channels: usize) -> (&mut [u8], usize) {
        let stride = self.width as usize;
        let start = (self.place.top as usize * stride + self.place.left as usize) * channels;
        (self.data.get_mut(start..).unwrap_or_default(), stride)
    }
}

/// The resampler and its buffers.
#[derive(Default)]
pub(crate) struct Resampler {
    resizer: Resizer,
    woven: Woven,
}

/// What becomes what along both axes.
#[derive(Clone, Copy)]
struct Step {
    across: Reach,
    down: Reach,
    filter: Filter,
}

impl Resampler {
    /// Fills a box of `target` with a box of `source`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when one of the boxes is empty or not inside its picture.
    pub(crate) fn resample(
        &mut self,
        source: &Surface<'_>,
        region: Region,
        target: &mut Canvas<'_>,
        filter: Filter,
    ) -> Result<(), Error> {
        let outside = Error::malformed("picture", 0, "a box that is not inside the picture");
        let step = Step::new(source, region, target.place, filter).ok_or(outside)?;
        match source.channels {
            1 if step.is_resampled_across(target) => self.resample_woven(source, step, target),
            1 => convolve::<U8>(&mut self.resizer, source, step, target),
            3 => convolve::<U8x3>(&mut self.resizer, source, step, target),
            4 => convolve::<U8x4>(&mut self.resizer, source, step, target),
            _ => None,
        }
        .ok_or(Error::malformed("picture", 0, "a box that is not inside the picture"))
    }

    /// Gives large buffers back.
    pub(crate) fn trim(&mut self) {
        if self.resizer.size_of_internal_buffers() > KEPT_BYTES {
            self.resizer.reset_internal_buffers();
        }
        self.woven.trim(KEPT_BYTES);
    }
}

/// What a filter sees along one axis of the source: nothing beyond it is looked at, least of all
/// multiplied with its opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reach {
    /// The first sample seen.
    pub(crate) first: u32,
    /// How many are seen.
    pub(crate) count: u32,
    /// Where the stretch that is asked for starts, counted from the first sample seen.
    start: f64,
    /// How long it is.
    length: f64,
}

impl Reach {
    /// What is seen when the stretch of `length` samples from `start` on becomes `pixels` samples;
    /// `None` when it is empty or not inside the `side` samples of the source.
    pub(crate) fn new(
        (start, length): (f64, f64),
        pixels: u32,
        filter: Filter,
        side: u32,
    ) -> Option<Self> {
        let end = f64::from(side);
        // Written so that what is no number is not inside either.
        let is_inside = start >= -SLACK && length > 0.0 && start + length <= end + SLACK;
        if !is_inside || pixels == 0 {
            return None;
        }
        let margin = filter.support() * (length / f64::from(pixels)).max(1.0) + 1.0;
        let first = whole(start - margin);
        let count = whole((start + length + margin).ceil()).min(side).checked_sub(first)?;
        let start = start.max(0.0) - f64::from(first);
        let mut length = length.min(f64::from(count) - start);
        // The sum may still be rounded up.
        while start + length > f64::from(count) {
            length = length.next_down();
        }
        Some(Self { first, count, start, length })
    }
}

/// Rounded down; 0 for what is negative.
pub(crate) const fn whole(value: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates")]
    #[expect(clippy::cast_sign_loss, reason = "a cast from float saturates")]
    let whole = value as u32;
    whole
}
