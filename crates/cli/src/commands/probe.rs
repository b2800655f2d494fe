//! `mediaprep probe`: header facts of each file.

use std::ops::ControlFlow;

use mediaprep::{Budgeted, Engine, Error, Input, Outcome, Probed};

use super::contents::page_contents;
use crate::args::{Common, ProbeArgs};
use crate::facts::FactsFile;
use crate::item::{PageContents, Row};
use crate::output::{Output, Status};
use crate::write::{Head, Sink, Summary, sink};
use crate::{Stop, inputs, settings};

pub(crate) fn probe(
    args: &ProbeArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let engine = settings::reading_engine(common, output)?;
    let mut sink = sink(args.output.format(), None);
    let head = Head { command: "probe", rules: &[], on: None };
    match &args.inputs.facts {
        Some(path) => {
            let lines = FactsFile::open(path)?.inputs()?;
            run(&engine, (lines, &[]), &head, &mut *sink, output)
        }
        None => {
            let list = inputs::collect(&args.inputs, engine.threads())?;
            let read = if args.contents { list.as_slice() } else { &[] };
            run(&engine, (list.iter().cloned(), read), &head, &mut *sink, output)
        }
    }
}

fn run(
    engine: &Engine,
    (list, read): (impl Iterator<Item = Input> + Send, &[Input]),
    head: &Head<'_>,
    sink: &mut dyn Sink,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    output.start_progress(list.size_hint().1, true);
    let mut summary = Summary { skipped: 0, items: 0, failed: 0, totals: Vec::new() };
    let mut written = sink.begin(head, output);
    let mut inputs = read.iter();
    engine
        .probe_each(list, &mut |outcome| {
            output.step();
            let input = inputs.next();
            let probed = match outcome {
                Outcome::Media(probed) => Ok(probed),
                Outcome::Failed(error) => Err(error),
                Outcome::Skipped => {
                    summary.skipped += 1;
                    return ControlFlow::Continue(());
                }
            };
            let (probed, found) = with_contents(engine, input, probed);
            let item = Budgeted::new(probed, Vec::new());
            summary.items += 1;
            summary.failed += u64::from(item.probed.is_err());
            written = show((&item, found), sink, output);
            if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .map_err(|error| settings::failure(&error))?;
    output.finish_progress();
    written?;
    sink.end(head, &summary, output)?;
    Ok(if summary.failed == 0 { Status::Done } else { Status::Failed })
}

fn show(
    (item, contents): (&Budgeted, Option<PageContents>),
    sink: &mut dyn Sink,
    output: &mut Output<'_>,
) -> std::io::Result<()> {
    let row = Row { item, models: &[], explained: None, contents };
    output.report_item(&row);
    sink.row(&row, output)
}

/// The facts of an input with what its pages hold, where the input is given.
fn with_contents(
    engine: &Engine,
    input: Option<&Input>,
    probed: Result<Box<Probed>, Error>,
) -> (Result<Box<Probed>, Error>, Option<PageContents>) {
    let (Some(input), Ok(probed)) = (input, &probed) else { return (probed, None) };
    match page_contents(engine, input, probed) {
        Ok(contents) => (Ok(probed.clone()), contents),
        Err(error) => (Err(error), None),
    }
}
