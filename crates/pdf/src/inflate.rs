//! Stream data unpacked within a bound.
//!
//! Cross-reference and object streams use `FlateDecode`, perhaps with a predictor. Deflate is
//! [`flate2`]'s; its output is cut off at a limit, so that a small file cannot fill the memory.

use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};

use crate::syntax::Value;

/// One step of unpacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flate {
    predictor: u64,
    /// Bytes in a row of the predictor.
    row: usize,
    /// Bytes in a pixel of the predictor, at least 1.
    pixel: usize,
}

impl Flate {
    /// The step that `/DecodeParms` describes; `None` for a predictor that these streams do not
    /// use.
    pub(crate) fn new(parameters: &Value) -> Option<Self> {
        let Value::Dictionary(parameters) = parameters else {
            return Some(Self { predictor: 1, row: 1, pixel: 1 });
        };
        let keys = ["Predictor", "Colors", "BitsPerComponent", "Columns"];
        let [predictor, colors, bits, columns] = parameters.get(keys);
        let colors = colors.size().unwrap_or(1).clamp(1, 256);
        let bits = bits.size().unwrap_or(8).clamp(1, 32);
        let columns = columns.size().unwrap_or(1).clamp(1, 1 << 20);
        let predictor = predictor.size().unwrap_or(1);
        if (2..10).contains(&predictor) {
            return None;
        }
        Some(Self {
            predictor,
            row: usize::try_from((colors * bits * columns).div_ceil(8)).ok()?,
            pixel: usize::try_from((colors * bits).div_ceil(8)).ok()?,
        })
    }

    /// Unpacks `packed` into at most `limit` bytes; more are cut off at `limit` + 1. Data that are
    /// cut or damaged give what comes before the damage.
    pub(crate) fn unpack(self, packed: &[u8], limit: u64) -> Vec<u8> {
        let mut plain = read_some(ZlibDecoder::new(packed), limit);
        if plain.is_empty() {
            plain = read_some(DeflateDecoder::new(packed), limit);
        }
        if self.predictor < 10 || plain.len() as u64 > limit {
            return plain;
        }
        self.undo_png(&plain)
    }

    /// Undoes the PNG filters (ISO 15948, section 9): every row begins with its filter's number.
    fn undo_png(self, filtered: &[u8]) -> Vec<u8> {
        let mut plain: Vec<u8> = Vec::with_capacity(filtered.len());
        let mut above = vec![0; self.row];
        for line in filtered.chunks(self.row + 1) {
            let (filter, mut row) = (line[0], line[1..].to_vec());
            for at in 0..row.len() {
                let left = at.checked_sub(self.pixel).map_or(0, |before| row[before]);
                let corner = at.checked_sub(self.pixel).map_or(0, |before| above[before]);
                let predicted = match filter {
                    1 => left,
                    2 => above[at],
                    3 => left.midpoint(above[at]),
                    4 => paeth(left, above[at], corner),
                    _ => 0,
                };
                row[at] = row[at].wrapping_add(predicted);
            }
            plain.extend_from_slice(&row);
            above[..row.len()].copy_from_slice(&row);
        }
        plain
    }
}

/// Whichever of the three neighbours is nearest to `left + above - corner`.
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(above) - i16::from(corner);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    if distance(left) <= distance(above) && distance(left) <= distance(corner) {
        left
    } else if distance(above) <= distance(corner) {
        above
    } else {
        corner
    }
}

/// Everything before the first error, at most one byte more than `limit`.
fn read_some(decoder: impl Read, limit: u64) -> Vec<u8> {
    let mut plain = Vec::new();
    // What comes before damage is kept in the buffer; the error itself says nothing more.
    let _ = decoder.take(limit.saturating_add(1)).read_to_end(&mut plain);
    plain
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn packed(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn flate(parameters: &str) -> Flate {
        Flate::new(&Value::parse(parameters.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn output_is_bounded() {
        let bomb = packed(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert_eq!(flate("null").unpack(&bomb, 1_000_000).len(), 1_000_001);
        assert_eq!(flate("null").unpack(&bomb, 10_000_000).len(), 10_000_000);
    }

    #[test]
    fn cut_data_gives_its_beginning() {
        let plain: Vec<u8> = (0..=240u8).flat_map(|a| (0..20).map(move |b| a ^ (b * 13))).collect();
        let packed = packed(&plain);
        let part = flate("null").unpack(&packed[..packed.len() / 2], 10_000);
        assert!(!part.is_empty() && plain.starts_with(&part));
        assert!(flate("null").unpack(b"", 10).is_empty());
    }

    #[test]
    fn png_rows_are_restored() {
        let rows = [0, 1, 2, 3, 1, 1, 1, 1, 2, 1, 1, 1, 3, 2, 2, 2, 4, 1, 1, 1];
        let plain = flate("<</Predictor 12/Columns 3>>").unpack(&packed(&rows), 100);
        assert_eq!(plain, [1, 2, 3, 1, 2, 3, 2, 3, 4, 3, 5, 6, 4, 6, 7]);
    }
}
