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

/// What a scaler was made for.
type Shape = (Pixel, u32, u32, Coding, Pixel, Dimensions);

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
        let transfer = Transfer::of(frame.color_transfer_characteristic());
        let deep = if transfer.is_some() { Pixel::RGB48LE } else { Pixel::RGB24 };
        let shape = (frame.format(), stored.width(), stored.height(), coding(frame), deep, size);
        let failed = |_| Error::malformed("video frame", 0, "its pixel format cannot be converted");
        self.prepare(shape).map_err(failed)?;
        let Some((_, scaler)) = &mut self.scaler else { return Err(failed(())) };
        scaler.run(frame, &mut self.out).map_err(|_| failed(()))?;
        self.pack(size, transfer)
    }

    /// Makes a scaler unless there is one for this shape.
    fn prepare(&mut self, shape: Shape) -> Result<(), ()> {
        if self.scaler.as_ref().is_some_and(|(known, _)| *known == shape) {
            return Ok(());
        }
        let (format, width, height, coding, out, size) = shape;
        let flags = Flags::LANCZOS | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT;
        let made = Context::get(format, width, height, out, size.width(), size.height(), flags);
        let mut scaler = made.map_err(|_| ())?;
        set_coding(&mut scaler, coding);
        self.out = Video::new(out, size.width(), size.height());
        self.scaler = Some((shape, scaler));
        Ok(())
    }

    /// Takes the rows out of FFmpeg's padding.
    fn pack(&mut self, size: Dimensions, transfer: Option<Transfer>) -> Result<Raster, Error> {
        let too_large = || Error::Unsupported("a frame beyond this machine's address space");
        let bytes = Raster::bytes(size, PixelFormat::Rgb8).ok_or_else(too_large)?;
        let mut data = Vec::with_capacity(bytes);
        let row = size.width() as usize * if transfer.is_some() { 6 } else { 3 };
        let rows = self.out.data(0).chunks(self.out.stride(0)).take(size.height() as usize);
        for line in rows {
            let line = line.get(..row).ok_or_else(too_large)?;
            match transfer {
                None => data.extend_from_slice(line),
                Some(transfer) => {
                    let tone = self.tone.get_or_insert_with(|| Tone::new(transfer));
                    tone.map_row(line, &mut data);
                }
            }
        }
        Raster::new(size, PixelFormat::Rgb8, data).ok_or_else(too_large)
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
    Coding { matrix: i32::try_from(matrix).unwrap_or(5), full_range }
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
