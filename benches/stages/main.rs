//! The stages between a file and a request, each alone, in memory and on one thread: what a change
//! to one of them is measured by. The rule book and the header probes have benchmarks of their own.
//!
//! Inputs are generated or come from the repository's fixtures, so that they are the same everywhere.

mod images;
mod pages;
mod requests;
mod times;

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

/// Short, since there are many: what matters are changes of many percent.
fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
}

/// A file of the repository's own.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

criterion_group! {
    name = stages;
    config = short();
    targets =
        images::decoding, images::turning, images::resizing, images::encoding,
        times::sampling, times::sound,
        pages::drawing,
        requests::bodies, requests::planning, requests::fitting
}
criterion_main!(stages);
