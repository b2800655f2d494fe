//! How much memory decoding takes, from the header alone.

use mediaprep_media::{Dimensions, MimeType};

use super::heif::work;
use super::{DecodeOptions, png};
use crate::ImageInfo;

/// Tables, colour profiles and the decoders' own state.
const OVERHEAD: u64 = 4 << 20;

/// The most bytes that [`super::decode`] holds at once, the result included, the file's bytes not.
///
/// A JPEG file that is damaged, or has stray bytes between its segments, or that is decoded without
/// libjpeg-turbo, costs a copy of its bytes beside this.
pub fn decode_peak_bytes(mime: MimeType, info: &ImageInfo, options: &DecodeOptions) -> u64 {
    let pixels = info.stored.pixels();
    let of_picture = match mime {
        MimeType::Jpeg => jpeg(info, options),
        MimeType::Png => png(info),
        // libwebp's own result and its copy, or what image-webp takes for an animation: canvas,
        // frame and the planes or colours that the frame is made from.
        MimeType::Webp => pixels * 12,
        // Canvas, frame and the frame's palette indices.
        MimeType::Gif => pixels * 9,
        MimeType::Bmp => pixels * 4,
        MimeType::Tiff => tiff(info),
        MimeType::Heic | MimeType::Heif => heif(info.stored),
        _ => 0,
    };
    of_picture + OVERHEAD
}

/// Bytes of what comes out, and of the coefficients of all blocks where they are held.
fn jpeg(info: &ImageInfo, options: &DecodeOptions) -> u64 {
    info.stored.pixels() * 16
}

fn png(info: &ImageInfo) -> u64 {
    let channels = if info.has_alpha == Some(false) { 3 } else { 4 };
    let bytes = if info.bit_depth == Some(16) { 2 } else { 1 };
    info.stored.pixels() * channels * bytes + png::held_bytes(info.stored.width()) as u64
}

fn tiff(info: &ImageInfo) -> u64 {
    info.stored.pixels() * 12
}

fn heif(shown: Dimensions) -> u64 {
    let coded = work::coded_pixels(shown);
    shown.pixels() * 4 + coded * 16
}
