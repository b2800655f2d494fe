//! Decoding through the system's FFmpeg.

use ffmpeg_next::codec::packet::side_data;
use ffmpeg_next::codec::{Context, threading};
use ffmpeg_next::format::sample::Sample;
use ffmpeg_next::format::stream::Stream;
use ffmpeg_next::media::Type;
use ffmpeg_next::util::error::EAGAIN;
use ffmpeg_next::{Packet, Rational, decoder, frame};
use mediaprep_container::ffmpeg::{self, Opened};
use mediaprep_media::{Error, Watch};

use super::decode::{Decoder, Lead, Step};
use super::mix::{self, MAX_CHANNELS};
use super::plan::{Plan, is_movie};
use super::shared::Shared;

/// A sound that FFmpeg decodes.
pub(crate) struct Foreign {
    opened: Opened,
    decoder: decoder::Audio,
    stream: usize,
    time_base: Rational,
    /// When the container's time begins, in units of the stream's.
    zero: i64,
    /// The time of the first packet, and samples that it says are to be skipped.
    begun: Option<(i64, u32)>,
    /// The time of the first sample that came out, in the same units.
    first: Option<i64>,
    /// Whether a first packet that gives nothing takes time.
    silent_start: bool,
    /// Whether the stream's times are exact to the sample.
    exact_times: bool,
    rate: u32,
    packet: Packet,
    frame: frame::Audio,
    /// Samples that a packet has, to know what a broken one takes away.
    usual: u32,
    /// Channels and places of the last frame, and their weights.
    layout: (u16, u64),
    weights: Vec<f32>,
}

impl Foreign {
    pub(crate) fn open(source: &Shared, plan: &Plan, watch: &Watch) -> Result<Self, Error> {
        let opened = ffmpeg::open(Box::new(source.rewound()?), plan.mime, watch)?;
        let stream = chosen(&opened, plan)?;
        let index = stream.index();
        let time_base = stream.time_base();
        let unknown = |_| Error::Unsupported("the sound's codec");
        let mut decoder = Context::from_parameters(stream.parameters()).map_err(unknown)?.decoder();
        decoder.set_packet_time_base(time_base);
        decoder.set_threading(threading::Config::count(1));
        let decoder = decoder.audio().map_err(unknown)?;
        let zero = if is_movie(plan.mime) { 0 } else { earliest(&opened, time_base) };
        Ok(Self {
            opened,
            decoder,
            stream: index,
            time_base,
            zero,
            begun: None,
            first: None,
            silent_start: plan.codec == "aac",
            exact_times: is_movie(plan.mime),
            rate: 0,
            packet: Packet::empty(),
            frame: frame::Audio::empty(),
            usual: 0,
            layout: (0, 0),
            weights: Vec::new(),
        })
    }

    /// Whether the first packet states samples to be skipped. Nothing is lost by asking, as long as
    /// nothing was decoded.
    pub(crate) fn skips(&mut self) -> Result<bool, Error> {
        let broken = self.begun.is_none() && self.feed()?.is_some();
        Ok(!broken && self.begun.is_some_and(|(_, skipped)| skipped > 0))
    }

    /// Gives the decoder its next packet, or the end.
    fn feed(&mut self) -> Result<Option<Step>, Error> {
        loop {
            self.opened.check()?;
            // Reading overwrites a packet without letting go of what it held.
            self.packet = Packet::empty();
            match self.packet.read(self.opened.input_mut()) {
                Ok(()) if self.packet.stream() != self.stream => continue,
                Ok(()) => {}
                Err(ffmpeg_next::Error::Eof) => {
                    self.opened.check()?;
                    // A decoder that was told so already says that it is at its end.
                    let _ = self.decoder.send_eof();
                    return Ok(None);
                }
                Err(ffmpeg_next::Error::Other { errno: EAGAIN }) => continue,
                Err(_) => return Err(self.opened.malformed("FFmpeg cannot read its packets")),
            }
            self.begun.get_or_insert_with(|| {
                let time = self.packet.pts().or_else(|| self.packet.dts()).unwrap_or(self.zero);
                (time, skipped(&self.packet))
            });
            return match self.decoder.send_packet(&self.packet) {
                Ok(()) | Err(ffmpeg_next::Error::Eof) => Ok(None),
                Err(_) => Ok(Some(self.lost())),
            };
        }
    }

    fn lost(&self) -> Step {
        Step::Lost { samples: self.usual, reason: "a packet cannot be decoded" }
    }

    /// Appends the present frame, mixed down.
    fn add(&mut self, mono: &mut Vec<f32>) -> Result<Step, Error> {
        let (count, channels) = (self.frame.samples(), self.frame.channels());
        self.rate = self.frame.rate();
        if self.first.is_none() {
            self.first = Some(self.frame.timestamp().unwrap_or(self.zero));
        }
        if count == 0 || channels == 0 {
            return Ok(Step::Sound(self.rate));
        }
        self.usual = u32::try_from(count).unwrap_or(0);
        let layout = (channels, places(&self.frame));
        if layout != self.layout {
            if usize::from(channels) > MAX_CHANNELS {
                return Err(Error::Unsupported("a sound with very many channels"));
            }
            self.weights = mix::weights(usize::from(channels), layout.1);
            self.layout = layout;
        }
        let from = mono.len();
        mono.resize(from + count, 0.0);
        mix_down(&self.frame, &self.weights, &mut mono[from..])?;
        Ok(Step::Sound(self.rate))
    }
}

