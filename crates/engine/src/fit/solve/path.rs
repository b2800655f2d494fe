//! Large problems: the path of the linear relaxation, and a search around where it breaks off.
//!
//! Every class goes from its cheapest choice to its least loss along the corners of its convex hull.
//! All those steps, the most loss saved for each unit of cost first, are the path; after any number
//! of steps nothing of the same cost loses less. The longest prefix within the capacity stops before
//! the *break*. What the relaxation would still gain with the rest of the capacity bounds the gap.

use std::cmp::Ordering;

use super::front::Front;
use super::{Classes, Efficient, Solution};

/// A step of one class to a corner of its hull.
struct Step {
    class: usize,
    /// The corner it leads to, by its place among the efficient choices.
    to: usize,
    /// What it costs more, at least 1.
    cost: u64,
    /// What it loses less, at least 1.
    gain: u64,
}

impl Step {
    /// The order of the path: steepest first, then by class and corner.
    fn order(&self, other: &Self) -> Ordering {
        steepness((self.gain, self.cost), (other.gain, other.cost))
            .reverse()
            .then_with(|| (self.class, self.to).cmp(&(other.class, other.to)))
    }
}

/// Compares two gains for each unit of cost, without dividing.
fn steepness(a: (u64, u64), b: (u64, u64)) -> Ordering {
    (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
}

/// The corners of a class's lower convex hull, cheapest first.
fn hull(class: &[Efficient]) -> Vec<usize> {
    let slope = |from: usize, to: usize| {
        let (a, b) = (class[from], class[to]);
        (a.loss - b.loss, b.cost - a.cost)
    };
    let mut corners: Vec<usize> = Vec::new();
    for next in 0..class.len() {
        while let [.., a, b] = corners[..] {
            if steepness(slope(a, b), slope(b, next)).is_ge() {
                break;
            }
            corners.pop();
        }
        corners.push(next);
    }
    corners
}

/// All steps of all classes, in the order of the path.
fn steps(classes: &Classes) -> Vec<Step> {
    let mut steps = Vec::new();
    for (class, choices) in classes.0.iter().enumerate() {
        steps.extend(hull(choices).windows(2).map(|two| {
            let (from, to) = (choices[two[0]], choices[two[1]]);
            Step { class, to: two[1], cost: to.cost - from.cost, gain: from.loss - to.loss }
        }));
    }
    steps.sort_unstable_by(Step::order);
    steps
}

/// Where the path stands.
struct Prefix {
    /// How many steps are taken.
    taken: usize,
    /// The efficient choice of each class.
    at: Vec<usize>,
    /// The capacity that is left; less than the next step costs.
    left: u128,
}

/// The longest prefix within the capacity, which the cheapest choices are known to be within.
fn longest_prefix(classes: &Classes, steps: &[Step], capacity: u128) -> Prefix {
    let floor = classes.cost(|class| class.first());
    let mut prefix =
        Prefix { taken: 0, at: vec![0; classes.0.len()], left: capacity.saturating_sub(floor) };
    for step in steps {
        let Some(left) = prefix.left.checked_sub(u128::from(step.cost)) else { break };
        prefix.left = left;
        prefix.at[step.class] = step.to;
        prefix.taken += 1;
    }
    prefix
}

/// Solves a problem whose cheapest choices are within the capacity.
pub(super) fn solve(classes: &Classes, capacity: u128) -> Solution {
    let steps = steps(classes);
    let mut prefix = longest_prefix(classes, &steps, capacity);
    let Some(next) = steps.get(prefix.taken) else {
        return classes.solution(|index, _| prefix.at[index]);
    };
    let relaxed = classes.solution(|index, _| prefix.at[index]).loss - further_gain(next, &prefix);
    Core::around(classes, &steps, &prefix).improve(&mut prefix);
    let solution = classes.solution(|index, _| prefix.at[index]);
    Solution { bound: Some(relaxed), ..solution }
}

/// What the relaxation gains by a part of the next step, rounded down: losses are whole numbers.
fn further_gain(next: &Step, prefix: &Prefix) -> u128 {
    u128::from(next.gain) * prefix.left / u128::from(next.cost)
}

/// No solution within the capacity, which the cheapest choices are known to be within, loses less.
pub(super) fn lower_bound(classes: &Classes, capacity: u128) -> u128 {
    let steps = steps(classes);
    let prefix = longest_prefix(classes, &steps, capacity);
    let loss = classes.solution(|index, _| prefix.at[index]).loss;
    loss - steps.get(prefix.taken).map_or(0, |next| further_gain(next, &prefix))
}

/// The choices of the path at every one of its prefixes, for each of which `each` is called with the
/// step that leads to it.
pub(super) fn walk(classes: &Classes, each: &mut dyn FnMut(usize, usize)) {
    for step in steps(classes) {
        each(step.class, step.to);
    }
}

/// How many classes are searched.
const CORE_CLASSES: usize = 64;
/// How many steps of the path are looked at to find them, on either side of the break.
const CORE_STEPS: usize = 1024;
/// How many sums the search may form.
const CORE_WORK: usize = 1 << 18;

/// The classes whose steps lie next to the break. Which they are, and which of their combinations are
/// looked at, depends on the prefix alone, never on what is left of the capacity.
struct Core<'a> {
    classes: Vec<(usize, &'a [Efficient])>,
    /// What the prefix spends on them.
    cost: u128,
    /// What the prefix loses by them.
    loss: u128,
    /// No capacity with this prefix leaves more than this for them.
    most: u128,
}

impl<'a> Core<'a> {
    fn around(classes: &'a Classes, steps: &[Step], prefix: &Prefix) -> Self {
        let mut chosen: Vec<usize> = Vec::new();
        for distance in 0..CORE_STEPS {
            let after = steps.get(prefix.taken + distance);
            let before = prefix.taken.checked_sub(distance + 1).and_then(|at| steps.get(at));
            for step in after.into_iter().chain(before) {
                if chosen.len() < CORE_CLASSES && !chosen.contains(&step.class) {
                    chosen.push(step.class);
                }
            }
        }
        let spent = |index: &usize| classes.0[*index][prefix.at[*index]];
        let cost = chosen.iter().map(|index| u128::from(spent(index).cost)).sum();
        let loss = chosen.iter().map(|index| u128::from(spent(index).loss)).sum();
        let room = steps.get(prefix.taken).map_or(0, |next| u128::from(next.cost) - 1);
        let classes = chosen.iter().map(|&index| (index, classes.0[index].as_slice())).collect();
        Self { classes, cost, loss, most: cost + room }
    }

    /// Puts the best combination of the core that the capacity has room for in place of the prefix's,
    /// where it loses less.
    fn improve(&self, prefix: &mut Prefix) {
        let (front, searched) = self.front();
        let rest = &self.classes[searched..];
        let spent = |choice: fn(&Efficient) -> u64| -> u128 {
            rest.iter().map(|(index, class)| u128::from(choice(&class[prefix.at[*index]]))).sum()
        };
        let (cost, loss) = (spent(|choice| choice.cost), spent(|choice| choice.loss));
        let Some(best) = front.best((self.cost + prefix.left).saturating_sub(cost)) else { return };
        if front.loss(best).is_some_and(|found| found + loss < self.loss) {
            for ((index, _), to) in self.classes.iter().zip(front.trace(best)) {
                prefix.at[*index] = to;
            }
        }
    }

    /// The combinations that can still be within the room and lose less than the prefix, of as many
    /// classes as the work allows.
    fn front(&self) -> (Front, usize) {
        let cheapest = |class: &[Efficient]| class.first().map_or(0, |choice| choice.cost);
        let kindest = |class: &[Efficient]| class.last().map_or(0, |choice| choice.loss);
        let mut cost: u128 =
            self.classes.iter().map(|(_, class)| u128::from(cheapest(class))).sum();
        let mut loss: u128 = self.classes.iter().map(|(_, class)| u128::from(kindest(class))).sum();
        let (mut front, mut work) = (Front::new(), CORE_WORK);
        for (searched, (_, class)) in self.classes.iter().enumerate() {
            cost -= u128::from(cheapest(class));
            loss -= u128::from(kindest(class));
            let keep = |c: u128, l: u128| c + cost <= self.most && l + loss < self.loss;
            if !front.extend(class, &mut work, keep) {
                return (front, searched);
            }
        }
        (front, self.classes.len())
    }
}
