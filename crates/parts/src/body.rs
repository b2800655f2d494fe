//! Bodies that are made while they are read, in chunks, so that their size costs no memory.

use std::fmt;
use std::io::{self, Read, Write};
use std::mem;

use base64_simd::STANDARD;
use bytes::Bytes;
use serde::Serialize;

use crate::data::{Data, Exact, Opened};
use crate::length::base64_length;
use crate::shape::{Marks, Shape};

/// Bytes of a chunk, at most: whole groups of four base64 characters.
const CHUNK: usize = 1 << 20;

/// A request's body: its text, and the data that is encoded in between while it is read.
///
/// The length is exact and known before any data is read. A body can be read any number of times,
/// as tries of a request need it.
///
/// ```
/// use mediaprep_parts::{GenerateRequest, Part};
///
/// let picture = Part::inline("image/png", b"\x89PNG".to_vec());
/// let request = GenerateRequest::user(vec![picture, Part::text("What is this?")]);
/// let body = request.body();
/// let mut sent = Vec::new();
/// let mut reader = body.reader();
/// while let Some(chunk) = reader.next_chunk() {
///     sent.extend_from_slice(&chunk?);
/// }
/// assert_eq!(sent.len() as u64, body.length());
/// assert_eq!(sent, serde_json::to_vec(&request).unwrap());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body {
    segments: Vec<Segment>,
}

#[derive(Clone, PartialEq, Eq)]
enum Segment {
    Text(Bytes),
    Base64(Data),
}

impl Body {
    /// A body of JSON without data.
    ///
    /// # Errors
    ///
    /// What the value's own `Serialize` gives.
    pub fn from_json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut body = Self::default();
        body.text(serde_json::to_vec(value)?.into());
        Ok(body)
    }

    pub(crate) fn of<T: Shape + ?Sized>(shape: &T) -> Self {
        let mut text = Vec::new();
        // A vector takes everything and all keys are strings, so nothing fails here. If it did, the
        // body would break off and be refused as malformed.
        let places = Marks::of(shape, &mut text).map(|(_, places)| places).unwrap_or_default();
        let (mut body, mut text, mut done) = (Self::default(), Bytes::from(text), 0);
        for (at, data) in places {
            let before = usize::try_from(at - done).unwrap_or(usize::MAX).min(text.len());
            body.text(text.split_to(before));
            body.segments.push(Segment::Base64(data));
            done = at;
        }
        body.text(text);
        body
    }

    /// Several bodies one after another, as the lines of a file are.
    pub fn joined(bodies: impl IntoIterator<Item = Self>) -> Self {
        Self { segments: bodies.into_iter().flat_map(|body| body.segments).collect() }
    }

    pub(crate) fn text(&mut self, text: Bytes) {
        if !text.is_empty() {
            self.segments.push(Segment::Text(text));
        }
    }

    /// Bytes of the whole body, exact; reads nothing and saturates.
    pub fn length(&self) -> u64 {
        self.segments.iter().map(Segment::length).fold(0, u64::saturating_add)
    }

    /// Reads the body from its start.
    pub fn reader(&self) -> BodyReader {
        BodyReader {
            segments: self.segments.clone().into_iter(),
            current: Current::Nothing,
            left: self.length(),
            data: Vec::new(),
            chunk: Bytes::new(),
            failed: false,
        }
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// What reading the data and writing give.
    pub fn write_to(&self, writer: &mut dyn Write) -> io::Result<()> {
        let mut reader = self.reader();
        while let Some(chunk) = reader.next_chunk() {
            writer.write_all(&chunk?)?;
        }
        Ok(())
    }

    /// The whole body at once, which a test wants rather than a program.
    ///
    /// # Errors
    ///
    /// What reading the data gives.
    pub fn to_vec(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes)?;
        Ok(bytes)
    }
}

/// Shows the length alone: a body holds what people wrote.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.length())
    }
}

