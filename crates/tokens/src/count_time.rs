//! Counting what lasts: sounds, frames with their timestamps, and soundtracks.

use mediaprep_media::{Duration, FrameRate, Modality};

use crate::count::{Bound, Evidence, ItemCount, TokenCount};
use crate::count_item::{CountError, Place, Reasons};
use crate::evidence::{Doubt, Doubts, Judge};
use crate::facts::{AudioFacts, Clip, VideoFacts};
use crate::formula::Shape;
use crate::formula::time::frames_in_first_hour;
use crate::row::{FrameRule, Length, SoundRule, SoundtrackRule, TimestampRule, VideoRule};

pub(crate) fn count_audio(
    rule: &SoundRule,
    audio: &AudioFacts,
    place: Place,
    judge: Judge,
) -> Result<(ItemCount, Reasons), CountError> {
    let (length, mut doubts) = audio.length(rule.from)?;
    doubts.note(Doubt::FunctionResponse, place.in_function_response);
    let (media, doubts) = charge_sound(rule, length, doubts, judge);
    let count = ItemCount { media, caused_by: Modality::Audio, soundtrack: None, frames: None };
    Ok((count, Reasons { media: doubts, soundtrack: Doubts::NONE }))
}

fn charge_sound(
    rule: &SoundRule,
    length: Duration,
    mut doubts: Doubts,
    judge: Judge,
) -> (TokenCount, Doubts) {
    doubts.note(Doubt::Empty, length.is_zero());
    let rounded = rule.rounding.matters(rule.per_second, length);
    doubts.note(Doubt::Rounding, rounded && rule.rounding_evidence == Evidence::Inferred);
    let base = if rounded {
        rule.basis.evidence.weakest(rule.rounding_evidence)
    } else {
        rule.basis.evidence
    };
    let count = TokenCount {
        tokens: rule.rounding.tokens(rule.per_second, length),
        bound: Bound::Exact,
        reported_as: Modality::Audio,
        evidence: judge.evidence(base, doubts),
    };
    (count, doubts)
}

pub(crate) fn count_video(
    rule: &VideoRule,
    video: &VideoFacts,
    fps: FrameRate,
    place: Place,
    judge: Judge,
) -> Result<(ItemCount, Reasons), CountError> {
    let sampled = rule.frames.sample(video, fps)?;
    let (media, media_doubts) = charge_frames(rule, video, &sampled, place, judge);
    let mut reasons = Reasons { media: media_doubts, soundtrack: Doubts::NONE };
    let mut soundtrack = None;
    if let Some(sound) = &rule.soundtrack {
        let (mut count, mut doubts) = sound.charge(video, judge)?;
        doubts.note(Doubt::FunctionResponse, place.in_function_response);
        count.evidence = judge.evidence(count.evidence, doubts);
        reasons.soundtrack = doubts;
        soundtrack = Some(count);
    }
    let count =
        ItemCount { media, caused_by: Modality::Video, soundtrack, frames: Some(sampled.frames) };
    Ok((count, reasons))
}

/// The frames of a video and the arithmetic behind them.
pub(crate) struct Sampled {
    pub(crate) frames: u64,
    pub(crate) length: Duration,
    pub(crate) start: Duration,
    pub(crate) fps: FrameRate,
    pub(crate) rounded: bool,
    pub(crate) doubts: Doubts,
}

impl FrameRule {
    pub(crate) fn sample(&self, video: &VideoFacts, fps: FrameRate) -> Result<Sampled, CountError> {
        let (whole, mut doubts) = video.length(self.from)?;
        let (start, mut length) = window(whole, video.clip);
        if let Some(seconds) = self.first_seconds {
            length = length.min(Duration::from_seconds(u64::from(seconds)));
        }
        let raw = self.rounding.frames(length, fps);
        let frames = raw.max(u64::from(self.min));
        let rounded = frames != raw || self.rounding.matters(length, fps);
        doubts.note(Doubt::Rounding, rounded && self.basis.evidence == Evidence::Inferred);
        doubts.note(Doubt::Clip, video.clip != Clip::default());
        Ok(Sampled { frames, length, start, fps, rounded, doubts })
    }
}

/// The window's start and length within a video of the given length.
fn window(whole: Duration, clip: Clip) -> (Duration, Duration) {
    let start = clip.start.unwrap_or(Duration::ZERO).min(whole);
    let end = clip.end.unwrap_or(whole).min(whole);
    (start, end.saturating_sub(start))
}

