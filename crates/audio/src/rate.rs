//! Sampling rates that headers store as floating-point numbers, read with integers.

use mediaprep_media::Duration;

/// A positive number `mantissa / 2^shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    mantissa: u64,
    shift: u32,
}

impl Rate {
    /// From the 80-bit extended number of AIFF: a sign, 15 bits of exponent, 64 of mantissa.
    pub(crate) fn from_extended(bytes: [u8; 10]) -> Option<Self> {
        let exponent = u32::from(bytes[0]) << 8 | u32::from(bytes[1]);
        let mantissa = bytes[2..].iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
        Self::new(mantissa, (16_383 + 63u32).checked_sub(exponent)?)
    }

    /// From the bits of a 64-bit number, as CAF stores it.
    pub(crate) fn from_double(bits: u64) -> Option<Self> {
        let exponent = u32::try_from(bits >> 52).ok()?;
        let mantissa = (bits & ((1 << 52) - 1)) | 1 << 52;
        Self::new(mantissa, (1023 + 52u32).checked_sub(exponent)?)
    }

    /// `None` unless the rate is at least 1 and fits 32 bits. A negative number's exponent is out
    /// of range, since it holds the sign bit.
    fn new(mantissa: u64, shift: u32) -> Option<Self> {
        let rate = Self { mantissa, shift };
        (shift < 64 && mantissa >> shift > 0 && mantissa >> shift < u64::from(u32::MAX))
            .then_some(rate)
    }

    /// The nearest whole number of samples per second.
    pub(crate) fn rounded(self) -> u32 {
        let half = if self.shift == 0 { 0 } else { self.mantissa >> (self.shift - 1) & 1 };
        u32::try_from((self.mantissa >> self.shift) + half).unwrap_or(u32::MAX)
    }

    /// How long `samples` last, exactly.
    pub(crate) fn lasting(self, samples: u64) -> Duration {
        // A whole rate keeps its own timescale.
        let whole = self.mantissa >> self.shift;
        if whole << self.shift == self.mantissa {
            return Duration::new(samples, self.rounded()).unwrap_or(Duration::ZERO);
        }
        Duration::from_fraction(u128::from(samples) << self.shift, u128::from(self.mantissa))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extended(rate: f64) -> [u8; 10] {
        let bits = rate.to_bits();
        let exponent = u16::try_from(bits >> 52).unwrap() - 1023 + 16_383;
        let mantissa = (bits << 11) | 1 << 63;
        let mut bytes = [0; 10];
        bytes[..2].copy_from_slice(&exponent.to_be_bytes());
        bytes[2..].copy_from_slice(&mantissa.to_be_bytes());
        bytes
    }

    #[test]
    fn usual_rates_are_exact() {
        for rate in [1u32, 7350, 8000, 11_025, 44_100, 48_000, 192_000, 4_000_000_000] {
            let long = Rate::from_extended(extended(rate.into())).unwrap();
            let double = Rate::from_double(f64::from(rate).to_bits()).unwrap();
            assert_eq!((long.rounded(), double.rounded()), (rate, rate));
            assert_eq!(long.lasting(rate.into()), Duration::from_seconds(1));
        }
    }

    #[test]
    fn broken_rates_last_exactly_what_they_say() {
        let rate = Rate::from_extended(extended(22_254.5)).unwrap();
        assert_eq!(rate.rounded(), 22_255);
        assert_eq!(rate.lasting(44_509), Duration::from_seconds(2));
    }

    #[test]
    fn impossible_rates_are_refused() {
        for bad in [0.0, -8000.0, 0.5, f64::NAN, f64::INFINITY, 1e12] {
            assert_eq!(Rate::from_double(bad.to_bits()), None, "{bad}");
        }
        assert_eq!(Rate::from_extended([0; 10]), None);
        assert_eq!(Rate::from_extended([0xff; 10]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in any::<[u8; 10]>(), bits in any::<u64>(), n in any::<u64>()) {
            let _ = Rate::from_extended(bytes).map(|rate| (rate.rounded(), rate.lasting(n)));
            let _ = Rate::from_double(bits).map(|rate| (rate.rounded(), rate.lasting(n)));
        }
    }
}
