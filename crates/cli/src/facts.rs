//! `--facts`: media that lies elsewhere, one JSON object a line with the keys of a printed item. What
//! `--format ndjson` prints is taken as it is: what failed there fails here, and its sums are left out.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use mediaprep::media::{Dimensions, Duration, FrameRate, MimeType};
use mediaprep::{Broken, ErrorKind, Input, KnownFacts, MediaInfo, VideoLengths};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::inputs;

/// Longest line that is read: an item with all its keys takes some hundreds of bytes.
const LONGEST_LINE: usize = 1 << 20;

/// Facts that can be read more than once: standard input is copied to a temporary file first, so
/// that memory stays flat however many lines come.
#[derive(Debug)]
pub(crate) struct FactsFile {
    name: String,
    file: File,
}

impl FactsFile {
    /// Opens the file, or copies standard input aside.
    ///
    /// # Errors
    ///
    /// When it cannot be read or the temporary file cannot be written.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::file(path, &error);
        let name = path.to_string_lossy().into_owned();
        let kind = std::fs::metadata(path).map(|meta| meta.is_file());
        if path.as_os_str() != "-" && matches!(kind, Ok(true)) {
            return Ok(Self { name, file: File::open(path).map_err(failed)? });
        }
        let mut file = tempfile::tempfile().map_err(failed)?;
        let mut reader = inputs::open(path).map_err(failed)?;
        io::copy(&mut reader, &mut file).map_err(failed)?;
        Ok(Self { name, file })
    }

    /// All lines from the beginning. A line that is no item is an input that fails.
    ///
    /// # Errors
    ///
    /// When the file cannot be read again.
    pub(crate) fn inputs(&mut self) -> io::Result<impl Iterator<Item = Input> + Send + use<>> {
        self.file.seek(SeekFrom::Start(0))?;
        let reader = BufReader::with_capacity(1 << 16, self.file.try_clone()?);
        Ok(Lines { reader, buffer: Vec::new(), number: 0, name: self.name.clone() })
    }
}

struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: usize,
    name: String,
}

impl<R: BufRead> Lines<R> {
    /// The next line into the buffer; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        self.number += 1;
        let mut limited = io::Read::take(&mut self.reader, LONGEST_LINE as u64);
        let read = limited.read_until(b'\n', &mut self.buffer)?;
        if read == LONGEST_LINE && !self.buffer.ends_with(b"\n") {
            // What is left of an overlong line is passed over.
            self.reader.skip_until(b'\n')?;
            self.buffer.clear();
            self.buffer.extend_from_slice(b"line too long");
        }
        Ok(read > 0)
    }

    fn broken(&self, reason: impl Into<String>) -> Input {
        Input::broken(Broken {
            name: self.place(),
            kind: ErrorKind::Malformed,
            reason: reason.into(),
            hint: "each line is one JSON object with the keys of a printed item",
        })
    }

    fn place(&self) -> String {
        format!("{}:{}", self.name, self.number)
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        loop {
            match self.fill() {
                Ok(false) => return None,
                Ok(true) if self.buffer.trim_ascii().is_empty() => continue,
                Ok(true) => {}
                Err(error) => return Some(self.broken(error.to_string())),
            }
            match parse(&self.buffer, || self.place()) {
                Ok(None) => {}
                Ok(input) => return input,
                Err(reason) => return Some(self.broken(reason)),
            }
        }
    }
}

/// The keys of an item that a rule may need; others are passed over.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mime_type: Option<Cow<'a, str>>,
    bytes: Option<u64>,
    #[serde(borrow)]
    width: Option<&'a RawValue>,
    #[serde(borrow)]
    height: Option<&'a RawValue>,
    #[serde(borrow)]
    duration_s: Option<&'a RawValue>,
    #[serde(borrow)]
    video_duration_s: Option<&'a RawValue>,
    #[serde(borrow)]
    audio_duration_s: Option<&'a RawValue>,
    #[serde(borrow)]
    decoded_duration_s: Option<&'a RawValue>,
    #[serde(borrow)]
    frame_span_s: Option<&'a RawValue>,
    #[serde(borrow)]
    fps: Option<&'a RawValue>,
    has_audio: Option<bool>,
    pages: Option<u64>,
    #[serde(borrow)]
    page_sizes: Option<Vec<(&'a RawValue, &'a RawValue, u64)>>,
    #[serde(borrow)]
    page_width_pt: Option<&'a RawValue>,
    #[serde(borrow)]
    page_height_pt: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    totals: Option<IgnoredAny>,
}

/// Why there are no facts.
#[derive(Default, Deserialize)]
struct LineError<'a> {
    kind: Option<ErrorKind>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

/// The input of a line; `None` for the sums that end a printed list.
fn parse(line: &[u8], name: impl Fn() -> String) -> Result<Option<Input>, String> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| no_item(&error))?;
    let info = match line.kind.as_deref() {
        None => return without_facts(line, name),
        Some("image") => image(&line)?,
        Some("video") => video(&line)?,
        Some("audio") => audio(&line)?,
        Some("document") => document(&line)?,
        Some(other) => return Err(format!("`kind` is `{other}`; expected {KINDS}")),
    };
    let mime_type = line.mime_type.as_deref().and_then(MimeType::from_name);
    let name = line.path.map_or_else(name, Cow::into_owned);
    Ok(Some(Input::facts(KnownFacts { name, mime_type, bytes: line.bytes, info })))
}

