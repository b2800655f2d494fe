//! FLAC: the STREAMINFO block, and where it states no length the last frame's number.

use mediaprep_media::{Error, Limits, Sourced};

use crate::info::{AudioInfo, Found, estimated, seconds};
use crate::tags;
use crate::window::{Window, be16, be64, tail_budget};

const NAME: &str = "FLAC";

/// The fields of a STREAMINFO block that matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamInfo {
    /// Samples in each block of a stream with fixed blocks, 16 to 65 535.
    block: u16,
    rate: u32,
    channels: u16,
    /// Samples per channel; 0 when unknown.
    pub(crate) samples: u64,
}

impl StreamInfo {
    /// Reads the 34 bytes of the block; `None` for fewer or for a rate of zero.
    pub(crate) fn parse(block: &[u8]) -> Option<Self> {
        let packed = be64(block, 10).filter(|_| block.len() >= 34)?;
        let rate = u32::try_from(packed >> 44).ok().filter(|&rate| rate > 0)?;
        let channels = u16::try_from((packed >> 41 & 7) + 1).ok()?;
        let samples = packed & 0xf_ffff_ffff;
        Some(Self { block: be16(block, 0)?, rate, channels, samples })
    }

    /// The facts without a length.
    pub(crate) fn info(self) -> AudioInfo {
        AudioInfo::new("flac", self.rate, self.channels)
    }
}

/// The facts of a native FLAC file, or of one whose beginning is lost and that starts at a frame.
pub(crate) fn probe(window: &mut Window<'_>, limits: &Limits) -> Result<Found, Error> {
    let start = tags::audio_start(window)?;
    let head = window.at(start, 42)?;
    if let Some(frame) = FrameHeader::parse(head, None) {
        return headless(window, start, frame, limits);
    }
    if !head.starts_with(b"fLaC") {
        return Err(Error::malformed(NAME, start, "neither a marker nor a frame was found"));
    }
    // RFC 9639 wants STREAMINFO first and 34 bytes long.
    let first =
        head.get(4..8).is_some_and(|block| block[0] & 0x7f == 0 && block[1..] == [0, 0, 34]);
    let stated = head.get(8..).filter(|_| first).and_then(StreamInfo::parse);
    let stated = stated.ok_or(Error::malformed(NAME, start + 4, "no STREAMINFO block"))?;
    if stated.samples > 0 {
        let length = Sourced::header(seconds(stated.samples, stated.rate));
        return Ok(Found::plain(stated.info().lasting(length)));
    }
    measured(window, stated, (start + 42, 0), limits)
}

fn headless(
    window: &mut Window<'_>,
    start: u64,
    frame: FrameHeader,
    limits: &Limits,
) -> Result<Found, Error> {
    let missing = Error::malformed(NAME, start, "the first frame states no sampling rate");
    let rate = frame.rate.ok_or(missing)?;
    let block = u16::try_from(frame.block).unwrap_or(u16::MAX);
    let stream = StreamInfo { block, rate, channels: frame.channels, samples: 0 };
    measured(window, stream, (start, frame.first_sample(block)), limits)
}

/// A length by the last frame's number, counted from sample `origin`.
fn measured(
    window: &mut Window<'_>,
    stream: StreamInfo,
    (start, origin): (u64, u64),
    limits: &Limits,
) -> Result<Found, Error> {
    let end = tags::audio_end(window, start)?;
    let Some(last) = last_sample(window, stream, (start, end), limits)? else {
        let warning = estimated("neither the header nor a last frame tells the length");
        return Ok(Found { value: stream.info(), warnings: vec![warning] });
    };
    let length = Sourced::scan(seconds(last.saturating_sub(origin), stream.rate));
    Ok(Found::plain(stream.info().lasting(length)))
}

/// Bytes at the end in which the last frame begins. A frame of eight channels of 32 bits and 4608
/// samples fits; the usual one has about 10 kB.
const TAILS: [usize; 3] = [32 << 10, 256 << 10, 2 << 20];

/// The number of the sample behind the last frame that begins in one of the tails.
fn last_sample(
    window: &mut Window<'_>,
    stream: StreamInfo,
    (start, end): (u64, u64),
    limits: &Limits,
) -> Result<Option<u64>, Error> {
    for tail in TAILS {
        let tail = tail_budget(limits, tail);
        let from = end.saturating_sub(tail as u64).max(start);
        let bytes = window.at(from, usize::try_from(end - from).unwrap_or(tail).min(tail))?;
        if let Some(frame) = last_frame(bytes, stream) {
            return Ok(Some(frame.first_sample(stream.block).saturating_add(frame.block.into())));
        }
        if from == start {
            break;
        }
    }
    Ok(None)
}

/// The last frame in `bytes`: the one whose checksum holds up to their end, or else the last whose
/// header's checksum holds, since a cut file's last frame is not whole.
fn last_frame(bytes: &[u8], stream: StreamInfo) -> Option<FrameHeader> {
    let candidates = (0..bytes.len()).rev().filter(|&at| bytes[at] == 0xff);
    let mut candidates = candidates
        .filter_map(|at| Some((at, FrameHeader::parse(&bytes[at..], Some(stream.rate))?)));
    let (at, nearest) = candidates.next()?;
    if crc16(&bytes[at..]) == 0 {
        return Some(nearest);
    }
    // A chance match of 8 checksum bits stands before the real one at most a few times.
    candidates
        .take(MOST_CANDIDATES)
        .find(|(at, _)| crc16(&bytes[*at..]) == 0)
        .map_or(Some(nearest), |(_, frame)| Some(frame))
}

