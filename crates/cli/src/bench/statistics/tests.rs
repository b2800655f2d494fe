//! Known answers, invariants, and how often chance alone is called a difference.

use proptest::prelude::*;

use super::*;

#[test]
fn medians_and_intervals_of_known_samples() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    let count = |samples: u32| {
        let all: Vec<f64> = (1..=samples).map(f64::from).collect();
        let found = interval(&all).unwrap();
        (found.low, found.high, (found.confidence * 1e4).round() / 1e4)
    };
    // From tables of the binomial distribution.
    assert_eq!(count(3), (1.0, 3.0, 0.75));
    assert_eq!(count(5), (1.0, 5.0, 0.9375));
    assert_eq!(count(6), (1.0, 6.0, 0.9688));
    assert_eq!(count(9), (2.0, 8.0, 0.9609));
    assert_eq!(count(20), (6.0, 15.0, 0.9586));
    assert_eq!(interval(&[]), None);
    assert_eq!(interval(&[2.0]).map(|one| one.confidence), Some(0.0));
}

#[test]
fn noise_is_the_distance_from_the_middle() {
    assert_eq!(noise(&[2.0, 2.0, 2.0]), Some(0.0));
    assert_eq!(noise(&[1.0, 2.0, 3.0]), Some(0.5));
    assert_eq!(noise(&[1.0]), None);
    assert_eq!(noise(&[0.0, 0.0, 0.0]), None);
}

#[test]
fn what_is_no_run_is_not_compared() {
    let sound = [1.0, 1.1, 0.9];
    for odd in [&[1.0, 1.0][..], &[1.0, 0.0, 1.0], &[1.0, f64::NAN, 1.0], &[1.0, -1.0, 1.0]] {
        assert_eq!(ratio(&sound, odd, 0.0), None);
        assert_eq!(ratio(odd, &sound, 0.0), None);
    }
    assert_eq!(ratio(&sound, &[1.0; MOST + 1], 0.0), None);
}

#[test]
fn a_change_within_the_noise_is_none() {
    // The interval leaves 1 out, and yet the samples differ more among themselves.
    let (before, now) = ([1.0, 1.3, 1.6, 1.3, 1.3], [1.35, 1.4, 1.5, 1.4, 1.4]);
    let found = ratio(&before, &now, 0.0).unwrap();
    assert!(found.ratio > 1.05 && found.noise > 0.1, "{found:?}");
    assert_eq!(found.verdict, Verdict::Same);
    // A change below the least that is called one.
    let tight = |middle: f64| [0.9999, 1.0, 1.0001, 1.0, 1.0].map(|share| share * middle);
    assert_eq!(ratio(&tight(1.0), &tight(1.04), 0.05).unwrap().verdict, Verdict::Same);
    assert_eq!(ratio(&tight(1.0), &tight(1.04), 0.02).unwrap().verdict, Verdict::Slower);
    assert_eq!(ratio(&tight(1.0), &tight(0.9), 0.02).unwrap().verdict, Verdict::Faster);
}

/// Gaussian numbers by the sum of twelve uniform ones.
fn gaussian(random: &mut fastrand::Rng) -> f64 {
    (0..12).map(|_| random.f64()).sum::<f64>() - 6.0
}

/// How a sample may come out: evenly noisy, skewed, or mostly quiet with some far off.
const KINDS: [fn(&mut fastrand::Rng) -> f64; 3] = [
    |random| (1.0 + 0.05 * gaussian(random)).max(0.1),
    |random| (0.1 * gaussian(random)).exp(),
    |random| {
        let quiet = 1.0 + (0.02 * gaussian(random)).abs();
        if random.f64() < 0.15 { quiet * 1.5 } else { quiet }
    },
];

#[test]
fn chance_is_seldom_called_a_difference() {
    const RUNS: usize = 100;
    let mut random = fastrand::Rng::with_seed(7);
    for (count, most) in [(3, 0.10), (5, 0.05), (9, 0.05), (15, 0.05)] {
        let mut called = 0;
        for kind in KINDS {
            let mut run = || (0..count).map(|_| kind(&mut random)).collect::<Vec<_>>();
            let same = |run: &mut dyn FnMut() -> Vec<f64>| {
                ratio(&run(), &run(), 0.0).unwrap().verdict == Verdict::Same
            };
            called += (0..RUNS).filter(|_| !same(&mut run)).count();
        }
        let rate = called as f64 / (RUNS * KINDS.len()) as f64;
        assert!(rate <= most, "{rate} of runs of {count} samples");
    }
}

#[test]
fn a_doubling_is_seldom_missed() {
    let mut random = fastrand::Rng::with_seed(7);
    for kind in KINDS {
        let mut run = |factor: f64| (0..5).map(|_| factor * kind(&mut random)).collect::<Vec<_>>();
        let found = (0..200)
            .filter(|_| ratio(&run(1.0), &run(2.0), 0.05).unwrap().verdict == Verdict::Slower);
        let found = found.count();
        assert!(found >= 190, "{found} of 200");
    }
}

prop_compose! {
    /// Samples within a tenth of their middle.
    fn calm()(
        middle in 1e-6..1e3f64,
        shares in prop::collection::vec(0.95..1.05f64, FEWEST..20),
    ) -> Vec<f64> {
        shares.into_iter().map(|share| share * middle).collect()
    }
}

proptest! {
    #[test]
    fn intervals_hold_their_median(samples in prop::collection::vec(1e-9..1e6f64, 1..60)) {
        let (middle, interval) = (median(&samples).unwrap(), interval(&samples).unwrap());
        prop_assert!(interval.low <= middle && middle <= interval.high);
        prop_assert!((0.0..=1.0).contains(&interval.confidence));
        prop_assert!(samples.len() < 6 || interval.confidence >= 0.95);
        prop_assert!(samples.contains(&interval.low) && samples.contains(&interval.high));
    }

    #[test]
    fn a_run_is_its_own_equal(samples in prop::collection::vec(1e-9..1e6f64, FEWEST..40)) {
        let found = ratio(&samples, &samples, 0.0).unwrap();
        prop_assert_eq!((found.ratio, found.verdict), (1.0, Verdict::Same));
        prop_assert!(found.low <= 1.0 && found.high >= 1.0);
    }

    #[test]
    fn a_factor_is_found(samples in calm(), factor in 1.3..50.0f64) {
        let scaled: Vec<f64> = samples.iter().map(|sample| sample * factor).collect();
        let slower = ratio(&samples, &scaled, 0.05).unwrap();
        prop_assert!((slower.ratio / factor - 1.0).abs() < 1e-9);
        prop_assert!(slower.low <= slower.ratio && slower.ratio <= slower.high);
        prop_assert_eq!(slower.verdict, Verdict::Slower);
        prop_assert_eq!(ratio(&scaled, &samples, 0.05).unwrap().verdict, Verdict::Faster);
    }

    #[test]
    fn the_unit_does_not_matter(a in calm(), b in calm(), unit in 1e-3..1e3f64) {
        let scale = |run: &[f64]| run.iter().map(|sample| sample * unit).collect::<Vec<_>>();
        let (one, other) = (ratio(&a, &b, 0.0).unwrap(), ratio(&scale(&a), &scale(&b), 0.0).unwrap());
        prop_assert!((one.ratio / other.ratio - 1.0).abs() < 1e-9);
        prop_assert!((one.low / other.low - 1.0).abs() < 1e-9);
    }
}
