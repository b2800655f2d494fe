//! From the arguments as typed to checked settings: texts parsed, defaults filled, files read.

mod connect;
mod fit;
mod pdf;
mod sampling;

use std::path::Path;
use std::time::Duration as WallTime;

use mediaprep::image::{Chroma, Filter, RenderOptions};
use mediaprep::media::{Duration, FrameRate, Limits, MediaResolution};
use mediaprep::tokens::{Billing, Clip, Date, Meter, RuleBook, Service};
use mediaprep::{
    AudioOptions, AudioProfile, AudioTrackChoice, Engine, EngineBuilder, Error, ImageForm,
    ImageFormat, ImageOptions, PlanOptions, PrepareOptions, Requests, RouteChoice, RuleRequest,
    RuleSet, VideoForm, VideoOptions,
};

use crate::args::{
    AudioTrackArg, ChromaArg, Common, FilterArg, ImageArgs, ImageFormatArg, ImagesArg, LevelArg,
    MeterArg, ProfileArg, RequestArgs, RequestsArg, RouteArg, RuleArgs, ServiceArg, TimeArgs,
    VideoArg, WorkArgs,
};
use crate::failure::Failure;
use crate::output::{Interrupt, Output};
use crate::prepare::OutFolder;

pub(crate) use self::connect::{client, failure as client_failure, upload_cache, upload_state};
pub(crate) use self::fit::fit_options;
pub(crate) use self::sampling::generation_config;

/// The engine that the common options ask for.
pub(crate) fn engine(common: &Common) -> Result<Engine, Failure> {
    builder(common)?.build().map_err(|error| failure(&error))
}

/// The same for reading what files hold: this program as a worker, and a switch for Ctrl-C.
pub(crate) fn reading_engine(common: &Common, output: &Output<'_>) -> Result<Engine, Failure> {
    let builder = builder(common)?.watch(output.interrupt.watch());
    let builder = match &output.worker {
        Some(program) => builder.pdf_worker(program, [pdf::WORKER]),
        None => builder,
    };
    builder.build().map_err(|error| failure(&error))
}

/// The same for small pictures, whose pages PDFium draws where its library is found.
pub(crate) fn drawing_engine(common: &Common, output: &Output<'_>) -> Result<Engine, Failure> {
    let builder = builder(common)?.watch(output.interrupt.watch());
    let builder = pdf::drawing(builder, None, output.worker.as_deref())?;
    builder.build().map_err(|error| failure(&error))
}

/// The same for preparing: its own limit on decoded pixels, temporary files in the output folder,
/// and a switch for Ctrl-C.
pub(crate) fn prepare_engine(
    common: &Common,
    (args, out): (&WorkArgs, &Path),
    (interrupt, worker): (&Interrupt, Option<&Path>),
) -> Result<Engine, Failure> {
    let builder = builder(common)?.scratch(OutFolder::scratch(out)).watch(interrupt.watch());
    let builder = pdf::drawing(builder, args.pdf.pdfium.as_deref(), worker)?;
    let builder = match args.images.max_pixels {
        Some(pixels) => builder.limits(limits(pixels)),
        None => builder,
    };
    builder.build().map_err(|error| failure(&error))
}

/// The same for measuring: as preparing, with what PDFs are drawn by as usual.
pub(crate) fn bench_engine(
    common: &Common,
    scratch: &Path,
    output: &Output<'_>,
) -> Result<Engine, Failure> {
    let builder = builder(common)?.scratch(scratch).watch(output.interrupt.watch());
    let builder = pdf::drawing(builder, None, output.worker.as_deref())?;
    builder.build().map_err(|error| failure(&error))
}

fn builder(common: &Common) -> Result<EngineBuilder, Failure> {
    let builder = pdf::with_password(Engine::builder(), common)?;
    let builder = match common.threads {
        Some(threads) => builder.threads(usize::from(threads)),
        None => builder,
    };
    let memory =
        common.memory.or_else(|| quarter_of_memory(&std::fs::read_to_string(MEMINFO).ok()?));
    Ok(match memory {
        Some(bytes) => builder.memory(bytes),
        None => builder,
    })
}

/// Where Linux says how much memory there is. Elsewhere the engine's own default holds.
const MEMINFO: &str = "/proc/meminfo";

/// A quarter of `MemTotal`, in bytes.
fn quarter_of_memory(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 256)
}

/// The default limits with another number of decoded pixels.
fn limits(decoded_pixels: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_decoded_pixels = decoded_pixels;
    limits
}

