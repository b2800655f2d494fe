//! Turning pixels upright.
//!
//! Quarter turns go in square blocks, so that the rows that are read and the rows that are written
//! both stay in the cache.

use mediaprep_media::{Dimensions, Orientation, PixelFormat, Raster};

use crate::PixelBox;

/// Pixels along a side of the blocks in which quarter turns go: with four bytes a pixel, a block
/// and its image take 8 KiB of the cache.
const BLOCK: usize = 32;

/// The raster turned upright. What keeps its shape is turned in place; a quarter turn holds both
/// rasters for a moment.
pub fn orient(mut raster: Raster, orientation: Orientation) -> Raster {
    if orientation.swaps_axes() {
        let turned = quarter_turned(&raster, orientation);
        let size = raster.size().oriented(orientation);
        return Raster::new(size, raster.format(), turned).unwrap_or(raster);
    }
    let width = raster.size().width() as usize;
    match raster.format() {
        PixelFormat::Gray8 => mirror::<1>(raster.data_mut(), width, orientation),
        PixelFormat::Rgb8 => mirror::<3>(raster.data_mut(), width, orientation),
        PixelFormat::Rgba8 => mirror::<4>(raster.data_mut(), width, orientation),
    }
    raster
}

/// A turned copy of the pixels.
fn quarter_turned(raster: &Raster, orientation: Orientation) -> Vec<u8> {
    let mut turned = vec![0; raster.data().len()];
    let source = (raster.data(), raster.format().channels());
    let stride = raster.size().height() as usize;
    orient_into(source, raster.size(), orientation, (&mut turned, stride));
    turned
}

/// Mirrors packed pixels of `N` bytes in place; nothing happens where axes would change places.
fn mirror<const N: usize>(data: &mut [u8], width: usize, orientation: Orientation) {
    let pixels = data.as_chunks_mut::<N>().0;
    match mirrored(orientation) {
        (false, false) => {}
        (true, true) => pixels.reverse(),
        (true, false) => pixels.chunks_exact_mut(width).for_each(<[_]>::reverse),
        (false, true) => flip_rows(pixels, width),
    }
}

/// Exchanges the first row with the last, the second with the one before the last, and so on.
fn flip_rows<T>(pixels: &mut [T], width: usize) {
    let middle = pixels.len() / width / 2 * width;
    let (upper, lower) = pixels.split_at_mut(middle);
    let pairs = upper.chunks_exact_mut(width).zip(lower.chunks_exact_mut(width).rev());
    pairs.for_each(|(above, below)| above.swap_with_slice(below));
}

/// Turns packed pixels of 1, 3 or 4 bytes into a box of another picture: `target` starts at the
/// first byte of the box and has `stride` pixels from row to row.
///
/// Does nothing for other pixel sizes.
pub(crate) fn orient_into(
    (source, channels): (&[u8], usize),
    size: Dimensions,
    orientation: Orientation,
    (target, stride): (&mut [u8], usize),
) {
    match channels {
        1 => pixels::<1>(source, size).turn_into(orientation, target.as_chunks_mut().0, stride),
        3 => pixels::<3>(source, size).turn_into(orientation, target.as_chunks_mut().0, stride),
        4 => pixels::<4>(source, size).turn_into(orientation, target.as_chunks_mut().0, stride),
        _ => {}
    }
}

fn pixels<const N: usize>(data: &[u8], size: Dimensions) -> Pixels<'_, N> {
    Pixels { pixels: data.as_chunks().0, size }
}

/// Packed pixels of `N` bytes.
struct Pixels<'a, const N: usize> {
    pixels: &'a [[u8; N]],
    size: Dimensions,
}

impl<const N: usize> Pixels<'_, N> {
    /// Copies every pixel to its upright place. Rows that the target lacks are left out.
    fn turn_into(&self, orientation: Orientation, target: &mut [[u8; N]], stride: usize) {
        if orientation.swaps_axes() {
            self.quarter_turn_into(orientation, target, stride);
        } else {
            self.mirror_into(orientation, target, stride);
        }
    }

    fn mirror_into(&self, orientation: Orientation, target: &mut [[u8; N]], stride: usize) {
        let width = self.size.width() as usize;
        let (across, down) = mirrored(orientation);
        let rows = self.pixels.chunks_exact(width);
        let copy = |(from, to): (&[[u8; N]], &mut [[u8; N]])| {
            let Some(to) = to.get_mut(..width) else { return };
            to.copy_from_slice(from);
            if across {
                to.reverse();
            }
        };
        if down {
            rows.rev().zip(target.chunks_mut(stride)).for_each(copy);
        } else {
            rows.zip(target.chunks_mut(stride)).for_each(copy);
        }
    }

    fn quarter_turn_into(&self, orientation: Orientation, target: &mut [[u8; N]], stride: usize) {
        let (width, height) = (self.size.height() as usize, self.size.width() as usize);
        for top in (0..height).step_by(BLOCK) {
            for left in (0..width).step_by(BLOCK) {
                let rows = top..height.min(top + BLOCK);
                for y in rows {
                    let columns = left..width.min(left + BLOCK);
                    let place = y * stride + columns.start..y * stride + columns.end;
                    let Some(to) = target.get_mut(place) else { return };
                    self.column_into(orientation, (columns.start, y), to);
                }
            }
        }
    }

    /// Fills a run of an upright row, from `x` and `y` on, with a run of a stored column.
    fn column_into(&self, orientation: Orientation, (x, y): (usize, usize), to: &mut [[u8; N]]) {
        let (width, height) = (self.size.width() as usize, self.size.height() as usize);
        let (across, down) = mirrored(orientation);
        let column = if across { width - 1 - y } else { y };
        let first = if down { height - x - to.len() } else { x };
        let run = self.pixels.get(first * width + column..).unwrap_or_default();
        let run = run.iter().step_by(width).take(to.len());
        if down {
            to.iter_mut().rev().zip(run).for_each(|(to, from)| *to = *from);
        } else {
            to.iter_mut().zip(run).for_each(|(to, from)| *to = *from);
        }
    }
}

