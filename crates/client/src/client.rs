//! The client: settings, and one call with its retries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mediaprep_parts::{Body, BodyReader};
use serde_json::Value;

use crate::api_error::ApiError;
use crate::auth::{Credentials, Tokens};
use crate::endpoint::{Endpoint, InvalidName, Mode};
use crate::http::{Http, Timeouts};
use crate::race::{First, race};
use crate::retry::{Retrier, RetryPolicy};
use crate::transport::{
    ChunkSource, Clock, Payload, Request, Response, ResponseBody, SystemClock, Transport,
};
use crate::{Error, Secret, TokenSource};

/// The most bytes of an answer that is read whole: a candidate may carry pictures.
const LARGEST_ANSWER: usize = 256 << 20;
/// The most bytes of a refusal.
const LARGEST_REFUSAL: usize = 1 << 20;

/// How the address of an upload is used when a base URL is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UploadAddress {
    /// As the service gives it: uploads go past the gateway.
    #[default]
    Keep,
    /// With scheme, host and path prefix of the base URL in place of the service's own.
    Rewrite,
}

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct ClientBuilder {
    endpoint: Result<Endpoint, InvalidName>,
    credentials: Arc<Credentials>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    timeouts: Timeouts,
    settings: Settings,
}

#[derive(Clone, Debug, Default)]
struct Settings {
    retry: RetryPolicy,
    deadline: Option<Duration>,
    upload_address: UploadAddress,
    quota_project: Option<String>,
    largest_request: Option<u64>,
}

