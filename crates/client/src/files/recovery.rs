//! What an answer to a piece of an upload means, by the rules of Google's own generic clients.

use serde_json::Value;

use super::{File, Wrapped};
use crate::client::{Client, read};
use crate::error::{Class, Error};
use crate::transport::{Response, TransportError};

/// What to do next.
pub(super) enum Reply {
    /// The service has so many bytes, or does not say how many.
    Active(Option<u64>),
    /// It has everything.
    Final(Box<File>),
    /// The same again.
    Again(Error),
    /// Ask how many bytes it has.
    Ask(Error),
    /// It knows nothing of this upload any more.
    Lost(Error),
    /// It does not want it.
    Refused(Error),
}

impl Reply {
    /// `url` is the upload's address, which the service may repeat.
    pub(super) async fn of(client: &Client, url: &str, sent: Result<Response, Error>) -> Self {
        match sent {
            Ok(answer) if answer.code == 200 => success(answer).await,
            Ok(answer) => refusal(client, url, answer).await,
            Err(error) => match &error {
                Error::Transport {
                    source: TransportError::Body(_) | TransportError::Invalid { .. },
                    ..
                } => Self::Refused(error),
                _ => Self::Ask(error),
            },
        }
    }
}

fn status(answer: &Response) -> String {
    answer.header("x-goog-upload-status").unwrap_or_default().to_ascii_lowercase()
}

async fn success(mut answer: Response) -> Reply {
    let status = status(&answer);
    let received = answer.header("x-goog-upload-size-received").map(str::parse);
    match (status.as_str(), received) {
        ("active", None) => Reply::Active(None),
        ("active", Some(Ok(received))) => Reply::Active(Some(received)),
        ("active", Some(Err(_))) => Reply::Ask(odd("how many bytes came is no number")),
        ("cancelled", _) => Reply::Lost(odd("the upload was cancelled")),
        // Without a status a whole answer is one all the same.
        _ => match read(&mut *answer.body, 1 << 20, CALL).await {
            Ok(body) => match file(&body) {
                Some(file) => Reply::Final(Box::new(file)),
                None => Reply::Ask(odd(format!("no file in it, status `{status}`"))),
            },
            Err(error) => Reply::Ask(error),
        },
    }
}

async fn refusal(client: &Client, url: &str, answer: Response) -> Reply {
    let refused_for_good = status(&answer) == "final";
    let code = answer.code;
    let error = client.refusal_without(answer, |text| without_address(text, url)).await;
    match code {
        _ if refused_for_good => Reply::Refused(error),
        404 | 410 => Reply::Lost(error),
        308 | 400 | 409 | 412 | 416 => Reply::Ask(error),
        // A quota of the day is one of these codes, too, but does not come back.
        _ if error.class() == Class::Retry => Reply::Again(error),
        _ => Reply::Refused(error),
    }
}

/// A value shorter than this in an address tells nothing.
const TELLING: usize = 12;

/// `text` without an address and without what is told by it: the page of a front end that does not
/// know an address shows it.
fn without_address(text: &str, url: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let values = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1));
    let parts = [url, query].into_iter().chain(values).filter(|part| part.len() >= TELLING);
    parts.fold(text.to_owned(), |text, part| text.replace(part, "…"))
}

const CALL: &str = "an upload";

fn odd(reason: impl ToString) -> Error {
    Error::answer(CALL, reason)
}

/// The file of a final answer. A lost answer that is asked for again may hold it bare.
fn file(body: &[u8]) -> Option<File> {
    let value: Value = serde_json::from_slice(body).ok()?;
    if let Ok(wrapped) = serde_json::from_value::<Wrapped>(value.clone()) {
        return Some(wrapped.file);
    }
    serde_json::from_value::<File>(value).ok().filter(|file| !file.name.is_empty())
}
