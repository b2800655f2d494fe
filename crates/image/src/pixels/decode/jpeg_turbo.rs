//! JPEG by libjpeg-turbo: planes as coded where they can serve, shrinking on the way.

use std::borrow::Cow;

use mediaprep_media::{Dimensions, Error, LimitExceeded, Warned, Warning};
use turbojpeg::{
    Colorspace, DecompressHeader, Decompressor, Image, PixelFormat as Layout, ScalingFactor,
    Subsamp, YuvImage,
};

use super::colour::Conversion;
use super::depth::{self, Channels};
use super::{BROKEN, CUT, Pixels, Source, inks, jpeg, kept, segments};
use crate::pixels::planes::{Planes, Sampling};

/// Scans of a progressive file. Real ones have about ten; each costs the time of a whole picture,
/// however few bytes it has.
const MAX_SCANS: u32 = 500;

/// Decodes into planes if they are wanted and the colours need no conversion, else into a raster.
pub(super) fn decode(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    let mut job = Job::open(source)?;
    let (profile, planes) = (segments::profile(source.bytes), source.options.planes);
    let value = match job.header.colorspace {
        Colorspace::CMYK | Colorspace::YCCK => job.inks(profile.as_deref())?,
        Colorspace::Gray => job.colours(Channels::Gray, profile.as_deref(), planes)?,
        Colorspace::RGB | Colorspace::YCbCr => {
            job.colours(Channels::Rgb, profile.as_deref(), planes)?
        }
    };
    Ok(Warned { value, warnings: job.warnings })
}

struct Job<'a> {
    handle: Decompressor,
    /// The file, or a copy that the decoder takes.
    bytes: Cow<'a, [u8]>,
    /// As libjpeg-turbo reads it from these very bytes, so that buffers of its size are safe.
    header: DecompressHeader,
    /// The size of the pixels to come.
    size: Dimensions,
    is_tolerant: bool,
    warnings: Vec<Warning>,
}

impl<'a> Job<'a> {
    fn open(source: &Source<'a>) -> Result<Self, Error> {
        let mut handle = Decompressor::new().map_err(|error| fatal(&error))?;
        handle.set_scan_limit(MAX_SCANS).map_err(|error| fatal(&error))?;
        let mut warnings = Vec::new();
        let (bytes, header) = read_header(&mut handle, source.bytes, &mut warnings)?;
        source.check_size("JPEG", narrow(header.width), narrow(header.height))?;
        if header.is_lossless {
            return Err(Error::Unsupported("a JPEG file with lossless coding"));
        }
        let factor = ScalingFactor::new(1, jpeg::divisor(source.info, source.options));
        handle.set_scaling_factor(factor).map_err(|error| fatal(&error))?;
        let scaled = header.scaled(factor);
        let size = Dimensions::new(narrow(scaled.width), narrow(scaled.height))
            .ok_or(Error::malformed("JPEG", 0, BROKEN))?;
        let is_tolerant = source.options.allow_truncated;
        Ok(Self { handle, bytes, header, size, is_tolerant, warnings })
    }
}

impl Job<'_> {
    fn colours(
        &mut self,
        channels: Channels,
        profile: Option<&[u8]>,
        wants_planes: bool,
    ) -> Result<Pixels, Error> {
        let conversion = Conversion::new(profile, channels, &mut self.warnings);
        if wants_planes
            && conversion.is_none()
            && let Some(sampling) = sampling(&self.header)
        {
            return self.planes(sampling);
        }
        let layout = if channels == Channels::Gray { Layout::GRAY } else { Layout::RGB };
        let mut data = self.packed(layout, channels)?;
        conversion.apply(&mut data, channels);
        Ok(Pixels::Raster(depth::raster(data, channels, self.size, false)?))
    }

    fn inks(&mut self, profile: Option<&[u8]>) -> Result<Pixels, Error> {
        let mut data = self.packed(Layout::CMYK, Channels::Rgba)?;
        inks::to_rgb(&mut data, profile, &mut self.warnings);
        Ok(Pixels::Raster(depth::raster(data, Channels::Rgb, self.size, false)?))
    }

    fn packed(&mut self, format: Layout, channels: Channels) -> Result<Vec<u8>, Error> {
        let mut pixels = depth::buffer(self.size, channels, format.size())?;
        let (width, height) = (self.size.width() as usize, self.size.height() as usize);
        let pitch = width * format.size();
        self.attempt(|handle, bytes| {
            let pixels = pixels.as_mut_slice();
            handle.decompress(bytes, Image { pixels, width, pitch, height, format })
        })?;
        Ok(pixels)
    }

    fn planes(&mut self, sampling: Sampling) -> Result<Pixels, Error> {
        let (size, subsamp) = (self.size, self.header.subsamp);
        let mut data = vec![0; Planes::bytes(size, sampling)];
        let (width, height) = (size.width() as usize, size.height() as usize);
        self.attempt(|handle, bytes| {
            let pixels = data.as_mut_slice();
            handle.decompress_to_yuv(bytes, YuvImage { pixels, width, align: 1, height, subsamp })
        })?;
        Ok(Pixels::Planes(Planes { size, sampling, data }))
    }

    /// Decodes, and decides what a complaint means. The buffer is filled whenever the complaint is
    /// not fatal.
    fn attempt(
        &mut self,
        mut decode: impl FnMut(&mut Decompressor, &[u8]) -> turbojpeg::Result<()>,
    ) -> Result<(), Error> {
        let Err(error) = decode(&mut self.handle, &self.bytes) else { return Ok(()) };
        let reason = match complaint(&error) {
            Complaint::Harmless => HARMLESS,
            Complaint::Damage(reason) if self.is_tolerant => reason,
            Complaint::Damage(CUT) if segments::lacks_end_only(&self.bytes) => {
                self.bytes.to_mut().extend_from_slice(&[0xff, 0xd9]);
                match decode(&mut self.handle, &self.bytes).map_err(|error| complaint(&error)) {
                    Ok(()) | Err(Complaint::Harmless) => NO_END,
                    Err(_) => return Err(Error::malformed("JPEG", 0, CUT)),
                }
            }
            Complaint::Damage(reason) => return Err(Error::malformed("JPEG", 0, reason)),
            Complaint::Fatal => return Err(fatal(&error)),
        };
        self.warnings.push(kept(reason));
        Ok(())
    }
}