/// Sends requests to one service as one sender. Clones share everything.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    credentials: Arc<Credentials>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.inner.endpoint)
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The Gemini Developer API with an API key.
    pub fn developer_api(key: Secret) -> ClientBuilder {
        ClientBuilder::new(Ok(Endpoint::developer_api()), Credentials::Key(key))
    }

    /// The Gemini Developer API with OAuth tokens; name the project that pays by
    /// [`ClientBuilder::quota_project`].
    pub fn developer_api_with_token(token: TokenSource) -> ClientBuilder {
        let credentials = Credentials::Token(Tokens::new(token));
        ClientBuilder::new(Ok(Endpoint::developer_api()), credentials)
    }

    /// A Google Cloud project and location.
    pub fn vertex(project: &str, location: &str, token: TokenSource) -> ClientBuilder {
        let credentials = Credentials::Token(Tokens::new(token));
        ClientBuilder::new(Endpoint::vertex(project, location), credentials)
    }

    /// Google Cloud in express mode: an API key in place of a project.
    pub fn vertex_express(key: Secret) -> ClientBuilder {
        ClientBuilder::new(Ok(Endpoint::vertex_express()), Credentials::Key(key))
    }

    /// Where the client sends to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn retrier(&self) -> Retrier<'_> {
        Retrier::new(self.inner.settings.retry, self.clock())
    }

    pub(crate) fn upload_address(&self) -> UploadAddress {
        self.inner.settings.upload_address
    }

    /// Tells whose uploads these are, since an upload belongs to the project of its key; nothing
    /// where that cannot be told. Holds no secret.
    pub fn upload_scope(&self) -> Option<String> {
        let sender = self.inner.credentials.fingerprint();
        let sender = sender.or_else(|| self.inner.settings.quota_project.clone())?;
        Some(format!("{} {sender}", self.inner.endpoint.base()))
    }

    /// Refuses a call that only the Developer API has.
    pub(crate) fn needs_developer_api(&self, what: &'static str) -> Result<(), Error> {
        if self.inner.endpoint.mode() == Mode::DeveloperApi {
            return Ok(());
        }
        Err(Error::NotOffered {
            what,
            instead: "put the file into Cloud Storage and name its gs:// address",
        })
    }

    /// One call, tried again where that may help. The answer's body is not read yet.
    pub(crate) async fn call(&self, call: &Call<'_>) -> Result<Response, Error> {
        Ok(self.tried(call, false).await?.0)
    }

    /// The same, with its body where that is wanted `whole`: one that breaks off is asked for again.
    async fn tried(&self, call: &Call<'_>, whole: bool) -> Result<(Response, Vec<u8>), Error> {
        if let (Some(allowed), found) = (self.inner.settings.largest_request, call.length())
            && found > allowed
        {
            return Err(Error::TooLarge { found, allowed });
        }
        let mut retrier = self.retrier();
        let mut refresh = false;
        loop {
            let error = match self.once(call, refresh, whole).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let expired = error.api().is_some_and(|error| error.http == 401);
            if expired && !refresh && self.can_refresh() {
                refresh = true;
                continue;
            }
            refresh = false;
            retrier.pause(error).await?;
        }
    }

    async fn once(
        &self,
        call: &Call<'_>,
        refresh: bool,
        whole: bool,
    ) -> Result<(Response, Vec<u8>), Error> {
        let mut answer = self.inner.transport.send(self.request(call, refresh).await?).await?;
        if !(200..300).contains(&answer.code) {
            return Err(self.refusal(answer).await);
        }
        let body = match whole {
            true => read(&mut *answer.body, LARGEST_ANSWER, call.name).await?,
            false => Vec::new(),
        };
        Ok((answer, body))
    }

    /// A request with what every request carries.
    async fn request(&self, call: &Call<'_>, refresh: bool) -> Result<Request, Error> {
        let credentials = &self.inner.credentials;
        let auth = if call.bearer {
            credentials.bearer_header(refresh).await?
        } else {
            credentials.header(refresh).await?
        };
        let mut headers = vec![auth];
        if let Some(project) = &self.inner.settings.quota_project {
            headers.push(("x-goog-user-project", project.clone()));
        }
        if let Some(deadline) = self.inner.settings.deadline {
            let seconds = deadline.as_secs() + u64::from(deadline.subsec_nanos() > 0);
            headers.push(("x-server-timeout", seconds.to_string()));
        }
        if call.body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        headers.extend(call.headers.iter().cloned());
        let body = call.body.map_or(Payload::Empty, payload);
        Ok(Request { verb: call.verb, url: call.url.clone(), headers, body })
    }

    /// The header that says who sends; `refresh` when the last one was refused.
    pub(crate) async fn auth(&self, refresh: bool) -> Result<(&'static str, String), Error> {
        self.inner.credentials.header(refresh).await
    }

    /// Whether what was refused as expired may be sent with another token.
    pub(crate) fn can_refresh(&self) -> bool {
        self.inner.credentials.can_refresh()
    }

    /// Text from outside, for an error: should the secret be in it, it is blotted out.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.inner.credentials.redact(text)
    }

    /// A request without a key: to an address that is a capability.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, Error> {
        Ok(self.inner.transport.send(request).await?)
    }

    /// Reads a refusal.
    pub(crate) async fn refusal(&self, answer: Response) -> Error {
        self.refusal_without(answer, str::to_owned).await
    }

    /// The same without what `hide` takes out of its text.
    pub(crate) async fn refusal_without(
        &self,
        mut answer: Response,
        hide: impl Fn(&str) -> String,
    ) -> Error {
        let body = read(&mut *answer.body, LARGEST_REFUSAL, "a call").await.unwrap_or_default();
        self.api_error(answer.code, &hide(&String::from_utf8_lossy(&body)))
    }

    /// What a refusal's body says. Any field of it may hold the secret, so it is blotted out
    /// before the fields are told apart.
    pub(crate) fn api_error(&self, http: u16, body: &str) -> Error {
        ApiError::parse(http, self.redact(body).as_bytes()).into()
    }

    fn odd_answer(&self, call: &Call<'_>, reason: impl ToString) -> Error {
        Error::answer(call.name, self.redact(&reason.to_string()))
    }

    /// One call whose answer is JSON.
    pub(crate) async fn json(&self, call: &Call<'_>) -> Result<Value, Error> {
        let work = async {
            let (_, body) = self.tried(call, true).await?;
            if body.trim_ascii().is_empty() {
                return Ok(Value::Null);
            }
            serde_json::from_slice(&body).map_err(|error| self.odd_answer(call, error))
        };
        self.within_deadline(work).await
    }

    /// One call whose answer has a shape.
    pub(crate) async fn typed<T: serde::de::DeserializeOwned>(
        &self,
        call: &Call<'_>,
    ) -> Result<T, Error> {
        let value = self.json(call).await?;
        let value = if value.is_null() { Value::Object(serde_json::Map::new()) } else { value };
        if crate::api_error::is_refusal(&value) {
            return Err(self.api_error(200, &value.to_string()));
        }
        serde_json::from_value(value).map_err(|error| self.odd_answer(call, error))
    }

    /// Ends work that takes longer than the whole call may.
    pub(crate) async fn within_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(deadline) = self.inner.settings.deadline else { return work.await };
        match race(work, self.inner.clock.sleep(deadline)).await {
            First::Work(done) => done,
            First::Other(()) => Err(Error::Deadline { deadline }),
        }
    }
}

