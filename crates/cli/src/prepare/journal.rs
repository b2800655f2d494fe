//! `.done.ndjson`: what is done, written line by line while it is done, so that a run that was
//! killed goes on where it ended and a second run does nothing twice.
//!
//! There are two kinds of lines. One names a file before it appears, so that whatever a killed run
//! has left is known to be ours. The other describes a whole item, once all of its parts are there:
//! its plan and its source, by which it is recognised, and everything about its parts that is not
//! read back from their headers. A line that is cut off is as if it had never been.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use mediaprep::media::{Dimensions, Duration, Warning, WarningCode};
use mediaprep::{
    Extra, FileStamp, PageSpan, PixelBox, Prepared, PreparedPart, Probed, Region, Role, View,
};
use serde::{Deserialize, Serialize};

use super::folder::{Files, is_ours};

/// The journal's name.
pub(crate) const JOURNAL: &str = ".done.ndjson";

/// One line.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    /// A file that is about to appear.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// An item that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Cow<'a, Done>>,
}

/// An item that is done.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Done {
    /// The hash of its plan, in hex.
    pub(crate) plan: String,
    source: Source,
    parts: Vec<DonePart>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    extras: Vec<DoneExtra>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<DoneWarning>,
}

/// The file that it was made from.
#[derive(Clone, Serialize, Deserialize)]
struct Source {
    bytes: u64,
    /// Nanoseconds since 1970; `None` where the file system does not say.
    modified: Option<i64>,
    sha256: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct DonePart {
    #[serde(flatten)]
    file: Kept,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<ViewBits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Ticks>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<Ticks>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pages: Vec<(u64, u64)>,
}

#[derive(Clone, Serialize, Deserialize)]
struct DoneExtra {
    #[serde(flatten)]
    file: Kept,
    role: Role,
    start: Ticks,
    duration: Ticks,
}

/// A file of the folder.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    file: String,
    bytes: u64,
    sha256: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct DoneWarning {
    code: String,
    message: String,
    hint: Option<String>,
}

/// Ticks and ticks a second: lengths stay exact.
type Ticks = (u64, u32);

/// The numbers of a view; those of its region as bits, so that they stay exact.
type ViewBits = ([u64; 4], [u32; 2], [u32; 4]);

/// The journal of a folder.
pub(crate) struct Journal {
    file: Mutex<File>,
    before: Before,
}

/// What earlier runs have written.
#[derive(Default)]
struct Before {
    done: HashMap<String, Done>,
    files: BTreeSet<String>,
    /// When the last line was written.
    written: Option<SystemTime>,
}

impl Journal {
    /// Opens the journal of a folder, which is begun where there is none; `None` when another
    /// process is writing to the folder.
    ///
    /// # Errors
    ///
    /// What opening and reading give.
    pub(crate) fn open(root: &Path) -> io::Result<Option<Self>> {
        let path = root.join(JOURNAL);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        // A file system without locks is no reason not to work.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Ok(None);
        }
        let (before, is_cut) = Before::read(&file)?;
        if is_cut {
            file.write_all(b"\n")?;
        }
        Ok(Some(Self { file: Mutex::new(file), before }))
    }

    /// Notes that a file is about to appear.
    pub(crate) fn announce(&self, file: &str) {
        self.append(&Line { file: Some(file.to_owned()), item: None });
    }

    /// Notes that an item is done.
    pub(crate) fn add(&self, done: &Done) {
        self.append(&Line { file: None, item: Some(Cow::Borrowed(done)) });
    }

    /// Writes a whole line by one call. What cannot be written is done again some day, and no
    /// reason to stop: where the disk is full, the parts themselves say so.
    fn append(&self, line: &Line<'_>) {
        if let Ok(mut text) = serde_json::to_vec(line) {
            text.push(b'\n');
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = file.write_all(&text);
        }
    }

    /// Every file that earlier runs have written or begun to.
    pub(crate) fn files(&self) -> impl Iterator<Item = &String> {
        self.before.files.iter()
    }

