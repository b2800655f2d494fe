//! Decoding to mono: lengths, levels, channels, windows, damage and limits.

#![cfg(feature = "pcm")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use std::io::Cursor;

use common::*;
use mediaprep_audio::{Error, PcmOptions, decode_mono, probe};
use mediaprep_media::{Duration, Limits, MimeType, WarningCode, Watch};

const FFMPEG: bool = cfg!(feature = "ffmpeg");

fn lenient() -> PcmOptions {
    PcmOptions { allow_truncated: true, ..PcmOptions::default() }
}

/// Whether a file needs a decoder that this build lacks.
fn is_missing(error: &Error) -> bool {
    !FFMPEG
        && matches!(error, Error::Backend { .. } | Error::Unsupported(_) | Error::Malformed { .. })
}

#[test]
fn every_fixture_has_the_length_that_its_probe_says() {
    let mut checked = 0;
    for path in good("audio") {
        let bytes = read(&path);
        let mime = by_name(name(&path));
        let info = probe(&mut Cursor::new(&bytes), mime, &Limits::default()).unwrap();
        let wanted = samples(info.value.decoded.unwrap().value, 16_000);
        match decode(&bytes, mime, &lenient()) {
            Ok(found) => {
                let got = found.value.len() as u64;
                // Symphonia alone passes over some frames of MP3 without a header, and says so.
                let short =
                    !FFMPEG && found.warnings.iter().any(|w| w.code == WarningCode::Damaged);
                assert!(got == wanted || (short && got < wanted), "{}: {got}", name(&path));
                checked += 1;
            }
            Err(error) => assert!(is_missing(&error), "{}: {error}", name(&path)),
        }
    }
    assert!(checked >= if FFMPEG { 41 } else { 20 }, "only {checked} were decoded");
}

/// FFmpeg's `sine` source has an eighth of full scale.
#[test]
fn tones_keep_their_frequency_and_their_level() {
    let wanted = std::f64::consts::FRAC_1_SQRT_2 / 8.0;
    for file in [
        "tone-s16.wav",
        "tone-f32.wav",
        "tone-s24.wav",
        "tone-u8.wav",
        "stereo-s16.wav",
        "tone-alaw.wav",
        "tone.aiff",
        "tone.flac",
        "tone-flac.oga",
        "tone-s16.caf",
        "tone-cbr-info.mp3",
        "tone-vorbis.ogg",
        "tone-ms-adpcm.wav",
    ] {
        let found = decode(&read(&fixtures("audio").join(file)), by_name(file), &lenient());
        let found = found.unwrap().value;
        let inner = &found[800..found.len() - 800];
        // FFmpeg spreads one channel over two at equal power.
        let wanted = wanted * if file.starts_with("stereo") { 0.5f64.sqrt() } else { 1.0 };
        let (heard, all) = (level_at(inner, 440.0, 16_000), level(inner));
        assert!((heard / wanted - 1.0).abs() < 0.06, "{file}: {heard} is not {wanted}");
        assert!((heard / all - 1.0).abs() < 0.06, "{file}: only {heard} of {all} is the tone");
    }
}

#[test]
#[cfg(feature = "ffmpeg")]
fn soundtracks_have_the_length_that_their_container_says() {
    let mut checked = 0;
    for path in good("video") {
        let bytes = read(&path);
        let mime = kind_of(&path, &bytes);
        let found =
            mediaprep_container::probe(&mut Cursor::new(&bytes), mime, &Limits::default()).unwrap();
        let Some((track, audio)) = found.value.audio_tracks().next() else {
            let refused = decode(&bytes, mime, &PcmOptions::default());
            assert!(matches!(refused, Err(Error::Unsupported(_))), "{}", name(&path));
            continue;
        };
        let decoded = decode(&bytes, mime, &PcmOptions::default());
        let decoded = decoded.unwrap_or_else(|error| panic!("{}: {error}", name(&path)));
        let got = decoded.value.len() as u64;
        if let Some(length) = audio.decoded {
            let silence = samples(track.delay, 16_000);
            assert_eq!(got, samples(length, 16_000) + silence, "{}", name(&path));
        }
        assert!(got > 8000, "{}", name(&path));
        let silent = name(&path) == "still-90s.mp4";
        assert_eq!(level(&decoded.value) < 0.01, silent, "{}", name(&path));
        checked += 1;
    }
    assert!(checked >= 14, "only {checked} soundtracks were decoded");
}

