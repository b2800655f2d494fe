//! The unsafe part of decoding, kept as small as it can be: the calls and fields that the bindings
//! leave out.
#![expect(unsafe_code, reason = "the bindings have no safe form of these")]

use ffmpeg_next::ffi;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::packet::{Packet, Ref};
use ffmpeg_next::software::scaling;

/// Jumps to the keyframe of stream `stream` at or before `timestamp`, in the stream's own ticks.
/// Whether the demuxer could.
pub(super) fn seek(input: &mut Input, stream: usize, timestamp: i64) -> bool {
    let Ok(stream) = i32::try_from(stream) else { return false };
    // SAFETY: the context is alive and exclusively borrowed; FFmpeg checks the stream number and
    // takes any timestamp.
    let result = unsafe {
        ffi::av_seek_frame(input.as_mut_ptr(), stream, timestamp, ffi::AVSEEK_FLAG_BACKWARD)
    };
    result >= 0
}

/// Has the demuxer pass over every stream but `kept`, so that it need not read their data.
pub(super) fn discard_others(input: &mut Input, kept: usize) {
    // SAFETY: the context is alive and exclusively borrowed, `streams` holds `nb_streams` valid
    // pointers, and `discard` is the caller's to set at any time.
    unsafe {
        let context = input.as_mut_ptr();
        for at in 0..(*context).nb_streams as usize {
            let stream = *(*context).streams.add(at);
            (*stream).discard = if at == kept {
                ffi::AVDiscard::AVDISCARD_DEFAULT
            } else {
                ffi::AVDiscard::AVDISCARD_ALL
            };
        }
    }
}

/// Whether a packet's frame is decoded for others' sake only, since an edit list hides it.
pub(super) fn is_hidden(packet: &Packet) -> bool {
    // SAFETY: the packet is alive, and the flags are a plain integer.
    let flags = unsafe { (*packet.as_ptr()).flags };
    flags & ffi::AV_PKT_FLAG_DISCARD != 0
}

/// How the numbers of a picture stand for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    /// One of FFmpeg's `SWS_CS_` numbers.
    pub(super) matrix: i32,
    /// Whether luma takes all of 0 to 255.
    pub(super) full_range: bool,
}

/// Tells a scaler that makes YUV of RGB to make BT.709 of limited range, as our proxies are marked.
pub(super) fn set_output_coding(scaler: &mut scaling::Context) {
    const ONE: i32 = 1 << 16;
    // SAFETY: as in `set_coding`.
    unsafe {
        let table = ffi::sws_getCoefficients(ffi::SWS_CS_ITU709);
        ffi::sws_setColorspaceDetails(scaler.as_mut_ptr(), table, 1, table, 0, 0, ONE, ONE);
    }
}

/// Samples a second of a sound stream, 0 when that is unknown.
pub(super) fn sample_rate(input: &Input, stream: usize) -> u32 {
    let Some(stream) = input.stream(stream) else { return 0 };
    let parameters = stream.parameters();
    // SAFETY: the parameters are alive, and the rate is a plain integer.
    let rate = unsafe { (*parameters.as_ptr()).sample_rate };
    u32::try_from(rate).unwrap_or(0)
}

/// Tells a scaler how its input is coded, and whether its output takes the full range.
pub(super) fn set_coding(scaler: &mut scaling::Context, coding: Coding, full_output: bool) {
    const ONE: i32 = 1 << 16;
    // SAFETY: the context is alive and exclusively borrowed; `sws_getCoefficients` returns a
    // pointer to one of its static tables for any number, and both calls only copy from it.
    unsafe {
        let table = ffi::sws_getCoefficients(coding.matrix);
        let (range, full) = (i32::from(coding.full_range), i32::from(full_output));
        ffi::sws_setColorspaceDetails(scaler.as_mut_ptr(), table, range, table, full, 0, ONE, ONE);
    }
}
