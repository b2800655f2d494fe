#![cfg(feature = "turbo")]

use std::io::Cursor;

use mediaprep_media::{Limits, MimeType};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp, Transform, TransformOp, Transformer};

use super::*;
use crate::pixels::decode::{DecodeOptions, Pixels, decode};
use crate::pixels::planes::Planes;

/// A JPEG file of noise, so that every coefficient counts.
fn noise(width: usize, height: usize, sampling: Subsamp, is_progressive: bool) -> Vec<u8> {
    let mut state = 1_u32;
    let pixels: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(width * height * 3)
    .collect();
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(90).unwrap();
    compressor.set_subsamp(sampling).unwrap();
    compressor.set_progressive(is_progressive).unwrap();
    let image =
        Image { pixels: &pixels[..], width, pitch: width * 3, height, format: PixelFormat::RGB };
    compressor.compress_to_vec(image).unwrap()
}

fn probe(bytes: &[u8]) -> ImageInfo {
    crate::probe(&mut Cursor::new(bytes), MimeType::Jpeg, &Limits::default()).unwrap().value
}

fn planes(bytes: &[u8]) -> Planes {
    let options = DecodeOptions { planes: true, ..DecodeOptions::default() };
    match decode(bytes, MimeType::Jpeg, &probe(bytes), &options).unwrap().value.pixels {
        Pixels::Planes(planes) => planes,
        Pixels::Raster(_) => panic!("a plain JPEG file comes as planes"),
    }
}

const SAMPLINGS: [Subsamp; 6] = [
    Subsamp::Gray,
    Subsamp::None,
    Subsamp::Sub2x1,
    Subsamp::Sub2x2,
    Subsamp::Sub1x2,
    Subsamp::Sub4x1,
];

#[test]
fn whether_it_can_be_done_is_what_libjpeg_turbo_says() {
    let mut seen = [0, 0];
    for sampling in SAMPLINGS {
        for (width, height) in [(32, 32), (31, 32), (32, 31), (24, 24), (33, 40), (8, 16), (16, 8)]
        {
            let bytes = noise(width, height, sampling, false);
            for orientation in Orientation::ALL {
                let info = ImageInfo { orientation, ..probe(&bytes) };
                let is_done = turn_losslessly(&bytes, orientation).is_ok();
                let wanted = is_done && orientation != Orientation::Upright;
                let what = (sampling, width, height, orientation);
                assert_eq!(can_turn_losslessly(&info), wanted, "{what:?}");
                seen[usize::from(wanted)] += 1;
            }
        }
    }
    assert!(seen.iter().all(|&count| count > 50), "{seen:?}");
}

#[test]
fn turning_there_and_back_changes_no_coefficient() {
    for (sampling, is_progressive) in SAMPLINGS.into_iter().flat_map(|s| [(s, false), (s, true)]) {
        let bytes = noise(64, 32, sampling, is_progressive);
        // The same file as libjpeg-turbo writes it, to compare byte by byte.
        let mut plain = Transform::op(TransformOp::None);
        (plain.copy_none, plain.progressive) = (true, is_progressive);
        let plain = Transformer::new().unwrap().transform_to_vec(&plain, &bytes).unwrap();
        for orientation in Orientation::ALL {
            let turned = turn_losslessly(&bytes, orientation).unwrap();
            let info = probe(&turned);
            assert_eq!(info.orientation, Orientation::Upright);
            assert_eq!(info.stored, probe(&bytes).stored.oriented(orientation));
            assert_eq!(info.jpeg.unwrap().progressive, is_progressive);
            let back = turn_losslessly(&turned, orientation.inverse()).unwrap();
            assert_eq!(back, plain, "{sampling:?} {orientation:?}");
        }
    }
}

