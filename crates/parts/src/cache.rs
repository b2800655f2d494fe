//! Requests that keep contents at the service, to be used by several others.

use mediaprep_media::Duration;
use serde::Serializer;
use serde::ser::SerializeMap;

use crate::body::Body;
use crate::content::Content;
use crate::count::model_resource;
use crate::protojson::duration_text;
use crate::shape::{Marks, Shape, Shaped, serialize_by_shape};

/// What cachedContents takes. Requests use the cache by
/// [`cached_content`](crate::GenerateRequest::cached_content).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CacheRequest {
    /// The model: a bare name or `models/…`; the full resource name on Vertex AI.
    pub model: String,
    /// What is kept.
    pub contents: Vec<Content>,
    /// What the model is told beforehand.
    pub system_instruction: Option<Content>,
    /// For how long; the service's own time when absent.
    pub expiry: Option<CacheExpiry>,
    /// A name for people.
    pub display_name: Option<String>,
}

/// When a cache ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheExpiry {
    /// So long after now.
    After(Duration),
    /// At this time, RFC 3339.
    At(String),
}

impl CacheRequest {
    /// The body of cachedContents.
    pub fn body(&self) -> Body {
        Body::of(self)
    }
}

impl Shape for CacheRequest {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("model", &model_resource(&self.model))?;
        map.serialize_entry("contents", &Shaped(self.contents.as_slice(), marks))?;
        if let Some(instruction) = &self.system_instruction {
            map.serialize_entry("systemInstruction", &Shaped(instruction, marks))?;
        }
        match &self.expiry {
            Some(CacheExpiry::After(time)) => map.serialize_entry("ttl", &duration_text(*time))?,
            Some(CacheExpiry::At(time)) => map.serialize_entry("expireTime", time)?,
            None => {}
        }
        if let Some(name) = &self.display_name {
            map.serialize_entry("displayName", name)?;
        }
        map.end()
    }
}

serialize_by_shape!(CacheRequest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_ends_after_a_while_or_at_a_time() {
        let text = |expiry| {
            let cache = CacheRequest { model: "m".into(), expiry, ..CacheRequest::default() };
            String::from_utf8(cache.body().to_vec().unwrap()).unwrap()
        };
        let start = r#"{"model":"models/m","contents":[]"#;
        assert_eq!(text(None), format!("{start}}}"));
        let hour = CacheExpiry::After(Duration::from_seconds(3600));
        assert_eq!(text(Some(hour)), format!(r#"{start},"ttl":"3600s"}}"#));
        let at = CacheExpiry::At("2027-01-01T00:00:00Z".into());
        assert_eq!(text(Some(at)), format!(r#"{start},"expireTime":"2027-01-01T00:00:00Z"}}"#));
    }
}
