//! Frames of a video, at some of the instants that it is sampled at.

use std::ops::ControlFlow;

use mediaprep_image::{Picture, RenderOptions, Scratch, View};
use mediaprep_media::FrameRate;
use mediaprep_video::Instants;
use mediaprep_video::frames::{DecodeOptions, Frame, Plan, PlanOptions, decode};

use super::{Maker, Thumbnail};
use crate::VideoInfo;
use crate::error::{Error, ErrorKind};
use crate::prepare::carry::open_input;
use crate::prepare::peak::piece_bytes;
use crate::prepare::role::Role;
use crate::prepare::time;
use crate::prepare::video_plan::Sampling;

impl Maker<'_> {
    pub(super) fn film(&self, video: &VideoInfo) -> Result<Vec<Thumbnail>, Error> {
        let (Some(instants), Some(mime)) = (self.sight.instants, self.sight.probed.mime_type)
        else {
            return Err(self.unknown());
        };
        let (every, some) = spread(instants, self.options.frames);
        let size = self.fitted(video.square_size());
        let end = some.at(some.count());
        let sampling = Sampling { instants: some, end, size, sound: None, split: None };
        let _reservation = self.reserve(piece_bytes(video, &sampling))?;
        let (input, name) = (&self.sight.input, &self.sight.probed.name);
        let (watch, limits) = (self.watch(), self.engine.limits().clone());
        self.workers.compute(|| {
            let options = PlanOptions { allow_truncated: true, limits: limits.clone() };
            let source = open_input(input, name)?;
            let plan = Plan::read(source, (mime, video), some, &options, &watch)
                .map_err(|error| self.failed(error))?
                .value;
            let stored = size.oriented(video.orientation.inverse());
            let options = DecodeOptions { size: Some(stored), limits };
            let (mut strip, mut trouble) = (Vec::new(), None);
            let decoded = decode(open_input(input, name)?, &plan, &options, &watch, &mut |frame| {
                match self.frames(frame, video, (&sampling, every)) {
                    Ok(frames) => strip.extend(frames),
                    Err(error) => trouble = Some(error),
                }
                if trouble.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            decoded.map_err(|error| self.failed(error))?;
            strip.sort_by_key(|(at, _): &(u64, Thumbnail)| *at);
            match (trouble, strip.is_empty()) {
                (Some(error), _) => Err(error),
                (None, true) => Err(self.error(ErrorKind::Malformed, "no frame was found")),
                (None, false) => Ok(strip.into_iter().map(|(_, frame)| frame).collect()),
            }
        })
    }

    /// One decoded frame for each instant that shows it.
    fn frames(
        &self,
        frame: Frame,
        video: &VideoInfo,
        (sampling, every): (&Sampling, u64),
    ) -> Result<Vec<(u64, Thumbnail)>, Error> {
        let Sampling { size, instants, .. } = *sampling;
        let picture = Picture::from_raster(frame.raster, video.orientation);
        let bytes = picture
            .into_rendered(
                &View::whole(size, size),
                &self.encoding(),
                &RenderOptions::default(),
                &mut Scratch::default(),
            )
            .map_err(|error| self.failed(error))?;
        let thumbnail = |at: u64| Thumbnail {
            role: Role::Frame { frame: at * every + 1 },
            time: Some(time::stamp(instants.at(at), self.rate())),
            size,
            bytes: bytes.clone(),
        };
        Ok(frame.instants.map(|at| (at, thumbnail(at))).collect())
    }

    /// That of all instants, which says how exactly times are written.
    fn rate(&self) -> FrameRate {
        self.sight.instants.map_or(FrameRate::ONE, |instants| instants.rate())
    }
}

/// Every so many instants, so that there are at most `most`; only the first where the steps between
/// them would be no rate.
fn spread(all: Instants, most: u64) -> (u64, Instants) {
    let every = all.count().div_ceil(most.max(1)).max(1);
    let rate = all.rate();
    let wide = u32::try_from(every).ok().and_then(|every| rate.denominator().checked_mul(every));
    match wide.and_then(|wide| FrameRate::new(rate.numerator(), wide)) {
        Some(rate) => (every, Instants::new(all.start(), rate, all.count().div_ceil(every).max(1))),
        None => (1, Instants::new(all.start(), rate, 1)),
    }
}

#[cfg(test)]
mod tests {
    use mediaprep_media::Duration;

    use super::*;

    #[test]
    fn some_instants_are_instants_of_all() {
        let rate = FrameRate::new(5, 2).unwrap();
        for count in [1, 2, 4, 5, 6, 7, 121, 10_000] {
            let all = Instants::new(Duration::from_seconds(7), rate, count);
            let (every, some) = spread(all, 5);
            assert!((1..=5).contains(&some.count()), "{count}: {some:?}");
            for at in 0..some.count() {
                assert!(at * every < count);
                assert_eq!(some.at(at).as_seconds_f64(), all.at(at * every).as_seconds_f64());
            }
        }
        let odd = FrameRate::new(1, u32::MAX).unwrap();
        let (every, some) = spread(Instants::new(Duration::ZERO, odd, 1000), 5);
        assert_eq!((every, some.count()), (1, 1));
    }
}
