//! From a part back to its source: what the manifest says about it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use mediaprep::media::Dimensions;
use mediaprep::{PixelBox, Region, View};
use serde::Deserialize;

use super::folder::{MANIFEST, MEDIA};
use super::manifest::{CropBox, Size, Transform};
use crate::args::BoxesArgs;
use crate::failure::Failure;

/// Where a part comes from.
#[derive(Debug)]
pub(crate) struct PartSource {
    /// The original file.
    pub(crate) source: PathBuf,
    /// The part's size.
    pub(crate) size: Size,
    /// From source pixels to part pixels.
    pub(crate) transform: Transform,
}

#[derive(Deserialize)]
struct Manifest {
    parts: Vec<ManifestPart>,
}

#[derive(Deserialize)]
struct ManifestPart {
    file: String,
    source: PathBuf,
    width: Option<u32>,
    height: Option<u32>,
    transform: Option<Transform>,
}

/// The part that the model was shown: the one that `--part` names, or `--image` where that is
/// itself a part; `None` when it is the original.
///
/// # Errors
///
/// When a part is named that no manifest speaks of.
pub(crate) fn find_part(args: &BoxesArgs) -> Result<Option<PartSource>, Failure> {
    let part = args.part.as_ref().unwrap_or(&args.image);
    let named = args.part.is_some() || args.manifest.is_some();
    let Some(manifest) = args.manifest.clone().or_else(|| manifest_above(part)) else {
        return if named { Err(no_manifest(part)) } else { Ok(None) };
    };
    let found = look_up(&manifest, part)?;
    match found {
        Some(mut found) => {
            if args.part.is_some() {
                found.source.clone_from(&args.image);
            }
            Ok(Some(found))
        }
        None if named => Err(no_manifest(part)),
        None => Ok(None),
    }
}

fn no_manifest(part: &Path) -> Failure {
    let message = format!("{}: boxes: no {MANIFEST} speaks of this part", part.display());
    Failure::option(message, "name the manifest of the folder that `prepare` wrote")
}

/// The manifest of the folder that `prepare` wrote the part into.
fn manifest_above(part: &Path) -> Option<PathBuf> {
    let media = part.parent()?;
    let is_media = media.canonicalize().ok()?.file_name()? == MEDIA;
    let manifest = media.join("..").join(MANIFEST);
    (is_media && manifest.is_file()).then_some(manifest)
}

fn look_up(manifest: &Path, part: &Path) -> Result<Option<PartSource>, Failure> {
    let file = File::open(manifest).map_err(|error| Failure::file(manifest, &error))?;
    let read: Manifest = serde_json::from_reader(BufReader::new(file)).map_err(|error| {
        let message = format!("{}: no manifest of ours: {error}", manifest.display());
        Failure::option(message, "name the manifest that `prepare` wrote")
    })?;
    let name = part.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let wanted = format!("{MEDIA}/{name}");
    let found = read.parts.into_iter().find(|part| part.file == wanted);
    Ok(found.and_then(|part| {
        let size = Size { width: part.width?, height: part.height? };
        Some(PartSource { source: part.source, size, transform: part.transform? })
    }))
}

impl Transform {
    /// The same as a view; `None` when its numbers make no sense.
    pub(crate) fn view(&self, part: Size) -> Option<View> {
        let CropBox { left, top, width, height } = self.crop;
        let sound = [left, top, width, height].iter().all(|number| number.is_finite());
        let view = View {
            region: Region { left, top, width, height },
            size: Dimensions::new(part.width, part.height)?,
            placed: whole_box(self.placed)?,
        };
        (sound && width > 0.0 && height > 0.0).then_some(view)
    }
}

fn whole_box(place: CropBox) -> Option<PixelBox> {
    let whole = |number: f64| {
        let within = number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 32 bits")]
        #[expect(clippy::cast_sign_loss, reason = "at least 0")]
        let whole = number as u32;
        within.then_some(whole)
    };
    let (width, height) = (whole(place.width)?, whole(place.height)?);
    let place = PixelBox { left: whole(place.left)?, top: whole(place.top)?, width, height };
    (width > 0 && height > 0).then_some(place)
}
