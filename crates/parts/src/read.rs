//! Reading parts and contents: either spelling of names, nothing unknown.

use mediaprep_media::{Duration, FrameRate, MediaResolution};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::content::{Content, Role};
use crate::part::{Blob, ContentLayer, FileData, Part, PartData, VideoMetadata};
use crate::protojson::{or_default, read_duration, read_frame_rate};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[derive(Default)]
struct PartFields {
    text: Option<String>,
    #[serde(alias = "inline_data")]
    inline_data: Option<Blob>,
    #[serde(alias = "file_data")]
    file_data: Option<FileData>,
    #[serde(alias = "video_metadata")]
    video_metadata: Option<VideoMetadata>,
    #[serde(alias = "media_resolution")]
    media_resolution: Option<Level>,
    thought: Option<bool>,
    #[serde(alias = "thought_signature")]
    thought_signature: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Level {
    #[serde(default, deserialize_with = "read_media_resolution")]
    level: Option<MediaResolution>,
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = PartFields::deserialize(deserializer)?;
        let data = match (fields.text, fields.inline_data, fields.file_data) {
            (Some(text), None, None) => PartData::Text(text),
            (None, Some(blob), None) => PartData::InlineData(blob),
            (None, None, Some(file)) => PartData::FileData(file),
            (None, None, None) => {
                return Err(D::Error::custom("a part needs text, inlineData or fileData"));
            }
            _ => return Err(D::Error::custom("a part holds one of text, inlineData and fileData")),
        };
        Ok(Self {
            data,
            video_metadata: fields.video_metadata,
            media_resolution: fields.media_resolution.and_then(|level| level.level),
            thought: fields.thought,
            thought_signature: fields.thought_signature,
        })
    }
}

impl<'de> Deserialize<'de> for VideoMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
        struct Fields {
            #[serde(alias = "start_offset", deserialize_with = "read_duration")]
            start_offset: Option<Duration>,
            #[serde(alias = "end_offset", deserialize_with = "read_duration")]
            end_offset: Option<Duration>,
            #[serde(deserialize_with = "read_frame_rate")]
            fps: Option<FrameRate>,
            #[serde(alias = "content_layers", deserialize_with = "or_default")]
            content_layers: Vec<ContentLayer>,
        }
        let Fields { start_offset, end_offset, fps, content_layers } =
            Fields::deserialize(deserializer)?;
        Ok(Self { start: start_offset, end: end_offset, fps, content_layers })
    }
}

/// Reads a level by its name in the API.
pub(crate) fn read_media_resolution<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<MediaResolution>, D::Error> {
    let Some(name) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let known = MediaResolution::ALL.into_iter().find(|level| level.wire_name() == name);
    known.map(Some).ok_or_else(|| D::Error::custom(format!("unknown media resolution {name:?}")))
}

/// Reads a system instruction, whose role means nothing: some send `system`, which no content has.
pub(crate) fn read_instruction<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Content>, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fields {
        #[serde(default)]
        role: Option<String>,
        #[serde(default, deserialize_with = "or_default")]
        parts: Vec<Part>,
    }
    let Some(Fields { role, parts }) = Option::deserialize(from)? else { return Ok(None) };
    let role = role.and_then(|role| Role::from_wire_name(&role));
    Ok(Some(Content { role, parts }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn both_spellings_are_read() {
        let camel = json!({
            "fileData": {"fileUri": "gs://a/b", "mimeType": "video/mp4"},
            "videoMetadata": {"startOffset": "1.5s", "endOffset": "3s", "fps": 5,
                "contentLayers": ["AUDIO"]},
            "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"},
            "thoughtSignature": "c2ln",
        });
        let snake = json!({
            "file_data": {"file_uri": "gs://a/b", "mime_type": "video/mp4"},
            "video_metadata": {"start_offset": "1.500s", "end_offset": "3s", "fps": 5.0,
                "content_layers": ["AUDIO"]},
            "media_resolution": {"level": "MEDIA_RESOLUTION_LOW"},
            "thought_signature": "c2ln",
            "text": null,
        });
        let read = |value| serde_json::from_value::<Part>(value).unwrap();
        assert_eq!(read(camel.clone()), read(snake));
        let mut written = serde_json::to_value(read(camel.clone())).unwrap();
        assert_eq!(written["videoMetadata"]["startOffset"], "1.500s");
        written["videoMetadata"]["startOffset"] = "1.5s".into();
        assert_eq!(written, camel);
    }

    #[test]
    fn what_is_no_part_is_refused_with_a_reason() {
        for (value, reason) in [
            (json!({}), "a part needs text"),
            (json!({"text": "a", "fileData": {"fileUri": "b"}}), "a part holds one of"),
            (json!({"text": "a", "colour": 1}), "unknown field `colour`"),
            (json!({"inlineData": {"mimeType": "a/b", "data": "!"}}), "malformed base64"),
            (json!({"text": "a", "videoMetadata": {"fps": 0}}), "frame rate"),
            (json!({"text": "a", "videoMetadata": {"startOffset": "1"}}), "duration"),
            (json!({"text": "a", "mediaResolution": {"level": "HIGH"}}), "media resolution"),
        ] {
            let error = serde_json::from_value::<Part>(value).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    fn any_metadata() -> impl Strategy<Value = VideoMetadata> {
        let time = || {
            proptest::option::of((0u64..1 << 40, 0u32..1_000_000_000)).prop_map(|time| {
                let (seconds, nanos) = time?;
                Duration::new(seconds % (1 << 30) * 1_000_000_000 + u64::from(nanos), 1_000_000_000)
            })
        };
        let rate = prop_oneof![
            Just(None),
            Just(FrameRate::new(30_000, 1001)),
            Just(FrameRate::new(1, 3)),
            (1u32..1 << 26).prop_map(|whole| FrameRate::new(whole, 1)),
        ];
        let layers = proptest::sample::subsequence(ContentLayer::ALL.to_vec(), 0..=3);
        (time(), time(), rate, layers).prop_map(|(start, end, fps, content_layers)| VideoMetadata {
            start,
            end,
            fps,
            content_layers,
        })
    }

    fn any_data() -> impl Strategy<Value = PartData> {
        let name = || proptest::option::of(any::<String>());
        prop_oneof![
            any::<String>().prop_map(PartData::Text),
            ("[a-z]+/[a-z]+", any::<Vec<u8>>(), name()).prop_map(|(mime, bytes, display_name)| {
                PartData::InlineData(Blob {
                    mime_type: mime.into(),
                    data: bytes.into(),
                    display_name,
                })
            }),
            (any::<String>(), name()).prop_map(|(file_uri, mime)| {
                PartData::FileData(FileData { file_uri, mime_type: mime.map(Into::into) })
            }),
        ]
    }

    proptest! {
        #[test]
        fn any_part_is_read_as_it_was_written(
            data in any_data(),
            video_metadata in proptest::option::of(any_metadata()),
            media_resolution in proptest::option::of(proptest::sample::select(
                MediaResolution::ALL.to_vec(),
            )),
            thought in any::<Option<bool>>(),
            thought_signature in any::<Option<String>>(),
        ) {
            let part = Part { data, video_metadata, media_resolution, thought, thought_signature };
            let text = serde_json::to_string(&part).unwrap();
            prop_assert_eq!(text.len() as u64, part.encoded_length());
            prop_assert_eq!(serde_json::from_str::<Part>(&text).unwrap(), part);
        }
    }
}
