//! GIF: the logical screen and the first frame. GIF 89a specification.

use mediaprep_media::{Dimensions, Error, Limits, Orientation, Warned};

use crate::reader::Reader;
use crate::{ImageInfo, size};

/// Sub-blocks passed before giving up: at 255 bytes each, 16 MiB of comments or application data.
const MAX_BLOCKS: usize = 65_536;

const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3b;
const GRAPHIC_CONTROL: u8 = 0xf9;

/// The facts of a GIF file.
///
/// A frame that reaches beyond the logical screen enlarges it, as browsers and Pillow have it, so
/// a tiny screen cannot hide a huge frame.
pub(crate) fn probe(reader: &mut Reader<'_>, limits: &Limits) -> Result<Warned<ImageInfo>, Error> {
    let header: [u8; 13] = reader.array(0, "the file ends inside the logical screen")?;
    if !header.starts_with(b"GIF87a") && !header.starts_with(b"GIF89a") {
        return Err(reader.malformed(0, "no GIF signature"));
    }
    let [.., w0, w1, h0, h1, packed, _, _] = header;
    let screen = (u16::from_le_bytes([w0, w1]), u16::from_le_bytes([h0, h1]));
    let blocks = Blocks { at: 13 + colour_table(packed), left: MAX_BLOCKS, transparent: false };
    let (first, blocks) = blocks.first_frame(reader)?;
    let stored = first.enlarge(reader, screen)?;
    limits.check_dimensions(stored)?;
    let transparent = blocks.transparent;
    let frames = if reader.holds_all() { Some(blocks.count_frames(reader)?) } else { None };
    Ok(Warned::plain(ImageInfo {
        stored,
        orientation: Orientation::Upright,
        frames,
        has_alpha: Some(transparent),
        bit_depth: Some(8),
        jpeg: None,
    }))
}

/// Bytes of the colour table that a packed field announces.
const fn colour_table(packed: u8) -> u64 {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// An image descriptor; its data follow at `data`.
struct Frame {
    at: u64,
    corner: (u16, u16),
    extent: (u16, u16),
    data: u64,
}

impl Frame {
    fn read(reader: &mut Reader<'_>, at: u64) -> Result<Self, Error> {
        let [_, l0, l1, t0, t1, w0, w1, h0, h1, packed] =
            reader.array(at, "the file ends inside a frame's header")?;
        let pair = |a, b, c, d| (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        let (corner, extent) = (pair(l0, l1, t0, t1), pair(w0, w1, h0, h1));
        size(reader, at + 5, extent.0, extent.1)?;
        let data = at + 10 + colour_table(packed);
        let [code_size] = reader.array(data, "the file ends before a frame's data")?;
        // LZW codes have at most 12 bits.
        if !(1..=11).contains(&code_size) {
            return Err(reader.malformed(data, "an LZW code size outside 1 to 11"));
        }
        Ok(Self { at, corner, extent, data: data + 1 })
    }

    fn enlarge(&self, reader: &Reader<'_>, screen: (u16, u16)) -> Result<Dimensions, Error> {
        let right = u32::from(self.corner.0) + u32::from(self.extent.0);
        let bottom = u32::from(self.corner.1) + u32::from(self.extent.1);
        size(reader, self.at, right.max(screen.0.into()), bottom.max(screen.1.into()))
    }
}

/// The blocks behind the logical screen.
struct Blocks {
    at: u64,
    left: usize,
    /// Whether the frame ahead has a transparent colour.
    transparent: bool,
}

impl Blocks {
    /// The first frame; the walk stands at its data.
    fn first_frame(mut self, reader: &mut Reader<'_>) -> Result<(Frame, Self), Error> {
        loop {
            match self.next_kind(reader, "the file ends before the first frame")? {
                IMAGE => {
                    let frame = Frame::read(reader, self.at)?;
                    if reader.peek(frame.data, 1)?.is_empty() {
                        return Err(reader.malformed(frame.data, "a frame without data"));
                    }
                    self.at = frame.data;
                    return Ok((frame, self));
                }
                EXTENSION => self.skip_extension(reader)?,
                TRAILER => return Err(reader.malformed(self.at, "no frame before the trailer")),
                // Some writers leave an empty sub-block too many.
                0 => self.pass(reader, 1)?,
                _ => return Err(reader.malformed(self.at, "an unknown kind of block")),
            }
        }
    }

    /// Counts the frames of a file that is wholly in hand; the first one's data lie ahead.
    fn count_frames(mut self, reader: &mut Reader<'_>) -> Result<u32, Error> {
        self.skip_data(reader)?;
        let mut frames = 1;
        // What follows the first frame may be cut or damaged: players show what they have.
        while let Ok(kind) = self.next_kind(reader, "no trailer") {
            let step = match kind {
                IMAGE => Frame::read(reader, self.at).and_then(|frame| {
                    frames += 1;
                    self.at = frame.data;
                    self.skip_data(reader)
                }),
                EXTENSION => self.skip_extension(reader),
                0 => self.pass(reader, 1),
                _ => break,
            };
            if step.is_err() {
                break;
            }
        }
        Ok(frames)
    }

    fn next_kind(&self, reader: &mut Reader<'_>, cut: &'static str) -> Result<u8, Error> {
        let [kind] = reader.array(self.at, cut)?;
        Ok(kind)
    }

    fn skip_extension(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let [_, label, _, flags] = reader.array(self.at, "the file ends inside an extension")?;
        if label == GRAPHIC_CONTROL {
            self.transparent |= flags & 1 == 1;
        }
        self.at += 2;
        self.skip_data(reader)
    }

    /// Passes the sub-blocks up to and with the empty one.
    fn skip_data(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        loop {
            let [length] = reader.array(self.at, "the file ends inside a data block")?;
            self.pass(reader, 1 + u64::from(length))?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn pass(&mut self, reader: &Reader<'_>, bytes: u64) -> Result<(), Error> {
        self.at += bytes;
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            reader.malformed(self.at, "more than 65536 data blocks before the first frame")
        })?;
        Ok(())
    }
}
