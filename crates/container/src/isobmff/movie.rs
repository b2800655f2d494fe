//! The movie header `moov`.

use mediaprep_media::bmff::{BoxHeader, children, find};
use mediaprep_media::{Duration, Error, Sourced, Warning, WarningCode};

use super::FORMAT;
use super::fragment::{FragmentedTrack, extended_duration};
use super::header::MovieHeader;
use super::track::RawTrack;
use super::walk::Walk;
use crate::time::sum;
use crate::window::Window;
use crate::{ContainerInfo, Track};

/// Most tracks that one movie may have.
const MAX_TRACKS: usize = 256;

/// A movie header with its tracks.
#[derive(Default)]
pub(super) struct Movie {
    header: MovieHeader,
    tracks: Vec<RawTrack>,
    /// One for each track that may have fragments.
    pub(super) fragments: Vec<FragmentedTrack>,
    extended: Option<u64>,
    /// Samples of sound between delay and padding, as iTunes tags them.
    tagged_samples: Option<u64>,
}

impl Movie {
    pub(super) fn read(window: &mut Window<'_>, movie: &BoxHeader) -> Result<Self, Error> {
        let mut read = Self::default();
        let mut walk = Walk::inside(movie);
        while let Some(child) = walk.next(window)? {
            match &child.kind {
                b"mvhd" => {
                    let body = window.between(child.body, child.end)?;
                    read.header = MovieHeader::parse(body).unwrap_or_default();
                }
                b"trak" if read.tracks.len() < MAX_TRACKS => {
                    read.tracks.push(RawTrack::read(window, &child)?);
                }
                b"mvex" => read.extensions(window, &child)?,
                b"udta" => read.user_data(window, &child)?,
                b"cmov" => return Err(Error::Unsupported("a compressed QuickTime movie header")),
                b"rmra" => return Err(Error::Unsupported("a QuickTime reference movie")),
                _ => {}
            }
        }
        for track in &mut read.tracks {
            track.count_shown(window, &read.header)?;
        }
        Ok(read)
    }

