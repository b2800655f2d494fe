//! Copies pages and what they need into a new document.

use std::collections::{HashMap, VecDeque};

use lopdf::{Dictionary, Document, Object};

use crate::failure::Failure;
use crate::split::forms::Forms;
use crate::split::layers;
use crate::split::load::Reader;
use crate::split::outline::{Inherited, Outline, Page, Place, rectangle, rotation};

/// Entries of a page that are copied as they are: its content and how it is to be shown.
const PAGE_KEYS: [&[u8]; 6] =
    [b"ArtBox", b"BleedBox", b"Contents", b"Group", b"TrimBox", b"UserUnit"];
/// Entries of a stream's dictionary that neither show nor say anything.
const IDLE_KEYS: [&[u8]; 5] = [b"AF", b"Metadata", b"PieceInfo", b"StructParent", b"StructParents"];
/// Objects that belong to the document as a whole, or that only hold others.
const STRANGERS: [&[u8]; 11] = [
    b"Catalog",
    b"EmbeddedFile",
    b"Filespec",
    b"Metadata",
    b"ObjStm",
    b"Outlines",
    b"Page",
    b"Pages",
    b"StructElem",
    b"StructTreeRoot",
    b"XRef",
];
/// US Letter, which viewers assume for a page without a box.
const LETTER: [i64; 4] = [0, 0, 612, 792];
/// Most references in a row, as everywhere in this crate.
const MAX_REFERENCES: usize = 16;

/// A new document that is being filled.
pub(super) struct Copier<'o, 's> {
    pub(super) reader: Reader<'o, 's>,
    outline: &'o Outline,
    document: Document,
    /// New numbers of old objects.
    numbers: HashMap<u32, u32>,
    /// New numbers of the resources that branches of the page tree hand down.
    resources: HashMap<usize, u32>,
    /// Objects that have a new number and are not copied yet: the old one, the new one.
    queue: VecDeque<(u32, u32)>,
    forms: Forms,
}

/// The document of these pages, numbered from 0 and known to exist.
pub(super) fn copy(
    reader: Reader<'_, '_>,
    outline: &Outline,
    chosen: &[usize],
) -> Result<Document, Failure> {
    let mut copier = Copier {
        reader,
        outline,
        document: Document::new(),
        numbers: HashMap::new(),
        resources: HashMap::new(),
        queue: VecDeque::new(),
        forms: Forms::default(),
    };
    copier.document.version = "1.7".to_owned();
    let pages: Vec<&Page> = chosen.iter().filter_map(|&at| outline.pages.get(at)).collect();
    copier.fill(&pages)?;
    Ok(copier.document)
}

impl Copier<'_, '_> {
    fn fill(&mut self, pages: &[&Page]) -> Result<(), Failure> {
        let (catalog, top) = (self.fresh(), self.fresh());
        let numbers: Vec<u32> = pages.iter().map(|_| self.fresh()).collect();
        for page in pages {
            let annotations = self.annotations(page)?;
            self.forms.note(&mut self.reader, &self.outline.frame, &annotations)?;
        }
        for (page, &number) in pages.iter().zip(&numbers) {
            let page = self.page(page, top)?;
            self.put(number, page);
            self.drain()?;
        }
        let mut root = Dictionary::new();
        root.set("Type", "Catalog");
        root.set("Pages", Object::Reference((top, 0)));
        if let Some(form) = self.forms.form(&mut self.reader, &self.outline.catalog)? {
            let form = self.adopt_entries(form)?;
            root.set("AcroForm", form);
            self.drain()?;
        }
        if let Some(layers) = layers::copy(self, &self.outline.catalog)? {
            root.set("OCProperties", layers);
        }
        let kids = numbers.into_iter().map(|number| Object::Reference((number, 0)));
        let mut tree = Dictionary::new();
        tree.set("Type", "Pages");
        tree.set("Count", i64::try_from(pages.len()).unwrap_or(i64::MAX));
        tree.set("Kids", Object::Array(kids.collect()));
        self.put(catalog, root);
        self.put(top, tree);
        self.document.trailer.set("Root", Object::Reference((catalog, 0)));
        Ok(())
    }

    fn page(&mut self, page: &Page, top: u32) -> Result<Dictionary, Failure> {
        let source = self.source(page)?;
        let nothing = Inherited::default();
        let inherited = self.outline.branches.get(page.branch).unwrap_or(&nothing);
        let mut copy = Dictionary::new();
        copy.set("Type", "Page");
        copy.set("Parent", Object::Reference((top, 0)));
        let letter = || Object::Array(LETTER.map(Object::Integer).to_vec());
        let media = rectangle(&mut self.reader, &source, b"MediaBox")?;
        copy.set("MediaBox", media.or(inherited.media.clone()).unwrap_or_else(letter));
        let crop = rectangle(&mut self.reader, &source, b"CropBox")?;
        if let Some(crop) = crop.or(inherited.crop.clone()) {
            copy.set("CropBox", crop);
        }
        let turned = rotation(&mut self.reader, &source)?.unwrap_or(inherited.rotate);
        if turned != 0 {
            copy.set("Rotate", turned);
        }
        for key in PAGE_KEYS {
            if let Ok(value) = source.get(key) {
                let value = self.adopt(value.clone())?;
                copy.set(key, value);
            }
        }
        if let Some(resources) = self.resources(&source, inherited)? {
            copy.set("Resources", resources);
        }
        let annotations = self.adopt_annotations(page)?;
        if !annotations.is_empty() {
            copy.set("Annots", Object::Array(annotations));
        }
        Ok(copy)
    }

