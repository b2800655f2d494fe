use mediaprep_media::{Dimensions, Duration};
use mediaprep_tokens::{Cost, Date, Meter, RuleBook, Service};
use proptest::prelude::*;

use super::*;
use crate::{ErrorKind, MediaInfo, RuleRequest, VideoLengths};

fn probed(name: &str, info: MediaInfo) -> Probed {
    Probed {
        name: name.to_owned(),
        mime_type: None,
        bytes: Some(100_000),
        bytes_read: 0,
        info,
        warnings: Vec::new(),
    }
}

fn image(name: &str, width: u32, height: u32) -> Probed {
    probed(name, MediaInfo::image(Dimensions::new(width, height).unwrap()))
}

fn document(name: &str, pages: u64) -> Probed {
    probed(name, MediaInfo::document([(612_000, 792_000, pages)]).unwrap())
}

fn video(name: &str, seconds: u64) -> Probed {
    let length = Some(Duration::from_seconds(seconds));
    let lengths = VideoLengths {
        container: length,
        track: length,
        audio: length,
        has_audio: true,
        ..VideoLengths::default()
    };
    probed(name, MediaInfo::video(Dimensions::new(1920, 1080).unwrap(), lengths))
}

fn sound(name: &str, seconds: u64) -> Probed {
    let length = Some(Duration::from_seconds(seconds));
    probed(name, MediaInfo::sound(length, length))
}

fn date() -> Date {
    "2026-11-21".parse().unwrap()
}

