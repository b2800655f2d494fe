//! How an answer is to be generated.

use mediaprep_media::MediaResolution;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::protojson::{optional_number, or_default, read_integer, read_number};
use crate::read::read_media_resolution;
use crate::vocabulary::closed_enum;

/// Most stop sequences that a request may have.
const MOST_STOP_SEQUENCES: usize = 5;

/// How an answer is to be generated. What is `None` or empty is left to the model.
///
/// ```
/// use mediaprep_parts::GenerationConfig;
///
/// let config = GenerationConfig { temperature: Some(1.0), ..GenerationConfig::default() };
/// assert_eq!(serde_json::to_string(&config).unwrap(), r#"{"temperature":1}"#);
/// let wrong = GenerationConfig { top_p: Some(1.5), ..config };
/// assert_eq!(wrong.validate().unwrap_err().to_string(), "topP is 1.5, allowed is 0 to 1");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct GenerationConfig {
    /// How freely words are chosen, from 0 on; the highest value depends on the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "optional_number", deserialize_with = "read_number")]
    pub temperature: Option<f64>,
    /// Words are chosen among the likeliest that together have this probability, 0 to 1.
    #[serde(alias = "top_p", skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "optional_number", deserialize_with = "read_number")]
    pub top_p: Option<f64>,
    /// Words are chosen among this many of the likeliest.
    #[serde(alias = "top_k", skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "read_integer")]
    pub top_k: Option<u32>,
    /// How many answers are wanted, at least 1.
    #[serde(alias = "candidate_count", skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "read_integer")]
    pub candidate_count: Option<u32>,
    /// Most tokens of an answer, at least 1, those of its thoughts included.
    #[serde(alias = "max_output_tokens", skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "read_integer")]
    pub max_output_tokens: Option<u32>,
    /// Texts that end an answer, at most 5.
    #[serde(alias = "stop_sequences", skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "or_default")]
    pub stop_sequences: Vec<String>,
    /// The same seed gives mostly the same answer.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "read_integer")]
    pub seed: Option<i32>,
    /// Above zero, words that were used before become less likely.
    #[serde(alias = "presence_penalty", skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "optional_number", deserialize_with = "read_number")]
    pub presence_penalty: Option<f64>,
    /// Above zero, words become less likely with each use.
    #[serde(alias = "frequency_penalty", skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "optional_number", deserialize_with = "read_number")]
    pub frequency_penalty: Option<f64>,
    /// The answer's type: `text/plain`, `application/json` or `text/x.enum`.
    #[serde(alias = "response_mime_type", skip_serializing_if = "Option::is_none")]
    pub response_mime_type: Option<String>,
    /// What JSON is wanted, in the API's own subset of OpenAPI's schemas.
    #[serde(alias = "response_schema", skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<Value>,
    /// What JSON is wanted, as a JSON Schema; not together with `response_schema`.
    #[serde(alias = "response_json_schema", skip_serializing_if = "Option::is_none")]
    pub response_json_schema: Option<Value>,
    /// What the answer may be made of.
    #[serde(alias = "response_modalities", skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "or_default")]
    pub response_modalities: Vec<ResponseModality>,
    /// Whether the probabilities of the words come with the answer.
    #[serde(alias = "response_logprobs", skip_serializing_if = "Option::is_none")]
    pub response_logprobs: Option<bool>,
    /// How many of the likeliest words come with each word; needs `response_logprobs`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "read_integer")]
    pub logprobs: Option<u32>,
    /// How finely media are looked at; ultra-high is for single parts only.
    #[serde(alias = "media_resolution", skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "level", deserialize_with = "read_media_resolution")]
    pub media_resolution: Option<MediaResolution>,
    /// How much the model thinks first.
    #[serde(alias = "thinking_config", skip_serializing_if = "says_nothing")]
    pub thinking_config: Option<ThinkingConfig>,
    /// Whether the model is told times inside of sounds; Vertex AI only.
    #[serde(alias = "audio_timestamp", skip_serializing_if = "Option::is_none")]
    pub audio_timestamp: Option<bool>,
    /// How speech is made, as the API spells it.
    #[serde(alias = "speech_config", skip_serializing_if = "Option::is_none")]
    pub speech_config: Option<Value>,
    /// How images are made, as the API spells it.
    #[serde(alias = "image_config", skip_serializing_if = "Option::is_none")]
    pub image_config: Option<Value>,
}

