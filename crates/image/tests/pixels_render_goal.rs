//! How much memory a photograph of 12 million pixels takes from file to file, as the system sees it.
//!
//! Apart from the other tests of memory, since their counting allocator copies what the system's
//! own gives back in place. Linux only.
#![cfg(all(feature = "pixels", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::cast_possible_truncation, reason = "samples of a byte")]

use std::fs;
use std::io::Cursor;

use mediaprep_image::{
    Chroma, DecodeOptions, Encoding, OutputFormat, Region, RenderOptions, Scratch, View, decode,
    encode, probe,
};
use mediaprep_media::{Dimensions, Limits, MimeType, PixelFormat, Raster};

/// A line of this process's status, in bytes.
fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// How much more is resident at the most while `action` runs than the `before` bytes that were.
fn peak<T>(before: u64, action: impl FnOnce() -> T) -> u64 {
    // Writing 5 sets the peak back to what is resident now.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let _kept = action();
    status("VmHWM:").saturating_sub(before)
}

fn size(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// A JPEG file as a camera of 12 million pixels writes it: 4:2:0, with grain.
fn photo() -> Vec<u8> {
    let mut state = 1_u64;
    let mut sample = |i: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (x, y) = ((i / 3 % 4000) as u64, (i / 3 / 4000) as u64);
        (60 + (x / 17 + y / 23 * (i as u64 % 3)) % 120 + (state >> 32) % 12) as u8
    };
    let data = (0..4000 * 3000 * 3).map(&mut sample).collect();
    let raster = Raster::new(size(4000, 3000), PixelFormat::Rgb8, data).unwrap();
    let jpeg = Encoding { format: OutputFormat::Jpeg, quality: 92, chroma: Chroma::Subsampled };
    encode(&raster, &jpeg).unwrap()
}

/// Decodes the photograph and renders its tiles or, giving its memory back, its whole in 3072
/// pixels; the most that is held meanwhile, as a share of its pixels in RGB.
fn share(before: u64, bytes: &[u8], planes: bool, is_tiled: bool) -> f64 {
    let info = probe(&mut Cursor::new(bytes), MimeType::Jpeg, &Limits::default()).unwrap().value;
    let options = DecodeOptions { planes, ..DecodeOptions::default() };
    let jpeg = Encoding { format: OutputFormat::Jpeg, quality: 90, chroma: Chroma::Auto };
    let peak = peak(before, || {
        let picture = decode(bytes, MimeType::Jpeg, &info, &options).unwrap().value;
        let (options, mut scratch) = (RenderOptions::default(), Scratch::default());
        if !is_tiled {
            let view = View::whole(picture.displayed(), size(3072, 2304));
            return picture.into_rendered(&view, &jpeg, &options, &mut scratch).unwrap().len();
        }
        let tile = |i: u32| View {
            region: Region {
                left: f64::from(i % 4 * 1000),
                top: f64::from(i / 4 * 1000),
                width: 1000.0,
                height: 1000.0,
            },
            ..View::whole(picture.displayed(), size(768, 768))
        };
        let mut render = |i| picture.render(&tile(i), &jpeg, &options, &mut scratch).unwrap().len();
        (0..12).map(&mut render).sum()
    });
    peak as f64 / (info.stored.pixels() * 3) as f64
}

/// What the allocator keeps from one way to the next counts against the later ones. One test, since
/// another on a second thread would be counted too.
#[test]
fn a_photograph_takes_at_most_a_third_more_than_its_pixels() {
    let photo = photo();
    let before = status("VmRSS:");
    for (planes, is_tiled) in [(false, false), (false, true), (true, false), (true, true)] {
        let share = share(before, &photo, planes, is_tiled);
        assert!(share <= 1.3, "planes {planes}, tiles {is_tiled}: {share:.2}");
    }
}
