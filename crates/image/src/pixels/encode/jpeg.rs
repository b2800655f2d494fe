//! JPEG output: libjpeg-turbo, or `jpeg-encoder` without it and beyond its largest side.

use std::collections::HashSet;

use mediaprep_media::{Dimensions, Error, PixelFormat, Raster};

use super::background::flatten;
use super::{Chroma, Quality, check_sides, gave_up};
#[cfg(feature = "turbo")]
use crate::pixels::planes::{Planes, Sampling};

/// Frame headers have 16 bits for a side.
const MAX_SIDE: u32 = 65_535;
/// Where libjpeg draws its own line (`JPEG_MAX_DIMENSION`).
#[cfg(feature = "turbo")]
const MAX_TURBO_SIDE: u32 = 65_500;
/// Pictures with at most this many colours are drawings, for [`Chroma::Auto`]: what a palette
/// holds. Photographs pass it within their first rows.
const FEW_COLOURS: usize = 256;
/// Under transparent pixels when the caller names no colour.
const WHITE: [u8; 3] = [255; 3];

/// A JPEG encoder whose libjpeg-turbo handle is made for the first picture and kept.
#[derive(Debug, Default)]
pub(super) struct Compressor {
    #[cfg(feature = "turbo")]
    handle: Option<turbojpeg::Compressor>,
}

impl Compressor {
    /// Encodes a raster: grey ones as grey files, transparent ones composed on white.
    pub(super) fn encode(
        &mut self,
        raster: &Raster,
        quality: Quality,
        chroma: Chroma,
    ) -> Result<Vec<u8>, Error> {
        check_sides(raster.size(), MAX_SIDE)?;
        if raster.format().has_alpha() {
            let flat = flatten(raster.clone(), WHITE)?;
            return self.encode(&flat, quality, chroma);
        }
        let is_full = is_full(raster, chroma);
        #[cfg(feature = "turbo")]
        if raster.size().long() <= MAX_TURBO_SIDE {
            return self.encode_turbo(raster, quality, is_full);
        }
        encode_pure(raster, quality, is_full)
    }

    #[cfg(feature = "turbo")]
    fn encode_turbo(
        &mut self,
        raster: &Raster,
        quality: Quality,
        is_full: bool,
    ) -> Result<Vec<u8>, Error> {
        use turbojpeg::{Image, PixelFormat as Format, Subsamp};

        let (format, sampling) = match (raster.format(), is_full) {
            (PixelFormat::Gray8, _) => (Format::GRAY, Subsamp::Gray),
            (_, true) => (Format::RGB, Subsamp::None),
            (_, false) => (Format::RGB, Subsamp::Sub2x2),
        };
        let size = raster.size();
        let image = Image {
            pixels: raster.data(),
            width: size.width() as usize,
            pitch: raster.stride(),
            height: size.height() as usize,
            format,
        };
        let handle = self.handle(quality)?;
        handle.set_subsamp(sampling).map_err(|_| gave_up("JPEG"))?;
        handle.compress_to_vec(image).map_err(|_| gave_up("JPEG"))
    }

    /// Encodes planes with the sampling that they have.
    #[cfg(feature = "turbo")]
    pub(super) fn encode_planes(
        &mut self,
        planes: &Planes,
        quality: Quality,
    ) -> Result<Vec<u8>, Error> {
        check_sides(planes.size, MAX_TURBO_SIDE)?;
        if planes.data.len() != Planes::bytes(planes.size, planes.sampling) {
            return Err(gave_up("JPEG"));
        }
        let image = turbojpeg::YuvImage {
            pixels: planes.data.as_slice(),
            width: planes.size.width() as usize,
            align: 1,
            height: planes.size.height() as usize,
            subsamp: subsampling(planes.sampling),
        };
        self.handle(quality)?.compress_yuv_to_vec(image).map_err(|_| gave_up("JPEG"))
    }

    #[cfg(feature = "turbo")]
    fn handle(&mut self, quality: Quality) -> Result<&mut turbojpeg::Compressor, Error> {
        let handle = match self.handle.take() {
            Some(handle) => handle,
            None => turbojpeg::Compressor::new().map_err(|_| gave_up("JPEG"))?,
        };
        let handle = self.handle.insert(handle);
        handle.set_quality(i32::from(quality.0)).map_err(|_| gave_up("JPEG"))?;
        Ok(handle)
    }
}

/// The sampling in the words of `turbojpeg`.
#[cfg(feature = "turbo")]
const fn subsampling(sampling: Sampling) -> turbojpeg::Subsamp {
    match sampling {
        Sampling::Gray => turbojpeg::Subsamp::Gray,
        Sampling::S444 => turbojpeg::Subsamp::None,
        Sampling::S422 => turbojpeg::Subsamp::Sub2x1,
        Sampling::S420 => turbojpeg::Subsamp::Sub2x2,
        Sampling::S440 => turbojpeg::Subsamp::Sub1x2,
    }
}

fn encode_pure(raster: &Raster, quality: Quality, is_full: bool) -> Result<Vec<u8>, Error> {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    let colour = match raster.format() {
        PixelFormat::Gray8 => ColorType::Luma,
        _ => ColorType::Rgb,
    };
    let (width, height) = sides(raster.size())?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality.0);
    encoder.set_sampling_factor(if is_full {
        SamplingFactor::F_1_1
    } else {
        SamplingFactor::F_2_2
    });
    encoder.encode(raster.data(), width, height, colour).map_err(|_| gave_up("JPEG"))?;
    Ok(bytes)
}

fn sides(size: Dimensions) -> Result<(u16, u16), Error> {
    match (size.width().try_into(), size.height().try_into()) {
        (Ok(width), Ok(height)) => Ok((width, height)),
        _ => Err(gave_up("JPEG")),
    }
}

/// Whether every pixel keeps its own colour samples.
fn is_full(raster: &Raster, chroma: Chroma) -> bool {
    match chroma {
        Chroma::Full => true,
        Chroma::Subsampled => false,
        Chroma::Auto => raster.format() == PixelFormat::Rgb8 && has_few_colours(raster.data()),
    }
}

/// Colours that are remembered for a quick comparison.
const RECENT: usize = 1024;

fn has_few_colours(pixels: &[u8]) -> bool {
    let mut seen = HashSet::with_capacity(FEW_COLOURS + 1);
    // Drawings and text repeat themselves, and comparing is cheaper than hashing. No colour has a
    // first byte.
    let mut recent = [u32::MAX; RECENT];
    for pixel in pixels.chunks_exact(3) {
        let [red, green, blue] = [pixel[0], pixel[1], pixel[2]];
        let colour = u32::from_be_bytes([0, red, green, blue]);
        let place = &mut recent[(colour ^ colour >> 7 ^ colour >> 15) as usize % RECENT];
        if *place == colour {
            continue;
        }
        *place = colour;
        if seen.insert(colour) && seen.len() > FEW_COLOURS {
            return false;
        }
    }
    true
}
