//! Where each object is: cross-reference tables and streams.
//!
//! Tables are not read through. Their entries have a fixed length, so that the one entry that is
//! wanted is read where it must be.

use std::collections::{HashMap, HashSet};

use crate::bytes::{Bytes, clamp};
use crate::failure::Failure;
use crate::objects::{Stream, object_at};
use crate::syntax::{Cursor, Dictionary, Value, decimal};

/// Bytes of one entry of a table, by definition.
const ENTRY: u64 = 20;
/// Where the last `startxref` is looked for, in bytes from the end.
const TAIL: u64 = 2048;
/// Most sections (revisions of the file) that are followed.
const MAX_SECTIONS: usize = 512;

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Nowhere: it was deleted.
    Free,
    /// At this offset in the file.
    At(u64),
    /// Inside an object stream.
    Packed { stream: u32, index: u32 },
}

/// What the sections say of the document as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Trailer {
    pub(crate) root: Value,
    pub(crate) encrypt: Value,
    pub(crate) id: Value,
}

impl Trailer {
    pub(crate) fn new(dictionary: &Dictionary) -> Self {
        let [root, encrypt, id] = dictionary.get(["Root", "Encrypt", "ID"]);
        Self { root, encrypt, id }
    }
}

/// All sections, the newest first, or the objects that a repair found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Xref {
    sections: Vec<Section>,
    /// What a repair found.
    pub(crate) found: HashMap<u32, Entry>,
}

impl Xref {
    /// Where object `number` is; `None` when no section knows it.
    pub(crate) fn find(
        &self,
        bytes: &mut Bytes<'_>,
        number: u32,
    ) -> Result<Option<Entry>, Failure> {
        let mut free = None;
        for section in &self.sections {
            let Some((start, step)) = section.place(number) else { continue };
            match &section.kind {
                Kind::Table { hybrid } => match table_entry(bytes, start + step * ENTRY)? {
                    Entry::Free if *hybrid => free = Some(Entry::Free),
                    entry => return Ok(Some(entry)),
                },
                Kind::Stream { widths, data } => return stream_entry(*widths, data, start + step),
            }
        }
        Ok(self.found.get(&number).copied().or(free))
    }
}

/// One cross-reference table or stream.
#[derive(Clone, Debug)]
struct Section {
    /// Sorted by the first object's number.
    parts: Vec<Part>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Table {
        /// Whether what the table calls free may be in the section that follows it.
        hybrid: bool,
    },
    Stream {
        /// Bytes of the three fields of an entry.
        widths: [usize; 3],
        data: Vec<u8>,
    },
}

/// Entries of neighbouring objects.
#[derive(Clone, Debug)]
struct Part {
    first: u32,
    count: u64,
    /// Where the first entry is: an offset in the file (tables) or an index (streams).
    start: u64,
}

impl Section {
    fn new(mut parts: Vec<Part>, kind: Kind) -> Self {
        parts.sort_by_key(|part| part.first);
        Self { parts, kind }
    }

    /// Where the entries begin that hold `number`, and which of them it is.
    fn place(&self, number: u32) -> Option<(u64, u64)> {
        let after = self.parts.partition_point(|part| part.first <= number);
        let part = self.parts.get(after.checked_sub(1)?)?;
        let step = u64::from(number - part.first);
        (step < part.count).then_some((part.start, step))
    }
}

/// Reads all sections from the last one on, following `/Prev` and `/XRefStm`.
pub(crate) fn read_chain(bytes: &mut Bytes<'_>, base: u64) -> Result<(Xref, Trailer), Failure> {
    let mut xref = Xref::default();
    let mut trailer: Option<Trailer> = None;
    let mut seen = HashSet::new();
    let mut held = 0;
    let mut next = Some(last_section(bytes)?);
    while let Some(offset) = next {
        // A chain that comes back to itself has nothing new to say.
        if !seen.insert(offset) {
            break;
        }
        let (section, dictionary) = read_section(bytes, base.saturating_add(offset))?;
        held += section.held();
        bytes.check_held(held)?;
        xref.sections.push(section);
        let [previous, hybrid] = dictionary.get(["Prev", "XRefStm"]);
        if let Some(offset) = hybrid.size()
            && seen.insert(offset)
        {
            let (section, _) = read_section(bytes, base.saturating_add(offset))?;
            held += section.held();
            bytes.check_held(held)?;
            xref.sections.push(section);
        }
        if trailer.as_ref().is_none_or(|trailer| trailer.root.is_null()) {
            trailer = Some(Trailer::new(&dictionary));
        }
        if xref.sections.len() > MAX_SECTIONS {
            return Err(Failure::damaged(offset, "too many cross-reference sections"));
        }
        next = previous.size();
    }
    trailer.map(|trailer| (xref, trailer)).ok_or(Failure::damaged(0, "no trailer was found"))
}

/// The offset after the last `startxref`.
fn last_section(bytes: &mut Bytes<'_>) -> Result<u64, Failure> {
    let from = bytes.length().saturating_sub(TAIL);
    let tail = bytes.read(from, TAIL)?;
    let word = b"startxref";
    let found = memchr::memmem::rfind(&tail, word)
        .and_then(|at| Cursor::new(&tail[at + word.len()..]).integer());
    found.ok_or(Failure::damaged(from, "no startxref near the end of the file"))
}