fn with_rules<T>(model: &str, on: &str, work: impl FnOnce(&RuleSet<'_>) -> T) -> T {
    let book = RuleBook::builtin();
    let request = RuleRequest::billed(model, on.parse().unwrap());
    work(&RuleSet::find(&book, &request).unwrap())
}

fn tokens(max_tokens: u64) -> FitOptions {
    FitOptions { max_tokens: Some(max_tokens), ..FitOptions::default() }
}

fn dollars(micros: u128) -> FitOptions {
    FitOptions { max_cost: Some(Cost(micros * 1_000_000)), ..FitOptions::default() }
}

fn fitted(model: &str, items: &[Probed], options: &FitOptions) -> Fit {
    with_rules(model, "2026-04-01", |rules| {
        fit_facts(items, rules, &PlanOptions::default(), options).unwrap()
    })
}

fn given_up(item: &FitItem) -> Vec<String> {
    let words = |what: &GivenUp| format!("{} {} {}", what.what.as_str(), what.from, what.to);
    item.given_up.iter().map(words).collect()
}

#[test]
fn what_fits_is_left_alone() {
    let fit = fitted("gemini-2.0-flash", &[image("a", 3008, 2000)], &tokens(3354));
    assert!(fit.fits && fit.loss == 0 && fit.gap == 0 && fit.tokens == 3354);
    assert!(fit.items[0].options.is_default() && fit.items[0].given_up.is_empty());
}

#[test]
fn tiles_fall_away_one_step_at_a_time() {
    let one = |most| fitted("gemini-2.0-flash", &[image("a", 3008, 2000)], &tokens(most));
    // 4 × 3 tiles and the overview; 4 × 2, then 3 × 2 and the overview keep most of the detail.
    let fit = one(3353);
    assert!(fit.fits);
    assert_eq!((fit.tokens, fit.gap), (9 * 258, 0));
    assert_eq!(given_up(&fit.items[0]), ["image-size 3008x2000 2311x1536"]);
    assert_eq!(fit.loss, 1_000_000 - 768_284);
    assert_eq!(given_up(&one(2000).items[0]), ["image-size 3008x2000 2304x1531"]);
    // So few pixels show less than a level of the whole request with as many tokens.
    assert_eq!(one(300).media_resolution, Some(MediaResolution::Medium));
    let sizes = FitOptions { levers: Levers::only(&[Lever::ImageSize]), ..tokens(300) };
    let small = fitted("gemini-2.0-flash", &[image("a", 3008, 2000)], &sizes);
    assert_eq!((small.tokens, small.fits), (258, true));
    assert_eq!(given_up(&small.items[0]), ["image-size 3008x2000 384x255"]);
    let low = one(100);
    assert_eq!((low.tokens, low.media_resolution), (64, Some(MediaResolution::Low)));
    assert_eq!(given_up(&low.items[0]), ["media-resolution default low"]);
    assert_eq!(low.loss, 1_000_000 - 138_136);
    let none = one(63);
    assert!(!none.fits);
    assert_eq!((none.tokens, none.missing), (64, 1));
}

#[test]
fn several_images_have_no_tiles_to_lose() {
    let items = [image("a", 3008, 2000), image("b", 540, 360)];
    let fit = fitted("gemini-2.0-flash", &items, &tokens(515));
    assert_eq!((fit.tokens_before, fit.tokens), (516, 512));
    assert_eq!(fit.media_resolution, Some(MediaResolution::Medium));
}

#[test]
fn a_level_of_the_whole_request_never_makes_a_file_dearer() {
    // On 2.5 an image at HIGH may cost 2048 and a page then costs 2 less than by default.
    let items = [image("a", 1024, 1024), document("b", 100), video("c", 600)];
    let fit = fitted("gemini-2.5-flash", &items, &tokens(26_058));
    assert_ne!(fit.media_resolution, Some(MediaResolution::High));
    assert!(fit.fits);
    for item in &fit.items {
        assert!(item.tokens <= item.tokens_before, "{item:?}");
    }
    // The video goes first: frames at a lower rate look like those that are left.
    assert!(given_up(&fit.items[2]).iter().any(|line| line.starts_with("fps 1 ")), "{fit:?}");
}

#[test]
fn a_film_loses_frames_before_anything_else() {
    let fit = fitted("gemini-2.5-flash", &[video("film", 600)], &tokens(120_000));
    // 600 frames of 263, the sound, and one for the request; every second frame keeps four fifths.
    assert_eq!(fit.tokens_before, 600 * 263 + 19_201 + 1);
    assert_eq!(given_up(&fit.items[0]), ["fps 1 1/2"]);
    assert_eq!(fit.tokens, 300 * 263 + 19_201 + 1);
    assert_eq!(fit.loss, 1_000_000 - 793_700);
}

#[test]
fn levels_stand_at_single_parts_from_gemini_3_on() {
    let items = [image("a", 1920, 1080), image("b", 1920, 1080), document("c", 10)];
    let fit = fitted("gemini-3-flash-preview", &items, &tokens(6000));
    assert_eq!(fit.tokens_before, 1100 + 1100 + 5200 + 1);
    assert!(fit.fits && fit.media_resolution.is_none() && fit.gap == 0);
    assert_eq!(given_up(&fit.items[2]), ["media-resolution default low"]);
    assert!(fit.items[0].options.is_default() && fit.items[1].options.is_default());
    // The picture's size plays no part.
    let all = fitted("gemini-3-flash-preview", &items, &tokens(1));
    assert!(all.items.iter().all(|item| item.options.longest_side.is_none()));
    assert_eq!(all.tokens, 264 + 264 + 2660 + 1);
    assert_eq!((all.fits, all.missing), (false, 3188));
}

#[test]
fn what_is_kept_is_not_touched() {
    let items = [image("keep/a", 1920, 1080), image("b", 1920, 1080)];
    let keep = vec![PathPattern::new(|name| name.starts_with("keep/"))];
    let options = FitOptions { keep, ..tokens(1500) };
    let fit = fitted("gemini-3-flash-preview", &items, &options);
    assert!(fit.fits && fit.items[0].options.is_default());
    assert_eq!(fit.items[0].tokens, 1100);
    // Before Gemini 3 a level goes for all: it is not chosen while anything is kept.
    let none = fitted("gemini-2.5-flash", &items, &FitOptions { max_tokens: Some(400), ..options });
    assert!(!none.fits && none.media_resolution.is_none());
    assert!(none.advice.contains(&Advice::KeepFewer { tokens: 258 }));
}

#[test]
fn what_matters_more_loses_less() {
    let items = [image("a", 1920, 1080), image("b", 1920, 1080)];
    let important = |name: &'static str| FitOptions {
        path_weights: vec![(PathPattern::new(move |given| given == name), 1000)],
        ..tokens(1500)
    };
    for (name, kept, lost) in [("a", 0, 1), ("b", 1, 0)] {
        let fit = fitted("gemini-3-flash-preview", &items, &important(name));
        assert_eq!((fit.items[kept].loss, fit.items[lost].tokens), (0, 264));
    }
    let weights = Weights { image: 0, ..Weights::default() };
    let fit = fitted("gemini-3-flash-preview", &items, &FitOptions { weights, ..tokens(600) });
    assert!(fit.fits && fit.loss == 0 && fit.items[0].loss > 0);
}

