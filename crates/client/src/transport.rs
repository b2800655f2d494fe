//! The seam between what is said and how it travels.
//!
//! Everything above it is tested against recorded answers without a socket; [`crate::Http`] is the
//! implementor that opens connections.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// A future that may be kept, sent to another thread and named.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request as it goes over the network.
pub struct Request {
    /// The HTTP verb.
    pub verb: &'static str,
    /// The whole address. That of an upload is a capability, so it is no more for logs than a key.
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, String)>,
    /// What follows them.
    pub body: Payload,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        let path = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("Request")
            .field("verb", &self.verb)
            .field("path", &path)
            .field("headers", &names)
            .field("length", &self.body.length())
            .finish()
    }
}

/// The body of a request.
pub enum Payload {
    /// None.
    Empty,
    /// Bytes at hand.
    Bytes(Bytes),
    /// Bytes that are made while they are sent.
    Chunks {
        /// How many bytes there will be.
        length: u64,
        /// Where they come from.
        source: Box<dyn ChunkSource>,
    },
}

impl Payload {
    /// Bytes of the body.
    pub fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Chunks { length, .. } => *length,
        }
    }
}

/// Gives a body piece by piece; reading may block.
pub trait ChunkSource: Send {
    /// The next piece; `None` at the end.
    fn next_chunk(&mut self) -> Option<io::Result<Bytes>>;
}

/// The beginning of an answer.
pub struct Response {
    /// The HTTP code.
    pub code: u16,
    /// Names in lower case, and values; a value that is no text is left out.
    pub headers: Vec<(String, String)>,
    /// What follows.
    pub body: Box<dyn ResponseBody>,
}

impl Response {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("code", &self.code).finish_non_exhaustive()
    }
}

/// The bytes of an answer as they come.
pub trait ResponseBody: Send {
    /// The next piece; `None` at the end.
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>>;
}

/// Sends one request and gives what comes back.
pub trait Transport: Send + Sync {
    /// An answer with any code is an answer; only what prevents one is an error.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;
}

/// Why no answer came, or why it broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection could be made.
    #[error("no connection: {detail}")]
    Connect {
        /// What the system says, without the address.
        detail: String,
    },
    /// The connection broke.
    #[error("the connection broke: {detail}")]
    Broken {
        /// What the system says, without the address.
        detail: String,
    },
    /// Nothing was sent or received for too long.
    #[error("nothing was sent or received for {} s", idle.as_secs_f32())]
    Idle {
        /// The longest silence that is allowed.
        idle: Duration,
    },
    /// The body could not be read.
    #[error("cannot read what is to be sent: {0}")]
    Body(#[source] io::Error),
    /// The request cannot be sent at all.
    #[error("the request cannot be sent: {detail}")]
    Invalid {
        /// What is wrong with it.
        detail: String,
    },
}

/// Time, so that tests of waiting take none.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment; never goes back.
    fn now(&self) -> Duration;
    /// Seconds since 1970.
    fn unix_seconds(&self) -> u64;
    /// Waits.
    fn sleep(&self, length: Duration) -> BoxFuture<'_, ()>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: std::time::Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { origin: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn unix_seconds(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}
