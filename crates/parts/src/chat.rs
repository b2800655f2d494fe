//! The same requests in the shape of chat completions, for what speaks nothing else.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::Serializer as ValueSerializer;
use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::config::{GenerationConfig, ThinkingConfig, ThinkingLevel};
use crate::content::{Content, Role};
use crate::data::Data;
use crate::part::{Blob, Part, PartData};
use crate::protojson::{number, or_default, read_count};
use crate::request::GenerateRequest;
use crate::shape::{Base64, Marks, Shape, Shaped};

/// Something of a request that chat completions have no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("chat completions cannot express {what}")]
pub struct NotExpressible {
    /// The field as the API spells it, or the type of the data.
    pub what: String,
}

impl NotExpressible {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl GenerateRequest {
    /// The body of `chat/completions`. Texts, images and sounds have a shape there, and the common
    /// parameters; thinking is expressed by its level alone.
    ///
    /// # Errors
    ///
    /// [`NotExpressible`] for the first thing that would be lost: files by their address, videos,
    /// PDFs, metadata of parts, safety settings and so on.
    ///
    /// ```
    /// use mediaprep_parts::{GenerateRequest, Part};
    ///
    /// let mut request = GenerateRequest::user(vec![Part::text("hi")]);
    /// let body = request.chat_body("gemini-x", false)?.to_vec().unwrap();
    /// assert_eq!(body, br#"{"model":"gemini-x","messages":[{"role":"user","content":"hi"}]}"#);
    /// request.contents[0].parts.push(Part::inline("application/pdf", vec![0]));
    /// let error = request.chat_body("gemini-x", false).unwrap_err();
    /// assert_eq!(error.to_string(), "chat completions cannot express application/pdf");
    /// # Ok::<(), mediaprep_parts::NotExpressible>(())
    /// ```
    pub fn chat_body(&self, model: &str, stream: bool) -> Result<Body, NotExpressible> {
        self.refuse_fields()?;
        let instruction = self.system_instruction.iter().map(|content| ("system", content));
        let contents = self.contents.iter().map(|content| (role_name(content), content));
        let messages: Result<Vec<_>, _> =
            instruction.chain(contents).map(|(role, content)| Message::of(role, content)).collect();
        let mut parameters = match &self.generation_config {
            Some(config) => chat_parameters(config)?,
            None => Map::new(),
        };
        if stream {
            parameters.insert("stream".into(), true.into());
        }
        Ok(Body::of(&Chat { model, messages: messages?, parameters }))
    }

    fn refuse_fields(&self) -> Result<(), NotExpressible> {
        let fields = [
            ("safetySettings", !self.safety_settings.is_empty()),
            ("cachedContent", self.cached_content.is_some()),
            ("labels", !self.labels.is_empty()),
            ("serviceTier", self.service_tier.is_some()),
            ("store", self.store.is_some()),
        ];
        refuse(&fields)
    }
}

fn refuse(fields: &[(&'static str, bool)]) -> Result<(), NotExpressible> {
    match fields.iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(NotExpressible::new(*field)),
        None => Ok(()),
    }
}

const fn role_name(content: &Content) -> &'static str {
    match content.role {
        Some(Role::Model) => "assistant",
        Some(Role::User) | None => "user",
    }
}

struct Chat<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    parameters: Map<String, Value>,
}

struct Message<'a> {
    role: &'static str,
    pieces: Vec<Piece<'a>>,
}

enum Piece<'a> {
    Text(&'a str),
    Image { mime_type: &'a str, data: &'a Data },
    Sound { format: &'static str, data: &'a Data },
}

impl<'a> Message<'a> {
    fn of(role: &'static str, content: &'a Content) -> Result<Self, NotExpressible> {
        let pieces = content.parts.iter().map(Piece::of).collect::<Result<Vec<_>, _>>()?;
        let all_text = pieces.iter().all(|piece| matches!(piece, Piece::Text(_)));
        if role != "user" && !all_text {
            return Err(NotExpressible::new(format!("media in the role {role}")));
        }
        Ok(Self { role, pieces })
    }
}

