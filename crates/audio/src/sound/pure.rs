//! Decoding through Symphonia.

use mediaprep_media::{Error, MimeType};
use symphonia::core::audio::{Audio, Channels, GenericAudioBufferRef};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::decode::{Decoder, Step};
use super::mix::{self, MAX_CHANNELS};
use super::plan::Plan;
use super::shared::Shared;

/// Whether Symphonia has a decoder at all.
pub(crate) fn decodes(codec: &str) -> bool {
    let others =
        ["mp1", "mp2", "mp3", "aac", "flac", "vorbis", "alac", "adpcm_ms", "adpcm_ima_wav"];
    codec.starts_with("pcm") || others.contains(&codec)
}

/// Whether it gives the file's samples exactly: all of them, and none of the encoder's.
///
/// Frames of MP3 that had to be counted are FFmpeg's, since Symphonia passes over some of a changing
/// bit rate; so are AAC frames whose rate leaves room for the extension of HE-AAC, which only a
/// decoder finds.
pub(crate) fn decodes_exactly(plan: &Plan) -> bool {
    const HIGHEST_EXTENDED: u32 = 24_000;
    let codec = plan.codec.as_str();
    let pcm = codec.starts_with("pcm");
    match plan.mime {
        MimeType::Wav => pcm || codec.starts_with("adpcm"),
        MimeType::Aiff | MimeType::Caf => pcm,
        MimeType::Flac => codec == "flac",
        MimeType::Mp3 => codec == "mp3" && plan.stated,
        MimeType::Aac => codec == "aac" && plan.rate > HIGHEST_EXTENDED,
        MimeType::Ogg => matches!(codec, "vorbis" | "flac"),
        _ => false,
    }
}

/// A sound that Symphonia decodes.
pub(crate) struct Pure {
    source: Shared,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    format: &'static str,
    weights: Vec<f32>,
    channels: Channels,
}

impl Pure {
    pub(crate) fn open(source: &Shared, plan: &Plan) -> Result<Self, Error> {
        let format = format_name(plan.mime);
        let options = MediaSourceStreamOptions::default();
        let stream = MediaSourceStream::new(Box::new(source.rewound()?), options);
        let mut hint = Hint::new();
        hint.with_extension(plan.mime.extension()).mime_type(plan.mime.as_str());
        let (formats, metadata) = (FormatOptions::default(), MetadataOptions::default());
        let probed = symphonia::default::get_probe().probe(&hint, stream, formats, metadata);
        let reader = probed.map_err(|error| translated(source, format, &error))?;
        let track = chosen(reader.tracks(), plan)?;
        let sound = track.codec_params.as_ref().and_then(|params| params.audio());
        let sound = sound.ok_or(Error::Unsupported("a sound without a known codec"))?;
        // Delay and padding are removed here, since not every decoder of Symphonia's does.
        let options = AudioDecoderOptions::default().gapless(false);
        let decoder = symphonia::default::get_codecs().make_audio_decoder(sound, &options);
        let decoder = decoder.map_err(|error| translated(source, format, &error))?;
        let (track, source) = (track.id, source.clone());
        let (weights, channels) = (Vec::new(), Channels::None);
        Ok(Self { source, reader, decoder, track, format, weights, channels })
    }

    /// The next packet of the track.
    fn packet(&mut self) -> Result<Option<Packet>, SymphoniaError> {
        loop {
            match self.reader.next_packet()? {
                Some(packet) if packet.track_id != self.track => {}
                other => return Ok(other),
            }
        }
    }
}

impl Decoder for Pure {
    fn next(&mut self, mono: &mut Vec<f32>) -> Result<Step, Error> {
        let packet = match self.packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(Step::End),
            Err(error) => return ended(&self.source, self.format, &error),
        };
        let decoded = match self.decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(SymphoniaError::DecodeError(reason)) => {
                let samples = u32::try_from(packet.dur.get()).unwrap_or(0);
                return Ok(Step::Lost { samples, reason });
            }
            Err(error) => return Err(translated(&self.source, self.format, &error)),
        };
        let rate = decoded.spec().rate();
        if decoded.spec().channels() != &self.channels {
            self.channels = decoded.spec().channels().clone();
            self.weights = weights(&self.channels)?;
        }
        let from = mono.len();
        add(&decoded, &self.weights, mono);
        trim(mono, from, &packet);
        Ok(Step::Sound(rate))
    }
}

/// The end of the packets, if that is what an error means: a file that is cut ends in the middle of
/// something.
fn ended(source: &Shared, format: &'static str, error: &SymphoniaError) -> Result<Step, Error> {
    match error {
        SymphoniaError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            source.fault().map_or(Ok(Step::End), Err)
        }
        // A chained stream: what follows is another sound.
        SymphoniaError::ResetRequired => Ok(Step::End),
        other => Err(translated(source, format, other)),
    }
}

