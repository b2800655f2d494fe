//! How much memory drawing and encoding take.

use mediaprep_media::Dimensions;

use super::paint::{BAND_BYTES, LEAST_ROWS};
use crate::pixels::encode::{Encoding, OutputFormat};
use crate::pixels::resize::whole;
use crate::{ImageInfo, View};

/// Coders, lookup tables and allocators.
const OVERHEAD: u64 = 1 << 20;

/// The most bytes that rendering one view of a decoded picture holds at once beside the picture,
/// the encoded result included.
///
/// For the size of JPEG files, noise of full amplitude in every sample is taken as the worst that
/// comes; a file can be built that takes more.
pub fn render_peak_bytes(info: &ImageInfo, view: &View, encoding: &Encoding) -> u64 {
    let channels = channels(info);
    let drawing = view.size.pixels() * channels;
    // A grey picture on a coloured background is drawn, coloured and framed one after the other.
    let placed = u64::from(view.placed.width) * u64::from(view.placed.height);
    let framing = if view.is_letterboxed() { placed * channels } else { 0 };
    // Losing transparency copies the drawing.
    let is_flattened = channels == 4 && !encoding.format.keeps_alpha();
    let flat = if is_flattened { view.size.pixels() * 3 } else { 0 };
    let encoded = encoder_bytes(view.size, channels, encoding).max(framing);
    let bytes =
        [drawing, flat, band_bytes(info, view, encoding), weight_bytes(view), encoded, OVERHEAD];
    bytes.into_iter().fold(0, u64::saturating_add)
}

/// Channels of the output at most.
fn channels(info: &ImageInfo) -> u64 {
    match info.jpeg {
        Some(coding) if coding.components == 1 => 1,
        _ if info.has_alpha == Some(false) => 3,
        _ => 4,
    }
}

/// The bytes of all rows that are on their way.
fn band_bytes(info: &ImageInfo, view: &View, encoding: &Encoding) -> u64 {
    let (across, down) = lengths(view);
    // Turning may exchange the axes.
    let longer = across.max(down) + 64;
    let row = longer * channels(info);
    let rows = u64::from(view.size.long()) + 4;
    let band = (row * rows).min(u64::from(BAND_BYTES).max(row * u64::from(LEAST_ROWS)));
    // What is resampled down, four rows woven into one, the same resampled across, and turned.
    let bands = band.saturating_mul(4);
    if goes_by_colours(info, view, encoding) {
        // Three planes and their colours as well.
        return bands.saturating_add(band.saturating_mul(6));
    }
    if channels(info) < 4 {
        return bands;
    }
    // All that a band sees is copied to be multiplied with its opacity.
    let scale = across.max(down) / u64::from(view.placed.width.min(view.placed.height)).max(1) + 1;
    let seen = band.saturating_mul(2).saturating_add(row * 8 * scale);
    bands.saturating_add(seen.min(info.stored.pixels().saturating_mul(4)))
}

/// Whether planes may have to be drawn as RGB.
fn goes_by_colours(info: &ImageInfo, view: &View, encoding: &Encoding) -> bool {
    info.jpeg.is_some() && (encoding.format != OutputFormat::Jpeg || view.is_letterboxed())
}

/// The bytes of the filter's weights along both axes: three lobes on either side, as 64-bit floats
/// and as 16-bit integers.
fn weight_bytes(view: &View) -> u64 {
    let (across, down) = lengths(view);
    160 * (across + down)
}

/// The longer of what is seen and what comes out, along each axis.
fn lengths(view: &View) -> (u64, u64) {
    let across = whole(view.region.width.ceil()).max(view.size.width());
    let down = whole(view.region.height.ceil()).max(view.size.height());
    (across.into(), down.into())
}

/// What an encoder holds beside the drawing, the result included: measured with noise.
fn encoder_bytes(size: Dimensions, channels: u64, encoding: &Encoding) -> u64 {
    let samples = size.pixels() * channels;
    match encoding.format {
        // A buffer that grows by doubling, and the copy that it becomes.
        OutputFormat::Jpeg => samples * noise_quarters(encoding.quality) / 4 * JPEG_COPIES,
        // Filtered rows, and compressed ones twice.
        OutputFormat::Png { .. } => samples * 5,
        // Planes, and what is known of each block until all are written.
        OutputFormat::Webp => size.pixels() * 32,
    }
}

/// libjpeg-turbo's buffer and ours; or one that is copied where it has doubled.
const JPEG_COPIES: u64 = if cfg!(feature = "turbo") { 2 } else { 3 };

/// How many quarters of a byte a sample of noise takes in a JPEG file, measured for noise of 0 and
/// 255: 0.96 at quality 90, 1.21 at 95 and 1.88 at 100.
const fn noise_quarters(quality: u8) -> u64 {
    match quality {
        0..=90 => 4,
        91..=95 => 5,
        _ => 8,
    }
}