impl<'a> Piece<'a> {
    fn of(part: &'a Part) -> Result<Self, NotExpressible> {
        refuse(&[
            ("videoMetadata", part.video_metadata.is_some()),
            ("mediaResolution", part.media_resolution.is_some()),
            ("thought", part.thought == Some(true)),
            ("thoughtSignature", part.thought_signature.is_some()),
        ])?;
        match &part.data {
            PartData::Text(text) => Ok(Self::Text(text)),
            PartData::InlineData(blob) => Self::of_blob(blob),
            PartData::FileData(_) => Err(NotExpressible::new("fileData")),
        }
    }

    fn of_blob(blob: &'a Blob) -> Result<Self, NotExpressible> {
        refuse(&[("displayName", blob.display_name.is_some())])?;
        let (mime_type, data) = (blob.mime_type.as_ref(), &blob.data);
        match mime_type {
            "audio/wav" | "audio/x-wav" | "audio/wave" => Ok(Self::Sound { format: "wav", data }),
            "audio/mpeg" | "audio/mp3" => Ok(Self::Sound { format: "mp3", data }),
            _ if mime_type.starts_with("image/") => Ok(Self::Image { mime_type, data }),
            _ => Err(NotExpressible::new(mime_type)),
        }
    }
}

/// The parameters that chat completions have too, under their names there.
fn chat_parameters(config: &GenerationConfig) -> Result<Map<String, Value>, NotExpressible> {
    // Named one by one, so that a new parameter is not forgotten here.
    let GenerationConfig {
        temperature,
        top_p,
        top_k,
        candidate_count,
        max_output_tokens,
        stop_sequences,
        seed,
        presence_penalty,
        frequency_penalty,
        response_mime_type,
        response_schema,
        response_json_schema,
        response_modalities,
        response_logprobs,
        logprobs,
        media_resolution,
        thinking_config,
        audio_timestamp,
        speech_config,
        image_config,
    } = config;
    refuse(&[
        ("topK", top_k.is_some()),
        ("responseSchema", response_schema.is_some()),
        ("responseModalities", !response_modalities.is_empty()),
        ("mediaResolution", media_resolution.is_some()),
        ("audioTimestamp", audio_timestamp.is_some()),
        ("speechConfig", speech_config.is_some()),
        ("imageConfig", image_config.is_some()),
    ])?;
    let float = |value: &Option<f64>| value.and_then(|value| number(value, ValueSerializer).ok());
    let effort = thinking_config.as_ref().map(reasoning_effort).transpose()?.flatten();
    let stop = (!stop_sequences.is_empty()).then(|| json!(stop_sequences));
    let parameters = [
        ("temperature", float(temperature)),
        ("top_p", float(top_p)),
        ("n", candidate_count.map(Value::from)),
        ("max_tokens", max_output_tokens.map(Value::from)),
        ("stop", stop),
        ("seed", seed.map(Value::from)),
        ("presence_penalty", float(presence_penalty)),
        ("frequency_penalty", float(frequency_penalty)),
        ("response_format", response_format(response_mime_type, response_json_schema)?),
        ("logprobs", response_logprobs.map(Value::from)),
        ("top_logprobs", logprobs.map(Value::from)),
        ("reasoning_effort", effort.map(Value::from)),
    ];
    let given = parameters.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    Ok(given.collect())
}

fn reasoning_effort(config: &ThinkingConfig) -> Result<Option<&'static str>, NotExpressible> {
    let ThinkingConfig { thinking_budget, thinking_level, include_thoughts } = config;
    refuse(&[
        ("thinkingBudget", thinking_budget.is_some()),
        ("includeThoughts", include_thoughts.is_some()),
    ])?;
    Ok(thinking_level.map(|level| match level {
        ThinkingLevel::Minimal => "minimal",
        ThinkingLevel::Low => "low",
        ThinkingLevel::Medium => "medium",
        ThinkingLevel::High => "high",
    }))
}

fn response_format(
    mime_type: &Option<String>,
    schema: &Option<Value>,
) -> Result<Option<Value>, NotExpressible> {
    match (mime_type.as_deref(), schema) {
        (None, None) => Ok(None),
        (Some("text/plain"), None) => Ok(Some(json!({"type": "text"}))),
        (Some("application/json"), None) => Ok(Some(json!({"type": "json_object"}))),
        (Some("application/json"), Some(schema)) => Ok(Some(json!({
            "type": "json_schema", "json_schema": {"name": "answer", "schema": schema},
        }))),
        (Some(other), _) => Err(NotExpressible::new(format!("responseMimeType {other}"))),
        (None, Some(_)) => Err(NotExpressible::new("responseJsonSchema without application/json")),
    }
}

