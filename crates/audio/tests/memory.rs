//! Memory does not grow with the length of a sound. Alone in its process, so that no other test's
//! memory is counted.

#![cfg(all(feature = "ffmpeg", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::io::Cursor;
use std::path::Path;

use mediaprep_audio::{PcmOptions, decode_mono};
use mediaprep_media::{MimeType, Watch};

/// KiB in use and at most in use by this process.
fn resident(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn decode(file: &str, mime: MimeType, times: usize) -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/audio");
    let bytes = std::fs::read(folder.join(file)).unwrap().repeat(times);
    let source = Box::new(Cursor::new(bytes));
    let options = PcmOptions { allow_truncated: true, ..PcmOptions::default() };
    decode_mono(source, mime, None, &options, &Watch::new(), &mut |_| Ok(())).unwrap().value
}

/// Frames that FFmpeg reads: 172 000 packets, whose bodies alone are 8 MB.
#[test]
fn packets_are_let_go() {
    decode("tone-cbr-headerless.mp3", MimeType::Mp3, 2);
    let before = resident("VmRSS");
    let heard = decode("tone-cbr-headerless.mp3", MimeType::Mp3, 2000);
    assert!(heard > 60_000_000, "{heard} samples");
    let grown = resident("VmHWM").saturating_sub(before);
    // The file itself is 8 MB.
    assert!(grown < 30 << 10, "{grown} KiB more are held");
}
