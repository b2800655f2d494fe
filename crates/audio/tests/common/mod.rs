//! What the tests of decoding and transcoding share.

#![expect(dead_code, reason = "no test file uses all of it")]

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use mediaprep_audio::{Error, PcmOptions, Segment, Sink, TranscodeOptions, decode_mono, transcode};
use mediaprep_media::{Duration, MimeType, SNIFF_LENGTH, Warned, Watch, sniff};

pub(crate) fn fixtures(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(kind)
}

pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    path.exists().then_some(path)
}

/// The fixtures of a kind that are sound and can be read.
pub(crate) fn good(kind: &str) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(fixtures(kind).join("MANIFEST.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let files = table["file"].as_array().unwrap().iter();
    let good = files.filter(|file| file["expect"].as_str() == Some("ok"));
    good.map(|file| fixtures(kind).join(file["path"].as_str().unwrap())).collect()
}

pub(crate) fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

pub(crate) fn by_name(name: &str) -> MimeType {
    let extension = name.rsplit('.').next().unwrap();
    match extension {
        "mp2" => MimeType::Mp3,
        "oga" | "spx" => MimeType::Ogg,
        "aifc" => MimeType::Aiff,
        _ => *MimeType::ALL.iter().find(|mime| mime.extension() == extension).unwrap(),
    }
}

pub(crate) fn kind_of(path: &Path, bytes: &[u8]) -> MimeType {
    sniff(&bytes[..bytes.len().min(SNIFF_LENGTH)]).unwrap_or_else(|| by_name(name(path)))
}

/// Mono samples of a file in memory.
pub(crate) fn decode(
    bytes: &[u8],
    mime: MimeType,
    options: &PcmOptions,
) -> Result<Warned<Vec<f32>>, Error> {
    let mut samples = Vec::new();
    let source = Box::new(Cursor::new(bytes.to_vec()));
    let found = decode_mono(source, mime, None, options, &Watch::new(), &mut |block| {
        samples.extend_from_slice(block);
        Ok(())
    })?;
    assert_eq!(found.value, samples.len() as u64);
    Ok(found.map(|_| samples))
}

/// An output in memory that outlives its writer.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Memory {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().get_ref().clone()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.lock().unwrap().seek(to)
    }
}

/// A segment and its bytes.
pub(crate) type Output = (Segment, Vec<u8>);

/// Every output of a transcoding.
pub(crate) fn written(
    bytes: &[u8],
    mime: MimeType,
    options: &TranscodeOptions,
) -> Result<Warned<Vec<Output>>, Error> {
    let mut outputs: Vec<Memory> = Vec::new();
    let source = Box::new(Cursor::new(bytes.to_vec()));
    let found = transcode(source, mime, None, options, &Watch::new(), &mut |number| {
        assert_eq!(number, outputs.len());
        outputs.push(Memory::default());
        Ok(Box::new(outputs[number].clone()) as Box<dyn Sink>)
    })?;
    assert_eq!(found.value.len(), outputs.len());
    Ok(found.map(|segments| segments.into_iter().zip(outputs.iter().map(Memory::bytes)).collect()))
}

/// What the `ffmpeg` program decodes to 16 bits; `None` where there is no such program.
pub(crate) fn program(path: &Path, rate: Option<u32>) -> Option<Vec<f32>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "quiet", "-i"]).arg(path).args(["-map", "0:a:0", "-ac", "1"]);
    if let Some(rate) = rate {
        command.args(["-ar", &rate.to_string()]);
    }
    let output = command.args(["-f", "s16le", "-"]).output().ok()?;
    let (samples, _) = output.stdout.as_chunks::<2>();
    Some(samples.iter().map(|&s| f32::from(i16::from_le_bytes(s)) / 32_768.0).collect())
}

/// The samples of a WAV file of 16 bits.
pub(crate) fn wav(bytes: &[u8]) -> Vec<i16> {
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).unwrap();
    assert_eq!((reader.spec().channels, reader.spec().bits_per_sample), (1, 16));
    reader.samples::<i16>().map(Result::unwrap).collect()
}

/// A WAV file of 16 bits with the given frames.
pub(crate) fn make_wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    samples.iter().for_each(|&sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
    file.into_inner()
}

/// A tone of half of full scale.
#[expect(clippy::cast_possible_truncation, reason = "half of full scale fits")]
pub(crate) fn tone(rate: u32, hertz: f64, samples: usize) -> Vec<i16> {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    (0..samples).map(|n| ((n as f64 * step).sin() * 16_000.0) as i16).collect()
}

/// Root mean square.
pub(crate) fn level(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// The root mean square that a frequency alone has.
pub(crate) fn level_at(samples: &[f32], hertz: f64, rate: u32) -> f64 {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        let (sin, cos) = (n as f64 * step).sin_cos();
        re += f64::from(sample) * cos;
        im += f64::from(sample) * sin;
    }
    let scale = std::f64::consts::SQRT_2 / samples.len().max(1) as f64;
    re.hypot(im) * scale
}

/// The worst difference of two waves over their common length.
pub(crate) fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// `⌈length·rate⌉`.
pub(crate) fn samples(length: Duration, rate: u32) -> u64 {
    let scaled = u128::from(length.ticks()) * u128::from(rate);
    u64::try_from(scaled.div_ceil(u128::from(length.timescale()))).unwrap()
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}
