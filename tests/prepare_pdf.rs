//! What `prepare` makes of PDFs: the pages that were asked for, as pictures, text or smaller PDFs,
//! and what they cost.

use std::fs;
use std::path::{Path, PathBuf};

use mediaprep::parts::PartData;
use mediaprep::tokens::RuleBook;
use mediaprep::{
    Engine, EngineBuilder, Error, ErrorKind, How, Input, MediaInfo, PageSelection, Payload,
    PdfForm, PdfOptions, PlanOptions, PrepareOptions, Reason, Requests, Role, RuleRequest, RuleSet,
};
use mediaprep_cli::Status;
use mediaprep_tests::{Ran, all_fixtures, fixtures, mediaprep, shared};
use serde_json::Value;

const MODEL: &str = "gemini-2.5-pro";

fn rules<'a>(book: &'a RuleBook, model: &str) -> RuleSet<'a> {
    RuleSet::find(book, &RuleRequest::billed(model, "2026-11-21".parse().unwrap())).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    fixtures().join("pdf").join(name)
}

/// The fixtures that are sound and open without a password.
fn documents() -> Vec<PathBuf> {
    let all = all_fixtures().into_iter();
    let of_folder = all.filter(|(path, entry)| {
        let here = path.parent().is_some_and(|parent| parent.ends_with("pdf"));
        here && entry.expect.as_deref() != Some("error")
    });
    let found: Vec<_> = of_folder.map(|(path, _)| path).collect();
    assert!(found.len() > 30, "only {} documents", found.len());
    found
}

/// Each input prepared in a request of its own.
fn prepared(
    engine: EngineBuilder,
    inputs: &[Input],
    pdf: PdfOptions,
    model: &str,
) -> Vec<Result<Payload, Error>> {
    let book = RuleBook::builtin();
    let rules = rules(&book, model);
    let request = PlanOptions { requests: Requests::Each, ..PlanOptions::default() };
    let options = PrepareOptions { pdf, ..PrepareOptions::default() };
    let engine = engine.build().unwrap();
    engine.prepare(engine.plan(inputs, &rules, &request, &options).unwrap()).unwrap()
}

fn one(name: &str, pdf: PdfOptions) -> Payload {
    let mut all = prepared(Engine::builder(), &[Input::path(fixture(name))], pdf, MODEL);
    all.remove(0).unwrap_or_else(|error| panic!("{error}: {}", error.cause()))
}

fn with(form: PdfForm) -> PdfOptions {
    PdfOptions { form, ..PdfOptions::default() }
}

fn pages(list: &str) -> Option<PageSelection> {
    Some(list.parse().unwrap())
}

fn texts(payload: &Payload) -> Vec<&str> {
    let text = |part: &mediaprep::PreparedPart| part.text.is_some();
    assert!(payload.prepared.parts.iter().all(text));
    payload.prepared.parts.iter().filter_map(|part| part.text.as_deref()).collect()
}

#[test]
fn every_page_of_every_fixture_becomes_a_picture() {
    let inputs: Vec<Input> = documents().into_iter().map(Input::path).collect();
    let small = PdfOptions { max_side: Some(64), ..with(PdfForm::Pages) };
    for payload in prepared(Engine::builder(), &inputs, small, MODEL) {
        let payload = payload.unwrap_or_else(|error| panic!("{error}: {}", error.cause()));
        for (at, part) in payload.prepared.parts.iter().enumerate() {
            let page = at as u64 + 1;
            assert_eq!(part.role, Role::Page { page });
            assert!(part.text.as_deref().unwrap().starts_with(&format!("page {page}")));
            let MediaInfo::Image(image) = &part.facts.info else { panic!("no image") };
            assert_eq!(image.displayed().long(), 64);
        }
        let lost = payload.prepared.warnings.iter();
        let lost: Vec<_> = lost.filter(|one| one.code.as_str() == "page_lost").collect();
        assert!(lost.is_empty(), "{}: {lost:?}", payload.prepared.parts[0].facts.name);
    }
}

