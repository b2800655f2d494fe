//! Deciding what becomes of every input: facts, rule and options in, a preparation out.

use mediaprep_media::{Dimensions, Warning};
use mediaprep_tokens::Route;

use super::count::PartFacts;
use super::duplicates::{Duplicate, FoundItem, set_copies_apart};
use super::image_plan::plan_image;
use super::options::{PrepareOptions, VideoForm};
use super::pdf::PdfPlanner;
use super::peak::peak_bytes;
use super::planned::{ItemPlan, Planned, PlannedItem, Preparation};
use super::role::How;
use super::sound_plan::plan_audio;
use super::video_plan::VideoPlanner;
use crate::error::{Error, ErrorKind, Stage};
use crate::info::MediaInfo;
use crate::item_options::ItemOptions;
use crate::options::PlanOptions;
use crate::plan::{Charge, Planner};
use crate::probe::{Outcome, Probed};
use crate::rules::RuleSet;
use crate::{Engine, FileStamp, Input};

impl Engine {
    /// Decides what becomes of every input, from header facts alone. The plan can be looked at,
    /// compared and serialised before [`Engine::prepare`] carries it out.
    ///
    /// ```
    /// use mediaprep::tokens::RuleBook;
    /// use mediaprep::{
    ///     Engine, ImageForm, ImageOptions, Input, PlanOptions, PrepareOptions, RuleRequest, RuleSet,
    /// };
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/photo-landscape-12mp.jpg");
    /// let book = RuleBook::builtin();
    /// let date = "2026-11-21".parse()?;
    /// let rules = RuleSet::find(&book, &RuleRequest::billed("gemini-2.0-flash", date))?;
    /// let images = ImageOptions { form: ImageForm::Tiles, ..ImageOptions::default() };
    /// let options = PrepareOptions { images, ..PrepareOptions::default() };
    ///
    /// let engine = Engine::builder().build()?;
    /// let plan = engine.plan(&[Input::path(photo)], &rules, &PlanOptions::default(), &options)?;
    /// let planned = plan.count().totals.tokens.total;
    /// let payload = engine.prepare(plan)?.remove(0)?;
    /// // An overview and 4 × 3 tiles of 768 × 768 pixels.
    /// assert_eq!(payload.parts.len(), 13);
    /// assert_eq!(payload.charge.tokens.total, planned);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the options are out of range or the threads cannot be started. What is wrong with one
    /// input is in its item.
    pub fn plan<'a>(
        &self,
        inputs: &[Input],
        rules: &'a RuleSet<'a>,
        request: &PlanOptions,
        options: &PrepareOptions,
    ) -> Result<Preparation<'a>, Error> {
        self.plan_with(inputs, rules, (request, options), &[])
    }

    /// The same with options for single items, in the order of [`Preparation::items`]: inputs that turn
    /// out to be no media have none. Items beyond the end of the list are left as the request has them.
    ///
    /// # Errors
    ///
    /// As [`Engine::plan`].
    pub fn plan_with<'a>(
        &self,
        inputs: &[Input],
        rules: &'a RuleSet<'a>,
        (request, options): (&PlanOptions, &PrepareOptions),
        own: &[ItemOptions],
    ) -> Result<Preparation<'a>, Error> {
        self.check_plan(rules, request, options)?;
        let found = self.probe_all(inputs)?;
        Ok(self.plan_found(found, rules, (request, options), own))
    }

    pub(super) fn check_plan(
        &self,
        rules: &RuleSet<'_>,
        request: &PlanOptions,
        options: &PrepareOptions,
    ) -> Result<(), Error> {
        options.validate()?;
        rules.check_format(options.images.format)?;
        Planner::new(rules, request).check_options()
    }

    /// Decides what becomes of inputs that are probed already.
    pub(super) fn plan_found<'a>(
        &self,
        found: Found,
        rules: &'a RuleSet<'a>,
        (request, options): (&PlanOptions, &PrepareOptions),
        own: &[ItemOptions],
    ) -> Preparation<'a> {
        let mut planner = Planner::new(rules, request);
        let mut as_is = planner.plan_items(&found.readable(std::iter::empty())).into_iter();
        let is_plain = own.iter().all(ItemOptions::is_default);
        let fitted = (!is_plain).then(|| {
            let mut planner = Planner::new(rules, request);
            planner.plan_items(&found.readable(own.iter()))
        });
        let mut fitted = fitted.into_iter().flatten();
        let context = Context { engine: self, planner: &planner, request, options };
        let mut own = own.iter().chain(std::iter::repeat(ItemOptions::NOTHING)).cloned();
        let mut items = Vec::with_capacity(found.items.len());
        for FoundItem { input, probed, stamp } in found.items {
            let own = own.next().unwrap_or_default();
            let planned = match probed {
                Ok(probed) => {
                    let charges = Charges { as_is: as_is.next(), fitted: fitted.next() };
                    context.plan(&probed, &own, charges).map_err(|error| (error, Some(probed)))
                }
                Err(error) => Err((error, None)),
            };
            let (planned, unplanned) = match planned {
                Ok(planned) => (Ok(planned), None),
                Err((error, probed)) => (Err(error), probed),
            };
            items.push(PlannedItem { input, planned, unplanned, stamp, options: own });
        }
        let (request, options) = (request.clone(), options.clone());
        let as_is = planner.finish();
        let (copies, skipped) = (found.copies, found.skipped);
        Preparation { rules, request, options, items, copies, skipped, as_is, fit: None }
    }

    /// The facts of every input that is media or should have been, with the copies apart, and how
    /// many are neither.
    pub(super) fn probe_all(&self, inputs: &[Input]) -> Result<Found, Error> {
        // Looked at before anything is read, so that no change goes unseen.
        let stamps: Vec<_> =
            inputs.iter().map(|input| input.file().and_then(FileStamp::of)).collect();
        let (mut found, mut skipped, mut at) = (Vec::new(), 0, inputs.iter().zip(stamps));
        self.probe_each(inputs.iter().cloned(), &mut |outcome| {
            let probed = match outcome {
                Outcome::Media(probed) => Some(Ok(probed)),
                Outcome::Failed(error) => Some(Err(error)),
                Outcome::Skipped => None,
            };
            match (at.next(), probed) {
                (Some((input, stamp)), Some(probed)) => {
                    found.push(FoundItem { input: input.clone(), probed, stamp });
                }
                _ => skipped += 1,
            }
            std::ops::ControlFlow::Continue(())
        })?;
        let (items, copies) = set_copies_apart(found);
        Ok(Found { items, copies, skipped })
    }
}

