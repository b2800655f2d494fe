//! Shrinking a raster into the front of its own memory.

use mediaprep_media::{Error, Raster};

use super::cut::Cut;
use super::paint::Piece;
use super::scratch::Scratch;
use super::span::Span;
use crate::pixels::resize::buffer::grow;
use crate::pixels::resize::{Filter, Reach, Surface};

/// The box that a cut shows, resampled but not turned; the rest of the raster's memory is given
/// back. The cut must not enlarge.
///
/// Finished rows move to the front of the buffer once the rows there are not looked at any more,
/// and wait in the scratch until then. Since nothing is enlarged, a band and the filter's reach is
/// the most that ever waits.
pub(super) fn shrunk(
    mut raster: Raster,
    cut: &Cut,
    filter: Filter,
    scratch: &mut Scratch,
) -> Result<Raster, Error> {
    if cut.is_whole_copy(raster.size()) {
        return Ok(raster);
    }
    let bands: Vec<Span> = piece(&raster, cut).bands().map(|band| band.down).collect();
    let (mut waiting, mut written) = (std::mem::take(&mut scratch.band), 0);
    waiting.clear();
    for (index, down) in bands.iter().enumerate() {
        let band = Piece { down: *down, ..piece(&raster, cut) };
        append(&band, filter, &mut waiting, scratch)?;
        let free = bands.get(index + 1).and_then(|next| first_row(next, filter, &raster));
        let free = free.map_or(raster.data().len(), |row| row as usize * raster.stride());
        written += settle(&mut waiting, raster.data_mut().get_mut(written..free));
    }
    scratch.band = waiting;
    shortened(raster, cut)
}

fn piece<'a>(raster: &'a Raster, cut: &Cut) -> Piece<'a> {
    Piece::new(Surface::of_raster(raster), cut.region, cut.size)
}

/// Resamples a band behind the rows that wait.
fn append(
    band: &Piece<'_>,
    filter: Filter,
    waiting: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<(), Error> {
    let bytes = band.size()?.pixels() * band.source.channels as u64;
    let before = waiting.len();
    grow(waiting, before as u64 + bytes)?;
    band.resample(filter, waiting.get_mut(before..).unwrap_or_default(), &mut scratch.resampler)
}

/// The first row of the raster that a band looks at.
fn first_row(band: &Span, filter: Filter, raster: &Raster) -> Option<u32> {
    let stretch = (band.from, band.extent);
    Reach::new(stretch, band.length, filter, raster.size().height()).map(|reach| reach.first)
}

/// Moves as many waiting bytes as there is room for, and says how many.
fn settle(waiting: &mut Vec<u8>, room: Option<&mut [u8]>) -> usize {
    let room = room.unwrap_or_default();
    let count = waiting.len().min(room.len());
    room[..count].copy_from_slice(&waiting[..count]);
    waiting.drain(..count);
    count
}

fn shortened(raster: Raster, cut: &Cut) -> Result<Raster, Error> {
    let wrong = Error::malformed("picture", 0, "fewer pixels than its size asks for");
    let format = raster.format();
    let mut data = raster.into_data();
    data.truncate(Raster::bytes(cut.size, format).unwrap_or(data.len()));
    data.shrink_to_fit();
    Raster::new(cut.size, format, data).ok_or(wrong)
}
