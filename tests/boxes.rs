//! Boxes of a model's answer, back to pixels of the original.

use std::fs;
use std::path::Path;

use mediaprep_cli::Status;
use mediaprep_tests::{Ran, fixtures, mediaprep};
use serde_json::Value;

fn boxes(answer: &str, arguments: &[&str]) -> Ran {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), answer).unwrap();
    let input = file.path().to_string_lossy().into_owned();
    mediaprep(&[&["boxes", "--in", &input], arguments].concat())
}

fn image(name: &str) -> String {
    fixtures().join("images").join(name).to_string_lossy().into_owned()
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.data).unwrap_or_else(|_| panic!("{}{}", ran.data, ran.notes))
}

fn corners(value: &Value) -> [u64; 4] {
    ["x_min", "y_min", "x_max", "y_max"].map(|key| value[key].as_u64().unwrap())
}

#[test]
fn boxes_come_out_as_displayed_and_as_stored() {
    let answer = "```json\n[{\"box_2d\": [0, 0, 500, 250], \"label\": \"corner\"}]\n```";
    for (name, orientation) in [("jpeg-exif-1.jpg", 1), ("jpeg-exif-6.jpg", 6)] {
        let report = report(&boxes(answer, &["--image", &image(name), "--json"]));
        let (width, height) =
            (report["width"].as_u64().unwrap(), report["height"].as_u64().unwrap());
        assert_eq!(report["orientation"], orientation);
        let found = &report["boxes"][0];
        assert_eq!(found["label"], "corner");
        assert_eq!(corners(&found["displayed"]), [0, 0, width.div_ceil(4), height.div_ceil(2)]);
        let stored = corners(&found["stored"]);
        if orientation == 6 {
            // A quarter turn clockwise brings the lower left corner to the upper left.
            let stored_height = report["stored_height"].as_u64().unwrap();
            assert_eq!((stored[0], stored[3]), (0, stored_height));
        } else {
            assert_eq!(stored, corners(&found["displayed"]));
        }
    }
}

/// A box around a place of the original, asked for on each emitted part, comes back to that place
/// within a pixel: through turning, scaling and tiles.
#[test]
fn boxes_on_parts_come_back_to_the_original() {
    let mut checked = 0;
    for name in ["jpeg-exif-6.jpg", "photo-portrait-8mp.jpg", "screenshot-1080p.png"] {
        for form in ["whole", "tiles"] {
            let out = tempfile::tempdir().unwrap();
            let folder = out.path().to_string_lossy().into_owned();
            let ran = mediaprep(&[
                "prepare",
                &image(name),
                "--out",
                &folder,
                "--images",
                form,
                "--on",
                "2026-11-21",
                "--model",
                "gemini-2.0-flash",
                "--max-side",
                "1000",
            ]);
            assert_eq!(ran.status, Status::Done, "{}", ran.notes);
            checked += check_parts(out.path());
        }
    }
    assert!(checked > 10, "{checked} parts");
}

fn check_parts(out: &Path) -> usize {
    let manifest: Value =
        serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    let parts = manifest["parts"].as_array().unwrap();
    for part in parts {
        let transform = &part["transform"];
        let number = |value: &Value| value.as_f64().unwrap();
        let (crop, placed) = (&transform["crop"], &transform["placed"]);
        // The middle half of what the part shows, on the part's grid.
        let grid = |at: &str, length: &str, side: &str, share: f64| {
            let place = number(&placed[at]) + share * number(&placed[length]);
            place / number(&part[side]) * 1000.0
        };
        let [y0, y1] = [0.25, 0.75].map(|share| grid("top", "height", "height", share));
        let [x0, x1] = [0.25, 0.75].map(|share| grid("left", "width", "width", share));
        let file = out.join(part["file"].as_str().unwrap());
        let answer = format!("[{y0}, {x0}, {y1}, {x1}]");
        let report = report(&boxes(&answer, &["--image", &file.to_string_lossy(), "--json"]));
        let found = corners(&report["boxes"][0]["displayed"]);
        let expected = [
            ("left", "width", 0.25),
            ("top", "height", 0.25),
            ("left", "width", 0.75),
            ("top", "height", 0.75),
        ]
        .map(|(at, length, share)| number(&crop[at]) + share * number(&crop[length]));
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found as f64 - expected).abs() <= 1.0, "{part}: {found} and {expected}");
        }
    }
    parts.len()
}

#[test]
fn what_is_no_box_fails_and_the_others_come_out() {
    let answer = "[[0,0,10,10],[10,0,0,10],[0,0,2000,10]]";
    let ran = boxes(answer, &["--image", &image("jpeg-baseline.jpg"), "--json"]);
    assert_eq!(ran.status, Status::Failed);
    let report = report(&ran);
    assert_eq!(report["boxes"].as_array().unwrap().len(), 3);
    assert_eq!(report["boxes"][0]["error"], Value::Null);
    assert!(report["boxes"][1]["error"].as_str().unwrap().contains("y minimum of 10"));
    assert!(ran.notes.contains("outside the grid of 0 to 1000"), "{}", ran.notes);
}

#[test]
fn boxes_are_drawn_onto_the_upright_picture() {
    let out = tempfile::tempdir().unwrap();
    let drawn = out.path().join("boxes.png").to_string_lossy().into_owned();
    let answer = r#"[{"box_2d":[100,100,900,900],"label":"thing"}]"#;
    let picture = image("jpeg-exif-6.jpg");
    let ran = boxes(answer, &["--image", &picture, "--draw", &drawn]);
    assert_eq!(ran.status, Status::Done, "{}", ran.notes);
    let size = |path: &str| {
        let ran = mediaprep(&["probe", "--json", path]);
        let facts: Value = serde_json::from_str(&ran.data).unwrap();
        (facts["items"][0]["width"].as_u64(), facts["items"][0]["height"].as_u64())
    };
    assert_eq!(size(&drawn), size(&picture));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn a_part_without_a_manifest_is_an_error() {
    let picture = image("jpeg-baseline.jpg");
    let ran = boxes("[0,0,1,1]", &["--image", &picture, "--part", &picture]);
    assert_eq!(ran.status, Status::CouldNotRun);
    assert!(ran.notes.contains("hint: name the manifest"), "{}", ran.notes);
}
