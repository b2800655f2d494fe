use axum::{http::HeaderMap, response::Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    files::Draft,
    incoming::Incoming,
    refusal::{Refusal, json_reply, set_header, text_reply},
    route::commands,
    serve::Effects,
    store::{Bodies, State},
};

/// The most that one file may hold: 2 GiB.
pub(crate) const MAX_FILE: u64 = 2 << 30;

const STATUS: &str = "x-goog-upload-status";

/// A resumable upload.
pub(crate) struct Upload {
    owner: String,
    draft: Draft,
    declared: Option<u64>,
    received: u64,
    /// Of what was received; `None` when nothing is hashed.
    hasher: Option<Sha256>,
    life: Life,
    stuck: bool,
    /// Which request last sent bytes: one that was overtaken no longer counts.
    attempt: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Life {
    Active,
    /// With the name of its file.
    Final(String),
    Cancelled,
}

/// `X-Goog-Upload-Command: start`.
pub(crate) async fn start(
    incoming: &mut Incoming,
    owner: String,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let body = incoming.whole().await?.unwrap_or_default();
    if commands(&incoming.headers) != ["start"] {
        return Err(Refusal::text(400, "An upload begins with the command start."));
    }
    let declared = declared_length(incoming)?;
    let mime_type = incoming.header("x-goog-upload-header-content-type").unwrap_or_default();
    if body.is_empty() {
        let message = "The start of an upload needs a JSON body with the file's metadata.";
        return Err(Refusal::invalid(message));
    }
    let draft = Draft::read(&body, mime_type)?;
    check_size(draft.size, declared)?;
    let mut state = incoming.shared.lock();
    state.check_free(draft.name.as_deref())?;
    let hashed = state.settings.bodies != (Bodies::Sunk { hashed: false });
    let id = format!("FAKE-UPLOAD-{}", state.next_name());
    let (received, stuck, attempt, life) = (0, effects.stuck, 0, Life::Active);
    let hasher = hashed.then(Sha256::new);
    let upload = Upload { owner, draft, declared, received, hasher, life, stuck, attempt };
    state.uploads.insert(id.clone(), upload);
    let granularity = state.settings.granularity;
    drop(state);
    Ok(started(incoming, &id, granularity, effects))
}

fn declared_length(incoming: &Incoming) -> Result<Option<u64>, Refusal> {
    let Some(length) = incoming.header("x-goog-upload-header-content-length") else {
        return Ok(None);
    };
    let refused = || Refusal::text(400, "X-Goog-Upload-Header-Content-Length must be a number.");
    length.parse().map(Some).map_err(|_| refused())
}

fn check_size(in_metadata: Option<u64>, declared: Option<u64>) -> Result<(), Refusal> {
    if let (Some(size), Some(length)) = (in_metadata, declared)
        && size != length
    {
        let message = format!(
            "* CreateFileRequest.file.size_bytes: is {size}, but X-Goog-Upload-Header-Content-Length is {length}"
        );
        return Err(Refusal::invalid(message));
    }
    match declared.filter(|length| *length > MAX_FILE) {
        Some(length) => Err(Refusal::invalid(format!(
            "The file is too large: {length} bytes, at most {MAX_FILE} bytes are allowed."
        ))),
        None => Ok(()),
    }
}

fn started(incoming: &Incoming, id: &str, granularity: u64, effects: &Effects) -> Response {
    let mut response = text_reply("");
    set_header(&mut response, "x-guploader-uploadid", id);
    set_header(&mut response, STATUS, "active");
    if !effects.no_upload_url {
        let base = effects.upload_host.as_ref().unwrap_or(&incoming.shared.base_url);
        let (base, version) = (base.trim_end_matches('/'), &incoming.route.version);
        let url = format!("{base}/upload/{version}/files?upload_id={id}&upload_protocol=resumable");
        set_header(&mut response, "x-goog-upload-url", &url);
        set_header(&mut response, "x-goog-upload-control-url", &url);
    }
    set_header(&mut response, "x-goog-upload-chunk-granularity", &granularity.to_string());
    response
}

/// Any request to an upload URL.
pub(crate) async fn go_on(
    incoming: &mut Incoming,
    id: &str,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let protocol = incoming.header("x-goog-upload-protocol").unwrap_or("resumable");
    if protocol != "resumable" {
        return Err(Refusal::text(400, "This upload is resumable."));
    }
    if effects.stuck
        && let Some(upload) = incoming.shared.lock().uploads.get_mut(id)
    {
        upload.stuck = true;
    }
    let commands = commands(&incoming.headers);
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    match commands.as_slice() {
        ["upload"] => piece(incoming, id, false, effects).await,
        ["upload", "finalize"] | ["finalize"] => piece(incoming, id, true, effects).await,
        ["query"] => query(incoming, id).await,
        ["cancel"] => cancel(incoming, id).await,
        _ => Err(Refusal::text(
            400,
            format!("The upload command {:?} cannot be sent here.", commands.join(", ")),
        )),
    }
}

async fn query(incoming: &mut Incoming, id: &str) -> Result<Response, Refusal> {
    no_body(incoming).await?;
    let state = incoming.shared.lock();
    let upload = state.uploads.get(id).ok_or_else(lost)?;
    Ok(match &upload.life {
        Life::Active => upload.active(),
        Life::Final(name) => state.finished(name),
        Life::Cancelled => with_status("cancelled"),
    })
}

async fn cancel(incoming: &mut Incoming, id: &str) -> Result<Response, Refusal> {
    no_body(incoming).await?;
    let mut state = incoming.shared.lock();
    let upload = state.uploads.get_mut(id).ok_or_else(lost)?;
    upload.check_active()?;
    upload.life = Life::Cancelled;
    Ok(with_status("cancelled"))
}

async fn no_body(incoming: &mut Incoming) -> Result<(), Refusal> {
    match incoming.whole().await? {
        Some(body) if body.is_empty() => Ok(()),
        _ => Err(Refusal::text(400, "This upload command has no body.")),
    }
}

fn lost() -> Refusal {
    Refusal::text(404, "Upload not found.")
}

fn with_status(status: &str) -> Response {
    let mut response = text_reply("");
    set_header(&mut response, STATUS, status);
    response
}

impl Upload {
    fn active(&self) -> Response {
        let mut response = with_status("active");
        set_header(&mut response, "x-goog-upload-size-received", &self.received.to_string());
        response
    }

