//! Preparing into memory.

use std::io;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use mediaprep_parts::Part;

use super::carry::{PartBytes, Prepared, PreparedPart, Store};
use super::count::CountedItem;
use super::part_options::{PartOptions, RequestOptions};
use super::planned::Preparation;
use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::{Charge, Engine, Totals};

/// One input, ready to be sent.
#[derive(Clone, Debug)]
pub struct Payload {
    /// What was made and where its pixels come from.
    pub prepared: Prepared,
    /// What its parts are charged together.
    pub charge: Charge,
    /// The parts of a request, each with its bytes, in sending order, with the texts between them.
    pub parts: Vec<Part>,
}

impl Engine {
    /// Carries out a preparation into memory: the parts of every input, ready to be put into a
    /// request. For more than fits memory, see [`Engine::prepare_each`].
    ///
    /// # Errors
    ///
    /// When the threads cannot be started. What is wrong with one input is in its own result.
    pub fn prepare(
        &self,
        preparation: Preparation<'_>,
    ) -> Result<Vec<Result<Payload, Error>>, Error> {
        self.prepare_counted(preparation).map(|(payloads, _)| payloads)
    }

    /// The same with what everything costs together.
    pub(super) fn prepare_counted(
        &self,
        preparation: Preparation<'_>,
    ) -> Result<(Vec<Result<Payload, Error>>, Totals), Error> {
        let memory = Memory::new(&preparation);
        let mut outcomes = Vec::with_capacity(preparation.items.len());
        self.prepare_each(&preparation, &memory, &mut |_, outcome| {
            outcomes.push(outcome);
            ControlFlow::Continue(())
        })?;
        let facts = |prepared: &Prepared| {
            prepared.parts.iter().map(PreparedPart::counted).collect::<Vec<_>>()
        };
        let made = |outcome: &Option<Result<Prepared, Error>>| match outcome {
            Some(Ok(prepared)) => Some(facts(prepared)),
            _ => None,
        };
        let parts: Vec<_> = outcomes.iter().map(made).collect();
        let counted = preparation.count_parts(&parts);
        let options = RequestOptions::new(&preparation, preparation.request.requests);
        let memory = memory.into_bytes();
        let items = preparation.items.into_iter().zip(outcomes).zip(counted.items).enumerate();
        let mut payloads = Vec::with_capacity(parts.len());
        for (at, ((item, outcome), counted)) in items {
            let payload = item.planned.and_then(|_| {
                let prepared = outcome.unwrap_or_else(|| Err(lost()))?;
                let counted = counted.unwrap_or_else(|| Err(lost()))?;
                let bytes = memory.get(at).map(Vec::as_slice).unwrap_or_default();
                Ok(payload(prepared, counted, bytes, options.of(at)))
            });
            payloads.push(payload);
        }
        Ok((payloads, counted.totals))
    }
}

/// A planned item always comes back, so this is never seen; it is no reason to panic.
fn lost() -> Error {
    Error::new("", Stage::Plan, ErrorKind::Io, "the item was lost on the way").with_hint(READ_AGAIN)
}

fn payload(
    prepared: Prepared,
    counted: CountedItem,
    bytes: &[Option<Vec<u8>>],
    options: &PartOptions,
) -> Payload {
    let mut parts = Vec::with_capacity(bytes.len());
    // What stands at the place of a page that was lost or a frame that was left out is nothing.
    let bytes = bytes.iter().flatten();
    for ((part, charge), bytes) in prepared.parts.iter().zip(&counted.parts).zip(bytes) {
        parts.extend(part.text.as_deref().map(Part::text));
        let mut one = Part::inline(charge.send_as.clone(), bytes.clone());
        options.annotate((part.role, part.facts.info.modality()), &mut one);
        parts.push(one);
    }
    Payload { parts, prepared, charge: counted.charge }
}

/// Keeps parts in memory, by item and part.
struct Memory(Mutex<Vec<Vec<Option<Vec<u8>>>>>);

impl Memory {
    fn new(preparation: &Preparation<'_>) -> Self {
        Self(Mutex::new(vec![Vec::new(); preparation.items.len()]))
    }

    fn into_bytes(self) -> Vec<Vec<Option<Vec<u8>>>> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn store(&self, part: PartBytes<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        part.bytes.read_to_end(&mut bytes)?;
        if part.role.is_extra() {
            return Ok(());
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(item) = all.get_mut(part.item) {
            if item.len() <= part.part {
                item.resize(part.part + 1, None);
            }
            item[part.part] = Some(bytes);
        }
        Ok(())
    }

    fn discard(&self, item: usize, part: usize) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.get_mut(item).and_then(|parts| parts.get_mut(part));
        place.into_iter().for_each(|bytes| *bytes = None);
    }
}
