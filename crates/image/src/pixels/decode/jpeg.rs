//! JPEG: which decoder takes the file, and the one without feature `turbo`.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use mediaprep_media::{Error, Warned};

use super::through_image::{self, Family};
use super::{CUT, DecodeOptions, Pixels, Source, kept, segments};
use crate::ImageInfo;

/// Where libjpeg draws its own line (`JPEG_MAX_DIMENSION`); the header has room for 65 535.
#[cfg(feature = "turbo")]
const MAX_TURBO_SIDE: u32 = 65_500;

const FAMILY: Family = Family {
    name: "JPEG",
    unsupported: "a JPEG file of this kind (the build has no libjpeg-turbo)",
    leaves_rows: false,
};

/// By how much the picture is shrunk on the way: the most that leaves both sides as long as asked
/// for. libjpeg-turbo knows every eighth, but has vector code for 1/8, 2/8 and 4/8 alone: 6/8 and
/// 7/8 take longer than the full size.
#[cfg(feature = "turbo")]
pub(super) fn divisor(info: &ImageInfo, options: &DecodeOptions) -> usize {
    let Some(upright) = options.at_least else { return 1 };
    let (stored, least) = (info.stored, upright.oriented(info.orientation));
    if stored.long() > MAX_TURBO_SIDE {
        return 1;
    }
    [8, 4, 2]
        .into_iter()
        .find(|&divisor| {
            stored.width().div_ceil(divisor) >= least.width()
                && stored.height().div_ceil(divisor) >= least.height()
        })
        .map_or(1, |divisor| divisor as usize)
}

/// zune-jpeg always gives the full size.
#[cfg(not(feature = "turbo"))]
pub(super) const fn divisor(_: &ImageInfo, _: &DecodeOptions) -> usize {
    1
}

/// Decodes a file of 8 bits a channel.
pub(super) fn decode(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    if source.info.bit_depth.is_some_and(|depth| depth != 8) {
        return Err(Error::Unsupported("a JPEG file with another depth than 8 bits"));
    }
    #[cfg(feature = "turbo")]
    if source.info.stored.long() <= MAX_TURBO_SIDE {
        return super::jpeg_turbo::decode(source);
    }
    pure(source)
}

/// Decodes through zune-jpeg. It repairs damage without a word, so of cut files only the missing
/// end marker tells; four inks come as RGB by the plain formula, whatever their profile says.
fn pure(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    // The frame headers of the arithmetic processes (T.81, table B.1), which zune-jpeg calls damage.
    if segments::segments(source.bytes)
        .any(|segment| matches!(segment.code, 0xc9..=0xcb | 0xcd..=0xcf))
    {
        return Err(Error::Unsupported(FAMILY.unsupported));
    }
    let is_cut = !segments::has_end(source.bytes);
    if is_cut && !source.options.allow_truncated {
        return Err(Error::malformed("JPEG", 0, CUT));
    }
    let decoder = JpegDecoder::new(Cursor::new(source.bytes))
        .map_err(|error| through_image::failure(&error, &FAMILY, source).1)?;
    let is_inks = source.info.jpeg.is_some_and(|coding| coding.components == 4);
    let profile = if is_inks { None } else { segments::profile(source.bytes) };
    let mut decoded = through_image::still(decoder, profile, &FAMILY, source)?;
    if is_cut {
        decoded.warnings.push(kept(CUT));
    }
    Ok(decoded)
}
