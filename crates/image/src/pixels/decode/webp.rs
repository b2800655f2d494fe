//! WebP: libwebp for still files with feature `webp`, `image` (image-webp) for the rest.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::webp::WebPDecoder;
use mediaprep_media::{Error, Warned};

use super::through_image::{self, Family};
use super::{Pixels, Source};

const FAMILY: Family =
    Family { name: "WebP", unsupported: "a WebP file of this kind", leaves_rows: false };

/// Decodes the picture, or the first frame of an animation onto the whole canvas.
pub(super) fn decode(source: &Source<'_>) -> Result<Warned<Pixels>, Error> {
    let mut decoder = WebPDecoder::new(Cursor::new(source.bytes))
        .map_err(|error| through_image::failure(&error, &FAMILY, source).1)?;
    let (width, height) = decoder.dimensions();
    source.check_size("WebP", width, height)?;
    let profile = decoder.icc_profile().ok().flatten();
    #[cfg(feature = "webp")]
    if !decoder.has_animation()
        && let Some(decoded) = fast::decode(source, profile.as_deref())?
    {
        return Ok(decoded);
    }
    through_image::still(decoder, profile, &FAMILY, source)
}

#[cfg(feature = "webp")]
mod fast {
    use mediaprep_media::{Error, Warned};
    use webp::{BitstreamFeatures, Decoder};

    use super::super::colour::Conversion;
    use super::super::depth::{Channels, raster};
    use super::super::{Pixels, Source};

    /// Decodes with libwebp; `None` when it refuses the file, without a word why.
    pub(super) fn decode(
        source: &Source<'_>,
        profile: Option<&[u8]>,
    ) -> Result<Option<Warned<Pixels>>, Error> {
        let Some(features) = BitstreamFeatures::new(source.bytes) else { return Ok(None) };
        source.check_size("WebP", features.width(), features.height())?;
        let Some(picture) = Decoder::new(source.bytes).decode() else { return Ok(None) };
        source.check_size("WebP", picture.width(), picture.height())?;
        let channels = if picture.is_alpha() { Channels::Rgba } else { Channels::Rgb };
        let mut data = picture.to_vec();
        drop(picture);
        let mut warnings = Vec::new();
        let conversion = Conversion::new(profile, channels, &mut warnings);
        conversion.apply(&mut data, channels);
        let value = raster(data, channels, source.info.stored, source.announces_alpha())?;
        Ok(Some(Warned { value: Pixels::Raster(value), warnings }))
    }
}
