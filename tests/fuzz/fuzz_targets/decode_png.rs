//! The decoder behind the seam for this format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediaprep::media::MimeType;
use mediaprep_fuzz as fuzz;

fuzz_target!(init: fuzz::catch_dependencies(), |bytes: &[u8]| {
    fuzz::pixels(bytes, MimeType::Png);
});
