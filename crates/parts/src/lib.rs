//! The shapes of requests and answers, how many bytes a request takes on the wire, and its body as
//! a stream.
//!
//! Requests are closed types, written in the service's canonical protojson: field names in
//! lowerCamelCase, bytes in standard padded base64, whole numbers without `.0`, nothing empty. They
//! are read in whatever protojson takes, but nothing unknown is. Answers are open types: every
//! field can be missing, unknown names are kept and unknown fields do no harm.
//!
//! A [`GenerateRequest`] becomes a [`Body`], whose [`Data`] is encoded while it is read, from memory
//! or from a [`DataSource`]: 90 MB inline take under 4 MiB. Base64 comes from `base64-simd`, which
//! encodes about four times as fast as the `base64` crate.
//!
//! The service's size limits are on the *encoded* request, so the sizes are exact and computable
//! from lengths alone:
//!
//! ```
//! use mediaprep_parts::{Part, RequestLength, inline_data_length};
//!
//! let picture = Part::inline("image/png", vec![0; 1000]);
//! let mut length = RequestLength::new();
//! length.add(inline_data_length("image/png", 1000));
//! length.add(Part::text("What is this?").encoded_length());
//! let body = serde_json::json!({
//!     "contents": [{"role": "user", "parts": [picture, Part::text("What is this?")]}],
//! });
//! assert_eq!(length.bytes(), body.to_string().len() as u64);
//! ```

mod answer;
mod batch;
mod body;
mod boxes;
mod cache;
mod chat;
mod config;
mod content;
mod count;
mod data;
mod length;
mod part;
mod protojson;
mod read;
mod request;
mod safety;
mod shape;
mod usage;
mod vocabulary;
mod writer;

pub use answer::{
    AnswerContent, AnswerPart, BlockReason, Candidate, FinishReason, GenerateResponse,
    HarmProbability, HarmSeverity, PromptFeedback, SafetyRating,
};
pub use batch::{ApiStatus, BatchInput, BatchLine, BatchPredictionJob, BatchRequest, BatchResult};
pub use body::{Body, BodyReader};
pub use boxes::{AnswerBox, answer_boxes};
pub use cache::{CacheExpiry, CacheRequest};
pub use chat::{ChatChoice, ChatMessage, ChatResponse, ChatUsage, NotExpressible};
pub use config::{
    GenerationConfig, InvalidConfig, ResponseModality, ThinkingConfig, ThinkingLevel,
};
pub use content::{Content, Role};
pub use count::CountShape;
pub use data::{Data, DataSource, LengthMismatch};
pub use length::{RequestLength, base64_length, inline_data_length};
pub use part::{Blob, ContentLayer, FileData, Part, PartData, VideoMetadata};
pub use protojson::{duration_text, parse_duration};
pub use request::{GenerateRequest, ServiceTier};
pub use safety::{HarmBlockMethod, HarmBlockThreshold, HarmCategory, SafetySetting};
pub use usage::{ApiModality, CountResponse, ModalityCount, UsageMetadata};
pub use writer::BodyWriter;