/// How media are brought into shape.
pub(crate) fn prepare_options(args: &WorkArgs) -> Result<PrepareOptions, Failure> {
    let TimeArgs { video, audio_profile, segment, split, dedupe, time_limit } = &args.times;
    let piece =
        |option, text: &Option<String>| text.as_deref().map(|text| time(option, text)).transpose();
    let video = VideoOptions {
        form: video.map_or(VideoForm::Auto, video_form),
        max_side: args.images.max_side,
        split: piece("--split", split)?,
        dedupe: *dedupe,
    };
    let audio =
        AudioOptions { profile: audio_profile.map(profile), segment: piece("--segment", segment)? };
    let images = image_options(&args.images);
    let working_time = time_limit.map(WallTime::from_secs);
    let pdf = pdf::options(&args.pdf, args.images.max_side);
    Ok(PrepareOptions { images, video, audio, pdf, working_time, labels: args.labels })
}

const fn video_form(arg: VideoArg) -> VideoForm {
    match arg {
        VideoArg::Original => VideoForm::Original,
        VideoArg::Frames => VideoForm::Frames,
        VideoArg::Proxy => VideoForm::Proxy,
        VideoArg::Sound => VideoForm::Sound,
    }
}

const fn profile(arg: ProfileArg) -> AudioProfile {
    match arg {
        ProfileArg::Speech => AudioProfile::Speech,
        ProfileArg::Lossless => AudioProfile::Lossless,
        ProfileArg::OneKbps => AudioProfile::OneKbps,
    }
}

const fn image_options(args: &ImageArgs) -> ImageOptions {
    ImageOptions {
        form: match args.images {
            ImagesArg::Whole => ImageForm::Whole,
            ImagesArg::Tiles => ImageForm::Tiles,
        },
        format: match args.image_format {
            ImageFormatArg::Auto => ImageFormat::Auto,
            ImageFormatArg::Jpeg => ImageFormat::Jpeg,
            ImageFormatArg::Png => ImageFormat::Png,
            ImageFormatArg::Webp => ImageFormat::Webp,
        },
        quality: args.quality,
        chroma: match args.chroma {
            ChromaArg::Auto => Chroma::Auto,
            ChromaArg::Subsampled => Chroma::Subsampled,
            ChromaArg::Full => Chroma::Full,
        },
        small_png: args.small_png,
        max_side: args.max_side,
        render: RenderOptions { filter: filter(args.filter), background: args.background },
        allow_truncated: args.allow_truncated,
    }
}

const fn filter(arg: FilterArg) -> Filter {
    match arg {
        FilterArg::Lanczos3 => Filter::Lanczos3,
        FilterArg::CatmullRom => Filter::CatmullRom,
        FilterArg::Bilinear => Filter::Bilinear,
    }
}

/// The rule book, with the rows of `--rules` where one is given.
pub(crate) fn rule_book(rules: Option<&Path>) -> Result<RuleBook, Failure> {
    let broken = |source: String| {
        Failure::option(source, "the rule book's format is described in docs/rule-book.md")
    };
    let mut book = RuleBook::builtin();
    if let Some(path) = rules {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        book.extend(&text)
            .map_err(|error| broken(format!("{}: rules: {error}", path.display())))?;
    }
    Ok(book)
}

/// The day of the request: the given one, or today.
pub(crate) fn date(on: Option<&str>) -> Result<Date, Failure> {
    let today = || jiff::Zoned::now().date().to_string();
    let text = on.map_or_else(today, str::to_owned);
    text.parse().map_err(|error| Failure::option(format!("--on: {error}"), "such as 2026-01-31"))
}

/// The rule of every model asked for: `--model` first, then those of `--compare`.
pub(crate) fn rule_sets<'a>(
    book: &'a RuleBook,
    args: &RuleArgs,
    compare: &[String],
) -> Result<Vec<RuleSet<'a>>, Failure> {
    let date = date(args.on.as_deref())?;
    let default = || book.default_model(date).map(|model| model.id.clone());
    let model = args.model.clone().or_else(default).ok_or_else(|| {
        Failure::option(format!("no stable Flash model is known on {date}"), "name a --model")
    })?;
    let request = |model: &String| RuleRequest {
        model: model.clone(),
        service: service(args.service),
        meter: meter(args.meter),
        date,
    };
    let main = match &args.rule {
        Some(row) => RuleSet::by_row(book, &request(&model), row),
        None => RuleSet::find(book, &request(&model)),
    };
    let others = compare.iter().map(|model| RuleSet::find(book, &request(model)));
    std::iter::once(main)
        .chain(others)
        .map(|found| found.map_err(|error| failure(&error)))
        .collect()
}

