//! The commands of the File API.

use clap::{Args, Subcommand};

use super::{ConnectArgs, InputArgs};

#[derive(Debug, Args)]
pub(crate) struct FilesArgs {
    #[command(subcommand)]
    pub(crate) command: FilesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FilesCommand {
    /// Upload files as they are; an upload that was cut goes on where it stopped.
    Upload(Box<UploadArgs>),
    /// List all files of the key's project.
    List {
        /// Print JSON, one file a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        connect: Box<ConnectArgs>,
    },
    /// Print what the service knows of files, as JSON.
    Get {
        /// Names or addresses.
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        #[command(flatten)]
        connect: Box<ConnectArgs>,
    },
    /// Wait until files can be used.
    Wait {
        /// Names or addresses.
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        #[command(flatten)]
        connect: Box<ConnectArgs>,
    },
    /// Delete files before their 48 hours are over.
    Delete {
        /// Names or addresses.
        #[arg(value_name = "NAME", required_unless_present = "all")]
        names: Vec<String>,
        /// Every file of the key's project.
        #[arg(long, conflicts_with = "names")]
        all: bool,
        #[command(flatten)]
        connect: Box<ConnectArgs>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    /// Name of the file there: lower-case letters, digits and dashes; for one file only.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Type of the files, where it cannot be told from their bytes.
    #[arg(long, value_name = "TYPE")]
    pub(crate) mime_type: Option<String>,
    /// Do not wait until the files can be used.
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
}
