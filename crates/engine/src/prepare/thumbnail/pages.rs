//! The first pages of a document.

use mediaprep_image::{RenderOptions, Scratch};
use mediaprep_pdf::PageSize;

use super::{Maker, Thumbnail};
use crate::DocumentInfo;
use crate::error::Error;
use crate::prepare::pdf::{Drawer, PageOrder, PdfLibrary, Site, raster_size};
use crate::prepare::peak::PAGE;
use crate::prepare::role::Role;

impl Maker<'_> {
    pub(super) fn pages(&self, document: &DocumentInfo) -> Result<Vec<Thumbnail>, Error> {
        let file = self.sight.probed.bytes.ok_or_else(|| self.unknown())?;
        let _reservation = self.reserve(file.saturating_add(PAGE))?;
        let has_pdfium = self.engine.has_pdfium();
        let library = if has_pdfium { PdfLibrary::Pdfium } else { PdfLibrary::Hayro };
        self.workers.compute(|| {
            let drawer = Drawer::open(self.site(), (library, has_pdfium))?;
            let (mut drawn, mut trouble) = (Vec::new(), None);
            for (page, size) in (1..).zip(sizes(document)).take(self.most()) {
                match self.page(&drawer, page, size) {
                    Ok(page) => drawn.push(page),
                    Err(error) => trouble = trouble.or(Some(error)),
                }
            }
            match trouble {
                Some(error) if drawn.is_empty() => Err(error),
                _ => Ok(drawn),
            }
        })
    }

    fn most(&self) -> usize {
        usize::try_from(self.options.pages).unwrap_or(usize::MAX)
    }

    fn site(&self) -> Site<'_> {
        Site {
            engine: self.engine,
            pool: self.pool,
            at: self.at,
            input: &self.sight.input,
            probed: &self.sight.probed,
            page_time: self.options.working_time,
        }
    }

    fn page(&self, drawer: &Drawer<'_>, page: u64, size: PageSize) -> Result<Thumbnail, Error> {
        let side = self.options.side;
        let size = raster_size(size, None, Some(side), u64::from(side).pow(2));
        let order = PageOrder {
            page,
            width: size.width(),
            height: size.height(),
            encoding: self.encoding(),
            render: RenderOptions::default(),
            text: false,
        };
        let drawn = drawer.draw(&order, self.engine.watch(), &mut Scratch::default())?;
        Ok(Thumbnail { role: Role::Page { page }, time: None, size, bytes: drawn.bytes })
    }
}

/// The size of each page in turn.
fn sizes(document: &DocumentInfo) -> impl Iterator<Item = PageSize> + '_ {
    let pages = |pages: u64| usize::try_from(pages).unwrap_or(usize::MAX);
    document.runs.iter().flat_map(move |run| std::iter::repeat_n(run.size, pages(run.pages)))
}
