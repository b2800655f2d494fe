//! The convolution of [`fast_image_resize`] for pixels of 1, 3 and 4 bytes.
//!
//! That library is generic over pixels and views, and so is compiled by whoever calls it: four
//! megabytes of vector code, half of the building time of everything else. This crate calls it with
//! the three kinds of pixel there are and nothing else, so that this is done once, and not again for
//! every test and combination of features of `mediaprep-image`.
//!
//! ```
//! use mediaprep_convolve::{Source, Target, convolve};
//! use mediaprep_convolve::fir::{ResizeOptions, Resizer};
//!
//! let (grey, mut smaller) = ([10, 20, 30, 40], [0; 2]);
//! let source = Source { data: &grey, stride: 4, left: 0, width: 4, height: 1, channels: 1 };
//! let target = Target { data: &mut smaller, stride: 2, rows: 1, left: 0, top: 0, width: 2, height: 1 };
//! convolve(&mut Resizer::new(), source, target, &ResizeOptions::new()).unwrap();
//! assert!(smaller[0] < smaller[1]);
//! ```

pub use fast_image_resize as fir;
use fir::images::{TypedCroppedImage, TypedCroppedImageMut, TypedImage, TypedImageRef};
use fir::pixels::{U8, U8x3, U8x4};
use fir::{PixelTrait, ResizeOptions, Resizer};

/// Columns of packed rows.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Rows from top to bottom, `stride` pixels each.
    pub data: &'a [u8],
    /// Pixels from row to row.
    pub stride: u32,
    /// The first column that is seen.
    pub left: u32,
    /// How many columns are.
    pub width: u32,
    /// How many rows are.
    pub height: u32,
    /// Bytes of a pixel: 1, 3 or 4.
    pub channels: usize,
}

/// A box of packed rows, to be filled.
#[derive(Debug)]
pub struct Target<'a> {
    /// Rows from top to bottom, `stride` pixels each.
    pub data: &'a mut [u8],
    /// Pixels from row to row.
    pub stride: u32,
    /// Rows in all.
    pub rows: u32,
    /// The first column of the box.
    pub left: u32,
    /// The first row of the box.
    pub top: u32,
    /// Columns of the box.
    pub width: u32,
    /// Rows of the box.
    pub height: u32,
}

/// Fills the target with the source; `None` when either is not inside its data, or pixels are
/// neither of 1, 3 nor 4 bytes.
pub fn convolve(
    resizer: &mut Resizer,
    source: Source<'_>,
    target: Target<'_>,
    options: &ResizeOptions,
) -> Option<()> {
    match source.channels {
        1 => typed::<U8>(resizer, source, target, options),
        3 => typed::<U8x3>(resizer, source, target, options),
        4 => typed::<U8x4>(resizer, source, target, options),
        _ => None,
    }
}

fn typed<P: PixelTrait>(
    resizer: &mut Resizer,
    source: Source<'_>,
    target: Target<'_>,
    options: &ResizeOptions,
) -> Option<()> {
    let rows = TypedImageRef::<P>::from_buffer(source.stride, source.height, source.data).ok()?;
    let seen = TypedCroppedImage::new(rows, source.left, 0, source.width, source.height).ok()?;
    let Target { data, stride, rows, left, top, width, height } = target;
    let canvas = TypedImage::<P>::from_buffer(stride, rows, data).ok()?;
    let mut place = TypedCroppedImageMut::new(canvas, left, top, width, height).ok()?;
    resizer.resize_typed(&seen, &mut place, options).ok()
}
