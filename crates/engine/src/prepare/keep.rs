//! Handing bytes over to where they are kept, and what lies in temporary files until then.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use mediaprep_media::{MimeType, Watch};
use sha2::{Digest, Sha256};

use super::carry::{Job, PartBytes};
use super::peak::COPY_BUFFER;
use super::role::Role;
use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::probe::{Probed, probe_made};

impl Job<'_> {
    /// Has the store keep bytes as a part, by its place, role and extension.
    pub(super) fn hand_over<R: Read>(
        &self,
        source: &mut Hashed<R>,
        (part, role, extension): (usize, Role, &'static str),
    ) -> Result<(), Error> {
        let bytes = source as &mut dyn Read;
        let stored = self.store.store(PartBytes { item: self.at, part, role, extension, bytes });
        if let Some(error) = source.error.take() {
            return Err(self.error(Stage::Open, ErrorKind::Io, error).with_hint(READ_AGAIN));
        }
        stored.map_err(|error| self.write_error(error))
    }

    /// The hash of the source's bytes, without holding them.
    pub(super) fn hash(&self, watch: &Watch) -> Result<[u8; 32], Error> {
        let expected = self.planned.probed.bytes.unwrap_or(0);
        let mut source = Hashed::new(self.open()?.take(expected.saturating_add(1)));
        let mut buffer = vec![0; COPY_BUFFER];
        loop {
            watch.check().map_err(|error| self.media_error(Stage::Open, error))?;
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let error = source.error.take().unwrap_or(error);
                    return Err(self
                        .error(Stage::Open, ErrorKind::Io, error)
                        .with_hint(READ_AGAIN));
                }
            }
        }
        if source.length != expected {
            return Err(self.changed(source.length));
        }
        Ok(source.finish())
    }

    /// Keeps what lies in a temporary file; its facts, by its own header.
    pub(super) fn keep_file(
        &self,
        mut file: File,
        place: (usize, Role, &'static str),
    ) -> Result<(Probed, [u8; 32]), Error> {
        let (length, sha256) = self.keep_unread(&mut file, place)?;
        file.rewind().map_err(|error| self.scratch_error(error))?;
        let facts = probe_made(&self.planned.probed.name, file, length, self.limits())?;
        Ok((facts, sha256))
    }

    /// The same for what is no medium; its length.
    pub(super) fn keep_unread(
        &self,
        file: &mut File,
        place: (usize, Role, &'static str),
    ) -> Result<(u64, [u8; 32]), Error> {
        file.seek(SeekFrom::Start(0)).map_err(|error| self.scratch_error(error))?;
        let mut source = Hashed::new(file);
        self.hand_over(&mut source, place)?;
        Ok((source.length, source.finish()))
    }

    /// A file without a name, gone as soon as nothing holds it.
    pub(super) fn temporary(&self) -> io::Result<File> {
        tempfile::tempfile_in(self.engine.scratch())
    }

    /// Trouble with a temporary file.
    pub(super) fn scratch_error(&self, error: io::Error) -> Error {
        self.error(Stage::Write, ErrorKind::Io, error)
            .with_hint("free some space, or choose another folder for temporary files")
    }

    /// Has the store keep bytes from memory as a part.
    pub(super) fn keep_bytes(
        &self,
        part: usize,
        role: Role,
        facts: &Probed,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let extension = facts.mime_type.map_or("bin", MimeType::extension);
        let mut reader = Cursor::new(bytes);
        self.store
            .store(PartBytes { item: self.at, part, role, extension, bytes: &mut reader })
            .map_err(|error| self.write_error(error))
    }
}

/// A reader that hashes and counts what goes through it, and remembers its own errors so that they
/// are not taken for those of the writer.
pub(super) struct Hashed<R> {
    inner: R,
    hash: Sha256,
    pub(super) length: u64,
    error: Option<io::Error>,
}

impl<R: Read> Hashed<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), length: 0, error: None }
    }

    pub(super) fn finish(self) -> [u8; 32] {
        self.hash.finalize().into()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(COPY_BUFFER);
        match self.inner.read(&mut buffer[..most]) {
            Ok(count) => {
                self.hash.update(&buffer[..count]);
                self.length += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.error = Some(error);
                Err(kind.into())
            }
        }
    }
}
