//! The sound of Codec2 700C in another format.

use ffmpeg_next::codec::Context;
use ffmpeg_next::util::error::EAGAIN;
use ffmpeg_next::{Packet, decoder, frame};
use mediaprep_media::Error;

use super::foreign::{Packets, failed};
use super::{CODEC2_RATE, Encoder};
use crate::AudioFormat;
use crate::sound::resample::Resampler;

/// Passes sound through Codec2 before it is written.
///
/// The frames of Codec2 last 40 ms; the last one is filled with silence, and what comes out is cut to
/// the length that went in. The codec's own delay of some milliseconds is left in.
pub(super) struct Narrow {
    inner: Box<dyn Encoder>,
    down: Option<Resampler>,
    coder: Coder,
    up: Option<Resampler>,
    /// Samples that came in and have not yet come out.
    owed: u64,
}

impl Narrow {
    pub(super) fn new(inner: Box<dyn Encoder>, rate: u32) -> Result<Self, Error> {
        Ok(Self {
            inner,
            down: Some(Resampler::new(rate, CODEC2_RATE)?),
            coder: Coder::open()?,
            up: Some(Resampler::new(CODEC2_RATE, rate)?),
            owed: 0,
        })
    }
}

impl Encoder for Narrow {
    fn write(&mut self, mono: &[f32]) -> Result<(), Error> {
        self.owed += mono.len() as u64;
        let Self { inner, down, coder, up, owed } = self;
        let (Some(down), Some(up)) = (down, up) else { return Ok(()) };
        let mut out = |block: &[f32]| give(inner, owed, block);
        down.push(mono, &mut |narrow| coder.write(narrow, &mut |heard| up.push(heard, &mut out)))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        let Self { mut inner, down, mut coder, up, mut owed } = *self;
        let (Some(down), Some(mut up)) = (down, up) else { return Ok(()) };
        let mut out = |block: &[f32]| give(&mut inner, &mut owed, block);
        down.finish(&mut |narrow| coder.write(narrow, &mut |heard| up.push(heard, &mut out)))?;
        coder.finish(&mut |heard| up.push(heard, &mut out))?;
        up.finish(&mut out)?;
        let silence = [0.0; 1024];
        while owed > 0 {
            give(&mut inner, &mut owed, &silence)?;
        }
        inner.finish()
    }
}

/// Writes no more than is owed.
fn give(inner: &mut Box<dyn Encoder>, owed: &mut u64, block: &[f32]) -> Result<(), Error> {
    let wanted = usize::try_from(*owed).map_or(block.len(), |owed| owed.min(block.len()));
    *owed -= wanted as u64;
    inner.write(&block[..wanted])
}

/// Codec2 there and back.
struct Coder {
    packets: Packets,
    decoder: decoder::Audio,
}

type Heard<'a> = &'a mut dyn FnMut(&[f32]) -> Result<(), Error>;

impl Coder {
    fn open() -> Result<Self, Error> {
        let packets = Packets::open(AudioFormat::Codec2, CODEC2_RATE, false)?;
        let missing = || Error::Backend { backend: "FFmpeg's Codec2 decoder (libcodec2)" };
        let context = Context::from_parameters(packets.parameters());
        let decoder = context.map_err(|_| missing())?.decoder().audio().map_err(|_| missing())?;
        Ok(Self { packets, decoder })
    }

    fn write(&mut self, narrow: &[f32], heard: Heard<'_>) -> Result<(), Error> {
        let decoder = &mut self.decoder;
        self.packets.write(narrow, &mut |packet| decode(decoder, packet, heard))
    }

    fn finish(&mut self, heard: Heard<'_>) -> Result<(), Error> {
        let decoder = &mut self.decoder;
        self.packets.finish(&mut |packet| decode(decoder, packet, heard))?;
        self.decoder.send_eof().map_err(|_| failed())?;
        drain(&mut self.decoder, heard)
    }
}

fn decode(decoder: &mut decoder::Audio, packet: &Packet, heard: Heard<'_>) -> Result<(), Error> {
    decoder.send_packet(packet).map_err(|_| failed())?;
    drain(decoder, heard)
}

fn drain(decoder: &mut decoder::Audio, heard: Heard<'_>) -> Result<(), Error> {
    let mut frame = frame::Audio::empty();
    loop {
        match decoder.receive_frame(&mut frame) {
            Ok(()) if frame.samples() > 0 => {
                let samples: &[i16] = frame.plane(0);
                let levels: Vec<f32> = samples.iter().map(|&s| f32::from(s) / 32_768.0).collect();
                heard(&levels)?;
            }
            Ok(()) => {}
            Err(ffmpeg_next::Error::Eof) => return Ok(()),
            Err(ffmpeg_next::Error::Other { errno: EAGAIN }) => return Ok(()),
            Err(_) => return Err(failed()),
        }
    }
}