impl Shape for Chat<'_> {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("messages", &Shaped(self.messages.as_slice(), marks))?;
        for (name, value) in &self.parameters {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Shape for Message<'_> {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("role", self.role)?;
        match self.pieces.as_slice() {
            [Piece::Text(text)] => map.serialize_entry("content", text)?,
            pieces => map.serialize_entry("content", &Shaped(pieces, marks))?,
        }
        map.end()
    }
}

impl Shape for Piece<'_> {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        match self {
            Self::Text(text) => {
                map.serialize_entry("type", "text")?;
                map.serialize_entry("text", text)?;
            }
            Self::Image { mime_type, data } => {
                let prefix = format!("data:{mime_type};base64,");
                let url = Base64 { prefix: &prefix, data, marks };
                map.serialize_entry("type", "image_url")?;
                map.serialize_entry("image_url", &ImageUrl { url })?;
            }
            Self::Sound { format, data } => {
                let data = Base64 { prefix: "", data, marks };
                map.serialize_entry("type", "input_audio")?;
                map.serialize_entry("input_audio", &InputAudio { data, format })?;
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: Base64<'a>,
}

#[derive(Serialize)]
struct InputAudio<'a> {
    data: Base64<'a>,
    format: &'static str,
}

/// An answer of chat completions, or one event of a streamed one; read as forgivingly as
/// [`crate::GenerateResponse`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ChatResponse {
    /// The answers.
    #[serde(deserialize_with = "or_default")]
    pub choices: Vec<ChatChoice>,
    /// What was counted; in a stream it comes with the last event.
    pub usage: Option<ChatUsage>,
    /// The model that answered.
    pub model: Option<String>,
    /// The answer's name.
    pub id: Option<String>,
}

/// One answer of chat completions.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ChatChoice {
    /// What it says, when it comes whole.
    pub message: Option<ChatMessage>,
    /// What it says next, when it is streamed.
    pub delta: Option<ChatMessage>,
    /// Why it ended: `stop`, `length`, `content_filter` and others.
    pub finish_reason: Option<String>,
}

/// What a choice says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ChatMessage {
    /// Who says it.
    pub role: Option<String>,
    /// Its text.
    pub content: Option<String>,
}

/// The tokens of a chat completion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ChatUsage {
    /// Tokens of the messages.
    #[serde(deserialize_with = "read_count")]
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer.
    #[serde(deserialize_with = "read_count")]
    pub completion_tokens: Option<u64>,
    /// All tokens.
    #[serde(deserialize_with = "read_count")]
    pub total_tokens: Option<u64>,
}

