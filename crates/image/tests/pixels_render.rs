//! Views of pictures, held against plain arithmetic and against each other.
#![cfg(feature = "pixels")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::cast_possible_truncation, reason = "samples and sizes of a few digits")]

use std::f64::consts::PI;

use mediaprep_image::{
    Chroma, Encoding, Error, Filter, OutputFormat, Picture, PixelBox, Region, RenderOptions,
    Scratch, View, orient,
};
use mediaprep_media::{Dimensions, Orientation, PixelFormat, Raster};
use proptest::prelude::*;

const PNG: Encoding =
    Encoding { format: OutputFormat::Png { small: false }, quality: 90, chroma: Chroma::Auto };
const FORMATS: [PixelFormat; 3] = [PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8];

fn size(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// Noise between two values, the same for the same seed; opaque.
fn noise(size: Dimensions, format: PixelFormat, (low, high): (u8, u8), seed: u64) -> Raster {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        low + ((state >> 32) % (u64::from(high - low) + 1)) as u8
    };
    let bytes = Raster::bytes(size, format).unwrap();
    let mut data: Vec<u8> = (0..bytes).map(|_| next()).collect();
    if format.has_alpha() {
        data.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
    }
    Raster::new(size, format, data).unwrap()
}

/// Waves that a photograph might have, so that resampling has something to keep.
fn waves(size: Dimensions, format: PixelFormat) -> Raster {
    let channels = format.channels();
    let sample = |index: usize| {
        let (pixel, channel) = (index / channels, index % channels);
        if channel == 3 {
            return 255;
        }
        let (x, y) = (pixel % size.width() as usize, pixel / size.width() as usize);
        let (x, y, phase) = (x as f64, y as f64, channel as f64);
        let value = (x / 5.0 + phase).sin() * 45.0 + (y / 7.0 - x / 23.0).cos() * 45.0;
        (127.0 + value).round() as u8
    };
    let data = (0..Raster::bytes(size, format).unwrap()).map(sample).collect();
    Raster::new(size, format, data).unwrap()
}

fn upright(raster: &Raster) -> Picture {
    Picture::from_raster(raster.clone(), Orientation::Upright)
}

fn draw(picture: &Picture, view: &View, filter: Filter) -> Raster {
    let options = RenderOptions { filter, ..RenderOptions::default() };
    picture.draw(view, &options, &mut Scratch::default()).unwrap()
}

fn part(raster: &Raster, inner: PixelBox) -> Raster {
    let rows = inner.top..inner.top + inner.height;
    let data = rows
        .flat_map(|y| (inner.left..inner.left + inner.width).map(move |x| (x, y)))
        .flat_map(|(x, y)| raster.pixel(x, y).unwrap().to_vec())
        .collect();
    Raster::new(size(inner.width, inner.height), raster.format(), data).unwrap()
}

