//! How much decoding a HEIF file asks for, before any is done.
//!
//! A grid may name the same large picture 65 536 times in a few kilobytes, and an overlay holds all
//! its pictures at once: the sum of what is coded is held against the size that is shown.

use std::collections::HashMap;

use heifer::heifer_hevc_dec::nal::{NalUnit, split_annex_b};
use heifer::heifer_hevc_dec::params::Sps;
use heifer::heifer_isobmff::{HeifFile, ItemId};
use mediaprep_media::{Dimensions, Error, LimitExceeded};

use super::MAX_DEPTH;

/// Small pictures are coded in blocks and tiles much larger than themselves.
const SMALL: u64 = 1 << 18;
/// A sequence parameter set, among the types of NAL units (ITU-T H.265, table 7-1).
const SPS: u8 = 33;

/// Pixels that a single coded picture may have for a size that is shown: a quarter more, which
/// `clap` may cut off. Real files cut off a few rows.
pub(crate) const fn coded_pixels(shown: Dimensions) -> u64 {
    (shown.pixels() + shown.pixels() / 4).saturating_add(SMALL)
}

/// Pixels that all coded pictures together may have: colour and transparency, or two layers.
pub(crate) const fn all_coded_pixels(shown: Dimensions) -> u64 {
    coded_pixels(shown).saturating_mul(2)
}

/// Refuses a file whose coded pictures have together more than [`all_coded_pixels`].
pub(crate) fn check(file: &HeifFile<'_>, shown: Dimensions) -> Result<(), Error> {
    let limit = all_coded_pixels(shown);
    let mut survey = Survey { file, known: HashMap::new() };
    let actual = survey.pixels(file.primary_id, 0);
    if actual <= limit {
        return Ok(());
    }
    Err(LimitExceeded { what: "pixel count of all coded pictures", limit, actual }.into())
}

struct Survey<'a> {
    file: &'a HeifFile<'a>,
    known: HashMap<ItemId, u64>,
}

impl Survey<'_> {
    /// Pixels decoded for the item; `u64::MAX` when it is nested too deeply or in itself. What
    /// cannot be read counts nothing, since the decoder stops there.
    fn pixels(&mut self, item: ItemId, depth: usize) -> u64 {
        if depth > MAX_DEPTH + 1 {
            return u64::MAX;
        }
        if let Some(&known) = self.known.get(&item) {
            return known;
        }
        let mut sum = coded(self.file, item).unwrap_or(0);
        let parts = self.file.referenced_items(item, b"dimg");
        let alpha = self.file.referencing_items(item, b"auxl");
        for &part in parts.iter().chain(&alpha) {
            sum = sum.saturating_add(self.pixels(part, depth + 1));
        }
        self.known.insert(item, sum);
        sum
    }
}

/// The largest size that the parameter sets of a coded item name; `None` for other items.
fn coded(file: &HeifFile<'_>, item: ItemId) -> Option<u64> {
    file.hevc_config(item).ok()??;
    let stream = file.hevc_bitstream(item).ok()?;
    split_annex_b(&stream)
        .filter(|unit| unit.first().is_some_and(|byte| byte >> 1 & 0x3f == SPS))
        .filter_map(|unit| Sps::parse(&NalUnit::parse(unit).ok()?.rbsp).ok())
        .map(|set| {
            u64::from(set.pic_width_in_luma_samples) * u64::from(set.pic_height_in_luma_samples)
        })
        .max()
}
