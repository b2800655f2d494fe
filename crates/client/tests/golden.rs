//! Whole requests held against those that Google's own SDKs put on the wire. The recordings lie
//! beside the tree, under `shared`; without them nothing is compared.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use mediaprep_client::{
    BoxFuture, BytesSource, Client, ClientBuilder, FileSource, Payload, Request, Response,
    ResponseBody, Secret, TokenSource, Transport, TransportError, UploadOptions, UploadSource,
};
use mediaprep_parts::{
    BatchInput, BatchLine, BatchPredictionJob, BatchRequest, CacheExpiry, CacheRequest, Content,
    GenerateRequest, GenerationConfig, Part, parse_duration,
};
use serde_json::{Value, json};

use crate::common::{block_on, bytes, drain, hash};

/// What the recorder put in the place of its own address.
const BASE: &str = "http://127.0.0.1:PORT";

/// Recordings that are not compared, each with its reason.
const OUT_OF_SCOPE: &[(&str, &str)] = &[
    ("js-gemini/56_upload_non_ascii_filename", "the SDK fails before it sends anything"),
    ("js-gemini/57_upload_no_extension", "the SDK fails before it sends anything"),
    ("python-gemini/56_upload_non_ascii_filename", "the SDK fails before it sends anything"),
    ("python-gemini/57_upload_no_extension", "the SDK fails before it sends anything"),
    ("python-vertex/50_upload", "the SDK fails before it sends anything, as the client does"),
    ("python-gemini/62_files_get_by_uri", "the SDK cuts the file's name in two"),
    ("legacy-js/50_upload_multipart", "the client's uploads are always resumable"),
    ("legacy-js/51_upload_multipart_buffer_no_name", "the client's uploads are always resumable"),
    (
        "python-vertex/26_model_name_forms_bare",
        "the SDK leaves the publisher out, which is no path of the service",
    ),
];

/// Recordings whose requests go on in a way that the SDK does not: so many requests follow.
const LONGER: &[(&str, usize)] = &[
    // The SDK never ends the upload of an empty file.
    ("js-gemini/55_upload_empty_file", 1),
];

fn golden() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    if !path.is_dir() {
        println!("skipped: no recordings at {}", path.display());
        return None;
    }
    Some(path)
}

/// One recorded case.
struct Case {
    folder: String,
    name: String,
    /// What was called, as source.
    call: String,
    requests: Vec<Value>,
}

impl Case {
    fn id(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }

    /// The text in single quotes behind one of the words.
    fn argument(&self, words: &[&str]) -> Option<&str> {
        let at = words.iter().find_map(|word| Some(self.call.find(word)? + word.len()))?;
        self.call[at..].split('\'').next()
    }
}

fn cases(golden: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for folder in fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.is_dir() {
            continue;
        }
        let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let case: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            cases.push(Case {
                folder: stem(&folder),
                name: stem(&file),
                call: case["call"].as_str().unwrap().to_owned(),
                requests: case["requests"].as_array().unwrap().clone(),
            });
        }
    }
    cases.sort_by_key(Case::id);
    cases
}

/// What a request was.
struct Sent {
    verb: &'static str,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Keeps what is sent and answers what the recorder answered.
struct Recorder {
    answers: Mutex<VecDeque<Value>>,
    sent: Mutex<Vec<Sent>>,
}

impl Recorder {
    fn keep(&self, request: Request) {
        let body = match request.body {
            Payload::Empty => Vec::new(),
            Payload::Bytes(bytes) => bytes.to_vec(),
            Payload::Chunks { length, mut source } => {
                let mut body = Vec::new();
                while let Some(piece) = source.next_chunk() {
                    body.extend_from_slice(&piece.unwrap());
                }
                assert_eq!(body.len() as u64, length, "a body is as long as it says");
                body
            }
        };
        let address = request.url.strip_prefix(BASE).expect("the base URL is kept");
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        let header = |(name, value): (&str, String)| {
            assert!(value.is_ascii(), "{name}: {value}");
            (name.to_owned(), value)
        };
        self.sent.lock().unwrap().push(Sent {
            verb: request.verb,
            path: path.to_owned(),
            query: pairs.map(pair).collect(),
            headers: request.headers.into_iter().map(header).collect(),
            body,
        });
    }
}

struct Whole(Option<Bytes>);

impl ResponseBody for Whole {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        let next = self.0.take();
        Box::pin(async { Ok(next) })
    }
}

