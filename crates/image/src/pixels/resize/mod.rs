//! Resampling.
//!
//! The work is done by `fast_image_resize`, called through `mediaprep-convolve` so that it is compiled
//! once: a separable convolution, first down and then across,
//! with 8 bits between the two passes. Samples beyond the box that is asked for count wherever the
//! picture goes on, so that a part of a picture comes out as it would in the whole. At the
//! picture's edges the filter is cut off and its weights are brought back to a sum of 1.
//!
//! Opacity counts: colours are multiplied with it before and divided by it afterwards, so that what
//! cannot be seen does not bleed.

pub(crate) mod buffer;
mod filter;
mod weave;

use mediaprep_convolve::fir::{ResizeAlg, ResizeOptions, Resizer};
use mediaprep_convolve::{Source, Target, convolve};
use mediaprep_media::Error;

use self::buffer::{grow, trim};
pub use self::filter::Filter;
use self::weave::{unweave, weave};
use crate::{PixelBox, Region};

/// Bytes above which [`Resampler`] gives its buffers back after use.
const KEPT_BYTES: usize = 64 << 20;
/// By how much rounding may move a stretch beyond the source, in samples.
const SLACK: f64 = 1e-6;
/// What is wrong when a box does not fit.
const OUTSIDE: Error = Error::malformed("picture", 0, "a box that is not inside the picture");

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

impl<'a> Surface<'a> {
    /// Packed rows of nothing but the picture.
    pub(crate) const fn packed(data: &'a [u8], width: u32, height: u32, channels: usize) -> Self {
        Self { data, stride: width, width, height, channels }
    }
}

impl<'a> Canvas<'a> {
    /// Packed rows that are to be filled as a whole.
    pub(crate) const fn whole(data: &'a mut [u8], width: u32, height: u32) -> Self {
        Self { data, width, height, place: PixelBox { left: 0, top: 0, width, height } }
    }
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
    /// Single bytes between the two passes.
    rows: Vec<u8>,
    /// The same as four rows in one.
    woven: Vec<u8>,
    /// What the pass across makes of them.
    drawn: Vec<u8>,
}

impl Resampler {
    /// Fills a box of `target` with a box of `source`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when one of the boxes is empty or not inside its picture; [`Error::Io`]
    /// when there is not enough memory.
    pub(crate) fn resample(
        &mut self,
        source: &Surface<'_>,
        region: Region,
        target: &mut Canvas<'_>,
        filter: Filter,
    ) -> Result<(), Error> {
        let step = Step { region, filter, has_alpha: source.channels == 4 };
        if source.channels == 1 && step.changes_rows(target.place) {
            return self.resample_woven(source, step, target);
        }
        step.convolve(&mut self.resizer, source, target).ok_or(OUTSIDE)
    }

    /// Gives large buffers back.
    pub(crate) fn trim(&mut self) {
        if self.resizer.size_of_internal_buffers() > KEPT_BYTES {
            self.resizer.reset_internal_buffers();
        }
        for buffer in [&mut self.rows, &mut self.woven, &mut self.drawn] {
            trim(buffer, KEPT_BYTES);
        }
    }

    /// Single bytes: down as they are, across with four rows in one.
    fn resample_woven(
        &mut self,
        source: &Surface<'_>,
        step: Step,
        target: &mut Canvas<'_>,
    ) -> Result<(), Error> {
        let PixelBox { width, height, .. } = target.place;
        let stretch = (step.region.left, step.region.width);
        let across = Reach::new(stretch, width, step.filter, source.width).ok_or(OUTSIDE)?;
        let fours = height.div_ceil(4);
        let bytes = |columns: u32| u64::from(columns) * u64::from(fours) * 4;
        for (buffer, columns) in [
            (&mut self.rows, across.count),
            (&mut self.woven, across.count),
            (&mut self.drawn, width),
        ] {
            grow(buffer, bytes(columns))?;
        }

        let seen = Region { left: across.first.into(), width: across.count.into(), ..step.region };
        let mut rows = Canvas::whole(&mut self.rows, across.count, height);
        let down = Step { region: seen, ..step };
        down.convolve(&mut self.resizer, source, &mut rows).ok_or(OUTSIDE)?;

        weave(&self.rows, across.count as usize, &mut self.woven);
        let woven = Surface::packed(&self.woven, across.count, fours, 4);
        let (left, length) = (across.start, across.length);
        let region = Region { left, top: 0.0, width: length, height: fours.into() };
        let mut drawn = Canvas::whole(&mut self.drawn, width, fours);
        let across = Step { region, has_alpha: false, ..step };
        across.convolve(&mut self.resizer, &woven, &mut drawn).ok_or(OUTSIDE)?;

        unweave(&self.drawn, width as usize, target.target(1), height as usize);
        Ok(())
    }
}

/// How a box is resampled.
#[derive(Clone, Copy)]
struct Step {
    region: Region,
    filter: Filter,
    /// Whether the last byte of a pixel is opacity, by which the others count.
    has_alpha: bool,
}

impl Step {
    /// Whether there is anything to do along rows.
    fn changes_rows(&self, place: PixelBox) -> bool {
        self.region.left.fract() != 0.0 || self.region.width != f64::from(place.width)
    }

    /// `None` when a box is not inside its picture.
    fn convolve(
        &self,
        resizer: &mut Resizer,
        source: &Surface<'_>,
        target: &mut Canvas<'_>,
    ) -> Option<()> {
        let (region, at) = (self.region, target.place);
        let across = Reach::new((region.left, region.width), at.width, self.filter, source.width)?;
        let down = Reach::new((region.top, region.height), at.height, self.filter, source.height)?;
        let first = down.first as usize * source.stride as usize * source.channels;
        let seen = Source {
            data: source.data.get(first..)?,
            stride: source.stride,
            left: across.first,
            width: across.count,
            height: down.count,
            channels: source.channels,
        };
        let place = Target {
            data: target.data,
            stride: target.width,
            rows: target.height,
            left: at.left,
            top: at.top,
            width: at.width,
            height: at.height,
        };
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(self.filter.kernel()))
            .crop(across.start, down.start, across.length, down.length)
            .use_alpha(self.has_alpha);
        convolve(resizer, seen, place, &options)
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
