//! One track of a movie: its boxes, and the facts that follow from them.

use std::cmp;

use mediaprep_media::bmff::{BoxHeader, FourCc};
use mediaprep_media::{Dimensions, Duration, Error, FrameRate, Provenance, Sourced};

use super::fragment::FragmentedTrack;
use super::header::{Clock, Edit, Matrix, MovieHeader, TrackHeader, edit_list};
use super::sample_entry::{SampleEntry, Visual, first_entry};
use super::samples::{self, SampleTotals};
use super::shown::{self, Range};
use super::walk::Walk;
use crate::window::{Fields, Window};
use crate::{AudioTrack, PixelAspect, Track, TrackKind, VideoTrack};

/// The boxes of one `trak`.
#[derive(Clone, Debug, Default)]
pub(super) struct RawTrack {
    pub(super) header: TrackHeader,
    clock: Clock,
    handler: FourCc,
    pub(super) entry: Option<SampleEntry>,
    pub(super) totals: SampleTotals,
    /// The tables of sample durations and of composition offsets.
    tables: (Option<BoxHeader>, Option<BoxHeader>),
    /// Frames that the edit list leaves to be seen; `None` where it hides none.
    shown: Option<u64>,
    /// How long the samples last with gaps between fragments.
    clocked_span: u64,
    edits: Vec<Edit>,
    /// Tracks that hold this one's chapters, pictures among them.
    pub(super) chapters: Vec<u32>,
    /// Sound left when delay and padding are removed, as a tag states it in samples.
    pub(super) tagged_samples: Option<u64>,
}

