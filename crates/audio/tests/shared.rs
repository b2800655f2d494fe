//! The shared test media and measurements, where they lie beside the repository.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use mediaprep_audio::{AudioInfo, Error, probe};
use mediaprep_media::{
    Duration, Limits, MeteredSource, MimeType, SNIFF_LENGTH, Sourced, Warned, sniff,
};

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {name} is not here");
    None
}

fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

struct Probed {
    facts: Result<Warned<AudioInfo>, Error>,
    bytes_read: u64,
    seconds: f64,
}

/// Probes as the engine does: one open file, sniffed by its first bytes.
fn open(path: &Path, hint: Option<MimeType>) -> Probed {
    let file = File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    let limits = Limits::default();
    let started = std::time::Instant::now();
    let mut source =
        MeteredSource::new(file, length, SNIFF_LENGTH, limits.max_probe_bytes).unwrap();
    let mime = sniff(source.head()).or(hint);
    let facts = match mime {
        Some(mime) => probe(&mut source, mime, &limits),
        None => Err(Error::Unsupported("an unknown format")),
    };
    Probed { facts, bytes_read: source.bytes_read(), seconds: started.elapsed().as_secs_f64() }
}

fn length(fact: Option<Sourced<Duration>>) -> Option<f64> {
    fact.map(|fact| fact.value.as_seconds_f64())
}

/// What is wrong with the facts of a row that must be read.
fn mismatch(row: &HashMap<String, String>, info: &AudioInfo) -> Option<String> {
    let wanted: f64 = row["duration_s"].parse().unwrap();
    let tolerance = (wanted * 0.02).max(0.1);
    let near = |found: Option<f64>| found.is_some_and(|found| (found - wanted).abs() <= tolerance);
    let rate = info.sample_rate.map(|rate| rate.to_string()).unwrap_or_default();
    let channels = info.channels.map(|count| count.to_string()).unwrap_or_default();
    let right =
        near(length(info.container)) && rate == row["sample_rate"] && channels == row["channels"];
    (!right).then(|| {
        format!(
            "wanted {wanted} s {} Hz {} ch, found {info:?}",
            row["sample_rate"], row["channels"]
        )
    })
}

#[test]
fn the_truth_table_is_met() {
    let Some(folder) = shared("media") else { return };
    let in_containers = [".mp4", ".m4a", ".m4b", ".3gp", ".webm", ".asf", ".wma"];
    let (mut checked, mut wrong) = (0, Vec::new());
    for row in rows(&folder.join("truth.csv")) {
        let path = &row["path"];
        if row["kind"] != "audio" || in_containers.iter().any(|end| path.ends_with(end)) {
            continue;
        }
        checked += 1;
        let probed = open(&folder.join(path), None);
        let (read, seconds) = (probed.bytes_read, probed.seconds);
        println!("{path}: {read} bytes, {:.0} µs, {:?}", seconds * 1e6, probed.facts);
        assert!(seconds < 1.0, "{path} took {seconds} s");
        let ambiguous = row["note"].starts_with("AMBIGUOUS");
        match (row["expect"].as_str(), &probed.facts) {
            ("ok", Ok(found)) if !ambiguous => {
                wrong.extend(mismatch(&row, &found.value).map(|text| format!("{path}: {text}")));
            }
            ("ok", Err(error)) if !ambiguous => wrong.push(format!("{path}: {error}")),
            ("error", Ok(found)) if !ambiguous => wrong.push(format!("{path}: read {found:?}")),
            _ => {}
        }
    }
    assert!(checked > 40, "only {checked} rows were found");
    assert!(wrong.is_empty(), "{} of {checked} rows are wrong: {wrong:#?}", wrong.len());
}

/// Both lengths of every measured sound, to the microsecond that is printed.
#[test]
fn measured_lengths_are_met_to_the_microsecond() {
    let Some(folder) = shared("measured") else { return };
    let mut checked = 0;
    for row in rows(&folder.join("media.csv")) {
        let name = &row["media"];
        if row["kind"] != "audio" {
            continue;
        }
        checked += 1;
        let info = open(&folder.join("media").join(name), None).facts.unwrap().value;
        let rate: u32 = row["sample_rate"].parse().unwrap();
        assert_eq!(info.sample_rate, Some(rate), "{name}");
        assert_eq!(info.channels.map(|count| count.to_string()).as_ref(), Some(&row["channels"]));
        let close = |fact: Option<Sourced<Duration>>, column: &str| {
            let found = fact.unwrap().value;
            let micros = u128::from(found.ticks()) * 1_000_000 / u128::from(found.timescale());
            let wanted = Duration::from_decimal(&row[column]).unwrap();
            let wanted = u128::from(wanted.ticks()) * 1_000_000 / u128::from(wanted.timescale());
            assert!(micros.abs_diff(wanted) <= 1, "{name} {column}: {micros} is not {wanted} µs");
        };
        close(info.decoded, "decoded_duration_s");
        // ffprobe estimates ADTS from its first frames' bit rate: 0.831932 s for 13 frames of
        // 1024 samples at 16 kHz, which last 0.832 s.
        if !name.ends_with(".aac") {
            close(info.container, "container_duration_s");
        }
    }
    assert!(checked >= 9, "only {checked} sounds were found");
}

/// What the service charges by `token-rules.md` sections 4.6 and 5 for one sound alone.
fn charge(row: &HashMap<String, String>, info: &AudioInfo) -> Option<u128> {
    let model = if row["model_version"].is_empty() { &row["model"] } else { &row["model_version"] };
    let model = model.trim_start_matches("models/");
    let vertex = row["endpoint"] == "vertex";
    let container = info.container?.value;
    let decoded = info.decoded?.value;
    let fraction = |d: Duration| (u128::from(d.ticks()), u128::from(d.timescale()));
    let total = |rate: u128, d: Duration| (rate * fraction(d).0, fraction(d).1);
    let seconds_down = u128::from(container.whole_seconds());
    let seconds_up = fraction(container).0.div_ceil(fraction(container).1);
    let first = &row["first"];
    Some(if model.starts_with("gemini-1.5") || (model.starts_with("gemini-2.0") && !vertex) {
        25 * seconds_down
    } else if vertex && model.starts_with("gemini-2") {
        if first.as_str() < "2026" { 25 * seconds_down } else { 25 * seconds_up }
    } else if model.starts_with("gemini-2.5") {
        let (n, d) = total(32, container);
        n / d + 1
    } else if model.starts_with("gemini-3") {
        let (n, d) = total(25, decoded);
        let early = model.starts_with("gemini-3-") && first.as_str() < "2026-01-20" && !vertex;
        if early { n / d } else { n.div_ceil(d) }
    } else {
        return None;
    })
}

#[test]
fn the_service_charged_for_these_lengths() {
    let Some(folder) = shared("measured") else { return };
    let (mut checked, mut wrong) = (0, Vec::new());
    for row in rows(&folder.join("points.csv")) {
        if row["kinds"] != "audio" || row["audio_tokens"].is_empty() {
            continue;
        }
        let info = open(&folder.join("media").join(&row["media"]), None).facts.unwrap().value;
        let Some(charged) = charge(&row, &info) else { continue };
        checked += 1;
        if charged.to_string() != row["audio_tokens"] {
            wrong.push(format!(
                "{} {}: {charged}, not {}",
                row["example"], row["media"], row["audio_tokens"]
            ));
        }
    }
    assert!(checked > 40, "only {checked} points were found");
    assert!(wrong.is_empty(), "{} of {checked} points are missed: {wrong:#?}", wrong.len());
}
