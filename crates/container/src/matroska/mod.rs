//! Matroska and WebM: RFC 9559.

mod ebml;
mod scan;
mod track;

use mediaprep_media::{Duration, Error, Source, Sourced, Warned, Warning, WarningCode};

use self::ebml::{Element, child, children, float, unsigned};
use self::scan::{CLUSTER, Timeline};
use self::track::Entry;
use crate::window::Window;
use crate::{ContainerInfo, Track};

const FORMAT: &str = "Matroska file";

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114d_9b74;
const SEEK: u32 = 0x4dbb;
const SEEK_ID: u32 = 0x53ab;
const SEEK_POSITION: u32 = 0x53ac;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x002a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const TAGS: u32 = 0x1254_c367;
const TAG: u32 = 0x7373;
const TARGETS: u32 = 0x63c0;
const TARGET_TRACK: u32 = 0x63c5;
const SIMPLE_TAG: u32 = 0x67c8;
const TAG_NAME: u32 = 0x45a3;
const TAG_STRING: u32 = 0x4487;

/// Most elements of a segment that are stepped over while looking for its headers.
const MAX_ELEMENTS: usize = 100_000;
/// Most tracks that are read.
const MAX_TRACKS: usize = 128;
/// Files up to this length are scanned whole, block header by block header: short clips are where
/// a single frame counts.
const SMALL_FILE: u64 = 1 << 20;
/// Block headers read of a small file, and of a large one whose header states no rate.
const SMALL_FILE_BLOCKS: usize = 65_536;
const SAMPLE_BLOCKS: usize = 256;
/// Bytes of one read while only block headers are wanted.
const BLOCK_HEADER_READ: usize = 64;

/// Reads the facts of a Matroska file.
pub(crate) fn probe(source: &mut dyn Source) -> Result<Warned<ContainerInfo>, Error> {
    let mut window = Window::new(source)?;
    let mut segment = Segment::find(&mut window)?;
    segment.read_headers(&mut window)?;
    if segment.entries.is_empty() {
        return Err(Error::malformed(FORMAT, segment.start, "no track"));
    }
    let timelines = segment.scan(&mut window)?;
    let duration = segment.duration(&mut window, timelines.as_deref())?;
    let timeline = |at: usize| timelines.as_ref().and_then(|all| all.get(at));
    let facts = segment.entries.iter().enumerate();
    let tracks: Vec<Track> = facts.map(|(at, entry)| entry.facts(timeline(at))).collect();
    let warnings = segment.warnings(&window, duration);
    let value = ContainerInfo { duration, tracks, fragmented: false };
    Ok(Warned { value, warnings })
}

/// The segment and what its headers say.
struct Segment {
    /// Byte offset of the first element inside.
    start: u64,
    end: Option<u64>,
    /// Nanoseconds that a tick lasts.
    scale: u64,
    duration: Option<Duration>,
    entries: Vec<Entry>,
    first_cluster: Option<u64>,
    has_info: bool,
    has_tags: bool,
    /// Byte offsets that the segment's index names, by element.
    index: Vec<(u32, u64)>,
}

impl Segment {
    fn find(window: &mut Window<'_>) -> Result<Self, Error> {
        let malformed = |reason| Error::malformed(FORMAT, 0, reason);
        let header = Element::read(window, 0)?.filter(|header| header.id == EBML);
        let header = header.ok_or_else(|| malformed("no EBML header"))?;
        let mut at = header.end.ok_or_else(|| malformed("EBML header of unknown size"))?;
        for _ in 0..MAX_ELEMENTS {
            let Some(element) = Element::read(window, at)? else { break };
            if element.id == SEGMENT {
                return Ok(Self::new(&element));
            }
            let Some(end) = element.end.filter(|&end| end < window.length()) else { break };
            at = end;
        }
        Err(malformed("no segment"))
    }

