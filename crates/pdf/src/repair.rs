//! A document whose cross-reference is of no use, read from its objects alone.
//!
//! The file is read through once, in pieces, and every `12 0 obj` is noted; of several objects
//! with one number the last counts. Then object streams are opened and a trailer or a catalog is
//! looked for.

use memchr::memmem;

use crate::bytes::Bytes;
use crate::failure::Failure;
use crate::objects::{Objects, any_object_at, object_at};
use crate::syntax::{Dictionary, Value, is_space};
use crate::xref::{Entry, Trailer, Xref};

/// Bytes read at a time.
const PIECE: u64 = 256 << 10;
/// How far back a piece begins before the last one ended: more than the longest `12 0 obj`.
const OVERLAP: u64 = 64;

/// Most trailers that are kept, from the end of the file on.
const MAX_TRAILERS: usize = 16;

/// Words that say what an object is, or that a trailer follows.
const MARKS: [(&[u8], Mark); 4] = [
    (b"trailer", Mark::Trailer),
    (b"/XRef", Mark::Section),
    (b"/ObjStm", Mark::Packed),
    (b"/Catalog", Mark::Catalog),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Trailer,
    Section,
    Packed,
    Catalog,
}

/// What lies where in the file, in rising order.
#[derive(Debug, Default)]
struct Survey {
    /// Offsets and numbers of objects.
    objects: Vec<(u64, u32)>,
    marks: Vec<(u64, Mark)>,
}

/// Finds all objects and the trailer that names the catalog.
pub(crate) fn survey(bytes: &mut Bytes<'_>) -> Result<(Xref, Repair), Failure> {
    let survey = Survey::read(bytes)?;
    let mut xref = Xref::default();
    for &(offset, number) in &survey.objects {
        xref.found.insert(number, Entry::At(offset));
    }
    let mut repair = Repair::default();
    for &(offset, mark) in survey.marks.iter().rev() {
        let owner = survey.owner(offset);
        match (mark, owner) {
            (Mark::Trailer, _) => {
                let value = object_at(bytes, offset + MARKS[0].0.len() as u64, None);
                repair.trailer(value);
            }
            (Mark::Section, Some((at, _))) => repair.trailer(any_object_at(bytes, at)),
            (Mark::Packed, Some((at, number)))
                if xref.found.get(&number) == Some(&Entry::At(at)) =>
            {
                repair.packed.push(number);
            }
            (Mark::Catalog, Some((_, number))) => repair.catalogs.push(number),
            _ => {}
        }
    }
    // An object may bear its mark many times over.
    repair.packed.dedup();
    repair.catalogs.dedup();
    Ok((xref, repair))
}

/// What a survey found beside the objects, the last in the file first.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    trailers: Vec<Trailer>,
    packed: Vec<u32>,
    catalogs: Vec<u32>,
}

impl Repair {
    fn trailer(&mut self, read: Result<(Value, u64), Failure>) {
        if self.trailers.len() < MAX_TRAILERS
            && let Ok((Value::Dictionary(dictionary), _)) = read
            && is_trailer(&dictionary)
        {
            self.trailers.push(Trailer::new(&dictionary));
        }
    }

    /// The newest trailer that says how the document is encrypted.
    pub(crate) fn encryption(&self) -> Option<&Trailer> {
        self.trailers.iter().find(|trailer| !trailer.encrypt.is_null())
    }

    /// Makes the members of object streams known, where no object of their number stands alone.
    pub(crate) fn open_packed(&self, objects: &mut Objects<'_>) -> Result<(), Failure> {
        for &stream in &self.packed {
            let packed = match objects.packed(stream) {
                Ok(packed) => packed,
                Err(Failure::Damaged { .. }) => continue,
                Err(fatal) => return Err(fatal),
            };
            for (index, &(number, _)) in (0u32..).zip(&packed.members) {
                let entry = Entry::Packed { stream, index };
                objects.xref.found.entry(number).or_insert(entry);
            }
            objects.bytes.check_held(objects.xref.found.len() as u64 * 32)?;
        }
        Ok(())
    }

    /// The newest catalog that has a page tree.
    pub(crate) fn root(&self, objects: &mut Objects<'_>) -> Result<Value, Failure> {
        let named = self.trailers.iter().map(|trailer| trailer.root.clone());
        let seen = self.catalogs.iter().map(|&number| Value::Reference(number));
        for root in named.chain(seen) {
            match objects.resolve(root.clone()) {
                Ok(Value::Dictionary(catalog)) if !catalog.get(["Pages"])[0].is_null() => {
                    return Ok(root);
                }
                Ok(_) | Err(Failure::Damaged { .. }) => {}
                Err(fatal) => return Err(fatal),
            }
        }
        Err(Failure::damaged(0, "no catalog was found"))
    }
}

fn is_trailer(dictionary: &Dictionary) -> bool {
    let [root, encrypt] = dictionary.get(["Root", "Encrypt"]);
    !root.is_null() || !encrypt.is_null()
}

impl Survey {
    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Failure> {
        let mut survey = Self::default();
        let mut from = 0;
        let mut done = 0;
        while done < bytes.length() {
            let piece = bytes.read(from, PIECE)?;
            bytes.charge(piece.len())?;
            let end = from + piece.len() as u64;
            if end <= done {
                break;
            }
            survey.note(&piece, from, done);
            let held = survey.objects.len() + survey.marks.len();
            bytes.check_held(held as u64 * 32)?;
            done = end;
            from = end.saturating_sub(OVERLAP);
        }
        Ok(survey)
    }

    /// Notes what ends after `done` in a piece that begins at `from`.
    fn note(&mut self, piece: &[u8], from: u64, done: u64) {
        for at in memmem::find_iter(piece, b"obj") {
            if from + (at + 3) as u64 > done
                && let Some((start, number)) = header_before(piece, at)
            {
                self.objects.push((from + start as u64, number));
            }
        }
        let first = self.marks.len();
        for (word, mark) in MARKS {
            let found = memmem::find_iter(piece, word).map(|at| from + at as u64);
            let ends = |at: &u64| at + word.len() as u64 > done;
            self.marks.extend(found.filter(ends).map(|at| (at, mark)));
        }
        self.marks[first..].sort_by_key(|mark| mark.0);
    }

    /// The last object that begins before `offset`.
    fn owner(&self, offset: u64) -> Option<(u64, u32)> {
        let after = self.objects.partition_point(|object| object.0 <= offset);
        self.objects.get(after.checked_sub(1)?).copied()
    }
}

/// Where `12 0 ` begins that stands before `obj` at `at`, and its first number.
fn header_before(piece: &[u8], at: usize) -> Option<(usize, u32)> {
    let before = piece.get(..at)?;
    let trim_space = |bytes: &[u8]| bytes.iter().rposition(|b| !is_space(*b)).map_or(0, |p| p + 1);
    let trim_digits =
        |bytes: &[u8]| bytes.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |p| p + 1);
    let generation_end = trim_space(before);
    let generation = trim_digits(&before[..generation_end]);
    let number_end = trim_space(&before[..generation]);
    let number = trim_digits(&before[..number_end]);
    if generation == generation_end || number_end == generation {
        return None;
    }
    let value = crate::syntax::decimal(&before[number..number_end])?;
    Some((number, u32::try_from(value).ok()?))
}
