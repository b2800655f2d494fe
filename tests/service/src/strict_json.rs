use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// Parses a body as JSON, refusing what protojson refuses already: other than an object at the
/// top, and a name that stands twice in one object.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Refusal> {
    let unexpected = |what: String| {
        let problem = format!("Invalid JSON payload received. {what}");
        Refusal::fields(&[(String::new(), problem)])
    };
    if body.is_empty() {
        return Err(unexpected("Unexpected end of string. Expected a value.".into()));
    }
    match serde_json::from_slice::<Strict>(body) {
        Ok(Strict(value @ Value::Object(_))) => Ok(value),
        Ok(_) => Err(unexpected("Root element must be a message.".into())),
        Err(error) => Err(unexpected(format!("Unexpected token. {error}"))),
    }
}

/// A JSON value whose objects hold no name twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate name {name:?}")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_names_and_lone_values_are_refused() {
        assert!(parse(br#"{"a": [{"b": 1, "c": 2}, -1, 0.5, null, "x"]}"#).is_ok());
        for bad in [&b""[..], b"[]", b"null", b"{\"a\":1,}", b"{\"a\":{\"b\":1,\"b\":1}}", b"{} {}"]
        {
            assert!(parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
