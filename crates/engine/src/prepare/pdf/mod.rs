//! PDFs: sent as they are, as pictures of their pages, or as smaller PDFs.

mod carry;
#[cfg(feature = "pages")]
mod contents;
#[cfg(feature = "pages")]
mod draw;
#[cfg(feature = "pages")]
mod drawer;
mod options;
mod plan;
#[cfg(feature = "pages")]
mod process;
#[cfg(feature = "pages")]
mod serve;
mod size;
mod spans;
#[cfg(feature = "pages")]
mod wire;

#[cfg(feature = "pages")]
pub(super) use drawer::{Drawer, Pool, Site};
#[cfg(feature = "pages")]
pub use mediaprep_pdf::raster::Contents;
pub use options::{PdfForm, PdfLibrary, PdfOptions};
pub(super) use plan::PdfPlanner;
pub use plan::{Drawing, Excerpts, PdfPlan};
#[cfg(feature = "pages")]
pub use serve::serve_pages;
#[cfg(feature = "pages")]
pub(super) use size::raster_size;
pub use spans::{PageSelection, PageSpan};
#[cfg(feature = "pages")]
pub(super) use wire::PageOrder;
