//! The same without asynchrony: a runtime of the client's own runs each call to its end.
//!
//! Inside an asynchronous runtime every call is [`Error::InsideRuntime`] rather than a panic.

use std::sync::Arc;

use mediaprep_parts::{CountResponse, GenerateRequest, GenerateResponse};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::files::{File, UploadOptions, UploadSource};
use crate::{Error, Generated, Model};

/// A client whose calls return when they are done. Clones share the runtime.
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    runtime: Arc<Own>,
}

/// A runtime that may be dropped anywhere: inside another one it must not be waited for.
#[derive(Debug)]
struct Own(Option<Runtime>);

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Wraps a client.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the system gives no runtime.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Invalid(format!("no runtime: {error}")))?;
        Ok(Self { client, runtime: Arc::new(Own(Some(runtime))) })
    }

    /// The client itself, for [`Client::wait`].
    pub const fn asynchronous(&self) -> &crate::Client {
        &self.client
    }

    /// Runs any call to its end.
    ///
    /// ```
    /// use mediaprep_client::{Client, Secret, blocking};
    ///
    /// let client = Client::developer_api(Secret::new("my-key")).base_url("http://127.0.0.1:9");
    /// let client = client.retry(mediaprep_client::RetryPolicy::never()).build()?;
    /// let client = blocking::Client::new(client)?;
    /// let files = client.asynchronous().files();
    /// let error = client.wait(files.get("files/abc")).unwrap_err();
    /// assert_eq!(error.class(), mediaprep_client::Class::Retry); // nobody listens there
    /// # Ok::<(), mediaprep_client::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What the call gives, and [`Error::InsideRuntime`].
    pub fn wait<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match &self.runtime.0 {
            Some(runtime) if Handle::try_current().is_err() => runtime.block_on(call),
            _ => Err(Error::InsideRuntime),
        }
    }

    /// As [`crate::Client::generate`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn generate(&self, model: &str, request: &GenerateRequest) -> Result<Generated, Error> {
        self.wait(self.client.generate(model, request))
    }

    /// As [`crate::Client::stream`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn stream(&self, model: &str, request: &GenerateRequest) -> Result<AnswerStream, Error> {
        let stream = self.wait(self.client.stream(model, request))?;
        Ok(AnswerStream { client: self.clone(), stream })
    }

    /// As [`crate::Client::count_tokens`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn count_tokens(
        &self,
        model: &str,
        request: &GenerateRequest,
    ) -> Result<CountResponse, Error> {
        self.wait(self.client.count_tokens(model, request))
    }

    /// As [`crate::Client::model`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn model(&self, model: &str) -> Result<Model, Error> {
        self.wait(self.client.model(model))
    }

    /// As [`crate::Files::upload`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn upload(
        &self,
        source: Arc<dyn UploadSource>,
        options: &UploadOptions,
    ) -> Result<File, Error> {
        self.wait(self.client.files().upload(source, options))
    }
}

/// An answer that comes in pieces, as an iterator.
#[derive(Debug)]
pub struct AnswerStream {
    client: Client,
    stream: crate::AnswerStream,
}

impl AnswerStream {
    /// As [`crate::AnswerStream::into_generated`].
    pub fn into_generated(self) -> Generated {
        self.stream.into_generated()
    }
}

impl Iterator for AnswerStream {
    type Item = Result<GenerateResponse, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { client, stream } = self;
        client.wait(async { Ok(stream.next().await) }).unwrap_or_else(|error| Some(Err(error)))
    }
}
