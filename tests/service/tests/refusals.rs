//! Bad requests are refused with the right code and in the service's words.

use mediaprep_service::Service;
use serde_json::{Value, json};

use crate::client::{Answer, Request};

const DEVELOPER: &str = "/v1beta/models/gemini-2.5-flash:generateContent";
const VERTEX: &str =
    "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent";
const GEMINI_3: &str = "/v1beta/models/gemini-3-flash-preview:generateContent";

/// A body with one part.
fn part(part: Value) -> Value {
    json!({"contents": [{"role": "user", "parts": [part]}]})
}

/// A body with a text and one more field.
fn with(name: &str, value: Value) -> Value {
    let mut body = part(json!({"text": "x"}));
    body[name] = value;
    body
}

fn blob(mime_type: &str, data: &str) -> Value {
    part(json!({"inlineData": {"mimeType": mime_type, "data": data}}))
}

fn video(metadata: Value) -> Value {
    let blob = json!({"mimeType": "video/mp4", "data": "AAAA"});
    part(json!({"inlineData": blob, "videoMetadata": metadata}))
}

fn post(path: &str, body: &Value) -> Request {
    let request = Request::new("POST", path).json(body);
    if path.contains("/projects/") { request.bearer() } else { request.key() }
}

fn expect(answer: &Answer, code: u16, status: &str, message: &str) {
    let body = answer.json();
    let error = &body["error"];
    assert_eq!((answer.status, &error["code"]), (code, &json!(code)), "{message}: {error}");
    match status {
        "" => assert!(error.get("status").is_none(), "{error}"),
        status => assert_eq!(error["status"], status, "{error}"),
    }
    assert!(answer.message().contains(message), "{message:?} is not in {error}");
}

