//! Any number of channels to one.
//!
//! Mono is a weighted sum whose weights add up to 1, so that full scale in every channel gives full
//! scale: no clipping is possible, and no limiter is needed. The weights before that are those of
//! ITU-R BS.775: 1 for the left and right front channels' half each, √½ for the centre, ½·√½ for
//! each surround channel; channels for low frequencies are dropped, as the recommendation allows.
//! FFmpeg's own downmix to 16 bits has the same weights.
//!
//! | layout | weights |
//! |---|---|
//! | stereo | L ½, R ½ |
//! | 5.1 | L, R 0.2071, C 0.2929, Ls, Rs 0.1464 |
//! | 7.1 | L, R 0.1601, C 0.2265, each of the four surrounds 0.1133 |
//! | no known places | all alike |

use std::f32::consts::FRAC_1_SQRT_2;

/// Most channels that a sound may have.
pub(crate) const MAX_CHANNELS: usize = 256;

const FRONT_LEFT: u64 = 1;
const FRONT_RIGHT: u64 = 1 << 1;
const FRONT_CENTRE: u64 = 1 << 2;
const LOW: u64 = 1 << 3;
const LEFT_OF_CENTRE: u64 = 1 << 6;
const RIGHT_OF_CENTRE: u64 = 1 << 7;
/// The second channel for low frequencies.
pub(crate) const SECOND_LOW: u64 = 1 << 35;
const STEREO_LEFT: u64 = 1 << 29;
const STEREO_RIGHT: u64 = 1 << 30;

/// The weight of every channel. `places` has a bit for every channel's loudspeaker, from the lowest
/// to the highest in the channels' order, numbered as in WAVE and FFmpeg; a set of another size than
/// `channels` says nothing.
pub(crate) fn weights(channels: usize, places: u64) -> Vec<f32> {
    let known = places.count_ones() as usize == channels;
    let mut weights: Vec<f32> =
        if known { Bits(places).map(weight).collect() } else { vec![1.0; channels] };
    let sum: f32 = weights.iter().sum();
    if sum <= 0.0 {
        // Nothing but low frequencies: better those than silence.
        weights.fill(1.0);
    }
    let sum: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// What a loudspeaker adds to the centre.
const fn weight(place: u64) -> f32 {
    match place {
        FRONT_LEFT | FRONT_RIGHT | STEREO_LEFT | STEREO_RIGHT => FRAC_1_SQRT_2,
        LEFT_OF_CENTRE | RIGHT_OF_CENTRE => FRAC_1_SQRT_2,
        FRONT_CENTRE => 1.0,
        LOW | SECOND_LOW => 0.0,
        // Surround, back and height.
        _ => 0.5,
    }
}

/// The set bits of a number, lowest first.
struct Bits(u64);

impl Iterator for Bits {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let lowest = self.0 & self.0.wrapping_neg();
        self.0 ^= lowest;
        (lowest != 0).then_some(lowest)
    }
}

/// Adds a channel that lies by itself.
pub(crate) fn add_plane<T: Copy>(
    mono: &mut [f32],
    plane: &[T],
    weight: f32,
    level: impl Fn(T) -> f32,
) {
    if weight == 1.0 {
        mono.iter_mut().zip(plane).for_each(|(sum, &sample)| *sum += level(sample));
    } else if weight != 0.0 {
        mono.iter_mut().zip(plane).for_each(|(sum, &sample)| *sum += level(sample) * weight);
    }
}

/// Adds channels that lie sample by sample.
#[cfg(feature = "ffmpeg")]
pub(crate) fn add_packed<T: Copy>(
    mono: &mut [f32],
    packed: &[T],
    weights: &[f32],
    level: impl Fn(T) -> f32,
) {
    match weights {
        [] => {}
        [weight] => add_plane(mono, packed, *weight, level),
        &[left, right] => {
            let (frames, _) = packed.as_chunks::<2>();
            for (sum, &[a, b]) in mono.iter_mut().zip(frames) {
                *sum += level(a) * left + level(b) * right;
            }
        }
        _ => {
            for (sum, frame) in mono.iter_mut().zip(packed.chunks_exact(weights.len())) {
                *sum +=
                    frame.iter().zip(weights).map(|(&s, weight)| level(s) * weight).sum::<f32>();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(found: &[f32], wanted: &[f32]) {
        assert_eq!(found.len(), wanted.len());
        for (a, b) in found.iter().zip(wanted) {
            assert!((a - b).abs() < 1e-4, "{found:?} is not {wanted:?}");
        }
    }

    #[test]
    fn the_weights_are_those_of_the_recommendation() {
        near(&weights(1, FRONT_CENTRE), &[1.0]);
        near(&weights(2, 0b11), &[0.5, 0.5]);
        near(&weights(6, 0b11_1111), &[0.2071, 0.2071, 0.2929, 0.0, 0.1464, 0.1464]);
        let seven = [0.1601, 0.1601, 0.2265, 0.0, 0.1133, 0.1133, 0.1133, 0.1133];
        near(&weights(8, 0b110_0011_1111), &seven);
        near(&weights(1, LOW), &[1.0]);
    }

    #[test]
    fn unknown_places_count_alike() {
        near(&weights(4, 0), &[0.25; 4]);
        near(&weights(3, 0b11), &[1.0 / 3.0; 3]);
        assert!(weights(0, 0).is_empty());
    }

    proptest! {
        #[test]
        fn full_scale_stays_full_scale(channels in 1usize..40, places in any::<u64>()) {
            let weights = weights(channels, places);
            prop_assert_eq!(weights.len(), channels);
            prop_assert!(weights.iter().all(|&weight| weight >= 0.0));
            prop_assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
