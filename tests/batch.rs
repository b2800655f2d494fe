//! Many files at once: copies that are sent once, requests within limits, lines of a batch, and
//! parts as a stream.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mediaprep::parts::{GenerateRequest, Part, PartData};
use mediaprep_cli::Status;
use mediaprep_tests::{Ran, fixtures, mediaprep};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Takes three images a request.
const FEW_IMAGES: [&str; 2] = ["--model=gemini-2.5-flash-image", "--service=vertex"];

fn run(command: &str, paths: &[&Path], more: &[&str]) -> Ran {
    let mut all: Vec<String> = vec![command.to_owned(), "--on=2026-11-21".to_owned()];
    all.extend(paths.iter().map(|path| path.to_string_lossy().into_owned()));
    all.extend(more.iter().map(|&more| more.to_owned()));
    mediaprep(&all)
}

fn prepare(paths: &[&Path], out: &Path, more: &[&str]) -> Ran {
    let out = format!("--out={}", out.display());
    run("prepare", paths, &[&[out.as_str()], more].concat())
}

fn json(bytes: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(bytes.as_ref()).unwrap()
}

fn read(path: PathBuf) -> Value {
    json(fs::read(path).unwrap())
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Different pictures of one kind: a JPEG with a comment in it.
fn pictures(folder: &Path, count: u8) -> Vec<PathBuf> {
    let bytes = fs::read(fixtures().join("images/jpeg-baseline.jpg")).unwrap();
    let picture = |number: u8| {
        let path = folder.join(format!("{number:03}.jpg"));
        let comment = [0xff, 0xfe, 0, 3, number];
        fs::write(&path, [&bytes[..2], &comment, &bytes[2..]].concat()).unwrap();
        path
    };
    (0..count).map(picture).collect()
}

#[test]
fn copies_are_counted_and_sent_once() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    fs::create_dir(&input).unwrap();
    let large = fixtures().join("images/photo-landscape-12mp.jpg");
    fs::copy(&large, input.join("a.jpg")).unwrap();
    fs::copy(&large, input.join("b.jpg")).unwrap();
    fs::copy(&large, input.join("c.png")).unwrap();
    let alone = json(run("budget", &[&large], &["--json", "--model=gemini-2.0-flash"]).data);
    for command in ["budget", "prepare"] {
        for requests in ["one", "each"] {
            let out = folder.path().join(requests);
            let out = format!("--out={}", out.display());
            let mut more = vec!["--json", "--model=gemini-2.0-flash", "--requests", requests];
            more.extend((command == "prepare").then_some(out.as_str()));
            more.extend((command == "prepare").then_some("--max-side=5000"));
            let ran = run(command, &[&input], &more);
            assert_eq!(ran.status, Status::Done, "{}", ran.notes);
            let report = json(ran.data);
            let totals = &report["totals"];
            // One large picture is dearer than each of several, so a copy must not be one of two.
            if command == "budget" {
                assert_eq!(totals["tokens"], alone["totals"]["tokens"], "{command} {requests}");
            }
            assert_eq!((&totals["items"], &totals["duplicates"]), (&3.into(), &2.into()));
            let items = report["items"].as_array().unwrap();
            assert_eq!(items[0]["duplicate_of"], Value::Null);
            for copy in &items[1..] {
                assert_eq!(copy["duplicate_of"], items[0]["path"]);
                assert_eq!((&copy["tokens"], &copy["cost_usd"]), (&Value::Null, &Value::Null));
                assert_eq!(copy["warnings"][0]["code"], "duplicate");
                assert_eq!((&copy["kind"], &copy["error"]), (&"image".into(), &Value::Null));
            }
        }
    }
    let out = folder.path().join("one");
    let manifest = read(out.join("manifest.json"));
    assert_eq!(manifest["parts"].as_array().unwrap().len(), 1);
    for copy in &manifest["items"].as_array().unwrap()[1..] {
        assert_eq!(copy["files"], serde_json::json!(["media/a.jpg"]));
    }
    assert_eq!(fs::read_dir(out.join("media")).unwrap().count(), 1);
    assert_eq!(read(out.join("request.json"))["contents"][0]["parts"].as_array().unwrap().len(), 1);
    let all = run("budget", &[&input], &["--keep-duplicates", "--json"]);
    assert_eq!(json(all.data)["totals"]["duplicates"], 0);
    let table = run("budget", &[&input], &[]);
    assert!(table.data.contains("2 files are copies of others"), "{}", table.data);
}

