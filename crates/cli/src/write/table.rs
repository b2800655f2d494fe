//! Tables for people: fit 80 columns, numbers right-aligned with thousands separators.

use std::cmp::Reverse;
use std::io;

use mediaprep::media::{Duration, Modality};
use mediaprep::tokens::{Billing, Bound, Evidence, Route};
use mediaprep::{KindTotals, MediaInfo, ROUTES, RuleSet, Totals};

use super::{Head, Sink, Summary};
use crate::args::{SortArg, ViewArgs};
use crate::item::{PageContents, Row, dollars as amount};
use crate::output::Output;
use crate::text::{bytes, dollars, keep_end, length, megapixels, percent, printable, thousands};

/// Widest line of a table, as far as file names allow.
const COLUMNS: usize = 80;

/// Files named in the line of the biggest.
const BIGGEST: usize = 3;

/// The kinds in the order of the table.
const KINDS: [Modality; 4] =
    [Modality::Image, Modality::Video, Modality::Audio, Modality::Document];

/// `probe` as a table: one line a file.
#[derive(Default)]
pub(crate) struct ProbeTable {
    begun: bool,
    bytes: u64,
    bytes_read: u64,
}

impl Sink for ProbeTable {
    fn begin(&mut self, _: &Head<'_>, _: &mut Output<'_>) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, output: &mut Output<'_>) -> io::Result<()> {
        let Some(probed) = row.probed() else { return Ok(()) };
        if !self.begun {
            self.begun = true;
            let head = format!(" {:<9} {:<34} {:>9}  {}", "kind", "facts", "size", "path");
            writeln!(output.data, "{}", output.bold(&head))?;
        }
        self.bytes = self.bytes.saturating_add(probed.bytes.unwrap_or(0));
        self.bytes_read = self.bytes_read.saturating_add(probed.bytes_read);
        let size = probed.bytes.map(bytes).unwrap_or_default();
        let kind = probed.info.modality().as_str();
        let name = printable(&probed.name);
        let mut below = String::new();
        for line in row.contents.iter().flat_map(PageContents::lines) {
            below.push_str(&format!("\n             {line}"));
        }
        writeln!(
            output.data,
            " {kind:<9} {:<34} {size:>9}  {name}{below}",
            facts_text(&probed.info)
        )
    }

    fn end(&mut self, _: &Head<'_>, summary: &Summary, output: &mut Output<'_>) -> io::Result<()> {
        let files = plural(summary.items - summary.failed, "file");
        let (touched, all) = (bytes(self.bytes_read), bytes(self.bytes));
        let outcome = outcome_text(summary, summary.failed);
        writeln!(output.data, " {files} read, {touched} of {all} touched  |  {outcome}")
    }
}

pub(crate) fn facts_text(info: &MediaInfo) -> String {
    let size = info.dimensions().map(|size| format!("{} × {}", size.width(), size.height()));
    let mut facts: Vec<String> = size.into_iter().collect();
    match info {
        MediaInfo::Image(image) if image.orientation.exif() != 1 => {
            facts.push(format!("turned ({})", image.orientation.exif()));
        }
        MediaInfo::Image(_) => {}
        MediaInfo::Video(video) => {
            facts.extend(info.duration().map(length));
            facts.extend(video.frame_rate.map(|rate| format!("{:.4} fps", rate.as_f64())));
            facts.extend(video.audio.is_none().then(|| "silent".to_owned()));
        }
        MediaInfo::Audio(audio) => {
            facts.extend(info.duration().map(length));
            facts.extend(audio.sample_rate.map(|rate| format!("{rate} Hz")));
            facts.extend(audio.channels.map(|count| format!("{count} ch")));
        }
        MediaInfo::Document(document) => facts.push(plural(document.pages(), "page")),
    }
    facts.join(", ").replace(".0000 fps", " fps").replace("00 fps", " fps")
}

pub(crate) fn plural(count: u64, word: &str) -> String {
    format!("{} {word}{}", thousands(count), if count == 1 { "" } else { "s" })
}

