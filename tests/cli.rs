//! The command line's contract: streams, formats, exit status.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use mediaprep_cli::Status;
use mediaprep_tests::{Ran, fixtures, mediaprep};
use serde_json::Value;

const DATE: &str = "--on=2026-11-21";

fn run(args: &[&str], paths: &[&Path]) -> Ran {
    let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
    all.extend(paths.iter().map(|path| path.as_os_str().to_owned()));
    mediaprep(&all)
}

fn image(name: &str) -> PathBuf {
    fixtures().join("images").join(name)
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.data).unwrap_or_else(|error| panic!("{error}: {}", ran.data))
}

#[test]
fn json_has_the_promised_keys() {
    let path = image("jpeg-exif-6.jpg");
    let args = ["budget", "--format=json", "--model=gemini-2.0-flash", "--on=2026-02-01"];
    let ran = run(&args, &[&path, &fixtures().join("video/rotate-90.mp4")]);
    assert_eq!((ran.status, ran.notes.as_str()), (Status::Done, ""));
    let report = json(&ran);
    assert_eq!((report["schema"].as_u64(), report["command"].as_str()), (Some(1), Some("budget")));
    assert_eq!(report["service"], "developer-api");
    assert_eq!((&report["meter"], &report["on"]), (&"billed".into(), &"2026-02-01".into()));
    assert_eq!(report["rule"], "2.0/any/billed/2026-01");
    let items = report["items"].as_array().unwrap();
    let item = &items[0];
    assert_eq!(item["kind"], "image");
    assert_eq!(item["mime_type"], "image/jpeg");
    assert_eq!(item["orientation"], 6);
    assert_eq!((&item["width"], &item["height"]), (&96.into(), &64.into()), "displayed: {item}");
    assert_eq!(item["bytes"], fs::metadata(&path).unwrap().len());
    for key in ["total", "image", "video", "audio", "document", "text"] {
        assert!(item["tokens"][key].is_u64(), "{key}");
        assert!(report["totals"]["tokens"][key].is_u64(), "{key}");
    }
    assert!(item["cost_usd"].as_f64().unwrap() > 0.0);
    assert_eq!((&item["route"], &item["error"]), (&"inline".into(), &Value::Null));
    assert!(item["warnings"].is_array());
    let video = &items[1];
    assert_eq!(video["orientation"], 90);
    for key in ["duration_s", "fps", "frames", "has_audio"] {
        assert!(!video[key].is_null(), "{key}: {video}");
    }
    let totals = &report["totals"];
    assert_eq!((totals["items"].as_u64(), totals["failed"].as_u64()), (Some(2), Some(0)));
    assert_eq!(totals["context_window"], 1_048_576);
    assert_eq!(totals["fits"], true);
    assert!(totals["window_share"].as_f64().unwrap() > 0.0);
    assert_eq!(report["skipped"], 0);
}

#[test]
fn a_failing_file_keeps_its_item_and_the_others() {
    let paths = [image("bad-png-depth.png"), image("png-1bit.png")];
    let ran = run(&["budget", "--format=json", DATE], &[&paths[0], &paths[1]]);
    assert_eq!(ran.status, Status::Failed);
    let report = json(&ran);
    let error = &report["items"][0]["error"];
    for key in ["code", "message", "hint", "stage", "kind"] {
        assert!(error[key].is_string(), "{key}: {error}");
    }
    assert_eq!(report["items"][0]["tokens"], Value::Null);
    assert_eq!(report["items"][1]["error"], Value::Null);
    assert_eq!(report["totals"]["failed"], 1);
    let message = format!("error: {}: probe: malformed PNG", paths[0].display());
    assert!(ran.notes.contains(&message), "{}", ran.notes);
    assert!(ran.notes.contains("\n\nhint: "), "{}", ran.notes);
}

#[test]
fn ndjson_is_one_item_a_line_and_then_the_totals() {
    let folder = fixtures().join("pdf");
    let ran = run(&["budget", "--format=ndjson", DATE], &[&folder]);
    let lines: Vec<Value> =
        ran.data.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (totals, items) = lines.split_last().unwrap();
    assert_eq!(totals["totals"]["items"].as_u64(), Some(items.len() as u64));
    let paths: Vec<&str> = items.iter().map(|item| item["path"].as_str().unwrap()).collect();
    assert!(paths.is_sorted(), "{paths:?}");
    let first = items.iter().find(|item| item["error"].is_null()).unwrap();
    assert_eq!(first["kind"], "document");
    assert!(first["width"].as_f64().unwrap() > 100.0);
}