/// What is asked of the service.
pub(crate) struct Call<'a> {
    /// For errors: what a reader would call it.
    pub(crate) name: &'static str,
    pub(crate) verb: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<&'a Body>,
    /// The key travels as a bearer token.
    pub(crate) bearer: bool,
}

impl<'a> Call<'a> {
    pub(crate) const fn new(name: &'static str, verb: &'static str, url: String) -> Self {
        Self { name, verb, url, headers: Vec::new(), body: None, bearer: false }
    }

    pub(crate) const fn with_body(mut self, body: &'a Body) -> Self {
        self.body = Some(body);
        self
    }

    fn length(&self) -> u64 {
        self.body.map_or(0, Body::length)
    }
}

/// Bodies up to this size are made at once: less work than a thread that feeds them.
const SMALL: u64 = 64 << 10;

fn payload(body: &Body) -> Payload {
    let length = body.length();
    let mut reader = body.reader();
    if length <= SMALL {
        let mut whole = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        if std::io::Read::read_to_end(&mut reader, &mut whole).is_ok() {
            return Payload::Bytes(whole.into());
        }
        // The error comes again, and is reported, when the body is sent.
        reader = body.reader();
    }
    Payload::Chunks { length, source: Box::new(BodyChunks(reader)) }
}

struct BodyChunks(BodyReader);

impl ChunkSource for BodyChunks {
    fn next_chunk(&mut self) -> Option<std::io::Result<Bytes>> {
        self.0.next_chunk()
    }
}

/// Reads a body whole.
pub(crate) async fn read(
    body: &mut dyn ResponseBody,
    largest: usize,
    call: &'static str,
) -> Result<Vec<u8>, Error> {
    let mut whole = Vec::new();
    while let Some(piece) = body.chunk().await? {
        if whole.len() + piece.len() > largest {
            return Err(Error::answer(call, format!("it has more than {largest} bytes")));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

impl ClientBuilder {
    fn new(endpoint: Result<Endpoint, InvalidName>, credentials: Credentials) -> Self {
        Self {
            endpoint,
            credentials: Arc::new(credentials),
            transport: None,
            clock: Arc::new(SystemClock::default()),
            timeouts: Timeouts::default(),
            settings: Settings::default(),
        }
    }

    /// Another host, such as a gateway: scheme, host, and perhaps a path prefix.
    #[must_use]
    pub fn base_url(mut self, base: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.map(|endpoint| endpoint.with_base(base));
        self
    }

    /// Another version of the API, such as `v1`; by default `v1beta`, on Google Cloud `v1beta1`.
    #[must_use]
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.map(|endpoint| endpoint.with_version(version));
        self
    }

    /// How failures that may pass are met.
    #[must_use]
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// How long silence may last.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The longest that one call may take in all, its retries included; uploads and streams are
    /// not bound by it. The service is told in whole seconds, rounded up.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = Some(deadline);
        self
    }

    /// The project whose quota is used, sent as `x-goog-user-project`.
    #[must_use]
    pub fn quota_project(mut self, project: impl Into<String>) -> Self {
        self.settings.quota_project = Some(project.into());
        self
    }

    /// What to do with upload addresses that name another host than the base URL.
    #[must_use]
    pub const fn upload_address(mut self, address: UploadAddress) -> Self {
        self.settings.upload_address = address;
        self
    }

    /// Refuses larger requests, in bytes of the body, before anything is sent. The services'
    /// limits depend on the day and are the rule book's.
    #[must_use]
    pub const fn largest_request(mut self, bytes: u64) -> Self {
        self.settings.largest_request = Some(bytes);
        self
    }

    /// Another way to send.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The client. Opens no connection.
    ///
    /// # Errors
    ///
    /// A project or location that cannot stand in an address, an empty key, or TLS that cannot be
    /// set up.
    pub fn build(self) -> Result<Client, Error> {
        let endpoint = self.endpoint?;
        if let Credentials::Key(key) = &*self.credentials
            && key.is_empty()
        {
            return Err(Error::credentials("the key is empty"));
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Http::new(self.timeouts)?),
        };
        let (credentials, clock, settings) = (self.credentials, self.clock, self.settings);
        let inner = Inner { endpoint, credentials, transport, clock, settings };
        Ok(Client { inner: Arc::new(inner) })
    }
}
