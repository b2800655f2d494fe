//! What goes wrong between a question and its answer: each refusal and each cut, for each thing
//! that is asked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use mediaprep_client::{Class, Client, Error, RetryPolicy, Secret, Timeouts, TokenSource};
use mediaprep_client::{Outcome, TransportError};
use mediaprep_parts::{FinishReason, GenerateRequest, Part};
use mediaprep_service::{Answer, Call, Fault, Service};
use serde_json::json;

use crate::common::{
    ASKS, Ask, JumpingClock, KEY, MODEL, block_on, builder, client, met, question, quick, service,
};

fn status(code: u16) -> Fault {
    Fault::Status { code, body: String::new(), content_type: String::new(), headers: Vec::new() }
}

/// Asks with a fault that always hits; the error, and how often it was asked.
fn always(ask: Ask, fault: Fault) -> (Error, usize) {
    let service = service();
    service.always(ask.call(), fault);
    let error = block_on(ask.run(&client(&service))).unwrap_err();
    (error, met(&service, ask.call()).len())
}

/// Asks with faults that pass; how often it was asked until it was answered.
fn passing(ask: Ask, faults: &[Fault]) -> usize {
    let service = service();
    for fault in faults {
        service.push_fault(ask.call(), fault.clone());
    }
    block_on(ask.run(&client(&service))).unwrap_or_else(|error| panic!("{ask:?}: {error}"));
    if ask == Ask::Upload {
        assert_eq!(service.files().len(), 1);
        assert_eq!(service.bytes_received(), 1000);
    }
    assert!(service.refusals().is_empty(), "{:?}", service.refusals());
    met(&service, ask.call()).len()
}

#[test]
fn nothing_goes_wrong_by_itself() {
    for ask in ASKS {
        assert_eq!(passing(ask, &[]), 1);
    }
}

#[test]
fn a_delay_that_is_asked_for_is_kept() {
    for ask in ASKS {
        let service = service();
        service.push_fault(ask.call(), Fault::quota_per_minute(Some("2.5s")));
        let clock = JumpingClock::new();
        let client = builder(&service).clock(clock.clone()).build().unwrap();
        block_on(ask.run(&client)).unwrap();
        assert_eq!(clock.slept(), [Duration::from_millis(2500)], "{ask:?}");
        assert_eq!(met(&service, ask.call()).len(), 2, "{ask:?}");
    }
    // Once by a clock on the wall, with all nine decimals.
    let service = service();
    service.push_fault(Call::Generate, Fault::quota_per_minute(Some("1.203837906s")));
    let started = Instant::now();
    block_on(Ask::Generate.run(&client(&service))).unwrap();
    assert!(started.elapsed() >= Duration::from_nanos(1_203_837_906));
}

