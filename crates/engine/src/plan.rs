//! From facts to what will be sent and what it will cost. Pure: no I/O, no clock.
//!
//! A planner takes one item at a time, in the order they are sent, so that a budget of a million
//! items holds no more than one. What an item's charge can depend on beyond itself is learned
//! beforehand by a *look ahead* ([`Planner::look_at_shape`], [`Planner::look_at_tokens`]) that
//! stops as soon as it knows enough.

mod cut;
mod item;
mod joined;

use std::borrow::Cow;
use std::ops::ControlFlow;

use mediaprep_media::{
    Dimensions, Duration, MediaResolution, MimeType, Modality, Warning, WarningCode,
};
use mediaprep_parts::{Part, RequestLength, inline_data_length};
use mediaprep_tokens::{
    Bound, Cost, CountError, Evidence, ItemCount, ItemFacts, LevelScope, RequestShape,
    RequestedLevel, Route, TokenCount, estimate_text,
};

use crate::error::{Error, ErrorKind, Stage};
use crate::info::{MediaInfo, VideoLengths};
use crate::options::{PlanOptions, Requests};
use crate::probe::Probed;
use crate::route;
use crate::rules::{RuleSet, SentAs};
use crate::service::{self, RequestTally};
use crate::totals::{TokenSplit, Totals, sum};

use item::Own;

/// What one item is charged, and how it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The count with its evidence.
    pub count: ItemCount,
    /// Its tokens by cause. In a request of its own, what the request adds is in `text`.
    pub tokens: TokenSplit,
    /// A ceiling when any part is.
    pub bound: Bound,
    /// Weakest evidence of the parts.
    pub evidence: Evidence,
    /// How it travels.
    pub route: Route,
    /// The MIME type it is sent as.
    pub send_as: Cow<'static, str>,
    /// Whether it is converted first.
    pub converted: bool,
    /// What it costs; `None` when no price is known.
    pub cost: Option<Cost>,
    /// What is worth knowing.
    pub warnings: Vec<Warning>,
    /// Hard limits of the service that it breaks; sending it would be refused.
    pub breaches: Vec<Warning>,
}

/// Plans the items of one request, or of one request each, under one rule.
#[derive(Clone, Debug)]
pub struct Planner<'a> {
    rules: &'a RuleSet<'a>,
    options: &'a PlanOptions,
    /// What holds for the item that is being planned, where it has options of its own.
    own: Option<Own>,
    shape: RequestShape,
    above_tier: bool,
    inline: RequestLength,
    tally: RequestTally,
    totals: Totals,
    /// Tokens of the text between the media.
    texts: u64,
}

impl<'a> Planner<'a> {
    /// A planner that has seen nothing.
    pub fn new(rules: &'a RuleSet<'a>, options: &'a PlanOptions) -> Self {
        let mut planner = Self {
            rules,
            options,
            own: None,
            shape: RequestShape::EMPTY,
            above_tier: false,
            inline: RequestLength::new(),
            tally: RequestTally::default(),
            totals: Totals::new(rules.window().map(|window| window.input)),
            texts: 0,
        };
        planner.inline = planner.empty_request();
        planner
    }

    /// The rule that it plans under.
    pub const fn rules(&self) -> &'a RuleSet<'a> {
        self.rules
    }

