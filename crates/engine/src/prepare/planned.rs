//! The plan of a whole preparation: what becomes of every input, and what the result will cost.

use mediaprep_media::{Dimensions, Duration, MimeType, Warning};
use serde::Serialize;

use super::count::{Counted, PartFacts, count_parts, labels};
use super::duplicates::{Duplicate, Found, set_copies_apart};
use super::image_plan::{ImagePlan, plan_image};
use super::options::{PrepareOptions, VideoForm};
use super::pdf::{PageSpan, PdfForm, PdfPlan, PdfPlanner};
use super::peak::peak_bytes;
use super::role::{How, Reason, Role};
use super::sound_plan::{AudioPlan, plan_audio};
use super::sums::charge_all;
use super::time;
use super::video_plan::{Sampling, VideoPlan, VideoPlanner};
use crate::error::{Error, ErrorKind, Stage};
use crate::info::{MediaInfo, VideoLengths};
use crate::options::PlanOptions;
use crate::plan::{Charge, Planner};
use crate::probe::{Outcome, Probed};
use crate::rules::RuleSet;
use crate::totals::Totals;
use crate::{DocumentInfo, Engine, FileStamp, Input};

/// What becomes of one input.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "medium")]
pub enum ItemPlan {
    /// A still image.
    Image(ImagePlan),
    /// A video.
    Video(VideoPlan),
    /// A sound.
    Audio(AudioPlan),
    /// A PDF.
    Document(PdfPlan),
}

impl ItemPlan {
    /// What is done to the bytes.
    pub const fn how(&self) -> How {
        match self {
            Self::Image(plan) => plan.how,
            Self::Video(plan) => plan.how(),
            Self::Audio(plan) => plan.how,
            Self::Document(plan) => plan.how(),
        }
    }

