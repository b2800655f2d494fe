//! Many requests at half price: the lines that go out and the lines that come back.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::answer::GenerateResponse;
use crate::body::Body;
use crate::protojson::or_default;
use crate::request::GenerateRequest;
use crate::shape::{Marks, Shape, Shaped};

/// One request of a batch.
///
/// ```
/// use mediaprep_parts::{BatchLine, GenerateRequest, Part};
///
/// let request = GenerateRequest::user(vec![Part::text("one")]);
/// let line = BatchLine { key: "a".into(), request };
/// assert_eq!(
///     line.body().to_vec()?,
///     concat!(
///         r#"{"key":"a","request":{"contents":[{"parts":[{"text":"one"}],"role":"user"}]}}"#,
///         "\n"
///     )
///     .as_bytes()
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchLine {
    /// What the result is found by, since results come in any order. An empty key is left out.
    pub key: String,
    /// The request.
    pub request: GenerateRequest,
}

impl BatchLine {
    /// The line of a JSONL file for the Developer API, line end included: `{"key":…,"request":…}`.
    ///
    /// [`Body::joined`] makes a file of lines.
    pub fn body(&self) -> Body {
        self.line(!self.key.is_empty())
    }

    /// The line of a JSONL file for Vertex AI, which has no keys: `{"request":…}`.
    pub fn vertex_body(&self) -> Body {
        self.line(false)
    }

    fn line(&self, keyed: bool) -> Body {
        let mut body = Body::of(&Line { line: self, keyed });
        body.text("\n".into());
        body
    }
}

struct Line<'a> {
    line: &'a BatchLine,
    keyed: bool,
}

impl Shape for Line<'_> {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if self.keyed {
            map.serialize_entry("key", &self.line.key)?;
        }
        map.serialize_entry("request", &Shaped(&self.line.request, marks))?;
        map.end()
    }
}

/// What batchGenerateContent takes; Developer API only.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRequest {
    /// A name for people.
    pub display_name: Option<String>,
    /// The requests.
    pub input: BatchInput,
}

/// Where the requests of a batch are.
#[derive(Clone, Debug, PartialEq)]
pub enum BatchInput {
    /// In the body itself, which has the size limit of any body.
    Inline(Vec<BatchLine>),
    /// In an uploaded JSONL file of [`BatchLine::body`]s: `files/…`.
    File(String),
}

impl BatchRequest {
    /// The body of batchGenerateContent.
    pub fn body(&self) -> Body {
        Body::of(&Object("batch", self))
    }
}

impl Shape for BatchRequest {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if let Some(name) = &self.display_name {
            map.serialize_entry("displayName", name)?;
        }
        map.serialize_entry("inputConfig", &Shaped(&self.input, marks))?;
        map.end()
    }
}

impl Shape for BatchInput {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        match self {
            Self::Inline(lines) => {
                Object("requests", &Object("requests", lines.as_slice())).write(to, marks)
            }
            Self::File(name) => {
                let mut map = to.serialize_map(Some(1))?;
                map.serialize_entry("fileName", name)?;
                map.end()
            }
        }
    }
}

/// A request inside a body, whose key is metadata.
impl Shape for BatchLine {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Metadata<'a> {
            key: &'a str,
        }
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("request", &Shaped(&self.request, marks))?;
        if !self.key.is_empty() {
            map.serialize_entry("metadata", &Metadata { key: &self.key })?;
        }
        map.end()
    }
}

/// An object of one field.
struct Object<'a, T: ?Sized>(&'static str, &'a T);

impl<T: Shape + ?Sized> Shape for Object<'_, T> {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry(self.0, &Shaped(self.1, marks))?;
        map.end()
    }
}

/// What batchPredictionJobs takes; Vertex AI only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchPredictionJob {
    /// The model's name: `publishers/google/models/…`.
    pub model: String,
    /// A name for people.
    pub display_name: Option<String>,
    /// Cloud Storage addresses of JSONL files of [`BatchLine::vertex_body`]s.
    pub input_uris: Vec<String>,
    /// The Cloud Storage folder that the results are written to.
    pub output_uri_prefix: String,
}

impl BatchPredictionJob {
    /// The body of batchPredictionJobs.
    pub fn body(&self) -> Body {
        Body::of(self)
    }
}

impl Shape for BatchPredictionJob {
    fn write<S: Serializer>(&self, to: S, _: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("model", &self.model)?;
        if let Some(name) = &self.display_name {
            map.serialize_entry("displayName", name)?;
        }
        let input = serde_json::json!({
            "instancesFormat": "jsonl", "gcsSource": {"uris": self.input_uris},
        });
        map.serialize_entry("inputConfig", &input)?;
        let output = serde_json::json!({
            "predictionsFormat": "jsonl",
            "gcsDestination": {"outputUriPrefix": self.output_uri_prefix},
        });
        map.serialize_entry("outputConfig", &output)?;
        map.end()
    }
}

/// The result of one request of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchResult {
    /// The request's key; Vertex AI gives none.
    pub key: Option<String>,
    /// The request itself, which Vertex AI repeats in place of a key.
    pub request: Option<Value>,
    /// The answer, or why there is none.
    pub outcome: Result<GenerateResponse, ApiStatus>,
}

/// An error as the API describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiStatus {
    /// The code: of HTTP or of gRPC, by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// What went wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The same as a name, such as `INVALID_ARGUMENT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// More about it, as it came.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Value>,
}