/// Path, body and a part of the message; all are 400 INVALID_ARGUMENT.
fn bad_bodies() -> Vec<(&'static str, Value, &'static str)> {
    let both = json!({"text": "x", "inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    let level = |level: &str| json!({"mediaResolution": level});
    let file = |uri: &str| part(json!({"fileData": {"mimeType": "video/mp4", "fileUri": uri}}));
    let untyped = |uri: &str| part(json!({"fileData": {"fileUri": uri}}));
    let sized = json!({"text": "x", "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}});
    let blob_sized = json!({
        "inlineData": {"mimeType": "image/png", "data": "AAAA"},
        "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"},
    });
    let harm = |category: &str| json!([{"category": category, "threshold": "OFF"}]);
    let twice = "HARM_CATEGORY_HARASSMENT";
    let twice = json!([
        {"category": twice, "threshold": "OFF"}, {"category": twice, "threshold": "BLOCK_NONE"},
    ]);
    vec![
        (
            DEVELOPER,
            with("x", json!(1)),
            "Invalid JSON payload received. Unknown name \"x\": Cannot find field.",
        ),
        (
            DEVELOPER,
            part(json!({"inlineDATA": {}})),
            "Unknown name \"inlineDATA\" at 'contents[0].parts[0]': Cannot find field.",
        ),
        (DEVELOPER, with("safety_settings", json!({})), "'safety_settings': the field is repeated"),
        (
            DEVELOPER,
            json!({"contents": {"parts": {"text": "x"}}}),
            "'contents': the field is repeated",
        ),
        (
            DEVELOPER,
            json!({"contents": [{"parts": {"text": "x"}}]}),
            "'contents[0].parts': the field is repeated",
        ),
        (
            DEVELOPER,
            with("generationConfig", json!([])),
            "Proto field is not repeating, cannot start list.",
        ),
        (DEVELOPER, json!({}), "contents is not specified"),
        (DEVELOPER, json!({"contents": []}), "contents is not specified"),
        (DEVELOPER, json!({"contents": [{"role": "user"}]}), "contents.parts must not be empty"),
        (
            DEVELOPER,
            json!({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}),
            "Please use a valid role: user, model.",
        ),
        (
            VERTEX,
            json!({"contents": [{"parts": [{"text": "x"}]}]}),
            "Please use a valid role: user, model.",
        ),
        (DEVELOPER, part(json!({})), "required oneof field 'data' must have one initialized field"),
        (DEVELOPER, part(both), "oneof field 'data' is already set"),
        (
            DEVELOPER,
            blob("image/png", "data:image/png;base64,AAAA"),
            "Base64 decoding failed for \"data:image/png;base64\"",
        ),
        (DEVELOPER, blob("image/png", "AAA A"), "(TYPE_BYTES), Base64 decoding failed"),
        (DEVELOPER, blob("image/png", "A"), "'contents[0].parts[0].inline_data.data' (TYPE_BYTES)"),
        (DEVELOPER, blob("image/png", ""), "data must be set"),
        (DEVELOPER, blob("image/jpg", "AAAA"), "Unsupported MIME type: image/jpg"),
        (
            DEVELOPER,
            blob("application/octet-stream", "AAAA"),
            "Unsupported MIME type: application/octet-stream",
        ),
        (DEVELOPER, blob("image/svg+xml", "AAAA"), "Unsupported MIME type: image/svg+xml"),
        (DEVELOPER, part(json!({"inlineData": {"data": "AAAA"}})), "mime_type must be set"),
        (
            VERTEX,
            blob("image/jpg", "AAAA"),
            "mimeType parameter with value image/jpg, which is not supported",
        ),
        (
            DEVELOPER,
            with("generationConfig", level("MEDIA_RESOLUTION_ULTRA_HIGH")),
            "'generation_config.media_resolution' (type.googleapis.com/google.ai.generativelanguage.v1beta.GenerationConfig.MediaResolution), \"MEDIA_RESOLUTION_ULTRA_HIGH\"",
        ),
        (
            VERTEX,
            with("generationConfig", level("MEDIA_RESOLUTION_ULTRA_HIGH")),
            "google.cloud.aiplatform.v1beta1.GenerationConfig.MediaResolution",
        ),
        (
            DEVELOPER,
            with("generationConfig", json!({"topK": 1.5})),
            "'generation_config.top_k' (TYPE_INT32), 1.5",
        ),
        (
            DEVELOPER,
            with("generationConfig", json!({"temperature": "hot"})),
            "'generation_config.temperature' (TYPE_FLOAT)",
        ),
        (
            DEVELOPER,
            with("generationConfig", json!({"temperature": 2.1})),
            "generation_config.temperature: must be in the range [0, 2]",
        ),
        (
            DEVELOPER,
            with("generationConfig", json!({"audioTimestamp": true})),
            "Unknown name \"audioTimestamp\" at 'generation_config'",
        ),
        (
            DEVELOPER,
            with("generationConfig", json!({"stopSequences": ["a", "b", "c", "d", "e", "f"]})),
            "at most 5",
        ),
        (
            DEVELOPER,
            with("generationConfig", json!({"responseSchema": {"type": "object"}})),
            "'generation_config.response_schema.type'",
        ),
        (
            DEVELOPER,
            with(
                "generationConfig",
                json!({"responseSchema": {"type": "OBJECT", "properties": {"a": {"typ": "STRING"}}}}),
            ),
            "Unknown name \"typ\"",
        ),
        (VERTEX, with("serviceTier", json!("flex")), "Unknown name \"serviceTier\""),
        (
            DEVELOPER,
            with("safetySettings", harm("HARM_CATEGORY_IMAGE_HATE")),
            "'safety_settings[0].category'",
        ),
        (DEVELOPER, with("safetySettings", twice), "only one setting for each category"),
        (
            DEVELOPER,
            with(
                "systemInstruction",
                json!({"parts": [{"fileData": {"fileUri": "https://youtu.be/x"}}]}),
            ),
            "only text is allowed",
        ),
        (DEVELOPER, video(json!({"fps": 0})), "fps must be in the range (0.0, 24.0]"),
        (DEVELOPER, video(json!({"fps": 24.5})), "fps must be in the range (0.0, 24.0]"),
        (
            DEVELOPER,
            video(json!({"startOffset": "10"})),
            "'contents[0].parts[0].video_metadata.start_offset' (type.googleapis.com/google.protobuf.Duration), \"10\"",
        ),
        (
            DEVELOPER,
            video(json!({"startOffset": "10s", "endOffset": "9.5s"})),
            "end_offset must be after start_offset",
        ),
        (
            DEVELOPER,
            part(
                json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "videoMetadata": {"fps": 1}}),
            ),
            "only allowed on a video",
        ),
        (DEVELOPER, part(blob_sized), "not supported for this model"),
        (GEMINI_3, part(sized), "the part has no media"),
        (DEVELOPER, file("gs://bucket/a.mp4"), "Unsupported file URI: gs://bucket/a.mp4"),
        (DEVELOPER, file("files/abc"), "Unsupported file URI: files/abc"),
        (DEVELOPER, file("http://example.com/a.mp4"), "Unsupported file URI"),
        (
            DEVELOPER,
            untyped("https://example.com/a.mp4"),
            "file_data.mime_type: mime_type must be set",
        ),
        (VERTEX, untyped("gs://bucket/a.mp4"), "file_data.mime_type: mime_type must be set"),
        (
            VERTEX,
            file("https://generativelanguage.googleapis.com/v1beta/files/abc"),
            "Unsupported file URI",
        ),
        (
            "/v1beta/models/gemini-2.0-flash:generateContent",
            file("https://example.com/a.mp4"),
            "not supported for this model",
        ),
        (
            "/v1beta/models/gemini-2.5-flash:countTokens",
            with("systemInstruction", json!({"parts": []})),
            "Unknown name \"systemInstruction\"",
        ),
        (
            "/v1beta/models/gemini-2.5-flash:countTokens",
            with("generateContentRequest", json!({"model": "models/gemini-2.5-flash"})),
            "only one of contents and",
        ),
        (
            "/v1beta/models/gemini-2.5-flash:countTokens",
            json!({"generateContentRequest": part(json!({"text": "x"}))}),
            "generate_content_request.model: must be models/gemini-2.5-flash",
        ),
        (
            "/v1beta/cachedContents",
            with("model", json!("gemini-2.5-flash")),
            "model: must be models/{model}",
        ),
    ]
}

#[test]
fn bad_bodies_are_refused_in_the_services_words() {
    let service = Service::start().unwrap();
    let cases = bad_bodies();
    for (path, body, message) in &cases {
        expect(&post(path, body).send(&service), 400, "INVALID_ARGUMENT", message);
    }
    assert_eq!(service.refusals().len(), cases.len());
    assert!(cases.len() > 40);
}

#[test]
fn broken_json_is_refused() {
    let service = Service::start().unwrap();
    for body in ["", "[]", "{", r#"{"contents":[]} x"#, r#"{"contents":[],"contents":[]}"#] {
        let request =
            Request::new("POST", DEVELOPER).key().header("content-type", "application/json");
        let answer = request.body(body).send(&service);
        expect(&answer, 400, "INVALID_ARGUMENT", "Invalid JSON payload received.");
    }
    let body =
        r#"{"generationConfig":{},"generation_config":{},"contents":[{"parts":[{"text":"x"}]}]}"#;
    let request = Request::new("POST", DEVELOPER).key().header("content-type", "application/json");
    expect(&request.body(body).send(&service), 400, "INVALID_ARGUMENT", "already set");
}

#[test]
fn a_header_that_is_not_ascii_is_refused() {
    let service = Service::start().unwrap();
    let request = Request::new("POST", "/upload/v1beta/files")
        .key()
        .raw_header("x-goog-upload-file-name", "Réd.png".as_bytes());
    let answer = request.send(&service);
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("x-goog-upload-file-name"), "{}", answer.text());
    assert_eq!(service.requests()[0].header("x-goog-upload-file-name"), Some("Réd.png"));
}