#[test]
fn csv_flattens_the_same_columns() {
    let ran = run(
        &["budget", "--format=csv", DATE, "--compare=gemini-2.5-flash"],
        &[&image("png-1bit.png")],
    );
    let mut reader = csv::Reader::from_reader(ran.data.as_bytes());
    let header = reader.headers().unwrap().clone();
    for column in [
        "path",
        "kind",
        "tokens_total",
        "tokens_image",
        "cost_usd",
        "tokens_total:gemini-2.5-flash",
    ] {
        assert!(header.iter().any(|name| name == column), "{column}: {header:?}");
    }
    let row = reader.records().next().unwrap().unwrap();
    let at = |column: &str| &row[header.iter().position(|name| name == column).unwrap()];
    assert_eq!(
        (at("kind"), at("width"), at("tokens_total:gemini-2.5-flash")),
        ("image", "65", "258")
    );
}

#[test]
fn the_table_fits_80_columns() {
    for extra in [&[][..], &["--compare=gemini-2.5-flash"], &["--requests=each"], &["--files"]] {
        let args = [&["budget", DATE, "--no-ignore"], extra].concat();
        let ran = run(&args, &[&fixtures()]);
        let lines = ran.data.lines().filter(|line| !line.starts_with(" model"));
        let (mut seen, listed) = (0, extra.contains(&"--files"));
        for line in lines.filter(|line| !listed || !line.contains('/')) {
            seen += 1;
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        }
        assert!(seen > 5, "{}", ran.data);
    }
}

#[test]
fn the_table_of_two_models() {
    let args = [
        "budget",
        DATE,
        "--requests=each",
        "--compare=gemini-2.5-flash",
        "--model=gemini-3.5-flash",
    ];
    let ran = run(&args, &[&image("screenshot-1080p.png")]);
    let expected = "
 kind       files        units         3.5-flash         2.5-flash
 image          1       2.1 MP             1,101               259
 total          1                          1,101               259
 window                                   0.10 %            0.02 %
 cost                                    $0.0017         $0.000078
 evidence                               measured          measured
 model gemini-3.5-flash · developer-api · billed · on 2026-11-21 · row 3-late/developer-api/billed
 model gemini-2.5-flash · developer-api · billed · on 2026-11-21 · row 2.5/developer-api/billed
 0 files skipped (not media), 0 failed
";
    assert_eq!(ran.data, expected.trim_start_matches('\n'));
}

#[test]
fn what_cannot_run_is_status_2_with_a_hint() {
    let path = image("png-1bit.png");
    for (args, expected) in [
        (&["budget", "--model=gemini-3.5-flahs"][..], "gemini-3.5-flash"),
        (&["budget", "--model=gemini-4-argon"], "Gemini 3 row"),
        (&["budget", "--fps=25"], "24"),
        (&["budget", "--fps=0"], "above 0"),
        (&["budget", "--on=2026-02-30"], "2026-02-30"),
        (&["budget", "--start=10", "--end=5"], "end"),
        (&["budget", "--media-resolution=high", "--model=gemini-1.5-flash"], "media resolution"),
        (&["budget", "--rules=no/such.toml"], "no/such.toml"),
        (&["budget", "--threads=0"], "1..=1024"),
        (&["budget", "--no-such-option"], "--no-such-option"),
        (&["nonsense"], "nonsense"),
    ] {
        let ran = run(args, &[&path]);
        assert_eq!(ran.status, Status::CouldNotRun, "{args:?}: {}", ran.notes);
        assert!(ran.notes.starts_with("error: "), "{args:?}: {}", ran.notes);
        assert!(ran.notes.contains(expected), "{args:?}: {}", ran.notes);
        assert!(ran.notes.contains("hint: "), "{args:?}: {}", ran.notes);
        assert!(ran.data.is_empty(), "{args:?}: {}", ran.data);
    }
    assert_eq!(mediaprep(&["budget"]).status, Status::CouldNotRun);
    let bare = mediaprep::<&str>(&[]);
    assert_eq!(bare.status, Status::CouldNotRun);
    assert!(bare.notes.contains("Usage: mediaprep"), "{}", bare.notes);
}

