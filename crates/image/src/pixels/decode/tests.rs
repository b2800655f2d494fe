use std::fs;
use std::io::Cursor;

use mediaprep_media::{PixelFormat, sniff};

use super::*;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/../../fixtures/images/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn facts(bytes: &[u8]) -> (MimeType, ImageInfo) {
    let mime = sniff(bytes).unwrap();
    (mime, crate::probe(&mut Cursor::new(bytes), mime, &Limits::default()).unwrap().value)
}

fn read(bytes: &[u8], options: &DecodeOptions) -> Result<Warned<Picture>, Error> {
    let (mime, info) = facts(bytes);
    decode(bytes, mime, &info, options)
}

fn raster(bytes: &[u8], options: &DecodeOptions) -> (Raster, Vec<Warning>) {
    let found = read(bytes, options).unwrap();
    match found.value.pixels {
        Pixels::Raster(raster) => (raster, found.warnings),
        Pixels::Planes(_) => panic!("no planes were asked for"),
    }
}

fn tolerant() -> DecodeOptions {
    DecodeOptions { allow_truncated: true, ..DecodeOptions::default() }
}

#[test]
fn a_panic_becomes_an_error() {
    let found = guarded::<()>("PNG", || panic!("a decoder's own bug"));
    assert!(matches!(found, Err(Error::Malformed { format: "PNG", .. })));
}

#[test]
fn limits_come_first() {
    let bytes = fixture("png-palette.png");
    let (mime, info) = facts(&bytes);
    let mut options = DecodeOptions::default();
    options.limits.max_decoded_pixels = info.stored.pixels() - 1;
    // Even before the bytes are looked at.
    let found = decode(b"", mime, &info, &options);
    assert!(matches!(found, Err(Error::Limit(_))), "{found:?}");
    options.limits.max_decoded_pixels += 1;
    assert!(decode(&bytes, mime, &info, &options).is_ok());
}

#[test]
fn a_size_other_than_that_of_the_probe_is_refused() {
    let names = [
        "png-palette.png",
        "jpeg-baseline.jpg",
        "webp-lossy.webp",
        "webp-animated.webp",
        "gif-still.gif",
        "bmp-24bit.bmp",
        "tiff-rgba.tif",
        "heic-plain.heic",
    ];
    for name in names {
        let bytes = fixture(name);
        let (mime, info) = facts(&bytes);
        for stored in [Dimensions::ONE, info.stored.swapped()] {
            let info = ImageInfo { stored, ..info };
            let found = decode(&bytes, mime, &info, &DecodeOptions::default());
            let is_refused = matches!(found, Err(Error::Malformed { .. } | Error::Limit(_)));
            assert!(is_refused, "{name} {stored:?}");
        }
    }
}

#[test]
fn the_formats_are_those_of_the_files() {
    let format = |name: &str| raster(&fixture(name), &DecodeOptions::default()).0.format();
    for name in ["png-1bit.png", "png-16bit-gray.png", "jpeg-gray.jpg"] {
        assert_eq!(format(name), PixelFormat::Gray8, "{name}");
    }
    for name in ["png-8bit-alpha.png", "webp-alpha.webp", "tiff-rgba.tif", "heic-alpha.heic"] {
        assert_eq!(format(name), PixelFormat::Rgba8, "{name}");
    }
    for name in ["jpeg-cmyk.jpg", "gif-still.gif", "webp-lossy.webp", "heic-plain.heic"] {
        assert_eq!(format(name), PixelFormat::Rgb8, "{name}");
    }
}

/// How many rows from the top two rasters share; missing rows of a GIF file are transparent.
fn shared_rows(one: &Raster, other: &Raster) -> usize {
    assert_eq!(one.size(), other.size());
    let size = one.size();
    let is_shared = |y: &u32| {
        let colour = |raster: &Raster, x| {
            let pixel = raster.pixel(x, *y).unwrap();
            (pixel[..pixel.len().min(3)].to_vec(), pixel.get(3).copied().unwrap_or(255))
        };
        (0..size.width()).all(|x| colour(one, x) == colour(other, x))
    };
    (0..size.height()).take_while(is_shared).count()
}

/// Decodes the first part of a file with the facts of the whole; whether strict decoding refuses it.
fn cut(name: &str, part: usize) -> (Raster, Raster) {
    let bytes = fixture(name);
    let (mime, info) = facts(&bytes);
    let cut = &bytes[..bytes.len() * part / 100];
    let strict = decode(cut, mime, &info, &DecodeOptions::default());
    assert!(matches!(strict, Err(Error::Malformed { .. })), "{name} {strict:?}");
    let kept = decode(cut, mime, &info, &tolerant()).unwrap();
    assert_eq!(kept.warnings.len(), 1, "{name}");
    assert_eq!(kept.warnings[0].code, WarningCode::Damaged);
    let Pixels::Raster(kept) = kept.value.pixels else { panic!("no planes were asked for") };
    (kept, raster(&bytes, &DecodeOptions::default()).0)
}