#[test]
fn content_is_cut_only_where_that_is_allowed() {
    let items = [sound("talk", 3600), document("book", 200)];
    let fit = fitted("gemini-3-flash-preview", &items, &tokens(100_000));
    assert!(!fit.fits);
    let allows = |lever| {
        fit.advice
            .iter()
            .any(|advice| matches!(advice, Advice::Allow { lever: l, .. } if *l == lever))
    };
    assert!(allows(Lever::Clip) && allows(Lever::Pages) && !allows(Lever::Fps));
    assert!(fit.advice.contains(&Advice::SplitRequests { requests: 2 }));
    let levers = Levers::default().with(Lever::Clip, true);
    let cut = fitted("gemini-3-flash-preview", &items, &FitOptions { levers, ..tokens(100_000) });
    assert!(cut.fits && cut.tokens <= 100_000);
    assert!(given_up(&cut.items[0])[0].starts_with("clip to 3600.000 s to "), "{cut:?}");
    let levers = Levers::only(&[Lever::Pages]);
    let short =
        fitted("gemini-3-flash-preview", &items[1..], &FitOptions { levers, ..tokens(60_000) });
    assert_eq!(given_up(&short.items[0]), ["pages 200 100"]);
    assert_eq!(short.tokens, 52_001);
}

#[test]
fn the_only_page_of_a_request_costs_what_a_lone_page_costs() {
    // Two pages are 516; one alone is cut into tiles, and dearer.
    let levers = Levers::only(&[Lever::Pages]);
    let fit =
        fitted("gemini-2.0-flash", &[document("a", 2)], &FitOptions { levers, ..tokens(515) });
    assert!(!fit.fits && fit.items[0].options.is_default());
    let twenty = FitOptions { levers, ..tokens(1300) };
    let fit = fitted("gemini-2.0-flash", &[document("a", 20)], &twenty);
    assert_eq!((fit.tokens, fit.fits), (5 * 258, true));
}

#[test]
fn a_budget_of_money_weighs_sound_by_its_price() {
    let fit = fitted("gemini-2.5-flash", &[video("film", 600)], &dollars(40_000));
    // Frames 158 063 × 0.30 and sound 19 201 × 1.00 per million are $0.0666.
    assert!(fit.fits && fit.cost.unwrap() <= Cost(40_000_000_000));
    assert!(fit.cost_before.unwrap() > Cost(66_000_000_000));
    let both = FitOptions { max_tokens: Some(60_000), ..dollars(40_000) };
    let both = fitted("gemini-2.5-flash", &[video("film", 600)], &both);
    assert!(both.fits && both.tokens <= 60_000 && both.loss >= fit.loss);
}

