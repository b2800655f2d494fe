//! `mediaprep budget`: what everything will cost.

use mediaprep::{Engine, PlanOptions, Planner, RuleSet};

use super::counting::{Counting, Sources};
use super::ways::ways;
use crate::args::{BudgetArgs, Common, Format};
use crate::item::Row;
use crate::output::{Output, Status};
use crate::write::{Head, sink};
use crate::{Stop, settings};

pub(crate) fn budget(
    args: &BudgetArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let engine = settings::engine(common)?;
    let book = settings::rule_book(args.rule.rules.as_deref())?;
    let rules = settings::rule_sets(&book, &args.rule, &args.view.compare)?;
    let rules = if args.batch { settings::batch_prices(rules) } else { rules };
    let options = settings::plan_options(&args.request)?;
    let mut counting = Counting::new(&rules, &options)?;
    let mut sources = Sources::open(&args.inputs, &args.request, &engine)?;
    let on = rules.first().map(|rules| rules.key.date);
    let head = Head { command: "budget", rules: &rules, on };
    let mut sink = sink(args.output.format(), Some(&args.view));
    let is_table = args.output.format() == Format::Table;
    output.start_progress(sources.total(), !is_table);
    if is_table {
        output.fold_warnings();
    }
    sink.begin(&head, output)?;
    let mut take = |mut row: Row<'_>, planner: Option<&Planner<'_>>, output: &mut Output<'_>| {
        if args.view.explain {
            row.explained = explain(&row, planner, (&engine, &rules, &options));
        }
        sink.row(&row, output)
    };
    counting.run(&engine, &mut sources, &mut take, output)?;
    output.report_folded();
    counting.close();
    sink.end(&head, &counting.summary, output)?;
    Ok(counting.status(args.view.max_tokens, output))
}

/// The arithmetic of an item in words, and what its other forms would cost.
fn explain(
    row: &Row<'_>,
    planner: Option<&Planner<'_>>,
    (engine, rules, options): (&Engine, &[RuleSet<'_>], &PlanOptions),
) -> Option<Vec<String>> {
    let (probed, charge) = (row.probed()?, row.charge()?);
    let mut lines = planner?.explain(probed, charge);
    lines
        .extend(rules.first().into_iter().flat_map(|rules| ways(engine, probed, (rules, options))));
    Some(lines)
}
