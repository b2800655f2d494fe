//! The facts of a video, picked from its container's tracks.

use mediaprep_container::{ContainerInfo, PixelAspect, Track, TrackKind, VideoTrack};
use mediaprep_media::{Dimensions, Duration, FrameRate, Orientation};

/// The facts of a video that rules and plans need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoInfo {
    /// The number of the video track in its container.
    pub track_id: u64,
    /// The place of that track among all tracks of the file, from 0.
    pub track_index: usize,
    /// The video codec's short name.
    pub codec: String,
    /// The displayed size: after turning, before the pixel aspect.
    pub size: Dimensions,
    /// Clockwise turn from stored to displayed, in degrees.
    pub rotation: u16,
    /// The same with a mirroring.
    pub orientation: Orientation,
    /// Width of a displayed pixel to its height: 1 : 1 for nearly every file.
    pub pixel_aspect: PixelAspect,
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
        let track_index = container.tracks.iter().position(|other| other.id == track.id)?;
        Some(Self {
            track_id: track.id,
            track_index,
            codec: track.codec.clone(),
            size: video.displayed,
            rotation: video.rotation,
            orientation: video.orientation,
            pixel_aspect: displayed_aspect(video),
            container: container.duration.map(|duration| duration.value),
            track: track.presented.map(|presented| presented.value),
            frame_span: track.span,
            frames: video.frames,
            frame_rate: video.frame_rate,
            audio: sound.and_then(AudioOfVideo::of),
            protected: track.protected || sound.is_some_and(|sound| sound.protected),
        })
    }

    /// The size in square pixels: as displayed, stretched along one axis where the file's pixels
    /// are not square. The axis that grows keeps every stored row or column.
    pub fn square_size(&self) -> Dimensions {
        let PixelAspect { horizontal, vertical } = self.pixel_aspect;
        let stretched = |side: u32, by: u32, of: u32| {
            let side = (u64::from(side) * u64::from(by) + u64::from(of) / 2) / u64::from(of.max(1));
            u32::try_from(side).unwrap_or(u32::MAX)
        };
        let (width, height) = (self.size.width(), self.size.height());
        let square = if horizontal > vertical {
            Dimensions::new(stretched(width, horizontal, vertical), height)
        } else {
            Dimensions::new(width, stretched(height, vertical, horizontal))
        };
        square.unwrap_or(self.size)
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

/// The aspect of a pixel after turning.
const fn displayed_aspect(video: &VideoTrack) -> PixelAspect {
    let PixelAspect { horizontal, vertical } = video.pixel_aspect;
    if video.orientation.swaps_axes() {
        return PixelAspect { horizontal: vertical, vertical: horizontal };
    }
    video.pixel_aspect
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