pub(super) fn outcome_text(summary: &Summary, failed: u64) -> String {
    let skipped = plural(summary.skipped, "file");
    let outcome = format!("{skipped} skipped (not media), {} failed", thousands(failed));
    match copies(summary) {
        0 => outcome,
        copies => format!("{outcome}, {}", copies_text(copies)),
    }
}

/// Items that are copies of others, which every rule sees alike.
fn copies(summary: &Summary) -> u64 {
    summary.totals.first().map_or(0, |totals| totals.copies)
}

fn copies_text(copies: u64) -> String {
    let verb = if copies == 1 { "is a copy" } else { "are copies" };
    format!("{} {verb} of others", plural(copies, "file"))
}

/// One file of the list.
struct Listed {
    name: String,
    kind: &'static str,
    tokens: Vec<Option<(u64, Bound)>>,
    cost: Option<f64>,
    evidence: Option<Evidence>,
    explained: Vec<String>,
}

/// `budget` as a table: one line a kind, and the files where they are asked for.
pub(crate) struct BudgetTable {
    lists_files: bool,
    sort: SortArg,
    top: usize,
    files: Vec<Listed>,
    biggest: Vec<(u64, String)>,
}

impl BudgetTable {
    pub(crate) fn new(view: &ViewArgs) -> Self {
        Self {
            lists_files: view.files || view.top.is_some() || view.explain,
            sort: view.sort,
            top: view.top.unwrap_or(usize::MAX),
            files: Vec::new(),
            biggest: Vec::new(),
        }
    }

    fn remember_biggest(&mut self, tokens: u64, name: &str) {
        let smallest = self.biggest.last().map_or(0, |(tokens, _)| *tokens);
        if self.biggest.len() < BIGGEST || tokens > smallest {
            self.biggest.push((tokens, short_name(name)));
            self.biggest.sort_by_key(|(tokens, _)| Reverse(*tokens));
            self.biggest.truncate(BIGGEST);
        }
    }
}

/// The last component of a path.
fn short_name(path: &str) -> String {
    keep_end(&printable(path.rsplit('/').next().unwrap_or(path)), 16)
}

impl Sink for BudgetTable {
    fn begin(&mut self, _: &Head<'_>, _: &mut Output<'_>) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, _: &mut Output<'_>) -> io::Result<()> {
        if let Some(charge) = row.charge() {
            self.remember_biggest(charge.tokens.total, row.path());
        }
        let Some(probed) = row.probed().filter(|_| self.lists_files) else { return Ok(()) };
        let charges = row.item.charges.iter().map(|charge| charge.as_ref().ok());
        let charge = row.charge();
        self.files.push(Listed {
            name: printable(row.path()),
            kind: probed.info.modality().as_str(),
            tokens: charges.map(|charge| charge.map(|c| (c.tokens.total, c.bound))).collect(),
            cost: charge.and_then(|charge| charge.cost).map(amount),
            evidence: charge.map(|charge| charge.evidence),
            explained: row.explained.clone().unwrap_or_default(),
        });
        Ok(())
    }

    fn end(
        &mut self,
        head: &Head<'_>,
        summary: &Summary,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        self.write_files(head, output)?;
        match (head.rules, summary.totals.as_slice()) {
            ([rules], [totals]) => self.write_single(rules, totals, summary, output),
            (rules, totals) => self.write_compared(rules, totals, summary, output),
        }
    }
}

