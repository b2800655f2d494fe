//! One small MP4 that shows the sampled frames, each from its instant to the next.

use std::io::{self, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use ffmpeg_next::format::context::{Output, StreamIo};
use ffmpeg_next::format::output_to_stream;
use ffmpeg_next::software::scaling::{Context as Scaler, Flags};
use ffmpeg_next::{
    Dictionary, Packet, Rational, codec, color, encoder, format::Pixel, frame::Video,
};
use mediaprep_container::ffmpeg::{Opened, open};
use mediaprep_media::{
    Dimensions, Duration, Error, Limits, MimeType, Raster, Source, Warned, Warning, WarningCode,
    Watch,
};

use super::plan::Plan;
use super::raw;
use super::run::{DecodeOptions, Frame, decode};

/// Where a written file goes: a temporary file, usually.
pub trait Sink: Write + Seek + Send {}

impl<T: Write + Seek + Send> Sink for T {}

/// How a proxy is written.
#[derive(Clone, Debug)]
pub struct ProxyOptions {
    /// The size of the pictures, upright; both sides even.
    pub size: Dimensions,
    /// The size that frames are decoded to, before they are turned.
    pub stored: Dimensions,
    /// x264's constant rate factor: 0 loses nothing, 51 nearly everything.
    pub quality: u8,
    /// How long the video lasts: the last frame is shown until then.
    pub length: Duration,
    /// What is too much.
    pub limits: Limits,
}

/// The sound of a proxy: one stream whose packets are copied.
pub struct ProxySound {
    /// An ADTS stream or another file with an AAC track.
    pub source: Box<dyn Source>,
    /// What it is.
    pub mime: MimeType,
    /// How long it is heard; what the encoder appends after that is not shown.
    pub length: Duration,
    /// Samples that the encoder put in front of the sound and the file says nothing about: 1024 in
    /// an ADTS stream of FFmpeg's encoder.
    pub priming: u32,
}

impl std::fmt::Debug for ProxySound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxySound").field("mime", &self.mime).finish_non_exhaustive()
    }
}

/// Writes an MP4 of a plan's frames in H.264, one picture an instant, with the sound beside it. The
/// numbers of frames written.
///
/// Frames are shown from their instants on, to the tick, so that whoever samples the proxy at the
/// same rate sees the same pictures. `turn` brings a decoded raster upright and to the proxy's size.
/// One encoder thread is used, so that the bytes depend on nothing but the input.
///
/// # Errors
///
/// What [`decode`] and `turn` give, [`Error::Backend`] where FFmpeg has no x264, and [`Error::Io`]
/// for the sink's own errors.
pub fn write_proxy(
    (source, plan): (Box<dyn Source>, &Plan),
    sound: Option<ProxySound>,
    options: &ProxyOptions,
    watch: &Watch,
    (turn, sink): (Turn<'_>, Box<dyn Sink>),
) -> Result<Warned<u64>, Error> {
    let mut writer = Writer::new(plan, sound, options, watch, sink)?;
    let mut result = Ok(());
    let decoding = DecodeOptions { size: Some(options.stored), limits: options.limits.clone() };
    let decoded = decode(source, plan, &decoding, watch, &mut |frame: Frame| {
        result = turn(frame.raster).and_then(|raster| writer.show(frame.instants.start, &raster));
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    result?;
    let mut warnings = decoded?.warnings;
    let late = writer.finish()?;
    if late > 0 {
        let message = format!("{late} frames were found too late; the ones before them stand in");
        warnings.push(Warning::new(WarningCode::Damaged, message));
    }
    Ok(Warned { value: writer.shown, warnings })
}

/// Brings a decoded raster upright.
pub type Turn<'a> = &'a mut dyn FnMut(Raster) -> Result<Raster, Error>;

/// The first error of the sink, since FFmpeg passes on only a number.
type Fault = Arc<Mutex<Option<io::Error>>>;

struct Faulty {
    sink: Box<dyn Sink>,
    fault: Fault,
}

impl Faulty {
    fn keep<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl Write for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes);
        self.keep(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.sink.flush();
        self.keep(flushed)
    }
}

impl Seek for Faulty {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.sink.seek(to);
        self.keep(at)
    }
}

/// The sound's file, read beside the writing.
struct Sound {
    opened: Opened,
    stream: usize,
    base: Rational,
    /// Ticks that its packets are moved to the front.
    ahead: i64,
    /// The tick at which it ends.
    end: i64,
    /// A packet that is later than what was written.
    waiting: Option<Packet>,
}

struct Writer<'a> {
    output: Output,
    encoder: encoder::video::Encoder,
    fault: Fault,
    plan: &'a Plan,
    length: Duration,
    sound: Option<Sound>,
    /// Ticks a second of the video.
    scale: i32,
    /// What the muxer made of the two time bases.
    bases: [Rational; 2],
    scaler: Scaler,
    rgb: Video,
    /// The last picture, in the encoder's form.
    held: Option<Video>,
    shown: u64,
    late: u64,
}

