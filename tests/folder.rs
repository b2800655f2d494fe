//! A folder such as people have: thousands of files of every kind among junk, links that lead round
//! in circles, and names that are no text. It is prepared the same at any number of threads, and a
//! run that is killed goes on where it ended.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use mediaprep_tests::fixtures;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// How often a run is killed.
const KILLS: u64 = 100;
/// Media files of the large folder.
const FILES: u64 = 2000;
/// Media files of the folder whose preparation is killed.
const FILES_TO_KILL: u64 = 160;
/// The longest that any run may take.
const LONGEST: Duration = Duration::from_secs(120);

/// Numbers that look random and are the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) ^ (self.0 >> 13 & 0xff)
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(!0, step)
}

/// The same medium in other bytes: a comment, chunk or box with a number in it.
fn varied(name: &str, number: u64) -> Vec<u8> {
    let mut bytes = fs::read(fixtures().join(name)).unwrap();
    let text = format!("number {number:012}");
    match name.rsplit('.').next().unwrap() {
        "jpg" => {
            let length = u16::try_from(text.len() + 2).unwrap().to_be_bytes();
            let comment = [&[0xff, 0xfe][..], &length, text.as_bytes()].concat();
            bytes.splice(2..2, comment);
        }
        "png" => {
            let body = [b"tEXt", &b"n\0"[..], text.as_bytes()].concat();
            let length = u32::try_from(body.len() - 4).unwrap().to_be_bytes();
            let chunk = [&length[..], &body, &crc(&body).to_be_bytes()].concat();
            bytes.splice(33..33, chunk);
        }
        "mp4" => {
            let length = u32::try_from(text.len() + 8).unwrap().to_be_bytes();
            bytes.extend([&length[..], b"free", text.as_bytes()].concat());
        }
        "pdf" => bytes.extend(format!("\n% {text}\n").into_bytes()),
        // Samples, which are told apart by ear alone.
        "wav" => {
            let at = bytes.len() - 40;
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        other => panic!("no variation of {other}"),
    }
    bytes
}

/// Sources by how often they come, of sixteen.
const SOURCES: [(u64, &str); 9] = [
    (6, "images/jpeg-baseline.jpg"),
    (7, "images/jpeg-exif-6.jpg"),
    (9, "images/jpeg-progressive.jpg"),
    (11, "images/png-1bit.png"),
    (12, "images/png-palette.png"),
    (13, "audio/tone-s16.wav"),
    (14, "pdf/a4.pdf"),
    (15, "video/h264-aac-faststart.mp4"),
    (16, "pdf/text.pdf"),
];

fn source(number: u64) -> &'static str {
    let usable = |name: &&(u64, &str)| fixtures().join(name.1).is_file();
    let found = SOURCES.iter().filter(|(below, _)| number % 16 < *below).find(usable);
    found.unwrap_or(&SOURCES[0]).1
}

/// `files` media and as much around them as people keep.
fn build(root: &Path, files: u64) {
    let mut numbers = Numbers(7);
    for number in 0..files {
        let name = source(numbers.next());
        let extension = name.rsplit('.').next().unwrap();
        let folder = root.join(format!("{:02}", number % 23));
        fs::create_dir_all(&folder).unwrap();
        let path = match number % 50 {
            0 => folder.join(format!("Übergröße {number} 写真 🖼.{extension}")),
            1 => {
                let number = number.to_string();
                let name =
                    [&b"no text \xff\xfe "[..], number.as_bytes(), b".", extension.as_bytes()];
                folder.join(OsStr::from_bytes(&name.concat()))
            }
            2 => folder.join(format!("{}{number}.{extension}", "long".repeat(58))),
            // Names come several times, in other folders.
            3 => folder.join(format!("same.{extension}")),
            _ => folder.join(format!("file-{number}.{extension}")),
        };
        fs::write(&path, varied(name, number)).unwrap();
        match number % 40 {
            5 => drop(fs::copy(&path, folder.join(format!("copy-{number}.{extension}"))).unwrap()),
            6 => {
                fs::write(folder.join(format!("junk-{number}.jpg")), b"no picture at all").unwrap()
            }
            7 => fs::write(folder.join(format!("empty-{number}.png")), b"").unwrap(),
            8 => fs::write(
                folder.join(format!("cut-{number}.png")),
                &varied("images/png-1bit.png", number)[..60],
            )
            .unwrap(),
            9 => symlink(&folder, folder.join(format!("round-{number}"))).unwrap(),
            10 => symlink("nowhere", folder.join(format!("broken-{number}.jpg"))).unwrap(),
            11 => {
                let locked = folder.join(format!("locked-{number}.jpg"));
                fs::copy(&path, &locked).unwrap();
                fs::set_permissions(locked, fs::Permissions::from_mode(0o000)).unwrap();
            }
            _ => {}
        }
    }
}

