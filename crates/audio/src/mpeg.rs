//! MPEG audio (layers 1 to 3, MPEG-1, -2 and -2.5) as a bare stream of frames, and inside WAV.
//!
//! Most files start with a silent frame that carries a Xing, Info or VBRI header: the number of
//! frames, and from LAME and its kin the encoder's delay and padding. Then the length is one
//! multiplication. Without it the frames themselves are counted.

use mediaprep_media::{Error, Limits, Sourced};

use crate::frames::{Frame, Framing, Tally};
use crate::info::{AudioInfo, Found, INTERRUPTED, damaged, estimated, seconds};
use crate::tags;
use crate::window::{Window, be32};

const NAME: &str = "MPEG audio";

/// Samples by which every layer 3 decoder is late, on top of the encoder's own delay.
const DECODER_DELAY: u32 = 529;

/// The frames of MPEG audio. The longest is layer 2 of MPEG-2.5 at 160 kbit/s and 8 kHz.
pub(crate) const FRAMING: Framing =
    Framing { parse: |bytes| Some(Header::parse(bytes)?.frame()), longest: 2881 };

/// One frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// As coded: 3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5.
    version: u8,
    /// 1, 2 or 3.
    layer: u8,
    bits_per_second: u32,
    sample_rate: u32,
    channels: u16,
    padded: bool,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d] = bytes.first_chunk()?;
        let (version, layer_code) = (b >> 3 & 3, b >> 1 & 3);
        let rate = [44_100u32, 48_000, 32_000].get(usize::from(c >> 2 & 3))?;
        if a != 0xff || b & 0xe0 != 0xe0 || version == 1 || layer_code == 0 {
            return None;
        }
        let layer = 4 - layer_code;
        Some(Self {
            version,
            layer,
            bits_per_second: 1000 * kilobits(version == 3, layer, c >> 4)?,
            sample_rate: rate >> [2, 0, 1, 0][usize::from(version)],
            channels: if d >> 6 == 3 { 1 } else { 2 },
            padded: c & 2 != 0,
        })
    }

    const fn samples(self) -> u32 {
        match (self.layer, self.version) {
            (1, _) => 384,
            (3, 0 | 2) => 576,
            _ => 1152,
        }
    }

    fn frame(self) -> Frame {
        let slot = if self.layer == 1 { 4 } else { 1 };
        let slots = self.samples() / 8 / slot * self.bits_per_second / self.sample_rate;
        Frame {
            length: (slots + u32::from(self.padded)) * slot,
            samples: self.samples(),
            stream: self.sample_rate << 4 | u32::from(self.layer),
            rate: self.bits_per_second,
        }
    }

    /// Bytes between the frame header and a Xing header: layer 3's side information.
    const fn side_information(self) -> usize {
        match (self.version, self.channels) {
            (3, 2) => 32,
            (3, _) | (_, 2) => 17,
            _ => 9,
        }
    }

    const fn codec(self) -> &'static str {
        match self.layer {
            1 => "mp1",
            2 => "mp2",
            _ => "mp3",
        }
    }
}

/// Bit rates in kbit/s by ISO/IEC 11172-3 and 13818-3. Index 0, a rate of the encoder's own choice,
/// says nothing about the frame's length and is not read.
fn kilobits(first_version: bool, layer: u8, index: u8) -> Option<u32> {
    const TABLES: [[u16; 14]; 5] = [
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let table = match (first_version, layer) {
        (true, layer) => usize::from(layer) - 1,
        (false, 1) => 3,
        (false, _) => 4,
    };
    TABLES[table].get(usize::from(index).checked_sub(1)?).copied().map(u32::from)
}

/// What a header in the first frame says about the whole stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Summary {
    frames: Option<u32>,
    bytes: Option<u32>,
    /// Samples that a decoder leaves out at both ends.
    dropped: u32,
}

