//! `mediaprep budget`: what everything will cost.

use std::io;
use std::ops::ControlFlow;

use mediaprep::{
    Broken, Budgeted, Charge, Engine, ErrorKind, Input, PlanOptions, Planner, RuleSet, Totals,
};

use super::ways::ways;
use crate::args::{BudgetArgs, Common, Format};
use crate::facts::FactsFile;
use crate::failure::Failure;
use crate::item::Row;
use crate::output::{Output, Status};
use crate::write::{Head, Sink, Summary, sink};
use crate::{Stop, inputs, settings};

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
    let mut report = Report::new(args, &rules, &options, &engine);
    if let Some(main) = report.planners.first() {
        main.check_options().map_err(|error| settings::failure(&error))?;
    }
    match &args.inputs.facts {
        Some(path) => {
            let mut facts = FactsFile::open(path)?;
            let lines = || facts.inputs().map(Lines::Read).unwrap_or_else(Lines::failed);
            report.run(&engine, lines, None, output)?;
        }
        None => {
            let list = inputs::collect(&args.inputs, engine.threads())?;
            let list = inputs::once(list, &args.request, &engine)?;
            report.run(&engine, || list.iter().cloned(), Some(list.len()), output)?;
        }
    }
    report.finish(args.view.max_tokens, output)
}

/// Lines of facts, or the one failure to read them again.
enum Lines<I> {
    Read(I),
    Failed(Option<Input>),
}

impl<I> Lines<I> {
    fn failed(error: io::Error) -> Self {
        Self::Failed(Some(Input::broken(Broken {
            name: "--facts".to_owned(),
            kind: ErrorKind::Io,
            reason: error.to_string(),
            hint: "check the file and the space for temporary files",
        })))
    }
}

impl<I: Iterator<Item = Input>> Iterator for Lines<I> {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        match self {
            Self::Read(lines) => lines.next(),
            Self::Failed(failure) => failure.take(),
        }
    }
}

/// A budget on its way through a writer.
struct Report<'a> {
    engine: &'a Engine,
    options: &'a PlanOptions,
    head: Head<'a>,
    sink: Box<dyn Sink>,
    models: Vec<String>,
    planners: Vec<Planner<'a>>,
    explains: bool,
    is_table: bool,
    summary: Summary,
    /// Whether a setting was refused for some item.
    invalid: bool,
}

impl<'a> Report<'a> {
    fn new(
        args: &BudgetArgs,
        rules: &'a [RuleSet<'a>],
        options: &'a PlanOptions,
        engine: &'a Engine,
    ) -> Self {
        let planners: Vec<_> = rules.iter().map(|rules| Planner::new(rules, options)).collect();
        Self {
            engine,
            options,
            head: Head { command: "budget", rules, on: rules.first().map(|rules| rules.key.date) },
            sink: sink(args.output.format(), Some(&args.view)),
            models: rules.iter().map(|rules| rules.key.model.clone()).collect(),
            explains: args.view.explain,
            is_table: args.output.format() == Format::Table,
            planners,
            summary: Summary { skipped: 0, items: 0, failed: 0, totals: Vec::new() },
            invalid: false,
        }
    }

    fn run<I>(
        &mut self,
        engine: &Engine,
        list: impl FnMut() -> I,
        total: Option<usize>,
        output: &mut Output<'_>,
    ) -> Result<(), Stop>
    where
        I: Iterator<Item = Input> + Send,
    {
        output.start_progress(total, !self.is_table);
        if self.is_table {
            output.fold_warnings();
        }
        let mut written = self.sink.begin(&self.head, output);
        let mut planners = std::mem::take(&mut self.planners);
        let skipped = engine
            .budget_each(list, &mut planners, &mut |item, planners| {
                output.step();
                written = self.show(&item, planners, output);
                if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .map_err(|error| settings::failure(&error))?;
        output.finish_progress();
        output.report_folded();
        self.planners = planners;
        self.summary.skipped = skipped;
        Ok(written?)
    }

    fn show(
        &mut self,
        item: &Budgeted,
        planners: &[Planner<'_>],
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        self.summary.items += 1;
        let planner = planners.first().filter(|_| self.explains);
        let mut explained = planner.and_then(|planner| explain(item, planner));
        if let (Some(lines), Ok(probed), Some(rules)) =
            (&mut explained, &item.probed, self.head.rules.first())
        {
            lines.extend(ways(self.engine, probed, (rules, self.options)));
        }
        let row = Row { item, models: &self.models, explained, contents: None };
        self.summary.failed += u64::from(row.failed());
        self.invalid |= row.error().is_some_and(|error| error.kind() == ErrorKind::InvalidOption);
        output.report_item(&row);
        self.sink.row(&row, output)
    }

    fn finish(mut self, max_tokens: Option<u64>, output: &mut Output<'_>) -> Result<Status, Stop> {
        let planners = std::mem::take(&mut self.planners);
        self.summary.totals = planners.into_iter().map(Planner::finish).collect();
        self.sink.end(&self.head, &self.summary, output)?;
        let mut status = Status::Done;
        for (rules, totals) in self.head.rules.iter().zip(&self.summary.totals) {
            status = status.max(report_totals(rules, totals, output));
        }
        if let (Some(cap), Some(totals)) = (max_tokens, self.summary.totals.first())
            && totals.tokens.total > cap
        {
            let message = format!("budget: {} tokens; --max-tokens: {cap}", totals.tokens.total);
            let hint = "raise the cap, send less, or lower the media resolution or fps";
            output.report_failure(&Failure::option(message, hint));
            status = Status::Failed;
        }
        Ok(match (self.invalid, self.summary.failed) {
            (true, _) => Status::CouldNotRun,
            (false, 0) => status,
            (false, _) => status.max(Status::Failed),
        })
    }
}

fn explain(item: &Budgeted, planner: &Planner<'_>) -> Option<Vec<String>> {
    let probed = item.probed.as_ref().ok()?;
    let charge: &Charge = item.charges.first()?.as_ref().ok()?;
    Some(planner.explain(probed, charge))
}

/// What there is to say about a whole request, on stderr.
pub(super) fn report_totals(
    rules: &RuleSet<'_>,
    totals: &Totals,
    output: &mut Output<'_>,
) -> Status {
    for breach in &totals.errors {
        output.report_breach(&rules.key.model, breach);
    }
    for warning in &totals.warnings {
        output.warn(&rules.key.model, warning);
    }
    if totals.errors.is_empty() { Status::Done } else { Status::Failed }
}
