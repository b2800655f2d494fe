//! Objects out of bytes.
//!
//! [`hayro_syntax`] reads the objects themselves; here its borrowed views become small owned
//! values, and the few words round an object (`12 0 obj`, `stream`) are read.

use hayro_syntax::object::{Array, Dict, FromBytes, MaybeRef, Number, Object};

/// An object, as far as the page tree needs it. Strings, booleans and null are all
/// [`Value::Other`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// From `<<` to `>>`; of a stream only the dictionary.
    Dictionary(Dictionary),
    /// From `[` to `]`.
    Array(Vec<u8>),
    Number(f64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    Boolean(bool),
    /// The number of another object.
    Reference(u32),
    Null,
}

/// A dictionary's own bytes, known to be well formed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dictionary(Vec<u8>);

impl Value {
    /// The object at the start of `bytes`, after white space and comments; `None` when it is
    /// malformed or not complete.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        cursor.skip_space();
        let rest = cursor.rest();
        match rest {
            [b'<', b'<', ..] => Dict::from_bytes(rest).map(|dict| Self::dictionary(&dict)),
            [b'[', ..] => Array::from_bytes(rest).map(|array| Self::array(&array)),
            _ => MaybeRef::<Object<'_>>::from_bytes(rest).map(Self::from_hayro),
        }
    }

    /// How many bytes a dictionary or array takes in the file; of other objects, some.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Dictionary(dictionary) => dictionary.0.len(),
            Self::Array(bytes) => bytes.len(),
            _ => size_of::<Self>(),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn is_name(&self, name: &[u8]) -> bool {
        matches!(self, Self::Name(found) if found == name)
    }

    /// A number without its fraction.
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    pub(crate) fn integer(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number as i64) } else { None }
    }

    /// An integer that is not negative.
    pub(crate) fn size(&self) -> Option<u64> {
        self.integer().and_then(|number| u64::try_from(number).ok())
    }

    /// A number in thousandths, rounded.
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    pub(crate) fn thousandths(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some((number * 1000.0).round() as i64) } else { None }
    }

    /// The items of an array, at most `limit`; of anything else none.
    pub(crate) fn items(&self, limit: usize) -> Vec<Self> {
        let Self::Array(bytes) = self else { return Vec::new() };
        let array = Array::from_bytes(bytes);
        array.map_or_else(Vec::new, |array| {
            array.raw_iter().take(limit).map(Self::from_hayro).collect()
        })
    }

    fn dictionary(dict: &Dict<'_>) -> Self {
        Self::Dictionary(Dictionary(dict.data().to_vec()))
    }

    fn array(array: &Array<'_>) -> Self {
        let mut bytes = Vec::with_capacity(array.data().len() + 2);
        bytes.push(b'[');
        bytes.extend_from_slice(array.data());
        bytes.push(b']');
        Self::Array(bytes)
    }

    fn from_hayro(object: MaybeRef<Object<'_>>) -> Self {
        match object {
            MaybeRef::Ref(reference) => Self::Reference(reference.obj_number),
            MaybeRef::NotRef(Object::Dict(dict)) => Self::dictionary(&dict),
            MaybeRef::NotRef(Object::Stream(stream)) => Self::dictionary(stream.dict()),
            MaybeRef::NotRef(Object::Array(array)) => Self::array(&array),
            MaybeRef::NotRef(Object::Number(number)) => Self::Number(Number::as_f64(&number)),
            MaybeRef::NotRef(Object::Name(name)) => Self::Name(name.as_ref().to_vec()),
            MaybeRef::NotRef(Object::String(text)) => Self::Text(text.as_bytes().to_vec()),
            MaybeRef::NotRef(Object::Boolean(flag)) => Self::Boolean(flag),
            MaybeRef::NotRef(Object::Null(_)) => Self::Null,
        }
    }
}

impl Dictionary {
    /// The entries under `keys`; one that is not there is null.
    pub(crate) fn get<const N: usize>(&self, keys: [&str; N]) -> [Value; N] {
        let dict = Dict::from_bytes(&self.0).unwrap_or_default();
        keys.map(|key| {
            dict.get_raw::<Object<'_>>(key.as_bytes()).map_or(Value::Null, Value::from_hayro)
        })
    }

    /// All entries, in the order of their keys.
    pub(crate) fn entries(&self) -> Vec<(Vec<u8>, Value)> {
        let dict = Dict::from_bytes(&self.0).unwrap_or_default();
        let entries = dict.entries();
        entries.map(|(key, value)| (key.as_ref().to_vec(), Value::from_hayro(value))).collect()
    }
}

/// Reads the words round objects.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Cursor<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes passed so far.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Passes white space and comments.
    pub(crate) fn skip_space(&mut self) {
        while let Some(&byte) = self.rest().first() {
            if is_space(byte) {
                self.at += 1;
            } else if byte == b'%' {
                let line = self.rest().iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                self.at += line.unwrap_or(self.rest().len());
            } else {
                return;
            }
        }
    }

    /// Passes `word` if it is next.
    pub(crate) fn word(&mut self, word: &[u8]) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Passes white space and an unsigned integer of at most 18 digits.
    pub(crate) fn integer(&mut self) -> Option<u64> {
        self.skip_space();
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let value = decimal(self.rest().get(..digits)?)?;
        self.at += digits;
        Some(value)
    }

    /// Passes `12 0 obj` and gives the object's number.
    pub(crate) fn object_header(&mut self) -> Option<u32> {
        let number = self.integer()?;
        self.integer()?;
        self.skip_space();
        if self.word(b"obj") { u32::try_from(number).ok() } else { None }
    }

    /// Passes `stream` and the end of its line.
    pub(crate) fn stream_start(&mut self) -> bool {
        self.skip_space();
        let found = self.word(b"stream");
        found && (self.word(b"\r\n") || self.word(b"\n") || self.word(b"\r"))
    }
}

/// The six white-space characters of PDF.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0c | 0)
}

/// An unsigned integer of 1 to 18 digits and nothing else.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_references() {
        let value = Value::parse(b" % note\n<< /Kids [ 4 0 R null <</A 1>> ] /Rotate -90 >> tail");
        let Some(Value::Dictionary(dict)) = value else { panic!("not a dictionary") };
        let [kids, rotate, none] = dict.get(["Kids", "Rotate", "None"]);
        assert_eq!(kids.items(9).len(), 3);
        assert_eq!(kids.items(9)[0], Value::Reference(4));
        assert_eq!((rotate.integer(), none), (Some(-90), Value::Null));
        assert_eq!(Value::parse(b"595.2756").unwrap().thousandths(), Some(595_276));
        assert_eq!(Value::parse(b"7 0 R "), Some(Value::Reference(7)));
    }

    #[test]
    fn an_incomplete_object_is_none() {
        assert_eq!(Value::parse(b"<< /Kids [ 4 0 R"), None);
        assert_eq!(Value::parse(b""), None);
    }

    #[test]
    fn nesting_is_bounded() {
        for unit in ["[", "<< /A ", "[<< /A "] {
            assert_eq!(Value::parse(unit.repeat(1_000_000).as_bytes()), None);
        }
    }

    #[test]
    fn headers_and_streams() {
        let mut cursor = Cursor::new(b"\r\n12 0 obj\n<<>>");
        assert_eq!(cursor.object_header(), Some(12));
        assert!(Cursor::new(b" stream\r\nx").stream_start());
        assert!(!Cursor::new(b" endstream\n").stream_start());
    }
}
