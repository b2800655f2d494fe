//! `mediaprep verify`: our count beside the service's, file by file.

use mediaprep::parts::{GenerateRequest, GenerationConfig};
use mediaprep::tokens::{Measured, Meter};
use mediaprep::{Preparation, Requests, RuleSet};
use mediaprep_client::{Delivery, Error as ClientError, UploadCache, blocking};
use serde::Serialize;

use super::prepare::{Carried, make_parts};
use super::send::{Scratch, forget_uploads, media_text};
use crate::args::{Common, Format, VerifyArgs};
use crate::failure::Failure;
use crate::item::Row;
use crate::output::{Output, Status};
use crate::prepare::{Made, OutFolder, Slice};
use crate::send::{Comparison, Expected, Outgoing, Pair, Uploads, append, report_event, signed};
use crate::text::{keep_end, printable, thousands};
use crate::{Stop, inputs, settings};

pub(crate) fn verify(
    args: &VerifyArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let scratch = Scratch::new(None, output)?;
    let engine = {
        let around = (&output.interrupt, output.worker.as_deref());
        settings::prepare_engine(common, (&args.work, &scratch.path), around)?
    };
    let book = settings::rule_book(args.work.rule.rules.as_deref())?;
    let rules = settings::rule_sets(&book, &args.work.rule, &[])?;
    let Some(main) = rules.first() else { return Ok(Status::CouldNotRun) };
    // Each file is a request of its own: the service splits its count by medium only.
    let mut request = settings::plan_options(&args.work.request)?;
    request.requests = Requests::Each;
    let options = settings::prepare_options(&args.work)?;
    if args.work.inputs.facts.is_some() {
        let hint = "name files; facts alone can be budgeted";
        return Err(Failure::option("facts have no bytes that could be counted", hint).into());
    }
    let client = settings::client(&args.connect, main.key.service, None)?;
    let list = inputs::collect(&args.work.inputs, engine.threads())?;
    let plan = engine.plan(&list, main, &request, &options);
    let mut preparation = plan.map_err(|error| settings::failure(&error))?;
    let mut folder = OutFolder::open(&scratch.path, &engine, &output.interrupt)?;
    folder.take_on(&preparation);
    let Carried { mut made, .. } = make_parts(&engine, (&mut preparation, false), &folder, output)?;
    forget_uploads(&mut made);
    let cache = settings::upload_cache(&args.connect);
    let asker = Asker { args, rules: main, client: &client, cache: cache.as_ref() };
    let verified = asker.all(&made, &preparation, &folder, output)?;
    finish(args, main, &verified, output)
}

/// One file as both sides count it.
struct Verified {
    path: String,
    comparison: Comparison,
    measured: Option<Measured>,
}

struct Asker<'a> {
    args: &'a VerifyArgs,
    rules: &'a RuleSet<'a>,
    client: &'a blocking::Client,
    cache: Option<&'a UploadCache>,
}

/// What came of all files, and whether any of them failed.
struct All {
    files: Vec<Verified>,
    failed: bool,
}

