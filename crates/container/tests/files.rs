//! Facts of whole files: the project's own fixtures, and the shared test media where they exist.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper that cannot go on fails its test, and says what it skips"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use mediaprep_container::{AudioTrack, ContainerInfo, Error, Track, TrackKind, VideoTrack, probe};
use mediaprep_media::{Duration, Limits, MeteredSource, MimeType, SNIFF_LENGTH, sniff};

/// The expected facts of one file, by column name; an empty value is not checked.
type Row = BTreeMap<String, String>;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/video")
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if !path.exists() {
        println!("{} is absent: skipped", path.display());
        return None;
    }
    Some(path)
}

fn read(path: &Path) -> Option<(MimeType, Result<ContainerInfo, Error>)> {
    let file = File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    let limits = Limits::default();
    let mut source =
        MeteredSource::new(file, length, SNIFF_LENGTH, limits.max_probe_bytes).unwrap();
    let mime = sniff(source.head()).filter(|&mime| is_ours(mime))?;
    Some((mime, probe(&mut source, mime, &limits).map(|found| found.value)))
}

fn is_ours(mime: MimeType) -> bool {
    needs_ffmpeg(mime)
        || matches!(
            mime,
            MimeType::Mp4
                | MimeType::QuickTime
                | MimeType::ThreeGpp
                | MimeType::Webm
                | MimeType::Matroska
        )
}

fn needs_ffmpeg(mime: MimeType) -> bool {
    matches!(
        mime,
        MimeType::Avi | MimeType::Flv | MimeType::Mpeg | MimeType::MpegTs | MimeType::Wmv
    )
}

fn first_video(info: &ContainerInfo) -> Option<(&Track, &VideoTrack)> {
    info.video_tracks().find(|(_, video)| !video.attached_picture && video.frames != Some(0))
}

fn first_audio(info: &ContainerInfo) -> Option<&AudioTrack> {
    info.audio_tracks().map(|(_, audio)| audio).next()
}

/// 0.1 s or 2 %, whichever is larger.
fn near(found: Option<Duration>, expected: f64) -> bool {
    let Some(found) = found else { return false };
    (found.as_seconds_f64() - expected).abs() <= (expected * 0.02).max(0.1)
}

/// What differs between the facts found and those expected.
fn differences(info: &ContainerInfo, row: &Row, is_sound: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |what: &str, found: String| {
        if let Some(expected) = row.get(what).filter(|value| !value.is_empty())
            && *expected != found
        {
            wrong.push(format!("{what}: found {found}, expected {expected}"));
        }
    };
    if let Some((_, video)) = first_video(info) {
        compare("width", video.displayed.width().to_string());
        compare("height", video.displayed.height().to_string());
        compare("orientation", video.rotation.to_string());
    }
    let audio = first_audio(info);
    compare("has_audio", audio.is_some().to_string());
    if let Some(audio) = audio {
        compare("sample_rate", audio.sample_rate.to_string());
        compare("channels", audio.channels.to_string());
    }
    let number = |what: &str| row.get(what).and_then(|text| text.parse::<f64>().ok());
    if let Some(expected) = number("duration_s") {
        let container = info.duration.map(|duration| duration.value);
        let decoded = audio.and_then(|audio| audio.decoded).filter(|_| is_sound);
        if !near(container, expected) && !near(decoded, expected) {
            wrong.push(format!("duration: {container:?} or {decoded:?}, expected {expected}"));
        }
    }
    if let Some(expected) = number("fps") {
        let rate = first_video(info).and_then(|(_, video)| video.frame_rate);
        let found = rate.map_or(0.0, |rate| rate.as_f64());
        if (found - expected).abs() > expected * 0.005 {
            wrong.push(format!("fps: found {found}, expected {expected}"));
        }
    }
    wrong
}

