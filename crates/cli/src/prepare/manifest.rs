//! `manifest.json`: the plan as `budget` prints it, and every part with where its pixels come from.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use mediaprep::media::{Dimensions, MimeType, Orientation};
use mediaprep::tokens::Route;
use mediaprep::{
    Budgeted, Charge, How, MediaInfo, PageSpan, Planned, Preparation, Prepared, PreparedPart,
    Reason, Region, Role, TokenSplit, View,
};
use serde::{Deserialize, Serialize, Serializer};

use super::folder::{Files, MANIFEST, OutFolder, is_ours};
use super::journal::hex;
use crate::fitted::FittedItem;
use crate::item::{JsonItem, Number, Row, dollars, seconds};
use crate::write::{Document, Head, Summary};

/// One item as it came out.
pub(crate) struct Made {
    /// Its place in the preparation; `None` for a copy of another item.
    pub(crate) item: Option<usize>,
    /// Facts and charge, as reports show them.
    pub(crate) budgeted: Budgeted,
    /// What was made; `None` when it failed.
    pub(crate) prepared: Option<Prepared>,
    /// Where that is; of a copy, where the other item is.
    pub(crate) files: Files,
    /// What each part is charged.
    pub(crate) charges: Vec<Charge>,
    /// Where each part is sent; empty before that is known.
    pub(crate) sent: Vec<Sent>,
}

/// Where a part is sent.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Sent {
    /// The file of the request; empty for a part that is in none.
    #[serde(rename = "request", serialize_with = "named")]
    pub(crate) file: String,
    /// The line of a batch, from 1.
    #[serde(rename = "batch_line", skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    /// By what the result of the batch's line is found.
    #[serde(rename = "batch_key", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// A name, or `null` where there is none.
fn named<S: Serializer>(name: &str, serializer: S) -> Result<S::Ok, S::Error> {
    Some(name).filter(|name| !name.is_empty()).serialize(serializer)
}

impl Made {
    /// The parts that are sent.
    pub(crate) fn parts(&self) -> &[PreparedPart] {
        self.prepared.as_ref().map(|prepared| prepared.parts.as_slice()).unwrap_or_default()
    }

    /// The source's name.
    pub(crate) fn name(&self) -> &str {
        match &self.budgeted.probed {
            Ok(probed) => &probed.name,
            Err(error) => error.input(),
        }
    }

    /// What was planned for it.
    fn planned<'a>(&self, preparation: &'a Preparation<'_>) -> Option<&'a Planned> {
        preparation.items.get(self.item?)?.planned.as_ref().ok()
    }

    /// Each part with its charge and its file.
    pub(crate) fn charged_parts(&self) -> impl Iterator<Item = (&PreparedPart, &Charge, &str)> {
        let files = self.files.parts.iter().map(String::as_str);
        let parts = self.parts().iter().zip(&self.charges).zip(files);
        parts.map(|((part, charge), file)| (part, charge, file))
    }
}

/// An item with what became of it.
#[derive(Serialize)]
struct ManifestItem<'a> {
    #[serde(flatten)]
    item: JsonItem<'a>,
    how: Option<How>,
    #[serde(skip_serializing_if = "<[Reason]>::is_empty")]
    why: &'a [Reason],
    as_is: Option<AsIs>,
    /// What was given up for a budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    fit: Option<FittedItem<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_files: Vec<ExtraFile<'a>>,
    /// The part files that stand for a copy.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    files: &'a [String],
}

/// A file that is kept beside the parts and never sent.
#[derive(Serialize)]
struct ExtraFile<'a> {
    file: &'a str,
    sha256: String,
    bytes: u64,
    #[serde(flatten)]
    role: Role,
    start_s: Number,
    duration_s: Number,
}

/// What the item would cost without being prepared.
#[derive(Serialize)]
struct AsIs {
    tokens: TokenSplit,
    cost_usd: Option<f64>,
}