/// What was found out about inputs.
pub(super) struct Found {
    /// Those that are media or should have been, with their facts.
    pub(super) items: Vec<FoundItem>,
    /// Those that are copies of items.
    pub(super) copies: Vec<Duplicate>,
    /// How many are neither.
    pub(super) skipped: u64,
}

impl Found {
    /// The inputs that could be read, each with its own options; without any beyond the end of the list.
    fn readable<'a>(
        &'a self,
        own: impl Iterator<Item = &'a ItemOptions>,
    ) -> Vec<(&'a Probed, &'a ItemOptions)> {
        let own = own.chain(std::iter::repeat(ItemOptions::NOTHING));
        let items = self.items.iter().zip(own);
        items.filter_map(|(item, own)| Some((&**item.probed.as_ref().ok()?, own))).collect()
    }
}

/// What an item would be charged.
struct Charges {
    /// As the request has it.
    as_is: Option<Result<Charge, Error>>,
    /// Under its own options, where any item has some.
    fitted: Option<Result<Charge, Error>>,
}

/// What planning one item goes by.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) engine: &'a Engine,
    pub(super) planner: &'a Planner<'a>,
    pub(super) request: &'a PlanOptions,
    pub(super) options: &'a PrepareOptions,
}

impl Context<'_> {
    fn plan(&self, probed: &Probed, own: &ItemOptions, charges: Charges) -> Result<Planned, Error> {
        let as_is = charges.as_is.ok_or_else(|| no_charge(probed))?;
        let (plan, as_is, warnings) = if own.is_default() {
            self.decide(probed, own, as_is)?
        } else {
            let charge = charges.fitted.ok_or_else(|| no_charge(probed))?;
            let request = own.over(self.request);
            let planner = Planner::of_item(self.planner.rules(), &request, own.media_resolution);
            let options = self.options.for_item(own);
            let context = Context { planner: &planner, options: &options, ..*self };
            let (plan, _, warnings) = context.decide(probed, own, charge)?;
            (plan, as_is.ok(), warnings)
        };
        let peak = peak_bytes(probed, &plan, self.options, self.engine);
        let allowed = self.engine.memory();
        if peak > allowed {
            let message = format!("needs {peak} bytes of memory; allowed: at most {allowed}");
            return Err(Error::new(&probed.name, Stage::Plan, ErrorKind::LimitExceeded, message)
                .with_hint("allow more memory, or send a smaller picture"));
        }
        let probed = Box::new(probed.clone());
        Ok(Planned { probed, as_is, plan, warnings, peak_bytes: peak })
    }

    /// What the parts of an item under options of its own would be like.
    pub(super) fn parts(
        &self,
        probed: &Probed,
        own: &ItemOptions,
    ) -> Result<Vec<PartFacts>, Error> {
        let charge = |own| self.planner.clone().plan_item(probed, own);
        let charges =
            Charges { as_is: Some(charge(ItemOptions::NOTHING)), fitted: Some(charge(own)) };
        Ok(self.plan(probed, own, charges)?.parts())
    }

    fn decide(
        &self,
        probed: &Probed,
        own: &ItemOptions,
        charge: Result<Charge, Error>,
    ) -> Result<Decided, Error> {
        match &probed.info {
            MediaInfo::Image(image) => self.image(probed, image, (own, charge?)),
            MediaInfo::Video(video) => self.video(probed, video, charge),
            MediaInfo::Audio(_) => {
                let (rules, options) = (self.planner.rules(), &self.options.audio);
                let clip = own.clip.unwrap_or_default();
                let (plan, as_is) = plan_audio(probed, charge, rules, (options, clip))?;
                Ok((ItemPlan::Audio(plan), as_is, Vec::new()))
            }
            MediaInfo::Document(document) => {
                let (planner, options, engine) = (self.planner, self.options, self.engine);
                let first = own.pages;
                let planner = PdfPlanner { probed, document, planner, options, engine, first };
                let (plan, as_is, warnings) = planner.plan(charge)?;
                Ok((ItemPlan::Document(plan), as_is, warnings))
            }
        }
    }

    fn image(
        &self,
        probed: &Probed,
        image: &crate::ImageInfo,
        (own, charge): (&ItemOptions, Charge),
    ) -> Result<Decided, Error> {
        let rules = self.planner.rules();
        let facts = self.planner.facts(&own.apply(probed), Route::Inline);
        let (plan, warnings) = plan_image(probed, image, &facts, rules, &self.options.images)?;
        if plan.how != How::Passed {
            self.check_decoded(probed, image.stored)?;
        }
        Ok((ItemPlan::Image(plan), Some(charge), warnings))
    }

    fn check_decoded(&self, probed: &Probed, stored: Dimensions) -> Result<(), Error> {
        let within = self.engine.limits().check_decoded(stored);
        within.map_err(|limit| {
            Error::from_media(&probed.name, Stage::Plan, limit.into()).with_hint(
                "raise the limit on decoded pixels (--max-pixels) if the file is to be trusted",
            )
        })
    }

    fn video(
        &self,
        probed: &Probed,
        video: &crate::VideoInfo,
        charge: Result<Charge, Error>,
    ) -> Result<Decided, Error> {
        let planner = VideoPlanner { probed, video, planner: self.planner, options: self.options };
        let (plan, as_is) = planner.plan(charge)?;
        if let Some(sampling) = plan.sampling.as_ref().filter(|_| plan.form != VideoForm::Sound) {
            self.check_decoded(probed, video.size)?;
            let within = self.engine.limits().check_frames(sampling.instants.count());
            within.map_err(|limit| {
                Error::from_media(&probed.name, Stage::Plan, limit.into())
                    .with_hint("lower the fps, or clip the video by start and end")
            })?;
        }
        Ok((ItemPlan::Video(plan), as_is, Vec::new()))
    }
}

/// A plan, what the item would cost as it is, and what is worth knowing.
type Decided = (ItemPlan, Option<Charge>, Vec<Warning>);

/// Every item that could be read is charged, so this is never seen; it is no reason to panic.
fn no_charge(probed: &Probed) -> Error {
    Error::new(&probed.name, Stage::Plan, ErrorKind::Unsupported, "it was not counted")
        .with_hint("plan it again")
}
