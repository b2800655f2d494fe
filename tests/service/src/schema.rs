use serde_json::{Map, Value};

use crate::{
    messages::{Field, Kind, Known, Message, VERTEX_HARM_PREFIX},
    refusal::Refusal,
    route::Platform,
};

/// Checks a JSON value against a message of a service as strictly as protojson does, and returns
/// it with lowerCamelCase names and without nulls. Every problem found is named in the refusal.
pub(crate) fn check(message: Message, value: Value, platform: Platform) -> Result<Value, Refusal> {
    let mut checker = Checker { platform, problems: Vec::new() };
    let value = checker.message(message, value, "");
    match checker.problems.is_empty() {
        true => Ok(value),
        false => Err(Refusal::fields(&checker.problems)),
    }
}

struct Checker {
    platform: Platform,
    /// Where, and what is wrong there.
    problems: Vec<(String, String)>,
}

impl Checker {
    fn problem(&mut self, path: &str, text: String) {
        self.problems.push((path.to_owned(), text));
    }

    fn message(&mut self, message: Message, value: Value, path: &str) -> Value {
        let Value::Object(object) = value else {
            let (value, name) = (show(&value), self.type_name(&format!("{message:?}")));
            self.problem(path, format!("Invalid value at '{path}' ({name}), {value}"));
            return Value::Null;
        };
        let mut checked = Map::new();
        for (name, value) in object {
            let Some(field) = self.field(message, &name) else {
                self.unknown(path, &name);
                continue;
            };
            if value.is_null() {
                continue;
            }
            if checked.contains_key(field.name) {
                let text = "field is already set, by its other spelling";
                self.problem(path, format!("Invalid value at '{path}', {name:?}: {text}"));
            }
            let inner = join(path, &snake(field.name));
            let value = self.value(field, value, &inner);
            checked.insert(field.name.to_owned(), value);
        }
        Value::Object(checked)
    }

    fn unknown(&mut self, path: &str, name: &str) {
        let at = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
        let text = format!(
            "Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."
        );
        self.problem(path, text);
    }

    /// The field of this name, in either spelling, if the service has it.
    fn field(&self, message: Message, name: &str) -> Option<Field> {
        let mut fields = message.fields().iter();
        let field = fields.find(|field| field.name == name || snake(field.name) == name)?;
        let known = match field.known {
            Known::Both => true,
            Known::Developer => self.platform == Platform::Developer,
            Known::Vertex => self.platform != Platform::Developer,
        };
        known.then_some(*field)
    }

    fn value(&mut self, field: Field, value: Value, path: &str) -> Value {
        match (field.repeated, value) {
            (false, Value::Array(_)) if !matches!(field.kind, Kind::Any) => {
                let text = "Proto field is not repeating, cannot start list.";
                self.problem(
                    path,
                    format!(
                        "Invalid JSON payload received. Unknown name \"{}\" at '{}': {text}",
                        last(path),
                        parent(path)
                    ),
                );
                Value::Null
            }
            (false, value) => self.single(field.kind, value, path),
            (true, Value::Array(items)) => {
                let check = |(at, item): (usize, Value)| {
                    self.single(field.kind, item, &format!("{path}[{at}]"))
                };
                Value::Array(items.into_iter().enumerate().map(check).collect())
            }
            (true, _) => {
                let text = format!(
                    "Invalid value at '{path}': the field is repeated, so its value must be an array"
                );
                self.problem(path, text);
                Value::Null
            }
        }
    }

    fn single(&mut self, kind: Kind, value: Value, path: &str) -> Value {
        match kind {
            Kind::Message(message) => self.message(message, value, path),
            Kind::TextMap => self.map(Kind::Text, value, path),
            Kind::SchemaMap => self.map(Kind::Message(Message::Schema), value, path),
            Kind::Bytes => self.bytes(value, path),
            _ if fits(kind, &value) && self.knows(&value) => value,
            _ => {
                let name = self.kind_name(kind);
                self.problem(path, format!("Invalid value at '{path}' ({name}), {}", show(&value)));
                Value::Null
            }
        }
    }

    /// The Developer API has fewer harm categories.
    fn knows(&self, value: &Value) -> bool {
        let vertex_only = value.as_str().is_some_and(|name| name.starts_with(VERTEX_HARM_PREFIX));
        !vertex_only || self.platform != Platform::Developer
    }

    fn map(&mut self, kind: Kind, value: Value, path: &str) -> Value {
        let Value::Object(object) = value else {
            self.problem(path, format!("Invalid value at '{path}' (Map), {}", show(&value)));
            return Value::Null;
        };
        let check = |(name, value): (String, Value)| {
            let value = self.single(kind, value, &format!("{path}[{name:?}]"));
            (name, value)
        };
        Value::Object(object.into_iter().map(check).collect())
    }

    fn bytes(&mut self, value: Value, path: &str) -> Value {
        let Some(text) = value.as_str() else {
            let shown = show(&value);
            self.problem(path, format!("Invalid value at '{path}' (TYPE_BYTES), {shown}"));
            return Value::Null;
        };
        if !crate::base64::is_base64(text) {
            let start = text.split(',').next().unwrap_or_default();
            let start: String = start.chars().take(64).collect();
            let text = format!("Base64 decoding failed for \"{start}\"");
            self.problem(path, format!("Invalid value at '{path}' (TYPE_BYTES), {text}"));
        }
        value
    }

