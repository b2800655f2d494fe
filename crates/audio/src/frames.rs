//! Walking over the frames of a bare stream (MPEG audio, ADTS, AMR) by their headers alone.

use mediaprep_media::{Error, Limits};

use crate::window::{Window, scan_budget};

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The whole frame in bytes, header included; at least 1.
    pub(crate) length: u32,
    /// Samples per channel that the frame decodes to.
    pub(crate) samples: u32,
    /// What never changes within one stream; frames with another value are not its frames.
    pub(crate) stream: u32,
    /// What never changes within a stream of constant bit rate.
    pub(crate) rate: u32,
}

/// Reads the frame header at the start of the bytes.
pub(crate) type Parse = fn(&[u8]) -> Option<Frame>;

/// A format made of frames.
pub(crate) struct Framing {
    pub(crate) parse: Parse,
    /// The longest frame in bytes.
    pub(crate) longest: usize,
}

/// The frames found between two places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    pub(crate) samples: u64,
    /// Bytes of those frames.
    pub(crate) bytes: u64,
    /// Whether all frames have the same bit rate.
    pub(crate) constant: bool,
    /// Whether bytes between or behind the frames belong to no frame.
    pub(crate) damaged: bool,
    /// Whether the numbers are worked out from a part of the frames.
    pub(crate) estimated: bool,
}

/// How far in the first frame is looked for, behind the tags.
const MOST_JUNK: u64 = 1 << 20;
/// Streams up to this many bytes are walked over whole; longer ones are looked at in places first.
const WALKED_WHOLE: u64 = 1 << 20;
/// Places in a long stream where its frames are looked at.
const PLACES: u64 = 16;
/// Bytes looked at in each place.
const PLACE_LENGTH: u64 = 16 << 10;
/// Bytes searched at a time.
const SEARCHED: usize = 32 << 10;

impl Framing {
    /// The first frame from `start` on. At `start` itself it is believed when a second one follows
    /// or the stream ends with it; further on, when two follow.
    pub(crate) fn first(
        &self,
        window: &mut Window<'_>,
        start: u64,
        end: u64,
    ) -> Result<Option<(u64, Frame)>, Error> {
        if let Some(frame) = (self.parse)(window.at(start, HEADER)?) {
            let next = start + u64::from(frame.length);
            let follows = (self.parse)(window.at(next, HEADER)?).map(|next| next.stream);
            if next == end || (next < end && follows == Some(frame.stream)) {
                return Ok(Some((start, frame)));
            }
        }
        let end = end.min(start.saturating_add(MOST_JUNK));
        self.search(window, start + 1, end, |_| true)
    }

    /// The next frame from `start` on that `fits` and is followed by two of its kind, or by the end.
    fn search(
        &self,
        window: &mut Window<'_>,
        start: u64,
        end: u64,
        fits: impl Fn(&Frame) -> bool,
    ) -> Result<Option<(u64, Frame)>, Error> {
        let lookahead = self.longest * 3;
        let mut offset = start;
        while offset < end {
            let left = end - offset;
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(SEARCHED + lookahead);
            let bytes = window.at(offset, wanted)?;
            let tried = bytes.len().min(SEARCHED);
            let found = (0..tried).find_map(|at| {
                let frame = self.confirmed(&bytes[at..], left - at as u64)?;
                fits(&frame).then_some((offset + at as u64, frame))
            });
            if found.is_some() || tried == 0 {
                return Ok(found);
            }
            offset += tried as u64;
        }
        Ok(None)
    }

    /// The frame at the start of `bytes` when two of its kind follow it within the `left` bytes of
    /// the stream, or when the stream ends exactly behind fewer.
    fn confirmed(&self, bytes: &[u8], left: u64) -> Option<Frame> {
        let first = (self.parse)(bytes)?;
        let mut at = first.length as usize;
        for _ in 0..2 {
            if at as u64 == left {
                return Some(first);
            }
            let next = (self.parse)(bytes.get(at..)?)?;
            if next.stream != first.stream {
                return None;
            }
            at += next.length as usize;
        }
        Some(first)
    }

