//! Replays the manifest of the fixtures, and damages every one of them.
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may")]

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use mediaprep_media::Limits;
use mediaprep_pdf::{Error, probe};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/pdf"))
}

fn rows() -> Vec<toml::Table> {
    let text = fs::read_to_string(folder().join("MANIFEST.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let rows = manifest["file"].as_array().unwrap();
    assert!(rows.len() > 20, "the manifest has only {} files", rows.len());
    rows.iter().map(|row| row.as_table().unwrap().clone()).collect()
}

fn text<'r>(row: &'r toml::Table, key: &str) -> &'r str {
    row[key].as_str().unwrap()
}

/// Decimal points in thousandths.
fn thousandths(points: &str) -> u32 {
    (points.parse::<f64>().unwrap() * 1000.0).round() as u32
}

#[test]
fn every_fixture_is_as_stated() {
    let mut wrong = Vec::new();
    for row in rows() {
        let name = text(&row, "path");
        let bytes = fs::read(folder().join(name)).unwrap();
        let result = probe(&mut Cursor::new(bytes), &Limits::default(), None);
        let right = match (&result, text(&row, "expect")) {
            (Ok(found), "ok") => {
                let (width, height) = found.value.first_page().unwrap().displayed();
                let near = |side: u32, key| side.abs_diff(thousandths(text(&row, key))) <= 1;
                found.value.encrypted == name.starts_with("encrypted")
                    && found.value.pages() == row["pages"].as_integer().unwrap() as u64
                    && near(width, "width")
                    && near(height, "height")
            }
            (Err(_), "error") => true,
            _ => false,
        };
        if !right {
            wrong.push(format!("{name}: {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn passwords_open_what_is_locked() {
    for name in ["locked-rc4.pdf", "locked-aes128.pdf", "locked-aes256.pdf"] {
        let bytes = fs::read(folder().join(name)).unwrap();
        let open = |password: Option<&str>| {
            let password = password.map(str::as_bytes);
            probe(&mut Cursor::new(&bytes), &Limits::default(), password)
        };
        for password in ["user", "owner"] {
            let found = open(Some(password)).unwrap();
            assert_eq!((found.value.pages(), found.value.encrypted), (2, true), "{name}");
        }
        for password in [None, Some(""), Some("wrong")] {
            assert!(matches!(open(password), Err(Error::Encrypted { .. })), "{name}");
        }
    }
}

#[test]
fn damage_gives_an_error_or_a_result() {
    let mut limits = Limits::default();
    limits.max_probe_memory = 4 << 20;
    for row in rows() {
        let bytes = fs::read(folder().join(text(&row, "path"))).unwrap();
        let read = |bytes: &[u8]| {
            if let Ok(found) = probe(&mut Cursor::new(bytes), &limits, None) {
                assert!(found.value.pages() > 0);
            }
        };
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 40) {
            read(&bytes[..length]);
        }
        let mut damaged = bytes.clone();
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 100) {
            for flip in [0x01, 0xff] {
                damaged[at] ^= flip;
                read(&damaged);
                damaged[at] = bytes[at];
            }
        }
    }
}
