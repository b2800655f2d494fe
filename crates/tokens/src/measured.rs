//! What a service has counted or charged: rows that a client writes as evidence, in the rule book's
//! own format, and how they compare with the rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mediaprep_media::Duration;
use serde::{Deserialize, Serialize};

use crate::facts::{Clip, ItemFacts, MediaFacts, VideoFacts};
use crate::key::{Date, Meter, RuleKey, Service};
use crate::known::parse_request;
use crate::{AnswerError, LoadError, RequestShape, Route, RuleBook};

/// One request and what a service says of it: a `[[measured]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Measured {
    /// The model that was asked.
    pub model: String,
    /// The exact version that answered, where the service says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// The service that was asked.
    pub service: Service,
    /// Whose number it is.
    pub meter: Meter,
    /// The day.
    pub on: Date,
    /// The media, as `known` requests are written; text alone is empty.
    pub request: String,
    /// Characters of text that went along.
    #[serde(default)]
    pub characters: u64,
    /// Tokens of the input in all.
    pub tokens: u64,
    /// The same by the service's own words, such as `IMAGE`; empty where it does not say.
    #[serde(default)]
    pub details: BTreeMap<String, u64>,
    /// The row of the rule book that was counted by, and what it gave for the media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
}

impl Measured {
    /// The media.
    ///
    /// # Errors
    ///
    /// A request that breaks the grammar.
    pub fn items(&self) -> Result<Vec<ItemFacts>, AnswerError> {
        if self.request.is_empty() { Ok(Vec::new()) } else { parse_request(&self.request) }
    }

    /// What the service says of the media alone: everything but text, or nothing where it does not
    /// split its count and there was text.
    pub fn media_tokens(&self) -> Option<u64> {
        if self.details.is_empty() {
            return (self.characters == 0).then_some(self.tokens);
        }
        Some(self.details.iter().filter(|(word, _)| *word != "TEXT").map(|(_, n)| n).sum())
    }

    /// What a book says of the same media; nothing where it has no rule for them.
    pub fn by_rules(&self, book: &RuleBook) -> Option<u64> {
        let key = RuleKey {
            model: self.model.clone(),
            service: self.service,
            meter: self.meter,
            date: self.on,
        };
        let row = book.find(&key).ok()?.row;
        let items = self.items().ok()?;
        let shape = RequestShape::of(&items);
        items.iter().try_fold(0u64, |sum, item| {
            let count = row.count_item(item, shape, &self.model).ok()?;
            Some(sum.saturating_add(count.tokens()))
        })
    }

    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let row = format!("measured {} on {}", self.model, self.on);
        self.items().map(drop).map_err(|source| LoadError::KnownAnswer { row, source })
    }
}

/// The text of a request: what [`parse_request`] reads. Lengths are written with nine decimals at
/// most, and pages of several sizes as an item for each.
pub fn request_text(items: &[ItemFacts]) -> String {
    items.iter().flat_map(item_texts).collect::<Vec<_>>().join(" + ")
}

fn item_texts(item: &ItemFacts) -> Vec<String> {
    let mut texts = match &item.media {
        MediaFacts::Image(image) => {
            let one = format!("image {}x{}", image.size.width(), image.size.height());
            vec![one; usize::try_from(image.copies).unwrap_or(1).clamp(1, 10_000)]
        }
        MediaFacts::Document(document) => {
            let run = |run: &crate::facts::PageRun| {
                let points = |thousandths: u32| decimal(u64::from(thousandths), 1000);
                let size = format!("{}x{}", points(run.size.width), points(run.size.height));
                format!("page {size} x{}", run.pages)
            };
            document.runs.iter().map(run).collect()
        }
        MediaFacts::Audio(audio) => {
            let mut text = "audio".to_owned();
            push_length(&mut text, "container", audio.container);
            push_length(&mut text, "decoded", audio.decoded);
            vec![text]
        }
        MediaFacts::Video(video) => vec![video_text(video)],
    };
    let words = common_words(item);
    texts.iter_mut().for_each(|text| text.push_str(&words));
    texts
}

