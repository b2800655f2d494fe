//! Ogg with Vorbis, Opus, FLAC or Speex.
//!
//! A page states the number of samples up to its end, so the first pages and the last one are
//! enough. Where one stream follows another (chaining), all pages are walked over.

use mediaprep_media::{Error, Limits, Sourced, Warning};

use crate::flac::StreamInfo;
use crate::info::{AudioInfo, Found, estimated, seconds};
use crate::window::{Window, le16, le32, le64, scan_budget, tail_budget};

const NAME: &str = "Ogg";

/// A page's header without its table of segments.
const HEADER: usize = 27;
/// Streams side by side that are looked at.
const MOST_STREAMS: usize = 16;
/// Pages looked at until the first one that ends a packet of sound: pictures among the comments take
/// pages of 64 KiB.
const MOST_FIRST_PAGES: usize = 512;

/// What a page header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    /// The page begins a stream.
    first: bool,
    /// Samples up to the last packet that ends on this page; `None` when none does.
    position: Option<u64>,
    serial: u32,
    /// Bytes of header and segment table.
    header: u64,
    body: u64,
    /// Packets that end on this page.
    packets: u64,
}

impl Page {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEADER).filter(|head| head.starts_with(b"OggS\0"))?;
        let segments = bytes.get(HEADER..HEADER + usize::from(head[26]))?;
        // A negative position also stands for none.
        let position = le64(head, 6).filter(|&samples| samples <= u64::MAX >> 1);
        Some(Self {
            first: head[5] & 2 != 0,
            position,
            serial: le32(head, 14)?,
            header: (HEADER + segments.len()) as u64,
            body: segments.iter().map(|&length| u64::from(length)).sum(),
            packets: segments.iter().filter(|&&length| length < 255).count() as u64,
        })
    }

    fn read(window: &mut Window<'_>, offset: u64) -> Result<Option<Self>, Error> {
        Ok(Self::parse(window.at(offset, HEADER + 255)?))
    }

    const fn length(self) -> u64 {
        self.header + self.body
    }
}

/// One logical stream of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stream {
    info: AudioInfo,
    serial: u32,
    /// Samples per second of the positions.
    rate: u32,
    /// Samples at the start that a decoder leaves out.
    skipped: u64,
    /// The length that the codec's header states.
    stated: Option<u64>,
    packets: Packets,
}

/// How many samples a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packets {
    /// At most so many.
    AtMost(u64),
    /// As its first bytes say, which is Opus alone.
    Stated,
}

/// What the first packet of a stream shows.
enum Codec {
    Sound(Stream),
    Video,
    Other,
}

impl Codec {
    fn parse(packet: &[u8], serial: u32) -> Option<Self> {
        let stream = if packet.starts_with(b"\x01vorbis") {
            vorbis(packet, serial)?
        } else if packet.starts_with(b"OpusHead") {
            opus(packet, serial)?
        } else if packet.starts_with(b"\x7fFLAC") {
            flac(packet, serial)?
        } else if packet.starts_with(b"Speex   ") {
            speex(packet, serial)?
        } else {
            let video: [&[u8]; 4] = [b"\x80theora", b"\x01video", b"BBCD\0", b"OVP80"];
            let is_video = video.iter().any(|magic| packet.starts_with(magic));
            return Some(if is_video { Self::Video } else { Self::Other });
        };
        Some(Self::Sound(stream))
    }
}

fn vorbis(packet: &[u8], serial: u32) -> Option<Stream> {
    let (channels, rate) = (*packet.get(11)?, le32(packet, 12).filter(|&rate| rate > 0)?);
    // Overlapping windows give half a block per packet, or less.
    let packets = Packets::AtMost(1 << (packet.get(28)? >> 4) >> 1);
    let info = AudioInfo::new("vorbis", rate, channels.into());
    Some(Stream { info, serial, rate, skipped: 0, stated: None, packets })
}

/// Positions count at 48 kHz whatever the input was (RFC 7845).
fn opus(packet: &[u8], serial: u32) -> Option<Stream> {
    let rate = 48_000;
    let info = AudioInfo::new("opus", rate, u16::from(*packet.get(9)?));
    let skipped = u64::from(le16(packet, 10)?);
    Some(Stream { info, serial, rate, skipped, stated: None, packets: Packets::Stated })
}

fn flac(packet: &[u8], serial: u32) -> Option<Stream> {
    let stream = StreamInfo::parse(packet.get(17..)?)?;
    let info = stream.info();
    let stated = Some(stream.samples).filter(|&samples| samples > 0);
    let rate = info.sample_rate?;
    Some(Stream { info, serial, rate, skipped: 0, stated, packets: Packets::AtMost(65_535) })
}

fn speex(packet: &[u8], serial: u32) -> Option<Stream> {
    let rate = le32(packet, 36).filter(|&rate| rate > 0)?;
    let channels = u16::try_from(le32(packet, 48)?).ok()?;
    let samples = u64::from(le32(packet, 56)?) * u64::from(le32(packet, 64)?.max(1));
    let packets = Packets::AtMost(samples);
    let info = AudioInfo::new("speex", rate, channels);
    Some(Stream { info, serial, rate, skipped: 0, stated: None, packets })
}

