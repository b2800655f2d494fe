//! The program as its own worker: pages drawn in other processes, by both libraries, and what
//! hostile files and limits do to them.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pdf").join(name)
}

fn prepare(out: &Path, arguments: &[&str], files: &[PathBuf]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mediaprep"));
    command.args(["prepare", "--model", "gemini-2.5-pro", "--on", "2026-11-21", "--out"]);
    command.arg(out).args(arguments).args(files).output().unwrap()
}

fn notes(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn media(out: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(out.join("media")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn workers_draw_what_threads_draw() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["mixed.pdf", "twice.pdf", "hybrid.pdf", "cycle.pdf", "form.pdf"].map(fixture);
    let drawn = |name: &str, arguments: &[&str]| {
        let out = folder.path().join(name);
        let basics = ["--pdf", "pages", "--max-side", "200", "--pdf-text"];
        let output = prepare(&out, &[&basics, arguments].concat(), &files);
        assert!(output.status.success(), "{arguments:?}: {}", notes(&output));
        media(&out)
    };
    let one = drawn("one", &["--pdf-engine", "hayro", "--threads", "1"]);
    assert_eq!(
        one.len(),
        3 + 3 + 2 + 2 + 2,
        "{:?}",
        one.iter().map(|file| &file.0).collect::<Vec<_>>()
    );
    assert!(drawn("three", &["--pdf-engine", "hayro", "--threads", "3"]) == one);
}

#[cfg(all(feature = "pdfium", target_arch = "x86_64"))]
#[test]
fn pdfium_draws_in_workers() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["annotations.pdf", "hybrid.pdf", "locked-aes256.pdf"].map(fixture);
    let drawn = |engine: &str| {
        let out = folder.path().join(engine);
        let arguments =
            ["--pdf", "pages", "--max-side", "200", "--pdf-engine", engine, "--password", "user"];
        let output = prepare(&out, &arguments, &files);
        assert!(output.status.success(), "{engine}: {}", notes(&output));
        media(&out)
    };
    let (pdfium, hayro) = (drawn("pdfium"), drawn("hayro"));
    assert_eq!(pdfium.len(), hayro.len());
    // An annotation without an appearance is drawn by one of them only.
    assert!(pdfium[0].0.starts_with("annotations") && pdfium[0].1 != hayro[0].1);
    assert!(drawn("auto") == pdfium);
}

/// A page with one picture of `side` × `side` pixels, all of it zeros.
fn with_picture(side: u64) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), side * side * 3), &mut packed)
        .unwrap();
    let packed = packed.finish().unwrap();
    let content = "q 600 0 0 600 0 0 cm /P Do Q";
    let mut pdf = format!(
        "%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n\
         2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n\
         3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 600 600] /Contents 4 0 R \
         /Resources << /XObject << /P 5 0 R >> >> >> endobj\n\
         4 0 obj << /Length {} >> stream\n{content}\nendstream endobj\n\
         5 0 obj << /Type /XObject /Subtype /Image /Width {side} /Height {side} \
         /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /FlateDecode /Length {} >> stream\n",
        content.len(),
        packed.len()
    )
    .into_bytes();
    pdf.extend(packed);
    pdf.extend(b"\nendstream endobj\ntrailer << /Root 1 0 R >>\n");
    pdf
}

#[test]
fn a_page_that_asks_for_too_much_costs_itself() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = folder.path().join("hostile.pdf");
    fs::write(&hostile, with_picture(20_000)).unwrap();
    let out = folder.path().join("out");
    let arguments =
        ["--pdf", "pages", "--max-side", "100", "--memory", "1G", "--pdf-engine", "hayro"];
    let output = prepare(&out, &arguments, &[hostile, fixture("a4.pdf")]);
    assert_eq!(output.status.code(), Some(1), "{}", notes(&output));
    assert!(notes(&output).contains("page 1"), "{}", notes(&output));
    let names: Vec<_> = media(&out).into_iter().map(|file| file.0).collect();
    assert_eq!(names, ["a4-p0001.jpg"]);
}

#[test]
fn the_password_may_come_from_the_environment_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mediaprep"));
    command.args(["probe", "--json"]).arg(fixture("locked-aes128.pdf"));
    let opened = command.env("MEDIAPREP_PASSWORD", "user").output().unwrap();
    assert!(opened.status.success(), "{}", notes(&opened));
    let refused = command.env("MEDIAPREP_PASSWORD", "tell-nobody").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(notes(&refused).contains("the password does not open the PDF"), "{}", notes(&refused));
    let files = [fixture("locked-aes128.pdf")];
    let out = folder.path().join("out");
    let prepared =
        prepare(&out, &["--password", "user", "--pdf", "pages", "--max-side", "50"], &files);
    assert!(prepared.status.success(), "{}", notes(&prepared));
    let mut said = notes(&refused) + &String::from_utf8_lossy(&refused.stdout);
    said += &fs::read_to_string(out.join("manifest.json")).unwrap();
    assert!(!said.contains("tell-nobody"), "{said}");
}
