//! Block headers without their payloads: when frames are shown where no header says it.

use std::cmp;

use mediaprep_media::{Duration, Error, FrameRate};

use super::ebml::{Element, unsigned, variable_length};
use super::track::Entry;
use crate::window::Window;

const SEGMENT: u32 = 0x1853_8067;
pub(super) const CLUSTER: u32 = 0x1f43_b675;
const CLUSTER_TIME: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const BLOCK_DURATION: u32 = 0x9b;
const DISCARD_PADDING: u32 = 0x75a2;

/// What the blocks of one track show.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    number: u64,
    opus: bool,
    /// Presentation times of visible blocks in ticks of the segment, in the file's order until the
    /// scan has ended, then sorted and without repetitions.
    times: Vec<i64>,
    /// Samples at 48 kHz that Opus packets hold together.
    opus_samples: u64,
    /// Length of the latest block in ticks, where one is stated.
    last_length: Option<u64>,
    /// Nanoseconds of sound at the end that a player drops.
    padding: u64,
    /// Nanoseconds that a tick lasts.
    scale: u64,
    /// Whether every block of the file was seen.
    pub(super) complete: bool,
}

impl Timeline {
    /// Frames with a time of their own: hidden ones share the time of the frame that shows them.
    pub(super) fn frames(&self) -> u64 {
        self.times.len() as u64
    }

    fn ticks(&self) -> u64 {
        match (self.times.first(), self.times.last()) {
            (Some(first), Some(last)) => last.abs_diff(*first),
            _ => 0,
        }
    }

    /// Frames over the time between the first and the last.
    pub(super) fn rate(&self) -> Option<FrameRate> {
        let nanoseconds = u128::from(self.ticks()) * u128::from(self.scale);
        let span = Duration::from_fraction(nanoseconds, NANOSECONDS);
        FrameRate::average(self.frames().checked_sub(1)?, span)
    }

    /// From the first frame to the end of the last.
    pub(super) fn span(&self, entry: &Entry) -> Duration {
        let nanoseconds = u128::from(self.ticks()) * u128::from(self.scale);
        Duration::from_fraction(nanoseconds + self.last_nanoseconds(entry), NANOSECONDS)
    }

    /// The end of the last frame, counted from the segment's start.
    fn end(&self, entry: &Entry) -> Option<Duration> {
        let last = u64::try_from(*self.times.last()?).unwrap_or(0);
        let nanoseconds = u128::from(last) * u128::from(self.scale);
        Some(Duration::from_fraction(nanoseconds + self.last_nanoseconds(entry), NANOSECONDS))
    }

    /// How long the last frame lasts: as stated, or as long as frames do on average.
    fn last_nanoseconds(&self, entry: &Entry) -> u128 {
        let average = || {
            let gaps = self.frames().saturating_sub(1);
            u128::from(self.ticks()) * u128::from(self.scale) / u128::from(gaps.max(1))
        };
        match (self.last_length, entry.default_duration) {
            (Some(ticks), _) => u128::from(ticks) * u128::from(self.scale),
            (None, 0) => average(),
            (None, nanoseconds) => u128::from(nanoseconds),
        }
    }

    /// The length of Opus sound without delay and padding.
    pub(super) fn decoded(&self, entry: &Entry) -> Option<Duration> {
        if self.opus_samples == 0 {
            return None;
        }
        let dropped = u128::from(entry.codec_delay) + u128::from(self.padding);
        // The drops are stated in rounded nanoseconds, so whole samples are meant.
        let dropped = (dropped * 48_000 + NANOSECONDS / 2) / NANOSECONDS;
        let kept = u128::from(self.opus_samples).saturating_sub(dropped);
        Some(Duration::from_fraction(kept, 48_000))
    }

    fn finish(&mut self, complete: bool) {
        self.times.sort_unstable();
        self.times.dedup();
        self.complete = complete;
    }
}

const NANOSECONDS: u128 = 1_000_000_000;

/// Reads block headers from `start` to the end of the file, at most `most` of them.
pub(super) fn timelines(
    window: &mut Window<'_>,
    start: u64,
    most: usize,
    (entries, scale): (&[Entry], u64),
) -> Result<Vec<Timeline>, Error> {
    let fresh = |entry: &Entry| Timeline {
        number: entry.number,
        opus: entry.is_opus(),
        scale,
        ..Timeline::default()
    };
    let mut scan = Scan {
        timelines: entries.iter().map(fresh).collect(),
        cluster_time: 0,
        current: None,
        blocks: 0,
    };
    let mut at = start;
    while at < window.length() && scan.blocks < most {
        let Some(element) = Element::read(window, at)? else { break };
        at = match (element.id, element.end) {
            (SEGMENT | CLUSTER | BLOCK_GROUP, _) => element.body,
            (_, Some(end)) => {
                scan.take(window, &element)?;
                end
            }
            (_, None) => break,
        };
    }
    let complete = at >= window.length();
    scan.timelines.iter_mut().for_each(|timeline| timeline.finish(complete));
    Ok(scan.timelines)
}

struct Scan {
    timelines: Vec<Timeline>,
    cluster_time: i64,
    /// The track of the block that was read last.
    current: Option<usize>,
    blocks: usize,
}

