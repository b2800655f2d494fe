//! Pictures that look like an earlier one.
//!
//! Every picture is decoded small, whatever becomes of it, and its perceptual hash compared with
//! those of the pictures before it. Nothing is ever left out because of it: that two pictures look
//! alike to a hash is a hint, no fact.

use std::collections::HashMap;
use std::ops::ControlFlow;

use mediaprep_image::{DecodeOptions, RenderOptions, Scratch, View, decode, decode_peak_bytes};
use mediaprep_media::Dimensions;

use super::carry::read_input;
use super::memory::Ledger;
use super::planned::{PlannedItem, Preparation};
use super::similar::Look;
use crate::Engine;
use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::info::MediaInfo;
use crate::run::{Workers, run_heavy};

/// The size at which pictures are compared: eight pixels a cell each way.
const SIZE: (u32, u32) = (136, 128);
/// Fewest bits of a hash by which pictures are told apart; nearly plain pictures have fewer, and
/// all look alike.
const TELLING: u32 = 8;

/// How a picture looks, and its shape.
#[derive(Clone, Copy, Debug)]
struct Sight {
    look: Look,
    size: Dimensions,
}

impl Engine {
    /// For each item of a preparation the place of an earlier picture that it looks like; `None`
    /// for all others, for other media, and for pictures that cannot be decoded. All that look
    /// alike name the first of them.
    ///
    /// # Errors
    ///
    /// When the threads cannot be started.
    pub fn near_duplicates(
        &self,
        preparation: &Preparation<'_>,
    ) -> Result<Vec<Option<usize>>, Error> {
        let ledger = Ledger::new(self.memory());
        let items = preparation.items.iter();
        let job = |workers: &Workers, item| self.sight(item, &ledger, workers);
        let mut seen = Seen::default();
        let mut near = Vec::with_capacity(preparation.items.len());
        run_heavy(self.threads(), items, job, &mut |sight: Option<Sight>| {
            near.push(sight.and_then(|sight| seen.find_or_add(near.len(), sight)));
            ControlFlow::Continue(())
        })
        .map_err(|error| Error::new("", Stage::Open, ErrorKind::Io, error).with_hint(READ_AGAIN))?;
        Ok(near)
    }

    /// How an item looks; `None` for what is no picture or cannot be decoded.
    fn sight(&self, item: &PlannedItem, ledger: &Ledger, workers: &Workers) -> Option<Sight> {
        let probed = &item.planned.as_ref().ok()?.probed;
        let MediaInfo::Image(image) = &probed.info else { return None };
        let size = image.displayed();
        let small = Dimensions::new(size.width().min(SIZE.0), size.height().min(SIZE.1))?;
        let double = Dimensions::new(size.width().min(SIZE.0 * 2), size.height().min(SIZE.1 * 2));
        let (limits, at_least) = (self.limits().clone(), double);
        let how = DecodeOptions { limits, at_least, allow_truncated: true, planes: false };
        let mime = probed.mime_type?;
        let peak = decode_peak_bytes(mime, image, &how);
        let _reservation = ledger.reserve(peak.saturating_add(probed.bytes?))?;
        let bytes = read_input(&item.input, probed).ok()?;
        let raster = workers.compute(|| {
            let picture = decode(&bytes, mime, image, &how).ok()?.value;
            let view = View::whole(size, small);
            picture.draw(&view, &RenderOptions::default(), &mut Scratch::default()).ok()
        });
        Some(Sight { look: Look::of(&raster?), size })
    }
}

/// The pictures that look like none before them, by pieces of their hashes: two hashes that differ
/// in few bits share whole pieces, so only those are compared that share one.
#[derive(Default)]
struct Seen {
    firsts: Vec<(usize, Sight)>,
    by_piece: HashMap<(usize, u32), Vec<usize>>,
}

