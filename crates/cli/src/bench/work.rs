//! What each stage does: the engine's own work, its output consumed and dropped.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use mediaprep::media::MimeType;
use mediaprep::parts::{Data, GenerateRequest, Part};
use mediaprep::{
    Engine, Error, ErrorKind, FitOptions, Input, Outcome, PartBytes, PlanOptions, Planned, Planner,
    Preparation, Prepared, Probed, RuleSet, Stage, Store, fit_facts,
};

use super::stage::StageName;
use crate::args::InputArgs;
use crate::failure::Failure;
use crate::prepare::PartFile;
use crate::{inputs, settings};

/// What the stages work on.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) rules: &'a RuleSet<'a>,
    pub(crate) request: &'a PlanOptions,
    /// What was named.
    pub(crate) args: &'a InputArgs,
    /// What was found there.
    pub(crate) media: &'a Media,
}

/// The inputs that are media, with their facts in the same order.
#[derive(Default)]
pub(crate) struct Media {
    /// Everything that was named or found, media or not.
    pub(crate) listed: Vec<Input>,
    inputs: Vec<Input>,
    facts: Vec<Probed>,
    /// How many files are no media.
    pub(crate) skipped: u64,
}

impl Media {
    /// Looks through everything that was named.
    ///
    /// # Errors
    ///
    /// When nothing was named, a list cannot be read, or threads cannot be started.
    pub(crate) fn find(engine: &Engine, args: &InputArgs) -> Result<Self, Failure> {
        let mut media =
            Self { listed: inputs::collect(args, engine.threads())?, ..Self::default() };
        let mut at = media.listed.iter();
        let probed = engine.probe_each(media.listed.iter().cloned(), &mut |outcome| {
            match (outcome, at.next()) {
                (Outcome::Media(probed), Some(input)) => {
                    media.facts.push(*probed);
                    media.inputs.push(input.clone());
                }
                (Outcome::Skipped, _) => media.skipped += 1,
                _ => {}
            }
            ControlFlow::Continue(())
        });
        probed.map_err(|error| settings::failure(&error))?;
        Ok(media)
    }

    /// How many there are.
    pub(crate) fn files(&self) -> u64 {
        self.facts.len() as u64
    }

    /// Bytes of all of them.
    pub(crate) fn bytes(&self) -> u64 {
        self.facts.iter().filter_map(|facts| facts.bytes).sum()
    }

    fn of(&self, name: StageName) -> Vec<Input> {
        let wanted = |facts: &Probed| name.kind().is_none_or(|kind| facts.info.modality() == kind);
        let all = self.inputs.iter().zip(&self.facts);
        all.filter(|(_, facts)| wanted(facts)).map(|(input, _)| input.clone()).collect()
    }
}

/// What one run of a stage has done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Files that came out well.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Their units.
    pub(crate) units: f64,
    /// What became of the others.
    pub(crate) errors: Vec<Error>,
}

impl Done {
    fn add(&mut self, bytes: Option<u64>, units: f64) {
        self.files += 1;
        self.bytes += bytes.unwrap_or(0);
        self.units += units;
    }
}

type Run<'a> = Box<dyn FnMut() -> Result<Done, Failure> + 'a>;

/// A stage that is ready to be run any number of times.
pub(crate) struct Work<'a> {
    pub(crate) name: StageName,
    /// What could not even be planned.
    pub(crate) refused: Vec<Error>,
    /// Does everything once.
    pub(crate) run: Run<'a>,
}

impl<'a> Work<'a> {
    /// Plans what a stage does; `None` where there is nothing for it.
    ///
    /// # Errors
    ///
    /// When threads cannot be started.
    pub(crate) fn new(name: StageName, subject: Subject<'a>) -> Result<Option<Self>, Failure> {
        if subject.media.of(name).is_empty() {
            return Ok(None);
        }
        let work = |run| Ok(Some(Self { name, refused: Vec::new(), run }));
        match name {
            StageName::Walk => work(walk(subject)),
            StageName::Plan => work(Box::new(move || Ok(plan(subject).0))),
            StageName::Fit => work(fit(subject)),
            StageName::Body => work(Box::new(move || Ok(body(subject)))),
            _ => Self::prepare(name, subject).map(Some),
        }
    }

    fn prepare(name: StageName, subject: Subject<'a>) -> Result<Self, Failure> {
        let Subject { engine, rules, request, media, .. } = subject;
        let planned = engine.plan(&media.of(name), rules, request, &name.options());
        let mut preparation = planned.map_err(|error| settings::failure(&error))?;
        let items = std::mem::take(&mut preparation.items);
        let (items, refused): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| item.planned.is_ok());
        preparation.items = items;
        let refused = refused.into_iter().filter_map(|item| item.planned.err()).collect();
        let run = Box::new(move || carry_out(engine, name, &preparation));
        Ok(Self { name, refused, run })
    }
}

