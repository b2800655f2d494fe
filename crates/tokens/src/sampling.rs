//! The sampling parameters that a model takes, with their ranges (section 5 of the limits).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::count::Evidence;
use crate::key::{Date, Service};
use crate::load::LoadError;

/// A range of real numbers, both ends allowed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RealRange {
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// What holds when nothing is sent; `None` where it is not published.
    pub default: Option<f64>,
    /// What the figures rest on.
    pub evidence: Evidence,
}

/// A range of whole numbers, both ends allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WholeRange {
    /// The smallest value.
    pub min: i64,
    /// The largest value; `None` where none is published.
    pub max: Option<i64>,
    /// What holds when nothing is sent; `None` where it is not published.
    pub default: Option<i64>,
    /// What the figures rest on.
    pub evidence: Evidence,
}

/// How a model takes `topK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum TopK {
    /// Any value of a range.
    Range(WholeRange),
    /// One value only.
    Fixed {
        /// The value.
        value: i64,
        /// What it rests on.
        evidence: Evidence,
    },
    /// Not at all.
    NotSupported {
        /// What this rests on.
        evidence: Evidence,
    },
}

/// How many stop sequences a request may have. Output ends at the first hit; case matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StopSequences {
    /// At most so many.
    pub max: u64,
    /// What the figure rests on.
    pub evidence: Evidence,
}

/// The sampling parameters of a set of models. A field that is absent is not published, and its
/// parameter is passed through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SamplingRow {
    /// The row's name.
    pub id: String,
    /// Families of models.
    #[serde(default)]
    pub families: Vec<String>,
    /// Exact models; a row that names the model wins over one that names its family.
    #[serde(default)]
    pub models: Vec<String>,
    /// The services.
    pub service: Vec<Service>,
    /// First day.
    pub since: Date,
    /// Last day.
    pub until: Option<Date>,
    /// `temperature`.
    pub temperature: Option<RealRange>,
    /// `topP`.
    pub top_p: Option<RealRange>,
    /// `topK`.
    pub top_k: Option<TopK>,
    /// `candidateCount`.
    pub candidate_count: Option<WholeRange>,
    /// `maxOutputTokens`, where it differs from the output window of the model.
    pub max_output_tokens: Option<WholeRange>,
    /// `stopSequences`.
    pub stop_sequences: Option<StopSequences>,
    /// Values and what becomes of them; a test replays each.
    #[serde(default)]
    pub known: Vec<KnownSampling>,
    /// Where the figures come from.
    pub sources: Vec<String>,
    /// What else should be known.
    pub note: Option<String>,
}

/// Values of sampling parameters; `None` leaves one out of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SamplingValues {
    /// `temperature`.
    pub temperature: Option<f64>,
    /// `topP`.
    pub top_p: Option<f64>,
    /// `topK`.
    pub top_k: Option<i64>,
    /// `candidateCount`.
    pub candidate_count: Option<i64>,
    /// `maxOutputTokens`.
    pub max_output_tokens: Option<i64>,
    /// How many `stopSequences` there are.
    pub stop_sequences: u64,
}

/// Values and the parameter that is refused among them, if any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnownSampling {
    /// The values.
    pub values: SamplingValues,
    /// The parameter that is refused, by its name on the wire; `None` when all are taken.
    pub refused: Option<String>,
}

/// A sampling parameter has a value that the model does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter} of {found} is not taken by the model; allowed: {allowed}")]
pub struct OutOfRange {
    /// The parameter by its name on the wire, such as `topK`.
    pub parameter: &'static str,
    /// The value that was found.
    pub found: String,
    /// What would be allowed.
    pub allowed: String,
}

/// The sampling parameters of one model, on one service, on one day.
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'a> {
    /// The ranges.
    pub row: &'a SamplingRow,
    /// Most tokens out, of the model's window; `None` where none is published.
    pub output_window: Option<u64>,
}

