//! JPEG: the marker segments up to the first scan. ITU-T T.81, annex B; Exif 3.0, section 4.7.

use mediaprep_media::{Error, Limits, Orientation, Warned, Warning, WarningCode};

use crate::reader::Reader;
use crate::tiff::exif_orientation;
use crate::{ImageInfo, JpegCoding, size};

/// Bytes that may stand where a marker is expected; decoders skip such stray bytes.
const MAX_STRAY_BYTES: u64 = 64 << 10;
/// Segments before the first scan; the metadata of real files fills a few hundred at most.
const MAX_SEGMENTS: usize = 1_000;

const CUT: &str = "the file ends before the picture's first scan";

/// The facts of a JPEG file.
pub(crate) fn probe(reader: &mut Reader<'_>, limits: &Limits) -> Result<Warned<ImageInfo>, Error> {
    if reader.peek(0, 2)? != b"\xff\xd8" {
        return Err(reader.malformed(0, "no start of image"));
    }
    let mut header = Header::default();
    let mut at = 2;
    for _ in 0..MAX_SEGMENTS {
        let marker = next_marker(reader, at)?;
        at = marker.end;
        if marker.stands_alone() {
            continue;
        }
        let end = segment_end(reader, at)?;
        if marker.code == SOS {
            header.first_scan(reader, at)?;
            return finish(reader, limits, header, end);
        }
        header.take(reader, marker.code, at, end)?;
        at = end;
    }
    Err(reader.malformed(at, "no scan among the first 1000 segments"))
}

const SOS: u8 = 0xda;
const EOI: u8 = 0xd9;
const APP1: u8 = 0xe1;

/// What is known when the first scan starts.
#[derive(Default)]
struct Header {
    frame: Option<Frame>,
    exif: Option<Orientation>,
    exif_damaged: bool,
}

/// A frame header: SOF of any process.
struct Frame {
    at: u64,
    precision: u8,
    height: u16,
    width: u16,
    coding: JpegCoding,
}

struct Marker {
    code: u8,
    end: u64,
}

impl Marker {
    /// Restart markers, a second start of image, and TEM have no length.
    const fn stands_alone(&self) -> bool {
        matches!(self.code, 0x01 | 0xd0..=0xd8)
    }
}

/// The marker at `at`, behind stray bytes, stuffed zeros and fill bytes.
fn next_marker(reader: &mut Reader<'_>, at: u64) -> Result<Marker, Error> {
    let mut place = at;
    while place - at <= MAX_STRAY_BYTES {
        let [first, second] = reader.array(place, CUT)?;
        if first == 0xff && !matches!(second, 0x00 | 0xff) {
            if second == EOI {
                return Err(reader.malformed(place, "the image ends before its first scan"));
            }
            return Ok(Marker { code: second, end: place + 2 });
        }
        place += 1;
    }
    Err(reader.malformed(at, "no marker where a segment should start"))
}

/// Where the segment ends whose length field is at `at`.
fn segment_end(reader: &mut Reader<'_>, at: u64) -> Result<u64, Error> {
    let length = u64::from(u16::from_be_bytes(reader.array(at, CUT)?));
    if length < 2 {
        return Err(reader.malformed(at, "a segment shorter than its own length field"));
    }
    let end = at + length;
    if end > reader.length() {
        return Err(reader.malformed(at, CUT));
    }
    Ok(end)
}

impl Header {
    /// A first scan that leaves components out means several scans, of whatever process.
    fn first_scan(&mut self, reader: &mut Reader<'_>, at: u64) -> Result<(), Error> {
        let [components] = reader.array(at + 2, CUT)?;
        if let Some(frame) = &mut self.frame {
            frame.coding.progressive |= components < frame.coding.components;
        }
        Ok(())
    }

    /// Looks at the segment of `code` whose length field is at `at`.
    fn take(&mut self, reader: &mut Reader<'_>, code: u8, at: u64, end: u64) -> Result<(), Error> {
        match code {
            // DHT, JPG and DAC share the range of the frame headers.
            0xc4 | 0xc8 | 0xcc => {}
            0xc0..=0xcf => {
                if self.frame.is_some() {
                    return Err(reader.malformed(at, "two frame headers"));
                }
                self.frame = Some(Frame::read(reader, code, at, end)?);
            }
            APP1 if self.exif.is_none() && reader.peek(at + 2, 6)? == b"Exif\0\0" => {
                match exif_orientation(reader, at + 8, end) {
                    Ok(found) => self.exif = found,
                    Err(Error::Malformed { .. }) => self.exif_damaged = true,
                    Err(error) => return Err(error),
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Frame {
    fn read(reader: &mut Reader<'_>, code: u8, at: u64, end: u64) -> Result<Self, Error> {
        let [_, _, precision, h0, h1, w0, w1, components] = reader.array(at, CUT)?;
        // T.81 B.2.2; 2 to 16 bits are for the lossless process.
        if !(2..=16).contains(&precision) {
            return Err(reader.malformed(at + 2, "a sample precision outside 2 to 16 bits"));
        }
        if !(1..=4).contains(&components) {
            return Err(reader.malformed(at + 7, "a component count outside 1 to 4"));
        }
        if end - at != 8 + 3 * u64::from(components) {
            return Err(reader.malformed(at, "a frame header of the wrong length"));
        }
        let (mut across, mut down) = (1, 1);
        for index in 0..u64::from(components) {
            let [_, sampling] = reader.array(at + 8 + 3 * index, CUT)?;
            if !(1..=4).contains(&(sampling >> 4)) || !(1..=4).contains(&(sampling & 15)) {
                return Err(
                    reader.malformed(at + 9 + 3 * index, "a sampling factor outside 1 to 4")
                );
            }
            (across, down) = (across.max(sampling >> 4), down.max(sampling & 15));
        }
        // A single component is coded in plain blocks whatever its factors say (A.2.2).
        let (across, down) = if components == 1 { (1, 1) } else { (across, down) };
        let block = size(reader, at, 8 * across, 8 * down)?;
        // SOF2, 6, 10 and 14 are the progressive processes (table B.1).
        let progressive = matches!(code & 3, 2);
        let coding = JpegCoding { block, components, progressive };
        let (height, width) = (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([w0, w1]));
        Ok(Self { at, precision, height, width, coding })
    }
}

/// The scan header ends at `end`; something must follow it.
fn finish(
    reader: &Reader<'_>,
    limits: &Limits,
    header: Header,
    end: u64,
) -> Result<Warned<ImageInfo>, Error> {
    let Some(frame) = header.frame else {
        return Err(reader.malformed(end, "a scan without a frame header"));
    };
    let stored = size(reader, frame.at + 3, frame.width, frame.height)?;
    limits.check_dimensions(stored)?;
    if end >= reader.length() {
        return Err(reader.malformed(end, "the file ends before any picture data"));
    }
    let mut answer = Warned::plain(ImageInfo {
        stored,
        orientation: header.exif.unwrap_or_default(),
        frames: Some(1),
        has_alpha: Some(false),
        bit_depth: Some(frame.precision),
        jpeg: Some(frame.coding),
    });
    if header.exif_damaged && header.exif.is_none() {
        answer.warnings.push(Warning::new(WarningCode::Damaged, crate::EXIF_DAMAGED));
    }
    Ok(answer)
}
