//! Output that also has something to say, and where a fact came from.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// A value and what should be known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warned<T> {
    /// The value.
    pub value: T,
    /// What was noticed on the way, in the order it was noticed.
    pub warnings: Vec<Warning>,
}

impl<T> Warned<T> {
    /// A value without warnings.
    pub const fn plain(value: T) -> Self {
        Self { value, warnings: Vec::new() }
    }

    /// Another value with the same warnings.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Warned<U> {
        Warned { value: change(self.value), warnings: self.warnings }
    }
}

/// Where a fact was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// A field of the header states it.
    Header,
    /// It was worked out from the packets or frames themselves.
    Scan,
}

/// A fact together with where it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The fact.
    pub value: T,
    /// Where it was read.
    pub from: Provenance,
}

impl<T> Sourced<T> {
    /// A fact that a header field states.
    pub const fn header(value: T) -> Self {
        Self { value, from: Provenance::Header }
    }

    /// A fact that was worked out from packets or frames.
    pub const fn scan(value: T) -> Self {
        Self { value, from: Provenance::Scan }
    }
}

/// Something worth knowing that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The stable code that scripts match on.
    pub code: WarningCode,
    /// One clause: what was found and what was expected.
    pub message: Cow<'static, str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Cow<'static, str>>,
}

impl Warning {
    /// A warning without a hint.
    pub fn new(code: WarningCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

macro_rules! warning_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal),* $(,)?) => {
        /// The stable names of everything that is warned about or refused by a service limit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum WarningCode { $($(#[$doc])* $name),* }

        impl WarningCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code in snake case, as JSON prints it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

warning_codes! {
    /// More images than the model takes in one request.
    TooManyImages = "too_many_images",
    /// More pages in all than the model takes in one request.
    TooManyPages = "too_many_pages",
    /// One PDF has more pages than the model takes.
    PdfTooManyPages = "pdf_too_many_pages",
    /// One file is larger than its way in allows.
    FileTooLarge = "file_too_large",
    /// The encoded request is larger than its way in allows.
    RequestTooLarge = "request_too_large",
    /// More videos than the model takes in one request.
    TooManyVideos = "too_many_videos",
    /// A video is longer than the model takes.
    VideoTooLong = "video_too_long",
    /// The model looks at the beginning of the video only.
    VideoCut = "video_cut",
    /// More than one video in a request.
    SeveralVideos = "several_videos",
    /// The sound is longer than the model takes.
    AudioTooLong = "audio_too_long",
    /// More than one sound file where the model takes one.
    SeveralAudioFiles = "several_audio_files",
    /// The request does not fit the context window.
    WindowExceeded = "window_exceeded",
    /// Text stands before the medium where the vendor advises the reverse.
    TextBeforeMedia = "text_before_media",
    /// The picture is blurry.
    Blurry = "blurry",
    /// The file is a copy of another one, byte for byte, and is counted and sent once.
    Duplicate = "duplicate",
    /// The picture looks like another one; both are sent.
    NearDuplicate = "near_duplicate",
    /// Frames that look like the one before them are left out.
    FramesDropped = "frames_dropped",
    /// A page could not be drawn and is left out.
    PageLost = "page_lost",
    /// The pages of a PDF cost more as images.
    DearerAsImages = "dearer_as_images",
    /// A page has no text layer.
    ScannedPage = "scanned_page",
    /// The picture is turned upright on the way.
    Rotated = "rotated",
    /// Fast action is lost between the sampled frames.
    FastMotion = "fast_motion",
    /// The picture is enlarged.
    Enlarged = "enlarged",
    /// The file is converted, since the service does not take its type.
    Converted = "converted",
    /// Tiles were asked for, but the model's rule cuts none.
    NoTileRule = "no_tile_rule",
    /// Of several frames or pages only the first is sent.
    FirstFrameOnly = "first_frame_only",
    /// The part must be uploaded first: the request names the file in place of its address.
    NeedsUpload = "needs_upload",
    /// The MIME type is sent under another name than usual.
    MimeRenamed = "mime_renamed",
    /// The service does not take the file's type and nothing here converts it.
    TypeRefused = "type_refused",
    /// The picture's shape is beyond the tested range of the rule.
    ExtremeAspectRatio = "extreme_aspect_ratio",
    /// The count rests on inference.
    EvidenceInferred = "evidence_inferred",
    /// The count comes from another meter than the one asked for.
    MeterFallback = "meter_fallback",
    /// The model is retired.
    ModelRetired = "model_retired",
    /// No price is known.
    PriceUnknown = "price_unknown",
    /// Sound is charged although there is no soundtrack.
    SilentAudioCharged = "silent_audio_charged",
    /// The sound has no length.
    EmptyAudio = "empty_audio",
    /// The clip window begins where the medium has ended.
    EmptyClip = "empty_clip",
    /// The file is damaged or cut short, and its facts are what could be read.
    Damaged = "damaged",
    /// A length was estimated, since neither header nor index states it.
    DurationEstimated = "duration_estimated",
    /// The content can be read only with a key.
    Protected = "protected",
}

impl Serialize for WarningCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_in_snake_case() {
        let seen: HashSet<&str> = WarningCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(seen.len(), WarningCode::ALL.len());
        assert!(seen.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }
}
