//! Adaptive multi-rate speech, narrow and wide band. Nothing states a length: the frames of 20 ms
//! are counted.

use mediaprep_media::{Error, Limits, Sourced};

use crate::frames::{Frame, Framing, Parse};
use crate::info::{AudioInfo, Found, INTERRUPTED, damaged, estimated, seconds};
use crate::window::Window;

const NAME: &str = "AMR";

/// Bytes of a frame by its type, header included (RFC 4867, section 5.3); 0 is reserved.
const NARROW: [u8; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1];
const WIDE: [u8; 16] = [18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1];

fn frame(bytes: &[u8], lengths: [u8; 16], samples: u32) -> Option<Frame> {
    let first = *bytes.first()?;
    let length = u32::from(lengths[usize::from(first >> 3 & 15)]);
    (first & 0x83 == 0 && length > 0).then_some(Frame { length, samples, stream: 0, rate: length })
}

/// The facts of a file with one channel.
pub(crate) fn probe(window: &mut Window<'_>, limits: &Limits) -> Result<Found, Error> {
    let head = window.at(0, 16)?;
    let (codec, rate, start, parse): (_, _, _, Parse) = if head.starts_with(b"#!AMR\n") {
        ("amr_nb", 8000, 6, |bytes| frame(bytes, NARROW, 160))
    } else if head.starts_with(b"#!AMR-WB\n") {
        ("amr_wb", 16_000, 9, |bytes| frame(bytes, WIDE, 320))
    } else if head.starts_with(b"#!AMR") {
        return Err(Error::Unsupported("AMR with several channels"));
    } else {
        return Err(Error::malformed(NAME, 0, "no marker"));
    };
    let framing = Framing { parse, longest: 61 };
    let end = window.length();
    let tally = framing.tally(window, (start, end), limits)?;
    if tally.frames == 0 && end > start {
        return Err(Error::malformed(NAME, start, "no frame behind the marker"));
    }
    let mut warnings = Vec::new();
    if tally.damaged {
        warnings.push(damaged(INTERRUPTED));
    }
    if tally.estimated {
        warnings.push(estimated("the length is worked out from a part of the frames"));
    }
    let info = AudioInfo::new(codec, rate, 1);
    Ok(Found { value: info.lasting(Sourced::scan(seconds(tally.samples, rate))), warnings })
}
