#![expect(clippy::cast_possible_truncation, reason = "samples and sizes of a few digits")]
#![expect(clippy::cast_sign_loss, reason = "samples and sizes of a few digits")]

use mediaprep_media::{Dimensions, PixelFormat};
#[cfg(feature = "turbo")]
use proptest::prelude::*;

use super::*;
use crate::pixels::planes::{Planes, layout};
use crate::{PixelBox, Region, to_stored};

const COLOURED: [Sampling; 4] = [Sampling::S444, Sampling::S422, Sampling::S420, Sampling::S440];

fn size(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// Values of a plane at a point of the stored picture.
type Field = fn(usize, f64, f64) -> f64;

/// Straight slopes, another for each plane: interpolation keeps them.
#[cfg(feature = "turbo")]
fn slopes(plane: usize, x: f64, y: f64) -> f64 {
    match plane {
        0 => 40.0 + 0.5 * x + 0.25 * y,
        1 => 60.0 + 0.25 * x + 0.375 * y,
        _ => 190.0 - 0.375 * x + 0.125 * y,
    }
}

/// Waves that a photograph might have.
fn waves(plane: usize, x: f64, y: f64) -> f64 {
    let phase = plane as f64;
    let fine = if plane == 0 { 9.0 } else { 31.0 };
    128.0 + 55.0 * (x / fine + phase).sin() * (y / 40.0).cos() + 35.0 * (y / fine - x / 70.0).cos()
}

/// Planes whose samples have the values of a field in their middles.
fn planes(size: Dimensions, sampling: Sampling, field: Field) -> Planes {
    let mut data = Vec::new();
    for index in 0..sampling.planes() {
        let place = layout(size, sampling, index);
        let (across, down) = if index == 0 { (1, 1) } else { sampling.factors() };
        for (y, x) in (0..place.height).flat_map(|y| (0..place.width).map(move |x| (y, x))) {
            let middle = |i: u32, factor: u32| (f64::from(i) + 0.5) * f64::from(factor);
            data.push(field(index, middle(x, across), middle(y, down)).round() as u8);
        }
    }
    Planes { size, sampling, data }
}

fn picture(planes: Planes, orientation: Orientation) -> Picture {
    let stored = planes.size;
    Picture { pixels: Pixels::Planes(planes), stored, orientation }
}

fn part(raster: &Raster, inner: PixelBox) -> Vec<u8> {
    let rows = inner.top..inner.top + inner.height;
    rows.flat_map(|y| (inner.left..inner.left + inner.width).map(move |x| (x, y)))
        .flat_map(|(x, y)| raster.pixel(x, y).unwrap().to_vec())
        .collect()
}

fn draw(picture: &Picture, view: &View) -> Raster {
    picture.draw(view, &RenderOptions::default(), &mut Scratch::default()).unwrap()
}

/// Peak signal to noise ratio in decibels.
fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares =
        a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>();
    10.0 * (255.0 * 255.0 * a.len() as f64 / squares.max(1e-9)).log10()
}

#[test]
fn planes_and_their_colours_give_the_same_view() {
    for sampling in COLOURED {
        let stored = planes(size(400, 300), sampling, waves);
        let by_planes = picture(stored, Orientation::Upright);
        let whole = View::whole(by_planes.displayed(), by_planes.displayed());
        let colours = draw(&by_planes, &whole);
        let by_colours = Picture::from_raster(colours, Orientation::Upright);
        for out in [size(307, 230), size(100, 75), size(640, 480)] {
            let view = View::whole(by_planes.displayed(), out);
            let (a, b) = (draw(&by_planes, &view), draw(&by_colours, &view));
            let ratio = psnr(a.data(), b.data());
            assert!(ratio > 45.0, "{sampling:?} {out:?}: {ratio}");
        }
    }
}

#[test]
fn grey_planes_are_a_grey_picture() {
    let grey = planes(size(50, 40), Sampling::Gray, waves);
    let picture = picture(grey.clone(), Orientation::Rotate90);
    let drawn = draw(&picture, &View::whole(size(40, 50), size(40, 50)));
    let stored = Raster::new(size(50, 40), PixelFormat::Gray8, grey.data).unwrap();
    assert_eq!(drawn, orient(stored, Orientation::Rotate90));
}

