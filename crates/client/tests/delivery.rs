//! From files and a question to an answer: what is there already is not sent again, what has gone
//! is, and what is not ready is waited for.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mediaprep_client::{
    BytesSource, Client, Delivery, DeliveryEvent, Error, Pending, Secret, UploadCache,
    UploadOptions, Uploaded,
};
use mediaprep_parts::{GenerateRequest, Part};
use mediaprep_service::{Call, Fault, Service};

use crate::common::{
    JumpingClock, KEY, MODEL, block_on, builder, bytes, client, hash, met, quick, service, video,
};

fn pending(length: u64) -> Pending {
    Pending { source: Arc::new(BytesSource::new(bytes(length))), options: video() }
}

fn request(files: &[Uploaded]) -> GenerateRequest {
    let part = |file: &Uploaded| Part::file(file.uri.clone(), Some(file.mime_type.clone().into()));
    let mut parts: Vec<Part> = files.iter().map(part).collect();
    parts.push(Part::text("What moves?"));
    GenerateRequest::user(parts)
}

/// Delivers and asks; what happened on the way, in words.
fn deliver(
    client: &Client,
    cache: Option<&UploadCache>,
    files: &[Pending],
) -> (Result<(), Error>, Vec<&'static str>) {
    let told = Mutex::new(Vec::new());
    let observer = |event: DeliveryEvent<'_>| {
        told.lock().unwrap().push(match event {
            DeliveryEvent::Reused(_) => "reused",
            DeliveryEvent::Uploaded(_) => "uploaded",
            DeliveryEvent::Waiting(..) => "waiting",
            DeliveryEvent::Gone(_) => "gone",
            DeliveryEvent::NoList(_) => "no list",
            _ => "something else",
        });
    };
    let delivery = Delivery::new(client).cache(cache).observer(observer);
    let done = block_on(delivery.generate(MODEL, files, request));
    let done = done.map(|answer| assert!(answer.outcome.is_text(), "{answer:?}"));
    (done, told.into_inner().unwrap())
}

/// The same where it must succeed.
fn delivered(client: &Client, cache: &UploadCache, files: &[Pending]) -> Vec<&'static str> {
    let (done, told) = deliver(client, Some(cache), files);
    done.unwrap_or_else(|error| panic!("{error} after {told:?}"));
    told
}

fn cache(folder: &Path) -> UploadCache {
    UploadCache::at(folder.join("uploads.redb"))
}

fn starts(service: &Service) -> usize {
    met(service, Call::UploadStart).len()
}

#[test]
fn the_same_bytes_are_uploaded_once() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let client = client(&service);
    assert_eq!(delivered(&client, &cache, &[pending(1000)]), ["uploaded"]);
    assert_eq!(delivered(&client, &cache, &[pending(1000)]), ["reused"]);
    // A client of its own in a later process, as far as can be told.
    let later = crate::common::client(&service);
    assert_eq!(delivered(&later, &cache, &[pending(1000), pending(2000)]), ["reused", "uploaded"]);
    assert_eq!((service.files().len(), starts(&service)), (2, 2));
    assert_eq!(service.bytes_received(), 3000);
    // The same bytes as another type are another file.
    let image = UploadOptions { mime_type: "image/png".to_owned(), ..UploadOptions::default() };
    let image = Pending { options: image, ..pending(1000) };
    assert_eq!(delivered(&client, &cache, &[image]), ["uploaded"]);
    // Without a list everything is uploaded each time.
    assert_eq!(deliver(&client, None, &[pending(1000)]).1, ["uploaded"]);
    assert!(service.refusals().is_empty(), "{:?}", service.refusals());
}

#[test]
fn the_same_bytes_twice_in_one_request_are_one_file() {
    let service = service();
    let client = client(&service);
    let files = [pending(1000), pending(500), pending(1000)];
    let (done, told) = deliver(&client, None, &files);
    done.unwrap();
    assert_eq!(told, ["uploaded", "uploaded"]);
    assert_eq!((service.files().len(), service.bytes_received()), (2, 1500));
    let sent = met(&service, Call::Generate)[0].json().unwrap();
    let uri = |at: usize| sent["contents"][0]["parts"][at]["fileData"]["fileUri"].clone();
    assert_eq!(uri(0), uri(2));
    assert_ne!(uri(0), uri(1));
}

