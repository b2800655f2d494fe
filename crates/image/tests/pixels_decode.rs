//! Decoding of every fixture and of the developer set, whole and damaged.
#![cfg(feature = "pixels")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "pixels_support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use mediaprep_image::{DecodeOptions, Error, Picture, decode};
use mediaprep_media::{Limits, MimeType, Warned, WarningCode};
use proptest::prelude::*;

use support::{developer_set, facts, files, fixture};

/// Header and pixels.
fn read(bytes: &[u8], options: &DecodeOptions) -> Result<Warned<Picture>, Error> {
    let (mime, info) = facts(bytes)?;
    decode(bytes, mime, &info, options)
}

/// What is wrong with the decoding of a sound file, if anything. Files that the probe refuses are
/// its own tests' matter.
fn mistake(path: &Path) -> Option<String> {
    let bytes = fs::read(path).unwrap();
    let (mime, info) = facts(&bytes).ok()?;
    let found = decode(&bytes, mime, &info, &DecodeOptions::default());
    let is_right = match &found {
        Ok(picture) => {
            picture.value.displayed() == info.displayed()
                && picture.warnings.iter().all(|warning| warning.code == WarningCode::Damaged)
        }
        Err(Error::Unsupported(_)) => {
            let is_sequence = path.extension().is_some_and(|end| end == "heics");
            let is_arithmetic = path.to_string_lossy().ends_with(".arith.jpg");
            matches!(mime, MimeType::Avif | MimeType::Jxl)
                || is_sequence
                || (is_arithmetic && !cfg!(feature = "turbo"))
        }
        Err(Error::Limit(_)) => Limits::default().check_decoded(info.stored).is_err(),
        Err(_) => false,
    };
    (!is_right).then(|| format!("{}: {found:?}", path.display()))
}

/// The folder of large pictures is left out where they take long and are like others.
fn is_slow(path: &Path) -> bool {
    fs::metadata(path).unwrap().len() > 1 << 20 && path.to_string_lossy().contains("heic")
}

#[test]
fn every_sound_file_is_decoded() {
    let ours = files(&fixture("")).into_iter().chain(files(&fixture("reference")));
    let theirs = developer_set("images").into_iter().filter(|path| !is_slow(path));
    let paths: Vec<PathBuf> = ours.chain(theirs).collect();
    assert!(paths.len() > 60, "only {} files", paths.len());
    let wrong: Vec<String> = paths.iter().filter_map(|path| mistake(path)).collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn broken_files_give_an_answer() {
    for path in developer_set("broken") {
        let bytes = fs::read(&path).unwrap();
        for allow_truncated in [false, true] {
            let options = DecodeOptions { allow_truncated, ..DecodeOptions::default() };
            if let Err(Error::Malformed { reason, .. }) = read(&bytes, &options) {
                assert_ne!(reason, "the decoder gave up", "{}", path.display());
            }
        }
    }
}

/// Small files of every format, coding and kind of container.
const SMALL: [&str; 26] = [
    "bmp-24bit.bmp",
    "bmp-os2.bmp",
    "bmp-palette.bmp",
    "gif-animated.gif",
    "gif-small-screen.gif",
    "gif-still.gif",
    "heic-alpha.heic",
    "heic-clap-irot-imir.heic",
    "heic-grid.heic",
    "heic-plain.heic",
    "jpeg-baseline.jpg",
    "jpeg-cmyk.jpg",
    "jpeg-gray.jpg",
    "jpeg-progressive.jpg",
    "jpeg-stray-bytes.jpg",
    "png-16bit-gray.png",
    "png-8bit-alpha.png",
    "png-animated.png",
    "png-interlaced.png",
    "png-palette.png",
    "tiff-le-1.tif",
    "tiff-rgba.tif",
    "webp-alpha.webp",
    "webp-animated.webp",
    "webp-lossless-alpha.webp",
    "webp-lossy.webp",
];

/// Decodes damaged bytes in all ways, with the facts of the sound file and with their own.
fn survive(sound: &[u8], damaged: &[u8]) {
    let (mime, info) = facts(sound).unwrap();
    for (planes, allow_truncated) in [(true, true), (false, false)] {
        let options = DecodeOptions { planes, allow_truncated, ..DecodeOptions::default() };
        let _ = decode(damaged, mime, &info, &options);
        let _ = read(damaged, &options);
    }
}

#[test]
fn empty_and_foreign_bytes_are_errors() {
    for name in SMALL {
        let bytes = fs::read(fixture(name)).unwrap();
        let (mime, info) = facts(&bytes).unwrap();
        for foreign in [&b""[..], b"\0", &[0xff; 64], b"<svg/>"] {
            let options = DecodeOptions { allow_truncated: true, ..DecodeOptions::default() };
            assert!(decode(foreign, mime, &info, &options).is_err(), "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn cut_files_give_an_answer(index in 0..SMALL.len(), place in 0.0..1.0_f64) {
        let bytes = fs::read(fixture(SMALL[index])).unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "a share of the length")]
        let length = (bytes.len() as f64 * place) as usize;
        survive(&bytes, &bytes[..length]);
    }

    #[test]
    fn changed_files_give_an_answer(
        index in 0..SMALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let bytes = fs::read(fixture(SMALL[index])).unwrap();
        let mut damaged = bytes.clone();
        for (place, value) in changes {
            let place = place.index(damaged.len());
            damaged[place] ^= value;
        }
        survive(&bytes, &damaged);
    }
}
