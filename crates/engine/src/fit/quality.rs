//! How much of an item is left: a number from 0 to a million, in whole numbers only.
//!
//! Every lever keeps a fraction of something, and the quality that is left follows by a concave law,
//! since the first half of a picture's tokens shows more than the second:
//!
//! | lever | fraction kept | law |
//! |---|---|---|
//! | media resolution | tokens of the pictures | square root: tokens go with the area, what can be read with the side |
//! | image size | longest side | as it is: the side of the line above |
//! | frame rate | sampled frames | cube root: neighbouring frames show nearly the same |
//! | soundtrack left out | – | one half: one of two senses |
//! | pictures left out | – | one quarter: the larger part of what a video shows |
//! | form | tokens of the pictures | square root, as for media resolution |
//! | clip, pages | length, pages | as it is: what is cut away is gone |
//!
//! Levers that are pulled together multiply. The loss is a million less the quality.

/// The quality of an item as it is.
pub(super) const WHOLE: u64 = 1_000_000;

/// What is left of a video without its sound.
pub(super) const SILENT: u64 = WHOLE / 2;

/// What is left of a video without its pictures.
pub(super) const UNSEEN: u64 = WHOLE / 4;

/// Quality `WHOLE × √(kept / of)`, at most [`WHOLE`]; keeping all of nothing is whole.
pub(super) fn by_area(kept: u64, of: u64) -> u64 {
    if kept >= of {
        return WHOLE;
    }
    // What nearly every item has is within 64 bits, where dividing is quick.
    if let Some(square) = kept.checked_mul(WHOLE * WHOLE) {
        return (square / of).isqrt();
    }
    let square = u128::from(WHOLE) * u128::from(WHOLE) * u128::from(kept) / u128::from(of);
    narrow(square.isqrt())
}

/// Quality `WHOLE × kept / of`, at most [`WHOLE`].
pub(super) fn by_share(kept: u64, of: u64) -> u64 {
    if kept >= of {
        return WHOLE;
    }
    narrow(u128::from(WHOLE) * u128::from(kept) / u128::from(of))
}

/// Quality `WHOLE × ∛(kept / of)`, at most [`WHOLE`].
pub(super) fn by_instants(kept: u64, of: u64) -> u64 {
    if kept >= of {
        return WHOLE;
    }
    let cube = u128::from(WHOLE).pow(3) * u128::from(kept) / u128::from(of);
    cube_root(cube)
}

/// Two levers pulled together.
pub(super) const fn times(a: u64, b: u64) -> u64 {
    a * b / WHOLE
}

/// The largest whole number whose cube is at most `cube`, up to [`WHOLE`].
fn cube_root(cube: u128) -> u64 {
    let is_above = |root: u64| u128::from(root).pow(3) > cube;
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates")]
    #[expect(clippy::cast_sign_loss, reason = "cubes are not negative")]
    let mut root = (cube as f64).cbrt().min(WHOLE as f64) as u64;
    // Whatever the machine makes of the float, the whole number beside it is the same everywhere.
    while is_above(root) {
        root -= 1;
    }
    while root < WHOLE && !is_above(root + 1) {
        root += 1;
    }
    root
}

fn narrow(quality: u128) -> u64 {
    u64::try_from(quality).unwrap_or(WHOLE).min(WHOLE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_laws_are_those_of_the_table() {
        assert_eq!(by_area(280, 1120), 500_000);
        assert_eq!(by_area(258, 1806), 377_964);
        assert_eq!(by_share(1, 3), 333_333);
        assert_eq!(by_instants(1, 8), 500_000);
        assert_eq!(by_instants(1, 1000), 100_000);
        assert_eq!(times(SILENT, SILENT), 250_000);
        assert_eq!((by_area(0, 0), by_share(7, 0), by_instants(5, 5)), (WHOLE, WHOLE, WHOLE));
    }

    proptest! {
        #[test]
        fn cube_roots_are_whole(cube in 0..=u128::from(WHOLE).pow(3)) {
            let root = u128::from(cube_root(cube));
            prop_assert!(root.pow(3) <= cube && (root + 1).pow(3) > cube);
        }

        #[test]
        fn short_and_long_squares_agree(kept in 0u64..40_000_000, of in 1u64..40_000_000) {
            let square = u128::from(WHOLE) * u128::from(WHOLE) * u128::from(kept) / u128::from(of);
            prop_assert_eq!(u128::from(by_area(kept, of)), square.isqrt().min(u128::from(WHOLE)));
        }

        #[test]
        fn keeping_more_is_never_worse(a in 0u64.., b in 0u64.., of in 1u64..) {
            let (less, more) = (a.min(b), a.max(b));
            for law in [by_area, by_share, by_instants] {
                prop_assert!(law(less, of) <= law(more, of) && law(more, of) <= WHOLE);
            }
            // Concave laws keep more than the share itself.
            prop_assert!(by_share(less, of) <= by_area(less, of));
            prop_assert!(by_area(less, of) <= by_instants(less, of) + 1);
        }
    }
}
