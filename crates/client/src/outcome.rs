//! What an answer amounts to: text, or one of the ways in which a success is none.

use mediaprep_parts::{AnswerPart, BlockReason, FinishReason, GenerateResponse, UsageMetadata};

/// What became of a request that the service answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The model answered and came to its end.
    Text(String),
    /// The prompt was blocked: there is no candidate, though the HTTP code is 200.
    Blocked {
        /// Why.
        reason: BlockReason,
        /// What the service says about it.
        message: Option<String>,
    },
    /// The candidate was stopped before its own end.
    Stopped {
        /// Why, such as `MAX_TOKENS` or `SAFETY`.
        reason: FinishReason,
        /// What the service says about it.
        message: Option<String>,
        /// What came before.
        text: String,
    },
    /// The candidate ended by itself and is empty, or there is none and nobody says why.
    Empty,
    /// The stream ended without a finish reason, so the text may lack its end.
    Cut {
        /// What came before.
        text: String,
    },
}

impl Outcome {
    /// The text, whole or not.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Stopped { text, .. } | Self::Cut { text } => text,
            Self::Blocked { .. } | Self::Empty => "",
        }
    }

    /// Whether the model answered and came to its end.
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// One clause for a person, where it is no plain success.
    pub fn trouble(&self) -> Option<String> {
        let with = |what: String, message: &Option<String>| match message {
            Some(message) => format!("{what}: {message}"),
            None => what,
        };
        Some(match self {
            Self::Text(_) => return None,
            Self::Blocked { reason, message } => {
                with(format!("the prompt was blocked ({})", reason.as_str()), message)
            }
            Self::Stopped { reason, message, .. } => {
                with(format!("the answer was stopped ({})", reason.as_str()), message)
            }
            Self::Empty => "the answer is empty".to_owned(),
            Self::Cut { .. } => "the stream ended without saying that it was finished".to_owned(),
        })
    }
}

/// An answer with everything that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// What it amounts to.
    pub outcome: Outcome,
    /// What was charged, where the service says so.
    pub usage: Option<UsageMetadata>,
    /// The exact model that answered.
    pub model_version: Option<String>,
    /// The answer's own number.
    pub response_id: Option<String>,
    /// Every part of the first candidate: text, thoughts, pictures, with their signatures, for
    /// sending them back as history.
    pub parts: Vec<AnswerPart>,
}

/// Puts an answer together, from one response or from the pieces of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collected {
    text: String,
    parts: Vec<AnswerPart>,
    finish: Option<(FinishReason, Option<String>)>,
    blocked: Option<(BlockReason, Option<String>)>,
    usage: Option<UsageMetadata>,
    model_version: Option<String>,
    response_id: Option<String>,
}

impl Collected {
    pub(crate) fn add(&mut self, response: &GenerateResponse) {
        self.text.push_str(&response.text());
        if let Some(feedback) = &response.prompt_feedback
            && let Some(reason) = &feedback.block_reason
        {
            self.blocked = Some((reason.clone(), feedback.block_reason_message.clone()));
        }
        if let Some(candidate) = response.candidates.first() {
            let parts = candidate.content.iter().flat_map(|content| &content.parts);
            self.parts.extend(parts.cloned());
            if let Some(reason) = &candidate.finish_reason {
                self.finish = Some((reason.clone(), candidate.finish_message.clone()));
            }
        }
        // Each piece of a stream repeats the usage so far; the last is the charge.
        let keep = |new: &Option<String>, old: &mut Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        if response.usage_metadata.is_some() {
            self.usage.clone_from(&response.usage_metadata);
        }
        keep(&response.model_version, &mut self.model_version);
        keep(&response.response_id, &mut self.response_id);
    }

    /// `streamed`: a missing finish reason means that the end is missing.
    pub(crate) fn finish(self, streamed: bool) -> Generated {
        let text = self.text;
        let outcome = match (self.finish, self.blocked) {
            (None, Some((reason, message))) => Outcome::Blocked { reason, message },
            (Some((FinishReason::Stop, _)), _) if text.is_empty() && !has_media(&self.parts) => {
                Outcome::Empty
            }
            (Some((FinishReason::Stop, _)), _) => Outcome::Text(text),
            (Some((reason, message)), _) => Outcome::Stopped { reason, message, text },
            (None, None) if streamed => Outcome::Cut { text },
            (None, None) if text.is_empty() && !has_media(&self.parts) => Outcome::Empty,
            (None, None) => Outcome::Text(text),
        };
        Generated {
            outcome,
            usage: self.usage,
            model_version: self.model_version,
            response_id: self.response_id,
            parts: self.parts,
        }
    }
}

/// An answer may be a picture or a call without a word.
fn has_media(parts: &[AnswerPart]) -> bool {
    parts.iter().any(|part| {
        part.inline_data.is_some() || part.file_data.is_some() || !part.other.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(value: serde_json::Value, streamed: bool) -> Outcome {
        let mut collected = Collected::default();
        collected.add(&serde_json::from_value(value).unwrap());
        collected.finish(streamed).outcome
    }

    #[test]
    fn successes_that_are_none_are_told_apart() {
        let text = json!([{"text": "hm", "thought": true}, {"text": "yes"}]);
        let candidate = |content, finish| {
            json!({"candidates": [
            {"content": content, "finishReason": finish}]})
        };
        let yes = || "yes".to_owned();
        let parts = json!({"parts": text});
        assert_eq!(outcome(candidate(parts.clone(), json!("STOP")), false), Outcome::Text(yes()));
        assert_eq!(
            outcome(candidate(parts.clone(), json!("MAX_TOKENS")), false),
            Outcome::Stopped { reason: FinishReason::MaxTokens, message: None, text: yes() },
        );
        let odd = outcome(candidate(json!(null), json!("BORED")), false);
        assert!(matches!(&odd, Outcome::Stopped { reason, .. } if reason.as_str() == "BORED"));
        assert_eq!(outcome(candidate(json!({}), json!("STOP")), false), Outcome::Empty);
        assert_eq!(outcome(candidate(parts.clone(), json!(null)), false), Outcome::Text(yes()));
        assert_eq!(outcome(candidate(parts, json!(null)), true), Outcome::Cut { text: yes() },);
        let blocked = outcome(json!({"promptFeedback": {"blockReason": "SAFETY"}}), true);
        assert!(matches!(blocked, Outcome::Blocked { reason: BlockReason::Safety, .. }));
        assert_eq!(outcome(json!({}), false), Outcome::Empty);
        let picture = json!({"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]});
        assert_eq!(outcome(candidate(picture, json!("STOP")), false), Outcome::Text(String::new()),);
    }
}