#[test]
fn pictures_that_look_alike_are_reported_and_sent() {
    let folder = tempfile::tempdir().unwrap();
    let photo = fixtures().join("images/photo-landscape-12mp.jpg");
    let small = folder.path().join("small");
    prepare(&[&photo], &small, &["--max-side=700", "--quality=60"]);
    let small = small.join("media/photo-landscape-12mp.jpg");
    let other = fixtures().join("images/screenshot-1080p.png");
    let out = folder.path().join("out");
    let ran = prepare(&[&photo, &small, &other], &out, &["--near"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let manifest = read(out.join("manifest.json"));
    assert_eq!(manifest["parts"].as_array().unwrap().len(), 3);
    let codes = |item: &Value| -> Vec<String> {
        let warnings = item["warnings"].as_array().unwrap().iter();
        warnings.map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
    };
    let near: Vec<bool> = manifest["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| codes(item).contains(&"near_duplicate".to_owned()))
        .collect();
    assert_eq!(near.iter().filter(|near| **near).count(), 1, "{}", ran.notes);
    assert!(!near[2] || manifest["items"][2]["path"] != other.to_string_lossy().as_ref());
}

/// What is in each request, by part file: the hashes of inline data.
fn sent(out: &Path) -> BTreeMap<String, Vec<String>> {
    let names = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let requests = names.filter(|name| name.starts_with("request") && name.ends_with(".json"));
    let hashes = |name: &String| {
        let request: GenerateRequest =
            serde_json::from_slice(&fs::read(out.join(name)).unwrap()).unwrap();
        let parts = request.contents.into_iter().flat_map(|content| content.parts);
        parts.filter_map(|part| inline(&part)).collect()
    };
    requests.map(|name| (name.clone(), hashes(&name))).collect()
}

fn inline(part: &Part) -> Option<String> {
    match &part.data {
        PartData::InlineData(blob) => blob.data.as_bytes().map(hash),
        _ => None,
    }
}

#[test]
fn requests_are_split_at_the_limits_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = pictures(folder.path(), 7);
    let paths: Vec<&Path> = pictures.iter().map(PathBuf::as_path).collect();
    let out = folder.path().join("out");
    // All of them are too many for one.
    let more = [&FEW_IMAGES[..], &["--labels", "--prompt=Which?"]].concat();
    let ran = prepare(&paths, &out, &more);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("too_many_images"), "{}", ran.notes);

    let ran = prepare(&paths, &out, &[&more[..], &["--split-requests"]].concat());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let requests = sent(&out);
    let sizes: Vec<usize> = requests.values().map(Vec::len).collect();
    assert_eq!(sizes, [3, 3, 1]);
    assert!(!out.join("request.json").exists(), "the earlier run's request is gone");
    let expected: Vec<String> =
        pictures.iter().map(|path| hash(&fs::read(path).unwrap())).collect();
    assert_eq!(requests.values().flatten().cloned().collect::<Vec<_>>(), expected);
    let manifest = read(out.join("manifest.json"));
    assert_eq!(manifest["totals"]["requests"], 3);
    for part in manifest["parts"].as_array().unwrap() {
        let request = &requests[part["request"].as_str().unwrap()];
        assert!(request.contains(&part["sha256"].as_str().unwrap().to_owned()));
    }
    // The prompt is in each, and labels where there are several.
    let texts = |name: &str| -> Vec<String> {
        let parts = read(out.join(name))["contents"][0]["parts"].as_array().unwrap().clone();
        parts.iter().filter_map(|part| part["text"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(texts("request-0001.json"), ["image 1", "image 2", "image 3", "Which?"]);
    assert_eq!(texts("request-0002.json"), ["image 1", "image 2", "image 3", "Which?"]);
    assert_eq!(texts("request-0003.json"), ["Which?"]);
}

/// A file whose parts are more than a request takes is spread; others stay together.
#[test]
fn only_what_is_too_large_alone_is_torn_apart() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = pictures(folder.path(), 2);
    let pdf = fixtures().join("pdf/pages-352.pdf");
    let out = folder.path().join("out");
    let more = ["--split-requests", "--pdf=pages", "--pages=1-5", "--max-side=64"];
    let paths = [pictures[0].as_path(), &pdf, &pictures[1]];
    let ran = prepare(&paths, &out, &[&FEW_IMAGES[..], &more].concat());
    assert_ne!(ran.status, Status::CouldNotRun, "{}", ran.notes);
    let requests = sent(&out);
    let sizes: Vec<usize> = requests.values().map(Vec::len).collect();
    // The order is that of the paths: the PDF of the fixtures, or the pictures, come first.
    let expected = if pdf < pictures[0] { vec![3, 3, 1] } else { vec![2, 3, 2] };
    assert_eq!(sizes, expected, "{}", ran.notes);
    let manifest = read(out.join("manifest.json"));
    let parts = manifest["parts"].as_array().unwrap();
    let in_manifest: Vec<&str> =
        parts.iter().map(|part| part["sha256"].as_str().unwrap()).collect();
    assert_eq!(requests.values().flatten().collect::<Vec<_>>(), in_manifest);
    let tokens: u64 = parts.iter().map(|part| part["tokens"]["image"].as_u64().unwrap()).sum();
    assert_eq!(manifest["totals"]["tokens"]["image"], tokens);
}

#[test]
fn a_batch_has_a_line_for_each_request_at_half_the_price() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = pictures(folder.path(), 5);
    let paths: Vec<&Path> = pictures.iter().map(PathBuf::as_path).collect();
    let prompt = "--prompt=What is this?";
    let model = "--model=gemini-2.5-flash";
    let budget = |more: &[&str]| {
        let all = [&[prompt, model, "--json", "--requests=each"], more].concat();
        json(run("budget", &paths, &all).data)
    };
    let (standard, half) = (budget(&[]), budget(&["--batch"]));
    let cost = |report: &Value| report["totals"]["cost_usd"].as_f64().unwrap();
    assert!(cost(&standard) > 0.0 && (cost(&standard) - 2.0 * cost(&half)).abs() < 1e-12);
    assert_eq!((&half["billing"], &standard["billing"]), (&"batch".into(), &Value::Null));

    let out = folder.path().join("out");
    let ran = prepare(&paths, &out, &["--batch", prompt, model]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    assert!(ran.notes.contains("small enough for the body of a batch request"), "{}", ran.notes);
    let manifest = read(out.join("manifest.json"));
    assert_eq!(manifest["totals"]["cost_usd"], half["totals"]["cost_usd"]);
    assert!(!out.join("request-0001.json").exists());
    let lines = fs::read_to_string(out.join("batch.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(json).collect();
    assert_eq!(lines.len(), 5);
    let parts = manifest["parts"].as_array().unwrap();
    for (number, ((line, part), path)) in lines.iter().zip(parts).zip(&pictures).enumerate() {
        assert_eq!(line["key"], path.to_string_lossy().as_ref());
        assert_eq!(part["batch_key"], line["key"]);
        assert_eq!(
            (&part["request"], &part["batch_line"]),
            (&"batch.jsonl".into(), &(number + 1).into())
        );
        let request: GenerateRequest = serde_json::from_value(line["request"].clone()).unwrap();
        let sent = &request.contents[0].parts;
        assert_eq!(inline(&sent[0]), part["sha256"].as_str().map(str::to_owned));
        assert_eq!(sent[1].data, PartData::Text("What is this?".to_owned()));
    }
    // Google Cloud's lines have no keys; requests of --split-requests are lines too.
    let out = folder.path().join("vertex");
    let more = [&FEW_IMAGES[..], &["--batch", "--split-requests"]].concat();
    let ran = prepare(&paths, &out, &more);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let lines = fs::read_to_string(out.join("batch.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(json).collect();
    let counts: Vec<usize> = lines
        .iter()
        .map(|line| line["request"]["contents"][0]["parts"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [3, 2]);
    assert!(lines.iter().all(|line| line.as_object().unwrap().len() == 1));
    // Another run without a batch removes it.
    prepare(&paths, &out, &FEW_IMAGES);
    assert!(!out.join("batch.jsonl").exists() && out.join("request.json").exists());
}

#[test]
fn media_by_address_stand_in_a_batch_as_files() {
    let folder = tempfile::tempdir().unwrap();
    let picture = &pictures(folder.path(), 1)[0];
    let out = folder.path().join("out");
    let ran = prepare(&[picture], &out, &["--batch", "--route=file"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let line = read(out.join("batch.jsonl"));
    let file = &line["request"]["contents"][0]["parts"][0]["fileData"];
    assert_eq!(file["fileUri"], "media/000.jpg");
    assert!(ran.notes.contains("needs_upload"), "{}", ran.notes);
}

/// The service's limits as a rule file would have them.
fn limits(folder: &Path, inline: u64, batch: u64) -> String {
    let way = |(id, way, since): (&str, &str, &str), field: &str, bytes: u64| {
        format!(
            "[[way]]\nid = \"{id}\"\nway = \"{way}\"\nservice = [\"developer-api\"]\n\
             since = \"{since}\"\n{field} = {{ hard = {bytes}, evidence = \"documented\" }}\n\
             sources = [\"a test\"]\n\n"
        )
    };
    // The rows of the rule book that these take the place of.
    let inside = ("inline/developer-api/2026-01", "inline", "2026-01-12");
    let file = ("batch-file/developer-api", "batch-file", "2025-07-07");
    let ways = [way(inside, "request-bytes", inline), way(file, "file-bytes", batch)];
    let path = folder.join("limits.toml");
    fs::write(&path, format!("schema = 1\n\n{}", ways.concat())).unwrap();
    format!("--rules={}", path.display())
}

#[test]
fn bytes_are_limits_too() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = pictures(folder.path(), 7);
    let paths: Vec<&Path> = pictures.iter().map(PathBuf::as_path).collect();
    let one = fs::metadata(&pictures[0]).unwrap().len().div_ceil(3) * 4;
    // Room for two pictures and what is around them.
    let rules = limits(folder.path(), one * 2 + 400, one * 3 + 600);
    let out = folder.path().join("out");
    let more = [rules.as_str(), "--route=inline", "--model=gemini-2.5-flash"];
    let ran = prepare(&paths, &out, &[&more[..], &["--split-requests"]].concat());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let sizes: Vec<usize> = sent(&out).values().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 2, 1]);
    for name in sent(&out).keys() {
        let newline = 1;
        assert!(fs::metadata(out.join(name)).unwrap().len() - newline <= one * 2 + 400);
    }
    // What a batch has no room for goes by address.
    let ran = prepare(&paths, &out, &[&more[..], &["--batch"]].concat());
    assert!(ran.notes.contains("needs_upload"), "{}", ran.notes);
    let lines = fs::read_to_string(out.join("batch.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 7);
    let inside =
        |line: &str| json(line)["request"]["contents"][0]["parts"][0]["inlineData"].is_object();
    let inside: Vec<bool> = lines.lines().map(inside).collect();
    assert!(inside[0] && !inside[6], "{inside:?}");
    let manifest = read(out.join("manifest.json"));
    let routes = manifest["parts"].as_array().unwrap().iter().map(|part| part["route"] == "inline");
    assert_eq!(routes.collect::<Vec<_>>(), inside);
}

#[test]
fn parts_are_streamed_as_lines_with_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    fs::create_dir(&input).unwrap();
    pictures(&input, 4);
    fs::copy(input.join("001.jpg"), input.join("9-copy.jpg")).unwrap();
    fs::copy(fixtures().join("audio/tone-s16.wav"), input.join("t.wav")).unwrap();
    fs::copy(fixtures().join("images/photo-landscape-12mp.jpg"), input.join("x.jpg")).unwrap();
    fs::copy(fixtures().join("images/bad-png-depth.png"), input.join("y.png")).unwrap();
    let options = ["--model=gemini-2.0-flash", "--images=tiles", "--prompt=What?", "--labels"];
    let out = folder.path().join("out");
    prepare(&[&input], &out, &options);
    let manifest = read(out.join("manifest.json"));
    let mut streams = Vec::new();
    for threads in ["--threads=1", "--threads=8"] {
        let ran = prepare(&[&input], Path::new("-"), &[&options[..], &[threads]].concat());
        assert_eq!(ran.status, Status::Failed, "{}", ran.notes);
        assert!(ran.notes.contains("error: ") && ran.notes.contains("y.png"), "{}", ran.notes);
        assert!(ran.notes.contains("duplicate"), "{}", ran.notes);
        streams.push(ran.data);
    }
    assert_eq!(streams[0], streams[1]);
    let mut lines: Vec<Value> = streams[0].lines().map(json).collect();
    let totals = lines.pop().unwrap();
    for key in ["tokens", "cost_usd", "items", "failed", "duplicates", "requests"] {
        assert_eq!(totals["totals"][key], manifest["totals"][key], "{key}");
    }
    let parts = manifest["parts"].as_array().unwrap();
    assert!(parts.len() > 10);
    assert_eq!(lines.len(), parts.len());
    for (line, part) in lines.iter().zip(parts) {
        for key in ["file", "sha256", "source", "source_sha256", "tokens", "transform", "bytes"] {
            assert_eq!(line[key], part[key], "{key}");
        }
        let wire: Part = serde_json::from_value(line["part"].clone()).unwrap();
        assert_eq!(inline(&wire), part["sha256"].as_str().map(str::to_owned));
    }
    assert_eq!(lines[0]["label"], "image 1");
    let refused = prepare(&[&input], Path::new("-"), &["--batch"]);
    assert_eq!(refused.status, Status::CouldNotRun);
}
