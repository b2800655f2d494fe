//! Keys, tokens and the addresses of uploads go to the service and nowhere else: into no `Debug`,
//! no error, no address, no file, however much the service repeats what it was sent.

use std::fmt::{Debug, Display};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mediaprep_client::{
    BoxFuture, Client, ClientBuilder, Delivery, Error, Http, Request, Response, RetryPolicy,
    Secret, Timeouts, TokenProvider, TokenSource, Transport, TransportError, UploadAddress,
    UploadCache, UploadOptions, blocking,
};
use mediaprep_service::{Call, Fault};

use crate::common::{
    ASKS, Ask, MODEL, block_on, bytes, drain, question, quick, service, upload, video,
};

const KEY: &str = "AIzaSECRET-KEY-5b1f09c3d7e24680acef";
const TOKEN: &str = "ya29.SECRET-TOKEN-9d8c7b6a5f4e3d2c1b0a";
const UPLOAD: &str = "SECRET-UPLOAD-ADDRESS-1a2b3c4d5e6f7788";

/// Texts in which nothing secret may stand.
#[derive(Default)]
struct Texts(Vec<String>);

impl Texts {
    fn debug(&mut self, value: &(impl Debug + ?Sized)) {
        self.0.push(format!("{value:?} {value:#?}"));
    }

    fn error(&mut self, error: &Error) {
        self.debug(error);
        self.display(error);
        self.0.extend(error.hint());
        let mut cause = std::error::Error::source(error);
        while let Some(next) = cause {
            self.display(next);
            self.debug(next);
            cause = next.source();
        }
    }

    fn display(&mut self, value: &(impl Display + ?Sized)) {
        self.0.push(value.to_string());
    }

    /// No text holds a secret, nor so much of one that the rest could be guessed.
    fn check(&self) {
        assert!(!self.0.is_empty());
        for text in &self.0 {
            assert!(told(text).is_none(), "{:?} is told by: {text}", told(text));
        }
    }
}

/// How much of a secret is too much, in characters.
const PART: usize = 18;

fn told(text: &str) -> Option<&'static str> {
    let parts = |secret: &'static str| (0..=secret.len() - PART).map(|at| &secret[at..at + PART]);
    [KEY, TOKEN, UPLOAD].into_iter().flat_map(parts).find(|part| text.contains(part))
}

fn with_key() -> ClientBuilder {
    Client::developer_api(Secret::new(KEY)).retry(RetryPolicy { tries: 2, ..quick() })
}

fn with_token() -> ClientBuilder {
    let token = TokenSource::Static(Secret::new(TOKEN));
    let client = Client::developer_api_with_token(token).quota_project("p");
    client.retry(RetryPolicy { tries: 2, ..quick() })
}

/// A server that answers each request by what `answer` makes of its head and of the count of
/// requests before it; its base URL.
fn echo(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let head = read_request(&mut stream);
                let _ = stream.write_all(answer(&head).as_bytes());
            });
        }
    });
    base
}