#[test]
fn a_quota_of_a_day_is_not_waited_for() {
    for ask in ASKS {
        let started = Instant::now();
        let (error, asked) = always(ask, Fault::quota_per_day());
        assert_eq!((asked, error.class()), (1, Class::Never), "{ask:?}");
        assert!(error.to_string().contains("GenerateRequestsPerDay"), "{error}");
        assert!(error.hint().unwrap().contains("does not help"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn an_endless_overload_ends_at_the_deadline() {
    for ask in ASKS {
        let service = service();
        service.always(ask.call(), Fault::quota_without_details());
        let policy = RetryPolicy {
            tries: 10_000,
            first_delay: Duration::from_millis(10),
            longest_delay: Duration::from_millis(40),
            total: Duration::from_millis(300),
        };
        let client = builder(&service).retry(policy).build().unwrap();
        let started = Instant::now();
        let error = block_on(ask.run(&client)).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(3), "{ask:?} {:?}", started.elapsed());
        let asked = met(&service, ask.call()).len();
        assert!(asked > 2, "{ask:?} {asked}");
        assert!(error.to_string().contains(&format!("(tried {asked} times)")), "{error}");
        assert_eq!(error.api().unwrap().http, 429);
    }
}

#[test]
fn what_passes_is_waited_for() {
    for ask in ASKS {
        assert_eq!(passing(ask, &[Fault::overloaded(), Fault::overloaded()]), 3, "{ask:?}");
        for code in [408, 429, 499, 500, 502, 503, 504] {
            assert_eq!(passing(ask, &[status(code)]), 2, "{ask:?} {code}");
        }
        assert_eq!(passing(ask, &[Fault::internal(), Fault::html(), Fault::empty_503()]), 4);
        assert_eq!(passing(ask, &[Fault::overloaded().as_array()]), 2);
        // Without an answer nothing is known, and the same again does no harm.
        let cuts = [Fault::Reset, Fault::LoseAnswer, Fault::ResetAfter { received: 3 }];
        assert_eq!(passing(ask, &cuts), 4, "{ask:?}");
    }
}

#[test]
fn what_does_not_pass_is_asked_once() {
    for ask in ASKS {
        for code in [400, 401, 403, 404, 405, 409, 413, 501] {
            let (error, asked) = always(ask, status(code));
            assert_eq!((error.api().unwrap().http, asked), (code, 1), "{ask:?}");
            assert_eq!(error.class(), Class::Never, "{ask:?} {code}");
        }
    }
}

#[test]
fn answers_that_are_no_json_keep_their_code() {
    for ask in ASKS {
        for (fault, code) in [(Fault::empty_503(), 503), (Fault::html(), 502)] {
            let (error, asked) = always(ask, fault);
            assert_eq!((error.api().unwrap().http, asked), (code, 5), "{ask:?}");
            assert!(error.to_string().contains(&code.to_string()), "{error}");
            assert!(!error.to_string().contains('<'), "{error}");
        }
    }
}

#[test]
fn a_bad_key_says_so_in_every_wrapping() {
    for ask in ASKS {
        let (plain, asked) = always(ask, Fault::invalid_key());
        let (list, _) = always(ask, Fault::invalid_key().as_array());
        assert_eq!((asked, plain.class()), (1, Class::Never), "{ask:?}");
        assert_eq!(plain.api().unwrap().reason.as_deref(), Some("API_KEY_INVALID"));
        assert_eq!(plain.api(), list.api(), "{ask:?}");
        assert!(!format!("{plain} {plain:?}").contains(KEY));
        assert!(plain.hint().unwrap().contains("key"));
    }
}

#[test]
fn successes_that_are_none_are_told_apart() {
    let service = service();
    let client = client(&service);
    let outcome = |answer: Answer| {
        service.set_answer(answer);
        let whole = block_on(client.generate(MODEL, &question())).unwrap();
        let streamed = block_on(async {
            crate::common::drain(client.stream(MODEL, &question()).await.unwrap()).await
        });
        assert!(streamed.error.is_none());
        assert_eq!(whole.outcome, streamed.generated.outcome);
        whole.outcome
    };
    let blocked = outcome(Answer::blocked("PROHIBITED_CONTENT"));
    assert!(matches!(&blocked, Outcome::Blocked { reason, .. }
        if reason.as_str() == "PROHIBITED_CONTENT"));
    let stopped = outcome(Answer::stopped("MAX_TOKENS"));
    assert!(matches!(&stopped, Outcome::Stopped { reason: FinishReason::MaxTokens, text, .. }
        if text.is_empty()));
    let new = outcome(Answer::Whole(json!({
        "candidates": [{
            "content": {"parts": [{"text": "so far", "novelty": {"a": [1]}}], "role": "model"},
            "finishReason": "BORED", "finishMessage": "enough", "sparkle": 3,
        }],
        "usageMetadata": {"promptTokenCount": 5, "newCount": "7"},
        "headline": null,
    })));
    assert!(matches!(&new, Outcome::Stopped { reason, message: Some(message), text }
        if reason.as_str() == "BORED" && message == "enough" && text == "so far"));
    let empty = json!({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]});
    assert_eq!(outcome(Answer::Whole(empty)), Outcome::Empty);
}

#[test]
fn a_service_that_says_nothing_is_left() {
    for ask in ASKS {
        let service = service();
        service.always(ask.call(), Fault::Silence);
        let timeouts = Timeouts { idle: Duration::from_millis(200), ..Timeouts::default() };
        let client =
            builder(&service).timeouts(timeouts).retry(RetryPolicy { tries: 2, ..quick() });
        let started = Instant::now();
        let error = block_on(ask.run(&client.build().unwrap())).unwrap_err();
        assert!(started.elapsed() >= Duration::from_millis(400), "{ask:?}");
        assert!(started.elapsed() < Duration::from_secs(4), "{ask:?} {:?}", started.elapsed());
        assert!(
            matches!(&error, Error::Transport { source: TransportError::Idle { .. }, tries: 2 }),
            "{ask:?} {error}"
        );
        assert_eq!(met(&service, ask.call()).len(), 2, "{ask:?}");
    }
}

/// Slow is not silent: bytes that trickle keep a call alive beyond the idle time.
#[test]
fn a_service_that_trickles_is_heard_out() {
    let server = trickle(|stream| {
        let body = br#"{"candidates":[{"content":{"parts":[{"text":"slow"}]}}]}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        for piece in body.chunks(6) {
            std::thread::sleep(Duration::from_millis(60));
            stream.write_all(piece).unwrap();
        }
    });
    let timeouts = Timeouts { idle: Duration::from_millis(400), ..Timeouts::default() };
    let client = Client::developer_api(Secret::new(KEY)).base_url(server).timeouts(timeouts);
    let answer = block_on(client.build().unwrap().generate(MODEL, &question())).unwrap();
    assert_eq!(answer.outcome.text(), "slow");
}

/// A server that answers each connection's first request by `answer`; its base URL.
pub(crate) fn trickle(
    answer: impl Fn(&mut std::net::TcpStream) + Send + Sync + Clone + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                answer(&mut stream);
            });
        }
    });
    base
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let tries = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let seen = tries.clone();
    let server = trickle(move |stream| {
        let body = r#"{"candidates":[{"content":{"parts":[{"text":"whole"}]}}]}"#;
        let first = seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let sent = if first { &body[..20] } else { body };
        let length = body.len();
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
        stream
            .write_all(format!("{head}content-length: {length}\r\n\r\n{sent}").as_bytes())
            .unwrap();
    });
    let client = Client::developer_api(Secret::new(KEY)).base_url(server).retry(quick());
    let answer = block_on(client.build().unwrap().generate(MODEL, &question())).unwrap();
    assert_eq!(answer.outcome.text(), "whole");
    assert_eq!(tries.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[test]
fn a_deadline_holds_for_the_whole_call() {
    for ask in [Ask::Generate, Ask::Count] {
        let service = service();
        service.push_fault(ask.call(), Fault::overloaded());
        service.always(ask.call(), Fault::Silence);
        let deadline = Duration::from_millis(300);
        let client = builder(&service).deadline(deadline).build().unwrap();
        let started = Instant::now();
        let error = block_on(ask.run(&client)).unwrap_err();
        assert!(matches!(error, Error::Deadline { .. }), "{error}");
        let took = started.elapsed();
        assert!(took >= deadline && took < Duration::from_secs(3), "{took:?}");
    }
}

#[test]
fn the_service_is_told_the_deadline_in_whole_seconds_rounded_up() {
    for (milliseconds, told) in [(1, "1"), (1000, "1"), (1001, "2"), (90_500, "91")] {
        let service = service();
        let deadline = Duration::from_millis(milliseconds);
        let client = builder(&service).deadline(deadline).build().unwrap();
        // The first is over before it is answered.
        let _ = block_on(Ask::Stream.run(&client));
        assert_eq!(met(&service, Call::Stream)[0].header("x-server-timeout"), Some(told));
    }
    let service = service();
    block_on(Ask::Generate.run(&client(&service))).unwrap();
    assert_eq!(service.requests()[0].header("x-server-timeout"), None);
}

#[test]
fn a_request_that_is_too_large_is_refused_before_anything_is_sent() {
    let service = service();
    let request = GenerateRequest::user(vec![Part::inline("image/png", vec![7; 10_000])]);
    let length = request.body().length();
    let limited = |bytes| builder(&service).largest_request(bytes).build().unwrap();
    let client = limited(length - 1);
    let found = [
        block_on(client.generate(MODEL, &request)).map(drop),
        block_on(client.stream(MODEL, &request)).map(drop),
        block_on(client.count_tokens(MODEL, &request)).map(drop),
    ];
    for result in found {
        let error = result.unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { found, allowed }
                if found == length && allowed == length - 1),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("upload"));
    }
    assert!(service.requests().is_empty());
    block_on(limited(length).generate(MODEL, &request)).unwrap();
    assert_eq!(service.requests()[0].body_length, length);
}