fn command(input: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mediaprep-tested"));
    command.args(["prepare", "--on=2026-11-21", "--model=gemini-2.0-flash", "--quiet", "--json"]);
    // Small pictures are scaled down too, and sounds are cut and encoded: several parts an item.
    command.args(["--max-side=48", "--audio-profile=lossless", "--segment=1"]);
    command.arg(input).arg("--out").arg(out).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Waits for a process that must end.
fn finish(child: Child) -> Output {
    let (id, started) = (child.id(), Instant::now());
    let (sender, receiver) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver.recv_timeout(LONGEST);
    if output.is_err() {
        let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
    }
    let output = output.unwrap_or_else(|_| panic!("hung for {:?}", started.elapsed())).unwrap();
    waiting.join().unwrap().unwrap();
    output
}

fn run(input: &Path, out: &Path, more: &[&str]) -> Output {
    finish(command(input, out, more).spawn().unwrap())
}

/// Every file below a folder, hidden ones too, with its hash.
fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let hash = Sha256::digest(fs::read(&path).unwrap()).to_vec();
                files.insert(path.strip_prefix(root).unwrap().to_owned(), hash);
            }
        }
    }
    files
}

/// The first line in which two journals differ.
fn first_difference(one: &Path, other: &Path) -> Option<String> {
    let read = |folder: &Path| fs::read_to_string(folder.join(".done.ndjson")).unwrap();
    let (one, other) = (read(one), read(other));
    let mut pairs = one.lines().zip(other.lines());
    let differing = pairs.find(|(one, other)| one != other);
    differing.map(|(one, other)| format!("{one}\n{other}"))
}

fn manifest(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn thousands_of_files_come_out_the_same_at_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    build(&input, FILES);
    let mut first = None;
    for threads in ["--threads=1", "--threads=2", "--threads=8"] {
        let out = folder.path().join(threads);
        let ran = run(&input, &out, &[threads]);
        // Cut files fail, and nothing else does.
        assert_eq!(ran.status.code(), Some(1));
        let made = (tree(&out), ran.stdout);
        match &first {
            None => first = Some(made),
            Some(first) => {
                let differing = first.0.iter().find(|(file, hash)| made.0.get(*file) != Some(hash));
                assert!(differing.is_none() && first.0.len() == made.0.len(), "{differing:?}");
                assert!(first.1 == made.1, "the report is the same");
            }
        }
    }
    let manifest = manifest(&folder.path().join("--threads=2"));
    let items = manifest["items"].as_array().unwrap();
    let failed = items.iter().filter(|item| !item["error"].is_null());
    let failed: Vec<&str> = failed.map(|item| item["path"].as_str().unwrap()).collect();
    assert!(failed.iter().all(|path| path.contains("/cut-") || path.contains("/locked-")));
    assert_eq!(failed.iter().filter(|path| path.contains("/cut-")).count() as u64, FILES / 40);
    let copies: Vec<&Value> =
        items.iter().filter(|item| item["duplicate_of"].is_string()).collect();
    let named = |name: &str| {
        copies.iter().filter(|item| item["path"].as_str().unwrap().contains(name)).count() as u64
    };
    // Whatever name sorts first is the one that is sent.
    assert!(copies.len() as u64 >= FILES / 40, "{} copies", copies.len());
    assert_eq!(manifest["totals"]["duplicates"].as_u64(), Some(copies.len() as u64));
    assert!(named("/copy-") + named("/file-") > 0);
    for copy in copies {
        assert!(
            copy["tokens"].is_null() && copy["files"].as_array().is_some_and(|f| !f.is_empty())
        );
    }
    assert!(manifest["skipped"].as_u64().unwrap() >= FILES / 20, "junk and empty files");
    assert!(manifest["parts"].as_array().unwrap().len() as u64 > FILES * 9 / 10);
}

