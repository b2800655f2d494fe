//! Movie fragments: defaults of `mvex`, runs of `moof`, and the index `sidx`.
//! ISO/IEC 14496-12, section 8.8 and 8.16.

use mediaprep_media::Error;
use mediaprep_media::bmff::BoxHeader;

use super::samples::SampleTotals;
use super::walk::Walk;
use crate::window::{Fields, MAX_REQUEST, Window};

/// What the fragments of one track add up to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FragmentedTrack {
    pub(super) id: u32,
    /// The duration of a sample that no fragment states, from `trex`.
    default_duration: u32,
    pub(super) totals: SampleTotals,
    /// Decoding time of the first sample, where the fragments state times.
    first_time: Option<u64>,
    /// Latest end of a fragment on the decoding clock.
    last_end: u64,
}

impl FragmentedTrack {
    /// `trex`.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        fields.full_box()?;
        let id = fields.u32()?;
        let default_duration = fields.skip(4).and_then(|()| fields.u32())?;
        Some(Self { id, default_duration, ..Self::default() })
    }

    /// How long the fragments last on the decoding clock, gaps between them included; never less
    /// than the samples themselves.
    pub(super) fn clocked_span(&self) -> u64 {
        let clocked = self.first_time.map_or(0, |first| self.last_end.saturating_sub(first));
        clocked.max(self.totals.span)
    }
}

/// `mehd`: the length of the whole presentation in the movie's timescale.
pub(super) fn extended_duration(body: &[u8]) -> Option<u64> {
    let mut fields = Fields(body);
    let (version, _) = fields.full_box()?;
    fields.sized(version).filter(|&duration| duration != 0)
}

/// `moof`: adds every run to its track. Runs of tracks that the movie header does not name are
/// passed over.
pub(super) fn movie_fragment(
    window: &mut Window<'_>,
    fragment: &BoxHeader,
    tracks: &mut [FragmentedTrack],
) -> Result<(), Error> {
    let mut walk = Walk::inside(fragment);
    while let Some(child) = walk.next(window)? {
        if child.kind == *b"traf" {
            track_fragment(window, &child, tracks)?;
        }
    }
    Ok(())
}

fn track_fragment(
    window: &mut Window<'_>,
    fragment: &BoxHeader,
    tracks: &mut [FragmentedTrack],
) -> Result<(), Error> {
    let mut walk = Walk::inside(fragment);
    let mut current: Option<(&mut FragmentedTrack, u32)> = None;
    let mut clock = None;
    while let Some(child) = walk.next(window)? {
        match (&child.kind, &mut current) {
            (b"tfhd", _) => {
                let header = fragment_header(window.between(child.body, child.end)?);
                let Some((id, duration)) = header else { return Ok(()) };
                let Some(track) = tracks.iter_mut().find(|track| track.id == id) else {
                    return Ok(());
                };
                let duration = duration.unwrap_or(track.default_duration);
                current = Some((track, duration));
            }
            (b"tfdt", Some((track, _))) => {
                clock = decode_time(window.between(child.body, child.end)?);
                track.first_time = track.first_time.or(clock);
            }
            (b"trun", Some((track, duration))) => {
                let length = run(window, &child, *duration, &mut track.totals)?;
                clock = clock.map(|clock: u64| clock.saturating_add(length));
                track.last_end = track.last_end.max(clock.unwrap_or(0));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `tfhd`: the track's number and the duration that its samples have by default.
fn fragment_header(body: &[u8]) -> Option<(u32, Option<u32>)> {
    let mut fields = Fields(body);
    let (_, flags) = fields.full_box()?;
    let id = fields.u32()?;
    let before = if flags & 1 != 0 { 8 } else { 0 } + if flags & 2 != 0 { 4 } else { 0 };
    fields.skip(before)?;
    let duration = if flags & 8 != 0 { Some(fields.u32()?) } else { None };
    Some((id, duration))
}

/// `tfdt`: when the fragment's first sample is decoded.
fn decode_time(body: &[u8]) -> Option<u64> {
    let mut fields = Fields(body);
    let (version, _) = fields.full_box()?;
    fields.sized(version)
}

/// The parts of a `trun` row, in their order.
struct RowLayout {
    bytes: usize,
    duration: bool,
    offset_at: Option<usize>,
}

impl RowLayout {
    fn from_flags(flags: u32) -> Self {
        let [duration, size, sample_flags, offset] =
            [0x100, 0x200, 0x400, 0x800].map(|flag| flags & flag != 0);
        let before = 4 * [duration, size, sample_flags].into_iter().filter(|&on| on).count();
        let bytes = before + if offset { 4 } else { 0 };
        Self { bytes, duration, offset_at: offset.then_some(before) }
    }
}

/// `trun`: adds its samples to `totals` and returns how long they last.
fn run(
    window: &mut Window<'_>,
    run: &BoxHeader,
    default_duration: u32,
    totals: &mut SampleTotals,
) -> Result<u64, Error> {
    let mut fields = Fields(window.between(run.body, run.end.min(run.body + 16))?);
    let (Some((_, flags)), Some(count)) = (fields.full_box(), fields.u32()) else { return Ok(0) };
    let layout = RowLayout::from_flags(flags);
    let rows_at =
        run.body + 8 + if flags & 1 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    if layout.bytes == 0 {
        let length = u64::from(count) * u64::from(default_duration);
        totals.timed = totals.timed.saturating_add(u64::from(count));
        totals.span = totals.span.saturating_add(length);
        totals.first_offset = totals.first_offset.or(Some(0));
        return Ok(length);
    }
    let end = run.end.min(rows_at + u64::from(count) * layout.bytes as u64);
    rows(window, (rows_at, end), (&layout, default_duration), totals)
}

/// Folds the rows that lie in `range`.
fn rows(
    window: &mut Window<'_>,
    (mut at, end): (u64, u64),
    (layout, default_duration): (&RowLayout, u32),
    totals: &mut SampleTotals,
) -> Result<u64, Error> {
    let most = MAX_REQUEST - MAX_REQUEST % layout.bytes;
    let mut length = 0u64;
    while at + layout.bytes as u64 <= end {
        let wanted = usize::try_from(end - at).unwrap_or(most).min(most);
        let bytes = window.at(at, wanted)?;
        let mut read = 0;
        for row in bytes.chunks_exact(layout.bytes) {
            let duration = Fields(row).u32().filter(|_| layout.duration);
            length = length.saturating_add(u64::from(duration.unwrap_or(default_duration)));
            totals.timed = totals.timed.saturating_add(1);
            if totals.first_offset.is_none() {
                let offset = layout.offset_at.and_then(|at| Fields(row.get(at..)?).i32());
                totals.first_offset = Some(i64::from(offset.unwrap_or(0)));
            }
            read += layout.bytes;
        }
        if read == 0 {
            break;
        }
        at += read as u64;
    }
    totals.span = totals.span.saturating_add(length);
    Ok(length)
}
