//! What comes back: every field can be missing, every list of names can grow.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::data::Data;
use crate::part::{Blob, FileData};
use crate::protojson::{or_default, read_count, read_number};
use crate::safety::HarmCategory;
use crate::usage::UsageMetadata;
use crate::vocabulary::open_enum;

/// An answer, or one event of a streamed one.
///
/// Reading it forgives: fields that are missing or `null` are absent, unknown ones ignored, counts
/// are taken as numbers or as text.
///
/// ```
/// use mediaprep_parts::{FinishReason, GenerateResponse};
///
/// let answer: GenerateResponse = serde_json::from_str(
///     r#"{"candidates":[{"content":{"parts":[{"text":"A red square."}]},"finishReason":"STOP"}],
///         "usageMetadata":{"promptTokenCount":264}}"#,
/// )?;
/// assert_eq!(answer.text(), "A red square.");
/// assert_eq!(answer.candidates[0].finish_reason, Some(FinishReason::Stop));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GenerateResponse {
    /// The answers; none when the prompt was blocked.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// What the service thought of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_feedback: Option<PromptFeedback>,
    /// What was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_metadata: Option<UsageMetadata>,
    /// The version of the model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// The answer's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// When the request came in, RFC 3339; Vertex AI only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
}

impl GenerateResponse {
    /// The text of the first candidate without its thoughts; empty when there is none.
    pub fn text(&self) -> String {
        self.candidates.first().map(Candidate::text).unwrap_or_default()
    }
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Candidate {
    /// Its place among the candidates.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// What it says; absent when nothing was said before it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<AnswerContent>,
    /// Why it ended; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<FinishReason>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_message: Option<String>,
    /// How harmful it was found.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub safety_ratings: Vec<SafetyRating>,
    /// Its tokens.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub token_count: Option<u64>,
    /// Citations, grounding, probabilities and whatever else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Candidate {
    /// Its text without its thoughts.
    pub fn text(&self) -> String {
        let parts = self.content.iter().flat_map(|content| &content.parts);
        parts.filter_map(AnswerPart::visible_text).collect()
    }
}

/// What a candidate says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnswerContent {
    /// Who says it: `model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its parts, which can be missing too.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<AnswerPart>,
}

/// One piece of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnswerPart {
    /// Text; in a stream it may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the part is a thought rather than an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought: Option<bool>,
    /// The signature of a thought in base64, to be echoed unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<String>,
    /// Bytes, such as those of an image that the model made.
    #[serde(deserialize_with = "read_blob", skip_serializing_if = "Option::is_none")]
    pub inline_data: Option<Blob>,
    /// A file.
    #[serde(deserialize_with = "read_file", skip_serializing_if = "Option::is_none")]
    pub file_data: Option<FileData>,
    /// Function calls, code and whatever else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl AnswerPart {
    /// The text, unless it is a thought.
    pub fn visible_text(&self) -> Option<&str> {
        self.text.as_deref().filter(|_| self.thought != Some(true))
    }
}

/// What the service thought of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PromptFeedback {
    /// Why the prompt was blocked; the HTTP status is 200 all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_reason: Option<BlockReason>,
    /// The same in words; Vertex AI only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_reason_message: Option<String>,
    /// How harmful it was found.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub safety_ratings: Vec<SafetyRating>,
}

/// How harmful something was found in one category.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SafetyRating {
    /// The kind of harm as the API spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How likely it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<HarmProbability>,
    /// Whether it was blocked for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// How grave it is; Vertex AI only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<HarmSeverity>,
    /// How likely it is, 0 to 1; Vertex AI only.
    #[serde(deserialize_with = "read_number", skip_serializing_if = "Option::is_none")]
    pub probability_score: Option<f64>,
    /// How grave it is, 0 to 1; Vertex AI only.
    #[serde(deserialize_with = "read_number", skip_serializing_if = "Option::is_none")]
    pub severity_score: Option<f64>,
}

