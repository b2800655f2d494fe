//! Google's own SDKs, the newest of each, complete their flows against the stand-in.
//!
//! They are installed into `target/peers` on the first run, and brought up to date on every run
//! that requires them. Where that is not possible the tests say so and pass, unless the
//! environment variable `MEDIAPREP_REQUIRE_PEERS` is 1.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use mediaprep_service::{Call, Recorded, Service};
use serde_json::{Value, json};

use crate::basics::digest;

const MODEL_TEXT: [&str; 3] = ["A red ", "square — ein rotes Quadrat, ", "红色的正方形 🟥."];
const LARGE: usize = (20 << 20) + 123;

fn required() -> bool {
    std::env::var("MEDIAPREP_REQUIRE_PEERS").is_ok_and(|value| value == "1")
}

fn peers(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("peers").join(name)
}

fn run(command: &mut Command) -> Result<String, String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The interpreter of an environment that has the Python SDK.
fn python() -> Result<PathBuf, String> {
    let environment = peers("google-genai");
    let python = environment.join("bin/python");
    let installed = run(Command::new(&python).args(["-c", "import google.genai"])).is_ok();
    if !installed {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    if !installed || required() {
        let install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--upgrade"];
        let limits = ["--timeout", "20", "--retries", "1", "google-genai"];
        run(Command::new(&python).args(install).args(limits))?;
    }
    Ok(python)
}

/// The folder in which the JavaScript SDK is installed.
fn node() -> Result<PathBuf, String> {
    let folder = peers("google-genai-js");
    run(Command::new("node").arg("--version"))?;
    if !folder.join("node_modules/@google/genai").is_dir() || required() {
        std::fs::create_dir_all(&folder).unwrap();
        let install = ["install", "--no-audit", "--no-fund", "--fetch-retries=1"];
        let packages = ["@google/genai@latest", "google-auth-library"];
        run(Command::new("npm").args(install).arg("--prefix").arg(&folder).args(packages))?;
    }
    Ok(folder)
}

/// What an SDK needs, or the reason for which its test is skipped.
fn available<T>(found: Result<T, String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(error) if required() => panic!("the SDK cannot be installed: {error}"),
        Err(error) => {
            println!("skipped: the SDK cannot be installed: {error}");
            None
        }
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_python_sdk_completes_its_flows() {
    let Some(python) = available(python()) else { return };
    completes(|base, folder| {
        run(Command::new(&python).arg(script("drive.py")).arg(base).arg(folder))
    });
}

#[test]
fn the_javascript_sdk_completes_its_flows() {
    let Some(installed) = available(node()) else { return };
    completes(|base, folder| {
        run(Command::new("node").arg(script("drive.mjs")).arg(base).arg(folder).arg(&installed))
    });
}

/// Runs a script against a service of its own, and checks both what it saw and what came.
fn completes(drive: impl Fn(&str, &Path) -> Result<String, String>) {
    let service = Service::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let printed = drive(&service.base_url(), folder.path()).unwrap_or_else(|error| {
        panic!("{error}\nrefused: {:?}", service.refusals());
    });
    let seen: Value = serde_json::from_str(&printed).unwrap();
    println!("driven by version {}", seen["version"]);
    check_answers(&seen);
    check_files(&seen, &service);
    let pieces: Vec<(u64, Call)> = service
        .requests()
        .iter()
        .filter(|one| is_piece(one))
        .map(|one| (one.body_length, one.call))
        .collect();
    let chunk = 8 << 20;
    let expected = [
        (8, Call::UploadFinalize),
        (chunk, Call::UploadChunk),
        (chunk, Call::UploadChunk),
        (LARGE as u64 - 2 * chunk, Call::UploadFinalize),
    ];
    assert_eq!(pieces, expected);
    assert_eq!(service.bytes_received(), 8 + LARGE as u64);
    assert_eq!(service.refusals(), ["400: Unsupported MIME type: image/jpg"]);
}

fn is_piece(request: &Recorded) -> bool {
    matches!(request.call, Call::UploadChunk | Call::UploadFinalize)
}

fn check_answers(seen: &Value) {
    assert_eq!(seen["text"], MODEL_TEXT.concat());
    assert_eq!(seen["vertex"], MODEL_TEXT.concat());
    assert_eq!(seen["streamed"], json!(MODEL_TEXT));
    assert_eq!((&seen["prompt_tokens"], &seen["counted"]), (&json!(261), &json!(261)));
    assert_eq!(seen["used_tokens"], 263 + 3);
    assert_eq!(seen["input_limit"], 1_048_576);
    let message = "Unsupported MIME type: image/jpg";
    assert_eq!(seen["refused"], json!([400, "INVALID_ARGUMENT", message]));
}

fn check_files(seen: &Value, service: &Service) {
    let (small, large) = (&seen["files"][0], &seen["files"][1]);
    assert_eq!((&small[1], &small[2]), (&json!("Réd 红"), &json!("ACTIVE")));
    assert_eq!(seen["got"], *large);
    assert_eq!(seen["listed"], json!([small[0], large[0]]));
    assert_eq!(seen["left"], json!([large[0]]));
    let stored = service.files();
    let bytes: Vec<u8> = (0..LARGE).map(|at| (at % 251).to_le_bytes()[0]).collect();
    assert_eq!((stored.len(), stored[0].size), (1, LARGE as u64));
    assert_eq!(stored[0].sha256, digest(&bytes));
}