/// A part with everything that is known of it.
#[derive(Serialize)]
pub(crate) struct ManifestPart<'a> {
    file: &'a str,
    source: &'a str,
    source_sha256: String,
    sha256: String,
    mime_type: Option<MimeType>,
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_s: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<Number>,
    #[serde(flatten)]
    role: Role,
    /// The source's pages, in the order of the part's.
    #[serde(skip_serializing_if = "<[PageSpan]>::is_empty")]
    pages: &'a [PageSpan],
    /// What stands before it in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    how: How,
    tokens: TokenSplit,
    evidence: &'static str,
    route: Route,
    #[serde(flatten)]
    sent: Sent,
    #[serde(skip_serializing_if = "Option::is_none")]
    transform: Option<Transform>,
}

/// From source pixels to part pixels. The source is turned by `orientation`, then `crop` of it is
/// scaled into `placed` of the part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transform {
    /// The source's size as stored.
    pub(crate) stored: Size,
    /// Exif value of what turns it upright, 1 to 8.
    pub(crate) orientation: u8,
    /// Degrees clockwise of that, after mirroring.
    rotation: u16,
    /// Whether it mirrors left and right, before turning.
    mirrored: bool,
    /// The box of the upright source that is seen.
    pub(crate) crop: CropBox,
    /// Part pixels per source pixel.
    scale: Scale,
    /// Where the box lies in the part.
    pub(crate) placed: CropBox,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct CropBox {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Scale {
    x: f64,
    y: f64,
}

impl Transform {
    fn new(stored: Dimensions, orientation: Orientation, view: &View) -> Self {
        let (x, y) = view.scale();
        let Region { left, top, width, height } = view.region;
        let placed = CropBox {
            left: view.placed.left.into(),
            top: view.placed.top.into(),
            width: view.placed.width.into(),
            height: view.placed.height.into(),
        };
        let (rotation, mirrored) = turn(orientation);
        Self {
            stored: Size { width: stored.width(), height: stored.height() },
            orientation: orientation.exif(),
            rotation,
            mirrored,
            crop: CropBox { left, top, width, height },
            scale: Scale { x, y },
            placed,
        }
    }
}

/// Degrees clockwise after mirroring left and right, and whether there is mirroring.
const fn turn(orientation: Orientation) -> (u16, bool) {
    match orientation {
        Orientation::Upright => (0, false),
        Orientation::FlipHorizontal => (0, true),
        Orientation::Rotate180 => (180, false),
        Orientation::FlipVertical => (180, true),
        Orientation::Transpose => (270, true),
        Orientation::Rotate90 => (90, false),
        Orientation::Transverse => (90, true),
        Orientation::Rotate270 => (270, false),
    }
}

/// Writes the manifest and removes what an earlier run has left.
///
/// # Errors
///
/// What writing gives.
pub(crate) fn write_manifest(
    folder: &OutFolder,
    head: &Head<'_>,
    summary: &Summary,
    preparation: &Preparation<'_>,
    made: &[Made],
) -> io::Result<()> {
    let models: Vec<String> = head.rules.iter().map(|rules| rules.key.model.clone()).collect();
    let row = |made| Row { item: budgeted(made), models: &models, explained: None, contents: None };
    let rows: Vec<Row<'_>> = made.iter().map(row).collect();
    let items = made.iter().zip(&rows).map(|(made, row)| item(made, row, preparation)).collect();
    let mut parts: Vec<ManifestPart<'_>> = Vec::new();
    for one in made {
        parts.extend(manifest_parts(preparation, one));
    }
    let document = Document::new(head, summary, items, &parts);
    folder.write(MANIFEST, &mut |writer| {
        serde_json::to_writer_pretty(&mut *writer, &document)?;
        writer.write_all(b"\n")
    })
}

const fn budgeted(made: &Made) -> &Budgeted {
    &made.budgeted
}

fn item<'a>(
    made: &'a Made,
    row: &'a Row<'_>,
    preparation: &'a Preparation<'_>,
) -> ManifestItem<'a> {
    let planned = made.planned(preparation);
    let as_is = planned.and_then(|planned| planned.as_is.as_ref());
    ManifestItem {
        item: row.json(),
        how: planned.map(|planned| planned.plan.how()),
        why: planned.map(|planned| planned.plan.why()).unwrap_or_default(),
        fit: planned
            .and(preparation.fit.as_ref())
            .and_then(|fit| fit.items.get(made.item?).map(FittedItem::new)),
        extra_files: extra_files(made),
        files: if made.item.is_none() { &made.files.parts } else { &[] },
        as_is: as_is
            .map(|charge| AsIs { tokens: charge.tokens, cost_usd: charge.cost.map(dollars) }),
    }
}

