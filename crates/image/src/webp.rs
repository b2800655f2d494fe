//! WebP: the RIFF chunks. RFC 9649; the lossy frame header is section 9.1 of RFC 6386.

use mediaprep_media::{Error, Limits, Orientation, Warned, Warning, WarningCode};

use crate::reader::Reader;
use crate::tiff::exif_orientation;
use crate::{ImageInfo, size};

/// Chunks looked at before giving up: an animation has one for every frame, and its Exif block may
/// lie behind them all.
const MAX_CHUNKS: usize = 20_000;

const ANIMATION: u8 = 0x02;
const EXIF: u8 = 0x08;
const ALPHA: u8 = 0x10;

/// The facts of a WebP file.
pub(crate) fn probe(reader: &mut Reader<'_>, limits: &Limits) -> Result<Warned<ImageInfo>, Error> {
    let header: [u8; 12] = reader.array(0, "the file ends inside the RIFF header")?;
    let [b'R', b'I', b'F', b'F', s0, s1, s2, s3, b'W', b'E', b'B', b'P'] = header else {
        return Err(reader.malformed(0, "no RIFF header of a WebP file"));
    };
    let end = 8 + u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
    // Some writers leave out the pad byte behind an odd last chunk.
    if end > reader.length() + 1 {
        return Err(reader.malformed(4, "the RIFF size is beyond the file's end"));
    }
    let first = Chunk::read(reader, 12, end)?;
    let answer = match &first.kind {
        b"VP8X" => extended(reader, &first, end)?,
        _ => Warned::plain(bitstream(reader, &first)?.info()),
    };
    limits.check_dimensions(answer.value.stored)?;
    Ok(answer)
}

struct Chunk {
    kind: [u8; 4],
    body: u64,
    end: u64,
}

impl Chunk {
    fn read(reader: &mut Reader<'_>, at: u64, riff_end: u64) -> Result<Self, Error> {
        let head = reader.array(at, "the file ends inside a chunk header")?;
        let [k0, k1, k2, k3, s0, s1, s2, s3] = head;
        let length = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
        let body = at + 8;
        if body + length > riff_end {
            return Err(reader.malformed(at, "a chunk reaches beyond the RIFF size"));
        }
        Ok(Self { kind: [k0, k1, k2, k3], body, end: body + length })
    }

    /// Chunks start at even offsets.
    const fn next(&self) -> u64 {
        self.end + (self.end & 1)
    }
}

/// What the header of a single coded picture says.
struct Picture {
    stored: mediaprep_media::Dimensions,
    has_alpha: bool,
}

impl Picture {
    const fn info(&self) -> ImageInfo {
        ImageInfo {
            stored: self.stored,
            orientation: Orientation::Upright,
            frames: Some(1),
            has_alpha: Some(self.has_alpha),
            bit_depth: Some(8),
            jpeg: None,
        }
    }
}

fn bitstream(reader: &mut Reader<'_>, chunk: &Chunk) -> Result<Picture, Error> {
    match &chunk.kind {
        b"VP8 " => lossy(reader, chunk),
        b"VP8L" => lossless(reader, chunk),
        _ => {
            Err(reader.malformed(chunk.body - 8, "no picture where the first chunk should be one"))
        }
    }
}

fn lossy(reader: &mut Reader<'_>, chunk: &Chunk) -> Result<Picture, Error> {
    const CUT: &str = "the lossy picture ends inside its header";
    if chunk.end - chunk.body < 10 {
        return Err(reader.malformed(chunk.body, CUT));
    }
    let [t0, t1, t2, c0, c1, c2, w0, w1, h0, h1] = reader.array(chunk.body, CUT)?;
    let tag = u32::from_le_bytes([t0, t1, t2, 0]);
    let (is_inter_frame, version, is_shown, first_partition) =
        (tag & 1 == 1, tag >> 1 & 7, tag >> 4 & 1 == 1, u64::from(tag >> 5));
    if is_inter_frame || version > 3 || !is_shown {
        return Err(reader.malformed(chunk.body, "a lossy picture that is no shown key frame"));
    }
    if first_partition >= chunk.end - chunk.body {
        return Err(reader.malformed(chunk.body, "a first partition longer than its chunk"));
    }
    if [c0, c1, c2] != [0x9d, 0x01, 0x2a] {
        return Err(reader.malformed(chunk.body + 3, "no start code of a lossy picture"));
    }
    // The upper two bits ask the player to scale; WebP ignores them.
    let side = |low, high: u8| u16::from_le_bytes([low, high & 0x3f]);
    let stored = size(reader, chunk.body + 6, side(w0, w1), side(h0, h1))?;
    Ok(Picture { stored, has_alpha: false })
}

