//! What the engine and its worker processes say to each other: a length in four bytes, lowest first,
//! then so many bytes of JSON; a PDF's or picture's own bytes follow behind the message that
//! announces them.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use mediaprep_image::{Encoding, RenderOptions};
use mediaprep_pdf::raster::Contents;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::options::PdfLibrary;
use crate::error::ErrorKind;

/// The longest message: a page's text is 4 MiB at most, six times that with every character
/// escaped.
const LONGEST: u32 = 64 << 20;

/// What a worker is to do.
#[derive(Serialize, Deserialize)]
pub(super) enum Order {
    /// Open a document, in place of the one before.
    Open(Opening),
    /// Draw a page of it.
    Draw(PageOrder),
    /// Tell what a page of it holds.
    Look {
        /// Its number, from 1.
        page: u64,
    },
    /// Read the text of a page of it.
    Read {
        /// Its number, from 1.
        page: u64,
    },
}

/// A document to open. So many bytes follow.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) library: PdfLibrary,
    /// Where PDFium is.
    pub(super) pdfium: Option<PathBuf>,
    pub(super) password: Option<String>,
    pub(super) bytes: u64,
    /// How many pages it has.
    pub(super) pages: u64,
    /// The most memory that the process may take from now on, in bytes.
    pub(super) memory: u64,
}

/// A page to draw.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::prepare) struct PageOrder {
    /// Its number, from 1.
    pub(in crate::prepare) page: u64,
    pub(in crate::prepare) width: u32,
    pub(in crate::prepare) height: u32,
    pub(in crate::prepare) encoding: Encoding,
    pub(in crate::prepare) render: RenderOptions,
    /// Whether its text is wanted too.
    pub(in crate::prepare) text: bool,
}

/// What a worker has done.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The document is open.
    Opened,
    /// The page is drawn. So many bytes follow.
    Drawn { bytes: u64, text: Option<String> },
    /// The page's text.
    Text(String),
    /// What the page holds.
    Contents(Contents),
    /// It could not be done.
    Failed { kind: ErrorKind, message: String },
}

/// Sends one message.
pub(super) fn send(to: &mut dyn Write, message: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&json)
}

/// Receives one message; `None` when the other side has closed.
pub(super) fn receive<T: DeserializeOwned>(from: &mut dyn Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read(&mut length[..1])? {
        0 => return Ok(None),
        _ => from.read_exact(&mut length[1..])?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let json = read_bytes(from, length.into())?;
    Ok(Some(serde_json::from_slice(&json)?))
}

/// Receives so many bytes. The buffer grows with what comes.
pub(super) fn read_bytes(from: &mut dyn Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_and_cut_ones_are_errors() {
        let mut pipe = Vec::new();
        send(&mut pipe, &Order::Read { page: 7 }).unwrap();
        send(&mut pipe, &Answer::Failed { kind: ErrorKind::Malformed, message: "x".into() })
            .unwrap();
        let mut from = pipe.as_slice();
        assert!(matches!(receive(&mut from), Ok(Some(Order::Read { page: 7 }))));
        assert!(matches!(receive(&mut from), Ok(Some(Answer::Failed { .. }))));
        assert!(matches!(receive::<Order>(&mut from), Ok(None)));
        for cut in 1..pipe.len() - 40 {
            assert!(
                receive::<Order>(&mut &pipe[..cut]).map(|order| order.is_some()).unwrap_or(true)
            );
        }
        assert!(receive::<Order>(&mut &[255, 255, 255, 255, 0][..]).is_err());
        assert!(receive::<Order>(&mut &[2, 0, 0, 0, b'{', b'}'][..]).is_err());
    }
}
