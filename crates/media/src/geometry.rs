//! Sizes in whole pixels and the eight ways to turn a picture.

use serde::{Deserialize, Serialize};

/// Width and height in pixels; neither is ever zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Dimensions {
    width: u32,
    height: u32,
}

impl Dimensions {
    /// A single pixel.
    pub const ONE: Self = Self { width: 1, height: 1 };

    /// `None` when either side is zero.
    pub const fn new(width: u32, height: u32) -> Option<Self> {
        if width == 0 || height == 0 { None } else { Some(Self { width, height }) }
    }

    /// Pixels from left to right, at least 1.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// Pixels from top to bottom, at least 1.
    pub const fn height(self) -> u32 {
        self.height
    }

    /// The shorter side.
    pub const fn short(self) -> u32 {
        if self.width < self.height { self.width } else { self.height }
    }

    /// The longer side.
    pub const fn long(self) -> u32 {
        if self.width < self.height { self.height } else { self.width }
    }

    /// Width times height; never overflows.
    pub const fn pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// The sides exchanged.
    pub const fn swapped(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// The size after the picture is turned upright.
    pub const fn oriented(self, orientation: Orientation) -> Self {
        if orientation.swaps_axes() { self.swapped() } else { self }
    }

    /// The largest size of the same shape that fits into `frame`, sides rounded down but at least
    /// 1; never larger than `self`.
    #[must_use]
    pub fn fit_within(self, frame: Self) -> Self {
        if self.width <= frame.width && self.height <= frame.height {
            return self;
        }
        let (w, h) = (u64::from(self.width), u64::from(self.height));
        let (fw, fh) = (u64::from(frame.width), u64::from(frame.height));
        // Compare the two scale factors fw/w and fh/h without dividing.
        if fw * h <= fh * w {
            Self { width: frame.width, height: narrow((h * fw / w).max(1)) }
        } else {
            Self { width: narrow((w * fh / h).max(1)), height: frame.height }
        }
    }
}

/// Both callers have divided by the larger of two 32-bit sides, so the value fits.
fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// How a stored picture must be turned to stand upright: the eight values of the Exif tag 274.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Orientation {
    /// 1: upright as stored.
    #[default]
    Upright = 1,
    /// 2: mirrored left to right.
    FlipHorizontal = 2,
    /// 3: turned by 180 degrees.
    Rotate180 = 3,
    /// 4: mirrored top to bottom.
    FlipVertical = 4,
    /// 5: mirrored along the main diagonal.
    Transpose = 5,
    /// 6: must be turned clockwise by 90 degrees.
    Rotate90 = 6,
    /// 7: mirrored along the other diagonal.
    Transverse = 7,
    /// 8: must be turned clockwise by 270 degrees.
    Rotate270 = 8,
}

impl Orientation {
    /// All eight, by Exif value.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::FlipHorizontal,
        Self::Rotate180,
        Self::FlipVertical,
        Self::Transpose,
        Self::Rotate90,
        Self::Transverse,
        Self::Rotate270,
    ];

    /// The orientation for an Exif value; `None` outside 1 to 8. Writers that store 0 mean 1, which
    /// is for the reader to decide.
    pub const fn from_exif(value: u16) -> Option<Self> {
        match value {
            1..=8 => Some(Self::ALL[value as usize - 1]),
            _ => None,
        }
    }

    /// The Exif value, 1 to 8.
    pub const fn exif(self) -> u8 {
        self as u8
    }

    /// What undoes it: only the two quarter turns are not their own inverse.
    #[must_use]
    pub const fn inverse(self) -> Self {
        match self {
            Self::Rotate90 => Self::Rotate270,
            Self::Rotate270 => Self::Rotate90,
            other => other,
        }
    }

    /// Whether turning the picture upright exchanges width and height.
    pub const fn swaps_axes(self) -> bool {
        self as u8 >= 5
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_side_of_zero_cannot_be_built() {
        assert_eq!(Dimensions::new(0, 5), None);
        assert_eq!(Dimensions::new(5, 0), None);
    }

    #[test]
    fn fitting_keeps_the_shape_and_rounds_down() {
        let frame = Dimensions::new(3072, 3072).unwrap();
        let fit = |w, h| Dimensions::new(w, h).unwrap().fit_within(frame);
        assert_eq!(fit(16000, 9000), Dimensions::new(3072, 1728).unwrap());
        assert_eq!(fit(1, 10000), Dimensions::new(1, 3072).unwrap());
        assert_eq!(fit(640, 480), Dimensions::new(640, 480).unwrap());
    }

    proptest! {
        #[test]
        fn fitting_never_leaves_the_frame(w in 1u32.., h in 1u32.., fw in 1u32.., fh in 1u32..) {
            let size = Dimensions::new(w, h).unwrap();
            let out = size.fit_within(Dimensions::new(fw, fh).unwrap());
            prop_assert!(out.width() <= fw && out.height() <= fh);
            prop_assert!(out.width() <= w && out.height() <= h);
        }

        #[test]
        fn orientation_swaps_exactly_when_it_says_so(w in 1u32.., h in 1u32.., value in 1u16..=8) {
            let orientation = Orientation::from_exif(value).unwrap();
            let out = Dimensions::new(w, h).unwrap().oriented(orientation);
            prop_assert_eq!(out.width() == h && out.height() == w, value >= 5 || w == h);
            prop_assert_eq!(u16::from(orientation.exif()), value);
        }
    }
}
