//! How much memory decoding takes, from the header alone.
//!
//! What the decoders hold was measured with `tests/pixels_memory.rs` on the fixtures and the
//! developer set: Rust's part by a counting allocator, that of the C libraries by the process's peak
//! of resident memory. Bytes for each pixel: 12 MP grey progressive JPEG 2.98 (1 the picture, 2 the
//! coefficients); 144 MP WebP 6.00 (libwebp's picture and its copy); HEIC in tiles 7.0, turned 8.0,
//! in one piece 10.1, with transparency 13.2.

use mediaprep_media::MimeType;

use super::heif::work;
use super::{DecodeOptions, jpeg, png};
use crate::ImageInfo;

/// Tables, colour profiles and the decoders' own state.
const OVERHEAD: u64 = 4 << 20;

/// The most bytes that [`super::decode`] holds at once, the result included, the file's bytes not.
///
/// What grows with the file's length and not with the picture is not in it: the copy of the file
/// that is made for damaged JPEG files, for all of them without libjpeg-turbo, and of coded bytes
/// for HEIF, and the tables of a colour profile of megabytes. [`u64::MAX`] beyond all measure.
pub fn decode_peak_bytes(mime: MimeType, info: &ImageInfo, options: &DecodeOptions) -> u64 {
    let pixels = info.stored.pixels();
    let of_picture = match mime {
        MimeType::Jpeg => jpeg(info, options),
        MimeType::Png => png(info),
        // libwebp's own result and its copy; or what image-webp takes for an animation: canvas,
        // frame, and the planes or colours that the frame is made from.
        MimeType::Webp => pixels.saturating_mul(12),
        // Canvas, frame, and the frame's palette indices.
        MimeType::Gif => pixels.saturating_mul(9),
        MimeType::Bmp => pixels.saturating_mul(4),
        MimeType::Tiff => tiff(info),
        MimeType::Heic | MimeType::Heif => heif(info),
        _ => 0,
    };
    of_picture.saturating_add(OVERHEAD)
}

/// The result, rows on the way to it, and where there are several scans the coefficients of all
/// blocks, of two bytes each.
fn jpeg(info: &ImageInfo, options: &DecodeOptions) -> u64 {
    let (width, height) = (u64::from(info.stored.width()), u64::from(info.stored.height()));
    let divisor = jpeg::divisor(info, options) as u64;
    let channels = info.jpeg.map_or(4, |coding| u64::from(coding.components));
    // Planes are padded to whole groups of two by two samples.
    let result = (width.div_ceil(divisor) + 1) * (height.div_ceil(divisor) + 1) * channels;
    let is_held = info.jpeg.is_none_or(|coding| coding.progressive);
    let coefficients = if is_held { (width + 32) * (height + 32) * channels * 2 } else { 0 };
    result + coefficients + 256 * width + 32 * height
}

/// The result, of 16 bits on the way if the file has them, and what `png` may hold.
fn png(info: &ImageInfo) -> u64 {
    let channels = if info.has_alpha == Some(false) { 3 } else { 4 };
    let bytes = if info.bit_depth.is_none_or(|depth| depth == 16) { 2 } else { 1 };
    let rows = png::held_bytes(info.stored.width()) as u64;
    info.stored.pixels().saturating_mul(channels * bytes).saturating_add(rows)
}

/// Four samples of the file's own depth, three times: the result on its way to 8 bits, what `tiff`
/// puts together, and a strip, which may be the whole.
fn tiff(info: &ImageInfo) -> u64 {
    let depth = u64::from(info.bit_depth.unwrap_or(32).max(8));
    info.stored.pixels().saturating_mul(3 * 4 * depth.div_ceil(8))
}

/// The worst of what a file may be made of that `work::check` lets pass, for each coded pixel: 4
/// bytes decoded, 6 of planes without subsampling and 3 of the decoder's notes for the picture in
/// work; without transparency an overlay of two layers (4 + 4 + 6 + 3), with it colours, their
/// planes, and the same for the alpha plane (4 + 6 + 6 + 3, rounded up for grids of both).
fn heif(info: &ImageInfo) -> u64 {
    let bytes = if info.has_alpha == Some(false) { 17 } else { 20 };
    work::coded_pixels(info.stored).saturating_mul(bytes)
}
