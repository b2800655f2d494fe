//! The facts of PDF files, and their pages as smaller files.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use mediaprep::media::Limits;
use mediaprep_fuzz as fuzz;
use mediaprep_pdf::probe;
use mediaprep_pdf::split::Splitter;

/// Longer documents teach nothing more.
const MAX_PAGES: u64 = 10;

/// Small enough that bombs cost no time.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_bytes = 1 << 20;
    limits.max_pages = 1_000;
    limits.max_probe_bytes = 16 << 20;
    limits.max_probe_memory = 4 << 20;
    limits
}

fuzz_target!(init: fuzz::catch_dependencies(), |bytes: &[u8]| {
    let Ok(found) = probe(&mut Cursor::new(bytes), &limits(), None) else { return };
    let size = found.value.first_page();
    assert!(size.is_some_and(|size| size.width > 0 && size.height > 0));
    let Ok(document) = Splitter::open(bytes, None, &limits()) else { return };
    assert_eq!(document.pages(), found.value.pages());
    if document.pages() > MAX_PAGES {
        return;
    }
    if let Ok(part) = document.extract(&[1]) {
        let part = probe(&mut Cursor::new(part), &Limits::default(), None);
        assert!(part.is_ok_and(|part| part.value.pages() == 1));
    }
});