#[test]
fn credentials_are_asked_in_the_right_header() {
    let service = Service::start().unwrap();
    let body = part(json!({"text": "x"}));
    let to = |path: &str| Request::new("POST", path).json(&body);
    let denied = "Method doesn't allow unregistered callers";
    expect(&to(DEVELOPER).send(&service), 403, "PERMISSION_DENIED", denied);
    expect(
        &to(DEVELOPER).header("x-goog-api-key", " ").send(&service),
        403,
        "PERMISSION_DENIED",
        denied,
    );
    let in_query = to(&format!("{DEVELOPER}?key=FAKE-API-KEY"));
    expect(&in_query.send(&service), 400, "INVALID_ARGUMENT", "headers only");
    expect(&to(DEVELOPER).bearer().send(&service), 403, "PERMISSION_DENIED", "quota project");
    let paid = to(DEVELOPER).bearer().header("x-goog-user-project", "fake-project");
    assert_eq!(paid.send(&service).status, 200);
    expect(&to(VERTEX).send(&service), 401, "UNAUTHENTICATED", "missing required authentication");
    expect(&to(VERTEX).key().send(&service), 401, "UNAUTHENTICATED", "API keys are not supported");
    assert_eq!(to(VERTEX).bearer().send(&service).status, 200);
    let express = "/v1/publishers/google/models/gemini-2.5-flash:generateContent";
    assert_eq!(to(express).key().send(&service).status, 200);
    expect(&to(express).bearer().send(&service), 401, "UNAUTHENTICATED", "missing required");
}

