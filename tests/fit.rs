//! What a fit promises is what preparing makes: the same tokens, within the budget, no file dearer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mediaprep::media::Modality;
use mediaprep::parts::{Part, PartData};
use mediaprep::tokens::{LevelScope, RuleBook};
use mediaprep::{
    Engine, Fit, FitOptions, ImageForm, ImageOptions, Input, Lever, Levers, Outcome, Payload,
    PdfForm, PdfOptions, PlanOptions, Preparation, PrepareOptions, Requests, RuleRequest, RuleSet,
    VideoForm, VideoOptions,
};
use mediaprep_cli::Status;
use mediaprep_tests::{Ran, all_fixtures, fixtures, mediaprep, probe, root};
use serde_json::Value;

/// Tiles, tiles with levels for whole requests, levels at parts.
const MODELS: [&str; 3] = ["gemini-2.0-flash", "gemini-2.5-flash", "gemini-3.5-flash"];

fn rules<'a>(book: &'a RuleBook, model: &str) -> RuleSet<'a> {
    RuleSet::find(book, &RuleRequest::billed(model, "2026-11-21".parse().unwrap())).unwrap()
}

/// Sound fixtures of one folder whose headers say nothing odd.
fn sound_files(folder: &str) -> Vec<PathBuf> {
    let all = all_fixtures().into_iter().filter(|(path, entry)| {
        let here = path.parent().is_some_and(|parent| parent.ends_with(folder));
        here && entry.expect.as_deref() != Some("error")
    });
    let calm = all
        .map(|(path, _)| path)
        .filter(|path| matches!(probe(path), Outcome::Media(probed) if probed.warnings.is_empty()));
    calm.collect()
}

fn inputs(folders: &[&str]) -> Vec<Input> {
    folders.iter().flat_map(|folder| sound_files(folder)).map(Input::path).collect()
}

/// Media that the fit has something to choose of, small enough to be made again and again.
fn chosen() -> Vec<Input> {
    let mut names = vec![
        "images/photo-portrait-8mp.jpg",
        "images/screenshot-1080p.png",
        "audio/minute.opus",
        "pdf/object-streams.pdf",
    ];
    if cfg!(feature = "ffmpeg") {
        names.extend(["video/still-90s.mp4", "video/b-frames.mp4"]);
    }
    names.into_iter().map(|name| Input::path(fixtures().join(name))).collect()
}

fn within(max_tokens: u64, levers: Levers) -> FitOptions {
    FitOptions { max_tokens: Some(max_tokens), levers, ..FitOptions::default() }
}

fn every_lever() -> Levers {
    Levers::only(&Lever::ALL)
}

fn request(requests: Requests) -> PlanOptions {
    PlanOptions { requests, ..PlanOptions::default() }
}

fn total(preparation: &Preparation<'_>) -> u64 {
    preparation.count().totals.tokens.total
}

/// The planned parts of every item cost what the fit says of it.
fn assert_items_agree(preparation: &Preparation<'_>, fit: &Fit, what: &str) -> u64 {
    let counted = preparation.count();
    let mut checked = 0;
    for ((item, counted), planned) in fit.items.iter().zip(counted.items).zip(&preparation.items) {
        let Some(Ok(counted)) = counted else { continue };
        if item.failure.is_some() {
            continue;
        }
        // A picture larger than the service keeps is scaled down to that, which may cost less.
        let tokens = counted.charge.tokens.total;
        assert!(tokens <= item.tokens, "{what} {}: {tokens} > {}", item.name, item.tokens);
        if item.modality != Some(Modality::Image) || !item.options.is_default() {
            let plan = planned.planned.as_ref().map(|planned| &planned.plan);
            assert_eq!(tokens, item.tokens, "{what} {}: {:?} {plan:?}", item.name, item.options);
        }
        assert_eq!(planned.options, item.options);
        checked += 1;
    }
    checked
}

