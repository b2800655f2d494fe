//! The client without asynchrony.

use std::sync::Arc;

use mediaprep_client::{BytesSource, Error, Outcome, blocking};
use mediaprep_service::{Call, Fault, StreamFault};

use crate::common::{MODEL, block_on, bytes, client, question, service, video};

#[test]
fn every_call_returns_when_it_is_done() {
    let service = service();
    let client = blocking::Client::new(client(&service)).unwrap();
    assert!(client.generate(MODEL, &question()).unwrap().outcome.is_text());
    assert_eq!(client.count_tokens(MODEL, &question()).unwrap().total_tokens, Some(4));
    assert!(client.model(MODEL).unwrap().name.contains(MODEL));
    let source = Arc::new(BytesSource::new(bytes(1 << 20)));
    let file = client.upload(source, &video()).unwrap();
    let files = client.asynchronous().files();
    assert_eq!(client.wait(files.get(&file.name)).unwrap().name, file.name);
}

#[test]
fn a_stream_is_an_iterator() {
    let service = service();
    let client = blocking::Client::new(client(&service)).unwrap();
    let mut stream = client.stream(MODEL, &question()).unwrap();
    let texts: Vec<String> = stream.by_ref().map(|piece| piece.unwrap().text()).collect();
    assert_eq!(texts, ["A red ", "square — ein rotes Quadrat, ", "红色的正方形 🟥."]);
    assert!(stream.next().is_none());
    assert_eq!(stream.into_generated().outcome, Outcome::Text(texts.concat()));
    service.push_fault(Call::Stream, Fault::Stream(StreamFault::CutAfter(2)));
    let pieces: Vec<_> = client.stream(MODEL, &question()).unwrap().collect();
    assert_eq!(pieces.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
}

/// Clones share a runtime, and threads may use them at once.
#[test]
fn threads_can_share_it() {
    let service = service();
    let client = blocking::Client::new(client(&service)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let client = client.clone();
            scope.spawn(move || {
                for _ in 0..3 {
                    client.generate(MODEL, &question()).unwrap();
                }
            });
        }
    });
    assert_eq!(service.requests().len(), 12);
}

#[test]
fn inside_a_runtime_every_call_is_an_error() {
    let service = service();
    let client = blocking::Client::new(client(&service)).unwrap();
    let mut stream = client.stream(MODEL, &question()).unwrap();
    service.clear_records();
    block_on(async {
        let source = Arc::new(BytesSource::new(bytes(10)));
        let found = [
            client.generate(MODEL, &question()).map(drop),
            client.stream(MODEL, &question()).map(drop),
            client.count_tokens(MODEL, &question()).map(drop),
            client.model(MODEL).map(drop),
            client.upload(source, &video()).map(drop),
            stream.next().unwrap().map(drop),
        ];
        for result in found {
            assert!(matches!(result, Err(Error::InsideRuntime)), "{result:?}");
        }
    });
    assert!(service.requests().is_empty());
    // Outside of it the stream goes on.
    assert!(stream.next().unwrap().is_ok());
}

/// Dropped inside a runtime, where a runtime of one's own must not be shut down by waiting.
#[test]
fn it_can_be_dropped_inside_a_runtime() {
    let service = service();
    let client = blocking::Client::new(client(&service)).unwrap();
    client.generate(MODEL, &question()).unwrap();
    block_on(async move { drop(client) });
}
