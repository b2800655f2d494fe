//! By what work is known again: everything that decides which bytes come out, in one hash.

use std::io::Write;
use std::path::Path;

use mediaprep::{Engine, ItemOptions, Planned, Preparation, PrepareOptions};

use super::journal::hex;

/// What all items of a preparation have in common.
pub(crate) struct Plans {
    common: blake3::Hasher,
}

/// The build: another one may encode otherwise.
const BUILD: (&str, bool, bool, bool) = (
    env!("CARGO_PKG_VERSION"),
    cfg!(feature = "ffmpeg"),
    cfg!(feature = "turbo"),
    cfg!(feature = "webp"),
);

impl Plans {
    pub(crate) fn new(preparation: &Preparation<'_>, engine: &Engine) -> Self {
        // Neither has a say in what comes out.
        let (labels, working_time) = (false, None);
        let options = PrepareOptions { labels, working_time, ..preparation.options.clone() };
        let mut common = blake3::Hasher::new();
        // A hasher takes everything.
        let _ = write!(common, "{BUILD:?} {} {options:?}", engine.has_pdfium());
        Self { common }
    }

    /// The hash of one item's plan, its own options, its source's path and its files' names, in
    /// hex.
    pub(crate) fn hash(
        &self,
        (planned, own): (&Planned, &ItemOptions),
        source: &Path,
        (stem, parts): (&str, u64),
    ) -> String {
        let mut hasher = self.common.clone();
        let source = source.as_os_str().as_encoded_bytes();
        let _ = write!(hasher, " {source:?} {stem:?} {parts} {own:?} {:?}", planned.plan);
        hex(hasher.finalize().as_bytes())
    }
}
