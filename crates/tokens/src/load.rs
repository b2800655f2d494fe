//! From the written tables to checked rows, with errors that name the row.

use mediaprep_media::{MediaResolution, Modality};

use crate::count::Evidence;
use crate::formula::{Basis, Formula};
use crate::known::{AnswerError, KnownAnswer};
use crate::row::{
    Coverage, Figure, FrameRule, Length, LevelScope, PictureRule, RequestExtra, Row, SilentRule,
    SoundRule, SoundtrackRule, Special, TimestampRule, VideoRule, VideoRules,
};
use crate::schema::{
    Extra, Frames, Ignored, Kind, Picture, RouteRule, Rule, Sound, SoundKind,
    Special as RawSpecial, Timestamp, Tokens, WithoutTrack,
};

/// The schema number that the data files carry.
pub const SCHEMA: u32 = 1;

/// Why a data file cannot be used. Every error about a row names it.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The text is no TOML of the expected shape.
    #[error("{} cannot be read: {message}", place(row.as_deref()))]
    Syntax {
        /// The row in which reading stopped, where one is open there.
        row: Option<String>,
        /// What the TOML reader found and expected, with line and column.
        message: String,
    },
    /// The file has another schema number.
    #[error("schema {found} is not supported; allowed: {SCHEMA}")]
    Schema {
        /// The number in the file.
        found: u32,
    },
    /// A row's fields do not go together.
    #[error("row `{row}`: {reason}")]
    Invalid {
        /// The row's id.
        row: String,
        /// What was found and what was expected.
        reason: String,
    },
    /// Two rows have the same id.
    #[error("row `{row}` stands twice")]
    Duplicate {
        /// The shared id.
        row: String,
    },
    /// Two rows hold for the same key.
    #[error("rows `{first}` and `{second}` both hold for {key}")]
    Overlap {
        /// The earlier row's id.
        first: String,
        /// The later row's id.
        second: String,
        /// The key that both would answer.
        key: String,
    },
    /// A row charges but has no answer to prove it by.
    #[error("row `{row}` charges but has no known answer")]
    NoKnownAnswer {
        /// The row's id.
        row: String,
    },
    /// A row contradicts its own known answer.
    #[error("row `{row}`: {source}")]
    KnownAnswer {
        /// The row's id.
        row: String,
        /// Which answer and what the row says instead.
        source: AnswerError,
    },
}

fn place(row: Option<&str>) -> String {
    row.map_or_else(|| "the rule file".to_owned(), |row| format!("row `{row}`"))
}

/// A reason a table is refused; the caller adds the row.
type Reason = String;

/// Checks one written rule.
pub(crate) fn row(rule: Rule) -> Result<Row, LoadError> {
    let id = rule.id.clone();
    build(rule).map_err(|reason| LoadError::Invalid { row: id, reason })
}

fn build(rule: Rule) -> Result<Row, Reason> {
    if rule.models.is_empty() {
        return Err("no models are named".to_owned());
    }
    if let Some(stranger) = rule.measured_on.iter().find(|name| !rule.models.contains(name)) {
        return Err(format!("`{stranger}` is measured but is no model of the row"));
    }
    if let Some(until) = rule.until.filter(|until| *until < rule.since) {
        return Err(format!("until {until} is before since {}", rule.since));
    }
    let image = picture_coverage(rule.image, Modality::Image, "image")?;
    let page = picture_coverage(rule.page, Modality::Document, "page")?;
    let main = RouteRule {
        frame: rule.frame,
        frames: rule.frames,
        timestamp: rule.timestamp,
        soundtrack: rule.soundtrack,
    };
    let video = video_coverage(&main, rule.route.file.as_ref(), rule.route.uri.as_ref())?;
    let audio = audio_coverage(rule.audio)?;
    let levels = rule.levels.unwrap_or_else(|| offered_levels(&image, &page, &video));
    Ok(Row {
        id: rule.id,
        models: rule.models,
        measured_on: rule.measured_on,
        services: rule.service.into_vec(),
        meter: rule.meter,
        since: rule.since,
        until: rule.until,
        lookup: rule.lookup,
        levels,
        ignores_levels: rule.ignores.contains(&Ignored::Levels),
        ignores_fps: rule.ignores.contains(&Ignored::Fps),
        takes_fps: rule.takes_fps,
        image,
        page,
        video,
        audio,
        request_extra: rule.request_extra.map(extra),
        output_images: rule.output_image,
        known: rule.known.into_iter().map(known).collect(),
        sources: rule.sources,
        note: rule.note,
    })
}

