//! Memory for drawing.

use crate::pixels::encode::Encoder;
use crate::pixels::resize::Resampler;
use crate::pixels::resize::buffer::trim;

/// Bytes above which a buffer is given back after use.
const KEPT_BYTES: usize = 64 << 20;

/// Buffers and coders that one worker uses again for every view. Starts empty, keeps at most about
/// 128 MiB, and may go from thread to thread.
#[derive(Default)]
pub struct Scratch {
    pub(super) resampler: Resampler,
    pub(super) encoder: Encoder,
    /// Rows that are not in their place yet.
    pub(super) band: Vec<u8>,
}

impl Scratch {
    /// Gives large buffers back.
    pub(super) fn trim(&mut self) {
        self.resampler.trim();
        trim(&mut self.band, KEPT_BYTES);
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("band", &self.band.capacity()).finish_non_exhaustive()
    }
}
