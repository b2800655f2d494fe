//! PDFs: facts of a thousand files beside pdfinfo and pypdf, and pages drawn at 3072 pixels beside
//! pdftoppm, mutool and pypdfium2, dropped and as JPEG (which mutool does not write). Runs are
//! interleaved; the tables show the run with the least CPU time, since the machine is seldom alone,
//! and ratios.
//!
//! The files to draw are written by `peers/pdf_files.py`: 40 pages of dense text, 20 with text, a
//! photograph of 2 megapixels and 200 curves, 12 scans of 4 megapixels. Every tool is a process of
//! its own, its start included. Ours draws by both libraries, on one thread or process.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use mediaprep_benches::{
    Tool, built_binary, files_in, fresh, peer, python, run, table, target, with,
};
use mediaprep_media::{Dimensions, Error};
use mediaprep_pdf::raster::{HayroDocument, Pages, PdfiumLibrary};

/// Files whose facts are read.
const FILES: usize = 1000;
/// The long side of a drawn page.
const LONG: u32 = 3072;

fn main() -> io::Result<()> {
    // `cargo test` and `cargo bench -- --list` come by as well.
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    if let Some(at) = args.iter().position(|arg| arg == "--draw") {
        return draw(&args[at + 1], Path::new(&args[at + 2])).map_err(io::Error::other);
    }
    let scratch = tempfile::tempdir_in(target())?;
    let binary = built_binary()?;
    let mut out = io::stdout().lock();
    facts(&mut out, scratch.path(), &binary)?;
    let made = python().arg(peer("pdf_files.py")).arg(scratch.path()).status()?;
    if !made.success() {
        return Err(io::Error::other("peers/pdf_files.py failed; run scripts/setup.sh bench"));
    }
    for (file, pages) in [("text", 40), ("mixed", 20), ("scan", 12)] {
        let path = scratch.path().join(format!("{file}.pdf"));
        drawing(&mut out, (file, pages), &path, scratch.path(), &binary)?;
    }
    memory(&mut out)
}

/// This program as the tool that draws and drops every page.
fn draw(library: &str, path: &Path) -> Result<(), Error> {
    let bytes = std::fs::read(path)?;
    match library {
        "hayro" => {
            let document = HayroDocument::open(bytes, None)?;
            draw_all(&mut document.pages())
        }
        _ => {
            let library = PdfiumLibrary::load(&target().join("pdfium/libpdfium.so"))?;
            draw_all(&mut library.open(&bytes, None)?)
        }
    }
}

fn draw_all(pages: &mut dyn Pages) -> Result<(), Error> {
    // All the pages are A4, upright.
    let size = Dimensions::new(LONG * 5953 / 8419, LONG).unwrap_or(Dimensions::ONE);
    (1..=pages.count()).try_for_each(|page| pages.draw(page, size).map(drop))
}

/// PDFs of the fixtures, and of the shared media where they lie beside the repository.
fn documents(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            documents(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "pdf") {
            found.push(path);
        }
    }
    Ok(())
}

fn facts(out: &mut dyn Write, scratch: &Path, binary: &Path) -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    documents(&root.join("fixtures/pdf"), &mut sources)?;
    let shared = root.join("../shared/media/pdf");
    if shared.is_dir() {
        documents(&shared, &mut sources)?;
    }
    // Ordinary ones: what is hostile takes other tools minutes.
    let odd = ["bomb", "locked", "cycle", "no-pages", "cut"];
    sources.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        !odd.iter().any(|odd| name.contains(odd))
    });
    sources.sort();
    let folder = scratch.join("documents");
    std::fs::create_dir_all(&folder)?;
    let mut list = Vec::new();
    for (at, source) in (0..FILES).zip(sources.iter().cycle()) {
        let path = folder.join(format!("{at:04}.pdf"));
        std::fs::copy(source, &path)?;
        list.push(path.to_string_lossy().into_owned());
    }
    let names = scratch.join("list");
    std::fs::write(&names, list.join("\n"))?;
    let shell = format!(
        "xargs -n 1 pdfinfo < {} > {}/facts 2>&1 || true",
        names.display(),
        scratch.display()
    );
    let tools: [Tool<'_>; 3] = [
        ("mediaprep probe", Box::new(|| with(binary, &["probe".as_ref(), folder.as_os_str()]))),
        (
            "pdfinfo, a process each",
            Box::new(|| with("sh".as_ref(), &["-c".as_ref(), shell.as_ref()])),
        ),
        (
            "pypdf",
            Box::new(|| {
                let mut command = python();
                command.arg(peer("pypdf_facts.py")).arg(&names);
                command
            }),
        ),
    ];
    table(out, ("facts: files", FILES), &tools)
}