    /// Why; empty when nothing is done.
    pub fn why(&self) -> &[Reason] {
        match self {
            Self::Image(plan) => &plan.why,
            Self::Video(plan) => &plan.why,
            Self::Audio(plan) => &plan.why,
            Self::Document(plan) => &plan.why,
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
    /// The file as it was before its header was read; `None` for other inputs.
    pub stamp: Option<FileStamp>,
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
    /// What the parts will be like, as far as it is known before they are made: their type, size and
    /// length, and their bytes where those are passed on.
    pub fn parts(&self) -> Vec<PartFacts> {
        match &self.plan {
            ItemPlan::Image(plan) if plan.how != How::Passed => {
                let image = |size| self.part(plan.mime_type, MediaInfo::image(size));
                let part = |part: &super::PlannedPart| PartFacts {
                    facts: image(part.view.size),
                    role: part.role,
                    text: None,
                };
                plan.parts.iter().map(part).collect()
            }
            ItemPlan::Video(VideoPlan { form, sampling: Some(sampling), .. }) => match form {
                VideoForm::Frames => self.frames(sampling),
                _ => self.proxies(sampling),
            },
            ItemPlan::Audio(AudioPlan { sound: Some(sound), .. }) => self.sounds(sound),
            ItemPlan::Document(plan) => self.document(plan),
            _ => {
                vec![PartFacts { facts: (*self.probed).clone(), role: Role::Whole, text: None }]
            }
        }
    }

    /// The number of parts, without making them.
    pub fn part_count(&self) -> u64 {
        match &self.plan {
            ItemPlan::Image(plan) => plan.parts.len() as u64,
            ItemPlan::Video(VideoPlan { form, sampling: Some(sampling), .. }) => match form {
                VideoForm::Frames => {
                    let sounds = sampling.sound.as_ref().map_or(0, |sound| sound.pieces().len());
                    sampling.instants.count().saturating_add(sounds as u64)
                }
                _ => sampling.proxies().len() as u64,
            },
            ItemPlan::Audio(AudioPlan { sound: Some(sound), .. }) => sound.pieces().len() as u64,
            ItemPlan::Document(plan) => match plan.form {
                PdfForm::Pages => plan.page_count(),
                PdfForm::Split => plan.excerpts().len() as u64,
                PdfForm::Auto | PdfForm::Original => 1,
            },
            _ => 1,
        }
    }

    fn frames(&self, sampling: &Sampling) -> Vec<PartFacts> {
        let instants = sampling.instants;
        let facts = self.part(MimeType::Jpeg, MediaInfo::image(sampling.size));
        let frame = |at: u64| PartFacts {
            facts: facts.clone(),
            role: Role::Frame { frame: at + 1 },
            text: Some(time::stamp(instants.at(at), instants.rate())),
        };
        let sounds = sampling.sound.as_ref().map(|sound| self.sounds(sound)).unwrap_or_default();
        (0..instants.count()).map(frame).chain(sounds).collect()
    }

    fn sounds(&self, sound: &super::SoundPlan) -> Vec<PartFacts> {
        let mime = sound.mime().unwrap_or(MimeType::Wav);
        let piece = |(role, length): (Role, Duration)| {
            let facts = self.part(mime, MediaInfo::sound(Some(length), Some(length)));
            PartFacts { facts, role, text: None }
        };
        sound.pieces().into_iter().map(piece).collect()
    }

    fn proxies(&self, sampling: &Sampling) -> Vec<PartFacts> {
        let pieces = sampling.proxies();
        let several = pieces.len() > 1;
        let numbered = (1..).zip(pieces);
        let piece = |(number, (instants, end)): (u64, (mediaprep_video::Instants, Duration))| {
            let length = end.saturating_sub(instants.start());
            let sound = sampling.sound.as_ref().map(|sound| {
                let before = instants.start().saturating_sub(sampling.instants.start());
                let heard = sound.length.unwrap_or(length).saturating_sub(before);
                if end >= sampling.end { heard } else { heard.min(length) }
            });
            let lengths = VideoLengths {
                container: Some(length.max(sound.unwrap_or(length))),
                track: Some(length),
                frame_span: Some(length),
                audio: sound,
                has_audio: sound.is_some(),
                frame_rate: Some(instants.rate()),
            };
            let facts = self.part(MimeType::Mp4, MediaInfo::video(sampling.size, lengths));
            PartFacts {
                facts,
                role: Role::Proxy { segment: several.then_some(number) },
                text: None,
            }
        };
        numbered.map(piece).collect()
    }

    fn document(&self, plan: &PdfPlan) -> Vec<PartFacts> {
        let MediaInfo::Document(document) = &self.probed.info else { return Vec::new() };
        match (plan.form, &plan.drawing) {
            (PdfForm::Pages, Some(drawing)) => {
                let page = |(page, size): (u64, &Dimensions)| PartFacts {
                    facts: self.part(drawing.encoding.format.mime(), MediaInfo::image(*size)),
                    role: Role::Page { page },
                    text: Some(format!("page {page}")),
                };
                plan.page_numbers().zip(&drawing.sizes).map(page).collect()
            }
            (PdfForm::Split, _) => {
                let sizes: Vec<_> = document.page_sizes().collect();
                let excerpt = |(excerpt, pages): (u64, Vec<PageSpan>)| PartFacts {
                    facts: self.part(MimeType::Pdf, excerpt_info(&sizes, &pages)),
                    role: Role::Excerpt { excerpt },
                    text: None,
                };
                (1..).zip(plan.excerpts()).map(excerpt).collect()
            }
            _ => vec![PartFacts { facts: (*self.probed).clone(), role: Role::Whole, text: None }],
        }
    }

    fn part(&self, mime: MimeType, info: MediaInfo) -> Probed {
        Probed {
            name: self.probed.name.clone(),
            mime_type: Some(mime),
            bytes: None,
            bytes_read: 0,
            info,
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
    /// Inputs that are copies of items, in input order; they have no parts of their own.
    pub copies: Vec<Duplicate>,
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
    pub fn count_parts(&self, parts: &[Option<Vec<PartFacts>>]) -> Counted {
        count_parts(self, parts)
    }

    /// How a part of the given role is to be sampled by the service, and how finely it looks: a
    /// proxy is clipped already.
    pub fn part_options(&self, role: Role) -> PlanOptions {
        let clip = match role {
            Role::Proxy { .. } => mediaprep_tokens::Clip::default(),
            _ => self.request.clip,
        };
        PlanOptions { clip, ..self.request.clone() }
    }

    /// The text that goes before each item in the request, given which items have parts.
    pub fn labels(&self, parts: &[Option<Vec<PartFacts>>]) -> Vec<Option<String>> {
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
        let (found, copies) = set_copies_apart(found);
        let readable: Vec<&Probed> =
            found.iter().flat_map(|found| &found.probed).map(|p| &**p).collect();
        let mut charges = charge_all(&mut planner, &readable).into_iter();
        let context = Context { engine: self, planner: &planner, options };
        let items = found
            .into_iter()
            .map(|Found { input, probed, stamp }| {
                let charge = if probed.is_ok() { charges.next() } else { None };
                PlannedItem { stamp, ..context.item(input, probed, charge) }
            })
            .collect();
        let (request, options) = (request.clone(), options.clone());
        let as_is = planner.finish();
        Ok(Preparation { rules, request, options, items, copies, skipped, as_is })
    }

    /// The facts of every input that is media or should have been, and how many are neither.
    fn probe_all(&self, inputs: &[Input]) -> Result<(Vec<Found>, u64), Error> {
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
                    found.push(Found { input: input.clone(), probed, stamp });
                }
                _ => skipped += 1,
            }
            std::ops::ControlFlow::Continue(())
        })?;
        Ok((found, skipped))
    }
}

