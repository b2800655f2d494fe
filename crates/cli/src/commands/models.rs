//! `mediaprep models`: the rule book.

use std::io;

use mediaprep::tokens::{
    Coverage, Date, Evidence, Figure, Formula, Limit, Model, PictureRule, Price, Row, RuleBook,
    Service, SoundRule, VideoRule,
};
use serde::Serialize;

use super::evidence::{print_measured, print_sampling};
use crate::args::{Format, ModelsArgs};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::text::thousands;
use crate::{Stop, settings};

pub(crate) fn models(args: &ModelsArgs, output: &mut Output<'_>) -> Result<Status, Stop> {
    let book = settings::rule_book(args.rules.as_deref())?;
    let date = settings::date(args.on.as_deref())?;
    match (&args.model, args.output.format()) {
        (None, Format::Table) => list(&book, date, output)?,
        (None, Format::Csv) => list_csv(&book, date, output)?,
        (None, format) => print_json(format, "models", &entries(&book, date), output)?,
        (Some(id), format) => {
            let detail = Detail::find(&book, id, date)?;
            match format {
                Format::Table => detail.print(output)?,
                Format::Csv => return Err(no_csv().into()),
                Format::Json | Format::Ndjson => print_json(format, "model", &detail, output)?,
            }
        }
    }
    Ok(Status::Done)
}

fn no_csv() -> Failure {
    Failure::option("one model's entry is no table for CSV", "use --format json")
}

/// One line of the list.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    model: &'a Model,
    developer_api: Option<&'a str>,
    vertex: Option<&'a str>,
    input_usd_per_million: Option<f64>,
    evidence: Option<&'static str>,
}

fn entries<'a>(book: &'a RuleBook, date: Date) -> Vec<Entry<'a>> {
    book.models().iter().map(|model| entry(book, model, date)).collect()
}

fn entry<'a>(book: &'a RuleBook, model: &'a Model, date: Date) -> Entry<'a> {
    let row = |service| current_row(book, &model.id, service, date);
    let measured = row(Service::DeveloperApi).or_else(|| row(Service::Vertex));
    let price = book.price(&model.id, Service::DeveloperApi, date).and_then(|price| price.input);
    Entry {
        model,
        developer_api: row(Service::DeveloperApi).map(|row| row.id.as_str()),
        vertex: row(Service::Vertex).map(|row| row.id.as_str()),
        input_usd_per_million: price.map(usd_per_million),
        evidence: measured.map(|row| standing(row, &model.id).as_str()),
    }
}

fn current_row<'a>(
    book: &'a RuleBook,
    model: &str,
    service: Service,
    date: Date,
) -> Option<&'a Row> {
    let key = mediaprep::tokens::RuleKey {
        model: model.to_owned(),
        service,
        meter: mediaprep::tokens::Meter::Billed,
        date,
    };
    book.find(&key).ok().map(|found| found.row)
}

/// The strongest evidence that a row can claim for a model's images, or else for what it covers.
fn standing(row: &Row, model: &str) -> Evidence {
    let basis = match (&row.image, &row.page) {
        (Coverage::Charged(rule), _) | (_, Coverage::Charged(rule)) => rule.default.basis.evidence,
        _ => Evidence::Inferred,
    };
    if basis == Evidence::Measured && !row.is_measured_on(model) {
        Evidence::Inferred
    } else {
        basis
    }
}

fn usd_per_million(microdollars: u64) -> f64 {
    microdollars as f64 / 1e6
}

fn list(book: &RuleBook, date: Date, output: &mut Output<'_>) -> io::Result<()> {
    let title = format!(
        " {:<31} {:<12} {:>9} {:>9}  {:<10} {}",
        "model", "stage", "window", "$/M in", "evidence", "rule on the Developer API"
    );
    writeln!(output.data, "{}", output.bold(&title))?;
    for entry in entries(book, date) {
        let window = entry.model.window_on(Service::DeveloperApi).map(|window| window.input);
        writeln!(
            output.data,
            " {:<31} {:<12} {:>9} {:>9}  {:<10} {}",
            entry.model.id,
            stage(entry.model, date),
            window.map_or_else(|| "unknown".into(), thousands),
            entry.input_usd_per_million.map_or_else(|| "unknown".into(), |usd| format!("{usd}")),
            entry.evidence.unwrap_or("no rule"),
            entry.developer_api.or(entry.vertex).unwrap_or("-"),
        )?;
    }
    let default = book.default_model(date).map_or("none", |model| &model.id);
    writeln!(output.data, " default model on {date}: {default}")
}

fn list_csv(book: &RuleBook, date: Date, output: &mut Output<'_>) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(&mut *output.data);
    writer.write_record([
        "model",
        "family",
        "stage",
        "developer_api",
        "vertex",
        "usd_per_million",
        "evidence",
    ])?;
    for entry in entries(book, date) {
        writer.write_record([
            entry.model.id.as_str(),
            &entry.model.family,
            stage(entry.model, date),
            entry.developer_api.unwrap_or_default(),
            entry.vertex.unwrap_or_default(),
            &entry.input_usd_per_million.map(|usd| usd.to_string()).unwrap_or_default(),
            entry.evidence.unwrap_or_default(),
        ])?;
    }
    writer.flush()
}