/// Both at the file's own rate, so that decoders alone are compared.
#[test]
fn waves_are_those_of_the_ffmpeg_program() {
    let mut compared = 0;
    let paths = good("audio").into_iter().chain(if FFMPEG { good("video") } else { Vec::new() });
    for path in paths {
        let Some(theirs) = program(&path, None) else {
            println!("skipped: there is no ffmpeg program");
            return;
        };
        let (bytes, file) = (read(&path), name(&path).to_owned());
        let mime = kind_of(&path, &bytes);
        let Some(rate) = rate_of(&bytes, mime) else { continue };
        let options = PcmOptions { sample_rate: rate, ..lenient() };
        let Ok(ours) = decode(&bytes, mime, &options) else { continue };
        // Files that are cut or fragmented: FFmpeg plays what the file says is not to be heard.
        if theirs.is_empty() || ["cut.mp3", "fragmented-sidx.mp4"].contains(&file.as_str()) {
            continue;
        }
        // Lossy codecs go beyond full scale, which 16 bits cannot.
        let ours: Vec<f32> = ours.value.iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
        let worst = apart(&ours, &theirs);
        assert!(worst < 4.0 / 32_768.0, "{file}: {worst}");
        compared += 1;
    }
    assert!(compared >= if FFMPEG { 50 } else { 18 }, "only {compared} were compared");
}

fn rate_of(bytes: &[u8], mime: MimeType) -> Option<u32> {
    let limits = Limits::default();
    if let Ok(found) = probe(&mut Cursor::new(bytes), mime, &limits) {
        return found.value.sample_rate;
    }
    let found = mediaprep_container::probe(&mut Cursor::new(bytes), mime, &limits).ok()?;
    found.value.audio_tracks().next().map(|(_, audio)| audio.sample_rate)
}

/// The FFmpeg program's resampler is another one, so its pass band differs, but not its place.
#[test]
fn resampled_waves_lie_where_those_of_the_ffmpeg_program_lie() {
    for file in ["tone-vbr-xing.mp3", "tone.flac", "tone-s16.wav", "stereo-s16.wav"] {
        let path = fixtures("audio").join(file);
        let Some(theirs) = program(&path, Some(16_000)) else {
            println!("skipped: there is no ffmpeg program");
            return;
        };
        let ours = decode(&read(&path), by_name(file), &PcmOptions::default()).unwrap().value;
        let inner = 400..ours.len() - 400;
        let difference: Vec<f32> = inner.map(|n| ours[n] - theirs[n]).collect();
        let part = level(&difference) / level(&ours);
        // A shift by one sample would be 2π·440/16000 = 0.17 of the level.
        assert!(part < 0.01, "{file}: {part}");
    }
}

#[test]
fn channels_are_weighed_as_documented() {
    let value = |part: f64| (part * 32_768.0).round() / 32_768.0;
    for (channels, weights) in [
        (1usize, vec![1.0]),
        (2, vec![0.5, 0.5]),
        (6, vec![0.2071, 0.2071, 0.2929, 0.0, 0.1464, 0.1464]),
    ] {
        for (loud, weight) in weights.iter().enumerate() {
            let frame: Vec<i16> =
                (0..channels).map(|c| if c == loud { 16_384 } else { 0 }).collect();
            let bytes = make_wav(16_000, u16::try_from(channels).unwrap(), &frame.repeat(500));
            let found = decode(&bytes, MimeType::Wav, &PcmOptions::default()).unwrap().value;
            assert_eq!(found.len(), 500);
            let wanted = value(weight * 0.5);
            let same = found.iter().all(|&s| (f64::from(s) - wanted).abs() < 1e-4);
            assert!(same, "channel {loud} of {channels}: {} is not {wanted}", found[0]);
        }
    }
}

#[test]
fn full_scale_in_every_channel_does_not_clip() {
    for channels in [2u16, 3, 6, 8, 16] {
        let bytes = make_wav(16_000, channels, &vec![i16::MIN; usize::from(channels) * 100]);
        let found = decode(&bytes, MimeType::Wav, &PcmOptions::default()).unwrap().value;
        assert!(
            found.iter().all(|&s| (-1.000_01..-0.999).contains(&s)),
            "{channels}: {}",
            found[0]
        );
    }
}

