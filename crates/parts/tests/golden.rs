//! Bodies held against those that Google's own SDKs put on the wire. The recordings lie outside of
//! the tree; without them nothing is compared.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "a test says what it leaves out")]

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediaprep_media::{Duration, FrameRate, MediaResolution};
use mediaprep_parts::{
    BatchInput, BatchLine, BatchPredictionJob, BatchRequest, Body, CacheExpiry, CacheRequest,
    Content, ContentLayer, CountShape, Data, DataSource, GenerateRequest, GenerationConfig,
    HarmBlockMethod, HarmBlockThreshold, HarmCategory, Part, SafetySetting, ServiceTier,
    ThinkingConfig, VideoMetadata,
};
use serde_json::{Value, json};

const FOLDERS: [&str; 7] = [
    "js-gemini",
    "js-vertex",
    "legacy-js",
    "openai-compat",
    "python-gemini",
    "python-gemini-v1beta",
    "python-vertex",
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
    folder: &'static str,
    name: String,
    requests: Vec<Value>,
}

fn cases(golden: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for folder in FOLDERS {
        let mut files: Vec<_> =
            fs::read_dir(golden.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let case: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let requests = case["requests"].as_array().unwrap().clone();
            cases.push(Case { folder, name, requests });
        }
    }
    assert!(cases.len() > 150, "only {} recordings were found", cases.len());
    cases
}

/// A recorded file, read when it is sent.
#[derive(Debug)]
struct Media(PathBuf);

impl DataSource for Media {
    fn length(&self) -> u64 {
        fs::metadata(&self.0).unwrap().len()
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.0)?))
    }
}

fn media(name: &str, mime_type: &'static str) -> Part {
    let path = golden().unwrap().join("media").join(name);
    assert!(path.is_file(), "{name}");
    Part::inline(mime_type, Data::source(Arc::new(Media(path))))
}

fn red() -> Part {
    media("red.png", "image/png")
}

fn asks(parts: Vec<Part>) -> GenerateRequest {
    GenerateRequest::user(parts)
}

fn text(text: &str) -> GenerateRequest {
    asks(vec![Part::text(text)])
}

fn configured(request: GenerateRequest, config: GenerationConfig) -> GenerateRequest {
    config.validate().unwrap();
    GenerateRequest { generation_config: Some(config), ..request }
}

fn instructed(request: GenerateRequest, texts: &[&str]) -> GenerateRequest {
    let parts = texts.iter().copied().map(Part::text).collect();
    GenerateRequest { system_instruction: Some(Content { role: None, parts }), ..request }
}

fn blocking(settings: &[(HarmCategory, HarmBlockThreshold)]) -> Vec<SafetySetting> {
    settings.iter().map(|&(category, threshold)| SafetySetting::new(category, threshold)).collect()
}

/// A file of the service that a folder was recorded against.
fn stored(folder: &str, name: &str, mime_type: &'static str) -> Part {
    let place = match folder {
        "python-vertex" | "js-vertex" => "gs://fake-bucket/",
        _ => "https://generativelanguage.googleapis.com/v1beta/files/",
    };
    Part::file(format!("{place}{name}"), Some(mime_type.into()))
}

fn sampled(part: Part, metadata: VideoMetadata) -> Part {
    Part { video_metadata: Some(metadata), ..part }
}

fn seen(part: Part, level: MediaResolution) -> Part {
    Part { media_resolution: Some(level), ..part }
}

/// The request of generateContent that a case describes.
fn generate(folder: &str, name: &str) -> Option<GenerateRequest> {
    if folder == "legacy-js" {
        return (name == "02_generate").then(legacy_generate);
    }
    media_request(folder, name).or_else(|| configured_request(name))
}

