//! A piece of an upload on its way, and the hash of what has gone.

use std::io::{self, Read, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::source::{ReadSeek, UploadSource};
use crate::transport::ChunkSource;

/// The most that is read at a time: what a core's cache holds while it is hashed and sent.
const READ: u64 = 256 << 10;

/// Some bytes of the source, hashed on their way the first time.
pub(super) struct Piece {
    source: Arc<dyn UploadSource>,
    hash: Option<Arc<Mutex<Running>>>,
    reader: Option<Box<dyn ReadSeek>>,
    offset: u64,
    left: u64,
}

impl Piece {
    /// `left` bytes from `offset` on.
    pub(super) fn new(
        source: Arc<dyn UploadSource>,
        hash: Option<Arc<Mutex<Running>>>,
        (offset, left): (u64, u64),
    ) -> Self {
        Self { source, hash, reader: None, offset, left }
    }
}

impl ChunkSource for Piece {
    fn next_chunk(&mut self) -> Option<io::Result<Bytes>> {
        if self.left == 0 {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.left = 0;
        }
        Some(read)
    }
}

impl Piece {
    fn read(&mut self) -> io::Result<Bytes> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => {
                let mut opened = self.source.open()?;
                opened.seek(SeekFrom::Start(self.offset))?;
                self.reader.insert(opened)
            }
        };
        let wanted = self.left.min(READ);
        let mut bytes = Vec::with_capacity(usize::try_from(wanted).map_err(io::Error::other)?);
        reader.take(wanted).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < wanted {
            return Err(changed(self.source.length(), self.offset + bytes.len() as u64));
        }
        if let Some(hash) = &self.hash {
            hash.lock().unwrap_or_else(PoisonError::into_inner).add(self.offset, &bytes);
        }
        self.offset += wanted;
        self.left -= wanted;
        Ok(bytes.into())
    }
}

pub(super) fn changed(length: u64, found: u64) -> io::Error {
    let message = format!("the file ends at byte {found}, but had {length} when it was named");
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}

/// A hash of the bytes up to a position; bytes that are sent again do not count again.
#[derive(Default)]
pub(super) struct Running {
    position: u64,
    sha: Sha256,
}

impl Running {
    /// The hash of so many bytes, where that is what was hashed.
    pub(super) fn digest(&self, length: u64) -> Option<[u8; 32]> {
        (self.position == length).then(|| self.sha.clone().finalize().into())
    }

    fn add(&mut self, offset: u64, bytes: &[u8]) {
        let Some(skip) = self.position.checked_sub(offset) else { return };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        if let Some(new) = bytes.get(skip..) {
            self.sha.update(new);
            self.position += new.len() as u64;
        }
    }
}
