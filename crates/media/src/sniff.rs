//! Telling a format by its first bytes; a file's name never counts.

use crate::MimeType;

/// How many leading bytes [`sniff`] wants to see; fewer are fine for shorter files.
pub const SNIFF_LENGTH: usize = 4096;

/// The format that the first bytes of a file show, or `None` when they show no known medium.
///
/// A container that may hold video or sound is named by its video type; the tracks decide later.
pub fn sniff(head: &[u8]) -> Option<MimeType> {
    fixed_magic(head)
        .or_else(|| riff(head))
        .or_else(|| iso_base_media(head))
        .or_else(|| ogg(head))
        .or_else(|| matroska(head))
        .or_else(|| mpeg_stream(head))
        .or_else(|| audio_frames(head))
        .or_else(|| searched(head))
}

/// A second, slower look at a file that [`sniff`] does not know: its name says what to look for,
/// its bytes still decide.
///
/// `head` may be longer than [`SNIFF_LENGTH`]. Finds MPEG audio behind junk and PDFs whose header
/// is damaged.
pub fn sniff_by_name(head: &[u8], extension: &str) -> Option<MimeType> {
    match extension.to_ascii_lowercase().as_str() {
        "mp3" => {
            let starts = (0..head.len()).filter(|&at| head[at] == 0xff);
            starts.take(MOST_STARTS).any(|at| is_frame_run(&head[at..])).then_some(MimeType::Mp3)
        }
        "pdf" => contains(head, b" obj").then_some(MimeType::Pdf),
        _ => None,
    }
}

/// Sync bytes tried before giving up; junk that is all sync bytes must not cost quadratic time.
const MOST_STARTS: usize = 4096;

/// Four MPEG audio frames in a row, which junk does not show by chance.
fn is_frame_run(mut head: &[u8]) -> bool {
    for _ in 0..4 {
        let Some(length) = mpeg_audio_frame_length(head) else { return false };
        head = head.get(length..).unwrap_or_default();
    }
    true
}

/// Formats whose first bytes are always the same.
const MAGIC: &[(&[u8], MimeType)] = &[
    (b"\x89PNG\r\n\x1a\n", MimeType::Png),
    (b"\xff\xd8\xff", MimeType::Jpeg),
    (b"GIF87a", MimeType::Gif),
    (b"GIF89a", MimeType::Gif),
    (b"II*\0", MimeType::Tiff),
    (b"MM\0*", MimeType::Tiff),
    (b"II+\0\x08\0", MimeType::Tiff),
    (b"MM\0+\0\x08", MimeType::Tiff),
    (b"\xff\x0a", MimeType::Jxl),
    (b"\0\0\0\x0cJXL \r\n\x87\n", MimeType::Jxl),
    (b"FLV\x01", MimeType::Flv),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c", MimeType::Wmv),
    (b"fLaC", MimeType::Flac),
    (b"#!AMR", MimeType::Amr),
    (b"caff\0\x01", MimeType::Caf),
    (b"%PDF-", MimeType::Pdf),
];

fn fixed_magic(head: &[u8]) -> Option<MimeType> {
    let found = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|&(_, mime)| mime);
    found.or_else(|| bitmap(head))
}

/// `BM` alone is two letters of any text, so the header length behind it must be a known one.
fn bitmap(head: &[u8]) -> Option<MimeType> {
    let header = head.get(14..18)?;
    let known = matches!(header, [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]);
    (head.starts_with(b"BM") && known).then_some(MimeType::Bmp)
}

fn riff(head: &[u8]) -> Option<MimeType> {
    let form = head.get(8..12)?;
    match (&head[..4], form) {
        (b"RIFF", b"WEBP") => Some(MimeType::Webp),
        (b"RIFF" | b"RF64" | b"BW64", b"WAVE") => Some(MimeType::Wav),
        (b"RIFF", b"AVI ") => Some(MimeType::Avi),
        (b"FORM", b"AIFF" | b"AIFC") => Some(MimeType::Aiff),
        _ => None,
    }
}

/// ISO base media files: by brand, or by the boxes that QuickTime files start with.
fn iso_base_media(head: &[u8]) -> Option<MimeType> {
    match head.get(4..8)? {
        b"ftyp" => Some(by_brands(head)),
        b"moov" | b"mdat" | b"wide" | b"pnot" => Some(MimeType::QuickTime),
        b"moof" | b"styp" | b"sidx" => Some(MimeType::Mp4),
        b"free" | b"skip" => starts_with_later_box(head),
        _ => None,
    }
}