    fn check_active(&self) -> Result<(), Refusal> {
        let refuse =
            |text: &str, status: &str| Err(Refusal::text(400, text).with_header(STATUS, status));
        match self.life {
            Life::Active => Ok(()),
            Life::Final(_) => refuse("Upload has already been finalized.", "final"),
            Life::Cancelled => refuse("Upload has been cancelled.", "cancelled"),
        }
    }

    /// Judges a piece of this length that ends the upload or does not.
    fn check_length(&self, length: u64, ends: bool, granularity: u64) -> Result<(), Refusal> {
        let total = self.received.saturating_add(length);
        if let Some(declared) = self.declared
            && (total > declared || (ends && total != declared))
        {
            let message = format!("The client sent {total} bytes in all, but declared {declared}.");
            return Err(Refusal::text(400, message));
        }
        if total > MAX_FILE {
            return Err(Refusal::text(400, format!("The file is larger than {MAX_FILE} bytes.")));
        }
        if !ends && !length.is_multiple_of(granularity.max(1)) {
            let message = format!(
                "The client sent {length} bytes, which is not a multiple of the {granularity} byte \
                 chunk granularity."
            );
            return Err(Refusal::text(400, message));
        }
        Ok(())
    }
}

/// A piece being received.
struct Piece {
    attempt: u64,
    /// The offset at which it begins.
    base: u64,
    count: u64,
    hasher: Option<Sha256>,
    step: u64,
    /// What would be kept if the connection broke now: an offset, and the hash of all before it.
    kept: (u64, Option<Sha256>),
}

impl Piece {
    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let at = self.base + self.count;
            let room = self.step - at % self.step;
            let take = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            let (now, rest) = bytes.split_at(take);
            if let Some(hasher) = &mut self.hasher {
                hasher.update(now);
            }
            self.count += now.len() as u64;
            bytes = rest;
            if (self.base + self.count).is_multiple_of(self.step) {
                self.kept = (self.base + self.count, self.hasher.clone());
            }
        }
    }
}

