//! From one sampling rate to another, without delay and with an exact length.
//!
//! Rubato's FFT resampler is used: its filter has a linear phase and is as long as a block, so with
//! blocks of at least 1024 samples on the slower side the transition band is narrow (a cutoff at
//! 0.98 of the band's edge) and what folds back is below 16 bits. Its delay, half a block, is removed:
//! output sample `k` lies at exactly `k / rate` seconds.
//!
//! `n` samples at `a` Hz become `⌈n·b/a⌉` at `b` Hz: as many as have an instant before the end.

use mediaprep_media::Error;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

/// What takes the output.
pub(crate) type Each<'a> = &'a mut dyn FnMut(&[f32]) -> Result<(), Error>;

/// Sampling rates that a source may have.
const RATES: std::ops::RangeInclusive<u32> = 100..=768_000;
/// Samples of a block on the slower side, at least.
const BLOCK: usize = 1024;

/// Changes the sampling rate of mono sound.
pub(crate) struct Resampler {
    from: u32,
    to: u32,
    /// `None` where both rates are the same.
    fft: Option<Fft<f32>>,
    /// Input that is not yet a whole block.
    pending: Vec<f32>,
    output: Vec<f32>,
    /// Output samples still to be dropped, since they lie before the first input sample.
    early: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// From a source's rate to another, which must be positive.
    pub(crate) fn new(from: u32, to: u32) -> Result<Self, Error> {
        if !RATES.contains(&from) {
            return Err(Error::Unsupported("a sampling rate below 100 Hz or above 768 kHz"));
        }
        let fft = if from == to { None } else { Some(fft(from, to)?) };
        let early = fft.as_ref().map_or(0, Fft::output_delay);
        let output = vec![0.0; fft.as_ref().map_or(0, Fft::output_frames_max)];
        Ok(Self { from, to, fft, pending: Vec::new(), output, early, taken: 0, given: 0 })
    }

    /// Takes some input and gives what can be given.
    pub(crate) fn push(&mut self, samples: &[f32], each: Each<'_>) -> Result<(), Error> {
        self.taken += samples.len() as u64;
        let Some(fft) = &mut self.fft else {
            self.given += samples.len() as u64;
            return if samples.is_empty() { Ok(()) } else { each(samples) };
        };
        self.pending.extend_from_slice(samples);
        let block = fft.input_frames_next();
        let mut at = 0;
        while let Some(input) = self.pending.get(at..at + block) {
            let frames = run(fft, input, &mut self.output)?;
            at += block;
            let skipped = self.early.min(frames);
            self.early -= skipped;
            self.given += (frames - skipped) as u64;
            if frames > skipped {
                each(&self.output[skipped..frames])?;
            }
        }
        self.pending.drain(..at);
        Ok(())
    }

    /// Gives the rest.
    pub(crate) fn finish(mut self, each: Each<'_>) -> Result<(), Error> {
        let taken = self.taken;
        let silence = self.fft.as_ref().map_or(0, Fft::input_frames_next);
        let silence = vec![0.0; silence];
        while self.given < scaled(taken, self.from, self.to) {
            let mut left = scaled(taken, self.from, self.to) - self.given;
            self.push(&silence, &mut |block| {
                let wanted =
                    usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
                left -= wanted as u64;
                if wanted == 0 { Ok(()) } else { each(&block[..wanted]) }
            })?;
        }
        Ok(())
    }
}

/// `⌈samples·to/from⌉`.
pub(crate) fn scaled(samples: u64, from: u32, to: u32) -> u64 {
    let scaled = (u128::from(samples) * u128::from(to)).div_ceil(u128::from(from.max(1)));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

fn fft(from: u32, to: u32) -> Result<Fft<f32>, Error> {
    let divisor = gcd(from, to);
    let (a, b) = ((from / divisor) as usize, (to / divisor) as usize);
    // An even number of the smallest blocks: then half a block is a whole number on both sides.
    let blocks = BLOCK.div_ceil(a.min(b)).next_multiple_of(2);
    let window = WindowFunction::BlackmanHarris2;
    let (from, to) = (from as usize, to as usize);
    Fft::new_custom(from, to, a * blocks, 1, 1, window, FixedSync::Both).map_err(|_| REFUSED)
}

fn run(fft: &mut Fft<f32>, input: &[f32], output: &mut [f32]) -> Result<usize, Error> {
    let (taken, room) = (input.len(), output.len());
    let input = InterleavedSlice::new(input, 1, taken).map_err(|_| REFUSED)?;
    let mut output = InterleavedSlice::new_mut(output, 1, room).map_err(|_| REFUSED)?;
    let (_, frames) = fft.process_into_buffer(&input, &mut output, None).map_err(|_| REFUSED)?;
    Ok(frames)
}

const REFUSED: Error = Error::Unsupported("this pair of sampling rates");

const fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::cast_possible_truncation, reason = "test signals are small")]
    fn tone(rate: u32, hertz: f64, samples: usize) -> Vec<f32> {
        let at = |n: usize| (TAU * hertz * n as f64 / f64::from(rate)).sin() * 0.5;
        (0..samples).map(|n| at(n) as f32).collect()
    }

    fn resampled(input: &[f32], from: u32, to: u32, step: usize) -> Vec<f32> {
        let mut output = Vec::new();
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut each = |block: &[f32]| {
            output.extend_from_slice(block);
            Ok(())
        };
        for piece in input.chunks(step) {
            resampler.push(piece, &mut each).unwrap();
        }
        resampler.finish(&mut each).unwrap();
        output
    }

    /// A tone well inside both bands comes out as the same tone at the same instants.
    #[test]
    fn a_tone_keeps_its_place_and_its_level() {
        for (from, to) in [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (22_255, 16_000)] {
            let found = resampled(&tone(from, 997.0, from as usize), from, to, 1111);
            let wanted = tone(to, 997.0, to as usize);
            assert_eq!(found.len(), wanted.len(), "{from} to {to}");
            let inner = 500..found.len() - 500;
            let worst = inner.map(|n| (found[n] - wanted[n]).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_lies_above_the_band_does_not_fold_back() {
        let found = resampled(&tone(48_000, 9_000.0, 48_000), 48_000, 16_000, 4096);
        let loudest = found[500..15_500].iter().fold(0.0f32, |most, s| most.max(s.abs()));
        assert!(loudest < 1e-4, "{loudest}");
    }

    #[test]
    fn the_same_rate_changes_nothing() {
        let input = tone(16_000, 440.0, 1000);
        assert_eq!(resampled(&input, 16_000, 16_000, 7), input);
    }

    #[test]
    fn impossible_rates_are_refused() {
        for rate in [0, 99, 768_001, u32::MAX] {
            assert!(Resampler::new(rate, 16_000).is_err(), "{rate}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn the_length_is_exact_and_blocks_do_not_matter(
            from in prop::sample::select(vec![
                100u32, 8000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000,
            ]),
            to in prop::sample::select(vec![8000u32, 16_000, 48_000]),
            length in 0usize..20_000,
            step in 1usize..5000,
        ) {
            let input = tone(from, 50.0, length);
            let found = resampled(&input, from, to, step);
            prop_assert_eq!(found.len() as u64, scaled(length as u64, from, to));
            prop_assert_eq!(found, resampled(&input, from, to, length.max(1)));
        }
    }
}
