//! The straight paths: generate, stream, count, upload, files.

use mediaprep_service::{Answer, FileState, Framing, HashForm, Modality, Service, StoredFile};
use serde_json::{Value, json};

use crate::client::Request;

pub(crate) const GENERATE: &str = "/v1beta/models/gemini-2.5-flash:generateContent";

pub(crate) fn text_request() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "Say ok."}]}]})
}

/// Starts an upload and returns the path of its URL.
pub(crate) fn start(service: &Service, length: u64, file: &Value) -> String {
    let answer = Request::new("POST", "/upload/v1beta/files")
        .key()
        .header("x-goog-upload-protocol", "resumable")
        .header("x-goog-upload-command", "start")
        .header("x-goog-upload-header-content-length", &length.to_string())
        .header("x-goog-upload-header-content-type", "image/png")
        .json(&json!({"file": file}))
        .send(service);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-goog-upload-status"), Some("active"));
    let url = answer.header("x-goog-upload-url").unwrap();
    url.strip_prefix(&service.base_url()).unwrap().to_owned()
}

pub(crate) fn piece(url: &str, command: &str, offset: u64, body: &[u8]) -> Request {
    Request::new("POST", url)
        .header("x-goog-upload-command", command)
        .header("x-goog-upload-offset", &offset.to_string())
        .body(body)
}

