//! The options of images, videos and sounds.

use clap::{Args, ValueEnum};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImagesArg {
    Whole,
    Tiles,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImageFormatArg {
    Auto,
    Jpeg,
    Png,
    Webp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChromaArg {
    Auto,
    #[value(name = "420")]
    Subsampled,
    #[value(name = "444")]
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilterArg {
    Lanczos3,
    CatmullRom,
    Bilinear,
}

/// How images are brought into shape. What needs nothing is passed on byte for byte, metadata
/// included; what is encoded again loses its Exif and GPS data.
#[derive(Debug, Args)]
#[command(next_help_heading = "Images")]
pub(crate) struct ImageArgs {
    /// Each image whole, or as the 768 × 768 tiles that the model's rule cuts it into.
    #[arg(long, value_enum, default_value_t = ImagesArg::Whole)]
    pub(crate) images: ImagesArg,
    /// Format of images that are encoded again; auto keeps the source's where the service takes it.
    #[arg(long, value_enum, default_value_t = ImageFormatArg::Auto)]
    pub(crate) image_format: ImageFormatArg,
    /// Quality of JPEG and WebP, frames of videos included.
    #[arg(long, value_name = "1..100", default_value_t = 90, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quality: u8,
    /// Colour samples of JPEG; auto keeps those of the source.
    #[arg(long, value_enum, default_value_t = ChromaArg::Auto)]
    pub(crate) chroma: ChromaArg,
    /// Longest side in pixels, of frames and proxies too [default: the longest that the model's
    /// service keeps; of proxies 768; of frames 768 or 384, by what an image costs].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_side: Option<u32>,
    /// Resampling filter.
    #[arg(long, value_enum, default_value_t = FilterArg::Lanczos3)]
    pub(crate) filter: FilterArg,
    /// Colour behind transparency in JPEG and around letterboxed tiles.
    #[arg(long, value_name = "RRGGBB", default_value = "ffffff", value_parser = parse_color)]
    pub(crate) background: [u8; 3],
    /// Spend much more time on a somewhat smaller PNG.
    #[arg(long)]
    pub(crate) small_png: bool,
    /// Keep what can be shown of files that are cut short or damaged.
    #[arg(long)]
    pub(crate) allow_truncated: bool,
    /// Largest picture that is decoded, in pixels [default: 178956970].
    #[arg(long, value_name = "N")]
    pub(crate) max_pixels: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VideoArg {
    Original,
    Frames,
    Proxy,
    Sound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileArg {
    Speech,
    Lossless,
    #[value(name = "1kbps")]
    OneKbps,
}

/// How videos and sounds are brought into shape.
#[derive(Debug, Args)]
#[command(next_help_heading = "Videos and sounds")]
pub(crate) struct TimeArgs {
    /// Each video as it is, as its sampled frames with their times and the sound, as a small MP4 of
    /// these, or its sound alone [default: as it is where it is small and within the limits, else a
    /// small MP4].
    #[arg(long, value_enum)]
    pub(crate) video: Option<VideoArg>,
    /// What sounds are written for: small, every sample, or the sound of Codec2 at 700 bit/s, whose
    /// stream is kept as .c2 [default: sounds as they are where the service takes them, else
    /// speech].
    #[arg(long, value_enum)]
    pub(crate) audio_profile: Option<ProfileArg>,
    /// Cut sounds into pieces of this length: seconds, MM:SS or H:MM:SS.
    #[arg(long, value_name = "S")]
    pub(crate) segment: Option<String>,
    /// Cut small MP4s into pieces of this length: seconds, MM:SS or H:MM:SS.
    #[arg(long, value_name = "S")]
    pub(crate) split: Option<String>,
    /// Leave out frames that look like the one before them.
    #[arg(long)]
    pub(crate) dedupe: bool,
    /// Give up a video or sound after so many seconds.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) time_limit: Option<u64>,
}

/// Three bytes from six hexadecimal digits, with or without `#`.
fn parse_color(text: &str) -> Result<[u8; 3], String> {
    let digits = text.trim_start_matches('#');
    let is_hex = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let value = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex);
    let [_, red, green, blue] =
        value.ok_or("a colour is six hexadecimal digits, such as ffffff")?.to_be_bytes();
    Ok([red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_six_digits() {
        assert_eq!(parse_color("#ff8000"), Ok([255, 128, 0]));
        for bad in ["", "fff", "12345g", "+12345", "1234567"] {
            assert!(parse_color(bad).is_err(), "{bad}");
        }
    }
}
