//! Header facts against `shared/media/truth.csv`, where it lies beside the repository.

use std::time::{Duration, Instant};

use mediaprep::Outcome;
use mediaprep_tests::{Facts, probe, shared};
use serde::Deserialize;

#[derive(Deserialize)]
struct Truth {
    path: String,
    kind: String,
    width: Option<f64>,
    height: Option<f64>,
    orientation: Option<u16>,
    duration_s: Option<f64>,
    fps: Option<f64>,
    has_audio: Option<bool>,
    sample_rate: Option<u32>,
    channels: Option<u16>,
    pages: Option<u64>,
    expect: String,
    note: String,
}

/// Rows that come out otherwise, each with the reason.
const KNOWN: &[(&str, &str)] = &[];

impl Truth {
    fn facts(&self) -> Facts {
        // HEIF: the table gives the Exif value, which must not be applied; 0 means upright.
        let is_heif = ["heic", "heif", "hif", "avif"].iter().any(|end| self.path.ends_with(end));
        let orientation = self
            .orientation
            .map(|value| if value == 0 && self.kind == "image" { 1 } else { value });
        Facts {
            width: self.width,
            height: self.height,
            orientation: orientation.filter(|_| !is_heif && self.kind != "pdf"),
            duration: self.duration_s,
            fps: self.fps,
            has_audio: self.has_audio,
            sample_rate: self.sample_rate,
            channels: self.channels,
            pages: self.pages,
        }
    }

    fn judge(&self, outcome: &Outcome) -> Vec<String> {
        let is_ambiguous = self.note.starts_with("AMBIGUOUS");
        match (outcome, self.expect.as_str()) {
            _ if is_ambiguous => Vec::new(),
            (Outcome::Media(probed), "ok") => Facts::of(probed).differences(&self.facts()),
            (Outcome::Failed(_), "error") => Vec::new(),
            (Outcome::Media(_), _) => vec!["read; expected an error".to_owned()],
            (Outcome::Failed(error), _) => vec![format!("{error}: {}", error.cause())],
            (Outcome::Skipped, _) => vec!["skipped; it was named".to_owned()],
        }
    }
}

#[test]
fn facts_are_those_of_independent_tools() {
    let Some(folder) = shared("media") else {
        println!("no shared media beside the repository; nothing to compare");
        return;
    };
    let mut reader = csv::Reader::from_path(folder.join("truth.csv")).unwrap();
    let rows: Vec<Truth> = reader.deserialize().map(Result::unwrap).collect();
    assert!(rows.len() > 300, "only {} rows", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let begun = Instant::now();
        let outcome = probe(&folder.join(&row.path));
        assert!(begun.elapsed() < Duration::from_secs(5), "{} hangs", row.path);
        let known = KNOWN.iter().any(|(path, _)| *path == row.path);
        let differences = row.judge(&outcome);
        assert!(!known || !differences.is_empty(), "{} is right after all", row.path);
        if !known {
            wrong.extend(differences.into_iter().map(|what| format!("{}: {what}", row.path)));
        }
    }
    println!("{} of {} rows right", rows.len() - KNOWN.len(), rows.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
