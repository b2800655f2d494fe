//! What a request asks for, beyond its media.

use mediaprep_media::{FrameRate, MediaResolution, Modality};
use mediaprep_parts::VideoMetadata;
use mediaprep_tokens::{Clip, MAX_FPS};
use serde::Serialize;

use crate::error::{Error, ErrorKind, Stage};

/// How files travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteChoice {
    /// Inside the request while it stays well within its limit, else by upload or address.
    #[default]
    Auto,
    /// Always inside the request.
    Inline,
    /// Always by upload (Developer API) or by address (Vertex).
    File,
}

/// Whether a video is sent with its sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudioTrackChoice {
    /// As it is.
    #[default]
    Auto,
    /// Without sound.
    None,
}

/// How inputs are spread over requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requests {
    /// All inputs travel in a single request.
    #[default]
    One,
    /// Every input is a request of its own.
    Each,
}

/// What a request asks for, beyond its media.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// How finely the model looks; ultra-high is for images only, and other pictures are refused
    /// with it. `None` is the model's default.
    pub media_resolution: Option<MediaResolution>,
    /// Sampled video frames a second, in (0, 24]; `None` is the service's default of 1.
    pub fps: Option<FrameRate>,
    /// The window of every video.
    pub clip: Clip,
    /// How files travel.
    pub route: RouteChoice,
    /// Whether videos are sent with their sound.
    pub audio_track: AudioTrackChoice,
    /// How inputs are spread over requests.
    pub requests: Requests,
    /// Text that goes along with every request.
    pub prompt: Option<String>,
}

impl PlanOptions {
    /// Rejects settings that no service takes.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::InvalidOption`] that names the setting and its allowed range.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |message: String, hint: &'static str| {
            let error = Error::new("", Stage::Options, ErrorKind::InvalidOption, message);
            Err(error.with_hint(hint))
        };
        if let Some(fps) = self.fps.filter(|fps| fps.is_above(MAX_FPS)) {
            let message =
                format!("fps of {} is above the limit of {}", fps.as_f64(), MAX_FPS.numerator());
            return refuse(message, "sample at most 24 frames a second");
        }
        if let (Some(start), Some(end)) = (self.clip.start, self.clip.end)
            && end <= start
        {
            let message = format!("the clip ends at {end}, not after its start at {start}");
            return refuse(message, "give an end after the start");
        }
        Ok(())
    }

    /// The level that stands at a part: ultra-high at images only, since the other levels go for
    /// the whole request.
    pub fn part_level(&self, medium: Modality) -> Option<MediaResolution> {
        let level = self.media_resolution?;
        (medium == Modality::Image && level == MediaResolution::UltraHigh).then_some(level)
    }

    /// The level that goes for the whole request.
    pub fn request_level(&self) -> Option<MediaResolution> {
        self.media_resolution.filter(|&level| level != MediaResolution::UltraHigh)
    }

    /// How a video is to be sampled; `None` for other media and where the service's default holds.
    pub fn video_metadata(&self, medium: Modality) -> Option<VideoMetadata> {
        let metadata = VideoMetadata {
            start: self.clip.start,
            end: self.clip.end,
            fps: self.fps,
            ..VideoMetadata::default()
        };
        (medium == Modality::Video && metadata != VideoMetadata::default()).then_some(metadata)
    }
}

#[cfg(test)]
mod tests {
    use mediaprep_media::Duration;

    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let fps = PlanOptions { fps: FrameRate::from_decimal("24.1"), ..PlanOptions::default() };
        assert!(fps.validate().unwrap_err().cause().contains("24"));
        let exact = PlanOptions { fps: FrameRate::from_decimal("24"), ..PlanOptions::default() };
        assert!(exact.validate().is_ok());
        let (start, end) = (Duration::from_decimal("5"), Duration::from_decimal("5"));
        let clip = PlanOptions { clip: Clip { start, end }, ..PlanOptions::default() };
        assert_eq!(clip.validate().unwrap_err().kind(), ErrorKind::InvalidOption);
    }
}
