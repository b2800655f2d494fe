//! Turning JPEG files without decoding them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediaprep_fuzz as fuzz;

fuzz_target!(|bytes: &[u8]| fuzz::turn(bytes));
