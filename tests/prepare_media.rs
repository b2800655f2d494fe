//! What `prepare` makes of videos and sounds: as many frames as the budget says, the same at any
//! thread count, and an error for every file that cannot be made into anything.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mediaprep::media::Duration;
use mediaprep::tokens::RuleBook;
use mediaprep::{
    AudioOptions, AudioProfile, Engine, Error, ErrorKind, Input, MediaInfo, Outcome, Payload,
    PlanOptions, PrepareOptions, Requests, RuleRequest, RuleSet, VideoForm, VideoOptions,
};
use mediaprep_cli::Status;
use mediaprep_tests::{Ran, all_fixtures, fixtures, mediaprep, probe};
use serde_json::Value;
use sha2::{Digest, Sha256};

const MODEL: &str = "gemini-2.0-flash";

/// The fixtures of one folder that are sound and of the kind that `is` says.
fn media(folder: &str, is: impl Fn(&MediaInfo) -> bool) -> Vec<PathBuf> {
    let all = all_fixtures().into_iter();
    let of_folder = all.filter(|(path, entry)| {
        let here = path.parent().is_some_and(|parent| parent.ends_with(folder));
        here && entry.expect.as_deref() != Some("error")
    });
    let read = of_folder.filter(|(path, _)| match probe(path) {
        Outcome::Media(probed) => probed.warnings.is_empty() && is(&probed.info),
        _ => false,
    });
    read.map(|(path, _)| path).collect()
}

#[cfg(feature = "ffmpeg")]
fn videos() -> Vec<PathBuf> {
    let found = media("video", |info| matches!(info, MediaInfo::Video(_)));
    assert!(found.len() >= 10, "only {} videos", found.len());
    found
}

fn sounds() -> Vec<PathBuf> {
    let found = media("audio", |info| matches!(info, MediaInfo::Audio(_)));
    assert!(found.len() >= 20, "only {} sounds", found.len());
    found
}

fn rules<'a>(book: &'a RuleBook, model: &str) -> RuleSet<'a> {
    RuleSet::find(book, &RuleRequest::billed(model, "2026-11-21".parse().unwrap())).unwrap()
}

fn with_form(form: VideoForm) -> PrepareOptions {
    let video = VideoOptions { form, ..VideoOptions::default() };
    PrepareOptions { video, ..PrepareOptions::default() }
}

/// Every input prepared in a request of its own.
fn prepared(inputs: &[Input], options: &PrepareOptions) -> Vec<Result<Payload, Error>> {
    let (book, request) = (RuleBook::builtin(), each());
    let rules = rules(&book, MODEL);
    let engine = Engine::builder().build().unwrap();
    engine.prepare(engine.plan(inputs, &rules, &request, options).unwrap()).unwrap()
}

fn each() -> PlanOptions {
    PlanOptions { requests: Requests::Each, ..PlanOptions::default() }
}

fn prepare(out: &Path, arguments: &[&str]) -> Ran {
    let mut all = ["prepare", "--on", "2026-11-21", "--model", MODEL, "--out"].map(str::to_owned);
    let mut all: Vec<String> = std::mem::take(&mut all).into();
    all.push(out.to_string_lossy().into_owned());
    all.extend(arguments.iter().map(|&argument| argument.to_owned()));
    mediaprep(&all)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Every file below a folder with its hash.
fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let hash = Sha256::digest(fs::read(&path).unwrap());
                let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                files.insert(text(path.strip_prefix(root).unwrap()), hash);
            }
        }
    }
    files
}

#[cfg(feature = "ffmpeg")]
mod with_ffmpeg {
    use mediaprep::media::FrameRate;
    use mediaprep::parts::PartData;
    use mediaprep::tokens::Clip;
    use mediaprep::{How, Role};

    use super::*;

    /// The requests under which frames are compared: rates above and below one, and a window.
    fn requests() -> Vec<PlanOptions> {
        let fps = |text: &str| PlanOptions { fps: FrameRate::from_decimal(text), ..each() };
        let (start, end) = (Duration::from_decimal("0.5"), Duration::from_decimal("1.5"));
        let clip = PlanOptions { clip: Clip { start, end }, ..each() };
        vec![each(), fps("2.5"), fps("0.5"), clip]
    }

