//! The page of `report`: the sums of `budget`, hostile names, caps, and what a browser makes of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mediaprep::image::{Chroma, Encoding, OutputFormat, encode};
use mediaprep::media::{Dimensions, PixelFormat, Raster};
use mediaprep_cli::Status;
use mediaprep_tests::{Ran, fixtures, mediaprep};
use serde_json::Value;

/// Runs `report` to standard output with a date, so that a page can be compared with a later one.
fn report(args: &[&str]) -> Ran {
    let mut all = vec!["report", "--html", "-", "--on", "2026-11-21", "--quiet"];
    all.extend(args);
    mediaprep(&all)
}

fn budget(args: &[&str]) -> (Ran, Value) {
    let mut all = vec!["budget", "--json", "--on", "2026-11-21", "--quiet"];
    all.extend(args);
    let ran = mediaprep(&all);
    let json = serde_json::from_str(&ran.data).unwrap();
    (ran, json)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What the page says to programs.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"data\">").expect("the page has its data");
    serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap()
}

/// A JPEG of noise, which nothing compresses well, different for each `seed`.
fn noise(side: u32, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let pixels = (0..side * side * 3).map(|_| next()).collect();
    let size = Dimensions::new(side, side).unwrap();
    let raster = Raster::new(size, PixelFormat::Rgb8, pixels).unwrap();
    let encoding = Encoding { format: OutputFormat::Jpeg, quality: 80, chroma: Chroma::Auto };
    encode(&raster, &encoding).unwrap()
}

/// The elements of a page, each with its attributes as written, after a check that all of them are
/// closed in turn and that nothing stands where only text may.
fn elements(page: &str) -> Vec<(String, String)> {
    const VOID: [&str; 5] = ["meta", "img", "input", "br", "link"];
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a page of HTML");
    let (mut open, mut all): (Vec<String>, Vec<_>) = (Vec::new(), Vec::new());
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "a bare `>` in {before:?}");
        let (tag, after) = after.split_once('>').expect("every tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed in turn");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "an odd element: {name:?}");
        assert_eq!(attributes.matches('"').count() % 2, 0, "odd quotes: {attributes:?}");
        let outside: String = attributes.split('"').step_by(2).collect();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-= ".contains(c);
        assert!(outside.chars().all(plain), "an odd attribute: {attributes:?}");
        all.push((name.to_owned(), attributes.to_owned()));
        if VOID.contains(&name) {
            continue;
        }
        if matches!(name, "script" | "style") {
            let (_, after) = rest.split_once(&format!("</{name}>")).expect("it ends");
            rest = after;
            continue;
        }
        open.push(name.to_owned());
    }
    assert!(open.is_empty(), "{open:?} stay open");
    all
}

fn count(elements: &[(String, String)], name: &str) -> usize {
    elements.iter().filter(|(found, _)| found == name).count()
}

#[test]
fn the_sums_are_those_of_budget() {
    let folder = fixtures();
    let settings: [&[&str]; 4] = [
        &["--model", "gemini-2.0-flash"],
        &["--requests", "each", "--model", "gemini-2.5-pro", "--service", "vertex"],
        &["--compare", "gemini-2.5-flash,gemini-2.5-pro", "--prompt", "What is this?"],
        &["--batch", "--model", "gemini-2.5-flash", "--media-resolution", "low"],
    ];
    for setting in settings {
        let mut args = vec![text(&folder)];
        args.extend(setting);
        let (counted, mut expected) = budget(&args);
        args.extend(["--thumbnails", "0"]);
        let ran = report(&args);
        assert_eq!(ran.status, counted.status, "{setting:?}");
        let items = expected.as_object_mut().unwrap().remove("items").unwrap();
        expected["command"] = "report".into();
        let found = data(&ran.data);
        assert_eq!(found, expected, "{setting:?}");
        let total = found["totals"]["tokens"]["total"].as_u64().unwrap();
        assert!(total > 10_000);
        let rows = ran.data.split("<tr data-name=").skip(1);
        let tokens = rows.map(|row| {
            let (_, rest) = row.split_once("data-tokens=\"").unwrap();
            rest.split('"').next().unwrap().parse::<u64>().unwrap()
        });
        let in_files = |item: &Value| item["tokens"]["total"].as_u64().unwrap_or(0);
        let of_items: u64 = items.as_array().unwrap().iter().map(in_files).sum();
        assert_eq!(tokens.sum::<u64>(), of_items, "{setting:?}");
        elements(&ran.data);
    }
}

