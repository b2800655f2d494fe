//! The multiple-choice knapsack: of every class one choice, so that the costs stay within a capacity
//! and the losses add up to as little as possible. Pure arithmetic over whole numbers.
//!
//! Small problems are solved exactly, by the [front] of all sums that no other sum beats; how
//! small is a matter of the classes alone, never of the capacity. Large ones are solved along the
//! [path] of the linear relaxation, improved by an exact search among the classes next to the
//! break. Then [`Solution::bound`] says what the least loss may be.
//!
//! **A larger capacity never gives a larger loss.** For the exact solution that is plain. For the
//! path: its prefixes are the same for every capacity, and each is optimal for the capacity that it
//! uses up. Of two capacities with different longest prefixes, the larger one's prefix is optimal for
//! a capacity above the smaller one, so nothing within the smaller one beats it. With the same
//! longest prefix, the search is over a set of combinations that depends on the prefix alone, of which
//! a larger capacity admits more.

mod both;
mod front;
mod path;

pub(super) use both::{TwoCosts, solve_both};

use front::Front;

/// What one choice costs, and what is lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) cost: u64,
    pub(super) loss: u64,
}

/// One choice of every class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Solution {
    /// The choice of each class, by its place there.
    pub(super) chosen: Vec<usize>,
    /// The sum of the losses.
    pub(super) loss: u128,
    /// No combination within the capacity loses less; `None` when none is within it.
    pub(super) bound: Option<u128>,
    /// Whether the costs are within the capacity; otherwise everything is at its cheapest.
    pub(super) fits: bool,
}

/// Exact while the fronts that are stored and the sums that are formed on the way to them are at most
/// this many: about a second, and fifty megabytes.
const EXACT_WORK: usize = 1 << 20;

/// With more classes than this no exact solution is tried.
const EXACT_CLASSES: usize = 4096;

/// A choice that no other of its class beats, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Efficient {
    cost: u64,
    loss: u64,
    place: usize,
}

/// The choices of a class that no other beats, cheapest first, each losing less than the one before.
fn efficient(class: &[Choice]) -> Vec<Efficient> {
    let mut choices: Vec<Efficient> = (0..)
        .zip(class)
        .map(|(place, choice)| Efficient { cost: choice.cost, loss: choice.loss, place })
        .collect();
    choices.sort_by_key(|choice| (choice.cost, choice.loss, choice.place));
    let mut least = None;
    choices.retain(|choice| {
        let better = least.is_none_or(|least| choice.loss < least);
        if better {
            least = Some(choice.loss);
        }
        better
    });
    choices
}

/// The classes by their efficient choices; none is empty.
struct Classes(Vec<Vec<Efficient>>);

impl Classes {
    /// `None` when a class has no choice.
    fn new(classes: &[Vec<Choice>]) -> Option<Self> {
        let classes: Vec<_> = classes.iter().map(|class| efficient(class)).collect();
        classes.iter().all(|class| !class.is_empty()).then_some(Self(classes))
    }

    fn solution(&self, at: impl Fn(usize, &[Efficient]) -> usize) -> Solution {
        let mut solution = Solution { chosen: Vec::new(), loss: 0, bound: None, fits: true };
        for (index, class) in self.0.iter().enumerate() {
            if let Some(choice) = class.get(at(index, class)) {
                solution.chosen.push(choice.place);
                solution.loss += u128::from(choice.loss);
            }
        }
        solution.bound = Some(solution.loss);
        solution
    }

    fn cost(&self, at: impl Fn(&[Efficient]) -> Option<&Efficient>) -> u128 {
        self.0.iter().filter_map(|class| at(class)).map(|choice| u128::from(choice.cost)).sum()
    }

    fn exact(&self, capacity: u128) -> Option<Solution> {
        if self.0.len() > EXACT_CLASSES {
            return None;
        }
        let mut front = Front::new();
        let mut work = EXACT_WORK;
        for class in &self.0 {
            if !front.extend(class, &mut work, |_, _| true) {
                return None;
            }
        }
        let at = front.trace(front.best(capacity)?);
        Some(self.solution(|index, _| at.get(index).copied().unwrap_or(0)))
    }
}

