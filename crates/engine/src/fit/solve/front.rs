//! All sums of one choice of each class that no other sum beats.

use super::Efficient;

/// A sum of one choice of each class so far.
#[derive(Clone, Copy, Debug)]
struct Point {
    cost: u128,
    loss: u128,
    /// The sum of the classes before, by its place in the layer before.
    from: u32,
    /// The choice of the last class.
    choice: u32,
}

/// The sums after each class, cheapest first, each losing less than the one before.
pub(super) struct Front {
    layers: Vec<Vec<Point>>,
}

impl Front {
    /// The sum of nothing.
    pub(super) fn new() -> Self {
        Self { layers: vec![vec![Point { cost: 0, loss: 0, from: 0, choice: 0 }]] }
    }

    /// Adds a class, keeping the sums of cost and loss that `keep` wants. `false`, and nothing is
    /// changed, when it would take more sums than `work` allows.
    pub(super) fn extend(
        &mut self,
        class: &[Efficient],
        work: &mut usize,
        keep: impl Fn(u128, u128) -> bool,
    ) -> bool {
        let Some(last) = self.layers.last() else { return false };
        let Some(left) = work.checked_sub(last.len().saturating_mul(class.len())) else {
            return false;
        };
        *work = left;
        let mut sums = Vec::with_capacity(last.len() * class.len());
        for (from, point) in (0..).zip(last) {
            for (choice, efficient) in (0..).zip(class) {
                let cost = point.cost + u128::from(efficient.cost);
                let loss = point.loss + u128::from(efficient.loss);
                if keep(cost, loss) {
                    sums.push(Point { cost, loss, from, choice });
                }
            }
        }
        sums.sort_unstable_by_key(|sum| (sum.cost, sum.loss, sum.from, sum.choice));
        let mut least = u128::MAX;
        sums.retain(|sum| {
            let better = sum.loss < least;
            least = least.min(sum.loss);
            better
        });
        sums.shrink_to_fit();
        self.layers.push(sums);
        true
    }

    /// The place of the sum that loses least within a capacity.
    pub(super) fn best(&self, capacity: u128) -> Option<usize> {
        let last = self.layers.last()?;
        last.partition_point(|point| point.cost <= capacity).checked_sub(1)
    }

    /// What the sum at a place loses.
    pub(super) fn loss(&self, at: usize) -> Option<u128> {
        Some(self.layers.last()?.get(at)?.loss)
    }

    /// The choice of each class that makes up the sum at a place.
    pub(super) fn trace(&self, at: usize) -> Vec<usize> {
        let mut at = at;
        let mut choices: Vec<usize> = self.layers[1..]
            .iter()
            .rev()
            .filter_map(|layer| {
                let point = layer.get(at)?;
                at = point.from as usize;
                Some(point.choice as usize)
            })
            .collect();
        choices.reverse();
        choices
    }
}