impl Transport for Recorder {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.keep(request);
        let answer = self.answers.lock().unwrap().pop_front().expect("an answer for each request");
        let headers = answer["headers"].as_object().into_iter().flatten();
        let header = |(name, value): (&String, &Value)| {
            (name.to_ascii_lowercase(), value.as_str().unwrap().to_owned())
        };
        let body = match (&answer["body"], answer["body_text"].as_str()) {
            (Value::Null, text) => text.unwrap_or_default().to_owned(),
            (json, _) => json.to_string(),
        };
        let response = Response {
            code: u16::try_from(answer["status"].as_u64().unwrap()).unwrap(),
            headers: headers.map(header).collect(),
            body: Box::new(Whole(Some(body.into()))),
        };
        Box::pin(async { Ok(response) })
    }
}

/// What the recorder answered: it wrote down once what it answered most.
fn answer(golden: &Path, request: &Value) -> Value {
    if request["fake_response"].is_object() {
        return request["fake_response"].clone();
    }
    let text = fs::read(golden.join("fake_responses.json")).unwrap();
    let answers: Value = serde_json::from_slice(&text).unwrap();
    let path = request["path"].as_str().unwrap();
    let method = path.rsplit_once([':', '/']).unwrap().1;
    if method == "streamGenerateContent" {
        let events = answers["streamGenerateContent_sse_events"].as_array().unwrap();
        let events: String = events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
        return json!({"status": 200, "body_text": events});
    }
    let body = match method {
        "generateContent" | "countTokens" => answers[method].clone(),
        "batchGenerateContent" => json!({"name": "batches/fake-batch"}),
        _ => json!({"name": "fake-name"}),
    };
    json!({"status": 200, "body": body})
}

fn client(case: &Case) -> ClientBuilder {
    let first = case.requests[0]["path"].as_str().unwrap();
    let token = || TokenSource::Static(Secret::new("fake-bearer-token"));
    let key = || Secret::new("FAKE-API-KEY");
    let location = first.split_once("/locations/").map(|(_, rest)| rest.split('/').next().unwrap());
    let builder = match (case.name.as_str(), location) {
        // Its name says where it is; the client's own project is another.
        (_, Some(location)) => Client::vertex("fake-project", location, token()),
        ("81_express_mode_api_key", _) => Client::vertex_express(key()),
        ("66_files_register_gcs", _) => {
            Client::developer_api_with_token(token()).quota_project("fake-project")
        }
        _ => Client::developer_api(key()),
    };
    let builder = if case.name == "82_v1" { builder.api_version("v1") } else { builder };
    let timed = case.requests.iter().any(|one| one["headers"]["x-server-timeout"].is_string());
    if timed { builder.deadline(Duration::from_millis(90_500)) } else { builder }
}

/// The body as this crate's own type.
fn typed<T: serde::de::DeserializeOwned>(body: &Value) -> T {
    serde_json::from_value(body.clone()).unwrap()
}

fn body(request: &Value) -> &Value {
    request.get("canonical_body").unwrap_or(&request["body"])
}

