//! Writing a request's body, part by part, without ever holding one.

use std::io::{self, Read, Write};

use base64_simd::STANDARD;
use mediaprep_media::MediaResolution;
use serde::Serialize;

use crate::body::Body;
use crate::part::{Part, PartData};
use crate::shape::Marks;

/// Bytes that are encoded at a time: a multiple of three, so that no padding falls in between.
const CHUNK: usize = 3 << 16;

/// Writes `{"contents":[{"parts":[…],"role":"user"}]}`, compact, as its parts come.
///
/// Bytes are encoded on their way from a reader to the writer, so a body of any size takes less
/// than a megabyte of memory. [`crate::RequestLength`] says beforehand how long it will be.
///
/// ```
/// use mediaprep_parts::{BodyWriter, Part};
///
/// let mut body = BodyWriter::new(Vec::new())?;
/// body.inline(Part::inline("image/png", Vec::new()), &mut &b"\x89PNG"[..])?;
/// body.part(&Part::text("What is this?"))?;
/// let body = body.finish(None)?;
/// assert_eq!(
///     String::from_utf8_lossy(&body),
///     concat!(
///         r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw=="}},"#,
///         r#"{"text":"What is this?"}],"role":"user"}]}"#,
///     )
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct BodyWriter<W> {
    writer: W,
    parts: u64,
}

impl<W: Write> BodyWriter<W> {
    /// Starts a body.
    ///
    /// # Errors
    ///
    /// What writing gives, here and below.
    pub fn new(mut writer: W) -> io::Result<Self> {
        writer.write_all(br#"{"contents":[{"parts":["#)?;
        Ok(Self { writer, parts: 0 })
    }

    /// Adds a part with the bytes that it holds.
    ///
    /// # Errors
    ///
    /// What reading its data and writing give.
    pub fn part(&mut self, part: &Part) -> io::Result<()> {
        self.separate()?;
        Body::of(part).write_to(&mut self.writer)
    }

    /// Adds a part whose bytes come from `bytes` instead of from the part itself, which says
    /// everything else: its type, level and video metadata.
    ///
    /// # Errors
    ///
    /// What reading and writing give; [`io::ErrorKind::InvalidInput`] for a part without inline
    /// data.
    pub fn inline(&mut self, part: Part, bytes: &mut dyn Read) -> io::Result<()> {
        if !matches!(part.data, PartData::InlineData(_)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut text = Vec::new();
        let (_, places) = Marks::of(&part, &mut text)?;
        let at = places.first().and_then(|(at, _)| usize::try_from(*at).ok());
        let (before, after) = text.split_at(at.unwrap_or(text.len()));
        self.separate()?;
        self.writer.write_all(before)?;
        encode(bytes, &mut self.writer)?;
        self.writer.write_all(after)
    }

    /// Ends the body; a level here goes for the whole request.
    ///
    /// # Errors
    ///
    /// What writing gives.
    pub fn finish(mut self, level: Option<MediaResolution>) -> io::Result<W> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Config {
            media_resolution: &'static str,
        }
        self.writer.write_all(br#"],"role":"user"}]"#)?;
        if let Some(level) = level {
            self.writer.write_all(br#","generationConfig":"#)?;
            let config = Config { media_resolution: level.wire_name() };
            serde_json::to_writer(&mut self.writer, &config)?;
        }
        self.writer.write_all(b"}")?;
        Ok(self.writer)
    }

    fn separate(&mut self) -> io::Result<()> {
        self.parts += 1;
        if self.parts > 1 { self.writer.write_all(b",") } else { Ok(()) }
    }
}

fn encode(bytes: &mut dyn Read, writer: &mut dyn Write) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut text = vec![0; CHUNK / 3 * 4];
    loop {
        let filled = fill(bytes, &mut chunk)?;
        let encoded = STANDARD.encode(&chunk[..filled], base64_simd::Out::from_slice(&mut text));
        writer.write_all(encoded)?;
        if filled < CHUNK {
            return Ok(());
        }
    }
}

/// Reads until `buffer` is full or the end is reached.
fn fill(bytes: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match bytes.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use mediaprep_media::FrameRate;
    use proptest::prelude::*;

    use super::*;
    use crate::{RequestLength, VideoMetadata};

    /// Gives a few bytes at a time, as sockets do.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(1000);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn everything_beside_the_bytes_is_kept() {
        let mut part = Part::inline("video/mp4", Vec::new());
        let fps = FrameRate::from_decimal("2");
        part.video_metadata = Some(VideoMetadata { fps, ..VideoMetadata::default() });
        part.media_resolution = Some(MediaResolution::Low);
        let mut body = BodyWriter::new(Vec::new()).unwrap();
        body.inline(part.clone(), &mut &[1u8, 2, 3, 4][..]).unwrap();
        let body = body.finish(Some(MediaResolution::Medium)).unwrap();
        part.data = Part::inline("video/mp4", vec![1, 2, 3, 4]).data;
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let parts = &value["contents"][0]["parts"];
        assert_eq!(parts[0], serde_json::to_value(&part).unwrap());
        let level = &value["generationConfig"]["mediaResolution"];
        assert_eq!(level, "MEDIA_RESOLUTION_MEDIUM");
    }

    #[test]
    fn a_part_without_data_is_refused() {
        let mut body = BodyWriter::new(Vec::new()).unwrap();
        assert!(body.inline(Part::text("x"), &mut io::empty()).is_err());
    }

    proptest! {
        #[test]
        fn streamed_bodies_equal_those_from_memory(
            sizes in proptest::collection::vec(0usize..5, 0..4), odd in 0usize..7,
        ) {
            let mut body = BodyWriter::new(Vec::new()).unwrap();
            let (mut parts, mut length) = (Vec::new(), RequestLength::new());
            for size in sizes {
                let data: Vec<u8> = (0..=250u8).cycle().take(size * CHUNK / 2 + odd).collect();
                body.inline(Part::inline("image/webp", Vec::new()), &mut Drip(&data)).unwrap();
                let part = Part::inline("image/webp", data);
                length.add(part.encoded_length());
                parts.push(part);
            }
            let written = body.finish(None).unwrap();
            let expected = serde_json::json!({"contents": [{"parts": parts, "role": "user"}]});
            prop_assert_eq!(written.len() as u64, length.bytes());
            let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
            prop_assert!(written == expected);
        }
    }
}
