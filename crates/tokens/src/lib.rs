//! What a model charges for a request's media.

mod count;
mod facts;
mod key;

pub use count::{Bound, Evidence, ItemCount, TokenCount};
pub use facts::{
    AudioFacts, Clip, DocumentFacts, ImageFacts, ItemFacts, MediaFacts, PageBox, PageRun,
    RequestedLevel, Route, VideoFacts,
};
pub use key::{Date, InvalidDate, Meter, RuleKey, Service};
