//! The stand-in is itself right: it answers, refuses and fails as its documentation says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod basics;
mod client;
mod refusals;
