//! Hosts, versions, path prefixes and authentication, by mode.

use crate::Secret;

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `generateContent`.
    Generate,
    /// `streamGenerateContent` with server-sent events.
    StreamGenerate,
    /// `countTokens`.
    CountTokens,
    /// The model's own entry, with its limits.
    Describe,
}

/// The verb and address of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// The HTTP verb.
    pub verb: &'static str,
    /// The whole address.
    pub url: String,
}

/// A name that cannot stand in a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no model name; allowed: letters, digits, `.`, `-`, `_`, `@`, `:` and `/`")]
pub struct InvalidName(pub String);

/// How the caller proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Auth {
    Key(Secret),
    Bearer(Secret),
}

/// A service to send to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
    version: String,
    /// Between the version and `models/…`; empty or ending in a slash.
    prefix: String,
    auth: Auth,
}

impl Endpoint {
    /// The Gemini API with an API key, at version `v1beta`.
    pub fn developer_api(key: Secret) -> Self {
        Self {
            base: "https://generativelanguage.googleapis.com".to_owned(),
            version: "v1beta".to_owned(),
            prefix: String::new(),
            auth: Auth::Key(key),
        }
    }

    /// A Google Cloud project and location with a bearer token, at version `v1beta1`. The location
    /// `global` and the multi-regions `us` and `eu` have hosts of their own.
    pub fn vertex(project: &str, location: &str, token: Secret) -> Self {
        let base = match location {
            "global" => "https://aiplatform.googleapis.com".to_owned(),
            "us" | "eu" => format!("https://aiplatform.{location}.rep.googleapis.com"),
            region => format!("https://{region}-aiplatform.googleapis.com"),
        };
        Self {
            base,
            version: "v1beta1".to_owned(),
            prefix: format!("projects/{project}/locations/{location}/publishers/google/"),
            auth: Auth::Bearer(token),
        }
    }

    /// Google Cloud in express mode: an API key, no project and no location.
    pub fn vertex_express(key: Secret) -> Self {
        Self {
            base: "https://aiplatform.googleapis.com".to_owned(),
            version: "v1beta1".to_owned(),
            prefix: "publishers/google/".to_owned(),
            auth: Auth::Key(key),
        }
    }

    /// The same at another API version, such as `v1`.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The same at another host, such as a gateway or a test server; a slash at its end is cut.
    #[must_use]
    pub fn with_base(mut self, base: impl Into<String>) -> Self {
        self.base = base.into();
        self.base.truncate(self.base.trim_end_matches('/').len());
        self
    }

    /// The header that carries the key or token, as name and value.
    pub fn auth_header(&self) -> (&'static str, Secret) {
        match &self.auth {
            Auth::Key(key) => ("x-goog-api-key", key.clone()),
            Auth::Bearer(token) => {
                ("authorization", Secret::new(format!("Bearer {}", token.expose())))
            }
        }
    }

    /// Where a method of a model is called. The name may be bare or carry `models/`,
    /// `publishers/google/models/` or a whole `projects/…` path.
    ///
    /// # Errors
    ///
    /// A name with characters that have a meaning in an address.
    pub fn request_line(&self, method: Method, model: &str) -> Result<RequestLine, InvalidName> {
        let path = self.model_path(model)?;
        let (verb, call) = match method {
            Method::Generate => ("POST", ":generateContent"),
            Method::StreamGenerate => ("POST", ":streamGenerateContent?alt=sse"),
            Method::CountTokens => ("POST", ":countTokens"),
            Method::Describe => ("GET", ""),
        };
        Ok(RequestLine { verb, url: format!("{}/{}/{path}{call}", self.base, self.version) })
    }

    fn model_path(&self, model: &str) -> Result<String, InvalidName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_@:/".contains(c);
        let steps_up = model.split('/').any(|part| part.is_empty() || part == "." || part == "..");
        if model.is_empty() || !model.chars().all(allowed) || steps_up {
            return Err(InvalidName(model.to_owned()));
        }
        if model.starts_with("projects/") {
            return Ok(model.to_owned());
        }
        let bare = model.strip_prefix("publishers/google/").unwrap_or(model);
        let bare = bare.strip_prefix("models/").unwrap_or(bare);
        Ok(format!("{}models/{bare}", self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("FAKE")
    }

    #[test]
    fn every_mode_has_its_host_and_path() {
        let url = |endpoint: Endpoint| {
            endpoint.request_line(Method::Generate, "models/gemini-x").unwrap().url
        };
        let regional = url(Endpoint::vertex("p", "europe-west4", secret()));
        assert_eq!(
            regional,
            "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/\
             europe-west4/publishers/google/models/gemini-x:generateContent"
        );
        let eu = url(Endpoint::vertex("p", "eu", secret()));
        assert!(eu.starts_with("https://aiplatform.eu.rep.googleapis.com/"), "{eu}");
        let express = url(Endpoint::vertex_express(secret()).with_version("v1"));
        assert!(express.ends_with(".com/v1/publishers/google/models/gemini-x:generateContent"));
        let local = url(Endpoint::developer_api(secret()).with_base("http://127.0.0.1:9/"));
        assert_eq!(local, "http://127.0.0.1:9/v1beta/models/gemini-x:generateContent");
    }

    #[test]
    fn names_that_would_change_the_address_are_refused() {
        let endpoint = Endpoint::developer_api(secret());
        for bad in ["", "a?key=b", "a#b", "../files", "a//b", "a b", "models/"] {
            assert!(endpoint.request_line(Method::Describe, bad).is_err(), "{bad}");
        }
    }

    /// Every recorded model call of Google's own SDKs, where the recordings lie beside the
    /// repository.
    #[test]
    fn paths_are_those_that_the_sdks_call() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden");
        let folder = std::path::Path::new(root);
        if !folder.exists() {
            println!("no recorded requests beside the repository; nothing to compare");
            return;
        }
        let mut checked = 0;
        for (name, endpoint) in [
            ("python-gemini-v1beta", Endpoint::developer_api(secret())),
            ("js-gemini", Endpoint::developer_api(secret())),
        ] {
            for entry in std::fs::read_dir(folder.join(name)).unwrap() {
                let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
                let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
                for request in recorded["requests"].as_array().unwrap() {
                    checked += usize::from(agrees(&endpoint, request));
                }
            }
        }
        assert!(checked > 20, "only {checked} recorded calls were found");
    }

    /// Whether the request is a model call; panics when its address is not ours.
    fn agrees(endpoint: &Endpoint, request: &serde_json::Value) -> bool {
        let path = request["path"].as_str().unwrap();
        let Some((_, call)) = path.split_once("/models/") else { return false };
        let Some((model, name)) = call.split_once(':') else { return false };
        let method = match name {
            "generateContent" => Method::Generate,
            "streamGenerateContent" => Method::StreamGenerate,
            "countTokens" => Method::CountTokens,
            _ => return false,
        };
        let line = endpoint.request_line(method, model).unwrap();
        let ours = line.url.strip_prefix("https://generativelanguage.googleapis.com").unwrap();
        assert_eq!(ours.split('?').next(), Some(path));
        assert_eq!(request["method"], line.verb);
        true
    }
}
