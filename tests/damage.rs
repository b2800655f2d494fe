//! Damaged fixtures end in a result or a clear error, through the whole engine: sniffing, probing
//! and planning.

use std::ops::ControlFlow;

use mediaprep::media::MimeType;
use mediaprep::tokens::{RuleBook, Service};
use mediaprep::{Engine, Input, Outcome, PlanOptions, Planner, RuleRequest, RuleSet};
use mediaprep_tests::{all_fixtures, fuzz};

/// A repeatable sequence of places and bits; the constants are Knuth's.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn damaged(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut state = bytes.len() as u64;
    let mut all = Vec::new();
    let length = bytes.len().max(1) as u64;
    for _ in 0..6 {
        let cut = usize::try_from(next(&mut state) % length).unwrap();
        all.push(bytes[..cut.min(bytes.len())].to_vec());
    }
    for _ in 0..6 {
        let mut flipped = bytes.to_vec();
        for _ in 0..4 {
            let at = usize::try_from(next(&mut state) % length.min(2048)).unwrap();
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 1 << (next(&mut state) % 8);
            }
        }
        all.push(flipped);
    }
    all
}

#[test]
fn damage_never_panics_and_never_sinks_the_batch() {
    let book = RuleBook::builtin();
    let date = "2026-11-21".parse().unwrap();
    let request =
        RuleRequest { service: Service::Vertex, ..RuleRequest::billed("gemini-2.5-pro", date) };
    let rules = RuleSet::find(&book, &request).unwrap();
    let options = PlanOptions::default();
    let mut inputs = Vec::new();
    for (path, entry) in all_fixtures() {
        for bytes in damaged(&std::fs::read(path).unwrap()) {
            inputs.push(Input::bytes(entry.path.clone(), bytes));
        }
    }
    assert!(inputs.len() > 1000);
    let engine = Engine::builder().build().unwrap();
    let mut planner = Planner::new(&rules, &options);
    let (mut read, mut refused) = (0, 0);
    let count = inputs.len();
    engine
        .probe_each(inputs.into_iter(), &mut |outcome| {
            match outcome {
                Outcome::Media(probed) => {
                    read += 1;
                    drop(planner.plan(&probed));
                }
                Outcome::Failed(error) => {
                    refused += 1;
                    assert!(!error.cause().is_empty() && error.hint().is_some(), "{error}");
                }
                Outcome::Skipped => panic!("a named input was skipped"),
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(read + refused, count);
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}

/// The decoders on cut and flipped pictures: a picture or an error, never a panic.
#[test]
fn damaged_pictures_never_panic() {
    let formats = [
        ("jpg", MimeType::Jpeg),
        ("png", MimeType::Png),
        ("webp", MimeType::Webp),
        ("heic", MimeType::Heic),
        ("gif", MimeType::Gif),
        ("bmp", MimeType::Bmp),
        ("tif", MimeType::Tiff),
    ];
    let (mut decoded, mut refused) = (0, 0);
    for (path, _) in all_fixtures() {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let format = formats.iter().find(|(name, _)| extension == Some(name));
        let Some(&(_, mime)) = format else { continue };
        let whole = std::fs::read(&path).unwrap();
        if whole.len() > 100_000 {
            continue;
        }
        for bytes in damaged(&whole) {
            if fuzz::pixels(&bytes, mime) {
                decoded += 1;
            } else {
                refused += 1;
            }
            if mime == MimeType::Jpeg {
                fuzz::turn(&bytes);
            }
        }
    }
    assert!(decoded > 100 && refused > 100, "{decoded} decoded, {refused} refused");
}