fn walk(subject: Subject<'_>) -> Run<'_> {
    let Subject { engine, args, .. } = subject;
    Box::new(move || {
        let (mut done, list) = (Done::default(), inputs::collect(args, engine.threads())?);
        let probed = engine.probe_each(list.into_iter(), &mut |outcome| {
            match outcome {
                Outcome::Media(probed) => done.add(probed.bytes, 1.0),
                Outcome::Failed(error) => done.errors.push(error),
                Outcome::Skipped => {}
            }
            ControlFlow::Continue(())
        });
        probed.map_err(|error| settings::failure(&error))?;
        Ok(done)
    })
}

/// Counts and prices everything; also the sum.
fn plan(subject: Subject<'_>) -> (Done, u64) {
    let (mut done, facts) = (Done::default(), &subject.media.facts);
    let mut planner = Planner::new(subject.rules, subject.request);
    if planner.needs_shape() {
        let _ = facts.iter().try_for_each(|one| planner.look_at_shape(one));
    }
    if planner.needs_tokens() {
        let mut scout = planner.clone();
        let _ = facts.iter().try_for_each(|one| planner.look_at_tokens(&mut scout, one));
    }
    for one in facts {
        match planner.plan(one) {
            Ok(_) => done.add(one.bytes, 1.0),
            Err(error) => done.errors.push(error),
        }
    }
    (done, planner.finish().tokens.total)
}

fn fit(subject: Subject<'_>) -> Run<'_> {
    let half = plan(subject).1 / 2;
    let options = FitOptions { max_tokens: Some(half.max(1)), ..FitOptions::default() };
    Box::new(move || {
        let Subject { rules, request, media, .. } = subject;
        let fit = fit_facts(&media.facts, rules, request, &options);
        let fit = fit.map_err(|error| settings::failure(&error))?;
        let mut done = Done::default();
        // What cannot be counted is an error of planning already.
        let counted = media.facts.iter().zip(&fit.items).filter(|(_, item)| item.failure.is_none());
        counted.for_each(|(facts, _)| done.add(facts.bytes, 1.0));
        Ok(done)
    })
}

fn carry_out(
    engine: &Engine,
    name: StageName,
    preparation: &Preparation<'_>,
) -> Result<Done, Failure> {
    let mut done = Done::default();
    let mut take = |planned: &Planned, outcome: Result<Prepared, Error>| match outcome {
        Ok(prepared) => done.add(planned.probed.bytes, name.units(planned, &prepared)),
        Err(error) => done.errors.push(error),
    };
    let carried = engine.prepare_each(preparation, &Nowhere, &mut |at, outcome| {
        let item = preparation.items.get(at).and_then(|item| item.planned.as_ref().ok());
        if let (Some(planned), Some(outcome)) = (item, outcome) {
            take(planned, outcome);
        }
        ControlFlow::Continue(())
    });
    carried.map_err(|error| settings::failure(&error))?;
    Ok(done)
}

/// Reads parts to their end and keeps nothing.
struct Nowhere;

impl Store for Nowhere {
    fn store(&self, part: PartBytes<'_>) -> io::Result<()> {
        io::copy(part.bytes, &mut io::sink()).map(drop)
    }

    fn discard(&self, _: usize, _: usize) {}
}

/// Each file in a request of its own, so that one that cannot be read is only its own trouble.
fn body(subject: Subject<'_>) -> Done {
    let mut done = Done::default();
    let media = subject.media;
    for (input, facts) in media.inputs.iter().zip(&media.facts) {
        match write_body(input, facts) {
            Ok(bytes) => done.add(facts.bytes, bytes as f64),
            Err(error) => {
                let error = Error::new(input.name(), Stage::Open, ErrorKind::Io, error);
                done.errors.push(error.with_hint("was the file removed meanwhile? run it again"));
            }
        }
    }
    done
}

fn write_body(input: &Input, facts: &Probed) -> io::Result<u64> {
    let path = input.file().ok_or(io::ErrorKind::NotFound)?;
    let data = Data::source(Arc::new(PartFile::new(path.to_owned())?));
    let mime = facts.mime_type.map_or("application/octet-stream", MimeType::as_str);
    let body = GenerateRequest::user(vec![Part::inline(mime, data)]).body();
    body.write_to(&mut io::sink())?;
    Ok(body.length())
}