/// Command `upload`, `upload, finalize` or `finalize`.
async fn piece(
    incoming: &mut Incoming,
    id: &str,
    ends: bool,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let mut piece = begin(incoming, id, ends)?;
    // Where the length is known it was judged already, so that pieces may count as they come.
    let judged = incoming.length().is_some();
    let mut length = 0_u64;
    while let Some(next) = incoming.next().await {
        let bytes = next.map_err(|_| Refusal::departure())?;
        let cut = effects.cut.is_some_and(|cut| length + bytes.len() as u64 >= cut);
        let bytes = match effects.cut {
            Some(cut) => first(&bytes, cut - length),
            None => bytes,
        };
        length += bytes.len() as u64;
        let counted = effects.counted.map_or(u64::MAX, |counted| counted - piece.count);
        piece.add(&first(&bytes, counted));
        let mut state = incoming.shared.lock();
        state.bytes_received += bytes.len() as u64;
        if judged || cut {
            state.keep(id, &piece);
        }
        drop(state);
        if cut {
            incoming.connection.reset();
            return Ok(Response::default());
        }
    }
    if effects.cut.is_some() {
        // The body was shorter than what was to be read of it.
        incoming.connection.reset();
        return Ok(Response::default());
    }
    end(incoming, id, piece, Ending { length, ends, short: effects.counted.is_some() }, effects)
}

/// How a piece ended.
struct Ending {
    length: u64,
    ends: bool,
    short: bool,
}

fn first(bytes: &Bytes, most: u64) -> Bytes {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    bytes.slice(..bytes.len().min(most))
}

fn begin(incoming: &Incoming, id: &str, ends: bool) -> Result<Piece, Refusal> {
    let mut state = incoming.shared.lock();
    let (granularity, step) = (state.settings.granularity, state.settings.keep_step);
    let upload = state.uploads.get_mut(id).ok_or_else(lost)?;
    upload.check_active()?;
    let alone = commands(&incoming.headers) == ["finalize"];
    let offset = offset(&incoming.headers).or(alone.then_some(upload.received));
    match offset {
        None => {
            return Err(Refusal::text(400, "X-Goog-Upload-Offset is missing or no number."));
        }
        Some(offset) if offset != upload.received && !upload.stuck => {
            let message = format!(
                "The client sent an offset of {offset}, but {} bytes were received.",
                upload.received
            );
            return Err(Refusal::text(400, message).with_header(STATUS, "active"));
        }
        Some(_) => {}
    }
    if alone && incoming.length() != Some(0) {
        return Err(Refusal::text(400, "The command finalize alone has no body."));
    }
    if let Some(length) = incoming.length()
        && !upload.stuck
    {
        upload.check_length(length, ends, granularity)?;
    }
    upload.attempt += 1;
    let (attempt, base, hasher) = (upload.attempt, upload.received, upload.hasher.clone());
    let kept = (base, hasher.clone());
    Ok(Piece { attempt, base, count: 0, hasher, step: step.min(granularity).max(1), kept })
}

fn offset(headers: &HeaderMap) -> Option<u64> {
    headers.get("x-goog-upload-offset")?.to_str().ok()?.trim().parse().ok()
}

impl State {
    /// Counts what of a piece is safe by now.
    fn keep(&mut self, id: &str, piece: &Piece) {
        let Some(upload) = self.uploads.get_mut(id) else { return };
        if upload.attempt == piece.attempt && !upload.stuck && piece.kept.0 > upload.received {
            (upload.received, upload.hasher) = piece.kept.clone();
        }
    }

    fn finished(&self, name: &str) -> Response {
        let file = self.file_value(name).unwrap_or_default();
        let mut response = json_reply(&serde_json::json!({"file": file}));
        set_header(&mut response, STATUS, "final");
        response
    }
}

fn end(
    incoming: &Incoming,
    id: &str,
    piece: Piece,
    ending: Ending,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let mut state = incoming.shared.lock();
    let granularity = state.settings.granularity;
    let upload = state.uploads.get_mut(id).ok_or_else(lost)?;
    if upload.stuck {
        return Ok(upload.active());
    }
    if upload.attempt != piece.attempt {
        return Err(Refusal::text(409, "Another request has gone on with this upload."));
    }
    if incoming.length().is_none() {
        upload.check_length(ending.length, ending.ends, granularity)?;
    }
    (upload.received, upload.hasher) = (piece.base + piece.count, piece.hasher);
    if !ending.ends || ending.short {
        return Ok(upload.active());
    }
    let digest = upload.hasher.clone().map(|hasher| hasher.finalize().into());
    let (owner, draft, size) = (upload.owner.clone(), upload.draft.clone(), upload.received);
    let name = state.add_upload(&owner, &draft, size, digest)?;
    if let (true, Some(entry)) = (effects.file_failed, state.files.last_mut()) {
        entry.fail();
    }
    if let Some(upload) = state.uploads.get_mut(id) {
        upload.life = Life::Final(name.clone());
    }
    Ok(state.finished(&name))
}
