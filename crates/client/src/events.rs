//! Server-sent events, read from bytes that may be split anywhere, and the other things that come
//! down such a stream: bare JSON outside the framing, a list of answers, `[DONE]`.

use std::collections::VecDeque;

use serde_json::Value;

/// The most bytes of one event: an answer may carry pictures.
const LARGEST_EVENT: usize = 128 << 20;
/// Characters kept of a stream that holds neither events nor JSON: far more than are shown, so that
/// a secret among them is not cut in two before it is blotted out.
const NOISE: usize = 4096;

/// What a stream gives.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    /// One JSON value, from an event or outside the framing.
    Value(Value),
    /// An event whose data is no JSON.
    Malformed(String),
    /// `[DONE]`, as gateways send at the end.
    Done,
    /// More bytes than one event may have.
    TooLarge,
}

/// Turns bytes into events.
#[derive(Debug, Default)]
pub(crate) struct EventReader {
    line: Vec<u8>,
    /// A carriage return ended the last line, so a line feed behind it is part of the same end.
    after_return: bool,
    data: Option<Vec<u8>>,
    bare: Bare,
    noise: String,
    events: VecDeque<Event>,
}

impl EventReader {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_return) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(at) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.line.extend_from_slice(bytes);
                self.check_size();
                return;
            };
            self.line.extend_from_slice(&bytes[..at]);
            self.after_return = bytes[at] == b'\r';
            bytes = &bytes[at + 1..];
            self.end_line();
        }
    }

    /// The next event that is whole.
    pub(crate) fn next(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The stream has ended: what is pending is taken as it is. `true` when it broke off inside a
    /// value.
    pub(crate) fn finish(&mut self) -> bool {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.dispatch();
        let open = !self.bare.buffer.is_empty();
        let cut = matches!(self.events.back(), Some(Event::Malformed(_)));
        if cut {
            self.events.pop_back();
        }
        open || cut
    }

    /// Text that was neither event nor JSON, for the error's sake.
    pub(crate) fn noise(&self) -> &str {
        self.noise.trim()
    }

    fn check_size(&mut self) {
        let held =
            self.line.len() + self.data.as_ref().map_or(0, Vec::len) + self.bare.buffer.len();
        if held > LARGEST_EVENT {
            self.events.push_back(Event::TooLarge);
            self.line = Vec::new();
            self.data = None;
            self.bare = Bare::default();
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = line.trim_ascii_start();
        if !self.bare.buffer.is_empty() {
            self.feed_bare(&line);
        } else if line.is_empty() {
            self.dispatch();
        } else if let Some(data) = line.strip_prefix(b"data:") {
            let data = data.strip_prefix(b" ").unwrap_or(data);
            match &mut self.data {
                Some(pending) => {
                    pending.push(b'\n');
                    pending.extend_from_slice(data);
                }
                None => self.data = Some(data.to_vec()),
            }
        } else if matches!(text.first(), Some(b'{' | b'[' | b']' | b',')) {
            self.feed_bare(&line);
        } else if !is_field(&line) && self.noise.len() < NOISE {
            let text = String::from_utf8_lossy(&line);
            self.noise.extend(text.chars().take(NOISE));
            self.noise.push('\n');
        }
        self.check_size();
        // The buffer is used again for the next line.
        if self.line.capacity() == 0 && line.capacity() <= 1 << 16 {
            self.line = line;
            self.line.clear();
        }
    }

    fn feed_bare(&mut self, line: &[u8]) {
        self.bare.feed(line, &mut self.events);
        self.bare.feed(b"\n", &mut self.events);
    }

    fn dispatch(&mut self) {
        let Some(data) = self.data.take() else { return };
        match data.trim_ascii() {
            b"" => {}
            b"[DONE]" => self.events.push_back(Event::Done),
            json => self.events.push_back(parse(json)),
        }
    }
}

fn parse(json: &[u8]) -> Event {
    match serde_json::from_slice(json) {
        Ok(value) => Event::Value(value),
        Err(error) => Event::Malformed(error.to_string()),
    }
}

/// Comments and the fields that say nothing here.
fn is_field(line: &[u8]) -> bool {
    [&b":"[..], b"event", b"id", b"retry", b"data"].iter().any(|name| line.starts_with(name))
}

/// JSON objects one behind the other, or inside one list.
#[derive(Debug, Default)]
struct Bare {
    /// The object that has begun.
    buffer: Vec<u8>,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Bare {
    fn feed(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) {
        for &byte in bytes {
            // Between objects stand the list's own brackets, commas and white space.
            if self.depth == 0 && byte != b'{' {
                continue;
            }
            self.buffer.push(byte);
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' => self.depth += 1,
                b'}' => self.depth -= 1,
                _ => {}
            }
            if self.depth == 0 {
                events.push_back(parse(&std::mem::take(&mut self.buffer)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(pieces: &[&[u8]]) -> (Vec<Event>, bool) {
        let mut reader = EventReader::default();
        for piece in pieces {
            reader.push(piece);
        }
        let cut = reader.finish();
        (std::iter::from_fn(|| reader.next()).collect(), cut)
    }

    fn values(text: &str) -> Vec<Value> {
        let (events, cut) = read(&[text.as_bytes()]);
        assert!(!cut, "{text:?}");
        let value = |event| match event {
            Event::Value(value) => value,
            other => panic!("{other:?}"),
        };
        events.into_iter().map(value).collect()
    }

    #[test]
    fn every_framing_gives_the_same() {
        let expected = [json!({"a": "é{"}), json!({"b": [1]})];
        for text in [
            "data: {\"a\":\"é{\"}\n\ndata: {\"b\":[1]}\n\n",
            "data: {\"a\":\"é{\"}\r\n\r\ndata: {\"b\":[1]}\r\n\r\n",
            "data: {\"a\":\"é{\"}\r\rdata: {\"b\":[1]}\r\r",
            "data:{\"a\":\"é{\"}\n\ndata:{\"b\":[1]}\n\n",
            ": hello\n\nevent: x\nid: 1\ndata: {\"a\":\"é{\"}\n\n:\ndata: {\"b\":[1]}\n\n",
            "data: {\ndata: \"a\":\ndata: \"é{\"}\n\ndata: {\"b\":[1]}",
            "[{\n  \"a\": \"é{\"\n}\n,\r\n{\"b\": [1]}\n]\n",
            "{\"a\":\"é{\"}{\"b\":[1]}",
            "data: {\"a\":\"é{\"}\n\n{\n  \"b\": [\n    1\n  ]\n}\n",
        ] {
            assert_eq!(values(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_end_is_told() {
        assert_eq!(read(&[b"data: [DONE]\n\n"]), (vec![Event::Done], false));
        assert_eq!(read(&[b"data: {\"a\":1"]), (vec![], true));
        assert_eq!(read(&[b"[{\"a\":1},\n{\"b\""]), (vec![Event::Value(json!({"a": 1}))], true));
        let (events, cut) = read(&[b"data: nonsense\n\ndata: {}\n\n"]);
        assert!(matches!(events[0], Event::Malformed(_)) && !cut);
    }

    #[test]
    fn other_text_is_kept_for_the_error() {
        let mut reader = EventReader::default();
        reader.push(b"<html>Sign in</html>\n");
        assert!(!reader.finish());
        assert_eq!(reader.noise(), "<html>Sign in</html>");
    }

    #[test]
    fn an_endless_line_is_given_up() {
        let mut reader = EventReader::default();
        reader.push(b"data: {\"a\":\"");
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..(LARGEST_EVENT >> 20) + 1 {
            reader.push(&piece);
        }
        assert_eq!(reader.next(), Some(Event::TooLarge));
    }

    proptest! {
        #[test]
        fn where_the_network_cuts_does_not_matter(
            cuts in proptest::collection::vec(1usize..9, 0..60), which in 0usize..3,
        ) {
            let text = [
                "data: {\"a\":\"é\\\"{\"}\r\n\r\n: c\r\ndata: {\"b\":\r\ndata: [1]}\r\n\r\n",
                "[{\n \"a\": \"é\\\"{\"}\n,\r\n{\"b\": [1]}]",
                "data: {\"a\":\"é\\\"{\"}\n\n{\n\"b\": [\n1]}\n",
            ][which];
            let mut reader = EventReader::default();
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                reader.push(now);
                rest = later;
            }
            reader.push(rest);
            prop_assert!(!reader.finish());
            let events: Vec<_> = std::iter::from_fn(|| reader.next()).collect();
            let expected = [json!({"a": "é\"{"}), json!({"b": [1]})].map(Event::Value);
            prop_assert_eq!(events, expected);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            read(&[&bytes]);
        }
    }
}