impl SafetyRating {
    /// The kind of harm, when it is one that requests can name.
    pub fn harm_category(&self) -> Option<HarmCategory> {
        HarmCategory::from_wire_name(self.category.as_deref()?)
    }
}

open_enum! {
    /// Why an answer ended.
    FinishReason {
        /// The model was done, or met a stop sequence.
        Stop = "STOP",
        MaxTokens = "MAX_TOKENS",
        Safety = "SAFETY",
        Recitation = "RECITATION",
        Language = "LANGUAGE",
        Blocklist = "BLOCKLIST",
        ProhibitedContent = "PROHIBITED_CONTENT",
        Spii = "SPII",
        MalformedFunctionCall = "MALFORMED_FUNCTION_CALL",
        ImageSafety = "IMAGE_SAFETY",
        ImageProhibitedContent = "IMAGE_PROHIBITED_CONTENT",
        ImageOther = "IMAGE_OTHER",
        NoImage = "NO_IMAGE",
        ImageRecitation = "IMAGE_RECITATION",
        UnexpectedToolCall = "UNEXPECTED_TOOL_CALL",
        TooManyToolCalls = "TOO_MANY_TOOL_CALLS",
        MissingThoughtSignature = "MISSING_THOUGHT_SIGNATURE",
        MalformedResponse = "MALFORMED_RESPONSE",
        Escalation = "ESCALATION",
        PupLimitedDisabled = "PUP_LIMITED_DISABLED",
        Continuation = "CONTINUATION",
        ModelArmor = "MODEL_ARMOR",
    }
}

open_enum! {
    /// Why a prompt was blocked.
    BlockReason {
        Safety = "SAFETY",
        Blocklist = "BLOCKLIST",
        ProhibitedContent = "PROHIBITED_CONTENT",
        ImageSafety = "IMAGE_SAFETY",
        ModelArmor = "MODEL_ARMOR",
        Jailbreak = "JAILBREAK",
    }
}

open_enum! {
    /// How likely a harm is.
    HarmProbability {
        Negligible = "NEGLIGIBLE",
        Low = "LOW",
        Medium = "MEDIUM",
        High = "HIGH",
    }
}

open_enum! {
    /// How grave a harm is.
    HarmSeverity {
        Negligible = "HARM_SEVERITY_NEGLIGIBLE",
        Low = "HARM_SEVERITY_LOW",
        Medium = "HARM_SEVERITY_MEDIUM",
        High = "HARM_SEVERITY_HIGH",
    }
}

/// Reads bytes with what is known of them; a type that is missing is empty.
fn read_blob<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Blob>, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Fields {
        #[serde(deserialize_with = "or_default")]
        mime_type: String,
        #[serde(deserialize_with = "or_default")]
        data: Data,
        display_name: Option<String>,
    }
    let fields = Option::<Fields>::deserialize(from)?;
    Ok(fields.map(|Fields { mime_type, data, display_name }| Blob {
        mime_type: mime_type.into(),
        data,
        display_name,
    }))
}