impl Scan {
    fn take(&mut self, window: &mut Window<'_>, element: &Element) -> Result<(), Error> {
        match element.id {
            CLUSTER_TIME => {
                let time = unsigned(element.bytes(window)?);
                self.cluster_time = i64::try_from(time).unwrap_or(0);
            }
            SIMPLE_BLOCK | BLOCK => {
                self.blocks += 1;
                // The longest block header and the start of an Opus packet.
                let bytes = window.at(element.body, 16)?;
                self.block(bytes, element.id == SIMPLE_BLOCK);
            }
            BLOCK_DURATION => {
                let length = unsigned(element.bytes(window)?);
                if let Some(timeline) = self.current() {
                    timeline.last_length = Some(length);
                }
            }
            DISCARD_PADDING => {
                let padding = unsigned(element.bytes(window)?);
                if let Some(timeline) = self.current() {
                    timeline.padding = timeline.padding.saturating_add(padding);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn current(&mut self) -> Option<&mut Timeline> {
        self.timelines.get_mut(self.current?)
    }

    /// Track number, time against the cluster's, and flags: RFC 9559, section 10.
    fn block(&mut self, bytes: &[u8], simple: bool) -> Option<()> {
        let (number, length) = variable_length(bytes)?;
        let &[high, low, flags] = bytes.get(length..)?.first_chunk::<3>()?;
        let found = self.timelines.iter().position(|timeline| Some(timeline.number) == number);
        self.current = found;
        let time = self.cluster_time.checked_add(i64::from(i16::from_be_bytes([high, low])))?;
        let timeline = self.current()?;
        timeline.last_length = None;
        let invisible = flags & 0x08 != 0;
        if !(simple && invisible) {
            timeline.times.push(time);
        }
        let laced = flags & 0x06 != 0;
        if timeline.opus && !laced {
            let samples = opus_samples(bytes.get(length + 3..)?).unwrap_or(0);
            timeline.opus_samples = timeline.opus_samples.saturating_add(samples);
        }
        Some(())
    }
}

/// Samples at 48 kHz in an Opus packet, by its first two bytes: RFC 6716, section 3.1.
fn opus_samples(packet: &[u8]) -> Option<u64> {
    let &configuration = packet.first()?;
    let frame = match configuration >> 3 {
        mode @ 0..=11 => [480, 960, 1920, 2880][usize::from(mode & 3)],
        mode @ 12..=15 => [480, 960][usize::from(mode & 1)],
        mode => [120, 240, 480, 960][usize::from(mode & 3)],
    };
    let frames = match configuration & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3f),
    };
    Some(frame * frames)
}

/// When the last frame ends, from the last cluster; `None` where none is found near the end.
pub(super) fn end_of_last_cluster(
    window: &mut Window<'_>,
    first_cluster: u64,
    (entries, scale): (&[Entry], u64),
) -> Result<Option<Duration>, Error> {
    const MAX_BLOCKS: usize = 4096;
    let Some(cluster) = last_cluster(window, first_cluster)? else { return Ok(None) };
    let timelines = timelines(window, cluster, MAX_BLOCKS, (entries, scale))?;
    Ok(latest_end(&timelines, entries))
}

/// The end of the last frame, where the scan has seen it.
pub(super) fn end(timelines: &[Timeline], entries: &[Entry]) -> Option<Duration> {
    let complete = timelines.iter().all(|timeline| timeline.complete);
    if complete { latest_end(timelines, entries) } else { None }
}

fn latest_end(timelines: &[Timeline], entries: &[Entry]) -> Option<Duration> {
    let ends = timelines.iter().zip(entries).filter_map(|(timeline, entry)| timeline.end(entry));
    ends.max()
}

/// The last place where a cluster starts, searched backwards.
fn last_cluster(window: &mut Window<'_>, first: u64) -> Result<Option<u64>, Error> {
    const PIECE: u64 = 32 * 1024;
    /// A cluster holds a few seconds; a larger one is given up on.
    const MAX_PIECES: usize = 512;
    let mark = CLUSTER.to_be_bytes();
    let mut end = window.length();
    for _ in 0..MAX_PIECES {
        if end <= first {
            break;
        }
        let start = cmp::max(first, end.saturating_sub(PIECE));
        // The mark may lie across two pieces.
        let bytes = window.between(start, end.saturating_add(3).min(window.length()))?;
        let marks = bytes.windows(4).enumerate().rev().filter(|(_, four)| *four == mark);
        let places: Vec<u64> = marks.map(|(at, _)| start + at as u64).collect();
        for place in places {
            if is_cluster(window, place)? {
                return Ok(Some(place));
            }
        }
        end = start;
    }
    Ok(None)
}

/// Whether the mark is followed by what a cluster starts with, and not a coincidence of payload.
fn is_cluster(window: &mut Window<'_>, place: u64) -> Result<bool, Error> {
    const CHECKSUM: u32 = 0xbf;
    const VOID: u32 = 0xec;
    const POSITION: u32 = 0xa7;
    const PREVIOUS_SIZE: u32 = 0xab;
    let Some(cluster) = Element::read(window, place)? else { return Ok(false) };
    let first = Element::read(window, cluster.body)?;
    let known = [CLUSTER_TIME, CHECKSUM, VOID, POSITION, PREVIOUS_SIZE];
    Ok(first.is_some_and(|first| known.contains(&first.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opus_packets_tell_their_length() {
        assert_eq!(opus_samples(&[0xfc]), Some(960));
        assert_eq!(opus_samples(&[0x78 | 1]), Some(1920));
        assert_eq!(opus_samples(&[3, 3]), Some(1440));
        assert_eq!(opus_samples(&[3]), None);
    }
}
