//! Sending over connections, by `reqwest`.
//!
//! TLS is rustls with ring: its other provider takes two minutes to build. Redirects are not
//! followed, since they would carry the key to another host.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::race::{First, race};
use crate::transport::{
    BoxFuture, ChunkSource, Payload, Request, Response, ResponseBody, Transport, TransportError,
};

/// How long silence may last. There is no bound on the whole: that is the deadline's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands; 20 s by default.
    pub connect: Duration,
    /// Between two bytes in either direction; 10 minutes by default, since a model may think for
    /// minutes before it answers.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(20), idle: Duration::from_secs(600) }
    }
}

/// The transport that opens connections.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    idle: Duration,
}

impl Http {
    /// Prepares TLS and a pool of connections; opens none.
    ///
    /// # Errors
    ///
    /// [`TransportError::Invalid`] where TLS cannot be set up.
    pub fn new(timeouts: Timeouts) -> Result<Self, TransportError> {
        // Another part of the program may have chosen a provider already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(timeouts.connect)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("mediaprep/", env!("CARGO_PKG_VERSION")))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| TransportError::Invalid { detail: detail(error) })?;
        Ok(Self { client, idle: timeouts.idle })
    }

    async fn post(&self, request: Request) -> Result<Response, TransportError> {
        let pulse = Pulse::new(self.idle);
        let (request, failed) = self.build(request, &pulse)?;
        let sent = pulse.guard(self.client.execute(request)).await?;
        let answer = sent.map_err(|error| match failed.take() {
            Some(error) => TransportError::Body(error),
            None => classify(error),
        })?;
        let text = |value: &reqwest::header::HeaderValue| value.to_str().ok().map(str::to_owned);
        let headers = answer.headers().iter();
        Ok(Response {
            code: answer.status().as_u16(),
            headers: headers.filter_map(|(k, v)| Some((k.to_string(), text(v)?))).collect(),
            body: Box::new(HttpBody { answer, idle: self.idle }),
        })
    }

    fn build(
        &self,
        request: Request,
        pulse: &Pulse,
    ) -> Result<(reqwest::Request, Failed), TransportError> {
        let invalid = |detail: String| TransportError::Invalid { detail };
        let verb = reqwest::Method::from_bytes(request.verb.as_bytes())
            .map_err(|error| invalid(error.to_string()))?;
        let mut building = self.client.request(verb, request.url);
        for (name, value) in request.headers {
            let mut value = reqwest::header::HeaderValue::from_str(&value).map_err(|_| {
                invalid(format!("the header {name} has characters it cannot carry"))
            })?;
            value.set_sensitive(true);
            building = building.header(name, value);
        }
        let failed = Failed::default();
        let building = match request.body {
            // An empty body has a stated length of nothing: without it uploads are refused.
            Payload::Empty if request.verb == "POST" => building.header("content-length", "0"),
            Payload::Empty => building,
            Payload::Bytes(bytes) => building.body(bytes),
            Payload::Chunks { length, source } => {
                let chunks = pump(source, pulse.clone(), failed.clone());
                let building = building.header("content-length", length);
                building.body(reqwest::Body::wrap_stream(chunks))
            }
        };
        let built = building.build().map_err(|error| invalid(detail(error)))?;
        Ok((built, failed))
    }
}

impl Transport for Http {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.post(request))
    }
}

/// Why the body could not be read: the connection's own error would only say that it ended.
#[derive(Clone, Debug, Default)]
struct Failed(Arc<Mutex<Option<io::Error>>>);

impl Failed {
    fn set(&self, error: io::Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Pieces that wait to be sent while the next is read: one, so that reading and sending overlap.
const WAITING: usize = 1;

/// Reads on a thread that may block, and stops when nobody takes the pieces any more.
fn pump(mut source: Box<dyn ChunkSource>, pulse: Pulse, failed: Failed) -> Pieces {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        while let Some(piece) = source.next_chunk() {
            let broken = piece.is_err();
            let piece = piece.map_err(|error| {
                let short = io::Error::from(error.kind());
                failed.set(error);
                short
            });
            if sender.blocking_send(piece).is_err() || broken {
                return;
            }
        }
    });
    Pieces { receiver, pulse }
}

struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    pulse: Pulse,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = self.receiver.poll_recv(context);
        if piece.is_ready() {
            self.pulse.beat();
        }
        piece
    }
}

/// When something last moved.
#[derive(Clone, Debug)]
struct Pulse {
    idle: Duration,
    last: Arc<Mutex<Instant>>,
}

impl Pulse {
    fn new(idle: Duration) -> Self {
        Self { idle, last: Arc::new(Mutex::new(Instant::now())) }
    }

    fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends when nothing has moved for too long.
    async fn stop(&self) {
        loop {
            let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let end = last + self.idle;
            if Instant::now() >= end {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }

    async fn guard<F: Future>(&self, work: F) -> Result<F::Output, TransportError> {
        match race(work, self.stop()).await {
            First::Work(done) => Ok(done),
            First::Other(()) => Err(TransportError::Idle { idle: self.idle }),
        }
    }
}

struct HttpBody {
    answer: reqwest::Response,
    idle: Duration,
}

impl ResponseBody for HttpBody {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        Box::pin(async move {
            let chunk = Pulse::new(self.idle).guard(self.answer.chunk()).await?;
            chunk.map_err(classify)
        })
    }
}

fn classify(error: reqwest::Error) -> TransportError {
    if error.is_connect() {
        TransportError::Connect { detail: detail(error) }
    } else if error.is_builder() {
        TransportError::Invalid { detail: detail(error) }
    } else {
        TransportError::Broken { detail: detail(error) }
    }
}

/// The error with its causes and without the address, which may be a capability.
fn detail(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = next.source();
    }
    text
}
