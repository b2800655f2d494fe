//! Chooses pages of a document and writes them as smaller documents, without drawing anything.
//!
//! ```
//! use mediaprep_media::Limits;
//! use mediaprep_pdf::split::Splitter;
//!
//! let bytes = b"%PDF-1.4
//! 1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
//! 2 0 obj << /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 612 792] >> endobj
//! 3 0 obj << /Type /Page >> endobj
//! 4 0 obj << /Type /Page /Rotate 90 >> endobj
//! trailer << /Root 1 0 R >>";
//! let document = Splitter::open(bytes, None, &Limits::default())?;
//! assert_eq!(document.pages(), 2);
//! let second = document.extract(&[2])?;
//! assert_eq!(Splitter::open(&second, None, &Limits::default())?.pages(), 1);
//! # Ok::<(), mediaprep_pdf::Error>(())
//! ```
//!
//! # What is copied
//!
//! | copied | left out |
//! |---|---|
//! | content, byte for byte as it is compressed | outlines, names, structure tree, metadata |
//! | resources, each once | scripts and other actions, embedded files |
//! | boxes, rotation and `UserUnit`, with what is inherited | articles, thumbnails, transitions |
//! | annotations with their looks; links to addresses | links to pages |
//! | the fields of a form that are on these pages | other fields, XFA, what signatures sign |
//! | which layers are shown | layers of other pages, output intents |
//!
//! Nothing on the way leads from one page to another, so that a part is never larger than its
//! pages. Parts are not encrypted, whatever the document is. They are PDF 1.7 with object streams;
//! the same pages give the same bytes every time.
//!
//! # How
//!
//! The document is read by this crate's own reader, as [`crate::probe`] reads it: both see the same
//! pages, damaged files are repaired, and only what the chosen pages need is unpacked. `lopdf`
//! decrypts objects and writes the new document. Its own reader is not used: it parses all objects
//! at once, and bounds what each object stream unpacks to but not all of them together.
//!
//! Where an object is damaged, the document is read again by its objects; what is damaged even then
//! is left out, as in viewers.
//!
//! # Hostile files
//!
//! What the objects of a part take in memory is bounded by `Limits::max_probe_memory` plus 16 times
//! the file, work by `max_probe_bytes` plus 16 times the file. Objects are copied from a queue, each
//! once, and nested at most 64 deep.

mod copy;
mod forms;
mod layers;
mod load;
mod outline;

use std::fmt;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lopdf::{Document, SaveOptions};
use mediaprep_media::{Error, LimitExceeded, Limits};

use crate::bytes::{Bytes, MEMORY_SHARE, WHOLE};
use crate::crypt::Crypt;
use crate::failure::Failure;
use crate::objects::Objects;
use crate::split::load::{Reader, Room};
use crate::split::outline::{Outline, Unlock};
use crate::xref::Xref;

/// How many times the file's length may be held or looked at beyond the limits of a probe.
const FILE_SHARE: u64 = 16;

/// A document held in memory whose pages can be written as smaller documents.
#[derive(Clone)]
pub struct Splitter {
    bytes: Vec<u8>,
    limits: Limits,
    state: State,
}

/// What is known of the document.
#[derive(Clone)]
struct State {
    xref: Xref,
    crypt: Option<Crypt>,
    base: u64,
    lenient: bool,
    outline: Outline,
}

impl fmt::Debug for Splitter {
    /// Neither content nor keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Splitter").field("pages", &self.pages()).finish_non_exhaustive()
    }
}

impl Splitter {
    /// Reads the page tree of the document in `bytes`, which are kept.
    ///
    /// `password` may be the user's or the owner's; the empty one is always tried too.
    ///
    /// # Errors
    ///
    /// Those of [`crate::probe`], which is asked first.
    pub fn open(bytes: &[u8], password: Option<&[u8]>, limits: &Limits) -> Result<Self, Error> {
        let pages = crate::probe(&mut Cursor::new(bytes), limits, password)?.value.pages();
        let bytes = bytes.to_vec();
        let unlock: Unlock<'_> = &|objects, trailer| crate::unlock(objects, trailer, password);
        let state = fenced(|| {
            let regular = read(&bytes, limits, unlock, false);
            match regular.and_then(|state| state.with_pages(pages)) {
                Err(Failure::Damaged { .. }) => {
                    read(&bytes, limits, unlock, true)?.with_pages(pages)
                }
                other => other,
            }
        })?;
        Ok(Self { bytes, limits: limits.clone(), state })
    }

    /// How many pages there are, at least 1.
    pub fn pages(&self) -> u64 {
        self.state.outline.pages.len() as u64
    }

