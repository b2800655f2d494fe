//! From packets to mono at the wanted rate: the sound is cut to the length that its file defines,
//! placed in the container's time, resampled, and cut to the wanted window.

use mediaprep_media::{Duration, Error, MimeType, Source, Warned, Warning, WarningCode, Watch};

use super::PcmOptions;
use super::decode::{self, Decoder, Lead, Step};
use super::plan::{Delay, Plan};
use super::resample::{Each, Resampler};
use super::shared::Shared;
use crate::info::INTERRUPTED;

/// Sampling rates that may be asked for.
const RATES: std::ops::RangeInclusive<u32> = 4000..=192_000;
/// Samples of silence that are made at once.
const SILENCE: usize = 4096;

/// See [`decode_mono`](crate::decode_mono).
pub(crate) fn decode(
    source: Box<dyn Source>,
    (mime, track): (MimeType, Option<u64>),
    options: &PcmOptions,
    watch: &Watch,
    each: Each<'_>,
) -> Result<Warned<u64>, Error> {
    if !RATES.contains(&options.sample_rate) {
        return Err(Error::Unsupported("an output rate below 4 kHz or above 192 kHz"));
    }
    watch.check()?;
    let source = Shared::new(source)?;
    let plan = Plan::of(&source, mime, track, &options.limits)?;
    let mut flow = Flow::new(options, &plan);
    flow.note(plan.damage.as_ref())?;
    let first = decode::open(&source, &plan, watch)?;
    let mut ended = flow.run(first, watch, each)?;
    if ended != Ended::Done
        && let Some(second) = decode::second(&source, &plan, watch)
    {
        // What was heard so far is decoded again, and passed over.
        flow.skip = flow.heard;
        flow.final_try = true;
        ended = match second {
            Ok(second) => flow.run(second, watch, each)?,
            Err(Error::Malformed { reason, .. }) => Ended::Broken(reason),
            Err(error) => return Err(error),
        };
    }
    if let Ended::Broken(reason) = ended {
        flow.damaged(reason)?;
    }
    flow.finish(each)
}

/// How a decoder came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// With all that is wanted, or with nothing more to be had.
    Done,
    /// Before the length that the file defines.
    Early,
    /// With something that it cannot read.
    Broken(&'static str),
}

/// The sound on its way.
struct Flow<'a> {
    options: &'a PcmOptions,
    plan: &'a Plan,
    window: Window,
    resampler: Option<Resampler>,
    rate: u32,
    /// Samples that are still to come from the decoder, where the file defines its length.
    left: Option<u64>,
    /// Samples that came from decoders.
    heard: u64,
    /// Samples of the decoder's that are passed over.
    skip: u64,
    /// Whether no other decoder is left.
    final_try: bool,
    warnings: Vec<Warning>,
}

impl<'a> Flow<'a> {
    fn new(options: &'a PcmOptions, plan: &'a Plan) -> Self {
        let rate = options.sample_rate;
        let last = options.end.map(|end| samples_before(end, rate));
        let window = Window { first: samples_before(options.start, rate), last, at: 0, given: 0 };
        Self {
            options,
            plan,
            window,
            resampler: None,
            rate: 0,
            left: None,
            heard: 0,
            skip: 0,
            final_try: !decode::has_second(plan),
            warnings: Vec::new(),
        }
    }

    /// Nothing more is wanted.
    fn is_done(&self) -> bool {
        self.left == Some(0) || self.window.is_done()
    }

