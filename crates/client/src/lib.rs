//! Where requests go: hosts, paths and authentication of the Gemini services.
//!
//! This is the address book that sending builds on; it opens no connection. A key or token is held
//! as a [`Secret`] and travels in a header, never in a URL, since URLs end up in logs and error
//! texts.
//!
//! ```
//! use mediaprep_client::{Endpoint, Method, Secret};
//!
//! let endpoint = Endpoint::developer_api(Secret::new("my-key"));
//! let line = endpoint.request_line(Method::CountTokens, "models/gemini-3.5-flash")?;
//! assert_eq!(line.verb, "POST");
//! assert_eq!(
//!     line.url,
//!     "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.5-flash:countTokens",
//! );
//! assert_eq!(endpoint.auth_header().0, "x-goog-api-key");
//! # Ok::<(), mediaprep_client::InvalidName>(())
//! ```

mod endpoint;
mod secret;

pub use endpoint::{Endpoint, InvalidName, Method, RequestLine};
pub use secret::Secret;
