//! Every fixture: its facts, an independent reader's opinion, and what damage does.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use mediaprep_image::{Error, ImageInfo, probe};
use mediaprep_media::{Limits, MeteredSource, MimeType, Orientation, SNIFF_LENGTH, sniff};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Manifest {
    file: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    path: String,
    width: Option<u32>,
    height: Option<u32>,
    orientation: Option<u16>,
    expect: String,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images"))
}

fn cases() -> Vec<(Case, Vec<u8>)> {
    let text = fs::read_to_string(folder().join("MANIFEST.toml")).unwrap();
    let manifest: Manifest = toml::from_str(&text).unwrap();
    assert!(!manifest.file.is_empty(), "the manifest lists no file");
    let with_bytes = |case: Case| {
        let bytes = fs::read(folder().join(&case.path)).unwrap();
        (case, bytes)
    };
    manifest.file.into_iter().map(with_bytes).collect()
}

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

fn read_as(bytes: &[u8], mime: MimeType) -> Result<ImageInfo, Error> {
    probe(&mut Cursor::new(bytes), mime, &Limits::default()).map(|warned| warned.value)
}

fn read(bytes: &[u8]) -> Result<ImageInfo, Error> {
    let mime = sniff(bytes).ok_or(Error::Unsupported("a file of unknown type"))?;
    read_as(bytes, mime)
}

#[test]
fn every_fixture_is_read_as_the_manifest_says() {
    for (case, bytes) in cases() {
        let found = read(&bytes);
        if case.expect == "error" {
            assert!(found.is_err(), "{}: {found:?}", case.path);
            continue;
        }
        let info = found.unwrap_or_else(|error| panic!("{}: {error}", case.path));
        let shown = info.displayed();
        assert_eq!(Some(shown.width()), case.width, "{}", case.path);
        assert_eq!(Some(shown.height()), case.height, "{}", case.path);
        assert_eq!(Some(u16::from(info.orientation.exif())), case.orientation, "{}", case.path);
    }
}

#[test]
fn the_manifest_lists_every_file() {
    let listed: BTreeSet<String> = cases().into_iter().map(|(case, _)| case.path).collect();
    let found: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(Result::unwrap)
        // References that other tests compare with have a manifest of their own.
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "MANIFEST.toml" && name != "generate.py")
        .collect();
    assert_eq!(listed, found);
}

#[test]
fn frames_alpha_and_depth_are_told() {
    let facts = |name: &str| {
        let info = read(&bytes_of(name)).unwrap();
        (info.frames, info.has_alpha, info.bit_depth)
    };
    assert_eq!(facts("png-animated.png"), (Some(4), Some(false), Some(8)));
    assert_eq!(facts("png-1bit.png"), (Some(1), Some(false), Some(1)));
    assert_eq!(facts("png-palette.png"), (Some(1), Some(true), Some(8)));
    assert_eq!(facts("png-16bit-gray.png"), (Some(1), Some(false), Some(16)));
    assert_eq!(facts("png-8bit-alpha.png"), (Some(1), Some(true), Some(8)));
    assert_eq!(facts("gif-animated.gif").0, Some(4));
    assert_eq!(facts("gif-still.gif").0, Some(1));
    assert_eq!(facts("webp-animated.webp").0, None);
    assert_eq!(facts("webp-alpha.webp"), (Some(1), Some(true), Some(8)));
    assert_eq!(facts("webp-lossless-alpha.webp").1, Some(true));
    assert_eq!(facts("webp-lossy.webp"), (Some(1), Some(false), Some(8)));
    assert_eq!(facts("heic-alpha.heic"), (Some(1), Some(true), Some(8)));
    assert_eq!(facts("heic-plain.heic"), (Some(1), Some(false), Some(8)));
    assert_eq!(facts("heic-sequence.heics").0, Some(3));
    assert_eq!(facts("heic-still-and-sequence.heic").0, Some(3));
    assert_eq!(facts("avif-alpha.avif").1, Some(true));
    assert_eq!(facts("tiff-pages.tif").0, None);
    assert_eq!(facts("tiff-rgba.tif"), (Some(1), Some(true), Some(8)));
    assert_eq!(facts("jpeg-cmyk.jpg"), (Some(1), Some(false), Some(8)));
}

#[test]
fn a_damaged_exif_block_is_a_warning() {
    let bytes = bytes_of("jpeg-exif-broken.jpg");
    let found = probe(&mut Cursor::new(bytes), MimeType::Jpeg, &Limits::default()).unwrap();
    assert_eq!(found.value.orientation, Orientation::Upright);
    assert_eq!(found.warnings[0].code.as_str(), "damaged");
}

