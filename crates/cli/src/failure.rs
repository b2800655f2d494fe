//! Why a command could not run at all: exit status 2.

use std::borrow::Cow;
use std::io;
use std::path::Path;

/// What stopped the command before it did anything, with a way out.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) hints: Vec<Cow<'static, str>>,
}

impl Failure {
    /// A setting that is out of range or missing.
    pub(crate) fn option(message: impl Into<String>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), hints: vec![hint.into()] }
    }

    /// A file that the command itself needs and cannot read.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        let message = format!("{}: open: {error}", path.display());
        Self::option(message, "check the path and its permissions")
    }
}
