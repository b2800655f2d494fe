//! Which inputs are the same file twice, byte for byte, found by reading as little as possible.
//!
//! Only files of equal size can be equal, so sizes are compared first and the files of a size that
//! is there once are never opened. Of the others both ends are hashed, 16 KiB each, and only those
//! whose ends agree are read to the end. Nothing is held but a number for each file.

use std::collections::HashMap;
use std::fs::File;
use std::hash::Hash;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::Engine;
use crate::error::{Error, ErrorKind, Stage};
use crate::input::{Input, InputSource};
use crate::probe::telling_extension;
use crate::run::run;

/// Bytes of each end that are hashed before a file is read as a whole.
const END: u64 = 16 << 10;

/// What equal files have in common: the size, and the extension where it says what a file is.
type Shape = (u64, Option<&'static str>);

impl Engine {
    /// Marks every file that has the same bytes as an earlier one, so that it is counted and sent
    /// once: see [`Input::copy_of`]. Returns how many there are.
    ///
    /// Sizes are compared first; what is read is bounded by the files of equal size. A file that
    /// cannot be read is no copy. Inputs that are no files, and empty files, are left alone.
    ///
    /// # Errors
    ///
    /// When the threads cannot be started.
    pub fn mark_copies(&self, inputs: &mut [Input]) -> Result<u64, Error> {
        let all = vec![(0..inputs.len()).collect()];
        let mut groups = self.split(inputs, all, shape)?;
        for hash in [hash_ends, hash_all] {
            groups = self.split(inputs, groups, hash)?;
        }
        let mut copies = 0;
        for group in groups {
            let Some((&first, others)) = group.split_first() else { continue };
            let name: Arc<str> = inputs.get(first).map(Input::name).unwrap_or_default().into();
            for &at in others {
                if let Some(input) = inputs.get_mut(at) {
                    input.mark_copy(Some(Arc::clone(&name)));
                    copies += 1;
                }
            }
        }
        Ok(copies)
    }

    /// Splits groups into those of equal keys; what is alone or has no key is left out.
    fn split<K: Eq + Hash + Send>(
        &self,
        inputs: &[Input],
        groups: Vec<Vec<usize>>,
        key: impl Fn(&Path) -> Option<K> + Sync,
    ) -> Result<Vec<Vec<usize>>, Error> {
        let of = |(group, at): (usize, usize)| match inputs.get(at).map(Input::source) {
            Some(InputSource::Path(path)) => key(path).map(|key| ((group, key), at)),
            _ => None,
        };
        let mut by_key: HashMap<(usize, K), Vec<usize>> = HashMap::new();
        let numbered = groups.into_iter().enumerate();
        let all = numbered.flat_map(|(group, list)| list.into_iter().map(move |at| (group, at)));
        run(self.threads(), all, of, &mut |found| {
            if let Some((key, at)) = found {
                by_key.entry(key).or_default().push(at);
            }
            ControlFlow::Continue(())
        })
        .map_err(|error| Error::new("", Stage::Open, ErrorKind::Io, error))?;
        let mut groups: Vec<_> = by_key.into_values().filter(|group| group.len() > 1).collect();
        groups.sort_unstable();
        Ok(groups)
    }
}

/// What must be equal before anything is read; `None` for what is no file or is empty.
fn shape(path: &Path) -> Option<Shape> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    (metadata.len() > 0).then(|| (metadata.len(), telling_extension(path)))
}

/// The hash of both ends, which of a small file is that of all of it.
fn hash_ends(path: &Path) -> Option<[u8; 32]> {
    let ends = || -> io::Result<_> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader((&file).take(END))?;
        file.seek(SeekFrom::Start(length.saturating_sub(END).max(END)))?;
        hasher.update_reader((&file).take(END))?;
        Ok(hasher.finalize().into())
    };
    ends().ok()
}

/// The hash of all bytes.
fn hash_all(path: &Path) -> Option<[u8; 32]> {
    let all = || -> io::Result<_> {
        let file = File::open(path)?;
        // Both ends were the whole of it.
        if file.metadata()?.len() <= 2 * END {
            return Ok([0; 32]);
        }
        Ok(blake3::Hasher::new().update_reader(file)?.finalize().into())
    };
    all().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_equal_bytes_are_copies() {
        let folder = tempfile::tempdir().unwrap();
        let large: Vec<u8> = (0..200_000u32).map(|at| at.to_le_bytes()[0]).collect();
        let mut middle = large.clone();
        middle[100_000] ^= 1;
        let mut end = large.clone();
        *end.last_mut().unwrap() ^= 1;
        let files: [(&str, &[u8]); 10] = [
            ("a", &large),
            ("b", &middle),
            ("c", &end),
            ("d", &large),
            ("e", b"small"),
            ("f", b"small"),
            ("g", b"smell"),
            ("h.mp3", b"small"),
            ("i", b""),
            ("j", b""),
        ];
        let mut inputs = Vec::new();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            inputs.push(Input::path(path));
        }
        inputs.push(Input::path(folder.path()));
        inputs.push(Input::path(folder.path().join("missing")));
        for threads in [1, 4] {
            let engine = Engine::builder().threads(threads).build().unwrap();
            assert_eq!(engine.mark_copies(&mut inputs).unwrap(), 2);
            let firsts: Vec<Option<String>> = inputs
                .iter()
                .map(|input| input.copy_of().map(|first| first.rsplit('/').next().unwrap().into()))
                .collect();
            let mut expected = vec![None; 12];
            (expected[3], expected[5]) = (Some("a".to_owned()), Some("e".to_owned()));
            assert_eq!(firsts, expected);
        }
    }

    #[test]
    fn ends_of_files_around_their_size_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        for length in [1, END - 1, END, END + 1, 2 * END - 1, 2 * END, 2 * END + 1] {
            let bytes = vec![7; usize::try_from(length).unwrap()];
            for at in [0, bytes.len() / 2, bytes.len() - 1] {
                let (one, other) = (folder.path().join("one"), folder.path().join("other"));
                let mut changed = bytes.clone();
                changed[at] = 8;
                fs::write(&one, &bytes).unwrap();
                fs::write(&other, changed).unwrap();
                let mut inputs = [Input::path(&one), Input::path(&other)];
                let engine = Engine::builder().threads(1).build().unwrap();
                assert_eq!(engine.mark_copies(&mut inputs).unwrap(), 0, "{length} {at}");
            }
        }
    }
}
