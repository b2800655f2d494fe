//! Between planes and RGB, as JFIF defines it: BT.601 over the full range of 8 bits.

/// Fraction bits of the weights. With 16, sums stay within 32 bits and errors below half a step.
const BITS: u32 = 16;
const HALF: i32 = 1 << (BITS - 1);

/// A weight as a fixed-point number.
#[expect(clippy::cast_possible_truncation, reason = "weights are below 2 and in constants")]
const fn weight(value: f64) -> i32 {
    (value * (1_i64 << BITS) as f64 + if value < 0.0 { -0.5 } else { 0.5 }) as i32
}

const RED_FROM_CR: i32 = weight(1.402);
const GREEN_FROM_CB: i32 = weight(-0.344_136_286);
const GREEN_FROM_CR: i32 = weight(-0.714_136_286);
const BLUE_FROM_CB: i32 = weight(1.772);

/// Fills packed RGB with the colours of three planes of as many samples.
pub(crate) fn fill_rgb(rgb: &mut [u8], luma: &[u8], cb: &[u8], cr: &[u8]) {
    let pixels = rgb.as_chunks_mut::<3>().0.iter_mut();
    for (((pixel, &luma), &cb), &cr) in pixels.zip(luma).zip(cb).zip(cr) {
        let luma = (i32::from(luma) << BITS) + HALF;
        let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
        *pixel = [
            clamped((luma + RED_FROM_CR * cr) >> BITS),
            clamped((luma + GREEN_FROM_CB * cb + GREEN_FROM_CR * cr) >> BITS),
            clamped((luma + BLUE_FROM_CB * cb) >> BITS),
        ];
    }
}

/// Luma, Cb and Cr of a colour.
pub(crate) fn from_rgb([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let sum = |weights: [f64; 3], offset: i32| {
        let [r, g, b] = weights.map(weight);
        let sum = r * i32::from(red) + g * i32::from(green) + b * i32::from(blue);
        clamped(((sum + HALF) >> BITS) + offset)
    };
    [
        sum([0.299, 0.587, 0.114], 0),
        sum([-0.168_735_892, -0.331_264_108, 0.5], 128),
        sum([0.5, -0.418_687_589, -0.081_312_411], 128),
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to a byte")]
#[expect(clippy::cast_sign_loss, reason = "clamped to a byte")]
const fn clamped(value: i32) -> u8 {
    if value < 0 {
        0
    } else if value > 255 {
        255
    } else {
        value as u8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pure_colours_have_the_values_of_the_standard() {
        assert_eq!(from_rgb([255, 255, 255]), [255, 128, 128]);
        assert_eq!(from_rgb([255, 0, 0]), [76, 85, 255]);
        assert_eq!(from_rgb([0, 255, 0]), [150, 44, 21]);
        assert_eq!(from_rgb([0, 0, 255]), [29, 255, 107]);
    }

    proptest! {
        #[test]
        fn colours_come_back(colour: [u8; 3]) {
            let [luma, cb, cr] = from_rgb(colour);
            let mut back = [0; 3];
            fill_rgb(&mut back, &[luma], &[cb], &[cr]);
            for (value, expected) in back.iter().zip(colour) {
                prop_assert!(value.abs_diff(expected) <= 2, "{colour:?} {back:?}");
            }
        }

        #[test]
        fn conversion_is_that_of_the_formula(luma: u8, cb: u8, cr: u8) {
            let (y, b, r) = (f64::from(luma), f64::from(cb) - 128.0, f64::from(cr) - 128.0);
            let exact = [
                y + 1.402 * r,
                y - 0.114 * 1.772 / 0.587 * b - 0.299 * 1.402 / 0.587 * r,
                y + 1.772 * b,
            ];
            let mut rgb = [0; 3];
            fill_rgb(&mut rgb, &[luma], &[cb], &[cr]);
            for (value, exact) in rgb.iter().zip(exact) {
                prop_assert!((f64::from(*value) - exact.clamp(0.0, 255.0)).abs() < 0.51);
            }
        }
    }
}