#[test]
fn a_price_tier_is_crossed_where_that_is_cheaper() {
    let items: Vec<_> = (0..4).map(|at| document(&format!("{at}"), 250)).collect();
    // 258 001 tokens at $2.50 are $0.645; within 200 000 at $1.25 they are at most $0.25.
    let fit = fitted("gemini-2.5-pro", &items, &dollars(300_000));
    assert!(fit.fits && fit.cost.unwrap() <= Cost(300_000_000_000), "{:?}", fit.cost);
    // 256 a page at MEDIUM are still above the tier; only LOW is below it.
    assert_eq!(fit.media_resolution, Some(MediaResolution::Low));
    let medium = fitted("gemini-2.5-pro", &items, &dollars(641_000));
    assert_eq!(medium.media_resolution, Some(MediaResolution::Medium));
    assert_eq!(medium.cost, Some(Cost(256_001 * 2_500_000)));
}

#[test]
fn items_that_fail_are_reported_and_left_out() {
    let mut unknown = video("no-length", 10);
    let size = Dimensions::new(10, 10).unwrap();
    unknown.info = MediaInfo::video(size, VideoLengths::default());
    let items = [unknown, image("a", 1920, 1080)];
    let fit = fitted("gemini-3-flash-preview", &items, &tokens(600));
    assert!(fit.fits && fit.totals.failed == 1);
    assert_eq!(fit.items[0].failure.as_ref().unwrap().kind, ErrorKind::Malformed);
    assert_eq!(fit.items[1].tokens, 527);
}

#[test]
fn options_that_mean_nothing_are_refused() {
    with_rules("gemini-3.6-flash", "2026-11-21", |rules| {
        let refused = |options: &FitOptions| {
            fit_facts(&[], rules, &PlanOptions::default(), options).unwrap_err().kind()
        };
        assert_eq!(refused(&FitOptions::default()), ErrorKind::InvalidOption);
        let weights = Weights { audio: 10_001, ..Weights::default() };
        assert_eq!(refused(&FitOptions { weights, ..tokens(1) }), ErrorKind::InvalidOption);
        let path_weights = vec![(PathPattern::new(|_| true), 10_001)];
        assert_eq!(refused(&FitOptions { path_weights, ..tokens(1) }), ErrorKind::InvalidOption);
        assert!(fit_facts(&[], rules, &PlanOptions::default(), &tokens(0)).unwrap().fits);
    });
    let unpriced = [image("a", 100, 100)];
    with_rules("gemini-2.0-flash-exp", "2025-01-15", |rules| {
        let request = PlanOptions::default();
        if rules.price().is_none() {
            let error = fit_facts(&unpriced, rules, &request, &dollars(1)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOption);
        }
    });
}

#[test]
fn in_requests_of_their_own_items_have_levels_of_their_own() {
    let request = PlanOptions { requests: Requests::Each, ..PlanOptions::default() };
    let items = [document("a", 10), document("b", 1)];
    let fit = with_rules("gemini-2.5-flash", "2026-11-21", |rules| {
        fit_facts(&items, rules, &request, &tokens(900)).unwrap()
    });
    assert!(fit.fits && fit.media_resolution.is_none());
    assert_eq!(fit.items[0].options.media_resolution, Some(MediaResolution::Low));
    assert!(fit.items[1].options.is_default());
    // Each request's own token is counted with its item.
    assert_eq!((fit.tokens, fit.items[0].tokens), (641 + 259, 641));
}

#[test]
fn inputs_are_probed_and_fitted() {
    let png = include_bytes!("../../../../fixtures/images/screenshot-1080p.png").to_vec();
    let inputs = [Input::bytes("a.png", png), Input::bytes("b", b"no media".to_vec())];
    let engine = Engine::builder().build().unwrap();
    let fit = with_rules("gemini-3-flash-preview", "2026-11-21", |rules| {
        engine.fit(&inputs, rules, &PlanOptions::default(), &tokens(600)).unwrap()
    });
    assert_eq!((fit.items[0].tokens, fit.fits), (527, true));
    assert_eq!(fit.items[1].failure.as_ref().unwrap().code, "not_media");
}

