//! What parts cost: those of one request together, or each input's in a request of its own.

use mediaprep_media::Modality;

use super::planned::Preparation;
use super::sums::charge_all;
use crate::error::Error;
use crate::options::{PlanOptions, Requests};
use crate::plan::{Charge, Planner};
use crate::probe::Probed;
use crate::totals::Totals;

/// What one input's parts cost.
#[derive(Debug)]
pub struct CountedItem {
    /// All parts together; what a request of its own adds is in `text`.
    pub charge: Charge,
    /// Each part.
    pub parts: Vec<Charge>,
}

/// What the parts of a preparation cost.
#[derive(Debug)]
pub struct Counted {
    /// In the order of the items; `None` for items without parts.
    pub items: Vec<Option<Result<CountedItem, Error>>>,
    /// All of them. `items` and `failed` count inputs, the rest counts parts.
    pub totals: Totals,
}

/// Counts parts, given in the order of the preparation's items; `None` for failed items.
pub(crate) fn count_parts(preparation: &Preparation<'_>, parts: &[Option<Vec<Probed>>]) -> Counted {
    let mut counted = match preparation.request.requests {
        Requests::One => count_together(preparation, parts),
        Requests::Each => count_apart(preparation, parts),
    };
    let fails = |item: &&Option<Result<CountedItem, Error>>| match item {
        Some(Ok(item)) => !item.charge.breaches.is_empty(),
        Some(Err(_)) | None => true,
    };
    counted.totals.items = counted.items.len() as u64;
    counted.totals.failed = counted.items.iter().filter(fails).count() as u64;
    counted
}

fn count_together(preparation: &Preparation<'_>, parts: &[Option<Vec<Probed>>]) -> Counted {
    let mut planner = Planner::new(preparation.rules, &preparation.request);
    for label in labels(preparation, parts).into_iter().flatten() {
        planner.add_text(&label);
    }
    let flat: Vec<&Probed> = parts.iter().flatten().flatten().collect();
    let mut charges = charge_all(&mut planner, &flat).into_iter();
    let items =
        parts.iter().map(|parts| combine(charges.by_ref().take(parts.as_ref()?.len()))).collect();
    Counted { items, totals: planner.finish() }
}

fn count_apart(preparation: &Preparation<'_>, parts: &[Option<Vec<Probed>>]) -> Counted {
    let request = PlanOptions { requests: Requests::One, ..preparation.request.clone() };
    let mut totals: Option<Totals> = None;
    let mut items = Vec::with_capacity(parts.len());
    for parts in parts {
        let Some(parts) = parts else {
            items.push(None);
            continue;
        };
        let mut planner = Planner::new(preparation.rules, &request);
        let flat: Vec<&Probed> = parts.iter().collect();
        let mut item = combine(charge_all(&mut planner, &flat).into_iter());
        let alone = planner.finish();
        if let Some(Ok(item)) = &mut item {
            item.charge.tokens = alone.tokens;
            item.charge.cost = alone.cost;
            item.charge.bound = alone.bound;
            item.charge.evidence = alone.evidence.unwrap_or(item.charge.evidence);
            item.charge.breaches.extend(alone.errors.iter().cloned());
        }
        items.push(item);
        match &mut totals {
            Some(totals) => totals.merge(&alone),
            None => totals = Some(alone),
        }
    }
    let empty = || Planner::new(preparation.rules, &request).finish();
    Counted { items, totals: totals.map_or_else(empty, Totals::without_breaches) }
}

/// The charges of one item's parts as one; `None` without parts.
fn combine(
    charges: impl Iterator<Item = Result<Charge, Error>>,
) -> Option<Result<CountedItem, Error>> {
    // All are taken before the first error is returned, so that none is left for the next item.
    let parts: Vec<Result<Charge, Error>> = charges.collect();
    let parts: Result<Vec<Charge>, Error> = parts.into_iter().collect();
    match parts {
        Ok(parts) => {
            let charge = parts.iter().cloned().reduce(Charge::joined)?;
            Some(Ok(CountedItem { charge, parts }))
        }
        Err(error) => Some(Err(error)),
    }
}

/// The text that goes before each item: `image 1`, `image 2` … before images where labels are
/// asked for and the request holds more than one; nothing otherwise.
pub(crate) fn labels(
    preparation: &Preparation<'_>,
    parts: &[Option<Vec<Probed>>],
) -> Vec<Option<String>> {
    let is_image = |parts: &Option<Vec<Probed>>| {
        let first = parts.as_ref().and_then(|parts| parts.first());
        first.is_some_and(|part| part.info.modality() == Modality::Image)
    };
    let images = parts.iter().filter(|parts| is_image(parts)).count();
    let several = images > 1 && preparation.request.requests == Requests::One;
    let mut number = 0;
    let mut label = |parts: &Option<Vec<Probed>>| {
        (preparation.options.labels && several && is_image(parts)).then(|| {
            number += 1;
            format!("image {number}")
        })
    };
    parts.iter().map(&mut label).collect()
}
