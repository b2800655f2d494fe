//! Building and sending requests: 64 MB inside a request, 2 GB as an upload, and base64 alone,
//! beside Google's Python client and what is written in Rust without thinking of size.
//!
//! Requests go to a sink over loopback, a process of its own. Every client is a process too, and
//! tells what it used between a first small request and the last answer: CPU time of user and
//! system, and memory beyond what it had when idle. Runs are interleaved; the tables show the run
//! with the least CPU time, since the machine is seldom alone, the largest memory, and ratios.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::measure::Cost;

mod clients;
mod measure;
mod sink;

/// Bytes that travel inside a request, and that are encoded.
const INLINE: usize = 64_000_000;
/// Bytes that are uploaded; the Python client uploads a tenth.
const UPLOAD: u64 = 2_000_000_000;
/// How often each client runs.
const ROUNDS: usize = 7;

fn main() -> io::Result<()> {
    // `cargo test` and `cargo bench -- --list` come by as well.
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    match args.get(1).map(String::as_str) {
        Some("--sink") => return sink::serve(&mut out),
        Some("--client") => {
            let [name, path, base] = [2, 3, 4].map(|at| args.get(at).map_or("", String::as_str));
            let cost = clients::run(name, Path::new(path), base)?;
            return writeln!(out, "{cost}");
        }
        _ => {}
    }
    let scratch = tempfile::tempdir_in(target())?;
    let sink = Sink::start()?;
    inline(&mut out, scratch.path(), &sink)?;
    upload(&mut out, scratch.path(), &sink)
}

/// A client, what it is told to do, and with which file.
struct Contender<'a> {
    name: &'a str,
    program: Program,
    what: &'a str,
    path: &'a Path,
}

#[derive(Clone, Copy)]
enum Program {
    Itself,
    Python,
}

fn inline(out: &mut dyn Write, scratch: &Path, sink: &Sink) -> io::Result<()> {
    let path = &scratch.join("inline");
    let mut data = vec![0; INLINE];
    fastrand::Rng::with_seed(1).fill(&mut data);
    std::fs::write(path, data)?;
    let itself = |name, what| Contender { name, program: Program::Itself, what, path };
    let python = |name, what| Contender { name, program: Program::Python, what, path };
    let contenders = [
        itself("mediaprep", "generate"),
        python("google-genai", "generate"),
        itself("serde_json::json! and reqwest", "macro"),
        itself("serde::Serialize and reqwest", "shape"),
        itself("a bare socket, no base64", "socket"),
    ];
    table(out, "a request with 64 MB inside", &contenders, sink)?;
    let contenders = [
        itself("mediaprep's Body::reader", "encode"),
        itself("base64 crate, STANDARD", "crate"),
        itself("base64 crate, Simd", "crate-simd"),
        itself("base64 crate, Simd, one buffer", "crate-chunks"),
        python("base64.b64encode", "base64"),
    ];
    table(out, "base64 of 64 MB in memory", &contenders, sink)
}

fn upload(out: &mut dyn Write, scratch: &Path, sink: &Sink) -> io::Result<()> {
    let made = |name: &str, length: u64| -> io::Result<PathBuf> {
        let path = scratch.join(name);
        File::create(&path)?.set_len(length)?;
        // Sparse, and read once: what comes after is read from memory by everyone.
        io::copy(&mut File::open(&path)?, &mut io::sink())?;
        Ok(path)
    };
    let (large, small) = (made("large", UPLOAD)?, made("small", UPLOAD / 10)?);
    let itself = |name, what| Contender { name, program: Program::Itself, what, path: &large };
    let python = Contender {
        name: "google-genai, of 200 MB",
        program: Program::Python,
        what: "upload",
        path: &small,
    };
    let contenders =
        [itself("mediaprep, SHA-256 known", "upload-known"), itself("mediaprep", "upload"), python];
    table(out, "an upload of 2 GB", &contenders, sink)
}

/// Runs clients in turn and prints what the best run of each did with a second of CPU time and on
/// the clock, how many times as much the first does, and the memory.
fn table(
    out: &mut dyn Write,
    title: &str,
    contenders: &[Contender<'_>],
    sink: &Sink,
) -> io::Result<()> {
    let mut best: Vec<Option<Cost>> = contenders.iter().map(|_| None).collect();
    let is_quick = std::env::args().any(|arg| arg == "--quick");
    for _ in 0..if is_quick { 1 } else { ROUNDS } {
        for (contender, best) in contenders.iter().zip(&mut best) {
            let cost = contender.run(&sink.base)?;
            let memory = best.map_or(0, |best| best.memory).max(cost.memory);
            let least = best.filter(|best| best.cpu <= cost.cpu).unwrap_or(cost);
            *best = Some(Cost { memory, ..least });
        }
    }
    let (cpu, wall, memory) = ("GB/CPU-s", "GB/s", "memory");
    writeln!(out, "{title:<34} {:>8} {cpu:>9} {wall:>7} {:>9} {memory:>8}", "CPU", "first is")?;
    let mut first = None;
    for (contender, cost) in contenders.iter().zip(best.into_iter().flatten()) {
        let bytes = contender.path.metadata()?.len() as f64;
        let [by_cpu, by_wall] =
            [cost.cpu, cost.wall].map(|time| bytes / time.as_secs_f64().max(1e-6) / 1e9);
        let ratio = *first.get_or_insert(by_cpu) / by_cpu;
        let (name, milliseconds) = (contender.name, cost.cpu.as_secs_f64() * 1e3);
        let megabytes = cost.memory as f64 / 1e6;
        writeln!(
            out,
            "  {name:<32} {milliseconds:>5.0} ms {by_cpu:>9.2} {by_wall:>7.2} {ratio:>8.2}x \
             {megabytes:>5.0} MB"
        )?;
    }
    writeln!(out)
}

impl Contender<'_> {
    fn run(&self, base: &str) -> io::Result<Cost> {
        let mut command = match self.program {
            Program::Itself => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--client");
                command
            }
            Program::Python => {
                let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
                let mut command = Command::new(benches.join("../target/peers/bin/python"));
                command.arg(benches.join("peers/send.py"));
                command
            }
        };
        let done = command.arg(self.what).arg(self.path).arg(base).output()?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let hint = "run scripts/setup.sh bench";
            return Err(io::Error::other(format!("{} failed; {hint}: {said}", self.name)));
        }
        String::from_utf8_lossy(&done.stdout).parse()
    }
}

/// The process that takes the requests, ended with this value.
struct Sink {
    process: Child,
    base: String,
}

impl Sink {
    fn start() -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg("--sink").stdout(Stdio::piped()).spawn()?;
        let mut port = String::new();
        if let Some(said) = process.stdout.take() {
            BufReader::new(said).read_line(&mut port)?;
        }
        Ok(Self { process, base: format!("http://127.0.0.1:{}", port.trim()) })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where cargo builds, and so on a disk with room.
fn target() -> PathBuf {
    let fallback = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or(fallback, PathBuf::from)
}
