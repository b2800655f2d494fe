//! Runs of output samples along one axis, and what of the source each run is made of.

/// A run of output samples and the stretch of source samples that it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    /// The first output sample.
    pub(super) start: u32,
    /// How many.
    pub(super) length: u32,
    /// Where the stretch of the source starts.
    pub(super) from: f64,
    /// How long it is, above 0.
    pub(super) extent: f64,
}

impl Span {
    /// `length` output samples for a stretch of the source.
    pub(super) const fn whole(length: u32, from: f64, extent: f64) -> Self {
        Self { start: 0, length, from, extent }
    }

    /// The same in the samples of a plane with fewer of them: each stands for `factor`.
    pub(super) fn coarser(self, factor: u32) -> Self {
        let factor = f64::from(factor);
        Self { from: self.from / factor, extent: self.extent / factor, ..self }
    }

    /// Cut into runs of at most `length` samples, from the first to the last.
    pub(super) fn bands(self, length: u32) -> impl Iterator<Item = Self> {
        let step = usize::try_from(length.max(1)).unwrap_or(usize::MAX);
        (0..self.length).step_by(step).map(move |at| self.part(at, length.min(self.length - at)))
    }

    /// `length` samples from the `at`th of this run on.
    pub(super) fn part(self, at: u32, length: u32) -> Self {
        let step = self.extent / f64::from(self.length);
        let from = self.from + step * f64::from(at);
        let extent = step * f64::from(length);
        Self { start: self.start + at, length, from, extent }
    }
}
