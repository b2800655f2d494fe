//! HEIF with any coding (HEIC, AVIF): the primary item and what is done to it before it is shown.
//! ISO/IEC 23008-12 (HEIF), 14496-12 (boxes), 23000-22 (MIAF).

use mediaprep_media::bmff::{BoxHeader, find};
use mediaprep_media::{Error, Limits, Orientation, Warned};

use crate::heif_items::Items;
use crate::reader::{Reader, WINDOW};
use crate::{ImageInfo, heif_sequence, size};

/// Boxes at the top of a file walked before giving up.
const MAX_BOXES: usize = 4096;

/// The facts of a HEIF file's primary picture.
pub(crate) fn probe(reader: &mut Reader<'_>, limits: &Limits) -> Result<Warned<ImageInfo>, Error> {
    let layout = Layout::read(reader)?;
    let frames = match &layout.moov {
        Some(moov) => {
            let body = load(reader, moov, limits)?;
            let track = heif_sequence::read(&body);
            if layout.meta.is_none() {
                return sequence(reader, limits, moov, track);
            }
            track.and_then(|track| track.frames)
        }
        None => Some(1),
    };
    let Some(meta) = &layout.meta else {
        return Err(reader.malformed(0, "neither a meta box nor a moov box"));
    };
    let length = reader.length();
    let info = if meta.body_length() <= WINDOW as u64 {
        let count = usize::try_from(meta.body_length()).unwrap_or(WINDOW);
        still(reader.peek(meta.body, count)?, meta, length)
    } else {
        still(&load(reader, meta, limits)?, meta, length)
    };
    let mut info = info?;
    limits.check_dimensions(info.stored)?;
    info.frames = frames;
    Ok(Warned::plain(info))
}

/// Where the boxes of interest lie.
struct Layout {
    meta: Option<BoxHeader>,
    /// Only looked for in files whose brands announce a sequence, or that have no still picture.
    moov: Option<BoxHeader>,
}

impl Layout {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut layout = Self { meta: None, moov: None };
        let mut has_sequence = false;
        let (mut at, length) = (0, reader.length());
        for _ in 0..MAX_BOXES {
            let Some(header) = BoxHeader::parse(reader.peek(at, 16)?, at, length)? else { break };
            match &header.kind {
                b"ftyp" => has_sequence = announces_sequence(reader, &header)?,
                b"meta" if layout.meta.is_none() => layout.meta = Some(header),
                b"moov" if layout.moov.is_none() => layout.moov = Some(header),
                _ => {}
            }
            if layout.meta.is_some() && (!has_sequence || layout.moov.is_some()) {
                break;
            }
            at = header.end;
        }
        if !has_sequence && layout.meta.is_some() {
            layout.moov = None;
        }
        Ok(layout)
    }
}

fn announces_sequence(reader: &mut Reader<'_>, ftyp: &BoxHeader) -> Result<bool, Error> {
    let count = usize::try_from(ftyp.body_length()).unwrap_or(WINDOW).min(512);
    let brands = reader.peek(ftyp.body, count)?;
    let is_sequence = |brand: &[u8]| {
        matches!(brand, b"msf1" | b"hevc" | b"hevx" | b"hevm" | b"hevs" | b"avis" | b"avcs")
    };
    Ok(brands.chunks_exact(4).any(is_sequence))
}

/// A box's body, which must lie within the file.
fn load(reader: &mut Reader<'_>, header: &BoxHeader, limits: &Limits) -> Result<Vec<u8>, Error> {
    if header.end > reader.length() {
        return Err(reader.malformed(header.start, "the file ends inside the index"));
    }
    reader.bulk(header.body, header.body_length(), limits.max_probe_memory)
}

/// A file without still pictures is as large as its first track.
fn sequence(
    reader: &Reader<'_>,
    limits: &Limits,
    moov: &BoxHeader,
    track: Option<heif_sequence::Track>,
) -> Result<Warned<ImageInfo>, Error> {
    let Some(track) = track else {
        return Err(reader.malformed(moov.start, "no track of pictures"));
    };
    let stored = size(reader, moov.start, track.width, track.height)?;
    limits.check_dimensions(stored)?;
    Ok(Warned::plain(ImageInfo {
        stored,
        orientation: Orientation::Upright,
        frames: track.frames,
        has_alpha: None,
        bit_depth: None,
        jpeg: None,
    }))
}