    /// What the request asks for.
    pub(crate) const fn options(&self) -> &'a PlanOptions {
        self.options
    }

    /// Rejects settings that the model takes for no item at all, before the first is planned.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::InvalidOption`] that names the setting and what is allowed.
    pub fn check_options(&self) -> Result<(), Error> {
        self.options.validate()?;
        let size = Dimensions::ONE;
        let length = Some(Duration::from_seconds(1));
        let lengths = VideoLengths { container: length, track: length, ..VideoLengths::default() };
        for info in [MediaInfo::image(size), MediaInfo::video(size, lengths)] {
            // Ultra-high on a video is that video's trouble; images may still take it.
            let image_only = self.options.media_resolution == Some(MediaResolution::UltraHigh);
            if image_only && info.modality() != Modality::Image {
                continue;
            }
            let (model, facts) = (&self.rules.key.model, self.facts_of(&info, Route::Inline));
            if let Err(error) = self.rules.row.count_item(&facts, self.shape, model) {
                let error = count_error("", error);
                if error.kind() == ErrorKind::InvalidOption {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Whether items must be looked at before the first is planned, because a charge depends on
    /// how many there are.
    pub fn needs_shape(&self) -> bool {
        self.options.requests == Requests::One && self.rules.depends_on_request()
    }

    /// Whether items must be counted before the first is planned, because their price depends on
    /// the request's total.
    pub fn needs_tokens(&self) -> bool {
        self.options.requests == Requests::One && self.rules.has_price_tiers()
    }

    /// Looks at one item for [`Planner::needs_shape`]; breaks when no further item matters.
    pub fn look_at_shape(&mut self, probed: &Probed) -> ControlFlow<()> {
        self.shape.add(&self.facts(probed, Route::Inline));
        if self.shape.several() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Looks at one item for [`Planner::needs_tokens`], after all shapes were looked at; breaks
    /// when no further item matters. `scout` is a clone that plans what this planner will plan.
    pub fn look_at_tokens(&mut self, scout: &mut Self, probed: &Probed) -> ControlFlow<()> {
        // A failing item adds nothing here and fails again when it is planned.
        drop(scout.plan(probed));
        let total = scout.totals.tokens.total.saturating_add(self.overhead().split.total);
        self.above_tier = self.rules.is_above_tier(total);
        if self.above_tier { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Plans one item.
    ///
    /// # Errors
    ///
    /// When the rule does not cover the medium, the level is not offered for it, or the service
    /// refuses its type. The item counts as failed.
    pub fn plan(&mut self, probed: &Probed) -> Result<Charge, Error> {
        let planned = match self.options.requests {
            Requests::One => self.plan_in_shared_request(probed),
            Requests::Each => self.plan_alone(probed),
        };
        match &planned {
            Ok(charge) => self.totals.add(probed, charge),
            Err(_) => self.totals.add_failure(),
        }
        planned
    }

    /// Takes text between the media of a single request into account.
    #[cfg(feature = "pixels")]
    pub(crate) fn add_text(&mut self, text: &str) {
        self.inline.add(Part::text(text).encoded_length());
        self.texts += estimate_text(text.chars().count() as u64).tokens;
    }

    /// Takes so many tokens of text between the media into account.
    pub(crate) const fn add_text_tokens(&mut self, tokens: u64) {
        self.texts = self.texts.saturating_add(tokens);
    }

    /// Takes an item into account that could not even be probed.
    pub const fn fail(&mut self) {
        self.totals.add_failure();
    }

    /// Takes an item into account that is a copy of another one and is not sent again.
    pub const fn skip_copy(&mut self) {
        self.totals.add_copy();
    }

    /// What text costs in the request so far; without a known price nothing is said.
    #[cfg(feature = "pixels")]
    pub(crate) fn text_cost(&self, tokens: u64) -> Option<Cost> {
        let split = TokenSplit { text: tokens, ..TokenSplit::default() };
        self.rules.cost(&split.usage(), self.above_tier)
    }

    fn plan_in_shared_request(&mut self, probed: &Probed) -> Result<Charge, Error> {
        let sent = self.sent_as(probed)?;
        let route = route::choose(probed, &sent, self.inline, self.rules, self.options);
        let count = self.count(probed, route, self.shape)?;
        if route == Route::Inline {
            self.inline.add(encoded_length(probed, &sent));
        }
        self.tally.add(probed);
        let mut charge = self.charge(probed, route, sent, count);
        charge.cost = self.rules.cost(&charge.tokens.usage(), self.above_tier);
        Ok(charge)
    }

    /// A request of its own: its own shape, price tier and limits, and the text that goes with
    /// every request.
    fn plan_alone(&mut self, probed: &Probed) -> Result<Charge, Error> {
        let sent = self.sent_as(probed)?;
        let mut body = self.empty_request();
        let route = route::choose(probed, &sent, body, self.rules, self.options);
        let shape = RequestShape::of(&[self.facts(probed, route)]);
        let count = self.count(probed, route, shape)?;
        if route == Route::Inline {
            body.add(encoded_length(probed, &sent));
        }
        let mut charge = self.charge(probed, route, sent, count);
        self.overhead().add_to(&mut charge);
        let total = charge.tokens.total;
        charge.cost = self.rules.cost(&charge.tokens.usage(), self.rules.is_above_tier(total));
        let mut tally = RequestTally::default();
        tally.add(probed);
        let findings = service::check_request(&tally, total, body.bytes(), self.rules);
        charge.breaches.extend(findings.errors);
        charge.warnings.extend(findings.warnings);
        self.totals.requests += 1;
        self.totals.largest_request = self.totals.largest_request.max(total);
        self.totals.largest_body = self.totals.largest_body.max(body.bytes());
        Ok(charge)
    }

    /// Adds what the single request itself costs and checks it as a whole.
    pub fn finish(mut self) -> Totals {
        // A request of nothing is never sent.
        if self.options.requests == Requests::One && self.totals.is_counted() {
            for count in self.overhead_counts() {
                self.totals.add_text(&count);
                let split = TokenSplit { text: count.tokens, ..TokenSplit::default() };
                let cost = self.rules.cost(&split.usage(), self.above_tier);
                self.totals.cost = sum(self.totals.cost, cost);
            }
            self.totals.requests = 1;
            self.totals.largest_request = self.totals.tokens.total;
            self.totals.largest_body = self.inline.bytes();
            let (total, body) = (self.totals.largest_request, self.totals.largest_body);
            let findings = service::check_request(&self.tally, total, body, self.rules);
            self.totals.errors = findings.errors;
            self.totals.warnings = findings.warnings;
        }
        self.totals.warnings.extend(self.rules.warnings());
        self.totals
    }

    /// What becomes of the item's type. A model that takes no such medium at all says so first.
    fn sent_as(&self, probed: &Probed) -> Result<SentAs, Error> {
        self.rules.sent_as(probed).or_else(|refused| {
            self.count(probed, Route::Inline, self.shape)?;
            Err(refused)
        })
    }

    fn count(
        &self,
        probed: &Probed,
        route: Route,
        shape: RequestShape,
    ) -> Result<ItemCount, Error> {
        let facts = self.facts(probed, route);
        self.rules
            .row
            .count_item(&facts, shape, &self.rules.key.model)
            .map_err(|error| count_error(&probed.name, error))
    }

    /// The item as the rule book sees it.
    pub fn facts(&self, probed: &Probed, route: Route) -> ItemFacts {
        self.facts_of(&probed.info, route)
    }

    pub(crate) fn facts_of(&self, info: &MediaInfo, route: Route) -> ItemFacts {
        match &self.own {
            Some(own) => self.facts_under(info, route, &own.options, own.level),
            None => self.facts_under(info, route, self.options, None),
        }
    }

    fn facts_under(
        &self,
        info: &MediaInfo,
        route: Route,
        options: &PlanOptions,
        own_level: Option<MediaResolution>,
    ) -> ItemFacts {
        let silent = info.modality() == Modality::Audio;
        let level = match own_level {
            Some(level) => Some(RequestedLevel { level, per_part: self.takes_part_levels() }),
            None => options.media_resolution.map(requested),
        };
        ItemFacts {
            media: info.facts(options),
            level: level.filter(|_| !silent),
            route,
            in_function_response: false,
        }
    }

    /// Whether an item's own level stands at its part. Where levels go for whole requests, an item
    /// that is a request of its own still has one.
    fn takes_part_levels(&self) -> bool {
        self.rules.row.levels != LevelScope::Request || self.options.requests == Requests::One
    }

    /// The arithmetic of one planned item in words.
    pub fn explain(&self, probed: &Probed, charge: &Charge) -> Vec<String> {
        let facts = self.facts(probed, charge.route);
        let shape = match self.options.requests {
            Requests::One => self.shape,
            Requests::Each => RequestShape::of(std::slice::from_ref(&facts)),
        };
        // The item was counted before, so the row covers it.
        let mut lines =
            self.rules.row.explain(&facts, shape, &self.rules.key.model).unwrap_or_default();
        if charge.tokens.text > 0 {
            lines.push(format!("{} more for the request itself and its text", charge.tokens.text));
        }
        lines
    }

    /// An item's charge, still without its cost, which depends on the request's total.
    fn charge(&self, probed: &Probed, route: Route, sent: SentAs, count: ItemCount) -> Charge {
        let options = self.own.as_ref().map_or(self.options, |own| &own.options);
        let findings = service::check_item(probed, route, &count, self.rules, options);
        let mut warnings = self.rules.row.remarks(&self.facts(probed, route));
        warnings.extend(findings.warnings);
        let converted = matches!(sent, SentAs::Converted(_));
        let (SentAs::AsIs(send_as) | SentAs::Converted(send_as)) = sent;
        if converted {
            let from = probed.mime_type.map_or("the file", MimeType::as_str);
            let message = format!("the service takes no {from}; would be converted to {send_as}");
            warnings.push(Warning::new(WarningCode::Converted, message));
        }
        Charge {
            tokens: TokenSplit::of(&count),
            bound: count.bound(),
            evidence: count.evidence(),
            count,
            route,
            send_as,
            converted,
            cost: None,
            warnings,
            breaches: findings.errors,
        }
    }

    /// What every request costs beside its media: the service's own extra and the prompt.
    fn overhead_counts(&self) -> impl Iterator<Item = TokenCount> + use<> {
        let extra = self.rules.row.request_extra(&self.rules.key.model);
        let characters = |prompt: &String| prompt.chars().count() as u64;
        let prompt = self.options.prompt.as_ref().map(characters).map(estimate_text);
        let texts = TokenCount { tokens: self.texts, ..estimate_text(0) };
        let texts = (self.texts > 0).then_some(texts);
        extra.into_iter().chain(prompt).chain(texts)
    }

    fn overhead(&self) -> Overhead {
        let mut overhead = Overhead::default();
        self.overhead_counts().for_each(|count| overhead.add(&count));
        overhead
    }

    fn empty_request(&self) -> RequestLength {
        let mut length = RequestLength::new();
        if let Some(prompt) = &self.options.prompt {
            length.add(Part::text(prompt.as_str()).encoded_length());
        }
        length
    }
}

/// A level of the whole request: ultra-high stands at single parts only.
fn requested(level: MediaResolution) -> RequestedLevel {
    RequestedLevel { level, per_part: level == MediaResolution::UltraHigh }
}

/// What a request costs beside its media.
#[derive(Default)]
struct Overhead {
    split: TokenSplit,
    bound: Option<Bound>,
    evidence: Option<Evidence>,
}

impl Overhead {
    fn add(&mut self, count: &TokenCount) {
        self.split.add(Modality::Text, count.tokens);
        self.bound = self.bound.max(Some(count.bound));
        self.evidence = self.evidence.max(Some(count.evidence));
    }

    fn add_to(&self, charge: &mut Charge) {
        charge.tokens.merge(self.split);
        charge.bound = charge.bound.max(self.bound.unwrap_or(Bound::Exact));
        charge.evidence = charge.evidence.weakest(self.evidence.unwrap_or(Evidence::Measured));
    }
}

/// Bytes of the item's part inside the request; nothing is known of facts without a size.
pub(crate) fn encoded_length(probed: &Probed, sent: &SentAs) -> u64 {
    let (SentAs::AsIs(mime) | SentAs::Converted(mime)) = sent;
    inline_data_length(mime, probed.bytes.unwrap_or(0))
}

pub(crate) fn count_error(name: &str, error: CountError) -> Error {
    let (kind, hint) = match &error {
        CountError::NotCovered { .. } => {
            (ErrorKind::NoRule, "choose another meter or model, or name a row of the rule book")
        }
        CountError::NotAccepted { .. } => {
            (ErrorKind::Unsupported, "choose a model that takes this kind of medium")
        }
        CountError::InvalidLevel { .. } => {
            (ErrorKind::InvalidOption, "leave the media resolution out, or choose an offered level")
        }
        CountError::InvalidRate { .. } => (ErrorKind::InvalidOption, "choose an fps in (0, 24]"),
        _ => (ErrorKind::Malformed, "the file does not say how long it lasts"),
    };
    Error::new(name, Stage::Count, kind, error).with_hint(hint)
}
