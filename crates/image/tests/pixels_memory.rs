//! What decoding really holds, against what it says that it will.
#![cfg(feature = "pixels")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "pixels_support/mod.rs"]
mod support;
