use serde_json::json;

use crate::{
    incoming::Incoming,
    refusal::Refusal,
    route::{Platform, Target, Verb},
};

/// Refuses headers that Google's front ends do not take: values that are not ASCII.
pub(crate) fn headers(incoming: &Incoming) -> Result<(), Refusal> {
    let raw = incoming.headers.iter().find(|(_, value)| value.to_str().is_err());
    match raw {
        None => Ok(()),
        Some((name, _)) => Err(Refusal::text(
            400,
            format!("Bad Request: the value of the header {name} holds bytes that are not ASCII."),
        )),
    }
}

/// Who asks: the key, or the project of a bearer token. Files and caches belong to it.
pub(crate) fn owner(incoming: &Incoming) -> Result<String, Refusal> {
    if incoming.parameter("key").is_some() || incoming.parameter("access_token").is_some() {
        let message = "This service takes credentials in headers only: URLs land in logs.";
        return Err(Refusal::invalid(message));
    }
    let key = incoming.header("x-goog-api-key").map(str::trim).filter(|key| !key.is_empty());
    let bearer = bearer(incoming);
    let chat = incoming.route.target == Target::Chat;
    match incoming.route.platform {
        Platform::Developer if chat => bearer.map(str::to_owned).ok_or_else(unregistered),
        Platform::Developer if incoming.route.target == Target::Register => register(incoming),
        Platform::Developer => match (key, bearer) {
            (Some(key), _) => Ok(key.to_owned()),
            (None, Some(_)) => project(incoming),
            (None, None) => Err(unregistered()),
        },
        Platform::Express => key.map(str::to_owned).ok_or_else(no_credentials),
        Platform::Vertex => match (bearer, key) {
            (Some(_), None) => Ok(incoming.route.parent.clone()),
            (Some(_), Some(_)) => Err(Refusal::invalid(
                "Either a key or a bearer token may be sent, and here a bearer token is wanted.",
            )),
            (None, Some(_)) => Err(no_keys_here()),
            (None, None) => Err(no_credentials()),
        },
    }
}

fn bearer(incoming: &Incoming) -> Option<&str> {
    let token = incoming.header("authorization")?.strip_prefix("Bearer ")?.trim();
    (!token.is_empty()).then_some(token)
}

/// With a bearer token the Developer API asks which project pays.
fn project(incoming: &Incoming) -> Result<String, Refusal> {
    let project = incoming.header("x-goog-user-project").filter(|project| !project.is_empty());
    project.map(str::to_owned).ok_or_else(|| {
        let message = "Your application is authenticating by using local Application Default \
            Credentials. The generativelanguage.googleapis.com API requires a quota project, \
            which is not set by default.";
        Refusal::new(403, "PERMISSION_DENIED", message)
    })
}

fn register(incoming: &Incoming) -> Result<String, Refusal> {
    bearer(incoming).ok_or_else(no_credentials)?;
    project(incoming)
}

fn unregistered() -> Refusal {
    let message = "Method doesn't allow unregistered callers (callers without established \
        identity). Please use API Key or other form of API consumer identity to call this API.";
    Refusal::new(403, "PERMISSION_DENIED", message)
}

fn no_credentials() -> Refusal {
    let message = "Request is missing required authentication credential. Expected OAuth 2 \
        access token, login cookie or other valid authentication credential. See \
        https://developers.google.com/identity/sign-in/web/devconsole-project.";
    unauthenticated(message, "CREDENTIALS_MISSING")
}

fn no_keys_here() -> Refusal {
    let message = "API keys are not supported by this API. Expected OAuth2 access token or other \
        authentication credentials that assert a principal. See \
        https://cloud.google.com/docs/authentication";
    unauthenticated(message, "CREDENTIALS_MISSING")
}

fn unauthenticated(message: &str, reason: &str) -> Refusal {
    Refusal::new(401, "UNAUTHENTICATED", message).with_details(vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "aiplatform.googleapis.com"},
    })])
}

/// Refuses query parameters that the method does not have.
pub(crate) fn parameters(incoming: &Incoming) -> Result<(), Refusal> {
    let known: &[&str] = match &incoming.route.target {
        Target::Model { verb: Verb::Stream, .. } => &["alt", "$alt"],
        Target::File(_) | Target::Batch(_) | Target::Cache(_) | Target::ModelList => {
            &["pageSize", "pageToken", "updateMask"]
        }
        Target::UploadNew => &["uploadType", "upload_protocol"],
        _ => &[],
    };
    let common = ["prettyPrint", "$prettyPrint", "fields", "$fields", "quotaUser"];
    let stray = incoming
        .query
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()) && !common.contains(&name.as_str()));
    match stray {
        None => Ok(()),
        Some((name, _)) => {
            let problem = format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query \
                 parameter. Field '{name}' could not be found in request message."
            );
            Err(Refusal::fields(&[(String::new(), problem)]))
        }
    }
}
