//! Adding up what parts and requests cost.

use mediaprep_media::Warning;

use super::count::PartFacts;
use super::part_options::PartOptions;
use crate::error::Error;
use crate::plan::{Charge, Planner};
use crate::totals::{KindTotals, Totals, sum};

impl Charge {
    /// Two charges as one: sums, the weaker evidence, everything there is to say. The type and the
    /// way are the first one's.
    pub(super) fn joined(mut self, other: Self) -> Self {
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

/// Plans parts that are all at hand, each under the options of its item, with the texts between them.
pub(super) fn charge_parts<'a>(
    planner: &mut Planner<'a>,
    parts: &[(&PartFacts, &'a PartOptions)],
) -> Vec<Result<Charge, Error>> {
    let texts = parts.iter().filter_map(|(part, _)| part.text.as_ref());
    texts.for_each(|text| planner.add_text(text));
    look_at_parts(planner, parts);
    let mut charge = |(part, options): &(&PartFacts, &'a PartOptions)| {
        options.hold_for(part.role, planner);
        planner.plan(&part.facts)
    };
    parts.iter().map(&mut charge).collect()
}

/// Lets a planner see as much of the parts as it needs before the first is planned.
pub(super) fn look_at_parts<'a>(
    planner: &mut Planner<'a>,
    parts: &[(&PartFacts, &'a PartOptions)],
) {
    if planner.needs_shape() {
        let _ = parts.iter().try_for_each(|(part, options)| {
            options.hold_for(part.role, planner);
            planner.look_at_shape(&part.facts)
        });
    }
    if planner.needs_tokens() {
        let mut scout = planner.clone();
        let _ = parts.iter().try_for_each(|(part, options)| {
            options.hold_for(part.role, &mut scout);
            planner.look_at_tokens(&mut scout, &part.facts)
        });
    }
}

impl Totals {
    /// Adds the totals of another request.
    pub(super) fn merge(&mut self, other: &Self) {
        self.items += other.items;
        self.failed += other.failed;
        self.copies += other.copies;
        self.tokens.merge(other.tokens);
        self.bound = self.bound.max(other.bound);
        self.evidence = self.evidence.max(other.evidence);
        self.cost = sum(self.cost, other.cost);
        for (mine, others) in self.kinds.iter_mut().zip(&other.kinds) {
            mine.merge(others);
        }
        self.largest_request = self.largest_request.max(other.largest_request);
        self.largest_body = self.largest_body.max(other.largest_body);
        self.requests += other.requests;
        for warning in &other.warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
    }

    /// The same without what breaks limits, which the items say themselves.
    pub(super) fn without_breaches(mut self) -> Self {
        self.errors.clear();
        self
    }
}

impl KindTotals {
    fn merge(&mut self, other: &Self) {
        self.files += other.files;
        self.units = self.units.saturating_add(other.units);
        self.milliseconds = self.milliseconds.saturating_add(other.milliseconds);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.cost = sum(self.cost, other.cost);
        for (mine, others) in self.routes.iter_mut().zip(other.routes) {
            *mine += others;
        }
        self.evidence = self.evidence.max(other.evidence);
        self.bound = self.bound.max(other.bound);
    }
}
