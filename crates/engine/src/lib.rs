//! Probe, plan and budget media for Gemini models: know what a request will cost before it is sent.
//!
//! ```
//! use mediaprep::{Engine, Input, PlanOptions, RuleRequest, RuleSet};
//! use mediaprep::tokens::{Date, RuleBook};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let png = include_bytes!("../../../fixtures/images/screenshot-1080p.png").to_vec();
//! let book = RuleBook::builtin();
//! let rules = RuleSet::find(&book, &RuleRequest::billed("gemini-3.5-flash", "2026-11-21".parse()?))?;
//! let budget = Engine::builder().build()?.budget(
//!     &[Input::bytes("screenshot.png", png)],
//!     &rules,
//!     &PlanOptions::default(),
//! )?;
//! assert_eq!(budget.totals.tokens.image, 1100);
//! # Ok(())
//! # }
//! ```
//!
//! The crate joins the media readers to the rule book and owns threads and memory. It does no
//! network, never prints and keeps no state between calls. The stages are its modules: an input is
//! probed (header only, bounded reads), planned (pure arithmetic), and summed up.
//!
//! The API is synchronous. From asynchronous code call it where blocking is allowed, such as
//! `tokio::task::spawn_blocking`.

mod budget;
mod copies;
mod engine;
mod error;
mod fit;
mod info;
mod input;
mod item_options;
mod observe;
mod options;
mod plan;
#[cfg(feature = "pixels")]
mod prepare;
mod probe;
mod route;
mod rules;
mod run;
mod service;
mod totals;

pub use budget::{Budget, Budgeted};
pub use engine::{Engine, EngineBuilder};
pub use error::{Error, ErrorKind, Stage};
pub use fit::{
    Advice, Failure, Fit, FitItem, FitOptions, GivenUp, Lever, Levers, PathPattern, Weights,
    fit_facts, fit_probed,
};
pub use info::{MediaInfo, VideoLengths};
pub use input::{Broken, FileStamp, Input, KnownFacts};
pub use item_options::{ItemForm, ItemOptions};
pub use mediaprep_audio::{AudioFormat, AudioInfo, AudioProfile};
#[cfg(feature = "pixels")]
pub use mediaprep_image as image;
pub use mediaprep_image::{ImageInfo, JpegCoding, PixelBox, Region, View};
pub use mediaprep_media as media;
pub use mediaprep_parts as parts;
pub use mediaprep_pdf::{DocumentInfo, PageRun, PageSize};
pub use mediaprep_tokens as tokens;
pub use mediaprep_video::{AudioOfVideo, Instants, VideoInfo};
pub use observe::{Observer, Progress, Work};
pub use options::{AudioTrackChoice, PlanOptions, Requests, RouteChoice};
pub use plan::{Charge, Planner};
#[cfg(feature = "pixels")]
pub use prepare::{
    AudioOptions, AudioPlan, Counted, CountedItem, Drawing, Duplicate, Excerpts, Extra, How,
    ImageForm, ImageFormat, ImageOptions, ImagePlan, ItemPlan, ModelEngine, PageSelection,
    PageSpan, PartBytes, PartCounter, PartFacts, Payload, PdfForm, PdfLibrary, PdfOptions, PdfPlan,
    Planned, PlannedItem, PlannedPart, Preparation, PrepareOptions, Prepared, PreparedPart, Ready,
    Reason, RequestItem, RequestParts, Role, Sampling, Sight, SoundPlan, Store, Thumbnail,
    ThumbnailOptions, VideoForm, VideoOptions, VideoPlan,
};
#[cfg(feature = "pages")]
pub use prepare::{Contents, serve_pages};
pub use probe::{Outcome, Probed};
pub use rules::{RuleRequest, RuleSet, SentAs};
pub use totals::{KindTotals, ROUTES, TokenSplit, Totals};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The guide's, too.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide.md")]
struct Guide;
