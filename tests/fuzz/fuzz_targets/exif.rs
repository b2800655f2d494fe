//! The Exif reader, by way of the header readers of the formats that carry Exif blocks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediaprep::media::{MimeType, sniff};
use mediaprep_fuzz as fuzz;

fuzz_target!(|bytes: &[u8]| {
    // A block without a container around it is a TIFF file.
    let mime = sniff(bytes).unwrap_or(MimeType::Tiff);
    fuzz::header(bytes, mime);
});
