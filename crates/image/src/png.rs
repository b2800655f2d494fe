//! PNG and APNG: the chunks before the picture data, and all of them in a small file. PNG
//! specification, third edition, sections 5 and 11.

use mediaprep_media::{Error, Limits, Orientation, Warned, Warning, WarningCode};

use crate::reader::Reader;
use crate::tiff::exif_orientation;
use crate::{ImageInfo, png_text, size};

/// Chunks walked before giving up; no writer needs more before the picture data.
const MAX_CHUNKS: usize = 10_000;
/// Bytes searched at a large file's end for an Exif chunk behind the picture data.
const TAIL: usize = 1024;

/// The last chunk of every complete file, with its checksum.
const IEND: &[u8; 12] = b"\0\0\0\0IEND\xae\x42\x60\x82";

const CUT: &str = "the file ends inside a chunk";

/// The facts of a PNG file.
///
/// A file that is wholly in hand is walked to its end and the checksums of its critical chunks are
/// checked. Of a larger one the chunks up to the first picture data are read, and its last bytes,
/// which show whether it is complete.
pub(crate) fn probe(reader: &mut Reader<'_>, limits: &Limits) -> Result<Warned<ImageInfo>, Error> {
    if reader.peek(0, 8)? != b"\x89PNG\r\n\x1a\n" {
        return Err(reader.malformed(0, "no PNG signature"));
    }
    let mut header = Header::read(reader, limits)?;
    let whole = reader.holds_all();
    let mut at = 33;
    for _ in 0..MAX_CHUNKS {
        let chunk = Chunk::read(reader, at)?;
        if whole && chunk.is_critical() {
            chunk.check_sum(reader)?;
        }
        header.take(reader, &chunk)?;
        if &chunk.kind == b"IEND" {
            return header.finish(reader, at);
        }
        if !whole && header.has_data && header.data_bytes > 0 {
            check_end(reader, &chunk, &mut header)?;
            return header.finish(reader, at);
        }
        at = chunk.end;
    }
    Err(reader.malformed(at, "no picture data among the first 10000 chunks"))
}

/// A chunk whose fields lie within the file.
pub(crate) struct Chunk {
    pub(crate) kind: [u8; 4],
    at: u64,
    pub(crate) body: u64,
    pub(crate) length: u64,
    end: u64,
}

impl Chunk {
    fn read(reader: &mut Reader<'_>, at: u64) -> Result<Self, Error> {
        let [l0, l1, l2, l3, k0, k1, k2, k3] =
            reader.array(at, "the file ends before its last chunk")?;
        let kind = [k0, k1, k2, k3];
        if !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(reader.malformed(at + 4, "a chunk type that is not four letters"));
        }
        let length = u64::from(u32::from_be_bytes([l0, l1, l2, l3]));
        if length > 0x7fff_ffff {
            return Err(reader.malformed(at, "a chunk longer than 2^31 - 1 bytes"));
        }
        let chunk = Self { kind, at, body: at + 8, length, end: at + 12 + length };
        if chunk.end > reader.length() {
            return Err(reader.malformed(at, CUT));
        }
        Ok(chunk)
    }

    /// An upper-case first letter: a decoder must understand the chunk.
    const fn is_critical(&self) -> bool {
        self.kind[0].is_ascii_uppercase()
    }

    /// Compares the checksum of a chunk that lies within the window.
    fn check_sum(&self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let covered = usize::try_from(self.length + 4).unwrap_or(usize::MAX);
        let bytes = reader.peek(self.at + 4, covered.saturating_add(4))?;
        let Some((content, stored)) = bytes.split_last_chunk::<4>() else {
            return Err(reader.malformed(self.at, CUT));
        };
        if content.len() != covered || crc32fast::hash(content) != u32::from_be_bytes(*stored) {
            return Err(reader.malformed(self.at, "a wrong checksum of a critical chunk"));
        }
        Ok(())
    }
}

