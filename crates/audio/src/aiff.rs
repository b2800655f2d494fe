//! AIFF and AIFF-C.

use mediaprep_media::{Error, Sourced};

use crate::info::{AudioInfo, Found, damaged};
use crate::rate::Rate;
use crate::window::{Window, be16, be32};

const NAME: &str = "AIFF";

/// Chunks that are stepped over; real files have fewer than 20.
const MOST_CHUNKS: usize = 4096;

/// The `COMM` chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Common {
    channels: u16,
    /// Samples per channel, or packets of a packed format.
    frames: u32,
    bits: u16,
    rate: Rate,
    compression: [u8; 4],
}

impl Common {
    fn parse(chunk: &[u8]) -> Option<Self> {
        Some(Self {
            channels: be16(chunk, 0).filter(|&count| count > 0)?,
            frames: be32(chunk, 2)?,
            bits: be16(chunk, 6)?,
            rate: Rate::from_extended(*chunk.get(8..)?.first_chunk()?)?,
            compression: chunk
                .get(18..)
                .and_then(|rest| rest.first_chunk())
                .copied()
                .unwrap_or(*b"NONE"),
        })
    }

    fn codec(self) -> &'static str {
        match (&self.compression, self.bits) {
            (b"NONE" | b"twos", ..=8) => "pcm_s8",
            (b"NONE" | b"twos", ..=16) => "pcm_s16be",
            (b"NONE" | b"twos" | b"in24", ..=24) => "pcm_s24be",
            (b"NONE" | b"twos" | b"in32", _) => "pcm_s32be",
            (b"sowt", ..=16) => "pcm_s16le",
            (b"sowt", _) => "pcm_s24le",
            (b"raw ", _) => "pcm_u8",
            (b"fl32" | b"FL32", _) => "pcm_f32be",
            (b"fl64" | b"FL64", _) => "pcm_f64be",
            (b"alaw" | b"ALAW", _) => "pcm_alaw",
            (b"ulaw" | b"ULAW", _) => "pcm_mulaw",
            (b"ima4", _) => "adpcm_ima_qt",
            (b"GSM ", _) => "gsm",
            (b"MAC3", _) => "mace3",
            (b"MAC6", _) => "mace6",
            _ => "unknown",
        }
    }

    /// Bytes and samples per channel of one frame or packet of all channels, where they are fixed.
    fn packet(self) -> (Option<u64>, u64) {
        let channels = u64::from(self.channels);
        match &self.compression {
            b"ima4" => (Some(34 * channels), 64),
            b"alaw" | b"ALAW" | b"ulaw" | b"ULAW" | b"raw " => (Some(channels), 1),
            b"fl32" | b"FL32" | b"in32" => (Some(4 * channels), 1),
            b"fl64" | b"FL64" => (Some(8 * channels), 1),
            b"in24" => (Some(3 * channels), 1),
            b"NONE" | b"twos" | b"sowt" => (Some(u64::from(self.bits.div_ceil(8)) * channels), 1),
            b"MAC3" | b"MAC6" => (None, 6),
            _ => (None, 1),
        }
    }
}

/// The facts of an AIFF file.
pub(crate) fn probe(window: &mut Window<'_>) -> Result<Found, Error> {
    if !matches!(window.at(8, 4)?, b"AIFF" | b"AIFC") {
        return Err(Error::malformed(NAME, 8, "no AIFF form"));
    }
    let (common, sound) = chunks(window)?;
    let common = common.ok_or(Error::malformed(NAME, 12, "no usable COMM chunk"))?;
    let (bytes, per_packet) = common.packet();
    let held = bytes.zip(sound).and_then(|(bytes, sound)| sound.checked_div(bytes));
    let stated = u64::from(common.frames);
    let packets = held.map_or(stated, |held| held.min(stated));
    if sound.is_none() && stated > 0 {
        return Err(Error::malformed(NAME, 12, "no SSND chunk"));
    }
    let info = AudioInfo::new(common.codec(), common.rate.rounded(), common.channels);
    let length = Sourced::header(common.rate.lasting(packets * per_packet));
    let mut found = Found::plain(info.lasting(length));
    if packets < stated {
        found.warnings.push(damaged("the sound ends before its stated length"));
    }
    Ok(found)
}

/// The `COMM` chunk, and how many bytes of sound the file holds.
fn chunks(window: &mut Window<'_>) -> Result<(Option<Common>, Option<u64>), Error> {
    let (mut common, mut sound) = (None, None);
    let mut offset = 12u64;
    for _ in 0..MOST_CHUNKS {
        let Some(header) = window.array::<8>(offset)? else { break };
        let (size, body) = (be32(&header, 4).map_or(0, u64::from), offset + 8);
        match &header[..4] {
            b"COMM" => {
                let length = usize::try_from(size).unwrap_or(22).min(22);
                common = Common::parse(window.at(body, length)?);
            }
            b"SSND" => {
                // Offset and block size stand before the samples.
                let held = size.min(window.length().saturating_sub(body)).saturating_sub(8);
                sound = Some(held);
            }
            _ => {}
        }
        if common.is_some() && sound.is_some() {
            break;
        }
        offset = body + size + (size & 1);
    }
    Ok((common, sound))
}
