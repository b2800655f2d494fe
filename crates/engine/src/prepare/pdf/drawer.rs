//! What draws pages: worker processes where the engine has a program for them, else hayro on the
//! engine's own threads.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use mediaprep_image::Scratch;
use mediaprep_media::{Error as MediaError, Watch};
use mediaprep_pdf::raster::{HayroDocument, Pages};

use super::draw::{Drawn, draw_page, open_hayro};
use super::options::PdfLibrary;
use super::process::{Process, Trouble};
use super::wire::{Opening, PageOrder};
use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::prepare::carry::Job;
use crate::prepare::peak::worker_memory;

/// Worker processes that are between two pages.
#[derive(Default)]
pub(in crate::prepare) struct Pool(Mutex<VecDeque<Process>>);

impl Pool {
    /// One that has the document open, or else any; `None` when there is none.
    fn take(&self, open: (usize, PdfLibrary)) -> Option<Process> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().position(|process| process.open == Some(open));
        idle.remove(at.unwrap_or(0))
    }

    fn give_back(&self, process: Process) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(process);
    }
}

/// What is wanted of a page.
enum Want<'a> {
    Drawn(&'a PageOrder),
    Text(u64),
}

/// A document to be drawn or read.
pub(super) struct Drawer<'a> {
    job: &'a Job<'a>,
    library: PdfLibrary,
    may_change: bool,
    /// The document, where the engine's own threads draw.
    here: Option<HayroDocument>,
}

impl<'a> Drawer<'a> {
    /// Opens the document where the engine's own threads draw; worker processes open it when they
    /// get their first page of it.
    pub(super) fn open(
        job: &'a Job<'a>,
        (library, may_change): (PdfLibrary, bool),
    ) -> Result<Self, Error> {
        let here = match job.engine.pdf_worker() {
            Some(_) => None,
            None => {
                let password = job.engine.password();
                let document = open_hayro(job.read()?.0, password, job.document_pages());
                Some(document.map_err(|error| job.media_error(Stage::Decode, error))?)
            }
        };
        Ok(Self { job, library, may_change, here })
    }

    /// Draws one page.
    pub(super) fn draw(
        &self,
        order: &PageOrder,
        watch: &Watch,
        scratch: &mut Scratch,
    ) -> Result<Drawn, Error> {
        match &self.here {
            Some(document) => {
                watch.check().map_err(|error| self.job.media_error(Stage::Decode, error))?;
                draw_page(&mut document.pages(), order, scratch)
                    .map_err(|error| self.page_error(order.page, error))
            }
            None => self.anywhere(&Want::Drawn(order), watch),
        }
    }

    /// Reads one page.
    pub(super) fn text(&self, page: u64, watch: &Watch) -> Result<String, Error> {
        match &self.here {
            Some(document) => {
                watch.check().map_err(|error| self.job.media_error(Stage::Decode, error))?;
                document.pages().text(page).map_err(|error| self.page_error(page, error))
            }
            None => {
                let drawn = self.anywhere(&Want::Text(page), watch)?;
                Ok(drawn.text.unwrap_or_default())
            }
        }
    }

    /// By a worker process; by another library when the first fails and another may do it.
    fn anywhere(&self, want: &Want<'_>, watch: &Watch) -> Result<Drawn, Error> {
        let first = self.by(self.library, want, watch);
        let page = match want {
            Want::Drawn(order) => order.page,
            Want::Text(page) => *page,
        };
        let trouble = match first {
            Ok(drawn) => return Ok(drawn),
            Err(Trouble::Refused { .. } | Trouble::Died(_))
                if self.may_change && self.library != PdfLibrary::Hayro =>
            {
                match self.by(PdfLibrary::Hayro, want, watch) {
                    Ok(drawn) => return Ok(drawn),
                    Err(trouble) => trouble,
                }
            }
            Err(trouble) => trouble,
        };
        Err(self.explain(page, trouble))
    }

    fn by(&self, library: PdfLibrary, want: &Want<'_>, watch: &Watch) -> Result<Drawn, Trouble> {
        let engine = self.job.engine;
        let Some(worker) = engine.pdf_worker() else {
            return Err(Trouble::Late(MediaError::Backend { backend: "the worker program" }));
        };
        let open = (self.job.at, library);
        let mut process = match self.job.pool.take(open) {
            Some(process) => process,
            None => Process::start(worker)?,
        };
        let limit = watch.within(self.job.preparation.options.pdf.page_time);
        let watches = vec![watch.clone(), limit];
        if process.open != Some(open) {
            let opening = Opening {
                library,
                pdfium: engine.pdfium().map(ToOwned::to_owned),
                password: engine.password().map(str::to_owned),
                bytes: self.job.planned.probed.bytes.unwrap_or(0),
                pages: self.job.document_pages(),
                memory: worker_memory(engine),
            };
            let mut source = self
                .job
                .open()
                .map_err(|error| Trouble::Io(std::io::Error::other(error.cause())))?;
            let opened = process.open(&opening, &mut source, watches.clone());
            if let Err(trouble) = opened {
                if matches!(trouble, Trouble::Refused { .. }) {
                    self.job.pool.give_back(process);
                }
                return Err(trouble);
            }
            process.open = Some(open);
        }
        let done = match want {
            Want::Drawn(order) => process.draw(order, watches),
            Want::Text(page) => process
                .read(*page, watches)
                .map(|text| Drawn { bytes: Vec::new(), text: Some(text) }),
        };
        if matches!(done, Ok(_) | Err(Trouble::Refused { .. })) {
            self.job.pool.give_back(process);
        }
        done
    }

    fn page_error(&self, page: u64, error: MediaError) -> Error {
        let error = Error::from_media("", Stage::Decode, error);
        self.refused(page, error.kind(), &error.cause())
    }

    fn refused(&self, page: u64, kind: ErrorKind, message: &str) -> Error {
        self.job
            .error(Stage::Decode, kind, format!("page {page}: {message}"))
            .with_hint("leave the page out, or have another library draw")
    }

    fn explain(&self, page: u64, trouble: Trouble) -> Error {
        match trouble {
            Trouble::Refused { kind, message } => self.refused(page, kind, &message),
            Trouble::Died(status) => {
                let how = status.map_or_else(String::new, |status| format!(" ({status})"));
                let message = format!(
                    "the process that draws it ended{how}: the page is damaged, or takes more memory \
                     than is allowed"
                );
                self.refused(page, ErrorKind::Malformed, &message)
            }
            Trouble::Late(error) => {
                let message = error.to_string();
                let (kind, hint) = match error {
                    MediaError::Limit(_) => {
                        (ErrorKind::LimitExceeded, "allow more time for each page, or leave it out")
                    }
                    _ => (ErrorKind::Io, READ_AGAIN),
                };
                self.job
                    .error(Stage::Decode, kind, format!("page {page}: {message}"))
                    .with_hint(hint)
            }
            Trouble::Io(error) => {
                let message = format!("page {page}: the process that draws it: {error}");
                self.job.error(Stage::Decode, ErrorKind::Io, message).with_hint(READ_AGAIN)
            }
        }
    }
}
