//! What is too much: checked on header facts, before anything is allocated.

use crate::{Dimensions, Duration};

/// A number was above its stated limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {actual} is above the limit of {limit}")]
pub struct LimitExceeded {
    /// What was measured, with its unit, such as `pixel count` or `duration in seconds`.
    pub what: &'static str,
    /// The largest allowed value.
    pub limit: u64,
    /// The value that was found.
    pub actual: u64,
}

/// Safety limits for untrusted files. They protect this machine; what the service accepts is a
/// separate table in the rule book.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Largest picture, frame or canvas, in pixels.
    pub max_pixels: u64,
    /// Largest picture or frame that is decoded, in pixels: knowing the size of a picture is
    /// cheap, holding it is not.
    pub max_decoded_pixels: u64,
    /// Longest side, in pixels.
    pub max_side: u32,
    /// Longest sound or video, in seconds.
    pub max_seconds: u64,
    /// Most frames that are taken from one video.
    pub max_frames: u64,
    /// Most pages in a document.
    pub max_pages: u64,
    /// Most bytes that a header probe may read from one file.
    pub max_probe_bytes: u64,
    /// Most bytes that one probe may hold at once.
    pub max_probe_memory: u64,
}

impl Default for Limits {
    /// Safe for files from strangers: 64 GiB, 1 gigapixel known and 179 megapixels decoded (half a
    /// gibibyte of RGB, where Pillow draws its line too), a week, a million sampled
    /// frames, 100 000 pages, 256 MiB read and
    /// 64 MiB held by one probe.
    fn default() -> Self {
        Self {
            max_bytes: 64 << 30,
            max_pixels: 1_000_000_000,
            max_decoded_pixels: (1 << 29) / 3,
            max_side: 1_000_000,
            max_seconds: 7 * 24 * 3600,
            max_frames: 1_000_000,
            max_pages: 100_000,
            max_probe_bytes: 256 << 20,
            max_probe_memory: 64 << 20,
        }
    }
}

impl Limits {
    /// No limits at all, for trusted files.
    pub const fn none() -> Self {
        Self {
            max_bytes: u64::MAX,
            max_pixels: u64::MAX,
            max_decoded_pixels: u64::MAX,
            max_side: u32::MAX,
            max_seconds: u64::MAX,
            max_frames: u64::MAX,
            max_pages: u64::MAX,
            max_probe_bytes: u64::MAX,
            max_probe_memory: u64::MAX,
        }
    }

    /// Refuses a file that is too long.
    pub const fn check_bytes(&self, actual: u64) -> Result<(), LimitExceeded> {
        within("file size in bytes", self.max_bytes, actual)
    }

    /// Refuses a picture with too many pixels or too long a side.
    pub fn check_dimensions(&self, size: Dimensions) -> Result<(), LimitExceeded> {
        let side = size.width().max(size.height());
        within("side in pixels", u64::from(self.max_side), u64::from(side))?;
        within("pixel count", self.max_pixels, size.pixels())
    }

    /// Refuses a picture that is too large to be decoded.
    pub fn check_decoded(&self, size: Dimensions) -> Result<(), LimitExceeded> {
        self.check_dimensions(size)?;
        within("decoded pixel count", self.max_decoded_pixels, size.pixels())
    }

    /// Refuses a sound or video that lasts too long.
    pub fn check_duration(&self, length: Duration) -> Result<(), LimitExceeded> {
        within("duration in seconds", self.max_seconds, length.whole_seconds())
    }

    /// Refuses to take too many frames from a video.
    pub const fn check_frames(&self, actual: u64) -> Result<(), LimitExceeded> {
        within("number of sampled frames", self.max_frames, actual)
    }

    /// Refuses a document with too many pages.
    pub const fn check_pages(&self, actual: u64) -> Result<(), LimitExceeded> {
        within("page count", self.max_pages, actual)
    }
}

const fn within(what: &'static str, limit: u64, actual: u64) -> Result<(), LimitExceeded> {
    if actual > limit { Err(LimitExceeded { what, limit, actual }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed() {
        let limits = Limits { max_pages: 3, ..Limits::default() };
        assert_eq!(limits.check_pages(3), Ok(()));
        let refused = limits.check_pages(4).unwrap_err();
        assert_eq!(refused.to_string(), "page count of 4 is above the limit of 3");
    }

    #[test]
    fn a_side_is_checked_before_the_product() {
        let long = Dimensions::new(1_000_001, 1).unwrap();
        assert_eq!(Limits::default().check_dimensions(long).unwrap_err().what, "side in pixels");
        assert_eq!(Limits::none().check_dimensions(long), Ok(()));
    }
}