#[test]
fn nothing_that_can_be_counted_costs_nothing() {
    let ran = run(&["budget", "--format=json", DATE, "no/such.png"], &[]);
    let totals = &json(&ran)["totals"];
    assert_eq!(totals["tokens"]["total"], 0);
    assert_eq!(totals["evidence"], Value::Null);
}

#[test]
fn a_cap_is_status_1() {
    let args = ["budget", "--model=gemini-3.5-flash", DATE, "--max-tokens"];
    let (path, exact) = (image("screenshot-1080p.png"), "1101");
    assert_eq!(run(&[&args[..], &[exact]].concat(), &[&path]).status, Status::Done);
    let ran = run(&[&args[..], &["1100"]].concat(), &[&path]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.notes.contains("1101 tokens") && ran.notes.contains("hint: "), "{}", ran.notes);
}

#[test]
fn folders_are_walked_by_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(image("png-1bit.png"), path).unwrap();
    };
    ["b.jpg", "a/z.bin", ".hidden.png", "skip/me.png", "ignored.png"]
        .iter()
        .for_each(|name| put(name));
    fs::write(folder.path().join("notes.txt"), "text").unwrap();
    fs::write(folder.path().join(".gitignore"), "ignored.png\n").unwrap();
    fs::write(folder.path().join(".ignore"), "skip/\n").unwrap();
    let listed = |args: &[&str]| {
        let ran = run(&[&["probe", "--format=json"], args].concat(), &[folder.path()]);
        let report = json(&ran);
        let name = |item: &Value| {
            let path = item["path"].as_str().unwrap().to_owned();
            path.strip_prefix(&format!("{}/", folder.path().display())).unwrap().to_owned()
        };
        let names: Vec<String> = report["items"].as_array().unwrap().iter().map(name).collect();
        (names, report["skipped"].as_u64().unwrap())
    };
    assert_eq!(listed(&[]), (vec!["a/z.bin".to_owned(), "b.jpg".to_owned()], 1));
    let (names, _) = listed(&["--hidden", "--no-ignore"]);
    assert_eq!(names, [".hidden.png", "a/z.bin", "b.jpg", "ignored.png", "skip/me.png"]);
    let named = run(&["probe"], &[&folder.path().join("notes.txt")]);
    assert_eq!(named.status, Status::Failed);
}

#[test]
fn lists_of_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    let (one, two) = (image("png-1bit.png"), image("png-palette.png"));
    let option = format!("--files-from={}", list.display());
    fs::write(&list, format!("{}\r\n\n{}\n", two.display(), one.display())).unwrap();
    let report = json(&run(&["probe", "--format=json", &option], &[]));
    assert_eq!(report["totals"]["items"], 2);
    assert_eq!(report["items"][0]["path"].as_str(), one.to_str());
    fs::write(&list, format!("{}\0{}\0", two.display(), one.display())).unwrap();
    let report = json(&run(&["probe", "--format=json", &option, "-0"], &[]));
    assert_eq!(report["totals"]["items"], 2);
}

#[test]
fn facts_stand_for_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.ndjson");
    let lines = [
        r#"{"kind":"image","path":"far/away.jpg","width":1920,"height":1080}"#,
        r#"{"kind":"video","width":1280,"height":720,"duration_s":12.5,"fps":29.97,"has_audio":true}"#,
        r#"{"kind":"audio","duration_s":4.488}"#,
        r#"{"kind":"document","pages":17,"page_width_pt":612,"page_height_pt":792}"#,
        r#"{"kind":"image","width":0,"height":5}"#,
        "not json",
    ];
    fs::write(&file, lines.join("\n")).unwrap();
    let option = format!("--facts={}", file.display());
    let ran = run(&["budget", "--format=ndjson", "--model=gemini-3.5-flash", DATE, &option], &[]);
    assert_eq!(ran.status, Status::Failed);
    let items: Vec<Value> =
        ran.data.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tokens: Vec<_> = items[..4].iter().map(|item| item["tokens"]["total"].as_u64()).collect();
    assert_eq!(tokens, [Some(1100), Some(13 * 66 + 313), Some(113), Some(8840)]);
    assert!(items[4]["error"]["message"].as_str().unwrap().contains("at least 1"));
    assert_eq!(items[5]["error"]["kind"], "malformed");
    assert!(items[5]["error"]["hint"].is_string(), "{}", items[5]);
    assert!(items[5]["path"].as_str().unwrap().ends_with("facts.ndjson:6"));
    assert_eq!(items[6]["totals"]["failed"], 2);
}

