//! Uploads against everything that cuts, shortens, loses and forgets them. Whatever happens, the
//! service ends up with the file, once and whole, or the error says where it stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mediaprep_client::{
    BytesSource, Cancel, Class, Client, Error, File, FileSource, FileState, Progress, RetryPolicy,
    Timeouts, UploadAddress, UploadOptions,
};
use mediaprep_service::{Call, Fault, HashForm, Service};

use crate::common::{
    GRANULE, JumpingClock, KEY, assert_stored_once, block_on, builder, bytes, client, hash, met,
    quick, service, steps, upload, video,
};

/// Three granules and a bit, so that there are four pieces.
const LENGTH: u64 = 3 * GRANULE + 1000;
/// Of a piece that breaks off the service keeps whole steps of this many bytes.
const STEP: u64 = 64 << 10;

/// Uploads the usual bytes with faults; everything must come to the usual end.
fn survives(faults: &[(Call, Fault)]) -> Service {
    let service = service();
    for (call, fault) in faults {
        service.push_fault(*call, fault.clone());
    }
    let file = block_on(upload(&client(&service), LENGTH))
        .unwrap_or_else(|error| panic!("{faults:?}: {error}\n{:?}", steps(&service)));
    assert_stored_once(&service, &bytes(LENGTH));
    assert_eq!(file.size_bytes, Some(LENGTH));
    assert_eq!(file.name, service.files()[0].name);
    service
}

fn fails(faults: &[(Call, Fault)]) -> (Error, Service) {
    let service = service();
    for (call, fault) in faults {
        service.always(*call, fault.clone());
    }
    let error = block_on(upload(&client(&service), LENGTH)).unwrap_err();
    assert!(service.files().is_empty());
    (error, service)
}

fn status(code: u16) -> Fault {
    Fault::Status { code, body: String::new(), content_type: String::new(), headers: Vec::new() }
}

fn step(command: &str, offset: u64, length: u64) -> (String, Option<u64>, u64) {
    (command.to_owned(), Some(offset), length)
}

fn query() -> (String, Option<u64>, u64) {
    ("query".to_owned(), None, 0)
}

/// The pieces of an upload in which nothing goes wrong.
fn plain() -> Vec<(String, Option<u64>, u64)> {
    let piece = |at| step("upload", at * GRANULE, GRANULE);
    vec![piece(0), piece(1), piece(2), step("upload, finalize", 3 * GRANULE, 1000)]
}

#[test]
fn pieces_are_granules() {
    let service = survives(&[]);
    assert_eq!(steps(&service), plain());
    assert_eq!(service.bytes_received(), LENGTH);
    assert!(service.refusals().is_empty());
}

#[test]
fn lengths_around_a_granule_take_as_many_requests_as_they_must() {
    for (length, pieces) in [
        (0, vec![step("upload, finalize", 0, 0)]),
        (1, vec![step("upload, finalize", 0, 1)]),
        (GRANULE, vec![step("upload, finalize", 0, GRANULE)]),
        (GRANULE + 1, vec![step("upload", 0, GRANULE), step("upload, finalize", GRANULE, 1)]),
        (2 * GRANULE, vec![step("upload", 0, GRANULE), step("upload, finalize", GRANULE, GRANULE)]),
    ] {
        let service = service();
        block_on(upload(&client(&service), length)).unwrap();
        assert_stored_once(&service, &bytes(length));
        assert_eq!(steps(&service), pieces, "{length}");
        assert!(service.refusals().is_empty(), "{:?}", service.refusals());
    }
}

#[test]
fn any_granularity_is_followed() {
    for (granularity, length) in [(1, 1 << 20), (1000, 9 << 20), (300_000, 1 << 20), (8 << 20, 10)]
    {
        let service = service();
        service.set_granularity(granularity);
        block_on(upload(&client(&service), length)).unwrap();
        assert_stored_once(&service, &bytes(length));
        assert!(service.refusals().is_empty(), "{:?}", service.refusals());
        let whole = |(command, _, length): &(String, Option<u64>, u64)| {
            command != "upload" || length.is_multiple_of(granularity)
        };
        assert!(steps(&service).iter().all(whole), "{:?}", steps(&service));
    }
}

