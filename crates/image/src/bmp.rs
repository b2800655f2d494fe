//! Windows and OS/2 bitmaps. Microsoft's `BITMAPINFOHEADER` and its older and later forms.

use mediaprep_media::{Dimensions, Error, Limits, Orientation, Warned};

use crate::reader::Reader;
use crate::{ImageInfo, size};

const CUT: &str = "the file ends inside the bitmap header";

/// The facts of a bitmap.
pub(crate) fn probe(reader: &mut Reader<'_>, limits: &Limits) -> Result<Warned<ImageInfo>, Error> {
    let [b'B', b'M', .., d0, d1, d2, d3, h0, h1, h2, h3] = reader.array::<18>(0, CUT)? else {
        return Err(reader.malformed(0, "no bitmap signature"));
    };
    let data = u64::from(u32::from_le_bytes([d0, d1, d2, d3]));
    let header = match u32::from_le_bytes([h0, h1, h2, h3]) {
        12 => Header::core(reader)?,
        16 | 40 | 52 | 56 | 64 | 108 | 124 => Header::info(reader)?,
        _ => return Err(reader.malformed(14, "a header of an unknown length")),
    };
    let stored = size(reader, 18, header.width, header.height)?;
    limits.check_dimensions(stored)?;
    header.check_data(reader, stored, data)?;
    Ok(Warned::plain(ImageInfo {
        stored,
        orientation: Orientation::Upright,
        frames: Some(1),
        has_alpha: header.has_alpha,
        bit_depth: Some(header.depth()),
        jpeg: None,
    }))
}

struct Header {
    width: u32,
    height: u32,
    bits: u16,
    compression: u32,
    has_alpha: Option<bool>,
}

impl Header {
    /// OS/2 1.x: sides of 16 bits.
    fn core(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let [w0, w1, h0, h1, _, _, b0, b1] = reader.array(18, CUT)?;
        let header = Self {
            width: u16::from_le_bytes([w0, w1]).into(),
            height: u16::from_le_bytes([h0, h1]).into(),
            bits: u16::from_le_bytes([b0, b1]),
            compression: 0,
            has_alpha: Some(false),
        };
        header.checked(reader)
    }

    /// Windows: signed sides of 32 bits; a negative height means that the top row comes first.
    fn info(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let fields: [u8; 16] = reader.array(14, CUT)?;
        let [l0, _, _, _, w0, w1, w2, w3, h0, h1, h2, h3, _, _, b0, b1] = fields;
        // The shortest form of OS/2 2.x ends here, without compression.
        let compression = match l0 {
            16 => 0,
            _ => u32::from_le_bytes(reader.array(30, CUT)?),
        };
        let alpha_mask = match l0 {
            56 | 108 | 124 => Some(u32::from_le_bytes(reader.array(66, CUT)?) != 0),
            _ => None,
        };
        let width = i32::from_le_bytes([w0, w1, w2, w3]);
        let bits = u16::from_le_bytes([b0, b1]);
        let header = Self {
            width: u32::try_from(width).map_err(|_| reader.malformed(18, "a negative width"))?,
            height: i32::from_le_bytes([h0, h1, h2, h3]).unsigned_abs(),
            bits,
            compression,
            has_alpha: if matches!(bits, 16 | 32) { alpha_mask } else { Some(false) },
        };
        header.checked(reader)
    }

    fn checked(self, reader: &Reader<'_>) -> Result<Self, Error> {
        // 0 stands for an embedded JPEG or PNG, 2 for Windows CE.
        if matches!(self.bits, 0 | 1 | 2 | 4 | 8 | 16 | 24 | 32) {
            Ok(self)
        } else {
            Err(reader.malformed(28, "a bit count that no bitmap has"))
        }
    }

    /// Bits per channel.
    const fn depth(&self) -> u8 {
        match self.bits {
            1 => 1,
            2 => 2,
            4 => 4,
            16 => 5,
            _ => 8,
        }
    }

    /// The pixels must lie within the file; only uncompressed ones have a known length. They may
    /// end up to one row early, since some writers leave out the padding of the last row.
    fn check_data(&self, reader: &Reader<'_>, stored: Dimensions, data: u64) -> Result<(), Error> {
        if data >= reader.length() {
            return Err(reader.malformed(10, "the pixels lie beyond the file's end"));
        }
        // BI_RGB, BI_BITFIELDS and BI_ALPHABITFIELDS are uncompressed.
        if self.bits == 0 || !matches!(self.compression, 0 | 3 | 6) {
            return Ok(());
        }
        let row = (u64::from(stored.width()) * u64::from(self.bits)).div_ceil(32) * 4;
        let least = row.saturating_mul(u64::from(stored.height()) - 1);
        if least >= reader.length() - data {
            return Err(reader.malformed(data, "the file ends inside the pixels"));
        }
        Ok(())
    }
}
