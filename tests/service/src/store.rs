use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::{
    answer::Answer,
    batch::Batch,
    cache::Cached,
    fault::Faults,
    files::{FileEntry, HashForm},
    record::Recorded,
    upload::Upload,
    usage::{TokenCounter, count_plainly},
};

/// What a service knows and how it is set, behind one lock.
pub(crate) struct Shared {
    /// `http://127.0.0.1:PORT`.
    pub(crate) base_url: String,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(base_url: String) -> Self {
        Self { base_url, state: Mutex::new(State::default()) }
    }

    /// The state; a panic elsewhere does not make it useless.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    pub(crate) recorded: Vec<Recorded>,
    pub(crate) refusals: Vec<String>,
    pub(crate) bytes_received: u64,
    pub(crate) uploads: HashMap<String, Upload>,
    /// Files by their numbers, in the order in which they came to be.
    pub(crate) files: Vec<FileEntry>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) caches: Vec<Cached>,
    /// Buckets' objects that `files:register` made known.
    pub(crate) registered: Vec<String>,
    last_id: u64,
}

impl State {
    /// A number that was not given out before.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// An id of twelve letters and digits, as the services make them, the same in each run.
    pub(crate) fn next_name(&mut self) -> String {
        let mut number = self.next_id().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2;
        let mut name = String::with_capacity(12);
        for _ in 0..12 {
            let digit = u32::try_from(number % 36).unwrap_or(0);
            name.push(char::from_digit(digit, 36).unwrap_or('0'));
            number /= 36;
        }
        name
    }
}

/// Which bodies are kept and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bodies {
    Kept,
    /// Nothing is kept, large JSON is not judged.
    Sunk {
        hashed: bool,
    },
}

pub(crate) struct Settings {
    pub(crate) granularity: u64,
    pub(crate) keep_step: u64,
    pub(crate) processing_polls: u32,
    pub(crate) hash_form: HashForm,
    pub(crate) body_limit: u64,
    pub(crate) bodies: Bodies,
    pub(crate) path_prefix: String,
    pub(crate) answer: Answer,
    pub(crate) token_counter: TokenCounter,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            granularity: 8 << 20,
            keep_step: 256 << 10,
            processing_polls: 0,
            hash_form: HashForm::RawBytes,
            body_limit: 100 << 20,
            bodies: Bodies::Kept,
            path_prefix: String::new(),
            answer: Answer::default(),
            token_counter: std::sync::Arc::new(|request: &Value| count_plainly(request)),
        }
    }
}
