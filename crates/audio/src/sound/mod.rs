//! From any sound to mono for a model.

#[cfg(feature = "pcm")]
mod decode;
#[cfg(feature = "pcm")]
mod encode;
#[cfg(feature = "ffmpeg")]
mod ffmpeg;
mod format;
#[cfg(feature = "pcm")]
mod mix;
mod options;
#[cfg(feature = "pcm")]
mod plan;
#[cfg(feature = "pcm")]
mod pure;
#[cfg(feature = "pcm")]
mod resample;
#[cfg(feature = "pcm")]
mod segments;
#[cfg(feature = "pcm")]
mod shared;
#[cfg(feature = "pcm")]
mod stream;

use std::io::{self, Seek, Write};

use mediaprep_media::{Error, MimeType, Source, Warned, Watch};

pub use format::{AudioFormat, AudioProfile};
pub use options::{PcmOptions, Segment, TranscodeOptions};

/// Where output goes: a temporary file, usually.
pub trait Sink: Write + Seek + Send {}

impl<T: Write + Seek + Send + ?Sized> Sink for T {}

/// Writes a sound as mono in the format of `options`, one output per segment; `sinks` is asked for
/// each as it begins, by its number from 0 on.
///
/// `mime` is what [`mediaprep_media::sniff`] says about the file. `track` names a sound track of a
/// container by its [`Track::id`](mediaprep_container::Track::id); without one, the first enabled
/// sound track is taken. It is ignored for files that hold sound alone.
///
/// Memory does not grow with the length of the sound. An empty sound, or a window beyond its end,
/// gives no segment and an [`EmptyAudio`](mediaprep_media::WarningCode::EmptyAudio) warning.
///
/// # Errors
///
/// [`Error::Malformed`] for a file that is damaged or shorter than it says, unless
/// [`TranscodeOptions::allow_truncated`] makes that a warning; [`Error::Unsupported`] for a file
/// without sound, an unknown codec or an impossible option; [`Error::Encrypted`];
/// [`Error::Backend`] where the build or FFmpeg lacks the decoder or encoder; [`Error::Limit`];
/// [`Error::Io`] for the source, the sinks, and a stopped watch.
#[expect(clippy::too_many_arguments, reason = "file, type and track are one choice, told apart")]
pub fn transcode(
    source: Box<dyn Source>,
    mime: MimeType,
    track: Option<u64>,
    options: &TranscodeOptions,
    watch: &Watch,
    sinks: &mut dyn FnMut(usize) -> io::Result<Box<dyn Sink>>,
) -> Result<Warned<Vec<Segment>>, Error> {
    #[cfg(feature = "pcm")]
    return segments::transcode(source, (mime, track), options, watch, sinks);
    #[cfg(not(feature = "pcm"))]
    Err(missing((source, mime, track, options, watch, sinks)))
}

/// Decodes a sound to mono at the rate of `options` and gives it to `each` in blocks of at most a
/// few seconds; samples are nominally within -1 to 1. Gives the number of samples in all.
///
/// The arguments are those of [`transcode`].
///
/// # Errors
///
/// Those of [`transcode`], and what `each` gives.
#[expect(clippy::too_many_arguments, reason = "file, type and track are one choice, told apart")]
pub fn decode_mono(
    source: Box<dyn Source>,
    mime: MimeType,
    track: Option<u64>,
    options: &PcmOptions,
    watch: &Watch,
    each: &mut dyn FnMut(&[f32]) -> Result<(), Error>,
) -> Result<Warned<u64>, Error> {
    #[cfg(feature = "pcm")]
    return stream::decode(source, (mime, track), options, watch, each);
    #[cfg(not(feature = "pcm"))]
    Err(missing((source, mime, track, options, watch, each)))
}

#[cfg(not(feature = "pcm"))]
fn missing<T>(_: T) -> Error {
    Error::Backend { backend: "sound decoding (feature `pcm`)" }
}
