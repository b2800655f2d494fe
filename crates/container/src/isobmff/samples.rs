//! The sample tables, read in pieces and folded into totals: no table is ever held.

use mediaprep_media::Error;
use mediaprep_media::bmff::BoxHeader;

use crate::window::{Fields, MAX_REQUEST, Window};

/// How many samples a track has and how long they last together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SampleTotals {
    /// Samples that the time table or the fragments count.
    pub(super) timed: u64,
    /// Samples that the size table counts; `None` without such a table.
    pub(super) sized: Option<u64>,
    /// The sum of their durations, in the media's timescale.
    pub(super) span: u64,
    /// How much later than its decoding the first sample is shown, in the media's timescale.
    pub(super) first_offset: Option<i64>,
}

impl SampleTotals {
    /// Samples that both tables know.
    pub(super) fn count(&self) -> u64 {
        match self.sized {
            Some(sized) if self.timed > 0 => sized.min(self.timed),
            Some(sized) => sized,
            None => self.timed,
        }
    }
}

/// `stts`: the run lengths of equal sample durations.
pub(super) fn time_table(
    window: &mut Window<'_>,
    table: &BoxHeader,
    totals: &mut SampleTotals,
) -> Result<(), Error> {
    let Some(count) = entry_count(window, table)? else { return Ok(()) };
    let end = table.end.min(table.body + 8 + 8 * u64::from(count));
    let mut at = table.body + 8;
    while at + 8 <= end {
        let wanted = usize::try_from(end - at).unwrap_or(MAX_REQUEST).min(MAX_REQUEST);
        let bytes = window.at(at, wanted)?;
        let (rows, _) = bytes.as_chunks::<8>();
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let mut fields = Fields(row);
            let (Some(samples), Some(delta)) = (fields.u32(), fields.u32()) else { break };
            add_run(totals, samples, delta);
        }
        at += 8 * rows.len() as u64;
    }
    Ok(())
}

/// A delta beyond 31 bits is a negative number that a broken writer stored; players take one tick.
pub(super) fn duration(delta: u32) -> u32 {
    if i32::try_from(delta).is_ok() { delta } else { 1 }
}

fn add_run(totals: &mut SampleTotals, samples: u32, delta: u32) {
    let length = u64::from(samples) * u64::from(duration(delta));
    totals.timed = totals.timed.saturating_add(u64::from(samples));
    totals.span = totals.span.saturating_add(length);
}

/// The number of entries of a table whose full box starts with it.
fn entry_count(window: &mut Window<'_>, table: &BoxHeader) -> Result<Option<u32>, Error> {
    let mut fields = Fields(window.between(table.body, table.end.min(table.body + 8))?);
    Ok(fields.full_box().and_then(|_| fields.u32()))
}

/// `stsz` and `stz2`: only the count is wanted.
pub(super) fn size_table(
    window: &mut Window<'_>,
    table: &BoxHeader,
    totals: &mut SampleTotals,
) -> Result<(), Error> {
    let mut fields = Fields(window.between(table.body, table.end.min(table.body + 12))?);
    totals.sized = fields.skip(8).and_then(|()| fields.u32()).map(u64::from);
    Ok(())
}

/// `ctts`: only the first offset is wanted.
pub(super) fn offset_table(
    window: &mut Window<'_>,
    table: &BoxHeader,
    totals: &mut SampleTotals,
) -> Result<(), Error> {
    let mut fields = Fields(window.between(table.body, table.end.min(table.body + 16))?);
    totals.first_offset = fields.skip(12).and_then(|()| fields.i32()).map(i64::from);
    Ok(())
}
