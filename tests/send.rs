//! `send`, `verify` and `files` against a stand-in for the service.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use mediaprep_cli::Status;
use mediaprep_service::{Answer, Call, Fault, Modality, Recorded, Service, StreamFault};
use mediaprep_tests::{Ran, fixtures, mediaprep};
use serde_json::{Value, json};

const KEY: &str = "FAKE-KEY-THAT-NOBODY-MAY-SEE";
const MODEL: [&str; 2] = ["--model=gemini-2.5-flash", "--on=2026-02-01"];

/// A service and a user of it.
struct World {
    service: Service,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), format!("{KEY}\n")).unwrap();
        let service = Service::start().unwrap();
        // The file's own addresses name Google's host, as the real service's do.
        Self { service, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str], more: &[&str]) -> Ran {
        let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
        all.extend(more.iter().map(OsString::from));
        all.push(format!("--key-file={}", self.path("key").display()).into());
        all.push(format!("--base-url={}", self.service.base_url()).into());
        all.push(format!("--cache-dir={}", self.path("cache").display()).into());
        all.push("--retry-time=20".into());
        let ran = mediaprep(&all);
        assert!(!ran.data.contains(KEY) && !ran.notes.contains(KEY), "the key was shown");
        ran
    }

    fn send(&self, files: &[&str], more: &[&str]) -> Ran {
        let files: Vec<String> = files.iter().map(|file| fixture(file)).collect();
        let mut args = vec!["send"];
        args.extend(MODEL);
        args.extend(files.iter().map(String::as_str));
        self.run(&args, more)
    }

    fn calls(&self, call: Call) -> Vec<Recorded> {
        self.service.requests().into_iter().filter(|request| request.call == call).collect()
    }
}

fn fixture(name: &str) -> String {
    fixtures().join(name).display().to_string()
}

const PICTURE: &str = "images/jpeg-exif-6.jpg";
const FILM: &str = "video/rotate-90.mp4";

#[test]
fn the_answer_is_data_and_the_charge_stands_beside_our_count() {
    let world = World::new();
    world.service.set_token_counter(|_| vec![(Modality::Image, 258), (Modality::Text, 5)]);
    let ran = world.send(&[PICTURE], &["--prompt=What is this?"]);
    assert_eq!(
        (ran.status, ran.data.as_str()),
        (Status::Done, "A red square — ein rotes Quadrat, 红色的正方形 🟥.\n",),
        "{}",
        ran.notes
    );
    assert!(ran.notes.contains(" image              258         258           0"), "{}", ran.notes);
    assert!(!ran.notes.contains("otherwise than the rule book"), "{}", ran.notes);
    let sent = world.calls(Call::Stream).remove(0).json().unwrap();
    let parts = sent["contents"][0]["parts"].as_array().unwrap();
    assert_eq!(parts[0]["inlineData"]["mimeType"], "image/jpeg");
    assert_eq!(parts[1]["text"], "What is this?");
    assert_eq!(sent["contents"][0]["role"], "user");
    // What --dry-run prints is what is sent.
    let dry = world.send(&[PICTURE], &["--prompt=What is this?", "--dry-run"]);
    assert_eq!(serde_json::from_str::<Value>(&dry.data).unwrap(), sent);
    assert_eq!(world.service.requests().len(), 1);
}

