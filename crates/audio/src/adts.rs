//! AAC in ADTS frames. Nothing states a length: the frames are counted.

use mediaprep_media::{Error, Limits, Sourced};

use crate::frames::{Frame, Framing};
use crate::info::{AudioInfo, Found, INTERRUPTED, damaged, estimated, seconds};
use crate::tags;
use crate::window::Window;

const NAME: &str = "ADTS";

/// ISO/IEC 14496-3, sampling frequency index.
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
    7350,
];

/// Samples per channel of one raw data block.
const BLOCK: u32 = 1024;

const FRAMING: Framing = Framing { parse: frame, longest: 0x1fff };

/// Reads a frame header of 7 bytes, or of 9 with a checksum.
fn frame(bytes: &[u8]) -> Option<Frame> {
    let &[a, b, c, d, e, f, g] = bytes.first_chunk()?;
    let index = c >> 2 & 15;
    let length = u32::from(d & 3) << 11 | u32::from(e) << 3 | u32::from(f >> 5);
    let header = if b & 1 == 0 { 9 } else { 7 };
    let known = usize::from(index) < RATES.len();
    if a != 0xff || b & 0xf6 != 0xf0 || !known || length < header {
        return None;
    }
    let samples = BLOCK * (u32::from(g & 3) + 1);
    Some(Frame { length, samples, stream: u32::from(index), rate: length })
}

/// Channels by configuration; 0 means that the frames themselves describe them.
const fn channels(configuration: u8) -> u16 {
    match configuration {
        7 => 8,
        count => count as u16,
    }
}

/// The facts of a bare stream.
pub(crate) fn probe(window: &mut Window<'_>, limits: &Limits) -> Result<Found, Error> {
    let start = tags::audio_start(window)?;
    let end = tags::audio_end(window, start)?;
    let missing = Error::malformed(NAME, start, "no two frames in a row were found");
    let (at, first) = FRAMING.first(window, start, end)?.ok_or(missing)?;
    let header = window.array::<4>(at)?.unwrap_or_default();
    let rate = RATES[first.stream as usize];
    let info = AudioInfo::new("aac", rate, channels((header[2] & 1) << 2 | header[3] >> 6));
    let tally = FRAMING.tally(window, (at, end), limits)?;
    let mut warnings = Vec::new();
    if tally.damaged {
        warnings.push(damaged(INTERRUPTED));
    }
    if tally.estimated {
        warnings.push(estimated("the length is worked out from a part of the frames"));
    }
    Ok(Found { value: info.lasting(Sourced::scan(seconds(tally.samples, rate))), warnings })
}