fn starts_with_later_box(head: &[u8]) -> Option<MimeType> {
    let size = usize::try_from(u32::from_be_bytes(*head.first_chunk()?)).ok()?;
    if size < 8 {
        return None;
    }
    match head.get(size..).filter(|rest| rest.len() >= 8) {
        Some(rest) => iso_base_media(rest),
        None => Some(MimeType::QuickTime),
    }
}

fn by_brands(head: &[u8]) -> MimeType {
    let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let end = size.clamp(12, 256).min(head.len());
    let major = head.get(8..12).unwrap_or_default();
    let compatible = || head.get(16..end).unwrap_or_default().chunks_exact(4);
    match major {
        b"avif" | b"avis" => return MimeType::Avif,
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => return MimeType::Heic,
        b"mif1" | b"msf1" | b"mif2" => {
            let has = |brands: &[&[u8]]| compatible().any(|brand| brands.contains(&brand));
            return if has(&[b"avif", b"avis"]) {
                MimeType::Avif
            } else if has(&[b"heic", b"heix", b"hevc", b"hevx"]) {
                MimeType::Heic
            } else {
                MimeType::Heif
            };
        }
        b"qt  " => return MimeType::QuickTime,
        b"M4A " | b"M4B " | b"M4P " => return MimeType::Mp4,
        _ => {}
    }
    let third_generation = |brand: &[u8]| brand.starts_with(b"3gp") || brand.starts_with(b"3g2");
    if third_generation(major) { MimeType::ThreeGpp } else { MimeType::Mp4 }
}

/// The first Ogg page holds the first codec's header behind its segment table.
fn ogg(head: &[u8]) -> Option<MimeType> {
    if !head.starts_with(b"OggS") {
        return None;
    }
    let segments = usize::from(*head.get(26)?);
    let body = head.get(27 + segments..).unwrap_or_default();
    Some(if body.starts_with(b"OpusHead") { MimeType::Opus } else { MimeType::Ogg })
}

fn matroska(head: &[u8]) -> Option<MimeType> {
    if !head.starts_with(b"\x1a\x45\xdf\xa3") {
        return None;
    }
    let header = &head[..head.len().min(128)];
    Some(if contains(header, b"webm") { MimeType::Webm } else { MimeType::Matroska })
}

/// Program streams, video elementary streams, and transport streams of 188 or 192 byte packets.
fn mpeg_stream(head: &[u8]) -> Option<MimeType> {
    if head.starts_with(b"\0\0\x01\xba") || head.starts_with(b"\0\0\x01\xb3") {
        return Some(MimeType::Mpeg);
    }
    let synced = |offset: usize, step: usize| {
        let marks = (0..4).map_while(|i| head.get(offset + i * step));
        marks.clone().count() >= 3 && marks.clone().all(|&byte| byte == 0x47)
    };
    (synced(0, 188) || synced(4, 192)).then_some(MimeType::MpegTs)
}

/// MPEG audio, ADTS and header-less FLAC start with a frame or with an ID3 tag; editors that blank
/// a tag or an index frame leave zeros.
fn audio_frames(head: &[u8]) -> Option<MimeType> {
    if head.starts_with(b"ID3") {
        return Some(behind_id3(head).unwrap_or(MimeType::Mp3));
    }
    if is_flac_frame(head) {
        return Some(MimeType::Flac);
    }
    if is_adts(head) {
        return Some(MimeType::Aac);
    }
    let zeros = head.iter().take_while(|&&byte| byte == 0).count();
    is_mpeg_audio(&head[zeros..]).then_some(MimeType::Mp3)
}

/// A FLAC frame header without reserved values, by RFC 9639, section 9.1.
fn is_flac_frame(head: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = head.first_chunk::<4>() else { return false };
    let synced = a == 0xff && b & 0xfe == 0xf8;
    let sized = c >> 4 != 0 && c & 0x0f != 0x0f;
    let shaped = d >> 4 < 11 && (d >> 1) & 7 != 3 && d & 1 == 0;
    synced && sized && shaped && flac_header_length(head).is_some_and(|end| crc8(&head[..end]) == 0)
}

