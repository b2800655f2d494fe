//! `mediaprep prepare`: media brought into shape, with a manifest and the request.

use std::ops::ControlFlow;
use std::path::Path;

use mediaprep::media::{Warning, WarningCode};
use mediaprep::tokens::Route;
use mediaprep::{
    Budgeted, Charge, CountedItem, Engine, Error, Input, Planned, PlannedItem, Preparation,
    Prepared, PreparedPart,
};

use crate::args::{Common, Format, PrepareArgs};
use crate::failure::Failure;
use crate::fitted::{Planning, check_made, tell_fit};
use crate::item::Row;
use crate::output::{Output, Status};
use crate::prepare::{
    MANIFEST, Made, Names, OutFolder, files_before, write_manifest, write_requests,
};
use crate::write::{Head, Summary, sink};
use crate::{Stop, inputs, settings};

pub(crate) fn prepare(
    args: &PrepareArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let engine = {
        let around = (&output.interrupt, output.worker.as_deref());
        settings::prepare_engine(common, (&args.work, &args.out), around)?
    };
    let work = &args.work;
    let book = settings::rule_book(work.rule.rules.as_deref())?;
    let rules = settings::rule_sets(&book, &work.rule, &[])?;
    let request = settings::plan_options(&work.request)?;
    let options = settings::prepare_options(work)?;
    let Some(main) = rules.first() else { return Ok(Status::CouldNotRun) };
    if work.inputs.facts.is_some() {
        let hint = "name files; facts alone can be budgeted";
        return Err(Failure::option("facts have no bytes that could be prepared", hint).into());
    }
    let budget = settings::fit_options(&args.fitting)?;
    let list = outside(inputs::collect(&work.inputs, engine.threads())?, &args.out);
    let planning = Planning { engine: &engine, rules: main, request: &request, options: &options };
    let mut preparation = planning.plan(&list, budget.as_ref())?;
    if tell_fit(&preparation, budget.as_ref(), output) != Status::Done {
        return Ok(Status::Failed);
    }
    let mut folder = OutFolder::open(&args.out, &output.interrupt)?;
    folder.name_items(name_items(&preparation));
    let head = Head { command: "prepare", rules: &rules, on: Some(main.key.date) };
    let (made, summary) = make_parts(&engine, &mut preparation, &folder, output)?;
    let finished = Finished { folder: &folder, preparation: &preparation, head: &head, args };
    let status = finished.finish(made, &summary, output)?;
    Ok(status.max(check_made(&summary, budget.as_ref(), output)))
}

/// Carries a preparation out into a folder, and counts what was made.
pub(super) fn make_parts(
    engine: &Engine,
    preparation: &mut Preparation<'_>,
    folder: &OutFolder,
    output: &mut Output<'_>,
) -> Result<(Vec<Made>, Summary), Stop> {
    let outcomes = carry_out(engine, preparation, folder, output)?;
    let summary = Summary {
        skipped: preparation.skipped,
        items: preparation.items.len() as u64,
        failed: 0,
        totals: Vec::new(),
    };
    Ok(count(preparation, outcomes, (folder, summary)))
}

/// What was found in the folder that is written to is no input.
pub(super) fn outside(list: Vec<Input>, out: &Path) -> Vec<Input> {
    let Ok(out) = out.canonicalize() else { return list };
    let is_outside = |input: &Input| {
        let path = Path::new(&input.name()).canonicalize();
        !input.is_optional() || path.is_ok_and(|path| !path.starts_with(&out))
    };
    list.into_iter().filter(is_outside).collect()
}

/// A stem for the files of every item, and how many parts it will have.
pub(super) fn name_items(preparation: &Preparation<'_>) -> Vec<(String, u64)> {
    let mut names = Names::default();
    let mut of = |planned: &Planned| (names.stem(&planned.probed.name), planned.part_count());
    let item = |item: &PlannedItem| item.planned.as_ref().map(&mut of).unwrap_or_default();
    preparation.items.iter().map(item).collect()
}

type Outcome = Option<Result<Prepared, Error>>;

