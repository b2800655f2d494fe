#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test may")]

use std::fs;
use std::path::Path;

use mediaprep_media::{Dimensions, Error, PixelFormat};
use proptest::prelude::*;

use super::*;

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/pdf");
    fs::read(Path::new(folder).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn size(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// Red, green and blue of the pixel at a share of the width and height.
fn at(raster: &Raster, x: f64, y: f64) -> [u8; 3] {
    let place = |share: f64, side: u32| (share * f64::from(side)) as usize;
    let (width, height) = (raster.size().width(), raster.size().height());
    match raster.pixel(place(x, width) as u32, place(y, height) as u32).unwrap() {
        [grey] => [*grey; 3],
        pixel => pixel.try_into().unwrap(),
    }
}

#[test]
fn pages_fill_the_size_that_is_asked_for() {
    let document = HayroDocument::open(fixture("a4.pdf"), None).unwrap();
    let mut pages = document.pages();
    for (width, height) in [(1, 1), (3, 1), (543, 768), (768, 100)] {
        let raster = pages.draw(1, size(width, height)).unwrap();
        assert_eq!(raster.size(), size(width, height));
        assert_eq!(raster.format(), PixelFormat::Gray8, "black on white");
    }
    let raster = pages.draw(1, size(543, 768)).unwrap();
    assert_eq!(at(&raster, 0.5, 0.5), [255; 3]);
    assert!(raster.data().iter().any(|&sample| sample < 128), "nothing was drawn");
}

#[test]
fn pages_that_are_not_there_and_sizes_that_are_too_large_are_errors() {
    let document = HayroDocument::open(fixture("a4.pdf"), None).unwrap();
    let mut pages = document.pages();
    for page in [0, 2, u64::MAX] {
        assert!(matches!(pages.draw(page, size(8, 8)), Err(Error::Malformed { .. })), "{page}");
    }
    assert!(matches!(pages.draw(1, size(LONGEST_SIDE + 1, 1)), Err(Error::Limit(_))));
}

#[test]
fn passwords_open_what_is_locked() {
    for name in ["locked-rc4.pdf", "locked-aes128.pdf", "locked-aes256.pdf"] {
        for password in [None, Some("wrong")] {
            let refused = HayroDocument::open(fixture(name), password);
            assert!(matches!(refused.err(), Some(Error::Encrypted { .. })), "{name} {password:?}");
        }
        let document = HayroDocument::open(fixture(name), Some("user")).unwrap();
        assert!(!document.pages().text(1).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn scans_are_told_from_text() {
    let contents = |name, page| {
        let document = HayroDocument::open(fixture(name), None).unwrap();
        document.pages().contents(page).unwrap()
    };
    let scan = contents("scan.pdf", 1);
    assert!(scan.is_scan() && scan.pictures > 0.9, "{scan:?}");
    let text = contents("a4.pdf", 1);
    assert!(text.has_text() && !text.is_scan() && text.pictures == 0.0, "{text:?}");
}

#[cfg(feature = "pdfium")]
#[test]
fn a_library_that_is_none_is_an_error() {
    let manifest = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    for path in [Path::new("/nowhere/libpdfium.so"), manifest] {
        let loaded = PdfiumLibrary::load(path);
        assert!(matches!(loaded.err(), Some(Error::Backend { backend: "PDFium" })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_is_an_error_or_a_picture(
        which in 0usize..3, cut in 0.0f64..1.0,
        flips in proptest::collection::vec((0.0f64..1.0, 1u8..), 0..8),
    ) {
        let mut bytes = fixture(["a4.pdf", "mixed.pdf", "object-streams.pdf"][which]);
        let length = bytes.len() as f64;
        for (place, flip) in flips {
            bytes[(place * length) as usize] ^= flip;
        }
        if cut < 0.5 {
            bytes.truncate((cut * 2.0 * length) as usize);
        }
        if let Ok(document) = HayroDocument::open(bytes, None) {
            let mut pages = document.pages();
            for page in 1..=pages.count().min(3) {
                if let Ok(raster) = pages.draw(page, size(40, 40)) {
                    prop_assert_eq!(raster.size(), size(40, 40));
                    prop_assert!(!raster.format().has_alpha());
                }
                let _ = pages.text(page);
            }
        }
    }

    #[test]
    fn every_fourth_byte_goes(pixels in proptest::collection::vec(any::<[u8; 4]>(), 1..200)) {
        let width = u32::try_from(pixels.len()).unwrap();
        let is_grey = |[red, green, blue, _]: &[u8; 4]| red == green && green == blue;
        prop_assume!(!pixels.iter().all(is_grey));
        let raster = opaque(size(width, 1), pixels.concat()).unwrap();
        let expected: Vec<u8> = pixels.iter().flat_map(|pixel| &pixel[..3]).copied().collect();
        prop_assert_eq!(raster.format(), PixelFormat::Rgb8);
        prop_assert_eq!(raster.data(), &expected[..]);
    }

    #[test]
    fn one_colour_anywhere_keeps_all_colours(
        values in proptest::collection::vec(any::<[u8; 2]>(), 1..3000),
        place in 0.0..1.0,
        channel in 0..3_usize,
    ) {
        let count = u32::try_from(values.len()).unwrap();
        let pixels: Vec<u8> =
            values.iter().flat_map(|[grey, fourth]| [*grey, *grey, *grey, *fourth]).collect();
        let raster = opaque(size(count, 1), pixels.clone()).unwrap();
        prop_assert_eq!(raster.format(), PixelFormat::Gray8);
        prop_assert!(raster.data().iter().eq(values.iter().map(|value| &value[0])));

        let mut coloured = pixels;
        coloured[(place * f64::from(count)) as usize * 4 + channel] ^= 1;
        let raster = opaque(size(count, 1), coloured).unwrap();
        prop_assert_eq!(raster.format(), PixelFormat::Rgb8);
    }
}