#[test]
fn another_key_has_uploads_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let other = Client::developer_api(Secret::new("FAKE-OTHER-KEY")).retry(quick());
    let other = other.base_url(service.base_url()).build().unwrap();
    for client in [&client(&service), &other] {
        assert_eq!(delivered(client, &cache, &[pending(1000)]), ["uploaded"]);
        assert_eq!(delivered(client, &cache, &[pending(1000)]), ["reused"]);
    }
    let files = service.files();
    assert_eq!(files.len(), 2);
    assert_ne!(files[0].owner, files[1].owner);
}

#[test]
fn an_upload_that_has_expired_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let clock = JumpingClock::new();
    let client = builder(&service).clock(clock.clone()).build().unwrap();
    assert_eq!(delivered(&client, &cache, &[pending(1000)]), ["uploaded"]);
    clock.jump(Duration::from_secs(47 * 3600));
    assert_eq!(delivered(&client, &cache, &[pending(1000)]), ["reused"]);
    clock.jump(Duration::from_secs(3600));
    assert_eq!(delivered(&client, &cache, &[pending(1000)]), ["uploaded"]);
}

#[test]
fn a_file_that_has_gone_is_uploaded_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let client = client(&service);
    let files = [pending(1000), pending(2000), pending(1000)];
    assert_eq!(delivered(&client, &cache, &files), ["uploaded", "uploaded"]);
    let gone = service.files()[0].name.clone();
    assert!(service.forget_file(&gone));
    service.clear_records();
    assert_eq!(delivered(&client, &cache, &files), ["reused", "reused", "gone", "uploaded"]);
    let answered: Vec<_> = met(&service, Call::Generate).iter().map(|one| one.status).collect();
    assert_eq!(answered, [Some(403), Some(200)]);
    assert_eq!((starts(&service), service.bytes_received()), (1, 1000));
    assert!(service.files().iter().any(|file| file.sha256 == hash(&bytes(1000))));
    // What was uploaded anew is what is found from now on.
    assert_eq!(delivered(&client, &cache, &files), ["reused", "reused"]);
    assert_eq!(starts(&service), 1);
}

/// A refusal that has nothing to do with the files does not upload anything.
#[test]
fn a_file_that_is_there_is_not_uploaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let client = client(&service);
    delivered(&client, &cache, &[pending(1000)]);
    service.always(Call::Generate, Fault::FileForbidden);
    let (done, told) = deliver(&client, Some(&cache), &[pending(1000)]);
    assert_eq!(done.unwrap_err().api().unwrap().http, 403);
    assert_eq!((told, starts(&service)), (vec!["reused"], 1));
}

#[test]
fn a_file_that_is_not_ready_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let client = builder(&service).clock(JumpingClock::new()).build().unwrap();
    service.set_processing_polls(2);
    let told = delivered(&client, &cache, &[pending(1000)]);
    assert_eq!(told, ["waiting", "waiting", "waiting", "uploaded"]);
    assert_eq!(met(&service, Call::Generate).len(), 1);
}

/// Another process stopped while it waited: the file is on the list, but is not ready.
#[test]
fn a_file_that_another_process_left_unready_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let client = builder(&service).clock(JumpingClock::new()).build().unwrap();
    service.set_processing_polls(3);
    let impatient = Delivery::new(&client).cache(Some(&cache)).wait(Duration::ZERO);
    let error = block_on(impatient.upload(&[pending(1000)])).unwrap_err();
    assert!(matches!(error, Error::NotActive { .. }), "{error}");
    let told = delivered(&client, &cache, &[pending(1000)]);
    assert_eq!((told[0], told.last()), ("reused", Some(&"waiting")));
    let answered: Vec<_> = met(&service, Call::Generate).iter().map(|one| one.status).collect();
    assert_eq!(answered, [Some(400), Some(200)]);
    assert_eq!((service.files().len(), starts(&service)), (1, 1));
    // Should it still not be ready then, that is told: no endless loop.
    service.always(Call::Generate, Fault::not_active());
    let (done, _) = deliver(&client, Some(&cache), &[pending(1000)]);
    assert_eq!(done.unwrap_err().class(), mediaprep_client::Class::Wait);
    assert_eq!(met(&service, Call::Generate).len(), 4);
}

