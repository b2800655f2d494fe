//! What the service accepts, checked on the plan before anything is sent.
//!
//! A number above a hard limit is an error, above an advised one a warning; both carry the stable
//! codes of [`WarningCode`]. Where the book knows no limits of a model, none are assumed.

use std::borrow::Cow;

use mediaprep_media::{Duration, Modality, Warning, WarningCode};
use mediaprep_tokens::{ItemCount, Limit, Route, Standing};

use crate::options::{AudioTrackChoice, PlanOptions};
use crate::probe::Probed;
use crate::rules::RuleSet;
use crate::{MediaInfo, VideoInfo};

/// What breaks a limit, and what is only worth knowing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<Warning>,
    pub(crate) warnings: Vec<Warning>,
}

/// One number to hold against a limit.
struct Check {
    code: WarningCode,
    /// What is counted, in the plural where it is a count.
    what: &'static str,
    actual: u64,
    hint: &'static str,
}

impl Findings {
    fn check(&mut self, limit: Option<Limit>, check: Check) {
        let Some(limit) = limit else { return };
        let Check { code, what, actual, hint } = check;
        let (list, bound, word) = match limit.check(actual) {
            Standing::Within => return,
            Standing::AboveAdvised(bound) => (&mut self.warnings, bound, "advised"),
            Standing::AboveHard(bound) => (&mut self.errors, bound, "allowed"),
        };
        let message: Cow<'static, str> = format!("{actual} {what}; {word}: at most {bound}").into();
        list.push(Warning::new(code, message).with_hint(hint));
    }
}

/// What a request holds, as far as limits go by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestTally {
    images: u64,
    pages: u64,
    documents: u64,
    videos: u64,
    audio_files: u64,
    audio_milliseconds: u64,
}

impl RequestTally {
    pub(crate) fn add(&mut self, probed: &Probed) {
        match &probed.info {
            MediaInfo::Image(_) => self.images += 1,
            MediaInfo::Video(_) => self.videos += 1,
            MediaInfo::Audio(_) => {
                self.audio_files += 1;
                let length = probed.info.duration().unwrap_or(Duration::ZERO);
                let milliseconds = length.whole_milliseconds();
                self.audio_milliseconds = self.audio_milliseconds.saturating_add(milliseconds);
            }
            MediaInfo::Document(document) => {
                self.documents += 1;
                self.pages = self.pages.saturating_add(document.pages());
            }
        }
    }
}

/// Holds one item against the limits that concern it alone.
pub(crate) fn check_item(
    probed: &Probed,
    route: Route,
    count: &ItemCount,
    rules: &RuleSet<'_>,
    options: &PlanOptions,
) -> Findings {
    let mut findings = Findings::default();
    check_size(&mut findings, probed, route, rules);
    let Some(limits) = rules.limits() else { return findings };
    match &probed.info {
        MediaInfo::Document(document) => {
            let check = Check {
                code: WarningCode::PdfTooManyPages,
                what: "pages in one PDF",
                actual: document.pages(),
                hint: "split the PDF",
            };
            findings.check(limits.counts.pages_per_file, check);
        }
        // The published lengths follow from the window, so a video that overflows the window is
        // reported for that alone.
        MediaInfo::Video(video) if fits_window(count.tokens(), rules) => {
            check_video(&mut findings, video, rules, options);
        }
        MediaInfo::Video(_) => {}
        MediaInfo::Image(_) | MediaInfo::Audio(_) => {}
    }
    findings
}

fn check_video(
    findings: &mut Findings,
    video: &VideoInfo,
    rules: &RuleSet<'_>,
    options: &PlanOptions,
) {
    let Some(limits) = rules.limits() else { return };
    let whole = video.length().unwrap_or(Duration::ZERO);
    let end = options.clip.end.map_or(whole, |end| end.min(whole));
    let length = end.saturating_sub(options.clip.start.unwrap_or(Duration::ZERO));
    let check = Check {
        code: WarningCode::VideoTooLong,
        what: "seconds of video",
        actual: length.started_seconds(),
        hint: "clip the video by start and end, or lower the media resolution",
    };
    let has_sound = video.audio.is_some() && options.audio_track == AudioTrackChoice::Auto;
    let limit = limits.counts.video_seconds(has_sound, options.media_resolution);
    if limits.counts.video_is_cut {
        // The model looks at the beginning only, so nothing is refused; the row warns.
        return;
    }
    findings.check(limit, check);
}

