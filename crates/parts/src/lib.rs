//! The shapes that a generateContent request is made of, and how many bytes they take on the wire.
//!
//! The shapes follow the service's protojson: field names in lowerCamelCase, bytes in standard
//! padded base64, whole numbers without `.0`. Base64 comes from `base64-simd`, which encodes about
//! four times as fast as the `base64` crate; nothing is encoded before it is written.
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
