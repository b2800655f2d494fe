//! Which parts travel together: all in one request, each item in its own, or as many requests as
//! the service's limits ask for.
//!
//! Splitting is greedy in sending order: a request takes items as long as it stays within every
//! hard limit of a request (images, pages, documents, videos, sounds, the body's bytes, the window),
//! then the next one begins. The parts of an item stay together unless the item alone is too large.

use std::ops::Range;

use super::count::{Counted, CountedItem, PartFacts, combine, finish_counted, label_slices};
use super::part_options::RequestOptions;
use super::planned::Preparation;
use super::sums::charge_parts;
use crate::error::Error;
use crate::options::Requests;
use crate::plan::{Charge, Planner};
use crate::totals::Totals;

/// Some of an item's parts inside a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestItem {
    /// The item's place in [`Preparation::items`].
    pub item: usize,
    /// Which of its parts, by their places; all of them unless the item alone is too large.
    pub parts: Range<usize>,
    /// The text before it.
    pub label: Option<String>,
}

/// What travels in one request, in sending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestParts {
    /// Its items.
    pub items: Vec<RequestItem>,
}

/// Some parts of an item.
#[derive(Clone)]
struct Unit<'a> {
    item: usize,
    first: usize,
    parts: &'a [PartFacts],
}

impl<'a> Unit<'a> {
    fn take(&mut self, count: usize) -> Self {
        let (taken, rest) = self.parts.split_at(count);
        let unit = Self { item: self.item, first: self.first, parts: taken };
        (self.first, self.parts) = (self.first + count, rest);
        unit
    }
}

