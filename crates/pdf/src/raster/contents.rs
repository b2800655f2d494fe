//! What a page holds: its text, and how much of it pictures cover.

use hayro::hayro_interpret::font::{Glyph, GlyphRun};
use hayro::hayro_interpret::hayro_cmap::BfString;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};
use hayro::kurbo::{Affine, BezPath, Point, Rect};

use serde::{Deserialize, Serialize};

use super::layout::{Character, Layout};

/// Cells along a side of the page in which the area under pictures is counted.
const CELLS: usize = 32;

/// What a page holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// Its own text in the order of its content; invisible text counts, as it is how a scan's
    /// recognised text is stored.
    pub text: String,
    /// The share of the page that pictures cover, 0 to 1, in steps of 1/1024.
    pub pictures: f64,
}

impl Contents {
    /// Whether the page has text of its own.
    pub fn has_text(&self) -> bool {
        self.text.chars().any(|character| !character.is_whitespace())
    }

    /// Whether the page is a picture of text at best: none of its own, and pictures over at least
    /// half of it.
    pub fn is_scan(&self) -> bool {
        !self.has_text() && self.pictures >= 0.5
    }
}

/// Takes down what is drawn instead of drawing it.
pub(super) struct Reader {
    area: Rect,
    layout: Layout,
    covered: Vec<bool>,
}

impl Reader {
    pub(super) fn new(area: Rect) -> Self {
        Self { area, layout: Layout::default(), covered: vec![false; CELLS * CELLS] }
    }

    pub(super) fn finish(self) -> Contents {
        let covered = self.covered.iter().filter(|covered| **covered).count();
        Contents {
            text: self.layout.finish(),
            pictures: covered as f64 / self.covered.len() as f64,
        }
    }

    /// Marks the cells whose centre the unit square of `transform` covers.
    fn cover(&mut self, transform: Affine, width: f64, height: f64) {
        if transform.determinant().abs() < f64::EPSILON {
            return;
        }
        let inverse = transform.inverse();
        for (at, covered) in self.covered.iter_mut().enumerate() {
            let centre = |cell: usize| (cell as f64 + 0.5) / CELLS as f64;
            let place = Point::new(
                self.area.x0 + self.area.width() * centre(at % CELLS),
                self.area.y0 + self.area.height() * centre(at / CELLS),
            );
            let inside = inverse * place;
            *covered |= (0.0..=width).contains(&inside.x) && (0.0..=height).contains(&inside.y);
        }
    }
}

impl<'a> Device<'a> for Reader {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        for glyph in run.glyphs() {
            let place = props.transform * glyph.transform();
            let advance = match &**glyph {
                Glyph::Outline(glyph) => glyph.advance_width(),
                Glyph::Type3(glyph) => glyph.advance_width(),
            };
            let text = match glyph.as_unicode() {
                Some(BfString::Char(one)) => one.to_string(),
                Some(BfString::String(several)) => several,
                None => continue,
            };
            self.layout.add(Character { text, place, advance: advance.map(f64::from) });
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.cover(props.transform, f64::from(image.width()), f64::from(image.height()));
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_clip_rect(&mut self, _: &Rect) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
    fn draw_rect(&mut self, _: &Rect, _: DrawProps<'a>, _: &DrawMode) {}
}