impl Seen {
    /// The first picture that looks like this one; it is remembered when there is none.
    fn find_or_add(&mut self, place: usize, sight: Sight) -> Option<usize> {
        if sight.look.bits() < TELLING {
            return None;
        }
        let pieces = || sight.look.pieces().into_iter().enumerate();
        let lists = pieces().filter_map(|piece| self.by_piece.get(&piece));
        let candidates = lists.flatten().filter_map(|&at| self.firsts.get(at));
        let alike = candidates.filter(|(_, first)| first.is_like(&sight));
        if let Some(first) = alike.map(|(place, _)| *place).min() {
            return Some(first);
        }
        for piece in pieces() {
            self.by_piece.entry(piece).or_default().push(self.firsts.len());
        }
        self.firsts.push((place, sight));
        None
    }
}

impl Sight {
    /// Whether both have the same shape, within a twentieth, and look alike.
    fn is_like(&self, other: &Self) -> bool {
        let across =
            |one: Dimensions, other: Dimensions| u64::from(one.width()) * u64::from(other.height());
        let (one, two) = (across(self.size, other.size), across(other.size, self.size));
        one.abs_diff(two) <= one.max(two) / 20 && self.look.is_like(other.look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::RuleBook;
    use crate::{Input, PlanOptions, PrepareOptions, RuleRequest, RuleSet};
    use mediaprep_image::{Encoding, OutputFormat, encode};
    use mediaprep_media::{PixelFormat, Raster};

    /// A picture of smooth waves whose shape depends on `kind`.
    fn picture(width: u32, height: u32, kind: u32, quality: u8) -> Vec<u8> {
        let grey = |x: u32, y: u32| {
            let (x, y) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
            let kind = f64::from(kind);
            let wave = (x * (9.0 + kind * 3.7)).sin() + (y * (7.0 + kind * 5.3) + x * kind).cos();
            #[expect(clippy::cast_possible_truncation, reason = "between 28 and 228")]
            let grey = (128.0 + wave * 50.0) as u8;
            grey
        };
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let data = rows.flat_map(|(x, y)| [grey(x, y); 3]).collect();
        let size = Dimensions::new(width, height).unwrap();
        let raster = Raster::new(size, PixelFormat::Rgb8, data).unwrap();
        let chroma = mediaprep_image::Chroma::Auto;
        encode(&raster, &Encoding { format: OutputFormat::Jpeg, quality, chroma }).unwrap()
    }

    #[test]
    fn smaller_and_coarser_copies_are_found_and_other_pictures_are_not() {
        let flat = |grey: u8| {
            let size = Dimensions::new(64, 64).unwrap();
            let raster = Raster::new(size, PixelFormat::Rgb8, vec![grey; 64 * 64 * 3]).unwrap();
            let chroma = mediaprep_image::Chroma::Auto;
            let encoding =
                Encoding { format: OutputFormat::Png { small: false }, quality: 90, chroma };
            encode(&raster, &encoding).unwrap()
        };
        let files = [
            picture(640, 480, 1, 90),
            picture(640, 480, 2, 90),
            picture(320, 240, 1, 80),
            picture(640, 480, 1, 40),
            picture(480, 480, 1, 90),
            picture(800, 600, 2, 75),
            flat(10),
            flat(200),
            b"no picture".to_vec(),
        ];
        let inputs: Vec<Input> =
            files.into_iter().enumerate().map(|(at, b)| Input::bytes(at.to_string(), b)).collect();
        let book = RuleBook::builtin();
        let request = RuleRequest::billed("gemini-2.5-flash", "2026-11-21".parse().unwrap());
        let rules = RuleSet::find(&book, &request).unwrap();
        for threads in [1, 3] {
            let engine = Engine::builder().threads(threads).build().unwrap();
            let (request, options) = (PlanOptions::default(), PrepareOptions::default());
            let plan = engine.plan(&inputs, &rules, &request, &options).unwrap();
            let near = engine.near_duplicates(&plan).unwrap();
            let (first, second) = (Some(0), Some(1));
            assert_eq!(near, [None, None, first, first, None, second, None, None, None]);
        }
    }
}
