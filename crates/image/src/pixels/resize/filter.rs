//! The filters' shapes.

use std::f64::consts::{FRAC_PI_2, PI};

use fast_image_resize as fir;
use serde::Serialize;

/// The resampling filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Three lobes: the sharpest, and the default.
    #[default]
    Lanczos3,
    /// Two lobes: less ringing.
    CatmullRom,
    /// A triangle: softer and faster.
    Bilinear,
}

impl Filter {
    /// How far from its middle the filter reaches, in samples of the coarser side.
    pub(crate) const fn support(self) -> f64 {
        match self {
            Self::Lanczos3 => 3.0,
            Self::CatmullRom => 2.0,
            Self::Bilinear => 1.0,
        }
    }

    /// The same for the resampling library. Its own Lanczos filter takes two sines a weight; all
    /// weights of a tile would take a tenth of the whole tile's time.
    pub(crate) fn kernel(self) -> fir::FilterType {
        match self {
            Self::Lanczos3 => fir::Filter::new("Lanczos3", lanczos3, self.support())
                .map_or(fir::FilterType::Lanczos3, fir::FilterType::Custom),
            Self::CatmullRom => fir::FilterType::CatmullRom,
            Self::Bilinear => fir::FilterType::Bilinear,
        }
    }
}

/// The sinc function in a window of three lobes, sin(πx)/(πx) · sin(πx/3)/(πx/3).
///
/// With t = πx/3, sin(3t) = 3 sin t - 4 sin³t makes it (sin t / t)² · (1 - 4/3 sin²t): one sine.
fn lanczos3(x: f64) -> f64 {
    let angle = x.abs() * (PI / 3.0);
    if angle >= PI {
        return 0.0;
    }
    if angle < 1e-9 {
        return 1.0;
    }
    let sine = sine(angle);
    let lobe = sine / angle;
    lobe * lobe * (1.0 - 4.0 / 3.0 * sine * sine)
}

/// The sine of an angle from 0 to π, by the first terms of its series. The first term left out is
/// below 1e-9 at π/2, where the weights of the resampler have steps of 1e-5.
fn sine(angle: f64) -> f64 {
    let angle = if angle > FRAC_PI_2 { PI - angle } else { angle };
    let square = angle * angle;
    let terms = [
        1.0 / 6_227_020_800.0,
        -1.0 / 39_916_800.0,
        1.0 / 362_880.0,
        -1.0 / 5_040.0,
        1.0 / 120.0,
        -1.0 / 6.0,
        1.0,
    ];
    angle * terms.iter().fold(0.0, |sum, term| sum * square + term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_those_of_the_definition() {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        for step in -3500..=3500 {
            let x = f64::from(step) / 1000.0;
            let exact = if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 };
            assert!((lanczos3(x) - exact).abs() < 2e-9, "{x}: {} for {exact}", lanczos3(x));
        }
    }
}
