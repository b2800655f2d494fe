//! Hosts, versions and path prefixes, by mode.

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
    /// `batchGenerateContent` of the Developer API.
    Batch,
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
#[error(
    "`{0}` cannot stand in an address; allowed: letters, digits, `.`, `-`, `_`, `@`, `:` and `/`"
)]
pub struct InvalidName(pub String);

/// Which family of paths and which features there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The Gemini Developer API: files, batches and context caches of its own.
    DeveloperApi,
    /// A Google Cloud project and location.
    Vertex,
    /// Google Cloud with an API key, without a project.
    Express,
}

/// A service to send to. Who sends is no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    mode: Mode,
    base: String,
    version: String,
    /// `projects/…/locations/…/` on Google Cloud with a project, else empty.
    parent: String,
}

impl Endpoint {
    /// The Gemini API, at version `v1beta`.
    pub fn developer_api() -> Self {
        Self {
            mode: Mode::DeveloperApi,
            base: "https://generativelanguage.googleapis.com".to_owned(),
            version: "v1beta".to_owned(),
            parent: String::new(),
        }
    }

    /// A Google Cloud project and location, at version `v1beta1`. The location `global` and the
    /// multi-regions `us` and `eu` have hosts of their own.
    ///
    /// # Errors
    ///
    /// A project or location with characters that have a meaning in an address.
    pub fn vertex(project: &str, location: &str) -> Result<Self, InvalidName> {
        for name in [project, location] {
            check_name(name)?;
        }
        let base = match location {
            "global" => "https://aiplatform.googleapis.com".to_owned(),
            "us" | "eu" => format!("https://aiplatform.{location}.rep.googleapis.com"),
            region => format!("https://{region}-aiplatform.googleapis.com"),
        };
        Ok(Self {
            mode: Mode::Vertex,
            base,
            version: "v1beta1".to_owned(),
            parent: format!("projects/{project}/locations/{location}/"),
        })
    }

    /// Google Cloud in express mode: an API key, no project and no location.
    pub fn vertex_express() -> Self {
        Self {
            mode: Mode::Express,
            base: "https://aiplatform.googleapis.com".to_owned(),
            version: "v1beta1".to_owned(),
            parent: String::new(),
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

    /// Which service this is.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Where everything begins, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
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
            Method::Batch => ("POST", ":batchGenerateContent"),
        };
        Ok(RequestLine { verb, url: self.url(&format!("{path}{call}")) })
    }

    /// The model's name as a resource: `models/m`, or the whole path on Google Cloud.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::request_line`].
    pub fn model_path(&self, model: &str) -> Result<String, InvalidName> {
        check_name(model)?;
        if model.starts_with("projects/") {
            return Ok(model.to_owned());
        }
        let bare = model.strip_prefix("publishers/google/").unwrap_or(model);
        let bare = bare.strip_prefix("models/").unwrap_or(bare);
        let publisher = if self.mode == Mode::DeveloperApi { "" } else { "publishers/google/" };
        Ok(format!("{}{publisher}models/{bare}", self.parent))
    }

    /// A path under the version.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.base, self.version)
    }

    /// A collection that belongs to the project, such as `cachedContents`.
    pub(crate) fn collection(&self, name: &str) -> String {
        self.url(&format!("{}{name}", self.parent))
    }

    /// Where uploads start.
    pub(crate) fn upload_url(&self) -> String {
        format!("{}/upload/{}/files", self.base, self.version)
    }

    /// Where the OpenAI-compatible form is taken. It has versions of its own.
    pub(crate) fn chat_url(&self) -> String {
        match self.mode {
            Mode::DeveloperApi => format!("{}/v1beta/openai/chat/completions", self.base),
            Mode::Vertex | Mode::Express => {
                format!("{}/v1/{}endpoints/openapi/chat/completions", self.base, self.parent)
            }
        }
    }
}

/// Names stand in paths as they are, so they must not be able to change them.
pub(crate) fn check_name(name: &str) -> Result<(), InvalidName> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_@:/".contains(c);
    let steps_up = name.split('/').any(|part| part.is_empty() || part == "." || part == "..");
    if name.is_empty() || !name.chars().all(allowed) || steps_up {
        return Err(InvalidName(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_its_host_and_path() {
        let url = |endpoint: Endpoint| {
            endpoint.request_line(Method::Generate, "models/gemini-x").unwrap().url
        };
        let regional = url(Endpoint::vertex("p", "europe-west4").unwrap());
        assert_eq!(
            regional,
            "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/\
             europe-west4/publishers/google/models/gemini-x:generateContent"
        );
        let eu = url(Endpoint::vertex("p", "eu").unwrap());
        assert!(eu.starts_with("https://aiplatform.eu.rep.googleapis.com/"), "{eu}");
        let express = url(Endpoint::vertex_express().with_version("v1"));
        assert!(express.ends_with(".com/v1/publishers/google/models/gemini-x:generateContent"));
        let local = url(Endpoint::developer_api().with_base("http://127.0.0.1:9/"));
        assert_eq!(local, "http://127.0.0.1:9/v1beta/models/gemini-x:generateContent");
    }

    #[test]
    fn names_that_would_change_the_address_are_refused() {
        let endpoint = Endpoint::developer_api();
        for bad in ["", "a?key=b", "a#b", "../files", "a//b", "a b", "models/"] {
            assert!(endpoint.request_line(Method::Describe, bad).is_err(), "{bad}");
        }
    }
}
