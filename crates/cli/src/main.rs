//! The `mediaprep` binary.

fn main() {}
