//! Reading small pieces of a source through one block in memory.

use std::io::{Read, SeekFrom};

use mediaprep_media::{Error, Limits, Source};

/// One page: what a jump to another place reads at least.
const SMALLEST_BLOCK: usize = 4 << 10;
/// What reading straight on grows to.
const LARGEST_BLOCK: usize = 64 << 10;

/// A source seen through one block of its bytes.
///
/// Jumps read one page; reading straight on doubles the block up to 64 KiB, so that walking over
/// chunks touches little and walking over frames makes few calls.
pub(crate) struct Window<'a> {
    source: &'a mut dyn Source,
    length: u64,
    start: u64,
    bytes: Vec<u8>,
    block: usize,
}

impl<'a> Window<'a> {
    pub(crate) fn new(source: &'a mut dyn Source) -> Result<Self, Error> {
        let length = source.seek(SeekFrom::End(0))?;
        Ok(Self { source, length, start: 0, bytes: Vec::new(), block: SMALLEST_BLOCK })
    }

    /// The source's length in bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// The bytes from `offset`, `wanted` of them or fewer where the source ends.
    pub(crate) fn at(&mut self, offset: u64, wanted: usize) -> Result<&[u8], Error> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = wanted.min(left);
        if !self.holds(offset, wanted) {
            self.fill(offset, wanted)?;
        }
        let from = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let rest = self.bytes.get(from..).unwrap_or_default();
        Ok(&rest[..wanted.min(rest.len())])
    }

    /// Exactly `N` bytes from `offset`; `None` where the source ends before.
    pub(crate) fn array<const N: usize>(&mut self, offset: u64) -> Result<Option<[u8; N]>, Error> {
        Ok(self.at(offset, N)?.first_chunk().copied())
    }

    fn holds(&self, offset: u64, wanted: usize) -> bool {
        let end = self.start + self.bytes.len() as u64;
        offset >= self.start && offset.saturating_add(wanted as u64) <= end
    }

    /// Reads a block that holds the `wanted` bytes from `offset`.
    fn fill(&mut self, offset: u64, wanted: usize) -> Result<(), Error> {
        let end = self.start + self.bytes.len() as u64;
        let near = end.saturating_add(SMALLEST_BLOCK as u64);
        let straight_on = !self.bytes.is_empty() && (self.start..=near).contains(&offset);
        self.block = if straight_on { (self.block * 2).min(LARGEST_BLOCK) } else { SMALLEST_BLOCK };
        // What is asked for again from a little further on costs one refill per block walked over.
        let length = if straight_on { wanted + self.block } else { wanted.max(self.block) };
        self.bytes.clear();
        self.bytes.reserve(length);
        // The first page is read whole: whoever sniffed the file holds it in memory.
        let in_first_page = offset.saturating_add(wanted as u64) <= SMALLEST_BLOCK as u64;
        self.start = if in_first_page { 0 } else { offset };
        self.source.seek(SeekFrom::Start(self.start))?;
        let mut piece = (&mut *self.source).take(length as u64);
        piece.read_to_end(&mut self.bytes)?;
        Ok(())
    }
}

/// How many bytes may still be walked over frame by frame: the reading limit less what finding the
/// frames takes.
pub(crate) const fn scan_budget(limits: &Limits) -> u64 {
    limits.max_probe_bytes - limits.max_probe_bytes / 4
}

/// How many bytes of one end of a file may be held at once: at most `most`.
pub(crate) fn tail_budget(limits: &Limits, most: usize) -> usize {
    let budget = (limits.max_probe_bytes / 4).min(limits.max_probe_memory);
    usize::try_from(budget).unwrap_or(most).min(most)
}

pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use mediaprep_media::MeteredSource;

    use super::*;

    #[test]
    fn pieces_are_served_from_one_block() {
        let bytes: Vec<u8> = (0..=255).cycle().take(20_000).collect();
        let mut source = MeteredSource::new(Cursor::new(bytes), 20_000, 0, u64::MAX).unwrap();
        let mut window = Window::new(&mut source).unwrap();
        assert_eq!(window.at(0, 4).unwrap(), [0, 1, 2, 3]);
        assert_eq!(window.array::<2>(256).unwrap(), Some([0, 1]));
        assert_eq!(window.at(19_998, 10).unwrap().len(), 2);
        assert_eq!(window.at(u64::MAX, 10).unwrap().len(), 0);
        assert_eq!(source.bytes_read(), 4096 + 2);
    }

    #[test]
    fn a_reading_limit_is_named() {
        let mut source = MeteredSource::new(Cursor::new(vec![0; 9000]), 9000, 10, 10).unwrap();
        let mut window = Window::new(&mut source).unwrap();
        assert!(matches!(window.at(0, 100), Err(Error::Limit(_))));
    }
}