fn media_request(folder: &str, name: &str) -> Option<GenerateRequest> {
    Some(match name {
        "02_text_then_inline_png" => asks(vec![Part::text("What is in this image?"), red()]),
        "03_inline_jpeg_then_text" => {
            asks(vec![media("grad.jpg", "image/jpeg"), Part::text("Caption this image.")])
        }
        "04_three_images_with_index_text" => asks(vec![
            Part::text("Image 1:"),
            red(),
            Part::text("Image 2:"),
            media("blue.png", "image/png"),
            Part::text("Image 3:"),
            media("grad.jpg", "image/jpeg"),
            Part::text("Which image is blue?"),
        ]),
        "05_base64_alphabet" => asks(vec![media("bytes_fbff.bin", "application/octet-stream")]),
        "06_file_data_image" => {
            asks(vec![stored(folder, "abc-123", "image/png"), Part::text("Describe.")])
        }
        "07_file_data_video_metadata" => {
            let metadata = VideoMetadata {
                start: Duration::from_decimal("10"),
                end: Duration::from_decimal("70.5"),
                fps: FrameRate::from_decimal("2.5"),
                ..VideoMetadata::default()
            };
            let film = sampled(stored(folder, "vid-1", "video/mp4"), metadata);
            asks(vec![film, Part::text("Summarize the clip.")])
        }
        "08_inline_video_metadata_fps" => {
            let fps = FrameRate::from_decimal("5");
            let film = media("clip.mp4", "video/mp4");
            let film = sampled(film, VideoMetadata { fps, ..VideoMetadata::default() });
            asks(vec![film, Part::text("What moves?")])
        }
        "09_youtube_uri" => asks(vec![
            Part::file("https://www.youtube.com/watch?v=9hE5-98ZeCg", None),
            Part::text("Summarize in 3 sentences."),
        ]),
        "10_gcs_uri" => asks(vec![
            Part::file("gs://cloud-samples-data/video/animals.mp4", Some("video/mp4".into())),
            Part::text("What is in the video?"),
        ]),
        "11_https_uri" => {
            let pdf = "https://example.com/a.pdf?sig=x%2By&n=1";
            asks(vec![Part::file(pdf, Some("application/pdf".into())), Part::text("Summarize.")])
        }
        "12_part_media_resolution" => asks(vec![
            seen(red(), MediaResolution::High),
            seen(stored(folder, "abc", "image/png"), MediaResolution::Low),
            Part::text("Compare."),
        ]),
        "20_multi_turn" => GenerateRequest {
            contents: vec![
                Content::user(vec![Part::text("Look:"), red()]),
                Content::model(vec![Part::text("A red square.")]),
                Content::user(vec![Part::text("And now?")]),
            ],
            ..GenerateRequest::default()
        },
        "23_audio_and_pdf_inline" => asks(vec![
            media("beep.wav", "audio/wav"),
            media("doc.pdf", "application/pdf"),
            Part::text("Describe both."),
        ]),
        "58_upload_then_poll_then_generate" => {
            asks(vec![stored(folder, "clip-7", "video/mp4"), Part::text("What moves?")])
        }
        "74_video_content_layers" => {
            let content_layers = vec![ContentLayer::Frames];
            let film = stored(folder, "v", "video/mp4");
            let film = sampled(film, VideoMetadata { content_layers, ..VideoMetadata::default() });
            asks(vec![film, Part::text("x")])
        }
        "81_express_mode_api_key" => asks(vec![red(), Part::text("x")]),
        _ => return None,
    })
}