/// Reads a file's address with what is known of it.
fn read_file<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<FileData>, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Fields {
        #[serde(deserialize_with = "or_default")]
        file_uri: String,
        mime_type: Option<String>,
    }
    let fields = Option::<Fields>::deserialize(from)?;
    Ok(fields.map(|Fields { file_uri, mime_type }| FileData {
        file_uri,
        mime_type: mime_type.map(Into::into),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> GenerateResponse {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_answer_may_lack_everything() {
        for value in [
            json!({}),
            json!({"candidates": null, "promptFeedback": null, "usageMetadata": null}),
            json!({"candidates": []}),
            json!({"candidates": [{}]}),
            json!({"candidates": [{"content": null, "finishReason": null}]}),
            json!({"candidates": [{"content": {"role": "model"}}]}),
            json!({"candidates": [{"content": {"parts": null}, "safetyRatings": null}]}),
            json!({"candidates": [{"content": {"parts": [{}]}}]}),
        ] {
            assert_eq!(read(value.clone()).text(), "", "{value}");
        }
    }

    #[test]
    fn the_visible_text_has_no_thoughts_and_is_the_first_candidate_s() {
        let answer = read(json!({"candidates": [
            {"content": {"parts": [
                {"text": "Hm.", "thought": true},
                {"text": "A red "},
                {"functionCall": {"name": "f"}},
                {"text": "square.", "thoughtSignature": "c2ln"},
                {"text": ""},
            ]}},
            {"content": {"parts": [{"text": "another"}]}},
        ]}));
        assert_eq!(answer.text(), "A red square.");
        let parts = &answer.candidates[0].content.as_ref().unwrap().parts;
        assert_eq!(parts[2].other["functionCall"], json!({"name": "f"}));
        assert_eq!(parts[3].thought_signature.as_deref(), Some("c2ln"));
    }

    #[test]
    fn unknown_names_are_kept_and_unknown_fields_ignored() {
        let answer = read(json!({
            "candidates": [{"finishReason": "BORED", "index": "1", "newField": [1]}],
            "promptFeedback": {"blockReason": "OTHER", "more": {}},
            "somethingElse": 1,
        }));
        let candidate = &answer.candidates[0];
        let reason = candidate.finish_reason.as_ref().unwrap();
        assert_eq!(reason, &FinishReason::Other("BORED".into()));
        assert_eq!((reason.as_str(), candidate.index), ("BORED", Some(1)));
        let feedback = answer.prompt_feedback.unwrap();
        assert_eq!(feedback.block_reason, Some(BlockReason::Other("OTHER".into())));
        assert_eq!(candidate.other["newField"], json!([1]));
    }

    #[test]
    fn pictures_and_files_in_answers_are_read_with_whatever_they_have() {
        let answer = read(json!({"candidates": [{"content": {"parts": [
            {"inlineData": {"mimeType": "image/png", "data": "-_8", "extra": 1}},
            {"inlineData": {"data": "AA=="}},
            {"fileData": {"fileUri": "https://a.example/b", "extra": 1}},
        ]}}]}));
        let parts = &answer.candidates[0].content.as_ref().unwrap().parts;
        let picture = parts[0].inline_data.as_ref().unwrap();
        assert_eq!(picture.mime_type, "image/png");
        assert_eq!(picture.data.as_bytes(), Some(&[0xfb, 0xff][..]));
        assert_eq!(parts[1].inline_data.as_ref().unwrap().mime_type, "");
        assert_eq!(parts[2].file_data.as_ref().unwrap().file_uri, "https://a.example/b");
    }

    #[test]
    fn ratings_name_the_harms_that_requests_can_name() {
        let rating = |name: &str| -> SafetyRating {
            let value = json!({"category": name, "probability": "LOW", "severityScore": 0.25});
            serde_json::from_value(value).unwrap()
        };
        let known = rating("HARM_CATEGORY_HARASSMENT");
        assert_eq!(known.harm_category(), Some(HarmCategory::Harassment));
        assert_eq!(known.probability, Some(HarmProbability::Low));
        assert_eq!(rating("HARM_CATEGORY_NEW").harm_category(), None);
    }

    #[test]
    fn an_answer_is_written_as_it_was_read() {
        let value = json!({
            "candidates": [{
                "content": {"parts": [{"text": "a"}, {"functionCall": {"name": "f"}}],
                    "role": "model"},
                "finishReason": "STOP", "index": 0, "avgLogprobs": -0.5,
                "safetyRatings": [{"category": "X", "probability": "HIGH", "blocked": true}],
            }],
            "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 4,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}]},
            "modelVersion": "m", "responseId": "r",
        });
        assert_eq!(serde_json::to_value(read(value.clone())).unwrap(), value);
    }
}
