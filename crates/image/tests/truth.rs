//! Replays the developer set's `truth.csv` where it lies beside the repository.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use mediaprep_image::{Error, ImageInfo, probe};
use mediaprep_media::{Limits, MeteredSource, Orientation, SNIFF_LENGTH, sniff};

struct Row {
    path: String,
    size: Option<(u32, u32)>,
    orientation: Option<u16>,
    is_ok: bool,
    is_ambiguous: bool,
}

fn rows(folder: &Path) -> Vec<Row> {
    let text = fs::read_to_string(folder.join("truth.csv")).unwrap();
    let images = text.lines().map(|line| line.splitn(13, ',').collect::<Vec<_>>());
    images
        .filter(|cells| cells[1] == "image")
        .map(|cells| Row {
            path: cells[0].to_owned(),
            size: cells[2].parse().ok().zip(cells[3].parse().ok()),
            orientation: cells[4].parse().ok(),
            is_ok: cells[11] == "ok",
            is_ambiguous: cells[12].trim_start_matches('"').starts_with("AMBIGUOUS"),
        })
        .collect()
}

/// The facts and the bytes that were read for them; `None` for what is no picture.
fn read(path: &Path) -> (Option<Result<ImageInfo, Error>>, u64) {
    let limits = Limits::default();
    let file = File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    let limit = limits.max_probe_bytes;
    let mut source = MeteredSource::new(file, length, SNIFF_LENGTH, limit).unwrap();
    let Some(mime) = sniff(source.head()) else { return (None, source.bytes_read()) };
    let found = probe(&mut source, mime, &limits).map(|warned| warned.value);
    (Some(found), source.bytes_read())
}

/// What is wrong with the answer, if anything.
fn mistake(row: &Row, found: Option<Result<ImageInfo, Error>>) -> Option<String> {
    let info = match (found, row.is_ok) {
        (Some(Ok(info)), _) => info,
        (_, false) => return None,
        (other, true) => return Some(format!("{other:?}")),
    };
    if !row.is_ok {
        return Some(format!("passes as {info:?}"));
    }
    let shown = info.displayed();
    if row.size != Some((shown.width(), shown.height())) {
        return Some(format!("{shown:?} for {:?}", row.size));
    }
    let is_heif = [".heic", ".heif", ".hif"].iter().any(|end| row.path.ends_with(end));
    let wanted = row.orientation.and_then(Orientation::from_exif).unwrap_or_default();
    if !is_heif && info.orientation != wanted {
        return Some(format!("{:?} for {wanted:?}", info.orientation));
    }
    None
}

#[test]
fn the_developer_set_is_read_right() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/media"));
    if !folder.join("truth.csv").exists() {
        println!("the developer set is not here");
        return;
    }
    let rows = rows(&folder);
    assert!(!rows.is_empty(), "truth.csv has no images");
    let mut wrong = Vec::new();
    for row in &rows {
        let (found, bytes) = read(&folder.join(&row.path));
        if bytes > 80_000 {
            wrong.push(format!("{}: {bytes} bytes read", row.path));
        }
        if let Some(what) = mistake(row, found) {
            if row.is_ambiguous {
                println!("either is fine: {}: {what}", row.path);
            } else {
                wrong.push(format!("{}: {what}", row.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
