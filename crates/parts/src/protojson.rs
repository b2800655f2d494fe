//! The JSON spelling of protobuf messages: what is read more widely than it is written.

use std::fmt;

use mediaprep_media::{Duration, FrameRate};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::Value;

/// Decodes standard or URL-safe base64, padded or not.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let standard = |byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    if text.bytes().any(|byte| matches!(byte, b'-' | b'_')) {
        let text: Vec<u8> = text.bytes().map(standard).collect();
        return base64_simd::forgiving_decode_to_vec(&text).ok();
    }
    base64_simd::forgiving_decode_to_vec(text.as_bytes()).ok()
}

/// A length as protojson writes it: `10s`, `70.500s`, with 0, 3, 6 or 9 decimals.
pub fn duration_text(length: Duration) -> String {
    let timescale = u128::from(length.timescale());
    let nanos = u128::from(length.ticks()) * 1_000_000_000 / timescale;
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    match fraction {
        0 => format!("{seconds}s"),
        _ if fraction % 1_000_000 == 0 => format!("{seconds}.{:03}s", fraction / 1_000_000),
        _ if fraction % 1000 == 0 => format!("{seconds}.{:06}s", fraction / 1000),
        _ => format!("{seconds}.{fraction:09}s"),
    }
}

/// Reads a length such as `1.5s`; `None` for anything else, negative ones included.
pub fn parse_duration(text: &str) -> Option<Duration> {
    Duration::from_decimal(text.strip_suffix('s')?)
}

/// The simplest fraction that is this number of frames a second: what a rate was before it became a
/// float, as long as it was reduced and both of its sides stay below 2^26.
pub(crate) fn frame_rate(number: f64) -> Option<FrameRate> {
    let (mut p, mut q) = exact_fraction(number)?;
    // The convergents `n / d` of the number's continued fraction, each closer than the last.
    let (mut n, mut d, mut last_n, mut last_d) = (1_u128, 0_u128, 0_u128, 1_u128);
    while q > 0 {
        let digit = p / q;
        (p, q) = (q, p % q);
        (n, last_n) = (digit.checked_mul(n)?.checked_add(last_n)?, n);
        (d, last_d) = (digit.checked_mul(d)?.checked_add(last_d)?, d);
        let rate = FrameRate::new(u32::try_from(n).ok()?, u32::try_from(d).ok()?);
        if let Some(rate) = rate.filter(|rate| rate.as_f64() == number) {
            return Some(rate);
        }
    }
    None
}

/// A float as the fraction that it is, for numbers that rates of 32 bits can come to.
fn exact_fraction(number: f64) -> Option<(u128, u128)> {
    if !(2.0_f64.powi(-32)..2.0_f64.powi(32)).contains(&number) {
        return None;
    }
    let bits = number.to_bits();
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    // Between -84 and -21 for these numbers.
    let exponent = 1075 - u32::try_from(bits >> 52).ok()?;
    Some((mantissa, 1_u128.checked_shl(exponent)?))
}

/// The integer that a float without fraction is; `None` when it has one or does not fit.
fn integer_of<T: TryFrom<i64>>(number: f64) -> Option<T> {
    // Above 2^53 a float stands for several integers.
    if number.fract() != 0.0 || number.abs() > 9_007_199_254_740_992.0 {
        return None;
    }
    format!("{number:.0}").parse::<i64>().ok().and_then(|whole| T::try_from(whole).ok())
}

/// Writes a float, as an integer when it has no fraction.
pub(crate) fn number<S: Serializer>(number: f64, serializer: S) -> Result<S::Ok, S::Error> {
    match integer_of::<i64>(number) {
        Some(whole) => serializer.serialize_i64(whole),
        None => serializer.serialize_f64(number),
    }
}

/// `number` for an optional field that is left out when there is none.
pub(crate) fn optional_number<S: Serializer>(
    value: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(*value, serializer),
        None => serializer.serialize_none(),
    }
}

/// A number, or the same as text.
struct Number(f64);

/// An integer, also as text or as a float without fraction.
struct Integer(i64);

/// Visits the forms that a number may have: `$whole` takes integers, `$float` floats, `$text` text.
macro_rules! read_number {
    ($name:ident, $expecting:literal, $whole:expr, $float:expr, $text:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Forms;

                impl Forms {
                    fn checked<E: Error>(read: Option<$name>) -> Result<$name, E> {
                        read.ok_or_else(|| E::custom(concat!("expected ", $expecting)))
                    }
                }

                impl Visitor<'_> for Forms {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_i64<E: Error>(self, value: i64) -> Result<$name, E> {
                        Self::checked($whole(value))
                    }

                    fn visit_u64<E: Error>(self, value: u64) -> Result<$name, E> {
                        Self::checked(i64::try_from(value).ok().and_then($whole))
                    }

                    fn visit_f64<E: Error>(self, value: f64) -> Result<$name, E> {
                        Self::checked($float(value))
                    }

                    fn visit_str<E: Error>(self, value: &str) -> Result<$name, E> {
                        Self::checked($text(value))
                    }
                }

                deserializer.deserialize_any(Forms)
            }
        }
    };
}

