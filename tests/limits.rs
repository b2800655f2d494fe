//! Every limit is checked on header facts, before anything of that size is allocated.

use mediaprep::media::Limits;
use mediaprep::{Engine, ErrorKind, Input, Outcome};
use mediaprep_tests::fixtures;

fn refusal(path: &str, change: impl FnOnce(&mut Limits)) -> String {
    let mut limits = Limits::default();
    change(&mut limits);
    let engine = Engine::builder().threads(1).limits(limits).build().unwrap();
    match engine.probe(&Input::path(fixtures().join(path))) {
        Outcome::Failed(error) => {
            assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{path}: {}", error.cause());
            error.cause()
        }
        other => panic!("{path} is within its limits: {other:?}"),
    }
}

#[test]
fn each_medium_meets_each_limit() {
    for path in [
        "images/photo-landscape-12mp.jpg",
        "images/png-1bit.png",
        "images/webp-lossy.webp",
        "images/heic-plain.heic",
        "images/bmp-24bit.bmp",
        "images/tiff-le-1.tif",
        "images/gif-still.gif",
    ] {
        assert!(refusal(path, |limits| limits.max_pixels = 9).contains("limit of 9"), "{path}");
        assert!(refusal(path, |limits| limits.max_side = 5).contains("limit of 5"), "{path}");
    }
    for path in ["audio/tone-s16.wav", "audio/minute.opus", "audio/tone.flac", "audio/tone.aac"] {
        refusal(path, |limits| limits.max_seconds = 0);
    }
    for path in ["video/still-90s.mp4", "video/vp9-opus.webm"] {
        refusal(path, |limits| limits.max_seconds = 0);
        refusal(path, |limits| limits.max_pixels = 9);
    }
    refusal("pdf/pages-352.pdf", |limits| limits.max_pages = 351);
    for path in ["images/png-1bit.png", "audio/tone.flac", "video/plain.mov", "pdf/a4.pdf"] {
        refusal(path, |limits| limits.max_bytes = 10);
    }
}

#[test]
fn reading_stops_at_its_limit() {
    // The index lies behind the media data, so finding it takes a second read.
    let cause = refusal("video/h264-aac-moov-last.mp4", |limits| limits.max_probe_bytes = 4096);
    assert!(cause.contains("limit of 4096"), "{cause}");
}
