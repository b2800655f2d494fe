//! The folder that `prepare` writes: every file appears whole or not at all.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mediaprep::media::WarningCode;
use mediaprep::{
    Engine, FileStamp, How, Input, Outcome, PartBytes, Planned, PlannedItem, Preparation, Prepared,
    Probed, Store,
};

use super::journal::{Done, JOURNAL, Journal};
use super::manifest::files_before;
use super::names::{Names, part_name};
use super::plan_hash::Plans;
use crate::failure::Failure;
use crate::output::Interrupt;

/// Where files are until they are whole.
const PARTIAL: &str = ".partial";
/// Where the parts are.
pub(crate) const MEDIA: &str = "media";
/// The name of a batch's requests.
pub(crate) const BATCH: &str = "batch.jsonl";
/// The manifest's name.
pub(crate) const MANIFEST: &str = "manifest.json";

/// The folder with the names that its parts will have.
pub(crate) struct OutFolder {
    root: PathBuf,
    journal: Journal,
    /// The files that the manifest of an earlier run speaks of.
    before: Vec<String>,
    /// Reads back what was made before.
    engine: Engine,
    work: Vec<Work>,
    /// What was stored of each item.
    stored: Mutex<Vec<Stored>>,
}

/// What is to be done for one item; nothing where it has no plan.
#[derive(Default)]
struct Work {
    /// The stem of its files.
    stem: String,
    /// How many parts it has.
    parts: u64,
    /// The hash of its plan, and its file as it was planned; `None` for what is no file.
    resume: Option<(String, PathBuf, FileStamp)>,
}

/// What was stored of one item.
#[derive(Clone, Default)]
struct Stored {
    files: Files,
    /// The same for the journal, once all is there.
    done: Option<Done>,
    /// Whether an earlier run has done it.
    resumed: bool,
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
    pub(crate) fn open(
        root: &Path,
        engine: &Engine,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let message = format!("{}: write: {error}", root.display());
            Failure::option(message, "choose a folder that can be written to")
        };
        let media = root.join(MEDIA);
        let foreign = !root.join(MANIFEST).exists()
            && !root.join(JOURNAL).exists()
            && fs::read_dir(&media).is_ok_and(|mut entries| entries.next().is_some());
        if foreign {
            let message =
                format!("{}: write: holds files that no {MANIFEST} speaks of", media.display());
            return Err(Failure::option(message, "choose an empty folder"));
        }
        let partial = root.join(PARTIAL);
        fs::create_dir_all(&media).map_err(failed)?;
        let Some(journal) = Journal::open(root).map_err(failed)? else {
            let message = format!("{}: write: another run is writing there", root.display());
            return Err(Failure::option(message, "wait for it, or choose another folder"));
        };
        // What a killed run has left is no good to anybody.
        remove_if_there(&partial).map_err(failed)?;
        fs::create_dir_all(&partial).map_err(failed)?;
        interrupt.remove_on_interrupt(partial);
        let before = files_before(root);
        let (root, engine) = (root.to_owned(), engine.clone());
        let (work, stored) = (Vec::new(), Mutex::default());
        Ok(Self { root, journal, before, engine, work, stored })
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where temporary files go, which are of no use once the command has ended.
    pub(crate) fn scratch(root: &Path) -> PathBuf {
        root.join(PARTIAL)
    }

    /// Sets what is to be done: a stem for the files of every item, and by what its work is known
    /// when it is done already.
    pub(crate) fn take_on(&mut self, preparation: &Preparation<'_>) {
        let mut names = Names::default();
        let plans = Plans::new(preparation, &self.engine);
        let work = |item: &PlannedItem| {
            let Ok(planned) = &item.planned else { return Work::default() };
            let (stem, parts) = (names.stem(&planned.probed.name), planned.part_count());
            let file = item.input.file().zip(item.stamp);
            let resume = file.map(|(path, stamp)| {
                let plan = plans.hash((planned, &item.options), path, (&stem, parts));
                (plan, path.to_owned(), stamp)
            });
            Work { stem, parts, resume }
        };
        self.work = preparation.items.iter().map(work).collect();
        self.stored = Mutex::new(vec![Stored::default(); self.work.len()]);
    }

    fn stored(&self) -> MutexGuard<'_, Vec<Stored>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files of one item.
    pub(crate) fn files(&self, item: usize) -> Files {
        let stored = self.stored();
        let mut files = stored.get(item).map(|stored| stored.files.clone()).unwrap_or_default();
        // A page that was lost, or a frame that was left out, leaves its place empty.
        files.parts.retain(|file| !file.is_empty());
        files
    }

