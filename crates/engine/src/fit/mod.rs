//! Fitting a budget: what each input is sent as, so that everything together is within a budget of
//! tokens or money and as little as possible is lost.
//!
//! Every item has *offers*: ways of sending it that its rule really makes cheaper ([`Lever`]), each
//! with its tokens, by the rule's own count, and its quality. What is minimised is the sum of the
//! items' losses, each times what it matters ([`Weights`]). Settings of the whole request, such as a
//! media resolution before Gemini 3, and price tiers are tried one after the other; for each the offers
//! are a multiple-choice knapsack. What is promised in the end is the engine's own count of the whole
//! request.

mod budget;
mod found;
mod offers;
mod options;
mod quality;
mod result;
mod shape;
mod sizes;
mod solve;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::ControlFlow;

use mediaprep_media::MediaResolution;
use mediaprep_tokens::{LevelScope, RequestShape, Route};

pub use options::{FitOptions, Lever, Levers, PathPattern, Weights};
pub use result::{Advice, Failure, Fit, FitItem, GivenUp};

use crate::error::{Error, ErrorKind, Stage};
use crate::item_options::ItemOptions;
use crate::options::{PlanOptions, Requests};
use crate::plan::{Charge, Planner};
use crate::probe::{Outcome, Probed};
use crate::rules::RuleSet;
use crate::totals::Totals;
use crate::{Engine, Input};

use budget::{Market, Regime, regimes};
use offers::{Entry, Offer, Offers, Tokens};
#[cfg(feature = "pixels")]
pub(crate) use shape::Portion;
pub(crate) use shape::Shape;
use shape::{AsIs, Charged, Sent, charge, count_portions};
use solve::Solution;

impl Engine {
    /// Fits a list of inputs into a budget, from their headers alone. Copies that
    /// [`Engine::mark_copies`] has found are counted once, with the first, and have no item.
    ///
    /// # Errors
    ///
    /// As [`fit_facts`], and when the threads cannot be started. What is wrong with one input is in its
    /// item.
    pub fn fit(
        &self,
        inputs: &[Input],
        rules: &RuleSet<'_>,
        request: &PlanOptions,
        options: &FitOptions,
    ) -> Result<Fit, Error> {
        let (mut found, mut copies) = (Vec::with_capacity(inputs.len()), 0u64);
        self.see_each(inputs.iter().cloned(), &mut |(outcome, copy_of)| {
            match outcome {
                Outcome::Media(_) if copy_of.is_some() => copies += 1,
                Outcome::Media(probed) => found.push(Ok(probed)),
                Outcome::Failed(error) => found.push(Err(error)),
                Outcome::Skipped => {}
            }
            ControlFlow::Continue(())
        })?;
        let found: Vec<_> = found.iter().map(|found| found.as_deref()).collect();
        let mut fit = fit_probed(&found, rules, request, options)?;
        (0..copies).for_each(|_| fit.totals.add_copy());
        Ok(fit)
    }
}

/// Fits items into a budget whose facts are known already, as those of media that lie elsewhere.
///
/// No item is ever made dearer. The fit is the same for the same input, and a larger budget never gives
/// a larger loss.
///
/// ```
/// use mediaprep::media::Dimensions;
/// use mediaprep::tokens::RuleBook;
/// use mediaprep::{
///     FitOptions, MediaInfo, PlanOptions, Probed, RuleRequest, RuleSet, fit_facts,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let book = RuleBook::builtin();
/// let date = "2026-11-21".parse()?;
/// let rules = RuleSet::find(&book, &RuleRequest::billed("gemini-3.5-flash", date))?;
/// let size = Dimensions::new(1920, 1080).ok_or("a size is never zero")?;
/// let picture = Probed {
///     name: "elsewhere.png".to_owned(),
///     mime_type: None,
///     bytes: None,
///     bytes_read: 0,
///     info: MediaInfo::image(size),
///     warnings: Vec::new(),
/// };
/// let options = FitOptions { max_tokens: Some(600), ..FitOptions::default() };
/// let fit = fit_facts(&[picture], &rules, &PlanOptions::default(), &options)?;
/// assert!(fit.fits);
/// assert_eq!((fit.items[0].tokens_before, fit.items[0].tokens), (1100, 527));
/// assert_eq!(fit.items[0].given_up[0].to, "medium");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// An [`ErrorKind::InvalidOption`] when no budget is given, an option is out of its range, or a budget
/// of money is given where no price is known.
pub fn fit_facts(
    probed: &[Probed],
    rules: &RuleSet<'_>,
    request: &PlanOptions,
    options: &FitOptions,
) -> Result<Fit, Error> {
    let found: Vec<_> = probed.iter().map(Ok).collect();
    fit_probed(&found, rules, request, options)
}

