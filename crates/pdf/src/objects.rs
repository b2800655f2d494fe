//! Objects by their number.

use std::collections::HashMap;
use std::rc::Rc;

use crate::bytes::{Bytes, MEMORY_SHARE, clamp};
use crate::crypt::Crypt;
use crate::failure::Failure;
use crate::inflate::Flate;
use crate::syntax::{Cursor, Dictionary, Value};
use crate::xref::{Entry, Xref};

/// First guess at an object's length, in bytes; most page dictionaries are shorter.
const FIRST_WINDOW: u64 = 512;
/// Longest object: a list of 300 000 pages takes less.
const LAST_WINDOW: u64 = 4 << 20;
/// How much of a malformed object is looked at, in bytes.
const SALVAGE_WINDOW: u64 = 2048;
/// How many of its entries may be dropped, from the last on.
const SALVAGE_TRIES: usize = 32;
/// Most references in a row, where the standard allows one.
const MAX_REFERENCES: usize = 16;
/// Most filters of one stream.
const MAX_FILTERS: usize = 4;

/// The document's objects, fetched when they are asked for.
pub(crate) struct Objects<'s> {
    pub(crate) bytes: Bytes<'s>,
    pub(crate) xref: Xref,
    pub(crate) crypt: Option<Crypt>,
    /// Where the file's own count of bytes begins: after junk that precedes `%PDF-`.
    pub(crate) base: u64,
    /// Whether an object that cannot be read counts as null, since nothing better can be had.
    pub(crate) lenient: bool,
    packed: HashMap<u32, Rc<Packed>>,
    packed_bytes: u64,
}

/// An unpacked object stream.
#[derive(Debug)]
pub(crate) struct Packed {
    data: Vec<u8>,
    /// Object numbers and where the objects begin, in stored order.
    pub(crate) members: Vec<(u32, u32)>,
}

impl<'s> Objects<'s> {
    pub(crate) fn new(bytes: Bytes<'s>) -> Self {
        let (packed, xref) = (HashMap::new(), Xref::default());
        Self { bytes, xref, crypt: None, base: 0, lenient: false, packed, packed_bytes: 0 }
    }

    /// Drops everything that was learnt of the file but its bytes, and bears with damage from here
    /// on.
    pub(crate) fn start_repair(&mut self) {
        self.lenient = true;
        self.xref = Xref::default();
        self.crypt = None;
        self.base = 0;
        self.packed.clear();
        self.packed_bytes = 0;
    }

    /// What `value` stands for: itself, or the object that it refers to.
    pub(crate) fn resolve(&mut self, mut value: Value) -> Result<Value, Failure> {
        for _ in 0..MAX_REFERENCES {
            let Value::Reference(number) = value else { return Ok(value) };
            value = self.get(number)?;
        }
        Ok(Value::Null)
    }

    /// Object `number`; null when there is none.
    pub(crate) fn get(&mut self, number: u32) -> Result<Value, Failure> {
        match self.fetch(number) {
            Err(Failure::Damaged { .. }) if self.lenient => self.salvage(number),
            other => other,
        }
    }

    /// What can be had of a dictionary that is malformed somewhere: its entries before that place.
    fn salvage(&mut self, number: u32) -> Result<Value, Failure> {
        let Some(Entry::At(offset)) = self.xref.find(&mut self.bytes, number)? else {
            return Ok(Value::Null);
        };
        let mut data = self.bytes.read(self.base.saturating_add(offset), SALVAGE_WINDOW)?;
        let end = memchr::memmem::find(&data, b"endobj").unwrap_or(data.len());
        let mut cursor = Cursor::new(&data);
        cursor.object_header();
        let start = cursor.at();
        data.truncate(end);
        let names: Vec<usize> = memchr::memchr_iter(b'/', &data).filter(|at| *at > start).collect();
        for cut in names.into_iter().rev().take(SALVAGE_TRIES) {
            self.bytes.charge(cut)?;
            let beginning = [&data[start..cut], b">>"].concat();
            if let Some(value) = Value::parse(&beginning) {
                return Ok(value);
            }
        }
        Ok(Value::Null)
    }

    fn fetch(&mut self, number: u32) -> Result<Value, Failure> {
        match self.xref.find(&mut self.bytes, number)? {
            None | Some(Entry::Free) => Ok(Value::Null),
            Some(Entry::At(offset)) => {
                let at = self.base.saturating_add(offset);
                object_at(&mut self.bytes, at, Some(number)).map(|(value, _)| value)
            }
            Some(Entry::Packed { stream, index }) => {
                let packed = self.packed(stream)?;
                let value = packed.get(number, index);
                self.bytes.charge_object(value.as_ref().map_or(0, Value::length))?;
                value.ok_or(Failure::damaged(0, "an object stream lacks an object it should hold"))
            }
        }
    }

