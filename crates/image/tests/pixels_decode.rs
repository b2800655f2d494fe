//! Decoding of every fixture and of the developer set.
#![cfg(feature = "pixels")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "pixels_support/mod.rs"]
mod support;

use std::fs;
use std::time::Instant;

use mediaprep_image::DecodeOptions;

use support::{developer_set, files, fixture, read};

#[test]
fn survey() {
    for path in files(&fixture("")).into_iter().chain(developer_set("images")).chain(developer_set("broken")) {
        let bytes = fs::read(&path).unwrap();
        for (planes, allow_truncated) in [(true, false), (false, true)] {
            let start = Instant::now();
            let found = read(&bytes, &DecodeOptions { planes, allow_truncated, ..DecodeOptions::default() });
            let took = start.elapsed().as_millis();
            let what = match found {
                Ok(f) => format!("{:?} {:?}", f.value.displayed(), f.warnings.iter().map(|w| w.message.clone()).collect::<Vec<_>>()),
                Err(e) => format!("ERR {e} | {e:?}"),
            };
            println!("{} {} {took}ms {what}", path.file_name().unwrap().to_string_lossy(), if allow_truncated {"lenient"} else {"strict"});
        }
    }
}
