//! The library in three lines: an engine for one model that turns media into parts.

use mediaprep_parts::Part;
use mediaprep_tokens::{Date, RuleBook};

use super::options::PrepareOptions;
use super::planned::Preparation;
use crate::error::{Error, ErrorKind, Stage};
use crate::fit::{Fit, FitOptions};
use crate::options::PlanOptions;
use crate::rules::{RuleRequest, RuleSet};
use crate::totals::Totals;
use crate::{Engine, Input};

/// An [`Engine`] for one model on one service and day: media in, parts with their count out.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/photo-portrait-8mp.jpg");
/// # let slides = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/pdf/object-streams.pdf");
/// let engine = mediaprep::Engine::for_model("gemini-3.5-flash", "2026-11-21".parse()?)?;
/// let ready = engine.parts(photo)?;
/// assert_eq!((ready.parts.len(), ready.totals.tokens.image), (1, 1064));
///
/// let ready = engine.parts_within([photo, slides], 7_000)?;
/// assert!(ready.totals.tokens.total <= 7_000);
/// for item in ready.fit.iter().flat_map(|fit| &fit.items) {
///     println!("{}: {:?}", item.name, item.given_up);
/// }
/// # Ok(())
/// # }
/// ```
///
/// The parts go into the `contents` of a request in their order. It is for what fits memory; for
/// more, plan with [`Engine::plan`] and carry it out with [`Engine::prepare_each`].
#[derive(Clone, Debug)]
pub struct ModelEngine {
    engine: Engine,
    book: RuleBook,
    rule: RuleRequest,
    request: PlanOptions,
    options: PrepareOptions,
}

/// Parts that are ready to be sent, and what they cost.
#[derive(Debug)]
pub struct Ready {
    /// The parts of all inputs in sending order, their bytes inside, with the texts between them.
    pub parts: Vec<Part>,
    /// What they cost together in one request.
    pub totals: Totals,
    /// The inputs that are not among them, each with its reason.
    pub failed: Vec<Error>,
    /// What was given up of each input; `None` without a budget.
    pub fit: Option<Fit>,
}

impl Engine {
    /// An engine with usual settings for what the Developer API bills for a model on a day, by the
    /// rule book of this crate.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::NoRule`] that names the nearest models.
    pub fn for_model(model: impl Into<String>, date: Date) -> Result<ModelEngine, Error> {
        let engine = Self::builder().build()?;
        ModelEngine::new(engine, RuleBook::builtin(), RuleRequest::billed(model, date))
    }
}

impl ModelEngine {
    /// An engine, a rule book and what is looked up in it.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::NoRule`] that names what was asked and, as a hint, the nearest names.
    pub fn new(engine: Engine, book: RuleBook, rule: RuleRequest) -> Result<Self, Error> {
        RuleSet::find(&book, &rule)?;
        let (request, options) = (PlanOptions::default(), PrepareOptions::default());
        Ok(Self { engine, book, rule, request, options })
    }

    /// The same with other settings of the request.
    #[must_use]
    pub fn with_request(mut self, request: PlanOptions) -> Self {
        self.request = request;
        self
    }

    /// The same with media brought into another shape.
    #[must_use]
    pub fn with_options(mut self, options: PrepareOptions) -> Self {
        self.options = options;
        self
    }

    /// One input as parts: a path, or any [`Input`], such as bytes or what a reader gives.
    ///
    /// # Errors
    ///
    /// What is wrong with the input or the settings.
    pub fn parts(&self, input: impl Into<Input>) -> Result<Ready, Error> {
        let ready = self.ready(&[input.into()], None)?;
        match ready.failed.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(Ready { failed: Vec::new(), ..ready }),
        }
    }

    /// A list of inputs as parts of one request. What is wrong with single inputs is in
    /// [`Ready::failed`], and the others are ready all the same.
    ///
    /// # Errors
    ///
    /// When the settings are out of range or the threads cannot be started.
    pub fn parts_of<I>(&self, inputs: I) -> Result<Ready, Error>
    where
        I: IntoIterator<Item: Into<Input>>,
    {
        self.ready(&list(inputs), None)
    }

    /// The same within a budget: a number of tokens, or [`FitOptions`] with money, weights, and what
    /// may be given up.
    ///
    /// # Errors
    ///
    /// As [`ModelEngine::parts_of`], and an [`ErrorKind::LimitExceeded`] when nothing that may be
    /// given up brings it within the budget.
    pub fn parts_within<I>(&self, inputs: I, budget: impl Into<FitOptions>) -> Result<Ready, Error>
    where
        I: IntoIterator<Item: Into<Input>>,
    {
        self.ready(&list(inputs), Some(&budget.into()))
    }

    fn ready(&self, inputs: &[Input], budget: Option<&FitOptions>) -> Result<Ready, Error> {
        let rules = RuleSet::find(&self.book, &self.rule)?;
        let both = (&self.request, &self.options);
        let plan = match budget {
            Some(budget) => self.engine.plan_fit(inputs, &rules, both, budget)?,
            None => self.engine.plan(inputs, &rules, both.0, both.1)?,
        };
        let fit = plan.fit.clone();
        if let Some(fit) = fit.as_ref().filter(|fit| !fit.fits) {
            return Err(above(fit));
        }
        self.carry_out(plan, fit)
    }

    fn carry_out(&self, plan: Preparation<'_>, fit: Option<Fit>) -> Result<Ready, Error> {
        let (made, totals) = self.engine.prepare_counted(plan)?;
        let (mut parts, mut failed) = (Vec::new(), Vec::new());
        for payload in made {
            match payload {
                Ok(payload) => parts.extend(payload.parts),
                Err(error) => failed.push(error),
            }
        }
        Ok(Ready { parts, totals, failed, fit })
    }
}

fn list<I>(inputs: I) -> Vec<Input>
where
    I: IntoIterator<Item: Into<Input>>,
{
    inputs.into_iter().map(Into::into).collect()
}

fn above(fit: &Fit) -> Error {
    let money = fit.missing_cost.map(|cost| format!(" and {cost}")).unwrap_or_default();
    let message = format!(
        "at its cheapest it takes {} tokens, {} tokens{money} above the budget",
        fit.tokens, fit.missing
    );
    Error::new("", Stage::Plan, ErrorKind::LimitExceeded, message)
        .with_hint("raise the budget, allow more to be given up, or send less")
}
