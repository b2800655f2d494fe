//! `mediaprep fit`: what is given up of each file so that everything is within a budget.

use std::ops::ControlFlow;

use mediaprep::{
    Budgeted, Engine, Error, ErrorKind, Fit, FitItem, ItemOptions, Outcome, PlanOptions, Planner,
    Probed, RuleSet, fit_probed,
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
    let request = settings::plan_options(&args.request)?;
    let budget = settings::fit_options(&args.fitting)?.ok_or_else(|| {
        Failure::option("fit: no budget is given", "give --max-tokens N, --max-cost USD, or both")
    })?;
    let Some(main) = rules.first() else { return Ok(Status::CouldNotRun) };
    let (found, skipped) = read(args, &engine, output)?;
    let facts: Vec<_> = found.iter().map(|found| found.as_deref()).collect();
    let fit = fit_probed(&facts, main, &request, &budget);
    let fit = fit.map_err(|error| settings::failure(&error))?;
    let budgeted = budgeted(found, &fit, (main, &request));
    let models = [main.key.model.clone()];
    let row = |item| Row { item, models: &models, explained: None, contents: None };
    let rows: Vec<(Row<'_>, &FitItem)> = budgeted.iter().map(row).zip(&fit.items).collect();
    let failed = rows.iter().filter(|(row, _)| row.failed()).count() as u64;
    let totals = vec![fit.totals.clone()];
    let summary = Summary { skipped, items: rows.len() as u64, failed, totals };
    let head = Head { command: "fit", rules: &rules, on: Some(main.key.date) };
    let report =
        FitReport { head: &head, summary: &summary, fit: &fit, budget: &budget, rows: &rows };
    report_rows(&rows, args.output.format(), output);
    report.write(args.output.format(), output)?;
    let mut status = super::budget::report_totals(main, &fit.totals, output);
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

type Found = Vec<Result<Box<Probed>, Error>>;

/// The facts of all inputs, and how many are no media.
fn read(args: &FitArgs, engine: &Engine, output: &mut Output<'_>) -> Result<(Found, u64), Stop> {
    let (mut found, mut skipped) = (Vec::new(), 0);
    let mut take = |outcome: Outcome, output: &mut Output<'_>| {
        output.step();
        match outcome {
            Outcome::Media(probed) => found.push(Ok(probed)),
            Outcome::Failed(error) => found.push(Err(error)),
            Outcome::Skipped => skipped += 1,
        }
        ControlFlow::Continue(())
    };
    let probed = match &args.inputs.facts {
        Some(path) => {
            let lines = FactsFile::open(path)?.inputs()?;
            engine.probe_each(lines, &mut |outcome| take(outcome, output))
        }
        None => {
            let list = inputs::collect(&args.inputs, engine.threads())?;
            output.start_progress(Some(list.len()), false);
            engine.probe_each(list.into_iter(), &mut |outcome| take(outcome, output))
        }
    };
    output.finish_progress();
    probed.map_err(|error| settings::failure(&error))?;
    Ok((found, skipped))
}

/// Every item with its charge as it is fitted.
fn budgeted(
    found: Found,
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
        Budgeted { probed, charges: charge.into_iter().collect() }
    };
    found.into_iter().map(one).collect()
}

/// What there is to say about single files, on stderr.
fn report_rows(rows: &[(Row<'_>, &FitItem)], format: Format, output: &mut Output<'_>) {
    if format == Format::Table {
        output.fold_warnings();
    }
    rows.iter().for_each(|(row, _)| output.report_item(row));
    output.report_folded();
}
