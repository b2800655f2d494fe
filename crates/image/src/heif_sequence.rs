//! The picture track of a HEIF sequence, for files that hold no still picture. ISO/IEC 14496-12,
//! sections 8.3.2 (track header), 8.4.3 (handler) and 8.7.3 (sample sizes).

use mediaprep_media::bmff::children;

use crate::heif::{child, word};

/// Facts of a track.
pub(crate) struct Track {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frames: Option<u32>,
}

/// The first track of pictures in a `moov` box with the given body.
pub(crate) fn read(moov: &[u8]) -> Option<Track> {
    children(moov, 0)
        .filter(|(header, _)| &header.kind == b"trak")
        .filter(|(_, body)| {
            let handler = child(child(body, b"mdia"), b"hdlr").get(8..12);
            handler == Some(b"pict") || handler == Some(b"vide")
        })
        .find_map(|(_, body)| track(body))
}

fn track(trak: &[u8]) -> Option<Track> {
    let header = child(trak, b"tkhd");
    // Version 1 has times of 64 bits.
    let times = if header.first() == Some(&1) { 32 } else { 20 };
    let matrix = times + 20;
    // Sides are fixed-point numbers with 16 bits behind the point.
    let (width, height) = (word(header, matrix + 36)? >> 16, word(header, matrix + 40)? >> 16);
    // A quarter turn has zeros in the diagonal of the matrix.
    let turned = word(header, matrix)? == 0 && word(header, matrix + 16)? == 0;
    let (width, height) = if turned { (height, width) } else { (width, height) };
    let table = child(child(child(trak, b"mdia"), b"minf"), b"stbl");
    let frames = word(child(table, b"stsz"), 8).or_else(|| word(child(table, b"stz2"), 8));
    Some(Track { width, height, frames })
}
