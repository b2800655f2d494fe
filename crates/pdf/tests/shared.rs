//! Replays the rows of the shared media set that are PDFs, where that set is present.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mediaprep_media::{Limits, MeteredSource};
use mediaprep_pdf::{Error, probe};

struct Row {
    path: PathBuf,
    width: Option<f64>,
    height: Option<f64>,
    pages: Option<u64>,
    ok: bool,
    ambiguous: bool,
}

/// `None` on a machine without the shared set.
fn rows() -> Option<Vec<Row>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/media"));
    let table = fs::read_to_string(folder.join("truth.csv")).ok()?;
    let rows: Vec<Row> = table
        .lines()
        .map(|line| line.splitn(13, ',').collect::<Vec<_>>())
        .filter(|cells| cells.len() == 13 && cells[1] == "pdf")
        .map(|cells| Row {
            path: folder.join(cells[0]),
            width: cells[2].parse().ok(),
            height: cells[3].parse().ok(),
            pages: cells[10].parse().ok(),
            ok: cells[11] == "ok",
            ambiguous: cells[12].trim_start_matches('"').starts_with("AMBIGUOUS"),
        })
        .collect();
    assert!(rows.len() > 50, "the table has only {} PDFs", rows.len());
    Some(rows)
}

/// What is wrong with one row.
fn check(row: &Row) -> Option<String> {
    let file = File::open(&row.path).unwrap();
    let length = file.metadata().unwrap().len();
    let mut source = MeteredSource::new(file, length, 64, u64::MAX).unwrap();
    let started = Instant::now();
    let result = probe(&mut source, &Limits::default(), None);
    let name = row.path.strip_prefix(row.path.ancestors().nth(3).unwrap()).unwrap().display();
    println!("{name}: {} of {length} bytes, {:?}", source.bytes_read(), started.elapsed());
    if started.elapsed() > Duration::from_secs(5) {
        return Some(format!("{name}: took {:?}", started.elapsed()));
    }
    match (row.ok, result) {
        (_, Ok(found)) if row.ok || row.ambiguous => {
            let (width, height) = found.value.first_page().unwrap().displayed();
            let near = |side: u32, expected: Option<f64>| {
                expected.is_none_or(|expected| (f64::from(side) / 1000.0 - expected).abs() <= 0.5)
            };
            let right = near(width, row.width)
                && near(height, row.height)
                && row.pages.is_none_or(|pages| pages == found.value.pages());
            (!right && !row.ambiguous).then(|| format!("{name}: {found:?}"))
        }
        (true, Err(error)) if !row.ambiguous => Some(format!("{name}: {error}")),
        (false, Ok(found)) => Some(format!("{name}: should fail: {found:?}")),
        (_, Err(Error::Io(error))) => Some(format!("{name}: {error}")),
        _ => None,
    }
}

#[test]
fn every_row_is_right() {
    let Some(rows) = rows() else {
        println!("the shared media set is absent");
        return;
    };
    let wrong: Vec<String> = rows.iter().filter_map(check).collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// From the notes of the table: file, password, pages.
const LOCKED: [(&str, &str, u64); 5] = [
    ("broken/pdfjs/issue6010_1.pdf", "abc", 1),
    ("broken/pdfjs/print_protection.pdf", "1234", 1),
    ("broken/qpdf/20-pages.pdf", "user", 20),
    ("broken/qpdf/enc-R3_V2_U=view_O=view.pdf", "view", 30),
    ("broken/qpdf/enc-XI-R6_V5_U=view_O=master.pdf", "view", 30),
];

#[test]
fn passwords_open_locked_documents() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/media"));
    if !folder.exists() {
        println!("the shared media set is absent");
        return;
    }
    for (name, password, pages) in LOCKED {
        let open = |password: Option<&[u8]>| {
            probe(&mut File::open(folder.join(name)).unwrap(), &Limits::default(), password)
        };
        assert!(matches!(open(None), Err(Error::Encrypted { .. })), "{name}");
        let found = open(Some(password.as_bytes())).unwrap();
        assert_eq!((found.value.pages(), found.value.encrypted), (pages, true), "{name}");
    }
}
