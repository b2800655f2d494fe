//! What a piece of work takes: time on the clock, CPU time, memory, and what others took meanwhile.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Ticks a second in `/proc`, which Linux fixes at 100 for programs.
const TICKS: u64 = 100;
/// Has Linux forget the largest memory so far.
const FORGET_PEAK: &str = "5";

/// One sample of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// On the clock.
    pub(crate) wall_s: f64,
    /// User and system time of the process and of its children that have ended.
    pub(crate) cpu_s: f64,
    /// What others took of the machine's CPU time meanwhile, 0 to 1; `None` where the system does not
    /// say.
    pub(crate) others: Option<f64>,
    /// The largest memory of the process, in bytes; `None` where the system does not say.
    pub(crate) peak_bytes: Option<u64>,
}

/// Clocks that were read at the beginning.
pub(crate) struct Clock {
    begun: Instant,
    cpu: Duration,
    busy: Option<Duration>,
}

impl Clock {
    /// Reads the clocks.
    pub(crate) fn start() -> Self {
        let busy = busy();
        Self { cpu: cpu(), busy, begun: Instant::now() }
    }

    /// What was taken since, for each of so many runs. The peak of memory is only known where the
    /// system has forgotten the one before, as `knows_peak` says.
    pub(crate) fn stop(self, runs: u32, knows_peak: bool) -> Sample {
        let wall = self.begun.elapsed();
        let cpu = cpu().saturating_sub(self.cpu);
        let busy = self.busy.zip(busy()).map(|(before, now)| now.saturating_sub(before));
        let others = busy.map(|busy| share(busy.saturating_sub(cpu), wall));
        let peak_bytes = if knows_peak { peak() } else { None };
        let each = |time: Duration| time.as_secs_f64() / f64::from(runs.max(1));
        Sample { wall_s: each(wall), cpu_s: each(cpu), others, peak_bytes }
    }
}

/// Time as a share of what all cores had.
fn share(time: Duration, wall: Duration) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (time.as_secs_f64() / (wall.as_secs_f64() * cores as f64).max(1e-9)).min(1.0)
}

/// Whether the largest memory so far could be forgotten, so that what comes after is measured alone.
pub(crate) fn forget_peak() -> bool {
    fs::write("/proc/self/clear_refs", FORGET_PEAK).is_ok()
}

/// The largest memory of this process.
fn peak() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// A line of a file in `/proc` that says how many kibibytes, in bytes.
pub(super) fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

/// What all threads of this process have worked so far, and its children that have ended: the
/// processes that draw pages.
fn cpu() -> Duration {
    let own = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    own + children(&stat).unwrap_or_default()
}

/// Fields 16 and 17, counted from the first behind the name, which may hold anything.
fn children(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(13).map(|field| field.parse::<u64>().ok());
    ticks(times.next()?? + times.next()??)
}

/// What all processes have worked so far.
fn busy() -> Option<Duration> {
    busy_of(&fs::read_to_string("/proc/stat").ok()?)
}

/// The first line: user, nice, system, idle, waiting, interrupts of two kinds, stolen. What a guest
/// takes is in the first two.
fn busy_of(stat: &str) -> Option<Duration> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let times: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let idle = [3, 4];
    let busy = times.iter().take(8).enumerate().filter(|(at, _)| !idle.contains(at));
    ticks(busy.map(|(_, time)| time).sum())
}

fn ticks(count: u64) -> Option<Duration> {
    Some(Duration::from_millis(count.checked_mul(1000 / TICKS)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_files_are_read() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 20 30 15 0";
        assert_eq!(children(stat), Some(Duration::from_millis(500)));
        assert_eq!(children("7 (short) S 1"), None);
        let busy = busy_of("cpu  1 2 3 100 100 4 5 6 50 0\ncpu0 1").unwrap();
        assert_eq!(busy, Duration::from_millis(210));
        assert_eq!(busy_of("intr 1"), None);
        let status = "VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\n";
        assert_eq!(kibibytes(status, "VmHWM:"), Some(2 << 20));
        assert_eq!(kibibytes(status, "VmRSS:"), None);
    }

    #[test]
    fn work_takes_time() {
        let knows_peak = forget_peak();
        let clock = Clock::start();
        let mut held = vec![1u8; 8 << 20];
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(20) {
            held.iter_mut().for_each(|byte| *byte = byte.wrapping_mul(3));
        }
        std::hint::black_box(&held);
        let sample = clock.stop(2, knows_peak);
        assert!(sample.wall_s >= 0.010 && sample.cpu_s > 0.0, "{sample:?}");
        assert!(sample.peak_bytes.is_none_or(|peak| peak >= 8 << 20), "{sample:?}");
        assert!(sample.others.is_none_or(|others| (0.0..=1.0).contains(&others)), "{sample:?}");
    }
}
