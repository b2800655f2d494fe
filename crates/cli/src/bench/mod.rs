//! The benchmark harness: stages of the real work, run in turns over the user's own files, and
//! compared with a run that was saved.
//!
//! Samples are taken in rounds: each round runs every stage once, so that whatever else the machine
//! does falls on all of them alike. A round before the first warms caches and finds out how often a
//! stage has to run for a sample that clocks can measure. What the samples say is worked out by pure
//! functions in [`statistics`], for a run that is read back as for one that has just ended.

mod clock;
mod compare;
mod machine;
mod record;
mod run;
mod stage;
mod statistics;
mod table;
mod work;

pub(crate) use compare::{Comparison, differences};
pub(crate) use machine::Machine;
pub(crate) use record::{FileError, Found, Inputs, Options, Record, SCHEMA, StageRecord, hash};
pub(crate) use run::rounds;
pub(crate) use stage::StageName;
pub(crate) use table::write_table;
pub(crate) use work::{Media, Subject, Work};
