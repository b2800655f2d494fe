//! What the tests share: where things lie, the manifests, and running the command line.

pub mod fuzz;
pub mod markdown;
pub mod shell;

use std::path::{Path, PathBuf};

use mediaprep::{Engine, Input, MediaInfo, Outcome, Probed};
use mediaprep_cli::{Output, Status};
use serde::Deserialize;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// The project's own fixtures.
pub fn fixtures() -> PathBuf {
    root().join("fixtures")
}

/// Test data beside the repository, where there is some.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = root().parent()?.join("shared").join(path);
    found.exists().then_some(found)
}

/// One fixture as its manifest describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// Relative to the manifest.
    pub path: String,
    /// Of the file's bytes, in hex.
    pub sha256: String,
    /// The command or function that made it.
    pub made_by: String,
    /// SPDX.
    pub licence: String,
    /// What it is there for.
    pub shows: String,
    /// `ok` or `error`.
    pub expect: Option<String>,
    /// Pixels as displayed, or points.
    pub width: Option<toml::Value>,
    /// Pixels as displayed, or points.
    pub height: Option<toml::Value>,
    /// Exif value, or clockwise degrees of a video.
    pub orientation: Option<u16>,
    /// Seconds.
    pub duration_s: Option<String>,
    /// Average frames a second.
    pub fps: Option<toml::Value>,
    /// Whether there is sound.
    pub has_audio: Option<bool>,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u16>,
    /// Pages.
    pub pages: Option<u64>,
}

#[derive(Deserialize)]
struct Manifest {
    file: Vec<Fixture>,
}

/// Every fixture of every manifest, with its path.
///
/// # Panics
///
/// When a manifest cannot be read or there are too few of them.
pub fn all_fixtures() -> Vec<(PathBuf, Fixture)> {
    let mut all = Vec::new();
    for folder in ["images", "audio", "video", "pdf"] {
        let manifest = fixtures().join(folder).join("MANIFEST.toml");
        let text = std::fs::read_to_string(&manifest).expect("every folder has a manifest");
        let manifest: Manifest = toml::from_str(&text).unwrap();
        let folder = fixtures().join(folder);
        all.extend(manifest.file.into_iter().map(|entry| (folder.join(&entry.path), entry)));
    }
    assert!(all.len() > 100, "only {} fixtures were found", all.len());
    all
}

/// Facts to compare with a reference: what a table of truth may state.
#[derive(Debug, Default, PartialEq)]
pub struct Facts {
    /// Pixels as displayed, or points.
    pub width: Option<f64>,
    /// Pixels as displayed, or points.
    pub height: Option<f64>,
    /// Exif value, or clockwise degrees of a video.
    pub orientation: Option<u16>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Average frames a second.
    pub fps: Option<f64>,
    /// Whether there is sound.
    pub has_audio: Option<bool>,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u16>,
    /// Pages.
    pub pages: Option<u64>,
}

impl Facts {
    /// The same facts of a probed file.
    pub fn of(probed: &Probed) -> Self {
        let info = &probed.info;
        let size = info.dimensions();
        let mut facts = Self {
            width: size.map(|size| size.width().into()),
            height: size.map(|size| size.height().into()),
            duration: info.duration().map(mediaprep::media::Duration::as_seconds_f64),
            ..Self::default()
        };
        match info {
            MediaInfo::Image(image) => facts.orientation = Some(image.orientation.exif().into()),
            MediaInfo::Video(video) => {
                facts.orientation = Some(video.rotation);
                facts.fps = video.frame_rate.map(mediaprep::media::FrameRate::as_f64);
                facts.has_audio = Some(video.audio.is_some());
                let sound = video.audio.as_ref();
                facts.sample_rate = sound.map(|sound| sound.sample_rate);
                facts.channels = sound.map(|sound| sound.channels);
            }
            MediaInfo::Audio(audio) => {
                facts.has_audio = Some(true);
                (facts.sample_rate, facts.channels) = (audio.sample_rate, audio.channels);
            }
            MediaInfo::Document(document) => {
                let page = document.first_page().map(mediaprep::PageSize::displayed);
                facts.width = page.map(|(width, _)| f64::from(width) / 1e3);
                facts.height = page.map(|(_, height)| f64::from(height) / 1e3);
                facts.pages = Some(document.pages());
            }
        }
        facts
    }

    /// Where a stated fact is not met; unstated ones do not count. Durations may differ by 0.1 s
    /// or 2 %, rates by 0.5 %, page sizes by half a point.
    pub fn differences(&self, stated: &Self) -> Vec<String> {
        let is_page = stated.pages.is_some();
        let length = if is_page { 0.5 } else { 0.0 };
        let mut wrong = Vec::new();
        let mut near = |name: &str, found: Option<f64>, stated: Option<f64>, tolerance: f64| {
            let Some(stated) = stated else { return };
            if found.is_none_or(|found| (found - stated).abs() > tolerance) {
                wrong.push(format!("{name} {found:?}, stated {stated}"));
            }
        };
        near("width", self.width, stated.width, length);
        near("height", self.height, stated.height, length);
        let slack = stated.duration.map_or(0.0, |seconds| (seconds * 0.02).max(0.1));
        near("duration", self.duration, stated.duration, slack);
        near("fps", self.fps, stated.fps, stated.fps.unwrap_or(0.0) * 0.005);
        let mut same = |name: &str, found: String, stated: Option<String>| {
            if stated.as_ref().is_some_and(|stated| *stated != found) {
                wrong.push(format!("{name} {found}, stated {}", stated.unwrap_or_default()));
            }
        };
        let text = |value: Option<u64>| value.map(|value| value.to_string());
        let found = |value: Option<u64>| text(value).unwrap_or_else(|| "unknown".to_owned());
        let wide = |value: Option<u16>| value.map(u64::from);
        same("orientation", found(wide(self.orientation)), text(wide(stated.orientation)));
        same("channels", found(wide(self.channels)), text(wide(stated.channels)));
        same("pages", found(self.pages), text(stated.pages));
        let rate = |value: Option<u32>| value.map(u64::from);
        same("sample rate", found(rate(self.sample_rate)), text(rate(stated.sample_rate)));
        let flag = |value: Option<bool>| value.map(|value| value.to_string());
        same("sound", flag(self.has_audio).unwrap_or_default(), flag(stated.has_audio));
        wrong
    }
}

/// Probes one file with default limits.
///
/// # Panics
///
/// When no engine can be built.
pub fn probe(path: &Path) -> Outcome {
    Engine::builder().threads(1).build().unwrap().probe(&Input::path(path))
}

/// What a command printed and how it ended.
pub struct Ran {
    /// The exit status.
    pub status: Status,
    /// Standard output.
    pub data: String,
    /// Standard error.
    pub notes: String,
}

/// Runs the command line in this process.
pub fn mediaprep<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Ran {
    let (mut data, mut notes) = (Vec::new(), Vec::new());
    let name = std::iter::once(std::ffi::OsString::from("mediaprep"));
    let args = name.chain(args.iter().map(|arg| arg.as_ref().to_owned()));
    let status = mediaprep_cli::run(args, &mut Output::plain(&mut data, &mut notes));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { status, data: text(data), notes: text(notes) }
}