/// How much the model thinks before it answers. A budget or a level, by the model's generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ThinkingConfig {
    /// Most tokens of thoughts: 0 for none, -1 to leave it to the model.
    #[serde(alias = "thinking_budget", skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "read_integer")]
    pub thinking_budget: Option<i32>,
    /// How deeply.
    #[serde(alias = "thinking_level", skip_serializing_if = "Option::is_none")]
    pub thinking_level: Option<ThinkingLevel>,
    /// Whether summaries of the thoughts come with the answer.
    #[serde(alias = "include_thoughts", skip_serializing_if = "Option::is_none")]
    pub include_thoughts: Option<bool>,
}

closed_enum! {
    /// How deeply a model thinks.
    ThinkingLevel {
        Minimal = "MINIMAL",
        Low = "LOW",
        Medium = "MEDIUM",
        High = "HIGH",
    }
}

closed_enum! {
    /// What an answer may be made of.
    ResponseModality {
        Text = "TEXT",
        Image = "IMAGE",
        Audio = "AUDIO",
        Video = "VIDEO",
    }
}

/// A parameter that no model takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, allowed is {allowed}")]
pub struct InvalidConfig {
    /// The parameter as the API spells it.
    pub field: &'static str,
    /// What it is.
    pub found: String,
    /// What it may be.
    pub allowed: &'static str,
}

impl GenerationConfig {
    /// Holds the parameters against what is true of every model. What a certain model takes is
    /// narrower.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] for the first parameter that no model takes.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        self.validate_numbers()?;
        self.validate_lists()?;
        let level = self.media_resolution.filter(|level| *level == MediaResolution::UltraHigh);
        refuse("mediaResolution", level.map(MediaResolution::wire_name), "low, medium or high")?;
        let thinking = self.thinking_config.unwrap_or_default();
        let budget = thinking.thinking_budget.filter(|budget| *budget < -1);
        refuse("thinkingConfig.thinkingBudget", budget, "-1 or more")?;
        let both = thinking.thinking_budget.and(thinking.thinking_level);
        let both = both.map(|_| "given together with thinkingBudget");
        refuse("thinkingConfig.thinkingLevel", both, "one of the two")?;
        let lone = self.logprobs.filter(|_| self.response_logprobs != Some(true));
        refuse("logprobs", lone, "none without responseLogprobs")
    }

    fn validate_numbers(&self) -> Result<(), InvalidConfig> {
        let outside = |value: Option<f64>, within: fn(f64) -> bool| {
            value.filter(|value| !(value.is_finite() && within(*value)))
        };
        refuse("temperature", outside(self.temperature, |value| value >= 0.0), "0 or more")?;
        let in_one = |value| (0.0..=1.0).contains(&value);
        refuse("topP", outside(self.top_p, in_one), "0 to 1")?;
        let finite = "a finite number";
        refuse("presencePenalty", outside(self.presence_penalty, |_| true), finite)?;
        refuse("frequencyPenalty", outside(self.frequency_penalty, |_| true), finite)?;
        let zero = |value: Option<u32>| value.filter(|value| *value == 0);
        refuse("topK", zero(self.top_k), "1 or more")?;
        refuse("candidateCount", zero(self.candidate_count), "1 or more")?;
        refuse("maxOutputTokens", zero(self.max_output_tokens), "1 or more")
    }

    fn validate_lists(&self) -> Result<(), InvalidConfig> {
        let stops = self.stop_sequences.len();
        let many = (stops > MOST_STOP_SEQUENCES).then(|| format!("{stops} texts"));
        refuse("stopSequences", many, "at most 5 texts")?;
        let empty = self.stop_sequences.iter().any(String::is_empty).then_some("an empty text");
        refuse("stopSequences", empty, "texts with a character")?;
        let both = self.response_schema.as_ref().and(self.response_json_schema.as_ref());
        let both = both.map(|_| "given together with responseJsonSchema");
        refuse("responseSchema", both, "one of the two")
    }
}

