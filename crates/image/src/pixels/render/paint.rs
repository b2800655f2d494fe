//! Resampling in bands of rows, each of them turned while it is still in the cache.

use mediaprep_media::{Dimensions, Error, Orientation};

use super::scratch::Scratch;
use super::span::Span;
use crate::pixels::orient::{orient_into, oriented_box};
use crate::pixels::planes::convert::fill_rgb;
use crate::pixels::resize::buffer::grow;
use crate::pixels::resize::{Canvas, Filter, Resampler, Surface, whole};
use crate::{PixelBox, Region};

/// About as many bytes as a band holds between the resampler's two passes. Smaller bands would stay
/// in smaller caches, but every band works its weights out anew.
pub(super) const BAND_BYTES: u32 = 1 << 21;
/// The fewest rows of a band.
pub(super) const LEAST_ROWS: u32 = 16;

/// A box of a surface and what it becomes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) source: Surface<'a>,
    pub(super) across: Span,
    pub(super) down: Span,
}

/// How it is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brush {
    pub(super) filter: Filter,
    pub(super) orientation: Orientation,
    /// The size of the whole that the piece is part of, before it is turned.
    pub(super) stored: Dimensions,
}

impl<'a> Piece<'a> {
    pub(super) const fn new(source: Surface<'a>, region: Region, size: Dimensions) -> Self {
        let across = Span::whole(size.width(), region.left, region.width);
        let down = Span::whole(size.height(), region.top, region.height);
        Self { source, across, down }
    }

    /// Draws the piece upright in its place: the canvas' place is that of the whole.
    pub(super) fn paint(
        &self,
        brush: Brush,
        canvas: &mut Canvas<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        self.bands().try_for_each(|band| {
            let mut canvas =
                canvas.within(oriented_box(brush.orientation, brush.stored, band.inner()));
            if brush.orientation == Orientation::Upright {
                return scratch.resampler.resample(
                    &band.source,
                    band.seen(),
                    &mut canvas,
                    brush.filter,
                );
            }
            band.paint_turned(brush, &mut canvas, scratch)
        })
    }

    fn paint_turned(
        &self,
        brush: Brush,
        canvas: &mut Canvas<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let (size, channels) = (self.size()?, self.source.channels);
        grow(&mut scratch.band, size.pixels() * channels as u64)?;
        self.resample(brush.filter, &mut scratch.band, &mut scratch.resampler)?;
        orient_into((&scratch.band, channels), size, brush.orientation, canvas.target(channels));
        Ok(())
    }

    /// Fills packed rows, not turned.
    pub(super) fn resample(
        &self,
        filter: Filter,
        rows: &mut [u8],
        resampler: &mut Resampler,
    ) -> Result<(), Error> {
        let mut canvas = Canvas::whole(rows, self.across.length, self.down.length);
        resampler.resample(&self.source, self.seen(), &mut canvas, filter)
    }

    /// Cut into bands of rows, from the first to the last.
    pub(super) fn bands(self) -> impl Iterator<Item = Self> {
        let longer = self.across.extent.ceil().max(self.across.length.into());
        let row = longer * f64::from(self.channels());
        let rows_each = self.down.extent / f64::from(self.down.length);
        let rows = band_rows(row, rows_each, self.source.channels == 4);
        self.down.bands(rows).map(move |down| Self { down, ..self })
    }

    /// The filter for chroma that is drawn as RGB.
    fn interpolation(&self, filter: Filter) -> Filter {
        let enlarges = |span: &Span| f64::from(span.length) > span.extent;
        let is_enlarged = enlarges(&self.across) || enlarges(&self.down);
        if is_enlarged { Filter::Bilinear } else { filter }
    }

    /// How many samples come out, before they are turned.
    pub(super) fn size(&self) -> Result<Dimensions, Error> {
        let nothing = Error::malformed("picture", 0, "a box without pixels");
        Dimensions::new(self.across.length, self.down.length).ok_or(nothing)
    }

    fn channels(&self) -> u8 {
        u8::try_from(self.source.channels).unwrap_or(u8::MAX)
    }

    /// Where the samples lie in the whole, before they are turned.
    const fn inner(&self) -> PixelBox {
        let (left, top) = (self.across.start, self.down.start);
        PixelBox { left, top, width: self.across.length, height: self.down.length }
    }

    /// What of the source is shown.
    const fn seen(&self) -> Region {
        let (left, top) = (self.across.from, self.down.from);
        Region { left, top, width: self.across.extent, height: self.down.extent }
    }
}

/// Draws luma, Cb and Cr, three pieces that become as many samples each, as packed RGB. Chroma that
/// is enlarged is interpolated between neighbours, as JPEG decoders do.
pub(super) fn paint_rgb(
    planes: &[Piece<'_>; 3],
    brush: Brush,
    canvas: &mut Canvas<'_>,
    scratch: &mut Scratch,
) -> Result<(), Error> {
    let [luma, ..] = planes;
    for band in luma.bands() {
        let size = band.size()?;
        let pixels = size.pixels();
        grow(&mut scratch.band, pixels * 6)?;
        let half = scratch.band.len() / 2;
        let (rgb, samples) = scratch.band.split_at_mut(half);
        let length = rgb.len() / 3;
        for (plane, samples) in planes.iter().zip(samples.chunks_exact_mut(length)) {
            let down = plane.down.part(band.down.start, band.down.length);
            let piece = Piece { down, ..*plane };
            piece.resample(piece.interpolation(brush.filter), samples, &mut scratch.resampler)?;
        }
        let (luma, chroma) = samples.split_at(length);
        let (cb, cr) = chroma.split_at(length);
        fill_rgb(rgb, luma, cb, cr);
        let mut canvas = canvas.within(oriented_box(brush.orientation, brush.stored, band.inner()));
        orient_into((rgb, 3), size, brush.orientation, canvas.target(3));
    }
    Ok(())
}

/// Rows of a band, for rows of `row` bytes where they are longer, in the source or in the output,
/// and `rows_each` rows of the source for one that comes out.
///
/// Between the two passes stand as many rows as come out. Where there is opacity, all that is seen
/// is copied.
pub(super) fn band_rows(row: f64, rows_each: f64, has_alpha: bool) -> u32 {
    let copied = if has_alpha { rows_each.max(1.0) } else { 1.0 };
    whole(f64::from(BAND_BYTES) / (row * copied)).max(LEAST_ROWS)
}