/// What `probe` prints goes into `budget` as it is: the sums at its end are no item, and what could not
/// be probed fails again by its name and reason.
#[test]
fn what_probe_prints_is_facts() {
    let folder = tempfile::tempdir().unwrap();
    let (file, text) = (folder.path().join("facts"), folder.path().join("text.jpg"));
    fs::write(&text, "no picture").unwrap();
    let inputs = [image("screenshot-1080p.png"), text.clone(), image("photo-portrait-8mp.jpg")];
    let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    let probed = run(&["probe", "--format=ndjson"], &inputs);
    assert_eq!(probed.status, Status::Failed);
    fs::write(&file, &probed.data).unwrap();
    let budget = ["budget", "--format=json", "--model=gemini-3.5-flash", DATE];
    let option = format!("--facts={}", file.display());
    let from_facts = run(&[&budget[..], &[&option]].concat(), &[]);
    assert_eq!(from_facts.status, Status::Failed);
    let (from_facts, from_files) = (json(&from_facts), json(&run(&budget, &inputs)));
    assert_eq!(from_facts["totals"]["items"], 3);
    assert_eq!(from_facts["totals"]["failed"], 1);
    assert_eq!(from_facts["totals"]["tokens"], from_files["totals"]["tokens"]);
    let [by_facts, by_file] = [&from_facts, &from_files].map(|report| &report["items"][1]);
    assert_eq!(by_facts["path"], by_file["path"]);
    for key in ["kind", "message"] {
        assert_eq!(by_facts["error"][key], by_file["error"][key]);
    }
    let foreign = r#"{"kind":"image","width":64,"height":64,"error":"none","totals":1}"#;
    fs::write(&file, foreign).unwrap();
    assert_eq!(json(&run(&[&budget[..], &[&option]].concat(), &[]))["totals"]["failed"], 0);
}

