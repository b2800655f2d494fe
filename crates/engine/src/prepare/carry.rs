//! Carrying out a plan: the only place that touches pixels.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use mediaprep_image::{Picture, Scratch, View, decode, turn_losslessly};
use mediaprep_media::{Duration, Error as MediaError, Limits, MimeType, Source, Warning, Watch};
use sha2::{Digest, Sha256};

use super::count::PartFacts;
use super::image_plan::ImagePlan;
use super::keep::Hashed;
use super::memory::Ledger;
use super::options::VideoForm;
use super::pdf::PageSpan;
#[cfg(feature = "pages")]
use super::pdf::Pool;
use super::peak::decode_options;
use super::planned::{ItemPlan, Planned, Preparation};
use super::role::{How, Role};
use super::sound_plan::AudioPlan;
use super::video_plan::{Sampling, VideoPlan};
use crate::Engine;
use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::info::MediaInfo;
use crate::input::{FileStamp, Input, InputSource};
use crate::observe::Work;
use crate::probe::{Probed, probe_made};
use crate::run::{Workers, run_heavy};

/// One part as it was made.
#[derive(Clone, Debug)]
pub struct PreparedPart {
    /// What it shows of its source.
    pub role: Role,
    /// Where its pixels come from; `None` for media that are no images.
    pub view: Option<View>,
    /// The facts of its own bytes, read back from their header.
    pub facts: Probed,
    /// Of its bytes.
    pub sha256: [u8; 32],
    /// Where it begins in the source's time; `None` where it is all of it, or has no time.
    pub start: Option<Duration>,
    /// How long it lasts, where it was cut or encoded here.
    pub duration: Option<Duration>,
    /// The text before it in the request: the time of a frame, the number and text of a page.
    pub text: Option<String>,
    /// The pages of the source that it shows; empty for media without pages, and for a PDF as it
    /// is.
    pub pages: Vec<PageSpan>,
}

impl PreparedPart {
    /// A part of which nothing more is to be said.
    pub(super) const fn new(role: Role, facts: Probed, sha256: [u8; 32]) -> Self {
        let pages = Vec::new();
        Self { role, view: None, facts, sha256, start: None, duration: None, text: None, pages }
    }

    /// What counting goes by.
    pub fn counted(&self) -> PartFacts {
        PartFacts { facts: self.facts.clone(), role: self.role, text: self.text.clone() }
    }
}

/// A file that is kept beside the parts and never sent.
#[derive(Clone, Debug)]
pub struct Extra {
    /// What it is.
    pub role: Role,
    /// Its size.
    pub bytes: u64,
    /// Of its bytes.
    pub sha256: [u8; 32],
    /// Where it begins in the source's time.
    pub start: Duration,
    /// How long it lasts.
    pub duration: Duration,
}

/// One input as it was prepared.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Of the input's bytes.
    pub source_sha256: [u8; 32],
    /// The parts, in sending order.
    pub parts: Vec<PreparedPart>,
    /// What is kept beside them and never sent.
    pub extras: Vec<Extra>,
    /// What was noticed on the way.
    pub warnings: Vec<Warning>,
}

impl Prepared {
    /// Parts without anything beside them.
    pub(super) const fn new(
        source_sha256: [u8; 32],
        parts: Vec<PreparedPart>,
        warnings: Vec<Warning>,
    ) -> Self {
        Self { source_sha256, parts, extras: Vec::new(), warnings }
    }
}

/// The bytes of one part, on their way to wherever they are kept.
pub struct PartBytes<'a> {
    /// The item's place in [`Preparation::items`].
    pub item: usize,
    /// The part's place among the item's parts, or among its extras where [`Role::is_extra`].
    pub part: usize,
    /// What it shows of its source.
    pub role: Role,
    /// The usual file extension, without a dot.
    pub extension: &'static str,
    /// The bytes, to be read to the end.
    pub bytes: &'a mut dyn Read,
}

