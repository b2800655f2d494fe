//! The first entry of a sample description (`stsd`): codec, size, rate and channels.
//! ISO/IEC 14496-12, section 8.5.2, and the QuickTime File Format for versions 1 and 2 of a sound
//! entry.

use mediaprep_media::bmff::{FourCc, children, find};

use super::codec::{self, SoundFormat};
use crate::PixelAspect;
use crate::window::Fields;

/// Bytes of a video entry before its boxes.
const VISUAL_ENTRY: usize = 78;
/// Bytes of a sound entry of version 0 before its boxes.
const SOUND_ENTRY: usize = 28;

/// What a sample entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SampleEntry {
    pub(super) codec: String,
    pub(super) protected: bool,
    pub(super) visual: Option<Visual>,
    pub(super) sound: Option<SoundFormat>,
}

/// The picture side of a sample entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visual {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) pixel_aspect: PixelAspect,
}

/// Reads the first entry of an `stsd` box whose track has the given handler.
pub(super) fn first_entry(body: &[u8], handler: FourCc) -> Option<SampleEntry> {
    let mut fields = Fields(body);
    let (version, _) = fields.full_box()?;
    fields.skip(4)?;
    let (header, entry) = children(fields.0, 0).next()?;
    Some(match &handler {
        b"vide" | b"auxv" => visual_entry(header.kind, entry),
        b"soun" => sound_entry(header.kind, entry, version),
        _ => plain_entry(header.kind),
    })
}

fn plain_entry(kind: FourCc) -> SampleEntry {
    let protected = matches!(&kind, b"encv" | b"enca" | b"enct" | b"encs" | b"drms" | b"drmi");
    SampleEntry { codec: codec::name(kind), protected, visual: None, sound: None }
}

/// The entry with the name of the format that an encrypted one hides.
fn with_original_format(kind: FourCc, boxes: &[u8]) -> SampleEntry {
    let mut entry = plain_entry(kind);
    let original = find(boxes, b"sinf").and_then(|info| find(info, b"frma"));
    if let Some(original) = original.and_then(|frma| frma.first_chunk::<4>()) {
        entry.codec = codec::name(*original);
        entry.protected = true;
    }
    entry
}

fn visual_entry(kind: FourCc, body: &[u8]) -> SampleEntry {
    let boxes = body.get(VISUAL_ENTRY..).unwrap_or_default();
    let mut entry = with_original_format(kind, boxes);
    let mut fields = Fields(body.get(24..).unwrap_or_default());
    if let (Some(width), Some(height)) = (fields.u16(), fields.u16()) {
        let pixel_aspect = find(boxes, b"pasp").and_then(pixel_aspect);
        let pixel_aspect = pixel_aspect.unwrap_or(PixelAspect::SQUARE);
        entry.visual = Some(Visual { width, height, pixel_aspect });
    }
    if &kind == b"mp4v"
        && let Some(object) = find(boxes, b"esds").and_then(codec::object_type)
    {
        entry.codec = codec::name_of_object(object).unwrap_or(&entry.codec).to_owned();
    }
    entry
}

fn pixel_aspect(body: &[u8]) -> Option<PixelAspect> {
    let mut fields = Fields(body);
    PixelAspect::new(fields.u32()?, fields.u32()?)
}

fn sound_entry(kind: FourCc, body: &[u8], table_version: u8) -> SampleEntry {
    let (format, header) = sound_fields(body, table_version).unwrap_or_default();
    let boxes = body.get(header..).unwrap_or_default();
    let mut entry = with_original_format(kind, boxes);
    // QuickTime wraps the codec's boxes into one of its own.
    let wrapped = find(boxes, b"wave").unwrap_or_default();
    let boxed = |name: &[u8; 4]| find(boxes, name).or_else(|| find(wrapped, name));
    if let Some(object) = boxed(b"esds").and_then(codec::object_type) {
        entry.codec = codec::name_of_object(object).unwrap_or(&entry.codec).to_owned();
    }
    entry.sound = Some(codec::refine(format, &entry.codec, boxed));
    entry
}

/// The fixed fields of a sound entry, and how many bytes they take.
fn sound_fields(body: &[u8], table_version: u8) -> Option<(SoundFormat, usize)> {
    let mut fields = Fields(body.get(8..)?);
    // Versions 1 and 2 have QuickTime's meaning only below a table of version 0.
    let version = fields.u16().filter(|_| table_version == 0).unwrap_or(0);
    fields.skip(6)?;
    let channels = fields.u16()?;
    fields.skip(6)?;
    let sample_rate = fields.u32()? >> 16;
    let format = SoundFormat { sample_rate, channels };
    match version {
        0 => Some((format, SOUND_ENTRY)),
        1 => Some((format, SOUND_ENTRY + 16)),
        _ => {
            fields.skip(4)?;
            let sample_rate = whole_part(u64::from_be_bytes(fields.take()?));
            let channels = u16::try_from(fields.u32()?).unwrap_or(0);
            Some((SoundFormat { sample_rate, channels }, SOUND_ENTRY + 36))
        }
    }
}

/// The whole part of an IEEE 754 double, worked out in integers; 0 where it is negative, below one
/// or beyond 32 bits.
fn whole_part(bits: u64) -> u32 {
    let exponent = (bits >> 52) as i64 - 1023;
    if !(0..32).contains(&exponent) {
        return 0;
    }
    let mantissa = (bits & ((1 << 52) - 1)) | 1 << 52;
    u32::try_from(mantissa >> (52 - exponent)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_cut_to_whole_numbers() {
        for (value, whole) in
            [(44_100.0f64, 44_100), (1.0, 1), (192_000.5, 192_000), (0.5, 0), (-8.0, 0), (1e12, 0)]
        {
            assert_eq!(whole_part(value.to_bits()), whole, "{value}");
        }
        assert_eq!(whole_part(f64::NAN.to_bits()), 0);
    }
}