    #[test]
    fn there_are_as_many_frames_as_the_budget_says() {
        let book = RuleBook::builtin();
        let engine = Engine::builder().build().unwrap();
        let inputs: Vec<Input> = videos().into_iter().map(Input::path).collect();
        let options = with_form(VideoForm::Frames);
        let (mut videos, mut frames, mut refused) = (0, 0, 0);
        for model in ["gemini-2.0-flash", "gemini-2.5-flash", "gemini-3.5-flash"] {
            let rules = rules(&book, model);
            for request in requests() {
                let plan = engine.plan(&inputs, &rules, &request, &options).unwrap();
                let budgeted: Vec<_> = plan
                    .items
                    .iter()
                    .map(|item| item.planned.as_ref().ok()?.as_is.as_ref()?.count.frames)
                    .collect();
                let planned: Vec<_> = plan.count().items;
                let made = engine.prepare(plan).unwrap().into_iter();
                for ((made, budgeted), planned) in made.zip(budgeted).zip(planned) {
                    let made = made.unwrap();
                    let planned = planned.unwrap().unwrap().charge.tokens;
                    let is_frame =
                        |part: &&mediaprep::PreparedPart| matches!(part.role, Role::Frame { .. });
                    let emitted = made.prepared.parts.iter().filter(is_frame).count() as u64;
                    // At least one picture is sent even where the rule charges for none.
                    // Types that the service refuses have no budget.
                    assert_eq!(emitted, budgeted.unwrap_or(emitted).max(1));
                    refused += u64::from(budgeted.is_none());
                    assert_eq!(made.charge.count.frames, Some(emitted));
                    assert_eq!(made.charge.tokens.image, planned.image);
                    assert_eq!(made.charge.tokens.text, planned.text);
                    (videos, frames) = (videos + 1, frames + emitted);
                }
            }
        }
        assert!(videos > 100 && frames > 1000, "{videos} videos, {frames} frames");
        assert!(refused < videos / 5, "{refused} of {videos} have no budget");
    }

    #[test]
    fn each_frame_follows_its_time_and_the_sound_comes_last() {
        let still = Input::path(fixtures().join("video/still-90s.mp4"));
        let made = prepared(&[still], &with_form(VideoForm::Frames)).remove(0).unwrap();
        let seconds = 90;
        assert_eq!(made.parts.len(), 2 * seconds + 1);
        for (second, pair) in made.parts.chunks_exact(2).enumerate() {
            let [PartData::Text(time), PartData::InlineData(frame)] =
                [&pair[0].data, &pair[1].data]
            else {
                panic!("no pair of text and picture at {second}")
            };
            assert_eq!(*time, format!("{:02}:{:02}", second / 60, second % 60));
            assert_eq!(frame.mime_type, "image/jpeg");
            let start = Duration::from_seconds(second as u64);
            assert_eq!(made.prepared.parts[second].start, Some(start));
        }
        let Some(PartData::InlineData(sound)) = made.parts.last().map(|part| &part.data) else {
            panic!("no sound")
        };
        assert_eq!(sound.mime_type, "audio/ogg");
        // Two tokens for each `MM:SS`, by the rule of thumb.
        assert!(made.charge.tokens.text >= 2 * seconds as u64);
    }

    #[test]
    fn above_one_frame_a_second_times_have_milliseconds() {
        let out = tempfile::tempdir().unwrap();
        let video = text(&fixtures().join("video/b-frames.mp4"));
        let ran = prepare(out.path(), &[&video, "--video", "frames", "--fps", "4", "--start", "1"]);
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        let request = json(&out.path().join("request.json"));
        let parts = request["contents"][0]["parts"].as_array().unwrap();
        let times: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        assert_eq!(times[..3], ["00:01.000", "00:01.250", "00:01.500"]);
        assert!(parts.iter().all(|part| part["videoMetadata"].is_null()));
        assert!(out.path().join("media/b-frames-f000001.jpg").exists());
    }

    #[test]
    fn a_clip_behind_the_end_is_told_and_nothing_is_made_of_it() {
        let video = text(&fixtures().join("video/b-frames.mp4"));
        for (form, status) in
            [("original", Status::Done), ("frames", Status::Failed), ("proxy", Status::Failed)]
        {
            let out = tempfile::tempdir().unwrap();
            let ran = prepare(out.path(), &[&video, "--video", form, "--start", "1:30"]);
            assert_eq!(ran.status, status, "{form}: {}", ran.notes);
            let told = ran.notes.contains("the clip begins at 90.000 s, and the video ends at");
            assert!(told && ran.notes.contains("hint: begin the clip earlier"), "{}", ran.notes);
        }
    }