#[test]
fn everything_that_the_model_is_told_goes_along() {
    let world = World::new();
    let schema = world.path("schema.json");
    fs::write(&schema, r#"{"type":"object"}"#).unwrap();
    let ran = world.send(
        &[PICTURE, "images/screenshot-1080p.png"],
        &[
            "--prompt=Which?",
            "--labels",
            "--system=Be brief",
            "--temperature=0.5",
            "--top-p=0.9",
            "--max-output-tokens=64",
            "--stop=END",
            "--seed=-7",
            "--thinking-budget=0",
            "--safety=harassment=block-none",
            "--media-resolution=low",
            "--no-stream",
            &format!("--response-schema={}", schema.display()),
        ],
    );
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let mut sent = world.calls(Call::Generate).remove(0).json().unwrap();
    let parts = sent["contents"][0]["parts"].as_array().unwrap();
    let texts: Vec<_> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
    assert_eq!(texts, ["image 1", "image 2", "Which?"]);
    sent.as_object_mut().unwrap().remove("contents");
    assert_eq!(
        sent,
        json!({
            "systemInstruction": {"role": "user", "parts": [{"text": "Be brief"}]},
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            "generationConfig": {"temperature": 0.5, "topP": 0.9, "maxOutputTokens": 64,
                "stopSequences": ["END"], "seed": -7, "responseMimeType": "application/json",
                "responseJsonSchema": {"type": "object"}, "thinkingConfig": {"thinkingBudget": 0},
                "mediaResolution": "MEDIA_RESOLUTION_LOW"},
        })
    );
    for bad in ["--temperature=2.5", "--top-p=1.5", "--safety=rudeness=off", "--top-k=0"] {
        let ran = world.send(&[PICTURE], &[bad]);
        assert_eq!(ran.status, Status::CouldNotRun, "{bad}: {}", ran.notes);
    }
}

#[test]
fn files_are_uploaded_once_and_used_again() {
    let world = World::new();
    world.service.set_processing_polls(1);
    let more = ["--route=file", "--prompt=What moves?"];
    let first = world.send(&[FILM], &more);
    assert_eq!(first.status, Status::Done, "{}", first.notes);
    assert!(first.notes.contains("is being processed"), "{}", first.notes);
    let files = world.service.files();
    assert_eq!((files.len(), files[0].mime_type.as_str()), (1, "video/mp4"));
    assert_eq!(files[0].display_name, "rotate-90.mp4");
    let second = world.send(&[FILM], &more);
    assert!(second.notes.contains("used again"), "{}", second.notes);
    assert_eq!(world.service.files().len(), 1);
    // A file that has gone is uploaded once more.
    world.service.forget_file(&files[0].name);
    let third = world.send(&[FILM], &more);
    assert_eq!(third.status, Status::Done, "{}", third.notes);
    assert!(third.notes.contains("is gone"), "{}", third.notes);
    assert_eq!(world.service.files().len(), 1);
    let fourth = world.send(&[FILM], &["--route=file", "--prompt=x", "--no-reuse"]);
    assert_eq!((fourth.status, world.service.files().len()), (Status::Done, 2));
    let parts = world.calls(Call::Stream).pop().unwrap().json().unwrap();
    let part = &parts["contents"][0]["parts"][0]["fileData"];
    assert_eq!(part["mimeType"], "video/mp4");
    assert!(part["fileUri"].as_str().unwrap().contains("/files/"), "{part}");
}

#[test]
fn answers_that_are_no_success_are_told() {
    let world = World::new();
    let send = |more: &[&str]| world.send(&[PICTURE], more);
    world.service.set_answer(Answer::blocked("PROHIBITED_CONTENT"));
    let ran = send(&[]);
    assert_eq!((ran.status, ran.data.as_str()), (Status::Failed, ""));
    assert!(ran.notes.contains("the prompt was blocked (PROHIBITED_CONTENT)"), "{}", ran.notes);
    world.service.set_answer(Answer::stopped("MAX_TOKENS"));
    let ran = send(&["--json"]);
    let answer: Value = serde_json::from_str(&ran.data).unwrap();
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("stopped"), &json!("MAX_TOKENS")));
    assert_eq!((&answer["schema"], &answer["command"]), (&json!(1), &json!("send")));
    world.service.set_answer(Answer::default());
    world.service.push_fault(Call::Stream, Fault::Stream(StreamFault::CutAfter(2)));
    let ran = send(&[]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.data.starts_with("A red square"), "{}", ran.data);
    assert!(ran.notes.contains("the connection broke"), "{}", ran.notes);
    assert_eq!(world.calls(Call::Stream).len(), 2, "a stream that has begun is asked for once");
    world.service.push_fault(Call::Stream, Fault::Stream(StreamFault::NoFinish));
    let ran = send(&[]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("without saying that it was finished"), "{}", ran.notes);
}

