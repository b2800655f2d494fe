//! The tables beside the rules: prices, limits and file types.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mediaprep_media::MimeType;
use mediaprep_tokens::{
    Billing, Date, MimeVerdict, Route, RuleBook, SamplingValues, Service, Standing, TopK, Usage,
    Way, parse_request,
};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn cost(model: &str, usage: Usage, billing: Billing) -> Option<String> {
    let book = RuleBook::builtin();
    let price = book.price(model, Service::DeveloperApi, day("2026-11-21"))?;
    price.cost(&usage, billing).map(|cost| cost.to_string())
}

#[test]
fn the_worked_prices_come_out() {
    let images = Usage { image: 110_000, ..Usage::default() };
    assert_eq!(cost("gemini-3.5-flash", images, Billing::Standard).unwrap(), "$0.165");
    assert_eq!(cost("gemini-3.5-flash", images, Billing::Batch).unwrap(), "$0.0825");
    let hour = Usage { video: 230_400, audio: 90_000, ..Usage::default() };
    assert_eq!(cost("gemini-3-flash-preview", hour, Billing::Standard).unwrap(), "$0.2052");
}

#[test]
fn an_hour_of_video_has_the_tokens_of_the_worked_price() {
    let book = RuleBook::builtin();
    let items = parse_request("video 1920x1080 container=3600 track=3600 audio=3600").unwrap();
    let count = book.row("3-early/vertex/billed").unwrap().count(&items, "gemini-3-flash-preview");
    let hour = count.items[0].clone().unwrap();
    assert_eq!((hour.media.tokens, hour.soundtrack.unwrap().tokens), (230_400, 90_000));
}

#[test]
fn a_tier_begins_above_its_threshold_for_the_whole_request() {
    let pages = |document| Usage { document, ..Usage::default() };
    let at = |tokens| cost("gemini-2.5-pro", pages(tokens), Billing::Standard).unwrap();
    assert_eq!(at(200_000), "$0.25");
    assert_eq!(at(200_001), "$0.5000025");
}

#[test]
fn an_unknown_price_is_never_free() {
    let book = RuleBook::builtin();
    let output = Usage { output: 1, ..Usage::default() };
    assert_eq!(cost("gemini-3.8-flash", output, Billing::Standard), None);
    assert_eq!(cost("gemini-2.5-flash-preview-04-17", output, Billing::Standard), None);
    let on = |date: &str| book.price("gemini-3.8-flash", Service::Vertex, day(date)).is_some();
    assert!(on("2026-12-31") && !on("2027-01-01"));
    let flash = |date: &str| book.price("gemini-3.7-flash", Service::Vertex, day(date)).unwrap();
    assert_eq!(flash("2026-12-31").input, Some(750_000));
    assert_eq!(flash("2027-01-01").input, Some(1_500_000));
}

#[test]
fn embeddings_price_each_medium_apart() {
    let usage = Usage {
        text: 1_000_000,
        image: 1_000_000,
        video: 1_000_000,
        audio: 1_000_000,
        ..Usage::default()
    };
    assert_eq!(cost("gemini-embedding-2", usage, Billing::Standard).unwrap(), "$19.15");
}

#[test]
fn the_price_table_is_whole() {
    let book = RuleBook::builtin();
    assert!(book.prices().len() >= 26, "{}", book.prices().len());
    assert!(book.prices().iter().all(|price| price.input.is_some() && !price.source.is_empty()));
}

#[test]
fn limits_are_those_of_family_service_and_day() {
    let book = RuleBook::builtin();
    let limits = |model: &str, service, date: &str| book.limits(model, service, day(date));
    let developer = limits("gemini-3.5-flash", Service::DeveloperApi, "2026-11-21").unwrap();
    assert_eq!(developer.counts.images.unwrap().check(3601), Standing::AboveHard(3600));
    assert_eq!(developer.counts.pages.unwrap().check(1000), Standing::Within);
    assert_eq!(developer.counts.videos.unwrap().check(2), Standing::AboveAdvised(1));
    let vertex = limits("gemini-3.5-flash", Service::Vertex, "2026-11-21").unwrap();
    assert_eq!(vertex.counts.images.unwrap().check(901), Standing::AboveAdvised(900));
    assert_eq!(vertex.counts.images.unwrap().check(3001), Standing::AboveHard(3000));
    assert_eq!(vertex.counts.audio_files.unwrap().check(2), Standing::AboveHard(1));
    let image = limits("gemini-2.5-flash-image", Service::Vertex, "2026-01-01").unwrap();
    assert_eq!(image.counts.images.unwrap().hard, Some(3));
    let vision = limits("gemini-1.0-pro-vision", Service::Vertex, "2024-01-01").unwrap();
    assert!(vision.counts.video_is_cut);
    assert!(limits("somebody-elses-model", Service::Vertex, "2026-01-01").is_none());
    assert!(limits("gemini-4-argon", Service::Vertex, "2026-11-21").is_none());
}

