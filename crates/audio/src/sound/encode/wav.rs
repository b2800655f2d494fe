//! WAV of 16 bits.

use std::io::{self, BufWriter};

use hound::{SampleFormat, WavSpec, WavWriter};
use mediaprep_media::{Error, LimitExceeded};

use super::{Encoder, to_i16};
use crate::Sink;

/// Bytes of sound that the 32-bit lengths of a WAV file can state.
const MOST_BYTES: u64 = u32::MAX as u64 - 64;

pub(super) struct Wav {
    writer: WavWriter<BufWriter<Box<dyn Sink>>>,
    bytes: u64,
}

impl Wav {
    pub(super) fn new(rate: u32, sink: Box<dyn Sink>) -> Result<Self, Error> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let writer = WavWriter::new(BufWriter::with_capacity(1 << 16, sink), spec);
        Ok(Self { writer: writer.map_err(translated)?, bytes: 0 })
    }
}

impl Encoder for Wav {
    fn write(&mut self, mono: &[f32]) -> Result<(), Error> {
        self.bytes += 2 * mono.len() as u64;
        if self.bytes > MOST_BYTES {
            let what = "WAV size in bytes";
            let exceeded = LimitExceeded { what, limit: MOST_BYTES, actual: self.bytes };
            return Err(exceeded.into());
        }
        for piece in mono.chunks(1 << 14) {
            let length = u32::try_from(piece.len()).unwrap_or(0);
            let mut samples = self.writer.get_i16_writer(length);
            piece.iter().for_each(|&sample| samples.write_sample(to_i16(sample)));
            samples.flush().map_err(translated)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        self.writer.finalize().map_err(translated)
    }
}

fn translated(error: hound::Error) -> Error {
    match error {
        hound::Error::IoError(error) => Error::Io(error),
        other => Error::Io(io::Error::other(other)),
    }
}