#[test]
fn cut_files_keep_their_rows_when_asked() {
    // Most of the GIF file is its palette.
    let cuts = [
        ("png-16bit-gray.png", 70),
        ("png-8bit-alpha.png", 70),
        ("screenshot-1080p.png", 70),
        ("gif-still.gif", 95),
    ];
    for (name, part) in cuts {
        let (kept, whole) = cut(name, part);
        let rows = shared_rows(&kept, &whole);
        let height = whole.size().height() as usize;
        assert!(rows > height / 10 && rows < height, "{name}: {rows} of {height}");
    }
    let (kept, whole) = cut("jpeg-baseline.jpg", 80);
    // The last rows of a group of blocks are smoothed with what is missing below them.
    assert!(shared_rows(&kept, &whole) > 8);
}

#[test]
fn files_that_leave_nothing_are_refused_even_then() {
    for name in ["webp-lossy.webp", "webp-lossless.webp", "tiff-le-1.tif", "heic-plain.heic"] {
        let bytes = fixture(name);
        let (mime, info) = facts(&bytes);
        let found = decode(&bytes[..bytes.len() / 2], mime, &info, &tolerant());
        assert!(matches!(found, Err(Error::Malformed { .. })), "{name} {found:?}");
    }
}

#[test]
fn what_nothing_decodes_is_unsupported() {
    for name in ["avif-plain.avif", "jxl-stream.jxl", "heic-sequence.heics"] {
        let found = read(&fixture(name), &DecodeOptions::default());
        assert!(matches!(found, Err(Error::Unsupported(_))), "{name} {found:?}");
    }
}

#[test]
fn a_frame_beyond_the_screen_is_shown_whole() {
    let (picture, _) = raster(&fixture("gif-small-screen.gif"), &DecodeOptions::default());
    let opaque = match picture.format() {
        PixelFormat::Rgba8 => {
            picture.data().iter().skip(3).step_by(4).filter(|&&a| a == 255).count()
        }
        _ => picture.data().len() / 3,
    };
    // The frame is larger than the screen, so all that is opaque outside of it is the frame's.
    assert!(opaque as u64 > picture.size().pixels() / 2, "{opaque}");
}

#[test]
fn a_file_of_more_coded_pictures_than_it_shows_is_refused() {
    use heifer::heifer_isobmff::HeifFile;

    let (width, height) = (1024, 768);
    let pixels = vec![90; width as usize * height as usize * 3];
    let options = heifer::EncodeOptions::default();
    let bytes = heifer::encode_rgb8(width, height, &pixels, &options).unwrap();
    let file = HeifFile::parse(&bytes).unwrap();
    let size = Dimensions::new(width, height).unwrap();
    assert!(heif::work::check(&file, size).is_ok());
    // Of a picture of one pixel, a quarter of a megapixel is free for colour and for opacity each.
    assert!(matches!(heif::work::check(&file, Dimensions::ONE), Err(Error::Limit(_))));
}

#[test]
fn four_inks_become_colours() {
    let (picture, warnings) = raster(&fixture("jpeg-cmyk.jpg"), &DecodeOptions::default());
    assert_eq!(warnings, []);
    assert!(picture.data().chunks_exact(3).any(|pixel| pixel[0].abs_diff(pixel[2]) > 60));
}

#[cfg(feature = "turbo")]
mod turbo {
    use proptest::prelude::*;
    use turbojpeg::{Compressor, Image, PixelFormat as Layout, Subsamp};

    use super::*;
    use crate::pixels::planes::{Planes, Sampling, layout};

    const SAMPLINGS: [(Sampling, Subsamp); 5] = [
        (Sampling::Gray, Subsamp::Gray),
        (Sampling::S444, Subsamp::None),
        (Sampling::S422, Subsamp::Sub2x1),
        (Sampling::S420, Subsamp::Sub2x2),
        (Sampling::S440, Subsamp::Sub1x2),
    ];

    /// A JPEG file of a smooth picture.
    fn smooth(
        width: usize,
        height: usize,
        set: impl FnOnce(&mut Compressor) -> turbojpeg::Result<()>,
    ) -> Vec<u8> {
        let pixel = |x: usize, y: usize| [x * 255 / width, y * 255 / height, (x + y) % 256];
        let pixels: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
            .map(|value| u8::try_from(value).unwrap())
            .collect();
        let mut compressor = Compressor::new().unwrap();
        set(&mut compressor).unwrap();
        let pixels = &pixels[..];
        let image = Image { pixels, width, pitch: width * 3, height, format: Layout::RGB };
        compressor.compress_to_vec(image).unwrap()
    }