    /// Object stream `number`, unpacked.
    pub(crate) fn packed(&mut self, number: u32) -> Result<Rc<Packed>, Failure> {
        if let Some(packed) = self.packed.get(&number) {
            return Ok(Rc::clone(packed));
        }
        let Some(Entry::At(offset)) = self.xref.find(&mut self.bytes, number)? else {
            return Err(Failure::damaged(0, "an object stream is missing"));
        };
        let packed = Rc::new(self.unpack(number, self.base.saturating_add(offset))?);
        let length = packed.held();
        if self.packed_bytes.saturating_add(length) > self.bytes.memory() / MEMORY_SHARE {
            self.packed.clear();
            self.packed_bytes = 0;
        }
        self.packed_bytes += length;
        self.packed.insert(number, Rc::clone(&packed));
        Ok(packed)
    }

    fn unpack(&mut self, number: u32, offset: u64) -> Result<Packed, Failure> {
        let malformed = || Failure::damaged(offset, "an object stream is malformed");
        let (xref, base) = (&self.xref, self.base);
        let plain = |bytes: &mut Bytes<'_>, value| plain_value(bytes, xref, base, value);
        let stream = Stream::read(&mut self.bytes, offset, Some(number), plain)?;
        let mut raw = stream.raw(&mut self.bytes)?;
        if let Some(crypt) = &self.crypt {
            raw = crypt.decrypt(number, raw).ok_or_else(malformed)?;
        }
        let data = stream.plain(&mut self.bytes, raw)?;
        let [count, first] = stream.dictionary.get(["N", "First"]);
        let (Some(count), Some(first)) = (count.size(), first.size()) else {
            return Err(malformed());
        };
        Ok(Packed::new(data, count, first))
    }
}

impl Packed {
    /// Reads the numbers and offsets that precede the objects, at most `count` of them.
    fn new(data: Vec<u8>, count: u64, first: u64) -> Self {
        let mut members = Vec::new();
        let mut cursor = Cursor::new(data.get(..clamp(first)).unwrap_or(&data));
        for _ in 0..count {
            let (Some(number), Some(offset)) = (cursor.integer(), cursor.integer()) else { break };
            if let (Ok(number), Ok(at)) =
                (u32::try_from(number), u32::try_from(offset.saturating_add(first)))
            {
                members.push((number, at));
            }
        }
        Self { data, members }
    }

    /// The object with this index, if it has this number.
    fn get(&self, number: u32, index: u32) -> Option<Value> {
        let index = usize::try_from(index).ok()?;
        let (_, at) = self.members.get(index).filter(|member| member.0 == number)?;
        let data = self.data.get(usize::try_from(*at).ok()?..)?;
        Value::parse(&data[..data.len().min(clamp(LAST_WINDOW))])
    }

    fn held(&self) -> u64 {
        (self.data.len() + self.members.len() * size_of::<(u32, u32)>()) as u64
    }
}

/// A stream in the file: its dictionary and how to get at its data.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) dictionary: Dictionary,
    /// Where the data begin in the file.
    start: u64,
    length: Option<u64>,
    filters: Vec<Option<Flate>>,
}

