//! The system's FFmpeg: facts of AVI, FLV, MPEG streams and ASF, and [`open`] for the packets of
//! every container, which the decoders of video and sound stand on.
//!
//! FFmpeg sees nothing but bytes that it asks our source for: only the demuxer that the sniffed
//! type names may open them, no protocol is allowed, its log is silent, and reads and calls are
//! counted down.

mod lent;
mod open;
mod packets;

pub use open::{Opened, format_name, open};

use std::sync::{Arc, Mutex};

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::{Disposition, Stream};
use ffmpeg_next::media::Type;
use ffmpeg_next::{Dictionary, Rational, log};
use mediaprep_media::{
    Dimensions, Duration, Error, FrameRate, Limits, MimeType, Orientation, Source, Sourced, Warned,
    Warning, WarningCode,
};

use self::lent::{Budget, Fields, Shared, with_budget, with_input};
use self::packets::Packets;
use crate::{AudioTrack, ContainerInfo, PixelAspect, Track, TrackKind, VideoTrack};

/// Bytes that FFmpeg may look at before it must know every stream.
const PROBE_SIZE: u64 = 1 << 20;
/// Microseconds of content for the same.
const ANALYZE_DURATION: u64 = 2_000_000;
/// Bytes that headers, index and the two ends of a stream may take.
const HEADER_BYTES: u64 = 16 << 20;
/// Files up to this length have their packets counted.
const SMALL_FILE: u64 = 4 << 20;
/// Formats without times are counted through up to this length.
const TIMELESS_FILE: u64 = 64 << 20;
/// Reads, seeks and polls of one probe; a small file that is read through takes a few thousand.
const CALLS: u64 = 200_000;

/// The demuxers that may open a type, or `None` when it is not FFmpeg's.
const fn demuxers(mime: MimeType) -> Option<(&'static str, &'static str)> {
    Some(match mime {
        MimeType::Avi => ("avi", "AVI file"),
        MimeType::Flv => ("flv", "FLV file"),
        MimeType::Mpeg => ("mpeg,mpegvideo", "MPEG stream"),
        MimeType::MpegTs => ("mpegts", "MPEG transport stream"),
        MimeType::Wmv | MimeType::Wma => ("asf", "ASF file"),
        _ => return None,
    })
}

/// Reads the facts of a file in one of FFmpeg's formats.
pub(crate) fn probe(
    source: &mut dyn Source,
    mime: MimeType,
    limits: &Limits,
) -> Result<Warned<ContainerInfo>, Error> {
    let unsupported = Error::Unsupported("a container of this type");
    let (demuxers, format) = demuxers(mime).ok_or(unsupported)?;
    let length = source.seek(std::io::SeekFrom::End(0))?;
    source.rewind()?;
    log::set_level(log::Level::Quiet);
    let budget: Shared =
        Arc::new(Mutex::new(Budget { bytes: bytes(length, limits), calls: CALLS, error: None }));
    let count_all = length <= SMALL_FILE;
    let read = |input: &mut Input| File::read(input, mime, (length, count_all));
    let result = with_input(source, &budget, options(demuxers), read);
    if let Some(error) = with_budget(&budget, |budget| budget.error.take()) {
        return Err(error.into());
    }
    match result {
        Ok(file) if !file.tracks.is_empty() => Ok(file.warned()),
        _ => Err(Error::malformed(format, 0, "FFmpeg finds no stream in it")),
    }
}

/// A file that is read through is read at most twice: once for its headers, once for its packets.
fn bytes(length: u64, limits: &Limits) -> u64 {
    let whole = if length <= TIMELESS_FILE { length.saturating_mul(2) } else { 0 };
    whole.saturating_add(HEADER_BYTES).min(limits.max_probe_bytes)
}

fn options(demuxers: &str) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("format_whitelist", demuxers);
    options.set("protocol_whitelist", "none");
    options.set("probesize", &PROBE_SIZE.to_string());
    options.set("analyzeduration", &ANALYZE_DURATION.to_string());
    options.set("max_streams", "64");
    options
}

/// The facts of an opened file.
struct File {
    duration: Option<Sourced<Duration>>,
    tracks: Vec<Track>,
    estimated: bool,
}

impl File {
    fn read(input: &mut Input, mime: MimeType, (length, count_all): (u64, bool)) -> Self {
        let stated = u64::try_from(input.duration()).ok().filter(|&micros| micros > 0);
        let stated = stated.map(Duration::from_micros);
        let timeless = input.format().name() == "mpegvideo";
        let count = count_all || (timeless && length <= TIMELESS_FILE);
        let packets = count.then(|| Packets::count(input));
        let lengths = match (timeless, searched(mime)) {
            (true, _) => Lengths::Counted,
            (false, true) => Lengths::Searched,
            (false, false) => Lengths::Stated { container: stated },
        };
        let tracks = input.streams().map(|stream| track(&stream, packets.as_ref(), lengths));
        let tracks: Vec<Track> = tracks.collect();
        let counted = tracks.iter().filter_map(|track| track.presented).map(|p| p.value).max();
        let duration = match (timeless, stated) {
            (true, _) => counted.or(stated).map(Sourced::scan),
            (false, stated) if searched(mime) => stated.map(Sourced::scan),
            (false, stated) => stated.map(Sourced::header),
        };
        Self { duration, tracks, estimated: timeless && counted.is_none() }
    }

