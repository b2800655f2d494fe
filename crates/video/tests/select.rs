//! Which tracks are taken for the video and its sound.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use mediaprep_container::{AudioTrack, ContainerInfo, PixelAspect, Track, TrackKind, VideoTrack};
use mediaprep_media::{Dimensions, Duration, FrameRate, Orientation, Sourced};
use mediaprep_video::VideoInfo;

fn video(id: u64, frames: Option<u64>) -> Track {
    let size = Dimensions::new(64, 48).unwrap();
    let picture = VideoTrack {
        stored: size,
        displayed: size.swapped(),
        rotation: 90,
        orientation: Orientation::Rotate90,
        frames,
        frame_rate: FrameRate::new(25, 1),
        attached_picture: false,
        pixel_aspect: PixelAspect::SQUARE,
    };
    track(id, TrackKind::Video(picture))
}

fn audio(id: u64, decoded: Option<Duration>) -> Track {
    track(id, TrackKind::Audio(AudioTrack { sample_rate: 44_100, channels: 2, decoded }))
}

fn track(id: u64, kind: TrackKind) -> Track {
    Track {
        id,
        codec: "any".to_owned(),
        kind,
        delay: Duration::ZERO,
        presented: Some(Sourced::header(Duration::from_seconds(2))),
        span: Some(Duration::from_seconds(3)),
        protected: false,
        enabled: true,
    }
}

fn select(tracks: Vec<Track>) -> Option<VideoInfo> {
    let duration = Some(Sourced::header(Duration::from_seconds(4)));
    VideoInfo::select(&ContainerInfo { duration, tracks, fragmented: false })
}

fn cover(mut track: Track) -> Track {
    if let TrackKind::Video(video) = &mut track.kind {
        video.attached_picture = true;
    }
    track
}

fn off(mut track: Track) -> Track {
    track.enabled = false;
    track
}

#[test]
fn the_first_filled_track_that_is_switched_on_and_no_cover_is_taken() {
    let tracks = vec![
        cover(video(1, Some(1))),
        video(2, Some(0)),
        off(video(3, Some(5))),
        video(4, None),
        video(5, Some(5)),
    ];
    assert_eq!(select(tracks).unwrap().track_id, 4);
}

#[test]
fn switched_off_is_better_than_nothing() {
    assert_eq!(select(vec![off(video(1, Some(5)))]).unwrap().track_id, 1);
}

#[test]
fn covers_empty_tracks_and_sound_are_no_video() {
    assert_eq!(select(vec![audio(1, None), cover(video(2, Some(1))), video(3, Some(0))]), None);
    assert_eq!(select(Vec::new()), None);
}

#[test]
fn lengths_and_sizes_are_passed_on() {
    let info = select(vec![video(1, Some(75))]).unwrap();
    assert_eq!(info.size, Dimensions::new(48, 64).unwrap());
    assert_eq!((info.rotation, info.frames), (90, Some(75)));
    assert_eq!(info.container, Some(Duration::from_seconds(4)));
    assert_eq!(info.track, Some(Duration::from_seconds(2)));
    assert_eq!(info.frame_span, Some(Duration::from_seconds(3)));
    assert_eq!(info.length(), info.track);
    assert_eq!(info.audio, None);
}

#[test]
fn a_track_without_a_length_falls_back_to_the_container() {
    let mut silent = video(1, Some(5));
    silent.presented = None;
    assert_eq!(select(vec![silent]).unwrap().length(), Some(Duration::from_seconds(4)));
}

#[test]
fn the_first_filled_sound_is_taken_and_its_decoded_length_preferred() {
    let mut empty = audio(2, None);
    empty.span = Some(Duration::ZERO);
    let decoded = Some(Duration::from_seconds(1));
    let info = select(vec![video(1, Some(5)), empty, audio(3, decoded), audio(4, None)]).unwrap();
    let sound = info.audio.unwrap();
    assert_eq!((sound.duration, sound.sample_rate, sound.channels), (decoded, 44_100, 2));
    let info = select(vec![video(1, Some(5)), audio(2, None)]).unwrap();
    assert_eq!(info.audio.unwrap().duration, Some(Duration::from_seconds(2)));
}

#[test]
fn encryption_of_either_track_counts() {
    let mut locked = audio(2, None);
    locked.protected = true;
    assert!(select(vec![video(1, Some(5)), locked]).unwrap().protected);
    assert!(!select(vec![video(1, Some(5))]).unwrap().protected);
}
