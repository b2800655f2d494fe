//! What is to be blocked.

use serde::{Deserialize, Serialize};

use crate::vocabulary::closed_enum;

/// From where on answers of a category are blocked; one for each category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SafetySetting {
    /// The kind of harm.
    pub category: HarmCategory,
    /// From where on it is blocked.
    pub threshold: HarmBlockThreshold,
    /// What the threshold is held against; Vertex AI only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<HarmBlockMethod>,
}

impl SafetySetting {
    /// A setting by the service's own method.
    pub const fn new(category: HarmCategory, threshold: HarmBlockThreshold) -> Self {
        Self { category, threshold, method: None }
    }
}

closed_enum! {
    /// A kind of harm.
    HarmCategory {
        Harassment = "HARM_CATEGORY_HARASSMENT",
        HateSpeech = "HARM_CATEGORY_HATE_SPEECH",
        SexuallyExplicit = "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        DangerousContent = "HARM_CATEGORY_DANGEROUS_CONTENT",
        /// Deprecated by the service.
        CivicIntegrity = "HARM_CATEGORY_CIVIC_INTEGRITY",
        Jailbreak = "HARM_CATEGORY_JAILBREAK",
        /// Vertex AI only.
        ImageHate = "HARM_CATEGORY_IMAGE_HATE",
        /// Vertex AI only.
        ImageDangerousContent = "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT",
        /// Vertex AI only.
        ImageHarassment = "HARM_CATEGORY_IMAGE_HARASSMENT",
        /// Vertex AI only.
        ImageSexuallyExplicit = "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
    }
}

closed_enum! {
    /// From where on an answer is blocked.
    HarmBlockThreshold {
        LowAndAbove = "BLOCK_LOW_AND_ABOVE",
        MediumAndAbove = "BLOCK_MEDIUM_AND_ABOVE",
        OnlyHigh = "BLOCK_ONLY_HIGH",
        /// Nothing is blocked, but it is rated.
        None = "BLOCK_NONE",
        /// Nothing is even rated.
        Off = "OFF",
    }
}

closed_enum! {
    /// What a threshold is held against.
    HarmBlockMethod {
        Severity = "SEVERITY",
        Probability = "PROBABILITY",
    }
}
