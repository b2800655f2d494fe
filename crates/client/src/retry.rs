//! When to try again, and after how long.

use std::time::Duration;

use crate::error::{Class, Error};
use crate::transport::Clock;

/// How failures that may pass are met.
///
/// A delay that the service asks for is taken as it is; without one the delay doubles from
/// `first_delay` to `longest_delay`, plus up to a quarter of it at random, so that many clients do
/// not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all; 1 means none again. 5 by default.
    pub tries: u32,
    /// The first delay where the service names none; 1 s by default.
    pub first_delay: Duration,
    /// The longest delay of that kind; 30 s by default.
    pub longest_delay: Duration,
    /// No try begins later than this after the first; 2 minutes by default.
    pub total: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 5,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(30),
            total: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// One try.
    pub const fn never() -> Self {
        Self {
            tries: 1,
            first_delay: Duration::ZERO,
            longest_delay: Duration::ZERO,
            total: Duration::ZERO,
        }
    }
}

/// Counts the tries of one call.
pub(crate) struct Retrier<'a> {
    policy: RetryPolicy,
    clock: &'a dyn Clock,
    started: Duration,
    tried: u32,
}

impl<'a> Retrier<'a> {
    pub(crate) fn new(policy: RetryPolicy, clock: &'a dyn Clock) -> Self {
        Self { policy, clock, started: clock.now(), tried: 0 }
    }

    /// Progress was made: what follows has its own tries.
    pub(crate) fn start_over(&mut self) {
        self.tried = 0;
        self.started = self.clock.now();
    }

    /// Failed tries since the beginning or the last progress.
    pub(crate) const fn tried(&self) -> u32 {
        self.tried
    }

    /// Waits until the next try, or gives the error back when there is none.
    pub(crate) async fn pause(&mut self, error: Error) -> Result<(), Error> {
        if error.class() != Class::Retry {
            self.tried += 1;
            return Err(error.with_tries(self.tried));
        }
        self.pause_anyway(error).await
    }

    /// The same whatever the error's class.
    pub(crate) async fn pause_anyway(&mut self, error: Error) -> Result<(), Error> {
        self.tried += 1;
        let asked = error.api().and_then(|error| error.retry_delay);
        let delay = asked.unwrap_or_else(|| self.delay());
        let end = self.started.saturating_add(self.policy.total);
        if self.tried >= self.policy.tries || self.clock.now().saturating_add(delay) > end {
            return Err(error.with_tries(self.tried));
        }
        self.clock.sleep(delay).await;
        Ok(())
    }

    fn delay(&self) -> Duration {
        let doubled = 2u32.saturating_pow(self.tried.saturating_sub(1));
        let delay = self.policy.first_delay.saturating_mul(doubled).min(self.policy.longest_delay);
        delay + delay.mul_f64(fastrand::f64() / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_error::ApiError;
    use crate::testing::{ManualClock, block_on};

    fn error(code: u16, delay: Option<f64>) -> Error {
        let mut error = ApiError::parse(code, b"");
        error.retry_delay = delay.map(Duration::from_secs_f64);
        error.into()
    }

    fn waits(policy: RetryPolicy, mut next: impl FnMut() -> Error) -> (Vec<Duration>, Error) {
        let clock = ManualClock::default();
        let mut retrier = Retrier::new(policy, &clock);
        let mut waits = Vec::new();
        loop {
            let before = clock.now();
            match block_on(retrier.pause(next())) {
                Ok(()) => waits.push(clock.now() - before),
                Err(error) => return (waits, error),
            }
        }
    }

    #[test]
    fn delays_double_with_a_little_chance() {
        let (waits, error) = waits(RetryPolicy::default(), || error(503, None));
        assert_eq!(waits.len(), 4);
        for (wait, least) in waits.iter().zip([1.0, 2.0, 4.0, 8.0]) {
            assert!((least..=least * 1.25).contains(&wait.as_secs_f64()), "{wait:?}");
        }
        assert!(error.to_string().ends_with("(tried 5 times)"), "{error}");
    }

    #[test]
    fn a_delay_that_is_asked_for_is_taken_as_it_is() {
        let (waits, _) = waits(RetryPolicy::default(), || error(429, Some(2.5)));
        assert_eq!(waits, [Duration::from_millis(2500); 4]);
    }

    #[test]
    fn the_deadline_ends_it_and_is_not_waited_for() {
        let policy = RetryPolicy { tries: 1000, ..RetryPolicy::default() };
        let (waits, error) = waits(policy, || error(429, Some(50.0)));
        assert_eq!(waits.len(), 2);
        assert_eq!(error.api().unwrap().tries, 3);
    }

    #[test]
    fn what_cannot_pass_is_not_tried_again() {
        for code in [400, 401, 403, 404, 409, 413] {
            let (waits, error) = waits(RetryPolicy::default(), || error(code, None));
            assert_eq!((waits.len(), error.api().unwrap().tries), (0, 1));
        }
        assert!(waits(RetryPolicy::never(), || error(503, None)).0.is_empty());
    }
}
