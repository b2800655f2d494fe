//! A request for an answer.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serializer};

use crate::body::Body;
use crate::config::GenerationConfig;
use crate::content::Content;
use crate::part::Part;
use crate::protojson::or_default;
use crate::read::read_instruction;
use crate::safety::SafetySetting;
use crate::shape::{Marks, Shape, Shaped, serialize_by_shape};
use crate::vocabulary::closed_enum;

/// What generateContent and streamGenerateContent take.
///
/// The type is closed: nothing that the API does not document can be put in. What is `None`, empty
/// or all default is left out of the JSON.
///
/// ```
/// use mediaprep_parts::{Content, GenerateRequest, Part};
///
/// let mut request = GenerateRequest::user(vec![Part::text("Name three rivers.")]);
/// request.system_instruction = Some(Content::instruction("Be brief."));
/// assert_eq!(
///     String::from_utf8(request.body().to_vec()?).unwrap(),
///     concat!(
///         r#"{"contents":[{"parts":[{"text":"Name three rivers."}],"role":"user"}],"#,
///         r#""systemInstruction":{"parts":[{"text":"Be brief."}],"role":"user"}}"#,
///     )
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct GenerateRequest {
    /// The conversation so far, what the user says now last.
    #[serde(deserialize_with = "or_default")]
    pub contents: Vec<Content>,
    /// What the model is told beforehand; text only.
    #[serde(alias = "system_instruction", deserialize_with = "read_instruction")]
    pub system_instruction: Option<Content>,
    /// How the answer is to be generated.
    #[serde(alias = "generation_config")]
    pub generation_config: Option<GenerationConfig>,
    /// What is to be blocked; one for each category.
    #[serde(alias = "safety_settings", deserialize_with = "or_default")]
    pub safety_settings: Vec<SafetySetting>,
    /// The name of a context cache that comes before the contents, in place of a system
    /// instruction.
    #[serde(alias = "cached_content")]
    pub cached_content: Option<String>,
    /// Labels for the bill.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// How soon the answer is needed; Developer API only.
    #[serde(alias = "service_tier")]
    pub service_tier: Option<ServiceTier>,
    /// Whether the service may keep the request; Developer API only.
    pub store: Option<bool>,
}

closed_enum! {
    /// How soon an answer is needed, which has its price.
    ServiceTier {
        /// Cheaper and later.
        Flex = "flex",
        Standard = "standard",
        /// Sooner and dearer.
        Priority = "priority",
    }
}

impl GenerateRequest {
    /// One question: what the user says.
    pub fn user(parts: Vec<Part>) -> Self {
        Self { contents: vec![Content::user(parts)], ..Self::default() }
    }

    /// The body of generateContent and streamGenerateContent.
    pub fn body(&self) -> Body {
        Body::of(self)
    }

    /// Writes all fields but the model, which some calls want in front.
    pub(crate) fn fields<M: SerializeMap>(
        &self,
        map: &mut M,
        marks: Option<&Marks>,
    ) -> Result<(), M::Error> {
        self.counted_fields(map, marks)?;
        if !self.safety_settings.is_empty() {
            map.serialize_entry("safetySettings", &self.safety_settings)?;
        }
        if let Some(name) = &self.cached_content {
            map.serialize_entry("cachedContent", name)?;
        }
        if !self.labels.is_empty() {
            map.serialize_entry("labels", &self.labels)?;
        }
        if let Some(tier) = self.service_tier {
            map.serialize_entry("serviceTier", &tier)?;
        }
        if let Some(store) = self.store {
            map.serialize_entry("store", &store)?;
        }
        Ok(())
    }

    /// Writes the fields that tokens are counted of.
    pub(crate) fn counted_fields<M: SerializeMap>(
        &self,
        map: &mut M,
        marks: Option<&Marks>,
    ) -> Result<(), M::Error> {
        map.serialize_entry("contents", &Shaped(self.contents.as_slice(), marks))?;
        if let Some(instruction) = &self.system_instruction {
            map.serialize_entry("systemInstruction", &Shaped(instruction, marks))?;
        }
        let default = GenerationConfig::default();
        if let Some(config) = self.generation_config.as_ref().filter(|config| **config != default) {
            map.serialize_entry("generationConfig", config)?;
        }
        Ok(())
    }
}

impl Shape for GenerateRequest {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        self.fields(&mut map, marks)?;
        map.end()
    }
}

serialize_by_shape!(GenerateRequest);
