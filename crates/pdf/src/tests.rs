//! Whole documents, by every way of reading them.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use mediaprep_media::MeteredSource;
use proptest::prelude::*;

use super::*;

/// The PDFs of the fixtures and, where it is present, of the shared media set.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = root.join("../../../shared/media");
    let mut folders =
        vec![root.join("../../fixtures/pdf"), shared.join("pdf"), shared.join("broken")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "pdf") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() > 25, "only {} documents were found", found.len());
    found
}

fn probe_bytes(bytes: &[u8]) -> Result<Warned<DocumentInfo>, Error> {
    probe(&mut Cursor::new(bytes), &Limits::default(), None)
}

#[test]
fn reading_in_blocks_and_reading_whole_agree() {
    for path in documents() {
        let mut file = Cursor::new(fs::read(&path).unwrap());
        let limits = Limits::default();
        let in_blocks = read(&mut file, &limits, None, 0).map_err(Error::from);
        let whole = read(&mut file, &limits, None, u64::MAX).map_err(Error::from);
        assert_eq!(format!("{in_blocks:?}"), format!("{whole:?}"), "{}", path.display());
    }
}

#[test]
fn the_repair_agrees_with_the_cross_reference() {
    let mut compared = 0;
    for path in documents() {
        let mut file = Cursor::new(fs::read(&path).unwrap());
        let limits = Limits::default();
        let mut objects = Objects::new(Bytes::new(&mut file, &limits, WHOLE).unwrap());
        let Ok(regular) = regular(&mut objects, &limits, None) else { continue };
        // Objects of older revisions come to life again in a repair.
        let repaired = repaired(&mut objects, &limits, None);
        let repaired = repaired.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        assert_eq!(regular.runs, repaired.runs, "{}", path.display());
        compared += 1;
    }
    assert!(compared > 15, "only {compared} documents were compared");
}

/// Documents that `hayro_syntax` reads differently, and why.
const DIFFERENT: [(&str, &str); 8] = [
    ("bomb.pdf", "it would unpack 300 MB"),
    ("cycle.pdf", "a page that is listed twice counts once"),
    ("twice.pdf", "a page that is listed twice counts once"),
    ("no-box.pdf", "a page without a box is A4"),
    ("fuzz-16214.pdf", "a page without a box is A4"),
    ("disjoint-crop.pdf", "a page whose boxes are disjoint is A4"),
    ("object-stream-self-ref.pdf", "it finds no page, where qpdf finds one"),
    ("23172.fuzz.pdf", "it drops a page whose dictionary is damaged, where poppler has 30"),
];

#[test]
fn a_library_that_reads_everything_agrees() {
    let mut compared = 0;
    for path in documents() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        let Ok(ours) = probe_bytes(&bytes) else { continue };
        if DIFFERENT.iter().any(|(different, _)| *different == name) {
            continue;
        }
        let theirs = hayro_syntax::Pdf::new(bytes).unwrap_or_else(|_| panic!("{name}"));
        let theirs: Vec<_> = theirs.pages().iter().map(|page| page.render_dimensions()).collect();
        let ours: Vec<_> = ours.value.page_sizes().map(PageSize::displayed).collect();
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            let near = |ours: u32, theirs: f32| (ours as f32 - theirs * 1000.0).abs() < 2.0;
            assert!(
                near(ours.0, theirs.0) && near(ours.1, theirs.1),
                "{name}: {ours:?} {theirs:?}"
            );
        }
        compared += 1;
    }
    assert!(compared > 15, "only {compared} documents were compared");
}

