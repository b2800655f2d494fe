//! The plan of a whole preparation: what becomes of every input, and what the result will cost.

use mediaprep_media::{Dimensions, Warning};
use serde::Serialize;

use super::count::{Counted, count_parts, labels};
use super::image_plan::{How, ImagePlan, plan_image};
use super::options::PrepareOptions;
use super::peak::peak_bytes;
use super::sums::charge_all;
use crate::error::{Error, ErrorKind, Stage};
use crate::info::MediaInfo;
use crate::options::PlanOptions;
use crate::plan::{Charge, Planner};
use crate::probe::{Outcome, Probed};
use crate::rules::{RuleSet, SentAs};
use crate::totals::Totals;
use crate::{Engine, Input};

/// What becomes of one input.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "medium")]
pub enum ItemPlan {
    /// A still image.
    Image(ImagePlan),
    /// A video, sound or PDF, sent as it is.
    Original,
}

impl ItemPlan {
    /// What is done to the bytes.
    pub const fn how(&self) -> How {
        match self {
            Self::Image(plan) => plan.how,
            Self::Original => How::Passed,
        }
    }
}

/// One input with its plan.
#[derive(Debug)]
pub struct PlannedItem {
    /// Where the bytes come from.
    pub input: Input,
    /// Its facts, and what becomes of it; an error says why nothing does.
    pub planned: Result<Planned, Error>,
    /// The facts of an input that could be read but not planned.
    pub unplanned: Option<Box<Probed>>,
}

impl PlannedItem {
    /// Header facts, where it could be read.
    pub fn probed(&self) -> Option<&Probed> {
        match &self.planned {
            Ok(planned) => Some(&planned.probed),
            Err(_) => self.unplanned.as_deref(),
        }
    }
}

/// What is known of an input before its bytes are touched.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Header facts.
    pub probed: Box<Probed>,
    /// What it would be charged as it is; `None` when the service would not take it so.
    pub as_is: Option<Charge>,
    /// What becomes of it.
    pub plan: ItemPlan,
    /// What is worth knowing about the plan.
    pub warnings: Vec<Warning>,
    /// The most bytes of memory that carrying it out takes.
    pub peak_bytes: u64,
}

impl Planned {
    /// What the parts will be like, as far as it is known before they are made: their type and
    /// size in pixels, and their bytes where those are passed on.
    pub fn parts(&self) -> Vec<Probed> {
        match &self.plan {
            ItemPlan::Image(plan) if plan.how != How::Passed => {
                plan.parts.iter().map(|part| self.part(plan, part.view.size)).collect()
            }
            _ => vec![(*self.probed).clone()],
        }
    }

    fn part(&self, plan: &ImagePlan, size: Dimensions) -> Probed {
        Probed {
            name: self.probed.name.clone(),
            mime_type: Some(plan.mime_type),
            bytes: None,
            bytes_read: 0,
            info: MediaInfo::image(size),
            warnings: Vec::new(),
        }
    }
}

/// What will be made of a list of inputs, and what that will cost. Plain data: making it reads
/// headers only.
#[derive(Debug)]
pub struct Preparation<'a> {
    /// The rule.
    pub rules: &'a RuleSet<'a>,
    /// What the request asks for.
    pub request: PlanOptions,
    /// How media are brought into shape.
    pub options: PrepareOptions,
    /// One entry for each input that is media or should have been, in input order.
    pub items: Vec<PlannedItem>,
    /// Inputs that were found in a folder and are no media.
    pub skipped: u64,
    /// What everything would cost as it is.
    pub as_is: Totals,
}

