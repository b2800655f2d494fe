//! Counting one item under one row: is the medium covered, is the level offered, which figure holds
//! where the picture stands.

use mediaprep_media::{FrameRate, MediaResolution, Modality};

use crate::count::{Bound, Evidence, ItemCount, TokenCount};
use crate::count_time::{count_audio, count_video};
use crate::evidence::{Doubt, Doubts, Judge};
use crate::facts::{DocumentFacts, ImageFacts, ItemFacts, MediaFacts, Route, VideoFacts};
use crate::formula::{SMALL_SIDE, Shape};
use crate::request::RequestShape;
use crate::row::{Coverage, Figure, LevelScope, PictureRule, Row, SoundRule, Special, VideoRule};

/// The highest sampling rate that the wire allows, in frames a second.
pub const MAX_FPS: FrameRate = match FrameRate::new(24, 1) {
    Some(rate) => rate,
    None => FrameRate::ONE,
};

/// Why an item cannot be counted.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// The row says nothing about the medium.
    #[error("the rule `{row}` says nothing about {}", plural(*medium))]
    NotCovered {
        /// The row's id.
        row: String,
        /// The item's medium.
        medium: Modality,
    },
    /// The model does not take the medium.
    #[error("the models of the rule `{row}` take no {}", plural(*medium))]
    NotAccepted {
        /// The row's id.
        row: String,
        /// The item's medium.
        medium: Modality,
    },
    /// The level is not offered there.
    #[error("media resolution `{}` is not offered {place}; allowed: {allowed}", level.as_str())]
    InvalidLevel {
        /// The level asked for.
        level: MediaResolution,
        /// Where it was asked for.
        place: &'static str,
        /// What would be allowed.
        allowed: &'static str,
    },
    /// The frame rate is outside what the service takes.
    #[error("{} frames a second is outside the allowed range of {allowed}", fps.as_f64())]
    InvalidRate {
        /// The rate asked for.
        fps: FrameRate,
        /// What would be allowed.
        allowed: &'static str,
    },
    /// A fact that the charge goes by is not known.
    #[error("the {fact} is not known")]
    UnknownFact {
        /// The fact.
        fact: &'static str,
    },
}

const fn plural(medium: Modality) -> &'static str {
    match medium {
        Modality::Text => "text",
        Modality::Image => "images",
        Modality::Video => "videos",
        Modality::Audio => "sound files",
        Modality::Document => "documents",
    }
}

/// What the arithmetic of an item came to, beside its counts; [`crate::explain`] puts it in words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reasons {
    pub(crate) media: Doubts,
    pub(crate) soundtrack: Doubts,
}

/// A figure chosen for one picture, with the evidence that choosing it adds.
pub(crate) struct Chosen<'a> {
    pub(crate) figure: &'a Figure,
    pub(crate) evidence: Evidence,
    pub(crate) doubts: Doubts,
}

/// Where a picture stands; some rows charge by it.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) level: Option<MediaResolution>,
    pub(crate) several: bool,
    pub(crate) in_function_response: bool,
    pub(crate) route: Route,
}

impl Row {
    /// What one item of a request is charged. `request` says what else the request holds; `model`
    /// decides whether measured figures are measured for this very model.
    pub fn count_item(
        &self,
        item: &ItemFacts,
        request: RequestShape,
        model: &str,
    ) -> Result<ItemCount, CountError> {
        self.reasoned_count(item, request, model).map(|(count, _)| count)
    }

    pub(crate) fn reasoned_count(
        &self,
        item: &ItemFacts,
        request: RequestShape,
        model: &str,
    ) -> Result<(ItemCount, Reasons), CountError> {
        let place = self.place(item, request)?;
        let judge = Judge { measured: self.is_measured_on(model) };
        match &item.media {
            MediaFacts::Image(image) => Ok(count_images(self.images()?, image, place, judge)),
            MediaFacts::Document(document) => {
                Ok(count_pages(self.pages()?, document, place, judge))
            }
            MediaFacts::Audio(audio) => count_audio(self.sounds()?, audio, place, judge),
            MediaFacts::Video(video) => {
                let fps = self.frame_rate(video)?;
                count_video(self.videos(item.route)?, video, fps, place, judge)
            }
        }
    }

    pub(crate) fn images(&self) -> Result<&PictureRule, CountError> {
        self.covered(&self.image, Modality::Image)
    }

    pub(crate) fn pages(&self) -> Result<&PictureRule, CountError> {
        self.covered(&self.page, Modality::Document)
    }

    pub(crate) fn sounds(&self) -> Result<&SoundRule, CountError> {
        self.covered(&self.audio, Modality::Audio)
    }

    pub(crate) fn videos(&self, route: Route) -> Result<&VideoRule, CountError> {
        Ok(self.covered(&self.video, Modality::Video)?.by(route))
    }