/// At each boundary and in the middle of each piece: what the service kept is not sent again, and
/// what it did not keep is.
#[test]
fn a_cut_anywhere_costs_less_than_a_piece() {
    for piece in 0..3 {
        for received in [0, 1, STEP - 1, STEP, STEP + 1, GRANULE - 1, GRANULE] {
            let mut faults = vec![(Call::UploadChunk, Fault::DelayMs(0)); piece];
            faults.push((Call::UploadChunk, Fault::ResetAfter { received }));
            let service = survives(&faults);
            let kept = piece as u64 * GRANULE + received / STEP * STEP;
            let taken = steps(&service);
            assert_eq!(taken[piece + 1], query(), "{piece} {received} {taken:?}");
            assert_eq!(taken[piece + 2].1, Some(kept), "{piece} {received} {taken:?}");
            let twice = service.bytes_received() - LENGTH;
            assert!(twice <= received % STEP, "{piece} {received}: {twice} came twice");
            assert!(service.refusals().is_empty(), "{:?}", service.refusals());
        }
    }
    for received in [0, 1, 999, 1000] {
        let service = survives(&[(Call::UploadFinalize, Fault::ResetAfter { received })]);
        assert!(service.bytes_received() - LENGTH <= received);
    }
}

#[test]
fn several_cuts_in_one_upload() {
    let cut = |received| (Call::UploadChunk, Fault::ResetAfter { received });
    let faults = [
        cut(STEP),
        (Call::UploadQuery, Fault::Reset),
        (Call::UploadQuery, Fault::overloaded()),
        cut(2 * STEP),
        (Call::UploadQuery, Fault::LoseAnswer),
        (Call::UploadChunk, Fault::LoseAnswer),
        (Call::UploadFinalize, Fault::ResetAfter { received: 5 }),
        (Call::UploadFinalize, Fault::LoseAnswer),
    ];
    let service = survives(&faults);
    assert!(service.bytes_received() <= LENGTH + 5, "{}", service.bytes_received());
}

#[test]
fn an_overload_has_the_same_piece_sent_again() {
    for code in [408, 429, 499, 500, 502, 503, 504] {
        let service = survives(&[
            (Call::UploadChunk, status(code)),
            (Call::UploadChunk, status(code)),
            (Call::UploadFinalize, status(code)),
        ]);
        let plain = plain();
        let (first, last) = (plain[0].clone(), plain[3].clone());
        let expected = [vec![first.clone(), first], plain, vec![last]].concat();
        assert_eq!(steps(&service), expected, "{code}");
        assert_eq!(service.bytes_received(), LENGTH, "{code}");
    }
}

#[test]
fn an_answer_that_does_not_fit_is_asked_about() {
    for code in [308, 400, 409, 412, 416] {
        let service = survives(&[
            (Call::UploadChunk, Fault::DelayMs(0)),
            (Call::UploadChunk, status(code)),
            (Call::UploadFinalize, status(code)),
        ]);
        let mut expected = plain();
        expected.splice(1..1, [step("upload", GRANULE, GRANULE), query()]);
        expected.splice(5..5, [step("upload, finalize", 3 * GRANULE, 1000), query()]);
        assert_eq!(steps(&service), expected, "{code}");
        assert_eq!(service.bytes_received(), LENGTH, "{code}");
    }
}

#[test]
fn what_came_short_is_sent_from_there() {
    for received in [0, 1, 1000, GRANULE - 1] {
        let service = survives(&[(Call::UploadChunk, Fault::Short { received })]);
        assert_eq!(steps(&service)[1].1, Some(received), "{received}");
        assert!(service.refusals().is_empty(), "{:?}", service.refusals());
        // The end, too, may come short.
        let service = survives(&[(Call::UploadFinalize, Fault::Short { received: 7 })]);
        let last = steps(&service).pop().unwrap();
        assert_eq!(last, step("upload, finalize", 3 * GRANULE + 7, 993));
    }
}

#[test]
fn a_lost_answer_is_not_sent_for_twice() {
    let service = survives(&[(Call::UploadFinalize, Fault::LoseAnswer)]);
    assert_eq!(steps(&service), [plain(), vec![query()]].concat());
    assert_eq!(service.bytes_received(), LENGTH);
    let service = survives(&[(Call::UploadChunk, Fault::LoseAnswer)]);
    assert_eq!(service.bytes_received(), LENGTH);
    // A lost start leaves nothing behind but an address that nobody knows.
    let service = survives(&[(Call::UploadStart, Fault::LoseAnswer)]);
    assert_eq!(met(&service, Call::UploadStart).len(), 2);
    assert_eq!(service.bytes_received(), LENGTH);
}

