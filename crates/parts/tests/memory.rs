//! A body of any size is read in a few megabytes of memory. One test alone stands here, since the
//! peak is counted for the whole process.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use mediaprep_parts::{Data, DataSource, GenerateRequest, Part};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SIZE: u64 = 90_000_001;

/// Bytes out of nothing, a few at a time.
struct Film;

impl fmt::Debug for Film {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Film")
    }
}

impl DataSource for Film {
    fn length(&self) -> u64 {
        SIZE
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::repeat(7).take(SIZE)))
    }
}

#[test]
fn a_large_body_takes_little_memory() {
    let film = Part::inline("video/mp4", Data::source(Arc::new(Film)));
    let body = GenerateRequest::user(vec![film, Part::text("What moves?")]).body();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let (mut reader, mut read, mut kept) = (body.reader(), 0, None);
    while let Some(chunk) = reader.next_chunk() {
        let chunk = chunk.unwrap();
        assert!(!chunk.is_empty() && chunk.len() <= 256 << 10);
        read += chunk.len() as u64;
        // As a connection does: one chunk is being sent while the next is made.
        kept = Some(chunk);
    }
    let peak = MEMORY.peak_usage() - before;
    drop(kept);
    assert_eq!(read, body.length());
    assert!(read > SIZE / 3 * 4);
    assert!(peak < 1 << 20, "{peak} bytes");
    // What is measured is the reading: a chunk cannot have cost nothing.
    assert!(peak > 256 << 10, "{peak} bytes");
}