#[test]
fn planned_parts_cost_what_the_fit_says() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let folders: &[&str] = if cfg!(feature = "ffmpeg") {
        &["images", "audio", "pdf", "video"]
    } else {
        &["images", "audio", "pdf"]
    };
    let inputs = inputs(folders);
    let (mut checked, mut fitted) = (0, 0);
    for model in MODELS {
        let rules = rules(&book, model);
        for requests in [Requests::One, Requests::Each] {
            let (request, options) = (request(requests), PrepareOptions::default());
            let before = engine.plan(&inputs, &rules, &request, &options).unwrap().as_is;
            for percent in [100, 80, 50, 25, 10] {
                let most = before.tokens.total * percent / 100;
                let budget = within(most, every_lever());
                let preparation =
                    engine.plan_fit(&inputs, &rules, (&request, &options), &budget).unwrap();
                let what = format!("{model} {requests:?} {percent} %");
                let fit = preparation.fit.as_ref().unwrap();
                checked += assert_items_agree(&preparation, fit, &what);
                if fit.fits {
                    fitted += 1;
                    assert!(total(&preparation) <= most, "{what}");
                } else {
                    assert!(fit.missing > 0 && total(&preparation) == most + fit.missing, "{what}");
                }
            }
        }
    }
    assert!(checked > 1000 && fitted >= 15, "{checked} items, {fitted} fits");
}

/// Prepares into memory.
fn made(engine: &Engine, preparation: Preparation<'_>) -> Vec<Payload> {
    engine.prepare(preparation).unwrap().into_iter().map(Result::unwrap).collect()
}

#[test]
fn what_is_made_costs_what_the_fit_says() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let (inputs, options) = (chosen(), PrepareOptions::default());
    let mut given_up = BTreeSet::new();
    let seen = every_lever().with(Lever::SoundOnly, false);
    let without_levels = seen.with(Lever::MediaResolution, false);
    for model in MODELS {
        let rules = rules(&book, model);
        for (requests, levers, percents) in [
            (Requests::One, seen, [90, 50, 12].as_slice()),
            (Requests::Each, seen, &[70, 30]),
            (Requests::Each, without_levels, &[85, 40]),
        ] {
            let request = request(requests);
            let before = engine.plan(&inputs, &rules, &request, &options).unwrap().as_is;
            for percent in percents {
                let budget = within(before.tokens.total * percent / 100, levers);
                let preparation =
                    engine.plan_fit(&inputs, &rules, (&request, &options), &budget).unwrap();
                let fit = preparation.fit.clone().unwrap();
                let payloads = made(&engine, preparation);
                for (item, payload) in fit.items.iter().zip(&payloads) {
                    let what = format!("{model} {requests:?} {percent} % {item:?}");
                    assert_eq!(payload.charge.tokens.total, item.tokens, "{what}");
                    assert!(item.tokens <= item.tokens_before, "{what}");
                    given_up.extend(item.given_up.iter().map(|one| one.what));
                    assert_stated(&rules, item.options.media_resolution, &payload.parts, &what);
                }
                assert!(fit.fits, "{model} {requests:?} {percent} %");
            }
        }
    }
    let with_film = cfg!(feature = "ffmpeg");
    for lever in Lever::ALL {
        let of_film = matches!(lever, Lever::Fps | Lever::AudioTrack);
        let pulled = given_up.contains(&lever) || (of_film && !with_film);
        // Every file is in one piece from the start, and sounds alone have their own test.
        let elsewhere = matches!(lever, Lever::Form | Lever::SoundOnly);
        assert!(pulled || elsewhere, "{lever:?} was never pulled");
    }
}

/// An own level stands at the part where the model takes levels there, and nowhere else.
fn assert_stated(
    rules: &RuleSet<'_>,
    own: Option<mediaprep::media::MediaResolution>,
    parts: &[Part],
    what: &str,
) {
    let at_part = rules.row.levels == LevelScope::Part;
    for part in parts.iter().filter(|part| !matches!(part.data, PartData::Text(_))) {
        assert_eq!(part.media_resolution, own.filter(|_| at_part), "{what}");
    }
}

