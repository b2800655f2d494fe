//! Known answers: requests in the grammar of section 10 of the token rules, and what they cost.

use mediaprep_media::{Dimensions, Duration, FrameRate, MediaResolution};
use serde::{Deserialize, Serialize};

use crate::count::Bound;
use crate::facts::{
    AudioFacts, Clip, DocumentFacts, ImageFacts, ItemFacts, MediaFacts, PageBox, PageRun,
    RequestedLevel, Route, VideoFacts,
};
use crate::key::Meter;
use crate::request::RequestCount;
use crate::row::Row;

/// A request and what the row must say it costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownAnswer {
    /// Items joined by ` + `, such as `image 768x512` or `page 612x792 x2 low`.
    pub request: String,
    /// One number per item separated by commas; `v/a` for a video's frames and soundtrack; `,+1`
    /// the request extra; `<=n` an upper bound.
    pub tokens: String,
}

/// The text breaks the grammar, or the row gives another answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The text breaks the grammar.
    #[error("`{text}` is no {wanted}")]
    Grammar {
        /// What was found.
        text: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// The row gives another answer.
    #[error("`{request}` is {got} by the row and {wanted} by its known answer")]
    Differs {
        /// The request.
        request: String,
        /// What the row says.
        got: String,
        /// What it should say.
        wanted: String,
    },
}

impl KnownAnswer {
    /// Counts the request under `row`, for the first model it was measured on, and compares.
    pub fn replay(&self, row: &Row) -> Result<(), AnswerError> {
        let items = parse_request(&self.request)?;
        let wanted = Expected::parse(&self.tokens)?;
        let model = row.measured_on.first().or(row.models.first()).map_or("", String::as_str);
        let count = row.count(&items, model);
        if wanted.agrees(&count, row.meter) {
            return Ok(());
        }
        Err(AnswerError::Differs {
            request: self.request.clone(),
            got: Expected::of(&count).map_or_else(|| "an error".to_owned(), |got| got.to_string()),
            wanted: self.tokens.clone(),
        })
    }
}

/// What one item is expected to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ExpectedItem {
    tokens: u64,
    soundtrack: Option<u64>,
    bound: Bound,
}

/// What a request is expected to cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    items: Vec<ExpectedItem>,
    extra: Option<u64>,
}

impl Expected {
    /// Reads the tokens of a known answer.
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        let mut expected = Self { items: Vec::new(), extra: None };
        for field in text.split(',').map(str::trim) {
            match field.strip_prefix('+') {
                Some(extra) => expected.extra = Some(number(extra)?),
                None => expected.items.push(ExpectedItem::parse(field)?),
            }
        }
        Ok(expected)
    }

    /// What a count came to; `None` when an item could not be counted.
    fn of(count: &RequestCount) -> Option<Self> {
        let items = count.items.iter().map(|item| {
            let item = item.as_ref().ok()?;
            Some(ExpectedItem {
                tokens: item.media.tokens,
                soundtrack: item.soundtrack.map(|sound| sound.tokens),
                bound: item.bound(),
            })
        });
        let extra = count.request_extra.map(|extra| extra.tokens);
        Some(Self { items: items.collect::<Option<_>>()?, extra })
    }

    /// Whether a count is this answer. The billed meter reports the request extra among the text,
    /// which an answer about media leaves out; the other meters' answers state it.
    pub fn agrees(&self, count: &RequestCount, meter: Meter) -> bool {
        let Some(got) = Self::of(count) else { return false };
        let extra = self.extra == got.extra || (meter == Meter::Billed && self.extra.is_none());
        extra
            && self.items.len() == got.items.len()
            && self.items.iter().zip(&got.items).all(|(want, got)| want.agrees(*got))
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, item) in self.items.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let bound = if item.bound == Bound::AtMost { "<=" } else { "" };
            write!(f, "{comma}{bound}{}", item.tokens)?;
            if let Some(sound) = item.soundtrack {
                write!(f, "/{sound}")?;
            }
        }
        self.extra.map_or(Ok(()), |extra| write!(f, ",+{extra}"))
    }
}

