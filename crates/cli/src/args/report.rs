//! The options of `report`.

use std::path::PathBuf;

use clap::Args;

use super::{InputArgs, RequestArgs, RuleArgs};

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) rule: RuleArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Count the price of the Batch API.
    #[arg(long, help_heading = "Request")]
    pub(crate) batch: bool,
    /// File to write the page to; `-` is standard output.
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub(crate) html: PathBuf,
    /// Show pictures of the N dearest files at most; 0 decodes nothing.
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "Report",
        value_parser = clap::value_parser!(u16))]
    pub(crate) thumbnails: u16,
    /// More models beside the first one, separated by commas.
    #[arg(long, value_name = "ID,ID", value_delimiter = ',', help_heading = "Report")]
    pub(crate) compare: Vec<String>,
    /// Exit with status 1 when the total is above N.
    #[arg(long, value_name = "N", help_heading = "Report")]
    pub(crate) max_tokens: Option<u64>,
}
