//! What holds for each part when it is counted and sent: the request's options, its item's own in their
//! place, and what stands at the part itself.

use mediaprep_media::{MediaResolution, Modality};
use mediaprep_parts::Part;
use mediaprep_tokens::{Clip, ItemFacts, LevelScope, Route};

use super::carry::PreparedPart;
use super::count::PartFacts;
use super::planned::Preparation;
use super::role::Role;
use crate::item_options::ItemOptions;
use crate::options::{PlanOptions, Requests};
use crate::plan::Planner;
use crate::rules::RuleSet;

/// The options of one item's parts.
pub(super) struct PartOptions {
    /// Of parts that are sent as they are.
    whole: PlanOptions,
    /// Of parts that are clipped already.
    clipped: PlanOptions,
    /// The item's own level, where the model takes levels at parts.
    level: Option<MediaResolution>,
}

impl PartOptions {
    fn new(
        rules: &RuleSet<'_>,
        request: &PlanOptions,
        (own, requests): (&ItemOptions, Requests),
    ) -> Self {
        let prompt = request.prompt.clone();
        let whole = PlanOptions { requests, prompt, ..own.over(request) };
        let clipped = PlanOptions { clip: Clip::default(), ..whole.clone() };
        let at_part = rules.row.levels == LevelScope::Part;
        Self { whole, clipped, level: own.media_resolution.filter(|_| at_part) }
    }

    pub(super) const fn whole(&self) -> &PlanOptions {
        &self.whole
    }

    /// The options under which a part is counted and sent.
    const fn of(&self, role: Role) -> &PlanOptions {
        if matches!(role, Role::Proxy { .. }) { &self.clipped } else { &self.whole }
    }

    /// Has a planner plan a part under them.
    pub(super) fn hold_for<'a>(&'a self, role: Role, planner: &mut Planner<'a>) {
        planner.use_options(self.of(role), self.level);
    }

    /// Writes what stands at a part in the request: how finely the model looks at it, and how a video is
    /// sampled.
    pub(super) fn annotate(&self, (role, medium): (Role, Modality), part: &mut Part) {
        let options = self.of(role);
        let own = self.level.filter(|_| medium != Modality::Audio);
        part.media_resolution = own.or_else(|| options.part_level(medium));
        part.video_metadata = options.video_metadata(medium);
    }
}

/// The options of all items' parts. Items without options of their own share the request's.
pub(super) struct RequestOptions {
    shared: PartOptions,
    own: Vec<Option<PartOptions>>,
}

impl RequestOptions {
    pub(super) fn new(preparation: &Preparation<'_>, requests: Requests) -> Self {
        let (rules, request) = (preparation.rules, &preparation.request);
        let of = |own: &ItemOptions| PartOptions::new(rules, request, (own, requests));
        let own = preparation.items.iter().map(|item| &item.options);
        Self {
            shared: of(&ItemOptions::default()),
            own: own.map(|own| (!own.is_default()).then(|| of(own))).collect(),
        }
    }

    /// The request's own.
    pub(super) const fn request(&self) -> &PlanOptions {
        &self.shared.whole
    }

    /// Those of one item, by its place.
    pub(super) fn of(&self, item: usize) -> &PartOptions {
        self.own.get(item).and_then(Option::as_ref).unwrap_or(&self.shared)
    }

    /// The parts of all items in their order, each with its options.
    pub(super) fn with<'a, 'p>(
        &'a self,
        parts: &'p [Option<Vec<PartFacts>>],
    ) -> Vec<(&'p PartFacts, &'a PartOptions)> {
        let of_item = |(item, parts): (usize, &'p Option<Vec<PartFacts>>)| {
            let options = self.of(item);
            parts.iter().flatten().map(move |part| (part, options))
        };
        parts.iter().enumerate().flat_map(of_item).collect()
    }
}

impl Preparation<'_> {
    fn options_of(&self, item: usize) -> PartOptions {
        let nothing = ItemOptions::default();
        let own = self.items.get(item).map_or(&nothing, |item| &item.options);
        PartOptions::new(self.rules, &self.request, (own, self.request.requests))
    }

    /// Writes what stands at a part of an item, given by its place in [`Preparation::items`], in the
    /// request: how finely the model looks at it, and how a video is sampled. A proxy is clipped
    /// already.
    pub fn annotate(&self, item: usize, made: &PreparedPart, part: &mut Part) {
        let medium = made.facts.info.modality();
        self.options_of(item).annotate((made.role, medium), part);
    }

    /// A part of an item, given by its place in [`Preparation::items`], as the rule book sees it.
    pub fn part_facts(&self, item: usize, made: &PreparedPart, route: Route) -> ItemFacts {
        let options = self.options_of(item);
        let mut planner = Planner::new(self.rules, options.whole());
        options.hold_for(made.role, &mut planner);
        planner.facts(&made.facts, route)
    }

    /// The level that goes for the whole request that an item, given by its place, is in: the request's
    /// own, or that of an item that is a request of its own where the model takes levels for whole
    /// requests only.
    pub fn request_level(&self, item: usize) -> Option<MediaResolution> {
        let alone = self.request.requests == Requests::Each;
        if alone && self.rules.row.levels == LevelScope::Request {
            return self.options_of(item).whole.request_level();
        }
        self.request.request_level()
    }
}
