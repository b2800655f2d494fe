//! The client over real sockets against a strict stand-in for the services.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "what is skipped is told")]

mod blocking;
mod common;
mod delivery;
mod faults;
mod golden;
mod resume;
mod secrets;
mod streams;
mod uploads;
