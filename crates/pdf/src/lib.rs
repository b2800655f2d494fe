//! From PDF bytes to page count and page sizes, without drawing anything.
//!
//! ```
//! use std::io::Cursor;
//! use mediaprep_media::Limits;
//!
//! let bytes = b"%PDF-1.4
//! 1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
//! 2 0 obj << /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 /MediaBox [0 0 595.28 841.89] >> endobj
//! 3 0 obj << /Type /Page /Rotate 90 >> endobj
//! trailer << /Root 1 0 R >>";
//! let found = mediaprep_pdf::probe(&mut Cursor::new(bytes), &Limits::default(), None)?;
//! assert_eq!(found.value.pages(), 2);
//! assert_eq!(found.value.first_page().unwrap().displayed(), (841_890, 595_280));
//! assert_eq!(found.warnings.len(), 1); // there is no cross-reference
//! # Ok::<(), mediaprep_pdf::Error>(())
//! ```
//!
//! # How a document is read
//!
//! 1. *By its cross-reference.* The end of the file names the last cross-reference section, each
//!    section the one before. Tables stay where they are (one entry is one read of 20 bytes),
//!    streams are unpacked. Then the page tree is walked and only its objects are read, in blocks
//!    of 512 bytes: 0.8 % of a file of 40 MB with 300 pages, 0.03 % of one of 20 MB whose page tree
//!    is in object streams. Files up to 64 KiB are read at once.
//! 2. *By its objects*, when anything on that way is not as it must be. The whole file is read once
//!    in pieces, and every object in it is noted. That is what makes damaged files readable.
//!
//! # Libraries
//!
//! | what | by | why |
//! |---|---|---|
//! | objects out of bytes | `hayro-syntax` | tolerant, nesting bounded, also the renderer's own parser |
//! | passwords and ciphers | `lopdf` | RC4, AES-128, AES-256, both kinds of password |
//! | writing parts ([`split`]) | `lopdf` | object streams, and nothing that changes from run to run |
//! | deflate | `flate2` | output can be cut off at a limit |
//! | searching | `memchr` | a repair scans at memory speed |
//!
//! The way from the cross-reference to the page tree is this crate's own. Both libraries can load a
//! document, but only whole and in memory, and `hayro-syntax` does not bound what a compressed
//! stream unpacks to: 900 bytes (`bomb.pdf` of the fixtures) make it hold 300 MB.
//!
//! CPU time in a release build, warm cache: the 32 ordinary files of the project's media set take
//! 0.10 ms each here, 0.09 ms in `hayro-syntax` and 0.41 ms in `lopdf`. A file of 40 MB with 300
//! pages takes 11 ms and 3 MB of memory here, 54 ms and 44 MB in `hayro-syntax`, 93 ms and 87 MB in
//! `lopdf`. Files in AES-256 (revision 6) take about 5 ms, which is the purpose of their key
//! derivation. Of the 65 PDFs in that set all come out right, the ambiguous ones apart.
//!
//! # Hostile files
//!
//! Everything that is read, read again or unpacked counts against `Limits::max_probe_bytes`, and
//! what is held against `max_probe_memory`. No number in the file sizes a buffer, the walk keeps its
//! own stack, each branch of the tree is entered once, and references are followed 16 deep. A panic
//! in a library, of which none is known, is caught and becomes [`Error::Malformed`].

mod boxes;
mod bytes;
mod crypt;
mod failure;
mod inflate;
mod info;
mod objects;
mod repair;
mod syntax;
mod tree;
mod xref;

#[cfg(feature = "raster")]
pub mod raster;
pub mod split;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use mediaprep_media::Error;
use mediaprep_media::{Limits, Source, Warned, Warning, WarningCode};

pub use crate::info::{DocumentInfo, PageRun, PageSize, Rotation};

use crate::bytes::{Bytes, WHOLE};
use crate::crypt::Crypt;
use crate::failure::Failure;
use crate::objects::Objects;
use crate::syntax::Value;
use crate::tree::Pages;
use crate::xref::Trailer;

