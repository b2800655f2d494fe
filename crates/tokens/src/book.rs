//! The rule book: all tables, and finding what holds for a key.

use mediaprep_media::MimeType;

use crate::key::{Date, Meter, RuleKey, Service, bare_model_name};
use crate::limits::{LimitRow, ServiceLimits, WayRow};
use crate::load::{LoadError, SCHEMA, row as check_row};
use crate::measured::Measured;
use crate::mime::{Alias, Conversion, MimeRow, MimeVerdict, check_types, verdict};
use crate::model::{Model, Stage};
use crate::price::Price;
use crate::row::Row;
use crate::sampling::{Sampling, SamplingRow};
use crate::schema::File;
use crate::tables::{Dated, merge, reject_overlaps};

/// The data that comes with the crate.
const FILES: [&str; 6] = [
    include_str!("../data/rules.toml"),
    include_str!("../data/models.toml"),
    include_str!("../data/prices.toml"),
    include_str!("../data/limits.toml"),
    include_str!("../data/mime.toml"),
    include_str!("../data/sampling.toml"),
];

/// The family of models that the default model is taken from.
const DEFAULT_LINE: &str = "flash";

/// All rules, models, prices, limits, file types and sampling parameters.
#[derive(Clone, Debug, Default)]
pub struct RuleBook {
    rows: Vec<Row>,
    models: Vec<Model>,
    prices: Vec<Price>,
    limits: Vec<LimitRow>,
    ways: Vec<WayRow>,
    mimes: Vec<MimeRow>,
    conversions: Vec<Conversion>,
    aliases: Vec<Alias>,
    samplings: Vec<SamplingRow>,
    measured: Vec<Measured>,
}

/// The row for a key.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The row.
    pub row: &'a Row,
    /// Whether the billed meter was asked for and, nobody having measured, the documented
    /// arithmetic answers.
    pub fell_back: bool,
}

/// No row holds for a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no rule for model `{model}` on {} by the {} meter on {date}", service.as_str(), meter.as_str())]
pub struct NoRule {
    /// The model asked for, without any path before it.
    pub model: String,
    /// The service asked for.
    pub service: Service,
    /// The meter asked for.
    pub meter: Meter,
    /// The day asked for.
    pub date: Date,
    /// Models with the nearest names, nearest first; empty when the model itself is known.
    pub nearest: Vec<String>,
    /// What to do about it.
    pub hint: String,
}

impl RuleBook {
    /// The data that comes with the crate. Reading it takes about three milliseconds: do it once.
    ///
    /// # Panics
    ///
    /// Never: a test parses the same embedded text.
    pub fn builtin() -> Self {
        let mut book = Self::default();
        for text in FILES {
            book.take(parse(text).expect("the embedded data parses")).expect("and its rows hold");
        }
        book.check().expect("and no two rows hold for one key");
        book
    }

    /// Adds the tables of a data file, replacing rows that have the same id. On an error nothing is
    /// changed. Beside what holds for every row, the known answers of the new rules are replayed.
    pub fn extend(&mut self, text: &str) -> Result<(), LoadError> {
        let file = parse(text)?;
        let new: Vec<String> = file.rule.iter().map(|rule| rule.id.clone()).collect();
        let mut book = self.clone();
        book.take(file)?;
        book.check()?;
        for row in book.rows.iter().filter(|row| new.contains(&row.id)) {
            for answer in &row.known {
                answer
                    .replay(row)
                    .map_err(|source| LoadError::KnownAnswer { row: row.id.clone(), source })?;
            }
        }
        *self = book;
        Ok(())
    }

    fn take(&mut self, file: File) -> Result<(), LoadError> {
        let rows = file.rule.into_iter().map(check_row).collect::<Result<Vec<_>, _>>()?;
        merge(&mut self.rows, rows)?;
        merge(&mut self.models, file.model)?;
        merge(&mut self.prices, file.price)?;
        merge(&mut self.limits, file.limit)?;
        merge(&mut self.ways, file.way)?;
        merge(&mut self.mimes, file.mime)?;
        merge(&mut self.samplings, file.sampling)?;
        file.measured.iter().try_for_each(Measured::check)?;
        self.measured.extend(file.measured);
        // The newest come first, so that a rule file wins over the built-in data.
        self.conversions.splice(0..0, file.convert);
        self.aliases.splice(0..0, file.alias);
        Ok(())
    }