impl BudgetTable {
    fn write_files(&mut self, head: &Head<'_>, output: &mut Output<'_>) -> io::Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        match self.sort {
            SortArg::Path => {}
            SortArg::Tokens => self.files.sort_by_key(|file| Reverse(main_tokens(file))),
            SortArg::Cost => {
                self.files.sort_by(|a, b| b.cost.unwrap_or(-1.0).total_cmp(&a.cost.unwrap_or(-1.0)))
            }
        }
        let columns: String = if head.rules.len() > 1 {
            head.rules.iter().map(|rules| format!(" {:>14}", short_model(rules))).collect()
        } else {
            format!("{:>12} {:>10} {:>11}", "tokens", "cost", "evidence")
        };
        let title = format!(" {:<9} {columns}  {}", "kind", "file");
        writeln!(output.data, "{}", output.bold(&title))?;
        for file in self.files.iter().take(self.top) {
            writeln!(output.data, " {:<9} {}  {}", file.kind, file_columns(file), file.name)?;
            for line in &file.explained {
                writeln!(output.data, "             {line}")?;
            }
        }
        writeln!(output.data)
    }

    fn write_single(
        &self,
        rules: &RuleSet<'_>,
        totals: &Totals,
        summary: &Summary,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let title =
            line(["kind", "files", "units", "tokens", "window", "cost", "sent as", "evidence"]);
        writeln!(output.data, "{}", output.bold(&title))?;
        for kind in KINDS {
            if let Some(entry) = totals.kind(kind).filter(|entry| entry.files > 0) {
                writeln!(output.data, "{}", kind_line(kind, entry, totals))?;
            }
        }
        writeln!(output.data, "{}", output.bold(&total_line(totals)))?;
        self.write_biggest(output)?;
        let rule = rule_text(rules, summary.totals.len());
        writeln!(output.data, " {rule}  |  {}", outcome_text(summary, totals.failed))
    }

    fn write_biggest(&self, output: &mut Output<'_>) -> io::Result<()> {
        if self.biggest.len() < 2 {
            return Ok(());
        }
        let mut line = "   biggest:".to_owned();
        for (at, (tokens, name)) in self.biggest.iter().enumerate() {
            let separator = if at == 0 { " " } else { " · " };
            let named = format!("{separator}{name} {}", thousands(*tokens));
            if line.chars().count() + named.chars().count() <= COLUMNS {
                line.push_str(&named);
            }
        }
        writeln!(output.data, "{line}")
    }

    /// Several models: a column of tokens each, and what else they differ in below.
    fn write_compared(
        &self,
        rules: &[RuleSet<'_>],
        totals: &[Totals],
        summary: &Summary,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let columns: String =
            rules.iter().map(|rules| format!(" {:>17}", short_model(rules))).collect();
        let title = format!(" {:<9} {:>6} {:>12}{columns}", "kind", "files", "units");
        writeln!(output.data, "{}", output.bold(&title))?;
        for kind in KINDS {
            let seen = totals.iter().filter_map(|totals| totals.kind(kind));
            let Some(most) = seen.max_by_key(|entry| entry.files).filter(|entry| entry.files > 0)
            else {
                continue;
            };
            let cells = totals.iter().map(|totals| tokens_cell(totals.kind(kind)));
            let cells: String = cells.map(|cell| format!(" {cell:>17}")).collect();
            let (files, units) = (thousands(most.files), units_text(kind, most));
            writeln!(output.data, " {:<9} {files:>6} {units:>12}{cells}", kind.as_str())?;
        }
        for (name, text) in COMPARED {
            let cells: String =
                totals.iter().map(|totals| format!(" {:>17}", text(totals))).collect();
            if cells.trim().is_empty() {
                continue;
            }
            let row = format!(" {name:<9} {:>6} {:>12}{cells}", files_cell(name, summary), "");
            let row = if name == "total" { output.bold(&row) } else { row };
            writeln!(output.data, "{row}")?;
        }
        self.write_biggest(output)?;
        for rules in rules {
            writeln!(output.data, " {}", rule_text(rules, totals.len()))?;
        }
        let failed = totals.iter().map(|totals| totals.failed).max().unwrap_or(0);
        writeln!(output.data, " {}", outcome_text(summary, failed))
    }
}

/// What a total says in one cell.
type CellText = fn(&Totals) -> String;

/// The lines below the kinds when models stand side by side.
const COMPARED: [(&str, CellText); 4] = [
    ("total", |totals| tokens_text(totals.tokens.total, totals.bound)),
    ("window", |totals| window_text(totals.largest_request, totals)),
    ("cost", |totals| cost_text(totals.cost.map(amount))),
    ("evidence", |totals| totals.evidence.map_or("", Evidence::as_str).to_owned()),
];

fn files_cell(name: &str, summary: &Summary) -> String {
    if name == "total" { thousands(summary.items - copies(summary)) } else { String::new() }
}

fn main_tokens(file: &Listed) -> u64 {
    file.tokens.first().copied().flatten().map_or(0, |(tokens, _)| tokens)
}

