//! HEIF with HEVC by `heifer`, which applies the container's crop, rotation and mirroring.

pub(super) mod work;

use heifer::heifer_isobmff::boxes::{ColorInfo, Property};
use heifer::heifer_isobmff::{self, HeifFile, ItemId};
use heifer::{Image, Options, heifer_hevc_dec};
use mediaprep_media::{Error, Warned, Warning};

use super::colour::Conversion;
use super::depth::{self, Channels};
use super::{BROKEN, Pixels, Source};

/// Derived items nested deeper than this are refused by `heifer` too.
const MAX_DEPTH: usize = 4;

/// Decodes the primary picture, 10 and 12 bits rounded to 8. Exif orientation is not asked for:
/// in HEIF it only repeats what the container says.
pub(super) fn decode(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    let file = HeifFile::parse(source.bytes).map_err(|error| container(&error))?;
    work::check(&file, source.info.stored)?;
    let options = Options { max_threads: 1, max_pixels: coded_pixels(source) };
    let image = heifer::decode_rgba8(source.bytes, &options).map_err(|error| failure(&error))?;
    source.check_size("HEIF", image.width, image.height)?;
    let mut warnings = Vec::new();
    let (mut data, channels) = samples(image);
    conversion(&file, channels, &mut warnings).apply(&mut data, channels);
    let value = depth::raster(data, channels, source.info.stored, true)?;
    Ok(Warned { value: Pixels::Raster(value), warnings })
}

/// Pixels that one coded picture may have: those shown, and what `clap` may cut off, within the
/// limit on pixels decoded.
fn coded_pixels(source: &Source<'_>) -> u64 {
    work::coded_pixels(source.info.stored).min(source.options.limits.max_decoded_pixels).max(1)
}

/// `heifer` always gives four channels.
fn samples(image: Image<u8>) -> (Vec<u8>, Channels) {
    if image.has_alpha { (image.data, Channels::Rgba) } else { (image.into_rgb8(), Channels::Rgb) }
}

/// What the `colr` property of the primary item asks for, or of the first of the items that it is
/// made from.
fn conversion(file: &HeifFile<'_>, channels: Channels, warnings: &mut Vec<Warning>) -> Conversion {
    let mut item = file.primary_id;
    for _ in 0..=MAX_DEPTH {
        match colour(file, item) {
            Some(ColorInfo::Icc(profile)) => {
                return Conversion::new(Some(profile), channels, warnings);
            }
            Some(ColorInfo::Nclx { primaries, transfer, .. }) => {
                return Conversion::from_code_points(*primaries, *transfer, channels);
            }
            None => {}
        }
        match file.referenced_items(item, b"dimg").first() {
            Some(&first) => item = first,
            None => break,
        }
    }
    Conversion::None
}

/// The item's colour profile, or its code points when it has none; some files carry both. A
/// profile of no bytes is none.
fn colour<'a>(file: &'a HeifFile<'_>, item: ItemId) -> Option<&'a ColorInfo> {
    let listed = || {
        file.item_properties(item).ok().into_iter().flatten().filter_map(
            |property| match property {
                Property::Color(colour) => Some(colour),
                _ => None,
            },
        )
    };
    let is_profile =
        |colour: &&ColorInfo| matches!(colour, ColorInfo::Icc(bytes) if !bytes.is_empty());
    let is_nclx = |colour: &&ColorInfo| matches!(colour, ColorInfo::Nclx { .. });
    listed().find(is_profile).or_else(|| listed().find(is_nclx))
}

const UNSUPPORTED: &str = "a HEIF file without a still picture coded with HEVC";

fn failure(error: &heifer::Error) -> Error {
    match error {
        heifer::Error::Container(error) => container(error),
        heifer::Error::Unsupported(_)
        | heifer::Error::Hevc(heifer_hevc_dec::Error::Unimplemented(_)) => {
            Error::Unsupported(UNSUPPORTED)
        }
        _ => Error::malformed("HEIF", 0, BROKEN),
    }
}

fn container(error: &heifer_isobmff::Error) -> Error {
    match error {
        // Image sequences have no `meta` box.
        heifer_isobmff::Error::MissingBox(kind) if &kind.0 == b"meta" => {
            Error::Unsupported(UNSUPPORTED)
        }
        heifer_isobmff::Error::Unimplemented(_) => Error::Unsupported(UNSUPPORTED),
        _ => Error::malformed("HEIF", 0, "the item tables are damaged"),
    }
}