/// What the service itself finds too large: one try, and a way out.
#[test]
fn a_body_beyond_the_service_s_limit_is_a_refusal() {
    let service = service();
    service.set_body_limit(1000);
    let request = GenerateRequest::user(vec![Part::inline("image/png", vec![7; 300_000])]);
    let error = block_on(client(&service).generate(MODEL, &request)).unwrap_err();
    assert_eq!((error.api().unwrap().http, met(&service, Call::Generate).len()), (413, 1));
    assert!(error.hint().unwrap().contains("upload"), "{error}");
}

/// A program that prints another token each time; `folder` keeps count.
fn tokens(folder: &std::path::Path) -> TokenSource {
    let count = folder.join("count").display().to_string();
    let script = format!("echo x >> '{count}'; echo token-$(wc -l < '{count}' | tr -d ' ')");
    TokenSource::Command { program: "/bin/sh".to_owned(), arguments: vec!["-c".to_owned(), script] }
}

fn bearers(service: &Service) -> Vec<String> {
    let bearer = |request: &mediaprep_service::Recorded| {
        request.header("authorization").unwrap_or_default().to_owned()
    };
    service.requests().iter().map(bearer).collect()
}

#[test]
fn an_expired_token_is_replaced_once() {
    for ask in [Ask::Generate, Ask::Stream, Ask::Count] {
        let folder = tempfile::tempdir().unwrap();
        let service = service();
        let client = Client::vertex("p", "us-central1", tokens(folder.path()));
        let client = client.base_url(service.base_url()).retry(quick()).build().unwrap();
        block_on(ask.run(&client)).unwrap();
        service.push_fault(ask.call(), Fault::expired_token());
        block_on(ask.run(&client)).unwrap();
        assert_eq!(bearers(&service), ["Bearer token-1", "Bearer token-1", "Bearer token-2"]);
        service.clear_records();
        service.always(ask.call(), Fault::expired_token());
        let error = block_on(ask.run(&client)).unwrap_err();
        assert_eq!(bearers(&service), ["Bearer token-2", "Bearer token-3"], "{ask:?}");
        assert_eq!((error.api().unwrap().http, error.class()), (401, Class::Never));
        assert!(error.hint().unwrap().contains("token"));
    }
}

