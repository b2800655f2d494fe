//! From bytes to pixels as stored, at full size or shrunk while decoding.
//!
//! | format | library | why |
//! |---|---|---|
//! | JPEG | libjpeg-turbo by `turbojpeg`; `image` (zune-jpeg) without feature `turbo` | the faster one, shrinks on the way, gives the planes as coded |
//! | PNG | `png` | leaves the rows before a cut, skips texts unread |
//! | WebP | libwebp by `webp` for still files; `image` without feature `webp` and for animations | half the time |
//! | GIF | `gif` | `image` cuts off what reaches beyond the screen, which browsers show |
//! | BMP, TIFF | `image` | all that is common; of TIFF the first page |
//! | HEIF with HEVC | `heifer` | no C, no system library |
//! | colour profiles | `moxcms` | RGB, grey and CMYK in pure Rust |
//! | AVIF, JPEG XL | none | not taken by the service either |
//!
//! Measured on a photograph of 4000 × 3000 pixels (4:2:0, quality 92, 1.5 MB), CPU milliseconds of
//! one thread, best of several runs on a busy EPYC, dependencies at `opt-level = 2`:
//!
//! | JPEG | full | 1/2 | 1/4 | 1/8 |
//! |---|---|---|---|---|
//! | libjpeg-turbo to planes | 34 | 28 | 24 | 18 |
//! | libjpeg-turbo to RGB | 56 | 28 | | |
//! | the same with a Display P3 profile | 87 | 39 | | |
//! | zune-jpeg to RGB | 79 | | | |
//!
//! | other formats, full size | ms |
//! |---|---|
//! | PNG (11.6 MB) | 153 |
//! | WebP, quality 85: libwebp / image-webp | 154 / 457 |
//! | HEIC, 48 tiles, 12 MP | 968 |

mod colour;
mod depth;
mod gif;
mod heif;
#[cfg(feature = "turbo")]
mod inks;
mod jpeg;
#[cfg(feature = "turbo")]
mod jpeg_turbo;
mod memory;
mod png;
pub(super) mod segments;
#[cfg(test)]
mod tests;
mod through_image;
mod webp;

use std::panic::{AssertUnwindSafe, catch_unwind};

use mediaprep_media::{
    Dimensions, Error, Limits, MimeType, Orientation, Raster, Warned, Warning, WarningCode,
};

pub use memory::decode_peak_bytes;

use super::planes::Planes;
use crate::ImageInfo;

/// How a picture is decoded.
#[derive(Clone, Debug, Default)]
pub struct DecodeOptions {
    /// Checked on the header, before anything is allocated.
    pub limits: Limits,
    /// Keep what can be shown of a file that is cut short or damaged; an error otherwise.
    pub allow_truncated: bool,
    /// The size, upright, below which the decoded picture must not fall: a decoder that can shrink
    /// on the way (JPEG) shrinks to at least this. `None` asks for the full size.
    pub at_least: Option<Dimensions>,
    /// Whether the picture may come as luma and chroma planes, which saves the way to RGB and back
    /// when the output is JPEG again.
    pub planes: bool,
}

/// A decoded picture, not yet turned upright.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The pixels, as stored in the file; smaller than `stored` when shrunk while decoding.
    pub(crate) pixels: Pixels,
    /// The size of the whole picture as stored.
    pub(crate) stored: Dimensions,
    /// What is still to be done to turn it upright.
    pub(crate) orientation: Orientation,
}

/// Where the pixels are.
#[derive(Clone, Debug)]
pub(crate) enum Pixels {
    /// Packed grey, RGB or RGBA.
    Raster(Raster),
    /// JPEG's own planes.
    #[cfg_attr(
        all(not(feature = "turbo"), not(test)),
        expect(dead_code, reason = "libjpeg-turbo alone gives planes")
    )]
    Planes(Planes),
}