fn extra_files(made: &Made) -> Vec<ExtraFile<'_>> {
    let extras = made.prepared.iter().flat_map(|prepared| &prepared.extras);
    extras
        .zip(&made.files.extras)
        .map(|(extra, file)| ExtraFile {
            file,
            sha256: hex(&extra.sha256),
            bytes: extra.bytes,
            role: extra.role,
            start_s: seconds(extra.start),
            duration_s: seconds(extra.duration),
        })
        .collect()
}

/// What is known of each part of an item.
pub(crate) fn manifest_parts<'a>(
    preparation: &'a Preparation<'_>,
    made: &'a Made,
) -> impl Iterator<Item = ManifestPart<'a>> {
    let planned = made.planned(preparation);
    let parts = made.charged_parts().enumerate();
    let hash = made.prepared.as_ref().map(|prepared| hex(&prepared.source_sha256));
    parts.filter_map(move |(at, (part, charge, file))| {
        let planned = planned?;
        let size = part.facts.info.dimensions();
        Some(ManifestPart {
            file,
            source: &planned.probed.name,
            source_sha256: hash.clone()?,
            sha256: hex(&part.sha256),
            mime_type: part.facts.mime_type,
            bytes: part.facts.bytes,
            width: size.map(Dimensions::width),
            height: size.map(Dimensions::height),
            start_s: part.start.map(seconds),
            duration_s: part.duration.map(seconds),
            role: part.role,
            pages: &part.pages,
            text: part.text.as_deref(),
            how: planned.plan.how(),
            tokens: charge.tokens,
            evidence: charge.evidence.as_str(),
            route: charge.route,
            sent: made.sent.get(at).cloned().unwrap_or_default(),
            transform: transform(&planned.probed.info, part),
        })
    })
}

fn transform(source: &MediaInfo, part: &PreparedPart) -> Option<Transform> {
    let (MediaInfo::Image(image), Some(view)) = (source, &part.view) else { return None };
    Some(Transform::new(image.stored, image.orientation, view))
}

/// The files that an earlier run has left: its parts and its requests. Only names within the
/// folder's own places count, whatever the manifest says.
pub(crate) fn files_before(root: &Path) -> Vec<String> {
    #[derive(Deserialize)]
    struct Before {
        parts: Vec<PartBefore>,
        items: Vec<ItemBefore>,
    }
    #[derive(Deserialize)]
    struct ItemBefore {
        #[serde(default)]
        extra_files: Vec<PartBefore>,
    }
    #[derive(Deserialize)]
    struct PartBefore {
        file: String,
        request: Option<String>,
    }
    let Ok(file) = File::open(root.join(MANIFEST)) else { return Vec::new() };
    let before: Result<Before, _> = serde_json::from_reader(BufReader::new(file));
    let Ok(before) = before else { return Vec::new() };
    let extras = before.items.into_iter().flat_map(|item| item.extra_files);
    let files = before
        .parts
        .into_iter()
        .chain(extras)
        .flat_map(|part| [Some(part.file), part.request])
        .flatten();
    let mut files: Vec<String> = files.filter(|file| is_ours(file)).collect();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_within_the_folder_are_removed() {
        for ours in ["media/a.jpg", "request.json", "request-0001.json"] {
            assert!(is_ours(ours), "{ours}");
        }
        for foreign in ["media/../a", "media/..", "/etc/x", "media/", "../request.json", "a.json"] {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }
}
