//! Rule files that extend the book, and the errors of those that cannot.

use mediaprep_tokens::{LoadError, Meter, RuleBook, RuleKey, Service, parse_request};

const DOCS: &str = include_str!("../../../docs/rule-book.md");

fn asked(model: &str, service: Service, date: &str) -> RuleKey {
    let date = date.parse().expect("the date is written in a test");
    RuleKey { model: model.to_owned(), service, meter: Meter::Billed, date }
}

/// A rule file with one row; `fields` replaces the picture line.
fn rule_file(id: &str, fields: &str) -> String {
    format!(
        "schema = 1\n[[rule]]\nid = \"{id}\"\nmodels = [\"my-model\"]\nservice = \"vertex\"\n\
         meter = \"billed\"\nsince = \"2026-01-01\"\nsources = [\"here\"]\n{fields}\n"
    )
}

const FLAT: &str = "image = { kind = \"flat\", default = 9, evidence = \"measured\" }\n\
                    known = [{ request = \"image 5x5\", tokens = [9] }]";

#[test]
fn a_rule_file_adds_and_replaces_rows() {
    let mut book = RuleBook::builtin();
    let before = book.rows().len();
    book.extend(&rule_file("mine", FLAT)).unwrap();
    let asked = asked("my-model", Service::Vertex, "2026-11-21");
    assert_eq!(book.find(&asked).unwrap().row.id, "mine");
    book.extend(&rule_file("mine", &FLAT.replace('9', "8"))).unwrap();
    assert_eq!(book.rows().len(), before + 1);
    let items = parse_request("image 5x5").unwrap();
    assert_eq!(book.find(&asked).unwrap().row.count(&items, "my-model").total().tokens, 8);
}

#[test]
fn bad_rule_files_name_the_row_and_change_nothing() {
    let mut book = RuleBook::builtin();
    let before = book.rows().len();
    for (file, wanted) in [
        (rule_file("a", ""), ""),
        (rule_file("a", &FLAT.replace("known", "knwon")), "unknown field `knwon`"),
        (rule_file("a", &FLAT.replace("default", "defualt")), "unknown field `defualt`"),
        (rule_file("a", &FLAT.replace("[9]", "[8]")), "`image 5x5` is 9 by the row and 8"),
        (rule_file("a", &FLAT.replace("5x5", "5y5")), "is no item of a request"),
        (rule_file("a", FLAT.split('\n').next().unwrap()), "charges but has no known answer"),
        (rule_file("a", &format!("until = \"2025-01-01\"\n{FLAT}")), "is before since"),
        (rule_file("a", &format!("measured_on = [\"other\"]\n{FLAT}")), "is no model of the row"),
        (rule_file("a", &FLAT.replace("flat", "aspect-fit").replace('9', "0")), "budget of 0"),
        (rule_file("a", &FLAT.replace("image =", "frame =")), "`frame` needs `frames` beside it"),
        (rule_file("a", FLAT).replace("2026-01-01", "2026-02-30"), "no date of the form"),
    ] {
        match book.extend(&file) {
            Ok(()) => assert!(wanted.is_empty(), "{file}"),
            Err(error) => {
                let text = error.to_string();
                assert!(!wanted.is_empty() && text.contains(wanted), "{text}\n{file}");
                assert!(text.contains("row `a`"), "the row is not named: {text}");
            }
        }
    }
    assert!(matches!(book.extend("schema = 2"), Err(LoadError::Schema { found: 2 })));
    assert!(matches!(book.extend("nonsense"), Err(LoadError::Syntax { row: None, .. })));
    assert_eq!(book.rows().len(), before + 1, "only the empty row came in");
}

#[test]
fn overlapping_rows_are_refused_with_both_ids() {
    let mut book = RuleBook::builtin();
    let file = rule_file("mine", FLAT).replace("my-model", "gemini-2.0-flash");
    let error = book.extend(&file).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rows `2.0/any/billed/2026-01` and `mine` both hold for gemini-2.0-flash on vertex by billed"
    );
    book.extend(&file.replace("sources", "lookup = false\nsources")).unwrap();
    let twice =
        format!("{}{}", rule_file("x", FLAT), rule_file("x", FLAT).replace("schema = 1", ""));
    assert!(matches!(book.extend(&twice), Err(LoadError::Duplicate { row }) if row == "x"));
}

#[test]
fn the_documented_example_row_loads_and_counts() {
    let example = DOCS
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.contains("schema = 1"))
        .expect("docs/rule-book.md has a whole example file");
    let mut book = RuleBook::builtin();
    book.extend(example).unwrap();
    let asked = asked("example-5-flash", Service::DeveloperApi, "2027-03-01");
    let row = book.find(&asked).unwrap().row;
    let items = parse_request("image 768x512").unwrap();
    assert_eq!(row.count(&items, "example-5-flash").items[0].clone().unwrap().tokens(), 1080);
}

/// A rule file with one row of sampling parameters; `fields` is the rest of the row.
fn sampling_file(id: &str, fields: &str) -> String {
    format!(
        "schema = 1\n[[sampling]]\nid = \"{id}\"\nfamilies = [\"2.5\"]\n\
         service = [\"developer-api\"]\nsince = \"2025-03-25\"\nsources = [\"here\"]\n{fields}\n"
    )
}

const COLD: &str = "temperature = { min = 0, max = 0.5, evidence = \"documented\" }\n\
                    known = [{ values = { temperature = 0.6 }, refused = \"temperature\" }]";

#[test]
fn a_rule_file_replaces_sampling_parameters() {
    let mut book = RuleBook::builtin();
    let before = book.sampling_rows().len();
    book.extend(&sampling_file("2.5/developer-api", COLD)).unwrap();
    assert_eq!(book.sampling_rows().len(), before);
    let date = "2026-11-21".parse().unwrap();
    let flash = book.sampling("gemini-2.5-flash", Service::DeveloperApi, date).unwrap();
    assert_eq!(flash.row.temperature.unwrap().max, 0.5);
}

#[test]
fn bad_sampling_rows_are_refused_by_name() {
    let mut book = RuleBook::builtin();
    let range = COLD.lines().next().unwrap();
    for (id, fields, wanted) in [
        ("2.5/developer-api", range.to_owned(), "has no known answer"),
        ("2.5/developer-api", COLD.replace("0.6", "0.4"), "temperature should be refused"),
        ("2.5/developer-api", COLD.replace("max = 0.5", "max = -1"), "holds no value"),
        ("2.5/developer-api", COLD.replace("max =", "most ="), "unknown field `most`"),
        ("2.5/developer-api", COLD.replace("min = 0", "min = nan"), "holds no value"),
        ("mine", COLD.to_owned(), "both hold for 2.5 on developer-api"),
    ] {
        let error = book.extend(&sampling_file(id, &fields)).unwrap_err().to_string();
        assert!(error.contains(wanted) && error.contains(id), "{error}");
    }
}

/// The example row of section 1 of the token rules loads as it stands there.
#[test]
fn the_specifications_example_row_loads() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec/token-rules.md");
    let Ok(spec) = std::fs::read_to_string(path) else {
        println!("skipped: the specification is not beside the repository");
        return;
    };
    let block = spec.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let mut book = RuleBook::builtin();
    book.extend(&format!("schema = 1\n{block}")).unwrap();
    let row = book.row("3-late/developer-api/billed").unwrap();
    let items = parse_request("image 768x512").unwrap();
    assert_eq!(row.count(&items, "gemini-3.5-flash").total().tokens, 1080);
}
