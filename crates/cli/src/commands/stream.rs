//! `mediaprep prepare --out -`: each part a line of JSON, its bytes inside, as items become ready.

use std::io;
use std::ops::ControlFlow;

use mediaprep::media::Warning;
use mediaprep::tokens::Route;
use mediaprep::{
    Budgeted, Charge, CountedItem, Engine, Error, FitOptions, PartCounter, Preparation, Prepared,
    PreparedPart,
};
use serde::Serialize;

use super::counting::report_totals;
use crate::args::{Format, PrepareArgs};
use crate::failure::Failure;
use crate::fitted::check_made;
use crate::item::Row;
use crate::output::{Output, Status};
use crate::prepare::{Made, ManifestPart, OutFolder, manifest_parts, wire_part};
use crate::write::{Head, Summary, sink};
use crate::{Stop, settings};

/// What is written, and how everything ended so far.
struct Stream<'a> {
    preparation: &'a Preparation<'a>,
    folder: &'a OutFolder,
    models: Vec<String>,
    labels: Vec<Option<String>>,
    failed: u64,
    /// What writing gave.
    written: io::Result<()>,
}

/// Prepares into lines: every part as the manifest describes it, and `part` as it is sent; then one
/// line of totals. A part's file lies in a temporary folder until its turn has come, so memory does
/// not grow with the files.
pub(super) fn stream(
    engine: &Engine,
    (preparation, folder): (&Preparation<'_>, &OutFolder),
    (args, head, budget): (&PrepareArgs, &Head<'_>, Option<&FitOptions>),
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    check(args)?;
    let models = head.rules.iter().map(|rules| rules.key.model.clone()).collect();
    let planned: Vec<_> = preparation
        .items
        .iter()
        .map(|item| item.planned.as_ref().ok().map(mediaprep::Planned::parts))
        .collect();
    let labels = preparation.labels(&planned);
    drop(planned);
    let (failed, written) = (0, Ok(()));
    let mut stream = Stream { preparation, folder, models, labels, failed, written };
    let (done, mut totals) = preparation.count_while(|counter| {
        engine.prepare_each(preparation, folder, &mut |item, outcome| {
            stream.written = stream.item(item, outcome, counter, output);
            // Its files have had their turn.
            folder.discard(item);
            match stream.written {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })
    });
    done.map_err(|error| settings::failure(&error))?;
    stream.written?;
    let copies = preparation.copies.len() as u64;
    (totals.copies, totals.failed) = (copies, stream.failed);
    totals.items = preparation.items.len() as u64 + copies;
    // Each part carries its bytes here, so how large a request of all of them is says nothing.
    totals.errors.retain(|error| error.code != mediaprep::media::WarningCode::RequestTooLarge);
    let (skipped, items, failed) = (preparation.skipped, totals.items, stream.failed);
    let summary = Summary { skipped, items, failed, totals: vec![totals] };
    report_copies(preparation, output);
    sink(Format::Ndjson, None).end(head, &summary, output)?;
    let mut status = if stream.failed == 0 { Status::Done } else { Status::Failed };
    for (rules, totals) in head.rules.iter().zip(&summary.totals) {
        status = status.max(report_totals(rules, totals, output));
    }
    Ok(status.max(check_made(&summary, budget, output)))
}

/// Refuses what makes no sense without a folder.
fn check(args: &PrepareArgs) -> Result<(), Failure> {
    let near = "needs all pictures at once";
    for (given, option, why) in [
        (args.batch, "--batch", "makes a file"),
        (args.split_requests, "--split-requests", "makes files"),
        (args.near, "--near", near),
        (args.files, "--files", "lists files in a table"),
    ] {
        if given {
            let message = format!("{option} {why}; `--out -` writes parts as they become ready");
            return Err(Failure::option(message, "name a folder with --out"));
        }
    }
    Ok(())
}

fn report_copies(preparation: &Preparation<'_>, output: &mut Output<'_>) {
    for copy in &preparation.copies {
        let first = preparation.items.get(copy.of).map(|item| item.input.name());
        let item = Budgeted::copy(copy.probed.clone(), first.unwrap_or_default().into());
        output.report_item(&Row { item: &item, models: &[], explained: None, contents: None });
    }
}

/// A line without its end: the part itself follows.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(flatten)]
    facts: ManifestPart<'a>,
}

impl Stream<'_> {
    fn item(
        &mut self,
        at: usize,
        outcome: Option<Result<Prepared, Error>>,
        counter: &mut PartCounter<'_>,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let counted = match &outcome {
            Some(Ok(prepared)) => {
                let parts: Vec<_> = prepared.parts.iter().map(PreparedPart::counted).collect();
                counter.count(at, &parts)
            }
            _ => None,
        };
        let Some(made) = self.made(at, outcome, counted, output) else { return Ok(()) };
        let charged = made.charged_parts();
        for (line, (part, charge, file)) in manifest_parts(self.preparation, &made).zip(charged) {
            let label = self.labels.get(at).and_then(Option::as_deref);
            let text = serde_json::to_string(&Line { label, facts: line })?;
            let inline = Charge { route: Route::Inline, ..charge.clone() };
            let wire = wire_part(self.folder, self.preparation, at, (part, &inline, file))?;
            // The object stays open for the part, whose bytes are encoded on their way.
            write!(output.data, "{},\"part\":", text.strip_suffix('}').unwrap_or(&text))?;
            wire.body().write_to(&mut *output.data)?;
            output.data.write_all(b"}\n")?;
        }
        output.data.flush()
    }

    /// An item with its parts; `None` when it failed, which is said here.
    fn made(
        &mut self,
        at: usize,
        outcome: Option<Result<Prepared, Error>>,
        counted: Option<Result<CountedItem, Error>>,
        output: &mut Output<'_>,
    ) -> Option<Made> {
        let item = self.preparation.items.get(at)?;
        let error = match (&item.planned, &outcome, &counted) {
            (Err(error), ..) | (_, Some(Err(error)), _) | (_, _, Some(Err(error))) => Some(error),
            _ => None,
        };
        if let Some(error) = error {
            self.failed += 1;
            output.report_error(error);
        }
        let (Some(Ok(prepared)), Some(Ok(counted))) = (outcome, counted) else { return None };
        let warnings: Vec<Warning> = prepared.warnings.clone();
        let mut charge = counted.charge;
        charge.warnings.extend(warnings);
        let probed = item.probed().cloned().map(Box::new)?;
        let budgeted = Budgeted::new(Ok(probed), vec![Ok(charge)]);
        let row = Row { item: &budgeted, models: &self.models, explained: None, contents: None };
        self.failed += u64::from(row.failed());
        output.report_item(&row);
        let (files, sent) = (self.folder.files(at), Vec::new());
        let (item, prepared, charges) = (Some(at), Some(prepared), counted.parts);
        Some(Made { item, budgeted, prepared, files, charges, sent })
    }
}
