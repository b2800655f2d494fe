//! What is remembered of an upload until it is done, so that a later process can go on with it.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::source::UploadSource;

/// An upload under way. Its address is a capability, so the file is for its owner's eyes alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    schema: u32,
    pub(super) url: String,
    pub(super) granularity: u64,
    pub(super) offset: u64,
    length: u64,
    /// Hash of everything that must be the same: the bytes' identity, the sender, the names.
    same: String,
}

/// The file that holds it, where one is kept.
pub(super) struct StateFile {
    path: Option<PathBuf>,
    same: String,
    length: u64,
}

impl StateFile {
    pub(super) fn new(
        path: Option<&Path>,
        source: &dyn UploadSource,
        sha256: Option<[u8; 32]>,
        other: &[Option<&str>],
    ) -> Self {
        // The same bytes may lie elsewhere the next time.
        let identity = sha256.map(|digest| format!("{digest:?}")).or_else(|| source.identity());
        let mut hash = Sha256::new();
        for part in other.iter().copied().chain([identity.as_deref()]) {
            hash.update(part.unwrap_or_default());
            hash.update([0, u8::from(part.is_some())]);
        }
        let same = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        // Bytes that cannot be told from others cannot be gone on with.
        let path = path.filter(|_| identity.is_some()).map(Path::to_path_buf);
        Self { path, same, length: source.length() }
    }

    /// The record of the same upload; anything else that lies there is of no use.
    pub(super) fn load(&self) -> Option<Record> {
        let text = std::fs::read(self.path.as_ref()?).ok()?;
        let record: Record = serde_json::from_slice(&text).ok()?;
        let fits = record.schema == 1 && record.same == self.same && record.length == self.length;
        (fits && record.offset <= self.length && record.granularity > 0).then_some(record)
    }

    /// Where nothing can be written, a later process begins anew: no reason to stop this one.
    pub(super) fn save(&self, url: &str, granularity: u64, offset: u64) {
        let Some(path) = &self.path else { return };
        let record = Record {
            schema: 1,
            url: url.to_owned(),
            granularity,
            offset,
            length: self.length,
            same: self.same.clone(),
        };
        let _ = write(path, &record);
    }

    pub(super) fn forget(&self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Temporary files are made readable for their owner alone, and keep that when they are renamed.
fn write(path: &Path, record: &Record) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(record)?)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::FileSource;

    #[test]
    fn only_the_same_upload_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let media = folder.path().join("a.mp4");
        std::fs::write(&media, [1; 100]).unwrap();
        let path = folder.path().join("deep/state.json");
        let source = FileSource::new(&media).unwrap();
        let state = |names: &[Option<&str>]| StateFile::new(Some(&path), &source, None, names);
        assert!(state(&[None]).load().is_none());
        state(&[Some("key")]).save("http://u", 8, 16);
        let found = state(&[Some("key")]).load().unwrap();
        assert_eq!((found.url.as_str(), found.granularity, found.offset), ("http://u", 8, 16));
        assert!(state(&[Some("other")]).load().is_none());
        std::fs::write(&media, [2; 101]).unwrap();
        let changed = FileSource::new(&media).unwrap();
        assert!(StateFile::new(Some(&path), &changed, None, &[Some("key")]).load().is_none());
        std::fs::write(&path, "{\"schema\":1").unwrap();
        assert!(state(&[Some("key")]).load().is_none());
        state(&[]).forget();
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let media = folder.path().join("a.mp4");
        std::fs::write(&media, [1; 100]).unwrap();
        let path = folder.path().join("state.json");
        let state = StateFile::new(Some(&path), &FileSource::new(&media).unwrap(), None, &[]);
        state.save("http://u", 8, 16);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
