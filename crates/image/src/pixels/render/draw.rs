//! Drawing views as packed pixels.

use std::borrow::Cow;

use mediaprep_media::{Dimensions, Error, Orientation, PixelFormat, Raster};

use super::RenderOptions;
use super::cut::Cut;
use super::paint::{Brush, Piece, paint_rgb};
use super::scratch::Scratch;
use crate::PixelBox;
use crate::pixels::decode::{Picture, Pixels};
use crate::pixels::orient::orient_into;
use crate::pixels::planes::{Planes, Sampling};
use crate::pixels::resize::buffer::zeroed;
use crate::pixels::resize::{Canvas, Surface};

impl Picture {
    /// Draws a cut; lends the pixels themselves when they are the drawing.
    pub(super) fn drawn(
        &self,
        cut: &Cut,
        options: &RenderOptions,
        scratch: &mut Scratch,
    ) -> Result<Cow<'_, Raster>, Error> {
        let drawn = match &self.pixels {
            Pixels::Raster(raster) if cut.keeps_all(raster.size()) => {
                return Ok(Cow::Borrowed(raster));
            }
            Pixels::Raster(raster) => {
                let source = Surface::of_raster(raster);
                draw_surface(source, raster.format(), cut, options, scratch)
            }
            Pixels::Planes(planes) if planes.sampling == Sampling::Gray => {
                draw_surface(planes.surface(0), PixelFormat::Gray8, cut, options, scratch)
            }
            Pixels::Planes(planes) => draw_colour(planes, cut, options, scratch),
        };
        drawn.map(Cow::Owned)
    }
}

impl<'a> Surface<'a> {
    /// All of a raster.
    pub(super) fn of_raster(raster: &'a Raster) -> Self {
        let (width, height) = (raster.size().width(), raster.size().height());
        let channels = raster.format().channels();
        Self { data: raster.data(), stride: width, width, height, channels }
    }
}

impl Planes {
    /// One of the planes, without what only pads it.
    pub(super) fn surface(&self, index: usize) -> Surface<'_> {
        let place = self.layout(index);
        let size = if index == 0 { self.size } else { Dimensions::ONE };
        let (width, height) = match index {
            0 => (size.width(), size.height()),
            _ => (place.width, place.height),
        };
        Surface { data: self.plane(index), stride: place.width, width, height, channels: 1 }
    }
}

fn draw_surface(
    source: Surface<'_>,
    format: PixelFormat,
    cut: &Cut,
    options: &RenderOptions,
    scratch: &mut Scratch,
) -> Result<Raster, Error> {
    if format == PixelFormat::Gray8 && cut.needs_colour(options.background) {
        let grey = draw_surface(source, format, &cut.without_frame(), options, scratch)?;
        return framed(&coloured(&grey)?, cut, options);
    }
    let mut frame = Frame::new(cut, format, options.background)?;
    let piece = Piece::new(source, cut.region, cut.size);
    piece.paint(brush(cut, options), &mut frame.canvas(), scratch)?;
    frame.finished()
}

fn draw_colour(
    planes: &Planes,
    cut: &Cut,
    options: &RenderOptions,
    scratch: &mut Scratch,
) -> Result<Raster, Error> {
    let (across, down) = planes.sampling.factors();
    let luma = Piece::new(planes.surface(0), cut.region, cut.size);
    let chroma = |index| {
        let source = planes.surface(index);
        Piece { source, across: luma.across.coarser(across), down: luma.down.coarser(down) }
    };
    let pieces = [luma, chroma(1), chroma(2)];
    let mut frame = Frame::new(cut, PixelFormat::Rgb8, options.background)?;
    paint_rgb(&pieces, brush(cut, options), &mut frame.canvas(), scratch)?;
    frame.finished()
}

/// How a cut's only piece is drawn.
pub(super) const fn brush(cut: &Cut, options: &RenderOptions) -> Brush {
    Brush { filter: options.filter, orientation: cut.orientation, stored: cut.size }
}

/// An output that is being drawn.
struct Frame {
    size: Dimensions,
    format: PixelFormat,
    place: PixelBox,
    data: Vec<u8>,
}

impl Frame {
    fn new(cut: &Cut, format: PixelFormat, background: [u8; 3]) -> Result<Self, Error> {
        let (size, place) = (cut.frame, cut.placed);
        let mut data = zeroed(size.pixels().saturating_mul(format.channels() as u64))?;
        if cut.is_letterboxed() {
            fill(&mut data, format, background);
        }
        Ok(Self { size, format, place, data })
    }

    fn canvas(&mut self) -> Canvas<'_> {
        let (width, height) = (self.size.width(), self.size.height());
        Canvas { data: &mut self.data, width, height, place: self.place }
    }

    fn finished(self) -> Result<Raster, Error> {
        let wrong = Error::malformed("picture", 0, "fewer pixels than its size asks for");
        Raster::new(self.size, self.format, self.data).ok_or(wrong)
    }
}

fn fill(data: &mut [u8], format: PixelFormat, [red, green, blue]: [u8; 3]) {
    match format {
        PixelFormat::Gray8 => data.fill(green),
        PixelFormat::Rgb8 => data.as_chunks_mut().0.fill([red, green, blue]),
        PixelFormat::Rgba8 => data.as_chunks_mut().0.fill([red, green, blue, 255]),
    }
}

/// Grey pixels as coloured ones.
fn coloured(grey: &Raster) -> Result<Raster, Error> {
    let mut data = zeroed(grey.size().pixels().saturating_mul(3))?;
    let pixels = data.as_chunks_mut::<3>().0.iter_mut();
    pixels.zip(grey.data()).for_each(|(pixel, &value)| *pixel = [value; 3]);
    let wrong = Error::malformed("picture", 0, "fewer pixels than its size asks for");
    Raster::new(grey.size(), PixelFormat::Rgb8, data).ok_or(wrong)
}

/// An upright raster of the placed size with the background around it.
fn framed(raster: &Raster, cut: &Cut, options: &RenderOptions) -> Result<Raster, Error> {
    let mut frame = Frame::new(cut, raster.format(), options.background)?;
    let channels = raster.format().channels();
    let source = (raster.data(), channels);
    orient_into(source, raster.size(), Orientation::Upright, frame.canvas().target(channels));
    frame.finished()
}