impl RawTrack {
    pub(super) fn read(window: &mut Window<'_>, track: &BoxHeader) -> Result<Self, Error> {
        let mut raw = Self::default();
        let mut walk = Walk::inside(track);
        while let Some(child) = walk.next(window)? {
            let body = |window: &mut Window<'_>| -> Result<Vec<u8>, Error> {
                Ok(window.between(child.body, child.end)?.to_vec())
            };
            match &child.kind {
                b"tkhd" => raw.header = TrackHeader::parse(&body(window)?).unwrap_or_default(),
                b"edts" => raw.edits = raw.edits_in(window, &child)?,
                b"tref" => raw.chapters = chapter_references(&body(window)?),
                b"mdia" => raw.media(window, &child)?,
                _ => {}
            }
        }
        Ok(raw)
    }

    fn edits_in(&self, window: &mut Window<'_>, edits: &BoxHeader) -> Result<Vec<Edit>, Error> {
        let mut walk = Walk::inside(edits);
        while let Some(child) = walk.next(window)? {
            if child.kind == *b"elst" {
                return Ok(edit_list(window.between(child.body, child.end)?));
            }
        }
        Ok(Vec::new())
    }

    fn media(&mut self, window: &mut Window<'_>, media: &BoxHeader) -> Result<(), Error> {
        let mut walk = Walk::inside(media);
        while let Some(child) = walk.next(window)? {
            match &child.kind {
                b"mdhd" => {
                    let mut fields = Fields(window.between(child.body, child.end)?);
                    self.clock = Clock::parse(&mut fields).unwrap_or_default();
                }
                b"hdlr" => {
                    let mut fields = Fields(window.between(child.body, child.end)?);
                    let kind = fields.skip(8).and_then(|()| fields.take());
                    self.handler = kind.unwrap_or_default();
                }
                b"minf" => self.descend(window, &child, b"stbl", Self::tables)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads every child of the given kind with `read`.
    fn descend(
        &mut self,
        window: &mut Window<'_>,
        parent: &BoxHeader,
        kind: &FourCc,
        read: fn(&mut Self, &mut Window<'_>, &BoxHeader) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut walk = Walk::inside(parent);
        while let Some(child) = walk.next(window)? {
            if child.kind == *kind {
                read(self, window, &child)?;
            }
        }
        Ok(())
    }

    fn tables(&mut self, window: &mut Window<'_>, table: &BoxHeader) -> Result<(), Error> {
        let mut walk = Walk::inside(table);
        while let Some(child) = walk.next(window)? {
            match &child.kind {
                b"stsd" => {
                    let body = window.between(child.body, child.end)?;
                    self.entry = first_entry(body, self.handler);
                }
                b"stts" => {
                    self.tables.0 = Some(child);
                    samples::time_table(window, &child, &mut self.totals)?;
                }
                b"stsz" | b"stz2" => samples::size_table(window, &child, &mut self.totals)?,
                b"ctts" => {
                    self.tables.1 = Some(child);
                    samples::offset_table(window, &child, &mut self.totals)?;
                }
                _ => {}
            }
        }
        self.clocked_span = self.totals.span;
        Ok(())
    }

    /// Counts the frames that the edit list leaves to be seen, where it hides any.
    ///
    /// Lists of more than a few edits and tables of millions of rows are taken to hide nothing, so
    /// that the work stays bounded.
    pub(super) fn count_shown(
        &mut self,
        window: &mut Window<'_>,
        movie: &MovieHeader,
    ) -> Result<(), Error> {
        const MAX_RANGES: usize = 8;
        const MAX_TABLE: u64 = 32 << 20;
        let ranges = self.ranges(movie);
        let (Some(times), offsets) = self.tables else { return Ok(()) };
        let hides = self.handler == *b"vide" && self.totals.timed > 0 && self.hides_frames(&ranges);
        if hides && ranges.len() <= MAX_RANGES && times.body_length() <= MAX_TABLE {
            self.shown = Some(shown::count(window, &times, offsets.as_ref(), &ranges)?);
        }
        Ok(())
    }

    /// The spans of media time that the edits show.
    fn ranges(&self, movie: &MovieHeader) -> Vec<Range> {
        let range = |edit: &Edit| {
            let start = i128::from(edit.media_time?);
            let length = match edit.duration {
                0 => u64::MAX,
                length => rescale(length, self.clock.timescale, movie.timescale),
            };
            Some((start, start + i128::from(length)))
        };
        self.edits.iter().filter_map(range).collect()
    }

    /// Whether the tables must be searched: not so where one edit spans all samples.
    fn hides_frames(&self, ranges: &[Range]) -> bool {
        let first = i128::from(self.totals.first_offset.unwrap_or(0));
        match ranges {
            [] => false,
            [(start, end)] => *start > first || *end < first + i128::from(self.totals.span),
            _ => true,
        }
    }

    /// Adds what the movie's fragments hold of this track.
    pub(super) fn add_fragments(&mut self, fragments: &FragmentedTrack) {
        let added = &fragments.totals;
        let whole = &mut self.totals;
        whole.sized = whole.sized.map(|sized| sized.saturating_add(added.timed));
        whole.timed = whole.timed.saturating_add(added.timed);
        whole.span = whole.span.saturating_add(added.span);
        whole.first_offset = whole.first_offset.or(added.first_offset);
        self.clocked_span = self.clocked_span.saturating_add(fragments.clocked_span());
    }

    pub(super) const fn is_media(&self) -> bool {
        matches!(&self.handler, b"vide" | b"soun" | b"auxv")
    }

    pub(super) const fn is_sound(&self) -> bool {
        matches!(&self.handler, b"soun")
    }

    pub(super) const fn number(&self) -> u32 {
        self.header.id
    }

    /// `ticks` of the media's clock.
    fn media_time(&self, ticks: u64) -> Option<Duration> {
        Duration::new(ticks, self.clock.timescale)
    }

    /// The sum of the sample durations; the media header's length where the table is empty of times
    /// though samples exist.
    fn span(&self) -> Option<Duration> {
        match self.totals.span {
            0 if self.totals.count() > 0 => self.media_time(self.clock.duration?),
            ticks => self.media_time(ticks),
        }
    }

    /// The lengths of the leading empty edits.
    fn delay(&self, movie: &MovieHeader) -> Duration {
        let empty = self.edits.iter().take_while(|edit| edit.media_time.is_none());
        let ticks = empty.fold(0u64, |sum, edit| sum.saturating_add(edit.duration));
        let has_content = self.edits.iter().any(|edit| edit.media_time.is_some());
        Duration::new(ticks, movie.timescale).filter(|_| has_content).unwrap_or(Duration::ZERO)
    }

    /// How long the track is shown once the edit list is applied.
    ///
    /// Each edit is rounded to the media's clock, as FFmpeg does and as samples are placed; none
    /// lasts longer than the media.
    fn presented(&self, movie: &MovieHeader) -> Option<Sourced<Duration>> {
        let media = match self.clocked_span {
            0 => self.span().map_or(0, Duration::ticks),
            ticks => ticks,
        };
        let shown: Vec<_> = self.edits.iter().skip_while(|e| e.media_time.is_none()).collect();
        if shown.is_empty() || movie.timescale == 0 {
            return self.media_time(media).map(|value| Sourced { value, from: self.provenance() });
        }
        let length = |edit: &&Edit| match (edit.duration, edit.media_time) {
            (0, Some(start)) => self.rest_of_media(media, start),
            (length, None) => rescale(length, self.clock.timescale, movie.timescale),
            (length, Some(_)) if media > 0 => {
                cmp::min(rescale(length, self.clock.timescale, movie.timescale), media)
            }
            (length, Some(_)) => rescale(length, self.clock.timescale, movie.timescale),
        };
        let ticks = shown.iter().map(length).fold(0u64, u64::saturating_add);
        self.media_time(ticks).map(Sourced::header)
    }

    /// What is left of the media behind `start`: a track whose first sample is shown late ends as
    /// much later.
    fn rest_of_media(&self, media: u64, start: u64) -> u64 {
        let first = u64::try_from(self.totals.first_offset.unwrap_or(0)).unwrap_or(0);
        media.saturating_sub(start.saturating_sub(first))
    }

    fn provenance(&self) -> Provenance {
        if self.totals.sized == Some(self.totals.timed) {
            Provenance::Header
        } else {
            Provenance::Scan
        }
    }

    /// The facts of the track. `chapter_picture`: another track names it as its chapters.
    pub(super) fn facts(&self, movie: &MovieHeader, chapter_picture: bool) -> Track {
        let presented = self.presented(movie).filter(|_| self.totals.count() > 0);
        let kind = match &self.handler {
            b"vide" | b"auxv" => self.video(movie, chapter_picture),
            b"soun" => self.audio(presented.map(|presented| presented.value)),
            _ => None,
        };
        Track {
            id: u64::from(self.header.id),
            codec: self.entry.as_ref().map(|entry| entry.codec.clone()).unwrap_or_default(),
            kind: kind.unwrap_or(TrackKind::Other),
            delay: self.delay(movie),
            presented,
            span: self.span(),
            protected: self.entry.as_ref().is_some_and(|entry| entry.protected),
            enabled: self.header.enabled,
        }
    }

    fn video(&self, movie: &MovieHeader, chapter_picture: bool) -> Option<TrackKind> {
        let entry = self.entry.as_ref()?;
        let stored = self.stored_size(entry.visual)?;
        let matrix: Matrix = self.header.matrix.then(movie.matrix);
        let orientation = matrix.orientation();
        let frames = self.totals.count().min(self.shown.unwrap_or(u64::MAX));
        let span = self.span();
        Some(TrackKind::Video(VideoTrack {
            stored,
            displayed: stored.oriented(orientation),
            rotation: matrix.rotation(),
            orientation,
            frames: Some(frames),
            frame_rate: span.and_then(|span| FrameRate::average(self.totals.timed, span)),
            attached_picture: chapter_picture,
            pixel_aspect: entry.visual.map_or(PixelAspect::SQUARE, |visual| visual.pixel_aspect),
        }))
    }

    /// The sample entry's size; the track header's where the entry holds zeros.
    fn stored_size(&self, visual: Option<Visual>) -> Option<Dimensions> {
        let entry = visual.map(|visual| (u32::from(visual.width), u32::from(visual.height)));
        let stated = |(width, height)| Dimensions::new(width, height);
        entry.and_then(stated).or_else(|| stated(self.header.size))
    }

    fn audio(&self, presented: Option<Duration>) -> Option<TrackKind> {
        let sound = self.entry.as_ref()?.sound?;
        let sample_rate =
            if sound.sample_rate == 0 { self.clock.timescale } else { sound.sample_rate };
        let tagged = self.tagged_samples.and_then(|count| Duration::new(count, sample_rate));
        let decoded = tagged.filter(|_| self.edits.is_empty()).or(presented);
        Some(TrackKind::Audio(AudioTrack { sample_rate, channels: sound.channels, decoded }))
    }
}

/// `ticks` of one clock in ticks of another, rounded to the nearest.
fn rescale(ticks: u64, to: u32, from: u32) -> u64 {
    let scaled = u128::from(ticks) * u128::from(to) + u128::from(from / 2);
    u64::try_from(scaled / u128::from(from.max(1))).unwrap_or(u64::MAX)
}

/// The tracks that a `tref` box names as chapters.
fn chapter_references(body: &[u8]) -> Vec<u32> {
    const MAX_REFERENCES: usize = 1000;
    let Some(list) = mediaprep_media::bmff::find(body, b"chap") else { return Vec::new() };
    let (numbers, _) = list.as_chunks::<4>();
    numbers.iter().take(MAX_REFERENCES).map(|&number| u32::from_be_bytes(number)).collect()
}
