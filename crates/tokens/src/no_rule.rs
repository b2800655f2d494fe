//! What to say when no row holds for a key.

use crate::book::{NoRule, RuleBook};
use crate::key::{Meter, RuleKey};

/// How many near names are offered.
const NEAREST: usize = 3;
/// How alike two names must be to be offered, from 0 to 1.
const ALIKE: f64 = 0.75;

/// The error for a key that no row answers.
pub(crate) fn explain(book: &RuleBook, model: &str, key: &RuleKey) -> NoRule {
    let known = book.rows().iter().any(|row| row.models.iter().any(|name| name == model));
    let nearest = if known { Vec::new() } else { nearest_names(book, model) };
    let hint = if known {
        hint_for_known(book, model, key)
    } else {
        hint_for_unknown(book, model, &nearest)
    };
    NoRule {
        model: model.to_owned(),
        service: key.service,
        meter: key.meter,
        date: key.date,
        nearest,
        hint,
    }
}

/// The model has rows, but for another service, meter or date: say which.
fn hint_for_known(book: &RuleBook, model: &str, key: &RuleKey) -> String {
    let rows = || {
        book.rows().iter().filter(|row| row.lookup && row.models.iter().any(|name| name == model))
    };
    let same_meter = |meter: Meter| meter == key.meter || key.meter == Meter::Billed;
    let on_service = rows().filter(|row| row.services.contains(&key.service));
    let mut dated = on_service.filter(|row| same_meter(row.meter));
    let ids: Vec<&str> = rows().map(|row| row.id.as_str()).collect();
    match dated.next() {
        Some(row) if key.date < row.since => {
            format!("the first rule for the model begins on {}", row.since)
        }
        _ => format!("rows with this model: {}", ids.join(", ")),
    }
}

/// The model is in no row at all.
fn hint_for_unknown(book: &RuleBook, model: &str, nearest: &[String]) -> String {
    let family = book.model(model).map(|model| model.family.as_str());
    if family == Some("4") {
        return "nobody has published or measured what Gemini 4 charges; a Gemini 3 row such as \
                3-late/developer-api/billed can be named explicitly"
            .to_owned();
    }
    if nearest.is_empty() {
        return "name a row by its id, or add one with a rule file".to_owned();
    }
    format!("the nearest names are {}", nearest.join(", "))
}

/// Names of models that have rows, the most alike first.
fn nearest_names(book: &RuleBook, model: &str) -> Vec<String> {
    let names = book.rows().iter().filter(|row| row.lookup).flat_map(|row| &row.models);
    let mut scored: Vec<(f64, &String)> = names
        .map(|name| (strsim::jaro_winkler(&model.to_ascii_lowercase(), name), name))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(NEAREST).map(|(_, name)| name.clone()).collect()
}
