//! Two capacities at once: the paths of nine mixtures of the two costs.
//!
//! The mixtures and their paths are the same for every pair of capacities, and the answer is the
//! prefix of any of them that is within both and loses least; so a larger capacity never gives a
//! larger loss. The bound is the better of those for each capacity alone.

use super::{Choice, Classes, Solution, path};

/// What one choice costs in two currencies, and what is lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fit) struct TwoCosts {
    pub(in crate::fit) costs: [u64; 2],
    pub(in crate::fit) loss: u64,
}

/// The mixtures are 0 : 8 to 8 : 0.
const PARTS: u128 = 8;

/// Solves the problem with two capacities; `None` when a class has no choice. Where no prefix is
/// within both, everything is at its cheapest in the first currency.
pub(in crate::fit) fn solve_both(
    classes: &[Vec<TwoCosts>],
    capacities: [u128; 2],
) -> Option<Solution> {
    let alone = |currency: usize| mixed(classes, |choice| u128::from(choice.costs[currency]));
    let single = [alone(0)?, alone(1)?];
    let floors = [0, 1].map(|at: usize| single[at].cost(|class| class.first()));
    if floors[0] > capacities[0] || floors[1] > capacities[1] {
        let dear = usize::from(floors[0] <= capacities[0]);
        return Some(Solution { fits: false, bound: None, ..single[dear].solution(|_, _| 0) });
    }
    let bounds = [0, 1].map(|at: usize| path::lower_bound(&single[at], capacities[at]));
    let bound = bounds[0].max(bounds[1]);
    let nothing = Solution { fits: false, bound: Some(bound), ..single[0].solution(|_, _| 0) };
    let [first, second] = [0, 1].map(|at| dearest(classes, at));
    let mut best: Option<Solution> = None;
    for part in 0..=PARTS {
        let mixture = mixed(classes, |choice| {
            let [a, b] = choice.costs.map(u128::from);
            (a * second * part).saturating_add(b * first * (PARTS - part))
        })?;
        let found = best_prefix(classes, &mixture, capacities);
        best = best.into_iter().chain(found).min_by_key(|solution| solution.loss);
    }
    Some(best.map_or(nothing, |best| Solution { bound: Some(bound), ..best }))
}

/// The dearest choice in one currency, at least 1, cut to 60 bits so that products fit.
fn dearest(classes: &[Vec<TwoCosts>], currency: usize) -> u128 {
    let costs = classes.iter().flatten().map(|choice| choice.costs[currency]);
    u128::from(costs.max().unwrap_or(1).clamp(1, 1 << 60))
}

/// The problem with a single cost, shifted down where it does not fit 64 bits.
fn mixed(classes: &[Vec<TwoCosts>], cost: impl Fn(&TwoCosts) -> u128) -> Option<Classes> {
    let largest = classes.iter().flatten().map(&cost).max().unwrap_or(0);
    let shift = (128 - largest.leading_zeros()).saturating_sub(64);
    let single = |choice: &TwoCosts| {
        let cost = u64::try_from(cost(choice) >> shift).unwrap_or(u64::MAX);
        Choice { cost, loss: choice.loss }
    };
    let classes: Vec<Vec<Choice>> =
        classes.iter().map(|class| class.iter().map(single).collect()).collect();
    Classes::new(&classes)
}

/// The prefix of a mixture's path that is within both capacities and loses least.
fn best_prefix(
    classes: &[Vec<TwoCosts>],
    mixture: &Classes,
    capacities: [u128; 2],
) -> Option<Solution> {
    let cost = |class: usize, at: usize| {
        let choice = mixture.0[class][at];
        classes[class][choice.place].costs.map(u128::from)
    };
    let mut sums = [0u128; 2];
    for class in 0..classes.len() {
        let [a, b] = cost(class, 0);
        sums = [sums[0] + a, sums[1] + b];
    }
    let within = |sums: [u128; 2]| sums[0] <= capacities[0] && sums[1] <= capacities[1];
    // Every step of a path loses less than the one before: the last prefix within is the best.
    let (mut taken, mut last) = (0usize, within(sums).then_some(0));
    let mut at = vec![0; classes.len()];
    path::walk(mixture, &mut |class, to| {
        let (old, new) = (cost(class, at[class]), cost(class, to));
        sums = [sums[0] - old[0] + new[0], sums[1] - old[1] + new[1]];
        at[class] = to;
        taken += 1;
        if within(sums) {
            last = Some(taken);
        }
    });
    let mut left = last?;
    at.fill(0);
    path::walk(mixture, &mut |class, to| {
        if left > 0 {
            at[class] = to;
            left -= 1;
        }
    });
    Some(mixture.solution(|index, _| at[index]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::solve;
    use super::*;

    fn classes() -> impl Strategy<Value = Vec<Vec<TwoCosts>>> {
        let choice = (0u64..50, 0u64..50, 0u64..1000)
            .prop_map(|(a, b, loss)| TwoCosts { costs: [a, b], loss });
        prop::collection::vec(prop::collection::vec(choice, 1..5), 0..6)
    }

    fn least(classes: &[Vec<TwoCosts>], left: [u128; 2]) -> Option<u128> {
        let Some((class, rest)) = classes.split_first() else { return Some(0) };
        let with = |choice: &TwoCosts| {
            let a = left[0].checked_sub(u128::from(choice.costs[0]))?;
            let b = left[1].checked_sub(u128::from(choice.costs[1]))?;
            Some(least(rest, [a, b])? + u128::from(choice.loss))
        };
        class.iter().filter_map(with).min()
    }

    proptest! {
        #[test]
        fn both_capacities_hold_and_the_gap_is_a_bound(
            classes in classes(), capacities in [0u128..200, 0u128..200],
        ) {
            let solution = solve_both(&classes, capacities).unwrap();
            if solution.fits {
                for (currency, capacity) in capacities.into_iter().enumerate() {
                    let chosen = classes.iter().zip(&solution.chosen);
                    let sum: u128 = chosen.map(|(c, &at)| u128::from(c[at].costs[currency])).sum();
                    prop_assert!(sum <= capacity);
                }
                let least = least(&classes, capacities).unwrap();
                prop_assert!(solution.loss >= least && solution.bound.unwrap() <= least);
            }
        }

        #[test]
        fn larger_capacities_never_lose_more(
            classes in classes(), small in [0u128..200, 0u128..200], more in [0u128..99, 0u128..99],
        ) {
            let before = solve_both(&classes, small).unwrap();
            let after = solve_both(&classes, [small[0] + more[0], small[1] + more[1]]).unwrap();
            prop_assert!(!before.fits || (after.fits && after.loss <= before.loss));
        }

        #[test]
        fn one_loose_capacity_is_as_none(classes in classes(), capacity in 0u128..200) {
            let both = solve_both(&classes, [capacity, u128::MAX]).unwrap();
            let single: Vec<Vec<Choice>> = classes
                .iter()
                .map(|class| {
                    class.iter().map(|c| Choice { cost: c.costs[0], loss: c.loss }).collect()
                })
                .collect();
            let alone = solve(&single, capacity).unwrap();
            prop_assert_eq!(both.fits, alone.fits);
            prop_assert!(both.loss >= alone.loss);
            prop_assert!(!both.fits || both.bound.unwrap() <= alone.loss);
        }
    }
}