/// One plane, its pixel at the place that the orientation takes it from.
fn turned(planes: &Planes, index: usize, orientation: Orientation) -> Vec<u8> {
    let place = planes.layout(index);
    let (width, height) = (place.width, place.height);
    let size = Dimensions::new(width, height).unwrap().oriented(orientation);
    let plane = planes.plane(index);
    let pixels = (0..size.height()).flat_map(|y| (0..size.width()).map(move |x| (x, y)));
    let source = |(x, y)| match orientation {
        Orientation::Upright => (x, y),
        Orientation::FlipHorizontal => (width - 1 - x, y),
        Orientation::Rotate180 => (width - 1 - x, height - 1 - y),
        Orientation::FlipVertical => (x, height - 1 - y),
        Orientation::Transpose => (y, x),
        Orientation::Rotate90 => (y, height - 1 - x),
        Orientation::Transverse => (width - 1 - y, height - 1 - x),
        Orientation::Rotate270 => (width - 1 - y, x),
    };
    pixels.map(source).map(|(x, y)| plane[(y * width + x) as usize]).collect()
}

#[test]
fn samples_are_those_of_the_picture_turned_after_decoding() {
    for sampling in SAMPLINGS.into_iter().filter(|&sampling| sampling != Subsamp::Sub4x1) {
        let bytes = noise(64, 48, sampling, false);
        let upright = planes(&bytes);
        for orientation in Orientation::ALL {
            let found = planes(&turn_losslessly(&bytes, orientation).unwrap());
            // The inverse transform rounds columns first, then rows, and halves always upwards: the
            // same coefficients in another order, or of another sign, may move a sample by one.
            let most = u8::from(orientation != Orientation::Upright);
            for index in 0..upright.sampling.planes() {
                let wanted = turned(&upright, index, orientation);
                assert_eq!(found.plane(index).len(), wanted.len());
                let distance = found.plane(index).iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b));
                assert!(distance.max().unwrap() <= most, "{sampling:?} {orientation:?} {index}");
            }
        }
    }
}

/// The file with segments behind its first one.
fn with_segments(bytes: &[u8], segments: &[(u8, &[u8])]) -> Vec<u8> {
    let place = 4 + usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let (head, rest) = bytes.split_at(place);
    let mut file = head.to_vec();
    for (code, body) in segments {
        file.extend([0xff, *code]);
        file.extend(u16::try_from(body.len() + 2).unwrap().to_be_bytes());
        file.extend(*body);
    }
    [&file, rest].concat()
}

#[test]
fn a_profile_in_pieces_is_kept_and_exif_goes() {
    let pieces: [&[u8]; 2] = [b"ICC_PROFILE\0\x01\x02first", b"ICC_PROFILE\0\x02\x02second"];
    let exif = b"Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let bytes = with_segments(
        &noise(32, 32, Subsamp::Sub2x2, false),
        &[(0xe1, exif), (0xe2, pieces[0]), (0xfe, b"a comment"), (0xe2, pieces[1])],
    );
    let info = probe(&bytes);
    assert_eq!(info.orientation, Orientation::Rotate90);
    let turned = turn_losslessly(&bytes, info.orientation).unwrap();
    assert_eq!(probe(&turned).orientation, Orientation::Upright);
    let found: Vec<(u8, &[u8])> = super::super::decode::segments::segments(&turned)
        .filter(|segment| (0xe0..=0xef).contains(&segment.code) || segment.code == 0xfe)
        .map(|segment| (segment.code, segment.body))
        .collect();
    assert_eq!(found.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [0xe0, 0xe2, 0xe2]);
    assert_eq!((found[1].1, found[2].1), (pieces[0], pieces[1]));
}

#[test]
fn stray_bytes_do_not_stop_it_and_damage_does() {
    let bytes = noise(32, 32, Subsamp::None, false);
    let place = 4 + usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let stray = [&bytes[..place], b"stray", &bytes[place..]].concat();
    let wanted = turn_losslessly(&bytes, Orientation::Rotate90).unwrap();
    assert_eq!(turn_losslessly(&stray, Orientation::Rotate90).unwrap(), wanted);
    for cut in [0, 2, 20, bytes.len() / 2] {
        let found = turn_losslessly(&bytes[..cut], Orientation::Rotate90);
        assert!(matches!(found, Err(Error::Malformed { .. })), "{cut}");
    }
}