#[test]
fn unknown_models_files_paths_and_parameters() {
    let service = Service::start().unwrap();
    let body = part(json!({"text": "x"}));
    let unknown = "/v1beta/models/gemini-unknown:generateContent";
    let message = "models/gemini-unknown is not found for API version v1beta";
    expect(&post(unknown, &body).send(&service), 404, "NOT_FOUND", message);
    let file = "https://generativelanguage.googleapis.com/v1beta/files/abc";
    let used = part(json!({"fileData": {"fileUri": file}}));
    let message = "You do not have permission to access the File abc or it may not exist.";
    expect(&post(DEVELOPER, &used).send(&service), 403, "PERMISSION_DENIED", message);
    let get = Request::new("GET", "/v1beta/files/abc").key();
    expect(&get.send(&service), 403, "PERMISSION_DENIED", message);
    let list = Request::new("GET", "/v1beta/files?pageSize=101").key();
    expect(&list.send(&service), 400, "INVALID_ARGUMENT", "page_size");
    let list = Request::new("GET", "/v1beta/files?pageToken=zz").key();
    expect(&list.send(&service), 400, "INVALID_ARGUMENT", "Invalid page token");
    let stray = post(&format!("{DEVELOPER}?alt=sse"), &body).send(&service);
    expect(&stray, 400, "INVALID_ARGUMENT", "Cannot bind query parameter");
    let vertex = "/v1beta1/projects/p/locations/l/files";
    assert_eq!(Request::new("GET", vertex).bearer().send(&service).status, 404);
    let upload = "/upload/v1beta1/projects/p/locations/l/files";
    assert_eq!(Request::new("POST", upload).bearer().send(&service).status, 404);
}

#[test]
fn a_body_over_the_limit_is_413() {
    let service = Service::start().unwrap();
    service.set_body_limit(1000);
    let body = part(json!({"text": "x".repeat(1000)}));
    let message = "Request payload size exceeds the limit: 1000 bytes.";
    expect(&post(DEVELOPER, &body).send(&service), 413, "", message);
    expect(&post(DEVELOPER, &body).chunked().send(&service), 413, "", message);
}

fn start(changes: &[(&str, &str)], body: &Value) -> Request {
    let mut headers = vec![
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
        ("x-goog-upload-header-content-length", "8"),
        ("x-goog-upload-header-content-type", "image/png"),
    ];
    for (name, value) in changes {
        headers.retain(|(known, _)| known != name);
        headers.push((name, value));
    }
    let request = Request::new("POST", "/upload/v1beta/files").key();
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    if body.is_null() { request } else { request.json(body) }
}

