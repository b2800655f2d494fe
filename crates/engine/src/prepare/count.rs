//! What parts cost: those of one request together, or each input's in a request of its own.

use mediaprep_media::Modality;
use mediaprep_tokens::{Evidence, estimate_text};

use super::part_options::{PartOptions, RequestOptions};
use super::planned::{Planned, Preparation};
use super::role::Role;
use super::sums::{charge_parts, look_at_parts};
use crate::error::Error;
use crate::options::Requests;
use crate::plan::{Charge, Planner};
use crate::probe::Probed;
use crate::totals::{Totals, sum};

/// One part as far as counting goes.
#[derive(Clone, Debug)]
pub struct PartFacts {
    /// Its header facts, or what they will be.
    pub facts: Probed,
    /// What it shows of its source.
    pub role: Role,
    /// The text before it in the request: the time of a frame.
    pub text: Option<String>,
}

impl PartFacts {
    /// Tokens of the text before it, by the published rule of thumb.
    pub(super) fn text_tokens(&self) -> u64 {
        let characters = self.text.as_ref().map_or(0, |text| text.chars().count() as u64);
        estimate_text(characters).tokens
    }
}

/// What one input's parts cost.
#[derive(Debug)]
pub struct CountedItem {
    /// All parts together, with the texts between them; what a request of its own adds is in `text`
    /// too.
    pub charge: Charge,
    /// Each part, without the text before it.
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
pub(crate) fn count_parts(
    preparation: &Preparation<'_>,
    parts: &[Option<Vec<PartFacts>>],
) -> Counted {
    let counted = match preparation.request.requests {
        Requests::One => count_together(preparation, parts),
        Requests::Each => count_apart(preparation, parts),
    };
    finish_counted(preparation, counted)
}

/// Counts inputs in place of parts.
pub(super) fn finish_counted(preparation: &Preparation<'_>, mut counted: Counted) -> Counted {
    let fails = |item: &&Option<Result<CountedItem, Error>>| match item {
        Some(Ok(item)) => !item.charge.breaches.is_empty(),
        Some(Err(_)) | None => true,
    };
    counted.totals.copies = preparation.copies.len() as u64;
    counted.totals.items = counted.items.len() as u64 + counted.totals.copies;
    counted.totals.failed = counted.items.iter().filter(fails).count() as u64;
    counted
}

fn count_together(preparation: &Preparation<'_>, parts: &[Option<Vec<PartFacts>>]) -> Counted {
    let options = RequestOptions::new(preparation, Requests::One);
    let mut planner = Planner::new(preparation.rules, options.request());
    for label in labels(preparation, parts).into_iter().flatten() {
        planner.add_text(&label);
    }
    let mut charges = charge_parts(&mut planner, &options.with(parts)).into_iter();
    planner.use_options(options.request(), None);
    let item = |parts: &Option<Vec<PartFacts>>| {
        let parts = parts.as_ref()?;
        combine(&planner, parts, charges.by_ref().take(parts.len()))
    };
    let items = parts.iter().map(item).collect();
    Counted { items, totals: planner.finish() }
}

fn count_apart(preparation: &Preparation<'_>, parts: &[Option<Vec<PartFacts>>]) -> Counted {
    let options = RequestOptions::new(preparation, Requests::One);
    let mut totals: Option<Totals> = None;
    let mut items = Vec::with_capacity(parts.len());
    for (item, parts) in parts.iter().enumerate() {
        let Some(parts) = parts else {
            items.push(None);
            continue;
        };
        let (item, alone) = count_alone(preparation, parts, options.of(item));
        items.push(item);
        match &mut totals {
            Some(totals) => totals.merge(&alone),
            None => totals = Some(alone),
        }
    }
    let empty = || Planner::new(preparation.rules, options.request()).finish();
    Counted { items, totals: totals.map_or_else(empty, Totals::without_breaches) }
}

/// One item in a request of its own, and what that costs.
fn count_alone(
    preparation: &Preparation<'_>,
    parts: &[PartFacts],
    options: &PartOptions,
) -> (Option<Result<CountedItem, Error>>, Totals) {
    let mut planner = Planner::new(preparation.rules, options.whole());
    let flat: Vec<_> = parts.iter().map(|part| (part, options)).collect();
    let charges = charge_parts(&mut planner, &flat);
    let mut item = combine(&planner, parts, charges.into_iter());
    let alone = planner.finish();
    if let Some(Ok(item)) = &mut item {
        item.charge.tokens = alone.tokens;
        item.charge.cost = alone.cost;
        item.charge.bound = alone.bound;
        item.charge.evidence = alone.evidence.unwrap_or(item.charge.evidence);
        item.charge.breaches.extend(alone.errors.iter().cloned());
    }
    (item, alone)
}

/// The charges of one item's parts as one, with the texts between them; `None` without parts.
pub(super) fn combine(
    planner: &Planner<'_>,
    parts: &[PartFacts],
    charges: impl Iterator<Item = Result<Charge, Error>>,
) -> Option<Result<CountedItem, Error>> {
    // All are taken before the first error is returned, so that none is left for the next item.
    let charges: Vec<Result<Charge, Error>> = charges.collect();
    let charges: Result<Vec<Charge>, Error> = charges.into_iter().collect();
    match charges {
        Ok(charges) => {
            let mut charge = charges.iter().cloned().reduce(Charge::joined)?;
            add_texts(&mut charge, parts, planner);
            let is_frame = |part: &&PartFacts| matches!(part.role, Role::Frame { .. });
            let frames = parts.iter().filter(is_frame).count() as u64;
            charge.count.frames = charge.count.frames.or((frames > 0).then_some(frames));
            Some(Ok(CountedItem { charge, parts: charges }))
        }
        Err(error) => Some(Err(error)),
    }
}

fn add_texts(charge: &mut Charge, parts: &[PartFacts], planner: &Planner<'_>) {
    let tokens = parts.iter().map(PartFacts::text_tokens).sum();
    if tokens > 0 {
        charge.tokens.add(Modality::Text, tokens);
        charge.evidence = charge.evidence.weakest(Evidence::Inferred);
        charge.cost = sum(charge.cost, planner.text_cost(tokens));
    }
}

/// The text that goes before each item: `image 1`, `image 2` … before images where labels are
/// asked for and the request holds more than one; nothing otherwise.
pub(crate) fn labels(
    preparation: &Preparation<'_>,
    parts: &[Option<Vec<PartFacts>>],
) -> Vec<Option<String>> {
    if preparation.request.requests == Requests::Each {
        return vec![None; parts.len()];
    }
    let slices: Vec<&[PartFacts]> =
        parts.iter().map(|parts| parts.as_deref().unwrap_or_default()).collect();
    label_slices(preparation, &slices)
}

/// The same for what travels in one request.
pub(super) fn label_slices(
    preparation: &Preparation<'_>,
    slices: &[&[PartFacts]],
) -> Vec<Option<String>> {
    let is_image = |parts: &[PartFacts]| {
        parts.first().is_some_and(|part| {
            part.facts.info.modality() == Modality::Image && part.text.is_none()
        })
    };
    let several = slices.iter().filter(|parts| is_image(parts)).count() > 1;
    let mut number = 0;
    let label = |parts: &&[PartFacts]| {
        (preparation.options.labels && several && is_image(parts)).then(|| {
            number += 1;
            format!("image {number}")
        })
    };
    slices.iter().map(label).collect()
}

impl CountedItem {
    /// Two pieces of one item.
    pub(super) fn joined(mut self, mut other: Self) -> Self {
        self.parts.append(&mut other.parts);
        self.charge = self.charge.joined(other.charge);
        self
    }
}

/// Counts the parts of one item after the other as they are made, so that none needs to be kept.
/// What a charge depends on beyond its own item is taken from the plan.
pub struct PartCounter<'a> {
    preparation: &'a Preparation<'a>,
    options: &'a RequestOptions,
    /// Of the one request.
    planner: Planner<'a>,
    /// Of requests of their own.
    apart: Option<Totals>,
}

