//! What can go wrong while reading media, shared by every crate that reads some.

use std::io;

use crate::LimitExceeded;

/// Why a file's facts or content could not be read.
///
/// The message is one clause without the cause; the cause is [`std::error::Error::source`]. Which
/// input it was and at which stage is added by the engine.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes could not be read.
    #[error("cannot read the bytes")]
    Io(#[source] io::Error),
    /// The bytes break the rules of their own format.
    #[error("malformed {format}{}: {reason}", place(*offset))]
    Malformed {
        /// The format's usual name, such as `PNG`.
        format: &'static str,
        /// Where in the file, in bytes from its start; 0 when no better place is known.
        offset: u64,
        /// What was found and what was expected.
        reason: &'static str,
    },
    /// The file is encrypted and opens only with a password.
    #[error("the {format} is encrypted and needs a password")]
    Encrypted {
        /// The format's usual name.
        format: &'static str,
    },
    /// The file is valid, but nothing here reads it.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The file is larger than a stated limit.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// An optional reader is missing from this build or machine.
    #[error("{backend} is not available in this build")]
    Backend {
        /// The library or feature that would read the file.
        backend: &'static str,
    },
}

/// Where in the file, unless that is not known.
fn place(offset: u64) -> String {
    if offset == 0 { String::new() } else { format!(" at byte {offset}") }
}

impl From<io::Error> for Error {
    /// A source that stops at its reading limit says so inside an I/O error; here it becomes a
    /// limit again, since nothing is wrong with the file's storage.
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<LimitExceeded>()) {
            Some(limit) => Self::Limit(limit.clone()),
            None => Self::Io(error),
        }
    }
}

impl Error {
    /// A [`Error::Malformed`] in one line.
    pub const fn malformed(format: &'static str, offset: u64, reason: &'static str) -> Self {
        Self::Malformed { format, offset, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_inside_an_io_error_is_a_limit() {
        let limit = LimitExceeded { what: "bytes read", limit: 1, actual: 2 };
        let error = Error::from(io::Error::other(limit.clone()));
        assert!(matches!(error, Error::Limit(found) if found == limit));
        let other = Error::from(io::Error::other("a disk error"));
        assert!(matches!(other, Error::Io(_)));
    }
}