#[test]
fn generate_answers_with_usage_by_modality() {
    let service = Service::start().unwrap();
    let body = json!({"contents": [{"parts": [
        {"text": "What is it?"},
        {"inline_data": {"mime_type": "image/png", "data": "iVBORw0KGgo="}},
    ]}]});
    let answer = Request::new("POST", GENERATE).key().json(&body).send(&service);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!(json["candidates"][0]["finishReason"], "STOP");
    assert!(json["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap().contains("红"));
    assert_eq!(json["usageMetadata"]["promptTokenCount"], 3 + 258);
    let details = json!([
        {"modality": "TEXT", "tokenCount": 3}, {"modality": "IMAGE", "tokenCount": 258},
    ]);
    assert_eq!(json["usageMetadata"]["promptTokensDetails"], details);
    let record = &service.requests()[0];
    assert_eq!((record.method.as_str(), record.path.as_str()), ("POST", GENERATE));
    assert_eq!(record.json().unwrap(), body);
    assert_eq!(record.framing, Framing::Length(record.body_length));
    assert_eq!((record.complete, record.status), (true, Some(200)));
    assert!(service.refusals().is_empty());
}

#[test]
fn the_answer_and_the_counter_can_be_set() {
    let service = Service::start().unwrap();
    service.set_answer(Answer::text("hello"));
    service.set_token_counter(|request| {
        vec![(Modality::Audio, request["contents"].as_array().unwrap().len() as u64 * 7)]
    });
    let answer = Request::new("POST", GENERATE).key().json(&text_request()).send(&service).json();
    assert_eq!(answer["candidates"][0]["content"]["parts"][0]["text"], "hello");
    assert_eq!(answer["usageMetadata"]["promptTokenCount"], 7);
    service.set_answer(Answer::blocked("SAFETY"));
    let answer = Request::new("POST", GENERATE).key().json(&text_request()).send(&service).json();
    assert_eq!(answer["promptFeedback"]["blockReason"], "SAFETY");
    assert!(answer.get("candidates").is_none());
}

#[test]
fn a_stream_is_events_and_without_sse_an_array() {
    let service = Service::start().unwrap();
    let path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
    let request = |path: &str| Request::new("POST", path).key().json(&text_request());
    let answer = request(&format!("{path}?alt=sse")).send(&service);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let text = answer.text();
    let events: Vec<Value> = text
        .split_terminator("\r\n\r\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    assert_eq!(events.len(), 3);
    assert!(!answer.cut && answer.chunks.len() == 3);
    assert!(events[1]["candidates"][0].get("finishReason").is_none());
    assert_eq!(events[2]["candidates"][0]["finishReason"], "STOP");
    let array = request(path).send(&service).json();
    assert_eq!(array.as_array().unwrap().len(), 3);
}

#[test]
fn tokens_are_counted_on_both_services() {
    let service = Service::start().unwrap();
    let developer = "/v1beta/models/gemini-2.5-flash:countTokens";
    let answer = Request::new("POST", developer).key().json(&text_request()).send(&service);
    assert_eq!(answer.json()["totalTokens"], 2);
    let wrapped = json!({"generateContentRequest": {
        "model": "models/gemini-2.5-flash",
        "contents": text_request()["contents"],
        "systemInstruction": {"parts": [{"text": "terse"}]},
    }});
    let answer = Request::new("POST", developer).key().json(&wrapped).send(&service);
    assert_eq!(answer.json()["totalTokens"], 4);
    let vertex = "/v1/projects/p/locations/l/publishers/google/models/gemini-x:countTokens";
    let answer = Request::new("POST", vertex).bearer().json(&text_request()).send(&service).json();
    assert_eq!(
        (&answer["totalTokens"], &answer["totalBillableCharacters"]),
        (&json!(2), &json!(6))
    );
}

#[test]
fn a_small_upload_is_stored_got_listed_used_and_deleted() {
    let service = Service::start().unwrap();
    let url = start(&service, 3, &json!({"name": "files/red-1", "displayName": "Réd 红"}));
    let answer = piece(&url, "upload, finalize", 0, b"abc").send(&service);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-goog-upload-status"), Some("final"));
    let file = &answer.json()["file"];
    assert_eq!(file["name"], "files/red-1");
    assert_eq!(file["displayName"], "Réd 红");
    assert_eq!((&file["sizeBytes"], &file["state"]), (&json!("3"), &json!("ACTIVE")));
    assert_eq!(file["sha256Hash"], "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    let stored = &service.files()[0];
    assert_eq!(stored.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(service.bytes_received(), 3);

    service.set_hash_form(HashForm::HexText);
    let get = Request::new("GET", "/v1beta/files/red-1").key();
    let hash = get.send(&service).json()["sha256Hash"].as_str().unwrap().to_owned();
    assert!(hash.starts_with("YmE3ODE2"), "{hash}");
    let list = Request::new("GET", "/v1beta/files").key().send(&service).json();
    assert_eq!(list["files"][0]["name"], "files/red-1");
    let used = json!({"contents": [{"parts": [{"fileData": {"fileUri": file["uri"]}}]}]});
    let answer = Request::new("POST", GENERATE).key().json(&used).send(&service);
    assert_eq!(answer.json()["usageMetadata"]["promptTokenCount"], 258, "{}", answer.text());

    let other = Request::new("GET", "/v1beta/files/red-1").header("x-goog-api-key", "another");
    assert_eq!(other.send(&service).status, 403);
    let answer = Request::new("DELETE", "/v1beta/files/red-1").key().send(&service);
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    assert_eq!(get.send(&service).status, 403);
}

#[test]
fn a_large_upload_comes_in_pieces() {
    let service = Service::start().unwrap();
    service.set_granularity(1000);
    let bytes: Vec<u8> = (0..2500_u32).map(|at| (at % 251) as u8).collect();
    let url = start(&service, 2500, &json!({}));
    let first = piece(&url, "upload", 0, &bytes[..1000]).send(&service);
    assert_eq!(first.header("x-goog-upload-size-received"), Some("1000"));
    let second = piece(&url, "upload", 1000, &bytes[1000..2000]).chunked().send(&service);
    assert_eq!(second.header("x-goog-upload-size-received"), Some("2000"));
    let query = Request::new("POST", &url).header("x-goog-upload-command", "query");
    let answer = query.send(&service);
    assert_eq!(answer.header("x-goog-upload-status"), Some("active"));
    assert_eq!(answer.header("x-goog-upload-size-received"), Some("2000"));
    let last = piece(&url, "upload, finalize", 2000, &bytes[2000..]).send(&service);
    assert_eq!(last.status, 200);
    // The digest by `sha256sum` of the same bytes.
    assert_eq!(service.files()[0].sha256, digest(&bytes));
    assert_eq!(service.requests()[2].framing, Framing::Chunked);
    let again = query.send(&service);
    assert_eq!(again.header("x-goog-upload-status"), Some("final"));
    assert_eq!(again.json(), last.json());
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };
    let mut child =
        Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

#[test]
fn empty_files_and_unknown_lengths() {
    let service = Service::start().unwrap();
    let url = start(&service, 0, &json!({}));
    assert_eq!(piece(&url, "upload, finalize", 0, b"").send(&service).status, 200);
    let answer = Request::new("POST", "/upload/v1beta/files")
        .key()
        .header("x-goog-upload-protocol", "resumable")
        .header("x-goog-upload-command", "start")
        .header("x-goog-upload-header-content-type", "text/plain")
        .json(&json!({"file": {}}))
        .send(&service);
    let url = answer.header("x-goog-upload-url").unwrap();
    let url = url.strip_prefix(&service.base_url()).unwrap();
    service.set_granularity(4);
    assert_eq!(piece(url, "upload", 0, b"abcd").send(&service).status, 200);
    let finalize = Request::new("POST", url).header("x-goog-upload-command", "finalize");
    assert_eq!(finalize.send(&service).status, 200);
    let sizes: Vec<u64> = service.files().iter().map(|file| file.size).collect();
    assert_eq!(sizes, [0, 4]);
}

#[test]
fn a_cancelled_upload_stays_cancelled() {
    let service = Service::start().unwrap();
    let url = start(&service, 3, &json!({}));
    let cancel = Request::new("POST", &url).header("x-goog-upload-command", "cancel");
    assert_eq!(cancel.send(&service).header("x-goog-upload-status"), Some("cancelled"));
    let answer = piece(&url, "upload, finalize", 0, b"abc").send(&service);
    assert_eq!((answer.status, answer.header("x-goog-upload-status")), (400, Some("cancelled")));
    assert!(service.files().is_empty());
}

#[test]
fn a_multipart_upload_is_one_request() {
    let service = Service::start().unwrap();
    let mut body = b"--B\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{\"file\":{\"displayName\":\"x\"}}\r\n--B\r\nContent-Type: image/png\r\n\r\n".to_vec();
    body.extend_from_slice(b"a\r\n--b\r\n-\xff");
    body.extend_from_slice(b"\r\n--B--");
    let answer = Request::new("POST", "/upload/v1beta/files")
        .key()
        .header("x-goog-upload-protocol", "multipart")
        .header("content-type", "multipart/related; boundary=B")
        .body(body)
        .chunked()
        .send(&service);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let file = &service.files()[0];
    assert_eq!((file.size, file.mime_type.as_str()), (10, "image/png"));
    assert_eq!(file.sha256, digest(b"a\r\n--b\r\n-\xff"));
}

#[test]
fn processing_ends_after_the_polls_that_are_set() {
    let service = Service::start().unwrap();
    service.set_processing_polls(2);
    let url = start(&service, 1, &json!({"name": "files/v"}));
    let file = piece(&url, "upload, finalize", 0, b"a").send(&service).json();
    assert_eq!(file["file"]["state"], "PROCESSING");
    let used = json!({"contents": [{"parts": [{"fileData": {"fileUri": file["file"]["uri"]}}]}]});
    let generate = Request::new("POST", GENERATE).key().json(&used);
    let refused = generate.send(&service);
    assert_eq!(refused.json()["error"]["status"], "FAILED_PRECONDITION");
    let text = "The File v is not in an ACTIVE state and usage is not allowed.";
    assert_eq!(refused.message(), text);
    let get = Request::new("GET", "/v1beta/files/v").key();
    let states: Vec<Value> = (0..4).map(|_| get.send(&service).json()["state"].take()).collect();
    assert_eq!(states, ["PROCESSING", "PROCESSING", "ACTIVE", "ACTIVE"]);
    assert_eq!(generate.send(&service).status, 200);
}

#[test]
fn lists_come_in_pages() {
    let service = Service::start().unwrap();
    let get = |target: &str| Request::new("GET", target).key().send(&service).json();
    assert_eq!(get("/v1beta/files"), json!({}));
    for number in 0..25 {
        service.add_file(StoredFile {
            name: format!("files/f{number}"),
            display_name: String::new(),
            mime_type: "image/png".into(),
            size: 1,
            sha256: String::new(),
            state: FileState::Active,
            owner: "FAKE-API-KEY".into(),
        });
    }
    assert_eq!(get("/v1beta/files")["files"].as_array().unwrap().len(), 10);
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(&format!("/v1beta/files?pageSize=12&pageToken={token}"));
        for file in page["files"].as_array().unwrap() {
            names.push(file["name"].as_str().unwrap().to_owned());
        }
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.replace('=', "%3D"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..25).map(|number| format!("files/f{number}")).collect();
    assert_eq!(names, expected);
}

#[test]
fn sunk_bodies_are_hashed_or_not_but_never_kept() {
    let service = Service::start().unwrap();
    service.sink(true);
    let url = start(&service, 3, &json!({}));
    piece(&url, "upload, finalize", 0, b"abc").send(&service);
    assert!(service.requests().iter().all(|request| request.body.is_empty()));
    assert!(service.files()[0].sha256.starts_with("ba7816bf"));
    service.sink(false);
    let url = start(&service, 3, &json!({}));
    piece(&url, "upload, finalize", 0, b"abc").send(&service);
    assert_eq!(service.files()[1].sha256, "");
    assert_eq!(service.bytes_received(), 6);
    let large = "a".repeat(2 << 20);
    let body = json!({"contents": [{"parts": [{"text": large}]}]});
    let answer = Request::new("POST", GENERATE).key().json(&body).send(&service);
    assert_eq!(answer.status, 200);
}

#[test]
fn behind_a_prefix_only_the_prefix_is_served() {
    let service = Service::start().unwrap();
    service.set_path_prefix("/gateway/gemini/");
    assert!(service.base_url().ends_with("/gateway/gemini"));
    let request = |path: &str| Request::new("POST", path).key().json(&text_request());
    assert_eq!(request(GENERATE).send(&service).status, 404);
    assert_eq!(request(&format!("/gateway/gemini{GENERATE}")).send(&service).status, 200);
}

#[test]
fn batches_come_to_their_end_and_answer_by_key() {
    let service = Service::start().unwrap();
    service.set_processing_polls(1);
    let one = |key: &str, text: &str| {
        let contents = json!([{"parts": [{"text": text}]}]);
        json!({"request": {"contents": contents}, "metadata": {"key": key}})
    };
    let bad = json!({"request": {"contents": []}, "metadata": {"key": "c"}});
    let requests = json!({"requests": [one("a", "x"), one("b", "y"), bad]});
    let body = json!({"batch": {"displayName": "d", "inputConfig": {"requests": requests}}});
    let create = "/v1beta/models/gemini-2.5-flash:batchGenerateContent";
    let created = Request::new("POST", create).key().json(&body).send(&service).json();
    assert_eq!(created["metadata"]["state"], "BATCH_STATE_PENDING", "{created}");
    let name = created["name"].as_str().unwrap();
    let get = Request::new("GET", &format!("/v1beta/{name}")).key();
    assert_eq!(get.send(&service).json()["metadata"]["state"], "BATCH_STATE_RUNNING");
    let done = get.send(&service).json();
    assert_eq!(done["metadata"]["state"], "BATCH_STATE_SUCCEEDED");
    let answers = &done["response"]["inlinedResponses"]["inlinedResponses"];
    let keys: Vec<&Value> =
        answers.as_array().unwrap().iter().map(|answer| &answer["metadata"]["key"]).collect();
    assert_eq!(keys, ["c", "b", "a"]);
    assert_eq!(answers[0]["error"]["code"], 400);
    assert_eq!(answers[2]["response"]["candidates"][0]["finishReason"], "STOP");
}

#[test]
fn cached_contents_are_made_used_changed_and_deleted() {
    let service = Service::start().unwrap();
    let body = json!({"model": "models/gemini-2.5-flash", "ttl": "60s", "contents": [{"parts": [{"text": "long"}]}]});
    let created =
        Request::new("POST", "/v1beta/cachedContents").key().json(&body).send(&service).json();
    let name = created["name"].as_str().unwrap().to_owned();
    let mut request = text_request();
    request["cachedContent"] = name.as_str().into();
    let generate = Request::new("POST", GENERATE).key().json(&request);
    assert_eq!(generate.send(&service).status, 200);
    let path = format!("/v1beta/{name}");
    let patch = Request::new("PATCH", &path).key().json(&json!({"ttl": "3600s"}));
    let patched = patch.send(&service).json();
    assert!(patched["expireTime"].as_str() > created["expireTime"].as_str());
    assert_eq!(Request::new("DELETE", &path).key().send(&service).status, 200);
    assert_eq!(generate.send(&service).status, 403);
}

#[test]
fn the_binary_serves_until_its_input_ends() {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::TcpStream,
        process::{Command, Stdio},
    };
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_mediaprep-service"))
        .arg("--stop-with-stdin")
        .arg("--state-file")
        .arg(&state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let mut stream = TcpStream::connect(url.trim().strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(b"GET /v1/files HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    let state: Value = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
    assert_eq!(state["requests"], json!(["GET /v1/files 0 403"]));
    assert_eq!(state["refusals"].as_array().unwrap().len(), 1);
}
