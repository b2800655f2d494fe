//! Finding rows, the evidence of counts, and what cannot be counted.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mediaprep_media::{Dimensions, MediaResolution, Modality};
use mediaprep_tokens::{
    Bound, CountError, Date, Evidence, ImageFacts, ItemFacts, MediaFacts, Meter, RequestShape,
    RequestedLevel, Route, RuleBook, RuleKey, Service, Stage, parse_request,
};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn key(model: &str, service: Service, meter: Meter, date: &str) -> RuleKey {
    RuleKey { model: model.to_owned(), service, meter, date: day(date) }
}

fn dev(model: &str, date: &str) -> RuleKey {
    key(model, Service::DeveloperApi, Meter::Billed, date)
}

#[test]
fn rows_are_found_by_model_service_meter_and_date() {
    let book = RuleBook::builtin();
    let vertex = |model: &str, date: &str| key(model, Service::Vertex, Meter::Billed, date);
    for (asked, id, fell_back) in [
        (dev("gemini-2.0-flash", "2025-06-01"), "2.0/any/billed/2024-12", false),
        (dev("gemini-2.0-flash", "2025-07-09"), "2.0/any/billed/2024-12", false),
        (dev("gemini-2.0-flash", "2025-07-10"), "2.0/any/billed/2025-07", false),
        (dev("models/gemini-2.0-flash", "2026-11-21"), "2.0/any/billed/2026-01", false),
        (dev("gemini-3.8-flash", "2026-11-21"), "3-late/developer-api/billed", false),
        (vertex("gemini-3-pro-preview", "2026-01-19"), "3-early/vertex/billed", false),
        (dev("gemini-3-pro-preview", "2026-01-19"), "3-early/developer-api/billed/2025-11", false),
        (dev("gemini-3-pro-preview", "2026-01-20"), "3-early/developer-api/billed/2026-01", false),
        (dev("gemini-1.0-pro-vision", "2024-03-01"), "1.0-vision/any/documented", true),
        (vertex("gemini-2.5-pro", "2025-03-26"), "2.5/any/documented", true),
        (dev("gemini-embedding-2", "2026-11-21"), "embedding-2/developer-api/billed", false),
    ] {
        let found = book.find(&asked).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((found.row.id.as_str(), found.fell_back), (id, fell_back), "{asked:?}");
    }
}

#[test]
fn count_tokens_and_documented_never_fall_back() {
    let book = RuleBook::builtin();
    for meter in [Meter::CountTokens, Meter::Documented] {
        assert!(
            book.find(&key("gemini-2.5-flash-image", Service::Vertex, meter, "2026-01-01"))
                .is_err()
        );
    }
    let vertex = key("gemini-2.5-pro", Service::Vertex, Meter::CountTokens, "2026-01-01");
    assert!(book.find(&vertex).is_err());
}

#[test]
fn alternate_rows_are_reached_by_their_id_alone() {
    let book = RuleBook::builtin();
    let alternates: Vec<&str> =
        book.rows().iter().filter(|row| !row.lookup).map(|row| row.id.as_str()).collect();
    assert_eq!(
        alternates,
        [
            "1.5/any/billed/tiled",
            "2.0/any/billed/many-tiled",
            "2.5/any/documented/2048",
            "2.5/any/documented/unclamped",
            "2.5/vertex/billed/many-tiled",
            "3/any/documented/tiles",
        ]
    );
    assert!(alternates.iter().all(|id| book.row(id).is_some()));
}

#[test]
fn an_unknown_model_is_an_error_with_the_nearest_names() {
    let book = RuleBook::builtin();
    let error = book.find(&dev("gemini-3.5-flsh", "2026-11-21")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no rule for model `gemini-3.5-flsh` on developer-api by the billed meter on 2026-11-21"
    );
    assert_eq!(error.nearest[0], "gemini-3.5-flash");
    assert!(error.hint.contains("gemini-3.5-flash"), "{}", error.hint);
    assert!(book.find(&dev("gpt-5", "2026-11-21")).unwrap_err().nearest.is_empty());
    for guess in ["gemini-2.0", "gemini-2.0-flash-latest", "gemini-flash-latest", ""] {
        assert!(book.find(&dev(guess, "2026-11-21")).is_err(), "{guess}");
    }
}

