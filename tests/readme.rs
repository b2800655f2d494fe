//! The README shows what today's program prints, and what the documents name is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mediaprep_tests::markdown::Document;
use mediaprep_tests::{fixtures, mediaprep, root, shell};

/// The output that the README shows below a command.
fn shown(command: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("$ {command}\n")).expect("the command is shown");
    rest.split("```").next().unwrap_or_default().to_owned()
}

fn printed(options: &[&str]) -> String {
    let folder = fixtures();
    let mut args = vec!["budget", folder.to_str().unwrap(), "--on=2026-11-21", "--quiet"];
    args.extend(options);
    mediaprep(&args).data
}

#[test]
fn the_demo_is_real() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let options =
        ["--requests", "each", "--model", "gemini-3.5-flash", "--compare", "gemini-2.5-flash"];
    let demo = makefile.split("demo: setup").nth(1).unwrap();
    assert!(options.iter().all(|option| demo.contains(option)), "{demo}");
    let options_of_tiles =
        ["--images", "tiles", "--model", "gemini-2.5-pro", "--service", "vertex"];
    assert!(options_of_tiles.iter().all(|option| demo.contains(option)), "{demo}");
    let out = tempfile::tempdir().unwrap();
    let photo = fixtures().join("images/photo-landscape-12mp.jpg");
    let mut args = vec!["prepare", photo.to_str().unwrap(), "--on=2026-11-21", "--quiet"];
    args.extend(["--out", out.path().to_str().unwrap()]);
    args.extend(options_of_tiles);
    assert_eq!(shown("make demo"), printed(&options) + &mediaprep(&args).data);
}

#[test]
fn the_single_model_is_real() {
    let command = "mediaprep budget fixtures --model gemini-3.5-flash --requests each --quiet";
    assert_eq!(shown(command), printed(&["--model", "gemini-3.5-flash", "--requests", "each"]));
}

/// README, changelog and everything in `docs`.
fn documents() -> Vec<(PathBuf, Document)> {
    let mut paths = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    let folder = std::fs::read_dir(root().join("docs")).unwrap();
    let pages = folder.map(|entry| entry.unwrap().path());
    paths.extend(pages.filter(|path| path.extension().is_some_and(|end| end == "md")));
    assert!(paths.len() > 4, "only {paths:?} were found");
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

fn read(path: &Path) -> Document {
    let text = std::fs::read_to_string(path);
    Document::parse(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// What is wrong with a link of a document.
fn broken(from: &Path, link: &str) -> Option<String> {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => from.to_owned(),
        _ => from.parent().unwrap().join(file),
    };
    if !target.exists() {
        return Some(format!("{}: {link}: no such file", from.display()));
    }
    let is_found = anchor.is_empty() || read(&target).anchors().iter().any(|name| name == anchor);
    (!is_found).then(|| format!("{}: {link}: no such heading", from.display()))
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (path, document) in documents() {
        for link in document.links().into_iter().filter(|link| !link.contains("://")) {
            wrong.extend(broken(&path, link));
            checked += 1;
        }
    }
    assert!(checked >= 5, "only {checked} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let readme = root().join("README.md");
    assert!(broken(&readme, "docs/none.md").is_some());
    assert!(broken(&readme, "docs/architecture.md#none").is_some());
}

/// The hosts of all addresses in a text.
fn hosts(text: &str) -> Vec<&str> {
    let after = text.split("://").skip(1);
    after.filter_map(|rest| rest.split(|letter: char| !is_of_a_host(letter)).next()).collect()
}

fn is_of_a_host(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-')
}

/// Whether a host is that of a package registry or below it.
fn is_registry(host: &str) -> bool {
    let names = [
        ["crates", "io"],
        ["pypi", "org"],
        ["pythonhosted", "org"],
        ["npmjs", "com"],
        ["npmjs", "org"],
        ["rubygems", "org"],
        ["nuget", "org"],
    ];
    names.map(|name| name.join(".")).iter().any(|name| {
        host == name || host.strip_suffix(name).is_some_and(|below| below.ends_with('.'))
    })
}

#[test]
fn no_address_is_a_package_registry() {
    let sample = ["https://index.crates", "io/x) and http://a.example/"].join(".");
    let found: Vec<bool> = hosts(&sample).into_iter().map(is_registry).collect();
    assert_eq!(found, [true, false], "{sample}");
    for (path, _) in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        let registry = hosts(&text).into_iter().find(|host| is_registry(host));
        assert_eq!(registry, None, "{}", path.display());
    }
}

/// Every simple command that the documents show, with where it stands.
fn shown_commands() -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for (path, document) in documents() {
        for line in document.command_lines() {
            let place = format!("{}: {line}", path.display());
            all.extend(shell::commands(&line).into_iter().map(|words| (place.clone(), words)));
        }
    }
    all
}

#[test]
fn every_shown_command_is_understood() {
    let mut checked = 0;
    for (place, words) in shown_commands() {
        let Some(arguments) = shell::arguments_of("mediaprep", &words) else { continue };
        let parsed = mediaprep_cli::definition().try_get_matches_from(arguments);
        assert!(parsed.is_ok(), "{place}\n{}", parsed.unwrap_err());
        checked += 1;
    }
    assert!(checked >= 30, "only {checked} commands were found");
    let wrong = ["mediaprep", "budget", "--no-such-option"];
    assert!(mediaprep_cli::definition().try_get_matches_from(wrong).is_err());
}

/// The names of all commands and the long options of all of them.
fn vocabulary(command: &clap::Command, names: &mut BTreeSet<String>) {
    names.insert(command.get_name().to_owned());
    let options = command.get_arguments().filter_map(clap::Arg::get_long);
    names.extend(options.map(|long| format!("--{long}")));
    command.get_subcommands().for_each(|nested| vocabulary(nested, names));
}

#[test]
fn every_named_command_and_option_exists() {
    let mut names = BTreeSet::from(["--version".to_owned(), "--help".to_owned()]);
    vocabulary(&mediaprep_cli::definition(), &mut names);
    let mut checked = 0;
    for path in ["README.md", "CHANGELOG.md"] {
        for span in read(&root().join(path)).spans() {
            let words: Vec<&str> = span.split([' ', '=', '[', ',']).collect();
            let named = match words.as_slice() {
                ["mediaprep", command, ..] => command,
                [option, ..] if option.starts_with("--") => option,
                _ => continue,
            };
            assert!(names.contains(*named), "{path}: `{span}`: there is no {named}");
            checked += 1;
        }
    }
    assert!(checked >= 50, "only {checked} were found");
}

#[test]
fn every_named_target_is_in_the_makefile() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let is_target = |name: &str| makefile.lines().any(|line| line.starts_with(&format!("{name}:")));
    let shown = shown_commands().into_iter().map(|(place, words)| (place, words.join(" ")));
    let spans = documents().into_iter().flat_map(|(path, document)| {
        let place = path.display().to_string();
        document.spans().into_iter().map(move |span| (place.clone(), span))
    });
    let mut checked = BTreeSet::new();
    for (place, command) in shown.chain(spans) {
        let Some(target) = command.strip_prefix("make ") else { continue };
        let target = target.split(' ').next().unwrap_or_default();
        assert!(is_target(target), "{place}: `make {target}` is not in the Makefile");
        checked.insert(target.to_owned());
    }
    assert!(checked.len() >= 4, "only {checked:?} were found");
    assert!(!is_target("none"));
}