#[test]
fn the_plan_counts_what_is_made() {
    let book = RuleBook::builtin();
    let inputs: Vec<Input> = documents().into_iter().map(Input::path).collect();
    for model in [MODEL, "gemini-3.5-flash", "gemini-2.0-flash"] {
        let rules = rules(&book, model);
        for form in [PdfForm::Auto, PdfForm::Pages, PdfForm::Split] {
            let (max_side, pages_per_file) = (Some(100), Some(2));
            let pdf = PdfOptions { max_side, pages_per_file, ..with(form) };
            let request = PlanOptions { requests: Requests::Each, ..PlanOptions::default() };
            let options = PrepareOptions { pdf: pdf.clone(), ..PrepareOptions::default() };
            let engine = Engine::builder().build().unwrap();
            let plan = engine.plan(&inputs, &rules, &request, &options).unwrap();
            let planned: Vec<u64> = plan
                .count()
                .items
                .into_iter()
                .map(|item| item.unwrap().unwrap().charge.tokens.total)
                .collect();
            let made = engine.prepare(plan).unwrap();
            let made: Vec<u64> =
                made.into_iter().map(|one| one.unwrap().charge.tokens.total).collect();
            assert_eq!(planned, made, "{model} {form:?}");
        }
    }
}

#[test]
fn only_the_pages_that_are_asked_for_are_sent() {
    let chosen =
        PdfOptions { pages: pages("2,4-5,352-"), max_side: Some(16), ..with(PdfForm::Pages) };
    let payload = one("pages-352.pdf", chosen);
    assert_eq!(texts(&payload), ["page 2", "page 4", "page 5", "page 352"]);

    let chosen = PdfOptions { pages: pages("2,4-5,352-"), ..with(PdfForm::Auto) };
    let payload = one("pages-352.pdf", chosen);
    let [part] = payload.prepared.parts.as_slice() else { panic!("one part") };
    let MediaInfo::Document(document) = &part.facts.info else { panic!("a document") };
    assert_eq!(document.pages(), 4);
    let map: Vec<_> = part.pages.iter().map(|span| (span.first, span.last)).collect();
    assert_eq!(map, [(2, 2), (4, 5), (352, 352)]);

    let beyond = PdfOptions { pages: pages("353"), ..with(PdfForm::Pages) };
    let refused = prepared(
        Engine::builder(),
        &[Input::path(fixture("pages-352.pdf")), Input::path(fixture("a4.pdf"))],
        beyond,
        MODEL,
    );
    let error = refused[0].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.cause().contains("page 353 of a document of 352 pages"), "{}", error.cause());
}

#[test]
fn smaller_pdfs_keep_to_pages_and_bytes() {
    let by_pages = PdfOptions { pages_per_file: Some(100), ..with(PdfForm::Split) };
    let payload = one("pages-352.pdf", by_pages);
    let counts = |payload: &Payload| {
        let parts = payload.prepared.parts.iter();
        parts.map(|part| part.pages.iter().map(|span| span.count()).sum()).collect::<Vec<u64>>()
    };
    assert_eq!(counts(&payload), [88, 88, 88, 88]);

    let most = payload.prepared.parts[0].facts.bytes.unwrap() / 2;
    let bytes_per_file = Some(most);
    let by_bytes = PdfOptions { bytes_per_file, pages_per_file: Some(100), ..with(PdfForm::Split) };
    let payload = one("pages-352.pdf", by_bytes);
    assert_eq!(counts(&payload).iter().sum::<u64>(), 352);
    assert!(payload.prepared.parts.len() > 4);
    let mut next = 1;
    for part in &payload.prepared.parts {
        assert!(part.facts.bytes.unwrap() <= most);
        assert_eq!(part.pages[0].first, next);
        next = part.pages[0].last + 1;
    }

    let impossible = PdfOptions { bytes_per_file: Some(100), ..with(PdfForm::Split) };
    let inputs = [Input::path(fixture("a4.pdf"))];
    let mut refused = prepared(Engine::builder(), &inputs, impossible, MODEL);
    let error = refused.remove(0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.cause().contains("page 1 alone takes"), "{}", error.cause());
}