    fn covered<'a, T>(
        &self,
        coverage: &'a Coverage<T>,
        medium: Modality,
    ) -> Result<&'a T, CountError> {
        match coverage {
            Coverage::Charged(rule) => Ok(rule),
            Coverage::NotCovered => Err(CountError::NotCovered { row: self.id.clone(), medium }),
            Coverage::NotAccepted => Err(CountError::NotAccepted { row: self.id.clone(), medium }),
        }
    }

    /// Checks the level (section 6) and says where the item stands.
    pub(crate) fn place(
        &self,
        item: &ItemFacts,
        request: RequestShape,
    ) -> Result<Place, CountError> {
        self.check_level(item)?;
        Ok(Place {
            level: item.level.map(|asked| asked.level).filter(|_| !self.ignores_levels),
            several: request.several(),
            in_function_response: item.in_function_response,
            route: item.route,
        })
    }

    fn check_level(&self, item: &ItemFacts) -> Result<(), CountError> {
        let Some(asked) = item.level else { return Ok(()) };
        let refuse =
            |place, allowed| Err(CountError::InvalidLevel { level: asked.level, place, allowed });
        if self.levels == LevelScope::None {
            return refuse("by this model", "none");
        }
        if asked.per_part && self.levels == LevelScope::Request {
            return refuse("for a single part of this model", "low, medium, high for the request");
        }
        if asked.level != MediaResolution::UltraHigh {
            return Ok(());
        }
        match (self.levels, &item.media) {
            (LevelScope::Part, MediaFacts::Image(_)) if asked.per_part => Ok(()),
            (LevelScope::Part, MediaFacts::Image(_)) => {
                refuse("for a whole request", "low, medium, high, or ultra-high for single images")
            }
            (LevelScope::Part, _) => refuse("for this kind of medium", "low, medium, high"),
            _ => refuse("by this model", "low, medium, high"),
        }
    }

    /// The sampling rate that the charge goes by; the service's own is one frame a second.
    pub(crate) fn frame_rate(&self, video: &VideoFacts) -> Result<FrameRate, CountError> {
        let Some(fps) = video.fps else { return Ok(FrameRate::ONE) };
        if !self.takes_fps && fps != FrameRate::ONE {
            return Err(CountError::InvalidRate {
                fps,
                allowed: "1, which this model is fixed to",
            });
        }
        if fps.is_above(MAX_FPS) {
            return Err(CountError::InvalidRate { fps, allowed: "above 0 to 24" });
        }
        Ok(if self.ignores_fps { FrameRate::ONE } else { fps })
    }
}

impl PictureRule {
    /// The formula for a picture where it stands. A level that is asked for wins over the place;
    /// a number of its own at that level holds however many images there are.
    pub(crate) fn choose(&self, place: Place, shape: Shape) -> Chosen<'_> {
        let from_file = place.in_function_response && place.route == Route::File;
        if let (true, Some(special)) = (from_file, &self.file_in_function_response) {
            return self.chosen(special, shape, Evidence::Measured, Doubts::NONE);
        }
        let mut evidence = Evidence::Measured;
        let mut doubts = Doubts::NONE;
        let level = place.level.and_then(|level| self.at_level(level));
        if let Some(Special::AsDefault(basis)) = level {
            evidence = basis.evidence;
        }
        if let Some(special @ Special::Own(_)) = level {
            doubts.note(Doubt::FunctionResponse, place.in_function_response);
            return self.chosen(special, shape, evidence, doubts);
        }
        if place.in_function_response {
            if let Some(special) = &self.in_function_response {
                doubts.note(Doubt::FunctionResponse, place.level.is_some());
                return self.chosen(special, shape, evidence, doubts);
            }
            doubts.note(Doubt::FunctionResponse, true);
        }
        if let (true, Some(special)) = (place.several, &self.several) {
            return self.chosen(special, shape, evidence, doubts);
        }
        let own = own_evidence(&self.default, shape);
        Chosen { figure: &self.default, evidence: own.weakest(evidence), doubts }
    }

    fn chosen<'a>(
        &'a self,
        special: &'a Special,
        shape: Shape,
        evidence: Evidence,
        doubts: Doubts,
    ) -> Chosen<'a> {
        let (figure, evidence) = match special {
            Special::Own(figure) => (figure, evidence),
            Special::AsDefault(basis) => (&self.default, evidence.weakest(basis.evidence)),
        };
        Chosen { figure, evidence: own_evidence(figure, shape).weakest(evidence), doubts }
    }
}

/// A figure's evidence for a picture of this size.
fn own_evidence(figure: &Figure, shape: Shape) -> Evidence {
    match figure.small_evidence {
        Some(evidence) if shape.long() <= SMALL_SIDE => evidence,
        _ => figure.basis.evidence,
    }
}

fn count_images(
    rule: &PictureRule,
    image: &ImageFacts,
    place: Place,
    judge: Judge,
) -> (ItemCount, Reasons) {
    let shape = Shape::new(image.size.width(), image.size.height());
    let chosen = rule.choose(place, shape);
    let charge = chosen.figure.formula.charge(shape);
    let doubts = chosen.doubts.and(charge.doubts);
    let media = TokenCount {
        tokens: charge.tokens.saturating_mul(u64::from(image.copies)),
        bound: charge.bound,
        reported_as: rule.reported_as,
        evidence: judge.evidence(chosen.evidence, doubts),
    };
    let count = ItemCount { media, caused_by: Modality::Image, soundtrack: None, frames: None };
    (count, Reasons { media: doubts, soundtrack: Doubts::NONE })
}

fn count_pages(
    rule: &PictureRule,
    document: &DocumentFacts,
    place: Place,
    judge: Judge,
) -> (ItemCount, Reasons) {
    let mut media = TokenCount {
        tokens: 0,
        bound: Bound::Exact,
        reported_as: rule.reported_as,
        evidence: Evidence::Measured,
    };
    let mut all = Doubts::NONE;
    for run in &document.runs {
        let shape = Shape::new(run.size.width, run.size.height);
        let chosen = rule.choose(place, shape);
        let charge = chosen.figure.formula.charge(shape);
        let doubts = chosen.doubts.and(charge.doubts);
        media.tokens = media.tokens.saturating_add(charge.tokens.saturating_mul(run.pages));
        media.bound = media.bound.max(charge.bound);
        media.evidence = media.evidence.weakest(judge.evidence(chosen.evidence, doubts));
        all = all.and(doubts);
    }
    let count = ItemCount { media, caused_by: Modality::Document, soundtrack: None, frames: None };
    (count, Reasons { media: all, soundtrack: Doubts::NONE })
}
