//! A view held against one decoded picture: which box of the buffer becomes which box of the output.

use mediaprep_media::{Dimensions, Error, Orientation};

use crate::pixels::decode::{Picture, Pixels};
use crate::{PixelBox, Region, View, to_stored};

/// By how much a box may reach beyond its picture, or an edge beside a pixel's, in pixels: what
/// rounding in 64-bit floats may do to it.
const SLACK: f64 = 1e-6;
/// The least side of a box in pixels. Smaller ones would vanish beside their distance from the
/// picture's edge.
const LEAST_SIDE: f64 = 1e-3;

/// The geometry of one drawing, all of it in the axes of the picture as stored but for `frame` and
/// `placed`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    /// The box of the buffer that is seen; inside the buffer.
    pub(super) region: Region,
    /// What it becomes by resampling.
    pub(super) size: Dimensions,
    /// What turns that upright.
    pub(super) orientation: Orientation,
    /// The size of the output.
    pub(super) frame: Dimensions,
    /// Where the turned box lies in the output; inside the frame.
    pub(super) placed: PixelBox,
}

impl Cut {
    /// # Errors
    ///
    /// [`Error::Malformed`] when the view's boxes are empty, not finite or not inside their
    /// pictures.
    pub(super) fn new(picture: &Picture, view: &View) -> Result<Self, Error> {
        let size = placed_size(view)?;
        Ok(Self {
            region: buffer_region(picture, view.region).ok_or(outside())?,
            size: size.oriented(picture.orientation.inverse()),
            orientation: picture.orientation,
            frame: view.size,
            placed: view.placed,
        })
    }

    /// Whether the box keeps its pixels as they are.
    pub(super) fn is_copy(&self) -> bool {
        let Region { left, top, width, height } = self.region;
        let same = width == f64::from(self.size.width()) && height == f64::from(self.size.height());
        same && left.fract() == 0.0 && top.fract() == 0.0
    }

    /// Whether the box is a whole buffer of size `buffer` that keeps its pixels as they are.
    pub(super) fn is_whole_copy(&self, buffer: Dimensions) -> bool {
        self.size == buffer && self.is_copy()
    }

    /// Whether a whole buffer of size `buffer` is the output as it is.
    pub(super) fn keeps_all(&self, buffer: Dimensions) -> bool {
        let is_upright = self.orientation == Orientation::Upright;
        is_upright && !self.is_letterboxed() && self.is_whole_copy(buffer)
    }

    /// What remains to be done once the box is resampled, for a buffer that holds nothing else.
    pub(super) fn after_resampling(&self) -> Self {
        Self { region: Region::whole(self.size), ..*self }
    }

    /// The same without background.
    pub(super) fn without_frame(&self) -> Self {
        let frame = self.size.oriented(self.orientation);
        Self { frame, placed: PixelBox::whole(frame), ..*self }
    }

    /// Whether a grey picture becomes coloured by its background.
    pub(super) fn needs_colour(&self, [red, green, blue]: [u8; 3]) -> bool {
        self.is_letterboxed() && (red != green || green != blue)
    }

    /// Whether part of the output is background.
    pub(super) fn is_letterboxed(&self) -> bool {
        self.placed != PixelBox::whole(self.frame)
    }

    /// Whether nothing is enlarged, along neither axis.
    pub(super) fn only_shrinks(&self) -> bool {
        f64::from(self.size.width()) <= self.region.width
            && f64::from(self.size.height()) <= self.region.height
    }
}

impl Picture {
    /// The size of the decoded pixels, as stored.
    pub(super) const fn buffer_size(&self) -> Dimensions {
        match &self.pixels {
            Pixels::Raster(raster) => raster.size(),
            Pixels::Planes(planes) => planes.size,
        }
    }
}

const fn outside() -> Error {
    Error::malformed("view", 0, "its box is empty or not inside the picture")
}

/// The size of the box that is drawn on.
fn placed_size(view: &View) -> Result<Dimensions, Error> {
    let PixelBox { left, top, width, height } = view.placed;
    let inside =
        |start: u32, side: u32, most: u32| start.checked_add(side).is_some_and(|end| end <= most);
    if !inside(left, width, view.size.width()) || !inside(top, height, view.size.height()) {
        return Err(outside());
    }
    Dimensions::new(width, height).ok_or(outside())
}

/// From a box of the upright picture to the box of the decoded pixels that shows it; `None` when it
/// is empty or not inside.
fn buffer_region(picture: &Picture, region: Region) -> Option<Region> {
    let (orientation, stored) = (picture.orientation, picture.stored);
    let buffer = picture.buffer_size();
    let (across, down) = shrinkage(stored, buffer);
    let (x, y) = to_stored(orientation, stored, region.left, region.top);
    let (right, bottom) = (region.left + region.width, region.top + region.height);
    let (far_x, far_y) = to_stored(orientation, stored, right, bottom);
    let is_turned_over = region.width < LEAST_SIDE || region.height < LEAST_SIDE;
    if is_turned_over {
        return None;
    }
    let (left, width) = stretch(x * across, far_x * across, buffer.width())?;
    let (top, height) = stretch(y * down, far_y * down, buffer.height())?;
    Some(Region { left, top, width, height })
}

/// Start and length between two edges along an axis of `side` pixels.
fn stretch(edge: f64, other: f64, side: u32) -> Option<(f64, f64)> {
    let side = f64::from(side);
    let (start, end) = (snapped(edge.min(other)), snapped(edge.max(other)));
    // Written so that what is no number is not inside either.
    let is_inside = start >= -SLACK && end <= side + SLACK;
    let (start, end) = (start.max(0.0), end.min(side));
    (is_inside && end - start >= LEAST_SIDE / 8.0).then_some((start, end - start))
}

/// An edge that rounding has moved off a pixel's edge is put back there, so that boxes of whole
/// pixels are copied and not resampled.
fn snapped(edge: f64) -> f64 {
    let nearest = edge.round();
    if (edge - nearest).abs() < SLACK { nearest } else { edge }
}

/// Pixels of the buffer per pixel of the picture. JPEG decoders shrink by eighths and round sides
/// up, so that the last pixel may stand for less than the others.
fn shrinkage(stored: Dimensions, buffer: Dimensions) -> (f64, f64) {
    let shrunk = |side: u32, eighths: u32| (u64::from(side) * u64::from(eighths)).div_ceil(8);
    let eighths = (1..=8).rev().find(|&eighths| {
        shrunk(stored.width(), eighths) == u64::from(buffer.width())
            && shrunk(stored.height(), eighths) == u64::from(buffer.height())
    });
    if let Some(eighths) = eighths {
        let scale = f64::from(eighths) / 8.0;
        return (scale, scale);
    }
    let across = f64::from(buffer.width()) / f64::from(stored.width());
    (across, f64::from(buffer.height()) / f64::from(stored.height()))
}
