//! What a fit says, as every format prints it.

use mediaprep::media::FrameRate;
use mediaprep::tokens::Cost;
use mediaprep::{
    Advice, Engine, Fit, FitItem, FitOptions, GivenUp, Input, ItemOptions, Lever, PlanOptions,
    Preparation, PrepareOptions, RuleSet,
};
use serde::Serialize;

use crate::failure::Failure;
use crate::item::dollars;
use crate::output::{Output, Status};
use crate::settings;
use crate::text::thousands;
use crate::write::Summary;

/// What was decided about one item, beside the item.
#[derive(Serialize)]
pub(crate) struct FittedItem<'a> {
    tokens_before: u64,
    /// What is lost of it, 0 to 1.
    loss: f64,
    given_up: &'a [GivenUp],
    options: &'a ItemOptions,
}

impl<'a> FittedItem<'a> {
    pub(crate) fn new(item: &'a FitItem) -> Self {
        Self {
            tokens_before: item.tokens_before,
            loss: share(item.loss),
            given_up: &item.given_up,
            options: &item.options,
        }
    }
}

/// What was decided about everything.
#[derive(Serialize)]
pub(crate) struct FittedTotals<'a> {
    max_tokens: Option<u64>,
    max_cost_usd: Option<f64>,
    fits: bool,
    tokens_before: u64,
    tokens: u64,
    cost_before_usd: Option<f64>,
    cost_usd: Option<f64>,
    /// The level of the whole request, where one is part of the fit.
    media_resolution: Option<&'static str>,
    /// The sum of what the items lose, each 0 to 1, times their weights.
    loss: f64,
    /// How far that may be above the least that is possible.
    gap: f64,
    missing: u64,
    missing_cost_usd: Option<f64>,
    advice: &'a [Advice],
}

impl<'a> FittedTotals<'a> {
    pub(crate) fn new(fit: &'a Fit, budget: &FitOptions) -> Self {
        Self {
            max_tokens: budget.max_tokens,
            max_cost_usd: budget.max_cost.map(dollars),
            fits: fit.fits,
            tokens_before: fit.tokens_before,
            tokens: fit.tokens,
            cost_before_usd: fit.cost_before.map(dollars),
            cost_usd: fit.cost.map(dollars),
            media_resolution: fit.media_resolution.map(|level| level.as_str()),
            loss: share(fit.loss),
            gap: share(fit.gap),
            missing: fit.missing,
            missing_cost_usd: fit.missing_cost.map(dollars),
            advice: &fit.advice,
        }
    }
}

/// What a preparation is planned from.
pub(crate) struct Planning<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) rules: &'a RuleSet<'a>,
    pub(crate) request: &'a PlanOptions,
    pub(crate) options: &'a PrepareOptions,
}

impl<'a> Planning<'a> {
    /// Plans inputs, within a budget where one is given.
    pub(crate) fn plan(
        &self,
        inputs: &[Input],
        budget: Option<&FitOptions>,
    ) -> Result<Preparation<'a>, Failure> {
        let Self { engine, rules, request, options } = *self;
        let planned = match budget {
            Some(budget) => engine.plan_fit(inputs, rules, (request, options), budget),
            None => engine.plan(inputs, rules, request, options),
        };
        planned.map_err(|error| settings::failure(&error))
    }
}

/// Says what was given up for a budget, or that nothing fits.
pub(crate) fn tell_fit(
    preparation: &Preparation<'_>,
    budget: Option<&FitOptions>,
    output: &mut Output<'_>,
) -> Status {
    let Some((fit, budget)) = preparation.fit.as_ref().zip(budget) else { return Status::Done };
    if !fit.fits {
        output.report_failure(&misfit(fit, budget));
        return Status::Failed;
    }
    let (before, after) = (thousands(fit.tokens_before), thousands(fit.tokens));
    output.note(&format!("fitted from {before} to {after} tokens: {}", lost(fit)));
    Status::Done
}

/// Holds what was made against the budget: what a file is like inside, such as the text of its pages,
/// may cost more than its header says.
pub(crate) fn check_made(
    summary: &Summary,
    budget: Option<&FitOptions>,
    output: &mut Output<'_>,
) -> Status {
    let Some((budget, totals)) = budget.zip(summary.totals.first()) else { return Status::Done };
    let tokens = budget.max_tokens.is_some_and(|most| totals.tokens.total > most);
    let dear = |cost: Cost| budget.max_cost.is_some_and(|most| cost > most);
    if !tokens && !totals.cost.is_some_and(dear) {
        return Status::Done;
    }
    let cost = totals.cost.map(|cost| format!(" or {cost}")).unwrap_or_default();
    let made = format!("{} tokens{cost}", thousands(totals.tokens.total));
    let message = format!("fit: what was made costs {made}, more than was planned and allowed");
    output.report_failure(&Failure::option(message, "leave a margin below the budget"));
    Status::Failed
}

