//! What sound is written as, and what for.

use mediaprep_media::MimeType;

/// What the sound is written as. Every format is mono.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AudioFormat {
    /// Opus in Ogg at 16 kbit/s, tuned for speech, in frames of 20 ms. Its length is exact.
    #[default]
    Opus,
    /// AAC-LC in ADTS frames at 24 kbit/s: what services name `audio/aac`. ADTS states no length and
    /// no encoder delay, so a decoder gives 1024 samples of silence before the sound and up to one
    /// frame behind it.
    Aac,
    /// MP3 at 24 kbit/s with a LAME header, so that a careful decoder gives the exact length.
    Mp3,
    /// FLAC with 16 bits a sample.
    Flac,
    /// WAV with 16 bits a sample.
    Wav,
    /// Codec2 700C, 700 bit/s in frames that are filled to whole bytes: 800 bit/s, at 8 kHz, in a
    /// `.c2` file with a header of seven bytes. No service takes it.
    Codec2,
}

impl AudioFormat {
    /// Every format.
    pub const ALL: &'static [Self] =
        &[Self::Opus, Self::Aac, Self::Mp3, Self::Flac, Self::Wav, Self::Codec2];

    /// How [`mediaprep_media::sniff`] names what is written; `None` for Codec2, which nothing
    /// names.
    pub const fn mime_type(self) -> Option<MimeType> {
        Some(match self {
            Self::Opus => MimeType::Opus,
            Self::Aac => MimeType::Aac,
            Self::Mp3 => MimeType::Mp3,
            Self::Flac => MimeType::Flac,
            Self::Wav => MimeType::Wav,
            Self::Codec2 => return None,
        })
    }

    /// The usual file extension, without a dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Aac => "aac",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Wav => "wav",
            Self::Codec2 => "c2",
        }
    }

    /// Whether this build can write it. The system's FFmpeg may still lack the encoder, which
    /// [`AudioFormat::is_available`] tells.
    pub const fn is_built(self) -> bool {
        match self {
            Self::Flac | Self::Wav => cfg!(feature = "pcm"),
            Self::Opus | Self::Aac | Self::Mp3 | Self::Codec2 => cfg!(feature = "ffmpeg"),
        }
    }

    /// Whether this build can write it on this machine.
    pub fn is_available(self) -> bool {
        self.is_built() && encoder_exists(self)
    }

    /// Whether every sample is kept, rounded to 16 bits.
    pub const fn is_lossless(self) -> bool {
        matches!(self, Self::Flac | Self::Wav)
    }
}

/// Whether the system's FFmpeg has the encoder, where one is needed.
#[cfg(feature = "ffmpeg")]
fn encoder_exists(format: AudioFormat) -> bool {
    super::encode::is_available(format)
}

#[cfg(not(feature = "ffmpeg"))]
const fn encoder_exists(_: AudioFormat) -> bool {
    true
}

/// What the sound is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AudioProfile {
    /// Small, and every word is kept: Opus at 16 kbit/s, else AAC or MP3. A build without FFmpeg has
    /// none of them; there FLAC stands in, then WAV, and
    /// [`transcode`](crate::transcode) says so in a warning.
    #[default]
    Speech,
    /// Every sample: FLAC, else WAV.
    Lossless,
    /// The sound of Codec2 700C, which has at most 1000 bit/s on the wire. As nothing that services
    /// take goes that low, the decoded sound is written in a format that they do take, as for
    /// [`AudioProfile::Speech`]; ask for [`AudioFormat::Codec2`] to get the stream itself.
    OneKbps,
}

impl AudioProfile {
    /// The formats that serve the profile, best first.
    const fn formats(self) -> &'static [AudioFormat] {
        use AudioFormat::{Aac, Flac, Mp3, Opus, Wav};
        match self {
            Self::Speech | Self::OneKbps => &[Opus, Aac, Mp3, Flac, Wav],
            Self::Lossless => &[Flac, Wav],
        }
    }

    /// The first format that serves the profile, that `accepts` allows and that this build can
    /// write on this machine. `None` where there is none, and for [`AudioProfile::OneKbps`] where
    /// Codec2 is missing.
    ///
    /// Opus lies in an Ogg file, so either name of it will do.
    pub fn format(self, accepts: &dyn Fn(MimeType) -> bool) -> Option<AudioFormat> {
        if self == Self::OneKbps && !AudioFormat::Codec2.is_available() {
            return None;
        }
        let accepted = |format: &AudioFormat| match format.mime_type() {
            Some(MimeType::Opus) => accepts(MimeType::Opus) || accepts(MimeType::Ogg),
            Some(mime) => accepts(mime),
            None => false,
        };
        let available = self.formats().iter().copied().filter(|format| format.is_available());
        available.into_iter().find(accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_with_the_shared_words() {
        for format in AudioFormat::ALL {
            if let Some(mime) = format.mime_type() {
                assert_eq!(mime.extension(), format.extension());
            }
        }
    }

    #[test]
    fn nothing_is_chosen_that_is_not_accepted_or_not_built() {
        for profile in [AudioProfile::Speech, AudioProfile::Lossless, AudioProfile::OneKbps] {
            assert_eq!(profile.format(&|_| false), None);
            let any = profile.format(&|_| true);
            assert!(any.is_none_or(AudioFormat::is_built), "{any:?}");
        }
    }

    #[test]
    #[cfg(feature = "pcm")]
    fn lossless_prefers_flac() {
        let lossless = AudioProfile::Lossless;
        assert_eq!(lossless.format(&|_| true), Some(AudioFormat::Flac));
        assert_eq!(lossless.format(&|mime| mime == MimeType::Wav), Some(AudioFormat::Wav));
    }

    #[test]
    #[cfg(all(feature = "pcm", not(feature = "ffmpeg")))]
    fn without_ffmpeg_flac_stands_in_for_speech_and_1_kbps_is_missing() {
        assert_eq!(AudioProfile::Speech.format(&|_| true), Some(AudioFormat::Flac));
        assert_eq!(AudioProfile::OneKbps.format(&|_| true), None);
    }
}
