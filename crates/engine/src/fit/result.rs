//! What a fit comes to.

use mediaprep_media::{MediaResolution, Modality};
use mediaprep_tokens::{Cost, Route};
use serde::{Serialize, Serializer};

use super::options::Lever;
use crate::error::{Error, ErrorKind};
use crate::item_options::ItemOptions;
use crate::options::PlanOptions;
use crate::totals::Totals;

/// What was given up of an item, in words: `fps` from `1` to `1/4`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenUp {
    /// By which lever.
    pub what: Lever,
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
}

/// Why an item is in no request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind of trouble it is.
    pub kind: ErrorKind,
    /// The stable code.
    pub code: &'static str,
    /// What was found and what was allowed.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            code: error.code(),
            message: error.cause(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

/// What a fit decided about one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FitItem {
    /// The input's name, as it was given.
    pub name: String,
    /// What kind of medium it is; `None` where it could not be read.
    pub modality: Option<Modality>,
    /// What holds for it in place of the request's options; nothing where nothing is done to it.
    pub options: ItemOptions,
    /// How it travels; `None` for items that failed.
    pub route: Option<Route>,
    /// Its tokens as the request has it.
    pub tokens_before: u64,
    /// Its tokens as it is fitted; never more.
    pub tokens: u64,
    /// What is lost of it, 0 to 1 000 000, whatever it matters.
    pub loss: u64,
    /// What was given up for it.
    pub given_up: Vec<GivenUp>,
    /// Why it is in no request, where it is not; then nothing was decided.
    pub failure: Option<Failure>,
}

/// What would bring the total within the budget, or nearer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
#[non_exhaustive]
pub enum Advice {
    /// Allow a lever.
    Allow {
        /// The lever.
        lever: Lever,
        /// Tokens that it takes off the cheapest total.
        saves: u64,
    },
    /// Keep fewer inputs as they are.
    KeepFewer {
        /// Tokens of those that are kept.
        tokens: u64,
    },
    /// Spread the inputs over several requests, each within the budget of tokens.
    SplitRequests {
        /// At least so many.
        requests: u64,
    },
    /// Choose a model that charges less.
    CheaperModel,
}

/// What each input is sent as, so that the total is within a budget and the least is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// One entry for each input that is media or should have been, in input order.
    pub items: Vec<FitItem>,
    /// The level of the whole request, where one is part of the fit: it takes the place of
    /// [`PlanOptions::media_resolution`](crate::PlanOptions::media_resolution).
    pub media_resolution: Option<MediaResolution>,
    /// Tokens in all before.
    pub tokens_before: u64,
    /// Tokens in all, as the engine counts the fitted request.
    pub tokens: u64,
    /// What everything costs before; `None` when some price is unknown. JSON has dollars.
    #[serde(rename = "cost_before_usd", serialize_with = "dollars")]
    pub cost_before: Option<Cost>,
    /// What everything costs.
    #[serde(rename = "cost_usd", serialize_with = "dollars")]
    pub cost: Option<Cost>,
    /// The items' losses, each times what it matters.
    pub loss: u64,
    /// How far `loss` may be above the least that is possible; 0 when it is the least.
    pub gap: u64,
    /// Whether the total is within the budget. Otherwise everything is at its cheapest.
    pub fits: bool,
    /// Tokens above the budget of tokens.
    pub missing: u64,
    /// Money above the budget of money.
    #[serde(rename = "missing_cost_usd", serialize_with = "dollars")]
    pub missing_cost: Option<Cost>,
    /// What would help where it does not fit.
    pub advice: Vec<Advice>,
    /// What the fitted request adds up to, limits and warnings included.
    #[serde(skip)]
    pub totals: Totals,
}

impl Fit {
    /// What a request asks for once it is fitted: the level of the whole request, where one is part of
    /// the fit. Everything else is in the items' options.
    pub fn request(&self, request: &PlanOptions) -> PlanOptions {
        let media_resolution = self.media_resolution.or(request.media_resolution);
        PlanOptions { media_resolution, ..request.clone() }
    }
}

#[expect(clippy::ref_option, reason = "the shape that serde asks for")]
fn dollars<S: Serializer>(cost: &Option<Cost>, serializer: S) -> Result<S::Ok, S::Error> {
    cost.map(Cost::as_dollars_f64).serialize(serializer)
}
