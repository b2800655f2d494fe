//! Writes any sound as mono at 16 kHz: `transcode INPUT OUTPUT [SECONDS PER SEGMENT]`. The output's
//! extension names the format; `1kbps.opus` and the like pass the sound through Codec2 first.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program says what it did")]

use std::error::Error;
use std::fs::File;
use std::io::Read;

use mediaprep_audio::{AudioFormat, AudioProfile, Segment, TranscodeOptions, transcode};
use mediaprep_media::{Duration, SNIFF_LENGTH, Watch, sniff, sniff_by_name};

fn extension_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, rest @ ..] = arguments.as_slice() else {
        return Err("usage: transcode INPUT OUTPUT [SECONDS PER SEGMENT]".into());
    };
    let mut head = Vec::new();
    File::open(input)?.take(SNIFF_LENGTH as u64).read_to_end(&mut head)?;
    let mime = sniff(&head)
        .or_else(|| sniff_by_name(&head, extension_of(input)))
        .ok_or("no known format")?;
    let (stem, extension) = output.rsplit_once('.').ok_or("the output needs an extension")?;
    let format = AudioFormat::ALL.iter().find(|format| format.extension() == extension);
    let format = *format.ok_or("no known output format")?;
    let profile = match (stem.ends_with("1kbps"), format.is_lossless()) {
        (true, _) => AudioProfile::OneKbps,
        (false, true) => AudioProfile::Lossless,
        (false, false) => AudioProfile::Speech,
    };
    let segment = rest.first().map(|text| Duration::from_decimal(text).ok_or("no number"));
    let segment = segment.transpose()?;
    let options = TranscodeOptions { format, profile, segment, ..TranscodeOptions::default() };
    let found = transcode(
        Box::new(File::open(input)?),
        mime,
        None,
        &options,
        &Watch::new(),
        &mut |number| {
            let name = if segment.is_some() {
                format!("{stem}-{number}.{extension}")
            } else {
                output.clone()
            };
            Ok(Box::new(File::create(name)?))
        },
    )?;
    for warning in found.warnings {
        eprintln!("{}", warning.message);
    }
    for Segment { start, duration, samples } in found.value {
        println!("{start} {duration} {samples} samples");
    }
    Ok(())
}