    #[test]
    fn rotated_and_wide_videos_stand_upright_in_square_pixels() {
        for name in ["rotate-90.mp4", "rotate-180.mp4", "rotate-270.mp4", "wide-pixels.mp4"] {
            let path = fixtures().join("video").join(name);
            let Outcome::Media(probed) = probe(&path) else { panic!("{name}") };
            let MediaInfo::Video(video) = &probed.info else { panic!("{name}") };
            let square = video.square_size();
            for form in [VideoForm::Frames, VideoForm::Proxy] {
                let made = prepared(&[Input::path(&path)], &with_form(form)).remove(0).unwrap();
                let info = &made.prepared.parts[0].facts.info;
                let size = info.dimensions().unwrap();
                let even = |side: u32| if form == VideoForm::Proxy { side & !1 } else { side };
                let expected = (even(square.width()), even(square.height()));
                assert_eq!((size.width(), size.height()), expected, "{name} {form:?}");
                if let MediaInfo::Video(proxy) = info {
                    assert_eq!((proxy.rotation, proxy.pixel_aspect.horizontal), (0, 1), "{name}");
                }
            }
        }
    }

    /// Budgeting what was made gives the manifest's totals, but for the texts between the parts.
    #[test]
    fn the_manifest_is_the_budget_of_what_was_made() {
        let folder = text(&fixtures().join("video"));
        for form in ["frames", "proxy"] {
            let out = tempfile::tempdir().unwrap();
            let ran = prepare(out.path(), &[&folder, "--video", form, "--route", "inline"]);
            assert_ne!(ran.status, Status::CouldNotRun, "{}", ran.notes);
            let manifest = json(&out.path().join("manifest.json"));
            let parts = manifest["parts"].as_array().unwrap();
            assert!(parts.len() > 15, "{} parts", parts.len());
            let media = text(&out.path().join("media"));
            let ask = ["budget", &media, "--on", "2026-11-21", "--model", MODEL];
            let ran = mediaprep(&[&ask[..], &["--json", "--route", "inline"]].concat());
            let budget: Value = serde_json::from_str(&ran.data).unwrap();
            for kind in ["image", "video", "audio"] {
                let (made, found) = (&manifest["totals"], &budget["totals"]);
                assert_eq!(made["tokens"][kind], found["tokens"][kind], "{form} {kind}");
            }
            assert_eq!(budget["totals"]["items"].as_u64(), Some(parts.len() as u64));
            for item in manifest["items"].as_array().unwrap() {
                let of = |part: &&Value| part["source"] == item["path"] && part["role"] == "frame";
                let frames = parts.iter().filter(of).count() as u64;
                assert!(frames == 0 || item["frames"].as_u64() == Some(frames), "{item}");
            }
            assert!(!out.path().join(".partial").exists());
        }
    }

    /// A proxy in square pixels costs what its original costs, frames and sound.
    #[test]
    fn a_proxy_costs_what_its_original_costs() {
        let inputs: Vec<Input> = videos().into_iter().map(Input::path).collect();
        let mut checked = 0;
        let book = RuleBook::builtin();
        let engine = Engine::builder().build().unwrap();
        for model in ["gemini-2.0-flash", "gemini-3.5-flash"] {
            let rules = rules(&book, model);
            let plan = engine.plan(&inputs, &rules, &each(), &with_form(VideoForm::Proxy)).unwrap();
            let before: Vec<_> = plan
                .items
                .iter()
                .map(|item| {
                    let planned = item.planned.as_ref().ok()?;
                    let MediaInfo::Video(video) = &planned.probed.info else { return None };
                    let square = video.square_size() == video.size;
                    // Some containers state more than any of their tracks has.
                    let longest = video.track.max(video.audio.as_ref().and_then(|a| a.duration));
                    let slack = video.container?.saturating_sub(longest?);
                    let plain = square && slack < Duration::from_micros(20_000);
                    Some((planned.as_is.as_ref()?.tokens, plain, planned.probed.name.clone()))
                })
                .collect();
            for (made, before) in engine.prepare(plan).unwrap().into_iter().zip(before) {
                let Some((before, true, name)) = before else { continue };
                let after = made.unwrap().charge.tokens;
                assert_eq!(after.video, before.video, "{name} {model}");
                // Sounds are charged to fractions of a second; a packet's worth may be cut.
                assert!(after.audio.abs_diff(before.audio) <= 2, "{name} {model}");
                checked += 1;
            }
        }
        assert!(checked > 20, "{checked} proxies");
    }

