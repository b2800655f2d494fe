//! Small MP4 files built box by box, for what encoders seldom write.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::io::Cursor;

use mediaprep_container::{ContainerInfo, Error, Track, TrackKind, probe};
use mediaprep_media::{
    Duration, Limits, MimeType, Orientation, Provenance, Warned, Warning, WarningCode,
};

/// A box around the given parts.
fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let size = u32::try_from(8 + body.len()).unwrap();
    [&size.to_be_bytes(), kind.as_slice(), &body].concat()
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// Movie header of the given length in milliseconds.
fn movie_header(duration: u32) -> Vec<u8> {
    boxed(b"mvhd", &[&words(&[0, 0, 0, 1000, duration]), &[0; 80]])
}

/// The numbers of a track that the tests change.
#[derive(Clone)]
struct Build {
    id: u32,
    handler: [u8; 4],
    entry: Vec<u8>,
    /// Milliseconds; ticks of the media; -1 shows nothing.
    edits: Vec<(u32, i32)>,
    /// Runs of samples and durations in ticks of 1/100 s.
    times: Vec<(u32, u32)>,
    /// a, b, c and d of the display matrix, in whole numbers.
    matrix: [i32; 4],
    references: Vec<u8>,
    media_duration: u32,
}

impl Build {
    fn video(times: &[(u32, u32)]) -> Self {
        Self {
            id: 1,
            handler: *b"vide",
            entry: visual(b"avc1", &[]),
            edits: Vec::new(),
            times: times.to_vec(),
            matrix: [1, 0, 0, 1],
            references: Vec::new(),
            media_duration: 0,
        }
    }

    fn sound(entry: Vec<u8>) -> Self {
        Self { id: 2, handler: *b"soun", entry, ..Self::video(&[(10, 10)]) }
    }

    fn bytes(&self) -> Vec<u8> {
        let [a, b, c, d] = self.matrix.map(|value| (value << 16).cast_unsigned());
        let matrix = words(&[a, b, 0, c, d, 0, 0, 0, 1 << 30]);
        let header = [words(&[1, 0, 0, self.id, 0, 0]), vec![0; 16], matrix, vec![0; 8]].concat();
        let samples = self.times.iter().fold(0u32, |sum, (count, _)| sum.saturating_add(*count));
        let run = |&(count, length): &(u32, u32)| words(&[count, length]);
        let times: Vec<u8> = self.times.iter().flat_map(run).collect();
        let edit = |&(length, start): &(u32, i32)| words(&[length, start.cast_unsigned(), 1 << 16]);
        let edits: Vec<u8> = self.edits.iter().flat_map(edit).collect();
        let count = |length: usize| words(&[0, u32::try_from(length).unwrap()]);
        let table = boxed(
            b"stbl",
            &[
                &boxed(b"stsd", &[&count(1), &self.entry]),
                &boxed(b"stts", &[&count(self.times.len()), &times]),
                &boxed(b"stsz", &[&words(&[0, 1, samples])]),
            ],
        );
        boxed(
            b"trak",
            &[
                &boxed(b"tkhd", &[&header]),
                &boxed(b"edts", &[&boxed(b"elst", &[&count(self.edits.len()), &edits])]),
                &boxed(b"tref", &[&self.references]),
                &boxed(
                    b"mdia",
                    &[
                        &boxed(b"mdhd", &[&words(&[0, 0, 0, 100, self.media_duration, 0])]),
                        &boxed(b"hdlr", &[&words(&[0, 0]), &self.handler, &[0; 13]]),
                        &boxed(b"minf", &[&table]),
                    ],
                ),
            ],
        )
    }
}

fn visual(kind: &[u8; 4], boxes: &[u8]) -> Vec<u8> {
    let mut fixed = [0; 78];
    fixed[25] = 64;
    fixed[27] = 48;
    boxed(kind, &[&fixed, boxes])
}

fn file(movie: &[&[u8]]) -> Vec<u8> {
    [boxed(b"moov", movie), boxed(b"mdat", &[])].concat()
}

fn read(bytes: Vec<u8>) -> Result<Warned<ContainerInfo>, Error> {
    probe(&mut Cursor::new(bytes), MimeType::Mp4, &Limits::default())
}

