//! The library as the README calls it: media in, parts with their count out.

use std::sync::{Arc, Mutex};

use mediaprep::media::Watch;
use mediaprep::parts::PartData;
use mediaprep::tokens::RuleBook;
use mediaprep::{
    Engine, ErrorKind, FitOptions, Input, Lever, Levers, ModelEngine, PlanOptions, PrepareOptions,
    Progress, RuleRequest, RuleSet, Work,
};
use mediaprep_tests::fixtures;

const MODEL: &str = "gemini-3.5-flash";

fn engine() -> ModelEngine {
    Engine::for_model(MODEL, "2026-11-21".parse().unwrap()).unwrap()
}

fn fixture(name: &str) -> String {
    fixtures().join(name).to_string_lossy().into_owned()
}

#[test]
fn paths_bytes_and_readers_give_the_same_parts() {
    let path = fixture("images/photo-portrait-8mp.jpg");
    let bytes = std::fs::read(&path).unwrap();
    let reader = Input::reader("photo", bytes.as_slice(), 1 << 30).unwrap();
    let by_path = engine().parts(path.as_str()).unwrap();
    assert_eq!(by_path.totals.tokens.image, 1064);
    for input in [Input::bytes("photo", bytes.clone()), reader] {
        let ready = engine().parts(input).unwrap();
        assert_eq!(ready.parts, by_path.parts);
        assert_eq!(ready.totals.tokens, by_path.totals.tokens);
    }
    let most = bytes.len() as u64 - 1;
    let error = Input::reader("photo", bytes.as_slice(), most).unwrap_err();
    assert_eq!((error.kind(), error.input()), (ErrorKind::LimitExceeded, "photo"));
}

#[test]
fn one_bad_input_does_not_sink_a_list() {
    let good = Input::from(fixture("pdf/object-streams.pdf"));
    let bad = Input::bytes("bad.png", b"no picture at all".to_vec());
    let ready = engine().parts_of([good.clone(), bad.clone(), good]).unwrap();
    assert_eq!(ready.failed.len(), 1);
    assert_eq!(ready.failed[0].input(), "bad.png");
    let media = |data: &PartData| matches!(data, PartData::InlineData(_));
    assert_eq!(ready.parts.iter().filter(|part| media(&part.data)).count(), 2);
    assert_eq!((ready.totals.items, ready.totals.failed), (3, 1));
    assert_eq!(engine().parts(bad).unwrap_err().input(), "bad.png");
    let error = Engine::for_model("gemini-3.5-flesh", "2026-11-21".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRule);
    assert!(error.hint().unwrap().contains(MODEL), "{:?}", error.hint());
}

#[test]
fn lists_are_brought_within_budgets() {
    let list = || [fixture("images/photo-portrait-8mp.jpg"), fixture("pdf/object-streams.pdf")];
    let before = engine().parts_of(list()).unwrap();
    assert!(before.fit.is_none() && before.totals.tokens.total > 11_000);
    let ready = engine().parts_within(list(), 7_000).unwrap();
    assert!(ready.totals.tokens.total <= 7_000);
    let fit = ready.fit.unwrap();
    assert!(fit.items.iter().any(|item| !item.given_up.is_empty()));
    let error = engine().parts_within(list(), 50).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.cause().contains("above the budget"), "{}", error.cause());
    let levers = Levers::only(&[Lever::Pages]);
    let strict = FitOptions { levers, ..FitOptions::from(7_000) };
    let options = PrepareOptions::default();
    assert!(engine().with_options(options).parts_within(list(), strict).is_ok());
}

type Told = (Work, u64, Option<u64>, String);

#[test]
fn an_observer_is_told_of_every_input_in_order() {
    for threads in [1, 3] {
        let told: Arc<Mutex<Vec<Told>>> = Arc::default();
        let tell = Arc::clone(&told);
        let builder = Engine::builder().threads(threads).observer(move |now: &Progress<'_>| {
            tell.lock().unwrap().push((now.work, now.done, now.total, now.name.to_owned()));
        });
        let engine = builder.build().unwrap();
        let book = RuleBook::builtin();
        let date = "2026-11-21".parse().unwrap();
        let rules = RuleSet::find(&book, &RuleRequest::billed(MODEL, date)).unwrap();
        let names = ["images/photo-portrait-8mp.jpg", "audio/minute.opus", "no/such.file"];
        let paths: Vec<String> = names.iter().map(|name| fixture(name)).collect();
        let inputs: Vec<Input> = paths.iter().map(|path| Input::path(path.as_str())).collect();
        let plan = engine
            .plan(&inputs, &rules, &PlanOptions::default(), &PrepareOptions::default())
            .unwrap();
        engine.prepare(plan).unwrap();
        let of = |work| (1..).zip(&paths).map(move |(at, path)| (work, at, Some(3), path.clone()));
        let expected: Vec<Told> = of(Work::Probe).chain(of(Work::Prepare)).collect();
        assert_eq!(*told.lock().unwrap(), expected, "{threads} threads");
    }
}

#[test]
fn work_can_be_stopped_from_elsewhere() {
    let watch = Watch::default();
    let engine = Engine::builder().watch(watch.clone()).build().unwrap();
    let rule = RuleRequest::billed(MODEL, "2026-11-21".parse().unwrap());
    let engine = ModelEngine::new(engine, RuleBook::builtin(), rule).unwrap();
    let path = fixture("audio/minute.opus");
    let audio = mediaprep::AudioOptions { profile: Some(Default::default()), segment: None };
    let options = PrepareOptions { audio, ..PrepareOptions::default() };
    let engine = engine.with_options(options);
    assert!(engine.parts(path.as_str()).is_ok());
    watch.stop();
    assert!(engine.parts(path.as_str()).is_err());
}
