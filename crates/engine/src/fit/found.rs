//! From a solution to what is said about it: the items, what was given up, and what would help.

use mediaprep_media::Modality;
use mediaprep_tokens::Cost;

use super::offers::{Entry, Offer, Offers};
use super::options::Lever;
use super::quality::WHOLE;
use super::result::{Advice, Fit, FitItem, GivenUp};
use super::{Attempt, Counted, Fitting};
use crate::error::Error;
use crate::item_options::{ItemForm, ItemOptions, scaled_size};
use crate::options::{PlanOptions, Requests};
use crate::plan::Charge;
use crate::probe::Probed;
use crate::totals::Totals;
use crate::{MediaInfo, Planner};

impl Fitting<'_> {
    /// The request as it is.
    pub(super) fn untouched(&self, before: &Counted) -> Fit {
        let mut charges = before.charges.iter();
        let items = self.found.iter().map(|found| match found {
            Ok(probed) => item(probed, charges.next()),
            Err(error) => failed(error.input(), None, error),
        });
        let items = items.collect();
        self.fit_of(&before.totals, &before.totals, items)
    }

    /// The request as it is fitted.
    pub(super) fn result(
        &self,
        before: &Counted,
        after: &Counted,
        entries: &[Entry<'_>],
        attempt: &Attempt<'_>,
    ) -> Fit {
        let mut items = self.untouched(before).items;
        let mut loss: u64 = 0;
        let fitted = items.iter_mut().filter(|item| item.failure.is_none());
        for ((item, entry), offer) in fitted.zip(entries).zip(attempt.offers()) {
            item.options = offer.own.clone();
            item.tokens = item.tokens_before - entry.base.total() + offer.tokens.total();
            item.loss = WHOLE - offer.quality;
            item.given_up = self.given_up(entry, offer, attempt);
            let modality = entry.probed.info.modality();
            loss = loss.saturating_add(self.options.weighted(item.loss, &item.name, modality));
        }
        let media_resolution = attempt.setting.level;
        let fit = self.fit_of(&before.totals, &after.totals, items);
        Fit { media_resolution, loss, ..fit }
    }

    fn fit_of(&self, before: &Totals, after: &Totals, items: Vec<FitItem>) -> Fit {
        let missing_money = self.missing_money(after);
        Fit {
            items,
            media_resolution: None,
            tokens_before: before.tokens.total,
            tokens: after.tokens.total,
            cost_before: before.cost,
            cost: after.cost,
            loss: 0,
            gap: 0,
            fits: self.is_within(after),
            missing: self.missing(after),
            missing_cost: (missing_money > 0).then_some(Cost(missing_money)),
            advice: Vec::new(),
            totals: after.clone(),
        }
    }

    fn given_up(&self, entry: &Entry<'_>, offer: &Offer, attempt: &Attempt<'_>) -> Vec<GivenUp> {
        let mut given_up = words(&entry.probed.info, &offer.own, self.request);
        let planner = Planner::new(self.rules, &attempt.setting.request);
        let offers = Offers { planner: &planner, levers: self.options.levers, shape: self.shape };
        if let Some(level) = attempt.setting.level {
            let alone = offers.count(entry, &ItemOptions::default());
            if alone.is_some_and(|count| count.media < entry.base.media) {
                let from = level_name(self.request);
                let to = level.as_str().to_owned();
                given_up.insert(0, GivenUp { what: Lever::MediaResolution, from, to });
            }
        }
        given_up
    }

    /// What would help where nothing that is allowed does.
    pub(super) fn advice(&self, entries: &[Entry<'_>], fit: &Fit) -> Vec<Advice> {
        let mut advice = Vec::new();
        let cheapest = self.cheapest(entries, None);
        for lever in Lever::ALL.into_iter().filter(|&lever| !self.options.levers.allows(lever)) {
            let saves = cheapest.saturating_sub(self.cheapest(entries, Some(lever)));
            if saves > 0 {
                advice.push(Advice::Allow { lever, saves });
            }
        }
        let kept = entries.iter().filter(|entry| entry.kept);
        let tokens = kept.fold(0, |sum: u64, entry| sum.saturating_add(entry.base.total()));
        if tokens > 0 {
            advice.push(Advice::KeepFewer { tokens });
        }
        if let Some(requests) = self.requests(cheapest).filter(|_| fit.missing > 0) {
            advice.push(Advice::SplitRequests { requests });
        }
        if fit.missing_cost.is_some() {
            advice.push(Advice::CheaperModel);
        }
        advice
    }

    /// Tokens of all items at their cheapest, with one more lever.
    fn cheapest(&self, entries: &[Entry<'_>], further: Option<Lever>) -> u64 {
        let levers =
            further.map_or(self.options.levers, |lever| self.options.levers.with(lever, true));
        let least = |offers: &Vec<Offer>| offers.iter().map(|offer| offer.tokens.total()).min();
        let settings = self.settings(entries, levers);
        let totals = settings.iter().map(|setting| {
            let tokens = setting.offers.iter().filter_map(least);
            tokens.fold(0, |sum: u64, tokens| sum.saturating_add(tokens))
        });
        totals.min().unwrap_or(0)
    }

    /// How many requests items of so many tokens need at least, each within the budget of tokens.
    fn requests(&self, tokens: u64) -> Option<u64> {
        let overhead = Planner::new(self.rules, self.request).overhead_split().total;
        let room = self.options.max_tokens?.checked_sub(overhead).filter(|room| *room > 0)?;
        let shared = self.request.requests == Requests::One && self.found.len() > 1;
        Some(tokens.div_ceil(room)).filter(|requests| shared && *requests > 1)
    }
}

/// An item as the request has it.
fn item(probed: &Probed, charge: Option<&Result<Charge, Error>>) -> FitItem {
    let modality = Some(probed.info.modality());
    match charge {
        Some(Ok(charge)) => FitItem {
            name: probed.name.clone(),
            modality,
            options: ItemOptions::default(),
            route: Some(charge.route),
            tokens_before: charge.tokens.total,
            tokens: charge.tokens.total,
            loss: 0,
            given_up: Vec::new(),
            failure: None,
        },
        Some(Err(error)) => failed(&probed.name, modality, error),
        None => FitItem { name: probed.name.clone(), modality, ..nothing() },
    }
}

fn failed(name: &str, modality: Option<Modality>, error: &Error) -> FitItem {
    FitItem { name: name.to_owned(), modality, failure: Some(error.into()), ..nothing() }
}

fn nothing() -> FitItem {
    FitItem {
        name: String::new(),
        modality: None,
        options: ItemOptions::default(),
        route: None,
        tokens_before: 0,
        tokens: 0,
        loss: 0,
        given_up: Vec::new(),
        failure: None,
    }
}

fn level_name(request: &PlanOptions) -> String {
    request.media_resolution.map_or("default", |level| level.as_str()).to_owned()
}

/// What an item's own options give up, in words.
fn words(info: &MediaInfo, own: &ItemOptions, request: &PlanOptions) -> Vec<GivenUp> {
    let level = own
        .media_resolution
        .map(|level| (Lever::MediaResolution, level_name(request), level.as_str().to_owned()));
    let size = own.longest_side.zip(info.dimensions()).map(|(side, size)| {
        let name =
            |size: mediaprep_media::Dimensions| format!("{}x{}", size.width(), size.height());
        (Lever::ImageSize, name(size), name(scaled_size(size, side)))
    });
    let fps = own.fps.map(|fps| {
        let asked = request.fps.unwrap_or(mediaprep_media::FrameRate::ONE);
        (Lever::Fps, rate_name(asked), rate_name(fps))
    });
    let track = own.audio_track.map(|_| (Lever::AudioTrack, "sound".to_owned(), "none".to_owned()));
    let is_video = info.modality() == Modality::Video;
    let asked = request.clip.end.filter(|_| is_video);
    let clip = own.clip.and_then(|clip| clip.end).filter(|end| Some(*end) != asked);
    let clip = clip.zip(info.duration()).map(|(end, whole)| {
        (Lever::Clip, format!("to {}", asked.unwrap_or(whole)), format!("to {end}"))
    });
    let pages = own.pages.and_then(|pages| match info {
        MediaInfo::Document(document) => {
            Some((Lever::Pages, document.pages().to_string(), pages.to_string()))
        }
        _ => None,
    });
    let form = own.form.map(|form| form_words(info, form));
    let all = [form, level, size, fps, track, clip, pages].into_iter().flatten();
    all.map(|(what, from, to)| GivenUp { what, from, to }).collect()
}

/// What an item would be sent as, and what it is sent as.
fn form_words(info: &MediaInfo, form: ItemForm) -> (Lever, String, String) {
    let (what, from, to) = match (form, info) {
        (ItemForm::Whole, MediaInfo::Image(_)) => (Lever::Form, "tiles", "whole"),
        (ItemForm::Whole, MediaInfo::Document(_)) => (Lever::Form, "pages", "document"),
        (ItemForm::Whole, _) => (Lever::Form, "frames", "video"),
        (ItemForm::Frames, _) => (Lever::Form, "video", "frames"),
        (ItemForm::Sound, _) => (Lever::SoundOnly, "video", "sound"),
    };
    (what, from.to_owned(), to.to_owned())
}

fn rate_name(rate: mediaprep_media::FrameRate) -> String {
    match rate.denominator() {
        1 => rate.numerator().to_string(),
        denominator => format!("{}/{denominator}", rate.numerator()),
    }
}