    /// The page's own resources, or those of the nearest branch that has some.
    fn resources(
        &mut self,
        source: &Dictionary,
        inherited: &Inherited,
    ) -> Result<Option<Object>, Failure> {
        if let Ok(own) = source.get(b"Resources")
            && matches!(self.reader.resolve(Some(own))?, Object::Dictionary(_))
        {
            return self.adopt(own.clone()).map(Some);
        }
        let Some(at) = inherited.resources else { return Ok(None) };
        if let Some(&number) = self.resources.get(&at) {
            return Ok(Some(Object::Reference((number, 0))));
        }
        match self.outline.resources.get(at).cloned() {
            Some(Object::Dictionary(entries)) => {
                let number = self.fresh();
                self.resources.insert(at, number);
                let entries = self.adopt_entries(entries)?;
                self.put(number, entries);
                Ok(Some(Object::Reference((number, 0))))
            }
            other => other.map(|object| self.adopt(object)).transpose(),
        }
    }

    fn source(&mut self, page: &Page) -> Result<Dictionary, Failure> {
        match &page.place {
            Place::Number(number) => self.reader.dictionary(Some(&Object::Reference((*number, 0)))),
            Place::Inline(page) => self.reader.dictionary(Some(page)),
        }
    }

    fn annotations(&mut self, page: &Page) -> Result<Vec<Object>, Failure> {
        let source = self.source(page)?;
        self.reader.items(source.get(b"Annots").ok())
    }

    fn adopt_annotations(&mut self, page: &Page) -> Result<Vec<Object>, Failure> {
        let mut copies = Vec::new();
        for annotation in self.annotations(page)? {
            let copy = match annotation {
                Object::Dictionary(entries) => {
                    let entries = self.forms.trim(&mut self.reader, None, &entries)?;
                    Object::Dictionary(self.adopt_entries(entries)?)
                }
                other => self.adopt(other)?,
            };
            if !copy.is_null() {
                copies.push(copy);
            }
        }
        Ok(copies)
    }

    /// Copies all objects that were referred to since the last time, and what they refer to.
    fn drain(&mut self) -> Result<(), Failure> {
        while let Some((old, new)) = self.queue.pop_front() {
            let mut object = self.load(old)?;
            if let Object::Dictionary(entries) = &object
                && self.forms.knows(old)
            {
                object =
                    Object::Dictionary(self.forms.trim(&mut self.reader, Some(old), entries)?);
            }
            // A number without an object is null.
            if !object.is_null() {
                let object = self.adopt(object)?;
                self.document.objects.insert((new, 0), object);
            }
        }
        Ok(())
    }

    /// The object itself, unless it is none of those that pages are made of.
    fn load(&mut self, mut number: u32) -> Result<Object, Failure> {
        for _ in 0..MAX_REFERENCES {
            match self.reader.load(number)? {
                Object::Reference((next, _)) if !self.outline.frame.contains(&next) => {
                    number = next
                }
                object if is_stranger(&object) => break,
                object => return Ok(object),
            }
        }
        Ok(Object::Null)
    }

    /// The same object with references into the new document.
    pub(super) fn adopt(&mut self, object: Object) -> Result<Object, Failure> {
        Ok(match object {
            Object::Reference((old, _)) => self.number(old),
            Object::Array(items) => {
                let items = items.into_iter().map(|item| self.adopt(item));
                Object::Array(items.collect::<Result<_, _>>()?)
            }
            Object::Dictionary(entries) => Object::Dictionary(self.adopt_entries(entries)?),
            Object::Stream(mut stream) => {
                for key in IDLE_KEYS {
                    stream.dict.remove(key);
                }
                stream.dict = self.adopt_entries(std::mem::take(&mut stream.dict))?;
                // `Length` may have been a reference, and the data longer by encryption.
                stream.dict.set("Length", i64::try_from(stream.content.len()).unwrap_or(i64::MAX));
                Object::Stream(stream)
            }
            other => other,
        })
    }

    pub(super) fn adopt_entries(&mut self, entries: Dictionary) -> Result<Dictionary, Failure> {
        let mut adopted = Dictionary::new();
        for (key, value) in entries {
            let value = self.adopt(value)?;
            if !value.is_null() {
                adopted.set(key, value);
            }
        }
        Ok(adopted)
    }

    /// A reference to the copy of object `old`, which is made later; null for what is not copied.
    fn number(&mut self, old: u32) -> Object {
        if self.outline.frame.contains(&old) {
            return Object::Null;
        }
        if let Some(new) = self.known(old) {
            return new;
        }
        let new = self.fresh();
        self.numbers.insert(old, new);
        self.queue.push_back((old, new));
        Object::Reference((new, 0))
    }

    /// A reference to the copy of object `old` if there is one.
    pub(super) fn known(&self, old: u32) -> Option<Object> {
        self.numbers.get(&old).map(|&new| Object::Reference((new, 0)))
    }

    fn fresh(&mut self) -> u32 {
        self.document.max_id += 1;
        self.document.max_id
    }

    fn put(&mut self, number: u32, entries: Dictionary) {
        self.document.objects.insert((number, 0), Object::Dictionary(entries));
    }
}

fn is_stranger(object: &Object) -> bool {
    object.type_name().is_ok_and(|name| STRANGERS.contains(&name))
}