/// What parts cost beside their items is within the budget too, and what all inputs are shaped to is
/// what the fit begins with.
#[test]
fn forms_that_cost_more_are_within_the_budget() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let inputs = chosen();
    let rules = rules(&book, "gemini-3.5-flash");
    let small = ImageOptions { max_side: Some(1000), ..ImageOptions::default() };
    let drawn = PdfOptions { form: PdfForm::Pages, ..PdfOptions::default() };
    let first = PdfOptions { pages: Some("1-3".parse().unwrap()), ..PdfOptions::default() };
    let mut checked = 0;
    for options in [
        PrepareOptions { labels: true, ..PrepareOptions::default() },
        PrepareOptions { images: small, ..PrepareOptions::default() },
        PrepareOptions { pdf: drawn, ..PrepareOptions::default() },
        PrepareOptions { pdf: first, ..PrepareOptions::default() },
    ] {
        let request = PlanOptions::default();
        let plan = engine.plan(&inputs, &rules, &request, &options).unwrap();
        let before = total(&plan);
        for percent in [90, 60, 40] {
            let most = before * percent / 100;
            let budget = within(most, every_lever());
            let both = (&request, &options);
            let preparation = engine.plan_fit(&inputs, &rules, both, &budget).unwrap();
            let fit = preparation.fit.as_ref().unwrap();
            let found = total(&preparation);
            assert!(fit.fits && found <= most, "{percent} %: {found} > {most} {options:?}");
            checked += 1;
        }
    }
    assert_eq!(checked, 12);
}

/// Tiles, pages and frames are counted as the parts that they are, and become one part again where that
/// is given up.
#[test]
fn tiles_pages_and_frames_are_counted_as_what_they_are() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let inputs = chosen();
    let images = ImageOptions { form: ImageForm::Tiles, ..ImageOptions::default() };
    let pdf = PdfOptions { form: PdfForm::Pages, ..PdfOptions::default() };
    let form = if cfg!(feature = "ffmpeg") { VideoForm::Frames } else { VideoForm::Auto };
    let video = VideoOptions { form, ..VideoOptions::default() };
    let options = PrepareOptions { images, pdf, video, ..PrepareOptions::default() };
    let forms = Levers::only(&[Lever::Form]);
    let (mut checked, mut given_up) = (0, BTreeSet::new());
    for model in MODELS {
        let rules = rules(&book, model);
        for requests in [Requests::One, Requests::Each] {
            let request = request(requests);
            let before = total(&engine.plan(&inputs, &rules, &request, &options).unwrap());
            for (percent, levers) in [
                (100, every_lever()),
                (70, every_lever()),
                (50, Levers::default()),
                (20, every_lever()),
                (30, forms),
            ] {
                let budget = within(before * percent / 100, levers);
                let both = (&request, &options);
                let preparation = engine.plan_fit(&inputs, &rules, both, &budget).unwrap();
                let what = format!("{model} {requests:?} {percent} %");
                let fit = preparation.fit.as_ref().unwrap();
                assert_eq!(fit.tokens_before, before, "{what}");
                checked += assert_items_agree(&preparation, fit, &what);
                assert_eq!(fit.tokens, total(&preparation), "{what}");
                let changes = fit.items.iter().flat_map(|item| &item.given_up);
                given_up.extend(changes.map(|one| (one.what, one.from.clone())));
                assert!(fit.fits || levers == forms, "{what}: {} of {before}", fit.tokens);
            }
        }
    }
    assert!(checked >= 96, "{checked}");
    let films: &[&str] = if cfg!(feature = "ffmpeg") { &["frames"] } else { &[] };
    for from in ["tiles", "pages"].iter().chain(films) {
        assert!(given_up.contains(&(Lever::Form, (*from).to_owned())), "{from}: {given_up:?}");
    }
}

/// A video whose pictures are given up is its sound, made and charged as one.
#[cfg(feature = "ffmpeg")]
#[test]
fn a_video_can_be_its_sound_alone() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let film = [Input::path(fixtures().join("video/still-90s.mp4"))];
    let options = PrepareOptions::default();
    let request = PlanOptions::default();
    for model in MODELS {
        let rules = rules(&book, model);
        let only = |max_tokens| within(max_tokens, Levers::only(&[Lever::SoundOnly]));
        let before = engine.plan(&film, &rules, &request, &options).unwrap().as_is.tokens.total;
        let both = (&request, &options);
        let preparation = engine.plan_fit(&film, &rules, both, &only(before / 2)).unwrap();
        let fit = preparation.fit.clone().unwrap();
        assert!(fit.fits, "{model}");
        assert_eq!(fit.items[0].given_up[0].what, Lever::SoundOnly);
        let payloads = made(&engine, preparation);
        assert_eq!(payloads[0].parts.len(), 1);
        assert_eq!(payloads[0].charge.tokens.audio, fit.items[0].tokens, "{model}");
        let PartData::InlineData(blob) = &payloads[0].parts[0].data else { panic!() };
        assert!(blob.mime_type.starts_with("audio/"), "{}", blob.mime_type);
    }
    // One without a sound has none to be sent alone.
    let mute = [Input::path(fixtures().join("video/b-frames.mp4"))];
    let video = VideoOptions { form: VideoForm::Sound, ..VideoOptions::default() };
    let options = PrepareOptions { video, ..PrepareOptions::default() };
    let rules = rules(&book, MODELS[0]);
    let plan = engine.plan(&mute, &rules, &request, &options).unwrap();
    let error = plan.items[0].planned.as_ref().unwrap_err();
    assert!(error.cause().contains("no sound"), "{}", error.cause());
}

