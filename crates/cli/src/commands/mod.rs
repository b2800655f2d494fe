//! What each command does, over the settings and the two streams.

mod bench;
mod boxes;
mod budget;
mod contents;
mod counting;
mod evidence;
mod files;
mod fit;
mod models;
mod prepare;
mod probe;
mod report;
mod send;
mod stream;
mod verify;
mod ways;

use std::io;

use clap::CommandFactory;

use crate::Stop;
use crate::args::Cli;
use crate::output::{Output, Status};

pub(crate) use bench::bench;
pub(crate) use boxes::boxes;
pub(crate) use budget::budget;
pub(crate) use files::files;
pub(crate) use fit::fit;
pub(crate) use models::models;
pub(crate) use prepare::prepare;
pub(crate) use probe::probe;
pub(crate) use report::report;
pub(crate) use send::send;
pub(crate) use verify::verify;

/// Prints a completion script.
pub(crate) fn completions(
    shell: clap_complete::Shell,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mediaprep", &mut script);
    output.data.write_all(&script)?;
    Ok(Status::Done)
}

/// Prints the manual page, the commands' pages behind it.
pub(crate) fn man(output: &mut Output<'_>) -> Result<Status, Stop> {
    let command = Cli::command();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        render_options(subcommand, subcommand.get_name(), &mut page)?;
        for nested in subcommand.get_subcommands() {
            let name = format!("{} {}", subcommand.get_name(), nested.get_name());
            render_options(nested, &name, &mut page)?;
        }
    }
    output.data.write_all(&page)?;
    Ok(Status::Done)
}

/// One command's options as a part of the single page.
fn render_options(command: &clap::Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    use std::io::Write;

    let man = clap_mangen::Man::new(command.clone().bin_name(format!("mediaprep {name}")));
    let name = name.to_uppercase();
    writeln!(page, ".SH \"COMMAND {name}\"")?;
    man.render_description_section(page)?;
    man.render_options_section(page)
}
