//! What went wrong, with which input, at which stage, and what to do about it.

use std::borrow::Cow;
use std::fmt;

use mediaprep_media::Error as MediaError;
use serde::{Deserialize, Serialize, Serializer};

/// What kind of trouble it is: whose fault, and which exit status follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// A setting is out of range or conflicts with another.
    InvalidOption,
    /// No row for this model, service, meter and date, or the row is silent about one medium.
    NoRule,
    /// The bytes could not be read.
    Io,
    /// The bytes break their format.
    Malformed,
    /// The file is valid, but nothing here reads it, or the model does not take it.
    Unsupported,
    /// Too big for a stated limit.
    LimitExceeded,
    /// An optional reader is missing from this build.
    BackendUnavailable,
    /// The service refused.
    Api,
}

impl ErrorKind {
    /// The kind as JSON prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOption => "invalid-option",
            Self::NoRule => "no-rule",
            Self::Io => "io",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::LimitExceeded => "limit-exceeded",
            Self::BackendUnavailable => "backend-unavailable",
            Self::Api => "api",
        }
    }

    /// The stable code in snake case that scripts match on where no narrower one exists.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidOption => "invalid_option",
            Self::NoRule => "no_rule",
            Self::Io => "io",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::LimitExceeded => "limit_exceeded",
            Self::BackendUnavailable => "backend_unavailable",
            Self::Api => "api",
        }
    }
}

/// Where on the way it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Checking the settings.
    Options,
    /// Opening the input.
    Open,
    /// Recognising the format.
    Sniff,
    /// Reading header facts.
    Probe,
    /// Finding the rule and counting.
    Count,
    /// Checking what the service accepts.
    Limits,
    /// Deciding what is done to the bytes.
    Plan,
    /// From bytes to pixels.
    Decode,
    /// From pixels to bytes.
    Encode,
    /// Storing what was made.
    Write,
}

impl Stage {
    /// The stage as messages and JSON print it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::Open => "open",
            Self::Sniff => "sniff",
            Self::Probe => "probe",
            Self::Count => "count",
            Self::Limits => "limits",
            Self::Plan => "plan",
            Self::Decode => "decode",
            Self::Encode => "encode",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One input's failure.
///
/// `Display` says where it happened; the reason is [`std::error::Error::source`].
#[derive(Debug)]
pub struct Error {
    input: String,
    stage: Stage,
    kind: ErrorKind,
    code: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
    hint: Option<Cow<'static, str>>,
}

impl Error {
    /// An error of the given kind; the cause is an error or a plain message.
    pub fn new(
        input: impl Into<String>,
        stage: Stage,
        kind: ErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self { input: input.into(), stage, kind, code: kind.code(), source, hint: None }
    }

    /// A reader's error, with the kind and hint that follow from it.
    pub fn from_media(input: impl Into<String>, stage: Stage, source: MediaError) -> Self {
        let (kind, hint) = classify(&source);
        Self::new(input, stage, kind, source).with_hint(hint)
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same under a narrower stable code.
    #[must_use]
    pub const fn with_code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// The input's name, as it was given.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Where it went wrong.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What kind of trouble it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable code in snake case.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The causes from nearest to deepest, joined with `: `.
    pub fn cause(&self) -> String {
        let mut text = self.source.to_string();
        let mut next = self.source.source();
        while let Some(error) = next {
            let deeper = error.to_string();
            if !text.ends_with(&deeper) {
                text.push_str(": ");
                text.push_str(&deeper);
            }
            next = error.source();
        }
        text
    }
}

/// The kind and the way out that a reader's error implies.
fn classify(error: &MediaError) -> (ErrorKind, &'static str) {
    match error {
        MediaError::Io(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
            (ErrorKind::Malformed, "the file ends too early; fetch or export it again")
        }
        MediaError::Io(_) => (ErrorKind::Io, READ_AGAIN),
        MediaError::Malformed { .. } => {
            (ErrorKind::Malformed, "the file is damaged; fetch or export it again")
        }
        MediaError::Encrypted { .. } => (
            ErrorKind::Unsupported,
            "give the password of PDFs, or remove it before sending the file",
        ),
        MediaError::Limit(_) => (ErrorKind::LimitExceeded, RAISE),
        MediaError::Backend { backend: "PDFium" } => {
            (ErrorKind::BackendUnavailable, "name the file of PDFium's library, or have hayro draw")
        }
        MediaError::Backend { .. } => (
            ErrorKind::BackendUnavailable,
            "build with the feature `ffmpeg`, which needs the libav development packages",
        ),
        _ => (ErrorKind::Unsupported, "convert the file to a supported format"),
    }
}

/// What to do when storage fails for no nameable reason.
pub(crate) const READ_AGAIN: &str = "try again, or copy the file to another disk";

const RAISE: &str = "a safety limit for untrusted files; a caller of the library can raise it";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.input.is_empty() {
            write!(f, "{}", self.stage)
        } else {
            write!(f, "{}: {}", self.input, self.stage)
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(test)]
mod tests {
    use mediaprep_media::LimitExceeded;

    use super::*;

    #[test]
    fn the_cause_is_joined_without_repeating_itself() {
        let io = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "permission denied");
        let error = Error::from_media("a.png", Stage::Open, MediaError::Io(io));
        assert_eq!(error.to_string(), "a.png: open");
        assert_eq!(error.cause(), "cannot read the bytes: permission denied");
        assert_eq!(error.kind(), ErrorKind::Io);
    }

    #[test]
    fn a_read_limit_is_no_io_error() {
        let limit = LimitExceeded { what: "bytes read", limit: 1, actual: 2 };
        let io = std::io::Error::other(limit);
        let error = Error::from_media("a.png", Stage::Probe, io.into());
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.cause().contains("bytes read of 2 is above the limit of 1"));
    }
}
