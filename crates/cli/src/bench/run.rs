//! Running the stages in turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::clock::{Clock, Sample, forget_peak};
use super::work::{Done, Work};
use crate::failure::Failure;

/// What a sample should last at least: ten ticks of the slowest clock, that of ended children.
const SAMPLE: Duration = Duration::from_millis(100);
/// The most runs in one sample.
const MOST_RUNS: u32 = 10_000;

/// What was measured of one stage.
pub(crate) struct Measured {
    /// What its first run has done.
    pub(crate) done: Done,
    /// Runs in each sample.
    pub(crate) runs: u32,
    /// One of each round.
    pub(crate) samples: Vec<Sample>,
}

/// Runs every stage once to warm up and then in so many rounds; `step` is called after each.
///
/// # Errors
///
/// When threads cannot be started.
pub(crate) fn rounds(
    works: &mut [Work<'_>],
    repeat: u32,
    step: &mut dyn FnMut(),
) -> Result<Vec<Measured>, Failure> {
    let mut measured = Vec::with_capacity(works.len());
    for work in &mut *works {
        measured.push(warm_up(work)?);
        step();
    }
    for _ in 0..repeat {
        for (work, measured) in works.iter_mut().zip(&mut measured) {
            measured.samples.push(sample(work, measured.runs)?);
            step();
        }
    }
    Ok(measured)
}

fn warm_up(work: &mut Work<'_>) -> Result<Measured, Failure> {
    let begun = Instant::now();
    let done = (work.run)()?;
    let mut taken = begun.elapsed();
    if taken < SAMPLE {
        // The first run found nothing in the caches.
        let begun = Instant::now();
        drop((work.run)()?);
        taken = begun.elapsed();
    }
    Ok(Measured { done, runs: runs(taken), samples: Vec::new() })
}

/// How often a stage that takes so long is run for one sample.
fn runs(taken: Duration) -> u32 {
    let times = SAMPLE.as_nanos().div_ceil(taken.as_nanos().max(1));
    u32::try_from(times).unwrap_or(MOST_RUNS).clamp(1, MOST_RUNS)
}

fn sample(work: &mut Work<'_>, runs: u32) -> Result<Sample, Failure> {
    let knows_peak = forget_peak();
    let clock = Clock::start();
    for _ in 0..runs {
        drop(black_box((work.run)()?));
    }
    Ok(clock.stop(runs, knows_peak))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::StageName;
    use super::*;

    #[test]
    fn short_stages_run_often() {
        assert_eq!(runs(Duration::from_secs(1)), 1);
        assert_eq!(runs(Duration::from_millis(30)), 4);
        assert_eq!(runs(Duration::ZERO), MOST_RUNS);
    }

    #[test]
    fn stages_take_turns() {
        let order = RefCell::new(Vec::new());
        let work = |name: StageName| {
            let order = &order;
            let run = Box::new(move || {
                order.borrow_mut().push(name);
                std::thread::sleep(SAMPLE);
                Ok(Done::default())
            });
            Work { name, refused: Vec::new(), run }
        };
        let mut works = [work(StageName::Walk), work(StageName::Plan)];
        let mut steps = 0;
        let measured = rounds(&mut works, 3, &mut || steps += 1).ok().unwrap();
        drop(works);
        assert_eq!(order.into_inner(), [StageName::Walk, StageName::Plan].repeat(4));
        assert_eq!(steps, 8);
        for one in measured {
            assert_eq!((one.runs, one.samples.len()), (1, 3));
            assert!(one.samples.iter().all(|sample| sample.wall_s >= SAMPLE.as_secs_f64()));
        }
    }
}
