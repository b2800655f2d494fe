//! Why one way of reading a document ends.

use std::io;

use mediaprep_media::{Error, LimitExceeded};

/// The name of the format in errors.
pub(crate) const FORMAT: &str = "PDF";

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The structure is broken here; another way of reading may still succeed.
    Damaged { offset: u64, reason: &'static str },
    /// No other way of reading helps.
    Fatal(Error),
}

impl Failure {
    pub(crate) const fn damaged(offset: u64, reason: &'static str) -> Self {
        Self::Damaged { offset, reason }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Damaged { offset, reason } => Self::malformed(FORMAT, offset, reason),
            Failure::Fatal(error) => error,
        }
    }
}

impl From<LimitExceeded> for Failure {
    fn from(limit: LimitExceeded) -> Self {
        Self::Fatal(limit.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Fatal(error.into())
    }
}