#[test]
fn a_killed_run_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    build(&input, FILES_TO_KILL);
    let undisturbed = folder.path().join("undisturbed");
    let started = Instant::now();
    let report = run(&input, &undisturbed, &[]).stdout;
    let usual = u64::try_from(started.elapsed().as_millis()).unwrap().max(20);
    let expected = tree(&undisturbed);
    assert!(expected.len() as u64 > FILES_TO_KILL);
    let mut numbers = Numbers(2026);
    let (mut on_the_way, mut out) = (0, PathBuf::new());
    for kill in 0..KILLS {
        // Each folder is killed twice before it is finished.
        if kill % 2 == 0 {
            out = folder.path().join(format!("killed-{kill}"));
        }
        let mut child = command(&input, &out, &["--threads=2"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(numbers.next() % (usual * 9 / 10)));
        child.kill().unwrap();
        child.wait().unwrap();
        let media = fs::read_dir(out.join("media")).map_or(0, Iterator::count);
        on_the_way += u64::from(media > 0 && !out.join("manifest.json").exists());
        if kill % 2 == 0 {
            continue;
        }
        let resumed = run(&input, &out, &[]);
        assert_eq!(resumed.status.code(), Some(1), "kill {kill}");
        let found = tree(&out);
        if let Some(line) = first_difference(&undisturbed, &out) {
            panic!("kill {kill}: {line}");
        }
        let differing = expected.iter().find(|(file, hash)| found.get(*file) != Some(hash));
        assert!(differing.is_none() && found.len() == expected.len(), "{kill}: {differing:?}");
        assert!(resumed.stdout == report, "kill {kill}: the report is the same");
        fs::remove_dir_all(&out).unwrap();
    }
    assert!(on_the_way > KILLS / 4, "only {on_the_way} kills hit a run on its way");
}

#[test]
fn done_work_is_not_done_again_unless_something_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir(&input).unwrap();
    for number in 0..8 {
        let name = format!("{number}.jpg");
        fs::write(input.join(name), varied("images/jpeg-baseline.jpg", number)).unwrap();
    }
    assert_eq!(run(&input, &out, &[]).status.code(), Some(0));
    let written =
        |name: &str| fs::metadata(out.join("media").join(name)).unwrap().modified().unwrap();
    let before: Vec<_> = (0..8).map(|n| written(&format!("{n}.jpg"))).collect();
    let expected = tree(&out);
    std::thread::sleep(Duration::from_millis(20));
    // Another content of the same size, at the same time: 1.jpg. Another time alone: 2.jpg.
    let time = |name: &str| fs::metadata(input.join(name)).unwrap().modified().unwrap();
    let set = |name: &str, time| {
        fs::File::options()
            .append(true)
            .open(input.join(name))
            .unwrap()
            .set_modified(time)
            .unwrap();
    };
    fs::write(input.join("1.jpg"), varied("images/jpeg-baseline.jpg", 99)).unwrap();
    set("2.jpg", time("2.jpg") + Duration::from_secs(9));
    // Parts that are gone, cut, or written to.
    fs::remove_file(out.join("media/3.jpg")).unwrap();
    fs::write(out.join("media/4.jpg"), b"cut").unwrap();
    let mut flipped = fs::read(out.join("media/5.jpg")).unwrap();
    *flipped.last_mut().unwrap() ^= 1;
    std::thread::sleep(Duration::from_millis(20));
    fs::write(out.join("media/5.jpg"), flipped).unwrap();
    assert_eq!(run(&input, &out, &[]).status.code(), Some(0));
    let again: Vec<bool> = (0..8).map(|n| written(&format!("{n}.jpg")) != before[n]).collect();
    assert_eq!(again, [false, true, false, true, true, true, false, false]);
    let same = |name: &str| tree(&out).get(Path::new(name)) == expected.get(Path::new(name));
    assert!(["media/3.jpg", "media/4.jpg", "media/5.jpg"].into_iter().all(same));
    // Other options are another plan.
    assert_eq!(run(&input, &out, &["--quality=50"]).status.code(), Some(0));
    assert!((0..8).all(|n| written(&format!("{n}.jpg")) != before[n]));
}

#[test]
fn what_a_killed_run_has_left_is_removed_when_it_is_not_wanted_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir(&input).unwrap();
    fs::write(input.join("a.jpg"), varied("images/jpeg-baseline.jpg", 1)).unwrap();
    fs::create_dir_all(out.join("media")).unwrap();
    // A part that was announced, one that a line tries to reach outside, and a line that is cut off.
    fs::write(out.join("media/left.jpg"), b"left").unwrap();
    fs::write(folder.path().join("mine.jpg"), b"mine").unwrap();
    let journal =
        "{\"file\":\"media/left.jpg\"}\n{\"file\":\"../mine.jpg\"}\nnonsense\n{\"item\":{\"pl";
    fs::write(out.join(".done.ndjson"), journal).unwrap();
    assert_eq!(run(&input, &out, &[]).status.code(), Some(0));
    let names: Vec<PathBuf> = tree(&out).into_keys().collect();
    let expected = [".done.ndjson", "manifest.json", "media/a.jpg", "request.json"];
    assert_eq!(names, expected.map(PathBuf::from));
    assert!(folder.path().join("mine.jpg").exists());
}

