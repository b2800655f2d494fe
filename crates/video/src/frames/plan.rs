//! Finding the frames without decoding: one pass over the packets.

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::media::Type;
use ffmpeg_next::{Packet, Rational};
use mediaprep_container::ffmpeg::{Opened, open};
use mediaprep_media::{
    Duration, Error, Limits, MimeType, Source, Warned, Warning, WarningCode, Watch,
};

use super::entry::is_entry;
use super::raw;
use crate::instants::{Sampler, Time};
use crate::{Instants, VideoInfo};

/// FFmpeg's mark for a time that nobody knows.
const UNKNOWN: i64 = i64::MIN;

/// How packets are read.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// Take what there is of a file that ends before its stated length; it fails otherwise.
    pub allow_truncated: bool,
    /// What is too much.
    pub limits: Limits,
}

/// Which frames are taken, and what has to be decoded for them. Plain data.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) mime: MimeType,
    pub(super) stream: usize,
    pub(super) clock: Clock,
    pub(super) instants: Instants,
    pub(super) work: Work,
}

/// What has to be decoded.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// These frames, in the order of their packets.
    Packets(Vec<Shot>),
    /// Everything, since the packets have no presentation times.
    Everything,
}

/// A frame that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shot {
    pub(super) packet: At,
    /// The first instant that shows it.
    pub(super) first: u64,
    /// How many instants show it.
    pub(super) count: u64,
}

/// A packet and the keyframe that its decoding starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) pts: i64,
    /// Its number among the stream's packets.
    pub(super) ordinal: u64,
    pub(super) key: Key,
}

/// A keyframe's packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pts: i64,
    pub(super) dts: i64,
    pub(super) ordinal: u64,
    /// Where in the file, or a negative number.
    pub(super) position: i64,
}

/// The stream's ticks, and where its time begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    base: (i128, i128),
    zero: Time,
}

impl Clock {
    fn of(input: &Input, stream: usize) -> Option<Self> {
        let known = |stream: &ffmpeg_next::Stream<'_>| {
            let start = stream.start_time();
            let base = fraction(stream.time_base())?;
            (start != UNKNOWN).then_some(time(start, base))
        };
        let video = input.stream(stream)?;
        let base = fraction(video.time_base())?;
        let sounds = input.streams().filter(|s| s.parameters().medium() == Type::Audio);
        // Sound before 0 is a decoder's run-up, which nobody hears.
        let sounds = sounds.filter_map(|sound| known(&sound)).filter(|start| start.ticks >= 0);
        let first = known(&video).into_iter().chain(sounds).reduce(earlier);
        Some(Self { base, zero: first.unwrap_or(Time { ticks: 0, scale: 1 }) })
    }

    /// What a frame's time is on the video's clock.
    pub(super) fn time(&self, pts: i64) -> Time {
        let Time { ticks, scale } = time(pts, self.base);
        let zero = self.zero;
        let difference = (ticks.checked_mul(zero.scale)).zip(zero.ticks.checked_mul(scale));
        let common = scale.checked_mul(zero.scale);
        match (difference, common) {
            (Some((own, zero)), Some(scale)) => Time { ticks: own.saturating_sub(zero), scale },
            _ => Time { ticks, scale },
        }
    }

    /// The last tick that is not after an instant.
    pub(super) fn tick(&self, instant: Duration) -> i64 {
        let (n, d) = self.base;
        let (zero, scale) = (self.zero, i128::from(instant.timescale()));
        let sum = zero.ticks.saturating_mul(scale);
        let sum = sum.saturating_add(i128::from(instant.ticks()).saturating_mul(zero.scale));
        let bottom = zero.scale.saturating_mul(scale).saturating_mul(n).max(1);
        let tick = sum.saturating_mul(d).div_euclid(bottom);
        i64::try_from(tick).unwrap_or(i64::MAX)
    }

    /// The same as a length, 0 for what lies before the start.
    pub(super) fn shown_at(&self, pts: i64) -> Duration {
        let Time { ticks, scale } = self.time(pts);
        let (ticks, scale) = (u128::try_from(ticks), u128::try_from(scale));
        Duration::from_fraction(ticks.unwrap_or(0), scale.unwrap_or(1))
    }
}

fn time(ticks: i64, (numerator, denominator): (i128, i128)) -> Time {
    Time { ticks: i128::from(ticks) * numerator, scale: denominator }
}

fn earlier(a: Time, b: Time) -> Time {
    let left = a.ticks.saturating_mul(b.scale);
    if left <= b.ticks.saturating_mul(a.scale) { a } else { b }
}

fn fraction(base: Rational) -> Option<(i128, i128)> {
    let (numerator, denominator) = (base.numerator(), base.denominator());
    (numerator > 0 && denominator > 0).then(|| (i128::from(numerator), i128::from(denominator)))
}

