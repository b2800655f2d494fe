//! TIFF directories: of TIFF files, and of the Exif blocks that other formats carry.
//!
//! TIFF 6.0, sections 2 and 8; BigTIFF as the libtiff project describes it; Exif 3.0, table 6.

use mediaprep_media::{Error, Limits, Orientation, Warned};

use crate::reader::Reader;
use crate::{ImageInfo, size};

/// More entries than any real directory has; a BigTIFF count has 64 bits.
const MAX_ENTRIES: u64 = 65_535;

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS_PER_SAMPLE: u16 = 258;
const PHOTOMETRIC: u16 = 262;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const TILE_OFFSETS: u16 = 324;
const EXTRA_SAMPLES: u16 = 338;
/// In old Exif-style files the picture is a JPEG stream under this tag instead of strips.
const JPEG_INTERCHANGE_FORMAT: u16 = 513;

/// The facts of a TIFF file's first directory.
pub(crate) fn probe(reader: &mut Reader<'_>, limits: &Limits) -> Result<Warned<ImageInfo>, Error> {
    let block = Block::open(reader, 0, reader.length())?;
    let mut page = Page::default();
    let next = block.each_entry(reader, |reader, entry| page.take(&block, reader, entry))?;
    let (Some(width), Some(height)) = (page.width, page.height) else {
        return Err(reader.malformed(block.first, "a directory without width or height"));
    };
    let stored = size(reader, block.first, width, height)?;
    limits.check_dimensions(stored)?;
    if !page.has_data {
        return Err(reader.malformed(block.first, "a directory without picture data"));
    }
    Ok(Warned::plain(ImageInfo {
        stored,
        orientation: page.orientation,
        frames: (next == 0).then_some(1),
        has_alpha: Some(page.has_alpha),
        bit_depth: page.bit_depth,
        jpeg: None,
    }))
}

