//! What can be made of one item, and what each would cost: asked of the rule, never guessed.

use mediaprep_media::{Dimensions, Duration, FrameRate, MediaResolution};
use mediaprep_tokens::{Clip, ItemCount, LevelScope, RequestShape, Route};

use super::options::{Lever, Levers};
use super::quality::{SILENT, UNSEEN, WHOLE, by_area, by_instants, by_share, times};
use super::shape::{Portion, Shape, count, count_portions};
use super::sizes::cheaper_sides;
use crate::error::Error;
use crate::item_options::{ItemForm, ItemOptions};
use crate::options::{AudioTrackChoice, Requests};
use crate::plan::Planner;
use crate::probe::Probed;
use crate::{DocumentInfo, MediaInfo, VideoInfo};

/// An item as the request has it.
pub(super) struct Entry<'a> {
    pub(super) probed: &'a Probed,
    /// How it travels as the request has it.
    pub(super) route: Route,
    /// How it travels as it is.
    pub(super) whole: Route,
    pub(super) base: Tokens,
    /// What else is in its request.
    pub(super) beside: RequestShape,
    /// Whether nothing may be done to it.
    pub(super) kept: bool,
}

/// What pictures that can be sent in the same ways have in common: size, route, whether others are
/// beside it, what it costs, and whether nothing may be done to it.
type Alike = (Dimensions, Route, bool, Tokens, bool);

impl Entry<'_> {
    /// What the offers of a picture depend on; `None` for other media.
    pub(super) fn picture(&self) -> Option<Alike> {
        let MediaInfo::Image(image) = &self.probed.info else { return None };
        Some((image.displayed(), self.whole, self.beside.several(), self.base, self.kept))
    }
}

/// Tokens of one item, by what they are priced as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Tokens {
    /// The image, the pages, the frames or the sound file.
    pub(super) media: u64,
    /// The soundtrack of a video.
    pub(super) soundtrack: u64,
    /// Sampled frames of a video.
    pub(super) frames: u64,
}

impl Tokens {
    pub(super) fn of(count: &ItemCount) -> Self {
        Self {
            media: count.media.tokens,
            soundtrack: count.soundtrack.map_or(0, |sound| sound.tokens),
            frames: count.frames.unwrap_or(0),
        }
    }

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
    pub(super) shape: &'a dyn Shape,
}

