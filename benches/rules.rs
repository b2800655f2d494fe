//! The rule book alone: counts a second on one thread, by formula.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mediaprep::media::{Dimensions, Duration};
use mediaprep::tokens::{
    AudioFacts, Clip, ImageFacts, ItemFacts, MediaFacts, RequestShape, Route, RuleBook, VideoFacts,
};
use mediaprep::{RuleRequest, RuleSet};

fn item(media: MediaFacts) -> ItemFacts {
    ItemFacts { media, level: None, route: Route::Inline, in_function_response: false }
}

/// A thousand sizes, so that no branch is always the same.
fn images() -> Vec<ItemFacts> {
    let size = |i: u32| Dimensions::new(1 + (i * 7919) % 5000, 1 + (i * 104_729) % 4000);
    let images = (0..1000).filter_map(size).map(|size| ImageFacts { size, copies: 1 });
    images.map(|image| item(MediaFacts::Image(image))).collect()
}

fn clips() -> Vec<ItemFacts> {
    let clip = |i: u64| {
        let length = Duration::new(1001 * (i + 1), 30_000);
        Some(VideoFacts {
            size: Dimensions::new(1280, 720)?,
            container: length,
            track: length,
            frame_span: length,
            audio: length,
            fps: None,
            clip: Clip::default(),
        })
    };
    (0..1000).filter_map(clip).map(|clip| item(MediaFacts::Video(clip))).collect()
}

fn sounds() -> Vec<ItemFacts> {
    let sound = |i: u64| AudioFacts { container: None, decoded: Duration::new(i * 1152, 44_100) };
    (0..1000).map(|i| item(MediaFacts::Audio(sound(i)))).collect()
}

fn counts(criterion: &mut Criterion) {
    let book = RuleBook::builtin();
    let mut group = criterion.benchmark_group("count");
    for model in ["gemini-3.5-flash", "gemini-2.0-flash", "gemini-1.5-pro-preview-0409"] {
        for (kind, items) in [("image", images()), ("video", clips()), ("audio", sounds())] {
            let Ok(date) = "2024-05-01".parse() else { continue };
            let Ok(today) = "2026-11-21".parse() else { continue };
            let vertex = mediaprep::tokens::Service::Vertex;
            let found = RuleSet::find(&book, &RuleRequest::billed(model, today)).or_else(|_| {
                let request = RuleRequest { service: vertex, ..RuleRequest::billed(model, date) };
                RuleSet::find(&book, &request)
            });
            let Ok(rules) = found else { continue };
            group.throughput(Throughput::Elements(items.len() as u64));
            group.bench_function(format!("{kind}/{model}"), |bencher| {
                bencher.iter(|| {
                    for item in &items {
                        let _ = black_box(rules.row.count_item(
                            black_box(item),
                            RequestShape::EMPTY,
                            model,
                        ));
                    }
                });
            });
        }
    }
    group.finish();
    criterion.bench_function("load the built-in book", |bencher| bencher.iter(RuleBook::builtin));
}

criterion_group!(benches, counts);
criterion_main!(benches);
