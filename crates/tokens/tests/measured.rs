//! Replays real token counts that the service reported, when they lie beside the repository.
//!
//! Every point must come out exactly, whatever its evidence; a point that does not is listed in
//! [`KNOWN_MISSES`] with the reason, and a listed point that does come out is an error too.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed unwrap is a failed test, and the tally is for the reader"
)]

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use mediaprep_media::{Dimensions, Duration, FrameRate, MediaResolution, Modality};
use mediaprep_tokens::{
    AudioFacts, Clip, Date, DocumentFacts, Evidence, ImageFacts, ItemFacts, MediaFacts, Meter,
    PageBox, PageRun, RequestCount, RequestedLevel, Route, RuleBook, RuleKey, Service, VideoFacts,
    parse_request,
};

/// Points that a rule does not reproduce, and why.
const KNOWN_MISSES: &[(&str, &str)] = &[
    ("d056", "one day's countTokens gave 83 528 for the sound that is 83 520 on others"),
    ("d066", "nominal length: FLAC of 120 s is 3841, WAV of the same is 3840"),
    ("d067", "nominal length: AAC of 120 s is 3841, WAV of the same is 3840"),
    ("d071", "a silent clip with an edit list, billed one frame and one token less"),
    ("d080", "nominal length: 6000 holds for any length just below the 60 s stated"),
];

/// Rows of `dims.csv` that no rule can be asked about.
const NOT_ASKED: &[(&str, &str)] = &[("d081", "behind a proxy, service and date unknown")];

/// Sizes that `dims.csv` does not state, by what its `basis` says of them.
const ASSUMED_SIZES: &[(&str, &str)] = &[
    ("d044", "page 612x792"),
    ("d045", "page 612x792"),
    ("d051", "page 595x842"),
    ("d052", "page 595x842"),
    ("d074", "video 640x480"),
    ("d075", "video 640x480"),
    ("d078", "video 640x480"),
    ("d080", "video 640x480"),
    ("d083", "video 1920x1080"),
];

type Record = HashMap<String, String>;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/measured"))
}

/// The records of a file, or `None` with a note when the folder is not there.
fn records(file: &str) -> Option<Vec<Record>> {
    let Ok(mut reader) = csv::Reader::from_path(folder().join(file)) else {
        println!("skipped: the measured counts are not beside the repository");
        return None;
    };
    Some(reader.deserialize().map(|record| record.unwrap()).collect())
}

fn field<'a>(record: &'a Record, name: &str) -> &'a str {
    record.get(name).unwrap_or_else(|| panic!("no column {name}"))
}

fn number(record: &Record, name: &str) -> u64 {
    match field(record, name) {
        "" => 0,
        text => text.parse().unwrap(),
    }
}

/// How many points came out, and what did not.
#[derive(Default)]
struct Tally {
    matched: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
    missed: Vec<String>,
}

impl Tally {
    fn take(&mut self, id: &str, matches: bool, evidence: Evidence, details: String) {
        let known = KNOWN_MISSES.iter().any(|(miss, _)| *miss == id);
        match (matches, known) {
            (true, false) => *self.matched.entry(evidence.as_str()).or_default() += 1,
            (false, true) => self.missed.push(id.to_owned()),
            (true, true) => self.wrong.push(format!("{id} is listed as a miss but matches")),
            (false, false) => self.wrong.push(format!("{id} ({}): {details}", evidence.as_str())),
        }
    }

    fn finish(self, file: &str) {
        println!("{file}: matched {:?}, known misses {:?}", self.matched, self.missed);
        assert!(self.wrong.is_empty(), "{}:\n{}", file, self.wrong.join("\n"));
        assert!(self.matched.values().sum::<usize>() > 0, "no points were found in {file}");
        assert!(self.matched.contains_key("measured"), "no point of {file} claims to be measured");
    }
}

