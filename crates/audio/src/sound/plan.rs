//! What is known about a sound before it is decoded: where it lies, how long it must be, and which
//! decoder takes it.

use mediaprep_container::{ContainerInfo, Track};
use mediaprep_media::{Duration, Error, Limits, MimeType, Provenance, Warning, WarningCode};

use super::shared::Shared;
use crate::AudioInfo;

/// Which sound of a file is decoded, and what its headers say about it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) mime: MimeType,
    /// The codec's short name.
    pub(crate) codec: String,
    /// Which track of a container; `None` for files that hold sound alone.
    pub(crate) track: Option<Choice>,
    /// How long the decoded sound is, where the file defines it.
    pub(crate) expected: Option<Duration>,
    /// Silence before the sound.
    pub(crate) delay: Delay,
    /// Whether a header states the length, rather than counted frames.
    pub(crate) stated: bool,
    /// Samples per second, as far as the headers tell.
    pub(crate) rate: u32,
    /// What the probe found damaged.
    pub(crate) damage: Option<Warning>,
}

/// A sound track of a container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// The number by which the container names it.
    pub(crate) id: u64,
    /// How many sound tracks come before it.
    pub(crate) ordinal: usize,
}

/// How the sound's first sample is placed in the container's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delay {
    /// Silence of this length comes first.
    Known(Duration),
    /// The first packet's time tells.
    InPackets,
}

impl Plan {
    /// Reads the headers.
    pub(crate) fn of(
        source: &Shared,
        mime: MimeType,
        track: Option<u64>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        limits.check_bytes(source.length())?;
        let mut reader = source.clone();
        if is_container(mime) {
            let found = mediaprep_container::probe(&mut reader, mime, limits)?;
            let plan = Self::in_container(&found.value, mime, track)?;
            return Ok(Self { damage: damage(found.warnings), ..plan });
        }
        let found = crate::probe(&mut reader, mime, limits)?;
        Ok(Self::alone(found.value, mime, found.warnings))
    }

    /// Samples by which the decoder may fall short: a container's table often says that its last
    /// packet lasts longer than the codec's frames do.
    pub(crate) fn slack(&self) -> u64 {
        let table = self.track.is_some() || self.mime == MimeType::Caf;
        if table { 4096 } else { 0 }
    }

    /// A file that holds sound alone.
    fn alone(info: AudioInfo, mime: MimeType, warnings: Vec<Warning>) -> Self {
        let guessed = warnings.iter().any(|w| w.code == WarningCode::DurationEstimated);
        let stated = info.decoded.is_some_and(|length| length.from == Provenance::Header);
        let decoded = info.decoded.map(|length| length.value).filter(|_| !guessed);
        Self {
            mime,
            codec: info.codec.into_owned(),
            track: None,
            expected: decoded,
            delay: Delay::Known(Duration::ZERO),
            stated,
            rate: info.sample_rate.unwrap_or(0),
            damage: damage(warnings),
        }
    }

    /// A track of a container.
    fn in_container(
        info: &ContainerInfo,
        mime: MimeType,
        wanted: Option<u64>,
    ) -> Result<Self, Error> {
        let (ordinal, track) = chosen(info, wanted)?;
        if track.protected {
            return Err(Error::Encrypted { format: "sound track" });
        }
        let audio = info.audio_tracks().nth(ordinal).map(|(_, audio)| audio);
        let delay = if is_movie(mime) { Delay::Known(track.delay) } else { Delay::InPackets };
        Ok(Self {
            mime,
            codec: track.codec.clone(),
            track: Some(Choice { id: track.id, ordinal }),
            expected: audio.and_then(|audio| audio.decoded),
            delay,
            stated: true,
            rate: audio.map_or(0, |audio| audio.sample_rate),
            damage: None,
        })
    }
}

/// The wanted sound track, else the first enabled one, else the first.
fn chosen(info: &ContainerInfo, wanted: Option<u64>) -> Result<(usize, &Track), Error> {
    let tracks = || info.audio_tracks().map(|(track, _)| track).enumerate();
    let found = match wanted {
        Some(id) => tracks().find(|(_, track)| track.id == id),
        None => tracks().find(|(_, track)| track.enabled).or_else(|| tracks().next()),
    };
    let missing = match wanted {
        Some(_) => "a sound track that is not in the file",
        None => "a file without a sound track",
    };
    found.ok_or(Error::Unsupported(missing))
}

fn damage(warnings: Vec<Warning>) -> Option<Warning> {
    warnings.into_iter().find(|warning| warning.code == WarningCode::Damaged)
}

/// The MPEG-4 family, whose edit lists place the sound.
pub(crate) const fn is_movie(mime: MimeType) -> bool {
    matches!(
        mime,
        MimeType::Mp4
            | MimeType::QuickTime
            | MimeType::ThreeGpp
            | MimeType::M4a
            | MimeType::ThreeGppAudio
    )
}

/// Whether the container crate reads the headers.
const fn is_container(mime: MimeType) -> bool {
    is_movie(mime)
        || matches!(
            mime,
            MimeType::Webm
                | MimeType::Matroska
                | MimeType::WebmAudio
                | MimeType::MatroskaAudio
                | MimeType::Avi
                | MimeType::Flv
                | MimeType::Mpeg
                | MimeType::MpegTs
                | MimeType::Wmv
                | MimeType::Wma
        )
}
