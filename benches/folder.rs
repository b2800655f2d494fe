//! Budgeting a folder of 10,000 pictures beside Pillow, ExifTool and the imagesize crate, and the
//! memory of a million facts. Runs are interleaved; the table shows medians, and ratios first.
//!
//! The folder holds the fixtures that are real pictures, and those of the shared test media where they
//! lie beside the repository, many times over, each time a byte longer: ours would know copies. Every
//! tool gets the same list of files, and reads size and orientation; ours also counts tokens and cost.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use mediaprep_benches::{Run, built_binary, median, rounds, run, target};

const FILES: usize = 10_000;
const ROUNDS: usize = 5;
/// Files in one folder.
const PART: usize = 500;
const FACTS: usize = 1_000_000;

/// Pillow opening every file for its size and orientation, on so many processes.
const PILLOW: &str = r#"
import sys
from multiprocessing import Pool
from PIL import Image, ImageFile
def facts(path):
    try:
        with Image.open(path) as image:
            return image.size, image.getexif().get(274)
    except Exception:
        return None
if __name__ == "__main__":
    paths = open(sys.argv[1]).read().split("\n")
    processes = int(sys.argv[2])
    if processes == 1:
        found = [facts(path) for path in paths if path]
    else:
        with Pool(processes) as pool:
            found = pool.map(facts, [path for path in paths if path], chunksize=64)
    assert sum(1 for fact in found if fact) > 9000, "Pillow read too few files"
"#;

fn main() -> io::Result<()> {
    // `cargo test` and `cargo bench -- --list` come by as well.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    if let Some(list) = std::env::args().skip_while(|arg| arg != "--imagesize").nth(1) {
        return imagesize_alone(Path::new(&list));
    }
    let scratch = tempfile::tempdir_in(target())?;
    let (folder, list) = make_folder(scratch.path())?;
    let binary = built_binary()?;
    let mut out = io::stdout().lock();
    let tools = tools(&binary, &folder, &list, scratch.path())?;
    let mut runs: Vec<Vec<Run>> = tools.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds(ROUNDS) {
        for (tool, runs) in tools.iter().zip(&mut runs) {
            if round < tool.rounds {
                runs.push(run(&mut (tool.command)(), &[0, 1])?);
            }
        }
    }
    print_table(&mut out, &tools, runs)?;
    facts_memory(&mut out, &binary, scratch.path())
}

struct Tool {
    name: &'static str,
    /// How many of the files it gets: a slow tool gets a part, or it would take the whole time.
    files: usize,
    rounds: usize,
    command: Box<dyn Fn() -> Command>,
}

fn is_picture(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif"];
    // ExifTool needs minutes to unpack the decompression bomb.
    let is_usual = !name.starts_with("bad-") && !name.contains("bomb");
    is_usual && ends.iter().any(|end| name.ends_with(end))
}

