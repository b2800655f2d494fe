//! Sends requests and files to the Gemini services, and survives what the network does.
//!
//! A thin client: no prompts, no history, no opinion of what is asked. What it takes care of is
//! what goes wrong:
//!
//! - **Bodies are streamed**: base64 is made while it is sent, its length known before, so that a
//!   request of any size takes a few megabytes of memory.
//! - **Uploads go on where they stopped**, in the same process or a later one, by what the service
//!   says it has; length and hash are checked; bytes that are there already are used again
//!   ([`UploadCache`]).
//! - **Retries** take the delay that the service asks for, know a quota of a day from one of a
//!   minute, end at a deadline, and never repeat a stream that has begun ([`RetryPolicy`]).
//! - **Success is told apart** from blocked prompts, stopped candidates, empty answers and streams
//!   that end without saying so ([`Outcome`]).
//! - **Secrets** travel in headers. No `Debug`, error or address holds a key, a token or the
//!   address of an upload.
//!
//! ```no_run
//! use mediaprep_client::{Client, Secret};
//! use mediaprep_parts::{GenerateRequest, Part};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::developer_api(Secret::new(std::env::var("GEMINI_API_KEY")?)).build()?;
//! let picture = Part::inline("image/jpeg", std::fs::read("cat.jpg")?);
//! let request = GenerateRequest::user(vec![picture, Part::text("What is this?")]);
//! let answer = client.generate("gemini-3.5-flash", &request).await?;
//! println!("{}", answer.outcome.text());
//! # Ok(())
//! # }
//! ```
//!
//! [`blocking::Client`] does the same without asynchrony. HTTP is `reqwest`, since it streams
//! bodies in both directions in flat memory and is what most of the ecosystem uses and mends; its
//! TLS is rustls with ring. Application-default credentials come from `gcp_auth`, which knows every
//! place where Google's own libraries look and shares that HTTP stack.

mod api_error;
mod auth;
mod batch;
mod cached;
mod chat;
mod client;
mod delivery;
mod endpoint;
mod error;
mod events;
mod files;
mod generate;
mod http;
mod numbers;
mod outcome;
mod race;
mod retry;
mod reuse;
mod secret;
#[cfg(test)]
mod testing;
mod transport;

pub mod blocking;

pub use api_error::{ApiError, Quota};
pub use auth::{TokenProvider, TokenSource};
pub use batch::{BatchJob, BatchState};
pub use cached::CachedContent;
pub use client::{Client, ClientBuilder, UploadAddress};
pub use delivery::{Delivery, DeliveryEvent, Pending, Uploaded};
pub use endpoint::{Endpoint, InvalidName, Method, Mode, RequestLine};
pub use error::{Class, Error};
pub use files::{
    BytesSource, Cancel, File, FileError, FileList, FileSource, FileState, Files, LARGEST_FILE,
    Progress, ReadSeek, UploadOptions, UploadSource,
};
pub use generate::{AnswerStream, Model};
pub use http::{Http, Timeouts};
pub use outcome::{Generated, Outcome};
pub use retry::RetryPolicy;
pub use reuse::{KnownUpload, UploadCache, UploadKey};
pub use secret::Secret;
pub use transport::{
    BoxFuture, ChunkSource, Clock, Payload, Request, Response, ResponseBody, SystemClock,
    Transport, TransportError,
};
