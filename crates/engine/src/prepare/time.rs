//! Times as text, and lengths in pieces.

use mediaprep_media::{Duration, FrameRate};
use mediaprep_tokens::Clip;
use serde::Serializer;

use crate::VideoInfo;

/// How a time is written beside a frame: `MM:SS`, from an hour on `H:MM:SS`, with milliseconds where
/// more than one frame a second is shown.
pub(super) fn stamp(time: Duration, rate: FrameRate) -> String {
    let milliseconds = time.whole_milliseconds();
    let (seconds, fraction) = (milliseconds / 1000, milliseconds % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let clock = match hours {
        0 => format!("{minutes:02}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    };
    if rate.is_above(FrameRate::ONE) { format!("{clock}.{fraction:03}") } else { clock }
}

/// How many pieces of `piece` a length gives, the last one possibly shorter; at least one.
pub(super) fn pieces(length: Duration, piece: Duration) -> u64 {
    let top = u128::from(length.ticks()) * u128::from(piece.timescale());
    let bottom = u128::from(piece.ticks()) * u128::from(length.timescale());
    if bottom == 0 {
        return 1;
    }
    u64::try_from(top.div_ceil(bottom)).unwrap_or(u64::MAX).max(1)
}

/// How many steps of `1 / rate` fit a length.
pub(super) fn whole_steps(length: Duration, rate: FrameRate) -> u64 {
    let top = u128::from(length.ticks()) * u128::from(rate.numerator());
    let bottom = u128::from(length.timescale()) * u128::from(rate.denominator());
    u64::try_from(top / bottom).unwrap_or(u64::MAX)
}

/// `length` times `number`.
pub(super) fn times(length: Duration, number: u64) -> Duration {
    let ticks = u128::from(length.ticks()) * u128::from(number);
    Duration::from_fraction(ticks, u128::from(length.timescale()))
}

/// `a` and `b` together.
#[cfg(any(feature = "ffmpeg", test))]
pub(super) fn sum(a: Duration, b: Duration) -> Duration {
    let (left, right) = (u128::from(a.timescale()), u128::from(b.timescale()));
    let ticks = (u128::from(a.ticks()) * right).saturating_add(u128::from(b.ticks()) * left);
    Duration::from_fraction(ticks, left * right)
}

/// The window of a video that a clip leaves; its end is `None` where nothing states the length.
pub(super) fn window(video: &VideoInfo, clip: Clip) -> (Duration, Option<Duration>) {
    let whole = video.length();
    let end = match (clip.end, whole) {
        (Some(end), Some(whole)) => Some(end.min(whole)),
        (end, whole) => end.or(whole),
    };
    let start = clip.start.unwrap_or(Duration::ZERO);
    (whole.map_or(start, |whole| start.min(whole)), end)
}

/// Writes a time as seconds.
pub(super) fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_seconds_f64())
}

/// The same, or nothing.
pub(super) fn some_seconds<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_with_the_hour_and_the_rate() {
        let at = |text: &str, rate| stamp(Duration::from_decimal(text).unwrap(), rate);
        let two = FrameRate::new(2, 1).unwrap();
        assert_eq!(at("0", FrameRate::ONE), "00:00");
        assert_eq!(at("61.9", FrameRate::ONE), "01:01");
        assert_eq!(at("3599", FrameRate::ONE), "59:59");
        assert_eq!(at("3600", FrameRate::ONE), "1:00:00");
        assert_eq!(at("36061.5", two), "10:01:01.500");
        assert_eq!(at("0.5", two), "00:00.500");
    }

    #[test]
    fn the_last_piece_may_be_short() {
        let second = Duration::from_seconds;
        assert_eq!(pieces(second(10), second(5)), 2);
        assert_eq!(pieces(Duration::from_decimal("10.001").unwrap(), second(5)), 3);
        assert_eq!(pieces(Duration::ZERO, second(5)), 1);
        assert_eq!(times(Duration::new(1, 3).unwrap(), 6), second(2));
        assert_eq!(
            sum(Duration::new(1, 3).unwrap(), Duration::new(1, 6).unwrap()),
            Duration::new(1, 2).unwrap()
        );
    }
}
