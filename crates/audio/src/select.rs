//! Sound tracks of containers.

use mediaprep_container::ContainerInfo;
use mediaprep_media::Sourced;

use crate::info::AudioInfo;

impl AudioInfo {
    /// The facts of a container that holds sound alone: its first enabled track of sound. `None`
    /// when it has none.
    pub fn select(container: &ContainerInfo) -> Option<Self> {
        let enabled = container.audio_tracks().find(|(track, _)| track.enabled);
        let (track, audio) = enabled.or_else(|| container.audio_tracks().next())?;
        Some(Self {
            // A movie header may run on far beyond the only track that a player plays.
            container: track.presented.or(container.duration),
            decoded: audio.decoded.map(Sourced::header).or(track.presented),
            ..Self::new(track.codec.clone(), audio.sample_rate, audio.channels)
        })
    }
}

#[cfg(test)]
mod tests {
    use mediaprep_container::{AudioTrack, Track, TrackKind};
    use mediaprep_media::Duration;

    use super::*;

    fn track(enabled: bool, decoded: Option<Duration>) -> Track {
        Track {
            id: 1,
            codec: "aac".to_owned(),
            kind: TrackKind::Audio(AudioTrack { sample_rate: 44_100, channels: 0, decoded }),
            delay: Duration::ZERO,
            presented: Some(Sourced::header(Duration::from_seconds(3))),
            span: None,
            protected: false,
            enabled,
        }
    }

    fn container(tracks: Vec<Track>) -> ContainerInfo {
        ContainerInfo { duration: None, tracks, fragmented: false }
    }

    #[test]
    fn the_first_enabled_track_is_taken() {
        let two = Duration::from_seconds(2);
        let info = AudioInfo::select(&container(vec![track(false, None), track(true, Some(two))]));
        let info = info.unwrap();
        assert_eq!((info.sample_rate, info.channels), (Some(44_100), None));
        assert_eq!(info.decoded, Some(Sourced::header(two)));
        assert_eq!(info.container, Some(Sourced::header(Duration::from_seconds(3))));
    }

    #[test]
    fn a_container_without_sound_gives_none() {
        assert_eq!(AudioInfo::select(&container(Vec::new())), None);
        assert!(AudioInfo::select(&container(vec![track(false, None)])).is_some());
    }
}
