use std::time::{Duration, SystemTime};

use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::{
    base64,
    clock::rfc3339,
    incoming::{Incoming, hex},
    messages::Message,
    refusal::{Refusal, json_reply},
    route::Platform,
    schema,
    serve::Effects,
    store::State,
    strict_json,
};

/// How long an uploaded file lives.
const LIFE: Duration = Duration::from_secs(48 * 3600);
/// How long access to a registered object lasts.
const REGISTERED_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Where the files' URIs lie, also behind another base URL.
const FILES_URI: &str = "https://generativelanguage.googleapis.com/v1beta/files/";

/// What `sha256Hash` is the base64 of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashForm {
    /// The 32 bytes of the digest.
    RawBytes,
    /// The 64 letters of the digest's lower-case hex.
    HexText,
    /// Nothing: the field is missing.
    Missing,
}

/// Where a file is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is being processed and cannot be used.
    Processing,
    /// It can be used.
    Active,
    /// Processing failed; it can never be used.
    Failed,
}

impl FileState {
    fn name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Active => "ACTIVE",
            Self::Failed => "FAILED",
        }
    }
}

/// A file that a service holds; its bytes are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// `files/{id}`.
    pub name: String,
    /// The name to show; empty when none was given.
    pub display_name: String,
    /// The MIME type that the upload declared.
    pub mime_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hex; empty when nothing was hashed.
    pub sha256: String,
    /// Where it is in its life.
    pub state: FileState,
    /// The key or project whose file it is.
    pub owner: String,
}

/// A stored file and what the service alone knows of it.
#[derive(Clone, Debug)]
pub(crate) struct FileEntry {
    pub(crate) file: StoredFile,
    number: u64,
    created: SystemTime,
    updated: SystemTime,
    digest: Option<[u8; 32]>,
    /// How many more GETs say PROCESSING.
    polls_left: u32,
    registered: bool,
}

impl FileEntry {
    fn id(&self) -> &str {
        self.file.name.trim_start_matches("files/")
    }

    fn value(&self, hash_form: HashForm) -> Value {
        let file = &self.file;
        let life = if self.registered { REGISTERED_LIFE } else { LIFE };
        let mut value = json!({
            "name": file.name,
            "mimeType": file.mime_type,
            "sizeBytes": file.size.to_string(),
            "createTime": rfc3339(self.created),
            "updateTime": rfc3339(self.updated),
            "expirationTime": rfc3339(self.created + life),
            "uri": format!("{FILES_URI}{}", self.id()),
            "state": file.state.name(),
            "source": if self.registered { "REGISTERED" } else { "UPLOADED" },
        });
        if !file.display_name.is_empty() {
            value["displayName"] = file.display_name.as_str().into();
        }
        if let Some(hash) = self.hash(hash_form) {
            value["sha256Hash"] = hash.into();
        }
        if file.state == FileState::Failed {
            let message = "The file failed to be processed.";
            value["error"] = json!({"code": 13, "message": message});
        }
        if file.state == FileState::Active && file.mime_type.starts_with("video/") {
            value["videoMetadata"] = json!({"videoDuration": "1s"});
        }
        value
    }

    fn hash(&self, form: HashForm) -> Option<String> {
        let digest = self.digest?;
        match form {
            HashForm::RawBytes => Some(base64::encode(&digest)),
            HashForm::HexText => Some(base64::encode(hex(&digest).as_bytes())),
            HashForm::Missing => None,
        }
    }

    pub(crate) fn fail(&mut self) {
        self.file.state = FileState::Failed;
        self.polls_left = 0;
    }
}

/// What an upload says of its file before its bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// `files/{id}` where the caller chose it.
    pub(crate) name: Option<String>,
    pub(crate) display_name: String,
    pub(crate) mime_type: String,
    /// The size in the metadata.
    pub(crate) size: Option<u64>,
}

impl Draft {
    /// Reads `{"file": {…}}`; `mime_type` is what the headers say.
    pub(crate) fn read(body: &[u8], mime_type: &str) -> Result<Self, Refusal> {
        let request = strict_json::parse(body)?;
        let request = schema::check(Message::CreateFileRequest, request, Platform::Developer)?;
        let file = &request["file"];
        let text = |name: &str| file[name].as_str().map(str::to_owned);
        let draft = Self {
            name: text("name"),
            display_name: text("displayName").unwrap_or_default(),
            mime_type: match mime_type {
                "" => text("mimeType").unwrap_or_default(),
                given => given.to_owned(),
            },
            size: schema::integer(&file["sizeBytes"]).and_then(|size| u64::try_from(size).ok()),
        };
        draft.check(text("mimeType").as_deref())?;
        Ok(draft)
    }

