//! The options of `send` and `verify`.

use std::path::PathBuf;

use clap::Args;

use super::{ConnectArgs, FittingArgs, OutputArgs, SamplingArgs, WorkArgs};

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    /// Spread what is more than the model takes in one request over several, each of them whole.
    #[arg(long, help_heading = "Request")]
    pub(crate) split_requests: bool,
    /// Do everything but speak to the service, and print the request's body.
    #[arg(long, help_heading = "Sending")]
    pub(crate) dry_run: bool,
    /// Send although an input failed or a limit of the service would be broken.
    #[arg(long, help_heading = "Sending")]
    pub(crate) force: bool,
    /// Wait for the whole answer before it is printed.
    #[arg(long, help_heading = "Sending")]
    pub(crate) no_stream: bool,
    /// Append what was charged to this file, as rows that --rules reads.
    #[arg(long, value_name = "FILE", help_heading = "Sending")]
    pub(crate) record: Option<PathBuf>,
    /// Keep the prepared parts, the manifest and the requests in this folder.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    /// Print the answer with what was charged as JSON.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    /// Append what the service counted to this file, as rows that --rules reads.
    #[arg(long, value_name = "FILE", help_heading = "Sending")]
    pub(crate) record: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