impl Asker<'_> {
    fn all(
        &self,
        made: &[Made],
        preparation: &Preparation<'_>,
        folder: &OutFolder,
        output: &mut Output<'_>,
    ) -> Result<All, Stop> {
        let models = [self.rules.key.model.clone()];
        let mut all = All { files: Vec::new(), failed: false };
        output.start_progress(Some(made.len()), false);
        for one in made {
            let row = Row { item: &one.budgeted, models: &models, explained: None, contents: None };
            output.report_item(&row);
            let asked = if row.failed() || one.parts().is_empty() {
                None
            } else {
                self.one(one, preparation, folder, output)?
            };
            match asked {
                Some(verified) => all.files.push(verified),
                None => all.failed = true,
            }
            output.step();
        }
        output.finish_progress();
        Ok(all)
    }

    /// One file; `None` when the service would not count it, which is said here.
    fn one(
        &self,
        one: &Made,
        preparation: &Preparation<'_>,
        folder: &OutFolder,
        output: &mut Output<'_>,
    ) -> Result<Option<Verified>, Stop> {
        let row = Row { item: &one.budgeted, models: &[], explained: None, contents: None };
        let path = row.path().to_owned();
        let Some(whole) = Slice::whole(one) else { return Ok(None) };
        let items = &[whole];
        let frame = GenerateRequest {
            generation_config: Some(GenerationConfig {
                media_resolution: preparation.request.request_level(),
                max_output_tokens: (self.rules.key.meter != Meter::CountTokens).then_some(1),
                ..GenerationConfig::default()
            }),
            ..GenerateRequest::default()
        };
        let outgoing = Outgoing::new(folder, preparation, items, &frame)?;
        let mut expected = Expected::default();
        expected.add_charges(&one.charges);
        expected.add_text(outgoing.characters(), extra(one, outgoing.characters()));
        match self.ask(&outgoing, &expected, output) {
            Ok(comparison) => {
                let measured = self.measured(preparation, items, (&outgoing, &comparison));
                Ok(Some(Verified { path, comparison, measured }))
            }
            Err(error) => {
                let failure = settings::client_failure(&error);
                let message = format!("{}: verify: {}", printable(&path), failure.message);
                output.report_failure(&Failure { message, ..failure });
                Ok(None)
            }
        }
    }

    fn ask(
        &self,
        outgoing: &Outgoing,
        expected: &Expected,
        output: &mut Output<'_>,
    ) -> Result<Comparison, ClientError> {
        let uploads = Uploads::new(output);
        let files = uploads.watched(&outgoing.uploads, &self.args.connect);
        let output = std::cell::RefCell::new(output);
        let client = self.client.asynchronous();
        let delivery = Delivery::new(client)
            .cache(self.cache)
            .wait(std::time::Duration::from_secs(self.args.connect.wait))
            .observer(|event| report_event(&event, &uploads, &mut output.borrow_mut()));
        let model = &self.rules.key.model;
        let ask = async |request: &GenerateRequest| {
            uploads.finish();
            if self.rules.key.meter == Meter::CountTokens {
                let counted = client.count_tokens(model, request).await?;
                let by = counted.prompt_by_modality();
                return Ok(Comparison::new(counted.total_tokens, &by, expected));
            }
            let usage = client.generate(model, request).await?.usage.unwrap_or_default();
            Ok(Comparison::of_usage(&usage, expected))
        };
        self.client.wait(delivery.send(&files, |uploaded| outgoing.request(uploaded), ask))
    }

    fn measured(
        &self,
        preparation: &Preparation<'_>,
        items: &[Slice<'_>],
        (outgoing, comparison): (&Outgoing, &Comparison),
    ) -> Option<Measured> {
        let details = comparison.by.iter();
        let details = details.filter_map(|(word, pair)| Some((word.clone(), pair.service?)));
        Some(Measured {
            model: self.rules.key.model.clone(),
            model_version: None,
            service: self.rules.key.service,
            meter: self.asked(),
            on: self.rules.key.date,
            request: media_text(preparation, items),
            characters: outgoing.characters(),
            tokens: comparison.prompt.service?,
            details: details.filter(|(_, tokens)| *tokens > 0).collect(),
            row: Some(self.rules.row.id.clone()),
        })
    }

    /// Whose number the answer is.
    const fn asked(&self) -> Meter {
        match self.rules.key.meter {
            Meter::CountTokens => Meter::CountTokens,
            Meter::Billed | Meter::Documented => Meter::Billed,
        }
    }
}

/// What a request of its own adds beside its item and the text between its parts.
fn extra(one: &Made, characters: u64) -> u64 {
    let charge = one.budgeted.charges.first().and_then(|charge| charge.as_ref().ok());
    let text = charge.map_or(0, |charge| charge.tokens.text);
    text.saturating_sub(mediaprep::tokens::estimate_text(characters).tokens)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    model: &'a str,
    service: mediaprep::tokens::Service,
    meter: Meter,
    rule: &'a str,
    items: Vec<Item<'a>>,
    agree: usize,
}

