//! The whole request: what an item shares it with, and its total.

use mediaprep_media::Modality;
use serde::Serialize;

use crate::count::{Bound, Evidence, ItemCount, TokenCount};
use crate::count_item::CountError;
use crate::facts::{ItemFacts, MediaFacts};
use crate::row::Row;

/// As much of a request as one item's charge can depend on: how many images and pages it holds,
/// counted up to two. Add every item, those of the conversation's history included, and then count
/// each; memory does not grow with the number of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestShape {
    stills: u8,
}

impl RequestShape {
    /// A request without items.
    pub const EMPTY: Self = Self { stills: 0 };
    /// A request with more than one image or page.
    pub const SEVERAL: Self = Self { stills: 2 };

    /// The shape of a request of these items.
    pub fn of(items: &[ItemFacts]) -> Self {
        let mut shape = Self::EMPTY;
        items.iter().for_each(|item| shape.add(item));
        shape
    }

    /// Takes an item into account. Videos and sounds do not count.
    pub fn add(&mut self, item: &ItemFacts) {
        let more = match &item.media {
            MediaFacts::Image(image) => u64::from(image.copies),
            MediaFacts::Document(document) => document.pages(),
            MediaFacts::Video(_) | MediaFacts::Audio(_) => 0,
        };
        let stills = u64::from(self.stills).saturating_add(more).min(2);
        self.stills = u8::try_from(stills).unwrap_or(2);
    }

    /// Whether the request holds more than one image or page.
    pub const fn several(self) -> bool {
        self.stills > 1
    }
}

/// What a request is charged, item by item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestCount {
    /// One entry for each item, in order.
    pub items: Vec<Result<ItemCount, CountError>>,
    /// What the request costs beside its items.
    pub request_extra: Option<TokenCount>,
}

impl RequestCount {
    /// The sum of the items that could be counted and of the request extra.
    pub fn total(&self) -> Total {
        let mut total = Total::default();
        self.items.iter().flatten().for_each(|item| total.add_item(item));
        self.request_extra.iter().for_each(|extra| total.add(extra));
        total
    }

    /// Items that could not be counted.
    pub fn failed(&self) -> usize {
        self.items.iter().filter(|item| item.is_err()).count()
    }
}

/// A sum of counts: it carries the weakest evidence of its parts, and is a ceiling when any is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The sum.
    pub tokens: u64,
    /// The charge or its ceiling.
    pub bound: Bound,
    /// The weakest evidence of the parts; measured for a sum of nothing.
    pub evidence: Evidence,
}

impl Default for Total {
    fn default() -> Self {
        Self { tokens: 0, bound: Bound::Exact, evidence: Evidence::Measured }
    }
}

impl Total {
    /// Adds one count.
    pub fn add(&mut self, count: &TokenCount) {
        self.tokens = self.tokens.saturating_add(count.tokens);
        self.bound = self.bound.max(count.bound);
        self.evidence = self.evidence.weakest(count.evidence);
    }

    /// Adds an item with its soundtrack.
    pub fn add_item(&mut self, item: &ItemCount) {
        self.add(&item.media);
        item.soundtrack.iter().for_each(|sound| self.add(sound));
    }
}

impl Row {
    /// What a whole request is charged. Give all its items, those of the conversation's history
    /// included: some charges depend on what else is there.
    pub fn count(&self, items: &[ItemFacts], model: &str) -> RequestCount {
        let shape = RequestShape::of(items);
        RequestCount {
            items: items.iter().map(|item| self.count_item(item, shape, model)).collect(),
            request_extra: self.request_extra(model),
        }
    }

    /// What a request costs beside its items; `None` when that is nothing.
    pub fn request_extra(&self, model: &str) -> Option<TokenCount> {
        let extra = self.request_extra.as_ref()?;
        let base = extra.basis.evidence;
        let elsewhere = base == Evidence::Measured && !self.is_measured_on(model);
        Some(TokenCount {
            tokens: u64::from(extra.tokens),
            bound: Bound::Exact,
            reported_as: Modality::Text,
            evidence: if elsewhere { Evidence::Inferred } else { base },
        })
    }
}
