//! Carrying a plan out: decoding what it names.

use std::ops::{ControlFlow, Range};

use ffmpeg_next::frame::Video;
use mediaprep_media::{
    Dimensions, Duration, Error, Limits, Raster, Source, Warned, Warning, WarningCode, Watch,
};

use super::convert::Converter;
use super::plan::{Plan, Run, Shot, Work, runs};
use super::walk::Walker;

/// How frames come out.
#[derive(Clone, Debug, Default)]
pub struct DecodeOptions {
    /// The size that frames are scaled to, before they are turned upright; `None` keeps the stored
    /// size, whatever the shape of its pixels.
    pub size: Option<Dimensions>,
    /// What is too much.
    pub limits: Limits,
}

/// One frame.
#[derive(Debug)]
pub struct Frame {
    /// The numbers of the instants that show it.
    pub instants: Range<u64>,
    /// Since when it is shown.
    pub time: Duration,
    /// Its pixels, as stored: not turned.
    pub raster: Raster,
}

/// Decodes the frames of a plan, in the order of their packets, and hands each to `each` once. The
/// pixels are those of a full decode. Memory holds one frame beside what the decoder keeps.
///
/// # Errors
///
/// [`Error::Malformed`] where nothing can be decoded, [`Error::Unsupported`] where FFmpeg has no
/// decoder, [`Error::Limit`] for too large frames, [`Error::Io`], and what the watch says.
pub fn decode(
    source: Box<dyn Source>,
    plan: &Plan,
    options: &DecodeOptions,
    watch: &Watch,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Warned<()>, Error> {
    let mut converter = Converter::new(options);
    let mut give = |wanted: &Wanted, pts: i64, frame: &Video| {
        let raster = converter.raster(frame)?;
        let time = plan.clock.shown_at(pts);
        Ok(each(Frame { instants: wanted.instants.clone(), time, raster }))
    };
    let warnings = walk(source, plan, &options.limits, watch, &mut give)?;
    Ok(Warned { value: (), warnings })
}

/// What is done with each taken frame.
pub(super) type Give<'a> =
    &'a mut dyn FnMut(&Wanted, i64, &Video) -> Result<ControlFlow<()>, Error>;

/// Instants that share a frame, and the last tick that the frame may begin at.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) latest: i64,
    pub(super) instants: Range<u64>,
}

/// Decodes a plan's frames without turning them into pixels.
pub(super) fn walk(
    source: Box<dyn Source>,
    plan: &Plan,
    limits: &Limits,
    watch: &Watch,
    give: Give<'_>,
) -> Result<Vec<Warning>, Error> {
    let mut walk =
        Walk { walker: Walker::open(source, plan, limits, watch)?, frame: Video::empty(), give };
    let missing = match &plan.work {
        Work::Everything => {
            let start = plan.clock.tick(Duration::ZERO);
            return walk.everything(&instants_of(plan), Some(start)).map(|_| walk.warnings(0));
        }
        Work::Packets(shots) => match walk.packets(shots)? {
            ControlFlow::Break(()) => return Ok(Vec::new()),
            ControlFlow::Continue(missing) => missing,
        },
    };
    let inexact = if missing.is_empty() { 0 } else { walk.again(missing)? };
    Ok(walk.warnings(inexact))
}

fn instants_of(plan: &Plan) -> Vec<Wanted> {
    let instants = plan.instants();
    let one = |at| Wanted { latest: plan.clock.tick(instants.at(at)), instants: at..at + 1 };
    (0..instants.count()).map(one).collect()
}

struct Walk<'a> {
    walker: Walker,
    frame: Video,
    give: Give<'a>,
}

/// Frames that did not come out, unless the receiver has had enough.
type Missing = ControlFlow<(), Vec<Shot>>;

