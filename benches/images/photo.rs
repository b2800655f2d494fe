//! The pictures that every tool is given.

use std::io;
use std::path::{Path, PathBuf};

use mediaprep_benches::photo;
use mediaprep_image::{Chroma, Encoding, OutputFormat, encode};

/// Writes `photo.jpg` of 4000 x 3000, and beside it a picture of whole blocks, 4032 x 3024, which
/// can be turned without decoding.
pub(crate) fn write(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join("photo.jpg");
    std::fs::write(&path, jpeg(4000, 3000)?)?;
    std::fs::write(beside(&path), jpeg(4032, 3024)?)?;
    Ok(path)
}

/// Where the picture of whole blocks lies.
pub(crate) fn beside(photo: &Path) -> PathBuf {
    photo.with_file_name("blocks.jpg")
}

fn jpeg(width: u32, height: u32) -> io::Result<Vec<u8>> {
    let raster = photo(width, height).ok_or_else(|| io::Error::other("no pixels"))?;
    let encoding = Encoding { format: OutputFormat::Jpeg, quality: 92, chroma: Chroma::Subsampled };
    encode(&raster, &encoding).map_err(io::Error::other)
}
