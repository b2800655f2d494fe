use axum::http::{HeaderMap, Method};

use crate::call::Call;

/// Which service a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    /// The Gemini Developer API.
    Developer,
    /// Vertex, in a project and location.
    Vertex,
    /// Vertex in express mode: a key, no project.
    Express,
}

/// What is done with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Generate,
    Stream,
    Count,
    Batch,
}

/// What is done with a stored thing: a file, a batch, a cached content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Create,
    List,
    Get(String),
    Patch(String),
    Delete(String),
    Cancel(String),
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Model {
        name: String,
        verb: Verb,
    },
    ModelInfo(String),
    ModelList,
    /// The start of an upload, simple or resumable.
    UploadNew,
    /// A request to an upload URL.
    UploadSession(String),
    File(Access),
    Register,
    Batch(Access),
    Cache(Access),
    Chat,
    Unknown,
}

/// A request line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) platform: Platform,
    pub(crate) version: String,
    /// On Vertex `projects/P/locations/L/`, else nothing.
    pub(crate) parent: String,
    pub(crate) target: Target,
    pub(crate) call: Call,
}

/// The parameters of a query, in order, percent-decoded.
pub(crate) fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%').and_then(|hex| str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Route {
    /// Reads a request line; `path` is without any path prefix.
    pub(crate) fn of(method: &Method, path: &str, query: &str, headers: &HeaderMap) -> Self {
        let mut route = Self {
            platform: Platform::Developer,
            version: String::new(),
            parent: String::new(),
            target: Target::Unknown,
            call: Call::Any,
        };
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match segments.as_slice() {
            ["upload", version, "files"] if method == Method::POST => {
                route.version = (*version).to_owned();
                route.target = upload(query);
            }
            [version, "projects", project, "locations", location, rest @ ..] => {
                route.platform = Platform::Vertex;
                route.version = (*version).to_owned();
                route.parent = format!("projects/{project}/locations/{location}/");
                route.target = vertex(method, rest);
            }
            [version, "publishers", "google", "models", model] => {
                route.platform = Platform::Express;
                route.version = (*version).to_owned();
                route.target = models(method, model);
            }
            [version, rest @ ..] => {
                route.version = (*version).to_owned();
                route.target = developer(method, rest);
            }
            [] => {}
        }
        if !route.has_version() {
            route.target = Target::Unknown;
        }
        route.call = route.target.call(headers);
        route
    }

    fn has_version(&self) -> bool {
        match self.platform {
            Platform::Developer => ["v1", "v1beta", "v1alpha"].contains(&self.version.as_str()),
            _ => ["v1", "v1beta1"].contains(&self.version.as_str()),
        }
    }
}

fn upload(query: &str) -> Target {
    let id = parameters(query).into_iter().find(|(name, _)| name == "upload_id");
    id.map_or(Target::UploadNew, |(_, id)| Target::UploadSession(id))
}

fn vertex(method: &Method, rest: &[&str]) -> Target {
    match rest {
        ["publishers", "google", "models", model] => models(method, model),
        ["endpoints", "openapi", "chat", "completions"] if method == Method::POST => Target::Chat,
        ["endpoints", endpoint] => models(method, endpoint),
        ["cachedContents", rest @ ..] => {
            access(method, rest).map_or(Target::Unknown, Target::Cache)
        }
        ["batchPredictionJobs", rest @ ..] => {
            access(method, rest).map_or(Target::Unknown, Target::Batch)
        }
        _ => Target::Unknown,
    }
}

fn developer(method: &Method, rest: &[&str]) -> Target {
    match rest {
        ["models"] if method == Method::GET => Target::ModelList,
        ["models", model] => models(method, model),
        ["files:register"] if method == Method::POST => Target::Register,
        ["files", rest @ ..] => match access(method, rest) {
            Some(access @ (Access::List | Access::Get(_) | Access::Delete(_))) => {
                Target::File(access)
            }
            _ => Target::Unknown,
        },
        ["cachedContents", rest @ ..] => {
            access(method, rest).map_or(Target::Unknown, Target::Cache)
        }
        ["batches", rest @ ..] => match access(method, rest) {
            Some(Access::Create | Access::Patch(_)) | None => Target::Unknown,
            Some(access) => Target::Batch(access),
        },
        ["openai", "chat", "completions"] if method == Method::POST => Target::Chat,
        _ => Target::Unknown,
    }
}

