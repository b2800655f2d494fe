//! What users read before they run anything: the helps, the manual page and the completion scripts.
//!
//! `tests/snapshots` has each text as it was last looked at. `MEDIAPREP_BLESS=1 cargo test -p
//! mediaprep-tests --test snapshots` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mediaprep_tests::{mediaprep, root, shell};

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];
const BLESS: &str = "MEDIAPREP_BLESS=1 cargo test -p mediaprep-tests --test snapshots";

fn folder() -> PathBuf {
    root().join("tests/snapshots")
}

/// What the program prints in a process of its own: only there no terminal decides on the width.
fn printed(args: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_mediaprep-tested"));
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut program, "mediaprep");
    let program = program.args(args).env("COLUMNS", "100").stdin(Stdio::null());
    let output = program.output().unwrap();
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && notes.is_empty(), "{args:?}: {notes}");
    String::from_utf8(output.stdout).unwrap()
}

/// The paths of all commands that the help lists, such as `files upload`.
fn listed(command: &clap::Command, above: &[String]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for nested in command.get_subcommands().filter(|nested| !nested.is_hide_set()) {
        let path = [above, &[nested.get_name().to_owned()]].concat();
        all.extend(listed(nested, &path));
        all.push(path);
    }
    all
}

fn commands() -> Vec<Vec<String>> {
    let commands = listed(&mediaprep_cli::definition(), &[]);
    assert!(commands.len() > 15, "only {commands:?} were found");
    commands
}

/// Every snapshot's name and what it has to be now.
fn current() -> BTreeMap<String, String> {
    let mut texts = BTreeMap::from([
        ("help-short.txt".to_owned(), printed(&["-h"])),
        ("help.txt".to_owned(), printed(&["--help"])),
        ("manual.txt".to_owned(), printed(&["man"])),
        ("completions-bash.txt".to_owned(), printed(&["completions", "bash"])),
    ]);
    for path in commands() {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("--help");
        texts.insert(format!("help-{}.txt", path.join("-")), printed(&args));
    }
    texts
}

/// The first lines in which two texts differ.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let show = |sign: char, lines: &[&str]| -> String {
        lines.iter().skip(same).take(5).map(|line| format!("  {sign} {line}\n")).collect()
    };
    format!("  line {}\n{}{}", same + 1, show('-', &old), show('+', &new))
}

fn names_in_folder() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn bless(texts: &BTreeMap<String, String>) {
    std::fs::create_dir_all(folder()).unwrap();
    for stale in names_in_folder().iter().filter(|name| !texts.contains_key(*name)) {
        std::fs::remove_file(folder().join(stale)).unwrap();
    }
    for (name, text) in texts {
        std::fs::write(folder().join(name), text).unwrap();
    }
}

#[test]
fn the_texts_are_those_of_the_snapshots() {
    let texts = current();
    if std::env::var_os("MEDIAPREP_BLESS").is_some() {
        bless(&texts);
    }
    let mut wrong = Vec::new();
    for (name, text) in &texts {
        match std::fs::read(folder().join(name)) {
            Ok(old) if old == text.as_bytes() => {}
            Ok(old) => {
                let old = String::from_utf8_lossy(&old);
                wrong.push(format!("{name} differs\n{}", difference(&old, text)));
            }
            Err(error) => wrong.push(format!("{name}: {error}\n")),
        }
    }
    let stale = names_in_folder().into_iter().filter(|name| !texts.contains_key(name));
    wrong.extend(stale.map(|name| format!("{name}: nothing writes this snapshot any more\n")));
    assert!(wrong.is_empty(), "{}write them anew, and look at them: {BLESS}", wrong.concat());
}

#[test]
fn nothing_in_the_texts_is_of_this_machine() {
    for (name, text) in current() {
        for local in [env!("CARGO_MANIFEST_DIR"), "mediaprep-tested", "\u{1b}"] {
            assert!(!text.contains(local), "{name}: {local:?}");
        }
        let is_help = name.starts_with("help");
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(!is_help || widest <= 100, "{name}: a line of {widest} characters");
    }
}