/// Where a row that does not say takes levels: at the part when ultra-high is offered, for the
/// request when any level is.
fn offered_levels(
    image: &Coverage<PictureRule>,
    page: &Coverage<PictureRule>,
    video: &Coverage<Box<VideoRules>>,
) -> LevelScope {
    let offers = |coverage: &Coverage<PictureRule>, level| match coverage {
        Coverage::Charged(rule) => rule.at_level(level).is_some(),
        _ => false,
    };
    if offers(image, MediaResolution::UltraHigh) {
        return LevelScope::Part;
    }
    let frames = match video {
        Coverage::Charged(rules) => rules.inline.frame.low.is_some(),
        _ => false,
    };
    if frames || offers(image, MediaResolution::Low) || offers(page, MediaResolution::Low) {
        LevelScope::Request
    } else {
        LevelScope::None
    }
}

fn extra(extra: Extra) -> RequestExtra {
    let basis = Basis { evidence: extra.evidence, points: None, note: extra.note };
    RequestExtra { tokens: extra.tokens, basis }
}

fn known(known: crate::schema::Known) -> KnownAnswer {
    let tokens = match known.tokens {
        Tokens::Text(text) => text,
        Tokens::List(list) => {
            let numbers: Vec<String> = list.iter().map(u64::to_string).collect();
            numbers.join(",")
        }
    };
    KnownAnswer { request: known.request, tokens }
}

fn picture_coverage(
    picture: Option<Picture>,
    medium: Modality,
    field: &str,
) -> Result<Coverage<PictureRule>, Reason> {
    match picture {
        None => Ok(Coverage::NotCovered),
        Some(picture) if picture.kind == Kind::NotAccepted => Ok(Coverage::NotAccepted),
        Some(picture) => picture_rule(&picture, medium, field).map(Coverage::Charged),
    }
}

fn picture_rule(picture: &Picture, medium: Modality, field: &str) -> Result<PictureRule, Reason> {
    let formula = default_formula(picture, field)?;
    if formula.is_tiled() && medium == Modality::Document {
        return Err(format!("`{field}` cannot be cut into tiles: a page has no pixels"));
    }
    let evidence = picture.evidence.ok_or_else(|| format!("`{field}` has no evidence"))?;
    let basis = Basis { evidence, points: picture.points, note: picture.note.clone() };
    let special = |raw: &Option<RawSpecial>| {
        raw.as_ref().map(|raw| special(raw, picture.kind, evidence, field)).transpose()
    };
    Ok(PictureRule {
        default: Figure { formula, basis, small_evidence: picture.small_evidence },
        low: special(&picture.low)?,
        medium: special(&picture.medium)?,
        high: special(&picture.high)?,
        ultra_high: special(&picture.ultra_high)?,
        several: special(&picture.several)?,
        in_function_response: special(&picture.in_function_response)?,
        file_in_function_response: special(&picture.file_in_function_response)?,
        reported_as: picture.reported_as.unwrap_or(medium),
    })
}

