//! What parts cost: those of one request together, or each input's in a request of its own.

use mediaprep_media::Modality;
use mediaprep_tokens::{Evidence, estimate_text};

use super::part_options::RequestOptions;
use super::planned::Preparation;
use super::role::Role;
use super::sums::charge_parts;
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
    fn text_tokens(&self) -> u64 {
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

fn count_together(preparation: &Preparation<'_>, parts: &[Option<Vec<PartFacts>>]) -> Counted {
    let options = RequestOptions::new(preparation, Requests::One);
    let mut planner = Planner::new(preparation.rules, options.request());
    for label in labels(preparation, parts).into_iter().flatten() {
        planner.add_text(&label);
    }
    let of_item = |(item, parts)| {
        let options = options.of(item);
        let parts: &Option<Vec<PartFacts>> = parts;
        parts.iter().flatten().map(move |part| (part, options))
    };
    let flat: Vec<_> = parts.iter().enumerate().flat_map(of_item).collect();
    let mut charges = charge_parts(&mut planner, &flat).into_iter();
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
        let options = options.of(item);
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
        items.push(item);
        match &mut totals {
            Some(totals) => totals.merge(&alone),
            None => totals = Some(alone),
        }
    }
    let empty = || Planner::new(preparation.rules, options.request()).finish();
    Counted { items, totals: totals.map_or_else(empty, Totals::without_breaches) }
}

/// The charges of one item's parts as one, with the texts between them; `None` without parts.
fn combine(
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
    let is_image = |parts: &Option<Vec<PartFacts>>| {
        let first = parts.as_ref().and_then(|parts| parts.first());
        first.is_some_and(|part| {
            part.facts.info.modality() == Modality::Image && part.text.is_none()
        })
    };
    let images = parts.iter().filter(|parts| is_image(parts)).count();
    let several = images > 1 && preparation.request.requests == Requests::One;
    let mut number = 0;
    let mut label = |parts: &Option<Vec<PartFacts>>| {
        (preparation.options.labels && several && is_image(parts)).then(|| {
            number += 1;
            format!("image {number}")
        })
    };
    parts.iter().map(&mut label).collect()
}
