use std::sync::Arc;

use serde_json::{Map, Value, json};

/// What tokens are counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Modality {
    /// Text, also of text files.
    Text,
    /// Still images.
    Image,
    /// Videos.
    Video,
    /// Sound.
    Audio,
    /// PDF.
    Document,
}

impl Modality {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Image => "IMAGE",
            Self::Video => "VIDEO",
            Self::Audio => "AUDIO",
            Self::Document => "DOCUMENT",
        }
    }
}

/// Counts the tokens of a request: a `GenerateContentRequest` with lowerCamelCase names, in which
/// each file has its MIME type. Counts of one modality are added up.
pub(crate) type TokenCounter = Arc<dyn Fn(&Value) -> Vec<(Modality, u64)> + Send + Sync>;

/// The stand-in for counting: one token for each four characters of text begun; whatever its
/// size, 258 for an image or PDF, 263 for a video, 32 for a sound, 64 for a text file.
pub(crate) fn count_plainly(request: &Value) -> Vec<(Modality, u64)> {
    parts(request).filter_map(part_tokens).collect()
}

/// Every part of a request, the system instruction's first.
pub(crate) fn parts(request: &Value) -> impl Iterator<Item = &Value> {
    let contents = request["contents"].as_array().into_iter().flatten();
    let all = std::iter::once(&request["systemInstruction"]).chain(contents);
    all.flat_map(|content| content["parts"].as_array().into_iter().flatten())
}

fn part_tokens(part: &Value) -> Option<(Modality, u64)> {
    if let Some(text) = part["text"].as_str() {
        return Some((Modality::Text, text_tokens(text)));
    }
    let modality = part_modality(part)?;
    let tokens = match modality {
        Modality::Image | Modality::Document => 258,
        Modality::Video => 263,
        Modality::Audio => 32,
        Modality::Text => 64,
    };
    Some((modality, tokens))
}

/// What a part with media is, by its MIME type; a URI without one is a video.
pub(crate) fn part_modality(part: &Value) -> Option<Modality> {
    let media =
        [&part["inlineData"], &part["fileData"]].into_iter().find(|data| data.is_object())?;
    let mime_type = media["mimeType"].as_str().unwrap_or("video/");
    Some(match mime_type.split('/').next() {
        Some("image") => Modality::Image,
        Some("audio") => Modality::Audio,
        Some("video") => Modality::Video,
        _ if mime_type.starts_with("application/pdf") => Modality::Document,
        _ => Modality::Text,
    })
}

pub(crate) fn text_tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}

/// Counts added up, in the order of [`Modality`], without zeros.
pub(crate) struct Usage(Vec<(Modality, u64)>);

impl Usage {
    pub(crate) fn of(counter: &TokenCounter, request: &Value) -> Self {
        let mut sums: Vec<(Modality, u64)> = Vec::new();
        for (modality, tokens) in counter(request) {
            match sums.iter_mut().find(|(known, _)| *known == modality) {
                Some((_, sum)) => *sum += tokens,
                None => sums.push((modality, tokens)),
            }
        }
        sums.retain(|(_, tokens)| *tokens > 0);
        sums.sort_unstable();
        Self(sums)
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|(_, tokens)| tokens).sum()
    }

    pub(crate) fn details(&self) -> Value {
        let detail = |(modality, tokens): &(Modality, u64)| json!({"modality": modality.name(), "tokenCount": tokens});
        self.0.iter().map(detail).collect()
    }

    /// `usageMetadata` of an answer with so many tokens; zeros are left out.
    pub(crate) fn metadata(&self, answered: u64) -> Value {
        let mut metadata = Map::new();
        for (name, count) in [
            ("promptTokenCount", self.total()),
            ("candidatesTokenCount", answered),
            ("totalTokenCount", self.total() + answered),
        ] {
            if count > 0 {
                metadata.insert(name.into(), count.into());
            }
        }
        if !self.0.is_empty() {
            metadata.insert("promptTokensDetails".into(), self.details());
        }
        Value::Object(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_added_up_by_modality() {
        let request = json!({
            "systemInstruction": {"parts": [{"text": "terse"}]},
            "contents": [{"parts": [
                {"inlineData": {"mimeType": "image/png", "data": ""}},
                {"inlineData": {"mimeType": "image/png", "data": ""}},
                {"text": "Which?"},
            ]}],
        });
        let counter: TokenCounter = Arc::new(count_plainly);
        let usage = Usage::of(&counter, &request);
        assert_eq!(usage.0, [(Modality::Text, 4), (Modality::Image, 516)]);
        assert_eq!(usage.metadata(0)["totalTokenCount"], 520);
        assert_eq!(usage.metadata(0).get("candidatesTokenCount"), None);
    }
}
