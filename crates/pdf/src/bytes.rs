//! The file's bytes, read where they are needed.

use std::collections::HashMap;
use std::io::SeekFrom;

use mediaprep_media::{LimitExceeded, Limits, Source, read_up_to};

use crate::failure::Failure;

/// Files up to this length are read whole, in one call.
pub(crate) const WHOLE: u64 = 64 << 10;
/// The unit of reading in larger files: a page's dictionary seldom needs more than two.
const BLOCK: u64 = 512;
/// One stream may take up to the memory limit divided by this: it is held packed, unpacked and
/// filtered at once, beside those that are kept.
pub(crate) const MEMORY_SHARE: u64 = 4;
/// Objects beyond this length are expensive: about a microsecond for each 16 bytes.
const LONG_OBJECT: usize = 64 << 10;
/// How much more each of their bytes counts.
const LONG_OBJECT_WEIGHT: usize = 16;
/// Reads from this length on are not kept for later.
const UNCACHED: u64 = 64 << 10;

/// Random access to a file through a small cache, with a bound on memory and on work.
pub(crate) struct Bytes<'s> {
    source: &'s mut dyn Source,
    length: u64,
    whole: Option<Vec<u8>>,
    blocks: HashMap<u64, Vec<u8>>,
    memory: u64,
    work: u64,
    work_limit: u64,
}

impl<'s> Bytes<'s> {
    /// Reads the file at once if it is not longer than `whole`.
    pub(crate) fn new(
        source: &'s mut dyn Source,
        limits: &Limits,
        whole: u64,
    ) -> Result<Self, Failure> {
        let length = source.seek(SeekFrom::End(0))?;
        limits.check_bytes(length)?;
        let mut bytes = Self {
            source,
            length,
            whole: None,
            blocks: HashMap::new(),
            memory: limits.max_probe_memory,
            work: 0,
            work_limit: limits.max_probe_bytes,
        };
        if length <= whole.min(bytes.memory) {
            bytes.whole = Some(bytes.read_source(0, length)?);
        }
        Ok(bytes)
    }

    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// The most bytes that may be held at once.
    pub(crate) const fn memory(&self) -> u64 {
        self.memory
    }

    /// Counts bytes that were looked at, whether read, read again from the cache or unpacked, so
    /// that no file can make the probe work without end.
    pub(crate) fn charge(&mut self, count: usize) -> Result<(), Failure> {
        self.work = self.work.saturating_add(count as u64);
        if self.work > self.work_limit {
            let what = "bytes looked at by a PDF probe";
            return Err(LimitExceeded { what, limit: self.work_limit, actual: self.work }.into());
        }
        Ok(())
    }

    /// Counts an object that is parsed. Long ones count more, since hashing many keys costs more per
    /// byte than anything else and no ordinary object is long.
    pub(crate) fn charge_object(&mut self, length: usize) -> Result<(), Failure> {
        let weight = if length > LONG_OBJECT { LONG_OBJECT_WEIGHT } else { 1 };
        self.charge(length.saturating_mul(weight))
    }

    /// Refuses a stream that is too long, packed or unpacked.
    pub(crate) fn check_stream(&self, length: u64) -> Result<(), Failure> {
        let limit = self.memory / MEMORY_SHARE;
        if length > limit {
            let what = "bytes in one stream of a PDF's structure";
            return Err(LimitExceeded { what, limit, actual: length }.into());
        }
        Ok(())
    }

    /// Refuses to hold more than the memory limit.
    pub(crate) fn check_held(&self, count: u64) -> Result<(), Failure> {
        if count > self.memory {
            let what = "bytes held by a PDF probe";
            return Err(LimitExceeded { what, limit: self.memory, actual: count }.into());
        }
        Ok(())
    }

    /// The bytes from `offset`, at most `length`; fewer only at the end of the file.
    pub(crate) fn read(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, Failure> {
        let length = length.min(self.length.saturating_sub(offset));
        self.check_held(length)?;
        if let Some(whole) = &self.whole {
            let start = clamp(offset).min(whole.len());
            let end = start.saturating_add(clamp(length)).min(whole.len());
            return Ok(whole[start..end].to_vec());
        }
        if length >= UNCACHED {
            return self.read_source(offset, length);
        }
        self.fill(offset, length)?;
        Ok(self.collect(offset, length))
    }

    fn read_source(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, Failure> {
        Ok(read_up_to(self.source, offset, clamp(length))?)
    }

    /// Reads the blocks of a range that are not there yet, neighbours in one call.
    fn fill(&mut self, offset: u64, length: u64) -> Result<(), Failure> {
        if self.blocks.len() as u64 * BLOCK > self.memory / MEMORY_SHARE {
            self.blocks.clear();
        }
        let end = offset.saturating_add(length).div_ceil(BLOCK);
        let mut block = offset / BLOCK;
        while block < end {
            if self.blocks.contains_key(&block) {
                block += 1;
                continue;
            }
            let mut stop = block + 1;
            while stop < end && !self.blocks.contains_key(&stop) {
                stop += 1;
            }
            let run = self.read_source(block * BLOCK, (stop - block) * BLOCK)?;
            let parts = run.chunks(clamp(BLOCK)).map(<[u8]>::to_vec);
            self.blocks.extend((block..stop).zip(parts));
            block = stop;
        }
        Ok(())
    }

    fn collect(&self, offset: u64, length: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(clamp(length));
        let end = offset.saturating_add(length);
        for block in offset / BLOCK..end.div_ceil(BLOCK) {
            let Some(bytes) = self.blocks.get(&block) else { break };
            let start = block * BLOCK;
            let from = clamp(offset.saturating_sub(start)).min(bytes.len());
            let to = clamp(end - start).min(bytes.len());
            out.extend_from_slice(&bytes[from.min(to)..to]);
        }
        out
    }
}

/// As a length in memory; what does not fit is longer than any buffer.
pub(crate) fn clamp(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blocks_give_what_the_file_holds(
            length in 60_000usize..140_000,
            reads in proptest::collection::vec((0u64..150_000, 0u64..70_000), 1..8),
        ) {
            let data: Vec<u8> = (0u8..251).cycle().take(length).collect();
            let mut cursor = Cursor::new(data.clone());
            let mut bytes = Bytes::new(&mut cursor, &Limits::none(), 0).unwrap();
            for (offset, count) in reads {
                let from = clamp(offset).min(length);
                let to = (from + clamp(count)).min(length);
                prop_assert_eq!(&bytes.read(offset, count).unwrap()[..], &data[from..to]);
            }
        }
    }

    #[test]
    fn work_and_memory_are_bounded() {
        let mut cursor = Cursor::new(vec![0; 200_000]);
        let mut limits = Limits::default();
        limits.max_probe_bytes = 100;
        limits.max_probe_memory = 100_000;
        let mut bytes = Bytes::new(&mut cursor, &limits, WHOLE).unwrap();
        assert!(bytes.charge(100).is_ok());
        assert!(matches!(bytes.charge(1), Err(Failure::Fatal(_))));
        assert!(matches!(bytes.read(0, 150_000), Err(Failure::Fatal(_))));
    }
}
