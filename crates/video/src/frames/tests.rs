//! Every kind of stream, its frames read back by the numbers that they show.

use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use ffmpeg_next::frame::Video;
use mediaprep_container::probe;
use mediaprep_media::{FrameRate, MimeType, sniff};

use super::plan::Work;
use super::run::walk;
use super::*;
use crate::{Instants, VideoInfo};
use mediaprep_media::{Duration, Limits, Raster, Source, Watch};
use std::ops::ControlFlow;

/// Which frames a fixture has.
enum Numbers {
    /// `count` frames at a constant rate, the first with the given number.
    Every { rate: (u64, u64), first: u64, count: u64 },
    /// These, as if of 30 a second.
    Only(Vec<u64>),
}

struct Case {
    file: &'static str,
    numbers: Numbers,
}

fn cases() -> Vec<Case> {
    let every =
        |file, rate, count| Case { file, numbers: Numbers::Every { rate, first: 0, count } };
    let vfr = (0..240).filter(|n| n % 7 == 0 || n % 11 == 0 || n % 53 == 0).collect();
    vec![
        every("h264-gop250.mp4", (30, 1), 300),
        every("h264-gop30.mp4", (30, 1), 300),
        every("h264-gop1.mp4", (10, 1), 50),
        every("h264-open-gop.mp4", (30, 1), 180),
        every("h264-intra-refresh.mp4", (30, 1), 120),
        every("h264-ntsc.mp4", (30000, 1001), 300),
        every("h264-high-rate.mp4", (60, 1), 240),
        every("h264.mkv", (30, 1), 150),
        every("h264.ts", (25, 1), 125),
        every("h264-frag.mp4", (25, 1), 125),
        every("h264-interlaced.mp4", (25, 1), 100),
        every("hevc.mp4", (30, 1), 150),
        every("vp9.webm", (30, 1), 120),
        every("av1.mp4", (30, 1), 90),
        every("mpeg2.mpg", (25, 1), 100),
        every("mpeg2.ts", (25, 1), 100),
        every("mpeg4-b.avi", (25, 1), 100),
        every("mpeg4.mp4", (25, 1), 100),
        every("wmv2.wmv", (25, 1), 100),
        every("flv1.flv", (25, 1), 100),
        every("mjpeg.avi", (10, 1), 30),
        Case { file: "h264-vfr.mp4", numbers: Numbers::Only(vfr) },
        Case {
            file: "h264-cut-by-copy.mp4",
            numbers: Numbers::Every { rate: (30, 1), first: 75, count: 120 },
        },
        every("h264-rotated.mp4", (30, 1), 90),
        every("h264-wide-pixels.mp4", (10, 1), 30),
        every("h264-two-tracks.mp4", (10, 1), 30),
        every("h264-cover.mp4", (10, 1), 30),
    ]
}

impl Case {
    /// The number of the frame that is shown at an instant.
    fn shown(&self, instant: Duration) -> u64 {
        let floor = |(n, d): (u64, u64)| {
            let top = u128::from(instant.ticks()) * u128::from(n);
            u64::try_from(top / (u128::from(instant.timescale()) * u128::from(d))).unwrap()
        };
        match &self.numbers {
            Numbers::Every { rate, first, count } => {
                let mut at = floor(*rate);
                if self.in_milliseconds() {
                    // The container rounds times to milliseconds.
                    let (n, d) = (u128::from(rate.0), u128::from(rate.1));
                    let (ticks, scale) =
                        (u128::from(instant.ticks()), u128::from(instant.timescale()));
                    let begins = |at: u64| (u128::from(at) * 2000 * d + n) / (2 * n);
                    at = if begins(at + 1) * scale <= ticks * 1000 { at + 1 } else { at };
                    at -= u64::from(begins(at) * scale > ticks * 1000);
                }
                first + at.min(count - 1)
            }
            Numbers::Only(numbers) => {
                let at = floor((30, 1));
                *numbers.iter().rev().find(|&&n| n <= at).unwrap_or(&numbers[0])
            }
        }
    }

    fn in_milliseconds(&self) -> bool {
        [".mkv", ".webm", ".flv", ".wmv"].iter().any(|end| self.file.ends_with(end))
    }

    /// The place of a frame among those that a full decode shows.
    fn place(&self, number: u64) -> usize {
        match &self.numbers {
            Numbers::Every { first, .. } => usize::try_from(number - first).unwrap(),
            Numbers::Only(numbers) => numbers.iter().position(|n| *n == number).unwrap(),
        }
    }