/// A Xing or Info header behind the side information, or a VBRI header 32 bytes behind the frame
/// header.
fn summary(header: Header, frame: &[u8]) -> Option<Summary> {
    if header.layer != 3 {
        return None;
    }
    let side = 4 + header.side_information();
    // A checksum between header and side information moves the tag only in some encoders' files.
    let tags = [side, side + 2].map(|at| frame.get(at..).unwrap_or_default());
    if let Some(tag) = tags.iter().find(|tag| tag.starts_with(b"Xing") || tag.starts_with(b"Info"))
    {
        return xing(tag);
    }
    let tag = frame.get(36..)?;
    let vbri = |at| be32(tag, at).filter(|&count| count > 0);
    tag.starts_with(b"VBRI").then(|| Summary { frames: vbri(14), bytes: vbri(10), dropped: 0 })
}

fn xing(tag: &[u8]) -> Option<Summary> {
    let flags = be32(tag, 4)?;
    let mut at = 8;
    let mut field = |bit: u32, length: usize| {
        let start = at;
        at += if flags & bit == 0 { 0 } else { length };
        (flags & bit != 0).then_some(start)
    };
    let read = |at: Option<usize>| be32(tag, at?).filter(|&count| count > 0);
    let (frames, bytes) = (read(field(1, 4)), read(field(2, 4)));
    field(4, 100);
    field(8, 4);
    Some(Summary { frames, bytes, dropped: dropped(tag.get(at..).unwrap_or_default()) })
}

/// Encoder delay and padding of LAME's extension: twelve bits each, 21 bytes behind its name. The
/// decoder's own delay is added to the delay and is already part of the padding.
fn dropped(extension: &[u8]) -> u32 {
    let named = extension.first().is_some_and(u8::is_ascii_alphabetic);
    let Some(packed) = be32(extension, 20).filter(|_| named) else { return 0 };
    let (delay, padding) = (packed >> 12 & 0xfff, packed & 0xfff);
    delay + DECODER_DELAY + padding.saturating_sub(DECODER_DELAY)
}

/// The facts of a bare stream.
pub(crate) fn probe(window: &mut Window<'_>, limits: &Limits) -> Result<Found, Error> {
    let start = tags::audio_start(window)?;
    let length = window.length();
    let Some((at, _)) = FRAMING.first(window, start, length)? else {
        return Err(Error::malformed(NAME, start, "no two frames in a row were found"));
    };
    stream(window, at, None, limits)
}

/// The facts of the stream from `start`, where a frame begins, to `end`, or to the tags at the end
/// of the file.
pub(crate) fn stream(
    window: &mut Window<'_>,
    start: u64,
    end: Option<u64>,
    limits: &Limits,
) -> Result<Found, Error> {
    let head = window.at(start, 256)?;
    let header = Header::parse(head).ok_or(Error::malformed(NAME, start, "no frame header"))?;
    let info = AudioInfo::new(header.codec(), header.sample_rate, header.channels);
    let summary = summary(header, head);
    let stated = summary.filter(|summary| summary.frames.is_some());
    let whole = end.unwrap_or(window.length());
    if let Some(stated) = stated.filter(|stated| agrees(header, *stated, whole - start)) {
        return Ok(Found::plain(from_summary(info, header, stated)));
    }
    let end = match end {
        Some(end) => end,
        None => tags::audio_end(window, start)?,
    };
    match stated {
        Some(stated) if agrees(header, stated, end - start) => {
            Ok(Found::plain(from_summary(info, header, stated)))
        }
        _ => {
            // The frame that carries the summary is silent and no part of the sound.
            let silent = if summary.is_some() { u64::from(header.frame().length) } else { 0 };
            let tally = FRAMING.tally(window, (start + silent, end), limits)?;
            Ok(from_frames(info, header, summary.unwrap_or_default(), tally))
        }
    }
}

/// Whether the stream has about the length in bytes that its summary states: within a sixteenth, as
/// FFmpeg allows, or two frames, since encoders count their summary or do not. Files put together
/// from several have the first one's summary, and cut ones that of the whole.
fn agrees(header: Header, stated: Summary, actual: u64) -> bool {
    let Some(bytes) = stated.bytes.map(u64::from) else { return true };
    let slack = u64::from(header.frame().length) * 2;
    bytes.abs_diff(actual) <= (bytes.min(actual) / 16).max(slack)
}

