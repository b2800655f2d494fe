//! Inputs that are copies of others, apart from those that are prepared.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::Error;
use crate::input::{FileStamp, Input};
use crate::probe::Probed;

/// An input with the same bytes as an item.
#[derive(Clone, Debug)]
pub struct Duplicate {
    /// The place of that item in [`crate::Preparation::items`].
    pub of: usize,
    /// How many items come before it in input order.
    pub behind: usize,
    /// Its own facts.
    pub probed: Box<Probed>,
}

/// An input that is media or should have been.
pub(super) struct FoundItem {
    pub(super) input: Input,
    /// Its facts, or why there are none.
    pub(super) probed: Result<Box<Probed>, Error>,
    /// The file as it was before its header was read.
    pub(super) stamp: Option<FileStamp>,
}

/// Takes the copies of media out. One whose first could not be read stands for itself.
pub(super) fn set_copies_apart(found: Vec<FoundItem>) -> (Vec<FoundItem>, Vec<Duplicate>) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut items, mut copies) = (Vec::with_capacity(found.len()), Vec::new());
    // Only the names of those that have copies are kept.
    let firsts: HashSet<Arc<str>> =
        found.iter().filter_map(|found| found.input.copy_mark().cloned()).collect();
    for FoundItem { input, probed, stamp } in found {
        let of = input.copy_of().and_then(|first| places.get(first)).copied();
        match (of, probed) {
            (Some(of), Ok(probed)) => copies.push(Duplicate { of, behind: items.len(), probed }),
            (_, probed) => {
                let name = input.name();
                if probed.is_ok() && firsts.contains(name.as_str()) {
                    places.entry(name).or_insert(items.len());
                }
                items.push(FoundItem { input, probed, stamp });
            }
        }
    }
    (items, copies)
}