#[derive(Serialize)]
struct Item<'a> {
    path: &'a str,
    agrees: bool,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

impl<'a> Item<'a> {
    fn of(one: &'a Verified) -> Self {
        let agrees = one.comparison.media_agree();
        Self { path: &one.path, agrees, comparison: &one.comparison }
    }
}

fn finish(
    args: &VerifyArgs,
    rules: &RuleSet<'_>,
    all: &All,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let agree = all.files.iter().filter(|one| one.comparison.media_agree()).count();
    match args.output.format() {
        Format::Table => table(&all.files, output)?,
        Format::Csv => csv(&all.files, output)?,
        format => json(rules, &all.files, (agree, format), output)?,
    }
    if let Some(path) = &args.record {
        let rows: Vec<Measured> = all.files.iter().filter_map(|one| one.measured.clone()).collect();
        append(path, &rows).map_err(|error| Failure::file(path, &error))?;
    }
    let (files, row) = (all.files.len(), &rules.row.id);
    output.note(&format!("{agree} of {files} files agree with {row} in their media"));
    Ok(if all.failed || agree < files { Status::Failed } else { Status::Done })
}

fn table(files: &[Verified], output: &mut Output<'_>) -> Result<(), Stop> {
    let row = |path: &str, what: &str, numbers: [&str; 3]| {
        let [service, ours, difference] = numbers;
        format!(" {path:<30} {what:<9}{service:>12}{ours:>12}{difference:>12}")
    };
    writeln!(output.data, "{}", row("file", "medium", ["service", "ours", "difference"]))?;
    for one in files {
        let mut path = keep_end(&printable(&one.path), 30);
        for (medium, pair) in &one.comparison.by {
            let line =
                row(&path, &medium.to_lowercase(), numbers(*pair).each_ref().map(|s| s.as_str()));
            writeln!(output.data, "{}", line.trim_end())?;
            path.clear();
        }
        let line = row(&path, "all", numbers(one.comparison.prompt).each_ref().map(|s| s.as_str()));
        writeln!(output.data, "{}", line.trim_end())?;
    }
    Ok(())
}

fn numbers(pair: Pair) -> [String; 3] {
    let service = pair.service.map_or_else(|| "unknown".to_owned(), thousands);
    [service, thousands(pair.ours), pair.difference().map(signed).unwrap_or_default()]
}

fn csv(files: &[Verified], output: &mut Output<'_>) -> Result<(), Stop> {
    let mut writer = csv::Writer::from_writer(&mut *output.data);
    let failed = std::io::Error::other;
    writer.write_record(["path", "medium", "service", "ours"]).map_err(failed)?;
    for one in files {
        let all = ("all".to_owned(), one.comparison.prompt);
        let rows = one.comparison.by.iter().map(|(medium, pair)| (medium.to_lowercase(), *pair));
        for (medium, pair) in rows.chain([all]) {
            let service = pair.service.map(|tokens| tokens.to_string()).unwrap_or_default();
            let record = [one.path.as_str(), &medium, &service, &pair.ours.to_string()];
            writer.write_record(record).map_err(failed)?;
        }
    }
    writer.flush()?;
    Ok(())
}

fn json(
    rules: &RuleSet<'_>,
    files: &[Verified],
    (agree, format): (usize, Format),
    output: &mut Output<'_>,
) -> Result<(), Stop> {
    let items: Vec<Item<'_>> = files.iter().map(Item::of).collect();
    let failed = std::io::Error::from;
    if format == Format::Ndjson {
        for item in &items {
            serde_json::to_writer(&mut *output.data, item).map_err(failed)?;
            writeln!(output.data)?;
        }
        return Ok(());
    }
    let document = Document {
        schema: 1,
        command: "verify",
        model: &rules.key.model,
        service: rules.key.service,
        meter: rules.key.meter,
        rule: &rules.row.id,
        items,
        agree,
    };
    serde_json::to_writer_pretty(&mut *output.data, &document).map_err(failed)?;
    Ok(writeln!(output.data)?)
}
