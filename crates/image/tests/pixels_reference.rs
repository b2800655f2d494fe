//! Pixels against what other people's decoders and resamplers make of the same files: see
//! `fixtures/images/reference/MANIFEST.toml`.
#![cfg(feature = "pixels")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "`--nocapture` shows how near every case came")]

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use image::{DynamicImage, RgbaImage};
use mediaprep_image::{
    Chroma, DecodeOptions, Encoding, ImageInfo, OutputFormat, PixelBox, Region, RenderOptions,
    Scratch, View, can_turn_losslessly, decode, probe, turn_losslessly,
};
use mediaprep_media::{Dimensions, Limits, MimeType, Orientation, PixelFormat, Raster, sniff};
use serde::Deserialize;

#[derive(Deserialize)]
struct Manifest {
    file: Vec<Listed>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Listed {
    path: String,
}

#[derive(Deserialize)]
struct Case {
    source: String,
    operation: Operation,
    reference: String,
    region: Option<[f64; 4]>,
    size: Option<[u32; 2]>,
    placed: Option<[u32; 4]>,
    #[serde(default = "one")]
    reduce: u32,
    rule: Option<String>,
    max_difference: f64,
    #[serde(default)]
    min_psnr: f64,
    planes_min_psnr: Option<f64>,
    shrunk_min_psnr: Option<f64>,
    shrunk_planes_min_psnr: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Operation {
    Decode,
    View,
    Turn,
    Flatten,
}

/// How a JPEG file is decoded on the way; other formats know one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Packed,
    Planes,
    Shrunk,
    ShrunkPlanes,
}

const fn one() -> u32 {
    1
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/reference"))
}

fn manifest() -> Manifest {
    toml::from_str(&fs::read_to_string(folder().join("MANIFEST.toml")).unwrap()).unwrap()
}

/// A source in memory.
struct Source {
    bytes: Vec<u8>,
    mime: MimeType,
    info: ImageInfo,
}

impl Source {
    fn read(case: &Case) -> Self {
        let bytes = fs::read(folder().join("..").join(&case.source)).unwrap();
        let mime = sniff(&bytes).unwrap();
        let info = probe(&mut Cursor::new(&bytes), mime, &Limits::default()).unwrap().value;
        Self { bytes, mime, info }
    }

    fn draw(&self, view: &View, way: Way) -> Result<Raster, mediaprep_image::Error> {
        let options = DecodeOptions {
            planes: matches!(way, Way::Planes | Way::ShrunkPlanes),
            at_least: matches!(way, Way::Shrunk | Way::ShrunkPlanes).then(|| self.needed(view)),
            ..DecodeOptions::default()
        };
        let picture = decode(&self.bytes, self.mime, &self.info, &options)?.value;
        picture.draw(view, &RenderOptions::default(), &mut Scratch::default())
    }

    /// The size of the whole picture at the scale of the view.
    fn needed(&self, view: &View) -> Dimensions {
        let (across, down) = view.scale();
        let whole = self.info.displayed();
        let side = |length: u32, scale: f64| {
            let pixels = (f64::from(length) * scale.min(1.0)).ceil();
            (1..=length).find(|&side| f64::from(side) >= pixels).unwrap()
        };
        Dimensions::new(side(whole.width(), across), side(whole.height(), down)).unwrap()
    }
}

impl Case {
    fn view(&self, source: &Source) -> View {
        let whole = source.info.displayed();
        let Some([left, top, width, height]) = self.region else {
            return View::whole(whole, whole);
        };
        let [across, down] = self.size.unwrap();
        let size = Dimensions::new(across, down).unwrap();
        let placed = self.placed.unwrap();
        let placed =
            PixelBox { left: placed[0], top: placed[1], width: placed[2], height: placed[3] };
        View { region: Region { left, top, width, height }, size, placed }
    }

    fn ways(&self, source: &Source) -> Vec<Way> {
        let is_jpeg = source.mime == MimeType::Jpeg;
        match self.operation {
            Operation::Decode if is_jpeg => vec![Way::Packed, Way::Planes],
            Operation::View if is_jpeg && self.shrunk_min_psnr.is_some() => {
                vec![Way::Packed, Way::Planes, Way::Shrunk, Way::ShrunkPlanes]
            }
            _ => vec![Way::Packed],
        }
    }

