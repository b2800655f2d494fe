//! How many frames an edit list leaves to be seen.

use mediaprep_media::Error;
use mediaprep_media::bmff::BoxHeader;

use crate::window::{Fields, MAX_REQUEST, Window};

/// A span of presentation times on the media's clock: from the first up to before the second.
pub(super) type Range = (i128, i128);

/// The number of samples whose presentation time lies in one of `ranges`, counted once for each.
///
/// Only runs of equal samples are looped over, so the work is bounded by the tables' bytes and not
/// by the counts in them.
pub(super) fn count(
    window: &mut Window<'_>,
    times: &BoxHeader,
    offsets: Option<&BoxHeader>,
    ranges: &[Range],
) -> Result<u64, Error> {
    let mut times = Runs::new(times);
    let mut offsets = Offsets { table: offsets.map(Runs::new), run: Run { samples: 0, value: 0 } };
    let mut clock = 0i128;
    let mut shown = 0u64;
    while let Some(time) = times.next(window)? {
        let mut left = time.samples;
        while left > 0 {
            let offset = offsets.current(window)?;
            let samples = left.min(offset.samples);
            let segment = Segment {
                first: clock + i128::from(offset.value.cast_signed()),
                step: i128::from(super::samples::duration(time.value)),
                samples: i128::from(samples),
            };
            let inside = ranges.iter().map(|&range| segment.inside(range));
            shown = inside.fold(shown, u64::saturating_add);
            clock += segment.step * segment.samples;
            left -= samples;
            offset.samples -= samples;
        }
    }
    Ok(shown)
}

/// The composition offsets; zero for every sample behind the table or without one.
struct Offsets {
    table: Option<Runs>,
    run: Run,
}

impl Offsets {
    /// The run that the next sample belongs to; it has at least one sample left.
    fn current(&mut self, window: &mut Window<'_>) -> Result<&mut Run, Error> {
        while self.run.samples == 0 {
            let next = match &mut self.table {
                Some(table) => table.next(window)?,
                None => None,
            };
            self.run = next.unwrap_or(Run { samples: u32::MAX, value: 0 });
        }
        Ok(&mut self.run)
    }
}

/// Samples at equal distances.
struct Segment {
    first: i128,
    step: i128,
    samples: i128,
}

impl Segment {
    /// How many of the samples lie in the range.
    fn inside(&self, (start, end): Range) -> u64 {
        let before = |time: i128| match self.step {
            0 if time > self.first => self.samples,
            0 => 0,
            step => {
                let distance = time - self.first;
                // Samples with first + i * step < time: the quotient rounded up.
                (distance.div_euclid(step) + i128::from(distance.rem_euclid(step) != 0))
                    .clamp(0, self.samples)
            }
        };
        u64::try_from(before(end) - before(start)).unwrap_or(0)
    }
}

/// One row of a run-length table.
#[derive(Clone, Copy)]
struct Run {
    samples: u32,
    value: u32,
}

/// The rows of `stts` or `ctts`, read in pieces.
struct Runs {
    at: u64,
    end: u64,
    rows: Vec<[u8; 8]>,
    taken: usize,
}

impl Runs {
    fn new(table: &BoxHeader) -> Self {
        // The count in the box is not needed: rows end where the box ends.
        Self { at: table.body + 8, end: table.end, rows: Vec::new(), taken: 0 }
    }

    fn next(&mut self, window: &mut Window<'_>) -> Result<Option<Run>, Error> {
        if self.taken == self.rows.len() {
            let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(MAX_REQUEST);
            let bytes = window.at(self.at, left.min(MAX_REQUEST))?;
            let (rows, _) = bytes.as_chunks::<8>();
            self.rows.clear();
            self.rows.extend_from_slice(rows);
            self.at += 8 * self.rows.len() as u64;
            self.taken = 0;
        }
        let Some(row) = self.rows.get(self.taken) else { return Ok(None) };
        self.taken += 1;
        let mut fields = Fields(row);
        Ok(fields.u32().zip(fields.u32()).map(|(samples, value)| Run { samples, value }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn table(rows: &[(u32, i32)]) -> Vec<u8> {
        let mut bytes = vec![0; 16];
        for (samples, value) in rows {
            bytes.extend_from_slice(&samples.to_be_bytes());
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        bytes
    }

    fn counted(times: &[(u32, i32)], offsets: &[(u32, i32)], ranges: &[Range]) -> u64 {
        let mut bytes = table(times);
        let middle = bytes.len() as u64;
        bytes.extend_from_slice(&table(offsets));
        let end = bytes.len() as u64;
        let header = |start, end| BoxHeader { kind: *b"stts", start, body: start + 8, end };
        let mut source = Cursor::new(bytes);
        let mut window = Window::new(&mut source).unwrap();
        let offsets = (!offsets.is_empty()).then(|| header(middle, end));
        count(&mut window, &header(0, middle), offsets.as_ref(), ranges).unwrap()
    }

    #[test]
    fn frames_outside_the_edit_are_not_seen() {
        assert_eq!(counted(&[(33, 512)], &[], &[(0, 16_036)]), 32);
        assert_eq!(counted(&[(33, 512)], &[], &[(512, 1024), (0, 513)]), 3);
        assert_eq!(counted(&[(4, 10)], &[(1, 0), (1, 20), (2, -10)], &[(0, 20)]), 2);
    }

    #[test]
    fn runs_of_billions_are_counted_without_a_loop() {
        let most = i32::MAX.cast_unsigned();
        assert_eq!(
            counted(&[(u32::MAX, 1), (u32::MAX, 0)], &[], &[(0, 1 << 31)]),
            u64::from(most) + 1
        );
        assert_eq!(counted(&[(0, 0), (u32::MAX, 0)], &[(0, 1), (7, 1)], &[(1, 2)]), 7);
    }
}