/// Keeps the bytes of parts. Called from several threads at once, in any order.
pub trait Store: Sync {
    /// Keeps one part.
    ///
    /// # Errors
    ///
    /// What keeping it gives; the part's item then fails, the others go on.
    fn store(&self, part: PartBytes<'_>) -> io::Result<()>;

    /// What an earlier run has made of an item, by its place and plan, where that still stands:
    /// nothing is then done for it.
    fn resume(&self, item: usize, planned: &Planned) -> Option<Prepared> {
        let _ = (item, planned);
        None
    }

    /// Is told what was made of an item once all of its parts are kept.
    fn finished(&self, item: usize, prepared: &Prepared) {
        let _ = (item, prepared);
    }

    /// Throws a stored part away that turned out not to be wanted, by its item and its place.
    fn discard(&self, item: usize, part: usize);
}

impl Engine {
    /// Carries out a preparation: reads, decodes, turns, resizes, cuts and encodes, and hands the
    /// bytes of every part to `store`. What became of each item goes to `each`, in order; stops
    /// when `each` breaks.
    ///
    /// No more jobs run at once than fit the engine's memory. One item's failure does not touch the
    /// others; parts of it that were stored before it failed are to be thrown away.
    ///
    /// # Errors
    ///
    /// When the threads cannot be started.
    pub fn prepare_each(
        &self,
        preparation: &Preparation<'_>,
        store: &dyn Store,
        each: &mut dyn FnMut(usize, Option<Result<Prepared, Error>>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let ledger = Ledger::new(self.memory());
        #[cfg(feature = "pages")]
        let pool = Pool::default();
        let items = preparation.items.iter().enumerate();
        let job = |workers: &Workers, (at, item): (usize, &super::PlannedItem)| {
            let planned = item.planned.as_ref().ok()?;
            let engine = self;
            let job = Job {
                at,
                input: &item.input,
                stamp: item.stamp,
                planned,
                preparation,
                engine,
                workers,
                store,
                #[cfg(feature = "pages")]
                pool: &pool,
            };
            Some(job.resume_or_run(&ledger))
        };
        let mut at = 0;
        let total = Some(preparation.items.len() as u64);
        let mut counter = self.observed().counter(Work::Prepare, total);
        run_heavy(self.threads(), items, job, &mut |prepared| {
            counter.step(|| {
                preparation.items.get(at).map_or_else(String::new, |one| one.input.name())
            });
            at += 1;
            each(at - 1, prepared)
        })
        .map_err(|error| Error::new("", Stage::Open, ErrorKind::Io, error).with_hint(READ_AGAIN))
    }
}

/// One item on its way.
pub(super) struct Job<'a> {
    pub(super) at: usize,
    pub(super) input: &'a Input,
    pub(super) stamp: Option<FileStamp>,
    pub(super) planned: &'a Planned,
    pub(super) preparation: &'a Preparation<'a>,
    pub(super) engine: &'a Engine,
    pub(super) workers: &'a Workers,
    pub(super) store: &'a dyn Store,
    #[cfg(feature = "pages")]
    pub(super) pool: &'a Pool,
}

impl Job<'_> {
    fn resume_or_run(&self, ledger: &Ledger) -> Result<Prepared, Error> {
        if let Some(prepared) = self.store.resume(self.at, self.planned) {
            return Ok(prepared);
        }
        let prepared = self.run(ledger)?;
        self.check_unchanged()?;
        self.store.finished(self.at, &prepared);
        Ok(prepared)
    }

    /// Holds the file against what it was when it was planned.
    fn check_unchanged(&self) -> Result<(), Error> {
        let (Some(before), Some(path)) = (self.stamp, self.input.file()) else { return Ok(()) };
        let now = FileStamp::of(path);
        if now == Some(before) {
            return Ok(());
        }
        let found = now.map_or(0, |now| now.bytes);
        if now.is_some() && found == before.bytes {
            let message = "it was written to since it was planned";
            return Err(self
                .error(Stage::Open, ErrorKind::Io, message)
                .with_code("file_changed")
                .with_hint(CHANGED));
        }
        Err(self.changed(found))
    }

    fn run(&self, ledger: &Ledger) -> Result<Prepared, Error> {
        let peak = self.planned.peak_bytes;
        let Some(_reservation) = ledger.reserve(peak) else {
            let message = format!("needs {peak} bytes of memory, more than is allowed");
            return Err(self
                .error(Stage::Plan, ErrorKind::LimitExceeded, message)
                .with_hint("allow more memory"));
        };
        match &self.planned.plan {
            ItemPlan::Image(plan) => match plan.how {
                How::Passed => self.pass(plan.parts.first().map(|part| part.view)),
                How::RotatedLosslessly => self.turn(plan),
                _ => self.reencode(plan),
            },
            ItemPlan::Video(VideoPlan { form, sampling: Some(sampling), .. }) => {
                match (form, &sampling.sound) {
                    (VideoForm::Sound, Some(sound)) => self.sound_file(sound),
                    _ => self.sample(*form, sampling),
                }
            }
            ItemPlan::Audio(AudioPlan { sound: Some(sound), .. }) => self.sound_file(sound),
            ItemPlan::Document(plan) => self.document(plan),
            ItemPlan::Video(_) | ItemPlan::Audio(_) => self.pass(None),
        }
    }

    #[cfg(feature = "ffmpeg")]
    fn sample(&self, form: VideoForm, sampling: &Sampling) -> Result<Prepared, Error> {
        match form {
            VideoForm::Frames => self.frames(sampling),
            _ => self.proxies(sampling),
        }
    }

