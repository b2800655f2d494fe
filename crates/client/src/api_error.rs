//! What a service says when it refuses, in every form that has been seen: an object, the same in a
//! list of one, the same as text inside its own message, plain text, HTML, nothing.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::Class;

/// Longest message that is kept, in characters: a proxy may answer with a whole page.
const LONGEST_MESSAGE: usize = 1000;

/// One quota that was exceeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Such as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
    pub id: String,
    /// The metric's own name.
    pub metric: Option<String>,
    /// The limit, where it is told.
    pub value: Option<u64>,
    /// The model whose quota it is.
    pub model: Option<String>,
}

impl Quota {
    /// Whether waiting a minute does not help: the quota is one of a day, or nothing at all.
    pub fn is_final(&self) -> bool {
        self.id.contains("PerDay") || self.value == Some(0)
    }
}

/// A refusal by the service.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The HTTP code; 200 for an error inside a stream.
    pub http: u16,
    /// Such as `RESOURCE_EXHAUSTED`.
    pub status: Option<String>,
    /// What the service says.
    pub message: String,
    /// Such as `API_KEY_INVALID`.
    pub reason: Option<String>,
    /// Quotas that were exceeded.
    pub quotas: Vec<Quota>,
    /// How long the service asks to wait.
    pub retry_delay: Option<Duration>,
    /// How often it was tried.
    pub tries: u32,
}

