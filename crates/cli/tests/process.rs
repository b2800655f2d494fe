//! What only a real process shows: exit codes, closed pipes, full disks, Ctrl-C.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

fn mediaprep() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mediaprep"))
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");

#[test]
fn exit_codes_are_0_1_and_2() {
    let code = |args: &[&str]| mediaprep().args(args).output().unwrap().status.code();
    let picture = format!("{FIXTURES}/images/png-1bit.png");
    assert_eq!(code(&["budget", &picture]), Some(0));
    assert_eq!(code(&["budget", "no/such/file"]), Some(1));
    assert_eq!(code(&["budget", "--model", "nobody", &picture]), Some(2));
}

#[test]
fn a_closed_pipe_is_success() {
    let mut child = mediaprep()
        .args(["models", "--format=json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut notes = String::new();
    child.stderr.take().unwrap().read_to_string(&mut notes).unwrap();
    assert_eq!((child.wait().unwrap().code(), notes.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = mediaprep().args(["models"]).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let output = output.wait_with_output().unwrap();
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{notes}");
    assert!(notes.contains("error: output: write:") && notes.contains("hint: "), "{notes}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_is_130() {
    let mut child = mediaprep()
        .args(["budget", "--format=ndjson", "--facts=-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"{\"kind\":\"image\",\"width\":1,\"height\":1}\n").unwrap();
    // The command waits for the rest of its input; the signal reaches it whenever it comes after
    // the handler is set, which the first read proves.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_do_not_hang() {
    let folder = std::env::temp_dir().join(format!("mediaprep-fifo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let fifo = folder.join("pipe.png");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let named = mediaprep().args(["probe"]).arg(&fifo).output().unwrap();
    assert_eq!(named.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&named.stderr).contains("no regular file"));
    let found = mediaprep().args(["probe"]).arg(&folder).output().unwrap();
    assert_eq!(found.status.code(), Some(0));
    std::fs::remove_dir_all(&folder).unwrap();
}
