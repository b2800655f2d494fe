//! What a fit may do, and what matters.

use std::fmt;
use std::sync::Arc;

use mediaprep_media::Modality;
use mediaprep_tokens::Cost;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Stage};

/// One way of making an item cheaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lever {
    /// A coarser `media_resolution`, at the part or for the whole request.
    MediaResolution,
    /// A smaller picture, where the rule charges by size.
    ImageSize,
    /// Fewer frames a second.
    Fps,
    /// A video without its sound.
    AudioTrack,
    /// Only the beginning of a video or sound.
    Clip,
    /// Only the first pages of a PDF.
    Pages,
    /// A picture in one piece in place of its tiles, a PDF in place of its pages, a video in place of
    /// its frames, or in frames where that is cheaper.
    Form,
    /// The sound of a video without its pictures.
    SoundOnly,
}

impl Lever {
    /// All levers.
    pub const ALL: [Self; 8] = [
        Self::MediaResolution,
        Self::ImageSize,
        Self::Fps,
        Self::AudioTrack,
        Self::Clip,
        Self::Pages,
        Self::Form,
        Self::SoundOnly,
    ];

    /// The name as JSON prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MediaResolution => "media-resolution",
            Self::ImageSize => "image-size",
            Self::Fps => "fps",
            Self::AudioTrack => "audio-track",
            Self::Clip => "clip",
            Self::Pages => "pages",
            Self::Form => "form",
            Self::SoundOnly => "sound-only",
        }
    }
}

/// Which levers may be pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levers {
    allowed: [bool; Lever::ALL.len()],
}

impl Default for Levers {
    /// Those that keep the whole length of everything, and its pictures: not [`Lever::Clip`],
    /// [`Lever::Pages`] and [`Lever::SoundOnly`].
    fn default() -> Self {
        let kept = [Lever::Clip, Lever::Pages, Lever::SoundOnly];
        kept.into_iter().fold(Self::only(&Lever::ALL), |levers, lever| levers.with(lever, false))
    }
}

impl Levers {
    /// These and no others.
    pub fn only(levers: &[Lever]) -> Self {
        let mut allowed = [false; Lever::ALL.len()];
        levers.iter().for_each(|&lever| allowed[lever as usize] = true);
        Self { allowed }
    }

    /// The same with a lever allowed or not.
    #[must_use]
    pub const fn with(mut self, lever: Lever, allowed: bool) -> Self {
        self.allowed[lever as usize] = allowed;
        self
    }

    /// Whether a lever may be pulled.
    pub const fn allows(&self, lever: Lever) -> bool {
        self.allowed[lever as usize]
    }
}

/// How much the losses of each kind of medium matter, in percent, 0 to [`Weights::MOST`]. What is lost
/// of an item that matters twice as much counts twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Still images.
    pub image: u32,
    /// Videos.
    pub video: u32,
    /// Sounds.
    pub audio: u32,
    /// PDFs.
    pub document: u32,
}

impl Default for Weights {
    /// 100 percent for everything: a file is a file.
    fn default() -> Self {
        Self { image: 100, video: 100, audio: 100, document: 100 }
    }
}

impl Weights {
    /// The largest weight, in percent.
    pub const MOST: u32 = 10_000;

    /// The weight of a kind of medium.
    pub const fn of(&self, modality: Modality) -> u32 {
        match modality {
            Modality::Image => self.image,
            Modality::Video => self.video,
            Modality::Audio => self.audio,
            Modality::Document | Modality::Text => self.document,
        }
    }
}

/// Tells the names of some inputs from all others.
#[derive(Clone)]
pub struct PathPattern(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl PathPattern {
    /// A pattern by a function of an input's name, as it was given. The same name must always get the
    /// same answer.
    pub fn new(matches: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(matches))
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        (self.0)(name)
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PathPattern")
    }
}

/// The budget of a fit, what may be done to keep it, and what matters. At least one of the budgets
/// must be given.
#[derive(Clone, Debug, Default)]
pub struct FitOptions {
    /// Most tokens in all, text and the request itself included.
    pub max_tokens: Option<u64>,
    /// Most money in all.
    pub max_cost: Option<Cost>,
    /// How much each kind of medium matters.
    pub weights: Weights,
    /// How much inputs with certain names matter, in percent of their kind's weight, 0 to
    /// [`Weights::MOST`]; the first pattern that matches holds.
    pub path_weights: Vec<(PathPattern, u32)>,
    /// Inputs that nothing is done to.
    pub keep: Vec<PathPattern>,
    /// What may be done to the others.
    pub levers: Levers,
}

impl From<u64> for FitOptions {
    /// A budget of tokens alone.
    fn from(max_tokens: u64) -> Self {
        Self { max_tokens: Some(max_tokens), ..Self::default() }
    }
}

impl FitOptions {
    /// Rejects options that mean nothing.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::InvalidOption`] that names the option and its allowed range.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |message: String, hint: &'static str| {
            let error = Error::new("", Stage::Options, ErrorKind::InvalidOption, message);
            Err(error.with_hint(hint))
        };
        if self.max_tokens.is_none() && self.max_cost.is_none() {
            let message = "neither a budget of tokens nor one of money".to_owned();
            return refuse(message, "give at least one");
        }
        let Weights { image, video, audio, document } = self.weights;
        let kinds = [image, video, audio, document];
        let paths = self.path_weights.iter().map(|(_, weight)| *weight);
        match kinds.into_iter().chain(paths).find(|&weight| weight > Weights::MOST) {
            Some(weight) => refuse(
                format!("a weight of {weight} percent; allowed: 0 to {}", Weights::MOST),
                "100 percent is usual",
            ),
            None => Ok(()),
        }
    }

    pub(super) fn keeps(&self, name: &str) -> bool {
        self.keep.iter().any(|pattern| pattern.matches(name))
    }

    /// How much an item's loss counts.
    pub(super) fn weighted(&self, loss: u64, name: &str, modality: Modality) -> u64 {
        let path = self.path_weights.iter().find(|(pattern, _)| pattern.matches(name));
        let path = path.map_or(100, |(_, weight)| *weight);
        // At most 10⁶ × 10⁴ × 10⁴, and validated.
        loss * u64::from(self.weights.of(modality)) * u64::from(path) / 10_000
    }
}
