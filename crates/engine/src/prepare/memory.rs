//! How much memory decoding jobs may hold at once, in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The bytes that jobs have reserved. A job reserves its peak before it starts and waits until
/// there is room; jobs are let in in the order in which they ask, so that a large one is not
/// passed over for ever by small ones.
#[derive(Debug)]
pub(crate) struct Ledger {
    capacity: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    reserved: u64,
    next_ticket: u64,
    waiting: VecDeque<u64>,
}

/// Reserved bytes, given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation<'a> {
    ledger: &'a Ledger,
    bytes: u64,
}

impl Ledger {
    /// A ledger of `capacity` bytes.
    pub(crate) fn new(capacity: u64) -> Self {
        Self { capacity, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `bytes` are free; `None` at once when they never can be.
    pub(crate) fn reserve(&self, bytes: u64) -> Option<Reservation<'_>> {
        if bytes > self.capacity {
            return None;
        }
        let mut state = self.lock();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back(ticket);
        while state.waiting.front() != Some(&ticket) || self.capacity - state.reserved < bytes {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.pop_front();
        state.reserved += bytes;
        self.changed.notify_all();
        Some(Reservation { ledger: self, bytes })
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.ledger.lock().reserved -= self.bytes;
        self.ledger.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn more_than_everything_is_refused_at_once() {
        let ledger = Ledger::new(100);
        assert!(ledger.reserve(101).is_none());
        assert!(ledger.reserve(100).is_some());
        assert!(ledger.reserve(100).is_some(), "the first reservation was given back");
    }

    #[test]
    fn jobs_never_hold_more_than_the_capacity() {
        let ledger = Ledger::new(1000);
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (ledger, held, most) = (&ledger, &held, &most);
                scope.spawn(move || {
                    for turn in 0..200u64 {
                        let bytes = 1 + (thread * 131 + turn * 37) % 1000;
                        let _reservation = ledger.reserve(bytes).unwrap();
                        let now = held.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        held.fetch_sub(bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 1000);
        assert_eq!(ledger.lock().reserved, 0);
    }
}
