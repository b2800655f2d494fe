//! Resumable uploads: piece by piece, checked against what the service says it has, gone on with
//! after a cut, also by a later process.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use mediaprep_parts::Body;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::piece::{Piece, Running, changed};
use super::recovery::Reply;
use super::source::UploadSource;
use super::state::StateFile;
use super::{File, Files, LARGEST_FILE};
use crate::Error;
use crate::client::{Call, Client, UploadAddress};
use crate::race::{First, race};
use crate::retry::Retrier;
use crate::transport::{Payload, Request};

/// Told how many bytes the service has, of how many.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// The granularity of the live service, in bytes; a piece has this size where the service names no
/// granularity, or one that is too small for a request of its own.
const USUAL_GRANULARITY: u64 = 8 << 20;
/// Smaller pieces than this are put together.
const SMALLEST_PIECE: u64 = 256 << 10;

/// Stops uploads from elsewhere. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    off: AtomicBool,
    notify: tokio::sync::Notify,
}

impl Cancel {
    /// Stops; the service is told, so that it forgets the bytes.
    pub fn cancel(&self) {
        self.0.off.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Whether it was stopped.
    pub fn is_cancelled(&self) -> bool {
        self.0.off.load(Ordering::SeqCst)
    }

    async fn cancelled(&self) {
        let notified = self.0.notify.notified();
        let mut notified = std::pin::pin!(notified);
        // Registered before the look, so that nothing in between is missed.
        notified.as_mut().enable();
        if !self.is_cancelled() {
            notified.await;
        }
    }
}

/// How a file is uploaded.
#[derive(Clone, Default)]
pub struct UploadOptions {
    /// Its type; needed.
    pub mime_type: String,
    /// `files/…` or what follows: up to 40 lower-case letters, digits and dashes. The service
    /// chooses when it is absent.
    pub name: Option<String>,
    /// For people, up to 512 characters of any script.
    pub display_name: Option<String>,
    /// The bytes' SHA-256, where it is known: then they are not hashed while they are sent.
    pub sha256: Option<[u8; 32]>,
    /// Where the upload is remembered until it is done. A later upload of the same bytes by the
    /// same sender goes on where this one stopped. Where it cannot be written, the upload goes on
    /// all the same.
    pub state_file: Option<PathBuf>,
    /// Told after each piece.
    pub progress: Option<Progress>,
    /// Stops it from elsewhere.
    pub cancel: Cancel,
}

impl fmt::Debug for UploadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadOptions")
            .field("mime_type", &self.mime_type)
            .field("name", &self.name)
            .field("display_name", &self.display_name)
            .finish_non_exhaustive()
    }
}

impl Files {
    /// Uploads a file. Each piece is as long as the service's granularity, and a cut connection, an
    /// overload or a lost answer costs at most that piece; what the service says it has is what
    /// counts.
    ///
    /// # Errors
    ///
    /// [`Error::Upload`] with the byte where it stopped, [`Error::Mismatch`] when length or hash at
    /// the service differ, [`Error::Api`] for a refusal, [`Error::Cancelled`].
    pub async fn upload(
        &self,
        source: Arc<dyn UploadSource>,
        options: &UploadOptions,
    ) -> Result<File, Error> {
        self.client.needs_developer_api("the File API")?;
        if source.length() > LARGEST_FILE {
            return Err(Error::TooLarge { found: source.length(), allowed: LARGEST_FILE });
        }
        let client = &self.client;
        let scope = client.upload_scope();
        let names = [
            scope.as_deref(),
            Some(options.mime_type.as_str()),
            options.name.as_deref(),
            options.display_name.as_deref(),
        ];
        let state = StateFile::new(options.state_file.as_deref(), &*source, options.sha256, &names);
        let hash = match options.sha256 {
            Some(_) => None,
            None => Some(Arc::new(Mutex::new(Running::default()))),
        };
        Job { client, source, options, state, hash }.run().await
    }
}

struct Job<'a> {
    client: &'a Client,
    source: Arc<dyn UploadSource>,
    options: &'a UploadOptions,
    state: StateFile,
    /// Absent when the caller knows the hash.
    hash: Option<Arc<Mutex<Running>>>,
}

/// Where the service takes the bytes.
struct Session {
    url: String,
    piece: u64,
    offset: u64,
    /// The farthest that it ever was: less is no progress.
    farthest: u64,
    /// Another process began it: ask first.
    resumed: bool,
}

impl Session {
    const fn new(url: String, granularity: u64, resumed: bool) -> Self {
        Self { url, piece: piece_size(granularity), offset: 0, farthest: 0, resumed }
    }
}

enum End {
    Done(Box<File>),
    Lost(Error),
}

