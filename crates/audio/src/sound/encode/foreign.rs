//! The encoders of the system's FFmpeg.

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ffmpeg_next::codec::{self, Context, Parameters};
use ffmpeg_next::format::context::{Output, StreamIo};
use ffmpeg_next::format::output_to_stream;
use ffmpeg_next::format::sample::{Sample, Type};
use ffmpeg_next::util::error::EAGAIN;
use ffmpeg_next::{ChannelLayout, Dictionary, Packet, Rational, encoder, format, frame, log};
use mediaprep_media::Error;

use super::{Encoder, backend, to_i16};
use crate::{AudioFormat, Sink};

/// Samples of a frame where the encoder takes any number.
const ANY_FRAME: usize = 4096;

/// How FFmpeg writes a format.
pub(super) struct Recipe {
    encoder: &'static str,
    muxer: &'static str,
    sample: Sample,
    /// Bits per second; 0 where the codec has only one rate.
    bit_rate: usize,
    options: &'static [(&'static str, &'static str)],
}

/// `None` for formats that are written without FFmpeg.
pub(super) const fn recipe(format: AudioFormat) -> Option<Recipe> {
    let planar = Sample::F32(Type::Planar);
    Some(match format {
        AudioFormat::Opus => Recipe {
            encoder: "libopus",
            muxer: "ogg",
            sample: Sample::F32(Type::Packed),
            bit_rate: 16_000,
            options: &[("application", "voip")],
        },
        AudioFormat::Aac => {
            Recipe { encoder: "aac", muxer: "adts", sample: planar, bit_rate: 24_000, options: &[] }
        }
        AudioFormat::Mp3 => Recipe {
            encoder: "libmp3lame",
            muxer: "mp3",
            sample: planar,
            bit_rate: 24_000,
            options: &[],
        },
        AudioFormat::Codec2 => Recipe {
            encoder: "libcodec2",
            muxer: "codec2",
            sample: Sample::I16(Type::Packed),
            bit_rate: 0,
            options: &[("mode", "700C")],
        },
        AudioFormat::Flac | AudioFormat::Wav => return None,
    })
}

/// Whether the system's FFmpeg has the format's encoder, or none is needed.
pub(crate) fn is_available(format: AudioFormat) -> bool {
    recipe(format).is_none_or(|recipe| encoder::find_by_name(recipe.encoder).is_some())
}

/// An encoder that turns samples into packets.
pub(super) struct Packets {
    encoder: encoder::Audio,
    sample: Sample,
    rate: u32,
    /// Samples of a frame.
    size: usize,
    pending: Vec<f32>,
    at: i64,
}

impl Packets {
    pub(super) fn open(format: AudioFormat, rate: u32, global: bool) -> Result<Self, Error> {
        let missing = Error::Backend { backend: backend(format) };
        let Some(recipe) = recipe(format) else { return Err(missing) };
        let Some(codec) = encoder::find_by_name(recipe.encoder) else { return Err(missing) };
        log::set_level(log::Level::Quiet);
        let context = Context::new_with_codec(codec).encoder().audio();
        let mut context = context.map_err(|_| missing)?;
        let signed = i32::try_from(rate).map_err(|_| REFUSED)?;
        context.set_rate(signed);
        context.set_format(recipe.sample);
        context.set_channel_layout(ChannelLayout::MONO);
        context.set_time_base(Rational(1, signed));
        if recipe.bit_rate > 0 {
            context.set_bit_rate(recipe.bit_rate);
        }
        if global {
            context.set_flags(codec::Flags::GLOBAL_HEADER);
        }
        let mut options = Dictionary::new();
        recipe.options.iter().for_each(|(key, value)| options.set(key, value));
        let encoder = context.open_as_with(codec, options).map_err(|_| REFUSED)?;
        let size = match encoder.frame_size() as usize {
            0 => ANY_FRAME,
            size => size,
        };
        Ok(Self { encoder, sample: recipe.sample, rate, size, pending: Vec::new(), at: 0 })
    }

    /// What describes the packets to a decoder.
    pub(super) fn parameters(&self) -> Parameters {
        Parameters::from(&self.encoder)
    }

    /// Takes samples and gives the packets that are ready.
    pub(super) fn write(
        &mut self,
        mono: &[f32],
        each: &mut dyn FnMut(&mut Packet) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.pending.extend_from_slice(mono);
        let whole = self.pending.len() / self.size * self.size;
        let pending = std::mem::take(&mut self.pending);
        for samples in pending[..whole].chunks_exact(self.size) {
            self.send(samples)?;
            self.receive(each)?;
        }
        self.pending.extend_from_slice(&pending[whole..]);
        Ok(())
    }

