//! A fit: what each file costs before and after, and what was given up.

use std::io;

use mediaprep::{Fit, FitItem, FitOptions};

use super::table::{cost_text, outcome_text, rule_text};
use super::{Head, Summary, csv, json};
use crate::args::Format;
use crate::fitted::{FittedTotals, lost, share, words};
use crate::item::{Row, dollars};
use crate::output::Output;
use crate::text::{percent, printable, thousands};

/// A fit with the items as they are budgeted under it.
pub(crate) struct FitReport<'a> {
    pub(crate) head: &'a Head<'a>,
    pub(crate) summary: &'a Summary,
    pub(crate) fit: &'a Fit,
    pub(crate) budget: &'a FitOptions,
    /// Each item with what was decided about it; `None` for a copy of another item.
    pub(crate) rows: &'a [(Row<'a>, Option<&'a FitItem>)],
}

impl<'a> FitReport<'a> {
    pub(super) fn totals(&self) -> FittedTotals<'a> {
        FittedTotals::new(self.fit, self.budget)
    }

    /// Writes everything in a format.
    ///
    /// # Errors
    ///
    /// What writing gives.
    pub(crate) fn write(&self, format: Format, output: &mut Output<'_>) -> io::Result<()> {
        match format {
            Format::Table => self.write_table(output),
            Format::Json => json::write_fit(self, output),
            Format::Ndjson => json::write_fit_lines(self, output),
            Format::Csv => csv::write_fit(self, output),
        }
    }

    fn write_table(&self, output: &mut Output<'_>) -> io::Result<()> {
        let title = line("kind", ["before", "after", "kept"], "file");
        writeln!(output.data, "{}", output.bold(&title))?;
        let decided = self.rows.iter().filter_map(|(row, item)| Some((row, (*item)?)));
        for (row, item) in decided.filter(|(_, item)| item.failure.is_none()) {
            let kind = item.modality.map_or("", |modality| modality.as_str());
            let quality = percent(1.0 - share(item.loss));
            let cells = [&thousands(item.tokens_before), &thousands(item.tokens), &quality];
            writeln!(output.data, "{}", line(kind, cells.map(String::as_str), &name(row)))?;
            let given_up: Vec<String> = item.given_up.iter().map(words).collect();
            if !given_up.is_empty() {
                writeln!(output.data, "             {}", given_up.join(" · "))?;
            }
        }
        let fit = self.fit;
        let cells = [&thousands(fit.tokens_before), &thousands(fit.tokens), &String::new()];
        let total = line("total", cells.map(String::as_str), &self.goal());
        writeln!(output.data, "{}", output.bold(total.trim_end()))?;
        writeln!(output.data, " {}", lost(self.fit))?;
        let Some(rules) = self.head.rules.first() else { return Ok(()) };
        let outcome = outcome_text(self.summary, fit.totals.failed);
        writeln!(output.data, " {}  |  {outcome}", rule_text(rules, 1))
    }

    /// What everything costs, and the budget.
    fn goal(&self) -> String {
        let fit = self.fit;
        let [before, after] = [fit.cost_before, fit.cost].map(|c| cost_text(c.map(dollars)));
        let tokens = self.budget.max_tokens.map(|most| format!("{} tokens", thousands(most)));
        let money = self.budget.max_cost.map(|most| most.to_string());
        let budget: Vec<String> = tokens.into_iter().chain(money).collect();
        format!("{before} → {after}, at most {}", budget.join(" and "))
    }
}

fn line(kind: &str, [before, after, kept]: [&str; 3], file: &str) -> String {
    format!(" {kind:<9}{before:>12} {after:>12} {kept:>8}  {file}")
}

fn name(row: &Row<'_>) -> String {
    printable(row.path())
}