fn pictures(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            pictures(&path, found)?;
        } else if is_picture(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// Files in folders of 500, no two alike, and the list of their paths. HEIC is left out, since Pillow
/// alone does not read it.
fn make_folder(scratch: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    pictures(&root.join("fixtures/images"), &mut sources)?;
    let shared = root.join("../shared/media/images");
    if shared.is_dir() {
        pictures(&shared, &mut sources)?;
    }
    sources.sort();
    let folder = scratch.join("pictures");
    let list = scratch.join("list");
    let mut lines = BufWriter::new(std::fs::File::create(&list)?);
    for at in 0..FILES {
        let source = at % sources.len();
        let end = sources[source].extension().unwrap_or_default().to_string_lossy();
        let part = folder.join(format!("{:02}", at / PART));
        std::fs::create_dir_all(&part)?;
        let path = part.join(format!("{at:05}.{end}"));
        let tail = vec![0; at / sources.len()];
        std::fs::write(&path, [std::fs::read(&sources[source])?, tail].concat())?;
        writeln!(lines, "{}", path.display())?;
    }
    lines.flush()?;
    Ok((folder, list))
}

fn tools(binary: &Path, folder: &Path, list: &Path, scratch: &Path) -> io::Result<Vec<Tool>> {
    let ours = |name, threads: &'static str| {
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        let command = move || {
            let mut command = Command::new(&binary);
            command
                .args(["budget", "--quiet", "--requests=each", "--threads", threads])
                .arg(&folder);
            command
        };
        Tool { name, files: FILES, rounds: ROUNDS, command: Box::new(command) }
    };
    let mut tools =
        vec![ours("mediaprep budget, 2 threads", "2"), ours("mediaprep budget, 1 thread", "1")];
    let (bench, paths) = (std::env::current_exe()?, list.to_owned());
    tools.push(Tool {
        name: "imagesize crate, 1 thread",
        files: FILES,
        rounds: ROUNDS,
        command: Box::new(move || {
            let mut command = Command::new(&bench);
            command.arg("--imagesize").arg(&paths);
            command
        }),
    });
    let python = target().join("peers/bin/python");
    if python.exists() {
        let script = scratch.join("pillow.py");
        std::fs::write(&script, PILLOW)?;
        for (name, processes) in [("Pillow, 2 processes", "2"), ("Pillow, 1 process", "1")] {
            let (python, script, paths) = (python.clone(), script.clone(), list.to_owned());
            let command = move || {
                let mut command = Command::new(&python);
                command.arg(&script).arg(&paths).arg(processes);
                command
            };
            tools.push(Tool { name, files: FILES, rounds: 3, command: Box::new(command) });
        }
    }
    if Command::new("exiftool").arg("-ver").output().is_ok() {
        let folder = folder.join("00");
        let command = move || {
            let mut command = Command::new("exiftool");
            command.args(["-fast2", "-r", "-q", "-q", "-ImageSize", "-Orientation"]).arg(&folder);
            command
        };
        tools.push(Tool {
            name: "exiftool -fast2, 500 files",
            files: PART,
            rounds: 1,
            command: Box::new(command),
        });
    }
    Ok(tools)
}

fn print_table(out: &mut impl Write, tools: &[Tool], runs: Vec<Vec<Run>>) -> io::Result<()> {
    let medians: Vec<Option<Run>> = runs.into_iter().map(median).collect();
    let rate = |tool: &Tool, run: &Run| tool.files as f64 / run.wall.as_secs_f64();
    let first = tools.first().zip(medians.first().copied().flatten());
    let Some(base) = first.map(|(tool, run)| rate(tool, &run)) else { return Ok(()) };
    writeln!(out, "\n{FILES} pictures, warm cache, medians of interleaved runs")?;
    writeln!(
        out,
        " {:<28} {:>8} {:>10} {:>9} {:>9}",
        "tool", "ours is", "files/s", "CPU s", "peak MB"
    )?;
    for (tool, median) in tools.iter().zip(medians) {
        let Some(run) = median else { continue };
        writeln!(
            out,
            " {:<28} {:>7.1}x {:>10.0} {:>9.2} {:>9.1}",
            tool.name,
            base / rate(tool, &run),
            rate(tool, &run),
            run.cpu.as_secs_f64(),
            run.peak as f64 / 1e6,
        )?;
    }
    Ok(())
}

/// A million lines of facts through the whole command, streamed.
fn facts_memory(out: &mut impl Write, binary: &Path, scratch: &Path) -> io::Result<()> {
    let file = scratch.join("facts.ndjson");
    let mut lines = BufWriter::new(std::fs::File::create(&file)?);
    for at in 0..FACTS {
        let (width, height) = (1 + at * 7919 % 5000, 1 + at * 104_729 % 4000);
        writeln!(
            lines,
            r#"{{"kind":"image","path":"{at}.jpg","width":{width},"height":{height}}}"#
        )?;
    }
    lines.flush()?;
    for model in ["gemini-3.5-flash", "gemini-2.5-pro"] {
        let mut command = Command::new(binary);
        command
            .args(["budget", "--quiet", "--format=ndjson", "--model", model, "--facts"])
            .arg(&file);
        let run = run(&mut command, &[0, 1])?;
        let rate = FACTS as f64 / run.wall.as_secs_f64();
        let peak = run.peak as f64 / 1e6;
        writeln!(out, " {FACTS} facts as ndjson, {model}: {rate:.0} facts/s, peak {peak:.1} MB")?;
    }
    Ok(())
}

/// The peer that only reads sizes, in a process of its own so that its memory is its own.
fn imagesize_alone(list: &Path) -> io::Result<()> {
    let paths = std::fs::read_to_string(list)?;
    let found = paths.lines().filter(|path| imagesize::size(path).is_ok()).count();
    if found < FILES * 9 / 10 {
        return Err(io::Error::other(format!("imagesize read {found} files only")));
    }
    Ok(())
}
