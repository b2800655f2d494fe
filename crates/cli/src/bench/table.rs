//! A run and its comparison as a table.

use std::io;

use super::compare::Comparison;
use super::machine::Machine;
use super::record::{Found, Middle, Record};
use super::statistics::Ratio;
use crate::output::Output;
use crate::text::{self, thousands};

/// Writes a run, and how it compares.
///
/// # Errors
///
/// What writing gives.
pub(crate) fn write_table(
    record: &Record,
    comparison: Option<&Comparison>,
    output: &mut Output<'_>,
) -> io::Result<()> {
    let cells = ["files", "wall", "±", "CPU", "files/s", "MB/s", "units/s", "share", "peak MB"];
    let title = line("stage", cells.map(str::to_owned));
    writeln!(output.data, "{}", output.bold(&title))?;
    for found in record.found() {
        writeln!(output.data, "{}", row(&found))?;
    }
    if let Some(comparison) = comparison {
        write_comparison(comparison, output)?;
    }
    write_foot(record, output)
}

fn line(
    name: &str,
    [files, wall, spread, cpu, rate, bytes, units, share, peak]: [String; 9],
) -> String {
    format!(
        " {name:<7}{files:>7} {wall:>9} {spread:>5} {cpu:>9} {rate:>8} {bytes:>7} {units:>13} \
         {share:>6} {peak:>7}"
    )
}

fn row(found: &Found<'_>) -> String {
    let peak = found.peak_bytes.map_or("?".to_owned(), |bytes| thousands(bytes / 1_000_000));
    let cells = [
        thousands(found.stage.files),
        time(found.wall.median),
        spread(found.wall),
        time(found.cpu.median),
        short(found.files_per_s),
        short(found.bytes_per_s / 1e6),
        found.stage.unit.rate(found.units_per_s),
        format!("{:.1} %", found.share * 100.0),
        peak,
    ];
    line(&found.stage.name, cells)
}

/// How far the interval of a median goes to the farther side, as a share of it.
fn spread(middle: Middle) -> String {
    let Some(interval) = middle.interval.filter(|_| middle.median > 0.0) else {
        return String::new();
    };
    let farther = (interval.high - middle.median).max(middle.median - interval.low);
    format!("{:.0} %", farther / middle.median * 100.0)
}

fn write_comparison(comparison: &Comparison, output: &mut Output<'_>) -> io::Result<()> {
    let head = format!(" {:<9}{:>22} {:>22}  against the baseline", "stage", "CPU", "wall");
    writeln!(output.data, "{}", output.bold(&head))?;
    for stage in &comparison.stages {
        let (cpu, wall) = (ratio_text(stage.cpu), ratio_text(stage.wall));
        let loud = if stage.quiet { "" } else { " (by CPU time)" };
        let verdict = stage.verdict.as_str();
        writeln!(output.data, " {:<9}{cpu:>22} {wall:>22}  {verdict}{loud}", stage.name)?;
    }
    Ok(())
}

/// `1.02 (0.98 to 1.06)`.
fn ratio_text(ratio: Option<Ratio>) -> String {
    let text = |ratio: Ratio| format!("{:.2} ({:.2} to {:.2})", ratio.ratio, ratio.low, ratio.high);
    ratio.map_or("unknown".to_owned(), text)
}

fn write_foot(record: &Record, output: &mut Output<'_>) -> io::Result<()> {
    let (inputs, options) = (&record.inputs, &record.options);
    let Machine { cpu, cores, memory_bytes, os, version, features, profile, .. } = &record.machine;
    let rounds = record.stages.first().map_or(0, |stage| stage.samples.len());
    let confidence = record.found().first().and_then(|found| found.wall.interval);
    let confidence = confidence.map_or(0.0, |interval| interval.confidence * 100.0);
    let (files, bytes) = (thousands(inputs.files), text::bytes(inputs.bytes));
    let hash = inputs.hash.get(..12).unwrap_or(&inputs.hash);
    writeln!(
        output.data,
        " {files} files of {bytes}, {} not media, {} failed · medians of {rounds} rounds, ± of \
         {confidence:.0} %\n model {} · {} · threads {} · inputs {hash}",
        inputs.skipped,
        failed(record),
        options.model,
        options.service,
        options.threads,
    )?;
    let features = if features.is_empty() { "no features".to_owned() } else { features.join(" ") };
    let memory = text::bytes(*memory_bytes);
    writeln!(
        output.data,
        " {cpu}, {cores} cores, {memory}, {os}\n mediaprep {version}, {profile}, {features}"
    )
}

/// How many files failed in any stage.
fn failed(record: &Record) -> usize {
    let paths: std::collections::BTreeSet<&str> =
        record.errors.iter().map(|error| error.path.as_str()).collect();
    paths.len()
}

/// A time with three digits: `12.3 ms`.
fn time(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{} s", short(seconds))
    } else if seconds >= 1e-3 {
        format!("{} ms", short(seconds * 1e3))
    } else {
        format!("{} µs", short(seconds * 1e6))
    }
}

/// A number with about three digits, or with thousands' separators.
pub(super) fn short(number: f64) -> String {
    if number >= 1000.0 {
        #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates")]
        #[expect(clippy::cast_sign_loss, reason = "it is above 0")]
        let whole = number.round() as u64;
        thousands(whole)
    } else if number >= 99.95 {
        format!("{number:.0}")
    } else if number >= 9.995 {
        format!("{number:.1}")
    } else {
        format!("{number:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [0.123, 9.99, 9.996, 99.94, 99.96, 999.6, 12_345.6].map(short);
        assert_eq!(shown, ["0.12", "9.99", "10.0", "99.9", "100", "1000", "12,346"]);
        assert_eq!([1.5, 0.0123, 0.000_02].map(time), ["1.50 s", "12.3 ms", "20.0 µs"]);
    }
}
