//! Pixels in memory.

use serde::Serialize;

use crate::Dimensions;

/// What a pixel is made of; every channel is 8 bits of sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelFormat {
    /// Grey.
    Gray8,
    /// Red, green, blue.
    Rgb8,
    /// Red, green, blue, and opacity that is not multiplied into the colours.
    Rgba8,
}

impl PixelFormat {
    /// Bytes of a pixel: 1, 3 or 4.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Rgb8 => 3,
            Self::Rgba8 => 4,
        }
    }

    /// Whether pixels may be transparent.
    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::Rgba8)
    }
}

/// A picture in memory: packed rows from top to bottom, without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Raster {
    size: Dimensions,
    format: PixelFormat,
    data: Vec<u8>,
}

impl Raster {
    /// `None` when `data` is not exactly as long as the size and format ask for.
    pub fn new(size: Dimensions, format: PixelFormat, data: Vec<u8>) -> Option<Self> {
        (Self::bytes(size, format) == Some(data.len())).then_some(Self { size, format, data })
    }

    /// Bytes of a raster; `None` when they are beyond this machine's address space.
    pub fn bytes(size: Dimensions, format: PixelFormat) -> Option<usize> {
        usize::try_from(size.pixels()).ok()?.checked_mul(format.channels())
    }

    /// Width and height.
    pub const fn size(&self) -> Dimensions {
        self.size
    }

    /// What a pixel is made of.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// Bytes of one row.
    pub const fn stride(&self) -> usize {
        self.size.width() as usize * self.format.channels()
    }

    /// The rows, one behind the other.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The same to change.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The rows without the rest.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// The pixel at `x` from the left and `y` from the top; `None` outside the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<&[u8]> {
        if x >= self.size.width() || y >= self.size.height() {
            return None;
        }
        let channels = self.format.channels();
        let at = y as usize * self.stride() + x as usize * channels;
        self.data.get(at..at + channels)
    }
}

impl std::fmt::Debug for Raster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raster({} x {} {:?})", self.size.width(), self.size.height(), self.format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_must_fit_the_size() {
        let size = Dimensions::new(2, 3).unwrap();
        assert!(Raster::new(size, PixelFormat::Rgb8, vec![0; 17]).is_none());
        let raster = Raster::new(size, PixelFormat::Rgb8, (0..18).collect()).unwrap();
        assert_eq!(raster.pixel(1, 2), Some(&[15, 16, 17][..]));
        assert_eq!((raster.pixel(2, 0), raster.pixel(0, 3)), (None, None));
    }
}