/// An error of Symphonia's as one of ours.
fn translated(source: &Shared, format: &'static str, error: &SymphoniaError) -> Error {
    if let Some(fault) = source.fault() {
        return fault;
    }
    match error {
        SymphoniaError::DecodeError(reason) | SymphoniaError::LimitError(reason) => {
            Error::malformed(format, 0, reason)
        }
        SymphoniaError::Unsupported(feature) => Error::Unsupported(feature),
        SymphoniaError::IoError(_) => Error::malformed(format, 0, "it ends too early"),
        SymphoniaError::SeekError(_) | SymphoniaError::ResetRequired | _ => {
            Error::malformed(format, 0, "it cannot be read")
        }
    }
}

/// The track that the plan names: by its number where Symphonia keeps it, else by its order.
fn chosen<'a>(tracks: &'a [Track], plan: &Plan) -> Result<&'a Track, Error> {
    let sounds = || tracks.iter().filter(|track| track.track_type() == Some(TrackType::Audio));
    let named = plan.track.and_then(|choice| sounds().find(|t| u64::from(t.id) == choice.id));
    let counted = || sounds().nth(plan.track.map_or(0, |choice| choice.ordinal));
    named.or_else(counted).ok_or(Error::Unsupported("a file without a sound track"))
}

/// Symphonia numbers the first 18 loudspeakers as WAVE does, and a second low one next.
fn weights(channels: &Channels) -> Result<Vec<f32>, Error> {
    const COMMON: u64 = (1 << 18) - 1;
    let count = channels.count();
    if count == 0 || count > MAX_CHANNELS {
        return Err(Error::Unsupported("a sound with no channel or very many"));
    }
    let places = match channels {
        Channels::Positioned(places) => {
            let bits = places.bits();
            let second = if bits >> 18 & 1 == 1 { mix::SECOND_LOW } else { 0 };
            if bits & !COMMON & !(1 << 18) == 0 { bits & COMMON | second } else { 0 }
        }
        _ => 0,
    };
    Ok(mix::weights(count, places))
}

/// Appends a buffer, mixed down.
fn add(decoded: &GenericAudioBufferRef<'_>, weights: &[f32], mono: &mut Vec<f32>) {
    use GenericAudioBufferRef as Buffer;
    let from = mono.len();
    mono.resize(from + decoded.frames(), 0.0);
    let mono = &mut mono[from..];
    match decoded {
        Buffer::U8(buffer) => planes(*buffer, weights, mono),
        Buffer::U16(buffer) => planes(*buffer, weights, mono),
        Buffer::U24(buffer) => planes(*buffer, weights, mono),
        Buffer::U32(buffer) => planes(*buffer, weights, mono),
        Buffer::S8(buffer) => planes(*buffer, weights, mono),
        Buffer::S16(buffer) => planes(*buffer, weights, mono),
        Buffer::S24(buffer) => planes(*buffer, weights, mono),
        Buffer::S32(buffer) => planes(*buffer, weights, mono),
        Buffer::F32(buffer) => planes(*buffer, weights, mono),
        Buffer::F64(buffer) => planes(*buffer, weights, mono),
    }
}

fn planes<S>(buffer: &impl Audio<S>, weights: &[f32], mono: &mut [f32])
where
    S: symphonia::core::audio::sample::Sample + symphonia::core::audio::conv::IntoSample<f32>,
{
    for (index, &weight) in weights.iter().enumerate() {
        let Some(plane) = buffer.plane(index) else { return };
        mix::add_plane(mono, plane, weight, S::into_sample);
    }
}

/// Removes what the packet says that the encoder added.
fn trim(mono: &mut Vec<f32>, from: usize, packet: &Packet) {
    let samples = |ticks: u64| usize::try_from(ticks).unwrap_or(usize::MAX);
    let got = mono.len() - from;
    let end = samples(packet.trim_end.get()).min(got);
    mono.truncate(mono.len() - end);
    let start = samples(packet.trim_start.get()).min(got - end);
    mono.drain(from..from + start);
}

const fn format_name(mime: MimeType) -> &'static str {
    match mime {
        MimeType::Wav => "WAV file",
        MimeType::Aiff => "AIFF file",
        MimeType::Caf => "CAF file",
        MimeType::Flac => "FLAC file",
        MimeType::Mp3 => "MPEG audio",
        MimeType::Ogg | MimeType::Opus => "Ogg file",
        MimeType::Aac => "ADTS stream",
        _ => "sound file",
    }
}