fn stage(model: &Model, date: Date) -> &'static str {
    use mediaprep::tokens::Stage;
    match model.stage_on(date) {
        Stage::Stable => "stable",
        Stage::Preview => "preview",
        Stage::Experimental => "experimental",
        Stage::Retired => "retired",
    }
}

fn print_json<T: Serialize>(
    format: Format,
    name: &'static str,
    value: &T,
    output: &mut Output<'_>,
) -> io::Result<()> {
    let mut object = serde_json::Map::new();
    object.insert("schema".to_owned(), 1.into());
    object.insert("command".to_owned(), "models".into());
    object.insert(name.to_owned(), serde_json::to_value(value)?);
    if format == Format::Ndjson {
        serde_json::to_writer(&mut *output.data, &object)?;
    } else {
        serde_json::to_writer_pretty(&mut *output.data, &object)?;
    }
    writeln!(output.data)
}

/// Everything about one model, or about one row named by its id.
#[derive(Serialize)]
struct Detail<'a> {
    model: Option<&'a Model>,
    rows: Vec<&'a Row>,
    prices: Vec<&'a Price>,
    limits: Vec<&'a mediaprep::tokens::LimitRow>,
    sampling: Vec<&'a mediaprep::tokens::SamplingRow>,
    #[serde(skip)]
    book: &'a RuleBook,
    #[serde(skip)]
    date: Date,
}

impl<'a> Detail<'a> {
    fn find(book: &'a RuleBook, id: &str, date: Date) -> Result<Self, Failure> {
        let name = mediaprep::tokens::bare_model_name(id);
        let holds = |row: &&Row| row.id == id || row.models.iter().any(|model| model == name);
        let rows: Vec<&Row> = book.rows().iter().filter(holds).collect();
        let model = book.model(name);
        if model.is_none() && rows.is_empty() {
            let request = mediaprep::RuleRequest::billed(id, date);
            let error = mediaprep::RuleSet::find(book, &request).err();
            return Err(error.map_or_else(
                || Failure::option(format!("nothing is known of `{id}`"), "see `mediaprep models`"),
                |error| settings::failure(&error),
            ));
        }
        let named = |price: &&Price| price.models.iter().any(|model| model == name);
        let services = [Service::DeveloperApi, Service::Vertex];
        let limits = services.iter().filter_map(|&service| book.limits(name, service, date));
        let mut limits: Vec<_> = limits.map(|limits| limits.counts).collect();
        limits.dedup_by_key(|row| &row.id);
        let sampling = services.iter().filter_map(|&service| book.sampling(name, service, date));
        let mut sampling: Vec<_> = sampling.map(|sampling| sampling.row).collect();
        sampling.dedup_by_key(|row| &row.id);
        let prices = book.prices().iter().filter(named).collect();
        Ok(Self { model, rows, prices, limits, sampling, book, date })
    }

    fn print(&self, output: &mut Output<'_>) -> io::Result<()> {
        if let Some(model) = self.model {
            self.print_model(model, output)?;
        }
        for price in &self.prices {
            print_price(price, output)?;
        }
        for limits in &self.limits {
            print_limits(limits, output)?;
        }
        for row in &self.sampling {
            print_sampling(row, output)?;
        }
        for row in &self.rows {
            print_row(row, output)?;
        }
        match self.model {
            Some(model) => print_measured(self.book, &model.id, output),
            None => Ok(()),
        }
    }

    fn print_model(&self, model: &Model, output: &mut Output<'_>) -> io::Result<()> {
        let name = output.bold(&model.id);
        let (stage, released) = (stage(model, self.date), model.released);
        writeln!(output.data, "{name} · family {} · {stage} · released {released}", model.family)?;
        for window in &model.window {
            let service = window.service.map_or("any service", Service::as_str);
            let output_limit = window.output.map_or_else(|| "unknown".into(), thousands);
            let input = thousands(window.input);
            let shared = if window.shared { ", shared with the output" } else { "" };
            let evidence = window.evidence.as_str();
            writeln!(
                output.data,
                "  window: {input} in{shared}, {output_limit} out · {service} · {evidence}"
            )?;
        }
        Ok(())
    }
}

fn print_price(price: &Price, output: &mut Output<'_>) -> io::Result<()> {
    let mut fields = Vec::new();
    for (name, value) in [
        ("in", price.input),
        ("in above the tier", price.input_above),
        ("image in", price.image),
        ("video in", price.video),
        ("audio in", price.audio),
        ("cached", price.cached),
        ("out", price.output),
    ] {
        fields.extend(value.map(|value| format!("{name} ${}", usd_per_million(value))));
    }
    let tier = price.tier_above.map(|tier| format!(" · tier above {} tokens", thousands(tier)));
    let until = price.until.map(|until| format!(" to {until}")).unwrap_or_default();
    writeln!(
        output.data,
        "  price per million tokens: {}{} · from {}{until} · checked {} · {}",
        fields.join(", "),
        tier.unwrap_or_default(),
        price.since,
        price.checked,
        price.source,
    )
}