/// Whether the stored picture's columns and rows are seen from the far end: from right to left, and
/// from below. With a quarter turn the stored columns are what is seen as rows.
pub(crate) const fn mirrored(orientation: Orientation) -> (bool, bool) {
    match orientation {
        Orientation::Upright | Orientation::Transpose => (false, false),
        Orientation::FlipHorizontal | Orientation::Rotate270 => (true, false),
        Orientation::Rotate180 | Orientation::Transverse => (true, true),
        Orientation::FlipVertical | Orientation::Rotate90 => (false, true),
    }
}

/// Where a box of a picture of size `stored` lies when the picture is turned upright.
pub(crate) fn oriented_box(
    orientation: Orientation,
    stored: Dimensions,
    inner: PixelBox,
) -> PixelBox {
    let (across, down) = mirrored(orientation);
    let far = |length: u32, start: u32, side: u32| length.saturating_sub(start + side);
    let left = if across { far(stored.width(), inner.left, inner.width) } else { inner.left };
    let top = if down { far(stored.height(), inner.top, inner.height) } else { inner.top };
    let (width, height) = (inner.width, inner.height);
    if orientation.swaps_axes() {
        return PixelBox { left: top, top: left, width: height, height: width };
    }
    PixelBox { left, top, width, height }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "sides of test pictures are small")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::to_displayed;

    const FORMATS: [PixelFormat; 3] = [PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8];

    /// Every byte differs from its neighbours.
    fn picture(width: u32, height: u32, format: PixelFormat) -> Raster {
        let size = Dimensions::new(width, height).unwrap();
        let bytes = Raster::bytes(size, format).unwrap();
        let data = (0..bytes).map(|i| (i * 37 % 251) as u8).collect();
        Raster::new(size, format, data).unwrap()
    }

    #[test]
    fn a_quarter_turn_of_six_pixels() {
        let size = Dimensions::new(3, 2).unwrap();
        let stored = Raster::new(size, PixelFormat::Gray8, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let turned = |o| orient(stored.clone(), o).into_data();
        assert_eq!(turned(Orientation::FlipHorizontal), [3, 2, 1, 6, 5, 4]);
        assert_eq!(turned(Orientation::Rotate180), [6, 5, 4, 3, 2, 1]);
        assert_eq!(turned(Orientation::FlipVertical), [4, 5, 6, 1, 2, 3]);
        assert_eq!(turned(Orientation::Transpose), [1, 4, 2, 5, 3, 6]);
        assert_eq!(turned(Orientation::Rotate90), [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned(Orientation::Transverse), [6, 3, 5, 2, 4, 1]);
        assert_eq!(turned(Orientation::Rotate270), [3, 6, 2, 5, 1, 4]);
    }

    proptest! {
        #[test]
        fn every_pixel_goes_where_the_view_says(
            w in 1u32..90, h in 1u32..90, value in 1u16..=8, format in 0usize..3,
        ) {
            let orientation = Orientation::from_exif(value).unwrap();
            let stored = picture(w, h, FORMATS[format]);
            let upright = orient(stored.clone(), orientation);
            prop_assert_eq!(upright.size(), stored.size().oriented(orientation));
            for (x, y) in (0..w).flat_map(|x| (0..h).map(move |y| (x, y))) {
                let middle = (f64::from(x) + 0.5, f64::from(y) + 0.5);
                let (to_x, to_y) = to_displayed(orientation, stored.size(), middle.0, middle.1);
                prop_assert_eq!(stored.pixel(x, y), upright.pixel(to_x as u32, to_y as u32));
            }
            prop_assert_eq!(orient(upright, orientation.inverse()), stored);
        }

        #[test]
        fn a_box_turned_alone_lies_in_its_place(
            w in 1u32..60, h in 1u32..60, value in 1u16..=8, cut in prop::array::uniform4(0.0..1.0),
            format in 0usize..3,
        ) {
            let orientation = Orientation::from_exif(value).unwrap();
            let stored = picture(w, h, FORMATS[format]);
            let (left, top) = ((cut[0] * f64::from(w)) as u32, (cut[1] * f64::from(h)) as u32);
            let width = 1 + (cut[2] * f64::from(w - left - 1)) as u32;
            let height = 1 + (cut[3] * f64::from(h - top - 1)) as u32;
            let inner = PixelBox { left, top, width, height };
            let channels = stored.format().channels();
            let mut part = Vec::new();
            for y in top..top + height {
                for x in left..left + width {
                    part.extend_from_slice(stored.pixel(x, y).unwrap());
                }
            }
            let upright = orient(stored.clone(), orientation);
            let at = oriented_box(orientation, stored.size(), inner);
            let mut target = vec![0; upright.data().len()];
            let stride = upright.size().width() as usize;
            let start = (at.top as usize * stride + at.left as usize) * channels;
            let size = Dimensions::new(width, height).unwrap();
            orient_into((&part, channels), size, orientation, (&mut target[start..], stride));
            let target = Raster::new(upright.size(), upright.format(), target).unwrap();
            for y in 0..upright.size().height() {
                for x in 0..upright.size().width() {
                    let inside = x.wrapping_sub(at.left) < at.width
                        && y.wrapping_sub(at.top) < at.height;
                    if inside {
                        prop_assert_eq!(target.pixel(x, y), upright.pixel(x, y));
                    } else {
                        prop_assert!(target.pixel(x, y).unwrap().iter().all(|&v| v == 0));
                    }
                }
            }
        }
    }
}
