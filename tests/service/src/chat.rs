use axum::response::Response;
use serde_json::{Value, json};

use crate::{
    base64::is_base64,
    generate,
    incoming::Incoming,
    messages::Message,
    mime, models,
    refusal::{Refusal, json_reply},
    route::Platform,
    usage::text_tokens,
};

/// `POST …/chat/completions`, OpenAI's form. Streams are not served here.
pub(crate) async fn complete(incoming: &mut Incoming) -> Result<Response, Refusal> {
    let Some(request) = generate::read(incoming, Message::ChatRequest).await? else {
        return Ok(json_reply(&json!({})));
    };
    let model = model(incoming, request["model"].as_str().unwrap_or_default())?;
    models::check(incoming, &model)?;
    if request["stream"] == true {
        return Err(Refusal::invalid("This stand-in does not stream chat completions."));
    }
    let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| Refusal::invalid("messages must not be empty."))?;
    let mut tokens = 0;
    for message in messages {
        if !["system", "developer", "user", "assistant", "tool"]
            .iter()
            .any(|role| message["role"] == *role)
        {
            return Err(Refusal::invalid("Invalid role of a message."));
        }
        tokens += content(&message["content"], incoming.route.platform)?;
    }
    Ok(json_reply(&completion(&model, tokens)))
}

/// Vertex wants `google/` before the name; the Developer API takes `models/` there.
fn model(incoming: &Incoming, given: &str) -> Result<String, Refusal> {
    let name = match incoming.route.platform {
        Platform::Developer => Some(given.strip_prefix("models/").unwrap_or(given)),
        Platform::Vertex | Platform::Express => given.strip_prefix("google/"),
    };
    name.map(str::to_owned).ok_or_else(|| {
        Refusal::invalid(format!(
            "Malformed publisher model {given:?}: google/{{model}} is wanted."
        ))
    })
}

/// The tokens of a message's content: a text, or a list of typed parts.
fn content(content: &Value, platform: Platform) -> Result<u64, Refusal> {
    match content {
        Value::String(text) => Ok(text_tokens(text)),
        Value::Array(parts) => parts.iter().map(|part| self::part(part, platform)).sum(),
        Value::Null => Ok(0),
        _ => Err(Refusal::invalid("Invalid content of a message.")),
    }
}

fn part(part: &Value, platform: Platform) -> Result<u64, Refusal> {
    let kind = part["type"].as_str().unwrap_or_default();
    let mut names = part.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    if let Some(stray) = names.find(|name| *name != "type" && *name != kind) {
        return Err(Refusal::invalid(format!(
            "Unknown name {stray:?} in a part of type {kind:?}."
        )));
    }
    match kind {
        "text" => {
            let text = part["text"].as_str();
            text.map(text_tokens).ok_or_else(|| Refusal::invalid("text must be a string."))
        }
        "image_url" => image(&part["image_url"], platform).map(|()| 258),
        "input_audio" => audio(&part["input_audio"]).map(|()| 32),
        _ => Err(Refusal::invalid(format!("Invalid content part type: {kind}"))),
    }
}

fn image(image: &Value, platform: Platform) -> Result<(), Refusal> {
    let refuse = || Refusal::invalid("Invalid image URL: a data URL with base64 is wanted.");
    let url = image["url"].as_str().ok_or_else(refuse)?;
    let data = url.strip_prefix("data:").ok_or_else(refuse)?;
    let (mime_type, data) = data.split_once(";base64,").ok_or_else(refuse)?;
    mime::modality(mime_type, platform)?;
    if data.is_empty() || !is_base64(data) {
        return Err(refuse());
    }
    Ok(())
}

fn audio(audio: &Value) -> Result<(), Refusal> {
    let format = audio["format"].as_str().unwrap_or_default();
    if !["wav", "mp3"].contains(&format) {
        return Err(Refusal::invalid(format!(
            "Invalid audio format {format:?}: wav or mp3 is wanted."
        )));
    }
    match audio["data"].as_str().is_some_and(|data| !data.is_empty() && is_base64(data)) {
        true => Ok(()),
        false => Err(Refusal::invalid("Invalid audio data: base64 is wanted.")),
    }
}

fn completion(model: &str, tokens: u64) -> Value {
    let text = "A red square.";
    let answered = text_tokens(text);
    json!({
        "id": "FAKE-CHAT",
        "object": "chat.completion",
        "created": 1_767_323_045,
        "model": model,
        "choices": [{
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": text},
        }],
        "usage": {
            "prompt_tokens": tokens,
            "completion_tokens": answered,
            "total_tokens": tokens + answered,
        },
    })
}