    fn check(&self) -> Result<(), LoadError> {
        if let Some(row) = self.rows.iter().find(|row| row.charges() && row.known.is_empty()) {
            return Err(LoadError::NoKnownAnswer { row: row.id.clone() });
        }
        self.mimes.iter().try_for_each(check_types)?;
        self.samplings.iter().try_for_each(crate::sampling::check_row)?;
        reject_overlaps(&self.rows)?;
        reject_overlaps(&self.prices)?;
        reject_overlaps(&self.limits)?;
        reject_overlaps(&self.ways)?;
        reject_overlaps(&self.mimes)?;
        reject_overlaps(&self.samplings)
    }

    /// The row for a key. The billed meter falls back to the documented row and says so.
    pub fn find(&self, key: &RuleKey) -> Result<Found<'_>, NoRule> {
        let model = bare_model_name(&key.model);
        if let Some(row) = self.lookup(model, key, key.meter) {
            return Ok(Found { row, fell_back: false });
        }
        let fallback = (key.meter == Meter::Billed)
            .then(|| self.lookup(model, key, Meter::Documented))
            .flatten();
        fallback
            .map(|row| Found { row, fell_back: true })
            .ok_or_else(|| crate::no_rule::explain(self, model, key))
    }

    fn lookup(&self, model: &str, key: &RuleKey, meter: Meter) -> Option<&Row> {
        self.rows.iter().find(|row| {
            row.lookup
                && row.meter == meter
                && row.services.contains(&key.service)
                && row.holds_on(key.date)
                && row.models.iter().any(|name| name == model)
        })
    }

    /// The row with an id, alternates included.
    pub fn row(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// All rows, in the order of the data.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What was measured, as rule files say. None of it is charged by: it is evidence to hold the
    /// rules against.
    pub fn measured(&self) -> &[Measured] {
        &self.measured
    }

    /// All models, in the order of the data.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// All price rows.
    pub fn prices(&self) -> &[Price] {
        &self.prices
    }

    /// All rows of counts and lengths.
    pub fn limit_rows(&self) -> &[LimitRow] {
        &self.limits
    }

    /// All rows of sizes by way in.
    pub fn way_rows(&self) -> &[WayRow] {
        &self.ways
    }

    /// All rows of file types.
    pub fn mime_rows(&self) -> &[MimeRow] {
        &self.mimes
    }

    /// All rows of sampling parameters.
    pub fn sampling_rows(&self) -> &[SamplingRow] {
        &self.samplings
    }

    /// The model with an exact name.
    pub fn model(&self, name: &str) -> Option<&Model> {
        let name = bare_model_name(name);
        self.models.iter().find(|model| model.id == name)
    }

    /// The newest stable Flash of a day.
    pub fn default_model(&self, date: Date) -> Option<&Model> {
        self.models
            .iter()
            .filter(|model| model.line == DEFAULT_LINE && model.released <= date)
            .filter(|model| model.stage_on(date) == Stage::Stable)
            .max_by_key(|model| model.released)
    }

    /// The price of a model on a day; `None` when it is unknown.
    pub fn price(&self, model: &str, service: Service, date: Date) -> Option<&Price> {
        let model = bare_model_name(model);
        self.prices.iter().find(|price| price.holds_for(model, service, date))
    }

    /// The limits for a model; `None` when the model is unknown, and then none are assumed.
    pub fn limits(&self, model: &str, service: Service, date: Date) -> Option<ServiceLimits<'_>> {
        let model = self.model(model)?;
        let holds =
            |row: &&LimitRow| row.service.contains(&service) && within(row.since, row.until, date);
        let rows = || self.limits.iter().filter(holds);
        let counts = rows()
            .find(|row| row.models.contains(&model.id))
            .or_else(|| rows().find(|row| row.families.contains(&model.family)))?;
        let ways = self
            .ways
            .iter()
            .filter(|row| row.service.contains(&service) && within(row.since, row.until, date))
            .filter(|row| !row.not_for.contains(&model.family))
            .collect();
        Some(ServiceLimits { counts, ways })
    }

    /// The sampling parameters that a model takes; `None` when the model is unknown or nothing is
    /// known of its parameters, and then every value is passed through.
    pub fn sampling(&self, model: &str, service: Service, date: Date) -> Option<Sampling<'_>> {
        let model = self.model(model)?;
        let rows = || {
            let rows = self.samplings.iter().filter(|row| row.service.contains(&service));
            rows.filter(|row| within(row.since, row.until, date))
        };
        let row = rows()
            .find(|row| row.models.contains(&model.id))
            .or_else(|| rows().find(|row| row.families.contains(&model.family)))?;
        let output_window = model.window_on(service).and_then(|window| window.output);
        Some(Sampling { row, output_window })
    }

    /// What happens to a file type; `None` when nothing is known for the model.
    pub fn mime(
        &self,
        model: &str,
        service: Service,
        date: Date,
        mime: MimeType,
    ) -> Option<MimeVerdict> {
        let model = self.model(model)?;
        let row = self.mimes.iter().find(|row| {
            row.families.contains(&model.family)
                && row.service.contains(&service)
                && row.modality == mime.modality()
                && within(row.since, row.until, date)
        })?;
        Some(verdict(row, mime, &self.conversions))
    }

    /// The type that a declared name means, such as `image/jpg`; `None` for names that mean none of
    /// the known types.
    pub fn mime_named(&self, declared: &str) -> Option<MimeType> {
        let declared = declared.trim().to_ascii_lowercase();
        let alias = self.aliases.iter().find(|alias| alias.given.contains(&declared));
        MimeType::from_name(alias.map_or(declared.as_str(), |alias| alias.name.as_str()))
    }
}