#[test]
fn gemini_4_has_no_row_and_the_hint_says_what_to_do() {
    let book = RuleBook::builtin();
    let error = book.find(&dev("gemini-4-argon", "2026-11-21")).unwrap_err();
    assert!(error.hint.contains("3-late/developer-api/billed"), "{}", error.hint);
    assert!(book.find(&dev("gemini-3.1-flash-image", "2026-11-21")).is_err());
}

#[test]
fn a_known_model_on_the_wrong_day_or_service_is_explained() {
    let book = RuleBook::builtin();
    let early = book.find(&dev("gemini-3.5-flash", "2025-01-01")).unwrap_err();
    assert_eq!(early.hint, "the first rule for the model begins on 2025-11-18");
    let thinking =
        key("gemini-2.0-flash-thinking-exp-01-21", Service::Vertex, Meter::Billed, "2025-02-01");
    let hint = book.find(&thinking).unwrap_err().hint;
    assert!(hint.contains("2.0-thinking/developer-api/billed"), "{hint}");
}

#[test]
fn the_default_model_is_the_newest_stable_flash_of_the_day() {
    let book = RuleBook::builtin();
    for (date, model) in [
        ("2026-11-21", "gemini-3.8-flash"),
        ("2026-08-20", "gemini-3.7-flash"),
        ("2025-09-01", "gemini-2.5-flash"),
        ("2025-06-01", "gemini-2.0-flash"),
        ("2024-12-01", "gemini-1.5-flash"),
    ] {
        assert_eq!(book.default_model(day(date)).unwrap().id, model, "{date}");
    }
}

#[test]
fn every_model_of_a_row_is_described_and_has_a_window() {
    let book = RuleBook::builtin();
    for row in book.rows() {
        for name in &row.models {
            assert!(book.model(name).is_some(), "{name} of {} is in no model table", row.id);
        }
    }
    let without: Vec<&str> = book
        .models()
        .iter()
        .filter(|model| model.window.is_empty())
        .map(|model| model.family.as_str())
        .collect();
    assert!(
        without.iter().all(|family| ["2.0-image", "3.1-image"].contains(family)),
        "{without:?}"
    );
}

#[test]
fn windows_and_stages_are_those_of_the_day_and_service() {
    let book = RuleBook::builtin();
    let pro = book.model("gemini-1.5-pro").unwrap();
    assert_eq!(pro.window_on(Service::DeveloperApi).unwrap().input, 2_000_000);
    assert_eq!(pro.window_on(Service::Vertex).unwrap().input, 2_097_152);
    let vision = book.model("gemini-1.0-pro-vision").unwrap().window_on(Service::Vertex).unwrap();
    assert!(vision.shared && !vision.fits(16_000, 2048) && vision.fits(14_336, 2048));
    let flash = book.model("gemini-2.0-flash").unwrap();
    assert_eq!(flash.stage_on(day("2026-05-31")), Stage::Stable);
    assert_eq!(flash.stage_on(day("2026-06-01")), Stage::Retired);
}

fn evidence(row: &str, request: &str, model: &str) -> Evidence {
    let book = RuleBook::builtin();
    let count = book.row(row).unwrap().count(&parse_request(request).unwrap(), model);
    assert_eq!(count.failed(), 0, "{count:?}");
    count.total().evidence
}