/// What is lost in all, and how far that may be from the least.
pub(crate) fn lost(fit: &Fit) -> String {
    let changed = fit.items.iter().filter(|item| !item.given_up.is_empty()).count() as u64;
    let files = if changed == 1 { "file" } else { "files" };
    let lost = format!("loss {:.3} in {} {files}", share(fit.loss), thousands(changed));
    match fit.gap {
        _ if !fit.fits => format!("{lost}, and it does not fit"),
        0 => format!("{lost}, the least possible"),
        gap => format!("{lost}, at most {:.3} above the least possible", share(gap)),
    }
}

/// Millionths as a number.
pub(crate) fn share(millionths: u64) -> f64 {
    millionths as f64 / 1e6
}

/// What was given up, in words: `fps 1 → 0.25`.
pub(crate) fn words(given_up: &GivenUp) -> String {
    let GivenUp { what, from, to } = given_up;
    match what {
        Lever::MediaResolution => format!("resolution {from} → {to}"),
        Lever::ImageSize => format!("longest side {} → {}", longest(from), longest(to)),
        Lever::Fps => format!("fps {} → {}", rate(from), rate(to)),
        Lever::AudioTrack => "without its sound".to_owned(),
        Lever::Clip => format!("end {} → {}", instant(from), instant(to)),
        Lever::Pages => format!("pages {from} → the first {to}"),
        Lever::Form => format!("{from} → {to}"),
        Lever::SoundOnly => "its sound alone".to_owned(),
    }
}

/// The larger of the two sides of `4032x3024`.
fn longest(size: &str) -> &str {
    let sides = || size.split('x');
    let number = |side: &&str| side.parse::<u32>().unwrap_or(0);
    sides().max_by_key(number).unwrap_or(size)
}

/// `90 s` of `to 90.000 s`.
fn instant(end: &str) -> String {
    end.trim_start_matches("to ").replace(".000", "")
}

/// A rate as a decimal, where it is a short one.
fn rate(text: &str) -> String {
    let fraction = text.split_once('/');
    let parsed = fraction.and_then(|(top, bottom)| Some((top.parse().ok()?, bottom.parse().ok()?)));
    match parsed.and_then(|(top, bottom): (u32, u32)| FrameRate::new(top, bottom)) {
        Some(rate) if 100 % rate.denominator() == 0 => rate.as_f64().to_string(),
        _ => text.to_owned(),
    }
}

/// What there is to say where nothing that is allowed fits.
pub(crate) fn misfit(fit: &Fit, budget: &FitOptions) -> Failure {
    let mut above = Vec::new();
    if let Some(most) = budget.max_tokens.filter(|_| fit.missing > 0) {
        let (missing, most) = (thousands(fit.missing), thousands(most));
        above.push(format!("{missing} tokens above --max-tokens {most}"));
    }
    if let Some((missing, most)) = fit.missing_cost.zip(budget.max_cost) {
        above.push(format!("{missing} above --max-cost {most}"));
    }
    let message = format!("fit: at its cheapest {}", above.join(" and "));
    let mut hints: Vec<_> = fit.advice.iter().map(|advice| advised(advice).into()).collect();
    if hints.is_empty() {
        hints.push("raise the budget, or send less".into());
    }
    Failure { message, hints }
}

fn advised(advice: &Advice) -> String {
    match advice {
        Advice::Allow { lever, saves } => {
            let (name, saves) = (lever.as_str(), thousands(*saves));
            let off = !mediaprep::Levers::default().allows(*lever);
            let how = if off { "--allow" } else { "leave it out of --without:" };
            format!("{how} {name} takes up to {saves} tokens off")
        }
        Advice::KeepFewer { tokens } => {
            format!("--keep holds {} tokens: keep fewer files as they are", thousands(*tokens))
        }
        Advice::SplitRequests { requests } => {
            format!("spread the files over at least {requests} requests")
        }
        Advice::CheaperModel => "choose a cheaper model with --model".to_owned(),
        _ => "raise the budget, or send less".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_is_said_in_words() {
        let said = |what, from: &str, to: &str| {
            words(&GivenUp { what, from: from.to_owned(), to: to.to_owned() })
        };
        assert_eq!(said(Lever::Fps, "1", "1/4"), "fps 1 → 0.25");
        assert_eq!(said(Lever::Fps, "2", "1/30"), "fps 2 → 1/30");
        let size = said(Lever::ImageSize, "3024x4032", "1152x1536");
        assert_eq!(size, "longest side 4032 → 1536");
        assert_eq!(said(Lever::Clip, "to 90.000 s", "to 67.000 s"), "end 90 s → 67 s");
        assert_eq!(said(Lever::MediaResolution, "high", "low"), "resolution high → low");
    }
}