#[test]
fn the_inline_limit_is_that_of_the_day() {
    let book = RuleBook::builtin();
    let inline = |model: &str, date: &str| {
        let limits = book.limits(model, Service::DeveloperApi, day(date)).unwrap();
        limits.way(Way::Inline).unwrap().request_bytes.unwrap().hard.unwrap()
    };
    assert_eq!(inline("gemini-1.0-pro-vision", "2024-01-01"), 4 << 20);
    assert_eq!(inline("gemini-2.5-pro", "2026-01-11"), 20 << 20);
    assert_eq!(inline("gemini-2.5-pro", "2026-01-12"), 100 << 20);
    let limits = book.limits("gemini-2.5-pro", Service::DeveloperApi, day("2026-11-21")).unwrap();
    let files = limits.route(Route::File).unwrap();
    assert_eq!(files.file_bytes.unwrap().hard, Some(2 << 30));
    assert_eq!(files.lifetime_hours, Some(48));
    let old = book.limits("gemini-2.0-flash", Service::DeveloperApi, day("2026-11-21")).unwrap();
    assert!(old.way(Way::Https).is_none());
}

#[test]
fn every_family_with_rules_has_limits_where_it_is_served() {
    let book = RuleBook::builtin();
    for row in book.rows().iter().filter(|row| row.lookup) {
        let model = book.model(&row.models[0]).unwrap();
        if ["embedding-2", "3.1-image"].contains(&model.family.as_str()) {
            continue;
        }
        for service in &row.services {
            let date = row.until.unwrap_or(day("2026-11-21")).max(model.released);
            assert!(book.limits(&model.id, *service, date).is_some(), "{} {service:?}", row.id);
        }
    }
}

fn mime(model: &str, service: Service, date: &str, mime: MimeType) -> Option<MimeVerdict> {
    RuleBook::builtin().mime(model, service, day(date), mime)
}

#[test]
fn types_are_sent_renamed_converted_or_refused() {
    use MimeVerdict::{Accepted, Convert, Refused, Renamed};
    use Service::{DeveloperApi, Vertex};
    let text = |text: &str| text.to_owned();
    let accepted = |name: &str| Some(Accepted { send_as: text(name) });
    let renamed = |name: &str| Some(Renamed { send_as: text(name) });
    let convert = |to: &str, lossless: Option<&str>| {
        Some(Convert { to: text(to), lossless: lossless.map(text) })
    };
    let png = Some("image/png");
    for (model, service, date, given, wanted) in [
        ("gemini-3.5-flash", DeveloperApi, "2026-11-21", MimeType::Jpeg, accepted("image/jpeg")),
        ("gemini-3.5-flash", DeveloperApi, "2026-11-21", MimeType::Gif, convert("image/png", None)),
        (
            "gemini-3.5-flash",
            DeveloperApi,
            "2026-11-21",
            MimeType::Tiff,
            convert("image/jpeg", png),
        ),
        ("gemini-3.5-flash", DeveloperApi, "2026-11-21", MimeType::Svg, Some(Refused)),
        ("gemini-3.5-flash", DeveloperApi, "2026-11-21", MimeType::Matroska, Some(Refused)),
        ("gemini-3.5-flash", DeveloperApi, "2026-11-21", MimeType::Mp3, renamed("audio/mp3")),
        ("gemini-3.5-flash", Vertex, "2026-11-21", MimeType::Mp3, accepted("audio/mpeg")),
        ("gemini-3.5-flash", Vertex, "2026-11-21", MimeType::Aac, renamed("audio/x-aac")),
        ("gemini-3.5-flash", DeveloperApi, "2026-11-21", MimeType::M4a, convert("audio/aac", None)),
        (
            "gemini-3.5-flash",
            DeveloperApi,
            "2026-11-21",
            MimeType::WebmAudio,
            convert("audio/flac", None),
        ),
        ("gemini-3.5-flash", Vertex, "2026-11-21", MimeType::WebmAudio, accepted("audio/webm")),
        (
            "gemini-3.5-flash",
            DeveloperApi,
            "2026-11-21",
            MimeType::QuickTime,
            accepted("video/quicktime"),
        ),
        ("gemini-2.5-flash", DeveloperApi, "2026-11-21", MimeType::QuickTime, renamed("video/mov")),
        (
            "gemini-1.5-pro-preview-0409",
            Vertex,
            "2024-05-01",
            MimeType::QuickTime,
            renamed("video/mov"),
        ),
        (
            "gemini-1.5-pro-preview-0409",
            Vertex,
            "2024-05-01",
            MimeType::Webp,
            convert("image/jpeg", png),
        ),
        ("gemini-2.5-flash", Vertex, "2025-09-01", MimeType::Heic, convert("image/jpeg", png)),
        ("gemini-2.5-flash", Vertex, "2026-01-01", MimeType::Heic, accepted("image/heic")),
        ("gemini-1.0-pro-vision", Vertex, "2024-01-01", MimeType::Wav, Some(Refused)),
        (
            "gemini-3.5-flash",
            DeveloperApi,
            "2026-11-21",
            MimeType::Pdf,
            accepted("application/pdf"),
        ),
        ("gemini-2.5-flash-image", DeveloperApi, "2026-11-21", MimeType::Wav, None),
        ("nobody", DeveloperApi, "2026-11-21", MimeType::Png, None),
    ] {
        assert_eq!(mime(model, service, date, given), wanted, "{given} on {model}");
    }
}

