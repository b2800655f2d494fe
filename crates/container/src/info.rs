//! What a container says about itself and its tracks.

use mediaprep_media::{Dimensions, Duration, FrameRate, Orientation, Sourced};

/// The facts of one container file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerInfo {
    /// How long a player shows the file to be: what the container states, or the end of its longest
    /// track where it states nothing.
    pub duration: Option<Sourced<Duration>>,
    /// Every track, in the file's order.
    pub tracks: Vec<Track>,
    /// Whether the samples lie in movie fragments (`moof` boxes). Always `false` for containers
    /// that know no such thing.
    pub fragmented: bool,
}

impl ContainerInfo {
    /// Every video track in the file's order, covers and disabled tracks included.
    pub fn video_tracks(&self) -> impl Iterator<Item = (&Track, &VideoTrack)> {
        self.tracks.iter().filter_map(|track| match &track.kind {
            TrackKind::Video(video) => Some((track, video)),
            _ => None,
        })
    }

    /// Every sound track in the file's order, disabled ones included.
    pub fn audio_tracks(&self) -> impl Iterator<Item = (&Track, &AudioTrack)> {
        self.tracks.iter().filter_map(|track| match &track.kind {
            TrackKind::Audio(audio) => Some((track, audio)),
            _ => None,
        })
    }
}

/// One track of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The number by which the container names the track.
    pub id: u64,
    /// The codec's short name, such as `h264` or `aac`; the container's own code where no name is
    /// known, and empty where it states none.
    pub codec: String,
    /// What the track holds.
    pub kind: TrackKind,
    /// Time at the start in which the track shows nothing: the empty edits before its first sample.
    pub delay: Duration,
    /// How long the track is shown, edit lists applied and `delay` left out.
    pub presented: Option<Sourced<Duration>>,
    /// The sum of all sample durations, before edit lists. `None` where nothing short of reading
    /// every packet tells.
    pub span: Option<Duration>,
    /// Whether the samples are encrypted.
    pub protected: bool,
    /// Whether the track is switched on.
    pub enabled: bool,
}

/// What a track holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackKind {
    /// Moving pictures, or a cover.
    Video(VideoTrack),
    /// Sound.
    Audio(AudioTrack),
    /// Subtitles, chapters, timecodes, metadata, or something damaged beyond use.
    Other,
}

/// The facts of a video track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoTrack {
    /// The size of a frame as it is stored.
    pub stored: Dimensions,
    /// The size after the frame is turned upright; the pixel aspect is not applied.
    pub displayed: Dimensions,
    /// How far the stored frame must be turned clockwise, in degrees: 0, 90, 180 or 270. Where the
    /// matrix also mirrors, this is the turn that remains of it as FFmpeg computes it.
    pub rotation: u16,
    /// The turn together with a mirroring, exact.
    pub orientation: Orientation,
    /// How many frames are shown: the stored ones without those that an edit list hides.
    pub frames: Option<u64>,
    /// The average rate: stored frames, hidden ones included, over [`Track::span`], or the rate
    /// that the header states.
    pub frame_rate: Option<FrameRate>,
    /// Whether the track is a cover or a chapter picture rather than moving pictures.
    pub attached_picture: bool,
    /// Width to height of one pixel.
    pub pixel_aspect: PixelAspect,
}

/// Width to height of one pixel, as stored and not reduced; neither is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelAspect {
    /// The width.
    pub horizontal: u32,
    /// The height.
    pub vertical: u32,
}

impl PixelAspect {
    /// Square pixels.
    pub const SQUARE: Self = Self { horizontal: 1, vertical: 1 };

    /// `None` when either side is zero.
    pub const fn new(horizontal: u32, vertical: u32) -> Option<Self> {
        if horizontal == 0 || vertical == 0 { None } else { Some(Self { horizontal, vertical }) }
    }
}

/// The facts of a sound track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioTrack {
    /// Samples a second after decoding; 0 where the container does not say.
    pub sample_rate: u32,
    /// Channels after decoding; 0 where the container does not say.
    pub channels: u16,
    /// How long the decoded sound is once encoder delay and padding are removed, where the file
    /// states them; the sum of the packets' durations where it does not.
    pub decoded: Option<Duration>,
}