    fn planes(bytes: &[u8], options: DecodeOptions) -> (Planes, Vec<Warning>) {
        let found = read(bytes, &DecodeOptions { planes: true, ..options }).unwrap();
        match found.value.pixels {
            Pixels::Planes(planes) => (planes, found.warnings),
            Pixels::Raster(_) => panic!("a plain JPEG file comes as planes"),
        }
    }

    proptest! {
        #[test]
        fn planes_lie_as_libjpeg_turbo_lays_them(width in 1_u32..400, height in 1_u32..400) {
            let size = Dimensions::new(width, height).unwrap();
            for (sampling, subsamp) in SAMPLINGS {
                let length =
                    turbojpeg::yuv_pixels_len(width as usize, 1, height as usize, subsamp).unwrap();
                prop_assert_eq!(Planes::bytes(size, sampling), length);
                let planes = turbojpeg::YuvImage {
                    pixels: (), width: width as usize, align: 1, height: height as usize, subsamp,
                };
                let luma = layout(size, sampling, 0);
                prop_assert_eq!((luma.width as usize, luma.height as usize), planes.y_size());
                if sampling != Sampling::Gray {
                    let chroma = layout(size, sampling, 1);
                    prop_assert_eq!((chroma.width as usize, chroma.height as usize), planes.uv_size());
                }
            }
        }
    }

    #[test]
    fn planes_are_the_packed_picture_before_its_conversion() {
        let bytes = smooth(61, 47, |compressor| compressor.set_subsamp(Subsamp::None));
        let (planes, warnings) = planes(&bytes, DecodeOptions::default());
        assert_eq!(warnings, []);
        let (packed, _) = raster(&bytes, &DecodeOptions::default());
        let [luma, blue, red] = [0, 1, 2].map(|index| planes.plane(index).to_vec());
        for (index, pixel) in packed.data().chunks_exact(3).enumerate() {
            let (y, cb, cr) = (
                f64::from(luma[index]),
                f64::from(blue[index]) - 128.0,
                f64::from(red[index]) - 128.0,
            );
            // JFIF 1.02: the conversion of BT.601 in full range.
            let wanted = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
            for (found, wanted) in pixel.iter().zip(wanted) {
                assert!((f64::from(*found) - wanted.clamp(0.0, 255.0)).abs() <= 1.0);
            }
        }
    }

    #[test]
    fn shrinking_stops_at_what_is_needed() {
        let bytes = smooth(161, 95, |compressor| compressor.set_subsamp(Subsamp::Sub2x2));
        let (mime, info) = facts(&bytes);
        let stored = |least: (u32, u32), orientation, planes| {
            let at_least = Dimensions::new(least.0, least.1);
            let options = DecodeOptions { at_least, planes, ..DecodeOptions::default() };
            let info = ImageInfo { orientation, ..info };
            let picture = decode(&bytes, mime, &info, &options).unwrap().value;
            assert_eq!(picture.stored, info.stored);
            let size = match picture.pixels {
                Pixels::Raster(raster) => raster.size(),
                Pixels::Planes(planes) => planes.size,
            };
            (size.width(), size.height())
        };
        for planes in [false, true] {
            let upright = Orientation::Upright;
            assert_eq!(stored((1, 1), upright, planes), (21, 12));
            assert_eq!(stored((21, 12), upright, planes), (21, 12));
            assert_eq!(stored((22, 12), upright, planes), (41, 24));
            assert_eq!(stored((42, 1), upright, planes), (81, 48));
            assert_eq!(stored((82, 1), upright, planes), (161, 95));
            assert_eq!(stored((9999, 1), upright, planes), (161, 95));
            // Upright the sides are exchanged.
            assert_eq!(stored((12, 21), Orientation::Rotate90, planes), (21, 12));
            assert_eq!(stored((21, 12), Orientation::Rotate90, planes), (41, 24));
        }
    }

