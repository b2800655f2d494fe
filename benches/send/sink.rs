//! Takes requests and throws their bodies away, in a process of its own: what it uses is nobody's.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// What the File API takes at a time.
const GRANULARITY: u64 = 8 << 20;

/// Says on which port it listens, then serves until it is ended.
pub(crate) fn serve(out: &mut dyn Write) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(out, "{}", listener.local_addr()?.port())?;
    out.flush()?;
    loop {
        let (stream, _) = listener.accept()?;
        // A client that goes away ends its own connection only.
        std::thread::spawn(move || connection(stream));
    }
}

/// What of a request the answer depends on.
#[derive(Default)]
struct Head {
    path: String,
    host: String,
    length: u64,
    command: String,
    offset: u64,
}

fn connection(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(256 << 10, stream);
    while let Some(head) = head(&mut reader)? {
        discard(&mut reader, head.length)?;
        let (headers, body) = answer(&head);
        let length = body.len();
        let headers = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{headers}");
        let json = "content-type: application/json\r\n\r\n";
        writer.write_all(format!("{headers}{json}{body}").as_bytes())?;
    }
    Ok(())
}

/// The head of the next request; nothing where the client has closed.
fn head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut head = Head::default();
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    head.path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Some(head)) };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "host" => value.clone_into(&mut head.host),
            "content-length" => head.length = value.parse().map_err(io::Error::other)?,
            "x-goog-upload-command" => value.clone_into(&mut head.command),
            "x-goog-upload-offset" => head.offset = value.parse().map_err(io::Error::other)?,
            "transfer-encoding" => return Err(io::Error::other("a body without a length")),
            _ => {}
        }
    }
}

fn discard(reader: &mut impl Read, length: u64) -> io::Result<()> {
    let taken = io::copy(&mut reader.take(length), &mut io::sink())?;
    if taken == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Headers and body. A model's answer is how many bytes came, so that clients can be held to it.
fn answer(head: &Head) -> (String, String) {
    let received = head.offset + head.length;
    if head.path.contains(":generateContent") {
        let answer = format!(
            r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"text":"{received}"}}]}},"finishReason":"STOP"}}]}}"#
        );
        return (String::new(), answer);
    }
    let host = &head.host;
    match head.command.as_str() {
        "start" => {
            let session = format!(
                "x-goog-upload-url: http://{host}/upload/session\r\n\
                 x-goog-upload-chunk-granularity: {GRANULARITY}\r\n\
                 x-goog-upload-status: active\r\n"
            );
            (session, String::new())
        }
        "upload" => {
            let active = "x-goog-upload-status: active\r\nx-goog-upload-size-received: ";
            (format!("{active}{received}\r\n"), String::new())
        }
        _ => {
            let file = format!(
                r#"{{"file":{{"name":"files/sink","uri":"http://{host}/v1beta/files/sink","mimeType":"video/mp4","sizeBytes":"{received}","state":"ACTIVE"}}}}"#
            );
            ("x-goog-upload-status: final\r\n".to_owned(), file)
        }
    }
}
