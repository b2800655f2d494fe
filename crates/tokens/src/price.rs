//! Prices and costs, in whole numbers: micro-dollars per million tokens, and 10⁻¹² dollars.

use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::key::{Date, Service};

/// An amount of money in 10⁻¹² US dollars: tokens × micro-dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(pub u128);

const PICO: u128 = 1_000_000_000_000;

impl Cost {
    /// US dollars as a float, for printing only.
    pub fn as_dollars_f64(self) -> f64 {
        self.0 as f64 / PICO as f64
    }
}

impl fmt::Display for Cost {
    /// US dollars, exact, without trailing zeros but with at least two decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:012}", self.0 % PICO);
        let significant = decimals.trim_end_matches('0').len().max(2);
        write!(f, "${}.{}", self.0 / PICO, &decimals[..significant])
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// Tokens by the media that cause them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Written text.
    pub text: u64,
    /// Images.
    pub image: u64,
    /// Video frames.
    pub video: u64,
    /// Sound files and soundtracks.
    pub audio: u64,
    /// PDF pages, priced as images.
    pub document: u64,
    /// Answer and thinking.
    pub output: u64,
}

impl Usage {
    /// Tokens of the prompt, which decide the tier.
    pub fn prompt(&self) -> u64 {
        [self.text, self.image, self.video, self.audio, self.document]
            .iter()
            .fold(0, |sum: u64, tokens| sum.saturating_add(*tokens))
    }
}

/// How the request is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Billing {
    /// Answered at once.
    #[default]
    Standard,
    /// Batch or Flex.
    Batch,
}

/// A fraction of the standard price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fraction(pub u32, pub u32);

/// Prices of some models between two dates, in micro-dollars per million tokens: 750 000 is $0.75.
/// A field that is `None` is unknown, never free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Price {
    /// The row's name.
    pub id: String,
    /// Exact model names.
    pub models: Vec<String>,
    /// The services; empty for both.
    #[serde(default)]
    pub service: Vec<Service>,
    /// First day.
    pub since: Date,
    /// Last day.
    pub until: Option<Date>,
    /// The day on which somebody looked.
    pub checked: Date,
    /// The price list.
    pub source: String,
    /// What is doubtful.
    pub note: Option<String>,
    /// Prompts above this many tokens are at the higher prices, as a whole.
    pub tier_above: Option<u64>,
    /// Text in; images, frames and pages too where they have no price of their own.
    pub input: Option<u64>,
    /// The same above the tier.
    pub input_above: Option<u64>,
    /// Images and pages in, where priced apart.
    pub image: Option<u64>,
    /// Video frames in, where priced apart.
    pub video: Option<u64>,
    /// Sound in; equal to `input` where it is not split.
    pub audio: Option<u64>,
    /// The same above the tier.
    pub audio_above: Option<u64>,
    /// Cached input.
    pub cached: Option<u64>,
    /// The same above the tier.
    pub cached_above: Option<u64>,
    /// Cached sound, where priced apart.
    pub cached_audio: Option<u64>,
    /// Text out, thinking included.
    pub output: Option<u64>,
    /// The same above the tier.
    pub output_above: Option<u64>,
    /// Generated pictures.
    pub output_image: Option<u64>,
    /// Generated sound.
    pub output_audio: Option<u64>,
    /// Keeping a million cached tokens for an hour.
    pub cache_storage: Option<u64>,
    /// The part of the standard price that Batch and Flex cost, in and out.
    pub batch: Option<Fraction>,
    /// The multiple of the standard price that Priority costs.
    pub priority: Option<Fraction>,
}

impl Price {
    /// Whether the row holds for a key.
    pub fn holds_for(&self, model: &str, service: Service, date: Date) -> bool {
        self.models.iter().any(|name| name == model)
            && (self.service.is_empty() || self.service.contains(&service))
            && self.since <= date
            && self.until.is_none_or(|until| date <= until)
    }

    /// What the tokens cost; `None` when a price that is needed is unknown.
    pub fn cost(&self, usage: &Usage, billing: Billing) -> Option<Cost> {
        self.cost_in_tier(usage, self.is_above(usage.prompt()), billing)
    }

    /// Whether a request with a prompt of so many tokens is in the upper tier. The threshold itself
    /// still is in the lower one.
    pub fn is_above(&self, prompt: u64) -> bool {
        self.tier_above.is_some_and(|threshold| prompt > threshold)
    }

    /// What a part of a request costs when the whole request is known to be above the threshold or
    /// not; `None` when a price it needs is unknown.
    pub fn cost_in_tier(&self, usage: &Usage, above: bool, billing: Billing) -> Option<Cost> {
        let tier = |low: Option<u64>, high: Option<u64>| if above { high.or(low) } else { low };
        let input = tier(self.input, self.input_above);
        let visual = |own: Option<u64>| own.or(input);
        let charges = [
            (usage.text, input),
            (usage.image, visual(self.image)),
            (usage.document, visual(self.image)),
            (usage.video, visual(self.video)),
            (usage.audio, tier(self.audio, self.audio_above)),
            (usage.output, tier(self.output, self.output_above)),
        ];
        let mut sum: u128 = 0;
        for (tokens, price) in charges.into_iter().filter(|(tokens, _)| *tokens > 0) {
            sum = sum.saturating_add(u128::from(tokens) * u128::from(price?));
        }
        match billing {
            Billing::Standard => Some(Cost(sum)),
            Billing::Batch => {
                let Fraction(part, whole) = self.batch?;
                Some(Cost(
                    (sum.saturating_mul(u128::from(part))).div_ceil(u128::from(whole.max(1))),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_print_exactly() {
        for (cost, text) in [
            (165_000_000_000, "$0.165"),
            (82_500_000_000, "$0.0825"),
            (0, "$0.00"),
            (1, "$0.000000000001"),
            (2 * PICO, "$2.00"),
        ] {
            assert_eq!(Cost(cost).to_string(), text);
        }
    }
}
