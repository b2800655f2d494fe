//! The folder that `prepare` writes: every file appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use mediaprep::{PartBytes, Store};

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
    /// The file of each part, by item and part, relative to the root.
    files: Vec<Vec<String>>,
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
        Ok(Self { root: root.to_owned(), files: Vec::new() })
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Sets the names of the parts.
    pub(crate) fn name_parts(&mut self, names: Vec<Vec<String>>) {
        let place = |name: String| format!("{MEDIA}/{name}");
        let places = |names: Vec<String>| names.into_iter().map(place).collect();
        self.files = names.into_iter().map(places).collect();
    }

    /// The files of one item's parts, relative to the folder.
    pub(crate) fn files(&self, item: usize) -> &[String] {
        self.files.get(item).map(Vec::as_slice).unwrap_or_default()
    }

    /// Removes what was stored of an item that failed.
    pub(crate) fn discard(&self, item: usize) {
        for file in self.files(item) {
            let _ = fs::remove_file(self.root.join(file));
        }
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
        let file = self.files(part.item).get(part.part).ok_or(io::ErrorKind::NotFound)?;
        let bytes = part.bytes;
        self.write(file, &mut |writer| io::copy(bytes, writer).map(drop))
    }
}