/// What the chunks say, and how far the walk is.
struct Header {
    info: ImageInfo,
    needs_palette: bool,
    has_palette: bool,
    /// Whether picture data have started, and whether other chunks have followed them.
    has_data: bool,
    data_ended: bool,
    data_bytes: u64,
    has_exif: bool,
    /// Only the first Exif block among the text chunks is looked at.
    has_text_exif: bool,
    exif_damaged: bool,
}

impl Header {
    /// Signature and `IHDR` are the first 33 bytes.
    fn read(reader: &mut Reader<'_>, limits: &Limits) -> Result<Self, Error> {
        let chunk = Chunk::read(reader, 8)?;
        if &chunk.kind != b"IHDR" || chunk.length != 13 {
            return Err(reader.malformed(8, "the first chunk is no IHDR of 13 bytes"));
        }
        chunk.check_sum(reader)?;
        let [w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, compression, filter, interlace] =
            reader.array(16, CUT)?;
        let width = u32::from_be_bytes([w0, w1, w2, w3]);
        let height = u32::from_be_bytes([h0, h1, h2, h3]);
        if width > 0x7fff_ffff || height > 0x7fff_ffff {
            return Err(reader.malformed(16, "a side beyond 2^31 - 1 pixels"));
        }
        let stored = size(reader, 16, width, height)?;
        limits.check_dimensions(stored)?;
        if !depth_fits(colour, depth) {
            return Err(reader.malformed(24, "a bit depth or colour type that PNG does not have"));
        }
        if compression != 0 || filter != 0 || interlace > 1 {
            return Err(reader.malformed(26, "an unknown compression, filter or interlace method"));
        }
        Ok(Self {
            info: ImageInfo {
                stored,
                orientation: Orientation::Upright,
                frames: Some(1),
                has_alpha: Some(matches!(colour, 4 | 6)),
                bit_depth: Some(depth),
                jpeg: None,
            },
            needs_palette: colour == 3,
            has_palette: false,
            has_data: false,
            data_ended: false,
            data_bytes: 0,
            has_exif: false,
            has_text_exif: false,
            exif_damaged: false,
        })
    }

    fn take(&mut self, reader: &mut Reader<'_>, chunk: &Chunk) -> Result<(), Error> {
        if self.has_data && &chunk.kind != b"IDAT" {
            self.data_ended = true;
        }
        match &chunk.kind {
            b"IDAT" => self.take_data(reader, chunk)?,
            b"IHDR" => return Err(reader.malformed(chunk.at, "a second IHDR chunk")),
            b"PLTE" => {
                // In a true-colour picture it is only a suggestion.
                let fits = chunk.length.is_multiple_of(3) && (3..=768).contains(&chunk.length);
                if self.needs_palette && !fits {
                    return Err(reader.malformed(chunk.at, "a palette of an impossible length"));
                }
                self.has_palette = true;
            }
            b"tRNS" => self.info.has_alpha = Some(true),
            b"acTL" if !self.has_data => self.take_animation(reader, chunk)?,
            b"eXIf" if !self.has_exif => self.take_exif(reader, chunk.body, chunk.end - 4)?,
            b"tEXt" | b"zTXt" if self.wants_text() && png_text::is_exif(reader, chunk)? => {
                self.has_text_exif = true;
                self.info.orientation = png_text::exif_orientation(reader, chunk)?;
            }
            _ => {}
        }
        Ok(())
    }

    const fn wants_text(&self) -> bool {
        !self.has_exif && !self.has_text_exif
    }

    fn take_data(&mut self, reader: &mut Reader<'_>, chunk: &Chunk) -> Result<(), Error> {
        if self.data_ended {
            return Err(reader.malformed(chunk.at, "picture data interrupted by another chunk"));
        }
        if self.needs_palette && !self.has_palette {
            return Err(reader.malformed(chunk.at, "no palette before the picture data"));
        }
        if self.data_bytes == 0 && chunk.length >= 2 {
            check_zlib(reader, chunk.body)?;
        }
        self.has_data = true;
        self.data_bytes += chunk.length;
        Ok(())
    }

