//! JSON and NDJSON, written row by row.

use std::io;

use mediaprep::media::{Modality, Warning};
use mediaprep::tokens::{Billing, Evidence};
use mediaprep::{FitItem, KindTotals, RuleSet, TokenSplit, Totals};
use serde::Serialize;

use super::fit::FitReport;
use super::{Head, Sink, Summary};
use crate::fitted::{FittedItem, FittedTotals};
use crate::item::{JsonItem, Row, bound, dollars};
use crate::output::Output;

/// One document: head, items, totals.
#[derive(Default)]
pub(crate) struct Json {
    rows: u64,
}

/// One item a line, then one line of totals.
pub(crate) struct NdJson;

#[derive(Serialize)]
struct JsonHead<'a> {
    schema: u32,
    command: &'static str,
    #[serde(flatten)]
    rule: Option<JsonRule<'a>>,
}

#[derive(Serialize)]
struct JsonRule<'a> {
    model: &'a str,
    service: &'static str,
    meter: &'static str,
    on: String,
    rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing: Option<&'static str>,
}

#[derive(Serialize)]
struct JsonTotals<'a> {
    items: u64,
    failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicates: Option<u64>,
    #[serde(flatten)]
    sums: Option<JsonSums<'a>>,
}

#[derive(Serialize)]
struct JsonSums<'a> {
    tokens: TokenSplit,
    bound: &'static str,
    cost_usd: Option<f64>,
    context_window: Option<u64>,
    window_share: Option<f64>,
    fits: Option<bool>,
    evidence: Option<&'static str>,
    requests: u64,
    request_bytes: u64,
    kinds: Vec<JsonKind>,
    errors: &'a [Warning],
    warnings: &'a [Warning],
}

#[derive(Serialize)]
struct JsonKind {
    kind: &'static str,
    files: u64,
    tokens: u64,
    cost_usd: Option<f64>,
    evidence: Option<&'static str>,
}

#[derive(Serialize)]
struct Compared<'a> {
    #[serde(flatten)]
    rule: JsonRule<'a>,
    totals: JsonTotals<'a>,
}

/// What stands behind the items.
#[derive(Serialize)]
struct JsonTail<'a> {
    skipped: u64,
    totals: JsonTotals<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compare: Vec<Compared<'a>>,
}

/// A whole report with the parts that were made.
#[derive(Serialize)]
pub(crate) struct Document<'a, I, P> {
    #[serde(flatten)]
    head: JsonHead<'a>,
    items: Vec<I>,
    #[serde(flatten)]
    tail: JsonTail<'a>,
    parts: &'a [P],
}

impl<'a, I, P> Document<'a, I, P> {
    pub(crate) fn new(
        about: &'a Head<'_>,
        summary: &'a Summary,
        items: Vec<I>,
        parts: &'a [P],
    ) -> Self {
        Self { head: head(about), items, tail: tail(about, summary), parts }
    }
}

/// An item with what was given up for it.
#[derive(Serialize)]
struct JsonFitted<'a> {
    #[serde(flatten)]
    item: JsonItem<'a>,
    fit: Option<FittedItem<'a>>,
}

impl<'a> JsonFitted<'a> {
    fn new((row, item): &'a (Row<'a>, Option<&FitItem>)) -> Self {
        let fit = item.filter(|item| item.failure.is_none()).map(FittedItem::new);
        Self { item: row.json(), fit }
    }
}

/// A whole fit as one document.
pub(super) fn write_fit(report: &FitReport<'_>, output: &mut Output<'_>) -> io::Result<()> {
    #[derive(Serialize)]
    struct Tail<'a> {
        #[serde(flatten)]
        tail: JsonTail<'a>,
        fit: FittedTotals<'a>,
    }
    let text = serde_json::to_string(&head(report.head))?;
    // The object stays open for the items.
    write!(output.data, "{},\n\"items\":[", text.trim_end_matches('}'))?;
    for (at, row) in report.rows.iter().enumerate() {
        output.data.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *output.data, &JsonFitted::new(row))?;
    }
    let tail = Tail { tail: tail(report.head, report.summary), fit: report.totals() };
    let text = serde_json::to_string(&tail)?;
    writeln!(output.data, "\n],\n{}", text.trim_start_matches('{'))
}

/// The same, one item a line, then one line of totals.
pub(super) fn write_fit_lines(report: &FitReport<'_>, output: &mut Output<'_>) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        #[serde(flatten)]
        tail: JsonTail<'a>,
        fit: FittedTotals<'a>,
        #[serde(flatten)]
        head: JsonHead<'a>,
    }
    for row in report.rows {
        serde_json::to_writer(&mut *output.data, &JsonFitted::new(row))?;
        output.data.write_all(b"\n")?;
    }
    let tail = tail(report.head, report.summary);
    let line = Line { tail, fit: report.totals(), head: head(report.head) };
    serde_json::to_writer(&mut *output.data, &line)?;
    output.data.write_all(b"\n")
}

