//! Colour profiles to sRGB, by `moxcms`.

use std::borrow::Cow;
use std::sync::Arc;

use mediaprep_media::{Warning, WarningCode};
use moxcms::{
    ColorProfile, DataColorSpace, Layout, RenderingIntent, Transform8BitExecutor, TransformOptions,
};

use super::depth::Channels;

/// Pixels converted at a time, so that the copy that the conversion needs stays in the cache.
const CHUNK: usize = 4096;
/// Steps along each side of the lattice of colours that tells sRGB from other profiles.
const LATTICE: u8 = 9;

const UNUSABLE: &str = "the colour profile cannot be used, so the colours count as sRGB";

/// What a profile asks for.
pub(super) enum Conversion {
    /// Nothing: there is none, or it says sRGB.
    None,
    /// Every grey level by this table.
    Table(Box<[u8; 256]>),
    /// Every pixel by this function.
    Pixels(Arc<Transform8BitExecutor>),
}

impl Conversion {
    /// Whether pixels stay as they are.
    #[cfg(any(feature = "turbo", test))]
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// What `profile` asks for when the pixels have these channels. A profile that is broken, or
    /// made for other channels, asks for nothing and gives a warning.
    pub(super) fn new(
        profile: Option<&[u8]>,
        channels: Channels,
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let Some(profile) = profile else { return Self::None };
        let found = ColorProfile::new_from_slice(profile).ok().and_then(|profile| match channels {
            Channels::Gray | Channels::GrayAlpha => grey(&profile),
            Channels::Rgb => colour(&profile, Layout::Rgb),
            Channels::Rgba => colour(&profile, Layout::Rgba),
        });
        found.unwrap_or_else(|| {
            warnings.push(unusable());
            Self::None
        })
    }

    /// The same for the code points of ITU-T H.273 that HEIF files carry in place of a profile.
    /// Only wide primaries matter: the narrow ones differ from sRGB by less than is seen, and the
    /// curves of video count as that of sRGB, as in browsers. What is coded for a display of
    /// thousands of nits (curves 16 and 18) is left alone, since it needs a tone curve of taste.
    pub(super) fn from_code_points(primaries: u16, transfer: u16, channels: Channels) -> Self {
        let layout = match channels {
            Channels::Rgb => Layout::Rgb,
            Channels::Rgba => Layout::Rgba,
            Channels::Gray | Channels::GrayAlpha => return Self::None,
        };
        let mut profile = match (primaries, transfer) {
            (_, 16 | 18) => return Self::None,
            (9, _) => ColorProfile::new_bt2020(),
            (12, _) => ColorProfile::new_display_p3(),
            _ => return Self::None,
        };
        let srgb = ColorProfile::new_srgb();
        (profile.red_trc, profile.green_trc) = (srgb.red_trc, srgb.green_trc);
        (profile.blue_trc, profile.cicp) = (srgb.blue_trc, None);
        colour(&profile, layout).unwrap_or(Self::None)
    }

    /// Converts packed pixels of these channels in place.
    pub(super) fn apply(&self, data: &mut [u8], channels: Channels) {
        match self {
            Self::None => {}
            Self::Table(table) => {
                for grey in data.iter_mut().step_by(channels.count()) {
                    *grey = table[usize::from(*grey)];
                }
            }
            Self::Pixels(transform) => {
                convert(&**transform, data, channels.count(), channels.count());
            }
        }
    }
}

/// A warning that the profile was ignored.
pub(super) fn unusable() -> Warning {
    Warning::new(WarningCode::Damaged, Cow::Borrowed(UNUSABLE))
}

/// The conversion of four inks to sRGB, where 255 is full ink.
#[cfg(feature = "turbo")]
pub(super) fn inks(profile: &[u8]) -> Option<Arc<Transform8BitExecutor>> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    transform(&profile, Layout::Rgba, Layout::Rgb)
}

/// Converts packed pixels of `from` bytes to `to` bytes, at most as many, at the buffer's start.
pub(super) fn convert(transform: &Transform8BitExecutor, data: &mut [u8], from: usize, to: usize) {
    let mut copy = [0; CHUNK * 4];
    let pixels = data.len() / from;
    for first in (0..pixels).step_by(CHUNK) {
        let count = CHUNK.min(pixels - first);
        let source = &mut copy[..count * from];
        source.copy_from_slice(&data[first * from..][..count * from]);
        // Fails only for lengths that do not fit each other, which these do.
        let _ = transform.transform(source, &mut data[first * to..][..count * to]);
    }
}

fn grey(profile: &ColorProfile) -> Option<Conversion> {
    if profile.color_space != DataColorSpace::Gray {
        return None;
    }
    let transform = transform(profile, Layout::Gray, Layout::Rgb)?;
    let levels: Vec<u8> = (0..=u8::MAX).collect();
    let mut triples = vec![0; levels.len() * 3];
    transform.transform(&levels, &mut triples).ok()?;
    let mut table = Box::new([0; 256]);
    for (level, triple) in table.iter_mut().zip(triples.chunks_exact(3)) {
        *level = triple[1];
    }
    let is_srgb = levels.iter().zip(table.iter()).all(|(from, to)| from.abs_diff(*to) <= 1);
    Some(if is_srgb { Conversion::None } else { Conversion::Table(table) })
}

