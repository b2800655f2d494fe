//! What Google's own SDKs send is accepted. The recordings lie beside the tree, under `shared`.

use std::path::{Path, PathBuf};

use mediaprep_service::{FileState, Service, StoredFile};
use serde_json::{Value, json};

use crate::{basics::digest, client::Request};

/// Recordings that are refused here, each with its reason.
const REFUSED: &[(&str, &str)] = &[
    ("js-gemini/05_base64_alphabet", "application/octet-stream is no type that a model takes"),
    ("js-vertex/05_base64_alphabet", "application/octet-stream is no type that a model takes"),
    ("python-gemini/05_base64_alphabet", "application/octet-stream is no type that a model takes"),
    ("python-vertex/05_base64_alphabet", "application/octet-stream is no type that a model takes"),
    ("python-gemini/10_gcs_uri", "the Developer API reads only objects that were registered"),
    ("js-vertex/09_youtube_uri", "Vertex requires a role"),
    ("python-vertex/09_youtube_uri", "Vertex requires a role"),
    (
        "python-vertex/26_model_name_forms_bare",
        "Vertex has no models/… below a location, only publishers/google/models/…",
    ),
];

fn golden() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let golden = root.parent()?.join("shared/golden");
    if !golden.is_dir() {
        println!("skipped: there are no recordings beside the tree");
        return None;
    }
    Some(golden)
}

struct Case {
    name: String,
    requests: Vec<Value>,
}

fn cases(golden: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for folder in std::fs::read_dir(golden).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
            let name = format!("{}/{}", stem(&folder), stem(&file));
            let case: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            cases.push(Case { name, requests: case["requests"].as_array().unwrap().clone() });
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// A service with everything that the recordings refer to.
fn prepared() -> Service {
    let service = Service::start().unwrap();
    for (id, mime_type) in [
        ("abc", "image/png"),
        ("abc-123", "image/png"),
        ("abc-124", "image/png"),
        ("abc-223", "image/png"),
        ("abc-323", "image/png"),
        ("jsonl-1", "application/jsonl"),
        ("v", "video/mp4"),
        ("vid-1", "video/mp4"),
    ] {
        service.add_file(StoredFile {
            name: format!("files/{id}"),
            display_name: String::new(),
            mime_type: mime_type.into(),
            size: 1,
            sha256: String::new(),
            state: FileState::Active,
            owner: "FAKE-API-KEY".into(),
        });
    }
    service.add_cached_content("FAKE-API-KEY", "cachedContents/fake-cache");
    service
}

/// Replays the requests of one case; what the service's own answers name takes the place of what
/// the recording's answers named.
struct Replay<'a> {
    service: &'a Service,
    golden: &'a Path,
    upload_url: Option<String>,
    page_token: Option<String>,
}

impl Replay<'_> {
    fn send(&mut self, recorded: &Value) -> Result<(), String> {
        let answer = self.request(recorded).send(self.service);
        if answer.status != 200 {
            return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)));
        }
        if let Some(url) = answer.header("x-goog-upload-url") {
            let path = url.strip_prefix(&self.service.base_url()).unwrap();
            self.upload_url = Some(path.to_owned());
        }
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        self.page_token = json["nextPageToken"].as_str().map(str::to_owned);
        Ok(())
    }

    fn request(&self, recorded: &Value) -> Request {
        let mut request =
            Request::new(recorded["method"].as_str().unwrap(), &self.target(recorded));
        for (name, value) in recorded["headers"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            if !["content-length", "connection", "host"].contains(&name.as_str()) {
                request = request.header(name, value);
            }
        }
        if recorded["multipart"].is_array() {
            return request.body(self.multipart(recorded));
        }
        match (&recorded["body"], &recorded["body_bytes"]) {
            (Value::Null, Value::Null) => request,
            (Value::Null, bytes) => request.body(self.bytes(bytes)),
            (body, _) => request.body(body.to_string()),
        }
    }

    fn target(&self, recorded: &Value) -> String {
        let query = recorded["query"].as_object().unwrap();
        if query.contains_key("upload_id") {
            return self.upload_url.clone().unwrap();
        }
        let pairs = query.iter().map(|(name, value)| match name.as_str() {
            "pageToken" => format!("pageToken={}", self.page_token.as_deref().unwrap()),
            _ => format!("{name}={}", value.as_str().unwrap()),
        });
        let pairs = pairs.collect::<Vec<_>>().join("&").replace("==", "%3D%3D");
        let path = recorded["path"].as_str().unwrap();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{pairs}") }
    }

    /// The bytes of a recording that holds only their length and hash: a file of that hash, or
    /// any bytes of that length.
    fn bytes(&self, bytes: &Value) -> Vec<u8> {
        let length = usize::try_from(bytes["length"].as_u64().unwrap()).unwrap();
        for file in std::fs::read_dir(self.golden.join("media")).unwrap() {
            let found = std::fs::read(file.unwrap().path()).unwrap();
            if found.len() == length && digest(&found) == bytes["sha256"].as_str().unwrap() {
                return found;
            }
        }
        vec![7; length]
    }

    fn multipart(&self, recorded: &Value) -> Vec<u8> {
        let mut body = Vec::new();
        for part in recorded["multipart"].as_array().unwrap() {
            let content_type = part["headers"]["content-type"].as_str().unwrap();
            body.extend_from_slice(b"--BOUNDARY\r\n");
            body.extend_from_slice(format!("Content-Type: {content_type}\r\n\r\n").as_bytes());
            match &part["body"] {
                Value::Null => body.extend_from_slice(&self.bytes(&part["body_bytes"])),
                json => body.extend_from_slice(json.to_string().as_bytes()),
            }
            body.extend_from_slice(b"\r\n");
        }
        let end = recorded["multipart_ends_with"].as_str().unwrap();
        body.truncate(body.len() - 2);
        body.extend_from_slice(end.as_bytes());
        body
    }
}