fn print_limits(row: &mediaprep::tokens::LimitRow, output: &mut Output<'_>) -> io::Result<()> {
    let mut fields = Vec::new();
    for (name, limit) in [
        ("images", row.images),
        ("pages", row.pages),
        ("pages per PDF", row.pages_per_file),
        ("videos", row.videos),
        ("seconds of video with sound", row.video_seconds_with_sound),
        ("seconds of video without sound", row.video_seconds_without_sound),
        ("sound files", row.audio_files),
        ("seconds of sound", row.audio_seconds),
    ] {
        fields.extend(limit.map(|limit| format!("{name} {}", limit_text(limit))));
    }
    writeln!(output.data, "  limits {}: {}", row.id, fields.join(" · "))
}

fn limit_text(limit: Limit) -> String {
    match (limit.hard, limit.advised) {
        (Some(hard), Some(advised)) => {
            format!("{} (advised {})", thousands(hard), thousands(advised))
        }
        (Some(hard), None) => thousands(hard),
        (None, Some(advised)) => format!("advised {}", thousands(advised)),
        (None, None) => "none".to_owned(),
    }
}

fn print_row(row: &Row, output: &mut Output<'_>) -> io::Result<()> {
    let services: Vec<_> = row.services.iter().map(|service| service.as_str()).collect();
    let until = row.until.map(|until| format!(" to {until}")).unwrap_or_default();
    let alternate = if row.lookup { "" } else { " · alternate, reached by its id only" };
    let id = output.bold(&row.id);
    let (services, meter, since) = (services.join(", "), row.meter.as_str(), row.since);
    writeln!(output.data, "  row {id} · {services} · {meter} · from {since}{until}{alternate}")?;
    print_coverage("image", &row.image, output)?;
    print_coverage("page", &row.page, output)?;
    match &row.video {
        Coverage::Charged(rules) => print_video(&rules.inline, output)?,
        other => print_silence("video", other, output)?,
    }
    match &row.audio {
        Coverage::Charged(sound) => writeln!(output.data, "    audio: {}", sound_text(sound))?,
        other => print_silence("audio", other, output)?,
    }
    if let Some(extra) = &row.request_extra {
        writeln!(
            output.data,
            "    each request: {} · {}",
            extra.tokens,
            extra.basis.evidence.as_str()
        )?;
    }
    writeln!(output.data, "    known answers: {}", row.known.len())?;
    if let Some(note) = &row.note {
        writeln!(output.data, "    note: {note}")?;
    }
    for source in &row.sources {
        writeln!(output.data, "    source: {source}")?;
    }
    Ok(())
}

fn print_coverage(
    name: &str,
    coverage: &Coverage<PictureRule>,
    output: &mut Output<'_>,
) -> io::Result<()> {
    match coverage {
        Coverage::Charged(rule) => {
            writeln!(output.data, "    {name}: {}", figure_text(&rule.default))
        }
        other => print_silence(name, other, output),
    }
}

fn print_silence<T>(name: &str, coverage: &Coverage<T>, output: &mut Output<'_>) -> io::Result<()> {
    let word = match coverage {
        Coverage::NotAccepted => "not accepted",
        Coverage::NotCovered | Coverage::Charged(_) => "not covered",
    };
    writeln!(output.data, "    {name}: {word}")
}

fn print_video(rule: &VideoRule, output: &mut Output<'_>) -> io::Result<()> {
    let frame = figure_text(&rule.frame.default);
    let stamp = rule.timestamp.first_hour;
    writeln!(output.data, "    video frame: {frame}, timestamp {stamp}")?;
    match &rule.soundtrack {
        Some(soundtrack) => {
            writeln!(output.data, "    soundtrack: {}", sound_text(&soundtrack.sound))
        }
        None => writeln!(output.data, "    soundtrack: ignored"),
    }
}

fn figure_text(figure: &Figure) -> String {
    format!("{} · {}", formula_text(&figure.formula), figure.basis.evidence.as_str())
}

fn formula_text(formula: &Formula) -> String {
    let with_overview = |overview: u32| if overview > 0 { " and an overview" } else { "" };
    match *formula {
        Formula::Flat { tokens } => format!("{tokens} each"),
        Formula::CropTiles { overview } => {
            format!("258 for each 768 × 768 crop tile{}", with_overview(overview))
        }
        Formula::UnclampedTiles { overview } => {
            format!("258 for each unclamped tile{}", with_overview(overview))
        }
        Formula::LongSideTiles => "258 for the picture and each square tile".to_owned(),
        Formula::AspectFit { budget } => format!("cells in the picture's shape, up to {budget}"),
        Formula::AtMost { tokens } => format!("at most {}", thousands(tokens.into())),
    }
}

fn sound_text(sound: &SoundRule) -> String {
    let evidence = sound.basis.evidence.as_str();
    format!("{} a second · {evidence}", sound.per_second)
}
