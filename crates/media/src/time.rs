//! Lengths and rates as exact fractions. No float ever holds a time.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU32;

/// A length of time: `ticks / timescale` seconds, exact.
///
/// Two lengths are equal when they last equally long, whatever their timescales.
#[derive(Clone, Copy, Debug)]
pub struct Duration {
    ticks: u64,
    timescale: NonZeroU32,
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self { ticks: 0, timescale: NonZeroU32::MIN };

    /// `ticks / timescale` seconds; `None` when the timescale is zero.
    pub const fn new(ticks: u64, timescale: u32) -> Option<Self> {
        match NonZeroU32::new(timescale) {
            Some(timescale) => Some(Self { ticks, timescale }),
            None => None,
        }
    }

    /// Whole seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self { ticks: seconds, timescale: NonZeroU32::MIN }
    }

    /// Microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        match Self::new(micros, 1_000_000) {
            Some(duration) => duration,
            None => Self::ZERO,
        }
    }

    /// Seconds as decimal text, such as `13.346667`: exact up to nine decimals, further ones are
    /// cut. `None` for anything else, signs and exponents included.
    pub fn from_decimal(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return None;
        }
        let kept = &fraction[..fraction.len().min(9)];
        let timescale = 10u32.pow(u32::try_from(kept.len()).ok()?);
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let kept: u64 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
        Self::new(whole.checked_mul(u64::from(timescale))?.checked_add(kept)?, timescale)
    }

    /// The length of `frames` frames at `rate`; `None` on overflow.
    pub fn of_frames(frames: u64, rate: FrameRate) -> Option<Self> {
        Self::new(frames.checked_mul(u64::from(rate.denominator()))?, rate.numerator())
    }

    /// The numerator.
    pub const fn ticks(self) -> u64 {
        self.ticks
    }

    /// Ticks per second: the denominator.
    pub const fn timescale(self) -> u32 {
        self.timescale.get()
    }

    /// Whether it lasts no time.
    pub const fn is_zero(self) -> bool {
        self.ticks == 0
    }

    /// Seconds, rounded down.
    pub const fn whole_seconds(self) -> u64 {
        self.ticks / self.timescale.get() as u64
    }

    /// Seconds, rounded up: what a limit in whole seconds is held against.
    pub const fn started_seconds(self) -> u64 {
        self.ticks.div_ceil(self.timescale.get() as u64)
    }

    /// Milliseconds, rounded down; saturates.
    pub fn whole_milliseconds(self) -> u64 {
        let milliseconds = u128::from(self.ticks) * 1000 / u128::from(self.timescale());
        u64::try_from(milliseconds).unwrap_or(u64::MAX)
    }

    /// Seconds as a float, for printing only.
    pub fn as_seconds_f64(self) -> f64 {
        self.ticks as f64 / f64::from(self.timescale.get())
    }

    /// What is left after `start`: `self - start`, zero when `start` is later.
    #[must_use]
    pub fn saturating_sub(self, start: Self) -> Self {
        if start >= self {
            return Self::ZERO;
        }
        let (a, b) = (u128::from(self.timescale()), u128::from(start.timescale()));
        let ticks = u128::from(self.ticks) * b - u128::from(start.ticks) * a;
        Self::from_fraction(ticks, a * b)
    }

    /// `numerator / denominator` seconds, reduced; when that still does not fit, rounded down to
    /// nanoseconds. Zero when the denominator is zero.
    pub fn from_fraction(numerator: u128, denominator: u128) -> Self {
        if denominator == 0 {
            return Self::ZERO;
        }
        let divisor = gcd(numerator, denominator);
        let (n, d) = (numerator / divisor, denominator / divisor);
        let exact = (u64::try_from(n), u32::try_from(d));
        if let (Ok(ticks), Ok(timescale)) = exact {
            return Self::new(ticks, timescale).unwrap_or(Self::ZERO);
        }
        // Nanoseconds need 30 bits beside the denominator; lower bits than that cannot show.
        let shift = (128 - d.leading_zeros()).saturating_sub(96);
        let (n, d) = (n >> shift, d >> shift);
        let nanos = (n / d).saturating_mul(NANOS).saturating_add(((n % d) * NANOS) / d);
        Self::new(u64::try_from(nanos).unwrap_or(u64::MAX), 1_000_000_000).unwrap_or(Self::ZERO)
    }
}

const NANOS: u128 = 1_000_000_000;

const fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}

impl PartialEq for Duration {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Duration {}

impl PartialOrd for Duration {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Duration {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u128::from(self.ticks) * u128::from(other.timescale());
        left.cmp(&(u128::from(other.ticks) * u128::from(self.timescale())))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.as_seconds_f64())
    }
}

