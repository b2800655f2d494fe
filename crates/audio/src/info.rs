//! What a probe of a sound file gives.

use std::borrow::Cow;

use mediaprep_media::{Duration, Error, Limits, Sourced, Warned, Warning, WarningCode};

/// The header facts of a sound file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioInfo {
    /// The codec's short name, as FFmpeg spells it: `mp3`, `aac`, `pcm_s16le`, `opus` …
    pub codec: Cow<'static, str>,
    /// Samples per second and channel that come out of a decoder. Opus always gives 48 000.
    pub sample_rate: Option<u32>,
    /// Channels of the first frame.
    pub channels: Option<u16>,
    /// The length that the container states or implies, with encoder delay and padding.
    pub container: Option<Sourced<Duration>>,
    /// Samples that come out of a decoder over the rate, without encoder delay and padding where
    /// the file states them.
    pub decoded: Option<Sourced<Duration>>,
}

impl AudioInfo {
    pub(crate) fn new(
        codec: impl Into<Cow<'static, str>>,
        sample_rate: u32,
        channels: u16,
    ) -> Self {
        Self {
            codec: codec.into(),
            sample_rate: Some(sample_rate).filter(|&rate| rate > 0),
            channels: Some(channels).filter(|&count| count > 0),
            container: None,
            decoded: None,
        }
    }

    /// The same with one length for both meanings.
    pub(crate) fn lasting(self, length: Sourced<Duration>) -> Self {
        Self { container: Some(length), decoded: Some(length), ..self }
    }
}

/// Facts and what was noticed while reading them.
pub(crate) type Found = Warned<AudioInfo>;

/// What is said of frames that something else lies between or behind: most often a tag that no
/// reader knows, sometimes the rest of a frame that is cut.
pub(crate) const INTERRUPTED: &str = "the frames are interrupted or cut";

/// A clause for [`WarningCode::Damaged`].
pub(crate) fn damaged(message: &'static str) -> Warning {
    Warning::new(WarningCode::Damaged, message)
}

/// A clause for [`WarningCode::DurationEstimated`].
pub(crate) fn estimated(message: &'static str) -> Warning {
    Warning::new(WarningCode::DurationEstimated, message)
}

/// What every format owes in the end: a length within the limit, and a word when it is zero.
pub(crate) fn finished(mut found: Found, limits: &Limits) -> Result<Found, Error> {
    let lengths = [found.value.container, found.value.decoded];
    for length in lengths.into_iter().flatten() {
        limits.check_duration(length.value)?;
    }
    if found.value.container.is_some_and(|length| length.value.is_zero()) {
        found.warnings.push(Warning::new(WarningCode::EmptyAudio, "the file holds no sound"));
    }
    Ok(found)
}

/// `samples / rate` seconds; zero when the rate is zero.
pub(crate) fn seconds(samples: u64, rate: u32) -> Duration {
    Duration::new(samples, rate).unwrap_or(Duration::ZERO)
}
