//! What can go wrong, and what can be done about it.

use std::time::Duration;

use crate::api_error::ApiError;
use crate::endpoint::InvalidName;
use crate::transport::TransportError;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same again may succeed.
    Retry,
    /// The same again will succeed once a file is ready.
    Wait,
    /// A file has gone: upload it again, then the same.
    UploadAgain,
    /// The same again fails again.
    Never,
}

/// A failure to send or to be answered. No text of it holds a key, a token or an upload's address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service refused, or is overloaded.
    #[error("{0}")]
    Api(Box<ApiError>),
    /// No answer came, or it broke off.
    #[error("{source}{}", after(*tries))]
    Transport {
        /// How often it was tried.
        tries: u32,
        /// What prevented it.
        source: TransportError,
    },
    /// The answer is not what it should be.
    #[error("the answer to {call} is not understood: {reason}")]
    Answer {
        /// What was asked.
        call: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// An upload did not come to its end.
    #[error("the upload stopped at byte {offset} of {length}: {reason}{}", after(*tries))]
    Upload {
        /// Bytes that the service has.
        offset: u64,
        /// Bytes of the file.
        length: u64,
        /// Why it stopped.
        reason: String,
        /// How often the same bytes were tried.
        tries: u32,
    },
    /// The bytes that were sent are not those that the service has.
    #[error("the service has other bytes than were sent: {what} {found}, expected {expected}")]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// What the service says.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// The service could not process a file.
    #[error("the service could not process {name}: {reason}")]
    FileFailed {
        /// The file's name there.
        name: String,
        /// What the service says.
        reason: String,
    },
    /// A file was not ready in time.
    #[error("{name} is still being processed after {} s", waited.as_secs())]
    NotActive {
        /// The file's name there.
        name: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// No key or token could be had.
    #[error("no credentials: {0}")]
    Credentials(String),
    /// The request is larger than the service takes.
    #[error("the request has {found} bytes, the service takes {allowed}")]
    TooLarge {
        /// Bytes of the body.
        found: u64,
        /// The most that are allowed.
        allowed: u64,
    },
    /// The call does not exist on this service.
    #[error("{what} is not offered by this service; {instead}")]
    NotOffered {
        /// What was asked for.
        what: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// A setting or name is out of its range.
    #[error("{0}")]
    Invalid(String),
    /// The list of uploads that may be used again cannot be used.
    #[error("the list of uploads {path} cannot be used: {reason}")]
    Reuse {
        /// Where it lies.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The whole call took longer than it may.
    #[error("no answer within {} s", deadline.as_secs_f32())]
    Deadline {
        /// How long it may take.
        deadline: Duration,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
    /// The blocking client was called from inside an asynchronous runtime.
    #[error("the blocking client cannot be used inside an asynchronous runtime")]
    InsideRuntime,
}

fn after(tries: u32) -> String {
    if tries > 1 { format!(" (tried {tries} times)") } else { String::new() }
}

impl Error {
    /// What can be done.
    pub fn class(&self) -> Class {
        match self {
            Self::Api(error) => error.class(),
            Self::Transport { source, .. } => match source {
                TransportError::Body(_) | TransportError::Invalid { .. } => Class::Never,
                _ => Class::Retry,
            },
            Self::NotActive { .. } => Class::Wait,
            Self::Upload { .. } | Self::Mismatch { .. } => Class::UploadAgain,
            _ => Class::Never,
        }
    }

    /// What the service said, where it said something.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    /// A way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Api(error) => return error.hint(),
            Self::Transport { source: TransportError::Connect { .. }, .. } => {
                "look at the network, a proxy, or the base URL".to_owned()
            }
            Self::Transport { source: TransportError::Idle { .. }, .. } => {
                "a longer idle timeout, or streaming, lets a model think for longer".to_owned()
            }
            Self::Upload { .. } => "run it again: it goes on where it stopped".to_owned(),
            Self::Mismatch { .. } => "was the file changed meanwhile? run it again".to_owned(),
            Self::Deadline { .. } => "give it more time".to_owned(),
            Self::NotActive { .. } => "wait longer, and use the file then".to_owned(),
            Self::FileFailed { .. } => {
                "the file may be damaged or of a type that is not taken; convert it".to_owned()
            }
            Self::TooLarge { .. } => "upload the files, or split the request".to_owned(),
            _ => return None,
        })
    }

    pub(crate) fn credentials(reason: impl ToString) -> Self {
        Self::Credentials(reason.to_string())
    }

    pub(crate) fn answer(call: &'static str, reason: impl ToString) -> Self {
        Self::Answer { call, reason: reason.to_string() }
    }

    /// How often it was tried, noted in the error.
    pub(crate) fn with_tries(mut self, count: u32) -> Self {
        match &mut self {
            Self::Api(error) => error.tries = count,
            Self::Transport { tries, .. } => *tries = count,
            _ => {}
        }
        self
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<TransportError> for Error {
    fn from(source: TransportError) -> Self {
        Self::Transport { tries: 1, source }
    }
}

impl From<InvalidName> for Error {
    fn from(error: InvalidName) -> Self {
        Self::Invalid(error.to_string())
    }
}
