//! From placed characters to lines of text.

use hayro::kurbo::{Affine, Point, Vec2};

/// Glyph space has this many units to the em.
const EM: f64 = 1000.0;
/// A step off the line by more than this share of the em begins another line.
const OFF_LINE: f64 = 0.5;
/// A gap of more than this share of the em is a space. Spaces are 0.2 to 0.33 em in most fonts, and
/// spaced type seldom adds more than 0.1.
const SPACE: f64 = 0.18;
/// A step back by more than this share of the em begins another line: another column, or a line that
/// runs the other way.
const BACK: f64 = 1.0;
/// The most bytes of text of one page: a densely printed one has ten thousand.
const MOST_BYTES: usize = 4 << 20;

/// One glyph's text with its place on the page.
pub(super) struct Character {
    pub(super) text: String,
    /// From glyph space to the page.
    pub(super) place: Affine,
    /// How far the next one is in glyph space; `None` where the font does not say.
    pub(super) advance: Option<f64>,
}

/// Text as it grows.
#[derive(Default)]
pub(super) struct Layout {
    text: String,
    /// Where the last character ended, its direction of one em, and where it began.
    last: Option<(Point, Vec2, Point)>,
}

impl Layout {
    pub(super) fn add(&mut self, character: Character) {
        if self.text.len() >= MOST_BYTES {
            return;
        }
        let origin = character.place * Point::ORIGIN;
        let em = character.place * Point::new(EM, 0.0) - origin;
        let length = em.hypot();
        if !length.is_finite() || length <= 0.0 {
            return;
        }
        if let Some(separator) = self.separator(origin, em, &character.text) {
            self.separate(separator);
        }
        // Control characters are what broken fonts map glyphs to.
        self.text.extend(character.text.chars().filter(|one| !one.is_control()));
        let advance = character.advance.unwrap_or(EM / 2.0);
        self.last = Some((origin + em * (advance / EM), em, origin));
    }

    /// What belongs between the last character and one at `origin`.
    fn separator(&self, origin: Point, em: Vec2, text: &str) -> Option<char> {
        let (end, last_em, begin) = self.last?;
        // A mark printed twice for boldness is one mark.
        let (size, along) = (em.hypot().max(last_em.hypot()), last_em / last_em.hypot());
        let gap = origin - end;
        let (forward, aside) = (gap.dot(along), gap.cross(along));
        let turned = em.dot(along) < 0.7 * em.hypot();
        if turned
            || aside.abs() > OFF_LINE * size
            || forward < -BACK * size.max((end - begin).hypot())
        {
            return Some('\n');
        }
        let is_space = text.starts_with(char::is_whitespace);
        (forward > SPACE * size && !is_space).then_some(' ')
    }

    fn separate(&mut self, separator: char) {
        if separator == '\n' {
            self.text.truncate(self.text.trim_end_matches(' ').len());
        }
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push(separator);
        } else if separator == '\n' && !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// The text without space at its ends.
    pub(super) fn finish(self) -> String {
        self.text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each word's characters from `x` on at half an em each, in a size of 10.
    fn laid_out(words: &[(&str, f64, f64)]) -> String {
        let mut layout = Layout::default();
        for (word, x, y) in words {
            for (at, character) in word.chars().enumerate() {
                let place = Affine::translate((x + at as f64 * 5.0, *y)) * Affine::scale(0.01);
                let text = character.to_string();
                layout.add(Character { text, place, advance: Some(500.0) });
            }
        }
        layout.finish()
    }

    #[test]
    fn gaps_are_spaces_and_steps_are_lines() {
        assert_eq!(laid_out(&[("one", 0.0, 0.0), ("two", 18.0, 0.0)]), "one two");
        assert_eq!(laid_out(&[("ker", 0.0, 0.0), ("ning", 15.5, 0.0)]), "kerning");
        assert_eq!(laid_out(&[("one ", 0.0, 0.0), ("two", 21.0, 0.0)]), "one two");
        assert_eq!(laid_out(&[("one", 0.0, 0.0), ("two", 0.0, 12.0)]), "one\ntwo");
        assert_eq!(laid_out(&[("m", 0.0, 0.0), ("2", 5.0, -3.0)]), "m2");
        assert_eq!(laid_out(&[("right", 100.0, 0.0), ("left", 0.0, 0.0)]), "right\nleft");
        assert_eq!(laid_out(&[("  \u{1}", 0.0, 0.0)]), "");
    }

    #[test]
    fn places_that_are_no_places_are_left_out() {
        let mut layout = Layout::default();
        for place in [Affine::scale(0.0), Affine::scale(f64::NAN)] {
            layout.add(Character { text: "x".into(), place, advance: None });
        }
        assert_eq!(layout.finish(), "");
    }
}