/// Does what a case did, by the client's public calls. What the recorded requests hold is what it
/// is given.
async fn perform(case: &Case, golden: &Path, client: &Client) {
    let model = case.argument(&["model='", "model: '"]).unwrap_or(match case.folder.as_str() {
        "legacy-js" => "gemini-1.5-pro",
        _ => "gemini-2.5-flash",
    });
    let mut at = 0;
    while let Some(request) = case.requests.get(at) {
        let path = request["path"].as_str().unwrap();
        at += match (request["method"].as_str().unwrap(), path.rsplit_once([':', '/']).unwrap().1) {
            ("POST", "files") => upload(case, at, golden, client).await,
            ("GET", "files") => list(case, at, client).await,
            ("POST", "register") => {
                let uris: Vec<String> = typed(&body(request)["uris"]);
                assert_eq!(client.files().register(&uris).await.unwrap().len(), 1);
                1
            }
            ("POST", _) => {
                ask(case, request, model, client).await;
                1
            }
            ("GET", _) if path.contains("/models/") => {
                client.model(model).await.unwrap();
                1
            }
            (method, id) => {
                let name = case.argument(&["get(name='", "get({name: '", "getFile('"]);
                let name = name.filter(|name| name.ends_with(id)).unwrap_or(id);
                if method == "GET" {
                    client.files().get(name).await.unwrap();
                } else {
                    client.files().delete(name).await.unwrap();
                }
                1
            }
        };
    }
}

/// Uploads what was uploaded; how many of the requests that is.
async fn upload(case: &Case, at: usize, golden: &Path, client: &Client) -> usize {
    let start = &case.requests[at];
    let file = &body(start)["file"];
    let text = |name: &str| file[name].as_str().map(str::to_owned);
    let is_piece = |request: &&Value| request["query"]["upload_id"].is_string();
    let pieces: Vec<&Value> = case.requests[at + 1..].iter().take_while(is_piece).collect();
    let length = start["headers"]["x-goog-upload-header-content-length"].as_str().unwrap();
    let sha256 = pieces.first().and_then(|piece| piece["body_bytes"]["sha256"].as_str());
    let source = source(golden, length.parse().unwrap(), sha256);
    let options = UploadOptions {
        mime_type: text("mimeType").unwrap(),
        name: text("name"),
        display_name: text("displayName"),
        ..UploadOptions::default()
    };
    let stored = client.files().upload(source, &options).await.unwrap();
    assert!(stored.name.starts_with("files/"), "{stored:?}");
    1 + pieces.len()
}

/// The tiny inputs lie beside the recordings; of large ones only length and hash are told, so any
/// bytes of that length stand for them.
fn source(golden: &Path, length: u64, sha256: Option<&str>) -> Arc<dyn UploadSource> {
    for file in fs::read_dir(golden.join("media")).unwrap() {
        let path = file.unwrap().path();
        if sha256.is_some_and(|sha256| hash(&fs::read(&path).unwrap()) == sha256) {
            return Arc::new(FileSource::new(path).unwrap());
        }
    }
    assert!(length == 0 || length > 1 << 20, "an input of {length} bytes is not there");
    Arc::new(BytesSource::new(bytes(length)))
}

async fn list(case: &Case, at: usize, client: &Client) -> usize {
    let size = case.requests[at]["query"]["pageSize"].as_str();
    let is_page = |request: &&Value| request["path"].as_str().unwrap().ends_with("/files");
    let pages: Vec<&Value> = case.requests[at..].iter().take_while(is_page).collect();
    let files = pages.iter().flat_map(|page| page["fake_response"]["body"]["files"].as_array());
    let names: Vec<&str> = files.flatten().map(|file| file["name"].as_str().unwrap()).collect();
    let mut listing = client.files().list(size.map(|size| size.parse().unwrap()));
    for name in &names {
        assert_eq!(listing.next().await.unwrap().unwrap().name, *name);
    }
    let more = pages.last().unwrap()["fake_response"]["body"]["nextPageToken"].is_string();
    if !more {
        assert!(listing.next().await.is_none());
    }
    pages.len()
}

