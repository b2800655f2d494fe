//! Drawing by `hayro`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hayro::hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, TransformExt, interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro::kurbo::{Affine, Rect};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{PixmapMut, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings, render_into};
use mediaprep_media::{Dimensions, Error, Raster};

use super::contents::{Contents, Reader};
use super::{Pages, broken, check_size, no_page, opaque, white};
use crate::failure::FORMAT;

/// Pages after which the library's cache is thrown away: it only ever grows.
const CACHED_PAGES: u32 = 16;

/// A document as `hayro` holds it. It may be shared between threads, each with its own
/// [`HayroPages`].
pub struct HayroDocument(Pdf);

impl HayroDocument {
    /// Reads the structure of a document.
    ///
    /// # Errors
    ///
    /// When it is malformed, or encrypted and `password` does not open it.
    pub fn open(bytes: impl Into<Arc<Vec<u8>>>, password: Option<&str>) -> Result<Self, Error> {
        let (bytes, password) = (bytes.into(), password.unwrap_or(""));
        let opened = catch_unwind(|| Pdf::new_with_password(bytes, password));
        match opened.map_err(|_| broken())? {
            Ok(pdf) => Ok(Self(pdf)),
            Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => {
                Err(Error::Encrypted { format: FORMAT })
            }
            Err(LoadPdfError::Decryption(_)) => {
                Err(Error::Unsupported("the PDF's kind of encryption"))
            }
            Err(LoadPdfError::Invalid) => {
                Err(Error::malformed(FORMAT, 0, "the library that draws cannot read it"))
            }
        }
    }

    /// Its pages, to be drawn on one thread.
    pub fn pages(&self) -> HayroPages<'_> {
        HayroPages { pdf: &self.0, cache: RenderCache::new(), drawn: 0 }
    }
}

/// The pages of a [`HayroDocument`], with what drawing one leaves for the next.
pub struct HayroPages<'a> {
    pdf: &'a Pdf,
    cache: RenderCache<'a>,
    drawn: u32,
}

impl<'a> HayroPages<'a> {
    /// Does something with a page; a panic on the way becomes an error.
    fn fenced<T>(
        &mut self,
        number: u64,
        work: impl FnOnce(&'a Page<'a>, &RenderCache<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let index = number.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let page = index.and_then(|index| self.pdf.pages().get(index)).ok_or_else(no_page)?;
        let done = catch_unwind(AssertUnwindSafe(|| work(page, &self.cache)));
        self.drawn += 1;
        if done.is_err() || self.drawn.is_multiple_of(CACHED_PAGES) {
            self.cache = RenderCache::new();
        }
        done.unwrap_or_else(|_| Err(broken()))
    }
}

impl Pages for HayroPages<'_> {
    fn count(&self) -> u64 {
        self.pdf.pages().len() as u64
    }

    fn draw(&mut self, page: u64, size: Dimensions) -> Result<Raster, Error> {
        let (width, height) = check_size(size)?;
        let mut pixels = white(size)?;
        self.fenced(page, |page, cache| {
            let (across, down) = page.render_dimensions();
            let scale = Affine::scale_non_uniform(
                f64::from(width) / f64::from(across),
                f64::from(height) / f64::from(down),
            );
            let transform = scale * page.initial_transform(true).to_kurbo();
            let mut context = RenderContext::new(width, height);
            let settings = (InterpreterSettings::default(), RenderSettings::default());
            render_into(page, cache, &settings.0, &settings.1, &mut context, transform);
            context.flush();
            let target = PixmapMut::new(width, height, &mut pixels).ok_or_else(broken)?;
            let how = RasterizerSettings {
                target_init: TargetInit::Clear(WHITE),
                ..RasterizerSettings::default()
            };
            context.render_with(target, &mut Resources::default(), how);
            Ok(())
        })?;
        opaque(size, pixels)
    }

    fn text(&mut self, page: u64) -> Result<String, Error> {
        self.contents(page).map(|contents| contents.text)
    }

    fn contents(&mut self, page: u64) -> Result<Contents, Error> {
        self.fenced(page, |page, _| {
            let transform = page.initial_transform(true).to_kurbo();
            let (width, height) = page.render_dimensions();
            let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
            let cache = InterpreterCache::new();
            let settings = InterpreterSettings::default();
            let mut context = Context::new(transform, area, &cache, page.xref(), settings);
            let mut reader = Reader::new(area);
            interpret_page(page, &mut context, &mut reader);
            Ok(reader.finish())
        })
    }
}
