//! The models: stage, release, retirement and context windows.

use serde::{Deserialize, Serialize};

use crate::count::Evidence;
use crate::key::{Date, Service};

/// How far a model is promised to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Generally available.
    Stable,
    /// Announced as a preview.
    Preview,
    /// Announced as an experiment.
    Experimental,
    /// Switched off.
    Retired,
}

/// A context window, by service where they differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Window {
    /// The service; `None` for all.
    pub service: Option<Service>,
    /// Most tokens in.
    pub input: u64,
    /// Most tokens out; `None` where none are published.
    pub output: Option<u64>,
    /// Whether input and output share the input's figure.
    #[serde(default)]
    pub shared: bool,
    /// What the figures rest on.
    pub evidence: Evidence,
}

impl Window {
    /// Whether a request fits: input alone, or with the output asked for where they share.
    pub const fn fits(&self, input: u64, output: u64) -> bool {
        let planned = if self.shared { input.saturating_add(output) } else { input };
        planned <= self.input
    }
}

/// One model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// The exact name.
    #[serde(rename = "name")]
    pub id: String,
    /// The family that limits and types go by.
    pub family: String,
    /// The line, such as `flash` or `flash-lite`; the default model is of the line `flash`.
    pub line: String,
    /// The last stage before retirement, or `retired` when the day is not known.
    pub stage: Stage,
    /// The first day on which a source shows the model.
    pub released: Date,
    /// The day from which it is switched off.
    pub retired: Option<Date>,
    /// Context windows.
    #[serde(default)]
    pub window: Vec<Window>,
    /// Fewest tokens that the service caches; `None` where none are published.
    pub cache_minimum: Option<u64>,
}

impl Model {
    /// The stage on a day.
    pub fn stage_on(&self, date: Date) -> Stage {
        match self.retired {
            Some(retired) if retired <= date => Stage::Retired,
            _ => self.stage,
        }
    }

    /// The window on a service; `None` where none is published.
    pub fn window_on(&self, service: Service) -> Option<&Window> {
        let own = self.window.iter().find(|window| window.service == Some(service));
        own.or_else(|| self.window.iter().find(|window| window.service.is_none()))
    }
}
