//! The recorded charges of `shared/measured`, from the files themselves: header facts by our own
//! readers, counts by the rule book. (The rule book alone is tested in its own crate.)

use std::collections::HashMap;

use mediaprep::media::FrameRate;
use mediaprep::tokens::{Evidence, ItemFacts, RequestShape, Route, RuleBook, Service};
use mediaprep::{Outcome, PlanOptions, Probed, RuleRequest, RuleSet};
use mediaprep_tests::{probe, shared};
use serde::Deserialize;

#[derive(Deserialize)]
struct Point {
    example: String,
    media: String,
    endpoint: String,
    method: String,
    model: String,
    model_version: String,
    #[serde(rename = "where")]
    place: String,
    routes: String,
    part_options: String,
    image_tokens: Option<u64>,
    video_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    document_tokens: Option<u64>,
    first: String,
}

/// Points that come out otherwise, each with the reason.
const KNOWN: &[(&str, &str)] = &[];

fn facts(probed: &Probed, point: &Point, route: &str, option: &str, place: &str) -> ItemFacts {
    let mut options = PlanOptions::default();
    if let Some(fps) =
        option.split(['|', ',', ' ']).find_map(|part| part.trim().strip_prefix("fps="))
    {
        options.fps = FrameRate::from_decimal(fps);
        assert!(options.fps.is_some(), "{}: {option}", point.example);
    }
    ItemFacts {
        media: probed.info.facts(&options),
        level: None,
        route: match route {
            "inline" => Route::Inline,
            "files-api" => Route::File,
            _ => Route::Uri,
        },
        in_function_response: place == "functionResponse",
    }
}

#[test]
fn recorded_charges_are_reproduced_from_the_files() {
    let Some(folder) = shared("measured") else {
        println!("no recorded charges beside the repository; nothing to compare");
        return;
    };
    let book = RuleBook::builtin();
    let mut probed: HashMap<String, Box<Probed>> = HashMap::new();
    let mut reader = csv::Reader::from_path(folder.join("points.csv")).unwrap();
    let (mut checked, mut right, mut wrong) = (0, 0, Vec::new());
    for point in reader.deserialize::<Point>().map(Result::unwrap) {
        for name in point.media.split(';') {
            if !probed.contains_key(name)
                && let Outcome::Media(facts) = probe(&folder.join("media").join(name))
            {
                probed.insert(name.to_owned(), facts);
            }
        }
        // Embedding requests report no tokens by modality.
        if point.method != "generateContent" {
            continue;
        }
        let Some(found) = charge(&book, &probed, &point) else { continue };
        checked += 1;
        let parts =
            [point.image_tokens, point.video_tokens, point.audio_tokens, point.document_tokens];
        let recorded: u64 = parts.iter().flatten().sum();
        right += usize::from(found.0 == recorded);
        let known = KNOWN.iter().any(|(id, _)| *id == point.example);
        if found.0 != recorded && !known && found.1 == Evidence::Measured {
            let model = &point.model;
            wrong.push(format!(
                "{}: {model} {}: {} not {recorded}",
                point.example, point.media, found.0
            ));
        }
    }
    println!("{right} of {checked} recorded charges reproduced from the files");
    assert!(checked > 100, "only {checked} points could be counted");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Media tokens of a recorded request, and the weakest evidence of its items.
fn charge(
    book: &RuleBook,
    probed: &HashMap<String, Box<Probed>>,
    point: &Point,
) -> Option<(u64, Evidence)> {
    let split = |text: &str| text.split(';').map(str::to_owned).collect::<Vec<_>>();
    let (media, routes) = (split(&point.media), split(&point.routes));
    let (options, places) = (split(&point.part_options), split(&point.place));
    let at = |list: &[String], index: usize| {
        list.get(index).or(list.last()).cloned().unwrap_or_default()
    };
    let mut items = Vec::new();
    for (index, name) in media.iter().enumerate() {
        let (route, option) = (at(&routes, index), at(&options, index));
        items.push(facts(probed.get(name)?, point, &route, &option, &at(&places, index)));
    }
    let model = if point.model.ends_with("-latest") { &point.model_version } else { &point.model };
    let service = if point.endpoint == "vertex" { Service::Vertex } else { Service::DeveloperApi };
    let date = point.first.parse().ok()?;
    let request = RuleRequest { service, ..RuleRequest::billed(model.clone(), date) };
    let rules = RuleSet::find(book, &request).ok().filter(|rules| !rules.fell_back)?;
    let shape = RequestShape::of(&items);
    let count = |item| rules.row.count_item(item, shape, &rules.key.model).ok();
    let counts: Vec<_> = items.iter().map(count).collect::<Option<_>>()?;
    let evidence = counts.iter().map(mediaprep::tokens::ItemCount::evidence).max()?;
    Some((counts.iter().map(mediaprep::tokens::ItemCount::tokens).sum(), evidence))
}