impl Sampling<'_> {
    /// The range of `maxOutputTokens`: the row's own, else up to the model's output window.
    pub fn max_output_tokens(&self) -> Option<WholeRange> {
        let of_window = || {
            let max = i64::try_from(self.output_window?).unwrap_or(i64::MAX);
            let evidence = Evidence::Documented;
            Some(WholeRange { min: 1, max: Some(max), default: None, evidence })
        };
        self.row.max_output_tokens.or_else(of_window)
    }

    /// Holds values against the ranges, in the order of the fields of [`SamplingValues`].
    ///
    /// # Errors
    ///
    /// The first parameter that the model does not take.
    pub fn check(&self, values: &SamplingValues) -> Result<(), OutOfRange> {
        let row = self.row;
        check_real("temperature", row.temperature, values.temperature)?;
        check_real("topP", row.top_p, values.top_p)?;
        check_top_k(row.top_k, values.top_k)?;
        check_whole("candidateCount", row.candidate_count, values.candidate_count)?;
        check_whole("maxOutputTokens", self.max_output_tokens(), values.max_output_tokens)?;
        match row.stop_sequences {
            Some(limit) if values.stop_sequences > limit.max => {
                let allowed = format!("at most {}", limit.max);
                Err(out_of_range("stopSequences", values.stop_sequences, allowed))
            }
            _ => Ok(()),
        }
    }
}

fn out_of_range(parameter: &'static str, found: impl fmt::Display, allowed: String) -> OutOfRange {
    OutOfRange { parameter, found: found.to_string(), allowed }
}

fn check_real(
    parameter: &'static str,
    range: Option<RealRange>,
    value: Option<f64>,
) -> Result<(), OutOfRange> {
    let (Some(range), Some(found)) = (range, value) else { return Ok(()) };
    // What is not a number is in no range.
    if (range.min..=range.max).contains(&found) {
        return Ok(());
    }
    Err(out_of_range(parameter, found, format!("{} to {}", range.min, range.max)))
}

fn check_whole(
    parameter: &'static str,
    range: Option<WholeRange>,
    value: Option<i64>,
) -> Result<(), OutOfRange> {
    let (Some(range), Some(found)) = (range, value) else { return Ok(()) };
    if found >= range.min && range.max.is_none_or(|max| found <= max) {
        return Ok(());
    }
    let allowed = match range.max {
        Some(max) => format!("{} to {max}", range.min),
        None => format!("at least {}", range.min),
    };
    Err(out_of_range(parameter, found, allowed))
}

fn check_top_k(rule: Option<TopK>, value: Option<i64>) -> Result<(), OutOfRange> {
    let (Some(rule), Some(found)) = (rule, value) else { return Ok(()) };
    match rule {
        TopK::Range(range) => check_whole("topK", Some(range), value),
        TopK::Fixed { value, .. } if found == value => Ok(()),
        TopK::Fixed { value, .. } => Err(out_of_range("topK", found, format!("{value} alone"))),
        TopK::NotSupported { .. } => Err(out_of_range("topK", found, "none".to_owned())),
    }
}

/// Refuses a row whose ranges contradict themselves, or that has nothing to prove it by.
pub(crate) fn check_row(row: &SamplingRow) -> Result<(), LoadError> {
    let whole = |range: WholeRange| {
        let above = |value: i64| range.max.is_none_or(|max| value <= max);
        above(range.min) && range.default.is_none_or(|value| value >= range.min && above(value))
    };
    let real = |range: RealRange| {
        let default = range.default.unwrap_or(range.min);
        range.min.is_finite() && range.max.is_finite() && (range.min..=range.max).contains(&default)
    };
    let top_k = match row.top_k {
        Some(TopK::Range(range)) => Some(range),
        _ => None,
    };
    for (field, holds) in [
        ("temperature", row.temperature.is_none_or(real)),
        ("top-p", row.top_p.is_none_or(real)),
        ("top-k", top_k.is_none_or(whole)),
        ("candidate-count", row.candidate_count.is_none_or(whole)),
        ("max-output-tokens", row.max_output_tokens.is_none_or(whole)),
    ] {
        if !holds {
            return Err(invalid(
                row,
                format!("`{field}` holds no value, or its default is outside"),
            ));
        }
    }
    if row.known.is_empty() {
        return Err(LoadError::NoKnownAnswer { row: row.id.clone() });
    }
    row.known.iter().try_for_each(|known| known.replay(row))
}

impl KnownSampling {
    /// Checks the values under `row`, without the window of any model, and compares.
    fn replay(&self, row: &SamplingRow) -> Result<(), LoadError> {
        let checked = Sampling { row, output_window: None }.check(&self.values);
        let refused = checked.as_ref().err().map(|error| error.parameter);
        if refused == self.refused.as_deref() {
            return Ok(());
        }
        let got = checked.map_or_else(|error| error.to_string(), |()| "taken".to_owned());
        let wanted = self.refused.as_deref().unwrap_or("nothing");
        Err(invalid(row, format!("its known values are {got}, and {wanted} should be refused")))
    }
}

fn invalid(row: &SamplingRow, reason: String) -> LoadError {
    LoadError::Invalid { row: row.id.clone(), reason }
}
