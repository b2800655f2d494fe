//! A track entry: RFC 9559, section 5.1.4.

use mediaprep_media::{Dimensions, Duration, FrameRate, Orientation, Sourced};

use super::ebml::{child, children, float, unsigned};
use super::scan::Timeline;
use crate::{AudioTrack, PixelAspect, Track, TrackKind, VideoTrack};

const NUMBER: u32 = 0xd7;
const UNIQUE_ID: u32 = 0x73c5;
const KIND: u32 = 0x83;
const ENABLED: u32 = 0xb9;
const CODEC: u32 = 0x86;
const CODEC_PRIVATE: u32 = 0x63a2;
const CODEC_DELAY: u32 = 0x56aa;
const DEFAULT_DURATION: u32 = 0x0023_e383;
const ENCODINGS: u32 = 0x6d80;
const ENCODING: u32 = 0x6240;
const ENCRYPTION: u32 = 0x5035;
const VIDEO: u32 = 0xe0;
const PIXEL_WIDTH: u32 = 0xb0;
const PIXEL_HEIGHT: u32 = 0xba;
const DISPLAY_WIDTH: u32 = 0x54b0;
const DISPLAY_HEIGHT: u32 = 0x54ba;
const DISPLAY_UNIT: u32 = 0x54b2;
const PROJECTION: u32 = 0x7670;
const ROLL: u32 = 0x7675;
const AUDIO: u32 = 0xe1;
const SAMPLING_FREQUENCY: u32 = 0xb5;
const OUTPUT_FREQUENCY: u32 = 0x78b5;
const CHANNELS: u32 = 0x9f;

const NANOSECONDS: u32 = 1_000_000_000;

/// What one track entry says.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) unique_id: u64,
    kind: u64,
    disabled: bool,
    codec: String,
    codec_private: Vec<u8>,
    /// Nanoseconds of sound at the start that a player drops.
    pub(super) codec_delay: u64,
    /// Nanoseconds that a frame lasts; 0 where not stated.
    pub(super) default_duration: u64,
    protected: bool,
    video: Option<Video>,
    audio: Option<Audio>,
    /// What statistics tags say about the track.
    pub(super) statistics: Statistics,
}

/// Tags that mkvmerge and FFmpeg write for each track.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Statistics {
    pub(super) duration: Option<Duration>,
    pub(super) frames: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Video {
    stored: Option<Dimensions>,
    orientation: Orientation,
    pixel_aspect: PixelAspect,
}

#[derive(Clone, Copy, Debug, Default)]
struct Audio {
    sample_rate: u32,
    channels: u16,
}

