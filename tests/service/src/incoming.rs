use std::{future::poll_fn, pin::Pin, sync::Arc};

use axum::{
    body::{Body, BodyDataStream},
    http::{HeaderMap, header::CONTENT_LENGTH, request::Parts},
};
use bytes::Bytes;
use futures_core::Stream;
use sha2::{Digest, Sha256};

use crate::{
    connection::Connection,
    record::{Framing, KEPT, Recorded},
    refusal::Refusal,
    route::{Route, parameters},
    store::{Bodies, Shared},
};

/// A request being answered. Whatever is read of its body is recorded as it is read.
pub(crate) struct Incoming {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connection: Connection,
    pub(crate) route: Route,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    body: BodyDataStream,
    framing: Framing,
    /// Its place among the records.
    record: usize,
    bodies: Bodies,
    hasher: Sha256,
    complete: bool,
}

impl Incoming {
    /// Takes in a request and records its head.
    pub(crate) fn new(
        shared: Arc<Shared>,
        connection: Connection,
        head: Parts,
        body: Body,
    ) -> Self {
        let mut state = shared.lock();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let prefix = state.settings.path_prefix.clone();
        // A path outside the prefix belongs to no route, as behind a gateway.
        let inner = path.strip_prefix(prefix.as_str()).unwrap_or("/");
        let route = Route::of(&head.method, inner, query, &head.headers);
        let framing = framing(&head.headers);
        let bodies = state.settings.bodies;
        let record = state.recorded.len();
        state.recorded.push(Recorded {
            call: route.call,
            method: head.method.as_str().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: head.headers.iter().map(recorded_header).collect(),
            framing,
            body: Vec::new(),
            body_length: 0,
            body_sha256: String::new(),
            complete: false,
            status: None,
        });
        drop(state);
        let (path, query) = (path.to_owned(), parameters(query));
        let (headers, body) = (head.headers, body.into_data_stream());
        let hasher = Sha256::new();
        let complete = false;
        Self {
            shared,
            connection,
            route,
            path,
            query,
            headers,
            body,
            framing,
            record,
            bodies,
            hasher,
            complete,
        }
    }

    /// A header as text; `None` when it is missing or not ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The length of the body where the request says it.
    pub(crate) fn length(&self) -> Option<u64> {
        match self.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        }
    }

    /// The next bytes of the body: `None` at its end, an error when the client went away.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        let next = poll_fn(|context| Pin::new(&mut self.body).poll_next(context)).await;
        match &next {
            Some(Ok(bytes)) => self.note(bytes),
            Some(Err(_)) => {}
            None => self.complete = true,
        }
        next
    }

    fn note(&mut self, bytes: &Bytes) {
        if self.bodies != (Bodies::Sunk { hashed: false }) {
            self.hasher.update(bytes);
        }
        let mut state = self.shared.lock();
        let Some(record) = state.recorded.get_mut(self.record) else { return };
        record.body_length += bytes.len() as u64;
        if self.bodies == Bodies::Kept {
            let room = KEPT.saturating_sub(record.body.len()).min(bytes.len());
            record.body.extend_from_slice(&bytes[..room]);
        }
    }

    /// Reads what is left of the body and throws it away. Without this an early answer could be
    /// lost: the connection would be reset under what the client is still sending.
    pub(crate) async fn drain(&mut self) {
        while !self.connection.is_reset() && !self.complete {
            let Some(Ok(_)) = self.next().await else { break };
        }
    }

    /// The whole body, within the body limit. `None` when bodies are sunk and this one is larger
    /// than what is kept otherwise.
    pub(crate) async fn whole(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let limit = self.shared.lock().settings.body_limit;
        let sunk = self.bodies != Bodies::Kept;
        let (mut body, mut length) = (Vec::new(), 0_u64);
        while let Some(bytes) = self.next().await {
            let bytes = bytes.map_err(|_| Refusal::departure())?;
            length += bytes.len() as u64;
            let held = length <= limit && !(sunk && length > KEPT as u64);
            if held {
                body.extend_from_slice(&bytes);
            } else {
                body = Vec::new();
            }
        }
        if length > limit {
            let message = format!("Request payload size exceeds the limit: {limit} bytes.");
            return Err(Refusal::new(413, "", message));
        }
        Ok((!sunk || length <= KEPT as u64).then_some(body))
    }

    /// Records the status of the answer.
    pub(crate) fn answered(&self, status: u16) {
        if let Some(record) = self.shared.lock().recorded.get_mut(self.record) {
            record.status = Some(status);
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let hashed = self.bodies != (Bodies::Sunk { hashed: false });
        let digest = self.hasher.finalize_reset();
        if let Some(record) = self.shared.lock().recorded.get_mut(self.record) {
            record.complete = self.complete || self.framing == Framing::None;
            if hashed {
                record.body_sha256 = hex(&digest);
            }
        }
    }
}

fn framing(headers: &HeaderMap) -> Framing {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.and_then(|length| length.parse().ok()) {
        Some(length) => Framing::Length(length),
        None if headers.contains_key("transfer-encoding") => Framing::Chunked,
        None => Framing::None,
    }
}

fn recorded_header(
    (name, value): (&axum::http::HeaderName, &axum::http::HeaderValue),
) -> (String, String) {
    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
