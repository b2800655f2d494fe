//! From an input to its header facts. Never decodes, and opens each file once.

use std::fs::File;
use std::io::{self, Cursor};
use std::path::Path;

use mediaprep_media::{
    Error as MediaError, Limits, MeteredSource, MimeType, Modality, SNIFF_LENGTH, Source, Warned,
    Warning, read_up_to, sniff, sniff_by_name,
};

use crate::error::{Error, ErrorKind, READ_AGAIN, Stage};
use crate::input::{Input, InputSource, KnownFacts};
use crate::{AudioInfo, MediaInfo, VideoInfo};

/// What the header of one input says.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// The input's name, as it was given.
    pub name: String,
    /// The format, by content; `None` only for facts that do not say.
    pub mime_type: Option<MimeType>,
    /// Size in bytes; `None` only for facts that do not say.
    pub bytes: Option<u64>,
    /// Bytes that were read to learn all this.
    pub bytes_read: u64,
    /// The facts.
    pub info: MediaInfo,
    /// What was noticed on the way.
    pub warnings: Vec<Warning>,
}

/// How probing one input ended.
#[derive(Debug)]
pub enum Outcome {
    /// It is media, and these are its facts.
    Media(Box<Probed>),
    /// It was found in a folder and is no media.
    Skipped,
    /// It could not be read or is not what it seems.
    Failed(Error),
}

/// What probing goes by.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) limits: &'a Limits,
    /// What opens encrypted PDFs.
    pub(crate) password: Option<&'a str>,
}

/// Probes one input.
pub(crate) fn probe(input: &Input, reading: Reading<'_>) -> Outcome {
    let result = match input.source() {
        InputSource::Path(path) => probe_path(input, path, reading),
        InputSource::Bytes { bytes, .. } => {
            let length = bytes.len() as u64;
            probe_source(input, Cursor::new(&**bytes), length, reading)
        }
        InputSource::Facts(facts) => Ok(Some(from_facts(facts))),
        InputSource::Broken(broken) => {
            let reason = broken.reason.as_str();
            Err(Error::new(&broken.name, Stage::Open, broken.kind, reason).with_hint(broken.hint))
        }
    };
    match result {
        Ok(Some(probed)) => Outcome::Media(Box::new(probed)),
        Ok(None) => Outcome::Skipped,
        Err(error) => Outcome::Failed(error),
    }
}

/// The facts of bytes that were made here, read from their start.
///
/// # Errors
///
/// As probing an input.
#[cfg(feature = "pixels")]
pub(crate) fn probe_made(
    name: &str,
    bytes: impl io::Read + io::Seek + Send,
    length: u64,
    limits: &Limits,
) -> Result<Probed, Error> {
    let input = Input::bytes(name, Vec::new());
    let reading = Reading { limits, password: None };
    let probed = probe_source(&input, bytes, length, reading)?;
    probed.ok_or_else(|| not_media(&input, length))
}

fn from_facts(facts: &KnownFacts) -> Probed {
    Probed {
        name: facts.name.clone(),
        mime_type: facts.mime_type,
        bytes: facts.bytes,
        bytes_read: 0,
        info: facts.info.clone(),
        warnings: Vec::new(),
    }
}

fn probe_path(input: &Input, path: &Path, reading: Reading<'_>) -> Result<Option<Probed>, Error> {
    let io_error = |error: io::Error| open_error(input, error);
    // Opening a pipe or a device may block for ever, so a path that nobody has looked at yet is
    // looked at first. Found files were told apart while the folder was read.
    if !input.is_optional() {
        let kind = std::fs::metadata(path).map_err(io_error)?.file_type();
        if !kind.is_file() {
            let found = if kind.is_dir() { "a folder" } else { "no regular file" };
            return Err(Error::new(input.name(), Stage::Open, ErrorKind::Io, found)
                .with_hint("name a file, or let the command line walk the folder"));
        }
    }
    let file = File::open(path).map_err(io_error)?;
    let length = file.metadata().map_err(io_error)?.len();
    probe_source(input, file, length, reading)
}

fn open_error(input: &Input, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => "check the file's permissions",
        _ => READ_AGAIN,
    };
    Error::new(input.name(), Stage::Open, ErrorKind::Io, error).with_hint(hint)
}

