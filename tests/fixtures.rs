//! Every fixture is what its manifest says: its bytes, its facts, or its error.

use mediaprep::Outcome;
use mediaprep_tests::{Facts, Fixture, all_fixtures, probe};
use sha2::{Digest, Sha256};

fn number(value: Option<&toml::Value>) -> Option<f64> {
    match value? {
        toml::Value::Integer(number) => Some(*number as f64),
        toml::Value::Float(number) => Some(*number),
        toml::Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn stated(entry: &Fixture) -> Facts {
    Facts {
        width: number(entry.width.as_ref()),
        height: number(entry.height.as_ref()),
        orientation: entry.orientation,
        duration: entry.duration_s.as_deref().map(|text| text.parse().unwrap()),
        fps: number(entry.fps.as_ref()),
        has_audio: entry.has_audio,
        sample_rate: entry.sample_rate,
        channels: entry.channels,
        pages: entry.pages,
    }
}

#[test]
fn facts_are_those_of_the_manifests() {
    let mut wrong = Vec::new();
    let (mut right, mut refused) = (0, 0);
    for (path, entry) in all_fixtures() {
        let expects_error = entry.expect.as_deref() == Some("error");
        match probe(&path) {
            Outcome::Media(probed) if !expects_error => {
                let differences = Facts::of(&probed).differences(&stated(&entry));
                right += usize::from(differences.is_empty());
                wrong.extend(differences.into_iter().map(|what| format!("{}: {what}", entry.path)));
            }
            Outcome::Failed(error) if expects_error => {
                refused += 1;
                assert!(!error.cause().is_empty() && error.hint().is_some(), "{}", entry.path);
            }
            other => wrong.push(format!("{}: {other:?}", entry.path)),
        }
    }
    println!("{right} fixtures right, {refused} refused as they should be");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right > 100 && refused > 30, "{right} right, {refused} refused");
}

#[test]
fn bytes_are_those_of_the_manifests() {
    for (path, entry) in all_fixtures() {
        let digest = Sha256::digest(std::fs::read(&path).unwrap());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, entry.sha256, "{}", entry.path);
        assert!(!entry.made_by.is_empty() && !entry.shows.is_empty(), "{}", entry.path);
        assert_eq!(entry.licence, "CC0-1.0", "{}", entry.path);
    }
}
