//! What holds for every folder, model and option.

use std::collections::BTreeSet;
use std::path::PathBuf;

use mediaprep::parts::{Part, PartData};
use mediaprep::tokens::{Meter, RuleBook, Service};
use mediaprep::{
    AudioOptions, AudioProfile, Budget, Engine, ImageForm, ImageOptions, Input, PdfForm,
    PdfOptions, PlanOptions, Planner, PrepareOptions, Requests, RuleRequest, RuleSet, TokenSplit,
    VideoForm, VideoOptions,
};
use mediaprep_tests::{all_fixtures, fixtures, mediaprep};

fn inputs() -> Vec<Input> {
    all_fixtures().into_iter().map(|(path, _)| Input::path(path)).collect()
}

fn rule_sets(book: &RuleBook) -> Vec<RuleSet<'_>> {
    let date = "2026-11-21".parse().unwrap();
    let mut all = Vec::new();
    for model in book.models() {
        for service in [Service::DeveloperApi, Service::Vertex] {
            for meter in [Meter::Billed, Meter::CountTokens, Meter::Documented] {
                let request = RuleRequest { model: model.id.clone(), service, meter, date };
                all.extend(RuleSet::find(book, &request));
            }
        }
    }
    assert!(all.len() > 50, "only {} rules", all.len());
    all
}

fn budget(threads: usize, rules: &RuleSet<'_>, options: &PlanOptions) -> Budget {
    let engine = Engine::builder().threads(threads).build().unwrap();
    engine.budget(&inputs(), rules, options).unwrap()
}

/// A budget as text, errors included.
fn text(budget: &Budget) -> String {
    format!("{budget:?}")
}

#[test]
fn the_thread_count_changes_nothing() {
    let book = RuleBook::builtin();
    let request = RuleRequest::billed("gemini-3.5-flash", "2026-11-21".parse().unwrap());
    let rules = RuleSet::find(&book, &request).unwrap();
    let options = PlanOptions::default();
    let alone = text(&budget(1, &rules, &options));
    for threads in [2, 8] {
        assert_eq!(text(&budget(threads, &rules, &options)), alone, "{threads} threads");
    }
}

#[test]
fn totals_are_the_sums_of_the_items() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let inputs = inputs();
    for rules in rule_sets(&book) {
        for requests in [Requests::One, Requests::Each] {
            let prompt = Some("Describe these.".to_owned());
            let options = PlanOptions { requests, prompt, ..PlanOptions::default() };
            let budget = engine.budget(&inputs, &rules, &options).unwrap();
            let charges = || budget.items.iter().flat_map(|item| &item.charges).flatten();
            let sum: u64 = charges().map(|charge| charge.tokens.total).sum();
            let overhead = match requests {
                Requests::Each => 0,
                Requests::One if charges().next().is_none() => 0,
                Requests::One => {
                    let extra = rules.row.request_extra(&rules.key.model);
                    4 + extra.map_or(0, |extra| extra.tokens)
                }
            };
            let totals = &budget.totals;
            assert_eq!(totals.tokens.total, sum + overhead, "{} {requests:?}", rules.row.id);
            let parts = [totals.tokens.image, totals.tokens.video, totals.tokens.audio];
            let rest = totals.tokens.document + totals.tokens.text;
            assert_eq!(parts.iter().sum::<u64>() + rest, totals.tokens.total);
            let weakest = charges().map(|charge| charge.evidence).max();
            assert!(weakest.is_none_or(|weakest| totals.evidence >= Some(weakest)));
        }
    }
}

