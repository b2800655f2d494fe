//! PNG output.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use mediaprep_media::{Error, PixelFormat, Raster};

use super::gave_up;

/// Encodes a raster; `small` asks for the smallest file. PNG holds every size that a raster has.
pub(super) fn encode(raster: &Raster, small: bool) -> Result<Vec<u8>, Error> {
    let level = if small { CompressionType::Best } else { CompressionType::Fast };
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, level, FilterType::Adaptive);
    let size = raster.size();
    encoder
        .write_image(raster.data(), size.width(), size.height(), colour(raster.format()))
        .map_err(|_| gave_up("PNG"))?;
    Ok(bytes)
}

/// The pixel format in the words of `image`.
pub(super) const fn colour(format: PixelFormat) -> ExtendedColorType {
    match format {
        PixelFormat::Gray8 => ExtendedColorType::L8,
        PixelFormat::Rgb8 => ExtendedColorType::Rgb8,
        PixelFormat::Rgba8 => ExtendedColorType::Rgba8,
    }
}
