//! Four writers over the same rows and totals, none with arithmetic of its own.

mod csv;
mod fit;
mod json;
mod table;

use std::io;

use mediaprep::tokens::Date;
use mediaprep::{RuleSet, Totals};

use crate::args::{Format, ViewArgs};
use crate::item::Row;
use crate::output::Output;
pub(crate) use fit::FitReport;
pub(crate) use json::{Document, without_items};
pub(crate) use table::{cost_text, facts_text, plural, routes_text, tokens_text, units_text};

/// What a report is about.
pub(crate) struct Head<'a> {
    /// `budget` or `probe`.
    pub(crate) command: &'static str,
    /// The rules, the main one first; none for a probe.
    pub(crate) rules: &'a [RuleSet<'a>],
    /// The day of the request; none for a probe.
    pub(crate) on: Option<Date>,
}

/// How everything ended.
pub(crate) struct Summary {
    /// Files in folders that are no media.
    pub(crate) skipped: u64,
    /// Inputs that were media or should have been.
    pub(crate) items: u64,
    /// Inputs that failed.
    pub(crate) failed: u64,
    /// The sums by rule, in the head's order; none for a probe.
    pub(crate) totals: Vec<Totals>,
}

/// Takes rows as they become ready, in order.
pub(crate) trait Sink {
    /// Before the first row.
    fn begin(&mut self, head: &Head<'_>, output: &mut Output<'_>) -> io::Result<()>;
    /// One row.
    fn row(&mut self, row: &Row<'_>, output: &mut Output<'_>) -> io::Result<()>;
    /// After the last row.
    fn end(
        &mut self,
        head: &Head<'_>,
        summary: &Summary,
        output: &mut Output<'_>,
    ) -> io::Result<()>;
}

/// The writer of a format.
pub(crate) fn sink(format: Format, view: Option<&ViewArgs>) -> Box<dyn Sink> {
    match (format, view) {
        (Format::Json, _) => Box::new(json::Json::default()),
        (Format::Ndjson, _) => Box::new(json::NdJson),
        (Format::Csv, _) => Box::new(csv::Csv),
        (Format::Table, Some(view)) => Box::new(table::BudgetTable::new(view)),
        (Format::Table, None) => Box::new(table::ProbeTable::default()),
    }
}