/// Facts that a budget printed, read back with `--facts`, cost the same.
#[test]
fn printed_facts_cost_what_the_files_cost() {
    let folder = mediaprep_tests::fixtures();
    for model in ["gemini-3.5-flash", "gemini-2.5-flash", "gemini-2.0-flash"] {
        let arguments =
            ["budget", "--format", "ndjson", "--model", model, "--no-ignore", "--quiet"];
        let mut from_files: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
        from_files.push(folder.clone());
        let printed = mediaprep(&from_files).data;
        let mut lines: Vec<&str> = printed.lines().collect();
        let totals: serde_json::Value = serde_json::from_str(lines.pop().unwrap()).unwrap();
        let items = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        let kept: Vec<serde_json::Value> =
            items.filter(|item: &serde_json::Value| item["error"].is_null()).collect();
        assert!(kept.len() > 100, "{} items; totals {totals}", kept.len());
        let file = tempfile::NamedTempFile::new().unwrap();
        let text: Vec<String> = kept.iter().map(ToString::to_string).collect();
        std::fs::write(file.path(), text.join("\n")).unwrap();
        let again = mediaprep(&[
            "budget".as_ref(),
            "--format=ndjson".as_ref(),
            "--quiet".as_ref(),
            "--model".as_ref(),
            model.as_ref(),
            "--facts".as_ref(),
            file.path().as_os_str(),
        ]);
        for (before, after) in kept.iter().zip(again.data.lines()) {
            let after: serde_json::Value = serde_json::from_str(after).unwrap();
            assert_eq!(before["tokens"], after["tokens"], "{model}: {before} and {after}");
        }
    }
}

/// Ways of bringing media into shape.
fn shapes() -> Vec<PrepareOptions> {
    let images = |form, max_side| ImageOptions { form, max_side, ..ImageOptions::default() };
    let pdf = |form| PdfOptions { form, ..PdfOptions::default() };
    let video = |form| VideoOptions { form, ..VideoOptions::default() };
    let speech = AudioOptions { profile: Some(AudioProfile::Speech), segment: None };
    let film = cfg!(feature = "ffmpeg");
    let (frames, proxy) = match film {
        true => (VideoForm::Frames, VideoForm::Proxy),
        false => (VideoForm::Auto, VideoForm::Auto),
    };
    vec![
        PrepareOptions::default(),
        PrepareOptions {
            images: images(ImageForm::Tiles, None),
            pdf: pdf(PdfForm::Pages),
            video: video(frames),
            labels: true,
            ..PrepareOptions::default()
        },
        PrepareOptions {
            images: images(ImageForm::Whole, Some(700)),
            pdf: pdf(PdfForm::Split),
            video: video(proxy),
            audio: speech,
            ..PrepareOptions::default()
        },
    ]
}

/// What is planned, what is made, and a budget of what was made are one number.
#[test]
fn what_is_made_is_budgeted_as_it_was_planned() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let mut names = vec![
        "images/screenshot-1080p.png",
        "images/jpeg-exif-6.jpg",
        "audio/tone-s16.wav",
        "pdf/a4.pdf",
    ];
    if cfg!(feature = "ffmpeg") {
        names.extend(["video/rotate-90.mp4", "video/b-frames.mp4"]);
    }
    let inputs: Vec<_> = names.iter().map(|name| Input::path(fixtures().join(name))).collect();
    let (mut checked, mut seen) = (0, BTreeSet::new());
    for rules in rule_sets(&book) {
        let options = PlanOptions::default();
        // Models of one row make the same parts.
        if !seen.insert(rules.row.id.clone())
            || Planner::new(&rules, &options).check_options().is_err()
        {
            continue;
        }
        for shape in shapes() {
            let plan = engine.plan(&inputs, &rules, &options, &shape).unwrap();
            if plan.items.iter().any(|item| item.planned.is_err()) {
                continue;
            }
            let planned = plan.count().totals.tokens;
            let payloads = engine.prepare(plan).unwrap().into_iter().map(Result::unwrap);
            let made: Vec<Part> = payloads.flat_map(|payload| payload.parts).collect();
            let bytes = made.iter().filter_map(|part| match &part.data {
                PartData::InlineData(blob) => Some(&blob.data),
                _ => None,
            });
            let parts: Vec<_> = (0..)
                .zip(bytes)
                .map(|(at, data)| {
                    Input::bytes(format!("part {at}"), data.read_all().unwrap().to_vec())
                })
                .collect();
            let budget = engine.budget(&parts, &rules, &options).unwrap();
            let found = budget.totals.tokens;
            let what = format!("{} {shape:?}", rules.key.model);
            // Labels and times are between the parts.
            let media = |split: TokenSplit| split.total - split.text;
            assert_eq!(media(planned), media(found), "{what}");
            assert_eq!((planned.image, planned.audio), (found.image, found.audio), "{what}");
            checked += 1;
        }
    }
    assert!(checked >= 30, "{checked}");
}