    fn check(&self, in_metadata: Option<&str>) -> Result<(), Refusal> {
        let field = |name: &str, problem: &str| {
            Refusal::invalid(format!("* CreateFileRequest.file.{name}: {problem}"))
        };
        if self.name.as_deref().is_some_and(|name| !is_name(name)) {
            let problem = "must be files/ and then at most 40 lower-case letters, digits or \
                dashes, with no dash at either end";
            return Err(field("name", problem));
        }
        if self.display_name.chars().count() > 512 {
            return Err(field("display_name", "must be at most 512 characters long"));
        }
        if !is_mime_type(&self.mime_type) {
            return Err(field("mime_type", "must be a MIME type such as image/png"));
        }
        if in_metadata.is_some_and(|named| named != self.mime_type) {
            return Err(field("mime_type", "differs from the type in the upload's headers"));
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    name.strip_prefix("files/").is_some_and(|id| {
        (1..=40).contains(&id.len())
            && !id.starts_with('-')
            && !id.ends_with('-')
            && id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

/// Whether a text has the form of a MIME type; parameters are let through.
fn is_mime_type(text: &str) -> bool {
    let bare = text.split(';').next().unwrap_or_default().trim();
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    bare.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

impl State {
    /// Refuses a name that is taken.
    pub(crate) fn check_free(&self, name: Option<&str>) -> Result<(), Refusal> {
        match name.filter(|name| self.files.iter().any(|entry| entry.file.name == *name)) {
            None => Ok(()),
            Some(name) => Err(Refusal::new(409, "", format!("File {name} already exists."))),
        }
    }

    /// Adds an uploaded file and returns its name.
    pub(crate) fn add_upload(
        &mut self,
        owner: &str,
        draft: &Draft,
        size: u64,
        digest: Option<[u8; 32]>,
    ) -> Result<String, Refusal> {
        self.check_free(draft.name.as_deref())?;
        let name = match &draft.name {
            Some(name) => name.clone(),
            None => format!("files/{}", self.next_name()),
        };
        let polls = self.settings.processing_polls;
        let state = if polls > 0 { FileState::Processing } else { FileState::Active };
        self.add_file(StoredFile {
            name: name.clone(),
            display_name: draft.display_name.clone(),
            mime_type: draft.mime_type.clone(),
            size,
            sha256: String::new(),
            state,
            owner: owner.to_owned(),
        });
        if let Some(entry) = self.files.last_mut() {
            entry.digest = digest;
            entry.file.sha256 = digest.map(|digest| hex(&digest)).unwrap_or_default();
        }
        Ok(name)
    }

    /// Adds a file as it is.
    pub(crate) fn add_file(&mut self, file: StoredFile) {
        let polls_left = match file.state {
            FileState::Processing => self.settings.processing_polls.max(1),
            _ => 0,
        };
        let (number, now) = (self.next_id(), SystemTime::now());
        let (created, updated) = (now, now);
        let (digest, registered) = (None, false);
        self.files.push(FileEntry {
            file,
            number,
            created,
            updated,
            digest,
            polls_left,
            registered,
        });
    }

    /// The file of this id if it is the owner's; the refusal does not tell whether there is one.
    pub(crate) fn file(&mut self, owner: &str, id: &str) -> Result<&mut FileEntry, Refusal> {
        let own = |entry: &&mut FileEntry| entry.id() == id && entry.file.owner == owner;
        self.files.iter_mut().find(own).ok_or_else(|| forbidden(id))
    }

    /// The file of this name as JSON.
    pub(crate) fn file_value(&self, name: &str) -> Option<Value> {
        let entry = self.files.iter().find(|entry| entry.file.name == name)?;
        Some(entry.value(self.settings.hash_form))
    }
}

/// What the service says of a file that is unknown, expired or another's.
pub(crate) fn forbidden(id: &str) -> Refusal {
    let message =
        format!("You do not have permission to access the File {id} or it may not exist.");
    Refusal::new(403, "PERMISSION_DENIED", message)
}

/// `GET files/{id}`. Each one brings a file in PROCESSING a step nearer to ACTIVE.
pub(crate) fn get(
    incoming: &Incoming,
    owner: &str,
    id: &str,
    effects: &Effects,
) -> Result<Response, Refusal> {
    if effects.file_forbidden {
        return Err(forbidden(id));
    }
    let mut state = incoming.shared.lock();
    let hash_form = state.settings.hash_form;
    let entry = state.file(owner, id)?;
    if effects.file_failed {
        entry.fail();
    }
    if entry.file.state == FileState::Processing {
        match entry.polls_left.checked_sub(1) {
            Some(left) => entry.polls_left = left,
            None => {
                entry.file.state = FileState::Active;
                entry.updated = SystemTime::now();
            }
        }
    }
    Ok(json_reply(&entry.value(hash_form)))
}

/// `DELETE files/{id}`; the body is empty or `{}`.
pub(crate) async fn delete(
    incoming: &mut Incoming,
    owner: &str,
    id: &str,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let body = incoming.whole().await?.unwrap_or_default();
    if !body.is_empty() && strict_json::parse(&body)? != json!({}) {
        return Err(Refusal::invalid("DELETE takes no fields."));
    }
    if effects.file_forbidden {
        return Err(forbidden(id));
    }
    let mut state = incoming.shared.lock();
    let number = state.file(owner, id)?.number;
    state.files.retain(|entry| entry.number != number);
    Ok(json_reply(&json!({})))
}

/// `GET files`, the oldest first; the page token is the number of the last file shown.
pub(crate) fn list(incoming: &Incoming, owner: &str) -> Result<Response, Refusal> {
    let (size, after) = page(incoming)?;
    let state = incoming.shared.lock();
    let entries =
        state.files.iter().filter(|entry| entry.file.owner == owner && entry.number > after);
    let entries: Vec<&FileEntry> = entries.take(size + 1).collect();
    let shown = &entries[..entries.len().min(size)];
    let mut answer = Map::new();
    if !shown.is_empty() {
        let values = shown.iter().map(|entry| entry.value(state.settings.hash_form));
        answer.insert("files".into(), values.collect());
    }
    if let (true, Some(last)) = (entries.len() > size, shown.last()) {
        answer.insert("nextPageToken".into(), token(last.number).into());
    }
    Ok(json_reply(&Value::Object(answer)))
}

fn token(number: u64) -> String {
    base64::encode(format!("page-{number:09}").as_bytes())
}

/// The page size, and the number behind which the page begins.
fn page(incoming: &Incoming) -> Result<(usize, u64), Refusal> {
    let size = match incoming.parameter("pageSize") {
        None | Some("0") => 10,
        Some(text) => text.parse().ok().filter(|size| *size <= 100).ok_or_else(|| {
            Refusal::invalid("* ListFilesRequest.page_size: must be a number from 1 to 100")
        })?,
    };
    let Some(given) = incoming.parameter("pageToken").filter(|token| !token.is_empty()) else {
        return Ok((size, 0));
    };
    let last = incoming.shared.lock().files.iter().map(|entry| entry.number).max().unwrap_or(0);
    let number = (1..=last).find(|number| token(*number) == given);
    let refused = || Refusal::invalid("* ListFilesRequest.page_token: Invalid page token.");
    Ok((size, number.ok_or_else(refused)?))
}

/// `POST files:register`: makes objects of Cloud Storage known, the type read off the name.
pub(crate) async fn register(incoming: &mut Incoming, owner: &str) -> Result<Response, Refusal> {
    let body = incoming.whole().await?.unwrap_or_default();
    let request = strict_json::parse(&body)?;
    let request = schema::check(Message::RegisterFilesRequest, request, Platform::Developer)?;
    let uris: Vec<String> = request["uris"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|uri| uri.as_str().map(str::to_owned))
        .collect();
    let is_object = |uri: &String| {
        let path = uri.strip_prefix("gs://").and_then(|path| path.split_once('/'));
        path.is_some_and(|(bucket, object)| !bucket.is_empty() && !object.is_empty())
    };
    if uris.is_empty() || !uris.iter().all(is_object) {
        let message = "* RegisterFilesRequest.uris: must be gs://bucket/object URIs";
        return Err(Refusal::invalid(message));
    }
    let mut state = incoming.shared.lock();
    let values: Vec<Value> = uris.iter().map(|uri| state.add_registered(owner, uri)).collect();
    Ok(json_reply(&json!({"files": values})))
}

impl State {
    fn add_registered(&mut self, owner: &str, uri: &str) -> Value {
        let file = StoredFile {
            name: format!("files/{}", self.next_name()),
            display_name: String::new(),
            mime_type: crate::mime::of_name(uri).to_owned(),
            size: 99,
            sha256: String::new(),
            state: FileState::Active,
            owner: owner.to_owned(),
        };
        self.add_file(file);
        self.registered.push(uri.to_owned());
        let hash_form = self.settings.hash_form;
        match self.files.last_mut() {
            Some(entry) => {
                entry.registered = true;
                entry.value(hash_form)
            }
            None => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["files/a", "files/abc-123", &format!("files/{}", "a".repeat(40))] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["a", "files/", "files/-a", "files/a-", "files/A", "files/a_b", "files/a/b"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(!is_name(&format!("files/{}", "a".repeat(41))));
    }
}
