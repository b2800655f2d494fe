//! What items are sent as where that is more than one part: tiles, frames, pages.

use mediaprep_media::Modality;
use mediaprep_tokens::{CountError, LevelScope, RequestShape, Route};

use super::offers::Tokens;
use crate::MediaInfo;
use crate::error::{Error, ErrorKind, Stage};
use crate::item_options::ItemOptions;
use crate::options::{PlanOptions, Requests};
use crate::plan::{Charge, Planner};
use crate::probe::Probed;
use crate::rules::RuleSet;
use crate::totals::Totals;

/// Parts of one item that are alike.
#[derive(Clone, Debug)]
pub(crate) struct Portion {
    /// One of them.
    pub(crate) part: Probed,
    /// How many there are.
    pub(crate) times: u64,
    /// Whether they are frames of a video.
    pub(crate) are_frames: bool,
    /// Tokens of the texts before them.
    pub(crate) text: u64,
}

/// Says what items are sent as.
pub(crate) trait Shape {
    /// The parts of an item under options of its own, beside what the request asks for; `None` where it
    /// is one part, which has the item's own facts. The route is that of the item as it is.
    ///
    /// # Errors
    ///
    /// When it cannot be sent so.
    fn portions(
        &self,
        probed: &Probed,
        own: &ItemOptions,
        place: (&PlanOptions, Route),
    ) -> Result<Option<Vec<Portion>>, Error>;

    /// Whether every item is sent as it is.
    fn is_plain(&self) -> bool;

    /// Whether items may be sent in frames that are not asked for.
    fn makes_frames(&self) -> bool;
}

/// Everything is sent as it is.
pub(crate) struct AsIs;

impl Shape for AsIs {
    fn portions(
        &self,
        _: &Probed,
        _: &ItemOptions,
        _: (&PlanOptions, Route),
    ) -> Result<Option<Vec<Portion>>, Error> {
        Ok(None)
    }

    fn is_plain(&self) -> bool {
        true
    }

    fn makes_frames(&self) -> bool {
        false
    }
}

/// What holds for the parts of an item: they are scaled and cut already.
pub(super) fn held(own: &ItemOptions) -> ItemOptions {
    ItemOptions { media_resolution: own.media_resolution, ..ItemOptions::default() }
}

/// What an item costs under options of its own.
pub(super) fn count(
    planner: &Planner<'_>,
    info: &MediaInfo,
    own: &ItemOptions,
    (route, beside): (Route, RequestShape),
) -> Result<Tokens, CountError> {
    let count = planner.count_item(info, own, route, beside)?;
    let tokens = count.media.tokens;
    Ok(match (info, own.apply_to(info).as_ref()) {
        // A sound in place of a video has the price of the video's own.
        (MediaInfo::Video(_), MediaInfo::Audio(_)) => {
            Tokens { soundtrack: tokens, ..Tokens::default() }
        }
        _ => Tokens::of(&count),
    })
}

/// How many pictures they are.
pub(super) fn stills(portions: &[Portion]) -> u64 {
    let pictures = portions.iter().filter(|one| matches!(one.part.info, MediaInfo::Image(_)));
    pictures.fold(0, |sum: u64, portion| sum.saturating_add(portion.times))
}

/// What the parts of an item cost.
pub(super) fn count_portions(
    planner: &Planner<'_>,
    portions: &[Portion],
    own: &ItemOptions,
    (route, beside): (Route, RequestShape),
) -> Result<Tokens, CountError> {
    let own = held(own);
    let beside = if stills(portions) > 1 { RequestShape::SEVERAL } else { beside };
    let mut sum = Tokens::default();
    for portion in portions {
        let each = count(planner, &portion.part.info, &own, (route, beside))?;
        let all = |tokens: u64| tokens.saturating_mul(portion.times);
        let tokens = all(each.total());
        match &portion.part.info {
            MediaInfo::Audio(_) => sum.soundtrack = sum.soundtrack.saturating_add(tokens),
            _ => sum.media = sum.media.saturating_add(tokens),
        }
        sum.media = sum.media.saturating_add(portion.text);
        if portion.are_frames {
            sum.frames = sum.frames.saturating_add(portion.times);
        }
    }
    Ok(sum)
}

/// One item as it is sent.
pub(super) struct Sent<'a> {
    probed: &'a Probed,
    own: &'a ItemOptions,
    held: ItemOptions,
    portions: Result<Option<Vec<Portion>>, Error>,
}

