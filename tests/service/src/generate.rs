use std::time::SystemTime;

use axum::response::Response;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    clock::rfc3339,
    incoming::Incoming,
    judge::Judge,
    messages::Message,
    models,
    refusal::{Refusal, json_reply},
    route::Platform,
    schema,
    serve::Effects,
    store::State,
    stream, strict_json,
    usage::{Usage, parts, text_tokens},
};

/// Reads a JSON body of this message; `None` when it was sunk.
pub(crate) async fn read(
    incoming: &mut Incoming,
    message: Message,
) -> Result<Option<Value>, Refusal> {
    let Some(body) = incoming.whole().await? else { return Ok(None) };
    let content_type = incoming.header("content-type").unwrap_or_default();
    if !content_type.starts_with("application/json") {
        let message = format!("The Content-Type must be application/json, not {content_type:?}.");
        return Err(Refusal::invalid(message));
    }
    let value = strict_json::parse(&body)?;
    drop(body);
    schema::check(message, value, incoming.route.platform).map(Some)
}

/// `generateContent`.
pub(crate) async fn unary(
    incoming: &mut Incoming,
    owner: &str,
    model: &str,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let request = request(incoming, owner, model, effects).await?;
    let events = answer(incoming, model, &request, false);
    Ok(json_reply(events.first().unwrap_or(&Value::Null)))
}

/// `streamGenerateContent`.
pub(crate) async fn streamed(
    incoming: &mut Incoming,
    owner: &str,
    model: &str,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let alt = incoming.parameter("alt").or(incoming.parameter("$alt")).unwrap_or("json").to_owned();
    if alt != "sse" && alt != "json" {
        let message = format!("Invalid value {alt:?} for the query parameter alt.");
        return Err(Refusal::invalid(message));
    }
    let request = request(incoming, owner, model, effects).await?;
    let events = answer(incoming, model, &request, true);
    match alt.as_str() {
        "sse" => Ok(stream::events(events, effects.stream)),
        _ => Ok(stream::array(&events)),
    }
}

async fn request(
    incoming: &mut Incoming,
    owner: &str,
    model: &str,
    effects: &Effects,
) -> Result<Value, Refusal> {
    let Some(mut request) = read(incoming, Message::GenerateContentRequest).await? else {
        return Ok(json!({}));
    };
    models::check(incoming, model)?;
    judge(incoming, owner, model, effects).request(&mut request, &mut incoming.shared.lock())?;
    Ok(request)
}

fn judge<'a>(
    incoming: &'a Incoming,
    owner: &'a str,
    model: &'a str,
    effects: &Effects,
) -> Judge<'a> {
    Judge {
        platform: incoming.route.platform,
        owner,
        model,
        base_url: &incoming.shared.base_url,
        file_forbidden: effects.file_forbidden,
    }
}

/// `countTokens`.
pub(crate) async fn count(
    incoming: &mut Incoming,
    owner: &str,
    model: &str,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let Some(mut request) = read(incoming, Message::CountTokensRequest).await? else {
        return Ok(json_reply(&json!({"totalTokens": 0})));
    };
    models::check(incoming, model)?;
    let wrapped = request["generateContentRequest"].take();
    if !wrapped.is_null() {
        if !request["contents"].is_null() {
            let message = "Invalid value at 'generate_content_request': only one of contents and \
                generate_content_request may be set.";
            return Err(Refusal::invalid(message));
        }
        if wrapped["model"].as_str() != Some(format!("models/{model}").as_str()) {
            let message = format!(
                "* CountTokensRequest.generate_content_request.model: must be models/{model}"
            );
            return Err(Refusal::invalid(message));
        }
        request = wrapped;
    }
    judge(incoming, owner, model, effects).request(&mut request, &mut incoming.shared.lock())?;
    let usage = usage(incoming, &request);
    let mut answer = json!({"totalTokens": usage.total(), "promptTokensDetails": usage.details()});
    if incoming.route.platform != Platform::Developer {
        answer["totalBillableCharacters"] = characters(&request).into();
    }
    Ok(json_reply(&answer))
}

/// Characters of text that are not white space.
fn characters(request: &Value) -> usize {
    let texts = parts(request).filter_map(|part| part["text"].as_str());
    texts.map(|text| text.chars().filter(|letter| !letter.is_whitespace()).count()).sum()
}

fn usage(incoming: &Incoming, request: &Value) -> Usage {
    // The counter is the test's own code: it must not run under the lock.
    let counter = incoming.shared.lock().settings.token_counter.clone();
    Usage::of(&counter, request)
}

/// The events of the answer that is set; one event for all of it unless streamed.
fn answer(incoming: &Incoming, model: &str, request: &Value, streamed: bool) -> Vec<Value> {
    let usage = usage(incoming, request);
    let mut state = incoming.shared.lock();
    match state.settings.answer.clone() {
        Answer::Whole(body) => vec![body],
        Answer::Events(events) => events,
        Answer::Text { pieces, finish_reason } => {
            let pieces = if streamed { pieces } else { vec![pieces.concat()] };
            let common = Common::new(&mut state, incoming.route.platform, model);
            common.events(&pieces, &finish_reason, request, &usage)
        }
    }
}

/// What an answer for one request of a batch is.
pub(crate) fn batch_answer(incoming: &Incoming, model: &str, request: &Value) -> Value {
    answer(incoming, model, request, false).first().cloned().unwrap_or_default()
}

/// What all events of an answer share.
struct Common {
    platform: Platform,
    model: String,
    id: String,
}

impl Common {
    fn new(state: &mut State, platform: Platform, model: &str) -> Self {
        Self { platform, model: model.to_owned(), id: state.next_name() }
    }

    fn events(
        &self,
        pieces: &[String],
        finish_reason: &str,
        request: &Value,
        usage: &Usage,
    ) -> Vec<Value> {
        let wanted = schema::integer(&request["generationConfig"]["candidateCount"]);
        let candidates = wanted.unwrap_or(1).max(1);
        let mut tokens = 0;
        let event = |(at, piece): (usize, &String)| {
            tokens += text_tokens(piece);
            let last = at + 1 == pieces.len();
            let one = |index| candidate(piece, index, last.then_some(finish_reason));
            let answered = if last { tokens.saturating_mul(candidates.unsigned_abs()) } else { 0 };
            self.event((0..candidates).map(one).collect(), usage.metadata(answered))
        };
        pieces.iter().enumerate().map(event).collect()
    }

    fn event(&self, candidates: Value, usage: Value) -> Value {
        let mut event = json!({
            "candidates": candidates,
            "usageMetadata": usage,
            "modelVersion": self.model,
            "responseId": self.id,
        });
        if self.platform != Platform::Developer {
            event["createTime"] = rfc3339(SystemTime::now()).into();
            event["usageMetadata"]["trafficType"] = "ON_DEMAND".into();
        }
        event
    }
}

fn candidate(text: &str, index: i64, finish_reason: Option<&str>) -> Value {
    let content = json!({"parts": [{"text": text}], "role": "model"});
    let mut candidate = json!({"content": content, "index": index});
    if let Some(reason) = finish_reason {
        candidate["finishReason"] = reason.into();
    }
    candidate
}
