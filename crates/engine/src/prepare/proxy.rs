//! Making proxies: several pieces of one video at once.

use std::fs::File;
use std::io::Seek;

use mediaprep_audio::AudioFormat;
use mediaprep_image::orient;
use mediaprep_media::{Duration, MimeType, Warning, Watch};
use mediaprep_video::frames::{Plan, ProxyOptions, ProxySound, write_proxy};

use super::carry::{Job, Prepared, PreparedPart};
use super::role::Role;
use super::sound_plan::SoundPlan;
use super::time::sum;
use super::video_plan::Sampling;
use crate::Instants;
use crate::error::{Error, Stage};

/// x264's constant rate factor of proxies.
const QUALITY: u8 = 28;

/// Samples that FFmpeg's AAC encoder puts in front of a sound, of which an ADTS file says nothing.
const AAC_PRIMING: u32 = 1024;

enum Done {
    Hash([u8; 32]),
    Proxy(Box<PreparedPart>, Vec<Warning>),
}

impl Job<'_> {
    /// A video as a smaller one, or as several.
    pub(super) fn proxies(&self, sampling: &Sampling) -> Result<Prepared, Error> {
        let pieces = sampling.proxies();
        let several = pieces.len() > 1;
        self.workers.compute(|| {
            let watch = self.watch();
            let task = |(): &mut (), at: usize| match at.checked_sub(1) {
                None => self.hash(&watch).map(Done::Hash),
                Some(at) => {
                    let segment = several.then_some(at as u64 + 1);
                    self.proxy(sampling, (at, Role::Proxy { segment }), pieces[at], &watch)
                }
            };
            let done = self.workers.map(pieces.len() + 1, || (), task);
            let mut prepared = Prepared::new([0; 32], Vec::new(), Vec::new());
            for one in done.into_iter().collect::<Result<Vec<_>, _>>()? {
                match one {
                    Done::Hash(hash) => prepared.source_sha256 = hash,
                    Done::Proxy(part, warnings) => {
                        prepared.parts.push(*part);
                        prepared.warnings.extend(warnings);
                    }
                }
            }
            Ok(prepared)
        })
    }

    /// One proxy of the given instants, which lasts to `end`.
    fn proxy(
        &self,
        sampling: &Sampling,
        (place, role): (usize, Role),
        (instants, end): (Instants, Duration),
        watch: &Watch,
    ) -> Result<Done, Error> {
        let (plan, mut warnings) = self.survey(instants, watch)?;
        let length = length_of(&plan, instants, end);
        let is_last = end >= sampling.end && plan.instants().count() == instants.count();
        let sound = match &sampling.sound {
            Some(sound) => {
                let window = sound_window(sound, instants.start(), (!is_last).then_some(length));
                let (sound, more) = self.proxy_sound(&window, watch)?;
                warnings.extend(more);
                sound
            }
            None => None,
        };
        let (file, more) = self.write_proxy(sampling, &plan, (sound, length), watch)?;
        warnings.extend(more);
        let (facts, sha256) = self.keep_file(file, (place, role, MimeType::Mp4.extension()))?;
        let (start, duration) = (Some(instants.start()), Some(length));
        let part = PreparedPart { start, duration, ..PreparedPart::new(role, facts, sha256) };
        Ok(Done::Proxy(Box::new(part), warnings))
    }

    /// The frames of a plan and a sound in a temporary file.
    fn write_proxy(
        &self,
        sampling: &Sampling,
        plan: &Plan,
        (sound, length): (Option<ProxySound>, Duration),
        watch: &Watch,
    ) -> Result<(File, Vec<Warning>), Error> {
        let orientation = self.video()?.orientation;
        let options = ProxyOptions {
            size: sampling.size,
            stored: sampling.size.oriented(orientation.inverse()),
            quality: QUALITY,
            length,
            limits: self.limits().clone(),
        };
        let file = self.temporary().map_err(|error| self.scratch_error(error))?;
        let sink = Box::new(file.try_clone().map_err(|error| self.scratch_error(error))?);
        let mut turn = |raster| Ok(orient(raster, orientation));
        let written = write_proxy((self.open()?, plan), sound, &options, watch, (&mut turn, sink))
            .map_err(|error| self.media_error(Stage::Decode, error))?;
        Ok((file, written.warnings))
    }

    /// The sound of a proxy; `None` where there is none in its window.
    fn proxy_sound(
        &self,
        plan: &SoundPlan,
        watch: &Watch,
    ) -> Result<(Option<ProxySound>, Vec<Warning>), Error> {
        let (pieces, warnings) = self.pieces(plan, AudioFormat::Aac, watch)?;
        let Some(mut piece) = pieces.into_iter().next() else { return Ok((None, warnings)) };
        piece.file.rewind().map_err(|error| self.scratch_error(error))?;
        let sound = ProxySound {
            source: Box::new(piece.file),
            mime: MimeType::Aac,
            length: piece.segment.duration,
            priming: AAC_PRIMING,
        };
        Ok((Some(sound), warnings))
    }
}

/// The sound beside a piece of the given length. Without one it goes on to its own end, after the
/// last frame, as in the original.
fn sound_window(sound: &SoundPlan, start: Duration, length: Option<Duration>) -> SoundPlan {
    let end = length.map_or(sound.end, |length| Some(sum(start, length)));
    SoundPlan { start, end, ..*sound }
}

/// To the end of the window; of a video that is cut short, as long as its frames are shown.
fn length_of(plan: &Plan, wanted: Instants, end: Duration) -> Duration {
    let found = plan.instants();
    let end = if found.count() < wanted.count() { found.at(found.count()) } else { end };
    end.saturating_sub(wanted.start())
}