fn default_formula(picture: &Picture, field: &str) -> Result<Formula, Reason> {
    let number = || picture.default.ok_or_else(|| format!("`{field}` has no default"));
    let overview = || picture.overview.ok_or_else(|| format!("`{field}` has no overview"));
    if picture.overview.is_some() && !matches!(picture.kind, Kind::CropTiles | Kind::UnclampedTiles)
    {
        return Err(format!("`{field}` has an overview but is not cut into tiles"));
    }
    match picture.kind {
        Kind::Flat => Ok(Formula::Flat { tokens: number()? }),
        Kind::AtMost => Ok(Formula::AtMost { tokens: number()? }),
        Kind::AspectFit => aspect_fit(number()?, field),
        Kind::CropTiles => Ok(Formula::CropTiles { overview: overview()? }),
        Kind::UnclampedTiles => Ok(Formula::UnclampedTiles { overview: overview()? }),
        Kind::LongSideTiles => Ok(Formula::LongSideTiles),
        Kind::NotAccepted => Err(format!("`{field}` is not accepted")),
    }
}

fn aspect_fit(budget: u32, field: &str) -> Result<Formula, Reason> {
    if budget == 0 {
        return Err(format!("`{field}` has a budget of 0; at least 1 is needed"));
    }
    Ok(Formula::AspectFit { budget })
}

/// A bare number is a budget for aspect-fit, a ceiling for at-most, and flat tokens for all others.
fn special(
    raw: &RawSpecial,
    kind: Kind,
    evidence: Evidence,
    field: &str,
) -> Result<Special, Reason> {
    let table = match raw {
        RawSpecial::Number(number) => {
            let formula = match kind {
                Kind::AspectFit => aspect_fit(*number, field)?,
                Kind::AtMost => Formula::AtMost { tokens: *number },
                _ => Formula::Flat { tokens: *number },
            };
            let basis = Basis::bare(evidence);
            return Ok(Special::Own(Figure { formula, basis, small_evidence: None }));
        }
        RawSpecial::Table(table) => table,
    };
    let basis = Basis { evidence: table.evidence, points: table.points, note: table.note.clone() };
    let formula = match (table.flat, table.aspect_fit, table.at_most, table.as_default) {
        (Some(tokens), None, None, false) => Formula::Flat { tokens },
        (None, Some(budget), None, false) => aspect_fit(budget, field)?,
        (None, None, Some(tokens), false) => Formula::AtMost { tokens },
        (None, None, None, true) => return Ok(Special::AsDefault(basis)),
        _ => {
            return Err(format!(
                "`{field}` needs exactly one of flat, aspect-fit, at-most and as-default"
            ));
        }
    };
    Ok(Special::Own(Figure { formula, basis, small_evidence: table.small_evidence }))
}

fn video_coverage(
    main: &RouteRule,
    file: Option<&RouteRule>,
    uri: Option<&RouteRule>,
) -> Result<Coverage<Box<VideoRules>>, Reason> {
    match &main.frame {
        None => return Ok(Coverage::NotCovered),
        Some(frame) if frame.kind == Kind::NotAccepted => return Ok(Coverage::NotAccepted),
        Some(_) => {}
    }
    let nothing = RouteRule::default();
    Ok(Coverage::Charged(Box::new(VideoRules {
        inline: video_rule(main, &nothing)?,
        file: video_rule(main, file.unwrap_or(&nothing))?,
        uri: video_rule(main, uri.unwrap_or(&nothing))?,
    })))
}

/// The rule of one route: what it states itself, else what the row states.
fn video_rule(main: &RouteRule, route: &RouteRule) -> Result<VideoRule, Reason> {
    let missing = |field: &str| format!("`frame` needs `{field}` beside it");
    let frame = route.frame.as_ref().or(main.frame.as_ref()).ok_or_else(|| missing("frame"))?;
    let frames = route.frames.as_ref().or(main.frames.as_ref());
    let stamps = route.timestamp.as_ref().or(main.timestamp.as_ref());
    let sound = route.soundtrack.as_ref().or(main.soundtrack.as_ref());
    Ok(VideoRule {
        frame: picture_rule(frame, Modality::Video, "frame")?,
        frames: frame_rule(frames.ok_or_else(|| missing("frames"))?)?,
        timestamp: timestamp_rule(stamps.ok_or_else(|| missing("timestamp"))?),
        soundtrack: soundtrack_rule(sound.ok_or_else(|| missing("soundtrack"))?)?,
    })
}