fn any_item() -> impl Strategy<Value = Probed> {
    prop_oneof![
        (1u32..5000, 1u32..5000).prop_map(|(w, h)| image("image", w, h)),
        (1u64..300).prop_map(|pages| document("document", pages)),
        (1u64..4000).prop_map(|seconds| video("video", seconds)),
        (1u64..4000).prop_map(|seconds| sound("sound", seconds)),
    ]
}

/// Every service and meter that has a rule for a model of each family.
fn any_rules() -> impl Strategy<Value = RuleRequest> {
    let models =
        ["gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-flash-preview"];
    let models = prop::sample::select(models.to_vec());
    let service = prop::sample::select(vec![Service::DeveloperApi, Service::Vertex]);
    let meter = prop::sample::select(vec![Meter::Billed, Meter::CountTokens, Meter::Documented]);
    (models, service, meter).prop_map(|(model, service, meter)| RuleRequest {
        model: model.to_owned(),
        service,
        meter,
        date: date(),
    })
}

fn any_request() -> impl Strategy<Value = PlanOptions> {
    let requests = prop_oneof![Just(Requests::One), Just(Requests::Each)];
    (requests, any::<bool>()).prop_map(|(requests, prompt)| PlanOptions {
        requests,
        prompt: prompt.then(|| "What is this?".to_owned()),
        ..PlanOptions::default()
    })
}

fn any_levers() -> impl Strategy<Value = Levers> {
    prop::collection::vec(any::<bool>(), Lever::ALL.len()).prop_map(|allowed| {
        let levers = Lever::ALL.into_iter().zip(allowed);
        let levers: Vec<_> =
            levers.filter(|(_, allowed)| *allowed).map(|(lever, _)| lever).collect();
        Levers::only(&levers)
    })
}