fn drawing(
    out: &mut dyn Write,
    (file, pages): (&str, usize),
    path: &Path,
    scratch: &Path,
    binary: &Path,
) -> io::Result<()> {
    let itself = std::env::current_exe()?;
    let dropped =
        |library: &str| with(&itself, &["--draw".as_ref(), library.as_ref(), path.as_os_str()]);
    let pdftoppm = |format: &[&str]| {
        let mut command = Command::new("pdftoppm");
        command.args(format).args(["-scale-to", &LONG.to_string()]).arg(path);
        command
    };
    let mutool = || {
        let mut command = Command::new("mutool");
        // A4 upright; what is drawn is thrown away, as with the others.
        command.args(["draw", "-q", "-h", &LONG.to_string(), "-F", "pnm", "-o", "/dev/null"]);
        command.arg(path);
        command
    };
    let pypdfium = |what: &str| {
        let mut command = python();
        command.arg(peer("pypdfium.py")).arg(what).arg(path);
        command
    };
    let title = format!("{file}: pages drawn");
    let mut tools: Vec<Tool<'_>> = vec![
        ("hayro", Box::new(|| dropped("hayro"))),
        ("PDFium", Box::new(|| dropped("pdfium"))),
        ("pypdfium2", Box::new(|| pypdfium("draw"))),
        ("pdftoppm", Box::new(|| pdftoppm(&[]))),
    ];
    if Command::new("mutool").arg("-v").output().is_ok() {
        tools.push(("mutool draw", Box::new(mutool)));
    } else {
        writeln!(out, "mutool is not installed, so it is left out")?;
    }
    table(out, (&title, pages), &tools)?;

    let prepared = |library: &str, threads: &str| {
        let mut command = Command::new(binary);
        command.args(["prepare", "--quiet", "--pdf", "pages", "--model", "gemini-2.5-pro"]);
        command.args(["--pdf-engine", library, "--threads", threads, "--out"]);
        command.arg(fresh(scratch.join("out"))).arg(path);
        command
    };
    let title = format!("{file}: pages as JPEG");
    let tools: [Tool<'_>; 6] = [
        ("mediaprep, PDFium, 1 worker", Box::new(|| prepared("pdfium", "1"))),
        ("mediaprep, hayro, 1 worker", Box::new(|| prepared("hayro", "1"))),
        ("mediaprep, PDFium, 2 workers", Box::new(|| prepared("pdfium", "2"))),
        ("mediaprep, hayro, 2 workers", Box::new(|| prepared("hayro", "2"))),
        ("pypdfium2 and Pillow", Box::new(|| pypdfium("jpeg"))),
        ("pdftoppm -jpeg", Box::new(|| pdftoppm(&["-jpeg", "-jpegopt", "quality=90"]))),
    ];
    table(out, (&title, pages), &tools)?;
    let made = files_in(&scratch.join("out/media"), &format!("{file}-p"))?;
    if made == pages { Ok(()) } else { Err(io::Error::other(format!("{made} pages are ours"))) }
}

/// Peak memory of drawing few and many pages of one document.
fn memory(out: &mut dyn Write) -> io::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/pdf");
    for name in ["object-streams.pdf", "pages-352.pdf"] {
        for library in ["hayro", "pdfium"] {
            let path = file.join(name);
            let itself = std::env::current_exe()?;
            let drawn = run(
                &mut with(&itself, &["--draw".as_ref(), library.as_ref(), path.as_os_str()]),
                &[0],
            )?;
            writeln!(out, "{name:<20} {library:<7} {:>5} MB", drawn.peak >> 20)?;
        }
    }
    Ok(())
}
