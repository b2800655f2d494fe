use crate::call::Call;

/// The most of a body that is kept: 1 MiB.
pub(crate) const KEPT: usize = 1 << 20;

/// How a request said where its body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There was neither length nor chunks: no body.
    None,
    /// By this `Content-Length`.
    Length(u64),
    /// By `Transfer-Encoding: chunked`.
    Chunked,
}

/// A request as it was received, also one that was refused or met a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What it asks for.
    pub call: Call,
    /// The method in upper case.
    pub method: String,
    /// The path as sent, with any path prefix, without the query.
    pub path: String,
    /// The query as sent, without `?`; empty when there is none.
    pub query: String,
    /// The headers in order, names in lower case, values as text (bytes that are not UTF-8 are
    /// replaced).
    pub headers: Vec<(String, String)>,
    /// How the body was framed.
    pub framing: Framing,
    /// The first bytes of the body, at most 1 MiB; none while bodies are sunk.
    pub body: Vec<u8>,
    /// How many bytes of the body were read.
    pub body_length: u64,
    /// The SHA-256 of the bytes read, in hex; empty while the body is being read or when nothing
    /// is hashed.
    pub body_sha256: String,
    /// Whether the body was read to its end.
    pub complete: bool,
    /// The status answered; `None` while there is no answer, and for good when there never was
    /// one.
    pub status: Option<u16>,
}

impl Recorded {
    /// The value of a header by its name in lower case, the first if there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, bytes that are not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `None` when it is none or was not kept whole.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}
