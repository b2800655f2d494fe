//! What becomes of one video. Pure: header facts and the rule in, a plan out.

use mediaprep_audio::{AudioFormat, AudioProfile};
use mediaprep_media::{Dimensions, Duration, FrameRate, MimeType, WarningCode};
use mediaprep_tokens::{Clip, CountError, Coverage, ItemFacts, MediaFacts, RequestShape, Route};
use mediaprep_video::Instants;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::options::{PrepareOptions, VideoForm};
use super::role::{How, Reason};
use super::sound_plan::{SoundPlan, plan_sound, takes_none, unless_refused, unless_untaken};
use super::time;
use crate::error::{Error, ErrorKind, Stage};
use crate::info::VideoLengths;
use crate::options::{AudioTrackChoice, RouteChoice};
use crate::plan::{Charge, Planner, count_error};
use crate::probe::Probed;
use crate::rules::SentAs;
use crate::{MediaInfo, VideoInfo, route};

/// What becomes of one video.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VideoPlan {
    /// As it is, in frames, as a proxy, or its sound alone; never [`VideoForm::Auto`].
    pub form: VideoForm,
    /// Why; empty when nothing is done.
    pub why: Vec<Reason>,
    /// What is taken from it; `None` when its bytes are passed on.
    pub sampling: Option<Sampling>,
}

/// What is taken from a video.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sampling {
    /// When it is looked at.
    #[serde(serialize_with = "instants")]
    pub instants: Instants,
    /// Where the window ends that is looked at.
    #[serde(rename = "end_s", serialize_with = "time::seconds")]
    pub end: Duration,
    /// The size of frames and proxies: upright, square pixels.
    pub size: Dimensions,
    /// The sound; `None` without one. That of a proxy is cut at the edges of its pieces.
    pub sound: Option<SoundPlan>,
    /// Instants of each piece of a proxy; `None` for a single one.
    pub split: Option<u64>,
}

fn instants<S: Serializer>(instants: &Instants, serializer: S) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_struct("Instants", 3)?;
    fields.serialize_field("start_s", &instants.start().as_seconds_f64())?;
    fields.serialize_field("fps", &instants.rate().as_f64())?;
    fields.serialize_field("count", &instants.count())?;
    fields.end()
}

/// The longest side of a proxy.
const PROXY_SIDE: u32 = 768;
/// The longest sides of frames, larger first: one tile, and the largest picture that is never cut.
const FRAME_SIDES: [u32; 2] = [768, 384];

impl VideoPlan {
    /// What is done to the bytes.
    pub const fn how(&self) -> How {
        match self.form {
            VideoForm::Auto | VideoForm::Original => How::Passed,
            VideoForm::Frames => How::Sampled,
            VideoForm::Proxy | VideoForm::Sound => How::Transcoded,
        }
    }
}

impl Sampling {
    /// The instants of each proxy with the end of its window.
    pub(super) fn proxies(&self) -> Vec<(Instants, Duration)> {
        let all = self.instants;
        let each = self.split.unwrap_or(u64::MAX).min(all.count()).max(1);
        let piece = |number: u64| {
            let first = number * each;
            let count = each.min(all.count() - first);
            let is_last = first + count == all.count();
            let end = if is_last { self.end.max(all.at(first)) } else { all.at(first + count) };
            (Instants::new(all.at(first), all.rate(), count), end)
        };
        (0..all.count().div_ceil(each)).map(piece).collect()
    }
}

/// Plans one video.
pub(super) struct VideoPlanner<'a> {
    pub(super) probed: &'a Probed,
    pub(super) video: &'a VideoInfo,
    pub(super) planner: &'a Planner<'a>,
    pub(super) options: &'a PrepareOptions,
}

