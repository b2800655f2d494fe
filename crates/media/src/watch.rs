//! Whether long work may go on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration as WallTime, Instant};

use crate::{Error, LimitExceeded};

/// A switch that another thread may flip and, if wanted, a latest end. Work that can take long
/// asks it between packets, so that a crafted file cannot keep a thread for ever.
///
/// Clones share the switch.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    stopped: Arc<AtomicBool>,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    from: Instant,
    allowed: WallTime,
}

impl Watch {
    /// Without a latest end.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same switch, with an end `allowed` from now.
    pub fn within(&self, allowed: WallTime) -> Self {
        let end = Some(End { from: Instant::now(), allowed });
        Self { stopped: Arc::clone(&self.stopped), end }
    }

    /// Asks everything that shares this switch to stop.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether work has to stop.
    pub fn is_over(&self) -> bool {
        self.check().is_err()
    }

    /// Refuses to go on once the switch is flipped or the time is up.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with [`io::ErrorKind::Interrupted`] when stopped, [`Error::Limit`] when the
    /// time is up.
    pub fn check(&self) -> Result<(), Error> {
        if self.stopped.load(Ordering::Relaxed) {
            let stopped = io::Error::new(io::ErrorKind::Interrupted, "stopped by the caller");
            return Err(Error::Io(stopped));
        }
        let Some(End { from, allowed }) = self.end else { return Ok(()) };
        let taken = from.elapsed();
        if taken < allowed {
            return Ok(());
        }
        let (limit, actual) = (allowed.as_secs(), taken.as_secs());
        Err(LimitExceeded { what: "working time in seconds", limit, actual }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_stop_together_and_time_runs_out_alone() {
        let watch = Watch::new();
        let timed = watch.within(WallTime::ZERO);
        assert!(matches!(timed.check(), Err(Error::Limit(_))));
        assert!(!watch.is_over());
        timed.stop();
        assert!(matches!(watch.check(), Err(Error::Io(_))));
    }
}
