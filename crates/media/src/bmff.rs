//! Walking the boxes of ISO base media files (MP4, QuickTime, HEIF), which both the image and the
//! container crate need. ISO/IEC 14496-12, section 4.2.

use crate::{Error, Source, read_up_to};

/// A box's type, such as `moov`.
pub type FourCc = [u8; 4];

/// Where one box lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxHeader {
    /// The box's type.
    pub kind: FourCc,
    /// Byte offset of the box itself.
    pub start: u64,
    /// Byte offset of the first byte behind the box's header.
    pub body: u64,
    /// Byte offset behind the box.
    pub end: u64,
}

impl BoxHeader {
    /// Bytes between header and end.
    pub const fn body_length(&self) -> u64 {
        self.end - self.body
    }

    /// Reads the header at `offset` inside a parent that ends at `parent_end`. `None` when fewer
    /// than eight bytes are left.
    ///
    /// A box that claims to reach beyond its parent is returned with its claimed end: whether a
    /// file cut inside its media data is good enough is for the caller to decide.
    ///
    /// # Errors
    ///
    /// A size smaller than the header itself, or one beyond 64 bits.
    pub fn read(
        source: &mut dyn Source,
        offset: u64,
        parent_end: u64,
    ) -> Result<Option<Self>, Error> {
        if parent_end.saturating_sub(offset) < 8 {
            return Ok(None);
        }
        let bytes = read_up_to(source, offset, 16)?;
        Self::parse(&bytes, offset, parent_end)
    }

    /// The same over bytes in memory: `bytes` starts with the header, which lies at `offset`.
    ///
    /// # Errors
    ///
    /// As [`BoxHeader::read`].
    pub fn parse(bytes: &[u8], offset: u64, parent_end: u64) -> Result<Option<Self>, Error> {
        let Some(&[a, b, c, d, k0, k1, k2, k3]) = bytes.first_chunk::<8>() else { return Ok(None) };
        let (size, header) = match u64::from(u32::from_be_bytes([a, b, c, d])) {
            0 => (parent_end.saturating_sub(offset), 8),
            1 => {
                let large = bytes.get(8..16).and_then(|bytes| bytes.first_chunk::<8>());
                let Some(large) = large else { return Ok(None) };
                (u64::from_be_bytes(*large), 16)
            }
            size => (size, 8),
        };
        if size < header {
            return Err(Error::malformed(
                "ISO base media file",
                offset,
                "box shorter than its header",
            ));
        }
        let Some(end) = offset.checked_add(size) else {
            return Err(Error::malformed("ISO base media file", offset, "box size beyond 64 bits"));
        };
        let kind = [k0, k1, k2, k3];
        Ok(Some(Self { kind, start: offset, body: offset + header, end }))
    }
}

/// The boxes inside `body`, which lies at `offset` of the file. A box that reaches beyond `body` is
/// cut to it; the walk ends at the first broken header.
pub fn children(body: &[u8], offset: u64) -> Children<'_> {
    Children { rest: body, offset }
}

/// Iterator of [`children`]: each box with its body.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> Iterator for Children<'a> {
    type Item = (BoxHeader, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let parent_end = self.offset + self.rest.len() as u64;
        let mut header = BoxHeader::parse(self.rest, self.offset, parent_end).ok()??;
        header.end = header.end.min(parent_end);
        let from = usize::try_from(header.body - self.offset).ok()?;
        let to = usize::try_from(header.end - self.offset).ok()?;
        let body = self.rest.get(from..to)?;
        self.rest = &self.rest[to..];
        self.offset = header.end;
        Some((header, body))
    }
}

/// The body of the first child of the given kind.
pub fn find<'a>(body: &'a [u8], kind: &FourCc) -> Option<&'a [u8]> {
    children(body, 0).find(|(header, _)| header.kind == *kind).map(|(_, body)| body)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_of_three_kinds_are_read() {
        let mut bytes = b"\0\0\0\x0cfreeabcd".to_vec();
        bytes.extend_from_slice(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x14wxyz");
        bytes.extend_from_slice(b"\0\0\0\0skipto the end");
        let found: Vec<_> = children(&bytes, 0).map(|(h, body)| (h.kind, body.to_vec())).collect();
        assert_eq!(found[0], (*b"free", b"abcd".to_vec()));
        assert_eq!(found[1], (*b"mdat", b"wxyz".to_vec()));
        assert_eq!(found[2], (*b"skip", b"to the end".to_vec()));
        let last = BoxHeader::read(&mut Cursor::new(&bytes), 32, bytes.len() as u64).unwrap();
        assert_eq!(last.unwrap().end, bytes.len() as u64);
    }

    #[test]
    fn a_box_shorter_than_its_header_is_malformed() {
        let error = BoxHeader::parse(b"\0\0\0\x07moov", 5, 100).unwrap_err();
        assert!(error.to_string().contains("byte 5"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(children(&bytes, 7).count() <= bytes.len() / 8);
        }
    }
}