fn carry_out(
    engine: &Engine,
    preparation: &Preparation<'_>,
    folder: &OutFolder,
    output: &mut Output<'_>,
) -> Result<Vec<Outcome>, Stop> {
    output.start_progress(Some(preparation.items.len()), false);
    let mut outcomes = Vec::with_capacity(preparation.items.len());
    let done = engine.prepare_each(preparation, folder, &mut |item, outcome| {
        output.step();
        if matches!(outcome, Some(Err(_))) {
            folder.discard(item);
        }
        outcomes.push(outcome);
        ControlFlow::Continue(())
    });
    output.finish_progress();
    done.map_err(|error| settings::failure(&error))?;
    Ok(outcomes)
}

/// Counts what was made, by what its own headers say.
fn count(
    preparation: &mut Preparation<'_>,
    outcomes: Vec<Outcome>,
    (folder, mut summary): (&OutFolder, Summary),
) -> (Vec<Made>, Summary) {
    let facts = |outcome: &Outcome| match outcome {
        Some(Ok(prepared)) => {
            Some(prepared.parts.iter().map(PreparedPart::counted).collect::<Vec<_>>())
        }
        _ => None,
    };
    let parts: Vec<_> = outcomes.iter().map(facts).collect();
    let counted = preparation.count_parts(&parts);
    let labels = preparation.labels(&parts);
    let items = std::mem::take(&mut preparation.items);
    let mut made = Vec::with_capacity(items.len());
    let rest = outcomes.into_iter().zip(counted.items).zip(labels);
    for (at, (item, ((outcome, counted), label))) in items.into_iter().zip(rest).enumerate() {
        let (item, one) = make(at, item, outcome, counted);
        preparation.items.push(item);
        made.push(Made { label, files: folder.files(at), ..one });
    }
    summary.totals = vec![counted.totals];
    (made, summary)
}

/// One item's facts, charge and parts together. The item keeps its plan; its error moves on.
fn make(
    at: usize,
    item: PlannedItem,
    outcome: Outcome,
    counted: Option<Result<CountedItem, Error>>,
) -> (PlannedItem, Made) {
    let probed = item.probed().cloned().map(Box::new);
    let (planned, error) = match item.planned {
        Ok(planned) => (Some(planned), None),
        Err(error) => (None, Some(error)),
    };
    let (prepared, error) = match outcome {
        Some(Ok(prepared)) => (Some(prepared), error),
        Some(Err(failure)) => (None, Some(failure)),
        None => (None, error),
    };
    let (mut charges, mut error, mut charge) = (Vec::new(), error, None);
    match counted {
        Some(Ok(counted)) => (charges, charge) = (counted.parts, Some(counted.charge)),
        Some(Err(failure)) => error = error.or(Some(failure)),
        None => {}
    }
    if let (Some(charge), Some(planned), Some(prepared)) = (&mut charge, &planned, &prepared) {
        add_warnings(charge, planned, prepared);
    }
    let budgeted = match (probed, error, charge) {
        (Some(probed), Some(error), _) => {
            Budgeted { probed: Ok(probed), charges: vec![Err(error)] }
        }
        (Some(probed), None, charge) => {
            Budgeted { probed: Ok(probed), charges: charge.map(Ok).into_iter().collect() }
        }
        (None, error, _) => {
            Budgeted { probed: Err(error.unwrap_or_else(unknown)), charges: vec![] }
        }
    };
    let files = Default::default();
    let made = Made { item: at, budgeted, prepared, files, charges, label: None, request: None };
    let planned = planned.ok_or_else(unknown);
    (PlannedItem { planned, ..item }, made)
}

/// Stands where an error has moved on.
fn unknown() -> Error {
    let (stage, kind) = (mediaprep::Stage::Plan, mediaprep::ErrorKind::Unsupported);
    Error::new("", stage, kind, "reported with its item").with_hint("see the item")
}