fn run(command: &str, arguments: &[&str]) -> Ran {
    let mut all = vec![command, "--on", "2026-11-21"];
    all.extend(arguments);
    mediaprep(&all)
}

fn fixture(name: &str) -> String {
    fixtures().join(name).to_string_lossy().into_owned()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read(path: &Path) -> Value {
    json(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn the_table_says_what_was_given_up() {
    let photo = fixture("images/photo-landscape-12mp.jpg");
    let tiles = ["--model", "gemini-2.0-flash", "--without", "media-resolution"];
    let ran = run("fit", &[&[photo.as_str(), "--max-tokens", "2000"], tiles.as_slice()].concat());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    assert!(ran.data.contains("longest side 4032 → "), "{}", ran.data);
    assert!(ran.data.contains("the least possible"), "{}", ran.data);
}

#[test]
fn every_format_tells_the_same() {
    let files = ["images/screenshot-1080p.png", "pdf/object-streams.pdf"].map(fixture);
    let [image, document] = &files;
    let tokens = |format: &str| {
        let arguments = [image, document, "--model=gemini-3.5-flash", "--max-tokens=6000", format];
        let ran = run("fit", &arguments);
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        ran.data
    };
    let whole = json(&tokens("--format=json"));
    assert_eq!((&whole["schema"], &whole["command"]), (&1.into(), &"fit".into()));
    assert_eq!(whole["fit"]["fits"], true);
    let items = whole["items"].as_array().unwrap();
    let sum: u64 = items.iter().map(|item| item["tokens"]["total"].as_u64().unwrap()).sum();
    // The request itself costs something beside them.
    let total = whole["fit"]["tokens"].as_u64().unwrap();
    assert!(sum <= total && total <= 6000, "{sum} {total}");
    assert_eq!(whole["totals"]["tokens"]["total"], total);
    let before: u64 = items.iter().map(|item| item["fit"]["tokens_before"].as_u64().unwrap()).sum();
    assert_eq!(whole["fit"]["tokens_before"], before + total - sum);
    assert!(items.iter().any(|item| item["fit"]["given_up"][0]["what"] == "media-resolution"));

    let lines = tokens("--format=ndjson");
    let lines: Vec<Value> = lines.lines().map(json).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(&lines[..2], items.as_slice());
    assert_eq!(lines[2]["fit"], whole["fit"]);

    let table = tokens("--format=csv");
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let head = rows.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|column| column == name).unwrap();
    for (row, item) in rows.records().zip(items) {
        let row = row.unwrap();
        assert_eq!(row[column("tokens_before")], item["fit"]["tokens_before"].to_string());
        assert_eq!(row[column("tokens_total")], item["tokens"]["total"].to_string());
    }
}

#[test]
fn facts_are_fitted_by_money_too() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("facts.ndjson");
    let line = |n: u32| {
        format!(
            r#"{{"path":"film-{n}.mp4","kind":"video","width":640,"height":360,"duration_s":600}}"#
        )
    };
    std::fs::write(&facts, (0..5).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    let facts = facts.to_str().unwrap();
    let fit = |arguments: &[&str]| {
        let all = [&["--facts", facts, "--model=gemini-2.5-flash", "--json"], arguments].concat();
        let ran = run("fit", &all);
        (ran.status, json(&ran.data)["fit"].clone(), ran.notes)
    };
    let (status, all, _) = fit(&["--max-cost", "100"]);
    assert_eq!((status, &all["loss"]), (Status::Done, &0.0.into()));
    let cost = all["cost_usd"].as_f64().unwrap();
    let half = format!("{:.6}", cost / 2.0);
    let (status, fitted, _) = fit(&["--max-cost", &half]);
    assert_eq!(status, Status::Done);
    assert!(fitted["cost_usd"].as_f64().unwrap() <= cost / 2.0);
    let (status, short, notes) = fit(&["--max-tokens", "10", "--without", "fps"]);
    assert_eq!((status, &short["fits"]), (Status::Failed, &false.into()));
    assert!(notes.contains("above --max-tokens 10"), "{notes}");
    assert!(notes.contains("hint: --allow clip") && notes.contains("--without: fps"), "{notes}");
}

/// What is too dear by itself can be within the budget at the price of batches.
#[test]
fn batches_are_fitted_at_their_price() {
    let document = fixture("pdf/object-streams.pdf");
    let alone = ["--model", "gemini-3.5-flash", "--format", "json"];
    let cost = |more: &[&str]| {
        let fit = [&[document.as_str()][..], &alone, more].concat();
        let ran = run("fit", &fit);
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        let fitted = json(&ran.data);
        let fit = &fitted["fit"];
        (fit["cost_before_usd"].as_f64().unwrap(), fit["loss"].as_f64().unwrap())
    };
    let (before, loss) = cost(&["--max-cost", "0.01"]);
    let (batch, none) = cost(&["--max-cost", "0.01", "--batch"]);
    assert!((batch * 2.0 - before).abs() < 1e-9 && before > 0.01 && batch < 0.01);
    assert!(loss > 0.0 && none == 0.0);
}

#[test]
fn what_is_kept_stays_and_weights_decide() {
    let files = ["pdf/object-streams.pdf", "pdf/pages-352.pdf"].map(fixture);
    let fit = |arguments: &[&str]| {
        let files = files.iter().map(String::as_str);
        let model = ["--model=gemini-3.5-flash", "--json", "--allow=pages", "--max-tokens=60000"];
        let all: Vec<&str> = files.chain(model).chain(arguments.iter().copied()).collect();
        let ran = run("fit", &all);
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        let items = json(&ran.data)["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["fit"]["loss"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let plain = fit(&[]);
    assert!(plain.iter().sum::<f64>() > 0.0);
    assert_eq!(fit(&["--keep", "pdf/object*"])[0], 0.0);
    assert!(fit(&["--weight", "pages-*.pdf=100"])[1] <= plain[1]);
    assert!(fit(&["--weight", "document=0"]).len() == 2);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let image = fixture("images/screenshot-1080p.png");
    for (arguments, says) in [
        (vec![], "no budget is given"),
        (vec!["--max-cost", "cheap"], "no amount of dollars"),
        (vec!["--max-tokens", "1", "--weight", "image"], "no weight"),
        (vec!["--max-tokens", "1", "--keep", "a["], "no pattern"),
        (vec!["--keep", "a"], "--max-"),
    ] {
        let ran = run("fit", &[&[image.as_str()], arguments.as_slice()].concat());
        assert_eq!(ran.status, Status::CouldNotRun, "{arguments:?}");
        assert!(ran.notes.contains(says), "{arguments:?}: {}", ran.notes);
    }
}

#[test]
fn preparing_carries_the_fit_out() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("out");
    let photo = fixture("images/photo-landscape-12mp.jpg");
    let model = ["--model=gemini-2.0-flash", "--without=media-resolution"];
    let place = ["--max-tokens=2000", "--out", out.to_str().unwrap()];
    let ran = run("prepare", &[&[photo.as_str()], model.as_slice(), &place].concat());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    assert!(ran.notes.contains("fitted from"), "{}", ran.notes);
    let manifest = read(&out.join("manifest.json"));
    let item = &manifest["items"][0];
    assert_eq!(item["fit"]["given_up"][0]["what"], "image-size");
    assert!(item["fit"]["tokens_before"].as_u64() > item["tokens"]["total"].as_u64());
    assert_eq!(item["as_is"]["tokens"]["total"], item["fit"]["tokens_before"]);
    assert_eq!(item["why"][0], "too-large");
    // Budgeting what was made gives the same again.
    let media = out.join("media");
    let again = run("budget", &[media.to_str().unwrap(), "--json", model[0]]);
    let again = &json(&again.data)["totals"]["tokens"];
    assert_eq!(again, &manifest["totals"]["tokens"]);
    assert!(again["total"].as_u64() <= Some(2000));
}

#[test]
fn levels_stand_where_the_model_takes_them() {
    let files = ["images/screenshot-1080p.png", "pdf/object-streams.pdf"].map(fixture);
    let [image, document] = &files;
    let send = |arguments: &[&str]| {
        let dry = [image, document, "--dry-run", "--prompt=What is this?"];
        let ran = run("send", &[dry.as_slice(), arguments].concat());
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        json(&ran.data)
    };
    let parts = |body: &Value| body["contents"][0]["parts"].as_array().unwrap().clone();
    let at_part = send(&["--model=gemini-3.5-flash", "--max-tokens=6000"]);
    assert!(at_part["generationConfig"]["mediaResolution"].is_null());
    assert!(parts(&at_part).iter().any(|part| part["mediaResolution"]["level"].is_string()));
    let of_request = send(&["--model=gemini-2.5-flash", "--max-tokens=2000"]);
    let level = of_request["generationConfig"]["mediaResolution"].as_str();
    assert_eq!(level, Some("MEDIA_RESOLUTION_LOW"), "{of_request}");
    assert!(parts(&of_request).iter().all(|part| part["mediaResolution"].is_null()));

    let out = tempfile::tempdir().unwrap();
    let each = ["--model=gemini-2.5-flash", "--requests=each", "--max-tokens=2000", "--out"];
    let place = [image, document, out.path().to_str().unwrap()];
    let ran = run("prepare", &[&place[..2], &each, &place[2..]].concat());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let manifest = read(&out.path().join("manifest.json"));
    for (number, item) in (1..).zip(manifest["items"].as_array().unwrap()) {
        let body = read(&out.path().join(format!("request-{number:04}.json")));
        let stated = &body["generationConfig"]["mediaResolution"];
        let own = &item["fit"]["options"]["media_resolution"];
        assert_eq!(stated.is_null(), own.is_null(), "{stated} {own}");
    }
}

#[test]
fn what_does_not_fit_is_neither_made_nor_sent() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("out");
    let photo = fixture("images/photo-portrait-8mp.jpg");
    let common = [photo.as_str(), "--model=gemini-3.5-flash", "--max-tokens=10"];
    let place = ["--out", out.to_str().unwrap()];
    let ran = run("prepare", &[common.as_slice(), &place].concat());
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("above --max-tokens 10"), "{}", ran.notes);
    assert!(!out.join("manifest.json").exists());
    let ran = run("send", &[common.as_slice(), &["--dry-run", "--prompt=?"]].concat());
    assert_eq!((ran.status, ran.data.as_str()), (Status::Failed, ""));
}

/// Every way out states the level of a part that the fit gave one: split requests, the lines of a
/// batch and of a stream.
#[test]
fn every_way_out_states_levels() {
    let files = ["images/screenshot-1080p.png", "pdf/object-streams.pdf"].map(fixture);
    let folder = tempfile::tempdir().unwrap();
    let prepare = |arguments: &[&str], out: &Path| {
        let files = files.iter().map(String::as_str);
        let place = ["--out", out.to_str().unwrap()];
        let all: Vec<&str> = files.chain(arguments.iter().copied()).chain(place).collect();
        let ran = run("prepare", &all);
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        ran.data
    };
    let at_part = ["--model=gemini-3.5-flash", "--max-tokens=6000"];
    let levels = |parts: &[Value]| -> Vec<String> {
        let level = |part: &Value| part["mediaResolution"]["level"].as_str().map(str::to_owned);
        parts.iter().filter_map(level).collect()
    };
    let of_body = |body: &Value| levels(body["contents"][0]["parts"].as_array().unwrap());

    let out = folder.path().join("split");
    prepare(&[&at_part[..], &["--split-requests"]].concat(), &out);
    let split = of_body(&read(&out.join("request-0001.json")));
    assert!(!split.is_empty());
    let out = folder.path().join("batch");
    prepare(&[&at_part[..], &["--batch"]].concat(), &out);
    let lines = std::fs::read_to_string(out.join("batch.jsonl")).unwrap();
    let batch: Vec<String> =
        lines.lines().flat_map(|line| of_body(&json(line)["request"])).collect();
    assert_eq!(batch, split);
    let lines = prepare(&[&at_part[..], &["--format=ndjson"]].concat(), Path::new("-"));
    let parts: Vec<Value> = lines.lines().map(|line| json(line)["part"].clone()).collect();
    assert_eq!(levels(&parts), split);

    let out = folder.path().join("whole");
    prepare(&["--model=gemini-2.5-flash", "--max-tokens=2000", "--batch"], &out);
    let lines = std::fs::read_to_string(out.join("batch.jsonl")).unwrap();
    let manifest = read(&out.join("manifest.json"));
    let mut stated = 0;
    for (line, item) in lines.lines().zip(manifest["items"].as_array().unwrap()) {
        let level = &json(line)["request"]["generationConfig"]["mediaResolution"];
        assert_eq!(level.is_null(), item["fit"]["options"]["media_resolution"].is_null());
        stated += u32::from(!level.is_null());
    }
    assert!(stated > 0);
}

/// What was made for another fit is made anew; what was made for this one is not.
#[test]
fn parts_of_another_fit_are_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let image = fixture("images/screenshot-1080p.png");
    let prepare = |most: &str| {
        let all = [image.as_str(), "--model=gemini-3.5-flash", "--max-tokens", most, "--out", out];
        let ran = run("prepare", &all);
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        let manifest = read(&folder.path().join("manifest.json"));
        let options = manifest["items"][0]["fit"]["options"].clone();
        (options, ran.notes.contains("done before"))
    };
    let (wide, resumed) = prepare("2000");
    assert!(!resumed);
    let (narrow, resumed) = prepare("600");
    assert!(narrow != wide && !resumed, "{narrow} {wide}");
    assert_eq!(prepare("600"), (narrow, true));
}