    /// Never planned without FFmpeg.
    #[cfg(not(feature = "ffmpeg"))]
    fn sample(&self, _: VideoForm, _: &Sampling) -> Result<Prepared, Error> {
        let missing = MediaError::Backend { backend: "FFmpeg" };
        Err(self.media_error(Stage::Decode, missing))
    }

    pub(super) const fn limits(&self) -> &Limits {
        self.engine.limits()
    }

    /// What stops this item's work: the engine's switch, and the time that one item may take from
    /// now on.
    pub(super) fn watch(&self) -> Watch {
        let watch = self.engine.watch();
        match self.preparation.options.working_time {
            Some(allowed) => watch.within(allowed),
            None => watch.clone(),
        }
    }

    pub(super) const fn allow_truncated(&self) -> bool {
        self.preparation.options.images.allow_truncated
    }

    pub(super) fn mime(&self) -> Result<MimeType, Error> {
        self.planned.probed.mime_type.ok_or_else(|| self.changed(0))
    }

    pub(super) fn error(&self, stage: Stage, kind: ErrorKind, message: impl Into<Cause>) -> Error {
        Error::new(&self.planned.probed.name, stage, kind, message)
    }

    pub(super) fn media_error(&self, stage: Stage, error: MediaError) -> Error {
        let is_damage = stage == Stage::Decode && matches!(error, MediaError::Malformed { .. });
        let is_full =
            matches!(&error, MediaError::Io(io) if io.kind() == io::ErrorKind::StorageFull);
        let is_late = matches!(&error, MediaError::Limit(limit) if limit.what.contains("time"));
        let error = Error::from_media(&self.planned.probed.name, stage, error);
        if is_full {
            return error.with_hint("free some space where temporary files go");
        }
        if is_late {
            return error.with_hint("allow more time for each file, or take a part of it");
        }
        if is_damage && !self.allow_truncated() {
            return error.with_hint(
                "fetch or export the file again, or allow truncated files to keep what can be shown",
            );
        }
        error
    }

