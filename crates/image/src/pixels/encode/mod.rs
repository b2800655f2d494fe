//! From pixels to bytes.
//!
//! | output | library | why |
//! |---|---|---|
//! | JPEG | libjpeg-turbo by `turbojpeg`, `jpeg-encoder` without feature `turbo` | a fifth of the time |
//! | PNG | `png` through `image` | its fast setting is the best trade of time for size at hand |
//! | WebP | libwebp by `webp`; lossless by `image-webp` without feature `webp` | nothing else writes lossy WebP |
//!
//! Measured as in [`super::decode`], RGB pixels of 4000 × 3000 at quality 90: libjpeg-turbo 4:2:0
//! 40 ms (1.46 MB) and 4:4:4 60 ms (1.62 MB), `jpeg-encoder` 4:2:0 218 ms; PNG 413 ms (11.6 MB), small
//! 10.1 s; lossy WebP at quality 85 1.45 s.

mod background;
mod grey;
mod jpeg;
mod png;
mod webp;

use mediaprep_media::{Dimensions, Error, LimitExceeded, MimeType, Raster};
use serde::{Deserialize, Serialize};

#[cfg(feature = "turbo")]
use super::planes::Planes;
pub(crate) use background::flatten;

/// How finely JPEG keeps colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chroma {
    /// 4:4:4 where the source is a JPEG file of that kind or no JPEG file with few colours; 4:2:0
    /// otherwise.
    #[default]
    Auto,
    /// 4:2:0: a quarter of the colour samples, as photographs are usually kept.
    Subsampled,
    /// 4:4:4: every colour sample, for thin coloured lines and text.
    Full,
}

/// The format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputFormat {
    /// JPEG, baseline; transparency is composed on the background.
    Jpeg,
    /// PNG; `small` spends about forty times the time on a tenth of the size.
    Png {
        /// Whether to search for the smallest file.
        small: bool,
    },
    /// WebP, lossy; lossless in a build without libwebp.
    Webp,
}

impl OutputFormat {
    /// The type of what comes out.
    pub const fn mime(self) -> MimeType {
        match self {
            Self::Jpeg => MimeType::Jpeg,
            Self::Png { .. } => MimeType::Png,
            Self::Webp => MimeType::Webp,
        }
    }

    /// Whether transparency survives.
    pub const fn keeps_alpha(self) -> bool {
        !matches!(self, Self::Jpeg)
    }
}

/// How pixels become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// The format.
    pub format: OutputFormat,
    /// Quality of JPEG and WebP, 1 to 100.
    pub quality: u8,
    /// Colour samples of JPEG.
    pub chroma: Chroma,
}

/// Encodes a raster of sRGB pixels. No metadata is written.
///
/// JPEG and PNG files of pixels without any colour have one channel, whatever the raster has.
///
/// JPEG holds no transparency: pixels that show through are composed on white, the default of
/// [`RenderOptions::background`](super::RenderOptions::background).
///
/// # Errors
///
/// [`Error::Limit`] when a side is beyond what the format holds (65 535 for JPEG, 16 383 for WebP);
/// [`Error::Unsupported`] for a quality outside 1 to 100.
pub fn encode(raster: &Raster, encoding: &Encoding) -> Result<Vec<u8>, Error> {
    Encoder::new().encode(raster, encoding)
}

/// An encoder that keeps what can be used again: libjpeg-turbo's compressor.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    jpeg: jpeg::Compressor,
}

impl Encoder {
    /// Holds nothing until the first picture comes.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// As [`encode`].
    pub(crate) fn encode(
        &mut self,
        raster: &Raster,
        encoding: &Encoding,
    ) -> Result<Vec<u8>, Error> {
        let quality = Quality::new(encoding.quality)?;
        let grey = match encoding.format {
            OutputFormat::Webp => None,
            _ => grey::without_colour(raster),
        };
        let raster = grey.as_ref().unwrap_or(raster);
        match encoding.format {
            OutputFormat::Jpeg => self.jpeg.encode(raster, quality, encoding.chroma),
            OutputFormat::Png { small } => png::encode(raster, small),
            OutputFormat::Webp => webp::encode(raster, quality),
        }
    }

    /// Encodes planes as JPEG with the sampling that they have.
    #[cfg(feature = "turbo")]
    pub(crate) fn encode_planes(&mut self, planes: &Planes, quality: u8) -> Result<Vec<u8>, Error> {
        self.jpeg.encode_planes(planes, Quality::new(quality)?)
    }
}

/// A quality of 1 to 100. Clamping would give a file that nobody asked for.
#[derive(Clone, Copy, Debug)]
struct Quality(u8);

impl Quality {
    fn new(quality: u8) -> Result<Self, Error> {
        if !(1..=100).contains(&quality) {
            return Err(Error::Unsupported("a quality outside 1 to 100"));
        }
        Ok(Self(quality))
    }
}

/// Refuses a picture with a side that the format's header has no room for.
fn check_sides(size: Dimensions, limit: u32) -> Result<(), Error> {
    let actual = size.width().max(size.height());
    if actual <= limit {
        return Ok(());
    }
    let (limit, actual) = (u64::from(limit), u64::from(actual));
    Err(LimitExceeded { what: "side in pixels", limit, actual }.into())
}

/// What an encoder's own failure becomes; its input was checked, so none is expected.
const fn gave_up(format: &'static str) -> Error {
    Error::malformed(format, 0, "the encoder gave up on these pixels")
}

#[cfg(test)]
mod tests;