impl Picture {
    /// The size of the whole picture as it is shown.
    pub const fn displayed(&self) -> Dimensions {
        self.stored.oriented(self.orientation)
    }
}

/// Decodes a picture of the given type and header facts into sRGB. Of several frames or pages the
/// first one is decoded.
///
/// A colour profile that is not sRGB is converted; one that cannot be used is ignored with a
/// warning. Damage that decoders repair without loss, such as stray bytes between the segments of
/// a JPEG file, gives a warning too. A panic inside a decoder is caught and becomes
/// [`Error::Malformed`]; the panic hook still prints its line.
///
/// # Errors
///
/// [`Error::Limit`] before anything is allocated; [`Error::Malformed`] for damage, also for cut
/// files unless [`DecodeOptions::allow_truncated`] and the decoder leaves what it has read, as for
/// JPEG, PNG, BMP and GIF; [`Error::Unsupported`] for what nothing here decodes.
pub fn decode(
    bytes: &[u8],
    mime: MimeType,
    info: &ImageInfo,
    options: &DecodeOptions,
) -> Result<Warned<Picture>, Error> {
    options.limits.check_decoded(info.stored)?;
    let (name, read) = decoder(mime)?;
    let source = Source { bytes, info, options };
    let decoded = guarded(name, || read(&source))?;
    let (stored, orientation) = (info.stored, info.orientation);
    Ok(decoded.map(|pixels| Picture { pixels, stored, orientation }))
}

/// A decoder's panic as an error: a hostile file must not take the caller down.
fn guarded<T>(name: &'static str, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(Error::malformed(
        name,
        0,
        "the decoder gave up",
    )))
}

/// What every decoder is given.
struct Source<'a> {
    bytes: &'a [u8],
    info: &'a ImageInfo,
    options: &'a DecodeOptions,
}

type Decoder = fn(&Source<'_>) -> Result<Warned<Pixels>, Error>;

/// The usual name of the type and what reads it.
fn decoder(mime: MimeType) -> Result<(&'static str, Decoder), Error> {
    Ok(match mime {
        MimeType::Jpeg => ("JPEG", jpeg::decode),
        MimeType::Png => ("PNG", png::decode),
        MimeType::Webp => ("WebP", webp::decode),
        MimeType::Gif => ("GIF", gif::decode),
        MimeType::Bmp => ("BMP", through_image::bmp),
        MimeType::Tiff => ("TIFF", through_image::tiff),
        MimeType::Heic | MimeType::Heif => ("HEIF", heif::decode),
        MimeType::Avif => {
            return Err(Error::Unsupported("AVIF pixels, which no decoder in this build reads,"));
        }
        MimeType::Jxl => {
            return Err(Error::Unsupported(
                "JPEG XL pixels, which no decoder in this build reads,",
            ));
        }
        MimeType::Svg => {
            return Err(Error::Unsupported("SVG, which has no pixels until it is drawn,"));
        }
        _ => return Err(Error::Unsupported("a file that is no still picture")),
    })
}

impl Source<'_> {
    /// Refuses a decoder that sees another size than the header probe, whose size was checked.
    fn check_size(&self, name: &'static str, width: u32, height: u32) -> Result<(), Error> {
        if Dimensions::new(width, height) == Some(self.info.stored) {
            return Ok(());
        }
        Err(Error::malformed(name, 0, "the picture data have another size than the header"))
    }

    /// Whether the header announces transparency, or does not say.
    fn announces_alpha(&self) -> bool {
        self.info.has_alpha != Some(false)
    }
}

/// Why strict decoding refuses a file that is cut.
const CUT: &str = "the file ends before the picture is complete";
/// Why strict decoding refuses a file whose picture data break their rules.
const BROKEN: &str = "the picture data are damaged";

/// The warning that stands for such an error when what was decoded is kept.
fn kept(reason: &'static str) -> Warning {
    Warning::new(WarningCode::Damaged, reason)
}
