//! Small pictures of inputs, to look at: an image, the first pages of a PDF, a few of the frames that
//! a video is sampled at.
//!
//! They show what was counted and are never sent, so nothing of them goes by the model.

#[cfg(feature = "ffmpeg")]
mod film;
#[cfg(feature = "pages")]
mod pages;

use std::ops::ControlFlow;
use std::time::Duration as WallTime;

use mediaprep_image::{
    Chroma, DecodeOptions, Encoding, OutputFormat, RenderOptions, Scratch, View, decode,
    decode_peak_bytes, render_peak_bytes,
};
use mediaprep_media::{Dimensions, Error as MediaError, Watch};
use mediaprep_video::Instants;

use super::carry::read_input;
use super::memory::{Ledger, Reservation};
use super::options::PrepareOptions;
#[cfg(feature = "pages")]
use super::pdf::Pool;
use super::role::Role;
use super::video_plan::VideoPlanner;
use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::info::MediaInfo;
use crate::plan::{Charge, Planner};
use crate::probe::Probed;
use crate::run::{Workers, run_heavy};
use crate::{Engine, ImageInfo, Input};

/// An input that is to be seen.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The input itself.
    pub input: Input,
    /// Its facts.
    pub probed: Box<Probed>,
    /// When a video is looked at; [`Planner::instants`] says when the model does.
    pub instants: Option<Instants>,
}

/// How small pictures are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThumbnailOptions {
    /// The longest side in pixels; nothing is enlarged.
    pub side: u32,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// The most pages of a document, from the first on.
    pub pages: u64,
    /// The most frames of a video, spread over all of it.
    pub frames: u64,
    /// The longest that one video or one page may take, on the clock.
    pub working_time: WallTime,
}

impl Default for ThumbnailOptions {
    /// 160 pixels, quality 60, three pages, five frames, a minute.
    fn default() -> Self {
        let working_time = WallTime::from_secs(60);
        Self { side: 160, quality: 60, pages: 3, frames: 5, working_time }
    }
}

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// What it shows: all of an image, a page, or a frame by its number among all sampled ones.
    pub role: Role,
    /// The time of a frame, as it is written beside the frame in a request.
    pub time: Option<String>,
    /// Its size in pixels.
    pub size: Dimensions,
    /// A JPEG.
    pub bytes: Vec<u8>,
}

impl Planner<'_> {
    /// When the model looks at a video that is charged so; `None` for other media and where nothing
    /// states how long the video lasts.
    pub fn instants(&self, probed: &Probed, charge: &Charge) -> Option<Instants> {
        let MediaInfo::Video(video) = &probed.info else { return None };
        let options = PrepareOptions::default();
        let planner = VideoPlanner { probed, video, planner: self, options: &options };
        planner.instants(Some(charge)).ok().map(|(instants, _)| instants)
    }
}

impl Engine {
    /// Makes small pictures of inputs, in parallel and within the engine's memory, and hands those of
    /// each to `each`, in order; stops when `each` breaks. What cannot be seen is that input's error.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use mediaprep::{Engine, Input, Outcome, Sight, ThumbnailOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/jpeg-exif-6.jpg");
    /// let engine = Engine::builder().build()?;
    /// let input = Input::path(file);
    /// let Outcome::Media(probed) = engine.probe(&input) else { return Ok(()) };
    /// let sight = Sight { input, probed, instants: None };
    /// let mut seen = Vec::new();
    /// engine.thumbnails_each(&[sight], &ThumbnailOptions::default(), &mut |made| {
    ///     seen.extend(made.unwrap_or_default());
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert!(seen.len() == 1 && seen[0].size.long() <= 160);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the threads cannot be started.
    pub fn thumbnails_each(
        &self,
        sights: &[Sight],
        options: &ThumbnailOptions,
        each: &mut dyn FnMut(Result<Vec<Thumbnail>, Error>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let ledger = Ledger::new(self.memory());
        #[cfg(feature = "pages")]
        let pool = Pool::default();
        let job = |workers: &Workers, (at, sight): (usize, &Sight)| {
            let maker = Maker {
                at,
                sight,
                options,
                engine: self,
                ledger: &ledger,
                workers,
                #[cfg(feature = "pages")]
                pool: &pool,
            };
            maker.make()
        };
        run_heavy(self.threads(), sights.iter().enumerate(), job, each).map_err(|error| {
            Error::new("", Stage::Open, ErrorKind::Io, error).with_hint(READ_AGAIN)
        })
    }
}

/// One input on its way.
struct Maker<'a> {
    #[cfg_attr(
        not(feature = "pages"),
        expect(dead_code, reason = "it tells the documents of worker processes apart")
    )]
    at: usize,
    sight: &'a Sight,
    options: &'a ThumbnailOptions,
    engine: &'a Engine,
    ledger: &'a Ledger,
    workers: &'a Workers,
    #[cfg(feature = "pages")]
    pool: &'a Pool,
}

