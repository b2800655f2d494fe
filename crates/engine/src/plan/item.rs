//! Items with options of their own.

use std::ops::ControlFlow;

use mediaprep_media::{Dimensions, MediaResolution};
use mediaprep_tokens::{
    CountError, ImageFacts, ItemCount, ItemFacts, MediaFacts, RequestShape, Route,
};

use super::{Charge, Planner};
use crate::MediaInfo;
use crate::error::Error;
use crate::item_options::ItemOptions;
use crate::options::PlanOptions;
use crate::probe::Probed;
#[cfg(feature = "pixels")]
use crate::rules::RuleSet;
use crate::totals::TokenSplit;

/// What the request asks for as it holds for one item, and the level that stands at it.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) options: PlanOptions,
    pub(super) level: Option<MediaResolution>,
}

impl Own {
    fn new(item: &ItemOptions, request: &PlanOptions) -> Self {
        Self { options: item.over(request), level: item.media_resolution }
    }
}

impl<'a> Planner<'a> {
    /// A planner of one item alone, under the request's options as they hold for it
    /// ([`ItemOptions::over`]) and the level that stands at it.
    #[cfg(feature = "pixels")]
    pub(crate) fn of_item(
        rules: &'a RuleSet<'a>,
        options: &'a PlanOptions,
        level: Option<MediaResolution>,
    ) -> Self {
        let mut planner = Self::new(rules, options);
        planner.use_options(options, level);
        planner
    }

    /// Plans what follows under other options, with a level that stands at the part: those of parts
    /// that are clipped already, or belong to an item with options of its own.
    #[cfg(feature = "pixels")]
    pub(crate) fn use_options(&mut self, options: &'a PlanOptions, level: Option<MediaResolution>) {
        self.options = options;
        // The prompt belongs to the request and is not copied for each part.
        let options = PlanOptions { prompt: None, ..*options };
        self.own = level.map(|level| Own { options, level: Some(level) });
    }
}

impl Planner<'_> {
    /// Plans all items of a request, or of one request each, every one under options of its own. What
    /// charges depend on beyond their items is looked at first.
    pub fn plan_items(&mut self, items: &[(&Probed, &ItemOptions)]) -> Vec<Result<Charge, Error>> {
        if self.needs_shape() {
            let mut look = |&(probed, own): &(&_, &_)| self.look_at_item_shape(probed, own);
            let _ = items.iter().try_for_each(&mut look);
        }
        if self.needs_tokens() {
            let mut scout = self.clone();
            let mut look =
                |&(probed, own): &(&_, &_)| self.look_at_item_tokens(&mut scout, probed, own);
            let _ = items.iter().try_for_each(&mut look);
        }
        items.iter().map(|(probed, own)| self.plan_item(probed, own)).collect()
    }

    /// Plans one item under options of its own.
    ///
    /// # Errors
    ///
    /// As [`Planner::plan`].
    pub fn plan_item(&mut self, probed: &Probed, own: &ItemOptions) -> Result<Charge, Error> {
        self.under(probed, own, Self::plan)
    }

    /// [`Planner::look_at_shape`] for an item with options of its own.
    pub fn look_at_item_shape(&mut self, probed: &Probed, own: &ItemOptions) -> ControlFlow<()> {
        self.under(probed, own, Self::look_at_shape)
    }

    /// [`Planner::look_at_tokens`] for an item with options of its own.
    pub fn look_at_item_tokens(
        &mut self,
        scout: &mut Self,
        probed: &Probed,
        own: &ItemOptions,
    ) -> ControlFlow<()> {
        scout.under(probed, own, |scout, probed| self.look_at_tokens(scout, probed))
    }

    fn under<T>(
        &mut self,
        probed: &Probed,
        own: &ItemOptions,
        look: impl FnOnce(&mut Self, &Probed) -> T,
    ) -> T {
        if own.is_default() {
            return look(self, probed);
        }
        self.own = Some(Own::new(own, self.options));
        let seen = look(self, &own.apply(probed));
        self.own = None;
        seen
    }

    /// What an item would be charged for its media under options of its own, `beside` other items,
    /// whatever this planner has seen.
    pub(crate) fn count_item(
        &self,
        info: &MediaInfo,
        own: &ItemOptions,
        route: Route,
        beside: RequestShape,
    ) -> Result<ItemCount, CountError> {
        let options = Own::new(own, self.options);
        let facts = self.facts_under(&own.apply_to(info), route, &options.options, options.level);
        let mut shape = beside;
        shape.add(&facts);
        self.rules.row.count_item(&facts, shape, &self.rules.key.model)
    }

    /// Says what pictures of any size would be charged in its place: [`Planner::count_item`] for many.
    pub(crate) fn picture_counter(
        &self,
        own: &ItemOptions,
        route: Route,
        beside: RequestShape,
    ) -> impl Fn(Dimensions) -> Option<u64> {
        let options = Own::new(own, self.options);
        let any = MediaInfo::image(Dimensions::ONE);
        let facts = self.facts_under(&any, route, &options.options, options.level);
        let mut shape = beside;
        shape.add(&facts);
        let (row, model) = (self.rules.row, &self.rules.key.model);
        move |size| {
            let media = MediaFacts::Image(ImageFacts { size, copies: 1 });
            let facts = ItemFacts { media, ..facts };
            Some(row.count_item(&facts, shape, model).ok()?.media.tokens)
        }
    }

    /// The longest side that the service keeps of an image that is cut into tiles under options of
    /// its own; `None` where the rule lays no tiles over it.
    pub(crate) fn tiled_side(&self, info: &MediaInfo, own: &ItemOptions) -> Option<u32> {
        let (size, options) = (info.dimensions()?, Own::new(own, self.options));
        let facts = self.facts_under(info, Route::Inline, &options.options, options.level);
        self.rules.row.image_tiling(&facts, size).ok().flatten()?;
        Some(self.rules.row.image_longest_side(&facts, size).ok().flatten().unwrap_or(u32::MAX))
    }

    /// Tokens that a request costs beside its media.
    pub(crate) fn overhead_split(&self) -> TokenSplit {
        self.overhead().split
    }
}
