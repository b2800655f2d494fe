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
    Io(#[from] io::Error),
    /// The bytes break the rules of their own format.
    #[error("malformed {format} at byte {offset}: {reason}")]
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

impl Error {
    /// A [`Error::Malformed`] in one line.
    pub const fn malformed(format: &'static str, offset: u64, reason: &'static str) -> Self {
        Self::Malformed { format, offset, reason }
    }
}
