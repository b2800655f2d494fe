//! The stand-in is itself right: it answers, refuses and fails as its documentation says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "what is skipped is told")]

mod basics;
mod client;
mod faults;
mod golden;
mod refusals;
mod sdks;
