//! Our side, and the `image` crate alone: jobs come in line by line, times go out, as described in
//! `peers/worker.py`.

use std::io::{self, BufRead, Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use mediaprep_image::{
    Chroma, DecodeOptions, Encoding, Error, ImageInfo, OutputFormat, Picture, Region,
    RenderOptions, Scratch, View, decode, probe, turn_losslessly,
};
use mediaprep_media::{Dimensions, Limits, MimeType, Orientation};
use rayon::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest, Sha256};

use crate::photo;

const TILE: u32 = 768;
const ACROSS: u32 = 4;
const DOWN: u32 = 3;
const QUALITY: u8 = 90;
const ENCODING: Encoding =
    Encoding { format: OutputFormat::Jpeg, quality: QUALITY, chroma: Chroma::Subsampled };

type Outputs = Vec<Vec<u8>>;

/// `NAME PHOTO THREADS`.
pub(crate) fn serve(args: &[String]) -> io::Result<()> {
    let [name, photo, threads] = args else { return Err(io::Error::other("three arguments")) };
    let threads = threads.parse().map_err(io::Error::other)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let bench = Bench {
        path: photo.into(),
        bytes: std::fs::read(photo)?,
        threads,
        pool: pool.map_err(io::Error::other)?,
    };
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (job, folder) = line.split_once(' ').unwrap_or((&line, "-"));
        let (begun, cpu) = (Instant::now(), cpu());
        let outputs = if name == "ours" { bench.ours(job) } else { bench.by_image(job) };
        let (wall, cpu) = (begun.elapsed(), self::cpu().saturating_sub(cpu));
        let outputs = outputs.map_err(io::Error::other)?;
        write(Path::new(folder), &outputs)?;
        writeln!(io::stdout(), "ok {} {}", wall.as_nanos(), cpu.as_nanos())?;
    }
    Ok(())
}

/// What all threads of this process have worked so far.
fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

fn write(folder: &Path, outputs: &Outputs) -> io::Result<()> {
    if folder == Path::new("-") {
        return Ok(());
    }
    let mut files = outputs.iter().enumerate();
    files.try_for_each(|(at, bytes)| std::fs::write(folder.join(format!("{at:02}.jpg")), bytes))
}

struct Bench {
    path: PathBuf,
    bytes: Vec<u8>,
    threads: usize,
    pool: rayon::ThreadPool,
}

impl Bench {
    fn ours(&self, job: &str) -> Result<Outputs, Error> {
        match job {
            "tiles" => self.tiles(),
            "small" => self.small(),
            "pass" => Ok(vec![hashed(std::fs::read(&self.path)?)]),
            _ => {
                let bytes = std::fs::read(photo::beside(&self.path))?;
                Ok(vec![hashed(turn_losslessly(&bytes, Orientation::Rotate90)?)])
            }
        }
    }

    fn picture(&self, at_least: Option<Dimensions>) -> Result<(ImageInfo, Picture), Error> {
        let info = probe(&mut Cursor::new(&self.bytes), MimeType::Jpeg, &Limits::default())?.value;
        let options = DecodeOptions { at_least, planes: true, ..DecodeOptions::default() };
        Ok((info, decode(&self.bytes, MimeType::Jpeg, &info, &options)?.value))
    }

    fn tiles(&self) -> Result<Outputs, Error> {
        let (info, picture) = self.picture(None)?;
        let views = views(&info);
        let options = RenderOptions::default();
        if self.threads == 1 {
            let mut scratch = Scratch::default();
            let render = |view| picture.render(view, &ENCODING, &options, &mut scratch);
            return views.iter().map(render).collect();
        }
        let render =
            |scratch: &mut Scratch, view: &View| picture.render(view, &ENCODING, &options, scratch);
        self.pool.install(|| views.par_iter().map_init(Scratch::default, render).collect())
    }

    fn small(&self) -> Result<Outputs, Error> {
        let size = Dimensions::new(TILE, TILE * 3 / 4).ok_or(Error::Unsupported("no pixels"))?;
        let (info, picture) = self.picture(Some(size))?;
        let view = View::whole(info.displayed(), size);
        let options = RenderOptions::default();
        let small = picture.into_rendered(&view, &ENCODING, &options, &mut Scratch::default())?;
        Ok(vec![small])
    }

    /// The same by the `image` crate alone.
    fn by_image(&self, job: &str) -> Result<Outputs, Error> {
        let failed = |_| Error::Backend { backend: "the image crate" };
        let whole = image::load_from_memory(&self.bytes).map_err(failed)?.into_rgb8();
        if job == "small" {
            let small = imageops::resize(&whole, TILE, TILE * 3 / 4, FilterType::Lanczos3);
            return Ok(vec![encoded(&small).map_err(failed)?]);
        }
        let whole = imageops::resize(&whole, TILE * ACROSS, TILE * DOWN, FilterType::Lanczos3);
        let tile = |at: u32| {
            let (left, top) = (at % ACROSS * TILE, at / ACROSS * TILE);
            encoded(&imageops::crop_imm(&whole, left, top, TILE, TILE).to_image()).map_err(failed)
        };
        if self.threads == 1 {
            return (0..ACROSS * DOWN).map(tile).collect();
        }
        self.pool.install(|| (0..ACROSS * DOWN).into_par_iter().map(tile).collect())
    }
}

fn encoded(picture: &image::RgbImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok(bytes)
}

/// The bytes, after their hash was taken as every input's and output's is.
fn hashed(bytes: Vec<u8>) -> Vec<u8> {
    std::hint::black_box(Sha256::digest(&bytes));
    bytes
}

/// The boxes of the upright picture that the 12 tiles show.
fn views(info: &ImageInfo) -> Vec<View> {
    let shown = info.displayed();
    let width = f64::from(shown.width()) / f64::from(ACROSS);
    let height = f64::from(shown.height()) / f64::from(DOWN);
    let boxes = (0..DOWN).flat_map(|row| (0..ACROSS).map(move |column| (column, row)));
    let size = Dimensions::new(TILE, TILE);
    boxes
        .filter_map(|(column, row)| {
            let (left, top) = (f64::from(column) * width, f64::from(row) * height);
            Some(View::letterboxed(Region { left, top, width, height }, size?))
        })
        .collect()
}