#[test]
fn what_is_locked_is_unlocked_or_refused() {
    for name in ["locked-rc4.pdf", "locked-aes128.pdf", "locked-aes256.pdf"] {
        let input = [Input::path(fixture(name))];
        let engine = || Engine::builder().password("owner");
        let payload = prepared(engine(), &input, with(PdfForm::Auto), MODEL).remove(0).unwrap();
        let PartData::InlineData(blob) = &payload.parts[0].data else { panic!("inline") };
        let bytes = blob.data.as_bytes().unwrap();
        let again = Engine::builder().build().unwrap();
        let mediaprep::Outcome::Media(probed) = again.probe(&Input::bytes("x.pdf", bytes.to_vec()))
        else {
            panic!("{name}")
        };
        let MediaInfo::Document(document) = &probed.info else { panic!("a document") };
        assert!(!document.encrypted, "{name}");

        let drawn = PdfOptions { max_side: Some(32), ..with(PdfForm::Pages) };
        assert!(prepared(engine(), &input, drawn, MODEL).remove(0).is_ok(), "{name}");
        for (engine, code) in [
            (Engine::builder(), "needs a password"),
            (Engine::builder().password("secret-guess"), "the password does not open the PDF"),
        ] {
            let shown = format!("{engine:?}");
            let error = prepared(engine, &input, with(PdfForm::Auto), MODEL).remove(0).unwrap_err();
            assert!(error.cause().contains(code), "{name}: {}", error.cause());
            assert!(!format!("{shown}{error:?}{}", error.cause()).contains("secret-guess"));
        }
    }
    let whys = [("locked-rc4.pdf", vec![Reason::Locked]), ("encrypted-rc4.pdf", vec![])];
    for (name, why) in whys {
        let book = RuleBook::builtin();
        let rules = rules(&book, MODEL);
        let engine = Engine::builder().password("user").build().unwrap();
        let inputs = [Input::path(fixture(name))];
        let (request, options) = (PlanOptions::default(), PrepareOptions::default());
        let plan = engine.plan(&inputs, &rules, &request, &options).unwrap();
        assert_eq!(plan.items[0].planned.as_ref().unwrap().plan.why(), why, "{name}");
    }
}

#[test]
fn text_goes_along() {
    let text = |form| PdfOptions { text: true, max_side: Some(32), ..with(form) };
    let payload = one("text.pdf", text(PdfForm::Pages));
    assert!(texts(&payload)[0].starts_with("page 1\nGröße und Übermaß"), "{:?}", texts(&payload));
    let payload = one("text.pdf", text(PdfForm::Original));
    assert_eq!(payload.prepared.parts.len(), 1);
    let all = texts(&payload)[0];
    let second = all.find("\n\npage 2\n").expect("the second page");
    assert!(all.starts_with("page 1\n") && second > 100);
    // What is invisible is the recognised text of a scan, and what is a picture has none.
    let payload = one("ocr-scan.pdf", text(PdfForm::Pages));
    assert!(texts(&payload)[0].len() > "page 1\n".len());
    let payload = one("scan.pdf", text(PdfForm::Pages));
    assert_eq!(texts(&payload), ["page 1"]);
    assert_eq!(payload.prepared.warnings[0].code.as_str(), "scanned_page");
}

#[test]
fn threads_do_not_change_what_is_made() {
    let made = |threads| {
        let pdf = PdfOptions { text: true, max_side: Some(80), ..with(PdfForm::Pages) };
        let inputs: Vec<Input> = documents().into_iter().map(Input::path).collect();
        let all = prepared(Engine::builder().threads(threads), &inputs, pdf, MODEL);
        all.into_iter().map(|one| format!("{:?}", one.unwrap().parts)).collect::<Vec<_>>()
    };
    let alone = made(1);
    for threads in [2, 5] {
        assert!(made(threads) == alone, "{threads} threads");
    }
}

/// Programs that are no workers: one that ends at once, one that talks first, one that says what it
/// hears, one that never says anything, one that is not there.
#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_does_not_work_costs_its_pages_only() {
    // More than a pipe holds, so that a program that does not read is met while sending.
    let mut long = fs::read(fixture("a4.pdf")).unwrap();
    long.extend(std::iter::repeat_n(b'\n', 300_000));
    let picture = fixture("../images/screenshot-1080p.png");
    let inputs = [Input::bytes("long.pdf", long), Input::path(picture)];
    for (program, argument, cause) in [
        ("/bin/false", None, "the process that draws it ended"),
        ("/bin/echo", Some("garbage"), "the process that draws it ended"),
        ("/bin/cat", None, "working time"),
        ("/bin/sleep", Some("600"), "working time"),
        ("/nowhere/worker", None, "the process that draws it"),
    ] {
        let engine = Engine::builder().pdf_worker(program, argument);
        let page_time = std::time::Duration::from_millis(300);
        let pdf = PdfOptions { page_time, ..with(PdfForm::Pages) };
        let mut all = prepared(engine, &inputs, pdf, MODEL);
        assert!(all.remove(1).is_ok(), "{program}");
        let error = all.remove(0).unwrap_err();
        assert!(error.cause().contains(cause), "{program}: {}", error.cause());
        assert!(error.cause().starts_with("page 1: "), "{program}: {}", error.cause());
    }
}

fn prepare(out: &Path, arguments: &[&str]) -> Ran {
    let mut all = vec!["prepare", "--on", "2026-11-21", "--model", MODEL, "--out"];
    let out = out.to_string_lossy().into_owned();
    all.push(&out);
    all.extend(arguments);
    mediaprep(&all)
}