/// Sends what has a JSON body.
async fn ask(case: &Case, request: &Value, model: &str, client: &Client) {
    let path = request["path"].as_str().unwrap();
    let body = body(request);
    match path.rsplit_once([':', '/']).unwrap().1 {
        "generateContent" => {
            let answer = client.generate(model, &typed(body)).await.unwrap();
            assert_eq!(answer.outcome.text(), "ok");
        }
        "streamGenerateContent" => {
            let stream = client.stream(model, &typed(body)).await.unwrap();
            assert_eq!(drain(stream).await.generated.outcome.text(), "ok");
        }
        "countTokens" => {
            let count = client.count_tokens(model, &counted(body)).await.unwrap();
            assert_eq!(count.total_tokens, Some(264));
        }
        "cachedContents" => drop(client.create_cache(&cache(body, model)).await.unwrap()),
        "batchGenerateContent" => drop(client.create_batch(model, &batch(body)).await.unwrap()),
        "batchPredictionJobs" => {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let job = BatchPredictionJob {
                model: text(&body["model"]),
                display_name: Some(text(&body["displayName"])),
                input_uris: typed(&body["inputConfig"]["gcsSource"]["uris"]),
                output_uri_prefix: text(&body["outputConfig"]["gcsDestination"]["outputUriPrefix"]),
            };
            client.create_prediction_job(&job).await.unwrap();
        }
        "completions" => drop(client.chat(model, &chat(case, golden().as_deref())).await.unwrap()),
        other => panic!("{} asks {other}", case.id()),
    }
}

/// The request that was counted, out of any of the three shapes.
fn counted(body: &Value) -> GenerateRequest {
    let mut request = body.get("generateContentRequest").unwrap_or(body).clone();
    request.as_object_mut().unwrap().remove("model");
    typed(&request)
}

fn cache(body: &Value, model: &str) -> CacheRequest {
    CacheRequest {
        model: model.to_owned(),
        contents: typed(&body["contents"]),
        system_instruction: typed(&body["systemInstruction"]),
        expiry: parse_duration(body["ttl"].as_str().unwrap()).map(CacheExpiry::After),
        display_name: typed(&body["displayName"]),
    }
}

fn batch(body: &Value) -> BatchRequest {
    let batch = &body["batch"];
    let input = match batch["inputConfig"]["fileName"].as_str() {
        Some(name) => BatchInput::File(name.to_owned()),
        None => {
            let lines = batch["inputConfig"]["requests"]["requests"].as_array().unwrap();
            let key = |line: &Value| line["metadata"]["key"].as_str().unwrap_or_default().into();
            let line =
                |line: &Value| BatchLine { key: key(line), request: typed(&line["request"]) };
            BatchInput::Inline(lines.iter().map(line).collect())
        }
    };
    BatchRequest { display_name: typed(&batch["displayName"]), input }
}

/// The OpenAI-compatible form cannot be read back, so its two requests are written by hand.
fn chat(case: &Case, golden: Option<&Path>) -> GenerateRequest {
    let media = |name: &str| fs::read(golden.unwrap().join("media").join(name)).unwrap();
    if case.name == "02_audio_input" {
        let sound = Part::inline("audio/wav", media("beep.wav"));
        return GenerateRequest::user(vec![Part::text("Transcribe"), sound]);
    }
    let picture = Part::inline("image/png", media("red.png"));
    GenerateRequest {
        system_instruction: Some(Content::instruction("terse")),
        generation_config: Some(GenerationConfig {
            temperature: Some(0.2),
            max_output_tokens: Some(64),
            ..GenerationConfig::default()
        }),
        ..GenerateRequest::user(vec![Part::text("What is in this image?"), picture])
    }
}

/// Takes the differences away that the recordings' description allows.
fn normalised(mut body: Value) -> Value {
    fn strip_instruction(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if let Some(instruction) = fields.get_mut("systemInstruction") {
                    instruction.as_object_mut().unwrap().remove("role");
                }
                fields.values_mut().for_each(strip_instruction);
            }
            Value::Array(items) => items.iter_mut().for_each(strip_instruction),
            _ => {}
        }
    }
    strip_instruction(&mut body);
    if let Some([only]) = body["contents"].as_array_mut().map(Vec::as_mut_slice) {
        only.as_object_mut().unwrap().entry("role").or_insert_with(|| "user".into());
    }
    body
}

