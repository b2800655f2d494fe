//! Frames, timestamps and sounds: section 4.6. Lengths and rates are fractions; products go
//! through `u128`.

use mediaprep_media::{Duration, FrameRate};
use serde::{Deserialize, Serialize};

/// How many frames a length gives at a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameRounding {
    /// `floor(d * fps)`.
    Down,
    /// `floor(d * fps + 1/2)`.
    Nearest,
    /// `ceil(d * fps)`.
    Up,
    /// `floor(d * fps) + 1`: samples at 0, 1/fps, 2/fps … up to and including the end.
    Inclusive,
}

impl FrameRounding {
    /// Frames, before the row's minimum.
    pub(crate) fn frames(self, length: Duration, rate: FrameRate) -> u64 {
        let (top, bottom) = product(length, rate);
        narrow(match self {
            Self::Down => top / bottom,
            Self::Nearest => (2 * top + bottom) / (2 * bottom),
            Self::Up => top.div_ceil(bottom),
            Self::Inclusive => top / bottom + 1,
        })
    }

    /// Whether the rounding has any effect on this length: a whole number of frames stays as it is,
    /// but the inclusive reading always adds one.
    pub(crate) fn matters(self, length: Duration, rate: FrameRate) -> bool {
        let (top, bottom) = product(length, rate);
        self == Self::Inclusive || !top.is_multiple_of(bottom)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Down => "rounded down",
            Self::Nearest => "rounded to nearest",
            Self::Up => "rounded up",
            Self::Inclusive => "rounded down, plus 1 for the frame at 0",
        }
    }
}

/// `length * rate` as a fraction; at most 2^96 over 2^64.
fn product(length: Duration, rate: FrameRate) -> (u128, u128) {
    let top = u128::from(length.ticks()) * u128::from(rate.numerator());
    let bottom = u128::from(length.timescale()) * u128::from(rate.denominator());
    (top, bottom)
}

/// How many tokens a sound's length gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SoundRounding {
    /// `rate * ceil(d)`.
    PerSecondUp,
    /// `rate * floor(d)`.
    PerSecondDown,
    /// `ceil(rate * d)`.
    TotalUp,
    /// `floor(rate * d)`.
    TotalDown,
    /// `floor(rate * d) + 1`.
    TotalIncl,
}

impl SoundRounding {
    /// Tokens for a sound; nothing for a sound without length, whatever the rounding.
    pub(crate) fn tokens(self, per_second: u32, length: Duration) -> u64 {
        if length.is_zero() {
            return 0;
        }
        let (ticks, scale) = (u128::from(length.ticks()), u128::from(length.timescale()));
        let rate = u128::from(per_second);
        narrow(match self {
            Self::PerSecondUp => rate * ticks.div_ceil(scale),
            Self::PerSecondDown => rate * (ticks / scale),
            Self::TotalUp => (rate * ticks).div_ceil(scale),
            Self::TotalDown => rate * ticks / scale,
            Self::TotalIncl => rate * ticks / scale + 1,
        })
    }

    /// Whether the rounding has any effect on this length.
    pub(crate) fn matters(self, per_second: u32, length: Duration) -> bool {
        let (ticks, scale) = (u128::from(length.ticks()), u128::from(length.timescale()));
        match self {
            Self::PerSecondUp | Self::PerSecondDown => !ticks.is_multiple_of(scale),
            Self::TotalUp | Self::TotalDown => {
                !(u128::from(per_second) * ticks).is_multiple_of(scale)
            }
            Self::TotalIncl => true,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::PerSecondUp => "per started second",
            Self::PerSecondDown => "per whole second",
            Self::TotalUp => "rounded up in all",
            Self::TotalDown => "rounded down in all",
            Self::TotalIncl => "rounded down in all, plus 1",
        }
    }
}

/// Frames whose own time, `start + k / rate`, lies within the first hour; exactly 3600 s is after.
pub(crate) fn frames_in_first_hour(frames: u64, rate: FrameRate, start: Duration) -> u64 {
    let left = Duration::from_seconds(3600).saturating_sub(start);
    FrameRounding::Up.frames(left, rate).min(frames)
}

fn narrow(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(text: &str) -> Duration {
        Duration::from_decimal(text).unwrap()
    }

    #[test]
    fn the_four_frame_roundings_differ_where_they_must() {
        let count = |rounding: FrameRounding, d: &str, fps: &str| {
            rounding.frames(seconds(d), FrameRate::from_decimal(fps).unwrap())
        };
        let all = [
            FrameRounding::Down,
            FrameRounding::Nearest,
            FrameRounding::Up,
            FrameRounding::Inclusive,
        ];
        assert_eq!(all.map(|r| count(r, "10.5", "1")), [10, 11, 11, 11]);
        assert_eq!(all.map(|r| count(r, "10.499", "1")), [10, 10, 11, 11]);
        assert_eq!(all.map(|r| count(r, "4", "1")), [4, 4, 4, 5]);
        assert_eq!(all.map(|r| count(r, "59.9", "0.2")), [11, 12, 12, 12]);
    }

    #[test]
    fn the_five_sound_roundings_differ_where_they_must() {
        let all = [
            SoundRounding::PerSecondUp,
            SoundRounding::PerSecondDown,
            SoundRounding::TotalUp,
            SoundRounding::TotalDown,
            SoundRounding::TotalIncl,
        ];
        assert_eq!(all.map(|r| r.tokens(32, seconds("4.32"))), [160, 128, 139, 138, 139]);
        assert_eq!(all.map(|r| r.tokens(32, seconds("2"))), [64, 64, 64, 64, 65]);
        assert_eq!(all.map(|r| r.tokens(32, Duration::ZERO)), [0; 5]);
    }

    #[test]
    fn exactly_an_hour_counts_as_after_it() {
        let rate = FrameRate::ONE;
        assert_eq!(frames_in_first_hour(3602, rate, Duration::ZERO), 3600);
        assert_eq!(frames_in_first_hour(10, rate, seconds("3595")), 5);
        assert_eq!(frames_in_first_hour(10, rate, seconds("3595.5")), 5);
        assert_eq!(frames_in_first_hour(10, rate, seconds("4000")), 0);
    }

    proptest! {
        #[test]
        fn no_count_falls_when_the_length_grows(
            a in any::<u64>(), b in any::<u64>(), scale in 1u32.., p in 1u32.., q in 1u32..,
        ) {
            let rate = FrameRate::new(p, q).unwrap();
            let (short, long) = (a.min(b), a.max(b));
            let (short, long) =
                (Duration::new(short, scale).unwrap(), Duration::new(long, scale).unwrap());
            for rounding in [FrameRounding::Down, FrameRounding::Nearest, FrameRounding::Up,
                FrameRounding::Inclusive] {
                prop_assert!(rounding.frames(short, rate) <= rounding.frames(long, rate));
            }
            for rounding in [SoundRounding::PerSecondUp, SoundRounding::PerSecondDown,
                SoundRounding::TotalUp, SoundRounding::TotalDown, SoundRounding::TotalIncl] {
                prop_assert!(rounding.tokens(p, short) <= rounding.tokens(p, long));
            }
        }
    }
}
