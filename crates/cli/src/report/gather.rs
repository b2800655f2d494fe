//! From counted rows to the page: the dearest rows, the folders, and what is to be said.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use mediaprep::media::{Modality, Warning};
use mediaprep::tokens::{Billing, Bound, Cost, Evidence, Tiling};
use mediaprep::{Instants, KindTotals, MediaInfo, Planner, Probed, RuleSet, Totals};

use super::folders::{Folders, ratio, share};
use super::model::{Fact, Kind, Model, Notice, Notices, Page, Row as PageRow, Window};
use super::{LONGEST_TEXT, MOST_NOTICES, MOST_ROWS};
use crate::item::{ErrorRow, Row, dollars};
use crate::text::{keep_end, percent, printable, thousands};
use crate::write::{
    Head, Summary, cost_text, facts_text, plural, routes_text, tokens_text, units_text,
    without_items,
};

/// The kinds in the order of the page; text is what no file causes.
const KINDS: [Modality; 5] =
    [Modality::Image, Modality::Video, Modality::Audio, Modality::Document, Modality::Text];

/// Compared models that have a column of their own among the files; all have a line of sums.
const MOST_COLUMNS: usize = 3;

/// Everything that the page needs of the rows, cut while they come, so that memory does not grow
/// with them.
#[derive(Default)]
pub(crate) struct Gather {
    /// How many rows have come.
    seen: u64,
    /// The dearest, and of equal ones the first.
    dearest: BTreeMap<(Reverse<u64>, u64), Told>,
    /// Tokens of all rows.
    tokens: u64,
    folders: Folders,
    failures: Vec<Notice>,
    failed: u64,
    warnings: BTreeMap<&'static str, (u64, Vec<Notice>)>,
}

/// One row with what the page may say about it.
pub(crate) struct Told {
    pub(super) name: String,
    /// The name as the input has it.
    pub(super) path: String,
    pub(super) tokens: Option<(u64, Bound)>,
    pub(super) cost: Option<Cost>,
    pub(super) probed: Box<Probed>,
    pub(super) tiling: Option<Tiling>,
    pub(super) instants: Option<Instants>,
    /// The arithmetic in words.
    pub(super) how: Vec<String>,
    compared: Vec<Option<(u64, Bound)>>,
    sent_as: &'static str,
    evidence: Option<Evidence>,
    note: Option<String>,
}

impl Gather {
    /// Takes one row.
    pub(crate) fn take(&mut self, row: &Row<'_>, planner: Option<&Planner<'_>>) {
        let place = self.seen;
        self.seen += 1;
        if row.failed() {
            self.failed += 1;
            if self.failures.len() < MOST_NOTICES {
                self.failures.extend(row.error_row().map(|error| failure(row, error)));
            }
        }
        for warning in row.warnings() {
            self.warn(row.path(), warning);
        }
        let Some(probed) = row.probed() else { return };
        let charge = row.charge();
        if charge.is_none() && row.item.copy_of.is_none() {
            return;
        }
        let tokens = charge.map_or(0, |charge| charge.tokens.total);
        if let Some(charge) = charge {
            self.folders.add(row.path(), charge.tokens.total);
            self.tokens = self.tokens.saturating_add(charge.tokens.total);
        }
        let key = (Reverse(tokens), place);
        let is_dear = self.dearest.last_key_value().is_none_or(|(last, _)| key < *last);
        if is_dear || self.dearest.len() < MOST_ROWS {
            self.dearest.insert(key, told(row, probed, planner));
        }
        if self.dearest.len() > MOST_ROWS {
            self.dearest.pop_last();
        }
    }

    fn warn(&mut self, about: &str, warning: &Warning) {
        let (count, notices) = self.warnings.entry(warning.code.as_str()).or_default();
        *count += 1;
        if notices.len() < MOST_NOTICES {
            notices.push(notice(about, warning));
        }
    }

    /// The page without its pictures, and the rows in the order of the page.
    ///
    /// # Errors
    ///
    /// When the sums cannot be written as JSON.
    pub(crate) fn page(
        mut self,
        head: &Head<'_>,
        summary: &Summary,
    ) -> serde_json::Result<(Page, Vec<Told>)> {
        for (rules, totals) in head.rules.iter().zip(&summary.totals) {
            self.add_request(&rules.key.model, totals);
        }
        let main = summary.totals.first();
        let all = main.map_or(0, |totals| totals.tokens.total);
        let used = used(&summary.totals);
        let with_sums = head.rules.iter().zip(&summary.totals);
        let models = with_sums.map(|(rules, totals)| model(rules, totals, &used)).collect();
        let kinds = main.map(|totals| kinds(totals, &used)).unwrap_or_default();
        let rows_note = self.rows_note(summary);
        let compared: Vec<_> = head.rules.iter().skip(1).map(|r| r.key.model.clone()).collect();
        let columns = if compared.len() <= MOST_COLUMNS { compared } else { Vec::new() };
        let dearest = self.dearest.first_key_value().map_or(0, |((tokens, _), _)| tokens.0);
        let row = |((tokens, place), told): (&(Reverse<u64>, u64), &Told)| {
            page_row(told, (*place, tokens.0, dearest), columns.len())
        };
        let page = Page {
            title: format!("{} tokens · {}", thousands(all), model_name(head)),
            tokens: all,
            data: without_items(head, summary)?,
            models,
            outcome: outcome(summary),
            kinds,
            folders: self.folders.tree(all),
            cards: Vec::new(),
            cards_note: None,
            rows: self.dearest.iter().map(row).collect(),
            columns,
            rows_note,
            failures_note: more(self.failed, self.failures.len()),
            failures: self.failures,
            warnings: self.warnings.into_iter().map(notices).collect(),
        };
        Ok((page, self.dearest.into_values().collect()))
    }

