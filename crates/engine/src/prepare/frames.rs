//! Taking frames from a video: several pieces of it at once, the sound beside them.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use mediaprep_image::{Chroma, Encoding, OutputFormat, Picture, Scratch, View};
use mediaprep_media::{Warning, WarningCode, Watch};
use mediaprep_video::frames::{DecodeOptions, Frame, Plan, PlanOptions, decode};
use sha2::{Digest, Sha256};

use super::carry::{Job, Prepared, PreparedPart};
use super::peak::frame_pieces;
use super::role::Role;
use super::similar::Look;
use super::sound::Sounds;
use super::time;
use super::video_plan::Sampling;
use crate::error::{Error, ErrorKind, Stage};
use crate::info::MediaInfo;
use crate::{Instants, VideoInfo};

/// A frame's number, from 0, with its part and how it looks.
type Numbered = (u64, PreparedPart, Look);

/// What one task of a video gives.
enum Done {
    Hash([u8; 32]),
    Sounds(Sounds),
    Frames(Vec<Numbered>, Vec<Warning>),
}

impl Job<'_> {
    pub(super) fn video(&self) -> Result<&VideoInfo, Error> {
        match &self.planned.probed.info {
            MediaInfo::Video(video) => Ok(video),
            _ => Err(self
                .error(Stage::Plan, ErrorKind::Unsupported, "no video")
                .with_hint("plan it again")),
        }
    }

    /// Finds the frames of instants by reading the packets.
    pub(super) fn survey(
        &self,
        instants: Instants,
        watch: &Watch,
    ) -> Result<(Plan, Vec<Warning>), Error> {
        let (allow_truncated, limits) = (self.allow_truncated(), self.limits().clone());
        let options = PlanOptions { allow_truncated, limits };
        let what = (self.mime()?, self.video()?);
        let read = Plan::read(self.open()?, what, instants, &options, watch)
            .map_err(|error| self.media_error(Stage::Decode, error))?;
        Ok((read.value, read.warnings))
    }

    /// A video as frames and sound.
    pub(super) fn frames(&self, sampling: &Sampling) -> Result<Prepared, Error> {
        self.workers.compute(|| {
            let watch = self.watch();
            let (plan, mut warnings) = self.survey(sampling.instants, &watch)?;
            let instants = *plan.instants();
            let pieces = plan.split(frame_pieces(self.video()?, sampling, self.engine));
            let failed = AtomicBool::new(false);
            let task = |(): &mut (), at: usize| {
                let done = match at {
                    0 => self.hash(&watch).map(Done::Hash),
                    1 => self.sound_behind(sampling, &instants, &watch).map(Done::Sounds),
                    at => self.piece(sampling, &pieces[at - 2], (&watch, &failed)),
                };
                failed.fetch_or(done.is_err(), Ordering::Relaxed);
                done
            };
            let done = self.workers.map(pieces.len() + 2, || (), task);
            let done = Gathered::of(done.into_iter().collect::<Result<_, _>>()?);
            let mut prepared = done.prepared;
            if done.frames.len() as u64 != instants.count() {
                return Err(self
                    .error(Stage::Decode, ErrorKind::Malformed, "some frames were not found")
                    .with_hint("the file is damaged; fetch or export it again"));
            }
            warnings.append(&mut prepared.warnings);
            let frames = match self.preparation.options.video.dedupe {
                true => self.deduplicated(done.frames, &mut warnings),
                false => done.frames.into_iter().map(|(_, part, _)| part).collect(),
            };
            prepared.parts = frames.into_iter().chain(prepared.parts).collect();
            prepared.warnings = warnings;
            Ok(prepared)
        })
    }

    /// Leaves out the frames that look like the last one that is kept.
    fn deduplicated(
        &self,
        frames: Vec<Numbered>,
        warnings: &mut Vec<Warning>,
    ) -> Vec<PreparedPart> {
        let all = frames.len();
        let (mut kept, mut last): (Vec<PreparedPart>, Option<Look>) = (Vec::new(), None);
        for (at, part, look) in frames {
            if last.is_some_and(|last| last.is_like(look)) {
                self.store.discard(self.at, usize::try_from(at).unwrap_or(usize::MAX));
                continue;
            }
            last = Some(look);
            kept.push(part);
        }
        if kept.len() < all {
            let message =
                format!("{} of {all} frames look like the one before them", all - kept.len());
            warnings.push(Warning::new(WarningCode::FramesDropped, message));
        }
        kept
    }

    fn sound_behind(
        &self,
        sampling: &Sampling,
        instants: &Instants,
        watch: &Watch,
    ) -> Result<Sounds, Error> {
        let Some(sound) = &sampling.sound else { return Ok(Sounds::default()) };
        let first = usize::try_from(instants.count()).unwrap_or(usize::MAX);
        self.sounds(sound, first, watch)
    }

    /// The frames of one piece, encoded and stored.
    fn piece(
        &self,
        sampling: &Sampling,
        plan: &Plan,
        (watch, failed): (&Watch, &AtomicBool),
    ) -> Result<Done, Error> {
        let video = self.video()?;
        let stored = sampling.size.oriented(video.orientation.inverse());
        let options = DecodeOptions { size: Some(stored), limits: self.limits().clone() };
        let (mut frames, mut error, mut scratch) = (Vec::new(), None, Scratch::default());
        let decoded = decode(self.open()?, plan, &options, watch, &mut |frame| {
            if failed.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            match self.frame(sampling, frame, &mut frames, &mut scratch) {
                Ok(()) => ControlFlow::Continue(()),
                Err(cause) => {
                    error = Some(cause);
                    ControlFlow::Break(())
                }
            }
        });
        if let Some(error) = error {
            return Err(error);
        }
        let decoded = decoded.map_err(|error| self.media_error(Stage::Decode, error))?;
        Ok(Done::Frames(frames, decoded.warnings))
    }

    /// Encodes one frame and stores it for each instant that shows it.
    fn frame(
        &self,
        sampling: &Sampling,
        frame: Frame,
        frames: &mut Vec<Numbered>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let options = &self.preparation.options.images;
        let encoding =
            Encoding { format: OutputFormat::Jpeg, quality: options.quality, chroma: Chroma::Auto };
        let look = Look::of(&frame.raster);
        let picture = Picture::from_raster(frame.raster, self.video()?.orientation);
        let view = View::whole(sampling.size, sampling.size);
        let bytes = picture
            .into_rendered(&view, &encoding, &options.render, scratch)
            .map_err(|error| self.media_error(Stage::Encode, error))?;
        let (facts, sha256) = (self.facts(&bytes)?, Sha256::digest(&bytes).into());
        for at in frame.instants {
            let role = Role::Frame { frame: at + 1 };
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            self.keep_bytes(place, role, &facts, &bytes)?;
            let start = sampling.instants.at(at);
            let text = Some(time::stamp(start, sampling.instants.rate()));
            let (facts, start) = (facts.clone(), Some(start));
            let part = PreparedPart { start, text, ..PreparedPart::new(role, facts, sha256) };
            frames.push((at, part, look));
        }
        Ok(())
    }
}

/// What all tasks gave.
struct Gathered {
    frames: Vec<Numbered>,
    /// The sound as parts, and everything else.
    prepared: Prepared,
}

impl Gathered {
    fn of(done: Vec<Done>) -> Self {
        let mut frames = Vec::new();
        let mut prepared = Prepared::new([0; 32], Vec::new(), Vec::new());
        let mut damaged = false;
        for one in done {
            match one {
                Done::Hash(hash) => prepared.source_sha256 = hash,
                Done::Sounds(sounds) => {
                    (prepared.parts, prepared.extras) = (sounds.parts, sounds.extras);
                    prepared.warnings.extend(sounds.warnings);
                }
                Done::Frames(some, warnings) => {
                    frames.extend(some);
                    damaged |= !warnings.is_empty();
                }
            }
        }
        frames.sort_by_key(|(at, ..)| *at);
        // How many packets are damaged depends on where the pieces begin; that some are does not.
        if damaged {
            let message =
                "parts of the video are damaged; the frames before them stand in where needed";
            prepared.warnings.push(Warning::new(WarningCode::Damaged, message));
        }
        Self { frames, prepared }
    }
}