impl<'a> Writer<'a> {
    fn new(
        plan: &'a Plan,
        sound: Option<ProxySound>,
        options: &ProxyOptions,
        watch: &Watch,
        sink: Box<dyn Sink>,
    ) -> Result<Self, Error> {
        let fault = Fault::default();
        let failed = |_| failure(&fault);
        let io = Faulty { sink, fault: Arc::clone(&fault) };
        let io = StreamIo::from_write_seek(io).map_err(failed)?;
        let mut output = output_to_stream(io, None, Some("mp4")).map_err(failed)?;
        let scale = scale_of(plan, options.length);
        let encoder = encoder_of(options, plan, scale)?;
        let mut stream = output.add_stream_with(&encoder).map_err(failed)?;
        stream.set_time_base(Rational(1, scale));
        let sound = sound.map(|sound| Sound::open(sound, watch)).transpose()?;
        if let Some(sound) = &sound {
            sound.declare(&mut output).map_err(failed)?;
        }
        let mut tags = Dictionary::new();
        tags.set("fflags", "+bitexact");
        tags.set("video_track_timescale", &scale.to_string());
        output.write_header_with(tags).map_err(failed)?;
        let base = |at| output.stream(at).map_or(Rational(1, scale), |s| s.time_base());
        let bases = [base(0), base(1)];
        let (width, height) = (options.size.width(), options.size.height());
        let flags = Flags::LANCZOS | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT;
        let made = Scaler::get(Pixel::RGB24, width, height, Pixel::YUV420P, width, height, flags);
        let mut scaler = made.map_err(failed)?;
        raw::set_output_coding(&mut scaler);
        let rgb = Video::new(Pixel::RGB24, width, height);
        let length = options.length;
        let (held, shown, late) = (None, 0, 0);
        Ok(Self {
            output,
            encoder,
            fault,
            plan,
            length,
            sound,
            scale,
            bases,
            scaler,
            rgb,
            held,
            shown,
            late,
        })
    }

    /// The tick of an instant, counted from the first one.
    fn tick(&self, index: u64) -> i64 {
        let rate = self.plan.instants().rate();
        let ticks = u128::from(index) * u128::from(rate.denominator());
        let ticks = ticks * u128::from(self.scale.unsigned_abs()) / u128::from(rate.numerator());
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }

    /// Shows a picture from an instant on; instants that were left out before it show the last one.
    fn show(&mut self, index: u64, raster: &Raster) -> Result<(), Error> {
        if self.held.is_some() && index < self.shown {
            self.late += 1;
            return Ok(());
        }
        while self.held.is_some() && self.shown < index {
            self.encode()?;
        }
        self.hold(raster)
    }

    fn hold(&mut self, raster: &Raster) -> Result<(), Error> {
        let (stride, row) = (self.rgb.stride(0), raster.stride());
        let lines = self.rgb.data_mut(0).chunks_mut(stride).zip(raster.data().chunks(row));
        for (line, pixels) in lines {
            line[..row].copy_from_slice(pixels);
        }
        let (width, height) = (self.rgb.width(), self.rgb.height());
        let held = self.held.get_or_insert_with(|| Video::new(Pixel::YUV420P, width, height));
        self.scaler.run(&self.rgb, held).map_err(|_| failure(&self.fault))
    }