impl Stream {
    /// Reads the stream object at `offset`; `plain` follows references in its dictionary.
    pub(crate) fn read(
        bytes: &mut Bytes<'_>,
        offset: u64,
        number: Option<u32>,
        plain: impl Fn(&mut Bytes<'_>, Value) -> Value,
    ) -> Result<Self, Failure> {
        let mismatch = Failure::damaged(offset, "a stream object was expected here");
        let (value, end) = match number {
            Some(number) => object_at(bytes, offset, Some(number))?,
            None => any_object_at(bytes, offset)?,
        };
        let Value::Dictionary(dictionary) = value else { return Err(mismatch) };
        let after = bytes.read(end, 64)?;
        let mut cursor = Cursor::new(&after);
        if !cursor.stream_start() {
            return Err(mismatch);
        }
        let [length, filter, parameters] = dictionary.get(["Length", "Filter", "DecodeParms"]);
        let length = plain(bytes, length).size();
        let (filter, parameters) = (plain(bytes, filter), plain(bytes, parameters));
        let filters = filters(&filter, &parameters);
        Ok(Self { dictionary, start: end + cursor.at() as u64, length, filters })
    }

    /// The data as stored. A length that is missing or wrong is replaced by a search for the end.
    pub(crate) fn raw(&self, bytes: &mut Bytes<'_>) -> Result<Vec<u8>, Failure> {
        if let Some(length) = self.length
            && let Some(end) = self.start.checked_add(length)
        {
            let after = bytes.read(end, 32)?;
            let mut cursor = Cursor::new(&after);
            cursor.skip_space();
            if cursor.word(b"endstream") {
                bytes.check_stream(length)?;
                bytes.charge(clamp(length))?;
                return bytes.read(self.start, length);
            }
        }
        let mut window = 4096;
        loop {
            let mut data = bytes.read(self.start, window)?;
            bytes.check_stream(data.len() as u64)?;
            bytes.charge(data.len())?;
            if let Some(end) = memchr::memmem::find(&data, b"endstream") {
                data.truncate(end);
                return Ok(data);
            }
            if (data.len() as u64) < window {
                return Err(Failure::damaged(self.start, "a stream has no end"));
            }
            window *= 4;
        }
    }

    /// The data with all filters undone.
    pub(crate) fn plain(
        &self,
        bytes: &mut Bytes<'_>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        let limit = bytes.memory() / MEMORY_SHARE;
        for filter in &self.filters {
            let unknown = "a cross-reference or object stream has an unknown filter";
            let filter = filter.ok_or(Failure::damaged(self.start, unknown))?;
            data = filter.unpack(&data, limit);
            bytes.check_stream(data.len() as u64)?;
            bytes.charge(data.len())?;
        }
        if data.is_empty() {
            return Err(Failure::damaged(self.start, "a stream cannot be unpacked"));
        }
        Ok(data)
    }
}

/// The filters of a stream in order; `None` for one that is not known.
fn filters(filter: &Value, parameters: &Value) -> Vec<Option<Flate>> {
    let one = |name: &Value, parameters: &Value| match name {
        Value::Name(name) if matches!(name.as_slice(), b"FlateDecode" | b"Fl") => {
            Flate::new(parameters)
        }
        _ => None,
    };
    match filter {
        Value::Null => Vec::new(),
        Value::Array(_) => {
            let parameters = parameters.items(MAX_FILTERS);
            let names = filter.items(MAX_FILTERS);
            let at = |index: usize| parameters.get(index).unwrap_or(&Value::Null);
            names.iter().enumerate().map(|(index, name)| one(name, at(index))).collect()
        }
        name => {
            let first = parameters.items(1).into_iter().next();
            vec![one(name, first.as_ref().unwrap_or(parameters))]
        }
    }
}

/// What a reference in a stream's dictionary stands for. Only objects outside object streams
/// count, as the standard demands: a stream that needs itself to be read is not followed.
pub(crate) fn plain_value(bytes: &mut Bytes<'_>, xref: &Xref, base: u64, value: Value) -> Value {
    let Value::Reference(number) = value else { return value };
    match xref.find(bytes, number) {
        Ok(Some(Entry::At(offset))) => object_at(bytes, base.saturating_add(offset), Some(number))
            .map_or(Value::Null, |(value, _)| value),
        _ => Value::Null,
    }
}

/// Reads the value at `at` and where it ends; with a number, the object of that number, header
/// and all.
pub(crate) fn object_at(
    bytes: &mut Bytes<'_>,
    at: u64,
    number: Option<u32>,
) -> Result<(Value, u64), Failure> {
    read_value(bytes, at, |cursor| match number {
        None => Some(()),
        Some(_) => (cursor.object_header() == number).then_some(()),
    })
}

/// Reads the object at `at`, whatever its number.
pub(crate) fn any_object_at(bytes: &mut Bytes<'_>, at: u64) -> Result<(Value, u64), Failure> {
    read_value(bytes, at, |cursor| cursor.object_header().map(|_| ()))
}

fn read_value(
    bytes: &mut Bytes<'_>,
    at: u64,
    header: impl Fn(&mut Cursor<'_>) -> Option<()>,
) -> Result<(Value, u64), Failure> {
    let mut window = FIRST_WINDOW;
    loop {
        let data = bytes.read(at, window)?;
        bytes.charge_object(data.len())?;
        let mut cursor = Cursor::new(&data);
        header(&mut cursor).ok_or(Failure::damaged(at, "another object was expected here"))?;
        cursor.skip_space();
        if let Some(value) = Value::parse(cursor.rest()) {
            let end = at + (cursor.at() + value.length()) as u64;
            return Ok((value, end));
        }
        let ended = (data.len() as u64) < window || window >= LAST_WINDOW;
        if ended || memchr::memmem::find(&data, b"endobj").is_some() {
            return Err(Failure::damaged(at, "an object is malformed or cut"));
        }
        window *= 4;
    }
}
