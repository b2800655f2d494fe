//! What becomes of one sound, alone or beside a video. Pure: header facts and the rule in, a plan
//! out.

use mediaprep_audio::{AudioFormat, AudioProfile};
use mediaprep_media::{Duration, MimeType};
use mediaprep_tokens::Clip;
use serde::{Serialize, Serializer};

use super::options::AudioOptions;
use super::role::{How, Reason, Role};
use super::time;
use crate::error::{Error, ErrorKind, Stage};
use crate::plan::Charge;
use crate::probe::Probed;
use crate::rules::{RuleSet, SentAs};

/// Samples a second of every sound that is made: what speech models hear.
pub(super) const SAMPLE_RATE: u32 = 16_000;

/// What becomes of one sound.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AudioPlan {
    /// What is done to its bytes.
    pub how: How,
    /// Why; empty when nothing is done.
    pub why: Vec<Reason>,
    /// How it is written; `None` when its bytes are passed on.
    pub sound: Option<SoundPlan>,
}

/// How a sound is written: mono, 16 000 samples a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SoundPlan {
    /// What it is for.
    #[serde(serialize_with = "profile")]
    pub profile: AudioProfile,
    /// What it is written as.
    #[serde(serialize_with = "format")]
    pub format: AudioFormat,
    /// Where it begins, in the time of the source.
    #[serde(rename = "start_s", serialize_with = "time::seconds")]
    pub start: Duration,
    /// Where it ends; `None` is its end.
    #[serde(rename = "end_s", serialize_with = "time::some_seconds")]
    pub end: Option<Duration>,
    /// The longest piece; `None` makes one part.
    #[serde(rename = "segment_s", serialize_with = "time::some_seconds")]
    pub segment: Option<Duration>,
    /// How long it is by the headers, as far as they tell.
    #[serde(rename = "duration_s", serialize_with = "time::some_seconds")]
    pub length: Option<Duration>,
}

fn profile<S: Serializer>(profile: &AudioProfile, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match profile {
        AudioProfile::Speech => "speech",
        AudioProfile::Lossless => "lossless",
        AudioProfile::OneKbps => "1kbps",
    })
}

fn format<S: Serializer>(format: &AudioFormat, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(format.extension())
}

impl SoundPlan {
    /// The type of what is written.
    pub(super) const fn mime(&self) -> Option<MimeType> {
        self.format.mime_type()
    }

    /// What each piece will be like, as far as the headers tell.
    pub(super) fn pieces(&self) -> Vec<(Role, Duration)> {
        let whole = self.length.unwrap_or(Duration::ZERO);
        let Some(piece) = self.segment.filter(|piece| *piece < whole) else {
            return vec![(Role::Sound { segment: None }, whole)];
        };
        let piece_of = |number: u64| {
            let before = time::times(piece, number);
            let segment = Some(number + 1);
            (Role::Sound { segment }, whole.saturating_sub(before).min(piece))
        };
        (0..time::pieces(whole, piece)).map(piece_of).collect()
    }
}

/// Plans one sound file, of which only a window may be wanted.
///
/// # Errors
///
/// What the count says, and when no format that the service takes can be written here.
pub(super) fn plan_audio(
    probed: &Probed,
    charge: Result<Charge, Error>,
    rules: &RuleSet<'_>,
    (options, clip): (&AudioOptions, Clip),
) -> Result<(AudioPlan, Option<Charge>), Error> {
    let (as_is, refused) = unless_refused(charge)?;
    let sent = rules.sent_as(probed);
    let why: Vec<Reason> = [
        (Reason::TypeNotTaken, refused || !matches!(sent, Ok(SentAs::AsIs(_)))),
        (Reason::FormatAsked, options.profile.is_some()),
        (Reason::Split, options.segment.is_some_and(|piece| outlasts(probed, clip, piece))),
        (Reason::Clipped, clip != Clip::default()),
    ]
    .into_iter()
    .filter_map(|(reason, holds)| holds.then_some(reason))
    .collect();
    if why.is_empty() {
        return Ok((AudioPlan { how: How::Passed, why, sound: None }, as_is));
    }
    let sound = plan_sound(probed, rules, options, (clip, length(probed)))?;
    let sound = Some(sound.ok_or_else(|| takes_none(probed, rules))?);
    Ok((AudioPlan { how: How::Transcoded, why, sound }, as_is))
}