/// Solves the problem; `None` when a class has no choice.
pub(super) fn solve(classes: &[Vec<Choice>], capacity: u128) -> Option<Solution> {
    let classes = Classes::new(classes)?;
    if classes.cost(|class| class.first()) > capacity {
        return Some(Solution { fits: false, bound: None, ..classes.solution(|_, _| 0) });
    }
    if classes.cost(|class| class.last()) <= capacity {
        return Some(classes.solution(|_, class| class.len() - 1));
    }
    Some(classes.exact(capacity).unwrap_or_else(|| path::solve(&classes, capacity)))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn classes(
        count: std::ops::Range<usize>,
        cost: u64,
    ) -> impl Strategy<Value = Vec<Vec<Choice>>> {
        let choice = (0..cost, 0u64..1000).prop_map(|(cost, loss)| Choice { cost, loss });
        prop::collection::vec(prop::collection::vec(choice, 1..5), count)
    }

    fn least(classes: &[Vec<Choice>], capacity: u128) -> Option<u128> {
        let Some((class, rest)) = classes.split_first() else { return Some(0) };
        let with = |choice: &Choice| {
            let left = capacity.checked_sub(u128::from(choice.cost))?;
            Some(least(rest, left)? + u128::from(choice.loss))
        };
        class.iter().filter_map(with).min()
    }

    /// Costs and losses as they are summed by somebody else.
    fn sums(classes: &[Vec<Choice>], solution: &Solution) -> (u128, u128) {
        assert_eq!(classes.len(), solution.chosen.len());
        classes.iter().zip(&solution.chosen).fold((0, 0), |(cost, loss), (class, &at)| {
            (cost + u128::from(class[at].cost), loss + u128::from(class[at].loss))
        })
    }

    fn along_the_path(classes: &[Vec<Choice>], capacity: u128) -> Solution {
        let classes = Classes::new(classes).unwrap();
        if classes.cost(|class| class.first()) > capacity {
            return Solution { fits: false, bound: None, ..classes.solution(|_, _| 0) };
        }
        path::solve(&classes, capacity)
    }

    #[test]
    fn a_class_without_choices_has_no_solution() {
        assert_eq!(solve(&[vec![]], 5), None);
        let nothing = solve(&[], 0).unwrap();
        assert!(nothing.fits && nothing.chosen.is_empty() && nothing.loss == 0);
    }

    #[test]
    fn the_cheapest_is_chosen_where_nothing_fits() {
        let class = vec![Choice { cost: 9, loss: 0 }, Choice { cost: 4, loss: 7 }];
        let solution = solve(&[class.clone(), class], 7).unwrap();
        assert!(!solution.fits);
        assert_eq!((solution.chosen, solution.loss), (vec![1, 1], 14));
    }

    proptest! {
        #[test]
        fn small_problems_are_solved_as_by_trying_everything(
            classes in classes(0..7, 50), capacity in 0u128..300,
        ) {
            let solution = solve(&classes, capacity).unwrap();
            let (cost, loss) = sums(&classes, &solution);
            let least = least(&classes, capacity);
            prop_assert_eq!(solution.fits, least.is_some());
            prop_assert_eq!(solution.loss, loss);
            if let Some(least) = least {
                prop_assert!(cost <= capacity);
                prop_assert_eq!((loss, solution.bound), (least, Some(least)));
            }
        }

        #[test]
        fn the_path_is_within_its_gap(classes in classes(0..7, 50), capacity in 0u128..300) {
            let solution = along_the_path(&classes, capacity);
            let (cost, loss) = sums(&classes, &solution);
            prop_assert_eq!(solution.loss, loss);
            if let Some(least) = least(&classes, capacity) {
                prop_assert!(solution.fits && cost <= capacity);
                prop_assert!(loss >= least && solution.bound.unwrap() <= least);
            }
        }

        #[test]
        fn a_larger_capacity_never_loses_more(
            classes in classes(0..40, 2000), a in 0u128..40_000, b in 0u128..40_000,
        ) {
            let (small, large) = (a.min(b), a.max(b));
            for solver in [|c: &[Vec<Choice>], at| solve(c, at).unwrap(), along_the_path] {
                let (small, large) = (solver(&classes, small), solver(&classes, large));
                prop_assert!(large.loss <= small.loss || !small.fits);
                prop_assert!(large.fits || !small.fits);
            }
        }

        #[test]
        fn it_is_monotone_at_every_step_of_the_capacity(classes in classes(1..12, 30)) {
            let mut before: Option<u128> = None;
            for capacity in 0..360 {
                let solution = along_the_path(&classes, capacity);
                if solution.fits {
                    prop_assert!(before.is_none_or(|before| solution.loss <= before));
                    prop_assert!(sums(&classes, &solution).0 <= capacity);
                    before = Some(solution.loss);
                }
            }
        }
    }

    /// Numbers that look random and are the same every time.
    pub(super) fn scattered(count: usize) -> Vec<Vec<Choice>> {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        (0..count)
            .map(|_| {
                let full = 258 + next(5000);
                let mut class = vec![Choice { cost: full, loss: 0 }];
                class.extend((0..6).map(|_| {
                    let cost = 1 + next(full);
                    Choice { cost, loss: (full - cost) * (50 + next(150)) }
                }));
                class
            })
            .collect()
    }

    #[test]
    fn a_hundred_thousand_classes() {
        let classes = scattered(100_000);
        let whole: u128 = classes.iter().map(|class| u128::from(class[0].cost)).sum();
        let mut before = u128::MAX;
        for share in [30, 50, 70, 95] {
            let capacity = whole * share / 100;
            let started = std::time::Instant::now();
            let solution = solve(&classes, capacity).unwrap();
            println!(
                "{share} %: loss {}, at least {:?}, {:?}",
                solution.loss,
                solution.bound,
                started.elapsed()
            );
            let (cost, loss) = sums(&classes, &solution);
            assert!(solution.fits && cost <= capacity && loss == solution.loss);
            assert!(loss < before);
            assert!(solution.bound.unwrap() * 1001 >= loss * 1000, "the gap is under a thousandth");
            before = loss;
        }
    }
}
