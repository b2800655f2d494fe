//! What the fuzz targets of `tests/fuzz` run, and `damage.rs` with them, so that the targets never
//! fall behind the code.

use std::io::Cursor;

use mediaprep::image::{
    Chroma, DecodeOptions, Encoding, OutputFormat, RenderOptions, Scratch, decode, probe,
    turn_losslessly,
};
use mediaprep::media::{Dimensions, Limits, MimeType, Orientation, sniff};
use mediaprep::{ImageInfo, View};

/// Small enough that hostile headers cost no time.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_decoded_pixels = 1 << 20;
    limits.max_bytes = 16 << 20;
    limits
}

/// Lets panics of dependencies unwind to where they are caught: libFuzzer's own hook would end the
/// process first. Panics that nobody catches still end it.
pub fn catch_dependencies() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// The header reader of one format; its Exif reader with it.
pub fn header(bytes: &[u8], mime: MimeType) -> Option<ImageInfo> {
    let found = probe(&mut Cursor::new(bytes), mime, &limits()).ok()?;
    Some(found.value)
}

/// The decoder of one format, strict and forgiving, at full size and shrunk, with what comes out
/// drawn and encoded. Says whether anything was decoded.
pub fn pixels(bytes: &[u8], mime: MimeType) -> bool {
    let Some(info) = header(bytes, mime) else { return false };
    let small = Dimensions::new(64, 64).unwrap_or(Dimensions::ONE);
    let mut decoded = false;
    for allow_truncated in [false, true] {
        for at_least in [None, Some(small)] {
            let options =
                DecodeOptions { limits: limits(), allow_truncated, at_least, planes: true };
            let Ok(picture) = decode(bytes, mime, &info, &options) else { continue };
            let picture = picture.value;
            decoded = true;
            let shown = info.displayed();
            assert_eq!(picture.displayed(), shown);
            let view = View::whole(shown, shown.fit_within(small));
            let encoding =
                Encoding { format: OutputFormat::Jpeg, quality: 80, chroma: Chroma::Auto };
            let rendered = picture.render(
                &view,
                &encoding,
                &RenderOptions::default(),
                &mut Scratch::default(),
            );
            assert!(rendered.is_ok_and(|bytes| !bytes.is_empty()));
        }
    }
    decoded
}

/// Turning a JPEG without decoding it.
pub fn turn(bytes: &[u8]) {
    if header(bytes, MimeType::Jpeg).is_none() {
        return;
    }
    for orientation in [Orientation::Rotate90, Orientation::FlipVertical] {
        if let Ok(turned) = turn_losslessly(bytes, orientation) {
            assert_eq!(sniff(&turned), Some(MimeType::Jpeg));
        }
    }
}
