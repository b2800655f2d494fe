//! What holds for one item in place of what the request asks for.

use std::borrow::Cow;

use mediaprep_media::{Dimensions, Duration, FrameRate, MediaResolution, Sourced};
use mediaprep_pdf::PageRun;
use mediaprep_tokens::Clip;
use serde::{Serialize, Serializer};

use crate::options::{AudioTrackChoice, PlanOptions};
use crate::probe::Probed;
use crate::{AudioInfo, DocumentInfo, ImageInfo, MediaInfo};

/// What an item is sent as in place of what is asked for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemForm {
    /// In one piece: a picture not in tiles, a video not in frames, a PDF not in pages.
    Whole,
    /// A video as the frames that are looked at, each an image, and its sound.
    Frames,
    /// A video as its sound alone.
    Sound,
}

/// What holds for one item in place of what the request asks for; `None` leaves a setting as the
/// request has it. Settings that say nothing about the item's kind of medium are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ItemOptions {
    /// How finely the model looks, stated at the part; where every item is a request of its own and
    /// the model takes levels for whole requests only, stated in that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_resolution: Option<MediaResolution>,
    /// Sampled frames a second of a video, in (0, 24].
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rate")]
    pub fps: Option<FrameRate>,
    /// The window of a video, or of a sound that is cut to it before it is sent.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "window")]
    pub clip: Option<Clip>,
    /// Whether a video is sent with its sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_track: Option<AudioTrackChoice>,
    /// The longest side in pixels that an image is scaled down to before it is sent, at least 1;
    /// nothing is enlarged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_side: Option<u32>,
    /// How many pages of a PDF are sent, from the first on; at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<u64>,
    /// What it is sent as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<ItemForm>,
}

impl ItemOptions {
    /// Everything as the request has it.
    #[cfg(feature = "pixels")]
    pub(crate) const NOTHING: &Self = &Self {
        media_resolution: None,
        fps: None,
        clip: None,
        audio_track: None,
        longest_side: None,
        pages: None,
        form: None,
    };

    /// Whether everything is left as the request has it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How many settings are not left as the request has them.
    pub(crate) fn settings(&self) -> usize {
        [
            self.media_resolution.is_some(),
            self.fps.is_some(),
            self.clip.is_some(),
            self.audio_track.is_some(),
            self.longest_side.is_some(),
            self.pages.is_some(),
            self.form.is_some(),
        ]
        .into_iter()
        .filter(|&set| set)
        .count()
    }

    /// The request's options as they hold for the item. The prompt is left out: it belongs to the
    /// request.
    pub(crate) fn over(&self, request: &PlanOptions) -> PlanOptions {
        PlanOptions {
            media_resolution: self.media_resolution.or(request.media_resolution),
            fps: self.fps.or(request.fps),
            clip: self.clip.unwrap_or(request.clip),
            route: request.route,
            audio_track: self.audio_track.unwrap_or(request.audio_track),
            requests: request.requests,
            prompt: None,
        }
    }

    /// The item as it is sent: scaled, cut or shortened. Its bytes are those of the source, since
    /// nobody knows what it will be encoded to, so that it travels the way the source would.
    pub(crate) fn apply<'a>(&self, probed: &'a Probed) -> Cow<'a, Probed> {
        match self.apply_to(&probed.info) {
            Cow::Borrowed(_) => Cow::Borrowed(probed),
            Cow::Owned(info) => {
                let same = info.modality() == probed.info.modality();
                let mime_type = probed.mime_type.filter(|_| same);
                Cow::Owned(Probed { info, mime_type, ..probed.clone() })
            }
        }
    }

    /// The facts of the item as it is sent.
    pub(crate) fn apply_to<'a>(&self, info: &'a MediaInfo) -> Cow<'a, MediaInfo> {
        match info {
            MediaInfo::Image(image) => match self.longest_side {
                Some(side) if image.displayed().long() > side => {
                    Cow::Owned(MediaInfo::Image(scaled(image, side)))
                }
                _ => Cow::Borrowed(info),
            },
            MediaInfo::Document(document) => match self.pages {
                Some(pages) if pages < document.pages() => {
                    Cow::Owned(MediaInfo::Document(first_pages(document, pages)))
                }
                _ => Cow::Borrowed(info),
            },
            MediaInfo::Audio(audio) => match self.clip {
                Some(clip) => Cow::Owned(MediaInfo::Audio(clipped(audio, clip))),
                None => Cow::Borrowed(info),
            },
            MediaInfo::Video(video) => match (self.form, &video.audio) {
                (Some(ItemForm::Sound), Some(sound)) => {
                    let length = sound.duration.or(video.length());
                    let MediaInfo::Audio(audio) = MediaInfo::sound(length, length) else {
                        return Cow::Borrowed(info);
                    };
                    let clip = self.clip.unwrap_or_default();
                    Cow::Owned(MediaInfo::Audio(clipped(&audio, clip)))
                }
                _ => Cow::Borrowed(info),
            },
        }
    }
}

