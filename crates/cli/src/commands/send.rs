//! `mediaprep send`: prepare, upload what does not go inside the request, ask, print the answer.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use mediaprep::media::WarningCode;
use mediaprep::parts::GenerateRequest;
use mediaprep::tokens::{Measured, Meter, Way, request_text};
use mediaprep::{Preparation, Requests, RuleSet};
use mediaprep_client::{Delivery, Error as ClientError, Generated, Outcome, UploadCache, blocking};
use serde::Serialize;

use super::prepare::{Carried, make_parts, outside};
use crate::args::{Common, SendArgs};
use crate::failure::Failure;
use crate::fitted::{Planning, check_made, tell_fit};
use crate::item::Row;
use crate::output::{Output, Status};
use crate::prepare::{Bodies, Made, OutFolder, Slice, slices, write_manifest};
use crate::send::{Comparison, Expected, Outgoing, Uploads, append, report_event, request_extra};
use crate::write::{Head, Summary};
use crate::{Stop, inputs, settings};

pub(crate) fn send(
    args: &SendArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let scratch = Scratch::new(args.out.as_deref(), output)?;
    let out = scratch.path.as_path();
    let engine = {
        let around = (&output.interrupt, output.worker.as_deref());
        settings::prepare_engine(common, (&args.work, out), around)?
    };
    let book = settings::rule_book(args.work.rule.rules.as_deref())?;
    let rules = settings::rule_sets(&book, &args.work.rule, &[])?;
    let Some(main) = rules.first() else { return Ok(Status::CouldNotRun) };
    let request = settings::plan_options(&args.work.request)?;
    let frame = settings::generation_config(&args.sampling, &request, (&book, main))?;
    let options = settings::prepare_options(&args.work)?;
    if args.work.inputs.facts.is_some() {
        let hint = "name files; facts alone can be budgeted";
        return Err(Failure::option("facts have no bytes that could be sent", hint).into());
    }
    let sender = if args.dry_run { None } else { Some(Sender::new(args, main)?) };
    let work = &args.work;
    let budget = settings::fit_options(&args.fitting)?;
    let list = outside(inputs::collect(&work.inputs, engine.threads())?, out);
    let list = inputs::once(list, &work.request, &engine)?;
    let planning = Planning { engine: &engine, rules: main, request: &request, options: &options };
    let mut preparation = planning.plan(&list, budget.as_ref())?;
    let fitted = tell_fit(&preparation, budget.as_ref(), output);
    if fitted != Status::Done && !args.force {
        return Ok(fitted);
    }
    let mut folder = OutFolder::open(out, &engine, &output.interrupt)?;
    folder.take_on(&preparation);
    let what = (&mut preparation, args.split_requests);
    let mut carried = make_parts(&engine, what, &folder, output)?;
    forget_uploads(&mut carried.made);
    let mut status = report(&carried.made, &carried.summary, main, output);
    status = status.max(fitted).max(check_made(&carried.summary, budget.as_ref(), output));
    if args.out.is_some() {
        keep(&folder, (main, &preparation), &mut carried)?;
    }
    if status != Status::Done && !args.force && request.requests == Requests::One {
        let hint = "mend it, leave it out, or send all the same with --force";
        let failure = Failure::option("nothing was sent, since not everything can be", hint);
        output.report_failure(&failure);
        return Ok(status);
    }
    let job = Job { args, frame: &frame, rules: main, preparation: &preparation, folder: &folder };
    let one = carried.requests.len() == 1 && request.requests == Requests::One;
    for items in slices(&carried.made, &carried.requests) {
        if !one && !args.force && !items.iter().all(is_sendable) {
            continue;
        }
        let summary = &carried.summary;
        status = status.max(job.run(&items, summary, sender.as_ref(), output)?);
    }
    Ok(status)
}

