//! When a video is looked at, and which frame is shown then: integers only.

use mediaprep_media::{Duration, FrameRate};

/// The instants `start`, `start + 1 / rate`, `start + 2 / rate` … on the clock of a video, each an
/// exact fraction, so that no number of hours makes them drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instants {
    start: Duration,
    rate: FrameRate,
    count: u64,
}

impl Instants {
    /// `count` instants from `start` on.
    pub const fn new(start: Duration, rate: FrameRate, count: u64) -> Self {
        Self { start, rate, count }
    }

    /// Every instant in `start..end`; at least one.
    ///
    /// ```
    /// use mediaprep_media::{Duration, FrameRate};
    /// use mediaprep_video::Instants;
    ///
    /// let half = FrameRate::new(1, 2).unwrap();
    /// let instants = Instants::spanning(Duration::ZERO, Duration::from_seconds(5), half);
    /// let seconds: Vec<_> = (0..instants.count()).map(|k| instants.at(k).whole_seconds()).collect();
    /// assert_eq!(seconds, [0, 2, 4]);
    /// ```
    pub fn spanning(start: Duration, end: Duration, rate: FrameRate) -> Self {
        let length = end.saturating_sub(start);
        let top = u128::from(length.ticks()) * u128::from(rate.numerator());
        let bottom = u128::from(length.timescale()) * u128::from(rate.denominator());
        let count = u64::try_from(top.div_ceil(bottom)).unwrap_or(u64::MAX).max(1);
        Self { start, rate, count }
    }

    /// How many instants there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first instant.
    pub const fn start(&self) -> Duration {
        self.start
    }

    /// Instants a second.
    pub const fn rate(&self) -> FrameRate {
        self.rate
    }

    /// The instant of the given number, from 0.
    pub fn at(&self, index: u64) -> Duration {
        let (numerator, denominator) = (u128::from(self.rate.numerator()), self.rate.denominator());
        let scale = u128::from(self.start.timescale());
        let steps = u128::from(index) * u128::from(denominator);
        let ticks = u128::from(self.start.ticks()) * numerator;
        Duration::from_fraction(
            ticks.saturating_add(steps.saturating_mul(scale)),
            scale * numerator,
        )
    }
}

#[cfg(any(test, feature = "ffmpeg"))]
impl Instants {
    /// The number of the first instant that is not before `time`; `None` when that is the last one
    /// or a later.
    fn first_from(&self, time: Time) -> Option<u64> {
        let (start, scale) = (i128::from(self.start.ticks()), i128::from(self.start.timescale()));
        let ahead = time.ticks.checked_mul(scale)?.checked_sub(start.checked_mul(time.scale)?)?;
        let top = ahead.checked_mul(i128::from(self.rate.numerator()))?;
        let bottom = time.scale.checked_mul(scale)?;
        let bottom = bottom.checked_mul(i128::from(self.rate.denominator()))?;
        let index = top.div_euclid(bottom) + i128::from(top.rem_euclid(bottom) != 0);
        u64::try_from(index.max(0)).ok().filter(|&index| index < self.count)
    }
}

/// A point on the clock of a video: `ticks / scale` seconds, before its start when negative.
#[cfg(any(test, feature = "ffmpeg"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) ticks: i128,
    /// Above zero.
    pub(crate) scale: i128,
}

#[cfg(any(test, feature = "ffmpeg"))]
impl Time {
    /// Whether it is `by` or more before `other`.
    pub(crate) fn is_behind(self, other: Duration, by: Duration) -> bool {
        let sum = |time: Duration, scale: i128| {
            i128::from(time.ticks()).checked_mul(scale).unwrap_or(i128::MAX)
        };
        let (a, b) = (i128::from(other.timescale()), i128::from(by.timescale()));
        let (Some(common), Some(left)) =
            (a.checked_mul(b).and_then(|ab| ab.checked_mul(self.scale)), self.ticks.checked_mul(a))
        else {
            return false;
        };
        let Some(left) = left.checked_mul(b) else { return false };
        let other = sum(other, common / a);
        let by = sum(by, common / b);
        left.saturating_add(by) <= other
    }
}

/// Finds the frame that is shown at each instant: the last one whose time is not after it. Frames
/// may be offered in any order, so in that of decoding too; what is held is one frame an instant.
///
/// Where no frame is shown yet, the first one is taken.
#[cfg(any(test, feature = "ffmpeg"))]
#[derive(Debug)]
pub(crate) struct Sampler<T> {
    instants: Instants,
    /// The latest frame between an instant and the one before it.
    latest: Vec<Option<(i64, T)>>,
    first: Option<(i64, T)>,
}