    fn reference(&self) -> RgbaImage {
        image::open(folder().join(&self.reference)).unwrap().into_rgba8()
    }

    fn allows(&self, way: Way, gap: &Gap) -> bool {
        let strict = gap.most <= self.max_difference && gap.psnr >= self.min_psnr;
        let instead = match way {
            Way::Packed => None,
            Way::Planes => self.planes_min_psnr,
            Way::Shrunk => self.shrunk_min_psnr,
            Way::ShrunkPlanes => self.shrunk_planes_min_psnr,
        };
        strict || instead.is_some_and(|least| gap.psnr >= least)
    }

    fn name(&self) -> String {
        let size = self.size.map(|[width, height]| format!(" {width}x{height}"));
        let rule = self.rule.as_ref().map(|rule| format!(" ({rule}, 1/{})", self.reduce));
        let end = [size, rule].into_iter().flatten().collect::<String>();
        format!("{:?} {}{end}", self.operation, self.source)
    }
}

/// How far a picture is from its reference.
struct Gap {
    most: f64,
    psnr: f64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5.1} at most, {:5.1} dB", self.most, self.psnr)
    }
}

/// Four channels, colours multiplied by opacity: what lies below full transparency does not count.
fn multiplied(pixel: [u8; 4]) -> [f64; 4] {
    let [red, green, blue, alpha] = pixel.map(f64::from);
    [red * alpha / 255.0, green * alpha / 255.0, blue * alpha / 255.0, alpha]
}

/// Means of squares of `reduce` pixels, in rows.
fn means(image: &RgbaImage, reduce: u32) -> Vec<[f64; 4]> {
    let (across, down) = (image.width() / reduce, image.height() / reduce);
    let squares = (0..down).flat_map(|y| (0..across).map(move |x| (x * reduce, y * reduce)));
    squares
        .map(|(left, top)| {
            let mut sum = [0.0; 4];
            for (x, y) in (0..reduce).flat_map(|y| (0..reduce).map(move |x| (left + x, top + y))) {
                let pixel = multiplied(image.get_pixel(x, y).0);
                sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
            }
            sum.map(|sum| sum / f64::from(reduce * reduce))
        })
        .collect()
}

fn gap(found: &RgbaImage, reference: &RgbaImage, reduce: u32) -> Result<Gap, String> {
    let size = (found.width() / reduce, found.height() / reduce);
    if size != reference.dimensions() {
        return Err(format!("{size:?} pixels in place of {:?}", reference.dimensions()));
    }
    let (found, reference) = (means(found, reduce), means(reference, 1));
    let (mut most, mut squares, mut count) = (0.0_f64, 0.0, 0.0);
    for (one, other) in found.as_flattened().iter().zip(reference.as_flattened()) {
        most = most.max((one - other).abs());
        squares += (one - other) * (one - other);
        count += 1.0;
    }
    // Opacity of 255 on both sides must not make a bad picture look better.
    let opaque =
        reference.iter().zip(&found).all(|(one, other)| one[3] == 255.0 && one[3] == other[3]);
    let mean = squares / if opaque { count * 0.75 } else { count };
    Ok(Gap { most, psnr: if mean == 0.0 { 99.0 } else { 10.0 * (255.0 * 255.0 / mean).log10() } })
}

fn to_image(raster: &Raster) -> RgbaImage {
    let (width, height) = (raster.size().width(), raster.size().height());
    let pixels = raster.data().chunks_exact(raster.format().channels());
    let data = pixels.flat_map(|pixel| match raster.format() {
        PixelFormat::Gray8 => [pixel[0], pixel[0], pixel[0], 255],
        PixelFormat::Rgb8 => [pixel[0], pixel[1], pixel[2], 255],
        PixelFormat::Rgba8 => [pixel[0], pixel[1], pixel[2], pixel[3]],
    });
    RgbaImage::from_raw(width, height, data.collect()).unwrap()
}

fn from_bytes(bytes: &[u8]) -> RgbaImage {
    image::load_from_memory(bytes).map(DynamicImage::into_rgba8).unwrap()
}

