//! How much memory drawing takes.

use super::super::encode::Encoding;
use crate::{ImageInfo, View};

/// The most bytes that rendering one view of a decoded picture holds at once beside the picture,
/// the encoded result included.
pub fn render_peak_bytes(info: &ImageInfo, view: &View, encoding: &Encoding) -> u64 {
    let _ = (info, encoding);
    view.size.pixels() * 5
}
