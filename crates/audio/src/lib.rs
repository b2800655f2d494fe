//! From audio bytes to header facts, and from any sound to mono for a model.
//!
//! [`probe`] reads codec, rate, channels and two lengths of a sound file from its headers, without
//! decoding. With the cargo feature `pcm`, [`transcode`] writes any sound as mono in a format that a
//! service takes, and [`decode_mono`] gives the samples; the feature `ffmpeg` adds the decoders and
//! encoders of the system's FFmpeg. Both functions stream: memory does not grow with the sound.
//!
//! ```
//! use std::io::Cursor;
//!
//! use mediaprep_audio::probe;
//! use mediaprep_media::{Duration, Limits, MimeType};
//!
//! let mut wav = b"RIFF\x24\x3f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
//! wav.extend_from_slice(b"\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\x3f\0\0");
//! wav.resize(44 + 16_128, 0);
//! let info = probe(&mut Cursor::new(wav), MimeType::Wav, &Limits::default())?.value;
//! assert_eq!((info.sample_rate, info.channels), (Some(8000), Some(1)));
//! assert_eq!(info.decoded.map(|fact| fact.value), Duration::new(8064, 8000));
//! # Ok::<(), mediaprep_audio::Error>(())
//! ```
//!
//! # Two lengths
//!
//! Token rules charge by one or the other, so both are kept as exact fractions.
//!
//! | format | `container` | `decoded` | read |
//! |---|---|---|---|
//! | WAV, RF64, AIFF, CAF with PCM | samples in the file | the same | a header page |
//! | WAV with ADPCM or GSM | `fact`, or whole packets | the same | a header page |
//! | WAV with MP3 | `fact`, or counted frames | counted frames | the frames |
//! | MP3 with Xing, Info or VBRI | all stated frames | less LAME's delay and padding | a header page |
//! | MP3 without, ADTS, AMR | counted frames | the same | the frames |
//! | FLAC | STREAMINFO | the same | a header page |
//! | FLAC without a total | the last frame's number | the same | 32 KiB at the end |
//! | Ogg | the last page's position | less Opus' pre-skip | head and 8 KiB at the end |
//! | CAF with a packet table | all packets | less priming and remainder | a header page |
//!
//! ADTS has no container length at all. Its frames are counted for both lengths, rather than
//! repeating the estimate by bit rate that some tools print (0.831932 s for 13 frames that last
//! 0.832 s, and 10 % off on other files).
//!
//! Counting frames reads the stream unless it is longer than 1 MiB and has one bit rate in sixteen
//! places; a stream longer than the reading limit is worked out from those places, with a
//! [`DurationEstimated`](mediaprep_media::WarningCode::DurationEstimated) warning where they differ.
//!
//! Not read: MP3 of free format, the extension of HE-AAC that only shows inside ADTS frames (the
//! core's rate is given), channels that only ADTS frames describe (`None`).
//!
//! In memory a probe takes 0.2 to 0.5 µs where a header tells the length, and 1 to 3 µs for Ogg.
//!
//! # Why own readers
//!
//! Symphonia 0.6.1's format readers were measured on 68 files of the same formats. They refuse
//! RF64, MP3 and GSM in WAV, a WAV whose outer length is too small (one of nine measured files) and
//! FLAC that starts at a frame; they give no length for MP2 and for FLAC without a total; they guess
//! it for ADTS and for MP3 without a header (12.2 s for 2.8 s); they drop the frames that only the
//! container's length counts; and they read up to three times an Ogg file's bytes and whole tags of
//! MP3. They are the second opinion of this crate's tests.
//!
//! # Which decoder is used where
//!
//! Symphonia decodes what it decodes exactly; FFmpeg decodes the rest, and what Symphonia does not
//! open or ends too early. Where both can, lossless sound is the same to the bit, and MP3 and Vorbis
//! to 10⁻⁵ of full scale.
//!
//! | sound | features `ffmpeg` | `pcm` alone |
//! |---|---|---|
//! | WAV, AIFF and CAF with PCM; WAV with ADPCM | Symphonia | Symphonia |
//! | RF64; WAV with unset lengths, GSM or MP3 | FFmpeg | refused |
//! | FLAC; Vorbis and FLAC in Ogg | Symphonia | Symphonia |
//! | FLAC from a frame on or with changing channels | FFmpeg | refused, or cut with a warning |
//! | MP3 whose header states delay and padding | FFmpeg, a fifth faster | Symphonia |
//! | MP3 with another header | Symphonia | Symphonia |
//! | MP3 without one, MP2, MP3 with changing channels | FFmpeg | Symphonia, with frames missing |
//! | ADTS above 24 kHz | Symphonia | Symphonia |
//! | ADTS up to 24 kHz, where HE-AAC may hide | FFmpeg | Symphonia: the core alone |
//! | MP4, QuickTime, 3GP, Matroska, WebM | FFmpeg | Symphonia, see below |
//! | Opus, Speex, AMR, AC-3, WMA; AVI, FLV, MPEG, ASF | FFmpeg | refused |
//!
//! Symphonia 0.6.1 removes the delay of MP3 and Vorbis, but reads no edit list. So in a build without
//! FFmpeg the sound of MP4 files begins with the encoder's delay (1024 or 2112 samples of AAC) and
//! loses as much at its end. MP3 without a header is FFmpeg's, since Symphonia passes over frames of a
//! changing bit rate (28 of 79 in one fixture).
//!
//! # Length and place
//!
//! The decoded sound has exactly the samples that [`AudioInfo::decoded`] states: encoder delay and
//! padding are removed. A file that ends before them is [`Error::Malformed`], or a partial result
//! with a warning where [`TranscodeOptions::allow_truncated`] says so; only the tables of containers
//! may promise up to 4096 samples more than the codec gives, which are filled with silence.
//!
//! Sample 0 is the beginning of the container's time. In MP4 that is the movie's; elsewhere, as in
//! players, the moment that the first stream of picture or sound begins. Sound that begins later has
//! silence before it. Gaps between packets further on are not filled.
//!
//! `n` samples at `a` Hz give `⌈n·16000/a⌉` at 16 kHz: all instants `k/16000 s` before the sound's
//! end. Windows and segments follow the same rule, so that they are slices of the whole, and lossless
//! segments put together are the whole. The resampler's delay is removed. Where the lossy codecs go
//! beyond full scale, or the resampler does at a steep edge, the sample is cut to full scale.
//!
//! Mono is a weighted sum by ITU-R BS.775 whose weights add up to 1, so that nothing clips; low
//! frequency channels are dropped. FFmpeg has the same weights.
//!
//! # What "1 kbps" means
//!
//! The service describes the sound of a video as "1 Kbps (single channel)". That says what its token
//! count rests on, not how sound should be sent: tokens depend on the length alone, never on the bit
//! rate, and nothing it takes goes that low. Measured on speech, Opus at 1 kbit/s decodes to silence
//! (a floor of 5 to 6 kbit/s is where words are), AAC and MP3 stop at 8 kbit/s. What is literally
//! below 1000 bit/s is Codec2 700C with 800 bit/s: [`AudioFormat::Codec2`] writes that stream, which
//! no service takes, and [`AudioProfile::OneKbps`] writes the sound that comes out of it in a format
//! that they do take. It saves no token and costs clarity (a STOI of 0.72 where 1 is the original), so
//! it is for those who want to hear, or test with, what 1 kbit/s leaves of speech.
//!
//! # Cost
//!
//! CPU time for 30 minutes at 44.1 kHz stereo to 16 kHz mono WAV, as a part of what
//! `ffmpeg -ac 1 -ar 16000` (5.1) takes on the same machine: MP3 0.8 to 0.9, AAC in MP4 0.7, ADTS 0.8,
//! FLAC 0.7, WAV 0.6, Opus and Vorbis 0.8. `examples/transcode.rs` is what was measured.

