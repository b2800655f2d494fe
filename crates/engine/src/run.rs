//! The only place that starts threads.
//!
//! Jobs run on a pool of the engine's own, so a program that forks or has a pool already is not
//! disturbed. Results are handed over in input order whatever the thread count, and only a bounded
//! window of them waits at any time, so memory does not grow with the number of inputs.
//!
//! Header probes are so short that many go to a worker at once ([`run`]). Jobs that decode are run
//! by threads that read, wait for memory and write, and leave all computing to a pool
//! ([`run_heavy`]): a job that waits never stands in the way of one that computes, and the parts of
//! one job are spread over the pool too.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Inputs that one worker takes at a time: a header probe takes some ten microseconds, so that
/// taking one by one would be mostly locking.
const CHUNK: usize = 32;

/// Chunks in flight per thread: enough that one slow file does not stall the others.
const WINDOW_PER_THREAD: usize = 64;

/// Runs `job` on every input and hands each result to `each`, in input order, on the calling
/// thread. Stops early when `each` breaks.
///
/// # Errors
///
/// When the threads cannot be started.
pub(crate) fn run<T, R>(
    threads: usize,
    inputs: impl Iterator<Item = T> + Send,
    job: impl Fn(T) -> R + Sync,
    each: &mut dyn FnMut(R) -> ControlFlow<()>,
) -> Result<(), rayon::ThreadPoolBuildError>
where
    T: Send,
    R: Send,
{
    if threads <= 1 {
        let _ = inputs.map(job).try_for_each(each);
        return Ok(());
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let queue = Queue::new(inputs, threads * WINDOW_PER_THREAD, CHUNK);
    let (sender, receiver) = mpsc::channel();
    pool.in_place_scope(|scope| {
        for _ in 0..threads {
            let (sender, queue, job) = (sender.clone(), &queue, &job);
            scope.spawn(move |_| work(queue, job, &sender));
        }
        drop(sender);
        hand_over(&queue, &receiver, each);
    });
    Ok(())
}

/// Where heavy jobs compute: on the calling thread, or in a pool.
#[cfg(feature = "pixels")]
pub(crate) struct Workers(Option<rayon::ThreadPool>);

#[cfg(feature = "pixels")]
impl Workers {
    fn new(threads: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        if threads <= 1 {
            return Ok(Self(None));
        }
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().map(|pool| Self(Some(pool)))
    }

    /// Runs `work` in the pool.
    pub(crate) fn compute<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Runs `work` for every number below `count`, spread over the pool, each thread with a scratch
    /// of its own; the results come in order.
    pub(crate) fn map<S, R: Send>(
        &self,
        count: usize,
        scratch: impl Fn() -> S + Sync + Send,
        work: impl Fn(&mut S, usize) -> R + Sync + Send,
    ) -> Vec<R> {
        use rayon::prelude::*;

        match &self.0 {
            Some(_) => (0..count).into_par_iter().map_init(scratch, work).collect(),
            None => {
                let mut scratch = scratch();
                (0..count).map(|at| work(&mut scratch, at)).collect()
            }
        }
    }
}

/// Runs long jobs, up to `threads` at once, and hands each result to `each`, in input order, on the
/// calling thread. Stops early when `each` breaks.
///
/// # Errors
///
/// When the threads cannot be started.
#[cfg(feature = "pixels")]
pub(crate) fn run_heavy<T, R>(
    threads: usize,
    inputs: impl Iterator<Item = T> + Send,
    job: impl Fn(&Workers, T) -> R + Sync,
    each: &mut dyn FnMut(R) -> ControlFlow<()>,
) -> Result<(), rayon::ThreadPoolBuildError>
where
    T: Send,
    R: Send,
{
    let workers = Workers::new(threads)?;
    let job = |input| job(&workers, input);
    if threads <= 1 {
        let _ = inputs.map(job).try_for_each(each);
        return Ok(());
    }
    let queue = Queue::new(inputs, threads * WINDOW_PER_THREAD, 1);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, queue, job) = (sender.clone(), &queue, &job);
            scope.spawn(move || work(queue, job, &sender));
        }
        drop(sender);
        hand_over(&queue, &receiver, each);
    });
    Ok(())
}

/// One worker: takes chunks until there are none.
fn work<T, R, I: Iterator<Item = T>>(
    queue: &Queue<I>,
    job: &(impl Fn(T) -> R + Sync),
    sender: &mpsc::Sender<(usize, Vec<R>)>,
) {
    // A panicking job would leave a hole that everybody else waits for.
    let alarm = StopOnDrop(queue);
    while let Some((index, chunk)) = queue.take() {
        let results = chunk.into_iter().map(job).collect();
        if sender.send((index, results)).is_err() {
            break;
        }
    }
    std::mem::forget(alarm);
}

