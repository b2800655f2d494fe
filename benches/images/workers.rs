//! The tools: each a process that waits for jobs.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::{Job, target};

/// What a job took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
}

/// A tool on some number of threads.
pub(crate) struct Worker {
    pub(crate) name: &'static str,
    pub(crate) threads: usize,
    child: Child,
    jobs: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Every tool that is installed, on one thread and on all; ours come first.
pub(crate) fn start(photo: &Path) -> io::Result<Vec<Worker>> {
    let all = std::thread::available_parallelism()?.get();
    let mut workers = Vec::new();
    for threads in if all > 1 { vec![1, all] } else { vec![1] } {
        for name in ["ours", "image"] {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--worker", name]).arg(photo).arg(threads.to_string());
            workers.push(Worker::start(name, threads, &mut command)?);
        }
        for peer in ["vips", "sharp", "opencv", "pillow"] {
            match command(peer, photo, threads) {
                Some(mut command) => workers.push(Worker::start(peer, threads, &mut command)?),
                None if threads == 1 => {
                    writeln!(io::stdout(), "{peer} is not installed, so it is left out")?;
                }
                None => {}
            }
        }
    }
    Ok(workers)
}

/// `None` when the peer is not installed.
fn command(peer: &str, photo: &Path, threads: usize) -> Option<Command> {
    let (installed, scripts) =
        (target().join("peers"), Path::new(env!("CARGO_MANIFEST_DIR")).join("peers"));
    let mut command = if peer == "sharp" {
        let folder = installed.join("node");
        let mut command = Command::new("node");
        command.arg(scripts.join("sharp.mjs")).arg(photo).arg(threads.to_string()).arg(&folder);
        folder.join("node_modules/sharp").exists().then_some(command)
    } else {
        let module = match peer {
            "vips" => "pyvips",
            "opencv" => "cv2",
            _ => "PIL",
        };
        let python = installed.join("bin/python");
        let mut command = Command::new(&python);
        command
            .arg("-B")
            .arg(scripts.join(format!("{peer}.py")))
            .arg(photo)
            .arg(threads.to_string());
        has_module(&python, module).then_some(command)
    }?;
    let threads = threads.to_string();
    command.env("VIPS_CONCURRENCY", &threads).env("UV_THREADPOOL_SIZE", &threads);
    Some(command)
}

fn has_module(python: &Path, module: &str) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {module}")]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Worker {
    fn start(name: &'static str, threads: usize, command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(jobs), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a process without pipes"));
        };
        Ok(Self { name, threads, child, jobs, answers: BufReader::new(answers) })
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.name == "ours"
    }

    /// Does a job once; writes its outputs into `folder` if there is one.
    pub(crate) fn run(&mut self, job: Job, folder: Option<&Path>) -> io::Result<Spent> {
        let folder = folder.map_or_else(|| "-".into(), Path::to_string_lossy);
        writeln!(self.jobs, "{} {folder}", job.name())?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let words: Vec<&str> = answer.split_whitespace().collect();
        let nanoseconds = |at: usize| words.get(at).and_then(|word| word.parse().ok());
        match (words.first(), nanoseconds(1), nanoseconds(2)) {
            (Some(&"ok"), Some(wall), Some(cpu)) => {
                Ok(Spent { wall: Duration::from_nanos(wall), cpu: Duration::from_nanos(cpu) })
            }
            _ => Err(io::Error::other(format!("{} failed at {}: {answer}", self.name, job.name()))),
        }
    }

    /// The largest resident set so far, in bytes.
    pub(crate) fn peak(&self) -> Option<u64> {
        mediaprep_benches::peak_memory(self.child.id())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