pub(super) type Facts = Result<Box<Probed>, Error>;

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
        PlannedItem { input, planned, unplanned, stamp: None }
    }

    fn plan(
        &self,
        probed: &Probed,
        charge: Option<Result<Charge, Error>>,
    ) -> Result<Planned, Error> {
        let charge = charge.ok_or_else(|| no_charge(probed))?;
        let (plan, as_is, warnings) = self.decide(probed, charge)?;
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

    fn decide(&self, probed: &Probed, charge: Result<Charge, Error>) -> Result<Decided, Error> {
        match &probed.info {
            MediaInfo::Image(image) => self.image(probed, image, charge?),
            MediaInfo::Video(video) => self.video(probed, video, charge),
            MediaInfo::Audio(_) => {
                let rules = self.planner.rules();
                let (plan, as_is) = plan_audio(probed, charge, rules, &self.options.audio)?;
                Ok((ItemPlan::Audio(plan), as_is, Vec::new()))
            }
            MediaInfo::Document(document) => {
                let (planner, options, engine) = (self.planner, self.options, self.engine);
                let planner = PdfPlanner { probed, document, planner, options, engine };
                let (plan, as_is, warnings) = planner.plan(charge)?;
                Ok((ItemPlan::Document(plan), as_is, warnings))
            }
        }
    }

    fn image(
        &self,
        probed: &Probed,
        image: &crate::ImageInfo,
        charge: Charge,
    ) -> Result<Decided, Error> {
        let rules = self.planner.rules();
        let facts = self.planner.facts(probed, mediaprep_tokens::Route::Inline);
        let (plan, warnings) = plan_image(probed, image, &facts, rules, &self.options.images)?;
        if plan.how != How::Passed {
            self.check_decoded(probed, image.stored)?;
        }
        Ok((ItemPlan::Image(plan), Some(charge), warnings))
    }

    fn check_decoded(&self, probed: &Probed, stored: Dimensions) -> Result<(), Error> {
        let within = self.engine.limits().check_decoded(stored);
        within.map_err(|limit| {
            Error::from_media(&probed.name, Stage::Plan, limit.into())
                .with_hint("raise the limit on decoded pixels if the file is to be trusted")
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
        if let Some(sampling) = &plan.sampling {
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

/// The facts of some pages as a document.
fn excerpt_info(sizes: &[mediaprep_pdf::PageSize], pages: &[PageSpan]) -> MediaInfo {
    let index = |page: u64| usize::try_from(page).unwrap_or(usize::MAX);
    let of = |span: &PageSpan| sizes.get(index(span.first - 1)..index(span.last));
    let sizes = pages.iter().filter_map(of).flatten().copied();
    MediaInfo::Document(DocumentInfo::of_pages(sizes))
}

/// A plan, what the item would cost as it is, and what is worth knowing.
type Decided = (ItemPlan, Option<Charge>, Vec<Warning>);

/// Every item that could be read is charged, so this is never seen; it is no reason to panic.
fn no_charge(probed: &Probed) -> Error {
    Error::new(&probed.name, Stage::Plan, ErrorKind::Unsupported, "it was not counted")
        .with_hint("plan it again")
}

pub(super) fn unconverted(probed: &Probed, to: &str) -> Error {
    let message = format!("the service takes it only as {to}, and nothing here converts it");
    Error::new(&probed.name, Stage::Plan, ErrorKind::Unsupported, message)
        .with_hint("convert the file first")
}
