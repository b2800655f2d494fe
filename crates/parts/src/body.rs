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

/// Bytes of a chunk, at most: whole groups of four base64 characters. So few that what is read, what
/// is made of it and what is being sent stay in a core's cache, and enough for few system calls.
const CHUNK: usize = 256 << 10;

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

/// Reads a [`Body`], by chunks of at most 256 KiB or as a [`Read`].
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
    let left = usize::try_from(reader.left()).unwrap_or(usize::MAX);
    let full = left.min(CHUNK / 4 * 3);
    if data.capacity() < full {
        // Once and no larger than needed: growing step by step would take twice as much.
        *data = Vec::new();
        data.reserve_exact(full);
    }
    data.resize(left.min(most), 0);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{DataSource, GenerateRequest, LengthMismatch, Part};

    /// Gives at most so many bytes at a time, and now and then is interrupted.
    #[derive(Debug)]
    struct Drip {
        bytes: Vec<u8>,
        stated: u64,
        most: usize,
    }

    impl DataSource for Drip {
        fn length(&self) -> u64 {
            self.stated
        }

        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            let bytes = io::Cursor::new(self.bytes.clone());
            Ok(Box::new(Drops { bytes, most: self.most, reads: 0 }))
        }
    }

    struct Drops {
        bytes: io::Cursor<Vec<u8>>,
        most: usize,
        reads: usize,
    }

    impl Read for Drops {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.reads += 1;
            if self.reads.is_multiple_of(5) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let most = self.most.min(buffer.len());
            self.bytes.read(&mut buffer[..most])
        }
    }

    fn pattern(size: usize) -> Vec<u8> {
        (0..=250u8).cycle().take(size).collect()
    }

    fn dripping(size: usize, most: usize) -> Part {
        let drip = Drip { bytes: pattern(size), stated: size as u64, most };
        Part::inline("image/webp", Data::source(Arc::new(drip)))
    }

    fn stating(stated: u64, size: usize) -> Body {
        let drip = Drip { bytes: pattern(size), stated, most: 1000 };
        let data = Data::source(Arc::new(drip));
        GenerateRequest::user(vec![Part::inline("image/png", data), Part::text("x")]).body()
    }

    fn chunks(body: &Body) -> Vec<u8> {
        let (mut all, mut reader) = (Vec::new(), body.reader());
        while let Some(chunk) = reader.next_chunk() {
            let chunk = chunk.unwrap();
            assert!(!chunk.is_empty() && chunk.len() <= CHUNK);
            all.extend_from_slice(&chunk);
        }
        assert!(reader.next_chunk().is_none());
        all
    }

    #[test]
    fn chunks_are_full_whatever_lies_on_their_borders() {
        let sizes = [CHUNK / 4 * 3, CHUNK / 4 * 3 - 1, CHUNK / 4 * 3 + 1, 2 * CHUNK, 0, 1];
        for size in sizes {
            for part in [Part::inline("image/webp", pattern(size)), dripping(size, 1 << 16)] {
                let text = Part::text("y".repeat(CHUNK - 7));
                let request = GenerateRequest::user(vec![part, text]);
                let body = request.body();
                let mut reader = body.reader();
                let lengths: Vec<_> = std::iter::from_fn(|| reader.next_chunk())
                    .map(|chunk| chunk.unwrap().len())
                    .collect();
                let (_, full) = lengths.split_last().unwrap();
                assert!(full.iter().all(|length| CHUNK - length < 4), "{lengths:?}");
                assert!(body.to_vec().unwrap() == serde_json::to_vec(&request).unwrap());
            }
        }
    }

    #[test]
    fn a_source_of_another_length_is_an_error_before_the_body_ends() {
        for (stated, found) in [(5000, 4000), (3000, 3001), (0, 1), (u64::MAX, 4000)] {
            let body = stating(stated, 4000);
            let mut reader = body.reader();
            let error = std::iter::from_fn(|| reader.next_chunk()).last().unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            let inner = error.get_ref().unwrap().downcast_ref::<LengthMismatch>();
            assert_eq!(inner, Some(&LengthMismatch { found, stated }));
            assert!(reader.next_chunk().is_none());
            assert!(reader.read(&mut [0; 9]).is_err(), "a broken body does not end");
        }
    }

    #[test]
    fn a_source_that_does_not_open_is_an_error() {
        #[derive(Debug)]
        struct Gone;
        impl DataSource for Gone {
            fn length(&self) -> u64 {
                3
            }
            fn open(&self) -> io::Result<Box<dyn Read + Send>> {
                Err(io::ErrorKind::NotFound.into())
            }
        }
        let part = Part::inline("image/png", Data::source(Arc::new(Gone)));
        let body = Body::of(&part);
        assert_eq!(body.to_vec().unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(serde_json::to_string(&part).unwrap_err().to_string().contains("not found"));
    }

    #[test]
    fn text_that_looks_like_a_frame_moves_no_data() {
        let parts = vec![
            Part::text(r#""data":"","#),
            Part::inline("image/\"data\":\"\"", vec![1, 2, 3]),
            Part::text("\"\u{0}\u{7f}é"),
        ];
        let request = GenerateRequest::user(parts);
        assert_eq!(request.body().to_vec().unwrap(), serde_json::to_vec(&request).unwrap());
    }

    #[test]
    fn plain_json_is_a_body_too() {
        let value = serde_json::json!({"file": {"displayName": "é"}});
        let body = Body::from_json(&value).unwrap();
        assert_eq!(body.length(), value.to_string().len() as u64);
        assert_eq!(chunks(&body), value.to_string().into_bytes());
        assert_eq!(chunks(&Body::default()), b"");
        assert!(Body::from_json(&std::collections::BTreeMap::from([((), 1)])).is_err());
    }

    #[test]
    fn bodies_and_their_readers_go_between_threads() {
        fn sent<T: Send + 'static>(_: T) {}
        fn shared<T: Send + Sync + Clone + 'static>(_: T) {}
        let request = GenerateRequest::user(vec![dripping(10, 3)]);
        sent(request.body().reader());
        shared(request.body());
        shared(request);
    }

    #[test]
    fn debug_shows_lengths_only() {
        let body = GenerateRequest::user(vec![Part::text("private")]).body();
        let length = body.length();
        assert_eq!(format!("{body:?}"), format!("Body({length} bytes)"));
        assert_eq!(format!("{:?}", body.reader()), format!("BodyReader({length} bytes left)"));
    }

    proptest! {
        #[test]
        fn every_way_of_reading_gives_the_same_bytes(
            sizes in proptest::collection::vec((0usize..40_000, 1usize..9000), 0..5),
            texts in proptest::collection::vec(any::<String>(), 0..4),
            step in 1usize..70_000,
        ) {
            let mut parts: Vec<Part> = Vec::new();
            for (size, most) in sizes {
                parts.push(Part::inline("image/png", pattern(size)));
                parts.push(dripping(size, most));
            }
            parts.extend(texts.into_iter().map(Part::text));
            let request = GenerateRequest::user(parts);
            let expected = serde_json::to_vec(&request).unwrap();
            let body = request.body();
            prop_assert_eq!(body.length(), expected.len() as u64);
            prop_assert!(chunks(&body) == expected);
            prop_assert!(body.to_vec().unwrap() == expected);
            let (mut read, mut reader, mut piece) = (Vec::new(), body.reader(), vec![0; step]);
            loop {
                let count = reader.read(&mut piece).unwrap();
                if count == 0 { break; }
                read.extend_from_slice(&piece[..count]);
            }
            prop_assert!(read == expected);
        }
    }
}
