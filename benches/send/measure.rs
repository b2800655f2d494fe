//! What work costs the process that does it.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What work cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// User and system time of the process, all its threads.
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    /// By how many bytes the resident set grew beyond what it was before.
    pub(crate) memory: u64,
}

/// Does work and says what it cost. What the process did before does not count.
pub(crate) fn measured(work: impl FnOnce() -> io::Result<()>) -> io::Result<Cost> {
    // From here on the peak is counted anew.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let (idle, begun, before) = (memory("VmRSS:")?, Instant::now(), cpu());
    work()?;
    let (cpu, wall) = (cpu().saturating_sub(before), begun.elapsed());
    Ok(Cost { cpu, wall, memory: memory("VmHWM:")?.saturating_sub(idle) })
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn memory(name: &str) -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024).ok_or_else(|| io::Error::other("no memory"))
}

/// One line, as the Python peers write it too.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.cpu.as_nanos(), self.wall.as_nanos(), self.memory)
    }
}

impl FromStr for Cost {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        let mut numbers = text.split_whitespace().map(|text| text.parse::<u64>().ok());
        let mut next = || numbers.next().flatten().ok_or_else(|| io::Error::other("no cost"));
        let (cpu, wall) = (Duration::from_nanos(next()?), Duration::from_nanos(next()?));
        Ok(Self { cpu, wall, memory: next()? })
    }
}
