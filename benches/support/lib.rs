//! What the benchmarks share: running a program to its end while watching its peak memory, and a
//! picture to work on.

mod photo;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub use photo::photo;

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
/// When it cannot be started or does not exit with one of the accepted codes, with the end of what it
/// said.
pub fn run(command: &mut Command, accepted: &[i32]) -> io::Result<Run> {
    let begun = Instant::now();
    let before = children_cpu()?;
    // A file, which a program can fill without anybody reading.
    let mut said = tempfile::tempfile()?;
    let mut child = command.stdout(Stdio::null()).stderr(said.try_clone()?).spawn()?;
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
        let said = last_words(&mut said)?;
        return Err(io::Error::other(format!("{command:?} ended with {status}: {said}")));
    }
    Ok(Run { wall, cpu: children_cpu()?.saturating_sub(before), peak })
}

/// The last bytes of a file, as text.
fn last_words(file: &mut File) -> io::Result<String> {
    let from = file.metadata()?.len().saturating_sub(500);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
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

/// Where cargo builds.
pub fn target() -> PathBuf {
    let fallback = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or(fallback, PathBuf::from)
}

/// The binary, built here so that a benchmark can be run alone.
///
/// # Errors
///
/// When it cannot be built.
pub fn built_binary() -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--profile", "quick", "--quiet", "--package", "mediaprep-cli"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status()?;
    if !built.success() {
        return Err(io::Error::other("the binary could not be built"));
    }
    Ok(target().join("quick/mediaprep"))
}

/// A program of the folder `peers`.
pub fn peer(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// The Python that has the peers.
pub fn python() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin/python"))
}

/// A program with arguments.
pub fn with(program: &Path, args: &[&OsStr]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// A tool's name and how it is run.
pub type Tool<'a> = (&'a str, Box<dyn Fn() -> Command + 'a>);

/// How often each tool of a table runs.
const ROUNDS: usize = 3;

/// As many rounds as a benchmark wants, or one where its arguments hold `--quick`.
pub fn rounds(wanted: usize) -> usize {
    if std::env::args().any(|arg| arg == "--quick") { 1 } else { wanted }
}

/// The path of a folder that is not there: what is prepared into one that was done goes on from it,
/// and does nothing.
pub fn fresh(folder: PathBuf) -> PathBuf {
    // A folder that stays is noticed by what is counted in it.
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// How many files a folder holds whose names begin so.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn files_in(folder: &Path, begin: &str) -> io::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        count += usize::from(entry?.file_name().to_string_lossy().starts_with(begin));
    }
    Ok(count)
}

/// Runs tools in turn and prints how many times as much the first does in a second of CPU time and
/// on the clock as each of them, by the run with the least CPU time, and how much each does.
///
/// # Errors
///
/// When a tool cannot be run, or the table not be written.
pub fn table(
    out: &mut dyn Write,
    (title, count): (&str, usize),
    tools: &[Tool<'_>],
) -> io::Result<()> {
    let runs = least(tools)?;
    let (by_cpu, by_wall) = ("x its CPU", "x its wall");
    writeln!(out, "{title:<34} {by_cpu:>9} {by_wall:>10} {:>9} {:>9}", "per CPU-s", "per s")?;
    let rate = |time: Duration| count as f64 / time.as_secs_f64().max(0.01);
    let (cpu, wall) = runs.first().map_or((0.0, 0.0), |run| (rate(run.cpu), rate(run.wall)));
    for ((name, _), run) in tools.iter().zip(&runs) {
        let (by_cpu, by_wall) = (rate(run.cpu), rate(run.wall));
        let (times_cpu, times_wall) = (cpu / by_cpu, wall / by_wall);
        writeln!(
            out,
            "  {name:<32} {times_cpu:>9.2} {times_wall:>10.2} {by_cpu:>9.1} {by_wall:>9.1}"
        )?;
    }
    writeln!(out)
}

/// The run of each tool with the least CPU time.
fn least(tools: &[Tool<'_>]) -> io::Result<Vec<Run>> {
    let mut best: Vec<Option<Run>> = tools.iter().map(|_| None).collect();
    for _ in 0..rounds(ROUNDS) {
        for ((_, command), best) in tools.iter().zip(&mut best) {
            let run = run(&mut command(), &[0, 1])?;
            let peak = best.map_or(0, |best| best.peak).max(run.peak);
            let least = best.filter(|best| best.cpu <= run.cpu).unwrap_or(run);
            *best = Some(Run { peak, ..least });
        }
    }
    Ok(best.into_iter().flatten().collect())
}