#[test]
fn several_images_cost_what_the_request_makes_of_them() {
    let paths = [image("screenshot-1080p.png"), image("photo-portrait-8mp.jpg")];
    let tokens = |requests: &str| {
        let args = ["budget", "--format=json", "--model=gemini-2.0-flash", DATE, requests];
        let report = json(&run(&args, &[&paths[0], &paths[1]]));
        let items = report["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["tokens"]["total"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(tokens("--requests=one"), [258, 258]);
    assert!(tokens("--requests=each").iter().all(|&tokens| tokens > 1000));
}

#[test]
fn types_that_the_service_does_not_take_are_said_to_be_converted() {
    let ran = run(&["budget", "--format=json", DATE], &[&image("gif-still.gif")]);
    assert_eq!(ran.status, Status::Done);
    let item = &json(&ran)["items"][0];
    assert_eq!(item["warnings"][0]["code"], "converted");
    assert!(item["send_as"].as_str().unwrap().starts_with("image/"));
    assert_ne!(item["send_as"], "image/gif");
    assert!(ran.notes.contains("would be converted"), "{}", ran.notes);
    assert!(run(&["budget", "--quiet", DATE], &[&image("gif-still.gif")]).notes.is_empty());
}

#[test]
fn repeated_warnings_are_folded_in_a_table_only() {
    let folder = fixtures().join("images");
    let table = run(&["budget", DATE], &[&folder]);
    let shown = table.notes.matches("would be converted").count();
    assert_eq!(shown, 3, "{}", table.notes);
    assert!(table.notes.contains("note: converted: "), "{}", table.notes);
    let json = run(&["budget", "--format=json", DATE], &[&folder]);
    assert!(json.data.matches("would be converted").count() > 10);
}

#[test]
fn limits_of_the_service_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts");
    let one = r#"{"kind":"document","pages":1001,"page_width_pt":612,"page_height_pt":792}"#;
    let two = r#"{"kind":"document","pages":501,"page_width_pt":612,"page_height_pt":792}"#;
    let two = format!("{two}\n{two}\n");
    let many = format!("{}\n", r#"{"kind":"image","width":64,"height":64}"#).repeat(3601);
    for (facts, model, code, each) in [
        (one, "gemini-3.5-flash", "pdf_too_many_pages", "one"),
        (&two, "gemini-3.5-flash", "too_many_pages", "one"),
        (&many, "gemini-2.5-flash", "too_many_images", "one"),
        (&many, "gemini-3.5-flash", "window_exceeded", "one"),
    ] {
        fs::write(&file, facts).unwrap();
        let option = format!("--facts={}", file.display());
        let args = ["budget", "--format=json", DATE, "--model", model, "--requests", each, &option];
        let ran = run(&args, &[]);
        assert_eq!(ran.status, Status::Failed, "{code}");
        let report = json(&ran);
        let errors = report["totals"]["errors"].as_array().unwrap();
        assert!(errors.iter().any(|error| error["code"] == code), "{code}: {errors:?}");
        assert!(ran.notes.contains(code) && ran.notes.contains("hint: "), "{}", ran.notes);
    }
}

/// Settings that the model never takes are refused before anything is printed; one that a single
/// file cannot take leaves the report whole.
#[test]
fn refused_settings_never_cut_a_report() {
    let paths = [image("png-1bit.png"), fixtures().join("video/plain.mov")];
    let run = |model: &str, level: &str| {
        let args = ["budget", "--format=json", DATE, "--model", model, "--media-resolution", level];
        run(&args, &[&paths[0], &paths[1]])
    };
    let never = run("gemini-1.5-flash", "high");
    assert_eq!((never.status, never.data.as_str()), (Status::CouldNotRun, ""));
    let image_only = run("gemini-3.5-flash", "ultra-high");
    assert_eq!(image_only.status, Status::CouldNotRun);
    let items = &json(&image_only)["items"];
    assert!(items[0]["tokens"]["total"].as_u64() > Some(1120), "{items}");
    assert_eq!(items[1]["error"]["kind"], "invalid-option");
}

#[test]
fn a_clip_is_as_long_as_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts");
    let film = r#"{"kind":"video","width":640,"height":360,"duration_s":3600.5,"has_audio":false}"#;
    fs::write(&file, film).unwrap();
    let option = format!("--facts={}", file.display());
    let codes = |more: &[&str]| {
        let args = ["budget", "--format=json", "--model=gemini-2.0-flash", DATE, &option];
        let ran = run(&[&args[..], more].concat(), &[]);
        format!("{}", json(&ran)["items"][0]["warnings"])
    };
    assert!(codes(&[]).contains("video_too_long"), "{}", codes(&[]));
    assert!(!codes(&["--end=1:00:00"]).contains("video_too_long"));
}

/// Gemini 2.5 Pro costs $1.25 for a million tokens up to 200,000 in a request, and $2.50 above.
#[test]
fn the_price_tier_is_that_of_the_whole_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts");
    let document = r#"{"kind":"document","pages":500,"page_width_pt":612,"page_height_pt":792}"#;
    fs::write(&file, format!("{document}\n{document}\n")).unwrap();
    let option = format!("--facts={}", file.display());
    let costs = |requests: &str, format: &str| {
        let args = ["budget", "--model=gemini-2.5-pro", DATE, requests, format, &option];
        let ran = run(&args, &[]);
        let text = ran.data.lines().last().unwrap_or_default().to_owned();
        let report = if format.ends_with("=json") {
            json(&ran)
        } else {
            serde_json::from_str(&text).unwrap()
        };
        report["totals"]["cost_usd"].as_f64().unwrap()
    };
    for format in ["--format=json", "--format=ndjson"] {
        let (one, each) = (costs("--requests=one", format), costs("--requests=each", format));
        assert!((one - 258_001.0 * 2.5e-6).abs() < 1e-9, "{one}");
        assert!((each - 258_002.0 * 1.25e-6).abs() < 1e-9, "{each}");
    }
}

