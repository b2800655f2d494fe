//! Whole objects, with their strings and their data.
//!
//! [`crate::objects`] finds objects and reads as much as the page tree needs; here they become
//! [`lopdf`]'s, which can be decrypted and written.

use lopdf::{Dictionary, Object, Stream as LopdfStream, StringFormat};
use mediaprep_media::LimitExceeded;

use crate::bytes::Bytes;
use crate::failure::Failure;
use crate::objects::{Objects, Stream, object_at, plain_value};
use crate::syntax::{Cursor, Value};
use crate::xref::Entry;

/// Deepest nesting of arrays and dictionaries in one object; what is deeper becomes null.
const MAX_DEPTH: usize = 64;
/// Most references in a row, as everywhere in this crate.
const MAX_REFERENCES: usize = 16;
/// Bytes that are read behind an object to see whether it is a stream.
const STREAM_WORD: u64 = 64;

/// How much memory the objects of one document may still take.
#[derive(Debug)]
pub(super) struct Room {
    left: u64,
    limit: u64,
}

impl Room {
    pub(super) const fn new(limit: u64) -> Self {
        Self { left: limit, limit }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        let Some(left) = self.left.checked_sub(bytes as u64) else {
            let what = "bytes of a PDF's objects held at once";
            let actual = (self.limit - self.left).saturating_add(bytes as u64);
            return Err(LimitExceeded { what, limit: self.limit, actual }.into());
        };
        self.left = left;
        Ok(())
    }
}

/// Reads whole objects within a room.
pub(super) struct Reader<'o, 's> {
    pub(super) objects: &'o mut Objects<'s>,
    pub(super) room: &'o mut Room,
}

impl Reader<'_, '_> {
    /// Object `number` in clear; null when there is none. It may be a reference itself.
    pub(super) fn load(&mut self, number: u32) -> Result<Object, Failure> {
        match self.read(number) {
            Err(Failure::Damaged { .. }) if self.objects.lenient => {
                let value = self.objects.get(number)?;
                self.convert(&value, 0)
            }
            other => other,
        }
    }

    /// What `object` stands for: itself, or the object that it refers to.
    pub(super) fn resolve(&mut self, object: Option<&Object>) -> Result<Object, Failure> {
        let mut found = match object {
            Some(Object::Reference((number, _))) => self.load(*number)?,
            Some(object) => return Ok(object.clone()),
            None => return Ok(Object::Null),
        };
        for _ in 1..MAX_REFERENCES {
            let Object::Reference((number, _)) = found else { return Ok(found) };
            found = self.load(number)?;
        }
        Ok(Object::Null)
    }

    /// The dictionary that `object` stands for; empty when it is none.
    pub(super) fn dictionary(&mut self, object: Option<&Object>) -> Result<Dictionary, Failure> {
        match self.resolve(object)? {
            Object::Dictionary(dictionary) => Ok(dictionary),
            _ => Ok(Dictionary::new()),
        }
    }

