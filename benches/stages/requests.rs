//! From facts to a plan and a fit, and from parts to the body of a request.

use std::hint::black_box;
use std::io;
use std::ops::ControlFlow;

use criterion::{Criterion, Throughput};
use mediaprep::media::{Dimensions, Duration, MimeType};
use mediaprep::parts::{GenerateRequest, Part};
use mediaprep::tokens::RuleBook;
use mediaprep::{
    FitOptions, MediaInfo, PlanOptions, Planner, Probed, RuleRequest, RuleSet, VideoLengths,
    fit_facts,
};

const MODELS: [&str; 2] = ["gemini-2.0-flash", "gemini-3.5-flash"];
const COUNTS: [usize; 2] = [1_000, 100_000];
/// Bytes of media inside a request.
const INSIDE: usize = 16 << 20;

/// A body as it is sent: JSON with the media in base64, to nowhere.
pub(crate) fn bodies(criterion: &mut Criterion) {
    let bytes: Vec<u8> =
        (0..INSIDE).map(|at| (at.wrapping_mul(0x9e37_79b1) >> 13).to_le_bytes()[0]).collect();
    let mut group = criterion.benchmark_group("body");
    for (name, parts) in [("one part of 16 MiB", 1), ("1,024 parts of 16 KiB", 1024)] {
        let piece = |bytes: &[u8]| Part::inline("image/jpeg", bytes.to_vec());
        let request = GenerateRequest::user(bytes.chunks(INSIDE / parts).map(piece).collect());
        group.throughput(Throughput::Bytes(INSIDE as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(request.body().write_to(&mut io::sink())));
        });
    }
    group.finish();
}

/// A count and price for each of many facts, and their sums.
pub(crate) fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    each(|count, facts, rules| {
        let options = PlanOptions::default();
        group.throughput(Throughput::Elements(facts.len() as u64));
        group.bench_function(format!("{count} facts/{}", rules.key.model), |bencher| {
            bencher.iter(|| black_box(plan(facts, rules, &options)));
        });
    });
    group.finish();
}

fn plan(facts: &[Probed], rules: &RuleSet<'_>, options: &PlanOptions) -> u64 {
    let mut planner = Planner::new(rules, options);
    if planner.needs_shape() {
        let _ = facts.iter().try_for_each(|one| planner.look_at_shape(one));
    }
    let planned = facts.iter().try_for_each(|one| match planner.plan(one) {
        Ok(_) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    });
    // A plan that breaks off would be measured as a quick one.
    assert!(planned.is_continue(), "every fact can be planned");
    planner.finish().tokens.total
}

/// Everything into half of its tokens.
pub(crate) fn fitting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fit");
    each(|count, facts, rules| {
        let request = PlanOptions::default();
        let half = plan(facts, rules, &request) / 2;
        let options = FitOptions { max_tokens: Some(half), ..FitOptions::default() };
        group.throughput(Throughput::Elements(facts.len() as u64));
        group.bench_function(format!("{count} facts/{}", rules.key.model), |bencher| {
            bencher.iter(|| black_box(fit_facts(facts, rules, &request, &options)));
        });
    });
    group.finish();
}

/// Calls `measure` for every number of facts and every model.
fn each(mut measure: impl FnMut(usize, &[Probed], &RuleSet<'_>)) {
    let book = RuleBook::builtin();
    for model in MODELS {
        let Ok(date) = "2026-05-01".parse() else { return };
        let Ok(rules) = RuleSet::find(&book, &RuleRequest::billed(model, date)) else { continue };
        for count in COUNTS {
            measure(count, &facts(count), &rules);
        }
    }
}

/// Pictures, videos, sounds and PDFs in turn, no two alike for long.
fn facts(count: usize) -> Vec<Probed> {
    let one = |at: u64| {
        let side = |prime: u64, most: u64| u32::try_from(1 + at * prime % most).unwrap_or(1);
        let length = Some(Duration::from_seconds(1 + at * 104_729 % 120));
        let (mime, info) = match at % 4 {
            0 => {
                let size = Dimensions::new(side(7919, 5000), side(104_729, 4000))?;
                (MimeType::Jpeg, MediaInfo::image(size))
            }
            1 => {
                let lengths =
                    VideoLengths { container: length, track: length, ..VideoLengths::default() };
                (MimeType::Mp4, MediaInfo::video(Dimensions::new(1280, 720)?, lengths))
            }
            2 => (MimeType::Mp3, MediaInfo::sound(length, length)),
            _ => {
                let pages = 1 + at * 7919 % 40;
                (MimeType::Pdf, MediaInfo::document([(595_280, 841_890, pages)])?)
            }
        };
        Some(Probed {
            name: at.to_string(),
            mime_type: Some(mime),
            bytes: Some(1 << 16),
            bytes_read: 0,
            info,
            warnings: Vec::new(),
        })
    };
    (0..count as u64).filter_map(one).collect()
}