    fn take_animation(&mut self, reader: &mut Reader<'_>, chunk: &Chunk) -> Result<(), Error> {
        let frames = u32::from_be_bytes(reader.array(chunk.body, CUT)?);
        if chunk.length == 8 && frames > 0 {
            self.info.frames = Some(frames);
        }
        Ok(())
    }

    fn take_exif(&mut self, reader: &mut Reader<'_>, start: u64, end: u64) -> Result<(), Error> {
        match exif_orientation(reader, start, end) {
            Ok(found) => {
                self.has_exif = true;
                self.info.orientation = found.unwrap_or_default();
            }
            Err(Error::Malformed { .. }) => self.exif_damaged = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn finish(self, reader: &Reader<'_>, at: u64) -> Result<Warned<ImageInfo>, Error> {
        if self.data_bytes == 0 {
            return Err(reader.malformed(at, "no picture data"));
        }
        let mut answer = Warned::plain(self.info);
        if self.exif_damaged && !self.has_exif {
            answer.warnings.push(Warning::new(WarningCode::Damaged, crate::EXIF_DAMAGED));
        }
        Ok(answer)
    }
}

/// Table 12 of the specification.
const fn depth_fits(colour: u8, depth: u8) -> bool {
    match colour {
        0 => matches!(depth, 1 | 2 | 4 | 8 | 16),
        3 => matches!(depth, 1 | 2 | 4 | 8),
        2 | 4 | 6 => matches!(depth, 8 | 16),
        _ => false,
    }
}

/// Picture data start with a zlib header: deflate, a window of at most 32 KiB, no dictionary, and
/// a check value. RFC 1950, section 2.2.
fn check_zlib(reader: &mut Reader<'_>, at: u64) -> Result<(), Error> {
    let header: [u8; 2] = reader.array(at, CUT)?;
    let [method, flags] = header;
    let sound = method & 0x0f == 8 && method >> 4 <= 7 && flags & 0x20 == 0;
    if !sound || !u16::from_be_bytes(header).is_multiple_of(31) {
        return Err(reader.malformed(at, "picture data without a zlib header"));
    }
    Ok(())
}

/// Looks at the end of a file that is larger than the window. Where it does not end in `IEND`,
/// either it is cut or something follows the picture: walking the chunks tells which.
fn check_end(reader: &mut Reader<'_>, data: &Chunk, header: &mut Header) -> Result<(), Error> {
    let tail_at = reader.length().saturating_sub(TAIL as u64).max(data.end);
    let tail = reader.peek(tail_at, TAIL)?;
    if !tail.ends_with(IEND) {
        return walk_to_end(reader, data.end, header);
    }
    if header.has_exif {
        return Ok(());
    }
    match late_exif(tail) {
        Some((from, to)) => header.take_exif(reader, tail_at + from, tail_at + to),
        None => Ok(()),
    }
}

/// Where an `eXIf` chunk with a right checksum has its content in the file's last bytes.
fn late_exif(tail: &[u8]) -> Option<(u64, u64)> {
    let kind_at = memchr::memmem::find(tail, b"eXIf")?;
    let length = tail.get(kind_at.checked_sub(4)?..kind_at)?.first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let body = kind_at + 4;
    let end = body.checked_add(length)?;
    let stored = tail.get(end..)?.first_chunk::<4>()?;
    let right = crc32fast::hash(tail.get(kind_at..end)?) == u32::from_be_bytes(*stored);
    right.then_some((body as u64, end as u64))
}

/// Walks the chunks behind the first picture data; after [`MAX_CHUNKS`] the file passes.
fn walk_to_end(reader: &mut Reader<'_>, start: u64, header: &mut Header) -> Result<(), Error> {
    let mut at = start;
    for _ in 0..MAX_CHUNKS {
        let chunk = Chunk::read(reader, at)?;
        header.take(reader, &chunk)?;
        if &chunk.kind == b"IEND" {
            return Ok(());
        }
        at = chunk.end;
    }
    Ok(())
}
