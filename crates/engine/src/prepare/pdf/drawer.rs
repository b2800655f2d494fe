//! What draws pages: worker processes where the engine has a program for them, else hayro on the
//! engine's own threads.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration as WallTime;

use mediaprep_image::Scratch;
use mediaprep_media::{Error as MediaError, Watch};
use mediaprep_pdf::raster::{Contents, HayroDocument, HayroPages, Pages};

use super::draw::{Drawn, draw_page, open_hayro};
use super::options::PdfLibrary;
use super::process::{Process, Trouble};
use super::wire::{Opening, PageOrder};
use crate::Engine;
use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::info::MediaInfo;
use crate::input::Input;
use crate::prepare::carry::{open_input, read_input};
use crate::prepare::peak::worker_memory;
use crate::probe::Probed;

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

/// The document that is drawn or read, and with what.
pub(in crate::prepare) struct Site<'a> {
    pub(in crate::prepare) engine: &'a Engine,
    pub(in crate::prepare) pool: &'a Pool,
    /// Its place among the items, which tells it from other documents.
    pub(in crate::prepare) at: usize,
    pub(in crate::prepare) input: &'a Input,
    pub(in crate::prepare) probed: &'a Probed,
    /// The longest that one page may take.
    pub(in crate::prepare) page_time: WallTime,
}

impl Site<'_> {
    /// How many pages it has.
    fn pages(&self) -> u64 {
        match &self.probed.info {
            MediaInfo::Document(document) => document.pages(),
            _ => 0,
        }
    }

    fn error(&self, error: MediaError) -> Error {
        Error::from_media(&self.probed.name, Stage::Decode, error)
    }
}

/// What is wanted of a page.
enum Want<'a> {
    Drawn(&'a PageOrder),
    Text(u64),
    Contents(u64),
}

impl Want<'_> {
    const fn page(&self) -> u64 {
        match self {
            Self::Drawn(order) => order.page,
            Self::Text(page) | Self::Contents(page) => *page,
        }
    }
}

/// What became of it.
enum Got {
    Drawn(Drawn),
    Text(String),
    Contents(Contents),
}

/// A document to be drawn or read.
pub(in crate::prepare) struct Drawer<'a> {
    site: Site<'a>,
    library: PdfLibrary,
    may_change: bool,
    /// The document, where the engine's own threads draw.
    here: Option<HayroDocument>,
}

impl<'a> Drawer<'a> {
    /// Opens the document where the engine's own threads draw; worker processes open it when they
    /// get their first page of it.
    pub(in crate::prepare) fn open(
        site: Site<'a>,
        (library, may_change): (PdfLibrary, bool),
    ) -> Result<Self, Error> {
        let here = match site.engine.pdf_worker() {
            Some(_) => None,
            None => {
                let bytes = read_input(site.input, site.probed)?;
                let document = open_hayro(bytes, site.engine.password(), site.pages());
                Some(document.map_err(|error| site.error(error))?)
            }
        };
        Ok(Self { site, library, may_change, here })
    }

    /// Draws one page.
    pub(in crate::prepare) fn draw(
        &self,
        order: &PageOrder,
        watch: &Watch,
        scratch: &mut Scratch,
    ) -> Result<Drawn, Error> {
        let draw = |pages: &mut HayroPages<'_>| draw_page(pages, order, scratch).map(Got::Drawn);
        match self.get(&Want::Drawn(order), draw, watch)? {
            Got::Drawn(drawn) => Ok(drawn),
            _ => Err(self.other(order.page)),
        }
    }

    /// Reads the text of one page.
    pub(super) fn text(&self, page: u64, watch: &Watch) -> Result<String, Error> {
        match self.get(&Want::Text(page), |pages| pages.text(page).map(Got::Text), watch)? {
            Got::Text(text) => Ok(text),
            _ => Err(self.other(page)),
        }
    }

    /// Tells what one page holds.
    pub(super) fn contents(&self, page: u64, watch: &Watch) -> Result<Contents, Error> {
        let read = |pages: &mut HayroPages<'_>| pages.contents(page).map(Got::Contents);
        match self.get(&Want::Contents(page), read, watch)? {
            Got::Contents(contents) => Ok(contents),
            _ => Err(self.other(page)),
        }
    }