fn configured_request(name: &str) -> Option<GenerateRequest> {
    let default = GenerationConfig::default;
    Some(match name {
        "01_text" => text("Say ok."),
        "13_config_media_resolution" => {
            let level = Some(MediaResolution::Low);
            let config = GenerationConfig { media_resolution: level, ..default() };
            configured(asks(vec![red(), Part::text("x")]), config)
        }
        "14_safety_settings" => GenerateRequest {
            safety_settings: blocking(&[
                (HarmCategory::Harassment, HarmBlockThreshold::OnlyHigh),
                (HarmCategory::HateSpeech, HarmBlockThreshold::None),
                (HarmCategory::SexuallyExplicit, HarmBlockThreshold::LowAndAbove),
                (HarmCategory::DangerousContent, HarmBlockThreshold::Off),
            ]),
            ..text("hi")
        },
        "15_generation_config" => configured(text("hi"), all_numbers()),
        "16_response_schema" => {
            let schema = json!({
                "type": "OBJECT", "required": ["colours"],
                "properties": {"colours": {"type": "ARRAY", "items": {"type": "STRING"}}},
            });
            let config = GenerationConfig {
                response_mime_type: Some("application/json".into()),
                response_schema: Some(schema),
                ..default()
            };
            configured(asks(vec![red(), Part::text("List colours")]), config)
        }
        "17_response_json_schema" => {
            let schema = json!({
                "type": "object", "required": ["n"],
                "properties": {"n": {"type": "integer", "minimum": 0}},
            });
            let config = GenerationConfig {
                response_mime_type: Some("application/json".into()),
                response_json_schema: Some(schema),
                ..default()
            };
            configured(text("x"), config)
        }
        "18_system_instruction" => instructed(text("hi"), &["You are terse."]),
        "19_system_instruction_list" => {
            instructed(text("hi"), &["You are terse.", "Answer in French."])
        }
        "21_stream" => {
            let config = GenerationConfig { temperature: Some(0.0), ..default() };
            configured(asks(vec![red(), Part::text("Describe.")]), config)
        }
        "22_thinking_config" => {
            let thinking = ThinkingConfig {
                thinking_budget: Some(0),
                include_thoughts: Some(false),
                ..ThinkingConfig::default()
            };
            let config = GenerationConfig { thinking_config: Some(thinking), ..default() };
            configured(text("hi"), config)
        }
        "24_unicode_text" => text("红色 café 😀 </script> \"q\" \\ \n\t end"),
        "25_empty_text_part" => asks(vec![Part::text(""), Part::text("x")]),
        "40_labels" => {
            GenerateRequest { labels: [("team".into(), "vision".into())].into(), ..text("x") }
        }
        "43_cached_content_use" => GenerateRequest {
            cached_content: Some("cachedContents/fake-cache".into()),
            ..text("x")
        },
        "45_safety_method_severity" => {
            let mut settings =
                blocking(&[(HarmCategory::Harassment, HarmBlockThreshold::OnlyHigh)]);
            settings[0].method = Some(HarmBlockMethod::Severity);
            GenerateRequest { safety_settings: settings, ..text("x") }
        }
        "46_audio_timestamp" => {
            let sound = Part::file("gs://b/a.mp3", Some("audio/mpeg".into()));
            let config = GenerationConfig { audio_timestamp: Some(true), ..default() };
            configured(asks(vec![sound, Part::text("x")]), config)
        }
        "73_service_tier" => GenerateRequest { service_tier: Some(ServiceTier::Flex), ..text("x") },
        "26_model_name_forms_bare"
        | "41_timeout"
        | "41_timeout_header"
        | "47_model_publisher_path"
        | "48_model_endpoint_path"
        | "80_global_location"
        | "82_v1" => text("x"),
        _ => return None,
    })
}

fn all_numbers() -> GenerationConfig {
    GenerationConfig {
        temperature: Some(0.4),
        top_p: Some(0.95),
        top_k: Some(32),
        candidate_count: Some(1),
        max_output_tokens: Some(2048),
        stop_sequences: vec!["END".into(), "STOP".into()],
        seed: Some(42),
        presence_penalty: Some(0.1),
        frequency_penalty: Some(-0.2),
        response_mime_type: Some("text/plain".into()),
        ..GenerationConfig::default()
    }
}

fn legacy_generate() -> GenerateRequest {
    let config = GenerationConfig {
        temperature: Some(0.4),
        top_p: Some(1.0),
        top_k: Some(32),
        max_output_tokens: Some(2048),
        ..GenerationConfig::default()
    };
    let request = configured(asks(vec![Part::text("Describe"), red()]), config);
    GenerateRequest {
        safety_settings: blocking(&[(HarmCategory::Harassment, HarmBlockThreshold::OnlyHigh)]),
        ..instructed(request, &["terse"])
    }
}

