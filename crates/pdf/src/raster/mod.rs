//! Pages as pictures and as text.
//!
//! | library | why |
//! |---|---|
//! | `hayro` | pure Rust, always there, the quicker one; draws on as many threads as there are |
//! | PDFium by `pdfium-render` (feature `pdfium`) | draws what most viewers draw, the service's probably among them; one page at a time in a process |
//!
//! Both draw form fields and annotations as a viewer does, on white, upright by the page's rotation.
//! PDFium draws into a buffer of ours: fetching a copy of its own bitmap costs as much as drawing.
//!
//! Neither library bounds what a stream unpacks to, nor how long a page takes. Whoever draws files
//! from strangers does it in a process of its own with a limit on memory and time, as the engine's
//! workers do. A panic of a library is caught here and becomes an error.

mod contents;
mod hayro;
mod layout;
#[cfg(feature = "pdfium")]
mod pdfium;

use mediaprep_media::{Dimensions, Error, Raster};

pub use self::contents::Contents;
pub use self::hayro::{HayroDocument, HayroPages};
#[cfg(feature = "pdfium")]
pub use self::pdfium::{PdfiumLibrary, PdfiumPages};

use crate::failure::FORMAT;

/// The pages of an open document.
///
/// ```
/// use mediaprep_media::Dimensions;
/// use mediaprep_pdf::raster::{HayroDocument, Pages};
///
/// let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/pdf/a4.pdf");
/// let document = HayroDocument::open(std::fs::read(file)?, None)?;
/// let mut pages = document.pages();
/// let raster = pages.draw(1, Dimensions::new(543, 768).unwrap())?;
/// assert_eq!(raster.data().len(), 543 * 768 * 3);
/// assert_eq!(pages.text(1)?, "Page 1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Pages {
    /// How many pages the library finds.
    fn count(&self) -> u64;

    /// Draws a page, numbered from 1, so that it fills `size`: red, green, blue, no opacity.
    ///
    /// # Errors
    ///
    /// When there is no such page, a side is longer than 32 767 pixels, or the page cannot be drawn.
    fn draw(&mut self, page: u64, size: Dimensions) -> Result<Raster, Error>;

    /// The page's own text in the order of its content, lines ended by line feeds; empty where it
    /// has none, as on a scan.
    ///
    /// # Errors
    ///
    /// When there is no such page, or it cannot be read.
    fn text(&mut self, page: u64) -> Result<String, Error>;

    /// What a page holds, without drawing it.
    ///
    /// # Errors
    ///
    /// When there is no such page, or it cannot be read.
    fn contents(&mut self, page: u64) -> Result<Contents, Error>;
}

/// The longest side that both libraries draw, in pixels.
pub const LONGEST_SIDE: u32 = 32_767;

fn check_size(size: Dimensions) -> Result<(u16, u16), Error> {
    let side = |side: u32| u16::try_from(side).ok().filter(|_| side <= LONGEST_SIDE);
    match (side(size.width()), side(size.height())) {
        (Some(width), Some(height)) => Ok((width, height)),
        _ => Err(mediaprep_media::LimitExceeded {
            what: "pixels on a side of a drawn page",
            limit: u64::from(LONGEST_SIDE),
            actual: u64::from(size.long()),
        }
        .into()),
    }
}

fn no_page() -> Error {
    Error::malformed(FORMAT, 0, "the library that draws finds no such page in it")
}

fn broken() -> Error {
    Error::malformed(FORMAT, 0, "the library that draws broke off on this page")
}

/// A buffer of four bytes a pixel as a raster of three: every fourth byte goes.
fn without_fourth(size: Dimensions, mut pixels: Vec<u8>) -> Result<Raster, Error> {
    let count = pixels.len() / 4;
    for at in 0..count {
        // By hand: a call for three bytes costs more than moving them.
        let pixel = [pixels[at * 4], pixels[at * 4 + 1], pixels[at * 4 + 2]];
        pixels[at * 3..at * 3 + 3].copy_from_slice(&pixel);
    }
    pixels.truncate(count * 3);
    Raster::new(size, mediaprep_media::PixelFormat::Rgb8, pixels).ok_or_else(broken)
}

/// A white buffer of four bytes a pixel.
fn white(size: Dimensions) -> Result<Vec<u8>, Error> {
    let too_large = || Error::Unsupported("a page that does not fit the memory");
    let length = usize::try_from(size.pixels()).ok().and_then(|pixels| pixels.checked_mul(4));
    let length = length.ok_or_else(too_large)?;
    let mut pixels = Vec::new();
    pixels.try_reserve_exact(length).map_err(|_| too_large())?;
    pixels.resize(length, u8::MAX);
    Ok(pixels)
}

#[cfg(test)]
mod tests;
