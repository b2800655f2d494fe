//! The File API of the Developer API: upload, look, list, delete, wait.

mod piece;
mod recovery;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod upload;

use std::fmt;
use std::time::Duration;

use mediaprep_parts::Body;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::source::{BytesSource, FileSource, ReadSeek, UploadSource};
pub use self::upload::{Cancel, Progress, UploadOptions};
use crate::client::{Call, Client};
use crate::endpoint::check_name;
use crate::{Error, numbers};

/// The most bytes of one file: 2 GB.
pub const LARGEST_FILE: u64 = 2 << 30;

/// Whether a file can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FileState {
    /// Not yet: it is being looked through.
    Processing,
    /// Yes.
    Active,
    /// Never: it could not be read.
    Failed,
    /// The service says nothing.
    #[default]
    Unspecified,
    /// A state that is not known here.
    Other(String),
}

impl<'de> Deserialize<'de> for FileState {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        Ok(match text.as_str() {
            "PROCESSING" => Self::Processing,
            "ACTIVE" => Self::Active,
            "FAILED" => Self::Failed,
            "" | "STATE_UNSPECIFIED" => Self::Unspecified,
            _ => Self::Other(text),
        })
    }
}

impl fmt::Display for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Processing => "PROCESSING",
            Self::Active => "ACTIVE",
            Self::Failed => "FAILED",
            Self::Unspecified => "STATE_UNSPECIFIED",
            Self::Other(text) => text,
        })
    }
}

impl Serialize for FileState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A file that the service holds, for 48 hours unless it was registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct File {
    /// `files/…`.
    pub name: String,
    /// For people, up to 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its length in bytes.
    #[serde(deserialize_with = "numbers::optional", skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// When it came, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// When it goes, as RFC 3339; absent when it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<String>,
    /// Base64 of its SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256_hash: Option<String>,
    /// What a request names it by.
    pub uri: String,
    /// Whether it can be used.
    pub state: FileState,
    /// Why not, when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<FileError>,
}

/// Why a file could not be processed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileError {
    /// A `google.rpc.Code`.
    pub code: Option<i32>,
    /// What the service says.
    pub message: Option<String>,
}

impl File {
    /// When the file goes, in seconds since 1970.
    pub fn expires_at(&self) -> Option<u64> {
        let time: jiff::Timestamp = self.expiration_time.as_deref()?.parse().ok()?;
        u64::try_from(time.as_second()).ok()
    }

    fn failure(&self, redact: impl Fn(&str) -> String) -> Error {
        let message = self.error.as_ref().and_then(|error| error.message.as_deref());
        Error::FileFailed {
            name: self.name.clone(),
            reason: redact(message.unwrap_or("no reason is given")),
        }
    }
}

/// Where the calls about files are.
#[derive(Clone, Debug)]
pub struct Files {
    pub(crate) client: Client,
}

impl Client {
    /// The File API. Only the Developer API has one; on Google Cloud its calls are errors.
    pub fn files(&self) -> Files {
        Files { client: self.clone() }
    }
}

#[derive(Deserialize)]
struct Wrapped {
    file: File,
}

/// `files/x` from `x`, `files/x`, or the address of a file.
pub(crate) fn resource(name: &str) -> Result<String, Error> {
    let bare = name.rsplit_once("files/").map_or(name, |(_, id)| id);
    let bare = bare.split(['?', '#']).next().unwrap_or_default();
    check_name(bare)?;
    if bare.contains('/') {
        return Err(Error::Invalid(format!("`{name}` is no file's name; it should be files/…")));
    }
    Ok(format!("files/{bare}"))
}

impl Files {
    /// One file, by its name or address.
    ///
    /// # Errors
    ///
    /// [`Error::Api`] with the code 403 for a file that is gone or another project's.
    pub async fn get(&self, name: &str) -> Result<File, Error> {
        self.client.needs_developer_api("the File API")?;
        let url = self.client.endpoint().url(&resource(name)?);
        self.client.typed(&Call::new("files.get", "GET", url)).await
    }

    /// Deletes a file before its time.
    ///
    /// # Errors
    ///
    /// As [`Files::get`].
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        self.client.needs_developer_api("the File API")?;
        let url = self.client.endpoint().url(&resource(name)?);
        self.client.json(&Call::new("files.delete", "DELETE", url)).await.map(drop)
    }

    /// All files of the key's project, fetched page by page as they are taken; `page` is how many
    /// at a time, 1 to 100, where the service's 10 are not right.
    pub fn list(&self, page: Option<u8>) -> FileList {
        let page = page.map(|page| page.clamp(1, 100));
        FileList {
            files: self.clone(),
            page,
            ready: Vec::new().into_iter(),
            next: Some(String::new()),
        }
    }

    /// Makes objects in Cloud Storage usable as files, without copying them. Needs OAuth and
    /// [`crate::ClientBuilder::quota_project`].
    ///
    /// # Errors
    ///
    /// As [`Files::get`].
    pub async fn register(&self, uris: &[String]) -> Result<Vec<File>, Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Registered {
            files: Vec<File>,
        }
        self.client.needs_developer_api("files.register")?;
        let body = Body::from_json(&json!({ "uris": uris }));
        let body = body.map_err(|error| Error::Invalid(error.to_string()))?;
        let url = self.client.endpoint().url("files:register");
        let call = Call::new("files.register", "POST", url).with_body(&body);
        Ok(self.client.typed::<Registered>(&call).await?.files)
    }

    /// Waits until a file can be used, asking after 1 s and then less and less often, at least each
    /// 10 s. `seen` is told each state that was met.
    ///
    /// # Errors
    ///
    /// [`Error::FileFailed`] when it never will be, [`Error::NotActive`] after `limit`, and a
    /// refusal at once.
    pub async fn wait_active(
        &self,
        file: File,
        limit: Duration,
        seen: impl Fn(&File, Duration),
    ) -> Result<File, Error> {
        let clock = self.client.clock();
        let started = clock.now();
        let (mut file, mut delay) = (file, Duration::from_secs(1));
        loop {
            let waited = clock.now().saturating_sub(started);
            seen(&file, waited);
            match file.state {
                FileState::Failed => return Err(file.failure(|text| self.client.redact(text))),
                FileState::Processing => {}
                _ => return Ok(file),
            }
            if waited >= limit {
                return Err(Error::NotActive { name: file.name, waited });
            }
            clock.sleep(delay.min(limit - waited)).await;
            delay = delay.mul_f64(1.5).min(Duration::from_secs(10));
            file = self.get(&file.name).await?;
        }
    }
}

