//! What holds for every folder, model and option.

use std::path::PathBuf;

use mediaprep::tokens::{Meter, RuleBook, Service};
use mediaprep::{Budget, Engine, Input, PlanOptions, Requests, RuleRequest, RuleSet};
use mediaprep_tests::{all_fixtures, mediaprep};

fn inputs() -> Vec<Input> {
    all_fixtures().into_iter().map(|(path, _)| Input::path(path)).collect()
}

fn rule_sets(book: &RuleBook) -> Vec<RuleSet<'_>> {
    let date = "2026-11-21".parse().unwrap();
    let mut all = Vec::new();
    for model in book.models() {
        for service in [Service::DeveloperApi, Service::Vertex] {
            for meter in [Meter::Billed, Meter::CountTokens, Meter::Documented] {
                let request = RuleRequest { model: model.id.clone(), service, meter, date };
                all.extend(RuleSet::find(book, &request));
            }
        }
    }
    assert!(all.len() > 50, "only {} rules", all.len());
    all
}

fn budget(threads: usize, rules: &RuleSet<'_>, options: &PlanOptions) -> Budget {
    let engine = Engine::builder().threads(threads).build().unwrap();
    engine.budget(&inputs(), rules, options).unwrap()
}

/// A budget as text, errors included.
fn text(budget: &Budget) -> String {
    format!("{budget:?}")
}

#[test]
fn the_thread_count_changes_nothing() {
    let book = RuleBook::builtin();
    let request = RuleRequest::billed("gemini-3.5-flash", "2026-11-21".parse().unwrap());
    let rules = RuleSet::find(&book, &request).unwrap();
    let options = PlanOptions::default();
    let alone = text(&budget(1, &rules, &options));
    for threads in [2, 8] {
        assert_eq!(text(&budget(threads, &rules, &options)), alone, "{threads} threads");
    }
}

#[test]
fn totals_are_the_sums_of_the_items() {
    let book = RuleBook::builtin();
    let engine = Engine::builder().build().unwrap();
    let inputs = inputs();
    for rules in rule_sets(&book) {
        for requests in [Requests::One, Requests::Each] {
            let prompt = Some("Describe these.".to_owned());
            let options = PlanOptions { requests, prompt, ..PlanOptions::default() };
            let budget = engine.budget(&inputs, &rules, &options).unwrap();
            let charges = || budget.items.iter().flat_map(|item| &item.charges).flatten();
            let sum: u64 = charges().map(|charge| charge.tokens.total).sum();
            let overhead = match requests {
                Requests::Each => 0,
                Requests::One if charges().next().is_none() => 0,
                Requests::One => {
                    let extra = rules.row.request_extra(&rules.key.model);
                    4 + extra.map_or(0, |extra| extra.tokens)
                }
            };
            let totals = &budget.totals;
            assert_eq!(totals.tokens.total, sum + overhead, "{} {requests:?}", rules.row.id);
            let parts = [totals.tokens.image, totals.tokens.video, totals.tokens.audio];
            let rest = totals.tokens.document + totals.tokens.text;
            assert_eq!(parts.iter().sum::<u64>() + rest, totals.tokens.total);
            let weakest = charges().map(|charge| charge.evidence).max();
            assert!(weakest.is_none_or(|weakest| totals.evidence >= Some(weakest)));
        }
    }
}

/// Facts that a budget printed, read back with `--facts`, cost the same.
#[test]
fn printed_facts_cost_what_the_files_cost() {
    let folder = mediaprep_tests::fixtures();
    for model in ["gemini-3.5-flash", "gemini-2.5-flash", "gemini-2.0-flash"] {
        let arguments =
            ["budget", "--format", "ndjson", "--model", model, "--no-ignore", "--quiet"];
        let mut from_files: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
        from_files.push(folder.clone());
        let printed = mediaprep(&from_files).data;
        let mut lines: Vec<&str> = printed.lines().collect();
        let totals: serde_json::Value = serde_json::from_str(lines.pop().unwrap()).unwrap();
        let items = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        let kept: Vec<serde_json::Value> =
            items.filter(|item: &serde_json::Value| item["error"].is_null()).collect();
        assert!(kept.len() > 100, "{} items; totals {totals}", kept.len());
        let file = tempfile::NamedTempFile::new().unwrap();
        let text: Vec<String> = kept.iter().map(ToString::to_string).collect();
        std::fs::write(file.path(), text.join("\n")).unwrap();
        let again = mediaprep(&[
            "budget".as_ref(),
            "--format=ndjson".as_ref(),
            "--quiet".as_ref(),
            "--model".as_ref(),
            model.as_ref(),
            "--facts".as_ref(),
            file.path().as_os_str(),
        ]);
        for (before, after) in kept.iter().zip(again.data.lines()) {
            let after: serde_json::Value = serde_json::from_str(after).unwrap();
            assert_eq!(before["tokens"], after["tokens"], "{model}: {before} and {after}");
        }
    }
}
