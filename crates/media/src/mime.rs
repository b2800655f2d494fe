//! The formats that can be told apart by their bytes.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Modality;

macro_rules! mime_types {
    ($($(#[$doc:meta])* $name:ident, $mime:literal, $extension:literal, $modality:ident;)*) => {
        /// A media format, named by its content. What a service calls it is the rule book's
        /// business; [`MimeType::as_str`] is the usual name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum MimeType { $($(#[$doc])* $name),* }

        impl MimeType {
            /// Every known format.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The usual MIME type.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $mime),* }
            }

            /// The usual file extension, without a dot.
            pub const fn extension(self) -> &'static str {
                match self { $(Self::$name => $extension),* }
            }

            /// What kind of medium the format holds. A container that may hold sound alone counts
            /// as video until its tracks are known; see [`MimeType::audio_only`].
            pub const fn modality(self) -> Modality {
                match self { $(Self::$name => Modality::$modality),* }
            }
        }
    };
}

mime_types! {
    /// PNG and animated PNG.
    Png, "image/png", "png", Image;
    /// JPEG, any process.
    Jpeg, "image/jpeg", "jpg", Image;
    /// WebP, lossy, lossless or animated.
    Webp, "image/webp", "webp", Image;
    /// HEIF with HEVC pictures.
    Heic, "image/heic", "heic", Image;
    /// HEIF without a narrower brand.
    Heif, "image/heif", "heif", Image;
    /// HEIF with AV1 pictures.
    Avif, "image/avif", "avif", Image;
    /// GIF, still or animated.
    Gif, "image/gif", "gif", Image;
    /// Windows bitmap.
    Bmp, "image/bmp", "bmp", Image;
    /// TIFF, classic or big.
    Tiff, "image/tiff", "tiff", Image;
    /// JPEG XL, bare or boxed.
    Jxl, "image/jxl", "jxl", Image;
    /// Scalable vector graphics.
    Svg, "image/svg+xml", "svg", Image;
    /// MPEG-4 file format.
    Mp4, "video/mp4", "mp4", Video;
    /// QuickTime.
    QuickTime, "video/quicktime", "mov", Video;
    /// 3GPP file format.
    ThreeGpp, "video/3gpp", "3gp", Video;
    /// WebM.
    Webm, "video/webm", "webm", Video;
    /// Matroska.
    Matroska, "video/x-matroska", "mkv", Video;
    /// Audio Video Interleave.
    Avi, "video/x-msvideo", "avi", Video;
    /// Flash video.
    Flv, "video/x-flv", "flv", Video;
    /// MPEG program or elementary stream.
    Mpeg, "video/mpeg", "mpg", Video;
    /// MPEG transport stream.
    MpegTs, "video/mp2t", "ts", Video;
    /// Advanced Systems Format with video.
    Wmv, "video/x-ms-wmv", "wmv", Video;
    /// RIFF or RF64 wave.
    Wav, "audio/wav", "wav", Audio;
    /// MPEG audio, layers 1 to 3.
    Mp3, "audio/mpeg", "mp3", Audio;
    /// AAC in ADTS frames.
    Aac, "audio/aac", "aac", Audio;
    /// FLAC.
    Flac, "audio/flac", "flac", Audio;
    /// Vorbis, FLAC, Speex or an unknown codec in Ogg.
    Ogg, "audio/ogg", "ogg", Audio;
    /// Opus in Ogg.
    Opus, "audio/opus", "opus", Audio;
    /// AIFF and AIFF-C.
    Aiff, "audio/aiff", "aiff", Audio;
    /// MPEG-4 file format that holds sound alone.
    M4a, "audio/mp4", "m4a", Audio;
    /// WebM that holds sound alone.
    WebmAudio, "audio/webm", "webm", Audio;
    /// Matroska that holds sound alone.
    MatroskaAudio, "audio/x-matroska", "mka", Audio;
    /// 3GPP file format that holds sound alone.
    ThreeGppAudio, "audio/3gpp", "3gp", Audio;
    /// Advanced Systems Format that holds sound alone.
    Wma, "audio/x-ms-wma", "wma", Audio;
    /// Adaptive multi-rate speech.
    Amr, "audio/amr", "amr", Audio;
    /// Core Audio Format.
    Caf, "audio/x-caf", "caf", Audio;
    /// Portable Document Format.
    Pdf, "application/pdf", "pdf", Document;
}

impl MimeType {
    /// The name of the same container when it holds sound alone; `self` when it has none.
    #[must_use]
    pub const fn audio_only(self) -> Self {
        match self {
            Self::Mp4 | Self::QuickTime => Self::M4a,
            Self::ThreeGpp => Self::ThreeGppAudio,
            Self::Webm => Self::WebmAudio,
            Self::Matroska => Self::MatroskaAudio,
            Self::Wmv => Self::Wma,
            other => other,
        }
    }

    /// The format with the given usual MIME type.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mime| mime.as_str() == name)
    }
}

impl fmt::Display for MimeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for MimeType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
