//! WAV: RIFF, RF64 and BW64.
//!
//! The outer RIFF length is never used: streaming writers leave it empty and others get it wrong.

use mediaprep_media::{Duration, Error, Limits, Sourced, Warning};

use crate::info::{AudioInfo, Found, damaged, estimated, seconds};
use crate::mpeg;
use crate::window::{Window, le16, le32, le64};

const NAME: &str = "WAV";

/// Chunks that are stepped over before the sound; real files have fewer than 20.
const MOST_CHUNKS: usize = 4096;

/// The `fmt ` chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    bytes_per_second: u32,
    /// Bytes in one block: one sample of every channel, or a packet of a compressed format.
    block: u16,
    bits: u16,
    /// Samples per channel in one packet of a compressed format.
    samples_per_block: Option<u16>,
}

impl Format {
    fn parse(chunk: &[u8]) -> Option<Self> {
        let tag = match le16(chunk, 0)? {
            // WAVE_FORMAT_EXTENSIBLE: the tag is the start of a GUID.
            0xfffe => le16(chunk, 24)?,
            tag => tag,
        };
        Some(Self {
            tag,
            channels: le16(chunk, 2)?,
            rate: le32(chunk, 4)?,
            bytes_per_second: le32(chunk, 8)?,
            block: le16(chunk, 12)?,
            bits: le16(chunk, 14).unwrap_or(0),
            samples_per_block: le16(chunk, 18).filter(|&samples| samples > 0),
        })
    }

    fn codec(self) -> &'static str {
        match (self.tag, self.bits) {
            (1, ..=8) => "pcm_u8",
            (1, ..=16) => "pcm_s16le",
            (1, ..=24) => "pcm_s24le",
            (1, ..=32) => "pcm_s32le",
            (1, _) => "pcm_s64le",
            (3, 64) => "pcm_f64le",
            (3, _) => "pcm_f32le",
            (6, _) => "pcm_alaw",
            (7, _) => "pcm_mulaw",
            (2, _) => "adpcm_ms",
            (0x11, _) => "adpcm_ima_wav",
            (0x31, _) => "gsm_ms",
            (0x50, _) => "mp2",
            (0x55, _) => "mp3",
            (0xff | 0x1600 | 0x706d, _) => "aac",
            (0x2000, _) => "ac3",
            (0x2001, _) => "dts",
            _ => "unknown",
        }
    }

    /// Bytes of one sample of every channel, for formats where each takes the same.
    fn frame_bytes(self) -> Option<u64> {
        if !matches!(self.tag, 1 | 3 | 6 | 7) {
            return None;
        }
        let worked_out = u64::from(self.channels) * u64::from(self.bits.div_ceil(8));
        Some(if self.block > 0 { u64::from(self.block) } else { worked_out.max(1) })
    }

    /// Samples per channel in a packet of fixed length.
    fn packet_samples(self) -> Option<u64> {
        let (block, channels) = (u64::from(self.block), u64::from(self.channels).max(1));
        let stated = self.samples_per_block.map(u64::from);
        let nibbles =
            |header: u64| (block.checked_sub(header * channels)? * 2).checked_div(channels);
        match self.tag {
            0x11 => stated.or_else(|| Some(nibbles(4)? + 1)),
            2 => stated.or_else(|| Some(nibbles(7)? + 2)),
            0x31 => stated.or(Some(320)),
            _ => None,
        }
    }
}

/// The chunks that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chunks {
    format: Option<Format>,
    /// Samples per channel by the `fact` chunk, or by RF64's `ds64`.
    fact: Option<u64>,
    /// The length of the sound by RF64's `ds64`.
    long_data: Option<u64>,
    /// Where the sound is, and how long its chunk is said to be.
    data: Option<(u64, u64)>,
}

/// The facts of a WAV file.
pub(crate) fn probe(window: &mut Window<'_>, limits: &Limits) -> Result<Found, Error> {
    if !window.at(8, 4)?.starts_with(b"WAVE") {
        return Err(Error::malformed(NAME, 8, "no WAVE form"));
    }
    let chunks = chunks(window)?;
    let format = chunks.format.ok_or(Error::malformed(NAME, 12, "no format chunk"))?;
    let (start, stated) = chunks.data.ok_or(Error::malformed(NAME, 12, "no data chunk"))?;
    if format.rate == 0 || format.channels == 0 {
        return Err(Error::malformed(NAME, 12, "a sampling rate or channel count of zero"));
    }
    let (length, cut) = data_length(window, start, stated)?;
    let mut found = facts(window, format, chunks.fact, (start, length), limits)?;
    if cut {
        found.warnings.push(damaged("the sound ends before its stated length"));
    }
    Ok(found)
}

