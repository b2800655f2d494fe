//! What must hold for every row and any facts: section 10.9 of the token rules.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::LazyLock;

use mediaprep_media::{Dimensions, Duration, FrameRate, MediaResolution};
use mediaprep_tokens::{
    AudioFacts, Clip, Coverage, Date, DocumentFacts, Formula, ImageFacts, ItemFacts, MediaFacts,
    PageBox, PageRun, RequestShape, RequestedLevel, Route, Row, RuleBook, TokenCount, VideoFacts,
};
use proptest::prelude::*;

static BOOK: LazyLock<RuleBook> = LazyLock::new(RuleBook::builtin);

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (any::<u64>(), 1u32..).prop_map(|(ticks, scale)| Duration::new(ticks, scale).unwrap()),
        (0u64..100_000_000, Just(1000u32)).prop_map(|(t, s)| Duration::new(t, s).unwrap()),
    ]
}

fn rates() -> impl Strategy<Value = FrameRate> {
    prop_oneof![
        (1u32.., 1u32..).prop_map(|(n, d)| FrameRate::new(n, d).unwrap()),
        (1u32..=24_000_000).prop_map(|n| FrameRate::new(n, 1_000_000).unwrap()),
    ]
}

fn sizes() -> impl Strategy<Value = Dimensions> {
    prop_oneof![(1u32.., 1u32..), (1u32..5000, 1u32..5000)]
        .prop_map(|(width, height)| Dimensions::new(width, height).unwrap())
}

fn media() -> impl Strategy<Value = MediaFacts> {
    let maybe = || prop::option::of(durations());
    let image = (sizes(), any::<u32>())
        .prop_map(|(size, copies)| MediaFacts::Image(ImageFacts { size, copies }));
    let run = (any::<u32>(), any::<u32>(), any::<u64>())
        .prop_map(|(width, height, pages)| PageRun { size: PageBox { width, height }, pages });
    let document = prop::collection::vec(run, 0..4)
        .prop_map(|runs| MediaFacts::Document(DocumentFacts { runs }));
    let audio = (maybe(), maybe())
        .prop_map(|(container, decoded)| MediaFacts::Audio(AudioFacts { container, decoded }));
    let video = (
        sizes(),
        (maybe(), maybe(), maybe(), maybe()),
        prop::option::of(rates()),
        (maybe(), maybe()),
    )
        .prop_map(|(size, (container, track, frame_span, audio), fps, (start, end))| {
            let clip = Clip { start, end };
            MediaFacts::Video(VideoFacts { size, container, track, frame_span, audio, fps, clip })
        });
    prop_oneof![image, document, audio, video]
}

fn items() -> impl Strategy<Value = ItemFacts> {
    let level =
        prop::option::of((0usize..4, any::<bool>()).prop_map(|(at, per_part)| RequestedLevel {
            level: MediaResolution::ALL[at],
            per_part,
        }));
    let route = prop_oneof![Just(Route::Inline), Just(Route::File), Just(Route::Uri)];
    (media(), level, route, any::<bool>()).prop_map(
        |(media, level, route, in_function_response)| ItemFacts {
            media,
            level,
            route,
            in_function_response,
        },
    )
}

fn plain(media: MediaFacts) -> ItemFacts {
    ItemFacts { media, level: None, route: Route::Inline, in_function_response: false }
}

fn count(row: &Row, item: &ItemFacts) -> Option<u64> {
    let shape = RequestShape::of(std::slice::from_ref(item));
    row.count_item(item, shape, &row.models[0]).ok().map(|count| count.tokens())
}

fn has_several_rule(row: &Row) -> bool {
    let special = |coverage: &Coverage<mediaprep_tokens::PictureRule>| match coverage {
        Coverage::Charged(rule) => rule.several.is_some(),
        _ => false,
    };
    special(&row.image) || special(&row.page)
}

