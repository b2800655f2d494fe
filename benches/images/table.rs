//! What comes out: ratios first.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use mediaprep_benches::rounds;

use crate::workers::{Spent, Worker};
use crate::{Entry, Job, ROUNDS, photo};

/// The least and the middle of all rounds, in milliseconds.
#[derive(Clone, Copy)]
struct Times {
    least: f64,
    middle: f64,
}

fn times(runs: &[Spent], part: fn(&Spent) -> Duration) -> Times {
    let mut all: Vec<f64> = runs.iter().map(|run| part(run).as_secs_f64() * 1e3).collect();
    all.sort_by(f64::total_cmp);
    let at = |place: usize| all.get(place).copied().unwrap_or(f64::NAN);
    Times { least: at(0), middle: at(all.len() / 2) }
}

/// One table for each job and number of threads.
pub(crate) fn print(
    out: &mut impl Write,
    workers: &[Worker],
    entries: &[Entry],
    photo: &Path,
) -> io::Result<()> {
    let bytes = std::fs::metadata(photo)?.len();
    writeln!(
        out,
        "\n4000x3000 JPEG, 4:2:0, {:.2} MB; least and middle of {} interleaved runs",
        bytes as f64 / 1e6,
        rounds(ROUNDS)
    )?;
    let mut counts: Vec<usize> = workers.iter().map(|worker| worker.threads).collect();
    counts.dedup();
    for job in [Job::Tiles, Job::Small] {
        for &threads in &counts {
            let wanted =
                |entry: &&Entry| entry.job == job && workers[entry.worker].threads == threads;
            let rows: Vec<&Entry> = entries.iter().filter(wanted).collect();
            compared(out, workers, &rows)?;
        }
    }
    writeln!(out)?;
    for entry in entries.iter().filter(|entry| !entry.job.has_peers()) {
        if workers[entry.worker].threads == 1 {
            speed(out, entry, photo)?;
        }
    }
    Ok(())
}

fn compared(out: &mut impl Write, workers: &[Worker], rows: &[&Entry]) -> io::Result<()> {
    let Some(&first) = rows.first() else { return Ok(()) };
    let what = match first.job {
        Job::Tiles => "fitted to 3072x2304, 12 tiles of 768x768, JPEG 90",
        _ => "768x576, JPEG 90",
    };
    writeln!(out, "\n{what}; threads: {}", workers[first.worker].threads)?;
    writeln!(
        out,
        " {:<8} {:>13} {:>13} {:>15} {:>15} {:>6} {:>5} {:>8}",
        "tool", "x our CPU", "x our wall", "CPU ms", "wall ms", "kB", "dB", "peak MB"
    )?;
    let base = [times(&first.runs, |run| run.cpu), times(&first.runs, |run| run.wall)];
    rows.iter().try_for_each(|entry| row(out, &workers[entry.worker], entry, base))
}

fn row(out: &mut impl Write, worker: &Worker, entry: &Entry, base: [Times; 2]) -> io::Result<()> {
    let [cpu, wall] = [times(&entry.runs, |run| run.cpu), times(&entry.runs, |run| run.wall)];
    let ratio = |one: Times, base: Times| {
        format!("{:.2} / {:.2}", one.least / base.least, one.middle / base.middle)
    };
    let both = |one: Times| format!("{:.1} / {:.1}", one.least, one.middle);
    writeln!(
        out,
        " {:<8} {:>13} {:>13} {:>15} {:>15} {:>6} {:>5} {:>8}",
        worker.name,
        ratio(cpu, base[0]),
        ratio(wall, base[1]),
        both(cpu),
        both(wall),
        entry.size / 1000,
        nearness(entry.psnr),
        worker.peak().map_or_else(|| "-".to_owned(), |peak| format!("{:.0}", peak as f64 / 1e6)),
    )
}

fn nearness(psnr: Option<f64>) -> String {
    match psnr {
        None => "-".to_owned(),
        Some(psnr) if psnr.is_infinite() => "same".to_owned(),
        Some(psnr) => format!("{psnr:.1}"),
    }
}

/// Bytes of the input in a second.
fn speed(out: &mut impl Write, entry: &Entry, photo: &Path) -> io::Result<()> {
    let (what, input) = match entry.job {
        Job::Pass => ("passed through (read and hashed)", photo.to_owned()),
        _ => ("turned without decoding (read, turned, hashed)", photo::beside(photo)),
    };
    let bytes = std::fs::metadata(input)?.len() as f64;
    let speed = |part: fn(&Spent) -> Duration| {
        let Times { least, middle } = times(&entry.runs, part);
        format!("{:.0} / {:.0}", bytes / 1e3 / least, bytes / 1e3 / middle)
    };
    let (wall, cpu) = (speed(|run| run.wall), speed(|run| run.cpu));
    writeln!(out, " {what}: {wall} MB/s, {cpu} MB per second of CPU time")
}
