//! `mediaprep bench`: what it prints, what it saves, what it refuses, and that it sees what is slower.
//!
//! Nothing here depends on how fast the machine is: what has to be told apart differs several times.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use mediaprep::image::{Chroma, Encoding, OutputFormat, encode};
use mediaprep::media::{Dimensions, PixelFormat, Raster};
use mediaprep_cli::Status;
use mediaprep_tests::{Ran, fixtures, mediaprep};
use serde_json::Value;
use tempfile::TempDir;

/// Pictures and a sound, with names of their own.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("images/jpeg-exif-6.jpg", "turned.jpg"),
        ("images/screenshot-1080p.png", "in/screen.png"),
        ("audio/stereo-s16.wav", "sound.wav"),
        ("pdf/a4.pdf", "page.pdf"),
    ] {
        let to = folder.path().join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(fixtures().join(from), to).unwrap();
    }
    folder
}

/// Few rounds, one thread, the same rule on every day.
const QUICK: [&str; 4] =
    ["--repeat=3", "--threads=1", "--model=gemini-2.5-flash", "--on=2026-11-21"];

/// Measuring goes one after another: tests that measure at once measure each other.
static ALONE: Mutex<()> = Mutex::new(());

fn bench(folder: &Path, options: &[&str]) -> Ran {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let named = ["bench", folder.to_str().unwrap()];
    mediaprep(&[&named[..], &QUICK, options].concat())
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.data)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ran.data, ran.notes))
}