    /// Counts the frames from `start`, where one begins, to `end`.
    ///
    /// A long stream of one bit rate is not walked over: its frames are looked at in places, and
    /// since they fill it without gaps their number follows. One of changing bit rate is walked over
    /// whole within the reading limit, and estimated from those places beyond it.
    pub(crate) fn tally(
        &self,
        window: &mut Window<'_>,
        (start, end): (u64, u64),
        limits: &Limits,
    ) -> Result<Tally, Error> {
        let Some(first) = (self.parse)(window.at(start, HEADER)?) else {
            return Ok(Tally::default());
        };
        let length = end.saturating_sub(start);
        let walkable = length <= scan_budget(limits);
        if walkable && length <= WALKED_WHOLE {
            return self.walk(window, first, (start, end));
        }
        let place = PLACE_LENGTH.min(limits.max_probe_bytes / (8 * PLACES)).max(64);
        match self.sample(window, first, (start, end), (place, walkable))? {
            Some(sampled) => Ok(sampled),
            None => self.walk(window, first, (start, end)),
        }
    }

    /// Steps from frame to frame, searching the next one where something else stands.
    fn walk(
        &self,
        window: &mut Window<'_>,
        first: Frame,
        (start, end): (u64, u64),
    ) -> Result<Tally, Error> {
        let fits = |frame: &Frame| frame.stream == first.stream;
        let mut tally = Tally { constant: true, ..Tally::default() };
        let mut offset = start;
        while offset < end {
            match (self.parse)(window.at(offset, HEADER)?).filter(fits) {
                Some(frame) if offset + u64::from(frame.length) <= end => {
                    tally.add(frame, first);
                    offset += u64::from(frame.length);
                }
                Some(_) => {
                    tally.damaged = true;
                    break;
                }
                None => {
                    tally.damaged = true;
                    let Some((found, _)) = self.search(window, offset + 1, end, fits)? else {
                        break;
                    };
                    offset = found;
                }
            }
        }
        Ok(tally)
    }

    /// Looks at frames in evenly spread places of `place` bytes and works out the rest. `None` for a
    /// stream that is `walkable` and does not have one bit rate.
    fn sample(
        &self,
        window: &mut Window<'_>,
        first: Frame,
        (start, end): (u64, u64),
        (place, walkable): (u64, bool),
    ) -> Result<Option<Tally>, Error> {
        let length = end - start;
        let mut seen = Tally { constant: true, ..Tally::default() };
        for index in 0..PLACES {
            let from = start + (length - place.min(length)) / (PLACES - 1) * index;
            let last = index + 1 == PLACES;
            let to = if last { end } else { end.min(from + place) };
            let reached = self.count_in_place(window, (from, to), first, &mut seen)?;
            // Behind a place's last frame lies less than one more; behind the stream's lies nothing.
            let rest = if last { 0 } else { self.longest as u64 };
            seen.damaged |= reached.is_none_or(|reached| to - reached > rest);
            if walkable && (seen.damaged || !seen.constant) {
                return Ok(None);
            }
        }
        Ok(Some(seen.extended_to(length)))
    }

    /// Adds the whole frames of one place; gives where they end, `None` without any.
    fn count_in_place(
        &self,
        window: &mut Window<'_>,
        (from, to): (u64, u64),
        first: Frame,
        seen: &mut Tally,
    ) -> Result<Option<u64>, Error> {
        let fits = |frame: &Frame| frame.stream == first.stream;
        let Some((mut offset, _)) = self.search(window, from, to, fits)? else { return Ok(None) };
        while let Some(frame) = (self.parse)(window.at(offset, HEADER)?).filter(fits) {
            if offset + u64::from(frame.length) > to {
                break;
            }
            seen.add(frame, first);
            offset += u64::from(frame.length);
        }
        Ok(Some(offset))
    }
}

/// The most bytes a frame header has.
const HEADER: usize = 16;

impl Tally {
    const fn add(&mut self, frame: Frame, first: Frame) {
        self.frames += 1;
        self.samples += frame.samples as u64;
        self.bytes += frame.length as u64;
        self.constant &= frame.rate == first.rate;
    }

    /// The same density of samples over `length` bytes, to whole frames.
    fn extended_to(self, length: u64) -> Self {
        let Some(per_frame) = self.samples.checked_div(self.frames).filter(|&count| count > 0)
        else {
            return Self { estimated: true, ..self };
        };
        let scaled = |part: u64| {
            let product = u128::from(part) * u128::from(length);
            let half = u128::from(self.bytes / 2);
            u64::try_from((product + half) / u128::from(self.bytes.max(1))).unwrap_or(u64::MAX)
        };
        let frames = scaled(self.frames);
        let samples = frames.saturating_mul(per_frame);
        Self { frames, samples, bytes: length, estimated: true, ..self }
    }
}
