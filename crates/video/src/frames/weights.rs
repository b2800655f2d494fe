//! From luma and colour differences to red, green and blue.

/// One in fixed point.
const ONE: i32 = 1 << 14;

/// What each sample adds to each colour, in fixed point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    /// What stands for black.
    black: i32,
    luma: i32,
    red: i32,
    green: (i32, i32),
    blue: i32,
}

impl Weights {
    /// For a luma of which red and blue make the given ten-thousandths; the formulas are those of
    /// ITU-R BT.601, BT.709 and BT.2020. In limited range luma takes 16 to 235 and colour
    /// differences 16 to 240.
    pub(super) const fn of((red, blue): (i32, i32), full_range: bool) -> Self {
        let (black, luma_steps, chroma_steps) =
            if full_range { (0, 255, 255) } else { (16, 219, 224) };
        let green = 10_000 - red - blue;
        let (from_red, from_blue) = (2 * (10_000 - red), 2 * (10_000 - blue));
        Self {
            black,
            luma: scaled(10_000, luma_steps),
            red: scaled(from_red, chroma_steps),
            green: (
                scaled(from_blue * blue / green, chroma_steps),
                scaled(from_red * red / green, chroma_steps),
            ),
            blue: scaled(from_blue, chroma_steps),
        }
    }

    /// Appends a row of RGB made of one row of each plane, all of the same length.
    pub(super) fn map_row(&self, luma: &[u8], (blue, red): (&[u8], &[u8]), out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + luma.len() * 3, 0);
        let samples = luma.iter().zip(blue).zip(red);
        for (pixel, ((&luma, &blue), &red)) in out[start..].chunks_exact_mut(3).zip(samples) {
            let grey = (i32::from(luma) - self.black) * self.luma + ONE / 2;
            let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
            pixel[0] = byte(grey + red * self.red);
            pixel[1] = byte(grey - blue * self.green.0 - red * self.green.1);
            pixel[2] = byte(grey + blue * self.blue);
        }
    }
}

/// A weight in ten-thousandths of a sample with so many steps, in fixed point of one with 255.
const fn scaled(weight: i32, steps: i32) -> i32 {
    let exact = weight as i64 * 255 * ONE as i64;
    let whole = 10_000 * steps as i64;
    #[expect(clippy::cast_possible_truncation, reason = "weights are below 3 in fixed point")]
    let rounded = ((exact + whole / 2) / whole) as i32;
    rounded
}

#[expect(clippy::cast_sign_loss, reason = "the value is clamped to a byte")]
fn byte(value: i32) -> u8 {
    (value >> 14).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(weights: Weights, [luma, blue, red]: [u8; 3]) -> [u8; 3] {
        let mut out = Vec::new();
        weights.map_row(&[luma], (&[blue], &[red]), &mut out);
        [out[0], out[1], out[2]]
    }

    #[test]
    fn greys_stay_grey_and_the_published_bars_are_met() {
        let hd = Weights::of((2126, 722), false);
        assert_eq!(map(hd, [16, 128, 128]), [0; 3]);
        assert_eq!(map(hd, [235, 128, 128]), [255; 3]);
        assert_eq!(map(hd, [255, 128, 128]), [255; 3]);
        let full = Weights::of((2990, 1140), true);
        for grey in 0..=255 {
            assert_eq!(map(full, [grey, 128, 128]), [grey; 3]);
        }
        // The bars of 100 % in BT.709 and BT.601, limited range.
        assert_eq!(map(hd, [63, 102, 240]), [255, 1, 0]);
        assert_eq!(map(hd, [173, 42, 26]), [0, 255, 1]);
        let sd = Weights::of((2990, 1140), false);
        assert_eq!(map(sd, [41, 240, 110]), [0, 0, 255]);
        assert_eq!(map(sd, [81, 90, 240]), [254, 0, 0]);
    }

    #[test]
    fn corners_are_what_the_formula_gives() {
        for ((red, blue), full) in [((2126, 722), false), ((2990, 1140), true)] {
            let weights = Weights::of((red, blue), full);
            let (kr, kb) = (f64::from(red) / 1e4, f64::from(blue) / 1e4);
            for corner in 0..8u8 {
                let sample = |bit: u8| if corner & bit == 0 { 0u8 } else { 255 };
                let samples = [sample(1), sample(2), sample(4)];
                let [luma, cb, cr] = samples.map(f64::from);
                let (black, steps, chroma) =
                    if full { (0., 255., 255.) } else { (16., 219., 224.) };
                let grey = (luma - black) / steps;
                let (cb, cr) = ((cb - 128.) / chroma, (cr - 128.) / chroma);
                let (r, b) = (grey + 2. * (1. - kr) * cr, grey + 2. * (1. - kb) * cb);
                let g = (grey - kr * r - kb * b) / (1. - kr - kb);
                for (found, wanted) in map(weights, samples).into_iter().zip([r, g, b]) {
                    let wanted = (wanted * 255.).clamp(0., 255.);
                    assert!(
                        (f64::from(found) - wanted).abs() <= 1.,
                        "{samples:?}: {found} {wanted}"
                    );
                }
            }
        }
    }
}
