//! What the tests of decoding share.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use mediaprep_image::{DecodeOptions, Error, ImageInfo, Picture, decode, probe};
use mediaprep_media::{Limits, MimeType, Warned, sniff};

/// A file of the project's own fixtures.
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images")).join(name)
}

/// The files right in a folder, by name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The files of one part of the developer set, which is not part of the project; none without it.
pub fn developer_set(part: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/media"));
    let Ok(entries) = fs::read_dir(folder.join(part)) else { return Vec::new() };
    entries.flat_map(|entry| files(&entry.unwrap().path())).collect()
}

/// Type and header facts.
pub fn facts(bytes: &[u8]) -> Result<(MimeType, ImageInfo), Error> {
    let mime = sniff(bytes).ok_or(Error::Unsupported("a file of unknown type"))?;
    let info = probe(&mut Cursor::new(bytes), mime, &Limits::default())?.value;
    Ok((mime, info))
}

/// Header and pixels.
pub fn read(bytes: &[u8], options: &DecodeOptions) -> Result<Warned<Picture>, Error> {
    let (mime, info) = facts(bytes)?;
    decode(bytes, mime, &info, options)
}
