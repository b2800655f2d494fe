//! CSV: the columns of a JSON item, flattened.

use std::io;

use mediaprep::MediaInfo;
use mediaprep::media::WarningCode;

use super::fit::FitReport;
use super::{Head, Sink, Summary};
use crate::fitted::{share, words};
use crate::item::{Facts, Number, Row, dollars, facts, kind};
use crate::output::Output;

/// One header line and one line an item; the totals stay with the other formats.
pub(crate) struct Csv;

const FACTS: [&str; 14] = [
    "path",
    "kind",
    "mime_type",
    "bytes",
    "width",
    "height",
    "orientation",
    "duration_s",
    "fps",
    "frames",
    "has_audio",
    "sample_rate",
    "channels",
    "pages",
];

const CHARGE: [&str; 11] = [
    "tokens_total",
    "tokens_image",
    "tokens_video",
    "tokens_audio",
    "tokens_document",
    "tokens_text",
    "bound",
    "evidence",
    "route",
    "send_as",
    "cost_usd",
];

const TAIL: [&str; 5] = ["warnings", "error_code", "error_stage", "error_message", "duplicate_of"];

fn header(head: &Head<'_>) -> Vec<String> {
    let charge: &[&str] = if head.rules.is_empty() { &["bytes_read"] } else { &CHARGE };
    let mut columns: Vec<String> = FACTS.iter().chain(charge).map(|&name| name.into()).collect();
    for rules in head.rules.iter().skip(1) {
        columns.push(format!("tokens_total:{}", rules.key.model));
        columns.push(format!("cost_usd:{}", rules.key.model));
    }
    columns.extend(TAIL.iter().map(|&name| name.into()));
    columns
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn fact_columns(row: &Row<'_>) -> Vec<String> {
    let probed = row.probed();
    let facts = probed.map_or_else(Facts::default, |probed| facts(&probed.info));
    let number = |value: Option<Option<Number>>| text(value.flatten());
    let is_video = matches!(probed.map(|probed| &probed.info), Some(MediaInfo::Video(_)));
    let frames = row.charge().filter(|_| is_video).and_then(|charge| charge.count.frames);
    vec![
        row.path().to_owned(),
        text(kind(probed)),
        text(probed.and_then(|probed| probed.mime_type)),
        text(probed.and_then(|probed| probed.bytes)),
        number(facts.width),
        number(facts.height),
        text(facts.orientation),
        number(facts.duration_s),
        number(facts.fps),
        text(frames),
        text(facts.has_audio),
        text(facts.sample_rate.flatten()),
        text(facts.channels.flatten()),
        text(facts.pages),
    ]
}

fn charge_columns(row: &Row<'_>) -> Vec<String> {
    let Some(charge) = row.charge() else { return vec![String::new(); CHARGE.len()] };
    let tokens = charge.tokens;
    vec![
        tokens.total.to_string(),
        tokens.image.to_string(),
        tokens.video.to_string(),
        tokens.audio.to_string(),
        tokens.document.to_string(),
        tokens.text.to_string(),
        crate::item::bound(charge.bound).to_owned(),
        charge.evidence.as_str().to_owned(),
        charge.route.as_str().to_owned(),
        charge.send_as.to_string(),
        text(charge.cost.map(dollars)),
    ]
}

fn columns(row: &Row<'_>) -> Vec<String> {
    let mut columns = fact_columns(row);
    if row.models.is_empty() {
        columns.push(text(row.probed().map(|probed| probed.bytes_read)));
    } else {
        columns.extend(charge_columns(row));
        for at in 1..row.models.len() {
            let charge = row.item.charges.get(at).and_then(|charge| charge.as_ref().ok());
            columns.push(text(charge.map(|charge| charge.tokens.total)));
            columns.push(text(charge.and_then(|charge| charge.cost).map(dollars)));
        }
    }
    let codes: Vec<&str> =
        row.warnings().map(|warning| warning.code).map(WarningCode::as_str).collect();
    columns.push(codes.join(";"));
    let error = row.error_row();
    columns.push(text(error.as_ref().map(|error| error.code)));
    columns.push(text(error.as_ref().map(|error| error.stage)));
    columns.push(text(error.map(|error| error.message)));
    columns.push(text(row.item.copy_of.as_deref()));
    columns
}

fn write(columns: Vec<String>, output: &mut Output<'_>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(columns)?;
    let line = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    output.data.write_all(&line)
}

/// A whole fit: the columns of a budget, then what was given up.
pub(super) fn write_fit(report: &FitReport<'_>, output: &mut Output<'_>) -> io::Result<()> {
    let mut head = header(report.head);
    head.extend(["tokens_before", "loss", "given_up"].map(str::to_owned));
    write(head, output)?;
    for (row, item) in report.rows {
        let mut line = columns(row);
        let fitted = item.filter(|item| item.failure.is_none());
        let given_up = fitted.into_iter().flat_map(|item| &item.given_up);
        let given_up: Vec<String> = given_up.map(words).collect();
        line.push(text(fitted.map(|item| item.tokens_before)));
        line.push(text(fitted.map(|item| share(item.loss))));
        line.push(given_up.join("; "));
        write(line, output)?;
    }
    Ok(())
}

impl Sink for Csv {
    fn begin(&mut self, head: &Head<'_>, output: &mut Output<'_>) -> io::Result<()> {
        write(header(head), output)
    }

    fn row(&mut self, row: &Row<'_>, output: &mut Output<'_>) -> io::Result<()> {
        write(columns(row), output)
    }

    fn end(&mut self, _: &Head<'_>, _: &Summary, _: &mut Output<'_>) -> io::Result<()> {
        Ok(())
    }
}
