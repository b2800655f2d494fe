//! Whether two frames or pictures show nearly the same.
//!
//! A frame's perceptual hash is a difference hash: the frame is brought to 17 × 16 grey cells, and
//! each bit says whether a cell is clearly brighter than its left neighbour. Frames whose hashes
//! differ in few of the 256 bits look alike: a still slide, a person who hardly moves.

use mediaprep_media::Raster;

const COLUMNS: usize = 17;
const ROWS: usize = 16;
/// Steps of 255 by which a cell must be brighter to count: more than noise and coding make.
const CLEARLY: i64 = 3;
/// The most bits in which frames that look alike differ.
const ALIKE: u32 = 6;

/// The perceptual hash of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look([u64; 4]);

impl Look {
    /// The hash of a raster, which may be of any size.
    pub(super) fn of(raster: &Raster) -> Self {
        let cells = cells(raster);
        let mut bits = [0u64; 4];
        let pairs = cells.chunks_exact(COLUMNS).flat_map(|row| row.windows(2));
        for (at, pair) in pairs.enumerate() {
            if let [left, right] = pair
                && right - left > CLEARLY
            {
                bits[at / 64] |= 1 << (at % 64);
            }
        }
        Self(bits)
    }

    /// How many bits are set: next to none where the raster is nearly plain.
    pub(super) fn bits(self) -> u32 {
        self.0.iter().map(|bits| bits.count_ones()).sum()
    }

    /// The hash in eight pieces; of looks that are alike, at least two are the same.
    pub(super) fn pieces(self) -> [u32; 8] {
        std::array::from_fn(|at| {
            let [low, high] = [self.0[at / 2], self.0[at / 2] >> 32];
            let half = if at % 2 == 0 { low } else { high };
            u32::try_from(half & u64::from(u32::MAX)).unwrap_or_default()
        })
    }

    /// Whether the two look alike.
    pub(super) fn is_like(self, other: Self) -> bool {
        let differing = self.0.iter().zip(other.0).map(|(one, other)| (one ^ other).count_ones());
        differing.sum::<u32>() <= ALIKE
    }
}

/// Mean brightness of each cell, row by row.
fn cells(raster: &Raster) -> Vec<i64> {
    let (width, height) = (raster.size().width() as usize, raster.size().height() as usize);
    let channels = raster.format().channels();
    let edge = |cell: usize, cells: usize, side: usize| cell * side / cells;
    let mut out = Vec::with_capacity(COLUMNS * ROWS);
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let (left, top) = (edge(column, COLUMNS, width), edge(row, ROWS, height));
            let right = edge(column + 1, COLUMNS, width).max(left + 1);
            let bottom = edge(row + 1, ROWS, height).max(top + 1);
            let (mut sum, mut count) = (0i64, 0i64);
            for y in top..bottom.min(height) {
                let start = (y * width + left) * channels;
                let end = (y * width + right.min(width)) * channels;
                let samples = raster.data().get(start..end).unwrap_or_default();
                sum += samples.iter().map(|&sample| i64::from(sample)).sum::<i64>();
                count += samples.len() as i64;
            }
            out.push(sum / count.max(1));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use mediaprep_media::{Dimensions, PixelFormat};

    use super::*;

    /// A picture of `width` × `height` whose grey is `grey(x, y)`.
    fn look(width: u32, height: u32, grey: impl Fn(u32, u32) -> u32) -> Look {
        let size = Dimensions::new(width, height).unwrap();
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let data: Vec<u8> = rows.flat_map(|(x, y)| [grey(x, y).to_le_bytes()[0]; 3]).collect();
        Look::of(&Raster::new(size, PixelFormat::Rgb8, data).unwrap())
    }

    #[test]
    fn noise_and_brightness_look_alike_and_other_pictures_do_not() {
        let wave = |x: u32, y: u32| (x * 3 + y * y / 40) % 200;
        let one = look(320, 180, wave);
        assert!(one.is_like(look(320, 180, |x, y| wave(x, y) + (x * 7 + y * 13) % 5)));
        assert!(one.is_like(look(320, 180, |x, y| wave(x, y) + 20)));
        assert!(!one.is_like(look(320, 180, |x, y| wave(x + 30, y))));
        assert!(!one.is_like(look(320, 180, |_, _| 128)));
        let flat = look(320, 180, |_, _| 128);
        assert!(flat.is_like(look(320, 180, |x, y| 128 + (x + y) % 3)));
    }

    #[test]
    fn any_size_has_a_hash() {
        for (width, height) in [(1, 1), (3, 500), (16, 15), (17, 16), (1000, 2)] {
            let one = look(width, height, |x, _| x);
            assert!(one.is_like(one));
        }
    }
}