impl ExpectedItem {
    fn parse(field: &str) -> Result<Self, AnswerError> {
        let (bound, rest) = match field.strip_prefix("<=") {
            Some(rest) => (Bound::AtMost, rest),
            None => (Bound::Exact, field),
        };
        let (tokens, soundtrack) = match rest.split_once('/') {
            Some((tokens, sound)) => (tokens, Some(number(sound)?)),
            None => (rest, None),
        };
        Ok(Self { tokens: number(tokens)?, soundtrack, bound })
    }

    /// A soundtrack that the model ignores is written as 0.
    fn agrees(self, got: Self) -> bool {
        self.tokens == got.tokens
            && self.bound == got.bound
            && self.soundtrack.unwrap_or(0) == got.soundtrack.unwrap_or(0)
    }
}

fn number(text: &str) -> Result<u64, AnswerError> {
    text.parse().map_err(|_| wrong(text, "number of tokens"))
}

fn wrong(text: &str, wanted: &'static str) -> AnswerError {
    AnswerError::Grammar { text: text.to_owned(), wanted }
}

/// Reads a request: items joined by ` + `.
///
/// An item is `image WxH`, `page WxH [xN]`, `audio [container=s] [decoded=s]` or
/// `video WxH container=s track=s audio=s|none [frames=count/rate] [fps=f] [clip=a..b]`, followed by
/// any of a level (`low`, `medium`, `high`, `ultra`), `in-function-response` and
/// `route=inline|file|uri`. The level `ultra` stands at the part, the others at the request.
pub fn parse_request(text: &str) -> Result<Vec<ItemFacts>, AnswerError> {
    text.split(" + ").map(parse_item).collect()
}

fn parse_item(text: &str) -> Result<ItemFacts, AnswerError> {
    let mut words = text.split_whitespace();
    let mut item = ItemFacts {
        media: start_of_item(&mut words).ok_or_else(|| wrong(text, "item of a request"))?,
        level: None,
        route: Route::Inline,
        in_function_response: false,
    };
    for word in words {
        take_word(&mut item, word).ok_or_else(|| wrong(word, "word of a request"))?;
    }
    Ok(item)
}

fn start_of_item<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<MediaFacts> {
    match words.next()? {
        "image" => Some(MediaFacts::Image(ImageFacts { size: size(words.next()?)?, copies: 1 })),
        "page" => {
            let size = page_box(words.next()?)?;
            Some(MediaFacts::Document(DocumentFacts { runs: vec![PageRun { size, pages: 1 }] }))
        }
        "audio" => Some(MediaFacts::Audio(AudioFacts { container: None, decoded: None })),
        "video" => Some(MediaFacts::Video(VideoFacts {
            size: size(words.next()?)?,
            container: None,
            track: None,
            frame_span: None,
            audio: None,
            fps: None,
            clip: Clip::default(),
        })),
        _ => None,
    }
}

/// One word after the start of an item; `None` when it does not belong there.
fn take_word(item: &mut ItemFacts, word: &str) -> Option<()> {
    if let Some(level) = level(word) {
        item.level = Some(level);
        return Some(());
    }
    if word == "in-function-response" {
        item.in_function_response = true;
        return Some(());
    }
    if let Some(route) = word.strip_prefix("route=") {
        item.route = match route {
            "inline" => Route::Inline,
            "file" => Route::File,
            "uri" => Route::Uri,
            _ => return None,
        };
        return Some(());
    }
    match &mut item.media {
        MediaFacts::Image(_) => None,
        MediaFacts::Document(document) => {
            document.runs.first_mut()?.pages = word.strip_prefix('x')?.parse().ok()?;
            Some(())
        }
        MediaFacts::Audio(audio) => take_audio_word(audio, word),
        MediaFacts::Video(video) => take_video_word(video, word),
    }
}

