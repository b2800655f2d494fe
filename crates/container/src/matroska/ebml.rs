//! EBML elements: RFC 8794.

use mediaprep_media::Error;

use crate::window::{Fields, Window};

/// Where one element lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) id: u32,
    pub(super) body: u64,
    /// Behind the element as it claims; `None` where it was written with an unknown size.
    pub(super) end: Option<u64>,
}

impl Element {
    /// The element at `offset`; `None` where no valid one starts.
    pub(super) fn read(window: &mut Window<'_>, offset: u64) -> Result<Option<Self>, Error> {
        Ok(Self::parse(window.at(offset, 12)?, offset))
    }

    fn parse(bytes: &[u8], offset: u64) -> Option<Self> {
        let id_length = bytes.first()?.leading_zeros() as usize + 1;
        if id_length > 4 {
            return None;
        }
        let id = bytes.get(..id_length)?.iter().fold(0, |id, &byte| id << 8 | u32::from(byte));
        let rest = &bytes[id_length..];
        let (size, size_length) = variable_length(rest)?;
        let body = offset + (id_length + size_length) as u64;
        let end = match size {
            Some(size) => Some(body.checked_add(size)?),
            None => None,
        };
        Some(Self { id, body, end })
    }

    /// The element's bytes, cut to what a window serves at once.
    pub(super) fn bytes<'w>(&self, window: &'w mut Window<'_>) -> Result<&'w [u8], Error> {
        window.between(self.body, self.end.unwrap_or(self.body))
    }
}

/// A number of 1 to 8 bytes whose length the leading zeros tell, and that length. The number is
/// `None` where all its bits are set, which marks an unknown size.
pub(super) fn variable_length(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    if length > 8 {
        return None;
    }
    let marked = bytes.get(..length)?.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    let mask = (1u64 << (7 * length)) - 1;
    let value = marked & mask;
    Some((Some(value).filter(|&value| value != mask), length))
}

/// The elements in memory, which start at offset 0 of `bytes`. The walk ends at the first broken
/// one; one that reaches too far is cut.
pub(super) fn children(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let element = Element::parse(bytes.get(at..)?, at as u64)?;
        let body = usize::try_from(element.body).ok()?;
        let end = element.end.and_then(|end| usize::try_from(end).ok()).unwrap_or(bytes.len());
        let end = end.min(bytes.len());
        at = end.max(at + 1);
        Some((element.id, bytes.get(body..end)?))
    })
}

/// The first child with the given number.
pub(super) fn child(bytes: &[u8], id: u32) -> Option<&[u8]> {
    children(bytes).find(|&(found, _)| found == id).map(|(_, body)| body)
}

/// An unsigned integer of up to 8 bytes; an empty one is zero.
pub(super) fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// A float as `mantissa * 2^exponent` with its sign; `None` where it is no finite number.
pub(super) fn float(bytes: &[u8]) -> Option<Float> {
    match bytes.len() {
        4 => Float::from_parts(u64::from(Fields(bytes).u32()?), 8, 23),
        8 => Float::from_parts(Fields(bytes).u64()?, 11, 52),
        _ => None,
    }
}

/// A finite binary floating-point number in its parts, so that no float enters a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Float {
    pub(super) negative: bool,
    mantissa: u64,
    exponent: i32,
}

impl Float {
    fn from_parts(bits: u64, exponent_bits: u32, fraction_bits: u32) -> Option<Self> {
        let negative = bits >> (exponent_bits + fraction_bits) & 1 == 1;
        let highest = (1u64 << exponent_bits) - 1;
        let biased = bits >> fraction_bits & highest;
        let fraction = bits & ((1 << fraction_bits) - 1);
        if biased == highest {
            return None;
        }
        let bias = i32::try_from(highest / 2).ok()? + i32::try_from(fraction_bits).ok()?;
        let (mantissa, biased) = match biased {
            0 => (fraction, 1),
            _ => (fraction | 1 << fraction_bits, biased),
        };
        Some(Self { negative, mantissa, exponent: i32::try_from(biased).ok()? - bias })
    }

    /// The size of the number times `factor`, rounded to the nearest; `None` beyond 64 bits.
    pub(super) fn times(self, factor: u64) -> Option<u64> {
        let product = u128::from(self.mantissa) * u128::from(factor);
        let shift = self.exponent.unsigned_abs();
        if product == 0 {
            return Some(0);
        }
        let scaled = if self.exponent >= 0 {
            (shift < product.leading_zeros()).then(|| product << shift)?
        } else if shift >= 128 {
            0
        } else {
            (product >> shift) + (product >> (shift - 1) & 1)
        };
        u64::try_from(scaled).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_of_all_lengths_are_read() {
        assert_eq!(variable_length(&[0x82]), Some((Some(2), 1)));
        assert_eq!(variable_length(&[0x40, 0x02]), Some((Some(2), 2)));
        assert_eq!(variable_length(&[0xff]), Some((None, 1)));
        assert_eq!(variable_length(&[1, 255, 255, 255, 255, 255, 255, 255]), Some((None, 8)));
        assert_eq!(variable_length(&[0]), None);
        assert_eq!(variable_length(&[0x40]), None);
    }

    #[test]
    fn floats_are_taken_apart_exactly() {
        let of = |value: f64| float(&value.to_be_bytes()).unwrap();
        assert_eq!(of(2967.0).times(1_000_000), Some(2_967_000_000));
        assert_eq!(of(1001.5).times(10), Some(10_015));
        assert_eq!(of(0.0).times(7), Some(0));
        assert_eq!(of(1e300).times(1), None);
        assert_eq!(of(1e-300).times(1), Some(0));
        assert!(of(-90.0).negative);
        assert_eq!(float(&48_000f32.to_be_bytes()).unwrap().times(1), Some(48_000));
        assert_eq!(float(&f64::NAN.to_be_bytes()), None);
        assert_eq!(float(&[1, 2]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(children(&bytes).count() <= bytes.len());
        }

        #[test]
        fn floats_agree_with_the_machine(value in 0.0f64..1e12) {
            let whole = float(&value.to_be_bytes()).unwrap().times(1).unwrap();
            prop_assert!((whole as f64 - value).abs() <= 0.5);
        }
    }
}
