//! From a decoded picture to one view of it, encoded.
//!
//! A view is drawn in one go: the box of the decoded pixels that it shows is resampled to the size
//! of the output, and the small result is turned upright and put into its place. The filter looks
//! beyond the box wherever the picture goes on, so that tiles drawn one by one fit together.
//!
//! A JPEG picture that becomes JPEG again stays luma and chroma all the way: each plane is
//! resampled straight to the output's plane, which halves the work and skips four conversions.

mod cut;
mod draw;
#[cfg(feature = "turbo")]
mod grid;
mod in_place;
mod paint;
mod peak;
mod scratch;
mod span;
#[cfg(test)]
mod tests;
#[cfg(feature = "turbo")]
mod ycc;

use std::borrow::Cow;

use mediaprep_media::{Error, Orientation, Raster};

use self::cut::Cut;
pub use self::peak::render_peak_bytes;
pub use self::scratch::Scratch;
use super::decode::{Picture, Pixels};
use super::encode::{Chroma, Encoding, flatten};
use super::orient::orient;
#[cfg(feature = "turbo")]
use super::planes::Planes;
use super::planes::Sampling;
use super::resize::Filter;
use serde::{Deserialize, Serialize};

use crate::View;

/// How a view is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderOptions {
    /// The resampling filter.
    pub filter: Filter,
    /// Behind transparent pixels where the output holds none, and around letterboxed views: red,
    /// green, blue.
    pub background: [u8; 3],
}

impl Default for RenderOptions {
    /// Lanczos on white.
    fn default() -> Self {
        Self { filter: Filter::default(), background: [255; 3] }
    }
}

/// What is ready to be encoded.
enum Drawing<'a> {
    Raster(Cow<'a, Raster>),
    #[cfg(feature = "turbo")]
    Planes(Cow<'a, Planes>),
}

impl Picture {
    /// A picture of pixels that come from elsewhere, such as a page or a frame of a video;
    /// `orientation` is what turns them upright.
    pub const fn from_raster(raster: Raster, orientation: Orientation) -> Self {
        let stored = raster.size();
        Self { pixels: Pixels::Raster(raster), stored, orientation }
    }

    /// Draws a view as pixels, upright. Grey pictures stay grey unless they are letterboxed with a
    /// colour; transparent ones stay transparent, with an opaque background around them.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when the view's region is not inside the picture, its place not inside
    /// its size, or either is empty, thinner than a thousandth of a pixel or not finite;
    /// [`Error::Io`] when there is not enough memory.
    pub fn draw(
        &self,
        view: &View,
        options: &RenderOptions,
        scratch: &mut Scratch,
    ) -> Result<Raster, Error> {
        let cut = Cut::new(self, view)?;
        let drawn = self.drawn(&cut, options, scratch);
        scratch.trim();
        Ok(drawn?.into_owned())
    }

    /// Draws a view and encodes it.
    ///
    /// # Errors
    ///
    /// As [`Picture::draw`] and [`super::encode`].
    pub fn render(
        &self,
        view: &View,
        encoding: &Encoding,
        options: &RenderOptions,
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>, Error> {
        let encoding = self.resolved(encoding);
        let cut = Cut::new(self, view)?;
        let drawing = self.drawing(&cut, &encoding, options, scratch);
        scratch.trim();
        scratch.encode(drawing?, &encoding, options)
    }

    /// The same for the last view, giving the picture's memory back on the way: the output takes
    /// the place of the input, band by band.
    ///
    /// # Errors
    ///
    /// As [`Picture::render`].
    pub fn into_rendered(
        self,
        view: &View,
        encoding: &Encoding,
        options: &RenderOptions,
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>, Error> {
        let encoding = self.resolved(encoding);
        let cut = Cut::new(&self, view)?;
        let drawing = self.into_drawing(&cut, &encoding, options, scratch);
        scratch.trim();
        scratch.encode(drawing?, &encoding, options)
    }

    /// The encoding with the chroma that the picture's own planes call for: the pixels drawn from
    /// them do not show what they were.
    fn resolved(&self, encoding: &Encoding) -> Encoding {
        let chroma = match (&self.pixels, encoding.chroma) {
            (Pixels::Planes(planes), Chroma::Auto) if planes.sampling == Sampling::S444 => {
                Chroma::Full
            }
            (Pixels::Planes(_), Chroma::Auto) => Chroma::Subsampled,
            (_, chroma) => chroma,
        };
        Encoding { chroma, ..*encoding }
    }

    fn drawing(
        &self,
        cut: &Cut,
        encoding: &Encoding,
        options: &RenderOptions,
        scratch: &mut Scratch,
    ) -> Result<Drawing<'_>, Error> {
        #[cfg(feature = "turbo")]
        if let (Pixels::Planes(planes), Some(sampling)) =
            (&self.pixels, ycc::sampling(self, cut, encoding, options))
        {
            return ycc::drawn(planes, sampling, cut, options, scratch).map(Drawing::Planes);
        }
        let _ = encoding;
        self.drawn(cut, options, scratch).map(Drawing::Raster)
    }

    fn into_drawing(
        self,
        cut: &Cut,
        encoding: &Encoding,
        options: &RenderOptions,
        scratch: &mut Scratch,
    ) -> Result<Drawing<'static>, Error> {
        let raster = match self.pixels {
            Pixels::Raster(raster) if cut.only_shrinks() => raster,
            pixels => {
                return Self { pixels, ..self }
                    .drawing(cut, encoding, options, scratch)
                    .map(Drawing::into_owned);
            }
        };
        let small = in_place::shrunk(raster, cut, options.filter, scratch)?;
        let cut = cut.after_resampling();
        if !cut.is_letterboxed() {
            return Ok(Drawing::Raster(Cow::Owned(orient(small, cut.orientation))));
        }
        let small = Self::from_raster(small, self.orientation);
        small.drawing(&cut, encoding, options, scratch).map(Drawing::into_owned)
    }
}

impl Drawing<'_> {
    fn into_owned(self) -> Drawing<'static> {
        match self {
            Self::Raster(raster) => Drawing::Raster(Cow::Owned(raster.into_owned())),
            #[cfg(feature = "turbo")]
            Self::Planes(planes) => Drawing::Planes(Cow::Owned(planes.into_owned())),
        }
    }
}

impl Scratch {
    fn encode(
        &mut self,
        drawing: Drawing<'_>,
        encoding: &Encoding,
        options: &RenderOptions,
    ) -> Result<Vec<u8>, Error> {
        match drawing {
            #[cfg(feature = "turbo")]
            Drawing::Planes(planes) => self.encoder.encode_planes(&planes, encoding.quality),
            Drawing::Raster(raster)
                if !encoding.format.keeps_alpha() && raster.format().has_alpha() =>
            {
                let flat = flatten(raster.into_owned(), options.background)?;
                self.encoder.encode(&flat, encoding)
            }
            Drawing::Raster(raster) => self.encoder.encode(&raster, encoding),
        }
    }
}
