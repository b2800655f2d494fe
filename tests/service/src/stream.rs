use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_core::Stream;
use serde_json::{Value, json};

use crate::{fault::StreamFault, refusal::set_header};

/// How events are written down.
struct Form {
    line_end: &'static str,
    field: &'static str,
    /// One `data:` line for each line of the indented event.
    multi_line: bool,
    comments: bool,
}

impl Form {
    fn of(fault: Option<StreamFault>) -> Self {
        let line_end = match fault {
            Some(StreamFault::CarriageReturn) => "\r",
            Some(StreamFault::LineFeed) => "\n",
            _ => "\r\n",
        };
        Self {
            line_end,
            field: if fault == Some(StreamFault::NoSpace) { "data:" } else { "data: " },
            multi_line: fault == Some(StreamFault::MultiLine),
            comments: fault == Some(StreamFault::CommentLines),
        }
    }

    fn event(&self, event: &Value) -> Vec<u8> {
        let (end, field) = (self.line_end, self.field);
        let text = if self.multi_line { format!("{event:#}") } else { event.to_string() };
        let mut written = String::new();
        if self.comments {
            written.push_str(&format!(": keep-alive{end}{end}: the next event{end}"));
        }
        for line in text.lines() {
            written.push_str(&format!("{field}{line}{end}"));
        }
        written.push_str(end);
        written.into_bytes()
    }
}

/// A streamed answer of these events; the fault bends it.
pub(crate) fn events(mut events: Vec<Value>, fault: Option<StreamFault>) -> Response {
    let form = Form::of(fault);
    let tail = bend(&mut events, fault);
    if fault == Some(StreamFault::JsonArray) {
        return array(&events);
    }
    let mut pieces: Vec<Piece> =
        events.iter().map(|event| Piece::Bytes(form.event(event).into())).collect();
    pieces.extend(tail);
    if fault == Some(StreamFault::Dribble) {
        pieces = dribble(&pieces);
    }
    let mut response = Response::new(Body::from_stream(Pieces::new(pieces)));
    set_header(&mut response, "content-type", "text/event-stream");
    response
}

/// The events as one JSON array that is sent item by item.
pub(crate) fn array(events: &[Value]) -> Response {
    let mut pieces = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let before = if at == 0 { "[" } else { ",\r\n" };
        pieces.push(Piece::Bytes(format!("{before}{event:#}").into_bytes().into()));
    }
    let end = if events.is_empty() { "[]" } else { "]" };
    pieces.push(Piece::Bytes(Bytes::from_static(end.as_bytes())));
    let mut response = Response::new(Body::from_stream(Pieces::new(pieces)));
    set_header(&mut response, "content-type", "application/json; charset=UTF-8");
    response
}

/// Changes the events as the fault wants, and says what comes behind them.
fn bend(events: &mut Vec<Value>, fault: Option<StreamFault>) -> Vec<Piece> {
    let error = overloaded();
    let text = |text: String| vec![Piece::Bytes(text.into_bytes().into())];
    match fault {
        Some(StreamFault::CutAfter(count)) => {
            events.truncate(count);
            return vec![Piece::Cut];
        }
        Some(StreamFault::NoFinish) => unfinish(events),
        Some(StreamFault::ErrorEvent) => {
            events.pop();
            events.push(error);
        }
        Some(StreamFault::BareError) => {
            events.pop();
            return text(format!("{error:#}\n"));
        }
        Some(StreamFault::TwoObjects) => {
            events.pop();
            return text(format!("{error:#}{error:#}"));
        }
        Some(StreamFault::Done) => return text("data: [DONE]\r\n\r\n".into()),
        Some(StreamFault::SafetyEnd) => {
            events.pop();
            events.push(safety_end());
        }
        Some(StreamFault::PromptFeedbackOnly) => {
            *events = vec![json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})];
        }
        Some(StreamFault::ThoughtSignatureLast) => {
            unfinish(events);
            events.push(signature_end());
        }
        Some(StreamFault::Empty) => events.clear(),
        _ => {}
    }
    Vec::new()
}

fn unfinish(events: &mut [Value]) {
    for event in events {
        for candidate in event["candidates"].as_array_mut().into_iter().flatten() {
            if let Some(candidate) = candidate.as_object_mut() {
                candidate.remove("finishReason");
            }
        }
    }
}

fn overloaded() -> Value {
    let message = "The model is overloaded. Please try again later.";
    json!({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}})
}

fn safety_end() -> Value {
    let category = "HARM_CATEGORY_DANGEROUS_CONTENT";
    json!({"candidates": [{
        "finishReason": "SAFETY",
        "index": 0,
        "safetyRatings": [{"category": category, "probability": "HIGH", "blocked": true}],
    }]})
}

fn signature_end() -> Value {
    let part = json!({"text": "", "thoughtSignature": "RkFLRS1USE9VR0hULVNJR05BVFVSRQ=="});
    let content = json!({"parts": [part], "role": "model"});
    json!({"candidates": [{"content": content, "finishReason": "STOP", "index": 0}]})
}

/// The same bytes in pieces of 1 to 7.
fn dribble(pieces: &[Piece]) -> Vec<Piece> {
    let mut small = Vec::new();
    for piece in pieces {
        let Piece::Bytes(bytes) = piece else { continue };
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            // 1, 4, 7, 3, 6, 2, 5, and again.
            let length = (small.len() * 3 % 7 + 1).min(rest.len());
            small.push(Piece::Bytes(rest.split_to(length)));
        }
    }
    small
}

/// A piece of a streamed body.
enum Piece {
    Bytes(Bytes),
    /// The connection closes here.
    Cut,
}

/// Pieces that each leave on their own.
struct Pieces {
    pieces: VecDeque<Piece>,
    /// Whether what went before was given the time to leave.
    rested: bool,
}

impl Pieces {
    fn new(pieces: Vec<Piece>) -> Self {
        // The head leaves first, also when the body is cut before its first byte.
        Self { pieces: pieces.into(), rested: false }
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.rested {
            // The connection flushes when the body is not ready, else it would join pieces.
            self.rested = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.rested = false;
        Poll::Ready(self.pieces.pop_front().map(|piece| match piece {
            Piece::Bytes(bytes) => Ok(bytes),
            Piece::Cut => Err(io::ErrorKind::ConnectionAborted.into()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_an_event() {
        let event = json!({"a": [1]});
        let written = |fault| String::from_utf8(Form::of(fault).event(&event)).unwrap();
        assert_eq!(written(None), "data: {\"a\":[1]}\r\n\r\n");
        assert_eq!(written(Some(StreamFault::NoSpace)), "data:{\"a\":[1]}\r\n\r\n");
        assert_eq!(written(Some(StreamFault::CarriageReturn)), "data: {\"a\":[1]}\r\r");
        let lines = "data: {\r\ndata:   \"a\": [\r\ndata:     1\r\ndata:   ]\r\ndata: }\r\n\r\n";
        assert_eq!(written(Some(StreamFault::MultiLine)), lines);
    }

    #[test]
    fn dribbling_loses_nothing() {
        let text = "data: {\"text\":\"红色的正方形\"}\r\n\r\n";
        let small = dribble(&[Piece::Bytes(Bytes::from_static(text.as_bytes()))]);
        let mut joined = Vec::new();
        for piece in small {
            let Piece::Bytes(bytes) = piece else { panic!("only bytes") };
            assert!((1..=7).contains(&bytes.len()));
            joined.extend_from_slice(&bytes);
        }
        assert_eq!(joined, text.as_bytes());
    }
}