/// Frames per second as an exact fraction; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRate {
    numerator: NonZeroU32,
    denominator: NonZeroU32,
}

impl FrameRate {
    /// One frame a second, the service's default sampling rate.
    pub const ONE: Self = Self { numerator: NonZeroU32::MIN, denominator: NonZeroU32::MIN };

    /// `numerator / denominator` frames a second; `None` when either is zero.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        match (NonZeroU32::new(numerator), NonZeroU32::new(denominator)) {
            (Some(numerator), Some(denominator)) => Some(Self { numerator, denominator }),
            _ => None,
        }
    }

    /// The average rate of `frames` frames that last `span`, reduced; `None` when either is zero or
    /// the fraction does not fit 32 bits even after dropping low bits.
    pub fn average(frames: u64, span: Duration) -> Option<Self> {
        let mut n = u128::from(frames) * u128::from(span.timescale());
        let mut d = u128::from(span.ticks());
        let divisor = gcd(n, d);
        (n, d) = (n / divisor, d / divisor);
        while n > u128::from(u32::MAX) || d > u128::from(u32::MAX) {
            (n, d) = (n >> 1, d >> 1);
        }
        Self::new(u32::try_from(n).ok()?, u32::try_from(d).ok()?)
    }

    /// Frames per second as decimal text, exact up to six decimals, as the wire allows it.
    pub fn from_decimal(text: &str) -> Option<Self> {
        let value = Duration::from_decimal(text)?;
        let micros = u128::from(value.ticks()) * 1_000_000 / u128::from(value.timescale());
        let divisor = gcd(micros, 1_000_000);
        Self::new(u32::try_from(micros / divisor).ok()?, u32::try_from(1_000_000 / divisor).ok()?)
    }

    /// The numerator, at least 1.
    pub const fn numerator(self) -> u32 {
        self.numerator.get()
    }

    /// The denominator, at least 1.
    pub const fn denominator(self) -> u32 {
        self.denominator.get()
    }

    /// Frames per second as a float, for printing only.
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator.get()) / f64::from(self.denominator.get())
    }

    /// Whether the rate is above `other`.
    pub const fn is_above(self, other: Self) -> bool {
        let left = self.numerator.get() as u64 * other.denominator.get() as u64;
        left > other.numerator.get() as u64 * self.denominator.get() as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_text_is_exact() {
        let length = Duration::from_decimal("13.346667").unwrap();
        assert_eq!((length.ticks(), length.timescale()), (13_346_667, 1_000_000));
        assert_eq!(Duration::from_decimal("60"), Some(Duration::from_seconds(60)));
        assert_eq!(Duration::from_decimal(".5"), Duration::new(1, 2));
        assert_eq!(Duration::from_decimal("2."), Some(Duration::from_seconds(2)));
        for bad in ["", ".", "-1", "1e3", "1.2.3", " 1", "nan"] {
            assert_eq!(Duration::from_decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn rounding_goes_the_way_it_says() {
        let length = Duration::from_decimal("59.9996").unwrap();
        assert_eq!((length.whole_seconds(), length.started_seconds()), (59, 60));
        assert_eq!(length.whole_milliseconds(), 59_999);
        assert_eq!(Duration::from_seconds(60).started_seconds(), 60);
        assert_eq!(Duration::from_seconds(u64::MAX).whole_milliseconds(), u64::MAX);
    }

    #[test]
    fn equal_lengths_are_equal_in_any_timescale() {
        assert_eq!(Duration::new(1, 2), Duration::new(24_000, 48_000));
        assert!(Duration::new(1, 3).unwrap() < Duration::new(1, 2).unwrap());
    }

    #[test]
    fn rates_come_from_decimals_and_from_averages() {
        assert_eq!(FrameRate::from_decimal("0.2"), FrameRate::new(1, 5));
        assert_eq!(FrameRate::from_decimal("0"), None);
        let span = Duration::new(400_400, 30_000).unwrap();
        assert_eq!(FrameRate::average(400, span), FrameRate::new(30_000, 1001));
        assert_eq!(FrameRate::average(0, span), None);
    }

    proptest! {
        #[test]
        fn subtraction_is_exact_for_small_numbers(
            a in 0u64..1 << 40, b in 0u64..1 << 40, s in 1u32..100_000, t in 1u32..100_000,
        ) {
            let (x, y) = (Duration::new(a, s).unwrap(), Duration::new(b, t).unwrap());
            let rest = x.saturating_sub(y);
            prop_assert!(rest <= x);
            if y >= x { prop_assert!(rest.is_zero()); }
        }

        #[test]
        fn fractions_never_panic(n in any::<u128>(), d in any::<u128>()) {
            let _ = Duration::from_fraction(n >> 1, d);
        }
    }
}
