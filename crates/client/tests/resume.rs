//! An upload whose process is killed in the middle goes on in a later one.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mediaprep_client::{Error, FileSource, RetryPolicy, UploadOptions};
use mediaprep_service::{Call, Fault, Service};

use crate::common::{
    GRANULE, KEY, assert_stored_once, block_on, bytes, client, met, service, steps, video,
};

/// Where the process that is to be killed finds its folder and its service.
const FOLDER: &str = "MEDIAPREP_TEST_UPLOAD_FOLDER";
const BASE: &str = "MEDIAPREP_TEST_UPLOAD_BASE";

/// Twelve granules and a bit.
const LENGTH: u64 = 12 * GRANULE + 123;

fn options(folder: &Path) -> UploadOptions {
    UploadOptions { state_file: Some(folder.join("state.json")), ..video() }
}

fn source(folder: &Path) -> Arc<FileSource> {
    Arc::new(FileSource::new(folder.join("film.mp4")).unwrap())
}

/// What the process that is killed does; in the test's own process it does nothing.
#[test]
fn upload_in_a_process_of_its_own() {
    let (Ok(folder), Ok(base)) = (std::env::var(FOLDER), std::env::var(BASE)) else { return };
    let client = mediaprep_client::Client::developer_api(mediaprep_client::Secret::new(KEY));
    let client = client.base_url(base).retry(RetryPolicy::never()).build().unwrap();
    let folder = Path::new(&folder);
    let done = block_on(client.files().upload(source(folder), &options(folder)));
    done.unwrap();
}

fn spawn(service: &Service, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "resume::upload_in_a_process_of_its_own"])
        .env(FOLDER, folder)
        .env(BASE, service.base_url())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until `reached`, then kills the process; whether it was still running.
fn kill_when(mut child: Child, reached: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    while !reached() && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "the moment never came");
        std::thread::sleep(Duration::from_millis(1));
    }
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

fn film() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("film.mp4"), bytes(LENGTH)).unwrap();
    folder
}

fn finish(service: &Service, folder: &Path) {
    let done = block_on(client(service).files().upload(source(folder), &options(folder)));
    let file = done.unwrap_or_else(|error| panic!("{error} {:?}", steps(service)));
    assert_eq!(file.size_bytes, Some(LENGTH));
    assert_stored_once(service, &bytes(LENGTH));
    let state = folder.join("state.json");
    assert!(!state.exists(), "what is done is not remembered");
}

#[test]
fn a_killed_upload_goes_on_where_it_stopped() {
    for moment in [1, GRANULE + 1, 5 * GRANULE, 9 * GRANULE + 7, LENGTH - 200] {
        let (service, folder) = (service(), film());
        // Slow enough to be met under way.
        service.always(Call::UploadChunk, Fault::DelayMs(15));
        let child = spawn(&service, folder.path());
        assert!(kill_when(child, || service.bytes_received() >= moment), "it was too fast");
        let before = service.bytes_received();
        assert!(service.files().is_empty());
        assert!(folder.path().join("state.json").exists());
        service.clear_faults();
        finish(&service, folder.path());
        assert_eq!(met(&service, Call::UploadStart).len(), 1, "{moment}: it was begun anew");
        let twice = service.bytes_received() - LENGTH;
        assert!(twice <= GRANULE, "{moment}: {twice} bytes came twice, {before} before");
    }
}

#[test]
fn an_upload_that_is_killed_again_and_again_comes_to_its_end() {
    let (service, folder) = (service(), film());
    service.always(Call::UploadChunk, Fault::DelayMs(15));
    let mut kills = 0;
    while service.files().is_empty() && kills < 40 {
        let target = service.bytes_received() + 2 * GRANULE;
        let child = spawn(&service, folder.path());
        kills += u64::from(kill_when(child, || service.bytes_received() >= target));
    }
    assert!(kills >= 3, "only {kills} were killed");
    assert_stored_once(&service, &bytes(LENGTH));
    assert_eq!(met(&service, Call::UploadStart).len(), 1);
    assert!(service.bytes_received() <= LENGTH + kills * GRANULE);
}