#[test]
fn arithmetic_is_explained() {
    let args = ["budget", "--explain", "--model=gemini-2.0-flash", DATE];
    let ran = run(&args, &[&image("screenshot-1080p.png")]);
    assert!(ran.data.contains("258"), "{}", ran.data);
    assert!(ran.data.contains("2.0/any/billed/2026-01"), "{}", ran.data);
}

#[test]
fn a_prompt_is_an_estimate_with_its_mark() {
    let args =
        ["budget", "--format=json", "--model=gemini-2.0-flash", DATE, "--prompt=Describe this."];
    let report = json(&run(&args, &[&image("screenshot-1080p.png")]));
    assert_eq!(report["totals"]["tokens"]["text"], 4);
    assert_eq!(report["items"][0]["evidence"], "measured");
    assert_eq!(report["totals"]["evidence"], "inferred");
}

#[test]
fn a_rule_file_adds_rows() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("mine.toml");
    fs::write(&rules, "schema = 1\n[[rule]]\nid = 'broken'\n").unwrap();
    let option = format!("--rules={}", rules.display());
    let ran = run(&["budget", &option], &[&image("png-1bit.png")]);
    assert_eq!(ran.status, Status::CouldNotRun);
    assert!(ran.notes.contains("mine.toml") && ran.notes.contains("broken"), "{}", ran.notes);
}

#[test]
fn a_row_can_be_named_for_a_model_without_a_rule() {
    let args = ["budget", "--format=json", "--model=gemini-4-argon", DATE];
    let named = [&args[..], &["--rule=3-late/developer-api/billed"]].concat();
    let report = json(&run(&named, &[&image("screenshot-1080p.png")]));
    assert_eq!(
        (&report["model"], &report["rule"]),
        (&"gemini-4-argon".into(), &"3-late/developer-api/billed".into())
    );
    assert_eq!(report["items"][0]["tokens"]["total"], 1100);
    assert_eq!(report["items"][0]["evidence"], "inferred");
    let wrong = [&args[..], &["--rule=3-late"]].concat();
    assert_eq!(run(&wrong, &[&image("screenshot-1080p.png")]).status, Status::CouldNotRun);
}

#[test]
fn a_configuration_gives_the_options() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("mediaprep.toml");
    fs::write(&config, "model = 'gemini-2.5-flash'\nformat = 'json'\non = 2026-11-21\n").unwrap();
    let option = format!("--config={}", config.display());
    let path = image("png-1bit.png");
    assert_eq!(json(&run(&["budget", &option], &[&path]))["model"], "gemini-2.5-flash");
    let typed = run(&["budget", &option, "--model=gemini-2.0-flash"], &[&path]);
    assert_eq!(json(&typed)["model"], "gemini-2.0-flash");
    fs::write(&config, "modle = 'x'\n").unwrap();
    let ran = run(&["budget", &option], &[&path]);
    assert_eq!(ran.status, Status::CouldNotRun);
    assert!(ran.notes.contains("modle"), "{}", ran.notes);
}

#[test]
fn models_shows_the_book() {
    let list = mediaprep(&["models", DATE]).data;
    for text in
        ["gemini-3.8-flash", "gemini-2.5-pro", "default model on 2026-11-21: gemini-3.8-flash"]
    {
        assert!(list.contains(text), "{text}: {list}");
    }
    let one = mediaprep(&["models", "gemini-2.0-flash", DATE]).data;
    for text in ["1,048,576", "2.0/any/billed/2026-01", "source: ", "known answers: "] {
        assert!(one.contains(text), "{text}: {one}");
    }
    let all = json(&mediaprep(&["models", "--format=json", DATE]));
    assert!(all["models"].as_array().unwrap().len() > 30);
    assert_eq!(mediaprep(&["models", "gemini-9"]).status, Status::CouldNotRun);
}

#[test]
fn help_completions_and_manual_are_printed() {
    for (args, expected) in [
        (&["--help"][..], "Usage: mediaprep"),
        (&["budget", "--help"], "--media-resolution"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["completions", "bash"], "_mediaprep"),
        (&["man"], ".TH mediaprep"),
    ] {
        let ran = mediaprep(args);
        assert_eq!(ran.status, Status::Done, "{args:?}");
        assert!(ran.data.contains(expected), "{args:?}: {}", ran.data);
    }
}
