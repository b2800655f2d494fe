use serde_json::{Value, json};

/// What generate and stream answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A candidate with this text; a stream gives it in these pieces, generate joined. The
    /// usage is counted.
    Text {
        /// The text, cut into the pieces of a stream.
        pieces: Vec<String>,
        /// The finish reason, such as `STOP`.
        finish_reason: String,
    },
    /// This body as it is; in a stream the only event.
    Whole(Value),
    /// These events as they are; generate gives the first.
    Events(Vec<Value>),
}

impl Default for Answer {
    /// Three pieces, with characters of one to four bytes, and STOP.
    fn default() -> Self {
        let pieces = ["A red ", "square — ein rotes Quadrat, ", "红色的正方形 🟥."];
        Self::Text { pieces: pieces.map(str::to_owned).to_vec(), finish_reason: "STOP".into() }
    }
}

impl Answer {
    /// A candidate with this text in one piece and STOP.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { pieces: vec![text.into()], finish_reason: "STOP".into() }
    }

    /// No candidate: the prompt is blocked for this reason, such as `PROHIBITED_CONTENT`.
    pub fn blocked(reason: &str) -> Self {
        Self::Whole(json!({
            "promptFeedback": {"blockReason": reason},
            "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
            "modelVersion": "gemini-2.5-flash",
        }))
    }

    /// A candidate without content, stopped for this reason, such as `MAX_TOKENS`.
    pub fn stopped(reason: &str) -> Self {
        Self::Whole(json!({
            "candidates": [{"finishReason": reason, "index": 0}],
            "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
            "modelVersion": "gemini-2.5-flash",
        }))
    }
}