impl BatchResult {
    /// Reads one line of a result file, or one of the results that come inside an operation.
    ///
    /// A line with neither an answer nor an error is an error without a message.
    ///
    /// # Errors
    ///
    /// For a line that is no JSON object, or whose answer is none.
    ///
    /// ```
    /// use mediaprep_parts::BatchResult;
    ///
    /// let line = r#"{"response":{"candidates":[{"content":{"parts":[{"text":"1"}]}}]},"key":"a"}"#;
    /// let result = BatchResult::from_line(line)?;
    /// assert_eq!(result.key.as_deref(), Some("a"));
    /// assert_eq!(result.outcome.unwrap().text(), "1");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn from_line(line: &str) -> Result<Self, serde_json::Error> {
        let ResultFields { key, metadata, request, response, error, status } =
            serde_json::from_str(line)?;
        let key = key.or_else(|| metadata?.key).and_then(|key| match key {
            Value::String(key) => Some(key),
            Value::Number(key) => Some(key.to_string()),
            _ => None,
        });
        // Vertex AI writes an empty status and an empty answer where there is none.
        let status = status.and_then(read_status);
        let outcome = match (error.and_then(read_status).or(status), response) {
            (Some(error), _) => Err(error),
            (None, Some(response)) => Ok(response),
            (None, None) => Err(ApiStatus::default()),
        };
        Ok(Self { key, request, outcome })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResultFields {
    key: Option<Value>,
    metadata: Option<ResultMetadata>,
    request: Option<Value>,
    response: Option<GenerateResponse>,
    error: Option<Value>,
    status: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResultMetadata {
    key: Option<Value>,
}

/// An error as an object or as text, which may hold the object; `None` when it says nothing.
fn read_status(value: Value) -> Option<ApiStatus> {
    let text = match value {
        Value::String(text) if text.is_empty() => return None,
        Value::String(text) => text,
        Value::Object(ref fields) if fields.is_empty() => return None,
        other => return Some(status_of(other)),
    };
    let inner = serde_json::from_str(&text).ok().filter(Value::is_object).map(status_of);
    Some(inner.unwrap_or(ApiStatus { message: Some(text), ..ApiStatus::default() }))
}

fn status_of(mut value: Value) -> ApiStatus {
    let inner = value.get_mut("error").filter(|inner| inner.is_object()).map(Value::take);
    let value = inner.unwrap_or(value);
    let message = value.to_string();
    // What has an unknown shape is at least shown.
    serde_json::from_value(value)
        .unwrap_or(ApiStatus { message: Some(message), ..ApiStatus::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Part;

    fn lines() -> Vec<BatchLine> {
        let line = |key: &str, text: &str| {
            let picture = Part::inline("image/png", vec![1, 2, 3]);
            let request = GenerateRequest::user(vec![picture, Part::text(text)]);
            BatchLine { key: key.into(), request }
        };
        vec![line("a\n\"", "one\ntwo"), line("b", "")]
    }

    #[test]
    fn a_file_has_one_line_for_each_request() {
        let file = Body::joined(lines().iter().map(BatchLine::body)).to_vec().unwrap();
        let text = String::from_utf8(file).unwrap();
        assert!(text.ends_with('\n'));
        let read: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read.len(), 2);
        for (read, line) in read.iter().zip(lines()) {
            assert_eq!(read["key"], line.key.as_str());
            let request: GenerateRequest = serde_json::from_value(read["request"].clone()).unwrap();
            assert_eq!(request, line.request);
        }
    }

    #[test]
    fn vertex_s_lines_have_no_keys() {
        let line = &lines()[1];
        let read: Value = serde_json::from_slice(&line.vertex_body().to_vec().unwrap()).unwrap();
        assert_eq!(read, serde_json::json!({"request": line.request}));
    }

    #[test]
    fn results_are_read_wherever_their_key_stands() {
        for line in [
            r#"{"key":"a","response":{"responseId":"r"}}"#,
            r#"{"response":{"responseId":"r"},"key":"a","more":1}"#,
            r#"{"metadata":{"key":"a"},"response":{"responseId":"r"},"error":null}"#,
            r#"{"key":"a","status":"","response":{"responseId":"r"}}"#,
        ] {
            let result = BatchResult::from_line(line).unwrap();
            assert_eq!(result.key.as_deref(), Some("a"), "{line}");
            assert_eq!(result.outcome.unwrap().response_id.as_deref(), Some("r"), "{line}");
        }
        let vertex = r#"{"request":{"contents":[]},"response":{},"processed_time":"x"}"#;
        let result = BatchResult::from_line(vertex).unwrap();
        assert_eq!(result.request, Some(serde_json::json!({"contents": []})));
        assert!(result.key.is_none() && result.outcome.is_ok());
    }

    #[test]
    fn errors_are_read_in_every_form() {
        for (line, code, message) in [
            (r#"{"key":"a","error":{"code":3,"message":"bad"}}"#, Some(3), "bad"),
            (r#"{"key":"a","error":{"error":{"code":400,"message":"bad"}}}"#, Some(400), "bad"),
            (r#"{"key":"a","status":{"code":3,"message":"bad"}}"#, Some(3), "bad"),
            (r#"{"status":"Bad Request: bad","response":{}}"#, None, "Bad Request: bad"),
            (r#"{"status":"{\"error\":{\"code\":400,\"message\":\"bad\"}}"}"#, Some(400), "bad"),
            (r#"{"error":{"code":"3x"}}"#, None, r#"{"code":"3x"}"#),
        ] {
            let error = BatchResult::from_line(line).unwrap().outcome.unwrap_err();
            assert_eq!((error.code, error.message.as_deref()), (code, Some(message)), "{line}");
        }
        let empty = BatchResult::from_line(r#"{"key":7}"#).unwrap();
        assert_eq!((empty.key.as_deref(), empty.outcome), (Some("7"), Err(ApiStatus::default())));
        assert!(BatchResult::from_line("oops").is_err());
    }
}