fn colour(profile: &ColorProfile, layout: Layout) -> Option<Conversion> {
    if profile.color_space != DataColorSpace::Rgb {
        return None;
    }
    let plain = transform(profile, Layout::Rgb, Layout::Rgb)?;
    if is_srgb(&*plain)? {
        return Some(Conversion::None);
    }
    Some(Conversion::Pixels(match layout {
        Layout::Rgb => plain,
        _ => transform(profile, layout, layout)?,
    }))
}

/// Whether no colour of the lattice moves by more than 1.
fn is_srgb(transform: &Transform8BitExecutor) -> Option<bool> {
    let level = |index: u8| index * 31 + index / 8 * 7;
    let lattice: Vec<u8> = (0..LATTICE)
        .flat_map(|r| (0..LATTICE).flat_map(move |g| (0..LATTICE).map(move |b| [r, g, b])))
        .flat_map(|colour| colour.map(level))
        .collect();
    let mut converted = vec![0; lattice.len()];
    transform.transform(&lattice, &mut converted).ok()?;
    Some(lattice.iter().zip(&converted).all(|(from, to)| from.abs_diff(*to) <= 1))
}

/// The function from a profile to sRGB. Perceptual, as browsers ask, where the profile has tables
/// for it; colorimetric otherwise.
fn transform(
    profile: &ColorProfile,
    from: Layout,
    to: Layout,
) -> Option<Arc<Transform8BitExecutor>> {
    let srgb = ColorProfile::new_srgb();
    [RenderingIntent::Perceptual, RenderingIntent::RelativeColorimetric].into_iter().find_map(
        |rendering_intent| {
            let options = TransformOptions { rendering_intent, ..TransformOptions::default() };
            profile.create_transform_8bit(from, &srgb, to, options).ok()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(profile: &ColorProfile) -> Vec<u8> {
        profile.encode().unwrap()
    }

    fn apply(profile: &ColorProfile, channels: Channels, pixel: &[u8]) -> Vec<u8> {
        let mut warnings = Vec::new();
        let conversion = Conversion::new(Some(&encoded(profile)), channels, &mut warnings);
        assert_eq!(warnings, []);
        let mut data = pixel.to_vec();
        conversion.apply(&mut data, channels);
        data
    }

    #[test]
    fn the_lattice_reaches_both_ends() {
        let level = |index: u8| index * 31 + index / 8 * 7;
        assert_eq!((level(0), level(4), level(8)), (0, 124, 255));
    }

    #[test]
    fn srgb_asks_for_nothing() {
        let mut warnings = Vec::new();
        let profile = encoded(&ColorProfile::new_srgb());
        assert!(Conversion::new(Some(&profile), Channels::Rgb, &mut warnings).is_none());
        assert!(Conversion::new(None, Channels::Rgb, &mut warnings).is_none());
        assert_eq!(warnings, []);
    }

    #[test]
    fn display_p3_becomes_srgb() {
        // (200, 100, 50) of Display P3, by the matrices and the curve of the CSS Color 4 text, is
        // (214.9, 92.6, 31.0); full red is outside of sRGB and clipped.
        let found =
            apply(&ColorProfile::new_display_p3(), Channels::Rgb, &[200, 100, 50, 255, 0, 0]);
        let wanted = [215, 93, 31, 255, 0, 0];
        assert!(found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 1), "{found:?}");
        let found = apply(&ColorProfile::new_display_p3(), Channels::Rgba, &[200, 100, 50, 77]);
        assert!(found.iter().zip([215, 93, 31, 77]).all(|(a, b)| a.abs_diff(b) <= 1), "{found:?}");
    }

    #[test]
    fn a_grey_curve_becomes_a_table() {
        // 100 with gamma 1.8 is light of (100/255)^1.8 = 0.18539, which sRGB writes as 119.3.
        let found = apply(&ColorProfile::new_gray_with_gamma(1.8), Channels::GrayAlpha, &[100, 9]);
        assert!(found[0].abs_diff(119) <= 1 && found[1] == 9, "{found:?}");
    }

    #[test]
    fn profiles_for_other_channels_and_broken_ones_are_ignored_with_a_warning() {
        let grey = encoded(&ColorProfile::new_gray_with_gamma(1.8));
        let p3 = encoded(&ColorProfile::new_display_p3());
        for (profile, channels) in
            [(&grey[..], Channels::Rgb), (&p3[..], Channels::Gray), (&p3[..90], Channels::Rgb)]
        {
            let mut warnings = Vec::new();
            assert!(Conversion::new(Some(profile), channels, &mut warnings).is_none());
            assert_eq!(warnings, [unusable()]);
        }
    }

    #[test]
    fn code_points_of_wide_colours_are_converted() {
        let p3 = Conversion::from_code_points(12, 13, Channels::Rgb);
        let mut data = vec![200, 100, 50];
        p3.apply(&mut data, Channels::Rgb);
        assert!(data.iter().zip([215, 93, 31]).all(|(a, b)| a.abs_diff(b) <= 1), "{data:?}");
        assert!(Conversion::from_code_points(1, 1, Channels::Rgb).is_none());
        assert!(Conversion::from_code_points(9, 16, Channels::Rgb).is_none());
    }
}
