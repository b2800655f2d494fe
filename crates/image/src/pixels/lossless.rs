//! Turning JPEG files without decoding them.

use mediaprep_media::{Dimensions, Error, Orientation};

use crate::ImageInfo;

/// Whether the file is a JPEG whose blocks can be turned so that the picture stands upright: it is
/// not upright as stored, each side that is mirrored consists of whole blocks, and the build has
/// libjpeg-turbo.
pub fn can_turn_losslessly(info: &ImageInfo) -> bool {
    let Some(coding) = info.jpeg else { return false };
    cfg!(feature = "turbo")
        && info.bit_depth == Some(8)
        && info.orientation != Orientation::Upright
        && is_whole(info.stored, coding.block, info.orientation)
}

/// Whether the stored sides that are mirrored on the way consist of whole blocks. A block cut off
/// at the right or lower edge cannot lie at the left or upper one.
const fn is_whole(stored: Dimensions, block: Dimensions, orientation: Orientation) -> bool {
    let is_width_whole = stored.width().is_multiple_of(block.width());
    let is_height_whole = stored.height().is_multiple_of(block.height());
    match orientation {
        Orientation::Upright | Orientation::Transpose => true,
        Orientation::FlipHorizontal | Orientation::Rotate270 => is_width_whole,
        Orientation::FlipVertical | Orientation::Rotate90 => is_height_whole,
        Orientation::Rotate180 | Orientation::Transverse => is_width_whole && is_height_whole,
    }
}

/// Turns a JPEG file upright by rearranging its coefficients: every sample keeps its value. Exif and
/// all other metadata are dropped, a colour profile is kept. A progressive file stays progressive;
/// arithmetic coding becomes Huffman coding, which more programs read.
///
/// # Errors
///
/// [`Error::Malformed`] for damage, and where [`can_turn_losslessly`] says no;
/// [`Error::Backend`] in a build without libjpeg-turbo.
pub fn turn_losslessly(bytes: &[u8], orientation: Orientation) -> Result<Vec<u8>, Error> {
    turn(bytes, orientation)
}

#[cfg(not(feature = "turbo"))]
fn turn(_: &[u8], _: Orientation) -> Result<Vec<u8>, Error> {
    Err(Error::Backend { backend: "lossless rotation (feature `turbo`)" })
}

#[cfg(feature = "turbo")]
use turbo::turn;

#[cfg(feature = "turbo")]
mod turbo {
    use mediaprep_media::{Error, Orientation};
    use turbojpeg::{Transform, TransformOp, Transformer};

    use super::super::decode::segments::{Segment, segments, tidied};

    const FAILED: Error =
        Error::malformed("JPEG", 0, "the file is damaged, or its blocks cannot be turned");

    pub(super) fn turn(bytes: &[u8], orientation: Orientation) -> Result<Vec<u8>, Error> {
        let turned = match transform(bytes, orientation) {
            Some(turned) => turned,
            // As in decoding: a complaint about the header counts as an error.
            None => {
                let copy = tidied(bytes).ok_or(FAILED)?;
                transform(&copy, orientation).ok_or(FAILED)?
            }
        };
        Ok(with_profile(turned, bytes))
    }

    fn transform(bytes: &[u8], orientation: Orientation) -> Option<Vec<u8>> {
        let mut transform = Transform::op(operation(orientation));
        transform.perfect = true;
        transform.copy_none = true;
        // Tables made for this very picture would save a few per cent and cost a second pass.
        // Progressive files have them in any case.
        // SOF2, 6, 10 and 14 are the progressive processes (T.81, table B.1).
        transform.progressive =
            segments(bytes).any(|segment| matches!(segment.code, 0xc2 | 0xc6 | 0xca | 0xce));
        Transformer::new().ok()?.transform_to_vec(&transform, bytes).ok()
    }

    const fn operation(orientation: Orientation) -> TransformOp {
        match orientation {
            Orientation::Upright => TransformOp::None,
            Orientation::FlipHorizontal => TransformOp::Hflip,
            Orientation::Rotate180 => TransformOp::Rot180,
            Orientation::FlipVertical => TransformOp::Vflip,
            Orientation::Transpose => TransformOp::Transpose,
            Orientation::Rotate90 => TransformOp::Rot90,
            Orientation::Transverse => TransformOp::Transverse,
            Orientation::Rotate270 => TransformOp::Rot270,
        }
    }

    /// The turned file with the pieces of the source's colour profile, in their order, behind its
    /// JFIF and Adobe markers.
    fn with_profile(turned: Vec<u8>, source: &[u8]) -> Vec<u8> {
        let pieces: Vec<&[u8]> =
            segments(source).filter(Segment::is_profile).map(|segment| segment.bytes).collect();
        if pieces.is_empty() {
            return turned;
        }
        let place = segments(&turned)
            .take_while(Segment::is_colour_marker)
            .last()
            .map_or(2, |segment| segment.end);
        let (head, rest) = turned.split_at(place);
        [head, &pieces.concat(), rest].concat()
    }
}

#[cfg(test)]
mod tests;