impl<'a> Sent<'a> {
    pub(super) fn new(
        shape: &dyn Shape,
        (probed, own): (&'a Probed, &'a ItemOptions),
        place: (&PlanOptions, Route),
    ) -> Self {
        let portions = shape.portions(probed, own, place);
        Self { probed, own, held: held(own), portions }
    }

    /// Every part with the options that hold for it.
    fn parts(&self) -> Vec<(&Probed, &ItemOptions)> {
        match &self.portions {
            Ok(None) => vec![(self.probed, self.own)],
            Ok(Some(portions)) => {
                let mut parts = Vec::new();
                for portion in portions {
                    let times = usize::try_from(portion.times).unwrap_or(usize::MAX);
                    parts.extend(std::iter::repeat_n((&portion.part, &self.held), times));
                }
                parts
            }
            Err(_) => Vec::new(),
        }
    }

    /// Tokens of the texts between the parts.
    fn text(&self) -> u64 {
        let portions = self.portions.as_ref().ok().and_then(Option::as_ref);
        portions.into_iter().flatten().map(|portion| portion.text).sum()
    }
}

/// What a whole request charges its items, and requests of their own that are not in the planner.
pub(super) struct Charged {
    pub(super) charges: Vec<Result<Charge, Error>>,
    pub(super) apart: Vec<Totals>,
}

/// Charges every item for all its parts, in one request or in one each.
pub(super) fn charge<'a>(
    planner: &mut Planner<'a>,
    sent: Vec<Sent<'_>>,
    (rules, request): (&'a RuleSet<'a>, &PlanOptions),
) -> Charged {
    let each = request.requests == Requests::Each;
    let alone = |sent: &Sent<'_>| each && matches!(sent.portions, Ok(Some(_)));
    let shared = sent.iter().filter(|sent| !alone(sent));
    let parts: Vec<_> = shared.flat_map(Sent::parts).collect();
    sent.iter().filter(|sent| !alone(sent)).for_each(|sent| planner.add_text_tokens(sent.text()));
    let mut planned = planner.plan_items(&parts).into_iter();
    drop(parts);
    let mut apart = Vec::new();
    let mut one = |sent: Sent<'_>| {
        if alone(&sent) {
            let (charge, totals) = charge_alone(&sent, rules, request)?;
            apart.push(totals);
            return Ok(charge);
        }
        let charges: Vec<_> = planned.by_ref().take(sent.parts().len()).collect();
        let text = sent.text();
        sent.portions?;
        let mut charge = joined(sent.probed, charges)?;
        charge.tokens.add(Modality::Text, text);
        Ok(charge)
    };
    let charges = sent.into_iter().map(&mut one).collect();
    Charged { charges, apart }
}

/// The parts of one item in a request of their own.
fn charge_alone(
    sent: &Sent<'_>,
    rules: &RuleSet<'_>,
    request: &PlanOptions,
) -> Result<(Charge, Totals), Error> {
    let level = sent.own.media_resolution;
    // Its own level stands at its parts, or goes for the request that it is.
    let at_part = rules.row.levels == LevelScope::Part;
    let media_resolution =
        if at_part { request.media_resolution } else { level.or(request.media_resolution) };
    let request = PlanOptions { requests: Requests::One, media_resolution, ..request.clone() };
    let own = ItemOptions { media_resolution: level.filter(|_| at_part), ..ItemOptions::default() };
    let parts: Vec<_> = sent.parts().into_iter().map(|(part, _)| (part, &own)).collect();
    let mut planner = Planner::new(rules, &request);
    planner.add_text_tokens(sent.text());
    let mut charge = joined(sent.probed, planner.plan_items(&parts))?;
    let totals = planner.finish();
    (charge.tokens, charge.cost) = (totals.tokens, totals.cost);
    charge.breaches.extend(totals.errors.iter().cloned());
    Ok((charge, totals))
}

fn joined(probed: &Probed, charges: Vec<Result<Charge, Error>>) -> Result<Charge, Error> {
    let charges: Result<Vec<Charge>, Error> = charges.into_iter().collect();
    charges?.into_iter().reduce(Charge::joined).ok_or_else(|| {
        Error::new(&probed.name, Stage::Plan, ErrorKind::Unsupported, "nothing of it is sent")
            .with_hint("plan it in another form")
    })
}