#[test]
fn bad_starts_of_uploads_are_refused() {
    let service = Service::start().unwrap();
    let file = |name: &str, value: Value| json!({"file": {name: value}});
    let empty = json!({"file": {}});
    let long = format!("files/{}", "a".repeat(41));
    for (request, message) in [
        (start(&[], &Value::Null), "needs a JSON body"),
        (start(&[("x-goog-upload-command", "upload")], &empty), "begins with the command start"),
        (start(&[("x-goog-upload-protocol", "none")], &empty), "resumable, multipart or raw"),
        (start(&[("x-goog-upload-header-content-length", "x")], &empty), "must be a number"),
        (
            start(&[("x-goog-upload-header-content-length", "2147483649")], &empty),
            "at most 2147483648 bytes",
        ),
        (start(&[("x-goog-upload-header-content-type", "png")], &empty), "must be a MIME type"),
        (start(&[("x-goog-upload-header-content-type", "")], &empty), "must be a MIME type"),
        (start(&[], &file("name", json!(long))), "at most 40"),
        (start(&[], &file("name", json!("red"))), "must be files/"),
        (start(&[], &file("name", json!("files/-a"))), "no dash at either end"),
        (start(&[], &file("displayName", json!("é".repeat(513)))), "at most 512 characters"),
        (start(&[], &file("mimeType", json!("image/jpeg"))), "differs from the type"),
        (start(&[], &file("sizeBytes", json!("9"))), "is 9, but"),
        (start(&[], &file("size", json!(9))), r#"Unknown name \"size\" at 'file'"#),
    ] {
        let answer = request.send(&service);
        assert_eq!(answer.status, 400, "{message}");
        assert!(answer.text().contains(message), "{message:?} is not in {}", answer.text());
    }
    assert_eq!(start(&[], &file("displayName", json!("é".repeat(512)))).send(&service).status, 200);
}

#[test]
fn a_name_in_use_is_409_without_a_status() {
    let service = Service::start().unwrap();
    let named = json!({"file": {"name": "files/red-1"}});
    let answer = start(&[], &named).send(&service);
    let url = answer.header("x-goog-upload-url").unwrap();
    let url = url.strip_prefix(&service.base_url()).unwrap();
    let request = Request::new("POST", url)
        .header("x-goog-upload-command", "upload, finalize")
        .header("x-goog-upload-offset", "0")
        .body("12345678");
    assert_eq!(request.send(&service).status, 200);
    expect(&start(&[], &named).send(&service), 409, "", "already exists.");
}

#[test]
fn bad_pieces_of_uploads_are_refused() {
    let service = Service::start().unwrap();
    service.set_granularity(4);
    let answer = start(&[], &json!({"file": {}})).send(&service);
    let url = answer.header("x-goog-upload-url").unwrap();
    let url = url.strip_prefix(&service.base_url()).unwrap();
    let piece = |command: &str, offset: &str, body: &str| {
        let request = Request::new("POST", url).header("x-goog-upload-command", command);
        let request = if offset.is_empty() {
            request
        } else {
            request.header("x-goog-upload-offset", offset)
        };
        request.body(body)
    };
    for (request, message) in [
        (
            piece("upload", "0", "123"),
            "The client sent 3 bytes, which is not a multiple of the 4 byte chunk granularity.",
        ),
        (piece("upload", "0", "123").chunked(), "The client sent 3 bytes, which is not a multiple"),
        (piece("upload", "4", "1234"), "an offset of 4, but 0 bytes were received"),
        (piece("upload", "", "1234"), "X-Goog-Upload-Offset is missing"),
        (piece("upload", "0", "123456789012"), "sent 12 bytes in all, but declared 8"),
        (piece("upload, finalize", "0", "1234"), "sent 4 bytes in all, but declared 8"),
        (piece("finalize", "", ""), "sent 0 bytes in all, but declared 8"),
        (piece("start", "0", ""), "cannot be sent here"),
        (piece("finalize, upload", "0", "12345678"), "cannot be sent here"),
        (piece("", "0", ""), "cannot be sent here"),
        (piece("query", "", "x"), "has no body"),
    ] {
        let answer = request.send(&service);
        assert_eq!(answer.status, 400, "{message}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.text().contains(message), "{message:?} is not in {}", answer.text());
    }
    assert_eq!(piece("upload", "0", "1234").send(&service).status, 200);
    assert_eq!(piece("upload, finalize", "4", "5678").send(&service).status, 200);
    let answer = piece("upload, finalize", "4", "5678").send(&service);
    assert_eq!((answer.status, answer.header("x-goog-upload-status")), (400, Some("final")));
    let lost = url.replace("FAKE-UPLOAD-", "FAKE-UPLOAD-x");
    let query = Request::new("POST", &lost).header("x-goog-upload-command", "query");
    assert_eq!(query.send(&service).status, 404);
}

#[test]
fn the_openai_form_answers_and_refuses_in_an_array() {
    let service = Service::start().unwrap();
    let path = "/v1beta/openai/chat/completions";
    let message = |part: Value| json!({"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": [part]}]});
    let image = |url: &str| message(json!({"type": "image_url", "image_url": {"url": url}}));
    let send = |body: &Value| Request::new("POST", path).bearer().json(body).send(&service);
    assert_eq!(send(&image("data:image/png;base64,AAAA")).status, 200);
    for body in [
        image("https://example.com/a.png"),
        image("data:image/png,AAAA"),
        image("data:image/jpg;base64,AAAA"),
        message(json!({"type": "file_data", "file_data": {}})),
        message(json!({"type": "text", "text": "x", "fps": 1})),
        json!({"model": "gemini-2.5-flash", "messages": [], "safety_settings": []}),
    ] {
        let answer = send(&body);
        assert_eq!((answer.status, &answer.json()[0]["error"]["code"]), (400, &json!(400)));
    }
    let vertex = "/v1/projects/p/locations/l/endpoints/openapi/chat/completions";
    let body = message(json!({"type": "text", "text": "x"}));
    let answer = Request::new("POST", vertex).bearer().json(&body).send(&service);
    assert!(answer.text().contains("Malformed publisher model"), "{}", answer.text());
}
