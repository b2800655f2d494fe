//! What a budget adds up to.

use mediaprep_media::{Modality, Warning};
use mediaprep_tokens::{Bound, Cost, Evidence, ItemCount, Route, TokenCount, Usage};
use serde::Serialize;

use crate::MediaInfo;
use crate::plan::Charge;
use crate::probe::Probed;

/// Tokens by the media that cause them, whatever the service reports them as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TokenSplit {
    /// All of them.
    pub total: u64,
    /// Still images.
    pub image: u64,
    /// Video frames with their timestamps.
    pub video: u64,
    /// Sound files and soundtracks.
    pub audio: u64,
    /// PDF pages.
    pub document: u64,
    /// Written text and what the service adds to every request.
    pub text: u64,
}

impl TokenSplit {
    /// Adds `tokens` under the medium that causes them; saturates.
    pub const fn add(&mut self, modality: Modality, tokens: u64) {
        let part = match modality {
            Modality::Text => &mut self.text,
            Modality::Image => &mut self.image,
            Modality::Video => &mut self.video,
            Modality::Audio => &mut self.audio,
            Modality::Document => &mut self.document,
        };
        *part = part.saturating_add(tokens);
        self.total = self.total.saturating_add(tokens);
    }

    /// The split of one item.
    pub fn of(count: &ItemCount) -> Self {
        let mut split = Self::default();
        split.add(count.caused_by, count.media.tokens);
        if let Some(sound) = count.soundtrack {
            split.add(Modality::Audio, sound.tokens);
        }
        split
    }

    /// The same as the rule book's prices see it.
    pub const fn usage(&self) -> Usage {
        Usage {
            text: self.text,
            image: self.image,
            video: self.video,
            audio: self.audio,
            document: self.document,
            output: 0,
        }
    }

    /// Adds another split.
    pub const fn merge(&mut self, other: Self) {
        self.add(Modality::Image, other.image);
        self.add(Modality::Video, other.video);
        self.add(Modality::Audio, other.audio);
        self.add(Modality::Document, other.document);
        self.add(Modality::Text, other.text);
    }
}

/// What the items of one kind add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindTotals {
    /// Items that were counted.
    pub files: u64,
    /// Displayed pixels of images, or pages of documents.
    pub units: u64,
    /// Length of videos and sounds, in milliseconds; each file's is rounded down.
    pub milliseconds: u64,
    /// Their tokens: soundtracks included, and in requests of their own what each request adds.
    pub tokens: u64,
    /// What they cost; `None` when some price is unknown.
    pub cost: Option<Cost>,
    /// The ways they travel, in the order of [`Route`].
    pub routes: [u64; 3],
    /// Weakest evidence of the counts.
    pub evidence: Option<Evidence>,
    /// A ceiling when any count is.
    pub bound: Option<Bound>,
}

/// What a whole budget adds up to, under one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Items that were media or should have been.
    pub items: u64,
    /// Items that could not be read or counted.
    pub failed: u64,
    /// Items that are copies of others and cost nothing more; `items` holds them too.
    pub copies: u64,
    /// Tokens of everything that was counted.
    pub tokens: TokenSplit,
    /// A ceiling when any count is.
    pub bound: Bound,
    /// Weakest evidence of the counts; `None` while nothing was counted.
    pub evidence: Option<Evidence>,
    /// What everything costs; `None` when some price is unknown.
    pub cost: Option<Cost>,
    /// By kind, in the order image, video, audio, document.
    pub kinds: [KindTotals; 4],
    /// The model's input window in tokens; `None` when unknown.
    pub context_window: Option<u64>,
    /// The largest request's share of the window is `largest_request / context_window`.
    pub largest_request: u64,
    /// Requests: one, or one for each item.
    pub requests: u64,
    /// Bytes of the largest request's encoded body.
    pub largest_body: u64,
    /// What breaks a hard limit of the service, for the request as a whole.
    pub errors: Vec<Warning>,
    /// What is worth knowing about the request as a whole.
    pub warnings: Vec<Warning>,
}