fn take_audio_word(audio: &mut AudioFacts, word: &str) -> Option<()> {
    let (key, value) = word.split_once('=')?;
    let length = Some(Duration::from_decimal(value)?);
    match key {
        "container" => audio.container = length,
        "decoded" => audio.decoded = length,
        _ => return None,
    }
    Some(())
}

fn take_video_word(video: &mut VideoFacts, word: &str) -> Option<()> {
    let (key, value) = word.split_once('=')?;
    match key {
        "container" => video.container = Some(Duration::from_decimal(value)?),
        "track" => video.track = Some(Duration::from_decimal(value)?),
        "audio" if value == "none" => video.audio = None,
        "audio" => video.audio = Some(Duration::from_decimal(value)?),
        "fps" => video.fps = Some(FrameRate::from_decimal(value)?),
        "frames" => {
            let (count, rate) = value.split_once('/')?;
            let rate = FrameRate::from_decimal(rate)?;
            video.frame_span = Some(Duration::of_frames(count.parse().ok()?, rate)?);
        }
        "clip" => {
            let (start, end) = value.split_once("..")?;
            let point = |text: &str| match text {
                "" => Some(None),
                text => Duration::from_decimal(text).map(Some),
            };
            video.clip = Clip { start: point(start)?, end: point(end)? };
        }
        _ => return None,
    }
    Some(())
}

fn level(word: &str) -> Option<RequestedLevel> {
    let level = match word {
        "low" => MediaResolution::Low,
        "medium" => MediaResolution::Medium,
        "high" => MediaResolution::High,
        "ultra" | "ultra-high" => MediaResolution::UltraHigh,
        _ => return None,
    };
    Some(RequestedLevel { level, per_part: level == MediaResolution::UltraHigh })
}

fn size(text: &str) -> Option<Dimensions> {
    let (width, height) = text.split_once('x')?;
    Dimensions::new(width.parse().ok()?, height.parse().ok()?)
}

/// Points as decimal text, into thousandths of a point.
fn page_box(text: &str) -> Option<PageBox> {
    let (width, height) = text.split_once('x')?;
    let thousandths = |text: &str| {
        let points = Duration::from_decimal(text)?;
        let value = u128::from(points.ticks()) * 1000 / u128::from(points.timescale());
        u32::try_from(value).ok().filter(|value| *value > 0)
    };
    Some(PageBox { width: thousandths(width)?, height: thousandths(height)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_with_everything_is_read() {
        let text = "video 640x360 container=13.347 track=13.346667 frames=400/29.97003 audio=none \
                    route=file fps=0.5 clip=1..2.5 high";
        let items = parse_request(text).unwrap();
        let MediaFacts::Video(video) = &items[0].media else { panic!("no video") };
        assert_eq!(video.frame_span, Duration::new(400_000_000, 29_970_030));
        assert_eq!(video.fps, FrameRate::new(1, 2));
        assert_eq!(video.clip.end, Duration::from_decimal("2.5"));
        assert_eq!(items[0].route, Route::File);
        assert_eq!(items[0].level.map(|asked| asked.per_part), Some(false));
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        for bad in [
            "",
            "image",
            "image 0x5",
            "image 5x5 x2",
            "page 612x792 y2",
            "audio length=5",
            "video 5x5 clip=1-2",
            "movie 5x5",
            "image 5x5 route=mail",
        ] {
            assert!(parse_request(bad).is_err(), "{bad}");
        }
        for bad in ["", "1,", "a", "1/", "<2", "+"] {
            assert!(Expected::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_print_as_they_are_written() {
        for text in ["258", "258,+1", "258,258", "<=1120", "264/0", "4080/1920,+1"] {
            assert_eq!(Expected::parse(text).unwrap().to_string(), text);
        }
    }
}
