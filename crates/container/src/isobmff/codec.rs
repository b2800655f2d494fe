//! Codec names, and what codecs' own headers say about rate and channels where the sample entry is
//! known to be unreliable.

use mediaprep_media::bmff::FourCc;

use crate::window::Fields;

/// Rate and channels of a sound track; 0 is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SoundFormat {
    pub(crate) sample_rate: u32,
    pub(crate) channels: u16,
}

/// Codes of sample entries and the names that they have elsewhere.
const NAMES: &[(&[u8; 4], &str)] = &[
    (b"avc1", "h264"),
    (b"avc2", "h264"),
    (b"avc3", "h264"),
    (b"avc4", "h264"),
    (b"dva1", "h264"),
    (b"dvav", "h264"),
    (b"hvc1", "hevc"),
    (b"hev1", "hevc"),
    (b"dvh1", "hevc"),
    (b"dvhe", "hevc"),
    (b"vvc1", "vvc"),
    (b"vvi1", "vvc"),
    (b"av01", "av1"),
    (b"dav1", "av1"),
    (b"vp08", "vp8"),
    (b"vp09", "vp9"),
    (b"mp4v", "mpeg4"),
    (b"s263", "h263"),
    (b"h263", "h263"),
    (b"H263", "h263"),
    (b"jpeg", "mjpeg"),
    (b"mjpa", "mjpeg"),
    (b"mjpb", "mjpegb"),
    (b"png ", "png"),
    (b"apcn", "prores"),
    (b"apch", "prores"),
    (b"apcs", "prores"),
    (b"apco", "prores"),
    (b"ap4h", "prores"),
    (b"ap4x", "prores"),
    (b"m2v1", "mpeg2video"),
    (b"hdv2", "mpeg2video"),
    (b"mp4a", "aac"),
    (b".mp3", "mp3"),
    (b"alac", "alac"),
    (b"fLaC", "flac"),
    (b"Opus", "opus"),
    (b"ac-3", "ac3"),
    (b"ec-3", "eac3"),
    (b"samr", "amr_nb"),
    (b"sawb", "amr_wb"),
    (b"sowt", "pcm_s16le"),
    (b"twos", "pcm_s16be"),
    (b"raw ", "pcm_u8"),
    (b"lpcm", "pcm"),
    (b"ipcm", "pcm"),
    (b"fpcm", "pcm_float"),
    (b"in24", "pcm_s24be"),
    (b"in32", "pcm_s32be"),
    (b"fl32", "pcm_f32be"),
    (b"fl64", "pcm_f64be"),
    (b"ulaw", "pcm_mulaw"),
    (b"alaw", "pcm_alaw"),
    (b"tx3g", "mov_text"),
];

/// The short name of a sample entry's format, or its code without padding.
pub(super) fn name(kind: FourCc) -> String {
    match NAMES.iter().find(|(code, _)| **code == kind) {
        Some((_, name)) => (*name).to_owned(),
        None => String::from_utf8_lossy(&kind)
            .chars()
            .filter(|c| c.is_ascii_graphic())
            .collect::<String>(),
    }
}

/// The codec that an MPEG-4 object type stands for. ISO/IEC 14496-1, table 5, and mp4ra.org.
pub(super) const fn name_of_object(object: u8) -> Option<&'static str> {
    Some(match object {
        0x20 => "mpeg4",
        0x21 => "h264",
        0x23 => "hevc",
        0x40 | 0x66..=0x68 => "aac",
        0x60..=0x65 => "mpeg2video",
        0x69 | 0x6b => "mp3",
        0x6a => "mpeg1video",
        0x6c => "mjpeg",
        0x6d => "png",
        0xa5 => "ac3",
        0xa6 => "eac3",
        0xa9 => "dts",
        0xad => "opus",
        0xb1 => "vp9",
        0xdd => "vorbis",
        _ => return None,
    })
}

/// The object type and the decoder's own header in an `esds` box. ISO/IEC 14496-1, section 7.2.6.
fn elementary_stream(body: &[u8]) -> Option<(u8, &[u8])> {
    let mut fields = Fields(body.get(4..)?);
    if descriptor(&mut fields)? == 3 {
        fields.skip(2)?;
        let flags = fields.u8()?;
        fields.skip(if flags & 0x80 != 0 { 2 } else { 0 })?;
        let address = if flags & 0x40 != 0 { usize::from(fields.u8()?) } else { 0 };
        fields.skip(address + if flags & 0x20 != 0 { 2 } else { 0 })?;
        descriptor(&mut fields)?;
    }
    let object = fields.u8()?;
    let specific = fields.skip(12).and_then(|()| descriptor(&mut fields));
    Some((object, if specific == Some(5) { fields.0 } else { &[] }))
}

/// The tag of a descriptor, its length passed over.
fn descriptor(fields: &mut Fields<'_>) -> Option<u8> {
    let tag = fields.u8()?;
    for _ in 0..4 {
        if fields.u8()? & 0x80 == 0 {
            break;
        }
    }
    Some(tag)
}

pub(super) fn object_type(body: &[u8]) -> Option<u8> {
    elementary_stream(body).map(|(object, _)| object)
}

