//! One source for the probe and the decoder, whichever library the latter comes from.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mediaprep_media::{Error, Source};

/// A source that several readers hold, one after the other. The lock also makes it `Sync`, which
/// Symphonia asks of its sources.
#[derive(Clone)]
pub(crate) struct Shared {
    source: Arc<Mutex<Inner>>,
    length: u64,
}

struct Inner {
    source: Box<dyn Source>,
    /// The first error, since libraries pass on no more than its kind.
    fault: Option<io::Error>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Shared {
    /// Takes over a source and learns its length.
    pub(crate) fn new(mut source: Box<dyn Source>) -> Result<Self, Error> {
        let length = source.seek(SeekFrom::End(0))?;
        source.rewind()?;
        let inner = Inner { source, fault: None };
        Ok(Self { source: Arc::new(Mutex::new(inner)), length })
    }

    /// The length in bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// The same source at its start.
    pub(crate) fn rewound(&self) -> Result<Self, Error> {
        self.lock().source.rewind()?;
        Ok(self.clone())
    }

    /// The source's own error, if it had one since the last call.
    pub(crate) fn fault(&self) -> Option<Error> {
        self.lock().fault.take().map(Error::from)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn keep<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let copy = io::Error::from(error.kind());
            self.fault.get_or_insert(error);
            copy
        })
    }
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.lock();
        let result = inner.source.read(buffer);
        inner.keep(result)
    }
}

impl Seek for Shared {
    /// An impossible place is refused without being remembered, since a reader of a damaged file
    /// may well ask for one.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.lock().source.seek(to)
    }
}

impl symphonia::core::io::MediaSource for Shared {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