impl Decoder for Foreign {
    fn next(&mut self, mono: &mut Vec<f32>) -> Result<Step, Error> {
        loop {
            match self.decoder.receive_frame(&mut self.frame) {
                Ok(()) => return self.add(mono),
                Err(ffmpeg_next::Error::Eof) => return Ok(Step::End),
                Err(ffmpeg_next::Error::Other { errno: EAGAIN }) => {
                    if let Some(step) = self.feed()? {
                        return Ok(step);
                    }
                }
                Err(_) => return Ok(self.lost()),
            }
        }
    }

    /// The decoder of AAC gives nothing for a first packet that it cannot place, and an edit list of
    /// a fragmented file is not applied by FFmpeg.
    fn lead(&self) -> Lead {
        let (packet, skipped) = self.begun.unwrap_or((self.zero, 0));
        let first = self.first.unwrap_or(packet);
        let missing = self.samples(first.saturating_sub(packet.max(self.zero)));
        let missing = missing.saturating_sub(u64::from(skipped));
        let early = self.samples(self.zero.saturating_sub(first));
        Lead {
            packet: self.samples(packet.saturating_sub(self.zero)),
            missing: if self.silent_start { missing } else { 0 },
            early: if self.exact_times { early } else { 0 },
        }
    }
}

impl Foreign {
    /// A span of the stream's time in samples; 0 where it is negative.
    fn samples(&self, ticks: i64) -> u64 {
        let Ok(ticks) = u128::try_from(ticks) else { return 0 };
        let part = |part: i32| u128::try_from(part).unwrap_or(0);
        let (n, d) = (part(self.time_base.numerator()), part(self.time_base.denominator()));
        let samples = ticks.saturating_mul(n).saturating_mul(u128::from(self.rate));
        let samples = samples.saturating_add(d / 2).checked_div(d).unwrap_or(0);
        u64::try_from(samples).unwrap_or(u64::MAX)
    }
}

/// Samples that a packet says are to be skipped at its start: a number of 32 bits, lowest byte first.
fn skipped(packet: &Packet) -> u32 {
    let mut data = packet.side_data().filter(|data| data.kind() == side_data::Type::SkipSamples);
    let first = data.next().and_then(|data| data.data().first_chunk::<4>().copied());
    first.map_or(0, u32::from_le_bytes)
}

/// The stream that the plan names: by its number where FFmpeg keeps the container's, else by its
/// order among the sound tracks.
fn chosen<'a>(opened: &'a Opened, plan: &Plan) -> Result<Stream<'a>, Error> {
    let sounds = || {
        let streams = opened.input().streams();
        streams.filter(|stream| stream.parameters().medium() == Type::Audio)
    };
    let named = |id: u64| sounds().find(|s| is_movie(plan.mime) && u64::try_from(s.id()) == Ok(id));
    let found = match plan.track {
        Some(choice) => named(choice.id).or_else(|| sounds().nth(choice.ordinal)),
        None => sounds().next(),
    };
    found.ok_or(Error::Unsupported("a file without a sound track"))
}

/// When the first stream of picture or sound begins, in units of `base`, but not before zero: a
/// stream with an encoder's delay may begin earlier than it is heard.
fn earliest(opened: &Opened, base: Rational) -> i64 {
    let starts = opened.input().streams().filter_map(|stream| {
        let medium = stream.parameters().medium();
        let start = stream.start_time();
        let known = start != i64::MIN && matches!(medium, Type::Audio | Type::Video);
        known.then(|| rescaled(start, stream.time_base(), base))
    });
    starts.min().unwrap_or(0).max(0)
}

/// A time in units of another base, rounded to the nearest.
fn rescaled(ticks: i64, from: Rational, to: Rational) -> i64 {
    let part = |part: i32| i128::from(part);
    let up = i128::from(ticks) * part(from.numerator()) * part(to.denominator());
    let down = (part(from.denominator()) * part(to.numerator())).max(1);
    i64::try_from((up + down / 2).div_euclid(down)).unwrap_or(0)
}

/// The loudspeakers of a frame's channels; 0 where they are unknown.
fn places(frame: &frame::Audio) -> u64 {
    /// FFmpeg's highest loudspeaker. A custom layout holds an address here, which lies above.
    const HIGHEST: u64 = 1 << 41;
    let bits = frame.channel_layout().bits();
    if bits < HIGHEST && bits.count_ones() == u32::from(frame.channels()) { bits } else { 0 }
}

fn mix_down(frame: &frame::Audio, weights: &[f32], mono: &mut [f32]) -> Result<(), Error> {
    match frame.format() {
        Sample::U8(_) => mix_samples(frame, weights, mono, |s: u8| (f32::from(s) - 128.0) / 128.0),
        Sample::I16(_) => mix_samples(frame, weights, mono, |s: i16| f32::from(s) / 32_768.0),
        Sample::I32(_) => mix_samples(frame, weights, mono, |s: i32| s as f32 / 2_147_483_648.0),
        Sample::F32(_) => mix_samples(frame, weights, mono, |s: f32| s),
        Sample::F64(_) => mix_samples(frame, weights, mono, narrowed),
        Sample::I64(_) | Sample::None => return Err(Error::Unsupported("samples of 64 bits")),
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "only precision is lost")]
fn narrowed(sample: f64) -> f32 {
    sample as f32
}

fn mix_samples<T: Copy + frame::audio::Sample>(
    frame: &frame::Audio,
    weights: &[f32],
    mono: &mut [f32],
    level: impl Fn(T) -> f32 + Copy,
) {
    if frame.is_packed() {
        mix::add_packed(mono, frame.plane(0), weights, level);
        return;
    }
    for (index, &weight) in weights.iter().enumerate().take(frame.planes()) {
        mix::add_plane(mono, frame.plane(index), weight, level);
    }
}