fn within(since: Date, until: Option<Date>, date: Date) -> bool {
    since <= date && until.is_none_or(|until| date <= until)
}

/// Reads one data file; an error names the row in which reading stopped.
fn parse(text: &str) -> Result<File, LoadError> {
    let file: File = toml::from_str(text).map_err(|error| LoadError::Syntax {
        row: error.span().and_then(|span| row_at(text, span.start)),
        message: error.to_string().trim_end().to_owned(),
    })?;
    if file.schema != SCHEMA {
        return Err(LoadError::Schema { found: file.schema });
    }
    Ok(file)
}

/// The id of the table that is open at a byte: the first `id` or `name` after its header.
fn row_at(text: &str, at: usize) -> Option<String> {
    // An error about a whole table points at the brackets of its header.
    let before = text.get(..at.saturating_add(2)).or_else(|| text.get(..at))?;
    let start = before.rfind("\n[[").or_else(|| text.starts_with("[[").then_some(0))?;
    let body = text.get(start + 1..)?;
    let table = body.find("\n[[").map_or(body, |end| &body[..end]);
    table.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        matches!(key.trim(), "id" | "name")
            .then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    })
}

impl Dated for Row {
    fn id(&self) -> &str {
        &self.id
    }

    fn span(&self) -> (Date, Option<Date>) {
        (self.since, self.until)
    }

    fn shared_key(&self, other: &Self) -> Option<String> {
        let service = self.services.iter().find(|service| other.services.contains(service))?;
        let model = self.models.iter().find(|model| other.models.contains(model))?;
        let both = self.lookup && other.lookup && self.meter == other.meter;
        both.then(|| format!("{model} on {} by {}", service.as_str(), self.meter.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_is_named_is_known() {
        let book = RuleBook::builtin();
        let known = |name: &str| assert!(MimeType::from_name(name).is_some(), "{name}");
        for conversion in &book.conversions {
            known(&conversion.from);
            conversion.to.iter().chain(&conversion.lossless).for_each(|name| known(name));
        }
        book.aliases.iter().for_each(|alias| known(&alias.name));
        assert!(book.conversions.len() > 10 && book.aliases.len() > 10);
    }

    #[test]
    fn the_open_row_is_found_from_a_place_in_the_text() {
        let text = "schema = 1\n[[rule]]\nid = \"a\"\n\n[[model]]\nname = \"b\"\nx = 1\n";
        assert_eq!(row_at(text, text.find("x =").unwrap()).as_deref(), Some("b"));
        assert_eq!(row_at(text, text.find("id").unwrap()).as_deref(), Some("a"));
        assert_eq!(row_at(text, 3), None);
    }
}
