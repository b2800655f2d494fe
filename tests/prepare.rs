//! What `prepare` makes: it costs what was planned, it is the same at any thread count, and every
//! byte of it is accounted for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mediaprep::tokens::RuleBook;
use mediaprep::{
    Engine, How, ImageForm, ImageOptions, Input, PlanOptions, PrepareOptions, Requests,
    RuleRequest, RuleSet,
};
use mediaprep_cli::Status;
use mediaprep_tests::{Ran, all_fixtures, fixtures, mediaprep};
use serde_json::Value;
use sha2::{Digest, Sha256};

const MODELS: [&str; 4] =
    ["gemini-2.0-flash", "gemini-2.5-flash", "gemini-3.5-flash", "gemini-1.5-pro-preview-0409"];

fn images() -> Vec<PathBuf> {
    let sound = |path: &Path, expect: Option<&str>| {
        path.parent().is_some_and(|folder| folder.ends_with("images")) && expect != Some("error")
    };
    let all = all_fixtures().into_iter();
    all.filter(|(path, entry)| sound(path, entry.expect.as_deref())).map(|(path, _)| path).collect()
}

fn rules<'a>(book: &'a RuleBook, model: &str) -> Option<RuleSet<'a>> {
    let date = if model.contains("preview-0409") { "2024-04-20" } else { "2026-11-21" };
    let request = RuleRequest::billed(model, date.parse().unwrap());
    RuleSet::find(book, &request)
        .or_else(|_| {
            let vertex = mediaprep::tokens::Service::Vertex;
            RuleSet::find(book, &RuleRequest { service: vertex, ..request.clone() })
        })
        .ok()
}

fn options(form: ImageForm) -> PrepareOptions {
    let images = ImageOptions { form, ..ImageOptions::default() };
    PrepareOptions { images, ..PrepareOptions::default() }
}

/// The plan's counts are those of what was made, for every picture, model and form.
#[test]
fn what_is_made_costs_what_was_planned() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let inputs: Vec<Input> = images().into_iter().map(Input::path).collect();
    let (mut checked, mut tiles) = (0, 0);
    for model in MODELS {
        let Some(rules) = rules(&book, model) else { panic!("no rule for {model}") };
        for form in [ImageForm::Whole, ImageForm::Tiles] {
            let request = PlanOptions { requests: Requests::Each, ..PlanOptions::default() };
            let plan = engine.plan(&inputs, &rules, &request, &options(form)).unwrap();
            let planned = plan.count();
            let expected: Vec<_> = planned
                .items
                .iter()
                .map(|item| Some(item.as_ref()?.as_ref().ok()?.charge.tokens))
                .collect();
            for (payload, expected) in engine.prepare(plan).unwrap().into_iter().zip(expected) {
                let Ok(payload) = payload else { continue };
                assert_eq!(Some(payload.charge.tokens), expected, "{model} {form:?}");
                checked += 1;
                tiles += usize::from(payload.parts.len() > 1);
            }
        }
    }
    assert!(checked > 300 && tiles > 10, "{checked} pictures, {tiles} of them in tiles");
}

/// No picture gets dearer by being prepared whole.
#[test]
fn preparing_whole_never_costs_more() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let inputs: Vec<Input> = images().into_iter().map(Input::path).collect();
    let mut checked = 0;
    for model in MODELS {
        let rules = rules(&book, model).unwrap();
        for max_side in [None, Some(3072), Some(1000), Some(384), Some(17)] {
            let images = ImageOptions { max_side, ..ImageOptions::default() };
            let prepare = PrepareOptions { images, ..PrepareOptions::default() };
            let request = PlanOptions { requests: Requests::Each, ..PlanOptions::default() };
            let plan = engine.plan(&inputs, &rules, &request, &prepare).unwrap();
            for (item, counted) in plan.items.iter().zip(plan.count().items) {
                let (Ok(planned), Some(Ok(counted))) = (&item.planned, counted) else { continue };
                let as_is = planned.as_is.as_ref().unwrap();
                let now = counted.charge.tokens.total;
                assert!(now <= as_is.tokens.total, "{model} {max_side:?} {}", planned.probed.name);
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "{checked} pictures");
}

fn prepare(out: &Path, arguments: &[&str]) -> Ran {
    let mut all: Vec<String> = ["prepare", "--on", "2026-11-21", "--out"].map(str::to_owned).into();
    all.push(out.to_string_lossy().into_owned());
    all.extend(arguments.iter().map(|&argument| argument.to_owned()));
    mediaprep(&all)
}

fn manifest(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap()
}

fn hash(path: &Path) -> String {
    let hash = Sha256::digest(fs::read(path).unwrap());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every file below a folder with its hash.
fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                files.insert(name, hash(&path));
            }
        }
    }
    files
}