#[test]
fn recorded_requests_come_out() {
    let (Some(points), Some(media), Some(cases)) =
        (records("points.csv"), records("media.csv"), records("cases.csv"))
    else {
        return;
    };
    let book = RuleBook::builtin();
    let media: HashMap<&str, &Record> =
        media.iter().map(|record| (field(record, "media"), record)).collect();
    let cases: HashMap<&str, &Record> =
        cases.iter().map(|record| (field(record, "case_id"), record)).collect();
    let mut tally = Tally::default();
    for point in &points {
        let id = field(point, "example");
        let items = point_items(point, &media);
        for day in ["first", "last"] {
            let key = point_key(point, field(point, day).parse().unwrap());
            let found = book.find(&key).unwrap_or_else(|error| panic!("{id}: {error}"));
            let count = found.row.count(&items, &key.model);
            let evidence = media_evidence(&count);
            let details = format!("{} {}: {count:?} for {point:?}", key.model, found.row.id);
            let matches = if field(point, "method") == "batchEmbedContents" {
                let case = cases[id];
                if number(case, "text_chars") > 0 {
                    continue;
                }
                media_tokens(&count) == number(case, "total_prompt_tokens")
            } else {
                [Modality::Image, Modality::Video, Modality::Audio, Modality::Document]
                    .into_iter()
                    .all(|modality| {
                        let column = format!("{}_tokens", modality.as_str());
                        reported(&count, modality) == number(point, &column)
                    })
            };
            tally.take(id, matches, evidence, details);
        }
    }
    tally.finish("points.csv (twice: first and last day)");
}

fn point_key(point: &Record, date: Date) -> RuleKey {
    let name = field(point, "model");
    let model = if name.ends_with("-latest") { field(point, "model_version") } else { name };
    RuleKey { model: model.to_owned(), service: service(point), meter: Meter::Billed, date }
}

fn service(record: &Record) -> Service {
    match field(record, "endpoint") {
        "developer-api" => Service::DeveloperApi,
        "vertex" => Service::Vertex,
        other => panic!("unknown endpoint {other}"),
    }
}

fn point_items(point: &Record, media: &HashMap<&str, &Record>) -> Vec<ItemFacts> {
    let names = field(point, "media").split(';');
    let places = field(point, "where").split(';');
    let routes = field(point, "routes").split(';');
    let options = field(point, "part_options").split(';');
    assert_eq!(field(point, "request_media_resolution"), "");
    names
        .zip(places)
        .zip(routes)
        .zip(options)
        .map(|(((name, place), route), options)| ItemFacts {
            media: facts(media[name], options),
            level: None,
            route: match route {
                "inline" => Route::Inline,
                "files-api" => Route::File,
                "uri" => Route::Uri,
                other => panic!("unknown route {other}"),
            },
            in_function_response: place == "functionResponse",
        })
        .collect()
}

/// The facts of a file of `media.csv`.
fn facts(file: &Record, options: &str) -> MediaFacts {
    let seconds = |name: &str| Duration::from_decimal(field(file, name));
    let fps = options.strip_prefix("fps=").map(|fps| FrameRate::from_decimal(fps).unwrap());
    assert!(options == "-" || fps.is_some(), "unknown part option {options}");
    let size = || {
        let side = |name: &str| u32::try_from(number(file, name)).unwrap();
        Dimensions::new(side("width"), side("height")).unwrap()
    };
    match field(file, "kind") {
        "image" => MediaFacts::Image(ImageFacts { size: size(), copies: 1 }),
        "pdf" => document(field(file, "page_box_pt"), number(file, "pages")),
        "audio" => MediaFacts::Audio(AudioFacts {
            container: seconds("container_duration_s"),
            decoded: seconds("decoded_duration_s"),
        }),
        "video" => {
            let rate = FrameRate::from_decimal(field(file, "fps")).unwrap();
            MediaFacts::Video(VideoFacts {
                size: size(),
                container: seconds("container_duration_s"),
                track: seconds("video_duration_s"),
                frame_span: Duration::of_frames(number(file, "frames"), rate),
                audio: seconds("audio_duration_s"),
                fps,
                clip: Clip::default(),
            })
        }
        other => panic!("unknown kind {other}"),
    }
}

fn document(box_in_points: &str, pages: u64) -> MediaFacts {
    let (width, height) = box_in_points.split_once('x').unwrap();
    let side = |points: &str| points.parse::<u32>().unwrap() * 1000;
    let size = PageBox { width: side(width), height: side(height) };
    MediaFacts::Document(DocumentFacts { runs: vec![PageRun { size, pages }] })
}

/// Tokens of a request filed under a modality.
fn reported(count: &RequestCount, modality: Modality) -> u64 {
    let items = count.items.iter().map(|item| item.as_ref().unwrap());
    items
        .flat_map(|item| [Some(item.media), item.soundtrack])
        .flatten()
        .filter(|part| part.reported_as == modality)
        .map(|part| part.tokens)
        .sum()
}