    #[test]
    fn large_videos_become_proxies_and_small_ones_stay() {
        let names = ["h264-aac-faststart.mp4", "still-90s.mp4", "h264-aac.mkv"];
        let inputs = names.map(|name| Input::path(fixtures().join("video").join(name)));
        let book = RuleBook::builtin();
        let rules = rules(&book, MODEL);
        let engine = Engine::builder().build().unwrap();
        let plan = engine.plan(&inputs, &rules, &each(), &PrepareOptions::default()).unwrap();
        let how = |item: &mediaprep::PlannedItem| item.planned.as_ref().unwrap().plan.how();
        let found: Vec<How> = plan.items.iter().map(how).collect();
        // Above a minute, and of a type that the service does not take.
        assert_eq!(found, [How::Passed, How::Transcoded, How::Transcoded]);
    }

    #[test]
    fn long_videos_are_split_at_the_second() {
        let out = tempfile::tempdir().unwrap();
        let video = text(&fixtures().join("video/still-90s.mp4"));
        let ran = prepare(out.path(), &[&video, "--split", "40"]);
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        let manifest = json(&out.path().join("manifest.json"));
        let parts = manifest["parts"].as_array().unwrap();
        let times: Vec<_> = parts
            .iter()
            .map(|part| (part["start_s"].as_f64(), part["duration_s"].as_f64()))
            .collect();
        let expected = [(0.0, 40.0), (40.0, 40.0), (80.0, 10.0)];
        assert_eq!(times, expected.map(|(start, length)| (Some(start), Some(length))));
        assert_eq!(manifest["items"][0]["frames"], 90);
        let names: Vec<_> = tree(&out.path().join("media")).into_keys().collect();
        assert_eq!(names, ["still-90s-t01.mp4", "still-90s-t02.mp4", "still-90s-t03.mp4"]);
    }

    #[test]
    fn the_stream_of_1_kbps_lies_beside_the_sound_and_is_never_sent() {
        let out = tempfile::tempdir().unwrap();
        let sound = text(&fixtures().join("audio/minute.opus"));
        let ran = prepare(out.path(), &[&sound, "--audio-profile", "1kbps"]);
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        let manifest = json(&out.path().join("manifest.json"));
        assert_eq!(manifest["parts"].as_array().unwrap().len(), 1);
        let extra = &manifest["items"][0]["extra_files"][0];
        assert_eq!(extra["file"], "media/minute.c2");
        let bits = fs::metadata(out.path().join("media/minute.c2")).unwrap().len() * 8;
        let seconds = extra["duration_s"].as_f64().unwrap();
        assert!(bits as f64 <= 1000.0 * seconds, "{bits} bits in {seconds} s");
        let request = json(&out.path().join("request.json"));
        let sent = request["contents"][0]["parts"].as_array().unwrap();
        assert_eq!((sent.len(), &sent[0]["inlineData"]["mimeType"]), (1, &"audio/ogg".into()));
        // A run without it takes it away.
        prepare(out.path(), &[&sound]);
        let names: Vec<_> = tree(&out.path().join("media")).into_keys().collect();
        assert_eq!(names, ["minute.opus"]);
    }

    #[test]
    fn the_thread_count_changes_no_byte_of_videos() {
        let folder = text(&fixtures().join("video"));
        for how in
            [&["--video", "frames", "--fps", "2"][..], &["--video", "proxy", "--split", "20"]]
        {
            let made = |threads: &str| {
                let out = tempfile::tempdir().unwrap();
                let arguments = [&[folder.as_str(), "--threads", threads][..], how].concat();
                let ran = prepare(out.path(), &arguments);
                (tree(out.path()), ran.data)
            };
            let alone = made("1");
            assert!(alone.0.len() > 20);
            assert_eq!(made("2"), alone);
            assert_eq!(made("5"), alone);
        }
    }