    pub(super) fn write_error(&self, error: io::Error) -> Error {
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space, or choose another folder"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "check the folder's permissions"
            }
            _ => READ_AGAIN,
        };
        self.error(Stage::Write, ErrorKind::Io, error).with_hint(hint)
    }

    /// The input's bytes, from their start.
    pub(super) fn open(&self) -> Result<Box<dyn Source>, Error> {
        open_input(self.input, &self.planned.probed.name)
    }

    pub(super) fn changed(&self, found: u64) -> Error {
        changed(&self.planned.probed, found)
    }

    /// Hands the source's bytes on, a buffer at a time.
    pub(super) fn pass(&self, view: Option<View>) -> Result<Prepared, Error> {
        let expected = self.planned.probed.bytes.unwrap_or(0);
        let mut source = Hashed::new(self.open()?.take(expected.saturating_add(1)));
        let role = Role::Whole;
        self.hand_over(&mut source, (0, role, self.mime()?.extension()))?;
        if source.length != expected {
            return Err(self.changed(source.length));
        }
        let sha256 = source.finish();
        let facts = (*self.planned.probed).clone();
        let part = PreparedPart { view, ..PreparedPart::new(role, facts, sha256) };
        Ok(Prepared::new(sha256, vec![part], Vec::new()))
    }

    /// All of the source's bytes and their hash.
    pub(super) fn read(&self) -> Result<(Vec<u8>, [u8; 32]), Error> {
        let bytes = read_input(self.input, &self.planned.probed)?;
        let hash = Sha256::digest(&bytes).into();
        Ok((bytes, hash))
    }

    fn turn(&self, plan: &ImagePlan) -> Result<Prepared, Error> {
        let (bytes, source_sha256) = self.read()?;
        let orientation = self.image()?.orientation;
        let turned = turn_losslessly(&bytes, orientation)
            .map_err(|error| self.media_error(Stage::Encode, error))?;
        let parts = plan.parts.iter().enumerate().take(1);
        let parts = parts
            .map(|(at, part)| self.keep(at, part.role, part.view, &turned))
            .collect::<Result<_, _>>()?;
        Ok(Prepared::new(source_sha256, parts, Vec::new()))
    }

    fn image(&self) -> Result<&crate::ImageInfo, Error> {
        match &self.planned.probed.info {
            MediaInfo::Image(image) => Ok(image),
            _ => Err(self
                .error(Stage::Plan, ErrorKind::Unsupported, "no image")
                .with_hint("plan it again")),
        }
    }

    fn reencode(&self, plan: &ImagePlan) -> Result<Prepared, Error> {
        let (bytes, source_sha256) = self.read()?;
        let (parts, warnings) = self.workers.compute(|| self.render(plan, bytes))?;
        Ok(Prepared::new(source_sha256, parts, warnings))
    }

    fn render(
        &self,
        plan: &ImagePlan,
        bytes: Vec<u8>,
    ) -> Result<(Vec<PreparedPart>, Vec<Warning>), Error> {
        let image = self.image()?;
        let mime = self.mime()?;
        let options = &self.preparation.options;
        let how = decode_options(plan, image.displayed(), options, self.limits());
        let decoded = decode(&bytes, mime, image, &how)
            .map_err(|error| self.media_error(Stage::Decode, error))?;
        drop(bytes);
        let (picture, warnings) = (decoded.value, decoded.warnings);
        let parts = match plan.parts.as_slice() {
            [_] => vec![self.render_only(plan, picture)?],
            several => {
                let work =
                    |scratch: &mut Scratch, at: usize| self.render_one(plan, &picture, at, scratch);
                let parts = self.workers.map(several.len(), Scratch::default, work);
                parts.into_iter().collect::<Result<_, _>>()?
            }
        };
        Ok((parts, warnings))
    }

    fn render_only(&self, plan: &ImagePlan, picture: Picture) -> Result<PreparedPart, Error> {
        let (Some(part), Some(encoding)) = (plan.parts.first(), &plan.encoding) else {
            return Err(self.changed(0));
        };
        let options = &self.preparation.options.images.render;
        let bytes = picture
            .into_rendered(&part.view, encoding, options, &mut Scratch::default())
            .map_err(|error| self.media_error(Stage::Encode, error))?;
        self.keep(0, part.role, part.view, &bytes)
    }

    fn render_one(
        &self,
        plan: &ImagePlan,
        picture: &Picture,
        at: usize,
        scratch: &mut Scratch,
    ) -> Result<PreparedPart, Error> {
        let (Some(part), Some(encoding)) = (plan.parts.get(at), &plan.encoding) else {
            return Err(self.changed(0));
        };
        let options = &self.preparation.options.images.render;
        let bytes = picture
            .render(&part.view, encoding, options, scratch)
            .map_err(|error| self.media_error(Stage::Encode, error))?;
        self.keep(at, part.role, part.view, &bytes)
    }

    /// Stores one part and reads its facts back.
    fn keep(&self, at: usize, role: Role, view: View, bytes: &[u8]) -> Result<PreparedPart, Error> {
        let facts = self.facts(bytes)?;
        self.keep_bytes(at, role, &facts, bytes)?;
        let part = PreparedPart::new(role, facts, Sha256::digest(bytes).into());
        Ok(PreparedPart { view: Some(view), ..part })
    }

    /// What the header of bytes that were made here says.
    pub(super) fn facts(&self, bytes: &[u8]) -> Result<Probed, Error> {
        let (name, length) = (&self.planned.probed.name, bytes.len() as u64);
        probe_made(name, Cursor::new(bytes), length, self.limits())
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The bytes of an input, from their start.
pub(super) fn open_input(input: &Input, name: &str) -> Result<Box<dyn Source>, Error> {
    let failed = |error: Cause| Error::new(name, Stage::Open, ErrorKind::Io, error);
    match input.source() {
        InputSource::Path(path) => match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(failed(error.into()).with_hint(READ_AGAIN)),
        },
        InputSource::Bytes { bytes, .. } => Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
        InputSource::Facts(_) | InputSource::Broken(_) => {
            let message = "only its facts are known, so there are no bytes to send";
            Err(failed(message.into()).with_hint("name the file"))
        }
    }
}

/// All bytes of an input.
pub(super) fn read_input(input: &Input, probed: &Probed) -> Result<Vec<u8>, Error> {
    let expected = probed.bytes.unwrap_or(0);
    let mut bytes = Vec::with_capacity(usize::try_from(expected + 1).unwrap_or(0));
    let mut source = open_input(input, &probed.name)?.take(expected + 1);
    source.read_to_end(&mut bytes).map_err(|error| {
        Error::new(&probed.name, Stage::Open, ErrorKind::Io, error).with_hint(READ_AGAIN)
    })?;
    if bytes.len() as u64 == expected {
        Ok(bytes)
    } else {
        Err(changed(probed, bytes.len() as u64))
    }
}

const CHANGED: &str = "the file changed on the way; run it again";

fn changed(probed: &Probed, found: u64) -> Error {
    let expected = probed.bytes.unwrap_or(0);
    let message = format!("{found} bytes or more; {expected} when it was planned");
    Error::new(&probed.name, Stage::Open, ErrorKind::Io, message)
        .with_code("file_changed")
        .with_hint(CHANGED)
}
