//! The plan of a whole preparation: what becomes of every input, and what the result will cost.

use mediaprep_media::{Dimensions, Duration, MimeType, Warning};
use serde::Serialize;

use super::count::{Counted, PartFacts, count_parts, labels};
use super::duplicates::Duplicate;
use super::image_plan::ImagePlan;
use super::options::{PrepareOptions, VideoForm};
use super::pdf::{PageSpan, PdfForm, PdfPlan};
use super::role::{How, Reason, Role};
use super::sound_plan::AudioPlan;
use super::time;
use super::video_plan::{Sampling, VideoPlan};
use crate::error::{Error, ErrorKind, Stage};
use crate::fit::Fit;
use crate::info::{MediaInfo, VideoLengths};
use crate::item_options::ItemOptions;
use crate::options::PlanOptions;
use crate::plan::Charge;
use crate::probe::Probed;
use crate::rules::RuleSet;
use crate::totals::Totals;
use crate::{DocumentInfo, FileStamp, Input};

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
    /// What holds for it in place of what the request asks for.
    pub options: ItemOptions,
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
    /// What it would be charged as it is, without options of its own; `None` when the service would not
    /// take it so.
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
                VideoForm::Frames | VideoForm::Sound => self.frames(sampling),
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
                VideoForm::Frames | VideoForm::Sound => {
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
    /// What was given up for a budget, in the order of the items; `None` where none was to be kept.
    pub fit: Option<Fit>,
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

    /// The text that goes before each item in the request, given which items have parts.
    pub fn labels(&self, parts: &[Option<Vec<PartFacts>>]) -> Vec<Option<String>> {
        labels(self, parts)
    }
}

/// The facts of some pages as a document.
pub(super) fn excerpt_info(sizes: &[mediaprep_pdf::PageSize], pages: &[PageSpan]) -> MediaInfo {
    let index = |page: u64| usize::try_from(page).unwrap_or(usize::MAX);
    let of = |span: &PageSpan| sizes.get(index(span.first - 1)..index(span.last));
    let sizes = pages.iter().filter_map(of).flatten().copied();
    MediaInfo::Document(DocumentInfo::of_pages(sizes))
}

pub(super) fn unconverted(probed: &Probed, to: &str) -> Error {
    let message = format!("the service takes it only as {to}, and nothing here converts it");
    Error::new(&probed.name, Stage::Plan, ErrorKind::Unsupported, message)
        .with_hint("convert the file first")
}