    /// What an earlier run has done by this plan, when its source and its files still stand; with
    /// its source as it is now.
    pub(crate) fn find(
        &self,
        (root, plan): (&Path, &str),
        (source, stamp): (&Path, FileStamp),
    ) -> Option<Done> {
        let done = self.before.done.get(plan)?;
        let modified = nanoseconds(stamp.modified);
        let is_same = done.source.bytes == stamp.bytes
            && ((modified.is_some() && done.source.modified == modified)
                || has_hash(source, &done.source.sha256));
        let stands = |kept: &Kept| kept.stands(root, self.before.written);
        let files = done.parts.iter().map(|part| &part.file);
        let files = files.chain(done.extras.iter().map(|extra| &extra.file)).all(stands);
        let source = Source { modified, ..done.source.clone() };
        (is_same && files).then(|| Done { source, ..done.clone() })
    }

    /// Writes items as a journal of their own.
    pub(crate) fn write<'a>(
        items: impl Iterator<Item = &'a Done>,
        writer: &mut dyn Write,
    ) -> io::Result<()> {
        for item in items {
            let line = Line { file: None, item: Some(Cow::Borrowed(item)) };
            serde_json::to_writer(&mut *writer, &line)?;
            writer.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Before {
    /// Reads all whole lines; also whether the last one is cut off.
    fn read(file: &File) -> io::Result<(Self, bool)> {
        let mut before = Self { written: file.metadata()?.modified().ok(), ..Self::default() };
        let (mut reader, mut line) = (BufReader::new(file), Vec::new());
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                return Ok((before, false));
            }
            if line.last() != Some(&b'\n') {
                return Ok((before, true));
            }
            // What is no line of ours says nothing.
            let Ok(Line { file, item }) = serde_json::from_slice(&line) else { continue };
            before.files.extend(file.filter(|file| is_ours(file)));
            if let Some(item) = item.filter(|item| item.files().all(is_ours)) {
                before.files.extend(item.files().map(str::to_owned));
                before.done.insert(item.plan.clone(), item.into_owned());
            }
        }
    }
}

impl Kept {
    /// Whether the file is there as it was written. One that was written to after the journal is
    /// read; others are known by their size.
    fn stands(&self, root: &Path, written: Option<SystemTime>) -> bool {
        let path = root.join(&self.file);
        let Ok(metadata) = fs::symlink_metadata(&path) else { return false };
        let is_older = match (metadata.modified(), written) {
            (Ok(modified), Some(written)) => modified <= written,
            _ => false,
        };
        metadata.is_file()
            && metadata.len() == self.bytes
            && (is_older || has_hash(&path, &self.sha256))
    }
}

impl Done {
    /// An item as it was made; `None` where its parts and files do not belong together.
    pub(crate) fn new(
        plan: &str,
        stamp: FileStamp,
        (prepared, files): (&Prepared, &Files),
    ) -> Option<Self> {
        if prepared.parts.len() != files.parts.len() || prepared.extras.len() != files.extras.len()
        {
            return None;
        }
        let parts = prepared.parts.iter().zip(&files.parts);
        let extras = prepared.extras.iter().zip(&files.extras);
        let source = Source {
            bytes: stamp.bytes,
            modified: nanoseconds(stamp.modified),
            sha256: hex(&prepared.source_sha256),
        };
        Some(Self {
            plan: plan.to_owned(),
            source,
            parts: parts.map(|(part, file)| DonePart::new(part, file)).collect::<Option<_>>()?,
            extras: extras.map(|(extra, file)| DoneExtra::new(extra, file)).collect(),
            warnings: prepared.warnings.iter().map(DoneWarning::new).collect(),
        })
    }

    /// Its files, in sending order.
    pub(crate) fn kept(&self) -> Files {
        Files {
            parts: self.parts.iter().map(|part| part.file.file.clone()).collect(),
            extras: self.extras.iter().map(|extra| extra.file.file.clone()).collect(),
        }
    }

    fn files(&self) -> impl Iterator<Item = &str> {
        let parts = self.parts.iter().map(|part| part.file.file.as_str());
        parts.chain(self.extras.iter().map(|extra| extra.file.file.as_str()))
    }

    /// The item as it was made; `facts` reads those of a part's file.
    pub(crate) fn prepared(&self, facts: impl Fn(&str) -> Option<Probed>) -> Option<Prepared> {
        let part = |part: &DonePart| part.prepared(facts(&part.file.file)?);
        Some(Prepared {
            source_sha256: unhex(&self.source.sha256)?,
            parts: self.parts.iter().map(part).collect::<Option<_>>()?,
            extras: self.extras.iter().map(DoneExtra::extra).collect::<Option<_>>()?,
            warnings: self.warnings.iter().map(DoneWarning::warning).collect::<Option<_>>()?,
        })
    }
}