/// A JPEG decoder that shrinks gives a buffer whose last samples may stand for less than a pixel
/// each: points must still be where they were.
#[test]
fn shrunk_buffers_keep_every_point_in_its_place() {
    for (eighths, stored) in [(4, size(201, 151)), (2, size(203, 150)), (1, size(401, 299))] {
        let shrunk = |side: u32| (side * eighths).div_ceil(8);
        let buffer = size(shrunk(stored.width()), shrunk(stored.height()));
        let step = 8.0 / f64::from(eighths);
        let value = |x: f64, y: f64| 20.0 + 0.4 * x + 0.3 * y;
        let middle = |i: u32| (f64::from(i) + 0.5) * step;
        let data = (0..buffer.height())
            .flat_map(|y| (0..buffer.width()).map(move |x| value(middle(x), middle(y)) as u8))
            .collect();
        let raster = Raster::new(buffer, PixelFormat::Gray8, data).unwrap();
        for orientation in Orientation::ALL {
            let picture = Picture { pixels: Pixels::Raster(raster.clone()), stored, orientation };
            let region = Region { left: 50.0, top: 48.0, width: 80.0, height: 60.0 };
            let view = View { region, ..View::whole(picture.displayed(), size(20, 15)) };
            let drawn = draw(&picture, &view);
            for (x, y) in (0..20).flat_map(|x| (0..15).map(move |y| (x, y))) {
                let upright = view.to_source(f64::from(x) + 0.5, f64::from(y) + 0.5);
                let (at_x, at_y) = to_stored(orientation, stored, upright.0, upright.1);
                let (found, expected) = (drawn.pixel(x, y).unwrap()[0], value(at_x, at_y) - 0.5);
                let error = (f64::from(found) - expected).abs();
                assert!(error <= 1.6, "{eighths} {orientation:?} {x} {y}: {found} for {expected}");
            }
        }
    }
}