/// The frame header's length with its CRC, from the coded number and the two optional fields.
fn flac_header_length(head: &[u8]) -> Option<usize> {
    let number = match head.get(4)?.leading_ones() {
        0 => 1,
        ones @ 2..=7 => ones as usize,
        _ => return None,
    };
    let block = match head[2] >> 4 {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rate = match head[2] & 0x0f {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    let length = 4 + number + block + rate + 1;
    (length <= head.len()).then_some(length)
}

/// CRC-8 with polynomial x^8 + x^2 + x + 1; zero over a header that ends with its own CRC.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 7 })
    })
}

/// The format behind an ID3 tag where the tag ends within `head`.
fn behind_id3(head: &[u8]) -> Option<MimeType> {
    let length = id3_length(head)?;
    let rest = head.get(length..)?;
    if rest.starts_with(b"fLaC") {
        Some(MimeType::Flac)
    } else if is_adts(rest) {
        Some(MimeType::Aac)
    } else {
        None
    }
}

/// The whole length of the ID3v2 tag at the start of `head`, its header and footer included.
pub(crate) fn id3_length(head: &[u8]) -> Option<usize> {
    let header = head.get(..10).filter(|header| header.starts_with(b"ID3"))?;
    let size = header[6..10].iter().fold(0, |size, &byte| size << 7 | usize::from(byte & 0x7f));
    let footer = if header[5] & 0x10 == 0 { 0 } else { 10 };
    Some(10 + size + footer)
}

/// An ADTS sync word with layer 0, a known rate, and a second one where the first frame ends.
fn is_adts(head: &[u8]) -> bool {
    let Some(&[a, b, c, d, e, f, _]) = head.first_chunk::<7>() else { return false };
    let synced = |a: u8, b: u8| a == 0xff && b & 0xf6 == 0xf0;
    let known_rate = (c >> 2) & 0x0f < 13;
    let length = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
    let next_agrees = match head.get(length..length + 2) {
        Some(next) => synced(next[0], next[1]),
        None => true,
    };
    synced(a, b) && known_rate && length >= 7 && next_agrees
}

/// An MPEG audio header with no reserved value, and a second one where the first frame ends.
fn is_mpeg_audio(head: &[u8]) -> bool {
    let Some(length) = mpeg_audio_frame_length(head) else { return false };
    match head.get(length..) {
        Some(next) if next.len() >= 4 => mpeg_audio_frame_length(next).is_some(),
        _ => head.len() < SNIFF_LENGTH,
    }
}

/// The length in bytes of the MPEG audio frame whose header starts `head`.
fn mpeg_audio_frame_length(head: &[u8]) -> Option<usize> {
    let &[a, b, c, _] = head.first_chunk::<4>()?;
    let (version, layer) = ((b >> 3) & 3, (b >> 1) & 3);
    let (bitrate, rate) = (usize::from(c >> 4), usize::from((c >> 2) & 3));
    if a != 0xff || b & 0xe0 != 0xe0 || version == 1 || layer == 0 || rate == 3 {
        return None;
    }
    let kilobits = bit_rate(version, layer, bitrate)?;
    let hertz = [44_100, 48_000, 32_000][rate] >> [2, 0, 1, 0][usize::from(version)];
    let padding = usize::from((c >> 1) & 1);
    Some(match layer {
        3 => (12_000 * kilobits / hertz + padding) * 4,
        1 if version != 3 => 72_000 * kilobits / hertz + padding,
        _ => 144_000 * kilobits / hertz + padding,
    })
}

