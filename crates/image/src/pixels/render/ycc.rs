//! From planes to planes: JPEG pictures that become JPEG again.
//!
//! Chroma samples lie in the middle of the pixels that share them, so that a box of the luma plane
//! is the same box of a chroma plane, divided by the sampling factors.

use std::borrow::Cow;

use mediaprep_media::{Dimensions, Error};

use super::RenderOptions;
use super::cut::Cut;
use super::draw::brush;
use super::grid::Grid;
use super::paint::{Brush, Piece};
use super::scratch::Scratch;
use super::span::Span;
use crate::PixelBox;
use crate::pixels::decode::{Picture, Pixels};
use crate::pixels::encode::{Chroma, Encoding, OutputFormat};
use crate::pixels::orient::mirrored;
use crate::pixels::planes::convert::from_rgb;
use crate::pixels::planes::{PlaneLayout, Planes, Sampling};
use crate::pixels::resize::Canvas;
use crate::pixels::resize::buffer::zeroed;

/// The sampling of the output when planes can be drawn from planes; `None` when it must go by RGB.
pub(super) fn sampling(
    picture: &Picture,
    cut: &Cut,
    encoding: &Encoding,
    options: &RenderOptions,
) -> Option<Sampling> {
    let Pixels::Planes(planes) = &picture.pixels else { return None };
    let sampling = match (planes.sampling, encoding.chroma) {
        (Sampling::Gray, _) => Sampling::Gray,
        (_, Chroma::Full) | (Sampling::S444, Chroma::Auto) => Sampling::S444,
        _ => Sampling::S420,
    };
    let is_jpeg = encoding.format == OutputFormat::Jpeg;
    let loses_colour = sampling == Sampling::Gray && cut.needs_colour(options.background);
    (is_jpeg && !loses_colour && is_aligned(cut, sampling)).then_some(sampling)
}

/// Whether no chroma sample stands for both picture and background.
fn is_aligned(cut: &Cut, sampling: Sampling) -> bool {
    let fits = |start: u32, side: u32, all: u32, factor: u32| {
        start.is_multiple_of(factor) && (side.is_multiple_of(factor) || start + side == all)
    };
    let (across, down) = sampling.factors();
    let PixelBox { left, top, width, height } = cut.placed;
    fits(left, width, cut.frame.width(), across) && fits(top, height, cut.frame.height(), down)
}

/// Draws a cut; lends the planes themselves when they are the drawing.
pub(super) fn drawn<'a>(
    source: &'a Planes,
    sampling: Sampling,
    cut: &Cut,
    options: &RenderOptions,
    scratch: &mut Scratch,
) -> Result<Cow<'a, Planes>, Error> {
    if sampling == source.sampling && cut.keeps_all(source.size) {
        return Ok(Cow::Borrowed(source));
    }
    let mut drawing = blank(cut, sampling, options.background)?;
    for index in 0..sampling.planes() {
        draw_plane((source, &mut drawing), index, cut, brush(cut, options), scratch)?;
    }
    pad(&mut drawing);
    Ok(Cow::Owned(drawing))
}

/// Planes of the output's size, of the background's colour where that shows.
fn blank(cut: &Cut, sampling: Sampling, background: [u8; 3]) -> Result<Planes, Error> {
    let bytes = Planes::bytes(cut.frame, sampling);
    let mut planes = Planes { size: cut.frame, sampling, data: zeroed(bytes as u64)? };
    if cut.is_letterboxed() {
        for (index, value) in from_rgb(background).into_iter().enumerate() {
            planes.plane_mut(index).fill(value);
        }
    }
    Ok(planes)
}

fn draw_plane(
    (source, target): (&Planes, &mut Planes),
    index: usize,
    cut: &Cut,
    brush: Brush,
    scratch: &mut Scratch,
) -> Result<(), Error> {
    let factors = if index == 0 { (1, 1) } else { target.sampling.factors() };
    let surface = source.surface(index);
    let (across, down) = spans(source, index, cut, factors);
    let brush = Brush { stored: coarser(cut.size, factors), ..brush };
    let PlaneLayout { width, height, .. } = target.layout(index);
    let place = coarser_box(cut.placed, factors);
    let mut canvas = Canvas { data: target.plane_mut(index), width, height, place };
    for &across in &across {
        for &down in &down {
            Piece { source: surface, across, down }.paint(brush, &mut canvas, scratch)?;
        }
    }
    Ok(())
}

/// The runs of a plane's samples that show a cut, across and down, where each sample of the output
/// stands for `factors` pixels.
fn spans(source: &Planes, index: usize, cut: &Cut, factors: (u32, u32)) -> (Vec<Span>, Vec<Span>) {
    let shared = if index == 0 { (1, 1) } else { source.sampling.factors() };
    let plane = source.surface(index);
    let (from_right, from_below) = mirrored(cut.orientation);
    let across = Span::whole(cut.size.width(), cut.region.left, cut.region.width);
    let down = Span::whole(cut.size.height(), cut.region.top, cut.region.height);
    let columns = Grid { factor: factors.0, mirrored: from_right, side: plane.width };
    let rows = Grid { factor: factors.1, mirrored: from_below, side: plane.height };
    (columns.spans(across.coarser(shared.0)), rows.spans(down.coarser(shared.1)))
}

/// A size in samples that stand for `factors` pixels each.
fn coarser(size: Dimensions, (across, down): (u32, u32)) -> Dimensions {
    let (width, height) = (size.width().div_ceil(across), size.height().div_ceil(down));
    Dimensions::new(width, height).unwrap_or(size)
}

/// A box in samples that stand for `factors` pixels each; it starts with a whole sample.
const fn coarser_box(inner: PixelBox, (across, down): (u32, u32)) -> PixelBox {
    let (left, top) = (inner.left / across, inner.top / down);
    let (width, height) = (inner.width.div_ceil(across), inner.height.div_ceil(down));
    PixelBox { left, top, width, height }
}

/// Repeats the last column and the last row of the luma plane as far as the plane goes on.
fn pad(planes: &mut Planes) {
    let (width, height) = (planes.size.width() as usize, planes.size.height() as usize);
    let stride = planes.layout(0).width as usize;
    let luma = planes.plane_mut(0);
    for row in luma.chunks_exact_mut(stride).take(height) {
        let (inner, padding) = row.split_at_mut(width);
        padding.fill(inner.last().copied().unwrap_or_default());
    }
    let (inner, below) = luma.split_at_mut(stride * height);
    if let Some(last) = inner.rchunks_exact(stride).next() {
        below.chunks_exact_mut(stride).for_each(|row| row.copy_from_slice(last));
    }
}
