//! Carrying out the plan of a PDF.

use mediaprep_media::Watch;
use mediaprep_pdf::split::Splitter;
use sha2::{Digest, Sha256};

use super::options::PdfForm;
use super::plan::PdfPlan;
use super::spans::{self, PageSpan};
use crate::error::{Error, ErrorKind, Stage};
use crate::prepare::carry::{Job, Prepared, PreparedPart};
use crate::prepare::role::Role;

impl Job<'_> {
    /// A PDF in the form of its plan.
    pub(in crate::prepare) fn document(&self, plan: &PdfPlan) -> Result<Prepared, Error> {
        self.workers.compute(|| {
            let watch = self.watch();
            match plan.form {
                PdfForm::Pages => self.pages(plan, &watch),
                PdfForm::Split => self.excerpts(plan, &watch),
                PdfForm::Auto | PdfForm::Original => {
                    let prepared = self.pass(None)?;
                    self.with_texts(plan, prepared, std::slice::from_ref(&plan.pages), &watch)
                }
            }
        })
    }

    fn excerpts(&self, plan: &PdfPlan, watch: &Watch) -> Result<Prepared, Error> {
        let (bytes, source_sha256) = self.read()?;
        let failed = |error| self.media_error(Stage::Decode, error);
        let password = self.engine.password().map(str::as_bytes);
        let splitter = Splitter::open(&bytes, password, self.limits()).map_err(failed)?;
        drop(bytes);
        let most = plan.excerpts.map_or(u64::MAX, |excerpts| excerpts.bytes);
        let mut waiting = plan.excerpts();
        waiting.reverse();
        let (mut parts, mut taken): (Vec<PreparedPart>, Vec<Vec<PageSpan>>) = Default::default();
        while let Some(pages) = waiting.pop() {
            watch.check().map_err(failed)?;
            let numbers: Vec<u64> = spans::pages(&pages).collect();
            let excerpt = splitter.extract(&numbers).map_err(failed)?;
            if excerpt.len() as u64 > most {
                let Some((first, second)) = halves(&pages) else {
                    return Err(self.too_large(&pages, excerpt.len(), most));
                };
                waiting.extend([second, first]);
                continue;
            }
            parts.push(self.excerpt(parts.len(), &excerpt, &pages)?);
            taken.push(pages);
        }
        let prepared = Prepared::new(source_sha256, parts, Vec::new());
        self.with_texts(plan, prepared, &taken, watch)
    }

    fn too_large(&self, pages: &[PageSpan], bytes: usize, most: u64) -> Error {
        let page = pages.first().map_or(0, |span| span.first);
        let message = format!("page {page} alone takes {bytes} bytes; allowed: at most {most}");
        self.error(Stage::Encode, ErrorKind::LimitExceeded, message)
            .with_hint("allow more bytes for each PDF, leave the page out, or send it as an image")
    }

    fn excerpt(&self, at: usize, bytes: &[u8], pages: &[PageSpan]) -> Result<PreparedPart, Error> {
        let role = Role::Excerpt { excerpt: at as u64 + 1 };
        let facts = self.facts(bytes)?;
        self.keep_bytes(at, role, &facts, bytes)?;
        let mut part = PreparedPart::new(role, facts, Sha256::digest(bytes).into());
        part.pages = pages.to_vec();
        Ok(part)
    }
}

#[cfg(feature = "pages")]
mod drawn {
    use mediaprep_image::Scratch;
    use mediaprep_media::{Warning, WarningCode};

    use super::*;
    use crate::prepare::pdf::drawer::{Drawer, Site};
    use crate::prepare::pdf::plan::Drawing;
    use crate::prepare::pdf::wire::PageOrder;

    /// A drawn page, or why there is none.
    type Page = Result<(PreparedPart, bool), Error>;