/// The facts of an Ogg file with sound alone.
pub(crate) fn probe(window: &mut Window<'_>, limits: &Limits) -> Result<Found, Error> {
    let (stream, serials, behind) = streams(window)?;
    if let Some(samples) = stream.stated {
        let length = Sourced::header(seconds(samples, stream.rate));
        return Ok(Found::plain(stream.info.lasting(length)));
    }
    let tail = last_position(window, &stream, &serials, limits)?;
    let end = match tail {
        Tail::Position(end) => end,
        Tail::Chained => return chained(window, stream, limits),
        Tail::Nothing => {
            let warning = estimated("no page at the end tells the length");
            return Ok(Found { value: stream.info, warnings: vec![warning] });
        }
    };
    let (origin, warning) = origin(window, &stream, behind)?;
    let whole = end.saturating_sub(origin);
    let heard = whole.saturating_sub(stream.skipped);
    let mut info = stream.info.lasting(Sourced::header(seconds(whole, stream.rate)));
    info.decoded = Some(Sourced::header(seconds(heard, stream.rate)));
    Ok(Found { value: info, warnings: warning.into_iter().collect() })
}

/// The first stream of sound, the numbers of all streams side by side, and where their first pages
/// end.
fn streams(window: &mut Window<'_>) -> Result<(Stream, Vec<u32>, u64), Error> {
    let (mut sound, mut serials, mut offset) = (None, Vec::new(), 0);
    while serials.len() < MOST_STREAMS {
        let Some(page) = Page::read(window, offset)?.filter(|page| page.first) else { break };
        let length = usize::try_from(page.body).unwrap_or(usize::MAX).min(128);
        let packet = window.at(offset + page.header, length)?;
        let bad = Error::malformed(NAME, offset, "the first packet of a stream is cut or wrong");
        match Codec::parse(packet, page.serial).ok_or(bad)? {
            Codec::Video => return Err(Error::Unsupported("video in Ogg")),
            Codec::Sound(stream) => sound = sound.or(Some(stream)),
            Codec::Other => {}
        }
        serials.push(page.serial);
        offset += page.length();
    }
    if serials.is_empty() {
        return Err(Error::malformed(NAME, 0, "no first page"));
    }
    let sound = sound.ok_or(Error::Unsupported("this codec in Ogg"))?;
    Ok((sound, serials, offset))
}

/// Where the sound begins: at sample 0, or later where the file was cut out of a longer one, which
/// shows in a first position that its packets cannot reach.
fn origin(
    window: &mut Window<'_>,
    stream: &Stream,
    behind: u64,
) -> Result<(u64, Option<Warning>), Error> {
    let mut offset = behind;
    for _ in 0..MOST_FIRST_PAGES {
        let Some(page) = Page::read(window, offset)? else { break };
        if page.serial == stream.serial
            && let Some(position) = page.position.filter(|&position| position > 0)
        {
            return Ok(match stream.packets {
                Packets::Stated => {
                    let length = opus_samples(window, page, offset)?;
                    (position.saturating_sub(length), None)
                }
                Packets::AtMost(longest) => late_start(position, page.packets, longest),
            });
        }
        offset += page.length();
    }
    Ok((0, None))
}

/// Where a stream begins whose first `packets` of at most `longest` samples reach `position`. One
/// packet more than the page ends may have begun on the page before.
fn late_start(position: u64, packets: u64, longest: u64) -> (u64, Option<Warning>) {
    let reach = packets.saturating_mul(longest);
    if position <= reach.saturating_add(longest) {
        return (0, None);
    }
    (position - reach, Some(estimated("the stream begins late, and its start is worked out")))
}

/// Samples of the Opus packets that begin and end on the page at `offset` (RFC 6716, section 3.1).
fn opus_samples(window: &mut Window<'_>, page: Page, offset: u64) -> Result<u64, Error> {
    let table = window.at(offset + HEADER as u64, 255)?.to_vec();
    let segments = usize::try_from(page.header).unwrap_or(HEADER).saturating_sub(HEADER);
    let (mut samples, mut at, mut begins) = (0, offset + page.header, offset + page.header);
    for &length in table.iter().take(segments) {
        at += u64::from(length);
        if length < 255 {
            samples += opus_packet(window.at(begins, 2)?);
            begins = at;
        }
    }
    Ok(samples)
}

fn opus_packet(packet: &[u8]) -> u64 {
    let Some(&first) = packet.first() else { return 0 };
    let configuration = first >> 3;
    let samples = match configuration {
        0..12 => [480, 960, 1920, 2880][usize::from(configuration & 3)],
        12..16 => [480, 960][usize::from(configuration & 1)],
        _ => 120 << (configuration & 3),
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => packet.get(1).map_or(0, |count| count & 0x3f),
    };
    samples * u64::from(frames)
}

