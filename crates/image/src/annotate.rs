//! Drawing labelled boxes onto a picture.
//!
//! Lines and letters come from `embedded-graphics`, whose bitmap fonts need no font file on the
//! machine. They hold the letters of ISO 8859-1; others are drawn as question marks.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::MonoTextStyleBuilder;
use embedded_graphics::mono_font::iso_8859_1::FONT_10X20;
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyleBuilder, Rectangle, StrokeAlignment};
use embedded_graphics::text::{Baseline, Text};
use mediaprep_media::{Dimensions, Raster};

use crate::view::PixelBox;

/// A box with its label, in pixels of the picture that is drawn on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Where.
    pub place: PixelBox,
    /// What is written above it; empty for nothing.
    pub label: String,
}

/// Letters of a label that are drawn.
const LONGEST_LABEL: usize = 60;

/// Colours that are told apart on photographs, by turns.
const COLOURS: [Rgb888; 6] = [
    Rgb888::new(230, 25, 75),
    Rgb888::new(0, 130, 200),
    Rgb888::new(60, 180, 75),
    Rgb888::new(245, 130, 48),
    Rgb888::new(145, 30, 180),
    Rgb888::new(0, 128, 128),
];

/// Draws boxes with their labels. Of boxes that reach beyond the picture, the part on it is drawn.
pub fn annotate(raster: &mut Raster, annotations: &[Annotation]) {
    let longest = raster.size().long();
    let stroke = (longest / 500).clamp(1, 8);
    let mut canvas = Canvas(raster);
    let coloured = || annotations.iter().zip(COLOURS.into_iter().cycle());
    for (annotation, colour) in coloured() {
        if let Some(place) = visible(annotation.place, canvas.0.size()) {
            outline(&mut canvas, place, stroke, colour);
        }
    }
    for (annotation, colour) in coloured() {
        if let Some(place) = visible(annotation.place, canvas.0.size()) {
            label(&mut canvas, place, &annotation.label, colour);
        }
    }
}

/// The part of a box that lies on the picture; `None` when that is nothing.
fn visible(place: PixelBox, size: Dimensions) -> Option<PixelBox> {
    let width = place.width.min(size.width().checked_sub(place.left)?);
    let height = place.height.min(size.height().checked_sub(place.top)?);
    (width > 0 && height > 0).then_some(PixelBox { width, height, ..place })
}

fn outline(canvas: &mut Canvas<'_>, place: PixelBox, stroke: u32, colour: Rgb888) {
    let style = PrimitiveStyleBuilder::new()
        .stroke_color(colour)
        .stroke_width(stroke)
        .stroke_alignment(StrokeAlignment::Inside)
        .build();
    let corner = Point::new(signed(place.left), signed(place.top));
    let area = Rectangle::new(corner, Size::new(place.width, place.height));
    // Drawing on memory cannot fail.
    let _: Result<(), Infallible> = area.into_styled(style).draw(canvas);
}

/// The label on a field of its box's colour, above the box or, without room there, inside it.
fn label(canvas: &mut Canvas<'_>, place: PixelBox, text: &str, colour: Rgb888) {
    let text: String = text.chars().take(LONGEST_LABEL).collect();
    if text.is_empty() {
        return;
    }
    let font = &FONT_10X20;
    let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let (width, height) = (letters * font.character_size.width, font.character_size.height);
    let top = if place.top >= height { place.top - height } else { place.top };
    let room = canvas.size().width.saturating_sub(width);
    let corner = Point::new(signed(place.left.min(room)), signed(top));
    let style = MonoTextStyleBuilder::new()
        .font(font)
        .text_color(Rgb888::WHITE)
        .background_color(colour)
        .build();
    let _ = Text::with_baseline(&text, corner, style, Baseline::Top).draw(canvas);
}

fn signed(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX)
}

/// A raster that is drawn on; grey pictures take the colours' brightness.
struct Canvas<'a>(&'a mut Raster);

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        Size::new(self.0.size().width(), self.0.size().height())
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        let (size, stride) = (self.0.size(), self.0.stride());
        let channels = self.0.format().channels();
        for Pixel(point, colour) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(point.x), u32::try_from(point.y)) else { continue };
            if x >= size.width() || y >= size.height() {
                continue;
            }
            let at = y as usize * stride + x as usize * channels;
            if let Some(pixel) = self.0.data_mut().get_mut(at..at + channels) {
                paint(pixel, colour);
            }
        }
        Ok(())
    }
}

fn paint(pixel: &mut [u8], colour: Rgb888) {
    let [red, green, blue] = [colour.r(), colour.g(), colour.b()];
    match pixel {
        [grey] => {
            // The luma weights of BT.601 in 256ths.
            let sum = 77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue);
            *grey = u8::try_from(sum >> 8).unwrap_or(u8::MAX);
        }
        [r, g, b] => (*r, *g, *b) = (red, green, blue),
        [r, g, b, alpha] => (*r, *g, *b, *alpha) = (red, green, blue, u8::MAX),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use mediaprep_media::PixelFormat;
    use proptest::prelude::*;

    use super::*;

    fn black(width: u32, height: u32, format: PixelFormat) -> Raster {
        let size = Dimensions::new(width, height).unwrap();
        let bytes = Raster::bytes(size, format).unwrap();
        Raster::new(size, format, vec![0; bytes]).unwrap()
    }

    #[test]
    fn the_outline_lies_on_the_box_and_nowhere_else() {
        let mut raster = black(40, 30, PixelFormat::Rgb8);
        let place = PixelBox { left: 10, top: 5, width: 20, height: 15 };
        annotate(&mut raster, &[Annotation { place, label: String::new() }]);
        for y in 0..30 {
            for x in 0..40 {
                let inside = (10..30).contains(&x) && (5..20).contains(&y);
                let edge = x == 10 || x == 29 || y == 5 || y == 19;
                let painted = raster.pixel(x, y).unwrap() != [0, 0, 0];
                assert_eq!(painted, inside && edge, "{x}, {y}");
            }
        }
    }

    #[test]
    fn a_label_is_readable_above_its_box() {
        let mut raster = black(200, 100, PixelFormat::Rgba8);
        let place = PixelBox { left: 10, top: 50, width: 20, height: 15 };
        annotate(&mut raster, &[Annotation { place, label: "cat".to_owned() }]);
        let white = (30..50).flat_map(|y| (10..40).map(move |x| (x, y)));
        let white = white.filter(|&(x, y)| raster.pixel(x, y) == Some(&[255; 4])).count();
        assert!((20..400).contains(&white), "{white} white pixels in the label");
    }

    proptest! {
        #[test]
        fn boxes_anywhere_are_drawn_without_panic(
            left in 0u32.., top in 0u32.., width in 1u32..5000, height in 1u32..5000, text in ".{0,80}",
        ) {
            let mut raster = black(30, 20, PixelFormat::Gray8);
            let place = PixelBox { left, top, width, height };
            annotate(&mut raster, &[Annotation { place, label: text }]);
        }
    }
}
