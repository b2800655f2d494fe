//! Where the bytes of an upload come from.

use std::fs;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// Bytes that can be read from any place, so that an upload can go on in the middle.
pub trait UploadSource: Send + Sync {
    /// How many there are.
    fn length(&self) -> u64;
    /// Opens them anew.
    ///
    /// # Errors
    ///
    /// What opening gives.
    fn open(&self) -> io::Result<Box<dyn ReadSeek>>;
    /// What tells these bytes from others without reading them, such as path, length and time of
    /// the last change: an upload goes on in a later process only where it is the same.
    fn identity(&self) -> Option<String> {
        None
    }
}

/// Something to read from any place.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// A file on disk, with the length that it has when it is named.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    length: u64,
    identity: String,
}

impl FileSource {
    /// Looks at a file without opening it.
    ///
    /// # Errors
    ///
    /// What looking gives; a folder or device is [`io::ErrorKind::InvalidInput`].
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let found = fs::metadata(&path)?;
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let changed = found.modified().ok().and_then(|time| {
            time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_nanos())
        });
        let full = path.canonicalize().unwrap_or_else(|_| path.clone());
        let identity =
            format!("{}\0{}\0{}", full.display(), found.len(), changed.unwrap_or_default());
        Ok(Self { path, length: found.len(), identity })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl UploadSource for FileSource {
    fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(fs::File::open(&self.path)?))
    }

    fn identity(&self) -> Option<String> {
        Some(self.identity.clone())
    }
}

/// Bytes in memory.
#[derive(Clone, Debug)]
pub struct BytesSource(Bytes);

impl BytesSource {
    /// Takes the bytes without copying them.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }
}

impl UploadSource for BytesSource {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}
