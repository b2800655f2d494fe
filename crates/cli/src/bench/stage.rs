//! The stages, by name.

use clap::ValueEnum;
use mediaprep::media::Modality;
use mediaprep::{
    AudioFormat, AudioOptions, AudioProfile, ImageForm, ImageOptions, PdfForm, PdfOptions, Planned,
    PrepareOptions, Prepared, Role, VideoForm, VideoOptions,
};
use serde::{Deserialize, Serialize};

/// The longest side that whole images are scaled down to, in pixels: what most of them are larger
/// than, so that they are decoded.
const LONGEST_SIDE: u32 = 768;

/// A stage of the work, from folder to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum StageName {
    /// Walk the folders and read every header.
    Walk,
    /// Count and price everything by the rule book, from facts alone.
    Plan,
    /// Fit everything into half of its tokens, from facts alone.
    Fit,
    /// Bring each image to a longest side of 768 pixels: decode, turn, resize, encode.
    Images,
    /// Cut each image into tiles of 768 × 768: decode, turn, resize, cut, encode.
    Tiles,
    /// Take a frame a second of each video as JPEG, and its sound.
    Frames,
    /// Bring each sound to mono for speech.
    Speech,
    /// Bring each sound to Codec2 at 700 bit/s, and back to mono.
    #[value(name = "1kbps")]
    OneKbps,
    /// Draw each page of each PDF as JPEG.
    Pages,
    /// Write each file as the body of a request, in base64.
    Body,
}

/// What a stage's work is counted in, beside files and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Files, again.
    Files,
    /// Pixels of the images as they are shown.
    Pixels,
    /// Tiles that were made.
    Tiles,
    /// Frames that were made.
    Frames,
    /// Seconds of sound.
    Seconds,
    /// Pages that were drawn.
    Pages,
    /// Bytes of the bodies.
    BodyBytes,
}

impl StageName {
    /// All of them, in the order of the work.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// As it is typed and printed.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Plan => "plan",
            Self::Fit => "fit",
            Self::Images => "images",
            Self::Tiles => "tiles",
            Self::Frames => "frames",
            Self::Speech => "speech",
            Self::OneKbps => "1kbps",
            Self::Pages => "pages",
            Self::Body => "body",
        }
    }

    /// What is done in it. Runs are only compared where they say the same.
    pub(crate) const fn does(self) -> &'static str {
        match self {
            Self::Walk => "walk the folders and read every header",
            Self::Plan => "count and price everything by the rule book",
            Self::Fit => "fit everything into half of its tokens",
            Self::Images => "each image with a longest side of 768 pixels",
            Self::Tiles => "each image in tiles of 768 × 768",
            Self::Frames => "a frame a second of each video as JPEG, and its sound",
            Self::Speech => "each sound as mono for speech",
            Self::OneKbps => "each sound as Codec2 at 700 bit/s, and back",
            Self::Pages => "each page of each PDF as JPEG",
            Self::Body => "each file as the body of a request, in base64",
        }
    }

    /// What its work is counted in.
    pub(crate) const fn unit(self) -> Unit {
        match self {
            Self::Walk | Self::Plan | Self::Fit => Unit::Files,
            Self::Images => Unit::Pixels,
            Self::Tiles => Unit::Tiles,
            Self::Frames => Unit::Frames,
            Self::Speech | Self::OneKbps => Unit::Seconds,
            Self::Pages => Unit::Pages,
            Self::Body => Unit::BodyBytes,
        }
    }

    /// The kind of medium that it works on; `None` for all of them.
    pub(crate) const fn kind(self) -> Option<Modality> {
        match self {
            Self::Images | Self::Tiles => Some(Modality::Image),
            Self::Frames => Some(Modality::Video),
            Self::Speech | Self::OneKbps => Some(Modality::Audio),
            Self::Pages => Some(Modality::Document),
            Self::Walk | Self::Plan | Self::Fit | Self::Body => None,
        }
    }

    /// Whether this build can do it on this machine.
    pub(crate) fn is_available(self) -> bool {
        match self {
            Self::Frames => cfg!(feature = "ffmpeg"),
            Self::OneKbps => AudioFormat::Codec2.is_available(),
            _ => true,
        }
    }

    /// How media are prepared in it.
    pub(crate) fn options(self) -> PrepareOptions {
        let mut options = PrepareOptions::default();
        match self {
            Self::Images => {
                options.images =
                    ImageOptions { max_side: Some(LONGEST_SIDE), ..ImageOptions::default() };
            }
            Self::Tiles => {
                options.images = ImageOptions { form: ImageForm::Tiles, ..ImageOptions::default() };
            }
            Self::Frames => {
                options.video = VideoOptions { form: VideoForm::Frames, ..VideoOptions::default() };
            }
            Self::Speech | Self::OneKbps => {
                let speech = self == Self::Speech;
                let profile = if speech { AudioProfile::Speech } else { AudioProfile::OneKbps };
                options.audio = AudioOptions { profile: Some(profile), ..AudioOptions::default() };
            }
            Self::Pages => {
                options.pdf = PdfOptions { form: PdfForm::Pages, ..PdfOptions::default() };
            }
            Self::Walk | Self::Plan | Self::Fit | Self::Body => {}
        }
        options
    }

    /// How much of its unit one prepared item was.
    pub(crate) fn units(self, planned: &Planned, prepared: &Prepared) -> f64 {
        let parts = |wanted: fn(Role) -> bool| {
            prepared.parts.iter().filter(|part| wanted(part.role)).count() as f64
        };
        let info = &planned.probed.info;
        match self.unit() {
            Unit::Pixels => info.dimensions().map_or(0, |size| size.pixels()) as f64,
            Unit::Tiles => parts(|role| matches!(role, Role::Tile { .. })),
            Unit::Frames => parts(|role| matches!(role, Role::Frame { .. })),
            Unit::Seconds => info.duration().map_or(0.0, |length| length.as_seconds_f64()),
            Unit::Pages => parts(|role| matches!(role, Role::Page { .. })),
            Unit::Files | Unit::BodyBytes => 1.0,
        }
    }
}

impl Unit {
    /// So many of it in a second, as people read it.
    pub(crate) fn rate(self, per_second: f64) -> String {
        let (value, name) = match self {
            Self::Files => (per_second, "files"),
            Self::Pixels => (per_second / 1e6, "MP"),
            Self::Tiles => (per_second, "tiles"),
            Self::Frames => (per_second, "frames"),
            Self::Seconds => (per_second, "s"),
            Self::Pages => (per_second, "pages"),
            Self::BodyBytes => (per_second / 1e6, "MB"),
        };
        format!("{} {name}", super::table::short(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_typed_as_it_is_printed() {
        for stage in StageName::all() {
            let typed = stage.to_possible_value().unwrap();
            assert_eq!(typed.get_name(), stage.as_str());
            assert!(stage.options().validate().is_ok());
        }
        assert!(StageName::all().len() > 8);
    }
}