fn add_warnings(charge: &mut Charge, planned: &Planned, prepared: &Prepared) {
    charge.warnings.extend(planned.warnings.iter().cloned());
    charge.warnings.extend(prepared.warnings.iter().cloned());
    if charge.route != Route::Inline {
        let message = "the request names the file where its address belongs after uploading";
        let hint = "upload the file and put its address into the request, or ask for inline";
        charge.warnings.push(Warning::new(WarningCode::NeedsUpload, message).with_hint(hint));
    }
}

/// Everything but the last reports.
struct Finished<'a> {
    folder: &'a OutFolder,
    preparation: &'a Preparation<'a>,
    head: &'a Head<'a>,
    args: &'a PrepareArgs,
}

impl Finished<'_> {
    fn finish(
        &self,
        mut made: Vec<Made>,
        summary: &Summary,
        output: &mut Output<'_>,
    ) -> Result<Status, Stop> {
        let before = files_before(self.folder);
        let written = write_requests(self.folder, self.preparation, &mut made).and_then(|names| {
            write_manifest(self.folder, self.head, summary, self.preparation, &made)?;
            Ok(names)
        });
        let requests = match written {
            Ok(requests) => requests,
            Err(error) => return Ok(self.not_written(&error, output)),
        };
        let files = made.iter().filter(|one| one.prepared.is_some());
        let files = files.flat_map(|one| one.files.parts.iter().chain(&one.files.extras));
        let now: Vec<&str> = files.chain(&requests).map(String::as_str).collect();
        self.folder.close(&before, &now);
        let status = self.report(&made, summary, output)?;
        output.note(&self.summary(&made, requests.len()));
        Ok(status)
    }

    /// What was made of what, in one line.
    fn summary(&self, made: &[Made], requests: usize) -> String {
        let parts: usize = made.iter().map(|one| one.parts().len()).sum();
        let bytes = |sizes: &mut dyn Iterator<Item = Option<u64>>| sizes.flatten().sum::<u64>();
        let after = bytes(&mut made.iter().flat_map(Made::parts).map(|part| part.facts.bytes));
        let sources = || made.iter().filter(|one| one.prepared.is_some());
        let probed = |one: &Made| one.budgeted.probed.as_ref().ok().and_then(|probed| probed.bytes);
        let before = bytes(&mut sources().map(probed));
        let requests = match requests {
            1 => "request.json".to_owned(),
            several => format!("{several} requests"),
        };
        format!(
            "{parts} parts of {after} bytes from {} files of {before} bytes, {MANIFEST} and \
             {requests} in {}",
            sources().count(),
            self.folder.root().display()
        )
    }

    fn not_written(&self, error: &std::io::Error, output: &mut Output<'_>) -> Status {
        let message = format!("{}: write: {error}", self.folder.root().display());
        output
            .report_failure(&Failure::option(message, "free some space, or choose another folder"));
        Status::Failed
    }

    fn report(
        &self,
        made: &[Made],
        summary: &Summary,
        output: &mut Output<'_>,
    ) -> Result<Status, Stop> {
        let models: Vec<String> = self.head.rules.iter().map(|r| r.key.model.clone()).collect();
        let format = self.args.output.format();
        let mut sink = sink(format, Some(&self.args.view()));
        if format == Format::Table {
            output.fold_warnings();
        }
        sink.begin(self.head, output)?;
        let mut failed = 0;
        for one in made {
            let row = Row { item: &one.budgeted, models: &models, explained: None, contents: None };
            failed += u64::from(row.failed());
            output.report_item(&row);
            sink.row(&row, output)?;
        }
        output.report_folded();
        sink.end(self.head, summary, output)?;
        let lost = |one: &Made| {
            let warnings = one.prepared.iter().flat_map(|prepared| &prepared.warnings);
            warnings.into_iter().any(|warning| warning.code == WarningCode::PageLost)
        };
        failed += made.iter().filter(|one| lost(one)).count() as u64;
        let mut status = if failed == 0 { Status::Done } else { Status::Failed };
        for (rules, totals) in self.head.rules.iter().zip(&summary.totals) {
            status = status.max(super::budget::report_totals(rules, totals, output));
        }
        Ok(status)
    }
}
