//! What the tests share: a client of the stand-in service, a clock that does not wait, known bytes.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mediaprep_client::{
    AnswerStream, BoxFuture, BytesSource, Client, ClientBuilder, Clock, Error, File, Generated,
    RetryPolicy, Secret, UploadOptions,
};
use mediaprep_parts::{GenerateRequest, GenerateResponse, Part};
use mediaprep_service::{Call, Recorded, Service};
use sha2::{Digest, Sha256};

pub(crate) const KEY: &str = "FAKE-API-KEY-0123456789";
pub(crate) const MODEL: &str = "gemini-2.5-flash";
/// A granule of the tests, in bytes: the smallest that the client does not put together.
pub(crate) const GRANULE: u64 = 256 << 10;

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

pub(crate) fn service() -> Service {
    let service = Service::start().unwrap();
    service.set_granularity(GRANULE);
    service.set_keep_step(64 << 10);
    service
}

/// Delays that no test has to wait for.
pub(crate) const fn quick() -> RetryPolicy {
    RetryPolicy {
        tries: 5,
        first_delay: Duration::from_millis(5),
        longest_delay: Duration::from_millis(20),
        total: Duration::from_secs(10),
    }
}

pub(crate) fn builder(service: &Service) -> ClientBuilder {
    Client::developer_api(Secret::new(KEY)).base_url(service.base_url()).retry(quick())
}

pub(crate) fn client(service: &Service) -> Client {
    builder(service).build().unwrap()
}

/// Time that jumps over what is slept, and notes it.
pub(crate) struct JumpingClock {
    origin: Instant,
    jumped: Mutex<Duration>,
    slept: Mutex<Vec<Duration>>,
}

impl JumpingClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { origin: Instant::now(), jumped: Mutex::default(), slept: Mutex::default() })
    }

    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }

    pub(crate) fn jump(&self, length: Duration) {
        *self.jumped.lock().unwrap() += length;
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> Duration {
        self.origin.elapsed() + *self.jumped.lock().unwrap()
    }

    fn unix_seconds(&self) -> u64 {
        let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        (real + *self.jumped.lock().unwrap()).as_secs()
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'_, ()> {
        self.jump(length);
        self.slept.lock().unwrap().push(length);
        Box::pin(async {})
    }
}

/// Bytes in which no piece is like another; fewer of them are the beginning of more.
pub(crate) fn bytes(length: u64) -> Vec<u8> {
    let length = usize::try_from(length).unwrap();
    let mut bytes = Vec::with_capacity(length + 8);
    let mut number = 0_u64;
    while bytes.len() < length {
        number += 1;
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bytes.extend_from_slice(&(mixed ^ mixed >> 29).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn video() -> UploadOptions {
    UploadOptions { mime_type: "video/mp4".to_owned(), ..UploadOptions::default() }
}

pub(crate) async fn upload(client: &Client, length: u64) -> Result<File, Error> {
    client.files().upload(Arc::new(BytesSource::new(bytes(length))), &video()).await
}

pub(crate) fn question() -> GenerateRequest {
    GenerateRequest::user(vec![Part::text("What is this?")])
}

/// Everything that a stream gives: its pieces, its error, and what they amount to.
pub(crate) struct Streamed {
    pub(crate) pieces: Vec<GenerateResponse>,
    pub(crate) error: Option<Error>,
    pub(crate) generated: Generated,
}

pub(crate) async fn drain(mut stream: AnswerStream) -> Streamed {
    let (mut pieces, mut error) = (Vec::new(), None);
    while let Some(piece) = stream.next().await {
        assert!(error.is_none(), "something came after the error");
        match piece {
            Ok(piece) => pieces.push(piece),
            Err(failed) => error = Some(failed),
        }
    }
    Streamed { pieces, error, generated: stream.into_generated() }
}

/// One of the four things that are asked most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Generate,
    Stream,
    Count,
    Upload,
}

pub(crate) const ASKS: [Ask; 4] = [Ask::Generate, Ask::Stream, Ask::Count, Ask::Upload];

impl Ask {
    /// The first request of it.
    pub(crate) const fn call(self) -> Call {
        match self {
            Self::Generate => Call::Generate,
            Self::Stream => Call::Stream,
            Self::Count => Call::Count,
            Self::Upload => Call::UploadStart,
        }
    }

    /// Asks, and holds the answer against what the service gives when nothing is set.
    pub(crate) async fn run(self, client: &Client) -> Result<(), Error> {
        const TEXT: &str = "A red square — ein rotes Quadrat, 红色的正方形 🟥.";
        match self {
            Self::Generate => {
                let answer = client.generate(MODEL, &question()).await?;
                assert_eq!(answer.outcome.text(), TEXT);
            }
            Self::Stream => {
                let streamed = drain(client.stream(MODEL, &question()).await?).await;
                match streamed.error {
                    Some(error) => return Err(error),
                    None => assert_eq!(streamed.generated.outcome.text(), TEXT),
                }
            }
            Self::Count => {
                let count = client.count_tokens(MODEL, &question()).await?;
                assert_eq!(count.total_tokens, Some(4));
            }
            Self::Upload => {
                let file = upload(client, 1000).await?;
                assert_eq!(file.size_bytes, Some(1000));
            }
        }
        Ok(())
    }
}

/// The requests of one kind that the service met.
pub(crate) fn met(service: &Service, call: Call) -> Vec<Recorded> {
    service.requests().into_iter().filter(|request| request.call == call).collect()
}

/// Command, offset and length stated of every request to an upload's address.
pub(crate) fn steps(service: &Service) -> Vec<(String, Option<u64>, u64)> {
    let parsed = |request: &Recorded, name| request.header(name).map(|text| text.parse().unwrap());
    let command = |request: &Recorded| request.header("x-goog-upload-command").map(str::to_owned);
    let requests = service.requests();
    let commands = requests.iter().filter_map(|request| Some((request, command(request)?)));
    commands
        .filter(|(_, command)| command != "start")
        .map(|(request, command)| {
            let length = parsed(request, "content-length").unwrap_or_default();
            (command, parsed(request, "x-goog-upload-offset"), length)
        })
        .collect()
}

/// The service has these bytes, once, and nothing was refused.
pub(crate) fn assert_stored_once(service: &Service, bytes: &[u8]) {
    let files = service.files();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].size, bytes.len() as u64);
    assert_eq!(files[0].sha256, hash(bytes));
}