fn frame_rule(frames: &Frames) -> Result<FrameRule, Reason> {
    if frames.from == Length::AudioTrack || frames.from == Length::Decoded {
        return Err("`frames` go by container, video-track or frames".to_owned());
    }
    Ok(FrameRule {
        from: frames.from,
        rounding: frames.rounding,
        min: frames.min,
        first_seconds: frames.first_seconds,
        basis: Basis {
            evidence: frames.evidence,
            points: frames.points,
            note: frames.note.clone(),
        },
    })
}

fn timestamp_rule(stamps: &Timestamp) -> TimestampRule {
    TimestampRule {
        first_hour: stamps.first_hour,
        later: stamps.later,
        first_hour_above_one_fps: stamps.first_hour_above_one_fps.unwrap_or(stamps.first_hour),
        later_above_one_fps: stamps.later_above_one_fps.unwrap_or(stamps.later),
        basis: Basis { evidence: stamps.evidence, points: None, note: stamps.note.clone() },
        later_evidence: stamps.later_evidence.unwrap_or(stamps.evidence),
    }
}

fn audio_coverage(sound: Option<Sound>) -> Result<Coverage<SoundRule>, Reason> {
    let Some(sound) = sound else { return Ok(Coverage::NotCovered) };
    if sound.kind == Some(SoundKind::NotAccepted) {
        return Ok(Coverage::NotAccepted);
    }
    let rule = sound_rule(&sound, "audio")?;
    if !matches!(rule.from, Length::Container | Length::Decoded) {
        return Err("`audio` goes by container or decoded".to_owned());
    }
    if sound.without_track.is_some() {
        return Err("`audio` has no track to be without".to_owned());
    }
    Ok(Coverage::Charged(rule))
}

fn sound_rule(sound: &Sound, field: &str) -> Result<SoundRule, Reason> {
    let missing = |what: &str| format!("`{field}` has no {what}");
    let evidence = sound.evidence.ok_or_else(|| missing("evidence"))?;
    Ok(SoundRule {
        per_second: sound.per_second.ok_or_else(|| missing("per-second"))?,
        rounding: sound.rounding.ok_or_else(|| missing("rounding"))?,
        from: sound.from.ok_or_else(|| missing("from"))?,
        basis: Basis { evidence, points: sound.points, note: sound.note.clone() },
        rounding_evidence: sound.rounding_evidence.unwrap_or(evidence),
    })
}

fn soundtrack_rule(sound: &Sound) -> Result<Option<SoundtrackRule>, Reason> {
    if sound.kind == Some(SoundKind::Ignored) {
        return Ok(None);
    }
    let rule = sound_rule(sound, "soundtrack")?;
    if rule.from == Length::Decoded {
        return Err("`soundtrack` goes by container, video-track, audio-track or frames".to_owned());
    }
    let charged_by = match sound.without_track {
        Some(WithoutTrack::Charged(false)) => None,
        Some(WithoutTrack::By(length)) => Some(length),
        Some(WithoutTrack::Charged(true)) | None => {
            return Err("`soundtrack` needs without-track: false or a length".to_owned());
        }
    };
    let evidence = sound.without_track_evidence.unwrap_or(rule.basis.evidence);
    let basis = Basis { evidence, points: None, note: sound.without_track_note.clone() };
    Ok(Some(SoundtrackRule {
        sound: rule,
        silent: SilentRule { charged_by, basis },
        reported_as: sound.reported_as.unwrap_or(Modality::Audio),
    }))
}
