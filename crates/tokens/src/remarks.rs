//! What should be known about an item beside its count: the warnings of the rules.

use mediaprep_media::{Duration, Warning, WarningCode};

use crate::facts::{ItemFacts, MediaFacts, VideoFacts};
use crate::formula::Shape;
use crate::row::{Coverage, Row, VideoRule};

impl Row {
    /// Warnings about one item under this row; none for a medium that the row does not charge.
    pub fn remarks(&self, item: &ItemFacts) -> Vec<Warning> {
        let mut remarks = Vec::new();
        match &item.media {
            MediaFacts::Image(image) => {
                let shape = Shape::new(image.size.width(), image.size.height());
                remarks.extend(extreme_shape(shape));
            }
            MediaFacts::Document(document) => {
                let shapes = document.runs.iter();
                let mut shapes = shapes.map(|run| Shape::new(run.size.width, run.size.height));
                remarks.extend(shapes.find_map(extreme_shape));
            }
            MediaFacts::Audio(audio) => {
                let length = audio.decoded.or(audio.container);
                remarks.extend(length.filter(|length| length.is_zero()).map(empty_sound));
            }
            MediaFacts::Video(video) => {
                let shape = Shape::new(video.size.width(), video.size.height());
                remarks.extend(extreme_shape(shape));
                remarks.extend(video.audio.filter(|length| length.is_zero()).map(empty_sound));
                remarks.extend(empty_clip(video));
                if let Coverage::Charged(rules) = &self.video {
                    let rule = rules.by(item.route);
                    remarks.extend(cut(rule, video));
                    remarks.extend(charged_silence(rule, video));
                }
            }
        }
        remarks
    }
}

fn extreme_shape(shape: Shape) -> Option<Warning> {
    let warning = || {
        Warning::new(
            WarningCode::ExtremeAspectRatio,
            format!(
                "the sides are as {} to {}, and nobody has measured beyond 8 to 1",
                shape.width, shape.height
            ),
        )
    };
    shape.is_extreme().then(warning)
}

fn empty_sound(_: Duration) -> Warning {
    Warning::new(WarningCode::EmptyAudio, "the sound has no length and is counted as 0 tokens")
}

fn empty_clip(video: &VideoFacts) -> Option<Warning> {
    let (start, end) = (video.clip.start?, video.track.or(video.container)?);
    (start >= end && !end.is_zero()).then(|| {
        Warning::new(
            WarningCode::EmptyClip,
            format!("the clip begins at {start}, and the video ends at {end}"),
        )
        .with_hint("begin the clip earlier, or leave the video out")
    })
}

fn cut(rule: &VideoRule, video: &VideoFacts) -> Option<Warning> {
    let limit = rule.frames.first_seconds?;
    let (length, _) = video.length(rule.frames.from).ok()?;
    (length > Duration::from_seconds(u64::from(limit))).then(|| {
        Warning::new(
            WarningCode::VideoCut,
            format!("the model looks at the first {limit} s of {length}"),
        )
        .with_hint(format!("send the rest as further videos, cut at {limit} s"))
    })
}

fn charged_silence(rule: &VideoRule, video: &VideoFacts) -> Option<Warning> {
    let soundtrack = rule.soundtrack.as_ref()?;
    let charged = soundtrack.silent.charged_by.is_some() && video.audio.is_none();
    charged.then(|| {
        Warning::new(
            WarningCode::SilentAudioCharged,
            "sound is charged although the video has no soundtrack",
        )
        .with_hint("a video uploaded with the File API is not charged for missing sound")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RuleBook, parse_request};

    fn codes(row: &str, request: &str) -> Vec<WarningCode> {
        let book = RuleBook::builtin();
        let items = parse_request(request).unwrap();
        let row = book.row(row).unwrap();
        items.iter().flat_map(|item| row.remarks(item)).map(|warning| warning.code).collect()
    }

    #[test]
    fn each_warning_has_its_case() {
        let silent = "video 640x360 container=4 track=4 frames=20/5 audio=none";
        let dev = "2.5/developer-api/billed";
        assert_eq!(codes(dev, silent), [WarningCode::SilentAudioCharged]);
        assert_eq!(codes(dev, &format!("{silent} route=file")), []);
        assert_eq!(codes("2.5/vertex/billed/2026-01", silent), []);
        let long = "video 640x360 container=121 track=121 audio=121";
        assert_eq!(codes("1.0-vision/any/documented", long), [WarningCode::VideoCut]);
        assert_eq!(codes(dev, "audio decoded=0"), [WarningCode::EmptyAudio]);
        let four = "video 640x360 container=4 track=4 audio=4";
        assert_eq!(codes(dev, &format!("{four} clip=3.9..9")), []);
        assert_eq!(codes(dev, &format!("{four} clip=4..9")), [WarningCode::EmptyClip]);
        assert_eq!(codes(dev, "image 801x100"), [WarningCode::ExtremeAspectRatio]);
        assert_eq!(codes(dev, "image 800x100 + image 100x800 + page 612x792"), []);
    }
}
