//! Where the samples of a plane lie that has fewer of them than the picture has pixels.

use super::span::Span;

/// By how much rounding may move a stretch, in samples.
const SLACK: f64 = 1e-6;

/// One axis of a plane whose samples stand for `factor` pixels of the output each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Pixels of the output per sample of the plane, 1 or 2.
    pub(super) factor: u32,
    /// Whether the output is seen from its far end, so that samples must be counted from there.
    pub(super) mirrored: bool,
    /// Samples of the source plane along this axis.
    pub(super) side: u32,
}

impl Grid {
    /// The runs of samples that stand for the pixels of `pixels`, whose stretch is given in samples
    /// of the source plane.
    ///
    /// Where the last sample stands for fewer pixels than the others, it lies half outside. Unless
    /// the source plane reaches that far, this one sample is moved inwards and is a run of its own,
    /// so that all others stay exactly where they belong.
    pub(super) fn spans(&self, pixels: Span) -> Vec<Span> {
        let length = pixels.length.div_ceil(self.factor);
        let surplus = length * self.factor - pixels.length;
        let step = pixels.extent / f64::from(pixels.length);
        let before = if self.mirrored { f64::from(surplus) * step } else { 0.0 };
        let sample = step * f64::from(self.factor);
        let all = Span::whole(length, pixels.from - before, sample * f64::from(length));
        if all.from >= -SLACK && all.from + all.extent <= f64::from(self.side) + SLACK {
            return vec![all];
        }
        let edge = if self.mirrored { 0 } else { length - 1 };
        let rest = all.part(1 - edge.min(1), length - 1);
        let mut spans = vec![self.inside(all.part(edge, 1))];
        if length > 1 {
            spans.push(rest);
        }
        spans
    }

    /// A sample moved into the source plane.
    fn inside(&self, sample: Span) -> Span {
        let side = f64::from(self.side);
        let extent = sample.extent.min(side);
        Span { from: sample.from.clamp(0.0, side - extent), extent, ..sample }
    }
}
