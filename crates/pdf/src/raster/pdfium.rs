//! Drawing by PDFium.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use mediaprep_media::{Dimensions, Error, Raster};
use pdfium_render::prelude::{
    PdfBitmap, PdfBitmapFormat, PdfDocument, PdfPage, PdfPageObjectCommon, PdfPageObjectsCommon,
    PdfRenderConfig, Pdfium, PdfiumError, PdfiumInternalError,
};

use super::{Contents, Pages, broken, check_size, no_page, opaque, white};
use crate::failure::FORMAT;

/// PDFium's library, loaded. It is not safe for threads, so a process has one at most and uses it
/// on one thread.
pub struct PdfiumLibrary(Pdfium);

impl PdfiumLibrary {
    /// Loads the library file.
    ///
    /// # Errors
    ///
    /// [`Error::Backend`] when it is not there, is no PDFium, or is loaded already.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bindings = Pdfium::bind_to_library(path);
        bindings
            .map(|bindings| Self(Pdfium::new(bindings)))
            .map_err(|_| Error::Backend { backend: "PDFium" })
    }

    /// Reads the structure of a document.
    ///
    /// # Errors
    ///
    /// When it is malformed, or encrypted and `password` does not open it.
    pub fn open<'a>(
        &'a self,
        bytes: &'a [u8],
        password: Option<&'a str>,
    ) -> Result<PdfiumPages<'a>, Error> {
        match self.0.load_pdf_from_byte_slice(bytes, password) {
            Ok(document) => Ok(PdfiumPages(document)),
            Err(PdfiumError::PdfiumLibraryInternalError(PdfiumInternalError::PasswordError)) => {
                Err(Error::Encrypted { format: FORMAT })
            }
            Err(PdfiumError::PdfiumLibraryInternalError(PdfiumInternalError::SecurityError)) => {
                Err(Error::Unsupported("the PDF's kind of encryption"))
            }
            Err(_) => Err(Error::malformed(FORMAT, 0, "PDFium cannot read it")),
        }
    }
}

/// The pages of a document as PDFium holds it.
pub struct PdfiumPages<'a>(PdfDocument<'a>);

impl PdfiumPages<'_> {
    /// Whether its first and last page can be read: PDFium believes the number of pages that a
    /// damaged document states.
    pub fn is_readable(&self) -> bool {
        let count = self.count();
        count > 0 && self.page(1).is_ok() && self.page(count).is_ok()
    }

    fn page(&self, number: u64) -> Result<PdfPage<'_>, Error> {
        let index = number.checked_sub(1).and_then(|index| index.try_into().ok());
        self.0.pages().get(index.ok_or_else(no_page)?).map_err(|_| no_page())
    }
}

impl Pages for PdfiumPages<'_> {
    fn count(&self) -> u64 {
        u64::try_from(self.0.pages().len()).unwrap_or(0)
    }

    fn draw(&mut self, page: u64, size: Dimensions) -> Result<Raster, Error> {
        let (width, height) = check_size(size)?;
        let page = self.page(page)?;
        let mut pixels = white(size)?;
        fenced(|| draw(&page, (width.into(), height.into()), &mut pixels))?;
        opaque(size, pixels)
    }

    fn text(&mut self, page: u64) -> Result<String, Error> {
        let page = self.page(page)?;
        fenced(|| {
            let text = page.text().map_err(|_| broken())?;
            // `all` looks at a box that is wrong for turned pages.
            let codes: Vec<u32> =
                text.chars().iter().take(MOST_CHARACTERS).map(|one| one.unicode_value()).collect();
            Ok(from_codes(&codes))
        })
    }

    fn contents(&mut self, page: u64) -> Result<Contents, Error> {
        let text = self.text(page)?;
        let page = self.page(page)?;
        let pictures = fenced(|| Ok(covered(&page)))?;
        Ok(Contents { text, pictures })
    }
}

/// The share of the page under the boxes of its pictures, those inside form objects left out.
fn covered(page: &PdfPage<'_>) -> f64 {
    let area = f64::from(page.width().value) * f64::from(page.height().value);
    let pictures = page.objects().iter().filter(|object| object.as_image_object().is_some());
    let boxed = pictures.filter_map(|object| object.bounds().ok());
    let covered: f64 =
        boxed.map(|quad| f64::from(quad.width().value) * f64::from(quad.height().value)).sum();
    if area > 0.0 { (covered / area).min(1.0) } else { 0.0 }
}

/// The most characters of one page that are read.
const MOST_CHARACTERS: usize = 1 << 20;

/// Draws into a buffer of four bytes a pixel.
fn draw(page: &PdfPage<'_>, (width, height): (i32, i32), pixels: &mut [u8]) -> Result<(), Error> {
    let config = PdfRenderConfig::new()
        .set_fixed_size(width, height)
        .set_format(PdfBitmapFormat::BGRx)
        .set_reverse_byte_order(true)
        // The buffer is white already.
        .clear_before_rendering(false)
        .render_form_data(true)
        .render_annotations(true);
    let bitmap = PdfBitmap::from_bytes(width, height, PdfBitmapFormat::BGRx, pixels);
    let mut bitmap = bitmap.map_err(|_| broken())?;
    page.render_into_bitmap_with_config(&mut bitmap, &config).map_err(|_| broken())
}

/// Text from the codes of its characters, which PDFium gives as UTF-16 or as whole characters.
fn from_codes(codes: &[u32]) -> String {
    let mut units = Vec::with_capacity(codes.len());
    for &code in codes {
        match char::from_u32(code) {
            // PDFium's own sign for a hyphen at the end of a line.
            Some('\u{2}') => units.push(u16::from(b'-')),
            Some(one) if one.is_control() && one != '\n' => {}
            Some('\u{fffe}' | '\u{ffff}') => {}
            Some(one) => units.extend_from_slice(one.encode_utf16(&mut [0; 2])),
            None => units.extend(u16::try_from(code)),
        }
    }
    String::from_utf16_lossy(&units).trim().to_owned()
}

/// A panic of the library is an error.
fn fenced<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(broken()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_text() {
        let codes = |text: &str| text.encode_utf16().map(u32::from).collect::<Vec<_>>();
        assert_eq!(from_codes(&codes("a\r\nb 😀\u{2}")), "a\nb 😀-");
        assert_eq!(from_codes(&[0x1f600, 0, 0xd83d, 0x110000]), "😀\u{fffd}");
        assert_eq!(from_codes(&[]), "");
    }
}
