//! What all tables share: rows with ids, merging, and no two rows for one key.

use crate::key::{Date, Service};
use crate::limits::{LimitRow, WayRow};
use crate::load::LoadError;
use crate::mime::MimeRow;
use crate::model::Model;
use crate::price::Price;
use crate::sampling::SamplingRow;

/// A row that has an id.
pub(crate) trait Dated {
    /// The row's name.
    fn id(&self) -> &str;
    /// First and last day.
    fn span(&self) -> (Date, Option<Date>);
    /// In words, a key that both rows would answer if their dates met.
    fn shared_key(&self, other: &Self) -> Option<String>;
}

/// Adds rows; one with a known id replaces it, but within one file an id stands once.
pub(crate) fn merge<T: Dated>(rows: &mut Vec<T>, new: Vec<T>) -> Result<(), LoadError> {
    for (at, row) in new.iter().enumerate() {
        if new[..at].iter().any(|other| other.id() == row.id()) {
            return Err(LoadError::Duplicate { row: row.id().to_owned() });
        }
        let (since, until) = row.span();
        if let Some(until) = until.filter(|until| *until < since) {
            let reason = format!("until {until} is before since {since}");
            return Err(LoadError::Invalid { row: row.id().to_owned(), reason });
        }
    }
    for row in new {
        match rows.iter_mut().find(|old| old.id() == row.id()) {
            Some(old) => *old = row,
            None => rows.push(row),
        }
    }
    Ok(())
}

/// Refuses two rows that hold for one key on one day.
pub(crate) fn reject_overlaps<T: Dated>(rows: &[T]) -> Result<(), LoadError> {
    for (at, first) in rows.iter().enumerate() {
        for second in rows[at + 1..].iter().filter(|second| meet(first.span(), second.span())) {
            if let Some(key) = first.shared_key(second) {
                return Err(LoadError::Overlap {
                    first: first.id().to_owned(),
                    second: second.id().to_owned(),
                    key,
                });
            }
        }
    }
    Ok(())
}

fn meet(a: (Date, Option<Date>), b: (Date, Option<Date>)) -> bool {
    a.1.is_none_or(|until| b.0 <= until) && b.1.is_none_or(|until| a.0 <= until)
}

fn common<'a, T: PartialEq>(a: &'a [T], b: &[T]) -> Option<&'a T> {
    a.iter().find(|item| b.contains(item))
}

fn common_service(a: &[Service], b: &[Service]) -> Option<&'static str> {
    match (a, b) {
        ([], []) => Some("both services"),
        ([], [service, ..]) | ([service, ..], []) => Some(service.as_str()),
        _ => common(a, b).map(|service| service.as_str()),
    }
}

impl Dated for Model {
    fn id(&self) -> &str {
        &self.id
    }

    fn span(&self) -> (Date, Option<Date>) {
        (self.released, self.retired)
    }

    fn shared_key(&self, _: &Self) -> Option<String> {
        None
    }
}

impl Dated for Price {
    fn id(&self) -> &str {
        &self.id
    }

    fn span(&self) -> (Date, Option<Date>) {
        (self.since, self.until)
    }

    fn shared_key(&self, other: &Self) -> Option<String> {
        let service = common_service(&self.service, &other.service)?;
        common(&self.models, &other.models).map(|model| format!("{model} on {service}"))
    }
}

impl Dated for LimitRow {
    fn id(&self) -> &str {
        &self.id
    }

    fn span(&self) -> (Date, Option<Date>) {
        (self.since, self.until)
    }

    fn shared_key(&self, other: &Self) -> Option<String> {
        let service = common_service(&self.service, &other.service)?;
        common(&self.models, &other.models)
            .or_else(|| common(&self.families, &other.families))
            .map(|name| format!("{name} on {service}"))
    }
}

impl Dated for WayRow {
    fn id(&self) -> &str {
        &self.id
    }

    fn span(&self) -> (Date, Option<Date>) {
        (self.since, self.until)
    }

    fn shared_key(&self, other: &Self) -> Option<String> {
        let service = common_service(&self.service, &other.service)?;
        (self.way == other.way).then(|| format!("{:?} on {service}", self.way))
    }
}

impl Dated for MimeRow {
    fn id(&self) -> &str {
        &self.id
    }

    fn span(&self) -> (Date, Option<Date>) {
        (self.since, self.until)
    }

    fn shared_key(&self, other: &Self) -> Option<String> {
        let service = common_service(&self.service, &other.service)?;
        let family = common(&self.families, &other.families)?;
        (self.modality == other.modality)
            .then(|| format!("{} of {family} on {service}", self.modality.as_str()))
    }
}

impl Dated for SamplingRow {
    fn id(&self) -> &str {
        &self.id
    }

    fn span(&self) -> (Date, Option<Date>) {
        (self.since, self.until)
    }

    fn shared_key(&self, other: &Self) -> Option<String> {
        let service = common_service(&self.service, &other.service)?;
        common(&self.models, &other.models)
            .or_else(|| common(&self.families, &other.families))
            .map(|name| format!("{name} on {service}"))
    }
}
