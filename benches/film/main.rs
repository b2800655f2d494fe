//! Videos and sounds: the frame of each second as JPEG of 768 pixels beside `ffmpeg -vf fps=1`, PyAV
//! and decord, on one thread each, with keyframes far apart and one a second; ten minutes of sound to
//! mono of 16 kHz as FLAC, as Opus for speech and by Codec2 beside `ffmpeg -ac 1 -ar 16000`. Runs are
//! interleaved, and the tables show the run with the least CPU time. Every tool is a process of its
//! own, its start included. The Python peers fail when they find another number of frames, and those of
//! ours and of `ffmpeg` are counted.
//!
//! The inputs are made by the `ffmpeg` program: a minute of its moving test picture with noise, in
//! 1080p at 30 frames a second by x264; noise and a tone as MP3.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use mediaprep_benches::{Tool, built_binary, files_in, fresh, peer, python, run, table, target};

/// Seconds of video.
const VIDEO: usize = 60;
/// Seconds of sound.
const SOUND: usize = 600;
/// The stream that ours keeps beside the decoded sound.
const CODEC2: [&str; 6] = ["-ar", "8000", "-c:a", "libcodec2", "-mode", "700C"];

fn main() -> io::Result<()> {
    // `cargo test` and `cargo bench -- --list` come by as well.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    let scratch = tempfile::tempdir_in(target())?;
    let binary = built_binary()?;
    let mut out = io::stdout().lock();
    for (name, group) in [("a keyframe each 250 frames", "250"), ("a keyframe each second", "30")] {
        let film = film(scratch.path(), group)?;
        frames(&mut out, name, (&film, scratch.path()), &binary)?;
    }
    sound(&mut out, scratch.path(), &binary)?;
    memory(&mut out, scratch.path(), &binary)
}

fn ffmpeg(args: &[&str]) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]).args(args);
    command
}

fn made(mut command: Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("ffmpeg could not make the input")) }
}

fn film(folder: &Path, group: &str) -> io::Result<PathBuf> {
    let path = folder.join(format!("film-{group}.mp4"));
    let picture = format!("testsrc2=size=1920x1080:rate=30:duration={VIDEO},noise=alls=12:allf=t");
    let mut command = ffmpeg(&["-f", "lavfi", "-i", &picture, "-pix_fmt", "yuv420p"]);
    command.args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-g", group]);
    made({
        command.args(["-keyint_min", group, "-sc_threshold", "0"]).arg(&path);
        command
    })?;
    Ok(path)
}

fn frames(
    out: &mut dyn Write,
    name: &str,
    (film, scratch): (&Path, &Path),
    binary: &Path,
) -> io::Result<()> {
    let folder = scratch.join("frames");
    std::fs::create_dir_all(&folder)?;
    let ours = || {
        let mut command = Command::new(binary);
        command.args(["prepare", "--quiet", "--threads", "1", "--video", "frames"]);
        command.args(["--max-side", "768", "--model", "gemini-2.5-flash", "--out"]);
        command.arg(fresh(scratch.join("out"))).arg(film);
        command
    };
    let theirs = || {
        let mut command = ffmpeg(&["-threads", "1", "-i"]);
        command.arg(film).args(["-vf", "fps=1,scale=768:-2", "-q:v", "2"]);
        command.arg(folder.join("%04d.jpg"));
        command
    };
    let scripted = |script: &str| {
        let mut command = python();
        command.arg("-B").arg(peer(script)).arg(film);
        command
    };
    let tools: [Tool<'_>; 4] = [
        ("mediaprep --video frames", Box::new(ours)),
        ("ffmpeg -vf fps=1", Box::new(theirs)),
        ("PyAV, every frame", Box::new(|| scripted("pyav.py"))),
        ("decord, by index", Box::new(|| scripted("by_decord.py"))),
    ];
    table(out, (&format!("{name}: s"), VIDEO), &tools)?;
    let stem = film.file_stem().unwrap_or_default().to_string_lossy();
    let ours = files_in(&scratch.join("out/media"), &format!("{stem}-f"))?;
    let theirs = files_in(&folder, "")?;
    if ours.abs_diff(theirs) > 1 {
        return Err(io::Error::other(format!("{ours} frames are ours, {theirs} those of ffmpeg")));
    }
    writeln!(out, "frames: {ours} ours, {theirs} of ffmpeg\n")
}

fn sound(out: &mut dyn Write, scratch: &Path, binary: &Path) -> io::Result<()> {
    let path = scratch.join("sound.mp3");
    let tone = format!("sine=frequency=300:sample_rate=44100:duration={SOUND}");
    let noise = format!("anoisesrc=color=pink:sample_rate=44100:duration={SOUND}:amplitude=0.3");
    let mix = "[0][1]amix,pan=stereo|c0=c0|c1=c0";
    let mut command = ffmpeg(&["-f", "lavfi", "-i", &tone, "-f", "lavfi", "-i", &noise]);
    command.args(["-filter_complex", mix, "-b:a", "128k"]).arg(&path);
    made(command)?;
    let ours = |profile: &str| {
        let mut command = Command::new(binary);
        command.args(["prepare", "--quiet", "--threads", "1", "--audio-profile", profile]);
        command
            .args(["--model", "gemini-2.5-flash", "--out"])
            .arg(fresh(scratch.join("out")))
            .arg(&path);
        command
    };
    let theirs = |codec: &[&str], name: &str| {
        let mut command = ffmpeg(&["-threads", "1", "-i"]);
        command.arg(&path).args(["-ac", "1", "-ar", "16000"]).args(codec).arg(scratch.join(name));
        command
    };
    let tools: [Tool<'_>; 2] = [
        ("mediaprep, lossless", Box::new(|| ours("lossless"))),
        ("ffmpeg -ac 1 -ar 16000, FLAC", Box::new(|| theirs(&[], "sound.flac"))),
    ];
    table(out, ("sound: s", SOUND), &tools)?;
    let opus = ["-c:a", "libopus", "-b:a", "16k", "-application", "voip"];
    let tools: [Tool<'_>; 2] = [
        ("mediaprep, speech", Box::new(|| ours("speech"))),
        ("ffmpeg, Opus of 16 kbit/s", Box::new(|| theirs(&opus, "sound.opus"))),
    ];
    table(out, ("speech: s", SOUND), &tools)?;
    let tools: [Tool<'_>; 2] = [
        ("mediaprep, 1kbps", Box::new(|| ours("1kbps"))),
        // Codec2 takes 8 kHz alone.
        ("ffmpeg, Codec2 of 700 bit/s", Box::new(|| theirs(&CODEC2, "sound.c2"))),
    ];
    table(out, ("1 kbit/s: s", SOUND), &tools)
}

/// Peak memory of a short film and of the same ten times over.
fn memory(out: &mut dyn Write, scratch: &Path, binary: &Path) -> io::Result<()> {
    let (short, long) = (scratch.join("film-250.mp4"), scratch.join("long.mp4"));
    let mut command = ffmpeg(&["-stream_loop", "9", "-i"]);
    command.arg(&short).args(["-c", "copy"]).arg(&long);
    made(command)?;
    for (name, film) in [("1 minute", &short), ("10 minutes", &long)] {
        for threads in ["1", "2"] {
            let mut command = Command::new(binary);
            command.args(["prepare", "--quiet", "--threads", threads, "--video", "frames"]);
            command.args(["--model", "gemini-2.5-flash", "--out"]).arg(fresh(scratch.join("out")));
            let run = run(command.arg(film), &[0])?;
            writeln!(out, "{name} on {threads} threads: {} MB", run.peak >> 20)?;
        }
    }
    Ok(())
}