#[test]
fn a_silent_service_is_asked_what_it_has() {
    let service = service();
    service.push_fault(Call::UploadChunk, Fault::Silence);
    service.push_fault(Call::UploadQuery, Fault::Silence);
    service.push_fault(Call::UploadFinalize, Fault::Silence);
    let timeouts = Timeouts { idle: Duration::from_millis(250), ..Timeouts::default() };
    let client = builder(&service).timeouts(timeouts).build().unwrap();
    let started = Instant::now();
    block_on(upload(&client, LENGTH)).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(750));
    assert_stored_once(&service, &bytes(LENGTH));
    assert_eq!(service.bytes_received(), LENGTH);
}

#[test]
fn an_upload_that_is_stuck_says_at_which_byte() {
    for (skipped, offset) in [(0, 0), (2, 2 * GRANULE)] {
        let service = service();
        for _ in 0..skipped {
            service.push_fault(Call::UploadChunk, Fault::DelayMs(0));
        }
        service.push_fault(Call::UploadChunk, Fault::StuckQuery);
        let error = block_on(upload(&client(&service), LENGTH)).unwrap_err();
        assert!(
            matches!(&error, Error::Upload { offset: at, length: LENGTH, tries: 5, .. }
                if *at == offset),
            "{error}"
        );
        assert_eq!(error.class(), Class::UploadAgain);
        assert!(error.to_string().contains(&format!("byte {offset} of {LENGTH}")), "{error}");
    }
}

/// A connection that never lasts: queries are answered, but no byte more is kept.
#[test]
fn cuts_without_progress_end() {
    let cut = Fault::ResetAfter { received: STEP - 1 };
    let (error, cutting) = fails(&[(Call::UploadChunk, cut)]);
    assert!(matches!(error, Error::Upload { offset: 0, tries: 5, .. }), "{error}");
    assert_eq!(met(&cutting, Call::UploadChunk).len(), 5);
    // With progress between them they may be many.
    let service = service();
    service.always(Call::UploadChunk, Fault::ResetAfter { received: STEP });
    let client = builder(&service).retry(RetryPolicy { tries: 2, ..quick() }).build().unwrap();
    block_on(upload(&client, LENGTH)).unwrap();
    assert_stored_once(&service, &bytes(LENGTH));
    assert_eq!(service.bytes_received(), LENGTH);
}

#[test]
fn a_forgotten_upload_is_begun_anew_once() {
    for code in [404, 410] {
        let service = survives(&[(Call::UploadChunk, status(code))]);
        assert_eq!(met(&service, Call::UploadStart).len(), 2);
        let (error, service) = fails(&[(Call::UploadChunk, status(code))]);
        assert_eq!(error.api().unwrap().http, code);
        assert_eq!(met(&service, Call::UploadStart).len(), 2);
    }
    // In the middle, with half of it there already.
    let service = Arc::new(service());
    let forgetful = service.clone();
    let progress: Progress = Arc::new(move |sent, _| {
        if sent == 2 * GRANULE && forgetful.bytes_received() == sent {
            forgetful.forget_uploads();
        }
    });
    let options = UploadOptions { progress: Some(progress), ..video() };
    let source = Arc::new(BytesSource::new(bytes(LENGTH)));
    block_on(client(&service).files().upload(source, &options)).unwrap();
    assert_stored_once(&service, &bytes(LENGTH));
    assert_eq!(service.bytes_received(), LENGTH + 2 * GRANULE);
}

#[test]
fn an_answer_without_an_address_is_an_error() {
    let (error, service) = fails(&[(Call::UploadStart, Fault::NoUploadUrl)]);
    assert!(matches!(error, Error::Answer { .. }), "{error}");
    assert_eq!(service.requests().len(), 1);
}

#[test]
fn a_name_that_is_taken_is_told() {
    let service = service();
    let client = client(&service);
    let options = UploadOptions { name: Some("my-name".to_owned()), ..video() };
    let run = || {
        let source = Arc::new(BytesSource::new(bytes(10)));
        block_on(client.files().upload(source, &options))
    };
    assert_eq!(run().unwrap().name, "files/my-name");
    let error = run().unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    assert!(error.hint().unwrap().contains("taken"));
    assert_eq!(met(&service, Call::UploadStart).len(), 2);
    assert_eq!(service.files().len(), 1);
}

