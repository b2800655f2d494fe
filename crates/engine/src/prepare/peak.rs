//! How much memory carrying out a plan takes at most.

use mediaprep_image::{DecodeOptions, OutputFormat, decode_peak_bytes, render_peak_bytes};
use mediaprep_media::{Dimensions, Limits, MimeType};

use super::image_plan::ImagePlan;
use super::options::{PrepareOptions, VideoForm};
use super::pdf::{PdfForm, PdfPlan};
use super::planned::ItemPlan;
use super::role::How;
use super::video_plan::{Sampling, VideoPlan};
use crate::info::MediaInfo;
use crate::probe::Probed;
use crate::{Engine, ImageInfo, VideoInfo};

/// Bytes that are passed on at a time.
pub(crate) const COPY_BUFFER: usize = 256 << 10;

/// The most bytes that a job holds at once when its parts are made on the engine's threads.
pub(crate) fn peak_bytes(
    probed: &Probed,
    plan: &ItemPlan,
    options: &PrepareOptions,
    engine: &Engine,
) -> u64 {
    match (plan, &probed.info) {
        (ItemPlan::Image(plan), MediaInfo::Image(image)) => {
            image_bytes(probed, plan, image, (options, engine.threads()))
        }
        (ItemPlan::Video(VideoPlan { form: VideoForm::Sound, .. }), _) => SOUND,
        (ItemPlan::Video(VideoPlan { sampling: Some(sampling), .. }), MediaInfo::Video(video)) => {
            let pieces = frame_pieces(video, sampling, engine) as u64;
            let list = sampling.instants.count().saturating_mul(INSTANT);
            piece_bytes(video, sampling).saturating_mul(pieces).saturating_add(list) + SOUND
        }
        (ItemPlan::Audio(plan), _) if plan.sound.is_some() => SOUND,
        (ItemPlan::Document(plan), MediaInfo::Document(_)) => pdf_bytes(probed, plan, engine),
        _ => COPY_BUFFER as u64,
    }
}

/// Pictures that a decoder and its demuxer hold at most: H.264 and HEVC refer to 16 at most, VP9 and
/// AV1 to 8, and some are on their way. Above 8 bits a picture takes twice as much, but levels allow
/// six of 4K at most, so that the same figure covers them.
const DECODER_PICTURES: u64 = 20;
/// Bytes of a decoded pixel in 4:2:0 at 8 bits, times two.
const STORED_PIXEL: u64 = 3;
/// Bytes of an output pixel: the scaler's picture, at most 16 bits a channel, the raster, the turned
/// raster, and what the encoder makes of them.
const FRAME_PIXEL: u64 = 16;
/// The same for the pictures that x264 looks ahead and refers to: some 60 in 4:2:0.
const PROXY_PIXEL: u64 = 90;
/// What opening a file and decoding takes whatever the size of the picture.
const OPENED: u64 = 16 << 20;
/// What decoding, resampling and encoding a sound takes.
const SOUND: u64 = 32 << 20;
/// Bytes of the list of frames for each instant.
const INSTANT: u64 = 512;

/// What one piece of a video takes.
pub(crate) fn piece_bytes(video: &VideoInfo, sampling: &Sampling) -> u64 {
    let decoder = video.size.pixels().saturating_mul(STORED_PIXEL * DECODER_PICTURES / 2);
    let frame = sampling.size.pixels().saturating_mul(FRAME_PIXEL + PROXY_PIXEL);
    decoder.saturating_add(frame).saturating_add(OPENED)
}

/// How many pieces of one video are decoded at once: as many as there are threads, as far as the
/// memory allows. It has no influence on what comes out.
pub(crate) fn frame_pieces(video: &VideoInfo, sampling: &Sampling, engine: &Engine) -> usize {
    let fixed = SOUND.saturating_add(sampling.instants.count().saturating_mul(INSTANT));
    let fit = engine.memory().saturating_sub(fixed) / piece_bytes(video, sampling).max(1);
    usize::try_from(fit).unwrap_or(usize::MAX).clamp(1, engine.threads())
}