fn read_section(bytes: &mut Bytes<'_>, offset: u64) -> Result<(Section, Dictionary), Failure> {
    if offset >= bytes.length() {
        return Err(Failure::damaged(offset, "a cross-reference section is beyond the end"));
    }
    let start = bytes.read(offset, 64)?;
    let mut cursor = Cursor::new(&start);
    cursor.skip_space();
    if cursor.word(b"xref") {
        read_table(bytes, offset + cursor.at() as u64)
    } else {
        read_stream(bytes, offset)
    }
}

/// Reads the headings of a table and the trailer after it; entries are left where they are.
fn read_table(bytes: &mut Bytes<'_>, mut at: u64) -> Result<(Section, Dictionary), Failure> {
    let mut parts = Vec::new();
    loop {
        let heading = bytes.read(at, 64)?;
        bytes.charge(heading.len())?;
        let mut cursor = Cursor::new(&heading);
        cursor.skip_space();
        if cursor.word(b"trailer") {
            let (value, _) = object_at(bytes, at + cursor.at() as u64, None)?;
            let Value::Dictionary(dictionary) = value else {
                return Err(Failure::damaged(at, "the trailer is not a dictionary"));
            };
            let hybrid = !dictionary.get(["XRefStm"])[0].is_null();
            return Ok((Section::new(parts, Kind::Table { hybrid }), dictionary));
        }
        let malformed = Failure::damaged(at, "a cross-reference table is malformed");
        let (Some(first), Some(count)) = (cursor.integer(), cursor.integer()) else {
            return Err(malformed);
        };
        cursor.skip_space();
        let start = at + cursor.at() as u64;
        let (Ok(first), Some(after)) =
            (u32::try_from(first), count.checked_mul(ENTRY).and_then(|all| all.checked_add(start)))
        else {
            return Err(malformed);
        };
        if after > bytes.length() {
            return Err(malformed);
        }
        if count > 0 {
            parts.push(Part { first, count, start });
        }
        at = after;
    }
}

/// `0000000017 00000 n` and an end of line of two bytes.
fn table_entry(bytes: &mut Bytes<'_>, at: u64) -> Result<Entry, Failure> {
    let entry = bytes.read(at, ENTRY)?;
    let offset = entry.get(..10).and_then(decimal);
    match (offset, entry.get(17)) {
        (Some(offset), Some(b'n')) => Ok(Entry::At(offset)),
        (Some(_), Some(b'f')) => Ok(Entry::Free),
        _ => Err(Failure::damaged(at, "a cross-reference entry is malformed")),
    }
}

fn read_stream(bytes: &mut Bytes<'_>, offset: u64) -> Result<(Section, Dictionary), Failure> {
    let malformed = || Failure::damaged(offset, "a cross-reference stream is malformed");
    let stream = Stream::read(bytes, offset, None, |_, value| value)?;
    let keys = ["W", "Index", "Size"];
    let [widths, index, size] = stream.dictionary.get(keys);
    let widths = widths.items(3);
    let width = |at: usize| widths.get(at).and_then(Value::size).filter(|width| *width <= 8);
    let widths = [width(0), width(1), width(2)].map(|width| width.map(clamp));
    let [Some(kind), Some(second), Some(third)] = widths else { return Err(malformed()) };
    let widths = [kind, second, third];
    let raw = stream.raw(bytes)?;
    let data = stream.plain(bytes, raw)?;
    let ranges = match index.items(data.len()) {
        pairs if pairs.is_empty() => vec![Value::Number(0.0), size],
        pairs => pairs,
    };
    let mut parts = Vec::new();
    let mut start = 0u64;
    for pair in ranges.chunks_exact(2) {
        let (Some(first), Some(count)) = (pair[0].size(), pair[1].size()) else {
            return Err(malformed());
        };
        let first = u32::try_from(first).map_err(|_| malformed())?;
        parts.push(Part { first, count, start });
        start = start.checked_add(count).ok_or_else(malformed)?;
    }
    Ok((Section::new(parts, Kind::Stream { widths, data }), stream.dictionary))
}

/// The entry with this index; an entry that the data does not reach is no entry.
fn stream_entry(widths: [usize; 3], data: &[u8], index: u64) -> Result<Option<Entry>, Failure> {
    let width: usize = widths.iter().sum();
    let entry = clamp(index).checked_mul(width).and_then(|at| data.get(at..)?.get(..width));
    let Some(entry) = entry.filter(|entry| !entry.is_empty()) else { return Ok(None) };
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let (kind, rest) = entry.split_at(widths[0]);
    let (second, third) = rest.split_at(widths[1]);
    let short = |value: u64| {
        u32::try_from(value).map_err(|_| Failure::damaged(0, "an object number is too large"))
    };
    match if kind.is_empty() { 1 } else { number(kind) } {
        0 => Ok(Some(Entry::Free)),
        1 => Ok(Some(Entry::At(number(second)))),
        2 => {
            let (stream, index) = (short(number(second))?, short(number(third))?);
            Ok(Some(Entry::Packed { stream, index }))
        }
        // Other kinds are references to null, by definition.
        _ => Ok(None),
    }
}

impl Section {
    /// Bytes in memory, roughly.
    fn held(&self) -> u64 {
        let data = if let Kind::Stream { data, .. } = &self.kind { data.len() } else { 0 };
        (data + self.parts.len() * size_of::<Part>()) as u64
    }
}