/// What the body should be: the recorded one, but where the client asks the same in fewer words.
fn expected(case: &Case, request: &Value) -> Value {
    let body = body(request);
    // Contents alone are counted in the short form, which needs no model inside.
    if case.id() == "legacy-js/31_count_tokens_contents" {
        return normalised(json!({"contents": body["generateContentRequest"]["contents"]}));
    }
    normalised(body.clone())
}

/// The path with `{version}` in the place of any version but the one that was asked for.
fn versionless(case: &Case, path: &str) -> String {
    if case.name == "82_v1" || path.contains("/openai/") {
        return path.to_owned();
    }
    let version = |part: &&str| ["v1", "v1beta", "v1beta1"].contains(part);
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.iter().position(version).unwrap();
    [&parts[..at], &["{version}"], &parts[at + 1..]].concat().join("/")
}

fn compare(case: &Case, recorded: &Value, sent: &Sent) {
    let id = case.id();
    assert_eq!(recorded["method"], sent.verb, "{id}");
    let path = recorded["path"].as_str().unwrap();
    assert_eq!(versionless(case, path), versionless(case, &sent.path), "{id}");
    let query: BTreeMap<String, String> = typed(&recorded["query"]);
    assert_eq!(query, sent.query, "{id}");
    let recorded_headers: BTreeMap<String, String> = typed(&recorded["headers"]);
    let command = recorded_headers.get("x-goog-upload-command").map(String::as_str);
    for name in compared_headers(&id, recorded, command) {
        assert_eq!(recorded_headers.get(name), sent.headers.get(name), "{id} {name}");
    }
    let known = |name: &&String| {
        !["x-goog-upload-file-name", "x-server-timeout"].contains(&name.as_str())
            || recorded_headers.contains_key(*name)
    };
    assert!(sent.headers.keys().all(|name| known(&name)), "{id} {:?}", sent.headers.keys());
    assert!(!sent.headers.contains_key("x-goog-upload-file-name"), "{id}");
    if command.is_some_and(|command| command != "start") {
        return compare_piece(&id, recorded, sent);
    }
    // DELETE has no body: the `{}` that one SDK sends with it is a defect.
    match recorded["method"].as_str() {
        Some("POST") => {
            let made: Value = serde_json::from_slice(&sent.body).unwrap();
            assert_eq!(expected(case, recorded), normalised(made), "{id}");
        }
        _ => assert!(sent.body.is_empty(), "{id}"),
    }
}

/// The headers that must be equal, or equally absent.
fn compared_headers(
    id: &str,
    recorded: &Value,
    command: Option<&str>,
) -> impl Iterator<Item = &'static str> {
    let mut names = match command {
        None => vec!["x-goog-user-project", "x-server-timeout", "authorization"],
        Some("start") => vec![
            "x-goog-api-key",
            "x-goog-upload-protocol",
            "x-goog-upload-command",
            "x-goog-upload-header-content-length",
            "x-goog-upload-header-content-type",
            "x-goog-upload-offset",
        ],
        // The address is a capability; what SDKs repeat with it is their own.
        Some(_) => vec!["x-goog-upload-command", "x-goog-upload-offset"],
    };
    // The SDK sends its key beside the token that is asked for.
    if command.is_none() && !id.ends_with("66_files_register_gcs") {
        names.push("x-goog-api-key");
    }
    if recorded["method"] == "POST" && command.is_none_or(|command| command == "start") {
        names.push("content-type");
    }
    names.into_iter()
}

fn compare_piece(id: &str, recorded: &Value, sent: &Sent) {
    let length = recorded["body_bytes"]["length"].as_u64().unwrap_or(0);
    assert_eq!(sent.body.len() as u64, length, "{id}");
    assert!(!sent.headers.contains_key("x-goog-api-key"), "{id}");
    if length < 1 << 20 {
        let sha256 = recorded["body_bytes"]["sha256"].as_str();
        // An empty piece was recorded as none.
        assert_eq!(hash(&sent.body), sha256.map_or_else(|| hash(b""), str::to_owned), "{id}");
        return;
    }
    let offset: usize = sent.headers["x-goog-upload-offset"].parse().unwrap();
    let source = bytes((offset + sent.body.len()) as u64);
    assert!(sent.body == source[offset..], "{id} at {offset}");
}

