//! PNG by `png`: the default picture, all depths and colour types.

use std::io::{Cursor, ErrorKind};

use mediaprep_media::{Error, LimitExceeded, Warned, Warning};
use png::{BitDepth, ColorType, DecodingError, Limits, Reader, Transformations};

use super::colour::Conversion;
use super::depth::{Channels, buffer, narrow_16, raster};
use super::{BROKEN, CUT, Pixels, Source, kept};

type PngReader<'a> = Reader<Cursor<&'a [u8]>>;

/// For colour profiles and other chunks before the picture; `png` skips larger profiles, and texts
/// are not kept at all.
const CHUNK_BYTES: usize = 4 << 20;

/// Bytes that `png` may hold beside the picture: the chunks, and rows of up to 8 bytes a pixel.
pub(super) fn held_bytes(width: u32) -> usize {
    CHUNK_BYTES + width as usize * 16
}

/// Decodes the default picture. The colours are those of the `iCCP` chunk; `gAMA` and `cHRM` are
/// ignored, as by most programs.
pub(super) fn decode(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    let mut reader = open(source)?;
    let (channels, is_wide) = layout(reader.output_color_type())?;
    let bytes = channels.count() * if is_wide { 2 } else { 1 };
    let mut data = buffer(source.info.stored, channels, bytes)?;
    let mut warnings = read(&mut reader, &mut data, source)?;
    let conversion = Conversion::new(reader.info().icc_profile.as_deref(), channels, &mut warnings);
    if is_wide {
        narrow_16(&mut data, u16::from_be_bytes);
    }
    conversion.apply(&mut data, channels);
    let value = raster(data, channels, source.info.stored, source.announces_alpha())?;
    Ok(Warned { value: Pixels::Raster(value), warnings })
}

fn open<'a>(source: &Source<'a>) -> Result<PngReader<'a>, Error> {
    let bytes = held_bytes(source.info.stored.width());
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(source.bytes), Limits { bytes });
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let map = |error| failure(&error, bytes).1;
    let (width, height) = decoder.read_header_info().map_err(map)?.size();
    source.check_size("PNG", width, height)?;
    decoder.read_info().map_err(map)
}

/// Fills the buffer; what is left of a cut or damaged file stays black.
fn read(
    reader: &mut PngReader<'_>,
    data: &mut [u8],
    source: &Source<'_>,
) -> Result<Vec<Warning>, Error> {
    let Err(error) = reader.next_frame(data) else { return Ok(Vec::new()) };
    let (reason, strict) = failure(&error, held_bytes(source.info.stored.width()));
    match reason {
        Some(reason) if source.options.allow_truncated => Ok(vec![kept(reason)]),
        _ => Err(strict),
    }
}

/// The channels after expansion, and whether samples have 16 bits.
fn layout((colour, depth): (ColorType, BitDepth)) -> Result<(Channels, bool), Error> {
    let channels = match colour {
        ColorType::Grayscale => Channels::Gray,
        ColorType::GrayscaleAlpha => Channels::GrayAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Indexed => return Err(Error::malformed("PNG", 0, "colours without a palette")),
    };
    Ok((channels, depth == BitDepth::Sixteen))
}

/// The error, and its reason when it is damage.
fn failure(error: &DecodingError, limit: usize) -> (Option<&'static str>, Error) {
    let reason = match error {
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => CUT,
        DecodingError::LimitsExceeded => {
            let limit = limit as u64;
            // By how much it is exceeded is not told.
            let (what, actual) = ("decoding memory in bytes", limit.saturating_add(1));
            return (None, LimitExceeded { what, limit, actual }.into());
        }
        _ => BROKEN,
    };
    (Some(reason), Error::malformed("PNG", 0, reason))
}
