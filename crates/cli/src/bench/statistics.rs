//! What a handful of samples says, and whether two handfuls differ. Pure functions.
//!
//! - The middle of a run is the median: one disturbed sample does not move it.
//! - Its interval goes from one sample to another (order statistics), so it assumes nothing about how
//!   samples are spread. It is the narrowest with a confidence of 95 % or more; fewer than six samples
//!   do not reach that, and give the widest there is with what confidence it has: 94 % for five.
//! - The interval of a ratio of two medians is a bootstrap: both runs are drawn anew from their own
//!   samples, always with the same random numbers, so that the same samples give the same answer.
//! - A difference is only called one when the interval of the ratio leaves 1 out, and when it is larger
//!   than the noise: the mean distance of a run's samples from their median.
//!
//! Simulated runs without a difference, of 3 to 15 samples of several kinds of noise, are called
//! different in fewer than one of ten cases for three samples, and of twenty from five on; a test
//! holds that.

use serde::{Deserialize, Serialize};

/// Fewer samples say nothing.
pub(crate) const FEWEST: usize = 3;
/// More are a typing error, or a file from elsewhere.
pub(crate) const MOST: usize = 1000;
/// How often the runs are drawn anew.
const DRAWS: usize = 2000;
/// Where the random numbers begin.
const SEED: u64 = 0x6d65_6469_6170_7265;
/// What an interval leaves out, on both sides together.
const OUTSIDE: f64 = 0.05;

/// Where the median of more such samples would lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Interval {
    /// The smallest that is likely.
    pub(crate) low: f64,
    /// The largest that is likely.
    pub(crate) high: f64,
    /// How likely it is that it lies between them, 0 to 1.
    pub(crate) confidence: f64,
}

/// How one clock changed from one run to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// The new median over the old one.
    pub(crate) ratio: f64,
    /// The smallest that is likely.
    pub(crate) low: f64,
    /// The largest that is likely.
    pub(crate) high: f64,
    /// Changes up to this share are not told from noise.
    pub(crate) noise: f64,
    /// What that comes to.
    pub(crate) verdict: Verdict,
}

/// Whether a run was another one's equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// It took less.
    #[serde(rename = "faster")]
    Faster,
    /// It took more.
    #[serde(rename = "slower")]
    Slower,
    /// Nothing that could not be chance.
    #[serde(rename = "no difference")]
    Same,
}

impl Verdict {
    /// As it is printed.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Same => "no difference",
        }
    }
}

/// The middle sample, or the mean of the two in the middle; `None` without samples.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    middle(&sorted(samples))
}

/// The same of samples in ascending order.
fn middle(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(lower + (upper - lower) / 2.0)
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The interval of the median; `None` without samples.
pub(crate) fn interval(samples: &[f64]) -> Option<Interval> {
    let sorted = sorted(samples);
    let count = sorted.len();
    // The chance that so many samples or fewer lie below the true median: a coin's tosses.
    let mut chance = 0.5f64.powi(i32::try_from(count).ok()?);
    let (mut below, mut place, mut confidence) = (chance, 0, 1.0 - 2.0 * chance);
    for next in 1..count.div_ceil(2) {
        chance *= (count - next + 1) as f64 / next as f64;
        below += chance;
        if 2.0 * below > OUTSIDE {
            break;
        }
        (place, confidence) = (next, 1.0 - 2.0 * below);
    }
    let (low, high) = (*sorted.get(place)?, *sorted.get(count - 1 - place)?);
    Some(Interval { low, high, confidence: confidence.max(0.0) })
}

/// The mean distance of samples from their median, as a share of it. It is a little larger for few
/// samples, whose own median lies too close to them.
pub(crate) fn noise(samples: &[f64]) -> Option<f64> {
    let middle = median(samples).filter(|&middle| middle > 0.0)?;
    let distances: f64 = samples.iter().map(|sample| (sample - middle).abs()).sum();
    let others = samples.len().checked_sub(1).filter(|&others| others > 0)?;
    Some(distances / others as f64 / middle)
}

/// How `now` compares with `before`, where changes up to the share `least` are never called one.
/// `None` where a run has too few samples or one that is no time.
pub(crate) fn ratio(before: &[f64], now: &[f64], least: f64) -> Option<Ratio> {
    let is_time = |sample: &f64| sample.is_finite() && *sample > 0.0;
    let usable = |run: &[f64]| (FEWEST..=MOST).contains(&run.len()) && run.iter().all(is_time);
    if !usable(before) || !usable(now) {
        return None;
    }
    let ratio = median(now)? / median(before)?;
    let drawn = draws(before, now);
    // What is drawn seldom goes as far as the runs' own ratio only where samples are very few.
    let low = percentile(&drawn, OUTSIDE / 2.0)?.min(ratio);
    let high = percentile(&drawn, 1.0 - OUTSIDE / 2.0)?.max(ratio);
    let noise = noise(before)?.max(noise(now)?).max(least);
    let clear = ratio.max(1.0 / ratio) > 1.0 + noise;
    let verdict = match clear {
        true if low > 1.0 => Verdict::Slower,
        true if high < 1.0 => Verdict::Faster,
        _ => Verdict::Same,
    };
    Some(Ratio { ratio, low, high, noise, verdict })
}

/// Ratios of the medians of runs that are drawn from the samples, in ascending order.
fn draws(before: &[f64], now: &[f64]) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut drawn = vec![0.0; before.len().max(now.len())];
    let mut draw = |samples: &[f64]| {
        let drawn = &mut drawn[..samples.len()];
        drawn.fill_with(|| samples[random.usize(..samples.len())]);
        drawn.sort_unstable_by(f64::total_cmp);
        middle(drawn).unwrap_or(f64::NAN)
    };
    let mut ratios: Vec<f64> = (0..DRAWS).map(|_| draw(now) / draw(before)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios
}

/// The value below which the given share of ascending values lies.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(clippy::cast_possible_truncation, reason = "a share of a small length")]
    #[expect(clippy::cast_sign_loss, reason = "shares are not negative")]
    let place = (share * last as f64).round() as usize;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests;
