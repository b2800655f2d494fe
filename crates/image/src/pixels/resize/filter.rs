//! The filters' shapes.

use std::f64::consts::{FRAC_PI_2, PI};

use mediaprep_convolve::fir;
use serde::{Deserialize, Serialize};

/// The resampling filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    /// The same for the resampling library.
    ///
    /// Its own filters do not serve. It leaves out weights of 0 at either end and then takes the
    /// first output sample's first weight for the leftmost of all, and the last one's last for the
    /// rightmost: when a sample right on a source sample has zeros all around, version 6.1 reads
    /// beyond its rows. These filters are never 0 within their reach. They also take a quarter of
    /// the time; all weights of a tile with the library's sines take a tenth of the whole tile's.
    pub(crate) fn kernel(self) -> fir::FilterType {
        let (name, function): (_, fn(f64) -> f64) = match self {
            Self::Lanczos3 => ("Lanczos3", |x| never_zero(x, 3.0, lanczos3)),
            Self::CatmullRom => ("CatmullRom", |x| never_zero(x, 2.0, catmull_rom)),
            Self::Bilinear => ("Bilinear", |x| never_zero(x, 1.0, bilinear)),
        };
        // Only a support that is no positive number is refused. A Gaussian has no zeros either.
        fir::Filter::new(name, function, self.support())
            .map_or(fir::FilterType::Gaussian, fir::FilterType::Custom)
    }
}

/// 0 from the end of the reach on, and not 0 before.
fn never_zero(x: f64, reach: f64, weight: fn(f64) -> f64) -> f64 {
    let distance = x.abs();
    if distance >= reach {
        return 0.0;
    }
    let weight = weight(distance);
    if weight == 0.0 { f64::MIN_POSITIVE } else { weight }
}

/// A triangle.
fn bilinear(x: f64) -> f64 {
    1.0 - x
}

/// Keys' cubic convolution with a = -1/2, for `x` from 0 to 2.
fn catmull_rom(x: f64) -> f64 {
    if x < 1.0 {
        return (1.5 * x - 2.5) * x * x + 1.0;
    }
    ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
}

/// The sinc function in a window of three lobes, sin(πx)/(πx) · sin(πx/3)/(πx/3),
/// for `x` from 0 to 3. With t = πx/3, sin(3t) = 3 sin t - 4 sin³t makes it
/// (sin t / t)² · (1 - 4/3 sin²t): one sine.
fn lanczos3(x: f64) -> f64 {
    let angle = x * (PI / 3.0);
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
        for step in 0..3000 {
            let x = f64::from(step) / 1000.0;
            let exact = sinc(x) * sinc(x / 3.0);
            assert!((lanczos3(x) - exact).abs() < 2e-9, "{x}: {} for {exact}", lanczos3(x));
        }
    }

    #[test]
    fn no_weight_within_reach_is_zero() {
        for filter in [Filter::Lanczos3, Filter::CatmullRom, Filter::Bilinear] {
            let fir::FilterType::Custom(_) = filter.kernel() else { panic!("{filter:?}") };
        }
        type Weight = fn(f64) -> f64;
        let weights: [(Weight, f64); 3] = [(lanczos3, 3.0), (catmull_rom, 2.0), (bilinear, 1.0)];
        for (weight, reach) in weights {
            for step in -4000..=4000 {
                let x = f64::from(step) / 1000.0;
                assert_eq!(never_zero(x, reach, weight) == 0.0, x.abs() >= reach, "{x}");
            }
        }
    }
}
