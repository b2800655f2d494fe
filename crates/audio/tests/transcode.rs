//! Writing sound: formats, profiles, segments, and the 1 kbit/s of Codec2.

#![cfg(feature = "pcm")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::*;
use mediaprep_audio::{AudioFormat, AudioProfile, Error, PcmOptions, TranscodeOptions};
use mediaprep_media::{Duration, MimeType, WarningCode};
use proptest::prelude::*;

fn lossless(format: AudioFormat) -> TranscodeOptions {
    TranscodeOptions { format, profile: AudioProfile::Lossless, ..TranscodeOptions::default() }
}

#[test]
fn lossless_means_every_sample() {
    let samples = tone(16_000, 440.0, 20_011);
    let bytes = make_wav(16_000, 1, &samples);
    for format in [AudioFormat::Wav, AudioFormat::Flac] {
        let found = written(&bytes, MimeType::Wav, &lossless(format)).unwrap();
        assert!(found.warnings.is_empty());
        let [(segment, output)] = found.value.as_slice() else { panic!("one output") };
        assert_eq!((segment.samples, segment.start), (20_011, Duration::ZERO));
        assert_eq!(segment.duration, Duration::new(20_011, 16_000).unwrap());
        let mime = format.mime_type().unwrap();
        let heard = decode(output, mime, &PcmOptions::default()).unwrap().value;
        let wanted: Vec<f32> = samples.iter().map(|&s| f32::from(s) / 32_768.0).collect();
        assert_eq!(heard, wanted, "{format:?}");
    }
}

/// STREAMINFO states the length, and FFmpeg finds no fault with checksums.
#[test]
fn flac_is_complete() {
    let bytes = make_wav(16_000, 1, &tone(16_000, 440.0, 10_000));
    let found = written(&bytes, MimeType::Wav, &lossless(AudioFormat::Flac)).unwrap();
    let output = &found.value[0].1;
    assert_eq!(&output[..8], b"fLaC\x80\0\0\x22");
    assert_eq!(&output[8..12], &[0x10, 0, 0x10, 0]);
    assert_eq!(u32::from_be_bytes(output[22..26].try_into().unwrap()), 10_000);
    assert!(output[26..42].iter().any(|&byte| byte != 0), "no checksum of the samples");
    assert!(output.len() < bytes.len() / 2, "{} bytes", output.len());
}

#[test]
fn an_empty_window_writes_nothing() {
    let bytes = make_wav(8000, 1, &[0; 8000]);
    let options =
        TranscodeOptions { start: Duration::from_seconds(5), ..lossless(AudioFormat::Wav) };
    let found = written(&bytes, MimeType::Wav, &options).unwrap();
    assert!(found.value.is_empty());
    assert_eq!(found.warnings[0].code, WarningCode::EmptyAudio);
    let options = TranscodeOptions { segment: Some(Duration::ZERO), ..lossless(AudioFormat::Wav) };
    assert!(matches!(written(&bytes, MimeType::Wav, &options), Err(Error::Unsupported(_))));
}

#[test]
fn a_failing_sink_is_an_input_or_output_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl std::io::Seek for Full {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(0)
        }
    }
    let bytes = make_wav(16_000, 1, &tone(16_000, 440.0, 300_000));
    for &format in AudioFormat::ALL.iter().filter(|format| format.is_available()) {
        let options = TranscodeOptions { format, ..TranscodeOptions::default() };
        let source = Box::new(std::io::Cursor::new(bytes.clone()));
        let watch = mediaprep_media::Watch::new();
        let mut sinks = |_| Ok(Box::new(Full) as Box<dyn mediaprep_audio::Sink>);
        let found =
            mediaprep_audio::transcode(source, MimeType::Wav, None, &options, &watch, &mut sinks);
        let Err(Error::Io(error)) = found else { panic!("{format:?}: {found:?}") };
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{format:?}");
    }
}