/// A document of the given objects, the first of which is the catalog.
fn document(objects: &[String]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(objects) {
        table += &format!("{:010} 00000 n \n", bytes.len());
        bytes.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let start = bytes.len();
    table += &format!("trailer\n<< /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    bytes.extend_from_slice(table.as_bytes());
    bytes
}

const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R >>";

fn branch(kids: &str) -> String {
    format!("<< /Type /Pages /Kids [{kids}] >>")
}

#[test]
fn a_large_file_is_not_read_through() {
    let kids: String = (0..300).map(|page| format!("{} 0 R ", 3 + page * 2)).collect();
    let mut objects = vec![CATALOG.to_owned(), branch(&kids)];
    let content = "0 0 m 612 792 l S ".repeat(3900);
    for page in 0..300 {
        let contents = 4 + page * 2;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 {}] /Contents {contents} 0 R \
             /Resources << /ProcSet [/PDF] >> >>",
            700 + page
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let bytes = document(&objects);
    let length = bytes.len() as u64;
    assert!(length > 20_000_000);
    let mut source = MeteredSource::new(Cursor::new(bytes), length, 64, u64::MAX).unwrap();
    let found = probe(&mut source, &Limits::default(), None).unwrap();
    assert_eq!((found.value.runs.len(), found.value.pages()), (300, 300));
    println!("{} of {length} bytes", source.bytes_read());
    assert!(source.bytes_read() < length / 50, "{} of {length} bytes", source.bytes_read());
}

#[test]
fn nesting_without_end_is_harmless() {
    for unit in ["[", "<< /Kids ", "(", "<< /Kids ["] {
        let bomb = unit.repeat(300_000);
        for objects in [
            vec![CATALOG.to_owned(), bomb.clone()],
            vec![CATALOG.to_owned(), branch("3 0 R"), format!("<< /MediaBox {bomb} >>")],
            vec![format!("<< /Pages {bomb} >>")],
        ] {
            let _ = probe_bytes(&document(&objects));
        }
    }
}

#[test]
fn deep_trees_end() {
    let mut objects = vec![CATALOG.to_owned()];
    objects.extend((2..30_000).map(|number| branch(&format!("{} 0 R", number + 1))));
    objects.push("<< /Type /Page /MediaBox [0 0 5 5] >>".to_owned());
    assert_eq!(probe_bytes(&document(&objects)).unwrap().value.pages(), 1);
}

#[test]
fn shared_branches_do_not_multiply() {
    let mut objects = vec![CATALOG.to_owned()];
    objects.extend((2..60).map(|number| branch(&format!("{0} 0 R {0} 0 R", number + 1))));
    objects.push("<< /Type /Page >>".to_owned());
    assert_eq!(probe_bytes(&document(&objects)).unwrap().value.pages(), 2);
}

#[test]
fn too_many_pages_are_refused() {
    let objects = [CATALOG.to_owned(), branch(&"3 0 R ".repeat(2000)), "<<>>".to_owned()];
    let bytes = document(&objects);
    assert_eq!(probe_bytes(&bytes).unwrap().value.pages(), 2000);
    let mut limits = Limits::default();
    limits.max_pages = 1999;
    let refused = probe(&mut Cursor::new(bytes), &limits, None).unwrap_err();
    assert!(matches!(refused, Error::Limit(limit) if limit.what == "page count"));
}

#[test]
fn an_incomplete_cross_reference_hides_no_page() {
    let page = "<< /Type /Page /MediaBox [0 0 5 5] >>".to_owned();
    let top = "<< /Type /Pages /Count 2 /Kids [3 0 R 4 0 R] >>".to_owned();
    let whole = document(&[CATALOG.to_owned(), top, page.clone(), page]);
    let text = String::from_utf8(whole).unwrap();
    let shorter = text.replace("xref\n0 5", "xref\n0 4");
    let entry = shorter.rfind(" n \ntrailer").unwrap() - 16;
    let shorter = [&shorter[..entry], &shorter[entry + 20..]].concat();
    let found = probe_bytes(shorter.as_bytes()).unwrap();
    assert_eq!((found.value.pages(), found.warnings.len()), (2, 1));
}

#[test]
fn encryption_is_told_apart() {
    let with = |encrypt: &str| {
        let objects = [CATALOG.to_owned(), branch("3 0 R"), "<<>>".to_owned(), encrypt.to_owned()];
        let text = String::from_utf8(document(&objects)).unwrap();
        let text = text.replace("/Root 1 0 R", "/Root 1 0 R /Encrypt 4 0 R /ID [<00> <00>]");
        probe_bytes(text.as_bytes())
    };
    assert!(matches!(with("<< /Filter /Certificates >>"), Err(Error::Unsupported(_))));
    assert!(matches!(with("<< /Filter /Standard /V 1 >>"), Err(Error::Malformed { .. })));
    let other =
        format!("<< /Filter /Standard /V 1 /R 2 /P -4 /O ({0}) /U ({0}) >>", "x".repeat(32));
    assert!(matches!(with(&other), Err(Error::Encrypted { .. })));
    assert!(!with("null").unwrap().value.encrypted);
}

#[test]
fn bombs_are_refused_at_once() {
    let bomb = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/pdf/bomb.pdf"));
    assert!(matches!(probe_bytes(&bomb.unwrap()), Err(Error::Limit(_))));
}

#[test]
fn a_page_that_is_read_again_and_again_uses_up_the_work() {
    let page = format!("<< /Type /Page /Junk ({}) >>", "x".repeat(1_000_000));
    let objects = [CATALOG.to_owned(), branch(&"3 0 R ".repeat(90_000)), page];
    assert!(matches!(probe_bytes(&document(&objects)), Err(Error::Limit(_))));
}

/// Pages of random sizes in a tree whose branches have up to four children.
fn tree() -> impl Strategy<Value = Vec<(u32, u32, i32)>> {
    proptest::collection::vec((1u32..5000, 1u32..5000, -8i32..8), 1..40)
}

/// Writes the tree under object 2; gives the number of the object that was written.
fn plant(objects: &mut Vec<String>, pages: &[(u32, u32, i32)], at: usize) {
    if let [(width, height, turns)] = pages {
        let rotate = turns * 90;
        objects[at] = format!("<< /MediaBox [0 0 {width}.5 {height}] /Rotate {rotate} >>");
        return;
    }
    let mut kids = String::new();
    for part in pages.chunks(pages.len().div_ceil(4)) {
        objects.push(String::new());
        let child = objects.len() - 1;
        plant(objects, part, child);
        kids += &format!("{} 0 R ", child + 1);
    }
    objects[at] = branch(&kids);
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = probe_bytes(&bytes);
    }

    #[test]
    fn trees_are_walked_in_order(pages in tree(), repair in any::<bool>()) {
        let mut objects = vec![CATALOG.to_owned(), String::new()];
        if pages.len() == 1 {
            objects.push(String::new());
            plant(&mut objects, &pages, 2);
            objects[1] = branch("3 0 R");
        } else {
            plant(&mut objects, &pages, 1);
        }
        let mut bytes = document(&objects);
        if repair {
            bytes.truncate(bytes.len() - 20);
        }
        let found = probe_bytes(&bytes).unwrap();
        let expected: Vec<_> = pages
            .iter()
            .map(|&(width, height, turns)| PageSize {
                width: width * 1000 + 500,
                height: height * 1000,
                rotation: Rotation::from_degrees(i64::from(turns) * 90),
                user_unit: 1000,
            })
            .collect();
        prop_assert_eq!(found.value.page_sizes().collect::<Vec<_>>(), expected);
        prop_assert_eq!(found.warnings.is_empty(), !repair);
    }
}