/// Plays one case and compares every request; how many there were.
fn replay(case: &Case, golden: &Path) -> usize {
    let mut answers: VecDeque<Value> =
        case.requests.iter().map(|request| answer(golden, request)).collect();
    let longer = LONGER.iter().find(|(id, _)| *id == case.id()).map_or(0, |(_, count)| *count);
    if longer > 0 {
        answers.push_back(json!({"status": 200, "headers": {"X-Goog-Upload-Status": "final"},
            "body": {"file": {"name": "files/x", "sizeBytes": "0"}}}));
    }
    let recorder = Arc::new(Recorder { answers: Mutex::new(answers), sent: Mutex::default() });
    let client = client(case).base_url(BASE).transport(recorder.clone()).build().unwrap();
    block_on(perform(case, golden, &client));
    let sent = recorder.sent.lock().unwrap();
    assert_eq!(sent.len(), case.requests.len() + longer, "{}", case.id());
    for (recorded, sent) in case.requests.iter().zip(&*sent) {
        compare(case, recorded, sent);
    }
    case.requests.len()
}

#[test]
fn what_is_sent_equals_what_the_sdks_send() {
    let Some(golden) = golden() else { return };
    let cases = cases(&golden);
    assert!(cases.len() > 150, "only {} recordings were found", cases.len());
    let (mut compared, mut outside) = (0, 0);
    for case in &cases {
        if let Some((id, reason)) = OUT_OF_SCOPE.iter().find(|(id, _)| *id == case.id()) {
            println!("{id} is not compared: {reason}");
            outside += 1;
            continue;
        }
        assert!(!case.requests.is_empty(), "{} holds no request and is not listed", case.id());
        compared += replay(case, &golden);
    }
    println!("{compared} requests of {} recordings compared", cases.len() - outside);
    assert_eq!(outside, OUT_OF_SCOPE.len(), "what is listed must be there");
    assert!(compared > 170, "only {compared} requests were compared");
}

/// An upload by the SDKs' own route to Google Cloud is refused by them as it is here.
#[test]
fn google_cloud_has_no_uploads() {
    let token = TokenSource::Static(Secret::new("fake-bearer-token"));
    let recorder = Recorder { answers: Mutex::default(), sent: Mutex::default() };
    let recorder = Arc::new(recorder);
    let client = Client::vertex("fake-project", "us-central1", token);
    let client = client.transport(recorder.clone()).build().unwrap();
    let source = Arc::new(BytesSource::new(bytes(3)));
    let error = block_on(client.files().upload(source, &UploadOptions::default())).unwrap_err();
    assert!(error.to_string().contains("not offered"), "{error}");
    assert!(recorder.sent.lock().unwrap().is_empty());
}

/// Base URLs and versions, where the SDKs' own are recorded.
#[test]
fn hosts_are_the_sdks_own() {
    let Some(golden) = golden() else { return };
    let text = fs::read(golden.join("python_default_hosts.json")).unwrap();
    let recorded: Value = serde_json::from_slice(&text).unwrap();
    let hosts = recorded["hosts"].as_array().unwrap();
    assert_eq!(hosts.len(), 6);
    for host in hosts {
        let mode = host["mode"].as_str().unwrap();
        let token = || TokenSource::Static(Secret::new("fake-bearer-token"));
        let location = mode.split(' ').nth(1).unwrap_or_default();
        let builder = match mode.split(' ').next().unwrap() {
            "gemini" => Client::developer_api(Secret::new("FAKE")),
            _ if location == "express" => Client::vertex_express(Secret::new("FAKE")),
            _ => Client::vertex("p", location, token()),
        };
        let client = builder.build().unwrap();
        let base = host["base_url"].as_str().unwrap().trim_end_matches('/');
        assert_eq!(client.endpoint().base(), base, "{mode}");
    }
}
