//! What `models ID` says beside rules and prices: the ranges of parameters, and how what was
//! measured compares with the rules.

use std::io;

use mediaprep::tokens::{Measured, RealRange, RuleBook, SamplingRow, TopK, WholeRange};

use crate::output::Output;

/// One row of ranges.
pub(super) fn print_sampling(row: &SamplingRow, output: &mut Output<'_>) -> io::Result<()> {
    let mut fields = Vec::new();
    fields.extend(row.temperature.map(|range| format!("temperature {}", real(range))));
    fields.extend(row.top_p.map(|range| format!("topP {}", real(range))));
    fields.extend(row.top_k.map(|rule| match rule {
        TopK::Range(range) => format!("topK {}", whole(range)),
        TopK::Fixed { value, .. } => format!("topK {value} alone"),
        TopK::NotSupported { .. } => "no topK".to_owned(),
    }));
    fields.extend(row.candidate_count.map(|range| format!("candidateCount {}", whole(range))));
    fields.extend(row.max_output_tokens.map(|range| format!("maxOutputTokens {}", whole(range))));
    fields.extend(row.stop_sequences.map(|stop| format!("stopSequences up to {}", stop.max)));
    writeln!(output.data, "  parameters {}: {}", row.id, fields.join(" · "))
}

fn real(range: RealRange) -> String {
    let default = range.default.map_or(String::new(), |value| format!(" (default {value})"));
    format!("{} to {}{default}", range.min, range.max)
}

fn whole(range: WholeRange) -> String {
    let default = range.default.map_or(String::new(), |value| format!(" (default {value})"));
    match range.max {
        Some(max) => format!("{} to {max}{default}", range.min),
        None => format!("from {}{default}", range.min),
    }
}

/// What was measured of a model, held against the rules: how much agrees, and what does not.
pub(super) fn print_measured(
    book: &RuleBook,
    model: &str,
    output: &mut Output<'_>,
) -> io::Result<()> {
    let of_model: Vec<&Measured> =
        book.measured().iter().filter(|row| row.model == model).collect();
    if of_model.is_empty() {
        return Ok(());
    }
    let compared = of_model.iter().filter_map(|row| {
        let (theirs, ours) = (row.media_tokens()?, row.by_rules(book)?);
        Some((row, theirs, ours))
    });
    let compared: Vec<_> = compared.collect();
    let agree = compared.iter().filter(|(_, theirs, ours)| theirs == ours).count();
    writeln!(
        output.data,
        "  measured: {} rows, {} comparable, {agree} agree",
        of_model.len(),
        compared.len()
    )?;
    for (row, theirs, ours) in compared.iter().filter(|(_, theirs, ours)| theirs != ours) {
        let (meter, on, request) = (row.meter.as_str(), row.on, &row.request);
        writeln!(
            output.data,
            "    {theirs} measured, {ours} by rule · {meter} · {on} · {request}"
        )?;
    }
    Ok(())
}
