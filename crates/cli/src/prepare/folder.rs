//! The folder that `prepare` writes: every file appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mediaprep::{PartBytes, Store};

use super::names::part_name;
use crate::failure::Failure;
use crate::output::Interrupt;

/// Where files are until they are whole.
const PARTIAL: &str = ".partial";
/// Where the parts are.
pub(crate) const MEDIA: &str = "media";
/// The manifest's name.
pub(crate) const MANIFEST: &str = "manifest.json";

/// The folder with the names that its parts will have.
pub(crate) struct OutFolder {
    root: PathBuf,
    /// The stem of each item's files, and how many parts it has.
    stems: Vec<(String, u64)>,
    /// What was stored of each item.
    stored: Mutex<Vec<Files>>,
}

/// The files of one item, relative to the root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// Those of its parts, in sending order.
    pub(crate) parts: Vec<String>,
    /// Those that are kept beside them.
    pub(crate) extras: Vec<String>,
}

impl OutFolder {
    /// Makes the folder, or takes over one that an earlier run has left.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or holds media that no manifest speaks of.
    pub(crate) fn open(root: &Path, interrupt: &Interrupt) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let message = format!("{}: write: {error}", root.display());
            Failure::option(message, "choose a folder that can be written to")
        };
        let media = root.join(MEDIA);
        let foreign = !root.join(MANIFEST).exists()
            && fs::read_dir(&media).is_ok_and(|mut entries| entries.next().is_some());
        if foreign {
            let message =
                format!("{}: write: holds files that no {MANIFEST} speaks of", media.display());
            return Err(Failure::option(message, "choose an empty folder"));
        }
        let partial = root.join(PARTIAL);
        fs::create_dir_all(&media).map_err(failed)?;
        // What a killed run has left is no good to anybody.
        remove_if_there(&partial).map_err(failed)?;
        fs::create_dir_all(&partial).map_err(failed)?;
        interrupt.remove_on_interrupt(partial);
        Ok(Self { root: root.to_owned(), stems: Vec::new(), stored: Mutex::default() })
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where temporary files go, which are of no use once the command has ended.
    pub(crate) fn scratch(root: &Path) -> PathBuf {
        root.join(PARTIAL)
    }

    /// Sets the stem of each item's files, and how many parts it has.
    pub(crate) fn name_items(&mut self, stems: Vec<(String, u64)>) {
        self.stored = Mutex::new(vec![Files::default(); stems.len()]);
        self.stems = stems;
    }

    fn stored(&self) -> MutexGuard<'_, Vec<Files>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files of one item.
    pub(crate) fn files(&self, item: usize) -> Files {
        let mut files = self.stored().get(item).cloned().unwrap_or_default();
        // A page that was lost, or a frame that was left out, leaves its place empty.
        files.parts.retain(|file| !file.is_empty());
        files
    }

    /// Removes what was stored of an item that failed.
    pub(crate) fn discard(&self, item: usize) {
        let files = self.stored().get_mut(item).map(std::mem::take).unwrap_or_default();
        for file in files.parts.iter().chain(&files.extras).filter(|file| !file.is_empty()) {
            let _ = fs::remove_file(self.root.join(file));
        }
    }

    /// Remembers the file of a part.
    fn remember(&self, item: usize, part: usize, (is_extra, file): (bool, String)) {
        let mut stored = self.stored();
        let Some(files) = stored.get_mut(item) else { return };
        let list = if is_extra { &mut files.extras } else { &mut files.parts };
        if list.len() <= part {
            list.resize(part + 1, String::new());
        }
        list[part] = file;
    }

    /// Writes a file under a temporary name and renames it when it is whole.
    ///
    /// # Errors
    ///
    /// What writing gives; the file is then as it was before.
    pub(crate) fn write(
        &self,
        file: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let temporary = self.root.join(PARTIAL).join(file.replace('/', "-"));
        let mut writer = BufWriter::with_capacity(1 << 18, File::create(&temporary)?);
        let written = fill(&mut writer).and_then(|()| writer.flush());
        drop(writer);
        let kept = written.and_then(|()| fs::rename(&temporary, self.root.join(file)));
        if kept.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        kept
    }

    /// Removes the files of an earlier run that this one has not made again, and what is only
    /// needed while running.
    pub(crate) fn close(&self, before: &[String], now: &[&str]) {
        for file in before.iter().filter(|file| !now.contains(&file.as_str())) {
            let _ = fs::remove_file(self.root.join(file));
        }
        let _ = fs::remove_dir_all(self.root.join(PARTIAL));
    }
}

impl Drop for OutFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.root.join(PARTIAL));
    }
}

fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Store for OutFolder {
    fn store(&self, part: PartBytes<'_>) -> io::Result<()> {
        let (stem, parts) = self.stems.get(part.item).ok_or(io::ErrorKind::NotFound)?;
        let file = format!("{MEDIA}/{}", part_name(stem, part.role, *parts, part.extension));
        self.remember(part.item, part.part, (part.role.is_extra(), file.clone()));
        let bytes = part.bytes;
        self.write(&file, &mut |writer| io::copy(bytes, writer).map(drop))
    }

    fn discard(&self, item: usize, part: usize) {
        let mut stored = self.stored();
        let place = stored.get_mut(item).and_then(|files| files.parts.get_mut(part));
        if let Some(file) = place.map(std::mem::take).filter(|file| !file.is_empty()) {
            let _ = fs::remove_file(self.root.join(file));
        }
    }
}