    #[test]
    fn frames_that_look_alike_are_left_out_when_asked() {
        let files: Vec<String> = videos().iter().map(|path| text(path)).collect();
        let mut basics = vec!["--video", "frames", "--fps", "4", "--requests", "each"];
        basics.extend(files.iter().map(String::as_str));
        let folder = tempfile::tempdir().unwrap();
        let frames = |name: &str, more: &[&str]| {
            let out = folder.path().join(name);
            let ran = prepare(&out, &[&basics[..], more].concat());
            assert_eq!(ran.status, Status::Done, "{}", ran.notes);
            (tree(&out.join("media")), json(&out.join("manifest.json")))
        };
        let (all, _) = frames("all", &[]);
        let (kept, manifest) = frames("kept", &["--dedupe"]);
        assert!(kept.len() < all.len(), "{} of {}", kept.len(), all.len());
        assert!(kept.iter().all(|(name, hash)| all.get(name) == Some(hash)));
        // What is listed is there, in order, and the first frame of each video is.
        let listed = manifest["parts"].as_array().unwrap().iter();
        let listed: Vec<&str> = listed.map(|part| part["file"].as_str().unwrap()).collect();
        assert_eq!(listed.len(), kept.len());
        assert!(listed.iter().all(|file| kept.contains_key(file.trim_start_matches("media/"))));
        let firsts = listed.iter().filter(|file| file.ends_with("-f000001.jpg")).count();
        assert_eq!(firsts, files.len());
        assert!(manifest.to_string().contains("frames_dropped"));
        assert!(frames("alone", &["--dedupe", "--threads", "1"]).0 == kept);
    }

    #[test]
    fn damaged_videos_are_errors_or_warnings() {
        let whole = fs::read(fixtures().join("video/h264-aac-faststart.mp4")).unwrap();
        let mut inputs = Vec::new();
        for step in 1..12 {
            let cut = whole[..whole.len() * step / 12].to_vec();
            inputs.push(Input::bytes(format!("cut-{step}.mp4"), cut));
            let mut flipped = whole.clone();
            for at in (step * 97..flipped.len()).step_by(1013) {
                flipped[at] ^= 0x5a;
            }
            inputs.push(Input::bytes(format!("flipped-{step}.mp4"), flipped));
        }
        inputs.push(Input::bytes("whole.mp4", whole));
        for form in [VideoForm::Frames, VideoForm::Proxy] {
            for allow_truncated in [false, true] {
                let mut options = with_form(form);
                options.images.allow_truncated = allow_truncated;
                let mut made = prepared(&inputs, &options);
                let last = made.pop().unwrap().unwrap();
                assert!(last.prepared.warnings.is_empty(), "{:?}", last.prepared.warnings);
                let failed = made.iter().filter(|one| one.is_err()).count();
                assert!(allow_truncated || failed >= 5, "{failed} of {} failed", made.len());
                for error in made.iter().filter_map(|one| one.as_ref().err()) {
                    assert!(!error.cause().is_empty() && error.hint().is_some(), "{error}");
                }
            }
        }
    }

    #[test]
    fn one_bad_video_does_not_sink_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let whole = fs::read(fixtures().join("video/h264-aac-faststart.mp4")).unwrap();
        fs::write(folder.path().join("a.mp4"), &whole[..whole.len() - whole.len() / 3]).unwrap();
        fs::write(folder.path().join("b.mp4"), &whole).unwrap();
        let out = tempfile::tempdir().unwrap();
        let ran = prepare(out.path(), &[&text(folder.path()), "--video", "frames"]);
        assert_eq!(ran.status, Status::Failed);
        assert!(ran.notes.contains("a.mp4: decode: "), "{}", ran.notes);
        let names: Vec<_> = tree(&out.path().join("media")).into_keys().collect();
        assert_eq!(names, ["b-f000001.jpg", "b-f000002.jpg", "b.opus"]);
    }

    #[test]
    fn work_stops_when_it_is_told_to_and_when_its_time_is_up() {
        let still = Input::path(fixtures().join("video/still-90s.mp4"));
        let book = RuleBook::builtin();
        let rules = rules(&book, MODEL);
        let mut options = with_form(VideoForm::Frames);
        let engine = Engine::builder().build().unwrap();
        let prepared = |options: &PrepareOptions| {
            let plan = engine.plan(std::slice::from_ref(&still), &rules, &each(), options);
            engine.prepare(plan.unwrap()).unwrap().remove(0)
        };
        options.working_time = Some(std::time::Duration::ZERO);
        let late = prepared(&options).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::LimitExceeded);
        assert!(late.hint().unwrap().contains("time"), "{late:?}");
        options.working_time = None;
        assert!(prepared(&options).is_ok());
        engine.watch().stop();
        assert!(prepared(&options).unwrap_err().cause().contains("stopped"));
    }

    #[test]
    fn frames_that_cannot_fit_the_memory_are_refused_before_they_are_decoded() {
        let out = tempfile::tempdir().unwrap();
        let video = text(&fixtures().join("video/still-90s.mp4"));
        let ran = prepare(out.path(), &[&video, "--video", "frames", "--memory", "1M"]);
        assert_eq!(ran.status, Status::Failed);
        assert!(ran.notes.contains("bytes of memory; allowed: at most 1048576"), "{}", ran.notes);
    }
}

