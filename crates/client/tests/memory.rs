//! However much is sent, the client holds a few pieces of it: measured by counting every byte that
//! this process allocates, the server of the test included, which holds one buffer.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mediaprep_client::{Client, FileSource, Secret, UploadOptions};
use mediaprep_parts::{Data, DataSource, GenerateRequest, Part};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MIB: u64 = 1 << 20;
/// The most that a call may hold over what is held without it, in bytes.
const ALLOWED: u64 = 8 * MIB;

/// A server that throws away what it gets, and counts it.
fn sink() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let received = Arc::new(AtomicU64::new(0));
    let (counter, own) = (received.clone(), base.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (counter, own) = (counter.clone(), own.clone());
            std::thread::spawn(move || serve(stream.unwrap(), &own, &counter));
        }
    });
    (base, received)
}

/// Answers the requests of one connection until it ends.
fn serve(mut stream: TcpStream, base: &str, received: &AtomicU64) {
    let mut reader = BufReader::with_capacity(64 << 10, stream.try_clone().unwrap());
    loop {
        let (mut length, mut command, mut line) = (0, String::new(), String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let header = line.trim_end().to_ascii_lowercase();
            match header.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("x-goog-upload-command", value)) => command = value.to_owned(),
                _ if header.is_empty() => break,
                _ => {}
            }
        }
        let taken = io::copy(&mut (&mut reader).take(length), &mut io::sink()).unwrap();
        received.fetch_add(taken, Ordering::SeqCst);
        stream.write_all(answer(&command, base).as_bytes()).unwrap();
    }
}

fn answer(command: &str, base: &str) -> String {
    let file = r#"{"file":{"name":"files/x","uri":"https://h/files/x"}}"#;
    let (headers, body) = match command {
        "start" => (
            format!(
                "x-goog-upload-status: active\r\nx-goog-upload-url: {base}/u\r\n\
                 x-goog-upload-chunk-granularity: 8388608\r\n"
            ),
            "",
        ),
        "upload" => ("x-goog-upload-status: active\r\n".to_owned(), ""),
        "" => (String::new(), r#"{"candidates":[{"content":{"parts":[{"text":"ok"}]}}]}"#),
        _ => ("x-goog-upload-status: final\r\n".to_owned(), file),
    };
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

#[derive(Debug)]
struct OnDisk(PathBuf, u64);

impl DataSource for OnDisk {
    fn length(&self) -> u64 {
        self.1
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.0)?))
    }
}

/// A file of zeros that takes no room on the disk.
fn sparse(folder: &Path, length: u64) -> PathBuf {
    let path = folder.join(format!("{length}.bin"));
    File::create(&path).unwrap().set_len(length).unwrap();
    path
}

/// Runs `work`, and gives how many bytes were held at the most over what was held before.
fn held(work: impl FnOnce()) -> u64 {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    work();
    ALLOCATOR.peak_usage().saturating_sub(before) as u64
}

/// One test, since the allocator counts for the whole process.
#[test]
fn what_is_sent_is_not_held() {
    let folder = tempfile::tempdir().unwrap();
    let (base, received) = sink();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::developer_api(Secret::new("FAKE")).base_url(base).build().unwrap();
    let generate = |length: u64| {
        let data = Data::source(Arc::new(OnDisk(sparse(folder.path(), length), length)));
        let part = Part::inline("video/mp4", data);
        let request = GenerateRequest::user(vec![part, Part::text("What moves?")]);
        let before = received.load(Ordering::SeqCst);
        let held = held(|| {
            let answer = runtime.block_on(client.generate("gemini-x", &request)).unwrap();
            assert_eq!(answer.outcome.text(), "ok");
        });
        assert_eq!(received.load(Ordering::SeqCst) - before, request.body().length());
        held
    };
    let upload = |length: u64| {
        let source = Arc::new(FileSource::new(sparse(folder.path(), length)).unwrap());
        let options = UploadOptions { mime_type: "video/mp4".to_owned(), ..Default::default() };
        let before = received.load(Ordering::SeqCst);
        let held = held(|| {
            runtime.block_on(client.files().upload(source, &options)).unwrap();
        });
        // The start has a body, too.
        assert!(received.load(Ordering::SeqCst) - before > length);
        held
    };
    // What is set up once is no part of it.
    generate(MIB);
    upload(MIB);
    let (small, large) = (generate(5 * MIB), generate(50 * MIB));
    assert!(large <= ALLOWED, "a request of 50 MiB holds {large} bytes");
    assert!(large <= small + 3 * MIB, "{small} bytes for 5 MiB, {large} for 50 MiB");
    let (small, large) = (upload(20 * MIB), upload(200 * MIB));
    assert!(large <= ALLOWED, "an upload of 200 MiB holds {large} bytes");
    assert!(large <= small + 3 * MIB, "{small} bytes for 20 MiB, {large} for 200 MiB");
    // The count itself counts: what is held on purpose is seen.
    assert!(held(|| drop(vec![1_u8; 9 << 20])) >= 9 * MIB);
}
