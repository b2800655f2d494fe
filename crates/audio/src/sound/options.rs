//! What is asked of a sound, and what is told about it.

use mediaprep_media::{Duration, Limits};

use super::{AudioFormat, AudioProfile};

/// The sampling rate that speech models hear, in samples per second.
const SPEECH_RATE: u32 = 16_000;

/// How a sound is transcoded. The default is speech as Opus: the whole of it at 16 kHz in one piece.
#[derive(Clone, Debug)]
pub struct TranscodeOptions {
    /// What is written.
    pub format: AudioFormat,
    /// What it is for.
    pub profile: AudioProfile,
    /// Samples per second of the output, 4000 to 192 000. [`AudioFormat::Codec2`] always has 8000;
    /// Opus takes 8, 12, 16, 24 and 48 kHz, MP3 and AAC their usual rates.
    pub sample_rate: u32,
    /// Where to begin, in the time of the source.
    pub start: Duration,
    /// Where to end, in the time of the source; `None` is its end.
    pub end: Option<Duration>,
    /// The length of one output; `None` writes one output in all.
    pub segment: Option<Duration>,
    /// Whether what a damaged or cut file still holds is enough.
    pub allow_truncated: bool,
    /// What is too much.
    pub limits: Limits,
}

impl Default for TranscodeOptions {
    fn default() -> Self {
        Self {
            format: AudioFormat::default(),
            profile: AudioProfile::default(),
            sample_rate: SPEECH_RATE,
            start: Duration::ZERO,
            end: None,
            segment: None,
            allow_truncated: false,
            limits: Limits::default(),
        }
    }
}

impl TranscodeOptions {
    /// The part that concerns decoding.
    #[cfg(feature = "pcm")]
    pub(crate) fn pcm(&self) -> PcmOptions {
        PcmOptions {
            sample_rate: self.sample_rate,
            start: self.start,
            end: self.end,
            allow_truncated: self.allow_truncated,
            limits: self.limits.clone(),
        }
    }
}

/// How a sound is decoded. The default is the whole of it at 16 kHz.
#[derive(Clone, Debug)]
pub struct PcmOptions {
    /// Samples per second of the output, 4000 to 192 000.
    pub sample_rate: u32,
    /// Where to begin, in the time of the source.
    pub start: Duration,
    /// Where to end, in the time of the source; `None` is its end.
    pub end: Option<Duration>,
    /// Whether what a damaged or cut file still holds is enough.
    pub allow_truncated: bool,
    /// What is too much.
    pub limits: Limits,
}

impl Default for PcmOptions {
    fn default() -> Self {
        let TranscodeOptions { sample_rate, start, end, allow_truncated, limits, .. } =
            TranscodeOptions::default();
        Self { sample_rate, start, end, allow_truncated, limits }
    }
}

/// One output of a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins in the time of the source: a whole number of samples of the output rate.
    pub start: Duration,
    /// How long it lasts: [`Segment::samples`] over the output rate.
    pub duration: Duration,
    /// Samples of the output rate. A lossy format may hold some more in its last frame.
    pub samples: u64,
}