impl Walk<'_> {
    fn warnings(&self, inexact: u64) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut add = |message: String| {
            warnings.push(Warning::new(WarningCode::Damaged, message));
        };
        if inexact > 0 {
            add(format!("{inexact} frames cannot be decoded; the ones before them stand in"));
        } else if self.walker.refused > 0 {
            add(format!("{} packets are damaged", self.walker.refused));
        }
        warnings
    }

    fn packets(&mut self, shots: &[Shot]) -> Result<Missing, Error> {
        let mut missing = Vec::new();
        for run in runs(shots) {
            match self.run(run)? {
                ControlFlow::Continue(left) => missing.extend(left),
                ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
            }
        }
        Ok(ControlFlow::Continue(missing))
    }

    /// Decodes from one keyframe on.
    fn run(&mut self, run: Run) -> Result<Missing, Error> {
        let (from, end, mut wanted) = (run.from, run.end(), run.shots);
        if !self.walker.go_to(from)? {
            return Ok(ControlFlow::Continue(wanted));
        }
        while let Some((ordinal, packet)) = self.walker.packet()? {
            let is_wanted = packet.pts().is_some_and(|pts| holds(&wanted, pts));
            self.walker.feed(&packet, is_wanted);
            if self.take(&mut wanted)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if ordinal >= end || wanted.is_empty() {
                break;
            }
        }
        if !wanted.is_empty() {
            self.walker.close();
            if self.take(&mut wanted)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(wanted))
    }

    /// Takes the wanted ones of the frames that are ready.
    fn take(&mut self, wanted: &mut Vec<Shot>) -> Result<ControlFlow<()>, Error> {
        while self.walker.frame(&mut self.frame) {
            let Some(pts) = self.frame.timestamp() else { continue };
            let Some(at) = wanted.iter().position(|shot| shot.packet.pts == pts) else { continue };
            let shot = wanted.remove(at);
            let flow = (self.give)(&shot.wanted(), pts, &self.frame)?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Looks for missing frames by decoding everything. How many were replaced by the frame before.
    fn again(&mut self, mut missing: Vec<Shot>) -> Result<u64, Error> {
        missing.sort_by_key(|shot| shot.packet.pts);
        self.walker.rewind()?;
        let wanted: Vec<Wanted> = missing.iter().map(Shot::wanted).collect();
        let taken = self.everything(&wanted, None)?;
        let inexact = missing.iter().zip(&taken).filter(|(shot, pts)| shot.packet.pts != **pts);
        Ok(inexact.count() as u64 + (missing.len().saturating_sub(taken.len())) as u64)
    }

    /// Decodes all frames and gives those that are shown at the wanted ticks, which ascend. The
    /// times of the frames that were given. With a `start`, the first frame is what begins there:
    /// packets without times of presentation leave the decoder late.
    fn everything(&mut self, wanted: &[Wanted], start: Option<i64>) -> Result<Vec<i64>, Error> {
        let mut shown = Shown { wanted, taken: Vec::new(), held: None, start, late: 0, step: 1 };
        let mut spare = Video::empty();
        loop {
            let packet = self.walker.packet()?;
            match &packet {
                Some((_, packet)) => self.walker.feed(packet, true),
                None => self.walker.close(),
            }
            while self.walker.frame(&mut spare) {
                let time = spare.timestamp();
                if shown.next(time, &mut spare, self.give)?.is_break() {
                    return Ok(shown.taken);
                }
            }
            if packet.is_none() {
                break;
            }
        }
        if shown.held.is_none() {
            return Err(self.walker.malformed("no frame of the video can be decoded"));
        }
        shown.rest(self.give)?;
        Ok(shown.taken)
    }
}

impl Shot {
    fn wanted(&self) -> Wanted {
        Wanted { latest: self.packet.pts, instants: self.first..self.first + self.count }
    }
}

fn holds(wanted: &[Shot], pts: i64) -> bool {
    wanted.iter().any(|shot| shot.packet.pts == pts)
}

/// Frames in the order of showing, of which those are given that are shown at wanted ticks.
struct Shown<'a> {
    wanted: &'a [Wanted],
    taken: Vec<i64>,
    /// The last frame and its time.
    held: Option<(i64, Video)>,
    /// Where the first frame begins, when its own time is not to be trusted.
    start: Option<i64>,
    /// From the last frame but one to the last, in ticks.
    step: i64,
    /// How much later frames say that they begin than they do.
    late: i64,
}

impl Shown<'_> {
    /// Takes in the next frame, leaving an old one in its place.
    fn next(
        &mut self,
        time: Option<i64>,
        frame: &mut Video,
        give: Give<'_>,
    ) -> Result<ControlFlow<()>, Error> {
        // A frame without a time follows the one before as that followed its own predecessor.
        let time = match (time, &self.held) {
            (Some(time), None) => {
                self.late = self.start.map_or(0, |start| time.saturating_sub(start));
                time.saturating_sub(self.late)
            }
            (Some(time), Some(_)) => time.saturating_sub(self.late),
            (None, held) => held.as_ref().map_or(0, |(held, _)| held.saturating_add(self.step)),
        };
        if self.held.as_ref().is_some_and(|(held, _)| time < *held) {
            return Ok(ControlFlow::Continue(()));
        }
        while self.wanted.get(self.taken.len()).is_some_and(|wanted| wanted.latest < time) {
            if self.held.is_none() || self.give_one(give)?.is_break() {
                break;
            }
        }
        if self.taken.len() == self.wanted.len() {
            return Ok(ControlFlow::Break(()));
        }
        match &mut self.held {
            Some((at, held)) => {
                self.step = time.saturating_sub(*at).max(1);
                *at = time;
                std::mem::swap(held, frame);
            }
            None => self.held = Some((time, std::mem::replace(frame, Video::empty()))),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn give_one(&mut self, give: Give<'_>) -> Result<ControlFlow<()>, Error> {
        let (Some(wanted), Some((time, frame))) = (self.wanted.get(self.taken.len()), &self.held)
        else {
            return Ok(ControlFlow::Break(()));
        };
        self.taken.push(*time);
        give(wanted, *time, frame)
    }

    /// The last frame is shown at all instants that are left.
    fn rest(&mut self, give: Give<'_>) -> Result<(), Error> {
        while self.taken.len() < self.wanted.len() {
            if self.give_one(give)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
