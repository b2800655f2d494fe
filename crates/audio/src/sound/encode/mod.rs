//! What takes mono samples and writes them.

#[cfg(feature = "ffmpeg")]
mod codec2;
mod flac;
#[cfg(feature = "ffmpeg")]
mod foreign;
mod wav;

use mediaprep_media::Error;

use super::{AudioFormat, AudioProfile, Sink, TranscodeOptions};

/// The sampling rate of Codec2, in samples per second.
pub(crate) const CODEC2_RATE: u32 = 8000;

/// One output that is being written.
pub(crate) trait Encoder {
    /// Takes samples, nominally within -1 to 1; what is beyond is cut to full scale.
    fn write(&mut self, mono: &[f32]) -> Result<(), Error>;

    /// Writes what is left and the headers that need a length.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Refuses a format that cannot be written, before anything is read.
pub(crate) fn check(format: AudioFormat, profile: AudioProfile) -> Result<(), Error> {
    let needed = [Some(format), (profile == AudioProfile::OneKbps).then_some(AudioFormat::Codec2)];
    match needed.into_iter().flatten().find(|format| !format.is_available()) {
        Some(format) => Err(Error::Backend { backend: backend(format) }),
        None => Ok(()),
    }
}

/// What writes a format.
pub(crate) const fn backend(format: AudioFormat) -> &'static str {
    match format {
        AudioFormat::Opus => "FFmpeg's Opus encoder (libopus)",
        AudioFormat::Aac => "FFmpeg's AAC encoder",
        AudioFormat::Mp3 => "FFmpeg's MP3 encoder (libmp3lame)",
        AudioFormat::Flac => "the FLAC encoder (feature `pcm`)",
        AudioFormat::Wav => "the WAV writer (feature `pcm`)",
        AudioFormat::Codec2 => "FFmpeg's Codec2 encoder (libcodec2)",
    }
}

/// Begins an output of samples at `rate`.
pub(crate) fn open(
    options: &TranscodeOptions,
    rate: u32,
    sink: Box<dyn Sink>,
) -> Result<Box<dyn Encoder>, Error> {
    let plain = plain(options.format, rate, sink)?;
    if options.profile == AudioProfile::OneKbps && options.format != AudioFormat::Codec2 {
        return narrow(plain, rate);
    }
    Ok(plain)
}

fn plain(format: AudioFormat, rate: u32, sink: Box<dyn Sink>) -> Result<Box<dyn Encoder>, Error> {
    match format {
        AudioFormat::Wav => Ok(Box::new(wav::Wav::new(rate, sink)?)),
        AudioFormat::Flac => Ok(Box::new(flac::Flac::new(rate, sink)?)),
        other => lossy(other, rate, sink),
    }
}

#[cfg(feature = "ffmpeg")]
fn lossy(format: AudioFormat, rate: u32, sink: Box<dyn Sink>) -> Result<Box<dyn Encoder>, Error> {
    Ok(Box::new(foreign::Foreign::new(format, rate, sink)?))
}

#[cfg(feature = "ffmpeg")]
fn narrow(inner: Box<dyn Encoder>, rate: u32) -> Result<Box<dyn Encoder>, Error> {
    Ok(Box::new(codec2::Narrow::new(inner, rate)?))
}

#[cfg(feature = "ffmpeg")]
pub(crate) use foreign::is_available;

#[cfg(not(feature = "ffmpeg"))]
fn lossy(format: AudioFormat, _: u32, _: Box<dyn Sink>) -> Result<Box<dyn Encoder>, Error> {
    Err(Error::Backend { backend: backend(format) })
}

#[cfg(not(feature = "ffmpeg"))]
fn narrow(_: Box<dyn Encoder>, _: u32) -> Result<Box<dyn Encoder>, Error> {
    Err(Error::Backend { backend: backend(AudioFormat::Codec2) })
}

/// A sample of 16 bits, rounded to the nearest. What came from 16 bits comes back unchanged.
pub(crate) fn to_i16(sample: f32) -> i16 {
    // Where the fraction of a number has no bits left, adding rounds; a call of the C library for
    // it costs more than the rest.
    const NO_FRACTION: f32 = 12_582_912.0;
    let scaled = (sample * 32_768.0).clamp(-32_768.0, 32_767.0);
    #[expect(clippy::cast_possible_truncation, reason = "the number is whole and within 16 bits")]
    let whole = ((scaled + NO_FRACTION) - NO_FRACTION) as i16;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_of_16_bits_comes_back() {
        for sample in i16::MIN..=i16::MAX {
            assert_eq!(to_i16(f32::from(sample) / 32_768.0), sample);
        }
        assert_eq!((to_i16(2.0), to_i16(-2.0), to_i16(f32::NAN)), (i16::MAX, i16::MIN, 0));
    }
}
