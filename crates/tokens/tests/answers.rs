//! Replays the worked answers of section 10 of the token rules, and every row's own known answers.

use std::collections::HashSet;

use mediaprep_tokens::{Expected, RuleBook, parse_request};

const ANSWERS: &str = include_str!("answers.txt");
const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec/token-rules.md");
/// As many answers as section 10 holds, at least.
const FEWEST: usize = 285;

struct Answer {
    id: &'static str,
    row: &'static str,
    request: &'static str,
    tokens: &'static str,
}

fn data_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

fn answers() -> Vec<Answer> {
    let read = |line: &'static str| {
        let mut fields = line.split(';').map(str::trim);
        let mut field = || fields.next().unwrap_or_else(|| panic!("a field is missing: {line}"));
        let answer = Answer { id: field(), row: field(), request: field(), tokens: field() };
        assert!(["M", "D", "C", "I"].contains(&field()), "the mark is unknown: {line}");
        answer
    };
    data_lines(ANSWERS).map(read).collect()
}

#[test]
fn every_worked_answer_comes_out() {
    let book = RuleBook::builtin();
    let answers = answers();
    let mut wrong = Vec::new();
    for answer in &answers {
        let row = book.row(answer.row).unwrap_or_else(|| panic!("{}: no such row", answer.id));
        let items = parse_request(answer.request).unwrap();
        let wanted = Expected::parse(answer.tokens).unwrap();
        let got = row.count(&items, &row.models[0]);
        if !wanted.agrees(&got, row.meter) {
            wrong.push(format!("{}: wanted {wanted}, got {got:?}", answer.id));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(answers.len() >= FEWEST, "{} answers, at least {FEWEST} needed", answers.len());
    let ids: HashSet<&str> = answers.iter().map(|answer| answer.id).collect();
    assert_eq!(ids.len(), answers.len(), "an id stands twice");
}

#[test]
fn the_committed_answers_are_those_of_the_specification() {
    let Ok(spec) = std::fs::read_to_string(SPEC) else {
        println!("skipped: the specification is not beside the repository");
        return;
    };
    let blocks = spec.split("```answers\n").skip(1);
    let published: Vec<&str> =
        blocks.filter_map(|rest| rest.split("```").next()).flat_map(data_lines).collect();
    let committed: Vec<&str> = data_lines(ANSWERS).collect();
    assert_eq!(committed, published);
}

#[test]
fn every_row_gives_its_known_answers() {
    let book = RuleBook::builtin();
    let mut replayed = 0;
    for row in book.rows() {
        assert!(!row.charges() || !row.known.is_empty(), "{} has no known answer", row.id);
        for answer in &row.known {
            answer.replay(row).unwrap_or_else(|error| panic!("{}: {error}", row.id));
            replayed += 1;
        }
    }
    assert!(replayed > 100, "only {replayed} known answers were found");
}

#[test]
fn every_row_has_sources_and_a_worked_answer() {
    let book = RuleBook::builtin();
    let answered: HashSet<&str> = answers().iter().map(|answer| answer.row).collect();
    for row in book.rows() {
        assert!(!row.sources.is_empty(), "{} has no source", row.id);
        let carried_over = ["1.5/vertex/billed/2025-02"];
        assert!(
            answered.contains(row.id.as_str()) || carried_over.contains(&row.id.as_str()),
            "{} is in no worked answer",
            row.id
        );
    }
    for row in &answered {
        assert!(book.row(row).is_some(), "the answers name a row {row} that is not there");
    }
}
