//! What a rule is found by: model, service, meter and date.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which Google service takes the request. The same file may cost differently on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// The Gemini API at generativelanguage.googleapis.com, with an API key.
    DeveloperApi,
    /// The Google Cloud service at aiplatform.googleapis.com.
    Vertex,
}

impl Service {
    /// The name as the command line spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeveloperApi => "developer-api",
            Self::Vertex => "vertex",
        }
    }
}

/// Whose number is meant. They differ for the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meter {
    /// What `usageMetadata` of generateContent reports.
    Billed,
    /// What the countTokens method answers.
    CountTokens,
    /// The arithmetic that the vendor publishes.
    Documented,
}

impl Meter {
    /// The name as the command line spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::CountTokens => "count-tokens",
            Self::Documented => "documented",
        }
    }
}

/// A calendar date, ordered, without a time zone: the day of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// `None` when there is no such day in the Gregorian calendar.
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if day == 0 || day > last { None } else { Some(Self { year, month, day }) }
    }

    /// The year.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub const fn day(self) -> u8 {
        self.day
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The text is no date of the form `YYYY-MM-DD`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no date of the form YYYY-MM-DD")]
pub struct InvalidDate(pub String);

impl FromStr for Date {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        parse(text).ok_or_else(|| InvalidDate(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?)
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Everything a rule is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleKey {
    /// The exact model name, without `models/` or any other path before it.
    pub model: String,
    /// The service that takes the request.
    pub service: Service,
    /// Whose number is wanted.
    pub meter: Meter,
    /// The day of the request.
    pub date: Date,
}

/// The exact model name without the path that a service's answers may put before it: `models/`,
/// `publishers/google/models/` or `projects/…/models/`. Nothing else is changed.
pub fn bare_model_name(name: &str) -> &str {
    let bare = name
        .strip_prefix("models/")
        .or_else(|| name.strip_prefix("publishers/google/models/"))
        .or_else(|| {
            let path = name.strip_prefix("projects/")?;
            path.split_once("/models/").map(|(_, bare)| bare)
        });
    bare.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_three_named_paths_are_stripped() {
        for (given, bare) in [
            ("models/gemini-2.0-flash", "gemini-2.0-flash"),
            ("publishers/google/models/gemini-2.0-flash", "gemini-2.0-flash"),
            (
                "projects/p/locations/l/publishers/google/models/gemini-2.0-flash",
                "gemini-2.0-flash",
            ),
            ("tunedModels/gemini-2.0-flash", "tunedModels/gemini-2.0-flash"),
            ("google/gemini-2.0-flash", "google/gemini-2.0-flash"),
            ("Gemini-2.0-flash", "Gemini-2.0-flash"),
            ("gemini-2.0-flash-latest", "gemini-2.0-flash-latest"),
        ] {
            assert_eq!(bare_model_name(given), bare);
        }
    }

    #[test]
    fn dates_are_checked() {
        assert_eq!("2024-02-29".parse::<Date>().unwrap().to_string(), "2024-02-29");
        for bad in ["2023-02-29", "2025-13-01", "2025-1-01", "20250101", "2025-00-10", "٢٠٢٥-01-01"]
        {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }
}