/// What the end of the file shows.
enum Tail {
    Position(u64),
    /// The last page belongs to a stream that did not begin at the start.
    Chained,
    Nothing,
}

/// Bytes at the end in which the last page begins; the longest page has 65 307 bytes.
const TAILS: [usize; 3] = [8 << 10, 128 << 10, 2 << 20];

fn last_position(
    window: &mut Window<'_>,
    stream: &Stream,
    serials: &[u32],
    limits: &Limits,
) -> Result<Tail, Error> {
    for tail in TAILS {
        let tail = tail_budget(limits, tail);
        let from = window.length().saturating_sub(tail as u64);
        let bytes = window.at(from, tail)?;
        for (page, bytes) in pages_backwards(bytes) {
            if !serials.contains(&page.serial) && checksum_holds(bytes) {
                return Ok(Tail::Chained);
            }
            if let Some(position) = page.position.filter(|_| page.serial == stream.serial) {
                return Ok(Tail::Position(position));
            }
        }
        if from == 0 {
            break;
        }
    }
    Ok(Tail::Nothing)
}

/// The whole pages in `bytes`, last first.
fn pages_backwards(bytes: &[u8]) -> impl Iterator<Item = (Page, &[u8])> {
    let starts =
        (0..bytes.len()).rev().filter(|&at| bytes[at] == b'O' && bytes[at..].starts_with(b"OggS"));
    starts.filter_map(|at| {
        let page = Page::parse(&bytes[at..])?;
        let whole = bytes.get(at..at.checked_add(usize::try_from(page.length()).ok()?)?)?;
        Some((page, whole))
    })
}

/// Whether a page's checksum is right: polynomial 0x04c11db7, with the field itself as zeros.
fn checksum_holds(page: &[u8]) -> bool {
    let crc = page.iter().enumerate().fold(0u32, |crc, (at, &byte)| {
        let byte = if (22..26).contains(&at) { 0 } else { byte };
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            if crc & 1 << 31 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 }
        })
    });
    le32(page, 22) == Some(crc)
}

/// Samples of the links of a chain so far, at the first link's rate.
struct Chain {
    rate: u32,
    whole: u64,
    heard: u64,
}

impl Chain {
    fn add(&mut self, link: &Stream, last: u64) {
        let scaled = |samples: u64| {
            let scaled = u128::from(samples) * u128::from(self.rate) / u128::from(link.rate);
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        self.whole = self.whole.saturating_add(scaled(last));
        self.heard = self.heard.saturating_add(scaled(last.saturating_sub(link.skipped)));
    }
}

/// The sum of streams that follow one another.
fn chained(window: &mut Window<'_>, stream: Stream, limits: &Limits) -> Result<Found, Error> {
    let end = window.length().min(scan_budget(limits));
    let mut info = stream.info.clone();
    let mut chain = Chain { rate: stream.rate, whole: 0, heard: 0 };
    let (mut link, mut last, mut offset) = (stream, 0u64, 0u64);
    while offset < end {
        let Some(page) = Page::read(window, offset)? else { break };
        if page.first && page.serial != link.serial {
            if let Some(next) = next_link(window, page, offset)? {
                chain.add(&link, last);
                (link, last) = (next, 0);
            }
        } else if page.serial == link.serial {
            last = page.position.unwrap_or(last).max(last);
        }
        offset += page.length();
    }
    chain.add(&link, last);
    let mut warnings = Vec::new();
    if offset < window.length() {
        warnings.push(estimated("only a part of a chain of streams was read"));
    }
    info.container = Some(Sourced::scan(seconds(chain.whole, chain.rate)));
    info.decoded = Some(Sourced::scan(seconds(chain.heard, chain.rate)));
    Ok(Found { value: info, warnings })
}

/// The stream of sound that begins with `page` at `offset`.
fn next_link(window: &mut Window<'_>, page: Page, offset: u64) -> Result<Option<Stream>, Error> {
    let length = usize::try_from(page.body).unwrap_or(usize::MAX).min(128);
    let packet = window.at(offset + page.header, length)?;
    Ok(match Codec::parse(packet, page.serial) {
        Some(Codec::Sound(stream)) => Some(stream),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opus_packets_tell_their_samples() {
        // SILK 20 ms, hybrid 10 ms twice, CELT 2.5 ms, CELT 20 ms in six frames.
        let packets: [&[u8]; 4] = [&[1 << 3], &[12 << 3 | 1], &[16 << 3], &[31 << 3 | 3, 6]];
        assert_eq!(packets.map(opus_packet), [960, 960, 120, 5760]);
        assert_eq!((opus_packet(&[]), opus_packet(&[3])), (0, 0));
    }

    #[test]
    fn a_late_start_shows_in_the_first_position() {
        assert_eq!(late_start(10_000, 10, 1024).0, 0);
        assert_eq!(late_start(480_000, 10, 1000).0, 470_000);
        assert!(late_start(480_000, 10, 1000).1.is_some());
    }
}