    /// What there is to say about whole requests.
    fn add_request(&mut self, model: &str, totals: &Totals) {
        for breach in &totals.errors {
            self.failed += 1;
            self.failures.push(notice(model, breach));
        }
        for warning in &totals.warnings {
            self.warn(model, warning);
        }
    }

    fn rows_note(&self, summary: &Summary) -> Option<String> {
        let listed: u64 = self.dearest.keys().map(|(tokens, _)| tokens.0).sum();
        let counted: u64 = summary.totals.first().map_or(0, |totals| {
            totals.kinds.iter().map(|kind| kind.files).sum::<u64>() + totals.copies
        });
        let left_out = counted.saturating_sub(self.dearest.len() as u64);
        let tokens = thousands(self.tokens.saturating_sub(listed));
        let text = || {
            format!(
                "The {} dearest files are listed; {} with {tokens} tokens are not. The sums are \
                 those of all.",
                thousands(self.dearest.len() as u64),
                plural(left_out, "more file"),
            )
        };
        (left_out > 0).then(text)
    }
}

fn model_name<'a>(head: &'a Head<'_>) -> &'a str {
    head.rules.first().map_or("", |rules| rules.key.model.as_str())
}

fn told(row: &Row<'_>, probed: &Probed, planner: Option<&Planner<'_>>) -> Told {
    let charge = row.charge();
    let asked = planner.zip(charge);
    let tokens = charge.map(|charge| (charge.tokens.total, charge.bound));
    let others = row.item.charges.iter().skip(1).map(|charge| charge.as_ref().ok());
    let copy = row.item.copy_of.as_deref().map(|first| format!("copy of {}", shown(first)));
    let refused = || (!row.breaches().is_empty()).then(|| "would be refused".to_owned());
    Told {
        name: shown(row.path()),
        path: row.path().to_owned(),
        tokens,
        cost: charge.and_then(|charge| charge.cost),
        probed: Box::new(probed.clone()),
        tiling: asked.and_then(|(planner, charge)| planner.tiling(probed, charge)),
        instants: asked.and_then(|(planner, charge)| planner.instants(probed, charge)),
        how: asked.map(|(planner, charge)| planner.explain(probed, charge)).unwrap_or_default(),
        compared: others.map(|c| c.map(|c| (c.tokens.total, c.bound))).collect(),
        sent_as: charge.map_or("", |charge| charge.route.as_str()),
        evidence: charge.map(|charge| charge.evidence),
        note: copy.or_else(refused),
    }
}

/// A name or message without anything that could drive a terminal or fill the page.
pub(super) fn shown(text: &str) -> String {
    keep_end(&printable(text), LONGEST_TEXT)
}

fn page_row(told: &Told, (place, tokens, dearest): (u64, u64, u64), columns: usize) -> PageRow {
    let text = |tokens: Option<(u64, Bound)>| {
        tokens.map_or_else(|| "–".to_owned(), |(tokens, bound)| tokens_text(tokens, bound))
    };
    let compared = told.compared.iter().take(columns);
    let cost = || cost_text(told.cost.map(dollars));
    PageRow {
        place,
        name: told.name.clone(),
        kind: told.probed.info.modality().as_str(),
        facts: facts_text(&told.probed.info),
        tokens: text(told.tokens),
        tokens_exact: tokens,
        cost: told.tokens.map_or_else(|| "–".to_owned(), |_| cost()),
        cost_exact: told.cost.map_or(0, billionths),
        sent_as: told.sent_as,
        evidence: told.evidence.map_or("", Evidence::as_str),
        bar: share(tokens, dearest),
        compared: compared.map(|tokens| text(*tokens)).collect(),
        note: told.note.clone(),
    }
}

/// What costs are sorted by.
fn billionths(cost: Cost) -> u128 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates")]
    #[expect(clippy::cast_sign_loss, reason = "costs are not below 0")]
    let billionths = (dollars(cost) * 1e9).round() as u128;
    billionths
}

