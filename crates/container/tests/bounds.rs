//! What a probe reads, and what hostile numbers do to it.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use mediaprep_container::{Error, probe};
use mediaprep_media::{Limits, MeteredSource, MimeType, SNIFF_LENGTH};
use proptest::prelude::*;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/video");
    fs::read(folder.join(name)).unwrap()
}

/// A file whose middle is a hole of zeros that takes no memory.
struct Sparse {
    head: Vec<u8>,
    hole: u64,
    tail: Vec<u8>,
    at: u64,
}

impl Sparse {
    fn length(&self) -> u64 {
        self.head.len() as u64 + self.hole + self.tail.len() as u64
    }

    fn byte(&self, at: u64) -> Option<u8> {
        let head = self.head.len() as u64;
        match at.checked_sub(head) {
            None => self.head.get(usize::try_from(at).ok()?).copied(),
            Some(at) if at < self.hole => Some(0),
            Some(at) => self.tail.get(usize::try_from(at - self.hole).ok()?).copied(),
        }
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        for slot in buffer {
            let Some(byte) = self.byte(self.at) else { break };
            *slot = byte;
            self.at += 1;
            count += 1;
        }
        Ok(count)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The fixture with its index last, its media data blown up to `hole` more bytes.
fn blown_up(hole: u64) -> Sparse {
    let bytes = fixture("h264-aac-moov-last.mp4");
    let place = |kind: &[u8; 4]| bytes.windows(4).position(|four| four == kind).unwrap() - 4;
    let (data, index) = (place(b"mdat"), place(b"moov"));
    let size = u64::from(u32::from_be_bytes(*bytes[data..].first_chunk().unwrap()));
    let mut head = bytes[..data].to_vec();
    head.extend_from_slice(b"\0\0\0\x01mdat");
    head.extend_from_slice(&(size + 8 + hole).to_be_bytes());
    head.extend_from_slice(&bytes[data + 8..index]);
    Sparse { head, hole, tail: bytes[index..].to_vec(), at: 0 }
}

#[test]
fn an_index_at_the_end_of_a_gigabyte_is_found_without_reading_it() {
    let sparse = blown_up(1 << 30);
    let length = sparse.length();
    let mut source = MeteredSource::new(sparse, length, SNIFF_LENGTH, 1 << 20).unwrap();
    let info = probe(&mut source, MimeType::Mp4, &Limits::default()).unwrap().value;
    assert_eq!(info.tracks.len(), 2);
    let read = source.bytes_read();
    assert!(read < 16 * 1024, "{read} bytes of {length} were read");
}

#[test]
fn a_live_file_without_length_is_read_at_both_ends() {
    // Two seconds of live stream, two megabytes of it padding that no header steps over at once.
    let bytes = fixture("live.mkv");
    let cluster = bytes.windows(4).position(|four| four == [0x1f, 0x43, 0xb6, 0x75]).unwrap();
    let mut head = bytes[..cluster].to_vec();
    // A void element of a known size.
    head.extend_from_slice(&[0xec, 0x08, 0, 0, 0, 0, 0x20, 0, 0]);
    let void_size = 0x20_0000u64;
    head[cluster + 1..cluster + 9].copy_from_slice(&(1 << 56 | void_size).to_be_bytes());
    let sparse = Sparse { head, hole: void_size, tail: bytes[cluster..].to_vec(), at: 0 };
    let length = sparse.length();
    let mut source = MeteredSource::new(sparse, length, SNIFF_LENGTH, 1 << 24).unwrap();
    let info = probe(&mut source, MimeType::Matroska, &Limits::default()).unwrap().value;
    let seconds = info.duration.unwrap().value.as_seconds_f64();
    assert!((seconds - 2.043).abs() < 0.05, "{seconds}");
    let read = source.bytes_read();
    assert!(read < 200 * 1024, "{read} bytes of {length} were read");
}

#[test]
fn a_limit_of_the_source_is_reported_as_such() {
    let bytes = fixture("h264-aac-moov-last.mp4");
    let length = bytes.len() as u64;
    let mut source = MeteredSource::new(Cursor::new(bytes), length, 16, 20).unwrap();
    let error = probe(&mut source, MimeType::Mp4, &Limits::default()).unwrap_err();
    assert!(matches!(error, Error::Limit(_)), "{error:?}");
}

#[test]
fn too_long_and_too_large_are_refused() {
    let mut limits = Limits::default();
    limits.max_seconds = 1;
    let file = fixture("h264-aac-faststart.mp4");
    let error = probe(&mut Cursor::new(&file), MimeType::Mp4, &limits).unwrap_err();
    assert_eq!(error.to_string(), "duration in seconds of 2 is above the limit of 1");
    let mut limits = Limits::default();
    limits.max_pixels = 100;
    let error = probe(&mut Cursor::new(&file), MimeType::Mp4, &limits).unwrap_err();
    assert!(matches!(error, Error::Limit(_)), "{error:?}");
}

#[test]
fn a_picture_is_no_container() {
    let error = probe(&mut Cursor::new(b"GIF89a"), MimeType::Gif, &Limits::default()).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
}

#[cfg(feature = "ffmpeg")]
#[test]
fn a_playlist_under_another_name_opens_nothing() {
    let lists = [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "<?xml version=\"1.0\"?><MPD><Period><BaseURL>file:///etc/passwd</BaseURL></Period></MPD>",
    ];
    for list in lists {
        for mime in FORMATS.into_iter().skip(2) {
            let found = probe(&mut Cursor::new(list), mime, &Limits::default());
            assert!(matches!(found, Err(Error::Malformed { .. })), "{mime}: {found:?}");
        }
    }
}

#[cfg(feature = "ffmpeg")]
#[test]
fn a_long_transport_stream_is_read_at_its_ends() {
    let bytes = fixture("mpeg2-mp2.ts").repeat(1000);
    let length = bytes.len() as u64;
    let mut source = MeteredSource::new(Cursor::new(bytes), length, SNIFF_LENGTH, 1 << 30).unwrap();
    let info = probe(&mut source, MimeType::MpegTs, &Limits::default()).unwrap().value;
    assert_eq!(info.video_tracks().count(), 1);
    let read = source.bytes_read();
    assert!(read < 6 << 20, "{read} bytes of {length} were read");
}

/// A box with the given body.
fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(8 + body.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn a_compressed_index_is_named() {
    let file = boxed(b"moov", &boxed(b"cmov", &[0; 20]));
    let error = probe(&mut Cursor::new(file), MimeType::QuickTime, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "a compressed QuickTime movie header is not supported");
}

const FORMATS: [MimeType; 7] = [
    MimeType::Mp4,
    MimeType::Matroska,
    MimeType::Avi,
    MimeType::Flv,
    MimeType::Mpeg,
    MimeType::MpegTs,
    MimeType::Wmv,
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_give_an_error_or_a_result(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), format in 0..FORMATS.len(),
    ) {
        let _ = probe(&mut Cursor::new(bytes), FORMATS[format], &Limits::default());
    }

    #[test]
    fn any_numbers_in_an_index_give_an_error_or_a_result(
        at in 0usize..4000, values in proptest::collection::vec(any::<u8>(), 1..12),
        name in prop::sample::select(vec![
            "b-frames.mp4", "fragmented.mp4", "aac-priming.m4a", "live.mkv", "vp9-opus.webm",
        ]),
    ) {
        let mut bytes = fixture(name);
        let end = (at + values.len()).min(bytes.len());
        let at = at.min(end);
        bytes[at..end].copy_from_slice(&values[..end - at]);
        let mime = if name.ends_with("4") || name.ends_with("4a") { MimeType::Mp4 } else { MimeType::Webm };
        let _ = probe(&mut Cursor::new(bytes), mime, &Limits::default());
    }
}
