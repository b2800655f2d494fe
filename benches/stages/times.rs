//! The instants that a video is looked at, and sound brought to mono at 16 kHz.

use std::hint::black_box;
use std::io::Cursor;

use criterion::{Criterion, Throughput};
use mediaprep::Instants;
use mediaprep::media::{Duration, FrameRate, MimeType, Watch};
use mediaprep_audio::{PcmOptions, decode_mono};

/// Samples a second of the generated sound, for each of two channels.
const RATE: u32 = 44_100;
const SECONDS: u32 = 30;

/// The plan alone: an hour at one frame a second and at the highest rate, each instant exact.
pub(crate) fn sampling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sampling");
    let start = Duration::new(1001, 30_000);
    for rate in [1, 24] {
        let (Some(start), Some(frames)) = (start, FrameRate::new(rate, 1)) else { continue };
        let instants = Instants::new(start, frames, u64::from(rate) * 3600);
        group.throughput(Throughput::Elements(instants.count()));
        group.bench_function(format!("an hour at {rate} a second"), |bencher| {
            bencher.iter(|| {
                (0..instants.count()).for_each(|at| {
                    black_box(instants.at(black_box(at)));
                });
            });
        });
    }
    group.finish();
}

/// Mixing down and resampling: half a minute of stereo at 44.1 kHz.
pub(crate) fn sound(criterion: &mut Criterion) {
    let bytes = wave();
    let mut group = criterion.benchmark_group("sound");
    group.throughput(Throughput::Elements(u64::from(RATE * SECONDS)));
    group.bench_function("stereo at 44.1 kHz to mono at 16 kHz", |bencher| {
        bencher.iter(|| {
            let (source, options) = (Box::new(Cursor::new(bytes.clone())), PcmOptions::default());
            let mut each = |samples: &[f32]| {
                black_box(samples);
                Ok(())
            };
            black_box(decode_mono(
                source,
                MimeType::Wav,
                None,
                &options,
                &Watch::default(),
                &mut each,
            ))
        });
    });
    group.finish();
}

/// A WAV file of two sawtooths.
fn wave() -> Vec<u8> {
    let frame = |at: u32| {
        let side = |pitch: u32| (at.wrapping_mul(pitch) & 0xffff).to_le_bytes();
        let ([a, b, ..], [c, d, ..]) = (side(653), side(880));
        [a, b, c, d]
    };
    let data: Vec<u8> = (0..RATE * SECONDS).flat_map(frame).collect();
    let length = RATE * SECONDS * 4;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((length + 36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend(RATE.to_le_bytes());
    bytes.extend((RATE * 4).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(data);
    bytes
}
