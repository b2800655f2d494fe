//! What the service says a request cost, beside our own count.

use std::collections::BTreeMap;

use mediaprep::media::Modality;
use mediaprep::parts::{ApiModality, UsageMetadata};
use mediaprep::tokens::estimate_text;
use mediaprep::{Charge, Totals};
use serde::Serialize;

use crate::text::thousands;

/// Our count of a request's input, by the words that the service reports it under.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Tokens by modality.
    pub(crate) by: BTreeMap<&'static str, u64>,
    /// Whether the text is an estimate.
    pub(crate) text_is_estimate: bool,
}

impl Expected {
    /// Adds the parts of one item.
    pub(crate) fn add_charges<'a>(&mut self, charges: impl IntoIterator<Item = &'a Charge>) {
        for charge in charges {
            let counts = [Some(&charge.count.media), charge.count.soundtrack.as_ref()];
            for count in counts.into_iter().flatten() {
                *self.by.entry(word(count.reported_as)).or_default() += count.tokens;
            }
        }
    }

    /// Adds text of so many characters, and what the service adds to every request.
    pub(crate) fn add_text(&mut self, characters: u64, extra: u64) {
        let text = estimate_text(characters).tokens + extra;
        if text > 0 {
            *self.by.entry(word(Modality::Text)).or_default() += text;
            self.text_is_estimate |= characters > 0;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.by.values().sum()
    }
}

/// What a request adds beside its items and texts.
pub(crate) fn request_extra(totals: &Totals, characters: u64) -> u64 {
    totals.tokens.text.saturating_sub(estimate_text(characters).tokens)
}

const fn word(modality: Modality) -> &'static str {
    match modality {
        Modality::Text => "TEXT",
        Modality::Image => "IMAGE",
        Modality::Video => "VIDEO",
        Modality::Audio => "AUDIO",
        Modality::Document => "DOCUMENT",
    }
}

/// Both counts side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Comparison {
    /// One row for each modality that either side has.
    pub(crate) by: BTreeMap<String, Pair>,
    /// All input.
    pub(crate) prompt: Pair,
    /// What was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<u64>,
    /// What was thought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thoughts: Option<u64>,
    /// How much of the input came from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cached: Option<u64>,
}

/// One number of each side; `None` where the service does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Pair {
    pub(crate) service: Option<u64>,
    pub(crate) ours: u64,
}

impl Comparison {
    /// Compares with what an answer reports.
    pub(crate) fn of_usage(usage: &UsageMetadata, ours: &Expected) -> Self {
        let mut comparison = Self::new(usage.prompt_token_count, &usage.prompt_by_modality(), ours);
        comparison.answer = usage.candidates_token_count;
        comparison.thoughts = usage.thoughts_token_count;
        comparison.cached = usage.cached_content_token_count;
        comparison
    }

    /// Compares with a count.
    pub(crate) fn new(
        total: Option<u64>,
        service: &BTreeMap<ApiModality, u64>,
        ours: &Expected,
    ) -> Self {
        let mut by: BTreeMap<String, Pair> = BTreeMap::new();
        // A modality that is left out is nothing, but only where the service splits its count.
        let nothing = (!service.is_empty()).then_some(0);
        for (modality, tokens) in ours.by.iter().filter(|(_, tokens)| **tokens > 0) {
            by.insert((*modality).to_owned(), Pair { service: nothing, ours: *tokens });
        }
        for (modality, tokens) in service {
            by.entry(modality.as_str().to_owned()).or_default().service = Some(*tokens);
        }
        let prompt = Pair { service: total, ours: ours.total() };
        Self { by, prompt, answer: None, thoughts: None, cached: None }
    }

    /// Whether both sides have the same media; the text is an estimate.
    pub(crate) fn media_agree(&self) -> bool {
        let mut media = self.by.iter().filter(|(modality, _)| *modality != "TEXT");
        media.all(|(_, pair)| pair.service.is_none_or(|service| service == pair.ours))
    }

    /// The comparison as lines of a table.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![row("", "service", "ours", "difference")];
        for (modality, pair) in &self.by {
            lines.push(pair.line(&modality.to_lowercase()));
        }
        lines.push(self.prompt.line("prompt"));
        let alone = [("answer", self.answer), ("thoughts", self.thoughts), ("cached", self.cached)];
        for (name, tokens) in alone {
            lines.extend(tokens.map(|tokens| row(name, &thousands(tokens), "", "")));
        }
        lines
    }
}

impl Pair {
    /// What the service has more than we.
    pub(crate) fn difference(self) -> Option<i128> {
        Some(i128::from(self.service?) - i128::from(self.ours))
    }

    fn line(self, name: &str) -> String {
        let service = self.service.map_or_else(|| "unknown".to_owned(), thousands);
        let difference = self.difference().map_or_else(String::new, signed);
        row(name, &service, &thousands(self.ours), &difference)
    }
}

/// `+2`, `-1`, `0`.
pub(crate) fn signed(number: i128) -> String {
    let digits = thousands(u64::try_from(number.unsigned_abs()).unwrap_or(u64::MAX));
    match number {
        0 => digits,
        1.. => format!("+{digits}"),
        _ => format!("-{digits}"),
    }
}

fn row(name: &str, service: &str, ours: &str, difference: &str) -> String {
    format!(" {name:<10}{service:>12}{ours:>12}{difference:>12}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_stand_side_by_side() {
        let usage: UsageMetadata = serde_json::from_value(serde_json::json!({
            "promptTokenCount": 1102, "candidatesTokenCount": 5, "thoughtsTokenCount": 7,
            "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 1092},
                {"modality": "TEXT", "tokenCount": 10}],
        }))
        .unwrap();
        let ours = Expected {
            by: [("IMAGE", 1100), ("TEXT", 9), ("AUDIO", 3)].into(),
            text_is_estimate: true,
        };
        let comparison = Comparison::of_usage(&usage, &ours);
        assert!(!comparison.media_agree());
        assert_eq!(
            comparison.lines(),
            [
                "                service        ours  difference",
                " audio                0           3          -3",
                " image            1,092       1,100          -8",
                " text                10           9          +1",
                " prompt           1,102       1,112         -10",
                " answer               5",
                " thoughts             7",
            ]
        );
    }

    #[test]
    fn a_service_that_does_not_split_is_no_difference() {
        let ours = Expected { by: [("IMAGE", 258)].into(), text_is_estimate: false };
        let comparison = Comparison::new(Some(258), &BTreeMap::new(), &ours);
        assert!(comparison.media_agree());
        assert_eq!(comparison.prompt.difference(), Some(0));
    }
}
