//! Arithmetic on lengths that only this crate needs.

use mediaprep_media::Duration;

/// Both lengths, one after the other.
pub(crate) fn sum(first: Duration, second: Duration) -> Duration {
    let (a, b) = (u128::from(first.timescale()), u128::from(second.timescale()));
    let ticks = u128::from(first.ticks()) * b + u128::from(second.ticks()) * a;
    Duration::from_fraction(ticks, a * b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let third = Duration::new(1, 3).unwrap();
        assert_eq!(Some(sum(third, Duration::new(1, 2).unwrap())), Duration::new(5, 6));
        assert_eq!(sum(Duration::ZERO, third), third);
    }
}
