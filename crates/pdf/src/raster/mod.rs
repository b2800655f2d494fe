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

use mediaprep_media::{Dimensions, Error, PixelFormat, Raster};

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
/// assert_eq!(raster.data().len(), 543 * 768); // black on white, so one byte a pixel
/// assert_eq!(pages.text(1)?, "Page 1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Pages {
    /// How many pages the library finds.
    fn count(&self) -> u64;

    /// Draws a page, numbered from 1, so that it fills `size`: red, green, blue, no opacity; or grey
    /// alone where no pixel has a colour.
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

/// A buffer of red, green, blue and a fourth byte a pixel as a raster without the fourth: of one byte a
/// pixel where none has a colour, as on most pages of text, else of three.
///
/// Pixels are taken several at a time as whole words, which is a fifth of the time of byte by byte.
fn opaque(size: Dimensions, mut pixels: Vec<u8>) -> Result<Raster, Error> {
    let (format, length) = if pixels.chunks(BLOCK).all(is_grey) {
        (PixelFormat::Gray8, every_fourth(&mut pixels))
    } else {
        (PixelFormat::Rgb8, without_fourth(&mut pixels))
    };
    pixels.truncate(length);
    Raster::new(size, format, pixels).ok_or_else(broken)
}

/// Bytes that are looked at before deciding whether to go on.
const BLOCK: usize = 4096;

fn is_grey(block: &[u8]) -> bool {
    let differences = |found: u32, pixel: &[u8; 4]| {
        let word = u32::from_le_bytes(*pixel);
        found | ((word ^ word >> 8) & 0xffff)
    };
    block.as_chunks().0.iter().fold(0, differences) == 0
}

/// Moves each pixel's first byte to the front; how many there are.
fn every_fourth(pixels: &mut [u8]) -> usize {
    let count = pixels.len() / 4;
    for at in 0..count {
        pixels[at] = pixels[at * 4];
    }
    count
}

/// Moves each pixel's first three bytes to the front; how many bytes they are.
fn without_fourth(pixels: &mut [u8]) -> usize {
    let count = pixels.len() / 4;
    let quads = count / 4;
    for at in 0..quads {
        let (words, _) = pixels[at * 16..at * 16 + 16].as_chunks();
        let [a, b, c, d] = [0, 1, 2, 3].map(|at: usize| u32::from_le_bytes(words[at]) & 0xff_ffff);
        let packed = [a | b << 24, b >> 8 | c << 16, c >> 16 | d << 8];
        for (place, word) in pixels[at * 12..at * 12 + 12].as_chunks_mut().0.iter_mut().zip(packed)
        {
            *place = word.to_le_bytes();
        }
    }
    for at in quads * 4..count {
        pixels.copy_within(at * 4..at * 4 + 3, at * 3);
    }
    count * 3
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