    fn extensions(&mut self, window: &mut Window<'_>, parent: &BoxHeader) -> Result<(), Error> {
        let mut walk = Walk::inside(parent);
        while let Some(child) = walk.next(window)? {
            let body = window.between(child.body, child.end)?;
            match &child.kind {
                b"mehd" => self.extended = extended_duration(body),
                b"trex" if self.fragments.len() < MAX_TRACKS => {
                    self.fragments.extend(FragmentedTrack::parse(body));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Looks for the tag `iTunSMPB` below `udta`/`meta`/`ilst`; covers beside it are stepped over.
    fn user_data(&mut self, window: &mut Window<'_>, parent: &BoxHeader) -> Result<(), Error> {
        let Some(meta) = child_of(window, parent, *b"meta", 0)? else { return Ok(()) };
        // `meta` is a full box in MPEG-4 and a plain one in QuickTime.
        let list = match child_of(window, &meta, *b"ilst", 4)? {
            Some(list) => Some(list),
            None => child_of(window, &meta, *b"ilst", 0)?,
        };
        let Some(list) = list else { return Ok(()) };
        let mut walk = Walk::inside(&list);
        while let Some(item) = walk.next(window)? {
            if item.kind == *b"----" {
                let samples = gapless_samples(window.between(item.body, item.end)?);
                self.tagged_samples = self.tagged_samples.or(samples);
            }
        }
        Ok(())
    }

    /// The facts of the file.
    pub(super) fn info(
        mut self,
        fragmented: bool,
        warnings: &mut Vec<Warning>,
    ) -> Result<ContainerInfo, Error> {
        if self.tracks.is_empty() {
            return Err(Error::malformed(FORMAT, 0, "movie header without a track"));
        }
        let mut sound = self.tracks.iter_mut().filter(|track| track.is_sound());
        if let (Some(only), None) = (sound.next(), sound.next()) {
            only.tagged_samples = self.tagged_samples;
        }
        for fragments in &self.fragments {
            let track = self.tracks.iter_mut().find(|track| track.number() == fragments.id);
            if let Some(track) = track {
                track.add_fragments(fragments);
            }
        }
        let mut media = self.tracks.iter().filter(|track| track.is_media()).peekable();
        if media.peek().is_some() && media.all(|track| track.totals.count() == 0) {
            return Err(Error::malformed(FORMAT, 0, "no track has a sample"));
        }
        self.warn(warnings);
        let pictures = |number| self.tracks.iter().any(|track| track.chapters.contains(&number));
        let facts = |track: &RawTrack| track.facts(&self.header, pictures(track.number()));
        let tracks: Vec<Track> = self.tracks.iter().map(facts).collect();
        let duration = self.duration(&tracks, fragmented);
        if !fragmented && duration.zip(longest(&tracks)).is_some_and(overstated) {
            let message = "the movie header states a length far beyond its longest track";
            warnings.push(Warning::new(WarningCode::Damaged, message));
        }
        Ok(ContainerInfo { duration, tracks, fragmented })
    }

    fn warn(&self, warnings: &mut Vec<Warning>) {
        if self.tracks.iter().any(|track| track.is_media() && track.entry.is_none()) {
            let message = "a track has no readable sample description";
            warnings.push(Warning::new(WarningCode::Damaged, message));
        }
        if self.tracks.iter().any(|track| track.entry.as_ref().is_some_and(|e| e.protected)) {
            let message = "the samples of a track are encrypted";
            warnings.push(Warning::new(WarningCode::Protected, message));
        }
    }

    /// The movie header's length where the samples lie in the movie itself; the fragments' end, or
    /// else what `mehd` states, where they do not.
    fn duration(&self, tracks: &[Track], fragmented: bool) -> Option<Sourced<Duration>> {
        let stated = |ticks: Option<u64>| Duration::new(ticks?, self.header.timescale);
        let header = stated(self.header.duration);
        if let Some(header) = header.filter(|_| !fragmented) {
            return Some(Sourced::header(header));
        }
        let scanned = longest(tracks).map(Sourced::scan);
        scanned.or_else(|| stated(self.extended).or(header).map(Sourced::header))
    }
}

/// The end of the track that is shown longest.
fn longest(tracks: &[Track]) -> Option<Duration> {
    let ends = tracks.iter().filter_map(|track| Some(sum(track.delay, track.presented?.value)));
    ends.max().filter(|end| !end.is_zero())
}

/// Whether the stated length is more than twice and a second above the longest track's.
fn overstated((stated, longest): (Sourced<Duration>, Duration)) -> bool {
    stated.value.saturating_sub(sum(longest, longest)) > Duration::from_seconds(1)
}

/// The first child of the given kind, `skip` bytes into its parent.
fn child_of(
    window: &mut Window<'_>,
    parent: &BoxHeader,
    kind: [u8; 4],
    skip: u64,
) -> Result<Option<BoxHeader>, Error> {
    let mut walk = Walk::between(parent.body + skip, parent.end);
    while let Some(child) = walk.next(window)? {
        if child.kind == kind {
            return Ok(Some(child));
        }
    }
    Ok(None)
}

/// The sample count in an `iTunSMPB` item: its fourth number, in hexadecimal.
fn gapless_samples(item: &[u8]) -> Option<u64> {
    let name = find(item, b"name")?.get(4..)?;
    if name != b"iTunSMPB" {
        return None;
    }
    let (_, data) = children(item, 0).find(|(header, _)| header.kind == *b"data")?;
    let text = std::str::from_utf8(data.get(8..)?).ok()?;
    let count = u64::from_str_radix(text.split_ascii_whitespace().nth(3)?, 16).ok()?;
    Some(count).filter(|&count| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gapless_tag_gives_its_fourth_number() {
        let mut item = b"\0\0\0\x14name\0\0\0\0iTunSMPB".to_vec();
        let text = b" 00000000 00000840 000001CC 00000000003F31F4 00000000";
        let size = u32::try_from(16 + text.len()).unwrap();
        item.extend_from_slice(&size.to_be_bytes());
        item.extend_from_slice(b"data\0\0\0\x01\0\0\0\0");
        item.extend_from_slice(text);
        assert_eq!(gapless_samples(&item), Some(0x3f_31f4));
        assert_eq!(gapless_samples(&item[..30]), None);
    }
}
