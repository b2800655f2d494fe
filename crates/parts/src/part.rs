//! `Part` and what it is made of.

use std::borrow::Cow;
use std::io;

use base64_simd::STANDARD;
use mediaprep_media::{Duration, FrameRate, MediaResolution};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// One piece of a request's content.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What the part holds.
    pub data: PartData,
    /// How a video is to be sampled; videos only.
    pub video_metadata: Option<VideoMetadata>,
    /// How finely this part is to be looked at; Gemini 3 and later, and it wins over the request's.
    pub media_resolution: Option<MediaResolution>,
    /// Whether the part is a model's thought, sent back as history.
    pub thought: Option<bool>,
    /// The signature of a model's thought in base64: echoed unchanged, never decoded.
    pub thought_signature: Option<String>,
}

/// What a part holds: exactly one of these.
#[derive(Clone, Debug, PartialEq)]
pub enum PartData {
    /// Written text.
    Text(String),
    /// Bytes that travel inside the request.
    InlineData(Blob),
    /// A file that the service fetches or already has.
    FileData(FileData),
}

/// Bytes with their type.
#[derive(Clone, PartialEq)]
pub struct Blob {
    /// The MIME type, spelled as the service wants it.
    pub mime_type: Cow<'static, str>,
    /// The bytes themselves; base64 is made while they are written.
    pub data: Vec<u8>,
    /// A name for the model to call it by; Vertex AI only.
    pub display_name: Option<String>,
}

/// A file by its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileData {
    /// A File API, Cloud Storage, YouTube or web address.
    pub file_uri: String,
    /// The MIME type; may be left out for File API and YouTube addresses only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<Cow<'static, str>>,
}

/// How the service samples a video.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoMetadata {
    /// From here.
    pub start: Option<Duration>,
    /// To here.
    pub end: Option<Duration>,
    /// Frames a second, in (0, 24].
    pub fps: Option<FrameRate>,
    /// What of the video is looked at; all of it when empty.
    pub content_layers: Vec<ContentLayer>,
}

/// A layer of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentLayer {
    /// The pictures: `FRAMES`.
    Frames,
    /// The sound: `AUDIO`.
    Audio,
    /// What is said, as text: `TRANSCRIPT`.
    Transcript,
}

impl ContentLayer {
    /// All layers.
    pub const ALL: [Self; 3] = [Self::Frames, Self::Audio, Self::Transcript];

    /// The name as the API spells it.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Frames => "FRAMES",
            Self::Audio => "AUDIO",
            Self::Transcript => "TRANSCRIPT",
        }
    }
}

impl Serialize for ContentLayer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.wire_name())
    }
}

impl Part {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(PartData::Text(text.into()))
    }

    /// A part that carries its bytes.
    pub fn inline(mime_type: impl Into<Cow<'static, str>>, data: Vec<u8>) -> Self {
        let mime_type = mime_type.into();
        Self::of(PartData::InlineData(Blob { mime_type, data, display_name: None }))
    }

    /// A part that names a file.
    pub fn file(uri: impl Into<String>, mime_type: Option<Cow<'static, str>>) -> Self {
        Self::of(PartData::FileData(FileData { file_uri: uri.into(), mime_type }))
    }

    /// A part without metadata.
    pub const fn of(data: PartData) -> Self {
        Self {
            data,
            video_metadata: None,
            media_resolution: None,
            thought: None,
            thought_signature: None,
        }
    }

    /// Bytes of the part as compact JSON, counted without keeping them.
    pub fn encoded_length(&self) -> u64 {
        let mut counter = Counter(0);
        match serde_json::to_writer(&mut counter, self) {
            Ok(()) => counter.0,
            // The counter never fails and every shape has string keys.
            Err(_) => u64::MAX,
        }
    }
}