impl Preparation<'_> {
    /// Has `work` count parts as they are made; what it returns, and what they cost in all.
    pub fn count_while<R>(&self, work: impl FnOnce(&mut PartCounter<'_>) -> R) -> (R, Totals) {
        let options = RequestOptions::new(self, Requests::One);
        let planner = Planner::new(self.rules, options.request());
        let mut counter =
            PartCounter { preparation: self, options: &options, planner, apart: None };
        if self.request.requests == Requests::One {
            counter.look_ahead();
        }
        let done = work(&mut counter);
        let PartCounter { planner, apart, .. } = counter;
        (done, apart.map_or_else(|| planner.finish(), Totals::without_breaches))
    }
}

impl PartCounter<'_> {
    /// Lets the planner see what is planned, as far as it needs.
    fn look_ahead(&mut self) {
        let planned = |item: &super::PlannedItem| item.planned.as_ref().ok().map(Planned::parts);
        let parts: Vec<_> = self.preparation.items.iter().map(planned).collect();
        for label in labels(self.preparation, &parts).into_iter().flatten() {
            self.planner.add_text(&label);
        }
        look_at_parts(&mut self.planner, &self.options.with(&parts));
    }

    /// What the parts of the next item cost, given its place in [`Preparation::items`]; `None`
    /// without parts.
    pub fn count(
        &mut self,
        item: usize,
        parts: &[PartFacts],
    ) -> Option<Result<CountedItem, Error>> {
        let options = self.options.of(item);
        if self.preparation.request.requests == Requests::Each {
            let (item, alone) = count_alone(self.preparation, parts, options);
            match &mut self.apart {
                Some(totals) => totals.merge(&alone),
                None => self.apart = Some(alone),
            }
            return item;
        }
        parts.iter().filter_map(|part| part.text.as_ref()).for_each(|t| self.planner.add_text(t));
        let charge = |part: &PartFacts| {
            options.hold_for(part.role, &mut self.planner);
            self.planner.plan(&part.facts)
        };
        let charges: Vec<_> = parts.iter().map(charge).collect();
        self.planner.use_options(self.options.request(), None);
        combine(&self.planner, parts, charges.into_iter())
    }
}
