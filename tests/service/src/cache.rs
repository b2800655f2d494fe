use std::time::{Duration, SystemTime};

use axum::response::Response;
use serde_json::{Value, json};

use crate::{
    clock::rfc3339,
    generate,
    incoming::Incoming,
    judge::Judge,
    messages::Message,
    models,
    refusal::{Refusal, json_reply},
    route::{Access, Platform},
    schema::nanoseconds,
    store::State,
    usage::Usage,
};

/// A cached content.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    owner: String,
    /// `cachedContents/{id}` or `projects/…/cachedContents/{id}`.
    name: String,
    value: Value,
}

impl Cached {
    /// A cached content that is known by its name only.
    pub(crate) fn named(owner: &str, name: &str) -> Self {
        Self { owner: owner.to_owned(), name: name.to_owned(), value: json!({"name": name}) }
    }

    pub(crate) fn is(&self, name: &str, owner: &str) -> bool {
        self.name == name && self.owner == owner
    }

    fn set_expiry(&mut self, request: &Value) {
        let expiry = match request["expireTime"].as_str() {
            Some(time) => time.to_owned(),
            None => rfc3339(SystemTime::now() + time_to_live(request)),
        };
        self.value["expireTime"] = expiry.into();
        self.value["updateTime"] = rfc3339(SystemTime::now()).into();
    }
}

/// An hour where nothing is said.
fn time_to_live(request: &Value) -> Duration {
    let nanoseconds = request["ttl"].as_str().and_then(nanoseconds);
    let seconds = nanoseconds.and_then(|all| u64::try_from(all / 1_000_000_000).ok());
    Duration::from_secs(seconds.unwrap_or(3600).min(10 * 365 * 24 * 3600))
}

/// What the services say of a cached content that is unknown or another's.
pub(crate) fn not_found() -> Refusal {
    let message = "CachedContent not found (or permission denied)";
    Refusal::new(403, "PERMISSION_DENIED", message)
}

/// Everything of cached contents.
pub(crate) async fn reach(
    incoming: &mut Incoming,
    owner: &str,
    access: Access,
) -> Result<Response, Refusal> {
    match access {
        Access::Create => create(incoming, owner).await,
        Access::List => Ok(list(&incoming.shared.lock(), owner)),
        Access::Get(id) => {
            let state = incoming.shared.lock();
            let at = find(&state, incoming, owner, &id)?;
            Ok(json_reply(&state.caches[at].value))
        }
        Access::Delete(id) => {
            let mut state = incoming.shared.lock();
            let at = find(&state, incoming, owner, &id)?;
            state.caches.remove(at);
            Ok(json_reply(&json!({})))
        }
        Access::Patch(id) => patch(incoming, owner, &id).await,
        Access::Cancel(_) => Err(Refusal::no_such_path(&incoming.path)),
    }
}

fn find(state: &State, incoming: &Incoming, owner: &str, id: &str) -> Result<usize, Refusal> {
    let name = format!("{}cachedContents/{id}", incoming.route.parent);
    state.caches.iter().position(|cached| cached.is(&name, owner)).ok_or_else(not_found)
}

fn list(state: &State, owner: &str) -> Response {
    let own = state.caches.iter().filter(|cached| cached.owner == owner);
    let values: Vec<&Value> = own.map(|cached| &cached.value).collect();
    match values.is_empty() {
        true => json_reply(&json!({})),
        false => json_reply(&json!({"cachedContents": values})),
    }
}

async fn create(incoming: &mut Incoming, owner: &str) -> Result<Response, Refusal> {
    let read = generate::read(incoming, Message::CachedContent).await?;
    let mut request = read.ok_or_else(|| Refusal::invalid("The content was not kept."))?;
    check(incoming, &request)?;
    let full = request["model"].as_str().unwrap_or_default().to_owned();
    let model = full.rsplit('/').next().unwrap_or_default();
    models::check(incoming, model)?;
    let judge = Judge {
        platform: incoming.route.platform,
        owner,
        model,
        base_url: &incoming.shared.base_url,
        file_forbidden: false,
    };
    if !request["contents"].is_null() {
        judge.contents(&mut request["contents"], &mut incoming.shared.lock())?;
    }
    let counter = incoming.shared.lock().settings.token_counter.clone();
    let tokens = Usage::of(&counter, &request).total();
    let mut state = incoming.shared.lock();
    let name = format!("{}cachedContents/{}", incoming.route.parent, state.next_name());
    let mut cached = Cached::named(owner, &name);
    cached.value["model"] = full.into();
    cached.value["createTime"] = rfc3339(SystemTime::now()).into();
    cached.value["usageMetadata"] = json!({"totalTokenCount": tokens});
    if let Some(display_name) = request["displayName"].as_str() {
        cached.value["displayName"] = display_name.into();
    }
    cached.set_expiry(&request);
    let value = cached.value.clone();
    state.caches.push(cached);
    Ok(json_reply(&value))
}

fn check(incoming: &Incoming, request: &Value) -> Result<(), Refusal> {
    let model = request["model"].as_str().unwrap_or_default();
    let (right, form) = match incoming.route.platform {
        Platform::Developer => (model.starts_with("models/"), "models/{model}"),
        Platform::Vertex | Platform::Express => (
            model.starts_with(&format!("{}publishers/google/models/", incoming.route.parent)),
            "projects/{project}/locations/{location}/publishers/google/models/{model}",
        ),
    };
    if !right {
        let message = format!("* CreateCachedContentRequest.cached_content.model: must be {form}");
        return Err(Refusal::invalid(message));
    }
    if request["contents"].is_null() && request["systemInstruction"].is_null() {
        let message = "* CreateCachedContentRequest.cached_content: has neither contents nor a \
            system instruction";
        return Err(Refusal::invalid(message));
    }
    expiry(request)
}

fn expiry(request: &Value) -> Result<(), Refusal> {
    match !request["ttl"].is_null() && !request["expireTime"].is_null() {
        true => Err(Refusal::invalid(
            "Invalid value at 'cached_content' (oneof), oneof field 'expiration' is already set. \
             Cannot set 'ttl'",
        )),
        false => Ok(()),
    }
}

/// Only the expiry can change.
async fn patch(incoming: &mut Incoming, owner: &str, id: &str) -> Result<Response, Refusal> {
    let read = generate::read(incoming, Message::CachedContent).await?;
    let request = read.ok_or_else(|| Refusal::invalid("The content was not kept."))?;
    expiry(&request)?;
    let other = request.as_object().into_iter().flatten();
    if other.map(|(name, _)| name).any(|name| name != "ttl" && name != "expireTime") {
        return Err(Refusal::invalid("Only ttl and expireTime of a cached content can change."));
    }
    let mut state = incoming.shared.lock();
    let at = find(&state, incoming, owner, id)?;
    state.caches[at].set_expiry(&request);
    Ok(json_reply(&state.caches[at].value))
}
