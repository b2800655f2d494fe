//! Bytes that travel inside a request, in memory or read anew for each try.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protojson::decode_base64;
use crate::shape::Base64;

/// Where the bytes of a part come from when they are not in memory.
///
/// A request that is tried again opens its sources again, so each reader starts at the first byte.
pub trait DataSource: Send + Sync + fmt::Debug {
    /// How many bytes every reader gives.
    fn length(&self) -> u64;

    /// A reader at the first byte.
    ///
    /// # Errors
    ///
    /// What opening gives.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// The bytes of a [`crate::Blob`]; cloning copies none of them.
///
/// Bytes in memory are equal by content, sources only to themselves. `Debug` shows the length
/// alone.
///
/// ```
/// use mediaprep_parts::Data;
///
/// let data = Data::from(vec![1, 2, 3]);
/// assert_eq!(data.length(), 3);
/// assert_eq!(data.as_bytes(), Some(&[1, 2, 3][..]));
/// ```
#[derive(Clone)]
pub struct Data(Held);

#[derive(Clone)]
enum Held {
    Memory(Bytes),
    // The length is asked for once, so that a body's length and its bytes go by the same number.
    Source { length: u64, source: Arc<dyn DataSource> },
}

impl Data {
    /// Bytes that are read when they are sent.
    pub fn source(source: Arc<dyn DataSource>) -> Self {
        Self(Held::Source { length: source.length(), source })
    }

    /// How many bytes there are; for a source, how many it stated when this was made.
    pub fn length(&self) -> u64 {
        match &self.0 {
            Held::Memory(bytes) => bytes.len() as u64,
            Held::Source { length, .. } => *length,
        }
    }

    /// The bytes, when they are in memory.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Held::Memory(bytes) => Some(bytes),
            Held::Source { .. } => None,
        }
    }

    /// All bytes at once; those in memory are shared, not copied.
    ///
    /// # Errors
    ///
    /// What opening and reading give; [`io::ErrorKind::InvalidData`] with a [`LengthMismatch`] for
    /// a source that does not give as many bytes as it stated.
    pub fn read_all(&self) -> io::Result<Bytes> {
        match self.open()? {
            Opened::Memory(bytes) => Ok(bytes),
            Opened::Source(mut reader) => {
                let mut bytes = Vec::new();
                reader.read_to_end(&mut bytes)?;
                reader.end()?;
                Ok(bytes.into())
            }
        }
    }

    pub(crate) fn open(&self) -> io::Result<Opened> {
        Ok(match &self.0 {
            Held::Memory(bytes) => Opened::Memory(bytes.clone()),
            Held::Source { length, source } => {
                let reader = source.open()?;
                Opened::Source(Exact { reader, stated: *length, found: 0 })
            }
        })
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Held::Memory(bytes.into()))
    }
}

impl From<Bytes> for Data {
    fn from(bytes: Bytes) -> Self {
        Self(Held::Memory(bytes))
    }
}

impl Default for Data {
    fn default() -> Self {
        Self(Held::Memory(Bytes::new()))
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Held::Memory(left), Held::Memory(right)) => left == right,
            (Held::Source { source: left, .. }, Held::Source { source: right, .. }) => {
                Arc::ptr_eq(left, right)
            }
            _ => false,
        }
    }
}

impl Eq for Data {}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} bytes)", self.length())
    }
}

/// Writes standard padded base64. A source is read into memory for it: [`crate::Body`] does not.
impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Base64 { prefix: "", data: self, marks: None }.serialize(serializer)
    }
}

/// Reads base64 as protojson does: standard or URL-safe, padded or not.
impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64 text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Data, E> {
                let bytes = decode_base64(text).ok_or_else(|| E::custom("malformed base64"))?;
                Ok(Data::from(bytes))
            }
        }

        deserializer.deserialize_str(Text).map_err(D::Error::custom)
    }
}