/// The same for inputs of which some could not be read: those fail in their items.
///
/// # Errors
///
/// As [`fit_facts`].
pub fn fit_probed(
    found: &[Result<&Probed, &Error>],
    rules: &RuleSet<'_>,
    request: &PlanOptions,
    options: &FitOptions,
) -> Result<Fit, Error> {
    fit_shaped(found, &AsIs, rules, (request, options))
}

/// The same for inputs of which some are sent as several parts.
pub(crate) fn fit_shaped(
    found: &[Result<&Probed, &Error>],
    shape: &dyn Shape,
    rules: &RuleSet<'_>,
    (request, options): (&PlanOptions, &FitOptions),
) -> Result<Fit, Error> {
    let routes = if shape.is_plain() { Vec::new() } else { routes(found, rules, request) };
    Fitting { rules, request, options, found, shape, routes }.fit()
}

/// How every item that was read travels as it is.
fn routes(
    found: &[Result<&Probed, &Error>],
    rules: &RuleSet<'_>,
    request: &PlanOptions,
) -> Vec<Route> {
    let nothing = ItemOptions::default();
    let items: Vec<_> = found.iter().flatten().map(|probed| (*probed, &nothing)).collect();
    let charges = Planner::new(rules, request).plan_items(&items);
    charges.iter().map(|charge| charge.as_ref().map_or(Route::Inline, |one| one.route)).collect()
}

/// How often a fit whose whole count is above the sum of its parts is tried with less.
const TIGHTENINGS: u32 = 8;

struct Fitting<'a> {
    rules: &'a RuleSet<'a>,
    request: &'a PlanOptions,
    options: &'a FitOptions,
    found: &'a [Result<&'a Probed, &'a Error>],
    shape: &'a dyn Shape,
    /// How every item that was read travels as it is; empty where all are sent so.
    routes: Vec<Route>,
}

/// A whole request as the engine counts it.
struct Counted {
    /// One entry for each item that was read.
    charges: Vec<Result<Charge, Error>>,
    totals: Totals,
}

/// A level of the whole request, and the offers under it.
struct Setting {
    level: Option<MediaResolution>,
    request: PlanOptions,
    offers: Vec<Vec<Offer>>,
}

/// A solution under a setting and a regime.
struct Attempt<'a> {
    setting: &'a Setting,
    regime: Regime,
    solution: Solution,
    tokens: u64,
}

