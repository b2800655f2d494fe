//! What becomes of one PDF. Pure: header facts and the rule in, a plan out.

use mediaprep_image::{Encoding, OutputFormat};
use mediaprep_media::{Dimensions, MimeType, Warning, WarningCode};
use mediaprep_tokens::{Route, Way};
use serde::Serialize;

use super::options::{PdfForm, PdfLibrary, PdfOptions};
use super::size::raster_size;
use super::spans::{self, PageSpan};
use crate::error::{Error, ErrorKind, Stage};
use crate::plan::{Charge, Planner, count_error};
use crate::prepare::options::{ImageFormat, PrepareOptions};
use crate::prepare::planned::unconverted;
use crate::prepare::role::{How, Reason};
use crate::prepare::sound_plan::unless_untaken;
use crate::probe::Probed;
use crate::rules::SentAs;
use crate::{DocumentInfo, Engine};

/// What becomes of one PDF.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PdfPlan {
    /// As it is, in pages, or as smaller PDFs; never [`PdfForm::Auto`].
    pub form: PdfForm,
    /// Why; empty when nothing is done.
    pub why: Vec<Reason>,
    /// The pages that are taken, in order.
    pub pages: Vec<PageSpan>,
    /// How pages are drawn; `None` when none is.
    pub drawing: Option<Drawing>,
    /// How it is cut; `None` when it is not.
    pub excerpts: Option<Excerpts>,
    /// What reads the pages' own text, which goes along; `None` when it does not.
    pub text: Option<PdfLibrary>,
}

/// How pages are drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drawing {
    /// What draws; never [`PdfLibrary::Auto`].
    pub library: PdfLibrary,
    /// Whether another library may draw a page that this one fails on.
    pub may_change: bool,
    /// How the pictures are encoded.
    pub encoding: Encoding,
    /// The size of each page, in the order of the pages.
    #[serde(skip)]
    pub sizes: Vec<Dimensions>,
}

/// How a PDF is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpts {
    /// The most pages of each.
    pub pages: u64,
    /// The most bytes of each; longer ones are cut again.
    pub bytes: u64,
}

/// The longest side of a drawn page where the rule knows none.
const LONGEST_SIDE: u32 = 3072;

impl PdfPlan {
    /// What is done to the bytes.
    pub const fn how(&self) -> How {
        match self.form {
            PdfForm::Auto | PdfForm::Original => How::Passed,
            PdfForm::Pages => How::Drawn,
            PdfForm::Split => How::Split,
        }
    }

    /// The pages of each excerpt, as long as none has too many bytes.
    pub(in crate::prepare) fn excerpts(&self) -> Vec<Vec<PageSpan>> {
        let most = self.excerpts.map_or(u64::MAX, |excerpts| excerpts.pages);
        let all = spans::count(&self.pages);
        let files = all.div_ceil(most).max(1);
        // As even as possible: 1001 pages are 501 and 500 rather than 1000 and 1.
        let first = |file: u64| {
            u64::try_from(u128::from(all) * u128::from(file) / u128::from(files)).unwrap_or(all)
        };
        (0..files)
            .map(|file| spans::slice(&self.pages, first(file), first(file + 1) - first(file)))
            .collect()
    }

    /// How many pages are taken.
    pub fn page_count(&self) -> u64 {
        spans::count(&self.pages)
    }

    /// The pages that are taken, one by one.
    pub fn page_numbers(&self) -> impl Iterator<Item = u64> + '_ {
        spans::pages(&self.pages)
    }
}

/// Plans one PDF.
pub(in crate::prepare) struct PdfPlanner<'a> {
    pub(in crate::prepare) probed: &'a Probed,
    pub(in crate::prepare) document: &'a DocumentInfo,
    pub(in crate::prepare) planner: &'a Planner<'a>,
    pub(in crate::prepare) options: &'a PrepareOptions,
    pub(in crate::prepare) engine: &'a Engine,
    /// How many of the pages that are asked for are wanted, from the first on; `None` is all of them.
    pub(in crate::prepare) first: Option<u64>,
}

/// A plan, what the file would cost as it is, and what is worth knowing.
type Decided = (PdfPlan, Option<Charge>, Vec<Warning>);