impl Entry {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        // Enough for every codec header that is looked into.
        const MAX_PRIVATE: usize = 4096;
        let mut entry = Self::default();
        for (id, body) in children(bytes) {
            match id {
                NUMBER => entry.number = unsigned(body),
                UNIQUE_ID => entry.unique_id = unsigned(body),
                KIND => entry.kind = unsigned(body),
                ENABLED => entry.disabled = unsigned(body) == 0,
                CODEC => entry.codec = codec_name(body),
                CODEC_PRIVATE => {
                    entry.codec_private = body[..body.len().min(MAX_PRIVATE)].to_vec();
                }
                CODEC_DELAY => entry.codec_delay = unsigned(body),
                DEFAULT_DURATION => entry.default_duration = unsigned(body),
                ENCODINGS => {
                    let encodings = children(body).filter(|&(id, _)| id == ENCODING);
                    entry.protected =
                        encodings.into_iter().any(|(_, e)| child(e, ENCRYPTION).is_some());
                }
                VIDEO => entry.video = Some(Video::parse(body)),
                AUDIO => entry.audio = Some(Audio::parse(body)),
                _ => {}
            }
        }
        entry
    }

    pub(super) const fn is_video(&self) -> bool {
        self.kind == 1
    }

    pub(super) fn is_opus(&self) -> bool {
        self.codec == "opus"
    }

    pub(super) const fn is_protected(&self) -> bool {
        self.protected
    }

    /// Whether the header leaves the frame rate to be measured.
    pub(super) fn lacks_rate(&self) -> bool {
        self.is_video() && self.default_duration == 0 && self.statistics.frames.is_none()
    }

    /// The facts of the track. `timeline` is what a scan of its blocks found.
    pub(super) fn facts(&self, timeline: Option<&Timeline>) -> Track {
        let complete = timeline.filter(|timeline| timeline.complete);
        let scanned = complete.map(|timeline| timeline.span(self));
        let stated = self.statistics.duration.map(Sourced::header);
        let presented = scanned.map(Sourced::scan).or(stated);
        let kind = match self.kind {
            1 => self.video_facts(timeline),
            2 => self.audio_facts(complete),
            _ => None,
        };
        Track {
            id: self.number,
            codec: self.codec.clone(),
            kind: kind.unwrap_or(TrackKind::Other),
            delay: Duration::ZERO,
            presented,
            span: scanned,
            protected: self.protected,
            enabled: !self.disabled,
        }
    }

    fn video_facts(&self, timeline: Option<&Timeline>) -> Option<TrackKind> {
        let video = self.video?;
        let stored = video.stored?;
        let complete = timeline.filter(|timeline| timeline.complete);
        let frames = complete.map(Timeline::frames).or(self.statistics.frames);
        let stated = Duration::new(self.default_duration, NANOSECONDS)
            .and_then(|length| FrameRate::average(1, length));
        let counted = || {
            let statistics = self.statistics;
            FrameRate::average(statistics.frames?, statistics.duration?)
        };
        let measured = || timeline.and_then(Timeline::rate);
        Some(TrackKind::Video(VideoTrack {
            stored,
            displayed: stored.oriented(video.orientation),
            rotation: degrees(video.orientation),
            orientation: video.orientation,
            frames,
            frame_rate: stated.map(nominal).or_else(counted).or_else(measured),
            attached_picture: false,
            pixel_aspect: video.pixel_aspect,
        }))
    }

    fn audio_facts(&self, complete: Option<&Timeline>) -> Option<TrackKind> {
        let mut audio = self.audio?;
        if self.codec == "aac"
            && let Some(config) = crate::isobmff::advanced_audio_coding(&self.codec_private)
        {
            audio = Audio {
                sample_rate: config.sample_rate,
                channels: if config.channels == 0 { audio.channels } else { config.channels },
            };
        }
        if self.is_opus() {
            audio.sample_rate = 48_000;
        }
        let decoded = complete.and_then(|timeline| timeline.decoded(self));
        let Audio { sample_rate, channels } = audio;
        Some(TrackKind::Audio(AudioTrack { sample_rate, channels, decoded }))
    }
}

impl Video {
    fn parse(bytes: &[u8]) -> Self {
        let number = |id| child(bytes, id).map(unsigned);
        let side = |id| u32::try_from(number(id).unwrap_or(0)).unwrap_or(0);
        let stored = Dimensions::new(side(PIXEL_WIDTH), side(PIXEL_HEIGHT));
        let display = (number(DISPLAY_WIDTH), number(DISPLAY_HEIGHT));
        let aspect = match (stored, display, number(DISPLAY_UNIT).unwrap_or(0)) {
            // Unit 4 is "unknown"; in all others the ratio is what counts.
            (Some(stored), (Some(width), Some(height)), 0..=3) => aspect(stored, width, height),
            _ => None,
        };
        let roll = child(bytes, PROJECTION).and_then(|projection| child(projection, ROLL));
        Self {
            stored,
            orientation: roll.map_or(Orientation::Upright, orientation),
            pixel_aspect: aspect.unwrap_or(PixelAspect::SQUARE),
        }
    }
}

