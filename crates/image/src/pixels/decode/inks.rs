//! Four inks (CMYK) to sRGB.

use mediaprep_media::Warning;

use super::colour;

/// Turns packed CMYK as JPEG files store it, where 255 is no ink, into packed RGB. With a profile
/// of inks the colours are what it says. Without one they are the plain product that browsers and
/// Pillow take. That values are stored inverted is Adobe's habit, which every writer follows.
pub(super) fn to_rgb(data: &mut Vec<u8>, profile: Option<&[u8]>, warnings: &mut Vec<Warning>) {
    let transform = profile.and_then(colour::inks);
    if let Some(transform) = transform {
        // Profiles count the ink.
        data.iter_mut().for_each(|value| *value = 255 - *value);
        colour::convert(&*transform, data, 4, 3);
    } else {
        if profile.is_some() {
            warnings.push(colour::unusable());
        }
        multiply(data);
    }
    data.truncate(data.len() / 4 * 3);
}

fn multiply(data: &mut [u8]) {
    for index in 0..data.len() / 4 {
        let Some(&[cyan, magenta, yellow, black]) = data[index * 4..].first_chunk() else { break };
        let light = [cyan, magenta, yellow].map(|ink| product(ink, black));
        data[index * 3..index * 3 + 3].copy_from_slice(&light);
    }
}

/// Two values of 0 to 1 in steps of 1/255 multiplied, rounded to the nearest.
#[expect(clippy::cast_possible_truncation, reason = "at most 255 · 255 / 255")]
const fn product(one: u8, other: u8) -> u8 {
    ((one as u32 * other as u32 + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_profile_the_light_is_multiplied() {
        let mut data = vec![255, 255, 255, 255, 0, 255, 255, 255, 255, 128, 64, 128, 9, 9, 9, 0];
        let mut warnings = Vec::new();
        to_rgb(&mut data, None, &mut warnings);
        assert_eq!(data, [255, 255, 255, 0, 255, 255, 128, 64, 32, 0, 0, 0]);
        assert_eq!(warnings, []);
    }

    #[test]
    fn an_unusable_profile_is_reported() {
        let mut data = vec![255; 4];
        let mut warnings = Vec::new();
        to_rgb(&mut data, Some(b"none"), &mut warnings);
        assert_eq!((data, warnings.len()), (vec![255; 3], 1));
    }
}
