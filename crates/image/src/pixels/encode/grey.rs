//! Pixels without colour.

use mediaprep_media::{PixelFormat, Raster};

/// Bytes that are compared at once: pixels of three bytes, and whole vectors of the processor.
const BLOCK: usize = 48;
/// Which bytes are to equal the next one: those of the next pixel may differ.
const WITHIN: [u8; BLOCK] = {
    let mut within = [u8::MAX; BLOCK];
    let mut last = 2;
    while last < BLOCK {
        within[last] = 0;
        last += 3;
    }
    within
};

/// The same pixels in one channel, where all are opaque and none has a colour.
///
/// Scans and drawings are often so, and one sample for three is less to encode, to send and to decode.
/// Photographs show a colour within their first pixels.
pub(super) fn without_colour(raster: &Raster) -> Option<Raster> {
    if raster.format() != PixelFormat::Rgb8 {
        return None;
    }
    let (blocks, rest) = raster.data().as_chunks();
    if !blocks.iter().all(is_grey) || !rest.chunks_exact(3).all(|pixel| pixel == [pixel[0]; 3]) {
        return None;
    }
    let data = raster.data().chunks_exact(3).map(|pixel| pixel[0]).collect();
    Raster::new(raster.size(), PixelFormat::Gray8, data)
}

fn is_grey(block: &[u8; BLOCK]) -> bool {
    let pairs = block.iter().zip(&block[1..]).zip(&WITHIN);
    pairs.fold(0, |found, ((byte, next), within)| found | (byte ^ next) & within) == 0
}
