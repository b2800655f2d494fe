use axum::response::Response;
use serde_json::{Value, json};

use crate::{
    incoming::Incoming,
    refusal::{Refusal, json_reply},
    route::Platform,
};

/// Models that are listed; any other name that begins with `gemini-` is known too.
const LISTED: &[&str] = &["gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-flash-preview"];

/// Refuses a model that does not exist: one whose name is not `gemini-…` or holds `unknown`.
/// Tuned endpoints of Vertex have numbers for names.
pub(crate) fn check(incoming: &Incoming, model: &str) -> Result<(), Refusal> {
    let endpoint = incoming.route.platform == Platform::Vertex
        && incoming.path.contains("/endpoints/")
        && !model.is_empty()
        && model.bytes().all(|byte| byte.is_ascii_digit());
    if endpoint || (model.starts_with("gemini-") && !model.contains("unknown")) {
        return Ok(());
    }
    let message = match incoming.route.platform {
        Platform::Developer => format!(
            "models/{model} is not found for API version {}, or is not supported for \
             generateContent. Call ListModels to see the list of available models and their \
             supported methods.",
            incoming.route.version
        ),
        Platform::Vertex | Platform::Express => format!(
            "Publisher Model `{}publishers/google/models/{model}` was not found or your project \
             does not have access to it. Please ensure you are using a valid model version.",
            incoming.route.parent
        ),
    };
    Err(Refusal::new(404, "NOT_FOUND", message))
}

/// `GET models/{model}`.
pub(crate) fn get(incoming: &Incoming, model: &str) -> Result<Response, Refusal> {
    check(incoming, model)?;
    Ok(json_reply(&match incoming.route.platform {
        Platform::Developer => info(model),
        Platform::Vertex | Platform::Express => json!({
            "name": format!("publishers/google/models/{model}"),
            "versionId": "default",
            "launchStage": "GA",
        }),
    }))
}

/// `GET models`, on one page.
pub(crate) fn list() -> Response {
    let models: Vec<Value> = LISTED.iter().map(|model| info(model)).collect();
    json_reply(&json!({"models": models}))
}

fn info(model: &str) -> Value {
    json!({
        "name": format!("models/{model}"),
        "version": "001",
        "displayName": model,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods":
            ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": true,
    })
}
