//! What the model is told beside the media and the prompt.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ThinkingLevelArg {
    Minimal,
    Low,
    Medium,
    High,
}

/// What the model is told beside the media and the prompt. Ranges are those of the rule book.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct SamplingArgs {
    /// System instruction.
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// How freely the model chooses, from 0 up.
    #[arg(long, value_name = "N")]
    pub(crate) temperature: Option<f64>,
    /// Choose among the likeliest tokens that make up this share, 0 to 1.
    #[arg(long, value_name = "N")]
    pub(crate) top_p: Option<f64>,
    /// Choose among so many of the likeliest tokens.
    #[arg(long, value_name = "N")]
    pub(crate) top_k: Option<u32>,
    /// Longest answer in tokens, thoughts included.
    #[arg(long, value_name = "N")]
    pub(crate) max_output_tokens: Option<u32>,
    /// End the answer at this text; up to five times.
    #[arg(long, value_name = "TEXT")]
    pub(crate) stop: Vec<String>,
    /// Seed of what is left to chance.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) seed: Option<i32>,
    /// Type of the answer, such as application/json.
    #[arg(long, value_name = "TYPE")]
    pub(crate) response_type: Option<String>,
    /// JSON Schema file that the answer keeps to; implies application/json.
    #[arg(long, value_name = "FILE")]
    pub(crate) response_schema: Option<PathBuf>,
    /// Most tokens of thought; 0 is none, -1 lets the model decide.
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        conflicts_with = "thinking_level"
    )]
    pub(crate) thinking_budget: Option<i32>,
    /// How much the model thinks; Gemini 3 and later.
    #[arg(long, value_enum)]
    pub(crate) thinking_level: Option<ThinkingLevelArg>,
    /// What is blocked, such as harassment=block-only-high; once for each category.
    #[arg(long, value_name = "CATEGORY=THRESHOLD")]
    pub(crate) safety: Vec<String>,
}
