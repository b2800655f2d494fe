//! Which file types a model takes, under which name each is sent, and which are converted
//! (section 4 of the limits).

use std::collections::BTreeMap;

use mediaprep_media::{MimeType, Modality};
use serde::{Deserialize, Serialize};

use crate::key::{Date, Service};
use crate::load::LoadError;

/// What happens to a file type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MimeVerdict {
    /// Sent under its usual name.
    Accepted {
        /// The name that is sent.
        send_as: String,
    },
    /// Sent under another name than the usual one.
    Renamed {
        /// The name that is sent.
        send_as: String,
    },
    /// Not taken; would be converted.
    Convert {
        /// The usual name of the type it becomes.
        to: String,
        /// The type where the picture has alpha or few colours, if another.
        lossless: Option<String>,
    },
    /// Not taken, and nothing here converts it.
    Refused,
}

impl MimeVerdict {
    /// The name that is sent, for types that are sent as they are.
    pub fn send_as(&self) -> Option<&str> {
        match self {
            Self::Accepted { send_as } | Self::Renamed { send_as } => Some(send_as),
            Self::Convert { .. } | Self::Refused => None,
        }
    }
}

/// The types of one modality that a set of families takes on a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MimeRow {
    /// The row's name.
    pub id: String,
    /// Families of models.
    pub families: Vec<String>,
    /// The services.
    pub service: Vec<Service>,
    /// The modality the row is about.
    pub modality: Modality,
    /// First day.
    pub since: Date,
    /// Last day.
    pub until: Option<Date>,
    /// Usual name to the name that is sent; empty when the models take nothing of the kind.
    pub takes: BTreeMap<String, String>,
    /// Where the list comes from.
    pub sources: Vec<String>,
    /// What else should be known.
    pub note: Option<String>,
}

/// A type that can be converted, with what it becomes: the first of `to` that the model takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Conversion {
    /// The usual name of the type.
    pub from: String,
    /// Usual names of what it becomes, best first.
    pub to: Vec<String>,
    /// What it becomes instead where the picture has alpha or few colours.
    pub lossless: Option<String>,
}

/// Other names for a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alias {
    /// The usual name.
    pub name: String,
    /// Names that mean the same.
    pub given: Vec<String>,
}

/// Refuses a row that names an unknown type or one of another modality.
pub(crate) fn check_types(row: &MimeRow) -> Result<(), LoadError> {
    let belongs = |name: &&String| {
        MimeType::from_name(name).is_some_and(|mime| mime.modality() == row.modality)
    };
    let Some(stranger) = row.takes.keys().find(|name| !belongs(name)) else { return Ok(()) };
    let reason = format!("`{stranger}` is no known {} type", row.modality.as_str());
    Err(LoadError::Invalid { row: row.id.clone(), reason })
}

/// The verdict on a type under a row.
pub(crate) fn verdict(row: &MimeRow, mime: MimeType, conversions: &[Conversion]) -> MimeVerdict {
    let usual = mime.as_str();
    if let Some(send_as) = row.takes.get(usual).cloned() {
        return if send_as == usual {
            MimeVerdict::Accepted { send_as }
        } else {
            MimeVerdict::Renamed { send_as }
        };
    }
    let taken = |name: &&String| row.takes.contains_key(*name);
    let conversion = conversions.iter().find(|conversion| conversion.from == usual);
    let Some(conversion) = conversion else { return MimeVerdict::Refused };
    let Some(to) = conversion.to.iter().find(taken) else { return MimeVerdict::Refused };
    let lossless = conversion.lossless.as_ref().filter(taken).filter(|name| *name != to);
    MimeVerdict::Convert { to: to.clone(), lossless: lossless.cloned() }
}