#[cfg(any(test, feature = "ffmpeg"))]
impl<T: Copy> Sampler<T> {
    /// The caller has checked the number of instants against its limits.
    pub(crate) fn new(instants: Instants) -> Self {
        Self { instants, latest: Vec::new(), first: None }
    }

    /// Offers a frame that is shown from `pts` on, which is `time` on the video's clock.
    pub(crate) fn offer(&mut self, pts: i64, time: Time, frame: T) {
        if self.first.is_none_or(|(first, _)| pts < first) {
            self.first = Some((pts, frame));
        }
        let Some(at) = self.instants.first_from(time) else { return };
        let Ok(at) = usize::try_from(at) else { return };
        if at >= self.latest.len() {
            self.latest.resize(at + 1, None);
        }
        if self.latest[at].is_none_or(|(known, _)| pts >= known) {
            self.latest[at] = Some((pts, frame));
        }
    }

    /// The frame of every instant; empty when none was offered.
    pub(crate) fn finish(self) -> Vec<T> {
        let Some((_, mut shown)) = self.first else { return Vec::new() };
        let count = usize::try_from(self.instants.count).unwrap_or(usize::MAX);
        let mut frames = Vec::with_capacity(count.min(self.latest.len().max(1024)));
        for at in 0..count {
            if let Some(Some((_, frame))) = self.latest.get(at) {
                shown = *frame;
            }
            frames.push(shown);
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(numerator: u32, denominator: u32) -> FrameRate {
        FrameRate::new(numerator, denominator).unwrap()
    }

    fn shown(instants: Instants, times: &[i64], scale: i128) -> Vec<i64> {
        let mut sampler = Sampler::new(instants);
        for &pts in times {
            sampler.offer(pts, Time { ticks: i128::from(pts), scale }, pts);
        }
        sampler.finish()
    }

    #[test]
    fn hours_of_broadcast_frames_do_not_drift() {
        // 30000/1001 frames a second in their usual ticks: frame n is shown from 1001 n on.
        let times: Vec<i64> = (0..3600 * 30).map(|n| n * 1001).collect();
        let instants = Instants::new(Duration::ZERO, FrameRate::ONE, 3600);
        for (second, pts) in shown(instants, &times, 30_000).into_iter().enumerate() {
            let second = i64::try_from(second).unwrap();
            assert_eq!(pts, second * 30_000 / 1001 * 1001, "second {second}");
        }
    }

    #[test]
    fn before_the_first_frame_the_first_is_shown_and_after_the_last_the_last() {
        let instants = Instants::new(Duration::ZERO, FrameRate::ONE, 5);
        assert_eq!(shown(instants, &[3000, 1500], 1000), [1500, 1500, 1500, 3000, 3000]);
        assert_eq!(shown(instants, &[], 1000), [0i64; 0]);
        assert_eq!(shown(instants, &[-500, 0, 1000], 1000), [0, 1000, 1000, 1000, 1000]);
    }

    #[test]
    fn being_behind_is_measured_exactly() {
        let time = Time { ticks: 59, scale: 1 };
        let minute = Duration::from_seconds(60);
        assert!(time.is_behind(minute, Duration::from_seconds(1)));
        assert!(!time.is_behind(minute, Duration::new(1001, 1000).unwrap()));
    }

    proptest! {
        #[test]
        fn every_instant_shows_the_last_frame_not_after_it(
            mut times in proptest::collection::vec(-50i64..5000, 1..60),
            start in 0u64..2000,
            numerator in 1u32..24,
            denominator in 1u32..5,
            count in 1u64..60,
        ) {
            times.sort_unstable();
            times.dedup();
            let start = Duration::new(start, 700).unwrap();
            let instants = Instants::new(start, rate(numerator, denominator), count);
            let mut shuffled = times.clone();
            shuffled.reverse();
            let found = shown(instants, &shuffled, 1000);
            prop_assert_eq!(found.len() as u64, count);
            for (at, found) in found.into_iter().enumerate() {
                let instant = instants.at(at as u64);
                let limit = u128::from(instant.ticks()) * 1000 / u128::from(instant.timescale());
                let limit = i64::try_from(limit).unwrap();
                let wanted = times.iter().rev().find(|&&pts| pts <= limit).unwrap_or(&times[0]);
                prop_assert_eq!(found, *wanted);
            }
        }
    }
}
