//! Probing and planning joined: what everything will cost, item by item and in all.

use std::ops::ControlFlow;
use std::sync::Arc;

use mediaprep_media::{Warning, WarningCode};

use crate::error::{Error, ErrorKind, Stage};
use crate::observe::Work;
use crate::options::PlanOptions;
use crate::plan::{Charge, Planner};
use crate::probe::{Outcome, Probed, Reading, probe};
use crate::rules::RuleSet;
use crate::run::run;
use crate::totals::Totals;
use crate::{Engine, Input};

/// One item of a budget.
#[derive(Debug)]
pub struct Budgeted {
    /// Its facts; an error says why there are none.
    pub probed: Result<Box<Probed>, Error>,
    /// What it is charged, by each planner in turn; empty when there are no facts.
    pub charges: Vec<Result<Charge, Error>>,
    /// The name of the input that it is a copy of; it is then charged nothing, and `charges` is
    /// empty.
    pub copy_of: Option<Arc<str>>,
}

impl Budgeted {
    /// An item that is no copy.
    pub const fn new(
        probed: Result<Box<Probed>, Error>,
        charges: Vec<Result<Charge, Error>>,
    ) -> Self {
        Self { probed, charges, copy_of: None }
    }

    /// An item that is a copy of the named one, with a warning that says so.
    pub fn copy(mut probed: Box<Probed>, first: Arc<str>) -> Self {
        let message = format!("the same bytes as {first}; counted and sent once");
        let hint = "--keep-duplicates sends every file";
        let warning = Warning::new(WarningCode::Duplicate, message).with_hint(hint);
        probed.warnings.push(warning);
        Self { probed: Ok(probed), charges: Vec::new(), copy_of: Some(first) }
    }
}

/// How probing an input ended, and what it is a copy of.
type Seen = (Outcome, Option<Arc<str>>);

/// What one list of inputs will cost under one rule.
#[derive(Debug)]
pub struct Budget {
    /// One entry for each input that is media or should have been, in input order.
    pub items: Vec<Budgeted>,
    /// Inputs that were found in a folder and are no media.
    pub skipped: u64,
    /// The sums.
    pub totals: Totals,
}

/// Outcomes that the look ahead keeps for the real pass. Above that the inputs are probed again,
/// so that memory does not grow with their number.
const KEPT_OUTCOMES: usize = 1 << 16;

impl Engine {
    /// Reads the header facts of every input, in parallel, and hands the outcomes over in input
    /// order. Stops when `each` breaks.
    ///
    /// # Errors
    ///
    /// When the threads cannot be started.
    pub fn probe_each(
        &self,
        inputs: impl Iterator<Item = Input> + Send,
        each: &mut dyn FnMut(Outcome) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.see_each(inputs, &mut |(outcome, _)| each(outcome))
    }

    /// The same with what each input is a copy of.
    pub(crate) fn see_each(
        &self,
        inputs: impl Iterator<Item = Input> + Send,
        each: &mut dyn FnMut(Seen) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let reading = self.reading();
        let see = |input: Input| (probe(&input, reading), input.copy_mark().cloned());
        let mut counter =
            self.observed().counter(Work::Probe, inputs.size_hint().1.map(|n| n as u64));
        run(self.threads(), inputs, see, &mut |seen: Seen| {
            counter.step(|| match &seen.0 {
                Outcome::Media(probed) => probed.name.clone(),
                Outcome::Failed(error) => error.input().to_owned(),
                Outcome::Skipped => String::new(),
            });
            each(seen)
        })
        .map_err(|error| Error::new("", Stage::Open, ErrorKind::Io, error))
    }

    /// Reads the header facts of one input.
    pub fn probe(&self, input: &Input) -> Outcome {
        probe(input, self.reading())
    }

