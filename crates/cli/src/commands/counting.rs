//! Counting inputs under one rule or several, item by item: what `budget` and `report` share.

use std::io;
use std::ops::ControlFlow;

use mediaprep::{
    Broken, Budgeted, Engine, ErrorKind, Input, PlanOptions, Planner, RuleSet, Totals,
};

use crate::args::{InputArgs, RequestArgs};
use crate::facts::FactsFile;
use crate::failure::Failure;
use crate::item::Row;
use crate::output::{Output, Status};
use crate::write::Summary;
use crate::{Stop, inputs, settings};

/// What is counted.
pub(super) enum Sources {
    /// Lines of facts, which are read again for each pass.
    Facts(FactsFile),
    /// Files, copies of each other marked.
    Files(Vec<Input>),
}

impl Sources {
    /// Finds everything that was named.
    ///
    /// # Errors
    ///
    /// When a list or the facts cannot be read, nothing was named, or the threads cannot be started.
    pub(super) fn open(
        args: &InputArgs,
        request: &RequestArgs,
        engine: &Engine,
    ) -> Result<Self, Failure> {
        match &args.facts {
            Some(path) => FactsFile::open(path).map(Self::Facts),
            None => {
                let list = inputs::collect(args, engine.threads())?;
                inputs::once(list, request, engine).map(Self::Files)
            }
        }
    }

    /// How many there are, where that is known beforehand.
    pub(super) fn total(&self) -> Option<usize> {
        match self {
            Self::Facts(_) => None,
            Self::Files(list) => Some(list.len()),
        }
    }

    /// The files; none where there are facts alone.
    pub(super) fn files(&self) -> &[Input] {
        match self {
            Self::Facts(_) => &[],
            Self::Files(list) => list,
        }
    }
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

/// What is done with each item, by its row and the first model's planner.
pub(super) type Take<'t> =
    dyn FnMut(Row<'_>, Option<&Planner<'_>>, &mut Output<'_>) -> io::Result<()> + 't;

/// A count on its way.
pub(super) struct Counting<'a> {
    rules: &'a [RuleSet<'a>],
    models: Vec<String>,
    planners: Vec<Planner<'a>>,
    /// What has been counted so far; the sums come with [`Counting::close`].
    pub(super) summary: Summary,
    /// Whether a setting was refused for some item.
    invalid: bool,
}

impl<'a> Counting<'a> {
    /// Nothing counted yet.
    ///
    /// # Errors
    ///
    /// When the first model takes one of the settings for no item at all.
    pub(super) fn new(rules: &'a [RuleSet<'a>], options: &'a PlanOptions) -> Result<Self, Failure> {
        let planners: Vec<_> = rules.iter().map(|rules| Planner::new(rules, options)).collect();
        if let Some(main) = planners.first() {
            main.check_options().map_err(|error| settings::failure(&error))?;
        }
        Ok(Self {
            rules,
            models: rules.iter().map(|rules| rules.key.model.clone()).collect(),
            planners,
            summary: Summary { skipped: 0, items: 0, failed: 0, totals: Vec::new() },
            invalid: false,
        })
    }

    /// Counts everything, with notes about each item on the way.
    pub(super) fn run(
        &mut self,
        engine: &Engine,
        sources: &mut Sources,
        take: &mut Take<'_>,
        output: &mut Output<'_>,
    ) -> Result<(), Stop> {
        match sources {
            Sources::Facts(facts) => {
                let lines = || facts.inputs().map(Lines::Read).unwrap_or_else(Lines::failed);
                self.run_over(engine, lines, take, output)
            }
            Sources::Files(list) => self.run_over(engine, || list.iter().cloned(), take, output),
        }
    }

    fn run_over<I: Iterator<Item = Input> + Send>(
        &mut self,
        engine: &Engine,
        list: impl FnMut() -> I,
        take: &mut Take<'_>,
        output: &mut Output<'_>,
    ) -> Result<(), Stop> {
        let mut planners = std::mem::take(&mut self.planners);
        let mut written = Ok(());
        let skipped = engine
            .budget_each(list, &mut planners, &mut |item, planners| {
                output.step();
                written = self.show(&item, planners.first(), take, output);
                if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .map_err(|error| settings::failure(&error))?;
        output.finish_progress();
        self.planners = planners;
        self.summary.skipped = skipped;
        Ok(written?)
    }

    fn show(
        &mut self,
        item: &Budgeted,
        planner: Option<&Planner<'_>>,
        take: &mut Take<'_>,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let row = Row { item, models: &self.models, explained: None, contents: None };
        self.summary.items += 1;
        self.summary.failed += u64::from(row.failed());
        self.invalid |= row.error().is_some_and(|error| error.kind() == ErrorKind::InvalidOption);
        output.report_item(&row);
        take(row, planner, output)
    }

    /// Adds up.
    pub(super) fn close(&mut self) {
        let planners = std::mem::take(&mut self.planners);
        self.summary.totals = planners.into_iter().map(Planner::finish).collect();
    }

    /// How the command ends, with what there is to say about whole requests.
    pub(super) fn status(&self, max_tokens: Option<u64>, output: &mut Output<'_>) -> Status {
        let mut status = Status::Done;
        for (rules, totals) in self.rules.iter().zip(&self.summary.totals) {
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
        match (self.invalid, self.summary.failed) {
            (true, _) => Status::CouldNotRun,
            (false, 0) => status,
            (false, _) => status.max(Status::Failed),
        }
    }
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