#[test]
fn a_file_that_cannot_be_processed_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let client = builder(&service).clock(JumpingClock::new()).build().unwrap();
    service.set_processing_polls(1);
    service.push_fault(Call::FileGet, Fault::FileFailed);
    let (done, _) = deliver(&client, Some(&cache), &[pending(1000)]);
    assert!(matches!(done, Err(Error::FileFailed { .. })), "{done:?}");
    assert!(!delivered(&client, &cache, &[pending(1000)]).contains(&"reused"));
    // The same where the upload's own answer says so.
    service.set_processing_polls(0);
    service.push_fault(Call::UploadFinalize, Fault::FileFailed);
    let (done, _) = deliver(&client, Some(&cache), &[pending(700)]);
    assert!(matches!(done, Err(Error::FileFailed { .. })), "{done:?}");
    assert!(!delivered(&client, &cache, &[pending(700)]).contains(&"reused"));
}

#[test]
fn a_damaged_list_is_told_and_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let client = client(&service);
    delivered(&client, &cache, &[pending(1000)]);
    let whole = std::fs::read(cache.path()).unwrap();
    let mut noise = whole.clone();
    noise[..4096.min(whole.len())].fill(0x5a);
    for (damaged, told) in [
        (b"no list at all, but long enough to be looked at".repeat(100), true),
        (noise, true),
        (whole[..whole.len() / 3].to_vec(), true),
        // Nothing at all is a new list.
        (Vec::new(), false),
    ] {
        std::fs::write(cache.path(), &damaged).unwrap();
        let events = delivered(&client, &cache, &[pending(1000)]);
        assert!(events.contains(&"uploaded"), "{} {events:?}", damaged.len());
        assert_eq!(events.contains(&"no list"), told, "{} {events:?}", damaged.len());
    }
    // A folder where the list should be.
    let blocked = UploadCache::at(folder.path());
    assert!(delivered(&client, &blocked, &[pending(1000)]).contains(&"no list"));
}

/// Every byte of the list flipped in turn, some at a time: never a panic, never a lost answer.
#[test]
fn a_list_with_flipped_bytes_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let client = client(&service);
    delivered(&client, &cache, &[pending(100)]);
    let whole = std::fs::read(cache.path()).unwrap();
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let step = (used.len() / 25).max(1);
    for at in used.into_iter().step_by(step) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        std::fs::write(cache.path(), &damaged).unwrap();
        delivered(&client, &cache, &[pending(100)]);
    }
}

#[test]
fn the_key_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (service, cache) = (service(), cache(folder.path()));
    let state = folder.path().join("state.json");
    let client = builder(&service).retry(mediaprep_client::RetryPolicy::never()).build().unwrap();
    service.push_fault(Call::UploadFinalize, Fault::overloaded());
    let options = UploadOptions { state_file: Some(state.clone()), ..video() };
    let file = Pending { options, ..pending(1000) };
    let (done, _) = deliver(&client, Some(&cache), std::slice::from_ref(&file));
    assert!(matches!(done, Err(Error::Upload { .. })));
    assert!(state.exists());
    let kept = std::fs::read(&state).unwrap();
    let (done, _) = deliver(&client, Some(&cache), std::slice::from_ref(&file));
    done.unwrap();
    assert!(!state.exists());
    assert_eq!((starts(&service), service.files().len()), (1, 1));
    let list = std::fs::read(cache.path()).unwrap();
    let holds = |bytes: &[u8], text: &str| {
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    // What is looked for would be found: the list holds the file's name.
    assert!(holds(&list, &service.files()[0].name));
    assert!(holds(&kept, "upload_id"));
    for bytes in [&kept, &list] {
        for at in 0..KEY.len() - 8 {
            assert!(!holds(bytes, &KEY[at..at + 8]), "part of the key is in a file");
        }
    }
}