impl PdfPlanner<'_> {
    /// The plan, and what the PDF would cost as it is.
    ///
    /// # Errors
    ///
    /// What the count says, where that matters to the form; when a page is asked for that the
    /// document does not have, or a library that is not there.
    pub(in crate::prepare) fn plan(&self, charge: Result<Charge, Error>) -> Result<Decided, Error> {
        let pages = self.pages()?;
        let text =
            self.asked().text.then(|| self.library()).transpose()?.map(|(library, _)| library);
        if self.asked().form == PdfForm::Pages {
            let as_is = unless_untaken(charge)?;
            let drawing = self.drawing(&pages)?;
            let warnings = self.dearer(&pages, &drawing, as_is.as_ref());
            let why = vec![Reason::FormatAsked];
            let (form, drawing) = (PdfForm::Pages, Some(drawing));
            return Ok((
                PdfPlan { form, why, pages, drawing, excerpts: None, text },
                as_is,
                warnings,
            ));
        }
        let as_is = charge?;
        if let SentAs::Converted(to) = self.planner.rules().sent_as(self.probed)? {
            return Err(unconverted(self.probed, &to));
        }
        let why = self.reasons(&as_is);
        let whole =
            PdfPlan { form: PdfForm::Original, why, pages, drawing: None, excerpts: None, text };
        let warnings = self.locked(&whole);
        if self.asked().form == PdfForm::Original || whole.why.is_empty() {
            return Ok((PdfPlan { why: Vec::new(), ..whole }, Some(as_is), warnings));
        }
        let excerpts = Some(self.excerpts());
        Ok((PdfPlan { form: PdfForm::Split, excerpts, ..whole }, Some(as_is), Vec::new()))
    }

    const fn asked(&self) -> &PdfOptions {
        &self.options.pdf
    }

    fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(&self.probed.name, Stage::Plan, kind, message)
    }

    fn pages(&self) -> Result<Vec<PageSpan>, Error> {
        let all = self.document.pages();
        let pages = match &self.asked().pages {
            None => vec![PageSpan { first: 1, last: all }],
            Some(selection) => selection.of(all).map_err(|missing| {
                let message = format!("page {missing} of a document of {all} pages");
                self.error(ErrorKind::InvalidOption, message).with_hint("ask for pages that it has")
            })?,
        };
        match self.first {
            None => Ok(pages),
            Some(_) if self.asked().form == PdfForm::Original => {
                let message = "a PDF as it is has all its pages".to_owned();
                let error = self.error(ErrorKind::InvalidOption, message);
                Err(error.with_hint("ask for pages or split, or for all pages"))
            }
            Some(first) => Ok(spans::slice(&pages, 0, first.clamp(1, spans::count(&pages)))),
        }
    }

    /// Why smaller PDFs are made; empty when the file goes as it is.
    fn reasons(&self, charge: &Charge) -> Vec<Reason> {
        let asked = self.asked();
        let limits = self.excerpts();
        let too_many = self.document.pages() > limits.pages;
        let too_long = self.probed.bytes.is_some_and(|bytes| bytes > limits.bytes);
        let breached = charge.breaches.iter().any(|breach| {
            matches!(breach.code, WarningCode::FileTooLarge | WarningCode::PdfTooManyPages)
        });
        let holds = [
            (Reason::Locked, self.document.locked),
            (Reason::TooLarge, too_many || too_long || breached),
            (Reason::PagesAsked, asked.pages.is_some() || self.first.is_some()),
            (Reason::FormatAsked, asked.form == PdfForm::Split),
        ];
        holds.into_iter().filter_map(|(reason, holds)| holds.then_some(reason)).collect()
    }

    /// A file that needs a password is of no use to the service.
    fn locked(&self, plan: &PdfPlan) -> Vec<Warning> {
        if !plan.why.contains(&Reason::Locked) {
            return Vec::new();
        }
        let message = "the PDF needs a password, which the service is not given";
        let hint = "split it, which removes the password, or send its pages";
        vec![Warning::new(WarningCode::Protected, message).with_hint(hint)]
    }

    /// The limits of smaller PDFs: those that were asked for, else the service's.
    fn excerpts(&self) -> Excerpts {
        let rules = self.planner.rules();
        let limits = rules.limits();
        let hard = |limit: Option<mediaprep_tokens::Limit>| limit.and_then(|limit| limit.hard);
        let counts = limits.as_ref().map(|limits| limits.counts);
        let pages = counts.and_then(|counts| {
            let limits = [hard(counts.pages_per_file), hard(counts.pages)];
            limits.into_iter().flatten().min()
        });
        let elsewhere = rules.limits().and_then(|limits| {
            let route = match rules.key.service {
                mediaprep_tokens::Service::DeveloperApi => Route::File,
                mediaprep_tokens::Service::Vertex => Route::Uri,
            };
            let way = limits.route(route).or_else(|| limits.way(Way::Inline));
            hard(way.and_then(|way| way.pdf_bytes.or(way.file_bytes)))
        });
        let bytes = [counts.and_then(|counts| hard(counts.pdf_bytes)), elsewhere];
        Excerpts {
            pages: self.asked().pages_per_file.or(pages).unwrap_or(u64::MAX),
            bytes: self
                .asked()
                .bytes_per_file
                .or(bytes.into_iter().flatten().min())
                .unwrap_or(u64::MAX),
        }
    }

    /// What draws, and whether hayro may stand in.
    fn library(&self) -> Result<(PdfLibrary, bool), Error> {
        let asked = self.asked().library;
        let has_pdfium = self.engine.has_pdfium();
        match asked {
            PdfLibrary::Hayro => Ok((asked, false)),
            PdfLibrary::Auto if has_pdfium => Ok((PdfLibrary::Pdfium, true)),
            PdfLibrary::Auto => Ok((PdfLibrary::Hayro, false)),
            PdfLibrary::Pdfium if has_pdfium => Ok((asked, false)),
            PdfLibrary::Pdfium => {
                let message = if cfg!(feature = "pdfium") {
                    "PDFium's library file or the worker program is not known"
                } else {
                    "this build does without PDFium"
                };
                Err(self
                    .error(ErrorKind::BackendUnavailable, message.to_owned())
                    .with_hint("name libpdfium.so, or have hayro draw"))
            }
        }
    }

    fn drawing(&self, pages: &[PageSpan]) -> Result<Drawing, Error> {
        let (library, may_change) = self.library()?;
        let longest = match (self.asked().max_side, self.asked().dpi) {
            (Some(side), _) => Some(side),
            (None, Some(_)) => None,
            (None, None) => Some(self.kept_side()?),
        };
        let all: Vec<_> = self.document.page_sizes().collect();
        let most = self.engine.limits().max_decoded_pixels;
        let size = |page: u64| {
            let index = usize::try_from(page - 1).unwrap_or(usize::MAX);
            all.get(index).map(|size| raster_size(*size, self.asked().dpi, longest, most))
        };
        let sizes = spans::pages(pages).filter_map(size).collect();
        Ok(Drawing { library, may_change, encoding: self.encoding(), sizes })
    }

    /// The longest side that the service keeps of a picture of the first page's shape.
    fn kept_side(&self) -> Result<u32, Error> {
        let Some(first) = self.document.first_page() else { return Ok(LONGEST_SIDE) };
        let shape = raster_size(first, None, Some(LONGEST_SIDE), u64::MAX);
        let probed = Probed { info: crate::MediaInfo::image(shape), ..self.probed.clone() };
        let facts = self.planner.facts(&probed, Route::Inline);
        let kept = self.planner.rules().row.image_raster_side(&facts, shape);
        let kept = kept.map_err(|error| count_error(&self.probed.name, error))?;
        Ok(kept.unwrap_or(LONGEST_SIDE))
    }

    fn encoding(&self) -> Encoding {
        let images = &self.options.images;
        let format = match images.format {
            ImageFormat::Auto | ImageFormat::Jpeg => OutputFormat::Jpeg,
            ImageFormat::Png => OutputFormat::Png { small: images.small_png },
            ImageFormat::Webp => OutputFormat::Webp,
        };
        Encoding { format, quality: images.quality, chroma: images.chroma }
    }

    /// Says when the pages cost more as images than in the PDF.
    fn dearer(
        &self,
        pages: &[PageSpan],
        drawing: &Drawing,
        as_is: Option<&Charge>,
    ) -> Vec<Warning> {
        let all = self.document.pages().min(self.first.unwrap_or(u64::MAX)).max(1);
        let share = |tokens: u64| tokens / all * spans::count(pages);
        let Some(before) = as_is.map(|charge| share(charge.tokens.total)) else {
            return Vec::new();
        };
        let rules = self.planner.rules();
        let one = |size: &Dimensions| {
            let probed = Probed {
                mime_type: Some(MimeType::Jpeg),
                info: crate::MediaInfo::image(*size),
                ..self.probed.clone()
            };
            let facts = self.planner.facts(&probed, Route::Inline);
            let shape = mediaprep_tokens::RequestShape::EMPTY;
            rules.row.count_item(&facts, shape, &rules.key.model).map_or(0, |count| count.tokens())
        };
        let mut known = std::collections::HashMap::new();
        let tokens = |size: &Dimensions| *known.entry(*size).or_insert_with(|| one(size));
        let after: u64 = drawing.sizes.iter().map(tokens).sum();
        if after <= before.saturating_add(before / 10) {
            return Vec::new();
        }
        let message = format!("its pages cost {after} tokens as images and {before} in a PDF");
        let hint = "send the PDF, or draw the pages smaller with a longest side";
        vec![Warning::new(WarningCode::DearerAsImages, message).with_hint(hint)]
    }
}
