//! From high dynamic range to what an sRGB picture can show.

/// How an HDR signal stands for light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// SMPTE ST 2084, absolute light up to 10 000 cd/m².
    Pq,
    /// ARIB STD-B67, light relative to a display, here one of 1000 cd/m².
    Hlg,
}

/// Light of reference white in cd/m² (ITU-R BT.2408), which becomes 1.
const WHITE: f32 = 203.0;
/// Light up to this part of reference white is kept as it is.
const KNEE: f32 = 0.6;
/// Steps of the tables.
const STEPS: usize = 4096;

/// Tables for one transfer.
pub(super) struct Tone {
    /// Signal to light; reference white is 1. For HLG before the display's own gamma.
    light: Vec<f32>,
    /// Light from 0 to 1 to sRGB.
    code: Vec<u8>,
    transfer: Transfer,
}

impl Tone {
    pub(super) fn new(transfer: Transfer) -> Self {
        let step = |at: usize| at as f32 / (STEPS - 1) as f32;
        let light = |signal: f32| match transfer {
            Transfer::Pq => pq(signal) / WHITE,
            Transfer::Hlg => hlg(signal),
        };
        Self {
            light: (0..STEPS).map(|at| light(step(at))).collect(),
            code: (0..STEPS).map(|at| srgb(step(at))).collect(),
            transfer,
        }
    }

    /// Maps one row of 16-bit little-endian RGB.
    pub(super) fn map_row(&self, row: &[u8], out: &mut Vec<u8>) {
        for pixel in row.chunks_exact(6) {
            let light = |at: usize| {
                let value = u16::from_le_bytes([pixel[at], pixel[at + 1]]);
                self.light[usize::from(value >> 4)]
            };
            out.extend_from_slice(&self.map([light(0), light(2), light(4)]));
        }
    }

    fn map(&self, light: [f32; 3]) -> [u8; 3] {
        let scene = match self.transfer {
            Transfer::Pq => light,
            Transfer::Hlg => displayed(light),
        };
        let colours = narrow(scene).map(|channel| channel.max(0.0));
        let most = colours.into_iter().fold(0.0, f32::max);
        let scale = if most > KNEE { shoulder(most) / most } else { 1.0 };
        colours.map(|channel| self.code[index(channel * scale)])
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product is between 0 and the last step"
)]
fn index(light: f32) -> usize {
    (light.clamp(0.0, 1.0) * (STEPS - 1) as f32 + 0.5) as usize
}

/// SMPTE ST 2084: signal to cd/m².
fn pq(signal: f32) -> f32 {
    const M1: f32 = 2610.0 / 16384.0;
    const M2: f32 = 2523.0 / 32.0;
    const C1: f32 = 3424.0 / 4096.0;
    const C2: f32 = 2413.0 / 128.0;
    const C3: f32 = 2392.0 / 128.0;
    let power = signal.powf(1.0 / M2);
    10_000.0 * ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1)
}

/// ARIB STD-B67: signal to the scene's light, 1 at most.
fn hlg(signal: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 0.284_668_92;
    const C: f32 = 0.559_910_7;
    if signal <= 0.5 { signal * signal / 3.0 } else { (((signal - C) / A).exp() + B) / 12.0 }
}

/// The scene's light on a display of 1000 cd/m², whose gamma is 1.2 (ITU-R BT.2100).
fn displayed([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let luminance = 0.2627 * red + 0.6780 * green + 0.0593 * blue;
    let gain = 1000.0 / WHITE * luminance.max(1e-6).powf(0.2);
    [red, green, blue].map(|channel| channel * gain)
}

/// BT.2020 to BT.709 primaries (ITU-R BT.2087).
fn narrow([red, green, blue]: [f32; 3]) -> [f32; 3] {
    [
        1.6605 * red - 0.5876 * green - 0.0728 * blue,
        -0.1246 * red + 1.1329 * green - 0.0083 * blue,
        -0.0182 * red - 0.1006 * green + 1.1187 * blue,
    ]
}

/// Brings light above the knee below 1: as steep as a straight line at the knee, ever flatter above.
fn shoulder(light: f32) -> f32 {
    let room = 1.0 - KNEE;
    let over = (light - KNEE) / room;
    KNEE + room * over / (1.0 + over)
}

/// Light to sRGB.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product is between 0 and 255.5"
)]
fn srgb(light: f32) -> u8 {
    let code =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (code * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 65535")]
    fn grey(tone: &Tone, signal: f32) -> u8 {
        let value = ((signal * 65535.0) as u16).to_le_bytes();
        let mut out = Vec::new();
        tone.map_row(&[value, value, value].concat(), &mut out);
        assert!(out[0].abs_diff(out[1]) <= 1 && out[1].abs_diff(out[2]) <= 1, "{out:?}");
        out[1]
    }

    #[test]
    fn published_points_of_the_curves() {
        // BT.2408: 203 cd/m² is 58 % PQ and 75 % HLG; ST 2084: 100 cd/m² is 50.8 %.
        assert!((pq(0.5806) - 203.0).abs() < 1.5);
        assert!((pq(0.5081) - 100.0).abs() < 1.0);
        assert!((displayed([hlg(0.75); 3])[1] - 1.0).abs() < 0.01);
    }

    #[test]
    fn dark_greys_stay_white_is_near_the_top_and_nothing_is_lost_above() {
        let tone = Tone::new(Transfer::Pq);
        // 20 cd/m² is 0.0985 of white: sRGB 0.346.
        assert!(grey(&tone, 0.3570).abs_diff(88) <= 1, "{}", grey(&tone, 0.3570));
        // White: 0.6 + 0.4 / 2 = 0.8 of the light, sRGB 0.906.
        assert!(grey(&tone, 0.5806).abs_diff(231) <= 1);
        let mut last = 0;
        for step in 0..=100 {
            let now = grey(&tone, step as f32 / 100.0);
            assert!(now >= last);
            last = now;
        }
        assert!(last > 245);
        assert!(grey(&Tone::new(Transfer::Hlg), 0.75).abs_diff(231) <= 1);
    }
}