/// The orientation in the Exif block at `start`, which ends at `end`. `None` when it has none.
pub(crate) fn exif_orientation(
    reader: &mut Reader<'_>,
    start: u64,
    end: u64,
) -> Result<Option<Orientation>, Error> {
    let block = Block::open(reader, start, end)?;
    let mut found = None;
    block.each_entry(reader, |reader, entry| {
        if entry.tag == ORIENTATION && found.is_none() {
            found = block.first_value(reader, entry)?.map(orientation);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Values outside 1 to 8, the common 0 among them, mean that nothing is to be turned.
fn orientation(value: u64) -> Orientation {
    u16::try_from(value).ok().and_then(Orientation::from_exif).unwrap_or_default()
}

/// What a file's first directory says.
struct Page {
    width: Option<u64>,
    height: Option<u64>,
    orientation: Orientation,
    bit_depth: Option<u8>,
    has_alpha: bool,
    has_data: bool,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            width: None,
            height: None,
            orientation: Orientation::Upright,
            // TIFF 6.0: BitsPerSample defaults to 1.
            bit_depth: Some(1),
            has_alpha: false,
            has_data: false,
        }
    }
}

impl Page {
    fn take(&mut self, block: &Block, reader: &mut Reader<'_>, entry: &Entry) -> Result<(), Error> {
        let mut value = || block.first_value(reader, entry);
        match entry.tag {
            WIDTH => self.width = value()?,
            HEIGHT => self.height = value()?,
            BITS_PER_SAMPLE => {
                self.bit_depth = value()?.and_then(|bits| u8::try_from(bits).ok());
            }
            ORIENTATION => self.orientation = value()?.map(orientation).unwrap_or_default(),
            // 1 is associated alpha, 2 unassociated; 0 says nothing.
            EXTRA_SAMPLES => self.has_alpha = matches!(value()?, Some(1 | 2)),
            // 4 is a transparency mask.
            PHOTOMETRIC if value()? == Some(4) => self.has_alpha = true,
            STRIP_OFFSETS | TILE_OFFSETS | JPEG_INTERCHANGE_FORMAT => {
                let offset = value()?;
                self.has_data |= offset.is_some();
                if offset.is_some_and(|offset| offset >= block.end) {
                    return Err(reader.malformed(entry.at, "picture data beyond the file's end"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// A TIFF structure inside a file: offsets in it count from `base`.
struct Block {
    base: u64,
    end: u64,
    big_endian: bool,
    /// BigTIFF: counts and offsets of 64 bits.
    big: bool,
    /// File offset of the first directory.
    first: u64,
}

/// One entry of a directory.
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// File offset of the value field, which holds the value itself or its offset.
    at: u64,
}

impl Block {
    fn open(reader: &mut Reader<'_>, base: u64, end: u64) -> Result<Self, Error> {
        let head: [u8; 8] = reader.array(base, "the file ends inside the TIFF header")?;
        let big_endian = match &head[..2] {
            b"II" => false,
            b"MM" => true,
            _ => return Err(reader.malformed(base, "no TIFF byte order mark")),
        };
        let mut block = Self { base, end, big_endian, big: false, first: 0 };
        let first = match block.number(&head[2..4]) {
            42 => block.number(&head[4..8]),
            43 => {
                block.big = true;
                block.number(&reader.array::<8>(base + 8, "the file ends inside the header")?)
            }
            _ => return Err(reader.malformed(base + 2, "no TIFF version number")),
        };
        block.first = block
            .place(first, 2)
            .ok_or_else(|| reader.malformed(base + 4, "the first directory lies beyond the end"))?;
        Ok(block)
    }

    /// The file offset for an offset of the block, when `length` bytes fit behind it.
    fn place(&self, offset: u64, length: u64) -> Option<u64> {
        let at = self.base.checked_add(offset)?;
        (at.checked_add(length)? <= self.end).then_some(at)
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let join = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    /// Shows every entry of the first directory to `visit`; the next directory's offset, 0 for
    /// none.
    fn each_entry(
        &self,
        reader: &mut Reader<'_>,
        mut visit: impl FnMut(&mut Reader<'_>, &Entry) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        const CUT: &str = "the file ends inside a directory";
        let (count_size, entry_size) = if self.big { (8, 20) } else { (2, 12) };
        let head: [u8; 8] = self.padded(reader, self.first, count_size)?;
        let count = self.number(&head[..count_size]);
        let mut at = self.first + count_size as u64;
        let room = self.end.saturating_sub(at) / entry_size;
        if count == 0 || count > room || count > MAX_ENTRIES {
            return Err(reader.malformed(self.first, "a directory with an impossible entry count"));
        }
        for _ in 0..count {
            let bytes: [u8; 12] = reader.array(at, CUT)?;
            let wide = if self.big { 12 } else { 8 };
            let entry = Entry {
                tag: u16::try_from(self.number(&bytes[..2])).unwrap_or_default(),
                kind: u16::try_from(self.number(&bytes[2..4])).unwrap_or_default(),
                count: self.number(&bytes[4..wide]),
                at: at + wide as u64,
            };
            visit(reader, &entry)?;
            at += entry_size;
        }
        let offset_size = if self.big { 8 } else { 4 };
        // Exif blocks of some cameras end without the next offset.
        let next: [u8; 8] = self.padded(reader, at, offset_size)?;
        Ok(self.number(&next[..offset_size]))
    }

    /// `count` bytes, at most eight; those behind the block's end are zero.
    fn padded(&self, reader: &mut Reader<'_>, at: u64, count: usize) -> Result<[u8; 8], Error> {
        let mut bytes = [0; 8];
        if at.saturating_add(count as u64) <= self.end {
            let found = reader.peek(at, count)?;
            bytes[..found.len()].copy_from_slice(found);
        }
        Ok(bytes)
    }

    /// The entry's first value; `None` when it is no unsigned integer or has no value.
    fn first_value(&self, reader: &mut Reader<'_>, entry: &Entry) -> Result<Option<u64>, Error> {
        // BYTE, SHORT, LONG, IFD; LONG8 and IFD8 of BigTIFF.
        let each: usize = match entry.kind {
            1 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            _ => return Ok(None),
        };
        let inline: usize = if self.big { 8 } else { 4 };
        let length = entry.count.checked_mul(each as u64);
        if length == Some(0) {
            return Ok(None);
        }
        let at = if length.is_some_and(|length| length <= inline as u64) {
            entry.at
        } else {
            let offset: [u8; 8] = self.padded(reader, entry.at, inline)?;
            let place = length.and_then(|all| self.place(self.number(&offset[..inline]), all));
            place.ok_or_else(|| reader.malformed(entry.at, "a value beyond the file's end"))?
        };
        let bytes = self.padded(reader, at, each)?;
        Ok(Some(self.number(&bytes[..each])))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn orientation_of(block: &[u8]) -> Result<Option<Orientation>, Error> {
        let mut source = Cursor::new(block);
        let mut reader = Reader::new(&mut source, "Exif")?;
        exif_orientation(&mut reader, 0, block.len() as u64)
    }

    #[test]
    fn an_orientation_may_be_short_or_long_and_0_is_upright() {
        let short = |value| {
            [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[value, 0, 0, 0][..]].concat()
        };
        assert_eq!(orientation_of(&short(8)).unwrap(), Some(Orientation::Rotate270));
        assert_eq!(orientation_of(&short(0)).unwrap(), Some(Orientation::Upright));
        assert_eq!(orientation_of(&short(9)).unwrap(), Some(Orientation::Upright));
        let long = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06";
        assert_eq!(orientation_of(long).unwrap(), Some(Orientation::Rotate90));
    }

    #[test]
    fn impossible_counts_and_offsets_are_malformed() {
        for block in [
            &b"II*\0\x08\0\0\0\xff\xff"[..],
            b"II*\0\xff\xff\xff\xff",
            b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f",
            b"XX*\0\x08\0\0\0",
        ] {
            assert!(matches!(orientation_of(block), Err(Error::Malformed { .. })), "{block:?}");
        }
    }
}
