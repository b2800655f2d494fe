//! From a container's tracks to the facts of its video.
//!
//! [`VideoInfo::select`] picks what a player would show: the first video track that is switched on,
//! has frames and is no cover, and the first sound track beside it. No byte is read and nothing is
//! decoded here; the tracks come from `mediaprep-container`.
//!
//! ```
//! use std::io::Cursor;
//! use mediaprep_container::probe;
//! use mediaprep_media::{Limits, MimeType};
//! use mediaprep_video::VideoInfo;
//!
//! let file = include_bytes!("../../../fixtures/video/h264-aac-faststart.mp4");
//! let found = probe(&mut Cursor::new(file), MimeType::Mp4, &Limits::default())?;
//! let video = VideoInfo::select(&found.value).unwrap();
//! assert_eq!((video.size.width(), video.size.height()), (160, 90));
//! assert!(video.audio.is_some());
//! # Ok::<(), mediaprep_media::Error>(())
//! ```
//!
//! # Choices
//!
//! - **Two video tracks**: the first in the file's order, whatever their sizes. FFmpeg takes the
//!   larger one; players differ; the first is what the file's author put first.
//! - **Switched off**: a disabled track is taken only when every video track is disabled, since
//!   some writers leave the flag clear on all tracks.
//! - **Empty track**: a track without a single frame is passed over. A track whose number of frames
//!   is unknown counts as filled.
//! - **Covers** and chapter pictures are no video: a song with a cover is sound.
//! - **No length**: a track whose length nothing states has `track: None`; [`VideoInfo::length`]
//!   falls back from track to container to frames.
//! - **Sound** is the first sound track with samples, switched-on ones first.

use mediaprep_container::{ContainerInfo, Track, TrackKind, VideoTrack};
use mediaprep_media::{Dimensions, Duration, FrameRate, Orientation};

/// The facts of a video that rules and plans need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoInfo {
    /// The number of the video track in its container.
    pub track_id: u64,
    /// The video codec's short name.
    pub codec: String,
    /// The displayed size: after turning, before the pixel aspect.
    pub size: Dimensions,
    /// Clockwise turn from stored to displayed, in degrees.
    pub rotation: u16,
    /// The same with a mirroring.
    pub orientation: Orientation,
    /// The length that the container states or its longest track has.
    pub container: Option<Duration>,
    /// The length of the video track as it is shown.
    pub track: Option<Duration>,
    /// The sum of all frame durations, before edit lists.
    pub frame_span: Option<Duration>,
    /// How many frames are shown.
    pub frames: Option<u64>,
    /// The average rate of the stored frames.
    pub frame_rate: Option<FrameRate>,
    /// The first sound track.
    pub audio: Option<AudioOfVideo>,
    /// Whether the video or its sound is encrypted.
    pub protected: bool,
}

/// The facts of the sound beside a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioOfVideo {
    /// The length of the sound as it is played, without encoder delay and padding where the file
    /// states them.
    pub duration: Option<Duration>,
    /// Samples a second; 0 where the container does not say.
    pub sample_rate: u32,
    /// Channels; 0 where the container does not say.
    pub channels: u16,
    /// The sound codec's short name.
    pub codec: String,
}

impl VideoInfo {
    /// The facts of the video that a player would show; `None` where the container has no moving
    /// pictures.
    pub fn select(container: &ContainerInfo) -> Option<Self> {
        let candidates = || container.video_tracks().filter(|(_, video)| is_moving(video));
        let (track, video) =
            candidates().find(|(track, _)| track.enabled).or_else(|| candidates().next())?;
        let sound = sound_of(container);
        Some(Self {
            track_id: track.id,
            codec: track.codec.clone(),
            size: video.displayed,
            rotation: video.rotation,
            orientation: video.orientation,
            container: container.duration.map(|duration| duration.value),
            track: track.presented.map(|presented| presented.value),
            frame_span: track.span,
            frames: video.frames,
            frame_rate: video.frame_rate,
            audio: sound.and_then(AudioOfVideo::of),
            protected: track.protected || sound.is_some_and(|sound| sound.protected),
        })
    }

    /// The best known length: the track's, else the container's, else that of the frames.
    pub fn length(&self) -> Option<Duration> {
        self.track.or(self.container).or(self.frame_span)
    }
}

impl AudioOfVideo {
    fn of(track: &Track) -> Option<Self> {
        let TrackKind::Audio(audio) = &track.kind else { return None };
        let presented = track.presented.map(|presented| presented.value);
        Some(Self {
            duration: audio.decoded.or(presented),
            sample_rate: audio.sample_rate,
            channels: audio.channels,
            codec: track.codec.clone(),
        })
    }
}

fn is_moving(video: &VideoTrack) -> bool {
    !video.attached_picture && video.frames != Some(0)
}

/// The first sound track that is not known to be empty, switched-on ones first.
fn sound_of(container: &ContainerInfo) -> Option<&Track> {
    let filled = || {
        let tracks = container.audio_tracks().map(|(track, _)| track);
        tracks.filter(|track| track.span.is_none_or(|span| !span.is_zero()))
    };
    filled().find(|track| track.enabled).or_else(|| filled().next())
}
