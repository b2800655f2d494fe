//! Splits every fixture, and damages every one of them.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use lopdf::{Document, Object};
use mediaprep_media::Limits;
use mediaprep_pdf::split::Splitter;
use mediaprep_pdf::{DocumentInfo, Error, PageSize, probe};
use proptest::prelude::*;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/pdf"))
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

/// Names and bytes of the fixtures that the manifest expects to be `expected`.
fn fixtures(expected: &str) -> Vec<(String, Vec<u8>)> {
    let text = fs::read_to_string(folder().join("MANIFEST.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let rows = manifest["file"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["expect"].as_str() == Some(expected));
    let names = rows.map(|row| row["path"].as_str().unwrap().to_owned());
    let files: Vec<_> = names.map(|name| (name.clone(), fixture(&name))).collect();
    assert!(files.len() >= 6, "the manifest has only {} such files", files.len());
    files
}

fn info(bytes: &[u8]) -> DocumentInfo {
    probe(&mut Cursor::new(bytes), &Limits::default(), None).unwrap().value
}

fn open(bytes: &[u8]) -> Splitter {
    Splitter::open(bytes, None, &Limits::default()).unwrap()
}

/// The content of all pages as another reader sees it; none where that reader does not open the
/// document or sees other pages.
fn contents(bytes: &[u8], pages: usize) -> Option<Vec<Vec<u8>>> {
    let document = hayro_syntax::Pdf::new(bytes.to_vec()).ok()?;
    let found = document.pages().iter();
    let found: Vec<_> = found.map(|page| page.page_stream().unwrap_or_default().to_vec()).collect();
    (found.len() == pages).then_some(found)
}

/// A part as both libraries read it.
fn check_part(name: &str, part: &[u8], sizes: &[PageSize]) -> Document {
    let found = probe(&mut Cursor::new(part), &Limits::default(), None).unwrap();
    assert!(!found.value.encrypted, "{name}");
    assert_eq!(found.value.page_sizes().collect::<Vec<_>>(), sizes, "{name}");
    let document = Document::load_mem(part).unwrap();
    assert_eq!(document.get_pages().len(), sizes.len(), "{name}");
    assert!(!document.was_encrypted() && document.xref_recovery.is_none(), "{name}");
    assert!(contents(part, sizes.len()).is_some(), "{name}");
    document
}

#[test]
fn each_page_alone_is_as_in_the_document() {
    let mut compared = 0;
    for (name, bytes) in fixtures("ok") {
        let (source, document) = (info(&bytes), open(&bytes));
        assert_eq!(document.pages(), source.pages(), "{name}");
        let pages = usize::try_from(source.pages()).unwrap();
        let expected = contents(&bytes, pages);
        for (at, size) in source.page_sizes().enumerate() {
            let part = document.extract(&[at as u64 + 1]).unwrap();
            check_part(&name, &part, &[size]);
            if let Some(expected) = &expected {
                assert_eq!(contents(&part, 1).unwrap()[0], expected[at], "{name}, page {at}");
                compared += usize::from(!expected[at].is_empty());
            }
        }
    }
    assert!(compared > 40, "only {compared} contents were compared");
}

#[test]
fn all_pages_together_are_the_document() {
    for (name, bytes) in fixtures("ok") {
        let source = info(&bytes);
        let all: Vec<u64> = (1..=source.pages()).collect();
        let document = open(&bytes);
        let copy = document.extract(&all).unwrap();
        let sizes: Vec<_> = source.page_sizes().collect();
        check_part(&name, &copy, &sizes);
        assert_eq!(copy, document.extract(&all).unwrap(), "{name} is not the same every time");
        // A copy of a copy loses nothing more.
        assert_eq!(copy, open(&copy).extract(&all).unwrap(), "{name}");
    }
}

#[test]
fn what_cannot_be_opened_cannot_be_split() {
    for (name, bytes) in fixtures("error") {
        let refused = Splitter::open(&bytes, None, &Limits::default()).unwrap_err();
        let locked = matches!(refused, Error::Encrypted { .. });
        assert_eq!(locked, name.starts_with("locked"), "{name}: {refused}");
    }
}

#[test]
fn passwords_open_what_is_locked() {
    for name in ["locked-rc4.pdf", "locked-aes128.pdf", "locked-aes256.pdf"] {
        let bytes = fixture(name);
        let open =
            |password: &str| Splitter::open(&bytes, Some(password.as_bytes()), &Limits::default());
        let parts =
            ["user", "owner"].map(|password| open(password).unwrap().extract(&[2]).unwrap());
        assert_eq!(parts[0], parts[1], "{name}");
        let content = contents(&parts[0], 1).unwrap().remove(0);
        assert!(content.windows(6).any(|word| word == b"Page 2"), "{name}");
        assert!(matches!(open("wrong"), Err(Error::Encrypted { .. })), "{name}");
    }
}

#[test]
fn pages_that_do_not_exist_are_refused() {
    let document = open(&fixture("mixed.pdf"));
    assert!(matches!(document.extract(&[]), Err(Error::Unsupported(_))));
    assert!(matches!(document.extract(&[1, 0]), Err(Error::Unsupported(_))));
    let message = document.extract(&[4]).unwrap_err().to_string();
    assert_eq!(message, "page number of 4 is above the limit of 3");
    let huge = document.extract(&[u64::MAX]);
    assert!(matches!(huge, Err(Error::Limit(_))));
}

#[test]
fn order_and_repetition_are_the_callers() {
    let bytes = fixture("mixed.pdf");
    let sizes: Vec<_> = info(&bytes).page_sizes().collect();
    let part = open(&bytes).extract(&[3, 1, 3]).unwrap();
    check_part("mixed.pdf", &part, &[sizes[2], sizes[0], sizes[2]]);
}

#[test]
fn parts_share_no_work() {
    let document = open(&fixture("pages-352.pdf"));
    let pages: Vec<u64> = (1..=352).collect();
    let parts = pages.chunks(44).map(|chunk| document.extract(chunk).unwrap());
    let parts: Vec<Vec<u8>> = parts.collect();
    assert_eq!(parts.len(), 8);
    for part in &parts {
        let part = Document::load_mem(part).unwrap();
        // Catalog, tree and pages; two object streams and the cross-reference.
        assert!(part.objects.len() <= 44 + 2 + 3, "{} objects", part.objects.len());
    }
    let longest = parts.iter().map(Vec::len).max().unwrap();
    assert!(longest < 4_000, "{longest} bytes for 44 empty pages");
}

#[test]
fn links_lead_to_no_other_page() {
    let document = open(&fixture("annotations.pdf"));
    let [first, second] = [1, 2].map(|page| document.extract(&[page]).unwrap());
    assert!(first.len() < 2_500, "{} bytes", first.len());
    assert!(second.len() > 2_500, "page 2 has a long comment");
    let first = Document::load_mem(&first).unwrap();
    let page = first.page_iter().next().unwrap();
    let annotations = first.get_page_annotations(page).unwrap();
    assert_eq!(annotations.len(), 6);
    let looks = annotations.iter().filter(|annotation| annotation.has(b"AP")).count();
    let links = annotations.iter().filter(|annotation| annotation.has(b"A")).count();
    assert_eq!((looks, links), (3, 1));
    let hidden =
        |annotation: &&&lopdf::Dictionary| annotation.get(b"F").unwrap().as_i64().unwrap() == 2;
    assert_eq!(annotations.iter().filter(hidden).count(), 1);
    assert!(annotations.iter().all(|annotation| !annotation.has(b"Dest")));
}

/// The names of the fields that a part's form lists.
fn field_names(part: &[u8]) -> BTreeSet<Vec<u8>> {
    let part = Document::load_mem(part).unwrap();
    let form = part.catalog().unwrap().get_deref(b"AcroForm", &part).unwrap().as_dict().unwrap();
    assert!(form.has(b"DR"));
    let fields = form.get_deref(b"Fields", &part).unwrap().as_array().unwrap();
    let names = fields.iter().map(|field| {
        let field = part.get_dictionary(field.as_reference().unwrap()).unwrap();
        field.get(b"T").unwrap().as_str().unwrap().to_vec()
    });
    names.collect()
}

#[test]
fn forms_keep_the_fields_of_their_pages() {
    let document = open(&fixture("form.pdf"));
    let names = [1, 2].map(|page| field_names(&document.extract(&[page]).unwrap()));
    let expected = [&["box0", "box1", "colour", "name", "pick"][..], &["place"]];
    for (found, expected) in names.iter().zip(expected) {
        let expected = expected.iter().map(|name| name.as_bytes().to_vec());
        assert_eq!(*found, expected.collect());
    }
    assert_eq!(field_names(&document.extract(&[1, 2]).unwrap()).len(), 6);
}

#[test]
fn hidden_layers_stay_hidden() {
    let document = open(&fixture("layers.pdf"));
    let layers = |page: u64| {
        let part = Document::load_mem(&document.extract(&[page]).unwrap()).unwrap();
        let layers = part.catalog().unwrap().get(b"OCProperties").unwrap().as_dict().unwrap();
        let count = |object: &Object| object.as_array().unwrap().len();
        let all = count(layers.get(b"OCGs").unwrap());
        let off = layers.get(b"D").unwrap().as_dict().unwrap().get(b"OFF").unwrap();
        let names = off.as_array().unwrap().iter().map(|layer| {
            let layer = part.get_dictionary(layer.as_reference().unwrap()).unwrap();
            layer.get(b"Name").unwrap().as_str().unwrap().to_vec()
        });
        (all, names.collect::<Vec<_>>())
    };
    assert_eq!(layers(1), (2, vec![b"Hidden".to_vec()]));
    assert_eq!(layers(2), (1, vec![]));
    // Without layers there is nothing to say of them.
    let plain = Document::load_mem(&open(&fixture("a4.pdf")).extract(&[1]).unwrap()).unwrap();
    assert!(!plain.catalog().unwrap().has(b"OCProperties"));
}

#[test]
fn resources_are_written_once() {
    let bytes = fixture("text.pdf");
    let document = open(&bytes);
    let objects = |pages: &[u64]| {
        let part = Document::load_mem(&document.extract(pages).unwrap()).unwrap();
        part.objects.len()
    };
    // A page more is one object more; its content and fonts are there already.
    assert_eq!(objects(&[1, 1]), objects(&[1]) + 1);
    assert_eq!(objects(&[1, 1, 1]), objects(&[1]) + 2);
}

/// A document without cross-reference: objects 1 and 2 are the frame, 3 is the page, and these
/// follow.
fn by_hand(page: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
        2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 9 9] >>\nendobj\n"
        .to_vec();
    bytes.extend(format!("3 0 obj\n<< /Type /Page {page} >>\nendobj\n").bytes());
    for (number, object) in (4..).zip(more) {
        bytes.extend(format!("{number} 0 obj\n").bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    bytes.extend(b"trailer << /Root 1 0 R >>");
    bytes
}

fn objects(part: &[u8]) -> usize {
    Document::load_mem(part).unwrap().objects.len()
}

#[test]
fn circles_and_long_chains_end() {
    let circle =
        [b"<< /A 5 0 R /Page 3 0 R /Top 2 0 R /Root 1 0 R >>".to_vec(), b"[4 0 R 5 0 R]".to_vec()];
    let part = open(&by_hand("/Resources << /X 4 0 R >>", &circle)).extract(&[1]).unwrap();
    // Catalog, tree, page and the two; the object stream and the cross-reference.
    assert_eq!(objects(&part), 7);
    let chain = (5..50_000).map(|next| format!("<< /Next {next} 0 R >>").into_bytes());
    let chain: Vec<_> = chain.collect();
    let part = open(&by_hand("/Resources << /X 4 0 R >>", &chain)).extract(&[1]).unwrap();
    assert!(objects(&part) > 49_000);
    let to_itself = open(&by_hand("/Contents 4 0 R", &[b"4 0 R".to_vec()]));
    assert_eq!(info(&to_itself.extract(&[1]).unwrap()).pages(), 1);
}

#[test]
fn nesting_is_cut_off() {
    for (open_with, close) in [("[", "]"), ("<< /A ", ">>")] {
        for depth in [60, 400, 100_000] {
            let nested = open_with.repeat(depth) + "7" + &close.repeat(depth);
            let bytes = by_hand("/Resources << /X 4 0 R >>", &[nested.into_bytes()]);
            let part = open(&bytes).extract(&[1]).unwrap();
            assert_eq!(info(&part).pages(), 1);
        }
    }
}

#[test]
fn streams_that_overlap_do_not_multiply() {
    // Each stream begins inside the one before and all end together.
    let count = 2_000;
    let mut nested = Vec::new();
    for number in 5..5 + count {
        nested.extend(format!("<< >>\nstream\n{number} 0 obj\n").bytes());
    }
    nested.extend(vec![b'x'; 100_000]);
    nested.extend(b"\nendstream");
    let all: String = (4..4 + count).map(|number| format!("{number} 0 R ")).collect();
    let document = open(&by_hand(&format!("/Contents [{all}]"), &[nested]));
    let refused = document.extract(&[1]).unwrap_err();
    assert!(matches!(refused, Error::Limit(_)), "{refused}");
}

#[test]
fn bombs_beside_the_pages_are_refused() {
    let bytes = fixture("bomb.pdf");
    // The same object stream, which now holds a font instead of the page tree.
    let start = bytes.windows(5).position(|word| word == b"2 0 o").unwrap() + 8;
    let end = bytes.windows(6).position(|word| word == b"endobj").unwrap();
    let end = end + 6 + bytes[end + 6..].windows(6).position(|word| word == b"endobj").unwrap();
    let bomb = bytes[start..end].to_vec();
    let refused = Splitter::open(&by_hand("/Contents 9 0 R", &[bomb]), None, &Limits::default());
    assert!(matches!(refused, Err(Error::Limit(_))), "{refused:?}");
}

#[test]
fn a_stream_without_an_end_is_as_long_as_it_says() {
    let content = b"<< /Length 9 >>\nstream\n0 0 9 9 re\nenxstream".to_vec();
    let part = open(&by_hand("/Contents 4 0 R", &[content])).extract(&[1]).unwrap();
    assert_eq!(contents(&part, 1).unwrap()[0].trim_ascii(), b"0 0 9 9 r");
}

#[test]
fn a_splitter_goes_to_other_threads_and_tells_no_secrets() {
    fn shared<T: Send + Sync>(_: &T) {}
    let document = open(&fixture("encrypted-aes256.pdf"));
    shared(&document);
    assert_eq!(format!("{document:?}"), "Splitter { pages: 2, .. }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_selection_gives_its_pages(
        which in 0usize..5,
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let name =
            ["mixed.pdf", "object-streams.pdf", "encrypted-aes128.pdf", "rotated.pdf", "form.pdf"][which];
        let bytes = fixture(name);
        let sizes: Vec<_> = info(&bytes).page_sizes().collect();
        let chosen: Vec<usize> = picks.iter().map(|pick| pick.index(sizes.len())).collect();
        let numbers: Vec<u64> = chosen.iter().map(|&at| at as u64 + 1).collect();
        let part = open(&bytes).extract(&numbers).unwrap();
        let expected: Vec<_> = chosen.iter().map(|&at| sizes[at]).collect();
        check_part(name, &part, &expected);
    }
}

#[test]
fn damage_gives_an_error_or_a_document() {
    let mut limits = Limits::default();
    limits.max_probe_memory = 4 << 20;
    let mut parts = 0;
    let mut split = |bytes: &[u8]| {
        let Ok(document) = Splitter::open(bytes, None, &limits) else { return };
        if let Ok(part) = document.extract(&[1]) {
            assert_eq!(info(&part).pages(), 1);
            parts += 1;
        }
    };
    for (_, bytes) in fixtures("ok").into_iter().chain(fixtures("error")) {
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 40) {
            split(&bytes[..length]);
        }
        let mut damaged = bytes.clone();
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 100) {
            for flip in [0x01, 0xff] {
                damaged[at] ^= flip;
                split(&damaged);
                damaged[at] = bytes[at];
            }
        }
    }
    assert!(parts > 1_000, "only {parts} damaged files gave a page");
}