/// The same rules with the price of batches.
pub(crate) fn batch_prices(rules: Vec<RuleSet<'_>>) -> Vec<RuleSet<'_>> {
    rules.into_iter().map(|rules| rules.billed(Billing::Batch)).collect()
}

/// What the request asks for, checked.
pub(crate) fn plan_options(args: &RequestArgs) -> Result<PlanOptions, Failure> {
    let clip = Clip {
        start: args.start.as_deref().map(|text| time("--start", text)).transpose()?,
        end: args.end.as_deref().map(|text| time("--end", text)).transpose()?,
    };
    let fps = args.fps.as_deref().map(|text| {
        FrameRate::from_decimal(text).ok_or_else(|| {
            Failure::option(format!("--fps: `{text}` is no rate above 0"), "such as 0.5 or 2")
        })
    });
    let options = PlanOptions {
        media_resolution: args.media_resolution.map(level),
        fps: fps.transpose()?,
        clip,
        route: route(args.route),
        audio_track: match args.audio_track {
            AudioTrackArg::Auto => AudioTrackChoice::Auto,
            AudioTrackArg::None => AudioTrackChoice::None,
        },
        requests: match args.requests {
            RequestsArg::One => Requests::One,
            RequestsArg::Each => Requests::Each,
        },
        prompt: args.prompt.clone(),
    };
    options.validate().map_err(|error| failure(&error))?;
    Ok(options)
}

/// Seconds, `MM:SS` or `H:MM:SS`, with decimals in the seconds.
fn time(option: &str, text: &str) -> Result<Duration, Failure> {
    parse_time(text).ok_or_else(|| {
        let message = format!("{option}: `{text}` is no time");
        Failure::option(message, "seconds, MM:SS or H:MM:SS, such as 90, 1:30 or 1:02:03.5")
    })
}

fn parse_time(text: &str) -> Option<Duration> {
    let mut fields = text.rsplit(':');
    let seconds = Duration::from_decimal(fields.next()?)?;
    let (minutes, hours) = (fields.next(), fields.next());
    if fields.next().is_some() {
        return None;
    }
    if minutes.is_some() && seconds >= Duration::from_seconds(60) {
        return None;
    }
    let whole = |field: Option<&str>| field.map_or(Some(0), |field| field.parse::<u64>().ok());
    let (minutes, hours) = (whole(minutes)?, whole(hours)?);
    let before = hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60)?;
    let ticks = before.checked_mul(u64::from(seconds.timescale()))?.checked_add(seconds.ticks())?;
    Duration::new(ticks, seconds.timescale())
}

/// An engine error that stops the command.
pub(crate) fn failure(error: &Error) -> Failure {
    let hint = error.hint().unwrap_or("see 'mediaprep --help'").to_owned();
    Failure::option(format!("{error}: {}", error.cause()), hint)
}

const fn service(arg: ServiceArg) -> Service {
    match arg {
        ServiceArg::DeveloperApi => Service::DeveloperApi,
        ServiceArg::Vertex => Service::Vertex,
    }
}

const fn meter(arg: MeterArg) -> Meter {
    match arg {
        MeterArg::Billed => Meter::Billed,
        MeterArg::CountTokens => Meter::CountTokens,
        MeterArg::Documented => Meter::Documented,
    }
}

const fn level(arg: LevelArg) -> MediaResolution {
    match arg {
        LevelArg::Low => MediaResolution::Low,
        LevelArg::Medium => MediaResolution::Medium,
        LevelArg::High => MediaResolution::High,
        LevelArg::UltraHigh => MediaResolution::UltraHigh,
    }
}

const fn route(arg: RouteArg) -> RouteChoice {
    match arg {
        RouteArg::Auto => RouteChoice::Auto,
        RouteArg::Inline => RouteChoice::Inline,
        RouteArg::File => RouteChoice::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_memory_is_read_from_the_system() {
        let text = "MemFree: 5 kB\nMemTotal:       24576000 kB\n";
        assert_eq!(quarter_of_memory(text), Some(24_576_000 * 1024 / 4));
        assert_eq!(quarter_of_memory("MemTotal: x kB"), None);
    }

    #[test]
    fn times_are_read_in_three_forms() {
        assert_eq!(parse_time("90"), Some(Duration::from_seconds(90)));
        assert_eq!(parse_time("1:30"), Some(Duration::from_seconds(90)));
        assert_eq!(parse_time("1:02:03.5"), Duration::from_decimal("3723.5"));
        for bad in ["", ":", "1:60", "1:2:3:4", "-1", "a:1"] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
