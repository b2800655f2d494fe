//! Uploads against played answers: what is sent, and what follows from each answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::testing::{ManualClock, Played, Replay, Sent, block_on, broken};
use crate::transport::{ChunkSource, TransportError};
use crate::{Class, Error, RetryPolicy, Secret, UploadAddress};

const MIB: u64 = 1 << 20;

fn started(granularity: u64) -> Played {
    Played::new(200, "")
        .header("x-goog-upload-status", "active")
        .header("x-goog-upload-url", "https://other.example/upload/v1beta/files?upload_id=SECRET")
        .header("x-goog-upload-chunk-granularity", granularity)
}

fn active() -> Played {
    Played::new(200, "").header("x-goog-upload-status", "active")
}

fn received(bytes: u64) -> Played {
    active().header("x-goog-upload-size-received", bytes)
}

fn done(extra: &str) -> Played {
    let file = format!(r#"{{"file":{{"name":"files/x","uri":"https://h/files/x"{extra}}}}}"#);
    Played::new(200, file).header("x-goog-upload-status", "Final")
}

fn bytes(length: u64) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8).collect()
}

struct Ran {
    result: Result<File, Error>,
    sent: Vec<Sent>,
}

impl Ran {
    /// Command, offset and length of every request but the start.
    fn steps(&self) -> Vec<(String, Option<u64>, u64)> {
        let step = |sent: &Sent| {
            let command = sent.header("x-goog-upload-command").unwrap_or_default().to_owned();
            let offset = sent.header("x-goog-upload-offset").map(|text| text.parse().unwrap());
            (command, offset, sent.body.len() as u64)
        };
        self.sent.iter().skip(1).map(step).collect()
    }

    fn chunks(&self) -> Vec<(Option<u64>, u64)> {
        self.steps().into_iter().map(|(_, offset, length)| (offset, length)).collect()
    }
}

type Answer = Result<Played, TransportError>;

fn upload_with(length: u64, answers: Vec<Answer>, options: UploadOptions) -> Ran {
    let replay = Arc::new(Replay::with(answers));
    let client = crate::Client::developer_api(Secret::new("FAKE-API-KEY"))
        .transport(replay.clone())
        .clock(Arc::new(ManualClock::default()))
        .retry(RetryPolicy { tries: 4, ..RetryPolicy::default() })
        .build()
        .unwrap();
    let options = UploadOptions { mime_type: "video/mp4".to_owned(), ..options };
    let source = Arc::new(BytesSource::new(bytes(length)));
    let result = block_on(client.files().upload(source, &options));
    Ran { result, sent: replay.sent() }
}

fn upload(length: u64, answers: Vec<Answer>) -> Ran {
    upload_with(length, answers, UploadOptions::default())
}

#[test]
fn pieces_are_as_long_as_the_granularity() {
    for (length, answers, chunks) in [
        (0, vec![], vec![(Some(0), 0)]),
        (8 * MIB, vec![], vec![(Some(0), 8 * MIB)]),
        (8 * MIB + 1, vec![Ok(active())], vec![(Some(0), 8 * MIB), (Some(8 * MIB), 1)]),
        (
            20 * MIB + 123,
            vec![Ok(active()), Ok(received(16 * MIB))],
            vec![(Some(0), 8_388_608), (Some(8_388_608), 8_388_608), (Some(16_777_216), 4_194_427)],
        ),
    ] {
        let mut all = vec![Ok(started(8 * MIB))];
        all.extend(answers);
        all.push(Ok(done("")));
        let ran = upload(length, all);
        assert_eq!(ran.result.as_ref().unwrap().name, "files/x");
        assert_eq!(ran.chunks(), chunks, "{length}");
        assert_eq!(ran.steps().last().unwrap().0, "upload, finalize");
        let sent: Vec<u8> = ran.sent[1..].iter().flat_map(|sent| sent.body.clone()).collect();
        assert!(sent == bytes(length));
    }
    let small =
        upload(600_000, vec![Ok(started(262_144)), Ok(active()), Ok(active()), Ok(done(""))]);
    assert_eq!(
        small.chunks(),
        [(Some(0), 262_144), (Some(262_144), 262_144), (Some(524_288), 75_712)]
    );
}

