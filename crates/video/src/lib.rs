//! From a video's container to the facts of its video, to the frames that a sampling rate shows.
//!
//! [`VideoInfo::select`] picks what a player would show: the first video track that is switched on,
//! has frames and is no cover, and the first sound track beside it. No byte is read and nothing is
//! decoded there; the tracks come from `mediaprep-container`.
//!
//! ```
//! use std::io::Cursor;
//! use mediaprep_container::probe;
//! use mediaprep_media::{Limits, MimeType};
//! use mediaprep_video::VideoInfo;
//!
//! let file = include_bytes!("../../../fixtures/video/h264-aac-faststart.mp4");
//! let found = probe(&mut Cursor::new(file), MimeType::Mp4, &Limits::default())?;
//! let video = VideoInfo::select(&found.value).unwrap();
//! assert_eq!((video.size.width(), video.size.height()), (160, 90));
//! assert!(video.audio.is_some());
//! # Ok::<(), mediaprep_media::Error>(())
//! ```
//!
//! # Choices
//!
//! - **Two video tracks**: the first in the file's order, whatever their sizes. FFmpeg takes the
//!   larger one; players differ; the first is what the file's author put first.
//! - **Switched off**: a disabled track is taken only when every video track is disabled, since
//!   some writers leave the flag clear on all tracks.
//! - **Empty track**: a track without a single frame is passed over. A track whose number of frames
//!   is unknown counts as filled.
//! - **Covers** and chapter pictures are no video: a song with a cover is sound.
//! - **No length**: a track whose length nothing states has `track: None`; [`VideoInfo::length`]
//!   falls back from track to container to frames.
//! - **Sound** is the first sound track with samples, switched-on ones first.
//!
//! # Frames
//!
//! [`Instants`] says at which times a video is looked at: pure integer arithmetic that never
//! drifts. With the feature `ffmpeg`, `frames::Plan::read` reads the packets once, without
//! decoding, and finds the frame that a player shows at each instant; `frames::decode` decodes no
//! more than those frames need, and gives the same pixels as a full decode.

#[cfg(feature = "ffmpeg")]
pub mod frames;
mod info;
mod instants;

pub use info::{AudioOfVideo, VideoInfo};
pub use instants::Instants;
pub use mediaprep_container::PixelAspect;
pub use mediaprep_media::Error;
