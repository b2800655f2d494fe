//! What the decoders of `image` read: BMP, TIFF, and what faster ones leave over.

use std::io::{Cursor, ErrorKind};

use image::codecs::bmp::BmpDecoder;
use image::codecs::tiff::TiffDecoder;
use image::{ColorType, ExtendedColorType, ImageDecoder, ImageError, ImageResult, Limits};
use mediaprep_media::{Dimensions, Error, LimitExceeded, Warned, Warning};

use super::colour::Conversion;
use super::depth::{Channels, buffer, narrow_16, narrow_float, raster};
use super::{BROKEN, CUT, Pixels, Source, kept};

/// What differs from format to format.
pub(super) struct Family {
    /// The format's usual name.
    pub(super) name: &'static str,
    /// What to say of files that the decoder does not know.
    pub(super) unsupported: &'static str,
    /// Whether the rows before a cut lie in the buffer when the decoder stops.
    pub(super) leaves_rows: bool,
}

const BMP: Family =
    Family { name: "BMP", unsupported: "a BMP file of this kind", leaves_rows: true };
const TIFF: Family = Family {
    name: "TIFF",
    unsupported: "a TIFF file with this colour type, depth or compression",
    leaves_rows: false,
};

/// Decodes a bitmap.
pub(super) fn bmp(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    open(BmpDecoder::new(Cursor::new(source.bytes)), &BMP, source)
}

/// Decodes the first page. Four inks become RGB by the plain formula.
pub(super) fn tiff(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    open(TiffDecoder::new(Cursor::new(source.bytes)), &TIFF, source)
}

/// Decodes with the profile that the decoder finds.
fn open<D: ImageDecoder>(
    decoder: ImageResult<D>,
    family: &Family,
    source: &Source<'_>,
) -> Result<Warned<Pixels>, Error> {
    let mut decoder = decoder.map_err(|error| failure(&error, family, source).1)?;
    let is_inks = matches!(
        decoder.original_color_type(),
        ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16
    );
    let profile = if is_inks { None } else { decoder.icc_profile().ok().flatten() };
    still(decoder, profile, family, source)
}

/// Decodes, brings the samples to 8 bits and the colours to sRGB.
pub(super) fn still<D: ImageDecoder>(
    mut decoder: D,
    profile: Option<Vec<u8>>,
    family: &Family,
    source: &Source<'_>,
) -> Result<Warned<Pixels>, Error> {
    let (size, colour) = (source.info.stored, decoder.color_type());
    let (width, height) = decoder.dimensions();
    source.check_size(family.name, width, height)?;
    decoder.set_limits(limits(size)).map_err(|error| failure(&error, family, source).1)?;
    let (channels, narrow) = layout(colour).ok_or(Error::Unsupported(family.unsupported))?;
    let mut data = buffer(size, channels, usize::from(colour.bytes_per_pixel()))?;
    let mut warnings = read(decoder, &mut data, family, source)?;
    narrow(&mut data);
    let conversion = Conversion::new(profile.as_deref(), channels, &mut warnings);
    conversion.apply(&mut data, channels);
    let value = raster(data, channels, size, source.announces_alpha())?;
    Ok(Warned { value: Pixels::Raster(value), warnings })
}

fn read<D: ImageDecoder>(
    decoder: D,
    data: &mut [u8],
    family: &Family,
    source: &Source<'_>,
) -> Result<Vec<Warning>, Error> {
    let Err(error) = decoder.read_image(data) else { return Ok(Vec::new()) };
    let (reason, strict) = failure(&error, family, source);
    let is_kept = source.options.allow_truncated && family.leaves_rows;
    match reason {
        Some(reason) if is_kept && data.iter().any(|&byte| byte != 0) => Ok(vec![kept(reason)]),
        _ => Err(strict),
    }
}

/// Bytes that a decoder of `image` may hold: the picture and as much again for the strips that it
/// is made from, in the widest samples there are (four floats).
fn allocation(size: Dimensions) -> u64 {
    size.pixels().saturating_mul(32).saturating_add(1 << 20)
}

fn limits(size: Dimensions) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(size.width());
    limits.max_image_height = Some(size.height());
    limits.max_alloc = Some(allocation(size));
    limits
}

/// Brings samples to 8 bits.
type Narrow = fn(&mut Vec<u8>);

/// The channels, and what brings their samples to 8 bits.
fn layout(colour: ColorType) -> Option<(Channels, Narrow)> {
    let keep: Narrow = |_| {};
    let wide: Narrow = |data| narrow_16(data, u16::from_ne_bytes);
    Some(match colour {
        ColorType::L8 => (Channels::Gray, keep),
        ColorType::La8 => (Channels::GrayAlpha, keep),
        ColorType::Rgb8 => (Channels::Rgb, keep),
        ColorType::Rgba8 => (Channels::Rgba, keep),
        ColorType::L16 => (Channels::Gray, wide),
        ColorType::La16 => (Channels::GrayAlpha, wide),
        ColorType::Rgb16 => (Channels::Rgb, wide),
        ColorType::Rgba16 => (Channels::Rgba, wide),
        ColorType::Rgb32F => (Channels::Rgb, narrow_float),
        ColorType::Rgba32F => (Channels::Rgba, narrow_float),
        _ => return None,
    })
}

/// The error, and its reason when it is damage.
pub(super) fn failure(
    error: &ImageError,
    family: &Family,
    source: &Source<'_>,
) -> (Option<&'static str>, Error) {
    let reason = match error {
        ImageError::Unsupported(_) => return (None, Error::Unsupported(family.unsupported)),
        ImageError::Limits(_) => return (None, too_much(source.info.stored)),
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => CUT,
        _ => BROKEN,
    };
    (Some(reason), Error::malformed(family.name, 0, reason))
}

/// By how much the limit is exceeded is not told, so it counts as one byte.
fn too_much(size: Dimensions) -> Error {
    let limit = allocation(size);
    let (what, actual) = ("decoding memory in bytes", limit.saturating_add(1));
    LimitExceeded { what, limit, actual }.into()
}