fn manifest() -> Vec<Row> {
    let text = fs::read_to_string(fixtures().join("MANIFEST.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let text_of = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |file: &toml::Value| {
        let file = file.as_table().unwrap();
        file.iter().map(|(key, value)| (key.clone(), text_of(value))).collect()
    };
    table["file"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn every_fixture_has_the_facts_of_its_manifest() {
    let rows = manifest();
    assert!(rows.len() > 30, "only {} fixtures", rows.len());
    for row in rows {
        let name = &row["path"];
        let (mime, found) = read(&fixtures().join(name)).expect(name);
        if needs_ffmpeg(mime) && cfg!(not(feature = "ffmpeg")) {
            assert!(matches!(found, Err(Error::Backend { .. })), "{name}");
            continue;
        }
        if row["expect"] == "error" {
            assert!(matches!(found, Err(Error::Malformed { .. })), "{name}: {found:?}");
            continue;
        }
        let info = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_sound = first_video(&info).is_none();
        assert_eq!(differences(&info, &row, is_sound), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn edit_lists_and_priming_are_exact() {
    let info = |name: &str| read(&fixtures().join(name)).unwrap().1.unwrap();
    let seconds = |numerator, denominator| Duration::new(numerator, denominator);
    let track = |name: &str| info(name).tracks[0].clone();
    let presented = |track: &Track| track.presented.map(|presented| presented.value);

    let cut = track("cut-by-copy.mp4");
    assert_eq!((presented(&cut), cut.span), (seconds(3, 2), seconds(2, 1)));
    let TrackKind::Video(video) = &cut.kind else { panic!("no video") };
    assert_eq!(video.frames, Some(15));

    let late = track("empty-edit.mp4");
    assert_eq!((Some(late.delay), presented(&late)), (seconds(3, 2), seconds(2, 1)));
    assert_eq!(info("empty-edit.mp4").duration.map(|d| d.value), seconds(7, 2));

    let ntsc = track("ntsc-silent.mp4");
    assert_eq!(presented(&ntsc), seconds(2002, 1000));

    for name in ["aac-priming.m4a", "alac.m4a"] {
        let info = info(name);
        assert_eq!(first_audio(&info).unwrap().decoded, seconds(3, 2), "{name}");
    }
    for name in ["opus.mka", "vp9-opus.webm"] {
        let info = info(name);
        assert_eq!(first_audio(&info).unwrap().decoded, seconds(1, 1), "{name}");
    }
    assert!(info("fragmented.mp4").fragmented);
    assert_eq!(track("fragmented.mp4").presented.map(|p| p.value), seconds(2, 1));
}

#[test]
fn damaged_fixtures_give_an_error_or_a_result() {
    let mut probed = 0;
    for row in manifest() {
        let bytes = fs::read(fixtures().join(&row["path"])).unwrap();
        let Some(mime) = sniff(&bytes) else { continue };
        let limits = Limits::default();
        let cuts = (0..bytes.len()).step_by(bytes.len() / 40 + 1).chain([bytes.len() - 1]);
        for cut in cuts {
            let _ = probe(&mut std::io::Cursor::new(&bytes[..cut]), mime, &limits);
            probed += 1;
        }
        for at in (0..bytes.len()).step_by(bytes.len() / 60 + 1) {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                let _ = probe(&mut std::io::Cursor::new(bytes), mime, &limits);
                probed += 1;
            }
        }
    }
    assert!(probed > 1000, "only {probed} damaged files");
}

#[test]
fn the_shared_media_agree_with_their_truth() {
    let Some(folder) = shared("media") else { return };
    let mut table = csv::Reader::from_path(folder.join("truth.csv")).unwrap();
    let (mut checked, mut wrong) = (0, Vec::new());
    for row in table.deserialize::<Row>() {
        let row = row.unwrap();
        let name = row["path"].clone();
        if !matches!(row["kind"].as_str(), "video" | "audio") {
            continue;
        }
        let Some((mime, found)) = read(&folder.join(&name)) else { continue };
        if needs_ffmpeg(mime) && cfg!(not(feature = "ffmpeg")) {
            continue;
        }
        checked += 1;
        let ambiguous = row["note"].starts_with("AMBIGUOUS");
        match found {
            _ if ambiguous => {}
            Ok(_) if row["expect"] == "error" => wrong.push(format!("{name}: read")),
            Ok(info) => {
                let found = differences(&info, &row, row["kind"] == "audio");
                wrong.extend(found.iter().map(|difference| format!("{name}: {difference}")));
            }
            Err(error) if row["expect"] == "ok" => wrong.push(format!("{name}: {error}")),
            Err(_) => {}
        }
    }
    assert!(checked > 80, "only {checked} files");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_measured_videos_agree_to_the_millisecond() {
    let Some(folder) = shared("measured") else { return };
    let mut table = csv::Reader::from_path(folder.join("media.csv")).unwrap();
    let mut checked = 0;
    for row in table.deserialize::<Row>().map(Result::unwrap) {
        if row["kind"] != "video" {
            continue;
        }
        let name = &row["media"];
        let (_, found) = read(&folder.join("media").join(name)).expect(name);
        let info = found.unwrap();
        let (track, video) = first_video(&info).unwrap();
        let close = |found: Option<Duration>, column: &str| {
            let expected: f64 = row[column].parse().unwrap();
            let found = found.unwrap().as_seconds_f64();
            assert!((found - expected).abs() <= 0.001, "{name}: {column} {found} {expected}");
        };
        close(info.duration.map(|duration| duration.value), "container_duration_s");
        close(track.presented.map(|presented| presented.value), "video_duration_s");
        assert_eq!(video.frames.map(|frames| frames.to_string()).as_ref(), row.get("frames"));
        let rate = video.frame_rate.unwrap().as_f64();
        assert!((rate - row["fps"].parse::<f64>().unwrap()).abs() < 1e-5, "{name}: {rate}");
        checked += 1;
    }
    assert!(checked > 0, "no measured video was found");
}