/// Files, page by page.
#[derive(Debug)]
pub struct FileList {
    files: Files,
    page: Option<u8>,
    ready: std::vec::IntoIter<File>,
    /// What names the next page; empty for the first, gone after the last.
    next: Option<String>,
}

impl FileList {
    /// The next file; `None` at the end. After an error comes the end.
    pub async fn next(&mut self) -> Option<Result<File, Error>> {
        loop {
            if let Some(file) = self.ready.next() {
                return Some(Ok(file));
            }
            let token = self.next.take()?;
            if let Err(error) = self.fetch(&token).await {
                return Some(Err(error));
            }
        }
    }

    async fn fetch(&mut self, token: &str) -> Result<(), Error> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Page {
            files: Vec<File>,
            next_page_token: String,
        }
        let client = &self.files.client;
        client.needs_developer_api("the File API")?;
        let mut query: Vec<String> = Vec::new();
        query.extend(self.page.map(|page| format!("pageSize={page}")));
        if !token.is_empty() {
            query.push(format!("pageToken={}", percent_encoded(token).collect::<String>()));
        }
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("files{mark}{}", query.join("&"));
        let call = Call::new("files.list", "GET", client.endpoint().url(&path));
        let page: Page = client.typed(&call).await?;
        self.ready = page.files.into_iter();
        // A page that names itself as the next would be fetched for ever.
        let next = Some(page.next_page_token).filter(|next| !next.is_empty() && next != token);
        self.next = next;
        Ok(())
    }
}

fn percent_encoded(text: &str) -> impl Iterator<Item = char> {
    text.bytes().flat_map(|byte| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let text = if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.chars().collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod listing_tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::Secret;
    use crate::testing::{ManualClock, Played, Replay, block_on};

    fn client(replay: &Arc<Replay>) -> Client {
        let builder = Client::developer_api(Secret::new("FAKE-API-KEY"));
        let builder = builder.transport(replay.clone()).clock(Arc::new(ManualClock::default()));
        builder.build().unwrap()
    }

    #[test]
    fn names_come_in_many_forms() {
        for name in ["abc-125", "files/abc-125", "https://host/v1beta/files/abc-125?x=1"] {
            assert_eq!(resource(name).unwrap(), "files/abc-125");
        }
        for bad in ["", "files/", "a b", "files/../models", "a/b"] {
            assert!(resource(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn pages_are_fetched_as_they_are_taken() {
        let replay = Arc::new(Replay::new([
            Played::new(
                200,
                r#"{"files":[{"name":"files/a","sizeBytes":"7"}],"nextPageToken":"p/2"}"#,
            ),
            Played::new(200, r#"{"files":[{"name":"files/b","sizeBytes":8}]}"#),
        ]));
        let mut list = client(&replay).files().list(Some(1));
        let mut next = || block_on(list.next()).map(|file| file.unwrap());
        assert_eq!(next().unwrap().size_bytes, Some(7));
        assert_eq!(replay.sent().len(), 1);
        assert_eq!(next().unwrap().name, "files/b");
        assert!(next().is_none());
        let sent = replay.sent();
        assert!(sent[1].url.ends_with("/v1beta/files?pageSize=1&pageToken=p%2F2"));
    }

    #[test]
    fn a_file_is_waited_for() {
        let state = |state: &str| {
            Played::new(200, format!(r#"{{"name":"files/a","uri":"u","state":"{state}"}}"#))
        };
        let wait = |answers: Vec<Played>, limit| {
            let replay = Arc::new(Replay::new(answers));
            let file = File {
                name: "files/a".to_owned(),
                state: FileState::Processing,
                ..File::default()
            };
            let seen = Mutex::new(0);
            let look = |_: &File, _: Duration| *seen.lock().unwrap() += 1;
            let files = client(&replay).files();
            let done = block_on(files.wait_active(file, Duration::from_secs(limit), look));
            (done, replay.sent().len(), seen.into_inner().unwrap())
        };
        let (done, asked, seen) =
            wait(vec![state("PROCESSING"), state("PROCESSING"), state("ACTIVE")], 60);
        assert_eq!((done.unwrap().state, asked, seen), (FileState::Active, 3, 4));
        let failed = wait(vec![state("FAILED")], 60).0.unwrap_err();
        assert!(matches!(failed, Error::FileFailed { .. }), "{failed}");
        let endless = (0..60).map(|_| state("PROCESSING")).collect();
        let late = wait(endless, 60).0.unwrap_err();
        assert!(matches!(late, Error::NotActive { .. }), "{late}");
        let (gone, asked, _) = wait(vec![Played::new(403, "{}")], 60);
        assert_eq!((gone.unwrap_err().api().unwrap().http, asked), (403, 1));
    }
}
