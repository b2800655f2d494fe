//! What a tool has made: whether it is the same work as ours.

use std::io;
use std::path::Path;

use image::RgbImage;

/// Below this, in dB, it is another picture; filters and chroma alone make no such difference.
const SAME: f64 = 25.0;

/// One file that a tool has made.
pub(crate) struct Output {
    picture: RgbImage,
    pub(crate) bytes: u64,
}

/// Every file of a folder, by name.
pub(crate) fn read(folder: &Path) -> io::Result<Vec<Output>> {
    let entries = std::fs::read_dir(folder)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.iter().map(|path| output(path)).collect()
}

fn output(path: &Path) -> io::Result<Output> {
    let bytes = std::fs::read(path)?;
    let picture = image::load_from_memory(&bytes).map_err(io::Error::other)?.into_rgb8();
    Ok(Output { picture, bytes: bytes.len() as u64 })
}

/// Peak signal-to-noise ratio of all pictures together, in dB; in words why they are not the same.
pub(crate) fn compare(ours: &[Output], theirs: &[Output]) -> Result<f64, String> {
    if ours.len() != theirs.len() {
        return Err(format!("{} files in place of {}", theirs.len(), ours.len()));
    }
    let (mut squares, mut count) = (0_u64, 0_u64);
    for (one, other) in ours.iter().zip(theirs) {
        let (wanted, found) = (one.picture.dimensions(), other.picture.dimensions());
        if wanted != found {
            return Err(format!("{found:?} pixels in place of {wanted:?}"));
        }
        let pairs = one.picture.as_raw().iter().zip(other.picture.as_raw());
        squares += pairs.map(|(one, other)| u64::from(one.abs_diff(*other)).pow(2)).sum::<u64>();
        count += one.picture.as_raw().len() as u64;
    }
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
    let psnr = 10.0 * (255.0 * 255.0 * count as f64 / squares as f64).log10();
    if psnr < SAME { Err(format!("another picture, {psnr:.1} dB from ours")) } else { Ok(psnr) }
}
