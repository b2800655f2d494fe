//! What part files are called: `<source stem>[-t01|-f000012].<ext>`, each name once.

use std::collections::HashSet;
use std::path::Path;

use mediaprep::Role;

/// Longest stem that is kept, in bytes: room for a suffix within the 255 bytes of a file name.
const LONGEST_STEM: usize = 200;

/// Names that are taken.
#[derive(Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
    /// Stems whose parts would have names that are taken.
    parents: HashSet<String>,
}

impl Names {
    /// A stem for the parts of one source: its own, with a number behind it when another source has
    /// taken that. Letters that differ in case alone count as the same, since some file systems
    /// hold them for the same.
    pub(crate) fn stem(&mut self, source: &str) -> String {
        let stem = clean(source);
        let mut name = stem.clone();
        let mut number = 1u64;
        while !self.take(&name.to_lowercase()) {
            number += 1;
            name = format!("{stem}-{number}");
        }
        name
    }

    /// Takes a name unless it, or that of a part of either source, is taken.
    fn take(&mut self, name: &str) -> bool {
        let parent = parent(name);
        let free = !self.taken.contains(name)
            && !self.parents.contains(name)
            && parent.is_none_or(|parent| !self.taken.contains(parent));
        if free {
            self.taken.insert(name.to_owned());
            self.parents.extend(parent.map(str::to_owned));
        }
        free
    }
}

/// The stem that would give a part of this name.
fn parent(name: &str) -> Option<&str> {
    let (stem, suffix) = name.rsplit_once('-')?;
    let number = suffix.strip_prefix(['t', 'f', 'p'])?;
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some(stem)
}

/// The file name without its extension, as far as it can be a file name everywhere.
fn clean(source: &str) -> String {
    let stem = Path::new(source).file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let usable = |letter: char| {
        let reserved = r#"<>:"/\|?*"#.contains(letter);
        if reserved || letter.is_control() || letter == '\u{fffd}' { '_' } else { letter }
    };
    let mut clean: String = stem.chars().map(usable).collect();
    while clean.len() > LONGEST_STEM {
        clean.pop();
    }
    let trimmed = clean.trim_matches([' ', '.']);
    if trimmed.is_empty() { "part".to_owned() } else { trimmed.to_owned() }
}

/// The file name of one part.
///
/// `parts` is how many the source has, so that names of tiles and pieces sort.
pub(crate) fn part_name(stem: &str, role: Role, parts: u64, extension: &str) -> String {
    let digits = parts.to_string().len().max(2);
    let piece = |segment: Option<u64>| match segment {
        None => format!("{stem}.{extension}"),
        Some(segment) => format!("{stem}-t{segment:0digits$}.{extension}"),
    };
    match role {
        Role::Whole => piece(None),
        Role::Overview => piece(Some(0)),
        Role::Tile { tile } => piece(Some(tile.into())),
        Role::Page { page } => format!("{stem}-p{page:04}.{extension}"),
        Role::Excerpt { excerpt } => piece(Some(excerpt)),
        Role::Frame { frame } => format!("{stem}-f{frame:06}.{extension}"),
        Role::Sound { segment } | Role::Proxy { segment } | Role::Codec2 { segment } => {
            piece(segment)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_a_stem_of_its_own() {
        let mut names = Names::default();
        let stems = ["a/cat.jpg", "b/cat.png", "b/CAT.gif", "cat-2.jpg", "..", "a:b.jpg"];
        let stems = stems.map(|source| names.stem(source));
        assert_eq!(stems, ["cat", "cat-2", "CAT-3", "cat-2-2", "part", "a_b"]);
    }

    #[test]
    fn no_source_has_the_name_of_another_ones_part() {
        let mut names = Names::default();
        let stems = ["x-f000001.jpg", "x.mp4", "y.mp4", "y-t01.png", "y-text.png"];
        let stems = stems.map(|source| names.stem(source));
        assert_eq!(stems, ["x-f000001", "x-2", "y", "y-t01-2", "y-text"]);
    }

    #[test]
    fn tiles_are_numbered_so_that_names_sort() {
        let name = |role, parts| part_name("x", role, parts, "jpg");
        assert_eq!(name(Role::Whole, 1), "x.jpg");
        assert_eq!(name(Role::Tile { tile: 7 }, 13), "x-t07.jpg");
        assert_eq!(name(Role::Tile { tile: 7 }, 120), "x-t007.jpg");
        assert_eq!(name(Role::Overview, 13), "x-t00.jpg");
        assert_eq!(name(Role::Frame { frame: 12 }, 60), "x-f000012.jpg");
        assert_eq!(name(Role::Sound { segment: Some(3) }, 3), "x-t03.jpg");
        assert_eq!(name(Role::Proxy { segment: None }, 1), "x.jpg");
    }

    #[test]
    fn long_names_are_cut_at_a_letter() {
        let long = format!("{}.png", "ü".repeat(200));
        let stem = Names::default().stem(&long);
        assert!(stem.len() <= LONGEST_STEM && stem.chars().all(|letter| letter == 'ü'));
    }
}
