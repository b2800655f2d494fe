//! `mediaprep boxes`: boxes of a model's answer as pixels of the original file, and a picture with
//! them drawn.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use mediaprep::image::{
    Annotation, DecodeOptions, Encoding, GridBox, OutputFormat, RenderOptions, Scratch, annotate,
    decode, encode,
};
use mediaprep::media::{Dimensions, Error as MediaError};
use mediaprep::parts::{AnswerBox, answer_boxes};
use mediaprep::{
    Engine, Error, ErrorKind, ImageInfo, Input, MediaInfo, Outcome, PixelBox, Probed, Region,
    Stage, View,
};
use serde::Serialize;

use crate::args::{BoxesArgs, Common, Format};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::prepare::{PartSource, find_part};
use crate::text::printable;
use crate::{Stop, settings};

/// Longest side of the drawn picture, in pixels: larger ones are scaled down to it.
const LONGEST_DRAWN: u32 = 3072;

/// Most bytes of an answer that are read.
const LONGEST_ANSWER: u64 = 64 << 20;

pub(crate) fn boxes(
    args: &BoxesArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let engine = settings::engine(common)?;
    let part = find_part(args)?;
    let image = part.as_ref().map_or(&args.image, |part| &part.source);
    let (probed, info) = image_facts(&engine, image)?;
    let view = match &part {
        Some(part) => part.view(&info)?,
        None => View::whole(info.displayed(), info.displayed()),
    };
    let rows: Vec<BoxRow> =
        answer(args)?.into_iter().map(|one| BoxRow::new(one, &view, &info)).collect();
    for row in rows.iter().filter_map(|row| row.error.as_ref()) {
        output.report_failure(&Failure::option(
            format!("{}: boxes: {row}", printable(&probed.name)),
            "boxes are [ymin, xmin, ymax, xmax] on a grid of 0 to 1000",
        ));
    }
    if rows.is_empty() {
        output.note("the answer holds no boxes");
    }
    print(args, &probed, &info, &rows, output)?;
    if let Some(out) = &args.draw {
        let drawn = draw(&engine, image, &probed, &info, &rows);
        let bytes = drawn.map_err(|error| settings::failure(&error))?;
        write_whole(out, &bytes).map_err(|error| {
            Failure::option(format!("{}: write: {error}", out.display()), "choose another file")
        })?;
    }
    let failed = rows.iter().any(|row| row.error.is_some());
    Ok(if failed { Status::Failed } else { Status::Done })
}

fn image_facts(engine: &Engine, image: &Path) -> Result<(Box<Probed>, ImageInfo), Failure> {
    let probed = match engine.probe(&Input::path(image)) {
        Outcome::Media(probed) => probed,
        Outcome::Failed(error) => return Err(settings::failure(&error)),
        Outcome::Skipped => unreachable_skip(image)?,
    };
    match probed.info {
        MediaInfo::Image(info) => Ok((probed, info)),
        _ => Err(Failure::option(
            format!("{}: boxes: no still image", image.display()),
            "name the image that the model was shown",
        )),
    }
}

/// A named file is never skipped; should it be, that is no reason to panic.
fn unreachable_skip(image: &Path) -> Result<Box<Probed>, Failure> {
    Err(Failure::option(format!("{}: sniff: no media", image.display()), "name an image"))
}

/// The boxes of the answer in `--in`, or on standard input.
fn answer(args: &BoxesArgs) -> Result<Vec<AnswerBox>, Failure> {
    let path = args.input.clone().unwrap_or_else(|| PathBuf::from("-"));
    let mut bytes = Vec::new();
    crate::inputs::open(&path)
        .and_then(|reader| reader.take(LONGEST_ANSWER).read_to_end(&mut bytes))
        .map_err(|error| Failure::file(&path, &error))?;
    Ok(answer_boxes(&String::from_utf8_lossy(&bytes)))
}

/// One box on its way back to the original.
#[derive(Serialize)]
struct BoxRow {
    label: Option<String>,
    box_2d: [f64; 4],
    /// Pixels of the original as it is shown.
    displayed: Option<Corners>,
    /// Pixels of the original as it is stored.
    stored: Option<Corners>,
    error: Option<String>,
    #[serde(skip)]
    region: Option<Region>,
}

/// First pixels inside and first pixels behind.
#[derive(Clone, Copy, Serialize)]
struct Corners {
    x_min: u32,
    y_min: u32,
    x_max: u32,
    y_max: u32,
}

impl From<PixelBox> for Corners {
    fn from(place: PixelBox) -> Self {
        Self {
            x_min: place.left,
            y_min: place.top,
            x_max: place.left + place.width,
            y_max: place.top + place.height,
        }
    }
}

