//! The marker segments of a JPEG file in memory, its colour profile and its end. ITU-T T.81,
//! annex B; ICC.1:2022, annex B.4.

#[cfg(feature = "turbo")]
mod tidy;

#[cfg(feature = "turbo")]
pub(crate) use tidy::{lacks_end_only, tidied};

/// Bytes that may stand where a marker is expected, as in the header probe.
const MAX_STRAY_BYTES: usize = 64 << 10;
/// Segments before the first scan, as in the header probe.
const MAX_SEGMENTS: usize = 1_000;

const SOS: u8 = 0xda;
const EOI: u8 = 0xd9;
const APP2: u8 = 0xe2;

const ICC_NAME: &[u8] = b"ICC_PROFILE\0";

/// One marker segment before the picture data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// The marker's second byte.
    pub(crate) code: u8,
    /// What follows the length field.
    pub(crate) body: &'a [u8],
    /// The whole, marker and length included.
    #[cfg(feature = "turbo")]
    pub(crate) bytes: &'a [u8],
    /// Where it ends in the file.
    pub(crate) end: usize,
}

impl Segment<'_> {
    /// Whether it carries a piece of a colour profile.
    pub(crate) fn is_profile(&self) -> bool {
        self.code == APP2 && self.body.starts_with(ICC_NAME) && self.body.len() >= 14
    }
}

/// The segments up to and with the first scan header, stray bytes between them left out. Ends
/// early where the file does.
pub(crate) fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = 2;
    let mut is_done = !bytes.starts_with(&[0xff, 0xd8]);
    std::iter::from_fn(move || {
        let segment = if is_done { None } else { segment(bytes, at) };
        is_done = segment.is_none_or(|segment| segment.code == SOS);
        at = segment.map_or(at, |segment| segment.end);
        segment
    })
    .take(MAX_SEGMENTS)
}

fn segment(bytes: &[u8], from: usize) -> Option<Segment<'_>> {
    let mut at = from;
    let code = loop {
        let &[first, second] = bytes.get(at..)?.first_chunk()?;
        if first != 0xff || matches!(second, 0x00 | 0xff) {
            at += 1;
        } else if matches!(second, 0x01 | 0xd0..=0xd8) {
            at += 2;
        } else {
            break second;
        }
        if at - from > MAX_STRAY_BYTES {
            return None;
        }
    };
    let &length = bytes.get(at + 2..)?.first_chunk()?;
    let end = at + 2 + usize::from(u16::from_be_bytes(length));
    let body = bytes.get(at + 4..end)?;
    (code != EOI).then_some(Segment {
        code,
        body,
        #[cfg(feature = "turbo")]
        bytes: &bytes[at..end],
        end,
    })
}

/// The colour profile, put together from its pieces by number. With pieces missing it is what is
/// there, which no reader of profiles takes.
pub(crate) fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut pieces: Vec<&[u8]> = segments(bytes)
        .filter(Segment::is_profile)
        .filter_map(|segment| segment.body.get(ICC_NAME.len()..))
        .collect();
    if pieces.is_empty() {
        return None;
    }
    // Each piece starts with its number and their count.
    pieces.sort_by_key(|piece| piece[0]);
    let is_whole = (1..=pieces.len()).eq(pieces.iter().map(|piece| usize::from(piece[0])))
        && pieces.iter().all(|piece| usize::from(piece[1]) == pieces.len());
    Some(if is_whole {
        pieces.iter().flat_map(|piece| &piece[2..]).copied().collect()
    } else {
        Vec::new()
    })
}

/// Whether the end marker stands somewhere behind the first scan header.
pub(crate) fn has_end(bytes: &[u8]) -> bool {
    let Some(scan) = segments(bytes).last().filter(|last| last.code == SOS) else { return false };
    let data = bytes.get(scan.end..).unwrap_or_default();
    memchr::memmem::find(data, &[0xff, EOI]).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A segment with its marker and length.
    fn marked(code: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        [&[0xff, code][..], &length, body].concat()
    }

    fn piece(number: u8, count: u8, data: &[u8]) -> Vec<u8> {
        marked(APP2, &[ICC_NAME, &[number, count], data].concat())
    }

    const START: &[u8] = &[0xff, 0xd8];

    #[test]
    fn a_profile_is_put_together_by_number() {
        let scan = marked(SOS, &[1, 1, 0, 0, 63, 0]);
        let file = |pieces: &[Vec<u8>]| [START, &pieces.concat(), &scan, b"\xff\xd9"].concat();
        assert_eq!(profile(&file(&[piece(2, 2, b"cd"), piece(1, 2, b"ab")])).unwrap(), b"abcd");
        assert_eq!(profile(&file(&[piece(1, 2, b"ab")])).unwrap(), b"");
        assert_eq!(profile(&file(&[piece(1, 2, b"ab"), piece(1, 2, b"ab")])).unwrap(), b"");
        assert_eq!(profile(&file(&[])), None);
    }

    #[test]
    fn the_end_is_looked_for_behind_the_scan_header() {
        let thumbnail = marked(0xe1, b"Exif\0\0\xff\xd9");
        let scan = marked(SOS, &[1, 1, 0, 0, 63, 0]);
        let open = [START, &thumbnail, &scan, b"da\xff\0ta\xff\xd3"].concat();
        assert!(!has_end(&open));
        assert!(has_end(&[&open[..], b"\xff\xd9"].concat()));
    }
}
