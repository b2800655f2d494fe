//! The engine's settings.

#[cfg(feature = "pages")]
use std::ffi::OsString;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;

use mediaprep_media::{Limits, Watch};

use crate::error::{Error, ErrorKind, Stage};
use crate::observe::{Observed, Observer};

/// Reads and budgets media. Cheap to build and to share; threads live only during a call.
#[derive(Clone, Debug)]
pub struct Engine {
    threads: usize,
    memory: u64,
    limits: Limits,
    watch: Watch,
    observed: Observed,
    scratch: PathBuf,
    password: Option<Password>,
    #[cfg(feature = "pages")]
    pdf_worker: Option<PdfWorker>,
    #[cfg(feature = "pages")]
    pdfium: Option<PathBuf>,
}

/// What opens encrypted PDFs; never shown.
#[derive(Clone)]
struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The program that draws pages of PDFs.
#[cfg(feature = "pages")]
#[derive(Clone, Debug)]
pub(crate) struct PdfWorker {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
}

/// Settings of an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct EngineBuilder {
    threads: Option<usize>,
    memory: Option<u64>,
    limits: Limits,
    watch: Watch,
    observed: Observed,
    scratch: Option<PathBuf>,
    password: Option<Password>,
    #[cfg(feature = "pages")]
    pdf_worker: Option<PdfWorker>,
    #[cfg(feature = "pages")]
    pdfium: Option<PathBuf>,
}

/// What decoding jobs may hold at once unless the caller says otherwise, in bytes.
const MEMORY: u64 = 2 << 30;

/// Most worker threads: more than that is a typing error.
const MOST_THREADS: usize = 1024;

impl Engine {
    /// An engine with a thread for each core and limits that are safe for files from strangers.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Worker threads of each call.
    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// Bytes that decoding jobs may hold at once.
    pub const fn memory(&self) -> u64 {
        self.memory
    }

    /// The safety limits.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What stops long work: once it is [stopped](Watch::stop), everything that is being decoded or
    /// encoded ends with an error.
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Who is told about progress.
    pub(crate) const fn observed(&self) -> &Observed {
        &self.observed
    }

    /// The folder of temporary files.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// What opens encrypted PDFs.
    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| password.0.as_str())
    }

    /// The program that draws pages; `None` has hayro draw them on the engine's own threads.
    #[cfg(feature = "pages")]
    pub(crate) const fn pdf_worker(&self) -> Option<&PdfWorker> {
        self.pdf_worker.as_ref()
    }

    /// The file of PDFium's library.
    #[cfg(feature = "pages")]
    pub(crate) fn pdfium(&self) -> Option<&Path> {
        self.pdfium.as_deref()
    }

    /// Whether PDFium can draw pages.
    #[cfg(feature = "pages")]
    pub const fn has_pdfium(&self) -> bool {
        cfg!(feature = "pdfium") && self.pdfium.is_some() && self.pdf_worker.is_some()
    }

    /// Whether PDFium can draw pages: not in this build.
    #[cfg(all(feature = "pixels", not(feature = "pages")))]
    pub(crate) const fn has_pdfium(&self) -> bool {
        false
    }
}

impl EngineBuilder {
    /// Worker threads, 1 to 1024. The thread count never changes a result.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Bytes that decoding jobs may hold at once [default: 2 GiB]. Jobs reserve their peak before
    /// they start and wait until there is room; one that needs more than all of it is refused.
    /// Header probes hold next to nothing whatever this says.
    #[must_use]
    pub const fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Safety limits for the files themselves.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A switch that stops long work from another thread [default: one of the engine's own, see
    /// [`Engine::watch`]].
    #[must_use]
    pub fn watch(mut self, watch: Watch) -> Self {
        self.watch = watch;
        self
    }

    /// Who is told when an input is done with [default: nobody].
    ///
    /// ```
    /// use mediaprep::{Engine, Progress};
    ///
    /// let engine = Engine::builder()
    ///     .observer(|progress: &Progress<'_>| eprintln!("{} {}", progress.done, progress.name))
    ///     .build()?;
    /// # Ok::<(), mediaprep::Error>(())
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observed = Observed(Some(Arc::new(observer)));
        self
    }

    /// The folder of temporary files, which hold sounds and proxies until they are whole [default:
    /// the system's]. They have no names, so nothing is left of them however the process ends.
    #[must_use]
    pub fn scratch(mut self, folder: impl Into<PathBuf>) -> Self {
        self.scratch = Some(folder.into());
        self
    }

    /// The password of encrypted PDFs, the user's or the owner's. It is in no message, and
    /// `Debug` does not show it.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password(password.into()));
        self
    }

    /// A program, with its arguments, that calls [`serve_pages`](crate::serve_pages) on its standard
    /// input and output; the engine starts up to one for each thread while it draws or reads pages
    /// of PDFs. A document that makes a library crash, hang or ask for too much memory then costs
    /// one page. Without it, hayro draws on the engine's own threads, and nothing but the size of
    /// the pages bounds what a file from a stranger can ask of it.
    #[cfg(feature = "pages")]
    #[must_use]
    pub fn pdf_worker(
        mut self,
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        self.pdf_worker = Some(PdfWorker { program: program.into(), args });
        self
    }

    /// The file of PDFium's library, such as `libpdfium.so`. It is of use to worker processes only.
    #[cfg(feature = "pages")]
    #[must_use]
    pub fn pdfium(mut self, library: impl Into<PathBuf>) -> Self {
        self.pdfium = Some(library.into());
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::InvalidOption`] that names the setting and its allowed range.
    pub fn build(self) -> Result<Engine, Error> {
        let cores = || available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = self.threads.unwrap_or_else(cores).min(match self.threads {
            Some(_) => usize::MAX,
            None => MOST_THREADS,
        });
        if threads == 0 || threads > MOST_THREADS {
            let message = format!("{threads} threads; allowed: 1 to {MOST_THREADS}");
            return Err(Error::new("", Stage::Options, ErrorKind::InvalidOption, message)
                .with_hint("leave the thread count out to use every core"));
        }
        let memory = self.memory.unwrap_or(MEMORY);
        let scratch = self.scratch.unwrap_or_else(std::env::temp_dir);
        Ok(Engine {
            threads,
            memory,
            scratch,
            limits: self.limits,
            watch: self.watch,
            observed: self.observed,
            password: self.password,
            #[cfg(feature = "pages")]
            pdf_worker: self.pdf_worker,
            #[cfg(feature = "pages")]
            pdfium: self.pdfium,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thread_counts_out_of_range_are_refused() {
        assert!(Engine::builder().build().is_ok());
        for bad in [0, 1025] {
            let error = Engine::builder().threads(bad).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOption);
            assert!(error.cause().contains("1 to 1024"));
        }
    }
}