fn video_text(video: &VideoFacts) -> String {
    let mut text = format!("video {}x{}", video.size.width(), video.size.height());
    push_length(&mut text, "container", video.container);
    push_length(&mut text, "track", video.track);
    if let Some(span) = video.frame_span {
        let _ = write!(text, " frames={}/{}", span.ticks(), span.timescale());
    }
    match video.audio {
        Some(length) => push_length(&mut text, "audio", Some(length)),
        None => text.push_str(" audio=none"),
    }
    if let Some(fps) = video.fps {
        let _ = write!(text, " fps={}", decimal(fps.numerator().into(), fps.denominator().into()));
    }
    if video.clip != Clip::default() {
        let point = |at: Option<Duration>| at.map(length).unwrap_or_default();
        let _ = write!(text, " clip={}..{}", point(video.clip.start), point(video.clip.end));
    }
    text
}

fn common_words(item: &ItemFacts) -> String {
    use mediaprep_media::MediaResolution as Level;

    let mut words = String::new();
    if let Some(asked) = item.level {
        words.push_str(match asked.level {
            Level::Low => " low",
            Level::Medium => " medium",
            Level::High => " high",
            Level::UltraHigh => " ultra",
        });
    }
    if item.in_function_response {
        words.push_str(" in-function-response");
    }
    words.push_str(match item.route {
        Route::Inline => "",
        Route::File => " route=file",
        Route::Uri => " route=uri",
    });
    words
}

fn push_length(text: &mut String, key: &str, value: Option<Duration>) {
    if let Some(value) = value {
        let _ = write!(text, " {key}={}", length(value));
    }
}

fn length(value: Duration) -> String {
    decimal(value.ticks(), u64::from(value.timescale()))
}

/// A fraction with up to nine decimals, none of them a useless zero.
fn decimal(numerator: u64, denominator: u64) -> String {
    let nanos = u128::from(numerator) * 1_000_000_000 / u128::from(denominator.max(1));
    let (whole, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let text = format!("{whole}.{fraction:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "image 768x512",
            "image 768x512 high + image 5x9 ultra + image 5x9 ultra",
            "page 612x792 x17 + page 595.276x841.89 x1 route=file",
            "audio container=0.828 decoded=0.74",
            "video 640x360 container=4 track=4.000001 frames=20/5 audio=3.9 fps=0.5 clip=1..2.5 low \
             in-function-response route=uri",
            "video 640x360 audio=none clip=..2",
        ] {
            let items = parse_request(text).unwrap();
            let written = request_text(&items);
            assert_eq!(parse_request(&written).unwrap(), items, "{written}");
        }
    }

    #[test]
    fn a_row_is_held_against_the_rules() {
        let book = RuleBook::builtin();
        let measured = Measured {
            model: "gemini-2.0-flash".to_owned(),
            model_version: None,
            service: Service::DeveloperApi,
            meter: Meter::Billed,
            on: "2026-02-01".parse().unwrap(),
            request: "image 1200x1800".to_owned(),
            characters: 8,
            tokens: 1806 + 2,
            details: [("IMAGE".to_owned(), 1806), ("TEXT".to_owned(), 2)].into(),
            row: None,
        };
        assert_eq!(measured.media_tokens(), Some(1806));
        assert_eq!(measured.by_rules(&book), Some(1806));
        // Two pictures together are charged otherwise.
        let two =
            Measured { request: "image 1200x1800 + image 64x64".to_owned(), ..measured.clone() };
        assert_eq!(two.by_rules(&book), Some(516));
        let unsplit = Measured { details: BTreeMap::new(), ..measured.clone() };
        assert_eq!(unsplit.media_tokens(), None);
        let unknown = Measured { model: "other".to_owned(), ..measured };
        assert_eq!(unknown.by_rules(&book), None);
    }
}