/// On white, as the best JPEG that there is.
fn flatten(source: &Source, view: &View) -> Result<RgbaImage, mediaprep_image::Error> {
    let options = DecodeOptions::default();
    let picture = decode(&source.bytes, source.mime, &source.info, &options)?.value;
    let encoding = Encoding { format: OutputFormat::Jpeg, quality: 100, chroma: Chroma::Full };
    let mut scratch = Scratch::default();
    let bytes = picture.render(view, &encoding, &RenderOptions::default(), &mut scratch)?;
    Ok(from_bytes(&bytes))
}

fn result(case: &Case, source: &Source, way: Way) -> Result<RgbaImage, String> {
    let view = case.view(source);
    let found = match case.operation {
        Operation::Decode | Operation::View => source.draw(&view, way).map(|r| to_image(&r)),
        Operation::Flatten => flatten(source, &view),
        Operation::Turn => {
            turn_losslessly(&source.bytes, source.info.orientation).map(|bytes| from_bytes(&bytes))
        }
    };
    found.map_err(|error| error.to_string())
}

/// What is wrong with a case, if anything; prints how near it came.
fn trouble(case: &Case, source: &Source, way: Way) -> Option<String> {
    let name = format!("{} {way:?}", case.name());
    let measured =
        result(case, source, way).and_then(|found| gap(&found, &case.reference(), case.reduce));
    match measured {
        Err(error) => Some(format!("{name}: {error}")),
        Ok(gap) => {
            println!("{gap} {name}");
            (!case.allows(way, &gap)).then(|| format!("{name}: {gap}"))
        }
    }
}

fn check(operation: Operation, at_least: usize) {
    let cases = manifest().case;
    let cases: Vec<_> = cases.iter().filter(|case| case.operation == operation).collect();
    assert!(cases.len() >= at_least, "only {} cases of {operation:?}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let source = Source::read(case);
        let ways = case.ways(&source);
        wrong.extend(ways.into_iter().filter_map(|way| trouble(case, &source, way)));
    }
    assert!(wrong.is_empty(), "{} are off:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn decoded_pictures_are_those_of_other_decoders() {
    check(Operation::Decode, 70);
}

#[test]
fn resized_pictures_and_tiles_are_those_of_other_resamplers() {
    check(Operation::View, 40);
}

#[test]
fn transparency_is_put_on_white() {
    check(Operation::Flatten, 2);
}

#[cfg(feature = "turbo")]
#[test]
fn jpeg_files_are_turned_without_decoding() {
    check(Operation::Turn, 8);
    for case in manifest().case.iter().filter(|case| case.operation == Operation::Turn) {
        let info = Source::read(case).info;
        let is_upright = info.orientation == Orientation::Upright;
        assert!(is_upright || can_turn_losslessly(&info), "{}", case.source);
    }
}

#[test]
fn jpeg_files_with_cut_blocks_at_the_wrong_end_are_not_turned_losslessly() {
    let cases = manifest().case;
    let odd = cases
        .iter()
        .filter(|case| case.source.contains("source-odd-4") && case.source.ends_with(".jpg"));
    let mut seen = 0;
    for case in odd {
        let info = Source::read(case).info;
        // A transposition leaves the cut blocks at the right and at the bottom, where they may be.
        if !matches!(info.orientation, Orientation::Upright | Orientation::Transpose) {
            assert!(!can_turn_losslessly(&info), "{}", case.source);
            seen += 1;
        }
    }
    assert_eq!(seen, 12);
}

#[test]
fn the_manifest_lists_every_file() {
    let manifest = manifest();
    let listed: BTreeSet<String> = manifest.file.into_iter().map(|file| file.path).collect();
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let found: BTreeSet<String> = names
        .map(|name| name.into_string().unwrap())
        .filter(|name| name != "MANIFEST.toml" && !name.ends_with(".py"))
        .collect();
    assert_eq!(listed, found);
    let compared: BTreeSet<String> = manifest.case.into_iter().map(|case| case.reference).collect();
    assert!(compared.is_subset(&listed), "{:?}", compared.difference(&listed));
}
