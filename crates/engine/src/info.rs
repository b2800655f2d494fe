//! The facts of one medium, whatever its kind, and how the rule book sees them.

use mediaprep_media::{Dimensions, Duration, FrameRate, Modality, Orientation, Sourced};
use mediaprep_pdf::{PageRun, PageSize, Rotation};
use mediaprep_tokens as tokens;
use mediaprep_video::PixelAspect;

use crate::options::{AudioTrackChoice, PlanOptions};
use crate::{AudioInfo, AudioOfVideo, DocumentInfo, ImageInfo, VideoInfo};

/// The lengths of a video whose facts come from elsewhere; `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoLengths {
    /// What the container states.
    pub container: Option<Duration>,
    /// The video track as it is shown.
    pub track: Option<Duration>,
    /// The sum of all frame durations, before edit lists.
    pub frame_span: Option<Duration>,
    /// The sound track.
    pub audio: Option<Duration>,
    /// Whether there is a sound track.
    pub has_audio: bool,
    /// The average rate of the stored frames.
    pub frame_rate: Option<FrameRate>,
}

/// Header facts of one medium.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaInfo {
    /// A still image.
    Image(ImageInfo),
    /// A video.
    Video(VideoInfo),
    /// A sound.
    Audio(AudioInfo),
    /// A PDF.
    Document(DocumentInfo),
}

impl MediaInfo {
    /// An upright image of the given size, for facts that come from elsewhere.
    pub const fn image(size: Dimensions) -> Self {
        Self::Image(ImageInfo {
            stored: size,
            orientation: Orientation::Upright,
            frames: None,
            has_alpha: None,
            bit_depth: None,
            jpeg: None,
        })
    }

    /// An upright video of the given size and lengths, for facts that come from elsewhere.
    pub fn video(size: Dimensions, lengths: VideoLengths) -> Self {
        let frames = lengths.frame_rate.zip(lengths.frame_span).map(|(rate, span)| {
            let frames = u128::from(span.ticks()) * u128::from(rate.numerator());
            let unit = u128::from(span.timescale()) * u128::from(rate.denominator());
            u64::try_from((frames + unit / 2) / unit).unwrap_or(u64::MAX)
        });
        Self::Video(VideoInfo {
            track_id: 0,
            track_index: 0,
            codec: String::new(),
            size,
            rotation: 0,
            orientation: Orientation::Upright,
            pixel_aspect: PixelAspect::SQUARE,
            container: lengths.container,
            track: lengths.track,
            frame_span: lengths.frame_span,
            frames,
            frame_rate: lengths.frame_rate,
            audio: lengths.has_audio.then(|| AudioOfVideo {
                duration: lengths.audio,
                sample_rate: 0,
                channels: 0,
                codec: String::new(),
            }),
            protected: false,
        })
    }

    /// A sound of the given lengths, for facts that come from elsewhere.
    pub fn sound(container: Option<Duration>, decoded: Option<Duration>) -> Self {
        Self::Audio(AudioInfo {
            codec: "".into(),
            sample_rate: None,
            channels: None,
            container: container.map(Sourced::header),
            decoded: decoded.map(Sourced::header),
        })
    }

    /// A document of the given page sizes, each as width and height in thousandths of a point and
    /// a number of neighbouring pages, for facts that come from elsewhere. `None` when there is no
    /// page or a side is zero.
    pub fn document(sizes: impl IntoIterator<Item = (u32, u32, u64)>) -> Option<Self> {
        let run = |(width, height, pages)| {
            let size = PageSize { width, height, rotation: Rotation::None, user_unit: 1000 };
            (width > 0 && height > 0 && pages > 0).then_some(PageRun { size, pages })
        };
        let runs: Vec<_> = sizes.into_iter().map(run).collect::<Option<_>>()?;
        (!runs.is_empty()).then_some(Self::Document(DocumentInfo {
            runs,
            encrypted: false,
            locked: false,
        }))
    }

    /// What kind of medium it is.
    pub const fn modality(&self) -> Modality {
        match self {
            Self::Image(_) => Modality::Image,
            Self::Video(_) => Modality::Video,
            Self::Audio(_) => Modality::Audio,
            Self::Document(_) => Modality::Document,
        }
    }

    /// The displayed size in pixels of an image or video.
    pub const fn dimensions(&self) -> Option<Dimensions> {
        match self {
            Self::Image(image) => Some(image.displayed()),
            Self::Video(video) => Some(video.size),
            Self::Audio(_) | Self::Document(_) => None,
        }
    }

    /// How long it lasts, by its container or else by what is known.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::Video(video) => video.container.or(video.track),
            Self::Audio(audio) => audio.container.or(audio.decoded).map(|length| length.value),
            Self::Image(_) | Self::Document(_) => None,
        }
    }

    /// What the rule book needs to know, under the request's options.
    pub fn facts(&self, options: &PlanOptions) -> tokens::MediaFacts {
        match self {
            Self::Image(image) => {
                let size = image.displayed();
                tokens::MediaFacts::Image(tokens::ImageFacts { size, copies: 1 })
            }
            Self::Video(video) => tokens::MediaFacts::Video(video_facts(video, options)),
            Self::Audio(audio) => tokens::MediaFacts::Audio(tokens::AudioFacts {
                container: audio.container.map(|length| length.value),
                decoded: audio.decoded.map(|length| length.value),
            }),
            Self::Document(document) => tokens::MediaFacts::Document(document_facts(document)),
        }
    }
}

fn video_facts(video: &VideoInfo, options: &PlanOptions) -> tokens::VideoFacts {
    let sound = match options.audio_track {
        AudioTrackChoice::Auto => video.audio.as_ref(),
        AudioTrackChoice::None => None,
    };
    tokens::VideoFacts {
        size: video.size,
        container: video.container,
        track: video.track,
        frame_span: video.frame_span,
        // A soundtrack whose own length nobody states lasts as long as the file.
        audio: sound.map(|sound| {
            sound.duration.or(video.container).or(video.track).unwrap_or(Duration::ZERO)
        }),
        fps: options.fps,
        clip: options.clip,
    }
}

fn document_facts(document: &DocumentInfo) -> tokens::DocumentFacts {
    let runs = document.runs.iter().map(|run| tokens::PageRun {
        size: tokens::PageBox { width: run.size.width, height: run.size.height },
        pages: run.pages,
    });
    tokens::DocumentFacts { runs: runs.collect() }
}