impl VideoPlanner<'_> {
    /// The plan, and what the video would cost as it is.
    ///
    /// # Errors
    ///
    /// What the count says, where that matters to the form; when the service does not take the form
    /// or this build does not make it.
    pub(super) fn plan(
        &self,
        charge: Result<Charge, Error>,
    ) -> Result<(VideoPlan, Option<Charge>), Error> {
        let asked = self.options.video.form;
        if let VideoForm::Frames | VideoForm::Sound = asked {
            let as_is = unless_untaken(charge)?;
            let sampling = match asked {
                VideoForm::Frames => self.frames(as_is.as_ref())?,
                _ => self.sound_alone()?,
            };
            return Ok((self.of(asked, vec![Reason::FormatAsked], Some(sampling)), as_is));
        }
        let (as_is, refused) = match asked {
            VideoForm::Original => (Some(charge?), false),
            _ => unless_refused(charge)?,
        };
        let why = self.reasons(as_is.as_ref(), refused);
        self.check_sound()?;
        if asked == VideoForm::Original || why.is_empty() {
            return match self.planner.rules().sent_as(self.probed)? {
                SentAs::AsIs(_) => Ok((self.of(VideoForm::Original, Vec::new(), None), as_is)),
                SentAs::Converted(to) => Err(super::planned::unconverted(self.probed, &to)),
            };
        }
        let sampling = self.proxy(as_is.as_ref())?;
        Ok((self.of(VideoForm::Proxy, why, Some(sampling)), as_is))
    }

    fn of(&self, form: VideoForm, why: Vec<Reason>, sampling: Option<Sampling>) -> VideoPlan {
        VideoPlan { form, why, sampling }
    }

    /// Why a proxy is made; empty when the file goes as it is.
    fn reasons(&self, as_is: Option<&Charge>, refused: bool) -> Vec<Reason> {
        let asked = self.options.video.form;
        let sent = self.planner.rules().sent_as(self.probed);
        let untaken = refused || !matches!(sent, Ok(SentAs::AsIs(_)));
        let can = cfg!(feature = "ffmpeg");
        let holds = [
            (Reason::TypeNotTaken, untaken && (can || asked == VideoForm::Proxy)),
            (Reason::TooLarge, can && as_is.is_some_and(|charge| !self.is_small(charge))),
            (Reason::FormatAsked, asked == VideoForm::Proxy),
            (Reason::Split, can && self.options.video.split.is_some_and(|piece| self.lasts(piece))),
            (Reason::SoundLeftOut, self.leaves_sound_out()),
        ];
        holds.into_iter().filter_map(|(reason, holds)| holds.then_some(reason)).collect()
    }

    /// Whether it has a sound that is not wanted.
    fn leaves_sound_out(&self) -> bool {
        self.video.audio.is_some() && self.planner.options().audio_track == AudioTrackChoice::None
    }

    /// A file as it is keeps its sound, so leaving that out takes another form.
    fn check_sound(&self) -> Result<(), Error> {
        if !self.leaves_sound_out() {
            return Ok(());
        }
        if self.options.video.form == VideoForm::Original {
            let message = "a video as it is keeps its sound, which is not wanted";
            let error = self.error(ErrorKind::InvalidOption, message);
            return Err(error.with_hint("send a proxy or frames, or send it with its sound"));
        }
        self.check_backend("videos without their sound")
    }

    /// Whether the video is longer than a piece may be.
    fn lasts(&self, piece: Duration) -> bool {
        let (start, end) = time::window(self.video, self.planner.options().clip);
        end.is_some_and(|end| end.saturating_sub(start) > piece)
    }

    /// Whether the file goes inside the request within the service's limits; where uploading is
    /// asked for, whether it could.
    fn is_small(&self, charge: &Charge) -> bool {
        let rules = self.planner.rules();
        let inline = match self.planner.options().route {
            RouteChoice::Auto => charge.route == Route::Inline,
            RouteChoice::Inline | RouteChoice::File => {
                let sent = rules.sent_as(self.probed);
                sent.is_ok_and(|sent| route::is_small(self.probed, &sent, rules))
            }
        };
        inline && charge.breaches.is_empty()
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(&self.probed.name, Stage::Plan, kind, message.into())
    }

    fn check_backend(&self, what: &str) -> Result<(), Error> {
        if cfg!(feature = "ffmpeg") {
            return Ok(());
        }
        let message = format!("{what} need FFmpeg, which this build has not");
        Err(self.error(ErrorKind::BackendUnavailable, message).with_hint(
            "build with the feature `ffmpeg`, which needs the libav development packages",
        ))
    }

    /// There is no frame in a window that begins where the video has ended.
    fn check_clip(&self) -> Result<(), Error> {
        let (start, end) = (self.planner.options().clip.start, self.video.length());
        let Some((start, end)) =
            start.zip(end).filter(|(start, end)| start >= end && !start.is_zero())
        else {
            return Ok(());
        };
        let message = format!("the clip begins at {start}, and the video ends at {end}");
        Err(self
            .error(ErrorKind::InvalidOption, message)
            .with_code(WarningCode::EmptyClip.as_str())
            .with_hint("begin the clip earlier, or leave the video out"))
    }

    fn frames(&self, as_is: Option<&Charge>) -> Result<Sampling, Error> {
        self.check_backend("frames of videos")?;
        self.check_clip()?;
        let (instants, end) = self.instants(as_is)?;
        let side = match self.options.video.max_side {
            Some(side) => side,
            None => self.frame_side()?,
        };
        let sound = self.sound_from(instants.start())?;
        Ok(Sampling { instants, end, size: self.fitted(side), sound, split: None })
    }

    /// How the sound is written from a time on; `None` where none goes along.
    fn sound_from(&self, start: Duration) -> Result<Option<SoundPlan>, Error> {
        let Some(length) = self.sound_length() else { return Ok(None) };
        let clip = Clip { start: Some(start), end: self.planner.options().clip.end };
        plan_sound(self.probed, self.planner.rules(), &self.options.audio, (clip, length))
    }

    /// No frame at all, and the sound.
    fn sound_alone(&self) -> Result<Sampling, Error> {
        if self.sound_length().is_none() {
            let error = self.error(ErrorKind::InvalidOption, "there is no sound to send of it");
            return Err(error.with_hint("send the video, or leave the file out"));
        }
        let (start, end) = time::window(self.video, self.planner.options().clip);
        let sound =
            self.sound_from(start)?.ok_or_else(|| takes_none(self.probed, self.planner.rules()))?;
        let end = end.unwrap_or(start).max(start);
        let instants = Instants::new(start, FrameRate::ONE, 0);
        Ok(Sampling {
            instants,
            end,
            size: self.video.square_size(),
            sound: Some(sound),
            split: None,
        })
    }

    fn proxy(&self, as_is: Option<&Charge>) -> Result<Sampling, Error> {
        self.check_backend("proxies of videos")?;
        if !self.planner.rules().takes(MimeType::Mp4) {
            let message = format!("{} takes no MP4", self.planner.rules().key.model);
            return Err(self
                .error(ErrorKind::Unsupported, message)
                .with_hint("send frames, or choose a model that takes videos"));
        }
        self.check_clip()?;
        let (instants, end) = self.instants(as_is)?;
        let size = self.fitted(self.options.video.max_side.unwrap_or(PROXY_SIDE));
        let even = |side: u32| (side & !1).max(2);
        let size = Dimensions::new(even(size.width()), even(size.height())).unwrap_or(size);
        let options = self.planner.options();
        let sound = self.sound_length().map(|length| SoundPlan {
            profile: AudioProfile::Speech,
            format: AudioFormat::Aac,
            start: instants.start(),
            end: options.clip.end,
            segment: None,
            length: length.map(|length| {
                let end = options.clip.end.map_or(length, |end| end.min(length));
                end.saturating_sub(instants.start())
            }),
        });
        let split = self.options.video.split;
        let split = split.map(|piece| time::whole_steps(piece, instants.rate()).max(1));
        Ok(Sampling { instants, end, size, sound, split })
    }

    /// The length of the sound that goes along; `None` without any.
    fn sound_length(&self) -> Option<Option<Duration>> {
        let sound = self.video.audio.as_ref()?;
        let wanted = self.planner.options().audio_track == AudioTrackChoice::Auto;
        wanted.then(|| sound.duration.or(self.video.length()))
    }

    /// The size in square pixels within a square of the given side.
    fn fitted(&self, side: u32) -> Dimensions {
        let square = self.video.square_size();
        Dimensions::new(side, side).map_or(square, |frame| square.fit_within(frame))
    }

    /// As many instants as the rule has frames, at its rate; at least one, since a video of which
    /// nothing is sent is no input. The end is that of the window.
    pub(super) fn instants(&self, as_is: Option<&Charge>) -> Result<(Instants, Duration), Error> {
        let (rules, options) = (self.planner.rules(), self.planner.options());
        let rate = options.fps.filter(|_| !rules.row.ignores_fps).unwrap_or(FrameRate::ONE);
        let (start, end) = time::window(self.video, options.clip);
        let end = end.ok_or_else(|| self.no_length())?;
        let count = match as_is.and_then(|charge| charge.count.frames) {
            Some(frames) => Some(frames),
            None => self.count(self.facts())?,
        };
        let instants = match count {
            Some(frames) => Instants::new(start, rate, frames.max(1)),
            None => Instants::spanning(start, end, rate),
        };
        Ok((instants, end.max(start)))
    }

    fn no_length(&self) -> Error {
        self.error(ErrorKind::Malformed, "the length of the video is not known")
            .with_hint("the file does not say how long it lasts; remux it, or give an end")
    }

    fn facts(&self) -> ItemFacts {
        self.planner.facts(self.probed, Route::Inline)
    }

    /// The frames that the rule counts; `None` where it says nothing about videos.
    fn count(&self, facts: ItemFacts) -> Result<Option<u64>, Error> {
        let rules = self.planner.rules();
        match rules.row.count_item(&facts, RequestShape::EMPTY, &rules.key.model) {
            Ok(count) => Ok(count.frames),
            Err(CountError::NotCovered { .. } | CountError::NotAccepted { .. }) => Ok(None),
            Err(error) => Err(count_error(&self.probed.name, error)),
        }
    }

    /// The larger side whose image costs no more than a frame of the video, else the cheaper one.
    fn frame_side(&self) -> Result<u32, Error> {
        let [large, small] = FRAME_SIDES;
        let (costs, frame) =
            ([self.image_tokens(large)?, self.image_tokens(small)?], self.frame_tokens());
        let within = |tokens: u64| frame.is_some_and(|frame| tokens <= frame);
        Ok(match costs {
            [first, _] if within(first) => large,
            [_, second] if within(second) => small,
            [first, second] if first <= second => large,
            _ => small,
        })
    }

    /// What an image of the video's shape costs beside others.
    fn image_tokens(&self, side: u32) -> Result<u64, Error> {
        let rules = self.planner.rules();
        let image = MediaInfo::image(self.fitted(side));
        let facts = self.planner.facts_of(&image, Route::Inline);
        let several = RequestShape::of(&[facts.clone(), facts.clone()]);
        let count = rules.row.count_item(&facts, several, &rules.key.model);
        count.map(|count| count.tokens()).map_err(|error| count_error(&self.probed.name, error))
    }

    /// What one frame of the video costs without its timestamp; `None` where no rule says.
    fn frame_tokens(&self) -> Option<u64> {
        let rules = self.planner.rules();
        let Coverage::Charged(videos) = &rules.row.video else { return None };
        let stamp = u64::from(videos.by(Route::Inline).timestamp.first_hour);
        let second = Some(Duration::from_seconds(1));
        let lengths = VideoLengths {
            container: second,
            track: second,
            frame_span: second,
            ..VideoLengths::default()
        };
        let mut facts =
            self.planner.facts_of(&MediaInfo::video(self.video.size, lengths), Route::Inline);
        if let MediaFacts::Video(video) = &mut facts.media {
            (video.fps, video.clip) = (None, Clip::default());
        }
        let count = rules.row.count_item(&facts, RequestShape::EMPTY, &rules.key.model).ok()?;
        let frames = count.frames.filter(|&frames| frames > 0)?;
        Some((count.media.tokens / frames).saturating_sub(stamp))
    }
}