#[test]
fn a_refusal_in_the_middle_is_final() {
    for code in [401, 403, 413] {
        let (error, service) = fails(&[(Call::UploadChunk, status(code))]);
        assert_eq!(error.api().unwrap().http, code);
        assert_eq!(met(&service, Call::UploadChunk).len(), 1, "{code}");
    }
    let refused = Fault::Status {
        code: 503,
        body: "the bytes are no video".to_owned(),
        content_type: "text/plain".to_owned(),
        headers: vec![("x-goog-upload-status".to_owned(), "final".to_owned())],
    };
    let (error, service) = fails(&[(Call::UploadChunk, refused)]);
    assert!(error.to_string().contains("the bytes are no video"), "{error}");
    assert_eq!(met(&service, Call::UploadChunk).len(), 1);
}

/// A quota of the day does not come back in a minute, in the middle of an upload no more than
/// before it.
#[test]
fn a_quota_of_a_day_ends_an_upload_at_once() {
    let service = service();
    service.always(Call::UploadChunk, Fault::quota_per_day());
    let clock = JumpingClock::new();
    let client = builder(&service).clock(clock.clone()).retry(RetryPolicy::default());
    let error = block_on(upload(&client.build().unwrap(), LENGTH)).unwrap_err();
    assert!(error.to_string().contains("PerDay"), "{error}");
    assert_eq!(met(&service, Call::UploadChunk).len(), 1);
    assert!(clock.slept().is_empty());
}

#[test]
fn a_delay_that_is_asked_for_is_kept_between_pieces() {
    let service = service();
    service.push_fault(Call::UploadChunk, Fault::quota_per_minute(Some("2.5s")));
    let clock = JumpingClock::new();
    let client = builder(&service).clock(clock.clone()).build().unwrap();
    // The race against cancelling takes no time, so all that is slept is what was asked for.
    block_on(upload(&client, LENGTH)).unwrap();
    assert_eq!(clock.slept(), [Duration::from_millis(2500)]);
}

#[test]
fn hashes_are_read_in_every_form() {
    for form in [HashForm::RawBytes, HashForm::HexText, HashForm::Missing] {
        let service = service();
        service.set_hash_form(form);
        block_on(upload(&client(&service), LENGTH)).unwrap();
        assert_stored_once(&service, &bytes(LENGTH));
    }
    // Bytes that are not those whose hash was told.
    let service = service();
    let options = UploadOptions { sha256: Some([7; 32]), ..video() };
    let source = Arc::new(BytesSource::new(bytes(10)));
    let error = block_on(client(&service).files().upload(source, &options)).unwrap_err();
    assert!(matches!(error, Error::Mismatch { what: "SHA-256", .. }), "{error}");
}

#[test]
fn names_of_any_script_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let name = "réd 红 🟥 \"x\"\\.png";
    let path = folder.path().join("réd 红 🟥.png");
    std::fs::write(&path, bytes(2000)).unwrap();
    let service = service();
    let options = UploadOptions {
        mime_type: "image/png".to_owned(),
        display_name: Some(name.to_owned()),
        state_file: Some(folder.path().join("zustand-状态.json")),
        ..UploadOptions::default()
    };
    let source = Arc::new(FileSource::new(&path).unwrap());
    let file = block_on(client(&service).files().upload(source, &options)).unwrap();
    assert_eq!(file.display_name.as_deref(), Some(name));
    assert_eq!(service.files()[0].display_name, name);
    assert_stored_once(&service, &bytes(2000));
    let ascii = |request: &mediaprep_service::Recorded| {
        request.headers.iter().all(|(_, value)| value.is_ascii())
    };
    assert!(service.requests().iter().all(ascii));
}

#[test]
fn a_file_that_shrinks_or_vanishes_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    for vanish in [true, false] {
        std::fs::write(&path, bytes(LENGTH)).unwrap();
        let source = Arc::new(FileSource::new(&path).unwrap());
        if vanish {
            std::fs::remove_file(&path).unwrap();
        } else {
            std::fs::write(&path, bytes(GRANULE + 10)).unwrap();
        }
        let service = service();
        let error = block_on(client(&service).files().upload(source, &video())).unwrap_err();
        assert!(error.to_string().contains("cannot read"), "{error}");
        assert_eq!(error.class(), Class::Never);
        assert!(service.files().is_empty());
    }
}

