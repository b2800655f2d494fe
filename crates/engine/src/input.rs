//! What the engine is pointed at.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, READ_AGAIN, Stage};
use crate::{ErrorKind, MediaInfo};

/// One input: a file, bytes in memory, or facts that are already known.
#[derive(Clone, Debug)]
pub struct Input {
    source: InputSource,
    optional: bool,
    copy_of: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(crate) enum InputSource {
    Path(PathBuf),
    Bytes { name: String, bytes: Arc<[u8]> },
    Facts(Box<KnownFacts>),
    Broken(Box<Broken>),
}

/// An input that is known to be no good, so that it is reported among the others.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What it is called in reports.
    pub name: String,
    /// What kind of trouble it is.
    pub kind: ErrorKind,
    /// What was found.
    pub reason: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// Facts of a medium that lies elsewhere.
#[derive(Clone, Debug)]
pub struct KnownFacts {
    /// What it is called in reports.
    pub name: String,
    /// Its type; `None` when the facts do not say.
    pub mime_type: Option<mediaprep_media::MimeType>,
    /// Its size in bytes; `None` when the facts do not say.
    pub bytes: Option<u64>,
    /// The facts themselves.
    pub info: MediaInfo,
}

impl Input {
    /// A file.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self { source: InputSource::Path(path.into()), optional: false, copy_of: None }
    }

    /// A file that was found rather than named: when it is no media, it is skipped instead of
    /// being an error.
    pub fn found(path: impl Into<PathBuf>) -> Self {
        Self { source: InputSource::Path(path.into()), optional: true, copy_of: None }
    }

    /// Bytes in memory, under a name for reports.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        let source = InputSource::Bytes { name: name.into(), bytes: bytes.into() };
        Self { source, optional: false, copy_of: None }
    }

    /// What a reader gives, kept in memory, under a name for reports; at most `most` bytes are taken
    /// of it.
    ///
    /// ```
    /// use mediaprep::Input;
    ///
    /// let input = Input::reader("notes.txt", "a stream".as_bytes(), 1 << 20)?;
    /// assert_eq!(input.name(), "notes.txt");
    /// assert!(Input::reader("long", std::io::repeat(0), 1 << 20).is_err());
    /// # Ok::<(), mediaprep::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the reader fails, and an [`ErrorKind::LimitExceeded`] when it has more bytes.
    pub fn reader(name: impl Into<String>, reader: impl Read, most: u64) -> Result<Self, Error> {
        let (name, mut bytes) = (name.into(), Vec::new());
        let read = reader.take(most.saturating_add(1)).read_to_end(&mut bytes);
        let failed = |kind, cause: String| Error::new(&name, Stage::Open, kind, cause);
        read.map_err(|error| failed(ErrorKind::Io, error.to_string()).with_hint(READ_AGAIN))?;
        if bytes.len() as u64 > most {
            let cause = format!("more than {most} bytes; allowed: at most {most}");
            return Err(failed(ErrorKind::LimitExceeded, cause)
                .with_hint("put it into a file, or allow more bytes"));
        }
        Ok(Self::bytes(name, bytes))
    }

    /// A medium whose facts are known.
    pub fn facts(facts: KnownFacts) -> Self {
        Self { source: InputSource::Facts(Box::new(facts)), optional: false, copy_of: None }
    }

    /// An input that is known to be no good.
    pub fn broken(broken: Broken) -> Self {
        Self { source: InputSource::Broken(Box::new(broken)), optional: false, copy_of: None }
    }

    /// The name that reports use: the path as it was given, or the given name.
    pub fn name(&self) -> String {
        match &self.source {
            InputSource::Path(path) => path.to_string_lossy().into_owned(),
            InputSource::Bytes { name, .. } => name.clone(),
            InputSource::Broken(broken) => broken.name.clone(),
            InputSource::Facts(facts) => facts.name.clone(),
        }
    }

    /// Whether the input is skipped when it is no media.
    pub const fn is_optional(&self) -> bool {
        self.optional
    }

    /// The name of the first input with the same bytes, where [`crate::Engine::mark_copies`] has
    /// found one. A copy is counted and sent once, with the first.
    pub fn copy_of(&self) -> Option<&str> {
        self.copy_of.as_deref()
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.source {
            InputSource::Path(path) => Some(path),
            InputSource::Bytes { .. } | InputSource::Facts(_) | InputSource::Broken(_) => None,
        }
    }

    pub(crate) const fn copy_mark(&self) -> Option<&Arc<str>> {
        self.copy_of.as_ref()
    }

    pub(crate) fn mark_copy(&mut self, first: Option<Arc<str>>) {
        self.copy_of = first;
    }

    pub(crate) const fn source(&self) -> &InputSource {
        &self.source
    }
}

/// When a file was written last, and its size: what tells that it is no longer the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written last; `None` where the file system does not say.
    pub modified: Option<SystemTime>,
}

impl FileStamp {
    /// Of a file as it is now; `None` when it cannot be looked at.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

impl From<&Path> for Input {
    fn from(path: &Path) -> Self {
        Self::path(path)
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self::path(path)
    }
}

impl From<&str> for Input {
    /// A path.
    fn from(path: &str) -> Self {
        Self::path(path)
    }
}

impl From<String> for Input {
    /// A path.
    fn from(path: String) -> Self {
        Self::path(path)
    }
}