    const fn new(element: &Element) -> Self {
        Self {
            start: element.body,
            end: element.end,
            scale: 1_000_000,
            duration: None,
            entries: Vec::new(),
            first_cluster: None,
            has_info: false,
            has_tags: false,
            index: Vec::new(),
        }
    }

    /// Reads what stands before the first cluster, then what the index names, then, if the tracks
    /// are still missing, what stands behind clusters of known size.
    fn read_headers(&mut self, window: &mut Window<'_>) -> Result<(), Error> {
        let mut at = self.start;
        for _ in 0..MAX_ELEMENTS {
            let Some(element) = Element::read(window, at)? else { break };
            if element.id == CLUSTER && self.first_cluster.is_none() {
                self.first_cluster = Some(at);
                self.read_indexed(window)?;
            }
            let enough = self.has_info && !self.entries.is_empty();
            let Some(end) = element.end.filter(|_| !(enough && element.id == CLUSTER)) else {
                break;
            };
            self.take(window, &element)?;
            if end >= window.length() {
                break;
            }
            at = end;
        }
        Ok(())
    }

    fn read_indexed(&mut self, window: &mut Window<'_>) -> Result<(), Error> {
        for (id, offset) in std::mem::take(&mut self.index) {
            let element = Element::read(window, offset)?.filter(|element| element.id == id);
            if let Some(element) = element {
                self.take(window, &element)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, window: &mut Window<'_>, element: &Element) -> Result<(), Error> {
        match element.id {
            SEEK_HEAD => {
                let start = self.start;
                let wanted = |id: u32| matches!(id, INFO | TRACKS | TAGS);
                let entries = index(element.bytes(window)?).filter(|&(id, _)| wanted(id));
                let entries = entries.filter_map(|(id, at)| Some((id, start.checked_add(at)?)));
                self.index = entries.collect();
            }
            INFO if !self.has_info => self.info(element.bytes(window)?),
            TRACKS if self.entries.is_empty() => self.tracks(window, element)?,
            TAGS if !self.has_tags && !self.entries.is_empty() => {
                self.tags(element.bytes(window)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn info(&mut self, bytes: &[u8]) {
        self.has_info = true;
        let scale = child(bytes, TIMESTAMP_SCALE).map(unsigned).filter(|&scale| scale > 0);
        self.scale = scale.unwrap_or(1_000_000);
        let ticks = child(bytes, DURATION).and_then(float).filter(|ticks| !ticks.negative);
        let nanoseconds = ticks.and_then(|ticks| ticks.times(self.scale)).filter(|&n| n > 0);
        let exact = |nanoseconds| Duration::from_fraction(u128::from(nanoseconds), 1_000_000_000);
        self.duration = nanoseconds.map(exact);
    }

    /// Reads track by track, since codec headers with fonts or covers make the whole list long.
    fn tracks(&mut self, window: &mut Window<'_>, list: &Element) -> Result<(), Error> {
        let end = list.end.unwrap_or(list.body).min(window.length());
        let mut at = list.body;
        while at < end && self.entries.len() < MAX_TRACKS {
            let Some(element) = Element::read(window, at)? else { break };
            if element.id == TRACK_ENTRY {
                self.entries.push(Entry::parse(element.bytes(window)?));
            }
            let Some(next) = element.end else { break };
            at = next;
        }
        Ok(())
    }

    /// The statistics that writers leave for each track.
    fn tags(&mut self, bytes: &[u8]) {
        self.has_tags = true;
        for (_, tag) in children(bytes).filter(|&(id, _)| id == TAG) {
            let target = child(tag, TARGETS).and_then(|targets| child(targets, TARGET_TRACK));
            let Some(target) = target.map(unsigned).filter(|&target| target != 0) else { continue };
            let entry = self.entries.iter_mut().find(|entry| entry.unique_id == target);
            let Some(entry) = entry else { continue };
            for (_, simple) in children(tag).filter(|&(id, _)| id == SIMPLE_TAG) {
                let text =
                    child(simple, TAG_STRING).and_then(|text| std::str::from_utf8(text).ok());
                let text = text.unwrap_or_default().trim_end_matches('\0');
                let name = child(simple, TAG_NAME).unwrap_or_default();
                if name.starts_with(b"DURATION") {
                    entry.statistics.duration = clock_time(text);
                } else if name.starts_with(b"NUMBER_OF_FRAMES") {
                    entry.statistics.frames = text.parse().ok();
                }
            }
        }
    }

    /// Scans block headers where that is cheap or where the headers leave a rate open.
    fn scan(&self, window: &mut Window<'_>) -> Result<Option<Vec<Timeline>>, Error> {
        let Some(first) = self.first_cluster else { return Ok(None) };
        let small = window.length() <= SMALL_FILE;
        if !small && !self.entries.iter().any(Entry::lacks_rate) {
            return Ok(None);
        }
        let most = if small { SMALL_FILE_BLOCKS } else { SAMPLE_BLOCKS };
        window.set_block(BLOCK_HEADER_READ);
        scan::timelines(window, first, most, (&self.entries, self.scale)).map(Some)
    }

    /// The header's length; else the end of the last frame.
    fn duration(
        &self,
        window: &mut Window<'_>,
        timelines: Option<&[Timeline]>,
    ) -> Result<Option<Sourced<Duration>>, Error> {
        if let Some(duration) = self.duration {
            return Ok(Some(Sourced::header(duration)));
        }
        let Some(first) = self.first_cluster else { return Ok(None) };
        if let Some(end) = timelines.and_then(|all| scan::end(all, &self.entries)) {
            return Ok(Some(Sourced::scan(end)));
        }
        let end = scan::end_of_last_cluster(window, first, (&self.entries, self.scale))?;
        Ok(end.map(Sourced::scan))
    }

    fn warnings(&self, window: &Window<'_>, duration: Option<Sourced<Duration>>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |code, message| warnings.push(Warning::new(code, message));
        if self.end.is_some_and(|end| end > window.length()) {
            warn(WarningCode::Damaged, "the segment claims more bytes than the file has");
        }
        if self.first_cluster.is_none() {
            warn(WarningCode::Damaged, "the file has headers and no cluster");
        }
        if duration.is_none() {
            warn(WarningCode::DurationEstimated, "neither header nor clusters tell the length");
        }
        if self.entries.iter().any(Entry::is_protected) {
            warn(WarningCode::Protected, "the frames of a track are encrypted");
        }
        warnings
    }
}

/// The entries of a seek head: element and position inside the segment.
fn index(bytes: &[u8]) -> impl Iterator<Item = (u32, u64)> {
    const MAX_ENTRIES: usize = 1000;
    children(bytes).take(MAX_ENTRIES).filter(|&(id, _)| id == SEEK).filter_map(|(_, seek)| {
        let id = u32::try_from(unsigned(child(seek, SEEK_ID)?)).ok()?;
        Some((id, unsigned(child(seek, SEEK_POSITION)?)))
    })
}

/// `HH:MM:SS.fraction` as statistics tags have it.
fn clock_time(text: &str) -> Option<Duration> {
    let mut parts = text.splitn(3, ':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = Duration::from_decimal(parts.next()?)?;
    let whole = hours.parse::<u32>().ok()? as u64 * 3600 + minutes.parse::<u32>().ok()? as u64 * 60;
    let ticks = whole.checked_mul(u64::from(seconds.timescale()))?.checked_add(seconds.ticks())?;
    Duration::new(ticks, seconds.timescale()).filter(|length| !length.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_times_are_exact() {
        let expected = Duration::new(3_723_008_000_000, 1_000_000_000);
        assert_eq!(clock_time("01:02:03.008000000"), expected);
        assert_eq!(clock_time("00:00:00.000"), None);
        for bad in ["", "1:2", "a:b:c", "-1:00:00", "00:00:00"] {
            assert_eq!(clock_time(bad), None, "{bad}");
        }
    }
}