impl DonePart {
    fn new(part: &PreparedPart, file: &str) -> Option<Self> {
        let (file, sha256) = (file.to_owned(), hex(&part.sha256));
        Some(Self {
            file: Kept { file, bytes: part.facts.bytes?, sha256 },
            role: part.role,
            view: part.view.as_ref().map(view_bits),
            start: part.start.map(ticks),
            duration: part.duration.map(ticks),
            text: part.text.clone(),
            pages: part.pages.iter().map(|span| (span.first, span.last)).collect(),
        })
    }

    fn prepared(&self, facts: Probed) -> Option<PreparedPart> {
        let length = |ticks: Option<Ticks>| match ticks {
            Some(ticks) => length(ticks).map(Some),
            None => Some(None),
        };
        Some(PreparedPart {
            role: self.role,
            view: match &self.view {
                Some(bits) => Some(view(bits)?),
                None => None,
            },
            facts,
            sha256: unhex(&self.file.sha256)?,
            start: length(self.start)?,
            duration: length(self.duration)?,
            text: self.text.clone(),
            pages: self.pages.iter().map(|&(first, last)| PageSpan { first, last }).collect(),
        })
    }
}

impl DoneExtra {
    fn new(extra: &Extra, file: &str) -> Self {
        let (file, sha256) = (file.to_owned(), hex(&extra.sha256));
        Self {
            file: Kept { file, bytes: extra.bytes, sha256 },
            role: extra.role,
            start: ticks(extra.start),
            duration: ticks(extra.duration),
        }
    }

    fn extra(&self) -> Option<Extra> {
        Some(Extra {
            role: self.role,
            bytes: self.file.bytes,
            sha256: unhex(&self.file.sha256)?,
            start: length(self.start)?,
            duration: length(self.duration)?,
        })
    }
}

impl DoneWarning {
    fn new(warning: &Warning) -> Self {
        Self {
            code: warning.code.as_str().to_owned(),
            message: warning.message.to_string(),
            hint: warning.hint.as_ref().map(ToString::to_string),
        }
    }

    fn warning(&self) -> Option<Warning> {
        let code = WarningCode::ALL.iter().find(|code| code.as_str() == self.code)?;
        let warning = Warning::new(*code, self.message.clone());
        Some(match &self.hint {
            Some(hint) => warning.with_hint(hint.clone()),
            None => warning,
        })
    }
}

fn ticks(length: Duration) -> Ticks {
    (length.ticks(), length.timescale())
}

fn length((ticks, timescale): Ticks) -> Option<Duration> {
    Duration::new(ticks, timescale)
}

fn view_bits(view: &View) -> ViewBits {
    let Region { left, top, width, height } = view.region;
    let PixelBox { left: across, top: down, width: wide, height: high } = view.placed;
    let size = [view.size.width(), view.size.height()];
    ([left, top, width, height].map(f64::to_bits), size, [across, down, wide, high])
}

fn view(([left, top, width, height], [wide, high], placed): &ViewBits) -> Option<View> {
    let [left, top, width, height] = [left, top, width, height].map(|bits| f64::from_bits(*bits));
    let region = Region { left, top, width, height };
    let [left, top, width, height] = *placed;
    let placed = PixelBox { left, top, width, height };
    Some(View { region, size: Dimensions::new(*wide, *high)?, placed })
}

/// Nanoseconds since 1970, before it below 0.
fn nanoseconds(time: Option<SystemTime>) -> Option<i64> {
    let wide = |length: std::time::Duration| i64::try_from(length.as_nanos()).ok();
    match time?.duration_since(UNIX_EPOCH) {
        Ok(since) => wide(since),
        Err(before) => wide(before.duration()).map(|before| -before),
    }
}

/// Whether a file's bytes have this hash.
fn has_hash(path: &Path, sha256: &str) -> bool {
    use sha2::{Digest, Sha256};

    let hash = || -> io::Result<String> {
        let (mut file, mut hash) = (File::open(path)?, Sha256::new());
        io::copy(&mut file, &mut hash)?;
        Ok(hex(&hash.finalize()))
    };
    hash().is_ok_and(|found| found == sha256)
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