impl Totals {
    /// Nothing yet.
    pub(crate) fn new(context_window: Option<u64>) -> Self {
        let kind = KindTotals { cost: Some(Cost(0)), ..KindTotals::default() };
        Self {
            items: 0,
            failed: 0,
            copies: 0,
            tokens: TokenSplit::default(),
            bound: Bound::Exact,
            evidence: None,
            cost: Some(Cost(0)),
            kinds: [kind; 4],
            context_window,
            largest_request: 0,
            requests: 0,
            largest_body: 0,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The entry of one kind; text has none.
    pub fn kind(&self, modality: Modality) -> Option<&KindTotals> {
        self.kinds.get(index(modality)?)
    }

    /// Whether any item was counted.
    pub fn is_counted(&self) -> bool {
        self.kinds.iter().any(|kind| kind.files > 0)
    }

    /// How much of the window the largest request takes; `None` when the window is unknown.
    pub fn window_share(&self) -> Option<f64> {
        self.context_window.map(|window| self.largest_request as f64 / window as f64)
    }

    /// Whether the largest request fits the window; `None` when the window is unknown.
    pub fn fits(&self) -> Option<bool> {
        self.context_window.map(|window| self.largest_request <= window)
    }

    pub(crate) fn add_text(&mut self, count: &TokenCount) {
        self.tokens.add(Modality::Text, count.tokens);
        self.bound = self.bound.max(count.bound);
        self.evidence = self.evidence.max(Some(count.evidence));
    }

    pub(crate) fn add(&mut self, probed: &Probed, charge: &Charge) {
        self.items += 1;
        self.failed += u64::from(!charge.breaches.is_empty());
        self.tokens.merge(charge.tokens);
        self.bound = self.bound.max(charge.bound);
        self.evidence = self.evidence.max(Some(charge.evidence));
        self.cost = sum(self.cost, charge.cost);
        let Some(kind) = index(probed.info.modality()).and_then(|at| self.kinds.get_mut(at)) else {
            return;
        };
        kind.files += 1;
        kind.tokens = kind.tokens.saturating_add(charge.tokens.total);
        kind.cost = sum(kind.cost, charge.cost);
        kind.routes[charge.route as usize] += 1;
        kind.evidence = kind.evidence.max(Some(charge.evidence));
        kind.bound = kind.bound.max(Some(charge.bound));
        add_units(kind, &probed.info);
    }

    pub(crate) const fn add_copy(&mut self) {
        self.items += 1;
        self.copies += 1;
    }

    pub(crate) const fn add_failure(&mut self) {
        self.items += 1;
        self.failed += 1;
    }
}

fn add_units(kind: &mut KindTotals, info: &MediaInfo) {
    let units = match info {
        MediaInfo::Document(document) => document.pages(),
        _ => info.dimensions().map_or(0, mediaprep_media::Dimensions::pixels),
    };
    kind.units = kind.units.saturating_add(units);
    if let Some(length) = info.duration() {
        kind.milliseconds = kind.milliseconds.saturating_add(length.whole_milliseconds());
    }
}

const fn index(modality: Modality) -> Option<usize> {
    match modality {
        Modality::Image => Some(0),
        Modality::Video => Some(1),
        Modality::Audio => Some(2),
        Modality::Document => Some(3),
        Modality::Text => None,
    }
}

impl Totals {
    /// Adds the totals of another request.
    pub(crate) fn merge(&mut self, other: &Self) {
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

/// Unknown plus anything is unknown.
pub(crate) fn sum(total: Option<Cost>, part: Option<Cost>) -> Option<Cost> {
    let (mut total, part) = (total?, part?);
    total += part;
    Some(total)
}

/// The routes in the order that [`KindTotals::routes`] counts them.
pub const ROUTES: [Route; 3] = [Route::Inline, Route::File, Route::Uri];