    impl Job<'_> {
        fn site(&self) -> Site<'_> {
            Site {
                engine: self.engine,
                pool: self.pool,
                at: self.at,
                input: self.input,
                probed: &self.planned.probed,
                page_time: self.preparation.options.pdf.page_time,
            }
        }

        pub(super) fn pages(&self, plan: &PdfPlan, watch: &Watch) -> Result<Prepared, Error> {
            let Some(drawing) = &plan.drawing else { return Err(self.changed(0)) };
            let source_sha256 = self.hash(watch)?;
            let drawer = Drawer::open(self.site(), (drawing.library, drawing.may_change))?;
            let numbers: Vec<u64> = plan.page_numbers().collect();
            let draw = |scratch: &mut Scratch, at: usize| {
                self.page(&drawer, (plan, drawing), (at, numbers[at]), (watch, scratch))
            };
            let pages = self.workers.map(numbers.len(), Scratch::default, draw);
            watch.check().map_err(|error| self.media_error(Stage::Decode, error))?;
            self.gather(source_sha256, &numbers, pages)
        }

        fn page(
            &self,
            drawer: &Drawer<'_>,
            (plan, drawing): (&PdfPlan, &Drawing),
            (at, page): (usize, u64),
            (watch, scratch): (&Watch, &mut Scratch),
        ) -> Page {
            let size = drawing.sizes.get(at).copied().ok_or_else(|| self.changed(0))?;
            let order = PageOrder {
                page,
                width: size.width(),
                height: size.height(),
                encoding: drawing.encoding,
                render: self.preparation.options.images.render,
                text: plan.text.is_some(),
            };
            let drawn = drawer.draw(&order, watch, scratch)?;
            let role = Role::Page { page };
            let facts = self.facts(&drawn.bytes)?;
            self.keep_bytes(at, role, &facts, &drawn.bytes)?;
            let mut part = PreparedPart::new(role, facts, Sha256::digest(&drawn.bytes).into());
            part.pages = vec![PageSpan { first: page, last: page }];
            let silent = drawn.text.as_ref().is_some_and(String::is_empty);
            part.text = Some(labelled(page, drawn.text.as_deref().unwrap_or("")));
            Ok((part, silent))
        }

        /// The pages that could be drawn, and a warning for each that could not; the first reason
        /// when none could.
        fn gather(
            &self,
            source_sha256: [u8; 32],
            numbers: &[u64],
            pages: Vec<Page>,
        ) -> Result<Prepared, Error> {
            let mut prepared = Prepared::new(source_sha256, Vec::new(), Vec::new());
            let (mut silent, mut reason) = (Vec::new(), None);
            for (number, page) in numbers.iter().zip(pages) {
                match page {
                    Ok((part, is_silent)) => {
                        prepared.parts.push(part);
                        silent.extend(is_silent.then_some(*number));
                    }
                    Err(error) if error.stage() == Stage::Write => return Err(error),
                    Err(error) => {
                        let mut warning = Warning::new(WarningCode::PageLost, error.cause());
                        warning.hint = error.hint().map(|hint| hint.to_owned().into());
                        prepared.warnings.push(warning);
                        reason = reason.or(Some(error));
                    }
                }
            }
            if let (Some(reason), true) = (reason, prepared.parts.is_empty()) {
                return Err(reason);
            }
            prepared.warnings.extend(without_text(&silent));
            Ok(prepared)
        }

        /// The same with the text of its pages before each part, where that is wanted.
        pub(super) fn with_texts(
            &self,
            plan: &PdfPlan,
            mut prepared: Prepared,
            pages: &[Vec<PageSpan>],
            watch: &Watch,
        ) -> Result<Prepared, Error> {
            let Some(library) = plan.text else { return Ok(prepared) };
            let drawer = Drawer::open(self.site(), (library, true))?;
            let mut silent = Vec::new();
            for (part, pages) in prepared.parts.iter_mut().zip(pages) {
                part.text = Some(self.texts(&drawer, pages, (&mut silent, watch))?);
            }
            prepared.warnings.extend(without_text(&silent));
            Ok(prepared)
        }

        /// The text of pages, each behind its number.
        fn texts(
            &self,
            drawer: &Drawer<'_>,
            pages: &[PageSpan],
            (silent, watch): (&mut Vec<u64>, &Watch),
        ) -> Result<String, Error> {
            let numbers: Vec<u64> = spans::pages(pages).collect();
            let read = |(): &mut (), at: usize| drawer.text(numbers[at], watch);
            let texts = self.workers.map(numbers.len(), || (), read);
            let mut all = String::new();
            for (page, text) in numbers.iter().zip(texts) {
                let text = text?;
                if text.is_empty() {
                    silent.push(*page);
                    continue;
                }
                let separator = if all.is_empty() { "" } else { "\n\n" };
                all.push_str(separator);
                all.push_str(&labelled(*page, &text));
            }
            Ok(all)
        }
    }

    /// Says which pages have no text of their own.
    fn without_text(pages: &[u64]) -> Option<Warning> {
        let (first, rest) = pages.split_first()?;
        let which = match rest {
            [] => format!("page {first} has"),
            _ => format!("{} pages, the first of them page {first}, have", pages.len()),
        };
        let message = format!("{which} no text of their own: scans, drawings or empty");
        Some(Warning::new(WarningCode::ScannedPage, message))
    }

    /// A page's number, and its text below.
    fn labelled(page: u64, text: &str) -> String {
        if text.is_empty() { format!("page {page}") } else { format!("page {page}\n{text}") }
    }
}

#[cfg(not(feature = "pages"))]
impl Job<'_> {
    /// Never planned without the feature.
    fn pages(&self, _: &PdfPlan, _: &Watch) -> Result<Prepared, Error> {
        let missing = mediaprep_media::Error::Backend { backend: "drawing of pages" };
        Err(self.media_error(Stage::Decode, missing))
    }

    /// Text is never planned without the feature.
    #[expect(clippy::unnecessary_wraps, reason = "the feature's can fail")]
    fn with_texts(
        &self,
        _: &PdfPlan,
        prepared: Prepared,
        _: &[Vec<PageSpan>],
        _: &Watch,
    ) -> Result<Prepared, Error> {
        Ok(prepared)
    }
}

/// Two lists of as many pages each; `None` for a single page.
fn halves(pages: &[PageSpan]) -> Option<(Vec<PageSpan>, Vec<PageSpan>)> {
    let all = spans::count(pages);
    let half = all / 2;
    (half > 0).then(|| (spans::slice(pages, 0, half), spans::slice(pages, half, all - half)))
}