/// Killed before anything was sent, there is nothing to go on with, and nothing in the way.
#[test]
fn killed_before_the_first_byte() {
    let (service, folder) = (service(), film());
    service.push_fault(Call::UploadStart, Fault::Silence);
    let child = spawn(&service, folder.path());
    assert!(kill_when(child, || !service.requests().is_empty()));
    finish(&service, folder.path());
    assert_eq!(service.bytes_received(), LENGTH);
}

/// Killed when the service has everything and its answer is still on the way.
#[test]
fn killed_before_the_last_answer() {
    let (service, folder) = (service(), film());
    service.push_fault(Call::UploadFinalize, Fault::DelayMs(100));
    let child = spawn(&service, folder.path());
    assert!(kill_when(child, || !met(&service, Call::UploadFinalize).is_empty()));
    // The service goes on with what it has: sometimes it is done before the next process asks.
    finish(&service, folder.path());
    assert_eq!(met(&service, Call::UploadStart).len(), 1);
    assert!(service.bytes_received() <= LENGTH + GRANULE);
    // And for certain here: an answer that is lost with the process.
    let (service, folder) = (crate::common::service(), film());
    service.push_fault(Call::UploadFinalize, Fault::LoseAnswer);
    let mut child = spawn(&service, folder.path());
    assert!(!child.wait().unwrap().success());
    assert_eq!(service.files().len(), 1);
    finish(&service, folder.path());
    assert_eq!(service.bytes_received(), LENGTH);
    assert_eq!(met(&service, Call::UploadQuery).len(), 1);
}

/// The service has forgotten the upload meanwhile: it is begun anew, without a word.
#[test]
fn killed_and_forgotten() {
    let (service, folder) = (service(), film());
    service.always(Call::UploadChunk, Fault::DelayMs(15));
    let child = spawn(&service, folder.path());
    assert!(kill_when(child, || service.bytes_received() >= 3 * GRANULE));
    service.clear_faults();
    service.forget_uploads();
    finish(&service, folder.path());
    assert_eq!(met(&service, Call::UploadStart).len(), 2);
}

/// What is remembered is of use for the same bytes only.
#[test]
fn killed_and_changed() {
    let (service, folder) = (service(), film());
    service.always(Call::UploadChunk, Fault::DelayMs(15));
    let child = spawn(&service, folder.path());
    assert!(kill_when(child, || service.bytes_received() >= 3 * GRANULE));
    service.clear_faults();
    let mut changed = bytes(LENGTH);
    changed[7] ^= 1;
    // A file system may count time in steps.
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(folder.path().join("film.mp4"), &changed).unwrap();
    let client = client(&service);
    block_on(client.files().upload(source(folder.path()), &options(folder.path()))).unwrap();
    assert_stored_once(&service, &changed);
    assert_eq!(met(&service, Call::UploadStart).len(), 2);
}

/// A state file that is damaged, or that another made, is of no use and does no harm.
#[test]
fn a_damaged_state_is_begun_anew() {
    let folder = film();
    let state = folder.path().join("state.json");
    let left = {
        let service = service();
        service.push_fault(Call::UploadChunk, Fault::DelayMs(0));
        service.always(Call::UploadChunk, Fault::Reset);
        let client = crate::common::builder(&service).retry(RetryPolicy::never()).build().unwrap();
        let result =
            block_on(client.files().upload(source(folder.path()), &options(folder.path())));
        assert!(matches!(result, Err(Error::Upload { offset: GRANULE, .. })), "{result:?}");
        std::fs::read(&state).unwrap()
    };
    let mut cut: Vec<Vec<u8>> = (0..left.len()).step_by(37).map(|at| left[..at].to_vec()).collect();
    let text = String::from_utf8(left).unwrap();
    for (from, to) in [
        ("\"schema\":1", "\"schema\":2"),
        ("\"granularity\":262144", "\"granularity\":0"),
        ("\"offset\":262144", "\"offset\":99999999999"),
        ("\"same\":\"", "\"same\":\"0"),
        ("\"length\":", "\"length\":1"),
    ] {
        assert!(text.contains(from), "{text}");
        cut.push(text.replace(from, to).into_bytes());
    }
    for damaged in cut {
        let service = service();
        std::fs::write(&state, damaged).unwrap();
        finish(&service, folder.path());
        assert_eq!(met(&service, Call::UploadStart).len(), 1);
    }
}