/// Whether the window of a sound is longer than a piece; one of unknown length may be.
fn outlasts(probed: &Probed, clip: Clip, piece: Duration) -> bool {
    let start = clip.start.unwrap_or(Duration::ZERO);
    let end = [length(probed), clip.end].into_iter().flatten().min();
    end.is_none_or(|end| end.saturating_sub(start) > piece)
}

fn length(probed: &Probed) -> Option<Duration> {
    match &probed.info {
        crate::MediaInfo::Audio(audio) => audio.decoded.or(audio.container).map(|fact| fact.value),
        _ => None,
    }
}

/// A file whose type the service refuses costs nothing as it is; every other trouble stays one.
pub(super) fn unless_refused(
    charge: Result<Charge, Error>,
) -> Result<(Option<Charge>, bool), Error> {
    match charge {
        Ok(charge) => Ok((Some(charge), false)),
        Err(error) if error.code() == REFUSED => Ok((None, true)),
        Err(error) => Err(error),
    }
}

/// The same where another form is sent, so that it does not matter whether the model takes this one.
pub(super) fn unless_untaken(charge: Result<Charge, Error>) -> Result<Option<Charge>, Error> {
    match charge {
        Ok(charge) => Ok(Some(charge)),
        Err(error) if matches!(error.kind(), ErrorKind::NoRule | ErrorKind::Unsupported) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

const REFUSED: &str = mediaprep_media::WarningCode::TypeRefused.as_str();

/// How a sound of the given window is written; `None` where the service takes no sound at all.
///
/// # Errors
///
/// When no format that the service takes can be written here.
pub(super) fn plan_sound(
    probed: &Probed,
    rules: &RuleSet<'_>,
    options: &AudioOptions,
    (clip, length): (Clip, Option<Duration>),
) -> Result<Option<SoundPlan>, Error> {
    // Opus in Ogg goes by its own verdict, under whatever name that has.
    let accepts = |mime: MimeType| mime != MimeType::Ogg && rules.takes(mime);
    let writable = AudioFormat::ALL.iter().filter_map(|format| format.mime_type());
    if !writable.into_iter().any(accepts) {
        return Ok(None);
    }
    let profile = options.profile.unwrap_or_default();
    let format = profile.format(&accepts).ok_or_else(|| no_writer(probed, profile))?;
    let start = clip.start.unwrap_or(Duration::ZERO);
    let end = clip.end.or(length).map(|end| end.min(length.unwrap_or(end)));
    let length = end.map(|end| end.saturating_sub(start));
    Ok(Some(SoundPlan { profile, format, start, end: clip.end, segment: options.segment, length }))
}

fn no_writer(probed: &Probed, profile: AudioProfile) -> Error {
    let message = match profile {
        AudioProfile::OneKbps => "Codec2 is missing from this build or this machine's FFmpeg",
        _ => "this build writes no sound that the service takes",
    };
    Error::new(&probed.name, Stage::Plan, ErrorKind::BackendUnavailable, message).with_hint(
        "build with the feature `ffmpeg`, on an FFmpeg with libopus, libmp3lame and libcodec2",
    )
}

pub(super) fn takes_none(probed: &Probed, rules: &RuleSet<'_>) -> Error {
    let message = format!("{} takes no sound", rules.key.model);
    Error::new(&probed.name, Stage::Plan, ErrorKind::Unsupported, message)
        .with_hint("choose a model that takes this kind of medium")
}
