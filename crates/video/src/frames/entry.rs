//! Whether decoding may begin at a packet that its container calls a keyframe.

use ffmpeg_next::codec::Id;

/// H.264: a coded slice of an instantaneous refresh.
const IDR: u8 = 5;
/// H.264: supplemental information.
const SEI: u8 = 6;
/// The kind of supplemental information that announces a recovery point.
const RECOVERY_POINT: u8 = 6;

/// Whether a decoder that begins here gives exact pictures at once.
///
/// Only H.264 needs a look: a recovery point that is reached some frames later (periodic intra
/// refresh) is called a keyframe too, and pictures before that point depend on ones before this
/// packet. One that is reached at once, as in open groups of pictures, is as good as a refresh.
pub(super) fn is_entry(codec: Id, packet: &[u8]) -> bool {
    if codec != Id::H264 {
        return true;
    }
    for unit in units(packet) {
        match unit.first().map(|header| header & 0x1F) {
            Some(IDR) => return true,
            Some(SEI) => {
                if let Some(at_once) = recovers_at_once(&unit[1..]) {
                    return at_once;
                }
            }
            _ => {}
        }
    }
    true
}

/// Whether the recovery point among the messages is this very picture; `None` without one.
fn recovers_at_once(mut messages: &[u8]) -> Option<bool> {
    while messages.len() > 2 {
        let (kind, rest) = number(messages)?;
        let (size, rest) = number(rest)?;
        if kind == usize::from(RECOVERY_POINT) {
            // The count of frames is an Exp-Golomb number, and 0 is the one that begins with a 1.
            return rest.first().map(|byte| byte & 0x80 != 0);
        }
        messages = rest.get(size..)?;
    }
    None
}

/// A number in SEI's coding: bytes of 255 and a last one are added up.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let full = bytes.iter().take_while(|byte| **byte == 255).count();
    let last = *bytes.get(full)?;
    Some((full * 255 + usize::from(last), &bytes[full + 1..]))
}

/// The units of a packet, whether their lengths are in front of them or start codes between them.
fn units(packet: &[u8]) -> Vec<&[u8]> {
    by_length(packet).unwrap_or_else(|| by_start_code(packet))
}

fn by_length(mut packet: &[u8]) -> Option<Vec<&[u8]>> {
    let mut units = Vec::new();
    while !packet.is_empty() {
        let (length, rest) = packet.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        units.push(rest.get(..length)?);
        packet = &rest[length..];
    }
    Some(units)
}

fn by_start_code(packet: &[u8]) -> Vec<&[u8]> {
    let starts = packet.windows(3).enumerate().filter(|(_, code)| *code == [0, 0, 1]);
    let starts: Vec<usize> = starts.map(|(at, _)| at + 3).collect();
    let ends = starts.iter().skip(1).map(|start| start - 3).chain([packet.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &packet[start..end.max(start)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_lengths(units: &[&[u8]]) -> Vec<u8> {
        let one = |unit: &&[u8]| {
            let length = u32::try_from(unit.len()).unwrap().to_be_bytes();
            [&length[..], *unit].concat()
        };
        units.iter().flat_map(one).collect()
    }

    fn with_codes(units: &[&[u8]]) -> Vec<u8> {
        units.iter().flat_map(|unit| [&[0, 0, 0, 1][..], *unit].concat()).collect()
    }

    #[test]
    fn a_late_recovery_point_is_no_entry() {
        let refresh: &[u8] = &[0x65, 0x88, 0x84];
        let slice: &[u8] = &[0x41, 0x9A, 0x00];
        let text: &[u8] = &[0x06, 5, 2, 1, 2, 0x80];
        let at_once: &[u8] = &[0x06, 6, 1, 0xC4, 0x80];
        let late: &[u8] = &[0x06, 1, 2, 9, 9, 6, 1, 0x1A, 0x80];
        for wrap in [with_lengths, with_codes] {
            assert!(is_entry(Id::H264, &wrap(&[text, refresh])));
            assert!(is_entry(Id::H264, &wrap(&[at_once, slice])));
            assert!(!is_entry(Id::H264, &wrap(&[text, late, slice])));
            assert!(is_entry(Id::H264, &wrap(&[slice])));
            assert!(is_entry(Id::HEVC, &wrap(&[late, slice])));
        }
        for length in 0..12 {
            is_entry(Id::H264, &with_lengths(&[late, slice])[..length]);
        }
    }
}
