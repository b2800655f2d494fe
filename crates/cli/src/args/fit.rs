//! The options of fitting a budget.

use clap::{Args, ValueEnum};

use super::{InputArgs, OutputArgs, RequestArgs, RuleArgs};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LeverArg {
    MediaResolution,
    ImageSize,
    Fps,
    AudioTrack,
    Clip,
    Pages,
    Form,
    SoundOnly,
}

/// The budget, what may be done to keep it, and what matters.
#[derive(Debug, Args)]
#[command(next_help_heading = "Budget")]
pub(crate) struct FittingArgs {
    /// Choose for each file what is given up so that the total is at most N tokens.
    #[arg(long, value_name = "N", group = "budget")]
    pub(crate) max_tokens: Option<u64>,
    /// Choose for each file what is given up so that the total costs at most so many dollars, such
    /// as 0.25. With --max-tokens both hold.
    #[arg(long, value_name = "USD", group = "budget")]
    pub(crate) max_cost: Option<String>,
    /// How much losses matter [default: 1]: of a kind, such as video=2, or of files by a pattern, such
    /// as '*.pdf=3'; the first pattern that matches holds. May be given several times.
    #[arg(long, value_name = "KIND|GLOB=N", requires = "budget")]
    pub(crate) weight: Vec<String>,
    /// Never touch files by a pattern, such as 'scans/**'. May be given several times.
    #[arg(long, value_name = "GLOB", requires = "budget")]
    pub(crate) keep: Vec<String>,
    /// What may be given up beside media-resolution, image-size, fps, audio-track and form (tiles,
    /// pages or frames for the picture, PDF or video in one piece).
    #[arg(long, value_name = "WHAT,WHAT", value_enum, value_delimiter = ',', requires = "budget")]
    pub(crate) allow: Vec<LeverArg>,
    /// What may not be given up.
    #[arg(long, value_name = "WHAT,WHAT", value_enum, value_delimiter = ',', requires = "budget")]
    pub(crate) without: Vec<LeverArg>,
}

#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) rule: RuleArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
    /// Count the price of the Batch API.
    #[arg(long, help_heading = "Request")]
    pub(crate) batch: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