fn rule<'a>(rules: &'a RuleSet<'_>, head: &Head<'_>) -> JsonRule<'a> {
    JsonRule {
        model: &rules.key.model,
        service: rules.key.service.as_str(),
        meter: rules.row.meter.as_str(),
        on: head.on.map(|date| date.to_string()).unwrap_or_default(),
        rule: &rules.row.id,
        billing: (rules.billing() == Billing::Batch).then_some("batch"),
    }
}

fn head<'a>(head: &'a Head<'_>) -> JsonHead<'a> {
    let rule = head.rules.first().map(|rules| rule(rules, head));
    JsonHead { schema: 1, command: head.command, rule }
}

/// A report without its items, as one object.
pub(crate) fn without_items(about: &Head<'_>, summary: &Summary) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(flatten)]
        head: JsonHead<'a>,
        #[serde(flatten)]
        tail: JsonTail<'a>,
    }
    serde_json::to_string(&Whole { head: head(about), tail: tail(about, summary) })
}

fn totals(summary: &Summary, sums: Option<&Totals>) -> JsonTotals<'static> {
    JsonTotals {
        items: summary.items,
        failed: sums.map_or(summary.failed, |t| t.failed),
        duplicates: sums.map(|totals| totals.copies),
        sums: None,
    }
}

fn with_sums<'a>(summary: &Summary, totals_of_rule: &'a Totals) -> JsonTotals<'a> {
    JsonTotals { sums: Some(sums(totals_of_rule)), ..totals(summary, Some(totals_of_rule)) }
}

fn sums(totals: &Totals) -> JsonSums<'_> {
    JsonSums {
        tokens: totals.tokens,
        bound: bound(totals.bound),
        cost_usd: totals.cost.map(dollars),
        context_window: totals.context_window,
        window_share: totals.window_share().map(|share| (share * 1e5).round() / 1e5),
        fits: totals.fits(),
        evidence: totals.evidence.map(Evidence::as_str),
        requests: totals.requests,
        request_bytes: totals.largest_body,
        kinds: KINDS.iter().filter_map(|&kind| json_kind(kind, totals.kind(kind)?)).collect(),
        errors: &totals.errors,
        warnings: &totals.warnings,
    }
}

const KINDS: [Modality; 4] =
    [Modality::Image, Modality::Video, Modality::Audio, Modality::Document];

fn json_kind(kind: Modality, totals: &KindTotals) -> Option<JsonKind> {
    (totals.files > 0).then(|| JsonKind {
        kind: kind.as_str(),
        files: totals.files,
        tokens: totals.tokens,
        cost_usd: totals.cost.map(dollars),
        evidence: totals.evidence.map(Evidence::as_str),
    })
}

fn tail<'a>(head: &'a Head<'_>, summary: &'a Summary) -> JsonTail<'a> {
    let main = summary.totals.first();
    let totals_of_main = match main {
        Some(main) => with_sums(summary, main),
        None => totals(summary, None),
    };
    let others = head.rules.iter().zip(&summary.totals).skip(1);
    let compared =
        |(rules, sums)| Compared { rule: rule(rules, head), totals: with_sums(summary, sums) };
    JsonTail {
        skipped: summary.skipped,
        totals: totals_of_main,
        compare: others.map(compared).collect(),
    }
}

impl Sink for Json {
    fn begin(&mut self, about: &Head<'_>, output: &mut Output<'_>) -> io::Result<()> {
        let text = serde_json::to_string(&head(about))?;
        // The object stays open for the items.
        write!(output.data, "{},\n\"items\":[", text.trim_end_matches('}'))
    }

    fn row(&mut self, row: &Row<'_>, output: &mut Output<'_>) -> io::Result<()> {
        output.data.write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
        self.rows += 1;
        Ok(serde_json::to_writer(&mut *output.data, &row.json())?)
    }

    fn end(
        &mut self,
        about: &Head<'_>,
        summary: &Summary,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let text = serde_json::to_string(&tail(about, summary))?;
        writeln!(output.data, "\n],\n{}", text.trim_start_matches('{'))
    }
}

impl Sink for NdJson {
    fn begin(&mut self, _: &Head<'_>, _: &mut Output<'_>) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, output: &mut Output<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut *output.data, &row.json())?;
        output.data.write_all(b"\n")
    }

    fn end(
        &mut self,
        about: &Head<'_>,
        summary: &Summary,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            #[serde(flatten)]
            tail: JsonTail<'a>,
            #[serde(flatten)]
            head: JsonHead<'a>,
        }
        let line = Line { tail: tail(about, summary), head: head(about) };
        serde_json::to_writer(&mut *output.data, &line)?;
        output.data.write_all(b"\n")
    }
}