/// The shape of a pixel that makes `stored` appear as wide and high as the display size.
fn aspect(stored: Dimensions, width: u64, height: u64) -> Option<PixelAspect> {
    let (mut a, mut b) = (
        width.checked_mul(u64::from(stored.height()))?,
        height.checked_mul(u64::from(stored.width()))?,
    );
    let divisor = gcd(a, b);
    (a, b) = (a.checked_div(divisor)?, b.checked_div(divisor)?);
    PixelAspect::new(u32::try_from(a).ok()?, u32::try_from(b).ok()?)
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The roll of a projection counts degrees anticlockwise; the nearest right angle is taken.
fn orientation(roll: &[u8]) -> Orientation {
    let Some((roll, turn)) = float(roll).and_then(|roll| Some((roll, roll.times(1)?))) else {
        return Orientation::Upright;
    };
    let quarters = (turn % 360 + 45) / 90 % 4;
    match (quarters, roll.negative) {
        (1, true) | (3, false) => Orientation::Rotate90,
        (2, _) => Orientation::Rotate180,
        (1, false) | (3, true) => Orientation::Rotate270,
        _ => Orientation::Upright,
    }
}

const fn degrees(orientation: Orientation) -> u16 {
    match orientation {
        Orientation::Rotate90 => 90,
        Orientation::Rotate180 => 180,
        Orientation::Rotate270 => 270,
        _ => 0,
    }
}

/// The rate that a frame length in whole nanoseconds stands for: the length is a rounded one, so
/// the usual rates are taken where they are within its rounding.
fn nominal(rate: FrameRate) -> FrameRate {
    const THOUSANDTHS: u64 = 1001;
    let (n, d) = (u64::from(rate.numerator()), u64::from(rate.denominator()));
    let near = |numerator: u64, denominator: u64| {
        let (left, right) = (n * denominator, numerator * d);
        left.abs_diff(right) <= right / 1_000_000
    };
    for whole in 1..=240u32 {
        if near(u64::from(whole), 1) {
            return FrameRate::new(whole, 1).unwrap_or(rate);
        }
        if near(u64::from(whole) * 1000, THOUSANDTHS) {
            return FrameRate::new(whole * 1000, 1001).unwrap_or(rate);
        }
    }
    rate
}

impl Audio {
    fn parse(bytes: &[u8]) -> Self {
        let rate = |id| child(bytes, id).and_then(float)?.times(1);
        // Both defaults are the format's own.
        let stated = rate(OUTPUT_FREQUENCY).or_else(|| rate(SAMPLING_FREQUENCY)).unwrap_or(8_000);
        let channels = child(bytes, CHANNELS).map_or(1, unsigned);
        Self {
            sample_rate: u32::try_from(stated).unwrap_or(0),
            channels: u16::try_from(channels).unwrap_or(0),
        }
    }
}

/// Codec identifiers by their beginnings. RFC 9559's codec registry.
const CODECS: &[(&str, &str)] = &[
    ("V_MPEG4/ISO/AVC", "h264"),
    ("V_MPEGH/ISO/HEVC", "hevc"),
    ("V_MPEGI/ISO/VVC", "vvc"),
    ("V_MPEG4/", "mpeg4"),
    ("V_AV1", "av1"),
    ("V_VP8", "vp8"),
    ("V_VP9", "vp9"),
    ("V_MPEG1", "mpeg1video"),
    ("V_MPEG2", "mpeg2video"),
    ("V_MJPEG", "mjpeg"),
    ("V_THEORA", "theora"),
    ("V_PRORES", "prores"),
    ("V_FFV1", "ffv1"),
    ("A_AAC", "aac"),
    ("A_OPUS", "opus"),
    ("A_VORBIS", "vorbis"),
    ("A_FLAC", "flac"),
    ("A_ALAC", "alac"),
    ("A_MPEG/L3", "mp3"),
    ("A_MPEG/L2", "mp2"),
    ("A_MPEG/L1", "mp1"),
    ("A_AC3", "ac3"),
    ("A_EAC3", "eac3"),
    ("A_TRUEHD", "truehd"),
    ("A_DTS", "dts"),
    ("A_PCM", "pcm"),
];

fn codec_name(body: &[u8]) -> String {
    const MAX_LENGTH: usize = 64;
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_LENGTH)]);
    let text = text.trim_end_matches('\0');
    match CODECS.iter().find(|(id, _)| text.starts_with(id)) {
        Some((_, name)) => (*name).to_owned(),
        None => text.chars().filter(char::is_ascii_graphic).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_frame_lengths_give_the_rate_that_was_meant() {
        let of = |nanoseconds| {
            let length = Duration::new(nanoseconds, NANOSECONDS).unwrap();
            nominal(FrameRate::average(1, length).unwrap())
        };
        assert_eq!(of(33_333_333), FrameRate::new(30, 1).unwrap());
        assert_eq!(of(33_366_667), FrameRate::new(30_000, 1001).unwrap());
        assert_eq!(of(41_708_333), FrameRate::new(24_000, 1001).unwrap());
        assert_eq!(of(40_000_000), FrameRate::new(25, 1).unwrap());
        assert!((of(70_123_456).as_f64() - 14.260563).abs() < 1e-6);
    }

    #[test]
    fn rolls_turn_against_the_clock() {
        let of = |degrees: f64| orientation(&degrees.to_be_bytes());
        assert_eq!(of(-90.0), Orientation::Rotate90);
        assert_eq!(of(90.0), Orientation::Rotate270);
        assert_eq!(of(270.0), Orientation::Rotate90);
        assert_eq!(of(180.0), Orientation::Rotate180);
        assert_eq!(of(3.0), Orientation::Upright);
    }
}