#[test]
fn a_window_is_a_slice_of_the_whole() {
    let bytes = make_wav(44_100, 1, &tone(44_100, 700.0, 90_000));
    let whole = decode(&bytes, MimeType::Wav, &PcmOptions::default()).unwrap().value;
    assert_eq!(whole.len(), 32_654);
    for (start, end) in
        [(0, 500), (333, 1999), (1000, 9000), (2040, 2041), (5000, 6000), (700, 600)]
    {
        let options = PcmOptions {
            start: Duration::new(start, 1000).unwrap(),
            end: Duration::new(end, 1000),
            ..PcmOptions::default()
        };
        let found = decode(&bytes, MimeType::Wav, &options).unwrap();
        let place = |time: u64| (usize::try_from(time).unwrap() * 16).min(whole.len());
        let wanted = whole.get(place(start)..place(end)).unwrap_or_default();
        assert_eq!(found.value, wanted, "{start} to {end}");
        let empty = found.warnings.iter().any(|warning| warning.code == WarningCode::EmptyAudio);
        assert_eq!(empty, wanted.is_empty());
    }
}

#[test]
fn what_is_cut_is_refused_or_partly_decoded() {
    // Symphonia alone does not open an AIFF file that is cut.
    let files = ["tone-s16.wav", "tone.flac", "tone-cbr-info.mp3", "tone.aiff"];
    for file in files.into_iter().take(if FFMPEG { 4 } else { 3 }) {
        let bytes = read(&fixtures("audio").join(file));
        // The tags at the front of the FLAC file take two thirds of it.
        let part = &bytes[..bytes.len() * 4 / 5];
        let refused = decode(part, by_name(file), &PcmOptions::default());
        assert!(matches!(refused, Err(Error::Malformed { .. })), "{file}: {refused:?}");
        let found = decode(part, by_name(file), &lenient()).unwrap();
        assert!((800..15_000).contains(&found.value.len()), "{file}: {}", found.value.len());
        assert!(found.warnings.iter().any(|w| w.code == WarningCode::Damaged), "{file}");
    }
}

