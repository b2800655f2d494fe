//! How media are brought into shape.

use std::borrow::Cow;
use std::time::Duration as WallTime;

use mediaprep_audio::AudioProfile;
use mediaprep_image::{Chroma, RenderOptions};
use mediaprep_media::Duration;
use serde::Serialize;

use super::pdf::{PdfForm, PdfOptions};
use crate::error::{Error, ErrorKind, Stage};
use crate::item_options::{ItemForm, ItemOptions};

/// How images travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageForm {
    /// Each as one image.
    #[default]
    Whole,
    /// Each as the tiles that the model's rule cuts it into, 768 × 768 pixels each, with the whole
    /// picture before them where the rule looks at it too.
    Tiles,
}

/// The format of images that are encoded again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageFormat {
    /// The source's own where the service takes it and it can be written; else PNG for pictures
    /// with transparency and JPEG for all others.
    #[default]
    Auto,
    /// JPEG, transparency composed on the background.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

/// How images are brought into shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageOptions {
    /// Whole or in tiles.
    pub form: ImageForm,
    /// The format of images that are encoded again. A format other than [`ImageFormat::Auto`]
    /// makes every image of another format be encoded again.
    pub format: ImageFormat,
    /// Quality of JPEG and WebP, 1 to 100.
    pub quality: u8,
    /// Colour samples of JPEG.
    pub chroma: Chroma,
    /// Whether PNG files are written as small as possible rather than fast.
    pub small_png: bool,
    /// The longest side in pixels, at least 1; longer pictures are scaled down to it. `None` is
    /// the longest side that the model's service keeps anyway, where one is published.
    pub max_side: Option<u32>,
    /// The resampling filter and the background.
    pub render: RenderOptions,
    /// Keep what can be shown of files that are cut short or damaged; they fail otherwise.
    pub allow_truncated: bool,
}

impl Default for ImageOptions {
    /// Whole images in their own format, quality 90.
    fn default() -> Self {
        Self {
            form: ImageForm::Whole,
            format: ImageFormat::Auto,
            quality: 90,
            chroma: Chroma::Auto,
            small_png: false,
            max_side: None,
            render: RenderOptions::default(),
            allow_truncated: false,
        }
    }
}

/// How videos travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VideoForm {
    /// As it is where the service takes the file and it is small enough to travel inside the
    /// request; else as a proxy. A build without the feature `ffmpeg` sends every video as it is.
    #[default]
    Auto,
    /// As it is.
    Original,
    /// As the frames that the model's rule samples, each an image with its time before it, and the
    /// sound behind them.
    Frames,
    /// As a small MP4 with the sampled frames and mono sound.
    Proxy,
    /// Its sound alone, without any picture.
    Sound,
}

/// How videos are brought into shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoOptions {
    /// As it is, in frames, or as a proxy.
    pub form: VideoForm,
    /// The longest side of frames and proxies in pixels, at least 1; nothing is enlarged. `None`
    /// is 768 for proxies; for frames the larger of 768 and 384 whose image costs no more than one
    /// frame of the video would, or else the one that costs less.
    pub max_side: Option<u32>,
    /// The longest piece of a proxy, above 0; `None` makes one proxy of each video.
    pub split: Option<Duration>,
    /// Whether frames that look like the last one that is kept are left out, by a perceptual hash.
    /// A warning says how many; the plan counts them all.
    pub dedupe: bool,
}

/// How sounds are brought into shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AudioOptions {
    /// What sounds are transcoded for. `None` passes on what the service takes as it is, and makes
    /// speech of everything else and of the sound of videos.
    pub profile: Option<AudioProfile>,
    /// The longest piece of a sound, above 0; `None` makes one part of each.
    pub segment: Option<Duration>,
}

/// How media are brought into shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrepareOptions {
    /// Still images. Frames of videos are encoded at their quality, and whether files that are cut
    /// short are allowed goes for every kind of medium.
    pub images: ImageOptions,
    /// Videos.
    pub video: VideoOptions,
    /// Sounds, and those of videos that are sent in frames.
    pub audio: AudioOptions,
    /// PDFs. Drawn pages are encoded as images are, JPEG by default.
    pub pdf: PdfOptions,
    /// The longest that one video, sound or PDF may be worked on, on the clock; `None` sets no limit.
    pub working_time: Option<WallTime>,
    /// Whether a text part `image 1`, `image 2` … goes before each image when there are several.
    pub labels: bool,
}

impl PrepareOptions {
    /// The options as they hold for an item with options of its own.
    pub(super) fn for_item(&self, own: &ItemOptions) -> Cow<'_, Self> {
        let Some(form) = own.form else { return Cow::Borrowed(self) };
        let mut options = self.clone();
        options.video.form = match form {
            ItemForm::Whole => VideoForm::Auto,
            ItemForm::Frames => VideoForm::Frames,
            ItemForm::Sound => VideoForm::Sound,
        };
        if form == ItemForm::Whole {
            options.images.form = ImageForm::Whole;
            options.pdf.form = PdfForm::Auto;
        }
        Cow::Owned(options)
    }

    /// Rejects settings out of range.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::InvalidOption`] that names the setting and its allowed range.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |message: String, hint: &'static str| {
            let error = Error::new("", Stage::Options, ErrorKind::InvalidOption, message);
            Err(error.with_hint(hint))
        };
        let ImageOptions { quality, max_side, .. } = self.images;
        if !(1..=100).contains(&quality) {
            return refuse(format!("a quality of {quality}; allowed: 1 to 100"), "90 is usual");
        }
        if max_side == Some(0) || self.video.max_side == Some(0) {
            return refuse(
                "a longest side of 0 pixels; allowed: at least 1".to_owned(),
                "leave the longest side out to follow the model's rule",
            );
        }
        if [self.video.split, self.audio.segment].into_iter().flatten().any(|p| p < SHORTEST_PIECE)
        {
            return refuse(
                "pieces of less than a second; allowed: at least 1 second".to_owned(),
                "leave the length of pieces out to make one of each file",
            );
        }
        self.pdf.validate()
    }
}

/// Shorter pieces are a typing error, and would make as many files as there are samples.
const SHORTEST_PIECE: Duration = Duration::from_seconds(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let with = |images| PrepareOptions { images, ..PrepareOptions::default() }.validate();
        assert!(with(ImageOptions::default()).is_ok());
        for quality in [0, 101] {
            let error = with(ImageOptions { quality, ..ImageOptions::default() }).unwrap_err();
            assert!(error.cause().contains("1 to 100"), "{quality}");
        }
        let error = with(ImageOptions { max_side: Some(0), ..ImageOptions::default() });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidOption);
        for split in [Duration::ZERO, Duration::from_micros(999_999)] {
            let video = VideoOptions { split: Some(split), ..VideoOptions::default() };
            let options = PrepareOptions { video, ..PrepareOptions::default() };
            assert!(options.validate().unwrap_err().cause().contains("at least 1 second"));
        }
    }
}
