//! Four rows as one row of four-byte pixels.
//!
//! The resampler's pass across takes twice the time per byte on single bytes as on pixels of four.
//! Rows are independent of each other there, so that any four of them can pose as one.

/// Writes rows of `width` samples as rows of as many four-byte pixels. Where the last four rows are
/// not complete, nothing is written for them.
pub(super) fn weave(rows: &[u8], width: usize, woven: &mut [u8]) {
    let fours = rows.chunks_exact(4 * width).zip(woven.chunks_exact_mut(4 * width));
    for (rows, woven) in fours {
        let (upper, lower) = rows.split_at(2 * width);
        let ((a, b), (c, d)) = (upper.split_at(width), lower.split_at(width));
        let pixels = woven.as_chunks_mut::<4>().0.iter_mut();
        for ((((pixel, a), b), c), d) in pixels.zip(a).zip(b).zip(c).zip(d) {
            *pixel = [*a, *b, *c, *d];
        }
    }
}

/// Writes rows of `width` four-byte pixels as four rows each of a box of a picture: `target` starts
/// with the first of `height` rows of the box, `stride` samples each from row to row.
pub(super) fn unweave(
    woven: &[u8],
    width: usize,
    (target, stride): (&mut [u8], usize),
    height: usize,
) {
    let mut rows = target.chunks_mut(stride).take(height).filter_map(|row| row.get_mut(..width));
    for woven in woven.chunks_exact(4 * width) {
        let pixels = woven.as_chunks::<4>().0;
        match [rows.next(), rows.next(), rows.next(), rows.next()] {
            [Some(a), Some(b), Some(c), Some(d)] => split(pixels, a, b, (c, d)),
            rest => rest.into_iter().flatten().enumerate().for_each(|(index, row)| {
                row.iter_mut().zip(pixels).for_each(|(to, pixel)| *to = pixel[index]);
            }),
        }
    }
}

fn split(pixels: &[[u8; 4]], a: &mut [u8], b: &mut [u8], (c, d): (&mut [u8], &mut [u8])) {
    for ((((pixel, a), b), c), d) in pixels.iter().zip(a).zip(b).zip(c).zip(d) {
        [*a, *b, *c, *d] = *pixel;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn four_rows_become_one() {
        let mut woven = [0; 8];
        weave(&[1, 2, 3, 4, 5, 6, 7, 8], 2, &mut woven);
        assert_eq!(woven, [1, 3, 5, 7, 2, 4, 6, 8]);
    }

    proptest! {
        #[test]
        fn rows_come_back_into_their_box(
            width in 1usize..40, height in 1usize..20, beyond in 0usize..5, seed: u8,
        ) {
            let rows = height.next_multiple_of(4);
            let samples: Vec<u8> = (0..=u8::MAX)
                .cycle()
                .skip(seed.into())
                .take(width * rows)
                .collect();
            let mut woven = vec![0; width * rows];
            weave(&samples, width, &mut woven);
            let stride = width + beyond;
            let mut target = vec![77; stride * (height + 2) - beyond];
            unweave(&woven, width, (&mut target, stride), height);
            for (index, row) in target.chunks(stride).enumerate() {
                let (inner, outer) = row.split_at(width);
                if index < height {
                    prop_assert_eq!(inner, &samples[index * width..][..width]);
                } else {
                    prop_assert!(inner.iter().all(|&value| value == 77));
                }
                prop_assert!(outer.iter().all(|&value| value == 77));
            }
        }
    }
}