fn image_folder() -> String {
    fixtures().join("images").to_string_lossy().into_owned()
}

#[test]
fn the_manifest_accounts_for_every_part() {
    for form in ["whole", "tiles"] {
        let out = tempfile::tempdir().unwrap();
        let ran = prepare(
            out.path(),
            &[
                &image_folder(),
                "--images",
                form,
                "--model",
                "gemini-2.0-flash",
                "--route",
                "inline",
            ],
        );
        assert_ne!(ran.status, Status::CouldNotRun, "{}", ran.notes);
        let manifest = manifest(out.path());
        let parts = manifest["parts"].as_array().unwrap();
        assert!(parts.len() > 50, "{} parts", parts.len());
        let request: Value =
            serde_json::from_slice(&fs::read(out.path().join("request.json")).unwrap()).unwrap();
        let sent = request["contents"][0]["parts"].as_array().unwrap();
        assert_eq!(sent.len(), parts.len());
        let mut tokens = 0;
        for (part, sent) in parts.iter().zip(sent) {
            let file = out.path().join(part["file"].as_str().unwrap());
            assert_eq!(part["sha256"].as_str().unwrap(), hash(&file));
            assert_eq!(part["bytes"].as_u64().unwrap(), fs::metadata(&file).unwrap().len());
            let source = Path::new(part["source"].as_str().unwrap());
            assert_eq!(part["source_sha256"].as_str().unwrap(), hash(source));
            if part["how"] == "passed" {
                assert_eq!(part["sha256"], part["source_sha256"]);
            }
            let data = sent["inlineData"]["data"].as_str().unwrap();
            assert_eq!(data.len() as u64, fs::metadata(&file).unwrap().len().div_ceil(3) * 4);
            tokens += part["tokens"]["total"].as_u64().unwrap();
            if form == "tiles" && part["role"] != "whole" {
                assert_eq!(
                    (part["width"].as_u64(), part["height"].as_u64()),
                    (Some(768), Some(768))
                );
            }
        }
        assert_eq!(manifest["totals"]["tokens"]["image"].as_u64(), Some(tokens));
        budget_says_the_same(out.path(), &manifest);
        assert!(!out.path().join(".partial").exists());
    }
}

/// Budgeting what was made gives the manifest's totals.
fn budget_says_the_same(out: &Path, manifest: &Value) {
    let media = out.join("media").to_string_lossy().into_owned();
    let arguments = ["budget", &media, "--on", "2026-11-21", "--model", "gemini-2.0-flash"];
    let ran = mediaprep(&[&arguments[..], &["--format", "json", "--route", "inline"]].concat());
    let budget: Value = serde_json::from_str(&ran.data).unwrap();
    assert_eq!(budget["totals"]["tokens"], manifest["totals"]["tokens"]);
    assert_eq!(budget["totals"]["cost_usd"], manifest["totals"]["cost_usd"]);
}

#[test]
fn the_thread_count_changes_no_byte() {
    let made = |threads: &str| {
        let out = tempfile::tempdir().unwrap();
        let tiles = ["--images", "tiles", "--model", "gemini-2.0-flash", "--threads", threads];
        let ran = prepare(out.path(), &[&[image_folder().as_str()][..], &tiles].concat());
        (tree(out.path()), ran.data)
    };
    let alone = made("1");
    assert!(alone.0.len() > 50);
    assert_eq!(made("2"), alone);
    assert_eq!(made("8"), alone);
}