struct Counter(u64);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Level {
            level: &'static str,
        }
        let mut map = serializer.serialize_map(None)?;
        match &self.data {
            PartData::Text(text) => map.serialize_entry("text", text)?,
            PartData::InlineData(blob) => map.serialize_entry("inlineData", blob)?,
            PartData::FileData(file) => map.serialize_entry("fileData", file)?,
        }
        if let Some(metadata) = &self.video_metadata {
            map.serialize_entry("videoMetadata", metadata)?;
        }
        if let Some(level) = self.media_resolution {
            map.serialize_entry("mediaResolution", &Level { level: level.wire_name() })?;
        }
        if let Some(thought) = self.thought {
            map.serialize_entry("thought", &thought)?;
        }
        if let Some(signature) = &self.thought_signature {
            map.serialize_entry("thoughtSignature", signature)?;
        }
        map.end()
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut blob = serializer.serialize_map(None)?;
        blob.serialize_entry("mimeType", &self.mime_type)?;
        if let Some(name) = &self.display_name {
            blob.serialize_entry("displayName", name)?;
        }
        blob.serialize_entry("data", &STANDARD.encode_to_string(&self.data))?;
        blob.end()
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.mime_type, self.data.len())
    }
}

impl Serialize for VideoMetadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(start) = self.start {
            map.serialize_entry("startOffset", &duration_text(start))?;
        }
        if let Some(end) = self.end {
            map.serialize_entry("endOffset", &duration_text(end))?;
        }
        match self.fps {
            Some(fps) if fps.denominator() == 1 => map.serialize_entry("fps", &fps.numerator())?,
            Some(fps) => map.serialize_entry("fps", &fps.as_f64())?,
            None => {}
        }
        if !self.content_layers.is_empty() {
            map.serialize_entry("contentLayers", &self.content_layers)?;
        }
        map.end()
    }
}

/// A length as protojson writes it: `10s`, `70.500s`, with 0, 3, 6 or 9 decimals.
pub fn duration_text(length: Duration) -> String {
    let timescale = u128::from(length.timescale());
    let nanos = u128::from(length.ticks()) * 1_000_000_000 / timescale;
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    match fraction {
        0 => format!("{seconds}s"),
        _ if fraction % 1_000_000 == 0 => format!("{seconds}.{:03}s", fraction / 1_000_000),
        _ if fraction % 1000 == 0 => format!("{seconds}.{:06}s", fraction / 1000),
        _ => format!("{seconds}.{fraction:09}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(part: &Part) -> String {
        serde_json::to_string(part).unwrap()
    }

    #[test]
    fn shapes_are_the_wire_s() {
        let picture = Part::inline("image/png", vec![0xfb, 0xff]);
        assert_eq!(json(&picture), r#"{"inlineData":{"mimeType":"image/png","data":"+/8="}}"#);
        let mut film = Part::file("gs://bucket/film.mp4", Some("video/mp4".into()));
        film.video_metadata = Some(VideoMetadata {
            start: Duration::from_decimal("10"),
            end: Duration::from_decimal("70.5"),
            fps: FrameRate::from_decimal("0.5"),
            content_layers: vec![ContentLayer::Frames],
        });
        film.thought = Some(false);
        film.thought_signature = Some("c2ln".into());
        film.media_resolution = Some(MediaResolution::UltraHigh);
        assert_eq!(
            json(&film),
            concat!(
                r#"{"fileData":{"fileUri":"gs://bucket/film.mp4","mimeType":"video/mp4"},"#,
                r#""videoMetadata":{"startOffset":"10s","endOffset":"70.500s","fps":0.5,"#,
                r#""contentLayers":["FRAMES"]},"#,
                r#""mediaResolution":{"level":"MEDIA_RESOLUTION_ULTRA_HIGH"},"#,
                r#""thought":false,"thoughtSignature":"c2ln"}"#,
            )
        );
        assert_eq!(json(&Part::text("a \"quote\"")), r#"{"text":"a \"quote\""}"#);
    }

    #[test]
    fn durations_have_0_3_6_or_9_decimals() {
        let text = |decimal| duration_text(Duration::from_decimal(decimal).unwrap());
        assert_eq!(text("5"), "5s");
        assert_eq!(text("1.25"), "1.250s");
        assert_eq!(text("1.000001"), "1.000001s");
        assert_eq!(duration_text(Duration::new(1, 3).unwrap()), "0.333333333s");
    }

    #[test]
    fn a_blob_does_not_print_its_bytes() {
        assert!(format!("{:?}", Part::inline("image/png", vec![1; 9])).contains("9 bytes"));
    }
}
