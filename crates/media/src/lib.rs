//! The shared words of mediaprep.
//!
//! Every other crate speaks in these types: what kind of medium a file is ([`Modality`],
//! [`MimeType`], [`sniff`]), how large it is ([`Dimensions`], [`Orientation`]), how long it lasts
//! ([`Duration`], [`FrameRate`]), what is too much ([`Limits`]), and what went wrong ([`Error`],
//! [`Warning`]). Nothing here knows a model or decodes a pixel.
//!
//! ```
//! use mediaprep_media::{Dimensions, MimeType, Orientation, sniff};
//!
//! assert_eq!(sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some(MimeType::Png));
//! let stored = Dimensions::new(4032, 3024).unwrap();
//! assert_eq!(stored.oriented(Orientation::Rotate90), Dimensions::new(3024, 4032).unwrap());
//! ```

pub mod bmff;
mod error;
mod geometry;
mod limits;
mod mime;
mod modality;
mod raster;
mod sniff;
mod source;
mod time;
mod warning;
mod watch;
mod window;

pub use error::Error;
pub use geometry::{Dimensions, Orientation};
pub use limits::{LimitExceeded, Limits};
pub use mime::MimeType;
pub use modality::{MediaResolution, Modality};
pub use raster::{PixelFormat, Raster};
pub use sniff::{SNIFF_LENGTH, sniff, sniff_by_name};
pub use source::{MeteredSource, Source, read_exact_at, read_up_to};
pub use time::{Duration, FrameRate};
pub use warning::{Provenance, Sourced, Warned, Warning, WarningCode};
pub use watch::Watch;
pub use window::{ReadAhead, Window};
