//! The project's own fixtures: their manifest, exact lengths, damage, and another reader's opinion.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::io::Cursor;
use std::path::{Path, PathBuf};

use mediaprep_audio::{AudioInfo, Error, probe};
use mediaprep_media::{
    Duration, Limits, MeteredSource, MimeType, Provenance, SNIFF_LENGTH, Sourced, Warned,
    WarningCode, sniff,
};
use proptest::prelude::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/audio")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

/// Every file of the manifest with its facts.
fn manifest() -> Vec<toml::Table> {
    let text = std::fs::read_to_string(folder().join("MANIFEST.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let files = table["file"].as_array().unwrap();
    assert!(files.len() > 40, "only {} fixtures were found", files.len());
    files.iter().map(|file| file.as_table().unwrap().clone()).collect()
}

fn by_name(name: &str) -> MimeType {
    let extension = name.rsplit('.').next().unwrap();
    let same = |mime: &&MimeType| mime.extension() == extension;
    match extension {
        "mp2" => MimeType::Mp3,
        "oga" | "spx" => MimeType::Ogg,
        "aifc" => MimeType::Aiff,
        _ => *MimeType::ALL.iter().find(same).unwrap(),
    }
}

fn open(bytes: &[u8], mime: MimeType) -> Result<Warned<AudioInfo>, Error> {
    probe(&mut Cursor::new(bytes), mime, &Limits::default())
}

fn facts(name: &str) -> Warned<AudioInfo> {
    open(&read(name), by_name(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Samples before and after delay and padding are removed.
fn samples(name: &str) -> (u64, u64) {
    let info = facts(name).value;
    let rate = info.sample_rate.unwrap();
    let count = |fact: Option<Sourced<Duration>>| {
        let length = fact.unwrap().value;
        assert_eq!(length.timescale(), rate, "{name}");
        length.ticks()
    };
    (count(info.container), count(info.decoded))
}

#[test]
fn the_manifest_is_met() {
    for file in manifest() {
        let name = file["path"].as_str().unwrap();
        let found = open(&read(name), by_name(name));
        if file["expect"].as_str() == Some("error") {
            assert!(found.is_err(), "{name} was read: {found:?}");
            continue;
        }
        let info = found.unwrap_or_else(|error| panic!("{name}: {error}")).value;
        assert_eq!(info.sample_rate.map(i64::from), file["sample_rate"].as_integer(), "{name}");
        assert_eq!(info.channels.map(i64::from), file["channels"].as_integer(), "{name}");
        let wanted = Duration::from_decimal(file["duration_s"].as_str().unwrap()).unwrap();
        // ffprobe reads a cut file's stated length, and MP3 in WAV by the byte rate.
        let tenth = Duration::from_micros(100_000);
        let found = info.container.unwrap().value;
        let apart = wanted.saturating_sub(found).max(found.saturating_sub(wanted));
        assert!(apart <= tenth, "{name}: {found} is not {wanted}");
    }
}

#[test]
fn fixtures_are_named_by_their_bytes() {
    for file in manifest() {
        let name = file["path"].as_str().unwrap();
        let found = sniff(&read(name));
        let hidden = ["garbage-around.mp3", "headless.flac", "damaged-empty.wav"].contains(&name)
            || name == "damaged-counting.mp3";
        assert!(hidden || found == Some(by_name(name)), "{name} is sniffed as {found:?}");
    }
}

/// What ffmpeg's decoder gives for each file, in samples, beside what its frames hold.
#[test]
fn delay_and_padding_are_told_apart() {
    for (name, whole, heard) in [
        ("tone-cbr-info.mp3", 17_280, 16_000),
        ("tone-id3-picture.mp3", 17_280, 16_000),
        ("tone-vbr-xing.mp3", 45_504, 44_100),
        ("tone-vbr-headerless.mp3", 45_504, 45_504),
        ("tone-cbr-headerless.mp3", 49_536, 49_536),
        ("tagged-tail.mp3", 45_504, 45_504),
        ("garbage-around.mp3", 45_504, 45_504),
        ("tone.opus", 48_312, 48_000),
        ("minute.opus", 2_880_312, 2_880_000),
        ("chained.opus", 48_312 + 24_312, 72_000),
        ("tone-alac.caf", 8192, 8192),
        ("tone-vorbis.ogg", 8000, 8000),
        ("tone.aac", 17_408, 17_408),
        ("headless.flac", 8000, 8000),
        ("tone-gsm.wav", 8000, 8000),
    ] {
        assert_eq!(samples(name), (whole, heard), "{name}");
    }
}

#[test]
fn headers_and_counted_frames_are_told_apart() {
    let from = |name| facts(name).value.container.unwrap().from;
    for name in ["tone-s16.wav", "tone.flac", "tone.opus", "tone-cbr-info.mp3"] {
        assert_eq!(from(name), Provenance::Header, "{name}");
    }
    for name in ["tone.aac", "no-total.flac", "tone-vbr-headerless.mp3", "chained.opus"] {
        assert_eq!(from(name), Provenance::Scan, "{name}");
    }
}

#[test]
fn cut_files_say_so() {
    for name in ["cut.wav", "cut.mp3"] {
        let codes: Vec<_> = facts(name).warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, [WarningCode::Damaged], "{name}");
    }
    let cut = facts("cut.mp3").value;
    assert!(cut.decoded.unwrap().value <= cut.container.unwrap().value);
    let empty = facts_of_empty_wav();
    assert!(empty.warnings.iter().any(|warning| warning.code == WarningCode::EmptyAudio));
}

fn facts_of_empty_wav() -> Warned<AudioInfo> {
    let mut bytes = read("tone-s16.wav");
    bytes.truncate(bytes.len() - 16_000);
    open(&bytes, MimeType::Wav).unwrap()
}

#[test]
fn only_little_is_read_where_a_header_tells() {
    for (name, most) in [
        ("tone-s16.wav", 4096),
        ("tone.flac", 4096),
        ("tone-cbr-info.mp3", 4096),
        ("tone.aiff", 4096),
        ("tone-id3-picture.mp3", 16 << 10),
        ("minute.opus", 28 << 10),
    ] {
        let bytes = read(name);
        let length = bytes.len() as u64;
        let cursor = Cursor::new(bytes);
        let mut source = MeteredSource::new(cursor, length, SNIFF_LENGTH, u64::MAX).unwrap();
        probe(&mut source, by_name(name), &Limits::default()).unwrap();
        assert!(source.bytes_read() <= most, "{name}: {} bytes", source.bytes_read());
    }
}

#[test]
fn limits_are_kept() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let bytes = read("minute.opus");
    let short = limits(|limits| limits.max_seconds = 10);
    let refused = probe(&mut Cursor::new(&bytes), MimeType::Opus, &short);
    assert!(matches!(refused, Err(Error::Limit(_))));
    let wrong = open(&bytes, MimeType::Pdf);
    assert!(matches!(wrong, Err(Error::Unsupported(_))));
}

/// Two thousand times the same frames, too long for the reading limit: a length from a part of them.
#[test]
fn long_streams_are_estimated_within_the_reading_limit() {
    for (name, warned) in [("tone.aac", true), ("tone-cbr-headerless.mp3", false)] {
        let bytes = read(name).repeat(2000);
        let mut limits = Limits::default();
        limits.max_probe_bytes = bytes.len() as u64 / 2;
        let length = bytes.len() as u64;
        let mut source =
            MeteredSource::new(Cursor::new(bytes), length, SNIFF_LENGTH, limits.max_probe_bytes)
                .unwrap();
        let found = probe(&mut source, by_name(name), &limits).unwrap();
        let wanted = facts(name).value.decoded.unwrap().value.as_seconds_f64() * 2000.0;
        let seconds = found.value.decoded.unwrap().value.as_seconds_f64();
        assert!((seconds / wanted - 1.0).abs() < 0.02, "{name}: {seconds} is not {wanted}");
        let estimated = found.warnings.iter().any(|w| w.code == WarningCode::DurationEstimated);
        assert_eq!(estimated, warned, "{name}: {:?}", found.warnings);
        assert!(source.bytes_read() < 700_000, "{name}: {} bytes", source.bytes_read());
    }
}

/// Files put together from several have the first one's summary.
#[test]
fn a_summary_of_a_part_is_not_believed() {
    let twice = read("tone-vbr-xing.mp3").repeat(2);
    let info = open(&twice, MimeType::Mp3).unwrap().value;
    let frames = info.container.unwrap().value.ticks() / 576;
    assert!((157..=160).contains(&frames), "{frames} frames");
}

#[test]
fn symphonia_agrees_where_it_reads_the_same_thing() {
    let mut compared = 0;
    for name in [
        "tone-u8.wav",
        "tone-s16.wav",
        "tone-s24.wav",
        "tone-f32.wav",
        "stereo-s16.wav",
        "tone-alaw.wav",
        "silence.wav",
        "tone.aiff",
        "tone-alaw.aifc",
        "tone-s16.caf",
        "tone-cbr-info.mp3",
        "tone-vbr-xing.mp3",
        "tone-id3-picture.mp3",
        "tone.flac",
        "tone-vorbis.ogg",
        "tone.opus",
        "tone-flac.oga",
        "minute.opus",
    ] {
        let (rate, heard) = symphonia_says(name);
        let info = facts(name).value;
        assert_eq!(info.sample_rate, Some(rate), "{name}");
        // Symphonia leaves the samples that Opus skips in its count.
        let whole = name.ends_with(".opus");
        let ours = if whole { info.container } else { info.decoded }.unwrap().value;
        assert_eq!(Some(ours), Duration::new(heard, rate), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 18);
}

fn symphonia_says(name: &str) -> (u32, u64) {
    use symphonia::core::formats::{FormatOptions, TrackType, probe::Hint};
    use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
    use symphonia::core::meta::MetadataOptions;

    let bytes = Box::new(Cursor::new(read(name)));
    let stream = MediaSourceStream::new(bytes, MediaSourceStreamOptions::default());
    let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
    let found = symphonia::default::get_probe().probe(&Hint::new(), stream, format, metadata);
    let reader = found.unwrap_or_else(|error| panic!("{name}: {error}"));
    let track = reader.default_track(TrackType::Audio).unwrap();
    let sound = track.codec_params.as_ref().unwrap().audio().unwrap();
    (sound.sample_rate.unwrap(), track.num_frames.unwrap())
}

#[test]
fn every_cut_gives_an_error_or_a_result() {
    for file in manifest() {
        let name = file["path"].as_str().unwrap();
        let bytes = read(name);
        let lengths = (0..bytes.len().min(300)).chain((300..bytes.len()).step_by(331));
        for length in lengths {
            let _ = open(&bytes[..length], by_name(name));
        }
    }
}

#[test]
fn every_flipped_byte_gives_an_error_or_a_result() {
    for file in manifest() {
        let name = file["path"].as_str().unwrap();
        let bytes = read(name);
        for at in (0..bytes.len().min(200)).chain((200..bytes.len()).step_by(401)) {
            for mask in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= mask;
                let _ = open(&damaged, by_name(name));
            }
        }
    }
}

const FORMATS: [(MimeType, &[u8]); 9] = [
    (MimeType::Wav, b"RIFF\0\0\0\0WAVEfmt "),
    (MimeType::Aiff, b"FORM\0\0\0\0AIFFCOMM"),
    (MimeType::Caf, b"caff\0\x01\0\0desc"),
    (MimeType::Flac, b"fLaC\0\0\0\x22"),
    (MimeType::Ogg, b"OggS\0\x02"),
    (MimeType::Opus, b"OggS\0\x02"),
    (MimeType::Mp3, b"\xff\xfb\x90\0"),
    (MimeType::Aac, b"\xff\xf1\x50\x80"),
    (MimeType::Amr, b"#!AMR\n"),
];

proptest! {
    #[test]
    fn any_bytes_give_an_error_or_a_result(
        format in 0..FORMATS.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        budget in 0u64..4000,
    ) {
        let (mime, magic) = FORMATS[format];
        let mut with_magic = magic.to_vec();
        with_magic.extend_from_slice(&bytes);
        let mut limits = Limits::default();
        let _ = probe(&mut Cursor::new(&with_magic), mime, &limits);
        limits.max_probe_bytes = budget;
        limits.max_probe_memory = budget;
        let _ = probe(&mut Cursor::new(&with_magic), mime, &limits);
        let _ = open(&bytes, mime);
    }

    #[test]
    fn damaged_fixtures_keep_their_promises(
        index in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let files = manifest();
        let name = files[index.index(files.len())]["path"].as_str().unwrap();
        let mut bytes = read(name);
        prop_assume!(!bytes.is_empty());
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = open(&bytes, by_name(name));
    }
}
