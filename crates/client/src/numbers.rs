//! Numbers of answers: protojson writes 64-bit integers as text.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A count as number or text; anything else is absent.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}