/// Reads a whole request and gives its head.
fn read_request(stream: &mut TcpStream) -> String {
    let (mut read, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    let end = loop {
        let count = stream.read(&mut buffer).unwrap();
        read.extend_from_slice(&buffer[..count]);
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        assert!(count > 0, "a request has a head");
    };
    let head = String::from_utf8(read[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    while read.len() < end + 4 + length {
        let count = stream.read(&mut buffer).unwrap();
        read.extend_from_slice(&buffer[..count]);
    }
    head
}

fn http(code: u16, kind: &str, body: &str) -> String {
    let length = body.len();
    let head = format!("HTTP/1.1 {code} X\r\nconnection: close\r\ncontent-type: {kind}\r\n");
    format!("{head}content-length: {length}\r\n\r\n{body}")
}

/// What a server may say that shows all that it was sent, in every form that is read.
fn echoes(head: &str) -> Vec<(u16, &'static str, String)> {
    let quoted = serde_json::Value::from(head).to_string();
    let far = serde_json::Value::from(format!("{}{KEY} {TOKEN}", "x".repeat(985))).to_string();
    let detail = format!(
        r#"{{"reason":{quoted},"retryDelay":"0.001s","violations":[{{"quotaId":{quoted},
            "quotaMetric":{quoted},"quotaValue":"7","quotaDimensions":{{"model":{quoted}}}}}]}}"#
    );
    let envelope = |message: &str| {
        format!(
            r#"{{"error":{{"code":400,"message":{message},"status":{quoted},
                "details":[{detail}]}}}}"#
        )
    };
    let json = "application/json";
    vec![
        (400, json, envelope(&quoted)),
        (400, json, envelope(&far)),
        (429, json, envelope(&quoted)),
        (403, json, format!("[{}]", envelope(&quoted))),
        (401, "text/plain", head.to_owned()),
        (404, "text/html", format!("<html><p>The requested URL<pre>{head}</pre></html>")),
        (503, "text/html", format!("<html>{}{KEY} {TOKEN}", "y".repeat(985))),
        (500, json, format!(r#"{{"error":{quoted},"more":{quoted}}}"#)),
        // Successes that are none.
        (200, json, envelope(&quoted)),
        (200, "text/html", format!("<html>{head}</html>")),
        (200, "text/plain", format!("{}{KEY} {TOKEN}", "z".repeat(285))),
        (200, json, format!(r#"{{"candidates":{quoted},"totalTokens":[{quoted}],"name":7}}"#)),
        (200, "text/event-stream", format!("data: {}\r\n\r\n", envelope(&quoted))),
        (200, "text/event-stream", format!(r#"data: {{"candidates":{quoted}}}"#)),
    ]
}

#[test]
fn a_server_that_repeats_everything_gives_nothing_away() {
    let mut texts = Texts::default();
    let count = echoes("").len();
    for number in 0..count {
        let base = echo(move |head| {
            let (code, kind, body) = echoes(head).remove(number);
            http(code, kind, &body)
        });
        for builder in [with_key(), with_token()] {
            let client = builder.base_url(&base).build().unwrap();
            for result in [
                block_on(client.generate(MODEL, &question())).map(drop),
                block_on(client.stream(MODEL, &question())).map(drop),
                streamed(&client),
                block_on(client.count_tokens(MODEL, &question())).map(drop),
                block_on(upload(&client, 1000)).map(drop),
                block_on(client.files().get("files/x")).map(drop),
                block_on(client.model(MODEL)).map(drop),
                block_on(client.batch("batches/x")).map(drop),
                block_on(client.chat(MODEL, &question())).map(drop),
            ] {
                // Some of the successes that are none are answers all the same.
                result.err().iter().for_each(|error| texts.error(error));
            }
        }
    }
    assert!(texts.0.len() > 100, "only {} texts", texts.0.len());
    texts.check();
}

/// The error that comes out of a stream that has begun.
fn streamed(client: &Client) -> Result<(), Error> {
    block_on(async {
        let streamed = drain(client.stream(MODEL, &question()).await?).await;
        streamed.error.map_or(Ok(()), Err)
    })
}

/// Front ends show the address that they do not know.
#[test]
fn a_server_that_repeats_the_upload_s_address_gives_nothing_away() {
    let mut texts = Texts::default();
    for address in [UploadAddress::Keep, UploadAddress::Rewrite] {
        for number in 0..echoes("").len() {
            let own: Arc<Mutex<String>> = Arc::default();
            let known = own.clone();
            let base = echo(move |head| {
                if head.contains("x-goog-upload-command: start") {
                    let host = known.lock().unwrap().clone();
                    return format!(
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\
                         x-goog-upload-status: active\r\n\
                         x-goog-upload-url: {host}/upload/v1beta/files?upload_id={UPLOAD}&\
                         upload_protocol=resumable\r\n\r\n"
                    );
                }
                let (code, kind, body) = echoes(head).remove(number);
                http(code, kind, &body)
            });
            own.lock().unwrap().clone_from(&base);
            let client = with_key().base_url(&base).upload_address(address).build().unwrap();
            texts.error(&block_on(upload(&client, 1000)).unwrap_err());
        }
    }
    texts.check();
}

#[test]
fn cuts_and_silence_give_nothing_away() {
    let mut texts = Texts::default();
    let service = service();
    let timeouts = Timeouts { idle: Duration::from_millis(100), ..Timeouts::default() };
    for fault in [Fault::Reset, Fault::Silence, Fault::LoseAnswer, Fault::html()] {
        for ask in ASKS {
            service.clear_faults();
            service.always(ask.call(), fault.clone());
            for builder in [with_key(), with_token()] {
                let client = builder.base_url(service.base_url()).timeouts(timeouts);
                texts.error(&block_on(ask.run(&client.build().unwrap())).unwrap_err());
            }
        }
    }
    service.clear_faults();
    // The service's own upload address, at a host where nobody is.
    let nobody = format!("http://127.0.0.1:9/{UPLOAD}");
    service.push_fault(Call::UploadStart, Fault::UploadUrlHost(nobody));
    let client = with_key().base_url(service.base_url()).build().unwrap();
    texts.error(&block_on(upload(&client, 1000)).unwrap_err());
    service.push_fault(Call::UploadStart, Fault::UploadUrlHost(format!("httpx://{UPLOAD} ")));
    texts.error(&block_on(upload(&client, 1000)).unwrap_err());
    texts.check();
}

/// A key with what a header cannot carry, as a mistaken paste leaves it.
#[test]
fn a_key_that_cannot_be_sent_is_not_shown() {
    let mut texts = Texts::default();
    for key in [format!("{KEY}\n{KEY}"), format!("{KEY}\u{0}")] {
        let client = Client::developer_api(Secret::new(&key)).base_url("http://127.0.0.1:9");
        let error = block_on(Ask::Generate.run(&client.build().unwrap())).unwrap_err();
        assert!(error.to_string().contains("x-goog-api-key"), "{error}");
        texts.error(&error);
    }
    texts.check();
}

/// Writes down what is to be sent, then sends it.
struct Noting {
    http: Http,
    noted: Mutex<Vec<String>>,
}

impl Transport for Noting {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.noted.lock().unwrap().push(format!("{request:?} {request:#?}"));
        Box::pin(async {
            let response = self.http.send(request).await?;
            self.noted.lock().unwrap().push(format!("{response:?}"));
            Ok(response)
        })
    }
}

struct Given;

impl TokenProvider for Given {
    fn token(&self, _refresh: bool) -> BoxFuture<'_, Result<Secret, Error>> {
        Box::pin(async { Ok(Secret::new(TOKEN)) })
    }
}

#[test]
fn nothing_that_can_be_printed_holds_a_secret() {
    let mut texts = Texts::default();
    let service = service();
    texts.debug(&Secret::new(KEY));
    let arguments = vec![TOKEN.to_owned()];
    for source in [
        TokenSource::Static(Secret::new(TOKEN)),
        TokenSource::Command { program: "echo".to_owned(), arguments },
        TokenSource::Other(Arc::new(Given)),
    ] {
        texts.debug(&source);
        let builder = Client::vertex("p", "us", source);
        texts.debug(&builder);
        texts.debug(&builder.build().unwrap());
    }
    let noting =
        Arc::new(Noting { http: Http::new(Timeouts::default()).unwrap(), noted: Mutex::default() });
    texts.debug(&noting.http);
    for builder in [with_key(), with_token()] {
        let builder = builder.base_url(service.base_url()).transport(noting.clone());
        texts.debug(&builder);
        print(&mut texts, &builder.build().unwrap());
    }
    texts.0.extend(noting.noted.lock().unwrap().drain(..));
    for request in service.requests() {
        texts.0.push(format!("{} {}?{}", request.method, request.path, request.query));
        // The service's own addresses of uploads are no less secret than ours of above.
        assert!(request.query.is_empty() || request.query == "alt=sse" || is_piece(&request));
    }
    texts.check();
}

fn is_piece(request: &mediaprep_service::Recorded) -> bool {
    request.query.starts_with("upload_id=") && request.header("x-goog-api-key").is_none()
}

/// Everything that a client makes.
fn print(texts: &mut Texts, client: &Client) {
    texts.debug(client);
    texts.debug(client.endpoint());
    texts.debug(&client.upload_scope());
    texts.debug(&client.files());
    texts.debug(&client.files().list(Some(3)));
    texts.debug(&Delivery::new(client));
    texts.debug(&blocking::Client::new(client.clone()).unwrap());
    texts.debug(&block_on(client.generate(MODEL, &question())).unwrap());
    texts.debug(&block_on(client.count_tokens(MODEL, &question())).unwrap());
    texts.debug(&block_on(client.stream(MODEL, &question())).unwrap());
    texts.debug(&block_on(upload(client, 1000)).unwrap());
    let options =
        UploadOptions { state_file: Some("state.json".into()), sha256: Some([1; 32]), ..video() };
    texts.debug(&options);
}

/// The state of an upload holds its address, which is needed, but is for its owner alone; the
/// list of uploads holds neither. The key and the token are in none of them.
#[test]
fn files_hold_neither_key_nor_token() {
    let folder = tempfile::tempdir().unwrap();
    let service = service();
    for (number, builder) in (0_u8..).zip([with_key(), with_token()]) {
        let state = folder.path().join(format!("state-{number}.json"));
        let builder = builder.base_url(service.base_url()).retry(RetryPolicy::never());
        let client = builder.build().unwrap();
        service.push_fault(Call::UploadFinalize, Fault::Reset);
        let options = UploadOptions {
            state_file: Some(state.clone()),
            sha256: Some([number; 32]),
            ..video()
        };
        let source = Arc::new(mediaprep_client::BytesSource::new(bytes(1000)));
        block_on(client.files().upload(source, &options)).unwrap_err();
        let text = std::fs::read_to_string(&state).unwrap();
        assert!(text.contains("upload_id"));
        assert!(told(&text).is_none(), "{text}");
        let cache = UploadCache::at(folder.path().join("uploads.redb"));
        let key = mediaprep_client::UploadKey {
            sha256: [0; 32],
            mime_type: "video/mp4".to_owned(),
            scope: client.upload_scope().unwrap(),
        };
        let file = block_on(upload(&client, 1000)).unwrap();
        cache.keep(&key, &file, 0).unwrap();
        assert!(cache.find(&key, 0).unwrap().is_some());
        let list = std::fs::read(cache.path()).unwrap();
        assert!(told(&String::from_utf8_lossy(&list)).is_none());
    }
}
