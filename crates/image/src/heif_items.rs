//! The item tables of a HEIF `meta` box. Every list is read in place: nothing is sized by a count
//! in the file.

use mediaprep_media::bmff::{FourCc, children};

use crate::heif::{child, word};

/// Property indices have 15 bits.
const MAX_PROPERTIES: usize = 32_767;
/// A grid has at most 256 rows and columns.
const MAX_TILES: usize = 65_536;
/// Auxiliary pictures of one item: transparency, depth, and some of the vendors' own.
const MAX_AUXILIARY: usize = 64;

/// The boxes inside `meta` that describe items.
pub(crate) struct Items<'a> {
    pitm: &'a [u8],
    iloc: &'a [u8],
    iref: &'a [u8],
    iprp: &'a [u8],
    properties: Vec<(FourCc, &'a [u8])>,
}

impl<'a> Items<'a> {
    /// The tables in `body`, which is the body of `meta` behind version and flags.
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let mut items = Self { pitm: &[], iloc: &[], iref: &[], iprp: &[], properties: Vec::new() };
        for (header, inner) in children(body, 0) {
            match &header.kind {
                b"pitm" => items.pitm = inner,
                b"iloc" => items.iloc = inner,
                b"iref" => items.iref = inner,
                b"iprp" => items.iprp = inner,
                _ => {}
            }
        }
        let listed = children(child(items.iprp, b"ipco"), 0).take(MAX_PROPERTIES);
        items.properties = listed.map(|(header, inner)| (header.kind, inner)).collect();
        items
    }

    /// The item that is shown.
    pub(crate) fn primary(&self) -> Option<u32> {
        Cursor::full(self.pitm).and_then(|(mut cursor, version, _)| cursor.id(version > 0))
    }

    /// The item's properties in the order in which it lists them.
    pub(crate) fn properties(&self, item: u32) -> impl Iterator<Item = (FourCc, &'a [u8])> {
        let tables = children(self.iprp, 0).filter(|(header, _)| &header.kind == b"ipma");
        let (wide, list) =
            tables.filter_map(|(_, body)| associations(body, item)).next().unwrap_or((false, &[]));
        list.chunks_exact(if wide { 2 } else { 1 }).filter_map(move |entry| {
            // The top bit says whether a reader must understand the property.
            let index = match *entry {
                [high, low] => usize::from(high & 0x7f) << 8 | usize::from(low),
                [byte] => usize::from(byte & 0x7f),
                _ => 0,
            };
            self.properties.get(index.checked_sub(1)?).copied()
        })
    }

    /// Whether an auxiliary item holds the transparency of `item`.
    pub(crate) fn has_alpha(&self, item: u32) -> bool {
        const URNS: [&[u8]; 2] =
            [b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"];
        let is_alpha = |aux: u32| {
            self.properties(aux).any(|(kind, body)| {
                let urn = body.get(4..).unwrap_or_default();
                &kind == b"auxC" && URNS.iter().any(|known| urn.starts_with(known))
            })
        };
        let auxiliary = self.references(*b"auxl");
        let mut of_item =
            auxiliary.filter_map(|(from, mut to)| to.any(|to| to == item).then_some(from));
        of_item.by_ref().take(MAX_AUXILIARY).any(is_alpha)
    }

    /// Whether the data of `item`, or of the tiles it is put together from, lie beyond `length`.
    pub(crate) fn reaches_beyond(&self, item: u32, length: u64) -> bool {
        let Some(locations) = Locations::new(self.iloc) else { return false };
        let mut beyond = locations.filter(|location| location.end > length).peekable();
        if beyond.peek().is_none() {
            return false;
        }
        let parts = self.references(*b"dimg").filter(|&(from, _)| from == item);
        let mut needed: Vec<u32> = parts.flat_map(|(_, to)| to).take(MAX_TILES).collect();
        needed.push(item);
        needed.sort_unstable();
        beyond.any(|location| needed.binary_search(&location.item).is_ok())
    }

    /// References of one kind: from which item, to which others.
    fn references(&self, kind: FourCc) -> impl Iterator<Item = (u32, Targets<'a>)> {
        let (rest, wide) = match Cursor::full(self.iref) {
            Some((cursor, version, _)) => (cursor.rest, version > 0),
            None => (&[][..], false),
        };
        children(rest, 0).filter(move |(header, _)| header.kind == kind).filter_map(
            move |(_, body)| {
                let mut cursor = Cursor { rest: body };
                let from = cursor.id(wide)?;
                let left = usize::try_from(cursor.number(2)?).ok()?;
                Some((from, Targets { cursor, wide, left }))
            },
        )
    }
}