fn models(method: &Method, segment: &str) -> Target {
    let Some((name, verb)) = segment.split_once(':') else {
        return match *method {
            Method::GET => Target::ModelInfo(segment.to_owned()),
            _ => Target::Unknown,
        };
    };
    let verb = match verb {
        "generateContent" => Verb::Generate,
        "streamGenerateContent" => Verb::Stream,
        "countTokens" => Verb::Count,
        "batchGenerateContent" => Verb::Batch,
        _ => return Target::Unknown,
    };
    match *method {
        Method::POST => Target::Model { name: name.to_owned(), verb },
        _ => Target::Unknown,
    }
}

fn access(method: &Method, rest: &[&str]) -> Option<Access> {
    Some(match (method.as_str(), rest) {
        ("POST", []) => Access::Create,
        ("GET", []) => Access::List,
        ("POST", [id]) => Access::Cancel(id.strip_suffix(":cancel")?.to_owned()),
        ("GET", [id]) => Access::Get((*id).to_owned()),
        ("PATCH", [id]) => Access::Patch((*id).to_owned()),
        ("DELETE", [id]) => Access::Delete((*id).to_owned()),
        _ => return None,
    })
}

impl Target {
    fn call(&self, headers: &HeaderMap) -> Call {
        match self {
            Self::Model { verb: Verb::Generate, .. } => Call::Generate,
            Self::Model { verb: Verb::Stream, .. } => Call::Stream,
            Self::Model { verb: Verb::Count, .. } => Call::Count,
            Self::Model { verb: Verb::Batch, .. } | Self::Batch(_) => Call::Batch,
            Self::ModelInfo(_) | Self::ModelList => Call::Model,
            Self::UploadNew => Call::UploadStart,
            Self::UploadSession(_) => upload_call(headers),
            Self::File(Access::List) => Call::FileList,
            Self::File(Access::Delete(_)) => Call::FileDelete,
            Self::File(_) => Call::FileGet,
            Self::Register => Call::Register,
            Self::Cache(_) => Call::Cache,
            Self::Chat => Call::Chat,
            Self::Unknown => Call::Any,
        }
    }
}

fn upload_call(headers: &HeaderMap) -> Call {
    let commands = commands(headers);
    let has = |command: &str| commands.iter().any(|named| named == command);
    match () {
        () if has("finalize") => Call::UploadFinalize,
        () if has("upload") => Call::UploadChunk,
        () if has("query") => Call::UploadQuery,
        () => Call::Any,
    }
}

/// The words of `X-Goog-Upload-Command`, in lower case.
pub(crate) fn commands(headers: &HeaderMap) -> Vec<String> {
    let value = headers.get("x-goog-upload-command").and_then(|value| value.to_str().ok());
    let words = value.unwrap_or_default().split(',').map(|word| word.trim().to_ascii_lowercase());
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str, query: &str) -> Route {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Route::of(&method, path, query, &HeaderMap::new())
    }

    #[test]
    fn the_paths_of_each_service() {
        let model = |name: &str, verb| Target::Model { name: name.into(), verb };
        let developer = route("POST", "/v1beta/models/gemini-x:generateContent", "");
        assert_eq!(developer.target, model("gemini-x", Verb::Generate));
        let path = "/v1beta1/projects/p/locations/eu/publishers/google/models/gemini-x:countTokens";
        let vertex = route("POST", path, "");
        assert_eq!(vertex.target, model("gemini-x", Verb::Count));
        assert_eq!(
            (vertex.platform, vertex.parent.as_str()),
            (Platform::Vertex, "projects/p/locations/eu/")
        );
        let express =
            route("POST", "/v1/publishers/google/models/m:streamGenerateContent", "alt=sse");
        assert_eq!((express.platform, express.call), (Platform::Express, Call::Stream));
        assert_eq!(route("GET", "/v1/files", "").target, Target::File(Access::List));
        assert_eq!(route("POST", "/upload/v1beta/files", "").target, Target::UploadNew);
        let session =
            route("POST", "/upload/v1beta/files", "upload_id=a%2Bb&upload_protocol=resumable");
        assert_eq!(session.target, Target::UploadSession("a+b".into()));
        assert_eq!(
            route("POST", "/v1/batches/b1:cancel", "").target,
            Target::Batch(Access::Cancel("b1".into()))
        );
    }

    #[test]
    fn other_methods_versions_and_paths_are_unknown() {
        for (method, path) in [
            ("GET", "/v1beta/models/gemini-x:generateContent"),
            ("POST", "/v1beta1/models/gemini-x:generateContent"),
            ("POST", "/v1beta/projects/p/locations/l/publishers/google/models/m:generateContent"),
            ("POST", "/upload/v1beta1/projects/p/locations/l/files"),
            ("GET", "/v1beta1/projects/p/locations/l/files"),
            ("POST", "/v1beta/files"),
            ("GET", "/"),
        ] {
            assert_eq!(route(method, path, "").target, Target::Unknown, "{method} {path}");
        }
    }
}
