//! The options of everything that speaks to a service.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UploadAddressArg {
    Keep,
    Rewrite,
}

/// Who sends, where to, and how patiently. Keys and tokens are never arguments, since other users
/// of the machine can see those.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArgs {
    /// File that holds the API key [default: GEMINI_API_KEY or GOOGLE_API_KEY of the environment].
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Google Cloud project for --service vertex [default: GOOGLE_CLOUD_PROJECT].
    #[arg(long, value_name = "ID")]
    pub(crate) project: Option<String>,
    /// Google Cloud location [default: GOOGLE_CLOUD_LOCATION, else global].
    #[arg(long, value_name = "NAME")]
    pub(crate) location: Option<String>,
    /// Command that prints a bearer token for Google Cloud, run by the shell [default: the
    /// application default credentials].
    #[arg(long, value_name = "COMMAND")]
    pub(crate) token_command: Option<String>,
    /// Google Cloud in express mode: the API key in place of project and token.
    #[arg(long, conflicts_with_all = ["project", "location", "token_command"])]
    pub(crate) express: bool,
    /// Project whose quota is used, where it is not the key's or token's own.
    #[arg(long, value_name = "ID")]
    pub(crate) quota_project: Option<String>,
    /// Another host, such as a gateway, with an optional path before the API's own.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Version of the API [default: v1beta, on Google Cloud v1beta1].
    #[arg(long, value_name = "VERSION")]
    pub(crate) api_version: Option<String>,
    /// Upload to the address that the service gives, or to the same path of --base-url.
    #[arg(long, value_enum, default_value_t = UploadAddressArg::Keep)]
    pub(crate) upload_address: UploadAddressArg,
    /// How often a call is tried that may succeed later; 1 is once.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tries: u32,
    /// Longest time in seconds from the first try to the last.
    #[arg(long, value_name = "S", default_value_t = 120)]
    pub(crate) retry_time: u64,
    /// Give up a call after so many seconds in all; uploads and streamed answers are not bound.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: Option<u64>,
    /// Give up when nothing moves for so many seconds.
    #[arg(long, value_name = "S", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) idle_timeout: u64,
    /// Wait at most so many seconds until an uploaded file can be used.
    #[arg(long, value_name = "S", default_value_t = 900)]
    pub(crate) wait: u64,
    /// Folder for the list of uploads and for those under way [default: mediaprep in the user's
    /// cache folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Upload again what was uploaded before.
    #[arg(long)]
    pub(crate) no_reuse: bool,
}
