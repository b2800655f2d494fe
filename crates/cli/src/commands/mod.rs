//! What each command does, over the settings and the two streams.

mod bench;
mod boxes;
mod budget;
mod contents;
mod counting;
mod evidence;
mod files;
mod fit;
mod manual;
mod models;
mod prepare;
mod probe;
mod report;
mod send;
mod stream;
mod verify;
mod ways;

pub(crate) use bench::bench;
pub(crate) use boxes::boxes;
pub(crate) use budget::budget;
pub(crate) use files::files;
pub(crate) use fit::fit;
pub(crate) use manual::{completions, man};
pub(crate) use models::models;
pub(crate) use prepare::prepare;
pub(crate) use probe::probe;
pub(crate) use report::report;
pub(crate) use send::send;
pub(crate) use verify::verify;