#[test]
fn upright_pictures_are_passed_and_turned_ones_are_made_upright() {
    let out = tempfile::tempdir().unwrap();
    let names: Vec<String> =
        (1..=8).map(|value| format!("{}/jpeg-exif-{value}.jpg", image_folder())).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ran = prepare(out.path(), &names);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let manifest = manifest(out.path());
    let parts = manifest["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 8);
    for (value, part) in (1..).zip(parts) {
        let expected = if value == 1 { "passed" } else { "turned" };
        let how = part["how"].as_str().unwrap();
        assert_eq!(how == "passed", expected == "passed", "Exif {value}: {how}");
        assert_eq!(part["transform"]["orientation"], value);
        let file = out.path().join(part["file"].as_str().unwrap());
        let probed = mediaprep(&["probe", "--json", &file.to_string_lossy()]);
        let facts: Value = serde_json::from_str(&probed.data).unwrap();
        assert_eq!(facts["items"][0]["orientation"], 1, "Exif {value} is turned once");
    }
}

#[test]
fn sources_with_one_name_get_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let picture = fixtures().join("images/jpeg-baseline.jpg");
    for name in ["a/x.jpg", "b/x.jpg", "b/X.JPG"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(&picture, path).unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    let ran = prepare(out.path(), &[&folder.path().to_string_lossy(), "--keep-duplicates"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let names: Vec<String> =
        tree(&out.path().join("media")).into_keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(names, ["x-2.jpg", "x-3.jpg", "x.jpg"]);
}

#[test]
fn a_second_run_leaves_only_its_own_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let copy = |name: &str| {
        fs::copy(fixtures().join("images").join(name), folder.path().join(name)).unwrap();
    };
    copy("screenshot-1080p.png");
    copy("jpeg-baseline.jpg");
    let input = folder.path().to_string_lossy().into_owned();
    prepare(&out, &[&input, "--images", "tiles", "--model", "gemini-2.0-flash"]);
    assert!(tree(&out.join("media")).len() > 5);
    // The folder lies within the input; what is in it is no input.
    let ran = prepare(&out, &[&input, "--model", "gemini-2.0-flash"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let names: Vec<String> = tree(&out).into_keys().collect();
    let expected = [
        ".done.ndjson",
        "manifest.json",
        "media/jpeg-baseline.jpg",
        "media/screenshot-1080p.png",
        "request.json",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_folder_with_foreign_media_is_left_alone() {
    let out = tempfile::tempdir().unwrap();
    fs::create_dir(out.path().join("media")).unwrap();
    fs::write(out.path().join("media/mine.jpg"), b"mine").unwrap();
    let picture = fixtures().join("images/jpeg-baseline.jpg");
    let ran = prepare(out.path(), &[&picture.to_string_lossy()]);
    assert_eq!(ran.status, Status::CouldNotRun);
    assert!(ran.notes.contains("hint: choose an empty folder"), "{}", ran.notes);
    assert_eq!(tree(out.path()).len(), 1);
}

#[test]
fn one_bad_picture_does_not_sink_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(fixtures().join("images/photo-landscape-12mp.jpg")).unwrap();
    fs::write(folder.path().join("cut.jpg"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.path().join("whole.jpg"), &whole).unwrap();
    let input = folder.path().to_string_lossy().into_owned();
    let arguments = [&input, "--max-side", "512", "--json"];
    let out = tempfile::tempdir().unwrap();
    let ran = prepare(out.path(), &arguments);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("cut.jpg: decode: "), "{}", ran.notes);
    let report: Value = serde_json::from_str(&ran.data).unwrap();
    assert_eq!(report["items"][0]["error"]["stage"], "decode");
    assert_eq!(report["items"][1]["error"], Value::Null);
    assert_eq!(manifest(out.path())["parts"].as_array().unwrap().len(), 1);
    assert_eq!(tree(&out.path().join("media")).len(), 1);

    let ran = prepare(out.path(), &[&arguments[..], &["--allow-truncated"]].concat());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    assert!(ran.notes.contains("damaged"), "{}", ran.notes);
    assert_eq!(tree(&out.path().join("media")).len(), 2);
}

#[test]
fn large_pictures_are_refused_before_they_are_decoded() {
    let out = tempfile::tempdir().unwrap();
    let picture = fixtures().join("images/photo-landscape-12mp.jpg");
    let picture = picture.to_string_lossy();
    let ran = prepare(out.path(), &[&picture, "--max-side", "512", "--max-pixels", "1000000"]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("decoded pixel count"), "{}", ran.notes);
    let ran = prepare(out.path(), &[&picture, "--max-side", "512", "--memory", "1M"]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("bytes of memory; allowed: at most 1048576"), "{}", ran.notes);
    // Nothing is decoded of what is passed on, so its size is no matter.
    let ran = prepare(out.path(), &[&picture, "--max-pixels", "1000000", "--memory", "1M"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
}

#[test]
fn labels_prompt_and_levels_are_in_the_request() {
    let out = tempfile::tempdir().unwrap();
    let names = ["jpeg-baseline.jpg", "webp-lossy.webp"];
    let names = names.map(|name| format!("{}/{name}", image_folder()));
    let ran = prepare(
        out.path(),
        &[&names[0], &names[1], "--labels", "--prompt", "Which?", "--media-resolution", "low"],
    );
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let request: Value =
        serde_json::from_slice(&fs::read(out.path().join("request.json")).unwrap()).unwrap();
    let parts = request["contents"][0]["parts"].as_array().unwrap();
    let texts: Vec<Option<&str>> = parts.iter().map(|part| part["text"].as_str()).collect();
    assert_eq!(texts, [Some("image 1"), None, Some("image 2"), None, Some("Which?")]);
    assert_eq!(request["generationConfig"]["mediaResolution"], "MEDIA_RESOLUTION_LOW");
    // "image 1" and "image 2" are two tokens each, "Which?" is two, by the rule of thumb.
    let text = manifest(out.path())["totals"]["tokens"]["text"].as_u64().unwrap();
    assert!((6..=7).contains(&text), "{text} tokens of text");
}

#[test]
fn each_file_can_have_a_request_of_its_own() {
    let out = tempfile::tempdir().unwrap();
    let names = ["jpeg-baseline.jpg", "webp-lossy.webp"];
    let names = names.map(|name| format!("{}/{name}", image_folder()));
    let ran = prepare(out.path(), &[&names[0], &names[1], "--requests", "each"]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    for name in ["request-0001.json", "request-0002.json"] {
        let request: Value =
            serde_json::from_slice(&fs::read(out.path().join(name)).unwrap()).unwrap();
        assert_eq!(request["contents"][0]["parts"].as_array().unwrap().len(), 1);
    }
    assert_eq!(manifest(out.path())["totals"]["requests"], 2);
}

#[test]
fn other_media_are_passed_on() {
    let out = tempfile::tempdir().unwrap();
    let names = ["pdf/a4.pdf", "audio/tone-s16.wav", "video/h264-aac-faststart.mp4"];
    let names = names.map(|name| fixtures().join(name).to_string_lossy().into_owned());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ran = prepare(out.path(), &names);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    for (file, source) in ["a4.pdf", "tone-s16.wav", "h264-aac-faststart.mp4"].iter().zip(names) {
        assert_eq!(hash(&out.path().join("media").join(file)), hash(Path::new(source)));
    }
}

#[test]
fn a_file_that_changed_on_the_way_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jpg");
    fs::copy(fixtures().join("images/jpeg-baseline.jpg"), &path).unwrap();
    let book = RuleBook::builtin();
    let rules = rules(&book, "gemini-2.5-flash").unwrap();
    let engine = Engine::builder().build().unwrap();
    let plan = engine
        .plan(&[Input::path(&path)], &rules, &PlanOptions::default(), &options(ImageForm::Whole))
        .unwrap();
    assert!(matches!(&plan.items[0].planned, Ok(planned) if planned.plan.how() == How::Passed));
    let mut longer = fs::read(&path).unwrap();
    longer.push(0);
    fs::write(&path, longer).unwrap();
    let error = engine.prepare(plan).unwrap().remove(0).unwrap_err();
    assert_eq!(error.code(), "file_changed");
    // One byte of the same length is seen by the time of its writing.
    let plan = engine
        .plan(&[Input::path(&path)], &rules, &PlanOptions::default(), &options(ImageForm::Whole))
        .unwrap();
    let mut other = fs::read(&path).unwrap();
    other.pop();
    other.push(1);
    fs::write(&path, other).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    let error = engine.prepare(plan).unwrap().remove(0).unwrap_err();
    assert_eq!((error.code(), error.hint().is_some()), ("file_changed", true));
    assert!(error.cause().contains("written to"), "{}", error.cause());
}

/// With libjpeg-turbo, blocks are turned where the picture consists of whole ones.
#[cfg(feature = "turbo")]
#[test]
fn whole_blocks_are_turned_without_loss() {
    let book = RuleBook::builtin();
    let rules = rules(&book, "gemini-2.5-flash").unwrap();
    let engine = Engine::builder().build().unwrap();
    let picture = Input::path(fixtures().join("images/photo-portrait-8mp.jpg"));
    let plan = engine
        .plan(&[picture], &rules, &PlanOptions::default(), &options(ImageForm::Whole))
        .unwrap();
    let Ok(planned) = &plan.items[0].planned else { panic!("no plan") };
    let mediaprep::ItemPlan::Image(image) = &planned.plan else { panic!("no image") };
    assert!(image.how != How::Passed, "{image:?}");
}
