//! The options of PDFs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mediaprep::PageSelection;

use super::parse_size;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PdfArg {
    Original,
    Pages,
    Split,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PdfEngineArg {
    Auto,
    Pdfium,
    Hayro,
}

/// How PDFs are brought into shape.
#[derive(Debug, Args)]
#[command(next_help_heading = "PDFs")]
pub(crate) struct PdfArgs {
    /// Each PDF as it is, each page as an image with its number before it, or smaller PDFs with the
    /// text kept [default: as it is where it is within the limits, opens without a password and all
    /// pages are wanted, else smaller PDFs].
    #[arg(long, value_enum)]
    pub(crate) pdf: Option<PdfArg>,
    /// The pages that are wanted, such as 1-5,9,12- [default: all].
    #[arg(long, value_name = "LIST", value_parser = parse_pages)]
    pub(crate) pages: Option<PageSelection>,
    /// Send the pages' own text along, as text; scans have none.
    #[arg(long)]
    pub(crate) pdf_text: bool,
    /// What draws pages; auto is PDFium where its library is found, and hayro for the pages that
    /// PDFium fails on.
    #[arg(long, value_enum, default_value_t = PdfEngineArg::Auto)]
    pub(crate) pdf_engine: PdfEngineArg,
    /// File of PDFium's library [default: that of MEDIAPREP_PDFIUM, else libpdfium.so beside the
    /// program, in ../lib, ../pdfium or the system's folders].
    #[arg(long, value_name = "FILE")]
    pub(crate) pdfium: Option<PathBuf>,
    /// Pixels per inch of drawn pages [default: 300, but no more than the model's service keeps].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2400))]
    pub(crate) dpi: Option<u32>,
    /// Most pages of each smaller PDF [default: the service's limit].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) pages_per_file: Option<u64>,
    /// Most bytes of each smaller PDF, such as 20M [default: the service's limit].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) bytes_per_file: Option<u64>,
    /// Give up a page after so many seconds.
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) page_time: u64,
}

fn parse_pages(text: &str) -> Result<PageSelection, String> {
    text.parse().map_err(str::to_owned)
}
