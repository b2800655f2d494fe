//! A window of a file: every probe reads through it, so that a usual header costs one read.

use std::io::{self, SeekFrom};

use mediaprep_media::{Error, LimitExceeded, SNIFF_LENGTH, Source};

/// Bytes kept in hand: what sniffing has read already.
pub(crate) const WINDOW: usize = SNIFF_LENGTH;

/// Bytes read after a jump: some headers in a row, but no more than a page.
const AFTER_JUMP: usize = 1024;

/// A source seen through a window of [`WINDOW`] bytes that moves only when it must.
pub(crate) struct Reader<'a> {
    source: &'a mut dyn Source,
    format: &'static str,
    length: u64,
    start: u64,
    filled: usize,
    buffer: [u8; WINDOW],
}

impl<'a> Reader<'a> {
    /// Takes the first bytes of `source` in hand. `format` is named in every error.
    pub(crate) fn new(source: &'a mut dyn Source, format: &'static str) -> Result<Self, Error> {
        let length = source.seek(SeekFrom::End(0))?;
        let mut reader = Self { source, format, length, start: 0, filled: 0, buffer: [0; WINDOW] };
        reader.fill(0, WINDOW)?;
        Ok(reader)
    }

    /// The whole length in bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Whether the window holds the whole file.
    pub(crate) const fn holds_all(&self) -> bool {
        self.start == 0 && self.filled as u64 == self.length
    }

    /// An error about this file.
    pub(crate) const fn malformed(&self, offset: u64, reason: &'static str) -> Error {
        Error::malformed(self.format, offset, reason)
    }

    /// Up to `count` bytes (at most [`WINDOW`]) from `offset`; fewer only at the file's end.
    pub(crate) fn peek(&mut self, offset: u64, count: usize) -> Result<&[u8], Error> {
        if offset >= self.length {
            return Ok(&[]);
        }
        let count = count.min(WINDOW);
        let inside = |reader: &Self| {
            let from = usize::try_from(offset.checked_sub(reader.start)?).ok()?;
            let at_end = reader.start + reader.filled as u64 >= reader.length;
            let enough = from <= reader.filled && (reader.filled - from >= count || at_end);
            enough.then_some(from)
        };
        let from = match inside(self) {
            Some(from) => from,
            None => {
                self.fill(offset, count.max(AFTER_JUMP))?;
                0
            }
        };
        Ok(&self.buffer[from..self.filled.min(from + count)])
    }

    /// Exactly `N` bytes from `offset`; `reason` says what the file's end cuts off.
    pub(crate) fn array<const N: usize>(
        &mut self,
        offset: u64,
        reason: &'static str,
    ) -> Result<[u8; N], Error> {
        match self.peek(offset, N)?.first_chunk() {
            Some(bytes) => Ok(*bytes),
            None => Err(self.malformed(offset, reason)),
        }
    }

    /// `length` bytes from `offset` that are too many for the window, at most `limit` of them. The
    /// buffer grows with what is really read.
    pub(crate) fn bulk(&mut self, offset: u64, length: u64, limit: u64) -> Result<Vec<u8>, Error> {
        if length > limit {
            let what = "bytes held by a header probe";
            return Err(LimitExceeded { what, limit, actual: length }.into());
        }
        let count = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = mediaprep_media::read_up_to(self.source, offset, count)?;
        if bytes.len() < count {
            return Err(self.malformed(offset, "the file ends inside a header"));
        }
        Ok(bytes)
    }

    fn fill(&mut self, offset: u64, count: usize) -> Result<(), Error> {
        (self.start, self.filled) = (offset, 0);
        self.source.seek(SeekFrom::Start(offset))?;
        while self.filled < count {
            match self.source.read(&mut self.buffer[self.filled..count]) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if self.filled < count {
            // A file that shrinks meanwhile is shorter than was stated.
            self.length = self.length.min(self.start + self.filled as u64);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use mediaprep_media::MeteredSource;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_end_inside_an_array_is_malformed() {
        let mut source = Cursor::new(b"abc");
        let mut reader = Reader::new(&mut source, "test").unwrap();
        assert_eq!(reader.array::<2>(1, "cut").unwrap(), *b"bc");
        let error = reader.array::<2>(2, "cut").unwrap_err();
        assert_eq!(error.to_string(), "malformed test at byte 2: cut");
        assert!(reader.peek(u64::MAX, 4).unwrap().is_empty());
    }

    #[test]
    fn a_read_limit_is_a_limit_error() {
        let bytes = vec![0u8; 20_000];
        let mut source = MeteredSource::new(Cursor::new(bytes), 20_000, WINDOW, 4096).unwrap();
        let mut reader = Reader::new(&mut source, "test").unwrap();
        assert!(matches!(reader.peek(9000, 4), Err(Error::Limit(_))));
    }

    proptest! {
        #[test]
        fn it_shows_what_lies_there(
            length in 0usize..12_000, jumps in prop::collection::vec((0u64..13_000, 0usize..5000), 0..8),
        ) {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7 % 251).to_le_bytes()[0]).collect();
            let mut source = Cursor::new(&bytes);
            let mut reader = Reader::new(&mut source, "test").unwrap();
            for (offset, count) in jumps {
                let from = usize::try_from(offset).unwrap().min(length);
                let expected = &bytes[from..(from + count.min(WINDOW)).min(length)];
                prop_assert_eq!(reader.peek(offset, count).unwrap(), expected);
            }
        }
    }
}
