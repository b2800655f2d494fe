//! What can be made of one item, and what each would cost: asked of the rule, never guessed.

use mediaprep_media::{Dimensions, Duration, FrameRate, MediaResolution};
use mediaprep_tokens::{Clip, LevelScope, RequestShape, Route};

use super::options::{Lever, Levers};
use super::quality::{SILENT, WHOLE, by_area, by_instants, by_share, times};
use super::sizes::cheaper_sides;
use crate::item_options::ItemOptions;
use crate::options::{AudioTrackChoice, Requests};
use crate::plan::Planner;
use crate::probe::Probed;
use crate::{DocumentInfo, MediaInfo, VideoInfo};

/// An item as the request has it.
pub(super) struct Entry<'a> {
    pub(super) probed: &'a Probed,
    pub(super) route: Route,
    pub(super) base: Tokens,
    /// What else is in its request.
    pub(super) beside: RequestShape,
    /// Whether nothing may be done to it.
    pub(super) kept: bool,
}

/// Tokens of one item, by what they are priced as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// The image, the pages, the frames or the sound file.
    pub(super) media: u64,
    /// The soundtrack of a video.
    pub(super) soundtrack: u64,
    /// Sampled frames of a video.
    pub(super) frames: u64,
}

impl Tokens {
    pub(super) const fn total(&self) -> u64 {
        self.media.saturating_add(self.soundtrack)
    }

    const fn within(&self, other: &Self) -> bool {
        self.media <= other.media && self.soundtrack <= other.soundtrack
    }
}

/// One way of sending an item.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) own: ItemOptions,
    pub(super) tokens: Tokens,
    /// 0 to [`WHOLE`].
    pub(super) quality: u64,
}

/// Sampling rates that are offered below the request's own, as fractions.
const RATES: [(u32, u32); 9] =
    [(12, 1), (6, 1), (2, 1), (1, 1), (1, 2), (1, 4), (1, 10), (1, 30), (1, 60)];

/// Parts of lengths and documents that are offered.
const PARTS: [(u64, u64); 4] = [(3, 4), (1, 2), (1, 4), (1, 10)];

/// What may be done under one setting of the whole request.
pub(super) struct Offers<'a> {
    pub(super) planner: &'a Planner<'a>,
    pub(super) levers: Levers,
}