impl ChatResponse {
    /// The text of the first choice, whole or streamed; empty when there is none.
    pub fn text(&self) -> &str {
        let choice = self.choices.first();
        let message = choice.and_then(|choice| choice.message.as_ref().or(choice.delta.as_ref()));
        message.and_then(|message| message.content.as_deref()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HarmBlockThreshold, HarmCategory, SafetySetting, VideoMetadata};

    fn read(request: &GenerateRequest) -> Value {
        let body = request.chat_body("m", true).unwrap();
        let bytes = body.to_vec().unwrap();
        assert_eq!(bytes.len() as u64, body.length());
        serde_json::from_slice(&bytes).unwrap()
    }

    fn configured(config: Value) -> GenerateRequest {
        let config = serde_json::from_value(config).unwrap();
        GenerateRequest { generation_config: Some(config), ..GenerateRequest::default() }
    }

    #[test]
    fn conversations_and_media_have_their_shape() {
        let request = GenerateRequest {
            contents: vec![
                Content::user(vec![
                    Part::inline("image/webp", vec![0xfb, 0xff]),
                    Part::inline("audio/mpeg", vec![1]),
                    Part::text("?"),
                ]),
                Content::model(vec![Part::text("!")]),
            ],
            system_instruction: Some(Content::user(vec![Part::text("a"), Part::text("b")])),
            ..GenerateRequest::default()
        };
        let expected = json!({"model": "m", "stream": true, "messages": [
            {"role": "system", "content": [
                {"type": "text", "text": "a"}, {"type": "text", "text": "b"},
            ]},
            {"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/webp;base64,+/8="}},
                {"type": "input_audio", "input_audio": {"data": "AQ==", "format": "mp3"}},
                {"type": "text", "text": "?"},
            ]},
            {"role": "assistant", "content": "!"},
        ]});
        assert_eq!(read(&request), expected);
    }

    #[test]
    fn parameters_go_by_their_names_there() {
        let request = configured(json!({
            "temperature": 1, "topP": 0.5, "candidateCount": 2, "maxOutputTokens": 9,
            "stopSequences": ["a"], "seed": 3, "presencePenalty": 0, "frequencyPenalty": 0.25,
            "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"},
            "responseLogprobs": true, "logprobs": 4, "thinkingConfig": {"thinkingLevel": "LOW"},
        }));
        let expected = json!({
            "model": "m", "messages": [], "stream": true, "temperature": 1, "top_p": 0.5, "n": 2,
            "max_tokens": 9, "stop": ["a"], "seed": 3, "presence_penalty": 0,
            "frequency_penalty": 0.25, "logprobs": true, "top_logprobs": 4,
            "reasoning_effort": "low", "response_format": {"type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}}},
        });
        assert_eq!(read(&request), expected);
    }

    #[test]
    fn what_would_be_lost_is_named() {
        let of = |part| GenerateRequest::user(vec![part]);
        let picture = || Part::inline("image/png", vec![1]);
        let setting = SafetySetting::new(HarmCategory::Harassment, HarmBlockThreshold::Off);
        let named = Blob {
            mime_type: "image/png".into(),
            data: vec![1].into(),
            display_name: Some("a".into()),
        };
        for (request, what) in [
            (of(Part::file("gs://a/b", None)), "fileData"),
            (of(Part::inline("application/pdf", vec![1])), "application/pdf"),
            (of(Part::inline("video/mp4", vec![1])), "video/mp4"),
            (of(Part::inline("audio/flac", vec![1])), "audio/flac"),
            (of(Part::of(PartData::InlineData(named))), "displayName"),
            (
                of(Part { video_metadata: Some(VideoMetadata::default()), ..picture() }),
                "videoMetadata",
            ),
            (of(Part { thought_signature: Some("a".into()), ..picture() }), "thoughtSignature"),
            (of(Part { thought: Some(true), ..Part::text("a") }), "thought"),
            (
                GenerateRequest {
                    contents: vec![Content::model(vec![picture()])],
                    ..GenerateRequest::default()
                },
                "media in the role assistant",
            ),
            (GenerateRequest { safety_settings: vec![setting], ..of(picture()) }, "safetySettings"),
            (GenerateRequest { store: Some(true), ..of(picture()) }, "store"),
            (configured(json!({"topK": 3})), "topK"),
            (configured(json!({"mediaResolution": "MEDIA_RESOLUTION_LOW"})), "mediaResolution"),
            (configured(json!({"thinkingConfig": {"thinkingBudget": 3}})), "thinkingBudget"),
            (
                configured(json!({"responseMimeType": "text/x.enum"})),
                "responseMimeType text/x.enum",
            ),
        ] {
            let error = request.chat_body("m", false).unwrap_err();
            assert_eq!(error.what, what);
        }
    }

    #[test]
    fn answers_are_read_whole_and_streamed() {
        for (value, text) in [
            (json!({"choices": [{"message": {"role": "assistant", "content": "a"}}]}), "a"),
            (json!({"choices": [{"delta": {"content": "b"}, "finish_reason": null}]}), "b"),
            (json!({"choices": [{"message": {"content": null}}], "object": "x"}), ""),
            (json!({"choices": null, "usage": null}), ""),
            (json!({}), ""),
        ] {
            assert_eq!(serde_json::from_value::<ChatResponse>(value).unwrap().text(), text);
        }
        let value = json!({"choices": [], "usage": {"prompt_tokens": 3, "total_tokens": "4"}});
        let usage = serde_json::from_value::<ChatResponse>(value).unwrap().usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.total_tokens), (Some(3), Some(4)));
    }
}
