//! The clients that are processes of this program.
//!
//! Each makes a small request first, so that what is measured is the sending, not the start.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{PAD, STANDARD};
use base64::engine::simd::Simd;
use mediaprep_client::{Client, FileSource, Secret, UploadOptions, blocking};
use mediaprep_parts::{Data, DataSource, GenerateRequest, Part, base64_length};

use crate::measure::{Cost, measured};

/// The model that is asked; the sink does not look.
const MODEL: &str = "gemini-3.5-flash";
/// How often data is encoded; the cost is that of one time.
const TIMES: u32 = 10;
/// Characters that the base64 crate makes at a time, where it is not all of them.
const CHUNK: usize = 256 << 10;

/// Does what a client is named for.
pub(crate) fn run(name: &str, path: &Path, base: &str) -> io::Result<Cost> {
    match name {
        "generate" => generate(path, base),
        "upload" => upload(path, base, None),
        // The sink states no hash, so what stands here is not held against anything.
        "upload-known" => upload(path, base, Some([0; 32])),
        "macro" => naive(path, base, by_macro),
        "shape" => naive(path, base, by_shape),
        "socket" => socket(path, base),
        "encode" => encode(path),
        "crate" => encode_by_crate(path, |data| drop(black_box(STANDARD.encode(data)))),
        "crate-simd" => {
            let simd = Simd::standard(PAD);
            encode_by_crate(path, |data| drop(black_box(simd.encode(data))))
        }
        "crate-chunks" => {
            let (simd, mut chunk) = (Simd::standard(PAD), vec![0; CHUNK]);
            encode_by_crate(path, |data| {
                for piece in data.chunks(CHUNK / 4 * 3) {
                    let _ = black_box(simd.encode_slice(piece, &mut chunk));
                }
            })
        }
        _ => Err(io::Error::other(format!("no client `{name}`"))),
    }
}

#[derive(Debug)]
struct OnDisk {
    path: PathBuf,
    length: u64,
}

impl DataSource for OnDisk {
    fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}

fn client(base: &str) -> io::Result<blocking::Client> {
    let client = Client::developer_api(Secret::new("key")).base_url(base).build();
    let client = blocking::Client::new(client.map_err(io::Error::other)?);
    let client = client.map_err(io::Error::other)?;
    let hello = GenerateRequest::user(vec![Part::text("hello")]);
    client.generate(MODEL, &hello).map_err(io::Error::other)?;
    Ok(client)
}

/// Holds the sink's answer, how many bytes came, against what had to be sent.
fn held(answer: &str, data: u64) -> io::Result<()> {
    let came: u64 = answer.parse().map_err(io::Error::other)?;
    let least = base64_length(data);
    if (least..least + 1000).contains(&came) {
        return Ok(());
    }
    Err(io::Error::other(format!("{came} bytes came for {least} of base64")))
}

fn generate(path: &Path, base: &str) -> io::Result<Cost> {
    let client = client(base)?;
    measured(|| {
        let length = path.metadata()?.len();
        let source = Arc::new(OnDisk { path: path.to_owned(), length });
        let video = Part::inline("video/mp4", Data::source(source));
        let request = GenerateRequest::user(vec![video, Part::text("What is this?")]);
        let answer = client.generate(MODEL, &request).map_err(io::Error::other)?;
        held(answer.outcome.text(), length)
    })
}

fn upload(path: &Path, base: &str, sha256: Option<[u8; 32]>) -> io::Result<Cost> {
    let client = client(base)?;
    measured(|| {
        let options =
            UploadOptions { mime_type: "video/mp4".to_owned(), sha256, ..UploadOptions::default() };
        let source = Arc::new(FileSource::new(path)?);
        // The client holds the length that the sink names against the file's.
        client.upload(source, &options).map(drop).map_err(io::Error::other)
    })
}

