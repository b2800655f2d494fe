//! Layers (optional content): which of those that the pages use are shown.

use lopdf::{Dictionary, Object};

use crate::failure::Failure;
use crate::split::copy::Copier;

/// The `/OCProperties` for the layers that were copied; none when there are none.
pub(super) fn copy(
    copier: &mut Copier<'_, '_>,
    catalog: &Dictionary,
) -> Result<Option<Dictionary>, Failure> {
    let properties = copier.reader.dictionary(catalog.get(b"OCProperties").ok())?;
    let groups = copied(copier, &properties, b"OCGs")?;
    if groups.is_empty() {
        return Ok(None);
    }
    let source = copier.reader.dictionary(properties.get(b"D").ok())?;
    let mut default = Dictionary::new();
    for key in [&b"BaseState"[..], b"Intent"] {
        let value = copier.reader.resolve(source.get(key).ok())?;
        if matches!(value, Object::Name(_)) {
            default.set(key, value);
        }
    }
    for key in [&b"ON"[..], b"OFF"] {
        default.set(key, Object::Array(copied(copier, &source, key)?));
    }
    let events = events(copier, &source)?;
    if !events.is_empty() {
        default.set("AS", Object::Array(events));
    }
    let mut copy = Dictionary::new();
    copy.set("OCGs", Object::Array(groups));
    copy.set("D", default);
    Ok(Some(copy))
}

/// What sets layers when the document is viewed, printed or exported.
fn events(copier: &mut Copier<'_, '_>, source: &Dictionary) -> Result<Vec<Object>, Failure> {
    let mut events = Vec::new();
    for event in copier.reader.items(source.get(b"AS").ok())? {
        let event = copier.reader.dictionary(Some(&event))?;
        let groups = copied(copier, &event, b"OCGs")?;
        if groups.is_empty() {
            continue;
        }
        let mut copy = Dictionary::new();
        copy.set("Event", copier.reader.resolve(event.get(b"Event").ok())?);
        copy.set("Category", Object::Array(names(copier, &event)?));
        copy.set("OCGs", Object::Array(groups));
        events.push(Object::Dictionary(copy));
    }
    Ok(events)
}

fn names(copier: &mut Copier<'_, '_>, event: &Dictionary) -> Result<Vec<Object>, Failure> {
    let mut names = copier.reader.items(event.get(b"Category").ok())?;
    names.retain(|name| matches!(name, Object::Name(_)));
    Ok(names)
}

/// Of a list of layers those that were copied.
fn copied(
    copier: &mut Copier<'_, '_>,
    entries: &Dictionary,
    key: &[u8],
) -> Result<Vec<Object>, Failure> {
    let listed = copier.reader.items(entries.get(key).ok())?;
    let new = listed.iter().filter_map(|layer| match layer {
        Object::Reference((old, _)) => copier.known(*old),
        _ => None,
    });
    Ok(new.collect())
}