/// Where `%PDF-` is looked for, in bytes from the start.
const HEADER_SEARCH: u64 = 1024;

/// Reads the facts of the PDF in `source`.
///
/// `password` may be the user's or the owner's; the empty one is always tried too.
///
/// # Errors
///
/// See [`Error`]: malformed without any page, encrypted and not opened by `password` nor by the
/// empty password, above a limit, or unreadable.
pub fn probe(
    source: &mut dyn Source,
    limits: &Limits,
    password: Option<&[u8]>,
) -> Result<Warned<DocumentInfo>, Error> {
    let read = AssertUnwindSafe(|| read(source, limits, password, WHOLE));
    // The last fence round the libraries.
    let broken = |_| Err(Failure::damaged(0, "a library broke off while reading it"));
    catch_unwind(read).unwrap_or_else(broken).map_err(Error::from)
}

fn read(
    source: &mut dyn Source,
    limits: &Limits,
    password: Option<&[u8]>,
    whole: u64,
) -> Result<Warned<DocumentInfo>, Failure> {
    let mut objects = Objects::new(Bytes::new(source, limits, whole)?);
    let regular = regular(&mut objects, limits, password);
    let encrypted = objects.crypt.is_some();
    let (pages, encrypted, rebuilt) = match regular {
        Ok(pages) if pages.lacks_pages() => {
            // An incomplete cross-reference hides pages; otherwise a repair brings nothing.
            match repaired(&mut objects, limits, password) {
                Ok(better) if pages.states(better.count) => (better, encrypted, true),
                _ => (pages, encrypted, false),
            }
        }
        Ok(pages) => (pages, encrypted, false),
        Err(Failure::Damaged { .. }) => {
            let pages = repaired(&mut objects, limits, password)?;
            (pages, objects.crypt.is_some(), true)
        }
        Err(fatal) => return Err(fatal),
    };
    let mut warnings = pages.warnings();
    if rebuilt {
        let message = "the cross-reference is damaged and was rebuilt from the objects";
        warnings.insert(0, Warning::new(WarningCode::Damaged, message));
    }
    let locked = objects.crypt.as_ref().is_some_and(|crypt| crypt.locked);
    Ok(Warned { value: DocumentInfo { runs: pages.runs, encrypted, locked }, warnings })
}

/// By the file's own cross-reference.
fn regular(
    objects: &mut Objects<'_>,
    limits: &Limits,
    password: Option<&[u8]>,
) -> Result<Pages, Failure> {
    let start = objects.bytes.read(0, HEADER_SEARCH)?;
    objects.base = memchr::memmem::find(&start, b"%PDF-").unwrap_or(0) as u64;
    let (xref, trailer) = xref::read_chain(&mut objects.bytes, objects.base)?;
    objects.xref = xref;
    objects.crypt = unlock(objects, &trailer, password)?;
    tree::walk(objects, &trailer.root, limits)
}

/// By the objects themselves, wherever they lie.
fn repaired(
    objects: &mut Objects<'_>,
    limits: &Limits,
    password: Option<&[u8]>,
) -> Result<Pages, Failure> {
    objects.start_repair();
    let (xref, repair) = repair::survey(&mut objects.bytes)?;
    objects.xref = xref;
    if let Some(trailer) = repair.encryption() {
        objects.crypt = unlock(objects, trailer, password)?;
    }
    repair.open_packed(objects)?;
    let root = repair.root(objects)?;
    tree::walk(objects, &root, limits)
}

/// The key of an encrypted document.
fn unlock(
    objects: &mut Objects<'_>,
    trailer: &Trailer,
    password: Option<&[u8]>,
) -> Result<Option<Crypt>, Failure> {
    let Value::Dictionary(encrypt) = objects.resolve(trailer.encrypt.clone())? else {
        return Ok(None);
    };
    let id = objects.resolve(trailer.id.clone())?.items(1).into_iter().next();
    let id = match objects.resolve(id.unwrap_or(Value::Null))? {
        Value::Text(id) => id,
        _ => Vec::new(),
    };
    Crypt::open(&encrypt, id, password).map(Some)
}

#[cfg(test)]
mod tests;