/// Bytes of a drawn pixel: what the library draws in, and what the encoder makes of it.
const PAGE_PIXEL: u64 = 16;
/// What a library takes to open a document and draw a page beside its pixels and pictures.
pub(super) const PAGE: u64 = 64 << 20;

fn pdf_bytes(probed: &Probed, plan: &PdfPlan, engine: &Engine) -> u64 {
    let file = probed.bytes.unwrap_or(0);
    let at_once = plan.page_count().min(engine.threads() as u64);
    let largest = plan.drawing.iter().flat_map(|drawing| &drawing.sizes);
    let pixels = largest.map(|size| size.pixels()).max().unwrap_or(0);
    let each = file.saturating_add(PAGE).saturating_add(pixels.saturating_mul(PAGE_PIXEL));
    match plan.form {
        PdfForm::Pages => each.saturating_mul(at_once),
        // The file, its objects, those of one excerpt, and that excerpt.
        PdfForm::Split => file.saturating_mul(4).saturating_add(PAGE),
        _ if plan.text.is_some() => each.saturating_mul(at_once),
        _ => COPY_BUFFER as u64,
    }
}

/// What a process that draws pages may take at most: its share of the engine's memory, and never
/// less than a large page with large pictures needs.
#[cfg(feature = "pages")]
pub(super) fn worker_memory(engine: &Engine) -> u64 {
    (engine.memory() / engine.threads() as u64).max(WORKER)
}

#[cfg(feature = "pages")]
const WORKER: u64 = 1 << 30;

fn image_bytes(
    probed: &Probed,
    plan: &ImagePlan,
    image: &ImageInfo,
    (options, threads): (&PrepareOptions, usize),
) -> u64 {
    let file = probed.bytes.unwrap_or(0);
    match plan.how {
        How::Passed => COPY_BUFFER as u64,
        // The coefficients of every sample are held at two bytes each, turned and unturned, and
        // the turned file beside the original.
        How::RotatedLosslessly => {
            let samples = image.stored.pixels().saturating_mul(3);
            samples.saturating_mul(4).saturating_add(file.saturating_mul(2))
        }
        _ => {
            let mime = probed.mime_type.unwrap_or(MimeType::Jpeg);
            let decode = decode_options(plan, image.displayed(), options, &Limits::default());
            let Some(encoding) = &plan.encoding else { return file };
            let render = |view| render_peak_bytes(image, view, encoding);
            let views = plan.parts.iter().map(|part| render(&part.view)).max().unwrap_or(0);
            let at_once = plan.parts.len().min(threads) as u64;
            file.saturating_add(decode_peak_bytes(mime, image, &decode))
                .saturating_add(views.saturating_mul(at_once))
        }
    }
}

/// How the picture of a plan is decoded: no larger than twice what its largest view shows, which
/// leaves the resampling filter enough to work with.
pub(crate) fn decode_options(
    plan: &ImagePlan,
    displayed: Dimensions,
    options: &PrepareOptions,
    limits: &Limits,
) -> DecodeOptions {
    let scales = plan.parts.iter().map(|part| part.view.scale());
    let (across, down) =
        scales.fold((0.0f64, 0.0f64), |most, scale| (most.0.max(scale.0), most.1.max(scale.1)));
    let at_least =
        Dimensions::new(twice(displayed.width(), across), twice(displayed.height(), down));
    DecodeOptions {
        limits: limits.clone(),
        allow_truncated: options.images.allow_truncated,
        at_least,
        planes: plan.encoding.is_some_and(|encoding| encoding.format == OutputFormat::Jpeg),
    }
}

fn twice(side: u32, scale: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates")]
    #[expect(clippy::cast_sign_loss, reason = "scales are above 0")]
    let wanted = (f64::from(side) * scale * 2.0).ceil() as u32;
    wanted.clamp(1, side)
}