/// The same for the start of an upload, and for its pieces where they carry the token.
#[test]
fn an_expired_token_is_replaced_while_uploading() {
    let folder = tempfile::tempdir().unwrap();
    let service = service();
    let client = Client::developer_api_with_token(tokens(folder.path()))
        .quota_project("p")
        .base_url(service.base_url())
        .upload_address(mediaprep_client::UploadAddress::Rewrite)
        .retry(quick())
        .build()
        .unwrap();
    service.push_fault(Call::UploadStart, Fault::expired_token());
    service.push_fault(Call::UploadFinalize, Fault::expired_token());
    block_on(Ask::Upload.run(&client)).unwrap();
    let expected = [1, 2, 2, 3].map(|number| format!("Bearer token-{number}"));
    assert_eq!(bearers(&service), expected);
    assert_eq!(service.files().len(), 1);
}

#[test]
fn a_token_that_cannot_be_replaced_is_tried_once() {
    let service = service();
    service.always(Call::Any, Fault::expired_token());
    let token = TokenSource::Static(Secret::new("fake-bearer-token"));
    let client = Client::vertex("p", "global", token).base_url(service.base_url());
    let error = block_on(Ask::Generate.run(&client.build().unwrap())).unwrap_err();
    assert_eq!((error.api().unwrap().http, service.requests().len()), (401, 1));
}

/// Nobody is there at all.
#[test]
fn an_address_without_a_server_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for ask in ASKS {
        let client = Client::developer_api(Secret::new(KEY)).base_url(&base).retry(quick());
        let error = block_on(ask.run(&client.build().unwrap())).unwrap_err();
        assert!(
            matches!(&error, Error::Transport { source: TransportError::Connect { .. }, tries: 5 }),
            "{ask:?} {error:?}"
        );
        assert!(error.hint().unwrap().contains("network"));
    }
}

/// The other calls go through the same retries.
#[test]
fn looking_after_files_survives_overloads_too() {
    let service = service();
    let client = client(&service);
    block_on(async {
        let file = crate::common::upload(&client, 10).await.unwrap();
        for call in [Call::FileGet, Call::FileList, Call::FileDelete, Call::Model] {
            service.push_fault(call, Fault::overloaded());
            service.push_fault(call, Fault::LoseAnswer);
        }
        assert_eq!(client.files().get(&file.uri).await.unwrap().name, file.name);
        assert_eq!(client.files().list(None).next().await.unwrap().unwrap().name, file.name);
        assert!(client.model(MODEL).await.unwrap().input_token_limit.unwrap() > 1000);
        // Whose answer was lost is gone already, and that is what was wanted.
        let _ = client.files().delete(&file.name).await;
    });
    assert!(service.files().is_empty());
}

/// Any of the calls can be spawned on a runtime with several threads.
#[test]
fn futures_can_move_between_threads() {
    fn assert_send<T: Send>(_: T) {}
    let service = service();
    let client = client(&service);
    let (request, options) = (question(), crate::common::video());
    let source = || std::sync::Arc::new(mediaprep_client::BytesSource::new(vec![1]));
    let files = client.files();
    assert_send(client.generate(MODEL, &request));
    assert_send(client.stream(MODEL, &request));
    assert_send(client.count_tokens(MODEL, &request));
    assert_send(files.upload(source(), &options));
    assert_send(files.wait_active(mediaprep_client::File::default(), Duration::ZERO, |_, _| {}));
    let delivery = mediaprep_client::Delivery::new(&client);
    assert_send(delivery.upload(&[]));
    assert_send(delivery.generate(MODEL, &[], |_| question()));
}