#[test]
fn errors_say_what_and_where() {
    let told = |name: &str| read(&bytes_of(name)).unwrap_err().to_string();
    assert_eq!(told("bad-png-no-data.png"), "malformed PNG at byte 33: no picture data");
    assert_eq!(
        told("bad-gif-bomb.gif"),
        "pixel count of 4426906225 is above the limit of 1000000000"
    );
    assert!(matches!(read(&bytes_of("bad-png-huge.png")), Err(Error::Limit(_))));
    assert!(told("unsupported.svg").starts_with("SVG, which has no size in pixels"));
    let not_a_picture = read_as(b"fLaC", MimeType::Flac).unwrap_err();
    assert!(matches!(not_a_picture, Error::Unsupported(_)));
}

/// The `imagesize` crate reads stored sizes. Listed are the fixtures where it differs: it gives up
/// at stray bytes, passes over `clap` and HEIF tracks, trusts a GIF's logical screen, and takes
/// BMP sides as unsigned numbers of 32 bits whatever the header.
#[test]
fn an_independent_reader_finds_the_same_sizes() {
    const DIFFERS: &[&str] = &[
        "jpeg-stray-bytes.jpg",
        "heic-clap-irot-imir.heic",
        "heic-irot-clap.heic",
        "heic-sequence.heics",
        "gif-small-screen.gif",
        "gif-long-comment.gif",
        "bmp-top-down.bmp",
        "bmp-os2.bmp",
    ];
    let all = cases();
    let sound = all.iter().filter(|(case, _)| case.expect == "ok");
    let mut differs = Vec::new();
    for (case, bytes) in sound {
        let info = read(bytes).unwrap();
        let ours = (info.stored.width() as usize, info.stored.height() as usize);
        let theirs = imagesize::blob_size(bytes).map(|size| (size.width, size.height)).ok();
        if theirs != Some(ours) {
            println!("{}: {ours:?}, imagesize {theirs:?}", case.path);
            differs.push(case.path.as_str());
        }
    }
    assert_eq!(differs, DIFFERS);
}

/// The `kamadak-exif` crate reads the same orientation tags, where it knows the place.
#[test]
fn an_independent_reader_finds_the_same_orientations() {
    let mut compared = 0;
    for (case, bytes) in cases() {
        let Ok(block) = exif::Reader::new().read_from_container(&mut Cursor::new(&bytes)) else {
            continue;
        };
        let Some(field) = block.get_field(exif::Tag::Orientation, exif::In::PRIMARY) else {
            continue;
        };
        let theirs = field.value.get_uint(0).and_then(|value| u16::try_from(value).ok());
        let theirs = theirs.and_then(Orientation::from_exif).unwrap_or_default();
        let Ok(info) = read(&bytes) else { continue };
        if !matches!(sniff(&bytes), Some(MimeType::Heic | MimeType::Heif | MimeType::Avif)) {
            assert_eq!(info.orientation, theirs, "{}", case.path);
            compared += 1;
        }
    }
    assert!(compared > 20);
}

#[test]
fn damage_gives_an_error_or_a_result() {
    for (_, bytes) in cases() {
        let Some(mime) = sniff(&bytes) else { continue };
        let step = (bytes.len() / 300).max(1);
        for length in (0..bytes.len()).step_by(step) {
            let _ = read_as(&bytes[..length], mime);
        }
        let mut damaged = bytes.clone();
        let headers = bytes.len().min(2000);
        for at in 0..headers {
            for flip in [0xff, 0x01, 0x80] {
                damaged[at] ^= flip;
                let _ = read_as(&damaged, mime);
                damaged[at] = bytes[at];
            }
        }
    }
}

#[test]
fn a_cut_small_png_never_passes() {
    let bytes = bytes_of("png-1bit.png");
    assert!(bytes.len() < SNIFF_LENGTH);
    for length in 0..bytes.len() {
        assert!(read_as(&bytes[..length], MimeType::Png).is_err(), "{length} bytes pass");
    }
}

