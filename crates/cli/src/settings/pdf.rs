//! What PDFs are opened and drawn with.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration as WallTime;

use mediaprep::{EngineBuilder, PdfForm, PdfLibrary, PdfOptions};

use crate::args::{Common, PdfArg, PdfArgs, PdfEngineArg};
use crate::failure::Failure;

/// Names the password of encrypted PDFs.
const PASSWORD: &str = "MEDIAPREP_PASSWORD";
/// Names PDFium's library file.
const PDFIUM: &str = "MEDIAPREP_PDFIUM";
/// What the library file is called.
const LIBRARY: &str = if cfg!(target_os = "macos") { "libpdfium.dylib" } else { "libpdfium.so" };
/// Where the system keeps its libraries.
const SYSTEM: [&str; 4] =
    ["/usr/local/lib", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
/// The command that makes this program a worker.
pub(crate) const WORKER: &str = "pdf-worker";

/// The builder with the password that was typed, asked for or put into the environment.
pub(super) fn with_password(
    builder: EngineBuilder,
    common: &Common,
) -> Result<EngineBuilder, Failure> {
    let asked = || {
        rpassword::prompt_password("password: ").map_err(|error| {
            let message = format!("--ask-password: no password could be read: {error}");
            Failure::option(
                message,
                format!("on a terminal, or with {PASSWORD} in the environment"),
            )
        })
    };
    let password = match (&common.password, common.ask_password) {
        (Some(password), _) => Some(password.clone()),
        (None, true) => Some(asked()?),
        (None, false) => env::var(PASSWORD).ok().filter(|password| !password.is_empty()),
    };
    Ok(match password {
        Some(password) => builder.password(password),
        None => builder,
    })
}

/// The builder with what draws pages: this program as a worker, and PDFium where it is named or
/// found.
pub(super) fn drawing(
    builder: EngineBuilder,
    named: Option<&Path>,
    worker: Option<&Path>,
) -> Result<EngineBuilder, Failure> {
    let named = named.map(Path::to_owned).or_else(|| env::var_os(PDFIUM).map(PathBuf::from));
    if let Some(missing) = named.as_ref().filter(|path| !path.is_file()) {
        let message = format!("{}: open: no such library file", missing.display());
        return Err(Failure::option(message, "name libpdfium.so, or use --pdf-engine hayro"));
    }
    let Some(program) = worker else { return Ok(builder) };
    let builder = builder.pdf_worker(program, [OsString::from(WORKER)]);
    Ok(match named.or_else(|| found(program)) {
        Some(library) => builder.pdfium(library),
        None => builder,
    })
}

/// The library beside the program or in the system's folders.
fn found(program: &Path) -> Option<PathBuf> {
    let beside = program
        .parent()
        .into_iter()
        .flat_map(|folder| ["", "../lib", "../pdfium"].map(|place| folder.join(place)));
    let mut all = beside.chain(SYSTEM.map(PathBuf::from)).map(|folder| folder.join(LIBRARY));
    all.find(|path| path.is_file())
}

/// How PDFs are brought into shape.
pub(super) fn options(args: &PdfArgs, max_side: Option<u32>) -> PdfOptions {
    PdfOptions {
        form: match args.pdf {
            None => PdfForm::Auto,
            Some(PdfArg::Original) => PdfForm::Original,
            Some(PdfArg::Pages) => PdfForm::Pages,
            Some(PdfArg::Split) => PdfForm::Split,
        },
        pages: args.pages.clone(),
        library: match args.pdf_engine {
            PdfEngineArg::Auto => PdfLibrary::Auto,
            PdfEngineArg::Pdfium => PdfLibrary::Pdfium,
            PdfEngineArg::Hayro => PdfLibrary::Hayro,
        },
        dpi: args.dpi,
        max_side,
        text: args.pdf_text,
        pages_per_file: args.pages_per_file,
        bytes_per_file: args.bytes_per_file,
        page_time: WallTime::from_secs(args.page_time),
    }
}
