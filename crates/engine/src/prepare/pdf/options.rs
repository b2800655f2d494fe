//! How PDFs are brought into shape.

use std::time::Duration as WallTime;

use serde::{Deserialize, Serialize};

use super::spans::PageSelection;
use crate::error::{Error, ErrorKind, Stage};

/// How PDFs travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PdfForm {
    /// As it is where that is within the service's limits, all pages are wanted and no password is
    /// needed; else as smaller PDFs.
    #[default]
    Auto,
    /// As it is.
    Original,
    /// Each page as an image, its number before it.
    Pages,
    /// As PDFs of so many pages or bytes, with the text and drawings of the original.
    Split,
}

/// The library that draws pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PdfLibrary {
    /// PDFium where the engine knows its library file and has worker processes for it, since it
    /// draws what most viewers draw; else hayro. A page that PDFium fails on is drawn by hayro.
    #[default]
    Auto,
    /// PDFium.
    Pdfium,
    /// The pure-Rust library that every build has.
    Hayro,
}

/// How PDFs are brought into shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PdfOptions {
    /// As it is, in pages, or as smaller PDFs.
    pub form: PdfForm,
    /// The pages that are wanted; `None` is all of them.
    pub pages: Option<PageSelection>,
    /// What draws pages.
    pub library: PdfLibrary,
    /// Pixels per inch of drawn pages, 1 to 2400. `None` is 300, but no side longer than the
    /// service keeps, and none shorter on the long side than 768 pixels.
    pub dpi: Option<u32>,
    /// The longest side of drawn pages in pixels, at least 1; `None` is the longest that the
    /// model's service keeps of an image, or 3072 where none is published. Goes before `dpi`.
    pub max_side: Option<u32>,
    /// Whether the pages' own text goes along as text.
    pub text: bool,
    /// The most pages of each smaller PDF, at least 1; `None` is the service's limit.
    pub pages_per_file: Option<u64>,
    /// The most bytes of each smaller PDF, at least 1; `None` is the service's limit.
    pub bytes_per_file: Option<u64>,
    /// The longest that one page may be drawn or read, on the clock. Kept where worker processes
    /// draw.
    pub page_time: WallTime,
}

impl Default for PdfOptions {
    /// As it is where possible; a minute for each page.
    fn default() -> Self {
        Self {
            form: PdfForm::Auto,
            pages: None,
            library: PdfLibrary::Auto,
            dpi: None,
            max_side: None,
            text: false,
            pages_per_file: None,
            bytes_per_file: None,
            page_time: WallTime::from_secs(60),
        }
    }
}

/// Finer than any page is made.
const MOST_DPI: u32 = 2400;

impl PdfOptions {
    /// Rejects settings out of range or at odds with each other.
    pub(in crate::prepare) fn validate(&self) -> Result<(), Error> {
        let refuse = |message: String, hint: &'static str| {
            let error = Error::new("", Stage::Options, ErrorKind::InvalidOption, message);
            Err(error.with_hint(hint))
        };
        if let Some(dpi) = self.dpi.filter(|dpi| !(1..=MOST_DPI).contains(dpi)) {
            let message = format!("{dpi} pixels per inch; allowed: 1 to {MOST_DPI}");
            return refuse(message, "150 to 300 are usual");
        }
        if self.max_side == Some(0) {
            let message = "a longest side of 0 pixels; allowed: at least 1".to_owned();
            return refuse(message, "leave it out to use what the service keeps");
        }
        if self.pages_per_file == Some(0) || self.bytes_per_file == Some(0) {
            let message = "PDFs of 0 pages or bytes; allowed: at least 1".to_owned();
            return refuse(message, "leave it out to use the service's limit");
        }
        if self.form == PdfForm::Original && self.pages.is_some() {
            let message = "a PDF as it is has all its pages".to_owned();
            return refuse(message, "ask for pages or split, or for all pages");
        }
        if !cfg!(feature = "pages") && (self.form == PdfForm::Pages || self.text) {
            return Err(Error::new(
                "",
                Stage::Options,
                ErrorKind::BackendUnavailable,
                "this build draws and reads no pages",
            )
            .with_hint("build with the feature `pages`"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let causes = [
            (PdfOptions { dpi: Some(0), ..PdfOptions::default() }, "1 to 2400"),
            (PdfOptions { dpi: Some(2401), ..PdfOptions::default() }, "1 to 2400"),
            (PdfOptions { max_side: Some(0), ..PdfOptions::default() }, "at least 1"),
            (PdfOptions { pages_per_file: Some(0), ..PdfOptions::default() }, "at least 1"),
            (PdfOptions { bytes_per_file: Some(0), ..PdfOptions::default() }, "at least 1"),
        ];
        for (options, cause) in causes {
            let error = options.validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOption);
            assert!(error.cause().contains(cause), "{options:?}");
        }
        let pages = Some("1".parse().unwrap());
        let original = PdfOptions { form: PdfForm::Original, pages, ..PdfOptions::default() };
        assert!(original.validate().unwrap_err().cause().contains("all its pages"));
        assert!(PdfOptions::default().validate().is_ok());
    }
}
