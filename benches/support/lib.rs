//! What the benchmarks share: running a program to its end while watching its peak memory.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a program ran.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// From start to exit.
    pub wall: Duration,
    /// User and system time of the program and its waited-for children.
    pub cpu: Duration,
    /// The largest resident set seen, in bytes; of the program itself, not of its children.
    pub peak: u64,
}

/// Clock ticks a second in `/proc`, which Linux fixes at 100 for user space.
const TICKS: u64 = 100;

/// Runs `command` to its end, its output thrown away.
///
/// # Errors
///
/// When it cannot be started or does not exit with one of the accepted codes.
pub fn run(command: &mut Command, accepted: &[i32]) -> io::Result<Run> {
    let begun = Instant::now();
    let before = children_cpu()?;
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_memory(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let wall = begun.elapsed();
    if !status.code().is_some_and(|code| accepted.contains(&code)) {
        return Err(io::Error::other(format!("{command:?} ended with {status}")));
    }
    Ok(Run { wall, cpu: children_cpu()?.saturating_sub(before), peak })
}

/// The largest resident set of a process so far, in bytes; `None` where `/proc` does not say.
///
/// `VmHWM` only grows, so the last look before the exit is close to the peak.
pub fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// CPU time of all children that were waited for: fields 16 and 17 of `/proc/self/stat`.
fn children_cpu() -> io::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let field = |at: usize| fields.split(' ').nth(at).and_then(|text| text.parse::<u64>().ok());
    let ticks = field(13).unwrap_or(0) + field(14).unwrap_or(0);
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

/// The middle one of an odd number of runs, by wall time.
pub fn median(mut runs: Vec<Run>) -> Option<Run> {
    runs.sort_by_key(|run| run.wall);
    let middle = runs.len() / 2;
    let peak = runs.iter().map(|run| run.peak).max()?;
    runs.get(middle).map(|run| Run { peak, ..*run })
}
