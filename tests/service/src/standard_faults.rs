use serde_json::{Value, json};

use crate::fault::Fault;

/// The standard errors, with the bodies that the services send.
impl Fault {
    /// An error in Google's envelope, as JSON.
    pub fn error(code: u16, status: &str, message: &str, details: Vec<Value>) -> Self {
        let mut error = json!({"code": code, "message": message, "status": status});
        if !details.is_empty() {
            error["details"] = Value::Array(details);
        }
        Self::json(code, &json!({"error": error}))
    }

    /// 429: the tokens a minute are used up; with `RetryInfo` when a delay such as
    /// `"45.837906927s"` is given.
    pub fn quota_per_minute(retry_delay: Option<&str>) -> Self {
        let quota = Quota {
            metric: "generativelanguage.googleapis.com/generate_content_free_tier_input_token_count",
            id: "GenerateContentInputTokensPerModelPerMinute-FreeTier",
            value: "250000",
        };
        quota.fault(retry_delay)
    }

    /// 429: the requests a day are used up. The service gives a delay here too, which does not
    /// help.
    pub fn quota_per_day() -> Self {
        let quota = Quota {
            metric: "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            id: "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            value: "250",
        };
        quota.fault(Some("21.104339826s"))
    }

    /// 429 with neither `QuotaFailure` nor `RetryInfo`, as Vertex answers.
    pub fn quota_without_details() -> Self {
        let message = "Resource exhausted. Please try again later. Please refer to \
            https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.";
        Self::error(429, "RESOURCE_EXHAUSTED", message, Vec::new())
    }

    /// 503: the model is overloaded.
    pub fn overloaded() -> Self {
        let message = "The model is overloaded. Please try again later.";
        Self::error(503, "UNAVAILABLE", message, Vec::new())
    }

    /// 500: an internal error.
    pub fn internal() -> Self {
        let message = "An internal error has occurred. Please retry or report in \
            https://developers.generativeai.google/guide/troubleshooting";
        Self::error(500, "INTERNAL", message, Vec::new())
    }

    /// 400: the key is not valid, with the reason `API_KEY_INVALID`.
    pub fn invalid_key() -> Self {
        let message = "API key not valid. Please pass a valid API key.";
        let details = vec![
            json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }),
            json!({
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en-US",
                "message": message,
            }),
        ];
        Self::error(400, "INVALID_ARGUMENT", message, details)
    }

    /// 401: the bearer token is expired.
    pub fn expired_token() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access \
            token, login cookie or other valid authentication credential. See \
            https://developers.google.com/identity/sign-in/web/devconsole-project.";
        let details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_EXPIRED",
            "domain": "googleapis.com",
            "metadata": {"service": "aiplatform.googleapis.com"},
        })];
        Self::error(401, "UNAUTHENTICATED", message, details)
    }

    /// 400: the file is not ACTIVE yet.
    pub fn not_active() -> Self {
        let message = "The File abc-123 is not in an ACTIVE state and usage is not allowed.";
        Self::error(400, "FAILED_PRECONDITION", message, Vec::new())
    }

    /// The same answer with its body as the only element of a JSON array. A fault that is no
    /// JSON answer stays as it is.
    #[must_use]
    pub fn as_array(self) -> Self {
        match self {
            Self::Status { code, body, content_type, headers } => {
                let body = match serde_json::from_str::<Value>(&body) {
                    Ok(value) => format!("{:#}", Value::Array(vec![value])),
                    Err(_) => body,
                };
                Self::Status { code, body, content_type, headers }
            }
            other => other,
        }
    }

    /// 502 with a front end's page.
    pub fn html() -> Self {
        Self::Status {
            code: 502,
            body: html_page(502, "Server Error", "The server encountered a temporary error."),
            content_type: "text/html; charset=UTF-8".into(),
            headers: Vec::new(),
        }
    }

    /// 503 with no body and no type.
    pub fn empty_503() -> Self {
        Self::Status {
            code: 503,
            body: String::new(),
            content_type: String::new(),
            headers: Vec::new(),
        }
    }

    fn json(code: u16, body: &Value) -> Self {
        Self::Status {
            code,
            body: format!("{body:#}"),
            content_type: "application/json; charset=UTF-8".into(),
            headers: Vec::new(),
        }
    }
}

/// A quota that is used up.
struct Quota {
    metric: &'static str,
    id: &'static str,
    value: &'static str,
}

impl Quota {
    fn fault(&self, retry_delay: Option<&str>) -> Fault {
        let mut message = format!(
            "You exceeded your current quota, please check your plan and billing details. For \
             more information on this error, head to: \
             https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: {}, \
             limit: {}",
            self.metric, self.value
        );
        let mut details = vec![self.violation(), help()];
        if let Some(delay) = retry_delay {
            message.push_str(&format!("\nPlease retry in {delay}."));
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": delay,
            }));
        }
        Fault::error(429, "RESOURCE_EXHAUSTED", &message, details)
    }

    fn violation(&self) -> Value {
        json!({
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{
                "quotaMetric": self.metric,
                "quotaId": self.id,
                "quotaDimensions": {"location": "global", "model": "gemini-2.5-flash"},
                "quotaValue": self.value,
            }],
        })
    }
}

fn help() -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }],
    })
}

/// A page as Google's front end sends it.
pub(crate) fn html_page(code: u16, title: &str, text: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  \
         <title>Error {code} ({title})!!1</title>\n  <p><b>{code}.</b> \
         <ins>That\u{2019}s an error.</ins>\n  <p>{text} <ins>That\u{2019}s all we know.</ins>\n"
    )
}