fn names(stages: &Value) -> Vec<&str> {
    stages.as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A saved run with every sample taken so many times as long.
fn doctored(saved: &Path, factor: f64) -> PathBuf {
    let mut run = read(saved);
    for stage in run["stages"].as_array_mut().unwrap() {
        for sample in stage["samples"].as_array_mut().unwrap() {
            for clock in ["wall_s", "cpu_s"] {
                sample[clock] = (sample[clock].as_f64().unwrap() * factor).into();
            }
        }
    }
    let path = saved.with_extension(format!("{factor}.json"));
    std::fs::write(&path, run.to_string()).unwrap();
    path
}

#[test]
fn every_stage_says_what_it_took() {
    let folder = folder();
    let ran = bench(folder.path(), &["--json"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let run = json(&ran);
    assert_eq!((&run["schema"], &run["command"]), (&1.into(), &"bench".into()));
    let stages = names(&run["stages"]);
    for wanted in ["walk", "plan", "fit", "images", "tiles", "speech", "pages", "body"] {
        assert!(stages.contains(&wanted), "{stages:?}");
    }
    assert!(!stages.contains(&"frames"), "there is no video");
    let shares: f64 =
        run["stages"].as_array().unwrap().iter().map(|s| s["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    for stage in run["stages"].as_array().unwrap() {
        let number = |name: &str| stage[name].as_f64().unwrap_or_else(|| panic!("{name}: {stage}"));
        let wall = &stage["wall"];
        let [low, median, high] =
            ["low", "median", "high"].map(|name| wall[name].as_f64().unwrap());
        assert!(0.0 < low && low <= median && median <= high, "{stage}");
        assert_eq!(wall["confidence"], 0.75, "of three samples");
        assert_eq!(stage["samples"].as_array().unwrap().len(), 3);
        assert!(number("files") > 0.0 && number("bytes") > 0.0 && number("units") > 0.0, "{stage}");
        assert!((number("files_per_s") * median / number("files") - 1.0).abs() < 1e-9);
        assert!((number("units_per_s") * median / number("units") - 1.0).abs() < 1e-9);
        assert_eq!(stage["failed"], 0);
        // A sample is long enough for the clocks.
        assert!(number("runs") * median > 0.01, "{stage}");
    }
    let of =
        |name: &str| run["stages"].as_array().unwrap().iter().find(|s| s["name"] == name).unwrap();
    assert_eq!(
        (&of("walk")["files"], &of("images")["files"], &of("pages")["units"]),
        (&4.into(), &2.into(), &1.0.into())
    );
    assert!(of("images")["units"].as_f64().unwrap() > 1920.0 * 1080.0);
    assert_eq!((&run["inputs"]["files"], &run["options"]["threads"]), (&4.into(), &1.into()));
    assert_eq!(run["inputs"]["hash"].as_str().unwrap().len(), 64);
    for fact in ["cpu", "os", "kernel", "version", "profile"] {
        assert!(!run["machine"][fact].as_str().unwrap().is_empty(), "{fact}");
    }
    if cfg!(target_os = "linux") {
        assert!(
            of("images")["others"].is_f64() && run["machine"]["memory_bytes"].as_u64() > Some(0)
        );
    }
}

#[test]
fn the_table_has_a_line_for_each_stage() {
    let folder = folder();
    std::fs::write(folder.path().join("notes.txt"), "no medium").unwrap();
    let ran = bench(folder.path(), &["--stages=walk,images"]);
    assert_eq!((ran.status, ran.notes.as_str()), (Status::Done, ""));
    let lines: Vec<&str> = ran.data.lines().collect();
    assert_eq!(lines.len(), 7, "{}", ran.data);
    for word in ["stage", "wall", "CPU", "files/s", "MB/s", "share"] {
        assert!(lines[0].contains(word), "{}", lines[0]);
    }
    assert!(lines[1].starts_with(" walk ") && lines[1].contains(" files "), "{}", ran.data);
    assert!(lines[2].starts_with(" images ") && lines[2].contains(" MP "), "{}", ran.data);
    assert!(lines[3].starts_with(" 4 files of ") && lines[3].contains("1 not media, 0 failed"));
    assert!(lines[4].contains("model gemini-2.5-flash") && lines[4].contains("threads 1"));
    assert!(lines.iter().all(|line| line.chars().count() <= 100), "{}", ran.data);
}

#[test]
fn runs_are_saved_and_compared() {
    let folder = folder();
    let out = tempfile::tempdir().unwrap();
    let saved = out.path().join("saved.json");
    let place = saved.to_str().unwrap();
    let ran = bench(folder.path(), &["--stages=plan,images", "--json", "--save", place]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    // What is saved is what is printed, and nothing else lies there.
    assert_eq!(read(&saved), json(&ran));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);

    let compared = |factor: f64, options: &[&str]| {
        let baseline = doctored(&saved, factor);
        let with = ["--json", "--baseline", baseline.to_str().unwrap()];
        let ran = bench(folder.path(), &[&["--stages=plan,images"], &with[..], options].concat());
        let comparison = json(&ran)["comparison"].clone();
        assert_eq!(names(&comparison["stages"]), ["plan", "images"]);
        (ran.status, comparison, ran.notes)
    };
    let verdicts = |comparison: &Value| {
        let stages = comparison["stages"].as_array().unwrap();
        stages.iter().map(|stage| stage["verdict"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // What took twenty times less before is slower now; that alone is no failure.
    let (status, comparison, _) = compared(0.05, &[]);
    assert_eq!((status, verdicts(&comparison)), (Status::Done, vec!["slower".to_owned(); 2]));
    let cpu = &comparison["stages"][1]["cpu"];
    let [low, ratio, high] = ["low", "ratio", "high"].map(|name| cpu[name].as_f64().unwrap());
    assert!(1.0 < low && low <= ratio && ratio <= high && ratio > 3.0, "{cpu}");
    let (status, comparison, notes) = compared(0.05, &["--fail-slower"]);
    assert_eq!((status, verdicts(&comparison)), (Status::Failed, vec!["slower".to_owned(); 2]));
    assert!(notes.contains("error: bench: slower than the baseline: plan, images"), "{notes}");
    let (status, comparison, _) = compared(20.0, &["--fail-slower"]);
    assert_eq!((status, verdicts(&comparison)), (Status::Done, vec!["faster".to_owned(); 2]));

    // A stage that the baseline lacks is said, and not compared.
    let with = ["--stages=images,body", "--baseline", place];
    let ran = bench(folder.path(), &with);
    assert!(ran.notes.contains("note: body: not in the baseline"), "{}", ran.notes);
    assert!(ran.data.contains("against the baseline"), "{}", ran.data);
}

#[test]
fn runs_of_other_things_are_refused() {
    let folder = folder();
    let out = tempfile::tempdir().unwrap();
    let saved = out.path().join("saved.json");
    let place = saved.to_str().unwrap();
    assert_eq!(bench(folder.path(), &["--stages=plan", "--save", place]).status, Status::Done);
    let refused = |options: &[&str], says: &str| {
        let ran =
            bench(folder.path(), &[&["--stages=plan", "--baseline", place], options].concat());
        assert_eq!((ran.status, ran.data.as_str()), (Status::CouldNotRun, ""));
        assert!(ran.notes.contains(says) && ran.notes.contains("hint: "), "{}", ran.notes);
    };
    refused(&["--threads=2"], "threads: 1 there, 2 here");
    refused(&["--memory=64M"], "memory: its default there, 67108864 here");
    refused(&["--model=gemini-2.0-flash"], "rule: gemini-2.5-flash");
    let whole = std::fs::read(&saved).unwrap();
    let mut other = read(&saved);
    other["machine"]["cpu"] = "another".into();
    std::fs::write(&saved, other.to_string()).unwrap();
    refused(&[], "processor: another there");
    for cut in [0, whole.len() / 2] {
        std::fs::write(&saved, &whole[..cut]).unwrap();
        refused(&[], "no saved benchmark");
    }
    std::fs::write(&saved, &whole).unwrap();
    std::fs::write(folder.path().join("one-more.txt"), "x").unwrap();
    refused(&[], "inputs: ");
}

#[test]
fn bad_files_are_counted_and_listed() {
    let folder = folder();
    for bad in ["bad-jpeg-no-frame.jpg", "bad-png-zlib.png", "avif-plain.avif"] {
        std::fs::copy(fixtures().join("images").join(bad), folder.path().join(bad)).unwrap();
    }
    let ran = bench(folder.path(), &["--stages=walk,images", "--json"]);
    assert_eq!(ran.status, Status::Failed, "{}", ran.notes);
    let run = json(&ran);
    let walk = &run["stages"][0];
    assert!(walk["failed"].as_u64() >= Some(1) && walk["files"].as_u64() >= Some(4), "{walk}");
    let images = &run["stages"][1];
    assert_eq!(images["files"], 2, "{images}");
    assert!(images["failed"].as_u64() >= Some(1), "nothing decodes AVIF");
    let errors: Vec<&str> =
        run["errors"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
    for bad in ["bad-jpeg-no-frame.jpg", "bad-png-zlib.png", "avif-plain.avif"] {
        assert_eq!(
            errors.iter().filter(|path| path.ends_with(bad)).count(),
            1,
            "{bad}: {errors:?}"
        );
        assert!(ran.notes.contains(bad), "{}", ran.notes);
    }
    let table = bench(folder.path(), &["--stages=images", "--quiet"]).data;
    assert!(table.contains("not media, 1 failed"), "{table}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let folder = folder();
    let empty = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let nowhere = folder.path().join("no/such/run.json");
    for (arguments, says) in [
        (vec!["bench"], "no input was named"),
        (vec!["bench", empty.path().to_str().unwrap()], "no file to measure with"),
        (vec!["bench", place, "--stages=images,dreams"], "dreams"),
        (vec!["bench", place, "--repeat=2"], "3..=1000"),
        (vec!["bench", place, "--fail-slower"], "--baseline"),
        (vec!["bench", place, "--format=csv"], "csv"),
        (vec!["bench", "--facts=-"], "--facts"),
        (vec!["bench", place, "--save", nowhere.to_str().unwrap()], "lies in no folder"),
        (vec!["bench", place, "--save", place], "is a folder"),
        (vec!["bench", place, "--baseline", nowhere.to_str().unwrap()], "run.json: open"),
        (vec!["bench", place, "--model", "nobody"], "nobody"),
    ] {
        let ran = mediaprep(&arguments);
        assert_eq!(ran.status, Status::CouldNotRun, "{arguments:?}: {}", ran.notes);
        assert!(ran.notes.contains(says), "{arguments:?}: {}", ran.notes);
        assert_eq!(ran.data, "", "{arguments:?}");
    }
    let ran = bench(folder.path(), &["--stages=plan,frames"]);
    if cfg!(feature = "ffmpeg") {
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        assert!(ran.notes.contains("note: frames: there is no file for it"), "{}", ran.notes);
    } else {
        assert!(ran.notes.contains("this build cannot do frames"), "{}", ran.notes);
    }
}

/// A picture of one colour as PNG, with bytes behind its end that nothing reads.
fn png(side: u32, length: usize) -> Vec<u8> {
    let size = Dimensions::new(side, side).unwrap();
    let raster = Raster::new(size, PixelFormat::Gray8, vec![7; (side * side) as usize]).unwrap();
    let format = OutputFormat::Png { small: false };
    let encoding = Encoding { format, quality: 90, chroma: Chroma::Auto };
    let mut bytes = encode(&raster, &encoding).unwrap();
    assert!(length == 0 || bytes.len() <= length);
    bytes.resize(bytes.len().max(length), 0);
    bytes
}

/// The same names and sizes, and much more to do.
#[test]
fn more_work_is_slower() {
    let (large, folders) = (png(4000, 0), tempfile::tempdir().unwrap());
    let small = png(64, large.len());
    let saved = folders.path().join("saved.json");
    let run = |name: &str, bytes: &[u8], options: [&str; 2]| {
        let folder = folders.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("picture.png"), bytes).unwrap();
        bench(&folder, &[&options[..], &["--stages=images"]].concat())
    };
    let before = run("before", &small, ["--save", saved.to_str().unwrap()]);
    assert_eq!(before.status, Status::Done, "{}", before.notes);
    let ran = run("now", &large, ["--baseline", saved.to_str().unwrap()]);
    let line = ran.data.lines().rfind(|line| line.starts_with(" images ")).unwrap();
    assert!(line.contains("slower"), "{}", ran.data);
    assert!(
        ran.notes.contains("note: images: 4096 units of work there, 16000000 here"),
        "{}",
        ran.notes
    );
}

/// A build that takes several times the CPU time for the same is found out, stage by stage.
#[test]
fn a_slowed_build_is_slower() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = folder();
    let out = tempfile::tempdir().unwrap();
    let saved = out.path().join("saved.json");
    let run = |program: &str, options: [&str; 2]| {
        let arguments =
            ["--stages=plan,images,speech,body", "--repeat=9", "--json", "--fail-slower"];
        let wanted = if options[0] == "--save" { &arguments[..3] } else { &arguments[..] };
        let mut command = Command::new(program);
        command.arg("bench").arg(folder.path()).args(QUICK).args(wanted).args(options);
        let ended = command.output().unwrap();
        let notes = String::from_utf8_lossy(&ended.stderr).into_owned();
        let run = serde_json::from_slice::<Value>(&ended.stdout).expect(&notes);
        (ended.status.code(), run, notes)
    };
    let place = saved.to_str().unwrap();
    let (code, _, notes) = run(env!("CARGO_BIN_EXE_mediaprep-tested"), ["--save", place]);
    assert_eq!(code, Some(0), "{notes}");
    let (code, run, notes) = run(env!("CARGO_BIN_EXE_mediaprep-slowed"), ["--baseline", place]);
    assert_eq!(code, Some(1), "{notes}");
    let stages = run["comparison"]["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 4);
    for stage in stages {
        assert_eq!(stage["verdict"], "slower", "{stage}");
        assert!(stage["cpu"]["ratio"].as_f64() > Some(1.5), "{stage}");
    }
    assert!(notes.contains("slower than the baseline: plan, images, speech, body"), "{notes}");
}
