//! Exif blocks that ImageMagick and older tools put into PNG text chunks, in hexadecimal.

use std::io::Cursor;

use mediaprep_media::{Error, Orientation};

use crate::png::Chunk;
use crate::reader::{Reader, WINDOW};
use crate::tiff;

/// Both keywords are in use; the block has the prefix that JPEG needs.
const KEYWORDS: [&[u8]; 2] = [b"Raw profile type exif\0", b"Raw profile type APP1\0"];
/// Hexadecimal text looked at. The first directory, which has the orientation, comes first.
const MAX_TEXT: usize = 64 << 10;

/// Whether a `tEXt` or `zTXt` chunk holds an Exif block.
pub(crate) fn is_exif(reader: &mut Reader<'_>, chunk: &Chunk) -> Result<bool, Error> {
    let keyword = reader.peek(chunk.body, KEYWORDS[0].len())?;
    Ok(KEYWORDS.contains(&keyword))
}

/// The orientation in such a chunk; what cannot be read counts as upright. Compressed text is
/// inflated up to [`MAX_TEXT`] bytes and no further.
pub(crate) fn exif_orientation(
    reader: &mut Reader<'_>,
    chunk: &Chunk,
) -> Result<Orientation, Error> {
    let skip = KEYWORDS[0].len() as u64;
    let length = chunk.length.saturating_sub(skip).min(MAX_TEXT as u64);
    let text = reader.bulk(chunk.body + skip, length, MAX_TEXT as u64)?;
    let text = if &chunk.kind == b"zTXt" { inflate(&text) } else { text };
    let Some(block) = unhex(&text) else { return Ok(Orientation::Upright) };
    let end = block.len() as u64;
    let start = if block.starts_with(b"Exif\0\0") { 6 } else { 0 };
    let mut source = Cursor::new(block);
    let mut inner = Reader::new(&mut source, "Exif")?;
    Ok(tiff::exif_orientation(&mut inner, start, end).ok().flatten().unwrap_or_default())
}

/// The text of a compressed chunk behind its method byte, as far as it goes.
fn inflate(content: &[u8]) -> Vec<u8> {
    let compressed = content.get(1..).unwrap_or_default();
    match miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(compressed, MAX_TEXT) {
        Ok(text) => text,
        Err(partial) => partial.output,
    }
}

/// A line break, a name, the decimal length, and the bytes in hexadecimal with line breaks between.
fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.splitn(4, |&byte| byte == b'\n');
    let (_empty, _name, _length, digits) =
        (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
    let mut nibbles = digits.iter().filter_map(|&byte| char::from(byte).to_digit(16));
    let mut bytes = Vec::new();
    while let (Some(high), Some(low)) = (nibbles.next(), nibbles.next()) {
        bytes.push(u8::try_from(high << 4 | low).ok()?);
        // The first directory is all that matters.
        if bytes.len() >= WINDOW {
            break;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_lines_become_bytes() {
        assert_eq!(unhex(b"\nexif\n       3\n45 78\n69\n"), Some(b"Exi".to_vec()));
        assert_eq!(unhex(b"exif"), None);
    }
}