#[test]
fn leaving_the_tested_scope_makes_a_count_inferred() {
    use Evidence::{Documented, Inferred, Measured};
    let (late, flash2) = ("3-late/developer-api/billed", "2.0/any/billed/2026-01");
    let (dev25, vision) = ("2.5/developer-api/billed", "1.5-preview/vertex/documented");
    for (row, request, model, wanted) in [
        (late, "image 768x512", "gemini-3.5-flash", Measured),
        (late, "image 768x512", "models/gemini-3.5-flash", Measured),
        (late, "image 768x512", "gemini-3.8-flash", Inferred),
        (late, "image 768x512 high", "gemini-3.5-flash", Measured),
        (late, "image 768x512 low", "gemini-3.5-flash", Inferred),
        (late, "image 8000x1000", "gemini-3.5-flash", Measured),
        (late, "image 8001x1000", "gemini-3.5-flash", Inferred),
        (late, "image 4000x4000", "gemini-3.5-flash", Measured),
        (late, "page 612x792 low", "gemini-3.5-flash", Measured),
        (late, "page 612x792 in-function-response", "gemini-3.5-flash", Inferred),
        (late, "audio decoded=0.74 container=0.828", "gemini-3.5-flash", Measured),
        (late, "audio container=0.828", "gemini-3.5-flash", Inferred),
        (late, "video 640x360 container=4 track=4 audio=none", "gemini-3.5-flash", Measured),
        (late, "video 640x360 container=4.2 track=4.2 audio=none", "gemini-3.5-flash", Inferred),
        (late, "video 640x360 container=4 audio=none", "gemini-3.5-flash", Inferred),
        (
            late,
            "video 640x360 container=4 track=4 audio=none clip=1..3",
            "gemini-3.5-flash",
            Inferred,
        ),
        (
            late,
            "video 640x360 container=4 track=4 audio=none route=file",
            "gemini-3.5-flash",
            Inferred,
        ),
        (flash2, "image 3072x3072", "gemini-2.0-flash", Measured),
        (flash2, "image 3073x3073", "gemini-2.0-flash", Inferred),
        (flash2, "image 640x480 low", "gemini-2.0-flash", Documented),
        (flash2, "image 640x480 high", "gemini-2.0-flash", Inferred),
        (flash2, "image 640x480 + image 640x480", "gemini-2.0-flash", Measured),
        (flash2, "image 640x480", "gemini-2.0-flash-exp", Inferred),
        (dev25, "image 1024x1024 high", "gemini-2.5-pro", Documented),
        (dev25, "video 640x360 container=4000 track=4000 audio=4000", "gemini-2.5-pro", Documented),
        (dev25, "video 640x360 container=4 track=4 audio=4", "gemini-2.5-pro", Measured),
        (vision, "image 1000x2000", "gemini-1.5-pro-preview-0409", Documented),
        (vision, "image 1000x1200", "gemini-1.5-pro-preview-0409", Inferred),
        (vision, "image 1000x2001", "gemini-1.5-pro-preview-0409", Inferred),
        (vision, "image 1000x2000 + image 1000x2000", "gemini-1.5-pro-preview-0409", Inferred),
        ("2.5/any/documented", "image 960x540", "gemini-2.5-pro", Documented),
        ("2.5/any/documented", "audio decoded=60", "gemini-2.5-pro", Documented),
        ("2.5/any/documented", "audio decoded=60.5", "gemini-2.5-pro", Inferred),
        ("2.5/vertex/billed/2025-09", "image 128x128", "gemini-2.5-flash", Measured),
        ("2.5/vertex/billed/2025-09", "image 700x1003", "gemini-2.5-flash", Inferred),
    ] {
        assert_eq!(evidence(row, request, model), wanted, "{row}: {request} on {model}");
    }
}

#[test]
fn a_ceiling_makes_the_total_a_ceiling() {
    let book = RuleBook::builtin();
    let row = book.row("2.5/developer-api/billed").unwrap();
    let items = parse_request("image 100x100 + image 1024x1024 high").unwrap();
    let total = row.count(&items, "gemini-2.5-pro").total();
    assert_eq!((total.tokens, total.bound), (258 + 2048 + 1, Bound::AtMost));
}

#[test]
fn soundtracks_are_filed_where_the_service_files_them() {
    let book = RuleBook::builtin();
    let items = parse_request("video 1920x1080 container=12 track=12 audio=12").unwrap();
    for (row, filed) in [
        ("3-late/developer-api/billed", Modality::Video),
        ("3-late/vertex/billed", Modality::Audio),
        ("2.5/developer-api/billed", Modality::Audio),
    ] {
        let count = book.row(row).unwrap().count(&items, "x");
        let item = count.items[0].clone().unwrap();
        assert_eq!(item.soundtrack.unwrap().reported_as, filed, "{row}");
    }
    let page = parse_request("page 612x792").unwrap();
    let count = book.row("3-late/vertex/billed").unwrap().count(&page, "x").items[0].clone();
    let page = count.unwrap();
    assert_eq!((page.media.reported_as, page.caused_by), (Modality::Image, Modality::Document));
}