fn only_track(build: &Build) -> Track {
    read(file(&[&movie_header(1000), &build.bytes()])).unwrap().value.tracks.remove(0)
}

fn shown(track: &Track) -> Option<Duration> {
    track.presented.map(|presented| presented.value)
}

fn centiseconds(ticks: u64) -> Option<Duration> {
    Duration::new(ticks, 100)
}

fn codes(warnings: &[Warning]) -> Vec<WarningCode> {
    warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn several_edits_add_up_and_hide_what_they_leave_out() {
    let mut build = Build::video(&[(10, 10)]);
    build.edits = vec![(250, -1), (200, 10), (300, 60)];
    let track = only_track(&build);
    assert_eq!((Some(track.delay), shown(&track)), (centiseconds(25), centiseconds(50)));
    let TrackKind::Video(video) = &track.kind else { panic!("no video") };
    assert_eq!(video.frames, Some(5));
    assert_eq!(track.span, centiseconds(100));
}

#[test]
fn an_edit_lasts_no_longer_than_its_media() {
    let mut build = Build::video(&[(10, 10)]);
    build.edits = vec![(3_600_000, 0)];
    assert_eq!(shown(&only_track(&build)), centiseconds(100));
    build.edits = vec![(0, 30)];
    assert_eq!(shown(&only_track(&build)), centiseconds(70));
}

#[test]
fn a_movie_without_a_length_is_as_long_as_its_longest_track() {
    let track = Build::video(&[(10, 10)]).bytes();
    for stated in [0, u32::MAX] {
        let info = read(file(&[&movie_header(stated), &track])).unwrap().value;
        let duration = info.duration.unwrap();
        assert_eq!((Some(duration.value), duration.from), (centiseconds(100), Provenance::Scan));
    }
}

#[test]
fn a_length_far_beyond_the_tracks_is_warned_about() {
    let track = Build::video(&[(10, 10)]).bytes();
    let found = read(file(&[&movie_header(7_200_000), &track])).unwrap();
    assert_eq!(codes(&found.warnings), [WarningCode::Damaged]);
    let found = read(file(&[&movie_header(1000), &track])).unwrap();
    assert_eq!(found.warnings, []);
}

#[test]
fn samples_without_durations_take_the_media_header() {
    let mut build = Build::video(&[(10, 0)]);
    build.media_duration = 42;
    let track = only_track(&build);
    assert_eq!((track.span, shown(&track)), (centiseconds(42), centiseconds(42)));
}

#[test]
fn all_eight_orientations_are_told_apart() {
    let turned = |matrix| {
        let mut build = Build::video(&[(1, 1)]);
        build.matrix = matrix;
        let TrackKind::Video(video) = only_track(&build).kind else { panic!("no video") };
        (video.orientation, video.rotation, video.displayed.width())
    };
    assert_eq!(turned([1, 0, 0, 1]), (Orientation::Upright, 0, 64));
    assert_eq!(turned([0, 1, -1, 0]), (Orientation::Rotate90, 90, 48));
    assert_eq!(turned([-1, 0, 0, -1]), (Orientation::Rotate180, 180, 64));
    assert_eq!(turned([0, -1, 1, 0]), (Orientation::Rotate270, 270, 48));
    assert_eq!(turned([-1, 0, 0, 1]).0, Orientation::FlipHorizontal);
    assert_eq!(turned([1, 0, 0, -1]).0, Orientation::FlipVertical);
    assert_eq!(turned([0, 1, 1, 0]).0, Orientation::Transpose);
    assert_eq!(turned([0, -1, -1, 0]).0, Orientation::Transverse);
}

#[test]
fn encryption_is_a_warning_and_the_hidden_codec_is_named() {
    let info = boxed(b"sinf", &[&boxed(b"frma", &[b"hvc1"])]);
    let mut build = Build::video(&[(10, 10)]);
    build.entry = visual(b"encv", &info);
    let found = read(file(&[&movie_header(1000), &build.bytes()])).unwrap();
    let track = &found.value.tracks[0];
    assert_eq!((track.codec.as_str(), track.protected), ("hevc", true));
    assert_eq!(codes(&found.warnings), [WarningCode::Protected]);
}

#[test]
fn chapter_pictures_are_marked() {
    let mut pictures = Build::video(&[(3, 30)]);
    pictures.id = 7;
    let mut sound = Build::sound(boxed(b"alaw", &[&[0; 28]]));
    sound.references = boxed(b"chap", &[&words(&[7])]);
    let info = read(file(&[&movie_header(1000), &sound.bytes(), &pictures.bytes()])).unwrap().value;
    let (_, video) = info.video_tracks().next().unwrap();
    assert!(video.attached_picture);
}

#[test]
fn quicktime_sound_entries_of_all_versions_are_read() {
    let entry = |version: u8, channels: u8, rate: u32, rest: &[u8]| {
        let mut fixed = [0; 28];
        fixed[9] = version;
        fixed[17] = channels;
        fixed[24..].copy_from_slice(&(rate << 16).to_be_bytes());
        boxed(b"alaw", &[&fixed, rest])
    };
    let mut second = words(&[72]);
    second.extend_from_slice(&96_000f64.to_be_bytes());
    second.extend_from_slice(&words(&[6, 0x7f00_0000, 16, 0, 0, 0]));
    let cases = [
        (entry(0, 2, 8000, &[]), (8000, 2)),
        (entry(1, 1, 11_025, &[0; 16]), (11_025, 1)),
        (entry(2, 3, 1, &second), (96_000, 6)),
        // A rate that the field cannot hold is the media's clock.
        (entry(0, 1, 0, &[]), (100, 1)),
    ];
    for (entry, expected) in cases {
        let TrackKind::Audio(audio) = only_track(&Build::sound(entry)).kind else {
            panic!("no sound")
        };
        assert_eq!((audio.sample_rate, audio.channels), expected);
    }
}

/// A fragment of track 1 with the given decoding time and four samples of 10 ticks.
fn fragment(time: u32, track: u32) -> Vec<u8> {
    let run = boxed(b"trun", &[&words(&[0x100, 4, 10, 10, 10, 10])]);
    let header = boxed(b"tfhd", &[&words(&[0, track])]);
    let clock = boxed(b"tfdt", &[&words(&[0, time])]);
    boxed(b"moof", &[&boxed(b"traf", &[&header, &clock, &run])])
}

fn fragmented(parts: &[Vec<u8>]) -> Result<Warned<ContainerInfo>, Error> {
    let defaults = boxed(b"mvex", &[&boxed(b"trex", &[&words(&[0, 1, 1, 5, 0, 0])])]);
    let mut bytes = file(&[&movie_header(0), &Build::video(&[]).bytes(), &defaults]);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    read(bytes)
}

#[test]
fn gaps_between_fragments_are_shown_and_the_first_time_is_not() {
    let info = fragmented(&[fragment(9000, 1), fragment(9060, 1)]).unwrap().value;
    let track = &info.tracks[0];
    assert!(info.fragmented);
    assert_eq!((track.span, shown(track)), (centiseconds(80), centiseconds(100)));
    assert_eq!(info.duration.map(|duration| duration.value), centiseconds(100));
    let TrackKind::Video(video) = &track.kind else { panic!("no video") };
    assert_eq!(video.frames, Some(8));
}

#[test]
fn fragments_without_a_known_track_are_no_film() {
    assert!(matches!(fragmented(&[fragment(0, 9)]), Err(Error::Malformed { .. })));
    assert!(matches!(read(fragment(0, 1)), Err(Error::Malformed { .. })));
}

#[test]
fn counts_of_billions_take_neither_time_nor_memory() {
    let most = u32::MAX;
    let mut build = Build::video(&[(most, most), (most, 1)]);
    build.edits = vec![(most, 5)];
    let _ = read(file(&[&movie_header(most), &build.bytes()]));
    let run = boxed(b"trun", &[&words(&[0, most])]);
    let header = boxed(b"tfhd", &[&words(&[8, 1, most])]);
    let fragment = boxed(b"moof", &[&boxed(b"traf", &[&header, &run])]);
    let found = fragmented(&[fragment.clone(), fragment]);
    assert!(matches!(found, Err(Error::Limit(_))), "{found:?}");
}
