use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use serde_json::{Value, json};

/// Why a request is refused, in the form in which its service says so.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    code: u16,
    form: Form,
    message: String,
    headers: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
enum Form {
    /// Google's envelope; the status and the details are left out when empty.
    Envelope { status: &'static str, details: Vec<Value> },
    /// The envelope in an array of one, as the OpenAI-compatible paths answer.
    Array { status: &'static str },
    /// Plain text, as the upload service answers.
    Text,
    /// A front end's page.
    Page,
}

impl Refusal {
    pub(crate) fn new(code: u16, status: &'static str, message: impl Into<String>) -> Self {
        let form = Form::Envelope { status, details: Vec::new() };
        Self { code, form, message: message.into(), headers: Vec::new() }
    }

    /// 400 INVALID_ARGUMENT.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    /// 400 INVALID_ARGUMENT with one violation for each field that is wrong.
    pub(crate) fn fields(problems: &[(String, String)]) -> Self {
        let lines: Vec<&str> = problems.iter().map(|(_, problem)| problem.as_str()).collect();
        let violation = |(field, problem): &(String, String)| match field.is_empty() {
            true => json!({"description": problem}),
            false => json!({"field": field, "description": problem}),
        };
        let details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": problems.iter().map(violation).collect::<Vec<_>>(),
        })];
        Self::invalid(lines.join("\n")).with_details(details)
    }

    /// A refusal of the upload service, as plain text.
    pub(crate) fn text(code: u16, message: impl Into<String>) -> Self {
        Self { code, form: Form::Text, message: message.into(), headers: Vec::new() }
    }

    /// 404 for a path that the service does not have.
    pub(crate) fn no_such_path(path: &str) -> Self {
        let message = format!("The requested URL {path} was not found on this server.");
        Self { code: 404, form: Form::Page, message, headers: Vec::new() }
    }

    #[must_use]
    pub(crate) fn with_details(mut self, with: Vec<Value>) -> Self {
        if let Form::Envelope { details, .. } = &mut self.form {
            *details = with;
        }
        self
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same in the form of the OpenAI-compatible paths.
    #[must_use]
    pub(crate) fn in_array(mut self) -> Self {
        if let Form::Envelope { status, .. } = self.form {
            self.form = Form::Array { status };
        }
        self
    }

    /// The client went away before its body was whole.
    pub(crate) fn departure() -> Self {
        Self::text(DEPARTURE, "The client went away.")
    }

    pub(crate) fn is_departure(&self) -> bool {
        self.code == DEPARTURE
    }

    /// One line for the list of refusals.
    pub(crate) fn reason(&self) -> String {
        format!("{}: {}", self.code, self.message)
    }

    /// The error alone, as the answers of batches hold it.
    pub(crate) fn status(&self) -> Value {
        match &self.form {
            Form::Envelope { status, details } => self.envelope(status, details)["error"].take(),
            _ => self.envelope("", &[])["error"].take(),
        }
    }

    pub(crate) fn response(self) -> Response {
        let (body, content_type) = match &self.form {
            Form::Envelope { status, details } => (self.envelope(status, details), JSON),
            Form::Array { status } => (Value::Array(vec![self.envelope(status, &[])]), JSON),
            Form::Text => return self.finish(self.message.clone(), TEXT),
            Form::Page => {
                let page = crate::standard_faults::html_page(404, "Not Found", &self.message);
                return self.finish(page, "text/html; charset=UTF-8");
            }
        };
        self.finish(format!("{body:#}\n"), content_type)
    }

    fn envelope(&self, status: &str, details: &[Value]) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if !status.is_empty() {
            error["status"] = status.into();
        }
        if !details.is_empty() {
            error["details"] = details.into();
        }
        json!({"error": error})
    }

    fn finish(&self, body: String, content_type: &str) -> Response {
        let mut response = reply(self.code, body, content_type);
        for (name, value) in &self.headers {
            set_header(&mut response, name, value);
        }
        response
    }
}

/// What proxies log for a client that closed its request; nobody is left to read it.
const DEPARTURE: u16 = 499;
const JSON: &str = "application/json; charset=UTF-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// A JSON answer, indented as Google's are.
pub(crate) fn json_reply(body: &Value) -> Response {
    reply(200, format!("{body:#}\n"), JSON)
}

/// A plain text answer of the upload service.
pub(crate) fn text_reply(body: &str) -> Response {
    reply(200, body.to_owned(), TEXT)
}

/// An answer with this body; no content type is sent when it is empty.
pub(crate) fn reply(code: u16, body: String, content_type: &str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !content_type.is_empty() {
        set_header(&mut response, CONTENT_TYPE.as_str(), content_type);
    }
    response
}

/// Sets a header; a name or value that cannot be one is left out.
pub(crate) fn set_header(response: &mut Response, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        response.headers_mut().append(name, value);
    }
}
