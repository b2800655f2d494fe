//! How sound files are read, and the numbers in them.

use mediaprep_media::{Limits, ReadAhead};

pub(crate) use mediaprep_media::Window;

/// A jump reads one page, and walking over frames up to 64 KiB at a time.
pub(crate) const AHEAD: ReadAhead = ReadAhead::Growing { from: 4 << 10, to: 64 << 10 };

/// How many bytes may still be walked over frame by frame: the reading limit less what finding the
/// frames takes.
pub(crate) const fn scan_budget(limits: &Limits) -> u64 {
    limits.max_probe_bytes - limits.max_probe_bytes / 4
}

/// How many bytes of one end of a file may be held at once: at most `most`.
pub(crate) fn tail_budget(limits: &Limits, most: usize) -> usize {
    let budget = (limits.max_probe_bytes / 4).min(limits.max_probe_memory);
    usize::try_from(budget).unwrap_or(most).min(most)
}

pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