/// A source that gave more or fewer bytes than it stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a source gave {}{found} bytes where it stated {stated}", self.bound())]
pub struct LengthMismatch {
    /// Bytes that were read; one more than stated when there are too many.
    pub found: u64,
    /// Bytes that the source stated.
    pub stated: u64,
}

impl LengthMismatch {
    const fn bound(&self) -> &'static str {
        // Reading stops at the first byte too many.
        if self.found > self.stated { "at least " } else { "" }
    }
}

/// [`Data`] that is being read.
pub(crate) enum Opened {
    Memory(Bytes),
    Source(Exact),
}

/// A reader that gives as many bytes as were stated, or an error.
pub(crate) struct Exact {
    reader: Box<dyn Read + Send>,
    stated: u64,
    found: u64,
}

impl Exact {
    /// Bytes that are still to come.
    pub(crate) const fn left(&self) -> u64 {
        self.stated.saturating_sub(self.found)
    }

    /// Makes sure that nothing follows the last byte.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        let mut more = [0];
        loop {
            match self.reader.read(&mut more) {
                Ok(0) => return Ok(()),
                Ok(_) => {
                    self.found += 1;
                    return Err(self.mismatch());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn mismatch(&self) -> io::Error {
        let mismatch = LengthMismatch { found: self.found, stated: self.stated };
        io::Error::new(io::ErrorKind::InvalidData, mismatch)
    }
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left()).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        match self.reader.read(&mut buffer[..most])?.min(most) {
            0 => Err(self.mismatch()),
            count => {
                self.found += count as u64;
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Stated(u64, &'static [u8]);

    impl DataSource for Stated {
        fn length(&self) -> u64 {
            self.0
        }

        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(self.1))
        }
    }

    fn stated(length: u64, bytes: &'static [u8]) -> Data {
        Data::source(Arc::new(Stated(length, bytes)))
    }

    #[test]
    fn sources_are_read_anew_and_held_to_their_length() {
        let data = stated(3, b"abc");
        assert_eq!((data.length(), data.as_bytes()), (3, None));
        assert_eq!(data.read_all().unwrap(), data.read_all().unwrap());
        assert_eq!(data.read_all().unwrap(), &b"abc"[..]);
        for (length, found, text) in [
            (4, 3, "a source gave 3 bytes where it stated 4"),
            (2, 3, "a source gave at least 3 bytes where it stated 2"),
            (0, 1, "a source gave at least 1 bytes where it stated 0"),
        ] {
            let error = stated(length, b"abc").read_all().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            let inner = *error.get_ref().unwrap().downcast_ref::<LengthMismatch>().unwrap();
            assert_eq!(inner, LengthMismatch { found, stated: length });
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn a_source_that_states_too_much_is_not_believed() {
        let error = stated(u64::MAX, b"abc").read_all().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn memory_is_equal_by_content_and_sources_by_identity() {
        assert_eq!(Data::from(vec![1]), Data::from(Bytes::from_static(&[1])));
        assert_ne!(Data::from(vec![1]), Data::from(vec![2]));
        let source = stated(3, b"abc");
        assert_eq!(source, source.clone());
        assert_ne!(source, stated(3, b"abc"));
        assert_ne!(source, Data::from(b"abc".to_vec()));
    }

    #[test]
    fn base64_is_read_in_either_alphabet_with_or_without_padding() {
        let bytes = Data::from(vec![0xfb, 0xff]);
        assert_eq!(serde_json::to_string(&bytes).unwrap(), r#""+/8=""#);
        for text in ["+/8=", "-_8=", "+/8", "-_8"] {
            assert_eq!(serde_json::from_value::<Data>(text.into()).unwrap(), bytes, "{text}");
        }
        for text in ["+", "data:image/png;base64,AA==", "+/8==", "=", "é"] {
            assert!(serde_json::from_value::<Data>(text.into()).is_err(), "{text}");
        }
    }
}
