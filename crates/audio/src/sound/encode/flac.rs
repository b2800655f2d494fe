//! FLAC of 16 bits, frame by frame, so that memory does not grow with the sound.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, StreamInfo};
use flacenc::config;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};
use mediaprep_media::Error;

use super::{Encoder, to_i16};
use crate::Sink;

/// Samples of a frame: what the reference encoder takes at its usual levels.
const FRAME: usize = 4096;
const BITS: usize = 16;

pub(super) struct Flac {
    sink: BufWriter<Box<dyn Sink>>,
    config: Verified<config::Encoder>,
    info: StreamInfo,
    frame: FrameBuf,
    /// Counts samples and frames, and their checksum.
    context: Context,
    pending: Vec<i32>,
}

impl Flac {
    pub(super) fn new(rate: u32, sink: Box<dyn Sink>) -> Result<Self, Error> {
        let refused = |_| Error::Unsupported("FLAC at this rate");
        let mut info = StreamInfo::new(rate as usize, 1, BITS).map_err(refused)?;
        info.set_block_sizes(FRAME, FRAME).map_err(refused)?;
        let config = config::Encoder::default().into_verified();
        let config = config.map_err(|_| Error::Unsupported("FLAC by default settings"))?;
        let mut flac = Self {
            sink: BufWriter::with_capacity(1 << 16, sink),
            config,
            info,
            frame: FrameBuf::with_size(1, FRAME).map_err(refused)?,
            context: Context::new(BITS, 1),
            pending: Vec::with_capacity(FRAME),
        };
        flac.header()?;
        Ok(flac)
    }

    /// The mark and STREAMINFO, which is the last and only block before the frames.
    fn header(&mut self) -> Result<(), Error> {
        let mut bytes = ByteSink::new();
        self.info.write(&mut bytes).map_err(failed)?;
        self.sink.write_all(b"fLaC\x80\0\0\x22")?;
        Ok(self.sink.write_all(bytes.as_slice())?)
    }

    /// Writes the pending samples as one frame.
    fn flush(&mut self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut both = (&mut self.frame, &mut self.context);
        both.fill_interleaved(&self.pending).map_err(failed)?;
        self.pending.clear();
        let number = self.context.current_frame_number().unwrap_or(0);
        let frame = flacenc::encode_fixed_size_frame(&self.config, &self.frame, number, &self.info);
        let frame = frame.map_err(failed)?;
        self.info.update_frame_info(&frame);
        let mut bytes = ByteSink::new();
        frame.write(&mut bytes).map_err(failed)?;
        Ok(self.sink.write_all(bytes.as_slice())?)
    }
}

impl Encoder for Flac {
    fn write(&mut self, mut mono: &[f32]) -> Result<(), Error> {
        while !mono.is_empty() {
            let (here, rest) = mono.split_at(mono.len().min(FRAME - self.pending.len()));
            self.pending.extend(here.iter().map(|&sample| i32::from(to_i16(sample))));
            mono = rest;
            if self.pending.len() == FRAME {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.flush()?;
        // The last frame is shorter, which does not count for the stated size.
        self.info.set_block_sizes(FRAME, FRAME).map_err(failed)?;
        self.info.set_total_samples(self.context.total_samples());
        self.info.set_md5_digest(&self.context.md5_digest());
        self.sink.seek(SeekFrom::Start(0))?;
        self.header()?;
        self.sink.seek(SeekFrom::End(0))?;
        Ok(self.sink.flush()?)
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Io(io::Error::other(error.to_string()))
}
