//! From container bytes to tracks and their times.
//!
//! [`probe`] reads what a video or sound container says about itself: how long it is shown, which
//! tracks it has, how large, how fast and how turned their pictures are, and how much sound is
//! left once encoder delay and padding are dropped. Reads are bounded: media data is stepped over,
//! nothing is decoded, no table is held in memory, and every time is an exact fraction.
//!
//! ```
//! use std::io::Cursor;
//! use mediaprep_container::{TrackKind, probe};
//! use mediaprep_media::{Duration, Limits, MimeType};
//!
//! let file = include_bytes!("../../../fixtures/video/cut-by-copy.mp4");
//! let found = probe(&mut Cursor::new(file), MimeType::Mp4, &Limits::default())?.value;
//! let track = &found.tracks[0];
//! // Two seconds are stored, and the edit list shows one and a half of them.
//! assert_eq!(track.span, Some(Duration::from_seconds(2)));
//! assert_eq!(track.presented.map(|shown| shown.value), Duration::new(3, 2));
//! let TrackKind::Video(video) = &track.kind else { panic!("no video") };
//! assert_eq!(video.frames, Some(15));
//! # Ok::<(), mediaprep_container::Error>(())
//! ```
//!
//! # Which reader is used where
//!
//! - **MP4, QuickTime, 3GP, M4A**: an own reader over [`mediaprep_media::bmff`]. On the 81 such
//!   files of the test media it reads 0.5 MB of 23.8 MB. Tried beside it: `mp4parse` 0.17 reads
//!   nearly all of them through (23.7 MB, since it takes a stream that cannot seek), keeps one
//!   edit of a list and counts no fragment. `re_mp4` 0.5 reads 1.8 MB, but applies no edit list to
//!   its lengths (7.17 s for a clip that shows 2.75 s) and no matrix to its sizes, gives
//!   4294967295 ticks for a fragmented file of unknown length, and refuses a QuickTime file
//!   without `ftyp`. `symphonia` 0.6 reads 5.5 MB, applies no edit list, gives `u64::MAX` for the
//!   fragmented file, no frame count and no matrix, and refuses two good files. FFmpeg 5.1 gives
//!   143165 s for the fragmented file (it shows 1.07 s), and looks at packets while it probes.
//! - **Matroska, WebM**: an own reader. `matroska` 0.30 reads headers alone, within 8 KB, and
//!   reads 10 of the 11 test files (it refuses one that is cut), but has no length for a live
//!   file, no codec delay, no projection, no encryption and no frame count; `symphonia` 0.6 gives
//!   no length before packets are read.
//! - **AVI, FLV, MPEG program, transport and elementary streams, ASF**: FFmpeg through
//!   `ffmpeg-next`, with the cargo feature `ffmpeg`; without it they are [`Error::Backend`].
//!   FFmpeg reads through our source only, opens nothing else, and is held to one demuxer by the
//!   sniffed type. Files up to 4 MiB have their packets counted, since MPEG elementary
//!   streams state no length and FFmpeg guesses the rate of FLV and ASF from their clocks.
//!
//! # Choices
//!
//! - [`ContainerInfo::duration`] is what the container states, even where the tracks end earlier.
//!   For fragmented files it is the end of the longest track, worked out from every fragment.
//! - An edit is rounded to the clock of its media, as FFmpeg does, and lasts no longer than the
//!   media. Frames that no edit shows are not in [`VideoTrack::frames`]; they are in
//!   [`Track::span`] and in the average rate, which both describe what is stored.
//! - Empty edits at the start are [`Track::delay`], not part of [`Track::presented`].
//! - Frames that an edit list hides in fragmented files are not taken off the count.
//! - A file that is cut behind its index is read, with a warning.
//! - A probe holds at most a few 64 KiB pieces and the edit lists, whatever the file claims, so
//!   [`Limits::max_probe_memory`] is kept without being asked; what FFmpeg holds is bounded by the
//!   bytes it is given.

#[cfg(feature = "ffmpeg")]
pub mod ffmpeg;
mod info;
mod isobmff;
mod matroska;
mod time;
mod window;

pub use info::{AudioTrack, ContainerInfo, PixelAspect, Track, TrackKind, VideoTrack};
pub use mediaprep_media::Error;

use mediaprep_media::{Limits, MimeType, Source, Warned};

/// Reads what a container says about itself and its tracks. `mime` is what
/// [`mediaprep_media::sniff`] says about the first bytes.
///
/// # Errors
///
/// [`Error::Malformed`] where the file has no usable index or no track with a sample,
/// [`Error::Unsupported`] for formats that are no such container, [`Error::Backend`] for those that
/// need the feature `ffmpeg` in a build without it, [`Error::Limit`] where the source or the file is
/// above a limit, and [`Error::Io`] where the source cannot be read.
pub fn probe(
    source: &mut dyn Source,
    mime: MimeType,
    limits: &Limits,
) -> Result<Warned<ContainerInfo>, Error> {
    let found = match mime {
        MimeType::Mp4
        | MimeType::QuickTime
        | MimeType::ThreeGpp
        | MimeType::M4a
        | MimeType::ThreeGppAudio => isobmff::probe(source)?,
        MimeType::Webm | MimeType::Matroska | MimeType::WebmAudio | MimeType::MatroskaAudio => {
            matroska::probe(source)?
        }
        _ => through_ffmpeg(source, mime, limits)?,
    };
    check(&found.value, limits)?;
    Ok(found)
}

#[cfg(feature = "ffmpeg")]
fn through_ffmpeg(
    source: &mut dyn Source,
    mime: MimeType,
    limits: &Limits,
) -> Result<Warned<ContainerInfo>, Error> {
    ffmpeg::probe(source, mime, limits)
}

#[cfg(not(feature = "ffmpeg"))]
fn through_ffmpeg(
    _: &mut dyn Source,
    mime: MimeType,
    _: &Limits,
) -> Result<Warned<ContainerInfo>, Error> {
    match mime {
        MimeType::Avi
        | MimeType::Flv
        | MimeType::Mpeg
        | MimeType::MpegTs
        | MimeType::Wmv
        | MimeType::Wma => Err(Error::Backend { backend: "FFmpeg (feature `ffmpeg`)" }),
        _ => Err(Error::Unsupported("a container of this type")),
    }
}

/// Refuses what is too long or too large.
fn check(info: &ContainerInfo, limits: &Limits) -> Result<(), Error> {
    let lengths = info.tracks.iter().filter_map(|track| track.presented);
    for length in lengths.chain(info.duration) {
        limits.check_duration(length.value)?;
    }
    for (_, video) in info.video_tracks() {
        limits.check_dimensions(video.stored)?;
    }
    Ok(())
}