/// The whole request of a fit, counted by the engine from what the fit says alone.
fn counted(fit: &Fit, items: &[Probed], rules: &RuleSet<'_>, request: &PlanOptions) -> Totals {
    let media_resolution = fit.media_resolution.or(request.media_resolution);
    let request = PlanOptions { media_resolution, ..request.clone() };
    let found: Vec<_> = items.iter().map(Ok).collect();
    let options = FitOptions::default();
    let own: Vec<_> = fit.items.iter().map(|item| item.options.clone()).collect();
    Fitting {
        rules,
        request: &request,
        options: &options,
        found: &found,
        shape: &AsIs,
        routes: Vec::new(),
    }
    .count(&request, &own)
    .totals
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_fit_is_what_the_engine_counts(
        items in prop::collection::vec(any_item(), 1..6),
        rules in any_rules(),
        request in any_request(),
        levers in any_levers(),
        budgets in (1u64..100, 1u64..100),
        kind in 0..3,
    ) {
        let book = RuleBook::builtin();
        let Ok(rules) = RuleSet::find(&book, &rules) else { return Ok(()) };
        let everything = fit_facts(&items, &rules, &request, &tokens(u64::MAX)).unwrap();
        let mut last: Option<Fit> = None;
        for percent in [budgets.0.min(budgets.1), budgets.0.max(budgets.1), 100] {
            let most = everything.tokens_before * percent / 100;
            let cost = everything.cost_before.map(|cost| Cost(cost.0 * u128::from(percent) / 100));
            let options = FitOptions {
                max_tokens: (kind != 1 || cost.is_none()).then_some(most),
                max_cost: cost.filter(|_| kind > 0),
                ..FitOptions::default()
            };
            let options = FitOptions { levers, ..options };
            let fit = fit_facts(&items, &rules, &request, &options).unwrap();
            let totals = counted(&fit, &items, &rules, &request);
            prop_assert_eq!(totals.tokens.total, fit.tokens);
            prop_assert_eq!(totals.cost, fit.cost);
            prop_assert_eq!(fit.fits, options.max_tokens.is_none_or(|most| fit.tokens <= most)
                && options.max_cost.is_none_or(|most| fit.cost.unwrap() <= most));
            prop_assert!(fit.gap == 0 || kind == 2, "few items are solved exactly");
            let sum = |tokens: fn(&FitItem) -> u64| fit.items.iter().map(tokens).sum::<u64>();
            prop_assert_eq!(
                fit.tokens_before - sum(|item| item.tokens_before),
                fit.tokens - sum(|item| item.tokens)
            );
            for item in &fit.items {
                prop_assert!(item.tokens <= item.tokens_before);
                prop_assert!(item.loss <= 1_000_000);
                prop_assert!(item.given_up.iter().all(|what| levers.allows(what.what)));
            }
            if let Some(before) = last {
                prop_assert!(fit.loss <= before.loss, "{} after {}", fit.loss, before.loss);
                prop_assert!(fit.fits || !before.fits);
            }
            last = Some(fit);
        }
        prop_assert!(last.is_some_and(|fit| fit.fits && fit.loss == 0));
    }

    /// Every combination of every offer, each counted by the engine as a whole request.
    #[test]
    fn nothing_that_fits_loses_less(
        items in prop::collection::vec(any_item(), 1..4),
        rules in any_rules(),
        percent in 1u64..100,
    ) {
        let book = RuleBook::builtin();
        let Ok(rules) = RuleSet::find(&book, &rules) else { return Ok(()) };
        let request = PlanOptions::default();
        let everything = fit_facts(&items, &rules, &request, &tokens(u64::MAX)).unwrap();
        let options = tokens(everything.tokens_before * percent / 100);
        let fit = fit_facts(&items, &rules, &request, &options).unwrap();
        let found: Vec<_> = items.iter().map(Ok).collect();
        let fitting = Fitting { rules: &rules, request: &request, options: &options, found: &found, shape: &AsIs, routes: Vec::new() };
        let entries = fitting.entries(&fitting.count(&request, &[]));
        if entries.len() < items.len() {
            return Ok(());
        }
        let (mut least, mut all) = (None, true);
        for setting in fitting.settings(&entries, options.levers) {
            // At most 24 offers an item keep this to some ten thousand requests.
            let offers: Vec<Vec<Offer>> =
                setting.offers.iter().map(|offers| offers.iter().take(24).cloned().collect()).collect();
            all &= offers.iter().zip(&setting.offers).all(|(some, all)| some.len() == all.len());
            let mut at = vec![0; offers.len()];
            loop {
                let chosen = || at.iter().zip(&offers).map(|(&at, offers)| &offers[at]);
                let own: Vec<_> = chosen().map(|offer| offer.own.clone()).collect();
                let loss: u64 = chosen().map(|offer| 1_000_000 - offer.quality).sum();
                if least.is_none_or(|least| loss < least)
                    && fitting.is_within(&fitting.count(&setting.request, &own).totals)
                {
                    least = Some(loss);
                }
                let next = (0..at.len()).find(|&index| at[index] + 1 < offers[index].len());
                let Some(next) = next else { break };
                at[..next].fill(0);
                at[next] += 1;
            }
        }
        prop_assert!(least.is_none_or(|least| fit.fits && fit.loss <= least));
        if all {
            prop_assert_eq!(least, fit.fits.then_some(fit.loss));
        }
    }
}

#[test]
fn a_hundred_thousand_pictures() {
    let items: Vec<_> =
        (0..100_000u32).map(|at| image("a", 300 + at * 7 % 4000, 200 + at * 13 % 3000)).collect();
    for (model, share) in [("gemini-3-flash-preview", 60), ("gemini-2.0-flash", 99)] {
        let everything = fitted(model, &items, &tokens(u64::MAX));
        let started = std::time::Instant::now();
        let fit = fitted(model, &items, &tokens(everything.tokens_before * share / 100));
        println!("{model}: loss {}, gap {}, {:?}", fit.loss, fit.gap, started.elapsed());
        assert!(fit.fits && fit.gap <= fit.loss / 100);
    }
}