#[test]
fn refusals_name_the_way_out() {
    let world = World::new();
    world.service.push_fault(Call::Stream, Fault::quota_per_day());
    let ran = world.send(&[PICTURE], &[]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("PerDay") && ran.notes.contains("hint: the quota"), "{}", ran.notes);
    assert_eq!(world.service.requests().len(), 1, "a quota of a day is not waited for");
    world.service.push_fault(Call::Stream, Fault::invalid_key());
    let ran = world.send(&[PICTURE], &[]);
    assert!(ran.notes.contains("API_KEY_INVALID"), "{}", ran.notes);
    world.service.push_fault(Call::Stream, Fault::overloaded());
    let ran = world.send(&[PICTURE], &[]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
}

#[test]
fn nothing_is_sent_when_an_input_fails() {
    let world = World::new();
    let ran = world.send(&[PICTURE, "images/bad-png-depth.png"], &["--prompt=x"]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("nothing was sent"), "{}", ran.notes);
    assert!(world.service.requests().is_empty());
    let ran = world.send(&[PICTURE, "images/bad-png-depth.png"], &["--prompt=x", "--force"]);
    assert_eq!((ran.status, world.service.requests().len()), (Status::Failed, 1), "{}", ran.notes);
    let each = world.send(&[PICTURE, "images/bad-png-depth.png"], &["--requests=each"]);
    assert_eq!((each.status, world.service.requests().len()), (Status::Failed, 2));
}

#[test]
fn what_was_charged_becomes_evidence() {
    let world = World::new();
    world.service.set_token_counter(|_| vec![(Modality::Image, 300), (Modality::Text, 5)]);
    let rules = world.path("measured.toml");
    let record = format!("--record={}", rules.display());
    for _ in 0..2 {
        let ran = world.send(&[PICTURE], &["--prompt=x", &record]);
        assert!(ran.notes.contains("otherwise than the rule book"), "{}", ran.notes);
    }
    let rules = format!("--rules={}", rules.display());
    let shown = mediaprep(&["models", "gemini-2.5-flash", "--on=2026-02-01", &rules]);
    assert_eq!(shown.status, Status::Done, "{}", shown.notes);
    assert!(shown.data.contains("measured: 2 rows, 2 comparable, 0 agree"), "{}", shown.data);
    let line = "300 measured, 258 by rule · billed · 2026-02-01 · image 96x64";
    assert!(shown.data.contains(line) || shown.data.contains("image 64x96"), "{}", shown.data);
    assert!(shown.data.contains("parameters "), "{}", shown.data);
}

#[test]
fn verify_shows_the_difference_of_every_file() {
    let world = World::new();
    let pictures = [fixture(PICTURE), fixture("images/screenshot-1080p.png")];
    let args = ["verify", MODEL[0], MODEL[1], &pictures[0], &pictures[1]];
    world.service.set_token_counter(|_| vec![(Modality::Image, 258)]);
    let ran = world.run(&args, &["--meter=count-tokens", "--json"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let report: Value = serde_json::from_str(&ran.data).unwrap();
    assert_eq!((&report["agree"], &report["meter"]), (&json!(2), &json!("count-tokens")));
    assert_eq!(report["items"][1]["by"]["IMAGE"], json!({"service": 258, "ours": 258}));
    assert_eq!(world.calls(Call::Count).len(), 2);
    world.service.set_token_counter(|_| vec![(Modality::Image, 260)]);
    let ran = world.run(&args, &["--meter=billed"]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.data.contains("image             260"), "{}", ran.data);
    assert!(ran.notes.contains("0 of 2 files agree"), "{}", ran.notes);
    let asked = world.calls(Call::Generate).remove(0).json().unwrap();
    assert_eq!(asked["generationConfig"]["maxOutputTokens"], 1);
    let lines = world.run(&args, &["--meter=count-tokens", "--format=csv"]);
    assert!(lines.data.starts_with("path,medium,service,ours\n"), "{}", lines.data);
}

#[test]
fn files_come_and_go() {
    let world = World::new();
    world.service.set_processing_polls(1);
    let pictures = [fixture(PICTURE), fixture(FILM), fixture("images/bad-empty.png")];
    let ran = world.run(&["files", "upload", &pictures[0], &pictures[1], &pictures[2]], &[]);
    assert_eq!(ran.status, Status::Failed);
    let uploaded: Vec<Value> =
        ran.data.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(uploaded.len(), 2, "{}", ran.notes);
    assert!(uploaded.iter().all(|file| file["state"] == "ACTIVE"), "{}", ran.data);
    assert!(ran.notes.contains("bad-empty.png: upload:"), "{}", ran.notes);
    let name = uploaded[0]["name"].as_str().unwrap();
    let list = world.run(&["files", "list"], &[]);
    assert!(list.data.contains(name) && list.notes.contains("2 files"), "{}", list.data);
    let get = world.run(&["files", "get", name, "files/unknown"], &[]);
    assert_eq!((get.status, get.data.lines().count()), (Status::Failed, 1));
    assert!(get.notes.contains("files/unknown: files: the service answered 403"), "{}", get.notes);
    let wait = world.run(&["files", "wait", name], &[]);
    assert_eq!(wait.status, Status::Done, "{}", wait.notes);
    let delete = world.run(&["files", "delete", name], &[]);
    assert_eq!((delete.status, world.service.files().len()), (Status::Done, 1));
    // What was deleted is not used again.
    let again = world.run(&["files", "upload", &pictures[0]], &[]);
    assert!(again.notes.contains("uploaded as"), "{}", again.notes);
    let all = world.run(&["files", "delete", "--all"], &[]);
    assert_eq!((all.status, world.service.files().len()), (Status::Done, 0));
    let text = world.path("notes.txt");
    fs::write(&text, "hello").unwrap();
    let text = text.display().to_string();
    let ran = world.run(&["files", "upload", &text], &[]);
    assert!(ran.notes.contains("--mime-type"), "{}", ran.notes);
    let named = ["--mime-type=text/plain", "--name=my-notes"];
    let ran = world.run(&["files", "upload", &text], &named);
    assert!(ran.data.contains("\"files/my-notes\""), "{}{}", ran.data, ran.notes);
    let ran = world.run(&["files", "upload", &text], &named);
    assert!(ran.notes.contains("hint: the name is taken"), "{}", ran.notes);
}

#[test]
fn google_cloud_is_asked_with_a_token() {
    let world = World::new();
    let picture = fixture(PICTURE);
    let args = ["send", MODEL[0], MODEL[1], "--service=vertex", "--project=fake-project", &picture];
    let more = ["--token-command=echo FAKE-TOKEN", "--location=us-central1", "--prompt=x"];
    let ran = world.run(&args, &more);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let sent = world.calls(Call::Stream).remove(0);
    assert!(sent.path.contains("/projects/fake-project/locations/us-central1/"), "{}", sent.path);
    assert_eq!(sent.header("authorization"), Some("Bearer FAKE-TOKEN"));
    let failing = ["--token-command=echo no account >&2; exit 1", "--prompt=x"];
    let ran = world.run(&args, &failing);
    assert!(ran.notes.contains("no account"), "{}", ran.notes);
}

/// More pictures than the model takes in one request go out in several, each with the prompt, nothing
/// twice and nothing left out.
#[test]
fn what_is_too_much_for_one_request_goes_out_in_several() {
    let world = World::new();
    let model = ["--model=gemini-1.0-pro-vision", "--on=2024-03-01", "--max-side=64"];
    let mut names = Vec::new();
    let photo = fs::read(fixtures().join(PICTURE)).unwrap();
    for number in 0..20u8 {
        let path = world.path(&format!("{number:02}.jpg"));
        let mut bytes = photo.clone();
        // Behind the end of the picture, so that no two are copies.
        bytes.push(number);
        fs::write(&path, bytes).unwrap();
        names.push(path.display().to_string());
    }
    let mut args = vec!["send"];
    args.extend(model);
    args.extend(names.iter().map(String::as_str));
    let refused = world.run(&args, &["--prompt=Where?", "--no-stream"]);
    assert_ne!(refused.status, Status::Done);
    assert!(world.service.requests().is_empty(), "{}", refused.notes);
    let ran = world.run(&args, &["--prompt=Where?", "--no-stream", "--split-requests"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let sent: Vec<Value> =
        world.calls(Call::Generate).iter().map(|call| call.json().unwrap()).collect();
    let parts = |body: &Value| body["contents"][0]["parts"].as_array().unwrap().clone();
    let pictures =
        |body: &Value| parts(body).iter().filter(|p| p["inlineData"].is_object()).count();
    assert_eq!(sent.iter().map(pictures).collect::<Vec<_>>(), [16, 4]);
    for body in &sent {
        assert_eq!(parts(body).iter().filter(|part| part["text"] == "Where?").count(), 1);
    }
}
