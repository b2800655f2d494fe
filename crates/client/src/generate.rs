//! Asking a model: generate, stream, count tokens, and what the model says of itself.

use std::collections::VecDeque;

use mediaprep_parts::{Body, CountResponse, CountShape, GenerateRequest, GenerateResponse};
use serde::Deserialize;
use serde_json::Value;

use crate::api_error::envelope;
use crate::client::{Call, Client};
use crate::endpoint::{Method, Mode};
use crate::events::{Event, EventReader};
use crate::outcome::{Collected, Generated};
use crate::transport::ResponseBody;
use crate::{Error, numbers};

/// What a service says of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Model {
    /// Such as `models/gemini-3.5-flash`.
    pub name: String,
    /// For people.
    pub display_name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The most tokens of a request.
    #[serde(deserialize_with = "numbers::optional")]
    pub input_token_limit: Option<u64>,
    /// The most tokens of an answer.
    #[serde(deserialize_with = "numbers::optional")]
    pub output_token_limit: Option<u64>,
    /// What may be asked of it, such as `generateContent`.
    pub supported_generation_methods: Vec<String>,
}

impl Client {
    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// [`Error::Api`] for a refusal, [`Error::Transport`] when no answer comes, [`Error::TooLarge`]
    /// before anything is sent. A blocked prompt or a stopped candidate is no error but an
    /// [`crate::Outcome`].
    pub async fn generate(
        &self,
        model: &str,
        request: &GenerateRequest,
    ) -> Result<Generated, Error> {
        self.generate_body(model, &request.body()).await
    }

    /// The same with a body that is ready.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`].
    pub async fn generate_body(&self, model: &str, body: &Body) -> Result<Generated, Error> {
        let line = self.endpoint().request_line(Method::Generate, model)?;
        let call = Call::new("generateContent", line.verb, line.url).with_body(body);
        let response: GenerateResponse = self.typed(&call).await?;
        let mut collected = Collected::default();
        collected.add(&response);
        Ok(collected.finish(false))
    }

    /// Sends a request and gives the answer as it comes.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`], for what happens before the first piece; what happens later comes
    /// out of the stream. A stream that has begun is never asked for again.
    pub async fn stream(
        &self,
        model: &str,
        request: &GenerateRequest,
    ) -> Result<AnswerStream, Error> {
        self.stream_body(model, &request.body()).await
    }

    /// The same with a body that is ready.
    ///
    /// # Errors
    ///
    /// As [`Client::stream`].
    pub async fn stream_body(&self, model: &str, body: &Body) -> Result<AnswerStream, Error> {
        let line = self.endpoint().request_line(Method::StreamGenerate, model)?;
        let call = Call::new("streamGenerateContent", line.verb, line.url).with_body(body);
        let answer = self.call(&call).await?;
        Ok(AnswerStream {
            client: self.clone(),
            body: Some(answer.body),
            reader: EventReader::default(),
            ready: VecDeque::new(),
            collected: Collected::default(),
            pieces: 0,
        })
    }

    /// What the service counts for a request, in the shape that each service wants. The Developer
    /// API is asked in its short form where the request has contents alone.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`].
    pub async fn count_tokens(
        &self,
        model: &str,
        request: &GenerateRequest,
    ) -> Result<CountResponse, Error> {
        let line = self.endpoint().request_line(Method::CountTokens, model)?;
        let path = self.endpoint().model_path(model)?;
        let shape = match self.endpoint().mode() {
            Mode::Vertex | Mode::Express => CountShape::Flat,
            Mode::DeveloperApi if is_contents_alone(request) => CountShape::Contents,
            Mode::DeveloperApi => CountShape::Request { model: &path },
        };
        let body = request.count_body(shape);
        let call = Call::new("countTokens", line.verb, line.url).with_body(&body);
        self.typed(&call).await
    }

    /// What the service says of a model.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`].
    pub async fn model(&self, model: &str) -> Result<Model, Error> {
        let line = self.endpoint().request_line(Method::Describe, model)?;
        self.typed(&Call::new("models.get", line.verb, line.url)).await
    }
}

fn is_contents_alone(request: &GenerateRequest) -> bool {
    let contents = GenerateRequest { contents: request.contents.clone(), ..Default::default() };
    contents == *request
}

/// Characters shown of a stream that is none.
const NOISE: usize = 300;

/// An answer that comes in pieces.
pub struct AnswerStream {
    client: Client,
    /// Gone when the stream has ended.
    body: Option<Box<dyn ResponseBody>>,
    reader: EventReader,
    ready: VecDeque<Result<GenerateResponse, Error>>,
    collected: Collected,
    pieces: u64,
}

impl std::fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerStream").field("pieces", &self.pieces).finish_non_exhaustive()
    }
}

impl AnswerStream {
    /// The next piece; `None` at the end. After an error comes the end.
    pub async fn next(&mut self) -> Option<Result<GenerateResponse, Error>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(self.deliver(piece));
            }
            let Some(body) = &mut self.body else { return None };
            match body.chunk().await {
                Ok(Some(bytes)) => self.reader.push(&bytes),
                Ok(None) => self.end(),
                Err(error) => {
                    self.reader.finish();
                    self.take_events();
                    self.body = None;
                    self.ready.push_back(Err(error.into()));
                }
            }
            self.take_events();
        }
    }

    /// What the pieces so far amount to.
    pub fn into_generated(self) -> Generated {
        self.collected.finish(true)
    }

    fn deliver(
        &mut self,
        piece: Result<GenerateResponse, Error>,
    ) -> Result<GenerateResponse, Error> {
        match &piece {
            Ok(response) => {
                self.pieces += 1;
                self.collected.add(response);
            }
            Err(_) => {
                self.body = None;
                self.ready.clear();
            }
        }
        piece.map_err(|error| match error {
            Error::Answer { call, reason } => Error::answer(call, self.client.redact(&reason)),
            other => other,
        })
    }

    fn end(&mut self) {
        self.body = None;
        let cut = self.reader.finish();
        self.take_events();
        let noise = self.client.redact(self.reader.noise());
        let noise: String = noise.chars().take(NOISE).collect();
        if cut {
            self.ready.push_back(Err(answer("it breaks off inside an event")));
        } else if self.pieces == 0 && self.ready.is_empty() && !noise.is_empty() {
            self.ready.push_back(Err(answer(format!("it is no event stream: {noise}"))));
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.reader.next() {
            match event {
                Event::Value(value) => self.ready.push_back(self.read(value)),
                Event::Malformed(reason) => self.ready.push_back(Err(answer(reason))),
                Event::TooLarge => self.ready.push_back(Err(answer("an event is too large"))),
                Event::Done => {}
            }
        }
    }

    fn read(&self, value: Value) -> Result<GenerateResponse, Error> {
        if envelope(&value).is_some() {
            return Err(self.client.api_error(200, &value.to_string()));
        }
        serde_json::from_value(value).map_err(answer)
    }
}

fn answer(reason: impl ToString) -> Error {
    Error::answer("streamGenerateContent", reason)
}
