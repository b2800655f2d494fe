//! Memory that is asked for rather than taken.

use std::io;

use mediaprep_media::Error;

/// So many bytes, all 0.
///
/// # Errors
///
/// [`Error::Io`] instead of an abort when there is not enough memory.
pub(crate) fn zeroed(bytes: u64) -> Result<Vec<u8>, Error> {
    let mut buffer = Vec::new();
    grow(&mut buffer, bytes)?;
    Ok(buffer)
}

/// Makes a buffer exactly so long. What is new in it is 0, the rest as it was.
///
/// # Errors
///
/// As [`zeroed`].
pub(crate) fn grow(buffer: &mut Vec<u8>, bytes: u64) -> Result<(), Error> {
    let out_of_memory = || Error::Io(io::ErrorKind::OutOfMemory.into());
    let bytes = usize::try_from(bytes).map_err(|_| out_of_memory())?;
    let missing = bytes.saturating_sub(buffer.len());
    buffer.try_reserve_exact(missing).map_err(|_| out_of_memory())?;
    buffer.resize(bytes, 0);
    Ok(())
}

/// Gives a buffer back that has grown beyond `most` bytes.
pub(crate) fn trim(buffer: &mut Vec<u8>, most: usize) {
    if buffer.capacity() > most {
        *buffer = Vec::new();
    }
}