/// The folder that parts are made in: the named one, or one that is gone afterwards.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Scratch {
    pub(super) fn new(out: Option<&Path>, output: &Output<'_>) -> Result<Self, Failure> {
        if let Some(out) = out {
            return Ok(Self { path: out.to_owned(), _temporary: None });
        }
        let made = tempfile::Builder::new().prefix("mediaprep-").tempdir();
        let folder = made.map_err(|error| {
            let message = format!("{}: write: {error}", std::env::temp_dir().display());
            Failure::option(message, "free some space, or name a folder with --out")
        })?;
        output.interrupt.remove_on_interrupt(folder.path().to_owned());
        Ok(Self { path: folder.path().to_owned(), _temporary: Some(folder) })
    }
}

/// Uploading is what follows, so that it is needed is no news.
pub(super) fn forget_uploads(made: &mut [Made]) {
    let charges = made.iter_mut().flat_map(|one| &mut one.budgeted.charges).flatten();
    for charge in charges {
        charge.warnings.retain(|warning| warning.code != WarningCode::NeedsUpload);
    }
}

/// Says what became of the inputs, where anything is to be said.
fn report(
    made: &[Made],
    summary: &Summary,
    rules: &RuleSet<'_>,
    output: &mut Output<'_>,
) -> Status {
    let models = [rules.key.model.clone()];
    let mut status = Status::Done;
    for one in made {
        let row = Row { item: &one.budgeted, models: &models, explained: None, contents: None };
        if row.failed() {
            status = Status::Failed;
        }
        output.report_item(&row);
    }
    for totals in &summary.totals {
        status = status.max(super::counting::report_totals(rules, totals, output));
    }
    status
}

/// Leaves what `prepare` would have left.
fn keep(
    folder: &OutFolder,
    (rules, preparation): (&RuleSet<'_>, &Preparation<'_>),
    carried: &mut Carried,
) -> Result<(), Stop> {
    let Carried { made, summary, requests, numbered } = carried;
    let bodies = Bodies { folder, preparation, requests, numbered: *numbered };
    bodies.write(made)?;
    let head =
        Head { command: "send", rules: std::slice::from_ref(rules), on: Some(rules.key.date) };
    Ok(write_manifest(folder, &head, summary, preparation, made)?)
}

/// Whether the service would take an item.
fn is_sendable(item: &Slice<'_>) -> bool {
    let charge = item.made.budgeted.charges.first().and_then(|charge| charge.as_ref().ok());
    charge.is_some_and(|charge| charge.breaches.is_empty())
}

/// What speaks to the service.
struct Sender {
    client: blocking::Client,
    cache: Option<UploadCache>,
}

impl Sender {
    fn new(args: &SendArgs, rules: &RuleSet<'_>) -> Result<Self, Failure> {
        let way = rules.limits().and_then(|limits| limits.way(Way::Inline));
        let largest = way.and_then(|way| way.request_bytes).and_then(|limit| limit.hard);
        let largest = largest.filter(|_| !args.force);
        let client = settings::client(&args.connect, rules.key.service, largest)?;
        Ok(Self { client, cache: settings::upload_cache(&args.connect) })
    }
}

/// What all requests of one run share.
struct Job<'a> {
    args: &'a SendArgs,
    frame: &'a GenerateRequest,
    rules: &'a RuleSet<'a>,
    preparation: &'a Preparation<'a>,
    folder: &'a OutFolder,
}

/// What came back: the answer, and an error that ended it on the way.
type Answered = (Generated, Option<ClientError>);