fn charge_frames(
    rule: &VideoRule,
    video: &VideoFacts,
    sampled: &Sampled,
    place: Place,
    judge: Judge,
) -> (TokenCount, Doubts) {
    let shape = Shape::new(video.size.width(), video.size.height());
    let chosen = rule.frame.choose(Place { several: false, ..place }, shape);
    let charge = chosen.figure.formula.charge(shape);
    let (stamps, stamp_evidence) = rule.timestamp.charge(sampled);
    let doubts = chosen.doubts.and(charge.doubts).and(sampled.doubts);
    let mut base = chosen.evidence.weakest(stamp_evidence);
    if sampled.rounded {
        base = base.weakest(rule.frames.basis.evidence);
    }
    let count = TokenCount {
        tokens: sampled.frames.saturating_mul(charge.tokens).saturating_add(stamps),
        bound: charge.bound,
        reported_as: rule.frame.reported_as,
        evidence: judge.evidence(base, doubts),
    };
    (count, doubts)
}

impl TimestampRule {
    /// Tokens of all the timestamps and what they rest on.
    fn charge(&self, sampled: &Sampled) -> (u64, Evidence) {
        let (first_hour, later) = self.figures(sampled.fps);
        let early = frames_in_first_hour(sampled.frames, sampled.fps, sampled.start);
        let late = sampled.frames - early;
        let tokens = early
            .saturating_mul(u64::from(first_hour))
            .saturating_add(late.saturating_mul(u64::from(later)));
        let evidence = if late > 0 {
            self.basis.evidence.weakest(self.later_evidence)
        } else {
            self.basis.evidence
        };
        (tokens, evidence)
    }

    /// The figures of the first hour and after it at a sampling rate.
    pub(crate) const fn figures(&self, fps: FrameRate) -> (u32, u32) {
        if fps.is_above(FrameRate::ONE) {
            (self.first_hour_above_one_fps, self.later_above_one_fps)
        } else {
            (self.first_hour, self.later)
        }
    }
}

impl SoundtrackRule {
    /// The length of sound that is charged; `None` where silence is free. A video without a
    /// soundtrack may be charged all the same, and where its frames then span another length than
    /// the track shows, it is an inference which of the two counts.
    pub(crate) fn charged_length(
        &self,
        video: &VideoFacts,
    ) -> Result<Option<(Duration, Doubts)>, CountError> {
        let from = match (video.audio, self.silent.charged_by) {
            (Some(_), _) => self.sound.from,
            (None, Some(from)) => from,
            (None, None) => return Ok(None),
        };
        let (whole, mut doubts) = video.length(from)?;
        let edited = video.track.is_some_and(|track| !nearly_equal(track, whole));
        doubts.note(Doubt::SilentForm, from == Length::Frames && edited);
        doubts.note(Doubt::Clip, video.clip != Clip::default());
        Ok(Some((window(whole, video.clip).1, doubts)))
    }

    fn charge(&self, video: &VideoFacts, judge: Judge) -> Result<(TokenCount, Doubts), CountError> {
        let silent = judge.evidence(self.silent.basis.evidence, Doubts::NONE);
        let (mut count, doubts) = match self.charged_length(video)? {
            Some((length, doubts)) => charge_sound(&self.sound, length, doubts, judge),
            None => (nothing(silent), Doubts::NONE),
        };
        if video.audio.is_none() {
            count.evidence = count.evidence.weakest(silent);
        }
        count.reported_as = self.reported_as;
        Ok((count, doubts))
    }
}

const fn nothing(evidence: Evidence) -> TokenCount {
    TokenCount { tokens: 0, bound: Bound::Exact, reported_as: Modality::Audio, evidence }
}

/// Whether two lengths differ by less than a millisecond, the precision to which they are stated.
fn nearly_equal(a: Duration, b: Duration) -> bool {
    let gap = a.max(b).saturating_sub(a.min(b));
    gap < Duration::from_micros(1000)
}

impl AudioFacts {
    /// The length a row charges by. When only another is known it stands in, with a doubt.
    pub(crate) fn length(&self, from: Length) -> Result<(Duration, Doubts), CountError> {
        let (wanted, other) = match from {
            Length::Container => (self.container, self.decoded),
            _ => (self.decoded, self.container),
        };
        stand_in(wanted, &[other], "length of the sound")
    }
}

impl VideoFacts {
    /// The length a row charges by. When only another is known it stands in, with a doubt.
    pub(crate) fn length(&self, from: Length) -> Result<(Duration, Doubts), CountError> {
        let (wanted, others) = match from {
            Length::Container => (self.container, [self.track, self.frame_span]),
            Length::VideoTrack | Length::Decoded => (self.track, [self.frame_span, self.container]),
            Length::AudioTrack => (self.audio, [self.track, self.container]),
            Length::Frames => (self.frame_span, [self.track, self.container]),
        };
        stand_in(wanted, &others, "length of the video")
    }
}

fn stand_in(
    wanted: Option<Duration>,
    others: &[Option<Duration>],
    fact: &'static str,
) -> Result<(Duration, Doubts), CountError> {
    if let Some(length) = wanted {
        return Ok((length, Doubts::NONE));
    }
    let mut doubts = Doubts::NONE;
    doubts.note(Doubt::OtherLength, true);
    let length = others.iter().flatten().next().ok_or(CountError::UnknownFact { fact })?;
    Ok((*length, doubts))
}
