//! The worker's side: opens documents and draws or reads their pages until its input ends.

use std::cell::OnceCell;
use std::io::{self, Read, Write};

use mediaprep_image::Scratch;
use mediaprep_media::Error as MediaError;
use mediaprep_pdf::raster::Pages;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::draw::{draw_page, open_hayro};
use super::options::PdfLibrary;
use super::wire::{Answer, Opening, Order, read_bytes, receive, send};
use crate::error::{Error, Stage};

/// Serves an engine that runs this process as a worker: see
/// [`EngineBuilder::pdf_worker`](crate::EngineBuilder::pdf_worker). Returns when `input` ends.
///
/// The process limits its own memory to what the engine says, and so must not do anything else. It
/// may end at any time: on a document that makes a library crash or ask for too much memory.
///
/// # Errors
///
/// When the engine has gone away.
pub fn serve_pages(input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
    let library = Library::default();
    let mut next: Option<Order> = receive(input)?;
    while let Some(order) = next {
        let Order::Open(opening) = order else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let bytes = read_bytes(input, opening.bytes)?;
        limit_memory(opening.memory);
        next = library.serve(bytes, &opening, &mut Line { input, output })?;
    }
    Ok(())
}

/// The two ends that a worker talks through.
struct Line<'a> {
    input: &'a mut dyn Read,
    output: &'a mut dyn Write,
}

impl Line<'_> {
    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        send(self.output, answer)?;
        self.output.flush()
    }

    fn fail(&mut self, error: MediaError) -> io::Result<()> {
        let error = Error::from_media("", Stage::Decode, error);
        self.answer(&Answer::Failed { kind: error.kind(), message: error.cause() })
    }

    /// Serves the pages of an open document; what comes after.
    fn pages(&mut self, pages: &mut dyn Pages) -> io::Result<Option<Order>> {
        self.answer(&Answer::Opened)?;
        let mut scratch = Scratch::default();
        loop {
            match receive(self.input)? {
                Some(Order::Draw(order)) => match draw_page(pages, &order, &mut scratch) {
                    Ok(drawn) => {
                        let bytes = drawn.bytes.len() as u64;
                        send(self.output, &Answer::Drawn { bytes, text: drawn.text })?;
                        self.output.write_all(&drawn.bytes)?;
                        self.output.flush()?;
                    }
                    Err(error) => self.fail(error)?,
                },
                Some(Order::Read { page }) => match pages.text(page) {
                    Ok(text) => self.answer(&Answer::Text(text))?,
                    Err(error) => self.fail(error)?,
                },
                Some(Order::Look { page }) => match pages.contents(page) {
                    Ok(contents) => self.answer(&Answer::Contents(contents))?,
                    Err(error) => self.fail(error)?,
                },
                other => return Ok(other),
            }
        }
    }

    /// A document that did not open; what comes after.
    fn refuse(&mut self, error: MediaError) -> io::Result<Option<Order>> {
        self.fail(error)?;
        receive(self.input)
    }
}

/// PDFium, once it is loaded.
#[derive(Default)]
struct Library {
    #[cfg(feature = "pdfium")]
    pdfium: OnceCell<mediaprep_pdf::raster::PdfiumLibrary>,
    #[cfg(not(feature = "pdfium"))]
    _none: OnceCell<()>,
}

impl Library {
    fn serve(
        &self,
        bytes: Vec<u8>,
        opening: &Opening,
        line: &mut Line<'_>,
    ) -> io::Result<Option<Order>> {
        if opening.library == PdfLibrary::Pdfium {
            return self.serve_pdfium(&bytes, opening, line);
        }
        match open_hayro(bytes, opening.password.as_deref(), opening.pages) {
            Ok(document) => line.pages(&mut document.pages()),
            Err(error) => line.refuse(error),
        }
    }

    #[cfg(feature = "pdfium")]
    fn serve_pdfium(
        &self,
        bytes: &[u8],
        opening: &Opening,
        line: &mut Line<'_>,
    ) -> io::Result<Option<Order>> {
        use mediaprep_pdf::raster::PdfiumLibrary;

        use super::draw::{OTHER_PAGES, rewritten};

        if self.pdfium.get().is_none() {
            let path = opening.pdfium.as_deref().unwrap_or_else(|| std::path::Path::new(""));
            match PdfiumLibrary::load(path) {
                Ok(loaded) => drop(self.pdfium.set(loaded)),
                Err(error) => return line.refuse(error),
            }
        }
        let Some(library) = self.pdfium.get() else {
            return line.refuse(MediaError::Backend { backend: "PDFium" });
        };
        let password = opening.password.as_deref();
        match library.open(bytes, password) {
            Ok(mut pages) if pages.count() == opening.pages && pages.is_readable() => {
                return line.pages(&mut pages);
            }
            _ => {}
        }
        let anew = match rewritten(bytes, password, opening.pages) {
            Ok(anew) => anew,
            Err(error) => return line.refuse(error),
        };
        match library.open(&anew, None) {
            Ok(mut pages) if pages.count() == opening.pages => line.pages(&mut pages),
            Ok(_) => line.refuse(OTHER_PAGES),
            Err(error) => line.refuse(error),
        }
    }

    #[cfg(not(feature = "pdfium"))]
    fn serve_pdfium(
        &self,
        _: &[u8],
        _: &Opening,
        line: &mut Line<'_>,
    ) -> io::Result<Option<Order>> {
        line.refuse(MediaError::Backend { backend: "PDFium" })
    }
}

/// Lets the process take so much more memory than it has. What asks for more ends the process, or
/// fails in the library.
fn limit_memory(more: u64) {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let Some(pages) = pages else { return };
    let held = pages.saturating_mul(rustix::param::page_size() as u64);
    let before = getrlimit(Resource::As);
    let most = held.saturating_add(more).min(before.maximum.unwrap_or(u64::MAX));
    let _ = setrlimit(Resource::As, Rlimit { current: Some(most), maximum: before.maximum });
}
