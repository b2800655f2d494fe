//! Who sends: a key, or a bearer token and where fresh ones come from.

use std::fmt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::transport::BoxFuture;
use crate::{Error, Secret};

/// What an application-default token may be used for.
const SCOPES: &[&str] = &["https://www.googleapis.com/auth/cloud-platform"];

/// Where bearer tokens come from.
#[derive(Clone)]
pub enum TokenSource {
    /// One token; when it has run out, so has the client.
    Static(Secret),
    /// A program that prints a token, such as `gcloud auth print-access-token`.
    Command {
        /// The program.
        program: String,
        /// What it is told.
        arguments: Vec<String>,
    },
    /// Application-default credentials, as Google's own libraries find them: a service account's
    /// file, the user's own credentials, the machine's metadata service, the `gcloud` program.
    ApplicationDefault,
    /// Anything else.
    Other(Arc<dyn TokenProvider>),
}

/// Gives bearer tokens.
pub trait TokenProvider: Send + Sync {
    /// A token that is good now; `refresh` when the last one was refused.
    fn token(&self, refresh: bool) -> BoxFuture<'_, Result<Secret, Error>>;
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static(_) => "Static(…)",
            Self::Command { .. } => "Command",
            Self::ApplicationDefault => "ApplicationDefault",
            Self::Other(_) => "Other",
        })
    }
}

/// What goes into the header.
#[derive(Debug)]
pub(crate) enum Credentials {
    Key(Secret),
    Token(Tokens),
}

impl Credentials {
    /// The header that carries the key or token, as name and value.
    pub(crate) async fn header(&self, refresh: bool) -> Result<(&'static str, String), Error> {
        match self {
            Self::Key(key) => Ok(("x-goog-api-key", key.expose().to_owned())),
            Self::Token(tokens) => self.bearer(tokens, refresh).await,
        }
    }

    /// The same for the OpenAI-compatible form, which takes keys as bearer tokens.
    pub(crate) async fn bearer_header(
        &self,
        refresh: bool,
    ) -> Result<(&'static str, String), Error> {
        match self {
            Self::Key(key) => Ok(("authorization", format!("Bearer {}", key.expose()))),
            Self::Token(tokens) => self.bearer(tokens, refresh).await,
        }
    }

    async fn bearer(
        &self,
        tokens: &Tokens,
        refresh: bool,
    ) -> Result<(&'static str, String), Error> {
        let token = tokens.get(refresh).await?;
        Ok(("authorization", format!("Bearer {}", token.expose())))
    }

    /// Whether another try could carry another token.
    pub(crate) const fn can_refresh(&self) -> bool {
        match self {
            Self::Key(_) => false,
            Self::Token(tokens) => !matches!(tokens.source, TokenSource::Static(_)),
        }
    }

    pub(crate) fn redact(&self, text: &str) -> String {
        match self {
            Self::Key(key) => key.redact(text),
            Self::Token(tokens) => match &*tokens.lock() {
                Some(token) => token.redact(text),
                None => text.to_owned(),
            },
        }
    }

    /// Tells one sender from another without giving the secret away. A token changes each hour, so
    /// what its project is called stands for it.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        match self {
            Self::Key(key) => Some(key.fingerprint()),
            Self::Token(_) => None,
        }
    }
}

/// The last token, and where the next comes from.
#[derive(Debug)]
pub(crate) struct Tokens {
    source: TokenSource,
    last: Mutex<Option<Secret>>,
    found: tokio::sync::OnceCell<Found>,
}

/// Application-default credentials, once they are found. They keep their own tokens fresh.
struct Found(Arc<dyn gcp_auth::TokenProvider>);

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Found")
    }
}

impl Tokens {
    pub(crate) fn new(source: TokenSource) -> Self {
        let last = match &source {
            TokenSource::Static(token) => Some(token.clone()),
            _ => None,
        };
        Self { source, last: Mutex::new(last), found: tokio::sync::OnceCell::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Secret>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(&self, refresh: bool) -> Result<Secret, Error> {
        let known = self.lock().clone();
        let token = match (&self.source, known) {
            (TokenSource::Static(token), _) => return Ok(token.clone()),
            (TokenSource::Command { .. }, Some(token)) if !refresh => return Ok(token),
            (TokenSource::Command { program, arguments }, _) => {
                printed(program.clone(), arguments.clone()).await?
            }
            (TokenSource::ApplicationDefault, _) => self.application_default().await?,
            (TokenSource::Other(provider), _) => provider.token(refresh).await?,
        };
        if token.is_empty() {
            return Err(Error::credentials("the token is empty"));
        }
        *self.lock() = Some(token.clone());
        Ok(token)
    }

    async fn application_default(&self) -> Result<Secret, Error> {
        let find = || async { gcp_auth::provider().await.map(Found) };
        let found = self.found.get_or_try_init(find).await.map_err(Error::credentials)?;
        let token = found.0.token(SCOPES).await.map_err(Error::credentials)?;
        Ok(Secret::new(token.as_str()))
    }
}

async fn printed(program: String, arguments: Vec<String>) -> Result<Secret, Error> {
    let run = move || {
        let output = Command::new(&program).args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("`{program}` could not be run: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: String = said.lines().last().unwrap_or_default().chars().take(200).collect();
            return Err(format!("`{program}` ended with {}: {said}", output.status));
        }
        Ok(Secret::new(String::from_utf8_lossy(&output.stdout)))
    };
    let done = tokio::task::spawn_blocking(run).await;
    done.map_err(|error| Error::credentials(error.to_string()))?.map_err(Error::credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work)
    }

    fn command(text: &str) -> Tokens {
        let arguments = vec!["-c".to_owned(), text.to_owned()];
        Tokens::new(TokenSource::Command { program: "/bin/sh".to_owned(), arguments })
    }

    #[test]
    fn a_command_is_asked_once_and_again_when_its_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count").display().to_string();
        let tokens = command(&format!("echo x >> {count}; echo token-$(wc -l < {count})"));
        let get = |refresh| block_on(tokens.get(refresh)).unwrap().expose().to_owned();
        assert_eq!([get(false), get(false), get(true)], ["token-1", "token-1", "token-2"]);
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let error = block_on(command("echo no account >&2; exit 3").get(false)).unwrap_err();
        assert!(error.to_string().contains("no account"), "{error}");
        let error = block_on(command("true").get(false)).unwrap_err();
        assert!(error.to_string().contains("empty"), "{error}");
    }
}
