//! Header probes of one file of each format, from memory: no file system, no decoding.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use mediaprep::{Engine, Input};

const FILES: [&str; 16] = [
    "images/screenshot-1080p.png",
    "images/photo-portrait-8mp.jpg",
    "images/poster-1200x1800.webp",
    "images/heic-grid.heic",
    "images/tiff-le-6.tif",
    "audio/tone-s16.wav",
    "audio/tone-vbr-xing.mp3",
    "audio/tone-vbr-headerless.mp3",
    "audio/minute.opus",
    "audio/tone.flac",
    "video/h264-aac-moov-last.mp4",
    "video/fragmented.mp4",
    "video/vp9-opus.webm",
    "pdf/a4.pdf",
    "pdf/object-streams.pdf",
    "pdf/pages-352.pdf",
];

fn probes(criterion: &mut Criterion) {
    let Ok(engine) = Engine::builder().threads(1).build() else { return };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut group = criterion.benchmark_group("probe");
    for name in FILES {
        let Ok(bytes) = std::fs::read(fixtures.join(name)) else { continue };
        let bytes: Arc<[u8]> = bytes.into();
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(engine.probe(&Input::bytes(name, Arc::clone(&bytes)))));
        });
    }
    group.finish();
}

criterion_group!(benches, probes);
criterion_main!(benches);
