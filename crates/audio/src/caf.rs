//! Core Audio Format.

use std::borrow::Cow;

use mediaprep_media::{Error, Sourced};

use crate::info::{AudioInfo, Found, damaged, estimated};
use crate::rate::Rate;
use crate::window::{Window, be32, be64};

const NAME: &str = "CAF";

/// Chunks that are stepped over; real files have fewer than 20.
const MOST_CHUNKS: usize = 4096;

/// The `desc` chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Description {
    rate: Rate,
    format: [u8; 4],
    flags: u32,
    /// Zero where packets differ in bytes.
    bytes_per_packet: u32,
    /// Zero where packets differ in samples.
    frames_per_packet: u32,
    channels: u32,
    bits: u32,
}

impl Description {
    fn parse(chunk: &[u8]) -> Option<Self> {
        Some(Self {
            rate: Rate::from_double(be64(chunk, 0)?)?,
            format: *chunk.get(8..)?.first_chunk()?,
            flags: be32(chunk, 12)?,
            bytes_per_packet: be32(chunk, 16)?,
            frames_per_packet: be32(chunk, 20)?,
            channels: be32(chunk, 24).filter(|&count| count > 0)?,
            bits: be32(chunk, 28)?,
        })
    }

    fn codec(self) -> Cow<'static, str> {
        let name = match &self.format {
            b"lpcm" => return self.pcm(),
            b"aac " => "aac",
            b"alac" => "alac",
            b"alaw" => "pcm_alaw",
            b"ulaw" => "pcm_mulaw",
            b"ima4" => "adpcm_ima_qt",
            b".mp1" => "mp1",
            b".mp2" => "mp2",
            b".mp3" => "mp3",
            b"opus" => "opus",
            b"flac" => "flac",
            b"ac-3" => "ac3",
            _ => "unknown",
        };
        name.into()
    }

    /// Flag 1 is floating point, flag 2 little-endian.
    fn pcm(self) -> Cow<'static, str> {
        let kind = if self.flags & 1 == 0 { 's' } else { 'f' };
        let order = match (self.bits, self.flags & 2) {
            (..=8, _) => "",
            (_, 0) => "be",
            _ => "le",
        };
        format!("pcm_{kind}{}{order}", self.bits).into()
    }
}

/// The chunks that matter.
#[derive(Clone, Copy, Debug, Default)]
struct Chunks {
    description: Option<Description>,
    /// Samples that are heard, primed and left over, by the packet table.
    table: Option<[u64; 3]>,
    /// Bytes of sound that the file holds.
    data: Option<u64>,
    cut: bool,
}

/// The facts of a CAF file.
pub(crate) fn probe(window: &mut Window<'_>) -> Result<Found, Error> {
    let chunks = chunks(window)?;
    let description =
        chunks.description.ok_or(Error::malformed(NAME, 8, "no usable desc chunk"))?;
    let data = chunks.data.ok_or(Error::malformed(NAME, 8, "no data chunk"))?;
    let channels = u16::try_from(description.channels).unwrap_or(u16::MAX);
    let mut info = AudioInfo::new(description.codec(), description.rate.rounded(), channels);
    let length = |samples| Some(Sourced::header(description.rate.lasting(samples)));
    let mut warnings = Vec::new();
    let fixed = data.checked_div(description.bytes_per_packet.into());
    let fixed = fixed.map(|packets| packets.saturating_mul(description.frames_per_packet.into()));
    if let Some([heard, primed, left]) = chunks.table.filter(|table| table[0] > 0) {
        let all = heard.saturating_add(primed).saturating_add(left);
        (info.container, info.decoded) = (length(all), length(heard));
    } else if let Some(samples) = fixed {
        (info.container, info.decoded) = (length(samples), length(samples));
    } else {
        warnings.push(estimated("no packet table tells the length"));
    }
    if chunks.cut {
        warnings.push(damaged("the sound ends before its stated length"));
    }
    Ok(Found { value: info, warnings })
}

fn chunks(window: &mut Window<'_>) -> Result<Chunks, Error> {
    let mut found = Chunks::default();
    let mut offset = 8u64;
    for _ in 0..MOST_CHUNKS {
        let Some(header) = window.array::<12>(offset)? else { break };
        let (size, body) = (be64(&header, 4).unwrap_or(0), offset + 12);
        let left = window.length().saturating_sub(body);
        match &header[..4] {
            b"desc" => found.description = Description::parse(window.at(body, 32)?),
            b"pakt" => found.table = packet_table(window.at(body, 24)?),
            b"data" => {
                // A length of -1 is left by writers that cannot go back; an edit count comes first.
                found.cut = size > left && size != u64::MAX;
                found.data = Some(size.min(left).saturating_sub(4));
            }
            _ => {}
        }
        let whole = found.description.is_some_and(|description| description.bytes_per_packet > 0);
        if found.data.is_some() && (whole || found.table.is_some()) {
            break;
        }
        let Some(next) = body.checked_add(size) else { break };
        offset = next;
    }
    Ok(found)
}

/// Packets, samples that are heard, samples primed and left over.
fn packet_table(chunk: &[u8]) -> Option<[u64; 3]> {
    let heard = be64(chunk, 8).filter(|&samples| samples <= u64::MAX >> 1)?;
    let (primed, left) = (be32(chunk, 16)?, be32(chunk, 20)?);
    Some([heard, primed.into(), left.into()])
}