    /// Gets ready for sound of a rate, with silence before the first of it.
    fn begin(&mut self, rate: u32, lead: impl Fn() -> Lead, each: Each<'_>) -> Result<(), Error> {
        if self.rate == rate {
            return Ok(());
        }
        let next = Resampler::new(rate, self.options.sample_rate)?;
        if let Some(last) = self.resampler.replace(next) {
            // Another sound follows in the same file, and the file's length counts both.
            self.rate = rate;
            self.left = None;
            let window = &mut self.window;
            return last.finish(&mut |block| window.pass(block, each));
        }
        self.rate = rate;
        self.left = self.plan.expected.map(|length| nearest(length, rate));
        let lead = lead();
        let delay = match self.plan.delay {
            Delay::Known(delay) => nearest(delay, rate),
            Delay::InPackets => lead.packet,
        };
        self.silence(delay, each)?;
        self.fill(lead.missing, each)?;
        self.skip = lead.early;
        Ok(())
    }

    /// Takes all that a decoder gives.
    fn run(
        &mut self,
        mut decoder: Box<dyn Decoder>,
        watch: &Watch,
        each: Each<'_>,
    ) -> Result<Ended, Error> {
        let mut mono = Vec::new();
        while !self.is_done() {
            watch.check()?;
            mono.clear();
            match decoder.next(&mut mono) {
                Ok(Step::Sound(rate)) => {
                    self.begin(rate, || decoder.lead(), each)?;
                    self.push(&mono, each)?;
                }
                Ok(Step::Lost { reason, .. }) if self.may_switch() => {
                    return Ok(Ended::Broken(reason));
                }
                Ok(Step::Lost { samples, reason }) => self.lose(samples, reason, each)?,
                Ok(Step::End) => {
                    let early = self.left.is_some_and(|left| left > 0) || self.rate == 0;
                    return Ok(if early { Ended::Early } else { Ended::Done });
                }
                Err(Error::Malformed { reason, .. }) => return Ok(Ended::Broken(reason)),
                Err(error) => return Err(error),
            }
        }
        Ok(Ended::Done)
    }

    /// Whether the other decoder shall try what this one cannot decode: Symphonia gives up where MP3
    /// changes its channels. FLAC's checksums, however, are looked at by Symphonia alone.
    fn may_switch(&self) -> bool {
        !self.final_try && self.plan.codec == "mp3"
    }

    /// Sound of the decoder's.
    fn push(&mut self, mono: &[f32], each: Each<'_>) -> Result<(), Error> {
        let skipped = usize::try_from(self.skip).map_or(mono.len(), |skip| skip.min(mono.len()));
        self.skip -= skipped as u64;
        let mono = &mono[skipped..];
        let wanted = match self.left {
            Some(left) => usize::try_from(left).map_or(mono.len(), |left| left.min(mono.len())),
            None => mono.len(),
        };
        self.left = self.left.map(|left| left - wanted as u64);
        self.heard += wanted as u64;
        self.pass(&mono[..wanted], each)
    }

    /// Silence in place of sound that is missing.
    fn fill(&mut self, samples: u64, each: Each<'_>) -> Result<(), Error> {
        let block = [0.0; SILENCE];
        let mut left = samples;
        while left > 0 && !self.is_done() {
            let count = usize::try_from(left).map_or(SILENCE, |left| left.min(SILENCE));
            self.push(&block[..count], each)?;
            left -= count as u64;
        }
        Ok(())
    }

    /// Silence that takes none of the expected samples.
    fn silence(&mut self, samples: u64, each: Each<'_>) -> Result<(), Error> {
        let length = Duration::new(samples, self.rate).unwrap_or(Duration::ZERO);
        self.options.limits.check_duration(length)?;
        let block = [0.0; SILENCE];
        let mut left = samples;
        while left > 0 && !self.window.is_done() {
            let count = usize::try_from(left).map_or(SILENCE, |left| left.min(SILENCE));
            self.pass(&block[..count], each)?;
            left -= count as u64;
        }
        Ok(())
    }

    fn pass(&mut self, mono: &[f32], each: Each<'_>) -> Result<(), Error> {
        let Some(resampler) = &mut self.resampler else { return Ok(()) };
        let window = &mut self.window;
        resampler.push(mono, &mut |block| window.pass(block, each))?;
        let so_far = Duration::new(window.at, self.options.sample_rate);
        Ok(self.options.limits.check_duration(so_far.unwrap_or(Duration::ZERO))?)
    }