fn failure(row: &Row<'_>, error: ErrorRow<'_>) -> Notice {
    Notice {
        about: shown(row.path()),
        message: shown(&format!("{}: {}", error.stage, error.message)),
        hint: error.hint.map(shown),
    }
}

fn notice(about: &str, warning: &Warning) -> Notice {
    let hint = warning.hint.as_deref().map(shown);
    Notice { about: shown(about), message: shown(&warning.message), hint }
}

fn notices((code, (count, notices)): (&'static str, (u64, Vec<Notice>))) -> Notices {
    let left_out = more(count, notices.len());
    Notices { code, count: thousands(count), notices, left_out }
}

/// How many are not listed.
fn more(all: u64, listed: usize) -> Option<String> {
    let left_out = all.saturating_sub(listed as u64);
    (left_out > 0).then(|| format!("{} more are not listed", thousands(left_out)))
}

fn model(rules: &RuleSet<'_>, totals: &Totals, used: &[Modality]) -> Model {
    let text = |e: &KindTotals| tokens_text(e.tokens, e.bound.unwrap_or(Bound::Exact));
    let tokens = |kind: &Modality| match totals.kind(*kind) {
        Some(entry) if entry.files == 0 => "–".to_owned(),
        Some(entry) => text(entry),
        None => thousands(beside(totals)),
    };
    let window = |size: u64| Window {
        share: totals.window_share().map(percent).unwrap_or_default(),
        filled: share(totals.largest_request, size),
        size: thousands(size),
        fits: totals.fits().unwrap_or(true),
    };
    Model {
        name: rules.key.model.clone(),
        service: rules.key.service.as_str(),
        meter: rules.row.meter.as_str(),
        on: rules.key.date.to_string(),
        row: rules.row.id.clone(),
        batch: rules.billing() == Billing::Batch,
        tokens: tokens_text(totals.tokens.total, totals.bound),
        cost: cost_text(totals.cost.map(dollars)),
        window: totals.context_window.map(window),
        evidence: totals.evidence.map_or("nothing counted", Evidence::as_str),
        requests: totals.requests,
        failed: totals.failed,
        kinds: used.iter().map(tokens).collect(),
    }
}

/// Tokens that no file causes: the prompt, and what the request itself costs.
fn beside(totals: &Totals) -> u64 {
    let of_files: u64 = totals.kinds.iter().map(|kind| kind.tokens).sum();
    totals.tokens.total.saturating_sub(of_files)
}

/// The kinds that some model counts, and text where it costs something.
fn used(all: &[Totals]) -> Vec<Modality> {
    let is_used = |kind: &Modality| {
        all.iter().any(|totals| match totals.kind(*kind) {
            Some(entry) => entry.files > 0,
            None => beside(totals) > 0,
        })
    };
    KINDS.into_iter().filter(is_used).collect()
}

fn kinds(totals: &Totals, used: &[Modality]) -> Vec<Kind> {
    used.iter().map(|kind| kind_sums(totals, *kind)).collect()
}

fn kind_sums(totals: &Totals, kind: Modality) -> Kind {
    let all = totals.tokens.total;
    let text = Kind {
        kind: kind.as_str(),
        files: "–".to_owned(),
        units: "prompt, request".to_owned(),
        tokens: thousands(beside(totals)),
        cost: "–".to_owned(),
        sent_as: String::new(),
        evidence: "",
        share: share(beside(totals), all),
        percent: percent(ratio(beside(totals), all)),
    };
    let Some(entry) = totals.kind(kind) else { return text };
    Kind {
        files: thousands(entry.files),
        units: if entry.files == 0 { "–".to_owned() } else { units_text(kind, entry) },
        tokens: tokens_text(entry.tokens, entry.bound.unwrap_or(Bound::Exact)),
        cost: cost_text(entry.cost.map(dollars)),
        sent_as: routes_text(entry),
        evidence: entry.evidence.map_or("", Evidence::as_str),
        share: share(entry.tokens, all),
        percent: percent(ratio(entry.tokens, all)),
        ..text
    }
}

fn outcome(summary: &Summary) -> Vec<Fact> {
    let copies = summary.totals.first().map_or(0, |totals| totals.copies);
    let failed = summary.totals.first().map_or(summary.failed, |totals| totals.failed);
    let fact = |name, value: u64, bad| Fact { name, value: thousands(value), bad };
    vec![
        fact("files", summary.items, false),
        fact("failed", failed, failed > 0),
        fact("copies", copies, false),
        fact("skipped, no media", summary.skipped, false),
    ]
}

impl Told {
    pub(super) const fn kind(&self) -> &'static str {
        self.probed.info.modality().as_str()
    }

    pub(super) fn facts(&self) -> String {
        facts_text(&self.probed.info)
    }

    pub(super) const fn is_image(&self) -> bool {
        matches!(self.probed.info, MediaInfo::Image(_))
    }
}