/// The body of any other call that a case describes.
fn other_call(folder: &str, name: &str) -> Option<Body> {
    Some(match (folder, name) {
        ("legacy-js", "30_count_tokens_generate_content_request") => {
            let config = GenerationConfig { temperature: Some(0.4), ..GenerationConfig::default() };
            let request = instructed(configured(text("x"), config), &["terse"]);
            request.count_body(CountShape::Request { model: "gemini-1.5-pro" })
        }
        ("legacy-js", "31_count_tokens_contents") => {
            let shape = CountShape::Request { model: "models/gemini-1.5-pro" };
            asks(vec![Part::text("x"), red()]).count_body(shape)
        }
        (_, "30_count_tokens") => {
            let request = instructed(asks(vec![red(), Part::text("Describe.")]), &["not counted"]);
            request.count_body(CountShape::Contents)
        }
        (_, "31_count_tokens_full") => {
            let config = GenerationConfig {
                temperature: Some(0.1),
                media_resolution: Some(MediaResolution::Low),
                ..GenerationConfig::default()
            };
            instructed(configured(text("x"), config), &["terse"]).count_body(CountShape::Flat)
        }
        (_, "42_cache_create") => cache(folder).body(),
        (_, "70_batch_inline") => inline_batch().body(),
        (_, "71_batch_file") => {
            let input = BatchInput::File("files/jsonl-1".into());
            BatchRequest { display_name: Some("golden".into()), input }.body()
        }
        (_, "71_batch_gcs") => BatchPredictionJob {
            model: "publishers/google/models/gemini-2.5-flash".into(),
            display_name: Some("golden".into()),
            input_uris: vec!["gs://b/in.jsonl".into()],
            output_uri_prefix: "gs://b/out".into(),
        }
        .body(),
        ("openai-compat", "01_image_data_url") => {
            let config = GenerationConfig {
                temperature: Some(0.2),
                max_output_tokens: Some(64),
                ..GenerationConfig::default()
            };
            let request = asks(vec![Part::text("What is in this image?"), red()]);
            let request = instructed(configured(request, config), &["terse"]);
            request.chat_body("gemini-2.5-flash", false).unwrap()
        }
        ("openai-compat", "02_audio_input") => {
            let request = asks(vec![Part::text("Transcribe"), media("beep.wav", "audio/wav")]);
            request.chat_body("gemini-2.5-flash", false).unwrap()
        }
        _ => return None,
    })
}

fn cache(folder: &str) -> CacheRequest {
    let model = match folder {
        "python-vertex" => {
            "projects/fake-project/locations/us-central1/publishers/google/models/gemini-2.5-flash"
        }
        _ => "gemini-2.5-flash",
    };
    CacheRequest {
        model: model.into(),
        contents: vec![Content::user(vec![stored(folder, "vid-1", "video/mp4")])],
        system_instruction: Some(Content::instruction("You watch videos.")),
        expiry: Some(CacheExpiry::After(Duration::from_seconds(3600))),
        display_name: Some("golden".into()),
    }
}

fn inline_batch() -> BatchRequest {
    let config = GenerationConfig { temperature: Some(0.2), ..GenerationConfig::default() };
    let second = configured(asks(vec![red(), Part::text("two")]), config);
    let lines = vec![
        BatchLine { key: "a".into(), request: text("one") },
        BatchLine { key: String::new(), request: instructed(second, &["terse"]) },
    ];
    BatchRequest { display_name: Some("golden".into()), input: BatchInput::Inline(lines) }
}

/// Cases where the SDK gave up before it sent anything.
const REFUSED_BY_THE_SDK: [&str; 3] =
    ["50_upload", "56_upload_non_ascii_filename", "57_upload_no_extension"];

/// Why a recorded body is not one of this crate's.
fn out_of_scope(path: &str, name: &str) -> Option<&'static str> {
    if path.ends_with("/files") {
        return Some("the start of an upload belongs to the client");
    }
    match name {
        "66_files_register_gcs" => Some("registering files belongs to the client"),
        "65_files_delete" => Some("DELETE has no body; the SDK's `{}` is a defect"),
        "44_pil_image" => Some("the SDK encodes the picture again, so the bytes are its own"),
        _ => None,
    }
}

