//! The unsafe part of reading through FFmpeg, kept as small as it can be: lending a source to
//! callbacks that want to own theirs, and reading four plain fields that have no safe accessor.
#![expect(
    unsafe_code,
    reason = "the bindings own their stream for 'static and hide the fields of stream parameters"
)]

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use ffmpeg_next::codec::Parameters;
use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::format::input_from_stream_with_interrupt;
use ffmpeg_next::{Dictionary, Error};
use mediaprep_media::Source;

/// Bytes that FFmpeg asks for at once.
const BUFFER: usize = 16 * 1024;

/// What FFmpeg may still do, and what went wrong below it.
#[derive(Debug)]
pub(super) struct Budget {
    /// Bytes that may still be read; then the source seems to end.
    pub(super) bytes: u64,
    /// Reads, seeks and polls that may still happen; then everything is interrupted.
    pub(super) calls: u64,
    /// The first error of the source itself.
    pub(super) error: Option<io::Error>,
}

impl Budget {
    /// Takes one call; `false` when none is left.
    fn call(&mut self) -> bool {
        self.calls = self.calls.saturating_sub(1);
        self.calls > 0
    }
}

/// A budget that callbacks and their caller share.
pub(super) type Shared = Arc<Mutex<Budget>>;

/// Runs `f` on `shared`, whatever became of another holder.
pub(super) fn with_budget<T>(shared: &Shared, f: impl FnOnce(&mut Budget) -> T) -> T {
    f(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A source whose lifetime was extended; see [`with_input`].
struct Lent {
    source: &'static mut dyn Source,
    budget: Shared,
}

impl Read for Lent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = with_budget(&self.budget, |budget| {
            let left = usize::try_from(budget.bytes).unwrap_or(usize::MAX);
            if budget.call() { left.min(buffer.len()) } else { 0 }
        });
        if allowed == 0 {
            return Ok(0);
        }
        match self.source.read(&mut buffer[..allowed]) {
            Ok(count) => {
                with_budget(&self.budget, |b| b.bytes = b.bytes.saturating_sub(count as u64));
                Ok(count)
            }
            Err(error) => Err(self.keep(error)),
        }
    }
}

impl Seek for Lent {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if !with_budget(&self.budget, Budget::call) {
            return Err(io::Error::other("no calls left"));
        }
        self.source.seek(to).map_err(|error| self.keep(error))
    }
}

impl Lent {
    /// Keeps the error for the caller, since FFmpeg passes on only a number.
    fn keep(&self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        let copy = io::Error::from(error.kind());
        with_budget(&self.budget, |budget| budget.error.get_or_insert(error).kind());
        copy
    }
}

/// Opens `source` with FFmpeg and gives the opened file to `read`.
///
/// The result must be plain data: nothing that FFmpeg owns may leave `read`.
pub(super) fn with_input<T: 'static>(
    source: &mut dyn Source,
    budget: &Shared,
    options: Dictionary<'_>,
    read: impl FnOnce(&mut Input) -> T,
) -> Result<T, Error> {
    // SAFETY: only the lifetime changes. The reference moves into `Lent`, which moves into
    // `stream`, which moves into `input`; a failure to open drops it. `input` is a local of this
    // function and is dropped before it returns or unwinds, after which no callback can run. `read`
    // sees `input` only by a reference that its result cannot hold, since `T` is 'static; the
    // parameters that keep the stream alive are used and dropped within this module's parent.
    let source = unsafe { std::mem::transmute::<&mut dyn Source, &'static mut dyn Source>(source) };
    let lent = Lent { source, budget: Arc::clone(budget) };
    let stream = StreamIo::from_read_seek_with_capacity(lent, BUFFER)?;
    let polled = Arc::clone(budget);
    let interrupt = move || !with_budget(&polled, Budget::call);
    let mut input = input_from_stream_with_interrupt(stream, None, Some(options), interrupt)?;
    Ok(read(&mut input))
}

/// The fields of a stream's parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) width: i32,
    pub(super) height: i32,
    /// Width to height of a pixel.
    pub(super) pixel_aspect: (i32, i32),
    pub(super) sample_rate: i32,
    pub(super) channels: i32,
}

impl Fields {
    pub(super) fn of(parameters: &Parameters) -> Self {
        // SAFETY: the pointer is that of a live `Parameters`, which FFmpeg has filled; the fields
        // are plain integers that are copied out.
        let raw = unsafe { &*parameters.as_ptr() };
        Self {
            width: raw.width,
            height: raw.height,
            pixel_aspect: (raw.sample_aspect_ratio.num, raw.sample_aspect_ratio.den),
            sample_rate: raw.sample_rate,
            channels: raw.ch_layout.nb_channels,
        }
    }
}