impl Segment {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Base64(data) => base64_length(data.length()),
        }
    }
}

/// Reads a [`Body`], by chunks of about a mebibyte or as a [`Read`].
///
/// It holds one chunk and three quarters of one as data, whatever the body's size. Data in memory
/// is encoded from where it lies.
pub struct BodyReader {
    segments: std::vec::IntoIter<Segment>,
    current: Current,
    /// Bytes that are still to be made.
    left: u64,
    /// Data of a source, before it is encoded.
    data: Vec<u8>,
    /// What `read` has not yet given of the last chunk.
    chunk: Bytes,
    failed: bool,
}

enum Current {
    Nothing,
    Text(Bytes),
    Memory(Bytes),
    Source(Exact),
}

impl BodyReader {
    /// The next bytes, never none of them; `None` at the end and after an error.
    ///
    /// # Errors
    ///
    /// What opening and reading a source give; [`io::ErrorKind::InvalidData`] with a
    /// [`crate::LengthMismatch`] for a source that does not give as many bytes as it stated.
    pub fn next_chunk(&mut self) -> Option<io::Result<Bytes>> {
        if !self.chunk.is_empty() {
            return Some(Ok(mem::take(&mut self.chunk)));
        }
        if self.failed {
            return None;
        }
        let capacity = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = Vec::with_capacity(capacity);
        if let Err(error) = self.fill(&mut chunk) {
            self.failed = true;
            self.data = Vec::new();
            return Some(Err(error));
        }
        self.left = self.left.saturating_sub(chunk.len() as u64);
        (!chunk.is_empty()).then(|| Ok(chunk.into()))
    }

    /// Fills a chunk until there is no room for a group of base64 characters.
    fn fill(&mut self, chunk: &mut Vec<u8>) -> io::Result<()> {
        while chunk.len() + 4 <= CHUNK {
            let room = CHUNK - chunk.len();
            let done = match &mut self.current {
                Current::Nothing => {
                    let Some(segment) = self.segments.next() else { return Ok(()) };
                    self.current = Current::open(&segment)?;
                    continue;
                }
                Current::Text(text) => {
                    chunk.extend_from_slice(&text.split_to(room.min(text.len())));
                    text.is_empty()
                }
                Current::Memory(bytes) => {
                    let whole = (room / 4 * 3).min(bytes.len());
                    STANDARD.encode_append(bytes.split_to(whole), chunk);
                    bytes.is_empty()
                }
                Current::Source(reader) => {
                    read_on(reader, &mut self.data, room / 4 * 3)?;
                    STANDARD.encode_append(&self.data, chunk);
                    reader.left() == 0
                }
            };
            if done {
                self.current.end()?;
                self.current = Current::Nothing;
            }
        }
        Ok(())
    }
}

/// Fills `data` with the next `most` bytes, or with what is left.
fn read_on(reader: &mut Exact, data: &mut Vec<u8>, most: usize) -> io::Result<()> {
    let count = usize::try_from(reader.left()).unwrap_or(usize::MAX).min(most);
    data.resize(count, 0);
    reader.read_exact(data)
}

impl Current {
    fn open(segment: &Segment) -> io::Result<Self> {
        Ok(match segment {
            Segment::Text(text) => Self::Text(text.clone()),
            Segment::Base64(data) => match data.open()? {
                Opened::Memory(bytes) => Self::Memory(bytes),
                Opened::Source(reader) => Self::Source(reader),
            },
        })
    }

    fn end(&mut self) -> io::Result<()> {
        if let Self::Source(reader) = self { reader.end() } else { Ok(()) }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() {
            if self.failed {
                // Not the end: what was read so far is no whole body.
                return Err(io::Error::other("reading the body failed before"));
            }
            match self.next_chunk() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let count = self.chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.chunk.split_to(count));
        Ok(count)
    }
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.left.saturating_add(self.chunk.len() as u64);
        write!(f, "BodyReader({left} bytes left)")
    }
}
