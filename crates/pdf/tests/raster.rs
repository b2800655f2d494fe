//! Every fixture drawn by hayro, PDFium and poppler, and held against each other.
//!
//! PDFium is the reference, since it draws what most viewers draw. The libraries smooth edges and
//! scale pictures in ways of their own, so pictures are made smaller by four first, and what remains
//! of the difference is averaged over all samples. Each threshold is for one fixture and one pair of
//! libraries, and stated here with its reason.
#![cfg(all(feature = "pdfium", target_os = "linux", target_arch = "x86_64"))]
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mediaprep_media::{Dimensions, Limits, PixelFormat, Raster};
use mediaprep_pdf::probe;
use mediaprep_pdf::raster::{HayroDocument, Pages, PdfiumLibrary};

/// The largest mean difference of samples, of 255, that is taken for the same picture.
const SAME: f64 = 1.0;

/// Fixtures whose drawings differ, with the largest difference of hayro from PDFium and of PDFium
/// from poppler, and why.
const DIFFERENT: &[(&str, f64, f64, &str)] = &[
    ("text.pdf", 2.5, 6.0, "standard fonts that are not embedded: each brings its own"),
    ("rotated.pdf", SAME, 1.5, "the same"),
    ("matplotlib.pdf", SAME, 1.6, "smoothing of Type 3 glyphs"),
    ("graphics.pdf", 3.0, 3.0, "steps of gradients, seams of a tiling pattern"),
    ("cmyk.pdf", SAME, 3.5, "poppler turns inks into other colours"),
    ("ocr-scan.pdf", SAME, 6.5, "poppler scales a picture of few colours without smoothing"),
    ("annotations.pdf", 4.0, 4.0, "hayro leaves out what has no appearance, poppler frames links"),
    ("huge.pdf", SAME, 5.0, "poppler leaves out letters of 1500 points"),
    ("inherited.pdf", SAME, MISSING, "poppler takes another page box"),
    ("disjoint-crop.pdf", SAME, MISSING, "the same"),
    ("twice.pdf", MISSING, SAME, "hayro finds a page that is there twice once"),
    ("cycle.pdf", MISSING, MISSING, "neither finds every page"),
    ("hybrid.pdf", MISSING, MISSING, "neither finds any page"),
    ("false-count.pdf", SAME, MISSING, "poppler believes the count"),
    ("damaged-xref-stream.pdf", SAME, MISSING, "poppler does not repair it"),
];

/// A page that one of the libraries does not find, or draws in another size.
const MISSING: f64 = f64::INFINITY;

/// Pages whose long side has this many pixels.
const LONG: u32 = 800;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/pdf"))
}

