//! Requests that ask how many tokens another request has.

use serde::Serializer;
use serde::ser::SerializeMap;

use crate::body::Body;
use crate::request::GenerateRequest;
use crate::shape::{Marks, Shape, Shaped};

/// What of a request countTokens is given: the services and their versions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountShape<'a> {
    /// `{"contents":[…]}`: the contents alone, which every service takes.
    Contents,
    /// `{"generateContentRequest":{"model":"models/…",…}}`: everything; Developer API only.
    Request {
        /// The model's name, with or without `models/`.
        model: &'a str,
    },
    /// `{"contents":[…],"systemInstruction":…,"generationConfig":…}`; Vertex AI only.
    Flat,
}

impl GenerateRequest {
    /// The body of countTokens for this request.
    pub fn count_body(&self, shape: CountShape<'_>) -> Body {
        Body::of(&Count { request: self, shape })
    }
}

struct Count<'a> {
    request: &'a GenerateRequest,
    shape: CountShape<'a>,
}

impl Shape for Count<'_> {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        match self.shape {
            CountShape::Contents => {
                let contents = Shaped(self.request.contents.as_slice(), marks);
                map.serialize_entry("contents", &contents)?;
            }
            CountShape::Request { model } => {
                let inner = Named { request: self.request, model };
                map.serialize_entry("generateContentRequest", &Shaped(&inner, marks))?;
            }
            CountShape::Flat => self.request.counted_fields(&mut map, marks)?,
        }
        map.end()
    }
}

/// A request that names its model.
struct Named<'a> {
    request: &'a GenerateRequest,
    model: &'a str,
}

impl Shape for Named<'_> {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("model", &model_resource(self.model))?;
        self.request.fields(&mut map, marks)?;
        map.end()
    }
}

/// A model's name as a resource: a bare one gets `models/` in front.
pub(crate) fn model_resource(model: &str) -> String {
    if model.contains('/') { model.to_owned() } else { format!("models/{model}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, GenerationConfig, Part, SafetySetting};
    use crate::{HarmBlockThreshold, HarmCategory};

    #[test]
    fn each_shape_holds_what_its_service_counts() {
        let mut request = GenerateRequest::user(vec![Part::text("x")]);
        request.system_instruction = Some(Content::instruction("terse"));
        request.generation_config =
            Some(GenerationConfig { seed: Some(1), ..GenerationConfig::default() });
        let setting = SafetySetting::new(HarmCategory::Jailbreak, HarmBlockThreshold::Off);
        request.safety_settings = vec![setting];
        let text = |shape| String::from_utf8(request.count_body(shape).to_vec().unwrap()).unwrap();
        let contents = r#""contents":[{"parts":[{"text":"x"}],"role":"user"}]"#;
        let rest = concat!(
            r#""systemInstruction":{"parts":[{"text":"terse"}],"role":"user"},"#,
            r#""generationConfig":{"seed":1}"#
        );
        let safety =
            r#""safetySettings":[{"category":"HARM_CATEGORY_JAILBREAK","threshold":"OFF"}]"#;
        assert_eq!(text(CountShape::Contents), format!("{{{contents}}}"));
        assert_eq!(text(CountShape::Flat), format!("{{{contents},{rest}}}"));
        for model in ["m", "models/m"] {
            let named = format!(r#"{{"model":"models/m",{contents},{rest},{safety}}}"#);
            assert_eq!(
                text(CountShape::Request { model }),
                format!(r#"{{"generateContentRequest":{named}}}"#)
            );
        }
    }
}
