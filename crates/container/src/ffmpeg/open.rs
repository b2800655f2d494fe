//! Opening a file for its packets: what the decoders of video and sound stand on.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::format::input_from_stream_with_interrupt;
use ffmpeg_next::{Dictionary, log};
use mediaprep_media::{Error, MimeType, Source, Watch};

/// Bytes that FFmpeg asks for at once.
const BUFFER: usize = 64 * 1024;
/// Bytes that FFmpeg may look at before it must know every stream.
const PROBE_SIZE: u64 = 5 << 20;

/// The demuxers that may open a type.
const fn demuxers(mime: MimeType) -> Option<(&'static str, &'static str)> {
    Some(match mime {
        MimeType::Mp4 | MimeType::M4a => ("mov", "MP4 file"),
        MimeType::QuickTime => ("mov", "QuickTime file"),
        MimeType::ThreeGpp | MimeType::ThreeGppAudio => ("mov", "3GP file"),
        MimeType::Webm | MimeType::WebmAudio => ("matroska", "WebM file"),
        MimeType::Matroska | MimeType::MatroskaAudio => ("matroska", "Matroska file"),
        MimeType::Avi => ("avi", "AVI file"),
        MimeType::Flv => ("flv", "FLV file"),
        MimeType::Mpeg => ("mpeg,mpegvideo", "MPEG stream"),
        MimeType::MpegTs => ("mpegts", "MPEG transport stream"),
        MimeType::Wmv | MimeType::Wma => ("asf", "ASF file"),
        MimeType::Wav => ("wav,w64", "WAV file"),
        MimeType::Aiff => ("aiff", "AIFF file"),
        MimeType::Amr => ("amr,amrnb,amrwb", "AMR file"),
        MimeType::Caf => ("caf", "CAF file"),
        MimeType::Flac => ("flac", "FLAC file"),
        MimeType::Ogg | MimeType::Opus => ("ogg", "Ogg file"),
        MimeType::Mp3 => ("mp3", "MPEG audio"),
        MimeType::Aac => ("aac", "ADTS stream"),
        _ => return None,
    })
}

/// The format's usual name, for messages.
pub const fn format_name(mime: MimeType) -> &'static str {
    match demuxers(mime) {
        Some((_, name)) => name,
        None => "file",
    }
}

/// A file that FFmpeg has opened.
///
/// FFmpeg sees nothing but bytes of the source that was given: only the demuxers that the sniffed
/// type names may open it, no protocol is allowed (so a crafted file or playlist reaches neither
/// the network nor another file), and its log is silent.
pub struct Opened {
    input: Input,
    fault: Fault,
    watch: Watch,
    format: &'static str,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Opened {
    /// The file.
    pub const fn input(&self) -> &Input {
        &self.input
    }

    /// The file, to read packets from.
    pub const fn input_mut(&mut self) -> &mut Input {
        &mut self.input
    }

    /// What lies behind an end of the packets: `Ok` where the file really ended.
    ///
    /// # Errors
    ///
    /// The source's own error, or what stopped the watch.
    pub fn check(&self) -> Result<(), Error> {
        self.watch.check()?;
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// An error of FFmpeg's as one of ours, unless something of ours lies behind it.
    pub fn malformed(&self, reason: &'static str) -> Error {
        match self.check() {
            Err(error) => error,
            Ok(()) => Error::malformed(self.format, 0, reason),
        }
    }

    /// The format's usual name.
    pub const fn format(&self) -> &'static str {
        self.format
    }
}

/// The first error of the source itself, since FFmpeg passes on only a number.
type Fault = Arc<Mutex<Option<io::Error>>>;

struct Owned {
    source: Box<dyn Source>,
    fault: Fault,
}

impl Owned {
    fn keep(&self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        let copy = io::Error::from(error.kind());
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        copy
    }
}

impl Read for Owned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer).map_err(|error| self.keep(error))
    }
}

impl Seek for Owned {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to).map_err(|error| self.keep(error))
    }
}

/// Opens a file for its packets. `mime` is what [`mediaprep_media::sniff`] says about it.
///
/// # Errors
///
/// [`Error::Unsupported`] for a type that is no container, [`Error::Malformed`] where FFmpeg cannot
/// open it, [`Error::Io`] for the source's own errors, and what the watch says.
pub fn open(source: Box<dyn Source>, mime: MimeType, watch: &Watch) -> Result<Opened, Error> {
    let unsupported = Error::Unsupported("reading packets of this type");
    let (demuxers, format) = demuxers(mime).ok_or(unsupported)?;
    watch.check()?;
    log::set_level(log::Level::Quiet);
    let fault = Fault::default();
    let owned = Owned { source, fault: Arc::clone(&fault) };
    let failed = |_| Error::malformed(format, 0, "FFmpeg cannot open it");
    let stream = StreamIo::from_read_seek_with_capacity(owned, BUFFER).map_err(failed)?;
    let polled = watch.clone();
    let interrupt = move || polled.is_over();
    let opened = input_from_stream_with_interrupt(stream, None, Some(options(demuxers)), interrupt);
    match opened {
        Ok(input) => Ok(Opened { input, fault, watch: watch.clone(), format }),
        Err(error) => {
            watch.check()?;
            let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
            Err(fault.map_or_else(|| failed(error), Error::from))
        }
    }
}

fn options(demuxers: &str) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("format_whitelist", demuxers);
    options.set("protocol_whitelist", "none");
    options.set("probesize", &PROBE_SIZE.to_string());
    options.set("max_streams", "64");
    options
}
