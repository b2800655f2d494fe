use axum::response::Response;
use sha2::{Digest, Sha256};

use crate::{
    files::Draft,
    incoming::Incoming,
    refusal::{Refusal, json_reply},
    serve::Effects,
    store::Bodies,
    upload::MAX_FILE,
};

/// The most of the metadata's part, with its headers.
const MAX_METADATA: usize = 64 << 10;

/// An upload in one request: protocol `multipart` or `raw`.
pub(crate) async fn upload(
    incoming: &mut Incoming,
    owner: String,
    effects: &Effects,
) -> Result<Response, Refusal> {
    let protocol = incoming.header("x-goog-upload-protocol").unwrap_or_default().to_owned();
    let hashed = incoming.shared.lock().settings.bodies != (Bodies::Sunk { hashed: false });
    let mut received = Received { size: 0, hasher: hashed.then(Sha256::new) };
    let draft = match protocol.as_str() {
        "multipart" => multipart(incoming, &mut received).await?,
        "raw" => raw(incoming, &mut received).await?,
        other => {
            let message = format!(
                "X-Goog-Upload-Protocol must be resumable, multipart or raw, not {other:?}."
            );
            return Err(Refusal::text(400, message));
        }
    };
    if draft.size.is_some_and(|size| size != received.size) {
        let message = format!(
            "* CreateFileRequest.file.size_bytes: is not the {} bytes that were sent",
            received.size
        );
        return Err(Refusal::invalid(message));
    }
    let digest = received.hasher.map(|hasher| hasher.finalize().into());
    let mut state = incoming.shared.lock();
    let name = state.add_upload(&owner, &draft, received.size, digest)?;
    if let (true, Some(entry)) = (effects.file_failed, state.files.last_mut()) {
        entry.fail();
    }
    let file = state.file_value(&name).unwrap_or_default();
    Ok(json_reply(&serde_json::json!({"file": file})))
}

/// The bytes of a file, hashed as they come.
struct Received {
    size: u64,
    hasher: Option<Sha256>,
}

impl Received {
    fn add(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.size += bytes.len() as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        match self.size > MAX_FILE {
            true => Err(Refusal::text(413, format!("The file is larger than {MAX_FILE} bytes."))),
            false => Ok(()),
        }
    }
}

async fn raw(incoming: &mut Incoming, received: &mut Received) -> Result<Draft, Refusal> {
    let mime_type = incoming.header("content-type").unwrap_or_default().to_owned();
    while let Some(bytes) = next(incoming).await? {
        received.add(&bytes)?;
    }
    Draft::read(br#"{"file":{}}"#, &mime_type)
}

async fn next(incoming: &mut Incoming) -> Result<Option<bytes::Bytes>, Refusal> {
    let Some(next) = incoming.next().await else { return Ok(None) };
    let bytes = next.map_err(|_| Refusal::departure())?;
    incoming.shared.lock().bytes_received += bytes.len() as u64;
    Ok(Some(bytes))
}

/// Reads `multipart/related`: the metadata as JSON, then the file's bytes, which are looked
/// through for the closing boundary as they come and not held.
async fn multipart(incoming: &mut Incoming, received: &mut Received) -> Result<Draft, Refusal> {
    let delimiter = format!("\r\n--{}", boundary(incoming)?).into_bytes();
    // As if a line went before the first boundary, so that all boundaries look the same.
    let mut held = b"\r\n".to_vec();
    let start = part(incoming, &mut held, &delimiter).await?;
    if !start.is_empty() {
        return Err(malformed("bytes stand before the first part"));
    }
    let (metadata_headers, _) = headers(incoming, &mut held).await?;
    let metadata = part(incoming, &mut held, &delimiter).await?;
    if !metadata_headers.to_ascii_lowercase().contains("application/json") {
        return Err(malformed("the first part is not application/json"));
    }
    let (_, mime_type) = headers(incoming, &mut held).await?;
    let draft = Draft::read(&metadata, &mime_type)?;
    let end = loop {
        if let Some(at) = find(&held, &delimiter) {
            received.add(&held[..at])?;
            break held.split_off(at + delimiter.len());
        }
        let safe = held.len().saturating_sub(delimiter.len());
        received.add(&held[..safe])?;
        held.drain(..safe);
        match next(incoming).await? {
            Some(bytes) => held.extend_from_slice(&bytes),
            None => return Err(malformed("the closing boundary is missing")),
        }
    };
    closed(incoming, end).await?;
    Ok(draft)
}

fn malformed(what: &str) -> Refusal {
    Refusal::text(400, format!("Malformed multipart body: {what}."))
}

fn boundary(incoming: &Incoming) -> Result<String, Refusal> {
    let content_type = incoming.header("content-type").unwrap_or_default();
    let boundary = content_type
        .strip_prefix("multipart/related;")
        .and_then(|rest| rest.split_once("boundary="))
        .map(|(_, boundary)| boundary.split(';').next().unwrap_or_default().trim_matches('"'))
        .filter(|boundary| (1..=70).contains(&boundary.len()));
    boundary
        .map(str::to_owned)
        .ok_or_else(|| malformed("the content type is not multipart/related with a boundary"))
}

/// What stands before the next delimiter. It is taken off `held`, with the delimiter and the end
/// of its line.
async fn part(
    incoming: &mut Incoming,
    held: &mut Vec<u8>,
    delimiter: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let mut delimiter = delimiter.to_vec();
    delimiter.extend_from_slice(b"\r\n");
    until(incoming, held, &delimiter).await
}

/// The headers of a part and its content type.
async fn headers(incoming: &mut Incoming, held: &mut Vec<u8>) -> Result<(String, String), Refusal> {
    let bytes = until(incoming, held, b"\r\n\r\n").await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let content_type = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
    });
    Ok((text, content_type.unwrap_or_default()))
}

/// Takes everything before `mark` off `held`, and the mark, reading on until it is there.
async fn until(
    incoming: &mut Incoming,
    held: &mut Vec<u8>,
    mark: &[u8],
) -> Result<Vec<u8>, Refusal> {
    loop {
        if let Some(at) = find(held, mark) {
            let rest = held.split_off(at + mark.len());
            let mut before = std::mem::replace(held, rest);
            before.truncate(at);
            return Ok(before);
        }
        if held.len() > MAX_METADATA {
            return Err(malformed("a part's head is too long"));
        }
        match next(incoming).await? {
            Some(bytes) => held.extend_from_slice(&bytes),
            None => return Err(malformed("it ends too early")),
        }
    }
}

/// Behind the closing boundary come two dashes and at most an end of line.
async fn closed(incoming: &mut Incoming, mut end: Vec<u8>) -> Result<(), Refusal> {
    while let Some(bytes) = next(incoming).await? {
        end.extend_from_slice(&bytes);
        if end.len() > 4 {
            break;
        }
    }
    match end == b"--" || end == b"--\r\n" {
        true => Ok(()),
        false => Err(malformed("the closing boundary is not closed")),
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}
