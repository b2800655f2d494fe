//! The arithmetic of a count in words.

use std::fmt::Write as _;

use mediaprep_media::{Duration, FrameRate};

use crate::count::{Bound, ItemCount};
use crate::count_item::{CountError, Place, Reasons};
use crate::evidence::Doubts;
use crate::facts::{DocumentFacts, ImageFacts, ItemFacts, MediaFacts, VideoFacts};
use crate::formula::picture::aspect_grid;
use crate::formula::{Formula, Shape, TILE_TOKENS};
use crate::geometry::TileGrid;
use crate::request::RequestShape;
use crate::row::{PictureRule, Row, SoundRule, VideoRule};

impl Row {
    /// The arithmetic of one count in a few lines, then its evidence and the row.
    pub fn explain(
        &self,
        item: &ItemFacts,
        request: RequestShape,
        model: &str,
    ) -> Result<Vec<String>, CountError> {
        let place = self.place(item, request)?;
        let (count, reasons) = self.reasoned_count(item, request, model)?;
        let mut lines = match &item.media {
            MediaFacts::Image(image) => vec![explain_image(self.images()?, image, place)],
            MediaFacts::Document(document) => explain_pages(self.pages()?, document, place),
            MediaFacts::Audio(audio) => {
                let rule = self.sounds()?;
                let (length, _) = audio.length(rule.from)?;
                vec![explain_sound(rule, length, count.media.tokens)]
            }
            MediaFacts::Video(video) => {
                let fps = self.frame_rate(video)?;
                explain_video(self.videos(item.route)?, video, fps, place, &count)?
            }
        };
        lines.push(self.explain_evidence(&count, reasons, model));
        Ok(lines)
    }

    /// `measured, by row 3-late/developer-api/billed`, and why it is less than the row's own.
    fn explain_evidence(&self, count: &ItemCount, reasons: Reasons, model: &str) -> String {
        let mut line = format!("{}, by row {}", count.evidence().as_str(), self.id);
        let doubts: Doubts = reasons.media.and(reasons.soundtrack);
        let mut why: Vec<&str> = doubts.reasons().collect();
        if !self.measured_on.is_empty() && !self.is_measured_on(model) {
            why.push("the row was not measured on this model");
        }
        if !why.is_empty() {
            let _ = write!(line, " ({})", why.join("; "));
        }
        line
    }
}

fn explain_image(rule: &PictureRule, image: &ImageFacts, place: Place) -> String {
    let shape = Shape::new(image.size.width(), image.size.height());
    let size = format!("{} × {}", shape.width, shape.height);
    let formula = rule.choose(place, shape).figure.formula;
    let line = format!("{size}: {}", explain_formula(&formula, shape));
    let tokens = formula.charge(shape).tokens;
    times(line, u64::from(image.copies), tokens)
}

fn explain_pages(rule: &PictureRule, document: &DocumentFacts, place: Place) -> Vec<String> {
    let explain = |run: &crate::facts::PageRun| {
        let shape = Shape::new(run.size.width, run.size.height);
        let formula = rule.choose(place, shape).figure.formula;
        let size = format!("{} × {} pt", points(run.size.width), points(run.size.height));
        let line = format!("page of {size}: {}", explain_formula(&formula, shape));
        times(line, run.pages, formula.charge(shape).tokens)
    };
    document.runs.iter().map(explain).collect()
}

fn times(line: String, copies: u64, tokens: u64) -> String {
    if copies == 1 {
        return line;
    }
    format!("{line}, × {} = {}", grouped(copies), grouped(tokens.saturating_mul(copies)))
}

fn explain_formula(formula: &Formula, shape: Shape) -> String {
    let tokens = grouped(formula.charge(shape).tokens);
    match *formula {
        Formula::Flat { .. } => format!("flat {tokens}"),
        Formula::AtMost { .. } => format!("at most {tokens}"),
        Formula::CropTiles { overview } => explain_grid(&TileGrid::crop(shape), shape, overview),
        Formula::UnclampedTiles { overview } => {
            explain_grid(&TileGrid::unclamped(shape), shape, overview)
        }
        Formula::LongSideTiles if formula.charge(shape).tokens == TILE_TOKENS => {
            format!("near to a square or under 768, one tile = {tokens}")
        }
        Formula::LongSideTiles => {
            let tiles = shape.long().div_ceil(shape.short());
            format!(
                "the image + {tiles} tiles along the long side = {} × 258 = {tokens}",
                tiles + 1
            )
        }
        Formula::AspectFit { budget } => {
            let (columns, rows) = aspect_grid(shape, budget);
            format!("{columns} × {rows} cells within {budget} = {tokens}")
        }
    }
}

fn explain_grid(grid: &TileGrid, shape: Shape, overview: u32) -> String {
    let tokens = grouped(grid.tokens(overview));
    if !grid.is_cut() {
        return format!("both sides at most 384, one tile = {tokens}");
    }
    let mut text = String::new();
    if grid.width != shape.width || grid.height != shape.height {
        let _ = write!(text, "scaled to {} × {}, ", grid.width, grid.height);
    }
    let (with, sum) = match overview {
        0 => ("", grid.tiles()),
        more => (" + overview", grid.tiles().saturating_add(u64::from(more))),
    };
    let _ = write!(text, "unit {}, {} × {} tiles{with}", grid.unit, grid.columns, grid.rows);
    let _ = write!(text, " = {} × {TILE_TOKENS} = {tokens}", grouped(sum));
    text
}

