//! A picture like a phone's: soft shapes of all sizes, edges, and grain; the same on every machine.

use mediaprep_media::{Dimensions, PixelFormat, Raster};

/// The picture in three channels; `None` without a pixel.
pub fn photo(width: u32, height: u32) -> Option<Raster> {
    let size = Dimensions::new(width, height)?;
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)));
    Raster::new(size, PixelFormat::Rgb8, pixels.collect())
}

/// Five sizes of soft blotches, a ridge, and grain as of a small sensor.
fn pixel(x: u32, y: u32) -> [u8; 3] {
    let shape = [(640, 60.0), (210, 34.0), (64, 16.0), (19, 8.0), (6, 5.0)];
    let light: f32 = shape.iter().map(|&(cell, height)| height * blotch(x, y, cell, 1)).sum();
    let tint = 28.0 * blotch(x, y, 420, 2);
    let ridge = if blotch(x, y, 330, 3) > 0.1 { 26.0 } else { -14.0 };
    [(0, 10.0, 1.0), (1, 0.0, 0.2), (2, -12.0, -1.0)].map(|(channel, base, share)| {
        let grain = 5.0 * random(x, y, 10 + channel) + 8.0 * random(x, y, 20);
        let value = 124.0 + base + light + share * tint + ridge + grain;
        #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates")]
        #[expect(clippy::cast_sign_loss, reason = "a cast from float saturates")]
        let value = value as u8;
        value
    })
}

/// Between -1 and 1, changing softly over `cell` pixels.
fn blotch(x: u32, y: u32, cell: u32, seed: u32) -> f32 {
    let (column, row) = (x / cell, y / cell);
    let (across, down) = (soft(x % cell, cell), soft(y % cell, cell));
    let corner = |right, below| random(column + right, row + below, seed + cell);
    let upper = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * across;
    let lower = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * across;
    upper + (lower - upper) * down
}

fn soft(at: u32, of: u32) -> f32 {
    let way = ratio(at, of);
    way * way * (3.0 - 2.0 * way)
}

/// Between -1 and 1, another number for every place and seed.
fn random(x: u32, y: u32, seed: u32) -> f32 {
    let mut bits =
        x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed.wrapping_mul(0xc2b2_ae3d);
    for _ in 0..2 {
        bits = (bits ^ bits >> 15).wrapping_mul(0x2c1b_3c6d);
    }
    ratio((bits ^ bits >> 13) & 0xffff, 0x8000) - 1.0
}

#[expect(clippy::cast_precision_loss, reason = "both are far below the 24 bits that f32 holds")]
fn ratio(part: u32, of: u32) -> f32 {
    part as f32 / of as f32
}
