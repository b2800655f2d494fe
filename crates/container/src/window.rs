//! Small reads of an index, and the fields in it.

use mediaprep_media::{Error, ReadAhead, Source};

/// Bytes that one read takes at least: a movie fragment with its neighbours' headers mostly fits.
const BLOCK: usize = 4096;

/// Most bytes that one request may ask for, whatever sizes the file claims.
pub(crate) const MAX_REQUEST: usize = 64 * 1024;

/// A source seen through its last block, in requests of at most [`MAX_REQUEST`].
pub(crate) struct Window<'a>(mediaprep_media::Window<'a>);

impl<'a> Window<'a> {
    pub(crate) fn new(source: &'a mut dyn Source) -> Result<Self, Error> {
        mediaprep_media::Window::new(source, ReadAhead::Fixed(BLOCK)).map(Self)
    }

    /// Changes how many bytes one read takes at least.
    pub(crate) const fn set_block(&mut self, block: usize) {
        self.0.set_ahead(ReadAhead::Fixed(block));
    }

    /// The length of the whole source in bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.0.length()
    }

    /// The bytes at `offset`: `length` of them, at most [`MAX_REQUEST`], fewer only where the
    /// source ends.
    pub(crate) fn at(&mut self, offset: u64, length: usize) -> Result<&[u8], Error> {
        self.0.at(offset, length.min(MAX_REQUEST))
    }

    /// The bytes from `offset` to `end`, cut to [`MAX_REQUEST`].
    pub(crate) fn between(&mut self, offset: u64, end: u64) -> Result<&[u8], Error> {
        let length = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.at(offset, length)
    }
}

/// Big-endian fields of a structure in memory; `None` past its end.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    /// A field of eight bytes in version 1 of a box and four in version 0.
    pub(crate) fn sized(&mut self, version: u8) -> Option<u64> {
        if version == 0 { self.u32().map(u64::from) } else { self.u64() }
    }

    /// The version and the flags that every full box starts with.
    pub(crate) fn full_box(&mut self) -> Option<(u8, u32)> {
        let word = self.u32()?;
        let [version, ..] = word.to_be_bytes();
        Some((version, word & 0x00ff_ffff))
    }
}