    /// By this process or another.
    fn get(
        &self,
        want: &Want<'_>,
        here: impl FnOnce(&mut HayroPages<'_>) -> Result<Got, MediaError>,
        watch: &Watch,
    ) -> Result<Got, Error> {
        watch.check().map_err(|error| self.site.error(error))?;
        match &self.here {
            Some(document) => {
                here(&mut document.pages()).map_err(|error| self.page_error(want.page(), error))
            }
            None => self.anywhere(want, watch),
        }
    }

    /// By a worker process; by another library when the first fails and another may do it.
    fn anywhere(&self, want: &Want<'_>, watch: &Watch) -> Result<Got, Error> {
        let trouble = match self.by(self.library, want, watch) {
            Ok(got) => return Ok(got),
            Err(trouble) => trouble,
        };
        let may_change = self.may_change && self.library != PdfLibrary::Hayro;
        let trouble = match trouble {
            Trouble::Refused { .. } | Trouble::Died(_) if may_change => {
                match self.by(PdfLibrary::Hayro, want, watch) {
                    Ok(got) => return Ok(got),
                    Err(trouble) => trouble,
                }
            }
            trouble => trouble,
        };
        Err(self.explain(want.page(), trouble))
    }

    fn by(&self, library: PdfLibrary, want: &Want<'_>, watch: &Watch) -> Result<Got, Trouble> {
        let Site { engine, pool, at, page_time, .. } = self.site;
        let Some(worker) = engine.pdf_worker() else {
            return Err(Trouble::Late(MediaError::Backend { backend: "the worker program" }));
        };
        let open = (at, library);
        let mut process = match pool.take(open) {
            Some(process) => process,
            None => Process::start(worker)?,
        };
        let watches = [watch.clone(), watch.within(page_time)];
        let opened = match process.open == Some(open) {
            true => Ok(()),
            false => self.open_in(&mut process, library, &watches),
        };
        let done = opened.and_then(|()| match want {
            Want::Drawn(order) => process.draw(order, &watches).map(Got::Drawn),
            Want::Text(page) => process.read(*page, &watches).map(Got::Text),
            Want::Contents(page) => process.look(*page, &watches).map(Got::Contents),
        });
        if matches!(done, Ok(_) | Err(Trouble::Refused { .. })) {
            pool.give_back(process);
        }
        done
    }

    /// Has a worker open the document.
    fn open_in(
        &self,
        process: &mut Process,
        library: PdfLibrary,
        watches: &[Watch; 2],
    ) -> Result<(), Trouble> {
        let Site { engine, at, input, probed, .. } = self.site;
        let opening = Opening {
            library,
            pdfium: engine.pdfium().map(ToOwned::to_owned),
            password: engine.password().map(str::to_owned),
            bytes: probed.bytes.unwrap_or(0),
            pages: self.site.pages(),
            memory: worker_memory(engine),
        };
        let mut source = open_input(input, &probed.name)
            .map_err(|error| Trouble::Io(std::io::Error::other(error.cause())))?;
        process.open(&opening, &mut source, watches)?;
        process.open = Some((at, library));
        Ok(())
    }

    /// A worker never answers with something else, so this is never seen; it is no reason to panic.
    fn other(&self, page: u64) -> Error {
        self.refused(page, ErrorKind::Io, "the process that draws it gave another answer")
    }

    fn page_error(&self, page: u64, error: MediaError) -> Error {
        let error = Error::from_media("", Stage::Decode, error);
        self.refused(page, error.kind(), &error.cause())
    }

    fn failed(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(&self.site.probed.name, Stage::Decode, kind, message)
    }

    fn refused(&self, page: u64, kind: ErrorKind, message: &str) -> Error {
        self.failed(kind, format!("page {page}: {message}"))
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
                self.failed(kind, format!("page {page}: {message}")).with_hint(hint)
            }
            Trouble::Io(error) => {
                let message = format!("page {page}: the process that draws it: {error}");
                self.failed(ErrorKind::Io, message).with_hint(READ_AGAIN)
            }
        }
    }
}