/// Puts the chunks back into order as they come in.
fn hand_over<R, I: Iterator>(
    queue: &Queue<I>,
    receiver: &mpsc::Receiver<(usize, Vec<R>)>,
    each: &mut dyn FnMut(R) -> ControlFlow<()>,
) {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (index, results) in receiver {
        waiting.insert(index, results);
        while let Some(results) = waiting.remove(&next) {
            next += 1;
            if results.into_iter().try_for_each(&mut *each).is_break() {
                queue.stop();
                return;
            }
            queue.handed_over();
        }
    }
}

struct Queue<I> {
    state: Mutex<State<I>>,
    changed: Condvar,
    window: usize,
    chunk: usize,
}

struct State<I> {
    inputs: I,
    taken: usize,
    handed_over: usize,
    stopped: bool,
}

impl<I: Iterator> Queue<I> {
    const fn new(inputs: I, window: usize, chunk: usize) -> Self {
        let state = State { inputs, taken: 0, handed_over: 0, stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), window, chunk }
    }

    fn lock(&self) -> MutexGuard<'_, State<I>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next chunk and its index, once the window has room for it.
    fn take(&self) -> Option<(usize, Vec<I::Item>)> {
        let mut state = self.lock();
        while !state.stopped && state.taken - state.handed_over >= self.window {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return None;
        }
        let chunk: Vec<_> = state.inputs.by_ref().take(self.chunk).collect();
        if chunk.is_empty() {
            return None;
        }
        state.taken += 1;
        Some((state.taken - 1, chunk))
    }

    fn handed_over(&self) {
        self.lock().handed_over += 1;
        self.changed.notify_all();
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }
}

struct StopOnDrop<'a, I: Iterator>(&'a Queue<I>);

impl<I: Iterator> Drop for StopOnDrop<'_, I> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn doubled(threads: usize, count: usize) -> Vec<usize> {
        let mut results = Vec::new();
        run(threads, 0..count, |i| i * 2, &mut |r| {
            results.push(r);
            ControlFlow::Continue(())
        })
        .unwrap();
        results
    }

    #[test]
    fn order_is_kept_at_any_thread_count() {
        for threads in [1, 2, 3, 8] {
            for count in [0, 1, CHUNK, 10_000] {
                let expected: Vec<_> = (0..count).map(|i| i * 2).collect();
                assert_eq!(doubled(threads, count), expected, "{threads} threads");
            }
        }
    }

    #[test]
    fn breaking_stops_taking_inputs() {
        let taken = AtomicUsize::new(0);
        let inputs = (0..usize::MAX).inspect(|_| {
            taken.fetch_add(1, Ordering::Relaxed);
        });
        let mut seen = 0;
        run(2, inputs, |i| i, &mut |_| {
            seen += 1;
            if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
        assert_eq!(seen, 5);
        assert!(taken.load(Ordering::Relaxed) <= (2 * WINDOW_PER_THREAD + 3) * CHUNK);
    }

    #[cfg(feature = "pixels")]
    #[test]
    fn heavy_jobs_and_their_parts_come_in_order() {
        let expected: Vec<Vec<usize>> =
            (0..50).map(|job| (0..20).map(|part| job * 100 + part).collect()).collect();
        for threads in [1, 2, 8] {
            let mut results = Vec::new();
            let work = |workers: &Workers, job: usize| {
                let part = |seen: &mut usize, part: usize| {
                    *seen += 1;
                    job * 100 + part
                };
                workers.compute(|| workers.map(20, || 0, part))
            };
            run_heavy(threads, 0..50, work, &mut |parts| {
                results.push(parts);
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(results, expected, "{threads} threads");
        }
    }

    #[cfg(feature = "pixels")]
    #[test]
    fn a_panicking_heavy_job_reaches_the_caller() {
        let outcome = std::panic::catch_unwind(|| {
            let work = |workers: &Workers, job: i32| workers.compute(|| assert!(job != 7));
            run_heavy(2, 0..100, work, &mut |()| ControlFlow::Continue(()))
        });
        assert!(outcome.is_err());
    }

    #[test]
    fn a_panicking_job_reaches_the_caller() {
        let outcome = std::panic::catch_unwind(|| {
            run(2, 0..100_000, |i| assert!(i != 77), &mut |()| ControlFlow::Continue(()))
        });
        assert!(outcome.is_err());
    }
}