read_number!(
    Integer,
    "an integer",
    |whole| Some(Integer(whole)),
    |float| integer_of(float).map(Integer),
    |text: &str| text.parse().ok().map(Integer)
);

read_number!(
    Number,
    "a number",
    |whole: i64| Some(Number(whole as f64)),
    |float| Some(Number(float)),
    |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number)
);

/// Reads an optional float.
pub(crate) fn read_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Number>::deserialize(from)?.map(|number| number.0))
}

/// Reads an optional integer of any width.
pub(crate) fn read_integer<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    let Some(Integer(whole)) = Option::deserialize(from)? else { return Ok(None) };
    T::try_from(whole).map(Some).map_err(|_| D::Error::custom(format!("{whole} is out of range")))
}

/// Reads a count of an answer, as a number or as text; what is no count is absent, since an answer
/// is worth more than one of its numbers.
pub(crate) fn read_count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Number(number) => {
            let whole = || integer_of::<u64>(number.as_f64()?);
            number.as_u64().or_else(whole)
        }
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}

/// Reads an optional length such as `1.5s`.
pub(crate) fn read_duration<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let read = parse_duration(&text);
    read.map(Some).ok_or_else(|| D::Error::custom("expected a duration such as \"1.5s\""))
}

/// Reads an optional frame rate.
pub(crate) fn read_frame_rate<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<FrameRate>, D::Error> {
    let Some(Number(number)) = Option::deserialize(from)? else { return Ok(None) };
    let read = frame_rate(number);
    read.map(Some).ok_or_else(|| D::Error::custom("expected a frame rate above zero"))
}

/// Reads a field whose `null` means the same as its absence.
pub(crate) fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_have_0_3_6_or_9_decimals() {
        let text = |decimal| duration_text(Duration::from_decimal(decimal).unwrap());
        assert_eq!(text("5"), "5s");
        assert_eq!(text("1.25"), "1.250s");
        assert_eq!(text("1.000001"), "1.000001s");
        assert_eq!(duration_text(Duration::new(1, 3).unwrap()), "0.333333333s");
    }

    #[test]
    fn durations_are_read_with_their_unit_only() {
        assert_eq!(parse_duration("1.5s"), Duration::new(3, 2));
        for bad in ["1.5", "-1s", "s", "1.5 s", "1m", ""] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_read_as_numbers_and_as_text() {
        let integer = |json: &str| {
            read_integer::<i32, _>(&mut serde_json::Deserializer::from_str(json)).map_err(drop)
        };
        assert_eq!(integer("32"), Ok(Some(32)));
        assert_eq!(integer("32.0"), Ok(Some(32)));
        assert_eq!(integer("\"-32\""), Ok(Some(-32)));
        assert_eq!(integer("null"), Ok(None));
        for bad in ["1.5", "\"x\"", "1e300", "2147483648", "true", "18446744073709551615"] {
            assert_eq!(integer(bad), Err(()), "{bad}");
        }
        let number =
            |json: &str| read_number(&mut serde_json::Deserializer::from_str(json)).map_err(drop);
        assert_eq!(number("1"), Ok(Some(1.0)));
        assert_eq!(number("\"0.5\""), Ok(Some(0.5)));
        assert_eq!(number("\"NaN\""), Err(()));
    }

    #[test]
    fn whole_numbers_are_written_as_integers() {
        let written = |value: f64| {
            let mut text = Vec::new();
            number(value, &mut serde_json::Serializer::new(&mut text)).unwrap();
            String::from_utf8(text).unwrap()
        };
        for (value, text) in [(32.0, "32"), (-1.0, "-1"), (-0.0, "0"), (0.4, "0.4"), (0.1, "0.1")] {
            assert_eq!(written(value), text);
        }
    }

    #[test]
    fn rates_that_are_no_rates_are_refused() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e-300] {
            assert_eq!(frame_rate(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_rate_s_fraction_is_found_again(n in 1u32..1 << 26, d in 1u32..1 << 26) {
            let number = f64::from(n) / f64::from(d);
            let read = frame_rate(number).unwrap();
            prop_assert_eq!(
                u64::from(n) * u64::from(read.denominator()),
                u64::from(d) * u64::from(read.numerator())
            );
        }

        #[test]
        fn no_rate_panics(number in any::<f64>()) {
            let _ = frame_rate(number);
        }
    }
}