#[test]
fn every_type_has_a_verdict_on_the_default_model() {
    for given in MimeType::ALL {
        for service in [Service::DeveloperApi, Service::Vertex] {
            assert!(mime("gemini-3.8-flash", service, "2026-11-21", *given).is_some(), "{given}");
        }
    }
}

#[test]
fn declared_names_are_understood_in_their_usual_spellings() {
    let book = RuleBook::builtin();
    for (declared, mime) in [
        ("image/jpg", Some(MimeType::Jpeg)),
        ("IMAGE/X-PNG", Some(MimeType::Png)),
        ("audio/vnd.wave", Some(MimeType::Wav)),
        ("audio/mp3", Some(MimeType::Mp3)),
        ("video/mov", Some(MimeType::QuickTime)),
        ("video/avi", Some(MimeType::Avi)),
        ("application/octet-stream", None),
    ] {
        assert_eq!(book.mime_named(declared), mime, "{declared}");
    }
}

/// The table of section 5 of the limits, and the window that stands for the most output.
#[test]
fn sampling_parameters_are_held_against_the_model() {
    let book = RuleBook::builtin();
    let on = |model: &str, service, date: &str| book.sampling(model, service, day(date));
    let vision = on("gemini-1.0-pro-vision", Service::Vertex, "2024-01-01").unwrap();
    assert_eq!(vision.row.temperature.unwrap().default, Some(0.4));
    let values = |top_k| SamplingValues { top_k, ..SamplingValues::default() };
    assert!(vision.check(&values(Some(40))).is_ok());
    let error = vision.check(&values(Some(41))).unwrap_err();
    assert_eq!(error.to_string(), "topK of 41 is not taken by the model; allowed: 1 to 40");
    let output = |max: i64| SamplingValues { max_output_tokens: Some(max), ..Default::default() };
    assert!(vision.check(&output(2048)).is_ok());
    assert_eq!(vision.check(&output(2049)).unwrap_err().allowed, "1 to 2048");
    let preview = on("gemini-1.5-pro-preview-0409", Service::Vertex, "2024-05-01").unwrap();
    assert_eq!(preview.check(&values(Some(40))).unwrap_err().allowed, "none");
    assert!(preview.check(&output(1 << 40)).is_ok(), "no output window is published");
    let flash = on("models/gemini-3-flash-preview", Service::Vertex, "2026-11-21").unwrap();
    assert_eq!(flash.check(&values(Some(40))).unwrap_err().allowed, "64 alone");
    assert_eq!(flash.check(&output(65_537)).unwrap_err().parameter, "maxOutputTokens");
    assert!(matches!(flash.row.top_k, Some(TopK::Fixed { value: 64, .. })));
    let heat = |temperature| SamplingValues { temperature, ..SamplingValues::default() };
    assert_eq!(flash.check(&heat(Some(f64::NAN))).unwrap_err().parameter, "temperature");
    assert!(flash.check(&SamplingValues::default()).is_ok());
    assert!(on("somebody-elses-model", Service::Vertex, "2026-01-01").is_none());
    assert!(on("gemini-3-flash-preview", Service::Vertex, "2024-01-01").is_none());
}

#[test]
fn every_row_of_sampling_parameters_proves_itself() {
    let book = RuleBook::builtin();
    assert!(book.sampling_rows().len() >= 7);
    for row in book.sampling_rows() {
        assert!(row.known.iter().any(|known| known.refused.is_some()), "{}", row.id);
        assert!(row.known.iter().any(|known| known.refused.is_none()), "{}", row.id);
        assert!(!row.sources.is_empty(), "{}", row.id);
    }
}