#[test]
fn bands_meet_without_a_seam() {
    // Wide enough for several bands of the fewest rows, high enough for many.
    let data = (0..5000 * 900_u32).map(|i| (60 + (i % 5000 / 40 + i / 5000 / 9) % 130) as u8);
    let raster = Raster::new(size(5000, 900), PixelFormat::Gray8, data.collect()).unwrap();
    let picture = Picture::from_raster(raster, Orientation::Upright);
    let whole = View::whole(picture.displayed(), size(3900, 702));
    let drawn = draw(&picture, &whole);
    for top in [0, 390, 400, 410, 600] {
        let inner = PixelBox { left: 1000, top, width: 60, height: 60 };
        let scale = 5000.0 / 3900.0;
        let region = Region {
            left: 1000.0 * scale,
            top: f64::from(top) * scale,
            width: 60.0 * scale,
            height: 60.0 * scale,
        };
        let alone =
            draw(&picture, &View { region, ..View::whole(picture.displayed(), size(60, 60)) });
        let difference =
            part(&drawn, inner).iter().zip(alone.data()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(difference <= Some(1), "{top}: {difference:?}");
    }
}

#[cfg(feature = "turbo")]
mod as_planes {
    use super::*;
    use crate::pixels::encode::OutputFormat;

    fn jpeg(chroma: Chroma) -> Encoding {
        Encoding { format: OutputFormat::Jpeg, quality: 90, chroma }
    }

    /// The planes that a view is encoded from; `None` when it goes by colours.
    fn drawn(picture: &Picture, view: &View, chroma: Chroma) -> Option<Planes> {
        let cut = Cut::new(picture, view).unwrap();
        let (options, mut scratch) = (RenderOptions::default(), Scratch::default());
        let drawing = picture.drawing(&cut, &jpeg(chroma), &options, &mut scratch).unwrap();
        match drawing {
            Drawing::Planes(planes) => Some(planes.into_owned()),
            Drawing::Raster(_) => None,
        }
    }

    #[test]
    fn the_whole_at_its_own_size_is_passed_on() {
        for sampling in [Sampling::Gray, Sampling::S444, Sampling::S420] {
            let stored = planes(size(61, 47), sampling, waves);
            let picture = picture(stored.clone(), Orientation::Upright);
            let whole = View::whole(stored.size, stored.size);
            let passed = drawn(&picture, &whole, Chroma::Auto).unwrap();
            assert!(passed.sampling == sampling && passed.data == stored.data, "{sampling:?}");
        }
    }

    #[test]
    fn the_chroma_is_what_was_asked_for() {
        let rows = [
            (Sampling::Gray, Chroma::Full, Sampling::Gray),
            (Sampling::S444, Chroma::Auto, Sampling::S444),
            (Sampling::S444, Chroma::Subsampled, Sampling::S420),
            (Sampling::S422, Chroma::Auto, Sampling::S420),
            (Sampling::S440, Chroma::Auto, Sampling::S420),
            (Sampling::S420, Chroma::Auto, Sampling::S420),
            (Sampling::S420, Chroma::Full, Sampling::S444),
        ];
        for (stored, chroma, expected) in rows {
            let picture = picture(planes(size(40, 30), stored, waves), Orientation::Upright);
            let view = View::whole(size(40, 30), size(21, 15));
            let planes = drawn(&picture, &view, chroma).unwrap();
            assert_eq!(planes.sampling, expected, "{stored:?} {chroma:?}");
            assert_eq!(planes.data.len(), Planes::bytes(view.size, expected));
        }
    }

    #[test]
    fn a_letterbox_on_odd_pixels_goes_by_colours() {
        let picture = picture(planes(size(40, 30), Sampling::S420, waves), Orientation::Upright);
        let at = |left, top, width, height| View {
            placed: PixelBox { left, top, width, height },
            ..View::whole(size(40, 30), size(41, 41))
        };
        let is_planes = |view, chroma| drawn(&picture, &view, chroma).is_some();
        assert!(is_planes(at(2, 4, 20, 16), Chroma::Auto));
        assert!(is_planes(at(2, 4, 39, 37), Chroma::Auto), "up to the edge");
        assert!(!is_planes(at(1, 4, 20, 16), Chroma::Auto));
        assert!(!is_planes(at(2, 4, 20, 15), Chroma::Auto));
        assert!(is_planes(at(1, 3, 21, 15), Chroma::Full));
    }

    #[test]
    fn a_letterbox_has_the_background_around_the_picture() {
        let picture = picture(planes(size(40, 20), Sampling::S420, waves), Orientation::Rotate180);
        let view = View::letterboxed(Region::whole(size(40, 20)), size(33, 32));
        assert_eq!(view.placed, PixelBox { left: 0, top: 7, width: 33, height: 17 });
        let view = View { placed: PixelBox { left: 0, top: 8, width: 33, height: 16 }, ..view };
        let boxed = drawn(&picture, &view, Chroma::Auto).unwrap();
        let alone = View::whole(size(40, 20), size(33, 16));
        let alone = drawn(&picture, &alone, Chroma::Auto).unwrap();
        for (index, white) in [(0, 255), (1, 128), (2, 128)] {
            let width = boxed.layout(index).width as usize;
            let (top, height) = if index == 0 { (8, 16) } else { (4, 8) };
            let (above, rest) = boxed.plane(index).split_at(top * width);
            let (inner, below) = rest.split_at(height * width);
            assert!(above.iter().chain(below).all(|&value| value == white), "plane {index}");
            assert_eq!(inner, &alone.plane(index)[..height * width], "plane {index}");
        }
    }

    #[test]
    fn a_grey_picture_on_a_colour_goes_by_colours() {
        let picture = picture(planes(size(40, 20), Sampling::Gray, waves), Orientation::Upright);
        let view = View::letterboxed(Region::whole(size(40, 20)), size(32, 32));
        assert_eq!(drawn(&picture, &view, Chroma::Auto).unwrap().sampling, Sampling::Gray);
        let options = RenderOptions { background: [200, 0, 0], ..RenderOptions::default() };
        let cut = Cut::new(&picture, &view).unwrap();
        let drawing = picture.drawing(&cut, &jpeg(Chroma::Auto), &options, &mut Scratch::default());
        assert!(matches!(drawing, Ok(Drawing::Raster(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Every sample has the value of the point that it stands for, however the picture is
        /// turned and however odd its sides; but for the one that lies half outside.
        #[test]
        fn chroma_stays_where_it_belongs(
            w in 8u32..120, h in 8u32..120, out_w in 1u32..120, out_h in 1u32..120,
            value in 1u16..=8, sampling in 0usize..4, is_full: bool,
        ) {
            let orientation = Orientation::from_exif(value).unwrap();
            let stored = size(w, h);
            let picture = picture(planes(stored, COLOURED[sampling], slopes), orientation);
            let view = View::whole(picture.displayed(), size(out_w, out_h));
            let chroma = if is_full { Chroma::Full } else { Chroma::Subsampled };
            let drawn = drawn(&picture, &view, chroma).unwrap();
            for index in 0..3 {
                let place = drawn.layout(index);
                let (across, down) = if index == 0 { (1, 1) } else { drawn.sampling.factors() };
                for (y, x) in (0..out_h / down).flat_map(|y| (0..out_w / across).map(move |x| (y, x))) {
                    let middle = |i: u32, factor: u32| (f64::from(i) + 0.5) * f64::from(factor);
                    let (x_source, y_source) = view.to_source(middle(x, across), middle(y, down));
                    let (at_x, at_y) = to_stored(orientation, stored, x_source, y_source);
                    // At the edges the filter is cut off, which bends slopes.
                    let reach = |out: u32, side: u32| 6.5 * (f64::from(side) / f64::from(out)).max(1.0);
                    let (out_x, out_y) = if orientation.swaps_axes() { (out_h, out_w) } else { (out_w, out_h) };
                    let margin = (reach(out_x, w), reach(out_y, h));
                    let is_inner = |at: f64, side: u32, margin: f64| at > margin && at < f64::from(side) - margin;
                    if !is_inner(at_x, w, margin.0) || !is_inner(at_y, h, margin.1) {
                        continue;
                    }
                    let found = drawn.plane(index)[(y * place.width + x) as usize];
                    let expected = slopes(index, at_x, at_y);
                    let error = (f64::from(found) - expected).abs();
                    prop_assert!(error < 1.5, "plane {index} at {x} {y}: {found} for {expected}");
                }
            }
        }

        /// As above at the edges, where what counts is that nothing is left out or far off.
        #[test]
        fn every_sample_is_drawn(
            w in 1u32..60, h in 1u32..60, out_w in 1u32..60, out_h in 1u32..60,
            value in 1u16..=8, sampling in 0usize..4, is_full: bool,
        ) {
            let orientation = Orientation::from_exif(value).unwrap();
            let flat: Field = |plane, _, _| [50.0, 90.0, 200.0][plane];
            let picture = picture(planes(size(w, h), COLOURED[sampling], flat), orientation);
            let view = View::whole(picture.displayed(), size(out_w, out_h));
            let chroma = if is_full { Chroma::Full } else { Chroma::Subsampled };
            let drawn = drawn(&picture, &view, chroma).unwrap();
            for (index, value) in [50, 90, 200].into_iter().enumerate() {
                let mut samples = drawn.plane(index).iter();
                prop_assert!(samples.all(|sample| sample.abs_diff(value) <= 1), "plane {index}");
            }
        }

        #[test]
        fn a_tile_is_the_same_box_of_the_whole(
            w in 16u32..300, h in 16u32..300, share in 0.1..1.0_f64, value in 1u16..=8,
            sampling in 0usize..4, cut in prop::array::uniform4(0.0..1.0),
        ) {
            let orientation = Orientation::from_exif(value).unwrap();
            let picture = picture(planes(size(w, h), COLOURED[sampling], waves), orientation);
            let source = picture.displayed();
            let side = |side: u32| (f64::from(side) * share / 2.0_f64).ceil() as u32 * 2;
            let out = size(side(source.width()), side(source.height()));
            let start = |share: f64, side: u32| (share * f64::from(side / 2 - 1)) as u32 * 2;
            let (left, top) = (start(cut[0], out.width()), start(cut[1], out.height()));
            let width = 2 + start(cut[2], out.width() - left);
            let height = 2 + start(cut[3], out.height() - top);
            let across = f64::from(source.width()) / f64::from(out.width());
            let down = f64::from(source.height()) / f64::from(out.height());
            let region = Region {
                left: f64::from(left) * across,
                top: f64::from(top) * down,
                width: f64::from(width) * across,
                height: f64::from(height) * down,
            };
            let whole = drawn(&picture, &View::whole(source, out), Chroma::Subsampled).unwrap();
            let view = View { region, ..View::whole(source, size(width, height)) };
            let tile = drawn(&picture, &view, Chroma::Subsampled).unwrap();
            for index in 0..3 {
                let factor = if index == 0 { 1 } else { 2 };
                let (of_whole, of_tile) = (whole.layout(index), tile.layout(index));
                for (y, x) in (0..of_tile.height).flat_map(|y| (0..of_tile.width).map(move |x| (y, x))) {
                    let at = (top / factor + y) * of_whole.width + left / factor + x;
                    let (a, b) = (whole.plane(index)[at as usize], tile.plane(index)[(y * of_tile.width + x) as usize]);
                    // Each of the two passes rounds, and the filter places its weights by floats.
                    prop_assert!(a.abs_diff(b) <= 2, "plane {index} at {x} {y}: {a} {b}");
                }
            }
        }
    }
}
