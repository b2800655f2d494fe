//! Takes the frames of a video at a rate: `frames FILE [RATE] [PIECES]`. Prints each frame's time
//! and mean brightness.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;

use mediaprep_container::probe;
use mediaprep_media::{Duration, FrameRate, Limits, SNIFF_LENGTH, Watch, sniff};
use mediaprep_video::frames::{DecodeOptions, Plan, PlanOptions, decode};
use mediaprep_video::{Instants, VideoInfo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: frames FILE [RATE]")?;
    let rate = arguments.next().and_then(|rate| FrameRate::from_decimal(&rate));
    let mut file = File::open(&path)?;
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(SNIFF_LENGTH as u64).read_to_end(&mut head)?;
    file.rewind()?;
    let mime = sniff(&head).ok_or("no medium that is known here")?;
    let container = probe(&mut file, mime, &Limits::default())?.value;
    let video = VideoInfo::select(&container).ok_or("no video")?;
    let length = video.length().unwrap_or(Duration::from_seconds(1));
    let instants = Instants::spanning(Duration::ZERO, length, rate.unwrap_or(FrameRate::ONE));

    let (options, watch) = (PlanOptions::default(), Watch::new());
    let source = Box::new(File::open(&path)?);
    let plan = Plan::read(source, (mime, &video), instants, &options, &watch)?.value;
    let options = DecodeOptions { size: Some(video.square_size()), ..DecodeOptions::default() };
    let mut out = std::io::stdout().lock();
    decode(Box::new(File::open(&path)?), &plan, &options, &watch, &mut |frame| {
        let data = frame.raster.data();
        let mean = data.iter().map(|&byte| u64::from(byte)).sum::<u64>() / data.len() as u64;
        let seconds = frame.time.as_seconds_f64();
        match writeln!(out, "{:?} since {seconds:.3} s: {mean}", frame.instants) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    Ok(())
}