#[test]
fn the_start_says_everything_and_the_rest_carries_no_key() {
    let options = UploadOptions {
        name: Some("red-1".to_owned()),
        display_name: Some("Réd 红".to_owned()),
        ..UploadOptions::default()
    };
    let ran = upload_with(185, vec![Ok(started(8 * MIB)), Ok(done(""))], options);
    let start = &ran.sent[0];
    assert_eq!(start.verb, "POST");
    assert_eq!(start.url, "https://generativelanguage.googleapis.com/upload/v1beta/files");
    for (name, value) in [
        ("x-goog-api-key", "FAKE-API-KEY"),
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
        ("x-goog-upload-header-content-length", "185"),
        ("x-goog-upload-header-content-type", "video/mp4"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(start.header(name), Some(value), "{name}");
    }
    let body: serde_json::Value = serde_json::from_slice(&start.body).unwrap();
    let expected = serde_json::json!({"file": {"name": "files/red-1", "displayName": "Réd 红",
        "mimeType": "video/mp4", "sizeBytes": "185"}});
    assert_eq!(body, expected);
    assert_eq!(ran.sent[1].header("x-goog-api-key"), None);
}

/// What came before the answers of each case, and the requests that follow from them.
#[test]
fn what_an_answer_means() {
    let chunk = |offset, length| ("upload".to_owned(), Some(offset), length);
    let last = |offset, length| ("upload, finalize".to_owned(), Some(offset), length);
    let query = || ("query".to_owned(), None, 0);
    let g = 256 << 10;
    let length = 2 * g;
    for (what, answers, steps) in [
        (
            "an overload: the same again",
            vec![Ok(Played::new(503, "")), Ok(active()), Ok(done(""))],
            vec![chunk(0, g), chunk(0, g), last(g, g)],
        ),
        (
            "a broken connection: ask, and go on there",
            vec![Err(broken()), Ok(received(g)), Ok(done(""))],
            vec![chunk(0, g), query(), last(g, g)],
        ),
        (
            "nothing came: the same again",
            vec![Err(broken()), Ok(received(0)), Ok(active()), Ok(done(""))],
            vec![chunk(0, g), query(), chunk(0, g), last(g, g)],
        ),
        (
            "less came than was sent: go on there",
            vec![Ok(received(100)), Ok(active()), Ok(done(""))],
            vec![chunk(0, g), chunk(100, g), last(100 + g, g - 100)],
        ),
        (
            "the last answer was lost: asking gives it",
            vec![Ok(active()), Err(broken()), Ok(done(""))],
            vec![chunk(0, g), last(g, g), query()],
        ),
        (
            "everything came, but nobody ended it",
            vec![Ok(active()), Err(broken()), Ok(received(length)), Ok(done(""))],
            vec![chunk(0, g), last(g, g), query(), last(length, 0)],
        ),
        (
            "an offset that does not fit: ask",
            vec![Ok(Played::new(400, "")), Ok(received(g)), Ok(done(""))],
            vec![chunk(0, g), query(), last(g, g)],
        ),
        (
            "the answer to a query is lost: ask again",
            vec![Err(broken()), Err(broken()), Ok(received(g)), Ok(done(""))],
            vec![chunk(0, g), query(), query(), last(g, g)],
        ),
        (
            "a final answer breaks off: ask",
            vec![Ok(active()), Ok(cut_final()), Ok(done(""))],
            vec![chunk(0, g), last(g, g), query()],
        ),
    ] {
        let mut all = vec![Ok(started(g))];
        all.extend(answers);
        let ran = upload(length, all);
        assert!(ran.result.is_ok(), "{what}: {:?}", ran.result);
        assert_eq!(ran.steps(), steps, "{what}");
    }
}

fn cut_final() -> Played {
    Played::new(200, r#"{"file":{"na"#).header("x-goog-upload-status", "final").cut()
}

#[test]
fn a_lost_upload_is_begun_again_once() {
    let g = 256 << 10;
    let ran =
        upload(g, vec![Ok(started(g)), Ok(Played::new(404, "")), Ok(started(g)), Ok(done(""))]);
    assert!(ran.result.is_ok());
    assert_eq!(ran.sent.len(), 4);
    let ran = upload(
        g,
        vec![
            Ok(started(g)),
            Ok(Played::new(410, "")),
            Ok(started(g)),
            Ok(Played::new(404, "gone")),
        ],
    );
    assert_eq!(ran.result.unwrap_err().api().unwrap().http, 404);
}

#[test]
fn what_cannot_succeed_ends() {
    let g = 256 << 10;
    let no_address = upload(g, vec![Ok(active())]);
    assert!(matches!(no_address.result, Err(Error::Answer { .. })));
    let taken = upload(
        g,
        vec![Ok(Played::new(409, r#"{"error":{"message":"files/a already exists.","code":409}}"#))],
    );
    let error = taken.result.unwrap_err();
    assert!(error.hint().unwrap().contains("taken"), "{error}");
    assert_eq!(taken.sent.len(), 1);
    let refused = Played::new(400, "bad bytes").header("x-goog-upload-status", "final");
    let refused = upload(g, vec![Ok(started(g)), Ok(refused)]);
    assert_eq!(refused.result.unwrap_err().api().unwrap().message, "bad bytes");
    let stuck = (0..4).flat_map(|_| [Err(broken()), Ok(received(0))]);
    let stuck = upload(g, std::iter::once(Ok(started(g))).chain(stuck).collect());
    let error = stuck.result.unwrap_err();
    assert!(
        matches!(error, Error::Upload { offset: 0, tries: 4, .. })
            && error.class() == Class::UploadAgain,
        "{error}"
    );
    let idle = (0..4).map(|_| Ok(received(0)));
    let idle = upload(g + 1, std::iter::once(Ok(started(g))).chain(idle).collect());
    assert!(idle.result.unwrap_err().to_string().contains("no byte came beyond 0"));
    let nonsense = (0..4).map(|_| Ok(received(g * 10)));
    let nonsense = upload(g + 1, std::iter::once(Ok(started(g))).chain(nonsense).collect());
    assert!(nonsense.result.unwrap_err().to_string().contains("fewer were sent"));
}

#[test]
fn what_arrived_is_held_against_what_was_sent() {
    let digest: [u8; 32] = Sha256::digest(bytes(1000)).into();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = |bytes: &[u8]| base64_simd::STANDARD.encode_to_string(bytes);
    let run = |extra: &str, sha256| {
        let options = UploadOptions { sha256, ..UploadOptions::default() };
        upload_with(1000, vec![Ok(started(MIB)), Ok(done(extra))], options).result
    };
    let with = |hash: String| format!(r#","sizeBytes":"1000","sha256Hash":"{hash}""#);
    for hash in [base64(&digest), base64(hex.as_bytes()), base64(b"of another form")] {
        assert!(run(&with(hash.clone()), None).is_ok());
        assert!(run(&with(hash), Some(digest)).is_ok());
    }
    let wrong = run(&with(base64(&[7; 32])), None).unwrap_err();
    assert!(matches!(wrong, Error::Mismatch { what: "SHA-256", .. }), "{wrong}");
    let short = run(r#","sizeBytes":"999""#, None).unwrap_err();
    assert!(matches!(short, Error::Mismatch { what: "size in bytes", .. }), "{short}");
}

#[test]
fn a_later_process_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (media, state) = (folder.path().join("a.mp4"), folder.path().join("state.json"));
    let g = 256u64 << 10;
    std::fs::write(&media, bytes(3 * g)).unwrap();
    let run = |answers: Vec<Answer>| {
        let replay = Arc::new(Replay::with(answers));
        let client = crate::Client::developer_api(Secret::new("FAKE-API-KEY"))
            .transport(replay.clone())
            .clock(Arc::new(ManualClock::default()))
            .retry(RetryPolicy::never())
            .build()
            .unwrap();
        let options = UploadOptions {
            mime_type: "video/mp4".to_owned(),
            state_file: Some(state.clone()),
            ..UploadOptions::default()
        };
        let source = Arc::new(FileSource::new(&media).unwrap());
        let result = block_on(client.files().upload(source, &options));
        // A later process has no start, which `steps` leaves out.
        Ran { result, sent: replay.sent() }
    };
    let first = run(vec![Ok(started(g)), Ok(active()), Err(broken())]);
    assert!(matches!(first.result, Err(Error::Upload { offset, .. }) if offset == g));
    let kept = std::fs::read_to_string(&state).unwrap();
    assert!(!kept.contains("FAKE-API-KEY"));
    let digest = base64_simd::STANDARD.encode_to_string(Sha256::digest(bytes(3 * g)));
    let last = done(&format!(r#","sha256Hash":"{digest}""#));
    let second = run(vec![Ok(received(2 * g)), Ok(last)]);
    second.result.unwrap();
    assert_eq!(second.sent[0].header("x-goog-upload-command"), Some("query"));
    assert_eq!(second.sent[1].header("x-goog-upload-offset"), Some("524288"));
    assert!(!state.exists());
    // What the service has forgotten is begun anew, and that may be lost once more.
    run(vec![Ok(started(g)), Ok(active()), Err(broken())]).result.unwrap_err();
    let anew = run(vec![
        Ok(Played::new(404, "")),
        Ok(started(g)),
        Ok(active()),
        Ok(active()),
        Ok(done("")),
    ]);
    anew.result.unwrap();
}

#[test]
fn progress_is_told_and_cancelling_tells_the_service() {
    let g = 256u64 << 10;
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let cancel = Cancel::default();
    let (told, switch) = (seen.clone(), cancel.clone());
    let progress: Progress = Arc::new(move |sent, length| {
        assert_eq!(length, 3 * (256 << 10));
        told.lock().unwrap().push(sent);
        if sent == 2 * (256 << 10) {
            switch.cancel();
        }
    });
    let options = UploadOptions { progress: Some(progress), cancel, ..UploadOptions::default() };
    let answers = vec![Ok(started(g)), Ok(active()), Ok(active()), Ok(active())];
    let ran = upload_with(3 * g, answers, options);
    assert!(matches!(ran.result, Err(Error::Cancelled)), "{:?}", ran.result);
    assert_eq!(*seen.lock().unwrap(), [g, 2 * g]);
    assert_eq!(ran.steps().last().unwrap().0, "cancel");
}

#[test]
fn a_gateway_can_stand_before_the_uploads() {
    for (address, base, url, key) in [
        (
            UploadAddress::Keep,
            "https://gw.example/g",
            "https://other.example/upload/v1beta/files?upload_id=SECRET",
            false,
        ),
        (
            UploadAddress::Rewrite,
            "https://gw.example/g",
            "https://gw.example/g/upload/v1beta/files?upload_id=SECRET",
            true,
        ),
        (
            UploadAddress::Rewrite,
            "http://127.0.0.1:9",
            "http://127.0.0.1:9/upload/v1beta/files?upload_id=SECRET",
            true,
        ),
        (
            UploadAddress::Rewrite,
            "https://gw.example/upload",
            "https://gw.example/upload/v1beta/files?upload_id=SECRET",
            true,
        ),
    ] {
        let replay = Arc::new(Replay::new([started(MIB), done("")]));
        let client = crate::Client::developer_api(Secret::new("FAKE-API-KEY"))
            .base_url(base)
            .upload_address(address)
            .transport(replay.clone())
            .build()
            .unwrap();
        let options = UploadOptions { mime_type: "a/b".to_owned(), ..UploadOptions::default() };
        block_on(client.files().upload(Arc::new(BytesSource::new(vec![1])), &options)).unwrap();
        let sent = &replay.sent()[1];
        assert_eq!((sent.url.as_str(), sent.header("x-goog-api-key").is_some()), (url, key));
    }
}

#[test]
fn google_cloud_has_no_files() {
    let token = crate::TokenSource::Static(Secret::new("FAKE"));
    let client = crate::Client::vertex("p", "us", token).build().unwrap();
    let source = Arc::new(BytesSource::new(vec![1]));
    let error = block_on(client.files().upload(source, &UploadOptions::default())).unwrap_err();
    assert!(error.to_string().contains("gs://"), "{error}");
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    struct Short;
    impl UploadSource for Short {
        fn length(&self) -> u64 {
            1000
        }
        fn open(&self) -> std::io::Result<Box<dyn ReadSeek>> {
            Ok(Box::new(std::io::Cursor::new(vec![0; 10])))
        }
    }
    let mut piece = super::piece::Piece::new(Arc::new(Short), None, (0, 1000));
    let error = piece.next_chunk().unwrap().unwrap_err();
    assert!(error.to_string().contains("byte 10"), "{error}");
    assert!(piece.next_chunk().is_none());
}

proptest! {
    /// Whatever goes wrong on the way, what the service has in the end is the file, and nothing is
    /// taken as sent that did not come.
    #[test]
    fn the_file_arrives_whole(faults in proptest::collection::vec(0u8..6, 0..12), extra in 0u64..3) {
        let length = (3 << 18) + extra;
        let service = Arc::new(crate::testing::Flaky::new(256 << 10, faults));
        let client = crate::Client::developer_api(Secret::new("FAKE-API-KEY"))
            .transport(service.clone())
            .clock(Arc::new(ManualClock::default()))
            .retry(RetryPolicy { tries: 30, total: Duration::from_secs(1 << 20), ..RetryPolicy::default() })
            .build()
            .unwrap();
        let options = UploadOptions { mime_type: "video/mp4".to_owned(), ..UploadOptions::default() };
        let source = Arc::new(BytesSource::new(bytes(length)));
        let file = block_on(client.files().upload(source, &options));
        prop_assert!(file.is_ok(), "{:?}", file);
        prop_assert!(service.stored() == bytes(length));
    }
}
