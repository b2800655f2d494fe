//! A strict stand-in for the Gemini services, for tests.
//!
//! [`Service::start`] runs a server on 127.0.0.1 that serves the Developer API, Vertex and the
//! OpenAI-compatible paths. It refuses what Google refuses, in Google's words where they are
//! known; it records what it receives; and it plays [`Fault`]s. Uploads are hashed as they come
//! and never held. Nothing outside this process is asked.
//!
//! Where the services' own rule is not known, the stricter reading holds: a client that passes
//! here must not rely on leniency.

mod answer;
mod auth;
mod base64;
mod batch;
mod cache;
mod call;
mod chat;
mod clock;
mod connection;
mod fault;
mod files;
mod generate;
mod incoming;
mod judge;
mod messages;
mod mime;
mod models;
mod record;
mod refusal;
mod route;
mod schema;
mod serve;
mod service;
mod simple_upload;
mod standard_faults;
mod store;
mod stream;
mod strict_json;
mod upload;
mod usage;

pub use answer::Answer;
pub use call::Call;
pub use fault::{Fault, StreamFault};
pub use files::{FileState, HashForm, StoredFile};
pub use record::{Framing, Recorded};
pub use service::Service;
pub use usage::Modality;