impl Plan {
    /// Finds the frames that `video` shows at `instants`, by reading every packet's times.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] where the video is encrypted or FFmpeg does not have its track,
    /// [`Error::Malformed`] where it has no frame or, unless that is allowed, ends before its stated
    /// length; [`Error::Limit`] for too many instants; [`Error::Io`], and what the watch says.
    pub fn read(
        source: Box<dyn Source>,
        (mime, video): (MimeType, &VideoInfo),
        instants: Instants,
        options: &PlanOptions,
        watch: &Watch,
    ) -> Result<Warned<Self>, Error> {
        options.limits.check_frames(instants.count())?;
        if video.protected {
            return Err(Error::Unsupported("decoding an encrypted video"));
        }
        let mut opened = open(source, mime, watch)?;
        let stream = find(opened.input(), mime, video)
            .ok_or_else(|| opened.malformed("FFmpeg does not find the video track"))?;
        raw::discard_others(opened.input_mut(), stream);
        let clock = Clock::of(opened.input(), stream)
            .ok_or_else(|| opened.malformed("the video track has no clock"))?;
        let codec = opened.input().stream(stream).map_or(Id::None, |s| s.parameters().id());
        let mut survey = Survey::new(stream, codec, clock, instants);
        survey.read(&mut opened)?;
        survey.finish(mime, &opened, options)
    }

    /// The instants at which a frame is taken.
    pub const fn instants(&self) -> &Instants {
        &self.instants
    }

    /// The same work in at most `parts` pieces of about equal cost that can be decoded at once, each
    /// from a source of its own. A piece begins where nothing before it is needed.
    pub fn split(self, parts: usize) -> Vec<Self> {
        let Work::Packets(shots) = &self.work else { return vec![self] };
        let runs = runs(shots);
        let total: u64 = runs.iter().map(Run::packets).sum();
        let share = total.div_ceil(parts.max(1) as u64).max(1);
        let mut pieces: Vec<Vec<Shot>> = vec![Vec::new()];
        let mut filled = 0;
        for run in &runs {
            if filled >= share && pieces.len() < parts {
                pieces.push(Vec::new());
                filled = 0;
            }
            filled += run.packets();
            if let Some(piece) = pieces.last_mut() {
                piece.extend_from_slice(&run.shots);
            }
        }
        let Self { mime, stream, clock, instants, .. } = self;
        let piece = |shots| Self { mime, stream, clock, instants, work: Work::Packets(shots) };
        pieces.into_iter().map(piece).collect()
    }
}

/// Frames that are decoded in one go, from one keyframe on.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) from: Key,
    /// In the order of their packets; at least one.
    pub(super) shots: Vec<Shot>,
}

impl Run {
    /// The number of the last packet that is needed.
    pub(super) fn end(&self) -> u64 {
        self.shots.last().map_or(self.from.ordinal, |shot| shot.packet.ordinal)
    }

    /// How many packets lie between, the ends included.
    pub(super) fn packets(&self) -> u64 {
        self.end().saturating_sub(self.from.ordinal) + 1
    }
}

/// Groups frames whose ways from their keyframes overlap.
pub(super) fn runs(shots: &[Shot]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for shot in shots {
        let mut run = Run { from: shot.packet.key, shots: Vec::new() };
        // A picture that leads a keyframe stands on the keyframe before, so it may reach back over
        // a run that began at the later one.
        while let Some(before) = runs.pop_if(|before| before.end() >= run.from.ordinal) {
            if before.from.ordinal < run.from.ordinal {
                run.from = before.from;
            }
            run.shots.splice(0..0, before.shots);
        }
        run.shots.push(*shot);
        runs.push(run);
    }
    runs
}

/// The stream that is the selected track: by its number in the formats whose numbers FFmpeg keeps,
/// by its place in the others.
fn find(input: &Input, mime: MimeType, video: &VideoInfo) -> Option<usize> {
    let is_video = |at: usize| {
        let stream = input.stream(at)?;
        (stream.parameters().medium() == Type::Video).then_some(at)
    };
    let by_number = || {
        let mut streams = input.streams();
        let same = |id: i32| u64::try_from(id).is_ok_and(|id| id == video.track_id);
        streams.find(|stream| same(stream.id())).map(|stream| stream.index())
    };
    let numbered = matches!(mime, MimeType::Mp4 | MimeType::QuickTime | MimeType::ThreeGpp);
    let found = if numbered { by_number() } else { Some(video.track_index) };
    let first = || input.streams().map(|stream| stream.index()).find_map(is_video);
    found.and_then(is_video).or_else(first)
}

/// What one pass over the packets gathers.
struct Survey {
    stream: usize,
    codec: Id,
    clock: Clock,
    instants: Instants,
    sampler: Sampler<At>,
    /// The keyframe before the last packet, and the one before that.
    keys: (Option<Key>, Option<Key>),
    packets: u64,
    /// Whether every packet has a time of presentation and the first is a keyframe.
    timed: bool,
    /// Where the last frame ends, if its packet says how long it is shown.
    end: Option<(i64, bool)>,
    complete: bool,
}

