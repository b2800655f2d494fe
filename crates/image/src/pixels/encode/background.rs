//! Composing transparent pixels on a colour.

use mediaprep_media::{Error, PixelFormat, Raster};

/// The raster without transparency: each pixel is blended with `background` (red, green, blue) by
/// its opacity, in place. As in browsers, the stored sRGB values are blended, not the light that
/// they stand for. A raster without an alpha channel comes back as it is.
///
/// # Errors
///
/// None for a raster whose data fit its size, which is every raster.
pub(crate) fn flatten(raster: Raster, background: [u8; 3]) -> Result<Raster, Error> {
    if !raster.format().has_alpha() {
        return Ok(raster);
    }
    let size = raster.size();
    let mut data = raster.into_data();
    let pixels = data.len() / 4;
    for index in 0..pixels {
        let Some(&[red, green, blue, alpha]) = data[index * 4..].first_chunk() else { break };
        let [under_red, under_green, under_blue] = background;
        data[index * 3] = blend(red, under_red, alpha);
        data[index * 3 + 1] = blend(green, under_green, alpha);
        data[index * 3 + 2] = blend(blue, under_blue, alpha);
    }
    data.truncate(pixels * 3);
    data.shrink_to_fit();
    Raster::new(size, PixelFormat::Rgb8, data).ok_or(Error::malformed(
        "raster",
        0,
        "fewer pixels than its size asks for",
    ))
}

/// `over` with the opacity `alpha` on `under`, rounded to the nearest.
#[expect(clippy::cast_possible_truncation, reason = "a mean of two bytes is a byte")]
const fn blend(over: u8, under: u8, alpha: u8) -> u8 {
    let (over, under, alpha) = (over as u32, under as u32, alpha as u32);
    ((over * alpha + under * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use mediaprep_media::Dimensions;

    use super::*;

    #[test]
    fn opaque_pixels_keep_their_colour_and_clear_ones_take_the_background() {
        let data = vec![1, 2, 3, 255, 1, 2, 3, 0, 255, 0, 100, 128];
        let raster = Raster::new(Dimensions::new(3, 1).unwrap(), PixelFormat::Rgba8, data).unwrap();
        let flat = flatten(raster, [10, 20, 200]).unwrap();
        assert_eq!(flat.format(), PixelFormat::Rgb8);
        // 255·128/255 + 10·127/255 = 132.98; 20·127/255 = 9.96; (100·128 + 200·127)/255 = 149.8.
        assert_eq!(flat.data(), [1, 2, 3, 10, 20, 200, 133, 10, 150]);
    }

    #[test]
    fn rasters_without_alpha_are_left_alone() {
        let raster = Raster::new(Dimensions::ONE, PixelFormat::Gray8, vec![7]).unwrap();
        assert_eq!(flatten(raster.clone(), [0; 3]).unwrap(), raster);
    }
}