/// Fixtures whose stated size is overwritten with 10000x10000, followed by 8 MB that nobody needs.
#[test]
fn a_hundred_megapixels_cost_a_few_kilobytes_of_reading() {
    let side = 10_000u32.to_be_bytes();
    let mut jpeg = bytes_of("jpeg-baseline.jpg");
    let frame = jpeg.windows(2).position(|two| two == b"\xff\xc0").unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[side[2], side[3], side[2], side[3]]);
    let mut heic = bytes_of("heic-plain.heic");
    let ispe = heic.windows(4).position(|four| four == b"ispe").unwrap();
    heic[ispe + 8..ispe + 16].copy_from_slice(&[side, side].concat());
    let mut webp = bytes_of("webp-lossy.webp");
    let code = webp.windows(3).position(|three| three == b"\x9d\x01\x2a").unwrap();
    webp[code + 3..code + 7].copy_from_slice(&[side[3], side[2], side[3], side[2]]);
    for (bytes, mime) in [
        (jpeg, MimeType::Jpeg),
        (heic, MimeType::Heic),
        (webp, MimeType::Webp),
        (large_png(), MimeType::Png),
    ] {
        let mut bytes = bytes;
        if mime != MimeType::Png {
            bytes.resize(bytes.len() + (8 << 20), 0);
        }
        let length = bytes.len() as u64;
        let mut source =
            MeteredSource::new(Cursor::new(bytes), length, SNIFF_LENGTH, 1 << 20).unwrap();
        let info = probe(&mut source, mime, &Limits::default()).unwrap().value;
        assert_eq!(info.displayed().pixels(), 100_000_000);
        assert!(source.bytes_read() <= 6000, "{mime}: {} bytes", source.bytes_read());
    }
}

fn large_png() -> Vec<u8> {
    let chunk = |kind: &[u8; 4], body: &[u8]| {
        let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        let content = [kind.as_slice(), body].concat();
        bytes.extend_from_slice(&content);
        bytes.extend_from_slice(&crc32fast::hash(&content).to_be_bytes());
        bytes
    };
    let side = 10_000u32.to_be_bytes();
    let ihdr = [&side[..], &side, &[8, 2, 0, 0, 0]].concat();
    let mut data = vec![0; 8 << 20];
    data[..2].copy_from_slice(&[0x78, 0x9c]);
    let parts = [chunk(b"IHDR", &ihdr), chunk(b"IDAT", &data), chunk(b"IEND", &[])].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), parts].concat()
}

#[test]
fn large_metadata_are_passed_by_seeking() {
    for name in ["jpeg-large-segments.jpg", "png-large-profile.png", "webp-large-profile-8.webp"] {
        let bytes = bytes_of(name);
        let length = bytes.len() as u64;
        let mime = sniff(&bytes).unwrap();
        let mut source =
            MeteredSource::new(Cursor::new(bytes), length, SNIFF_LENGTH, 1 << 20).unwrap();
        probe(&mut source, mime, &Limits::default()).unwrap();
        let read = source.bytes_read();
        assert!(read <= SNIFF_LENGTH as u64 + 3 * 1024, "{name}: {read} of {length} bytes");
    }
}

#[test]
fn the_read_limit_holds() {
    let bytes = bytes_of("jpeg-large-segments.jpg");
    let length = bytes.len() as u64;
    let limit = SNIFF_LENGTH as u64;
    let mut source = MeteredSource::new(Cursor::new(bytes), length, SNIFF_LENGTH, limit).unwrap();
    let found = probe(&mut source, MimeType::Jpeg, &Limits::default());
    assert!(matches!(found, Err(Error::Limit(_))), "{found:?}");
}

#[test]
fn the_memory_limit_holds() {
    let mut limits = Limits::default();
    limits.max_probe_memory = 5000;
    let bytes = bytes_of("heic-many-items.heic");
    let found = probe(&mut Cursor::new(bytes), MimeType::Heic, &limits);
    assert!(matches!(found, Err(Error::Limit(_))), "{found:?}");
}

const PICTURES: [(MimeType, &[u8]); 9] = [
    (MimeType::Png, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    (MimeType::Jpeg, b"\xff\xd8\xff"),
    (MimeType::Webp, b"RIFF\x40\0\0\0WEBPVP8X"),
    (MimeType::Heic, b"\0\0\0\x10ftypheic\0\0\0\0\0\0\x01\0meta\0\0\0\0"),
    (MimeType::Avif, b"\0\0\0\x10ftypavis\0\0\0\0\0\0\x01\0moov"),
    (MimeType::Gif, b"GIF89a"),
    (MimeType::Bmp, b"BM"),
    (MimeType::Tiff, b"II*\0\x08\0\0\0"),
    (MimeType::Jxl, b"\xff\x0a"),
];

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400), index in 0..PICTURES.len(),
    ) {
        let (mime, magic) = PICTURES[index];
        let _ = read_as(&bytes, mime);
        let _ = read_as(&[magic, &bytes].concat(), mime);
    }

    #[test]
    fn mixed_up_fixtures_are_read_without_panic(
        first in 0usize..1000, second in 0usize..1000, cut in 0usize..3000, from in 0usize..3000,
    ) {
        let all = cases();
        let (head, tail) = (&all[first % all.len()].1, &all[second % all.len()].1);
        let mut bytes = head[..cut.min(head.len())].to_vec();
        bytes.extend_from_slice(&tail[from.min(tail.len())..]);
        if let Some(mime) = sniff(&bytes) {
            let _ = read_as(&bytes, mime);
        }
    }
}