fn replay(case: &Case, golden: &Path) -> Result<(), String> {
    let service = prepared();
    let mut replay = Replay { service: &service, golden, upload_url: None, page_token: None };
    for recorded in &case.requests {
        replay.send(recorded)?;
    }
    match service.refusals().is_empty() {
        true => Ok(()),
        false => Err(format!("{:?}", service.refusals())),
    }
}

#[test]
fn what_the_sdks_send_is_accepted() {
    let Some(golden) = golden() else { return };
    let (mut replayed, mut refused, mut wrong) = (0, 0, Vec::new());
    for case in cases(&golden) {
        let reason = REFUSED.iter().find(|(name, _)| *name == case.name);
        match (replay(&case, &golden), reason) {
            (Ok(()), None) => replayed += case.requests.len(),
            (Err(_), Some(_)) => refused += 1,
            (Err(error), None) => wrong.push(format!("{}: {error}", case.name)),
            (Ok(()), Some((name, reason))) => {
                wrong.push(format!("{name} is accepted, but: {reason}"))
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(refused, REFUSED.len());
    assert!(replayed > 150, "only {replayed} requests were found");
}

/// The recordings' own fields, each misspelt or put into the wrong shape.
#[test]
fn every_field_that_the_sdks_send_is_asked_to_be_right() {
    let Some(golden) = golden() else { return };
    let mut checked = 0;
    for case in cases(&golden) {
        let accepted = REFUSED.iter().all(|(name, _)| *name != case.name);
        let generate = case
            .requests
            .iter()
            .find(|recorded| recorded["path"].as_str().unwrap().ends_with(":generateContent"));
        let Some(recorded) = generate.filter(|_| accepted) else { continue };
        let service = prepared();
        let replay =
            Replay { service: &service, golden: &golden, upload_url: None, page_token: None };
        for bent in bent(&recorded["body"]) {
            let mut recorded = recorded.clone();
            recorded["body"] = bent;
            let answer = replay.request(&recorded).send(&service);
            let body = &recorded["body"];
            assert_eq!(answer.status, 400, "{} is accepted: {body}", case.name);
            checked += 1;
        }
    }
    assert!(checked > 1000, "only {checked} were found");
}

/// Bodies like this one with one name misspelt, or one array taken out of its brackets.
fn bent(body: &Value) -> Vec<Value> {
    match body {
        Value::Object(object) => object
            .iter()
            .flat_map(|(name, value)| {
                let mut all = Vec::new();
                if free(name) {
                    return all;
                }
                let with = |name: &str, changed: Value| {
                    let mut object = object.clone();
                    object.remove(name.trim_end_matches("_x"));
                    object.insert(name.to_owned(), changed);
                    Value::Object(object)
                };
                all.push(with(&format!("{name}_x"), value.clone()));
                if let Some([first, ..]) = value.as_array().map(Vec::as_slice) {
                    all.push(with(name, first.clone()));
                }
                all.extend(bent(value).into_iter().map(|inner| with(name, inner)));
                all
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(at, item)| {
                bent(item).into_iter().map(move |inner| {
                    let mut items = items.clone();
                    items[at] = inner;
                    Value::Array(items)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Fields whose members are the caller's own words.
fn free(name: &str) -> bool {
    ["labels", "responseJsonSchema", "properties"].contains(&name)
}

#[test]
fn bending_finds_names_and_arrays() {
    let found = bent(&json!({"a": [{"b": 1}], "labels": {"x": "y"}}));
    let expected = [
        json!({"a_x": [{"b": 1}], "labels": {"x": "y"}}),
        json!({"a": {"b": 1}, "labels": {"x": "y"}}),
        json!({"a": [{"b_x": 1}], "labels": {"x": "y"}}),
    ];
    assert_eq!(found, expected);
}