impl Offers<'_> {
    /// Everything that can be made of an item that is no dearer than the item as the request has it,
    /// without what another offer beats; empty where even the item as it is would be dearer, or
    /// something would be lost of one that is kept.
    pub(super) fn of(&self, entry: &Entry<'_>) -> Vec<Offer> {
        let mut offers = Vec::new();
        if entry.kept {
            offers.extend(self.offer(entry, ItemOptions::default(), self.level(entry, None)));
            offers.retain(|offer| offer.quality == WHOLE);
        } else {
            for level in self.levels() {
                self.at_level(entry, level, &mut offers);
            }
        }
        offers.retain(|offer| offer.tokens.within(&entry.base));
        without_beaten(offers)
    }

    fn at_level(&self, entry: &Entry<'_>, level: Option<MediaResolution>, offers: &mut Vec<Offer>) {
        let own = ItemOptions { media_resolution: level, ..ItemOptions::default() };
        let Some(whole) = self.offer(entry, own, self.level(entry, level)) else { return };
        match &entry.probed.info {
            MediaInfo::Image(image) => {
                self.sizes(entry, image.displayed(), &whole, offers);
            }
            MediaInfo::Document(document) => self.pages(entry, document, &whole, offers),
            MediaInfo::Audio(_) => self.sounds(entry, &whole, offers),
            MediaInfo::Video(video) => self.videos(entry, video, &whole, offers),
        }
        offers.push(whole);
    }

    /// The levels that an item can have of its own, none of them among them.
    fn levels(&self) -> Vec<Option<MediaResolution>> {
        let rules = self.planner.rules();
        let own = match rules.row.levels {
            LevelScope::None => false,
            LevelScope::Request => self.planner.options().requests == Requests::Each,
            LevelScope::Part => true,
        };
        let mut levels = vec![None];
        if own && self.levers.allows(Lever::MediaResolution) {
            levels.extend(MediaResolution::ALL.map(Some));
        }
        levels
    }

    fn count(&self, entry: &Entry<'_>, info: &MediaInfo, own: &ItemOptions) -> Option<Tokens> {
        let count = self.planner.count_item(info, own, entry.route, entry.beside).ok()?;
        Some(Tokens {
            media: count.media.tokens,
            soundtrack: count.soundtrack.map_or(0, |sound| sound.tokens),
            frames: count.frames.unwrap_or(0),
        })
    }

    fn offer(&self, entry: &Entry<'_>, own: ItemOptions, quality: u64) -> Option<Offer> {
        let tokens = self.count(entry, &entry.probed.info, &own)?;
        Some(Offer { own, tokens, quality })
    }

    /// What is left of the pictures at a level, or at that of the request.
    fn level(&self, entry: &Entry<'_>, level: Option<MediaResolution>) -> u64 {
        let own = ItemOptions { media_resolution: level, ..ItemOptions::default() };
        let tokens = self.count(entry, &entry.probed.info, &own);
        tokens.map_or(0, |tokens| by_area(tokens.media, entry.base.media))
    }

    fn sizes(&self, entry: &Entry<'_>, size: Dimensions, whole: &Offer, offers: &mut Vec<Offer>) {
        if !self.levers.allows(Lever::ImageSize) {
            return;
        }
        // Under other rules a size changes the count only by the rounding of its shape.
        let Some(kept) = self.planner.tiled_side(&entry.probed.info, &whole.own) else { return };
        let kept = kept.min(size.long());
        let count = |size| Some(self.count(entry, &MediaInfo::image(size), &whole.own)?.media);
        for (side, media) in cheaper_sides(size, count) {
            let own = ItemOptions { longest_side: Some(side), ..whole.own.clone() };
            let detail = by_share(u64::from(side), u64::from(kept));
            let tokens = Tokens { media, ..whole.tokens };
            offers.push(Offer { own, tokens, quality: times(whole.quality, detail) });
        }
    }

    fn pages(
        &self,
        entry: &Entry<'_>,
        document: &DocumentInfo,
        whole: &Offer,
        offers: &mut Vec<Offer>,
    ) {
        if !self.levers.allows(Lever::Pages) {
            return;
        }
        let all = document.pages();
        for (part, of) in PARTS {
            let pages = (u128::from(all) * u128::from(part) / u128::from(of)).max(1);
            let pages = u64::try_from(pages).unwrap_or(all);
            let own = ItemOptions { pages: Some(pages), ..whole.own.clone() };
            let quality = times(whole.quality, by_share(pages, all));
            offers.extend(self.offer(entry, own, quality));
        }
    }

    fn sounds(&self, entry: &Entry<'_>, whole: &Offer, offers: &mut Vec<Offer>) {
        for (clip, kept) in self.clips(entry, Clip::default()) {
            let own = ItemOptions { clip, ..whole.own.clone() };
            offers.extend(self.offer(entry, own, times(whole.quality, kept)));
        }
    }

    fn videos(&self, entry: &Entry<'_>, video: &VideoInfo, whole: &Offer, offers: &mut Vec<Offer>) {
        let clips = self.clips(entry, self.planner.options().clip);
        for (fps, steady) in self.rates(entry, whole) {
            for (audio_track, heard) in self.tracks(video) {
                let own = ItemOptions { fps, audio_track, ..whole.own.clone() };
                let quality = times(times(whole.quality, steady), heard);
                for (clip, kept) in &clips {
                    let own = ItemOptions { clip: *clip, ..own.clone() };
                    offers.extend(self.offer(entry, own, times(quality, *kept)));
                }
                offers.extend(self.offer(entry, own, quality));
            }
        }
    }

    /// The rates below the request's own that give fewer frames, with what each keeps; the request's
    /// own first.
    fn rates(&self, entry: &Entry<'_>, whole: &Offer) -> Vec<(Option<FrameRate>, u64)> {
        let asked = self.planner.options().fps.unwrap_or(FrameRate::ONE);
        let mut rates = vec![(None, WHOLE)];
        if !self.levers.allows(Lever::Fps) || !self.planner.rules().row.takes_fps {
            return rates;
        }
        let mut fewest = entry.base.frames;
        for rate in RATES.into_iter().filter_map(|(top, bottom)| FrameRate::new(top, bottom)) {
            if !asked.is_above(rate) {
                continue;
            }
            let own = ItemOptions { fps: Some(rate), ..whole.own.clone() };
            let Some(tokens) = self.count(entry, &entry.probed.info, &own) else { continue };
            if tokens.frames < fewest {
                fewest = tokens.frames;
                rates.push((Some(rate), by_instants(fewest, entry.base.frames)));
            }
        }
        rates
    }

    fn tracks(&self, video: &VideoInfo) -> Vec<(Option<AudioTrackChoice>, u64)> {
        let sounds =
            video.audio.is_some() && self.planner.options().audio_track == AudioTrackChoice::Auto;
        let mut tracks = vec![(None, WHOLE)];
        if sounds && self.levers.allows(Lever::AudioTrack) {
            tracks.push((Some(AudioTrackChoice::None), SILENT));
        }
        tracks
    }

    /// Beginnings of the window of a video or sound in whole seconds, with what each keeps.
    fn clips(&self, entry: &Entry<'_>, asked: Clip) -> Vec<(Option<Clip>, u64)> {
        let whole = entry.probed.info.duration().filter(|_| self.levers.allows(Lever::Clip));
        let Some(whole) = whole else { return Vec::new() };
        let start = asked.start.unwrap_or(Duration::ZERO);
        let length = asked.end.map_or(whole, |end| end.min(whole)).saturating_sub(start);
        let clip = |(part, of): (u64, u64)| {
            let seconds = (length.whole_seconds() / of * part
                + length.whole_seconds() % of * part / of)
                .max(1);
            let ticks = seconds.checked_mul(u64::from(start.timescale()))?;
            let end = Duration::new(start.ticks().checked_add(ticks)?, start.timescale())?;
            let kept = by_share(seconds.saturating_mul(1000), length.whole_milliseconds());
            Some((Some(Clip { start: asked.start, end: Some(end) }), kept))
        };
        PARTS.into_iter().filter_map(clip).filter(|(_, kept)| *kept < WHOLE).collect()
    }
}

/// The offers that no other beats: none keeps as much for as little. The best come first.
fn without_beaten(mut offers: Vec<Offer>) -> Vec<Offer> {
    // Of equals the one stays to which the least is done.
    offers.sort_by_key(|offer| (WHOLE - offer.quality, offer.tokens.total(), offer.own.settings()));
    let mut best: Vec<Offer> = Vec::new();
    for offer in offers {
        if !best.iter().any(|better| better.tokens.within(&offer.tokens)) {
            best.push(offer);
        }
    }
    best
}
