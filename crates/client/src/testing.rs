//! Doubles for tests: a clock that only moves when somebody sleeps, a transport that plays answers.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;

use crate::transport::{
    BoxFuture, Clock, Payload, Request, Response, ResponseBody, Transport, TransportError,
};

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

#[derive(Default)]
pub(crate) struct ManualClock(Mutex<Duration>);

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn unix_seconds(&self) -> u64 {
        1_700_000_000 + self.now().as_secs()
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'_, ()> {
        *self.0.lock().unwrap() += length;
        Box::pin(async {})
    }
}

/// What a request was, its body read to the end.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) verb: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// One played answer.
pub(crate) struct Played {
    code: u16,
    headers: Vec<(String, String)>,
    pieces: VecDeque<Result<Bytes, TransportError>>,
}

impl Played {
    pub(crate) fn new(code: u16, body: impl AsRef<[u8]>) -> Self {
        let pieces = VecDeque::from([Ok(Bytes::copy_from_slice(body.as_ref()))]);
        Self { code, headers: Vec::new(), pieces }
    }

    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The connection breaks where the body ends.
    pub(crate) fn cut(mut self) -> Self {
        self.pieces.push_back(Err(broken()));
        self
    }
}

pub(crate) fn broken() -> TransportError {
    TransportError::Broken { detail: "reset".to_owned() }
}

#[derive(Default)]
pub(crate) struct Replay {
    answers: Mutex<VecDeque<Result<Played, TransportError>>>,
    sent: Mutex<Vec<Sent>>,
}

impl Replay {
    pub(crate) fn new(answers: impl IntoIterator<Item = Played>) -> Self {
        Self::with(answers.into_iter().map(Ok))
    }

    pub(crate) fn with(answers: impl IntoIterator<Item = Result<Played, TransportError>>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), sent: Mutex::default() }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

impl Transport for Replay {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let Request { verb, url, headers, body } = request;
        let mut bytes = Vec::new();
        match body {
            Payload::Empty => {}
            Payload::Bytes(body) => bytes.extend_from_slice(&body),
            Payload::Chunks { mut source, .. } => {
                while let Some(piece) = source.next_chunk() {
                    bytes.extend_from_slice(&piece.unwrap());
                }
            }
        }
        self.sent.lock().unwrap().push(Sent { verb, url, headers, body: bytes });
        let next = self.answers.lock().unwrap().pop_front().expect("no more answers to play");
        Box::pin(async {
            next.map(|played| Response {
                code: played.code,
                headers: played.headers,
                body: Box::new(Pieces(played.pieces)) as Box<dyn ResponseBody>,
            })
        })
    }
}

struct Pieces(VecDeque<Result<Bytes, TransportError>>);

impl ResponseBody for Pieces {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        let next = self.0.pop_front().transpose();
        Box::pin(async { next })
    }
}

/// Takes an upload, and does one wrong thing after another.
pub(crate) struct Flaky {
    granularity: u64,
    faults: Mutex<VecDeque<u8>>,
    stored: Mutex<Vec<u8>>,
    ended: Mutex<bool>,
}

impl Flaky {
    pub(crate) fn new(granularity: u64, faults: Vec<u8>) -> Self {
        let faults = Mutex::new(faults.into());
        Self { granularity, faults, stored: Mutex::default(), ended: Mutex::new(false) }
    }

    pub(crate) fn stored(&self) -> Vec<u8> {
        self.stored.lock().unwrap().clone()
    }

    fn status(&self) -> Played {
        if *self.ended.lock().unwrap() {
            let length = self.stored().len();
            let file = format!(r#"{{"file":{{"name":"files/x","sizeBytes":"{length}"}}}}"#);
            return Played::new(200, file).header("x-goog-upload-status", "final");
        }
        Played::new(200, "")
            .header("x-goog-upload-status", "active")
            .header("x-goog-upload-size-received", self.stored().len())
    }

    fn take(&self, sent: &Sent) -> Result<Played, TransportError> {
        let command = sent.header("x-goog-upload-command").unwrap();
        if command == "start" {
            return Ok(Played::new(200, "")
                .header("x-goog-upload-status", "active")
                .header("x-goog-upload-url", "http://u/")
                .header("x-goog-upload-chunk-granularity", self.granularity));
        }
        let fault = self.faults.lock().unwrap().pop_front().unwrap_or(0);
        if fault == 1 {
            return Ok(Played::new(503, "busy"));
        }
        if command == "query" {
            return if fault == 2 { Err(broken()) } else { Ok(self.status()) };
        }
        let offset: usize = sent.header("x-goog-upload-offset").unwrap().parse().unwrap();
        let ended = *self.ended.lock().unwrap();
        if ended || offset != self.stored().len() {
            return Ok(Played::new(400, "another offset is expected"));
        }
        let part = if fault == 3 || fault == 4 { sent.body.len() / 3 } else { sent.body.len() };
        self.stored.lock().unwrap().extend_from_slice(&sent.body[..part]);
        *self.ended.lock().unwrap() = command.ends_with("finalize") && part == sent.body.len();
        match fault {
            2 | 3 => Err(broken()),
            5 => Ok(Played::new(200, "{\"file\":").header("x-goog-upload-status", "final").cut()),
            _ => Ok(self.status()),
        }
    }
}

impl Transport for Flaky {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let inner = Replay::default();
        inner.answers.lock().unwrap().push_back(Ok(Played::new(200, "")));
        drop(block_now(inner.send(request)));
        let sent = inner.sent().remove(0);
        let replay = Replay::with([self.take(&sent)]);
        let answer =
            Request { verb: "GET", url: String::new(), headers: vec![], body: Payload::Empty };
        let answered = block_now(replay.send(answer));
        Box::pin(async { answered })
    }
}

/// The doubles never wait.
fn block_now<T>(work: BoxFuture<'_, T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(work).as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("a double waited"),
    }
}