/// Earlier candidates whose long checksum is worked out.
const MOST_CANDIDATES: usize = 4;

/// What a frame header says, RFC 9639 section 9.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    rate: Option<u32>,
    channels: u16,
    /// Samples per channel in this frame.
    block: u32,
    /// The first sample's number where blocks vary, else the frame's number.
    number: u64,
    variable: bool,
}

impl FrameHeader {
    /// Reads the header at the start of `bytes` if its checksum holds and its rate is `rate`.
    pub(crate) fn parse(bytes: &[u8], rate: Option<u32>) -> Option<Self> {
        let &[a, b, c, d] = bytes.first_chunk()?;
        if a != 0xff || b & 0xfe != 0xf8 || d & 1 != 0 || d >> 4 > 10 {
            return None;
        }
        let (number, mut at) = coded_number(bytes)?;
        let block = block_size(c >> 4, bytes, &mut at)?;
        let own_rate = sample_rate(c & 15, bytes, &mut at)?;
        let holds = crc8(bytes.get(..at)?) == *bytes.get(at)?;
        let agrees = own_rate.is_none() || rate.is_none() || own_rate == rate;
        let channels = if d >> 4 < 8 { u16::from(d >> 4) + 1 } else { 2 };
        let header = Self { rate: own_rate, channels, block, number, variable: b & 1 != 0 };
        (holds && agrees).then_some(header)
    }

    /// The number of the first sample in a stream whose fixed blocks have `block` samples.
    fn first_sample(self, block: u16) -> u64 {
        if self.variable { self.number } else { self.number.saturating_mul(u64::from(block)) }
    }
}

/// The number behind the first four bytes, coded as UTF-8 codes a character, in up to 7 bytes; and
/// where it ends.
fn coded_number(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.get(4)?;
    let length = match first.leading_ones() {
        0 => return Some((u64::from(first), 5)),
        ones @ 2..=7 => ones as usize,
        _ => return None,
    };
    let low = u64::from(first) & (0x7f >> length);
    let rest = bytes.get(5..4 + length)?;
    let continued = rest.iter().all(|byte| byte & 0xc0 == 0x80);
    let number = rest.iter().fold(low, |number, byte| number << 6 | u64::from(byte & 0x3f));
    continued.then_some((number, 4 + length))
}

fn block_size(code: u8, bytes: &[u8], at: &mut usize) -> Option<u32> {
    Some(match code {
        0 => return None,
        1 => 192,
        2..=5 => 144 << code,
        6 => u32::from(take(bytes, at, 1)?) + 1,
        7 => u32::from(take(bytes, at, 2)?) + 1,
        _ => 1 << code,
    })
}

/// `Some(None)` is the rate of STREAMINFO.
fn sample_rate(code: u8, bytes: &[u8], at: &mut usize) -> Option<Option<u32>> {
    const RATES: [u32; 11] =
        [88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
    Some(match code {
        0 => None,
        12 => Some(u32::from(take(bytes, at, 1)?) * 1000),
        13 => Some(u32::from(take(bytes, at, 2)?)),
        14 => Some(u32::from(take(bytes, at, 2)?) * 10),
        15 => return None,
        known => Some(RATES[usize::from(known) - 1]),
    })
}

/// The big-endian number of one or two bytes at `at`, which moves behind it.
fn take(bytes: &[u8], at: &mut usize, length: usize) -> Option<u16> {
    let field = bytes.get(*at..*at + length)?;
    *at += length;
    Some(field.iter().fold(0, |value, &byte| value << 8 | u16::from(byte)))
}

/// Polynomial x⁸ + x² + x + 1.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x07 })
    })
}

/// Polynomial x¹⁶ + x¹⁵ + x² + 1; zero over a frame with its own checksum at the end.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        let crc = crc ^ u16::from(byte) << 8;
        (0..8).fold(crc, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x8005 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first frame header of a 16-bit mono file at 44.1 kHz with blocks of 4096 samples.
    fn header(number: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xf8, 0xc9, 0x08];
        bytes.extend_from_slice(number);
        bytes.push(crc8(&bytes));
        bytes
    }

    #[test]
    fn frame_headers_are_read_only_with_their_checksum() {
        let frame = FrameHeader::parse(&header(&[0xc2, 0x80]), None).unwrap();
        assert_eq!((frame.rate, frame.channels, frame.block), (Some(44_100), 1, 4096));
        assert_eq!(frame.first_sample(4096), 128 * 4096);
        assert_eq!(FrameHeader::parse(&header(&[0]), Some(48_000)), None);
        let mut wrong = header(&[0]);
        wrong[5] ^= 1;
        assert_eq!(FrameHeader::parse(&wrong, None), None);
    }

    #[test]
    fn coded_numbers_take_one_to_seven_bytes() {
        let number = |coded: &[u8]| coded_number(&[&[0; 4], coded].concat());
        assert_eq!(number(&[0x7f]), Some((0x7f, 5)));
        assert_eq!(number(&[0xe2, 0x82, 0xac]), Some((0x20ac, 7)));
        let longest = [0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf];
        assert_eq!(number(&longest), Some(((1 << 36) - 1, 11)));
        for bad in [&[0x80][..], &[0xff], &[0xc2], &[0xc2, 0x02]] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn checksums_have_their_known_check_values() {
        assert_eq!((crc8(b"123456789"), crc16(b"123456789")), (0xf4, 0xfee8));
    }
}