    fn type_name(&self, name: &str) -> String {
        let package = match self.platform {
            Platform::Developer => "google.ai.generativelanguage.v1beta",
            Platform::Vertex | Platform::Express => "google.cloud.aiplatform.v1beta1",
        };
        format!("type.googleapis.com/{package}.{name}")
    }

    fn kind_name(&self, kind: Kind) -> String {
        match kind {
            Kind::Text => "TYPE_STRING".into(),
            Kind::Bytes => "TYPE_BYTES".into(),
            Kind::Bool => "TYPE_BOOL".into(),
            Kind::Int => "TYPE_INT32".into(),
            Kind::Long => "TYPE_INT64".into(),
            Kind::Float => "TYPE_FLOAT".into(),
            Kind::Duration => "type.googleapis.com/google.protobuf.Duration".into(),
            Kind::Timestamp => "type.googleapis.com/google.protobuf.Timestamp".into(),
            Kind::Enum(name, _) => self.type_name(name),
            Kind::Message(message) => self.type_name(&format!("{message:?}")),
            Kind::TextMap | Kind::SchemaMap => "Map".into(),
            Kind::Object | Kind::Any => "type.googleapis.com/google.protobuf.Struct".into(),
        }
    }
}

/// Whether a value has the form that protojson takes for a kind.
fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text => value.is_string(),
        Kind::Bool => value.is_boolean(),
        Kind::Int => integer(value).is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Long => integer(value).is_some(),
        Kind::Float => value.is_number(),
        Kind::Duration => value.as_str().is_some_and(|text| nanoseconds(text).is_some()),
        Kind::Timestamp => value.as_str().is_some_and(is_timestamp),
        Kind::Enum(_, names) => value.as_str().is_some_and(|name| names.contains(&name)),
        Kind::Object => value.is_object(),
        Kind::Any => true,
        Kind::Bytes | Kind::Message(_) | Kind::TextMap | Kind::SchemaMap => false,
    }
}

/// A whole number: `32`, `32.0` and `"32"` are the same.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the value is whole and within 2^53")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// A protobuf duration in nanoseconds: digits, at most nine digits behind a point, and `s`.
pub(crate) fn nanoseconds(text: &str) -> Option<i128> {
    let number = text.strip_suffix('s')?;
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || seconds.len() > 12 || fraction.len() > 9 {
        return None;
    }
    let nanoseconds: i128 = format!("{fraction:0<9}").parse().ok()?;
    let total = seconds.parse::<i128>().ok()? * 1_000_000_000 + nanoseconds;
    Some(if negative { -total } else { total })
}

/// Whether a text has the shape of an RFC 3339 timestamp.
fn is_timestamp(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let Some(time) = time.strip_suffix('Z').or_else(|| time.get(..time.len().checked_sub(6)?))
    else {
        return false;
    };
    let shape = |text: &str, separator: char, lengths: [usize; 3]| {
        let fields: Vec<&str> = text.split(separator).collect();
        fields.len() == 3
            && fields.iter().zip(lengths).all(|(field, length)| {
                field.len() == length && field.bytes().all(|byte| byte.is_ascii_digit())
            })
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    shape(date, '-', [4, 2, 2])
        && shape(clock, ':', [2, 2, 2])
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// A lowerCamelCase name in snake_case.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// A value as an error quotes it, cut when it is long.
fn show(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(100) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn either_spelling_becomes_lower_camel_case() {
        let value = json!({"generation_config": {"topP": 0.5, "maxOutputTokens": 8.0}});
        let checked = check(Message::GenerateContentRequest, value, Platform::Developer).unwrap();
        assert_eq!(checked, json!({"generationConfig": {"topP": 0.5, "maxOutputTokens": 8.0}}));
    }

    #[test]
    fn all_problems_are_told() {
        let value = json!({"content": [], "contents": {"parts": []}, "store": 1});
        let refusal = check(Message::GenerateContentRequest, value, Platform::Developer);
        let reason = refusal.unwrap_err().reason();
        assert!(reason.contains(r#"Unknown name "content": Cannot find field."#), "{reason}");
        assert!(reason.contains("'contents': the field is repeated"), "{reason}");
        assert!(reason.contains("'store' (TYPE_BOOL), 1"), "{reason}");
    }

    #[test]
    fn each_service_has_its_fields() {
        let value = json!({"generationConfig": {"audioTimestamp": true}});
        let on = |platform| check(Message::GenerateContentRequest, value.clone(), platform).is_ok();
        assert!(on(Platform::Vertex) && on(Platform::Express) && !on(Platform::Developer));
    }

    #[test]
    fn durations() {
        assert_eq!(nanoseconds("70.500s"), Some(70_500_000_000));
        assert_eq!(nanoseconds("10s"), Some(10_000_000_000));
        assert_eq!(nanoseconds("-0.000000001s"), Some(-1));
        for bad in ["10", "s", "1.s", ".5s", "1.0000000001s", "1e3s", "+1s", "00:10s"] {
            assert_eq!(nanoseconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn timestamps() {
        assert!(is_timestamp("2026-01-02T03:04:05Z"));
        assert!(is_timestamp("2026-01-02T03:04:05.678901234Z"));
        assert!(is_timestamp("2026-01-02T03:04:05+01:00"));
        assert!(!is_timestamp("2026-01-02"));
        assert!(!is_timestamp("2026-1-2T03:04:05Z"));
    }
}