fn refuse(
    field: &'static str,
    found: Option<impl ToString>,
    allowed: &'static str,
) -> Result<(), InvalidConfig> {
    match found {
        Some(found) => Err(InvalidConfig { field, found: found.to_string(), allowed }),
        None => Ok(()),
    }
}

fn level<S: Serializer>(level: &Option<MediaResolution>, to: S) -> Result<S::Ok, S::Error> {
    level.map(MediaResolution::wire_name).serialize(to)
}

fn says_nothing(config: &Option<ThinkingConfig>) -> bool {
    config.is_none_or(|config| config == ThinkingConfig::default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> GenerationConfig {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_every_model_takes_is_valid() {
        GenerationConfig::default().validate().unwrap();
        let all = json!({
            "temperature": 0, "topP": 1, "topK": 1, "candidateCount": 1, "maxOutputTokens": 1,
            "stopSequences": ["a", "b", "c", "d", "e"], "seed": -7, "presencePenalty": -0.5,
            "frequencyPenalty": 0.5, "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT"}, "responseModalities": ["TEXT", "IMAGE"],
            "responseLogprobs": true, "logprobs": 3, "mediaResolution": "MEDIA_RESOLUTION_HIGH",
            "thinkingConfig": {"thinkingBudget": -1, "includeThoughts": true},
            "audioTimestamp": true, "speechConfig": {"voiceConfig": {}},
            "imageConfig": {"aspectRatio": "1:1"},
        });
        let config = read(all.clone());
        config.validate().unwrap();
        assert_eq!(serde_json::to_value(&config).unwrap(), all);
    }

    #[test]
    fn each_wrong_parameter_is_named_with_what_is_allowed() {
        for (value, message) in [
            (json!({"temperature": -0.1}), "temperature is -0.1, allowed is 0 or more"),
            (json!({"topP": 1.01}), "topP is 1.01, allowed is 0 to 1"),
            (json!({"topK": 0}), "topK is 0, allowed is 1 or more"),
            (json!({"candidateCount": 0}), "candidateCount is 0, allowed is 1 or more"),
            (json!({"maxOutputTokens": 0}), "maxOutputTokens is 0, allowed is 1 or more"),
            (
                json!({"stopSequences": ["a", "b", "c", "d", "e", "f"]}),
                "stopSequences is 6 texts, allowed is at most 5 texts",
            ),
            (
                json!({"stopSequences": [""]}),
                "stopSequences is an empty text, allowed is texts with a character",
            ),
            (
                json!({"responseSchema": {}, "responseJsonSchema": {}}),
                "responseSchema is given together with responseJsonSchema, allowed is one of the two",
            ),
            (
                json!({"mediaResolution": "MEDIA_RESOLUTION_ULTRA_HIGH"}),
                "mediaResolution is MEDIA_RESOLUTION_ULTRA_HIGH, allowed is low, medium or high",
            ),
            (
                json!({"thinkingConfig": {"thinkingBudget": -2}}),
                "thinkingConfig.thinkingBudget is -2, allowed is -1 or more",
            ),
            (
                json!({"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}),
                "thinkingConfig.thinkingLevel is given together with thinkingBudget, allowed is \
                 one of the two",
            ),
            (json!({"logprobs": 2}), "logprobs is 2, allowed is none without responseLogprobs"),
        ] {
            assert_eq!(read(value).validate().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for set in [
                |config: &mut GenerationConfig, number| config.temperature = Some(number),
                |config: &mut GenerationConfig, number| config.top_p = Some(number),
                |config: &mut GenerationConfig, number| config.presence_penalty = Some(number),
                |config: &mut GenerationConfig, number| config.frequency_penalty = Some(number),
            ] {
                let mut config = GenerationConfig::default();
                set(&mut config, number);
                assert!(config.validate().is_err(), "{config:?}");
            }
        }
    }

    #[test]
    fn what_is_unknown_is_refused_and_what_is_null_is_absent() {
        let unknown = json!({"temprature": 1});
        assert!(serde_json::from_value::<GenerationConfig>(unknown).is_err());
        let nulls = json!({"stopSequences": null, "topK": null, "thinkingConfig": {}});
        assert_eq!(serde_json::to_string(&read(nulls)).unwrap(), "{}");
    }
}
