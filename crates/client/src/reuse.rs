//! Which uploads can be used again: from the bytes' hash, their type and whose they are to an
//! address and its end.
//!
//! The list is a `redb` database: embedded, pure Rust, and a process that is killed in the middle
//! of a write leaves it whole. It is opened for each look and closed at once, since a process locks
//! it while it is open. The key never enters it, only 64 bits of its hash.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::files::File;

/// How long an upload lives, in seconds: 48 hours.
const LIFETIME: u64 = 48 * 3600;
/// An upload with less life left than this is not used again, in seconds.
const MARGIN: u64 = 600;
/// How long another process may hold the list.
const PATIENCE: Duration = Duration::from_secs(2);

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("uploads-1");

/// What an upload is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadKey {
    /// The bytes' SHA-256.
    pub sha256: [u8; 32],
    /// Their type.
    pub mime_type: String,
    /// Whose they are, as [`crate::Client::upload_scope`] says.
    pub scope: String,
}

impl UploadKey {
    fn text(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.sha256[..], self.mime_type.as_bytes(), &[0], self.scope.as_bytes()] {
            hash.update(part);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// An upload that can be used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownUpload {
    /// `files/…`.
    pub name: String,
    /// What a request names it by.
    pub uri: String,
    /// Its type.
    pub mime_type: String,
    /// When it goes, in seconds since 1970.
    pub expires: u64,
}

/// The list.
#[derive(Clone, Debug)]
pub struct UploadCache {
    path: PathBuf,
}

impl UploadCache {
    /// The list at a path; it need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An upload of these bytes that lives for another ten minutes at least; `now` is in seconds
    /// since 1970.
    ///
    /// # Errors
    ///
    /// [`Error::Reuse`], here and below, when the list is damaged, not writable, or held by another
    /// process for two seconds.
    pub fn find(&self, key: &UploadKey, now: u64) -> Result<Option<KnownUpload>, Error> {
        if !self.path.exists() {
            return Ok(None);
        }
        let found = self.guarded(|| {
            let database = self.open()?;
            look(&database, key).map_err(|error| self.error(error))
        })?;
        Ok(found.filter(|found| found.expires > now.saturating_add(MARGIN)))
    }

    /// Remembers an upload, and forgets those that are gone. A list that is damaged is put aside
    /// (`.damaged`) and begun anew.
    ///
    /// # Errors
    ///
    /// As [`UploadCache::find`].
    pub fn keep(&self, key: &UploadKey, file: &File, now: u64) -> Result<(), Error> {
        let known = KnownUpload {
            name: file.name.clone(),
            uri: file.uri.clone(),
            mime_type: key.mime_type.clone(),
            expires: file.expires_at().unwrap_or(now.saturating_add(LIFETIME)),
        };
        let value = serde_json::to_vec(&known).map_err(|error| self.error(error))?;
        let write = || {
            self.change(|table| {
                table.retain(|_, bytes| expires(bytes) > now)?;
                table.insert(key.text().as_str(), value.as_slice())?;
                Ok(())
            })
        };
        let written = write();
        if written.is_ok() || !self.put_aside() { written } else { write() }
    }

    /// Whether there was a list that nobody holds, so that it must be damaged.
    fn put_aside(&self) -> bool {
        let held = || matches!(Database::open(&self.path), Err(DatabaseError::DatabaseAlreadyOpen));
        let held = self.guarded(|| Ok(held())).unwrap_or(false);
        !held && std::fs::rename(&self.path, self.path.with_extension("damaged")).is_ok()
    }

    /// Forgets an upload by its name, because it was deleted or is refused.
    ///
    /// # Errors
    ///
    /// As [`UploadCache::find`].
    pub fn forget(&self, name: &str) -> Result<(), Error> {
        if !self.path.exists() {
            return Ok(());
        }
        self.change(|table| {
            table.retain(|_, bytes| read(bytes).is_some_and(|known| known.name != name))?;
            Ok(())
        })
    }

    /// Forgets everything that is gone; how many uploads are left.
    ///
    /// # Errors
    ///
    /// As [`UploadCache::find`].
    pub fn sweep(&self, now: u64) -> Result<u64, Error> {
        if !self.path.exists() {
            return Ok(0);
        }
        let mut left = 0;
        self.change(|table| {
            table.retain(|_, bytes| expires(bytes) > now)?;
            left = table.iter()?.count() as u64;
            Ok(())
        })?;
        Ok(left)
    }

