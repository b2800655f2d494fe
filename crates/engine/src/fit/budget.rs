//! From offers and budgets to a knapsack: one capacity where it can be, two where it must.

use mediaprep_media::Modality;
use mediaprep_tokens::Cost;

use super::offers::{Entry, Offer};
use super::options::FitOptions;
use super::solve::{Choice, Solution, TwoCosts, solve, solve_both};
use crate::options::Requests;
use crate::plan::Planner;
use crate::rules::RuleSet;
use crate::totals::TokenSplit;

/// Everything that can be chosen, under one setting of the whole request.
pub(super) struct Market<'a> {
    pub(super) planner: &'a Planner<'a>,
    pub(super) options: &'a FitOptions,
    pub(super) entries: &'a [Entry<'a>],
    pub(super) offers: &'a [Vec<Offer>],
}

/// What holds for the request's total: within a price tier the price of an item does not depend on
/// the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Regime {
    /// Whether the request is priced above the tier.
    above: bool,
    /// Tokens that are left for the items; `None` is no limit.
    tokens: Option<u128>,
    /// Money that is left for the items.
    money: Option<u128>,
    /// Whether what the request itself costs is within the budgets.
    possible: bool,
}

impl Regime {
    /// The same with less for the items.
    pub(super) fn tighter(self, tokens: u64, money: u128) -> Self {
        let less = |have: Option<u128>, less: u128| have.map(|have| have.saturating_sub(less));
        Self { tokens: less(self.tokens, tokens.into()), money: less(self.money, money), ..self }
    }
}

/// The regimes that a request within the budgets can be in.
pub(super) fn regimes(planner: &Planner<'_>, options: &FitOptions) -> Vec<Regime> {
    let rules = planner.rules();
    let tier = rules.price().and_then(|price| price.tier_above);
    let shared = planner.options().requests == Requests::One;
    match (options.max_cost, tier) {
        (Some(_), Some(tier)) if shared => {
            let below = options.max_tokens.map_or(tier, |tokens| tokens.min(tier));
            vec![
                regime(planner, options, (Some(below), false)),
                regime(planner, options, (options.max_tokens, true)),
            ]
        }
        _ => vec![regime(planner, options, (options.max_tokens, false))],
    }
}

fn regime(
    planner: &Planner<'_>,
    options: &FitOptions,
    (tokens, above): (Option<u64>, bool),
) -> Regime {
    let rules = planner.rules();
    // Where every item is a request of its own, each carries its own overhead.
    let overhead = match planner.options().requests {
        Requests::One => planner.overhead_split(),
        Requests::Each => TokenSplit::default(),
    };
    let spent = rules.cost(&overhead.usage(), above).map_or(0, |cost| cost.0);
    let tokens = tokens.map(|tokens| tokens.checked_sub(overhead.total).map(u128::from));
    let money = options.max_cost.map(|cost| cost.0.checked_sub(spent));
    let possible = tokens != Some(None) && money != Some(None);
    let left = |have: Option<Option<u128>>| have.map(Option::unwrap_or_default);
    let regime = Regime { above, tokens: left(tokens), money: left(money), possible };
    // The same price for every token makes money a matter of tokens.
    match uniform_price(rules, above).filter(|_| planner.options().requests == Requests::One) {
        Some(price) => Regime {
            tokens: [regime.tokens, regime.money.and_then(|money| money.checked_div(price))]
                .into_iter()
                .flatten()
                .min(),
            money: None,
            ..regime
        },
        None => regime,
    }
}

/// The price of a token, in 10⁻¹² dollars, where all kinds of media have the same.
fn uniform_price(rules: &RuleSet<'_>, above: bool) -> Option<u128> {
    let price = |modality| {
        let mut split = TokenSplit::default();
        split.add(modality, 1);
        rules.cost(&split.usage(), above)
    };
    let first = price(Modality::Image)?;
    [Modality::Video, Modality::Audio, Modality::Document]
        .into_iter()
        .all(|modality| price(modality) == Some(first))
        .then_some(first.0)
}

impl Market<'_> {
    /// Chooses an offer of every item; `None` when an item has none.
    pub(super) fn solve(&self, regime: &Regime) -> Option<Solution> {
        let solution = match (regime.tokens, regime.money) {
            (Some(tokens), Some(money)) => {
                let both = |entry: &Entry<'_>, offer: &Offer| TwoCosts {
                    costs: [self.tokens(entry, offer), self.money(entry, offer, regime.above)],
                    loss: self.loss(entry, offer),
                };
                solve_both(&self.classes(both), [tokens, money])?
            }
            (None, Some(money)) => {
                let cost =
                    |entry: &Entry<'_>, offer: &Offer| self.money(entry, offer, regime.above);
                solve(&self.choices(cost), money)?
            }
            (tokens, None) => {
                let cost = |entry: &Entry<'_>, offer: &Offer| self.tokens(entry, offer);
                solve(&self.choices(cost), tokens.unwrap_or(u128::MAX))?
            }
        };
        Some(if regime.possible {
            solution
        } else {
            Solution { fits: false, bound: None, ..solution }
        })
    }

    fn choices(&self, cost: impl Fn(&Entry<'_>, &Offer) -> u64) -> Vec<Vec<Choice>> {
        self.classes(|entry, offer| Choice {
            cost: cost(entry, offer),
            loss: self.loss(entry, offer),
        })
    }

    fn classes<T>(&self, choice: impl Fn(&Entry<'_>, &Offer) -> T) -> Vec<Vec<T>> {
        let items = self.entries.iter().zip(self.offers);
        items
            .map(|(entry, offers)| offers.iter().map(|offer| choice(entry, offer)).collect())
            .collect()
    }

    fn loss(&self, entry: &Entry<'_>, offer: &Offer) -> u64 {
        let loss = super::quality::WHOLE.saturating_sub(offer.quality);
        let modality = entry.probed.info.modality();
        self.options.weighted(loss, &entry.probed.name, modality)
    }

    /// Tokens of an item, with those of its request where it is one.
    fn tokens(&self, entry: &Entry<'_>, offer: &Offer) -> u64 {
        self.split(entry, offer).total
    }

    fn money(&self, entry: &Entry<'_>, offer: &Offer, above: bool) -> u64 {
        let (rules, split) = (self.planner.rules(), self.split(entry, offer));
        let above = match self.planner.options().requests {
            Requests::One => above,
            Requests::Each => rules.is_above_tier(split.total),
        };
        let cost = rules.cost(&split.usage(), above).unwrap_or(Cost(u128::MAX));
        u64::try_from(cost.0).unwrap_or(u64::MAX)
    }

    fn split(&self, entry: &Entry<'_>, offer: &Offer) -> TokenSplit {
        let mut split = match self.planner.options().requests {
            Requests::One => TokenSplit::default(),
            Requests::Each => self.planner.overhead_split(),
        };
        split.add(entry.probed.info.modality(), offer.tokens.media);
        split.add(Modality::Audio, offer.tokens.soundtrack);
        split
    }

    /// The tokens of all items as they are chosen.
    pub(super) fn total(&self, solution: &Solution) -> u64 {
        let items = self.entries.iter().zip(self.offers).zip(&solution.chosen);
        items.fold(0, |sum: u64, ((entry, offers), &at)| {
            let tokens = offers.get(at).map_or(0, |offer| self.tokens(entry, offer));
            sum.saturating_add(tokens)
        })
    }
}
