//! Adding up what parts and requests cost.

use super::count::PartFacts;
use super::part_options::PartOptions;
use crate::error::Error;
use crate::plan::{Charge, Planner};
use crate::totals::Totals;

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
    /// The same without what breaks limits, which the items say themselves.
    pub(super) fn without_breaches(mut self) -> Self {
        self.errors.clear();
        self
    }
}
