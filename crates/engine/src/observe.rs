//! Watching long work.

use std::fmt;
use std::sync::Arc;

/// What an [`Observer`] is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done.
    pub work: Work,
    /// How many inputs are done with.
    pub done: u64,
    /// How many there are; `None` where they are still being listed.
    pub total: Option<u64>,
    /// The name of the one that was done with last; empty for what was found in a folder and is no
    /// media.
    pub name: &'a str,
}

/// What is being done with inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Their headers are read.
    Probe,
    /// Their parts are made.
    Prepare,
}

/// Watches long work; see [`EngineBuilder::observer`](crate::EngineBuilder::observer). Every function
/// of a [`Progress`] is one.
pub trait Observer: Send + Sync {
    /// An input was done with. It is called on the thread that called the engine, in input order,
    /// and should return soon: nothing goes on meanwhile but what was begun.
    fn progress(&self, progress: &Progress<'_>);
}

impl<F: Fn(&Progress<'_>) + Send + Sync> Observer for F {
    fn progress(&self, progress: &Progress<'_>) {
        self(progress);
    }
}

/// Who is told, if anybody is.
#[derive(Clone, Default)]
pub(crate) struct Observed(pub(crate) Option<Arc<dyn Observer>>);

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observed(some)" } else { "Observed(none)" })
    }
}

impl Observed {
    /// Begins to count inputs.
    pub(crate) const fn counter(&self, work: Work, total: Option<u64>) -> Counter<'_> {
        Counter { observed: self, work, total, done: 0 }
    }
}

/// Counts inputs that are done with.
pub(crate) struct Counter<'a> {
    observed: &'a Observed,
    work: Work,
    total: Option<u64>,
    done: u64,
}

impl Counter<'_> {
    /// One more; its name is asked for only where somebody wants to know.
    pub(crate) fn step(&mut self, name: impl FnOnce() -> String) {
        self.done += 1;
        let Some(observer) = &self.observed.0 else { return };
        let name = name();
        let (work, done, total) = (self.work, self.done, self.total);
        observer.progress(&Progress { work, done, total, name: &name });
    }
}