impl Maker<'_> {
    fn make(&self) -> Result<Vec<Thumbnail>, Error> {
        self.watch().check().map_err(|error| self.failed(error))?;
        match &self.sight.probed.info {
            MediaInfo::Image(image) => self.image(image).map(|picture| vec![picture]),
            MediaInfo::Video(video) => self.film(video),
            MediaInfo::Document(document) => self.pages(document),
            MediaInfo::Audio(_) => {
                Err(self.error(ErrorKind::Unsupported, "a sound has no picture"))
            }
        }
    }

    fn image(&self, image: &ImageInfo) -> Result<Thumbnail, Error> {
        let probed = &self.sight.probed;
        let (Some(mime), Some(bytes)) = (probed.mime_type, probed.bytes) else {
            return Err(self.unknown());
        };
        let shown = image.displayed();
        let (size, encoding) = (self.fitted(shown), self.encoding());
        let view = View::whole(shown, size);
        let how = DecodeOptions {
            limits: self.engine.limits().clone(),
            allow_truncated: true,
            at_least: double(size, shown),
            planes: true,
        };
        let peak = decode_peak_bytes(mime, image, &how)
            .saturating_add(bytes)
            .saturating_add(render_peak_bytes(image, &view, &encoding));
        let _reservation = self.reserve(peak)?;
        let bytes = read_input(&self.sight.input, probed)?;
        let render = RenderOptions::default();
        let drawn = self.workers.compute(|| {
            let picture = decode(&bytes, mime, image, &how)?.value;
            picture.into_rendered(&view, &encoding, &render, &mut Scratch::default())
        });
        let bytes = drawn.map_err(|error| self.failed(error))?;
        Ok(Thumbnail { role: Role::Whole, time: None, size, bytes })
    }

    #[cfg(not(feature = "ffmpeg"))]
    fn film(&self, _: &crate::VideoInfo) -> Result<Vec<Thumbnail>, Error> {
        Err(self.failed(MediaError::Backend { backend: "FFmpeg" }))
    }

    #[cfg(not(feature = "pages"))]
    fn pages(&self, _: &crate::DocumentInfo) -> Result<Vec<Thumbnail>, Error> {
        Err(self.failed(MediaError::Backend { backend: "drawing of pages" }))
    }

    fn fitted(&self, size: Dimensions) -> Dimensions {
        let side = self.options.side;
        Dimensions::new(side, side).map_or(Dimensions::ONE, |frame| size.fit_within(frame))
    }

    const fn encoding(&self) -> Encoding {
        let (format, chroma) = (OutputFormat::Jpeg, Chroma::Subsampled);
        Encoding { format, quality: self.options.quality, chroma }
    }

    fn watch(&self) -> Watch {
        self.engine.watch().within(self.options.working_time)
    }

    fn reserve(&self, peak: u64) -> Result<Reservation<'_>, Error> {
        self.ledger.reserve(peak).ok_or_else(|| {
            let allowed = self.engine.memory();
            let message = format!("needs {peak} bytes of memory; allowed: {allowed}");
            self.error(ErrorKind::LimitExceeded, message).with_hint("allow more memory")
        })
    }

    fn unknown(&self) -> Error {
        self.error(ErrorKind::Unsupported, "only its facts are known")
            .with_hint("name the file to see it")
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(&self.sight.probed.name, Stage::Decode, kind, message.into())
    }

    fn failed(&self, error: MediaError) -> Error {
        Error::from_media(&self.sight.probed.name, Stage::Decode, error)
    }
}

