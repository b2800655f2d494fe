//! What part files are called: `<source stem>[-t01].<ext>`, each name once.

use std::collections::HashSet;
use std::path::Path;

use mediaprep::Role;
use mediaprep::media::MimeType;

/// Longest stem that is kept, in bytes: room for a suffix within the 255 bytes of a file name.
const LONGEST_STEM: usize = 200;

/// Names that are taken.
#[derive(Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// A stem for the parts of one source: its own, with a number behind it when another source has
    /// taken that. Letters that differ in case alone count as the same, since some file systems
    /// hold them for the same.
    pub(crate) fn stem(&mut self, source: &str) -> String {
        let stem = clean(source);
        let mut name = stem.clone();
        let mut number = 1u64;
        while !self.taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{stem}-{number}");
        }
        name
    }
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
pub(crate) fn part_name(stem: &str, role: Role, parts: usize, mime: Option<MimeType>) -> String {
    let extension = mime.map_or("bin", MimeType::extension);
    let digits = parts.to_string().len().max(2);
    match role {
        Role::Whole => format!("{stem}.{extension}"),
        Role::Overview => format!("{stem}-t{:0digits$}.{extension}", 0),
        Role::Tile { tile } => format!("{stem}-t{tile:0digits$}.{extension}"),
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
    fn tiles_are_numbered_so_that_names_sort() {
        let name = |role, parts| part_name("x", role, parts, Some(MimeType::Jpeg));
        assert_eq!(name(Role::Whole, 1), "x.jpg");
        assert_eq!(name(Role::Tile { tile: 7 }, 13), "x-t07.jpg");
        assert_eq!(name(Role::Tile { tile: 7 }, 120), "x-t007.jpg");
        assert_eq!(name(Role::Overview, 13), "x-t00.jpg");
    }

    #[test]
    fn long_names_are_cut_at_a_letter() {
        let long = format!("{}.png", "ü".repeat(200));
        let stem = Names::default().stem(&long);
        assert!(stem.len() <= LONGEST_STEM && stem.chars().all(|letter| letter == 'ü'));
    }
}