#[test]
fn two_runs_do_not_write_to_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir_all(&input).unwrap();
    fs::create_dir_all(&out).unwrap();
    fs::write(input.join("a.jpg"), varied("images/jpeg-baseline.jpg", 1)).unwrap();
    let journal = fs::File::create(out.join(".done.ndjson")).unwrap();
    journal.lock().unwrap();
    let refused = run(&input, &out, &[]);
    assert_eq!(refused.status.code(), Some(2));
    drop(journal);
    assert_eq!(run(&input, &out, &[]).status.code(), Some(0));
}

#[test]
fn pipes_devices_and_endless_paths_do_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    let mut deep = input.clone();
    for _ in 0..12 {
        deep.push("a folder with a rather long name, to be far below it");
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("deep.jpg"), varied("images/jpeg-baseline.jpg", 1)).unwrap();
    assert!(deep.as_os_str().len() > 500);
    let fifo = input.join("pipe.jpg");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    symlink("/dev/zero", input.join("zero.jpg")).unwrap();
    symlink(&input, deep.join("round")).unwrap();
    symlink("self.jpg", input.join("self.jpg")).unwrap();
    let out = folder.path().join("out");
    let ran = run(&input, &out, &[]);
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(manifest(&out)["parts"].as_array().unwrap().len(), 1);
    // Named, they are errors.
    for name in [fifo.as_path(), Path::new("/dev/zero"), &input.join("self.jpg")] {
        let out = folder.path().join("other");
        let ran = run(name, &out, &[]);
        assert_eq!(ran.status.code(), Some(1), "{}", name.display());
        assert_eq!(manifest(&out)["totals"]["failed"], 1);
    }
}

#[test]
fn ctrl_c_leaves_whole_parts_only_and_ends_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir(&input).unwrap();
    // Enough work that the signal comes in the middle of it.
    for number in 0..60 {
        let name = format!("{number}.jpg");
        fs::write(input.join(name), varied("images/photo-landscape-12mp.jpg", number)).unwrap();
    }
    let child = command(&input, &out, &["--max-side=1500"]).spawn().unwrap();
    let started = Instant::now();
    while fs::read_dir(out.join("media")).map_or(0, Iterator::count) < 3 {
        assert!(started.elapsed() < LONGEST);
        std::thread::sleep(Duration::from_millis(5));
    }
    let signalled = Instant::now();
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    let ended = finish(child);
    assert!(signalled.elapsed() < Duration::from_secs(1), "{:?}", signalled.elapsed());
    assert_eq!(ended.status.code(), Some(130));
    assert!(!out.join(".partial").exists() && !out.join("manifest.json").exists());
    let parts: Vec<_> =
        fs::read_dir(out.join("media")).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(parts.len() >= 3 && parts.len() < 60);
    for part in parts {
        let bytes = fs::read(&part).unwrap();
        assert!(
            bytes.starts_with(&[0xff, 0xd8]) && bytes.ends_with(&[0xff, 0xd9]),
            "{}",
            part.display()
        );
    }
}

#[test]
fn a_full_disk_fails_what_no_longer_fits_and_leaves_the_rest_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (input, disk) = (folder.path().join("in"), folder.path().join("disk"));
    fs::create_dir(&disk).unwrap();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=200k", "tmpfs"]).arg(&disk).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("skipped: nothing may be mounted here");
        return;
    }
    fs::create_dir(&input).unwrap();
    for number in 0..40 {
        let name = format!("{number:02}.mp4");
        fs::write(input.join(name), varied("video/h264-aac-faststart.mp4", number)).unwrap();
    }
    let ran = run(&input, &disk.join("out"), &[]);
    let media: Vec<_> =
        fs::read_dir(disk.join("out/media")).unwrap().map(|e| e.unwrap().path()).collect();
    let whole = media.iter().all(|part| {
        let source = input.join(part.file_name().unwrap());
        fs::read(part).unwrap() == fs::read(source).unwrap()
    });
    let count = media.len();
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
    assert_eq!(ran.status.code(), Some(1));
    assert!(whole && count > 0 && count < 40, "{count} parts");
}
