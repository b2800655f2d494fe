//! From a decoder's picture to packed RGB, with the right colours.

use ffmpeg_next::color::{Range, Space, TransferCharacteristic};
use ffmpeg_next::ffi;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::software::scaling::{Context, Flags};
use mediaprep_media::{Dimensions, Error, PixelFormat, Raster};

use super::raw::{Coding, set_coding};
use super::run::DecodeOptions;
use super::tone::{Tone, Transfer};
use super::weights::Weights;

/// What a scaler was made for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    format: Pixel,
    stored: Dimensions,
    coding: Coding,
    size: Dimensions,
    way: Way,
}

/// How a picture becomes RGB. The scaler's own way from YUV to RGB works on one sample at a time and
/// takes several times as long as everything else, so it only brings YUV to the wanted size, and
/// [`Weights`] does the rest. (The crate `yuv` would do that too, but compiles for minutes.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// To 8-bit YUV of the wanted size, then to RGB.
    Yuv,
    /// To RGB at once: pictures that are no YUV.
    Rgb,
    /// To 16-bit RGB, then to the light that can be shown.
    Hdr(Transfer),
}

impl Way {
    fn of(frame: &Video) -> Self {
        if let Some(transfer) = Transfer::of(frame.color_transfer_characteristic()) {
            return Self::Hdr(transfer);
        }
        let name = frame.format().descriptor().map_or("", |descriptor| descriptor.name());
        let starts = ["yuv", "nv12", "nv16", "nv21", "p010", "p210", "y210", "uyvy", "yvyu"];
        if starts.iter().any(|start| name.starts_with(start)) { Self::Yuv } else { Self::Rgb }
    }

    const fn output(self) -> Pixel {
        match self {
            Self::Yuv => Pixel::YUV444P,
            Self::Rgb => Pixel::RGB24,
            Self::Hdr(_) => Pixel::RGB48LE,
        }
    }
}

/// Turns pictures into rasters; keeps its scaler as long as the pictures stay alike.
pub(super) struct Converter<'a> {
    options: &'a DecodeOptions,
    scaler: Option<(Shape, Context)>,
    tone: Option<Tone>,
    out: Video,
}

impl<'a> Converter<'a> {
    pub(super) fn new(options: &'a DecodeOptions) -> Self {
        Self { options, scaler: None, tone: None, out: Video::empty() }
    }

    pub(super) fn raster(&mut self, frame: &Video) -> Result<Raster, Error> {
        let stored = Dimensions::new(frame.width(), frame.height()).ok_or(Error::malformed(
            "video frame",
            0,
            "it has no size",
        ))?;
        self.options.limits.check_decoded(stored)?;
        let size = self.options.size.unwrap_or(stored);
        self.options.limits.check_decoded(size)?;
        let (way, coding) = (Way::of(frame), coding(frame));
        let shape = Shape { format: frame.format(), stored, coding, size, way };
        self.scale(frame, shape).map_err(|_| unconvertible())?;
        self.pack(shape)
    }

    fn scale(&mut self, frame: &Video, shape: Shape) -> Result<(), ffmpeg_next::Error> {
        let scaler = match &mut self.scaler {
            Some((known, scaler)) if *known == shape => scaler,
            _ => {
                let Shape { format, stored, coding, size, way } = shape;
                let flags = Flags::LANCZOS | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT;
                let (from, to) = ((stored.width(), stored.height()), (size.width(), size.height()));
                let out = way.output();
                let mut scaler = Context::get(format, from.0, from.1, out, to.0, to.1, flags)?;
                let full_output = if way == Way::Yuv { coding.full_range } else { true };
                set_coding(&mut scaler, coding, full_output);
                self.out = Video::new(out, to.0, to.1);
                &mut self.scaler.insert((shape, scaler)).1
            }
        };
        scaler.run(frame, &mut self.out)
    }

    /// Takes the pixels out of FFmpeg's rows.
    fn pack(&mut self, shape: Shape) -> Result<Raster, Error> {
        let size = shape.size;
        let bytes = Raster::bytes(size, PixelFormat::Rgb8).ok_or_else(unconvertible)?;
        let data = match shape.way {
            Way::Yuv => self.yuv_rows(shape, bytes)?,
            Way::Rgb => self.rows(size, 3, bytes, |row, data| data.extend_from_slice(row))?,
            Way::Hdr(transfer) => {
                let tone = self.tone.take().unwrap_or_else(|| Tone::new(transfer));
                let data = self.rows(size, 6, bytes, |row, data| tone.map_row(row, data));
                self.tone = Some(tone);
                data?
            }
        };
        Raster::new(size, PixelFormat::Rgb8, data).ok_or_else(unconvertible)
    }

    fn rows(
        &self,
        size: Dimensions,
        pixel: usize,
        bytes: usize,
        mut take: impl FnMut(&[u8], &mut Vec<u8>),
    ) -> Result<Vec<u8>, Error> {
        let mut data = Vec::with_capacity(bytes);
        let row = size.width() as usize * pixel;
        for line in self.out.data(0).chunks(self.out.stride(0)).take(size.height() as usize) {
            take(line.get(..row).ok_or_else(unconvertible)?, &mut data);
        }
        Ok(data)
    }

    fn yuv_rows(&self, shape: Shape, bytes: usize) -> Result<Vec<u8>, Error> {
        let (width, height) = (shape.size.width() as usize, shape.size.height() as usize);
        let weights = Weights::of(luma(shape.coding.matrix), shape.coding.full_range);
        let mut data = Vec::with_capacity(bytes);
        for row in 0..height {
            let plane = |plane| {
                let start = row * self.out.stride(plane);
                self.out.data(plane).get(start..start + width).ok_or_else(unconvertible)
            };
            weights.map_row(plane(0)?, (plane(1)?, plane(2)?), &mut data);
        }
        Ok(data)
    }
}

const fn unconvertible() -> Error {
    Error::malformed("video frame", 0, "its pixels cannot be converted")
}

/// The parts of red and blue in luma, in ten-thousandths, for one of FFmpeg's matrices.
const fn luma(matrix: i32) -> (i32, i32) {
    match matrix {
        ffi::SWS_CS_ITU709 => (2126, 722),
        ffi::SWS_CS_FCC => (3000, 1100),
        ffi::SWS_CS_SMPTE240M => (2120, 870),
        ffi::SWS_CS_BT2020 => (2627, 593),
        _ => (2990, 1140),
    }
}

/// How the numbers of a picture stand for colours: what the stream says, else what players assume.
fn coding(frame: &Video) -> Coding {
    let matrix = match frame.color_space() {
        Space::BT709 => ffi::SWS_CS_ITU709,
        Space::FCC => ffi::SWS_CS_FCC,
        Space::SMPTE170M | Space::BT470BG => ffi::SWS_CS_ITU601,
        Space::SMPTE240M => ffi::SWS_CS_SMPTE240M,
        Space::BT2020NCL | Space::BT2020CL => ffi::SWS_CS_BT2020,
        _ if frame.height() >= 720 => ffi::SWS_CS_ITU709,
        _ => ffi::SWS_CS_ITU601,
    };
    let is_full = |format| {
        matches!(
            format,
            Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P | Pixel::YUVJ411P
        )
    };
    let full_range = frame.color_range() == Range::JPEG || is_full(frame.format());
    Coding { matrix, full_range }
}

impl Transfer {
    fn of(transfer: TransferCharacteristic) -> Option<Self> {
        match transfer {
            TransferCharacteristic::SMPTE2084 => Some(Self::Pq),
            TransferCharacteristic::ARIB_STD_B67 => Some(Self::Hlg),
            _ => None,
        }
    }
}
