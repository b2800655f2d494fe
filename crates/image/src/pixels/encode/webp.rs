//! WebP output: lossy by libwebp, lossless without it.

use mediaprep_media::{Error, Raster};

use super::{Quality, check_sides, gave_up};

/// VP8 and VP8L sizes have 14 bits; libwebp keeps the largest value for itself.
const MAX_SIDE: u32 = 16_383;

/// Encodes a raster, with its alpha channel if it has one.
pub(super) fn encode(raster: &Raster, quality: Quality) -> Result<Vec<u8>, Error> {
    check_sides(raster.size(), MAX_SIDE)?;
    encode_checked(raster, quality)
}

#[cfg(feature = "webp")]
fn encode_checked(raster: &Raster, quality: Quality) -> Result<Vec<u8>, Error> {
    use std::borrow::Cow;

    use mediaprep_media::PixelFormat;
    use webp::{Encoder, PixelLayout};

    let (data, layout) = match raster.format() {
        PixelFormat::Rgb8 => (Cow::Borrowed(raster.data()), PixelLayout::Rgb),
        PixelFormat::Rgba8 => (Cow::Borrowed(raster.data()), PixelLayout::Rgba),
        // libwebp takes no grey.
        PixelFormat::Gray8 => {
            let triples = raster.data().iter().flat_map(|&grey| [grey; 3]).collect();
            (Cow::Owned(triples), PixelLayout::Rgb)
        }
    };
    let size = raster.size();
    let encoder = Encoder::new(&data, layout, size.width(), size.height());
    let bytes = encoder.encode_simple(false, f32::from(quality.0)).map_err(|_| gave_up("WebP"))?;
    Ok(bytes.to_vec())
}

#[cfg(not(feature = "webp"))]
fn encode_checked(raster: &Raster, _: Quality) -> Result<Vec<u8>, Error> {
    use image::codecs::webp::WebPEncoder;

    let mut bytes = Vec::new();
    let (size, colour) = (raster.size(), super::png::colour(raster.format()));
    WebPEncoder::new_lossless(&mut bytes)
        .encode(raster.data(), size.width(), size.height(), colour)
        .map_err(|_| gave_up("WebP"))?;
    Ok(bytes)
}