    /// Encodes the held picture once more.
    fn encode(&mut self) -> Result<(), Error> {
        let tick = self.tick(self.shown);
        self.shown += 1;
        let Some(held) = &mut self.held else { return Ok(()) };
        if tick >= end_of(self.length, self.scale) && self.shown > 1 {
            // A rule may look at the very end; there is no time left to show a picture in.
            return Ok(());
        }
        held.set_pts(Some(tick));
        held.set_kind(ffmpeg_next::picture::Type::None);
        self.encoder.send_frame(held).map_err(|_| failure(&self.fault))?;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), Error> {
        let mut packet = Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            let tick = packet.pts().unwrap_or(0);
            let index = self.index(tick);
            // A rule may count fewer frames than the window has room for: the last one is shown to its
            // end, so that the proxy lasts as long as it says.
            let is_last = index + 1 >= self.plan.instants().count();
            let next = if is_last { i64::MAX } else { self.tick(index + 1) };
            let end = next.min(end_of(self.length, self.scale));
            packet.set_duration((end - tick).max(1));
            self.copy_sound(tick)?;
            packet.set_stream(0);
            packet.rescale_ts(Rational(1, self.scale), self.bases[0]);
            packet.write_interleaved(&mut self.output).map_err(|_| failure(&self.fault))?;
        }
        Ok(())
    }

    /// The number of the instant at a tick that [`Self::tick`] has given.
    fn index(&self, tick: i64) -> u64 {
        let rate = self.plan.instants().rate();
        let scaled = u128::from(tick.unsigned_abs()) * u128::from(rate.numerator());
        let step = u128::from(rate.denominator()) * u128::from(self.scale.unsigned_abs());
        u64::try_from(scaled.div_ceil(step)).unwrap_or(u64::MAX)
    }

    /// Copies the sound up to a tick of the video.
    fn copy_sound(&mut self, until: i64) -> Result<(), Error> {
        let Some(sound) = &mut self.sound else { return Ok(()) };
        while let Some(mut packet) = sound.next(until, self.scale)? {
            packet.set_stream(1);
            packet.rescale_ts(sound.base, self.bases[1]);
            packet.set_position(-1);
            packet.write_interleaved(&mut self.output).map_err(|_| failure(&self.fault))?;
        }
        Ok(())
    }

    /// Shows the last picture to the end and closes the file. How many frames came too late.
    fn finish(&mut self) -> Result<u64, Error> {
        while self.held.is_some() && self.shown < self.plan.instants().count() {
            self.encode()?;
        }
        self.encoder.send_eof().map_err(|_| failure(&self.fault))?;
        self.drain()?;
        self.copy_sound(i64::MAX)?;
        self.output.write_trailer().map_err(|_| failure(&self.fault))?;
        match self.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(Error::Io(error)),
            None => Ok(self.late),
        }
    }
}

impl Sound {
    fn open(sound: ProxySound, watch: &Watch) -> Result<Self, Error> {
        let opened = open(sound.source, sound.mime, watch)?;
        let found = opened.input().streams().next().map(|s| (s.index(), s.time_base(), s.rate()));
        let (stream, base, _) = found.ok_or_else(|| opened.malformed("it has no sound"))?;
        let rate = raw::sample_rate(opened.input(), stream).max(1);
        let ticks = |samples: u64, rate: u64| {
            let per_second = i128::from(base.denominator()) / i128::from(base.numerator().max(1));
            i64::try_from(i128::from(samples) * per_second / i128::from(rate.max(1))).unwrap_or(0)
        };
        let ahead = ticks(u64::from(sound.priming), u64::from(rate));
        let end = ticks(sound.length.ticks(), u64::from(sound.length.timescale()));
        Ok(Self { opened, stream, base, ahead, end, waiting: None })
    }