    fn reading(&self) -> Reading<'_> {
        Reading { limits: self.limits(), password: self.password() }
    }

    /// Budgets a list of inputs under one rule.
    ///
    /// # Errors
    ///
    /// When the options are out of range or the threads cannot be started. What is wrong with one
    /// input is in its item.
    pub fn budget(
        &self,
        inputs: &[Input],
        rules: &RuleSet<'_>,
        options: &PlanOptions,
    ) -> Result<Budget, Error> {
        let mut planners = [Planner::new(rules, options)];
        planners[0].check_options()?;
        let mut items = Vec::with_capacity(inputs.len());
        let skipped =
            self.budget_each(|| inputs.iter().cloned(), &mut planners, &mut |item, _| {
                items.push(item);
                ControlFlow::Continue(())
            })?;
        let [planner] = planners;
        Ok(Budget { items, skipped, totals: planner.finish() })
    }

    /// Budgets inputs one by one under several planners at once, holding only a window of them.
    /// `inputs` is called again when the inputs must be looked through before they are planned.
    /// Returns how many were skipped because they are no media.
    ///
    /// # Errors
    ///
    /// When the threads cannot be started.
    pub fn budget_each<I>(
        &self,
        mut inputs: impl FnMut() -> I,
        planners: &mut [Planner<'_>],
        each: &mut dyn FnMut(Budgeted, &[Planner<'_>]) -> ControlFlow<()>,
    ) -> Result<u64, Error>
    where
        I: Iterator<Item = Input> + Send,
    {
        let kept = self.look_ahead(&mut inputs, planners)?;
        let mut skipped = 0;
        let mut plan = |seen| match plan_outcome(seen, planners) {
            Some(item) => each(item, planners),
            None => {
                skipped += 1;
                ControlFlow::Continue(())
            }
        };
        match kept {
            Some(outcomes) => {
                let _ = outcomes.into_iter().try_for_each(&mut plan);
            }
            None => self.see_each(inputs(), &mut plan)?,
        }
        Ok(skipped)
    }

    /// Lets every planner see as much of the inputs as it needs. Returns all outcomes when the
    /// inputs were looked through to the end and are few enough to keep.
    fn look_ahead<I>(
        &self,
        inputs: &mut impl FnMut() -> I,
        planners: &mut [Planner<'_>],
    ) -> Result<Option<Vec<Seen>>, Error>
    where
        I: Iterator<Item = Input> + Send,
    {
        let mut kept = None;
        let mut waiting: Vec<_> = planners.iter_mut().filter(|p| p.needs_shape()).collect();
        self.look(inputs, &mut kept, !waiting.is_empty(), &mut |probed| {
            waiting.retain_mut(|planner| planner.look_at_shape(probed).is_continue());
            if waiting.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let waiting = planners.iter_mut().filter(|planner| planner.needs_tokens());
        let mut waiting: Vec<_> = waiting.map(|planner| (planner.clone(), planner)).collect();
        self.look(inputs, &mut kept, !waiting.is_empty(), &mut |probed| {
            waiting
                .retain_mut(|(scout, planner)| planner.look_at_tokens(scout, probed).is_continue());
            if waiting.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(kept)
    }

    /// One pass over the inputs, from what was kept where that is everything.
    fn look<I>(
        &self,
        inputs: &mut impl FnMut() -> I,
        kept: &mut Option<Vec<Seen>>,
        wanted: bool,
        each: &mut dyn FnMut(&Probed) -> ControlFlow<()>,
    ) -> Result<(), Error>
    where
        I: Iterator<Item = Input> + Send,
    {
        if !wanted {
            return Ok(());
        }
        // A copy is not sent again, so it is nothing to the request.
        let mut see = |seen: &Seen| match seen {
            (Outcome::Media(probed), None) => each(probed),
            _ => ControlFlow::Continue(()),
        };
        if let Some(outcomes) = kept {
            let _ = outcomes.iter().try_for_each(see);
            return Ok(());
        }
        let mut outcomes = Some(Vec::new());
        self.see_each(inputs(), &mut |outcome| {
            let flow = see(&outcome);
            match &mut outcomes {
                Some(all) if flow.is_continue() && all.len() < KEPT_OUTCOMES => all.push(outcome),
                _ => outcomes = None,
            }
            flow
        })?;
        *kept = outcomes;
        Ok(())
    }
}

fn plan_outcome((outcome, copy_of): Seen, planners: &mut [Planner<'_>]) -> Option<Budgeted> {
    match (outcome, copy_of) {
        (Outcome::Media(probed), Some(first)) => {
            planners.iter_mut().for_each(Planner::skip_copy);
            Some(Budgeted::copy(probed, first))
        }
        (Outcome::Media(probed), None) => {
            let charges = planners.iter_mut().map(|planner| planner.plan(&probed)).collect();
            Some(Budgeted::new(Ok(probed), charges))
        }
        (Outcome::Failed(error), _) => {
            planners.iter_mut().for_each(Planner::fail);
            Some(Budgeted::new(Err(error), Vec::new()))
        }
        (Outcome::Skipped, _) => None,
    }
}
