//! From files and a request that needs them to an answer: upload what is not there yet, wait until
//! it can be used, ask, and make good for a file that has gone meanwhile.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use mediaprep_parts::GenerateRequest;
use sha2::{Digest, Sha256};

use crate::client::Client;
use crate::error::Class;
use crate::files::{File, FileState, UploadOptions, UploadSource};
use crate::reuse::{KnownUpload, UploadCache, UploadKey};
use crate::transport::TransportError;
use crate::{Error, Generated};

/// A file that a request needs.
#[derive(Clone)]
pub struct Pending {
    /// Its bytes.
    pub source: Arc<dyn UploadSource>,
    /// Its type and names.
    pub options: UploadOptions,
}

/// A file that the service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// `files/…`.
    pub name: String,
    /// What a request names it by.
    pub uri: String,
    /// Its type.
    pub mime_type: String,
    /// It was there already.
    pub reused: bool,
}

/// What happens on the way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DeliveryEvent<'a> {
    /// A file was there already.
    Reused(&'a Uploaded),
    /// A file was uploaded.
    Uploaded(&'a Uploaded),
    /// A file is not ready yet, after so long.
    Waiting(&'a File, Duration),
    /// A file is gone and is uploaded again.
    Gone(&'a Uploaded),
    /// The list of uploads cannot be used, so files may be uploaded twice.
    NoList(&'a Error),
}

/// How files get to the service. `O` is told what happens.
pub struct Delivery<'a, O = fn(DeliveryEvent<'_>)> {
    client: &'a Client,
    cache: Option<&'a UploadCache>,
    wait: Duration,
    observer: O,
}

impl<O> std::fmt::Debug for Delivery<'_, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("wait", &self.wait).finish_non_exhaustive()
    }
}

/// How long a file may be processed where nothing else is said: 15 minutes.
const WAIT: Duration = Duration::from_secs(900);

impl<'a> Delivery<'a> {
    /// Uploads everything each time, and waits up to 15 minutes for a file.
    pub fn new(client: &'a Client) -> Self {
        Self { client, cache: None, wait: WAIT, observer: |_| {} }
    }
}

impl<'a, O: Fn(DeliveryEvent<'_>)> Delivery<'a, O> {
    /// Uses uploads again that are on this list.
    #[must_use]
    pub fn cache(self, cache: Option<&'a UploadCache>) -> Self {
        Self { cache, ..self }
    }

    /// How long a file may be processed.
    #[must_use]
    pub fn wait(self, limit: Duration) -> Self {
        Self { wait: limit, ..self }
    }

    /// Is told what happens.
    #[must_use]
    pub fn observer<P: Fn(DeliveryEvent<'_>)>(self, observer: P) -> Delivery<'a, P> {
        Delivery { client: self.client, cache: self.cache, wait: self.wait, observer }
    }

    /// Sees that the service has every file and can use it; the same bytes are uploaded once.
    ///
    /// # Errors
    ///
    /// As [`crate::Files::upload`] and [`crate::Files::wait_active`].
    pub async fn upload(&self, files: &[Pending]) -> Result<Vec<Uploaded>, Error> {
        let mut done: Vec<Uploaded> = Vec::with_capacity(files.len());
        let mut seen: HashMap<([u8; 32], String), usize> = HashMap::new();
        for file in files {
            let digest = digest(file).await?;
            let same = (digest, file.options.mime_type.clone());
            if let Some(&at) = seen.get(&same) {
                done.push(Uploaded { reused: true, ..done[at].clone() });
                continue;
            }
            let uploaded = self.one(file, digest).await?;
            seen.insert(same, done.len());
            done.push(uploaded);
        }
        Ok(done)
    }

    /// Uploads, makes the request of the files' addresses, and has it sent by `send`. A file that
    /// was used again and has gone is uploaded once more, and a file that is not ready is waited
    /// for; then it is sent once more.
    ///
    /// # Errors
    ///
    /// As [`Delivery::upload`], and what `send` gives.
    pub async fn send<T>(
        &self,
        files: &[Pending],
        request: impl Fn(&[Uploaded]) -> GenerateRequest,
        send: impl AsyncFn(&GenerateRequest) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut uploaded = self.upload(files).await?;
        let error = match send(&request(&uploaded)).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        self.mend(error, files, &mut uploaded).await?;
        send(&request(&uploaded)).await
    }

    /// Uploads and asks, and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// As [`Delivery::send`] and [`Client::generate`].
    pub async fn generate(
        &self,
        model: &str,
        files: &[Pending],
        request: impl Fn(&[Uploaded]) -> GenerateRequest,
    ) -> Result<Generated, Error> {
        // Not by `send`: a future with an asynchronous closure in it cannot move between threads.
        let mut uploaded = self.upload(files).await?;
        let error = match self.client.generate(model, &request(&uploaded)).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        self.mend(error, files, &mut uploaded).await?;
        self.client.generate(model, &request(&uploaded)).await
    }

    /// Sees that what failed by its files can be tried once more; any other error comes back.
    async fn mend(
        &self,
        error: Error,
        files: &[Pending],
        uploaded: &mut [Uploaded],
    ) -> Result<(), Error> {
        match error.class() {
            Class::UploadAgain if self.replace_gone(files, uploaded).await? => {}
            Class::Wait if !uploaded.is_empty() => {
                for one in uploaded {
                    self.ready(self.client.files().get(&one.name).await?).await?;
                }
            }
            _ => return Err(error),
        }
        Ok(())
    }

    /// Uploads files anew that were used again and have gone; whether there were any.
    async fn replace_gone(
        &self,
        files: &[Pending],
        uploaded: &mut [Uploaded],
    ) -> Result<bool, Error> {
        let mut anew: HashMap<String, Uploaded> = HashMap::new();
        for (file, one) in files.iter().zip(uploaded.iter_mut()).filter(|(_, one)| one.reused) {
            if let Some(known) = anew.get(&one.name) {
                *one = known.clone();
                continue;
            }
            let Err(error) = self.client.files().get(&one.name).await else { continue };
            if error.api().is_none_or(|error| error.http != 403 && error.http != 404) {
                return Err(error);
            }
            (self.observer)(DeliveryEvent::Gone(one));
            self.list(|cache| cache.forget(&one.name));
            let fresh = self.one(file, digest(file).await?).await?;
            let old = std::mem::replace(one, fresh.clone());
            anew.insert(old.name, fresh);
        }
        Ok(!anew.is_empty())
    }

    async fn one(&self, file: &Pending, sha256: [u8; 32]) -> Result<Uploaded, Error> {
        let key = self.client.upload_scope().map(|scope| UploadKey {
            sha256,
            mime_type: file.options.mime_type.clone(),
            scope,
        });
        let now = self.client.clock().unix_seconds();
        let known = key.as_ref().and_then(|key| self.list(|cache| cache.find(key, now))).flatten();
        if let Some(known) = known {
            let uploaded = Uploaded::from(known);
            (self.observer)(DeliveryEvent::Reused(&uploaded));
            return Ok(uploaded);
        }
        let options = UploadOptions { sha256: Some(sha256), ..file.options.clone() };
        let mut stored = self.client.files().upload(file.source.clone(), &options).await?;
        // Before it is ready: a process that is stopped while it waits need not upload again.
        if let Some(key) = &key {
            self.list(|cache| cache.keep(key, &stored, now));
        }
        stored = self.ready(stored).await?;
        let uploaded = Uploaded {
            mime_type: options.mime_type,
            name: stored.name,
            uri: stored.uri,
            reused: false,
        };
        (self.observer)(DeliveryEvent::Uploaded(&uploaded));
        Ok(uploaded)
    }

    async fn ready(&self, file: File) -> Result<File, Error> {
        let name = file.name.clone();
        let seen = |file: &File, waited: Duration| {
            if file.state == FileState::Processing {
                (self.observer)(DeliveryEvent::Waiting(file, waited));
            }
        };
        let ready = self.client.files().wait_active(file, self.wait, seen).await;
        if matches!(ready, Err(Error::FileFailed { .. })) {
            self.list(|cache| cache.forget(&name));
        }
        ready
    }

    /// A list that cannot be used is no reason to stop.
    fn list<T>(&self, work: impl FnOnce(&UploadCache) -> Result<T, Error>) -> Option<T> {
        match work(self.cache?) {
            Ok(done) => Some(done),
            Err(error) => {
                (self.observer)(DeliveryEvent::NoList(&error));
                None
            }
        }
    }
}

impl From<KnownUpload> for Uploaded {
    fn from(known: KnownUpload) -> Self {
        Self { name: known.name, uri: known.uri, mime_type: known.mime_type, reused: true }
    }
}

async fn digest(file: &Pending) -> Result<[u8; 32], Error> {
    if let Some(digest) = file.options.sha256 {
        return Ok(digest);
    }
    let source = file.source.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut sha = Sha256::new();
        io::copy(&mut source.open()?, &mut sha)?;
        Ok(sha.finalize().into())
    });
    let unread = |error| Error::from(TransportError::Body(error));
    read.await.map_err(|error| unread(io::Error::other(error)))?.map_err(unread)
}