/// The primary item of a `meta` box with the given body, in a file of `length` bytes.
fn still(body: &[u8], header: &BoxHeader, length: u64) -> Result<ImageInfo, Error> {
    let broken = |reason| Error::malformed("HEIF", header.start, reason);
    if header.end > length || (body.len() as u64) < header.body_length() {
        return Err(broken("the file ends inside the index"));
    }
    // `meta` is a full box: version and flags come first.
    let items = Items::new(body.get(4..).unwrap_or_default());
    let primary = items.primary().ok_or_else(|| broken("no primary item"))?;
    if items.reaches_beyond(primary, length) {
        return Err(broken("the primary item's data lie beyond the file's end"));
    }
    let shown = Shown::of(&items, primary).map_err(broken)?;
    let stored = mediaprep_media::Dimensions::new(shown.width, shown.height);
    Ok(ImageInfo {
        stored: stored.ok_or_else(|| broken("a side of zero pixels"))?,
        orientation: Orientation::Upright,
        frames: Some(1),
        has_alpha: Some(items.has_alpha(primary)),
        bit_depth: shown.bit_depth,
        jpeg: None,
    })
}

/// An item's size after its own properties, applied in the order in which the item lists them.
struct Shown {
    width: u32,
    height: u32,
    bit_depth: Option<u8>,
}

impl Shown {
    fn of(items: &Items<'_>, item: u32) -> Result<Self, &'static str> {
        let mut shown = Self { width: 0, height: 0, bit_depth: None };
        let mut has_extents = false;
        for (kind, body) in items.properties(item) {
            match &kind {
                b"ispe" => {
                    shown.width = word(body, 4).ok_or("an ispe property cut short")?;
                    shown.height = word(body, 8).ok_or("an ispe property cut short")?;
                    has_extents = true;
                }
                b"clap" => shown.crop(body)?,
                // The lowest two bits count quarter turns.
                b"irot" if body.first().is_some_and(|angle| angle & 1 == 1) => {
                    (shown.width, shown.height) = (shown.height, shown.width);
                }
                b"pixi" => shown.bit_depth = body.get(5).copied(),
                b"hvcC" if shown.bit_depth.is_none() => {
                    shown.bit_depth = body.get(17).map(|byte| (byte & 7) + 8);
                }
                b"av1C" if shown.bit_depth.is_none() => {
                    shown.bit_depth = body.get(2).map(|&byte| av1_depth(byte));
                }
                _ => {}
            }
        }
        if has_extents { Ok(shown) } else { Err("the primary item has no ispe property") }
    }

    /// The clean aperture's size is a fraction of pixels, rounded to the nearest whole.
    fn crop(&mut self, body: &[u8]) -> Result<(), &'static str> {
        const CUT: &str = "a clap property cut short";
        let side = |at: usize, whole: u32| {
            let (over, under) = (word(body, at).ok_or(CUT)?, word(body, at + 4).ok_or(CUT)?);
            if under == 0 {
                return Err("a clap property with a denominator of zero");
            }
            let (over, under) = (u64::from(over), u64::from(under));
            let rounded = (over + under / 2) / under;
            Ok(u32::try_from(rounded).unwrap_or(u32::MAX).min(whole))
        };
        (self.width, self.height) = (side(0, self.width)?, side(8, self.height)?);
        Ok(())
    }
}

/// `high_bitdepth` and `twelve_bit` of the AV1 configuration record.
const fn av1_depth(byte: u8) -> u8 {
    match byte & 0x60 {
        0x60 => 12,
        0x40 => 10,
        _ => 8,
    }
}

/// The 32-bit number at `at`.
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The body of the first child of the given kind, empty when there is none.
pub(crate) fn child<'a>(body: &'a [u8], kind: &[u8; 4]) -> &'a [u8] {
    find(body, kind).unwrap_or_default()
}
