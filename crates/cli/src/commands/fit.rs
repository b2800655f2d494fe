//! `mediaprep fit`: what is given up of each file so that everything is within a budget.

use std::ops::ControlFlow;

use mediaprep::{
    Budgeted, Engine, Error, ErrorKind, Fit, FitItem, Input, ItemOptions, Outcome, PlanOptions,
    Planner, Probed, RuleSet, fit_probed,
};

use crate::args::{Common, FitArgs, Format};
use crate::facts::FactsFile;
use crate::failure::Failure;
use crate::fitted::misfit;
use crate::item::Row;
use crate::output::{Output, Status};
use crate::write::{FitReport, Head, Summary};
use crate::{Stop, inputs, settings};

pub(crate) fn fit(
    args: &FitArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let engine = settings::engine(common)?;
    let book = settings::rule_book(args.rule.rules.as_deref())?;
    let rules = settings::rule_sets(&book, &args.rule, &[])?;
    let rules = if args.batch { settings::batch_prices(rules) } else { rules };
    let request = settings::plan_options(&args.request)?;
    let budget = settings::fit_options(&args.fitting)?.ok_or_else(|| {
        Failure::option("fit: no budget is given", "give --max-tokens N, --max-cost USD, or both")
    })?;
    let Some(main) = rules.first() else { return Ok(Status::CouldNotRun) };
    let Found { items, copies, skipped } = read(args, &engine, output)?;
    let facts: Vec<_> = items.iter().map(|item| item.as_deref()).collect();
    let fit = fit_probed(&facts, main, &request, &budget);
    let mut fit = fit.map_err(|error| settings::failure(&error))?;
    fit.totals.copies = copies.len() as u64;
    fit.totals.items += fit.totals.copies;
    let budgeted = with_copies(budgeted(items, &fit, (main, &request)), &fit, copies);
    let models = [main.key.model.clone()];
    let row = |item| Row { item, models: &models, explained: None, contents: None };
    let rows: Vec<(Row<'_>, Option<&FitItem>)> =
        budgeted.iter().map(|(item, fitted)| (row(item), *fitted)).collect();
    let failed = rows.iter().filter(|(row, _)| row.failed()).count() as u64;
    let totals = vec![fit.totals.clone()];
    let summary = Summary { skipped, items: rows.len() as u64, failed, totals };
    let head = Head { command: "fit", rules: &rules, on: Some(main.key.date) };
    let report =
        FitReport { head: &head, summary: &summary, fit: &fit, budget: &budget, rows: &rows };
    report_rows(&rows, args.output.format(), output);
    report.write(args.output.format(), output)?;
    let mut status = super::counting::report_totals(main, &fit.totals, output);
    if !fit.fits {
        output.report_failure(&misfit(&fit, &budget));
        status = Status::Failed;
    }
    let invalid =
        |row: &Row<'_>| row.error().is_some_and(|error| error.kind() == ErrorKind::InvalidOption);
    Ok(match failed {
        0 => status,
        _ if rows.iter().any(|(row, _)| invalid(row)) => Status::CouldNotRun,
        _ => status.max(Status::Failed),
    })
}

/// What was found out about the inputs.
#[derive(Default)]
struct Found {
    items: Vec<Result<Box<Probed>, Error>>,
    /// Copies of items, each with how many items come before it in input order.
    copies: Vec<(usize, Budgeted)>,
    /// How many are no media.
    skipped: u64,
}

impl Found {
    fn take(&mut self, outcome: Outcome, copy_of: Option<&str>) {
        match (outcome, copy_of) {
            (Outcome::Media(probed), Some(first)) => {
                self.copies.push((self.items.len(), Budgeted::copy(probed, first.into())));
            }
            (Outcome::Media(probed), None) => self.items.push(Ok(probed)),
            (Outcome::Failed(error), _) => self.items.push(Err(error)),
            (Outcome::Skipped, _) => self.skipped += 1,
        }
    }
}

/// The facts of all inputs.
fn read(args: &FitArgs, engine: &Engine, output: &mut Output<'_>) -> Result<Found, Stop> {
    let mut found = Found::default();
    let mut take = |outcome: Outcome, copy_of: Option<&str>, output: &mut Output<'_>| {
        output.step();
        found.take(outcome, copy_of);
        ControlFlow::Continue(())
    };
    let probed = match &args.inputs.facts {
        Some(path) => {
            let lines = FactsFile::open(path)?.inputs()?;
            engine.probe_each(lines, &mut |outcome| take(outcome, None, output))
        }
        None => {
            let list = inputs::collect(&args.inputs, engine.threads())?;
            let list = inputs::once(list, &args.request, engine)?;
            output.start_progress(Some(list.len()), false);
            // Outcomes come in the order of the inputs.
            let mut at = list.iter();
            engine.probe_each(list.iter().cloned(), &mut |outcome| {
                take(outcome, at.next().and_then(Input::copy_of), output)
            })
        }
    };
    output.finish_progress();
    probed.map_err(|error| settings::failure(&error))?;
    Ok(found)
}

/// Every item with what was decided about it, and the copies at their places.
fn with_copies(
    items: Vec<Budgeted>,
    fit: &Fit,
    copies: Vec<(usize, Budgeted)>,
) -> Vec<(Budgeted, Option<&FitItem>)> {
    let mut all = Vec::with_capacity(items.len() + copies.len());
    let mut copies = copies.into_iter().peekable();
    for (at, (item, fitted)) in items.into_iter().zip(&fit.items).enumerate() {
        while let Some((_, copy)) = copies.next_if(|(behind, _)| *behind <= at) {
            all.push((copy, None));
        }
        all.push((item, Some(fitted)));
    }
    all.extend(copies.map(|(_, copy)| (copy, None)));
    all
}

/// Every item with its charge as it is fitted.
fn budgeted(
    found: Vec<Result<Box<Probed>, Error>>,
    fit: &Fit,
    (rules, request): (&RuleSet<'_>, &PlanOptions),
) -> Vec<Budgeted> {
    let fitted = fit.request(request);
    let read = found.iter().zip(&fit.items);
    let items: Vec<(&Probed, &ItemOptions)> =
        read.filter_map(|(found, item)| Some((&**found.as_ref().ok()?, &item.options))).collect();
    let mut charges = Planner::new(rules, &fitted).plan_items(&items).into_iter();
    let one = |probed: Result<Box<Probed>, Error>| {
        let charge = if probed.is_ok() { charges.next() } else { None };
        Budgeted::new(probed, charge.into_iter().collect())
    };
    found.into_iter().map(one).collect()
}

/// What there is to say about single files, on stderr.
fn report_rows(rows: &[(Row<'_>, Option<&FitItem>)], format: Format, output: &mut Output<'_>) {
    if format == Format::Table {
        output.fold_warnings();
    }
    rows.iter().for_each(|(row, _)| output.report_item(row));
    output.report_folded();
}