fn file_columns(file: &Listed) -> String {
    let text = |tokens: &Option<(u64, Bound)>| {
        tokens.map_or_else(|| "-".to_owned(), |(tokens, bound)| tokens_text(tokens, bound))
    };
    if file.tokens.len() > 1 {
        return file.tokens.iter().map(|tokens| format!(" {:>14}", text(tokens))).collect();
    }
    let tokens = file.tokens.first().map(text).unwrap_or_default();
    let evidence = file.evidence.map_or("-", Evidence::as_str);
    format!("{tokens:>12} {:>10} {evidence:>11}", cost_text(file.cost))
}

fn line(cells: [&str; 8]) -> String {
    let [kind, files, units, tokens, window, cost, sent, evidence] = cells;
    format!(
        " {kind:<9}{files:>6} {units:>11} {tokens:>11} {window:>8} {cost:>9}  {sent:<8} {evidence}"
    )
}

fn kind_line(kind: Modality, entry: &KindTotals, totals: &Totals) -> String {
    line([
        kind.as_str(),
        &thousands(entry.files),
        &units_text(kind, entry),
        &tokens_cell(Some(entry)),
        &window_text(entry.tokens, totals),
        &cost_text(entry.cost.map(amount)),
        &routes_text(entry),
        entry.evidence.map_or("", Evidence::as_str),
    ])
}

fn total_line(totals: &Totals) -> String {
    line([
        "total",
        &thousands(totals.items - totals.copies),
        "",
        &tokens_text(totals.tokens.total, totals.bound),
        &window_text(totals.largest_request, totals),
        &cost_text(totals.cost.map(amount)),
        "",
        totals.evidence.map_or("", Evidence::as_str),
    ])
}

pub(crate) fn units_text(kind: Modality, entry: &KindTotals) -> String {
    match kind {
        Modality::Document => plural(entry.units, "page"),
        Modality::Video | Modality::Audio => {
            length(Duration::from_micros(entry.milliseconds.saturating_mul(1000)))
        }
        Modality::Image | Modality::Text => megapixels(entry.units),
    }
}

fn tokens_cell(entry: Option<&KindTotals>) -> String {
    entry.filter(|entry| entry.files > 0).map_or_else(
        || "-".to_owned(),
        |entry| tokens_text(entry.tokens, entry.bound.unwrap_or(Bound::Exact)),
    )
}

pub(crate) fn tokens_text(tokens: u64, bound: Bound) -> String {
    match bound {
        Bound::Exact => thousands(tokens),
        Bound::AtMost => format!("≤ {}", thousands(tokens)),
    }
}

/// In requests of their own, what counts is the largest of them.
fn window_text(tokens: u64, totals: &Totals) -> String {
    let share = |window: u64| percent(tokens as f64 / window as f64);
    totals.context_window.filter(|_| totals.requests <= 1).map_or_else(String::new, share)
}

pub(crate) fn cost_text(cost: Option<f64>) -> String {
    cost.map_or_else(|| "unknown".to_owned(), dollars)
}

pub(crate) fn routes_text(entry: &KindTotals) -> String {
    let used = ROUTES.iter().zip(entry.routes).filter(|(_, count)| *count > 0);
    match used.map(|(route, _)| Route::as_str(*route)).collect::<Vec<_>>().as_slice() {
        [only] => (*only).to_owned(),
        [] => String::new(),
        _ => "mixed".to_owned(),
    }
}

/// The model's name without the word that all of them share.
fn short_model(rules: &RuleSet<'_>) -> String {
    let name = &rules.key.model;
    keep_end(name.strip_prefix("gemini-").unwrap_or(name), 17)
}

pub(super) fn rule_text(rules: &RuleSet<'_>, models: usize) -> String {
    let service = rules.key.service.as_str();
    let meter = rules.row.meter.as_str();
    let on = rules.key.date;
    let row = if models > 1 { format!(" · row {}", rules.row.id) } else { String::new() };
    let batch = if rules.billing() == Billing::Batch { " · batch" } else { "" };
    format!("model {} · {service} · {meter} · on {on}{batch}{row}", rules.key.model)
}
