//! Tokens by folder: a flat list of sums becomes a tree, cut to what a page can hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::model::Folder;
use super::{DEEPEST, MOST_FOLDERS};
use crate::text::{keep_end, percent, thousands};
use crate::write::plural;

/// Files and their tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    files: u64,
    tokens: u64,
}

impl Sum {
    const fn add(&mut self, other: Self) {
        self.files = self.files.saturating_add(other.files);
        self.tokens = self.tokens.saturating_add(other.tokens);
    }
}

/// The sums of the folders that files lie in.
#[derive(Debug, Default)]
pub(super) struct Folders(HashMap<String, Sum>);

impl Folders {
    /// Counts one file in its folder.
    pub(super) fn add(&mut self, path: &str, tokens: u64) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let sum = Sum { files: 1, tokens };
        match self.0.get_mut(folder) {
            Some(known) => known.add(sum),
            None => {
                self.0.insert(folder.to_owned(), sum);
            }
        }
    }

    /// The tree, its shares being those of `all` tokens.
    pub(super) fn tree(self, all: u64) -> Folder {
        let mut folders: Vec<(String, Sum)> = self.0.into_iter().collect();
        folders.sort_by(|a, b| a.0.cmp(&b.0));
        let shared = shared_parts(&folders);
        let mut root = Node { name: root_name(&folders, shared), ..Node::default() };
        for (path, sum) in &folders {
            let parts = parts(path).skip(shared).take(DEEPEST);
            root.add(parts, *sum);
        }
        let kept = root.dearest();
        root.page(&mut Vec::new(), &kept, all)
    }
}

/// A path's folders; the root of the file system is one of them, called nothing.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| *part != ".")
}

/// How many outer folders all files share.
fn shared_parts(folders: &[(String, Sum)]) -> usize {
    let Some((first, _)) = folders.first() else { return 0 };
    let mut shared = parts(first).count();
    for (path, _) in folders {
        shared = parts(first).zip(parts(path)).take(shared).take_while(|(a, b)| a == b).count();
    }
    shared
}

fn root_name(folders: &[(String, Sum)], shared: usize) -> String {
    let first = folders.first().map_or("", |(path, _)| path.as_str());
    let name = parts(first).take(shared).collect::<Vec<_>>().join("/");
    if name.is_empty() { "all files".to_owned() } else { name }
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    /// Of everything below.
    sum: Sum,
    folders: BTreeMap<String, Self>,
}

impl Node {
    fn add<'a>(&mut self, mut parts: impl Iterator<Item = &'a str>, sum: Sum) {
        self.sum.add(sum);
        if let Some(part) = parts.next() {
            let new = || Self { name: part.to_owned(), ..Self::default() };
            let parts: &mut dyn Iterator<Item = &str> = &mut parts;
            self.folders.entry(part.to_owned()).or_insert_with(new).add(parts, sum);
        }
    }

    /// The paths of the dearest folders. A folder is never dearer than the one it lies in, so that
    /// one is among them too.
    fn dearest(&self) -> BTreeSet<Vec<&str>> {
        let mut all = Vec::new();
        self.collect(&mut Vec::new(), &mut all);
        all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        all.into_iter().take(MOST_FOLDERS).map(|(_, path)| path).collect()
    }

    fn collect<'a>(&'a self, path: &mut Vec<&'a str>, all: &mut Vec<(u64, Vec<&'a str>)>) {
        all.push((self.sum.tokens, path.clone()));
        for folder in self.folders.values() {
            path.push(&folder.name);
            folder.collect(path, all);
            path.pop();
        }
    }

    fn page<'a>(&'a self, path: &mut Vec<&'a str>, kept: &BTreeSet<Vec<&str>>, all: u64) -> Folder {
        let (mut folders, mut others, mut other) = (Vec::new(), 0, Sum::default());
        for folder in self.folders.values() {
            path.push(&folder.name);
            if kept.contains(path) {
                folders.push((folder.sum.tokens, folder.page(path, kept, all)));
            } else {
                others += 1;
                other.add(folder.sum);
            }
            path.pop();
        }
        folders.sort_by_key(|(tokens, _)| std::cmp::Reverse(*tokens));
        let left_out = || {
            let (folders, files) = (plural(others, "more folder"), plural(other.files, "file"));
            format!("{folders}, {files}, {} tokens", thousands(other.tokens))
        };
        Folder {
            name: keep_end(&crate::text::printable(&self.name), 120),
            files: plural(self.sum.files, "file"),
            tokens: thousands(self.sum.tokens),
            share: share(self.sum.tokens, all),
            percent: percent(ratio(self.sum.tokens, all)),
            folders: folders.into_iter().map(|(_, folder)| folder).collect(),
            left_out: (others > 0).then(left_out),
        }
    }
}

/// `part` of `all`.
pub(super) fn ratio(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// The same in thousandths, at most 1000.
pub(super) fn share(part: u64, all: u64) -> u64 {
    if all == 0 {
        return 0;
    }
    let thousandths = u128::from(part.min(all)) * 1000 / u128::from(all);
    u64::try_from(thousandths).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, u64)]) -> Folder {
        let mut folders = Folders::default();
        for (path, tokens) in files {
            folders.add(path, *tokens);
        }
        folders.tree(files.iter().map(|(_, tokens)| tokens).sum())
    }

    #[test]
    fn shared_folders_are_one_name_and_the_dearest_come_first() {
        let root = tree(&[("a/b/x.png", 1), ("a/b/c/y.png", 10), ("a/b/d/e/z.png", 30)]);
        assert_eq!((root.name.as_str(), root.tokens.as_str()), ("a/b", "41"));
        let names: Vec<_> = root.folders.iter().map(|folder| folder.name.as_str()).collect();
        assert_eq!(names, ["d", "c"]);
        assert_eq!(root.folders[0].folders[0].tokens, "30");
        assert_eq!(tree(&[("x.png", 1), ("/y.png", 1)]).name, "all files");
        assert_eq!(tree(&[("/srv/y.png", 1)]).name, "/srv");
    }

    #[test]
    fn deep_and_many_folders_are_cut_and_the_sums_stay() {
        let deep = "d/".repeat(5000) + "x.png";
        let root = tree(&[(&deep, 7), ("y.png", 1)]);
        assert_eq!((root.tokens.as_str(), root.folders[0].tokens.as_str()), ("8", "7"));
        let many: Vec<_> = (0..3000).map(|at| (format!("{at:04}/x.png"), at)).collect();
        let many: Vec<_> = many.iter().map(|(path, tokens)| (path.as_str(), *tokens)).collect();
        let root = tree(&many);
        assert_eq!(root.folders.len(), MOST_FOLDERS - 1);
        assert_eq!(root.folders[0].name, "2999");
        let left_out = 3000 - (MOST_FOLDERS as u64 - 1);
        let tokens = thousands((0..left_out).sum());
        let expected = format!("2,601 more folders, 2,601 files, {tokens} tokens");
        assert_eq!(root.left_out.as_deref(), Some(expected.as_str()));
    }
}
