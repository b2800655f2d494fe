//! What drawing really holds, against what it says that it will.
#![cfg(feature = "pixels")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;

use mediaprep_image::{
    Chroma, Encoding, ImageInfo, JpegCoding, OutputFormat, Picture, PixelBox, Region,
    RenderOptions, Scratch, View, render_peak_bytes,
};
use mediaprep_media::{Dimensions, Orientation, PixelFormat, Raster};
use peak_alloc::PeakAlloc;

/// Counts what Rust allocates.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// A line of this process's status, in bytes. Linux only.
fn status(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// The most bytes held while `action` runs: by Rust, and by the whole process, C libraries included.
fn peaks<T>(action: impl FnOnce() -> T) -> (T, u64, u64) {
    // Writing 5 sets the peak of the resident memory back to what it is.
    let is_reset = fs::write("/proc/self/clear_refs", "5").is_ok();
    let (heap, resident) = (HEAP.current_usage(), status("VmRSS:"));
    HEAP.reset_peak_usage();
    let result = action();
    let resident = match (resident, status("VmHWM:")) {
        (Some(before), Some(most)) if is_reset => most.saturating_sub(before),
        _ => 0,
    };
    (result, HEAP.peak_usage().saturating_sub(heap) as u64, resident)
}

fn size(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// The worst for an encoder: every sample black or white at random.
fn noise(size: Dimensions, format: PixelFormat) -> Raster {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if state >> 63 == 0 { 0 } else { 255 }
    };
    let bytes = Raster::bytes(size, format).unwrap();
    Raster::new(size, format, (0..bytes).map(|_| next()).collect()).unwrap()
}

/// What a header would say of such a raster.
fn header(raster: &Raster, orientation: Orientation) -> ImageInfo {
    let grey = JpegCoding { block: size(8, 8), components: 1, progressive: false };
    ImageInfo {
        stored: raster.size(),
        orientation,
        frames: Some(1),
        has_alpha: Some(raster.format().has_alpha()),
        bit_depth: Some(8),
        jpeg: (raster.format() == PixelFormat::Gray8).then_some(grey),
    }
}

fn views(picture: Dimensions) -> Vec<View> {
    let (w, h) = (f64::from(picture.width()), f64::from(picture.height()));
    let tile = Region { left: w * 0.3, top: h * 0.25, width: w / 4.0, height: h / 3.0 };
    let sizes = [picture, size(picture.width() * 3 / 4, picture.height() * 3 / 4), size(200, 150)];
    let boxed = View::letterboxed(Region::whole(picture), size(601, 601));
    let enlarged = View {
        region: Region { left: 3.0, top: 5.0, width: 40.0, height: 30.0 },
        size: size(800, 600),
        placed: PixelBox::whole(size(800, 600)),
    };
    let tile = View { region: tile, ..View::whole(picture, size(500, 500)) };
    sizes
        .map(|size| View::whole(picture, size))
        .into_iter()
        .chain([boxed, enlarged, tile])
        .collect()
}

fn encodings() -> Vec<Encoding> {
    let png = OutputFormat::Png { small: false };
    let formats =
        [(OutputFormat::Jpeg, 90), (OutputFormat::Jpeg, 100), (OutputFormat::Webp, 90), (png, 90)];
    let encoding = |(format, quality)| Encoding { format, quality, chroma: Chroma::Full };
    formats.map(encoding).to_vec()
}

/// What is wrong with the bound on drawing a view, if anything.
fn mistake(
    picture: &Picture,
    info: &ImageInfo,
    view: &View,
    encoding: &Encoding,
) -> Option<String> {
    let (options, bound) = (RenderOptions::default(), render_peak_bytes(info, view, encoding));
    let render = || picture.render(view, encoding, &options, &mut Scratch::default()).unwrap();
    let (_, heap, resident) = peaks(render);
    let shape = format!("{info:?} {view:?} {encoding:?}");
    let is_wrong = heap > bound || resident > bound + (1 << 20);
    is_wrong.then(|| format!("{shape}: heap {heap}, resident {resident}, at most {bound}"))
}

fn mistakes(format: PixelFormat, orientation: Orientation) -> Vec<String> {
    let raster = noise(size(1200, 900), format);
    let info = header(&raster, orientation);
    let picture = Picture::from_raster(raster, orientation);
    let views = views(picture.displayed());
    let pairs = views.iter().flat_map(|view| encodings().into_iter().map(move |e| (view, e)));
    pairs.filter_map(|(view, encoding)| mistake(&picture, &info, view, &encoding)).collect()
}

/// One test, since a second one on another thread would be counted too.
#[test]
fn the_bounds_hold() {
    let mut wrong = Vec::new();
    for format in [PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
        wrong.extend(mistakes(format, Orientation::Upright));
        wrong.extend(mistakes(format, Orientation::Rotate90));
    }
    assert!(wrong.is_empty(), "{} bounds are off:\n{}", wrong.len(), wrong.join("\n"));
}