#[test]
fn hostile_names_stay_text() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "<script>alert(1)<",
        "\"><img src=x onerror=alert(1)>.jpg",
        "' onmouseover='x.jpg",
        "&lt;b&gt;&quot;.jpg",
        "\u{202e}gpj.exe\n\u{1b}[31m.jpg",
    ];
    for (seed, name) in (0..).zip(names) {
        fs::write(folder.path().join(name), noise(8, seed)).unwrap();
    }
    let script = folder.path().join("</script><script>alert(2)");
    fs::create_dir_all(script.parent().unwrap()).unwrap();
    fs::write(&script, noise(8, 77)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe-odd.jpg");
        fs::write(folder.path().join(odd), noise(8, 99)).unwrap();
    }
    fs::write(folder.path().join("<b>broken.png"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
    let plain = tempfile::tempdir().unwrap();
    for seed in 0..4 {
        fs::write(plain.path().join(format!("{seed}.jpg")), noise(8, seed)).unwrap();
    }
    let (page, tame) = (report(&[text(folder.path())]), report(&[text(plain.path())]));
    let (found, expected) = (elements(&page.data), elements(&tame.data));
    let kinds = |all: &[(String, String)]| -> BTreeSet<String> {
        all.iter().map(|(name, _)| name.clone()).collect()
    };
    let new: Vec<_> = kinds(&found).difference(&kinds(&expected)).cloned().collect();
    assert!(
        new.iter().all(|name| matches!(name.as_str(), "details" | "summary" | "em")),
        "{new:?}"
    );
    assert_eq!(count(&found, "script"), 2);
    assert!(found.iter().all(|(_, attributes)| !attributes.contains(" onerror=")
        || attributes.contains("&lt;img src=x onerror=alert(1)&gt;")));
    assert!(page.data.contains("&lt;script&gt;alert(1)&lt;"));
    assert!(page.data.contains("&amp;lt;b&amp;gt;&amp;quot;.jpg"));
    assert!(page.data.contains("&lt;b&gt;broken.png"), "a failed file is named");
    assert!(!page.data.contains('\u{1b}'));
    #[cfg(unix)]
    assert!(page.data.contains("\u{fffd}\u{fffd}-odd.jpg"));
    assert_eq!(page.status, Status::Failed);
}

#[test]
fn threads_change_no_byte() {
    let (images, pdf, video) =
        (fixtures().join("images"), fixtures().join("pdf"), fixtures().join("video"));
    let page = |threads: &str| {
        let inputs = [text(&images), text(&pdf), text(&video)];
        let settings = ["--requests", "each", "--model", "gemini-2.5-pro", "--service", "vertex"];
        report(&[&inputs[..], &settings, &["--threads", threads]].concat()).data
    };
    let first = page("1");
    for threads in ["1", "2", "5"] {
        assert!(page(threads) == first, "{threads} threads give another page");
    }
    let all = elements(&first);
    assert!(count(&all, "img") > 80, "{} pictures", count(&all, "img"));
    assert!(first.contains("p. 3") && count(&all, "rect") > 30);
    assert_eq!(first.contains(" at 00:18\""), cfg!(feature = "ffmpeg"), "a film-strip");
    loads_nothing(&all, &first);
}

/// Nothing is referred to that lies outside the page.
fn loads_nothing(all: &[(String, String)], page: &str) {
    let mut checked = 0;
    for (name, attributes) in all {
        for key in ["src=\"", "href=\"", "action=\"", "srcset=\"", "poster=\"", "data=\""] {
            let found = format!(" {attributes}");
            for value in found.split(&format!(" {key}")).skip(1) {
                checked += 1;
                let inside = value.starts_with("data:image/jpeg;base64,") || value.starts_with('#');
                assert!(inside, "{name}: {}", &value[..value.len().min(60)]);
            }
        }
    }
    assert!(checked > 0);
    let (_, style) = page.split_once("<style>").unwrap();
    let style = style.split("</style>").next().unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"));
    let script = page.rsplit_once("<script>").unwrap().1;
    let network = ["fetch(", "XMLHttpRequest", "WebSocket", "import(", "sendBeacon", "innerHTML"];
    assert!(network.iter().all(|word| !script.contains(word)));
    assert!(page.contains("default-src &apos;none&apos;") || page.contains("default-src 'none'"));
}

#[test]
fn tiles_are_drawn_where_they_are_charged() {
    let (photo, small) = (
        fixtures().join("images/photo-landscape-12mp.jpg"),
        fixtures().join("images/screenshot-1080p.png"),
    );
    let on = |inputs: &[&str], setting: &[&str]| {
        let ran = report(&[inputs, setting].concat());
        assert_eq!(ran.status, Status::Done, "{}", ran.notes);
        let (_, gallery) = ran.data.split_once("class=\"gallery\"").unwrap();
        gallery.split("</ol>").next().unwrap().to_owned()
    };
    let vertex = ["--model", "gemini-2.5-pro", "--service", "vertex"];
    let cut = on(&[text(&photo)], &vertex);
    assert_eq!(cut.matches("<rect").count(), 12);
    assert!(cut.contains("viewBox=\"0 0 3072 2304\"") && cut.contains("4 × 3 tiles + overview"));
    assert!(cut.contains("<rect x=\"2304\" y=\"1536\" width=\"768\" height=\"768\">"));
    // Gemini 2.0 charges tiles of a picture that is alone in its request, and none of several.
    let alone = on(&[text(&photo)], &["--model", "gemini-2.0-flash"]);
    assert!(alone.matches("<rect").count() > 1);
    let several = on(&[text(&photo), text(&small)], &["--model", "gemini-2.0-flash"]);
    assert_eq!(several.matches("<rect").count(), 0);
    assert_eq!(several.matches("Whole picture, default level: ").count(), 2);
    let three = ["--model", "gemini-3.5-flash", "--media-resolution", "medium"];
    let whole = on(&[text(&photo)], &three);
    assert_eq!(whole.matches("<rect").count(), 0);
    assert!(whole.contains("Whole picture, level medium: 4032 × 3024: 27 × 20 cells"), "{whole}");
}

#[test]
fn a_thousand_files_stay_below_five_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..1000 {
        fs::write(folder.path().join(format!("{seed:04}.jpg")), noise(100, seed)).unwrap();
    }
    let page = report(&[text(folder.path()), "--requests", "each"]);
    assert_eq!(page.status, Status::Done, "{}", page.notes);
    let all = elements(&page.data);
    assert_eq!((count(&all, "img"), page.data.matches("<tr data-name=").count()), (200, 1000));
    assert!(page.data.contains("800 more files only in the table"));
    let full = report(&[text(folder.path()), "--requests", "each", "--thumbnails", "1000"]);
    let pictures = count(&elements(&full.data), "img");
    assert!((200..1000).contains(&pictures), "{pictures}");
    let left_out = format!("{} pictures left out to keep the page small", 1000 - pictures);
    assert!(full.data.contains(&left_out), "{pictures}");
    for page in [page, full] {
        assert!(page.data.len() < 5_000_000, "{} bytes", page.data.len());
    }
}

