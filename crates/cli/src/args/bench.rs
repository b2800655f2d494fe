//! The options of the benchmark harness.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{InputArgs, RuleArgs};
use crate::bench::StageName;

/// How a run is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchFormat {
    #[default]
    Table,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) rule: RuleArgs,
    /// Only these stages [default: all that this build can do and there are files for].
    #[arg(
        long,
        value_enum,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        help_heading = "Measuring"
    )]
    pub(crate) stages: Vec<StageName>,
    /// Rounds after the one that warms up.
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Measuring",
        value_parser = clap::value_parser!(u32).range(3..=1000))]
    pub(crate) repeat: u32,
    /// Write the run as JSON, to be compared with later.
    #[arg(long, value_name = "FILE", help_heading = "Measuring")]
    pub(crate) save: Option<PathBuf>,
    /// Compare with a saved run, stage by stage: faster, slower, or no difference.
    #[arg(long, value_name = "FILE", help_heading = "Measuring")]
    pub(crate) baseline: Option<PathBuf>,
    /// Exit with status 1 when a stage is slower than in the saved run.
    #[arg(long, requires = "baseline", help_heading = "Measuring")]
    pub(crate) fail_slower: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = BenchFormat::Table, help_heading = "Output")]
    pub(crate) format: BenchFormat,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub(crate) json: bool,
}
