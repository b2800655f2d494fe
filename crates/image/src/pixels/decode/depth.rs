//! Samples to 8 bits and pixels to the three formats of a raster, all in place: see
//! [`super::decode_peak_bytes`].

use mediaprep_media::{Dimensions, Error, PixelFormat, Raster};

/// What a decoder gives: 8 bits a channel, packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    /// Bytes of a pixel.
    pub(super) const fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// A zeroed buffer for packed pixels of `bytes` each, with room for what [`raster`] makes of them.
pub(super) fn buffer(size: Dimensions, channels: Channels, bytes: usize) -> Result<Vec<u8>, Error> {
    const TOO_MANY: Error =
        Error::malformed("raster", 0, "more pixels than this machine addresses");
    let pixels = usize::try_from(size.pixels()).map_err(|_| TOO_MANY)?;
    let length = pixels.checked_mul(bytes).ok_or(TOO_MANY)?;
    if channels == Channels::GrayAlpha {
        let mut data = Vec::with_capacity(pixels.checked_mul(4).ok_or(TOO_MANY)?.max(length));
        data.resize(length, 0);
        return Ok(data);
    }
    Ok(vec![0; length])
}

/// 16 bits to 8, rounded to the nearest: 65 535 is 255 times 257.
const fn narrow(sample: u16) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 65 535 · 255 / 65 535")]
    let byte = ((sample as u32 * 255 + 32_767) / 65_535) as u8;
    byte
}

/// Samples of 16 bits, put together by `read`, to bytes.
pub(super) fn narrow_16(data: &mut Vec<u8>, read: fn([u8; 2]) -> u16) {
    let samples = data.len() / 2;
    for index in 0..samples {
        let Some(&pair) = data[index * 2..].first_chunk() else { break };
        data[index] = narrow(read(pair));
    }
    data.truncate(samples);
}

/// Floats of this machine's byte order from 0 to 1, clamped, to bytes. Not-a-number becomes 0.
pub(super) fn narrow_float(data: &mut Vec<u8>) {
    let samples = data.len() / 4;
    for index in 0..samples {
        let Some(&four) = data[index * 4..].first_chunk() else { break };
        let value = f32::from_ne_bytes(four).clamp(0.0, 1.0) * 255.0;
        #[expect(clippy::cast_possible_truncation, reason = "clamped; a cast of NaN gives 0")]
        let byte = value.round() as u8;
        data[index] = byte;
    }
    data.truncate(samples);
}

/// The raster of decoded bytes. Grey with alpha becomes RGBA. An alpha channel that the header does
/// not announce, and that hides nothing, goes.
pub(super) fn raster(
    mut data: Vec<u8>,
    channels: Channels,
    size: Dimensions,
    announces_alpha: bool,
) -> Result<Raster, Error> {
    let format = match channels {
        Channels::Gray => PixelFormat::Gray8,
        Channels::Rgb => PixelFormat::Rgb8,
        Channels::GrayAlpha => {
            spread_gray_alpha(&mut data);
            PixelFormat::Rgba8
        }
        Channels::Rgba if !announces_alpha && is_opaque(&data) => {
            drop_alpha(&mut data);
            PixelFormat::Rgb8
        }
        Channels::Rgba => PixelFormat::Rgba8,
    };
    data.shrink_to_fit();
    Raster::new(size, format, data).ok_or(Error::malformed(
        "raster",
        0,
        "another number of pixels than the size asks for",
    ))
}

/// Grey and alpha to red, green, blue and alpha, from the end so that nothing is overwritten.
fn spread_gray_alpha(data: &mut Vec<u8>) {
    let pixels = data.len() / 2;
    data.resize(pixels * 4, 0);
    for index in (0..pixels).rev() {
        let (grey, alpha) = (data[index * 2], data[index * 2 + 1]);
        data[index * 4..index * 4 + 4].copy_from_slice(&[grey, grey, grey, alpha]);
    }
}

fn is_opaque(data: &[u8]) -> bool {
    data.chunks_exact(4).all(|pixel| pixel[3] == 255)
}

/// RGBA to RGB, leaving the alpha channel out.
pub(super) fn drop_alpha(data: &mut Vec<u8>) {
    let pixels = data.len() / 4;
    for index in 1..pixels {
        data.copy_within(index * 4..index * 4 + 3, index * 3);
    }
    data.truncate(pixels * 3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest_eight() {
        for sample in 0..=u16::MAX {
            let exact = f64::from(sample) / 257.0;
            assert_eq!(f64::from(narrow(sample)), exact.round(), "{sample}");
        }
        let mut data = vec![0x00, 0x80, 0x00, 0x81, 0xff, 0xff];
        narrow_16(&mut data, u16::from_be_bytes);
        assert_eq!(data, [0, 1, 255]);
    }

    #[test]
    fn floats_are_clamped() {
        let values = [-1.0, 0.0, 0.5, 1.0, 7.0, f32::NAN];
        let mut data: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        narrow_float(&mut data);
        assert_eq!(data, [0, 0, 128, 255, 255, 0]);
    }

    #[test]
    fn alpha_goes_only_when_nobody_announced_it_and_it_hides_nothing() {
        let size = Dimensions::new(2, 1).unwrap();
        let data = |last| vec![1, 2, 3, 255, 4, 5, 6, last];
        let opaque = raster(data(255), Channels::Rgba, size, false).unwrap();
        assert_eq!((opaque.format(), opaque.data()), (PixelFormat::Rgb8, &[1, 2, 3, 4, 5, 6][..]));
        let announced = raster(data(255), Channels::Rgba, size, true).unwrap();
        assert_eq!(announced.format(), PixelFormat::Rgba8);
        let clear = raster(data(254), Channels::Rgba, size, false).unwrap();
        assert_eq!((clear.format(), clear.data()), (PixelFormat::Rgba8, &data(254)[..]));
    }

    #[test]
    fn grey_with_alpha_becomes_four_channels() {
        let size = Dimensions::new(3, 1).unwrap();
        let spread = raster(vec![1, 2, 3, 4, 5, 6], Channels::GrayAlpha, size, true).unwrap();
        assert_eq!(spread.data(), [1, 1, 1, 2, 3, 3, 3, 4, 5, 5, 5, 6]);
    }
}