/// Twice the size as far as the picture is that large: enough for the resampling filter.
fn double(size: Dimensions, shown: Dimensions) -> Option<Dimensions> {
    let twice = |side: u32, most: u32| side.saturating_mul(2).min(most);
    Dimensions::new(twice(size.width(), shown.width()), twice(size.height(), shown.height()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn made(engine: &Engine, files: &[&str]) -> Vec<Result<Vec<Thumbnail>, Error>> {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/");
        let sight = |file: &&str| {
            let input = Input::path(format!("{fixtures}{file}"));
            let Outcome::Media(probed) = engine.probe(&input) else { panic!("{file}") };
            let instants = match &probed.info {
                MediaInfo::Video(video) => Some(Instants::spanning(
                    mediaprep_media::Duration::ZERO,
                    video.length().unwrap(),
                    mediaprep_media::FrameRate::ONE,
                )),
                _ => None,
            };
            Sight { input, probed, instants }
        };
        let sights: Vec<Sight> = files.iter().map(sight).collect();
        let mut all = Vec::new();
        engine
            .thumbnails_each(&sights, &ThumbnailOptions::default(), &mut |one| {
                all.push(one);
                ControlFlow::Continue(())
            })
            .unwrap();
        all
    }

    #[test]
    fn pictures_are_small_and_upright_at_any_thread_count() {
        let files = ["images/photo-landscape-12mp.jpg", "images/jpeg-exif-6.jpg"];
        let all: Vec<Vec<_>> = [1, 2, 5]
            .map(|threads| {
                let engine = Engine::builder().threads(threads).build().unwrap();
                made(&engine, &files).into_iter().flat_map(Result::unwrap).collect()
            })
            .into();
        assert_eq!(all[0].len(), 2);
        assert!(all.iter().all(|others: &Vec<Thumbnail>| *others == all[0]));
        for picture in &all[0] {
            assert!(picture.size.long() <= 160, "{:?}", picture.size);
            let facts = mediaprep_image::probe(
                &mut std::io::Cursor::new(&picture.bytes),
                mediaprep_media::MimeType::Jpeg,
                &mediaprep_media::Limits::default(),
            );
            assert_eq!(facts.unwrap().value.displayed(), picture.size);
        }
        assert!(all[0][0].size.width() > all[0][0].size.height());
    }

    #[test]
    fn what_has_no_room_or_no_picture_is_its_own_error() {
        let files = ["images/screenshot-1080p.png", "audio/minute.opus", "images/jpeg-exif-6.jpg"];
        let engine = Engine::builder().memory(8 << 20).threads(2).build().unwrap();
        let all = made(&engine, &files);
        let kinds: Vec<_> = all.iter().map(|one| one.as_ref().err().map(Error::kind)).collect();
        let (limit, sound) = (Some(ErrorKind::LimitExceeded), Some(ErrorKind::Unsupported));
        assert_eq!(kinds, [limit, sound, None]);
        assert!(all[0].as_ref().unwrap_err().cause().contains("allowed: 8388608"));
    }

    #[cfg(feature = "pages")]
    #[test]
    fn a_document_shows_its_first_pages() {
        let engine = Engine::builder().threads(2).build().unwrap();
        let all = made(&engine, &["pdf/object-streams.pdf"]);
        let pages = all[0].as_ref().unwrap();
        let roles: Vec<Role> = pages.iter().map(|page| page.role).collect();
        assert_eq!(roles, [1, 2, 3].map(|page| Role::Page { page }));
    }

    #[cfg(feature = "ffmpeg")]
    #[test]
    fn a_video_shows_frames_over_all_of_its_length() {
        let engine = Engine::builder().threads(2).build().unwrap();
        let all = made(&engine, &["video/still-90s.mp4"]);
        let frames = all[0].as_ref().unwrap();
        let times: Vec<_> = frames.iter().filter_map(|frame| frame.time.as_deref()).collect();
        assert_eq!(times, ["00:00", "00:18", "00:36", "00:54", "01:12"]);
        assert_eq!(frames[1].role, Role::Frame { frame: 19 });
    }
}