/// Any damage gives an error or some sound, soon.
fn endure(kind: &str, cuts: usize, flips: usize) {
    let watch = Watch::new().within(std::time::Duration::from_secs(60));
    let mut checked = 0;
    for path in good(kind) {
        let bytes = read(&path);
        let mime = kind_of(&path, &bytes);
        let cut = (1..cuts).map(|n| bytes[..bytes.len() * n / cuts].to_vec());
        let flipped = (0..flips).map(|n| {
            let mut damaged = bytes.clone();
            let at = (n * n * 37 + n * 11) % bytes.len();
            damaged[at] ^= [0x01, 0x80, 0xff][n % 3];
            damaged
        });
        for (number, damaged) in cut.chain(flipped).enumerate() {
            let options = if number % 2 == 0 { lenient() } else { PcmOptions::default() };
            let source = Box::new(Cursor::new(damaged));
            let found = decode_mono(source, mime, None, &options, &watch, &mut |_| Ok(()));
            assert!(watch.check().is_ok(), "{} hangs: {found:?}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} damaged files");
}

#[test]
fn damaged_sounds_are_endured() {
    endure("audio", 8, 40);
}

#[test]
#[cfg(feature = "ffmpeg")]
fn damaged_videos_are_endured() {
    endure("video", 6, 16);
}

#[test]
fn limits_and_watches_are_kept() {
    let bytes = make_wav(8000, 1, &vec![0; 8000 * 12]);
    let mut limits = Limits::default();
    limits.max_seconds = 10;
    let options = PcmOptions { limits, ..PcmOptions::default() };
    assert!(matches!(decode(&bytes, MimeType::Wav, &options), Err(Error::Limit(_))));
    let watch = Watch::new();
    watch.stop();
    let source = Box::new(Cursor::new(bytes.clone()));
    let options = PcmOptions::default();
    let stopped = decode_mono(source, MimeType::Wav, None, &options, &watch, &mut |_| Ok(()));
    assert!(matches!(stopped, Err(Error::Io(_))));
    let odd = PcmOptions { sample_rate: 100, ..PcmOptions::default() };
    assert!(matches!(decode(&bytes, MimeType::Wav, &odd), Err(Error::Unsupported(_))));
    let picture = decode(b"\x89PNG\r\n\x1a\n", MimeType::Png, &PcmOptions::default());
    assert!(matches!(picture, Err(Error::Unsupported(_))));
}

#[test]
fn the_shared_sounds_have_their_lengths() {
    let Some(folder) = shared("measured") else {
        println!("skipped: the measured sounds are not here");
        return;
    };
    let mut reader = csv::Reader::from_path(folder.join("media.csv")).unwrap();
    let rows = reader.deserialize().map(Result::unwrap);
    let mut checked = 0;
    for row in rows.filter(|row: &std::collections::HashMap<String, String>| row["kind"] == "audio")
    {
        let path = folder.join("media").join(&row["media"]);
        let bytes = read(&path);
        let found = match decode(&bytes, kind_of(&path, &bytes), &lenient()) {
            Ok(found) => found.value.len() as f64,
            Err(error) if is_missing(&error) => continue,
            Err(error) => panic!("{}: {error}", row["media"]),
        };
        let wanted = row["decoded_duration_s"].parse::<f64>().unwrap() * 16_000.0;
        assert!((found - wanted).abs() <= 1.0, "{}: {found} is not {wanted}", row["media"]);
        checked += 1;
    }
    assert!(checked >= if FFMPEG { 9 } else { 7 }, "only {checked} sounds were decoded");
}

/// Every sound that the truth table calls good is decoded, except those that are cut for real.
#[test]
#[cfg(feature = "ffmpeg")]
fn the_shared_media_are_decoded() {
    let Some(folder) = shared("media") else {
        println!("skipped: the shared media are not here");
        return;
    };
    // Their tables promise more than the files hold.
    let cut = ["variable-block.flac", "mp4_extended_size.m4a", "sample_mdat_too_long.mp4"];
    let mut reader = csv::Reader::from_path(folder.join("truth.csv")).unwrap();
    let rows = reader.deserialize().map(Result::unwrap);
    let (mut checked, mut wrong) = (0, Vec::new());
    for row in rows.filter(|row: &std::collections::HashMap<String, String>| row["kind"] == "audio")
    {
        let path = folder.join(&row["path"]);
        if row["expect"] != "ok" || row["note"].starts_with("AMBIGUOUS") {
            continue;
        }
        let bytes = read(&path);
        match decode(&bytes, kind_of(&path, &bytes), &PcmOptions::default()) {
            Ok(found) if !found.value.is_empty() => checked += 1,
            Ok(_) => wrong.push(format!("{}: nothing", row["path"])),
            Err(error) if cut.contains(&name(&path)) => println!("{}: {error}", row["path"]),
            Err(error) => wrong.push(format!("{}: {error}", row["path"])),
        }
    }
    assert!(checked > 40, "only {checked} sounds were decoded");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Sound that begins later than the picture has silence before it.
#[test]
#[cfg(feature = "ffmpeg")]
fn shared_soundtracks_keep_their_place() {
    let Some(folder) = shared("media/video") else {
        println!("skipped: the shared media are not here");
        return;
    };
    let (mut checked, mut late) = (0, 0);
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    for path in files.map(|entry| entry.unwrap().path()) {
        let bytes = read(&path);
        let Some(mime) = mediaprep_media::sniff(&bytes[..bytes.len().min(4096)]) else { continue };
        let movie = matches!(mime, MimeType::Mp4 | MimeType::QuickTime);
        let found = mediaprep_container::probe(&mut Cursor::new(&bytes), mime, &Limits::default());
        let Ok(found) = found.map(|found| found.value) else { continue };
        let Some((track, audio)) = found.audio_tracks().next() else { continue };
        let (Some(length), true) = (audio.decoded, movie) else { continue };
        let decoded = decode(&bytes, mime, &PcmOptions::default());
        let decoded = decoded.unwrap_or_else(|error| panic!("{}: {error}", name(&path))).value;
        let silence = samples(track.delay, 16_000);
        let wanted = samples(length, 16_000) + silence;
        let got = decoded.len() as u64;
        assert!(got.abs_diff(wanted) <= 1, "{}: {got} is not {wanted}", name(&path));
        if silence > 300 {
            let before = &decoded[..usize::try_from(silence).unwrap() - 200];
            assert!(level(before) < 1e-3, "{}: {}", name(&path), level(before));
            late += 1;
        }
        checked += 1;
    }
    assert!(checked >= 15 && late >= 3, "only {checked} soundtracks, {late} of them late");
}