    /// Gives the packets of everything that is left.
    pub(super) fn finish(
        &mut self,
        each: &mut dyn FnMut(&mut Packet) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.send(&pending)?;
        }
        self.encoder.send_eof().map_err(|_| failed())?;
        self.receive(each)
    }

    fn send(&mut self, samples: &[f32]) -> Result<(), Error> {
        let mut frame = frame::Audio::new(self.sample, samples.len(), ChannelLayout::MONO);
        frame.set_rate(self.rate);
        frame.set_pts(Some(self.at));
        self.at += i64::try_from(samples.len()).unwrap_or(0);
        match self.sample {
            Sample::I16(_) => fill(frame.plane_mut(0), samples, to_i16),
            _ => fill(frame.plane_mut(0), samples, |sample| sample.clamp(-1.0, 1.0)),
        }
        self.encoder.send_frame(&frame).map_err(|_| failed())
    }

    fn receive(
        &mut self,
        each: &mut dyn FnMut(&mut Packet) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => each(&mut packet)?,
                Err(ffmpeg_next::Error::Eof) => return Ok(()),
                Err(ffmpeg_next::Error::Other { errno: EAGAIN }) => return Ok(()),
                Err(_) => return Err(failed()),
            }
        }
    }
}

fn fill<T>(plane: &mut [T], samples: &[f32], convert: impl Fn(f32) -> T) {
    plane.iter_mut().zip(samples).for_each(|(out, &sample)| *out = convert(sample));
}

/// A file that FFmpeg writes.
pub(super) struct Foreign {
    packets: Packets,
    output: Output,
    /// Units of the packets' times, and those of the file's.
    bases: (Rational, Rational),
    fault: Fault,
}

/// The first error of the sink itself, since FFmpeg passes on only a number.
type Fault = Arc<Mutex<Option<io::Error>>>;

impl Foreign {
    pub(super) fn new(format: AudioFormat, rate: u32, sink: Box<dyn Sink>) -> Result<Self, Error> {
        let missing = || Error::Backend { backend: backend(format) };
        let muxer = recipe(format).ok_or_else(missing)?.muxer;
        let fault = Fault::default();
        let guarded = Guarded { sink, fault: Arc::clone(&fault) };
        let stream = StreamIo::from_write_seek(guarded).map_err(|_| failed())?;
        let mut output = output_to_stream(stream, None, Some(muxer)).map_err(|_| missing())?;
        let global = output.format().flags().contains(format::Flags::GLOBAL_HEADER);
        let packets = Packets::open(format, rate, global)?;
        let own = packets.encoder.time_base();
        let mut stream = output.add_stream_with(packets.encoder.as_ref()).map_err(|_| failed())?;
        stream.set_time_base(own);
        let mut options = Dictionary::new();
        // No date and no version in the file: the same sound gives the same bytes.
        options.set("fflags", "+bitexact");
        let written = output.write_header_with(options).map(drop);
        let theirs = output.stream(0).map_or(own, |stream| stream.time_base());
        let mut file = Self { packets, output, bases: (own, theirs), fault };
        file.checked(written.is_ok())?;
        Ok(file)
    }

    /// Whether a step succeeded, and what the sink says where it did not.
    fn checked(&mut self, success: bool) -> Result<(), Error> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        match fault {
            Some(error) => Err(Error::Io(error)),
            None if success => Ok(()),
            None => Err(failed()),
        }
    }
}

impl Encoder for Foreign {
    fn write(&mut self, mono: &[f32]) -> Result<(), Error> {
        let (output, bases) = (&mut self.output, self.bases);
        let written = self.packets.write(mono, &mut |packet| put(packet, output, bases));
        self.checked(written.is_ok())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        let (output, bases) = (&mut self.output, self.bases);
        let written = self.packets.finish(&mut |packet| put(packet, output, bases));
        self.checked(written.is_ok())?;
        let ended = self.output.write_trailer().is_ok();
        self.checked(ended)?;
        let Self { output, fault, .. } = *self;
        // Only this flushes the sink.
        drop(output);
        let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), |error| Err(Error::Io(error)))
    }
}

fn put(
    packet: &mut Packet,
    output: &mut Output,
    (own, theirs): (Rational, Rational),
) -> Result<(), Error> {
    packet.set_stream(0);
    packet.rescale_ts(own, theirs);
    packet.write(output).map(drop).map_err(|_| failed())
}

/// A sink whose first error is kept.
struct Guarded {
    sink: Box<dyn Sink>,
    fault: Fault,
}

impl Guarded {
    fn keep<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let copy = io::Error::from(error.kind());
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            copy
        })
    }
}

impl Write for Guarded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.sink.write(bytes);
        self.keep(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.sink.flush();
        self.keep(result)
    }
}

impl Seek for Guarded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let result = self.sink.seek(to);
        self.keep(result)
    }
}

const REFUSED: Error = Error::Unsupported("this sampling rate in the wanted format");

pub(super) fn failed() -> Error {
    Error::Io(io::Error::other("FFmpeg cannot encode the sound"))
}
