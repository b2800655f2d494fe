//! `Part` and what it is made of.

use std::borrow::Cow;
use std::fmt;
use std::io;

use mediaprep_media::{Duration, FrameRate, MediaResolution};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::body::Body;
use crate::data::Data;
use crate::length::base64_length;
use crate::protojson::{duration_text, number};
use crate::shape::{Base64, Marks, Shape, Shaped, serialize_by_shape};
use crate::vocabulary::closed_enum;

/// One piece of a request's content.
///
/// It is written in lowerCamelCase with standard base64, and read in whatever protojson takes;
/// unknown fields are refused.
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
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Blob {
    /// The MIME type, spelled as the service wants it.
    #[serde(alias = "mime_type")]
    pub mime_type: Cow<'static, str>,
    /// The bytes themselves; base64 is made while they are written.
    pub data: Data,
    /// A name for the model to call it by; Vertex AI only.
    #[serde(default, alias = "display_name")]
    pub display_name: Option<String>,
}

/// A file by its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileData {
    /// A File API, Cloud Storage, YouTube or web address.
    #[serde(alias = "file_uri")]
    pub file_uri: String,
    /// The MIME type; may be left out for File API and YouTube addresses only.
    #[serde(default, alias = "mime_type", skip_serializing_if = "Option::is_none")]
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

closed_enum! {
    /// A layer of a video.
    ContentLayer {
        /// The pictures.
        Frames = "FRAMES",
        /// The sound.
        Audio = "AUDIO",
        /// What is said, as text.
        Transcript = "TRANSCRIPT",
    }
}

impl Part {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(PartData::Text(text.into()))
    }

    /// A part that carries its bytes.
    pub fn inline(mime_type: impl Into<Cow<'static, str>>, data: impl Into<Data>) -> Self {
        let (mime_type, data) = (mime_type.into(), data.into());
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

    /// The part as compact JSON, whose data is encoded while it is read.
    pub fn body(&self) -> Body {
        Body::of(self)
    }

    /// Bytes of the part as compact JSON, counted without keeping them or reading its data.
    pub fn encoded_length(&self) -> u64 {
        // A sink never fails and every shape has string keys.
        let Ok((text, places)) = Marks::of(self, io::sink()) else { return u64::MAX };
        let data = places.iter().map(|(_, data)| base64_length(data.length()));
        data.fold(text, u64::saturating_add)
    }
}

impl Shape for Part {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Level {
            level: &'static str,
        }
        let mut map = to.serialize_map(None)?;
        match &self.data {
            PartData::Text(text) => map.serialize_entry("text", text)?,
            PartData::InlineData(blob) => {
                map.serialize_entry("inlineData", &Shaped(blob, marks))?
            }
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

impl Shape for Blob {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut blob = to.serialize_map(None)?;
        blob.serialize_entry("mimeType", &self.mime_type)?;
        if let Some(name) = &self.display_name {
            blob.serialize_entry("displayName", name)?;
        }
        blob.serialize_entry("data", &Base64 { prefix: "", data: &self.data, marks })?;
        blob.end()
    }
}

serialize_by_shape!(Part, Blob);

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.mime_type, self.data.length())
    }
}

impl Serialize for VideoMetadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Rate(FrameRate);

        impl Serialize for Rate {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                number(self.0.as_f64(), serializer)
            }
        }

        let mut map = serializer.serialize_map(None)?;
        if let Some(start) = self.start {
            map.serialize_entry("startOffset", &duration_text(start))?;
        }
        if let Some(end) = self.end {
            map.serialize_entry("endOffset", &duration_text(end))?;
        }
        if let Some(fps) = self.fps {
            map.serialize_entry("fps", &Rate(fps))?;
        }
        if !self.content_layers.is_empty() {
            map.serialize_entry("contentLayers", &self.content_layers)?;
        }
        map.end()
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
        film.media_resolution = Some(MediaResolution::UltraHigh);
        film.thought = Some(false);
        film.thought_signature = Some("c2ln".into());
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
    fn whole_rates_are_written_as_integers() {
        let mut film = Part::file("https://a.example/b", None);
        let metadata = VideoMetadata { fps: FrameRate::new(10, 5), ..VideoMetadata::default() };
        film.video_metadata = Some(metadata);
        assert!(json(&film).contains(r#""videoMetadata":{"fps":2}"#));
    }

    #[test]
    fn a_blob_does_not_print_its_bytes() {
        assert!(format!("{:?}", Part::inline("image/png", vec![1; 9])).contains("9 bytes"));
    }
}