#[test]
fn a_hundred_thousand_facts_are_summed_and_not_all_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (facts, mut lines) = (folder.path().join("facts.ndjson"), String::new());
    let long = "x".repeat(3000);
    for at in 0..100_000 {
        let name = if at % 100 == 0 { long.as_str() } else { "pic" };
        let (side, below) = (100 + at % 3000, at % 3001);
        let _ = writeln!(
            lines,
            r#"{{"path":"all/{below}/{name}-{at}.png","kind":"image","width":{side},"height":900}}"#
        );
    }
    fs::write(&facts, lines).unwrap();
    let args = ["--facts", text(&facts), "--model", "gemini-2.5-pro", "--service", "vertex"];
    let page = report(&args);
    assert!(page.data.len() < 5_000_000, "{} bytes", page.data.len());
    let (counted, expected) = budget(&args);
    assert_eq!(page.status, counted.status);
    assert_eq!(data(&page.data)["totals"], expected["totals"]);
    assert_eq!(page.data.matches("<tr data-name=").count(), 2000);
    assert!(page.data.contains("The 2,000 dearest files are listed; 98,000 more files with "));
    assert!(page.data.contains(" more folders, "));
    assert!(page.data.contains("only its facts are known"));
    elements(&page.data);
}

#[test]
fn bad_files_are_listed_and_the_status_is_that_of_budget() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.jpg"), noise(30, 1)).unwrap();
    // Its header is whole and its pixels are missing: it is counted and cannot be seen.
    let cut = &noise(300, 2)[..700];
    fs::write(folder.path().join("cut.avif"), b"\0\0\0\x1cftypavif\0\0\0\0").unwrap();
    fs::write(folder.path().join("cut.jpg"), cut).unwrap();
    fs::write(folder.path().join("notes.txt"), "no media").unwrap();
    let missing = folder.path().join("missing.png");
    let args = [text(folder.path()), text(&missing)];
    let (page, (counted, json)) = (report(&args), budget(&args));
    assert_eq!((page.status, counted.status), (Status::Failed, Status::Failed));
    let failed = json["items"].as_array().unwrap().iter().filter(|item| !item["error"].is_null());
    let mut seen = 0;
    let (_, list) = page.data.split_once("id=\"failures\"").unwrap();
    let list = list.split("</section>").next().unwrap();
    for item in failed {
        seen += 1;
        assert!(list.contains(item["path"].as_str().unwrap()));
        let hint = item["error"]["hint"].as_str().unwrap();
        assert!(list.contains(hint), "{hint}");
    }
    assert!(seen >= 2, "{seen} failed");
    assert!(list.contains("missing.png") && list.contains("No such file"));
    assert!(page.data.contains("skipped, no media"));
}