fn library() -> PdfiumLibrary {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let path = std::env::var_os("MEDIAPREP_PDFIUM")
        .map_or_else(|| target.join("pdfium/libpdfium.so"), PathBuf::from);
    PdfiumLibrary::load(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/setup.sh fetches it", path.display()))
}

/// Names of the fixtures that can be drawn.
fn drawable() -> Vec<String> {
    let text = fs::read_to_string(folder().join("MANIFEST.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let rows = manifest["file"].as_array().unwrap();
    let fine = rows.iter().filter(|row| row["expect"].as_str() == Some("ok"));
    let names: Vec<String> = fine.map(|row| row["path"].as_str().unwrap().to_owned()).collect();
    assert!(names.len() > 25, "only {} fixtures can be drawn", names.len());
    names
}

/// The size of each of the first pages, its long side [`LONG`], and whether it is turned by a quarter.
fn sizes(bytes: &[u8]) -> Vec<(Dimensions, bool)> {
    let found = probe(&mut std::io::Cursor::new(bytes), &Limits::default(), None).unwrap().value;
    let size = |page: mediaprep_pdf::PageSize| {
        let (width, height) = page.displayed();
        let long = u64::from(width.max(height));
        let side = |side: u32| (u64::from(side) * u64::from(LONG) / long).max(1) as u32;
        (Dimensions::new(side(width), side(height)).unwrap(), page.rotation.swaps_axes())
    };
    found.page_sizes().take(6).map(size).collect()
}

/// Means of blocks of four by four pixels.
fn smaller(raster: &Raster) -> Vec<f64> {
    let (width, height) = (raster.size().width() as usize, raster.size().height() as usize);
    let mut out = Vec::new();
    for top in (0..height).step_by(4) {
        for left in (0..width).step_by(4) {
            for channel in 0..3 {
                let (mut sum, mut count) = (0.0, 0.0);
                for y in top..(top + 4).min(height) {
                    for x in left..(left + 4).min(width) {
                        sum += f64::from(raster.data()[(y * width + x) * 3 + channel]);
                        count += 1.0;
                    }
                }
                out.push(sum / count);
            }
        }
    }
    out
}

/// With three bytes a pixel, whatever it had.
fn in_colour(raster: Raster) -> Raster {
    match raster.format() {
        PixelFormat::Gray8 => {
            let data = raster.data().iter().flat_map(|grey| [*grey; 3]).collect();
            Raster::new(raster.size(), PixelFormat::Rgb8, data).unwrap()
        }
        _ => raster,
    }
}

fn difference(one: &Raster, other: &Raster) -> f64 {
    assert_eq!(one.size(), other.size());
    let (one, other) = (smaller(one), smaller(other));
    let sum: f64 = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).sum();
    sum / one.len() as f64
}

/// A page as poppler's program draws it; `None` when it does not, or in another size. It wants the size before the page is turned.
fn poppler(file: &Path, page: u64, (size, is_turned): (Dimensions, bool)) -> Option<Raster> {
    let page = page.to_string();
    let (mut across, mut down) = (size.width(), size.height());
    if is_turned {
        std::mem::swap(&mut across, &mut down);
    }
    let output = Command::new("pdftoppm")
        .args(["-f", &page, "-l", &page, "-cropbox"])
        .args(["-scale-to-x", &across.to_string(), "-scale-to-y", &down.to_string()])
        .arg(file)
        .output()
        .expect("pdftoppm is missing; scripts/setup.sh installs poppler-utils");
    let header = format!("P6\n{} {}\n255\n", size.width(), size.height());
    let pixels = output.stdout.strip_prefix(header.as_bytes())?;
    Raster::new(size, PixelFormat::Rgb8, pixels.to_vec())
}

/// Writes a picture into the folder of `MEDIAPREP_DRAWN`, to be looked at.
fn show(name: &str, raster: &Raster) {
    let Some(folder) = std::env::var_os("MEDIAPREP_DRAWN") else { return };
    let header = format!("P6\n{} {}\n255\n", raster.size().width(), raster.size().height());
    let path = Path::new(&folder).join(format!("{name}.ppm"));
    fs::write(path, [header.as_bytes(), raster.data()].concat()).unwrap();
}

#[test]
fn the_libraries_draw_the_same() {
    let library = library();
    let mut wrong = Vec::new();
    for name in drawable() {
        let bytes = fs::read(folder().join(&name)).unwrap();
        let hayro = HayroDocument::open(bytes.clone(), None).unwrap();
        let mut hayro = hayro.pages();
        let mut pdfium = library.open(&bytes, None).unwrap();
        let (by_hayro, by_poppler) = allowed(&name);
        for (page, (size, is_turned)) in (1..).zip(sizes(&bytes)) {
            let drawn = [
                ("pdfium", pdfium.draw(page, size).ok().map(in_colour)),
                ("hayro", hayro.draw(page, size).ok().map(in_colour)),
                ("poppler", poppler(&folder().join(&name), page, (size, is_turned))),
            ];
            for (by, raster) in &drawn {
                raster.iter().for_each(|raster| show(&format!("{name}-{page}-{by}"), raster));
            }
            let [(_, reference), (_, hayro), (_, poppler)] = &drawn;
            let apart = |other| reference.as_ref().zip(other).map(|(a, b)| difference(a, b));
            let one = apart(hayro.as_ref()).unwrap_or(f64::INFINITY);
            let two = apart(poppler.as_ref()).unwrap_or(f64::INFINITY);
            println!("{name} page {page}: hayro {one:.2}, poppler {two:.2}");
            if one > by_hayro || two > by_poppler {
                wrong.push(format!(
                    "{name} page {page}: hayro {one:.2} (at most {by_hayro}), poppler {two:.2} (at \
                     most {by_poppler})"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How far hayro may be from PDFium, and PDFium from poppler.
fn allowed(name: &str) -> (f64, f64) {
    let row = DIFFERENT.iter().find(|row| row.0 == name);
    row.map_or((SAME, SAME), |row| (row.1, row.2))
}
