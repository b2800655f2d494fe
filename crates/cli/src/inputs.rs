//! From paths, folders, lists and facts to the engine's inputs, in sorted order.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ignore::{WalkBuilder, WalkState};
use mediaprep::{Broken, Engine, ErrorKind, Input};

use crate::args::{InputArgs, RequestArgs};
use crate::failure::Failure;
use crate::prepare::{MANIFEST, MEDIA};
use crate::settings;

/// Everything that was named or found, sorted by path.
///
/// # Errors
///
/// When the list of `--files-from` cannot be read or nothing was named at all.
pub(crate) fn collect(args: &InputArgs, threads: usize) -> Result<Vec<Input>, Failure> {
    let mut named = args.paths.clone();
    if let Some(list) = &args.files_from {
        named.extend(read_list(list, args.null)?);
    }
    if named.is_empty() && args.files_from.is_none() {
        return Err(Failure::option("no input was named", "name a file or a folder"));
    }
    let mut found = Vec::new();
    for path in named {
        if path.is_dir() {
            walk(&path, args, threads, &mut found);
        } else {
            found.push((path.clone(), Input::path(path)));
        }
    }
    found.sort_by(|(a, _), (b, _)| {
        a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes())
    });
    Ok(found.into_iter().map(|(_, input)| input).collect())
}

/// The list with files marked that have the bytes of an earlier one, unless those are wanted too.
/// Parts that `prepare` has written are never marked: two frames of a film may be alike, and each
/// has its place in the request.
///
/// # Errors
///
/// When the threads cannot be started.
pub(crate) fn once(
    mut list: Vec<Input>,
    request: &RequestArgs,
    engine: &Engine,
) -> Result<Vec<Input>, Failure> {
    if request.keep_duplicates {
        return Ok(list);
    }
    let mut prepared = HashMap::new();
    let mut is_part = |input: &Input| {
        let path = PathBuf::from(input.name());
        let Some(folder) = path.parent() else { return false };
        *prepared.entry(folder.to_owned()).or_insert_with(|| is_prepared(folder))
    };
    let (places, mut others): (Vec<usize>, Vec<Input>) = list
        .iter()
        .enumerate()
        .filter(|(_, input)| !is_part(input))
        .map(|(at, input)| (at, input.clone()))
        .unzip();
    engine.mark_copies(&mut others).map_err(|error| settings::failure(&error))?;
    for (at, input) in places.into_iter().zip(others) {
        list[at] = input;
    }
    Ok(list)
}

/// Whether this is where `prepare` has put its parts.
fn is_prepared(folder: &Path) -> bool {
    let manifest = folder.parent().map(|above| above.join(MANIFEST));
    folder.ends_with(MEDIA) && manifest.is_some_and(|manifest| manifest.is_file())
}

/// Walks one folder on `threads` threads. What cannot be read becomes an input that fails.
fn walk(folder: &Path, args: &InputArgs, threads: usize, found: &mut Vec<(PathBuf, Input)>) {
    let all = Mutex::new(Vec::new());
    let walker = WalkBuilder::new(folder)
        .hidden(!args.hidden)
        .ignore(!args.no_ignore)
        .git_ignore(!args.no_ignore)
        .git_global(!args.no_ignore)
        .git_exclude(!args.no_ignore)
        .parents(!args.no_ignore)
        .require_git(false)
        .threads(threads)
        .build_parallel();
    walker.run(|| {
        let mut batch = Batch { entries: Vec::new(), all: &all };
        Box::new(move |entry| {
            batch.entries.extend(classify(entry, folder));
            WalkState::Continue
        })
    });
    found.extend(all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
}

/// One walking thread's entries, handed over when the thread is done.
struct Batch<'a> {
    entries: Vec<(PathBuf, Input)>,
    all: &'a Mutex<Vec<(PathBuf, Input)>>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.append(&mut self.entries);
    }
}

fn classify(
    entry: Result<ignore::DirEntry, ignore::Error>,
    folder: &Path,
) -> Option<(PathBuf, Input)> {
    match entry {
        Ok(entry) => {
            let kind = entry.file_type()?;
            // A link to a file counts as the file; links to folders are not followed, since they
            // may lead round in circles.
            let is_file = kind.is_file() || (kind.is_symlink() && entry.path().is_file());
            is_file.then(|| (entry.path().to_owned(), Input::found(entry.into_path())))
        }
        Err(error) => {
            let path = error_path(&error).unwrap_or(folder).to_owned();
            let reason = error.io_error().map_or_else(|| error.to_string(), io::Error::to_string);
            let name = path.to_string_lossy().into_owned();
            let hint = "check the folder's permissions and links";
            Some((path, Input::broken(Broken { name, kind: ErrorKind::Io, reason, hint })))
        }
    }
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            error_path(err)
        }
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

fn read_list(list: &Path, null: bool) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: io::Error| Failure::file(list, &error);
    let mut bytes = Vec::new();
    open(list).and_then(|mut reader| reader.read_to_end(&mut bytes)).map_err(failed)?;
    let separator = if null { 0 } else { b'\n' };
    let lines = bytes.split(|&byte| byte == separator);
    let trimmed =
        lines.map(|line| if null { line } else { line.strip_suffix(b"\r").unwrap_or(line) });
    Ok(trimmed.filter(|line| !line.is_empty()).map(to_path).collect())
}

#[cfg(unix)]
fn to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes.to_vec()).into()
}

#[cfg(not(unix))]
fn to_path(bytes: &[u8]) -> PathBuf {
    OsString::from(String::from_utf8_lossy(bytes).into_owned()).into()
}

/// A file for buffered reading; `-` is standard input.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 16, File::open(path)?)))
}