impl Offers<'_> {
    /// Everything that can be made of an item that is no dearer than the item as the request has it,
    /// without what another offer beats; empty where even the item as it is would be dearer, or
    /// something would be lost of one that is kept.
    pub(super) fn of(&self, entry: &Entry<'_>) -> Vec<Offer> {
        let mut offers = Vec::new();
        if entry.kept {
            offers.extend(self.whole(entry, ItemOptions::default()));
            offers.retain(|offer| offer.quality == WHOLE);
        } else {
            for form in self.forms(entry) {
                for level in self.levels() {
                    self.at_level(entry, (form, level), &mut offers);
                }
            }
            self.sound_alone(entry, &mut offers);
        }
        offers.retain(|offer| offer.tokens.within(&entry.base));
        without_beaten(&offers)
    }

    /// The forms that an item can have, its own first.
    fn forms(&self, entry: &Entry<'_>) -> Vec<Option<ItemForm>> {
        let mut forms = vec![None];
        if self.levers.allows(Lever::Form) {
            let own = ItemOptions::default();
            let portions = self.portions(entry, &own);
            let is_video = matches!(entry.probed.info, MediaInfo::Video(_));
            match portions {
                Ok(Some(_)) => forms.push(Some(ItemForm::Whole)),
                // Frames are charged as images, which is cheaper only where there are fewer.
                _ if is_video && self.shape.makes_frames() && !self.takes_fps() => {
                    forms.push(Some(ItemForm::Frames));
                }
                _ => {}
            }
        }
        forms
    }

    /// A video's sound without its pictures.
    fn sound_alone(&self, entry: &Entry<'_>, offers: &mut Vec<Offer>) {
        let MediaInfo::Video(video) = &entry.probed.info else { return };
        let asked = self.planner.options();
        let sounds = video.audio.is_some() && asked.audio_track == AudioTrackChoice::Auto;
        if !sounds || !self.levers.allows(Lever::SoundOnly) {
            return;
        }
        let clip = (asked.clip != Clip::default()).then_some(asked.clip);
        let form = Some(ItemForm::Sound);
        let own = ItemOptions { form, clip, ..ItemOptions::default() };
        for (clip, kept) in self.clips(entry, asked.clip) {
            let own = ItemOptions { clip, ..own.clone() };
            offers.extend(self.offer(entry, own, times(UNSEEN, kept)));
        }
        offers.extend(self.offer(entry, own, UNSEEN));
    }

    fn takes_fps(&self) -> bool {
        self.planner.rules().row.takes_fps
    }

    fn at_level(
        &self,
        entry: &Entry<'_>,
        (form, level): (Option<ItemForm>, Option<MediaResolution>),
        offers: &mut Vec<Offer>,
    ) {
        let own = ItemOptions { media_resolution: level, form, ..ItemOptions::default() };
        let Some(whole) = self.whole(entry, own) else { return };
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

    /// What an item costs under options of its own; `None` where it cannot be sent so.
    pub(super) fn count(&self, entry: &Entry<'_>, own: &ItemOptions) -> Option<Tokens> {
        let beside = entry.beside;
        match self.portions(entry, own).ok()? {
            Some(portions) => {
                count_portions(self.planner, &portions, own, (entry.route, beside)).ok()
            }
            None => count(self.planner, &entry.probed.info, own, (entry.whole, beside)).ok(),
        }
    }

    fn portions(
        &self,
        entry: &Entry<'_>,
        own: &ItemOptions,
    ) -> Result<Option<Vec<Portion>>, Error> {
        let place = (self.planner.options(), entry.whole);
        self.shape.portions(entry.probed, own, place)
    }

    fn offer(&self, entry: &Entry<'_>, own: ItemOptions, quality: u64) -> Option<Offer> {
        let tokens = self.count(entry, &own)?;
        Some(Offer { own, tokens, quality })
    }

    /// All of an item at a level and in a form, or at those of the request.
    fn whole(&self, entry: &Entry<'_>, own: ItemOptions) -> Option<Offer> {
        let tokens = self.count(entry, &own)?;
        Some(Offer { own, tokens, quality: by_area(tokens.media, entry.base.media) })
    }

    fn sizes(&self, entry: &Entry<'_>, size: Dimensions, whole: &Offer, offers: &mut Vec<Offer>) {
        let portions = self.portions(entry, &whole.own);
        if !self.levers.allows(Lever::ImageSize) || !matches!(portions, Ok(None)) {
            return;
        }
        // Under other rules a size changes the count only by the rounding of its shape.
        let Some(kept) = self.planner.tiled_side(&entry.probed.info, &whole.own) else { return };
        let kept = kept.min(size.long());
        let count = self.planner.picture_counter(&whole.own, entry.whole, entry.beside);
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
        for (fps, tokens, steady) in self.rates(entry, whole) {
            for (audio_track, heard) in self.tracks(video) {
                let own = ItemOptions { fps, audio_track, ..whole.own.clone() };
                let quality = times(times(whole.quality, steady), heard);
                for (clip, kept) in &clips {
                    let own = ItemOptions { clip: *clip, ..own.clone() };
                    offers.extend(self.offer(entry, own, times(quality, *kept)));
                }
                offers.extend(match audio_track {
                    None => Some(Offer { own, tokens, quality }),
                    Some(_) => self.offer(entry, own, quality),
                });
            }
        }
    }

    /// The rates below the request's own that give fewer frames, with what each costs and keeps; the
    /// request's own first.
    fn rates(&self, entry: &Entry<'_>, whole: &Offer) -> Vec<(Option<FrameRate>, Tokens, u64)> {
        let asked = self.planner.options().fps.unwrap_or(FrameRate::ONE);
        let mut rates = vec![(None, whole.tokens, WHOLE)];
        // The rate of frames that are taken here is ours.
        let portions = self.portions(entry, &whole.own);
        let ours = matches!(portions, Ok(Some(_)));
        if !self.levers.allows(Lever::Fps) || !(ours || self.takes_fps()) {
            return rates;
        }
        let mut fewest = entry.base.frames;
        for rate in RATES.into_iter().filter_map(|(top, bottom)| FrameRate::new(top, bottom)) {
            if !asked.is_above(rate) {
                continue;
            }
            let own = ItemOptions { fps: Some(rate), ..whole.own.clone() };
            let Some(tokens) = self.count(entry, &own) else { continue };
            if tokens.frames < fewest {
                fewest = tokens.frames;
                rates.push((Some(rate), tokens, by_instants(fewest, entry.base.frames)));
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
fn without_beaten(offers: &[Offer]) -> Vec<Offer> {
    // Of equals the one stays to which the least is done, and the first of those.
    let key = |(at, offer): (usize, &Offer)| {
        (WHOLE - offer.quality, offer.tokens.total(), offer.own.settings(), at)
    };
    let mut order: Vec<_> = offers.iter().enumerate().map(key).collect();
    order.sort_unstable();
    let mut best: Vec<usize> = Vec::new();
    for (.., at) in order {
        let beaten = |&better: &usize| offers[better].tokens.within(&offers[at].tokens);
        if !best.iter().any(beaten) {
            best.push(at);
        }
    }
    best.into_iter().map(|at| offers[at].clone()).collect()
}
