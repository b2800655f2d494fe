//! What every decoder gives, and which one is taken.

use mediaprep_media::{Error, Watch};

use super::plan::Plan;
use super::pure::Pure;
use super::shared::Shared;

/// A decoder of one sound.
pub(crate) trait Decoder {
    /// Appends the sound of the next packet, mixed down, to `mono`, with the encoder's delay and
    /// padding removed where the packets state them.
    fn next(&mut self, mono: &mut Vec<f32>) -> Result<Step, Error>;

    /// Where the first sample lies; known once there was one.
    fn lead(&self) -> Lead {
        Lead::default()
    }
}

/// What comes before the first sample, in samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lead {
    /// From the beginning of the container's time to the first packet.
    pub(crate) packet: u64,
    /// What the decoder has dropped of the first packets although it is to be heard.
    pub(crate) missing: u64,
    /// What the decoder has given although it lies before the beginning.
    pub(crate) early: u64,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was decoded, perhaps to nothing, at this many samples per second.
    Sound(u32),
    /// It could not be decoded; this many samples are missing.
    Lost {
        /// How many samples it would have given; 0 when that is not known.
        samples: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There are no more.
    End,
}

/// Opens the decoder that takes the sound.
pub(crate) fn open(source: &Shared, plan: &Plan, watch: &Watch) -> Result<Box<dyn Decoder>, Error> {
    watch.check()?;
    if !prefers_symphonia(plan) {
        return through_ffmpeg(source, plan, watch);
    }
    if let Some(faster) = faster(source, plan, watch)? {
        return Ok(faster);
    }
    match Pure::open(source, plan) {
        Ok(pure) => Ok(Box::new(pure)),
        Err(error @ (Error::Unsupported(_) | Error::Malformed { .. })) => {
            otherwise(source, plan, watch, error)
        }
        Err(error) => Err(error),
    }
}

/// FFmpeg decodes MP3 a fifth faster than Symphonia, and as exactly where it understands the header:
/// then its first packet tells how many samples are to be skipped. In one of the measured files it
/// takes the header for sound.
#[cfg(feature = "ffmpeg")]
fn faster(source: &Shared, plan: &Plan, watch: &Watch) -> Result<Option<Box<dyn Decoder>>, Error> {
    if plan.codec != "mp3" {
        return Ok(None);
    }
    match super::ffmpeg::Foreign::open(source, plan, watch) {
        Ok(mut foreign) => Ok(if foreign.skips()? { Some(Box::new(foreign)) } else { None }),
        Err(Error::Malformed { .. } | Error::Unsupported(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(not(feature = "ffmpeg"))]
const fn faster(_: &Shared, _: &Plan, _: &Watch) -> Result<Option<Box<dyn Decoder>>, Error> {
    Ok(None)
}

/// The decoder that may know more of a sound than Symphonia, which has ended too early.
pub(crate) fn second(
    source: &Shared,
    plan: &Plan,
    watch: &Watch,
) -> Option<Result<Box<dyn Decoder>, Error>> {
    has_second(plan).then(|| through_ffmpeg(source, plan, watch))
}

/// Whether there is such a decoder.
pub(crate) fn has_second(plan: &Plan) -> bool {
    cfg!(feature = "ffmpeg") && prefers_symphonia(plan)
}

/// What Symphonia does not open, FFmpeg may.
#[cfg(feature = "ffmpeg")]
fn otherwise(
    source: &Shared,
    plan: &Plan,
    watch: &Watch,
    _: Error,
) -> Result<Box<dyn Decoder>, Error> {
    through_ffmpeg(source, plan, watch)
}

#[cfg(not(feature = "ffmpeg"))]
fn otherwise(_: &Shared, _: &Plan, _: &Watch, error: Error) -> Result<Box<dyn Decoder>, Error> {
    Err(error)
}

#[cfg(feature = "ffmpeg")]
fn through_ffmpeg(source: &Shared, plan: &Plan, watch: &Watch) -> Result<Box<dyn Decoder>, Error> {
    Ok(Box::new(super::ffmpeg::Foreign::open(source, plan, watch)?))
}

#[cfg(not(feature = "ffmpeg"))]
fn through_ffmpeg(_: &Shared, _: &Plan, _: &Watch) -> Result<Box<dyn Decoder>, Error> {
    Err(Error::Backend { backend: "FFmpeg (feature `ffmpeg`)" })
}

/// Whether Symphonia gives this sound exactly; see the table in the crate's documentation.
fn prefers_symphonia(plan: &Plan) -> bool {
    if cfg!(not(feature = "ffmpeg")) {
        return super::pure::decodes(&plan.codec);
    }
    plan.track.is_none() && super::pure::decodes_exactly(plan)
}

#[cfg(all(test, feature = "ffmpeg"))]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use mediaprep_media::{Limits, MimeType};

    use super::super::ffmpeg::Foreign;
    use super::*;

    fn all(mut decoder: Box<dyn Decoder>) -> Vec<f32> {
        let mut mono = Vec::new();
        loop {
            match decoder.next(&mut mono) {
                Ok(Step::Sound(_)) => {}
                Ok(Step::End) => return mono,
                other => panic!("{other:?}"),
            }
        }
    }

    /// What either decoder gives is the same sound, sample by sample.
    #[test]
    fn both_decoders_agree() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/audio");
        for (file, mime, most) in [
            ("tone-u8.wav", MimeType::Wav, 0.0),
            ("tone-s24.wav", MimeType::Wav, 0.0),
            ("tone-f32.wav", MimeType::Wav, 0.0),
            ("tone-alaw.wav", MimeType::Wav, 0.0),
            ("stereo-s16.wav", MimeType::Wav, 0.0),
            ("tone-ima-adpcm.wav", MimeType::Wav, 0.0),
            ("tone-ms-adpcm.wav", MimeType::Wav, 0.0),
            ("tone.aiff", MimeType::Aiff, 0.0),
            ("tone-s16.caf", MimeType::Caf, 0.0),
            ("tone.flac", MimeType::Flac, 0.0),
            ("tone-flac.oga", MimeType::Ogg, 0.0),
            ("tone-vorbis.ogg", MimeType::Ogg, 1e-5),
            ("tone-cbr-info.mp3", MimeType::Mp3, 1e-5),
            ("tone-vbr-xing.mp3", MimeType::Mp3, 1e-5),
        ] {
            let bytes = std::fs::read(folder.join(file)).unwrap();
            let source = Shared::new(Box::new(Cursor::new(bytes))).unwrap();
            let plan = Plan::of(&source, mime, None, &Limits::default()).unwrap();
            assert!(prefers_symphonia(&plan), "{file}");
            let pure = all(Box::new(Pure::open(&source, &plan).unwrap()));
            let watch = Watch::new();
            let foreign = all(Box::new(Foreign::open(&source, &plan, &watch).unwrap()));
            assert_eq!(pure.len(), foreign.len(), "{file}");
            let apart = pure.iter().zip(&foreign).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart <= most, "{file}: {apart}");
        }
    }
}
