//! JPEG XL: the size header and the orientation. ISO/IEC 18181-1, annexes C and D (size header and
//! image metadata); the boxed form is ISO/IEC 18181-2.

use mediaprep_media::bmff::BoxHeader;
use mediaprep_media::{Dimensions, Error, Limits, Orientation, Warned};

use crate::reader::Reader;
use crate::{ImageInfo, size};

/// Boxes passed on the way to the code stream.
const MAX_BOXES: usize = 1024;

/// The facts of a JPEG XL file. An Exif box beside the code stream is only a copy: the orientation
/// of the code stream is the one that counts.
pub(crate) fn probe(reader: &mut Reader<'_>, limits: &Limits) -> Result<Warned<ImageInfo>, Error> {
    let start = if reader.peek(0, 2)? == b"\xff\x0a" { 0 } else { code_stream(reader)? };
    let bytes: [u8; 2] = reader.array(start, "the file ends before the code stream")?;
    if bytes != [0xff, 0x0a] {
        return Err(reader.malformed(start, "no signature of a JPEG XL code stream"));
    }
    // The longest size header has 77 bits, and three more flags follow.
    let bytes = reader.peek(start + 2, 16)?;
    let mut bits = Bits { bytes, at: 0 };
    let sides = sides(&mut bits);
    let orientation = orientation(&mut bits);
    let (Some((width, height)), Some(orientation)) = (sides, orientation) else {
        return Err(reader.malformed(start, "the file ends inside the size header"));
    };
    let stored: Dimensions = size(reader, start + 2, width, height)?;
    limits.check_dimensions(stored)?;
    Ok(Warned::plain(ImageInfo {
        stored,
        orientation,
        frames: None,
        has_alpha: None,
        bit_depth: None,
        jpeg: None,
    }))
}

/// Where the code stream starts in the boxed form.
fn code_stream(reader: &mut Reader<'_>) -> Result<u64, Error> {
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        let length = reader.length();
        let header = BoxHeader::parse(reader.peek(at, 16)?, at, length)?;
        let Some(header) = header else { break };
        match &header.kind {
            b"jxlc" => return Ok(header.body),
            // A part of the code stream, behind its number.
            b"jxlp" => return Ok(header.body.saturating_add(4)),
            _ => at = header.end,
        }
    }
    Err(reader.malformed(at, "no code stream in any box"))
}

/// Bits of the code stream, lowest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for index in 0..count {
            let place = self.at + index;
            let bit = self.bytes.get(place / 8)? >> (place % 8) & 1;
            value |= u32::from(bit) << index;
        }
        self.at += count;
        Some(value)
    }

    /// A side in one of four lengths.
    fn side(&mut self) -> Option<u32> {
        let length = [9, 13, 18, 30][usize::try_from(self.take(2)?).ok()?];
        Some(self.take(length)? + 1)
    }
}

/// Width and height of the size header.
fn sides(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    let small = bits.take(1)? == 1;
    let side = |bits: &mut Bits<'_>| {
        if small { bits.take(5).map(|eighths| (eighths + 1) * 8) } else { bits.side() }
    };
    let height = side(bits)?;
    let (times, by) = match bits.take(3)? {
        0 => return Some((side(bits)?, height)),
        1 => (1, 1),
        2 => (12, 10),
        3 => (4, 3),
        4 => (3, 2),
        5 => (16, 9),
        6 => (5, 4),
        _ => (2, 1),
    };
    let width = u64::from(height) * times / by;
    Some((u32::try_from(width).ok()?, height))
}

/// The first field of the image metadata: nothing else of it is read.
fn orientation(bits: &mut Bits<'_>) -> Option<Orientation> {
    let all_default = bits.take(1)? == 1;
    if all_default || bits.take(1)? == 0 {
        return Some(Orientation::Upright);
    }
    let value = bits.take(3)? + 1;
    u16::try_from(value).ok().and_then(Orientation::from_exif)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs values, each with its number of bits, lowest bit first.
    fn packed(fields: &[(u32, usize)]) -> Vec<u8> {
        let bits =
            fields.iter().flat_map(|&(value, count)| (0..count).map(move |i| value >> i & 1));
        let bits: Vec<u32> = bits.collect();
        let byte = |chunk: &[u32]| chunk.iter().rev().fold(0, |byte, &bit| byte << 1 | bit);
        bits.chunks(8).map(|chunk| u8::try_from(byte(chunk)).unwrap()).collect()
    }

    #[test]
    fn small_sides_and_an_orientation_are_read() {
        let bytes = packed(&[(1, 1), (7, 5), (0, 3), (11, 5), (0, 1), (1, 1), (5, 3)]);
        let mut bits = Bits { bytes: &bytes, at: 0 };
        assert_eq!(sides(&mut bits), Some((96, 64)));
        assert_eq!(orientation(&mut bits), Some(Orientation::Rotate90));
    }

    #[test]
    fn a_ratio_gives_the_width() {
        let bytes = packed(&[(0, 1), (1, 2), (1079, 13), (5, 3), (1, 1)]);
        let mut bits = Bits { bytes: &bytes, at: 0 };
        assert_eq!(sides(&mut bits), Some((1920, 1080)));
        assert_eq!(orientation(&mut bits), Some(Orientation::Upright));
        assert_eq!(orientation(&mut Bits { bytes: &[], at: 0 }), None);
    }
}
