//! From bytes to pixels and back: decoding, turning, resizing, cutting, encoding.

mod decode;
mod encode;
mod lossless;
mod orient;
mod planes;
mod render;
mod resize;

pub use decode::{DecodeOptions, Picture, decode, decode_peak_bytes};
pub use encode::{Chroma, Encoding, OutputFormat, encode};
pub use lossless::{can_turn_losslessly, turn_losslessly};
pub use orient::orient;
pub use render::{RenderOptions, Scratch, render_peak_bytes};
pub use resize::Filter;