fn lossless(reader: &mut Reader<'_>, chunk: &Chunk) -> Result<Picture, Error> {
    const CUT: &str = "the lossless picture ends inside its header";
    if chunk.end - chunk.body < 5 {
        return Err(reader.malformed(chunk.body, CUT));
    }
    let [signature, b0, b1, b2, b3] = reader.array(chunk.body, CUT)?;
    let bits = u32::from_le_bytes([b0, b1, b2, b3]);
    if signature != 0x2f || bits >> 29 != 0 {
        return Err(reader.malformed(chunk.body, "no signature of a lossless picture"));
    }
    let (width, height) = ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
    let stored = size(reader, chunk.body + 1, width, height)?;
    Ok(Picture { stored, has_alpha: bits >> 28 & 1 == 1 })
}

/// The extended layout: a canvas, then colour profile, frames or picture, and metadata.
fn extended(reader: &mut Reader<'_>, first: &Chunk, end: u64) -> Result<Warned<ImageInfo>, Error> {
    const CUT: &str = "the file ends inside the canvas header";
    if first.end - first.body < 10 {
        return Err(reader.malformed(first.body, CUT));
    }
    let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = reader.array(first.body, CUT)?;
    let side = |a, b, c| u32::from_le_bytes([a, b, c, 0]) + 1;
    let canvas = size(reader, first.body + 4, side(w0, w1, w2), side(h0, h1, h2))?;
    let animated = flags & ANIMATION != 0;
    let mut found = Found::default();
    walk(reader, first.next(), end, &mut |reader, chunk| {
        found.take(reader, chunk, animated)?;
        // Behind the picture only an announced Exif block is worth a further read.
        Ok(found.frames > 0 && (flags & EXIF == 0 || found.exif_seen))
    })?;
    if found.frames == 0 {
        return Err(reader.malformed(first.body, "a canvas without a picture"));
    }
    if found.still.as_ref().is_some_and(|still| still.stored != canvas) {
        return Err(reader.malformed(first.body, "the canvas differs from its only picture"));
    }
    let has_alpha = flags & ALPHA != 0 || found.still.is_some_and(|still| still.has_alpha);
    let mut answer = Warned::plain(ImageInfo {
        stored: canvas,
        orientation: found.orientation,
        frames: (!animated).then_some(1),
        has_alpha: Some(has_alpha),
        bit_depth: Some(8),
        jpeg: None,
    });
    if found.exif_damaged {
        answer.warnings.push(Warning::new(WarningCode::Damaged, crate::EXIF_DAMAGED));
    }
    Ok(answer)
}

/// What the chunks behind the canvas header hold.
#[derive(Default)]
struct Found {
    still: Option<Picture>,
    frames: usize,
    orientation: Orientation,
    exif_seen: bool,
    exif_damaged: bool,
}

impl Found {
    fn take(
        &mut self,
        reader: &mut Reader<'_>,
        chunk: &Chunk,
        animated: bool,
    ) -> Result<(), Error> {
        match &chunk.kind {
            b"ANMF" if animated => self.frames += 1,
            b"VP8 " | b"VP8L" if !animated && self.frames == 0 => {
                self.still = Some(bitstream(reader, chunk)?);
                self.frames = 1;
            }
            b"EXIF" if !self.exif_seen => {
                self.exif_seen = true;
                // Some writers keep the prefix that JPEG needs.
                let prefix = if reader.peek(chunk.body, 6)? == b"Exif\0\0" { 6 } else { 0 };
                match exif_orientation(reader, chunk.body + prefix, chunk.end) {
                    Ok(found) => self.orientation = found.unwrap_or_default(),
                    Err(Error::Malformed { .. }) => self.exif_damaged = true,
                    Err(error) => return Err(error),
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Shows chunks to `visit` until it says that it has seen enough.
fn walk(
    reader: &mut Reader<'_>,
    start: u64,
    end: u64,
    visit: &mut dyn FnMut(&mut Reader<'_>, &Chunk) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut at = start;
    for _ in 0..MAX_CHUNKS {
        if at + 8 > end {
            return Ok(());
        }
        let chunk = Chunk::read(reader, at, end)?;
        if visit(reader, &chunk)? {
            return Ok(());
        }
        at = chunk.next();
    }
    Ok(())
}
