//! Tags around the frames of a bare stream: ID3v2 before them; ID3v1, APE and Lyrics3 behind.

use mediaprep_media::Error;

use crate::window::{Window, le32};

/// Tags in a row that are stepped over; real files have one or two.
const MOST_TAGS: usize = 16;

/// Where the ID3v2 tags at the start end; 0 without one. A tag that claims to end behind the file is
/// not stepped over, since its length is wrong.
pub(crate) fn audio_start(window: &mut Window<'_>) -> Result<u64, Error> {
    let mut offset = 0;
    for _ in 0..MOST_TAGS {
        let Some(length) = window.array(offset)?.and_then(id3v2_length) else { break };
        if offset + length > window.length() {
            break;
        }
        offset += length;
    }
    Ok(offset)
}

/// The whole length of the tag whose header this is. The length field holds four times seven bits,
/// whether or not the content is unsynchronised.
fn id3v2_length(header: [u8; 10]) -> Option<u64> {
    if !header.starts_with(b"ID3") || header[3] == 0xff {
        return None;
    }
    let size = header[6..].iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f));
    let footer = if header[5] & 0x10 == 0 { 0 } else { 10 };
    Some(10 + size + footer)
}

/// Where the frames end before the tags at the end, not before `start`.
pub(crate) fn audio_end(window: &mut Window<'_>, start: u64) -> Result<u64, Error> {
    let mut end = window.length();
    for _ in 0..MOST_TAGS {
        let Some(length) = trailing_tag(window, end)? else { break };
        match end.checked_sub(length).filter(|&shorter| shorter >= start && length > 0) {
            Some(shorter) => end = shorter,
            None => break,
        }
    }
    Ok(end)
}

/// The length of the tag that ends at `end`.
fn trailing_tag(window: &mut Window<'_>, end: u64) -> Result<Option<u64>, Error> {
    let from = end.saturating_sub(128);
    let tail = window.at(from, 128)?;
    let tail = &tail[..tail.len().min(usize::try_from(end - from).unwrap_or(128))];
    if tail.len() == 128 && tail.starts_with(b"TAG") {
        return Ok(Some(128));
    }
    let footer = tail.len().checked_sub(32).map(|at| &tail[at..]);
    if let Some(footer) = footer.filter(|footer| footer.starts_with(b"APETAGEX")) {
        let has_header = footer[23] & 0x80 != 0;
        let size = le32(footer, 12).map(u64::from);
        return Ok(size.map(|size| size + if has_header { 32 } else { 0 }));
    }
    let lyrics = tail.len().checked_sub(15).map(|at| &tail[at..]);
    let lyrics = lyrics.filter(|footer| footer.ends_with(b"LYRICS200"));
    let digits = lyrics.and_then(|footer| std::str::from_utf8(&footer[..6]).ok());
    Ok(digits.and_then(|digits| digits.parse::<u64>().ok()).map(|size| size + 15))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn ends(bytes: Vec<u8>) -> (u64, u64) {
        let mut source = Cursor::new(bytes);
        let mut window = Window::new(&mut source, crate::window::AHEAD).unwrap();
        let start = audio_start(&mut window).unwrap();
        (start, audio_end(&mut window, start).unwrap())
    }

    fn id3v1() -> Vec<u8> {
        let mut tag = b"TAG".to_vec();
        tag.resize(128, 0);
        tag
    }

    fn ape(items: u32) -> Vec<u8> {
        let mut tag = vec![0; items as usize];
        tag.extend_from_slice(b"APETAGEX\xd0\x07\0\0");
        tag.extend_from_slice(&(items + 32).to_le_bytes());
        tag.extend_from_slice(&[0; 16]);
        tag
    }

    #[test]
    fn tags_on_both_sides_are_left_out() {
        let mut bytes = b"ID3\x04\0\0\0\0\x01\x00".to_vec();
        bytes.extend_from_slice(&[0; 128]);
        bytes.extend_from_slice(&[0x55; 500]);
        bytes.extend_from_slice(&ape(40));
        bytes.extend_from_slice(&id3v1());
        assert_eq!(ends(bytes), (138, 638));
    }

    #[test]
    fn lyrics_are_left_out() {
        let mut bytes = vec![0x55; 300];
        bytes.extend_from_slice(b"LYRICSBEGIN0000000011LYRICS200");
        let total = bytes.len() as u64;
        assert_eq!(ends(bytes), (0, total - 15 - 11));
    }

    #[test]
    fn a_tag_longer_than_the_file_is_no_tag() {
        assert_eq!(ends(b"ID3\x04\0\0\x7f\x7f\x7f\x7f....".to_vec()), (0, 14));
        assert_eq!(ends(ape(0)[..].to_vec()), (0, 0));
        assert_eq!(ends(Vec::new()), (0, 0));
    }
}