    #[test]
    fn a_shrunk_picture_is_the_mean_of_the_whole() {
        for (_, subsamp) in SAMPLINGS.into_iter().skip(1) {
            let bytes = smooth(160, 96, |compressor| compressor.set_subsamp(subsamp));
            let at_least = Dimensions::new(40, 24);
            let options = DecodeOptions { at_least, ..DecodeOptions::default() };
            let (small, _) = planes(&bytes, options);
            let (whole, _) = planes(&bytes, DecodeOptions::default());
            for index in 0..3 {
                let (to, from) = (small.layout(index), whole.layout(index));
                assert_eq!((to.width * 4, to.height * 4), (from.width, from.height), "{subsamp:?}");
                for (x, y) in (0..to.height).flat_map(|y| (0..to.width).map(move |x| (x, y))) {
                    let square =
                        (0..4).flat_map(|dy| (0..4).map(move |dx| (x * 4 + dx, y * 4 + dy)));
                    let sum: u32 = square
                        .map(|(x, y)| u32::from(whole.plane(index)[(y * from.width + x) as usize]))
                        .sum();
                    let found = u32::from(small.plane(index)[(y * to.width + x) as usize]);
                    assert!(found.abs_diff(sum / 16) <= 8, "{subsamp:?} {index} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn arithmetic_coding_changes_nothing() {
        let set = |is_arithmetic| {
            move |compressor: &mut Compressor| compressor.set_arithmetic(is_arithmetic)
        };
        let huffman = smooth(100, 80, set(false));
        let arithmetic = smooth(100, 80, set(true));
        assert_ne!(huffman, arithmetic);
        let options = DecodeOptions::default();
        assert_eq!(raster(&huffman, &options), raster(&arithmetic, &options));
    }

    #[test]
    fn lossless_coding_and_other_depths_are_unsupported() {
        let bytes = smooth(40, 30, |compressor| compressor.set_lossless(true));
        let found = read(&bytes, &DecodeOptions::default());
        assert!(matches!(found, Err(Error::Unsupported(_))), "{found:?}");
        let bytes = smooth(40, 30, |_| Ok(()));
        let (mime, info) = facts(&bytes);
        let info = ImageInfo { bit_depth: Some(12), ..info };
        let found = decode(&bytes, mime, &info, &DecodeOptions::default());
        assert!(matches!(found, Err(Error::Unsupported(_))), "{found:?}");
    }

    #[test]
    fn a_missing_end_is_repaired_and_a_missing_row_is_not() {
        let bytes = smooth(64, 64, |_| Ok(()));
        let (whole, _) = raster(&bytes, &DecodeOptions::default());
        let (found, warnings) = raster(&bytes[..bytes.len() - 2], &DecodeOptions::default());
        assert_eq!((found, warnings.len()), (whole, 1));
        let shorter = read(&bytes[..bytes.len() - 200], &DecodeOptions::default());
        assert!(matches!(shorter, Err(Error::Malformed { .. })), "{shorter:?}");
        let progressive = smooth(64, 64, |compressor| compressor.set_progressive(true));
        let found = read(&progressive[..progressive.len() - 2], &DecodeOptions::default());
        assert!(matches!(found, Err(Error::Malformed { .. })), "{found:?}");
    }

    #[test]
    fn stray_bytes_are_passed_over_with_a_warning() {
        let bytes = fixture("jpeg-stray-bytes.jpg");
        for options in [DecodeOptions::default(), tolerant()] {
            let (_, warnings) = raster(&bytes, &options);
            assert_eq!(warnings.len(), 1);
        }
        let clean = smooth(64, 64, |_| Ok(()));
        let (mut stray, end) = (clean.clone(), clean.len() - 2);
        stray.splice(end..end, *b"stray");
        let (found, warnings) = raster(&stray, &DecodeOptions::default());
        assert_eq!((found, warnings.len()), (raster(&clean, &DecodeOptions::default()).0, 1));
    }

    #[test]
    fn too_many_scans_are_a_limit() {
        let progressive = smooth(64, 64, |compressor| compressor.set_progressive(true));
        let scan = segments::segments(&progressive).last().unwrap();
        // The first scan again and again costs time without bytes.
        let data = &progressive[scan.end..];
        let length = memchr::memchr_iter(0xff, data).find(|&at| data[at + 1] != 0).unwrap();
        let first = [scan.bytes, &data[..length]].concat();
        let head = &progressive[..scan.end - scan.bytes.len()];
        let bomb = [head, &first.repeat(600), &progressive[scan.end + length..]].concat();
        let found = read(&bomb, &tolerant());
        assert!(matches!(found, Err(Error::Limit(_))), "{found:?}");
    }

    #[test]
    fn a_profile_other_than_srgb_rules_planes_out() {
        let bytes = smooth(64, 64, |_| Ok(()));
        let with = |profile: &moxcms::ColorProfile| {
            let body = [b"ICC_PROFILE\0\x01\x01", &profile.encode().unwrap()[..]].concat();
            let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
            [&bytes[..2], &[0xff, 0xe2], &length, &body, &bytes[2..]].concat()
        };
        let options = DecodeOptions { planes: true, ..DecodeOptions::default() };
        let srgb = read(&with(&moxcms::ColorProfile::new_srgb()), &options).unwrap();
        assert!(matches!(srgb.value.pixels, Pixels::Planes(_)) && srgb.warnings.is_empty());
        let p3 = read(&with(&moxcms::ColorProfile::new_display_p3()), &options).unwrap();
        let Pixels::Raster(converted) = p3.value.pixels else { panic!("P3 must be converted") };
        assert_ne!(converted, raster(&bytes, &DecodeOptions::default()).0);
    }
}
