//! The command line of mediaprep: arguments in, tables or JSON out, exit status.
//!
//! [`run`] is a plain function over two writers, so that tests read what a user would read:
//!
//! ```
//! use mediaprep_cli::{Output, Status, run};
//!
//! let (mut data, mut notes) = (Vec::new(), Vec::new());
//! let mut output = Output::plain(&mut data, &mut notes);
//! let status = run(["mediaprep", "budget", "no-such-file.png"], &mut output);
//! assert_eq!(status, Status::Failed);
//! assert!(String::from_utf8(notes).unwrap().contains("error: no-such-file.png: open:"));
//! ```
//!
//! Only this crate knows about terminals, colours, environment variables and Ctrl-C.

mod args;
mod bench;
mod commands;
mod facts;
mod failure;
mod fitted;
mod inputs;
mod item;
mod output;
mod prepare;
mod progress;
mod report;
mod send;
mod settings;
mod text;
mod write;

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command};
use crate::failure::Failure;
pub use crate::output::{Output, Status};

/// The definition of all commands and options, for programs that parse, document or check command
/// lines without running them.
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Runs one command. The first argument is the program's name.
pub fn run<I, T>(args: I, output: &mut Output<'_>) -> Status
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let result = parse(&args, output).and_then(|cli| match cli {
        Some(cli) => dispatch(&cli, output),
        None => Ok(Status::Done),
    });
    let status = match result {
        Ok(status) => status,
        Err(Stop::Failure(failure)) => output.report_failure(&failure),
        Err(Stop::Help(help)) => output.report_help(&help),
        Err(Stop::Io(error)) => output.report_io(&error),
    };
    match output.flush() {
        Err(error) if status == Status::Done => output.report_io(&error),
        _ => status,
    }
}

/// Why a command ended before its time.
pub(crate) enum Stop {
    Failure(Failure),
    /// No command was given, so the help is shown.
    Help(String),
    Io(io::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The parsed command line; `None` when it asked for help or the version, which is printed here.
fn parse(args: &[OsString], output: &mut Output<'_>) -> Result<Option<Cli>, Stop> {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return explain_usage(&error, output),
    };
    let Some(path) = &cli.common.config else { return Ok(Some(cli)) };
    let config = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let merged = args::with_config(args, &config).map_err(|reason| {
        let message = format!("{}: options: {reason}", path.display());
        Failure::option(message, "a configuration has the options' long names as keys")
    })?;
    match Cli::try_parse_from(merged) {
        Ok(cli) => Ok(Some(cli)),
        Err(error) => explain_usage(&error, output),
    }
}

fn explain_usage(error: &clap::Error, output: &mut Output<'_>) -> Result<Option<Cli>, Stop> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        write!(output.data, "{}", error.render())?;
        return Ok(None);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Err(Stop::Help(error.render().to_string()));
    }
    let text = error.render().to_string();
    let mut parts = text.trim_end().trim_start_matches("error: ").splitn(2, "\n\n");
    let message = parts.next().unwrap_or_default().to_owned();
    let rest = parts.next().unwrap_or("see 'mediaprep --help'").to_owned();
    Err(Failure { message, hints: vec![rest.trim_start_matches("  tip: ").to_owned().into()] }
        .into())
}

fn dispatch(cli: &Cli, output: &mut Output<'_>) -> Result<Status, Stop> {
    output.configure(&cli.common);
    match &cli.command {
        Command::Probe(args) => commands::probe(args, &cli.common, output),
        Command::Budget(args) => commands::budget(args, &cli.common, output),
        Command::Report(args) => commands::report(args, &cli.common, output),
        Command::Fit(args) => commands::fit(args, &cli.common, output),
        Command::Prepare(args) => commands::prepare(args, &cli.common, output),
        Command::Send(args) => commands::send(args, &cli.common, output),
        Command::Verify(args) => commands::verify(args, &cli.common, output),
        Command::Files(args) => commands::files(args, &cli.common, output),
        Command::Boxes(args) => commands::boxes(args, &cli.common, output),
        Command::Models(args) => commands::models(args, output),
        Command::Bench(args) => commands::bench(args, &cli.common, output),
        Command::Completions { shell } => commands::completions(*shell, output),
        Command::Man => commands::man(output),
        Command::PdfWorker => {
            Ok(mediaprep::serve_pages(&mut io::stdin().lock(), output.data)
                .map(|()| Status::Done)?)
        }
    }
}

/// The whole program: real arguments, real streams, Ctrl-C.
pub fn main() -> ExitCode {
    // Files get their names only when they are whole, so stopping at once is safe once the
    // half-written ones are gone; 130 is 128 + SIGINT.
    let interrupt = output::Interrupt::default();
    let on_interrupt = interrupt.clone();
    let interrupted = ctrlc::set_handler(move || {
        on_interrupt.clean_up();
        std::process::exit(130)
    });
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let terminal = output::Terminal {
        data: stdout.is_terminal(),
        notes: stderr.is_terminal(),
        no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
    };
    let mut data = BufWriter::with_capacity(1 << 16, stdout.lock());
    let mut notes = stderr;
    let mut output = Output::new(&mut data, &mut notes, terminal, interrupt);
    output.worker = std::env::current_exe().ok();
    if let Err(error) = interrupted {
        output.note(&format!("Ctrl-C is not handled: {error}"));
    }
    let status = run(std::env::args_os(), &mut output);
    ExitCode::from(status.code())
}