/// The size of an image that is scaled down to a longest side.
pub(crate) fn scaled_size(displayed: Dimensions, side: u32) -> Dimensions {
    Dimensions::new(side, side).map_or(displayed, |frame| displayed.fit_within(frame))
}

fn scaled(image: &ImageInfo, side: u32) -> ImageInfo {
    // Turning twice by the same orientation exchanges the sides twice or not at all.
    let stored = scaled_size(image.displayed(), side).oriented(image.orientation);
    ImageInfo { stored, ..*image }
}

fn first_pages(document: &DocumentInfo, pages: u64) -> DocumentInfo {
    let mut left = pages.max(1);
    let mut runs = Vec::new();
    for run in &document.runs {
        if left == 0 {
            break;
        }
        let pages = run.pages.min(left);
        runs.push(PageRun { pages, ..*run });
        left -= pages;
    }
    DocumentInfo { runs, ..document.clone() }
}

fn clipped(audio: &AudioInfo, clip: Clip) -> AudioInfo {
    let cut = |length: Option<Sourced<Duration>>| {
        length.map(|length| {
            let start = clip.start.unwrap_or(Duration::ZERO);
            let end = clip.end.unwrap_or(length.value).min(length.value);
            Sourced { value: end.saturating_sub(start), ..length }
        })
    };
    AudioInfo { container: cut(audio.container), decoded: cut(audio.decoded), ..audio.clone() }
}

#[expect(clippy::ref_option, reason = "the shape that serde asks for")]
fn rate<S: Serializer>(rate: &Option<FrameRate>, serializer: S) -> Result<S::Ok, S::Error> {
    rate.map(FrameRate::as_f64).serialize(serializer)
}

/// Both ends in seconds.
#[expect(clippy::ref_option, reason = "the shape that serde asks for")]
fn window<S: Serializer>(clip: &Option<Clip>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Seconds {
        start: Option<f64>,
        end: Option<f64>,
    }
    let seconds = |length: Option<Duration>| length.map(Duration::as_seconds_f64);
    clip.map(|clip| Seconds { start: seconds(clip.start), end: seconds(clip.end) })
        .serialize(serializer)
}

#[cfg(test)]
mod tests {
    use mediaprep_media::Orientation;

    use super::*;

    #[test]
    fn a_turned_image_is_scaled_as_it_is_shown() {
        let size = Dimensions::new(4000, 3000).unwrap();
        let MediaInfo::Image(upright) = MediaInfo::image(size) else { panic!() };
        let turned = ImageInfo { orientation: Orientation::Rotate90, ..upright };
        assert_eq!(scaled(&turned, 768).displayed(), Dimensions::new(576, 768).unwrap());
        assert_eq!(scaled(&turned, 768).stored, Dimensions::new(768, 576).unwrap());
    }

    #[test]
    fn documents_and_sounds_keep_their_beginning() {
        let document = MediaInfo::document([(612, 792, 3), (595, 842, 5)]).unwrap();
        let first = |pages| ItemOptions { pages: Some(pages), ..ItemOptions::default() };
        for (asked, kept) in [(0, 1), (2, 2), (4, 4), (8, 8), (9, 8)] {
            let MediaInfo::Document(got) = first(asked).apply_to(&document).into_owned() else {
                panic!()
            };
            assert_eq!(got.pages(), kept);
        }
        let length = Duration::from_decimal("90.5");
        let sound = MediaInfo::sound(length, None);
        let clip = Some(Clip { start: None, end: Some(Duration::from_seconds(60)) });
        let own = ItemOptions { clip, ..ItemOptions::default() };
        assert_eq!(own.apply_to(&sound).duration(), Some(Duration::from_seconds(60)));
        let late = Clip { start: Some(Duration::from_seconds(100)), end: None };
        let own = ItemOptions { clip: Some(late), ..ItemOptions::default() };
        assert_eq!(own.apply_to(&sound).duration(), Some(Duration::ZERO));
    }
}