    /// A packet that gives nothing. Silence stands in for it, so that what follows keeps its time.
    fn lose(&mut self, samples: u32, reason: &'static str, each: Each<'_>) -> Result<(), Error> {
        const LONGEST: u32 = 1 << 16;
        if self.rate == 0 {
            // A stream that is joined in its middle begins with a rest that nothing decodes.
            self.warn(reason);
            return Ok(());
        }
        self.damaged(reason)?;
        self.fill(samples.min(LONGEST).into(), each)
    }

    /// What the probe noticed. Frames with something between them are decoded all the same.
    fn note(&mut self, found: Option<&Warning>) -> Result<(), Error> {
        match found {
            Some(warning) if warning.message == INTERRUPTED => self.warn(INTERRUPTED),
            Some(warning) => self.damaged(&warning.message)?,
            None => {}
        }
        Ok(())
    }

    /// Refuses damage, or says once that there is some.
    fn damaged(&mut self, reason: &str) -> Result<(), Error> {
        if !self.options.allow_truncated {
            return Err(Error::malformed("sound", 0, "it is damaged or cut"));
        }
        self.warn(reason);
        Ok(())
    }

    fn warn(&mut self, reason: &str) {
        if self.warnings.is_empty() {
            self.warnings.push(Warning::new(WarningCode::Damaged, reason.to_owned()));
        }
    }

    fn finish(mut self, each: Each<'_>) -> Result<Warned<u64>, Error> {
        let expected = self.plan.expected.is_some_and(|length| !length.is_zero());
        let missing = match self.left {
            Some(left) if !self.window.is_done() => left,
            None if self.rate == 0 && expected && !self.window.is_done() => u64::MAX,
            _ => 0,
        };
        if missing > 0 && missing <= self.plan.slack() {
            self.fill(missing, each)?;
        } else if missing > 0 {
            self.damaged("the sound ends before its stated length")?;
        }
        let window = &mut self.window;
        if let Some(resampler) = self.resampler.take() {
            resampler.finish(&mut |block| window.pass(block, each))?;
        }
        if self.window.given == 0 {
            let empty = "there is no sound in the file or in the wanted part of it";
            self.warnings.push(Warning::new(WarningCode::EmptyAudio, empty));
        }
        Ok(Warned { value: self.window.given, warnings: self.warnings })
    }
}

/// The wanted part of the output, in its samples.
struct Window {
    first: u64,
    last: Option<u64>,
    /// Samples that came by.
    at: u64,
    /// Samples that were passed on.
    given: u64,
}

impl Window {
    fn is_done(&self) -> bool {
        self.last.is_some_and(|last| self.at >= last || self.first >= last)
    }

    fn pass(&mut self, block: &[f32], each: Each<'_>) -> Result<(), Error> {
        let length = block.len() as u64;
        let begin = self.first.saturating_sub(self.at).min(length);
        let end = self.last.map_or(length, |last| last.saturating_sub(self.at).min(length));
        self.at += length;
        if begin >= end {
            return Ok(());
        }
        self.given += end - begin;
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(block.len());
        each(&block[within(begin)..within(end)])
    }
}

/// How many samples have their instant before `time`: the number of the first that has not.
pub(crate) fn samples_before(time: Duration, rate: u32) -> u64 {
    let scaled = u128::from(time.ticks()) * u128::from(rate);
    u64::try_from(scaled.div_ceil(u128::from(time.timescale()))).unwrap_or(u64::MAX)
}

/// The number of samples that a length means.
fn nearest(time: Duration, rate: u32) -> u64 {
    let scale = u128::from(time.timescale());
    let scaled = (u128::from(time.ticks()) * u128::from(rate) + scale / 2) / scale;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
