//! The README shows what today's program prints.

use mediaprep_tests::{fixtures, mediaprep, root};

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
