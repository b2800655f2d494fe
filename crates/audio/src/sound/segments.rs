//! One sound into one output or several.

use std::io;

use mediaprep_media::{Duration, Error, MimeType, Source, Warned, Warning, WarningCode, Watch};

use super::encode::{self, Encoder};
use super::{AudioFormat, AudioProfile, Segment, Sink, TranscodeOptions, stream};

/// What gives the outputs.
type Sinks<'a> = &'a mut dyn FnMut(usize) -> io::Result<Box<dyn Sink>>;

/// See [`transcode`](crate::transcode).
pub(crate) fn transcode(
    source: Box<dyn Source>,
    which: (MimeType, Option<u64>),
    options: &TranscodeOptions,
    watch: &Watch,
    sinks: Sinks<'_>,
) -> Result<Warned<Vec<Segment>>, Error> {
    if options.segment.is_some_and(Duration::is_zero) {
        return Err(Error::Unsupported("a segment of no length"));
    }
    encode::check(options.format, options.profile)?;
    let mut pcm = options.pcm();
    if options.format == AudioFormat::Codec2 {
        pcm.sample_rate = encode::CODEC2_RATE;
    }
    let mut writer = Writer::new(options, pcm.sample_rate, sinks);
    let found = stream::decode(source, which, &pcm, watch, &mut |block| writer.write(block))?;
    let mut warnings = found.warnings;
    if options.profile == AudioProfile::Speech && options.format.is_lossless() {
        let message = "the sound is lossless, since no speech format was taken";
        warnings.push(Warning::new(WarningCode::Converted, message));
    }
    Ok(Warned { value: writer.finish()?, warnings })
}

/// Writes samples to the output that they belong to.
struct Writer<'a> {
    options: &'a TranscodeOptions,
    rate: u32,
    sinks: Sinks<'a>,
    encoder: Option<Box<dyn Encoder>>,
    done: Vec<Segment>,
    /// The number of the first sample in the source's time.
    origin: u64,
    /// Samples so far.
    at: u64,
    /// The sample that the present output begins with, and the one that the next begins with.
    bounds: (u64, u64),
}

impl<'a> Writer<'a> {
    fn new(options: &'a TranscodeOptions, rate: u32, sinks: Sinks<'a>) -> Self {
        let origin = stream::samples_before(options.start, rate);
        let (encoder, done) = (None, Vec::new());
        Self { options, rate, sinks, encoder, done, origin, at: 0, bounds: (0, 0) }
    }

    fn write(&mut self, mut block: &[f32]) -> Result<(), Error> {
        while !block.is_empty() {
            if self.at >= self.bounds.1 {
                self.turn()?;
            }
            let room = usize::try_from(self.bounds.1 - self.at).unwrap_or(usize::MAX);
            let (here, rest) = block.split_at(room.min(block.len()));
            if let Some(encoder) = &mut self.encoder {
                encoder.write(here)?;
            }
            self.at += here.len() as u64;
            block = rest;
        }
        Ok(())
    }

    /// Ends the present output and begins the next.
    fn turn(&mut self) -> Result<(), Error> {
        self.close()?;
        let number = self.done.len();
        let next = match self.options.segment {
            Some(length) => nth(length, number as u64 + 1, self.rate).max(self.at + 1),
            None => u64::MAX,
        };
        self.bounds = (self.at, next);
        let sink = (self.sinks)(number)?;
        self.encoder = Some(encode::open(self.options, self.rate, sink)?);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(encoder) = self.encoder.take() else { return Ok(()) };
        encoder.finish()?;
        let samples = self.at - self.bounds.0;
        let time = |samples| Duration::new(samples, self.rate).unwrap_or(Duration::ZERO);
        let start = time(self.origin.saturating_add(self.bounds.0));
        self.done.push(Segment { start, duration: time(samples), samples });
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Segment>, Error> {
        self.close()?;
        Ok(self.done)
    }
}

/// The first sample of output `number`, counted from the first of all.
fn nth(length: Duration, number: u64, rate: u32) -> u64 {
    let ticks = u128::from(length.ticks()) * u128::from(number);
    let scale = u128::from(length.timescale());
    // Ticks times a number of outputs need not fit with the rate on top.
    let (whole, rest) = (ticks / scale, ticks % scale);
    let samples = whole.saturating_mul(u128::from(rate));
    let samples = samples.saturating_add((rest * u128::from(rate)).div_ceil(scale));
    u64::try_from(samples).unwrap_or(u64::MAX)
}
