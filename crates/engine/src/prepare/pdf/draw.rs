//! One page, from the document to the bytes that are sent.

use std::sync::Arc;

use mediaprep_image::{Picture, Scratch, View};
use mediaprep_media::{Dimensions, Error as MediaError, Limits, Orientation};
use mediaprep_pdf::raster::{HayroDocument, Pages};
use mediaprep_pdf::split::Splitter;

use super::wire::PageOrder;

/// A page as it is sent.
pub(in crate::prepare) struct Drawn {
    pub(in crate::prepare) bytes: Vec<u8>,
    pub(super) text: Option<String>,
}

/// Draws and encodes one page.
pub(super) fn draw_page(
    pages: &mut dyn Pages,
    order: &PageOrder,
    scratch: &mut Scratch,
) -> Result<Drawn, MediaError> {
    let size = Dimensions::new(order.width, order.height).unwrap_or(Dimensions::ONE);
    let raster = pages.draw(order.page, size)?;
    let text = order.text.then(|| pages.text(order.page)).transpose()?;
    let picture = Picture::from_raster(raster, Orientation::Upright);
    let view = View::whole(size, size);
    let bytes = picture.into_rendered(&view, &order.encoding, &order.render, scratch)?;
    Ok(Drawn { bytes, text })
}

/// The document written anew, for a library that does not find the pages that were planned, since a
/// page of the same number would be another page, or that does not take the password: hayro takes
/// only the user's.
pub(super) fn rewritten(
    bytes: &[u8],
    password: Option<&str>,
    pages: u64,
) -> Result<Vec<u8>, MediaError> {
    let splitter = Splitter::open(bytes, password.map(str::as_bytes), &Limits::default())?;
    splitter.extract(&(1..=pages).collect::<Vec<_>>())
}

/// A library that does not find the pages that were planned, in either form.
pub(super) const OTHER_PAGES: MediaError =
    MediaError::malformed("PDF", 0, "the library that draws finds other pages in it");

/// Opens a document of so many pages for hayro.
pub(super) fn open_hayro(
    bytes: Vec<u8>,
    password: Option<&str>,
    pages: u64,
) -> Result<HayroDocument, MediaError> {
    let bytes = Arc::new(bytes);
    if let Ok(document) = HayroDocument::open(Arc::clone(&bytes), password)
        && document.pages().count() == pages
    {
        return Ok(document);
    }
    let document = HayroDocument::open(rewritten(&bytes, password, pages)?, None)?;
    if document.pages().count() == pages { Ok(document) } else { Err(OTHER_PAGES) }
}