impl Preparation<'_> {
    /// The requests that the parts of all items make, as the request's options have it: one, or one
    /// for each item. `parts` are those of the items, in their order; `None` for failed items.
    pub fn requests(&self, parts: &[Option<Vec<PartFacts>>]) -> Vec<RequestParts> {
        let units = units(parts);
        match self.request.requests {
            Requests::One if units.is_empty() => Vec::new(),
            Requests::One => vec![self.request_of(&units)],
            Requests::Each => {
                units.iter().map(|unit| self.request_of(std::slice::from_ref(unit))).collect()
            }
        }
    }

    /// As many requests as it takes for each to be within the limits of the service, greedily in
    /// sending order. A part that is too large by itself is still a request of its own; items that
    /// the rule does not cover are left out.
    pub fn split_requests(&self, parts: &[Option<Vec<PartFacts>>]) -> Vec<RequestParts> {
        let options = RequestOptions::new(self, Requests::One);
        let mut left = units(parts);
        let charges = |unit: &Unit<'_>| self.charges(std::slice::from_ref(unit), &options).0;
        left.retain(|unit| charges(unit).iter().all(Result::is_ok));
        let most = match self.request.requests {
            Requests::One => usize::MAX,
            Requests::Each => 1,
        };
        let (mut requests, mut left) = (Vec::new(), left.as_mut_slice());
        while !left.is_empty() {
            let fits = |count: usize| self.fits(&left[..count], &options);
            let count = longest(left.len().min(most), fits);
            if count > 0 {
                requests.push(self.request_of(&left[..count]));
                left = left.split_at_mut(count).1;
                continue;
            }
            // The first item alone is too large: as many of its parts as there is room for.
            let first = left[0].clone();
            let piece = |count: usize| Unit { parts: &first.parts[..count], ..first.clone() };
            let fits = |count: usize| self.fits(std::slice::from_ref(&piece(count)), &options);
            let count = longest(first.parts.len(), fits).max(1);
            requests.push(self.request_of(std::slice::from_ref(&left[0].take(count))));
            if left[0].parts.is_empty() {
                left = left.split_at_mut(1).1;
            }
        }
        requests
    }

    /// What parts cost that are spread over requests by [`Preparation::split_requests`].
    pub fn count_requests(
        &self,
        parts: &[Option<Vec<PartFacts>>],
        requests: &[RequestParts],
    ) -> Counted {
        let options = RequestOptions::new(self, Requests::One);
        let mut items: Vec<Option<Result<CountedItem, Error>>> =
            parts.iter().map(|_| None).collect();
        let mut totals: Option<Totals> = None;
        let all = units(parts);
        let mut count = |units: &[Unit<'_>], is_sent: bool| {
            let alone = self.count_units(units, &options, &mut items);
            match &mut totals {
                _ if !is_sent => {}
                Some(totals) => {
                    totals.merge(&alone);
                    let news = alone.errors.into_iter().filter(|one| !totals.errors.contains(one));
                    let news: Vec<_> = news.collect();
                    totals.errors.extend(news);
                }
                None => totals = Some(alone),
            }
        };
        let mut sent = vec![false; parts.len()];
        for request in requests {
            let of = |one: &RequestItem| {
                let parts = parts.get(one.item)?.as_ref()?.get(one.parts.clone())?;
                Some(Unit { item: one.item, first: one.parts.start, parts })
            };
            let units: Vec<_> = request.items.iter().filter_map(of).collect();
            units.iter().for_each(|unit| sent[unit.item] = true);
            count(&units, true);
        }
        // What is in no request says why.
        for unit in all.iter().filter(|unit| !sent[unit.item]) {
            count(std::slice::from_ref(unit), false);
        }
        let empty = || Planner::new(self.rules, options.request()).finish();
        let totals = totals.unwrap_or_else(empty);
        finish_counted(self, Counted { items, totals })
    }

    /// Counts one request and adds what its items cost.
    fn count_units(
        &self,
        units: &[Unit<'_>],
        options: &RequestOptions,
        items: &mut [Option<Result<CountedItem, Error>>],
    ) -> Totals {
        let mut planner = Planner::new(self.rules, options.request());
        let mut charges = self.charge_units(units, &mut planner, options).into_iter();
        planner.use_options(options.request(), None);
        for unit in units {
            let charges = charges.by_ref().take(unit.parts.len());
            let counted = combine(&planner, unit.parts, charges);
            let Some(item) = items.get_mut(unit.item) else { continue };
            *item = match (item.take(), counted) {
                (Some(Ok(before)), Some(Ok(counted))) => Some(Ok(before.joined(counted))),
                (Some(Err(error)), _) => Some(Err(error)),
                (before, counted) => counted.or(before),
            };
        }
        planner.finish()
    }

    fn charge_units<'a, 'p>(
        &self,
        units: &[Unit<'p>],
        planner: &mut Planner<'a>,
        options: &'a RequestOptions,
    ) -> Vec<Result<Charge, Error>> {
        let slices: Vec<&[PartFacts]> = units.iter().map(|unit| unit.parts).collect();
        for label in label_slices(self, &slices).into_iter().flatten() {
            planner.add_text(&label);
        }
        let of_unit = |unit: &Unit<'p>| {
            let options = options.of(unit.item);
            unit.parts.iter().map(move |part| (part, options))
        };
        let flat: Vec<_> = units.iter().flat_map(of_unit).collect();
        charge_parts(planner, &flat)
    }

    fn charges(
        &self,
        units: &[Unit<'_>],
        options: &RequestOptions,
    ) -> (Vec<Result<Charge, Error>>, Totals) {
        let mut planner = Planner::new(self.rules, options.request());
        let charges = self.charge_units(units, &mut planner, options);
        (charges, planner.finish())
    }

    /// Whether a request of these is within the limits of a request.
    fn fits(&self, units: &[Unit<'_>], options: &RequestOptions) -> bool {
        self.charges(units, options).1.errors.is_empty()
    }

    fn request_of(&self, units: &[Unit<'_>]) -> RequestParts {
        let slices: Vec<&[PartFacts]> = units.iter().map(|unit| unit.parts).collect();
        let labels = label_slices(self, &slices);
        let item = |(unit, label): (&Unit<'_>, Option<String>)| {
            let parts = unit.first..unit.first + unit.parts.len();
            RequestItem { item: unit.item, parts, label }
        };
        RequestParts { items: units.iter().zip(labels).map(item).collect() }
    }
}

/// The items that have parts.
fn units<'a>(parts: &'a [Option<Vec<PartFacts>>]) -> Vec<Unit<'a>> {
    let unit = |(item, parts): (usize, &'a Option<Vec<PartFacts>>)| {
        let parts = parts.as_deref().filter(|parts| !parts.is_empty())?;
        Some(Unit { item, first: 0, parts })
    };
    parts.iter().enumerate().filter_map(unit).collect()
}

/// The largest count up to `most` that fits, where what fits grows from none; 0 when 1 does not.
/// It looks at twice as many each time, then halves the gap.
fn longest(most: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut step) = (0, 1usize);
    let mut bad = loop {
        let next = step.min(most);
        if next == good {
            return good;
        }
        if !fits(next) {
            break next;
        }
        (good, step) = (next, step.saturating_mul(2));
    };
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) { good = middle } else { bad = middle }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_run_that_fits_is_found() {
        for most in 0..40 {
            for limit in 0..45 {
                let asked = std::cell::Cell::new(0);
                let found = longest(most, |count| {
                    asked.set(asked.get() + 1);
                    assert!(count >= 1 && count <= most);
                    count <= limit
                });
                assert_eq!(found, most.min(limit), "{most} {limit}");
                assert!(asked.get() <= 14);
            }
        }
    }
}
