#![expect(clippy::cast_possible_truncation, reason = "patterns of bytes")]

use std::io::Cursor;

use mediaprep_media::{Limits, PixelFormat};
use proptest::prelude::*;

use super::*;
use crate::ImageInfo;
use crate::pixels::decode::{DecodeOptions, Pixels, decode};

const BEST: Encoding = Encoding { format: OutputFormat::Jpeg, quality: 95, chroma: Chroma::Full };

fn size(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// A smooth picture of many colours, with transparency if the format has it.
fn slope(size: Dimensions, format: PixelFormat) -> Raster {
    let pixels = (0..size.height()).flat_map(|y| (0..size.width()).map(move |x| (x, y)));
    let data = pixels.flat_map(|(x, y)| {
        let colour = [(x * 2) as u8, (y * 2) as u8, (x + y) as u8, 255 - y as u8];
        colour.into_iter().take(format.channels())
    });
    Raster::new(size, format, data.collect()).unwrap()
}

fn read(bytes: &[u8], format: OutputFormat) -> (Raster, ImageInfo) {
    let limits = Limits::default();
    let info = crate::probe(&mut Cursor::new(bytes), format.mime(), &limits).unwrap().value;
    let picture = decode(bytes, format.mime(), &info, &DecodeOptions::default()).unwrap();
    assert_eq!(picture.warnings, []);
    match picture.value.pixels {
        Pixels::Raster(raster) => (raster, info),
        Pixels::Planes(_) => panic!("no planes were asked for"),
    }
}

/// The largest difference of two rasters of the same shape.
fn distance(one: &Raster, other: &Raster) -> u8 {
    assert_eq!((one.size(), one.format()), (other.size(), other.format()));
    one.data().iter().zip(other.data()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn png_keeps_every_pixel_of_every_format() {
    for format in [PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
        let raster = slope(size(97, 61), format);
        let [fast, small] = [false, true].map(|small| {
            let format = OutputFormat::Png { small };
            let bytes = encode(&raster, &Encoding { format, ..BEST }).unwrap();
            assert_eq!(read(&bytes, format).0, raster);
            bytes.len()
        });
        assert!(small <= fast, "{small} {fast}");
    }
}

#[test]
fn jpeg_is_near_and_grey_stays_grey() {
    for format in [PixelFormat::Gray8, PixelFormat::Rgb8] {
        let raster = slope(size(97, 61), format);
        let (found, _) = read(&encode(&raster, &BEST).unwrap(), OutputFormat::Jpeg);
        assert!(distance(&raster, &found) <= 8, "{format:?} {}", distance(&raster, &found));
    }
}

#[test]
fn pixels_without_colour_become_files_of_one_channel() {
    let grey = slope(size(97, 61), PixelFormat::Gray8);
    let data: Vec<u8> = grey.data().iter().flat_map(|value| [*value; 3]).collect();
    let raster = Raster::new(size(97, 61), PixelFormat::Rgb8, data).unwrap();
    for format in [OutputFormat::Jpeg, OutputFormat::Png { small: false }] {
        let bytes = encode(&raster, &Encoding { format, ..BEST }).unwrap();
        assert_eq!(bytes, encode(&grey, &Encoding { format, ..BEST }).unwrap());
        assert!(distance(&grey, &read(&bytes, format).0) <= 8);
    }
}

proptest! {
    #[test]
    fn one_pixel_of_colour_is_kept(at in 0..97 * 61_usize, channel in 0..3_usize) {
        let mut data = vec![90; 97 * 61 * 3];
        data[at * 3 + channel] = 200;
        let raster = Raster::new(size(97, 61), PixelFormat::Rgb8, data).unwrap();
        let format = OutputFormat::Png { small: false };
        let bytes = encode(&raster, &Encoding { format, ..BEST }).unwrap();
        prop_assert_eq!(read(&bytes, format).0, raster);
    }
}

#[test]
fn a_lower_quality_gives_a_smaller_file() {
    let raster = slope(size(200, 150), PixelFormat::Rgb8);
    for format in [OutputFormat::Jpeg, OutputFormat::Webp] {
        let length =
            |quality| encode(&raster, &Encoding { format, quality, ..BEST }).unwrap().len();
        if format == OutputFormat::Webp && !cfg!(feature = "webp") {
            assert_eq!(length(20), length(95), "lossless knows no quality");
        } else {
            assert!(length(20) < length(95), "{format:?}");
        }
    }
}

#[test]
fn colours_are_thinned_out_as_asked() {
    let many = slope(size(64, 48), PixelFormat::Rgb8);
    let few = Raster::new(size(64, 48), PixelFormat::Rgb8, [255, 0, 0, 0, 0, 255].repeat(32 * 48));
    let few = few.unwrap();
    let block = |raster: &Raster, chroma| {
        let bytes = encode(raster, &Encoding { chroma, ..BEST }).unwrap();
        read(&bytes, OutputFormat::Jpeg).1.jpeg.unwrap().block
    };
    assert_eq!(block(&many, Chroma::Auto), size(16, 16));
    assert_eq!(block(&few, Chroma::Auto), size(8, 8));
    assert_eq!(block(&few, Chroma::Subsampled), size(16, 16));
    assert_eq!(block(&many, Chroma::Full), size(8, 8));
}

#[test]
fn transparency_goes_onto_white_in_jpeg_and_survives_elsewhere() {
    let clear = Raster::new(size(16, 16), PixelFormat::Rgba8, [9, 99, 9, 0].repeat(256)).unwrap();
    let (jpeg, _) = read(&encode(&clear, &BEST).unwrap(), OutputFormat::Jpeg);
    assert!(jpeg.data().iter().all(|&value| value >= 254));
    let half = slope(size(64, 64), PixelFormat::Rgba8);
    let format = OutputFormat::Webp;
    let (webp, _) = read(&encode(&half, &Encoding { format, ..BEST }).unwrap(), format);
    assert_eq!(webp.format(), PixelFormat::Rgba8);
    let alpha = |raster: &Raster| raster.data().iter().skip(3).step_by(4).copied().collect();
    let (one, other): (Vec<u8>, Vec<u8>) = (alpha(&half), alpha(&webp));
    assert!(one.iter().zip(other).all(|(a, b)| a.abs_diff(b) <= 2));
}

#[test]
fn webp_is_near() {
    for format in [PixelFormat::Gray8, PixelFormat::Rgb8] {
        let raster = slope(size(97, 61), format);
        let webp = OutputFormat::Webp;
        let (found, _) = read(&encode(&raster, &Encoding { format: webp, ..BEST }).unwrap(), webp);
        let channels = format.channels();
        let near = raster.data().chunks_exact(channels).zip(found.data().chunks_exact(3));
        assert!(near.clone().all(|(a, b)| a[0].abs_diff(b[0]) <= 24));
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let grey =
        |width| Raster::new(size(width, 1), PixelFormat::Gray8, vec![0; width as usize]).unwrap();
    let long = |width, format| encode(&grey(width), &Encoding { format, ..BEST });
    assert!(long(65_535, OutputFormat::Jpeg).is_ok());
    for (width, format) in [(65_536, OutputFormat::Jpeg), (16_384, OutputFormat::Webp)] {
        let found = long(width, format);
        assert!(matches!(&found, Err(Error::Limit(_))), "{width} {found:?}");
    }
    for quality in [0, 101] {
        let found = encode(&grey(1), &Encoding { quality, ..BEST });
        assert!(matches!(&found, Err(Error::Unsupported(_))), "{found:?}");
    }
}

#[cfg(feature = "turbo")]
#[test]
fn planes_come_back_as_they_went() {
    use crate::pixels::planes::{Planes, Sampling};

    let samplings =
        [Sampling::Gray, Sampling::S444, Sampling::S422, Sampling::S420, Sampling::S440];
    let mut encoder = Encoder::new();
    for sampling in samplings {
        let size = size(37, 21);
        let data = vec![77; Planes::bytes(size, sampling)];
        let bytes = encoder.encode_planes(&Planes { size, sampling, data }, 90).unwrap();
        let limits = Limits::default();
        let mime = MimeType::Jpeg;
        let info = crate::probe(&mut Cursor::new(&bytes), mime, &limits).unwrap().value;
        let options = DecodeOptions { planes: true, ..DecodeOptions::default() };
        match decode(&bytes, mime, &info, &options).unwrap().value.pixels {
            Pixels::Planes(found) => {
                assert_eq!((found.size, found.sampling), (size, sampling));
                assert!(found.data.iter().all(|value| value.abs_diff(77) <= 1), "{sampling:?}");
            }
            Pixels::Raster(_) => panic!("{sampling:?} came as a raster"),
        }
    }
}

proptest! {
    #[test]
    fn every_size_is_encoded(width in 1_u32..70, height in 1_u32..70, quality in 1_u8..=100) {
        for format in [OutputFormat::Jpeg, OutputFormat::Webp, OutputFormat::Png { small: false }] {
            let raster = slope(size(width, height), PixelFormat::Rgb8);
            let bytes = encode(&raster, &Encoding { format, quality, chroma: Chroma::Auto });
            prop_assert_eq!(read(&bytes.unwrap(), format).0.size(), raster.size());
        }
    }
}
