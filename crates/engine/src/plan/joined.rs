//! Charges of several parts as one.

use mediaprep_media::Warning;

use super::Charge;
use crate::totals::sum;

impl Charge {
    /// Two charges as one: sums, the weaker evidence, everything there is to say. The type and the
    /// way are the first one's.
    pub(crate) fn joined(mut self, other: Self) -> Self {
        self.count.media.tokens = self.count.media.tokens.saturating_add(other.count.media.tokens);
        self.count.frames = match (self.count.frames, other.count.frames) {
            (Some(mine), Some(others)) => Some(mine.saturating_add(others)),
            (mine, others) => mine.or(others),
        };
        self.tokens.merge(other.tokens);
        self.bound = self.bound.max(other.bound);
        self.evidence = self.evidence.weakest(other.evidence);
        self.converted |= other.converted;
        self.cost = sum(self.cost, other.cost);
        let more = |mine: &mut Vec<Warning>, others: Vec<Warning>| {
            let news: Vec<_> = others.into_iter().filter(|one| !mine.contains(one)).collect();
            mine.extend(news);
        };
        more(&mut self.warnings, other.warnings);
        more(&mut self.breaches, other.breaches);
        self
    }
}