#[test]
fn the_manifest_says_which_page_is_which() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixture("mixed.pdf").to_string_lossy().into_owned();
    let ran =
        prepare(folder.path(), &["--pdf", "pages", "--pages", "2-3", "--max-side", "90", &file]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
    let parts = manifest["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[1]["file"], "media/mixed-p0003.jpg");
    assert_eq!(parts[1]["role"], "page");
    assert_eq!(parts[1]["page"], 3);
    assert_eq!(parts[1]["how"], serde_json::to_value(How::Drawn).unwrap());
    let request: Value =
        serde_json::from_slice(&fs::read(folder.path().join("request.json")).unwrap()).unwrap();
    let sent = request["contents"][0]["parts"].as_array().unwrap();
    assert_eq!(sent.len(), 4);
    assert_eq!(sent[2]["text"], "page 3");
    assert_eq!(sent[3]["inlineData"]["mimeType"], "image/jpeg");

    // The same folder again, in another form: nothing is left of the pages.
    let ran = prepare(folder.path(), &["--pdf", "split", "--pages-per-file", "2", &file]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let mut media: Vec<_> = fs::read_dir(folder.path().join("media"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    media.sort();
    assert_eq!(media, ["mixed-t01.pdf", "mixed-t02.pdf"]);
}

#[test]
fn wrong_options_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixture("a4.pdf").to_string_lossy().into_owned();
    for (arguments, message) in [
        (&["--pages", "0"][..], "pages are numbered from 1"),
        (&["--pages", "5-2"], "ends before it begins"),
        (&["--pdf", "original", "--pages", "1"], "has all its pages"),
        (&["--pdfium", "/nowhere/libpdfium.so"], "no such library file"),
        (&["--dpi", "0"], "1..=2400"),
    ] {
        let ran = prepare(folder.path(), &[arguments, &[&file]].concat());
        assert_eq!(ran.status, Status::CouldNotRun, "{arguments:?}");
        assert!(ran.notes.contains(message), "{arguments:?}: {}", ran.notes);
    }
    // PDFium wants a process of its own, which a call from a test has not.
    let ran = prepare(folder.path(), &["--pdf", "pages", "--pdf-engine", "pdfium", &file]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("hint: name libpdfium.so"), "{}", ran.notes);
}

#[test]
fn probe_tells_text_from_scans() {
    let file = |name| fixture(name).to_string_lossy().into_owned();
    let files = ["graphics.pdf", "ocr-scan.pdf", "scan.pdf", "text.pdf"].map(file);
    let mut arguments = vec!["probe", "--contents", "--json"];
    arguments.extend(files.iter().map(String::as_str));
    let ran = mediaprep(&arguments);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let report: Value = serde_json::from_str(&ran.data).unwrap();
    let held = |at: usize| {
        let contents = &report["items"][at]["page_contents"];
        ["text", "scans", "other"].map(|kind| contents[kind].as_str().unwrap().to_owned())
    };
    assert_eq!(held(0), ["", "", "1"]);
    assert_eq!(held(1), ["1", "", ""]);
    assert_eq!(held(2), ["", "1", ""]);
    assert_eq!(held(3), ["1-2", "", ""]);
    arguments.retain(|argument| *argument != "--json");
    let ran = mediaprep(&arguments);
    assert!(ran.data.contains("\n             with text: 1-2\n"), "{}", ran.data);
}

#[test]
fn the_budget_of_each_form_is_shown() {
    let file = fixture("pages-352.pdf").to_string_lossy().into_owned();
    let arguments = ["budget", "--explain", "--files", "--on", "2025-06-01", "--model"];
    let ran = mediaprep(&[&arguments[..], &["gemini-2.0-flash", &file]].concat());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    for line in ["its pages as images, 352 parts: ", "smaller PDFs, 1 part: 90,816 tokens"] {
        assert!(ran.data.contains(line), "{}", ran.data);
    }
}

#[test]
fn shared_documents_are_drawn_and_split() {
    let Some(folder) = shared("media/pdf") else { return };
    let mut inputs = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { inputs.push(Input::path(path)) }
        }
    }
    assert!(inputs.len() > 20, "only {} documents", inputs.len());
    for form in [PdfForm::Pages, PdfForm::Split] {
        let (max_side, pages_per_file) = (Some(48), Some(3));
        let pdf = PdfOptions { max_side, pages_per_file, ..with(form) };
        for payload in prepared(Engine::builder(), &inputs, pdf, MODEL) {
            match payload {
                Ok(payload) => assert!(!payload.prepared.parts.is_empty()),
                Err(error) => {
                    assert!(error.cause().contains("password"), "{error}: {}", error.cause())
                }
            }
        }
    }
}