/// What the decoders in pure Rust take for damaged: WAV of stated length 0 or 2^32 - 1, and MP3 of
/// several bit rates without a header.
const REFUSED_WITHOUT_FFMPEG: [&str; 3] =
    ["streamed-zero.wav", "streamed.wav", "tone-vbr-headerless.mp3"];

/// Sounds keep their length to one sample of the output, whatever they are written for.
#[test]
fn sounds_keep_their_length() {
    let profiles: &[AudioProfile] = if cfg!(feature = "ffmpeg") {
        &[AudioProfile::Speech, AudioProfile::Lossless, AudioProfile::OneKbps]
    } else {
        &[AudioProfile::Speech, AudioProfile::Lossless]
    };
    let inputs: Vec<Input> = sounds().into_iter().map(Input::path).collect();
    let (mut checked, mut failed) = (0, Vec::new());
    for &profile in profiles {
        let audio = AudioOptions { profile: Some(profile), ..AudioOptions::default() };
        let options = PrepareOptions { audio, ..PrepareOptions::default() };
        for (made, input) in prepared(&inputs, &options).into_iter().zip(&inputs) {
            let name = input.name();
            let made = match made {
                Ok(made) => made,
                // What only FFmpeg decodes.
                Err(error)
                    if cfg!(not(feature = "ffmpeg"))
                        && matches!(
                            error.kind(),
                            ErrorKind::BackendUnavailable | ErrorKind::Unsupported
                        ) =>
                {
                    continue;
                }
                Err(_)
                    if cfg!(not(feature = "ffmpeg"))
                        && REFUSED_WITHOUT_FFMPEG.iter().any(|file| name.ends_with(file)) =>
                {
                    continue;
                }
                Err(error) => {
                    failed.push(format!("{error}: {}", error.cause()));
                    continue;
                }
            };
            let [part] = made.prepared.parts.as_slice() else { panic!("{name}: not one part") };
            let Outcome::Media(source) = probe(Path::new(&name)) else { panic!("{name}") };
            let (MediaInfo::Audio(before), MediaInfo::Audio(after)) =
                (&source.info, &part.facts.info)
            else {
                panic!("{name} is no sound")
            };
            assert_eq!((after.channels, part.duration.is_some()), (Some(1), true), "{name}");
            let (Some(before), Some(after)) = (before.decoded, after.decoded) else { continue };
            let gap = before.value.max(after.value).saturating_sub(before.value.min(after.value));
            // Codec2 has 8000 samples a second, everything else is written with 16 000.
            let rate = if profile == AudioProfile::OneKbps { 8000 } else { 16_000 };
            let sample = Duration::new(1, rate).unwrap();
            assert!(gap <= sample, "{name} {profile:?}: {} became {}", before.value, after.value);
            checked += 1;
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(checked > 30, "{checked} sounds");
}

#[test]
fn sounds_are_passed_on_unless_something_is_asked_of_them() {
    let out = tempfile::tempdir().unwrap();
    let sound = fixtures().join("audio/tone-s16.wav");
    let ran = prepare(out.path(), &[&text(&sound)]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    assert_eq!(fs::read(out.path().join("media/tone-s16.wav")).unwrap(), fs::read(&sound).unwrap());
    // The service takes no CAF.
    let other = text(&fixtures().join("audio/tone-s16.caf"));
    let ran = prepare(out.path(), &[&other]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let manifest = json(&out.path().join("manifest.json"));
    assert_eq!(manifest["items"][0]["why"], serde_json::json!(["type-not-taken"]));
    assert_eq!(manifest["parts"][0]["how"], "transcoded");
}

#[test]
fn long_sounds_are_cut_at_the_sample() {
    let out = tempfile::tempdir().unwrap();
    let sound = text(&fixtures().join("audio/tone-s16.wav"));
    let longer = longer_wav();
    fs::write(out.path().join("long.wav"), longer).unwrap();
    let long = text(&out.path().join("long.wav"));
    let made = out.path().join("made");
    let arguments = [sound.as_str(), &long, "--segment", "2", "--audio-profile", "lossless"];
    let ran = prepare(&made, &arguments);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let manifest = json(&made.join("manifest.json"));
    let times: Vec<_> = manifest["parts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|part| part["source"] == long)
        .map(|part| (part["start_s"].as_f64().unwrap(), part["duration_s"].as_f64().unwrap()))
        .collect();
    assert_eq!(times, [(0.0, 2.0), (2.0, 2.0), (4.0, 1.0)]);
    let names: Vec<_> = tree(&made.join("media")).into_keys().collect();
    assert_eq!(names, ["long-t01.flac", "long-t02.flac", "long-t03.flac", "tone-s16.flac"]);
}

/// Five seconds of 16 bit mono at 16 kHz.
fn longer_wav() -> Vec<u8> {
    let data: Vec<u8> =
        (0..5 * 16_000u32).flat_map(|at| (((at % 100) as i16 - 50) * 100).to_le_bytes()).collect();
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    let mut wav = b"RIFF".to_vec();
    wav.extend(length(36 + data.len()));
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data");
    wav.extend(length(data.len()));
    wav.extend(data);
    wav
}

#[test]
fn the_thread_count_changes_no_byte_of_sounds() {
    let folder = text(&fixtures().join("audio"));
    let made = |threads: &str| {
        let out = tempfile::tempdir().unwrap();
        let how = ["--audio-profile", "speech", "--segment", "1", "--threads", threads];
        let ran = prepare(out.path(), &[&[folder.as_str()][..], &how].concat());
        (tree(out.path()), ran.data)
    };
    let alone = made("1");
    assert!(alone.0.len() > 20);
    assert_eq!(made("2"), alone);
}

#[test]
fn damaged_sounds_are_errors_or_warnings() {
    let mut inputs = Vec::new();
    for name in ["tone-cbr-info.mp3", "tone.flac", "tone-s16.wav", "tone-vorbis.ogg"] {
        let whole = fs::read(fixtures().join("audio").join(name)).unwrap();
        for step in 1..8 {
            inputs.push(Input::bytes(name, whole[..whole.len() * step / 8].to_vec()));
            let mut flipped = whole.clone();
            for at in (step * 31..flipped.len()).step_by(509) {
                flipped[at] ^= 0xa5;
            }
            inputs.push(Input::bytes(name, flipped));
        }
    }
    let audio = AudioOptions { profile: Some(AudioProfile::Lossless), ..AudioOptions::default() };
    for allow_truncated in [false, true] {
        let mut options = PrepareOptions { audio: audio.clone(), ..PrepareOptions::default() };
        options.images.allow_truncated = allow_truncated;
        let made = prepared(&inputs, &options);
        assert_eq!(made.len(), inputs.len());
        for error in made.iter().filter_map(|one| one.as_ref().err()) {
            assert!(!error.cause().is_empty() && error.hint().is_some(), "{error}");
        }
        let failed = made.iter().filter(|one| one.is_err()).count();
        assert!(allow_truncated || failed > 10, "{failed} failed");
    }
}

/// A build without FFmpeg says what is missing, and still sends what it can.
#[cfg(not(feature = "ffmpeg"))]
#[test]
fn without_ffmpeg_frames_and_proxies_are_a_clear_error() {
    let video = Input::path(fixtures().join("video/h264-aac-faststart.mp4"));
    for form in [VideoForm::Frames, VideoForm::Proxy] {
        let video = std::slice::from_ref(&video);
        let error = prepared(video, &with_form(form)).remove(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BackendUnavailable);
        assert!(error.hint().unwrap().contains("ffmpeg"), "{error:?}");
    }
    let long = Input::path(fixtures().join("video/still-90s.mp4"));
    for input in [video, long] {
        let made = prepared(&[input], &PrepareOptions::default()).remove(0).unwrap();
        assert_eq!(made.parts.len(), 1);
    }
    let audio = AudioOptions { profile: Some(AudioProfile::OneKbps), ..AudioOptions::default() };
    let options = PrepareOptions { audio, ..PrepareOptions::default() };
    let sound = Input::path(fixtures().join("audio/tone-s16.wav"));
    let error = prepared(&[sound], &options).remove(0).unwrap_err();
    assert!(error.cause().contains("Codec2"), "{}", error.cause());
}