    /// The items of the array that `object` stands for; none when it is no array.
    pub(super) fn items(&mut self, object: Option<&Object>) -> Result<Vec<Object>, Failure> {
        match self.resolve(object)? {
            Object::Array(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    fn read(&mut self, number: u32) -> Result<Object, Failure> {
        match self.objects.xref.find(&mut self.objects.bytes, number)? {
            None | Some(Entry::Free) => Ok(Object::Null),
            // What is in an object stream was encrypted with it.
            Some(Entry::Packed { .. }) => {
                let value = self.objects.get(number)?;
                self.convert(&value, 0)
            }
            Some(Entry::At(offset)) => {
                self.read_at(number, self.objects.base.saturating_add(offset))
            }
        }
    }

    fn read_at(&mut self, number: u32, at: u64) -> Result<Object, Failure> {
        let (value, end) = object_at(&mut self.objects.bytes, at, Some(number))?;
        let mut object = self.convert(&value, 0)?;
        let after = self.objects.bytes.read(end, STREAM_WORD)?;
        let mut cursor = Cursor::new(&after);
        if let Object::Dictionary(dictionary) = &mut object
            && cursor.stream_start()
        {
            let dictionary = std::mem::take(dictionary);
            let data = match self.data(number, at) {
                Err(Failure::Damaged { .. }) if self.objects.lenient => {
                    self.stated_data(&dictionary, end + cursor.at() as u64)?
                }
                other => other?,
            };
            object = Object::Stream(LopdfStream::new(dictionary, data));
        }
        if let Some(crypt) = &self.objects.crypt {
            let id = (number, generation(&self.objects.bytes.read(at, STREAM_WORD)?));
            if !crypt.clear(id, &mut object) && !self.objects.lenient {
                return Err(Failure::damaged(at, "an object cannot be decrypted"));
            }
        }
        Ok(object)
    }

    /// The data of a stream as stored.
    fn data(&mut self, number: u32, at: u64) -> Result<Vec<u8>, Failure> {
        let Objects { bytes, xref, base, .. } = &mut *self.objects;
        let plain = |bytes: &mut Bytes<'_>, value| plain_value(bytes, xref, *base, value);
        let data = Stream::read(bytes, at, Some(number), plain)?.raw(bytes)?;
        self.room.take(data.len())?;
        Ok(data)
    }

    /// The data of a stream that has no end, as many as it says there are.
    fn stated_data(&mut self, dictionary: &Dictionary, start: u64) -> Result<Vec<u8>, Failure> {
        let length = self.resolve(dictionary.get(b"Length").ok())?;
        let length = length.as_i64().ok().and_then(|length| u64::try_from(length).ok());
        let data = self.objects.bytes.read(start, length.unwrap_or(0))?;
        self.objects.bytes.charge(data.len())?;
        self.room.take(data.len())?;
        Ok(data)
    }

    /// The same object as [`lopdf`]'s.
    pub(super) fn convert(&mut self, value: &Value, depth: usize) -> Result<Object, Failure> {
        self.room.take(size_of::<Object>())?;
        Ok(match value {
            Value::Dictionary(_) | Value::Array(_) if depth == MAX_DEPTH => Object::Null,
            Value::Dictionary(dictionary) => {
                let mut entries = Dictionary::new();
                for (key, value) in dictionary.entries() {
                    if !value.is_null() {
                        self.room.take(size_of::<Vec<u8>>() + key.len())?;
                        entries.set(key, self.convert(&value, depth + 1)?);
                    }
                }
                Object::Dictionary(entries)
            }
            Value::Array(_) => {
                let items = value.items(usize::MAX);
                let items = items.iter().map(|item| self.convert(item, depth + 1));
                Object::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Number(number) => numeric(*number),
            Value::Name(name) => Object::Name(name.clone()),
            Value::Text(text) => {
                self.room.take(text.len())?;
                // Escapes in literal strings take the writer quadratic time.
                Object::String(text.clone(), StringFormat::Hexadecimal)
            }
            Value::Boolean(flag) => Object::Boolean(*flag),
            Value::Reference(number) => Object::Reference((*number, 0)),
            Value::Null => Object::Null,
        })
    }
}

/// Whole numbers as integers, others in single precision, as viewers hold them.
#[expect(clippy::cast_possible_truncation, reason = "checked, or rounded on purpose")]
fn numeric(number: f64) -> Object {
    let single = number as f32;
    if number.fract() == 0.0 && number.abs() < 9e15 {
        Object::Integer(number as i64)
    } else if single.is_finite() {
        Object::Real(single)
    } else {
        Object::Integer(0)
    }
}

/// The second number of `12 0 obj`.
fn generation(header: &[u8]) -> u16 {
    let mut cursor = Cursor::new(header);
    let second = cursor.integer().and_then(|_| cursor.integer());
    second.and_then(|generation| u16::try_from(generation).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_kind() {
        assert_eq!(numeric(-90.0), Object::Integer(-90));
        assert_eq!(numeric(841.8898), Object::Real(841.8898));
        assert_eq!(numeric(1e300), Object::Integer(0));
        assert_eq!(numeric(f64::NAN), Object::Integer(0));
    }

    #[test]
    fn generations_are_read() {
        assert_eq!(generation(b" 12 3 obj <<>>"), 3);
        assert_eq!(generation(b"12 99999 obj"), 0);
        assert_eq!(generation(b""), 0);
    }

    #[test]
    fn room_ends() {
        let mut room = Room::new(10);
        assert!(room.take(10).is_ok());
        assert!(matches!(room.take(1), Err(Failure::Fatal(_))));
    }
}
