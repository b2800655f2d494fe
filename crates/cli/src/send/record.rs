//! Rows of evidence, appended to a file that `--rules` reads.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use mediaprep::tokens::Measured;
use serde::Serialize;

/// Appends rows to a rule file, which is begun where there is none. Every row is whole: it is
/// written by one call, behind whatever was there.
///
/// # Errors
///
/// What writing gives.
pub(crate) fn append(path: &Path, rows: &[Measured]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Table<'a> {
        measured: &'a [Measured],
    }
    if rows.is_empty() {
        return Ok(());
    }
    let text = toml::to_string(&Table { measured: rows }).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let head = if file.metadata()?.len() == 0 { "schema = 1\n\n" } else { "\n" };
    file.write_all(format!("{head}{text}").as_bytes())
}

#[cfg(test)]
mod tests {
    use mediaprep::tokens::RuleBook;

    use super::*;

    #[test]
    fn what_is_appended_is_a_rule_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("measured.toml");
        let row = |tokens| Measured {
            model: "gemini-3.5-flash".to_owned(),
            model_version: Some("gemini-3.5-flash-001".to_owned()),
            service: mediaprep::tokens::Service::DeveloperApi,
            meter: mediaprep::tokens::Meter::Billed,
            on: "2026-11-21".parse().unwrap(),
            request: "image 768x512".to_owned(),
            characters: 20,
            tokens,
            details: [("IMAGE".to_owned(), tokens)].into(),
            row: Some("3/developer-api/billed".to_owned()),
        };
        append(&path, &[row(1), row(2)]).unwrap();
        append(&path, &[]).unwrap();
        append(&path, &[row(3)]).unwrap();
        let mut book = RuleBook::builtin();
        book.extend(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(book.measured(), [row(1), row(2), row(3)]);
    }
}