fn media_tokens(count: &RequestCount) -> u64 {
    count.items.iter().map(|item| item.as_ref().unwrap().tokens()).sum()
}

fn media_evidence(count: &RequestCount) -> Evidence {
    let items = count.items.iter().map(|item| item.as_ref().unwrap().evidence());
    items.max().unwrap()
}

#[test]
fn published_measurements_come_out() {
    let Some(rows) = records("dims.csv") else { return };
    let book = RuleBook::builtin();
    let mut tally = Tally::default();
    for record in &rows {
        let id = field(record, "dim_id");
        if NOT_ASKED.iter().any(|(other, _)| *other == id) {
            continue;
        }
        let key = dim_key(record);
        let found = book.find(&key).unwrap_or_else(|error| panic!("{id}: {error}"));
        let count = found.row.count(&dim_items(record), &key.model);
        let (wanted, got) = dim_tokens(record, &count);
        let details = format!("{} {}: wanted {wanted}, got {count:?}", key.model, found.row.id);
        tally.take(id, wanted == got, media_evidence(&count), details);
    }
    tally.finish("dims.csv");
}

fn dim_key(record: &Record) -> RuleKey {
    let model = match field(record, "model") {
        "gemini-3 (not named)" => "gemini-3.5-flash-lite",
        "gemini-1.5-pro (preview)" => "gemini-1.5-pro-latest",
        name => name,
    };
    let meter = match field(record, "method") {
        "countTokens" => Meter::CountTokens,
        "generateContent" => Meter::Billed,
        other => panic!("unknown method {other}"),
    };
    RuleKey { model: model.to_owned(), service: service(record), meter, date: dim_date(record) }
}

/// A date given to the month or the year is taken late in it.
fn dim_date(record: &Record) -> Date {
    let text = field(record, "recorded");
    let full = match text.len() {
        4 => format!("{text}-06-28"),
        7 => format!("{text}-28"),
        _ => text.to_owned(),
    };
    full.parse().unwrap()
}

fn dim_items(record: &Record) -> Vec<ItemFacts> {
    let id = field(record, "dim_id");
    let assumed = ASSUMED_SIZES.iter().find(|(other, _)| *other == id).map(|(_, start)| *start);
    let length = field(record, "duration_s");
    let mut text = match (assumed, field(record, "kind")) {
        (Some(start), _) => start.to_owned(),
        (None, "pdf") => format!("page {}", field(record, "page_box_pt")),
        (None, "audio") => format!("audio container={length} decoded={length}"),
        (None, kind) => {
            format!("{kind} {}x{}", field(record, "width"), field(record, "height"))
        }
    };
    match field(record, "kind") {
        "pdf" => text += &format!(" x{}", field(record, "pages")),
        "video" => {
            let audio = if field(record, "has_audio") == "yes" { length } else { "none" };
            text += &format!(" container={length} track={length} audio={audio} route=uri");
        }
        _ => {}
    }
    if !field(record, "fps").is_empty() {
        text += &format!(" fps={}", field(record, "fps"));
    }
    let mut items = parse_request(&text).unwrap();
    items[0].level = level(field(record, "media_resolution"));
    // Only the YouTube clip went by address; the others were sent inline.
    if id != "d083" {
        items[0].route = Route::Inline;
    }
    assert_eq!(number(record, "count"), 1);
    items
}

fn level(name: &str) -> Option<RequestedLevel> {
    let level = match name {
        "" => return None,
        "LOW" => MediaResolution::Low,
        "MEDIUM" => MediaResolution::Medium,
        "HIGH" => MediaResolution::High,
        other => panic!("unknown level {other}"),
    };
    Some(RequestedLevel { level, per_part: false })
}

/// What was reported and what the rule says, both for the media alone. Where only a total is
/// reported it holds the request extra as well, and `plus_one` says that a figure does.
fn dim_tokens(record: &Record, count: &RequestCount) -> (u64, u64) {
    let columns = ["image_tokens", "video_tokens", "audio_tokens", "document_tokens"];
    let split: u64 = columns.iter().map(|column| number(record, column)).sum();
    let extra = count.request_extra.map_or(0, |extra| extra.tokens);
    if split > 0 {
        let plus_one = u64::from(field(record, "plus_one") == "yes");
        (split - plus_one, media_tokens(count))
    } else {
        (number(record, "total_tokens"), media_tokens(count) + extra)
    }
}
