//! Memory for drawing.

use std::io;

use mediaprep_media::Error;

use crate::pixels::encode::Encoder;
use crate::pixels::resize::Resampler;

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
        if self.band.capacity() > KEPT_BYTES {
            self.band = Vec::new();
        }
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("band", &self.band.capacity()).finish_non_exhaustive()
    }
}

/// So many bytes, all 0; an error instead of an abort when there are not as many.
pub(super) fn zeroed(bytes: u64) -> Result<Vec<u8>, Error> {
    let mut buffer = Vec::new();
    grow(&mut buffer, bytes)?;
    Ok(buffer)
}

/// Makes a buffer exactly so long. What is new in it is 0, the rest as it was.
pub(super) fn grow(buffer: &mut Vec<u8>, bytes: u64) -> Result<(), Error> {
    let out_of_memory = || Error::Io(io::ErrorKind::OutOfMemory.into());
    let bytes = usize::try_from(bytes).map_err(|_| out_of_memory())?;
    let missing = bytes.saturating_sub(buffer.len());
    buffer.try_reserve_exact(missing).map_err(|_| out_of_memory())?;
    buffer.resize(bytes, 0);
    Ok(())
}