fn chunks(window: &mut Window<'_>) -> Result<Chunks, Error> {
    let mut found = Chunks::default();
    let mut offset = 12u64;
    for _ in 0..MOST_CHUNKS {
        let Some(header) = window.array::<8>(offset)? else { break };
        let (size, body) = (u64::from(le32(&header, 4).unwrap_or(0)), offset + 8);
        match &header[..4] {
            b"fmt " => found.format = Format::parse(chunk(window, body, size, 40)?),
            b"fact" => found.fact = le32(chunk(window, body, size, 4)?, 0).map(u64::from),
            b"ds64" => found.long_data = le64(chunk(window, body, size, 28)?, 8),
            b"data" => {
                let long = found.long_data.filter(|_| size == u64::from(u32::MAX));
                found.data = Some((body, long.unwrap_or(size)));
            }
            _ => {}
        }
        let length = found.data.filter(|data| data.0 == body).map_or(size, |data| data.1);
        let endless = length == 0 || length == u64::from(u32::MAX);
        if found.data.is_some() && (found.format.is_some() || endless) {
            break;
        }
        let Some(next) = body.checked_add(length).and_then(|end| end.checked_add(length & 1))
        else {
            break;
        };
        offset = next;
    }
    Ok(found)
}

/// The first bytes of a chunk, at most `most`.
fn chunk<'w>(
    window: &'w mut Window<'_>,
    body: u64,
    size: u64,
    most: usize,
) -> Result<&'w [u8], Error> {
    window.at(body, usize::try_from(size).unwrap_or(most).min(most))
}

/// The sound's length in bytes, and whether the file ends before what is stated. A length of 0 or
/// 2³² - 1 is left by writers that cannot go back: the sound goes on to the end of the file.
fn data_length(window: &mut Window<'_>, start: u64, stated: u64) -> Result<(u64, bool), Error> {
    let left = window.length().saturating_sub(start);
    match stated {
        0 if matches!(window.at(start, 4)?, b"LIST" | b"id3 " | b"ID3 " | b"bext") => {
            Ok((0, false))
        }
        0 => Ok((left, false)),
        _ if stated == u64::from(u32::MAX) => Ok((left, false)),
        _ => Ok((stated.min(left), stated > left)),
    }
}

fn facts(
    window: &mut Window<'_>,
    format: Format,
    fact: Option<u64>,
    (start, length): (u64, u64),
    limits: &Limits,
) -> Result<Found, Error> {
    let info = AudioInfo::new(format.codec(), format.rate, format.channels);
    let exact = |samples| {
        Found::plain(info.clone().lasting(Sourced::header(seconds(samples, format.rate))))
    };
    if let Some(frame) = format.frame_bytes() {
        return Ok(exact(length / frame));
    }
    if let Some(per_packet) = format.packet_samples().filter(|_| format.block > 0) {
        return Ok(exact(packet_samples(length / u64::from(format.block), per_packet, fact)));
    }
    if matches!(format.tag, 0x50 | 0x55) {
        return frames_inside(window, info, fact, (start, length), limits);
    }
    Ok(by_byte_rate(info, format, fact, length))
}

/// Samples in `packets` whole packets. The `fact` chunk is believed where it leaves out a part of
/// the last packet: some writers count channels twice, or nothing.
fn packet_samples(packets: u64, per_packet: u64, fact: Option<u64>) -> u64 {
    let most = packets.saturating_mul(per_packet);
    fact.filter(|&fact| fact <= most && fact + per_packet > most).unwrap_or(most)
}

/// MPEG audio in WAV: the `fact` chunk states the length, the frames tell what is decoded.
fn frames_inside(
    window: &mut Window<'_>,
    info: AudioInfo,
    fact: Option<u64>,
    (start, length): (u64, u64),
    limits: &Limits,
) -> Result<Found, Error> {
    let end = start + length;
    let first = mpeg::FRAMING.first(window, start, end)?;
    let (at, _) = first.ok_or(Error::malformed(NAME, start, "no MPEG frames in the data chunk"))?;
    let mut found = mpeg::stream(window, at, Some(end), limits)?;
    let fact = fact.filter(|&samples| samples > 0).zip(info.sample_rate);
    if let Some((samples, rate)) = fact {
        found.value.container = Some(Sourced::header(seconds(samples, rate)));
    }
    Ok(found)
}

/// Any other codec: the `fact` chunk, or else the mean byte rate of the header.
fn by_byte_rate(info: AudioInfo, format: Format, fact: Option<u64>, length: u64) -> Found {
    if let Some(samples) = fact.filter(|&samples| samples > 0) {
        return Found::plain(info.lasting(Sourced::header(seconds(samples, format.rate))));
    }
    let mean = Duration::from_fraction(length.into(), format.bytes_per_second.into());
    let warning: Warning = estimated("the length is worked out from the mean byte rate");
    Found { value: info.lasting(Sourced::scan(mean)), warnings: vec![warning] }
}
