//! `mediaprep prepare`: media brought into shape, with a manifest and the request.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use mediaprep::media::{Warning, WarningCode};
use mediaprep::tokens::{Limit, Route, Way};
use mediaprep::{
    Budgeted, Charge, CountedItem, Duplicate, Engine, Error, FitOptions, Input, Planned,
    PlannedItem, Preparation, Prepared, PreparedPart, RequestParts, Requests,
};

use super::send::Scratch;
use crate::args::{Common, Format, PrepareArgs};
use crate::failure::Failure;
use crate::fitted::{Planning, check_made, tell_fit};
use crate::item::Row;
use crate::output::{Output, Status};
use crate::prepare::{BATCH, Bodies, MANIFEST, Made, OutFolder, write_manifest};
use crate::write::{Head, Summary, sink};
use crate::{Stop, inputs, settings};

pub(crate) fn prepare(
    args: &PrepareArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let streams = args.out.as_os_str() == "-";
    let scratch = Scratch::new((!streams).then_some(args.out.as_path()), output)?;
    let out = scratch.path.as_path();
    let engine = {
        let around = (&output.interrupt, output.worker.as_deref());
        settings::prepare_engine(common, (&args.work, out), around)?
    };
    let work = &args.work;
    let book = settings::rule_book(work.rule.rules.as_deref())?;
    let rules = settings::rule_sets(&book, &work.rule, &[])?;
    let rules = if args.batch { settings::batch_prices(rules) } else { rules };
    let mut request = settings::plan_options(&work.request)?;
    if args.batch && !args.split_requests {
        request.requests = Requests::Each;
    }
    let options = settings::prepare_options(work)?;
    let Some(main) = rules.first() else { return Ok(Status::CouldNotRun) };
    if work.inputs.facts.is_some() {
        let hint = "name files; facts alone can be budgeted";
        return Err(Failure::option("facts have no bytes that could be prepared", hint).into());
    }
    let budget = settings::fit_options(&args.fitting)?;
    let budget = budget.as_ref();
    let list = outside(inputs::collect(&work.inputs, engine.threads())?, out);
    let list = inputs::once(list, &work.request, &engine)?;
    let planning = Planning { engine: &engine, rules: main, request: &request, options: &options };
    let mut preparation = planning.plan(&list, budget)?;
    if tell_fit(&preparation, budget, output) != Status::Done {
        return Ok(Status::Failed);
    }
    let mut folder = OutFolder::open(out, &engine, &output.interrupt)?;
    folder.take_on(&preparation);
    let head = Head { command: "prepare", rules: &rules, on: Some(main.key.date) };
    if streams {
        let what = (&preparation, &folder);
        return super::stream::stream(&engine, what, (args, &head, budget), output);
    }
    let what = (&mut preparation, args.split_requests);
    let mut carried = make_parts(&engine, what, &folder, output)?;
    if args.near {
        warn_of_near_duplicates(&engine, &preparation, &mut carried.made)?;
    }
    let (folder, preparation, head) = (&folder, &preparation, &head);
    let finished = Finished { folder, preparation, head, args, budget };
    finished.finish(carried, output)
}

/// What was made of a preparation, counted.
pub(super) struct Carried {
    /// The items and their copies, in input order.
    pub(super) made: Vec<Made>,
    /// How everything ended.
    pub(super) summary: Summary,
    /// What travels in each request.
    pub(super) requests: Vec<RequestParts>,
    /// Whether there may be several requests.
    pub(super) numbered: bool,
}