/// The body that is to be compared: canonical where there is one.
fn recorded(request: &Value) -> Option<&Value> {
    request.get("canonical_body").or_else(|| request.get("body")).filter(|body| !body.is_null())
}

/// Whether a request has no body, or one of bytes, which belongs to the client.
fn has_no_json(request: &Value) -> bool {
    let is = |method| request["method"] == method;
    is("GET") || is("DELETE") || request["path"].as_str().unwrap().starts_with("/upload/")
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

#[test]
fn built_bodies_equal_the_recorded_ones() {
    let Some(golden) = golden() else { return };
    let (mut equal, mut outside, mut bodiless) = (0, 0, 0);
    for Case { folder, name, requests } in cases(&golden) {
        let refused = REFUSED_BY_THE_SDK.contains(&name.as_str());
        assert!(refused || !requests.is_empty(), "{folder}/{name} holds no request");
        for request in &requests {
            let path = request["path"].as_str().unwrap();
            let Some(expected) = recorded(request) else {
                assert!(has_no_json(request), "{folder}/{name} {path}");
                bodiless += 1;
                continue;
            };
            if let Some(reason) = out_of_scope(path, &name) {
                println!("{folder}/{name} {path}: {reason}");
                outside += 1;
                continue;
            }
            let built = generate(folder, &name).map(|request| request.body());
            let built = built.or_else(|| other_call(folder, &name));
            let body = built.unwrap_or_else(|| panic!("{folder}/{name} {path} is not built"));
            let bytes = body.to_vec().unwrap();
            assert_eq!(bytes.len() as u64, body.length(), "{folder}/{name}");
            let made: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(normalised(made), normalised(expected.clone()), "{folder}/{name}");
            equal += 1;
        }
    }
    println!("{equal} bodies compared, {outside} out of scope, {bodiless} without JSON");
    assert!(equal > 90);
}

fn generates(request: &Value) -> bool {
    let path = request["path"].as_str().unwrap();
    path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent")
}

#[test]
fn recorded_requests_are_read_and_written_again() {
    let Some(golden) = golden() else { return };
    let mut read = 0;
    for Case { folder, name, requests } in cases(&golden) {
        for request in requests.iter().filter(|request| generates(request)) {
            let canonical = &request["canonical_body"];
            // As the SDK sent it: snake_case, URL-safe base64 and `32.0` among it.
            for sent in [canonical, &request["body"]] {
                let parsed: GenerateRequest = serde_json::from_value(sent.clone())
                    .unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
                let written = serde_json::to_value(&parsed).unwrap();
                assert_eq!(
                    normalised(written.clone()),
                    normalised(canonical.clone()),
                    "{folder}/{name}"
                );
                let streamed = parsed.body().to_vec().unwrap();
                assert_eq!(serde_json::from_slice::<Value>(&streamed).unwrap(), written);
                read += 1;
            }
        }
    }
    assert!(read > 150, "only {read} requests were read");
}

#[test]
fn the_recordings_answers_are_read() {
    let Some(golden) = golden() else { return };
    let text = fs::read(golden.join("fake_responses.json")).unwrap();
    let answers: Value = serde_json::from_slice(&text).unwrap();
    let answer: mediaprep_parts::GenerateResponse =
        serde_json::from_value(answers["generateContent"].clone()).unwrap();
    assert_eq!(answer.text(), "ok");
    assert_eq!(serde_json::to_value(&answer).unwrap(), answers["generateContent"]);
    let count: mediaprep_parts::CountResponse =
        serde_json::from_value(answers["countTokens"].clone()).unwrap();
    assert_eq!(count.total_tokens, Some(264));
    let counted = count.prompt_by_modality();
    assert_eq!(answer.usage_metadata.unwrap().prompt_by_modality(), counted);
}