fn probe_source(
    input: &Input,
    inner: impl io::Read + io::Seek + Send,
    length: u64,
    reading: Reading<'_>,
) -> Result<Option<Probed>, Error> {
    let limits = reading.limits;
    let fail = |stage, error| Error::from_media(input.name(), stage, error);
    let mut source = MeteredSource::new(inner, length, SNIFF_LENGTH, limits.max_probe_bytes)
        .map_err(|error| open_error(input, error))?;
    let Some(mime) = sniff(source.head()).or_else(|| deeper(&mut source, input)) else {
        return if input.is_optional() { Ok(None) } else { Err(not_media(input, length)) };
    };
    limits.check_bytes(length).map_err(|error| fail(Stage::Probe, error.into()))?;
    let read = read_facts(&mut source, mime, reading).map_err(|error| match error {
        MediaError::Encrypted { .. } if reading.password.is_some() => wrong_password(input),
        error => fail(Stage::Probe, error),
    })?;
    let (mime, info) = read.value;
    Ok(Some(Probed {
        name: input.name(),
        mime_type: Some(mime),
        bytes: Some(length),
        bytes_read: source.bytes_read(),
        info,
        warnings: read.warnings,
    }))
}

/// Bytes that the second look reads: room for a few hundred kilobytes of junk before a sound.
const SECOND_LOOK: usize = 256 << 10;

fn deeper(source: &mut dyn Source, input: &Input) -> Option<MimeType> {
    let InputSource::Path(path) = input.source() else { return None };
    let extension = telling_extension(path)?;
    sniff_by_name(&read_up_to(source, 0, SECOND_LOOK).ok()?, extension)
}

/// The extension of a path where it has a say in what the file is.
pub(crate) fn telling_extension(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?;
    ["mp3", "pdf"].into_iter().find(|telling| extension.eq_ignore_ascii_case(telling))
}

fn wrong_password(input: &Input) -> Error {
    let message = "the password does not open the PDF";
    Error::new(input.name(), Stage::Probe, ErrorKind::Unsupported, message)
        .with_code("wrong_password")
        .with_hint("give the user's or the owner's password")
}

fn not_media(input: &Input, length: u64) -> Error {
    let found = if length == 0 {
        "the file is empty"
    } else {
        "the bytes show no image, video, sound or PDF"
    };
    Error::new(input.name(), Stage::Sniff, ErrorKind::Unsupported, found)
        .with_code("not_media")
        .with_hint("formats are recognised by content; text goes along as the prompt")
}

/// Reads the facts by the crate that knows the format. A container that turns out to hold sound
/// alone changes its MIME type.
fn read_facts(
    source: &mut dyn Source,
    mime: MimeType,
    Reading { limits, password }: Reading<'_>,
) -> Result<Warned<(MimeType, MediaInfo)>, MediaError> {
    match mime.modality() {
        Modality::Image => {
            let read = mediaprep_image::probe(source, mime, limits)?;
            Ok(read.map(|info| (mime, MediaInfo::Image(info))))
        }
        Modality::Document => {
            let read = mediaprep_pdf::probe(source, limits, password.map(str::as_bytes))?;
            Ok(read.map(|info| (mime, MediaInfo::Document(info))))
        }
        Modality::Audio => {
            let read = mediaprep_audio::probe(source, mime, limits)?;
            Ok(read.map(|info| (mime, MediaInfo::Audio(info))))
        }
        Modality::Video | Modality::Text => read_container(source, mime, limits),
    }
}

fn read_container(
    source: &mut dyn Source,
    mime: MimeType,
    limits: &Limits,
) -> Result<Warned<(MimeType, MediaInfo)>, MediaError> {
    let Warned { value: container, warnings } = mediaprep_container::probe(source, mime, limits)?;
    if let Some(video) = VideoInfo::select(&container) {
        return Ok(Warned { value: (mime, MediaInfo::Video(video)), warnings });
    }
    match AudioInfo::select(&container) {
        Some(audio) => Ok(Warned { value: (mime.audio_only(), MediaInfo::Audio(audio)), warnings }),
        None => Err(MediaError::Unsupported("a container without video or sound")),
    }
}
