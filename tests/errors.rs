//! Every kind of error is raised, and says where, what and what to do.

use mediaprep::tokens::RuleBook;
use mediaprep::{
    Engine, Error, ErrorKind, Input, Outcome, PlanOptions, RuleRequest, RuleSet, Stage,
};
use mediaprep_tests::fixtures;

fn failure(input: &Input) -> Error {
    match Engine::builder().threads(1).build().unwrap().probe(input) {
        Outcome::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

fn check(error: &Error, stage: Stage, kind: ErrorKind, cause: &str) {
    assert_eq!((error.stage(), error.kind()), (stage, kind), "{}", error.cause());
    assert!(error.cause().contains(cause), "{}", error.cause());
    assert!(error.hint().is_some(), "{} has no hint", error.cause());
}

#[test]
fn inputs_fail_clearly() {
    check(&failure(&Input::path("no/such.png")), Stage::Open, ErrorKind::Io, "No such file");
    let folder = failure(&Input::path(fixtures()));
    check(&folder, Stage::Open, ErrorKind::Io, "a folder");
    let text = failure(&Input::bytes("notes.txt", *b"hello"));
    check(&text, Stage::Sniff, ErrorKind::Unsupported, "no image, video, sound or PDF");
    let empty = failure(&Input::bytes("empty", *b""));
    check(&empty, Stage::Sniff, ErrorKind::Unsupported, "the file is empty");
    let cut = failure(&Input::bytes("cut.png", *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
    check(&cut, Stage::Probe, ErrorKind::Malformed, "PNG");
    let svg = failure(&Input::path(fixtures().join("images/unsupported.svg")));
    assert_eq!(svg.kind(), ErrorKind::Unsupported);
    let locked = failure(&Input::path(fixtures().join("pdf/locked-aes256.pdf")));
    check(&locked, Stage::Probe, ErrorKind::Unsupported, "password");
}

#[test]
fn a_found_file_that_is_no_media_is_skipped() {
    let manifest = Input::found(fixtures().join("images/MANIFEST.toml"));
    let engine = Engine::builder().threads(1).build().unwrap();
    assert!(matches!(engine.probe(&manifest), Outcome::Skipped));
}

#[test]
fn unknown_models_and_settings_are_refused() {
    let book = RuleBook::builtin();
    let date = "2026-11-21".parse().unwrap();
    let error = RuleSet::find(&book, &RuleRequest::billed("gemini-3.5-flahs", date)).unwrap_err();
    check(&error, Stage::Options, ErrorKind::NoRule, "gemini-3.5-flahs");
    assert!(error.hint().unwrap().contains("gemini-3.5-flash"), "{:?}", error.hint());
    let request = RuleRequest::billed("gemini-3.5-flash", date);
    let error = RuleSet::by_row(&book, &request, "no/such/row").unwrap_err();
    check(&error, Stage::Options, ErrorKind::NoRule, "no/such/row");
    let fps = mediaprep::media::FrameRate::from_decimal("25");
    let error = PlanOptions { fps, ..PlanOptions::default() }.validate().unwrap_err();
    check(&error, Stage::Options, ErrorKind::InvalidOption, "24");
}

#[test]
fn a_medium_that_the_row_does_not_take_fails_alone() {
    let book = RuleBook::builtin();
    let date = "2026-11-21".parse().unwrap();
    let rules = RuleSet::find(&book, &RuleRequest::billed("gemini-1.0-pro-vision", date)).unwrap();
    let inputs =
        ["audio/tone.flac", "images/png-1bit.png"].map(|path| Input::path(fixtures().join(path)));
    let engine = Engine::builder().threads(2).build().unwrap();
    let budget = engine.budget(&inputs, &rules, &PlanOptions::default()).unwrap();
    let charge = |at: usize| budget.items[at].charges[0].as_ref();
    check(charge(0).unwrap_err(), Stage::Count, ErrorKind::Unsupported, "take no sound");
    assert_eq!(charge(1).unwrap().tokens.image, 258);
    assert_eq!((budget.totals.items, budget.totals.failed), (2, 1));
}

#[cfg(not(feature = "ffmpeg"))]
#[test]
fn a_missing_reader_is_named() {
    let error = failure(&Input::path(fixtures().join("video/mpeg4-mp3.avi")));
    check(&error, Stage::Probe, ErrorKind::BackendUnavailable, "FFmpeg");
}