/// The file's own size by its way in.
fn check_size(findings: &mut Findings, probed: &Probed, route: Route, rules: &RuleSet<'_>) {
    let Some(actual) = probed.bytes else { return };
    let hint = match probed.info.modality() {
        Modality::Document => "split the PDF",
        Modality::Image => "scale the image down or send it by address",
        _ => "send a smaller file, or only a part of it",
    };
    let check = Check { code: WarningCode::FileTooLarge, what: "bytes in one file", actual, hint };
    findings.check(size_limit(probed, route, rules), check);
}

fn size_limit(probed: &Probed, route: Route, rules: &RuleSet<'_>) -> Option<Limit> {
    let limits = rules.limits()?;
    let way = limits.route(route);
    let by_kind = way.and_then(|way| match probed.info.modality() {
        Modality::Image => way.image_bytes,
        Modality::Document => way.pdf_bytes.or(limits.counts.pdf_bytes),
        Modality::Text => way.text_bytes,
        Modality::Video | Modality::Audio => None,
    });
    by_kind.or_else(|| way?.file_bytes)
}

/// Whether the file is within the size that its way takes; an unknown size is.
pub(crate) fn fits_way(probed: &Probed, route: Route, rules: &RuleSet<'_>) -> bool {
    let over =
        |limit: Limit| matches!(limit.check(probed.bytes.unwrap_or(0)), Standing::AboveHard(_));
    !size_limit(probed, route, rules).is_some_and(over)
}

/// Whether so many tokens fit the window; they do where none is known.
fn fits_window(tokens: u64, rules: &RuleSet<'_>) -> bool {
    rules.window().is_none_or(|window| window.fits(tokens, 0))
}

/// Holds a whole request against the limits.
pub(crate) fn check_request(
    tally: &RequestTally,
    tokens: u64,
    body: u64,
    rules: &RuleSet<'_>,
) -> Findings {
    let mut findings = Findings::default();
    if let Some(window) = rules.window().filter(|_| !fits_window(tokens, rules)) {
        let message = format!("{tokens} tokens; allowed: at most {}", window.input);
        let hint = "send less, lower the media resolution or fps, or spread over several requests";
        findings.errors.push(Warning::new(WarningCode::WindowExceeded, message).with_hint(hint));
    }
    let Some(limits) = rules.limits() else { return findings };
    let spread = "spread the files over several requests";
    let counts = limits.counts;
    for (code, what, actual, limit) in [
        (WarningCode::TooManyImages, "images in one request", tally.images, counts.images),
        (WarningCode::TooManyPages, "documents in one request", tally.documents, counts.documents),
        (video_code(tally, counts.videos), "videos in one request", tally.videos, counts.videos),
        (
            WarningCode::SeveralAudioFiles,
            "sound files in one request",
            tally.audio_files,
            counts.audio_files,
        ),
        (
            WarningCode::AudioTooLong,
            "seconds of sound in one request",
            tally.audio_milliseconds.div_ceil(1000),
            counts.audio_seconds,
        ),
    ] {
        findings.check(limit, Check { code, what, actual, hint: spread });
    }
    let (code, what, hint) = match tally.documents {
        1 => (WarningCode::PdfTooManyPages, "pages in one PDF", "split the PDF"),
        _ => (WarningCode::TooManyPages, "pages in one request", spread),
    };
    findings.check(counts.pages, Check { code, what, actual: tally.pages, hint });
    let inline = limits.route(Route::Inline).and_then(|way| way.request_bytes);
    let check = Check {
        code: WarningCode::RequestTooLarge,
        what: "bytes in the encoded request",
        actual: body,
        hint: "upload the files or send them by address; the automatic route decides by size",
    };
    findings.check(inline, check);
    findings
}

/// Above the hard limit there are too many videos; below it several are only advised against.
fn video_code(tally: &RequestTally, limit: Option<Limit>) -> WarningCode {
    match limit.map(|limit| limit.check(tally.videos)) {
        Some(Standing::AboveHard(_)) => WarningCode::TooManyVideos,
        _ => WarningCode::SeveralVideos,
    }
}
