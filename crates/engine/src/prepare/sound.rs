//! Making sounds.

use std::fs::File;
use std::io;

use mediaprep_audio::{AudioFormat, Segment, Sink, TranscodeOptions, transcode};
use mediaprep_media::{Warning, WarningCode, Watch};

use super::carry::{Extra, Job, Prepared, PreparedPart};
use super::role::Role;
use super::sound_plan::{SAMPLE_RATE, SoundPlan};
use crate::error::{Error, ErrorKind, Stage};

/// The parts of one sound and what lies beside them.
#[derive(Debug, Default)]
pub(super) struct Sounds {
    pub(super) parts: Vec<PreparedPart>,
    pub(super) extras: Vec<Extra>,
    pub(super) warnings: Vec<Warning>,
}

/// A piece of sound in a temporary file.
pub(super) struct Piece {
    pub(super) file: File,
    pub(super) segment: Segment,
}

impl Job<'_> {
    /// A sound file as mono.
    pub(super) fn sound_file(&self, plan: &SoundPlan) -> Result<Prepared, Error> {
        let watch = self.watch();
        let (hash, sounds) = self.workers.compute(|| {
            let sounds = self.sounds(plan, 0, &watch)?;
            Ok::<_, Error>((self.hash(&watch)?, sounds))
        })?;
        if sounds.parts.is_empty() {
            let empty = "the sound is empty, so there is nothing to send";
            return Err(self
                .error(Stage::Decode, ErrorKind::Malformed, empty)
                .with_code(WarningCode::EmptyAudio.as_str())
                .with_hint("leave the file out"));
        }
        let Sounds { parts, extras, warnings } = sounds;
        Ok(Prepared { source_sha256: hash, parts, extras, warnings })
    }

    /// The sound as parts, the first of which has the place `first`.
    pub(super) fn sounds(
        &self,
        plan: &SoundPlan,
        first: usize,
        watch: &Watch,
    ) -> Result<Sounds, Error> {
        let (pieces, warnings) = self.pieces(plan, plan.format, watch)?;
        let mut sounds = Sounds { warnings, ..Sounds::default() };
        let several = pieces.len() > 1;
        for (number, Piece { file, segment }) in pieces.into_iter().enumerate() {
            let role = Role::Sound { segment: several.then_some(number as u64 + 1) };
            let place = (first + number, role, plan.format.extension());
            let (facts, sha256) = self.keep_file(file, place)?;
            let (start, duration) = (Some(segment.start), Some(segment.duration));
            let part = PreparedPart { start, duration, ..PreparedPart::new(role, facts, sha256) };
            sounds.parts.push(part);
        }
        if plan.profile == mediaprep_audio::AudioProfile::OneKbps {
            sounds.extras = self.streams(plan, watch)?;
        }
        Ok(sounds)
    }

    /// The Codec2 streams that the sound of 1 kbit/s was made of.
    fn streams(&self, plan: &SoundPlan, watch: &Watch) -> Result<Vec<Extra>, Error> {
        let format = AudioFormat::Codec2;
        let (pieces, _) = self.pieces(plan, format, watch)?;
        let several = pieces.len() > 1;
        let extra = |(number, mut piece): (usize, Piece)| {
            let role = Role::Codec2 { segment: several.then_some(number as u64 + 1) };
            let (bytes, sha256) =
                self.keep_unread(&mut piece.file, (number, role, format.extension()))?;
            let Segment { start, duration, .. } = piece.segment;
            Ok(Extra { role, bytes, sha256, start, duration })
        };
        pieces.into_iter().enumerate().map(extra).collect()
    }

    /// The sound in a format, in temporary files.
    pub(super) fn pieces(
        &self,
        plan: &SoundPlan,
        format: AudioFormat,
        watch: &Watch,
    ) -> Result<(Vec<Piece>, Vec<Warning>), Error> {
        let options = TranscodeOptions {
            format,
            profile: plan.profile,
            sample_rate: SAMPLE_RATE,
            start: plan.start,
            end: plan.end,
            segment: plan.segment,
            allow_truncated: self.allow_truncated(),
            limits: self.limits().clone(),
        };
        let mut files = Vec::new();
        let mut sinks = |_| -> io::Result<Box<dyn Sink>> {
            let file = self.temporary()?;
            files.push(file.try_clone()?);
            Ok(Box::new(file))
        };
        let made = transcode(self.open()?, self.mime()?, None, &options, watch, &mut sinks)
            .map_err(|error| self.media_error(Stage::Decode, error))?;
        let pieces = files.into_iter().zip(made.value);
        let pieces = pieces.map(|(file, segment)| Piece { file, segment }).collect();
        Ok((pieces, made.warnings))
    }
}