impl ApiError {
    /// Reads the body of an answer that is no success.
    pub fn parse(http: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::from_value(http, &value),
            Err(_) => Self::bare(http, &plain(&String::from_utf8_lossy(body))),
        }
    }

    /// Reads an answer that is JSON already.
    pub fn from_value(http: u16, value: &Value) -> Self {
        let Some(error) = envelope(value) else {
            return Self::bare(http, &shorten(&value.to_string()));
        };
        let message = error["message"].as_str().unwrap_or_default();
        // Some wrappers put the whole envelope into the message.
        if let Ok(inner) = serde_json::from_str::<Value>(message)
            && envelope(&inner).is_some()
        {
            return Self::from_value(http, &inner);
        }
        let code = error["code"].as_u64().and_then(|code| u16::try_from(code).ok());
        let mut parsed = Self::bare(if http == 200 { code.unwrap_or(http) } else { http }, "");
        parsed.message = shorten(message);
        parsed.status = error["status"].as_str().map(str::to_owned);
        for detail in error["details"].as_array().into_iter().flatten() {
            parsed.read_detail(detail);
        }
        parsed
    }

    fn bare(http: u16, message: &str) -> Self {
        Self {
            http,
            status: None,
            message: message.to_owned(),
            reason: None,
            quotas: Vec::new(),
            retry_delay: None,
            tries: 1,
        }
    }

    fn read_detail(&mut self, detail: &Value) {
        if let Some(reason) = detail["reason"].as_str() {
            self.reason.get_or_insert_with(|| reason.to_owned());
        }
        if let Some(delay) = detail["retryDelay"].as_str().and_then(duration) {
            self.retry_delay = Some(delay);
        }
        for violation in detail["violations"].as_array().into_iter().flatten() {
            let Some(id) = violation["quotaId"].as_str() else { continue };
            let value = &violation["quotaValue"];
            self.quotas.push(Quota {
                id: id.to_owned(),
                metric: violation["quotaMetric"].as_str().map(str::to_owned),
                value: value.as_u64().or_else(|| value.as_str()?.parse().ok()),
                model: violation["quotaDimensions"]["model"].as_str().map(str::to_owned),
            });
        }
    }

    /// What can be done about it.
    pub fn class(&self) -> Class {
        let status = self.status.as_deref().unwrap_or_default();
        match self.http {
            429 if self.quotas.iter().any(Quota::is_final) => Class::Never,
            408 | 429 | 499 | 500 | 502 | 503 | 504 => Class::Retry,
            400 if status == "FAILED_PRECONDITION" && self.message.contains("ACTIVE") => {
                Class::Wait
            }
            403 if self.is_about_a_file() => Class::UploadAgain,
            _ => Class::Never,
        }
    }

    /// Whether a file that the request names is gone or somebody else's.
    fn is_about_a_file(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        message.contains("file") && (message.contains("permission") || message.contains("exist"))
    }

    /// A way out, where one is known.
    pub(crate) fn hint(&self) -> Option<String> {
        if let Some(quota) = self.quotas.iter().find(|quota| quota.is_final()) {
            let limit = quota.value.map_or(String::new(), |value| format!(" of {value}"));
            return Some(format!(
                "the quota {}{limit} is used up; waiting a minute does not help",
                quota.id
            ));
        }
        let text = match (self.http, self.reason.as_deref()) {
            (_, Some("API_KEY_INVALID")) => "look at the key; keys belong to one service",
            (400, _) if self.message.contains("location") => {
                "the free tier is not offered in this country; use a paid project"
            }
            (400, _) if self.class() == Class::Wait => "wait until the file is ACTIVE",
            (401, _) => "get a new token",
            (403, _) if self.is_about_a_file() => {
                "files live 48 hours and belong to their key's project; upload it again"
            }
            (404, _) => "look at the model's name and the API version",
            (409, _) => "the name is taken; choose another, or let the service choose",
            (413, _) => "upload the files, or split the request",
            (429, _) => "send less at a time, or ask for a higher quota",
            (500, _) => "a request near the window's size or a short timeout also ends like this",
            (503, _) => "the model is overloaded; try later, or another model",
            (504, _) => "give it more time",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service answered {}", self.http)?;
        if let Some(status) = &self.status {
            write!(f, " {status}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, " ({reason})")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        for quota in &self.quotas {
            write!(f, "; quota {}", quota.id)?;
            if let Some(value) = quota.value {
                write!(f, " of {value}")?;
            }
        }
        if let Some(delay) = self.retry_delay {
            write!(f, "; asks to wait {} s", delay.as_secs_f32())?;
        }
        if self.tries > 1 {
            write!(f, " (tried {} times)", self.tries)?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

/// Whether an answer is nothing but an error. A file or a batch that failed has an error, too, but
/// beside its name: it is an answer.
pub(crate) fn is_refusal(value: &Value) -> bool {
    envelope(value).is_some() && value.as_object().is_none_or(|fields| fields.len() == 1)
}

/// The object under `error`, also in a list of one.
pub(crate) fn envelope(value: &Value) -> Option<&Value> {
    let value = match value {
        Value::Array(items) => items.iter().find(|item| item.get("error").is_some())?,
        other => other,
    };
    value.get("error").filter(|error| error.is_object())
}

/// A protobuf duration: seconds with up to nine decimals and an `s`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanos))
}

/// Text without the tags of a page.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars().take(LONGEST_MESSAGE * 8) {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    shorten(&out.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn shorten(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PER_MINUTE: &str = r#"{"error":{"code":429,"message":"You exceeded your current quota.",
        "status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{
            "quotaMetric":"generativelanguage.googleapis.com/input_token_count",
            "quotaId":"GenerateContentInputTokensPerModelPerMinute-FreeTier",
            "quotaDimensions":{"model":"gemini-x","location":"global"},"quotaValue":"250000"}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"45.837906927s"}]}}"#;

    #[test]
    fn a_quota_s_refusal_says_everything() {
        let error = ApiError::parse(429, PER_MINUTE.as_bytes());
        assert_eq!(error.retry_delay, Some(Duration::new(45, 837_906_927)));
        assert_eq!(error.quotas[0].value, Some(250_000));
        assert_eq!(error.quotas[0].model.as_deref(), Some("gemini-x"));
        assert_eq!(error.class(), Class::Retry);
        let daily = PER_MINUTE.replace("PerMinute", "PerDay");
        let daily = ApiError::parse(429, daily.as_bytes());
        assert_eq!(daily.class(), Class::Never);
        assert!(daily.hint().unwrap().contains("PerDay"));
        let zero = PER_MINUTE.replace("250000", "0");
        assert_eq!(ApiError::parse(429, zero.as_bytes()).class(), Class::Never);
    }

    #[test]
    fn every_wrapping_says_the_same() {
        let whole = ApiError::parse(429, PER_MINUTE.as_bytes());
        let list = ApiError::parse(429, format!("[{PER_MINUTE}\n]").as_bytes());
        assert_eq!(list, whole);
        let inside = serde_json::json!({"error": {"message": PER_MINUTE, "code": 429}});
        assert_eq!(ApiError::from_value(429, &inside), whole);
    }

    #[test]
    fn answers_that_are_no_json_keep_their_code() {
        for (code, body, message) in [
            (503, "", ""),
            (502, "<html><title>Bad\nGateway</title><body>x</body></html>", "Bad Gateway x"),
            (400, "The client sent 3 bytes", "The client sent 3 bytes"),
            (
                409,
                r#"{"error":{"message":"files/a already exists.","code":409}}"#,
                "files/a already exists.",
            ),
            (500, r#"{"error":"no object"}"#, r#"{"error":"no object"}"#),
            (500, "[]", "[]"),
        ] {
            let error = ApiError::parse(code, body.as_bytes());
            assert_eq!((error.http, error.message.as_str()), (code, message));
        }
    }

    #[test]
    fn classes_are_the_table_s() {
        let class = |code, status: &str, message: &str| {
            let error = serde_json::json!({"error": {"status": status, "message": message}});
            ApiError::from_value(code, &error).class()
        };
        let waits = "The File x is not in an ACTIVE state and usage is not allowed.";
        assert_eq!(class(400, "FAILED_PRECONDITION", waits), Class::Wait);
        let country = "User location is not supported for the API use.";
        assert_eq!(class(400, "FAILED_PRECONDITION", country), Class::Never);
        let gone = "You do not have permission to access the File x or it may not exist.";
        assert_eq!(class(403, "PERMISSION_DENIED", gone), Class::UploadAgain);
        assert_eq!(class(403, "PERMISSION_DENIED", "The caller lacks it"), Class::Never);
        for code in [408, 429, 499, 500, 502, 503, 504] {
            assert_eq!(class(code, "", ""), Class::Retry, "{code}");
        }
        for code in [400, 401, 404, 409, 413, 501] {
            assert_eq!(class(code, "", ""), Class::Never, "{code}");
        }
    }

    #[test]
    fn durations_are_protobuf_s() {
        assert_eq!(duration("2.5s"), Some(Duration::from_millis(2500)));
        assert_eq!(duration("10s"), Some(Duration::from_secs(10)));
        for bad in ["", "s", "2", "-1s", "1.s.", "1.0000000001s", "1e3s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..300), code in 100u16..600) {
            let error = ApiError::parse(code, &body);
            prop_assert!(error.to_string().contains(&code.to_string()));
        }
    }
}
