//! Where the pages are and what they inherit.

use std::collections::HashSet;

use lopdf::{Dictionary, Object};
use mediaprep_media::{Error, Limits};

use crate::HEADER_SEARCH;
use crate::crypt::Crypt;
use crate::failure::Failure;
use crate::objects::Objects;
use crate::repair;
use crate::split::load::{Reader, Room};
use crate::syntax::Value;
use crate::tree::{Step, walk_with};
use crate::xref::{self, Trailer};

/// Gets the key of a document from its trailer.
pub(super) type Unlock<'u> =
    &'u dyn Fn(&mut Objects<'_>, &Trailer) -> Result<Option<Crypt>, Failure>;

/// The pages of a document in reading order.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    pub(super) pages: Vec<Page>,
    /// What each branch of the page tree hands down; the first hands down nothing.
    pub(super) branches: Vec<Inherited>,
    /// Resources of branches, or references to them.
    pub(super) resources: Vec<Object>,
    /// Catalog, branches and pages: never copied because something refers to them.
    pub(super) frame: HashSet<u32>,
    pub(super) catalog: Dictionary,
}

#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) place: Place,
    /// The branch that it is in.
    pub(super) branch: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    /// An object of its own.
    Number(u32),
    /// A dictionary in the branch's list of children.
    Inline(Object),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inherited {
    /// Which of the outline's resources.
    pub(super) resources: Option<usize>,
    pub(super) media: Option<Object>,
    pub(super) crop: Option<Object>,
    pub(super) rotate: i64,
}

/// By the file's own cross-reference.
pub(super) fn regular(
    objects: &mut Objects<'_>,
    limits: &Limits,
    room: &mut Room,
    unlock: Unlock<'_>,
) -> Result<Outline, Failure> {
    let start = objects.bytes.read(0, HEADER_SEARCH)?;
    objects.base = memchr::memmem::find(&start, b"%PDF-").unwrap_or(0) as u64;
    let (xref, trailer) = xref::read_chain(&mut objects.bytes, objects.base)?;
    objects.xref = xref;
    objects.crypt = unlock(objects, &trailer)?;
    Outline::read(objects, &trailer.root, limits, room)
}

/// By the objects themselves, wherever they lie.
pub(super) fn repaired(
    objects: &mut Objects<'_>,
    limits: &Limits,
    room: &mut Room,
    unlock: Unlock<'_>,
) -> Result<Outline, Failure> {
    objects.start_repair();
    let (xref, repair) = repair::survey(&mut objects.bytes)?;
    objects.xref = xref;
    if let Some(trailer) = repair.encryption() {
        objects.crypt = unlock(objects, trailer)?;
    }
    repair.open_packed(objects)?;
    let root = repair.root(objects)?;
    Outline::read(objects, &root, limits, room)
}

impl Outline {
    fn read(
        objects: &mut Objects<'_>,
        root: &Value,
        limits: &Limits,
        room: &mut Room,
    ) -> Result<Self, Failure> {
        let mut outline = Self { branches: vec![Inherited::default()], ..Self::default() };
        if let Value::Reference(number) = root {
            outline.frame.insert(*number);
        }
        // The branches that the walk is in.
        let mut path = vec![0];
        walk_with(objects, root, limits, &mut |objects, step| {
            let mut reader = Reader { objects, room };
            let branch = path.last().copied().unwrap_or_default();
            match step {
                Step::Enter(entry) => path.push(outline.enter(&mut reader, &entry, branch)?),
                Step::Page(entry) => outline.page(&mut reader, entry, branch)?,
                Step::Leave => drop(path.pop()),
            }
            Ok(())
        })?;
        let mut reader = Reader { objects, room };
        let root = reader.convert(root, 0)?;
        outline.catalog = reader.dictionary(Some(&root))?;
        Ok(outline)
    }

    fn page(
        &mut self,
        reader: &mut Reader<'_, '_>,
        entry: Value,
        branch: usize,
    ) -> Result<(), Failure> {
        let place = match entry {
            Value::Reference(number) => {
                self.frame.insert(number);
                Place::Number(number)
            }
            entry => Place::Inline(inline(reader, &entry)?),
        };
        self.pages.push(Page { place, branch });
        Ok(())
    }

    /// Notes what a branch hands down, and gives its place in the list.
    fn enter(
        &mut self,
        reader: &mut Reader<'_, '_>,
        entry: &Value,
        above: usize,
    ) -> Result<usize, Failure> {
        let node = match entry {
            Value::Reference(number) => {
                self.frame.insert(*number);
                Object::Reference((*number, 0))
            }
            entry => inline(reader, entry)?,
        };
        let node = reader.dictionary(Some(&node))?;
        let mut inherited = self.branches.get(above).cloned().unwrap_or_default();
        if let Ok(resources) = node.get(b"Resources") {
            inherited.resources = Some(self.resources.len());
            self.resources.push(resources.clone());
        }
        inherited.media = rectangle(reader, &node, b"MediaBox")?.or(inherited.media);
        inherited.crop = rectangle(reader, &node, b"CropBox")?.or(inherited.crop);
        inherited.rotate = rotation(reader, &node)?.unwrap_or(inherited.rotate);
        self.branches.push(inherited);
        Ok(self.branches.len() - 1)
    }
}

/// A node without a number of its own. Its strings are encrypted for whichever object it is in,
/// which the walk does not tell; no known program writes such files.
fn inline(reader: &mut Reader<'_, '_>, entry: &Value) -> Result<Object, Failure> {
    if reader.objects.crypt.is_some() {
        let what = "an encrypted PDF with pages inside lists";
        return Err(Failure::Fatal(Error::Unsupported(what)));
    }
    reader.convert(entry, 0)
}

/// Four numbers, each of which may be an object of its own.
pub(super) fn rectangle(
    reader: &mut Reader<'_, '_>,
    node: &Dictionary,
    key: &[u8],
) -> Result<Option<Object>, Failure> {
    let mut corners = Vec::with_capacity(4);
    for corner in reader.items(node.get(key).ok())?.iter().take(4) {
        match reader.resolve(Some(corner))? {
            number @ (Object::Integer(_) | Object::Real(_)) => corners.push(number),
            _ => return Ok(None),
        }
    }
    Ok((corners.len() == 4).then_some(Object::Array(corners)))
}

/// Degrees clockwise.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
pub(super) fn rotation(
    reader: &mut Reader<'_, '_>,
    node: &Dictionary,
) -> Result<Option<i64>, Failure> {
    Ok(match reader.resolve(node.get(b"Rotate").ok())? {
        Object::Integer(degrees) => Some(degrees),
        Object::Real(degrees) => Some(degrees as i64),
        _ => None,
    })
}
