//! A preparation that is within a budget.

use std::borrow::Cow;

use mediaprep_tokens::{Cost, Route};

use super::count::PartFacts;
use super::decide::{Context, Found};
use super::duplicates::FoundItem;
use super::options::{ImageForm, PrepareOptions, VideoForm};
use super::pdf::PdfForm;
use super::planned::{Preparation, excerpt_info};
use super::role::Role;
use crate::error::Error;
use crate::fit::{Fit, FitOptions, Lever, Portion, Shape, fit_shaped};
use crate::info::MediaInfo;
use crate::item_options::ItemOptions;
use crate::options::{PlanOptions, RouteChoice};
use crate::plan::Planner;
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
            let mut fit = found.fit(self, rules, (request, options), &aim)?;
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
    // Leaving the pictures out of what is asked for as it is would be another form.
    if options.video.form == VideoForm::Original {
        budget.levers = budget.levers.with(Lever::SoundOnly, false);
    }
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
        engine: &Engine,
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
        let facts: Vec<_> = facts.collect();
        let shape = Shaping { engine, rules, options };
        let mut fit = fit_shaped(&facts, &shape, rules, (request, aim))?;
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

/// What becomes of items, for a fit to count.
struct Shaping<'a> {
    engine: &'a Engine,
    rules: &'a RuleSet<'a>,
    options: &'a PrepareOptions,
}

impl Shape for Shaping<'_> {
    fn portions(
        &self,
        probed: &Probed,
        own: &ItemOptions,
        (request, route): (&PlanOptions, Route),
    ) -> Result<Option<Vec<Portion>>, Error> {
        let options = self.options.for_item(own);
        let several = match &probed.info {
            MediaInfo::Image(_) => options.images.form == ImageForm::Tiles,
            MediaInfo::Video(_) => {
                matches!(options.video.form, VideoForm::Frames | VideoForm::Sound)
            }
            MediaInfo::Document(_) => options.pdf.form == PdfForm::Pages,
            MediaInfo::Audio(_) => false,
        };
        if !several {
            return Ok(None);
        }
        let mut options = options.into_owned();
        // The facts are those of the pages that are asked for.
        options.pdf.pages = None;
        // What is taken of a video is what is charged for it as it is, which depends on its route.
        let route = match route {
            Route::Inline => RouteChoice::Inline,
            Route::File | Route::Uri => RouteChoice::File,
        };
        let request = &PlanOptions { route, ..request.clone() };
        let planner = Planner::new(self.rules, request);
        let context =
            Context { engine: self.engine, planner: &planner, request, options: &options };
        let parts = context.parts(probed, own)?;
        let as_is = matches!(parts.as_slice(), [part] if part.role == Role::Whole);
        Ok((!as_is).then(|| portions(parts)))
    }

    fn is_plain(&self) -> bool {
        false
    }

    fn makes_frames(&self) -> bool {
        cfg!(feature = "ffmpeg")
    }
}

/// Parts that are alike together.
fn portions(parts: Vec<PartFacts>) -> Vec<Portion> {
    let mut portions: Vec<Portion> = Vec::new();
    for part in parts {
        let are_frames = matches!(part.role, Role::Frame { .. });
        let text = part.text_tokens();
        match portions.last_mut() {
            Some(last) if last.are_frames == are_frames && last.part.info == part.facts.info => {
                last.times += 1;
                last.text += text;
            }
            _ => portions.push(Portion { part: part.facts, times: 1, are_frames, text }),
        }
    }
    portions
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
