//! Decoding, turning upright, resizing, cutting and encoding a picture of 3 megapixels.

use std::hint::black_box;
use std::io::Cursor;

use criterion::{BatchSize, Criterion, Throughput};
use mediaprep_benches::photo;
use mediaprep_image::{
    Chroma, DecodeOptions, Encoding, Error, ImageInfo, OutputFormat, Picture, Region,
    RenderOptions, Scratch, View, decode, encode, orient, probe, turn_losslessly,
};
use mediaprep_media::{Dimensions, Limits, MimeType, Orientation, Raster};

use crate::fixture;

/// The side of a tile.
const TILE: u32 = 768;
const QUALITY: u8 = 90;
const FORMATS: [OutputFormat; 3] =
    [OutputFormat::Jpeg, OutputFormat::Png { small: false }, OutputFormat::Webp];

/// A picture of 2048 × 1536: whole blocks, so that it can be turned without decoding.
fn picture() -> Option<Raster> {
    photo(2 * 1024, 3 * 512)
}

/// The same for a format, smaller for WebP: libwebp takes a second for a megapixel.
fn picture_for(format: OutputFormat) -> Option<Raster> {
    if format == OutputFormat::Webp { photo(512, 384) } else { picture() }
}

const fn written(format: OutputFormat) -> Encoding {
    Encoding { format, quality: QUALITY, chroma: Chroma::Subsampled }
}

fn info(bytes: &[u8], mime: MimeType) -> Result<ImageInfo, Error> {
    Ok(probe(&mut Cursor::new(bytes), mime, &Limits::default())?.value)
}

/// The generated picture in every format that is written here, and a grid of HEIC.
pub(crate) fn decoding(criterion: &mut Criterion) {
    let made = FORMATS.iter().filter_map(|&format| {
        let bytes = encode(&picture_for(format)?, &written(format)).ok()?;
        Some((format.mime(), bytes))
    });
    let heic = std::fs::read(fixture("images/heic-grid.heic")).ok();
    let all = made.chain(heic.map(|bytes| (MimeType::Heic, bytes)));
    let mut group = criterion.benchmark_group("decode");
    for (mime, bytes) in all {
        let Ok(info) = info(&bytes, mime) else { continue };
        group.throughput(Throughput::Elements(info.stored.pixels()));
        group.bench_function(mime.as_str(), |bencher| {
            bencher.iter(|| black_box(decode(&bytes, mime, &info, &DecodeOptions::default())));
        });
        if mime == MimeType::Jpeg {
            // What is shown at a third of its size is shrunk while it is decoded.
            let at_least = Dimensions::new(TILE, TILE * 3 / 4);
            let options = DecodeOptions { at_least, planes: true, ..DecodeOptions::default() };
            group.bench_function("image/jpeg to 768 × 576", |bencher| {
                bencher.iter(|| black_box(decode(&bytes, mime, &info, &options)));
            });
        }
    }
    group.finish();
}

/// Pixels turned in memory, and a JPEG turned without decoding.
pub(crate) fn turning(criterion: &mut Criterion) {
    let Some(raster) = picture() else { return };
    let mut group = criterion.benchmark_group("orient");
    group.throughput(Throughput::Elements(raster.size().pixels()));
    for orientation in [Orientation::Rotate180, Orientation::Rotate90] {
        group.bench_function(format!("{orientation:?}"), |bencher| {
            bencher.iter_batched(
                || raster.clone(),
                |raster| black_box(orient(raster, orientation)),
                BatchSize::LargeInput,
            );
        });
    }
    if let Ok(bytes) = encode(&raster, &written(OutputFormat::Jpeg)) {
        group.bench_function("Rotate90 without decoding", |bencher| {
            bencher.iter(|| black_box(turn_losslessly(&bytes, Orientation::Rotate90)));
        });
    }
    group.finish();
}

/// The whole picture made smaller, and its tiles, drawn and drawn with their JPEG.
pub(crate) fn resizing(criterion: &mut Criterion) {
    let Some(raster) = picture() else { return };
    let pixels = raster.size().pixels();
    let picture = Picture::from_raster(raster, Orientation::Upright);
    let Some(size) = Dimensions::new(TILE, TILE * 3 / 4) else { return };
    let whole = View::whole(picture.displayed(), size);
    let (tiles, options) = (tiles(picture.displayed()), RenderOptions::default());
    let mut scratch = Scratch::default();
    let mut group = criterion.benchmark_group("draw");
    group.throughput(Throughput::Elements(pixels));
    group.bench_function("resize to 768 × 576", |bencher| {
        bencher.iter(|| black_box(picture.draw(&whole, &options, &mut scratch)));
    });
    group.bench_function("6 tiles of 768 × 768", |bencher| {
        let draw = |scratch: &mut Scratch, view| picture.draw(view, &options, scratch);
        bencher.iter(|| {
            tiles.iter().for_each(|view| drop(black_box(draw(&mut scratch, view))));
        });
    });
    group.bench_function("6 tiles of 768 × 768 as JPEG", |bencher| {
        let encoding = written(OutputFormat::Jpeg);
        bencher.iter(|| {
            for view in &tiles {
                let _ = black_box(picture.render(view, &encoding, &options, &mut scratch));
            }
        });
    });
    group.finish();
}

/// Three across and two down.
fn tiles(shown: Dimensions) -> Vec<View> {
    let (width, height) = (f64::from(shown.width()) / 3.0, f64::from(shown.height()) / 2.0);
    let places = (0..2).flat_map(|row| (0..3).map(move |column| (column, row)));
    let view = |(column, row): (u32, u32)| {
        let (left, top) = (f64::from(column) * width, f64::from(row) * height);
        let region = Region { left, top, width, height };
        Some(View::letterboxed(region, Dimensions::new(TILE, TILE)?))
    };
    places.filter_map(view).collect()
}

/// The picture in every format that is written.
pub(crate) fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for format in FORMATS {
        let Some(raster) = picture_for(format) else { continue };
        group.throughput(Throughput::Elements(raster.size().pixels()));
        let encoding = written(format);
        group.bench_function(format.mime().as_str(), |bencher| {
            bencher.iter(|| black_box(encode(&raster, &encoding)));
        });
    }
    group.finish();
}
