//! Small reads at any offset, served from one block in memory.

use std::io::{Read, SeekFrom};

use crate::{Error, Source};

/// How much a [`Window`] reads at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAhead {
    /// At least so many bytes, wherever the read lands.
    Fixed(usize),
    /// `from` bytes after a jump; reading straight on doubles that up to `to`, so that walking over
    /// chunks touches little and walking over frames makes few calls.
    Growing {
        /// What a jump to another place reads at least.
        from: usize,
        /// What reading straight on grows to.
        to: usize,
    },
}

/// A source seen through the block that was read last.
pub struct Window<'a> {
    source: &'a mut dyn Source,
    length: u64,
    start: u64,
    bytes: Vec<u8>,
    ahead: ReadAhead,
    block: usize,
}

impl<'a> Window<'a> {
    /// A window over the whole of `source`; reads nothing yet.
    ///
    /// # Errors
    ///
    /// What seeking to the end gives.
    pub fn new(source: &'a mut dyn Source, ahead: ReadAhead) -> Result<Self, Error> {
        let length = source.seek(SeekFrom::End(0))?;
        Ok(Self { source, length, start: 0, bytes: Vec::new(), ahead, block: 0 })
    }

    /// The length of the whole source in bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Reads by another measure from here on.
    pub const fn set_ahead(&mut self, ahead: ReadAhead) {
        self.ahead = ahead;
    }

    /// The bytes from `offset`, `wanted` of them or fewer where the source ends. Holds no more than
    /// the source really gives, whatever `wanted` says.
    ///
    /// # Errors
    ///
    /// What reading gives.
    pub fn at(&mut self, offset: u64, wanted: usize) -> Result<&[u8], Error> {
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
    ///
    /// # Errors
    ///
    /// What reading gives.
    pub fn array<const N: usize>(&mut self, offset: u64) -> Result<Option<[u8; N]>, Error> {
        Ok(self.at(offset, N)?.first_chunk().copied())
    }

    fn holds(&self, offset: u64, wanted: usize) -> bool {
        let end = self.start + self.bytes.len() as u64;
        offset >= self.start && offset.saturating_add(wanted as u64) <= end
    }

    /// Reads a block that holds the `wanted` bytes from `offset`.
    fn fill(&mut self, offset: u64, wanted: usize) -> Result<(), Error> {
        let (start, length) = match self.ahead {
            ReadAhead::Fixed(block) => (offset, wanted.max(block)),
            ReadAhead::Growing { from, to } => self.grown(offset, wanted, (from, to)),
        };
        self.start = start;
        self.bytes.clear();
        self.source.seek(SeekFrom::Start(start))?;
        (&mut *self.source).take(length as u64).read_to_end(&mut self.bytes)?;
        Ok(())
    }

    fn grown(&mut self, offset: u64, wanted: usize, (from, to): (usize, usize)) -> (u64, usize) {
        let near = (self.start + self.bytes.len() as u64).saturating_add(from as u64);
        let straight_on = !self.bytes.is_empty() && (self.start..=near).contains(&offset);
        self.block = if straight_on { (self.block * 2).clamp(from, to) } else { from };
        // What is asked for again from a little further on costs one refill per block walked over.
        let length = if straight_on { wanted + self.block } else { wanted.max(self.block) };
        // The first block is read whole: whoever sniffed the file holds it in memory.
        let is_first = offset.saturating_add(wanted as u64) <= from as u64;
        (if is_first { 0 } else { offset }, length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::MeteredSource;

    const GROWING: ReadAhead = ReadAhead::Growing { from: 4096, to: 65_536 };

    #[test]
    fn pieces_are_served_from_one_block() {
        let bytes: Vec<u8> = (0..=255).cycle().take(20_000).collect();
        for ahead in [GROWING, ReadAhead::Fixed(4096)] {
            let cursor = Cursor::new(bytes.clone());
            let mut source = MeteredSource::new(cursor, 20_000, 0, u64::MAX).unwrap();
            let mut window = Window::new(&mut source, ahead).unwrap();
            assert_eq!(window.at(0, 4).unwrap(), [0, 1, 2, 3]);
            assert_eq!(window.array::<2>(256).unwrap(), Some([0, 1]));
            assert_eq!(window.at(19_998, 10).unwrap().len(), 2);
            assert_eq!(window.at(u64::MAX, 10).unwrap().len(), 0);
            assert_eq!(source.bytes_read(), 4096 + 2);
        }
    }

    #[test]
    fn a_reading_limit_is_named() {
        let mut source = MeteredSource::new(Cursor::new(vec![0; 9000]), 9000, 10, 10).unwrap();
        let mut window = Window::new(&mut source, GROWING).unwrap();
        assert!(matches!(window.at(0, 100), Err(Error::Limit(_))));
    }

    proptest! {
        #[test]
        fn it_shows_what_the_source_holds(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            reads in proptest::collection::vec((0u64..450, 0usize..90), 0..12),
            fixed in any::<bool>(),
        ) {
            let small = ReadAhead::Growing { from: 16, to: 64 };
            let ahead = if fixed { ReadAhead::Fixed(20) } else { small };
            let mut cursor = Cursor::new(bytes.clone());
            let mut window = Window::new(&mut cursor, ahead).unwrap();
            for (offset, wanted) in reads {
                let from = usize::try_from(offset).unwrap().min(bytes.len());
                let to = (from + wanted).min(bytes.len());
                prop_assert_eq!(window.at(offset, wanted).unwrap(), &bytes[from..to]);
            }
        }
    }
}