#[test]
fn every_command_says_what_it_does_and_shows_how() {
    let definition = mediaprep_cli::definition();
    let mut checked = 0;
    for path in commands() {
        let command = path.iter().fold(&definition, |command, name| {
            command.find_subcommand(name).expect("it was listed")
        });
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.starts_with(char::is_uppercase) && about.len() > 15, "{path:?}: {about:?}");
        let examples = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let lines = examples.lines().filter(|line| line.starts_with("  "));
        let lines: Vec<&str> = lines.collect();
        assert!(path.len() > 1 || !lines.is_empty(), "{path:?} has no example");
        for words in lines.iter().flat_map(|line| shell::commands(&uncommented(line))) {
            let Some(arguments) = shell::arguments_of("mediaprep", &words) else { continue };
            let parsed = mediaprep_cli::definition().try_get_matches_from(arguments);
            assert!(parsed.is_ok(), "{path:?}: {words:?}\n{}", parsed.unwrap_err());
            assert_eq!(arguments[1], path[0], "an example of another command");
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} examples were found");
}

/// An example without the remark that stands far behind it.
fn uncommented(line: &str) -> String {
    let line = line.trim();
    line.split_once("   ").map_or(line, |(command, _)| command).to_owned()
}

/// Every long option of the commands, and the commands' own names.
fn words(command: &clap::Command) -> BTreeSet<String> {
    let mut words: BTreeSet<String> =
        command.get_arguments().filter_map(clap::Arg::get_long).map(str::to_owned).collect();
    for nested in command.get_subcommands().filter(|nested| !nested.is_hide_set()) {
        words.insert(nested.get_name().to_owned());
        words.extend(self::words(nested));
    }
    words
}

#[test]
fn completions_know_every_command_and_option() {
    let known = words(&mediaprep_cli::definition());
    assert!(known.len() > 80, "only {known:?} were found");
    for shell in SHELLS {
        let script = mediaprep(&["completions", shell]).data;
        let is_of_a_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let tokens = script.split(|letter| !is_of_a_word(letter));
        let found: BTreeSet<&str> = tokens.map(|token| token.trim_start_matches('-')).collect();
        let missing: Vec<&String> =
            known.iter().filter(|name| !found.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
        assert!(!found.contains("pdf-worker"), "{shell}: a hidden command is offered");
    }
    let definition = mediaprep_cli::definition();
    let shells = definition.find_subcommand("completions").unwrap();
    let shells = shells.get_positionals().next().unwrap().get_possible_values();
    let names: Vec<&str> = shells.iter().map(clap::builder::PossibleValue::get_name).collect();
    assert_eq!(names, SHELLS);
}

#[test]
fn the_manual_has_every_command_and_option() {
    let manual = printed(&["man"]).replace('\\', "");
    for path in commands() {
        let title = format!("\n.SH \"COMMAND {}\"\n", path.join(" ").to_uppercase());
        assert!(manual.contains(&title), "{title}");
    }
    assert!(!manual.contains("PDF-WORKER"));
    for name in words(&mediaprep_cli::definition()) {
        assert!(manual.contains(&name), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_by_the_script() {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), printed(&["completions", "bash"])).unwrap();
    let ask = "source \"$1\"; COMP_WORDS=(mediaprep \"${@:2}\"); COMP_CWORD=$(($# - 1)); \
        _mediaprep mediaprep \"${@: -1}\" \"${@: -2:1}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    for (typed, expected) in [
        (&["bud"][..], "budget\n"),
        (&["budget", "--media-res"], "--media-resolution\n"),
        (&["files", "upl"], "upload\n"),
        (&["budget", "--service", "ver"], "vertex\n"),
    ] {
        let mut bash = Command::new("bash");
        let bash = bash.args(["--norc", "-c", ask, "bash"]).arg(script.path()).args(typed);
        let Ok(output) = bash.output() else { return println!("there is no bash: skipped") };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{typed:?}");
    }
}
