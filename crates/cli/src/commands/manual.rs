//! The completion scripts and the manual page, made from the definition of the command line.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::Stop;
use crate::output::{Output, Status};

/// Prints a completion script.
pub(crate) fn completions(
    shell: clap_complete::Shell,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown(), "mediaprep", &mut script);
    output.data.write_all(&script)?;
    Ok(Status::Done)
}

/// Prints the manual page, the commands' pages behind it.
pub(crate) fn man(output: &mut Output<'_>) -> Result<Status, Stop> {
    let command = shown();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    write_examples(&command, "SH", &mut page)?;
    for subcommand in command.get_subcommands() {
        write_command(subcommand, subcommand.get_name(), &mut page)?;
        for nested in subcommand.get_subcommands() {
            let name = format!("{} {}", subcommand.get_name(), nested.get_name());
            write_command(nested, &name, &mut page)?;
        }
    }
    output.data.write_all(&page)?;
    Ok(Status::Done)
}

/// The definition without the commands that are the program's own business: the makers of completion
/// scripts and pages list hidden commands like others.
fn shown() -> Command {
    let whole = crate::definition();
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    Command::new("mediaprep")
        .version(env!("CARGO_PKG_VERSION"))
        .about(whole.get_about().cloned().unwrap_or_default())
        .after_long_help(whole.get_after_long_help().cloned().unwrap_or_default())
        .subcommand_required(true)
        .args(whole.get_arguments().cloned())
        .subcommands(shown.collect::<Vec<_>>())
}

/// One command as a section of the single page, its own sections below it.
fn write_command(command: &Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let command = command.clone().bin_name(format!("mediaprep {name}")).disable_help_flag(true);
    let man = Man::new(command.clone());
    let mut sections = Vec::new();
    man.render_synopsis_section(&mut sections)?;
    man.render_description_section(&mut sections)?;
    man.render_options_section(&mut sections)?;
    writeln!(page, ".SH \"COMMAND {}\"", name.to_uppercase())?;
    let sections = String::from_utf8_lossy(&sections);
    // Each part brings the definition of an apostrophe along, which the page already has.
    let is_definition = |line: &str| line.starts_with(".ie ") || line.starts_with(".el ");
    for line in sections.lines().filter(|line| !is_definition(line)) {
        match line.strip_prefix(".SH ") {
            Some(title) => writeln!(page, ".SS {title}")?,
            None => writeln!(page, "{line}")?,
        }
    }
    write_examples(&command, "SS", page)
}

/// What stands behind the options in the long help, its lines kept as they are.
fn write_examples(command: &Command, section: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let Some(text) = command.get_after_long_help().map(ToString::to_string) else { return Ok(()) };
    let mut roff = Roff::new();
    roff.control(section, ["EXAMPLES"]).control("nf", []);
    for line in text.lines().skip(1) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    page.extend(roff.to_roff().into_bytes());
    Ok(())
}