fn from_summary(info: AudioInfo, header: Header, stated: Summary) -> AudioInfo {
    let frames = u64::from(stated.frames.unwrap_or_default());
    let samples = frames * u64::from(header.samples());
    let heard = samples.saturating_sub(u64::from(stated.dropped));
    AudioInfo {
        container: Some(Sourced::header(seconds(samples, header.sample_rate))),
        decoded: Some(Sourced::header(seconds(heard, header.sample_rate))),
        ..info
    }
}

/// Lengths from counted frames. Where fewer are there than the summary states, the summary is still
/// what the file says of itself.
fn from_frames(info: AudioInfo, header: Header, summary: Summary, tally: Tally) -> Found {
    let samples = exact_when_constant(header, tally);
    let heard = samples.saturating_sub(u64::from(summary.dropped));
    let stated = u64::from(summary.frames.unwrap_or_default()) * u64::from(header.samples());
    let cut = stated > samples;
    let container = if cut {
        Sourced::header(seconds(stated, header.sample_rate))
    } else {
        Sourced::scan(seconds(samples, header.sample_rate))
    };
    let decoded = Sourced::scan(seconds(heard, header.sample_rate));
    let mut warnings = Vec::new();
    if cut {
        warnings.push(damaged("fewer frames are there than the header states"));
    } else if tally.damaged {
        warnings.push(damaged(INTERRUPTED));
    }
    if tally.estimated && (tally.damaged || !tally.constant) {
        warnings.push(estimated("the length is worked out from a part of the frames"));
    }
    let info = AudioInfo { container: Some(container), decoded: Some(decoded), ..info };
    Found { value: info, warnings }
}

/// A long stream of one bit rate: the bit rate tells the mean length of a frame exactly, unless the
/// encoder leaves out padding, which the frames that were looked at would show.
fn exact_when_constant(header: Header, tally: Tally) -> u64 {
    if !tally.estimated || !tally.constant {
        return tally.samples;
    }
    let per_frame = u64::from(header.samples());
    let bits = u128::from(tally.bytes) * 8 * u128::from(header.sample_rate);
    let frame_bits = u128::from(header.bits_per_second) * u128::from(per_frame);
    let frames = u64::try_from((bits + frame_bits / 2) / frame_bits).unwrap_or(u64::MAX);
    let exact = frames.saturating_mul(per_frame);
    if exact.abs_diff(tally.samples) <= tally.samples / 4096 + per_frame {
        exact
    } else {
        tally.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_lengths_are_those_of_the_standard() {
        let frame =
            |bytes: [u8; 4]| (FRAMING.parse)(&bytes).map(|frame| (frame.length, frame.samples));
        assert_eq!(frame([0xff, 0xfb, 0x90, 0]), Some((417, 1152)));
        assert_eq!(frame([0xff, 0xfb, 0x92, 0]), Some((418, 1152)));
        assert_eq!(frame([0xff, 0xf3, 0x48, 0xc0]), Some((144, 576)));
        assert_eq!(frame([0xff, 0xe3, 0x18, 0xc0]), Some((72, 576)));
        assert_eq!(frame([0xff, 0xfd, 0xe4, 0]), Some((1152, 1152)));
        assert_eq!(frame([0xff, 0xe5, 0xe8, 0]), Some((2880, 1152)));
        for bad in [[0xff, 0xeb, 0x90, 0], [0xff, 0xf9, 0x90, 0], [0xff, 0xfb, 0, 0]] {
            assert_eq!(frame(bad), None, "{bad:x?}");
        }
        assert_eq!(frame([0xff, 0xfb, 0xf0, 0]), None);
        assert_eq!(frame([0xff, 0xfb, 0x9c, 0]), None);
    }

    #[test]
    fn delay_and_padding_are_read_behind_the_fields_that_are_there() {
        let mut tag = b"Info\0\0\0\x03\0\0\0\x25\0\0\x10\0".to_vec();
        tag.extend_from_slice(b"LAME3.100");
        tag.resize(16 + 21, 0);
        tag.extend_from_slice(&[0x24, 0x04, 0x34]);
        let found = xing(&tag).unwrap();
        assert_eq!((found.frames, found.bytes), (Some(37), Some(4096)));
        assert_eq!(found.dropped, 576 + 529 + (0x434 - 529));
        tag[16] = 0;
        assert_eq!(xing(&tag).unwrap().dropped, 0);
    }
}