    fn warned(self) -> Warned<ContainerInfo> {
        let mut warnings = Vec::new();
        if self.estimated || self.duration.is_none() {
            let message = "the length is worked out from the bit rate, since nothing states it";
            warnings.push(Warning::new(WarningCode::DurationEstimated, message));
        }
        let value =
            ContainerInfo { duration: self.duration, tracks: self.tracks, fragmented: false };
        Warned { value, warnings }
    }
}

/// Formats without a length in the header: FFmpeg compares the times at both ends.
const fn searched(mime: MimeType) -> bool {
    matches!(mime, MimeType::Mpeg | MimeType::MpegTs)
}

/// What is known of one stream while its facts are put together.
struct Known<'a> {
    stream: &'a Stream<'a>,
    /// Packets of the stream, where all were counted.
    packets: Option<u64>,
    presented: Option<Duration>,
}

/// Where the lengths of a format's streams come from.
#[derive(Clone, Copy, Debug)]
enum Lengths {
    /// The header states them; the container's stands in for a stream without one.
    Stated { container: Option<Duration> },
    /// The times of the first and last packets, which FFmpeg looks for near the ends.
    Searched,
    /// The number of packets.
    Counted,
}

fn track(stream: &Stream<'_>, packets: Option<&Packets>, lengths: Lengths) -> Track {
    let parameters = stream.parameters();
    let fields = Fields::of(&parameters);
    let counted = packets.filter(|packets| packets.complete);
    let counted = counted.map(|packets| packets.of(stream.index()));
    let count = counted.map(|counted| counted.packets);
    let span = counted.and_then(|counted| ticks(counted.length(), stream.time_base()));
    let stated = ticks(stream.duration(), stream.time_base());
    let presented = match lengths {
        Lengths::Stated { container } => stated.or(container).map(Sourced::header),
        // The search takes the last packet's start for its end where it knows no better.
        Lengths::Searched => stated.max(span).map(Sourced::scan),
        Lengths::Counted => {
            count.and_then(|count| timeless_length(stream, count)).map(Sourced::scan)
        }
    };
    let known = Known { stream, packets: count, presented: presented.map(|p| p.value) };
    let timeless = matches!(lengths, Lengths::Counted);
    let kind = match parameters.medium() {
        Type::Video => known.video(&fields),
        Type::Audio => Known::audio(&fields),
        _ => None,
    };
    Track {
        id: stream.index() as u64,
        codec: short_name(parameters.id()),
        kind: kind.unwrap_or(TrackKind::Other),
        delay: Duration::ZERO,
        presented,
        span: if timeless { known.presented } else { span },
        protected: false,
        enabled: true,
    }
}

/// Frames at the stated rate of an MPEG video stream.
fn timeless_length(stream: &Stream<'_>, packets: u64) -> Option<Duration> {
    Duration::of_frames(packets, rate(stream.avg_frame_rate())?)
}

impl Known<'_> {
    fn video(&self, fields: &Fields) -> Option<TrackKind> {
        let side = |side: i32| u32::try_from(side).ok();
        let stored = Dimensions::new(side(fields.width)?, side(fields.height)?)?;
        let (horizontal, vertical) = fields.pixel_aspect;
        let aspect = side(horizontal).zip(side(vertical));
        let aspect = aspect.and_then(|(width, height)| PixelAspect::new(width, height));
        let stated = u64::try_from(self.stream.frames()).ok().filter(|&frames| frames > 0);
        Some(TrackKind::Video(VideoTrack {
            stored,
            displayed: stored,
            rotation: 0,
            orientation: Orientation::Upright,
            frames: self.packets.or(stated),
            frame_rate: self.frame_rate(),
            attached_picture: self.stream.disposition().contains(Disposition::ATTACHED_PIC),
            pixel_aspect: aspect.unwrap_or(PixelAspect::SQUARE),
        }))
    }

    /// The rate of the header where FFmpeg's two ways to know it agree; else counted frames over
    /// the length, since the rate of a stream without one is a guess from its clock.
    fn frame_rate(&self) -> Option<FrameRate> {
        let average = rate(self.stream.avg_frame_rate());
        if average.is_some() && average == rate(self.stream.rate()) {
            return average;
        }
        let counted = || FrameRate::average(self.packets?, self.presented?);
        counted().or(average)
    }

    fn audio(fields: &Fields) -> Option<TrackKind> {
        Some(TrackKind::Audio(AudioTrack {
            sample_rate: u32::try_from(fields.sample_rate).ok()?,
            channels: u16::try_from(fields.channels).ok()?,
            decoded: None,
        }))
    }
}

fn short_name(codec: Id) -> String {
    codec.name().to_owned()
}

fn rate(rate: Rational) -> Option<FrameRate> {
    let part = |part: i32| u32::try_from(part).ok();
    FrameRate::new(part(rate.numerator())?, part(rate.denominator())?)
}

/// `count` units of a time base; `None` where it is zero, negative or marked as unknown.
fn ticks(count: i64, base: Rational) -> Option<Duration> {
    let count = u128::try_from(count).ok().filter(|&count| count > 0)?;
    let numerator = u128::try_from(base.numerator()).ok()?;
    let denominator = u128::try_from(base.denominator()).ok().filter(|&d| d > 0)?;
    Some(Duration::from_fraction(count * numerator, denominator))
}
