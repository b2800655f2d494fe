//! From packets to the frames that are seen.
//!
//! [`Plan::read`] reads every packet's times once, decoding nothing, and finds the frame that is
//! shown at each of the [`Instants`](crate::Instants); [`decode`] gives those frames.
//!
//! # What is decoded
//!
//! - From the keyframe that a wanted frame stands on up to that frame. Between the last wanted
//!   frame of one group of pictures and the next wanted keyframe nothing is decoded: the packets
//!   are dropped, or jumped over where the container has an index and the gap is wide.
//! - Of the frames between, those that no other frame refers to are dropped, one packet at a time:
//!   the decoder is told before each packet whether its frame is wanted, so that a wanted B-frame is
//!   exact. One decoder thread is used, since FFmpeg takes in packets ahead with several, and one
//!   costs the least work.
//! - A wanted frame that does not come out this way (periodic intra refresh, damage) is looked for
//!   once more by decoding from the start without leaving anything out. Files whose packets have no
//!   presentation times are decoded that way at once.
//!
//! Codecs without droppable frames in FFmpeg (VP9, AV1) are decoded through from the keyframe.
//!
//! # Clock
//!
//! 0 is the start of the container: the earlier of the first shown frame and the first sound. Frames
//! that an edit list hides are decoded where others need them, and never shown. Interlaced frames
//! stay woven, as they are stored.
//!
//! # Colour
//!
//! Matrix and range are the stream's; where it states none, BT.709 from 720 lines on and BT.601
//! below, limited range. PQ and HLG are brought to SDR: light up to 60 % of reference white (203
//! cd/m², ITU-R BT.2408) is kept as it is, brighter light approaches white along a hyperbola, the
//! largest channel deciding so that hues stay; BT.2020 colours outside BT.709 are clipped.

mod convert;
mod entry;
mod plan;
mod proxy;
mod raw;
mod run;
#[cfg(test)]
mod tests;
mod tone;
mod walk;
mod weights;

pub use plan::{Plan, PlanOptions};
pub use proxy::{ProxyOptions, ProxySound, Sink, Turn, write_proxy};
pub use run::{DecodeOptions, Frame, decode};
