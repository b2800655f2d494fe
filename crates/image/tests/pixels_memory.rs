//! What decoding really holds, against what it says that it will.
#![cfg(feature = "pixels")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "pixels_support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use mediaprep_image::{DecodeOptions, decode, decode_peak_bytes};
use mediaprep_media::{Dimensions, MimeType};
use peak_alloc::PeakAlloc;

use support::{developer_set, facts, files, fixture};

/// Counts what Rust allocates.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// A line of this process's status, in bytes. Linux only.
fn status(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// The most bytes held while `action` runs: by Rust, and by the whole process, C libraries included.
fn peaks<T>(action: impl FnOnce() -> T) -> (T, u64, u64) {
    // Writing 5 sets the peak of the resident memory back to what it is.
    let is_reset = fs::write("/proc/self/clear_refs", "5").is_ok();
    let (heap, resident) = (HEAP.current_usage(), status("VmRSS:"));
    HEAP.reset_peak_usage();
    let result = action();
    let resident = match (resident, status("VmHWM:")) {
        (Some(before), Some(most)) if is_reset => most.saturating_sub(before),
        _ => 0,
    };
    (result, (HEAP.peak_usage() - heap) as u64, resident)
}

/// What is wrong with the bound on a file's decoding, if anything.
fn mistake(path: &Path, options: &DecodeOptions) -> Option<String> {
    let bytes = fs::read(path).unwrap();
    let (mime, info) = facts(&bytes).ok()?;
    let bound = decode_peak_bytes(mime, &info, options);
    if info.stored.pixels() > 50_000_000 {
        return None;
    }
    let (result, heap, resident) = peaks(|| decode(&bytes, mime, &info, options));
    let name = path.file_name()?.to_string_lossy().into_owned();
    let shape = format!("{name} {mime:?} {:?}", info.stored);
    // Planes may be half of what a profile in the file would make of them, and coefficients are
    // held by C alone.
    let is_plain = matches!(mime, MimeType::Jpeg | MimeType::Png)
        && !options.planes
        && !info.jpeg.is_some_and(|coding| coding.progressive)
        && options.at_least.is_none()
        && info.stored.pixels() >= 2_000_000
        && result.is_ok();
    let is_loose = is_plain && bound > heap * 5 / 2;
    let is_wrong = heap > bound || resident > bound || is_loose;
    is_wrong.then(|| format!("{shape}: heap {heap}, resident {resident}, at most {bound}"))
}

/// One test, since a second one on another thread would be counted too.
#[test]
fn the_bound_holds_and_is_not_loose() {
    let half = Dimensions::new(1000, 1000);
    let ways = [(true, None), (false, None), (false, half), (true, half)];
    let paths = || files(&fixture("")).into_iter().chain(developer_set("images"));
    let mut wrong = Vec::new();
    for (planes, at_least) in ways {
        let options = DecodeOptions { planes, at_least, ..DecodeOptions::default() };
        wrong.extend(
            paths()
                .filter(|path| planes || !is_heif(path))
                .filter_map(|path| mistake(&path, &options)),
        );
    }
    assert!(wrong.is_empty(), "{} bounds are off:\n{}", wrong.len(), wrong.join("\n"));
}

/// HEIF files know one way only, and take long without optimisation.
fn is_heif(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "heic" || end == "hif" || end == "heif")
}