impl Fitting<'_> {
    fn fit(&self) -> Result<Fit, Error> {
        self.options.validate()?;
        Planner::new(self.rules, self.request).check_options()?;
        let before = self.count(self.request, &[]);
        self.check_price(&before)?;
        let entries = self.entries(&before);
        if self.is_within(&before.totals) {
            return Ok(self.untouched(&before));
        }
        let settings = self.settings(&entries, self.options.levers);
        let attempts = self.attempts(&entries, &settings);
        let least = attempts.iter().filter_map(|attempt| attempt.solution.bound).min();
        let Some(best) = attempts.into_iter().min_by_key(|attempt| attempt.rank()) else {
            return Ok(self.untouched(&before));
        };
        let (best, after) = self.verified(&entries, best);
        let mut fit = self.result(&before, &after, &entries, &best);
        if fit.fits {
            let loss = u128::from(fit.loss);
            let gap = least.map_or(0, |least| loss.saturating_sub(least));
            fit.gap = u64::try_from(gap).unwrap_or(u64::MAX);
        } else {
            fit.advice = self.advice(&entries, &fit);
        }
        Ok(fit)
    }

    /// Counts the whole request as the engine would plan it, with options for each item that was read;
    /// none leave everything as it is.
    fn count(&self, request: &PlanOptions, own: &[ItemOptions]) -> Counted {
        let nothing = ItemOptions::default();
        let read = self.found.iter().flatten().copied();
        let own = own.iter().chain(std::iter::repeat(&nothing));
        let sent = |(item, route)| Sent::new(self.shape, item, (request, route));
        let sent: Vec<Sent<'_>> = read.zip(own).zip(self.routes()).map(sent).collect();
        let mut planner = Planner::new(self.rules, request);
        let Charged { charges, apart } = charge(&mut planner, sent, (self.rules, request));
        for _ in self.found.iter().filter(|found| found.is_err()) {
            planner.fail();
        }
        let mut totals = planner.finish();
        apart.iter().for_each(|alone| totals.merge(alone));
        Counted { charges, totals }
    }

    /// How every item that was read travels as it is.
    fn routes(&self) -> impl Iterator<Item = Route> + Clone {
        self.routes.iter().copied().chain(std::iter::repeat(Route::Inline))
    }

    fn check_price(&self, before: &Counted) -> Result<(), Error> {
        if self.options.max_cost.is_none() || before.totals.cost.is_some() {
            return Ok(());
        }
        let (model, date) = (&self.rules.key.model, self.rules.key.date);
        let message = format!("a budget of money, but no price of {model} is known on {date}");
        let error = Error::new("", Stage::Options, ErrorKind::InvalidOption, message);
        Err(error.with_hint("give a budget of tokens, or add a price with a rule file"))
    }

    fn is_within(&self, totals: &Totals) -> bool {
        let tokens = self.options.max_tokens.is_none_or(|most| totals.tokens.total <= most);
        let money = self.options.max_cost.is_none_or(|most| totals.cost.is_some_and(|c| c <= most));
        tokens && money
    }

    /// The items that can be counted, as the request has them.
    fn entries<'a>(&'a self, before: &Counted) -> Vec<Entry<'a>> {
        let nothing = ItemOptions::default();
        let read = self.found.iter().flatten().copied().zip(self.routes());
        let portions = |(probed, route): (&'a Probed, Route)| {
            self.shape.portions(probed, &nothing, (self.request, route)).ok().flatten()
        };
        let portions: Vec<_> = read.clone().map(portions).collect();
        let items = read.zip(&portions).map(|(item, portions)| (item, portions.as_deref()));
        let counts = items.clone().map(|((probed, _), portions)| stills(probed, portions));
        let all = counts.fold(0, u64::saturating_add);
        let entry = |((item, portions), charge): (_, &Result<Charge, Error>)| {
            self.entry(item, portions, (charge.as_ref().ok()?, all))
        };
        items.zip(&before.charges).filter_map(entry).collect()
    }

    /// One of them, in a request of so many pictures and pages.
    fn entry<'a>(
        &self,
        (probed, route): (&'a Probed, Route),
        portions: Option<&[shape::Portion]>,
        (charge, all): (&Charge, u64),
    ) -> Option<Entry<'a>> {
        // Pictures and pages of others stay at least one, whatever is done to them.
        let shared = self.request.requests == Requests::One;
        let stills = stills(probed, portions);
        let others = shared && all > stills && stills > 0;
        let beside = if others { RequestShape::SEVERAL } else { RequestShape::EMPTY };
        let base = match portions {
            Some(portions) => {
                let (planner, own) =
                    (Planner::new(self.rules, self.request), ItemOptions::default());
                count_portions(&planner, portions, &own, (charge.route, beside)).ok()?
            }
            None => Tokens::of(&charge.count),
        };
        let kept = self.options.keeps(&probed.name);
        let whole = if self.routes.is_empty() { charge.route } else { route };
        Some(Entry { probed, route: charge.route, whole, base, beside, kept })
    }

    /// The settings of the whole request under which every item has an offer.
    fn settings(&self, entries: &[Entry<'_>], levers: Levers) -> Vec<Setting> {
        let whole = self.request.requests == Requests::One
            && self.rules.row.levels == LevelScope::Request
            && levers.allows(Lever::MediaResolution);
        let coarser = [MediaResolution::Low, MediaResolution::Medium, MediaResolution::High];
        let levels = std::iter::once(None).chain(coarser.into_iter().filter(|_| whole).map(Some));
        levels
            .filter(|level| level.is_none() || *level != self.request.media_resolution)
            .filter_map(|level| self.setting(entries, levers, level))
            .collect()
    }

    fn setting(
        &self,
        entries: &[Entry<'_>],
        levers: Levers,
        level: Option<MediaResolution>,
    ) -> Option<Setting> {
        let media_resolution = level.or(self.request.media_resolution);
        let request = PlanOptions { media_resolution, ..self.request.clone() };
        let planner = Planner::new(self.rules, &request);
        let all = Offers { planner: &planner, levers, shape: self.shape };
        // Folders hold many pictures of one size.
        let mut pictures = HashMap::new();
        let mut offers = |entry: &Entry<'_>| match entry.picture().filter(|_| self.shape.is_plain())
        {
            Some(alike) => pictures.entry(alike).or_insert_with(|| all.of(entry)).clone(),
            None => all.of(entry),
        };
        let some = |entry| Some(offers(entry)).filter(|offers| !offers.is_empty());
        let offers = entries.iter().map(some).collect::<Option<Vec<_>>>()?;
        Some(Setting { level, request, offers })
    }

    fn attempts<'a>(&self, entries: &[Entry<'_>], settings: &'a [Setting]) -> Vec<Attempt<'a>> {
        let mut attempts = Vec::new();
        for setting in settings {
            let planner = Planner::new(self.rules, &setting.request);
            let regimes = regimes(&planner, self.options);
            attempts.extend(
                regimes.into_iter().filter_map(|regime| self.attempt(entries, setting, regime)),
            );
        }
        attempts
    }

    fn attempt<'a>(
        &self,
        entries: &[Entry<'_>],
        setting: &'a Setting,
        regime: Regime,
    ) -> Option<Attempt<'a>> {
        let planner = Planner::new(self.rules, &setting.request);
        let (options, offers) = (self.options, setting.offers.as_slice());
        let market = Market { planner: &planner, options, entries, offers };
        let solution = market.solve(&regime)?;
        let tokens = market.total(&solution);
        Some(Attempt { setting, regime, solution, tokens })
    }

    /// Counts the whole request. Should it be dearer than its items by themselves, so that it is above
    /// the budget, less is left for the items and they are chosen anew.
    fn verified<'a>(&self, entries: &[Entry<'_>], best: Attempt<'a>) -> (Attempt<'a>, Counted) {
        let mut best = best;
        let mut after = self.count_attempt(entries, &best);
        for _ in 0..TIGHTENINGS {
            if !best.solution.fits || self.is_within(&after.totals) {
                break;
            }
            let (tokens, money) = (self.missing(&after.totals), self.missing_money(&after.totals));
            let regime = best.regime.tighter(tokens, money);
            let Some(next) = self.attempt(entries, best.setting, regime) else { break };
            after = self.count_attempt(entries, &next);
            best = next;
        }
        (best, after)
    }

    fn count_attempt(&self, entries: &[Entry<'_>], attempt: &Attempt<'_>) -> Counted {
        let mut chosen = attempt.offers();
        let mut entries = entries.iter().peekable();
        let own = |probed: &Probed| {
            let is_entry = |entry: &&Entry<'_>| std::ptr::eq(entry.probed, probed);
            entries.next_if(is_entry).and_then(|_| chosen.next()).map(|offer| offer.own.clone())
        };
        let read = self.found.iter().flatten().copied();
        let own: Vec<_> = read.map(own).map(Option::unwrap_or_default).collect();
        self.count(&attempt.setting.request, &own)
    }

    /// Tokens above the budget of tokens.
    fn missing(&self, totals: &Totals) -> u64 {
        self.options.max_tokens.map_or(0, |most| totals.tokens.total.saturating_sub(most))
    }

    /// Money above the budget of money.
    fn missing_money(&self, totals: &Totals) -> u128 {
        let above = self.options.max_cost.zip(totals.cost);
        above.map_or(0, |(most, cost)| cost.0.saturating_sub(most.0))
    }
}

/// How many pictures and pages an item is sent as.
fn stills(probed: &Probed, portions: Option<&[shape::Portion]>) -> u64 {
    match (&probed.info, portions) {
        (_, Some(portions)) => shape::stills(portions),
        (crate::MediaInfo::Image(_), None) => 1,
        (crate::MediaInfo::Document(document), None) => document.pages(),
        (crate::MediaInfo::Video(_) | crate::MediaInfo::Audio(_), None) => 0,
    }
}

impl Attempt<'_> {
    /// What is best comes first: what fits, loses least and is cheapest; else what is cheapest.
    fn rank(&self) -> (bool, u128, u64) {
        let loss = if self.solution.fits { self.solution.loss } else { u128::from(self.tokens) };
        (!self.solution.fits, loss, self.tokens)
    }

    /// The offers that are chosen, by the order of the entries.
    fn offers(&self) -> impl Iterator<Item = &Offer> {
        let chosen = self.setting.offers.iter().zip(&self.solution.chosen);
        chosen.filter_map(|(offers, &at)| offers.get(at))
    }
}
