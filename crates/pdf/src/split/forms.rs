//! Annotations, and the form whose fields some of them are.
//!
//! A field may have its boxes on many pages. Of a field only what leads to a box on a chosen page
//! is kept, so that it neither drags in other pages nor loses what its boxes inherit.

use std::collections::HashSet;

use lopdf::{Dictionary, Object};

use crate::failure::Failure;
use crate::split::load::Reader;

/// Entries of an annotation or field that say how it looks or what it says, in the order of their
/// bytes. Actions, destinations and ties to other annotations are not among them.
const KEYS: [&[u8]; 51] = [
    b"AP",
    b"AS",
    b"BE",
    b"BM",
    b"BS",
    b"Border",
    b"C",
    b"CA",
    b"CL",
    b"Cap",
    b"Contents",
    b"DA",
    b"DS",
    b"DV",
    b"F",
    b"FT",
    b"Ff",
    b"H",
    b"I",
    b"IC",
    b"IT",
    b"InkList",
    b"L",
    b"LE",
    b"LL",
    b"LLE",
    b"LLO",
    b"MK",
    b"MaxLen",
    b"NM",
    b"Name",
    b"OC",
    b"Opt",
    b"OverlayText",
    b"Path",
    b"Q",
    b"QuadPoints",
    b"RC",
    b"RD",
    b"RO",
    b"Rect",
    b"Repeat",
    b"Rotate",
    b"Subtype",
    b"T",
    b"TI",
    b"TU",
    b"Type",
    b"V",
    b"Vertices",
    b"ca",
];
/// Entries of the form that its fields inherit or need; not its scripts, nor its double in XFA.
const FORM_KEYS: [&[u8]; 4] = [b"DA", b"DR", b"NeedAppearances", b"Q"];

/// The annotations and fields that are copied.
#[derive(Debug, Default)]
pub(super) struct Forms {
    /// Annotations of chosen pages, and fields.
    annotations: HashSet<u32>,
    /// Boxes on chosen pages and the fields above them.
    fields: HashSet<u32>,
}

impl Forms {
    /// Notes the annotations of one page; `frame` is what fields cannot be.
    pub(super) fn note(
        &mut self,
        reader: &mut Reader<'_, '_>,
        frame: &HashSet<u32>,
        annotations: &[Object],
    ) -> Result<(), Failure> {
        for annotation in annotations {
            let Object::Reference((number, _)) = annotation else { continue };
            if !self.annotations.insert(*number) {
                continue;
            }
            let mut entries = reader.dictionary(Some(annotation))?;
            if !matches!(entries.get(b"Subtype"), Ok(Object::Name(kind)) if kind == b"Widget") {
                continue;
            }
            self.fields.insert(*number);
            while let Ok(Object::Reference((above, _))) = entries.get(b"Parent")
                && !frame.contains(above)
                && self.fields.insert(*above)
            {
                self.annotations.insert(*above);
                entries = reader.dictionary(Some(&Object::Reference((*above, 0))))?;
            }
        }
        Ok(())
    }

    /// Whether this object is an annotation of a chosen page or a field above one.
    pub(super) fn knows(&self, number: u32) -> bool {
        self.annotations.contains(&number)
    }

    /// What is copied of an annotation or field, with the old references.
    pub(super) fn trim(
        &self,
        reader: &mut Reader<'_, '_>,
        number: Option<u32>,
        entries: &Dictionary,
    ) -> Result<Dictionary, Failure> {
        let kept = entries.iter().filter(|(key, _)| KEYS.contains(&key.as_slice()));
        let mut copy: Dictionary = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
        // A signature is of the whole document, and void without it.
        if matches!(reader.resolve(copy.get(b"V").ok())?, Object::Dictionary(_)) {
            copy.remove(b"V");
        }
        if let Some(action) = address(reader, entries)? {
            copy.set("A", action);
        }
        if number.is_some_and(|number| self.fields.contains(&number)) {
            if let Ok(above) = entries.get(b"Parent")
                && self.is_field(above)
            {
                copy.set("Parent", above.clone());
            }
            if entries.has(b"Kids") {
                copy.set("Kids", self.fields_of(reader, entries, b"Kids")?);
            }
        }
        Ok(copy)
    }

    /// The form with the fields that are on chosen pages, with the old references; none when there
    /// are no such fields.
    pub(super) fn form(
        &self,
        reader: &mut Reader<'_, '_>,
        catalog: &Dictionary,
    ) -> Result<Option<Dictionary>, Failure> {
        if self.fields.is_empty() {
            return Ok(None);
        }
        let form = reader.dictionary(catalog.get(b"AcroForm").ok())?;
        let kept = form.iter().filter(|(key, _)| FORM_KEYS.contains(&key.as_slice()));
        let mut copy: Dictionary = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
        copy.set("Fields", self.fields_of(reader, &form, b"Fields")?);
        Ok((!form.is_empty()).then_some(copy))
    }

    fn fields_of(
        &self,
        reader: &mut Reader<'_, '_>,
        entries: &Dictionary,
        key: &[u8],
    ) -> Result<Object, Failure> {
        let mut fields = reader.items(entries.get(key).ok())?;
        fields.retain(|field| self.is_field(field));
        Ok(Object::Array(fields))
    }

    fn is_field(&self, object: &Object) -> bool {
        matches!(object, Object::Reference((number, _)) if self.fields.contains(number))
    }
}

/// The action of a link to an address, the only kind that is copied.
fn address(
    reader: &mut Reader<'_, '_>,
    entries: &Dictionary,
) -> Result<Option<Dictionary>, Failure> {
    let action = reader.dictionary(entries.get(b"A").ok())?;
    if !matches!(action.get(b"S"), Ok(Object::Name(kind)) if kind == b"URI") {
        return Ok(None);
    }
    let mut copy = Dictionary::new();
    copy.set("S", "URI");
    copy.set("URI", reader.resolve(action.get(b"URI").ok())?);
    Ok(Some(copy))
}
