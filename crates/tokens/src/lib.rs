//! What a Gemini model, on a service, by a meter, on a date, charges for a request's media.
//!
//! Everything starts with the [`RuleBook`]: it [finds](RuleBook::find) the [`Row`] for a
//! [`RuleKey`], and the row [counts](Row::count_item) items from their header facts
//! ([`ItemFacts`]). A count is never a bare number: it carries its [`Evidence`], whether it is
//! exact or a ceiling ([`Bound`]), and the modality that the service reports it under. The book
//! also knows models and windows ([`Model`]), prices ([`Price`]), service limits
//! ([`ServiceLimits`]), file types ([`MimeVerdict`]) and sampling parameters ([`Sampling`]).
//!
//! ```
//! use mediaprep_tokens::{Evidence, Meter, RequestShape, RuleBook, RuleKey, Service};
//!
//! let book = RuleBook::builtin();
//! let key = RuleKey {
//!     model: "gemini-3.5-flash".to_owned(),
//!     service: Service::DeveloperApi,
//!     meter: Meter::Billed,
//!     date: "2026-11-21".parse()?,
//! };
//! let row = book.find(&key)?.row;
//!
//! let items = mediaprep_tokens::parse_request("image 768x512")?;
//! let request = RequestShape::of(&items);
//! let count = row.count_item(&items[0], request, &key.model)?;
//! assert_eq!(count.tokens(), 1080);
//! assert_eq!(count.evidence(), Evidence::Measured);
//!
//! let arithmetic = row.explain(&items[0], request, &key.model)?;
//! assert_eq!(arithmetic[0], "768 × 512: 40 × 27 cells within 1120 = 1,080");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Numbers are data (`data/*.toml`, embedded, read once with the `toml` crate, extended with
//! [`RuleBook::extend`]); formulas are code, in whole numbers only. `strsim` finds the nearest names
//! for an unknown model. The crate does no I/O, reads no clock and keeps no state: the same facts
//! give the same counts on any machine.

mod book;
mod count;
mod count_item;
mod count_time;
mod evidence;
mod explain;
mod facts;
mod formula;
mod geometry;
mod key;
mod known;
mod limits;
mod load;
mod measured;
mod mime;
mod model;
mod no_rule;
mod price;
mod remarks;
mod request;
mod row;
mod sampling;
mod schema;
mod tables;
mod text;

pub use book::{Found, NoRule, RuleBook};
pub use count::{Bound, Evidence, ItemCount, TokenCount};
pub use count_item::{CountError, MAX_FPS};
pub use facts::{
    AudioFacts, Clip, DocumentFacts, ImageFacts, ItemFacts, MediaFacts, PageBox, PageRun,
    RequestedLevel, Route, VideoFacts,
};
pub use formula::time::{FrameRounding, SoundRounding};
pub use formula::{Basis, Formula};
pub use geometry::{TILE_SIDE, TileBox, TileGrid, Tiling, WholePicture};
pub use key::{Date, InvalidDate, Meter, RuleKey, Service, bare_model_name};
pub use known::{AnswerError, Expected, KnownAnswer, parse_request};
pub use limits::{Limit, LimitRow, ServiceLimits, Standing, Way, WayRow};
pub use load::{LoadError, SCHEMA};
pub use measured::{Measured, request_text};
pub use mime::{Alias, Conversion, MimeRow, MimeVerdict};
pub use model::{Model, Stage, Window};
pub use price::{Billing, Cost, Fraction, Price, Usage};
pub use request::{RequestCount, RequestShape, Total};
pub use row::{
    Coverage, Figure, FrameRule, Length, LevelScope, OutputImage, PictureRule, RequestExtra, Row,
    SilentRule, SoundRule, SoundtrackRule, Special, TimestampRule, VideoRule, VideoRules,
};
pub use sampling::{
    KnownSampling, OutOfRange, RealRange, Sampling, SamplingRow, SamplingValues, StopSequences,
    TopK, WholeRange,
};
pub use text::estimate_text;