    fn length(&self) -> Duration {
        match &self.numbers {
            Numbers::Every { rate: (n, d), count, .. } => {
                let part = |part: u64| u32::try_from(part).unwrap();
                Duration::of_frames(*count, FrameRate::new(part(*n), part(*d)).unwrap()).unwrap()
            }
            Numbers::Only(_) => Duration::from_seconds(8),
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/frames")
}

fn open(file: &str) -> (Box<dyn Source>, MimeType, VideoInfo) {
    let path = folder().join(file);
    let bytes = fs::read(&path).unwrap();
    let mime = sniff(&bytes).unwrap();
    let found = probe(&mut Cursor::new(&bytes), mime, &Limits::default()).unwrap();
    let video = VideoInfo::select(&found.value).unwrap();
    (Box::new(File::open(path).unwrap()), mime, video)
}

fn plan_of(file: &str, instants: Instants) -> (Box<dyn Source>, Plan) {
    let (source, mime, video) = open(file);
    let options = PlanOptions::default();
    let plan = Plan::read(source, (mime, &video), instants, &options, &Watch::new()).unwrap();
    assert!(plan.warnings.is_empty(), "{file}: {:?}", plan.warnings);
    (open(file).0, plan.value)
}

/// Reads a frame's number off its blocks.
fn number(raster: &Raster) -> u64 {
    let mut number = 0;
    for bit in 0..16 {
        let (left, top) = (bit % 4 * 16, bit / 4 * 16);
        let mut sum = 0u32;
        for y in top + 4..top + 12 {
            for x in left + 4..left + 12 {
                sum += u32::from(raster.pixel(x, y).unwrap()[1]);
            }
        }
        number |= u64::from(sum / 64 > 120) << bit;
    }
    number
}

fn rates() -> [FrameRate; 4] {
    [(1, 1), (5, 2), (24, 1), (1, 3)].map(|(n, d)| FrameRate::new(n, d).unwrap())
}

/// The number that is read back at every instant.
fn numbers(source: Box<dyn Source>, plan: &Plan) -> Vec<Option<u64>> {
    let label = format!("{:?} {:?}", plan.mime, plan.instants);
    let count = usize::try_from(plan.instants().count()).unwrap();
    let mut found = vec![None; count];
    let done =
        decode(source, plan, &DecodeOptions::default(), &Watch::new(), &mut |frame: Frame| {
            for at in frame.instants {
                let place = &mut found[usize::try_from(at).unwrap()];
                assert!(place.is_none(), "instant {at} is given twice");
                *place = Some(number(&frame.raster));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(done.warnings.is_empty(), "{label}: {:?}", done.warnings);
    found
}

#[test]
fn the_frame_at_each_instant_is_the_one_shown_then() {
    let cases = cases();
    let known: Vec<_> = cases.iter().map(|case| case.file).collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_tested = known.contains(&name.as_str()) || name.starts_with("colours-");
        assert!(
            is_tested || name == "generate.sh" || name == "MANIFEST.toml",
            "{name} is not tested"
        );
    }
    let mut wrong = Vec::new();
    for case in &cases {
        for rate in rates() {
            let instants = Instants::spanning(Duration::ZERO, case.length(), rate);
            let (source, plan) = plan_of(case.file, instants);
            let found = numbers(source, &plan);
            for (at, found) in found.into_iter().enumerate() {
                let wanted = case.shown(instants.at(at as u64));
                if found != Some(wanted) {
                    wrong.push(format!("{} at {rate:?} #{at}: {found:?}, not {wanted}", case.file));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[test]
fn a_window_starts_where_it_is_asked_to() {
    for case in cases() {
        let rate = FrameRate::new(3, 1).unwrap();
        let start = Duration::new(7, 5).unwrap();
        let instants = Instants::new(start, rate, 4);
        let (source, plan) = plan_of(case.file, instants);
        for (at, found) in numbers(source, &plan).into_iter().enumerate() {
            assert_eq!(found, Some(case.shown(instants.at(at as u64))), "{} #{at}", case.file);
        }
    }
}

/// A checksum of each frame's planes, by instant.
fn checksums(file: &str, plan: &Plan) -> Vec<(u64, u32)> {
    let mut sums = Vec::new();
    let mut give = |wanted: &run::Wanted, _: i64, frame: &Video| {
        let sum = checksum(frame);
        sums.extend(wanted.instants.clone().map(|at| (at, sum)));
        Ok(ControlFlow::Continue(()))
    };
    walk(open(file).0, plan, &Limits::default(), &Watch::new(), &mut give).unwrap();
    sums.sort_unstable();
    sums
}

/// As FFmpeg's `framehash` works it out: the visible bytes of each plane.
fn checksum(frame: &Video) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    for plane in 0..frame.planes() {
        let (width, stride) = (frame.plane_width(plane) as usize, frame.stride(plane));
        for row in frame.data(plane).chunks(stride).take(frame.plane_height(plane) as usize) {
            hash.update(&row[..width]);
        }
    }
    hash.finalize()
}

#[test]
fn pixels_are_those_of_a_full_decode() {
    for case in cases() {
        for rate in rates() {
            let instants = Instants::spanning(Duration::ZERO, case.length(), rate);
            let (_, plan) = plan_of(case.file, instants);
            let everything = Plan { work: Work::Everything, ..plan.clone() };
            let (few, all) = (checksums(case.file, &plan), checksums(case.file, &everything));
            assert_eq!(few.len() as u64, instants.count());
            let pairs = few.iter().zip(&all);
            let off: Vec<_> = pairs.filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
            assert!(off.is_empty(), "{} at {rate:?}: {off:?}", case.file);
        }
    }
}

/// Another program's full decode, where that program is installed.
#[test]
fn pixels_are_those_of_the_ffmpeg_program() {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        eprintln!("skipped: no ffmpeg program");
        return;
    }
    let instants = |case: &Case| {
        Instants::spanning(Duration::ZERO, case.length(), FrameRate::new(5, 2).unwrap())
    };
    let mut compared = 0;
    for case in cases() {
        let path = folder().join(case.file);
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "error", "-noautorotate", "-i"])
            .arg(path)
            .args([
                "-map",
                "0:v:0",
                "-vsync",
                "passthrough",
                "-f",
                "framehash",
                "-hash",
                "crc32",
                "-",
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let hashes: Vec<u32> = lines
            .map(|line| u32::from_str_radix(line.rsplit(',').next().unwrap().trim(), 16).unwrap())
            .collect();
        let instants = instants(&case);
        let (_, plan) = plan_of(case.file, instants);
        for (at, sum) in checksums(case.file, &plan) {
            let place = case.place(case.shown(instants.at(at)));
            assert_eq!(sum, hashes[place], "{} #{at}", case.file);
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn less_is_decoded_than_there_is() {
    // 10 s, 1 instant each second: from 300 packets, those up to the last wanted one of each group.
    let fed = |file: &str| {
        let instants =
            Instants::spanning(Duration::ZERO, Duration::from_seconds(10), FrameRate::ONE);
        let (_, plan) = plan_of(file, instants);
        let Work::Packets(shots) = &plan.work else { panic!("{file} has no times") };
        let runs = plan::runs(shots);
        (runs.len(), runs.iter().map(plan::Run::packets).sum::<u64>())
    };
    // Every second begins with a keyframe.
    assert_eq!(fed("h264-gop30.mp4"), (10, 10));
    let (runs, packets) = fed("h264-gop250.mp4");
    assert!(runs == 2 && packets < 275, "{runs} runs, {packets} packets");
}

#[test]
fn pieces_together_give_what_the_whole_gives() {
    for (file, pieces) in [("h264-gop30.mp4", 3), ("h264.mkv", 2), ("h264-gop250.mp4", 4)] {
        let rate = FrameRate::new(4, 1).unwrap();
        let instants = Instants::spanning(Duration::ZERO, Duration::from_seconds(5), rate);
        let (_, plan) = plan_of(file, instants);
        let whole = checksums(file, &plan);
        let split = plan.split(pieces);
        assert!(split.len() > 1 || file == "h264-gop250.mp4", "{file}");
        let mut parts: Vec<_> = split.iter().flat_map(|piece| checksums(file, piece)).collect();
        parts.sort_unstable();
        assert_eq!(whole, parts, "{file}");
    }
}

#[test]
fn colours_come_out_right_in_every_coding() {
    for file in ["colours-bt709-tv.mp4", "colours-bt470bg-pc.mp4"] {
        let instants = Instants::new(Duration::ZERO, FrameRate::ONE, 1);
        let (source, plan) = plan_of(file, instants);
        let mut seen = 0;
        decode(source, &plan, &DecodeOptions::default(), &Watch::new(), &mut |frame: Frame| {
            let wanted = [[254, 0, 0], [0, 255, 0], [0, 0, 254], [0xC0, 0x80, 0x40]];
            for (at, wanted) in (0u32..).zip(wanted) {
                let pixel = frame.raster.pixel(at * 32 + 16, 16).unwrap();
                for (found, wanted) in pixel.iter().zip(wanted) {
                    assert!(found.abs_diff(wanted) <= 4, "{file} #{at}: {pixel:?}");
                }
                seen += 1;
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(seen, 4);
    }
}

#[test]
fn frames_are_scaled_on_the_way_out() {
    let instants = Instants::new(Duration::ZERO, FrameRate::ONE, 2);
    let (source, plan) = plan_of("h264-wide-pixels.mp4", instants);
    let (_, _, video) = open("h264-wide-pixels.mp4");
    let size = video.square_size();
    assert_eq!((size.width(), size.height()), (128, 64));
    let options = DecodeOptions { size: Some(size), ..DecodeOptions::default() };
    let mut sizes = Vec::new();
    decode(source, &plan, &options, &Watch::new(), &mut |frame: Frame| {
        sizes.push(frame.raster.size());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(sizes, [size, size]);
}

/// What planning and decoding damaged bytes gives: the number of frames, or an error.
fn try_all(bytes: Vec<u8>, allow_truncated: bool) -> Result<u64, mediaprep_media::Error> {
    let Some(mime) = sniff(&bytes) else { return Ok(0) };
    let limits = Limits::default();
    let Ok(found) = probe(&mut Cursor::new(&bytes), mime, &limits) else { return Ok(0) };
    let Some(video) = VideoInfo::select(&found.value) else { return Ok(0) };
    let length =
        video.length().unwrap_or(Duration::from_seconds(3)).min(Duration::from_seconds(20));
    let instants = Instants::spanning(Duration::ZERO, length, FrameRate::new(2, 1).unwrap());
    let source = || Box::new(Cursor::new(bytes.clone())) as Box<dyn Source>;
    let watch = Watch::new().within(std::time::Duration::from_secs(60));
    let options = PlanOptions { allow_truncated, ..PlanOptions::default() };
    let plan = Plan::read(source(), (mime, &video), instants, &options, &watch)?.value;
    let mut frames = 0;
    decode(source(), &plan, &DecodeOptions::default(), &watch, &mut |frame: Frame| {
        frames += frame.instants.end - frame.instants.start;
        ControlFlow::Continue(())
    })?;
    assert_eq!(frames, plan.instants().count(), "every instant gets a frame");
    Ok(frames)
}

#[test]
fn damaged_files_give_frames_or_errors() {
    let (mut good, mut bad) = (0, 0);
    for case in cases() {
        let whole = fs::read(folder().join(case.file)).unwrap();
        for step in 1..8 {
            let cut = whole[..whole.len() * step / 8].to_vec();
            let mut flipped = whole.clone();
            for at in (step * 97..flipped.len()).step_by(whole.len() / 9 + 1) {
                flipped[at] ^= 1 << (step % 8);
            }
            for bytes in [cut, flipped] {
                match try_all(bytes, step % 2 == 0) {
                    Ok(_) => good += 1,
                    Err(_) => bad += 1,
                }
            }
        }
    }
    assert!(good > 50 && bad > 10, "{good} good, {bad} bad");
}

#[test]
fn a_cut_file_is_an_error_unless_the_rest_is_enough() {
    let bytes = fs::read(folder().join("h264.ts")).unwrap();
    let half = bytes[..bytes.len() / 2].to_vec();
    let (mime, limits) = (sniff(&half).unwrap(), Limits::default());
    let found = probe(&mut Cursor::new(&half), mime, &limits).unwrap();
    let video = VideoInfo::select(&found.value).unwrap();
    let instants = Instants::spanning(Duration::ZERO, Duration::from_seconds(5), FrameRate::ONE);
    let read = |allow_truncated| {
        let options = PlanOptions { allow_truncated, ..PlanOptions::default() };
        let source = Box::new(Cursor::new(half.clone()));
        Plan::read(source, (mime, &video), instants, &options, &Watch::new())
    };
    assert!(read(false).is_err());
    let plan = read(true).unwrap();
    assert_eq!(plan.warnings.len(), 1);
    assert!((2..4).contains(&plan.value.instants().count()), "{:?}", plan.value.instants());
}

#[test]
fn work_stops_when_it_is_told_to() {
    let instants = Instants::new(Duration::ZERO, FrameRate::ONE, 10);
    let (source, plan) = plan_of("h264-gop250.mp4", instants);
    let watch = Watch::new();
    let mut frames = 0;
    let stopped = decode(source, &plan, &DecodeOptions::default(), &watch, &mut |_| {
        frames += 1;
        watch.stop();
        ControlFlow::Continue(())
    });
    assert!(matches!(stopped, Err(mediaprep_media::Error::Io(_))), "{stopped:?}");
    assert_eq!(frames, 1);
}

/// A sink that is read back.
#[derive(Clone, Default)]
struct Memory(std::sync::Arc<std::sync::Mutex<Cursor<Vec<u8>>>>);

impl std::io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for Memory {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.lock().unwrap().seek(to)
    }
}

fn proxy(file: &str, plan: &Plan, length: Duration, sound: Option<ProxySound>) -> Vec<u8> {
    let size = mediaprep_media::Dimensions::new(64, 64).unwrap();
    let limits = Limits::default();
    let options = ProxyOptions { size, stored: size, quality: 24, length, limits };
    let memory = Memory::default();
    let sink = Box::new(memory.clone());
    let written =
        write_proxy((open(file).0, plan), sound, &options, &Watch::new(), (&mut Ok, sink)).unwrap();
    assert!(written.warnings.is_empty(), "{file}: {:?}", written.warnings);
    memory.0.lock().unwrap().get_ref().clone()
}

#[test]
fn the_last_picture_is_shown_to_the_end() {
    // Rules may count fewer frames than the window has room for.
    let mut tested = 0;
    for case in cases() {
        for rate in rates() {
            let all = Instants::spanning(Duration::ZERO, case.length(), rate);
            let fewer = Instants::new(Duration::ZERO, rate, all.count().div_ceil(2));
            let (_, plan) = plan_of(case.file, fewer);
            let bytes = proxy(case.file, &plan, case.length(), None);
            let found = probe(&mut Cursor::new(&bytes), MimeType::Mp4, &Limits::default()).unwrap();
            let video = VideoInfo::select(&found.value).unwrap();
            let (length, original) = (video.track.unwrap(), case.length());
            let off = length.max(original).saturating_sub(length.min(original));
            assert!(off < Duration::from_micros(12), "{}: {length:?}", case.file);
            tested += 1;
        }
    }
    assert!(tested > 10, "only {tested} proxies");
}

#[test]
fn a_sampled_proxy_shows_the_same_frames_at_the_same_instants() {
    let mut tested = 0;
    for case in cases() {
        for rate in rates() {
            let instants = Instants::spanning(Duration::ZERO, case.length(), rate);
            let (source, plan) = plan_of(case.file, instants);
            let wanted = numbers(source, &plan);
            let bytes = proxy(case.file, &plan, case.length(), None);
            let found = probe(&mut Cursor::new(&bytes), MimeType::Mp4, &Limits::default()).unwrap();
            let video = VideoInfo::select(&found.value).unwrap();
            assert_eq!(video.frames, Some(instants.count()), "{}", case.file);
            let (length, original) = (video.track.unwrap(), case.length());
            let off = length.max(original).saturating_sub(length.min(original));
            assert!(off < Duration::from_micros(12), "{}: {length:?}", case.file);
            let source = || Box::new(Cursor::new(bytes.clone())) as Box<dyn Source>;
            let options = PlanOptions::default();
            let again =
                Plan::read(source(), (MimeType::Mp4, &video), instants, &options, &Watch::new());
            assert_eq!(numbers(source(), &again.unwrap().value), wanted, "{} {rate:?}", case.file);
            tested += 1;
        }
    }
    assert!(tested > 80);
}

#[test]
fn a_proxy_has_the_sound_beside_its_frames() {
    let sound = folder().join("../audio/tone.aac");
    let length = Duration::from_seconds(1);
    let sound = ProxySound {
        source: Box::new(File::open(sound).unwrap()),
        mime: MimeType::Aac,
        length,
        priming: 1024,
    };
    let instants = Instants::spanning(Duration::ZERO, Duration::from_seconds(4), FrameRate::ONE);
    let (_, plan) = plan_of("mpeg4.mp4", instants);
    let bytes = proxy("mpeg4.mp4", &plan, Duration::from_seconds(4), Some(sound));
    let found = probe(&mut Cursor::new(&bytes), MimeType::Mp4, &Limits::default()).unwrap();
    let video = VideoInfo::select(&found.value).unwrap();
    assert_eq!(video.track, Some(Duration::from_seconds(4)));
    assert_eq!(video.audio.unwrap().duration, Some(length));
}
