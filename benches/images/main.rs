//! Photos to tiles and to small pictures, beside libvips, sharp, OpenCV, Pillow and the `image`
//! crate alone.
//!
//! Every tool gets the same 12 megapixel JPEG in memory and makes the same JPEGs from it, in
//! memory: quality 90, 4:2:0 (but for the `image` crate, which knows 4:4:4 only), ordinary codes.
//! Every tool is a process of its own that lives as long as the benchmark, so that its start
//! is not counted; runs are interleaved. Outputs are decoded once and compared with ours: other
//! sizes or other pictures take a tool out of the table.

mod jobs;
mod outputs;
mod photo;
mod table;
mod workers;

use std::io::{self, Write};
use std::path::Path;

use mediaprep_benches::{rounds, target};
use workers::{Spent, Worker};

/// Odd, so that there is a middle one.
const ROUNDS: usize = 9;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    /// To 3072 x 2304, and that as 12 tiles of 768 x 768.
    Tiles,
    /// To 768 x 576.
    Small,
    /// Read and hashed, as a picture that needs nothing.
    Pass,
    /// Read, turned upright without decoding, and hashed.
    Turn,
}

impl Job {
    const ALL: [Self; 4] = [Self::Tiles, Self::Small, Self::Pass, Self::Turn];

    /// As it is called between processes.
    const fn name(self) -> &'static str {
        match self {
            Self::Tiles => "tiles",
            Self::Small => "small",
            Self::Pass => "pass",
            Self::Turn => "turn",
        }
    }

    /// Whether other tools do the same.
    const fn has_peers(self) -> bool {
        matches!(self, Self::Tiles | Self::Small)
    }
}

/// One tool at one job, with what it took in every round.
struct Entry {
    worker: usize,
    job: Job,
    runs: Vec<Spent>,
    /// Bytes of all outputs.
    size: u64,
    /// How near the outputs are to ours, in dB; `None` for ours.
    psnr: Option<f64>,
}

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    // `cargo test` and `cargo bench -- --list` come by as well.
    if args.iter().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    if let Some(at) = args.iter().position(|arg| arg == "--worker") {
        return jobs::serve(&args[at + 1..]);
    }
    let scratch = tempfile::tempdir_in(target())?;
    let picture = photo::write(scratch.path())?;
    let mut workers = workers::start(&picture)?;
    let mut entries = compared(&mut workers, scratch.path())?;
    for _ in 0..rounds(ROUNDS) {
        for entry in &mut entries {
            entry.runs.push(workers[entry.worker].run(entry.job, None)?);
        }
    }
    table::print(&mut io::stdout().lock(), &workers, &entries, &picture)
}

/// Has every tool do every job, which warms it up, and leaves out what is not the same work.
fn compared(workers: &mut [Worker], scratch: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for job in Job::ALL {
        let mut ours: Option<Vec<outputs::Output>> = None;
        for (at, worker) in workers.iter_mut().enumerate() {
            if !worker.is_ours() && !job.has_peers() {
                continue;
            }
            let folder = scratch.join(format!("{}-{at}", job.name()));
            std::fs::create_dir(&folder)?;
            worker.run(job, Some(&folder))?;
            let outputs = outputs::read(&folder)?;
            let size = outputs.iter().map(|output| output.bytes).sum();
            let psnr = ours.as_ref().map(|ours| outputs::compare(ours, &outputs));
            if let Some(Err(trouble)) = &psnr {
                writeln!(io::stdout(), "{} is left out of {}: {trouble}", worker.name, job.name())?;
                continue;
            }
            let psnr = psnr.and_then(Result::ok);
            ours.get_or_insert(outputs);
            entries.push(Entry { worker: at, job, runs: Vec::new(), size, psnr });
        }
    }
    Ok(entries)
}