/// Carries a preparation out into a folder, and counts what was made: by the limits of the service
/// spread over several requests, or as its options have it.
pub(super) fn make_parts(
    engine: &Engine,
    (preparation, split): (&mut Preparation<'_>, bool),
    folder: &OutFolder,
    output: &mut Output<'_>,
) -> Result<Carried, Stop> {
    let outcomes = carry_out(engine, preparation, folder, output)?;
    Ok(count((preparation, split), outcomes, folder))
}

/// What was found in the folder that is written to is no input.
pub(super) fn outside(list: Vec<Input>, out: &Path) -> Vec<Input> {
    let Ok(out) = out.canonicalize() else { return list };
    let is_outside = |input: &Input| {
        // What cannot be resolved says so when it is read.
        let path = input.file().and_then(|path| path.canonicalize().ok());
        !input.is_optional() || path.is_none_or(|path| !path.starts_with(&out))
    };
    list.into_iter().filter(is_outside).collect()
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
    (preparation, split): (&mut Preparation<'_>, bool),
    outcomes: Vec<Outcome>,
    folder: &OutFolder,
) -> Carried {
    let facts = |outcome: &Outcome| match outcome {
        Some(Ok(prepared)) => {
            Some(prepared.parts.iter().map(PreparedPart::counted).collect::<Vec<_>>())
        }
        _ => None,
    };
    let parts: Vec<_> = outcomes.iter().map(facts).collect();
    let (requests, counted) = if split {
        let requests = preparation.split_requests(&parts);
        let counted = preparation.count_requests(&parts, &requests);
        (requests, counted)
    } else {
        (preparation.requests(&parts), preparation.count_parts(&parts))
    };
    drop(parts);
    let items = std::mem::take(&mut preparation.items);
    let mut made = Vec::with_capacity(items.len() + preparation.copies.len());
    let mut copies = preparation.copies.iter().peekable();
    let rest = outcomes.into_iter().zip(counted.items);
    for (at, (item, (outcome, counted))) in items.into_iter().zip(rest).enumerate() {
        let (item, one) = make(at, item, outcome, counted);
        preparation.items.push(item);
        while let Some(copy) = copies.next_if(|copy| copy.behind <= at) {
            made.push(copied(copy, preparation, folder));
        }
        made.push(Made { files: folder.files(at), ..one });
    }
    made.extend(copies.map(|copy| copied(copy, preparation, folder)));
    let summary = Summary {
        skipped: preparation.skipped,
        items: made.len() as u64,
        failed: 0,
        totals: vec![counted.totals],
    };
    let numbered = split || preparation.request.requests == Requests::Each;
    Carried { made, summary, requests, numbered }
}

/// Adds a warning to every picture that looks like an earlier one.
fn warn_of_near_duplicates(
    engine: &Engine,
    preparation: &Preparation<'_>,
    made: &mut [Made],
) -> Result<(), Stop> {
    let near = engine.near_duplicates(preparation).map_err(|error| settings::failure(&error))?;
    for one in made {
        let first = one.item.and_then(|item| near.get(item).copied().flatten());
        let first = first.and_then(|first| preparation.items.get(first));
        if let (Some(first), Ok(probed)) = (first, &mut one.budgeted.probed) {
            let message = format!("looks like {}", first.input.name());
            let hint = "leave one of them out if they show the same; both are sent";
            let warning = Warning::new(WarningCode::NearDuplicate, message).with_hint(hint);
            probed.warnings.push(warning);
        }
    }
    Ok(())
}

/// A copy of an item: its own facts, and the files of that item.
fn copied(copy: &Duplicate, preparation: &Preparation<'_>, folder: &OutFolder) -> Made {
    let first = preparation.items.get(copy.of).map(|item| item.input.name()).unwrap_or_default();
    let budgeted = Budgeted::copy(copy.probed.clone(), first.into());
    let (item, files) = (None, folder.files(copy.of));
    let (prepared, charges, sent) = (None, Vec::new(), Vec::new());
    Made { item, budgeted, prepared, files, charges, sent }
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
        (Some(probed), Some(error), _) => Budgeted::new(Ok(probed), vec![Err(error)]),
        (Some(probed), None, charge) => {
            Budgeted::new(Ok(probed), charge.map(Ok).into_iter().collect())
        }
        (None, error, _) => Budgeted::new(Err(error.unwrap_or_else(unknown)), vec![]),
    };
    let files = Default::default();
    let (item_place, sent) = (Some(at), Vec::new());
    let made = Made { item: item_place, budgeted, prepared, files, charges, sent };
    let planned = planned.ok_or_else(unknown);
    (PlannedItem { planned, ..item }, made)
}

/// Stands where an error has moved on.
fn unknown() -> Error {
    let (stage, kind) = (mediaprep::Stage::Plan, mediaprep::ErrorKind::Unsupported);
    Error::new("", stage, kind, "reported with its item").with_hint("see the item")
}

/// How a batch can be sent.
fn batch_note(bytes: u64, inline: Option<u64>) -> String {
    let how = match inline {
        Some(limit) if bytes <= limit => "small enough for the body of a batch request",
        Some(_) => "to be uploaded by the File API",
        None => "to be put into Cloud Storage",
    };
    format!("{BATCH} has {bytes} bytes: {how}")
}

fn add_warnings(charge: &mut Charge, planned: &Planned, prepared: &Prepared) {
    charge.warnings.extend(planned.warnings.iter().cloned());
    charge.warnings.extend(prepared.warnings.iter().cloned());
}

/// Says which items are to be uploaded.
fn note_upload(made: &mut Made) {
    let outside = made.charges.iter().any(|charge| charge.route != Route::Inline);
    let first = made.charges.first().map(|charge| charge.route);
    let Some(Ok(charge)) = made.budgeted.charges.first_mut() else { return };
    charge.route = first.unwrap_or(charge.route);
    if outside {
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
    budget: Option<&'a FitOptions>,
}

impl Finished<'_> {
    fn finish(&self, carried: Carried, output: &mut Output<'_>) -> Result<Status, Stop> {
        let Carried { mut made, mut summary, requests, numbered } = carried;
        let bodies = Bodies {
            folder: self.folder,
            preparation: self.preparation,
            requests: &requests,
            numbered,
        };
        let written = self.write_requests(&bodies, (&mut made, &mut summary), output);
        let written = written.and_then(|names| {
            made.iter_mut().for_each(note_upload);
            write_manifest(self.folder, self.head, &summary, self.preparation, &made)?;
            Ok(names)
        });
        let requests = match written {
            Ok(requests) => requests,
            Err(error) => return Ok(self.not_written(&error, output)),
        };
        let files = made.iter().filter(|one| one.prepared.is_some());
        let files = files.flat_map(|one| one.files.parts.iter().chain(&one.files.extras));
        let now: Vec<&str> = files.chain(&requests).map(String::as_str).collect();
        self.folder.close(&now);
        let status = self.report(&made, &summary, output)?;
        output.note(&self.summary(&made, &requests));
        match self.folder.resumed() {
            0 => {}
            1 => output.note("1 of them was done before"),
            done => output.note(&format!("{done} of them were done before")),
        }
        Ok(status.max(check_made(&summary, self.budget, output)))
    }

    /// Writes the requests, or all of them as a batch; the files' names.
    fn write_requests(
        &self,
        bodies: &Bodies<'_>,
        (made, summary): (&mut [Made], &mut Summary),
        output: &mut Output<'_>,
    ) -> io::Result<Vec<String>> {
        if !self.args.batch {
            return bodies.write(made);
        }
        if bodies.requests.is_empty() {
            return Ok(Vec::new());
        }
        let limits = self.preparation.rules.limits();
        let way = |way| limits.and_then(|limits| limits.way(way));
        let hard = |limit: Option<Limit>| limit.and_then(|limit| limit.hard);
        let file = hard(way(Way::BatchFile).and_then(|way| way.file_bytes));
        let inline = hard(way(Way::BatchInline).and_then(|way| way.request_bytes));
        if let Some(limit) = file {
            bodies.fit_batch(made, limit)?;
        }
        let (name, bytes) = bodies.write_batch(made)?;
        output.note(&batch_note(bytes, inline));
        if let (Some(limit), Some(totals)) =
            (file.filter(|limit| bytes > *limit), summary.totals.first_mut())
        {
            let message = format!("{bytes} bytes in the batch's file; allowed: at most {limit}");
            let warning = Warning::new(WarningCode::RequestTooLarge, message);
            totals.errors.push(warning.with_hint("make several batches of fewer files"));
        }
        Ok(vec![name])
    }

    /// What was made of what, in one line.
    fn summary(&self, made: &[Made], requests: &[String]) -> String {
        let parts: usize = made.iter().map(|one| one.parts().len()).sum();
        let bytes = |sizes: &mut dyn Iterator<Item = Option<u64>>| sizes.flatten().sum::<u64>();
        let after = bytes(&mut made.iter().flat_map(Made::parts).map(|part| part.facts.bytes));
        let sources = || made.iter().filter(|one| one.prepared.is_some());
        let probed = |one: &Made| one.budgeted.probed.as_ref().ok().and_then(|probed| probed.bytes);
        let before = bytes(&mut sources().map(probed));
        let requests = match requests {
            [only] => only.clone(),
            several => format!("{} requests", several.len()),
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
            status = status.max(super::counting::report_totals(rules, totals, output));
        }
        Ok(status)
    }
}