/// `4.32 s × 32 a second, rounded down in all, plus 1 = 139`.
fn explain_sound(rule: &SoundRule, length: Duration, tokens: u64) -> String {
    let (rate, rounding) = (rule.per_second, rule.rounding.word());
    format!("{} × {rate} a second, {rounding} = {}", seconds(length), grouped(tokens))
}

fn explain_video(
    rule: &VideoRule,
    video: &VideoFacts,
    fps: FrameRate,
    place: Place,
    count: &ItemCount,
) -> Result<Vec<String>, CountError> {
    let sampled = rule.frames.sample(video, fps)?;
    let shape = Shape::new(video.size.width(), video.size.height());
    let formula = rule.frame.choose(Place { several: false, ..place }, shape).figure.formula;
    let bound = if count.media.bound == Bound::AtMost { "at most " } else { "" };
    let (first_hour, later) = rule.timestamp.figures(fps);
    let mut line = format!(
        "{} at {}, {} = {} frames; each {}",
        seconds(sampled.length),
        rate(fps),
        rule.frames.rounding.word(),
        grouped(sampled.frames),
        explain_formula(&formula, shape),
    );
    if first_hour > 0 {
        let _ = write!(line, " + {first_hour} for its time");
    }
    if later != first_hour && sampled.length > Duration::from_seconds(3600) {
        let _ = write!(line, " ({later} from 1 h on)");
    }
    let _ = write!(line, "; in all {bound}{}", grouped(count.media.tokens));
    let mut lines = vec![line];
    if let (Some(track), Some(sound)) = (&rule.soundtrack, count.soundtrack) {
        let kind = if video.audio.is_some() { "soundtrack" } else { "no soundtrack" };
        let charge = track.charged_length(video)?.map_or_else(
            || "nothing charged".to_owned(),
            |(length, _)| explain_sound(&track.sound, length, sound.tokens),
        );
        lines.push(format!("{kind}: {charge}"));
    }
    Ok(lines)
}

fn seconds(length: Duration) -> String {
    let millis = u128::from(length.ticks()) * 1000 / u128::from(length.timescale());
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

fn rate(fps: FrameRate) -> String {
    match (fps.numerator(), fps.denominator()) {
        (1, 1) => "1 frame a second".to_owned(),
        (frames, 1) => format!("{frames} frames a second"),
        (frames, seconds) => format!("{frames}/{seconds} frames a second"),
    }
}

fn points(thousandths: u32) -> String {
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RuleBook, parse_request};

    fn explain(book: &RuleBook, row: &str, request: &str) -> Vec<String> {
        let row = book.row(row).unwrap();
        let items = parse_request(request).unwrap();
        let model = row.measured_on.first().unwrap_or(&row.models[0]);
        row.explain(&items[0], RequestShape::of(&items), model).unwrap()
    }

    #[test]
    fn the_arithmetic_reads_like_the_rules() {
        let book = RuleBook::builtin();
        for (row, request, first) in [
            (
                "2.0/any/billed/2026-01",
                "image 960x540",
                "960 × 540: unit 360, 3 × 2 tiles + overview = 7 × 258 = 1,806",
            ),
            (
                "2.5/any/documented",
                "image 16000x9000",
                "16000 × 9000: scaled to 3072 × 1728, unit 768, 4 × 3 tiles = 12 × 258 = 3,096",
            ),
            (
                "3-late/developer-api/billed",
                "image 1920x1080",
                "1920 × 1080: 44 × 25 cells within 1120 = 1,100",
            ),
            (
                "3-late/developer-api/billed",
                "page 612x792 x17",
                "page of 612 × 792 pt: 20 × 26 cells within 560 = 520, × 17 = 8,840",
            ),
            ("2.5/developer-api/billed", "image 9x9", "9 × 9: flat 258"),
            (
                "1.5-preview/vertex/documented",
                "image 1000x2000",
                "1000 × 2000: the image + 2 tiles along the long side = 3 × 258 = 774",
            ),
            (
                "2.5/developer-api/billed",
                "audio container=4.320",
                "4.32 s × 32 a second, rounded down in all, plus 1 = 139",
            ),
            (
                "2.5/developer-api/billed",
                "video 640x360 container=4 track=4 frames=20/5 audio=none",
                "4 s at 1 frame a second, rounded down, plus 1 for the frame at 0 = 5 frames; \
                 each flat 258 + 5 for its time; in all 1,315",
            ),
        ] {
            assert_eq!(explain(&book, row, request)[0], first);
        }
    }

    #[test]
    fn a_missing_soundtrack_that_is_charged_is_said_to_be() {
        let book = RuleBook::builtin();
        let silent = "video 640x360 container=4 track=4 frames=20/5 audio=none";
        let charged = explain(&book, "2.5/developer-api/billed", silent);
        let wanted = "no soundtrack: 4 s × 32 a second, rounded down in all, plus 1 = 129";
        assert_eq!(charged[1], wanted);
        let free = explain(&book, "3-late/developer-api/billed", silent);
        assert_eq!(free[1], "no soundtrack: nothing charged");
    }

    #[test]
    fn the_last_line_gives_evidence_row_and_reasons() {
        let book = RuleBook::builtin();
        let lines = explain(&book, "3-late/developer-api/billed", "image 9000x1000");
        let wanted =
            "inferred, by row 3-late/developer-api/billed (the aspect ratio is beyond 8:1)";
        assert_eq!(lines.last().unwrap(), wanted);
    }
}
