//! From a plan to what is sent: bytes passed on, turned without loss, or decoded, resized, cut and
//! encoded again; videos in frames or as proxies, sounds as mono, PDFs as pages or smaller PDFs.
//!
//! [`crate::Engine::plan`] decides from headers alone; [`crate::Engine::prepare_each`] carries the
//! decision out and nothing else.

mod carry;
mod count;
mod decide;
mod duplicates;
mod fitted;
#[cfg(feature = "ffmpeg")]
mod frames;
mod image_plan;
mod keep;
mod memory;
mod model_engine;
mod near;
mod options;
mod part_options;
mod payload;
mod pdf;
mod peak;
mod planned;
#[cfg(feature = "ffmpeg")]
mod proxy;
mod requests;
mod role;
mod similar;
mod sound;
mod sound_plan;
mod sums;
mod thumbnail;
mod time;
mod video_plan;

pub use carry::{Extra, PartBytes, Prepared, PreparedPart, Store};
pub use count::{Counted, CountedItem, PartCounter, PartFacts};
pub use duplicates::Duplicate;
pub use image_plan::{ImagePlan, PlannedPart};
pub use model_engine::{ModelEngine, Ready};
pub use options::{
    AudioOptions, ImageForm, ImageFormat, ImageOptions, PrepareOptions, VideoForm, VideoOptions,
};
pub use payload::Payload;
#[cfg(feature = "pages")]
pub use pdf::{Contents, serve_pages};
pub use pdf::{
    Drawing, Excerpts, PageSelection, PageSpan, PdfForm, PdfLibrary, PdfOptions, PdfPlan,
};
pub use planned::{ItemPlan, Planned, PlannedItem, Preparation};
pub use requests::{RequestItem, RequestParts};
pub use role::{How, Reason, Role};
pub use sound_plan::{AudioPlan, SoundPlan};
pub use thumbnail::{Sight, Thumbnail, ThumbnailOptions};
pub use video_plan::{Sampling, VideoPlan};