impl Preparation<'_> {
    /// What the planned parts cost. The sizes of parts that are still to be encoded count as
    /// nothing yet, so their way is only decided once they are made.
    pub fn count(&self) -> Counted {
        let parts = |item: &PlannedItem| item.planned.as_ref().ok().map(Planned::parts);
        let parts: Vec<_> = self.items.iter().map(parts).collect();
        self.count_parts(&parts)
    }

    /// What parts cost that were made of the items, in their order; `None` for failed items.
    pub fn count_parts(&self, parts: &[Option<Vec<Probed>>]) -> Counted {
        count_parts(self, parts)
    }

    /// The text that goes before each item in the request, given which items have parts.
    pub fn labels(&self, parts: &[Option<Vec<Probed>>]) -> Vec<Option<String>> {
        labels(self, parts)
    }
}

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
        options.validate()?;
        rules.check_format(options.images.format)?;
        let mut planner = Planner::new(rules, request);
        planner.check_options()?;
        let (found, skipped) = self.probe_all(inputs)?;
        let readable: Vec<&Probed> =
            found.iter().flat_map(|(_, probed)| probed).map(|p| &**p).collect();
        let mut charges = charge_all(&mut planner, &readable).into_iter();
        let context = Context { engine: self, planner: &planner, options };
        let items = found
            .into_iter()
            .map(|(input, probed)| {
                let charge = if probed.is_ok() { charges.next() } else { None };
                context.item(input, probed, charge)
            })
            .collect();
        let (request, options) = (request.clone(), options.clone());
        Ok(Preparation { rules, request, options, items, skipped, as_is: planner.finish() })
    }

    /// The facts of every input that is media or should have been, and how many are neither.
    fn probe_all(&self, inputs: &[Input]) -> Result<(Vec<(Input, Facts)>, u64), Error> {
        let (mut found, mut skipped, mut at) = (Vec::new(), 0, inputs.iter());
        self.probe_each(inputs.iter().cloned(), &mut |outcome| {
            let probed = match outcome {
                Outcome::Media(probed) => Some(Ok(probed)),
                Outcome::Failed(error) => Some(Err(error)),
                Outcome::Skipped => None,
            };
            match (at.next(), probed) {
                (Some(input), Some(probed)) => found.push((input.clone(), probed)),
                _ => skipped += 1,
            }
            std::ops::ControlFlow::Continue(())
        })?;
        Ok((found, skipped))
    }
}

type Facts = Result<Box<Probed>, Error>;

/// What planning one item goes by.
struct Context<'a> {
    engine: &'a Engine,
    planner: &'a Planner<'a>,
    options: &'a PrepareOptions,
}

impl Context<'_> {
    fn item(
        &self,
        input: Input,
        probed: Facts,
        charge: Option<Result<Charge, Error>>,
    ) -> PlannedItem {
        let (planned, unplanned) = match probed {
            Ok(probed) => match self.plan(&probed, charge) {
                Ok(planned) => (Ok(planned), None),
                Err(error) => (Err(error), Some(probed)),
            },
            Err(error) => (Err(error), None),
        };
        PlannedItem { input, planned, unplanned }
    }

    fn plan(
        &self,
        probed: &Probed,
        charge: Option<Result<Charge, Error>>,
    ) -> Result<Planned, Error> {
        let as_is = charge.transpose()?;
        let (plan, warnings) = self.decide(probed)?;
        let peak = peak_bytes(probed, &plan, self.options, self.engine.threads());
        let allowed = self.engine.memory();
        if peak > allowed {
            let message = format!("needs {peak} bytes of memory; allowed: at most {allowed}");
            return Err(Error::new(&probed.name, Stage::Plan, ErrorKind::LimitExceeded, message)
                .with_hint("allow more memory, or send a smaller picture"));
        }
        let probed = Box::new(probed.clone());
        Ok(Planned { probed, as_is, plan, warnings, peak_bytes: peak })
    }

    fn decide(&self, probed: &Probed) -> Result<(ItemPlan, Vec<Warning>), Error> {
        let rules = self.planner.rules();
        let MediaInfo::Image(image) = &probed.info else {
            return match rules.sent_as(probed)? {
                SentAs::AsIs(_) => Ok((ItemPlan::Original, Vec::new())),
                SentAs::Converted(to) => Err(unconverted(probed, &to)),
            };
        };
        let facts = self.planner.facts(probed, mediaprep_tokens::Route::Inline);
        let (plan, warnings) = plan_image(probed, image, &facts, rules, &self.options.images)?;
        if plan.how != How::Passed {
            let limits = self.engine.limits();
            let within = limits.check_decoded(image.stored);
            within.map_err(|limit| {
                Error::from_media(&probed.name, Stage::Plan, limit.into())
                    .with_hint("raise the limit on decoded pixels if the file is to be trusted")
            })?;
        }
        Ok((ItemPlan::Image(plan), warnings))
    }
}

fn unconverted(probed: &Probed, to: &str) -> Error {
    let message = format!("the service takes it only as {to}, and nothing here converts it");
    Error::new(&probed.name, Stage::Plan, ErrorKind::Unsupported, message)
        .with_hint("convert the file first")
}