const HARMLESS: &str = "stray bytes or odd markers in the file, which decoders pass over";
const NO_END: &str = "the file lacks its end marker";

/// The header of the file, or of a tidied copy when libjpeg-turbo complains about the first.
fn read_header<'a>(
    handle: &mut Decompressor,
    bytes: &'a [u8],
    warnings: &mut Vec<Warning>,
) -> Result<(Cow<'a, [u8]>, DecompressHeader), Error> {
    let error = match handle.read_header(bytes) {
        Ok(header) => return Ok((Cow::Borrowed(bytes), header)),
        Err(error) => error,
    };
    let copy = segments::tidied(bytes).ok_or_else(|| fatal(&error))?;
    let header = handle.read_header(&copy).map_err(|error| fatal(&error))?;
    warnings.push(kept(HARMLESS));
    Ok((Cow::Owned(copy), header))
}

/// How the planes lie, if they are of a kind that the rest of the crate knows.
fn sampling(header: &DecompressHeader) -> Option<Sampling> {
    match (header.colorspace, header.subsamp) {
        (Colorspace::Gray, Subsamp::Gray) => Some(Sampling::Gray),
        (Colorspace::YCbCr, Subsamp::None) => Some(Sampling::S444),
        (Colorspace::YCbCr, Subsamp::Sub2x1) => Some(Sampling::S422),
        (Colorspace::YCbCr, Subsamp::Sub2x2) => Some(Sampling::S420),
        (Colorspace::YCbCr, Subsamp::Sub1x2) => Some(Sampling::S440),
        _ => None,
    }
}

/// What libjpeg's message means. `turbojpeg` gives an error for its warnings too, and the message
/// is all that tells them apart; of several warnings it is the first.
enum Complaint {
    /// All of the picture was read.
    Harmless,
    /// Some of the picture is missing or wrong.
    Damage(&'static str),
    /// Nothing can be said about the buffer.
    Fatal,
}

/// Parts of the warnings in libjpeg's `jerror.h` after which nothing is missing.
const HARMLESS_MESSAGES: [&str; 6] = [
    "extraneous bytes before marker",
    "unknown JFIF revision",
    "Unknown Adobe color transform",
    "bad ICC marker",
    "Invalid SOS parameters for sequential",
    "Inconsistent progression sequence",
];

fn complaint(error: &turbojpeg::Error) -> Complaint {
    let turbojpeg::Error::TurboJpegError(message) = error else { return Complaint::Fatal };
    // Stray bytes before a restart marker (0xd0 to 0xd7) are picture data that was not understood.
    if message.contains("extraneous bytes before marker 0xd") && is_restart(message) {
        Complaint::Damage(BROKEN)
    } else if HARMLESS_MESSAGES.iter().any(|part| message.contains(part)) {
        Complaint::Harmless
    } else if message.contains("Premature end of JPEG file") {
        Complaint::Damage(CUT)
    } else if message.contains("Corrupt JPEG data") {
        Complaint::Damage(BROKEN)
    } else {
        Complaint::Fatal
    }
}

/// Whether the marker at the end of the message is a restart.
fn is_restart(message: &str) -> bool {
    message.ends_with(|last: char| ('0'..='7').contains(&last))
}

/// What a fatal error becomes.
fn fatal(error: &turbojpeg::Error) -> Error {
    let message = match error {
        turbojpeg::Error::TurboJpegError(message) => message.as_str(),
        _ => "",
    };
    if message.contains("Progressive JPEG image has more than") {
        let (limit, actual) = (u64::from(MAX_SCANS), u64::from(MAX_SCANS) + 1);
        return LimitExceeded { what: "scan count", limit, actual }.into();
    }
    if message.contains("Unsupported JPEG process") || message.contains("not implemented") {
        return Error::Unsupported("a JPEG file of this kind");
    }
    Error::malformed("JPEG", 0, BROKEN)
}

/// A side in libjpeg-turbo's words; it has 16 bits.
fn narrow(side: usize) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX)
}
