//! What the tests of decoding share.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use mediaprep_image::{Error, ImageInfo, probe};
use mediaprep_media::{Limits, MimeType, sniff};

/// A file of the project's own fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images")).join(name)
}

/// The files right in a folder, by name.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The files of one part of the developer set, which is not part of the project; none without it.
pub(crate) fn developer_set(part: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/media"));
    let Ok(entries) = fs::read_dir(folder.join(part)) else { return Vec::new() };
    entries.flat_map(|entry| files(&entry.unwrap().path())).collect()
}

/// Type and header facts.
pub(crate) fn facts(bytes: &[u8]) -> Result<(MimeType, ImageInfo), Error> {
    let mime = sniff(bytes).ok_or(Error::Unsupported("a file of unknown type"))?;
    let info = probe(&mut Cursor::new(bytes), mime, &Limits::default())?.value;
    Ok((mime, info))
}
