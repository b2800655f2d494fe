//! GIF by `gif`: the first frame on a transparent canvas that holds screen and frame, as the header
//! probe measures it.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodingError, MemoryLimit};
use mediaprep_media::{Error, LimitExceeded, Warned, Warning};

use super::colour::Conversion;
use super::depth::{Channels, buffer, raster};
use super::{BROKEN, CUT, Pixels, Source, kept};

type Reader<'a> = gif::Decoder<&'a [u8]>;

/// Bytes of a pixel.
const CHANNELS: usize = 4;

/// A frame's place on the canvas, in pixels.
struct Place {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

/// Decodes the first frame.
pub(super) fn decode(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    let mut reader = open(source)?;
    let place = first_frame(&mut reader, source)?;
    let canvas = source.info.stored;
    let mut data = buffer(canvas, Channels::Rgba, CHANNELS)?;
    let mut warnings = read(&mut reader, &mut data, &place, source)?;
    let conversion = Conversion::new(reader.icc_profile(), Channels::Rgba, &mut warnings);
    conversion.apply(&mut data, Channels::Rgba);
    let value = raster(data, Channels::Rgba, canvas, source.announces_alpha())?;
    Ok(Warned { value: Pixels::Raster(value), warnings })
}

fn open<'a>(source: &Source<'a>) -> Result<Reader<'a>, Error> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let limit = NonZeroU64::new(limit(source)).unwrap_or(NonZeroU64::MIN);
    options.set_memory_limit(MemoryLimit::Bytes(limit));
    options.read_info(source.bytes).map_err(|error| failure(&error, source).1)
}

/// What one frame may take: colours and palette indices.
const fn limit(source: &Source<'_>) -> u64 {
    source.info.stored.pixels().saturating_mul(CHANNELS as u64 + 1)
}

fn first_frame(reader: &mut Reader<'_>, source: &Source<'_>) -> Result<Place, Error> {
    let frame = reader
        .next_frame_info()
        .map_err(|error| failure(&error, source).1)?
        .ok_or(Error::malformed("GIF", 0, CUT))?;
    let place = Place {
        left: frame.left.into(),
        top: frame.top.into(),
        width: frame.width.into(),
        height: frame.height.into(),
    };
    let (width, height) = sides(source);
    if place.left + place.width > width || place.top + place.height > height {
        return Err(Error::malformed("GIF", 0, "a first frame beyond the size in the header"));
    }
    Ok(place)
}

const fn sides(source: &Source<'_>) -> (usize, usize) {
    (source.info.stored.width() as usize, source.info.stored.height() as usize)
}

/// Fills the frame's place on the canvas; what is left of a cut or damaged frame stays transparent.
fn read(
    reader: &mut Reader<'_>,
    canvas: &mut [u8],
    place: &Place,
    source: &Source<'_>,
) -> Result<Vec<Warning>, Error> {
    let (width, _) = sides(source);
    let (stride, row) = (width * CHANNELS, place.width * CHANNELS);
    let result = if place.width == width {
        // Whole rows of the canvas can be read where they belong.
        reader.read_into_buffer(&mut canvas[place.top * stride..][..place.height * stride])
    } else {
        let mut frame = vec![0; place.height * row];
        let result = reader.read_into_buffer(&mut frame);
        let rows = canvas.chunks_exact_mut(stride).skip(place.top);
        for (to, from) in rows.zip(frame.chunks_exact(row)) {
            to[place.left * CHANNELS..][..row].copy_from_slice(from);
        }
        result
    };
    let Err(error) = result else { return Ok(Vec::new()) };
    match failure(&error, source) {
        (Some(reason), _) if source.options.allow_truncated => Ok(vec![kept(reason)]),
        (_, strict) => Err(strict),
    }
}

/// The error, and its reason when it is damage.
fn failure(error: &DecodingError, source: &Source<'_>) -> (Option<&'static str>, Error) {
    let reason = match error {
        DecodingError::MemoryLimit | DecodingError::OutOfMemory => {
            let limit = limit(source);
            // By how much it is exceeded is not told.
            let (what, actual) = ("decoding memory in bytes", limit.saturating_add(1));
            return (None, LimitExceeded { what, limit, actual }.into());
        }
        DecodingError::UnexpectedEof | DecodingError::Io(_) => CUT,
        _ => BROKEN,
    };
    (Some(reason), Error::malformed("GIF", 0, reason))
}