mod adts;
mod aiff;
mod amr;
mod caf;
mod flac;
mod frames;
mod info;
mod mpeg;
mod ogg;
mod rate;
mod select;
mod sound;
mod tags;
mod wave;
mod window;

pub use info::AudioInfo;
pub use mediaprep_media::Error;
pub use sound::{
    AudioFormat, AudioProfile, PcmOptions, Segment, Sink, TranscodeOptions, decode_mono, transcode,
};

use mediaprep_media::{Limits, MimeType, Source, Warned};

use window::{AHEAD, Window};

/// Reads the facts of a sound file of the format `mime`, as [`mediaprep_media::sniff`] names it.
///
/// Containers that may also hold video are the container crate's; see [`AudioInfo::select`].
///
/// # Errors
///
/// [`Error::Malformed`] for a file that breaks its format, [`Error::Unsupported`] for a format that
/// is not read here, [`Error::Limit`] for one that is too long or would be read too far, and
/// [`Error::Io`].
pub fn probe(
    source: &mut dyn Source,
    mime: MimeType,
    limits: &Limits,
) -> Result<Warned<AudioInfo>, Error> {
    let window = &mut Window::new(source, AHEAD)?;
    let found = match mime {
        MimeType::Wav => wave::probe(window, limits),
        MimeType::Aiff => aiff::probe(window),
        MimeType::Amr => amr::probe(window, limits),
        MimeType::Caf => caf::probe(window),
        MimeType::Flac => flac::probe(window, limits),
        MimeType::Ogg | MimeType::Opus => ogg::probe(window, limits),
        MimeType::Mp3 | MimeType::Aac => bare_frames(window, mime, limits),
        _ => Err(Error::Unsupported("this format as sound alone")),
    };
    info::finished(found?, limits)
}

/// FLAC, MPEG and ADTS frames begin with much the same bits; only FLAC's first header has a checksum.
fn bare_frames(
    window: &mut Window<'_>,
    mime: MimeType,
    limits: &Limits,
) -> Result<Warned<AudioInfo>, Error> {
    if flac::FrameHeader::parse(window.at(0, 16)?, None).is_some() {
        return flac::probe(window, limits);
    }
    if mime == MimeType::Aac { adts::probe(window, limits) } else { mpeg::probe(window, limits) }
}