proptest! {
    #[test]
    fn no_row_panics_on_any_facts(items in prop::collection::vec(items(), 1..4)) {
        let shape = RequestShape::of(&items);
        for row in BOOK.rows() {
            let whole = row.count(&items, "gemini-3.8-flash");
            for (item, counted) in items.iter().zip(&whole.items) {
                let alone = row.count_item(item, shape, "gemini-3.8-flash");
                prop_assert_eq!(&alone, counted);
                let explained = row.explain(item, shape, "gemini-3.8-flash");
                prop_assert_eq!(explained.is_ok(), alone.is_ok());
                let _ = row.remarks(item);
            }
        }
    }

    #[test]
    fn pictures_are_symmetric_and_never_free(size in sizes()) {
        for row in BOOK.rows() {
            let upright = plain(MediaFacts::Image(ImageFacts { size, copies: 1 }));
            let turned = plain(MediaFacts::Image(ImageFacts { size: size.swapped(), copies: 1 }));
            prop_assert_eq!(count(row, &upright), count(row, &turned));
            prop_assert_ne!(count(row, &upright), Some(0));
        }
    }

    #[test]
    fn aspect_fit_depends_on_the_shape_alone(w in 1u32..60_000, h in 1u32..60_000, k in 1u32..60_000) {
        let image = |w, h| {
            let size = Dimensions::new(w, h).unwrap();
            plain(MediaFacts::Image(ImageFacts { size, copies: 1 }))
        };
        for row in BOOK.rows() {
            if let Coverage::Charged(rule) = &row.image
                && let Formula::AspectFit { budget } = rule.default.formula
            {
                let tokens = count(row, &image(w, h));
                prop_assert_eq!(tokens, count(row, &image(w * k, h * k)));
                prop_assert!(tokens.unwrap() <= u64::from(budget));
            }
        }
    }

    #[test]
    fn no_count_falls_when_a_length_grows(a in durations(), b in durations(), size in sizes()) {
        let video = |length, audio| {
            plain(MediaFacts::Video(VideoFacts {
                size,
                container: Some(length),
                track: Some(length),
                frame_span: Some(length),
                audio,
                fps: None,
                clip: Clip::default(),
            }))
        };
        let sound = |length| {
            plain(MediaFacts::Audio(AudioFacts { container: Some(length), decoded: Some(length) }))
        };
        let (short, long) = (a.min(b), a.max(b));
        for row in BOOK.rows() {
            prop_assert!(count(row, &sound(short)) <= count(row, &sound(long)));
            prop_assert!(count(row, &video(short, None)) <= count(row, &video(long, None)));
            let (less, more) = (video(short, Some(short)), video(long, Some(long)));
            prop_assert!(count(row, &less) <= count(row, &more));
        }
    }

    /// One page alone may cost more than two: 1290 and 516 on 2.0. From two on it only grows.
    #[test]
    fn no_count_falls_when_pages_are_added(
        width in 1u32.., height in 1u32.., a in 2u64..1 << 40, b in 2u64..1 << 40,
    ) {
        let document = |pages| {
            let runs = vec![PageRun { size: PageBox { width, height }, pages }];
            plain(MediaFacts::Document(DocumentFacts { runs }))
        };
        for row in BOOK.rows() {
            let few = count(row, &document(a.min(b)));
            prop_assert!(few <= count(row, &document(a.max(b))));
            if !has_several_rule(row) {
                prop_assert!(count(row, &document(1)) <= few);
            }
        }
    }

    #[test]
    fn a_total_is_the_sum_of_its_parts(items in prop::collection::vec(items(), 1..5)) {
        for row in BOOK.rows() {
            let whole = row.count(&items, &row.models[0]);
            let extra = whole.request_extra.map_or(0, |extra: TokenCount| extra.tokens);
            let parts = whole.items.iter().flatten().map(|item| item.tokens());
            prop_assert_eq!(whole.total().tokens, parts.fold(extra, u64::saturating_add));
            if has_several_rule(row) {
                continue;
            }
            for (item, counted) in items.iter().zip(&whole.items) {
                let alone = RequestShape::of(std::slice::from_ref(item));
                prop_assert_eq!(&row.count_item(item, alone, &row.models[0]), counted);
            }
        }
    }
}

#[test]
fn crop_tiles_without_overview_are_at_most_24() {
    let row = BOOK.row("2.5/any/documented").unwrap();
    for (width, height) in [(3072, 385), (1, u32::MAX), (u32::MAX, u32::MAX), (5000, 627)] {
        let size = Dimensions::new(width, height).unwrap();
        let tokens = count(row, &plain(MediaFacts::Image(ImageFacts { size, copies: 1 }))).unwrap();
        assert!(tokens.is_multiple_of(258) && tokens <= 24 * 258, "{width}x{height}: {tokens}");
    }
}

/// Every key on every day on which anything changes matches at most one row.
#[test]
fn no_key_matches_two_rows() {
    let rows = BOOK.rows();
    let days: Vec<Date> =
        rows.iter().flat_map(|row| [Some(row.since), row.until]).flatten().collect();
    let mut keys = 0;
    for day in days {
        for row in rows.iter().filter(|row| row.lookup && row.holds_on(day)) {
            for model in &row.models {
                let same = rows.iter().filter(|other| {
                    other.lookup
                        && other.holds_on(day)
                        && other.meter == row.meter
                        && other.services.iter().any(|service| row.services.contains(service))
                        && other.models.contains(model)
                });
                assert_eq!(same.count(), 1, "{model} by {} on {day}", row.id);
                keys += 1;
            }
        }
    }
    assert!(keys > 1000, "only {keys} keys were tried");
}
