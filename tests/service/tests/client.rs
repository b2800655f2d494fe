//! A plain HTTP client, so that what is on the wire is exactly what a test says.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use mediaprep_service::Service;
use serde_json::Value;

/// An answer; `cut` when the connection ended before it did.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The pieces in which a chunked body came.
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) cut: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// A request to be sent; headers are sent as they are.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    chunked: bool,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { method, target, headers: Vec::new(), body: Vec::new(), chunked: false }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    pub(crate) fn raw_header(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    pub(crate) fn key(self) -> Self {
        self.header("x-goog-api-key", "FAKE-API-KEY")
    }

    pub(crate) fn bearer(self) -> Self {
        self.header("authorization", "Bearer fake-bearer-token")
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string().into_bytes())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the body in chunks instead of with its length.
    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: fake\r\nconnection: close\r\n",
            self.method, self.target
        )
        .into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        if self.chunked {
            head.extend_from_slice(b"transfer-encoding: chunked\r\n");
        } else if !self.body.is_empty() || self.method == "POST" {
            head.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        head
    }

    fn write(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(&self.head())?;
        if !self.chunked {
            return stream.write_all(&self.body);
        }
        for chunk in self.body.chunks(1000) {
            stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
            stream.write_all(chunk)?;
            stream.write_all(b"\r\n")?;
        }
        stream.write_all(b"0\r\n\r\n")
    }

    /// Sends the request. An error is a reset connection, or no answer within two seconds.
    pub(crate) fn try_send(&self, service: &Service) -> io::Result<Answer> {
        let base = service.base_url();
        let address = base.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        // A server may answer, or reset, before it has read all: what it says counts.
        let written = self.write(&mut stream);
        let mut received = Vec::new();
        match stream.read_to_end(&mut received) {
            Err(error) if received.is_empty() => return Err(error),
            _ => {}
        }
        if received.is_empty() {
            written?;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(parse(&received))
    }

    pub(crate) fn send(&self, service: &Service) -> Answer {
        self.try_send(service).unwrap()
    }
}

fn parse(received: &[u8]) -> Answer {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").map(|(name, value)| (name.into(), value.into())))
        .collect::<Option<_>>()
        .unwrap();
    let mut answer = Answer { status, headers, ..Answer::default() };
    let body = &received[end + 4..];
    if answer.header("transfer-encoding") == Some("chunked") {
        chunks(&mut answer, body);
    } else {
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.cut = body.len() < length;
        answer.body = body.to_vec();
    }
    answer
}

fn chunks(answer: &mut Answer, mut rest: &[u8]) {
    while let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
        let length = std::str::from_utf8(&rest[..at]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        rest = &rest[at + 2..];
        if length == 0 {
            return;
        }
        answer.chunks.push(rest[..length].to_vec());
        answer.body.extend_from_slice(&rest[..length]);
        rest = &rest[length + 2..];
    }
    answer.cut = true;
}
