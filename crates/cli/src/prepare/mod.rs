//! What `prepare` leaves on disk: part files, `manifest.json`, request bodies.

mod folder;
mod journal;
mod manifest;
mod names;
mod part_source;
mod plan_hash;
mod request;

pub(crate) use folder::{BATCH, MANIFEST, MEDIA, OutFolder};
pub(crate) use manifest::{Made, ManifestPart, manifest_parts, write_manifest};
pub(crate) use part_source::{PartSource, find_part};
pub(crate) use request::{Bodies, PartFile, Slice, slices, wire_part};