/// Replaces rate and channels by what the codec's own header says.
pub(super) fn refine<'a>(
    stated: SoundFormat,
    codec: &str,
    boxed: impl Fn(&[u8; 4]) -> Option<&'a [u8]>,
) -> SoundFormat {
    let own = match codec {
        "aac" => boxed(b"esds")
            .and_then(elementary_stream)
            .and_then(|(_, config)| advanced_audio_coding(config)),
        "alac" => boxed(b"alac").and_then(apple_lossless),
        "flac" => boxed(b"dfLa").and_then(free_lossless),
        "ac3" => boxed(b"dac3").and_then(|body| dolby(body, 0)),
        // The rate is three bytes further: data rate, number of substreams.
        "eac3" => boxed(b"dec3").and_then(|body| dolby(body, 2)),
        // Opus always decodes at this rate, whatever the entry says about the source.
        "opus" => Some(SoundFormat { sample_rate: 48_000, channels: 0 }),
        "amr_nb" => Some(SoundFormat { sample_rate: 8_000, channels: 1 }),
        "amr_wb" => Some(SoundFormat { sample_rate: 16_000, channels: 1 }),
        _ => None,
    };
    let own = own.unwrap_or_default();
    let pick_rate = if own.sample_rate == 0 { stated.sample_rate } else { own.sample_rate };
    let pick_channels = if own.channels == 0 { stated.channels } else { own.channels };
    SoundFormat { sample_rate: pick_rate, channels: pick_channels }
}

/// Bits from the highest downwards.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            object => Some(object),
        }
    }

    fn rate(&mut self) -> Option<u32> {
        const RATES: [u32; 13] = [
            96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
            8_000, 7_350,
        ];
        match self.take(4)? {
            15 => self.take(24),
            index => RATES.get(index as usize).copied(),
        }
    }
}

/// AudioSpecificConfig, ISO/IEC 14496-3, section 1.6.2: the rate after spectral band replication
/// and the channels after parametric stereo.
pub(crate) fn advanced_audio_coding(config: &[u8]) -> Option<SoundFormat> {
    const SPECTRAL_BAND_REPLICATION: u32 = 5;
    const PARAMETRIC_STEREO: u32 = 29;
    const CHANNELS: [u16; 15] = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8];
    let mut bits = Bits { bytes: config, at: 0 };
    let object = bits.object_type()?;
    let mut sample_rate = bits.rate()?;
    let mut channels = CHANNELS.get(bits.take(4)? as usize).copied().unwrap_or(0);
    if object == SPECTRAL_BAND_REPLICATION || object == PARAMETRIC_STEREO {
        sample_rate = bits.rate()?;
        if object == PARAMETRIC_STEREO && channels == 1 {
            channels = 2;
        }
    } else if let Some(rate) = backward_compatible_extension(&mut bits) {
        sample_rate = rate;
    }
    Some(SoundFormat { sample_rate, channels })
}

/// The extension that decoders without spectral band replication pass over: sync word 0x2b7 behind
/// the three flags of a plain configuration.
fn backward_compatible_extension(bits: &mut Bits<'_>) -> Option<u32> {
    let depends_on_core = bits.take(2)? & 1 != 0;
    if depends_on_core {
        bits.take(14)?;
    }
    bits.take(1)?;
    let found = bits.take(11)? == 0x2b7 && bits.object_type()? == 5 && bits.take(1)? == 1;
    if found { bits.rate() } else { None }
}

/// The magic cookie of Apple Lossless, behind the full box's four bytes.
fn apple_lossless(body: &[u8]) -> Option<SoundFormat> {
    let mut fields = Fields(body.get(4 + 9..)?);
    let channels = u16::from(fields.u8()?);
    fields.skip(10)?;
    Some(SoundFormat { sample_rate: fields.u32()?, channels })
}

/// STREAMINFO behind the full box's four bytes and the block's own four.
fn free_lossless(body: &[u8]) -> Option<SoundFormat> {
    let mut fields = Fields(body.get(8 + 10..)?);
    let word = fields.u32()?;
    let channels = u16::try_from((word >> 9 & 7) + 1).ok()?;
    Some(SoundFormat { sample_rate: word >> 12, channels })
}

/// AC-3 and Enhanced AC-3, ETSI TS 102 366, annex F.
fn dolby(body: &[u8], skipped: usize) -> Option<SoundFormat> {
    let mut bits = Bits { bytes: body.get(skipped..)?, at: 0 };
    let sample_rate = *[48_000, 44_100, 32_000, 0].get(bits.take(2)? as usize)?;
    // Identification and stream mode; the enhanced form has two more bits before the mode.
    bits.take(if skipped == 0 { 8 } else { 10 })?;
    let mode = bits.take(3)?;
    let front = *[2, 1, 2, 3, 3, 4, 4, 5].get(mode as usize)?;
    let low = u16::from(bits.take(1)? == 1);
    Some(SoundFormat { sample_rate, channels: front + low })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_efficiency_doubles_the_rate() {
        let plain = advanced_audio_coding(&[0x12, 0x10]).unwrap();
        assert_eq!((plain.sample_rate, plain.channels), (44_100, 2));
        // Object 5 (SBR), 24 kHz doubled to 48 kHz, stereo.
        let explicit = advanced_audio_coding(&[0x2b, 0x11, 0x88, 0]).unwrap();
        assert_eq!((explicit.sample_rate, explicit.channels), (48_000, 2));
        // A plain configuration at 22.05 kHz followed by the sync extension to 44.1 kHz.
        let compatible = advanced_audio_coding(&[0x13, 0x90, 0x56, 0xe5, 0xa0]).unwrap();
        assert_eq!((compatible.sample_rate, compatible.channels), (44_100, 2));
        assert_eq!(advanced_audio_coding(&[]), None);
    }

    #[test]
    fn codes_without_a_name_stay_as_they_are() {
        assert_eq!(name(*b"hvc1"), "hevc");
        assert_eq!(name(*b"xyz "), "xyz");
        assert_eq!(name([0, 1, 2, 3]), "");
    }
}