fn refusal(row: &str, request: &str, level: Option<(MediaResolution, bool)>) -> CountError {
    let book = RuleBook::builtin();
    let mut items = parse_request(request).unwrap();
    items[0].level = level.map(|(level, per_part)| RequestedLevel { level, per_part });
    let shape = RequestShape::of(&items);
    book.row(row).unwrap().count_item(&items[0], shape, "x").unwrap_err()
}

#[test]
fn levels_are_refused_where_they_are_not_offered() {
    use MediaResolution::{Low, UltraHigh};
    let (late, flash2) = ("3-late/developer-api/billed", "2.0/any/billed/2026-01");
    let image = "image 100x100";
    for (row, request, level, per_part) in [
        ("1.0-vision/any/documented", image, Low, false),
        ("1.5/developer-api/billed/2025-02", image, Low, false),
        ("2.5-image/any/billed", image, Low, false),
        (flash2, image, Low, true),
        (flash2, image, UltraHigh, false),
        (late, image, UltraHigh, false),
        (late, "page 612x792", UltraHigh, true),
        (late, "video 5x5 track=4", UltraHigh, true),
        ("2.5/developer-api/count-tokens", image, Low, true),
    ] {
        let error = refusal(row, request, Some((level, per_part)));
        assert!(matches!(error, CountError::InvalidLevel { .. }), "{row} {request}: {error}");
    }
    let error = refusal(late, "page 612x792", Some((UltraHigh, true)));
    assert_eq!(
        error.to_string(),
        "media resolution `ultra-high` is not offered for this kind of medium; \
         allowed: low, medium, high"
    );
}

#[test]
fn silence_refusal_and_missing_facts_are_told_apart() {
    let covered = refusal("2.0-thinking/developer-api/billed", "image 5x5", None);
    assert!(matches!(covered, CountError::NotCovered { medium: Modality::Image, .. }));
    let accepted = refusal("1.0-vision/any/documented", "audio decoded=5", None);
    assert!(matches!(accepted, CountError::NotAccepted { medium: Modality::Audio, .. }));
    let unknown = refusal("3-late/developer-api/billed", "audio", None);
    assert_eq!(unknown.to_string(), "the length of the sound is not known");
    let rate =
        refusal("3-late/developer-api/billed", "video 5x5 track=4 audio=none fps=24.1", None);
    assert!(matches!(rate, CountError::InvalidRate { .. }));
    let fixed = refusal("1.0-vision/any/documented", "video 5x5 track=4 audio=none fps=2", None);
    assert!(matches!(fixed, CountError::InvalidRate { .. }));
}

#[test]
fn count_tokens_ignores_levels_and_rates() {
    let book = RuleBook::builtin();
    let row = book.row("3/developer-api/count-tokens").unwrap();
    let tokens = |request: &str| {
        row.count(&parse_request(request).unwrap(), "gemini-3.5-flash-lite").total().tokens
    };
    let plain = "video 854x480 container=20 track=20 audio=20";
    assert_eq!(tokens(&format!("{plain} low fps=5")), tokens(plain));
    assert_eq!(tokens("image 768x512 low"), tokens("image 768x512"));
}

#[test]
fn equal_images_are_counted_together() {
    let book = RuleBook::builtin();
    let row = book.row("2.0/any/billed/2026-01").unwrap();
    let size = Dimensions::new(540, 360).unwrap();
    let images = |copies| ItemFacts {
        media: MediaFacts::Image(ImageFacts { size, copies }),
        level: None,
        route: Route::Inline,
        in_function_response: false,
    };
    let tokens = |copies| row.count(&[images(copies)], "gemini-2.0-flash").total().tokens;
    assert_eq!((tokens(1), tokens(2), tokens(1000)), (1806, 516, 258_000));
}
