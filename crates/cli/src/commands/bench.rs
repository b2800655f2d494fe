//! `mediaprep bench`: what each stage of the work takes on the user's own files.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use mediaprep::{Engine, Error, PlanOptions, RuleSet};
use serde::Serialize;

use super::boxes::write_whole;
use super::send::Scratch;
use crate::args::{BenchArgs, BenchFormat, Common};
use crate::bench::{
    self, Comparison, FileError, Found, Inputs, Machine, Media, Options, Record, SCHEMA, StageName,
    StageRecord, Subject, Work, differences, write_table,
};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::{Stop, settings};

pub(crate) fn bench(
    args: &BenchArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    check(args)?;
    let scratch = Scratch::new(None, output)?;
    let engine = settings::bench_engine(common, &scratch.path, output)?;
    let book = settings::rule_book(args.rule.rules.as_deref())?;
    let rules = settings::rule_sets(&book, &args.rule, &[])?;
    let Some(rules) = rules.first() else { return Ok(Status::CouldNotRun) };
    let baseline =
        args.baseline.as_deref().map(|path| Ok::<_, Failure>((path, Record::read(path)?)));
    let baseline = baseline.transpose()?;
    let media = Media::find(&engine, &args.inputs)?;
    let mut record = head(&engine, rules, common, &media);
    if let Some((path, before)) = &baseline {
        refuse_others(path, before, &record)?;
    }
    let request = PlanOptions::default();
    let (engine, args_of) = (&engine, &args.inputs);
    let subject = Subject { engine, rules, request: &request, args: args_of, media: &media };
    let status = measure(&args.stages, args.repeat, subject, &mut record, output)?;
    let comparison = baseline
        .as_ref()
        .map(|(path, before)| Comparison::new(&path.to_string_lossy(), before, &record));
    finish(args, &record, comparison.as_ref(), output).map(|ended| ended.max(status))
}

/// What would only be noticed after minutes of measuring.
fn check(args: &BenchArgs) -> Result<(), Failure> {
    if args.inputs.facts.is_some() {
        let hint = "name files or folders; facts have no bytes to work on";
        return Err(Failure::option("--facts: only files can be measured", hint));
    }
    if let Some(path) = &args.save {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let is_there = folder.is_none_or(Path::is_dir);
        if path.is_dir() || !is_there {
            let found = if is_there { "is a folder" } else { "lies in no folder" };
            let message = format!("{}: write: {found}", path.display());
            return Err(Failure::option(message, "name a file in a folder that is there"));
        }
    }
    if let Some(stage) = args.stages.iter().find(|stage| !stage.is_available()) {
        let message =
            format!("--stages: this build cannot do {}: {}", stage.as_str(), stage.does());
        return Err(Failure::option(message, "leave it out, or build with the feature ffmpeg"));
    }
    Ok(())
}

/// Everything about a run that is known before it.
fn head(engine: &Engine, rules: &RuleSet<'_>, common: &Common, media: &Media) -> Record {
    Record {
        schema: SCHEMA,
        command: "bench".to_owned(),
        measured_at: jiff::Timestamp::now().to_string(),
        options: Options {
            model: rules.key.model.clone(),
            service: rules.key.service.as_str().to_owned(),
            meter: rules.row.meter.as_str().to_owned(),
            rule: rules.row.id.clone(),
            threads: engine.threads(),
            memory_bytes: common.memory,
        },
        inputs: Inputs {
            hash: bench::hash(&media.listed),
            files: media.files(),
            bytes: media.bytes(),
            skipped: media.skipped,
        },
        machine: Machine::here(),
        stages: Vec::new(),
        errors: Vec::new(),
    }
}

/// Times of other work say nothing.
fn refuse_others(path: &Path, before: &Record, now: &Record) -> Result<(), Failure> {
    let different = differences(before, now);
    if different.is_empty() {
        return Ok(());
    }
    let message =
        format!("{}: compare: measured otherwise: {}", path.display(), different.join("; "));
    Err(Failure::option(message, "save a new baseline here, with the same files and options"))
}

/// Runs the stages and puts what they took into the record.
fn measure(
    wanted: &[StageName],
    repeat: u32,
    subject: Subject<'_>,
    record: &mut Record,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let mut works = Vec::new();
    for &stage in StageName::all() {
        if !(wanted.is_empty() && stage.is_available() || wanted.contains(&stage)) {
            continue;
        }
        match Work::new(stage, subject)? {
            Some(work) => works.push(work),
            None if wanted.is_empty() => {}
            None => output.note(&format!("{}: there is no file for it", stage.as_str())),
        }
    }
    if works.is_empty() {
        let hint = "name files or folders with images, videos, sounds or PDFs";
        return Err(Failure::option("bench: no file to measure with", hint).into());
    }
    output.start_progress(Some(works.len() * (repeat as usize + 1)), false);
    let measured = bench::rounds(&mut works, repeat, &mut || output.step());
    output.finish_progress();
    let measured = measured?;
    let all = || works.iter().zip(&measured);
    record.stages =
        all().map(|(work, one)| StageRecord::new(work.name, work.refused.len(), one)).collect();
    let errors = all().flat_map(|(work, one)| work.refused.iter().chain(&one.done.errors));
    Ok(report(errors, record, output))
}

/// Says what failed; what fails in one stage after another is said once.
fn report<'a>(
    errors: impl Iterator<Item = &'a Error>,
    record: &mut Record,
    output: &mut Output<'_>,
) -> Status {
    let mut said = BTreeSet::new();
    for error in errors {
        if said.insert(FileError::of(error)) {
            output.report_error(error);
        }
    }
    record.errors = said.into_iter().collect();
    if record.errors.is_empty() { Status::Done } else { Status::Failed }
}

/// A run as JSON.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'a str,
    measured_at: &'a str,
    options: &'a Options,
    inputs: &'a Inputs,
    machine: &'a Machine,
    stages: Vec<Found<'a>>,
    errors: &'a [FileError],
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
}

impl<'a> Document<'a> {
    fn new(record: &'a Record, comparison: Option<&'a Comparison>) -> Self {
        Self {
            schema: record.schema,
            command: &record.command,
            measured_at: &record.measured_at,
            options: &record.options,
            inputs: &record.inputs,
            machine: &record.machine,
            stages: record.found(),
            errors: &record.errors,
            comparison,
        }
    }
}

fn finish(
    args: &BenchArgs,
    record: &Record,
    comparison: Option<&Comparison>,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    if let Some(path) = &args.save {
        save(path, record).map_err(|error| {
            let message = format!("{}: write: {error}", path.display());
            Failure::option(message, "free some space, or choose another place")
        })?;
    }
    for remark in comparison.into_iter().flat_map(|comparison| &comparison.remarks) {
        output.note(remark);
    }
    if args.json || args.format == BenchFormat::Json {
        let document = Document::new(record, comparison);
        serde_json::to_writer_pretty(&mut *output.data, &document).map_err(io::Error::from)?;
        writeln!(output.data)?;
    } else {
        write_table(record, comparison, output)?;
    }
    let slower = comparison.map(Comparison::slower).unwrap_or_default();
    if !args.fail_slower || slower.is_empty() {
        return Ok(Status::Done);
    }
    let message = format!("bench: slower than the baseline: {}", slower.join(", "));
    output.report_failure(&Failure::option(message, "run it again; more rounds are surer"));
    Ok(Status::Failed)
}

fn save(path: &Path, record: &Record) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(&Document::new(record, None))?;
    bytes.push(b'\n');
    write_whole(path, &bytes)
}