impl Survey {
    fn new(stream: usize, codec: Id, clock: Clock, instants: Instants) -> Self {
        Self {
            stream,
            codec,
            clock,
            instants,
            sampler: Sampler::new(instants),
            keys: (None, None),
            packets: 0,
            timed: true,
            end: None,
            complete: false,
        }
    }

    fn read(&mut self, opened: &mut Opened) -> Result<(), Error> {
        loop {
            // A new packet each time: reading into a used one does not free what it held.
            let mut packet = Packet::empty();
            match packet.read(opened.input_mut()) {
                Ok(()) if packet.stream() == self.stream => self.add(&packet),
                Ok(()) => {}
                Err(error) => {
                    self.complete = error == ffmpeg_next::Error::Eof;
                    return opened.check();
                }
            }
        }
    }

    fn add(&mut self, packet: &Packet) {
        let ordinal = self.packets;
        self.packets += 1;
        let Some(pts) = packet.pts() else {
            self.timed = false;
            return;
        };
        if packet.is_key() && is_entry(self.codec, packet.data().unwrap_or_default()) {
            let position = i64::try_from(packet.position()).unwrap_or(-1);
            let key = Key { pts, dts: packet.dts().unwrap_or(pts), ordinal, position };
            self.keys = (Some(key), self.keys.0);
        }
        // Pictures that lead a keyframe but are shown before it stand on the keyframe before.
        let key = match self.keys {
            (Some(key), Some(before)) if pts < key.pts => before,
            (Some(key), _) => key,
            (None, _) => {
                self.timed = false;
                return;
            }
        };
        if raw::is_hidden(packet) {
            return;
        }
        let duration = packet.duration().max(0);
        let end = pts.saturating_add(duration);
        if self.end.is_none_or(|(known, _)| end >= known) {
            self.end = Some((end, duration > 0));
        }
        self.sampler.offer(pts, self.clock.time(pts), At { pts, ordinal, key });
    }

    fn finish(
        mut self,
        mime: MimeType,
        opened: &Opened,
        options: &PlanOptions,
    ) -> Result<Warned<Plan>, Error> {
        if self.packets == 0 {
            return Err(opened.malformed("the video track has no packets"));
        }
        let mut warnings = Vec::new();
        if let Some(short) = self.shortened().filter(|_| self.timed) {
            if !options.allow_truncated {
                return Err(opened.malformed(
                    "the frames end before the stated length: the file is cut or states a wrong length",
                ));
            }
            let (found, asked) = (short.count(), self.instants.count());
            let message = format!("frames for {found} of {asked} instants; the rest is missing");
            warnings.push(Warning::new(WarningCode::Damaged, message));
            self.instants = short;
        }
        let work = if self.timed { Work::Packets(self.shots()) } else { Work::Everything };
        let Self { stream, clock, instants, .. } = self;
        let plan = Plan { mime, stream, clock, instants, work };
        Ok(Warned { value: plan, warnings })
    }

    /// The instants that frames exist for, where the frames end well before the last one.
    fn shortened(&self) -> Option<Instants> {
        let (end, stated) = self.end?;
        let time = self.clock.time(end);
        let rate = self.instants.rate();
        let step = Duration::new(u64::from(rate.denominator()), rate.numerator())?;
        let slack = step.max(Duration::from_seconds(1));
        let last = self.instants.at(self.instants.count().checked_sub(1)?);
        let is_guess = !stated && self.complete;
        if is_guess || !time.is_behind(last, slack) {
            return None;
        }
        let mut count = self.instants.count();
        let (mut low, mut high) = (1, count);
        while low < high {
            let middle = low + (high - low) / 2;
            // The instant itself is covered as long as the frames do not end before it.
            if time.is_behind(self.instants.at(middle), Duration::ZERO) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        count = count.min(low);
        Some(Instants::new(self.instants.start(), rate, count))
    }

    /// The frames that are taken, each once, in the order of their packets.
    fn shots(&mut self) -> Vec<Shot> {
        let sampler = std::mem::replace(&mut self.sampler, Sampler::new(self.instants));
        let shown = sampler.finish();
        let kept = usize::try_from(self.instants.count()).unwrap_or(usize::MAX);
        let mut shots: Vec<Shot> = Vec::new();
        for (at, packet) in shown.into_iter().take(kept).enumerate() {
            match shots.last_mut() {
                Some(shot) if shot.packet == packet => shot.count += 1,
                _ => shots.push(Shot { packet, first: at as u64, count: 1 }),
            }
        }
        shots.sort_by_key(|shot| shot.packet.ordinal);
        shots
    }
}