/// A file that is there twice is fitted once, unless both are to be sent.
#[test]
fn copies_are_fitted_once() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a.png", "b.png"].map(|name| folder.path().join(name));
    for name in &names {
        std::fs::copy(fixture("images/screenshot-1080p.png"), name).unwrap();
    }
    let [first, second] = names.each_ref().map(|name| name.to_str().unwrap());
    let common = ["--model=gemini-3.5-flash", "--json", "--max-tokens=1200"];
    let fit = |arguments: &[&str]| {
        let ran = run("fit", &[&common[..], arguments].concat());
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        json(&ran.data)
    };
    let (one, both) = (fit(&[first]), fit(&[first, second]));
    assert_eq!(both["fit"], one["fit"]);
    assert_eq!((&both["totals"]["items"], &both["totals"]["duplicates"]), (&2.into(), &1.into()));
    assert_eq!(both["items"][1]["duplicate_of"], first);
    assert!(both["items"][1]["fit"].is_null());
    let kept = fit(&[first, second, "--keep-duplicates"]);
    assert_eq!(kept["totals"]["duplicates"], 0);
    assert!(kept["fit"]["tokens_before"].as_u64() > one["fit"]["tokens_before"].as_u64());

    let out = folder.path().join("out");
    let place = [first, second, "--out", out.to_str().unwrap()];
    let ran = run("prepare", &[&common[..], &place].concat());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let manifest = read(&out.join("manifest.json"));
    assert_eq!(manifest["totals"]["tokens"]["total"], one["fit"]["tokens"]);
}

#[test]
fn the_guide_shows_what_is_printed() {
    let readme = std::fs::read_to_string(root().join("docs/guide.md")).unwrap();
    let (_, rest) = readme.split_once("$ mediaprep fit ").expect("the command is shown");
    let (command, rest) = rest.split_once('\n').unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    let folder = format!("{}/", root().display());
    let absolute = |word: &str| match word.starts_with("fixtures/") {
        true => format!("{folder}{word}"),
        false => word.trim_matches('\'').to_owned(),
    };
    let arguments: Vec<String> = command.split(' ').map(absolute).collect();
    let ran = run("fit", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    assert_eq!(ran.data.replace(&folder, ""), shown);
}
