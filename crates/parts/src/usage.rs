//! What the service counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protojson::{or_default, read_count};
use crate::vocabulary::open_enum;

/// The tokens of a request and its answer. Counts of zero are left out by the service.
///
/// The total is prompt, candidates, tool use and thoughts together; the prompt's count includes
/// cached tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsageMetadata {
    /// Tokens of the whole prompt, cached ones included.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub prompt_token_count: Option<u64>,
    /// Tokens of all candidates without their thoughts.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub candidates_token_count: Option<u64>,
    /// Tokens of thoughts.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub thoughts_token_count: Option<u64>,
    /// Tokens of the prompt that came from a cache.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub cached_content_token_count: Option<u64>,
    /// Tokens that tools put into the prompt.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub tool_use_prompt_token_count: Option<u64>,
    /// All tokens.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub total_token_count: Option<u64>,
    /// The prompt's by modality.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub prompt_tokens_details: Vec<ModalityCount>,
    /// The candidates' by modality.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub candidates_tokens_details: Vec<ModalityCount>,
    /// The cached ones by modality.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub cache_tokens_details: Vec<ModalityCount>,
    /// Those of tools by modality.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub tool_use_prompt_tokens_details: Vec<ModalityCount>,
    /// Which quota paid, as the API spells it; Vertex AI only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_type: Option<String>,
}

impl UsageMetadata {
    /// The prompt's tokens by modality; a modality that is listed twice is added up.
    ///
    /// ```
    /// use mediaprep_parts::{ApiModality, UsageMetadata};
    ///
    /// let usage: UsageMetadata = serde_json::from_str(
    ///     r#"{"promptTokensDetails":[{"modality":"TEXT","tokenCount":6},
    ///         {"modality":"IMAGE","tokenCount":"258"}]}"#,
    /// )?;
    /// assert_eq!(usage.prompt_by_modality()[&ApiModality::Image], 258);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn prompt_by_modality(&self) -> BTreeMap<ApiModality, u64> {
        by_modality(&self.prompt_tokens_details)
    }
}

fn by_modality(counts: &[ModalityCount]) -> BTreeMap<ApiModality, u64> {
    let mut sums = BTreeMap::new();
    for ModalityCount { modality, token_count } in counts {
        let Some(modality) = modality else { continue };
        let sum: &mut u64 = sums.entry(modality.clone()).or_default();
        *sum = sum.saturating_add(token_count.unwrap_or(0));
    }
    sums
}

/// Tokens of one modality.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModalityCount {
    /// The modality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modality: Option<ApiModality>,
    /// Its tokens; left out by the service when there are none.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub token_count: Option<u64>,
}

open_enum! {
    /// A modality as the API counts it.
    ApiModality {
        Text = "TEXT",
        Image = "IMAGE",
        Video = "VIDEO",
        Audio = "AUDIO",
        /// PDFs.
        Document = "DOCUMENT",
    }
}

/// The answer of countTokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CountResponse {
    /// All tokens of the prompt.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// The same by modality.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub prompt_tokens_details: Vec<ModalityCount>,
    /// Those that come from a cache.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub cached_content_token_count: Option<u64>,
    /// The cached ones by modality.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub cache_tokens_details: Vec<ModalityCount>,
    /// Characters that are paid for; Vertex AI only.
    #[serde(deserialize_with = "read_count", skip_serializing_if = "Option::is_none")]
    pub total_billable_characters: Option<u64>,
}

impl CountResponse {
    /// The prompt's tokens by modality; a modality that is listed twice is added up.
    pub fn prompt_by_modality(&self) -> BTreeMap<ApiModality, u64> {
        by_modality(&self.prompt_tokens_details)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn modalities_are_added_up_and_new_ones_kept() {
        let usage: UsageMetadata = serde_json::from_value(json!({
            "promptTokensDetails": [
                {"modality": "IMAGE", "tokenCount": 258},
                {"modality": "IMAGE", "tokenCount": "2"},
                {"modality": "SMELL", "tokenCount": 7},
                {"modality": "AUDIO"},
                {"tokenCount": 5},
                {"modality": "IMAGE", "tokenCount": u64::MAX},
            ],
            "candidatesTokensDetails": null,
        }))
        .unwrap();
        let expected = [
            (ApiModality::Image, u64::MAX),
            (ApiModality::Audio, 0),
            (ApiModality::Other("SMELL".into()), 7),
        ];
        assert_eq!(usage.prompt_by_modality(), expected.into());
    }

    #[test]
    fn counts_are_read_in_every_form_and_nonsense_is_absent() {
        for (count, expected) in [
            (json!(264), Some(264)),
            (json!("264"), Some(264)),
            (json!(264.0), Some(264)),
            (json!("18446744073709551615"), Some(u64::MAX)),
            (json!(null), None),
            (json!(-1), None),
            (json!("many"), None),
            (json!(1.5), None),
            (json!(true), None),
            (json!([1]), None),
            (json!({"a": 1}), None),
        ] {
            let value = json!({"totalTokens": count, "totalBillableCharacters": 3});
            let answer: CountResponse = serde_json::from_value(value).unwrap();
            assert_eq!(
                (answer.total_tokens, answer.total_billable_characters),
                (expected, Some(3))
            );
        }
    }
}