    /// How many items an earlier run had done.
    pub(crate) fn resumed(&self) -> usize {
        self.stored().iter().filter(|stored| stored.resumed).count()
    }

    /// Removes what was stored of an item that failed.
    pub(crate) fn discard(&self, item: usize) {
        let stored = self.stored().get_mut(item).map(std::mem::take).unwrap_or_default();
        let files = stored.files;
        for file in files.parts.iter().chain(&files.extras).filter(|file| !file.is_empty()) {
            let _ = fs::remove_file(self.root.join(file));
        }
    }

    /// Remembers the file of a part.
    fn remember(&self, item: usize, part: usize, (is_extra, file): (bool, String)) {
        let mut stored = self.stored();
        let Some(Stored { files, .. }) = stored.get_mut(item) else { return };
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
        if ![MANIFEST, JOURNAL].contains(&file) {
            self.journal.announce(file);
        }
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

    /// Removes the files of earlier runs that this one has not made again, and what is only
    /// needed while running.
    pub(crate) fn close(&self, now: &[&str]) {
        let now: HashSet<&str> = now.iter().copied().collect();
        let before = self.before.iter().chain(self.journal.files());
        for file in before.filter(|file| !now.contains(file.as_str())) {
            let _ = fs::remove_file(self.root.join(file));
        }
        let stored = self.stored();
        let done = || stored.iter().filter_map(|stored| stored.done.as_ref());
        // The longer journal that is there says the same.
        let _ = self.write(JOURNAL, &mut |writer| Journal::write(done(), writer));
        let _ = fs::remove_dir_all(self.root.join(PARTIAL));
    }
}

/// Whether a name that is read somewhere is one of a file that is written here.
pub(super) fn is_ours(file: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '\\']) && name != "..";
    match file.strip_prefix("media/") {
        Some(name) => is_name(name),
        None => {
            let is_request = file.starts_with("request") && file.ends_with(".json");
            (is_request || file == BATCH) && is_name(file)
        }
    }
}

impl OutFolder {
    /// The facts of a part that was made before, by its header; of what is passed on, its source's.
    fn facts(&self, file: &str, planned: &Planned) -> Option<Probed> {
        if planned.plan.how() == How::Passed {
            return Some((*planned.probed).clone());
        }
        match self.engine.probe(&Input::path(self.root.join(file))) {
            Outcome::Media(probed) => Some(Probed { name: planned.probed.name.clone(), ..*probed }),
            Outcome::Skipped | Outcome::Failed(_) => None,
        }
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
        let Work { stem, parts, .. } = self.work.get(part.item).ok_or(io::ErrorKind::NotFound)?;
        let file = format!("{MEDIA}/{}", part_name(stem, part.role, *parts, part.extension));
        self.remember(part.item, part.part, (part.role.is_extra(), file.clone()));
        let bytes = part.bytes;
        self.write(&file, &mut |writer| io::copy(bytes, writer).map(drop))
    }

    fn resume(&self, item: usize, planned: &Planned) -> Option<Prepared> {
        let (plan, source, stamp) = self.work.get(item)?.resume.as_ref()?;
        let done = self.journal.find((&self.root, plan), (source, *stamp))?;
        let prepared = done.prepared(|file| self.facts(file, planned))?;
        let stored = Stored { files: done.kept(), done: Some(done), resumed: true };
        *self.stored().get_mut(item)? = stored;
        Some(prepared)
    }

    fn finished(&self, item: usize, prepared: &Prepared) {
        // A page that was lost may be found the next time.
        if prepared.warnings.iter().any(|warning| warning.code == WarningCode::PageLost) {
            return;
        }
        let resume = self.work.get(item).and_then(|work| work.resume.as_ref());
        let done = resume
            .and_then(|(plan, _, stamp)| Done::new(plan, *stamp, (prepared, &self.files(item))));
        if let Some(done) = done {
            self.journal.add(&done);
            if let Some(stored) = self.stored().get_mut(item) {
                stored.done = Some(done);
            }
        }
    }

    fn discard(&self, item: usize, part: usize) {
        let mut stored = self.stored();
        let place = stored.get_mut(item).and_then(|stored| stored.files.parts.get_mut(part));
        if let Some(file) = place.map(std::mem::take).filter(|file| !file.is_empty()) {
            let _ = fs::remove_file(self.root.join(file));
        }
    }
}
