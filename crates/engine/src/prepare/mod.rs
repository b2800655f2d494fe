//! From a plan to what is sent: bytes passed on, turned without loss, or decoded, resized, cut and
//! encoded again.
//!
//! [`crate::Engine::plan`] decides from headers alone; [`crate::Engine::prepare_each`] carries the
//! decision out and nothing else.

mod carry;
mod count;
mod image_plan;
mod memory;
mod options;
mod payload;
mod peak;
mod planned;
mod sums;

pub use carry::{PartBytes, Prepared, PreparedPart, Store};
pub use count::{Counted, CountedItem};
pub use image_plan::{How, ImagePlan, PlannedPart, Reason, Role};
pub use options::{ImageForm, ImageFormat, ImageOptions, PrepareOptions};
pub use payload::Payload;
pub use planned::{ItemPlan, Planned, PlannedItem, Preparation};
