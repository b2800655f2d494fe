//! How much memory carrying out a plan takes at most.

use mediaprep_image::{DecodeOptions, OutputFormat, decode_peak_bytes, render_peak_bytes};
use mediaprep_media::{Dimensions, Limits, MimeType};

use super::image_plan::{How, ImagePlan};
use super::options::PrepareOptions;
use super::planned::ItemPlan;
use crate::info::MediaInfo;
use crate::probe::Probed;

/// Bytes that are passed on at a time.
pub(crate) const COPY_BUFFER: usize = 256 << 10;

/// The most bytes that a job holds at once when its views are rendered on `threads` threads.
pub(crate) fn peak_bytes(
    probed: &Probed,
    plan: &ItemPlan,
    options: &PrepareOptions,
    threads: usize,
) -> u64 {
    let (ItemPlan::Image(plan), MediaInfo::Image(image)) = (plan, &probed.info) else {
        return COPY_BUFFER as u64;
    };
    let file = probed.bytes.unwrap_or(0);
    match plan.how {
        How::Passed => COPY_BUFFER as u64,
        // The coefficients of every sample are held at two bytes each, turned and unturned, and
        // the turned file beside the original.
        How::RotatedLosslessly => {
            let samples = image.stored.pixels().saturating_mul(3);
            samples.saturating_mul(4).saturating_add(file.saturating_mul(2))
        }
        How::Reencoded => {
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
