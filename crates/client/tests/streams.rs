//! Answers that come in pieces, in every form in which they have been seen to come.

use std::io::Write;
use std::time::{Duration, Instant};

use mediaprep_client::TransportError;
use mediaprep_client::{Class, Client, Error, Outcome, RetryPolicy, Secret, Timeouts};
use mediaprep_parts::FinishReason;
use mediaprep_service::{Call, Fault, StreamFault};

use crate::common::{
    KEY, MODEL, Streamed, block_on, builder, client, drain, met, question, quick, service,
};
use crate::faults::trickle;

const TEXT: &str = "A red square — ein rotes Quadrat, 红色的正方形 🟥.";
/// What comes before the last of the three events.
const BEGINNING: &str = "A red square — ein rotes Quadrat, ";

/// The stream with a fault; asked once, whatever happens to it.
fn streamed(fault: StreamFault) -> Streamed {
    let service = service();
    service.always(Call::Stream, Fault::Stream(fault));
    let client = client(&service);
    let streamed =
        block_on(async { drain(client.stream(MODEL, &question()).await.unwrap()).await });
    assert_eq!(met(&service, Call::Stream).len(), 1, "{fault:?} is asked for again");
    streamed
}

#[test]
fn every_framing_gives_the_same_text() {
    for fault in [
        StreamFault::NoSpace,
        StreamFault::CommentLines,
        StreamFault::Done,
        StreamFault::CarriageReturn,
        StreamFault::LineFeed,
        StreamFault::MultiLine,
        StreamFault::Dribble,
        StreamFault::JsonArray,
    ] {
        let streamed = streamed(fault);
        assert!(streamed.error.is_none(), "{fault:?} {:?}", streamed.error);
        assert_eq!(streamed.pieces.len(), 3, "{fault:?}");
        assert_eq!(streamed.generated.outcome, Outcome::Text(TEXT.to_owned()), "{fault:?}");
        assert!(streamed.generated.usage.unwrap().total_token_count.is_some());
    }
}

#[test]
fn an_error_behind_good_events_comes_after_them() {
    for fault in [StreamFault::ErrorEvent, StreamFault::BareError, StreamFault::TwoObjects] {
        let streamed = streamed(fault);
        assert_eq!(streamed.pieces.len(), 2, "{fault:?}");
        let error = streamed.error.unwrap();
        let api = error.api().unwrap();
        assert_eq!((api.http, api.status.as_deref()), (503, Some("UNAVAILABLE")), "{fault:?}");
        assert!(api.message.contains("overloaded"), "{fault:?}");
        assert_eq!(streamed.generated.outcome, Outcome::Cut { text: BEGINNING.to_owned() });
    }
}

#[test]
fn a_stream_that_breaks_off_keeps_what_came() {
    for (count, text) in [(0, ""), (1, "A red "), (2, BEGINNING)] {
        let streamed = streamed(StreamFault::CutAfter(count));
        assert_eq!(streamed.pieces.len(), count);
        let error = streamed.error.unwrap();
        assert!(
            matches!(error, Error::Transport { source: TransportError::Broken { .. }, .. }),
            "{error}"
        );
        assert_eq!(streamed.generated.outcome, Outcome::Cut { text: text.to_owned() });
    }
}

#[test]
fn ends_that_are_no_success_are_told_apart() {
    let no_finish = streamed(StreamFault::NoFinish);
    assert!(no_finish.error.is_none());
    assert_eq!(no_finish.generated.outcome, Outcome::Cut { text: TEXT.to_owned() });
    assert!(no_finish.generated.outcome.trouble().is_some());
    let empty = streamed(StreamFault::Empty);
    assert!(empty.pieces.is_empty());
    assert_eq!(empty.generated.outcome, Outcome::Cut { text: String::new() });
    let safety = streamed(StreamFault::SafetyEnd).generated.outcome;
    assert!(matches!(&safety, Outcome::Stopped { reason: FinishReason::Safety, text, .. }
        if text == BEGINNING));
    let feedback = streamed(StreamFault::PromptFeedbackOnly);
    assert!(feedback.error.is_none());
    assert!(matches!(&feedback.generated.outcome, Outcome::Blocked { reason, .. }
        if reason.as_str() == "PROHIBITED_CONTENT"));
}