#[test]
fn the_page_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let photo = fixtures().join("images/jpeg-exif-6.jpg");
    let page = folder.path().join("page.html");
    fs::write(&page, "older").unwrap();
    let to = |target: &Path, settings: &[&str]| {
        mediaprep(&[&["report", text(&photo), "--html", text(target)], settings].concat())
    };
    let ran = to(&page, &["--model", "no-such-model"]);
    assert_eq!(ran.status, Status::CouldNotRun);
    assert_eq!(fs::read_to_string(&page).unwrap(), "older");
    let ran = to(&page, &[]);
    assert_eq!((ran.status, ran.data.as_str()), (Status::Done, ""));
    assert!(ran.notes.contains("page.html"), "{}", ran.notes);
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    for bad in [folder.path().join("no/such/page.html"), folder.path().to_owned()] {
        let ran = to(&bad, &[]);
        assert_eq!(ran.status, Status::CouldNotRun, "{}", ran.notes);
        assert!(ran.notes.contains("--html") && ran.notes.contains("hint: "), "{}", ran.notes);
    }
    assert_eq!(to(&page, &["--max-tokens", "10"]).status, Status::Failed);
}

/// A browser without a window: what it says of a page in its log, and the page's elements after its
/// script has run.
fn browse(program: &Path, page: &Path, settings: &[String]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=20000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(settings)
        .arg(format!("file://{}#selftest", page.display()))
        .stdin(Stdio::null());
    let done = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (log, dom) = (text(done.stderr), text(done.stdout));
    assert!(done.status.success(), "{log}");
    let wrong: Vec<_> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    (log, dom)
}

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut all = std::env::split_paths(&path).flat_map(|f| names.map(|name| f.join(name)));
    all.find(|program| program.is_file())
}

/// What the page found out about itself, from its elements or those of a page around it.
fn selftest(dom: &str) -> Value {
    let (_, rest) = dom.split_once("data-selftest=\"").expect("the page's script has run");
    let text = rest.split('"').next().unwrap().replace("&quot;", "\"");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_browser_shows_it_without_complaint() {
    let Some(program) = chromium() else {
        assert!(std::env::var_os("CI").is_none(), "Chromium is not installed");
        println!("skipped: Chromium is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (page, frame) = (folder.path().join("page.html"), folder.path().join("frame.html"));
    let long = folder.path().join(format!("{}.jpg", "unbroken".repeat(25)));
    fs::write(&long, noise(40, 3)).unwrap();
    let inputs = [text(&fixtures()).to_owned(), text(&long).to_owned()];
    let ran = mediaprep(&[
        "report",
        &inputs[0],
        &inputs[1],
        "--html",
        text(&page),
        "--on=2026-11-21",
        "--compare=gemini-2.5-flash,gemini-2.5-pro",
        "--quiet",
    ]);
    assert_ne!(ran.status, Status::CouldNotRun, "{}", ran.notes);
    let rows = fs::read_to_string(&page).unwrap().matches("<tr data-name=").count();
    // A window is never narrower than 500 pixels; a frame is.
    for width in [360, 700, 1280] {
        let around = format!(
            "<!doctype html><body><iframe width={width} height=900 src='page.html#selftest'></iframe>\
             <script>onmessage = (event) => {{ document.body.dataset.selftest = event.data }}</script>"
        );
        fs::write(&frame, around).unwrap();
        let (_, dom) = browse(&program, &frame, &["--dump-dom".to_owned()]);
        let found = selftest(&dom);
        assert_eq!(found["width"].as_u64(), Some(width), "{found}");
        assert!(found["overflow"].as_i64().is_some_and(|more| more <= 0), "{width}: {found}");
        assert_eq!(found["rows"].as_u64(), Some(rows as u64));
        assert_eq!((&found["ascending"], &found["restored"]), (&true.into(), &true.into()));
        assert!(found["filtered"].as_u64().is_some_and(|some| some >= 1 && some < rows as u64));
    }
    let (_, dom) = browse(&program, &page, &["--dump-dom".to_owned()]);
    assert_eq!(dom.matches("<tr data-name=").count(), rows);
    assert_eq!(selftest(&dom)["rows"].as_u64(), Some(rows as u64));
    for size in ["360,800", "1280,900"] {
        let shot = folder.path().join(format!("{size}.png"));
        let settings =
            [format!("--screenshot={}", shot.display()), format!("--window-size={size}")];
        browse(&program, &page, &settings);
        assert!(fs::metadata(&shot).is_ok_and(|shot| shot.len() > 10_000), "{size}");
    }
}