/// The items that one reference points to.
struct Targets<'a> {
    cursor: Cursor<'a>,
    wide: bool,
    left: usize,
}

impl Iterator for Targets<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        self.cursor.id(self.wide)
    }
}

/// The property list of `item` in an `ipma` box, and whether its indices have 15 bits.
fn associations(ipma: &[u8], item: u32) -> Option<(bool, &[u8])> {
    let (mut cursor, version, flags) = Cursor::full(ipma)?;
    let wide = flags & 1 == 1;
    let entries = cursor.number(4)?;
    for _ in 0..entries {
        let id = cursor.id(version > 0)?;
        let count = usize::try_from(cursor.number(1)?).ok()?;
        let list = cursor.take(if wide { count * 2 } else { count })?;
        if id == item {
            return Some((wide, list));
        }
    }
    None
}

/// Where an item's data end in the file.
struct Location {
    item: u32,
    end: u64,
}

/// The entries of an `iloc` box that lie in this file.
struct Locations<'a> {
    cursor: Cursor<'a>,
    version: u8,
    offset_size: usize,
    length_size: usize,
    base_size: usize,
    index_size: usize,
    left: u64,
}

impl<'a> Locations<'a> {
    fn new(iloc: &'a [u8]) -> Option<Self> {
        let (mut cursor, version, _) = Cursor::full(iloc)?;
        let sizes = cursor.take(2)?;
        let nibble = |byte: u8| usize::from(byte & 15);
        let (offset_size, length_size) = (nibble(sizes[0] >> 4), nibble(sizes[0]));
        let (base_size, index_size) = (nibble(sizes[1] >> 4), nibble(sizes[1]));
        let left = cursor.number(if version < 2 { 2 } else { 4 })?;
        Some(Self { cursor, version, offset_size, length_size, base_size, index_size, left })
    }

    fn entry(&mut self) -> Option<Location> {
        let item = self.cursor.id(self.version >= 2)?;
        let method = if self.version >= 1 { self.cursor.number(2)? & 15 } else { 0 };
        let data_reference = self.cursor.number(2)?;
        let base = self.cursor.number(self.base_size)?;
        let extents = self.cursor.number(2)?;
        // Extents without any field are all the same, however many are claimed.
        let empty = self.index_size + self.offset_size + self.length_size == 0;
        let mut end = 0;
        for _ in 0..if empty { extents.min(1) } else { extents } {
            if self.version >= 1 {
                self.cursor.number(self.index_size)?;
            }
            let offset = self.cursor.number(self.offset_size)?;
            let length = self.cursor.number(self.length_size)?;
            end = end.max(base.saturating_add(offset).saturating_add(length));
        }
        // Only method 0 of data reference 0 counts from the start of this file.
        let here = method == 0 && data_reference == 0;
        Some(Location { item, end: if here { end } else { 0 } })
    }
}

impl Iterator for Locations<'_> {
    type Item = Location;

    fn next(&mut self) -> Option<Location> {
        self.left = self.left.checked_sub(1)?;
        self.entry()
    }
}

/// Big-endian numbers of a box, one after the other.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// A full box: a cursor behind its version and flags, the version, and the flags.
    fn full(body: &'a [u8]) -> Option<(Self, u8, u32)> {
        let head = word(body, 0)?;
        let [version, ..] = head.to_be_bytes();
        Some((Self { rest: body.get(4..)? }, version, head & 0x00ff_ffff))
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(head)
    }

    /// A number of 0 to 8 bytes.
    fn number(&mut self, size: usize) -> Option<u64> {
        let bytes = self.take(size)?;
        Some(bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// An item number of 16 or 32 bits.
    fn id(&mut self, wide: bool) -> Option<u32> {
        u32::try_from(self.number(if wide { 4 } else { 2 })?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_without_fields_end_at_once() {
        // Version 2, no field in an extent, 4294967295 items, each with 65535 extents.
        let mut iloc = vec![2, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
        for _ in 0..100_000 {
            iloc.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff]);
        }
        assert_eq!(Locations::new(&iloc).unwrap().count(), 100_000);
    }

    #[test]
    fn an_item_lists_its_properties_in_order() {
        // Item 7 has properties 2 and 1, the first of them essential.
        let ipma = [0, 0, 0, 0, 0, 0, 0, 2, 0, 3, 1, 0x01, 0, 7, 2, 0x82, 0x01];
        assert_eq!(associations(&ipma, 7), Some((false, &[0x82, 0x01][..])));
        assert_eq!(associations(&ipma, 9), None);
    }
}