    fn declare(&self, output: &mut Output) -> Result<(), ffmpeg_next::Error> {
        let stream = self.opened.input().stream(self.stream);
        let parameters = stream.ok_or(ffmpeg_next::Error::StreamNotFound)?.parameters();
        let context = codec::Context::from_parameters(parameters)?;
        let mut added = output.add_stream_with(&context)?;
        added.set_time_base(self.base);
        Ok(())
    }

    /// The next packet that begins by `until`, in ticks of `scale` a second.
    fn next(&mut self, until: i64, scale: i32) -> Result<Option<Packet>, Error> {
        let packet = match self.waiting.take() {
            Some(packet) => packet,
            None => match self.read()? {
                Some(packet) => packet,
                None => return Ok(None),
            },
        };
        let own = i128::from(packet.pts().unwrap_or(0)) * i128::from(self.base.numerator());
        if own * i128::from(scale) > i128::from(until) * i128::from(self.base.denominator()) {
            self.waiting = Some(packet);
            return Ok(None);
        }
        Ok(Some(packet))
    }

    fn read(&mut self) -> Result<Option<Packet>, Error> {
        loop {
            let mut packet = Packet::empty();
            if packet.read(self.opened.input_mut()).is_err() {
                return self.opened.check().map(|()| None);
            }
            if packet.stream() != self.stream {
                continue;
            }
            let tick = packet.pts().unwrap_or(0).saturating_sub(self.ahead);
            if tick >= self.end {
                return Ok(None);
            }
            packet.set_pts(Some(tick));
            packet.set_dts(Some(tick));
            packet.set_duration(packet.duration().min(self.end - tick));
            return Ok(Some(packet));
        }
    }
}

/// Ticks a second that hold every instant and the end exactly where that is possible.
fn scale_of(plan: &Plan, length: Duration) -> i32 {
    const COARSEST: u64 = 10_000;
    const FINEST: u64 = 10_000_000;
    let exact = u64::from(length.timescale()) * u64::from(plan.instants().rate().numerator());
    let scale = if exact <= FINEST { exact * COARSEST.div_ceil(exact) } else { 90_000 };
    i32::try_from(scale).unwrap_or(90_000)
}

fn end_of(length: Duration, scale: i32) -> i64 {
    let ticks = u128::from(length.ticks()) * u128::from(scale.unsigned_abs());
    i64::try_from(ticks / u128::from(length.timescale())).unwrap_or(i64::MAX)
}

fn encoder_of(
    options: &ProxyOptions,
    plan: &Plan,
    scale: i32,
) -> Result<encoder::video::Encoder, Error> {
    let missing = Error::Backend { backend: "FFmpeg's encoder libx264" };
    let Some(x264) = encoder::find_by_name("libx264") else { return Err(missing) };
    let context = codec::Context::new_with_codec(x264);
    let failed = |_| Error::malformed("proxy", 0, "x264 does not take these settings");
    let mut video = context.encoder().video().map_err(failed)?;
    video.set_width(options.size.width());
    video.set_height(options.size.height());
    video.set_format(Pixel::YUV420P);
    video.set_time_base(Rational(1, scale));
    let rate = plan.instants().rate();
    let part = |part: u32| i32::try_from(part).unwrap_or(1);
    video.set_frame_rate(Some(Rational(part(rate.numerator()), part(rate.denominator()))));
    video.set_colorspace(color::Space::BT709);
    video.set_color_primaries(color::Primaries::BT709);
    video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
    video.set_color_range(color::Range::MPEG);
    // A keyframe every ten pictures, so that jumping costs little; no B-frames, so that nothing has
    // to be reordered. MP4 wants the headers beside the packets, not in them.
    video.set_gop(10);
    video.set_max_b_frames(0);
    video.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
    video.set_threading(codec::threading::Config::count(1));
    let mut settings = Dictionary::new();
    settings.set("preset", "veryfast");
    settings.set("crf", &options.quality.to_string());
    video.open_with(settings).map_err(failed)
}

/// What stopped the muxer or the encoder.
fn failure(fault: &Fault) -> Error {
    match fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Error::Io(error),
        None => Error::malformed("proxy", 0, "FFmpeg cannot write it"),
    }
}
