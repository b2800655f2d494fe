//! A preparation that is within a budget.

use std::borrow::Cow;

use mediaprep_tokens::Cost;

use super::decide::Found;
use super::duplicates::FoundItem;
use super::options::{PrepareOptions, VideoForm};
use super::pdf::PdfForm;
use super::planned::{Preparation, excerpt_info};
use crate::error::Error;
use crate::fit::{Fit, FitOptions, Lever, fit_probed};
use crate::info::MediaInfo;
use crate::item_options::ItemOptions;
use crate::options::PlanOptions;
use crate::probe::Probed;
use crate::rules::RuleSet;
use crate::totals::Totals;
use crate::{Engine, Input};

/// How often a fit whose parts cost more than its items is tried with less.
const TIGHTENINGS: u32 = 8;

impl Engine {
    /// Fits a list of inputs into a budget, and decides what becomes of each so that it is what the fit
    /// says. What parts cost beside their items, such as labels, or frames that are sent as images, is
    /// within the budget too: where it is above, the items are fitted into less, up to eight times.
    ///
    /// Only what the forms that are asked for can carry out is chosen: the sound is not left out of
    /// videos that are sent as they are, nor where this build has no FFmpeg, and PDFs that are sent as
    /// they are keep their pages. The fit is in [`Preparation::fit`]; whether it fits, and what is
    /// missing, is by the count of the planned parts there.
    ///
    /// # Errors
    ///
    /// As [`Engine::plan`] and [`Engine::fit`].
    pub fn plan_fit<'a>(
        &self,
        inputs: &[Input],
        rules: &'a RuleSet<'a>,
        (request, options): (&PlanOptions, &PrepareOptions),
        budget: &FitOptions,
    ) -> Result<Preparation<'a>, Error> {
        self.check_plan(rules, request, options)?;
        let mut aim = carried(budget, options);
        let mut found = self.probe_all(inputs)?;
        let (mut least, mut tries) = (None, 0);
        loop {
            let mut fit = found.fit(rules, (request, options), &aim)?;
            let least = *least.get_or_insert(fit.loss.saturating_sub(fit.gap));
            let own: Vec<ItemOptions> = fit.items.iter().map(|item| item.options.clone()).collect();
            let fitted = fit.request(request);
            let mut preparation = self.plan_found(found, rules, (&fitted, options), &own);
            let above = Above::of(&preparation.count().totals, budget);
            if above.is_nothing() || !fit.fits || tries == TIGHTENINGS {
                above.tell(&mut fit, least);
                preparation.fit = Some(fit);
                return Ok(preparation);
            }
            tries += 1;
            above.tighten(&mut aim);
            found = Found::again(preparation);
        }
    }
}

/// The levers that the forms which are asked for can carry out.
fn carried(budget: &FitOptions, options: &PrepareOptions) -> FitOptions {
    let mut budget = budget.clone();
    if options.pdf.form == PdfForm::Original {
        budget.levers = budget.levers.with(Lever::Pages, false);
    }
    if options.video.form == VideoForm::Original || !cfg!(feature = "ffmpeg") {
        budget.levers = budget.levers.with(Lever::AudioTrack, false);
    }
    budget
}

impl Found {
    fn fit(
        &self,
        rules: &RuleSet<'_>,
        (request, options): (&PlanOptions, &PrepareOptions),
        aim: &FitOptions,
    ) -> Result<Fit, Error> {
        let shape = |item: &FoundItem| match &item.probed {
            Ok(probed) => Some(shaped(probed, options).into_owned()),
            Err(_) => None,
        };
        let shaped: Vec<Option<Probed>> = self.items.iter().map(shape).collect();
        let both = self.items.iter().zip(&shaped);
        let facts = both.filter_map(|(item, shaped)| match (&item.probed, shaped) {
            (Err(error), _) => Some(Err(error)),
            (Ok(_), shaped) => shaped.as_ref().map(Ok),
        });
        let mut fit = fit_probed(&facts.collect::<Vec<_>>(), rules, request, aim)?;
        self.copies.iter().for_each(|_| fit.totals.add_copy());
        Ok(fit)
    }

    /// What a preparation was planned from.
    fn again(preparation: Preparation<'_>) -> Self {
        let items = preparation.items.into_iter().map(|item| {
            let probed = match (item.planned, item.unplanned) {
                (Ok(planned), _) => Ok(planned.probed),
                (Err(_), Some(probed)) => Ok(probed),
                (Err(error), None) => Err(error),
            };
            FoundItem { input: item.input, probed, stamp: item.stamp }
        });
        let (copies, skipped) = (preparation.copies, preparation.skipped);
        Self { items: items.collect(), copies, skipped }
    }
}

/// An input as far as the options shape all inputs alike: scaled down, or some of its pages.
fn shaped<'a>(probed: &'a Probed, options: &PrepareOptions) -> Cow<'a, Probed> {
    if let (MediaInfo::Document(document), Some(selection)) = (&probed.info, &options.pdf.pages) {
        // Pages that it does not have are an error of the plan.
        let Ok(pages) = selection.of(document.pages()) else { return Cow::Borrowed(probed) };
        let sizes: Vec<_> = document.page_sizes().collect();
        let info = excerpt_info(&sizes, &pages);
        return Cow::Owned(Probed { info, ..probed.clone() });
    }
    let own = ItemOptions { longest_side: options.images.max_side, ..ItemOptions::default() };
    own.apply(probed)
}

/// What is above a budget.
struct Above {
    tokens: u64,
    money: u128,
}

impl Above {
    fn of(totals: &Totals, budget: &FitOptions) -> Self {
        let tokens = budget.max_tokens.map_or(0, |most| totals.tokens.total.saturating_sub(most));
        let money = budget.max_cost.zip(totals.cost);
        let money = money.map_or(0, |(most, cost)| cost.0.saturating_sub(most.0));
        Self { tokens, money }
    }

    const fn is_nothing(&self) -> bool {
        self.tokens == 0 && self.money == 0
    }

    /// Aims so much lower.
    fn tighten(&self, aim: &mut FitOptions) {
        aim.max_tokens = aim.max_tokens.map(|most| most.saturating_sub(self.tokens));
        aim.max_cost = aim.max_cost.map(|most| Cost(most.0.saturating_sub(self.money)));
    }

    /// Says in a fit how its parts stand to the budget, and its loss to the least that is possible.
    fn tell(&self, fit: &mut Fit, least: u64) {
        fit.fits = self.is_nothing();
        fit.missing = self.tokens;
        fit.missing_cost = (self.money > 0).then_some(Cost(self.money));
        fit.gap = 0;
        if fit.fits {
            fit.gap = fit.loss.saturating_sub(least);
            fit.advice.clear();
        }
    }
}
