//! Luma and chroma planes, as JPEG files hold them.

#![cfg_attr(
    not(any(feature = "turbo", test)),
    expect(dead_code, reason = "only libjpeg-turbo gives and takes planes")
)]

pub(crate) mod convert;

use mediaprep_media::Dimensions;

/// How many luma samples share a chroma sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// No chroma at all.
    Gray,
    /// One to one.
    S444,
    /// Two across.
    S422,
    /// Two across and two down.
    S420,
    /// Two down.
    S440,
}

impl Sampling {
    /// Luma samples per chroma sample, across and down; 1 and 1 for grey.
    pub(crate) const fn factors(self) -> (u32, u32) {
        match self {
            Self::Gray | Self::S444 => (1, 1),
            Self::S422 => (2, 1),
            Self::S420 => (2, 2),
            Self::S440 => (1, 2),
        }
    }

    /// How many planes there are: 1 or 3.
    pub(crate) const fn planes(self) -> usize {
        match self {
            Self::Gray => 1,
            _ => 3,
        }
    }
}

/// Full-range BT.601 planes of 8 bits: luma first, then Cb and Cr unless the picture is grey.
///
/// All planes lie in one buffer without padding between rows. As in libjpeg-turbo, the luma plane's
/// sides are rounded up to a multiple of the sampling factors, and a chroma plane's sides are the
/// picture's divided by them, rounded up. Chroma samples lie in the middle of the luma samples that
/// share them.
#[derive(Clone, Debug)]
pub(crate) struct Planes {
    pub(crate) size: Dimensions,
    pub(crate) sampling: Sampling,
    pub(crate) data: Vec<u8>,
}

/// One plane's place in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlaneLayout {
    /// Where the plane starts.
    pub(crate) offset: usize,
    /// Samples in a row.
    pub(crate) width: u32,
    /// Rows.
    pub(crate) height: u32,
}

impl PlaneLayout {
    /// Samples of the plane.
    pub(crate) const fn length(&self) -> usize {
        self.width as usize * self.height as usize
    }
}

/// Where plane `index` of a picture lies; planes beyond [`Sampling::planes`] are empty.
pub(crate) const fn layout(size: Dimensions, sampling: Sampling, index: usize) -> PlaneLayout {
    let (across, down) = sampling.factors();
    let (width, height) = (size.width().div_ceil(across), size.height().div_ceil(down));
    let luma = PlaneLayout { offset: 0, width: width * across, height: height * down };
    if index == 0 {
        return luma;
    }
    if index >= sampling.planes() {
        return PlaneLayout { offset: luma.length(), width: 0, height: 0 };
    }
    let chroma = PlaneLayout { offset: 0, width, height };
    PlaneLayout { offset: luma.length() + (index - 1) * chroma.length(), width, height }
}

impl Planes {
    /// Bytes of all planes.
    pub(crate) const fn bytes(size: Dimensions, sampling: Sampling) -> usize {
        let last = layout(size, sampling, sampling.planes() - 1);
        last.offset + last.length()
    }

    /// Where plane `index` lies in [`Planes::data`].
    pub(crate) const fn layout(&self, index: usize) -> PlaneLayout {
        layout(self.size, self.sampling, index)
    }

    /// The samples of plane `index` to change.
    #[cfg(feature = "turbo")]
    pub(crate) fn plane_mut(&mut self, index: usize) -> &mut [u8] {
        let place = self.layout(index);
        self.data.get_mut(place.offset..place.offset + place.length()).unwrap_or_default()
    }

    /// The samples of plane `index`.
    pub(crate) fn plane(&self, index: usize) -> &[u8] {
        let place = self.layout(index);
        self.data.get(place.offset..place.offset + place.length()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_pictures_have_padded_luma_and_rounded_up_chroma() {
        let size = Dimensions::new(5, 3).unwrap();
        assert_eq!(layout(size, Sampling::S420, 0), PlaneLayout { offset: 0, width: 6, height: 4 });
        assert_eq!(
            layout(size, Sampling::S420, 1),
            PlaneLayout { offset: 24, width: 3, height: 2 }
        );
        assert_eq!(
            layout(size, Sampling::S420, 2),
            PlaneLayout { offset: 30, width: 3, height: 2 }
        );
        assert_eq!(Planes::bytes(size, Sampling::S420), 36);
        assert_eq!(Planes::bytes(size, Sampling::Gray), 15);
        assert_eq!(Planes::bytes(size, Sampling::S444), 45);
    }
}