impl Job<'_> {
    fn run(
        &self,
        items: &[Slice<'_>],
        summary: &Summary,
        sender: Option<&Sender>,
        output: &mut Output<'_>,
    ) -> Result<Status, Stop> {
        let outgoing = Outgoing::new(self.folder, self.preparation, items, self.frame)?;
        let Some(sender) = sender else {
            outgoing.unsent().body().write_to(&mut *output.data)?;
            writeln!(output.data)?;
            return Ok(Status::Done);
        };
        let answered = self.ask(&outgoing, sender, output);
        let (generated, error) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                output.report_failure(&self.explain(&error, summary));
                return Ok(Status::Failed);
            }
        };
        let expected = self.expected(items, summary, &outgoing);
        self.finish(&generated, &expected, (items, &outgoing), output)?;
        if let Some(error) = error {
            output.report_failure(&settings::client_failure(&error));
            return Ok(Status::Failed);
        }
        Ok(if generated.outcome.is_text() { Status::Done } else { Status::Failed })
    }

    /// Uploads and asks; text is printed as it comes.
    fn ask(
        &self,
        outgoing: &Outgoing,
        sender: &Sender,
        output: &mut Output<'_>,
    ) -> Result<Answered, ClientError> {
        let uploads = Uploads::new(output);
        let files = uploads.watched(&outgoing.uploads, &self.args.connect);
        let live = !self.args.json && !self.args.no_stream;
        let output = RefCell::new(output);
        let client = sender.client.asynchronous();
        let delivery = Delivery::new(client)
            .cache(sender.cache.as_ref())
            .wait(std::time::Duration::from_secs(self.args.connect.wait))
            .observer(|event| report_event(&event, &uploads, &mut output.borrow_mut()));
        let model = &self.rules.key.model;
        let ask = async |request: &GenerateRequest| {
            uploads.finish();
            if !live {
                return Ok((client.generate(model, request).await?, None));
            }
            let mut stream = client.stream(model, request).await?;
            let mut failed = None;
            let mut begun = false;
            while let Some(piece) = stream.next().await {
                match piece {
                    Ok(piece) => {
                        begun = true;
                        print(&piece.text(), &mut output.borrow_mut());
                    }
                    // What was printed cannot be taken back, so nothing is asked again.
                    Err(error) if begun => failed = Some(error),
                    Err(error) => return Err(error),
                }
            }
            Ok((stream.into_generated(), failed))
        };
        sender.client.wait(delivery.send(&files, |uploaded| outgoing.request(uploaded), ask))
    }

    /// A refusal in the light of what was to be sent.
    fn explain(&self, error: &ClientError, summary: &Summary) -> Failure {
        let mut failure = settings::client_failure(error);
        let tokens = summary.totals.first().map_or(0, |totals| totals.largest_request);
        let small = error.api().into_iter().flat_map(|error| &error.quotas).find(|quota| {
            quota.id.contains("Token") && quota.value.is_some_and(|value| value < tokens)
        });
        if let Some(quota) = small {
            failure.hints.push(
                format!(
                    "the request has {tokens} tokens, more than the whole quota {}: waiting never \
                     helps, make it smaller",
                    quota.id
                )
                .into(),
            );
        }
        failure
    }

    fn expected(&self, items: &[Slice<'_>], summary: &Summary, outgoing: &Outgoing) -> Expected {
        let mut expected = Expected::default();
        expected.add_charges(items.iter().flat_map(Slice::charges));
        let counted = |text: &str| text.chars().count() as u64;
        let prompt = self.preparation.request.prompt.as_deref().map_or(0, counted);
        let extra = match summary.totals.first() {
            // What the texts between the media add is estimated from the characters anyway.
            Some(totals)
                if self.preparation.request.requests == Requests::One && totals.requests == 1 =>
            {
                request_extra(totals, outgoing.characters().max(prompt))
            }
            _ => 0,
        };
        expected.add_text(outgoing.characters(), extra);
        expected
    }

    fn finish(
        &self,
        generated: &Generated,
        expected: &Expected,
        (items, outgoing): (&[Slice<'_>], &Outgoing),
        output: &mut Output<'_>,
    ) -> Result<(), Stop> {
        let usage = generated.usage.as_ref();
        let comparison = usage.map(|usage| Comparison::of_usage(usage, expected));
        if self.args.json {
            let answer = Answer::new(self.rules, generated, comparison.as_ref());
            serde_json::to_writer(&mut *output.data, &answer).map_err(std::io::Error::from)?;
            writeln!(output.data)?;
        } else {
            if self.args.no_stream {
                output.data.write_all(generated.outcome.text().as_bytes())?;
            }
            if !generated.outcome.text().is_empty() {
                writeln!(output.data)?;
            }
        }
        output.data.flush()?;
        if let Some(trouble) = generated.outcome.trouble() {
            let hint = hint(&generated.outcome);
            output.report_failure(&Failure::option(format!("answer: {trouble}"), hint));
        }
        match &comparison {
            Some(comparison) => self.show(comparison, generated, output),
            None => output.note("the service does not say what was charged"),
        }
        let Some(path) = &self.args.record else { return Ok(()) };
        if let Some(usage) = usage.and_then(|usage| self.measured(items, outgoing, usage)) {
            let row = Measured { model_version: generated.model_version.clone(), ..usage };
            append(path, &[row]).map_err(|error| Failure::file(path, &error))?;
        }
        Ok(())
    }

    fn show(&self, comparison: &Comparison, generated: &Generated, output: &mut Output<'_>) {
        let model = generated.model_version.as_deref().unwrap_or(&self.rules.key.model);
        output.tell(&format!("charged by {model}, beside the count of {}", self.rules.row.id));
        comparison.lines().iter().for_each(|line| output.tell(line));
        if !comparison.media_agree() {
            let message = "the service counts the media otherwise than the rule book";
            output.note(&format!("{message}; --record FILE keeps it as evidence"));
        }
    }

    fn measured(
        &self,
        items: &[Slice<'_>],
        outgoing: &Outgoing,
        usage: &mediaprep::parts::UsageMetadata,
    ) -> Option<Measured> {
        let details = usage.prompt_by_modality();
        Some(Measured {
            model: self.rules.key.model.clone(),
            model_version: None,
            service: self.rules.key.service,
            meter: Meter::Billed,
            on: self.rules.key.date,
            request: media_text(self.preparation, items),
            characters: outgoing.characters(),
            tokens: usage.prompt_token_count?,
            details: details.into_iter().map(|(word, n)| (word.as_str().to_owned(), n)).collect(),
            row: Some(self.rules.row.id.clone()),
        })
    }
}

/// The media of a request in the rule book's words.
pub(super) fn media_text(preparation: &Preparation<'_>, items: &[Slice<'_>]) -> String {
    let facts = |slice: &Slice<'_>| -> Vec<_> {
        let parts = slice.charged_parts();
        parts
            .map(|(part, charge, _)| preparation.part_facts(slice.item, part, charge.route))
            .collect()
    };
    request_text(&items.iter().flat_map(facts).collect::<Vec<_>>())
}

fn print(text: &str, output: &mut Output<'_>) {
    // A reader that has gone has what it wanted; the charge is still worth telling.
    let _ = output.data.write_all(text.as_bytes()).and_then(|()| output.data.flush());
}

const fn hint(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Blocked { .. } => "change the prompt or the media, or the thresholds of --safety",
        Outcome::Stopped { .. } => "MAX_TOKENS asks for a larger --max-output-tokens",
        Outcome::Cut { .. } => "the answer may lack its end; ask again",
        _ => "ask again, or give thinking models a larger --max-output-tokens",
    }
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    command: &'static str,
    model: &'a str,
    model_version: Option<&'a str>,
    response_id: Option<&'a str>,
    outcome: &'static str,
    reason: Option<String>,
    text: &'a str,
    usage: Option<&'a Comparison>,
}

impl<'a> Answer<'a> {
    fn new(
        rules: &'a RuleSet<'_>,
        generated: &'a Generated,
        usage: Option<&'a Comparison>,
    ) -> Self {
        let (outcome, reason) = match &generated.outcome {
            Outcome::Text(_) => ("text", None),
            Outcome::Blocked { reason, .. } => ("blocked", Some(reason.as_str().to_owned())),
            Outcome::Stopped { reason, .. } => ("stopped", Some(reason.as_str().to_owned())),
            Outcome::Cut { .. } => ("cut", None),
            _ => ("empty", None),
        };
        Self {
            schema: 1,
            command: "send",
            model: &rules.key.model,
            model_version: generated.model_version.as_deref(),
            response_id: generated.response_id.as_deref(),
            outcome,
            reason,
            text: generated.outcome.text(),
            usage,
        }
    }
}
