//! Pages of PDFs drawn at 3072 pixels by hayro, and by PDFium where its library is found.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use mediaprep_benches::target;
use mediaprep_media::Dimensions;
use mediaprep_pdf::raster::{HayroDocument, Pages, PdfiumLibrary};

use crate::fixture;

/// The long side of a drawn page.
const LONG: u32 = 3072;
/// Upright A4 pages: text, and text with forms.
const FILES: [&str; 2] = ["pdf/text.pdf", "pdf/annotations.pdf"];

/// The first page of each file, by each library.
pub(crate) fn drawing(criterion: &mut Criterion) {
    let Some(size) = Dimensions::new(LONG * 5953 / 8419, LONG) else { return };
    let pdfium = PdfiumLibrary::load(&target().join("pdfium/libpdfium.so")).ok();
    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Elements(size.pixels()));
    for name in FILES {
        let Ok(bytes) = std::fs::read(fixture(name)) else { continue };
        let mut draw = |library: &str, pages: &mut dyn Pages| {
            group.bench_function(format!("{library}/{name}"), |bencher| {
                bencher.iter(|| black_box(pages.draw(1, size)));
            });
        };
        if let Ok(document) = HayroDocument::open(bytes.clone(), None) {
            draw("hayro", &mut document.pages());
        }
        if let Some(Ok(mut pages)) = pdfium.as_ref().map(|library| library.open(&bytes, None)) {
            draw("PDFium", &mut pages);
        }
    }
    group.finish();
}