/// A file that failed when its facts were to be printed, or the sums below them.
fn without_facts(line: Line<'_>, name: impl Fn() -> String) -> Result<Option<Input>, String> {
    let Some(error) = line.error else {
        let sums = line.totals.is_some() && line.path.is_none();
        return if sums { Ok(None) } else { Err(format!("no `kind`; expected {KINDS}")) };
    };
    let error: LineError<'_> = serde_json::from_str(error.get()).unwrap_or_default();
    let unknown = || "its facts are missing".to_owned();
    Ok(Some(Input::broken(Broken {
        name: line.path.map_or_else(name, Cow::into_owned),
        kind: error.kind.unwrap_or(ErrorKind::Malformed),
        reason: error.message.map_or_else(unknown, Cow::into_owned),
        hint: "it failed when its facts were read; mend it and read them again",
    })))
}

const KINDS: &str = "image, video, audio or document";

fn no_item(error: &serde_json::Error) -> String {
    format!("not a JSON object with the keys of an item: {error}")
}

fn image(line: &Line<'_>) -> Result<MediaInfo, String> {
    let size = size(line)?.ok_or("an image needs `width` and `height`")?;
    Ok(MediaInfo::image(size))
}

fn size(line: &Line<'_>) -> Result<Option<Dimensions>, String> {
    let (Some(width), Some(height)) = (known(line.width), known(line.height)) else {
        return Ok(None);
    };
    let side = |name, text: &str| {
        text.parse::<u32>().map_err(|_| format!("`{name}` is {text}; expected whole pixels"))
    };
    let size = Dimensions::new(side("width", width)?, side("height", height)?);
    size.map(Some).ok_or_else(|| "`width` and `height` must be at least 1".to_owned())
}

fn video(line: &Line<'_>) -> Result<MediaInfo, String> {
    let size = size(line)?.ok_or("a video needs `width` and `height`")?;
    let container = duration("duration_s", line.duration_s)?;
    let track = duration("video_duration_s", line.video_duration_s)?.or(container);
    if track.is_none() {
        return Err("a video needs `duration_s`".to_owned());
    }
    let frame_rate = known(line.fps).map(rate).transpose()?;
    let lengths = VideoLengths {
        container: container.or(track),
        track,
        frame_span: duration("frame_span_s", line.frame_span_s)?,
        audio: duration("audio_duration_s", line.audio_duration_s)?.or(container),
        has_audio: line.has_audio.unwrap_or(line.audio_duration_s.is_some()),
        frame_rate,
    };
    Ok(MediaInfo::video(size, lengths))
}

fn audio(line: &Line<'_>) -> Result<MediaInfo, String> {
    let container = duration("duration_s", line.duration_s)?;
    let decoded = duration("decoded_duration_s", line.decoded_duration_s)?;
    if container.is_none() && decoded.is_none() {
        return Err("a sound needs `duration_s`".to_owned());
    }
    Ok(MediaInfo::sound(container, decoded))
}

fn document(line: &Line<'_>) -> Result<MediaInfo, String> {
    const NEEDS: &str =
        "a document needs `pages`, `page_width_pt` and `page_height_pt` above 0, or `page_sizes`";
    if let Some(sizes) = &line.page_sizes {
        let side = |text: &RawValue| points("page_sizes", Some(text.get()));
        let sizes = sizes.iter().map(|(width, height, pages)| {
            Ok::<_, String>((side(width)?.unwrap_or(0), side(height)?.unwrap_or(0), *pages))
        });
        let sizes: Vec<_> = sizes.collect::<Result<_, _>>()?;
        return MediaInfo::document(sizes).ok_or_else(|| NEEDS.to_owned());
    }
    let width = points("page_width_pt", known(line.page_width_pt).or(known(line.width)))?;
    let height = points("page_height_pt", known(line.page_height_pt).or(known(line.height)))?;
    let size = width.zip(height).zip(line.pages);
    size.and_then(|((width, height), pages)| MediaInfo::document([(width, height, pages)]))
        .ok_or_else(|| NEEDS.to_owned())
}

/// `null` is the same as absent.
fn known(raw: Option<&RawValue>) -> Option<&str> {
    raw.map(|raw| raw.get().trim_matches('"')).filter(|&text| text != "null")
}

fn duration(name: &str, raw: Option<&RawValue>) -> Result<Option<Duration>, String> {
    let parse = |text: &str| {
        Duration::from_decimal(text)
            .ok_or_else(|| format!("`{name}` is {text}; expected seconds as a plain decimal"))
    };
    known(raw).map(parse).transpose()
}

fn rate(text: &str) -> Result<FrameRate, String> {
    FrameRate::from_decimal(text)
        .ok_or_else(|| format!("`fps` is {text}; expected a plain decimal above 0"))
}

/// Points as thousandths, exact.
fn points(name: &str, text: Option<&str>) -> Result<Option<u32>, String> {
    let Some(text) = text else { return Ok(None) };
    let value = Duration::from_decimal(text)
        .map(|value| u128::from(value.ticks()) * 1000 / u128::from(value.timescale()));
    let fits = value.and_then(|value| u32::try_from(value).ok());
    fits.map(Some).ok_or_else(|| format!("`{name}` is {text}; expected points as a plain decimal"))
}