fn largest_difference(a: &Raster, b: &Raster) -> u8 {
    assert_eq!((a.size(), a.format()), (b.size(), b.format()));
    a.data().iter().zip(b.data()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// The filters as they are defined.
fn weight(filter: Filter, x: f64) -> f64 {
    let x = x.abs();
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    match filter {
        Filter::Lanczos3 if x < 3.0 => sinc(x) * sinc(x / 3.0),
        // Keys' cubic with a = -1/2.
        Filter::CatmullRom if x < 1.0 => 1.5 * x * x * x - 2.5 * x * x + 1.0,
        Filter::CatmullRom if x < 2.0 => -0.5 * x * x * x + 2.5 * x * x - 4.0 * x + 2.0,
        Filter::Bilinear if x < 1.0 => 1.0 - x,
        _ => 0.0,
    }
}

/// One line of samples, resampled in floats with nothing rounded.
fn resampled(line: &[f64], start: f64, length: f64, pixels: u32, filter: Filter) -> Vec<f64> {
    let scale = length / f64::from(pixels);
    let one = |pixel: u32| {
        let middle = start + (f64::from(pixel) + 0.5) * scale;
        let weight = |i: usize| weight(filter, (i as f64 + 0.5 - middle) / scale.max(1.0));
        let sum: f64 = (0..line.len()).map(weight).sum();
        (0..line.len()).map(|i| weight(i) * line[i]).sum::<f64>() / sum
    };
    (0..pixels).map(one).collect()
}

/// The largest distance from a view drawn in floats.
fn largest_error(raster: &Raster, view: &View, filter: Filter, drawn: &Raster) -> f64 {
    let channels = raster.format().channels();
    let (width, height) = (raster.size().width(), raster.size().height());
    let (out_width, out_height) = (view.size.width(), view.size.height());
    let mut largest: f64 = 0.0;
    for channel in 0..channels {
        let column = |x| -> Vec<f64> {
            (0..height).map(|y| f64::from(raster.pixel(x, y).unwrap()[channel])).collect()
        };
        let Region { left, top, width: seen, height: deep } = view.region;
        let columns: Vec<Vec<f64>> =
            (0..width).map(|x| resampled(&column(x), top, deep, out_height, filter)).collect();
        for y in 0..out_height {
            let row: Vec<f64> = columns.iter().map(|column| column[y as usize]).collect();
            let row = resampled(&row, left, seen, out_width, filter);
            for (x, exact) in row.iter().enumerate() {
                let found = f64::from(drawn.pixel(x as u32, y).unwrap()[channel]);
                largest = largest.max((found - exact).abs());
            }
        }
    }
    largest
}

#[test]
fn scratch_and_picture_go_between_threads() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Scratch>();
    is_sync::<Picture>();
    is_send::<Picture>();
}

#[test]
fn the_whole_at_its_own_size_is_the_picture_itself() {
    for format in FORMATS {
        let raster = noise(size(61, 47), format, (0, 255), 5);
        let whole = View::whole(raster.size(), raster.size());
        assert_eq!(draw(&upright(&raster), &whole, Filter::Lanczos3), raster);
        for orientation in Orientation::ALL {
            let picture = Picture::from_raster(raster.clone(), orientation);
            let whole = View::whole(picture.displayed(), picture.displayed());
            let turned = orient(raster.clone(), orientation);
            assert_eq!(draw(&picture, &whole, Filter::Lanczos3), turned, "{orientation:?}");
        }
    }
}

#[test]
fn a_step_from_black_to_white_stays_within_a_byte() {
    let mut raster = noise(size(64, 64), PixelFormat::Rgb8, (0, 1), 1);
    let pixels = raster.data_mut().chunks_exact_mut(3).enumerate();
    pixels.for_each(|(i, pixel)| pixel.fill(if i % 64 < 32 { 0 } else { 255 }));
    for out in [17, 40, 90] {
        let view = View::whole(raster.size(), size(out, out));
        let drawn = draw(&upright(&raster), &view, Filter::Lanczos3);
        let row: Vec<u8> = drawn.data().chunks_exact(3).take(out as usize).map(|p| p[0]).collect();
        assert!(row[..out as usize / 2 - 3].iter().all(|&value| value < 30), "{row:?}");
        assert!(row[out as usize / 2 + 3..].iter().all(|&value| value > 225), "{row:?}");
    }
}

/// Where the first and the last sample lie right on samples of the source, all other weights are 0:
/// the library underneath then forgets what the samples between them look at.
#[test]
fn samples_right_on_samples_are_no_trap() {
    for format in FORMATS {
        let raster = noise(size(23, 19), format, (70, 180), 3);
        for filter in [Filter::Lanczos3, Filter::CatmullRom, Filter::Bilinear] {
            for (left, pixels) in [(0.375, 4), (3.375, 9), (0.375, 85), (15.375, 25)] {
                let width = f64::from(pixels) / 4.0;
                let region = Region { left, top: left.min(4.375), width, height: width.min(8.25) };
                let out = size(pixels, pixels.min(33));
                let view = View { region, ..View::whole(raster.size(), out) };
                let drawn = draw(&upright(&raster), &view, filter);
                let error = largest_error(&raster, &view, filter, &drawn);
                assert!(error <= 2.0, "{filter:?} {view:?}: {error}");
            }
        }
    }
}

#[test]
fn what_cannot_be_seen_does_not_bleed() {
    // Transparent red beside opaque blue.
    let pixels = (0..80 * 60)
        .flat_map(|i| if (i % 80 + i / 80) % 7 < 3 { [255, 0, 0, 0] } else { [0, 0, 255, 255] });
    let raster = Raster::new(size(80, 60), PixelFormat::Rgba8, pixels.collect()).unwrap();
    for (width, height) in [(40, 30), (53, 47), (80, 31), (150, 140)] {
        for filter in [Filter::Lanczos3, Filter::CatmullRom, Filter::Bilinear] {
            let view = View::whole(raster.size(), size(width, height));
            let drawn = draw(&upright(&raster), &view, filter);
            for pixel in drawn.data().chunks_exact(4) {
                assert!(pixel[3] == 0 || (pixel[0], pixel[1]) == (0, 0), "{pixel:?}");
                assert!(pixel[3] < 8 || pixel[2] > 225, "{pixel:?}");
            }
        }
    }
}

#[test]
fn a_letterbox_has_the_background_around_the_picture() {
    let raster = waves(size(40, 20), PixelFormat::Rgb8);
    let view = View::letterboxed(Region::whole(raster.size()), size(30, 31));
    assert_eq!(view.placed, PixelBox { left: 0, top: 8, width: 30, height: 15 });
    let options = RenderOptions { background: [1, 2, 3], ..RenderOptions::default() };
    let drawn = upright(&raster).draw(&view, &options, &mut Scratch::default()).unwrap();
    let alone = draw(&upright(&raster), &View::whole(raster.size(), size(30, 15)), options.filter);
    assert_eq!(part(&drawn, view.placed), alone);
    for y in (0..8).chain(23..31) {
        assert!((0..30).all(|x| drawn.pixel(x, y) == Some(&[1, 2, 3][..])), "row {y}");
    }
}

#[test]
fn a_grey_picture_is_coloured_only_by_its_background() {
    let raster = waves(size(40, 20), PixelFormat::Gray8);
    let view = View::letterboxed(Region::whole(raster.size()), size(30, 30));
    let with = |background| {
        let options = RenderOptions { background, ..RenderOptions::default() };
        upright(&raster).draw(&view, &options, &mut Scratch::default()).unwrap()
    };
    let (grey, red) = (with([9; 3]), with([200, 0, 0]));
    assert_eq!((grey.format(), red.format()), (PixelFormat::Gray8, PixelFormat::Rgb8));
    assert_eq!((grey.pixel(0, 0), red.pixel(0, 0)), (Some(&[9][..]), Some(&[200, 0, 0][..])));
    for (x, y) in (0..30).flat_map(|x| (8..22).map(move |y| (x, y))) {
        assert_eq!(red.pixel(x, y).unwrap(), [grey.pixel(x, y).unwrap()[0]; 3]);
    }
}

#[test]
fn transparent_pixels_take_the_background_in_jpeg() {
    let clear = Raster::new(size(64, 48), PixelFormat::Rgba8, vec![0; 64 * 48 * 4]).unwrap();
    let jpeg = Encoding { format: OutputFormat::Jpeg, ..PNG };
    let render = |background| {
        let options = RenderOptions { background, ..RenderOptions::default() };
        let view = View::whole(clear.size(), size(32, 24));
        let picture = upright(&clear);
        let kept = picture.render(&view, &jpeg, &options, &mut Scratch::default()).unwrap();
        let last = picture.into_rendered(&view, &jpeg, &options, &mut Scratch::default()).unwrap();
        assert_eq!(kept, last);
        kept
    };
    let data = [200, 40, 10].repeat(32 * 24);
    let flat = Raster::new(size(32, 24), PixelFormat::Rgb8, data).unwrap();
    assert_eq!(render([200, 40, 10]), mediaprep_image::encode(&flat, &jpeg).unwrap());
    assert_ne!(render([200, 40, 10]), render([255; 3]));
}

#[test]
fn views_that_do_not_fit_are_refused() {
    let picture = upright(&waves(size(40, 20), PixelFormat::Rgb8));
    let whole = View::whole(picture.displayed(), size(10, 10));
    let region =
        |left, top, width, height| View { region: Region { left, top, width, height }, ..whole };
    let placed =
        |left, top, width, height| View { placed: PixelBox { left, top, width, height }, ..whole };
    let views = [
        region(0.0, 0.0, 40.1, 20.0),
        region(-1.0, 0.0, 20.0, 20.0),
        region(0.0, 1.0, 40.0, 20.0),
        region(50.0, 0.0, 1.0, 1.0),
        region(0.0, 0.0, 0.0, 20.0),
        region(10.0, 10.0, -5.0, 5.0),
        region(f64::NAN, 0.0, 1.0, 1.0),
        region(0.0, 0.0, f64::NAN, 1.0),
        region(0.0, f64::NEG_INFINITY, 1.0, 1.0),
        region(0.0, 0.0, f64::INFINITY, 1.0),
        placed(0, 0, 11, 10),
        placed(0, 1, 10, 10),
        placed(0, 0, 0, 10),
        placed(u32::MAX, 0, 2, 10),
    ];
    let (options, mut scratch) = (RenderOptions::default(), Scratch::default());
    for view in views {
        let drawn = picture.draw(&view, &options, &mut scratch);
        assert!(matches!(drawn, Err(Error::Malformed { .. })), "{view:?}: {drawn:?}");
        let rendered = picture.render(&view, &PNG, &options, &mut scratch);
        assert!(matches!(rendered, Err(Error::Malformed { .. })), "{view:?}");
        let rendered = picture.clone().into_rendered(&view, &PNG, &options, &mut scratch);
        assert!(matches!(rendered, Err(Error::Malformed { .. })), "{view:?}");
    }
}

/// A tile's box: start and length as shares of the whole.
fn tile(whole: Dimensions, cut: [f64; 4]) -> PixelBox {
    let start = |share: f64, side: u32| (share * f64::from(side - 1)) as u32;
    let (left, top) = (start(cut[0], whole.width()), start(cut[1], whole.height()));
    let width = 1 + start(cut[2], whole.width() - left);
    PixelBox { left, top, width, height: 1 + start(cut[3], whole.height() - top) }
}

/// The view of `source` that shows a tile of the whole at another size.
fn tile_view(source: Dimensions, whole: Dimensions, tile: PixelBox) -> View {
    let across = f64::from(source.width()) / f64::from(whole.width());
    let down = f64::from(source.height()) / f64::from(whole.height());
    let region = Region {
        left: f64::from(tile.left) * across,
        top: f64::from(tile.top) * down,
        width: f64::from(tile.width) * across,
        height: f64::from(tile.height) * down,
    };
    let size = size(tile.width, tile.height);
    View { region, size, placed: PixelBox::whole(size) }
}

fn any_filter() -> impl Strategy<Value = Filter> {
    prop::sample::select(vec![Filter::Lanczos3, Filter::CatmullRom, Filter::Bilinear])
}

fn any_format() -> impl Strategy<Value = PixelFormat> {
    prop::sample::select(FORMATS.to_vec())
}

fn any_orientation() -> impl Strategy<Value = Orientation> {
    prop::sample::select(Orientation::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn resampling_is_within_two_steps_of_exact_arithmetic(
        w in 1u32..40, h in 1u32..40, out_w in 1u32..60, out_h in 1u32..60,
        cut in prop::array::uniform4(0.0..1.0), filter in any_filter(), format in any_format(),
        seed: u64,
    ) {
        // Noise that cannot leave a byte, since clipping is not part of the exact arithmetic.
        let raster = noise(size(w, h), format, (70, 180), seed);
        let (left, top) = (cut[0] * f64::from(w) * 0.9, cut[1] * f64::from(h) * 0.9);
        let width = (f64::from(w) - left) * (0.1 + 0.9 * cut[2]);
        let height = (f64::from(h) - top) * (0.1 + 0.9 * cut[3]);
        let view = View {
            region: Region { left, top, width, height },
            ..View::whole(raster.size(), size(out_w, out_h))
        };
        let drawn = draw(&upright(&raster), &view, filter);
        let error = largest_error(&raster, &view, filter, &drawn);
        prop_assert!(error <= 2.0, "{error}");
    }

    #[test]
    fn a_tile_is_the_same_box_of_the_whole(
        w in 2u32..300, h in 2u32..300, scale in prop::array::uniform2(0.02..3.0),
        cut in prop::array::uniform4(0.0..1.0), filter in any_filter(), format in any_format(),
        orientation in any_orientation(),
    ) {
        let picture = Picture::from_raster(waves(size(w, h), format), orientation);
        let source = picture.displayed();
        let [across, down] = scale;
        let side = |side: u32, scale: f64| (f64::from(side) * scale).ceil() as u32;
        let out = size(side(source.width(), across), side(source.height(), down));
        let whole = draw(&picture, &View::whole(source, out), filter);
        let tile = tile(out, cut);
        let alone = draw(&picture, &tile_view(source, out, tile), filter);
        let difference = largest_difference(&alone, &part(&whole, tile));
        // Weights are rounded more coarsely in calls in which one of them reaches 1, as happens at
        // the edges when enlarging; after two passes that may make a step more.
        let most = if out.width() <= source.width() && out.height() <= source.height() { 1 } else { 2 };
        prop_assert!(difference <= most, "{difference}");
    }

    #[test]
    fn turning_before_or_after_makes_no_difference(
        w in 2u32..200, h in 2u32..200, out_w in 1u32..250, out_h in 1u32..250,
        format in any_format(), orientation in any_orientation(),
    ) {
        let stored = waves(size(w, h), format);
        let before = upright(&orient(stored.clone(), orientation));
        let after = Picture::from_raster(stored, orientation);
        let view = View::whole(before.displayed(), size(out_w, out_h));
        let (before, after) =
            (draw(&before, &view, Filter::Lanczos3), draw(&after, &view, Filter::Lanczos3));
        // The two passes round in another order when the axes change places.
        let difference = largest_difference(&before, &after);
        prop_assert!(difference <= 2, "{difference}");
    }

    #[test]
    fn whole_pixels_at_their_own_size_are_copied(
        w in 2u32..100, h in 2u32..100, cut in prop::array::uniform4(0.0..1.0),
        format in any_format(), orientation in any_orientation(), seed: u64,
    ) {
        let stored = noise(size(w, h), format, (0, 255), seed);
        let picture = Picture::from_raster(stored.clone(), orientation);
        let tile = tile(picture.displayed(), cut);
        let view = tile_view(picture.displayed(), picture.displayed(), tile);
        let drawn = draw(&picture, &view, Filter::Lanczos3);
        prop_assert_eq!(drawn, part(&orient(stored, orientation), tile));
    }

    #[test]
    fn giving_the_memory_back_changes_no_byte(
        w in 2u32..300, h in 2u32..900, out_w in 1u32..320, out_h in 1u32..920,
        cut in prop::array::uniform4(0.0..0.4), format in any_format(),
        orientation in any_orientation(), is_boxed: bool,
    ) {
        let picture = Picture::from_raster(waves(size(w, h), format), orientation);
        let (source, out) = (picture.displayed(), size(out_w, out_h));
        let region = Region {
            left: cut[0] * f64::from(source.width()),
            top: cut[1] * f64::from(source.height()),
            width: (1.0 - cut[0] - cut[2]) * f64::from(source.width()),
            height: (1.0 - cut[1] - cut[3]) * f64::from(source.height()),
        };
        let view = if is_boxed {
            View::letterboxed(region, out)
        } else {
            View { region, ..View::whole(source, out) }
        };
        let (options, mut scratch) = (RenderOptions::default(), Scratch::default());
        let kept = picture.render(&view, &PNG, &options, &mut scratch).unwrap();
        prop_assert_eq!(picture.into_rendered(&view, &PNG, &options, &mut scratch).unwrap(), kept);
    }

    #[test]
    fn no_view_is_too_strange(
        region in prop::array::uniform4(any::<f64>()),
        near in prop::array::uniform4(-0.1..1.2),
        is_near: bool,
        placed in prop::array::uniform4(0u32..70),
        (out_w, out_h) in (1u32..70, 1u32..70),
        orientation in any_orientation(),
        format in any_format(),
    ) {
        let picture = Picture::from_raster(waves(size(33, 21), format), orientation);
        let [left, top, width, height] = if is_near { near.map(|share| share * 30.0) } else { region };
        let region = Region { left, top, width, height };
        let [left, top, width, height] = placed;
        let placed = PixelBox { left, top, width, height };
        let view = View { region, size: size(out_w, out_h), placed };
        let (options, mut scratch) = (RenderOptions::default(), Scratch::default());
        match picture.draw(&view, &options, &mut scratch) {
            Ok(drawn) => prop_assert_eq!(drawn.size(), view.size),
            Err(error) => prop_assert!(matches!(error, Error::Malformed { .. }), "{error}"),
        }
        let _ = picture.into_rendered(&view, &PNG, &options, &mut scratch);
    }
}