/// ISO/IEC 11172-3 and 13818-3 bit rates in kbit/s; free format (index 0) is not recognised.
fn bit_rate(version: u8, layer: u8, index: usize) -> Option<usize> {
    const V1_L1: [usize; 14] = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
    const V1_L2: [usize; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
    const V1_L3: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2_L1: [usize; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
    const V2_L23: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let table = match (version, layer) {
        (3, 3) => V1_L1,
        (3, 2) => V1_L2,
        (3, _) => V1_L3,
        (_, 3) => V2_L1,
        _ => V2_L23,
    };
    table.get(index.checked_sub(1)?).copied()
}

/// Formats that real files start with junk or a prologue: PDF within its first kilobyte, and SVG
/// behind an XML declaration or comment.
fn searched(head: &[u8]) -> Option<MimeType> {
    if contains(&head[..head.len().min(1024 + 5)], b"%PDF-") {
        return Some(MimeType::Pdf);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let is_markup = text.starts_with(b"<?xml") || text.starts_with(b"<!--") || svg_root(text);
    (is_markup && (svg_root(text) || contains(text, b"<svg"))).then_some(MimeType::Svg)
}

fn svg_root(text: &[u8]) -> bool {
    text.starts_with(b"<svg") || text.starts_with(b"<!DOCTYPE svg")
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_that_looks_like_a_bitmap_is_none() {
        assert_eq!(sniff(b"BMW cars are listed here, all of them"), None);
        let mut bmp = *b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0";
        assert_eq!(sniff(&bmp), Some(MimeType::Bmp));
        bmp[14] = 41;
        assert_eq!(sniff(&bmp), None);
    }

    #[test]
    fn brands_tell_still_pictures_from_films() {
        let ftyp = |major: &[u8; 4], compatible: &[u8; 4]| {
            let mut bytes = vec![0, 0, 0, 20];
            bytes.extend_from_slice(b"ftyp");
            bytes.extend_from_slice(major);
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(compatible);
            sniff(&bytes)
        };
        assert_eq!(ftyp(b"mif1", b"heic"), Some(MimeType::Heic));
        assert_eq!(ftyp(b"mif1", b"avif"), Some(MimeType::Avif));
        assert_eq!(ftyp(b"mif1", b"mif1"), Some(MimeType::Heif));
        assert_eq!(ftyp(b"qt  ", b"qt  "), Some(MimeType::QuickTime));
        assert_eq!(ftyp(b"3gp4", b"isom"), Some(MimeType::ThreeGpp));
        assert_eq!(ftyp(b"isom", b"mp42"), Some(MimeType::Mp4));
    }

    #[test]
    fn a_second_frame_is_wanted_where_it_should_be() {
        let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
        frame.resize(417, 0);
        let mut twice = frame.clone();
        twice.extend_from_slice(&frame);
        assert_eq!(sniff(&twice), Some(MimeType::Mp3));
        twice[417] = 0;
        assert_eq!(sniff(&twice), None);
    }

    #[test]
    fn frames_are_found_behind_junk_by_name_only() {
        let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
        frame.resize(417, 1);
        let mut junk = b"junk\xff\xfb".repeat(1000);
        junk.extend(frame.repeat(5));
        assert_eq!(sniff(&junk), None);
        assert_eq!(sniff_by_name(&junk, "MP3"), Some(MimeType::Mp3));
        assert_eq!(sniff_by_name(&junk, "txt"), None);
        assert_eq!(sniff_by_name(b"1 0 obj", "pdf"), Some(MimeType::Pdf));
        assert_eq!(sniff_by_name(b"hello", "pdf"), None);
    }

    #[test]
    fn blanked_index_frames_and_bare_flac_frames_are_known() {
        let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
        frame.resize(417, 1);
        assert_eq!(sniff(&[vec![0; 192], frame.repeat(2)].concat()), Some(MimeType::Mp3));
        let header = [0xff, 0xf8, 0xc9, 0x08, 0x00, 0x00];
        let crc = crc8(&header[..5]);
        assert_eq!(sniff(&[&header[..5], &[crc]].concat()), Some(MimeType::Flac));
        assert_eq!(sniff(&[&header[..5], &[crc ^ 1]].concat()), None);
    }

    #[test]
    fn a_pdf_may_start_with_junk() {
        assert_eq!(sniff(b"HTTP/1.1 200 OK\r\n\r\n%PDF-1.7"), Some(MimeType::Pdf));
        assert_eq!(sniff(b"<?xml version='1.0'?><svg/>"), Some(MimeType::Svg));
        assert_eq!(sniff(b"<?xml version='1.0'?><html/>"), None);
    }

    #[test]
    fn nothing_and_text_are_none() {
        assert_eq!(sniff(b""), None);
        assert_eq!(sniff(b"{\"hello\": 1}"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_sniffed_without_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..600), magic in 0..MAGIC.len(),
        ) {
            let _ = sniff(&bytes);
            let mut with_magic = MAGIC[magic].0.to_vec();
            with_magic.extend_from_slice(&bytes);
            prop_assert!(sniff(&with_magic).is_some());
        }
    }
}
