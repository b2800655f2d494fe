//! What `prepare` leaves on disk: part files, `manifest.json`, request bodies.

mod folder;
mod manifest;
mod names;
mod part_source;
mod request;

pub(crate) use folder::{MANIFEST, OutFolder};
pub(crate) use manifest::{Made, files_before, write_manifest};
pub(crate) use names::Names;
pub(crate) use part_source::{PartSource, find_part};
pub(crate) use request::write_requests;