/// Behind a gateway the service's own address stays, or the gateway's takes its place.
#[test]
fn a_gateway_is_gone_past_or_through() {
    let service = service();
    service.set_path_prefix("/gateway/deep");
    for (host, through) in [
        (None, true),
        (Some("https://generativelanguage.googleapis.com"), true),
        // Nobody is there.
        (Some("http://127.0.0.1:9"), false),
    ] {
        service.clear_records();
        if let Some(host) = host {
            service.push_fault(Call::UploadStart, Fault::UploadUrlHost(host.to_owned()));
        }
        let address = if through { UploadAddress::Rewrite } else { UploadAddress::Keep };
        let client = builder(&service).upload_address(address).build().unwrap();
        let uploaded = block_on(upload(&client, LENGTH));
        let requests = service.requests();
        assert!(requests.iter().all(|one| one.path.starts_with("/gateway/deep/upload/v1beta/")));
        if through {
            uploaded.unwrap();
            assert_eq!(requests.len(), 5);
            // The gateway is the caller's own, and wants to know who comes.
            assert!(requests.iter().all(|one| one.header("x-goog-api-key") == Some(KEY)));
        } else {
            assert!(matches!(uploaded, Err(Error::Upload { offset: 0, .. })), "{uploaded:?}");
            assert_eq!(requests.len(), 1);
        }
    }
    assert_eq!(service.files().len(), 2);
    assert!(service.files().iter().all(|file| file.sha256 == hash(&bytes(LENGTH))));
}

#[test]
fn pieces_travel_without_the_key() {
    let service = survives(&[(Call::UploadChunk, Fault::ResetAfter { received: 7 })]);
    for request in service.requests().iter().skip(1) {
        let header = |name| request.header(name);
        assert_eq!((header("x-goog-api-key"), header("authorization")), (None, None));
    }
}

#[test]
fn cancelling_stops_at_once_and_tells_the_service() {
    let service = service();
    service.push_fault(Call::UploadChunk, Fault::DelayMs(0));
    service.always(Call::UploadChunk, Fault::Silence);
    let cancel = Cancel::default();
    let switch = cancel.clone();
    let progress: Progress = Arc::new(move |_, _| {
        let switch = switch.clone();
        // From elsewhere, while the next piece is under way.
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            switch.cancel();
        });
    });
    let options = UploadOptions { progress: Some(progress), cancel, ..video() };
    let source = Arc::new(BytesSource::new(bytes(LENGTH)));
    let started = Instant::now();
    let error = block_on(client(&service).files().upload(source, &options)).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(steps(&service).pop().unwrap().0, "cancel");
    assert!(service.files().is_empty());
}

fn processing(service: &Service, client: &Client) -> File {
    service.set_processing_polls(3);
    let file = block_on(upload(client, 10)).unwrap();
    assert_eq!(file.state, FileState::Processing);
    file
}

#[test]
fn a_file_is_waited_for_until_it_can_be_used() {
    let service = service();
    let clock = JumpingClock::new();
    let client = builder(&service).clock(clock.clone()).build().unwrap();
    let file = processing(&service, &client);
    let limit = Duration::from_secs(60);
    let files = client.files();
    let ready = block_on(files.wait_active(file, limit, |_, _| {})).unwrap();
    assert_eq!(ready.state, FileState::Active);
    assert_eq!(met(&service, Call::FileGet).len(), 4);
    let slept = clock.slept();
    assert!(slept.is_sorted() && slept[0] == Duration::from_secs(1), "{slept:?}");
    // An overload while asking is no reason to stop waiting.
    let file = processing(&service, &client);
    service.push_fault(Call::FileGet, Fault::overloaded());
    service.push_fault(Call::FileGet, Fault::LoseAnswer);
    block_on(files.wait_active(file, limit, |_, _| {})).unwrap();
}

#[test]
fn a_file_that_never_can_be_used_is_told_by_what_it_is() {
    let service = service();
    let client = builder(&service).clock(JumpingClock::new()).build().unwrap();
    let wait = |limit| {
        let file = processing(&service, &client);
        let limit = Duration::from_secs(limit);
        service.clear_records();
        block_on(client.files().wait_active(file, limit, |_, _| {})).unwrap_err()
    };
    service.push_fault(Call::FileGet, Fault::FileFailed);
    let failed = wait(60);
    assert!(
        matches!(&failed, Error::FileFailed { reason, .. } if reason.contains("failed")),
        "{failed}"
    );
    service.push_fault(Call::FileGet, Fault::FileForbidden);
    let gone = wait(60);
    assert_eq!((gone.api().unwrap().http, gone.class()), (403, Class::UploadAgain));
    assert_eq!(met(&service, Call::FileGet).len(), 1);
    let late = wait(2);
    assert!(matches!(&late, Error::NotActive { waited, .. } if waited.as_secs() >= 2), "{late}");
    assert_eq!(late.class(), Class::Wait);
}