    /// A document of these pages, numbered from 1, in this order. A page may be named more than
    /// once and is then there more than once.
    ///
    /// # Errors
    ///
    /// No page or one that does not exist is asked for, a limit is exceeded, or the document is
    /// damaged beyond repair.
    pub fn extract(&self, pages: &[u64]) -> Result<Vec<u8>, Error> {
        let chosen = self.chosen(pages)?;
        fenced(|| match self.copy(&self.state, &chosen) {
            Err(Failure::Damaged { .. }) if !self.state.lenient => {
                self.copy(&self.repaired(), &chosen)
            }
            other => other,
        })
    }

    /// Places of the pages in the list.
    fn chosen(&self, pages: &[u64]) -> Result<Vec<usize>, Error> {
        if pages.is_empty() {
            return Err(Error::Unsupported("a PDF without pages"));
        }
        self.limits.check_pages(pages.len() as u64)?;
        let place = |&page: &u64| {
            let limit = self.pages();
            if page > limit {
                return Err(LimitExceeded { what: "page number", limit, actual: page }.into());
            }
            let before = page.checked_sub(1).and_then(|before| usize::try_from(before).ok());
            before.ok_or(Error::Unsupported("a page number of 0"))
        };
        pages.iter().map(place).collect()
    }

    fn copy(&self, state: &State, chosen: &[usize]) -> Result<Vec<u8>, Failure> {
        let limits = widened(&self.limits, self.bytes.len());
        let mut cursor = Cursor::new(&self.bytes[..]);
        let mut objects = Objects::new(Bytes::new(&mut cursor, &limits, WHOLE)?);
        objects.xref = state.xref.clone();
        objects.crypt = state.crypt.clone();
        objects.base = state.base;
        objects.lenient = state.lenient;
        let mut room = Room::new(held(&self.limits, self.bytes.len()));
        let reader = Reader { objects: &mut objects, room: &mut room };
        written(copy::copy(reader, &state.outline, chosen)?)
    }

    /// The document by its objects, if that has the same pages; else what is known, with damaged
    /// objects taken for null.
    fn repaired(&self) -> State {
        let unlock: Unlock<'_> = &|_, _| Ok(self.state.crypt.clone());
        let repaired = read(&self.bytes, &self.limits, unlock, true);
        repaired
            .and_then(|state| state.with_pages(self.pages()))
            .unwrap_or_else(|_| State { lenient: true, ..self.state.clone() })
    }
}

impl State {
    /// Itself, if it has as many pages as the probe found.
    fn with_pages(self, pages: u64) -> Result<Self, Failure> {
        if self.outline.pages.len() as u64 == pages {
            return Ok(self);
        }
        Err(Failure::damaged(0, "its pages cannot be told apart"))
    }
}

fn read(bytes: &[u8], limits: &Limits, unlock: Unlock<'_>, repair: bool) -> Result<State, Failure> {
    let wide = widened(limits, bytes.len());
    let mut cursor = Cursor::new(bytes);
    let mut objects = Objects::new(Bytes::new(&mut cursor, &wide, WHOLE)?);
    let mut room = Room::new(held(limits, bytes.len()));
    let read = if repair { outline::repaired } else { outline::regular };
    let outline = read(&mut objects, limits, &mut room, unlock)?;
    let Objects { xref, crypt, base, lenient, .. } = objects;
    Ok(State { xref, crypt, base, lenient, outline })
}

/// The limits of a probe, enlarged so that they allow for streams as long as the file.
fn widened(limits: &Limits, length: usize) -> Limits {
    let length = length as u64;
    let mut wide = limits.clone();
    wide.max_probe_memory = limits.max_probe_memory.max(length.saturating_mul(MEMORY_SHARE));
    wide.max_probe_bytes = limits.max_probe_bytes.saturating_add(length.saturating_mul(FILE_SHARE));
    wide
}

/// Bytes that the objects of one part may take.
fn held(limits: &Limits, length: usize) -> u64 {
    limits.max_probe_memory.saturating_add((length as u64).saturating_mul(FILE_SHARE))
}

fn written(mut document: Document) -> Result<Vec<u8>, Failure> {
    let options =
        SaveOptions { use_object_streams: true, use_xref_streams: true, ..SaveOptions::default() };
    let mut bytes = Vec::new();
    document.save_with_options(&mut bytes, options)?;
    if u32::try_from(bytes.len()).is_err() {
        return Err(Failure::Fatal(Error::Unsupported("writing a PDF of 4 GiB or more")));
    }
    Ok(bytes)
}

/// The last fence round the libraries.
fn fenced<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Error> {
    let broken = |_| Err(Failure::damaged(0, "a library broke off while splitting it"));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(broken).map_err(Error::from)
}
