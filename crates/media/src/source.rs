//! What a probe reads from, and how its reading is counted.

use std::io::{self, Read, Seek, SeekFrom};

use crate::LimitExceeded;

/// Bytes that can be read anywhere: a file, or a cursor over memory.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send + ?Sized> Source for T {}

/// Reads at most `length` bytes from `offset`; fewer only where the source ends.
pub fn read_up_to(source: &mut dyn Source, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    source.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Fills `buffer` from `offset`; an unexpected end is an [`io::ErrorKind::UnexpectedEof`] error.
pub fn read_exact_at(source: &mut dyn Source, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    source.seek(SeekFrom::Start(offset))?;
    source.read_exact(buffer)
}

/// A source that remembers the first bytes, counts what is really read, and stops at a limit.
///
/// The bytes that were read for sniffing are served from memory, so no byte at the start of a file
/// is read twice.
#[derive(Debug)]
pub struct MeteredSource<S> {
    inner: S,
    head: Vec<u8>,
    length: u64,
    position: u64,
    inner_position: u64,
    bytes_read: u64,
    limit: u64,
}

impl<S: Read + Seek> MeteredSource<S> {
    /// Reads up to `head_length` bytes of `inner`, which must stand at its start and be `length`
    /// bytes long.
    ///
    /// # Errors
    ///
    /// What reading gives.
    pub fn new(mut inner: S, length: u64, head_length: usize, limit: u64) -> io::Result<Self> {
        let wanted = head_length.min(usize::try_from(length).unwrap_or(usize::MAX));
        let mut head = vec![0; wanted];
        let mut filled = 0;
        while filled < wanted {
            match inner.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        head.truncate(filled);
        let filled = filled as u64;
        Ok(Self {
            inner,
            head,
            length,
            position: 0,
            inner_position: filled,
            bytes_read: filled,
            limit,
        })
    }

    /// The first bytes, as many as were asked for.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The whole length in bytes, as it was stated.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Bytes read from the inner source so far.
    pub const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The inner source, wherever it stands.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn refuse(&self) -> io::Error {
        io::Error::other(LimitExceeded {
            what: "bytes read by a header probe",
            limit: self.limit,
            actual: self.bytes_read,
        })
    }
}

impl<S: Read + Seek> Read for MeteredSource<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(rest) = usize::try_from(self.position).ok().and_then(|at| self.head.get(at..))
            && !rest.is_empty()
        {
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.position += count as u64;
            return Ok(count);
        }
        if self.position >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        if self.bytes_read >= self.limit {
            return Err(self.refuse());
        }
        if self.inner_position != self.position {
            self.inner.seek(SeekFrom::Start(self.position))?;
            self.inner_position = self.position;
        }
        let count = self.inner.read(buffer)?;
        self.position += count as u64;
        self.inner_position += count as u64;
        self.bytes_read += count as u64;
        Ok(count)
    }
}

impl<S: Read + Seek> Seek for MeteredSource<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
            SeekFrom::End(delta) => self.length.checked_add_signed(delta),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn metered(bytes: &[u8], head: usize, limit: u64) -> MeteredSource<Cursor<Vec<u8>>> {
        let length = bytes.len() as u64;
        MeteredSource::new(Cursor::new(bytes.to_vec()), length, head, limit).unwrap()
    }

    #[test]
    fn the_head_is_read_once() {
        let mut source = metered(b"0123456789", 4, u64::MAX);
        let mut all = String::new();
        source.read_to_string(&mut all).unwrap();
        assert_eq!((all.as_str(), source.bytes_read()), ("0123456789", 10));
        source.rewind().unwrap();
        let mut head = [0; 4];
        source.read_exact(&mut head).unwrap();
        assert_eq!(source.bytes_read(), 10);
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let mut source = metered(&[7; 100], 10, 50);
        let mut chunk = [0; 10];
        let error = loop {
            if let Err(error) = source.read_exact(&mut chunk) {
                break error;
            }
        };
        assert!(error.get_ref().unwrap().is::<LimitExceeded>());
        assert!(source.bytes_read() <= 60);
    }

    proptest! {
        #[test]
        fn it_reads_what_a_plain_cursor_reads(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            head in 0usize..50,
            moves in proptest::collection::vec((0u64..250, 0usize..60), 0..10),
        ) {
            let mut source = metered(&bytes, head, u64::MAX);
            let mut plain = Cursor::new(bytes);
            for (offset, length) in moves {
                let here = read_up_to(&mut source, offset, length).unwrap();
                prop_assert_eq!(here, read_up_to(&mut plain, offset, length).unwrap());
            }
        }
    }
}