impl BoxRow {
    fn new(found: AnswerBox, view: &View, info: &ImageInfo) -> Self {
        let AnswerBox { label, box_2d } = found;
        let region = GridBox::new(box_2d).and_then(|grid| grid.region(view));
        let error = region.as_ref().err().map(|error| format!("{box_2d:?}: {error}"));
        let region = region.ok();
        let displayed = region.map(|region| region.pixels(info.displayed()).into());
        let stored = region.map(|region| {
            region.as_stored(info.orientation, info.stored).pixels(info.stored).into()
        });
        Self { label, box_2d, displayed, stored, error, region }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    command: &'static str,
    image: &'a str,
    width: u32,
    height: u32,
    orientation: u8,
    stored_width: u32,
    stored_height: u32,
    boxes: &'a [BoxRow],
}

fn print(
    args: &BoxesArgs,
    probed: &Probed,
    info: &ImageInfo,
    rows: &[BoxRow],
    output: &mut Output<'_>,
) -> io::Result<()> {
    match args.output.format() {
        Format::Table => print_table(rows, output),
        Format::Csv => print_csv(rows, output),
        Format::Ndjson => rows.iter().try_for_each(|row| {
            serde_json::to_writer(&mut *output.data, row)?;
            output.data.write_all(b"\n")
        }),
        Format::Json => {
            let shown = info.displayed();
            let report = Report {
                schema: 1,
                command: "boxes",
                image: &probed.name,
                width: shown.width(),
                height: shown.height(),
                orientation: info.orientation.exif(),
                stored_width: info.stored.width(),
                stored_height: info.stored.height(),
                boxes: rows,
            };
            serde_json::to_writer_pretty(&mut *output.data, &report)?;
            output.data.write_all(b"\n")
        }
    }
}

fn print_table(rows: &[BoxRow], output: &mut Output<'_>) -> io::Result<()> {
    let heading =
        format!(" {:<24} {:>25} {:>25}", "label", "displayed x0 y0 x1 y1", "stored x0 y0 x1 y1");
    let heading = output.bold(&heading);
    writeln!(output.data, "{heading}")?;
    let text = |corners: &Option<Corners>| match corners {
        Some(c) => format!("{} {} {} {}", c.x_min, c.y_min, c.x_max, c.y_max),
        None => "-".to_owned(),
    };
    for row in rows {
        let label: String =
            printable(row.label.as_deref().unwrap_or("-")).chars().take(24).collect();
        writeln!(
            output.data,
            " {label:<24} {:>25} {:>25}",
            text(&row.displayed),
            text(&row.stored)
        )?;
    }
    Ok(())
}

fn print_csv(rows: &[BoxRow], output: &mut Output<'_>) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(&mut *output.data);
    writer.write_record([
        "label",
        "x_min",
        "y_min",
        "x_max",
        "y_max",
        "stored_x_min",
        "stored_y_min",
        "stored_x_max",
        "stored_y_max",
        "error",
    ])?;
    let numbers = |corners: &Option<Corners>| match corners {
        Some(c) => [c.x_min, c.y_min, c.x_max, c.y_max].map(|number| number.to_string()),
        None => Default::default(),
    };
    for row in rows {
        let mut record = vec![row.label.clone().unwrap_or_default()];
        record.extend(numbers(&row.displayed));
        record.extend(numbers(&row.stored));
        record.push(row.error.clone().unwrap_or_default());
        writer.write_record(record)?;
    }
    writer.flush()
}

/// The original upright with the boxes, as PNG.
fn draw(
    engine: &Engine,
    image: &Path,
    probed: &Probed,
    info: &ImageInfo,
    rows: &[BoxRow],
) -> Result<Vec<u8>, Error> {
    let fail = |stage, error: MediaError| Error::from_media(&probed.name, stage, error);
    let limits = engine.limits();
    let refused = limits.check_decoded(info.stored);
    refused.map_err(|limit| fail(Stage::Decode, limit.into()))?;
    let bytes = fs::read(image).map_err(|error| fail(Stage::Open, error.into()))?;
    let Some(mime) = probed.mime_type else {
        return Err(Error::new(&probed.name, Stage::Sniff, ErrorKind::Unsupported, "unknown type")
            .with_hint("name an image"));
    };
    let frame = Dimensions::new(LONGEST_DRAWN, LONGEST_DRAWN).unwrap_or(Dimensions::ONE);
    let shown = info.displayed();
    let view = View::whole(shown, shown.fit_within(frame));
    let options = DecodeOptions { limits: limits.clone(), ..DecodeOptions::default() };
    let picture =
        decode(&bytes, mime, info, &options).map_err(|error| fail(Stage::Decode, error))?.value;
    let mut raster = picture
        .draw(&view, &RenderOptions::default(), &mut Scratch::default())
        .map_err(|error| fail(Stage::Encode, error))?;
    let annotations = annotations(rows, &view, raster.size());
    annotate(&mut raster, &annotations);
    let encoding = Encoding {
        format: OutputFormat::Png { small: false },
        quality: 100,
        chroma: mediaprep::image::Chroma::Full,
    };
    encode(&raster, &encoding).map_err(|error| fail(Stage::Encode, error))
}

fn annotations(rows: &[BoxRow], view: &View, size: Dimensions) -> Vec<Annotation> {
    let (across, down) = view.scale();
    let place = |region: Region| {
        let scaled = Region {
            left: region.left * across,
            top: region.top * down,
            width: region.width * across,
            height: region.height * down,
        };
        scaled.pixels(size)
    };
    let annotation = |row: &BoxRow| {
        let label = row.label.clone().unwrap_or_default();
        row.region.map(|region| Annotation { place: place(region), label })
    };
    rows.iter().filter_map(annotation).collect()
}

/// Writes a file under a temporary name beside it and renames it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

impl PartSource {
    /// The view that the part shows, checked against the file that is there now.
    fn view(&self, info: &ImageInfo) -> Result<View, Failure> {
        let stored = &self.transform.stored;
        if (stored.width, stored.height) != (info.stored.width(), info.stored.height()) {
            let message = format!(
                "{}: boxes: {} x {} pixels; {} x {} when it was prepared",
                self.source.display(),
                info.stored.width(),
                info.stored.height(),
                stored.width,
                stored.height
            );
            return Err(Failure::option(message, "name the file that was prepared"));
        }
        self.transform.view(self.size).ok_or_else(|| {
            let message = format!("{}: the transform makes no sense", self.source.display());
            Failure::option(message, "prepare the image again")
        })
    }
}