    fn change(
        &self,
        work: impl FnOnce(&mut redb::Table<'_, &str, &[u8]>) -> Result<(), redb::Error>,
    ) -> Result<(), Error> {
        self.guarded(|| {
            let database = self.open()?;
            let write = || -> Result<(), redb::Error> {
                let transaction = database.begin_write()?;
                work(&mut transaction.open_table(TABLE)?)?;
                Ok(transaction.commit()?)
            };
            write().map_err(|error| self.error(error))
        })
    }

    /// Waits while another process has it.
    fn open(&self) -> Result<Database, Error> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| self.error(error))?;
        }
        let end = Instant::now() + PATIENCE;
        loop {
            match Database::create(&self.path) {
                Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                other => return other.map_err(|error| self.error(error)),
            }
        }
    }

    /// The database trusts the lengths that it reads, and panics over those that cannot be: where
    /// bytes of the list were changed, that is damage like any other.
    fn guarded<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.unwrap_or_else(|_| Err(self.error("it is damaged")))
    }

    fn error(&self, error: impl std::fmt::Display) -> Error {
        Error::Reuse { path: self.path.display().to_string(), reason: error.to_string() }
    }
}

fn look(database: &Database, key: &UploadKey) -> Result<Option<KnownUpload>, redb::Error> {
    let table = match database.begin_read()?.open_table(TABLE) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table?,
    };
    let found = table.get(key.text().as_str())?;
    Ok(found.and_then(|bytes| read(bytes.value())))
}

fn read(bytes: &[u8]) -> Option<KnownUpload> {
    serde_json::from_slice(bytes).ok()
}

fn expires(bytes: &[u8]) -> u64 {
    read(bytes).map_or(0, |known| known.expires)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8, scope: &str) -> UploadKey {
        UploadKey { sha256: [byte; 32], mime_type: "video/mp4".to_owned(), scope: scope.to_owned() }
    }

    fn file(name: &str, expiration: Option<&str>) -> File {
        File {
            name: name.to_owned(),
            uri: format!("https://host/{name}"),
            expiration_time: expiration.map(str::to_owned),
            ..File::default()
        }
    }

    #[test]
    fn an_upload_is_found_while_it_lives() {
        let folder = tempfile::tempdir().unwrap();
        let cache = UploadCache::at(folder.path().join("deep/uploads.redb"));
        assert_eq!(cache.find(&key(1, "a"), 0).unwrap(), None);
        cache.keep(&key(1, "a"), &file("files/x", Some("2026-01-03T00:00:00.5Z")), 0).unwrap();
        let end = 1_767_398_400;
        let found = |key: UploadKey, now| cache.find(&key, now).unwrap().map(|known| known.name);
        assert_eq!(found(key(1, "a"), end - MARGIN - 1).as_deref(), Some("files/x"));
        assert_eq!(found(key(1, "a"), end - MARGIN), None);
        assert_eq!(found(key(1, "b"), 0), None);
        assert_eq!(found(key(2, "a"), 0), None);
        // Where the service tells no end, it is 48 hours.
        cache.keep(&key(2, "a"), &file("files/y", None), end).unwrap();
        assert_eq!(found(key(2, "a"), end + LIFETIME - MARGIN - 1).as_deref(), Some("files/y"));
        assert_eq!(cache.sweep(end).unwrap(), 1);
        cache.forget("files/y").unwrap();
        assert_eq!(cache.sweep(0).unwrap(), 0);
    }

    #[test]
    fn several_processes_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let cache = UploadCache::at(folder.path().join("uploads.redb"));
        std::thread::scope(|scope| {
            for byte in 0..8 {
                let cache = cache.clone();
                scope
                    .spawn(move || cache.keep(&key(byte, "a"), &file("files/x", None), 0).unwrap());
            }
        });
        assert_eq!(cache.sweep(0).unwrap(), 8);
    }

    #[test]
    fn a_damaged_list_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uploads.redb");
        std::fs::write(&path, "no database, but long enough to be looked at".repeat(100)).unwrap();
        let cache = UploadCache::at(&path);
        let error = cache.find(&key(1, "a"), 0).unwrap_err();
        assert!(matches!(error, Error::Reuse { .. }), "{error}");
        // The next upload begins a new one.
        cache.keep(&key(1, "a"), &file("files/x", None), 0).unwrap();
        assert!(cache.find(&key(1, "a"), 0).unwrap().is_some());
        assert!(folder.path().join("uploads.damaged").exists());
    }
}