impl Job<'_> {
    async fn run(&self) -> Result<File, Error> {
        let known = self.state.load();
        let mut known = known.map(|record| Session::new(record.url, record.granularity, true));
        let mut lost = false;
        loop {
            let session = match known.take() {
                Some(session) => session,
                None => self.start().await?,
            };
            let resumed = session.resumed;
            match self.guarded(session).await? {
                End::Done(file) => {
                    self.state.forget();
                    return self.check(*file).await;
                }
                End::Lost(error) if lost => return Err(error),
                // One that another process began may well be too old.
                End::Lost(_) => lost = !resumed,
            }
            self.state.forget();
        }
    }

    /// Sends everything, or tells the service to forget it.
    async fn guarded(&self, mut session: Session) -> Result<End, Error> {
        let cancel = &self.options.cancel;
        match race(self.send_all(&mut session), cancel.cancelled()).await {
            First::Work(done) if !matches!(done, Err(Error::Cancelled)) => done,
            _ => {
                self.state.forget();
                let told = self.send(&session, "cancel", None);
                let _ = race(told, self.client.clock().sleep(CANCEL_TIME)).await;
                Err(Error::Cancelled)
            }
        }
    }

    async fn start(&self) -> Result<Session, Error> {
        let length = self.source.length();
        let body = Body::from_json(&self.description());
        let body = body.map_err(|error| Error::Invalid(error.to_string()))?;
        let url = self.client.endpoint().upload_url();
        let mut call = Call::new("an upload's start", "POST", url).with_body(&body);
        call.headers = vec![
            ("x-goog-upload-protocol", "resumable".to_owned()),
            ("x-goog-upload-command", "start".to_owned()),
            ("x-goog-upload-header-content-length", length.to_string()),
            ("x-goog-upload-header-content-type", self.options.mime_type.clone()),
        ];
        let answer = self.client.call(&call).await?;
        let Some(url) = answer.header("x-goog-upload-url").filter(|url| url.starts_with("http"))
        else {
            return Err(Error::answer(call.name, "it names no address for the bytes"));
        };
        let granularity = answer.header("x-goog-upload-chunk-granularity");
        let granularity = granularity.and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
        let session = Session::new(url.to_owned(), granularity, false);
        self.state.save(&session.url, granularity, 0);
        Ok(session)
    }

    fn description(&self) -> Value {
        let mut file = Map::new();
        if let Some(name) = &self.options.name {
            let id = name.strip_prefix("files/").unwrap_or(name);
            file.insert("name".to_owned(), json!(format!("files/{id}")));
        }
        if let Some(name) = &self.options.display_name {
            file.insert("displayName".to_owned(), json!(name));
        }
        file.insert("mimeType".to_owned(), json!(self.options.mime_type));
        // 64-bit integers are text in protojson.
        file.insert("sizeBytes".to_owned(), json!(self.source.length().to_string()));
        json!({ "file": file })
    }

    async fn send_all(&self, session: &mut Session) -> Result<End, Error> {
        let length = self.source.length();
        let mut retrier = self.client.retrier();
        let mut ask = session.resumed;
        while !self.options.cancel.is_cancelled() {
            let sent = if ask {
                self.send(session, "query", None).await
            } else {
                let piece = session.piece.min(length - session.offset);
                let last = session.offset + piece == length;
                let command = if last { "upload, finalize" } else { "upload" };
                self.send(session, command, Some(piece)).await
            };
            let failure = match Reply::of(self.client, &session.url, sent).await {
                Reply::Final(file) => return Ok(End::Done(file)),
                Reply::Lost(error) => return Ok(End::Lost(error)),
                Reply::Refused(error) => return Err(error),
                Reply::Active(received) => {
                    let sent = (!ask).then(|| session.piece.min(length - session.offset));
                    match self.move_to(session, received, sent) {
                        Ok(progress) => {
                            if progress {
                                retrier.start_over();
                            }
                            ask = false;
                            continue;
                        }
                        Err(error) => error,
                    }
                }
                Reply::Again(error) => error,
                Reply::Ask(error) => {
                    ask = true;
                    error
                }
            };
            self.pause(&mut retrier, session, failure).await?;
        }
        Err(Error::Cancelled)
    }

    /// Takes the service's word for how far it is; `sent` is how many bytes went out, or nothing
    /// where it was only asked. Whether it is farther than ever.
    fn move_to(
        &self,
        session: &mut Session,
        received: Option<u64>,
        sent: Option<u64>,
    ) -> Result<bool, Error> {
        let odd = |reason: String| Error::answer("an upload", reason);
        let length = self.source.length();
        let assumed = sent.map(|sent| session.offset + sent);
        let received = received.or(assumed);
        let received = received.ok_or_else(|| odd("it does not say how many bytes came".into()))?;
        if received > assumed.unwrap_or(length) {
            return Err(odd(format!("{received} bytes came, but fewer were sent")));
        }
        session.offset = received;
        let progress = received > session.farthest;
        // Where it was only asked, an unchanged number is news all the same.
        if !progress && sent.is_some() {
            return Err(odd(format!("no byte came beyond {received}")));
        }
        session.farthest = session.farthest.max(received);
        self.state.save(&session.url, session.piece, session.offset);
        if let Some(progress) = &self.options.progress {
            progress(session.offset, length);
        }
        Ok(progress)
    }

    async fn pause(
        &self,
        retrier: &mut Retrier<'_>,
        session: &Session,
        failure: Error,
    ) -> Result<(), Error> {
        let Err(error) = retrier.pause_anyway(failure).await else { return Ok(()) };
        Err(Error::Upload {
            offset: session.offset,
            length: self.source.length(),
            // The count stands behind the whole.
            reason: error.with_tries(1).to_string(),
            tries: retrier.tried(),
        })
    }

    async fn send(
        &self,
        session: &Session,
        command: &str,
        piece: Option<u64>,
    ) -> Result<crate::Response, Error> {
        let request = self.request(session, command, piece, false).await?;
        let answer = self.client.send(request).await?;
        let through_gateway = self.client.upload_address() == UploadAddress::Rewrite;
        if answer.code != 401 || !through_gateway || !self.client.can_refresh() {
            return Ok(answer);
        }
        // An upload may well last longer than the token with which it was begun.
        let request = self.request(session, command, piece, true).await?;
        self.client.send(request).await
    }

    async fn request(
        &self,
        session: &Session,
        command: &str,
        piece: Option<u64>,
        refresh: bool,
    ) -> Result<Request, Error> {
        let mut headers = vec![("x-goog-upload-command", command.to_owned())];
        let body = match piece {
            None => Payload::Empty,
            Some(piece) => {
                headers.push(("x-goog-upload-offset", session.offset.to_string()));
                self.payload(session.offset, piece)
            }
        };
        let (url, rewritten) = self.address(&session.url);
        if rewritten {
            headers.push(self.client.auth(refresh).await?);
        }
        Ok(Request { verb: "POST", url, headers, body })
    }

    /// The address is a capability, so it goes without the key, except through a gateway of the
    /// caller's own.
    fn address(&self, url: &str) -> (String, bool) {
        match self.client.upload_address() {
            UploadAddress::Keep => (url.to_owned(), false),
            UploadAddress::Rewrite => (rewritten(url, self.client.endpoint().base()), true),
        }
    }

    fn payload(&self, offset: u64, length: u64) -> Payload {
        if length == 0 {
            return Payload::Bytes(Bytes::new());
        }
        let piece = Piece::new(self.source.clone(), self.hash.clone(), (offset, length));
        Payload::Chunks { length, source: Box::new(piece) }
    }

    /// Holds what the service has against what was sent.
    async fn check(&self, file: File) -> Result<File, Error> {
        let length = self.source.length();
        if let Some(found) = file.size_bytes.filter(|found| *found != length) {
            let (found, expected) = (found.to_string(), length.to_string());
            return Err(Error::Mismatch { what: "size in bytes", found, expected });
        }
        let Some(found) = &file.sha256_hash else { return Ok(file) };
        let digest = match self.options.sha256 {
            Some(digest) => digest,
            None => self.digest().await?,
        };
        match read_digest(found) {
            // A hash of a form that is not known says nothing.
            None => Ok(file),
            Some(other) if other == digest => Ok(file),
            Some(other) => {
                let (found, expected) = (hex(&other), hex(&digest));
                Err(Error::Mismatch { what: "SHA-256", found, expected })
            }
        }
    }

    async fn digest(&self) -> Result<[u8; 32], Error> {
        let length = self.source.length();
        let running = self.hash.as_ref().map(|hash| {
            let running = hash.lock().unwrap_or_else(PoisonError::into_inner);
            running.digest(length)
        });
        if let Some(Some(digest)) = running {
            return Ok(digest);
        }
        // Another process sent the beginning.
        let source = self.source.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut sha = Sha256::new();
            let copied = io::copy(&mut source.open()?, &mut sha)?;
            if copied == length { Ok(sha.finalize().into()) } else { Err(changed(length, copied)) }
        });
        let unread = |error| Error::from(crate::transport::TransportError::Body(error));
        read.await.map_err(|error| unread(io::Error::other(error)))?.map_err(unread)
    }
}

/// How long the service is told that an upload is not wanted any more.
const CANCEL_TIME: std::time::Duration = std::time::Duration::from_secs(5);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The service writes either the hash or its hexadecimal text in base64.
fn read_digest(text: &str) -> Option<[u8; 32]> {
    let bytes = base64_simd::STANDARD.decode_to_vec(text).ok()?;
    if let Ok(digest) = bytes.as_slice().try_into() {
        return Some(digest);
    }
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() == 64)?;
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// Scheme, host and path prefix of `base` in place of the scheme and host of `url`.
fn rewritten(url: &str, base: &str) -> String {
    let split = |url: &str| {
        let host = url.find("://").map_or(0, |at| at + 3);
        url[host..].find('/').map_or(url.len(), |at| host + at)
    };
    let path = &url[split(url)..];
    let (host, prefix) = base.split_at(split(base));
    if !prefix.is_empty() && path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/')) {
        return format!("{host}{path}");
    }
    format!("{base}{path}")
}

/// What is sent at a time: the granularity, or as many as make a request worth it.
const fn piece_size(granularity: u64) -> u64 {
    if granularity >= SMALLEST_PIECE {
        granularity
    } else {
        USUAL_GRANULARITY / granularity * granularity
    }
}