/// As it is written without thinking of size: everything at once, by the usual crates.
fn naive(
    path: &Path,
    base: &str,
    body: fn(&str) -> serde_json::Result<String>,
) -> io::Result<Cost> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = reqwest::Client::new();
    let url = format!("{base}/v1beta/models/{MODEL}:generateContent");
    let post = |body: String| -> io::Result<String> {
        let answer = runtime.block_on(async {
            let request = client.post(&url).header("x-goog-api-key", "key");
            let request = request.header("content-type", "application/json");
            request.body(body).send().await?.error_for_status()?.text().await
        });
        let answer: serde_json::Value = serde_json::from_str(&answer.map_err(io::Error::other)?)?;
        let text = answer.pointer("/candidates/0/content/parts/0/text");
        Ok(text.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
    };
    post(body("")?)?;
    measured(|| {
        let bytes = std::fs::read(path)?;
        let data = STANDARD.encode(&bytes);
        held(&post(body(&data)?)?, bytes.len() as u64)
    })
}

fn by_macro(data: &str) -> serde_json::Result<String> {
    let video = serde_json::json!({"inlineData": {"mimeType": "video/mp4", "data": data}});
    let parts = serde_json::json!([video, {"text": "What is this?"}]);
    serde_json::to_string(&serde_json::json!({"contents": [{"role": "user", "parts": parts}]}))
}

/// The same from borrowed text, which saves copies of it.
fn by_shape(data: &str) -> serde_json::Result<String> {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Request<'a> {
        contents: [Content<'a>; 1],
    }
    #[derive(serde::Serialize)]
    struct Content<'a> {
        role: &'a str,
        parts: (Video<'a>, Text<'a>),
    }
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Video<'a> {
        inline_data: InlineData<'a>,
    }
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct InlineData<'a> {
        mime_type: &'a str,
        data: &'a str,
    }
    #[derive(serde::Serialize)]
    struct Text<'a> {
        text: &'a str,
    }
    let video = Video { inline_data: InlineData { mime_type: "video/mp4", data } };
    let parts = (video, Text { text: "What is this?" });
    serde_json::to_string(&Request { contents: [Content { role: "user", parts }] })
}

/// No client: the file's bytes, as many as their base64 has, from one buffer into a socket. Nobody
/// who sends by copying can need less.
fn socket(path: &Path, base: &str) -> io::Result<Cost> {
    let host = base.strip_prefix("http://").unwrap_or(base);
    let mut stream = TcpStream::connect(host)?;
    let mut buffer = vec![b'A'; 256 << 10];
    measured(|| {
        let mut file = File::open(path)?;
        let data = file.metadata()?.len();
        let mut left = base64_length(data);
        let path = format!("/v1beta/models/{MODEL}:generateContent");
        write!(stream, "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {left}\r\n\r\n")?;
        while left > 0 {
            // Three quarters are read of what is sent.
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            file.read_exact(&mut buffer[..most / 4 * 3]).or_else(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Ok(()),
                _ => Err(error),
            })?;
            stream.write_all(&buffer[..most])?;
            left -= most as u64;
        }
        let mut answer = [0; 1 << 10];
        if stream.read(&mut answer)? == 0 { Err(io::Error::other("no answer")) } else { Ok(()) }
    })
}

/// One of so many times.
fn each(cost: Cost) -> Cost {
    Cost { cpu: cost.cpu / TIMES, wall: cost.wall / TIMES, ..cost }
}

fn encode(path: &Path) -> io::Result<Cost> {
    let data = std::fs::read(path)?;
    let length = data.len() as u64;
    let body = GenerateRequest::user(vec![Part::inline("video/mp4", data)]).body();
    let cost = measured(|| {
        for _ in 0..TIMES {
            let (mut reader, mut made) = (body.reader(), 0);
            while let Some(chunk) = reader.next_chunk() {
                made += black_box(chunk?).len() as u64;
            }
            held(&made.to_string(), length)?;
        }
        Ok(())
    });
    Ok(each(cost?))
}

fn encode_by_crate(path: &Path, mut encode: impl FnMut(&[u8])) -> io::Result<Cost> {
    let data = std::fs::read(path)?;
    let cost = measured(|| {
        (0..TIMES).for_each(|_| encode(black_box(&data)));
        Ok(())
    });
    Ok(each(cost?))
}