#[test]
fn a_signature_behind_the_text_is_kept() {
    let streamed = streamed(StreamFault::ThoughtSignatureLast);
    assert_eq!(streamed.pieces.len(), 4);
    assert_eq!(streamed.generated.outcome, Outcome::Text(TEXT.to_owned()));
    let last = streamed.generated.parts.last().unwrap();
    assert!(last.thought_signature.is_some(), "{last:?}");
}

/// Before its first byte a stream is a call like any other; then it is never asked for again.
#[test]
fn retries_end_with_the_first_byte() {
    let service = service();
    for fault in [Fault::overloaded(), Fault::Reset, Fault::Stream(StreamFault::CutAfter(1))] {
        service.push_fault(Call::Stream, fault);
    }
    let client = client(&service);
    let streamed =
        block_on(async { drain(client.stream(MODEL, &question()).await.unwrap()).await });
    assert_eq!(streamed.pieces.len(), 1);
    assert!(streamed.error.is_some());
    assert_eq!(met(&service, Call::Stream).len(), 3);
}

#[test]
fn a_stream_that_falls_silent_is_left() {
    let server = trickle(|stream| {
        let event = r#"data: {"candidates":[{"content":{"parts":[{"text":"so"}]}}]}"#;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        stream.write_all(format!("{head}{event}\r\n\r\ndata: {{").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_secs(2));
    });
    let timeouts = Timeouts { idle: Duration::from_millis(200), ..Timeouts::default() };
    let client = Client::developer_api(Secret::new(KEY)).base_url(server).timeouts(timeouts);
    let client = client.build().unwrap();
    let started = Instant::now();
    let streamed =
        block_on(async { drain(client.stream(MODEL, &question()).await.unwrap()).await });
    assert!(started.elapsed() < Duration::from_millis(1500));
    assert_eq!(streamed.generated.outcome, Outcome::Cut { text: "so".to_owned() });
    let error = streamed.error.unwrap();
    assert!(
        matches!(error, Error::Transport { source: TransportError::Idle { .. }, .. }),
        "{error}"
    );
}

/// A proxy may answer anything: no panic, no endless wait, and an error that shows it.
#[test]
fn what_is_no_stream_is_an_error() {
    for (body, says) in [
        ("<html><body>Login</body></html>", "Login"),
        ("data: {\"candidates\": oops}\r\n\r\n", "not understood"),
        ("data: {\"candidates\": [", "breaks off"),
        ("data: [1, 2]\r\n\r\n", "not understood"),
    ] {
        let server = trickle(move |stream| {
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
            let length = body.len();
            let answer = format!("{head}content-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let client = Client::developer_api(Secret::new(KEY)).base_url(server).retry(quick());
        let client = client.build().unwrap();
        let streamed =
            block_on(async { drain(client.stream(MODEL, &question()).await.unwrap()).await });
        let error = streamed.error.expect(body).to_string();
        assert!(error.contains(says), "{body}: {error}");
        assert!(!streamed.generated.outcome.is_text());
    }
}

/// An overload is met before the stream begins, so its class and count are those of any call.
#[test]
fn a_refusal_before_the_stream_is_the_call_s() {
    let service = service();
    service.always(Call::Stream, Fault::overloaded());
    let client = builder(&service).retry(RetryPolicy::never()).build().unwrap();
    let error = block_on(client.stream(MODEL, &question())).unwrap_err();
    assert_eq!((error.class(), error.api().unwrap().tries), (Class::Retry, 1));
}
