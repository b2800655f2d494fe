//! What the pages of a document hold.

use std::ops::ControlFlow;
use std::time::Duration as WallTime;

use mediaprep_pdf::raster::Contents;

use super::drawer::{Drawer, Pool, Site};
use super::options::PdfLibrary;
use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::info::MediaInfo;
use crate::probe::Probed;
use crate::run::{Workers, run_heavy};
use crate::{Engine, Input};

impl Engine {
    /// What each page of a PDF holds: its text, and how much of it pictures cover. Every page's
    /// content is read, by hayro, and nothing is drawn; `page_time` holds where worker processes
    /// read. Empty for other media.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mediaprep::{Engine, Input, Outcome};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/pdf/scan.pdf");
    /// let engine = Engine::builder().build()?;
    /// let input = Input::path(file);
    /// let Outcome::Media(probed) = engine.probe(&input) else { return Ok(()) };
    /// let pages = engine.page_contents(&input, &probed, Duration::from_secs(60))?;
    /// assert!(pages.len() == 1 && pages[0].as_ref().unwrap().is_scan());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the document cannot be opened, or the threads cannot be started. What is wrong with one
    /// page is in its own result.
    pub fn page_contents(
        &self,
        input: &Input,
        probed: &Probed,
        page_time: WallTime,
    ) -> Result<Vec<Result<Contents, Error>>, Error> {
        let MediaInfo::Document(document) = &probed.info else { return Ok(Vec::new()) };
        let pages = usize::try_from(document.pages()).unwrap_or(usize::MAX);
        let pool = Pool::default();
        let site = Site { engine: self, pool: &pool, at: 0, input, probed, page_time };
        let drawer = Drawer::open(site, (PdfLibrary::Hayro, false))?;
        let mut found = Vec::new();
        let read = |workers: &Workers, ()| {
            let read = |(): &mut (), at: usize| drawer.contents(at as u64 + 1, self.watch());
            workers.compute(|| workers.map(pages, || (), read))
        };
        run_heavy(self.threads(), std::iter::once(()), read, &mut |pages| {
            found = pages;
            ControlFlow::Continue(())
        })
        .map_err(|error| {
            Error::new(&probed.name, Stage::Open, ErrorKind::Io, error).with_hint(READ_AGAIN)
        })?;
        Ok(found)
    }
}