#[test]
#[cfg(not(feature = "ffmpeg"))]
fn without_ffmpeg_lossy_formats_are_missing_and_flac_stands_in() {
    let bytes = make_wav(16_000, 1, &tone(16_000, 440.0, 1000));
    let options = TranscodeOptions::default();
    assert!(matches!(written(&bytes, MimeType::Wav, &options), Err(Error::Backend { .. })));
    let options = TranscodeOptions { format: AudioFormat::Flac, ..options };
    let found = written(&bytes, MimeType::Wav, &options).unwrap();
    assert_eq!(found.warnings[0].code, WarningCode::Converted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn segments_tile_the_whole(
        rate in prop::sample::select(vec![8000u32, 16_000, 22_050, 44_100]),
        length in 1usize..30_000,
        ticks in 1u64..3000,
        start in 0u64..1500,
        flac in any::<bool>(),
    ) {
        let bytes = make_wav(rate, 1, &tone(rate, 300.0, length));
        let whole = TranscodeOptions {
            start: Duration::new(start, 1001).unwrap(),
            ..lossless(if flac { AudioFormat::Flac } else { AudioFormat::Wav })
        };
        let segment = Duration::new(ticks.max(20), 1001).unwrap();
        let parts = TranscodeOptions { segment: Some(segment), ..whole.clone() };
        let whole = written(&bytes, MimeType::Wav, &whole).unwrap().value;
        let parts = written(&bytes, MimeType::Wav, &parts).unwrap().value;
        let join = |outputs: &[Output]| {
            let mime = if flac { MimeType::Flac } else { MimeType::Wav };
            let heard = outputs.iter().map(|(segment, output)| {
                let heard = decode(output, mime, &PcmOptions::default()).unwrap().value;
                assert_eq!(heard.len() as u64, segment.samples);
                heard
            });
            heard.collect::<Vec<_>>().concat()
        };
        prop_assert_eq!(join(&parts), join(&whole));
        let origin = samples(Duration::new(start, 1001).unwrap(), 16_000);
        for (number, (part, _)) in parts.iter().enumerate() {
            let first = Duration::new(segment.ticks() * number as u64, 1001).unwrap();
            let wanted = Duration::new(origin + samples(first, 16_000), 16_000).unwrap();
            prop_assert_eq!(part.start, wanted);
        }
    }
}

#[cfg(feature = "ffmpeg")]
mod through_ffmpeg {
    use super::*;

    /// What comes back lies where it lay and is as loud.
    #[test]
    fn speech_formats_keep_the_sound() {
        let bytes = make_wav(44_100, 1, &tone(44_100, 440.0, 88_200));
        let loud = 16_000.0 / 32_768.0 * std::f64::consts::FRAC_1_SQRT_2;
        for (format, most, exact) in [
            (AudioFormat::Opus, 3.0 * 16_000.0 / 8.0, true),
            (AudioFormat::Mp3, 3.0 * 24_000.0 / 8.0, true),
            (AudioFormat::Aac, 3.0 * 26_000.0 / 8.0, false),
        ] {
            assert!(format.is_available(), "{format:?}");
            let options = TranscodeOptions { format, ..TranscodeOptions::default() };
            let found = written(&bytes, MimeType::Wav, &options).unwrap();
            assert!(found.warnings.is_empty());
            let (segment, output) = &found.value[0];
            assert_eq!(segment.samples, 32_000);
            assert!((output.len() as f64) < most, "{format:?}: {} bytes", output.len());
            let mime = format.mime_type().unwrap();
            let sniffed = mediaprep_media::sniff(output);
            assert_eq!(sniffed, Some(mime));
            let heard = decode(output, mime, &PcmOptions::default()).unwrap().value;
            assert_eq!(heard.len() == 32_000, exact, "{format:?}: {}", heard.len());
            let inner = &heard[4000..28_000];
            let level = level_at(inner, 440.0, 16_000);
            assert!((level / loud - 1.0).abs() < 0.15, "{format:?}: {level} is not {loud}");
        }
    }

    /// The whole file, header included.
    #[test]
    fn codec2_stays_below_1000_bits_per_second() {
        let minute = read(&fixtures("audio").join("minute.opus"));
        let options =
            TranscodeOptions { format: AudioFormat::Codec2, ..TranscodeOptions::default() };
        for seconds in [2u64, 10, 60] {
            let options =
                TranscodeOptions { end: Some(Duration::from_seconds(seconds)), ..options.clone() };
            let found = written(&minute, MimeType::Opus, &options).unwrap().value;
            let (segment, output) = &found[0];
            assert_eq!(segment.samples, seconds * 8000);
            assert_eq!(&output[..3], &[0xc0, 0xde, 0xc2]);
            let bits = output.len() as u64 * 8;
            assert!(bits <= seconds * 1000, "{bits} bits in {seconds} s");
            assert!(bits >= seconds * 700, "{bits} bits in {seconds} s are too few");
        }
    }

    /// The decoded sound of Codec2 is sound of the same length, but not the sound that went in.
    #[test]
    fn one_kilobit_is_heard_in_an_accepted_format() {
        let minute = read(&fixtures("audio").join("minute.opus"));
        let chosen = AudioProfile::OneKbps.format(&|mime| mime == MimeType::Ogg);
        assert_eq!(chosen, Some(AudioFormat::Opus));
        let end = Some(Duration::from_seconds(6));
        let plain = TranscodeOptions { end, ..lossless(AudioFormat::Wav) };
        let narrow = TranscodeOptions { profile: AudioProfile::OneKbps, ..plain.clone() };
        let plain = wav(&written(&minute, MimeType::Opus, &plain).unwrap().value[0].1);
        let found = written(&minute, MimeType::Opus, &narrow).unwrap().value;
        let heard = wav(&found[0].1);
        assert_eq!((heard.len(), found[0].0.samples), (96_000, 96_000));
        let levels = |samples: &[i16]| -> Vec<f32> {
            samples.iter().map(|&s| f32::from(s) / 32_768.0).collect()
        };
        let (plain, heard) = (levels(&plain), levels(&heard));
        // Four seconds of syllables, then a pause.
        let (speech, pause) = (level(&heard[..64_000]), level(&heard[70_000..]));
        assert!(speech > 0.02 && pause < speech / 4.0, "{speech} and {pause}");
        assert!(apart(&plain, &heard) > 0.05);
    }
}
